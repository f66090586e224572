"""Levels as a program takes them: words of its command line, or a file of settings."""

import ast
import json
import math
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import yaml

from ablate.ingest.settings import typed
from ablate.spec.systems import WRITTEN, CommandTable, factor
from ablate.study import Level, meaning

_PLAIN = re.compile(r"[\w./:+@%*\\-]+", re.ASCII)
_LIST = re.compile(r"\[.*\]")
_ENDED = re.compile(r"(\\*)('|$)")


def assigned(table: CommandTable, levels: Mapping[str, Level], seed: int) -> dict[str, Level]:
    """The program's own keys with their levels, and the seed where it is one of them.

    Every level is there, for the program's own default need not be the declared reference; only a
    factor whose switch is off is left out, and a flag that is off.
    """
    factors = [factor(name, one) for name, one in table.factors.items()]
    found: dict[str, Level] = {}
    for one in meaning(levels, factors):
        declared, level = table.factors[one.name], levels[one.name]
        if not declared.flag or level:
            found[declared.key or one.name] = _switched(table, one.name, level)
    if table.seed:
        found[table.seed] = seed
    return found


def words(table: CommandTable, given: Mapping[str, Level]) -> list[str]:
    """The settings as words of a command line."""
    flags = {one.key or name for name, one in table.factors.items() if one.flag}
    found: list[str] = []
    for key, level in given.items():
        match table.style:
            case "--k v" | "--k=v" if key in flags:
                found.append(f"--{key}")
            case "--k v":
                found += [f"--{key}", _bare(level)]
            case "--k=v":
                found.append(f"--{key}={_text(level)}")
            case "k=v":
                found.append(f"{key}={_quoted(level)}")
            case "K V":
                found += [key, _literal(level)]
    return found


def unheeded(given: Mapping[str, Level], settings: Mapping[str, str]) -> list[str]:
    """What the program's own configuration says otherwise than it was told; texts apart."""
    found = []
    for key, level in given.items():
        asked, said = typed(_text(level)), typed(settings.get(key, ""))
        if key in settings and not isinstance(asked, str) and said != asked:
            found.append(f"{key} is {settings[key]} and not {_text(level)}")
    return found


def written(table: CommandTable, given: Mapping[str, Level]) -> str:
    """The settings as the text of a file; dotted keys are nested."""
    if table.style == "toml":
        return "".join(f"{_dotted(key)} = {_json(_own(level))}\n" for key, level in given.items())
    tree: dict[str, Any] = {}
    for key, level in given.items():
        *parents, last = key.split(".")
        inner = tree
        for parent in parents:
            inner = inner.setdefault(parent, {})
        inner[last] = _own(level)
    if table.style == "json":
        return json.dumps(tree, indent=1, ensure_ascii=False) + "\n"
    return str(yaml.safe_dump(tree, sort_keys=False, allow_unicode=True))


def _switched(table: CommandTable, name: str, level: Level) -> Level:
    """A switch as the text it is written by; in a file, and where texts are quoted, its value."""
    if not isinstance(level, bool):
        return level
    one = table.factors[name]
    text = one.on if level else one.off
    value = typed(text)
    quotes = table.style in {"k=v", "K V"} and not isinstance(value, bool)
    return value if table.style in WRITTEN or quotes else text


def _text(level: Level) -> str:
    return repr(level) if isinstance(level, float) else str(level)


def _bare(level: Level) -> str:
    """As argparse takes it: `-1e-05` would be an option to it, `-0.00001` is a number."""
    if isinstance(level, float) and level < 0 and math.isfinite(level):
        return f"{Decimal(repr(level)):f}"
    return _text(level)


def _quoted(level: Level) -> str:
    """As Hydra and OmegaConf take it: a text that is no name, or a number to them, is quoted.

    One in square brackets is a list.
    """
    text = _text(level)
    if not isinstance(level, str) or _LIST.fullmatch(text):
        return text
    if _PLAIN.fullmatch(text) and isinstance(typed(text), str | bool):
        return text
    escaped = _ENDED.sub(lambda end: end[1] * 2 + ("\\'" if end[2] else ""), text)
    return f"'{escaped}'"


def _literal(level: Level) -> str:
    """As YACS takes it: a text that Python would read as something else is quoted.

    A list or a tuple is not, nor what a switch writes: `True` is meant as it stands.
    """
    text = _text(level)
    if not isinstance(level, str) or text in {"True", "False", "None"}:
        return text
    read = _read(text)
    return text if isinstance(read, list | tuple) or read is text else repr(text)


def _own(level: Level) -> object:
    """As a file of settings holds it: a text that is a list or a tuple is a list."""
    read = _read(level) if isinstance(level, str) else level
    return list(read) if isinstance(read, list | tuple) else level


def _read(text: str) -> object:
    """What Python reads in a text; the text itself where it is none of its values."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text


def _dotted(key: str) -> str:
    return ".".join(json.dumps(part, ensure_ascii=False) for part in key.split("."))


def _json(level: object) -> str:
    return json.dumps(level, ensure_ascii=False)
