"""What is let in as a fact, held to jsonschema as the reference wherever both have an opinion."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker

from engine.diagnostics import Diagnostics
from engine.facts import Problem, admit
from engine.read import read
from engine.rulebook import load
from engine.schemas import plain_data, read_vocabulary
from engine.source import Source
from engine.vocabulary import FieldType

ROOT = Path(__file__).resolve().parents[3]
SCHEMA = """
title: 样品
type: object
additionalProperties: false
required: [id, tags]
properties:
  id: {type: string, title: 编号, minLength: 1, maxLength: 4}
  colour: {type: string, title: 颜色, enum: [red, blue]}
  count: {type: integer, title: 件数, minimum: -2, maximum: 9}
  ratio: {type: number, title: 比例, minimum: 0}
  sold: {type: boolean, title: 已售}
  day: {type: string, format: date, title: 日期}
  at: {type: string, format: date-time, title: 时间}
  tags: {type: array, title: 标签, minItems: 1, maxItems: 3, items: {type: string, enum: [a, b]}}
  parts:
    type: array
    title: 部件
    items:
      type: object
      additionalProperties: false
      required: [name]
      properties:
        name: {type: string, title: 部件名}
        sizes: {type: array, title: 尺寸, items: {type: integer, maximum: 5}}
examples: [{id: a, tags: [a]}]
"""


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> FieldType:
    folder = tmp_path_factory.mktemp("facts")
    (folder / "sample.yaml").write_text(SCHEMA, "utf-8")
    diagnostics = Diagnostics()
    vocabulary, _ = read_vocabulary(folder, "facts", diagnostics)
    assert [] == diagnostics.items
    return vocabulary.facts["sample"].type


def reference() -> Draft202012Validator:
    """Make jsonschema read the same text; a day and a moment are told by the pattern of RFC 3339, as its format checker is lenient or absent."""
    node = read(Source("sample.yaml", SCHEMA), Diagnostics())
    assert node is not None
    schema = plain_data(node)
    checker = FormatChecker(formats=())

    @checker.checks("date", raises=ValueError)
    def _day(value: Any) -> bool:
        return not isinstance(value, str) or (len(value) == 10 and bool(datetime.strptime(value, "%Y-%m-%d")))  # noqa: DTZ007

    @checker.checks("date-time", raises=ValueError)
    def _moment(value: Any) -> bool:
        form = "%Y-%m-%dT%H:%M:%S%z"
        return not isinstance(value, str) or bool(datetime.strptime(value, form))  # noqa: DTZ007

    return Draft202012Validator(schema, format_checker=checker)


REFERENCE = reference()
SCALARS = (
    st.sampled_from(
        ["", "a", "b", "red", "abcd", "abcde", "2022-03-08", "2022-02-30", "2022-03-08T09:00:00Z"]
    )
    | st.sampled_from(
        ["2022-03-08T09:00:00+08:00", "2022-03-08T09:00:00", "2022-03-08T25:00:00Z", "20220308"]
    )
    | st.booleans()
    | st.integers(-4, 12)
    | st.sampled_from([2**53 + 1, -(2**70), 10**400])
    | st.sampled_from([0.0, -0.5, 1.0, 2.5, 1e300])
)
NAMES = st.sampled_from(
    ["id", "colour", "count", "ratio", "sold", "day", "at", "tags", "parts", "name", "sizes", "x"]
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=8,
)
GOOD = st.fixed_dictionaries(
    {"id": st.sampled_from(["a", "abcd"]), "tags": st.lists(st.sampled_from("ab"), min_size=1, max_size=3)},
    optional={
        "colour": st.sampled_from(["red", "blue"]),
        "count": st.integers(-2, 9),
        "ratio": st.floats(0, 1e9),
        "sold": st.booleans(),
        "day": st.just("2022-03-08"),
        "at": st.just("2022-03-08T09:00:00+08:00"),
        "parts": st.lists(
            st.fixed_dictionaries({"name": st.text("ab")}, optional={"sizes": st.lists(st.integers(0, 5))})
        ),
    },
)
CHANGED = st.builds(
    lambda good, changes: {**good, **changes}, GOOD, st.dictionaries(NAMES, VALUES, max_size=2)
)


def expected(data: Any) -> bool:
    """What jsonschema says, but for the three places where a fact is stricter, which are written here by hand."""
    stricter = not any(
        (isinstance(value, float) and name in {"count", "sizes"})
        or (name == "ratio" and isinstance(value, int) and abs(value) > 2**53)
        for name, value in members(data)
    )
    return REFERENCE.is_valid(data) and stricter


def members(data: Any, name: str = "") -> list[tuple[str, Any]]:
    if isinstance(data, dict):
        return [found for key, value in data.items() for found in members(value, key)]
    if isinstance(data, list):
        return [found for value in data for found in members(value, name)]
    return [(name, data)]


@given(CHANGED | VALUES)
@example({"id": "a", "tags": ["a"], "count": True})
@example({"id": "a", "tags": ["a"], "ratio": 10**400})
@example({"id": "a", "tags": ["a"], "count": 1.0})
def test_what_jsonschema_lets_in_is_let_in_and_nothing_else(sample: FieldType, data: Any) -> None:
    """A float is no integer here even where it is whole, and a number must be one that a float can hold exactly."""
    _, problems = admit(sample, data)
    assert expected(data) == (not problems), problems


@given(CHANGED)
def test_what_is_let_in_despite_a_problem_is_without_the_problem(sample: FieldType, data: Any) -> None:
    """A value that does not fit is left out, so that rules see it as unknown; nothing else is."""
    fact, problems = admit(sample, data)
    gone = {problem.path.partition(".")[0].partition("[")[0] for problem in problems}
    assert set(data) - gone == set(fact) - gone
    assert not {
        problem.path for problem in problems if "." not in problem.path and "[" not in problem.path
    } & set(fact)


def test_a_moment_is_turned_to_utc_and_a_day_to_a_date(sample: FieldType) -> None:
    fact, problems = admit(
        sample, {"id": "a", "tags": ["a"], "at": "2022-03-08T09:00:00+08:00", "day": "2022-03-08"}
    )
    assert () == problems
    assert (datetime(2022, 3, 8, 1, tzinfo=UTC), date(2022, 3, 8)) == (fact["at"], fact["day"])
    assert UTC is fact["at"].tzinfo


@pytest.mark.parametrize(
    "text",
    [
        "2022-03-08T09:00:00",
        "2022-03-08",
        "20220308T090000+0800",
        "2022-W10-2T09:00:00+08:00",
        "0001-01-01T00:00:00+08:00",
        "9999-12-31T23:59:59-08:00",
        "2022-03-08T23:59:60Z",
        "2022-03-08T09:00:00+0800",
        "２０２２-03-08T09:00:00Z",
    ],
)
def test_a_moment_without_a_zone_or_one_no_zone_can_tell_is_refused(text: str) -> None:
    fact, (problem,) = admit(FieldType("datetime"), text)
    assert fact is None
    assert (
        Problem("", f"应是时间，这里是 {text!r}", "时间要带时区，例如 2022-03-08T09:00:00+08:00") == problem
    )


@pytest.mark.parametrize(
    "moment", [datetime(2022, 3, 8), datetime.max.replace(tzinfo=UTC), datetime.min.replace(tzinfo=UTC)]
)
def test_a_moment_made_by_an_adapter_is_held_to_the_same(moment: datetime) -> None:
    assert admit(FieldType("datetime"), moment)[0] is None


@pytest.mark.parametrize("text", ["2022-W10-1", "20220308", "2022-02-29", "2022-3-8", "２０２２-03-08", ""])
def test_a_day_is_written_in_one_way(text: str) -> None:
    assert admit(FieldType("date"), text)[0] is None
    assert admit(FieldType("date"), datetime(2022, 3, 8, tzinfo=UTC))[0] is None
    assert date(2022, 3, 8) == admit(FieldType("date"), date(2022, 3, 8))[0]


@pytest.mark.parametrize("data", [float("nan"), float("inf"), True, "1", 2**53 + 1, -(2**53) - 1, 10**400])
def test_a_number_that_no_float_holds_exactly_is_refused(data: Any) -> None:
    fact, (problem,) = admit(FieldType("number"), data)
    assert fact is None
    assert problem.message.startswith("应是小数")


def test_half_a_character_is_refused_and_named_in_words_that_can_be_written() -> None:
    """JSON's escapes can write half of a surrogate pair; no report could be written with it."""
    data = json.loads('{"id": "\\ud800", "\\udfff": 1, "tags": ["a"]}')
    root = load(ROOT / "rulesets.yaml").vocabulary.facts["shop"].type
    fact, problems = admit(root, data)
    assert {} == fact
    assert ["id", "\\udfff", "tags"] == [problem.path for problem in problems]
    json.dumps([problem.message + problem.hint for problem in problems], ensure_ascii=False).encode()


def test_a_value_of_any_depth_or_length_is_refused_in_one_short_line() -> None:
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]
    for data in (deep, {"a": deep}, "x" * 1_000_000, 10**100_000, b"x" * 100_000):
        _, (problem,) = admit(FieldType("boolean"), data)
        assert len(problem.message) < 100


def test_null_is_absent_and_an_absent_field_that_is_required_is_named(sample: FieldType) -> None:
    fact, problems = admit(sample, {"id": "a", "tags": None, "parts": [{"name": None}, None]})
    assert {"id": "a", "parts": [{}, None]} == fact
    assert [Problem("parts[0].name", "缺少必填的字段"), Problem("tags", "缺少必填的字段")] == list(problems)
    assert (None, ()) == admit(sample, None)


def test_an_unknown_key_is_named_with_what_may_have_been_meant(sample: FieldType) -> None:
    _, problems = admit(
        sample, {"id": "a", "tags": ["a"], "colr": "red", 5: 1, "parts": [{"name": "x", "nam": 1}]}
    )
    assert [
        Problem("colr", "没有这个字段", "是不是 colour？"),
        Problem("5", "没有这个字段", "可用字段：id、colour、count、ratio、sold、day、at、tags、parts"),
        Problem("parts[0].nam", "没有这个字段", "是不是 name？"),
    ] == list(problems)


def test_an_enum_value_and_a_bound_are_named_with_what_would_do(sample: FieldType) -> None:
    data = {"id": "abcde", "colour": "reed", "count": 10, "ratio": -1, "tags": []}
    _, problems = admit(sample, data)
    assert [
        ("id", "5个字 超出范围 1～4个字", ""),
        ("colour", "没有取值 'reed'", "是不是 red？"),
        ("count", "10 超出范围 -2～9", ""),
        ("ratio", "-1.0 超出范围 0～", ""),
        ("tags", "0个元素 超出范围 1～3个元素", ""),
    ] == [(problem.path, problem.message, problem.hint) for problem in problems]
