"""The parts of the store that need no database."""

from __future__ import annotations

import json
import threading
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects import postgresql, sqlite

from engine.decision import canonical, plain
from pipeline.store import Base, StoreRefused, new_id
from pipeline.store.types import PlainText, UtcDateTime, json_text

WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc"]))
DIALECTS = (sqlite.dialect(), postgresql.dialect())


def test_ids_are_unique_and_in_order_within_a_process() -> None:
    made = [new_id() for _ in range(10_000)]
    assert sorted(set(made)) == made
    assert {32} == {len(one) for one in made}


def test_ids_are_unique_between_threads() -> None:
    made: list[str] = []
    threads = [threading.Thread(target=lambda: made.extend(new_id() for _ in range(2000))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 8000 == len(set(made))


@given(st.datetimes(timezones=st.integers(-14 * 60, 14 * 60).map(lambda m: timezone(timedelta(minutes=m)))))
def test_a_moment_survives_what_either_database_does_to_it(moment: object) -> None:
    kind = UtcDateTime()
    for dialect in DIALECTS:
        try:
            kept = kind.process_bind_param(moment, dialect)  # type: ignore[arg-type]
        except OverflowError:  # the first and last hours that a datetime can hold have no UTC
            continue
        assert kept is not None
        shown = (
            kept.replace(tzinfo=None)
            if dialect.name == "sqlite"
            else kept.astimezone(timezone(timedelta(hours=8)))
        )
        assert moment == kind.process_result_value(shown, dialect)


@given(st.text())
def test_a_text_is_kept_or_refused_and_never_changed(text: str) -> None:
    bad = "\0" in text or any("\ud800" <= c <= "\udfff" for c in text)
    for dialect in DIALECTS:
        if bad:
            with pytest.raises(StoreRefused):
                PlainText().process_bind_param(text, dialect)
        else:
            assert text == PlainText().process_bind_param(text, dialect)


@given(st.text(alphabet=st.sampled_from("\\u0\0a")))
def test_json_is_refused_exactly_where_a_text_in_it_holds_nul(text: str) -> None:
    r"""A backslash before `u0000` may itself be escaped, and then there is no NUL."""
    if "\0" in text:
        with pytest.raises(StoreRefused):
            json_text({"a": [text]})
    else:
        assert text in json_text(text).encode().decode("unicode_escape")


def test_every_table_and_constraint_has_a_name_of_its_own() -> None:
    names = [
        str(item.name)
        for table in Base.metadata.tables.values()
        for item in (*table.constraints, *table.indexes)
    ]
    assert "None" not in names
    assert sorted(set(names)) == sorted(names)
    assert max(map(len, names)) <= 63, "PostgreSQL cuts longer names"


def test_every_moment_is_kept_in_utc() -> None:
    from sqlalchemy import DateTime

    assert [] == [
        f"{table.name}.{column.name}"
        for table in Base.metadata.tables.values()
        for column in table.columns
        if isinstance(column.type, DateTime)
    ]


def test_moments_in_json_are_written_as_decisions_write_them() -> None:
    moment = datetime(2022, 3, 8, 9, tzinfo=timezone(timedelta(hours=8)))
    fact = {"id": "1", "created_at": moment, "days": [moment.date()]}
    assert plain(fact) == json.loads(json_text(fact))


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | WORDS,
        lambda inner: st.lists(inner) | st.dictionaries(WORDS, inner),
    )
)
def test_json_with_sorted_keys_is_what_is_hashed(value: object) -> None:
    """The key of a call is made of the very text that is kept: a payload that is read back has the same key."""
    assert canonical(value) == json_text(value, sort_keys=True).encode()
