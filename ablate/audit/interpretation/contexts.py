"""Effects whose sign depends on which other modules are on."""

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import NamedTuple

from ablate.analysis.cells import Cell
from ablate.analysis.effects import Answer, Corner, Grid, Term, corners, subsets
from ablate.analysis.verdict import Verdict, judge, rules_of
from ablate.audit.check import Check, Hit, Text
from ablate.audit.design.measured import points
from ablate.audit.evidence import Evidence
from ablate.metric import Metric

WIDEST = 6
"""Modules up to which every context is asked."""


class Flip(NamedTuple):
    """An effect in its worst and its best context, in stored units, up for better."""

    modules: tuple[str, ...]
    low: Answer
    high: Answer

    @property
    def size(self) -> float:
        """How far the nearer of both is from zero."""
        return min(abs(a.effect.estimate) for a in (self.low, self.high) if a.effect)


def look(evidence: Evidence) -> Iterator[Hit]:
    """W220: the largest change of sign of a module's effect, and of a pair's interaction."""
    study = evidence.study
    if not 2 <= len(study.on) <= WIDEST:  # noqa: PLR2004 - one module has no context
        return
    metric = study.metric(study.primary)
    there = corners([c for c in evidence.cells if c.role == "grid"], study.on)
    inert = {corner: evidence.inert.get(c.variant, frozenset()) for corner, c in there.items()}
    grid = Grid(tuple(study.on), {c: cell.runs(metric.name) for c, cell in there.items()}, inert)
    for size in (1, 2):
        flips = [
            flip
            for of in combinations(grid.modules, size)
            if (flip := _flip(evidence, grid, metric, of)) is not None
        ]
        if flips:
            yield _hit(evidence, metric, max(flips, key=lambda f: f.size), there)


def _flip(evidence: Evidence, grid: Grid, metric: Metric, of: Sequence[str]) -> Flip | None:
    """The extremes of an effect where they differ in sign by what the study can tell.

    With intervals by their verdicts, by Holm; of single runs by the margin that counts as nothing.
    """
    rules = rules_of(evidence.study.claims, metric)
    sign = 1 if metric.direction == "up" else -1
    others = [m for m in grid.modules if m not in of]
    terms = [_term(of, context) for context in subsets(others)]
    answers = [a for a in grid.answers(terms, rules) if a.effect is not None and not a.inert]
    effects = [a.effect for a in answers]
    if any(e is not None and e.interval is not None for e in effects):
        verdicts = [j.verdict for j in judge(effects, rules, sign)]
        told = [
            a
            for a, v in zip(answers, verdicts, strict=True)
            if v in {Verdict.POSITIVE, Verdict.NEGATIVE}
        ]
    else:
        least = rules.margin or 0.0
        told = [a for a in answers if a.effect is not None and abs(a.effect.estimate) > least]
    if not told:
        return None
    low, high = (f(told, key=lambda a: sign * _estimate(a)) for f in (min, max))
    return (
        Flip(tuple(of), low, high) if sign * _estimate(low) < 0 < sign * _estimate(high) else None
    )


def _term(of: Sequence[str], context: Corner) -> Term:
    weights = {context | c: float((-1) ** (len(of) - len(c))) for c in subsets(of)}
    return Term("context" if len(of) == 1 else "on", tuple(of), weights, context)


def _estimate(answer: Answer) -> float:
    return answer.effect.estimate if answer.effect else 0.0


def _hit(evidence: Evidence, metric: Metric, flip: Flip, there: "dict[Corner, Cell]") -> Hit:
    what = " x ".join(flip.modules)
    low, high = (points(metric, _estimate(a)) for a in (flip.low, flip.high))
    kind = "the effect of" if len(flip.modules) == 1 else "the interaction"
    kind_zh = "的效应" if len(flip.modules) == 1 else "的交互作用"
    others = [m for m in evidence.study.on if m not in flip.modules]
    contexts = [_context(a.term.others, others) for a in (flip.low, flip.high)]
    n = [len(there[c].runs(metric.name)) for a in (flip.low, flip.high) for c in a.term.weights]
    single = max(n) == 1
    en = (
        f"{kind} {what} on {metric.label} is {low[0]} {contexts[0].en} and {high[0]}"
        f" {contexts[1].en}{' (one run per cell)' if single else ''}"
    )
    zh = (
        f"{what} 在 {metric.label} 上{kind_zh}{contexts[0].zh}为 {low[1]}，"
        f"{contexts[1].zh}为 {high[1]}"
        f"{'（每单元一次运行）' if single else ''}"
    )
    keys = [
        r.key for a in (flip.low, flip.high) for c in a.term.weights for r in there[c].completed
    ]
    return Hit(
        Text(en, zh),
        f"ablate report {evidence.study.name} --synergy",
        "+".join(flip.modules),
        tuple(dict.fromkeys(keys)),
    )


def _context(on: Corner, others: Sequence[str]) -> Text:
    ordered = [m for m in others if m in on]
    off = [m for m in others if m not in on]
    if len(others) == 1:
        side, zh = ("on", "开启") if ordered else ("off", "关闭")
        return Text(f"with {others[0]} {side}", f"在 {others[0]} {zh}时")
    parts = [*(f"{m} on" for m in ordered), *(f"{m} off" for m in off)]
    parts_zh = [*(f"{m} 开" for m in ordered), *(f"{m} 关" for m in off)]
    return Text(f"with {', '.join(parts)}", f"在 {'、'.join(parts_zh)}时")


W220 = Check(
    "W220",
    "warning",
    "interpretation",
    Text("an effect whose sign depends on its context", "效应的正负取决于其他模块"),
    Text(
        "A module that helps beside some modules and harms beside others has no single effect, nor"
        " two modules whose interaction changes sign. It is said of the primary metric over the"
        " grid, of the module and the pair with the largest change of sign: where effects have"
        " intervals, both sides are told by Holm's p; where every cell has one run, both lie"
        " beyond the margin that the study counts as nothing. Contexts in which the module is not"
        " in the output do not count.",
        "在一些模块旁有益、在另一些旁有害的模块没有单一效应；交互作用变号的两个模块亦然。"
        "针对网格上的主指标，给出变号最大的模块与模块对：有区间时两侧均须经 Holm 校正显著；"
        "每单元一次运行时，两侧均须超出研究视为无差异的界限。模块不在输出中的情形不计。",
    ),
    Text(
        "State the effect with its context; run further seeds of its cells",
        "陈述效应时注明情形；为相关单元运行更多种子",
    ),
    look,
)
