"""The planted defects of every family, as its own modules under `plants/` make them."""

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from ablate.audit.evidence import Evidence

Plant: TypeAlias = Callable[[Evidence], Evidence | None]
"""Makes of a clean study one with a defect; None where it does not fit that study."""
FOLDER = Path(__file__).with_name("plants")


def plants() -> dict[str, dict[str, Plant]]:
    """Code -> module -> its plant."""
    found: dict[str, dict[str, Plant]] = {}
    for path in sorted(FOLDER.glob("*.py")):
        module = importlib.import_module(f"tests.audit.plants.{path.stem}")
        for code, plant in module.PLANTS.items():
            found.setdefault(code, {})[path.stem] = plant
    return found
