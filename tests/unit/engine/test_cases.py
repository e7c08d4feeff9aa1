"""One corpus of cases, run on every evaluator.

A case is a folder with `rules.yaml`, `input.json`, `expected.json` and, where it has waivers, `waivers.yaml`. An evaluator that refuses a
case is named under `refused` with the reason; one that accepts it must answer like the others. `--update-goldens` writes what is expected.
"""

from __future__ import annotations

import json
import random
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from engine.actions import ActionSession
from engine.decision import Decision, plain
from engine.diagnostics import Diagnostics
from engine.evaluators import EVALUATORS, Evaluator, record
from engine.facts import admit
from engine.flows import CaseState, Observation, PlannedFlows, command, fold
from engine.mapping import map_fact
from engine.plan import batch_refs
from engine.read import read_file
from engine.rules import Ruleset
from engine.session import Session
from engine.tables import Batch, Tables
from engine.vocabulary import FieldType
from engine.waivers import read_waivers
from engine.wording import SHANGHAI
from tests.property.strategies import SYNTHETIC
from tests.reference.durable_rules import THERE
from tests.reference.loading import ruleset
from tests.reference.vocabularies import vocabulary

CASES = sorted(file.parent for file in SYNTHETIC.parent.glob("*/input.json"))
KEYS = {"why", "as_of", "tables", "batch", "facts", "refused", "order", "observations", "commands"}
FILES = {"rules.yaml", "input.json", "expected.json", "waivers.yaml"}
ARRIVALS = 40


def usable(evaluator: Evaluator, case: dict[str, Any], reasons: tuple[str, ...]) -> bool:
    """Say whether an evaluator runs a case; a refusal that the case does not name, or names in vain, is a failure."""
    named = case.get("refused", {}).get(evaluator.NAME)
    assert (named is None) == (not reasons), (
        f"{evaluator.NAME}: {reasons or 'accepts what the case says it refuses'}"
    )
    assert named is None or any(named in reason for reason in reasons), reasons
    return not reasons and (evaluator.NAME != "durable" or THERE)


def let_in(type_: FieldType, data: Any) -> Any:
    fact, problems = admit(type_, data)
    assert () == problems
    return fact


def told(decision: Decision) -> Any:
    """Give what a case expects of a decision: all but the hash and what is copied from the rule."""
    left_out = {"severity", "preempts", "source", "title"}
    findings = [
        {k: v for k, v in item.items() if k not in left_out} for item in decision.as_data()["findings"]
    ]
    return {
        "outcome": decision.outcome,
        "findings": [{k: v for k, v in item.items() if v} for item in findings],
    }


def eligibility(rules: Ruleset, case: dict[str, Any], tables: Tables, as_of: datetime) -> Any:
    facts = [let_in(rules.fact.type, fact) for fact in case["facts"]]
    batch = Batch(batch_refs(rules.plan())) if case.get("batch") else None
    for number, fact in enumerate(facts, start=1):
        if batch is not None:
            batch.add(fact, str(number))
    answers = []
    for evaluator in EVALUATORS:
        if usable(evaluator, case, evaluator.unsupported(rules.plan())):
            session = Session(rules, evaluator.compile_plan(rules.plan()), tables, as_of, batch)  # type: ignore[arg-type]
            answers.append([told(session.decide(fact)) for fact in facts])
    assert all(answer == answers[0] for answer in answers)
    return answers[0]


def mapping(rules: Ruleset, case: dict[str, Any], tables: Tables, as_of: datetime) -> Any:
    results = [map_fact(rules, let_in(rules.fact.type, fact), tables, as_of) for fact in case["facts"]]
    return [
        {
            "mapped": [
                {k: getattr(item, k) for k in ("source", "target", "value", "confidence", "filled")}
                for item in result.mapped
            ],
            **told(result.decision),
        }
        for result in results
    ]


def actions(rules: Ruleset, case: dict[str, Any], tables: Tables, as_of: datetime) -> Any:
    found: dict[str, Any] = {}
    facts = [let_in(rules.fact.type, fact) for fact in case.get("facts", ())]
    for evaluator in EVALUATORS:
        if facts and usable(evaluator, case, evaluator.unsupported(rules.plan())):
            session = ActionSession(rules, evaluator.compile_plan(rules.plan()), as_of, tables)  # type: ignore[arg-type]
            answer = []
            for fact in facts:
                verdict = session.judge(fact)
                states = [
                    {k: v for k, v in state.as_data().items() if v and not k.startswith("title")}
                    for state in verdict.actions
                ]
                answer.append({"actions": states, "shown": plain(verdict.shown(fact))})
            assert answer == found.setdefault("verdicts", answer)
    for evaluator in EVALUATORS:
        if rules.flows and (evaluator.NAME != "durable" or THERE):
            flows = PlannedFlows(rules.flows, as_of.astimezone(SHANGHAI).date(), "cases", evaluator)
            answer = {
                "state": folded(rules, flows, case),
                "commands": commanded(rules, flows, case, tables, as_of),
            }
            assert answer == found.setdefault("flows", answer), evaluator.NAME
    return found


def folded(rules: Ruleset, flows: PlannedFlows, case: dict[str, Any]) -> Any:
    """Fold a case's observations in many orders and numbers of arrival; all must come to the same."""
    seen = [
        Observation(
            item["id"],
            item["event"],
            datetime.fromisoformat(item["at"]),
            item.get("about", ""),
            item.get("data"),
        )
        for item in case.get("observations", ())
    ]
    chance = random.Random(0)
    state = fold(rules, flows, case.get("order", {}), seen)
    for _ in range(ARRIVALS if flows._decide and len(seen) > 1 else 0):
        arrived = [*seen, *chance.choices(seen, k=chance.randrange(len(seen) + 1))]
        chance.shuffle(arrived)
        assert state == fold(rules, flows, case.get("order", {}), arrived)
    return shown(state)


def shown(state: CaseState) -> Any:
    effects = [
        [item.flow, item.observation, item.after_sale, dict(item.changes), item.call]
        for item in state.effects
    ]
    return {
        "order": state.order,
        "claims": state.after_sales,
        "effects": effects,
        "ignored": list(state.ignored),
    }


def commanded(
    rules: Ruleset, flows: PlannedFlows, case: dict[str, Any], tables: Tables, as_of: datetime
) -> Any:
    session = ActionSession(rules, record.compile_plan(rules.plan()), as_of, tables)
    results = []
    for item in case.get("commands", ()):
        fact = let_in(rules.fact.type, item["fact"])
        result = command(rules, flows, session.judge(fact), item["action"], fact)
        results.append(
            {
                "done": result.done,
                "reason": result.state.reason,
                "changes": dict(result.changes),
                "calls": list(result.calls),
            }
        )
    return results


@pytest.mark.parametrize("folder", CASES, ids=lambda folder: folder.name)
def test_every_evaluator_answers_a_case_as_expected(folder: Path, request: pytest.FixtureRequest) -> None:
    assert {file.name for file in folder.iterdir()} - FILES == set()
    case = json.loads((folder / "input.json").read_text(encoding="utf-8"))
    assert set() == set(case) - KEYS, "unknown keys"
    rules = ruleset((folder / "rules.yaml").read_text(encoding="utf-8"), SYNTHETIC)
    if (folder / "waivers.yaml").exists():
        rules = waived(rules, folder / "waivers.yaml")
    rows = {
        name: [let_in(vocabulary(SYNTHETIC).tables[name].row, row) for row in rows]
        for name, rows in case.get("tables", {}).items()
    }
    run = {"eligibility": eligibility, "mapping": mapping, "actions": actions}[rules.kind]
    answer = run(
        rules, case, Tables(rows), datetime.fromisoformat(case.get("as_of", "2022-03-08T12:00:00+08:00"))
    )
    answer = json.loads(json.dumps(plain(answer), ensure_ascii=False))
    golden = folder / "expected.json"
    if request.config.getoption("--update-goldens"):
        golden.write_text(json.dumps(answer, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    assert json.loads(golden.read_text(encoding="utf-8")) == answer


def waived(rules: Ruleset, file: Path) -> Ruleset:
    diagnostics = Diagnostics()
    _, root = read_file(file, file.name, diagnostics)
    assert root is not None
    found = read_waivers(root, {"eligibility": rules}, vocabulary(SYNTHETIC), diagnostics)
    assert [] == diagnostics.items
    return Ruleset(
        rules.name,
        rules.kind,
        rules.fact,
        rules.rules,
        rules.flows,
        found["eligibility"][0],
        rules.version,
        rules.file,
    )


def test_the_corpus_is_found_and_large_enough() -> None:
    assert len(CASES) >= 30
    assert {"expected.json", "input.json", "rules.yaml"} <= {
        file.name for folder in CASES for file in folder.iterdir()
    }


def test_every_operator_and_every_outcome_occurs_in_the_corpus() -> None:
    from engine.operators import operators

    rules = "\n".join((folder / "rules.yaml").read_text(encoding="utf-8") for folder in CASES)
    assert [] == [name for name in operators() if f"{name}:" not in rules]
    expected = "\n".join((folder / "expected.json").read_text(encoding="utf-8") for folder in CASES)
    for word in ("accepted", "rejected", "undetermined", "waived", "enabled", "disabled", "hidden"):
        assert f'"{word}"' in expected
