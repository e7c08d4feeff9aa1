"""Query parameters are read by their type, and refused where they are not what they should be."""

from __future__ import annotations

from typing import Any

import pytest
from werkzeug.datastructures import MultiDict

from api.problems import Problem
from api.routes import Route
from api.schemas import array, boolean, integer, moment, text

QUERY = {
    "limit": integer("几个", minimum=1, maximum=500, default=50),
    "all": boolean("全部"),
    "state": array({"enum": ["done", "failed"]}, "状态"),
    "since": moment("从"),
    "name": text("名字", **{"x-required": True}),
}
ROUTE = Route("GET", "/things/{thing_id}/parts/{part}", lambda ask: None, "东西", None, {}, query=QUERY)


def read(*given: tuple[str, str]) -> dict[str, Any]:
    return ROUTE.read_query(MultiDict([("name", "a"), *given]))


def wrong(*given: tuple[str, str]) -> list[str]:
    with pytest.raises(Problem) as caught:
        ROUTE.read_query(MultiDict(list(given)))
    assert "invalid" == caught.value.kind.name
    return sorted(f"{item.pointer} {item.message}" for item in caught.value.mistakes)  # type: ignore[union-attr]


def test_parameters_have_their_types_and_defaults() -> None:
    assert {"limit": 50, "name": "a"} == read()
    assert {"limit": 7, "all": True, "state": ["done", "failed"], "name": "a"} == read(
        ("limit", "7"), ("all", "true"), ("state", "done"), ("state", "failed")
    )


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (("limit", "0"), "query:limit 0 太小，最小是 1"),
        (("limit", "501"), "query:limit 501 太大，最大是 500"),
        (("limit", "x"), "query:limit 应是整数，这里是 'x'"),
        (("limit", ""), "query:limit 应是整数，这里是 ''"),
        (("limit", "1.0"), "query:limit 应是整数，这里是 '1.0'"),
        (("limit", "１"), "query:limit 应是整数，这里是 '１'"),
        (("limit", "9" * 30), f"query:limit 应是整数，这里是 '{'9' * 30}'"),
        (("all", "yes"), "query:all 应是是/否，这里是 'yes'"),
        (("all", "True"), "query:all 应是是/否，这里是 'True'"),
        (("state", "lost"), "query:state/0 没有取值 'lost'"),
        (("since", "2022-03-08"), "query:since '2022-03-08' 不是 date-time"),
        (("nmae", "a"), "query:nmae 没有这一项：'nmae'"),
        (("name", "b"), "query:name 只能写一次，这里写了 2 次"),
        (("since", "\0"), "query:'since' 含有无法保存的字符（U+0000）"),
    ],
)
def test_a_parameter_that_is_not_what_it_should_be_is_named(given: tuple[str, str], expected: str) -> None:
    assert expected in wrong(("name", "a"), given)


def test_all_of_them_are_named() -> None:
    assert ["query:limit 0 太小，最小是 1", "query:name 缺少这一项", "query:x 没有这一项：'x'"] == wrong(
        ("limit", "0"), ("x", "1")
    )


def test_a_path_is_written_as_the_framework_wants_it() -> None:
    assert ("/things/<thing_id>/parts/<part>", ["thing_id", "part"]) == (ROUTE.rule, ROUTE.parameters)
