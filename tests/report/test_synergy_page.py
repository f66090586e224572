"""What `report --synergy` says of replicated grids whose effects were planted."""

import re
from collections.abc import Sequence
from dataclasses import replace

import pytest

from ablate.analysis.cells import cells
from ablate.audit import inert_of
from ablate.cli.console import print_page
from ablate.record import Record
from ablate.report.markdown import render
from ablate.report.synergy import synergy_document
from ablate.report.synergy_page import synergy_page
from ablate.study import Claims, Study
from tests.report.planted import LOSS, RANK1, Truth, record, runs, share, study

ABC = study("a", "b", "c")


def effects(**sizes: float) -> Truth:
    """0.5 plus what every planted combination adds where all its modules are on."""
    return lambda on: 0.5 + sum(v for names, v in sizes.items() if set(names) <= on)


def page_of(of: Study, records: Sequence[Record], **others: object) -> str:
    return render(synergy_page(synergy_document(of, records, **others)))


def table(text: str, section: str, title: str) -> dict[str, list[str]]:
    """A section's table by its title: first cell -> the others."""
    part = text.split(f". {section}\n", 1)[1].split("\n## ", 1)[0].split(f"### {title}\n", 1)[1]
    rows = [line for line in part.split("\n\n")[0].splitlines() if line.startswith("| ")]
    split = [[cell.strip() for cell in line.strip("|").split("|")] for line in rows[2:]]
    return {row[0]: row[1:] for row in split}


def test_all_four_verdicts_are_said_of_what_was_planted() -> None:
    claims = Claims(margin=1.0)
    of = replace(ABC, claims=claims)
    text = page_of(of, runs(of, effects(a=0.05, b=-0.03), 8))
    mains = table(text, "What each module contributes", "Main effects")
    assert (mains["a"][0], mains["a"][3]) == ("+5.00", "positive")
    assert mains["b"][3] == "negative"
    assert mains["c"][3] == "negligible"
    pairs = table(text, "Synergy", "Averaged interactions")
    assert {v[3] for v in pairs.values()} <= {"negligible", "undecided"}
    wide = replace(of, claims=Claims(margin=0.01))
    unsure = table(
        page_of(wide, runs(wide, effects(a=0.05), 3)),
        "What each module contributes",
        "Main effects",
    )
    assert unsure["c"][3] == "undecided"
    assert float(unsure["c"][4]) > 0


def test_a_sentence_says_what_an_undecided_effect_is_and_what_the_design_sees() -> None:
    text = page_of(ABC, runs(ABC, effects(a=0.05), 3, scale=5))
    said = r"a × b: \S+ points, 95 % interval \S+ to \S+: undecided; this design sees \d+\.\d\d"
    assert re.search(said + r" points or more \(80 % power\)\.", text)
    assert "Undecided does not mean that there is no effect." in text


def test_positive_means_better_where_lower_is_better_and_that_is_said() -> None:
    of = replace(ABC, metrics=(LOSS, RANK1), primary="loss")
    text = page_of(of, runs(of, effects(a=0.05), 8))
    mains = table(text, "What each module contributes", "Main effects")
    assert (mains["a"][0], mains["a"][3]) == ("−0.0500", "positive")
    assert "lower is better; positive means better, that is a difference below 0" in text
    assert "no margin, so nothing is called negligible" in text


def test_a_study_that_says_paired_is_blocked_by_seed_and_says_so() -> None:
    shared = [0.0, 0.05, -0.04, 0.03]
    moved = [
        replace(r, scores={"rank1": replace(r.scores["rank1"], value=v)})
        for r in runs(ABC, effects(a=0.02), 4)
        for v in (r.scores["rank1"].value + shared[r.seed],)
    ]
    unpaired = synergy_document(ABC, moved)["synergy"]["by_metric"]["rank1"]
    paired = synergy_document(replace(ABC, claims=Claims(paired=True)), moved)
    blocked = paired["synergy"]["by_metric"]["rank1"]
    assert {m["main"]["effect"]["method"] for m in unpaired["modules"]} == {"welch"}
    assert {m["main"]["effect"]["method"] for m in blocked["modules"]} == {"blocked"}
    assert "Blocked by seed, as the study says (paired = true)" in render(synergy_page(paired))
    assert "Intervals treat runs of one seed as unrelated" in page_of(ABC, moved)
    assert unpaired["seeds"]["intraclass"]["value"] > 0.9
    ratio = unpaired["seeds"]["main"]
    widths = [
        sum(m["main"]["effect"]["high"] - m["main"]["effect"]["low"] for m in of["modules"])
        for of in (blocked, unpaired)
    ]
    assert ratio["width"] == pytest.approx(widths[0] / widths[1], rel=1e-9)
    assert blocked["seeds"]["main"] == pytest.approx(ratio)
    assert ratio["se"] < ratio["width"] < 1


def inert_c(records: Sequence[Record]) -> list[Record]:
    """Module c reaches the output beside a only."""
    return [
        replace(r, shares=share("c", live=bool(r.levels["a"]))) if r.levels["c"] else r
        for r in records
    ]


def test_an_inert_module_is_noise_and_its_runs_are_replicates() -> None:
    of = study("a", "c")
    records = inert_c(runs(of, effects(a=0.05), 3))
    inert = inert_of(of, cells(records))
    assert inert == {"c": frozenset({"c"})}
    document = synergy_document(of, records, inert=inert)
    text = render(synergy_page(document))
    mains = table(text, "What each module contributes", "Main effects")
    assert mains["c"][1:4] == ["–", "–", "noise: module not in the output"]
    assert mains["a"][3] == "positive"
    assert mains["c"][0].endswith("\\*")
    numbers = document["synergy"]["by_metric"]["rank1"]
    assert numbers["noise"]["df"] == (3 + 3 - 1) + 2 + 2
    assert document["synergy"]["cells"][1]["same_as"] in {"baseline", None}
    assert "Same function as" in text


def test_twins_are_one_run() -> None:
    of = study("a", "c")
    truth = effects(a=0.05)
    records = [
        record(of, frozenset(on), seed, {"rank1": truth(frozenset(on) - {"c"}) + seed / 1000})
        for on in ("", "a", "c", "ac")
        for seed in range(3)
    ]
    inert = {"c": frozenset({"c"})}
    numbers = synergy_document(of, records, inert=inert)["synergy"]["by_metric"]["rank1"]
    assert numbers["noise"]["df"] == 3 * 2
    assert numbers["seeds"]["intraclass"]["cells"] == 3


def test_parts_of_the_noise_come_from_replicated_cells_where_others_are_single() -> None:
    records = [
        r for r in runs(ABC, effects(a=0.05), 4) if r.seed == 0 or not any(r.levels.values())
    ]
    text = page_of(ABC, records)
    assert "a cell used has one run, whose variance is taken from the replicated cells" in text
    assert "8 of 8 have a finite run, 1 to 4 runs each" in text


def test_equal_runs_give_no_interval_however_they_round() -> None:
    records = [
        record(ABC, frozenset(on), seed, {"rank1": 0.7 if "a" in on else 0.1})
        for on in ("", "a", "b", "c", "ab", "ac", "bc", "abc")
        for seed in range(3)
    ]
    text = page_of(ABC, records)
    assert "no run differs from another of its cell" in text
    assert "positive" not in text


@pytest.mark.parametrize("metrics", [None, ["rank1", "loss"]])
@pytest.mark.parametrize("names", ["abc", ("sdtps.detach_scores", "sdtps.gumbel", "sdtps.ratio")])
def test_nothing_is_wider_than_eighty_columns(
    names: Sequence[str],
    metrics: list[str] | None,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    of = study(*names)
    first = next(iter(of.on))
    print_page(
        synergy_page(
            synergy_document(of, runs(of, lambda on: 0.5 + 0.2 * (first in on), 3, 20)), metrics
        )
    )
    printed = capsys.readouterr()
    assert max(map(len, printed.out.splitlines())) <= 80
    assert not printed.err


def test_a_metric_asked_for_is_shown_in_full_instead() -> None:
    document = synergy_document(ABC, runs(ABC, effects(a=0.05), 3))
    usual, loss = synergy_page(document), synergy_page(document, ["loss"])
    assert "Further metrics" in [s.title for s in usual.sections]
    assert "Further metrics" not in [s.title for s in loss.sections]
    assert "Loss in words" in [s.title for s in loss.sections]
