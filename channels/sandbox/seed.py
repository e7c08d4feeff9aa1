"""What a sandbox knows when it starts: products as Youzan gives them, reference data, orders and after-sales as facts."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

Row = Mapping[str, Any]
TABLES = ("categories", "brands", "freight_templates", "spec_templates", "listings")
TIMES = ("created_at", "paid_at", "shipped_at", "updated_at", "auto_handle_at")


@dataclass(frozen=True, slots=True)
class Seed:
    """Hold the first state of both systems.

    Attributes:
        products: Payloads of ``youzan.item.detail.get``, envelope taken off or not.
        reference: Table name (categories, brands, freight_templates, spec_templates, and listings for products that
            are listed already) to rows, keyed as the fact tables.
        orders: Orders as facts; ``channel`` says whose they are.
        after_sales: After-sales as facts; ``channel`` says whose they are.
    """

    products: Sequence[Row] = ()
    reference: Mapping[str, Sequence[Row]] = field(default_factory=dict)
    orders: Sequence[Row] = ()
    after_sales: Sequence[Row] = ()

    def of(self, channel: str) -> Seed:
        """Return the same seed with the orders and after-sales of one channel only."""
        return replace(
            self,
            orders=[row for row in self.orders if row.get("channel") == channel],
            after_sales=[row for row in self.after_sales if row.get("channel") == channel],
        )

    def moved_to(self, latest: float) -> Seed:
        """Return the same seed with all times shifted alike, so that the newest order or after-sale is of this moment.

        Args:
            latest: Seconds since the epoch.
        """
        rows = [*self.orders, *self.after_sales]
        moments = [moment for row in rows if (moment := seconds(row.get("updated_at"))) is not None]
        if not moments:
            return self
        by = timedelta(seconds=int(latest) - max(moments))

        def moved(row: Row) -> Row:
            return {key: _shifted(value, by) if key in TIMES else value for key, value in row.items()}

        return replace(
            self,
            orders=[moved(row) for row in self.orders],
            after_sales=[moved(row) for row in self.after_sales],
        )


def read_seed(folder: Path, reference: Mapping[str, Sequence[Row]] | None = None) -> Seed:
    """Read a seed from a folder.

    Files, each of them optional: ``products.jsonl``, ``orders.jsonl``, ``after_sales.jsonl``, and per table of
    reference data ``<table>.jsonl``.

    Args:
        folder: Where the files are.
        reference: Tables that the caller has read elsewhere, instead of those in the folder.

    Raises:
        ValueError: A line is not a JSON object; file and line are named.
    """
    if reference is None:
        reference = {table: _lines(folder / f"{table}.jsonl") for table in TABLES}
    return Seed(
        _lines(folder / "products.jsonl"),
        reference,
        _lines(folder / "orders.jsonl"),
        _lines(folder / "after_sales.jsonl"),
    )


def _lines(file: Path) -> list[Row]:
    if not file.is_file():
        return []
    rows: list[Row] = []
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError:
            row = None
        if not isinstance(row, dict):
            raise ValueError(f"{file.name} 第 {number} 行不是 JSON 对象")
        rows.append(row)
    return rows


def item_of(product: Row) -> dict[str, Any]:
    """Return the bare payload of a product, whichever envelope it was kept in.

    Raises:
        ValueError: It has no item_id.
    """
    found: Any = product
    for key in ("data", "response", "item"):
        if isinstance(found, Mapping) and "item_id" not in found and isinstance(found.get(key), Mapping):
            found = found[key]
    if "item_id" not in found:
        raise ValueError(f"商品缺少 item_id：{sorted(product)[:8]}")
    return dict(found)


def seconds(value: Any) -> int | None:
    """Return a time of a fact in seconds since the epoch, None where it is absent.

    Args:
        value: ISO 8601 text with an offset, or an aware datetime.
    """
    if value is None:
        return None
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    if moment.tzinfo is None:
        raise ValueError(f"时间 {value} 缺少时区")
    return int(moment.timestamp())


def _shifted(value: Any, by: timedelta) -> Any:
    at = seconds(value)
    return None if at is None else (datetime.fromtimestamp(at, UTC) + by).isoformat()
