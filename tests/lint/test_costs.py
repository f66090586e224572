"""Costs whose unit or counter leaves room: these are never wrong."""

from dataclasses import replace

import pytest

from ablate.lint.check import lint
from ablate.lint.document import parse
from ablate.lint.world import World
from ablate.record import STAMPED, Cost
from tests.lint.conftest import AQR

HEAD = "| Metric | Baseline | AQR | Diff |\n|---|---|---|---|\n| NDS | 69.08 | 68.25 | -0.83 |\n"
TIMES = "| Model | NDS | {0} |\n|---|---|---|\n| Baseline | 69.08 | {1} |\n| AQR | 68.25 | {2} |\n"
TOLD = TIMES.format("Training time (min)", "56", "142")
APART = TIMES.format("Δ Training time (min)", "-", "+86")
CUT = "Training time increased by 148% with AQR"
ALLOCATED = {"baseline": 21555 * 2**20, "aqr_2.5_0.6": 22870 * 2**20}
"""Bytes; the allocator printed 21555 and 22870 MB, of 2^20 bytes each."""
LOGGED = {"baseline": 3360.0, "aqr_2.5_0.6": 8360.0}


@pytest.fixture
def costed(worlds: dict[str, World]) -> World:
    world = worlds[AQR]
    records = [
        replace(
            r,
            costs={
                "memory": Cost("memory", ALLOCATED[r.variant], "bytes", "peak of the allocator"),
                "seconds": Cost("seconds", LOGGED[r.variant], "s", STAMPED),
            },
        )
        for r in world.records
    ]
    return replace(world, records=records)


@pytest.mark.parametrize(
    "printed", ["21.05 GB | 22.33 GB", "22.6 GB | 23.98 GB", "22GB | 23GB", "21.05 GiB | 22.33 GiB"]
)
def test_bytes_in_gb_may_be_gib_or_a_thousand_mib(costed: World, printed: str) -> None:
    ledger = lint(parse(f"{HEAD}| Memory | {printed} | |\n"), [costed])
    assert ledger.findings == []
    assert [p for p in ledger.traced if p.line == 4]
    assert [p for p in ledger.untraced if p.line == 4] == []


@pytest.mark.parametrize("printed", ["21.05 GB | 25.1 GB", "21.05 GiB | 23.98 GiB"])
def test_what_none_of_them_gives_is_wrong(costed: World, printed: str) -> None:
    (found,) = lint(parse(f"{HEAD}| Memory | {printed} | |\n"), [costed]).findings
    assert (found.line, found.verdict) == (4, "wrong")


@pytest.mark.parametrize(
    "text",
    [
        f"{HEAD}| Training time | 56 min | 142 min | +86 min |\n",
        TOLD,
        APART,
        CUT,
    ],
)
def test_a_time_read_off_a_log_refutes_nothing(costed: World, text: str) -> None:
    assert lint(parse(text), [costed]).findings == []


def test_a_time_that_was_measured_does(costed: World) -> None:
    measured = [
        replace(r, costs={**r.costs, "seconds": replace(r.costs["seconds"], counter="wall clock")})
        for r in costed.records
    ]
    world = replace(costed, records=measured)
    for text, kind in ((TOLD, "value"), (APART, "difference"), (CUT, "rounding")):
        (found,) = lint(parse(text), [world]).findings
        assert found.kind == kind
