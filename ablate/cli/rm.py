"""`ablate rm`: take trials or whole studies out of the database, after a copy of it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from ablate.cli.options import DryRun, Yes

if TYPE_CHECKING:
    from ablate.record import Record
    from ablate.store import Place, Store

SHOWN = 12


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is to go: places, whole studies, and the trials that no other place holds.

    `words` say how much goes with these of what people wrote: notes, and scores by hand.
    """

    places: "list[Place]"
    studies: list[str]
    keys: list[str]
    words: list[str]

    @property
    def counted(self) -> list[str]:
        """How many there are of everything."""
        return [_many(len(self.places), "place"), _many(len(self.keys), "trial"), *self.words]


def rm(
    refs: Annotated[
        list[str] | None, typer.Argument(metavar="[REF]...", help="Studies, or trials' keys.")
    ] = None,
    *,
    failed: Annotated[
        bool, typer.Option("--failed", help="Only what failed, crashed or timed out.")
    ] = False,
    variant: Annotated[
        str | None, typer.Option("--variant", help="Only this configuration of the study.")
    ] = None,
    files: Annotated[
        bool, typer.Option("--files", help="The attempts' folders too: these have no copy.")
    ] = False,
    dry_run: DryRun = False,
    yes: Yes = False,
) -> None:
    """Remove trials, configurations or studies; a copy of the database is kept first."""
    from ablate.cli.console import out
    from ablate.cli.reading import project_store
    from ablate.cli.writing import confirmed

    with project_store() as store:
        plan = _planned(store, refs or [], failed=failed, variant=variant)
        _tell(store, plan, files=files)
        if dry_run or (not plan.places and not plan.studies):
            return
        store.refuse_unwritable()
        _refuse_running(store, plan)
        if not confirmed("Remove them?", yes=yes):
            out().print("nothing was removed")
            return
        out().print(f"the database as it was: {store.keep('before-rm')}", soft_wrap=True)
        gone = store.remove(plan.places, plan.studies)
        if files:
            _remove_folders(store, gone)
    out().print(f"removed: {', '.join(plan.counted)}", soft_wrap=True)


def _planned(store: "Store", refs: list[str], *, failed: bool, variant: str | None) -> _Plan:
    from ablate.errors import UsageError

    if not refs and not failed:
        raise UsageError("name a study or a trial (ablate ls), or give --failed")
    everything = {name: store.records(name) for name in store.studies()}
    chosen: dict[tuple[str, str, int], Record] = {}
    studies: list[str] = []
    for ref in refs or list(everything):
        if ref in everything and not failed and variant is None:
            studies.append(ref)
        for r in _of(store, everything, ref):
            if (not failed or r.state in _BAD) and variant in {None, r.variant}:
                chosen[r.study, r.variant, r.seed] = r
    if variant is not None and not chosen:
        raise UsageError(f"there is no configuration {variant!r} in {', '.join(refs)} (ablate ls)")
    kept = {
        r.key
        for of in everything.values()
        for r in of
        if (r.study, r.variant, r.seed) not in chosen
    }
    keys = list(dict.fromkeys(r.key for r in chosen.values() if r.key not in kept))
    going = set(keys)
    scores = sum(map(len, {r.key: r.externals for r in chosen.values() if r.key in going}.values()))
    notes = sum(n.study in studies or n.key in going for n in store.notes())
    words = [_many(n, what) for n, what in ((notes, "note"), (scores, "recorded score")) if n]
    return _Plan([_place(r) for r in chosen.values()], studies, keys, words)


_BAD = ("failed", "crashed", "timeout")


def _of(store: "Store", everything: "dict[str, list[Record]]", ref: str) -> "list[Record]":
    """The records that a study's name or a trial's key means; raises UsageError."""
    from ablate.cli.reading import looks_like_key
    from ablate.errors import UsageError, not_one_of

    if ref in everything:
        return everything[ref]
    keys = store.find_trial(ref) if looks_like_key(ref) else []
    if len(keys) > 1:
        raise UsageError(f"{ref!r} begins {len(keys)} trials: {', '.join(keys[:6])}")
    found = [r for of in everything.values() for r in of if r.key in keys]
    if not found:
        raise UsageError(not_one_of("study or trial", ref, everything))
    return found


def _place(record: "Record") -> "Place":
    from ablate.store import Place

    return Place(record.study, record.variant, record.seed, record.key)


def _tell(store: "Store", plan: _Plan, *, files: bool) -> None:
    from ablate.cli.console import out

    say = out()
    for name in plan.studies:
        say.print(f"study {name}: whole", soft_wrap=True)
    for place in plan.places[:SHOWN]:
        ends = "" if place.key in plan.keys else " (its results stay: another place holds them)"
        say.print(
            f"{place.study}: {place.variant} s{place.seed}  {place.key}{ends}", soft_wrap=True
        )
    more = len(plan.places) - SHOWN
    if more > 0:
        say.print(f"and {more} more", soft_wrap=True)
    folders = sum((store.attempts_folder / key).is_dir() for key in plan.keys)
    kept = "go too" if files else "stay"
    say.print(
        f"{', '.join(plan.counted)}; folders of attempts that {kept}: {folders}", soft_wrap=True
    )


def _many(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _refuse_running(store: "Store", plan: _Plan) -> None:
    """Raise LockedError before anybody is asked, where one of the trials is being run."""
    from ablate.errors import LockedError

    going = {a.key for a in store.running()} & {p.key for p in plan.places}
    if going:
        raise LockedError(f"trial {min(going)} is being run; stop the run or wait for its end")


def _remove_folders(store: "Store", keys: list[str]) -> None:
    import shutil

    from ablate.errors import HostError

    for key in keys:
        folder = store.attempts_folder / key
        try:
            if folder.is_dir():
                shutil.rmtree(folder)
        except OSError as wrong:
            raise HostError(f"{folder} cannot be removed: {wrong.strerror}") from None
