"""What is wrong with a request is said in our words, at its place, with what to send instead."""

from __future__ import annotations

from typing import Any

import pytest

from api.schemas import (
    Checker,
    array,
    boolean,
    component,
    fact_components,
    integer,
    moment,
    or_null,
    record,
    text,
)
from engine.rulebook import find_manifest, load

SAMPLE = record(
    "样品",
    {
        "name": text("名字", minLength=2, maxLength=4, pattern="^[a-z]+$"),
        "count": integer("几个", minimum=0, maximum=9),
        "sold": boolean("卖了"),
        "at": moment("何时"),
        "colour": {"enum": ["red", "blue"]},
        "tags": array(text("标签"), "标签", minItems=1, maxItems=2, uniqueItems=True),
        "maybe": or_null(integer("几个")),
        "inner": component("inner"),
        "free": {"type": "object", "propertyNames": {"pattern": "^[a-z]+$"}, "minProperties": 1},
    },
    optional=("count", "sold", "at", "colour", "tags", "maybe", "inner", "free"),
)
INNER = {"inner": record("里面", {"a/b": integer("一")})}


def said(value: Any) -> list[tuple[str, str, str]]:
    found = Checker(SAMPLE, INNER).mistakes(value)
    return [(item.pointer, item.message, item.hint) for item in found]


def test_what_fits_has_no_mistakes() -> None:
    good = {
        "name": "abc", "count": 9, "sold": True, "at": "2022-03-08T09:00:00+08:00", "colour": "red", "tags": ["a"],
        "maybe": None, "inner": {"a/b": 1}, "free": {"a": 1},
    }  # fmt: skip
    assert [] == said(good)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"name": 5}, ("/name", "应是文字，这里是 5", "")),
        ({"name": None}, ("/name", "应是文字，这里是 null", "")),
        ({"name": True}, ("/name", "应是文字，这里是 true", "")),
        ({"name": ["x"]}, ("/name", "应是文字，这里是 列表（1 项）", "")),
        ({"name": "a"}, ("/name", "'a' 太短，至少 2 个字符", "")),
        ({"name": "abcde"}, ("/name", "'abcde' 太长，最多 4 个字符", "")),
        ({"name": "AB"}, ("/name", "'AB' 的写法不对", "应符合 ^[a-z]+$")),
        ({"count": -1}, ("/count", "-1 太小，最小是 0", "")),
        ({"count": 10**70}, ("/count", "超过 60 位的数 太大，最大是 9", "")),
        ({"count": 1.5}, ("/count", "应是整数，这里是 1.5", "")),
        ({"sold": "yes"}, ("/sold", "应是是/否，这里是 'yes'", "")),
        ({"at": "昨天"}, ("/at", "'昨天' 不是 date-time", "例如 2022-03-08T09:00:00+08:00")),
        ({"at": "2022-03-08T09:00:00"}, ("/at", "'2022-03-08T09:00:00' 不是 date-time", "例如 2022-03-08T09:00:00+08:00")),
        ({"colour": "rot"}, ("/colour", "没有取值 'rot'", "可用的有 red、blue")),
        ({"tags": []}, ("/tags", "列表（0 项） 太少，至少 1 项", "")),
        ({"tags": ["a", "b", "c"]}, ("/tags", "列表（3 项） 太多，最多 2 项", "")),
        ({"tags": ["a", "a"]}, ("/tags", "列表（2 项） 里有重复的", "")),
        ({"tags": ["a", 1]}, ("/tags/1", "应是文字，这里是 1", "")),
        ({"maybe": "x"}, ("/maybe", "应是空或整数，这里是 'x'", "")),
        ({"inner": {}}, ("/inner/a~1b", "缺少这一项", "")),
        ({"inner": {"a/b": "x"}}, ("/inner/a~1b", "应是整数，这里是 'x'", "")),
        ({"nmae": 1}, ("/nmae", "没有这一项：'nmae'", "是不是 name？")),
        ({"free": {"A": 1}}, ("/free/A", "'A' 的写法不对", "应符合 ^[a-z]+$")),
        ({"free": {}}, ("/free", "一组字段（0 项） 太少，至少 1 项", "")),
    ],
)  # fmt: skip
def test_a_mistake_says_where_what_was_found_and_what_was_wanted(
    change: dict[str, Any], expected: tuple[str, str, str]
) -> None:
    assert [expected] == said({"name": "abc"} | change)


def test_every_mistake_is_named() -> None:
    found = said({"count": "x", "sold": 1, "zzz": 1})
    assert ["/count", "/name", "/sold", "/zzz"] == sorted(pointer for pointer, _, _ in found)


def test_what_the_library_says_itself_is_never_shown() -> None:
    for wrong in ({}, [], None, 1, {"name": 1, "x": 1}, {"name": "a" * 5, "inner": {"a/b": None}}):
        for pointer, message, hint in said(wrong):
            assert not any(word in f"{pointer}{message}{hint}" for word in ("required", "is not", "does not"))


@pytest.mark.parametrize(
    ("depth", "expected"),
    [(200, "应是一组字段，这里是 列表（1 项）"), (300, "嵌套太深"), (2000, "嵌套太深")],
)
def test_lists_in_lists_beyond_the_library_s_depth_are_a_mistake(depth: int, expected: str) -> None:
    deep: Any = []
    for _ in range(depth):
        deep = [deep]
    assert [expected] == [item.message for item in Checker({"type": "object"}, {}).mistakes(deep)]


def test_a_reference_to_elsewhere_is_not_fetched() -> None:
    with pytest.raises(ValueError, match="(?i)offline|retriev|resolv|ref"):
        Checker({"$ref": "http://127.0.0.1:9/x.json"}, {}).mistakes({})


def test_facts_become_components_that_lead_to_each_other() -> None:
    vocabulary = load(find_manifest()).vocabulary
    found = fact_components(vocabulary)
    assert {"listing", "order", "after_sale", "shop", "actor", "product"} <= set(found)
    checker = Checker(component("listing"), found)
    assert [] == checker.mistakes({**vocabulary.facts["listing"].example})
    assert [] == checker.mistakes({"row": {"product_id": "1", "brand_id": None}})
    assert ["/row/brand_id"] == [
        item.pointer for item in checker.mistakes({"row": {"product_id": "1", "brand_id": 5}})
    ]


def test_a_choice_that_may_be_null_may() -> None:
    checker = Checker(or_null({"type": "string", "enum": ["a"]}), {})
    assert [] == checker.mistakes(None)
    assert [] != checker.mistakes("b")
    either = Checker(or_null({"enum": ["a"]}), {})
    assert [] == either.mistakes(None)
