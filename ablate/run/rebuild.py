"""A new database from what lies beside the old one: `ablate db rebuild`."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ablate.errors import AblateError, LockedError, StoreError
from ablate.record import Attempt, Finding, State
from ablate.run.folder import PROCESS, Assignment, read_job
from ablate.run.owner import alive
from ablate.run.stored import STORED, read_stored
from ablate.store import Store, open_store
from ablate.store.beside import BY_HAND, read_study, study_files
from ablate.store.connection import BACKUPS, check, settle_aside
from ablate.store.schema import SAME_RESULTS
from ablate.study import Trial


@dataclass(slots=True)
class Rebuilt:
    """What a rebuild found: counts, and a line for each thing that it could not bring back."""

    studies: int = 0
    attempts: int = 0
    imported: int = 0
    copied: list[str] = field(default_factory=list)
    """From which copies of the database imported trials came, a line each."""
    old: Path | None = None
    lost: list[str] = field(default_factory=list)


def rebuild(path: Path) -> Rebuilt:
    """Make the database at `path` anew from the folders beside it; the old file is kept aside.

    What was imported is copied from the old file where that can be read, else from the newest
    copies that can. Raises LockedError where a run is going on.
    """
    folder = path.parent
    _refuse_running(folder / "attempts")
    done = Rebuilt()
    fresh = folder / f".{path.name}.rebuilt"
    for left in folder.glob(f"{fresh.name}*"):
        left.unlink()
    old = _readable(path, done)
    with open_store(fresh, create=True) as store:
        _studies(store, folder, done)
        _attempts(store, done)
        if old is not None:
            done.imported = store.put_imported(path)
            for study, findings in old.items():
                store.put_findings(study, findings)
        _from_copies(store, folder / BACKUPS, done)
        done.lost += imports(store.forgotten())
        done.lost += store.restore_by_hand(folder / BY_HAND)
        wrong = store.problems()
    if wrong:
        raise StoreError(f"{fresh}: what was rebuilt does not hold together: {wrong[0]}")
    done.old = settle_aside(path, fresh)
    return done


def _refuse_running(attempts: Path) -> None:
    for process in sorted(attempts.glob(f"*/*/{PROCESS}")):
        if not (process.parent / STORED).exists() and alive(process.read_text()):
            raise LockedError(f"{process.parent}: this attempt is running; wait for its end")


def _readable(path: Path, done: Rebuilt) -> dict[str, list[Finding]] | None:
    """The findings of each study of the old database; None where it can no longer be read.

    Where it can, what lies beside it is first written as it has it.
    """
    if not path.exists():
        return None
    try:
        with open_store(path) as store:
            living = [a for a in store.running() if alive(a.owner)]
            found = {name: store.findings(name) for name in store.studies()}
            store.write_beside()
    except StoreError as wrong:
        done.lost.append(f"what only the old database held: {wrong}")
        return None
    if living:
        raise LockedError(f"trial {living[0].key} is being run; wait for the end of the run")
    return found


def imports(forgotten: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    """What is to be imported again: trials by study and source, a line each."""
    for study, sources in forgotten.items():
        for source, count in Counter(sources.values()).items():
            trials = "1 trial" if count == 1 else f"{count} trials"
            yield f"{trials} of study {study} came from `ablate {source}`: import them again"


def _from_copies(store: Store, backups: Path, done: Rebuilt) -> None:
    """Imported trials that are nowhere else come from copies of the database, the newest first."""
    for copy in sorted(backups.glob("*.db"), key=lambda f: f.stat().st_mtime_ns, reverse=True):
        wanted = {key for of in store.forgotten().values() for key in of}
        if not wanted:
            return
        try:
            count = store.put_imported(copy, wanted) if check(copy) >= SAME_RESULTS else 0
        except StoreError:
            continue  # a copy that cannot be read is none; what it alone held is said in the end
        if count:
            done.imported += count
            trials = "1 trial" if count == 1 else f"{count} trials"
            done.copied.append(f"{trials} copied from {backups.name}/{copy.name}, as it has them")


def _studies(store: Store, folder: Path, done: Rebuilt) -> None:
    for file in study_files(folder):
        try:
            study, placements, source, _ = read_study(file)
        except (OSError, ValueError, KeyError, TypeError) as wrong:
            done.lost.append(f"studies/{file.name}: {wrong}")
            continue
        store.put_study(study, placements, source=source)
        done.studies += 1


def _attempts(store: Store, done: Rebuilt) -> None:
    for folder in _folders(store.attempts_folder):
        try:
            job = read_job(folder)
            trial = (
                Trial(**{**job.trial, "stops": tuple(job.trial["stops"])}) if job.trial else None
            )
            if trial is not None and trial.key == job.key:
                store.put_trial(trial)
            attempt, left = read_stored(folder, _begun(job, folder))
            store.restore(attempt, left)
        except (OSError, ValueError, TypeError, KeyError, AblateError) as wrong:
            done.lost.append(f"attempts/{folder.parent.name}/{folder.name}: {wrong}")
            continue
        done.attempts += 1


def _folders(attempts: Path) -> Iterator[Path]:
    """The folders of attempts, each trial's in the order of their numbers."""
    found = [f for f in attempts.glob("*/*") if f.is_dir() and f.name.isdigit()]
    return iter(sorted(found, key=lambda f: (f.parent.name, int(f.name))))


def _begun(job: Assignment, folder: Path) -> Attempt:
    place = f"{folder.parent.name}/{folder.name}"
    return Attempt(job.key, job.number, State.RUNNING, owner="", folder=place)
