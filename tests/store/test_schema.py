import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from ablate.errors import StoreError
from ablate.record import External, Finding, Note, State
from ablate.selection import Score
from ablate.store import Store, open_store
from ablate.store.schema import RESULTS_VIEW, Table
from ablate.study import Placement, Study

FIRST = Path(__file__).parent / "first-schema.db"
SECOND = Path(__file__).parent / "second-schema.db"
THIRD = Path(__file__).parent / "third-schema.db"


def objects(path: Path) -> dict[str, str]:
    raw = sqlite3.connect(path)
    rows = raw.execute(
        "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL"
        " AND name NOT LIKE 'alembic%' AND name NOT LIKE 'sqlite_%'"
    ).fetchall()
    raw.close()
    # A table that was renamed has its name in quotes.
    return {name: " ".join(sql.replace('"', "").split()).replace("( ", "(") for name, sql in rows}


def dump(path: Path) -> list[str]:
    raw = sqlite3.connect(path)
    lines = list(raw.iterdump())
    raw.close()
    return lines


def test_the_migrations_make_exactly_the_declared_tables(store: Store, tmp_path: Path) -> None:
    declared = tmp_path / "declared.db"
    engine = create_engine(f"sqlite:///{declared}")
    with engine.begin() as connection:
        Table.metadata.create_all(connection)
        connection.exec_driver_sql(RESULTS_VIEW)
    engine.dispose()
    assert objects(store.path) == objects(declared)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE trial SET state = 'done'",
        "UPDATE trial SET seed = 'notint'",
        "INSERT INTO scalar VALUES (1, 0, 'test', 'rank1', NULL, NULL)",
        "INSERT INTO scalar VALUES (1, 0, 'test', 'rank1', 0.5, 'nan')",
        "INSERT INTO scalar VALUES (1, 0, 'test', 'rank1', NULL, 'NaN')",
        "INSERT INTO scalar VALUES (1, 0, 'test', 'rank1', 'high', NULL)",
        "INSERT INTO scalar VALUES (1, 0, 'test', 'rank1', x'0000', NULL)",
        "INSERT INTO scalar VALUES (1, x'01', 'test', 'rank1', 0.5, NULL)",
        "INSERT INTO scalar VALUES (99, 0, 'test', 'rank1', 0.5, NULL)",
        "INSERT INTO cost VALUES (1, '', 'params', 'torch', '', 'many', NULL)",
        "INSERT INTO final VALUES (1, 'last', 'rank1', 1, 'high', NULL, 0, 'test')",
        "UPDATE metric SET direction = 'sideways'",
        "INSERT INTO placement VALUES (1, 'baseline', 0, 2, NULL, 'grid', 9, 0)",
        "UPDATE attempt SET number = 'second'",
        "INSERT INTO external VALUES (1, 'NDS', '', 'Codabench', '2026-01-02', 'high', 'now')",
        "INSERT INTO external VALUES (99, 'NDS', '', 'Codabench', '2026-01-02', 0.72, 'now')",
        "INSERT INTO note VALUES (1, 1, '', 1, 'on two things', 'me', '2026-01-02', '')",
        "INSERT INTO note VALUES (1, NULL, '', NULL, 'on nothing', 'me', '2026-01-02', '')",
        "INSERT INTO note VALUES (1, NULL, '', 1, 'a trial finds', 'me', '2026-01-02', 'W120')",
        "INSERT INTO note VALUES (1, 1, 'lif', NULL, 'or one', 'me', '2026-01-02', 'W120')",
        "INSERT INTO audit VALUES (99, 'stamp', 'now')",
        "INSERT INTO setting VALUES (99, 'SOLVER.SEED', '1234')",
    ],
)
def test_the_database_itself_refuses_what_it_could_not_read_back(
    statement: str, store: Store, study: Study, placements: list[Placement]
) -> None:
    store.put_study(study, placements)
    assert store.claim(placements[0].trial.key, "me") is not None
    raw = sqlite3.connect(store.path)
    raw.execute("PRAGMA foreign_keys = ON")
    with pytest.raises(sqlite3.IntegrityError):
        raw.execute(statement)
    raw.close()


@pytest.mark.parametrize("old", [FIRST, SECOND, THIRD])
def test_a_database_of_an_older_schema_is_not_changed_by_a_reader(
    old: Path, tmp_path: Path
) -> None:
    path = tmp_path / "results.db"
    shutil.copy(old, path)
    with pytest.raises(StoreError, match="`ablate db upgrade` keeps a copy"):
        open_store(path)
    assert path.read_bytes() == old.read_bytes()


@pytest.mark.parametrize(("old", "version"), [(FIRST, 1), (SECOND, 2), (THIRD, 3)])
def test_a_copy_of_an_older_database_is_kept_before_it_is_brought_up_to_date(
    old: Path, version: int, tmp_path: Path
) -> None:
    path = tmp_path / "results.db"
    shutil.copy(old, path)
    open_store(path, create=True).close()
    copy = tmp_path / "backups" / f"results.schema-{version}.1.db"
    assert dump(copy) == dump(old)
    open_store(path, create=True).close()
    assert list(copy.parent.iterdir()) == [copy]


def test_a_database_of_the_second_schema_keeps_all_it_had_when_it_is_brought_up_to_date(
    tmp_path: Path,
) -> None:
    path = tmp_path / "results.db"
    shutil.copy(SECOND, path)
    open_store(path, create=True).close()
    with open_store(path) as store:
        records = store.records("second")
        keys = [r.key for r in records]
        timeout = store.attempts(keys[1])[0]
        curves = store.curves(keys[0])
        assert store.settings(keys[0]) == {}
        assert store.durations("second") == [("baseline", 12.5), ("lif", 60.0)]
    assert [(r.variant, r.seed, r.key, r.state) for r in records] == [
        ("baseline", 0, "f5cd8e632518fa1a", State.COMPLETED),
        ("baseline", 1, "7806e87cff89ce76", State.TIMEOUT),
        ("lif", 0, "f740014992c54a69", State.COMPLETED),
        ("lif", 1, "41fdc1bf4b23336a", State.PENDING),
        ("lif.beta=2.0", 0, "40c4fddf4529eadc", State.PENDING),
    ]
    assert records[0].scores["rank1"] == Score("rank1", 0.5, 1, "test", "best:rank1@val")
    assert records[0].scores["fde"].value == float("inf")
    assert records[0].shares["lif"]["params"].value == 1e6
    assert records[0].attempt is not None
    assert records[0].attempt.provenance == {"commit": "0" * 40, "notes": "a doubt"}
    assert (timeout.number, timeout.error_type, timeout.error) == (1, "Timeout", "ran past 10 s")
    assert records[2].source == "grid.csv"
    assert str(curves["train", "loss"][1]) == "nan"
    assert objects(path) == objects(_fresh(tmp_path))


def test_a_database_of_the_third_schema_keeps_what_was_found_and_noted(tmp_path: Path) -> None:
    path = tmp_path / "results.db"
    shutil.copy(THIRD, path)
    open_store(path, create=True).close()
    key = "f5cd8e632518fa1a"
    with open_store(path) as store:
        records = store.records("third")
        assert store.findings("third") == [
            Finding("W120", "warning", "the best step was chosen on the test split", "set select"),
            Finding("W204", "warning", "lif: nothing reaches the score", "ablate plan"),
        ]
        assert not store.stamp("third")  # of which state they were, nobody knows
        assert store.notes() == [
            Note("the whole study", "Ada", "2026-01-02", study="third"),
            Note("one variant", "Ada", "2026-01-02", study="third", variant="lif"),
            Note("one trial", "Ada", "2026-01-01", key=key),
        ]
        assert store.all_settings("third")[key] == {"SOLVER.SEED": "1234"}
        assert store.problems() == []
    states = [State.COMPLETED, State.COMPLETED, State.INCOMPLETE, State.PENDING]
    assert [r.state for r in records] == states
    external = External("rank1", 0.72, "Codabench", "2026-01-03", "test")
    assert (records[0].key, records[0].externals) == (key, (external,))
    assert objects(path) == objects(_fresh(tmp_path))


def _fresh(folder: Path) -> Path:
    path = folder / "fresh.db"
    open_store(path, create=True).close()
    return path


def test_a_database_of_the_first_schema_keeps_its_numbers_when_it_is_brought_up_to_date(
    tmp_path: Path,
) -> None:
    path = tmp_path / "results.db"
    shutil.copy(FIRST, path)
    open_store(path, create=True).close()
    with open_store(path) as store:
        assert store.studies() == ["first"]
        study = store.study("first")
        records = store.records("first")
        key = records[0].key
        items = store.items(key)
        curves = store.curves(key)
        findings = store.findings("first")
    assert [f.name for f in study.factors] == ["sacr", "lif.beta", "depth", "loss"]
    assert study.fixed == {"depth": 2}
    assert [(r.variant, r.seed, r.state) for r in records] == [
        ("baseline", 0, State.COMPLETED),
        ("baseline", 1, State.FAILED),
        ("sacr", 0, State.COMPLETED),
        ("sacr", 1, State.PENDING),
    ]
    assert key == "a9551b265c929270"
    assert records[0].scores["rank1"] == Score("rank1", 0.5, 1, "test", "best:rank1@val")
    assert str(records[0].scores["fde"].value) == "nan"
    assert records[0].costs["params"].value == 86e6
    assert records[0].shares == {}
    assert records[1].attempt is not None
    assert records[1].attempt.error == "ValueError: the loss is nan"
    assert records[2].source == "grid.csv"
    assert [(i.item, i.value) for i in items] == [("q2", 0.25), ("q10", float("-inf"))]
    assert curves["val", "rank1"] == {0: 0.3, 1: 0.7, 2: 0.6}
    assert [f.code for f in findings] == ["A1"]
    assert FIRST.stat().st_size < 200_000


def test_reading_imports_neither_alembic_nor_pandas_nor_torch(store: Store) -> None:
    program = (
        "import sys; from pathlib import Path; from ablate.store import open_store\n"
        f"open_store(Path({str(store.path)!r})).studies()\n"
        "print([m for m in ('alembic', 'pandas', 'torch', 'numpy', 'ray') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
