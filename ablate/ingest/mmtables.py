"""Names of validation scores in mmdetection's logs, and the tables printed beside them."""

import re

from ablate.ingest.names import known_metric
from ablate.ingest.run import Draft
from ablate.ingest.suspects import VALUE

SPLIT = "val"

_OF_CLASS = re.compile(
    r"(.+?)_(AP_dist_[\d.]+|(?:trans|scale|orient|vel|attr)_err|precision|recall)"
    r"|(IoU|Acc|Dice|Fscore|Precision|Recall)\.(.+)"
)
_SUMMARY = re.compile(rf"(mAP|NDS|m[A-Z]{{3}}): ({VALUE})\s*")
_HEADER = re.compile(r"Object Class\s+(.+)")
_CLASSES = frozenset({"class", "category", "classes"})
_COCO = re.compile(r"\s*Average (?:Precision|Recall)\s+\(A[PR]\)")
_NUMBER = re.compile(VALUE, re.IGNORECASE)


def placed(said: str) -> tuple[str, str]:
    """Class and name of a printed score; the class is empty for one of the whole data set.

    What stands before the last `/` is the data set's and the head's; `bbox_` goes too, for boxes
    are what a detector is scored by.
    """
    name = said.rpartition("/")[2].removeprefix("bbox_")
    found = _OF_CLASS.fullmatch(name)
    if found is None or found[1] in {"m", "mean"}:
        metric = known_metric(name)
        return "", metric.name if metric else name
    return (found[1], found[2]) if found[1] else (found[4], found[3])


class Tables:
    """What evaluations print past the logger: a summary, and one line per class."""

    def __init__(self, draft: Draft) -> None:
        """The tables of one run."""
        self._draft = draft
        self._columns: list[str] = []
        self._summary: dict[str, float] = {}
        self._said: set[str] = set()

    def see(self, text: str) -> bool:
        """Whether a line belongs to a summary or a table."""
        if found := _SUMMARY.fullmatch(text):
            self._summary[found[1]] = float(found[2])
            return True
        if found := _HEADER.fullmatch(text):
            self._columns = ["class", *found[1].split()]
            self._draft.consume("Per-class results")
            return True
        if "|" in text:
            return self._barred([cell.strip() for cell in text.strip().strip("|").split("|")])
        if self._columns and self._row(text.split()):
            return True
        self.close()
        return _COCO.match(text) is not None

    def said(self, name: str) -> None:
        """A score came through the logger: a summary need not say it again."""
        self._said.add(name)

    def close(self) -> None:
        """What follows is no row."""
        self._columns = []

    def settle(self) -> None:
        """A summary whose scores never came through the logger is all there is of them."""
        for name, value in self._summary.items():
            if name not in self._said:
                self._draft.scores[name] = value
                self._draft.consume("summary")

    def _barred(self, cells: list[str]) -> bool:
        if cells[0].lower() in _CLASSES:
            self._columns = cells
            return True
        return bool(self._columns) and len(cells) == len(self._columns) and self._row(cells)

    def _row(self, cells: list[str]) -> bool:
        if len(cells) != len(self._columns):
            return False
        item, read = "", False
        for column, cell in zip(self._columns, cells, strict=True):
            if column.lower() in _CLASSES:
                item = cell
            elif item and known_metric(item) is None and _NUMBER.fullmatch(cell):
                self._draft.items[SPLIT, item, column] = float(cell)
                read = True
        return read or known_metric(item) is not None
