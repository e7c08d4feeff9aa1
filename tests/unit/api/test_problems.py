"""Every error of ours is a problem on purpose, not by falling through the table."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

import pytest

import engine
import mappings
import pipeline
from api.problems import BY_STATUS, KINDS, OF_ERRORS, Kind
from engine.errors import ShelfgateError

NEVER_OUT = {
    "DurableError",  # told by the command line; the service's flows go by the `record` evaluator unless a manifest says otherwise
    "HeldBack",  # a worker waits
    "IdError",  # told as a diagnostic of its cell
    "LeaseLost",  # a worker stops
    "MatrixTooLarge",  # told by the command line
    "ListingIncomplete",  # told as the reason of its row
    "ShopIncomplete",  # told by the command line
    "PayloadError",  # a channel's payload: kept as unreadable, or told by who reads it
    "WrongShop",  # told by whoever pulls
}
"""Errors that no request ends with; one that does all the same is a fault, is logged, and is not told."""


def all_errors() -> Iterator[type[ShelfgateError]]:
    """Give every error class of ours."""
    for room in (engine, mappings, pipeline):
        for info in pkgutil.walk_packages(room.__path__, f"{room.__name__}."):
            if ".migrations" not in info.name and info.name != "engine.evaluators.durable":
                importlib.import_module(info.name)
    todo = [ShelfgateError]
    while todo:
        for found in todo.pop().__subclasses__():
            todo.append(found)
            if found.__module__.partition(".")[0] in {"engine", "mappings", "pipeline"}:
                yield found


def test_every_error_has_its_place_in_the_table() -> None:
    listed = tuple(error for error, _ in OF_ERRORS if error is not ShelfgateError)
    left = {error.__name__ for error in all_errors() if not issubclass(error, listed)}
    assert left <= NEVER_OUT


def test_a_subclass_stands_before_its_base() -> None:
    order = [error for error, _ in OF_ERRORS]
    for place, error in enumerate(order):
        assert not any(issubclass(error, earlier) for earlier in order[:place]), error
    assert (ShelfgateError, "fault") == OF_ERRORS[-1]


def test_the_tables_name_kinds_that_there_are() -> None:
    assert {name for _, name in OF_ERRORS} | set(BY_STATUS.values()) <= set(KINDS)
    assert all(KINDS[name].status in {status, 400} for status, name in BY_STATUS.items())


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_a_kind_has_a_status_and_titles_in_both_languages(kind: Kind) -> None:
    assert 400 <= kind.status < 600
    assert any("一" <= char <= "鿿" for char in kind.title)
    assert kind.title_en.isascii()
    assert kind.name.replace("-", "").isalpha()
