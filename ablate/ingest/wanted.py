"""The `--map` file of run readers: which keys are factors, and what its scores are."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from pydantic import Field

from ablate.errors import SpecError, not_one_of
from ablate.metric import Metric
from ablate.spec import systems
from ablate.spec.document import validated
from ablate.spec.schema import Table, Text
from ablate.spec.systems import FactorTable, MetricTable
from ablate.spec.toml import load, located


class MapFile(Table):
    """What a map says of runs: factors by name, scores by name, the seed's key, keys to ignore."""

    factors: dict[Text, FactorTable] = Field(default_factory=dict)
    metrics: dict[Text, MetricTable] = Field(default_factory=dict)
    seed: Text | None = None
    ignore: list[Text] = Field(default_factory=list)


NOTHING = MapFile()


def read_wanted(path: Path) -> MapFile:
    """The map at `path`; raises SpecError with file, line and key."""
    text, tables = load(path)
    try:
        wanted = validated(MapFile, tables)
        for name, table in wanted.factors.items():
            _check(name, table, wanted)
    except SpecError as wrong:
        raise located(wrong, path, text) from None
    return wanted


def _check(name: str, table: FactorTable, wanted: MapFile) -> None:
    try:
        systems.factor(name, table)
    except SpecError as wrong:
        raise SpecError(str(wrong), ("factors", name, *wrong.keys)) from None
    if table.requires is not None and table.requires not in wanted.factors:
        known = [n for n in wanted.factors if n != name]
        raise SpecError(not_one_of("factor", table.requires, known), ("factors", name, "requires"))


def metric_of(name: str, table: MetricTable, known: Mapping[str, Metric]) -> Metric:
    """The metric that a map declares; what it leaves out is as the reader has it."""
    at = known.get(table.key or name)
    made = systems.metric(at.name if at else name, table)
    kept = {
        field: getattr(at, field)
        for field in ("title", "direction", "display", "digits")
        if at is not None and field not in table.model_fields_set
    }
    return replace(made, **kept)
