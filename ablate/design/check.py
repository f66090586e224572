"""Whether the names and sweeps of a study make sense."""

from ablate.design.names import Keys, cell_name, known, levels_of, lineage, makes, members
from ablate.errors import SpecError, not_one_of
from ablate.study import Arm, Study, Sweep, settled


def check(study: Study) -> None:
    """Raise SpecError (with the keys at fault) unless every name and every sweep makes sense."""
    names = set[str]()
    for i, arm in enumerate(study.arms):
        keys = ("arm", i, "name")
        if arm.name in names:
            raise SpecError(f"there are two arms called {arm.name!r}", keys)
        if makes(study, arm.name):
            raise SpecError(f"arm {arm.name!r} has the name of a cell of [modules]", keys)
        names.add(arm.name)
    for i, arm in enumerate(study.arms):
        lineage(study, arm.name, ("arm", i, "parent"))
        _follow_starts(study, arm, ("arm", i, "start"))
    _check_twins(study)
    for i, sweep in enumerate(study.sweeps):
        _check_sweep(study, sweep, ("sweep", i))


def _check_twins(study: Study) -> None:
    """An arm that is another arm, or a cell of the grid, under a second name."""
    found: dict[object, str] = {}
    for i, arm in enumerate(study.arms):
        levels = settled(levels_of(study, arm.name), study.factors)
        twin = found.setdefault((tuple(levels.items()), arm.start), arm.name)
        if twin == arm.name and arm.start is None and study.modules:
            name = cell_name(study, [m for m, on in study.on.items() if levels[m] == on])
            same = settled(levels_of(study, name), study.factors) == levels
            twin = name if same and makes(study, name) else twin
        if twin != arm.name:
            raise SpecError(
                f"arm {arm.name!r} has the same levels as {twin!r}: one cell, one name",
                ("arm", i, "name"),
            )


def _check_sweep(study: Study, sweep: Sweep, keys: Keys) -> None:
    levels = levels_of(study, sweep.around, (*keys, "around"))
    needed = study.factor(sweep.factor).requires
    while needed is not None:
        if not levels[needed]:
            raise SpecError(
                f"factor {sweep.factor!r} requires {needed!r}, which is off in"
                f" {sweep.around!r}: sweep it around a variant where it is on",
                (*keys, "around"),
            )
        needed = study.factor(needed).requires


def _follow_starts(study: Study, arm: Arm, keys: Keys) -> None:
    arms = {a.name: a for a in study.arms}
    seen = [arm.name]
    while arm.start is not None:
        name = arm.start.arm
        if name in seen:
            raise SpecError(f"arm {seen[0]!r} would start from itself", keys)
        if name not in arms:
            if members(study, name) is None:
                raise SpecError(not_one_of("variant", name, known(study)), keys)
            return
        seen.append(name)
        arm = arms[name]
