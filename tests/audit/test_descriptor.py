"""Heads that come with a module. The networks are those that seed 000's logs print."""

from dataclasses import replace

from ablate.audit.evidence import Evidence
from ablate.audit.measurement import descriptor
from ablate.record import Cost
from tests.audit.clean import clean
from tests.audit.plants.measurement_descriptor import ONE, TWO, a_second_head, with_heads


def said(evidence: Evidence) -> list[str]:
    return [f.sentence for f in descriptor.CHECK.findings(evidence)]


def two_modules() -> Evidence:
    found = (clean(seed) for seed in range(100))
    return next(e for e in found if len(e.study.on) == 2 and not e.study.sweeps)


def test_a_second_head_widens_what_enters_the_heads_from_1536_to_3072() -> None:
    evidence = a_second_head(two_modules())
    runs = len(evidence.records) // 2
    (found,) = descriptor.CHECK.findings(evidence)
    assert found.sentence == (
        f"the {runs} runs with sacr have 2 heads, classifier (1,536) and classifier_sdtps (1,536),"
        f" {runs} others have 1 head, classifier (1,536): 3,072 values enter the heads,"
        " not 1,536"
    )
    assert found.name == "W125:classifier_sdtps"
    assert "3,072" in found.chinese
    assert set(found.keys) == {r.key for r in evidence.records if r.levels["sacr"]}


def test_a_head_of_another_width_is_another_head() -> None:
    wide = "classifier 3072 to 171"
    evidence = with_heads(two_modules(), lambda r: wide if r.levels["sdtps"] else ONE)
    (sentence,) = said(evidence)
    assert "with sdtps have 1 head, classifier (3,072)" in sentence


def test_one_network_or_none_is_passed_over() -> None:
    evidence = two_modules()
    assert said(evidence) == []
    assert said(with_heads(evidence, lambda _: TWO)) == []
    assert said(with_heads(evidence, lambda _: "")) == []


def test_runs_that_printed_no_network_are_not_counted() -> None:
    evidence = two_modules()
    first = evidence.cells[0].variant
    found = with_heads(
        evidence, lambda r: "" if r.variant == first else TWO if r.levels["sdtps"] else ONE
    )
    runs = len(evidence.records) // 4
    (sentence,) = said(found)
    assert sentence.startswith(f"the {2 * runs} runs with sdtps have 2 heads")
    assert f", {runs} others have 1 head" in sentence


def with_shares(evidence: Evidence, **counts: float) -> Evidence:
    share = {n: Cost(n, v, "", "probe", "sdtps") for n, v in counts.items()}
    return replace(
        evidence,
        records=[
            replace(r, shares={"sdtps": share} if r.levels["sdtps"] else {})
            for r in evidence.records
        ],
    )


def test_what_a_module_trains_beside_the_scored_output_is_counted() -> None:
    """The counts of sdtps at the small scale: as `ablate plan --probe` has them."""
    counts = {"params": 18_612, "live_params": 6_132, "trained_params": 18_612}
    evidence = with_shares(two_modules(), **counts)
    (found,) = descriptor.CHECK.findings(evidence)
    assert found.sentence == (
        "sdtps trains 12,480 parameters that are not in the scored output, as a head of its own"
        " is (sdtps and full): its effect includes theirs"
    )
    assert found.name == "W125:sdtps"
    always = [r for r in evidence.records if r.levels["sdtps"]]
    assert said(replace(evidence, records=always)) == []


def test_a_module_that_trains_what_is_scored_or_is_not_scored_at_all_has_no_head() -> None:
    for live, trained in ((18_612, 18_612), (18_612, 0), (0, 18_612)):
        assert said(with_shares(two_modules(), live_params=live, trained_params=trained)) == []
    assert said(with_shares(two_modules(), params=18_612)) == []
