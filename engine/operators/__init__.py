"""The operators of the rule language, one file each; the folder is scanned once, there is no list to keep.

A file named `x.py` holds `OPERATOR`, whose id is `x`; a trailing underscore (`in_.py`) keeps Python's own words apart.
Names that begin with an underscore are helpers.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from engine.operators._operator import Argument, Operator, Subject

__all__ = ["Argument", "Operator", "Subject", "operators"]


@cache
def operators() -> Mapping[str, Operator]:
    """Give every operator by id, sorted by id."""
    names = sorted(module.name for module in iter_modules(__path__) if not module.name.startswith("_"))
    found: dict[str, Operator] = {}
    for name in names:
        operator: Operator = import_module(f"{__name__}.{name}").OPERATOR
        assert operator.id == name.rstrip("_"), f"engine/operators/{name}.py holds the operator {operator.id}"
        found[operator.id] = operator
    return found
