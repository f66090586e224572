"""`ablate plan --power` as a user types it: what a design can see."""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from ablate.cli import app
from ablate.cli.asking import Asked, Wishes, asked
from ablate.errors import UsageError
from ablate.record import Ending, Scalar, State
from ablate.report.sensitivity import sensitivity_document
from ablate.store import open_store

SYSTEM = """
from ablate import Job, Metric, Outcome, System, real, switch

def train(job: Job) -> Outcome:
    return Outcome()

system = System(
    "planned", "1",
    (*map(switch, ("a", "b", "c")), real("rate", 0.1), *map(switch, "defghijklm")),
    (Metric("fit"), Metric("loss", direction="down", display="number", digits=3)),
    train, standin="none 1",
)
"""
CUBE = """
[study]
name = "cube"
title = "Three modules"
system = "planned"
seeds = [0, 1, 2]
primary = "fit"
"""
GRID = """
[modules]
factors = ["a", "b", "c"]
"""
MARGIN = "[claims]\nmargin = 1.0\n"
Write = Callable[..., Path]
Numbers = dict[str, Any]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    """Writes a study file into a project with a system that needs no library."""
    (tmp_path / "ablate.toml").write_text('[systems]\nplanned = "planned_system:system"\n')
    (tmp_path / "planned_system.py").write_text(SYSTEM)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delenv("ABLATE_DB", raising=False)

    def study(*parts: str, name: str = "cube") -> Path:
        path = tmp_path / f"{name}.toml"
        path.write_text("\n".join((CUBE.replace('"cube"', f'"{name}"'), *parts)))
        return path

    yield study
    sys.modules.pop("planned_system", None)


def planned(path: Path, *words: str, width: int = 80) -> Result:
    return CliRunner(env={"COLUMNS": str(width)}).invoke(
        app, ["plan", str(path), "--power", *words]
    )


def numbers(path: Path, *words: str) -> Numbers:
    said = planned(path, "--json", *words)
    assert said.exit_code == 0, said.output
    found: Numbers = json.loads(said.stdout)["power"]
    return found


def by_kind(found: Numbers) -> dict[str, Numbers]:
    return {q["asks"]: q for q in found["questions"]}


def put(path: Path, score: Callable[[str, int], float], *words: str) -> Asked:
    """Store completed runs of the study: curves of two points that end in `score`."""
    seeds = next((w.removeprefix("--seeds=") for w in words if w.startswith("--seeds=")), "")
    found = asked(path, Wishes(overrides=[w for w in words if w[0] != "-"], seeds=seeds))
    results = []
    for p in found.chosen:
        value = score(p.variant.name, p.trial.seed)
        points = (Scalar(1, "test", "fit", value / 2), Scalar(2, "test", "fit", value))
        loss = (Scalar(2, "test", "loss", 1 - value),)
        results.append((p, Ending(State.COMPLETED, 3600.0, "", scalars=(*points, *loss))))
    with open_store(found.project.store, create=True) as store:
        store.put_results(found.study, results, source="test")
    return found


def noisy(_: str, seed: int) -> float:
    """Standard deviation 0.01 at seeds 0, 1, 2."""
    return 0.5 + 0.01 * seed


def offset(name: str) -> float:
    """Another mean for each of the eight cells."""
    return sum(map(ord, name)) / 10_000


def refusal(path: Path, *words: str) -> str:
    said = planned(path, *words)
    assert isinstance(said.exception, UsageError), said.output
    assert "\n" not in str(said.exception)
    return str(said.exception)


@pytest.mark.parametrize(
    ("sigma", "seeds"),
    [
        ("1.3", {"main": 7, "shapley": 8, "averaged": 27, "alone": 27, "last": 27, "off": 54}),
        ("0.7", {"main": 3, "shapley": 3, "averaged": 8, "alone": 8, "last": 8, "off": 16}),
    ],
)
def test_the_planner_answers_the_specifications_seeds(
    write: Write, sigma: str, seeds: dict[str, int]
) -> None:
    found = by_kind(numbers(write(GRID), "--sigma", sigma, "--effect", "1"))
    assert {kind: found[kind]["seeds"]["value"] for kind in seeds} == seeds
    assert found["moebius"]["seeds"]["value"] == {"1.3": 107, "0.7": 32}[sigma]


def test_smallest_effects_are_in_stored_units_and_unrounded(write: Write) -> None:
    found = numbers(write(GRID), "--sigma", "1.3")
    main = by_kind(found)["main"]["smallest"]["value"]
    assert main == pytest.approx(2.98454649746 * 0.013 * (0.5 / 3) ** 0.5, rel=1e-9)
    assert "point" in found["units"]
    assert found["sigma"]["value"] == pytest.approx(0.013)
    assert (found["effect"]["value"], found["effect"]["source"]) == (0.01, "point")


def test_the_page_prints_the_specifications_numbers(write: Write) -> None:
    text = planned(write(GRID, MARGIN), "--sigma", "1.3").stdout
    rows = {line[:22].strip(): line[22:].split() for line in text.splitlines()}
    assert rows["Averaged interaction"] == ["27", "216", "30"]
    seen = text.split("Seeds that see")[0]
    assert "Averaged interaction       3.2    3.2         0 %" in seen
    assert "Main effect                1.6    1.6        17 %" in seen
    assert "Hours (core-h): unknown until a trial of this study has run." in text


def test_two_configurations_show_negligible_as_the_specification_says(write: Write) -> None:
    arms = "[[arm]]\nname = 'one'\n[[arm]]\nname = 'two'\nset = { a = true }\n"
    for sigma, seeds, percent in (
        ("0.7", "0-2", 13), ("0.7", "0-4", 36), ("0.7", "0-9", 85),
        ("1.3", "0-9", 9), ("1.3", "0-19", 54), ("1.3", "0-29", 81),
    ):  # fmt: skip
        found = by_kind(numbers(write(arms, MARGIN), "--sigma", sigma, "--seeds", seeds))
        assert 100 * found["difference"]["negligible"]["value"] == pytest.approx(percent, abs=0.8)


def test_designs_of_equal_cost_say_what_each_can_answer(write: Write) -> None:
    designs = {d["design"]: d for d in numbers(write(GRID), "--sigma", "1.3")["designs"]}
    assert {n: (d["cells"], d["seeds"], d["runs"]) for n, d in designs.items()} == {
        "full": (8, 3, 24),
        "pairs": (7, 3, 21),
        "add-one": (4, 6, 24),
        "leave-one-out": (4, 6, 24),
    }
    answers = {n: [a["asks"] for a in d["answers"]] for n, d in designs.items()}
    assert answers["add-one"] == ["alone"]
    assert answers["leave-one-out"] == ["last"]
    assert "averaged" not in answers["pairs"]
    assert "averaged" in answers["full"]
    assert [n for n, d in designs.items() if d["own"]] == ["full"]


def test_an_incomplete_design_is_compared_with_the_whole_grid(write: Write) -> None:
    path = write(GRID, 'design = "add-one"')
    found = numbers(path, "--sigma", "1.3", "--seeds", "0-5")
    assert [q["asks"] for q in found["questions"]] == ["alone"]
    assert {d["design"]: d["seeds"] for d in found["designs"]}["full"] == 3
    ten = write(f"[modules]\nfactors = {list('abcdefghij')}\ndesign = 'add-one'\n")
    full = numbers(ten, "--sigma", "1.3")["designs"][0]
    assert (full["cells"], full["seeds"], full["answers"]) == (1024, 0, [])
    assert "one of them alone costs more" in planned(ten, "--sigma", "1.3").stdout


def test_sweeps_and_arms_are_asked_about_too(write: Write) -> None:
    sweep = '[[sweep]]\naround = "full"\nfactor = "rate"\nlevels = [0.1, 0.2, 0.3]\n'
    arm = '[[arm]]\nname = "fast"\nparent = "full"\nset = { rate = 0.5 }\n'
    found = by_kind(numbers(write(GRID, sweep, arm), "--sigma", "1.3"))
    assert found["level"]["about"] == [["rate"]]
    # One variance is that of the eight corners, two more levels and the arm.
    assert (found["linear"]["cells"], found["level"]["cells"]) == (11, 11)
    assert found["arm"]["about"] == [["fast"]]
    assert found["arm"]["runs_to_do"] == 2 * found["arm"]["seeds"]["value"]


def test_an_arm_that_names_no_parent_is_set_against_the_baseline(write: Write) -> None:
    found = by_kind(numbers(write(GRID, '[[arm]]\nname = "x"\nset.rate = 1\n'), "--sigma", "1"))
    assert found["arm"]["about"] == [["x"]]


@pytest.mark.parametrize("seeds", ["0,1", "0,1,2"])
def test_the_smallest_difference_of_a_sweep_is_the_one_that_its_report_prints(
    write: Write, seeds: str
) -> None:
    path = write(GRID, '[[sweep]]\naround = "full"\nfactor = "rate"\nlevels = [0.1, 0.2, 0.3]\n')
    words = (f"--seeds={seeds}",)
    found = put(path, lambda name, seed: noisy(name, seed) + offset(name), *words)
    with open_store(found.project.store) as store:
        told = sensitivity_document(store.study("cube"), store.records("cube"))
    level = by_kind(numbers(path, *words))["level"]
    kind = "smallest" if seeds == "0,1" else "smallest_by_welch"
    assert level[kind]["value"] == pytest.approx(told["sweeps"][0]["smallest"]["fit"]["difference"])


def test_one_corner_is_no_grid_to_compare_designs_with(write: Write) -> None:
    sweep = '[[sweep]]\naround = "full"\nfactor = "rate"\nlevels = [0.1, 0.2]\n'
    assert numbers(write(GRID, sweep), "--sigma=1", "--only=full*")["designs"] == []


def test_sigma_comes_from_the_studys_own_runs_with_its_interval(write: Write) -> None:
    path = write(GRID)
    put(path, lambda name, seed: noisy(name, seed) + offset(name))
    found = numbers(path)
    sigma = found["sigma"]
    assert (sigma["study"], sigma["cells"], sigma["df"]) == ("cube", 8, 16)
    assert sigma["value"] == pytest.approx(0.01)
    # chi-square quantiles of 16 degrees of freedom: 6.908 and 28.845
    assert sigma["low"] == pytest.approx(0.01 * (16 / 28.845) ** 0.5, rel=1e-4)
    assert sigma["high"] == pytest.approx(0.01 * (16 / 6.908) ** 0.5, rel=1e-4)
    main = by_kind(found)["main"]
    low, value, high = (main["seeds"][k] for k in ("at_low_sigma", "value", "at_high_sigma"))
    assert low <= value < high
    assert main["hours"] == (8 * max(0, value - 3)) * 1.0
    text = planned(path).stdout
    assert "pooled over 8 configurations of study cube" in " ".join(text.split())
    assert f"{value} ({low}–{high})" in text


def test_twins_are_one_run_and_not_two(write: Write) -> None:
    path = write(GRID)
    put(path, noisy)  # the eight cells have the same runs
    assert numbers(path)["sigma"]["cells"] == 1
    assert numbers(path)["sigma"]["df"] == 2


def test_sigma_may_come_from_another_study_of_the_same_system_and_data(write: Write) -> None:
    put(write(GRID, name="before"), lambda name, seed: noisy(name, seed) + offset(name))
    path = write(GRID)
    assert numbers(path)["sigma"]["study"] == "before"
    text = " ".join(planned(path).stdout.split())
    assert "study before, another of the same system, scale and data" in text


def test_runs_that_no_seed_reaches_are_refused(write: Write) -> None:
    path = write(GRID)
    put(path, lambda name, _: 0.5 + offset(name))
    said = refusal(path)
    assert "agree over the seeds to the last digit (W126)" in said
    assert "--sigma" in said


def test_cells_that_no_seed_reaches_are_left_out(write: Write) -> None:
    path = write(GRID)
    put(path, lambda name, seed: 0.7 if name == "a" else noisy(name, seed) + offset(name))
    found = numbers(path)["sigma"]
    assert (found["cells"], found["unseeded"]) == (7, ["a"])
    assert "identical runs (W126): a." in " ".join(planned(path).stdout.split())


def test_without_replicates_the_noise_must_be_told(write: Write) -> None:
    path = write(GRID)
    assert "there is no database yet; give it with --sigma" in refusal(path)
    found = put(path, noisy, "rate=0.3")
    assert found.study.name == "cube"
    single = write(GRID.replace('"a", ', ""), name="single")
    single.write_text(single.read_text().replace("[0, 1, 2]", "[0]"))
    (single.parent / ".ablate" / "results.db").unlink()
    put(single, noisy)
    assert "has two completed runs with that score" in refusal(path)


@pytest.mark.parametrize("value", ["0", "-1.3", "nan", "inf"])
@pytest.mark.parametrize("option", ["--sigma", "--effect"])
def test_a_spread_or_an_effect_is_a_number_above_zero(
    write: Write, option: str, value: str
) -> None:
    words = [option, value] if option == "--sigma" else ["--sigma", "1", option, value]
    assert "must be a finite number above 0, in points of fit" in refusal(write(GRID), *words)


@pytest.mark.parametrize("option", ["--sigma", "--effect"])
def test_the_options_need_power(write: Write, option: str) -> None:
    said = CliRunner().invoke(app, ["plan", str(write(GRID)), option, "1"])
    assert str(said.exception) == f"{option} means something with --power only"


def test_power_and_probe_are_not_asked_at_once(write: Write) -> None:
    assert refusal(write(GRID), "--probe", "--sigma", "1") == (
        "--power and --probe answer two questions: ask one at a time"
    )


def test_one_seed_sees_nothing(write: Write) -> None:
    said = planned(write(GRID), "--sigma", "1.3", "--seeds", "0").stdout
    assert "Smallest effects that 1 seed can see" in said
    assert "None: without a second run" in said
    assert re.search(r"full \(this\) +8 +1 +8 +no test +no test", said)
    assert "No test: with one run of each cell there is none." in said
    assert by_kind(numbers(write(GRID), "--sigma", "1", "--seeds", "0"))["main"]["smallest"] is None


def test_one_configuration_has_nothing_to_see(write: Write) -> None:
    said = planned(write("[[arm]]\nname = 'one'\n"), "--sigma", "1.3")
    assert said.exit_code == 0
    assert "there is one configuration" in said.stdout
    assert numbers(write("[[arm]]\nname = 'one'\n"), "--sigma", "1.3")["questions"] == []


def test_a_metric_that_is_no_percentage_has_no_points(write: Write) -> None:
    path = write(GRID)
    path.write_text(path.read_text().replace('"fit"', '"loss"'))
    found = numbers(path, "--sigma", "0.02")
    assert (found["effect"]["value"], found["effect"]["source"]) == (0.02, "sigma")
    assert by_kind(found)["main"]["negligible"] is None
    said = planned(path, "--sigma", "0.02").stdout
    assert "points" not in said
    assert "names no margin for this metric" in said


def test_blocked_studies_lose_degrees_of_freedom(write: Write) -> None:
    path = write(GRID, "[claims]\npaired = true\n")
    found = numbers(path, "--sigma", "1.3")
    assert found["blocked"] == 0
    # two degrees of freedom at three seeds: 5.6535 standard errors are seen
    main = by_kind(found)["main"]["smallest"]["value"]
    assert main == pytest.approx(5.6534893799 * 0.013 * (0.5 / 3) ** 0.5)
    assert "leaves n − 1 degrees of freedom; here r = 0, as none is measured" in " ".join(
        planned(path, "--sigma", "1.3").stdout.split()
    )
    assert "Blocked" in planned(path, "--sigma", "1.3").stdout
    put(path, lambda name, seed: noisy(name, seed) + hash((len(name), seed)) % 7 / 1000)
    measured = numbers(path)
    assert 0 < measured["blocked"] < 0.999
    assert measured["blocked"] == measured["sigma"]["shared_by_seed"]


def test_seeds_that_explain_everything_are_not_believed(write: Write) -> None:
    path = write(GRID, "[claims]\npaired = true\n")
    put(path, lambda name, seed: noisy(name, seed) + offset(name))
    found = numbers(path)
    assert (found["blocked"], found["sigma"]["shared_by_seed"]) == (0, None)


def test_only_and_overrides_are_heeded(write: Write) -> None:
    found = by_kind(
        numbers(write(GRID), "rate=0.3", "--sigma", "1.3", "--only", "baseline*,a r*,b r*,a+b r*")
    )
    assert {kind: q["about"] for kind, q in found.items()} == {
        "alone": [["a"], ["b"]],
        "context": [["a"], ["b"]],
        "off": [["a", "b"]],
    }


def test_no_line_is_wider_than_the_terminal(write: Write) -> None:
    sweep = '[[sweep]]\naround = "full"\nfactor = "rate"\nlevels = [0.1, 0.2, 0.3]\n'
    path = write(GRID, sweep)
    put(path, lambda name, seed: 0.5 + 0.1 * seed + offset(name))
    for words in ((), ("--sigma", "1.3"), ("--sigma", "0.001")):
        said = planned(path, *words)
        assert max(map(len, said.stdout.splitlines())) <= 80
        assert said.stderr == ""


def test_it_loads_no_heavy_library_and_writes_nothing(write: Write) -> None:
    path = write(GRID)
    before = sorted(path.parent.rglob("*.db"))
    code = (
        "import sys; from ablate.cli import app\n"
        f"try: app(['plan', {str(path)!r}, '--power', '--sigma', '1.3'])\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'ray', 'pandas', 'scipy.stats', 'matplotlib'} & set(sys.modules)\n"
        "sys.stderr.write(f'heavy: {sorted(heavy)}')"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert ran.stderr == "heavy: []"
    assert "Averaged interaction" in ran.stdout
    assert sorted(path.parent.rglob("*.db")) == before == []
