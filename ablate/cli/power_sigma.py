"""The noise of one run that `ablate plan --power` assumes: as told, or as the store has it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ablate.analysis.contrast import Sample
    from ablate.metric import Metric
    from ablate.store import Store
    from ablate.study import Study


MOST_SHARED = 0.999


@dataclass(frozen=True, slots=True)
class Sigma:
    """The standard deviation of one run in stored units, and where it is from.

    From a study: its name, the cells and degrees of freedom behind it, a 95 % chi-square interval,
    the cells left out because their runs are one run, and the share of the variance that the seed
    brings to every cell of the grid.
    """

    value: float
    study: str | None = None
    cells: int = 0
    df: int | None = None
    low: float | None = None
    high: float | None = None
    unseeded: tuple[str, ...] = ()
    shared: float | None = None


def told(sigma: float, metric: "Metric") -> Sigma:
    """What `--sigma` says, in display units; raises UsageError where it is no spread."""
    return Sigma(positive("--sigma", sigma, metric))


def positive(option: str, value: float, metric: "Metric") -> float:
    """An option in display units as a stored number; raises UsageError unless it is above 0."""
    import math

    from ablate.errors import UsageError

    if not (math.isfinite(value) and value > 0):
        of = f"{metric.unit} of {metric.label}" if metric.unit else metric.label
        raise UsageError(f"{option} {value:g}: it must be a finite number above 0, in {of}")
    return value / metric.shown(1.0)


def stored(study: "Study", path: "Path") -> Sigma:
    """The noise of this study's own runs, else of the last like it; raises UsageError for none.

    `path` is that of the database, which may not be there.
    """
    from ablate.store import open_store

    if not path.exists():
        raise _unknown(study, "there is no database yet")
    with open_store(path) as store:
        names = store.studies()
        own = study.name
        for name in [*(n for n in names if n == own), *(n for n in names if n != own)]:
            sigma = _of_study(store, store.study(name), study)
            if sigma is not None:
                return sigma
    raise _unknown(
        study,
        f"no configuration of study {own!r}, or of another of system {study.system} at"
        f" {study.scale} scale on these data, has two completed runs with that score",
    )


def _unknown(study: "Study", why: str) -> Exception:
    from ablate.errors import UsageError

    metric = study.metric(study.primary)
    unit = f" ({metric.unit})" if metric.unit else ""
    return UsageError(
        f"--power needs the standard deviation of one run's {metric.label}{unit}: {why};"
        " give it with --sigma"
    )


def _of_study(store: "Store", held: "Study", study: "Study") -> Sigma | None:
    """The pooled noise of a study's cells; None where it is another question or has no replicates.

    Cells of one function (W204) are replicates of each other.

    Raises UsageError where the study's own runs agree to the last digit over the seeds.
    """
    from collections import Counter

    from ablate.analysis.cells import cells, trained_apart
    from ablate.analysis.contrast import noise
    from ablate.audit.catalogue import check_of
    from ablate.audit.check import ask
    from ablate.audit.gather import gather
    from ablate.audit.liveness import functions

    metric = study.metric(study.primary).name
    if not _like(held, study):
        return None
    every = cells(store.records(held.name, study.selection))
    function = functions(held, every)
    runs = Counter(function[c.variant] for c in every for _ in c.runs(metric))
    pooled_over = [c for c in every if c.runs(metric) and runs[function[c.variant]] > 1]
    replicated = [c for c in pooled_over if len(c.runs(metric)) > 1]
    alike = [c for c in replicated if len({v for _, v in c.runs(metric)}) == 1]
    told = ask([check_of("W126")], gather(store, held)) if alike else []
    one_run = {key for f in told for key in f.keys}
    seedless = [c for c in alike if {r.key for r in c.completed} <= one_run]
    usable = trained_apart([c for c in pooled_over if c not in seedless])
    groups = [function[c.variant] for c in usable]
    pooled = noise([c.runs(metric) for c in usable], groups=groups)
    if pooled is not None:
        return Sigma(
            pooled.sd,
            held.name,
            len(usable),
            pooled.df,
            pooled.interval.low,
            pooled.interval.high,
            tuple(c.variant for c in seedless),
            _shared([c.runs(metric) for c in usable if c.role == "grid"]),
        )
    if replicated and held.name == study.name:
        code = " (W126)" if seedless else ""
        raise _unknown(
            study,
            f"the runs of study {held.name!r} agree over the seeds to the last digit{code},"
            " which tells nothing of it",
        )
    return None


def _shared(samples: "Sequence[Sample]") -> float | None:
    """The seeds' share of the variance; None where it is unknown, or where nothing else is left."""
    from ablate.analysis.correlation import intraclass

    value = intraclass(samples).value
    return None if value is None or value > MOST_SHARED else value


def _like(held: "Study", study: "Study") -> bool:
    """Whether a stored study's noise is this one's: same system and scale, same data.

    One of the same name may have them elsewhere, but not the stand-in for the real ones.
    """
    same = held.data == study.data or held.name == study.name
    return (
        (held.system, held.scale, held.standin) == (study.system, study.scale, study.standin)
        and same
        and study.primary.lower() in {m.name.lower() for m in held.metrics}
    )
