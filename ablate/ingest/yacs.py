"""What programs with a YACS configuration print of it: the tree, and their command line."""

import ast
import re
from collections.abc import Iterable

from ablate.ingest.text import without_places

_ENTRY = re.compile(r"( *)([A-Za-z_][\w.-]*):(?: (.*))?")


def is_entry(text: str) -> bool:
    """Whether a line may belong to a printed configuration."""
    return _ENTRY.fullmatch(text) is not None


def resolved(lines: Iterable[str]) -> dict[str, str]:
    """Dotted key -> text of a configuration as YACS prints it: `str(value)`, which is no YAML.

    Absolute paths are their last part.
    """
    found: dict[str, str] = {}
    path: list[tuple[int, str]] = []
    for line in lines:
        entry = _ENTRY.fullmatch(line)
        if entry is None:
            continue
        depth = len(entry[1])
        while path and path[-1][0] >= depth:
            path.pop()
        path.append((depth, entry[2]))
        if len(path) > 1:
            found.pop(".".join(name for _, name in path[:-1]), None)
        found[".".join(name for _, name in path)] = without_places((entry[3] or "").strip())
    return found


def namespace(text: str) -> dict[str, object]:
    """The arguments of a printed `Namespace(...)`; raises ValueError where it is none."""
    try:
        call = ast.parse(text.strip(), mode="eval").body
        if not isinstance(call, ast.Call) or call.args:
            raise ValueError("it is no Namespace")
        return {k.arg: ast.literal_eval(k.value) for k in call.keywords if k.arg}
    except (SyntaxError, MemoryError, RecursionError) as wrong:
        raise ValueError(str(wrong)) from None


def pairs(opts: object) -> dict[str, str]:
    """The settings among a command line's words: `KEY VALUE KEY VALUE`; raises ValueError."""
    words = [str(word) for word in opts] if isinstance(opts, list | tuple) else []
    if len(words) % 2:
        raise ValueError(f"{words[-1]!r} has no value")
    return {key: without_places(value) for key, value in zip(words[::2], words[1::2], strict=True)}
