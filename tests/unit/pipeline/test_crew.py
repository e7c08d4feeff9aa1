"""The crew: parts side by side until told to stop, none that ends unseen, and anew by the rules that are in force."""

from __future__ import annotations

import logging
import shutil
import threading
from pathlib import Path
from typing import Any, cast

import pytest

from engine.rulebook import Rulebook
from pipeline.crew import Backstage, Crew, Part
from pipeline.live_rules import LiveRules

ROOT = Path(__file__).parents[3]


def waits(stop: threading.Event) -> None:
    stop.wait()


def test_all_parts_run_until_told_to_stop() -> None:
    stop = threading.Event()
    ended: list[str] = []

    def part(name: str) -> Part:
        return lambda stop: (stop.wait(), ended.append(name))[0]

    crew = Crew({"one": part("one"), "two": part("two")}, stop)
    crew.start()
    stop.set()
    crew.end(30)
    assert (["one", "two"], []) == (sorted(ended), crew.failed)


@pytest.mark.parametrize("part", [lambda _: None, lambda _: 1 / 0])
def test_a_part_that_ends_by_itself_stops_the_others(part: Part, caplog: pytest.LogCaptureFixture) -> None:
    stop = threading.Event()
    crew = Crew({"good": waits, "bad": part}, stop)
    crew.start()
    assert stop.wait(30)
    crew.end(30)
    assert ["bad"] == crew.failed
    assert [logging.ERROR] == [record.levelno for record in caplog.records]


def test_a_part_that_does_not_end_in_time_is_named(caplog: pytest.LogCaptureFixture) -> None:
    stop, at_last = threading.Event(), threading.Event()
    crew = Crew({"slow": lambda _: at_last.wait()}, stop)  # type: ignore[dict-item, return-value]
    crew.start()
    stop.set()
    crew.end(0.1)
    at_last.set()
    assert "slow" in caplog.text
    assert [] == crew.failed


def test_a_part_begins_anew_when_other_rules_come_into_force(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "rules", tmp_path / "rules")
    shutil.copy(ROOT / "rulesets.yaml", tmp_path)
    rules = LiveRules(tmp_path / "rulesets.yaml", look=0)
    begun: list[Rulebook] = []
    once, twice, stop = threading.Event(), threading.Event(), threading.Event()

    def make(rulebook: Rulebook) -> Part:
        begun.append(rulebook)
        (once if len(begun) == 1 else twice).set()
        return waits

    backstage = Backstage(cast("Any", None), cast("Any", None), rules)
    crew = Crew({"part": backstage._anew(make)}, stop)
    crew.start()
    assert once.wait(30)
    file = tmp_path / "rules" / "huiju" / "access.yaml"
    (tmp_path / "new").write_text(file.read_text("utf-8") + "\n# another\n", "utf-8")
    (tmp_path / "new").replace(file)
    assert twice.wait(30)
    stop.set()
    crew.end(30)
    assert [] == crew.failed
    assert begun[0] is not begun[1]
    assert begun[1] is rules.current()
