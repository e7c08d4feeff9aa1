"""The resources of the API: each file of this folder holds one, as `RESOURCE`."""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module

from api.routes import Resource


@cache
def resources() -> tuple[Resource, ...]:
    """Find every resource, by the name of its file."""
    names = sorted(info.name for info in pkgutil.iter_modules(__path__))
    return tuple(import_module(f"{__name__}.{name}").RESOURCE for name in names if not name.startswith("_"))
