"""The results database of one project, as the rest of the program sees it."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from types import TracebackType
from typing import Self

from sqlalchemy import Connection
from sqlmodel import Session

from ablate.record import Attempt, Ending, External, Finding, Item, Note, Record, State
from ablate.selection import Curves, Selection
from ablate.store import (
    beside,
    by_hand,
    changing,
    checking,
    connection,
    findings,
    importing,
    placing,
    reading,
    removing,
    restoring,
    writing,
)
from ablate.store.removing import Place
from ablate.study import Placement, Study, Trial


class Store:
    """Studies, trials, attempts and results. One process writes; any number may read."""

    def __init__(self, path: Path, *, create: bool = False) -> None:
        self.path = path
        self._engine = connection.connect(path, create=create)
        self._writer = connection.writer(self._engine)
        self._held: Connection | None = None
        self._unwritten: dict[str, None] = {}
        self._turn = RLock()

    @property
    def is_writable(self) -> bool:
        """Whether this process may write the file and beside it."""
        return connection.is_writable(self.path)

    def refuse_unwritable(self) -> None:
        """Raise StoreError where this process may not write it, as all that writes does."""
        connection.refuse_unwritable(self.path)

    @property
    def attempts_folder(self) -> Path:
        """Where the folders of attempts are."""
        return self.path.parent / "attempts"

    def close(self) -> None:
        """Close every connection; what was written is in the file."""
        try:
            self._write_studies(self._unwritten)
        finally:
            self._disconnect()

    def _disconnect(self) -> None:
        if self._held is not None:
            self._held.close()
            self._held = None
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.close()

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session on one state of the database, for the modules of `ablate.store`."""
        with connection.translated(self.path), connection.reading(self._engine) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A session that holds the write lock, for the modules of `ablate.store`."""
        self.refuse_unwritable()
        with self._turn, connection.translated(self.path):
            # One connection for all writes: taking one from the pool costs half an epoch's rows.
            self._held = self._held or self._writer.connect()
            with connection.writing(self._held) as session:
                yield session

    def put_study(
        self, study: Study, placements: Iterable[Placement], *, source: str = "run"
    ) -> None:
        """Make the store's study this one, with these placements in this order.

        Placements that it no longer has are removed, unless they were extra and the study is
        otherwise what it was: an edited study holds no run of the old one. Trials and their
        results stay. Trials that have completed already get their finals under its rule.
        """
        placed = list(placements)
        with self.writing() as session:
            put = placing.put(session, study, source)
            keep = placing.Keep.NONE if put.moved else placing.Keep.EXTRA
            placing.place(session, put.id, study, placed, keep)
            writing.touch(session, [put.id])
        self._write_studies([study.name])

    def _write_studies(self, names: Collection[str]) -> None:
        if names:
            with self.reading() as session:
                beside.write_studies(session, self.path.parent, names)
        for name in list(names):
            self._unwritten.pop(name, None)

    def put_results(
        self,
        study: Study,
        results: Iterable[tuple[Placement, Ending]],
        *,
        source: str,
        replace: bool = False,
    ) -> None:
        """Add results that exist already, one attempt each; the same results change nothing.

        Every other placement of the study stays, unless these are to `replace` them all. Raises
        LockedError where a trial is being run.
        """
        pairs = list(results)
        with self.writing() as session:
            put = placing.put(session, study, source)
            keep = placing.Keep.NONE if replace else placing.Keep.ALL
            placed = placing.place(session, put.id, study, [p for p, _ in pairs], keep)
            brought = importing.bring_in(session, pairs, source=source)
            if put.changed or placed or brought:
                writing.touch(session, [put.id])
        # Once in the end: an import of many parts would write the whole study with each.
        self._unwritten[study.name] = None

    def differing(self, results: Sequence[tuple[Placement, Ending]]) -> dict[str, int]:
        """Key -> how many values of trials that have completed these results would change."""
        with self.reading() as session:
            return changing.differing(session, results)

    def studies(self) -> list[str]:
        """Names, the most recently active first: by last claim or put, not by the clock."""
        with self.reading() as session:
            return reading.studies(session)

    def study(self, name: str) -> Study:
        """The study as it was put; raises UsageError with the nearest name."""
        with self.reading() as session:
            row = reading.row_of(session, name)
            assert row.id is not None
            return reading.document(session, row.id)

    def states(self, keys: Iterable[str]) -> dict[str, State]:
        """Where each trial stands; one that the store has never seen is pending."""
        with self.reading() as session:
            return reading.states(session, list(keys))

    def claim(self, key: str, owner: str, *, again: State | None = None) -> Attempt | None:
        """Begin an attempt of a trial that is pending, crashed or cancelled; None otherwise.

        Also of one that ended in the state `again`, while it is still in it. Of several callers
        one succeeds.
        """
        with self.writing() as session:
            return writing.claim(session, key, owner, again=again)

    def finish(self, attempt: Attempt, ending: Ending) -> bool:
        """Store all that an attempt left behind, in one transaction.

        False, and nothing is written, where the attempt is not the trial's running one: it was
        given up and another was begun, or it has been finished before.
        """
        with self.writing() as session:
            return writing.finish(session, attempt, ending)

    def running(self) -> list[Attempt]:
        """The attempts that no one has ended; their owners may be dead."""
        with self.reading() as session:
            return reading.running(session)

    def attempts(self, key: str) -> list[Attempt]:
        """Every attempt of a trial, the first one first."""
        with self.reading() as session:
            return reading.attempts(session, key)

    def durations(self, study: str) -> list[tuple[str, float]]:
        """(variant, seconds) of the study's completed attempts, in the order they began."""
        with self.reading() as session:
            row = reading.row_of(session, study)
            assert row.id is not None
            return reading.durations(session, row.id)

    def records(self, study: str, selection: Selection | None = None) -> list[Record]:
        """One record per placement in the study's order.

        Its scores are those of the study's own selection rule, or of `selection`, made anew from
        the curves; a score that was reported without a curve is there under either.
        """
        with self.reading() as session:
            return reading.records(session, reading.row_of(session, study), selection)

    def curves(self, key: str) -> dict[tuple[str, str], dict[int, float]]:
        """(split, name) -> step -> value of one trial, steps in order."""
        with self.reading() as session:
            return reading.curves(session, key)

    def all_curves(self, study: str) -> dict[str, Curves]:
        """Key -> the curves of every completed trial of a study that logged any."""
        with self.reading() as session:
            row = reading.row_of(session, study)
            assert row.id is not None
            return reading.all_curves(session, row.id)

    def all_settings(self, study: str) -> dict[str, dict[str, str]]:
        """Key -> what each trial's own program resolved, of a study's trials that say so."""
        with self.reading() as session:
            row = reading.row_of(session, study)
            assert row.id is not None
            return reading.all_settings(session, row.id)

    def splits(self, study: str, metric: str) -> list[str]:
        """The splits on which a completed trial of a study has a curve of a metric, in order."""
        with self.reading() as session:
            return reading.splits(session, study, metric)

    def settings(self, key: str) -> dict[str, str]:
        """The configuration that a trial's own program resolved: dotted key to text."""
        with self.reading() as session:
            return reading.settings(session, key)

    def items(self, key: str) -> list[Item]:
        """The scores of every query, image or class of one trial, in the order of logging."""
        with self.reading() as session:
            return reading.items(session, key)

    def record(self, key: str, score: External, *, replace: bool = False) -> bool:
        """Add a score of one trial that was measured elsewhere; whether anything changed.

        Raises UsageError where its source said another value on the same day, unless it is to
        `replace` all that the source has said of this metric.
        """
        with self.writing() as session:
            changed = by_hand.record(session, key, score, replace=replace)
        self._write_by_hand()
        return changed

    def put_note(self, note: Note) -> bool:
        """Add somebody's words to what the note names; whether they were not there already."""
        with self.writing() as session:
            changed = by_hand.put_note(session, note)
        self._write_by_hand()
        return changed

    def _write_by_hand(self) -> None:
        with self.reading() as session:
            beside.write_by_hand(session, self.path.parent)

    def notes(self, study: str = "") -> list[Note]:
        """The notes in the order of writing: all, or those of a study, its variants and trials."""
        with self.reading() as session:
            found = by_hand.notes(session)
            if not study:
                return found
            keys = reading.keys_of(session, study)
            return [n for n in found if n.study == study or n.key in keys]

    def find_trial(self, ref: str) -> list[str]:
        """The keys that begin with `ref`."""
        with self.reading() as session:
            return reading.find_trial(session, ref)

    def remove(self, places: Sequence[Place], studies: Sequence[str] = ()) -> list[str]:
        """Remove places of trials, and whole studies; the keys of the trials that went with them.

        A trial goes with its results where no place of it is left. Raises LockedError where one
        of them is being run.
        """
        with self.writing() as session:
            gone = removing.remove(session, places, studies)
        for name in studies:
            self._unwritten.pop(name, None)
            beside.study_file(self.path.parent, name).unlink(missing_ok=True)
        self._write_studies({p.study for p in places} - set(studies))
        self._write_by_hand()
        return gone

    def write_beside(self) -> None:
        """Write every study and all that is by hand beside the database."""
        self._write_studies(self.studies())
        self._write_by_hand()

    def backup(self, file: Path) -> Path:
        """Copy the database whole into a new file, also while it is written; verified.

        Raises UsageError where the file exists.
        """
        return connection.backup(self.path, file)

    def keep(self, why: str) -> Path:
        """Copy the database into the folder `backups` beside it; the copy's path."""
        self.refuse_unwritable()
        return connection.keep(self.path, why)

    def problems(self) -> list[str]:
        """What is wrong in the database, a line each."""
        with self.reading() as session:
            return list(checking.problems(session))

    def unplaced(self) -> list[str]:
        """The trials that stand in no study."""
        with self.reading() as session:
            return checking.unplaced(session)

    def restore(self, attempt: Attempt, ending: Ending) -> None:
        """Add an attempt that was run, as it was; its results become its trial's."""
        with self.writing() as session:
            restoring.restore(session, attempt, ending, source="run")

    def restore_by_hand(self, file: Path) -> list[str]:
        """Add the external scores and notes of a file; in words, those whose trial is gone."""
        if not file.exists():
            return []
        with self.writing() as session:
            return restoring.restore_by_hand(session, file)

    def put_trial(self, trial: Trial) -> None:
        """Make a trial known that stands in no study."""
        with self.writing() as session:
            placing.put_trials(session.connection(), {trial.key: trial})

    def forgotten(self) -> dict[str, dict[str, str]]:
        """Study -> key -> source of each trial that was brought in and is no longer there.

        A database that was made anew may lack them; what lies beside it says that they were.
        """
        with self.reading() as session:
            return beside.forgotten(session, self.path.parent)

    def put_imported(self, old: Path, keys: Collection[str] | None = None) -> int:
        """Add what the database `old` holds of imported trials, or of `keys`; how many there are.

        Raises StoreError where it cannot be read.
        """
        with connection.translated(old):
            found = restoring.imported(old, keys)
        with self.writing() as session:
            for key, tables in found.items():
                restoring.put_imported(session, key, tables)
            importing.write_finals(session, list(found))
        return len(found)

    def state(self, study: str) -> str:
        """A digest of all that findings of a study rest on; it changes whenever that does.

        That is the study with its placements, results and scores by hand, and which results the
        other studies have.
        """
        with self.reading() as session:
            return findings.state(session, reading.row_of(session, study))

    def stamp(self, study: str) -> str:
        """With what `put_findings` stamped the study's findings; nothing where it never did."""
        with self.reading() as session:
            return findings.stamp(session, reading.row_of(session, study))

    def findings(self, study: str) -> list[Finding]:
        """The study's audit results, in the order they were put; of what, its stamp says."""
        with self.reading() as session:
            return findings.findings(session, reading.row_of(session, study))

    def put_findings(self, study: str, found: Iterable[Finding], stamp: str = "") -> None:
        """Replace the study's audit results, and the stamp that says what they are of."""
        given = list(found)
        with self.writing() as session:
            findings.put(session, reading.row_of(session, study), given, stamp)


def open_store(path: Path, *, create: bool = False) -> Store:
    """The store at `path`; with `create`, made where it is missing, its folder too.

    Raises StoreError, the file untouched, where it is missing, damaged, newer than this program or
    not a results database of ablate.
    """
    return Store(path, create=create)
