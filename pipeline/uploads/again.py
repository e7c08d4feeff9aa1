"""What an upload that corrects another one leaves alone: rows whose product that one has listed (R17)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from mappings.sheet import SheetRow
from mappings.sheet_columns import UPLOAD_COLUMNS
from pipeline.store import Listing, Store, Upload, UploadRow
from pipeline.uploads.receiving import family, find_upload

TITLES = {column.path.removeprefix("row."): column.title for column in UPLOAD_COLUMNS}


@dataclass(frozen=True, slots=True)
class Done:
    """Name a listing that came of an earlier upload in the same line of corrections.

    Attributes:
        channel_product_id: The channel's id.
        upload_id: The upload that listed it.
        number: Its row there, 1-based.
        row: That row as the rules saw it.
    """

    channel_product_id: str
    upload_id: str
    number: int
    row: Mapping[str, Any]

    def remark(self, row: Mapping[str, Any]) -> str:
        """Say that a row is left alone, and which changes in it go nowhere."""
        text = f"导入 {self.upload_id} 第 {self.number} 行已上架，未重复处理"
        changed = changes(self.row, row)
        if not changed:
            return text
        return f"{text}；表里改动的 {'、'.join(changed)} 没有提交，请到渠道后台修改"


def done_before(store: Store, upload_id: str) -> dict[str, Done]:
    """Give what the other uploads in the same line of corrections have listed, by product.

    Raises:
        UploadUnknown: There is no such upload.
    """
    with store.read() as session:
        upload = find_upload(session, upload_id)
        earlier = family(session, upload)
        return dict(_listed(session, upload, earlier)) if earlier else {}


def left_alone(rows: Iterable[SheetRow], done: Mapping[str, Done]) -> dict[int, Done]:
    """Find the rows that are left alone, by number; of two rows with one product only the first is."""
    alone: dict[int, Done] = {}
    seen: set[str] = set()
    for row in rows:
        product_id = row.row.get("product_id", "")
        if product_id in done and product_id not in seen:
            seen.add(product_id)
            alone[row.number] = done[product_id]
    return alone


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Name the columns in which two rows differ."""
    old, new = dict(_flat(before)), dict(_flat(after))
    return [TITLES.get(path, path) for path in {**old, **new} if old.get(path) != new.get(path)]


def _listed(session: Session, upload: Upload, earlier: Sequence[str]) -> Iterator[tuple[str, Done]]:
    wanted = (
        select(
            Listing.product_id,
            Listing.channel_product_id,
            Listing.upload_id,
            Listing.row_number,
            UploadRow.row,
        )
        .join(
            UploadRow,
            (UploadRow.upload_id == Listing.upload_id) & (UploadRow.number == Listing.row_number),
        )
        .where(
            Listing.channel == upload.channel,
            Listing.shop_id == upload.shop_id,
            Listing.state == "listed",
            Listing.upload_id.in_(earlier),
        )
    )
    for product_id, channel_product_id, upload_id, number, row in session.execute(wanted):
        yield product_id, Done(channel_product_id, upload_id, number, row or {})


def _flat(row: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in row.items():
        if key == "specs":
            for place, spec in enumerate(value):
                yield from ((f"specs[{place}].{name}", item) for name, item in spec.items())
        else:
            yield key, value
