"""Selection rules that are mixed within a table. Numbers of seed 000's eight runs: its logs."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from ablate.audit.evidence import Evidence
from ablate.audit.measurement import rules
from ablate.metric import Metric
from ablate.record import Record, State
from ablate.selection import Curves, Score, Selection
from ablate.study import Level, Modules, Study, changed, switch
from tests.audit.clean import clean
from tests.audit.plants.measurement_rules import one_by_another_rule, table

MODULES = ("sacr", "sdtps", "lif")
LOGGED: dict[str, tuple[float, ...]] = {
    # Rank-1 and mAP at the best mAP, highest Rank-1, last Rank-1 and mAP
    "": (75.5, 72.3, 76.3, 74.3, 72.1),
    "sacr": (77.6, 74.0, 77.6, 77.2, 73.7),
    "lif": (77.2, 72.0, 77.2, 74.0, 70.0),
    "sdtps": (80.1, 76.0, 80.1, 77.8, 74.0),
    "sacr lif": (74.6, 73.3, 77.3, 75.7, 72.2),
    "sacr sdtps": (78.0, 74.8, 78.0, 76.6, 72.6),
    "sdtps lif": (75.1, 71.7, 75.1, 73.3, 70.8),
    "sacr sdtps lif": (78.8, 74.7, 79.4, 78.7, 74.4),
}
PRINTED = {name: of[0] for name, of in LOGGED.items()} | {"": 76.3}


def study(name: str, selection: str = "last") -> Study:
    metrics = (Metric("rank1", "Rank-1"), Metric("mAP"))
    return Study(
        name=name,
        title=name,
        system="x",
        revision="1",
        factors=tuple(switch(m) for m in MODULES),
        metrics=metrics,
        primary="rank1",
        selection=Selection.parse(selection, ["rank1", "mAP"]),
        modules=Modules(MODULES),
    )


def record(of: Study, name: str, scores: Mapping[str, Score], position: int) -> Record:
    levels: dict[str, Level] = {m: m in name.split() for m in MODULES}
    return Record(
        study=of.name,
        variant="+".join(name.split()) or "baseline",
        role="grid",
        parent=None,
        position=position,
        levels=levels,
        changed=changed(levels, of.factors),
        seed=1111,
        key=f"{of.name} {name}",
        state=State.COMPLETED,
        scores=scores,
    )


def curves(numbers: tuple[float, ...]) -> Curves:
    rank, best, highest, last, end = (n / 100 for n in numbers)
    return {
        ("test", "rank1"): {10: highest, 40: rank, 50: last},
        ("test", "mAP"): {10: 0.6, 40: best, 50: end},
    }


def logs() -> Evidence:
    of = study("logs", "best:mAP@test")
    made = {name: curves(numbers) for name, numbers in LOGGED.items()}
    records = [
        record(of, name, of.selection.apply(made[name], of.directions), i)
        for i, name in enumerate(LOGGED)
    ]
    return Evidence(of, records, {r.key: made[n] for r, n in zip(records, LOGGED, strict=True)})


def printed(numbers: Mapping[str, float], *others: Evidence) -> Evidence:
    of = study("printed")
    records = [
        record(of, name, {"rank1": Score("rank1", n / 100, None, "", "reported")}, i)
        for i, (name, n) in enumerate(numbers.items())
    ]
    return Evidence(of, records, others=lambda: others)


def said(evidence: Evidence) -> list[str]:
    return [f.sentence for f in rules.CHECK.findings(evidence)]


def test_the_baseline_of_seed_000_is_its_highest_and_seven_rows_are_not() -> None:
    (found,) = rules.CHECK.findings(printed(PRINTED, logs()))
    assert found.sentence == (
        "Rank-1: 7 of 8 printed numbers are those of best:mAP@test in study logs;"
        " baseline 76.3 is its highest of any step (75.5 by that rule)"
    )
    assert found.chinese == (
        "Rank-1：8 个数值中有 7 个与研究 logs 按 best:mAP@test 所得一致；"
        "baseline 的 76.3 是其各步中的最高值（按该规则为 75.5）"
    )
    assert found.name == "W122:rank1"
    assert found.keys == ("printed ",)
    assert found.command == "ablate report logs"


def test_a_table_of_one_rule_is_passed_over_whichever_rule_it_is() -> None:
    for column in (0, 2, 3):
        assert said(printed({n: of[column] for n, of in LOGGED.items()}, logs())) == []


def test_a_row_at_the_last_step_is_said_to_be_that() -> None:
    numbers = PRINTED | {"": 75.5, "sdtps": 77.8}
    assert said(printed(numbers, logs())) == [
        (
            "Rank-1: 7 of 8 printed numbers are those of best:mAP@test in study logs;"
            " sdtps 77.8 is its last (80.1 by that rule)"
        )
    ]


def test_a_number_that_no_rule_makes_is_not_said_to_be_of_another_rule() -> None:
    assert said(printed(PRINTED | {"": 70.0}, logs())) == []


def test_without_a_rule_that_most_rows_follow_nothing_is_said() -> None:
    unlike = {name: number - 1 for name, number in PRINTED.items()}
    assert said(printed(unlike, logs())) == []
    halves = {n: of[2] if i % 2 else of[3] for i, (n, of) in enumerate(LOGGED.items())}
    assert said(printed(halves, logs())) == []


def test_a_study_of_other_factors_is_no_twin() -> None:
    of = logs()
    named = {"sacr": "a", "sdtps": "b", "lif": "c"}
    renamed = [replace(r, levels={named[n]: v for n, v in r.levels.items()}) for r in of.records]
    other = replace(of, study=replace(of.study, factors=tuple(map(switch, "abc"))), records=renamed)
    assert said(printed(PRINTED, other)) == []


def test_a_factor_that_only_the_logs_changed_keeps_their_runs_apart() -> None:
    of = logs()
    extra = replace(of.study, factors=(*of.study.factors, switch("amp")))
    records = [
        replace(r, levels={**r.levels, "amp": True}, changed={**r.changed, "amp": True})
        for r in of.records
    ]
    assert said(printed(PRINTED, replace(of, study=extra, records=records))) == []


def test_names_are_matched_whatever_their_case() -> None:
    table = printed(PRINTED, logs())
    factors = tuple(switch(m.upper()) for m in MODULES)
    records = [
        replace(
            r,
            levels={n.upper(): v for n, v in r.levels.items()},
            changed={n.upper(): v for n, v in r.changed.items()},
        )
        for r in table.records
    ]
    upper = replace(table, study=replace(table.study, factors=factors), records=records)
    assert len(said(upper)) == 1


def test_runs_of_several_seeds_are_compared_seed_by_seed() -> None:
    planted = [(twin, one_by_another_rule(twin)) for twin in map(clean, range(24))]
    found = [(twin, evidence) for twin, evidence in planted if evidence is not None]
    assert len(found) > 3
    for twin, evidence in found:
        assert said(table(twin)) == []
        (sentence,) = said(evidence)
        n = len(twin.records)
        assert f"{n - 1} of {n} printed numbers are those of" in sentence


def test_scores_of_one_study_by_several_rules_are_counted() -> None:
    of = logs()
    odd = [
        replace(r, scores={n: replace(s, selection="reported") for n, s in r.scores.items()})
        if r.levels["sdtps"] and not r.levels["lif"]
        else r
        for r in of.records
    ]
    curves = {k: c for k, c in of.curves.items() if "sdtps" not in k}
    (whole,) = rules.CHECK.findings(replace(of, records=odd))
    (partly,) = rules.CHECK.findings(replace(of, records=odd, curves=curves))
    assert whole.command == "ablate report logs --select last"
    assert partly.command.startswith("score all runs by one rule")
    assert partly.chinese_command
    assert said(replace(of, records=odd)) == [
        (
            "Rank-1 of 6 runs is best:mAP@test, of 2 it is reported (sdtps and sacr+sdtps):"
            " one table holds numbers of several rules"
        )
    ]


@pytest.mark.parametrize("few", [0, 1, 2])
def test_fewer_than_three_rows_are_no_table(few: int) -> None:
    assert said(printed(dict(list(PRINTED.items())[:few]), logs())) == []


def test_fewer_than_three_rows_of_one_rule_make_it_no_rule_of_the_table() -> None:
    numbers = {"": 75.5, "sacr": 77.2, "sdtps": 80.1}  # two by the logs' rule, one the last

    assert said(printed(numbers, logs())) == []
    assert len(said(printed(numbers | {"lif": 77.2}, logs()))) == 1
