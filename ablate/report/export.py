"""A study's numbers for other programs: a row per trial as CSV and JSON, a table as TeX."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from ablate.analysis.cells import cells
from ablate.metric import MINUS, PLUS_MINUS
from ablate.record import Cost, Record
from ablate.report.document import metric_document, scores_document, trial_document
from ablate.report.layout import NONE
from ablate.report.printed import score
from ablate.selection import Selection
from ablate.study import Level, Study, settled

SCHEMA = "ablate.export/1"
_UNITS = {"s": "s", "B": "B", "bytes": "B"}
_HEADINGS = {"cpu": "cpu time"}
"""Costs under other names than their own: in a table, `cpu` alone could be a processor's name."""
_TEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    **{c: f"\\{c}" for c in "&%$#_{}"},
    MINUS: "$-$",
    PLUS_MINUS: r"$\pm$",
    NONE: "--",
    "\N{UPWARDS ARROW}": r"$\uparrow$",
    "\N{DOWNWARDS ARROW}": r"$\downarrow$",
    "\N{GREEK CAPITAL LETTER DELTA}": r"$\Delta$",
}


def export_document(study: Study, records: Sequence[Record], rule: Selection) -> dict[str, Any]:
    """Everything of every trial of a study, unrounded, ready for JSON."""
    return {
        "schema": SCHEMA,
        "study": {
            "name": study.name,
            "title": study.title,
            "system": study.system,
            "revision": study.revision,
            "data": study.data,
            "standin": study.standin,
            "selection": str(rule),
            "own_selection": str(study.selection),
        },
        "metrics": [metric_document(m) for m in study.metrics],
        "factors": [
            {"name": f.name, "kind": str(f.kind), "reference": f.reference, "requires": f.requires}
            for f in study.factors
        ],
        "trials": [
            trial_document(r) | {"levels": settled(r.levels, study.factors), "parent": r.parent}
            for r in records
        ],
    }


def export_csv(study: Study, records: Sequence[Record], rule: Selection) -> str:
    """A row per trial: settings, seed, scores (fractions, unrounded), costs with their counters.

    `ablate import` reads the same numbers back. What has no number is empty.
    """
    metrics = [m.name for m in study.metrics]
    spent = list(dict.fromkeys((c.name, c.unit) for r in records for c in r.costs.values()))
    names = [f.name for f in study.factors]
    head = ["variant", *names, "seed", *metrics, *(_heading(*s) for s in spent)]
    head += [f"counter of {_HEADINGS.get(name, name)}" for name, _ in spent]
    head += ["state", "key of trial", "study", "selection"]
    rows = [
        [
            r.variant,
            *(_level(levels[n]) for n in names),
            str(r.seed),
            *(repr(r.scores[m].value) if m in r.scores else "" for m in metrics),
            *(repr(c.value) if (c := _cost(r, *s)) else "" for s in spent),
            *(c.counter if (c := _cost(r, *s)) else "" for s in spent),
            str(r.state),
            r.key,
            study.name,
            next((r.scores[m].selection for m in metrics if m in r.scores), str(rule)),
        ]
        for r in records
        for levels in (settled(r.levels, study.factors),)
    ]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([head, *rows])
    return text.getvalue()


def _heading(name: str, unit: str) -> str:
    """A cost's column: `params (1)` says that they are whole, not millions."""
    if name == "params":
        return "params (1)"
    heading = _HEADINGS.get(name, name)
    return f"{heading} ({_UNITS[unit]})" if unit in _UNITS else heading


def _cost(record: Record, name: str, unit: str) -> Cost | None:
    found = record.costs.get(name)
    return found if found is not None and found.unit == unit else None


def _level(level: Level) -> str:
    if isinstance(level, bool):
        return str(level).lower()
    return level if isinstance(level, str) else repr(level)


def export_tex(study: Study, records: Sequence[Record], rule: Selection) -> str:
    """A booktabs table: a row per configuration, mean and SD over its n runs, in points."""
    scored = {m for r in records for m in r.scores}
    metrics = [m for m in study.metrics if m.name in scored]
    unit = {m.name: " (%)" if m.display == "percent" else "" for m in metrics}
    heads = ["Configuration", "n", *(f"{m.label}{unit[m.name]} {m.arrow}" for m in metrics)]
    lines = [
        f"% study {_comment(study.name)}, selection {_comment(str(rule))}, {_data(study)}",
        "% mean and standard deviation over n runs; needs \\usepackage{booktabs}",
        rf"\begin{{tabular}}{{lr{'r' * len(metrics)}}}",
        r"\toprule",
        _row(heads),
        r"\midrule",
    ]
    for cell in cells(records):
        of = [scores_document(cell, m.name) for m in metrics]
        runs = dict.fromkeys(s["n"] for s in of)
        texts = [score(m, s) for m, s in zip(metrics, of, strict=True)]
        lines.append(_row([cell.variant, ", ".join(map(str, runs)) or "0", *texts]))
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", ""])


def _data(study: Study) -> str:
    return "stand-in data" if study.standin else f"data {_comment(study.data)}"


def _comment(text: str) -> str:
    return " ".join(text.split())


def _row(texts: Sequence[str]) -> str:
    return " & ".join(map(tex, texts)) + r" \\"


def tex(text: str) -> str:
    """`text` so that TeX sets it as it is."""
    specials: Mapping[str, str] = _TEX
    return "".join(specials.get(c, c) for c in " ".join(text.split()))
