"""Names nearest to a word: likely ones first, none that is not like it, and never taken for the word itself."""

from __future__ import annotations

import pytest

from engine.tables import Tables
from mappings.nearest import LEAST, Name, Names, likeness, names_in, nearest, plain_name

SPECS = [
    Name("颜色", "30001"),
    Name("尺码", "30002"),
    Name("尺寸", "30006"),
    Name("净含量", "30004"),
    Name("款式", "30007"),
]
CATEGORIES = [
    {"id": "6033", "name": "服饰鞋包", "level": 1, "leaf": False, "path": "服饰鞋包"},
    {
        "id": "6057",
        "name": "服饰配件",
        "parent_id": "6033",
        "level": 2,
        "leaf": False,
        "path": "服饰鞋包/服饰配件",
    },
    {
        "id": "6091",
        "name": "围巾",
        "parent_id": "6057",
        "level": 3,
        "leaf": True,
        "path": "服饰鞋包/服饰配件/围巾",
    },
    {
        "id": "6092",
        "name": "帽子",
        "parent_id": "6057",
        "level": 3,
        "leaf": True,
        "path": "服饰鞋包/服饰配件/帽子",
    },
    {"id": "6200", "name": "围巾", "parent_id": "6150", "level": 3, "leaf": True, "path": "母婴/童装/围巾"},
]


def shown(word: str, names: list[Name]) -> list[str]:
    return [str(found) for found in nearest(word, names)]


@pytest.mark.parametrize(
    ("word", "first"),
    [
        ("色颜", "颜色 [30001]"),
        ("颜　色", "颜色 [30001]"),
        ("颜色分类", "颜色 [30001]"),
        ("尺玛", "尺码 [30002]"),
        ("含量", "净含量 [30004]"),
        ("款 式", "款式 [30007]"),
    ],
)
def test_a_slip_of_a_spec_name_finds_the_name_that_was_meant(word: str, first: str) -> None:
    assert first == shown(word, SPECS)[0]


def test_a_word_unlike_every_name_finds_none() -> None:
    assert [] == shown("保质期", SPECS)
    assert [] == shown("", SPECS)
    assert [] == nearest("颜色", [])


@pytest.mark.parametrize("word", ["Ｎike 耐克", "nike耐克", "NIKE\u3000耐克", "NIKE\u200b 耐克"])
def test_width_case_and_blanks_make_no_difference(word: str) -> None:
    (found,) = nearest(word, [Name("Nike 耐克", "7001")])
    assert ("7001", 1.0, True) == (found.id, found.score, found.certain)


def test_a_name_that_two_entries_share_is_not_certain() -> None:
    """Two categories are called 围巾: the word alone does not tell which."""
    found = names_in(Tables({"categories": CATEGORIES}), "categories").nearest("围巾", limit=3)
    assert [("6091", 1.0, False), ("6200", 1.0, False)] == [
        (item.id, item.score, item.certain) for item in found[:2]
    ]


@pytest.mark.parametrize(
    "word", ["服饰鞋包/服饰配件/围巾", "服饰鞋包 > 服饰配件 > 围巾", "服饰鞋包＞服饰配件＞围巾"]
)
def test_a_whole_path_is_certain_however_its_steps_are_parted(word: str) -> None:
    found = names_in(Tables({"categories": CATEGORIES}), "categories").nearest(word)[0]
    assert ("6091", True) == (found.id, found.certain)


def test_only_leaves_are_proposed_as_categories() -> None:
    """R13: nothing can be listed under a branch."""
    found = names_in(Tables({"categories": CATEGORIES}), "categories").nearest("服饰配件", limit=5)
    assert {"6091", "6092"} >= {item.id for item in found}


@pytest.mark.parametrize(
    ("digits", "ids"),
    [
        ("30010", ["30001"]),
        ("3001", ["30001"]),
        ("300001", ["30001"]),
        ("30009", ["30001", "30002", "30006"]),
        ("40009", []),
        ("30001", ["30002", "30006", "30004"]),
    ],
)
def test_an_id_one_slip_away_is_found(digits: str, ids: list[str]) -> None:
    """One digit wrong, missing or too many, or two neighbours exchanged; never the id itself."""
    assert ids == [found.id for found in Names(SPECS).by_id(digits)]


def test_likeness_is_the_same_both_ways_and_whole_only_for_equals() -> None:
    words = ["颜色", "色颜", "颜色分类", "尺码", "s码", "", "码"]
    for one in words:
        for other in words:
            score = likeness(one, other)
            assert likeness(other, one) == score
            assert 0 <= score <= 1
            assert (score == 1) == (one == other)


def test_at_most_as_many_as_asked_for_and_in_order() -> None:
    names = [Name(f"颜色{letter}", letter) for letter in "abcdef"]
    found = nearest("颜色", names, limit=4)
    assert 4 == len(found)
    assert sorted((item.score for item in found), reverse=True) == [item.score for item in found]
    assert all(item.score >= LEAST for item in found)


def test_the_one_is_found_among_thousands_of_categories() -> None:
    rows = [
        {
            "id": str(n),
            "name": f"类目{n}",
            "level": 3,
            "leaf": True,
            "path": f"一级{n % 30}/二级{n % 300}/类目{n}",
        }
        for n in range(8000)
    ]
    names = names_in(Tables({"categories": rows}), "categories")
    assert "4321" == names.nearest("类目4321")[0].id


def test_a_very_long_word_is_no_burden() -> None:
    assert [] == nearest("无" * 1_000_000, SPECS)


def test_plain_names_have_no_blanks_and_one_kind_of_step() -> None:
    assert "a/b/c" == plain_name(" Ａ > b ／\tC ")
