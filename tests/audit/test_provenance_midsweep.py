"""W131: settings and scores that change at some run and stay changed."""

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from ablate.audit.catalogue import check_of
from ablate.audit.evidence import Evidence
from ablate.audit.provenance.shift import level_shift
from ablate.ingest.histories import READER
from ablate.metric import Metric
from ablate.record import Attempt, Finding, Record, State
from ablate.selection import Score
from ablate.study import Factor, Level, Study, real, switch

FACTORS = (switch("lmsa"), switch("focal"), real("lr", 0.001))
STUDY = Study(
    name="faces",
    title="Faces",
    system="x",
    revision="1",
    factors=FACTORS,
    metrics=(Metric("F"),),
    primary="F",
)
BEGAN = datetime(2026, 3, 1, 8, tzinfo=UTC)


def run(hour: int, variant: str, seed: int = 0, value: float = 0.5, **levels: Level) -> Record:
    key = f"{hour:04d}"
    started = (BEGAN + timedelta(hours=hour)).isoformat()
    all_levels = {f.name: levels.get(f.name, f.reference) for f in FACTORS}
    return Record(
        *("faces", variant, "arm", None, hour, all_levels, levels, seed, key, State.COMPLETED),
        scores={"F": Score("F", value, 1, "val", "last")},
        attempt=Attempt(key, 1, State.COMPLETED, "", "", started=started),
        source="run",
    )


def found(
    records: list[Record], settings: Callable[[Record], dict[str, str]] = lambda _: {}
) -> list[Finding]:
    evidence = Evidence(STUDY, records, {}, {r.key: settings(r) for r in records})
    return list(check_of("W131").findings(evidence))


FOUR = [run(0, "a"), run(1, "b", lr=0.01), run(2, "c", lr=0.1), run(3, "c", 1, lr=0.1)]


def test_keys_that_are_there_from_some_run_on_are_named_with_it_and_both_sides() -> None:
    (finding,) = found(
        FOUR, lambda r: {"lr": "1", **({"ema": "0.9", "amp": "true"} if r.key >= "0002" else {})}
    )

    assert finding.name == "W131:amp"
    assert finding.sentence == (
        "amp and ema are in the settings of the 2 runs (c) from c s0 (2026-03-01 10:00) on, and of"
        " none of the 2 runs (a and b) before: the program may have changed between them"
    )
    assert finding.command == "ablate compare b c --study faces"
    assert finding.keys == ("0002", "0003")


def test_keys_that_vanish_are_named_with_the_first_run_without_them() -> None:
    (finding,) = found(FOUR, lambda r: {"lr": "1", **({"ema": "0.9"} if r.key < "0003" else {})})

    assert finding.sentence == (
        "ema is in the settings of the 3 runs (a, b and c), and not of the 1 run (c) from"
        " c s1 (2026-03-01 11:00) on: the program may have changed between them"
    )
    assert finding.command == "ablate show c --study faces --seed 1 --json"


def test_a_key_that_comes_and_goes_changes_at_no_run() -> None:
    assert found(FOUR, lambda r: {"lr": "1", **({"ema": "1"} if r.key in "00000002" else {})}) == []


def test_two_runs_are_no_sweep() -> None:
    assert found(FOUR[:2], lambda r: {"lr": "1", **({"ema": "1"} if r.key > "0000" else {})}) == []


def test_runs_that_began_together_are_not_told_apart() -> None:
    same = [*FOUR[:2], replace(FOUR[2], attempt=FOUR[1].attempt)]

    assert found(same, lambda r: {"lr": "1", **({"ema": "1"} if r.key == "0002" else {})}) == []


def test_a_key_that_a_switch_brings_with_it_is_no_change() -> None:
    records = [run(0, "a"), run(1, "a", 1), run(2, "b", lmsa=True), run(3, "b", 1, lmsa=True)]

    assert found(records, lambda r: {"lr": "1", **({"k": "3"} if r.levels["lmsa"] else {})}) == []
    assert found(records, lambda r: {"lr": "1", **({} if r.levels["lmsa"] else {"k": "3"})}) == []


def test_a_key_that_two_switches_need_or_either_brings_is_no_change() -> None:
    records = [
        run(0, "a"),
        run(1, "b", lmsa=True),
        run(2, "c", focal=True),
        run(3, "d", lmsa=True, focal=True),
    ]

    def both(record: Record) -> dict[str, str]:
        on = record.levels["lmsa"] and record.levels["focal"]
        return {"lr": "1", **({"mix": "3"} if on else {})}

    def either(record: Record) -> dict[str, str]:
        on = record.levels["lmsa"] or record.levels["focal"]
        return {"lr": "1", **({"mix": "3"} if on else {})}

    assert found(records, both) == []
    assert found(records, either) == []


def test_an_off_that_is_written_down_where_it_was_not_before_is_a_change() -> None:
    records = [run(0, "a"), run(1, "a", 1), run(2, "b", lmsa=True), run(3, "b", 1, lmsa=True)]

    def written(record: Record) -> dict[str, str]:
        later = {"model.use_lmsa": "true", "loss.use_focal": "false"}
        return {"lr": "1", **(later if record.levels["lmsa"] else {})}

    (finding,) = found(records, written)

    assert finding.sentence.startswith("loss.use_focal and model.use_lmsa are in the settings of")


def test_a_value_that_changes_within_a_configuration_is_named() -> None:
    records = [run(0, "a"), run(1, "b", 1, lr=0.1), run(2, "a", 1), run(3, "b", lr=0.1)]

    (finding,) = found(records, lambda r: {"workers": "4" if r.key < "0002" else "8"})

    assert finding.sentence == (
        "workers (4 → 8) changed from a s1 (2026-03-01 10:00) on, which no factor names:"
        " the 2 runs (a and b) against the 2 runs (a and b) before"
    )


@pytest.mark.parametrize(
    "key", ["seed", "train.seed", "output_dir", "exp.name", "gpu_ids", "date", "dist.master_addr"]
)
def test_a_key_of_the_run_itself_is_no_change(key: str) -> None:
    records = [run(0, "a"), run(1, "b", lr=0.1), run(2, "a", 1), run(3, "b", 1, lr=0.1)]

    assert found(records, lambda r: {key: str(r.seed), "lr": "1"}) == []
    assert found(records, lambda r: {"lr": "1", **({key: "1"} if r.seed else {})}) == []


@pytest.mark.parametrize(("seeds", "said"), [((0, 0, 1, 1), False), ((0, 1, 2, 3), True)])
def test_a_value_that_may_go_with_the_seed_is_no_change(
    seeds: tuple[int, ...], *, said: bool
) -> None:
    runs = [run(i, "ab"[i % 2], seed) for i, seed in enumerate(seeds)]

    assert bool(found(runs, lambda r: {"fold": str(int(r.key >= "0002"))})) == said


def test_a_value_that_goes_with_the_configuration_is_its_own() -> None:
    records = [run(0, "a"), run(1, "a", 1), run(2, "b", lmsa=True), run(3, "b", 1, lmsa=True)]

    assert found(records, lambda r: {"width": "512" if r.levels["lmsa"] else "256"}) == []


def shifted(shift: float, spread: float, seed: int) -> list[Record]:
    """Four configurations with five seeds in random order, the later half shifted."""
    draw = np.random.default_rng(seed)
    names: tuple[tuple[str, dict[str, Level]], ...] = (
        ("a", {}),
        ("b", {"lmsa": True}),
        ("c", {"focal": True}),
        ("d", {"lmsa": True, "focal": True}),
    )
    places = [(i, s) for i in range(4) for s in range(5)]
    records = []
    for hour, at in enumerate(draw.permutation(len(places))):
        i, s = places[at]
        value = 0.6 + 0.03 * i + draw.normal(0, spread) + shift * (hour >= 10)
        records.append(run(hour, names[i][0], s, value, **names[i][1]))
    return records


def test_scores_that_fall_from_some_run_on_are_said_with_size_and_time() -> None:
    for seed in range(20):
        (finding,) = found(shifted(-0.05, 0.002, seed))

        assert finding.name == "W131:F"
        assert finding.sentence.startswith(("F is 5.", "F is 4."))
        assert " points lower in the 10 runs from " in finding.sentence
        assert "(2026-03-01 18:00) on than in the 10 before" in finding.sentence
        assert finding.keys == tuple(f"{hour:04d}" for hour in range(10, 20))


def test_noise_alone_is_said_to_shift_less_often_than_promised() -> None:
    false = sum(bool(found(shifted(0, 0.01, seed))) for seed in range(2000))

    assert false / 2000 < 0.005


def test_what_the_runs_of_one_seed_share_is_no_shift() -> None:
    draw = np.random.default_rng(0)
    luck = (0.0, 0.05, 0.05, 0.05)
    false = 0
    for _ in range(200):
        records = [
            run(4 * s + i, "abcd"[i], s, 0.6 + 0.02 * i + luck[s] + draw.normal(0, 0.002))
            for s in range(4)
            for i in range(4)
        ]
        false += bool(found(records))

    assert false <= 1


def test_without_replicates_no_shift_can_be_told() -> None:
    records = [run(h, f"v{h}", 0, 0.6 if h < 10 else 0.3) for h in range(20)]

    assert found(records) == []


def test_of_a_handful_of_runs_the_spread_is_not_known_well_enough() -> None:
    draw = np.random.default_rng(0)
    for runs, said in ((6, False), (8, True)):
        cell = np.arange(runs) % 2
        values = 0.1 * cell + 0.3 * (np.arange(runs) >= runs // 2) + draw.normal(0, 1e-5, runs)
        assert (level_shift(values, [cell], np.arange(float(runs))) is not None) == said


def test_the_size_is_that_of_a_least_squares_fit() -> None:
    draw = np.random.default_rng(3)
    cell, seed = np.repeat(np.arange(6), 4), np.tile(np.arange(4), 6)
    order = draw.permutation(24)[:-3]  # some cells lack a seed
    cell, seed = cell[order], seed[order]
    late = np.arange(21) >= 9
    values = 0.1 * cell + 0.02 * seed + 0.3 * late + draw.normal(0, 0.01, 21)

    shift = level_shift(values, [cell, seed], np.arange(21.0))

    assert shift is not None
    assert shift.place == 9
    design = np.column_stack([np.eye(6)[cell], np.eye(4)[seed], late])
    fitted = np.linalg.lstsq(design, values, rcond=None)[0][-1]
    assert shift.size == pytest.approx(fitted, rel=1e-6)


def test_the_real_histories_have_keys_from_their_third_and_fourth_run_on() -> None:
    folder = Path(os.environ.get("ABLATE_REALDATA", "")) / "ce7454_histories"
    if not os.environ.get("ABLATE_REALDATA") or not folder.is_dir():
        pytest.skip("ABLATE_REALDATA names no folder with ce7454_histories")
    runs = [r for p in sorted(READER.find(folder)) for r in READER.read(p) if r.scalars]
    on = [r.settings.get("model.use_lmsa") == "true" for r in runs]
    focal = [r.settings.get("loss.use_focal") == "true" for r in runs]
    amp = [r.settings.get("training.use_amp") == "true" for r in runs]
    factors: tuple[Factor, ...] = (switch("amp"), switch("lmsa"), switch("focal"))
    records = []
    for i, one in enumerate(runs):
        levels: dict[str, Level] = {"amp": amp[i], "lmsa": on[i], "focal": focal[i]}
        attempt = Attempt(str(i), 1, State.COMPLETED, "", "", provenance={"run": one.name})
        records.append(
            Record(
                *("ce", one.name, "arm", None, i, levels, {}, 0, str(i), State.COMPLETED),
                attempt=attempt,
                source="import ce",
            )
        )
    study = replace(STUDY, factors=factors)
    evidence = Evidence(study, records, {}, {str(i): r.settings for i, r in enumerate(runs)})

    findings = sorted(check_of("W131").findings(evidence), key=lambda f: len(f.keys))

    assert [f.sentence.split(" in the settings")[0] for f in findings] == [
        "loss.use_class_weights, loss.use_focal and model.use_lmsa are",
        "model.dropout is",
    ]
    assert [f.keys for f in findings] == [("3", "4", "5"), ("2", "3", "4", "5")]
    assert "microsegformer_20251007_153857 s0 (2025-10-07 15:38) on" in findings[0].sentence
    assert "microsegformer_20251006_132005 s0 (2025-10-06 13:20) on" in findings[1].sentence
