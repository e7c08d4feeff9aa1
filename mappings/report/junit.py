"""For build servers: a test case for each row; a failure for a rejected one, an error for an undecided one."""

from __future__ import annotations

import re
import shutil
import tempfile
from typing import BinaryIO
from xml.sax.saxutils import escape, quoteattr

from mappings.report._entries import Entry, entries_of, place_of
from mappings.report._records import CheckedRow, Report

NAME = "junit"
SUFFIX = ".xml"
MEDIA = "application/xml"

KEPT_IN_MEMORY = 8_000_000
"""Bytes of cases that are kept in memory; the counts stand before them, so the rest waits on disk."""

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write(report: Report, out: BinaryIO) -> None:
    """Write one suite with a case for each row."""
    with tempfile.SpooledTemporaryFile(max_size=KEPT_IN_MEMORY) as cases:
        for row in report.rows:
            cases.write(_case(row).encode())
        cases.seek(0)
        counts = report.summary
        out.write(b'<?xml version="1.0" encoding="UTF-8"?>\n')
        out.write(
            f"<testsuites>\n<testsuite name={_attribute(report.title)} tests={_attribute(counts.total + counts.unreadable)}"
            f" failures={_attribute(counts.rejected)} errors={_attribute(counts.undetermined + counts.unreadable)}"
            f" timestamp={_attribute(report.as_of.isoformat(timespec='seconds'))}>\n<properties>\n".encode()
        )
        out.writelines(
            f"<property name={_attribute(name)} value={_attribute(version)}/>\n".encode()
            for name, version in report.rulesets
        )
        out.write(b"</properties>\n")
        shutil.copyfileobj(cases, out)
        out.write(b"</testsuite>\n</testsuites>\n")


def _case(row: CheckedRow) -> str:
    name = "读取文件" if row.number is None else f"第 {row.number} 行" + (f" · {row.key}" if row.key else "")
    suite = f"{row.place}.{row.sheet}" if row.sheet else row.place
    line = "" if row.number is None else f" line={_attribute(row.number)}"
    start = (
        f"<testcase classname={_attribute(suite)} name={_attribute(name)} file={_attribute(row.place)}{line}"
    )
    entries = list(entries_of(row))
    if row.outcome == "accepted":
        if not entries:
            return f"{start}/>\n"
        return f"{start}>\n<system-out>{_body(row, entries)}</system-out>\n</testcase>\n"
    tag = "failure" if row.outcome == "rejected" else "error"
    first = next((entry for entry in entries if entry.severity == "error" and entry.status != "waived"), None)
    kind = f" type={_attribute(first.rule)} message={_attribute(first.message)}" if first else ""
    return f"{start}>\n<{tag}{kind}>{_body(row, entries)}</{tag}>\n</testcase>\n"


def _body(row: CheckedRow, entries: list[Entry]) -> str:
    lines = []
    for entry in entries:
        parts = (
            entry.message,
            entry.wanted and f"应为：{entry.wanted}",
            entry.fix and f"建议：{entry.fix}",
            entry.rule_place,
        )
        lines.append(f"{place_of(row, entry)} {entry.rule} " + " · ".join(part for part in parts if part))
    return escape(_NOT_XML.sub("�", "\n".join(lines)))


def _attribute(value: object) -> str:
    return quoteattr(_NOT_XML.sub("�", str(value)))
