"""Lines that look like a measurement and that no pattern of a reader takes."""

import re

from ablate.ingest.names import METRICS, known_metric
from ablate.ingest.run import UNREAD, Draft

VALUE = r"[-+]?(?:(?:[0-9]{1,40}\.?[0-9]{0,40}|\.[0-9]{1,40})(?:[eE][-+]?[0-9]{1,3})?|nan|inf)"
"""A number as programs print it, NaN and infinities too."""

_NAMED = re.compile(
    rf"(?<![\w@./])([A-Za-z][\w@./]*(?:[ -](?=\d)\d+|[ -](?:acc|accuracy|loss|score|rate))?)"
    rf"\s*(?:[:=]|\bis\b)\s*{VALUE}(?![\w.]*[\w/]|:\d)",
    re.IGNORECASE,
)
_BARE = re.compile(
    r"(?<![\w.-])(?:mAP|NDS|mIoU|F1|acc|accuracy|loss|rank[ -]?\d+|top[ -]?\d|prec@\d)\s+"
    r"[-+]?\d+\.\d+\b(?!\s*[/x])",
    re.IGNORECASE,
)
_WORD = re.compile("[a-z]+")
_WORDS = (
    "ap|ndcg|mrr|hr|pck|oks|hota|mota|idf|lpips|fvd|mape|smape|pearson|spearman|kendall|kappa|mcc"
    "|sensitivity|specificity|jaccard|hd|epe|cer|rouge|pesq|stoi|eer|chamfer"
)
_ELSEWHERE = re.compile(rf"(?:{_WORDS})(?:[@_-]?\d+|[_-][a-z]+)?|r2", re.IGNORECASE)
"""Scores that no reader knows by itself."""
_STAGES = "best|final|val|valid|validation|eval"
_STAGED = re.compile(
    rf"(?<![\w./-])(?:{_STAGES})[ ._/-]+(?!time|speed|mem|lr|eta|dur|sec|split|frac|ratio|step)"
    r"[A-Za-z][\w@./-]*\s*[:=]\s*[-+]?\d*\.\d+(?:[eE][-+]?\d+)?(?![\w.]|/)",
    re.IGNORECASE,
)
"""A fraction under a name of its own, of a stage where only scores are taken."""
_HINTS = frozenset({"rank", "cmc", "r", "top", "prec", "score"}).union(
    _WORDS.split("|"), _STAGES.split("|"), *map(_WORD.findall, METRICS)
)
"""The words of which a line must hold one to be looked at closely: most hold none."""
_LOOKED_AT = 2000
_NUMBERS = re.compile(r"[-+]?\d[\d.,:eE+-]*")


class Suspects:
    """Reports what looks like a measurement; of lines that differ in numbers alone, the first."""

    def __init__(self, draft: Draft) -> None:
        """Suspects of one run."""
        self._draft = draft
        self._shapes: set[str] = set()

    def see(self, number: int, text: str) -> None:
        """Look at a line that no pattern took."""
        if len(self._shapes) < UNREAD and looks_measured(text):
            shape = _NUMBERS.sub("#", text)[:200]
            if shape not in self._shapes:
                self._shapes.add(shape)
                self._draft.miss(number, text)


def looks_measured(text: str) -> bool:
    """Whether a line holds the name of a known metric with a number behind it."""
    text = text[:_LOOKED_AT]
    if _HINTS.isdisjoint(_WORD.findall(text.lower())):
        return False
    if _BARE.search(text) or _STAGED.search(text):
        return True
    return any(_known(name) for name in _NAMED.findall(text))


def _known(name: str) -> bool:
    """Whether a metric is called so: `val/acc` and `own accuracy` are judged by their end too."""
    own = known_metric(name.rpartition("_")[2])
    if own is not None and own.direction == "up":
        return True
    return any(
        known_metric(one) is not None or _ELSEWHERE.fullmatch(one) is not None
        for one in (name, re.split(r"[./ ]", name)[-1])
    )
