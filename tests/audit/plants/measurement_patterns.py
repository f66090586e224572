"""Runs of the first module whose output is scored twice, as a log of two patterns has it."""

from collections.abc import Callable
from dataclasses import replace

from ablate.audit.evidence import Evidence


def a_second_output(evidence: Evidence) -> Evidence:
    """A worse second output is scored beside that which counts, where the first module is on."""
    module, level = next(iter(evidence.study.on.items()))
    primary = evidence.study.primary
    sign = 1 if evidence.study.metric(primary).direction == "up" else -1
    curves = dict(evidence.curves)
    for record in evidence.records:
        if record.levels[module] == level:
            split = record.scores[primary].split
            own = curves[record.key]
            worse = {s: v - sign * 0.01 for s, v in own[split, primary].items()}
            curves[record.key] = {**own, (f"{split}.ori", primary): worse}
    return replace(evidence, curves=curves)


PLANTS: dict[str, Callable[[Evidence], Evidence]] = {"W123": a_second_output}
