"""Opening the database file: what is refused, and the settings every connection has."""

import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import DatabaseError, IntegrityError, ProgrammingError
from sqlalchemy.pool import QueuePool
from sqlmodel import Session, create_engine

from ablate.errors import AblateError, HostError, LockedError, StoreError, UsageError
from ablate.store.schema import APPLICATION_ID, VERSION

if TYPE_CHECKING:
    from sqlalchemy.engine.interfaces import DBAPIConnection
    from sqlalchemy.pool import ConnectionPoolEntry

BACKUPS = "backups"
BUSY_SECONDS = 30
_MAGIC = b"SQLite format 3\0"
_HEADER = 100
_WRITE, _READ, _FROZEN = "rw", "ro", "ro&immutable=1"
_MIGRATIONS = Path(__file__).parent / "migrations"


def connect(path: Path, *, create: bool) -> Engine:
    """An engine on the database at `path`; with `create`, made or brought up to date first.

    Raises StoreError, the file untouched, where it is missing, damaged, newer than this program,
    or not a results database of ablate.
    """
    if create and not path.exists():
        _make(path)
    version = check(path)
    if create:
        refuse_unwritable(path)
    engine = _engine(path)
    try:
        with translated(path), reading(engine) as session:
            version = _pragma(session.connection(), "user_version")
            _refuse_newer(path, version)
    except BaseException:
        engine.dispose()
        raise
    if version < VERSION:
        engine.dispose()
        bring_up(path, version, create=create)
        engine = _engine(path)
    return engine


def check(path: Path) -> int:
    """The schema version in the file's header, read without SQLite; raises StoreError."""
    try:
        with path.open("rb") as file:
            header = file.read(_HEADER)
            size = os.fstat(file.fileno()).st_size
    except FileNotFoundError:
        raise StoreError(
            f"{path}: there is no results database; `ablate run` or `ablate import` makes it"
        ) from None
    except OSError as wrong:
        raise StoreError(
            f"{path}: the results database cannot be read ({wrong.strerror}); "
            "name a file in `store` of ablate.toml"
        ) from None
    if len(header) < _HEADER or not header.startswith(_MAGIC):
        what = "is empty" if not header else "is not a SQLite database"
        raise StoreError(f"{path}: {what}; move it away, or name another file as the store")
    if int.from_bytes(header[68:72], "big") != APPLICATION_ID:
        raise StoreError(
            f"{path}: this database belongs to another program; name another file as the store"
        )
    version = int.from_bytes(header[60:64], "big")
    _refuse_newer(path, version)
    _refuse_truncated(path, header, size)
    return version


def mode(path: Path) -> str:
    """How SQLite is to open the file: for writing where this process may write, else for reading.

    Even a reader of a database in WAL mode writes into its folder. Where it may not, the file is
    read as one that nobody changes, unless its log holds what the file does not yet
    (https://sqlite.org/wal.html#read_only_databases).
    """
    folder = os.access(path.parent, os.W_OK | os.X_OK)
    if folder and os.access(path, os.W_OK):
        return _WRITE
    return _READ if folder or _unfinished(path) else _FROZEN


def is_writable(path: Path) -> bool:
    """Whether this process may write the database and beside it."""
    return mode(path) == _WRITE


def refuse_unwritable(path: Path) -> None:
    """Raise StoreError where the database can be read alone."""
    if not is_writable(path):
        raise StoreError(
            f"{path}: the file or its folder cannot be written; "
            "copy the project's folder and work in the copy"
        )


def _unfinished(path: Path) -> bool:
    log = path.with_name(f"{path.name}-wal")
    return log.exists() and log.stat().st_size > 0


def _refuse_newer(path: Path, version: int) -> None:
    if version > VERSION:
        raise StoreError(
            f"{path}: written by a newer ablate (schema {version}, this one reads {VERSION}); "
            "upgrade ablate-lab"
        )


def _refuse_truncated(path: Path, header: bytes, size: int) -> None:
    page = int.from_bytes(header[16:18], "big")
    pages = int.from_bytes(header[28:32], "big")
    if size < pages * (65536 if page == 1 else page) and not _unfinished(path):
        raise StoreError(
            f"{path}: the database is cut short ({size} bytes); restore it from a copy, "
            "or move it away and run again"
        )


def _make(path: Path) -> None:
    """Write a whole new database beside `path` and link it there: never a half-made one."""
    handle, name = _beside(path)
    os.close(handle)
    fresh = Path(name)
    try:
        fresh.chmod(0o644)
        with sqlite3.connect(fresh) as raw:
            raw.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        raw.close()
        with translated(path):
            _upgrade(fresh)
        _settle(fresh, path)
    finally:
        for left in path.parent.glob(f"{fresh.name}*"):
            left.unlink(missing_ok=True)


def _beside(path: Path) -> tuple[int, str]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as wrong:
        raise StoreError(f"{path}: the database cannot be made ({wrong.strerror})") from None


def _settle(fresh: Path, path: Path) -> bool:
    """Give a finished database its name; False where there is one of that name already."""
    try:
        path.hardlink_to(fresh)
    except FileExistsError:
        return False
    except OSError:
        # A file system without hard links: a rename is atomic too, but would replace.
        if path.exists():
            return False
        fresh.rename(path)
    return True


def bring_up(path: Path, version: int, *, create: bool) -> None:
    """Take an older database to this program's schema; its copy is kept beside it first."""
    if not create:
        here = "" if is_writable(path) else "in a copy of this folder, which cannot be written, "
        raise StoreError(
            f"{path}: written by an older ablate (schema {version}, this one reads {VERSION}); "
            f"{here}`ablate db upgrade` keeps a copy and brings it up to date"
        )
    keep(path, f"schema-{version}")
    with translated(path):
        _upgrade(path)


def keep(path: Path, why: str) -> Path:
    """Copy the database whole into the folder `backups` beside it, as it is; the copy's path."""
    folder = path.parent / BACKUPS
    try:
        folder.mkdir(exist_ok=True)
    except OSError as wrong:
        raise HostError(f"{folder}: {wrong.strerror}; no copy can be kept there") from None
    number = 1
    while (copy := folder / f"{path.stem}.{why}.{number}{path.suffix}").exists():
        number += 1
    return backup(path, copy)


def backup(path: Path, copy: Path) -> Path:
    """Copy the database into a new file, one state of it even while it is written; verified.

    Raises UsageError where `copy` exists already; nothing but a whole copy gets that name.
    """
    if copy.exists():
        raise UsageError(f"{copy} exists already; name a new file")
    handle, name = _beside(copy)
    os.close(handle)
    fresh = Path(name)
    try:
        fresh.chmod(0o644)
        with translated(path):
            _copy(path, fresh)
        if not _settle(fresh, copy):
            raise UsageError(f"{copy} exists already; name a new file")
    finally:
        fresh.unlink(missing_ok=True)
    return copy


def settle_aside(path: Path, fresh: Path) -> Path | None:
    """Give `fresh` the name `path`; the file that had it is kept under the path returned."""
    number = 1
    while (old := path.with_name(f"{path.name}.before-rebuild-{number}")).exists():
        number += 1
    kept = None
    for end in ("-wal", "-shm", ""):
        before = path.with_name(path.name + end)
        if before.exists():
            kept = before.rename(old.with_name(old.name + end))
    fresh.rename(path)
    return kept


def _copy(path: Path, fresh: Path) -> None:
    source = sqlite3.connect(_uri(path), uri=True, timeout=BUSY_SECONDS)
    target = sqlite3.connect(fresh)
    try:
        source.backup(target)
        said = [row for (row,) in target.execute("PRAGMA integrity_check")]
    finally:
        target.close()
        source.close()
    if said != ["ok"]:
        raise StoreError(f"{path}: the copy is not sound: {said[0]}; `ablate db check` says more")


def _upgrade(path: Path) -> None:
    from alembic import command  # noqa: PLC0415 - a third of a second that reading never pays
    from alembic.config import Config  # noqa: PLC0415 - likewise

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    engine = _engine(path, foreign_keys=False)
    try:
        with writer(engine).begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            lost = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
            if lost:
                raise StoreError(
                    f"{path}: {len(lost)} rows of {lost[0][0]} refer to nothing; it was not changed"
                )
    finally:
        engine.dispose()


def _uri(path: Path) -> str:
    return f"{path.absolute().as_uri()}?mode={mode(path)}"


def _engine(path: Path, *, foreign_keys: bool = True) -> Engine:
    engine = create_engine(
        "sqlite://",
        creator=lambda: sqlite3.connect(
            _uri(path),
            uri=True,
            timeout=BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
        ),
        poolclass=QueuePool,
    )
    event.listen(engine, "connect", _prepare if foreign_keys else _prepare_migration)
    event.listen(engine, "begin", _begin)
    return engine


def _prepare(raw: "DBAPIConnection", _entry: "ConnectionPoolEntry") -> None:
    cursor = raw.cursor()
    for setting in (
        f"busy_timeout = {BUSY_SECONDS * 1000}",
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
    ):
        cursor.execute(f"PRAGMA {setting}")
    cursor.close()


def _prepare_migration(raw: "DBAPIConnection", entry: "ConnectionPoolEntry") -> None:
    # Dropping a table that is made anew would delete all that refers to it.
    _prepare(raw, entry)
    cursor = raw.cursor()
    cursor.execute("PRAGMA foreign_keys = OFF")
    cursor.close()


def _begin(connection: Connection) -> None:
    # A deferred transaction that reads and then writes fails at once under contention.
    writes = connection.get_execution_options().get("writes", False)
    cursor = connection.connection.cursor()
    try:
        cursor.execute("BEGIN IMMEDIATE" if writes else "BEGIN")
    finally:
        cursor.close()


def writer(engine: Engine) -> Engine:
    """The same connections, for transactions that take the write lock at once."""
    return engine.execution_options(writes=True)


@contextmanager
def reading(engine: Engine) -> Iterator[Session]:
    """A session that sees one state of the database and changes nothing."""
    with Session(engine) as session:
        yield session


@contextmanager
def writing(connection: Connection) -> Iterator[Session]:
    """A session that holds the write lock, on a `writer`'s connection: all is kept, or nothing."""
    with Session(connection, expire_on_commit=False) as session:
        session.connection()
        yield session
        session.commit()


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn what SQLite says about the file or the disk into the kind of error it is."""
    try:
        yield
    except (IntegrityError, ProgrammingError):
        raise
    except DatabaseError as wrong:
        raise _error(path, str(wrong.orig)) from wrong
    except sqlite3.DatabaseError as wrong:
        raise _error(path, str(wrong)) from wrong


def _error(path: Path, said: str) -> AblateError:
    if "locked" in said or "busy" in said:
        return LockedError(
            f"{path}: another process has held the database for {BUSY_SECONDS} s; "
            "wait for it and call again"
        )
    if "full" in said or "disk I/O" in said:
        return HostError(f"{path}: {said}; free some space and call again")
    if "malformed" in said or "not a database" in said:
        return StoreError(f"{path}: {said}; restore it from a copy, or move it away and run again")
    if "unable to open" in said and mode(path) == _READ:
        return StoreError(
            f"{path}: its newest results are in {path.name}-wal, and that cannot be read here, for"
            " the folder cannot be written; copy the whole folder and read the copy"
        )
    return StoreError(f"{path}: {said}; check the file, its folder and their permissions")


def _pragma(connection: Connection, name: str) -> int:
    return int(connection.exec_driver_sql(f"PRAGMA {name}").scalar_one())
