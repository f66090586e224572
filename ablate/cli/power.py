"""`ablate plan --power`: what a design can see, what it would cost to see more. Trains nothing."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    from pathlib import Path

    from ablate.analysis.cells import Cell
    from ablate.analysis.effects import Corner
    from ablate.analysis.planning import Assumed, Question
    from ablate.cli.asking import Asked
    from ablate.cli.hours import Hours
    from ablate.cli.power_sigma import Sigma
    from ablate.metric import Metric
    from ablate.record import State
    from ablate.study import Study, Variant

Json: TypeAlias = dict[str, Any]
UNITS = "stored units of the metric: where its display is percent, fractions (a point is 0.01)"
PAIR = 2
Designed: TypeAlias = Literal["full", "pairs", "add-one", "leave-one-out"]
DESIGNS: tuple[Designed, ...] = ("full", "pairs", "add-one", "leave-one-out")


@dataclass(frozen=True, slots=True)
class Ends:
    """What is assumed, and the same at the ends of sigma's interval, where it has one."""

    usual: "Assumed"
    low: "Assumed | None" = None
    high: "Assumed | None" = None

    def each(self, answer: "Callable[[Assumed], float | None]") -> Json | None:
        """An answer as it comes out; None where there is none whatever sigma is."""
        value = answer(self.usual)
        if self.low is None or self.high is None:
            return None if value is None else {"value": value}
        ends = answer(self.low), answer(self.high)
        if value is None and ends == (None, None):
            return None
        return {"value": value, "at_low_sigma": ends[0], "at_high_sigma": ends[1]}


@dataclass(frozen=True, slots=True)
class Planned:
    """A design: a study's variants with so many seeds each, of which some are `done`.

    `store` is the database that tells the noise of one run, if it is there.
    """

    study: "Study"
    store: "Path"
    variants: "tuple[Variant, ...]"
    seeds: int
    done: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Asking:
    """A question and the variants whose runs answer it."""

    question: "Question"
    variants: tuple[str, ...]


def of_file(found: "Asked", states: "Mapping[str, State]") -> Planned:
    """The design that a study file asks for."""
    variants = {p.variant.name: p.variant for p in found.chosen}
    seeds = len({p.trial.seed for p in found.chosen})
    return Planned(
        found.study, found.project.store, tuple(variants.values()), seeds, _done(found, states)
    )


def document(planned: Planned, sigma: float | None, effect: float | None, hours: "Hours") -> Json:
    """The section `power` of a plan; numbers in stored units, None where there is no answer.

    `sigma` and `effect` are options, in display units. Raises UsageError where they are no spread,
    or where nothing tells the noise of one run.
    """
    from ablate.cli import power_sigma
    from ablate.report.document import metric_document

    study, seeds = planned.study, planned.seeds
    metric = study.metric(study.primary)
    wanted = None if effect is None else power_sigma.positive("--effect", effect, metric)
    if sigma is None:
        noise = power_sigma.stored(study, planned.store)
    else:
        noise = power_sigma.told(sigma, metric)
    ends = _assumed(study, metric, noise)
    cells = _cells(planned.variants)
    grid = _grid(study, cells)
    source = "option"
    if wanted is None:
        source, wanted = _usual_effect(metric, ends.usual)
    answers = []
    for asking in _asked(study, cells, grid):
        needs = _needs(asking.question, wanted, ends)
        most = needs["seeds"]["value"] if needs["seeds"] else None
        cost = _cost(asking, most, planned.done, hours)
        answers.append(_sight(asking.question, seeds, ends) | needs | cost)
    return {
        "metric": metric_document(metric),
        "units": UNITS,
        "alpha": ends.usual.alpha,
        "power": ends.usual.power,
        "margin": ends.usual.margin,
        "blocked": ends.usual.blocked,
        "sigma": _sigma(noise),
        "effect": {"value": wanted, "source": source},
        "cells": len(cells),
        "grid_cells": len(grid),
        "seeds": seeds,
        "hours_unit": hours.unit,
        "questions": answers,
        "designs": _designs(study, grid, seeds, ends),
    }


def _assumed(study: "Study", metric: "Metric", sigma: "Sigma") -> Ends:
    from ablate.analysis.planning import Assumed

    blocked = (sigma.shared or 0.0) if study.claims.paired else None
    margin = study.claims.margin_of(metric)
    usual = Assumed(sigma.value, study.claims.alpha, margin, blocked)
    if sigma.low is None or sigma.high is None:
        return Ends(usual)
    return Ends(usual, replace(usual, sigma=sigma.low), replace(usual, sigma=sigma.high))


def _sigma(sigma: "Sigma") -> Json:
    return {
        "value": sigma.value,
        "source": "option" if sigma.study is None else "study",
        "study": sigma.study,
        "cells": sigma.cells,
        "df": sigma.df,
        "low": sigma.low,
        "high": sigma.high,
        "unseeded": list(sigma.unseeded),
        "shared_by_seed": sigma.shared,
    }


def _usual_effect(metric: "Metric", assumed: "Assumed") -> tuple[str, float]:
    """One point; of what is no percentage, the margin, or else the spread of one run."""
    if metric.display == "percent":
        return "point", 1 / metric.shown(1.0)
    return ("margin", assumed.margin) if assumed.margin else ("sigma", assumed.sigma)


def _done(found: "Asked", states: "Mapping[str, State]") -> dict[str, int]:
    """The study's trials of each variant that a run would not take up."""
    from ablate.record import RERUN, State

    there = {
        (p.variant.name, p.trial.key)
        for p in found.placements
        if states.get(p.trial.key, State.PENDING) not in RERUN
    }
    return Counter(name for name, _ in there)


def _asked(study: "Study", cells: "Sequence[Cell]", grid: "Mapping[Corner, Cell]") -> list[Asking]:
    """Every question, those of equal weights together."""
    found: dict[object, Asking] = {}
    for asking in _each(study, cells, grid):
        of = asking.question
        key = (of.asks, round(of.spread, 9), of.cells)
        if key in found:
            before = found[key]
            about = tuple(dict.fromkeys([*before.question.about, *of.about]))
            variants = dict.fromkeys([*before.variants, *asking.variants])
            asking = Asking(replace(of, about=about), tuple(variants))  # noqa: PLW2901 - grown
        found[key] = asking
    return list(found.values())


def _each(
    study: "Study", cells: "Sequence[Cell]", grid: "Mapping[Corner, Cell]"
) -> Iterator[Asking]:
    from ablate.analysis import planning
    from ablate.design.names import BASELINE
    from ablate.report.sweeps import every

    names = {c.variant for c in cells}
    questions = planning.of_grid(tuple(study.on), list(grid)) if grid else []
    found = [Asking(q, tuple(c.variant for c in grid.values())) for q in questions]
    for swept in every(study, cells):
        if len(swept.rows) > 1:
            of = planning.of_sweep(swept.factor, [level for level, _ in swept.rows], len(cells))
            found += [Asking(q, tuple(c.variant for _, c in swept.rows)) for q in of]
    for cell in cells:
        parent = cell.parent or BASELINE
        if cell.role == "arm" and parent in names:
            found.append(Asking(planning.of_arm(cell.variant), (parent, cell.variant)))
    if not found and len(cells) > 1:
        found.append(Asking(planning.TWO, tuple(c.variant for c in cells)))
    yield from found


def _sight(question: "Question", seeds: int, ends: Ends) -> Json:
    """What a question sees with so many seeds of each cell."""
    from ablate.analysis import planning

    return {
        "asks": question.asks,
        "about": [list(of) for of in question.about],
        "spread": question.spread,
        "cells": question.cells,
        "smallest": ends.each(lambda a: planning.smallest(question, seeds, a)),
        "smallest_by_welch": ends.each(lambda a: planning.smallest_by_welch(question, seeds, a)),
        "negligible": ends.each(lambda a: planning.negligible(question, seeds, a)),
    }


def _needs(question: "Question", wanted: float, ends: Ends) -> Json:
    """The seeds that a question needs to see an effect, or to show that there is none."""
    from ablate.analysis import planning

    return {
        "seeds": ends.each(lambda a: planning.seeds_for(question, wanted, a)),
        "seeds_for_negligible": ends.each(lambda a: planning.seeds_for_negligible(question, a)),
    }


def _cost(asking: Asking, seeds: int | None, done: Mapping[str, int], hours: "Hours") -> Json:
    """Runs still to do, and their hours, for so many seeds of the question's own cells."""
    if seeds is None:
        return {"runs_to_do": None, "hours": None}
    left = {v: max(0, seeds - done.get(v, 0)) for v in asking.variants}
    return {"runs_to_do": sum(left.values()), "hours": hours.of(left)}


def _grid(study: "Study", cells: "Sequence[Cell]") -> "dict[Corner, Cell]":
    from ablate.analysis.effects import corners

    return corners(cells, study.on) if study.on else {}


def _cells(variants: "Iterable[Variant]") -> "list[Cell]":
    """The cells of variants that nothing is known of yet."""
    from ablate.analysis.cells import Cell

    return [Cell(v.name, v.role, v.parent, v.levels, {}, ()) for v in variants]


def _designs(study: "Study", grid: "Mapping[Corner, Cell]", seeds: int, ends: Ends) -> list[Json]:
    """Designs of the grid's modules that cost as many runs as its own, as nearly as seeds allow."""
    modules = len(study.on)
    if modules < PAIR or len(grid) < PAIR:
        return []
    names = [d for d in DESIGNS if d != "pairs" or modules > PAIR]
    return [_design(study, name, grid, len(grid) * seeds, ends) for name in names]


def _design(
    study: "Study", name: Designed, grid: "Mapping[Corner, Cell]", runs: int, ends: Ends
) -> Json:
    """One such design; where it alone has more than twice so many cells, it gets no seed."""
    from ablate import design
    from ablate.analysis import planning
    from ablate.study import Modules

    modules = tuple(study.on)
    alike = replace(study, modules=Modules(modules, name), sweeps=(), arms=(), axes=(), seeds=(0,))
    size = design.count(alike)
    each = int(runs / size + 0.5)
    if not each:
        return {"design": name, "cells": size, "seeds": 0, "runs": 0, "own": False, "answers": []}
    of = grid
    if study.modules is None or study.modules.design != name or len(grid) != size:
        of = _grid(study, _cells(design.variants(alike, limit=None)))
    answers = []
    for question in planning.of_grid(modules, list(of)):
        told = _sight(question, each, ends)
        if not question.about:
            answers.append({key: told[key] for key in ("asks", "smallest", "negligible")})
    return {
        "design": name,
        "cells": len(of),
        "seeds": each,
        "runs": len(of) * each,
        "own": of.keys() == grid.keys(),
        "answers": answers,
    }
