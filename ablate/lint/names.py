"""What a text speaks of: which configurations of a study, and which of its metrics and costs."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

from ablate.lint import lexicon
from ablate.lint.world import Quantity, World, bare
from ablate.study import Factor, Level

_LEFT, _RIGHT = r"(?<![A-Za-z0-9_.])", r"(?![A-Za-z0-9_])"
_NUMBER = r"[-−]?\d+(?:\.\d+)?(?:[eE][-+−]?\d+)?"
_PARENTHESES = re.compile(r"[(（]([^()（）]*)[)）]")
_RANKED = re.compile(r"^\s*#?\d+[.)]?\s+")
_MIN_WORD = 3


@dataclass(frozen=True, slots=True)
class Mention:
    """A configuration named in a text; `weak` where it may be the module that is meant."""

    start: int
    end: int
    variant: str
    weak: bool = False


@dataclass(frozen=True, slots=True)
class Named:
    """A metric or cost named in a text; None for one of another split than the study scores."""

    start: int
    end: int
    quantity: Quantity | None


T = TypeVar("T", "Mention", "Named")


@dataclass(frozen=True)
class Names:
    """The names of one study and their human spellings."""

    world: World

    @cached_property
    def otherwise(self) -> "tuple[Names, ...]":
        """The same names, of the records as other rules score them."""
        return tuple(Names(world) for world in self.world.otherwise)

    def quantities(self, text: str) -> list[Named]:
        """The metrics and costs that a text names, the longest spelling of each place."""
        found = [
            Named(m.start(), m.end(), quantity)
            for pattern, quantity in self._scores
            for m in pattern.finditer(text)
        ]
        return _longest(found)

    def configurations(self, text: str) -> list[Mention]:
        """The configurations that a text names."""
        if text not in self._read:
            self._read[text] = self._configurations(text)
        return self._read[text]

    @cached_property
    def _read(self) -> dict[str, list[Mention]]:
        return {}

    def _configurations(self, text: str) -> list[Mention]:
        found = [
            Mention(m.start(), m.end(), variant, weak)
            for pattern, variant, weak in self._variants
            for m in pattern.finditer(text)
        ]
        found += [*self._settings(text), *self._combinations(text)]
        return [m for m in _longest(found) if m.variant]

    def quantity(self, text: str, allowed: re.Pattern[str]) -> Quantity | None:
        """The one metric or cost of a heading that says nothing else than is `allowed`."""
        alone = allowed.sub("", text).strip()
        for quantity in self.world.quantities:
            if quantity.metric and alone in {quantity.metric.name, quantity.metric.label}:
                return quantity
        named = self.quantities(text)
        if len(named) != 1 or named[0].quantity is None:
            return None
        rest = text[: named[0].start] + text[named[0].end :]
        return None if allowed.sub("", rest).strip() else named[0].quantity

    def label(self, text: str, *, modules: bool = True) -> str | None:
        """The configuration that a label is the name of; None where anything else is in it."""
        text = _RANKED.sub("", text.strip()) if text.strip() not in self.world.cells else text
        lacking = self._lacking(text)
        if lacking is not None:
            return lacking
        inner = [m[1] for m in _PARENTHESES.finditer(text)]
        main = _PARENTHESES.sub("", text).strip().rstrip(lexicon.MARKS)
        found = self.configurations(main)
        if len(found) != 1 or (found[0].weak and not modules):
            return None
        rest = main[: found[0].start] + main[found[0].end :]
        others = {m.variant for t in inner for m in self.configurations(t) if not m.weak}
        if not all(self.configurations(t) or not lexicon.ASIDE.sub("", t) for t in inner):
            return None
        clean = re.sub(lexicon.NOUN, "", f" {rest}", flags=re.IGNORECASE).strip()
        return None if clean or others - {found[0].variant} else found[0].variant

    def _lacking(self, text: str) -> str | None:
        """`w/o LIF` is all modules but that one; `Ours (full)` is all of them."""
        if lexicon.OURS.fullmatch(text):
            return self.world.full
        match = lexicon.LACKING.fullmatch(text)
        found = [n for n, p in self._modules.items() if match and p.fullmatch(match[1].strip())]
        if len(found) != 1 or self.world.full is None:
            return None
        return self.world.combination(set(self.world.switches) - set(found))

    def swept(self, header: str, heading: str) -> dict[Level, str] | None:
        """Level -> configuration, of the factor that a column of levels is headed by."""
        factor = next((f for f in self._settable if self._is(f, header)), None)
        if factor is None and re.fullmatch(r"levels?|水平|取值", header.strip(), re.IGNORECASE):
            named = [f for f in self._settable if _words(f.name).search(heading)]
            factor = named[0] if len(named) == 1 else None
        if factor is None:
            return None
        groups = [of for name, of in self.world.sweeps if name == factor.name]
        if len(groups) > 1:
            anchors = {m.variant for m in self.configurations(heading)}
            groups = [of for of in groups if anchors & set(of.values())]
        return groups[0] if len(groups) == 1 else None

    def level(self, text: str, levels: dict[Level, str]) -> str | None:
        """The configuration at the level that a cell begins with."""
        match = re.match(rf"\s*({_NUMBER})(?![\d.])", text)
        if match is None:
            return next((v for k, v in levels.items() if str(k) == text.strip()), None)
        if lexicon.ASIDE.sub("", text[match.end() :]).strip("()（）"):
            return None
        value = float(match[1].replace("−", "-"))
        return next(
            (v for k, v in levels.items() if isinstance(k, int | float) and k == value), None
        )

    @cached_property
    def _settable(self) -> list[Factor]:
        return [f for f in self.world.study.factors if f.name not in self.world.switches]

    def _is(self, factor: Factor, header: str) -> bool:
        return bare(header) in {bare(factor.name), bare(factor.label)}

    @cached_property
    def _scores(self) -> list[tuple[re.Pattern[str], Quantity | None]]:
        found: list[tuple[re.Pattern[str], Quantity | None]] = []
        splits = {n: _split(n) for n in (q.name for q in self.world.quantities)}
        for quantity in self.world.quantities:
            if quantity.metric is None:
                known = lexicon.COSTS.get(quantity.name)
                found.append((_bounded(known or _spelled(quantity.name)), quantity))
                continue
            split, name = splits[quantity.name]
            names = {name, *([quantity.metric.label] if not split else [])}
            spelled = [_spelled(n) for n in names if len(bare(n)) > 1]
            spelled += [p for n in names if (p := lexicon.SCORES.get(bare(n)))]
            if not spelled:
                spelled = [re.escape(name)]
            either = "|".join(spelled)
            if split:
                found.append((_bounded(_of_split(split, either)), quantity))
                continue
            found.append((_bounded(either), quantity))
            taken = {s for s, n in splits.values() if n == name and s}
            for other in lexicon.SPLITS:
                if other not in taken:
                    own = quantity if other != "train" else None
                    found.append((_bounded(_of_split(other, either)), own))
        return found

    @cached_property
    def _variants(self) -> list[tuple[re.Pattern[str], str, bool]]:
        return list(self._patterns())

    def _patterns(self) -> Iterator[tuple[re.Pattern[str], str, bool]]:
        modules = {n: self._module(f) for n, (f, _) in self.world.switches.items()}
        for name in self.world.cells:
            single = bare(name) in {bare(m) for m in modules}
            yield _bounded(re.escape(name)), name, single
        yield _bounded(lexicon.BASE), self.world.base or "", False
        yield _bounded(lexicon.FULL), self.world.full or "", False
        for name, spelled in modules.items():
            alone = self.world.combination([name])
            yield _bounded(spelled), alone or "", True
            yield _bounded(f"{spelled}{lexicon.ONLY_AFTER}"), alone or "", False
            yield _bounded(f"{lexicon.ONLY_BEFORE}{spelled}"), alone or "", False
        yield from self._first_words()

    def _combinations(self, text: str) -> Iterator[Mention]:
        """`SACR + LIF`, in any order; without a variant where no run has just these on."""
        for match in self._joined.finditer(text) if self._joined else ():
            on = {n for n, p in self._modules.items() if p.search(match[0])}
            yield Mention(match.start(), match.end(), self.world.combination(on) or "")

    def module(self, factor: Factor) -> re.Pattern[str]:
        """How a module is written."""
        return self._modules[factor.name]

    @cached_property
    def _modules(self) -> dict[str, re.Pattern[str]]:
        return {n: _bounded(self._module(f)) for n, (f, _) in self.world.switches.items()}

    @cached_property
    def _joined(self) -> re.Pattern[str] | None:
        one = "|".join(f"(?:{self._module(f)})" for f, _ in self.world.switches.values())
        return _bounded(rf"(?:{one})(?:\s*[+&＋]\s*(?:{one}))+") if one else None

    def _first_words(self) -> Iterator[tuple[re.Pattern[str], str, bool]]:
        """`AQR` of a configuration named `aqr_2.5_0.6`, where no other begins so."""
        words: dict[str, list[str]] = {}
        for name in self.world.cells:
            match = re.match(r"[A-Za-z]+", name)
            if match and name != self.world.base and len(match[0]) >= _MIN_WORD:
                words.setdefault(match[0].lower(), []).append(name)
        known = {bare(n) for n in self.world.switches}
        for word, names in words.items():
            if len(names) == 1 and word not in known and word != bare(names[0]):
                yield _bounded(word), names[0], True

    def _module(self, factor: Factor) -> str:
        spelled = dict.fromkeys((_spelled(factor.name), _spelled(factor.label)))
        return f"(?:{'|'.join(spelled)})"

    def setting(self, text: str) -> tuple[str, Level] | None:
        """The factor and the number that `LOSS_WEIGHT=0.1` sets, and nothing else."""
        matches = ((f, pattern.fullmatch(text)) for f, pattern in self._set)
        found = {f.name: float(m[1].replace("−", "-")) for f, m in matches if m}
        return next(iter(found.items())) if len(found) == 1 else None

    def _settings(self, text: str) -> Iterator[Mention]:
        for factor, pattern in self._set:
            for match in pattern.finditer(text):
                yield Mention(match.start(), match.end(), self._at(factor, match[1]) or "")

    @cached_property
    def _set(self) -> list[tuple[Factor, re.Pattern[str]]]:
        return [
            (factor, _bounded(rf"(?:{spelled})\s*[=:：]\s*({_NUMBER})"))
            for factor in self._settable
            for spelled in self._prefixes(factor)
        ]

    def _prefixes(self, factor: Factor) -> list[str]:
        found = [_spelled(factor.label), _spelled(factor.name)]
        parts = re.findall(r"[A-Za-z]+|\d+", factor.name)
        for length in range(len(parts) - 1, 1, -1):
            start = bare("".join(parts[:length]))
            if sum(bare(f.name).startswith(start) for f in self.world.study.factors) == 1:
                found.append(_spelled(" ".join(parts[:length])))
        return list(dict.fromkeys(found))

    def _at(self, factor: Factor, text: str) -> str | None:
        value = float(text.replace("−", "-"))
        groups = [of for name, of in self.world.sweeps if name == factor.name]
        found = [v for of in groups for k, v in of.items() if k == value]
        return found[0] if len(set(found)) == 1 else None


def _split(name: str) -> tuple[str, str]:
    """`test_F` is `F` on the split `test`; a name without one is itself."""
    split, mark, rest = name.partition("_")
    return (split.lower(), rest) if mark and split.lower() in lexicon.SPLITS else ("", name)


def _of_split(split: str, either: str) -> str:
    return rf"(?:{lexicon.SPLITS[split]})[-\s_:/]*(?:{either})"


def _spelled(name: str) -> str:
    parts = re.findall(r"[A-Za-z]+|\d+|[^\sA-Za-z\d_.\-]+", name)
    return r"[-\s_.]?".join(map(re.escape, parts)) or re.escape(name)


def _words(name: str) -> re.Pattern[str]:
    return _bounded(_spelled(name))


def _bounded(pattern: str) -> re.Pattern[str]:
    return re.compile(f"{_LEFT}(?:{pattern}){_RIGHT}", re.IGNORECASE)


def _longest(found: list[T]) -> list[T]:
    """Those that no longer one covers, in the order of the text, each place once."""
    kept: list[T] = []
    for one in sorted(found, key=lambda m: (m.start - m.end, _doubt(m))):
        if all(one.end <= k.start or one.start >= k.end for k in kept):
            kept.append(one)
    return sorted(kept, key=lambda m: m.start)


def _doubt(one: "Mention | Named") -> bool:
    """Whether the same words, read otherwise, say more."""
    return (one.weak or not one.variant) if isinstance(one, Mention) else one.quantity is None
