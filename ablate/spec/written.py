"""TOML as it is written: any text comes back as it was."""

import re
from collections.abc import Iterable, Mapping, Sequence

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_ESCAPED = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def value(of: object) -> str:
    """A switch, a number, a text, or a list of them; raises TypeError for anything else."""
    if isinstance(of, bool):
        return str(of).lower()
    if isinstance(of, int | float):
        return repr(of)
    if isinstance(of, str):
        return quoted(of)
    if isinstance(of, Sequence):
        return f"[{', '.join(map(value, of))}]"
    raise TypeError(f"{type(of).__name__} has no form in TOML here")


def quoted(text: str) -> str:
    """A basic string: control characters and lone surrogates by their numbers."""
    return '"' + "".join(map(_escaped, text)) + '"'


def key(*parts: str) -> str:
    """A dotted key, each part quoted where it must be."""
    return ".".join(p if _BARE.fullmatch(p) else quoted(p) for p in parts)


def table(name: str, of: Mapping[str, object]) -> list[str]:
    """The lines of a table, its header first; `name` as it stands between the brackets."""
    width = max((len(key(k)) for k in of), default=0)
    return [name, *(f"{key(k):<{width}} = {value(v)}" for k, v in of.items())]


def document(tables: Iterable[Sequence[str]]) -> str:
    """Tables with an empty line between them."""
    return "\n\n".join("\n".join(lines) for lines in tables) + "\n"


def _escaped(character: str) -> str:
    if character in _ESCAPED:
        return _ESCAPED[character]
    code = ord(character)
    if code < 0x20 or code == 0x7F:  # noqa: PLR2004 - the control characters
        return f"\\u{code:04X}"
    # no TOML holds half a character
    return "\\uFFFD" if 0xD800 <= code <= 0xDFFF else character  # noqa: PLR2004 - the surrogates
