"""The `--map` file of run readers: which keys are factors, and what its scores are."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import Field

from ablate.errors import SpecError
from ablate.metric import Metric
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
        return validated(MapFile, tables)
    except SpecError as wrong:
        raise located(wrong, path, text) from None


def metric_of(name: str, table: MetricTable, known: Mapping[str, Metric]) -> Metric:
    """The metric that a map declares; what it leaves out is as the reader has it."""
    at = known.get(table.key or name)
    given = table.model_fields_set
    digits = table.digits
    if digits is None:
        digits = at.digits if at else 1
    return Metric(
        at.name if at else name,
        table.title or (at.title if at else ""),
        direction=table.direction if at is None or "direction" in given else at.direction,
        display=table.display if at is None or "display" in given else at.display,
        digits=digits,
    )
