"""What can go wrong, by what the user can do about it; each kind has its exit code."""

import difflib
from collections.abc import Iterable
from typing import ClassVar


class AblateError(Exception):
    """A problem that one clear line explains; anything else that escapes is a defect (exit 5)."""

    exit_code: ClassVar[int] = 5


class UsageError(AblateError):
    """The command line, a name or an input file is wrong: correct it and call again."""

    exit_code: ClassVar[int] = 2


class SpecError(UsageError):
    """A study file or `ablate.toml` is wrong; the message names file, line and key.

    `keys` is the path of the offending key inside the file, for whoever knows the file's text.
    """

    def __init__(self, message: str, keys: tuple[str | int, ...] = ()) -> None:
        super().__init__(message)
        self.keys = keys


class DeclarationError(UsageError):
    """A system cannot be found, cannot be imported or declares itself wrongly."""


class StoreError(AblateError):
    """The results database cannot be used: corrupt, newer, or not a database of ablate."""

    exit_code: ClassVar[int] = 3


class HostError(AblateError):
    """The machine cannot do what was asked: disk, ports, Ray, a missing device."""

    exit_code: ClassVar[int] = 4


class LockedError(AblateError):
    """Another living process holds what this one needs."""

    exit_code: ClassVar[int] = 6


def not_one_of(what: str, name: str, known: Iterable[str]) -> str:
    """The sentence for an unknown name: what there is instead, and the nearest to it."""
    names = list(known)
    if not names:
        return f"{what} {name!r} is unknown: there is none"
    near = difflib.get_close_matches(name.lower(), [n.lower() for n in names], n=1, cutoff=0.6)
    begun = [n for n in names if name and n.lower().startswith(name.lower())]
    guess = next((n for n in names if n.lower() in near), begun[0] if begun else None)
    listed = ", ".join(names[:_LISTED]) + (", ..." if len(names) > _LISTED else "")
    hint = f" (did you mean {guess!r}?)" if guess else ""
    return f"{what} {_short(name)} is not one of {listed}{hint}"


_LISTED = 16
_LONGEST = 80


def _short(name: str) -> str:
    return repr(name if len(name) <= _LONGEST else name[:_LONGEST] + "...")
