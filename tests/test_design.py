from collections.abc import Iterable
from dataclasses import replace

import pytest

from ablate.design import beside, count, placements, shown, variant_name, variants
from ablate.errors import SpecError, UsageError
from ablate.metric import Metric
from ablate.study import Arm, Axis, Check, Modules, Start, Study, Sweep, choice, real, switch, whole

FACTORS = (
    switch("sacr"),
    switch("sdtps"),
    switch("lif"),
    real("lif.beta", 0.4, requires="lif"),
    real("lr", 1e-3),
    whole("epochs", 10),
)
THREE = ("sacr", "sdtps", "lif")
STUDY = Study(
    name="x",
    title="x",
    system="reid",
    revision="1",
    factors=FACTORS,
    metrics=(Metric("mAP"),),
    primary="mAP",
    seeds=(0, 1, 2),
    fixed={"epochs": 50},
    modules=Modules(THREE),
)


def names(study: Study) -> list[str]:
    return [v.name for v in variants(study)]


def arms(*given: Arm, modules: Modules | None = None, sweeps: Iterable[Sweep] = ()) -> Study:
    return replace(STUDY, modules=modules, arms=given, sweeps=tuple(sweeps))


@pytest.mark.parametrize(
    ("design", "expected"),
    [
        ("full", "baseline sacr sdtps lif sacr+sdtps sacr+lif sdtps+lif full"),
        ("add-one", "baseline sacr sdtps lif"),
        ("leave-one-out", "full sacr+sdtps sacr+lif sdtps+lif"),
        ("pairs", "baseline sacr sdtps lif sacr+sdtps sacr+lif sdtps+lif"),
        ("ladder", "baseline sacr sacr+sdtps full"),
    ],
)
def test_each_design_makes_its_cells_in_the_order_of_the_study(design: str, expected: str) -> None:
    study = replace(STUDY, modules=Modules(THREE, design))  # type: ignore[arg-type]
    assert names(study) == expected.split()
    assert count(study) == 3 * len(expected.split())


def test_a_choice_of_two_is_a_module_whose_cells_name_the_level_that_is_on() -> None:
    loss = choice("loss", "ce", "focal")
    study = replace(STUDY, factors=(*FACTORS, loss), modules=Modules(("sacr", "loss", "lif")))
    found = {v.name: (v.levels["sacr"], v.levels["loss"], v.levels["lif"]) for v in variants(study)}
    assert found == {
        "baseline": (False, "ce", False),
        "sacr": (True, "ce", False),
        "loss=focal": (False, "focal", False),
        "lif": (False, "ce", True),
        "sacr+loss=focal": (True, "focal", False),
        "sacr+lif": (True, "ce", True),
        "loss=focal+lif": (False, "focal", True),
        "full": (True, "focal", True),
    }
    around = replace(study, sweeps=(Sweep("loss=focal+sacr", "lr", (0.1,)),))
    assert names(around)[-1] == "sacr+loss=focal lr=0.1"
    assert variant_name({"loss": "focal"}, study.factors, ("loss", "lif")) == "loss=focal"


@pytest.mark.parametrize("design", ["full", "add-one", "leave-one-out", "pairs", "ladder"])
def test_of_a_single_module_every_design_makes_baseline_and_full(design: str) -> None:
    study = replace(STUDY, modules=Modules(("sacr",), design))  # type: ignore[arg-type]
    assert set(names(study)) == {"baseline", "full"}
    assert count(study) == 6


def test_a_grid_cell_is_read_against_the_baseline_and_without_one_against_full() -> None:
    assert {v.parent for v in variants(STUDY)} == {None, "baseline"}
    left_out = replace(STUDY, modules=Modules(THREE, "leave-one-out"))
    assert {v.name: v.parent for v in variants(left_out)}["sacr+lif"] == "full"


def test_fixed_levels_are_in_every_variant() -> None:
    assert {v.levels["epochs"] for v in variants(STUDY)} == {50}


def test_a_sweep_shares_the_cell_it_passes_through() -> None:
    study = replace(STUDY, sweeps=(Sweep("full", "lif.beta", (0.2, 0.4, 0.6)),))
    assert names(study)[8:] == ["full lif.beta=0.2", "full lif.beta=0.6"]
    assert count(study) == len(list(placements(study))) == 30
    moved = variants(study)[-1]
    assert (moved.role, moved.parent, moved.levels["lif.beta"]) == ("sweep", "full", 0.6)


def test_the_sixteen_experiments_of_the_first_seed_are_eight_cells_and_eight_sweep_cells() -> None:
    sweeps = (
        Sweep("full", "lif.beta", (0.2, 0.4, 0.6)),
        Sweep("full", "lr", (1e-4, 1e-3, 1e-2)),
        Sweep("full", "epochs", (25, 50, 75, 100)),
        Sweep("full", "lr", (0.5,)),
    )
    study = replace(STUDY, sweeps=sweeps)
    assert len(names(study)) == 16
    assert count(study) == 48


def test_a_cell_that_a_sweep_goes_around_is_run_even_where_the_design_leaves_it_out() -> None:
    study = replace(
        STUDY, modules=Modules(THREE, "add-one"), sweeps=(Sweep("lif+sacr", "lr", (0.5,)),)
    )
    assert names(study) == ["baseline", "sacr", "sdtps", "lif", "sacr+lif", "sacr+lif lr=0.5"]
    assert count(study) == 18


def test_a_sweep_where_its_switch_is_off_is_an_error() -> None:
    study = replace(STUDY, sweeps=(Sweep("sacr+sdtps", "lif.beta", (0.2,)),))
    with pytest.raises(SpecError, match=r"requires 'lif', which is off in 'sacr\+sdtps'"):
        variants(study)


def test_an_arm_sets_its_levels_on_top_of_its_parents() -> None:
    study = arms(
        Arm("a", {"lr": 0.1}),
        Arm("b", {"epochs": 7}, "a"),
        Arm("c", {"lr": 0.2, "sacr": True}, "b"),
    )
    found = {v.name: v for v in variants(study)}
    assert list(found) == ["a", "b", "c"]
    assert (found["c"].levels["lr"], found["c"].levels["epochs"]) == (0.2, 7)
    assert [v.parent for v in found.values()] == [None, "a", "b"]


def test_an_arm_may_stand_on_a_cell_of_the_grid() -> None:
    study = arms(Arm("hot", {"lr": 0.5}, "lif+sacr"), modules=Modules(THREE))
    hot = variants(study)[-1]
    assert (hot.name, hot.role, hot.parent) == ("hot", "arm", "sacr+lif")
    assert [hot.levels[m] for m in THREE] == [True, False, True]


def test_an_arm_may_be_called_baseline_where_no_grid_makes_that_name() -> None:
    assert names(arms(Arm("baseline", {}), Arm("full", {"sacr": True}, "baseline"))) == [
        "baseline",
        "full",
    ]
    with pytest.raises(SpecError, match=r"name of a cell of \[modules\]"):
        variants(arms(Arm("baseline", {}), modules=Modules(THREE)))


def test_a_study_of_nothing_is_its_baseline() -> None:
    assert names(replace(STUDY, modules=None)) == ["baseline"]
    around = replace(STUDY, modules=None, sweeps=(Sweep("baseline", "lr", (0.1, 0.2)),))
    assert names(around) == ["baseline", "baseline lr=0.1", "baseline lr=0.2"]
    assert count(around) == 9


def test_an_unknown_parent_is_an_error_with_the_nearest_name() -> None:
    with pytest.raises(SpecError, match="did you mean 'focal'"):
        variants(arms(Arm("focal", {"lr": 0.1}), Arm("b", {}, "foccal")))


def test_arms_in_a_ring_are_an_error() -> None:
    with pytest.raises(SpecError, match="'a' is its own ancestor: a -> b -> a"):
        variants(arms(Arm("a", {}, "b"), Arm("b", {}, "a")))


def test_two_names_for_one_cell_are_an_error() -> None:
    with pytest.raises(SpecError, match="same levels as 'sacr'"):
        variants(arms(Arm("mine", {"sacr": True}), modules=Modules(THREE)))


def test_an_axis_of_one_level_fixes_the_factor_and_names_what_it_changed() -> None:
    study = replace(STUDY, axes=(Axis("lr", (0.5,)), Axis("epochs", (50,))))
    assert names(study)[:2] == ["baseline lr=0.5", "sacr lr=0.5"]
    assert {v.parent for v in variants(study)} == {None, "baseline lr=0.5"}


def test_axes_multiply_the_design_except_where_their_switch_is_off() -> None:
    study = replace(STUDY, axes=(Axis("lif.beta", (0.2, 0.4)),))
    assert len(names(study)) == 4 + 2 * 4
    assert "sacr" in names(study)
    assert {"lif", "lif lif.beta=0.2"} < set(names(study))
    found = {v.name: v for v in variants(study)}
    assert found["full lif.beta=0.2"].parent == "baseline"


def test_two_axes_make_their_product() -> None:
    study = replace(STUDY, axes=(Axis("lr", (0.1, 0.2, 0.3)), Axis("epochs", (5, 6))))
    assert len(names(study)) == len(set(names(study))) == 8 * 6
    assert count(study) == 8 * 6 * 3
    assert "full lr=0.3 epochs=6" in names(study)


def test_a_start_is_another_trial_at_the_same_seed_and_enters_the_key() -> None:
    study = arms(Arm("pre", {}), Arm("fine", {"lr": 0.1}, "pre", Start("pre")))
    found = {(p.variant.name, p.trial.seed): p.trial for p in placements(study)}
    assert all(found["fine", s].start == found["pre", s].key for s in (0, 1, 2))
    assert found["pre", 0].start is None


def test_a_start_at_one_shared_seed_is_run_even_where_the_study_has_other_seeds() -> None:
    study = replace(arms(Arm("pre", {}), Arm("fine", {"lr": 0.1}, None, Start("pre", 9))))
    found = {(p.variant.name, p.trial.seed): p.trial for p in placements(study)}
    assert sorted(s for name, s in found if name == "pre") == [0, 1, 2, 9]
    assert {found["fine", s].start for s in (0, 1, 2)} == {found["pre", 9].key}


def test_a_sweep_around_an_arm_starts_where_the_arm_starts() -> None:
    study = arms(
        Arm("pre", {}),
        Arm("fine", {"lr": 0.1}, "pre", Start("pre")),
        sweeps=[Sweep("fine", "lr", (0.2,))],
    )
    moved = next(p for p in placements(study) if p.variant.name == "fine lr=0.2")
    assert moved.trial.start is not None


def test_only_checks_that_stop_a_trial_enter_its_key() -> None:
    watched = replace(STUDY, checks=(Check("acc", 5, min=0.2),))
    stopping = replace(STUDY, checks=(Check("acc", 5, min=0.2, stop=True),))
    plain, same, other = (next(placements(s)).trial for s in (STUDY, watched, stopping))
    assert plain.key == same.key != other.key
    assert other.stops == ('{"max":null,"metric":"acc","min":0.2,"step":5}',)


def test_size_is_counted_before_anything_is_made() -> None:
    many = tuple(switch(f"m{i}") for i in range(40))
    study = replace(STUDY, factors=many, fixed={}, modules=Modules(tuple(f.name for f in many)))
    assert count(study) == 3 * 2**40
    with pytest.raises(UsageError, match="more than 10,000"):
        variants(study)


def test_what_the_command_line_adds_stands_beside_the_study_and_is_marked() -> None:
    asked = replace(STUDY, seeds=(2, 3))
    held = beside(STUDY, placements(asked))
    assert len(held) == 24 + 8
    assert {p.trial.seed for p in held if p.extra} == {3}


def test_levels_are_shown_short_and_two_levels_never_alike() -> None:
    assert [shown(x) for x in (True, False, 1.0, 0.1, 1e-05, 3, "focal", "")] == [
        "true",
        "false",
        "1",
        "0.1",
        "1e-05",
        "3",
        "focal",
        '""',
    ]
    assert shown(0.1 + 0.2) != shown(0.3)


def test_results_from_elsewhere_are_named_as_a_study_would_name_them() -> None:
    levels = {"sacr": True, "sdtps": True, "lif": True, "lif.beta": 0.2, "lr": 1e-3, "epochs": 50}
    assert variant_name(levels, FACTORS, THREE, {"epochs": 50}) == "full lif.beta=0.2"
    assert variant_name({}, FACTORS, THREE) == "baseline"
    assert variant_name({"lif": True, "sacr": True}, FACTORS, THREE) == "sacr+lif"
