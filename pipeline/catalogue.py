"""Read products, or whole listings, from JSON lines: raw Youzan payloads or facts, told apart by their keys."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from engine.diagnostics import Diagnostic
from engine.errors import ShelfgateError
from engine.facts import admit
from engine.source import Span
from engine.vocabulary import Vocabulary
from mappings.values import PayloadError
from mappings.youzan import product_from_item

_PAYLOAD_KEYS = frozenset({"item_id", "response", "data", "error_response", "gw_err_resp"})
_LISTING_KEYS = frozenset({"row", "product", "shop"})
MOST_LINE = 4 * 1024 * 1024


class InputError(ShelfgateError):
    """Say that a file can't be read at all.

    Attributes:
        file: The file as the user named it.
        hint: What to do about it.
    """

    def __init__(self, file: str, message: str, hint: str = "") -> None:
        super().__init__(f"{file}: {message}" + (f"\n  = 建议: {hint}" if hint else ""))
        self.file = file
        self.hint = hint


class Line(NamedTuple):
    """Hold one line; a named tuple, as one is made for each of tens of thousands of lines.

    Attributes:
        file: The file as the user named it.
        number: Line number, 1-based.
        fact: A product, or a listing; None where the line can't be read.
        is_listing: Whether the fact is a listing.
        problems: What could not be read.
    """

    file: str
    number: int
    fact: dict[str, Any] | None
    is_listing: bool = False
    problems: tuple[Diagnostic, ...] = ()


def read_lines(path: Path, vocabulary: Vocabulary) -> Iterator[Line]:
    """Read a file of JSON lines.

    Args:
        path: The file; blank lines are passed over.
        vocabulary: Declares the facts product and listing.

    Yields:
        A line each, with what is wrong with it; a broken line does not end the reading.

    Raises:
        InputError: The file can't be opened.
    """
    file = str(path)
    try:
        with path.open("rb") as lines:
            for number, line in enumerate(_pieces(lines), start=1):
                if line.strip():
                    yield _line(file, number, line.removeprefix(b"\xef\xbb\xbf"), vocabulary)
    except OSError as error:
        raise InputError(file, f"读不到文件：{error.strerror}", "检查路径与权限") from error


def _pieces(lines: BinaryIO) -> Iterator[bytes]:
    """Give the lines; of one that is too long only as much as shows that it is, however long it goes on."""
    while line := lines.readline(MOST_LINE + 2):
        yield line
        while len(line) > MOST_LINE and not line.endswith(b"\n"):
            line = lines.readline(MOST_LINE + 2)


def _line(file: str, number: int, line: bytes, vocabulary: Vocabulary) -> Line:
    if len(line) > MOST_LINE:
        return _broken(file, number, "SG0801", f"一行超过 {MOST_LINE // 1048576} MB", "每行放一个商品")
    try:
        data = json.loads(line)
    except UnicodeDecodeError as error:
        message = f"不是 UTF-8（第 {error.start + 1} 个字节 0x{line[error.start]:02X}）"
        return _broken(file, number, "SG0801", message, "另存为 UTF-8；文件可能是 GBK 编码，或不是文本")
    except RecursionError:
        return _broken(file, number, "SG0801", "JSON 嵌套太深", "每行一个商品，按有赞的原样保存")
    except ValueError as error:
        return _broken(
            file, number, "SG0801", f"不是一行 JSON：{error}", "每行一个完整的 JSON 对象，编码 UTF-8"
        )
    if not isinstance(data, dict):
        return _broken(file, number, "SG0801", f"应是 JSON 对象，这里是 {_said(data)}", "每行一个商品")
    if "item_id" in data or _PAYLOAD_KEYS & data.keys():
        try:
            return Line(file, number, product_from_item(data))
        except PayloadError as error:
            return _broken(file, number, "SG0801", error.message, "按有赞商品详情接口的原样保存每个商品")
    is_listing = bool(_LISTING_KEYS & data.keys())
    fact, problems = admit(vocabulary.facts["listing" if is_listing else "product"].type, data)
    span = Span(file, number, 1, number, 1)
    told = tuple(
        Diagnostic("SG0802", "error", f"字段 {problem.path}：{problem.message}", span, problem.hint)
        for problem in problems
    )
    return Line(file, number, fact, is_listing, told)


def _said(data: Any) -> str:
    return "列表" if isinstance(data, list) else str(data)[:40]


def _broken(file: str, number: int, code: str, message: str, hint: str) -> Line:
    diagnostic = Diagnostic(code, "error", message, Span(file, number, 1, number, 1), hint)
    return Line(file, number, None, False, (diagnostic,))
