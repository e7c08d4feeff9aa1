"""What became of an upload: as the user's own workbook, and in every format in which a check is reported (R17)."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import PurePath
from typing import Any, BinaryIO

from sqlalchemy import select

from engine.decision import Decision, worst
from engine.diagnostics import Diagnostic
from engine.mapping import Mapped, MappingSession
from engine.rulebook import Channel
from engine.tables import Tables
from mappings.corrections import corrections
from mappings.report import CheckedRow, Entry, Report, cell_for, entries_of, formats, unreadable
from mappings.sheet import SheetError, SheetRow, UploadSheet, open_upload
from mappings.workbook import Fault, RowNote, write_workbook
from pipeline.products import products
from pipeline.reference import NoReference, load_reference
from pipeline.store import DecisionRow, RowState, Store, Upload, UploadRow
from pipeline.suggestions import suggestions_for
from pipeline.uploads.receiving import find_upload, received_file
from pipeline.uploads.rows import decisions_from
from pipeline.uploads.state import FAILING, ROW_TITLES

PAGE = 1000
"""Rows read from the store at a time."""

WORKBOOK = "workbook"
"""The format that is the user's own workbook; the others are those of `mappings.report`."""

PRODUCT = "row.product_id"
ADVICE: Mapping[RowState, str] = {
    "rejected": "删去这一行；一个商品只能上架一次",
    "refused_by_channel": "按渠道给出的原因修改商品或这一行，再把报告上传一次",
    "failed": "过一会儿把报告再上传一次；已经到了渠道的不会重复上架",
}
"""What to do about a row that passed the rules and came to nothing all the same."""

_REPORT = re.compile(r"-结果\d*$")

REMARKS = {"warning": "提醒", "notice": "提示"}

Fact = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Outcome:
    """Hold a row of an upload with all that is known of it.

    Attributes:
        kept: The row as the store has it.
        checked: The row with its decisions; an outcome that came later than they did is a problem of the row.
        sheet_row: The row as the file has it.
    """

    kept: UploadRow
    checked: CheckedRow
    sheet_row: SheetRow


def outcomes(store: Store, upload_id: str) -> Iterator[Outcome]:
    """Give the rows of an upload that are decided, in the order of the sheet.

    Raises:
        UploadUnknown: There is no such upload.
        SheetError: The file can't be read.
    """
    name, content = received_file(store, upload_id)
    sheet = open_upload(content, name)
    rows = iter(sheet.rows)
    known: dict[str, tuple[Decision, ...]] = {}
    while page := list(islice(rows, PAGE)):
        kept = _kept(store, upload_id, page[0].number, page[-1].number, known)
        for row in page:
            if row.number in kept:
                yield _outcome(sheet, row, *kept[row.number])


def upload_report(store: Store, upload_id: str, channel: Channel) -> Report:
    """Give an upload as a report, to be written in any format of `mappings.report`.

    Raises:
        UploadUnknown: There is no such upload.
    """
    with store.read() as session:
        upload = find_upload(session, upload_id)
    return Report(
        f"上架结果（{channel.title}）",
        (),
        upload.as_of or upload.received_at,
        upload.filename,
        _checked(store, upload),
    )


def upload_workbook(store: Store, upload_id: str, channel: Channel) -> bytes:
    """Give the report as the user's own workbook; corrected in place, it may be uploaded again.

    Args:
        store: Where uploads are kept.
        upload_id: The upload.
        channel: The channel, as the rules name it.

    Raises:
        UploadUnknown: There is no such upload.
        SheetError: The file can't be read: there is nothing to report on but the reason, which the upload has.
    """
    with store.read() as session:
        upload = find_upload(session, upload_id)
    name, content = received_file(store, upload_id)
    advisor = _Advisor(store, upload, channel)
    notes: list[RowNote] = []
    rows = outcomes(store, upload_id)
    while page := list(islice(rows, PAGE)):
        notes += advisor.notes(page)
    out = io.BytesIO()
    write_workbook(content, name, notes, out, upload_id=upload_id)
    return out.getvalue()


def report_formats() -> list[str]:
    """Name the formats that a report is written in."""
    return [WORKBOOK, *formats()]


def write_report(store: Store, upload_id: str, channel: Channel, format_: str, out: BinaryIO) -> None:
    """Write the report of an upload.

    Args:
        store: Where uploads are kept.
        upload_id: The upload.
        channel: The channel, as the rules name it.
        format_: One of `report_formats`.
        out: Where to.

    Raises:
        UploadUnknown: There is no such upload.
        SheetError: As for `upload_workbook`.
    """
    if format_ == WORKBOOK:
        out.write(upload_workbook(store, upload_id, channel))
    else:
        formats()[format_].write(upload_report(store, upload_id, channel), out)


def report_name(filename: str, format_: str, number: int = 1) -> str:
    """Name the report of a file; the report of a corrected report is not named a report twice.

    Args:
        filename: Name of the upload.
        format_: One of `report_formats`.
        number: To tell it from others of the same name, ≥ 1.

    Examples:
        >>> report_name("三月.xlsx", "workbook"), report_name("三月-结果.xlsx", "csv", 2)
        ('三月-结果.xlsx', '三月-结果2.csv')
    """
    stem = _REPORT.sub("", PurePath(filename).stem)
    suffix = ".xlsx" if format_ == WORKBOOK else formats()[format_].SUFFIX
    return f"{stem}-结果{'' if number == 1 else number}{suffix}"


def report_media(format_: str) -> str:
    """Give the media type of a format, one of `report_formats`."""
    return formats()["xlsx" if format_ == WORKBOOK else format_].MEDIA


class _Advisor:
    """Say of each row what became of it, where it is at fault, and what may be meant."""

    def __init__(self, store: Store, upload: Upload, channel: Channel) -> None:
        self._store = store
        self._upload = upload
        try:
            self._tables = Tables(load_reference(store, upload.shop_id, upload.channel).tables)
        except NoReference:
            self._tables = Tables()
        as_of = upload.as_of or upload.received_at
        self._mappings = [
            MappingSession(ruleset, self._tables, as_of)
            for ruleset in channel.rulesets.values()
            if ruleset.kind == "mapping" and ruleset.fact.name == "listing"
        ]

    def notes(self, page: Sequence[Outcome]) -> list[RowNote]:
        """Say it of some rows; products are looked up for those that failed."""
        ids = [item.checked.key for item in page if item.kept.state in FAILING and item.checked.key]
        found = dict(products(self._store, self._upload.shop_id, ids)) if ids else {}
        return [self._note(item, found.get(item.checked.key)) for item in page]

    def _note(self, item: Outcome, product: Fact | None) -> RowNote:
        row, failing = item.kept, item.kept.state in FAILING
        checked = self._with_suggestions(item, product) if failing else item.checked
        entries = list(entries_of(checked))
        reasons = [_reason(entry) for entry in entries]
        if row.state == "listed":
            reasons = [f"渠道商品 {row.channel_product_id}", *([row.reason] if row.reason else []), *reasons]
        return RowNote(
            number=row.number,
            status=ROW_TITLES[row.state],
            failing=failing,
            reason="\n".join(dict.fromkeys(reasons)),
            advice="\n".join(dict.fromkeys(entry.fix for entry in entries if entry.fix)),
            faults=tuple(_faults(checked)) if failing else (),
            corrections=corrections(
                checked, item.sheet_row.row, product, self._tables, self._mapped(item.sheet_row, product)
            )
            if failing
            else (),
        )

    def _with_suggestions(self, item: Outcome, product: Fact | None) -> CheckedRow:
        fact: Fact = {"row": item.sheet_row.row}
        if product is not None:
            fact["product"] = product
        return replace(item.checked, suggestions=suggestions_for(item.checked, fact, self._tables))

    def _mapped(self, row: SheetRow, product: Fact | None) -> list[Mapped]:
        if product is None:
            return []
        fact = {"row": row.row, "product": product}
        return [item for mapping in self._mappings for item in mapping.map(fact).mapped]


def _checked(store: Store, upload: Upload) -> Iterator[CheckedRow]:
    """Give the rows; of a file that can't be read, what is wrong with it."""
    try:
        for item in outcomes(store, upload.id):
            yield item.checked
    except SheetError as error:
        yield unreadable(upload.filename, error.diagnostics)


def _kept(
    store: Store, upload_id: str, first: int, last: int, known: dict[str, tuple[Decision, ...]]
) -> Mapping[int, tuple[UploadRow, tuple[Decision, ...]]]:
    """Read some rows with their decisions; a decision that many rows share is read once."""
    wanted = select(UploadRow).where(UploadRow.upload_id == upload_id, UploadRow.number.between(first, last))
    with store.read() as session:
        rows = list(session.scalars(wanted))
        ids = {
            row.decision_id for row in rows if row.decision_id is not None and row.decision_id not in known
        }
        contents = select(DecisionRow.id, DecisionRow.content).where(DecisionRow.id.in_(ids))
        fresh = {key: decisions_from(content) for key, content in session.execute(contents)} if ids else {}
    known.update({key: value for key, value in fresh.items() if not any(item.findings for item in value)})
    return {
        row.number: (row, fresh.get(row.decision_id or "") or known.get(row.decision_id or "") or ())
        for row in rows
    }


def _outcome(sheet: UploadSheet, row: SheetRow, kept: UploadRow, decisions: tuple[Decision, ...]) -> Outcome:
    checked = CheckedRow(
        sheet.file,
        sheet.sheet,
        row.number,
        kept.product_id or "",
        row.cells,
        () if kept.state == "listed" and not decisions else row.problems,
        decisions,
        "accepted",
    )
    outcome = worst([item.outcome for item in decisions])
    told = any(problem.severity == "error" for problem in checked.problems)
    if kept.state in FAILING and outcome == "accepted" and not told:
        message = (
            kept.reason
            if kept.reason is not None
            else f"这一行通过了检查，但没有上架：{ROW_TITLES[kept.state]}"
        )
        cell = row.cells.get("row.product_id")
        later = Diagnostic("SG0804", "error", message, hint=ADVICE.get(kept.state, ""), cell=cell)
        checked = replace(checked, problems=(*checked.problems, later))
        told = True
    return Outcome(kept, replace(checked, outcome="rejected" if told else outcome), row)


def _reason(entry: Entry) -> str:
    if entry.status == "waived":
        return f"已豁免：{entry.message}（{entry.waiver}）"
    return entry.message if entry.severity == "error" else f"{REMARKS[entry.severity]}：{entry.message}"


def _faults(checked: CheckedRow) -> Iterator[Fault]:
    """Name every cell at fault, with what is wrong with it."""
    for problem in checked.problems:
        if problem.cell is not None and problem.severity == "error":
            yield Fault(problem.cell.name, f"{problem.message}\n{problem.hint}".rstrip())
    for decision in checked.decisions:
        for finding in decision.findings:
            if finding.severity != "error" or finding.status == "waived":
                continue
            paths = [item.path for item in finding.evidence]
            paths += [path for path in finding.missing if ":" not in path]
            cells = [cell_for(path, checked.cells) for path in paths or [PRODUCT]]
            for name in dict.fromkeys(cell.name for cell in cells if cell is not None):
                yield Fault(name, f"{finding.message}\n{finding.fix}".rstrip())
