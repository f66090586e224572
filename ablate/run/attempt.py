"""One attempt, in the process that it has to itself: build, measure, train, seal the result."""

import os
import random
import resource
import signal
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.random  # numpy loads it when first used: here once, for every child
import torch

from ablate.measure import measure
from ablate.measure.building import RAISED
from ablate.record import Cost, State
from ablate.run.folder import (
    ERROR_LIMIT,
    PROCESS,
    Assignment,
    number,
    read_job,
    write_result,
)
from ablate.run.levels import Levels
from ablate.run.owner import owner
from ablate.run.recorder import FolderRecorder
from ablate.study import changed
from ablate.system import Job, Outcome, System, TrainingError, resolve

UNREAD = "unread"
"""The fact that names the levels off their reference that a training never read."""


class Stopped(BaseException):
    """The user stopped this attempt (inline); no `except Exception` of a training swallows it."""


class OutOfTime(BaseException):
    """The attempt's deadline passed (inline)."""


def main(folder: str) -> int:
    """Run the attempt of `folder` in this process, which is its own; the exit code."""
    assignment = read_job(Path(folder))
    (Path(folder) / PROCESS).write_text(owner())
    recorder = FolderRecorder(Path(folder), [Path(f) for f in assignment.earlier])

    def stop(*_: object) -> None:
        recorder.stopping = True

    signal.signal(signal.SIGTERM, stop)
    return 0 if execute(assignment, recorder) is State.COMPLETED else 1


def execute(assignment: Assignment, recorder: FolderRecorder) -> State:
    """Train and seal the result; a failing training is data, not an exception."""
    verdict: dict[str, object]
    try:
        outcome = _trained(assignment, recorder)
        state = State.CANCELLED if recorder.stopping else State.COMPLETED
        scores = {name: number(value) for name, value in outcome.scores.items()}
        verdict = {"scores": scores, "artifacts": _inside(outcome, Path(assignment.folder))}
        if state is State.CANCELLED:
            verdict |= _error("stopped", "stopped by the user")
    except Stopped:
        state, verdict = State.CANCELLED, _error("stopped", "stopped by the user")
    except OutOfTime:
        state, verdict = State.TIMEOUT, _error("deadline", "stopped at its deadline")
    except TrainingError as said:
        print(said, file=sys.stderr, flush=True)  # noqa: T201 - this is the attempt's own log
        state = State.CRASHED if said.crashed else State.FAILED
        verdict = _error(said.kind, str(said))
    except (Exception, SystemExit, KeyboardInterrupt):  # noqa: BLE001 - whatever a training raises
        wrong = sys.exception()
        text = traceback.format_exc()
        print(text, file=sys.stderr, flush=True)  # noqa: T201 - this is the attempt's own log
        kind = type(wrong).__name__
        state, verdict = State.FAILED, _error(kind, f"{kind}: {wrong}\n\n{text}")
    spent = _spent(assignment, recorder)
    if recorder.program_memory == 0 or (recorder.program_memory and "memory" in recorder.told):
        spent = spent[1:]  # not seen; or the program knows the memory of its device, we do not
    recorder.costs(spent)
    recorder.close()
    result = {
        **verdict,
        "state": str(state),
        "seconds": recorder.seconds,
        "device": _device_name(assignment, recorder),
        "provenance": {**assignment.provenance, **_versions(recorder)},
    }
    write_result(Path(assignment.folder), result)
    return state


def _trained(assignment: Assignment, recorder: FolderRecorder) -> Outcome:
    torch.set_num_threads(assignment.cpus)
    _seed_everything(assignment.seed)
    system = resolve(assignment.system)
    levels = Levels(assignment.levels)
    job = Job(
        levels=levels,
        seed=assignment.seed,
        workdir=Path(assignment.folder),
        data=Path(assignment.data) if assignment.data else None,
        device="cuda" if assignment.gpus > 0 else "cpu",
        recorder=recorder,
        study=assignment.study,
        trial=assignment.key,
        attempt=assignment.number,
        cpus=assignment.cpus,
    )
    _measure(system, job, recorder)
    levels.forget()
    outcome = system.train(job)
    if not isinstance(outcome, Outcome):
        raise TypeError(f"train returned {type(outcome).__name__}, not an ablate.Outcome")
    promised = {m.name for m in system.metrics}
    if not recorder.stopping and not promised & (recorder.metrics | set(outcome.scores)):
        names = ", ".join(sorted(promised))
        raise RuntimeError(f"the training ended without logging any of its metrics ({names})")
    unread = levels.unread(changed(assignment.levels, system.factors))
    if unread and not recorder.stopping and not recorder.carried:  # the beginning was elsewhere
        recorder.fact(UNREAD, ", ".join(unread))
    return outcome


def _measure(system: System, job: Job, recorder: FolderRecorder) -> None:
    if system.probe is None:
        return
    try:
        found = measure(system, job)
        recorder.costs(found.costs)
        if found.reason:
            recorder.note(found.reason if found.costs else f"not measured: {found.reason}")
    except RAISED as wrong:  # a probe that fails costs a number, not the trial
        recorder.note(f"parameters and operations not measured: {wrong!r}")


def _spent(assignment: Assignment, recorder: FolderRecorder) -> list[Cost]:
    whose = "attempt's process"
    if recorder.program_memory is not None:
        whose += " and its program"
        memory = Cost("memory", recorder.program_memory, "B", "peak resident set of the program")
    elif _on_gpu(assignment):
        peak = float(torch.cuda.max_memory_allocated())
        memory = Cost("memory", peak, "B", "torch.cuda.max_memory_allocated")
    else:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024.0
        memory = Cost("memory", peak, "B", "peak resident set of the process")
    return [
        memory,
        Cost("seconds", recorder.seconds, "s", "wall clock"),
        Cost("cpu", recorder.cpu, "s", f"CPU time of the {whose}"),
    ]


def _seed_everything(seed: int) -> None:
    # for trainings that draw from the global generators; named streams do not depend on them
    random.seed(seed)
    numpy.random.seed(seed)  # noqa: NPY002 - the legacy generator is what such trainings draw from
    torch.manual_seed(seed)


def _inside(outcome: Outcome, folder: Path) -> dict[str, str]:
    return {name: os.path.relpath(path, folder) for name, path in outcome.artifacts.items()}


def _error(kind: str, text: str) -> dict[str, object]:
    return {"error_type": kind, "error": text[:ERROR_LIMIT]}


def _on_gpu(assignment: Assignment) -> bool:
    return assignment.gpus > 0 and bool(torch.cuda.is_initialized())  # type: ignore[no-untyped-call]


def _device_name(assignment: Assignment, recorder: FolderRecorder) -> str:
    program = recorder.program_memory is not None and assignment.gpus > 0
    if not (_on_gpu(assignment) or (program and torch.cuda.is_available())):
        return "cpu"
    try:
        return torch.cuda.get_device_name()
    except RuntimeError:  # a device that answers its program alone costs a name, not the trial
        return "cuda"


def _versions(recorder: FolderRecorder) -> Mapping[str, str]:
    if recorder.program_memory is not None:
        return {}  # a program brings its own Python, or none
    return {
        "python": sys.version.split()[0],
        "torch": torch.__version__,
        "numpy": np.__version__,
        "threads": str(torch.get_num_threads()),
    }
