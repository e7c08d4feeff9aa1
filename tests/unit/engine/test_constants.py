"""Constants of rule files: exactly of their field's type, and a remedy for those that are not."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from engine.constants import exact, example, read_date, read_datetime, remedy
from engine.diagnostics import Diagnostics
from engine.read import Mapping, Scalar, read
from engine.source import Source
from engine.vocabulary import FieldType, Kind


def scalar(text: str) -> Scalar:
    root = read(Source("r.yaml", f"a: {text}"), Diagnostics())
    assert isinstance(root, Mapping)
    node = root.entries[0][1]
    assert isinstance(node, Scalar)
    return node


@pytest.mark.parametrize(
    ("kind", "written", "value"),
    [
        ("text", "'5'", "5"),
        ("text", "5", None),
        ("text", "true", None),
        ("boolean", "true", True),
        ("boolean", "'true'", None),
        ("boolean", "1", None),
        ("integer", "5", 5),
        ("integer", "5.0", None),
        ("integer", "true", None),
        ("integer", "010", None),
        ("number", "5", 5.0),
        ("number", "0.5", 0.5),
        ("number", "9007199254740993", None),
        ("number", "true", None),
        ("date", "2022-03-08", date(2022, 3, 8)),
        ("date", "2022-W10-2", None),
        ("date", "2022-02-30", None),
        ("datetime", "2022-03-08T09:00:00Z", datetime(2022, 3, 8, 9, tzinfo=UTC)),
        ("datetime", "2022-03-08T09:00:00", None),
        ("record", "5", None),
    ],
)
def test_a_constant_is_of_exactly_its_type_or_none(kind: Kind, written: str, value: Any) -> None:
    found = exact(scalar(written), FieldType(kind))
    assert (type(value), value) == (type(found), found)


@pytest.mark.parametrize(
    "text", ["", "now", "2022-03-08T09:00", "2022-03-08T09:00:00.5+08:99", "9999-12-31T23:00:00Z"]
)
def test_what_is_no_moment_is_none(text: str) -> None:
    assert read_datetime(text) is None
    assert read_date(text) is None


@pytest.mark.parametrize(
    "text", ["2022-03-08t09:00:00z", "2022-03-08 09:00:00Z", "2022-03-08T17:00:00.000000+08:00"]
)
def test_a_moment_may_be_written_in_the_ways_of_rfc_3339(text: str) -> None:
    assert datetime(2022, 3, 8, 9, tzinfo=UTC) == read_datetime(text)


@pytest.mark.parametrize(
    ("kind", "written", "hint"),
    [
        ("boolean", "yes", "写成 true"),
        ("boolean", "否", "写成 false"),
        ("boolean", "'TRUE'", "写成 true（小写，不加引号）"),
        ("boolean", "2", "例如 true"),
        ("text", "5", '文字加引号："5"'),
        ("integer", "010", "写成 10（不加引号、前导零与分隔符）"),
        ("integer", "'1,000'", "写成 1000（不加引号、前导零与分隔符）"),
        ("integer", "1.5", "例如 2"),
        ("integer", "'12345678901234567890'", ""),
        ("number", "x", "例如 0.5"),
        ("date", "x", "例如 2022-03-08"),
        ("datetime", "x", "例如 2022-03-08T09:00:00+08:00"),
    ],
)
def test_the_remedy_is_what_to_write_instead(kind: Kind, written: str, hint: str) -> None:
    assert hint == remedy(scalar(written), FieldType(kind))


def test_an_example_is_a_valid_constant_of_the_type() -> None:
    kinds: tuple[Kind, ...] = ("text", "integer", "number", "boolean", "date", "datetime")
    for kind in kinds:
        assert exact(scalar(example(FieldType(kind))), FieldType(kind)) is not None, kind
    assert "red" == example(FieldType("text", choices=(("red", "红"),)))
    assert "{field: 路径}" == example(FieldType("list"))
