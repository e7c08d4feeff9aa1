"""Text of a rule file and places in it."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Name a stretch of a text file.

    Attributes:
        file: Path as the user gave it.
        start_line: First line, 1-based.
        start_col: First column, 1-based, in characters (code points).
        end_line: Last line, 1-based.
        end_col: Column after the last character, 1-based, in characters.
    """

    file: str
    start_line: int
    start_col: int
    end_line: int
    end_col: int

    def __str__(self) -> str:
        """Write the span as editors and terminals know it: file:line:column."""
        return f"{self.file}:{self.start_line}:{self.start_col}"


@dataclass(frozen=True, slots=True)
class Source:
    """Hold one text file by lines.

    Attributes:
        file: Path as the user gave it.
        text: The whole text, without a byte order mark.
        lines: The text by lines, without line ends; index 0 is line 1.
    """

    file: str
    text: str
    lines: tuple[str, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Split the text once, the way YAML counts lines."""
        normal = self.text.replace("\r\n", "\n").replace("\r", "\n")
        object.__setattr__(self, "lines", tuple(normal.split("\n")))

    def line(self, number: int) -> str:
        """Give one line by its 1-based number; empty where there is none."""
        return self.lines[number - 1] if 0 < number <= len(self.lines) else ""


def columns_wide(text: str) -> int:
    """Count the terminal columns that a text takes: two for wide characters, none for combining ones.

    Examples:
        >>> columns_wide("at_most"), columns_wide("规格")
        (7, 4)
    """
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1
        for char in text
    )
