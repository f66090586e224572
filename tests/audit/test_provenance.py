"""Where the runs of a study come from: code, libraries, hardware, data; W130, N132 and N133."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from ablate.audit.catalogue import check_of
from ablate.audit.evidence import Evidence
from ablate.audit.provenance.again import again
from ablate.record import Finding, Record, State
from ablate.study import Modules, Study, real, switch
from tests.audit.clean import METRICS, Design, clean, evidence
from tests.audit.plants.provenance_origin import facts

COMMITS = ("4f1c2d3aaaaaaaa", "9b8a7c6bbbbbbbb")


@cache
def native() -> Evidence:
    """A baseline and one module with four seeds, trained here in random order."""
    study = Study(
        name="clean",
        title="A clean study",
        system="x",
        revision="1",
        factors=(switch("sacr"), real("sacr.beta", 0.4, requires="sacr")),
        metrics=METRICS,
        primary="mAP",
        seeds=(0, 1, 2, 3),
        modules=Modules(("sacr",)),
    )
    return evidence(Design(study, {"sacr": 0.04}, 0.002), np.random.default_rng(0))


AGAIN = {
    "full": "ablate run studies/clean.toml --only baseline --force",
    "baseline": "ablate run studies/clean.toml --only full --force",
}


def _latest(of: Evidence) -> Record:
    return max(of.records, key=lambda r: r.attempt.started if r.attempt else "")


def found(code: str, of: Evidence) -> list[Finding]:
    return list(check_of(code).findings(of))


def with_facts(of: Evidence, own: Callable[[Record], dict[str, str]]) -> Evidence:
    return replace(of, records=[facts(r, **own(r)) for r in of.records])


def on(of: Evidence, device: Callable[[Record], str]) -> Evidence:
    records = [
        replace(r, attempt=replace(r.attempt, device=device(r))) for r in of.records if r.attempt
    ]
    return replace(of, records=records)


def imported(of: Evidence) -> Evidence:
    return replace(of, records=[replace(r, source="import x") for r in of.records])


def test_a_step_whose_sides_are_of_two_commits_is_named() -> None:
    of = with_facts(native(), lambda r: {"commit": COMMITS[r.variant == "full"]})

    (finding,) = found("W130", of)

    assert finding.name == "W130:code"
    assert finding.sentence == (
        "the code is 4f1c2d3 in 4 runs and 9b8a7c6 in 4 runs (full); the two sides of"
        " baseline → full have none of it in common: this step may show the code instead of the"
        " change"
    )
    assert finding.command == AGAIN[_latest(of).variant]
    assert finding.keys == tuple(r.key for r in of.records if r.variant == "full")


def test_only_what_the_latest_run_is_unlike_is_trained_again() -> None:
    of = native()
    seed = next(r.seed for r in of.records if r.key != _latest(of).key)
    old = with_facts(of, lambda r: {"commit": COMMITS[r.seed == seed and r.variant == "full"]})
    timeless = [
        replace(r, attempt=replace(r.attempt, started="")) for r in old.records if r.attempt
    ]

    (one,), (none_known,) = found("W130", old), found("W130", replace(old, records=timeless))

    assert one.command == f"ablate run studies/clean.toml --only full --seeds {seed} --force"
    assert none_known.command == f"go back to code 4f1c2d3, then {one.command}"
    assert none_known.chinese_command == f"恢复到代码 4f1c2d3，再运行 {one.command}"


def test_one_late_run_is_trained_again_under_what_all_others_had() -> None:
    of, late = native(), _latest(native())

    (finding,) = found("W130", with_facts(of, lambda r: {"torch": f"2.1{int(r == late)}.0"}))

    command = f"ablate run studies/clean.toml --only {late.variant} --seeds {late.seed} --force"
    assert finding.command == f"go back to torch 2.10.0, then {command}"
    assert finding.chinese_command == f"恢复到 torch 2.10.0，再运行 {command}"


@pytest.mark.parametrize(
    ("names", "path", "said"),
    [
        (["sdtps lr=0.1"], "my studies/a.toml", "'my studies/a.toml' --only 'sdtps lr=0.1'"),
        (["a,b"], "", "studies/clean.toml"),
        (["grid"], "", "studies/clean.toml"),
        (["baseline", "full"], "", "studies/clean.toml"),
    ],
)
def test_names_are_quoted_and_those_that_mean_something_else_are_not_used(
    names: list[str], path: str, said: str
) -> None:
    of = replace(native(), path=path)
    runs = [replace(r, variant=n) for n in names for r in of.records[:4]]
    assert {r.seed for r in runs} == set(of.study.seeds)

    assert again(of, runs) == f"ablate run {said} --force"


def test_versions_that_are_spread_over_the_seeds_are_said_to_be_on_both_sides() -> None:
    of = native()
    odd = of.study.seeds[1]
    of = with_facts(of, lambda r: {"torch": f"2.1{int(r.seed == odd)}.0"})

    (finding,) = found("W130", of)

    assert finding.name == "W130:libraries"
    assert finding.sentence == (
        "torch is 2.10.0 in 6 runs and 2.11.0 in 2 runs (baseline and full);"
        " no step has one on one side alone and another on the other"
    )


def test_the_time_of_a_change_of_code_is_said() -> None:
    of = native()
    starts = sorted(r.attempt.started for r in of.records if r.attempt)

    def commit(record: Record) -> dict[str, str]:
        assert record.attempt is not None
        return {"commit": COMMITS[record.attempt.started >= starts[6]]}

    (finding,) = found("W130", with_facts(of, commit))

    at = starts[6][:16].replace("T", " ")
    assert "the code is 4f1c2d3 in 6 runs and 9b8a7c6 in 2 runs (" in finding.sentence
    assert f", from {at} on)" in finding.sentence
    assert f"自 {at} 起" in finding.chinese


def test_another_device_matters_for_times_and_memory() -> None:
    (spread,) = found("N130", on(native(), lambda r: "H100" if r.seed else "A100"))
    (apart,) = found("W130", on(native(), lambda r: "H100" if r.levels["sacr"] else "A100"))

    assert (spread.name, apart.name) == ("N130:hardware", "W130:hardware")
    assert apart.command == "train full again under what the other runs had"
    assert not spread.runnable
    assert spread.sentence == (
        "device is H100 in 6 runs and A100 in 2 runs (baseline and full);"
        " no step has one on one side alone and another on the other"
    )
    assert apart.sentence.endswith(
        "the two sides of baseline → full have none of it in common:"
        " their times and memory do not compare"
    )


def test_two_machines_of_one_kind_are_one() -> None:
    of = native()
    records = [
        replace(r, attempt=replace(r.attempt, host=f"node{r.seed}"))
        for r in of.records
        if r.attempt
    ]

    assert found("W130", replace(of, records=records)) == []


def test_what_a_run_has_for_itself_is_no_difference() -> None:
    def own(record: Record) -> dict[str, str]:
        key = record.key
        names = ("file", "sha256", "run", "started", "ended", "uncalled", "notes", "reader", "line")
        return {
            **dict.fromkeys((*names, "uncounted operators", "left_out", "experiment"), key),
            "resumed": f"attempt {key}, step_{key}.pt",
            "host": key,
        }

    assert found("W130", with_facts(native(), own)) == []


def test_a_fact_that_some_runs_lack_differs_from_nothing() -> None:
    of = with_facts(
        native(), lambda r: {"cuda": "12.8", "gpu": "H100"} if r.variant == "full" else {}
    )

    assert found("W130", of) == []


@pytest.mark.parametrize(
    ("texts", "names"),
    [
        (("RGBNT201", "RGBNT100"), ["W130:data"]),
        (("RGBNT201", "assumed (the log says RGBNT201)"), []),
        (("RGBNT201", "assumed"), []),
        (("RGBNT201", "assumed (the log says MSVR310)"), ["W130:data"]),
    ],
)
def test_data_that_are_assumed_are_what_the_log_says(
    texts: tuple[str, str], names: list[str]
) -> None:
    of = with_facts(native(), lambda r: {"data": texts[r.variant == "full"]})

    assert [f.name for f in found("W130", of)] == names


def test_uncommitted_changes_are_said_of_all_runs_or_of_those_that_had_them() -> None:
    of = native()
    (all_of,) = found("W130", with_facts(of, lambda _: {"dirty": "yes"}))
    (some_of,) = found(
        "W130", with_facts(of, lambda r: {"dirty": "yes" if r.variant == "full" else "no"})
    )

    assert all_of.name == some_of.name == "W130:dirty"
    assert all_of.sentence == (
        "the code of all 8 runs had changes that were not committed:"
        " its commit does not tell what ran"
    )
    assert "the code of 4 of 8 runs (full) had" in some_of.sentence
    assert some_of.command == "commit, then ablate run studies/clean.toml --only full --force"
    assert all_of.command == "commit, then ablate run studies/clean.toml --force"
    assert all_of.chinese_command == "先提交，再运行 ablate run studies/clean.toml --force"


def test_changes_whose_difference_was_kept_are_a_version_of_the_code() -> None:
    of = native()
    kept = with_facts(of, lambda _: {"dirty": "yes", "diff": "ab" * 32})
    two = with_facts(
        of, lambda r: {"dirty": "yes", "diff": ("ab" if r.variant == "full" else "cd") * 32}
    )

    assert found("W130", kept) == []
    (finding,) = found("W130", two)
    assert finding.name == "W130:code"
    assert "4f1c2d3 with the changes cdcdcdc in 4 runs" in finding.sentence


def test_commits_that_differ_in_nothing_that_a_training_reads_are_one_code() -> None:
    def own(record: Record, sources: str) -> dict[str, str]:
        return {"commit": COMMITS[record.variant == "full"], "sources": sources}

    alike = with_facts(native(), lambda r: own(r, "ab" * 8))
    other = with_facts(native(), lambda r: own(r, ("ab" if r.variant == "full" else "cd") * 8))
    untold = with_facts(native(), lambda r: own(r, "" if r.seed else "ab" * 8))

    assert found("W130", alike) == []
    assert found("W130", other) == found("W130", untold)
    assert [f.name for f in found("W130", other)] == ["W130:code"]


def test_changes_between_two_runs_of_one_commit_are_two_codes() -> None:
    of = with_facts(
        native(),
        lambda r: {"dirty": "yes", "sources": ("ab" if r.variant == "full" else "cd") * 8},
    )

    code, dirty = found("W130", of)

    assert (code.name, dirty.name) == ("W130:code", "W130:dirty")
    assert "4f1c2d3 with the changes cdcdcdc in 4 runs" in code.sentence


def test_runs_without_results_do_not_count() -> None:
    of = with_facts(native(), lambda r: {"commit": COMMITS[r.variant == "full"]})
    records = [
        replace(r, state=State.FAILED if r.variant == "full" else r.state) for r in of.records
    ]

    assert found("W130", replace(of, records=records)) == []


def test_of_imported_runs_the_two_sides_are_set_beside_each_other() -> None:
    of = imported(
        with_facts(native(), lambda r: {"PyTorch": "2.0.1" if r.variant == "full" else "1.9.0"})
    )

    (finding,) = found("W130", of)

    assert finding.command == "ablate compare baseline full --study clean"


def test_of_imported_runs_that_differ_within_configurations_no_command_is_named() -> None:
    of = native()
    odd = of.study.seeds[1]

    (finding,) = found("W130", imported(with_facts(of, lambda r: {"torch": f"{r.seed == odd}"})))

    assert finding.command == "train baseline and full again under what the other runs had"
    assert finding.chinese_command == "在与其余运行相同的条件下重新训练 baseline、full"


def test_standin_data_are_named_before_and_after_training() -> None:
    study = replace(clean(0).study, standin=True, data="standin:toy-3: 64 ids, noise=0.5")
    check = check_of("N132")

    (finding,) = check.findings(Evidence(study, []))

    assert check.planned
    assert finding.sentence.startswith("the data are a stand-in (toy-3)")
    assert finding.command == (
        "where x knows real data: name them ([data] root in studies/clean.toml, or --data)"
        " and run it again"
    )
    assert finding.chinese_command.startswith("若 x 有真实数据")
    assert not finding.runnable


def test_imported_numbers_without_curves_are_counted() -> None:
    of = imported(native())
    bare = {r.key for r in of.records if r.variant == "full"}
    curves = {k: c for k, c in of.curves.items() if k not in bare}

    (part,) = found("N133", replace(of, curves=curves))
    (whole,) = found("N133", replace(of, curves={}))

    assert part.sentence.startswith("4 of 8 imported runs (full) have no curves")
    assert set(part.keys) == bare
    assert whole.sentence.startswith("all 8 imported runs have no curves")
    assert found("N133", of) == []


def test_a_run_of_our_own_without_curves_is_no_imported_number() -> None:
    assert found("N133", replace(native(), curves={})) == []
