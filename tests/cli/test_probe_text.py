"""How one training step is told: which loss reaches which module, and what a switch changes."""

import math
import re
from dataclasses import replace

import pytest

from ablate.cli.probe_text import UNREAD, exploding, learning, print_costs, switching
from ablate.cli.probed import failures, unread
from ablate.measure import Measured, Reached, Step, Switched
from ablate.record import Cost
from ablate.run.probing import Answer


def _answer(variant: str, *reached: Reached, **switched: Switched) -> Answer:
    return Answer(variant, None, Step(reached, switched), 0.0)


def _lif(loss: str, tensors: int, norm: float = 1.0) -> Reached:
    return Reached("lif", "lif", loss, tensors, 33, norm if tensors else 0.0)


def test_a_module_that_its_own_loss_alone_reaches_is_told_so() -> None:
    backbone = Reached("backbone", None, "ori", 32, 32, 1.0)
    answer = _answer("lif", backbone, _lif("ori", 0), _lif("lif", 33))

    assert learning([answer]) == ["  lif: gradient from loss lif only (33 of 33 tensors)"]


def test_losses_that_reach_different_tensors_are_counted_apart_and_parts_are_added() -> None:
    head = Reached("lif.head", "lif", "ori", 2, 2, 1.0)
    answer = _answer("lif", _lif("ori", 30), head, _lif("lif", 33))

    assert learning([answer]) == [
        "  lif: gradient from losses ori (32 of 35 tensors), lif (33 of 33 tensors)"
    ]


def test_variants_that_learn_alike_share_a_line() -> None:
    answers = [_answer(v, _lif("ori", 33), _lif("lif", 33)) for v in ("lif", "full")]
    answers.append(_answer("sacr+lif", _lif("ori", 0), _lif("lif", 0)))

    assert learning(answers) == [
        "  lif: gradient from losses ori, lif (33 of 33 tensors each), in lif, full",
        "  lif: no gradient from any loss, in sacr+lif",
    ]


def test_a_switch_that_changes_everything_is_not_told() -> None:
    cut = Switched(output=False, losses=False, gradients=True)
    moved = Switched(output=True, losses=True, gradients=True)

    assert switching([_answer("full", detach=cut, sdtps=moved)]) == [
        "  detach: switching it off does not change the scored output, the losses that remain"
    ]


def test_a_switch_that_changes_nothing_is_told_in_one_sentence() -> None:
    same = Switched(output=False, losses=False, gradients=False)

    (line,) = switching([_answer("sacr", sacr=same)])
    nothing = "switching it off changes nothing: same scored output, losses and gradients"
    assert line == f"  sacr: {nothing}, bit by bit"


def test_a_loss_that_only_the_switched_module_learns_from_goes_with_it() -> None:
    same = Switched(output=False, losses=False, gradients=False)
    backbone = Reached("backbone", None, "ori", 32, 32, 1.0)

    (line,) = switching([_answer("lif", backbone, _lif("ori", 0), _lif("lif", 33), lif=same)])
    assert line.endswith("losses and gradients, bit by bit, its own loss lif aside")


def test_a_path_that_a_switch_cuts_is_named_with_its_loss() -> None:
    lost = Reached("reduce", None, "sdtps", 12, 12, 1.0)
    moved = Switched(output=True, losses=True, gradients=True, cut=(lost,))

    assert switching([_answer("full", detach=moved)]) == [
        "  detach: on, it cuts reduce off from loss sdtps (12 tensors)"
    ]


def test_a_gradient_that_is_no_number_is_told_with_its_loss_and_part() -> None:
    assert exploding([_answer("lif", _lif("lif", 33, math.nan))]) == [
        "the gradient of loss lif on lif is not finite (lif)"
    ]


META, CPU = "torch formulas/2 on meta", "torch formulas/2 on the CPU"


def _counted(variant: str, counter: str, macs: int, executed: int) -> Answer:
    costs = (
        Cost("params", 97_190_000, "", "trainable"),
        Cost("live_macs", macs, "MAC", counter),
        Cost("macs", executed, "MAC", counter),
    )
    return Answer(variant, Measured(costs, counter), None, 0.0)


MIXED = (
    _counted("baseline", META, 34_170_000_000, 34_170_000_000),
    _counted("full sdtps.keep_ratio=0.5", CPU, 136_450_000_000, 137_460_000_000),
    Answer("broken", Measured(reason="on meta: ValueError: no"), None, 0.0, ("no",)),
)


@pytest.mark.parametrize("width", [80, 60])
def test_counts_of_two_devices_keep_every_name_and_number_in_a_narrow_terminal(
    width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    print_costs(MIXED)
    said = capsys.readouterr()
    lines = said.out.splitlines()

    assert max(map(len, lines[: lines.index(UNREAD)])) <= width
    executed = r" +–" if width > 60 else ""
    assert re.search(rf"^baseline +97.19 +34.17 +–{executed} *$", said.out, re.MULTILINE)
    assert re.search(r"^full.* +97.19 +– +136.45( +137.46)? *$", said.out, re.MULTILINE)
    assert re.search(rf"^broken +– +– +–{executed} +not measured", said.out, re.MULTILINE)
    assert "Configuration" in said.out
    assert "sdtps.keep_ratio=0.5 " in said.out
    assert f"[1] FLOPs are multiply–accumulates ({META}), batch 1." in lines
    assert f"[2] FLOPs are multiply–accumulates ({CPU}), batch 1." in lines
    hidden = "not shown for lack of width: executed GFLOPs [2]\n"
    assert said.err == ("" if width > 60 else hidden)


def test_what_is_unknown_of_a_counted_variant_is_not_called_unmeasured() -> None:
    counted = replace(MIXED[0], reasons=("trained_params: ValueError: hidden",))
    unmeasured = replace(MIXED[2], reasons=("on meta: ValueError: no",))

    assert failures([counted, unmeasured]) == [
        "trained_params: ValueError: hidden (baseline)",
        "not measured: on meta: ValueError: no (broken)",
    ]
    assert [unread(a) for a in (counted, unmeasured)] == [[], None]
