"""Whether a training went as far as its configuration planned."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ablate.spec.keys import last, words

_EPOCHS = frozenset(
    {"epochs", "max_epochs", "num_epochs", "n_epochs", "total_epochs", "num_train_epochs"}
)
UNSAID = "its record does not say whether it ended"
_WHOLE = re.compile(r"\d{1,9}")


@dataclass(frozen=True, slots=True)
class Plan:
    """What a configuration says of a training's length; None where it says nothing, or two things.

    `patience` is that of an early stop, never that of a schedule.
    """

    epochs: int | None
    patience: int | None

    @classmethod
    def of(cls, settings: Mapping[str, str]) -> "Plan":
        """The plan of a resolved configuration."""
        return cls(_only(settings, _is_epochs), _only(settings, _is_patience))


def _is_epochs(key: str) -> bool:
    return "_".join(words(last(key))) in _EPOCHS


def _is_patience(key: str) -> bool:
    said = words(key)
    return "patience" in said and "early" in said


def _only(settings: Mapping[str, str], wanted: Callable[[str], bool]) -> int | None:
    found = {v for k, v in settings.items() if wanted(k) and _WHOLE.fullmatch(v)}
    return int(found.pop()) if len(found) == 1 else None
