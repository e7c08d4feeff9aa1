"""Files that come in and go out: read within bounds, and named so that no name leads elsewhere."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import PurePath
from urllib.parse import quote

from flask import request
from werkzeug.datastructures import Headers

from api.problems import Mistake, Problem
from api.routes import MULTIPART, Reply
from api.schemas import shown
from mappings.report.xlsx import MEDIA as XLSX

LONGEST_NAME = 200
"""Characters of a file's name at the most; what is longer loses its middle."""

NAMELESS = "未命名"

__all__ = ["XLSX", "file_reply", "read_file", "safe_name"]


def read_file(field: str, most: int, besides: Sequence[str] = ()) -> tuple[str, bytes]:
    """Read the one file of a multipart request.

    Args:
        field: Name of the part; there must be no other.
        most: Bytes of the file at the most.
        besides: Names of further parts that may be there, and are read elsewhere.

    Returns:
        Its name, without folders, and its bytes.

    Raises:
        Problem: The request is of another type, holds other parts, no file or several, or the file is too large.
    """
    if request.mimetype != MULTIPART:
        given = shown(request.content_type or "")
        raise Problem("media-type", f"请用 Content-Type: {MULTIPART}，这里是 {given}")
    hint = f"只发一个文件，名为 {field}，例如 curl -F {field}=@上架表.xlsx"
    parts = {*request.form.keys(), *request.files.keys()} - {*besides}
    mistakes = [Mistake(f"/{name}", "没有这一项", hint) for name in sorted(parts) if name != field]
    files = request.files.getlist(field)
    if field in request.form:
        mistakes.append(Mistake(f"/{field}", "应作为文件发送，这里是文字", hint))
    elif len(files) != 1:
        mistakes.append(Mistake(f"/{field}", f"应有 1 个文件，这里有 {len(files)} 个", hint))
    if mistakes:
        raise Problem("invalid", f"请求内容有 {len(mistakes)} 处不对", mistakes)
    content = files[0].stream.read(most + 1)
    if len(content) > most:
        raise Problem("too-large", f"文件超过 {most:,} 字节")
    return safe_name(files[0].filename or ""), content


def file_reply(content: bytes | io.BytesIO, name: str, media: str, **headers: str) -> Reply:
    """Give a file to be saved under a name, in Chinese too (RFC 6266).

    Args:
        content: Its bytes.
        name: Its name.
        media: Its media type.
        headers: Further headers, an underscore for each hyphen.
    """
    name = safe_name(name)
    names = {"filename": "".join(char if char.isascii() else "_" for char in name)}
    if not name.isascii():
        names["filename*"] = f"UTF-8''{quote(name, safe='', errors='replace')}"
    given = Headers()
    given.set("Content-Disposition", "attachment", **names)
    for header, value in headers.items():
        given.set(header.replace("_", "-"), value)
    data = content.getvalue() if isinstance(content, io.BytesIO) else content
    return Reply(data, headers=dict(given), media=media)


def safe_name(name: str) -> str:
    r"""Give a file's name without folders and without what is no part of a name.

    Examples:
        >>> safe_name("../../三月\r\n.xlsx"), safe_name("C:\\表\\a.csv"), safe_name("..")
        ('三月.xlsx', 'a.csv', '未命名')
    """
    last = name.replace("\\", "/").rpartition("/")[2]
    last = "".join(char for char in last if char.isprintable()).strip().lstrip(".")
    if len(last) > LONGEST_NAME:
        suffix = PurePath(last).suffix[:20]
        last = last[: LONGEST_NAME - len(suffix)] + suffix
    return last or NAMELESS
