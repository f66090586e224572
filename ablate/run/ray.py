"""Attempts in Ray slots: the only home of ray.

Each slot is an actor with its share of CPUs and devices; it owns a fork server and never trains
in its own process. Ray listens on loopback only, with a token, without a dashboard; this is
checked after it has started, and a run that would be reachable from elsewhere does not begin.
"""

import logging
import os
import secrets
import shutil
import signal
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

SETTINGS = {
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # the switch that keeps every socket on loopback
    "RAY_AUTH_MODE": "token",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_task_oom_retries": "0",  # else a trial that outgrows memory is retried for ever
    "RAY_process_group_cleanup_enabled": "1",
    "RAY_worker_niceness": "0",  # the default of 15 starves trials on a busy machine
    "RAY_enable_metrics_collection": "0",
    "RAY_prestart_worker_first_driver": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}
os.environ.update(SETTINGS)
os.environ["RAY_AUTH_TOKEN"] = secrets.token_urlsafe(32)

import ray  # noqa: E402 - reads its settings when it is imported

from ablate.errors import HostError  # noqa: E402
from ablate.run.executor import Ended  # noqa: E402
from ablate.run.folder import Assignment, Exit  # noqa: E402
from ablate.run.owner import alive, owner  # noqa: E402
from ablate.run.provenance import cores  # noqa: E402
from ablate.run.slot import Slot  # noqa: E402
from ablate.run.sockets import exposed, tree  # noqa: E402
from ablate.study import Resources  # noqa: E402

OBJECT_STORE = 100 * 2**20


class _SlotActor:
    def __init__(self, modules: Sequence[str], sys_path: Sequence[str]) -> None:
        self.slot = Slot(modules, sys_path)

    def who(self) -> str:
        return owner()

    def run(self, folder: str, timeout: float | None) -> Exit:
        return self.slot.run(folder, timeout)

    def problems(self) -> list[str]:
        return self.slot.problems

    def stop(self) -> None:
        self.slot.stop()


_ACTOR: Any = ray.remote(_SlotActor)
_OPTIONS = {"max_restarts": 0, "max_task_retries": 0, "max_concurrency": 3}


class RayExecutor:
    """Slots as Ray actors on this machine."""

    def __init__(
        self,
        resources: Resources,
        wanted: int,
        modules: Sequence[str],
        sys_path: Sequence[str],
    ) -> None:
        """Start Ray and at most `wanted` slots; raises HostError when the machine cannot."""
        self._folder = tempfile.mkdtemp(prefix="ablate-", dir="/tmp")  # 0700, and short: sockets
        self._busy: dict[Any, tuple[Assignment, Any]] = {}
        self._stopping = False
        try:
            self._start()
            share = self._share(resources)
            self.gpus = share["num_gpus"]
            self.slots = self._slots(share, wanted)
            made = [_ACTOR.options(**share, **_OPTIONS) for _ in range(self.slots)]
            self._free = [actor.remote(modules, sys_path) for actor in made]
            who = ray.get([actor.who.remote() for actor in self._free])
            self._who = dict(zip(self._free, who, strict=True))
        except (OSError, RuntimeError, ValueError, ray.exceptions.RayError) as wrong:
            self.close()
            raise HostError(f"Ray could not be started: {wrong}") from wrong
        except BaseException:
            self.close()
            raise

    @property
    def free(self) -> int:
        """How many slots wait for an attempt."""
        return len(self._free)

    def submit(self, assignment: Assignment) -> None:
        """Start an attempt in a free slot."""
        actor = self._free.pop()
        ref = actor.run.remote(assignment.folder, assignment.timeout)
        self._busy[ref] = assignment, actor

    def wait(self, timeout: float) -> list[Ended]:
        """The attempts that ended; raises HostError when Ray itself has died."""
        if self._stopping:
            self._stopping = False
            for _, actor in self._busy.values():
                actor.stop.remote()
        ready, _ = ray.wait(list(self._busy), timeout=timeout, fetch_local=False)
        ended = [self._collect(ref) for ref in ready]
        if not ready and not all(alive(who) for who in self._processes):
            self._abandon()
            raise HostError("Ray died; run again to go on from the last checkpoints")
        return ended

    def stop(self) -> None:
        """Ask every running attempt to save and end, at the next `wait`."""
        # called from a signal handler, which may have interrupted Ray itself
        self._stopping = True

    def close(self) -> None:
        """Shut Ray down and remove its session folder."""
        if ray.is_initialized():
            ray.shutdown()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _start(self) -> None:
        ray.init(
            address="local",
            num_cpus=cores(),
            include_dashboard=False,
            log_to_driver=False,
            logging_level=logging.ERROR,
            object_store_memory=OBJECT_STORE,
            _temp_dir=self._folder,
        )
        pids = tree(os.getpid())
        if open_to_others := exposed(pids):
            raise HostError(
                "Ray listens beyond loopback (pid address:port): " + ", ".join(open_to_others)
            )
        names = {pid: _name(pid) for pid in pids}
        self._processes = [owner(p) for p, n in names.items() if n in {"raylet", "gcs_server"}]

    def _share(self, resources: Resources) -> dict[str, float]:
        have = _resources()
        devices = have.get("GPU", 0)
        gpus = resources.gpus if devices else 0.0
        if gpus > devices:
            raise HostError(f"a trial wants {gpus:g} GPUs, this machine has {devices:g}")
        if gpus > 1 and gpus != int(gpus):
            raise HostError(f"a trial wants {gpus:g} GPUs: a part of one, or whole ones")
        if resources.cpus > have.get("CPU", 0):
            raise HostError(f"a trial wants {resources.cpus} cores, this machine has {cores()}")
        return {"num_cpus": resources.cpus, "num_gpus": gpus}

    def _slots(self, share: dict[str, float], wanted: int) -> int:
        have = _resources()
        most = int(have["CPU"] // share["num_cpus"])
        if share["num_gpus"]:
            most = min(most, int(have["GPU"] / share["num_gpus"] + 1e-9))
        return max(1, min(most, wanted))

    def _collect(self, ref: "ray.ObjectRef[Exit]") -> Ended:
        assignment, actor = self._busy.pop(ref)
        try:
            exited = ray.get(ref)
        except ray.exceptions.RayError as wrong:
            exited = Exit(None, 0.0, f"its slot was lost: {type(wrong).__name__}")
        if alive(self._who[actor]):
            self._free.append(actor)
        return Ended(assignment, exited)

    def _abandon(self) -> None:
        # workers of a dead raylet train on: end them here, or two attempts would run at once
        for who in self._who.values():
            if alive(who):
                os.kill(int(who.split(":")[1]), signal.SIGKILL)


def _resources() -> dict[str, float]:
    return dict(ray.cluster_resources())  # type: ignore[no-untyped-call]


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""
