import gzip
import re
from pathlib import Path

import pytest

from ablate.errors import UsageError
from ablate.ingest import curves
from ablate.ingest.demo import READER, begin
from ablate.ingest.run import Draft, Run
from ablate.record import Scalar, State
from ablate.selection import held
from tests.ingest.demo_log import BOTH, MOE, ORI, THREE, loss, text, write
from tests.ingest.made import selected


def read(path: Path) -> list[Run]:
    return list(READER.read(path))


def of(tmp_path: Path, content: str | bytes) -> list[Run]:
    path = tmp_path / "a.log"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read(path)


def curve(run: Run, split: str, name: str) -> dict[int, float]:
    return {s.step: s.value for s in run.scalars if (s.split, s.name) == (split, name)}


def test_a_log_gives_configuration_options_costs_and_what_was_never_called(tmp_path: Path) -> None:
    opts = {"MODEL.LIF_BETA": "0.2", "MODEL.PRETRAIN_PATH_T": "/data/me/other.pth"}
    (run,) = read(write(tmp_path / "x.log.gz", name="lif", opts=opts, uncalled=["sacr", "sacr.0"]))
    assert (run.name, run.seed, run.state) == ("lif", 1111, State.COMPLETED)
    assert run.options == {"MODEL.LIF_BETA": "0.2", "MODEL.PRETRAIN_PATH_T": "other.pth"}
    assert run.command == "--config_file configs/RGBNT201/Demo.yml"
    assert run.settings["MODEL.LIF_BETA"] == "0.2"
    assert run.settings["MODEL.IF_WITH_CENTER"] == "no"
    assert run.settings["TEST.WEIGHT"] == ""
    assert run.settings["OUTPUT_DIR"] == "out"
    assert {c.name: c.value for c in run.costs} == {
        "params": 97186812.0,
        "ops": 38331388266.00001,
        "seconds": 160.007,  # 20.114 before the first epoch, three of 46.631
    }
    assert run.uncalled == ("sacr", "sacr.0")
    assert run.facts["data train (ids, images, cameras)"] == "171, 3951, 4"
    assert "somebody" not in repr(run)
    assert run.unread == run.remarks == ()


def test_arguments_beside_the_configuration_are_settings_too(tmp_path: Path) -> None:
    (run,) = of(tmp_path, text().replace("fea_cft=0", "fea_cft=1"))
    assert run.settings["--fea_cft"] == "1"
    assert not [name for name in run.facts if name.startswith("--")]


def test_output_between_the_lines_of_the_configuration_is_said(tmp_path: Path) -> None:
    head, tail = text().split("  USE_LIF: True\n", 1)
    (run,) = of(tmp_path, f"{head}a warning of another process\n  USE_LIF: True\n{tail}")
    assert [r for r in run.remarks if "interrupts the printed configuration" in r]
    (whole,) = of(tmp_path, text())
    assert whole.remarks == ()


def test_training_stands_at_the_iteration_and_scores_at_the_epoch(tmp_path: Path) -> None:
    (run,) = read(write(tmp_path / "x.log", iterations=25, patterns=THREE))
    assert list(curve(run, "train", "loss")) == [10, 20, 35, 45, 60, 70]
    assert curve(run, "train", "loss")[45] == round(loss(2, 20), 3)
    assert curve(run, "train", "samples_per_second") == {1: 161.1, 2: 161.1, 3: 161.1}
    for pattern, split in ((ORI, "test.ori"), (MOE, "test.moe"), (BOTH, "test")):
        assert list(curve(run, split, "mAP")) == [1, 2, 3], pattern
    assert curve(run, "test", held("mAP")) == {1: 1.0, 2: 2.0, 3: 3.0}


@pytest.mark.parametrize("patterns", [(BOTH,), (ORI,), ("",), THREE, (ORI, MOE)])
def test_the_pattern_scored_last_counts(tmp_path: Path, patterns: tuple[str, ...]) -> None:
    def scores(epoch: int, pattern: str) -> tuple[float, ...]:
        return (50.0 + epoch + 10 * patterns.index(pattern), 60.0, 70.0, 80.0)

    (run,) = read(write(tmp_path / "x.log", patterns=patterns, scores=scores))
    assert curve(run, "test", "mAP")[3] == round((53 + 10 * (len(patterns) - 1)) / 100, 3)
    splits = {s.split for s in run.scalars} - {"train"}
    assert splits == {"test", *(f"test.{p}" for p in patterns[:-1])}


def test_the_printed_best_settles_a_tie_among_rounded_values(tmp_path: Path) -> None:
    rows = {1: (72.34, 70, 80, 90), 2: (72.26, 75, 81, 91), 3: (60, 61, 62, 63)}
    (run,) = read(write(tmp_path / "x.log", scores=lambda e, _: rows[e]))
    assert curve(run, "test", "mAP") == {1: 0.723, 2: 0.723, 3: 0.6}
    assert selected(run, run.select)["rank1"] == 0.7
    (run,) = read(write(tmp_path / "y.log", scores=lambda e, _: rows[e], best=False))
    assert selected(run, run.select)["rank1"] == 0.75


def test_other_factors_data_and_lengths_are_read_too(tmp_path: Path) -> None:
    more = {"MODEL.USE_TOKEN_MIXER": "True", "SOLVER.EVAL_PERIOD": "2", "SOLVER.SEED": "7"}
    path = write(tmp_path / "x.log", data="MSVR310", settings=more, iterations=31, epochs=4)
    (run,) = read(path)
    assert (run.state, run.seed, run.facts["data"]) == (State.COMPLETED, 7, "MSVR310")
    assert run.settings["MODEL.USE_TOKEN_MIXER"] == "True"
    (old,) = read(write(tmp_path / "y.log", without=["MODEL.LIF_BETA"]))
    assert "MODEL.LIF_BETA" not in old.settings


def test_a_log_cut_after_any_line_is_never_complete_and_holds_a_prefix(tmp_path: Path) -> None:
    whole = text(patterns=THREE, epochs=2, iterations=20)
    (full,) = of(tmp_path, whole)
    points = full.scalars
    lines = whole.splitlines(keepends=True)
    for end in range(len(lines) - 1):
        cut = "".join(lines[:end])
        lost = begin(draft := Draft())
        for line in cut.splitlines():
            lost.line(line)
        lost.end()
        run = lost.run()
        assert run.state is not State.COMPLETED, end
        assert set(run.scalars) <= set(points), end
        assert not draft.scalars or run.reason.startswith("the log ends"), end


def test_a_log_cut_at_any_byte_gives_no_wrong_number(tmp_path: Path) -> None:
    whole = text(epochs=2, iterations=20).encode()
    (full,) = of(tmp_path, whole)
    points = set(full.scalars)
    start = whole.index(b"start training")
    for end in range(start, len(whole) - 90, 11):
        (run,) = of(tmp_path, whole[:end])
        assert run.state in {State.INCOMPLETE, State.PENDING}, end
        assert set(run.scalars) <= points, end


def test_a_compressed_log_cut_at_any_byte_is_never_complete(tmp_path: Path) -> None:
    whole = gzip.compress(text().encode())
    for cut in range(len(whole) - 40, len(whole)):
        (run,) = of(tmp_path, whole[:cut])
        assert run.state is State.INCOMPLETE, cut
    assert run.reason == "the compressed file is cut off"


def test_how_a_run_ended_is_said(tmp_path: Path) -> None:
    settings = {"SOLVER.MAX_EPOCHS": "50"}
    whole = text(epochs=31, settings=settings)
    (run,) = of(tmp_path, whole)
    assert (run.state, run.reason) == (State.INCOMPLETE, "the log ends after epoch 31 of 50")
    (run,) = of(tmp_path, whole[: whole.index("Epoch 31 done")])
    assert run.reason == "the log ends in epoch 31 of 50"
    (run,) = of(tmp_path, text().partition("start training")[0])
    assert (run.state, run.scalars) == (State.PENDING, ())
    error = (
        "Traceback (most recent call last):\n  File x\nRuntimeError: CUDA out of memory at /a/b\n"
    )
    (run,) = of(tmp_path, whole + error)
    assert run.state is State.FAILED
    assert run.reason.startswith("RuntimeError: CUDA out of memory at b (")
    (run,) = of(tmp_path, whole + error.replace("RuntimeError: CUDA", "KeyboardInterrupt"))
    assert run.state is State.INCOMPLETE
    (run,) = of(tmp_path, text() + error)
    assert run.state is State.COMPLETED
    assert "CUDA out of memory" in run.remarks[0]


def test_a_second_start_of_the_same_configuration_replaces_the_first(tmp_path: Path) -> None:
    settings = {"SOLVER.MAX_EPOCHS": "3"}
    first = text(epochs=2, settings=settings, scores=lambda _e, _p: (1, 2, 3, 4))
    (run,) = of(tmp_path, first + text(epochs=3, settings=settings))
    assert run.state is State.COMPLETED
    assert min(curve(run, "test", "mAP").values()) > 0.4
    assert "left out: the log ends after epoch 2 of 3" in run.remarks[0]


def test_another_configuration_in_the_same_file_is_another_run(tmp_path: Path) -> None:
    one, two = of(tmp_path, text(name="a", opts={"MODEL.LIF_BETA": "0.2"}) + text(name="b"))
    assert (one.name, two.name) == ("a", "b")
    assert (one.settings["MODEL.LIF_BETA"], two.settings["MODEL.LIF_BETA"]) == ("0.2", "0.4")


def test_a_resumed_training_is_one_run(tmp_path: Path) -> None:
    settings = {"SOLVER.MAX_EPOCHS": "4"}
    first = text(epochs=2, settings=settings)
    (run,) = of(tmp_path, first + text(first=3, epochs=2, settings=settings))
    assert run.state is State.COMPLETED
    assert list(curve(run, "test", "mAP")) == [1, 2, 3, 4]
    assert len(curve(run, "train", "loss")) == 20
    assert "resumed after the log ends after epoch 2 of 4" in " ".join(run.remarks)


def test_a_counter_that_restarts_without_a_header_begins_anew(tmp_path: Path) -> None:
    settings = {"SOLVER.MAX_EPOCHS": "3"}
    again = text(epochs=1, header=False, scores=lambda _e, _p: (1, 2, 3, 4))
    (run,) = of(tmp_path, text(epochs=2, settings=settings) + again)
    assert (run.state, run.reason) == (State.INCOMPLETE, "the log ends after epoch 1 of 3")
    assert curve(run, "test", "mAP") == {1: 0.01}
    assert "after epoch 2: only the last start counts" in run.remarks[0]


def test_a_metric_printed_twice_counts_as_it_was_printed_last(tmp_path: Path) -> None:
    whole = text(epochs=1)
    line = next(line for line in whole.splitlines(keepends=True) if " mAP: 5" in line)
    (same,) = of(tmp_path, whole.replace(line, line * 2))
    assert same.remarks == ()
    other = re.sub(r"mAP: \S+", "mAP: 12.3%", line)
    (run,) = of(tmp_path, whole.replace(line, line + other))
    assert curve(run, "test", "mAP") == {1: 0.123}
    assert "printed again with another value at step 1: the later counts" in run.remarks


def test_bars_colours_and_broken_bytes_change_no_number(tmp_path: Path) -> None:
    whole = text(epochs=2)
    (plain,) = of(tmp_path, whole)
    hostile = b"".join(
        b" 10%|# | 1/9 [00:01<00:09]\r 99%|##| 9/9\r\x1b[32m"
        + line.encode()
        + b"\x1b[0m\r\n\xff\xfe\n"
        for line in whole.splitlines()[whole.count("\n") - 60 :]
    )
    head = "".join(whole.splitlines(keepends=True)[: whole.count("\n") - 60])
    (run,) = of(tmp_path, head.encode() + hostile)
    assert run.scalars == plain.scalars
    assert run.state is State.COMPLETED
    assert run.remarks == ("120 bytes are not UTF-8: replaced",)


def test_time_that_goes_back_is_said_and_not_counted(tmp_path: Path) -> None:
    whole = text(epochs=2)
    head, _, tail = whole.partition("Epoch[2] Iteration[10")
    (run,) = of(tmp_path, head + "Epoch[2] Iteration[10" + tail.replace("12-06 20", "12-06 19"))
    assert any("clock goes back" in remark for remark in run.remarks)
    assert next(c.value for c in run.costs if c.name == "seconds") > 0


def test_what_looks_like_a_measurement_and_is_not_understood_is_reported(tmp_path: Path) -> None:
    extra = "mINP-like mAP: 12.3\nRank-1 77.2\nEpoch 3 acc=0.9\nEpoch 4 acc=0.8\n"
    (run,) = of(tmp_path, text() + extra)
    assert [line.partition(": ")[2] for line in run.unread] == [
        "mINP-like mAP: 12.3",
        "Rank-1 77.2",
        "Epoch 3 acc=0.9",
    ]
    (run,) = of(tmp_path, text().replace("Loss: 6.500", "Loss: broken"))
    assert "Loss: broken" in run.unread[0]


def test_nan_and_infinities_are_values(tmp_path: Path) -> None:
    (run,) = of(tmp_path, text().replace("Loss: 6.500", "Loss: nan").replace("6.400", "inf"))
    values = curve(run, "train", "loss")
    assert values[10] != values[10]
    assert values[20] == float("inf")


def test_numbers_beyond_all_bounds_are_no_steps_and_take_no_time(tmp_path: Path) -> None:
    huge = "9" * 300
    whole = text().replace("Epoch[2] Iteration[20", f"Epoch[{huge}] Iteration[{huge}")
    (run,) = of(tmp_path, whole.replace("SEED: 1111", f"SEED: {huge}"))
    assert (run.seed, run.state) == (None, State.COMPLETED)
    assert list(curve(run, "train", "loss"))[5:9] == [64, 84, 94, 104]
    assert "Epoch[999" in run.unread[0]


def test_more_points_than_fit_in_memory_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(curves, "MOST", 40)
    with pytest.raises(UsageError, match="over 40 points in one run"):
        of(tmp_path, text())


def test_a_running_program_is_heard_point_by_point() -> None:
    heard: list[Scalar] = []
    lines = begin(Draft(heard.append))
    for line in text(epochs=1).splitlines():
        lines.line(line)
    lines.end()
    assert {s.name for s in heard} >= {"loss", "mAP", "rank10", "best_step.mAP"}


def test_a_file_of_another_kind_is_refused_by_name_and_passed_over_in_a_folder(
    tmp_path: Path,
) -> None:
    (tmp_path / "notes.txt").write_text("nothing here\n", "utf-8")
    log = write(tmp_path / "deep" / "train.log.gz")
    assert list(READER.find(tmp_path)) == [log]
    with pytest.raises(UsageError, match=r"notes\.txt: nothing in it"):
        read(tmp_path / "notes.txt")


@pytest.mark.parametrize("cut", range(1, 23))
def test_output_that_goes_on_from_a_checkpoint_gives_the_running_best_of_an_undisturbed_one(
    cut: int,
) -> None:
    best = {1: 50.0, 2: 60.04, 3: 60.0, 4: 60.0, 5: 61.0}  # epochs 2 and 3 print the same

    def scores(epoch: int, _pattern: str) -> tuple[float, float, float, float]:
        return best[epoch], 70.0, 80.0, 90.0

    whole = text(epochs=5, scores=scores, settings={"SOLVER.MAX_EPOCHS": "5"}).split("\n")
    at = next(i for i, line in enumerate(whole) if "Epoch[3]" in line)
    head = next(i for i, line in enumerate(whole) if "Epoch[1]" in line)
    drafts = [Draft(), Draft()]
    for draft, lines in zip(
        drafts, (whole, [*whole[: at + cut], *whole[:head], *whole[at:]]), strict=True
    ):
        heard = READER.begin(draft)
        for line in lines:
            heard.line(line)
        heard.end()

    assert drafts[0].best == drafts[1].best
    curves = [{k: v for k, v in d.scalars.items() if k[1] == "best_step.mAP"} for d in drafts]
    assert len(curves[0]) == 5
    assert curves[0] == curves[1]
