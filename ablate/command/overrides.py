"""Levels as a program takes them: words of its command line, or a file of settings."""

import ast
import json
import re
from collections.abc import Mapping
from typing import Any

import yaml

from ablate.ingest.settings import typed
from ablate.spec.systems import WRITTEN, CommandTable, factor
from ablate.study import Level, meaning

_PLAIN = re.compile(r"[\w./:+@%*\\-]+")


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
                found += [f"--{key}", _text(level)]
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
        return "".join(f"{_dotted(key)} = {_json(level)}\n" for key, level in given.items())
    tree: dict[str, Any] = {}
    for key, level in given.items():
        *parents, last = key.split(".")
        inner = tree
        for parent in parents:
            inner = inner.setdefault(parent, {})
        inner[last] = level
    if table.style == "json":
        return json.dumps(tree, indent=1, ensure_ascii=False) + "\n"
    return str(yaml.safe_dump(tree, sort_keys=False, allow_unicode=True))


def _switched(table: CommandTable, name: str, level: Level) -> Level:
    """A switch as the text it is written by; in a file its own type where none was declared."""
    if not isinstance(level, bool):
        return level
    one = table.factors[name]
    text = one.on if level else one.off
    return typed(text) if table.style in WRITTEN else text


def _text(level: Level) -> str:
    return repr(level) if isinstance(level, float) else str(level)


def _quoted(level: Level) -> str:
    """As Hydra and OmegaConf take it: a text with other signs than a name's is quoted."""
    text = _text(level)
    if not isinstance(level, str) or _PLAIN.fullmatch(text):
        return text
    escaped = text.replace("'", "\\'")
    return f"'{escaped}'"


def _literal(level: Level) -> str:
    """As YACS takes it: a text that Python would read as something else is quoted.

    What a switch writes is not: `True` is meant as it stands.
    """
    text = _text(level)
    if not isinstance(level, str) or text in {"True", "False", "None"}:
        return text
    try:
        ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text
    return repr(text)


def _dotted(key: str) -> str:
    return ".".join(json.dumps(part, ensure_ascii=False) for part in key.split("."))


def _json(level: Level) -> str:
    return json.dumps(level, ensure_ascii=False)
