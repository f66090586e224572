import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from ablate.errors import StoreError
from ablate.record import State
from ablate.selection import Score
from ablate.store import Store, open_store
from ablate.store.schema import RESULTS_VIEW, Table
from ablate.study import Placement, Study

FIRST = Path(__file__).parent / "first-schema.db"


def objects(path: Path) -> dict[str, str]:
    raw = sqlite3.connect(path)
    rows = raw.execute(
        "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL"
        " AND name NOT LIKE 'alembic%' AND name NOT LIKE 'sqlite_%'"
    ).fetchall()
    raw.close()
    return {name: " ".join(sql.split()).replace("( ", "(") for name, sql in rows}


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


def test_a_database_of_the_first_schema_is_not_changed_by_a_reader(tmp_path: Path) -> None:
    path = tmp_path / "results.db"
    shutil.copy(FIRST, path)
    with pytest.raises(StoreError, match="`ablate run` brings it up to date"):
        open_store(path)
    assert path.read_bytes() == FIRST.read_bytes()


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
