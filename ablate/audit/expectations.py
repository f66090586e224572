"""What a study expected of its curves, and did not see."""

from collections.abc import Iterator, Mapping, Sequence

from ablate.record import Finding, Record
from ablate.selection import Curves
from ablate.study import Check, Study


def broken_checks(
    study: Study, records: Sequence[Record], curves: Mapping[str, Curves]
) -> list[Finding]:
    """W250: one finding per broken check, with the trials that broke it; `curves` are by key.

    A check names a metric, as `metric` or `split.metric`, and a step; a trial that logged
    nothing there is left out.
    """
    found = []
    for check in study.checks:
        broke = [
            f"{r.variant} s{r.seed} ({value:.4g})"
            for r in records
            for value in _values(check, curves.get(r.key, {}))
            if not _holds(check, value)
        ]
        if broke:
            found.append(_finding(check, broke))
    return found


def _values(check: Check, curves: Curves) -> Iterator[float]:
    split, _, name = check.metric.rpartition(".")
    for (at, metric), curve in sorted(curves.items()):
        if metric == name and split in {"", at} and check.step in curve:
            yield curve[check.step]
            return


def _holds(check: Check, value: float) -> bool:
    # written so that a NaN holds no bound
    above = check.min is None or value >= check.min
    return above and (check.max is None or value <= check.max)


def _finding(check: Check, broke: Sequence[str]) -> Finding:
    bounds = [
        f"{word} {bound:g}"
        for word, bound in (("at least", check.min), ("at most", check.max))
        if bound is not None
    ]
    shown = ", ".join(broke[:3]) + (f" and {len(broke) - 3} more" if broke[3:] else "")
    return Finding(
        "W250",
        "warning",
        f"the study expects {check.metric} of {' and '.join(bounds)} at step {check.step};"
        f" broken by {shown}",
        "ablate show TRIAL",
    )
