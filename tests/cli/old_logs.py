"""The folder `logs/` of docs/guide/old-logs.md: ten old runs, one of them cut short."""

from collections.abc import Sequence
from pathlib import Path

from tests.ingest import demo_log

MODULES = ("SACR", "SDTPS", "LIF")
CELLS = {
    "baseline": (),
    "sacr_only": ("SACR",),
    "sdtps_only": ("SDTPS",),
    "lif_only": ("LIF",),
    "sacr_sdtps": ("SACR", "SDTPS"),
    "sacr_lif": ("SACR", "LIF"),
    "full": MODULES,
}
GAIN = {"SACR": 1.3, "SDTPS": 3.8, "LIF": 0.9}


def write(folder: Path) -> Path:
    """Seven of eight cells of the grid, two steps of a sweep, and one run that was killed."""
    for name, on in CELLS.items():
        _run(folder / f"{name}.log", on)
    for beta in ("0.2", "0.6"):
        _run(folder / f"beta_{beta}.log", MODULES, **{"MODEL.LIF_BETA": beta})
    killed = _run(folder / "beta_0.8.log", MODULES, **{"MODEL.LIF_BETA": "0.8"})
    whole = killed.read_text("utf-8")
    killed.write_text(whole[: len(whole) * 2 // 3], "utf-8")
    return folder


def _run(path: Path, on: Sequence[str], **opts: str) -> Path:
    gain = sum(GAIN[m] for m in on) - 2.0 * (len(on) > 1) + 5 * float(opts.get(_BETA, "0.4"))

    def scores(epoch: int, pattern: str) -> tuple[float, float, float, float]:
        best = 60.0 + 2 * epoch + gain + (pattern == demo_log.BOTH) * 0.5
        return best, best + 3.9, best + 12.1, best + 15.8

    switches = {f"MODEL.USE_{m}": str(m in on) for m in MODULES}
    patterns = demo_log.THREE if "SDTPS" in on else demo_log.ONE
    return demo_log.write(
        path, name=path.stem, opts=switches | opts, epochs=6, patterns=patterns, scores=scores
    )


_BETA = "MODEL.LIF_BETA"
