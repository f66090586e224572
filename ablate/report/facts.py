"""The facts at a report's top: what was asked, by which rule, and where the numbers come from."""

from collections import Counter
from collections.abc import Iterable, Mapping

from ablate.report import printed
from ablate.report.tables import Document
from ablate.spec.data import FOUND, PAPER, UNNAMED

MOST_FACTS = 3
LONGEST_FACT = 120
SOURCES = frozenset({"file", "sha256", "reader", "run"})
SPANS = frozenset({"started"})
"""Facts that order by time: the first and the last are said."""
COUNTED = frozenset({"uncalled"})
"""Facts that are long lists: how many they name is said; report.json has the names."""
PROVENANCE = {
    "Code": ("commit", "dirty"),
    "Hardware": ("device", "gpu", "cpu", "cores", "threads"),
    "Software": ("python", "torch", "numpy", "cuda", "platform"),
}


def facts(document: Document) -> Iterable[tuple[str, str]]:
    """A study's facts, each with its name."""
    study, counts = document["study"], document["counts"]
    few, many = counts["fewest_runs"], counts["most_runs"]
    yield "Study", study["name"]
    yield "System", f"{study['system']}, revision {study['revision']}"
    unnamed = study["data"] == UNNAMED
    own = unnamed and study["scale"] == PAPER  # a program's scale is its own
    if not own and not all(s.startswith("import") for s in study["source"]):
        yield "Scale", study["scale"]
    yield (
        "Trials",
        f"{counts['completed']} done · {counts['failed']} failed · "
        + (f"{counts['incomplete']} incomplete · " if counts["incomplete"] else "")
        + f"{counts['missing']} missing",
    )
    yield "Seeds per configuration", f"{few}" if few == many else f"{few} to {many}"
    yield "Selection", rules(study)
    yield "Data", FOUND if unnamed else study["data"]
    if study["fixed"]:
        yield (
            "Held constant",
            ", ".join(f"{n} = {printed.level_text(v)}" for n, v in study["fixed"].items()),
        )
    yield from _provenance(document["provenance"])


def rules(study: Document) -> str:
    """The rules that made the scores, and the study's own where another was asked for."""
    shown = ["as the source reports" if r == "reported" else r for r in study["selection"]]
    own = study["own_selection"]
    asked = [r for r in study["selection"] if r not in {"reported", own}]
    return ", ".join(shown) + (f" (the study's own rule is {own})" if asked else "")


def _provenance(found: Mapping[str, Mapping[str, int]]) -> Iterable[tuple[str, str]]:
    """Code, hardware and software first, each on one line; then whatever else was recorded."""
    rest = {name: values for name, values in found.items() if name not in SOURCES}
    if "file" in found:
        yield "Read from", _files(found)
    for title, names in PROVENANCE.items():
        known = [(name, rest.pop(name)) for name in names if name in rest]
        if known:
            yield title, ", ".join(f"{name} {_distinct(values)}" for name, values in known)
    for name, values in rest.items():
        title = "Data, as recorded" if name == "data" else name.replace("_", " ").capitalize()
        yield title, _fact(name, values)


def _fact(name: str, values: Mapping[str, int]) -> str:
    if name in SPANS and len(values) > 1:
        return f"{min(values)} to {max(values)}"
    if name in COUNTED:
        sizes: Counter[str] = Counter()
        for value, trials in values.items():
            size = len(value.split(", "))
            sizes[f"{size} submodule{'s' if size > 1 else ''}"] += trials
        return _distinct(sizes)
    return _distinct(values)


def _files(found: Mapping[str, Mapping[str, int]]) -> str:
    """The files that results were brought in from; their digests stand in report.json."""
    files, readers = list(found["file"]), list(found.get("reader", ()))
    more = len(files) - 1
    many = f" and {more} more file{'s' if more > 1 else ''}" if more else ""
    runs = len(found.get("run", ()))
    many += f" of each of {runs} runs" if runs > 1 and not more else ""
    by = f", by the reader {', '.join(readers)}" if readers else ""
    return f"{_cut(files[0])}{many}{by}"


def _distinct(values: Mapping[str, int]) -> str:
    if len(values) > MOST_FACTS and set(values.values()) == {1}:
        return f"{_cut(next(iter(values)))} and {len(values) - 1} others, one of each trial"
    shown = [
        f"{_cut(v)} ({n} trial{'s' if n > 1 else ''})" if len(values) > 1 else _cut(v)
        for v, n in values.items()
    ]
    more = f" and {len(shown) - MOST_FACTS} more" if len(shown) > MOST_FACTS else ""
    return ", ".join(shown[:MOST_FACTS]) + more


def _cut(text: str) -> str:
    """A fact that has room on a line; report.json has it whole."""
    parts = text.split(", ")
    if len(text) <= LONGEST_FACT:
        return text
    if len(parts) > MOST_FACTS:
        return f"{', '.join(parts[:MOST_FACTS])} and {len(parts) - MOST_FACTS} more"
    return f"{text[:LONGEST_FACT]}…"
