"""Measure reading an upload of many rows, and checking it, each in a process of its own, with its peak memory.

`python -m bench.sheets STEP FOLDER` runs one step on the files that `write` has put into a folder.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from random import Random

import xlsxwriter
from python_calamine import CalamineWorkbook

from bench.clock import Spread
from bench.data import AS_OF, REFERENCE, SEED, SHOP, UPLOAD, Item, sample
from bench.process import ROOT, peak, run
from mappings.sheet import open_upload
from mappings.youzan import product_from_item

SHEET, CATALOGUE, REPORT, PEAK = "upload.xlsx", "products.jsonl", "report.txt", "peak.txt"


@dataclass(frozen=True, slots=True)
class Cost:
    """Hold what a step cost.

    Attributes:
        seconds: CPU seconds of the process, from its start to its end, a round.
        peak: Peak memory in MB, the most of the rounds.
    """

    seconds: Spread
    peak: float


def write(folder: Path, rows: int) -> None:
    """Write an upload of many rows, and the products it speaks of; about one in ten fails."""
    _, items = sample(rows)
    first = next(iter(CalamineWorkbook.from_path(UPLOAD).get_sheet_by_index(0).iter_rows()))
    titles = [str(title) for title in first]
    with xlsxwriter.Workbook(str(folder / SHEET), {"constant_memory": True}) as book:
        page = book.add_worksheet("上架表")
        page.write_row(0, 0, titles)
        for number, item in enumerate(items, 1):
            for place, text in enumerate(_cells(item)):
                if text:
                    page.write_string(number, place, text)
    with (folder / CATALOGUE).open("wb") as file:
        order = list(items)
        Random(SEED).shuffle(order)
        file.writelines(item.payload + b"\n" for item in order)


def _cells(item: Item) -> list[str]:
    row = item.row
    specs = [(spec.get("name", ""), spec.get("template_id", "")) for spec in row.get("specs", ())]
    specs += [("", "")] * (2 - len(specs))
    ids = [row.get(name, "") for name in ("category_id", "brand_id", "freight_template_id")]
    return [row.get("product_id", ""), *(cell for spec in specs[:2] for cell in spec), *ids]


def read_alone(folder: Path) -> None:
    """Read the cells with calamine and do nothing with them."""
    for _ in CalamineWorkbook.from_path(folder / SHEET).get_sheet_by_index(0).iter_rows():
        pass


def read_into_facts(folder: Path) -> None:
    """Read the rows as facts, and the products as facts, a fact at a time."""
    for _ in open_upload(folder / SHEET).rows:
        pass
    with (folder / CATALOGUE).open("rb") as lines:
        for line in lines:
            product_from_item(json.loads(line))


def check(folder: Path) -> None:
    """Check the upload as the command does, with a report as text."""
    from cli.main import shelfgate

    words = [
        "check",
        folder / SHEET,
        "--shop",
        SHOP,
        "--products",
        folder / CATALOGUE,
        "--reference",
        REFERENCE,
    ]
    words += ["--as-of", AS_OF.isoformat(), "--rules", ROOT, "--no-progress", "--fail-on", "never"]
    shelfgate([*map(str, words), "-o", str(folder / REPORT)])


STEPS = {"calamine alone": read_alone, "calamine and facts": read_into_facts, "shelfgate check": check}


def costs(folder: Path, rounds: int) -> dict[str, Cost]:
    """Measure every step in interleaved rounds.

    Raises:
        RuntimeError: A step failed.
    """
    seconds: dict[str, list[float]] = {name: [] for name in STEPS}
    peaks = dict.fromkeys(STEPS, 0.0)
    for _ in range(rounds):
        for name in STEPS:
            seconds[name].append(run("bench.sheets", name, folder))
            peaks[name] = max(peaks[name], float((folder / PEAK).read_text()))
    return {name: Cost(Spread(tuple(values)), peaks[name]) for name, values in seconds.items()}


if __name__ == "__main__":
    try:
        STEPS[sys.argv[1]](Path(sys.argv[2]))
    finally:
        (Path(sys.argv[2]) / PEAK).write_text(str(peak()))
