"""Watch everything that the product puts out while the tests run, and remember where something personal stands that may not (R25, R26, R28, R29, R31).

Watched are the responses of the service, whoever asks, in this process or in one that a test starts; what commands say; log records at
DEBUG; and at the end every file that was written, with workbooks unpacked and databases as they lie on the disk.
"""

from __future__ import annotations

import gzip
import io
import json
import logging
import os
import re
import subprocess
import threading
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

from tests.privacy import markers

LEAKS_FILE = "SHELFGATE_TESTS_LEAKS"
"""Names the file in which processes that a test starts note what they find."""

SITE = Path(__file__).with_name("site")
ROOT = Path(__file__).resolve().parents[2]
LOGGERS = ("api", "channels", "cli", "engine", "mappings", "pipeline", "httpx", "waitress")
SANDBOXES = ("huiju-sandbox", "youzan-sandbox")
_ESCAPED = re.compile(r"\\u([0-9a-fA-F]{4})")


@dataclass(frozen=True, order=True)
class Leak:
    """Something personal where it may not stand.

    Attributes:
        output: `http`, `command`, `log` or `file`.
        where: The request, the command, the logger or the file.
        field: The kind of field.
        value: The made-up value.
        test: The test during which it was seen.
    """

    output: str
    where: str
    field: str
    value: str
    test: str

    def __str__(self) -> str:
        return f"{self.output} {self.where}: {self.field} {self.value} ({self.test})"


class Watch:
    """Look at outputs and keep the leaks. Safe to share between threads."""

    def __init__(self) -> None:
        self.leaks: set[Leak] = set()
        self.looked = dict.fromkeys(("http", "command", "log", "file"), 0)
        self._lock = threading.Lock()

    def look(self, output: str, where: str, content: str | bytes) -> None:
        """Look at one output."""
        test = os.environ.get("PYTEST_CURRENT_TEST", "").partition(" ")[0]
        leaks = {
            Leak(output, where, field, value, test)
            for text in texts(content)
            for field, value in markers.found(text)
            if not markers.allowed(output, where, field)
        }
        with self._lock:
            self.looked[output] += 1
            self.leaks |= leaks

    def look_at_folder(self, folder: Path, but: Callable[[Path], bool] = lambda _path: False) -> None:
        """Look at every file below a folder, but for those left out by their path in it."""
        for path in sorted(folder.rglob("*")):
            inside = path.relative_to(folder)
            if path.is_file() and not path.is_symlink() and not but(inside):
                with suppress(OSError):
                    self.look("file", inside.as_posix(), path.read_bytes())

    def as_data(self) -> dict[str, Any]:
        """Give what was seen as plain data, for the process that tells it."""
        return {"leaks": [list(astuple(leak)) for leak in self.leaks], "looked": self.looked}

    def add(self, data: dict[str, Any]) -> None:
        """Take over what another process saw."""
        self.leaks |= {Leak(*leak) for leak in data["leaks"]}
        for output, count in data["looked"].items():
            self.looked[output] += count

    def read_notes(self, file: Path) -> None:
        """Take over what other processes have noted."""
        if file.exists():
            self.leaks |= {Leak(*json.loads(line)) for line in file.read_text("utf-8").splitlines()}

    def write_notes(self, file: Path) -> None:
        """Note the leaks for another process, and forget them."""
        with self._lock:
            lines = "".join(json.dumps(astuple(leak)) + "\n" for leak in self.leaks)
            self.leaks.clear()
        if lines:
            with file.open("a", encoding="utf-8") as notes:
                notes.write(lines)


def texts(content: str | bytes) -> Iterator[str]:
    """Give the texts in an output: as it is, with JSON's escapes undone, and unpacked where it is packed."""
    if isinstance(content, bytes):
        if content.startswith(b"\x1f\x8b"):
            with suppress(OSError, EOFError):
                yield from texts(gzip.decompress(content))
        elif content.startswith(b"PK\x03\x04"):
            with suppress(zipfile.BadZipFile), zipfile.ZipFile(io.BytesIO(content)) as packed:
                for name in packed.namelist():
                    yield from texts(packed.read(name))
        content = content.decode("utf-8", "replace")
    yield content
    if "\\u" in content:
        yield _ESCAPED.sub(lambda match: chr(int(match[1], 16)), content)


class _Watched:
    """A response of the service on its way out: each part is looked at before it leaves, and the whole at its end."""

    def __init__(self, look: Callable[[bytes], None], body: Iterable[bytes]) -> None:
        self._look, self._body = look, body
        self._sent: list[bytes] = []

    def __iter__(self) -> Iterator[bytes]:
        for part in self._body:
            self._sent.append(part)
            self._look(b"".join(self._sent[-2:]))
            yield part
        self._look(b"".join(self._sent))

    def close(self) -> None:
        self._look(b"".join(self._sent))
        if hasattr(self._body, "close"):
            self._body.close()


def watch_service(watch: Watch, done: Callable[[], None] = lambda: None) -> Callable[[], None]:
    """Watch the responses of every Flask app of this process but the sandboxes; give what ends it.

    Args:
        watch: Keeps the leaks.
        done: Called after each look.
    """
    from flask import Flask

    plain = Flask.__call__

    def called(app: Flask, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        body = plain(app, environ, start_response)
        if app.name in SANDBOXES:
            return body
        where = f"{environ['REQUEST_METHOD']} {environ.get('PATH_INFO', '')}"

        def look(content: bytes) -> None:
            watch.look("http", where, content)
            done()

        return _Watched(look, body)

    Flask.__call__ = called  # type: ignore[method-assign]

    def end() -> None:
        Flask.__call__ = plain  # type: ignore[method-assign]

    return end


def watch_log(watch: Watch) -> Callable[[], None]:
    """Watch log records, from DEBUG on for what is ours; give what ends it."""
    plain, levels = logging.getLogRecordFactory(), {name: logging.getLogger(name).level for name in LOGGERS}

    def made(*arguments: Any, **more: Any) -> logging.LogRecord:
        record = plain(*arguments, **more)
        with suppress(Exception):  # what can't be put together is for logging itself to say
            error = record.exc_info[1] if isinstance(record.exc_info, tuple) else None
            watch.look("log", record.name, f"{record.getMessage()} {error or ''}")
        return record

    logging.setLogRecordFactory(made)
    for name in LOGGERS:
        logging.getLogger(name).setLevel(logging.DEBUG)

    def end() -> None:
        logging.setLogRecordFactory(plain)
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)

    return end


def watch_commands(watch: Watch, notes: Path) -> Callable[[], None]:
    """Watch what commands say, in this process or another, and have a service in another process watched there; give what ends it.

    Args:
        watch: Keeps the leaks.
        notes: Where other processes note what they find.
    """
    from click.testing import CliRunner

    invoke, start, communicate = CliRunner.invoke, subprocess.Popen.__init__, subprocess.Popen.communicate

    def invoked(runner: CliRunner, cli: Any, args: Any = None, *rest: Any, **more: Any) -> Any:
        result = invoke(runner, cli, args, *rest, **more)
        words = args if isinstance(args, str) else " ".join(map(str, args or ()))
        watch.look("command", words, result.stdout_bytes + b"\n" + result.stderr_bytes)
        return result

    def started(process: Any, args: Any, *rest: Any, **more: Any) -> None:
        env = dict(os.environ if more.get("env") is None else more["env"])
        path = [str(SITE), env.get("PYTHONPATH", "")]
        more["env"] = env | {"PYTHONPATH": os.pathsep.join(filter(None, path)), LEAKS_FILE: str(notes)}
        start(process, args, *rest, **more)

    def communicated(process: Any, *arguments: Any, **more: Any) -> Any:
        said = communicate(process, *arguments, **more)
        words = process.args if isinstance(process.args, str) else " ".join(map(str, process.args))
        for text in said:
            if text:
                watch.look("command", words, text)
        return said

    CliRunner.invoke = invoked  # type: ignore[method-assign]
    subprocess.Popen.__init__ = started  # type: ignore[method-assign]
    subprocess.Popen.communicate = communicated  # type: ignore[method-assign]

    def end() -> None:
        CliRunner.invoke = invoke  # type: ignore[method-assign]
        subprocess.Popen.__init__ = start  # type: ignore[method-assign]
        subprocess.Popen.communicate = communicate  # type: ignore[method-assign]

    return end
