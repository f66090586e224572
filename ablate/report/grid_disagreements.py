"""Where the metrics of a grid disagree: on the direction of an effect, or on the best cell."""

from collections.abc import Mapping, Sequence
from typing import Any

from ablate.metric import Metric
from ablate.report.grid_questions import ZERO

Document = dict[str, Any]


def disagreements(metrics: Sequence[Metric], by_metric: Mapping[str, Document]) -> Document:
    """The effects that are better on one metric and worse on another, and each metric's best.

    An effect is decided where its verdict is positive on one and negative on another.
    """
    found: list[Document] = []
    for part, kind in (("modules", "main"), ("pairs", "averaged")):
        first = by_metric[metrics[0].name][part]
        for i, entry in enumerate(first):
            sides: dict[bool, list[str]] = {}
            decided = set()
            for m in metrics:
                effect = by_metric[m.name][part][i][kind]["effect"]
                inert = by_metric[m.name][part][i][kind]["inert"]
                if effect is None or inert or abs(effect["estimate"]) < ZERO:
                    continue
                better = (effect["estimate"] > 0) == (m.direction == "up")
                sides.setdefault(better, []).append(m.name)
                decided.add(by_metric[m.name][part][i][kind]["verdict"])
            if len(sides) > 1:
                modules = [entry["module"]] if part == "modules" else entry["modules"]
                found.append(
                    {
                        "kind": kind,
                        "modules": modules,
                        "better": sides[True],
                        "worse": sides[False],
                        "decided": {"positive", "negative"} <= decided,
                    }
                )
    best = {}
    for m in metrics:
        known = [c for c in by_metric[m.name]["cells"] if c["mean"] is not None and not c["lost"]]
        if known:
            top = (max if m.direction == "up" else min)(known, key=lambda c: c["mean"])
            best[m.name] = [c["variant"] for c in known if c["mean"] == top["mean"]]
    return {"effects": found, "best": best}
