"""What a grid of single runs hints at: Lenth's margin, from the sizes of its own effects."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ablate.analysis.contrast import quantile
from ablate.analysis.effects import Grid, averaged, subsets


@dataclass(frozen=True, slots=True)
class Lenth:
    """The pseudo standard error of an effect, and the margin that one of them by itself exceeds.

    It supposes that most effects are nothing, and is a hint: no verdict rests on it.
    """

    pse: float
    margin: float


def lenth(effects: Sequence[float], alpha: float = 0.05) -> Lenth:
    """PSE = 1.5 median{|c| < 2.5 s0} with s0 = 1.5 median |c|; the margin is t_{m/3} PSE.

    `effects` are the m Walsh effects of one unreplicated grid. Raises ValueError without any.
    Lenth (1989), Technometrics 31.
    """
    if not effects:
        raise ValueError("a margin needs at least one effect")
    size = np.abs(np.asarray(effects, dtype=float))
    kept = size[size < 2.5 * 1.5 * np.median(size)]
    pse = 1.5 * float(np.median(kept)) if kept.size else 0.0
    return Lenth(pse, quantile(len(effects) / 3, alpha) * pse)


def walsh_effects(grid: Grid) -> dict[tuple[str, ...], float]:
    """Mean where the product of the modules' signs is +1 minus mean where it is -1, by modules.

    The 2^k - 1 effects of a complete grid, each the averaged interaction over 2^(m - 1), so that
    all have one variance; none where a cell is missing. Of one module it is the main effect.
    """
    if not grid.complete:
        return {}
    mean = {c: sum(v for _, v in runs) / len(runs) for c, runs in grid.samples.items() if runs}
    found = {}
    for of in subsets(grid.modules, 1):
        modules = tuple(m for m in grid.modules if m in of)
        total = sum(w * mean[c] for c, w in averaged(modules, grid).weights.items())
        found[modules] = total / 2 ** (len(modules) - 1)
    return found
