"""What the command line changes in a study: `lr=1e-3`, `lif.beta=0.2,0.4`, `--seeds 0-4`."""

import re
from collections.abc import Sequence

from ablate.errors import SpecError, not_one_of
from ablate.spec.toml import parse
from ablate.study import SEED_LIMIT, Axis, Factor, Kind, Level

MOST_SEEDS = 10_000
_BARE = re.compile(r"[^\s\"'\[\]{}=,]+")
_SEEDS = re.compile(r"(\d{1,10})(?:-(\d{1,10}))?")


def axes(overrides: Sequence[str], factors: Sequence[Factor]) -> tuple[Axis, ...]:
    """`key=value` fixes a factor, `key=a,b,c` is an axis; raises SpecError for anything else.

    `key=` is the empty text, for a factor that holds text.
    """
    found = [_axis(text, factors) for text in overrides]
    names = [a.factor for a in found]
    twice = next((n for n in names if names.count(n) > 1), None)
    if twice:
        raise SpecError(f"{twice!r} is given twice: write {twice}=a,b for several levels")
    return tuple(found)


def seeds(text: str) -> tuple[int, ...]:
    """The seeds of `0-4` or `0,1,2` or both; raises SpecError."""
    found: list[int] = []
    for part in text.split(","):
        match = _SEEDS.fullmatch(part.strip())
        if not match:
            raise SpecError(f"--seeds {text!r:.60} is neither like 0,1,2 nor like 0-4")
        low, high = int(match[1]), int(match[2] or match[1])
        if not low <= high < SEED_LIMIT:
            raise SpecError(f"--seeds {part.strip()}: a range rises and stays below 2^32")
        if high - low + len(found) >= MOST_SEEDS:
            raise SpecError(f"--seeds {text:.60}: more than {MOST_SEEDS:,} seeds")
        found += range(low, high + 1)
    if len(set(found)) != len(found):
        raise SpecError(f"--seeds {text:.60}: names a seed twice")
    return tuple(found)


def _axis(text: str, factors: Sequence[Factor]) -> Axis:
    name, equals, values = text.partition("=")
    name = name.strip()
    if not equals or not name:
        raise SpecError(f"{text!r:.80} is not of the form key=value")
    factor = next((f for f in factors if f.name == name), None)
    if factor is None:
        raise SpecError(not_one_of("factor", name, [f.name for f in factors]))
    if not values.strip() and factor.kind is not Kind.STR:
        raise SpecError(f"{text!r:.80} is not of the form key=value")
    try:
        levels = tuple(factor.level(v) for v in _values(values.strip(), factor))
    except ValueError as wrong:
        raise SpecError(f"{name}: {wrong}") from None
    if len(set(levels)) != len(levels):
        raise SpecError(f"{name}: a level is given twice")
    return Axis(name, levels)


def _values(text: str, factor: Factor) -> list[Level]:
    return [_value(part.strip(), factor) for part in _split(text)]


def _split(text: str) -> list[str]:
    """Parts between commas that stand outside quotes."""
    return re.findall(r"""(?:"(?:[^"\\]|\\.)*"|'[^']*'|[^,])+""", text) or [text]


def _value(text: str, factor: Factor) -> Level:
    if factor.kind is Kind.STR and (not text or _BARE.fullmatch(text)):
        return text
    try:
        value = parse(f"v = {text}\n").get("v") if text.isprintable() else None
    except SpecError:
        value = text if _BARE.fullmatch(text) else None
    if not isinstance(value, bool | int | float | str):
        raise ValueError(f"{text!r:.60} is not a value: a number, true, false, a word or a text")  # noqa: TRY004 - the caller's one kind for a bad level
    return value
