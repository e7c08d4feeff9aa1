"""Rows of an upload as the store keeps them: decision, outcome, and the one listing that each product may have (R15)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from engine.decision import Decision, Evidence, Finding, canonical
from mappings.report import CheckedRow, entries_of
from mappings.sheet import SheetRow
from pipeline.sending.push import give_way
from pipeline.store import (
    DecisionRow,
    Listing,
    RowState,
    StoreRefused,
    Upload,
    UploadRow,
    insert_many,
    new_id,
)
from pipeline.store.types import json_text
from pipeline.uploads.receiving import moment
from pipeline.uploads.sending import Sending
from pipeline.uploads.state import add_counts

MOST_REASON = 500
"""Characters of a row's reason in lists; the decision holds all of it."""

ROW = ("number", "product_id", "cells", "row", "state", "decision_id", "reason", "channel_product_id")
"""The columns in which the rows of an upload differ when they are kept."""

Fact = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Decided:
    """Hold a row and what was decided about it, ready to be kept.

    Attributes:
        checked: The row with its decisions.
        row: The row as the file has it.
        state: Where it goes: queued for a row that passed.
        reason: Why, in one line.
        product: The product's fact as JSON, to be kept with its listing; only for a row that passed.
        payload: What is to be sent, as `Sending.payload` gives it; only for a row that passed.
        channel_product_id: The channel's id of a product that is listed already and left alone.
    """

    checked: CheckedRow
    row: SheetRow
    state: RowState
    reason: str = ""
    product: str = ""
    payload: str = ""
    channel_product_id: str | None = None

    @property
    def number(self) -> int:
        """The row's number in the sheet, 1-based."""
        return self.row.number


def reason_of(checked: CheckedRow) -> str:
    """Say in one line why a row did not pass; empty for one that did."""
    if checked.outcome == "accepted":
        return ""
    deciding = [
        entry for entry in entries_of(checked) if entry.severity == "error" and entry.status != "waived"
    ]
    text = "；".join(dict.fromkeys(entry.message for entry in deciding))
    return text if len(text) <= MOST_REASON else f"{text[:MOST_REASON]}…"


def keep_rows(
    session: Session, upload: Upload, decided: Sequence[Decided], sending: Sending, now: datetime
) -> None:
    """Keep rows, their decisions, their claims to a listing, and what is to be sent for them: all or nothing.

    Args:
        session: A session of `Store.write()` that holds the upload's row.
        upload: The upload.
        decided: Rows that are not kept yet.
        sending: What sends.
        now: The time by `database_now`.
    """
    passed = [item for item in decided if item.state == "queued"]
    first = {item.checked.key: item for item in reversed(passed)}
    won = _reserve(session, upload, first, now)
    if stuck := [key for key in first if key not in won]:
        freed = give_way(session, upload.channel, upload.shop_id, stuck)
        won |= _reserve(session, upload, {key: first[key] for key in freed}, now)
    sent = {first[key].number: first[key] for key in won}
    lost = [item.checked.key for item in passed if item.number not in sent]
    holders = _holders(session, upload, lost)
    unsent = sending.enqueue_all(
        session,
        upload,
        [(number, item.checked.key, item.payload) for number, item in sent.items()],
        now,
    )
    _give_up(session, upload, list(unsent))
    kept = [
        item
        if item.state != "queued" or (item.number in sent and item.number not in unsent)
        else replace(
            item,
            state="rejected",
            reason=unsent.get(item.number) or _lost(item, holders.get(item.checked.key)),
        )
        for item in decided
    ]
    ids = _keep_decisions(session, upload, kept, now)
    common = {"upload_id": upload.id, "updated_at": now}
    insert_many(session, UploadRow, common, ROW, [_row(item, ids[item.number]) for item in kept])
    add_counts(session, upload, (item.state for item in kept))


def decisions_from(content: bytes) -> tuple[Decision, ...]:
    """Read decisions back as they were kept, without the places of rules."""
    return tuple(_decision(data) for data in json.loads(content)["decisions"])


def _give_up(session: Session, upload: Upload, numbers: Sequence[int]) -> None:
    """Give up the claims of rows that can't be sent."""
    if numbers:
        mine = (Listing.upload_id == upload.id, Listing.row_number.in_(numbers))
        session.execute(delete(Listing).where(*mine, Listing.state == "reserved"))


def _reserve(session: Session, upload: Upload, passed: Mapping[str, Decided], now: datetime) -> set[str]:
    """Claim the listing of each product; the unique constraint says which claims hold.

    Products are claimed in order, so that two uploads never wait for each other.
    """
    if not passed:
        return set()
    common = {
        "channel": upload.channel,
        "shop_id": upload.shop_id,
        "state": "reserved",
        "upload_id": upload.id,
        "created_at": now,
    }
    names = ("id", "product_id", "row_number", "snapshot")
    rows = [(new_id(), key, passed[key].number, passed[key].product) for key in sorted(passed)]
    key = ("channel", "shop_id", "product_id")
    if insert_many(session, Listing, common, names, rows, unless_taken=key) == len(rows):
        return set(passed)
    won = select(Listing.product_id).where(Listing.id.in_([row[0] for row in rows]))
    return set(session.scalars(won))


def _holders(
    session: Session, upload: Upload, products: Sequence[str]
) -> dict[str, tuple[Listing, Upload | None]]:
    """Find who holds the listings that could not be claimed."""
    wanted = (
        select(Listing, Upload)
        .outerjoin(Upload, Upload.id == Listing.upload_id)
        .where(
            Listing.channel == upload.channel,
            Listing.shop_id == upload.shop_id,
            Listing.product_id.in_(products),
        )
    )
    return (
        {listing.product_id: (listing, holder) for listing, holder in session.execute(wanted)}
        if products
        else {}
    )


def _lost(item: Decided, holder: tuple[Listing, Upload | None] | None) -> str:
    """Say why a row that passed may not be sent."""
    about = f"商品 {item.checked.key} "
    if holder is None:
        return f"{about}刚由另一次导入提交过；请重新上传这一行"
    listing, other = holder
    what = "已上架" if listing.state == "listed" else "正在上架"
    if other is None:
        return f"{about}{what}到渠道（{listing.channel_product_id}），一个商品只能上架一次"
    return (
        f"{about}{what}：由 {other.actor_name} 在 {moment(other.received_at)} 的导入"
        f"（{other.filename}，编号 {other.id}）第 {listing.row_number} 行提交，一个商品只能上架一次"
    )


def _keep_decisions(
    session: Session, upload: Upload, decided: Sequence[Decided], now: datetime
) -> dict[int, str | None]:
    """Keep the decisions; alike ones, as those of rows that simply pass, are kept once."""
    ids: dict[int, str | None] = {}
    rows: dict[str, tuple[str, str, str, str, bytes]] = {}
    simple_ones: dict[tuple[Decision, ...], str] = {}
    for item in decided:
        decisions = item.checked.decisions
        ids[item.number] = None
        if not decisions:
            continue
        simple = not any(decision.findings for decision in decisions)
        found = simple_ones.get(decisions) if simple else None
        if found is None:
            content = canonical({"decisions": [decision.as_data() for decision in decisions]})
            found = hashlib.sha256(upload.shop_id.encode() + b"\0" + content).hexdigest()[:32]
            names = [decision.ruleset for decision in decisions]
            ruleset = "+".join([names[0], *(name.partition("/")[2] for name in names[1:])])
            rows[found] = (found, ruleset, _version(decisions), item.checked.outcome, content)
            if simple:
                simple_ones[decisions] = found
        ids[item.number] = found
    common = {"shop_id": upload.shop_id, "as_of": upload.as_of, "created_at": now}
    columns = ("id", "ruleset", "version", "outcome", "content")
    # In order, so that two uploads with the same decisions never wait for each other.
    insert_many(
        session, DecisionRow, common, columns, [rows[key] for key in sorted(rows)], unless_taken=["id"]
    )
    return ids


def _version(decisions: Sequence[Decision]) -> str:
    """Give the version of one ruleset, or the hash of those of several."""
    if len(decisions) == 1:
        return decisions[0].version
    pairs = [[decision.ruleset, decision.version] for decision in decisions]
    return f"sha256:{hashlib.sha256(canonical(pairs)).hexdigest()}"


def _row(item: Decided, decision_id: str | None) -> tuple[Any, ...]:
    """Give the values of the columns `ROW`."""
    return (
        item.number,
        item.checked.key or None,
        _cells_text(item.row.cells.texts()),
        json_text(item.row.row),
        item.state,
        decision_id,
        _kept_text(item.reason) or None,
        item.channel_product_id,
    )


def _cells_text(cells: dict[str, str]) -> str:
    try:
        return json_text(cells)
    except StoreRefused:
        return json_text({title: _kept_text(text) for title, text in cells.items()})


def _kept_text(text: str) -> str:
    """Replace what no database keeps; the file as received holds it."""
    return text.encode("utf-8", "replace").decode().replace("\0", "�")


def _decision(data: Mapping[str, Any]) -> Decision:
    findings = tuple(
        Finding(
            rule=found["rule"],
            title=found["title"],
            severity=found["severity"],
            status=found["status"],
            message=found["message"],
            fix=found["fix"],
            evidence=tuple(
                Evidence(item["path"], item["found"], item["wanted"]) for item in found["evidence"]
            ),
            missing=tuple(found["missing"]),
            source=found["source"],
            preempts=tuple(found["preempts"]),
            span=None,
            waiver=found["waiver"],
        )
        for found in data["findings"]
    )
    return Decision(
        data["ruleset"], data["version"], datetime.fromisoformat(data["as_of"]), data["outcome"], findings
    )
