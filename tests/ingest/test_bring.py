from pathlib import Path

import pytest

from ablate.errors import UsageError
from ablate.ingest.assemble import assemble
from ablate.ingest.bring import PART, Target, bring
from ablate.ingest.gather import Gathered, gather, holding
from ablate.ingest.run import Reader, Run
from ablate.ingest.seats import Wishes
from ablate.store import Store, open_store
from tests.ingest.made import run


def test_one_unreadable_file_among_many_is_said_and_loses_no_other(tmp_path: Path) -> None:
    def read(path: Path) -> list[Run]:
        if path.name == "b":
            raise UsageError(f"{path}: it is empty")
        if path.name == "d":
            raise ZeroDivisionError("division by zero")
        return [run(path.name)]

    reader = Reader(name="r", about="", find=lambda p: p.iterdir(), read=read)  # type: ignore[arg-type]
    heard: list[int] = []
    with gather([tmp_path / n for n in "abcd"], reader, lambda: heard.append(1)) as gathered:
        assert [o.run.name for o in gathered.outlines] == ["a", "c"]
        assert len(heard) == 4
        assert gathered.problems[0].endswith("b: it is empty")
        assert gathered.problems[1] == "d: ZeroDivisionError: division by zero"
    with pytest.raises(UsageError, match=r"nothing could be read: .*b: it is empty"):
        gather([tmp_path / "b"], reader, lambda: None)


def test_runs_whose_files_have_one_name_are_told_apart_by_their_folders(tmp_path: Path) -> None:
    reader = Reader(
        name="r",
        about="",
        find=lambda p: p.iterdir(),
        read=lambda p: iter([run(p.stem, {"lr": p.parent.name})]),
    )
    files = [tmp_path / n / "train_log.txt" for n in "12"]
    with gather([*files, tmp_path / "3" / "other.txt"], reader, lambda: None) as gathered:
        names = [o.run.name for o in gathered.outlines]
        assert names == ["1 train_log", "2 train_log", "other"]
        assert gathered.whole(1).name == "2 train_log"
        found = assemble(gathered, "s", Wishes())
        assert [e.provenance.get("run") for _, e in found.results(gathered)] == [
            "1 train_log",
            "2 train_log",
            None,
        ]


def stored(store: Store, gathered: Gathered, source: str = "import logs") -> tuple[int, int]:
    brought = bring(Target(store, source), assemble(gathered, "s", Wishes()), gathered)
    return len(brought.new), len(brought.same)


def test_importing_twice_changes_nothing(tmp_path: Path) -> None:
    runs = [run(f"r{i}", {"lr": str(i)}) for i in range(4)]
    with open_store(tmp_path / "a.db", create=True) as store, holding(runs, "demo") as gathered:
        assert stored(store, gathered) == (4, 0)
        first = store.records("s")
        assert stored(store, gathered) == (0, 4)
        assert store.records("s") == first
        assert store.settings(first[0].key)["lr"] == "0"


def test_a_changed_and_a_new_run_are_all_that_a_second_import_writes(tmp_path: Path) -> None:
    runs = [run(f"r{i}", {"lr": str(i)}) for i in range(3)]
    changed = [run("r0", {"lr": "0"}, score=0.9), *runs[1:], run("r3", {"lr": "3"})]
    with open_store(tmp_path / "a.db", create=True) as store:
        with holding(runs, "demo") as gathered:
            stored(store, gathered)
        with holding(changed, "demo") as gathered:
            assert stored(store, gathered) == (2, 2)
        assert len(store.records("s")) == 4


def test_an_interrupted_import_keeps_its_parts_and_goes_on(tmp_path: Path) -> None:
    runs = [run(f"r{i}", {"lr": str(i)}) for i in range(PART + 50)]

    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    with open_store(tmp_path / "a.db", create=True) as store, holding(runs, "demo") as gathered:
        found = assemble(gathered, "s", Wishes())
        with pytest.raises(KeyboardInterrupt):
            bring(Target(store, "import logs"), found, gathered, interrupt)
        assert len(store.records("s")) == PART
        assert stored(store, gathered) == (50, PART)
        assert len(store.records("s")) == PART + 50


def test_runs_of_other_factors_do_not_mix_into_one_study(tmp_path: Path) -> None:
    with open_store(tmp_path / "a.db", create=True) as store:
        with holding([run("x", {"lr": "1"}), run("y", {"lr": "2"})], "demo") as gathered:
            stored(store, gathered)
        with (
            holding([run("p", {"wd": "1"}), run("q", {"wd": "2"})], "demo") as gathered,
            pytest.raises(
                UsageError, match=r"has other factors \(lr is no more, wd is new\).*--replace"
            ),
        ):
            stored(store, gathered, "import others")
