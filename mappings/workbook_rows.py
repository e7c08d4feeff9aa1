"""Move rows of a sheet, with everything that belongs to them: formats, comments, heights, links, drop-downs, formulas."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from openpyxl.formula.translate import Translator
from openpyxl.worksheet.cell_range import CellRange, MultiCellRange
from openpyxl.worksheet.worksheet import Worksheet


def cells_below(page: Worksheet, header_row: int) -> list[Any]:
    """Give the cells below the header that hold something or look like something; asking row by row would make all others too."""
    return [cell for (row, _), cell in page._cells.items() if row > header_row]  # noqa: SLF001 - the sheet's own map of cells


def reorder(page: Worksheet, header_row: int, first: Sequence[int]) -> dict[int, int]:
    """Put rows into an order; all others follow in the order in which they stood.

    Args:
        page: The sheet.
        header_row: The header's row, 1-based; it and what stands above it stays.
        first: Rows in the wanted order, 1-based.

    Returns:
        The new row of each row that moved.
    """
    wanted = list(dict.fromkeys(row for row in first if row > header_row))
    known = set(wanted)
    end = max(page.max_row, *wanted, header_row) if wanted else page.max_row
    rest = [row for row in range(header_row + 1, end + 1) if row not in known]
    moved = {old: new for new, old in enumerate([*wanted, *rest], header_row + 1) if new != old}
    if moved:
        _unmerge(page, moved)
        _move_cells(page, moved)
        _move_heights(page, moved)
        for validation in page.data_validations.dataValidation:
            validation.sqref = _moved_areas(validation.sqref.ranges, moved, header_row, end)
    return moved


def _unmerge(page: Worksheet, moved: Mapping[int, int]) -> None:
    """Take merged areas apart that cover rows which part company; one within a row moves along."""
    for area in list(page.merged_cells.ranges):
        rows = range(area.min_row, area.max_row + 1)
        if not any(row in moved for row in rows):
            continue
        page.unmerge_cells(area.coord)
        if area.min_row == area.max_row:
            row = moved[area.min_row]
            for column in range(area.min_col + 1, area.max_col + 1):
                page.cell(area.min_row, column)
            page.merged_cells.add(CellRange(None, area.min_col, row, area.max_col, row).coord)


def _move_cells(page: Worksheet, moved: Mapping[int, int]) -> None:
    """Give every cell its new row; the map of cells is the sheet's own, as openpyxl moves ranges by it too."""
    cells: dict[tuple[int, int], Any] = page._cells  # noqa: SLF001 - moving cell by cell keeps their formats
    kept = {place: cell for place, cell in cells.items() if place[0] not in moved}
    for (row, column), cell in cells.items():
        if row not in moved:
            continue
        before = cell.coordinate
        cell.row = moved[row]
        if cell.data_type == "f" and isinstance(cell.value, str):
            cell.value = Translator(cell.value, before).translate_formula(cell.coordinate)
        if cell.hyperlink is not None:
            cell.hyperlink.ref = cell.coordinate
        kept[(cell.row, column)] = cell
    cells.clear()
    cells.update(sorted(kept.items()))


def _move_heights(page: Worksheet, moved: Mapping[int, int]) -> None:
    taken = {row: page.row_dimensions.pop(row) for row in list(page.row_dimensions) if row in moved}
    for row, dimension in taken.items():
        dimension.index = moved[row]
        page.row_dimensions[moved[row]] = dimension


def _moved_areas(areas: Iterable[Any], moved: Mapping[int, int], header_row: int, end: int) -> MultiCellRange:
    """Let areas that belong to single rows go with them; one that runs through the whole sheet stays."""
    found: list[CellRange] = []
    for area in areas:
        if area.min_row <= header_row + 1 and area.max_row >= end:
            found.append(CellRange(area.coord))
            continue
        inside = range(area.min_row, min(area.max_row, end) + 1)
        found += [
            CellRange(None, area.min_col, row, area.max_col, row)
            for row in sorted(moved.get(row, row) for row in inside)
        ]
        if area.max_row > end:
            found.append(
                CellRange(None, area.min_col, max(area.min_row, end + 1), area.max_col, area.max_row)
            )
    return MultiCellRange(_joined(found))


def _joined(areas: Iterable[CellRange]) -> list[CellRange]:
    """Join areas of the same columns that touch, so that a list of them stays short."""
    joined: list[CellRange] = []
    for area in sorted(areas, key=lambda area: (area.min_col, area.max_col, area.min_row)):
        last = joined[-1] if joined else None
        if (
            last is not None
            and (last.min_col, last.max_col) == (area.min_col, area.max_col)
            and area.min_row <= last.max_row + 1
        ):
            joined[-1] = CellRange(
                None, last.min_col, last.min_row, last.max_col, max(last.max_row, area.max_row)
            )
        else:
            joined.append(area)
    return joined
