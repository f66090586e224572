"""The sections of one metric over a grid: modules, contexts, synergy."""

from collections.abc import Mapping, Sequence

from ablate.metric import Metric
from ablate.report.layout import NONE, Section, Table
from ablate.report.synergy_evidence import how
from ablate.report.synergy_words import (
    Document,
    answered,
    average,
    direction,
    effect,
    has_interval,
    interval,
    interval_head,
    made_table,
    module,
    numbers_of,
    p_text,
    sees,
    together,
    unit,
    verdict,
)

MAIN = "Main effect: mean with the module on minus mean with it off, over all others' settings."
SHAPLEY = (
    "Shapley share: the module's gain averaged over all orders of adding the modules; the shares"
    " add up to full minus baseline."
)
ALONE = "Alone (add-one-in): minus the baseline. Last (leave-one-out): full minus full without it."
AVERAGED = (
    "Averaged interaction: what one module adds to the effect of the other (the difference of"
    " differences), averaged over all settings of the other modules."
)
OTHERS = "Others off, others on: the same with all other modules off, or on."
EXPECTED = (
    "Expected: baseline plus what the two add alone; observed minus expected is the interaction"
    " with the others off."
)
MOEBIUS = (
    "Möbius term: what a combination adds to all that its subsets explain. Departure: the full"
    " combination minus what its modules add alone, the sum of all Möbius terms."
)
HOLM = (
    "Verdicts are after Holm's correction within the family; every interval stands by itself, so"
    " that one that leaves out 0 may stay undecided."
)
SEES = "Sees: the smallest effect found with 80 % power at this alpha, before Holm."
ONE = "Of one module the Shapley share, the effect alone and the effect last are the same number."
TWO = (
    "Of two modules the interaction with the others off or on, and the departure of the full"
    " combination from additivity, are the same number."
)
ONE_MORE = "Averages over cells have one digit more than scores."
ABOVE = "Intervals and verdicts as above."
NO_COUNT = "Where a module is not in the output, its context counts as neither better nor worse."
EFFECTS = "Effects of each module"
OTHER = "Other questions to each module"
ONE_SETTING = "The interaction at one setting of the others"
ADDED = "What the two add up to"
OTHERS_OFF = "The interaction with all others off"
MORE_TERMS = "With all others on, and terms of more modules"
MOST_CONTEXTS = 32
MOST_TERMS = 20


def modules(document: Document, metric: Metric) -> Section:
    """What each module contributes: averaged over the others, shared, alone and last."""
    of = numbers_of(document, metric)["modules"]
    mains = _family(document, metric, "Module", of, "main", "Main effect")
    kinds = _kinds(metric, of, mains is None)
    tables = [mains, _questions(document, of, kinds) if kinds else None]
    notes = [MAIN] if mains is not None or "main" in kinds else []
    notes += [SHAPLEY] if "shapley" in kinds else []
    notes += [ALONE] if {"alone", "last"} & kinds.keys() else []
    notes += [ONE] if len(of) == 1 and notes else []
    if has_interval(m["main"] for m in of):
        notes += [HOLM, SEES]
    return Section(
        "What each module contributes",
        lead=(direction(metric),),
        tables=tuple(t for t in tables if t is not None),
        notes=(*notes, *([ONE_MORE] if MAIN in notes else []), *how(document, metric)),
    )


def _name(document: Document, entry: Document) -> str:
    return together(document, entry.get("modules") or [entry["module"]])


def _family(  # noqa: PLR0913, PLR0917 - one table of one family
    document: Document,
    metric: Metric,
    head: str,
    entries: Sequence[Document],
    kind: str,
    title: str,
) -> Table | None:
    """The effects that are judged together, with interval, Holm's p and verdict."""
    answers = [e[kind] for e in entries]
    sure, inert = has_interval(answers), any(a["inert"] for a in answers)
    if not (sure or inert) or not answered(answers):
        return None
    fine = average(metric)
    headings = [(head, True), (title, False)]
    headings += [(interval_head(document), False), ("Holm p", False)] * sure
    headings += [("Verdict", True)] + [("Sees", False)] * sure
    rows = []
    for entry, answer in zip(entries, answers, strict=True):
        row = [_name(document, entry), effect(fine, answer)]
        row += [interval(document, fine, answer), p_text(answer["p_holm"])] if sure else []
        rows.append([*row, verdict(answer), *([sees(fine, answer)] if sure else [])])
    return made_table(headings, rows, {"main": "Main effects"}.get(kind, "Averaged interactions"))


def _kinds(
    metric: Metric,
    of: Sequence[Document],
    mains: bool,  # noqa: FBT001 - whether they have no table of their own
) -> dict[str, tuple[str, Metric]]:
    """The questions to modules that have an answer; of one module, all have the same."""
    fine = average(metric)
    kinds = {
        **({"main": ("Main effect", fine)} if mains else {}),
        "shapley": ("Shapley share", fine),
        "alone": ("Alone", metric),
        "last": ("Last", metric),
    }
    if len(of) == 1:
        kinds = {k: v for k, v in kinds.items() if k == "main"}
    return {k: v for k, v in kinds.items() if answered(m[k] for m in of)}


def _questions(
    document: Document,
    of: Sequence[Document],
    kinds: Mapping[str, tuple[str, Metric]],
) -> Table:
    """Every other question to a module, beside each other, or below where they have intervals."""
    if not has_interval(m[k] for m in of for k in kinds):
        headings = [("Module", True), *((title, False) for title, _ in kinds.values())]
        rows = [
            [_name(document, m), *(effect(as_, m[k]) for k, (_, as_) in kinds.items())]
            for m in of
            if answered(m[k] for k in kinds)
        ]
        return made_table(headings, rows, EFFECTS if "main" in kinds else OTHER)
    headings = [("Module", True), ("Question", True), ("Effect", False)]
    headings += [(interval_head(document), False), ("Runs", False)]
    rows = [
        [_name(document, m), title, effect(as_, m[k]), interval(document, as_, m[k]), _runs(m[k])]
        for m in of
        for k, (title, as_) in kinds.items()
        if m[k]["effect"]
    ]
    return made_table(headings, rows, OTHER)


def _runs(answer: Document) -> str:
    return str(answer["effect"]["runs"]) if answer["effect"] else NONE


def contexts(document: Document, metric: Metric) -> Section | None:
    """Each module's effect at every setting of the others: the matched pairs."""
    of = numbers_of(document, metric)["modules"]
    told = {m["module"]: m["contexts"] for m in of if m["contexts"]["pairs"]}
    if not told or len(of) == 1:
        return None
    headings = [("Module", True), ("Worst", False), ("Best", False)]
    headings += [("Better in", False), ("Sign", True)]
    summary = [
        [
            module(document, name),
            NONE if c["worst"] is None else metric.difference(c["worst"]),
            NONE if c["best"] is None else metric.difference(c["best"]),
            f"{c['better']} of {c['pairs'] - c['inert']}",
            _sign(c),
        ]
        for name, c in told.items()
    ]
    listed = [(name, pair) for name, c in told.items() for pair in c["listed"]]
    every = all(c["complete"] for c in told.values())
    few = every and len(listed) <= MOST_CONTEXTS
    inner = range(1, len(of) - 1)  # the outer two are the module alone and last
    shown = [(name, pair) for name, pair in listed if len(pair["others_on"]) in inner]
    shown = shown if few else _ends(told, metric)
    sure = has_interval(pair for _, pair in shown)
    heads = [("Module", True), ("Others on", True), ("Effect", False)]
    heads += [(interval_head(document), False)] * sure
    rows = [
        [
            module(document, name),
            ", ".join(module(document, m) for m in pair["others_on"]) or "none",
            effect(metric, pair),
            *([interval(document, metric, pair)] if sure else []),
        ]
        for name, pair in shown
    ]
    pairs = sum(c["pairs"] for c in told.values())
    notes = ["Context: one setting of the other modules; the effect is with minus without."]
    notes.append("Better in and Sign are by estimates alone.")
    if not few:
        kept = "report.json has all" if every else "the others count above only"
        notes.append(f"Below the worst and the best of {pairs} contexts are listed; {kept}.")
    else:
        notes.append("With none and with all of the others on, it is the module alone and last.")
    notes += [NO_COUNT] if any(c["inert"] for c in told.values()) else []
    tables = [made_table(headings, summary, "Worst and best")]
    tables += [made_table(heads, rows, "Further contexts")] if rows else []
    return Section("Contexts", tables=tuple(tables), notes=tuple(notes))


def _sign(context: Document) -> str:
    counted = context["pairs"] - context["inert"]
    if not context["better"] and not context["worse"]:
        return "no difference" if counted else NONE
    if context["better"] and context["worse"]:
        return "changes"
    if context["better"] + context["worse"] < counted:
        return "0 in some"
    return "stable"


def _ends(told: Mapping[str, Document], metric: Metric) -> list[tuple[str, Document]]:
    """The listed worst and best context of each module."""
    sign = 1 if metric.direction == "up" else -1
    found = []
    for name, of in told.items():
        known = [pair for pair in of["listed"] if not pair["inert"]]
        ranked = sorted(known, key=lambda pair: sign * pair["effect"]["estimate"])
        found += [(name, pair) for pair in (*ranked[:1], *ranked[1:][-1:])]
    return found


def synergy(document: Document, metric: Metric) -> Section | None:
    """How modules act together: interactions, Moebius terms, departure from additivity."""
    of = numbers_of(document, metric)
    if not of["pairs"]:
        return None
    two = len(of["modules"]) == 2  # noqa: PLR2004 - then the three interactions are one
    pairs = [p for p in of["pairs"] if answered([p["averaged"], p["off"], p["on"]])]
    judged = _family(document, metric, "Pair", pairs, "averaged", "Averaged")
    sure = has_interval(p[k] for p in pairs for k in ("off", "on"))
    tables = [
        judged,
        _addition(document, metric, pairs)
        if sure and not two
        else _settings(document, metric, pairs, judged),
        None if two else _terms(document, metric, of, pairs if sure else ()),
    ]
    shown = [t for t in tables if t is not None]
    if not shown:
        return None
    notes = [AVERAGED] if answered(p["averaged"] for p in pairs) else []
    notes += [] if two else [OTHERS]
    notes += [EXPECTED] if any(h.text == "Expected" for t in shown for h in t.columns) else []
    notes += [TWO] if two else [MOEBIUS]
    return Section(
        "Synergy",
        lead=() if two else tuple(_sum(document, metric, of)),
        tables=tuple(shown),
        notes=(*notes, *([ABOVE] if sure else [])),
    )


def _settings(
    document: Document, metric: Metric, pairs: Sequence[Document], judged: Table | None
) -> Table | None:
    """The interaction of each pair, without intervals: averaged, the others off, the others on."""
    if not pairs:
        return None
    two = len(document["synergy"]["modules"]) == 2  # noqa: PLR2004 - then the three are one
    kinds = {"averaged": average(metric), "off": metric, "on": metric}
    titles = {"averaged": "Averaged", "off": "Others off", "on": "Others on"}
    if judged is not None:
        del kinds["averaged"]
    if two:
        kinds = {k: m for k, m in kinds.items() if k == "averaged"}
    kinds = {k: m for k, m in kinds.items() if answered(p[k] for p in pairs)}
    rows = [
        [
            _name(document, p),
            *(effect(m, p[k]) for k, m in kinds.items()),
            *_added(metric, p),
        ]
        for p in pairs
    ]
    heads = [("Pair", True), *((titles[k], False) for k in kinds)]
    title = ADDED if two else ONE_SETTING
    return made_table([*heads, ("Expected", False), ("Observed", False)], rows, title)


def _addition(document: Document, metric: Metric, pairs: Sequence[Document]) -> Table | None:
    """What two modules alone add up to beside the score of both, and the difference."""
    rows = [
        [
            _name(document, p),
            *_added(metric, p),
            effect(metric, p["off"]),
            interval(document, metric, p["off"]),
        ]
        for p in pairs
        if p["off"]["effect"]
    ]
    if not rows:
        return None
    heads = [("Pair", True), ("Expected", False), ("Observed", False), ("Others off", False)]
    return made_table([*heads, (interval_head(document), False)], rows, OTHERS_OFF)


def _added(metric: Metric, pair: Document) -> list[str]:
    return [NONE if pair[k] is None else metric.text(pair[k]) for k in ("expected", "observed")]


def _terms(
    document: Document, metric: Metric, of: Document, pairs: Sequence[Document]
) -> Table | None:
    """The interactions of `pairs` with the others on, the terms of three modules, the departure."""
    whole = of["departure"]
    terms = [t for t in of["terms"] if t["effect"] and len(t["modules"]) > 2]  # noqa: PLR2004
    most = sorted(terms, key=lambda t: -abs(t["effect"]["estimate"]))[:MOST_TERMS]
    kept = [t for t in terms if any(t is m for m in most)]
    ons = [p for p in pairs if p["on"]["effect"]]
    sure = has_interval([*(p["on"] for p in ons), *kept, whole])

    def row(name: str, answer: Document) -> list[str]:
        return [
            name,
            effect(metric, answer),
            *([interval(document, metric, answer)] if sure else []),
        ]

    rows = [row(f"{_name(document, p)}, others on", p["on"]) for p in ons]
    rows += [row(_name(document, t), t) for t in kept]
    told = {tuple(t["modules"]) for t in of["terms"]}
    rows += [
        [_name(document, p), metric.difference(p["estimate"]), *([NONE] if sure else [])]
        for p in whole["parts"]
        if tuple(p["modules"]) not in told
    ]
    if whole["effect"]:
        rows.append(row("full: the sum of all terms", whole))
    if not rows:
        return None
    few = f" (the largest {len(kept)} of {len(terms)})" if len(kept) < len(terms) else ""
    heads = [(f"Term{few}", True), ("Value", False), *([(interval_head(document), False)] * sure)]
    return made_table(heads, rows, MORE_TERMS if ons else "Terms of more modules")


def _sum(document: Document, metric: Metric, of: Document) -> list[str]:
    """The departure from additivity as the sum of its terms, spelled out where they are few."""
    whole = of["departure"]
    if whole is None or whole["effect"] is None or not whole["orders"]:
        return []
    said = f"full departs from additivity by {effect(metric, whole)}{unit(metric)}"
    if has_interval([whole]):
        said += f" {interval(document, metric, whole)}, not corrected"
    elif of["most"] == 1:
        said = f"By single runs, {said}"
    if whole["parts"]:
        terms = " ".join(metric.difference(p["estimate"]) for p in whole["parts"])
        total = sum(p["estimate"] for p in whole["parts"])
        means = "" if of["aligned"] else " by the means of all runs"
        return [f"{said}:{means} {terms} = {metric.difference(total)}, term by term below."]
    sums = ", ".join(
        f"{metric.difference(o['sum'])} ({o['terms']} terms of {o['order']} modules)"
        for o in whole["orders"]
    )
    return [f"{said}, the sum of {sums}."]
