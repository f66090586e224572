"""Numbers as they are printed: value, decimals, sign, unit; and what rounds to them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Context, Decimal
from typing import Literal, TypeAlias

Fit: TypeAlias = Literal["rounded", "truncated", "no"]

_UNITS = {
    "%": "%",
    "\uff05": "%",
    "个百分点": "points",
    "百分点": "points",
    "percentage points": "points",
    "% points": "points",
    "%-points": "points",
    "%points": "points",
    "points": "points",
    "point": "points",
    "pp": "points",
    "pts": "points",
    "倍": "times",
    "\u00d7": "times",
    "times": "times",
    "-fold": "times",
    "fold": "times",
    "x": "times",
    "gflops": "G",
    "gmacs": "G",
    "mflops": "M",
    "gib": "GiB",
    "gb": "GB",
    "mib": "MiB",
    "mb": "MB",
    "秒": "s",
    "seconds": "s",
    "sec": "s",
    "s": "s",
    "分钟": "min",
    "minutes": "min",
    "min": "min",
    "小时": "h",
    "hours": "h",
    "h": "h",
    "m": "M",
    "g": "G",
    "k": "k",
}
_UNIT = "|".join(re.escape(u) for u in sorted(_UNITS, key=len, reverse=True))
_NUMBER = re.compile(
    r"(?P<sign>[+\-\u2212\u00b1])?\s?"
    r"(?P<body>\d{1,3}(?:,\d{3}){1,6}(?:\.\d+)?(?![.,]?\d)|\d+(?:\.\d+)?)"
    rf"(?:\s?(?P<unit>{_UNIT})(?![A-Za-z0-9]))?",
    re.IGNORECASE,
)
_NOT_NUMBERS = re.compile(
    r"\d{4}[-/]\d{1,2}(?:[-/]\d{1,2})?"  # dates
    r"|\b\d*+[A-Za-z_]++\d[\w.]*+"  # names that hold digits
    r"|(?<!\d)(?:\d++(?:\.\d++){2,}+"  # versions and sections
    r"|\d++(?:\s?[x\u00d7*]\s?\d++)++"  # sizes
    r"|\d++(?:\.\d++)?+[eE][-+\u2212]?\d++"  # settings such as 8e-4
    r"|\d++:\d++)"  # ratios and times of day
    r"|(?<=[#第])\d+",  # ordinals
    re.ASCII,
)
_SIGN_AFTER = re.compile(r"[\s(\[{/|:*~,;$\uff08\uff1a\uff0c\u3001=\u2248\u2192>]|[\u4e00-\u9fff]")
_RANGE = re.compile(r"\s?(?:-|~|\u2013|至|to\b)\s?[-\u2212+]?\d")
_NEAR = 12
_MOST_DECIMALS = 15
_EXACTLY = Context(prec=400)
"""Room for every float with its decimals."""
_APPROXIMATE = re.compile(r"(?:~|\u2248|约|about|ca\.?)\s*$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Number:
    """One printed number and where it stands in its text; `value` carries the sign.

    `loose`: it is one end of a range, an approximation or a spread, and claims no exact value.
    """

    value: Decimal
    decimals: int
    signed: bool
    unit: str
    start: int
    end: int
    text: str
    loose: bool

    @property
    def digits(self) -> int:
        """How many digits it has that are not leading noughts."""
        return len(str(abs(self.value)).replace(".", "").lstrip("0"))

    @property
    def half(self) -> Decimal:
        """Half of its last decimal."""
        return Decimal(5).scaleb(-self.decimals - 1)


def numbers(text: str) -> list[Number]:
    """The numbers in `text`, without dates, versions, sizes and names that hold digits."""
    masked = _NOT_NUMBERS.sub(lambda m: "\x00" * len(m[0]), text)
    return list(_found(masked))


def _found(text: str) -> Iterator[Number]:
    after_range = -1
    for match in _NUMBER.finditer(text):
        start, body = match.start("body"), match["body"].replace(",", "")
        end = match.start("sign") if match["sign"] else start
        before = text[max(0, end - _NEAR) : end]
        if before[-1:] in {".", "\x00", "_"} or (before[-1:].isascii() and before[-1:].isalpha()):
            continue
        sign = match["sign"] or ""
        if sign and before and not _SIGN_AFTER.match(before[-1]):
            sign = ""
        spread = sign == "\u00b1" and Decimal(body) != 0
        ranged = _RANGE.match(text, match.end()) is not None
        loose = (
            spread or ranged or match.start() <= after_range or bool(_APPROXIMATE.search(before))
        )
        after_range = match.end() + 2 if ranged else after_range
        value = Decimal(body)
        begin = match.start("sign") if sign else start
        yield Number(
            -value if sign in {"-", "\u2212"} else value,
            len(body.partition(".")[2]),
            bool(sign),
            "" if match["unit"] == "m" else _UNITS.get((match["unit"] or "").lower(), ""),
            begin,
            match.end(),
            text[begin : match.end()].strip(),
            loose,
        )


def exact(value: float) -> Decimal:
    """A stored value as a decimal; float noise below 1e-9 does not decide."""
    return Decimal(repr(round(value, 9)))


def fit(number: Decimal, decimals: int, value: Decimal) -> Fit:
    """Whether `value`, rounded half up or half to even, is the printed number; or cut off is."""
    if decimals > _MOST_DECIMALS:
        return "no"
    quantum = Decimal(1).scaleb(-decimals)
    for how in (ROUND_HALF_UP, ROUND_HALF_EVEN):
        if value.quantize(quantum, how, context=_EXACTLY) == number:
            return "rounded"
    cut = value.quantize(quantum, ROUND_DOWN, context=_EXACTLY)
    return "truncated" if cut == number else "no"
