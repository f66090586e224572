"""Checkpoints that are whole or absent: atomic, digest-checked, loaded without pickle.

torch.load does not verify checksums (one flipped bit of a weight loads silently), so every file
has the sha256 of its bytes beside it, and nothing is loaded that does not match.
"""

import hashlib
import io
import json
import pickle
from collections.abc import Mapping
from pathlib import Path

import torch

from ablate.files import write_atomically

GENERATIONS = 2


def save(
    folder: Path, number: int, state: Mapping[str, object], note: Mapping[str, object]
) -> Path:
    """Write generation `number` of a checkpoint with a JSON note; keep the last two.

    Raises OSError when the disk refuses; what was there before stays intact.
    """
    folder.mkdir(parents=True, exist_ok=True)
    buffer = io.BytesIO()
    torch.save(dict(state), buffer)
    data = buffer.getvalue()
    path = folder / f"{number:08d}.pt"
    write_atomically(path, data)
    seal = {"sha256": hashlib.sha256(data).hexdigest(), "note": dict(note)}
    write_atomically(path.with_suffix(".json"), json.dumps(seal).encode())
    for old in generations(folder)[GENERATIONS:]:
        old.with_suffix(".json").unlink(missing_ok=True)
        old.unlink(missing_ok=True)
    return path


def generations(folder: Path) -> list[Path]:
    """The checkpoints of a folder, newest first; half-written ones are not among them."""
    return sorted((p for p in folder.glob("*.pt") if p.with_suffix(".json").exists()), reverse=True)


def load(path: Path) -> tuple[dict[str, object], dict[str, object]]:
    """The state and the note of one checkpoint; raises ValueError when it is not what was saved."""
    try:
        seal = json.loads(path.with_suffix(".json").read_text())
        data = path.read_bytes()
        if hashlib.sha256(data).hexdigest() != seal["sha256"]:
            raise ValueError(f"{path.name}: its digest does not match")
        state = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
        return state, dict(seal["note"])
    except (OSError, KeyError, TypeError, json.JSONDecodeError, RuntimeError, EOFError) as wrong:
        raise ValueError(f"{path.name}: {wrong}") from wrong
    except pickle.UnpicklingError as wrong:
        raise ValueError(
            f"{path.name}: holds more than tensors and plain values: {wrong}"
        ) from wrong


def newest(folder: Path) -> tuple[dict[str, object], dict[str, object], list[str]]:
    """The newest intact state and note, and a line for every broken one that was passed over.

    Raises LookupError when none is intact; its argument is the list of those lines.
    """
    problems: list[str] = []
    for path in generations(folder):
        try:
            state, note = load(path)
        except ValueError as wrong:
            problems.append(str(wrong))
        else:
            return state, note, problems
    raise LookupError(problems)
