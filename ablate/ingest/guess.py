"""A study file and a system proposed from old runs: what their authors would have written."""

import math
import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from ablate.design import BASELINE
from ablate.design.names import grid_name, members
from ablate.errors import UsageError
from ablate.ingest.assemble import BY_NAME, Assembled, slug
from ablate.ingest.evidence import on_gpu, seed_key
from ablate.ingest.factors import OFF, ON, Keyed
from ablate.ingest.gather import Gathered, trained
from ablate.ingest.roles import variants
from ablate.record import State
from ablate.spec import written
from ablate.spec.keys import last
from ablate.spec.keys import words as words_of
from ablate.study import Kind, Level, Placement, Variant, changed

UNSEEDED = (
    'How the program is told its seed is not in the logs: write seed = "KEY", or {seed} into the'
    " command, before you run it"
)
FULL_GRID = 6
"""Up to so many switches the grid is proposed whole; beyond, each is added alone."""
_TIMES, _LEAST, _HOUR, _LONGEST = 5, 600, 3600, 64
_STYLES = {
    "demo": ("K V", "python train_net.py {command} {overrides} {own}"),
    "mmdet": (
        "k=v",
        "python tools/train.py {command} --work-dir {workdir} --cfg-options {overrides}",
    ),
    "histories": ("yaml", "python train.py {command} --config {overrides}"),
}
_ANY = ("--k v", "python train.py {command} {overrides} {own}")
_FOLDERS = frozenset(("output_dir", "out_dir", "outdir", "work_dir", "workdir", "save_dir"))
_KINDS = {Kind.BOOL: "switch", Kind.INT: "whole", Kind.FLOAT: "number", Kind.STR: "text"}


@dataclass(frozen=True, slots=True)
class Guess:
    """The two texts: a study file, and the stanza of its system in `ablate.toml`."""

    name: str
    system: str
    study: str
    stanza: str
    command: str
    notes: tuple[str, ...] = ()
    """What has to be settled by hand before the system is run."""


def guess(gathered: Gathered, found: Assembled, system: str) -> Guess:
    """What the runs propose; the program's own name is not in a log, so `command` is marked.

    Raises UsageError where no setting tells the runs apart.
    """
    if not any(k.key != BY_NAME for k in found.factors):
        raise UsageError(
            "no setting differs between these runs, so nothing can be proposed: import them without"
            " --guess"
        )
    command = _command(gathered)
    found = found if _gridded(found) else _ungridded(found)
    return Guess(
        found.study.name,
        system,
        study=_study(gathered, found, system),
        stanza=_stanza(gathered, found, system, command),
        command=command,
        notes=() if seed_key(gathered) else (UNSEEDED,),
    )


def _gridded(found: Assembled) -> bool:
    """Whether the runs are of a grid of switches: two of its cells at least."""
    return len({p.variant.name for p in found.placements if p and p.variant.role == "grid"}) > 1


def _ungridded(found: Assembled) -> Assembled:
    """The same runs as steps of sweeps and as arms: no grid that nobody began is proposed."""
    placed = [p for p in found.placements if p is not None]
    made = iter(variants([p.variant.levels for p in placed], found.study.factors, ()))
    return replace(
        found,
        study=replace(found.study, modules=None),
        placements=tuple(p and replace(p, variant=next(made)) for p in found.placements),
    )


def _command(gathered: Gathered) -> str:
    """The command line that all runs share, around the guessed name of a program."""
    lines = [gathered.outlines[i].run.command for i in trained(gathered)]
    said = [_options(line) for line in lines]
    shared = [pair for pair in said[0] if all(pair in other for other in said)] if said else []
    words = " ".join(shlex.quote(w) for pair in shared for w in pair)
    kept = words.replace("{", "{{").replace("}", "}}")
    own = _folder(gathered)
    return " ".join(_style(gathered)[1].replace("{command}", kept).replace("{own}", own).split())


def _folder(gathered: Gathered) -> str:
    """The option by which the program is told where it may write: else all trials share a place."""
    keys = [k for k in gathered.settings if "_".join(words_of(last(k))) in _FOLDERS]
    if len(keys) != 1:
        return ""
    style = _style(gathered)[0]
    return {"K V": f"{keys[0]} {{workdir}}", "--k v": f"--{last(keys[0])} {{workdir}}"}.get(
        style, ""
    )


def _style(gathered: Gathered) -> tuple[str, str]:
    return _STYLES.get(gathered.reader, _ANY)


def _options(line: str) -> list[tuple[str, ...]]:
    """Options with their values, and words of their own."""
    try:
        words = shlex.split(line)
    except ValueError:
        words = line.split()
    found: list[tuple[str, ...]] = []
    for word in words:
        option = found[-1] if found else ()
        alone = len(option) == 1 and option[0].startswith("-") and "=" not in option[0]
        if alone and word[:1] != "-":
            found[-1] = (option[0], word)
        else:
            found.append((word,))
    return found


def _stanza(gathered: Gathered, found: Assembled, system: str, command: str) -> str:
    head: dict[str, object] = {"command": command, "style": _style(gathered)[0]}
    seed = seed_key(gathered)
    if seed:
        head["seed"] = seed
    head["reader"] = gathered.reader
    name = written.key("systems", system)
    lines = [
        "# The name of the program is not in its logs: check the command before you run it.",
        *([] if seed else [f"# {UNSEEDED}."]),
        *written.table(f"[{name}]", head),
    ]
    factors = [
        [
            *_flagged(k, _style(gathered)[0]),
            *written.table(
                f"[{written.key('systems', system, 'factors', k.factor.name)}]", _factor(k)
            ),
        ]
        for k in found.factors
    ]
    metrics = [
        written.table(
            f"[{written.key('systems', system, 'metrics', m.name)}]",
            {
                **({"title": m.title} if m.title else {}),
                "direction": m.direction,
                "display": m.display,
                "digits": m.digits,
            },
        )
        for m in found.study.metrics
    ]
    return written.document([lines, *factors, *metrics])


def _flagged(keyed: Keyed, style: str) -> Iterator[str]:
    """No log tells an option that is a flag from one that takes True and False."""
    if keyed.factor.kind is Kind.BOOL and style.startswith("--"):
        yield (
            f"# If the program takes --{written.key(keyed.key)} without a value (a flag), write"
            " flag = true."
        )


def _factor(keyed: Keyed) -> dict[str, object]:
    factor = keyed.factor
    table: dict[str, object] = {
        "key": keyed.key,
        "kind": _KINDS[factor.kind],
        "reference": factor.reference,
    }
    if factor.requires:
        table["requires"] = factor.requires
    if factor.kind is Kind.BOOL and (keyed.on, keyed.off) != (ON, OFF):
        table |= {"on": keyed.on, "off": keyed.off}
    return table


def _study(gathered: Gathered, found: Assembled, system: str) -> str:
    study = found.study
    placed = [p for p in found.placements if p is not None]
    count = f"{len(placed)} {'run' if len(placed) == 1 else 'runs'}"
    head: dict[str, object] = {
        "name": study.name,
        "system": system,
        "seeds": _seeds(gathered, found),
        "primary": study.primary,
        "select": str(study.selection),
    }
    tables: list[Sequence[str]] = [
        [f"# Proposed from {count} by `ablate import --guess`.", *written.table("[study]", head)]
    ]
    if study.modules:
        design = "full" if _whole(found) else "add-one"
        modules = {"factors": list(study.modules.factors), "design": design}
        tables.append(written.table("[modules]", modules))
    tables += _sweeps(found, placed)
    named = [(o.run.name, p) for o, p in zip(gathered.outlines, found.placements, strict=True)]
    tables += _arms(found, [(run, p) for run, p in named if p is not None])
    tables.append(written.table("[resources]", _resources(gathered, found)))
    return written.document(tables)


def _seeds(gathered: Gathered, found: Assembled) -> list[int]:
    """Those of the runs that completed: one cut log of another seed asks for no more of it."""
    whole = {
        p.trial.seed
        for o, p in zip(gathered.outlines, found.placements, strict=True)
        if p is not None and o.run.state is State.COMPLETED
    }
    return sorted(whole) or list(found.study.seeds)


def _sweeps(found: Assembled, placed: Iterable[Placement]) -> list[list[str]]:
    """One per factor and the variant that it was moved around, its reference among the levels."""
    study = found.study
    levels: dict[tuple[str, str], set[Level]] = {}
    for placement in placed:
        variant = placement.variant
        if variant.role == "sweep":
            (moved,) = _moved(found, variant)
            levels.setdefault((_around(found, variant), moved), set()).add(variant.levels[moved])
    return [
        written.table(
            "[[sweep]]",
            {
                "around": around,
                "factor": name,
                "levels": _sorted(of | {study.factor(name).reference}),
            },
        )
        for (around, name), of in levels.items()
    ]


def _sorted(levels: set[Level]) -> list[Level]:
    return sorted(levels, key=lambda v: (isinstance(v, str), v))


def _arms(found: Assembled, placed: Sequence[tuple[str, Placement]]) -> list[list[str]]:
    """Variants that move several factors at once, and cells that no proposed grid makes.

    Each has the name of its first run.
    """
    arms: dict[str, list[str]] = {}
    taken: set[str] = set()
    rooted = found.study.modules or any(p.variant.name == BASELINE for _, p in placed)
    for run, placement in placed:
        variant = placement.variant
        alone = variant.role == "grid" and not _whole(found) and len(_on(found, variant)) > 1
        if (variant.role == "arm" or alone) and variant.name not in arms:
            moved = list(_on(found, variant)) if alone else _moved(found, variant)
            plain = slug(run)
            cell = members(found.study, plain) is not None
            name = _free(f"arm-{plain}"[:_LONGEST] if cell else plain, taken)
            taken.add(name)
            parent = {"parent": BASELINE if alone else _around(found, variant)}
            lines = written.table("[[arm]]", {"name": name, **(parent if rooted else {})})
            inner = {n: variant.levels[n] for n in moved}
            arms[variant.name] = [*lines, *written.table("[arm.set]", inner)]
    return list(arms.values())


def _whole(found: Assembled) -> bool:
    return found.study.modules is None or len(found.study.modules.factors) <= FULL_GRID


def _on(found: Assembled, variant: Variant) -> list[str]:
    return [m for m, on in found.study.on.items() if variant.levels[m] == on]


def _free(name: str, taken: set[str]) -> str:
    numbered = (f"{name[:60]}-{n}" for n in range(2, 10_000))
    return name if name not in taken else next(n for n in numbered if n not in taken)


def _moved(found: Assembled, variant: Variant) -> list[str]:
    modules = found.study.on
    return [n for n in changed(variant.levels, found.study.factors) if n not in modules]


def _around(found: Assembled, variant: Variant) -> str:
    """The cell of the grid that a variant stands on."""
    on = [found.study.factor(m) for m in _on(found, variant)]
    return grid_name(on, len(found.study.on)) if found.study.modules else BASELINE


def _resources(gathered: Gathered, found: Assembled) -> dict[str, object]:
    """A GPU each where their records name one, and five times the longest run as the deadline.

    Ten minutes at least.
    """
    longest = max(
        (
            c.value
            for i, p in enumerate(found.placements)
            if p is not None and gathered.outlines[i].run.state is State.COMPLETED
            for c in gathered.outlines[i].run.costs
            if c.name == "seconds" and math.isfinite(c.value)
        ),
        default=0.0,
    )
    table: dict[str, object] = {"cpus": 1, **({"gpus": 1} if on_gpu(gathered) else {})}
    if longest > 0:
        hours = max(_TIMES * longest, _LEAST) / _HOUR
        table["timeout"] = f"{math.ceil(hours)}h" if hours > 1 else f"{math.ceil(hours * 60)}m"
    return table
