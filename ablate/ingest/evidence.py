"""What the records of old runs say of how their program is told its seed, and what it ran on."""

import re
from collections.abc import Iterator

from ablate.ingest.gather import Gathered, trained
from ablate.spec.keys import is_seed, last, words

_GPU = re.compile(r"(?<![a-z])(?:cuda|gpus?|nvidia)(?![a-z])", re.IGNORECASE)
_NOTHING = frozenset(
    ("", "0", "-1", "false", "none", "null", "no", "off", "cpu", "[]", "()", "n/a")
)
_NUMBERED = frozenset(("id", "ids", "device", "devices", "index"))
"""What is one of several: 0 is the first."""
_WITHOUT = frozenset(("no", "disable", "without"))


def seed_key(gathered: Gathered) -> str | None:
    """The key that holds the seed: the one called so, or the only one that equals every seed."""
    named = [k for k in gathered.settings if is_seed(k)]
    if len(named) == 1:
        return named[0]
    seeds = {i: gathered.outlines[i].run.seed for i in trained(gathered)}
    said = {i: str(seed) for i, seed in seeds.items() if seed is not None}
    if not said or (not named and len(set(said.values())) == 1):
        return None
    columns = {key: gathered.settings.column(key) for key in named or gathered.settings}
    same = [k for k, texts in columns.items() if all(texts[i] == s for i, s in said.items())]
    return same[0] if len(same) == 1 else None


def on_gpu(gathered: Gathered) -> bool:
    """Whether any run's configuration, facts or counters name CUDA or a GPU that it used."""
    counters = {c.counter for o in gathered.outlines for c in o.run.costs}
    return any(map(_GPU.search, counters)) or any(_says_gpu(*said) for said in _said(gathered))


def _said(gathered: Gathered) -> Iterator[tuple[str, str]]:
    for key in gathered.settings:
        yield from ((key, text) for text in {*gathered.settings.column(key)} if text is not None)
    yield from ((key, text) for o in gathered.outlines for key, text in o.run.facts.items())


def _says_gpu(key: str, text: str) -> bool:
    said, bare = {*words(last(key))}, text.strip("'\" ").lower()
    if bare in _NOTHING and not (bare == "0" and said & _NUMBERED):
        return False
    named = bool(said & {"cuda", "gpu", "gpus"}) and not said & _WITHOUT
    return named or _GPU.search(bare) is not None
