import os
import shutil
import sqlite3
import stat
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from ablate.errors import HostError, LockedError, StoreError
from ablate.record import Ending, Scalar, State
from ablate.store import Store, open_store
from ablate.store.schema import APPLICATION_ID, VERSION
from ablate.study import Placement, Study


@pytest.fixture
def whole(store: Store, study: Study, placements: list[Placement]) -> bytes:
    """The bytes of a closed database with one result."""
    store.put_study(study, placements)
    attempt = store.claim(placements[0].trial.key, "me")
    assert attempt is not None
    points = tuple(Scalar(s, "test", "rank1", s / 2000) for s in range(2000))
    store.finish(attempt, Ending(State.COMPLETED, 1.0, "", scalars=points))
    store.close()
    return store.path.read_bytes()


def _header(data: bytes, at: int, value: int) -> bytes:
    return data[:at] + struct.pack(">I", value) + data[at + 4 :]


HOSTILE: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "empty": (lambda _: b"", "is empty"),
    "text": (lambda _: b"results of last week\n" * 500, "not a SQLite database"),
    "header only": (lambda data: data[:50], "not a SQLite database"),
    "one page": (lambda data: data[:4096], "cut short"),
    "half": (lambda data: data[: len(data) // 2], "cut short"),
    "all but ten bytes": (lambda data: data[:-10], "cut short"),
    "newer": (lambda data: _header(data, 60, VERSION + 1), "newer ablate"),
    "another program's": (lambda data: _header(data, 68, 0x0F055112), "another program"),
    "nobody's": (lambda data: _header(data, 68, 0), "another program"),
    "older": (lambda data: _header(data, 60, 0), "older ablate"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_file_that_is_no_usable_store_is_refused_and_left_as_it_is(
    kind: str, whole: bytes, tmp_path: Path
) -> None:
    spoil, said = HOSTILE[kind]
    path = tmp_path / "hostile.db"
    path.write_bytes(spoil(whole))
    for create in (False, True) if kind != "older" else (False,):
        with pytest.raises(StoreError, match=said) as caught:
            open_store(path, create=create)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)
        assert caught.value.exit_code == 3
    assert path.read_bytes() == spoil(whole)
    assert sorted(f.name for f in tmp_path.iterdir()) == [".ablate", "hostile.db"]


def test_garbage_inside_the_file_is_reported_where_it_is_met(whole: bytes, tmp_path: Path) -> None:
    path = tmp_path / "hostile.db"
    path.write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))
    with (
        pytest.raises(StoreError, match="malformed") as caught,
        open_store(path) as store,
    ):
        store.records("small")
    assert str(path) in str(caught.value)


def test_a_folder_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be read"):
        open_store(tmp_path)
    with pytest.raises(StoreError, match="`ablate run` or `ablate import` makes it"):
        open_store(tmp_path / "no" / "results.db")
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="cannot be made"):
        open_store(tmp_path / "file" / "results.db", create=True)
    assert sorted(f.name for f in tmp_path.iterdir()) == ["file"]


def test_a_new_store_is_one_finished_file_in_a_new_folder(tmp_path: Path) -> None:
    path = tmp_path / "a b%20c?#" / ".ablate" / "results.db"
    with open_store(path, create=True) as store:
        assert store.studies() == []
        assert store.attempts_folder == path.parent / "attempts"
    assert [f.name for f in path.parent.iterdir()] == ["results.db"]
    header = path.read_bytes()[:100]
    assert struct.unpack(">I", header[68:72]) == (APPLICATION_ID,)
    assert struct.unpack(">I", header[60:64]) == (VERSION,)
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


def test_every_connection_has_the_settings_that_keep_results(store: Store) -> None:
    with store.reading() as session:
        found = {
            name: session.connection().exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "synchronous", "busy_timeout", "foreign_keys")
        }
    assert found == {
        "journal_mode": "wal",
        "synchronous": 2,
        "busy_timeout": 30_000,
        "foreign_keys": 1,
    }


def test_reading_changes_no_byte(whole: bytes, store: Store) -> None:
    with open_store(store.path) as reader:
        assert reader.studies() == ["small"]
        assert len(reader.records("small")) == 4
    assert store.path.read_bytes() == whole
    assert {f.name for f in store.path.parent.iterdir()} == {"results.db", "studies"}


def test_a_reader_sees_what_a_living_writer_has_committed(
    store: Store, study: Study, placements: list[Placement]
) -> None:
    with open_store(store.path) as reader:
        store.put_study(study, placements)
        assert reader.studies() == ["small"]


def test_a_lock_that_is_never_released_is_named(
    store: Store, study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ablate.store.connection.BUSY_SECONDS", 0)
    with (
        open_store(store.path) as other,
        store.writing(),
        pytest.raises(LockedError, match="another process") as caught,
    ):
        other.put_study(study, [])
    assert caught.value.exit_code == 6


def test_a_full_disk_is_the_machines_fault_and_keeps_the_earlier_results(
    store: Store, study: Study, placements: list[Placement]
) -> None:
    store.put_study(study, placements)
    first = store.claim(placements[0].trial.key, "me")
    second = store.claim(placements[1].trial.key, "me")
    assert first is not None
    assert second is not None
    assert store.finish(first, Ending(State.COMPLETED, 1.0, "", scores={"rank1": 0.5}))
    with store.writing() as session:
        connection = session.connection()
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    points = tuple(Scalar(s, "test", "rank1", 0.1) for s in range(5000))
    with pytest.raises(HostError, match="full"):
        store.finish(second, Ending(State.COMPLETED, 1.0, "", scalars=points))
    assert store.records("small")[0].scores["rank1"].value == 0.5
    assert store.states([second.key]) == {second.key: State.RUNNING}


def test_a_store_copied_with_its_log_is_whole(
    store: Store, study: Study, placements: list[Placement], tmp_path: Path
) -> None:
    store.put_study(study, placements)
    for suffix in ("", "-wal"):
        shutil.copy(f"{store.path}{suffix}", tmp_path / f"copy.db{suffix}")
    with open_store(tmp_path / "copy.db") as copy:
        assert copy.records("small") == store.records("small")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(StoreError, match="cannot be made"):
        open_store(tmp_path / "results.db", create=True)
    tmp_path.chmod(0o700)


def test_plain_sql_reads_the_results_of_a_study(whole: bytes, store: Store) -> None:
    assert whole
    raw = sqlite3.connect(store.path)
    rows = raw.execute(
        "SELECT study, variant, seed, state, metric, value, step, selection FROM results"
    ).fetchall()
    raw.close()
    assert rows == [
        ("small", "baseline", 0, "completed", "rank1", 1999 / 2000, 1999, "last"),
        ("small", "baseline", 1, "pending", None, None, None, None),
        ("small", "lif", 0, "pending", None, None, None, None),
        ("small", "lif", 1, "pending", None, None, None, None),
    ]
