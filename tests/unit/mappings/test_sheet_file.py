"""Files that are not what they seem are refused with what to do, never with a traceback."""

from __future__ import annotations

import random
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from mappings import sheet_file
from mappings.sheet import SheetError, open_upload
from mappings.sheet_book import Book
from mappings.sheet_file import SheetFile, scan_workbook

Workbook = Callable[..., Path]

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
SHEET = "xl/worksheets/sheet1.xml"
HEAD = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
)
TAIL = "</sheetData></worksheet>"


@pytest.fixture
def upload(workbook: Workbook, titles: list[str], good: list[str]) -> Path:
    return workbook({"上架商品": [titles, good]})


def code_of(data: bytes | Path, name: str | None = None) -> str:
    with pytest.raises(SheetError) as caught:
        list(open_upload(data, name).rows)
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.hint
    assert diagnostic.message in str(caught.value)
    return diagnostic.code


def repacked(
    path: Path, change: Callable[[str, bytes], bytes | None], extra: dict[str, bytes] | None = None
) -> bytes:
    """Give a workbook again with some parts changed, left out or added."""
    out = path.with_name("changed.xlsx")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            data = change(name, old.read(name))
            if data is not None:
                new.writestr(name, data)
        for name, data in (extra or {}).items():
            new.writestr(name, data)
    return out.read_bytes()


def with_sheet(path: Path, xml: str) -> bytes:
    return repacked(path, lambda name, data: xml.encode() if name == SHEET else data)


@pytest.mark.parametrize(
    ("data", "name", "code"),
    [
        (b"", "a.xlsx", "SG0503"),
        (OLE + b"Workbook", "a.xls", "SG0504"),
        (OLE + b"Workbook", "a.xlsx", "SG0504"),
        (OLE + bytes(5000) + "EncryptedPackage".encode("utf-16-le"), "a.xlsx", "SG0505"),
        (b"\xef\xbb\xbf<html><table></table>", "a.xlsx", "SG0504"),
        (b"<!DOCTYPE html>", "a.csv", "SG0504"),
        (b"<?xml version='1.0'?><Workbook/>", "a.xlsx", "SG0504"),
        (b"%PDF-1.7", "a.xlsx", "SG0504"),
        ("有赞商品ID,规格名1".encode(), "a.xlsx", "SG0504"),
        (b"\x89PNG\r\n\x00\x00", "a.xlsx", "SG0506"),
        (b"\x89PNG\r\n\x00\x00", "a.csv", "SG0504"),
        (b"PK\x03\x04rest", "a.csv", "SG0504"),
        (b"PK\x03\x04rest", "a.xlsx", "SG0506"),
        (b"PK\x05\x06" + bytes(18), "a.xlsx", "SG0504"),
        (b"x", "a.pdf", "SG0509"),
        (b"x", "a", "SG0509"),
        (b"PK\x03\x04", "a.xlsm", "SG0508"),
    ],
)
def test_a_file_of_another_kind_is_refused(data: bytes, name: str, code: str) -> None:
    assert code == code_of(data, name)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert "SG0501" == code_of(tmp_path / "none.xlsx")
    assert "SG0501" == code_of(tmp_path)


def test_a_file_over_the_limit_is_refused(upload: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheet_file, "MOST_BYTES", 1000)
    assert "SG0502" == code_of(upload)


def test_a_cut_off_workbook_is_refused(upload: Path) -> None:
    data = upload.read_bytes()
    for length in range(4, len(data), 499):
        assert "SG0506" == code_of(data[:length], "a.xlsx")


def test_a_workbook_with_macros_is_refused(upload: Path) -> None:
    assert "SG0508" == code_of(repacked(upload, lambda _, data: data, {"xl/vbaProject.bin": b"x"}), "a.xlsx")


@pytest.mark.parametrize(
    ("part", "found"), [("content.xml", "ods"), ("xl/workbook.bin", "xlsb"), ("a.txt", "压缩包")]
)
def test_other_packages_are_refused_by_name(upload: Path, part: str, found: str) -> None:
    data = repacked(upload, lambda name, data: None if name == "xl/workbook.xml" else data, {part: b"<x/>"})
    with pytest.raises(SheetError, match=found):
        open_upload(data, "a.xlsx")


def test_links_to_outside_are_left_alone(upload: Path) -> None:
    link = b'<Relationships xmlns="x"><Relationship Id="rId1" Target="http://127.0.0.1:1/x" TargetMode="External"/></Relationships>'
    parts = {"xl/externalLinks/_rels/externalLink1.xml.rels": link, "xl/media/image1.png": b"PNG"}
    data = repacked(upload, lambda _, data: data, parts)
    assert 1 == len(list(open_upload(data, "a.xlsx").rows))


def test_a_bomb_is_refused_by_its_ratio(upload: Path) -> None:
    data = with_sheet(upload, HEAD + " " * 20_000_000 + TAIL)
    assert len(data) < 100_000
    assert "SG0507" == code_of(data, "a.xlsx")


def test_a_bomb_is_refused_by_its_declared_size(upload: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheet_file, "MOST_UNPACKED", 2000)
    assert "SG0507" == code_of(upload)


def test_a_bomb_of_many_parts_is_refused(upload: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheet_file, "MOST_PARTS", 3)
    assert "SG0507" == code_of(upload)


def test_a_part_that_lies_about_its_size_is_found_out(upload: Path) -> None:
    """The declared size in the directory is made small; the part unpacks to 20 MB."""
    data = bytearray(with_sheet(upload, HEAD + " " * 20_000_000 + TAIL))
    size = len((HEAD + " " * 20_000_000 + TAIL).encode()).to_bytes(4, "little")
    assert data.count(size) == 2
    assert "SG0506" == code_of(bytes(data.replace(size, (5000).to_bytes(4, "little"))), "a.xlsx")


@pytest.mark.parametrize(
    "far",
    [
        'r="XFD1048576"',
        "r='XFD1048576'",
        'r = "XFD1048576"',
        'r="xfd1048576"',
        'r="&#88;FD1048576"',
        'r="AAAAAAAAAAAA9"',
    ],
)
def test_a_cell_far_away_does_not_make_the_reader_set_up_every_cell_between(upload: Path, far: str) -> None:
    """The reader would ask for 500 GB and end the process."""
    rows = f'<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c {far}><v>1</v></c></row>'
    assert "SG0507" == code_of(with_sheet(upload, HEAD + rows + TAIL), "a.xlsx")


def test_blank_formatted_cells_far_away_are_no_reason_to_refuse(upload: Path) -> None:
    with zipfile.ZipFile(upload) as book:
        xml = book.read(SHEET).decode()
    far = '<row r="1048576"><c r="XFD1048576" s="0"/></row></sheetData>'
    data = with_sheet(upload, xml.replace("</sheetData>", far))
    assert 1 == len(list(open_upload(data, "a.xlsx").rows))


def test_ordinary_workbooks_are_not_looked_at_twice(upload: Path) -> None:
    """The exact reading of cells takes as long as all the rest, so plain sheets must not need it."""
    (part,) = scan_workbook(SheetFile("a.xlsx", upload)).values()
    assert (False, False) == (part.marks, part.far)


@pytest.mark.parametrize(
    "xml",
    [
        "",
        "\x00",
        "nonsense",
        HEAD,
        HEAD + '<row r="1"><c r="A1"><v>1</c></row>' + TAIL,
        HEAD + '<row r="1"><c r="A1" t="s"><v>99999</v></c></row>' + TAIL,
        HEAD + '<row r="1"><c r="A1" t="q"><v>1</v></c></row>' + TAIL,
        HEAD + '<row r="x"><c r="A1" t="e"><v>1</v></c></row>' + TAIL,
        '<!DOCTYPE w [<!ENTITY a "xx">]>'
        + HEAD.partition("\n")[2]
        + '<row r="1"><c r="A1"><v>&a;</v></c></row>'
        + TAIL,
    ],
)
def test_a_damaged_sheet_is_refused(upload: Path, xml: str) -> None:
    with pytest.raises(SheetError):
        open_upload(with_sheet(upload, xml), "a.xlsx")


def test_a_damaged_directory_is_refused(upload: Path) -> None:
    for part in ("xl/workbook.xml", "xl/_rels/workbook.xml.rels"):
        data = repacked(upload, lambda name, data, part=part: b"<a>" if name == part else data)  # type: ignore[misc]
        assert "SG0506" == code_of(data, "a.xlsx")
    data = repacked(upload, lambda name, data: None if name == "xl/_rels/workbook.xml.rels" else data)
    assert "SG0506" == code_of(data, "a.xlsx")


def test_random_damage_is_read_or_refused(upload: Path) -> None:
    """Bytes are changed inside every XML part; whatever comes of it, it is rows or a SheetError."""
    chance = random.Random(9)
    for _ in range(300):

        def damage(name: str, data: bytes) -> bytes:
            if chance.random() < 0.5 or not data:
                return data
            spoiled = bytearray(data)
            for _ in range(chance.randint(1, 4)):
                spoiled[chance.randrange(len(spoiled))] = chance.randrange(256)
            return bytes(spoiled)

        try:
            list(open_upload(repacked(upload, damage), "a.xlsx").rows)
        except SheetError as error:
            assert error.diagnostics


def test_a_package_whose_parts_are_encrypted_is_refused(upload: Path) -> None:
    data = bytearray(upload.read_bytes())
    place = data.index(b"PK\x01\x02")
    data[place + 8] |= 1
    assert "SG0505" == code_of(bytes(data), "a.xlsx")


def test_sheets_written_with_a_prefix_and_without_addresses_are_read_exactly(
    upload: Path, titles: list[str]
) -> None:
    """Some programs write `x:c`, leave addresses out, or put single quotes: marks are found there too."""
    head = "".join(f'<x:c t="inlineStr"><x:is><x:t>{title}</x:t></x:is></x:c>' for title in titles)
    cells = "<x:c><x:v>403</x:v></x:c><x:c t='e'><x:v>#REF!</x:v></x:c><x:c><x:f>1+1</x:f></x:c>"
    xml = (
        '<?xml version="1.0"?><x:worksheet xmlns:x="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><x:sheetData>'
        f"<x:row>{head}</x:row><x:row>{cells}</x:row></x:sheetData></x:worksheet>"
    )
    (row,) = open_upload(with_sheet(upload, xml), "a.xlsx").rows
    assert ("403", ["SG0543", "SG0542"]) == (row.row["product_id"], [item.code for item in row.problems])


def test_a_panic_of_the_reader_is_a_damaged_workbook(upload: Path) -> None:
    """Panics of the reader's Rust side are no `Exception`; anything else that is none goes on its way."""
    book = Book(SheetFile("a.xlsx", upload))

    def fail(error: type[BaseException]) -> None:
        raise error

    panic = type("PanicException", (BaseException,), {})
    with pytest.raises(SheetError):
        book._call(lambda: fail(panic))
    with pytest.raises(KeyboardInterrupt):
        book._call(lambda: fail(KeyboardInterrupt))


def test_a_formula_whose_result_is_no_text_is_a_blank_cell(upload: Path) -> None:
    with zipfile.ZipFile(upload) as book:
        xml = book.read(SHEET).decode()
    blank = re.sub(r'<c r="G2"[^>]*>.*?</c>', '<c r="G2" t="str"><f>IF(1=2,1,"")</f><v></v></c>', xml)
    (row,) = open_upload(with_sheet(upload, blank), "a.xlsx").rows
    assert (False, ()) == ("brand_id" in row.row, row.problems)


def test_a_sheet_of_blank_far_off_cells_is_an_empty_sheet(upload: Path) -> None:
    data = with_sheet(upload, HEAD + '<row r="1048576"><c r="XFD1048576" s="0"/></row>' + TAIL)
    assert "SG0521" == code_of(data, "a.xlsx")
