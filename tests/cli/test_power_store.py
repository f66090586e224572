"""What `ablate plan --power` takes from the store, and from which of its studies."""

import re
from dataclasses import replace
from typing import Any

import pytest

from ablate.analysis.correlation import intraclass
from ablate.cli.asking import Wishes, asked
from ablate.cli.hours import Hours
from ablate.cli.power_text import amount
from ablate.metric import Metric
from ablate.record import Ending, Scalar, State
from ablate.store import open_store
from ablate.study import Resources
from tests.cli.test_power import (
    GRID,
    Write,
    by_kind,
    noisy,
    numbers,
    offset,
    planned,
    put,
    refusal,
    write,
)

__all__ = ["write"]


def scattered(name: str, seed: int) -> float:
    """A share of the seed, a share of the cell and the seed."""
    return offset(name) + 0.01 * seed + 0.01 * ((len(name) * 7 + seed * seed * 3) % 5)


def test_runs_that_are_there_are_not_to_do_and_more_than_enough_is_nothing(write: Write) -> None:
    path = write(GRID)
    put(path, lambda name, seed: noisy(name, seed) + offset(name))
    found = by_kind(numbers(path, "--effect", "50"))
    assert found["main"]["seeds"]["value"] == 2
    assert (found["main"]["runs_to_do"], found["main"]["hours"]) == (0, 0)


@pytest.mark.parametrize(
    "other", [{"data": "elsewhere"}, {"scale": "small"}, {"standin": False}, {"system": "alike"}]
)
def test_noise_is_not_taken_from_other_data_scales_or_systems(
    write: Write, other: dict[str, Any]
) -> None:
    path = write(GRID)
    held = asked(path, Wishes())
    with open_store(held.project.store, create=True) as store:
        study = replace(held.study, name="before", **other)
        ends = [
            (p, Ending(State.COMPLETED, 1.0, "", scalars=(Scalar(1, "test", "fit", v),)))
            for p in held.chosen
            for v in [noisy("", p.trial.seed) + offset(p.variant.name)]
        ]
        store.put_results(study, ends, source="test")
    assert "no configuration of study 'cube', or of another of system planned" in refusal(path)


def test_what_seeds_share_is_measured_on_the_grid_alone(write: Write) -> None:
    arm = '[[arm]]\nname = "odd"\nparent = "full"\nset = { rate = 0.5 }\n'
    path = write(GRID, "[claims]\npaired = true\n", arm)
    put(path, lambda name, seed: scattered(name, -seed if name == "odd" else seed))
    grid = ["baseline", "a", "b", "c", "a+b", "a+c", "b+c", "full"]
    expected = intraclass([[(s, scattered(n, s)) for s in range(3)] for n in grid]).value
    assert numbers(path)["blocked"] == pytest.approx(expected)


def test_designs_get_the_nearest_whole_number_of_seeds(write: Write) -> None:
    design = 'design = "add-one"\n'
    found = numbers(write(GRID, design), "--sigma", "1")["designs"]
    # 12 runs: 1.5 seeds of eight cells, 1.7 of seven.
    assert {d["design"]: d["seeds"] for d in found} == {
        "full": 2,
        "pairs": 2,
        "add-one": 3,
        "leave-one-out": 3,
    }


def test_in_brackets_the_smaller_number_comes_first(write: Write) -> None:
    path = write(GRID, "[claims]\nmargin = 1.5\n")
    put(path, lambda name, seed: noisy(name, seed) + offset(name))
    text = planned(path).stdout
    found = re.findall(r"\(([\d.,]+)–([\d.,]+)\)", text)
    assert len(found) > 20
    assert all(float(a.replace(",", "")) < float(b.replace(",", "")) for a, b in found)
    assert re.search(r"Main effect .* \d+ % \(\d+–\d+\)", text)


def test_small_sizes_keep_two_digits_that_count() -> None:
    assert amount(Metric("fit"), 0.00012) == "0.012"
    assert amount(Metric("fit"), 0.0345) == "3.5"


def test_hours_are_by_each_variants_own_trials_times_their_cores() -> None:
    hours = Hours((("a", 3600.0), ("a", 3600.0), ("b", 7200.0)), Resources(cpus=2, gpus=0))
    assert hours.of({"a": 1, "b": 2}) == 2 * (1 + 2 * 2)
    # A variant that has not run takes as long as the others usually do.
    assert hours.of({"c": 1}) == 2 * 1
    assert Hours((), Resources()).of({"a": 1}) is None
