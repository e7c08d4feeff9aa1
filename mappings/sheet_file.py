"""What a file is, told by its content, before any reader gets it: size, kind, and how much a workbook unpacks to."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import BinaryIO, Literal

from mappings import sheet_messages as say

MOST_BYTES = 50_000_000
"""Largest file read: 200,000 filled rows take about 8 MB as xlsx and 20 MB as csv; pictures make up the rest."""

MOST_UNPACKED = 400_000_000
"""Most bytes that a workbook may unpack to: 200,000 rows of 8 columns unpack to about 90 MB."""

MOST_RATIO = 200
"""Most that one part may unpack to, times its packed size; sheets reach 10 to 30, a bomb about 1,000."""

SMALL_PART = 5_000_000
"""Bytes below which a part's ratio tells nothing: empty formatted rows pack very well."""

MOST_PARTS = 5_000
"""Most files inside a workbook; 20 sheets with drawings have a few hundred."""

CHUNK = 1 << 20
"""Bytes that are looked at in one go."""

TEXT_SUFFIXES = frozenset({".csv", ".tsv", ".txt"})

_ZIPS = (b"PK\x03\x04", b"PK\x05\x06")
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_WORKSHEET = re.compile(r"xl/worksheets/[^/]+\.xml", re.IGNORECASE)
# An address that is none of A1 to AZ199999 in plain writing: a cell far from the others makes a reader set up every cell
# between. Written as what may stand there, as that is found three times as fast.
_FAR = re.compile(rb'r\s*=(?!"A?[A-Z]?1?[0-9]{1,5}"|"[0-9]*\.|"[A-Za-z]+"|"http)')


@dataclass(frozen=True, slots=True)
class SheetFile:
    """Hold a file on its way in.

    Attributes:
        name: Name as the user gave it.
        source: Where its bytes are: a path, or the bytes themselves.
    """

    name: str
    source: Path | bytes

    def open(self) -> BinaryIO:
        """Open the file for reading.

        Raises:
            SheetError: Where the system does not hand it out.
        """
        if isinstance(self.source, bytes):
            return io.BytesIO(self.source)
        try:
            return self.source.open("rb")
        except OSError as error:
            raise say.cannot_open(self.name, error.strerror or type(error).__name__) from error

    @property
    def suffix(self) -> str:
        """The extension of the name, in small letters, with its dot."""
        return PurePath(self.name).suffix.lower()


@dataclass(frozen=True, slots=True)
class Part:
    """Say what the scan saw in one worksheet of a workbook.

    Attributes:
        path: Path inside the workbook.
        marks: Whether it may hold formulas or errors, which a reader shows as blank cells.
        far: Whether a cell may stand far away from the others.
    """

    path: str
    marks: bool
    far: bool


def kind_of(file: SheetFile) -> Literal["workbook", "text"]:
    """Tell the kind of a file by its content, and that its name agrees.

    Raises:
        SheetError: Where the file is too large, empty, locked, of another kind, or of another kind than its name says.
    """
    with file.open() as handle:
        size = handle.seek(0, io.SEEK_END)
        handle.seek(0)
        head = handle.read(4096)
        if size > MOST_BYTES:
            raise say.too_large(file.name, size, MOST_BYTES)
        if not size:
            raise say.empty(file.name)
        if head.startswith(_OLE):
            if _ENCRYPTED in head + handle.read():
                raise say.locked(file.name)
            raise say.other_kind(file.name, "旧版 Excel 97-2003 工作簿（.xls）")
    if file.suffix == ".xlsm":
        raise say.macros(file.name)
    if file.suffix not in TEXT_SUFFIXES and file.suffix != ".xlsx":
        raise say.unknown_suffix(file.name, file.suffix)
    if head.startswith(_ZIPS):
        if file.suffix != ".xlsx":
            raise say.other_kind(
                file.name, "压缩包或 Excel 工作簿", "如果是 Excel 工作簿，把扩展名改为 .xlsx 后再上传"
            )
        return "workbook"
    _refuse_pages(file.name, head)
    if file.suffix == ".xlsx":
        if _is_binary(head):
            raise say.broken(file.name, "不是 Excel 工作簿")
        raise say.other_kind(
            file.name, "纯文本（CSV）", "把扩展名改为 .csv 后再上传，或用 Excel 打开后另存为 .xlsx"
        )
    if _is_binary(head):
        raise say.other_kind(file.name, "二进制数据，不是文本")
    return "text"


def scan_workbook(file: SheetFile) -> dict[str, Part]:
    """Unpack a workbook once, within bounds, before a reader gets it.

    Every part that the reader will unpack is unpacked here, against its declared size and check sum, so that a part that
    lies about its size is found out.

    Returns:
        The worksheets, by path inside the workbook.

    Raises:
        SheetError: Where the workbook is damaged, unpacks to too much, or is of another kind.
    """
    with file.open() as handle:
        try:
            with zipfile.ZipFile(handle) as archive:
                _check_sizes(file.name, archive)
                _check_kind(file.name, archive)
                return {part.path: part for part in _scan_parts(file.name, archive)}
        except (
            zipfile.BadZipFile,
            zlib.error,
            EOFError,
            NotImplementedError,
            RuntimeError,
            OSError,
        ) as error:
            raise say.broken(file.name, f"压缩包不完整：{error}") from error


def _refuse_pages(name: str, head: bytes) -> None:
    """Refuse web pages and XML, which many systems hand out under the name of a workbook."""
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:200].lower()
    if start.startswith((b"<html", b"<!doctype", b"<table", b"<head", b"<meta", b"<body")):
        raise say.other_kind(name, "网页（HTML 表格）")
    if start.startswith(b"<?xml"):
        raise say.other_kind(name, "XML")
    if start.startswith(b"%pdf"):
        raise say.other_kind(name, "PDF")


def _is_binary(head: bytes) -> bool:
    return b"\0" in head and not head.startswith((b"\xff\xfe", b"\xfe\xff"))


def _check_sizes(name: str, archive: zipfile.ZipFile) -> None:
    parts = archive.infolist()
    if len(parts) > MOST_PARTS:
        raise say.bomb(name, f"内含 {len(parts):,} 个文件，最多 {MOST_PARTS:,} 个")
    if any(part.flag_bits & 0x1 for part in parts):
        raise say.locked(name)
    total = sum(part.file_size for part in parts)
    if total > MOST_UNPACKED:
        raise say.bomb(name, f"{total / 1e6:,.0f} MB，最多 {MOST_UNPACKED // 1_000_000} MB")
    for part in parts:
        if part.file_size > SMALL_PART and part.file_size > MOST_RATIO * max(1, part.compress_size):
            raise say.bomb(
                name, f"{part.filename} 解压后是压缩时的 {part.file_size // max(1, part.compress_size)} 倍"
            )


def _check_kind(name: str, archive: zipfile.ZipFile) -> None:
    names = {part.lower() for part in archive.namelist()}
    if "xl/vbaproject.bin" in names:
        raise say.macros(name)
    if "xl/workbook.bin" in names:
        raise say.other_kind(name, "Excel 二进制工作簿（.xlsb）")
    if "xl/workbook.xml" not in names:
        found = "OpenDocument 表格（.ods）" if "content.xml" in names else "压缩包，里面没有 Excel 工作簿"
        raise say.other_kind(name, found)


def _scan_parts(name: str, archive: zipfile.ZipFile) -> Iterator[Part]:
    for entry in archive.infolist():
        path = entry.filename
        if not path.lower().endswith((".xml", ".rels")):
            continue
        is_sheet = _WORKSHEET.fullmatch(path) is not None
        with archive.open(entry) as part:
            chunk = part.read(CHUNK)
            if chunk and not chunk.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<"):
                raise say.broken(name, f"{path} 不是 UTF-8 编码的 XML")
            marks = b":worksheet" in chunk[:4096]
            far = False
            while chunk:
                more = part.read(CHUNK)
                if is_sheet:
                    end = chunk.rfind(b"<") if more else len(chunk)
                    end = end if end > 0 else len(chunk)
                    marks = marks or chunk.find(b"<f", 0, end) >= 0 or chunk.find(b'"e"', 0, end) >= 0
                    far = far or _FAR.search(chunk, 0, end) is not None
                    more = chunk[end:] + more
                chunk = more
        if is_sheet:
            yield Part(path, marks, far)
