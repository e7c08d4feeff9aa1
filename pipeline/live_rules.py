"""Rules that are reloaded when their files change: checked first, swapped as a whole; a bad edit leaves the last good ones in force."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from engine.diagnostics import Diagnostic, render
from engine.rulebook import Rulebook, inspect, load

log = logging.getLogger("pipeline.rules")

LOOK = 1.0
"""Seconds between two looks at the files."""

Signature = tuple[tuple[str, int, int, int], ...]


@dataclass(frozen=True, slots=True)
class BadEdit:
    """Say why the files as they are now are not in force.

    Attributes:
        diagnostics: What is wrong with them, in order.
        text: The same for a screen: file:line:col, the line, a caret, a hint.
        places: The same for anyone, without what stands in the files: `file:line:col code message`, files as beside the manifest.
        seen_at: When it was seen first; aware.
    """

    diagnostics: tuple[Diagnostic, ...]
    text: str
    places: tuple[str, ...]
    seen_at: datetime


class LiveRules:
    """Give the rules in force.

    Args:
        manifest: Path of `rulesets.yaml`.
        look: Seconds between two looks at the files; 0 to look each time.

    Attributes:
        manifest: The manifest.

    Raises:
        RulebookError: The rules have mistakes from the beginning: then there is nothing to go on with.
    """

    def __init__(
        self, manifest: Path, look: float = LOOK, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.manifest = manifest
        self._look = look
        self._clock = clock
        self._lock = threading.Lock()
        self._looked = clock()
        self._rulebook = load(manifest)
        self._loaded_at = datetime.now(UTC)
        self._watched = _files(manifest, self._rulebook)
        self._read = self._seen = _signature(self._watched)
        self._bad: BadEdit | None = None

    @property
    def loaded_at(self) -> datetime:
        """When the rules in force were loaded; aware."""
        return self._loaded_at

    @property
    def bad_edit(self) -> BadEdit | None:
        """What keeps the files as they are now from being in force; None where they are."""
        return self._bad

    def current(self) -> Rulebook:
        """Give the rules in force, after a look at the files where one is due.

        Whoever answers one question with several evaluations asks once, and so answers by one version.
        """
        if self._clock() - self._looked >= self._look and self._lock.acquire(blocking=False):
            try:
                self._looked = self._clock()
                self._refresh()
            finally:
                self._lock.release()
        return self._rulebook

    def _refresh(self) -> None:
        """Load the files if they have changed, and lie as they lay at the look before: an editor may be halfway through."""
        seen, before = _signature(self._watched), self._seen
        self._seen = seen
        if seen == self._read or (seen != before and self._look > 0):
            return
        try:
            rulebook, diagnostics = inspect(self.manifest)
        except OSError as error:
            log.warning("规则文件暂时读不到：%s", error.strerror)
            return
        except Exception:
            text = f"读规则时程序出错，已记入日志，继续使用 {self._loaded_at.isoformat()} 载入的版本"
            log.exception("%s", text)
            self._read, self._bad = seen, BadEdit((), text, (text,), datetime.now(UTC))
            return
        if _signature(self._watched) != seen:
            return  # changed while it was read: the next look sees to it
        self._watched = _files(self.manifest, rulebook) | _files(self.manifest, self._rulebook)
        self._read = self._seen = _signature(self._watched)
        if diagnostics.failed:
            found = diagnostics.in_order()
            text, places = render(found, rulebook.sources), _places(found, self.manifest.parent)
            self._bad = BadEdit(tuple(found), text, places, datetime.now(UTC))
            log.error("规则有误，继续使用 %s 载入的版本：\n%s", self._loaded_at.isoformat(), self._bad.text)
            return
        self._rulebook, self._loaded_at, self._bad = rulebook, datetime.now(UTC), None
        log.info("规则已更新：%s", {item.name: item.version for item in rulebook.rulesets()})


def _files(manifest: Path, rulebook: Rulebook) -> frozenset[Path]:
    """Give the manifest, the files that were read, and their folders, where a new fact is a new file."""
    read = {manifest.parent / name for name in rulebook.sources}
    return frozenset({manifest, *read, *(path.parent for path in read)})


def _places(found: list[Diagnostic], folder: Path) -> tuple[str, ...]:
    return tuple(
        f"{str(item.span).removeprefix(f'{folder}/')} {item.code} {item.message}"
        for item in found
        if item.span is not None
    )


def _signature(watched: frozenset[Path]) -> Signature:
    """Tell the state of files and folders: name, times of change, size; -1 where there is none.

    The second time can't be set back, as a copy that keeps the time of its original does with the first.
    """
    found = []
    for path in sorted(watched):
        try:
            stat = path.stat()
        except OSError:
            found.append((str(path), -1, -1, -1))
        else:
            found.append((str(path), stat.st_mtime_ns, stat.st_ctime_ns, stat.st_size))
    return tuple(found)
