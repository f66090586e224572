"""Numbers expected of a configuration that is written out, and that no run has."""

import re
from collections.abc import Iterable, Sequence
from itertools import groupby

from ablate.audit.check import Text
from ablate.design.names import shown
from ablate.lint.ledger import Ledger
from ablate.lint.names import Names
from ablate.lint.statements import Statement
from ablate.lint.world import bare
from ablate.study import Level

_SET = re.compile(r"^[\s\-]*(?P<key>[\w.]+)\s*[:=]\s*(?P<value>[\w.+\-]+)\s*(?:#.*)?$")
_EXPECTED = re.compile(r"预期|期望|预计|expect", re.IGNORECASE)
_NEAR = 3
"""How many lines below a configuration may say what is expected of it."""


def check_recommended(found: Sequence[Statement], names: Names, ledger: Ledger) -> None:
    """Say of expected scores below a block that sets every module whether a run has that block."""
    at = 0
    for code, of in groupby(found, lambda s: s.kind == "code"):
        block = list(of)
        at += len(block)
        if not code:
            continue
        moved = _moved((s.text for s in block), names)
        if not moved or any(names.world.moved(v) == moved for v in names.world.cells):
            continue
        for statement in found[at : at + _NEAR]:
            said = _EXPECTED.search(statement.text) and statement.scores and statement.numbers
            if said and statement.heading == block[-1].heading:
                levels = ", ".join(f"{name}={shown(level)}" for name, level in moved.items())
                ledger.accuse(
                    statement.place(),
                    "unmeasured",
                    "unmeasured",
                    Text(
                        f"not measured: no completed run has {levels}, all else at its reference",
                        f"未测量：没有已完成的运行采用 {levels}（其余因子取参考水平）",
                    ),
                )


def _moved(lines: Iterable[str], names: Names) -> dict[str, Level] | None:
    """The levels that a block moves from their reference; None unless it sets every module."""
    world, set_to = names.world, dict[str, Level]()
    for line in lines:
        match = _SET.match(line)
        found = _level(match["key"], match["value"], names) if match else None
        if found is not None and set_to.setdefault(*found) != found[1]:
            return None
    if not world.switches or not set(world.switches) <= set(set_to):
        return None
    return {f.name: set_to[f.name] for f in world.study.factors if _departs(f.name, set_to, names)}


def _departs(name: str, set_to: dict[str, Level], names: Names) -> bool:
    return name in set_to and set_to[name] != names.world.study.factor(name).reference


def _level(key: str, value: str, names: Names) -> tuple[str, Level] | None:
    """The factor and the level that one line of a configuration sets."""
    word = bare(key)
    for name, (factor, on) in names.world.switches.items():
        if word.removeprefix("use") in {bare(name), bare(factor.label)}:
            known = {"true": on, "false": factor.reference}
            return (name, known[value.lower()]) if value.lower() in known else None
    return names.setting(f"{key}={value}")
