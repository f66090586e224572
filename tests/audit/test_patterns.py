"""Outputs that are scored beside the one that counts, in some runs only."""

from dataclasses import replace

from ablate.audit.evidence import Evidence
from ablate.audit.measurement import patterns
from tests.audit.clean import clean
from tests.audit.plants.measurement_patterns import a_second_output


def said(evidence: Evidence) -> list[str]:
    return [f.sentence for f in patterns.CHECK.findings(evidence)]


def planted(modules: int) -> Evidence:
    """A study of so many modules, where that of the first is scored twice."""
    for seed in range(100):
        found = clean(seed)
        if len(found.study.on) == modules and not found.study.sweeps:
            return a_second_output(found)
    raise AssertionError


def test_runs_with_a_module_are_scored_twice_and_the_others_once() -> None:
    evidence = planted(2)
    runs = len(evidence.records) // 2
    label = evidence.study.metric(evidence.study.primary).label
    (found,) = patterns.CHECK.findings(evidence)
    assert found.sentence == (
        f"two outputs are scored in the {runs} runs with sacr, one in the other {runs};"
        f" the one that counts has the best {label} in {runs} of the {runs}"
    )
    assert found.chinese.startswith(f"开启 sacr 的 {runs} 次运行各对 2 种输出评分，其余 {runs} 次")
    assert set(found.keys) == {r.key for r in evidence.records if r.levels["sacr"]}


def test_how_often_another_output_is_better_is_counted_at_the_step_that_counts() -> None:
    evidence = planted(2)
    primary = evidence.study.primary
    sign = 1 if evidence.study.metric(primary).direction == "up" else -1
    curves = dict(evidence.curves)
    runs = [r for r in evidence.records if r.levels["sacr"]]
    for record in runs[:2]:
        score = record.scores[primary]
        assert score.step is not None
        split = f"{score.split}.ori"
        own = curves[record.key]
        better = {**own[split, primary], score.step: score.value + sign * 0.01}
        curves[record.key] = {**own, (split, primary): better}
    (sentence,) = said(replace(evidence, curves=curves))
    assert sentence.endswith(f"in {len(runs) - 2} of the {len(runs)}")


def test_runs_that_no_level_tells_apart_are_named() -> None:
    evidence = planted(2)
    some = [r for r in evidence.records if r.variant in {"sacr", "sdtps"}]
    curves = {
        r.key: evidence.curves[r.key]
        if r in some
        else {k: v for k, v in evidence.curves[r.key].items() if "." not in k[0]}
        for r in evidence.records
    }
    lone = replace(evidence, curves=curves)
    (sentence,) = said(lone)
    assert "runs of sacr, one in the other" in sentence


def test_all_runs_alike_or_numbers_without_curves_are_passed_over() -> None:
    evidence = planted(1)
    on = [r for r in evidence.records if r.levels["sacr"]]
    assert said(replace(evidence, records=on)) == []
    assert said(replace(evidence, curves={})) == []
