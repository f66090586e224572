"""An attempt's folder tells the truth or says that it cannot."""

import json
import math
from pathlib import Path

import pytest

from ablate.record import Cost, State
from ablate.run.folder import Exit, ending, read_events, write_result
from ablate.run.recorder import FolderRecorder


@pytest.fixture
def sealed(tmp_path: Path) -> Path:
    recorder = FolderRecorder(tmp_path)
    recorder.scalars(1, "test", {"score": 0.25, "loss": math.nan})
    recorder.scalars(1, "test", {"score": 0.5})
    recorder.items("test", ["q1", "q2"], {"ap": [0.1, -math.inf]})
    recorder.items("test", ["q1"], {"ap": [0.9]})
    recorder.close()
    write_result(tmp_path, {"state": "completed", "seconds": 1.5, "scores": {"f": "nan"}})
    return tmp_path


def test_a_sealed_result_is_read_back_whole(sealed: Path) -> None:
    left = ending(sealed, Exit(0, 2.0))

    assert left.state is State.COMPLETED
    assert left.seconds == 1.5
    assert math.isnan(left.scores["f"])


def test_a_later_value_of_a_point_replaces_the_earlier_one(sealed: Path) -> None:
    logged = read_events(sealed)

    assert {s.name: s.value for s in logged.scalars}["score"] == 0.5
    assert [(i.item, i.value) for i in logged.items] == [("q1", 0.9)]


def test_non_finite_numbers_survive_strict_json(sealed: Path) -> None:
    for line in (sealed / "events.jsonl").read_text().splitlines():
        json.loads(line, parse_constant=pytest.fail)

    scalars = read_events(sealed).scalars
    assert math.isnan({s.name: s.value for s in scalars}["loss"])


@pytest.mark.parametrize("name", ["result.json", "events.jsonl"])
def test_one_changed_byte_makes_a_result_a_crash(sealed: Path, name: str) -> None:
    path = sealed / name
    path.write_text(path.read_text().replace("0.5", "0.7").replace("1.5", "1.7"))

    left = ending(sealed, Exit(0, 2.0))

    assert left.state is State.CRASHED
    assert "digest" in left.error
    assert not left.scalars


def test_a_half_written_last_event_is_left_out(sealed: Path) -> None:
    with (sealed / "events.jsonl").open("a") as file:
        file.write('{"step": 2, "split": "test", "scal')

    assert len(read_events(sealed).scalars) == 2


def test_a_share_of_a_cost_stands_beside_the_whole_and_a_later_value_replaces(
    tmp_path: Path,
) -> None:
    recorder = FolderRecorder(tmp_path)
    recorder.costs([Cost("params", 10, "", "hand"), Cost("params", 2, "", "hand", "lif")])
    recorder.cost("params", 11, "", "hand")
    recorder.close()

    found = {(c.factor, c.name): c.value for c in read_events(tmp_path).costs}
    assert found == {("", "params"): 11, ("lif", "params"): 2}


@pytest.mark.parametrize("sealing", [True, False])
def test_the_doubts_of_an_attempt_are_part_of_its_provenance_each_once(
    tmp_path: Path, *, sealing: bool
) -> None:
    recorder = FolderRecorder(tmp_path)
    for text in ("weights are random", "one image\nis missing", "weights are random"):
        recorder.note(text)
    recorder.close()
    if sealing:
        write_result(tmp_path, {"state": "completed", "seconds": 1.5, "provenance": {"a": "b"}})

    left = ending(tmp_path, Exit(0, 2.0))
    assert left.provenance["notes"] == "weights are random\none image is missing"


def test_a_fact_joins_the_provenance_and_never_hides_what_the_runner_says(tmp_path: Path) -> None:
    recorder = FolderRecorder(tmp_path)
    recorder.fact("weights", "vit.pt sha256:00")
    recorder.fact("weights", "vit.pt sha256:01")
    recorder.fact("torch", "0.1")
    recorder.close()
    write_result(tmp_path, {"state": "completed", "seconds": 1.5, "provenance": {"torch": "2.13"}})

    left = ending(tmp_path, Exit(0, 2.0))
    assert left.provenance == {"weights": "vit.pt sha256:01", "torch": "2.13"}


def test_items_and_values_of_different_length_are_refused(tmp_path: Path) -> None:
    recorder = FolderRecorder(tmp_path)

    with pytest.raises(ValueError, match="2 values for 1 items"):
        recorder.items("test", ["a"], {"ap": [0.1, 0.2]})
    recorder.close()
