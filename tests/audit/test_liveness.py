"""What the shares of a cost say about the ablation itself."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ablate.audit import measured, recorded
from ablate.audit.check import ask
from ablate.audit.evidence import Evidence
from ablate.audit.execution.liveness import LIVENESS
from ablate.audit.liveness import Shares
from ablate.record import Cost, Finding, Record, State
from ablate.study import Level
from tests.report.planted import study


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


def liveness(
    shares: Shares, ways: Mapping[str, tuple[str, Level]] | None = None
) -> Sequence[Finding]:
    of = study("sacr", "sdtps", "lif")
    records = []
    for i, (variant, own) in enumerate(shares.items()):
        on = {"sacr", "sdtps", "lif"} if variant == "full" else set(variant.split("+"))
        levels = {m: m in on for m in of.on}
        record = Record("planted", variant, "grid", None, i, levels, {}, 0, variant, State.PENDING)
        records.append(replace(record, shares=own))
    return ask(LIVENESS, Evidence(of, records, ways=ways or {}), planned=True)


def test_a_module_that_no_score_reads_is_named_with_its_variants_and_parameters() -> None:
    _, second, first = liveness(measured(SOURCE))

    assert (first.code, first.severity) == ("W204", "warning")
    assert first.sentence == (
        "sacr: none of its 8,393,733 trainable parameters reaches the scored output in sacr and"
        " sacr+lif, and no loss that trains the score reaches them; they are live where sdtps is on"
    )
    assert second.code == "W204"
    assert second.sentence.startswith("lif: none of its 169,635 trainable parameters reaches the")
    assert first.command == "ablate plan studies/planted.toml --probe"
    assert first.name == "W204:sacr"
    assert first.keys == ("sacr", "sacr+lif")
    assert first.chinese == (
        "sacr：在 sacr、sacr+lif 中，其 8,393,733 个可训练参数都不影响计分输出，"
        "训练该分数的损失也都触及不到它们；sdtps 开启时，它们起作用"
    )


def test_a_setting_at_which_the_probe_found_it_live_is_named_with_the_command() -> None:
    found = liveness(measured(SOURCE), {"sacr": ("wiring", "live")})
    (sacr,) = [f for f in found if f.subject == "sacr"]
    assert sacr.sentence.endswith("; they are live where sdtps is on, or with wiring=live")
    assert sacr.command == "ablate plan studies/planted.toml wiring=live --probe"
    (lif,) = [f for f in found if f.name == "W204:lif"]
    assert "wiring" not in lif.sentence + lif.command


def test_a_head_that_no_score_reads_and_a_loss_of_the_score_trains_is_only_noted() -> None:
    (finding,) = liveness(measured({"aux": _shares("head", 34, 0, 34)}))

    assert (finding.code, finding.severity) == ("N204", "note")
    assert finding.sentence == (
        "head: none of its 34 trainable parameters reaches the scored output in aux; what they"
        " learn can act through shared weights only"
    )


def test_where_training_is_unknown_no_more_is_said_than_that_no_score_reads_it() -> None:
    (finding,) = liveness(measured({"aux": _shares("head", 34, 0, 34)[:2]}))

    assert finding.code == "W204"
    assert finding.sentence == (
        "head: none of its 34 trainable parameters reaches the scored output in aux"
    )


def test_a_module_that_acts_differently_in_two_variants_is_told_for_each() -> None:
    costs = {"one": _shares("head", 34, 0, 0), "two": _shares("head", 34, 0, 34)}
    costs["three"] = _shares("head", 34, 34, 34)

    assert [(f.code, f.sentence.split(" in ")[1][:3]) for f in liveness(measured(costs))] == [
        ("W204", "one"),
        ("N204", "two"),
    ]


def test_an_untaught_module_is_no_error_where_nobody_knows_whether_a_score_reads_it() -> None:
    counts = _shares("head", 34, 0, 0)
    assert liveness(measured({"a": [c for c in counts if c.name != "live_params"]})) == []


def test_a_module_that_is_read_and_not_taught_is_an_error_of_its_own() -> None:
    (finding,) = [f for f in liveness(measured(SOURCE)) if f.severity == "error"]

    assert finding.code == "E205"
    assert "lif: no gradient from the losses that train the score in full (169,635" in (
        finding.sentence
    )


def test_sizes_that_differ_between_variants_are_a_range() -> None:
    costs = {"small": _shares("lif", 10, 0, 0), "large": _shares("lif", 2000, 0, 0)}

    (finding,) = liveness(measured(costs))
    assert "none of its 10 to 2,000 trainable parameters" in finding.sentence
    assert "in small and large, and no loss" in finding.sentence


def test_what_was_not_measured_and_what_owns_nothing_raise_nothing() -> None:
    assert liveness(measured({"a": [Cost("params", 10, "", "hand", "lif")]})) == []
    assert liveness(measured({"a": _shares("lif", 0, 0, 0)})) == []


def test_records_tell_by_variant_from_the_first_seed_that_was_measured() -> None:
    record = Record("s", "lif", "grid", None, 0, {}, {}, 0, "a", State.COMPLETED)
    shares = {"lif": {c.name: c for c in _shares("lif", LIF, 0, 0)}}
    records = [record, replace(record, seed=1, shares=shares), replace(record, variant="full")]

    assert list(recorded(records)) == ["lif"]
    assert liveness(recorded(records))[0].code == "W204"


def test_variants_whose_training_was_not_counted_are_told_apart_under_a_name_of_their_own() -> None:
    costs = {"sacr": _shares("sacr", SACR, 0, 0), "full": _shares("sacr", SACR, 0, 0)[:2]}
    assert [f.name for f in liveness(measured(costs))] == ["W204:sacr", "W204:sacr.unread"]
