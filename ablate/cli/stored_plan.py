"""`ablate plan NAME --power`: what the design of a study in the store can see."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ablate.cli.asking import Wishes
    from ablate.cli.power import Planned
    from ablate.project import Project
    from ablate.record import Record
    from ablate.study import Study


@dataclass(frozen=True, slots=True)
class Asks:
    """The options of `--power`, in display units, and whether JSON is wanted."""

    sigma: float | None
    effect: float | None
    json: bool = False


def answered(name: str, wishes: "Wishes", asks: Asks | None) -> bool:
    """Answer `--power` of the study called `name` in the store, where there is no such file.

    False where there is no such study either, nor a store that could have it. Raises UsageError
    where there is one but `--power` is not asked, or where other options need a study file.
    """
    from ablate.errors import UsageError, not_one_of
    from ablate.project import Project

    project = Project.find()
    if name.endswith(".toml") or not project.store.exists():
        return False
    names = _names(project, needed=asks is not None)
    if name not in names:
        if asks is None or not names:
            return False
        raise UsageError(
            f"{name}: there is no such file; in the store, {not_one_of('study', name, names)}"
        )
    if asks is None:
        raise UsageError(
            f"{name}: there is no such file; of the study of that name in the store"
            f" `ablate plan {name} --power` says what it can see"
        )
    _refuse(name, wishes)
    _show(name, wishes, asks, project)
    return True


def _names(project: "Project", *, needed: bool) -> list[str]:
    """The studies of the store; none where it cannot be read and need not be."""
    from ablate.errors import AblateError
    from ablate.store import open_store

    try:
        with open_store(project.store) as store:
            return store.studies()
    except AblateError:
        if needed:
            raise
        return []


def _refuse(name: str, wishes: "Wishes") -> None:
    """Raise UsageError for what makes another design of a study file."""
    from ablate.errors import UsageError

    given = {
        "KEY=VALUE": wishes.overrides,
        "--only": wishes.only,
        "--scale": wishes.scale,
        "--data": wishes.data,
    }
    option = next((option for option, value in given.items() if value), None)
    if option is not None:
        raise UsageError(
            f"{option} means something with a study file only: {name} is as the store has it"
        )


def _show(name: str, wishes: "Wishes", asks: Asks, project: "Project") -> None:
    from ablate.cli import power, power_text
    from ablate.cli.console import out, print_json
    from ablate.cli.hours import hours_of
    from ablate.cli.plan import counts, head, say_counts
    from ablate.cli.reading import banner
    from ablate.record import RERUN
    from ablate.store import open_store

    with open_store(project.store) as store:
        study, records = store.study(name), store.records(name)
        hours = hours_of(store, name, study.resources)
    banner(study)
    seen = power.document(_planned(study, records, wishes, project), asks.sigma, asks.effect, hours)
    states = {r.key: r.state for r in records}
    left = hours.of(Counter({r.key: r.variant for r in records if r.state in RERUN}.values()))
    if asks.json:
        print_json({**head(study, states, left), "trials": _trials(records), "power": seen})
        return
    out().print(f"{study.name}: as the store has it, data {study.data}", soft_wrap=True)
    power_text.show(seen, study.name, hours)
    say_counts(counts(states), left, hours)


def _planned(
    study: "Study", records: "Sequence[Record]", wishes: "Wishes", project: "Project"
) -> "Planned":
    """The design of the records: their configurations, as often as most of them are placed."""
    from ablate.cli.console import note
    from ablate.cli.power import Planned
    from ablate.record import RERUN
    from ablate.spec import overrides
    from ablate.study import Variant, settled

    variants = {
        r.variant: Variant(r.variant, settled(r.levels, study.factors), r.role, r.parent)
        for r in records
    }
    placed = Counter(r.variant for r in records)
    often = Counter(placed.values())
    usual = max(often, key=lambda n: (often[n], -n), default=0)
    seeds = len(overrides.seeds(wishes.seeds)) if wishes.seeds else usual
    if len(often) > 1 and not wishes.seeds:
        note(
            f"configurations have {min(often)} to {max(often)} runs: the design is taken to have"
            f" {usual} of each, the commonest (--seeds for another)"
        )
    done = Counter(r.variant for r in records if r.state not in RERUN)
    return Planned(study, project.store, tuple(variants.values()), seeds, done)


def _trials(records: "Sequence[Record]") -> list[dict[str, Any]]:
    return [
        {
            "key": r.key,
            "variant": r.variant,
            "role": r.role,
            "parent": r.parent,
            "seed": r.seed,
            "state": str(r.state),
            "levels": dict(r.levels),
            "changed": dict(r.changed),
        }
        for r in records
    ]
