"""Writes logs as mmdetection prints them, with mmcv 1 or with mmengine, for tests."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

CLASSES = ("car", "traffic_cone")
CONFIG = """\
model = dict(
    type='Detector',
    backbone=dict(type='ResNet', depth=50, init_cfg=dict(checkpoint='/home/me/r50.pth')),
    bbox_head=dict(loss_cls=dict(type='FocalLoss', loss_weight=2.0), num_classes=2))
optimizer = dict(type='AdamW', lr=0.0001, weight_decay=0.01)
train_pipeline = [dict(type='Load', to_float32=True), dict(type='Resize', scale=(1333, 800))]
evaluation = dict(interval=1)
runner = dict(type='EpochBasedRunner', max_epochs={epochs})
work_dir = '/home/me/work_dirs/det'
workflow = [('train', 1)]
aqr = {aqr}
"""


@dataclass(frozen=True, kw_only=True)
class MmdetLog:
    """What one log says."""

    epochs: int = 2
    first: int = 1
    printed: int = 0
    """The last epoch that is printed; 0 for all."""
    length: int = 120
    every: int = 50
    seed: int = 3
    aqr: str = "True"
    engine: bool = False
    """Whether mmengine prints it."""
    header: bool = True
    gradients: Mapping[tuple[int, int], str] = field(default_factory=dict)
    """(epoch, iteration) -> gradient norm as printed."""


def text(**fields: object) -> str:
    """One log as text."""
    log = MmdetLog(**fields)  # type: ignore[arg-type]
    now = datetime(2025, 10, 13, 12, 9, 10, 508000)  # noqa: DTZ001 - logs name no zone
    lines = []
    for line in _lines(log):
        if isinstance(line, str):
            lines.append(line)
            continue
        seconds, message = line
        now += timedelta(seconds=seconds)
        stamp = f"{now:%Y/%m/%d %H:%M:%S}" if log.engine else f"{now:%Y-%m-%d %H:%M:%S},508"
        lines.append(f"{stamp} - {'mmengine' if log.engine else 'mmdet'} - INFO - {message}")
    return "".join(f"{line}\n" for line in lines)


def terms(epoch: int, iteration: int) -> dict[str, float]:
    """The numbers of one interval."""
    done = epoch + iteration / 1000
    return {
        "lr": round(1e-4 / epoch, 9),
        "time": round(0.6 + iteration / 1e4, 3),
        "data_time": 0.041,
        "memory": 21000 + 10 * epoch,
        "loss_cls": round(1 / done, 4),
        "loss_bbox": round(2 / done, 4),
        "loss": round(3 / done, 4),
    }


def scores(epoch: int) -> dict[str, str]:
    """What a validation prints, by its names."""
    made: dict[str, str] = {}
    for position, name in enumerate(CLASSES):
        for distance in ("0.5", "1.0", "2.0", "4.0"):
            made[f"{name}_AP_dist_{distance}"] = f"{0.3 + 0.1 * position + epoch / 100:.4f}"
        made[f"{name}_trans_err"] = f"{0.2 + epoch / 1000:.4f}"
        made[f"{name}_vel_err"] = "nan" if name == "traffic_cone" else "0.2933"
    return made | {
        "mATE": "0.3353",
        "NDS": f"{0.5 + epoch / 100:.4f}",
        "mAP": f"{0.4 + epoch / 50:.4f}",
    }


def json_lines(log: MmdetLog) -> str:
    """The same run as mmcv's `.log.json`."""
    config = CONFIG.format(epochs=log.epochs, aqr=log.aqr)
    rows: list[dict[str, object]] = [
        {"env_info": "Python: 3.8.10\nGPU 0: A100", "config": config, "seed": log.seed}
    ]
    for epoch in range(log.first, (log.printed or log.epochs) + 1):
        rows.extend(
            {"mode": "train", "epoch": epoch, "iter": i, **terms(epoch, i)}
            for i in range(log.every, log.length + 1, log.every)
        )
        numbers = {f"pts_bbox_NuScenes/{k}": float(v) for k, v in scores(epoch).items()}
        rows.append({"mode": "val", "epoch": epoch, "iter": 753, "lr": 1e-5, **numbers})
    return "".join(f"{json.dumps(row)}\n" for row in rows)


def scalars(log: MmdetLog) -> str:
    """The same run as mmengine's `scalars.json`."""
    rows: list[dict[str, object]] = []
    for epoch in range(log.first, (log.printed or log.epochs) + 1):
        rows.extend(
            {**terms(epoch, i), "epoch": epoch, "iter": i, "step": (epoch - 1) * log.length + i}
            for i in range(log.every, log.length + 1, log.every)
        )
        numbers = {f"NuScenes metric/boxes/{k}": float(v) for k, v in scores(epoch).items()}
        rows.append({**numbers, "data_time": 0.01, "time": 0.2, "step": epoch})
    return "".join(f"{json.dumps(row)}\n" for row in rows)


def _lines(log: MmdetLog) -> Iterator[str | tuple[float, str]]:
    if log.header:
        yield from _header(log)
    for epoch in range(log.first, (log.printed or log.epochs) + 1):
        yield from _training(log, epoch)
        yield 3.0, f"Saving checkpoint at {epoch} epochs"
        yield "[>>>>>>>>>>>>>>>>>>>>] 10/6019, 9.5 task/s, elapsed: 1s, ETA:   600s"
        if not log.engine:
            yield from _summary(epoch)
        yield 700.0, "Exp name: cmt_det.py"
        prefix = "NuScenes metric/boxes/" if log.engine else "pts_bbox_NuScenes/"
        said = [f"{prefix}{k}: {v}" for k, v in scores(epoch).items()]
        if log.engine:
            yield (
                0.0,
                f"Epoch(val) [{epoch}][753/753]    {'  '.join(said)}  data_time: 0.01  time: 0.2",
            )
        else:
            yield 0.0, f"Epoch(val) [{epoch}][753]\t{', '.join(said)}"


def _header(log: MmdetLog) -> Iterator[str | tuple[float, str]]:
    yield 0.0, "Environment info:"
    yield "-" * 60
    yield "sys.platform: linux"
    yield "Python: 3.8.10 (default, Jun  4 2021, 15:09:15) [GCC 7.5.0]"
    yield "GPU 0,1: NVIDIA A100-SXM4-40GB"
    yield "CUDA_HOME: /usr/local/cuda"
    yield "PyTorch: 1.9.0+cu111"
    yield "MMDetection: 2.24.0+"
    yield "-" * 60
    yield ""
    yield 0.1, "Config:"
    yield from CONFIG.format(epochs=log.epochs, aqr=log.aqr).splitlines()
    yield ""
    yield 1.0, f"Set random seed to {log.seed}, deterministic: False"
    yield 2.0, "Model:"
    yield "Detector("
    yield "  (loss_cls): FocalLoss()"
    yield ")"
    yield 1.0, "Start running, host: root@machine-17, work_dir: /home/me/work_dirs/det"
    yield "(LOW         ) DistEvalHook                       "
    yield 0.0, f"workflow: [('train', 1)], max: {log.epochs} epochs"


def _training(log: MmdetLog, epoch: int) -> Iterator[tuple[float, str]]:
    for i in range(log.every, log.length + 1, log.every):
        numbers = terms(epoch, i)
        gradient = log.gradients.get((epoch, i), "49.7096")
        if log.engine:
            body = "  ".join(f"{k}: {v}" for k, v in numbers.items())
            said = f"Epoch(train)  [{epoch}][{i:>3}/{log.length}]  eta: 0:34:56  {body}"
            yield 30.0, f"{said}  grad_norm: {gradient}"
        else:
            lr = numbers.pop("lr")
            body = ", ".join(f"{k}: {v}" for k, v in numbers.items())
            said = f"Epoch [{epoch}][{i}/{log.length}]\tlr: {lr:.3e}, eta: 1:15:26, {body}"
            yield 30.0, f"{said}, grad_norm: {gradient}"


def _summary(epoch: int) -> Iterator[str]:
    made = scores(epoch)
    yield f"mAP: {made['mAP']}                    "
    yield f"mATE: {made['mATE']}"
    yield f"NDS: {made['NDS']}"
    yield "Eval time: 145.3s"
    yield ""
    yield "Per-class results:"
    yield "Object Class\tAP\tATE"
    for name in CLASSES:
        yield f"{name}\t{float(made[f'{name}_AP_dist_1.0']):.3f}\t0.188"
