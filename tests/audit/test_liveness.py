"""What the shares of a cost say about the ablation itself."""

from dataclasses import replace

from ablate.audit import liveness, measured, recorded
from ablate.record import Cost, Record, State


def _shares(factor: str, params: int, live: int, trained: int) -> list[Cost]:
    counts = {"params": params, "live_params": live, "trained_params": trained}
    return [Cost(name, value, "", "hand", factor) for name, value in counts.items()]


# Seed 000 as it ran: SACR and LIF act after a reduction that only SDTPS reads.
SACR, LIF = 8_393_733, 169_635
SOURCE = {
    "baseline": [],
    "sacr": _shares("sacr", SACR, 0, 0),
    "lif": _shares("lif", LIF, 0, 0),
    "sacr+lif": [*_shares("sacr", SACR, 0, 0), *_shares("lif", LIF, 0, 0)],
    "full": [*_shares("sacr", SACR, SACR, SACR), *_shares("lif", LIF, LIF, 0)],
}


def test_a_module_that_no_score_reads_is_named_with_its_variants_and_parameters() -> None:
    first, second, _ = liveness(measured(SOURCE))

    assert (first.code, second.code) == ("W204", "W204")
    assert first.sentence.startswith(
        "sacr: no path to the scored output in sacr, sacr+lif (8,393,733 trainable parameters"
    )
    assert second.sentence.startswith("lif: no path to the scored output in lif, sacr+lif (169,635")
    assert first.command == "ablate plan STUDY --probe"


def test_a_module_that_is_read_and_not_taught_is_an_error_of_its_own() -> None:
    (finding,) = [f for f in liveness(measured(SOURCE)) if f.severity == "error"]

    assert finding.code == "E205"
    assert "lif: no gradient from the losses that train the score in full (169,635" in (
        finding.sentence
    )


def test_sizes_that_differ_between_variants_are_a_range() -> None:
    costs = {"small": _shares("lif", 10, 0, 0), "large": _shares("lif", 2000, 0, 0)}

    (finding,) = liveness(measured(costs))
    assert "in small, large (10 to 2,000 trainable parameters" in finding.sentence


def test_what_was_not_measured_and_what_owns_nothing_raise_nothing() -> None:
    assert liveness(measured({"a": [Cost("params", 10, "", "hand", "lif")]})) == []
    assert liveness(measured({"a": _shares("lif", 0, 0, 0)})) == []


def test_records_tell_by_variant_from_the_first_seed_that_was_measured() -> None:
    record = Record("s", "lif", "grid", None, 0, {}, {}, 0, "a", State.COMPLETED)
    shares = {"lif": {c.name: c for c in _shares("lif", LIF, 0, 0)}}
    records = [record, replace(record, seed=1, shares=shares), replace(record, variant="full")]

    assert list(recorded(records)) == ["lif"]
    assert liveness(recorded(records))[0].code == "W204"
