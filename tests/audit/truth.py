"""What the sentences of interpretation claim, computed again from the scores alone.

Nothing of `ablate.analysis` or of the checks is used: means are sums divided by counts, the spread
of a run is the pooled within-configuration SD, and t comes from its inverse distribution.
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations, product

import numpy as np
from scipy.special import stdtrit

from ablate.audit.evidence import Evidence
from ablate.metric import Metric
from ablate.record import Finding, Record

NUMBER = r"[+−±]?\d+(?:\.\d+)?"
UNIT = r"(?: points)?"


def number(text: str) -> float:
    return float(text.replace("−", "-").replace("±", ""))


def agrees(text: str, value: float) -> bool:
    """Whether a number as printed is a value in display units, rounded to its own decimals."""
    decimals = len(text.partition(".")[2])
    return abs(number(text) - value) <= 0.5 * 10.0**-decimals + 1e-7


def listed(text: str) -> list[str]:
    """The parts of `a, b and c`."""
    return re.split(r", | and ", text)


class Truth:
    """The numbers of one study."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        self.study = evidence.study
        self.runs: dict[str, list[Record]] = {}
        for record in evidence.records:
            self.runs.setdefault(record.variant, []).append(record)
        self.labels = {m.label: m for m in self.study.metrics}
        self.modules = self.study.modules.factors if self.study.modules else ()
        self.corners = {
            frozenset(m for m in self.modules if of[0].levels[m]): variant
            for variant, of in self.runs.items()
            if of[0].role == "grid"
        }

    def values(self, variant: str, metric: Metric) -> list[float]:
        """In display units."""
        percent = 100.0 if metric.display == "percent" else 1.0
        return [percent * r.scores[metric.name].value for r in self.runs[variant]]

    def mean(self, variant: str, metric: Metric) -> float:
        """In display units."""
        values = self.values(variant, metric)
        return math.fsum(values) / len(values)

    def gain(self, variant: str, metric: Metric) -> float:
        """Over the configuration that it is read against, up for better."""
        parent = self.runs[variant][0].parent
        assert parent is not None
        better = 1 if metric.direction == "up" else -1
        return better * (self.mean(variant, metric) - self.mean(parent, metric))

    def effect(self, modules: Sequence[str], context: Iterable[str], metric: Metric) -> float:
        """Of a module, or the interaction of two, beside the modules of `context`."""
        total = 0.0
        for on in product((False, True), repeat=len(modules)):
            corner = frozenset(context) | {m for m, of in zip(modules, on, strict=True) if of}
            sign = (-1) ** (len(modules) - sum(on))
            total += sign * self.mean(self.corners[corner], metric)
        return total

    def noise(self, metric: Metric) -> tuple[float, int]:
        """The pooled SD of a run and its degrees of freedom; runs that are others' count once."""
        squares, df = 0.0, 0
        seen = set()
        for variant in self.runs:
            every = tuple(tuple(self.values(variant, m)) for m in self.study.metrics)
            if every in seen:
                continue
            seen.add(every)
            values = self.values(variant, metric)
            middle = math.fsum(values) / len(values)
            squares += math.fsum((v - middle) ** 2 for v in values)
            df += len(values) - 1
        return math.sqrt(squares / df), df

    def printed(self, variant: str, metric: Metric) -> float:
        """A mean as printed (half up), up for better."""
        better, unit = (1 if metric.direction == "up" else -1), 10.0**metric.digits
        return better * math.floor(self.mean(variant, metric) * unit + 0.5 + 1e-7) / unit


def check_winners(truth: Truth, sentence: str) -> None:
    sides = re.findall(
        rf"(.+?) puts? (.+?) first \((?:\S+ )?({NUMBER}); (.+?) ({NUMBER})\)", sentence
    )
    assert len(sides) == 2, sentence
    assert sides[0][1] == sides[1][3]
    assert sides[0][3] == sides[1][1]
    for labels, winner, value, other, less in sides:
        names = listed(labels.removeprefix("; "))
        for label in names:
            metric = truth.labels[label]
            printed = {v: truth.printed(v, metric) for v in truth.runs}
            assert printed[winner] >= max(printed.values()) - 1e-9, sentence
            assert printed[winner] > printed[other], sentence
        metric = truth.labels[names[0]]
        assert agrees(value, truth.mean(winner, metric)), sentence
        assert agrees(less, truth.mean(other, metric)), sentence


def check_module(truth: Truth, sentence: str) -> None:
    found = re.fullmatch(r"(\S+), averaged over the other modules, .* others: (.*)", sentence)
    assert found, sentence
    module, signs = found[1], set[bool]()
    others = [m for m in truth.modules if m != module]
    contexts = [c for size in range(len(others) + 1) for c in combinations(others, size)]
    for label, text in re.findall(rf"([^\s,]+) ({NUMBER}){UNIT}", found[2]):
        metric = truth.labels[label]
        mean = math.fsum(truth.effect([module], c, metric) for c in contexts) / len(contexts)
        assert agrees(text, mean), sentence
        signs.add((mean > 0) == (metric.direction == "up"))
    assert signs == {True, False}, sentence


def check_trend(truth: Truth, sentence: str) -> None:
    found = re.fullmatch(
        r"(\S+) and (\S+) rank (\S+) (.+) around (.+) in opposite orders: \1 (.+); \2 (.+)",
        sentence,
    )
    assert found, sentence
    first, other = truth.labels[found[1]], truth.labels[found[2]]
    around = truth.runs[found[5]][0].levels
    ranks = []
    for metric, texts in ((first, found[6]), (other, found[7])):
        own = []
        for level, text in zip(listed(found[4]), texts.split(", "), strict=True):
            wanted = {**around, found[3]: float(level)}
            (variant,) = (v for v, of in truth.runs.items() if of[0].levels == wanted)
            assert agrees(text, truth.mean(variant, metric)), sentence
            own.append(truth.printed(variant, metric))
        ranks.append(own)
    for i, j in combinations(range(len(ranks[0])), 2):
        assert (ranks[0][i] - ranks[0][j]) * (ranks[1][i] - ranks[1][j]) < 0, sentence


def check_contexts(truth: Truth, sentence: str) -> None:
    found = re.fullmatch(
        rf"the (?:effect of|interaction) (.+) on (\S+) is ({NUMBER}){UNIT} with (.+) and"
        rf" ({NUMBER}){UNIT} with (.+?)(?: \(one run per cell\))?",
        sentence,
    )
    assert found, sentence
    modules, metric = found[1].split(" x "), truth.labels[found[2]]
    values = []
    for text, context in ((found[3], found[4]), (found[5], found[6])):
        states = dict(part.rsplit(" ", 1) for part in context.split(", "))
        assert {*states, *modules} == {*truth.modules}, sentence
        value = truth.effect(modules, [m for m, state in states.items() if state == "on"], metric)
        assert agrees(text, value), sentence
        values.append(value)
    assert values[0] * values[1] < 0, sentence


def check_noise(truth: Truth, sentence: str) -> None:
    found = re.fullmatch(
        r"(\d+) of (\d+) gains of (\S+) over what they are read against"
        r" (?:lies? within the noise|cannot be told from noise yet):"
        rf" (.+); the least significant difference is ({NUMBER}){UNIT}(?: to ({NUMBER}){UNIT})?"
        rf" \(SD of a run ({NUMBER}){UNIT}, (\d+) df(: the noise is hardly known)?\)",
        sentence,
    )
    assert found, sentence
    metric = truth.labels[found[3]]
    sd, df = truth.noise(metric)
    assert int(found[8]) == df, sentence
    assert bool(found[9]) == ("noise yet" in sentence) == (df < 3), sentence
    assert agrees(found[7], sd), sentence
    seeds = len(truth.study.seeds)
    least = float(stdtrit(df, 0.975)) * sd * math.sqrt(2 / seeds)
    assert agrees(found[5], least), sentence
    children = [v for v, of in truth.runs.items() if of[0].parent is not None]
    gains = {v: g for v in children if (g := truth.gain(v, metric)) > 0}
    assert int(found[2]) == len(gains), sentence
    assert int(found[1]) == sum(g < least for g in gains.values()), sentence
    for variant, text in re.findall(rf"(\S.*?) by ({NUMBER}){UNIT}(?:, | and |$)", found[4]):
        assert agrees(text, gains[variant]), sentence
        assert gains[variant] < least, sentence


def check_jitter(truth: Truth, sentence: str) -> None:
    found = re.fullmatch(
        rf"(.+) gains ({NUMBER}){UNIT} of (\S+) over (.+), less than either curve varies at its"
        rf" end: SD ({NUMBER}){UNIT} over its last (\d+) scores, ({NUMBER}){UNIT} over the last"
        r" (\d+) of (.+)",
        sentence,
    )
    assert found, sentence
    metric = truth.labels[found[3]]
    better, worse = found[1], found[4]
    sign = 1 if metric.direction == "up" else -1
    size = sign * (truth.mean(better, metric) - truth.mean(worse, metric))
    assert agrees(found[2], size), sentence
    for variant, text, points in ((better, found[5], found[6]), (worse, found[7], found[8])):
        (run,) = truth.runs[variant]
        curve: Mapping[int, float] = truth.evidence.curves[run.key][
            run.scores[metric.name].split, metric.name
        ]
        end = np.array([curve[s] for s in sorted(curve)][-int(points) :])
        spread = metric.shown(math.sqrt(((end - end.mean()) ** 2).sum() / (len(end) - 1)))
        assert agrees(text, spread), sentence
        assert 0 < size < spread, sentence


def kind(evidence: Evidence, finding: Finding) -> str:
    """What a finding of interpretation speaks of."""
    modules = Truth(evidence).modules
    if finding.code[1:] == "201":
        subject = "module" if finding.subject in modules else "trend"
        return f"W201 {'winner' if finding.subject == 'winner' else subject}"
    if finding.code == "W220":
        return f"W220 {'interaction' if '+' in finding.subject else 'effect'}"
    return finding.code


def assert_true(evidence: Evidence, finding: Finding) -> None:
    """Raise AssertionError, with the sentence, where a number or a claim of it is not so."""
    claims = {
        "W201 module": check_module,
        "W201 winner": check_winners,
        "W201 trend": check_trend,
        "W220 effect": check_contexts,
        "W220 interaction": check_contexts,
        "W240": check_noise,
        "N240": check_noise,
        "W241": check_jitter,
    }
    claims[kind(evidence, finding)](Truth(evidence), finding.sentence)
