"""Put the rules into the wheel, so that the installed command works in an empty folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SHIPPED = {"rules": "engine/shipped/rules", "rulesets.yaml": "engine/shipped/rulesets.yaml"}


class RulesHook(BuildHookInterface):
    """Copy the rulebook into a wheel, and leave an editable install to read the checkout's own."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Name the files to be copied.

        Args:
            version: `standard` for a wheel, `editable` for an editable install.
            build_data: What hatchling is about to build; its `force_include` maps source to target.
        """
        if version != "standard":
            return
        root = Path(self.root)
        build_data["force_include"].update({str(root / source): target for source, target in SHIPPED.items()})
