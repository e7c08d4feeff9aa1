"""Tables and batches: what is there, what is not, and what is counted."""

from __future__ import annotations

from engine.plan import Ref
from engine.tables import Batch, Tables

ROWS = [
    {"id": "1", "name": "东"},
    {"id": "1", "name": "西"},
    {"name": "南"},
    {"id": None, "name": "北"},
    {"id": "2"},
]
ID, DEPOT = Ref(0, ("id",)), Ref(0, ("depot", "id"))


def test_a_table_that_is_missing_is_not_one_that_is_empty() -> None:
    tables = Tables({"empty": []})
    assert {} == tables.by("empty", "id")
    assert None is tables.by("missing", "id")
    assert None is tables.rows("missing")
    assert ("empty",) == tables.names()


def test_rows_are_found_by_value_and_those_without_one_are_left_out() -> None:
    tables = Tables({"depots": iter(ROWS)})
    assert {"1": ROWS[:2], "2": ROWS[4:]} == tables.by("depots", "id")
    assert ROWS == tables.rows("depots")
    assert {} == tables.by("depots", "nothing")


def test_replaced_tables_leave_the_others_and_the_original_alone() -> None:
    tables = Tables({"a": ROWS, "b": []})
    other = tables.replaced({"b": ROWS[:1]})
    assert ROWS[:1] == other.rows("b")
    assert [] == tables.rows("b")
    assert tables is tables.replaced({})


def test_what_is_made_of_the_tables_is_made_once() -> None:
    tables, made = Tables(), []
    assert [1] == [tables.view("key", lambda: made.append(1) or made) for _ in range(3)][2]


def test_a_batch_counts_values_and_knows_their_rows() -> None:
    batch = Batch([ID, DEPOT, ID])
    for label, fact in [
        ("2", {"id": "a", "depot": {"id": "x"}}),
        ("3", {"id": "a", "depot": None}),
        ("4", {}),
        ("5", {"id": None}),
    ]:
        batch.add(fact, label)
    assert {"id": {"a": 2}, "depot.id": {"x": 1}} == batch.counts
    assert ["2", "3"] == batch.labels(ID, "a")
    assert [] == batch.labels(ID, "b")
    assert [] == batch.labels(Ref(0, ("other",)), "a")
