"""Tables of text for a terminal, in columns that stay straight under Chinese."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from engine.source import columns_wide


def aligned(rows: Sequence[Sequence[str]], right: Collection[int] = ()) -> Iterator[str]:
    """Draw rows in columns, two blanks apart.

    Args:
        rows: The cells, as many in each row; the header is a row like any other.
        right: Positions of the columns that are set to the right, 0-based.

    Yields:
        A line for each row, without blanks at its end.

    Examples:
        >>> list(aligned([("规则", "次"), ("a", "12")], right={1}))
        ['规则  次', 'a     12']
    """
    widths = [max(columns_wide(text) for text in column) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = []
        for place, (text, width) in enumerate(zip(row, widths, strict=True)):
            blanks = " " * (width - columns_wide(text))
            cells.append(blanks + text if place in right else text + blanks)
        yield "  ".join(cells).rstrip()
