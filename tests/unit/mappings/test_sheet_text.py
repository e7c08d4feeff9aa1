"""Delimited text is read whatever its encoding and delimiter."""

from __future__ import annotations

import pytest

from mappings.sheet import SheetError, open_upload


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize(
    ("delimiter", "name"), [(",", "a.csv"), ("\t", "a.txt"), (";", "a.CSV"), ("\t", "a.tsv")]
)
def test_every_encoding_and_delimiter_is_told_by_the_content(
    encoding: str, delimiter: str, name: str, titles: list[str], good: list[str]
) -> None:
    text = "\r\n".join(delimiter.join(row) for row in (["上架，模板"], titles, good, [], good))
    rows = list(open_upload(text.encode(encoding), name).rows)
    assert [3, 5] == [row.number for row in rows]
    assert "403680077" == rows[0].row["product_id"]
    assert [{"name": "颜色", "template_id": "1001"}, {"name": "尺码", "template_id": "1002"}] == rows[1].row[
        "specs"
    ]


def test_short_rows_and_quotes_are_read(titles: list[str]) -> None:
    text = ",".join(titles) + '\n"403680077","颜色, 尺寸",4.03680077E8\n'
    (row,) = open_upload(text.encode(), "a.csv").rows
    assert {
        "product_id": "403680077",
        "specs": [{"name": "颜色, 尺寸", "template_id": "403680077"}],
    } == row.row
    assert "C2" == row.cells["row.specs[0].template_id"].name


def test_numbers_that_a_spreadsheet_has_rounded_are_refused_by_cell(
    titles: list[str], good: list[str]
) -> None:
    good[0] = "1.23457E+11"
    (row,) = open_upload("\n".join(map(",".join, (titles, good))).encode(), "a.csv").rows
    assert ["A2"] == [item.cell.name for item in row.problems if item.cell]
    assert "product_id" not in row.row


def test_formula_errors_in_text_are_named(titles: list[str], good: list[str]) -> None:
    good[1] = "#N/A"
    (row,) = open_upload("\n".join(map(",".join, (titles, good))).encode(), "a.csv").rows
    assert ["SG0543"] == [item.code for item in row.problems]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"\xef\xbb\xbf\xff\xff\xff", "SG0510"),
        (b"abc\n\xff\xff\xff", "SG0510"),
        (b"a,b\n1,2", "SG0521"),
        ("有赞商品ID,规格名1,类目ID\n1,红,2".encode(), "SG0524"),
    ],
)
def test_text_that_is_no_upload_is_refused(data: bytes, code: str) -> None:
    with pytest.raises(SheetError) as caught:
        open_upload(data, "a.csv")
    assert code == caught.value.diagnostics[0].code


def test_a_quote_that_stays_open_is_refused_where_it_is_met(titles: list[str], good: list[str]) -> None:
    text = "\n".join(map(",".join, (titles, *[good] * 20))) + '\n"403,1,2\n' + ",".join(good)
    upload = open_upload(text.encode(), "a.csv")
    with pytest.raises(SheetError, match="第 22 行") as caught:
        list(upload.rows)
    assert "SG0511" == caught.value.diagnostics[0].code


def test_a_field_longer_than_any_cell_is_refused(titles: list[str]) -> None:
    text = ",".join(titles) + "\n" + "1" * 200_000
    with pytest.raises(SheetError, match="第 2 行") as caught:
        open_upload(text.encode(), "a.csv")
    assert "SG0511" == caught.value.diagnostics[0].code


def test_a_header_alone_is_refused(titles: list[str]) -> None:
    with pytest.raises(SheetError) as caught:
        open_upload(",".join(titles).encode(), "a.csv")
    assert "SG0527" == caught.value.diagnostics[0].code
