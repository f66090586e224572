"""What can go wrong, by what the user can do about it; each kind has its exit code."""

from typing import ClassVar


class AblateError(Exception):
    """A problem that one clear line explains; anything else that escapes is a defect (exit 5)."""

    exit_code: ClassVar[int] = 5


class UsageError(AblateError):
    """The command line, a name or an input file is wrong: correct it and call again."""

    exit_code: ClassVar[int] = 2


class SpecError(UsageError):
    """A study file or `ablate.toml` is wrong; the message names file, line and key."""


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
