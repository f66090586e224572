"""What the pages of grids say beside their numbers: why there is no interval, what it rests on."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from scipy import stats

from ablate.analysis.contrast import noise
from ablate.record import Cost, Record
from ablate.report import study_document
from ablate.report.grid_costs import Spent, idle
from ablate.report.layout import NONE
from ablate.report.markdown import render
from ablate.report.study_page import study_page
from ablate.report.synergy import synergy_document
from ablate.report.synergy_page import synergy_page
from ablate.report.synergy_words import sees
from ablate.study import Axis, Claims, Study, real
from tests.report.planted import LOSS, RANK1, record, runs, study

AB, ABC = study("a", "b"), study("a", "b", "c")
CORNERS = [frozenset(on) for on in ("", "a", "b", "c", "ab", "ac", "bc", "abc")]
PAIRED = replace(ABC, claims=Claims(paired=True))


def flat(on: frozenset[str]) -> float:
    return 0.5 + 0.05 * ("a" in on)


def page_of(of: Study, records: Sequence[Record], **others: object) -> str:
    return render(synergy_page(synergy_document(of, records, **others)))


def numbers(of: Study, records: Sequence[Record], **others: object) -> dict[str, Any]:
    found: dict[str, Any] = synergy_document(of, records, **others)["synergy"]["by_metric"]["rank1"]
    return found


def shifted(of: Study, seeds: int, own: int) -> list[Record]:
    """Cells of whose seeds `own` are shared by all, the others by no two."""
    return [
        replace(
            r, seed=r.seed if r.seed < own else 100 * sum(map(bool, r.levels.values())) + r.seed
        )
        for r in runs(of, flat, seeds)
    ]


def test_single_runs_beside_a_replicated_cell_say_what_their_intervals_suppose() -> None:
    every = runs(ABC, flat, 4)
    single = [r for r in every if r.seed == 0 or not any(r.levels.values())]
    assert "in 8 to 13 % with heavy or skewed ones" in page_of(ABC, single)
    pairs = [r for r in every if r.seed < 2]
    assert "a cell used has two runs (three allow Welch's)" in page_of(ABC, pairs)
    for records in (every, pairs):
        assert "8 to 13 %" not in page_of(ABC, records)


def test_paired_runs_of_unequal_seeds_say_which_numbers_are_of_all_runs() -> None:
    records = [r for r in runs(PAIRED, flat, 5) if (r.seed, r.variant) not in {(0, "a"), (4, "c")}]
    text = page_of(PAIRED, records)
    assert "expected and observed are of all runs" in text
    of = numbers(PAIRED, records)
    total = 100 * sum(p["estimate"] for p in of["departure"]["parts"])
    assert (
        f"not corrected: by the means of all runs {' '.join(parts(of))} = {signed(total)}" in text
    )
    assert abs(total - 100 * of["departure"]["effect"]["estimate"]) > 0.05
    assert "of all runs" not in page_of(PAIRED, runs(PAIRED, flat, 5))


def parts(of: dict[str, Any]) -> list[str]:
    return [signed(100 * p["estimate"]) for p in of["departure"]["parts"]]


def signed(points: float) -> str:
    text = f"{points:+.1f}"
    return "±0.0" if text in {"+0.0", "-0.0"} else text.replace("-", "−")


def test_a_study_that_says_paired_and_shares_no_seeds_is_not_called_blocked() -> None:
    text = page_of(PAIRED, shifted(PAIRED, 3, 1))
    assert "Not blocked (paired = true), for the cells used do not share two seeds." in text
    assert "Blocked by seed" not in text
    assert "Blocked by seed" in page_of(PAIRED, shifted(PAIRED, 4, 3))


def test_equal_scores_give_no_hint() -> None:
    records = [record(ABC, on, 0, {"rank1": 0.7}) for on in CORNERS]
    assert numbers(ABC, records)["lenth"] is None
    assert "A hint and no test" not in page_of(ABC, records)


def test_a_contrast_of_cells_that_do_not_vary_says_why_it_has_no_interval() -> None:
    still = {"baseline", "a"}
    records = [
        replace(r, scores={"rank1": replace(r.scores["rank1"], value=0.5)})
        if r.variant in still
        else r
        for r in runs(ABC, flat, 3)
    ]
    said = "–: no interval, for no run of the cells used differs from another."
    assert said in page_of(ABC, records)
    assert said not in page_of(ABC, runs(ABC, flat, 3))


def test_a_missing_cell_of_a_further_metric_is_told() -> None:
    records = [
        replace(r, scores={**r.scores, "loss": replace(r.scores["loss"], value=float("nan"))})
        if r.variant == "b"
        else r
        for r in runs(ABC, flat, 3)
    ]
    assert "A missing cell leaves them open: Loss." in page_of(ABC, records)
    document = synergy_document(ABC, records)
    assert "finite run of every cell; missing: b." in render(synergy_page(document, ["loss"]))


def test_contexts_of_one_function_count_on_neither_side() -> None:
    records = runs(AB, lambda on: 0.5 - 0.05 * (len(on) == 2), 3)
    contexts = numbers(AB, records, inert={"a": frozenset("a")})["modules"][0]["contexts"]
    assert (contexts["pairs"], contexts["inert"]) == (2, 1)
    assert (contexts["better"], contexts["worse"]) == (0, 1)
    assert contexts["worst"] == contexts["best"] == pytest.approx(-0.05, abs=0.01)
    text = page_of(AB, records, inert={"a": frozenset("a")})
    assert "| 0 of 1 | stable |" in text
    assert "counts as neither better nor worse" in text


def test_where_every_cell_is_one_function_nothing_else_is_said_to_lack() -> None:
    inert = {"a": frozenset("a"), "b": frozenset("b"), "full": frozenset("ab")}
    records = runs(AB, lambda _: 0.5, 1)
    text = page_of(AB, records, inert=inert)
    assert "the cells used are of one function" in text
    assert "run-to-run variation is unknown" not in text
    assert "undecided" not in text
    assert "| positive" not in text


def test_the_outer_contexts_are_not_listed_twice() -> None:
    text = page_of(ABC, runs(ABC, flat, 3)).split(". Contexts\n")[1].split("\n## ")[0]
    assert text.count("\n| a |") == 1 + 2
    assert "Further contexts" not in page_of(AB, runs(AB, flat, 3))


def test_a_lower_metric_says_what_positive_means_beside_its_sentences() -> None:
    of = replace(ABC, metrics=(LOSS, RANK1), primary="loss")
    part = page_of(of, runs(of, flat, 5)).split(". Loss in words\n")[1].split("\n## ")[0]
    assert "positive means better" in part


def test_the_level_is_the_studys_own_everywhere() -> None:
    of = replace(ABC, claims=Claims(alpha=0.1))
    text = page_of(of, runs(of, flat, 3))
    assert "90 % interval" in text
    assert "95" not in text


def test_the_repetition_of_the_grid_that_is_shown_is_named() -> None:
    of = replace(AB, factors=(*AB.factors, real("rate", 0.5)), axes=(Axis("rate", (0.5, 0.9)),))
    records = [
        replace(
            r, levels={**r.levels, "rate": rate}, variant=r.variant + name, position=r.position + i
        )
        for i, (rate, name) in enumerate([(0.5, ""), (0.9, " rate=0.9")])
        for r in runs(AB, lambda on, up=rate == 0.5: 0.5 + 0.1 * len(on) * (1 if up else -1), 3)
    ]
    text = page_of(of, records)
    assert "| Repetition | rate = 0.5 alone; not shown: 0.9 |" in text
    assert "| a | +10." in text or "| a | +9." in text


def test_an_effect_of_an_inert_module_is_marked_and_never_fades() -> None:
    records = runs(AB, flat, 3)
    gain = {1: 0.2, 2: 0.3, 3: 0.05}
    curves = {
        r.key: {
            ("test", "rank1"): {
                s: 0.5 + 0.001 * ((3 * i + s * s) % 7) + (g if r.levels["a"] else 0)
                for s, g in gain.items()
            }
        }
        for i, r in enumerate(records)
    }
    plain = study_document(AB, records, curves)
    assert plain["courses"][0]["fades"]
    inert = study_document(AB, records, curves, inert={"a": frozenset("a")})
    assert not inert["courses"][0]["fades"]
    page = render(study_page(inert))
    assert "fades" not in page
    row = next(li for li in page.split("Effects along training")[1].splitlines() if "| a |" in li)
    assert row.count("\\*") == 4


def test_very_large_values_have_a_noise_and_a_page() -> None:
    factor = 1e200
    records = [
        replace(
            r, scores={"rank1": replace(r.scores["rank1"], value=factor * r.scores["rank1"].value)}
        )
        for r in runs(ABC, flat, 3)
    ]
    of, usual = numbers(ABC, records), numbers(ABC, runs(ABC, flat, 3))
    for kind in ("sd", "low", "high", "least_difference"):
        assert of["noise"][kind] / factor == pytest.approx(usual["noise"][kind])
    assert of["cells"][0]["sd"] / factor == pytest.approx(usual["cells"][0]["sd"])
    assert of["seeds"]["intraclass"]["value"] == pytest.approx(
        usual["seeds"]["intraclass"]["value"]
    )
    assert of["seeds"]["ends"]["value"] == pytest.approx(usual["seeds"]["ends"]["value"])
    assert of["seeds"]["main"] == pytest.approx(usual["seeds"]["main"])
    small = noise([[(0, 1e-200), (1, 3e-200)]])
    assert small is not None
    assert small.sd == pytest.approx(2**0.5 * 1e-200)


def test_a_configuration_of_the_baselines_function_differs_from_it_without_p() -> None:
    document = study_document(AB, runs(AB, flat, 3), inert={"b": frozenset("b")})
    differences = {c["variant"]: c["differences"]["rank1"] for c in document["cells"]}
    assert (differences["b"]["p"], differences["b"]["low"]) == (None, None)
    assert differences["b"]["runs"] == 6
    assert differences["a"]["p"] < 0.05


def test_noise_and_what_seeds_share_are_at_the_studys_own_level() -> None:
    of = replace(AB, claims=Claims(alpha=0.1))
    found = numbers(of, runs(of, flat, 4))
    own, shared = found["noise"], found["seeds"]["intraclass"]
    low, high = (own["sd"] * (12 / stats.chi2.ppf(p, 12)) ** 0.5 for p in (0.95, 0.05))
    assert (own["low"], own["high"]) == pytest.approx((low, high))
    least = stats.t.ppf(0.95, 12) * own["sd"] * 0.5**0.5
    assert own["least_difference"] == pytest.approx(least)
    f = (1 + 3 * shared["value"]) / (1 - shared["value"])
    ends = [f / stats.f.ppf(0.95, 3, 9), f * stats.f.ppf(0.95, 9, 3)]
    want = [(r - 1) / (r + 3) for r in ends]
    assert [shared["low"], shared["high"]] == pytest.approx(want)


def test_less_of_a_lower_metric_agrees_with_more_of_a_higher_one() -> None:
    of = replace(ABC, metrics=(LOSS, RANK1), primary="loss")
    text = page_of(of, runs(of, lambda on: 0.5 + 0.05 * len(on), 3))
    assert "Best mean: full." in text
    assert "Best cell on every metric: full." in text
    assert "No effect changes its sign between metrics." in text
    turned = [
        replace(r, scores={**r.scores, "loss": replace(r.scores["loss"], value=v)})
        for r in runs(of, flat, 3)
        for v in (r.scores["rank1"].value,)
    ]
    assert "a (main effect): better on Rank-1; worse on Loss." in page_of(of, turned)
    inert = {"+".join(sorted(on)): frozenset("a") for on in CORNERS if "a" in on}
    names = {"a+b+c": "full"}
    noise = {names.get(n, n): of for n, of in inert.items()}
    assert "a (main effect)" not in page_of(of, turned, inert=noise)


def test_an_effect_out_of_reach_is_said_to_be_seen_by_nothing() -> None:
    told = {"p_holm": 0.5, "smallest": None}
    assert sees(RANK1, told) == "nothing"
    assert sees(RANK1, {**told, "smallest": 0.02}) == "2.0"
    assert sees(RANK1, {"p_holm": None, "smallest": None}) == NONE


def test_seeds_that_metrics_share_unequally_are_counted_from_to() -> None:
    records = [
        replace(r, scores={**r.scores, "loss": replace(r.scores["loss"], value=float("nan"))})
        if (r.variant, r.seed) == ("full", 0)
        else r
        for r in runs(AB, flat, 4)
    ]
    assert "over 3 to 4 seeds that 4 cells share" in page_of(AB, records)
    assert "n = 3 to 4." in page_of(AB, records)


def test_only_parameters_without_operations_make_a_module_seem_idle() -> None:
    def spent(params: float, macs: float | None) -> Spent:
        of = {"params": params} if macs is None else {"params": params, "macs": macs}
        return {(n, "tree"): (Cost(n, v, "", "tree"),) for n, v in of.items()}

    base, a = frozenset[str](), frozenset("a")
    assert idle({base: spent(5, 7), a: spent(6, 7)}) == {a: frozenset("a")}
    assert idle({base: spent(5, 7), a: spent(6, 8)}) == {}
    assert idle({base: spent(5, 7), a: spent(5, 7)}) == {}
    assert idle({base: spent(5, None), a: spent(6, None)}) == {}
    assert idle({a: spent(6, 7)}) == {}


def test_nothing_seems_idle_where_inert_modules_are_known() -> None:
    costs = {n: Cost(n, v, "", "tree") for n, v in (("params", 5.0), ("macs", 7.0))}
    more = {**costs, "params": replace(costs["params"], value=6.0)}
    records = [replace(r, costs=more if r.levels["a"] else costs) for r in runs(AB, flat, 2)]
    assert synergy_document(AB, records)["synergy"]["idle"]["cells"][0]["variant"] == "a"
    known = {"a": frozenset("a")}
    assert synergy_document(AB, records, inert=known)["synergy"]["idle"] is None
