"""Keep secrets out of whatever is shown."""

from __future__ import annotations

from collections.abc import Iterable

MASK = "***"


class Redactor:
    """Blank out known secrets in text.

    Texts shorter than four characters are left alone: blanking them would blank ordinary words.
    """

    __slots__ = ("_secrets",)

    def __init__(self, secrets: Iterable[str]) -> None:
        self._secrets = {secret for secret in secrets if len(secret) >= 4}

    def add(self, secret: str) -> None:
        """Remember one more secret, such as a token that was just granted."""
        if len(secret) >= 4:
            self._secrets = self._secrets | {secret}

    def __call__(self, text: str) -> str:
        """Return the text with every known secret replaced, longest first."""
        for secret in sorted(self._secrets, key=len, reverse=True):
            text = text.replace(secret, MASK)
        return text

    def __repr__(self) -> str:
        return f"Redactor({len(self._secrets)} secrets)"
