"""The dialect of patterns: what is in it means the same to Python and to RE2; all else is refused where it stands."""

from __future__ import annotations

import re
import time

import pytest
import re2

from engine.patterns import PatternError, check_pattern, matcher

TEXTS = [
    "",
    "a",
    "A",
    "ab",
    "a\n",
    "\n",
    "红",
    "红蓝",
    "𠮷",
    "😀",
    "0",
    "٣",
    "12",
    "1.5",
    "a.b",
    "a-b",
    "]",
    "^",
    "\\",
    "aaa",
    "é",
    "e\u0301",
    " ",
    "\u3000",
    "x/y",
    "{2}",
]


@pytest.mark.parametrize(
    "pattern",
    [
        "a", ".", ".*", "a.b", "a\\.b", "[0-9]+", "[0-9A-Za-z一-龥]*", "[^0-9]*", "[^红]+", "(a|b)+", "(?:红|蓝)*", "a|ab|", "a{2}", "a{0,2}",
        "a{1,}", "[a-]+", "[\\^\\]]+", "\\^", "\\\\", "[-a]b?", "𠮷", "[𠀀-𯿿]", "😀?", "a\\-b", "(a(b)?)+", "\\{2\\}", "[.]", "[+*?]",
    ],
)  # fmt: skip
def test_a_pattern_of_the_dialect_means_the_same_to_both(pattern: str) -> None:
    check_pattern(pattern)
    for text in TEXTS:
        expected = re.fullmatch(pattern, text) is not None
        assert expected is (re2.fullmatch(pattern, text) is not None), text
        assert expected is (matcher(pattern)(text) is not None), text


@pytest.mark.parametrize(
    ("pattern", "position"),
    [
        ("\\d+", 0), ("a\\w", 1), ("\\s", 0), ("a\\b", 1), ("^a", 0), ("a$", 1), ("(?i)a", 0), ("a(?=b)", 1), ("(?P<n>a)", 0), ("a*?", 2), ("a++", 2),
        ("a**", 2), ("*a", 0), ("a|*", 2), ("(a", 0), ("a)", 1), ("[a", 0), ("a]", 1), ("a}", 1), ("a{2", 1), ("a{3,2}", 1), ("a{1001}", 1), ("[b-a]", 1),
        ("[[:alpha:]]", 1), ("\\1", 0), ("\\x41", 0), ("\\u7ea2", 0), ("a\\", 1), ("[a&&b]", 2), ("\\pL", 0), ("\\红", 0), ("[\\d]", 1),
    ],
)  # fmt: skip
def test_what_is_outside_the_dialect_is_refused_where_it_stands(pattern: str, position: int) -> None:
    with pytest.raises(PatternError) as caught:
        check_pattern(pattern)
    assert position == caught.value.position
    assert caught.value.message


@pytest.mark.parametrize(
    "pattern",
    ["(a*)*b", "(a|a)*b", "(a|aa)+b", "([a-z]+)*1", "(.*)(.*)(.*)b", "a*a*a*b", "a{0,900}a{0,900}b"],
)
def test_no_pattern_takes_more_than_linear_time(pattern: str) -> None:
    """A backtracking engine would take longer than the universe has for the first of these."""
    text = "a" * 20_000
    started = time.process_time()
    assert matcher(pattern)(text) is None
    assert time.process_time() - started < 5
