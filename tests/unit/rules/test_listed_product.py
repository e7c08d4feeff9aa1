"""What changed after listing, and stock that may oversell (R33, R34): warnings and notices that decide nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from engine.evaluators.record import compile_plan
from engine.examples import overlaid
from engine.facts import admit
from engine.rulebook import Rulebook
from engine.rules import Ruleset
from engine.session import Session
from engine.tables import Tables

AS_OF = datetime(2026, 11, 23, 4, tzinfo=UTC)
UNCHANGED = {
    "changed": {},
    "in_youzan": True,
    "stock": {"youzan": 46, "channel": 26, "channel_age": 10},
    "skus": [],
}


@pytest.fixture(scope="module")
def ruleset(rulebook: Rulebook) -> Ruleset:
    return rulebook.ruleset("huiju/listed-product")


def found(ruleset: Ruleset, **changes: Any) -> dict[str, tuple[str, str]]:
    named = UNCHANGED | {key.replace("__", "."): value for key, value in changes.items()}
    fact, problems = admit(ruleset.fact.type, overlaid(ruleset.fact.example, named))
    assert problems == ()
    decision = Session(ruleset, compile_plan(ruleset.plan()), Tables(), AS_OF).decide(fact)
    assert decision.outcome == "accepted"
    return {item.rule.rpartition("/")[2]: (item.severity, item.status) for item in decision.findings}


def test_a_product_that_has_not_changed_and_has_stock_gets_no_word(ruleset: Ruleset) -> None:
    """R33, R34."""
    assert {} == found(ruleset)


def test_what_costs_money_is_a_warning_and_what_only_looks_different_a_notice(ruleset: Ruleset) -> None:
    """R33: later changes in Youzan are not sent, so each is said by weight."""
    changes = {
        "on_sale": {"before": True, "after": False},
        "price": {"before": 10000, "after": 12000, "percent": 20},
        "sku_prices": [{"id": "1", "name": "红", "before": 100, "after": 120}],
        "specs": {"before": "颜色：红", "after": "颜色：红、藏青"},
        "title": {"before": "围巾", "after": "加厚围巾"},
        "images": {"before": 3, "after": 4, "new": 1},
    }
    assert {
        "taken-off-sale": ("warning", "violated"),
        "price-changed": ("warning", "violated"),
        "sku-price-changed": ("warning", "violated"),
        "specs-changed": ("warning", "violated"),
        "title-changed": ("notice", "violated"),
        "images-changed": ("notice", "violated"),
    } == found(ruleset, changed=changes)


def test_a_product_that_is_gone_is_a_warning(ruleset: Ruleset) -> None:
    """R33."""
    assert {"gone-from-youzan": ("warning", "violated")} == found(ruleset, in_youzan=False)


def test_a_price_change_is_said_once_by_its_size(ruleset: Ruleset) -> None:
    """R33: five percent is where it becomes urgent."""
    for percent, rule in ((0, "price-changed-slightly"), (4, "price-changed-slightly"), (5, "price-changed")):
        price = {"before": 10000, "after": 10000 + 100 * percent, "percent": percent}
        assert [rule] == list(found(ruleset, changed={"price": price}))


def test_stock_is_warned_of_before_it_oversells_and_noted_when_it_runs_low(ruleset: Ruleset) -> None:
    """R34: Huiju's orders don't reduce Youzan's stock."""
    expected = {
        (46, 46): {},
        (46, 47): {"oversells": ("warning", "violated")},
        (6, 1): {},
        (5, 1): {"stock-low": ("notice", "violated")},
        (5, 0): {},
        (0, 1): {"oversells": ("warning", "violated")},
    }
    for (youzan, channel), findings in expected.items():
        stock = {"youzan": youzan, "channel": channel, "channel_age": 1440}
        assert findings == found(ruleset, stock=stock), (youzan, channel)


def test_a_stock_that_was_read_long_ago_is_noted(ruleset: Ruleset) -> None:
    """R34."""
    stock = {"youzan": 46, "channel": 26, "channel_age": 1441}
    assert {"channel-stock-stale": ("notice", "violated")} == found(ruleset, stock=stock)


def test_one_sku_may_oversell_while_the_product_does_not(ruleset: Ruleset) -> None:
    """R34: said once, by the product where that oversells too."""
    skus = [
        {"id": "1", "name": "红", "youzan": 6, "channel": 7},
        {"id": "2", "name": "蓝", "youzan": 40, "channel": 1},
    ]
    assert {"sku-oversells": ("warning", "violated")} == found(ruleset, skus=skus)
    stock = {"youzan": 7, "channel": 8, "channel_age": 1}
    assert {"oversells": ("warning", "violated")} == found(ruleset, skus=skus, stock=stock)
    unknown = [{"id": "1", "name": "红", "youzan": 6}, {"id": "2", "name": "蓝", "channel": 1}]
    assert {} == found(ruleset, skus=unknown)


def test_a_stock_that_is_not_known_is_not_guessed_at(ruleset: Ruleset) -> None:
    """R34."""
    for stock in ({"youzan": 1}, {"channel": 100}, {}):
        assert {} == found(ruleset, stock=stock)
    assert {} == found(
        ruleset, skus=[{"id": "1", "name": "红", "youzan": 1, "channel": 9}], stock={"youzan": 46}
    )
