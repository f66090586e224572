"""The promises of a system, each with the check that finds it broken."""

import math
from collections.abc import Mapping
from pathlib import Path

import torch

from ablate.errors import DeclarationError
from ablate.measure.reach import Key, parameters
from ablate.selection import LAST
from ablate.study import Level
from ablate.system import Job, Outcome, System, check_declaration
from ablate.testing.notebook import Notebook
from ablate.testing.probing import check_probe
from ablate.testing.variants import OTHER_SEED, SEED, levels_with, switches


def check_system(
    system: System, folder: Path, shorten: Mapping[str, Level] | None = None
) -> tuple[str, ...]:
    """Raise AssertionError unless `system` keeps the promises that a study relies on.

    Its declaration is sound; at one seed all variants share the weights that they have in common;
    its probe says whose parameters are whose and computes finite losses; a training reports every
    metric; one that is stopped and resumed ends as if undisturbed. It trains three times on the
    CPU: `shorten` are levels that make that short, `folder` is an empty folder. Returns one line
    for every check that could not be made and for every surprise that is no fault.
    """
    check_levels(system)
    notes = check_streams(system, folder, shorten) + check_probe(system, folder, shorten)
    check_training(system, folder / "reference", levels_with(system, {}, shorten))
    everything = levels_with(system, {f.name: True for f in switches(system)}, shorten)
    check_resume(system, folder / "everything", everything)
    return notes


def check_levels(system: System) -> None:
    """The declaration: unique names, `requires` that exist, references in canonical form."""
    try:
        check_declaration(system)
    except DeclarationError as wrong:
        raise AssertionError(str(wrong)) from None
    for factor in system.factors:
        level = factor.level(factor.reference)
        if type(level) is not type(factor.reference) or level != factor.reference:
            raise AssertionError(
                f"factor {factor.name!r}: reference {factor.reference!r} is not in the form its"
                f" kind has: write {level!r}"
            )


def check_streams(
    system: System, folder: Path, shorten: Mapping[str, Level] | None = None
) -> tuple[str, ...]:
    """Switching a module on leaves every weight it shares with the reference as it was."""
    if system.probe is None:
        return (f"streams: system {system.name!r} has no probe, so its weights cannot be compared",)
    folder.mkdir(parents=True, exist_ok=True)
    reference = _weights(system, folder, levels_with(system, {}, shorten), SEED)
    for switch in switches(system):
        levels = levels_with(system, {switch.name: True}, shorten)
        other = _weights(system, folder, levels, SEED)
        moved = [n for n in _common(reference, other) if not _same(reference[n], other[n])]
        if moved:
            raise AssertionError(
                f"switching {switch.name!r} on changes the initial weights {moved[0][1]!r} of"
                f" part {moved[0][0]!r} and {len(moved) - 1} more: build each module under its own"
                " init_stream"
            )
    elsewhere = _weights(system, folder, levels_with(system, {}, shorten), OTHER_SEED)
    if all(_same(reference[n], elsewhere[n]) for n in _common(reference, elsewhere)):
        raise AssertionError("two seeds give the same initial weights: draw from job.stream")
    return ()


def check_training(
    system: System, folder: Path, levels: Mapping[str, Level]
) -> Mapping[str, float]:
    """One training reports a finite score for every metric; returns those scores."""
    return _scores(system, *_train(system, folder, levels, Notebook(folder / "checkpoints")))


def check_resume(system: System, folder: Path, levels: Mapping[str, Level]) -> None:
    """A training stopped after its first checkpoint and resumed ends with the same scores."""
    expected = check_training(system, folder / "undisturbed", levels)
    stopped = Notebook(folder / "checkpoints", stop_after=1)
    _train(system, folder / "stopped", levels, stopped)
    if not stopped.saved:
        raise AssertionError("the training never saves: call job.save at the end of every epoch")
    resumed = Notebook(stopped.folder, curves=stopped.curves, saved=stopped.saved)
    found = _scores(system, *_train(system, folder / "resumed", levels, resumed))
    for metric, score in expected.items():
        if found[metric] != score:
            raise AssertionError(
                f"{metric} is {found[metric]!r} after a resume and {score!r} undisturbed:"
                " save and load the optimizer, the schedule and the epoch, and draw from"
                " job.stream by epoch"
            )


def _weights(
    system: System, folder: Path, levels: Mapping[str, Level], seed: int
) -> dict[Key, torch.Tensor]:
    assert system.probe is not None
    probe = system.probe(Job(levels, seed, folder))
    return {key: weight.detach().clone() for key, weight in parameters(probe).items()}


def _common(a: Mapping[Key, torch.Tensor], b: Mapping[Key, torch.Tensor]) -> list[Key]:
    names = [n for n in a if n in b and a[n].shape == b[n].shape]
    if not names:
        raise AssertionError("two variants share no parameter by name: name parts consistently")
    return names


def _same(a: torch.Tensor, b: torch.Tensor) -> bool:
    return torch.equal(a.cpu(), b.cpu())


def _train(
    system: System, folder: Path, levels: Mapping[str, Level], notebook: Notebook
) -> tuple[Notebook, Outcome]:
    folder.mkdir(parents=True, exist_ok=True)
    outcome = system.train(Job(levels, SEED, folder, recorder=notebook))
    if not isinstance(outcome, Outcome):
        raise AssertionError(  # noqa: TRY004 - every broken promise is an AssertionError
            f"train returns a {type(outcome).__name__}, not an Outcome"
        )
    return notebook, outcome


def _scores(system: System, notebook: Notebook, outcome: Outcome) -> dict[str, float]:
    logged = LAST.apply(notebook.curves, {m.name: m.direction for m in system.metrics})
    scores = {name: score.value for name, score in logged.items()} | dict(outcome.scores)
    declared = {m.name for m in system.metrics}
    if extra := sorted(set(outcome.scores) - declared):
        raise AssertionError(f"the outcome has the score {extra[0]!r}, which no metric declares")
    for name in declared:
        if name not in scores:
            curves = ", ".join(sorted(f"{s}.{n}" for s, n in notebook.curves)) or "none"
            raise AssertionError(f"metric {name!r} is never logged nor returned (curves: {curves})")
        if not math.isfinite(scores[name]):
            raise AssertionError(f"metric {name!r} ends as {scores[name]} in a short training")
    return scores
