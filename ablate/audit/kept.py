"""What the database keeps of an audit, and whether it is still true. Loads no check."""

import hashlib
from pathlib import Path

from ablate import __version__
from ablate.record import Finding
from ablate.selection import Selection
from ablate.store import Store
from ablate.study import Study

_RULES = ("audit", "analysis")
"""The packages whose programs decide what is found."""


def kept(store: Store, study: Study, selection: Selection | None = None) -> list[Finding] | None:
    """The stored findings of a study; None where they are of other checks or of another state.

    Also under another rule than the study's own: it decides what can be found.
    """
    if selection is not None and selection != study.selection:
        return None
    if store.stamp(study.name) != stamp(store, study.name):
        return None
    return store.findings(study.name)


def stamp(store: Store, study: str) -> str:
    """What findings of now are stamped with: the checks, and the state that they look at."""
    return f"{rules()}:{store.state(study)}"


def rules() -> str:
    """A digest of the programs of all checks, which are read and not run."""
    digest = hashlib.sha256(__version__.encode())
    for package in _RULES:
        folder = Path(__file__).parents[1] / package
        for file in sorted(folder.rglob("*.py")):
            digest.update(file.relative_to(folder).as_posix().encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()
