"""What a run's provenance says of its code, libraries, hardware and data; the rest is its own."""

import re
from collections.abc import Mapping
from typing import Literal, TypeAlias

from ablate.record import Record

Origin: TypeAlias = Literal["code", "libraries", "hardware", "data"]
ORIGINS: tuple[Origin, ...] = ("code", "libraries", "hardware", "data")
_COMMITS = ("commit", "git_commit", "git_hash", "git_sha")
_DIGEST = 7
_LONGEST = 60
_LIBRARY = re.compile(
    r"python|(py)?torch|torchvision|torchaudio|numpy|scipy|cuda|cudnn|nvcc|gcc|opencv|jax|ablate"
    r"|tensorflow|lightning|transformers|driver|mm\w+( compiler| cuda compiler)?",
    re.IGNORECASE,
)
_VERSION = re.compile(r"\d+\.\d+\.\d+[\w.+-]*")
_HARDWARE = re.compile(r"device|gpus?|cpu|cores|threads", re.IGNORECASE)
_DATA = re.compile(r"data( .*)?", re.IGNORECASE)
_ASSUMED = re.compile(r"assumed(?: \(the log says (.*)\))?")


def origin(record: Record) -> dict[tuple[Origin, str], str]:
    """(origin, name) -> what the run says; what it does not say is not there.

    The name of a machine is no hardware: two of one kind are alike.
    """
    if record.attempt is None:
        return {}
    facts = record.attempt.provenance
    found: dict[tuple[Origin, str], str] = {}
    if code := _code(facts):
        found["code", "code"] = code
    for name, text in (*facts.items(), ("device", record.attempt.device)):
        kind, said = _kind(name, text), _said(name, text)
        if kind and said:
            found[kind, name] = said
    return found


def sources(record: Record) -> str:
    """What tells its code from another's if a commit of other files must not; "" if unknown."""
    facts = record.attempt.provenance if record.attempt else {}
    return f"{facts['sources']} {facts.get('diff', '')}" if facts.get("sources") else ""


def uncommitted(record: Record) -> bool:
    """Whether its code had changes that neither a commit nor a kept difference holds."""
    facts = record.attempt.provenance if record.attempt else {}
    return facts.get("dirty") in {"yes", "unknown"} and not facts.get("diff")


def _code(facts: Mapping[str, str]) -> str:
    commit = next((facts[name] for name in _COMMITS if facts.get(name)), "")[:_DIGEST]
    diff = facts.get("diff", "")[:_DIGEST]
    if not diff and facts.get("dirty") == "yes":
        diff = facts.get("sources", "")[:_DIGEST]
    return f"{commit} with the changes {diff}" if diff else commit


def _kind(name: str, text: str) -> Origin | None:
    if _HARDWARE.fullmatch(name):
        return "hardware"
    if _DATA.fullmatch(name):
        return "data"
    return "libraries" if _LIBRARY.fullmatch(name) or _VERSION.fullmatch(text) else None


def _said(name: str, text: str) -> str:
    assumed = _ASSUMED.fullmatch(text) if name == "data" else None
    said = (assumed[1] or "") if assumed else text
    return said if len(said) <= _LONGEST else f"{said[:_LONGEST]}…"
