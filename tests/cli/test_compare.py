"""`ablate compare`: names, seeds, what one side lacks, the width."""

import json
import os
import random
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from rich.cells import cell_len

from ablate.errors import UsageError
from ablate.record import Ending, Scalar
from ablate.study import Claims
from tests.cli.comparing import BASE, LIF, LONG, STUDY, Call, ending, put, put_toy, seeds


@pytest.fixture
def toy(call: Call, folder: Path) -> Call:
    put_toy(folder)
    return call


def compared(call: Call, *words: str) -> str:
    answer = call("compare", *words)
    assert answer.exit_code == 0, answer.exception or answer.stderr
    return " ".join(answer.stdout.split())


@pytest.mark.parametrize(
    "words",
    [
        ("baseline", "lif"),
        ("baseline", LONG),
        ("baseline", "lif", "sdtps", LONG),
        ("baseline", "unrun"),
        ("baseline", "poor", "--at", "1,2,3,4,5,6,7,8,9,10,11,12"),
    ],
)
def test_every_line_fits_80_columns_and_nothing_is_left_out(
    toy: Call, words: tuple[str, ...]
) -> None:
    answer = toy("compare", *words)
    assert answer.exit_code == 0
    assert max(cell_len(line.rstrip()) for line in answer.stdout.splitlines()) <= 80
    assert "not shown for lack of width" not in answer.stderr


def test_two_variants_take_about_three_screens(toy: Call) -> None:
    assert len(toy("compare", "baseline", "lif").stdout.splitlines()) <= 120


def test_the_first_line_names_the_study_and_all_and_sections_stand_in_order(toy: Call) -> None:
    told = toy("compare", "baseline", "lif", "sdtps").stdout
    assert told.startswith("study toy: baseline, lif and sdtps\n")
    titles = ("Configuration", "In short", "Runs", "Metrics: lif", "By item: lif")
    places = [
        told.index(f"\n{t}")
        for t in (*titles, "Metrics: sdtps", "Learning curves", "Loss terms", "Costs: lif")
    ]
    assert places == sorted(places)


def test_long_names_become_letters_that_are_explained(toy: Call) -> None:
    told = toy("compare", "baseline", LONG).stdout
    assert "A: baseline\nB: full sdtps.keep_ratio=0.5\n" in told
    assert re.search(r"Factor +A +B", told)


def test_several_changes_are_credited_to_none_and_the_path_is_named(toy: Call) -> None:
    told = compared(toy, "baseline", LONG)
    assert "3 factors differ: the difference cannot be credited to one of them." in told
    assert f"Between baseline and {LONG}, by the levels changed: 2 of 6 with runs" in told
    assert (
        "2 of 6 with runs (lif, sdtps); not in the study: rate, lif + sdtps, lif + rate,"
        " sdtps + rate." in told
    )


def test_the_verdict_sentence_counts_metrics_and_gives_costs_as_ratios(toy: Call) -> None:
    told = compared(toy, "baseline", "lif")
    assert "lif is better than baseline on 3 of 3 metrics, worse on 0, the same on 0;" in told
    # scipy.stats.ttest_ind(LIF, BASE, equal_var=False): 0.00709, three metrics of the same runs
    assert (
        "mAP +6.33 points (+10.33 % rel.), 95 % interval [+2.87, +9.80], p 0.007, 0.021 after"
        " Holm; verdict on mAP: positive."
    ) in told
    assert "Costs of lif over baseline: Seconds 1.10×, Params 1.00×." in told


def test_an_undecided_verdict_says_what_could_have_been_seen(toy: Call) -> None:
    told = compared(toy, "baseline", "sdtps")
    found = re.search(r"undecided \(the smallest effect that this design can see is ([\d.]+)", told)
    assert found is not None
    assert 2 < float(found[1]) < 6


def test_a_single_run_beside_replicated_ones_is_pooled_and_says_so(toy: Call) -> None:
    told = compared(toy, "baseline", LONG)
    assert "variance pooled over all replicates of the study" in told
    single = compared(toy, LONG, "baseline")
    assert "70.00 (1)" in single


def test_the_least_difference_names_the_one_variance_that_it_goes_by(toy: Call) -> None:
    # baseline, lif, sdtps and poor have three runs each: the squares are 4.667, 4.667, 2, 4.667
    told = compared(toy, "baseline", "lif")
    assert (
        "LSD, least significant difference of unpaired runs, before Holm: t s √(1/n + 1/n) by one"
        " variance, pooled over 4 replicated configurations of the study (mAP: s = 1.41, 8 df)."
    ) in told


def test_unequal_seeds_are_told(call: Call, folder: Path) -> None:
    put(folder, [("a", {}, seeds(BASE)), ("b", {"lif": True}, seeds((*LIF, 0.7), first=2))])
    told = compared(call, "a", "b")
    assert "a and b share 1 seed. Runs are not paired." in told
    assert re.search(r"a 3 0, 1, 2 .* b 4 2, 3, 4, 5", told)


def test_a_study_that_pairs_uses_shared_seeds_only_and_says_so(call: Call, folder: Path) -> None:
    paired = replace(STUDY, claims=Claims(paired=True))
    put(
        folder,
        [("a", {}, seeds(BASE)), ("b", {"lif": True}, seeds((0.64, 0.67, 0.9), first=1))],
        paired,
    )
    told = compared(call, "a", "b")
    assert "a and b share 2 seeds. Paired by them: no other run is used." in told
    assert "Interval: paired by seed, as the study declares" in told
    assert "LSD" not in told
    # seeds 1 and 2: 0.61, 0.63 and 0.64, 0.67
    assert "mAP +3.50 points" in told


def test_a_missing_variant_is_a_clear_line_and_a_table_with_dashes(toy: Call) -> None:
    told = compared(toy, "baseline", "unrun")
    assert "No completed run of unrun: there is nothing to compare." in told
    assert "unrun: 2 runs placed, none completed (pending)." in told
    assert re.search(r"mAP \(%\) ↑ 61\.33 ± 1\.53 \(3\) – – –", told)
    assert "unrun has no score of mAP, Rank-1, loss." in told


def test_a_metric_that_one_side_lacks_is_a_row_with_a_dash_and_a_line(toy: Call) -> None:
    told = compared(toy, "baseline", "poor")
    assert re.search(r"Rank-1 \(%\) ↑ 71\.3 ± 1\.5 \(3\) – – –", told)
    assert "poor has no score of Rank-1." in told
    assert "on 0 of 3 metrics, worse on 0, the same on 2, unknown on 1" in told


def test_scores_that_are_not_finite_are_counted(call: Call, folder: Path) -> None:
    rows = seeds(LIF) | {3: ending(float("nan"), 3)}
    put(folder, [("a", {}, seeds(BASE)), ("b", {"lif": True}, rows)])
    told = compared(call, "a", "b", "--metric", "mAP")
    assert "67.67 ± 1.53 (3, 1 lost)" in told
    assert "lost: runs whose score is NaN or infinite; they are left out." in told
    assert "0.007 after Holm, without 1 run of b (not finite); verdict on mAP: positive." in told
    lost = seeds((0.5, float("nan"), float("inf")), first=5)
    put(
        folder, [("c", {"sdtps": True}, lost), ("d", {"rate": 0.9}, rows)], replace(STUDY, name="x")
    )
    both = compared(call, "c", "d", "--metric", "mAP")
    assert "without 2 runs of c and 1 run of d (not finite); verdict" in both


def test_a_term_that_one_side_lacks_is_told(toy: Call) -> None:
    told = compared(toy, "baseline", "sdtps")
    assert "No loss.sdtps of baseline: totals that are sums of other terms cannot" in told


def test_settings_beyond_the_factors_are_compared(toy: Call) -> None:
    told = compared(toy, "baseline", "lif")
    assert "Resolved settings: 1 key of 1 differ between baseline and lif." in told
    assert "SOLVER.LR False True" in told


def test_steps_may_be_asked_for(toy: Call) -> None:
    told = compared(toy, "baseline", "lif", "--at", "3,7,40")
    assert "Step 3 7 20" in told
    assert "not every run logged step 40; the nearest that all have stand instead" in told


def test_clusters_may_be_told_by_a_pattern(toy: Call) -> None:
    assert "in 12 clusters (told by the items' names)" in compared(toy, "baseline", "lif")
    told = compared(toy, "baseline", "lif", "--cluster", r"^\d\d\d(\d)")
    assert "60 items in 10 clusters (by --cluster)" in told


def test_what_the_audit_doubts_of_the_runs_is_warned_of(call: Call, folder: Path) -> None:
    same = {s: replace(ending(0.6, 0), settings={}) for s in range(3)}
    put(folder, [("a", {}, seeds(BASE)), ("b", {"lif": True}, same)])
    answer = call("compare", "a", "b")
    assert "warning: W126: the 3 runs of b are identical to the last digit" in answer.stderr


def test_scores_chosen_on_the_test_split_by_the_rule_in_force_are_warned_of_once(
    call: Call, folder: Path
) -> None:
    def chosen(values: Sequence[float]) -> dict[int, Ending]:
        own = tuple(Scalar(step, "test", "mAP", step / 10) for step in (1, 2, 3))
        return {s: replace(e, scalars=e.scalars + own) for s, e in seeds(values).items()}

    put(folder, [("a", {}, chosen(BASE)), ("b", {"lif": True}, chosen(LIF))])
    assert "W120" not in call("compare", "a", "b").stderr
    best = call("compare", "a", "b", "--select", "best:mAP@test")
    assert best.stderr.count("W120") == 1


def test_notes_are_of_the_configurations_compared(toy: Call) -> None:
    for name in ("lif", "sdtps"):
        assert toy("note", f"toy/{name}", f"seen of {name}", "--author", "me").exit_code == 0
    document = json.loads(toy("compare", "baseline", "lif", "--json").stdout)
    assert [n["text"] for n in document["by_hand"]] == ["seen of lif"]


def test_a_change_that_no_score_shows_is_told(call: Call, folder: Path) -> None:
    put(folder, [("a", {}, seeds(BASE)), ("b", {"lif": True}, seeds(BASE))])
    told = compared(call, "a", "b")
    assert "On all shared seeds every score of the two agrees to the last digit" in told
    assert "better than a on 0 of 3 metrics, worse on 0, the same on 3" in told


def test_the_studys_own_groups_gather_items(call: Call, folder: Path) -> None:
    names = [f"{i:04d}_id{i % 12}" for i in range(60)]
    groups = {"items": {"first": tuple(names[:30]), "rest": tuple(names[30:])}}
    put(
        folder,
        [("a", {}, seeds(BASE)), ("b", {"lif": True}, seeds(LIF))],
        replace(STUDY, groups=groups),
    )
    assert "60 items in 2 clusters (as [groups.items] says)" in compared(call, "a", "b")


def test_the_same_records_give_the_same_bytes_whatever_the_order_of_placements(
    call: Call, folder: Path
) -> None:
    runs = [("a", {}, seeds(BASE)), ("b", {"lif": True}, seeds(LIF))]
    told = []
    for turn in range(3):
        draw = random.Random(turn)
        shuffled = [(n, lv, dict(draw.sample(list(r.items()), 3))) for n, lv, r in runs]
        draw.shuffle(shuffled)
        (folder / ".ablate" / "results.db").unlink(missing_ok=True)
        put(folder, shuffled)
        document = json.loads(call("compare", "a", "b", "--json").stdout)
        # the audit names configurations in the study's order, which is that of the placements
        found = document.pop("findings")
        told.append((json.dumps(document), [(f["code"], set(f["keys"])) for f in found]))
    assert told[0] == told[1] == told[2]


def test_json_is_one_document_with_a_schema_and_unrounded_numbers(toy: Call) -> None:
    answer = toy("compare", "baseline", "lif", "--json")
    document = json.loads(answer.stdout)
    assert document["schema"] == "ablate.compare/3"
    told = document["pairs"][0]["metrics"][0]["difference"]
    assert told["estimate"] == pytest.approx(0.19 / 3, abs=1e-12)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("baseline", "lfi"), "did you mean 'lif'?"),
        (("baseline", "baseline"), "'baseline' is named twice"),
        (("baseline", "lif", "baseline"), "'baseline' is named twice"),
        (("baseline",), "two configurations or more"),
        (("baseline", "lif", "--at", "1,x"), "whole numbers with commas"),
        (("baseline", "lif", "--metric", "map2"), "--metric: metric 'map2' is not one of mAP"),
        (("baseline", "lif", "--metric", "rank"), "did you mean 'rank1'?"),
        (("baseline", "lif", "--fail-if", "r < 3"), "did you mean 'rank1'?"),
        (("baseline", "lif", "--cluster", "("), "no regular expression"),
        (("baseline", "lif", "--cluster", "id"), "its first group is the cluster"),
        (("baseline", "lif", "--cluster", "(dog)"), "not every item's name matches it"),
        (("baseline", "lif", "--fail-if", "mAP"), "it is METRIC < NUMBER"),
        (("baseline", "lif", "--fail-if", "mAP < a lot"), "it is METRIC < NUMBER"),
        (("baseline", "lif", "--fail-if", "mAPP < 1"), "did you mean 'mAP'?"),
        (("baseline", "lif", "--metric", "loss", "--fail-if", "mAP < 1"), "not among those of"),
        (("baseline", "poor", "--fail-if", "rank1 < 1"), "no finite Rank-1 of poor"),
        (("baseline", "unrun", "--fail-if", "mAP < 1"), "no finite mAP of unrun"),
    ],
)
def test_wrong_usage_is_one_clear_line_and_writes_nothing(
    toy: Call, folder: Path, words: tuple[str, ...], said: str
) -> None:
    answer = toy("compare", *words, "-o", "out.md")
    assert isinstance(answer.exception, UsageError)
    assert said in str(answer.exception)
    assert "\n" not in str(answer.exception)
    assert not (folder / "out.md").exists()


def test_names_that_no_study_holds_together_say_where_each_is(toy: Call, folder: Path) -> None:
    put(folder, [("other", {}, seeds(BASE))], replace(STUDY, name="second"))
    wrong = toy("compare", "lif", "other").exception
    assert isinstance(wrong, UsageError)
    assert str(wrong) == "no study holds lif and other together: lif is in toy; other is in second"
    inside = toy("compare", "lif", "other", "--study", "toy").exception
    assert "'other' is not one of baseline, lif" in str(inside)
    assert "in study 'toy'" in str(inside)


def test_no_heavy_library_is_loaded(toy: Call, folder: Path) -> None:
    assert toy("ls").exit_code == 0
    script = (
        "import sys\nsys.argv = ['ablate', 'compare', 'baseline', 'lif']\n"
        "from ablate.cli import main\n"
        "try:\n    main()\nexcept SystemExit as done:\n    assert not done.code\n"
        "print([m for m in ('torch', 'ray', 'pandas', 'matplotlib', 'scipy.stats')"
        " if m in sys.modules], file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr.splitlines()[-1] == "[]"


def test_steps_of_curves_that_nobody_has_are_refused(call: Call, folder: Path) -> None:
    bare = {s: replace(e, scalars=()) for s, e in seeds(BASE).items()}
    put(folder, [("a", {}, bare), ("b", {"lif": True}, bare)])
    wrong = call("compare", "a", "b", "--at", "50").exception
    assert isinstance(wrong, UsageError)
    assert str(wrong).startswith("--at 50: no curve")


def test_runs_that_left_no_items_are_told(call: Call, folder: Path) -> None:
    rows = seeds(LIF)
    put(
        folder,
        [("a", {}, seeds(BASE)), ("b", {"lif": True}, rows | {1: replace(rows[1], items=())})],
    )
    told = compared(call, "a", "b")
    assert "AP: by item in 2 of 3 runs of b." in told


def test_items_that_make_up_no_metric_are_named(call: Call, folder: Path) -> None:
    rows = {
        s: replace(e, items=tuple(replace(i, name="gap") for i in e.items))
        for s, e in seeds(BASE).items()
    }
    put(folder, [("a", {}, rows), ("b", {"lif": True}, rows)])
    assert "Stored by item, in --json: gap." in compared(call, "a", "b")


def test_many_runs_that_are_not_finite_fit_80_columns(call: Call, folder: Path) -> None:
    lost = {s: ending(float("nan"), s) for s in (3, 4)}
    put(
        folder,
        [("a", {}, seeds(BASE) | lost), ("b", {"lif": True}, seeds(LIF) | lost)],
    )
    answer = call("compare", "a", "b", "--metric", "rank1", "--metric", "loss")
    assert max(cell_len(line.rstrip()) for line in answer.stdout.splitlines()) <= 80
    assert answer.stdout.count("Verdict") == 2
    assert "71.3 ± 1.5 (3, 2 lost)     77.7 ± 1.5 (3, 2 lost)" in answer.stdout


def test_the_first_metric_asked_for_has_the_sentence(toy: Call) -> None:
    told = compared(toy, "baseline", "lif", "--metric", "loss")
    assert "verdict on loss: positive." in told
    assert "below 0.05; positive is better; where ↓, lower is better." in told
    assert "over the 1 metric judged" in told


def test_letters_are_no_other_configurations_names(call: Call, folder: Path) -> None:
    put(
        folder,
        [
            ("B", {}, seeds(BASE)),
            ("A", {"lif": True}, seeds(LIF)),
            (LONG, {"sdtps": True}, seeds(LIF)),
        ],
    )
    assert f"C: B D: A E: {LONG}" in compared(call, "B", "A", LONG)
