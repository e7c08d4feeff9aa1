"""Results as people and machines read them: one file for each format, found by its name in this folder."""

from __future__ import annotations

import importlib
import pkgutil
from typing import BinaryIO, Protocol, cast

from mappings.report._entries import Entry, cell_for, entries_of
from mappings.report._records import CheckedRow, Report, RuleCount, Summary, unreadable

__all__ = [
    "CheckedRow",
    "Entry",
    "Format",
    "Report",
    "RuleCount",
    "Summary",
    "cell_for",
    "entries_of",
    "formats",
    "unreadable",
]


class Format(Protocol):
    """What a file of this folder has.

    Attributes:
        NAME: Name of the format, as of the file.
        SUFFIX: Extension of a file in the format, with its dot.
        MEDIA: Its media type, with the encoding of text.
    """

    NAME: str
    SUFFIX: str
    MEDIA: str

    def write(self, report: Report, out: BinaryIO) -> None:
        """Write the whole report; the rows are used up and the summary is complete afterwards."""


def formats() -> dict[str, Format]:
    """Find every format by its name, in alphabetical order.

    Examples:
        >>> list(formats())
        ['csv', 'github', 'json', 'junit', 'sarif', 'text', 'xlsx']
    """
    found: dict[str, Format] = {}
    for info in pkgutil.iter_modules(__path__):
        if info.name.startswith("_"):
            continue
        module = cast("Format", importlib.import_module(f"{__name__}.{info.name}"))
        assert info.name == module.NAME, f"{info.name}.py names itself {module.NAME}"
        found[info.name] = module
    return found
