"""What an import would take away or change: said before anything is written."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ablate.ingest.changes import Changes
    from ablate.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What is to be asked of the database at `path`; `look` finds what would change there."""

    path: Path
    look: "Callable[[Store], Changes]"
    replace: bool
    dry_run: bool
    quiet: bool


def agreed(change: Change) -> "Changes | None":
    """Say what would change, refuse what takes runs away unasked, keep a copy before numbers go.

    None where there is no database yet.
    """
    from ablate.cli.console import note, out
    from ablate.errors import UsageError
    from ablate.store import open_store

    if not change.path.exists():
        return None
    with open_store(change.path, create=not change.dry_run) as store:
        found = change.look(store)
        for line in () if change.quiet else found.lines():
            out().print(line, soft_wrap=True)
        if found.takes_away and not change.replace:
            raise UsageError(found.refusal())
        if found.destroys and not change.dry_run:
            note(f"kept as it was: {store.keep('import')}")
    return found


def document(found: "Changes | None") -> dict[str, object]:
    """What would change, as JSON."""
    return {
        "leaving": list(found.leaving) if found else [],
        "staying": list(found.staying) if found else [],
        "factors": list(found.factors) if found else [],
        "changed": dict(found.changed) if found else {},
    }
