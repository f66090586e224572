"""Writes logs as trainers of the DeMo family print them, for tests and for the import benchmark.

`write(path, name="a", opts={"MODEL.USE_SACR": "True"}, epochs=3)` is one log; `text(...)` is the
same as text. Nothing in it is copied from a real log but the shape of its lines.
"""

import gzip
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

ORI, MOE, BOTH = "ori", "moe", "[moe,ori]"
ONE, THREE = (BOTH,), (ORI, MOE, BOTH)
SETTINGS = {
    "DATALOADER.NUM_INSTANCE": "8",
    "DATASETS.NAMES": "RGBNT201",
    "DATASETS.ROOT_DIR": "/home/somebody/data",
    "INPUT.SIZE_TEST": "[256, 128]",
    "MODEL.DEVICE": "cuda",
    "MODEL.IF_WITH_CENTER": "no",
    "MODEL.LIF_BETA": "0.4",
    "MODEL.PRETRAIN_PATH_T": "/home/somebody/weights/vit.pth",
    "MODEL.USE_LIF": "True",
    "MODEL.USE_SACR": "True",
    "MODEL.USE_SDTPS": "True",
    "OUTPUT_DIR": "/home/somebody/out",
    "SOLVER.BASE_LR": "0.00035",
    "SOLVER.EVAL_PERIOD": "1",
    "SOLVER.MAX_EPOCHS": "3",
    "SOLVER.SEED": "1111",
    "SOLVER.STEPS": "(40, 70)",
    "TEST.WEIGHT": "",
}
Scores = Callable[[int, str], Sequence[float]]


def rising(epoch: int, pattern: str) -> tuple[float, float, float, float]:
    """MAP, Rank-1, Rank-5 and Rank-10 in percent, unrounded; another for each pattern."""
    start = 40.0 + sum(map(ord, pattern)) % 7
    best = start + 30.0 * epoch / (epoch + 2)
    return best, best + 2.04, best + 11.02, best + 15.01


@dataclass(frozen=True, kw_only=True)
class DemoLog:
    """What one log says. `epochs` are printed; `SOLVER.MAX_EPOCHS` follows unless it is set."""

    name: str = "run"
    opts: Mapping[str, str] = field(default_factory=dict)
    """The command line's own settings; they win over `settings`, as in YACS."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """What differs from SETTINGS, or is added to it."""
    without: Sequence[str] = ()
    """Keys that this version of the program does not know."""
    epochs: int = 3
    first: int = 1
    """The first epoch: more than 1 where the training was resumed."""
    patterns: Sequence[str] = ONE
    scores: Scores = rising
    iterations: int = 54
    every: int = 10
    data: str = "RGBNT201"
    config: str = "configs/RGBNT201/Demo.yml"
    params: str = "97.186812"
    gflops: str = "38.33138826600001"
    uncalled: Sequence[str] = ("bottleneck", "classifier")
    start: datetime = datetime(2025, 12, 6, 20, 31, 21, 189000)  # noqa: DTZ001 - logs name no zone
    best: bool = True
    header: bool = True

    def resolved(self) -> dict[str, str]:
        """The configuration as it is printed: sorted, without `without`."""
        last = {"SOLVER.MAX_EPOCHS": str(self.first + self.epochs - 1), "DATASETS.NAMES": self.data}
        merged = {**SETTINGS, **last, **self.settings, **self.opts}
        return {k: merged[k] for k in sorted(merged) if k not in self.without}


def write(path: Path, **fields: object) -> Path:
    """Write one log (compressed where the name ends in .gz); the fields are DemoLog's."""
    data = text(**fields).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(data, 1, mtime=0) if path.suffix == ".gz" else data)
    return path


def text(**fields: object) -> str:
    """One log as text."""
    log = DemoLog(**fields)  # type: ignore[arg-type]
    return "".join(f"{line}\n" for line in _Clock(log.start).stamped(_lines(log)))


@dataclass
class _Clock:
    """Turns `(seconds, logger, message)` into stamped lines, and leaves plain text alone."""

    now: datetime

    def stamped(self, lines: Iterator[str | tuple[float, str, str]]) -> Iterator[str]:
        for line in lines:
            if isinstance(line, str):
                yield line
                continue
            seconds, logger, message = line
            self.now += timedelta(seconds=seconds)
            stamp = f"{self.now:%Y-%m-%d %H:%M:%S},{self.now.microsecond // 1000:03d}"
            yield f"{stamp} {logger} INFO: {message}"


_RULE = "~" * 50
_Line = str | tuple[float, str, str]


def _lines(log: DemoLog) -> Iterator[_Line]:
    if log.header:
        yield from _header(log)
        yield from _network(log)
    yield 0.01, "DeMo.train", "start training"
    held: tuple[float, Sequence[float]] = (-1.0, ())
    for epoch in range(log.first, log.first + log.epochs):
        yield from _training(log, epoch)
        yield from _validation(log, epoch)
        counted = log.scores(epoch, log.patterns[-1])
        if counted[0] >= held[0]:
            held = (counted[0], counted)
        if log.best:
            yield from _best(held[1])


def _header(log: DemoLog) -> Iterator[_Line]:
    opts = ", ".join(f"{part!r}" for pair in log.opts.items() for part in pair)
    yield 0.0, "DeMo", "Saving model in the path :/home/somebody/out"
    given = f"config_file={log.config!r}, exp_name={log.name!r}, fea_cft=0, local_rank=0"
    yield 0.0, "DeMo", f"Namespace({given}, opts=[{opts}])"
    yield 0.001, "DeMo", f"Loaded configuration file {log.config}"
    yield 0.0, "DeMo", ""
    yield "MODEL:"
    yield "  USE_SACR: True                     # the file's own, before the options"
    yield "  LIF_BETA: 99.0"
    yield ""
    yield 0.001, "DeMo", "Running with config:"
    group = ""
    for key, value in log.resolved().items():
        head, _, leaf = key.rpartition(".")
        if head and head != group:
            yield f"{head}:"
        group = head
        yield f"  {leaf}: {value}" if head else f"{leaf}: {value}"


def _network(log: DemoLog) -> Iterator[_Line]:
    yield f"=> {log.data} loaded"
    yield "Dataset statistics:"
    yield "  " + "-" * 40
    yield "  subset   | # ids | # images | # cameras"
    yield "  " + "-" * 40
    yield "  train    |   171 |     3951 |         4"
    yield "  query    |    30 |      836 |         2"
    yield "  gallery  |    30 |      836 |         2"
    yield "  " + "-" * 40
    yield 7.0, "DeMo", "DeMo("
    yield "  (BACKBONE): build_transformer("
    yield "    (ln_pre): LayerNorm((768,), eps=1e-05, elementwise_affine=True)"
    yield "  )"
    yield ")"
    yield 0.002, "DeMo", f"number of parameters:{log.params}"
    yield "/home/somebody/site-packages/timm/models/helpers.py:7: FutureWarning: Importing"
    yield "Unsupported operator aten::log encountered 3 time(s)"
    yield (
        "The following submodules of the model were never called during the trace of the graph."
        " They may be unused."
    )
    yield ", ".join(log.uncalled)
    yield "~" * 100
    yield 13.1, "DeMo", f"number of GFLOPs: {log.gflops}"


def loss(epoch: int, iteration: int) -> float:
    """The training loss that a log prints, before it is rounded to three decimals."""
    return 6.0 / epoch + 0.01 * (60 - iteration) / epoch


def _training(log: DemoLog, epoch: int) -> Iterator[_Line]:
    for i in range(log.every, log.iterations + 1, log.every):
        values = f"Loss: {loss(epoch, i):.3f}, Acc: {min(1.0, 0.1 * epoch):.3f}"
        said = f"{values}, Base Lr: {3.5e-4 / epoch:.2e}"
        yield 3.19, "DeMo.train", f"Epoch[{epoch}] Iteration[{i}/{log.iterations}] {said}"
    yield (
        1.08,
        "DeMo.train",
        f"Epoch {epoch} done. Time per batch: 0.397[s] Speed: 161.1[samples/s]",
    )


def _validation(log: DemoLog, epoch: int) -> Iterator[_Line]:
    for pattern in log.patterns:
        if pattern:
            yield 0.001, "DeMo.train", _RULE
            yield 0.0, "DeMo.train", f"Current is the {pattern} feature testing!"
            yield 0.0, "DeMo.train", _RULE
        yield "The test feature is normalized"
        yield "=> Computing DistMat with euclidean_distance"
        m, *ranks = log.scores(epoch, pattern)
        yield 11.3, "DeMo.train", f"Validation Results - Epoch: {epoch}"
        yield 0.0, "DeMo.train", f"mAP: {m:.1f}%"
        for rank, value in zip((1, 5, 10), ranks, strict=True):
            yield 0.0, "DeMo.train", f"CMC curve, Rank-{rank:<3}:{value:.1f}%"
        yield 0.0, "DeMo.train", _RULE


def _best(scores: Sequence[float]) -> Iterator[_Line]:
    yield 18.3, "DeMo.train", _RULE
    yield 0.0, "DeMo.train", f"Best mAP: {scores[0]:.1f}%"
    for rank, value in zip((1, 5, 10), scores[1:], strict=True):
        yield 0.0, "DeMo.train", f"Best Rank-{rank}: {value:.1f}%"
    yield 0.0, "DeMo.train", _RULE
