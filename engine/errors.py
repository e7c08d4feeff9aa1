"""The one base of every error that Shelfgate raises on purpose."""

from __future__ import annotations


class ShelfgateError(Exception):
    """Say what went wrong in words a caller can show to a person.

    Attributes:
        message: What was found, where, and what to do, in Chinese.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
