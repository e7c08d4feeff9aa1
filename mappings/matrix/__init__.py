"""The matrix as people and machines read it: one file for each format, listed here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from mappings.matrix import csv, html, markdown, text
from mappings.matrix._page import Page, page_of

__all__ = ["FORMATS", "Format", "Page", "page_of"]


class Format(Protocol):
    """Be the module of a format."""

    NAME: str

    def render(self, page: Page) -> str:
        """Write the whole page."""
        ...


_MODULES: tuple[Format, ...] = (text, csv, html, markdown)
FORMATS: Mapping[str, Format] = {module.NAME: module for module in _MODULES}
