"""The names that columns of published tables go by."""

import re
from dataclasses import replace
from typing import Literal

from ablate.metric import Metric

_UP = {
    "map": Metric("mAP"),
    "nds": Metric("NDS"),
    "f": Metric("F"),
    "f1": Metric("F1"),
    "fscore": Metric("F"),
    "f1score": Metric("F1"),
    "accuracy": Metric("accuracy"),
    "acc": Metric("accuracy"),
    "top1": Metric("top1", "Top-1"),
    "top5": Metric("top5", "Top-5"),
    "miou": Metric("mIoU"),
    "iou": Metric("IoU"),
    "dice": Metric("dice", "Dice"),
    "precision": Metric("precision"),
    "recall": Metric("recall"),
    "auc": Metric("auc", "AUC"),
    "auroc": Metric("auroc", "AUROC"),
    "psnr": Metric("psnr", "PSNR", display="number"),
    "ssim": Metric("ssim", "SSIM", display="number"),
    "bleu": Metric("bleu", "BLEU", display="number"),
}
_DOWN = ("loss", "nll", "mse", "rmse", "mae", "perplexity", "ppl", "fid")
_DOWN_AS_WRITTEN = ("mATE", "mASE", "mAOE", "mAVE", "mAAE")
_ERRORS = ("error", "err", "errorrate", "wer", "eer")

METRICS: dict[str, Metric] = {
    **_UP,
    **{n: Metric(n, direction="down", display="number") for n in _DOWN},
    **{n.lower(): Metric(n, direction="down", display="number") for n in _DOWN_AS_WRITTEN},
    **{n: Metric("error", direction="down") for n in _ERRORS},
}
RANK = re.compile(r"(?:rank|cmc|r)@?(\d{1,3})")
STAGE = re.compile(r"(?:best|final|test|val|eval|valid|train)[ ._/-]+", re.IGNORECASE)

NAMES = frozenset(
    {"name", "config", "configuration", "experiment", "variant", "id", "#", "no", "trial", "run"}
)
SECOND, MILLION, GIBI = 1.0, 1e6, float(2**30)
COSTS: dict[str, tuple[str, float | None]] = {
    **dict.fromkeys(("params", "param", "parameters", "#params", "nparams"), ("params", None)),
    **{f"{p}{c}": ("macs", s) for c in ("flops", "macs") for p, s in (("", 1.0), ("m", 1e6))},
    **{f"{p}{c}": ("macs", s) for c in ("flops", "macs") for p, s in (("g", 1e9), ("t", 1e12))},
    **dict.fromkeys(
        ("seconds", "sec", "time", "duration", "runtime", "traintime"), ("seconds", SECOND)
    ),
    **dict.fromkeys(("minutes", "min"), ("seconds", 60.0)),
    "hours": ("seconds", 3600.0),
    **dict.fromkeys(("memory", "mem", "peakmemory", "gpumemory"), ("memory", None)),
    **dict.fromkeys(("cputime", "cpuseconds"), ("cpu", SECOND)),
    "ops": ("ops", 1.0),
    **dict.fromkeys(("s/iter", "s/it", "sec/iter", "secondsperiteration"), ("step", SECOND)),
}
UNITS = {
    "params": {"": 1.0, "1": 1.0, "k": 1e3, "m": 1e6, "b": 1e9, "g": 1e9},
    "macs": {"": 1.0, "k": 1e3, "m": 1e6, "g": 1e9, "t": 1e12},
    "seconds": {"s": 1.0, "sec": 1.0, "min": 60.0, "m": 60.0, "h": 3600.0},
    "memory": {"b": 1.0, "bytes": 1.0, "mb": 1e6, "mib": float(2**20), "gb": 1e9, "gib": GIBI},
    "cpu": {"s": 1.0, "sec": 1.0, "min": 60.0, "h": 3600.0},
    "ops": {"": 1.0, "k": 1e3, "m": 1e6, "g": 1e9, "t": 1e12},
    "step": {"s": 1.0, "sec": 1.0, "ms": 1e-3},
}
COST_UNITS = {
    "params": "",
    "macs": "MAC",
    "seconds": "s",
    "memory": "bytes",
    "cpu": "s",
    "ops": "",
    "step": "s",
}
"""The unit in which each cost is stored."""


def split_unit(header: str) -> tuple[str, str]:
    """A header without the unit in its brackets, and that unit in lower case."""
    match = re.fullmatch(r"(.*?)\s*[(\[]\s*([^()\[\]]*?)\s*[)\]]\s*", header)
    return (match[1], match[2].lower()) if match else (header, "")


def bare(name: str) -> str:
    """A name as it is looked up: lower case, without blanks, hyphens and underscores."""
    return re.sub(r"[\s_-]+", "", name.lower())


def known_metric(header: str) -> Metric | None:
    """The metric a header names; one of a stage (`val_loss`) keeps the header as its name."""
    name, _ = split_unit(header)
    stage = STAGE.match(name)
    if stage:
        inner = known_metric(name[stage.end() :])
        return replace(inner, name=name, title=name) if inner else None
    rank = RANK.fullmatch(bare(name))
    if rank:
        return Metric(f"rank{int(rank[1])}", f"Rank-{int(rank[1])}")
    return METRICS.get(bare(name))


def other_metric(name: str, direction: Literal["up", "down"] | None) -> Metric:
    """A metric that only the map knows: a plain number, higher is better unless it says `down`."""
    return Metric(name, direction=direction or "up", display="number")


def known_cost(header: str) -> tuple[str, str] | None:
    """The cost a header names, and its unit in brackets or after an underscore (`memory_gb`)."""
    name, unit = split_unit(header)
    if bare(name) in COSTS:
        return COSTS[bare(name)][0], unit
    head, _, tail = name.lower().rpartition("_")
    found = COSTS.get(bare(head)) if head else None
    return (found[0], tail) if found and tail in UNITS[found[0]] else None
