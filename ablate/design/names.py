"""What variants are called, and the levels that a name stands for."""

from collections.abc import Mapping, Sequence

from ablate.errors import SpecError, not_one_of
from ablate.study import Arm, Factor, Level, Study

BASELINE = "baseline"
FULL = "full"
PAIR = 2

Keys = tuple[str | int, ...]


def variant_name(
    levels: Mapping[str, Level],
    factors: Sequence[Factor],
    modules: Sequence[str] = (),
    fixed: Mapping[str, Level] | None = None,
) -> str:
    """The name of a variant in a study of `modules`: `baseline`, `full lif.beta=0.2`, ...

    Levels that are neither `fixed` nor the reference follow as `factor=level`.
    """
    usual = {f.name: f.reference for f in factors} | dict(fixed or {})
    rest = [
        f"{name}={shown(level)}"
        for name, level in levels.items()
        if name not in modules and level != usual.get(name)
    ]
    grid = [f for f in factors if f.name in modules]
    on = [f for f in grid if f.sides and levels.get(f.name) == f.sides[1]]
    ordered = sorted(on, key=lambda f: modules.index(f.name))
    return " ".join([grid_name(ordered, len(modules)), *rest])


def shown(level: Level) -> str:
    """A level as names and tables print it: `true`, `0.2`, `focal`, `""`, and `1` for 1.0."""
    if isinstance(level, bool):
        return str(level).lower()
    return repr(level).removesuffix(".0") if isinstance(level, float) else str(level) or '""'


def token(module: Factor) -> str:
    """What a module that is on adds to a cell's name: `sacr`, or `loss=focal` for a choice."""
    on = module.sides[1] if module.sides else True
    return module.name if on is True else f"{module.name}={shown(on)}"


def grid_name(on: Sequence[Factor], modules: int) -> str:
    """What the cell is called in which these of the grid's modules are on."""
    if not on:
        return BASELINE
    return FULL if len(on) == modules else "+".join(map(token, on))


def members(study: Study, name: str) -> tuple[str, ...] | None:
    """The modules that are on in the variant a grid would call `name`; None if it never would."""
    modules = study.modules.factors if study.modules else ()
    if name == BASELINE:
        return ()
    if name == FULL and modules:
        return modules
    words = name.split("+")
    tokens = {m: token(study.factor(m)) for m in modules}
    if len(set(words)) != len(words) or not set(words) <= set(tokens.values()):
        return None
    return tuple(m for m in modules if tokens[m] in words)


def makes(study: Study, name: str) -> bool:
    """Whether the grid's design makes the cell called `name`."""
    on = members(study, name)
    if study.modules is None or on is None:
        return False
    modules = study.modules.factors
    return {
        "full": True,
        "add-one": len(on) <= 1,
        "pairs": len(on) <= PAIR,
        "leave-one-out": len(on) >= len(modules) - 1,
        "ladder": on == modules[: len(on)],
    }[study.modules.design]


def canonical(study: Study, name: str) -> str:
    """`name` with its modules in the study's order; an arm's own name first."""
    if any(a.name == name for a in study.arms):
        return name
    on = members(study, name)
    return name if on is None else cell_name(study, on)


def cell_name(study: Study, on: Sequence[str]) -> str:
    """What the cell of the study's grid with the modules `on` is called."""
    return grid_name([study.factor(m) for m in on], len(study.on))


def lineage(study: Study, name: str, keys: Keys) -> list[Arm]:
    """The arms from `name` up to the first that stands on a grid cell or on the reference."""
    arms = {a.name: a for a in study.arms}
    line: list[Arm] = []
    seen = set[str]()
    at: str | None = name
    while at in arms:
        if at in seen:
            round_trip = " -> ".join([*(a.name for a in line[:8]), at])
            raise SpecError(f"arm {name!r} is its own ancestor: {round_trip}", keys)
        seen.add(at)
        line.append(arms[at])
        at = arms[at].parent
    if at is not None and members(study, at) is None:
        raise SpecError(not_one_of("variant", at, known(study)), keys)
    return line


def known(study: Study) -> list[str]:
    """Names to suggest; not every combination."""
    modules = study.modules.factors if study.modules else ()
    alone = [token(study.factor(m)) for m in modules]
    return [BASELINE, *([FULL] if modules else []), *alone, *(a.name for a in study.arms)]


def referenced(study: Study) -> list[str]:
    """Names of grid cells that arms or sweeps stand on and that the design itself leaves out."""
    named = [s.around for s in study.sweeps]
    named += [a.parent for a in study.arms if a.parent]
    named += [a.start.arm for a in study.arms if a.start]
    arms = {a.name for a in study.arms}
    missing = dict.fromkeys(
        canonical(study, n) for n in named if n not in arms and members(study, n) is not None
    )
    left_out = [n for n in missing if not makes(study, n)]
    alone = study.modules is None and not study.arms and BASELINE not in left_out
    return [BASELINE, *left_out] if alone else left_out


def _base(study: Study) -> dict[str, Level]:
    return {f.name: f.reference for f in study.factors} | dict(study.fixed)


def levels_of(study: Study, name: str, keys: Keys = ()) -> dict[str, Level]:
    """What the variant called `name` sets each factor to, whatever its switch says.

    Raises SpecError with `keys` when there is no such name.
    """
    line = lineage(study, name, keys)
    root = line[-1].parent if line else name
    levels = _base(study)
    on = members(study, root) if root is not None else None
    if on is not None:
        sides = {m: study.factor(m).sides for m in study.on}
        levels |= {m: s[m in on] for m, s in sides.items() if s}
    for arm in reversed(line):
        levels |= arm.set
    return levels
