"""A progress bar on a terminal; nothing where there is none, so that logs stay plain."""

from __future__ import annotations

import sys
import time
from types import TracebackType

import click

_WIDTH = 30


class Bar:
    """Show how many rows are done, at what rate, and how long the rest may take."""

    def __init__(self, *, shown: bool | None = None) -> None:
        """Prepare the bar.

        Args:
            shown: Whether to show it; None to show it where the error stream is a terminal.
        """
        self._shown = sys.stderr.isatty() if shown is None else shown
        self._began = time.monotonic()
        self._used = False

    def __enter__(self) -> Bar:
        """Begin counting time."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the last state standing and go to a new line."""
        if self._used:
            click.echo("", err=True)

    def show(self, done: int, total: int) -> None:
        """Draw the bar.

        Args:
            done: Rows that are done.
            total: Rows there are; 0 where that is not known.
        """
        if not self._shown:
            return
        self._used = True
        rate = done / max(time.monotonic() - self._began, 1e-6)
        text = f"{done:,} 行，{rate:,.0f} 行/秒"
        if total:
            filled = _WIDTH * done // total
            left = (total - done) / max(rate, 1e-6)
            text = f"[{'#' * filled}{'-' * (_WIDTH - filled)}] {done * 100 // total:3d}%  {done:,}/{total:,} 行，{rate:,.0f} 行/秒，剩余 {left:.0f} 秒"
        click.echo(f"\r{text}  ", err=True, nl=False)
