"""A channel chooses in the manifest which evaluator matches its flows; the answers are the same (R30)."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from itertools import permutations
from pathlib import Path

import pytest

from engine.evaluators import durable
from engine.flows import Observation, PlannedFlows, fold
from engine.rulebook import Rulebook, load
from tests.reference import durable_rules

ROOT = Path(__file__).resolve().parents[3]
START = datetime(2022, 3, 11, 2, tzinfo=UTC)
EVENTS = ("refund_requested", "order_shipped", "withdrawn", "agreed")


@pytest.fixture
def chosen(tmp_path: Path) -> Rulebook:
    """The shipped rules, with durable-rules named for the flows."""
    shutil.copytree(ROOT / "rules", tmp_path / "rules")
    manifest = (ROOT / "rulesets.yaml").read_text("utf-8")
    assert "flows: record" in manifest
    (tmp_path / "rulesets.yaml").write_text(manifest.replace("flows: record", "flows: durable"), "utf-8")
    return load(tmp_path / "rulesets.yaml")


@durable_rules.needed
def test_the_evaluator_that_the_manifest_names_matches_the_flows(
    rulebook: Rulebook, chosen: Rulebook
) -> None:
    usual, other = (book.flow_matcher(book.ruleset("huiju/after-sale"), START) for book in (rulebook, chosen))
    assert isinstance(other, PlannedFlows)
    ruleset = rulebook.ruleset("huiju/after-sale")
    for events in permutations(EVENTS):
        happened = [
            Observation(
                event,
                event,
                START + timedelta(hours=n),
                "" if event == "order_shipped" else "A1",
                {"kind": "refund_only"} if event == "refund_requested" else None,
            )
            for n, event in enumerate(events)
        ]
        order = {"id": "HJ1", "status": "to_ship"}
        assert fold(ruleset, usual, order, happened) == fold(ruleset, other, order, happened), events


def test_the_shipped_manifest_needs_no_extra(rulebook: Rulebook) -> None:
    assert {"record"} == {channel.flows for channel in rulebook.channels.values()}
    assert "durable" == durable.NAME
