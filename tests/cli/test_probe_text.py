"""How one training step is told: which loss reaches which module, and what a switch changes."""

import math

from ablate.cli.probe_text import exploding, learning, switching
from ablate.measure import Reached, Step, Switched
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
