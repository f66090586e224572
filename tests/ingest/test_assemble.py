from dataclasses import replace
from pathlib import Path

import pytest

from ablate.errors import UsageError
from ablate.ingest.assemble import Assembled, assemble
from ablate.ingest.gather import holding
from ablate.ingest.run import Run
from ablate.ingest.seats import Wishes
from ablate.ingest.wanted import read_wanted
from ablate.metric import Metric
from ablate.record import Scalar, State
from ablate.study import Kind
from tests.ingest.made import MAP, grid, run


def put_together(*runs: Run, replicates: bool = False, select: str = "") -> Assembled:
    with holding(runs, "demo") as gathered:
        return assemble(gathered, "s", Wishes(replicates=replicates, select=select))


def names(found: Assembled) -> list[str]:
    return [p.variant.name if p else "-" for p in found.placements]


def test_keys_that_differ_become_switches_and_settings_that_belong_to_them() -> None:
    found = put_together(
        run("all", grid()),
        run("a", grid(b="False")),
        run("none", grid(a="False", b="False")),
        run("half", grid(ratio="0.5")),
    )
    factors = {k.factor.name: k for k in found.factors}
    assert list(factors) == ["a", "b", "b.ratio"]
    assert factors["b.ratio"].factor.requires == "b"
    assert factors["b.ratio"].factor.reference == 0.7
    assert factors["b.ratio"].key == "MODEL.B_RATIO"
    assert names(found) == ["full", "a", "baseline", "full b.ratio=0.5"]
    sweep = found.placements[3]
    assert sweep is not None
    assert (sweep.variant.role, sweep.variant.parent) == ("sweep", "full")


def test_keys_with_slashes_are_read_as_those_with_dots() -> None:
    found = put_together(
        run("x", {"model/use_lif": "True", "model/lif_beta": "0.4", "exp/name": "a"}),
        run("y", {"model/use_lif": "True", "model/lif_beta": "0.2", "exp/name": "b"}),
        run("z", {"model/use_lif": "False", "model/lif_beta": "0.4", "exp/name": "c"}),
    )
    assert [k.factor.name for k in found.factors] == ["lif", "lif.beta"]
    assert list(found.left_out) == ["exp/name"]


def test_a_number_written_in_two_ways_is_one_level() -> None:
    found = put_together(
        run("x", {"lr": "1e-3", "depth": "2"}), run("y", {"lr": "0.001", "depth": "3"})
    )
    assert [k.factor.name for k in found.factors] == ["depth"]
    assert found.study.factor("depth").kind is Kind.INT


@pytest.mark.parametrize(
    ("key", "texts"),
    [
        ("OUTPUT_DIR", ("a", "b")),
        ("experiment.name", ("a", "b")),
        ("exp_name", ("a", "b")),
        ("MODEL.PRETRAIN_PATH", ("x", "y")),
        ("weights", ("/home/me/a.pth", "/home/me/b.pth")),
        ("dist.port", ("29500", "29501")),
        ("MODEL.DEVICE_ID", ("0", "1")),
        ("data.num_workers", ("4", "8")),
        ("SOLVER.LOG_PERIOD", ("10", "20")),
        ("checkpoint_interval", ("1", "2")),
        ("started", ("Monday", "Tuesday")),
        ("when", ("2025-12-06", "2025-12-07")),
        ("SOLVER.SEED", ("1", "2")),
    ],
)
def test_what_cannot_change_a_score_is_no_factor_and_the_reason_is_said(
    key: str, texts: tuple[str, str]
) -> None:
    first, second = ({key: text, "lr": lr} for text, lr in zip(texts, "12", strict=True))
    found = put_together(run("x", first), run("y", second))
    assert [k.factor.name for k in found.factors] == ["lr"]
    assert found.left_out[key]


@pytest.mark.parametrize(
    "key",
    ["model.name", "MODEL.LORA_RANK", "num_tokens", "time_embedding", "SOLVER.OPTIMIZER_NAME"],
)
def test_what_only_looks_like_a_label_stays_a_factor(key: str) -> None:
    found = put_together(run("x", {key: "4"}), run("y", {key: "8"}))
    assert [k.key for k in found.factors] == [key]


def test_a_setting_that_some_runs_lack_is_no_factor_but_is_said() -> None:
    found = put_together(
        run("old", {"lr": "1"}),
        run("new", {"lr": "2", "dropout": "0.15"}),
        run("newer", {"lr": "3", "dropout": "0.15"}),
    )
    assert [k.factor.name for k in found.factors] == ["lr"]
    assert found.remarks == ("dropout = 0.15 is in 2 of 3 configurations only",)


def test_a_switch_that_older_runs_lack_is_off_in_them_and_the_doubt_is_theirs() -> None:
    found = put_together(run("old", {"lr": "1"}), run("new", {"lr": "1", "model.use_lmsa": "true"}))
    assert names(found) == ["baseline", "full"]
    assert found.doubts[0] == (
        "model.use_lmsa is not in its configuration: lmsa is taken as false",
    )
    assert found.doubts[1] == ()


def test_a_configuration_that_is_not_in_the_log_makes_no_switch() -> None:
    found = put_together(run("baseline"), run("aqr", {"find_unused": "True", "lr": "1"}))
    assert [k.key for k in found.factors] == ["run"]
    assert names(found) == ["baseline", "aqr"]


def test_factors_that_always_change_together_are_said_to_be_confounded() -> None:
    found = put_together(
        run("x", {"lr": "1", "warmup": "5", "depth": "2"}),
        run("y", {"lr": "2", "warmup": "9", "depth": "2"}),
        run("z", {"lr": "2", "warmup": "9", "depth": "3"}),
    )
    sentence = "lr and warmup always change together: their effects cannot be told apart"
    assert found.remarks == (sentence,)
    on_reference = found.study.factor("lr").reference == 2
    assert on_reference
    assert found.doubts == ((sentence,), (), ())


def test_a_setting_of_a_module_that_is_off_makes_no_cell() -> None:
    found = put_together(
        run("off", grid(b="False")), run("on", grid()), run("moved", grid(a="False", ratio="0.5"))
    )
    assert "b.ratio" in [k.factor.name for k in found.factors]
    still = put_together(run("off", grid(b="False", ratio="0.5")), run("on", grid()))
    assert [k.factor.name for k in still.factors] == ["b"]
    assert still.left_out == {"MODEL.B_RATIO": "it differs only where b is off"}


def test_two_runs_of_the_same_levels_and_seed_are_refused_by_name() -> None:
    with pytest.raises(UsageError, match=r"'x' and 'y' .* seed 3: --replicates"):
        put_together(run("x", grid(), seed=3), run("y", grid(), seed=3), run("z", grid(a="False")))


def test_replicates_are_further_seeds_and_every_report_says_so() -> None:
    runs = run("x", grid(), seed=3), run("y", grid(), seed=3), run("z", grid(a="False"), seed=3)
    found = put_together(*runs, replicates=True)
    assert [p.trial.seed for p in found.placements if p] == [3, 4, 3]
    assert found.doubts[1] == ("seed assumed: y repeats x",)


def test_runs_that_recorded_no_seed_are_numbered_by_their_start_and_that_is_in_doubt() -> None:
    found = put_together(
        run("x", grid(), started="2025-12-08T00:00:00"),
        run("y", grid(), started="2025-12-07T00:00:00"),
        run("z", grid(a="False")),
    )
    assert [p.trial.seed for p in found.placements if p] == [1, 0, 0]
    said = "seed not recorded: y, x are taken for runs of different seeds"
    assert found.doubts == ((said,), (said,), ())


def test_a_run_that_recorded_no_seed_does_not_take_one_that_another_recorded() -> None:
    found = put_together(run("x", grid()), run("y", grid(), seed=0), run("z", grid(a="False")))
    assert [p.trial.seed for p in found.placements if p] == [1, 0, 0]
    assert found.doubts[0] == ("seed not recorded: x is taken for a run of another seed",)


def test_a_score_in_percent_in_most_runs_and_below_one_in_another_is_in_doubt() -> None:
    runs = [run(n, {"lr": n}, percent=("mAP",)) for n in "12"]
    found = put_together(*runs, run("3", {"lr": "3"}))
    assert found.doubts[:2] == ((), ())
    (doubt,) = found.doubts[2]
    assert doubt.startswith("mAP is never above 1 here and was taken for a fraction, while 2 of 3")


def test_runs_that_never_trained_are_told_by_every_report() -> None:
    runs = [run("x", {"lr": "1"}), run("y", {"lr": "2"}), run("no", {}, state=State.PENDING)]
    with holding(runs, "demo") as gathered:
        found = assemble(gathered, "s", Wishes())
        notes = [e.provenance["notes"] for _, e in found.results(gathered)]
    assert notes == ["1 run was never trained and is in no table: no"] * 2


def test_a_run_that_never_trained_takes_no_cell_and_makes_no_factor() -> None:
    never = run("never", {"lr": "9", "batch": "8"}, state=State.PENDING)
    found = put_together(
        never, run("x", {"lr": "1", "batch": "32"}), run("y", {"lr": "2", "batch": "32"})
    )
    assert [k.factor.name for k in found.factors] == ["lr"]
    assert found.placements[0] is None
    assert list(found.aside) == ["never"]


def test_a_run_cut_short_stays_incomplete_and_yields_to_one_that_completed() -> None:
    cut = run("cut", {"lr": "1"}, state=State.INCOMPLETE)
    with holding([cut, run("y", {"lr": "2"})], "demo") as gathered:
        found = assemble(gathered, "s", Wishes())
        endings = [e for _, e in found.results(gathered)]
    assert [e.state for e in endings] == [State.INCOMPLETE, State.COMPLETED]
    assert endings[0].error == "the log ends in epoch 1 of 2"
    again = put_together(cut, run("y", {"lr": "2"}), run("whole", {"lr": "1"}))
    assert again.placements[0] is None
    assert again.aside["cut"].endswith("whole is the same, completed")


def test_a_copy_of_a_log_is_not_a_second_run_whatever_its_name() -> None:
    one = run("x", grid(), started="2025-12-06T20:31:21", seed=3)
    found = put_together(one, replace(one, name="copy", files={"copy.log": "x"}))
    assert found.aside == {"copy": "it is x once more"}
    again = replace(one, name="again", started="2025-12-07T20:31:21")
    with pytest.raises(UsageError, match="same levels and seed"):
        put_together(one, again, run("y", grid(a="False")))


def test_runs_that_no_setting_tells_apart_go_by_their_names() -> None:
    found = put_together(run("aqr"), run("baseline"))
    assert names(found) == ["aqr", "baseline"]
    assert [p.variant.parent for p in found.placements if p] == ["baseline", None]
    assert "by their names only" in found.remarks[0]


def test_results_come_grid_first_then_sweeps_whatever_the_order_of_the_files() -> None:
    runs = [
        run("half", grid(ratio="0.5")),
        run("full", grid()),
        run("b", grid(a="False")),
        run("none", grid(a="False", b="False")),
        run("a", grid(b="False")),
    ]
    with holding(runs, "demo") as gathered:
        results = assemble(gathered, "s", Wishes()).results(gathered)
        order = [p.variant.name for p, _ in results]
    assert order == ["baseline", "a", "b", "full", "full b.ratio=0.5"]
    with holding([run("aqr"), run("baseline")], "mmdet") as gathered:
        results = assemble(gathered, "s", Wishes()).results(gathered)
        assert [p.variant.name for p, _ in results] == ["baseline", "aqr"]


def test_runs_that_differ_in_the_seed_alone_are_one_cell() -> None:
    found = put_together(run("x", grid(), seed=1), run("y", grid(), seed=2))
    assert len({p.variant.name for p in found.placements if p}) == 1
    assert found.study.seeds == (1, 2)


def test_a_number_may_have_the_name_of_its_switch() -> None:
    found = put_together(
        run("x", {"use_dropout": "true", "dropout": "0.1"}),
        run("y", {"use_dropout": "true", "dropout": "0.2"}),
        run("z", {"use_dropout": "false", "dropout": "0.1"}),
    )
    assert [k.factor.name for k in found.factors] == ["dropout", "dropout.value"]


def test_a_key_of_a_map_that_no_run_has_is_refused_with_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "map.toml").write_text(
        '[factors.rate]\nkey = "lrr"\nkind = "number"\nreference = 1'
    )
    wishes = Wishes(wanted=read_wanted(tmp_path / "map.toml"))
    with (
        holding([run("x", {"lr": "1"}), run("y", {"lr": "2"})], "demo") as gathered,
        pytest.raises(UsageError, match=r"--map: key 'lrr' is not one of lr \(did you mean 'lr'"),
    ):
        assemble(gathered, "s", wishes)


def test_a_rule_by_which_no_run_has_a_step_is_refused_with_where_there_are_some() -> None:
    runs = run("x", {"lr": "1"}), run("y", {"lr": "2"})
    with pytest.raises(UsageError, match=r"no run has a curve of mAP under val; .* test$"):
        put_together(*runs, select="best:mAP@val")
    assert str(put_together(*runs, select="best:mAP").study.selection) == "best:mAP"


def test_the_rule_is_the_sources_own_unless_another_is_asked_for() -> None:
    runs = run("x", {"lr": "1"}), run("y", {"lr": "2"})
    assert str(put_together(*runs).study.selection) == "best:mAP@test"
    assert str(put_together(*runs, select="last").study.selection) == "last"
    with pytest.raises(UsageError, match=r"--select: 'nds' is not a metric"):
        put_together(*runs, select="best:nds")


def test_no_path_host_or_person_reaches_the_store() -> None:
    settings = {
        "lr": "1",
        "out": "/home/somebody/out/x",
        "hostname": "node17",
        "user": "somebody",
        "url": "tcp://10.0.0.1:29500",
    }
    one = run(
        "x",
        settings,
        facts={"gpu": "RTX 4090", "python": "/home/somebody/bin/python"},
        remarks=("resumed from /home/somebody/a.pth",),
    )
    with holding([one, run("y", {"lr": "2"})], "demo") as gathered:
        found = assemble(gathered, "s", Wishes())
        (_, ending), _ = found.results(gathered)
    said = f"{ending.provenance} {ending.settings} {ending.error}"
    assert not [word for word in ("somebody", "node17", "10.0.0.1", "/home") if word in said]
    assert ending.provenance["notes"] == "resumed from a.pth"
    assert ending.provenance["gpu"] == "RTX 4090"
    assert ending.settings["lr"] == "1"


def test_doubts_and_unread_lines_are_notes_that_reports_print() -> None:
    one = run("x", {"lr": "1"}, unread=("line 3: mAP oops",), remarks=("restarted once",))
    with holding([one, run("y", {"lr": "2"})], "demo") as gathered:
        found = assemble(gathered, "s", Wishes())
        (_, ending), _ = found.results(gathered)
    assert ending.provenance["notes"].splitlines() == [
        "restarted once",
        "1 line looks like a measurement and could not be read",
    ]


def test_a_map_names_factors_the_seed_and_what_to_ignore(tmp_path: Path) -> None:
    (tmp_path / "map.toml").write_text(
        'seed = "rng"\nignore = ["noise"]\n'
        '[factors.learning]\nkey = "lr"\nkind = "number"\nreference = 1\n'
        '[metrics.mAP]\ntitle = "mean AP"\ndigits = 2\n'
    )
    wanted = read_wanted(tmp_path / "map.toml")
    runs = [
        run("x", {"lr": "1", "rng": "7", "noise": "a"}),
        run("y", {"lr": "2", "rng": "8", "noise": "b"}),
    ]
    with holding(runs, "demo") as gathered:
        found = assemble(gathered, "s", Wishes(wanted=wanted))
    assert names(found) == ["baseline", "baseline learning=2"]
    assert [p.trial.seed for p in found.placements if p] == [7, 8]
    assert found.left_out == {"rng": "the seed", "noise": "as the map says"}
    assert found.study.metric("mAP").title == "mean AP"
    assert found.study.metric("mAP").direction == "up"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[columns]\n", r"map\.toml:1: .*'columns' is not one of factors, metrics, seed, ignore"),
        ('[factors.a]\nreference = 0.5\nkind = "whole"\n', r"map\.toml:2: .*0\.5 is not a whole"),
        ('[factors.a]\nreference = 1\nrequires = "b"\n', r"map\.toml:3: .*'b' is unknown"),
    ],
)
def test_a_wrong_map_is_refused_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "map.toml").write_text(text)
    with pytest.raises(UsageError, match=message):
        read_wanted(tmp_path / "map.toml")


def test_what_no_run_scored_is_no_metric() -> None:
    one = Run(name="x", metrics=(MAP, Metric("rank1")), scalars=(Scalar(1, "test", "mAP", 0.5),))
    assert [m.name for m in put_together(one).study.metrics] == ["mAP"]
    with pytest.raises(UsageError, match="the runs hold no score that is known"):
        put_together(Run(name="x", scalars=(Scalar(1, "train", "loss", 0.5),)))


def test_a_run_comes_back_whole_from_where_it_was_set_aside() -> None:
    runs = [run(f"r{i}", grid(lr=str(i)), score=i / 7) for i in range(5)]
    with holding(runs, "demo") as gathered:
        assert [gathered.whole(i) for i in (4, 0, 2)] == [runs[4], runs[0], runs[2]]
        gathered.add(runs[1])
        assert gathered.whole(5) == runs[1]
