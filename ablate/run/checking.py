"""Whether the store says of each attempt what its folder says."""

from collections.abc import Iterator
from pathlib import Path

from ablate.record import Attempt, Scalar, State
from ablate.run.folder import RESULT, read_events, read_result
from ablate.store import Store


def disagreements(store: Store) -> tuple[int, list[str]]:
    """How many attempts were compared with their folders, and what differs, a line each.

    A folder that is gone, or one whose attempt never sealed a result, has nothing to compare.
    """
    compared, wrong = 0, []
    for key in store.find_trial(""):
        attempts = store.attempts(key)
        for attempt in attempts:
            folder = store.attempts_folder / attempt.folder
            if attempt.owner == "import" or not (folder / RESULT).exists():
                continue
            compared += 1
            newest = attempt is attempts[-1]
            wrong += [f"attempt {attempt.folder}: {w}" for w in _wrong(store, attempt, newest)]
    return compared, wrong


def _wrong(store: Store, attempt: Attempt, newest: bool) -> Iterator[str]:  # noqa: FBT001 - of one caller
    folder = store.attempts_folder / attempt.folder
    try:
        body = read_result(folder) or {}
    except ValueError as damaged:
        yield str(damaged)
        return
    if attempt.state is State.COMPLETED and body["state"] != attempt.state:
        yield f"it is completed, its folder says {body['state']}"
    if not newest or attempt.state is not State.COMPLETED:
        return
    stored = {
        (split, name, step): repr(value)
        for (split, name), curve in store.curves(attempt.key).items()
        for step, value in curve.items()
    }
    logged = {_at(s): repr(s.value) for s in read_events(folder).scalars}
    different = sorted(
        at for at in stored.keys() | logged.keys() if stored.get(at) != logged.get(at)
    )
    if different:
        split, name, step = different[0]
        yield (
            f"{len(different)} points of its curves differ from its folder's, such as"
            f" {split}.{name} at step {step}"
        )


def _at(point: Scalar) -> tuple[str, str, int]:
    return point.split, point.name, point.step


def without_row(store: Store) -> list[str]:
    """The folders of attempts that the store does not know, as KEY/NUMBER."""
    known = {a.folder for key in store.find_trial("") for a in store.attempts(key)}
    found: list[Path] = sorted(store.attempts_folder.glob("*/*/job.json"))
    names = [f"{f.parent.parent.name}/{f.parent.name}" for f in found]
    return [name for name in names if name not in known]
