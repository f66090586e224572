"""Scores that a program prints for several variants of one network, one of which counts."""

from ablate.ingest.curves import Curves
from ablate.ingest.run import Draft
from ablate.selection import held

COUNTED = "test"


class Patterns:
    """Puts scores on `test` or `test.NAME`, and follows the running best that is printed of them.

    Which variant counts is known once the first validation is over: the one scored last. Until
    then scores wait.
    """

    def __init__(self, draft: Draft, curves: Curves, primary: str) -> None:
        """Scores of a run whose source picks its best by `primary`."""
        self._curves = curves
        self.name = ""
        """The variant that is scored now; empty where there is one alone."""
        self.epoch = 0
        """The epoch whose scores were printed last."""
        self.best_epoch = 0
        """The epoch after which a whole running best was printed last."""
        self._draft = draft
        self._primary = primary
        self._counted: str | None = None
        self._waiting: list[tuple[str, int, str, float]] = []
        self._saying: dict[str, float] = {}
        self._holder = 0
        self._stood: dict[int, tuple[dict[str, float], int]] = {}

    def score(self, name: str, value: float) -> None:
        """Take a score of the variant and epoch at hand."""
        if self._counted is None:
            self._waiting.append((self.name, self.epoch, name, value))
        else:
            self._place(self.name, self.epoch, name, value)

    def validated(self) -> None:
        """A validation is over."""
        if self._waiting:
            self._counted = self._waiting[-1][0]
            for waiting in self._waiting:
                self._place(*waiting)
            self._waiting.clear()

    def best(self, name: str, value: float) -> None:
        """Take a line of the running best."""
        self._saying[name] = value

    def best_ends(self) -> None:
        """The running best is printed whole."""
        if not self._saying:
            return
        self.validated()
        said, self._saying = self._saying, {}
        if said != self._draft.best or not self._holder:
            self._holder = self._holding(said)
        self._draft.best, self.best_epoch = said, self.epoch
        self._stood[self.epoch] = (dict(said), self._holder)
        if self._primary not in said:
            return
        if self._holder:
            self._curves.point(self.epoch, COUNTED, held(self._primary), float(self._holder))
        else:
            self._draft.remark(f"the best after epoch {self.epoch} is no epoch's of this log")

    def end(self) -> None:
        """Nothing more comes. What is cut off is left out, not guessed."""
        if self._saying.keys() >= self._draft.best.keys():
            self.best_ends()
        if self._waiting:
            last = self._waiting[-1][0]
            if not last or "-" in last:
                self.validated()
            else:
                self._draft.remark("the first validation is cut: which pattern counts is unknown")

    def rewind(self, epoch: int) -> None:
        """The training does an epoch again: the running best is what it was before it."""
        self.epoch = epoch - 1
        self.best_epoch = min(self.best_epoch, self.epoch)
        self._saying.clear()
        if self.epoch in self._stood:
            best, self._holder = self._stood[self.epoch]
            self._draft.best = dict(best)

    def forget(self) -> None:
        """The training began anew."""
        self.epoch = self.best_epoch = self._holder = 0
        self.name, self._counted = "", None
        self._stood.clear()
        self._draft.best.clear()
        self._saying.clear()

    def at(self, epoch: int, name: str) -> float | None:
        """A score that counts."""
        return self._draft.scalars.get((COUNTED, name, epoch))

    def names(self) -> list[str]:
        """What is scored, in the order of printing."""
        found = {name: None for split, name, _ in self._draft.scalars if split == COUNTED}
        return [name for name in found if name != held(self._primary)]

    def whole(self, epoch: int) -> bool:
        """Whether an epoch has every score that any epoch has, and its running best."""
        names = self.names()
        scored = bool(names) and all(self.at(epoch, name) is not None for name in names)
        return scored and (not self._draft.best or self.best_epoch >= epoch)

    def _place(self, pattern: str, epoch: int, name: str, value: float) -> None:
        split = COUNTED if pattern == self._counted else f"{COUNTED}.{pattern}"
        self._curves.point(epoch, split, name, value)

    def _holding(self, said: dict[str, float]) -> int:
        """The epoch whose scores are those said to be best: this one, or the latest of them."""
        for names in (list(said), [self._primary]):
            for epoch in range(self.epoch, 0, -1):
                if all(self.at(epoch, name) == said.get(name) for name in names):
                    return epoch
        return 0
