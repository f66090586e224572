"""What a program finds in its environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ablate.command.declaration import Declaration
from ablate.system import Job

WORK = "work"
METRICS = "metrics.jsonl"
CHECKPOINTS = "checkpoints"
PARAMS = "params.json"
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True, slots=True)
class Places:
    """Where an attempt's program puts its things: `work` is its own folder."""

    work: Path
    metrics: Path
    checkpoints: Path
    params: Path


def places(folder: Path) -> Places:
    """The places inside an attempt's folder."""
    work = folder / WORK
    return Places(work, work / METRICS, work / CHECKPOINTS, folder / PARAMS)


def environment(declared: Declaration, job: Job, checkpoint: Path | None) -> dict[str, str]:
    """The variables of the program: ours, with the declared ones and what it is told of its trial.

    The settings of the Ray that runs the slots are left out; the devices are those of the slot, or
    the user's own.
    """
    at = places(job.workdir)
    told = {
        "ABLATE_STUDY": job.study,
        "ABLATE_TRIAL": job.trial,
        "ABLATE_ATTEMPT": str(job.attempt),
        "ABLATE_SEED": str(job.seed),
        "ABLATE_WORKDIR": str(at.work),
        "ABLATE_PARAMS": str(at.params),
        "ABLATE_METRICS": str(at.metrics),
        "ABLATE_CHECKPOINTS": str(at.checkpoints),
    }
    if job.data is not None:
        told["ABLATE_DATA"] = str(job.data)
    if checkpoint is not None:
        told["ABLATE_RESUME"] = str(checkpoint)
    ours = {k: v for k, v in os.environ.items() if not k.startswith(("RAY_", "ABLATE_"))}
    steady = {"PYTHONHASHSEED": "0", **dict.fromkeys(_THREADS, str(job.cpus))}
    unbuffered = {"PYTHONUNBUFFERED": ours.get("PYTHONUNBUFFERED", "1")}
    return {
        **ours,
        **steady,
        **unbuffered,
        **_import_path(declared, ours),
        **declared.table.environment,
        **told,
    }


def _import_path(declared: Declaration, ours: Mapping[str, str]) -> dict[str, str]:
    """With a copy of the code, Python finds the copy before anything that is installed."""
    copied = declared.snapshot
    if copied is None:
        return {}
    before = [Path(p) for p in ours.get("PYTHONPATH", "").split(os.pathsep) if p]
    moved = [
        copied.folder / p.relative_to(copied.origin) if p.is_relative_to(copied.origin) else p
        for p in before
    ]
    own = [declared.directory, copied.folder, copied.folder / "src"]
    found = dict.fromkeys(str(p) for p in [*own, *moved])
    return {"PYTHONPATH": os.pathsep.join(found)}
