"""Uploads and their rows as pages show them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.store import RowState, UploadRow, UploadState
from pipeline.uploads.history import UploadLine
from pipeline.uploads.reasons import Reason
from pipeline.uploads.receiving import moment
from pipeline.uploads.state import ROW_TITLES, STATE_TITLES, Progress

UPLOAD_TONES: Mapping[UploadState, str] = {
    "received": "calm",
    "checking": "calm",
    "checked": "calm",
    "pushing": "calm",
    "done": "good",
    "done_with_failures": "warn",
    "failed": "bad",
}
ROW_TONES: Mapping[RowState, str] = {
    "rejected": "bad",
    "undetermined": "warn",
    "queued": "calm",
    "sending": "calm",
    "listed": "good",
    "refused_by_channel": "bad",
    "failed": "bad",
}
"""How a state is meant: good, warn, bad; calm where it is on its way."""


def line_view(line: UploadLine) -> dict[str, Any]:
    """Prepare one upload."""
    counts = line.progress
    return {
        "id": line.id,
        "filename": line.filename,
        "actor": line.actor_name,
        "received_at": moment(line.received_at),
        "finished_at": moment(line.finished_at) if line.finished_at else "",
        "size": f"{line.size / 1000:,.0f} KB",
        "corrects": line.corrects,
        "state": STATE_TITLES[counts.state],
        "tone": UPLOAD_TONES[counts.state],
        "total": counts.total,
        "listed": counts.rows["listed"],
        "failing": counts.failing,
        "failure": counts.failure,
    }


def progress_view(counts: Progress) -> dict[str, Any]:
    """Prepare how far an upload is; what the browser is told later has the same names."""
    return counts.as_data() | {
        "title": STATE_TITLES[counts.state],
        "tone": UPLOAD_TONES[counts.state],
        "is_finished": counts.is_finished,
        "counts": [
            {
                "state": state,
                "title": ROW_TITLES[state],
                "tone": ROW_TONES[state] if count else "none",
                "count": count,
            }
            for state, count in counts.rows.items()
        ],
    }


def row_view(row: UploadRow, reasons: Sequence[Reason]) -> dict[str, Any]:
    """Prepare one row with its reasons."""
    return {
        "number": row.number,
        "product_id": row.product_id or "（无 ID）",
        "state": ROW_TITLES[row.state],
        "tone": ROW_TONES[row.state],
        "channel_product_id": row.channel_product_id,
        "reasons": [
            {"tone": "bad" if item.severity == "error" else "calm", "message": item.message, "fix": item.fix}
            for item in reasons
        ],
    }
