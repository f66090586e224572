"""Modules that a counter of the whole says are not in a cell's output.

Numbers: the 16 logs of RGBNT201 (parameters and operations to the last digit), and the table that
was printed of them.
"""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from ablate.audit.check import ask
from ablate.audit.counted import idle_modules, inert_by_counts
from ablate.audit.evidence import Evidence
from ablate.audit.execution import CHECKS
from ablate.audit.liveness import functions
from ablate.metric import Metric
from ablate.record import Cost, Finding, Record
from ablate.study import real
from tests.report.planted import record, share, study

SDL = study("sacr", "sdtps", "lif", metrics=(Metric("rank1", "Rank-1"), Metric("mAP")))
# modules that are on: parameters, operations, Rank-1 and mAP at the best mAP on the test set
LOGS: Mapping[str, tuple[float, float, float, float]] = {
    "": (87_988_224, 34_277_168_148, 0.755, 0.723),
    "sacr": (96_381_957, 34_277_168_148, 0.776, 0.740),
    "lif": (88_157_859, 34_277_168_148, 0.772, 0.720),
    "sdtps": (88_623_444, 34_327_747_818.000008, 0.801, 0.760),
    "sacr lif": (96_551_592, 34_277_168_148, 0.746, 0.733),
    "sacr sdtps": (97_017_177, 37_551_341_802.00002, 0.780, 0.748),
    "sdtps lif": (88_793_079, 35_107_794_282, 0.751, 0.717),
    "sacr sdtps lif": (97_186_812, 38_331_388_266.00001, 0.788, 0.747),
}
PRINTED = {
    on: (round(p / 1e4) * 1e4, round(o / 1e7) * 1e7, *scores)
    for on, (p, o, *scores) in LOGS.items()
}
POOLED = {"sacr": {"sacr"}, "lif": {"lif"}, "sacr+lif": {"sacr", "lif"}}


def records(table: Mapping[str, tuple[float, ...]]) -> list[Record]:
    found = []
    for on, (params, ops, rank1, ap) in table.items():
        costs = {"params": params, "ops": ops}
        made = record(SDL, frozenset(on.split()), 1111, {"rank1": rank1, "mAP": ap})
        found.append(replace(made, costs={n: Cost(n, v, "", "fvcore") for n, v in costs.items()}))
    return found


def findings(table: Mapping[str, tuple[float, ...]]) -> list[Finding]:
    return [f for f in ask(CHECKS, Evidence(SDL, records(table))) if f.code == "W204"]


@pytest.mark.parametrize("table", [LOGS, PRINTED])
def test_sacr_and_lif_are_in_no_output_without_sdtps(
    table: Mapping[str, tuple[float, ...]],
) -> None:
    assert Evidence(SDL, records(table)).inert == POOLED


def test_the_four_runs_of_one_function_are_named_with_their_scores_and_sd() -> None:
    lif, sacr = findings(LOGS)
    assert (lif.name, lif.severity) == ("W204:lif", "warning")
    assert lif.sentence == (
        "lif adds 169,635 parameters and ±0 operations in lif and sacr+lif (fvcore), but 0.78 G in"
        " sdtps+lif: it is not in their output; baseline, sacr, lif and sacr+lif are 4 runs of one"
        " function, pooled: Rank-1 75.5, 77.6, 77.2, 74.6, SD 1.42 points; mAP 72.3, 74.0, 72.0,"
        " 73.3, SD 0.92 points"
    )
    assert sacr.sentence.startswith(
        "sacr adds 8,393,733 parameters and ±0 operations in sacr and sacr+lif (fvcore), but 3.22 G"
        " in sacr+sdtps: it is not in their output; "
    )
    assert sacr.sentence.endswith("4 runs of one function, pooled: Rank-1 SD 1.42 points")
    assert "lif、sacr+lif 中增加 169,635 个参数，运算量 ±0" in lif.chinese
    assert "标准差 1.42 个百分点" in lif.chinese
    assert lif.command == "ablate report planted --synergy"
    assert set(lif.keys) == {r.key for r in records(LOGS) if r.variant in {"lif", "sacr+lif"}}


def test_of_a_printed_table_millions_are_named_to_their_digits() -> None:
    lif, sacr = findings(PRINTED)
    assert "lif adds 0.17 M parameters and ±0 operations" in lif.sentence
    assert "sacr adds 8.39 M parameters and ±0 operations" in sacr.sentence


def test_a_counter_that_never_sees_the_module_proves_nothing_and_pools_nothing() -> None:
    blind = {on: (p, 34e9 + 1e9 * ("sdtps" in on), *s) for on, (p, _, *s) in LOGS.items()}
    assert Evidence(SDL, records(blind)).inert == {}
    lif, sacr = findings(blind)
    assert lif.sentence == (
        "lif adds 169,635 parameters and ±0 operations in lif, sacr+lif, sdtps+lif and full"
        " (fvcore), and that counter sees it cost some in no configuration: it is not in the output"
        " there, or it is not counted"
    )
    assert sacr.name == "W204:sacr"


@pytest.mark.parametrize("more", [1.0, -1.0])
def test_one_operation_of_34_g_tells_cells_apart(more: float) -> None:
    params, ops, *scores = LOGS["sacr"]
    moved = {**LOGS, "sacr": (params, ops + more, *scores)}
    found = Evidence(SDL, records(moved)).inert
    # sacr+lif has what baseline costs, and one less than sacr: only the whole step is a zero
    assert "sacr" not in found
    assert found["lif"] == {"lif"}


def test_a_module_that_rounding_could_hide_is_not_proven_absent() -> None:
    coarse = {on: (p, round(o / 1e9) * 1e9, *s) for on, (p, o, *s) in LOGS.items()}
    assert Evidence(SDL, records(coarse)).inert == {}
    assert findings(coarse) == []


def test_cells_whose_runs_were_counted_apart_are_not_compared() -> None:
    both = records(LOGS)
    twice = replace(both[1], seed=2, key="f" * 16)
    other = {**twice.costs, "ops": replace(twice.costs["ops"], value=35e9)}
    assert "sacr" not in Evidence(SDL, [*both, replace(twice, costs=other)]).inert


def test_another_counter_that_sees_operations_there_ends_the_look() -> None:
    def macs(r: Record) -> Record:
        own = Cost("macs", 2e9 if r.levels["sacr"] else 1e9, "MAC", "eager")
        return replace(r, costs={**r.costs, "macs": own})

    found = Evidence(SDL, [macs(r) for r in records(LOGS)]).inert
    assert found == {"lif": {"lif"}, "sacr+lif": {"lif"}}


def test_two_modules_that_share_an_operation_are_not_both_absent() -> None:
    # each by itself costs 1 G, and both together too: neither is proven to be out
    ab = study("a", "b", "c")
    ops = {"": 1e9 + 1, "a": 2e9 + 1, "b": 2e9 + 1, "a b": 2e9 + 1}
    made = [
        replace(
            record(ab, frozenset(on.split()), 0, {"rank1": 0.5}),
            costs={
                "ops": Cost("ops", o, "", "x"),
                "params": Cost("params", 1e6 + len(on), "", "x"),
            },
        )
        for on, o in ops.items()
    ]
    cells = Evidence(ab, made).cells
    assert inert_by_counts(ab, cells) == {}
    assert {i.module for i in idle_modules(ab, cells)} == {"a", "b"}
    assert ask(CHECKS, Evidence(ab, made)) == []


def test_where_a_module_s_own_parameters_were_counted_the_whole_is_not_asked() -> None:
    told = [
        replace(r, shares=share("sacr", live=True)) if r.levels["sacr"] else r
        for r in records(LOGS)
    ]
    assert Evidence(SDL, told).inert == {"lif": {"lif"}}


def test_a_module_without_parameters_is_not_called_idle() -> None:
    level = {on: (88e6, o, *s) for on, (_, o, *s) in LOGS.items()}
    assert findings(level) == []


def test_cells_of_one_function_are_those_that_without_idle_modules_have_the_same_levels() -> None:
    found = functions(SDL, Evidence(SDL, records(LOGS)).cells)
    of_baseline = {v for v, same in found.items() if same == found["baseline"]}
    assert of_baseline == {"baseline", "sacr", "lif", "sacr+lif"}
    assert len(set(found.values())) == len(found) - 3


def test_a_step_of_an_idle_module_s_own_setting_is_the_same_function() -> None:
    cells = Evidence(SDL, records(LOGS)).cells
    beta = real("sacr.beta", 0.4, requires="sacr")
    study = replace(SDL, factors=(*SDL.factors, beta))
    every = [replace(c, levels={**c.levels, "sacr.beta": 0.4}) for c in cells]
    (sacr,) = (c for c in every if c.variant == "sacr")
    step = replace(sacr, variant="step", role="sweep", levels={**sacr.levels, "sacr.beta": 0.2})
    still = frozenset({"sacr"})
    found = functions(study, [*every, step], {"sacr": still, "step": still})
    assert found["step"] == found["sacr"] == found["baseline"]
    moves = functions(study, [*every, step], {})
    assert len(set(moves.values())) == len(moves)


def test_a_cell_whose_parent_never_ran_is_its_own_function() -> None:
    without = [r for r in records(LOGS) if r.variant != "baseline"]
    found = functions(SDL, Evidence(SDL, without).cells)
    assert len(set(found.values())) == len(found) == len({r.variant for r in without})
