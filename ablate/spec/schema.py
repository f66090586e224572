"""The tables of a study file, as they are written."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from ablate.study import SEED_LIMIT

NAME = r"[a-z0-9][a-z0-9._-]{0,63}"

Name = Annotated[str, StringConstraints(pattern=rf"\A{NAME}\z")]
Text = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Seed = Annotated[int, Field(ge=0, lt=SEED_LIMIT)]
Setting = bool | int | float | str
Settings = dict[str, object]


class Table(BaseModel):
    """A table that holds what it declares and nothing else, each value of its own type."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class StudyTable(Table):
    """[study]: what is asked, of which system, over which seeds."""

    name: Name
    title: Annotated[str, StringConstraints(max_length=200)] = ""
    note: Annotated[str, StringConstraints(max_length=1000)] = ""
    system: Text
    seeds: Annotated[list[Seed], Field(min_length=1)]
    primary: Text
    select: Text = "last"


class ModulesTable(Table):
    """[modules]: the on/off grid."""

    factors: Annotated[list[Text], Field(min_length=1, max_length=64)]
    design: Literal["full", "add-one", "leave-one-out", "pairs", "ladder"] = "full"


class SweepTable(Table):
    """[[sweep]]: one factor at a time around a variant."""

    around: Text
    factor: Text
    levels: Annotated[list[Setting], Field(min_length=1, max_length=1000)]


class ArmTable(Table):
    """[[arm]]: a named variant."""

    name: Name
    parent: Text | None = None
    set: Settings = {}
    start: Text | None = None
    start_seed: Seed | None = None


class CheckTable(Table):
    """[[checks]]: an expectation of a curve at a step."""

    metric: Text
    step: Annotated[int, Field(ge=0)]
    min: float | None = None
    max: float | None = None
    stop: bool = False


class ClaimsTable(Table):
    """[claims]: what the report may say."""

    alpha: Annotated[float, Field(gt=0, lt=1)] = 0.05
    margin: Annotated[float, Field(ge=0)] = 0.5
    paired: bool = False
    margins: dict[Text, Annotated[float, Field(ge=0)]] = {}


class ResourcesTable(Table):
    """[resources]: a trial's share and its deadline."""

    cpus: Annotated[int, Field(ge=1, le=4096)] = 1
    gpus: Annotated[float, Field(ge=0, le=4096)] = 0.0
    timeout: str | int | float | None = None


class DataTable(Table):
    """[data]: the data set's folder, inside the project's data folder."""

    root: Text


class ScaleTable(Table):
    """[scale.NAME]: levels that make the study smaller or larger."""

    set: Settings


class StudyFile(Table):
    """A whole study file."""

    study: StudyTable
    fixed: Settings = {}
    modules: ModulesTable | None = None
    sweep: Annotated[list[SweepTable], Field(max_length=1000)] = []
    arm: Annotated[list[ArmTable], Field(max_length=1000)] = []
    checks: Annotated[list[CheckTable], Field(max_length=1000)] = []
    groups: dict[Text, dict[Text, Annotated[list[Text], Field(min_length=1)]]] = {}
    tiers: dict[Text, Annotated[float, Field(gt=0)]] = {}
    limits: dict[Text, Annotated[float, Field(ge=0)]] = {}
    claims: ClaimsTable = ClaimsTable()
    resources: ResourcesTable = ResourcesTable()
    data: DataTable | None = None
    scale: dict[Name, ScaleTable] = {}
