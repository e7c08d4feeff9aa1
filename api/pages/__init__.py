"""The pages for people: each file of this folder holds a group of them, as `PAGES`."""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module

from api.console import Pages


@cache
def pages() -> tuple[Pages, ...]:
    """Find every group of pages, by the name of its file."""
    names = sorted(info.name for info in pkgutil.iter_modules(__path__))
    return tuple(import_module(f"{__name__}.{name}").PAGES for name in names if not name.startswith("_"))
