"""A database that may be read and not written: a colleague's folder, a read-only file system."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ablate.audit import gather
from ablate.errors import StoreError
from ablate.record import Ending, Note, Scalar, State
from ablate.store import Store, connection, open_store
from ablate.study import Placement, Study

NOTE = Note("a word", "Ada", "2026-01-02", study="small")
Forbid = Callable[..., None]


@pytest.fixture
def closed(store: Store, study: Study, placements: list[Placement]) -> Path:
    """The file of a store with one result, which nobody has open."""
    store.put_study(study, placements)
    attempt = store.claim(placements[0].trial.key, "me")
    assert attempt is not None
    points = (Scalar(0, "test", "rank1", 0.25),)
    assert store.finish(attempt, Ending(State.COMPLETED, 1.0, "", scalars=points))
    store.close()
    return store.path


@pytest.fixture
def forbid(monkeypatch: pytest.MonkeyPatch) -> Forbid:
    """Make the files of these suffixes ones that may not be written, for root too."""

    def make(*suffixes: str) -> None:
        monkeypatch.setattr(
            os,
            "access",
            lambda path, mode: mode & os.W_OK == 0 or Path(path).suffix not in suffixes,
        )

    return make


def test_a_file_that_may_not_be_written_is_read_and_its_folder_stays_as_it_is(
    closed: Path, forbid: Forbid
) -> None:
    before = {f.name: f.read_bytes() for f in closed.parent.iterdir() if f.is_file()}
    forbid("", ".db")
    with open_store(closed) as store:
        assert not store.is_writable
        assert store.records("small")[0].scores["rank1"].value == 0.25
        assert {f.name: f.read_bytes() for f in closed.parent.iterdir() if f.is_file()} == before
        copy = store.backup(closed.parent.parent / "copy.db")
    with open_store(copy) as store:
        assert store.studies() == ["small"]


def test_whatever_writes_says_that_it_cannot(closed: Path, forbid: Forbid) -> None:
    forbid("", ".db")
    with open_store(closed) as store:
        calls: dict[str, Callable[[], object]] = {
            "note": lambda: store.put_note(NOTE),
            "keep": lambda: store.keep("backup"),
            "findings": lambda: store.put_findings("small", []),
            "create": lambda: open_store(closed, create=True),
        }
        for call in calls.values():
            with pytest.raises(StoreError, match="cannot be written; copy the project's folder"):
                call()
        assert store.notes() == []


def test_an_audit_of_what_cannot_be_written_is_not_kept(closed: Path, forbid: Forbid) -> None:
    forbid("", ".db")
    with open_store(closed) as store:
        ((_, found),) = gather.audit(store, ["small"])
        assert found
        assert (store.findings("small"), store.stamp("small")) == ([], "")


def test_an_older_database_there_is_to_be_copied_first(closed: Path, forbid: Forbid) -> None:
    data = closed.read_bytes()
    closed.write_bytes(data[:60] + bytes(4) + data[64:])
    forbid("", ".db")
    with pytest.raises(StoreError, match=r"in a copy of this folder, .*`ablate db upgrade`"):
        open_store(closed)


@pytest.fixture
def left(store: Store, study: Study, placements: list[Placement], tmp_path: Path) -> Path:
    """The files of a store as a killed writer leaves them: what is newest is in the log alone."""
    store.put_study(study, placements)
    (tmp_path / "left").mkdir()
    for end in ("", "-wal", "-shm"):
        shutil.copy(f"{store.path}{end}", tmp_path / "left" / f"results.db{end}")
    return tmp_path / "left" / "results.db"


def test_what_stands_in_the_log_alone_is_read_too(left: Path, forbid: Forbid) -> None:
    forbid("", ".db")
    assert connection.mode(left) == "ro"
    with open_store(left) as store:
        assert store.studies() == ["small"]
    left.with_name("results.db-wal").write_bytes(b"")
    assert connection.mode(left) == "ro&immutable=1"


def test_a_file_that_may_not_be_written_may_change_in_a_folder_that_may(
    closed: Path, forbid: Forbid
) -> None:
    forbid(".db")
    assert connection.mode(closed) == "ro"
    with open_store(closed) as store:
        assert store.studies() == ["small"]


@pytest.fixture
def shut() -> Iterator[Callable[[Path], None]]:
    """Take from everybody the right to write a folder; it is given back at the end."""
    folders: list[Path] = []

    def close(folder: Path) -> None:
        folders.append(folder)
        folder.chmod(0o500)

    yield close
    for folder in folders:
        folder.chmod(0o700)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_read(
    closed: Path, shut: Callable[[Path], None]
) -> None:
    shut(closed.parent)
    with open_store(closed) as store:
        assert store.studies() == ["small"]
        with pytest.raises(StoreError, match="cannot be written"):
            store.put_note(NOTE)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_log_without_its_index_in_such_a_folder_is_one_line(
    left: Path, shut: Callable[[Path], None]
) -> None:
    left.with_name("results.db-shm").unlink()
    shut(left.parent)
    with pytest.raises(StoreError, match=r"results\.db-wal.* copy the whole folder"):
        open_store(left)
