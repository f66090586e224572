"""Levels in words that the program's own parser reads back as what they are."""

import argparse
import ast
import json
import math
import tomllib
from collections.abc import Callable

import pytest
import yaml

from ablate.command.overrides import assigned, words, written
from ablate.spec.systems import CommandTable
from ablate.study import Level

TEXTS = [
    "",
    "a b",
    "it's",
    'say "x"',
    "tail\\",
    "a\\'b",
    "é 漢",
    "7",
    "1e-5",
    "x=y",
    "{seed}",
    "-x",
]
NUMBERS: list[Level] = [-1e-05, -3, 1e22, 0.1, -2.5e-300, 0]


def table(style: str, **factor: object) -> CommandTable:
    return CommandTable.model_validate(
        {
            "command": "python train.py {overrides}",
            "style": style,
            "factors": {"net.word": {"reference": "", **factor}},
            "metrics": {"score": {}},
        }
    )


def given(style: str, level: Level) -> list[str]:
    return words(table(style), {"net.word": level})


@pytest.mark.parametrize("level", NUMBERS)
@pytest.mark.parametrize("style", ["--k v", "--k=v"])
def test_argparse_reads_every_number_back(style: str, level: Level) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--net.word", type=float)

    assert vars(parser.parse_args(given(style, level)))["net.word"] == level


@pytest.mark.parametrize("text", TEXTS)
def test_argparse_reads_every_text_back_after_an_equals_sign(text: str) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--net.word")

    assert vars(parser.parse_args(given("--k=v", text)))["net.word"] == text


def _yacs(text: str) -> object:
    """As YACS reads a word: Python's value of it, else the word."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


@pytest.mark.parametrize("level", [*TEXTS, *NUMBERS])
def test_yacs_reads_every_level_back(level: Level) -> None:
    (key, word) = given("K V", level)

    assert (key, _yacs(word)) == ("net.word", level)


@pytest.mark.parametrize("level", [*TEXTS, *NUMBERS])
def test_hydra_reads_every_level_back(level: Level) -> None:
    parser = pytest.importorskip("hydra.core.override_parser.overrides_parser")
    (word,) = given("k=v", level)

    assert parser.OverridesParser.create().parse_override(word).value() == level


@pytest.mark.parametrize("level", [*TEXTS, *NUMBERS])
@pytest.mark.parametrize(
    ("style", "read"),
    [("yaml", yaml.safe_load), ("json", json.loads), ("toml", tomllib.loads)],
)
def test_a_file_of_settings_holds_every_level_below_its_dotted_key(
    style: str, read: Callable[[str], dict[str, dict[str, Level]]], level: Level
) -> None:
    found = read(written(table(style), {"net.word": level}))["net"]["word"]

    assert found == level or (isinstance(level, float) and math.isclose(float(found), level))


def test_a_text_that_is_a_list_is_one_in_yacs_hydra_and_files() -> None:
    steps = "[40, 70]"

    assert given("K V", steps)[1] == steps
    assert given("K V", "(40, 70)")[1] == "(40, 70)"
    assert given("k=v", steps) == ["net.word=[40, 70]"]
    assert yaml.safe_load(written(table("yaml"), {"s": "(40, 70)"})) == {"s": [40, 70]}
    assert tomllib.loads(written(table("toml"), {"s": steps})) == {"s": [40, 70]}
    assert json.loads(written(table("json"), {"s": "[see note]"})) == {"s": "[see note]"}


@pytest.mark.parametrize(("style", "said"), [("K V", ["net.word", "1"]), ("k=v", ["net.word=1"])])
def test_what_a_switch_writes_is_meant_as_it_stands(style: str, said: list[str]) -> None:
    switch = table(style, reference=False, on="1", off="0")

    assert words(switch, assigned(switch, {"net.word": True}, 0)) == said
