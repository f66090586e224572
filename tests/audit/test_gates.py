"""Logged gates and weights that do not move; the numbers are those of a real run's two gates."""

import gzip
import os
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from ablate.audit.execution.gates import GATES, is_gate, is_still
from ablate.record import Finding
from tests.audit.clean import clean

CAMERA = (0.797, 0.807, 0.802, 0.804)
LIDAR = (0.703, 0.705, 0.707, 0.720)


def findings(name: str, values: Sequence[float]) -> list[Finding]:
    evidence = clean(3)
    key = evidence.completed[0].key
    curve = {10 * i: v for i, v in enumerate(values, 1)}
    curves = {**evidence.curves, key: {**evidence.curves[key], ("train", name): curve}}
    return list(GATES[0].findings(replace(evidence, curves=curves)))


def test_of_two_real_gates_one_moves_and_one_does_not() -> None:
    assert is_still(CAMERA)
    assert not is_still(LIDAR)


def test_the_gate_is_named_with_its_range_and_where() -> None:
    (found,) = findings("gate_camera", CAMERA)
    assert (found.name, found.severity) == ("W143:gate_camera", "warning")
    variant = clean(3).completed[0].variant
    assert found.sentence == (
        f"gate_camera does not move over training in {variant} (0.7970 to 0.8070 over 4 points)"
    )
    assert found.chinese == (
        f"gate_camera 在 {variant} 的训练中没有变化（4 个点介于 0.7970 与 0.8070）"
    )
    assert found.keys == (clean(3).completed[0].key,)


def test_a_constant_is_said_to_be_one() -> None:
    (found,) = findings("alpha", [0.5] * 6)
    assert found.sentence.endswith("(0.5000 at all 6 points)")


@pytest.mark.parametrize(
    "values",
    [
        LIDAR,
        CAMERA[:3],
        [1.0, 1.001, 1.002, 1.003],
        [0.001, -0.001, 0.002, -0.002],
        [0.5, float("nan"), 0.5, 0.5],
    ],
)
def test_what_moves_or_is_too_little_to_tell_is_not_named(values: Sequence[float]) -> None:
    assert findings("gate_camera", values) == []


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("gate", True),
        ("fusion.alpha", True),
        ("layer_scale", True),
        ("softmaxTemperature", True),
        ("camera_weight_mean", True),
        ("loss_scale", False),
        ("weight_decay", False),
        ("lif.loss_weight", False),
        ("lr", False),
        ("grad_scale", False),
        ("seconds_per_batch", False),
        ("mAP", False),
        ("aggregate", False),
        ("navigate", False),
    ],
)
def test_names_that_say_a_gate(name: str, said: bool) -> None:  # noqa: FBT001
    assert is_gate(name) is said


@pytest.mark.skipif("ABLATE_REALDATA" not in os.environ, reason="the real logs are not here")
def test_the_gates_of_the_real_run_at_four_iterations_over_its_eight_ranks() -> None:
    # the log prints each rank's means behind `lidar_weights_stats:` and `camera_weights_stats:`
    log = Path(os.environ["ABLATE_REALDATA"], "cmt_aqr_logs", "aqr_2.5_0.6.log.gz")
    text = gzip.decompress(log.read_bytes()).decode()
    block = re.compile(
        r"Forward #(\d+)\).*?lidar_\S+:\s+mean: (\S+).*?camera_\S+:\s+mean: (\S+)", re.DOTALL
    )
    found: dict[int, list[tuple[float, float]]] = {}
    for step, lidar, camera in block.findall(text):
        found.setdefault(int(step), []).append((float(lidar), float(camera)))
    lidar, camera = (
        [sum(r[i] for r in ranks) / len(ranks) for _, ranks in sorted(found.items())]
        for i in range(2)
    )
    assert [round(v, 3) for v in lidar] == list(LIDAR)
    assert [round(v, 3) for v in camera] == list(CAMERA)
    assert is_still(camera)
    assert not is_still(lidar)
