"""How often a printed verdict is wrong, and how often one is reached: simulated 2^3 grids.

Grids go through the kernels behind every printed interval (`welch`, `pooled`, `blocked`, `holm`,
`decide`), and some of each kind through `Grid.answers` and `judge` too, whose verdicts must be the
same. Prints Markdown; ends with 1 where a bar is missed (`--quick` leaves three binomial standard
errors to its fewer grids). One family is the three main effects of a
metric, another its three averaged interactions of two modules.

    python benchmarks/calibration.py [--quick] [--seed 0]
"""

import argparse
import sys
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy import special

from ablate.analysis.contrast import Array, Rules, blocked, p_value, pooled, welch
from ablate.analysis.effects import Grid, Term, averaged, main, subsets
from ablate.analysis.verdict import ORDER, Verdict, decide, holm, judge

MODULES = ("a", "b", "c")
CORNERS = list(subsets(MODULES))
EMPTY = Grid(MODULES, dict.fromkeys(CORNERS, ((0, 0.0),)))
FAMILIES: tuple[list[Term], ...] = (
    [main(m, EMPTY) for m in MODULES],
    [averaged(of, EMPTY) for of in combinations(MODULES, 2)],
)
TERMS = [t for family in FAMILIES for t in family]
WEIGHTS = np.array([[t.weights[c] for c in CORNERS] for t in TERMS])
EACH = (slice(0, 3), slice(3, 6))
GRIDS, QUICK, CHECKED = 20_000, 2_000, 300
SLACK = 3.0
"""Binomial standard errors that the bars leave to fewer grids."""
NOISY = 3.0
POSITIVE, NEGLIGIBLE, UNDECIDED = map(
    ORDER.index, (Verdict.POSITIVE, Verdict.NEGLIGIBLE, Verdict.UNDECIDED)
)
Draw = Callable[[np.random.Generator, tuple[int, ...]], Array]


def _noisy(rng: np.random.Generator, size: tuple[int, ...]) -> Array:
    scale = np.ones((len(CORNERS), 1))
    scale[-1] = NOISY
    return rng.normal(size=size) * scale


ERRORS: dict[str, Draw] = {
    "normal": lambda rng, size: rng.normal(size=size),
    "t3": lambda rng, size: rng.standard_t(3, size) / 3**0.5,
    "left-skewed": lambda rng, size: 1 - rng.exponential(size=size),
    "one cell 3x": _noisy,
}
"""Each of mean 0 and SD 1 (but for the noisy cell, that of all modules); the skew is -2."""


@dataclass(frozen=True)
class Case:
    """One row: the errors, the runs of each cell, and how its intervals are made.

    `shared` is the part of a run's variance that its seed brings to every cell; `base` the runs of
    the baseline where it has more than the other cells.
    """

    errors: str
    n: int
    paired: bool = False
    shared: float = 0.0
    base: int = 0

    @property
    def name(self) -> str:
        """What the table calls it, without its errors and n."""
        how = "blocked" if self.paired else "pooled" if self.n == 2 or self.base else "Welch"  # noqa: PLR2004
        return f"{how}, seeds share {self.shared:.0%}" if self.shared else how


@dataclass(frozen=True)
class Told:
    """What the kernels say of simulated grids: (grids, terms) each."""

    estimate: Array
    se: Array
    df: Array
    p: Array
    adjusted: Array
    codes: NDArray[np.integer]

    def any(self, family: slice) -> float:
        """The share of grids with a word for or against anything of a family."""
        return float((self.codes[:, family] >= POSITIVE).any(1).mean())


def draw(case: Case, grids: int, rng: np.random.Generator) -> Array:
    """Errors (grids, cells, runs); runs that a cell has not are NaN."""
    runs = max(case.n, case.base)
    y = ERRORS[case.errors](rng, (grids, len(CORNERS), runs))
    if case.shared:
        seed = rng.normal(size=(grids, 1, runs))
        y = (1 - case.shared) ** 0.5 * y + case.shared**0.5 * seed
    if case.base:
        y[:, 1:, case.n :] = np.nan
    return y


def tell(y: Array, rules: Rules) -> Told:
    """Verdicts on grids of (grids, cells, runs), by the kernels alone."""
    runs = (~np.isnan(y[0])).sum(1)
    if rules.paired:
        within = np.einsum("tc,gcs->gts", WEIGHTS, y)
        there = np.ones((len(TERMS), y.shape[2]), dtype=bool)
        estimate, se, df = blocked(within, there)
    else:
        mean = np.nanmean(y, 2)
        squares = np.nansum((y - mean[..., None]) ** 2, 2)
        free = runs - 1.0
        kernel = welch if runs.min() >= 3 else pooled  # noqa: PLR2004
        estimate = mean @ WEIGHTS.T
        se, df = kernel(WEIGHTS**2 / runs, squares / np.maximum(free, 1), free)
    p = p_value(estimate / se, df)
    adjusted = np.concatenate([holm(p[:, of]) for of in EACH], axis=1)
    return Told(estimate, se, df, p, adjusted, decide(estimate, se, df, adjusted, rules))


def printed(y: Array, rules: Rules) -> list[list[Verdict | None]]:
    """The verdicts that a report prints of the same grids."""
    found = []
    for cells in y:
        runs = [[(s, v) for s, v in enumerate(row) if not np.isnan(v)] for row in cells.tolist()]
        answers = Grid(MODULES, dict(zip(CORNERS, runs, strict=True))).answers(TERMS, rules)
        effects = [a.effect for a in answers]
        found.append([j.verdict for of in EACH for j in judge(effects[of], rules)])
    return found


def agree(y: Array, rules: Rules, told: Told, grids: int = CHECKED) -> bool:
    """Whether the reports of the first grids say what the kernels said."""
    first = y[:grids]
    expected = [[ORDER[code] for code in row] for row in told.codes[: len(first)]]
    return printed(first, rules) == expected


def stream(seed: int, *words: object) -> np.random.Generator:
    """A generator of its own for every row, whatever the order of the rows."""
    return np.random.default_rng([seed, zlib.crc32(repr(words).encode())])


@dataclass(frozen=True)
class Bar:
    """What a share may at most be (`at_least`: must at least be)."""

    row: str
    value: float
    bar: float
    at_least: bool = False

    def met(self, slack: float = 0.0, grids: int = GRIDS) -> bool:
        """Whether it is, with `slack` binomial standard errors to spare."""
        spare = slack * (self.bar * (1 - self.bar) / grids) ** 0.5
        if self.at_least:
            return self.value >= self.bar - spare
        return self.value <= self.bar + spare


def null(case: Case, grids: int, seed: int) -> tuple[list[float], bool]:
    """Shares of grids without any effect, for each family, and whether the reports agree.

    For mains, then interactions: two-sided p < alpha, truth inside the interval, and any positive
    or negative verdict in the family.
    """
    rules = Rules(paired=case.paired)
    y = draw(case, grids, stream(seed, "null", case))
    told = tell(y, rules)
    shares = []
    inside = np.abs(told.estimate) <= -special.stdtrit(told.df, rules.alpha / 2) * told.se
    for of in EACH:
        false = float((told.p[:, of] < rules.alpha).mean())
        shares += [false, float(inside[:, of].mean()), told.any(of)]
    return shares, agree(y, rules, told)


def planted(term: int, size: float) -> Array:
    """Cell means (cells, 1) in which one term is `size` and every other is 0."""
    signs = np.sign(WEIGHTS[term])
    return (size * signs / (np.abs(WEIGHTS[term]).sum()))[:, None]


RATIOS = (2.5, 3.0, 3.5, 4.0, 5.0)
"""Margins in standard errors: smaller, hardly any interval fits inside; larger, such an effect is
seen to be one, and the word for that comes first."""


def negligible(case: Case, grids: int, seed: int) -> tuple[float, float, bool]:
    """How often an effect equal to the margin is called negligible, and one of 0.

    Of a main effect and an interaction, of either sign: the first is the largest share over
    `RATIOS`, the second that at the last of them, which shows that the word is reached.
    """
    worst, reached, same = 0.0, 0.0, True
    for ratio in RATIOS:
        shares, nothing = [], []
        for term in (0, 3):
            se = float((WEIGHTS[term] ** 2).sum() / case.n) ** 0.5 * (1 - case.shared) ** 0.5
            rules = Rules(margin=ratio * se, paired=case.paired)
            y = draw(case, grids, stream(seed, "margin", case, term, ratio))
            for sign in (-1, 1):
                at = y + planted(term, sign * ratio * se)
                told = tell(at, rules)
                shares.append(float((told.codes[:, term] == NEGLIGIBLE).mean()))
            same &= agree(at, rules, told, CHECKED // len(RATIOS))
            nothing.append(float((tell(y, rules).codes[:, term] == NEGLIGIBLE).mean()))
        worst, reached = max(worst, float(np.mean(shares))), float(np.mean(nothing))
    return worst, reached, same


def power(case: Case, size: float, grids: int, seed: int) -> tuple[float, float]:
    """How often an interaction of `size` SD is found by its own p, and after Holm."""
    told = tell(draw(case, grids, stream(seed, "power", case)) + planted(3, size), Rules())
    right = told.estimate[:, 3] > 0
    alone = (told.p[:, 3] < Rules().alpha) & right
    return float(alone.mean()), float((told.codes[:, 3] == POSITIVE).mean())


def silent(grids: int, seed: int) -> int:
    """Verdicts on grids of single runs."""
    y = draw(Case("normal", 1), grids, stream(seed, "single"))
    return sum(v is not None for grid in printed(y, Rules(margin=10.0)) for v in grid)


def cases() -> Iterator[tuple[Case, bool]]:
    """The rows of the null table, and whether the bars hold them."""
    for paired in (False, True):
        for errors in ERRORS:
            yield from ((Case(errors, n, paired), True) for n in (3, 5, 10))
    yield from ((Case("normal", n, paired=True, shared=0.5), True) for n in (3, 5, 10))
    yield from ((Case("normal", n, shared=0.5), True) for n in (3, 5, 10))
    yield from ((Case(errors, 2), False) for errors in ERRORS)
    yield from ((Case(errors, 1, base=r), False) for r in (3, 5) for errors in ERRORS)


def percent(share: float) -> str:
    """A share of 1 as percent."""
    return f"{100 * share:.1f}"


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def null_table(grids: int, seed: int) -> tuple[str, list[Bar], bool]:
    """False positives, coverage and family-wise errors of every case."""
    rows, bars, same = [], [], True
    for case, held in cases():
        shares, alike = null(case, grids, seed)
        same &= alike
        runs = f"1, baseline {case.base}" if case.base else str(case.n)
        rows.append([case.name, case.errors, "yes" if held else "no", runs, *map(percent, shares)])
        if held:
            for k, family in enumerate(("main effects", "interactions")):
                what = f"{case.name}, {case.errors}, n = {case.n}, {family}"
                false, covered, any_ = shares[3 * k : 3 * k + 3]
                bars += [
                    Bar(f"false positives: {what}", false, 0.065),
                    Bar(f"coverage: {what}", covered, 0.935, at_least=True),
                    Bar(f"family-wise: {what}", any_, 0.06),
                ]
    heads = ["intervals", "errors", "bars", "n", *(f"{f}: {w}" for f in KINDS for w in WORDS)]
    return table(heads, joined(rows, 3)), bars, same


KINDS = ("main", "pair")
WORDS = ("false %", "coverage %", "any after Holm %")


def joined(rows: Sequence[Sequence[str]], key: int) -> list[list[str]]:
    """Neighbours that agree in their first `key` columns as one row, the rest side by side."""
    found: list[list[list[str]]] = []
    for row in rows:
        if not found or found[-1][0][:key] != row[:key]:
            found.append([])
        found[-1].append(list(row))
    return [
        [*of[0][:key], *(" / ".join(column) for column in list(zip(*of, strict=True))[key:])]
        for of in found
    ]


def margin_table(grids: int, seed: int) -> tuple[str, list[Bar], bool]:
    """How often an effect of the margin's size is called negligible."""
    rows, bars, same = [], [], True
    chosen = [case for case, held in cases() if held]
    for case in chosen:
        worst, reached, alike = negligible(case, grids, seed)
        same &= alike
        rows.append([case.name, case.errors, str(case.n), percent(worst), percent(reached)])
        bars.append(Bar(f"negligible: {case.name}, {case.errors}, n = {case.n}", worst, 0.055))
    heads = ["intervals", "errors", "n", "called negligible at the margin %", "at 0 %"]
    return table(heads, joined(rows, 2)), bars, same


def power_table(grids: int, seed: int) -> tuple[str, list[Bar]]:
    """The chance to find an averaged interaction of 2.44 SD."""
    rows, bars = [], []
    for n in (2, 3, 5):
        case = Case("normal", n)
        alone, after = power(case, 2.44, grids, seed)
        rows.append([case.name, str(n), percent(alone), percent(after)])
        if n == 3:  # noqa: PLR2004
            bars.append(Bar("power at n = 3", alone, 0.70, at_least=True))
    return table(["intervals", "n", "p below alpha %", "positive after Holm %"], rows), bars


def run(grids: int, seed: int) -> list[Bar]:
    """Everything, printed; the bars that were missed."""
    nulls, bars, same = null_table(grids, seed)
    print(f"{grids:,} grids a row, seed {seed}.\n\nWithout any effect:\n\n{nulls}")
    margins, more, alike = margin_table(grids, seed)
    print(f"\nWith an effect of the margin's size:\n\n{margins}")
    found, last = power_table(grids, seed)
    print(f"\nWith an averaged interaction of 2.44 SD:\n\n{found}")
    told = silent(grids, seed)
    print(f"\nVerdicts on {grids:,} grids of single runs: {told}.")
    bars += [*more, *last, Bar("verdicts at n = 1", told, 0)]
    bars.append(Bar("reports that differ from the kernels", 0.0 if same and alike else 1.0, 0))
    missed = [b for b in bars if not b.met(SLACK if grids < GRIDS else 0.0, grids)]
    print(f"{len(bars) - len(missed)} of {len(bars)} bars met.")
    for bar in missed:
        print(f"MISSED: {bar.row}: {bar.value:.4f}, bar {bar.bar}")
    return missed


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK:,} grids a row")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    sys.exit(bool(run(QUICK if given.quick else GRIDS, given.seed)))
