"""Configurations of other programs: any YAML or JSON tree as dotted keys and texts."""

import re
from collections.abc import Iterator, Mapping, Sequence

import yaml

from ablate.study import Level

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_LIMIT = 5000


def read(text: str) -> dict[str, str]:
    """Dotted key -> text as written, of a YAML or JSON mapping; raises ValueError.

    Nothing is converted: YAML 1.1 would read `no` as false and leave `5e-4` a text.
    """
    try:
        tree = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506 - it makes texts only
    except (yaml.YAMLError, RecursionError) as wrong:
        raise ValueError(" ".join(str(wrong).split())) from None
    if not isinstance(tree, Mapping):
        raise ValueError("it is no mapping of keys to values")  # noqa: TRY004 - the text is wrong, not a type
    return flat(tree)


def flat(tree: Mapping[str, object]) -> dict[str, str]:
    """Dotted key -> text of a tree; a list of plain values is one text. Raises ValueError."""
    found: dict[str, str] = {}
    for key, value in _leaves(tree, ()):
        found[key] = value
        if len(found) > _LIMIT:
            raise ValueError(f"over {_LIMIT} settings")
    return found


def typed(text: str) -> Level:
    """The level that a setting's text means: a switch, a whole number, a number or the text."""
    bare = text.strip().strip("'\"")
    if bare.lower() in {"true", "false"}:
        return bare.lower() == "true"
    if _NUMBER.fullmatch(bare):
        return int(bare) if re.fullmatch(r"[+-]?\d+", bare) else float(bare)
    return bare


def _leaves(tree: object, path: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    if isinstance(tree, Mapping):
        for key, value in tree.items():
            yield from _leaves(value, (*path, str(key)))
    elif isinstance(tree, Sequence) and not isinstance(tree, str):
        if any(isinstance(part, Mapping) for part in tree):
            for position, part in enumerate(tree):
                yield from _leaves(part, (*path, str(position)))
        else:
            yield ".".join(path), "[" + ", ".join(_text(part) for part in tree) + "]"
    else:
        yield ".".join(path), _text(tree)


def _text(value: object) -> str:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(_text(part) for part in value) + "]"
    return "" if value is None else str(value)
