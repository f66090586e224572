"""The database is made anew from what lies beside it."""

import json
import shutil
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import drive

from ablate.design import placements
from ablate.errors import LockedError, StoreError
from ablate.record import Ending, External, Finding, Note, Scalar, State
from ablate.run.driver import keep
from ablate.run.folder import Assignment, write_job
from ablate.run.owner import owner
from ablate.run.rebuild import rebuild
from ablate.store import open_store
from ablate.study import Placement

TABLES = {
    "study": "SELECT name, title, system, selection, source, document FROM study ORDER BY name",
    "trial": "SELECT key, identity, system, revision, levels, changed, seed, data, start, stops,"
    " state FROM trial ORDER BY key",
    "placement": "SELECT s.name, p.variant, p.seed, t.key, p.parent, p.role, p.position, p.extra"
    " FROM placement p JOIN trial t ON t.id = p.trial_id JOIN study s ON s.id = p.study_id"
    " ORDER BY s.name, p.position",
    "attempt": "SELECT t.key, number, a.state, owner, folder, source, host, device, started, ended,"
    " seconds, exit_code, error_type, error, provenance, scores"
    " FROM attempt a JOIN trial t ON t.id = a.trial_id ORDER BY t.key, number",
    "scalar": "SELECT t.key, step, split, name, value, nonfinite FROM scalar x"
    " JOIN trial t ON t.id = x.trial_id ORDER BY 1, 2, 3, 4",
    "item": "SELECT t.key, position, split, item, name, value, nonfinite FROM item x"
    " JOIN trial t ON t.id = x.trial_id ORDER BY 1, 2",
    "cost": "SELECT t.key, factor, name, counter, unit, value, nonfinite FROM cost x"
    " JOIN trial t ON t.id = x.trial_id ORDER BY 1, 2, 3",
    "setting": "SELECT t.key, x.key, value FROM setting x"
    " JOIN trial t ON t.id = x.trial_id ORDER BY 1, 2",
    "external": "SELECT t.key, metric, split, source, date, value FROM external x"
    " JOIN trial t ON t.id = x.trial_id ORDER BY 1, 2",
    "note": "SELECT variant, text, author, date FROM note ORDER BY id",
    "final": "SELECT s.name, t.key, x.selection, metric, value, nonfinite, step, split FROM final x"
    " JOIN trial t ON t.id = x.trial_id JOIN study s ON s.id = x.study_id ORDER BY 1, 2, 3, 4",
}


def tables(path: Path) -> dict[str, list[tuple[object, ...]]]:
    raw = sqlite3.connect(path)
    found = {name: raw.execute(query).fetchall() for name, query in TABLES.items()}
    raw.close()
    return found


@pytest.fixture(scope="session")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four trials of one study that were run, by a process that heeds no warning."""
    path = tmp_path_factory.mktemp("ran") / "results.db"
    script = Path(__file__).with_name("drive.py")
    subprocess.run([sys.executable, str(script), str(path), "2"], check=True)
    return path


@pytest.fixture
def path(ran: Path, tmp_path: Path) -> Path:
    """The same, one trial run twice; by hand a note and a score."""
    path = tmp_path / ".ablate" / "results.db"
    shutil.copytree(ran.parent, path.parent)
    asked = list(placements(drive.study(2)))
    key = asked[0].trial.key
    with open_store(path) as store:
        attempt = store.claim(key, "me", again=State.COMPLETED)
        assert attempt is not None
        left = Ending(State.TIMEOUT, 3.5, "2026-01-02", error_type="deadline", error="killed")
        job = json.loads((store.attempts_folder / key / "1" / "job.json").read_text())
        folder = store.attempts_folder / attempt.folder
        write_job(Assignment(**{**job, "number": 2, "folder": str(folder)}))
        assert keep(store, attempt, left)
        store.record(asked[1].trial.key, External("NDS", 0.72, "Codabench", "2026-01-02"))
        store.put_note(Note("a note", "Ada", "2026-01-02", study="toy"))
        store.put_findings("toy", [Finding("A1", "note", "a fact")])
    return path


@pytest.mark.parametrize("harm", ["deleted", "cut short", "readable"])
def test_a_database_that_was_lost_is_rebuilt_with_all_its_tables_equal(
    harm: str, path: Path
) -> None:
    before = tables(path)
    assert len(before["scalar"]) == 3 * 5 * 2
    assert len(before["item"]) == 3 * 3
    if harm == "deleted":
        path.unlink()
    elif harm == "cut short":
        path.write_bytes(path.read_bytes()[:8192])
    done = rebuild(path)
    assert tables(path) == before
    assert (done.studies, done.attempts) == (1, 5)
    kept = path.with_name("results.db.before-rebuild-1")
    assert kept.exists() is (harm != "deleted")
    with open_store(path) as store:
        assert [f.code for f in store.findings("toy")] == (["A1"] if harm == "readable" else [])
    assert done.old == (None if harm == "deleted" else kept)


def test_a_rebuild_copies_what_was_imported_from_the_old_database(path: Path) -> None:
    asked = list(placements(drive.study(3)))[4:]
    curve = (Scalar(0, "test", "score", 0.5), Scalar(1, "test", "score", float("nan")))
    ending = Ending(State.COMPLETED, 1.0, "", scalars=curve, settings={"SOLVER.SEED": "2"})
    with open_store(path) as store:
        study = replace(drive.study(3), name="logs")
        store.put_results(study, [(asked[0], ending)], source="import logs")
        store.put_results(
            study, [(asked[1], replace(ending, state=State.INCOMPLETE))], source="import logs"
        )
    before = tables(path)
    assert len(before["setting"]) == 2
    done = rebuild(path)
    assert tables(path) == before
    assert (done.imported, done.lost) == (2, [])


def imported(path: Path) -> list[Placement]:
    """Two trials from two folders; one of them also stands in a study that was run."""
    asked = [p for p in placements(drive.study(3)) if p.trial.seed == 2]
    with open_store(path) as store:
        ending = Ending(State.COMPLETED, 1.0, "", scores={"score": 0.5})
        store.put_results(drive.study(3), [(asked[-1], ending)], source="import logs")
        study = replace(drive.study(3), name="logs")
        store.put_results(study, [(p, ending) for p in asked], source="import old, b")
    return asked


def test_a_rebuild_says_which_imports_it_could_not_bring_back_and_goes_on_saying_it(
    path: Path,
) -> None:
    keys = [p.trial.key for p in imported(path)]
    path.unlink()
    for _ in range(2):
        lost = rebuild(path).lost
        assert sorted(lost) == [
            "1 trial of study logs came from `ablate import logs`: import them again",
            "1 trial of study logs came from `ablate import old, b`: import them again",
            "1 trial of study toy came from `ablate import logs`: import them again",
        ]
    with open_store(path) as store:
        assert set(store.states(keys).values()) == {State.PENDING}
        assert sorted(store.forgotten()) == ["logs", "toy"]
        assert sorted(store.forgotten()["logs"]) == sorted(keys)


def test_imports_come_back_from_the_newest_copy_of_the_database_that_has_them(path: Path) -> None:
    imported(path)
    with open_store(path) as store:
        store.keep("removal")
    before = tables(path)
    backups = path.parent / "backups"
    (backups / "broken.db").write_bytes(b"nothing")
    path.unlink()
    done = rebuild(path)
    assert done.copied == ["2 trials copied from backups/results.removal.1.db, as it has them"]
    assert (done.imported, done.lost) == (2, [])
    assert tables(path) == before
    with open_store(path) as store:
        assert store.forgotten() == {}


def test_a_trial_that_is_imported_again_is_no_longer_missed(path: Path) -> None:
    imported(path)
    path.unlink()
    rebuild(path)
    imported(path)
    with open_store(path) as store:
        assert store.forgotten() == {}


def test_nothing_is_rebuilt_while_an_attempt_runs(path: Path) -> None:
    folder = path.parent / "attempts" / "0123456789abcdef" / "1"
    folder.mkdir(parents=True)
    sleeper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        (folder / "process").write_text(owner(sleeper.pid))
        with pytest.raises(LockedError, match="is running"):
            rebuild(path)
    finally:
        sleeper.kill()
        sleeper.wait()


def test_a_damaged_folder_is_named_and_its_numbers_are_not_taken(path: Path) -> None:
    events = next(path.parent.glob("attempts/*/1/events.jsonl"))
    events.write_text(events.read_text().replace("0.1", "0.9"))
    (events.parent / "stored.json").write_text("{")
    path.unlink()
    done = rebuild(path)
    (lost,) = done.lost
    assert lost.startswith(f"attempts/{events.parent.parent.name}/1: ")


def test_a_database_that_is_no_database_is_refused_by_readers_and_rebuilt(path: Path) -> None:
    before = tables(path)
    path.write_bytes(b"not a database")
    with pytest.raises(StoreError):
        open_store(path)
    rebuild(path)
    assert tables(path) == before


def test_words_about_a_trial_that_is_gone_are_told_and_stay_in_their_file(path: Path) -> None:
    file = path.parent / "by-hand.json"
    text = file.read_text().replace('"study": "toy"', '"study": "gone"')
    file.write_text(text)
    path.unlink()
    assert rebuild(path).lost == ["the note of Ada: a note"]
    assert file.read_text() == text
