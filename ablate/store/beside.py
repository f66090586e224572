"""What is written beside the database, so that it can be made again: studies, and what is by hand.

`studies/NAME.json` is a study with its placements, `by-hand.json` the notes and external scores.
The folders of attempts hold the results.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, unquote

from sqlmodel import Session

from ablate.errors import HostError
from ablate.files import write_atomically
from ablate.record import State
from ablate.store import by_hand, reading, values
from ablate.study import Placement, Study, Trial, Variant

STUDIES = "studies"
BY_HAND = "by-hand.json"
STUDY_SCHEMA = "ablate.study/1"
BY_HAND_SCHEMA = "ablate.by-hand/1"

_PLACED = (
    "SELECT p.variant, p.role, p.parent, p.extra, t.key, t.system, t.revision, t.levels, t.changed,"
    " t.seed, t.data, t.start, t.stops, t.state,"
    " (SELECT source FROM attempt WHERE trial_id = t.id AND owner = 'import'"
    " ORDER BY number DESC LIMIT 1)"
    " FROM placement AS p JOIN trial AS t ON t.id = p.trial_id"
    " WHERE p.study_id = ? ORDER BY p.position"
)


class Written(NamedTuple):
    """What a study's file says; `imported` is the source of each trial that was brought in."""

    study: Study
    placements: list[Placement]
    source: str
    imported: dict[str, str]


def study_file(folder: Path, name: str) -> Path:
    """Where the study called `name` is written."""
    return folder / STUDIES / f"{quote(name, safe=' ')}.json"


def write_studies(session: Session, folder: Path, names: Iterable[str]) -> None:
    """Write each study as it stands; raises HostError."""
    for name in names:
        file = study_file(folder, name)
        _write(file, study_text(session, name, _remembered(file)))


def write_by_hand(session: Session, folder: Path) -> None:
    """Write all notes and external scores; raises HostError."""
    scores = by_hand.externals(session, "SELECT trial_id FROM external")
    document = {
        "schema": BY_HAND_SCHEMA,
        "externals": [{"key": key, **asdict(score)} for key, of in scores.items() for score in of],
        "notes": [asdict(note) for note in by_hand.notes(session)],
    }
    _write(folder / BY_HAND, json.dumps(document, indent=1, ensure_ascii=False))


def study_files(folder: Path) -> list[Path]:
    """The studies that are written there, the one that changed last at the end."""
    return sorted((folder / STUDIES).glob("*.json"), key=lambda f: (f.stat().st_mtime_ns, f.name))


def read_study(file: Path) -> Written:
    """What a study's file says; raises OSError, ValueError, KeyError, TypeError."""
    document = json.loads(file.read_text("utf-8"))
    if document["schema"] != STUDY_SCHEMA:
        raise ValueError(f"schema {document['schema']!r} is not {STUDY_SCHEMA!r}")
    text = json.dumps({"study": document["study"]["study"]})
    study = values.Document.model_validate_json(text).study
    placements = [_placement(entry) for entry in document["placements"]]
    return Written(study, placements, document["source"], _imported(document))


def _imported(document: dict[str, Any]) -> dict[str, str]:
    # A file of an older ablate says only of the whole study that it was brought in.
    whole = document["source"] if document["source"].startswith("import") else ""
    found = {e["key"]: e.get("imported", whole) for e in document["placements"]}
    return {key: source for key, source in found.items() if source}


def forgotten(session: Session, folder: Path) -> dict[str, dict[str, str]]:
    """Study -> key -> source of each trial that was brought in and that the database lacks.

    Studies whose files cannot be read are left out.
    """
    found: dict[str, dict[str, str]] = {}
    for file in study_files(folder):
        told = _remembered(file)
        states = reading.states(session, list(told))
        lost = {key: source for key, source in told.items() if states[key] is State.PENDING}
        if lost:
            found[unquote(file.stem)] = lost
    return found


def _remembered(file: Path) -> dict[str, str]:
    """What the file of a study says was imported: a database made anew may not know it."""
    try:
        return _imported(json.loads(file.read_text("utf-8")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _placement(entry: dict[str, Any]) -> Placement:
    trial = Trial(**{**entry["trial"], "stops": tuple(entry["trial"]["stops"])})
    if trial.key != entry["key"]:
        raise ValueError(f"the trial of {entry['variant']} is not what its key says")
    variant = Variant(entry["variant"], trial.levels, entry["role"], entry["parent"])
    return Placement(variant, trial, entry["extra"])


def study_text(session: Session, name: str, remembered: Mapping[str, str]) -> str:
    """A study with its placements as JSON; pending trials are imported as `remembered`."""
    row = reading.row_of(session, name)
    rows = session.connection().exec_driver_sql(_PLACED, (row.id,))
    document = {
        "schema": STUDY_SCHEMA,
        "source": row.source,
        "study": json.loads(row.document),
        "placements": [
            {
                "variant": variant,
                "role": role,
                "parent": parent,
                "extra": bool(extra),
                "key": key,
                "imported": imported or (remembered.get(key, "") if state == State.PENDING else ""),
                "trial": {
                    "system": system,
                    "revision": revision,
                    "levels": json.loads(levels),
                    "changed": json.loads(changed),
                    "seed": seed,
                    "data": data,
                    "start": start,
                    "stops": json.loads(stops),
                },
            }
            for (
                variant,
                role,
                parent,
                extra,
                key,
                system,
                revision,
                levels,
                changed,
                seed,
                data,
                start,
                stops,
                state,
                imported,
            ) in rows
        ],
    }
    return json.dumps(document, ensure_ascii=False)


def _write(path: Path, text: str) -> None:
    data = text.encode("utf-8", "backslashreplace")
    try:
        if path.exists() and path.read_bytes() == data:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, data)
    except OSError as wrong:
        raise HostError(
            f"{path} cannot be written ({wrong.strerror}); the database itself is up to date"
        ) from None
