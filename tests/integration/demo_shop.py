"""The demo shop of `examples/` in a store: bound, with reference data, products and listings kept, as if they had been pulled."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import openpyxl
import xlsxwriter

from channels.sandbox.seed import item_of
from mappings.reference import read_reference
from mappings.sheet_columns import UPLOAD_COLUMNS
from mappings.youzan import product_from_item
from pipeline.shops import save_shop
from pipeline.store import BindingRow, Listing, Product, ReferenceSnapshot, Store, database_now

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
SHOP = "38405005"
TITLES = [column.title for column in UPLOAD_COLUMNS]

Fact = dict[str, Any]


@cache
def payloads() -> tuple[Fact, ...]:
    """Give the products as Youzan gives them."""
    lines = (EXAMPLES / "products.jsonl").read_text(encoding="utf-8").splitlines()
    return tuple(item_of(json.loads(line)) for line in lines)


@cache
def reference() -> dict[str, list[Fact]]:
    """Give the reference data, with what is listed already."""
    return read_reference(EXAMPLES / "惠聚数据.xlsx")


@cache
def good_rows() -> list[list[str]]:
    """Give the rows of the example that pass, plainly written."""
    page = openpyxl.load_workbook(EXAMPLES / "上架表.xlsx").worksheets[0]
    lines = (EXAMPLES / "expected.csv").read_text(encoding="utf-8").splitlines()[1:]
    numbers = [
        int(parts[0]) for parts in (line.split(",") for line in lines) if parts[2:5] == ["accepted", "", ""]
    ]
    return [
        [str(page.cell(number, place).value or "") for place in range(1, 9)]
        for number in numbers
        if all(isinstance(page.cell(number, place).value, str | None) for place in range(1, 9))
        and str(page.cell(number, 1).value).isdigit()
        and str(page.cell(number, 1).value).isascii()
    ]


def sheet(rows: Sequence[Sequence[str]]) -> bytes:
    """Write rows of an upload as a workbook."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        page = book.add_worksheet("上架商品")
        for number, row in enumerate([TITLES, *rows]):
            for place, value in enumerate(row):
                page.write_string(number, place, value)
    return out.getvalue()


def plant(store: Store, shop_id: str = SHOP, name: str = "青禾集市", credentials: str = "sealed") -> None:
    """Put the shop into a store.

    Args:
        store: An empty store, or one with other shops in it.
        shop_id: Id to keep it under.
        name: Its name.
        credentials: Its identity at Huiju, sealed; one that opens nothing where no test calls Huiju.
    """
    fact = {"id": shop_id, "name": name, "edition": "wsc_ecommerce", "admitted": True, "beta_approved": True}
    save_shop(store, "huiju", fact)
    own = {"shop_id": shop_id, "channel": "huiju"}
    with store.write() as session:
        now = database_now(session)
        session.add(BindingRow(**own, credentials=credentials, bound_by="u1", bound_at=now, tried_at=now))
        for kind, rows in reference().items():
            if kind != "listings":
                session.add(
                    ReferenceSnapshot(
                        **own, kind=kind, hash=kind, row_count=len(rows), rows=rows, taken_at=now, checked_at=now
                    )
                )  # fmt: skip
        for listed in reference()["listings"]:
            session.add(
                Listing(
                    **own, product_id=listed["product_id"], state="listed", created_at=now,
                    channel_product_id=listed["channel_product_id"],
                    listed_at=listed.get("listed_at") or now - timedelta(days=30),
                )
            )  # fmt: skip
        for payload in payloads():
            fact = product_from_item(payload)
            session.add(
                Product(
                    shop_id=shop_id, id=fact["id"], title=fact["title"], payload=payload, hash="0", fetched_at=now
                )
            )  # fmt: skip
