"""Facts that a service sends are judged as `shelfgate check` judges rows, and as the rules' own examples say."""

from __future__ import annotations

import json
import re
import threading
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, select

from engine.decision import plain
from engine.examples import ANY_DAY, overlaid, run_examples
from engine.facts import admit
from engine.rulebook import Rulebook
from engine.tables import Tables
from engine.wording import SHANGHAI
from mappings.sheet import open_upload
from mappings.youzan import product_from_item
from pipeline.checking import Checker
from pipeline.shops import shop_fact
from pipeline.store import Listing, ReferenceSnapshot, Store, database_now
from pipeline.validating import LOOK, MOST_SHOPS, SPARING, ShopTables, explained, validate
from tests.integration.demo_shop import SHOP, payloads

AS_OF = datetime(2022, 3, 18, 4, tzinfo=UTC)


@pytest.fixture
def tables(desk: Any) -> Tables:
    return ShopTables(desk.store).of(SHOP, "huiju")


def over_the_wire(rulebook: Rulebook, fact: str, data: Any) -> Any:
    """Write a fact as JSON and let it in again, as a service's request is."""
    admitted, problems = admit(rulebook.vocabulary.facts[fact].type, json.loads(json.dumps(plain(data))))
    assert () == problems
    return admitted


def test_the_rows_of_the_example_are_judged_as_check_judges_them(
    desk: Any, rulebook: Rulebook, tables: Tables, example: bytes
) -> None:
    """The whole sheet as one batch: products twice in it are found in both."""
    products = {fact["id"]: fact for fact in map(product_from_item, payloads())}
    rows = list(open_upload(example, "上架表.xlsx").rows)
    shop = shop_fact(desk.store, "huiju", SHOP)
    checker = Checker(rulebook, rulebook.channels["huiju"], AS_OF, tables, shop)
    decide = checker.decider(rows)
    facts = []
    for row in rows:
        product = products.get(row.row.get("product_id", ""))
        facts.append({"shop": shop, "row": row.row} | ({"product": product} if product else {}))
    sent = [over_the_wire(rulebook, "listing", fact) for fact in facts]
    position = {str(row.number): str(number) for number, row in enumerate(rows, start=1)}

    def counted(data: Any) -> Any:
        """Number rows as a service counts its facts: check names the rows of the sheet, where there is a heading."""
        written = json.dumps(data, ensure_ascii=False)
        return json.loads(
            re.sub(
                "第 ([0-9、]+) 行都有",
                lambda found: f"第 {'、'.join(position[number] for number in found[1].split('、'))} 行都有",
                written,
            )
        )

    for place, ruleset in enumerate(checker.rulesets()):
        expected = [counted(decide(fact)[place].as_data()) for fact in facts]
        answers = validate(rulebook, ruleset, tables, AS_OF, sent)
        assert [(item["outcome"], item["findings"]) for item in expected] == [
            (item["outcome"], item["findings"]) for item in answers
        ]
    eligible = validate(rulebook, rulebook.ruleset("huiju/eligibility"), tables, AS_OF, sent)
    rules = {finding["rule"] for answer in eligible for finding in answer["findings"]}
    assert "huiju/eligibility/twice-in-upload" in rules
    assert len(rules) > 10


def test_every_example_of_every_rule_comes_out_as_it_says(rulebook: Rulebook) -> None:
    """The examples are written by whoever wrote the rule: validating must agree with all of them, of all kinds."""
    assert all(result.passed for result in run_examples(rulebook))
    base = {
        name: [admit(table.row, row)[0] for row in table.example or ()]
        for name, table in rulebook.vocabulary.tables.items()
    }
    seen = 0
    for ruleset in rulebook.rulesets():
        for rule in ruleset.rules:
            name = f"{ruleset.name}/{rule.common.id}"
            for example in rule.common.examples:
                changed = {
                    table: [admit(rulebook.vocabulary.tables[table].row, row)[0] for row in rows or ()]
                    for table, rows in example.tables.items()
                }
                facts = [
                    over_the_wire(rulebook, ruleset.fact.name, overlaid(ruleset.fact.example, overlay))
                    for overlay in (example.overlay, *example.also)
                ]
                day = example.as_of or rule.common.first_day or rule.common.last_day or ANY_DAY
                as_of = datetime.combine(day, time(12), SHANGHAI)
                with_tables = Tables(base | changed)
                answer = validate(rulebook, ruleset, with_tables, as_of, facts)[0]
                told = explained(ruleset, with_tables, as_of, facts)[0]
                (verdict,) = [item["verdict"] for item in told if item["rule"] == name]
                seen += 1
                if ruleset.kind == "mapping":
                    wanted = example.to if isinstance(example.to, list) else [example.to]
                    mapped = [item["value"] for item in answer["mapped"] if item["rule"] == rule.common.id]
                    assert plain(wanted) == mapped, name
                    continue
                assert example.expect == verdict, name
                if ruleset.kind == "eligibility":
                    status = {item["rule"]: item["status"] for item in answer["findings"]}.get(name, "")
                    assert {"accept": "", "reject": "violated", "undetermined": "undetermined"}[
                        example.expect
                    ] == status.replace("waived", "violated"), name
                else:
                    held_by = {
                        rule for action in answer["actions"] for rule in (action["rule"], *action["also"])
                    }
                    shown = bool(answer["masks"] or answer["hidden"])
                    if example.expect == "accept":
                        assert name not in held_by, name
                    else:
                        assert name in held_by or shown, name
    assert seen > 50


def test_a_mapping_is_explained_by_what_it_could_not_map(rulebook: Rulebook, tables: Tables) -> None:
    ruleset = rulebook.ruleset("huiju/spec-mapping")
    good, problems = admit(ruleset.fact.type, ruleset.fact.example)
    assert () == problems
    answers = validate(rulebook, ruleset, tables, AS_OF, [good])
    (told,) = explained(ruleset, tables, AS_OF, [good])
    failing = {item["rule"] for item in answers[0]["findings"] if item["severity"] == "error"}
    assert failing == {item["rule"] for item in told if item["verdict"] != "accept"}


def test_facts_of_one_request_are_one_batch_and_of_two_are_two(rulebook: Rulebook, tables: Tables) -> None:
    ruleset = rulebook.ruleset("huiju/eligibility")
    fact, _ = admit(ruleset.fact.type, ruleset.fact.example)
    twice = "huiju/eligibility/twice-in-upload"
    for facts, expected in (([fact, fact], True), ([fact], False)):
        for answer in validate(rulebook, ruleset, tables, AS_OF, facts):
            assert expected is (twice in {finding["rule"] for finding in answer["findings"]})


@pytest.fixture
def clock() -> list[float]:
    return [100.0]


def test_a_new_listing_is_seen_within_a_second(desk: Any, clock: list[float]) -> None:
    tables = ShopTables(desk.store, lambda: clock[0])
    first = tables.of(SHOP, "huiju")
    with desk.store.write() as session:
        now = database_now(session)
        session.add(
            Listing(
                channel="huiju", shop_id=SHOP, product_id="1", state="listed", channel_product_id="88", created_at=now,
                listed_at=now,
            )
        )  # fmt: skip
    assert tables.of(SHOP, "huiju") is first
    clock[0] += LOOK
    second = tables.of(SHOP, "huiju")
    assert second is not first
    assert "1" in {row["product_id"] for row in listings(second)}
    clock[0] += LOOK
    assert tables.of(SHOP, "huiju") is second


def listings(tables: Tables) -> list[Any]:
    return list(tables.rows("listings") or ())


def test_a_listing_that_goes_from_reserved_to_listed_and_one_that_is_gone_are_seen(
    desk: Any, clock: list[float]
) -> None:
    tables = ShopTables(desk.store, lambda: clock[0])
    with desk.store.write() as session:
        session.add(
            Listing(
                channel="huiju", shop_id=SHOP, product_id="1", state="reserved", created_at=database_now(session)
            )
        )  # fmt: skip
    seen = [tables.of(SHOP, "huiju")]
    with desk.store.write() as session:
        row = session.scalars(select(Listing).where(Listing.product_id == "1")).one()
        row.state, row.channel_product_id, row.listed_at = "listed", "88", database_now(session)
    clock[0] += LOOK
    seen.append(tables.of(SHOP, "huiju"))
    with desk.store.write() as session:
        session.execute(delete(Listing).where(Listing.product_id == "1"))
    clock[0] += LOOK
    seen.append(tables.of(SHOP, "huiju"))
    assert 3 == len({id(item) for item in seen})


def test_reference_data_that_is_pulled_anew_is_seen(desk: Any, clock: list[float]) -> None:
    tables = ShopTables(desk.store, lambda: clock[0])
    first = tables.of(SHOP, "huiju")
    with desk.store.write() as session:
        snapshot = session.scalars(select(ReferenceSnapshot).where(ReferenceSnapshot.kind == "brands")).one()
        snapshot.rows, snapshot.checked_at = [{"id": "1", "name": "新品牌"}], database_now(session)
    clock[0] += LOOK
    assert tables.of(SHOP, "huiju") is not first


def test_a_shop_without_reference_data_has_no_tables(store: Store) -> None:
    assert ShopTables(store).of("nobody", "huiju").rows("brands") is None


def test_while_one_thread_looks_the_others_go_on_with_what_is_held(
    desk: Any, clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reading tens of thousands of listings takes its time: nobody else waits for it, and it is not done all the time."""
    tables = ShopTables(desk.store, lambda: clock[0])
    held = tables.of(SHOP, "huiju")
    looking, go_on = threading.Event(), threading.Event()

    def slow(*_: str) -> Tables:
        looking.set()
        assert go_on.wait(30)
        clock[0] += 2.0
        return Tables()

    monkeypatch.setattr(tables, "_load", slow)
    with desk.store.write() as session:
        session.execute(delete(Listing))
    clock[0] += LOOK
    found: list[Tables] = []
    thread = threading.Thread(target=lambda: found.append(tables.of(SHOP, "huiju")))
    thread.start()
    assert looking.wait(30)
    assert tables.of(SHOP, "huiju") is held
    go_on.set()
    thread.join()
    (new,) = found
    assert new is not held
    with desk.store.write() as session:
        session.execute(delete(ReferenceSnapshot))
    for waited, expected in ((0, new), (SPARING * 2.0 - 0.1, new)):
        clock[0] += waited
        assert tables.of(SHOP, "huiju") is expected
    clock[0] += 0.2
    assert tables.of(SHOP, "huiju") is not new


def test_only_so_many_shops_are_held_and_threads_share_them(store: Store) -> None:
    tables = ShopTables(store)
    crew = [
        threading.Thread(target=lambda n=n: [tables.of(f"{n}-{m}", "huiju") for m in range(20)])  # type: ignore[misc]
        for n in range(4)
    ]
    for thread in crew:
        thread.start()
    for thread in crew:
        thread.join()
    assert len(tables._held) <= MOST_SHOPS


def test_the_moment_asked_for_decides(rulebook: Rulebook, tables: Tables) -> None:
    """R3: the closed beta of February is the answer for February."""
    eligibility = rulebook.ruleset("huiju/eligibility")
    data = overlaid(eligibility.fact.example, {"shop.beta_approved": False})
    fact, _ = admit(eligibility.fact.type, data)
    outcomes = [
        {
            item["rule"].rpartition("/")[2]
            for item in validate(rulebook, eligibility, tables, day, [fact])[0]["findings"]
        }
        for day in (datetime(2022, 2, 20, tzinfo=UTC), datetime(2022, 3, 8, tzinfo=UTC) + timedelta(days=1))
    ]
    assert outcomes[0] - outcomes[1]
