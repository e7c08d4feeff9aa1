"""JSON lines: each read by itself, and each mistake named by its line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from engine.rulebook import load
from engine.vocabulary import Vocabulary
from pipeline import catalogue
from pipeline.catalogue import InputError, Line, read_lines

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    return load(ROOT / "rulesets.yaml").vocabulary


def lines(folder: Path, vocabulary: Vocabulary, content: bytes) -> list[Line]:
    file = folder / "p.jsonl"
    file.write_bytes(content)
    return list(read_lines(file, vocabulary))


def told(line: Line) -> list[tuple[str, str]]:
    return [(item.code, item.message) for item in line.problems]


def test_blank_lines_are_passed_over_and_line_numbers_stay_those_of_the_file(
    tmp_path: Path, vocabulary: Vocabulary
) -> None:
    found = lines(tmp_path, vocabulary, b'\xef\xbb\xbf{"id": "1"}\r\n\n   \n{"id": "2"}')
    assert [(1, {"id": "1"}), (4, {"id": "2"})] == [(line.number, line.fact) for line in found]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            b"{broken",
            "不是一行 JSON：Expecting property name enclosed in double quotes: line 1 column 2 (char 1)",
        ),
        (b"[1, 2]", "应是 JSON 对象，这里是 列表"),
        (b"5", "应是 JSON 对象，这里是 5"),
        (b'"\xff"', "不是 UTF-8（第 2 个字节 0xFF）"),
        (b"[" * 100_000, "JSON 嵌套太深"),
        (b'{"item_id": -5}', None),
        (b'{"item_id": 5, "title": {"a": []}}', None),
    ],
)
def test_a_line_that_is_no_product_is_named_and_the_next_one_read(
    tmp_path: Path, vocabulary: Vocabulary, content: bytes, message: str | None
) -> None:
    broken, good = lines(tmp_path, vocabulary, content + b'\n{"id": "2"}\n')
    ((code, said),) = told(broken)
    assert ("SG0801", None, 1) == (code, broken.fact, broken.number)
    assert message is None or message == said
    assert ({"id": "2"}, 2) == (good.fact, good.number)


@pytest.mark.parametrize("depth", range(880, 1000, 7))
def test_nesting_just_within_the_depth_of_json_is_refused_in_words_too(
    tmp_path: Path, vocabulary: Vocabulary, depth: int
) -> None:
    deep = b"[" * depth + b"]" * depth
    for line in lines(
        tmp_path, vocabulary, b'{"id": ' + deep + b"}\n" + b'{"item_id": 1, "title": ' + deep + b"}\n"
    ):
        assert line.problems


def test_a_line_without_end_is_named_without_being_read_whole(
    tmp_path: Path, vocabulary: Vocabulary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalogue, "MOST_LINE", 1048576)
    content = b"x" * 5_000_000 + b'\n{"id": "2"}\n' + b" " * 1048573 + b"{}" + b'\n{"id": "4"}'
    first, second, third, fourth = lines(tmp_path, vocabulary, content)
    assert [("SG0801", "一行超过 1 MB")] == told(first)
    assert [(2, {"id": "2"}), (4, {"id": "4"})] == [(line.number, line.fact) for line in (second, fourth)]
    assert (3, {}) == (third.number, third.fact)


@pytest.mark.parametrize(
    ("data", "is_listing", "fact", "problems"),
    [
        ({"id": "1", "titel": "x"}, False, {"id": "1"}, ["字段 titel：没有这个字段"]),
        ({"id": 1}, False, {}, ["字段 id：应是文字，这里是 1"]),
        (
            {"row": {"product_id": "1"}, "product": 5},
            True,
            {"row": {"product_id": "1"}},
            ["字段 product：应是一组字段，这里是 5"],
        ),
        ({"shop": {"id": "1"}}, True, {"shop": {"id": "1"}}, ["字段 row：缺少必填的字段"]),
        ({}, False, {}, ["字段 id：缺少必填的字段"]),
    ],
)
def test_a_fact_is_told_from_a_payload_by_its_keys_and_its_mistakes_are_named(
    tmp_path: Path, vocabulary: Vocabulary, data: Any, is_listing: bool, fact: Any, problems: list[str]
) -> None:
    (line,) = lines(tmp_path, vocabulary, json.dumps(data).encode())
    assert (is_listing, fact) == (line.is_listing, line.fact)
    assert problems == [message for _, message in told(line)]


def test_a_payload_is_brought_into_the_form_of_a_fact(vocabulary: Vocabulary) -> None:
    first = next(iter(read_lines(ROOT / "examples" / "products.jsonl", vocabulary)))
    assert first.fact is not None
    assert isinstance(first.fact["id"], str)
    assert not first.is_listing


def test_a_file_that_cannot_be_opened_is_an_error_of_ours(tmp_path: Path, vocabulary: Vocabulary) -> None:
    for path in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(InputError) as caught:
            list(read_lines(path, vocabulary))
        assert (str(path), "检查路径与权限") == (caught.value.file, caught.value.hint)
        assert str(path) in caught.value.message
