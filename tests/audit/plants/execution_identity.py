"""Clean evidence in which runs that should differ are one, or a setting did not reach them."""

from collections.abc import Callable
from dataclasses import replace

from ablate.audit.evidence import Evidence
from ablate.record import Record


def first_runs(evidence: Evidence) -> list[Record]:
    """The completed runs of the first configuration that has several."""
    return next((list(c.completed) for c in evidence.cells if len(c.completed) > 1), [])


def copied(evidence: Evidence, pairs: dict[str, Record]) -> Evidence:
    """The trials of these keys are what another one was."""
    records = [
        replace(r, scores=pairs[r.key].scores, costs=pairs[r.key].costs, shares=pairs[r.key].shares)
        if r.key in pairs
        else r
        for r in evidence.records
    ]
    curves = {
        key: evidence.curves[pairs[key].key if key in pairs else key] for key in evidence.curves
    }
    return replace(evidence, records=records, curves=curves)


def one_run(evidence: Evidence) -> Evidence | None:
    runs = first_runs(evidence)
    if not runs or not all(r.key in evidence.curves for r in runs):
        return None
    return copied(evidence, {r.key: runs[0] for r in runs[1:]})


def one_logged_seed(evidence: Evidence) -> Evidence | None:
    runs = first_runs(evidence)
    logged = {r.key: {"train.seed": "1111", "epochs": "40"} for r in runs}
    return replace(evidence, settings={**evidence.settings, **logged}) if runs else None


def never_arrived(evidence: Evidence) -> Evidence | None:
    by_seed = {r.seed: r for r in evidence.completed if not r.changed and r.role == "grid"}
    pairs = {
        r.key: by_seed[r.seed]
        for r in evidence.completed
        if len(r.changed) == 1 and r.seed in by_seed and r.role == "grid"
    }
    if not pairs or not all(k in evidence.curves for k in pairs):
        return None
    return copied(evidence, pairs)


def never_read(evidence: Evidence) -> Evidence | None:
    def planted(record: Record) -> Record:
        if not record.changed or record.attempt is None:
            return record
        said = {**record.attempt.provenance, "unread": next(iter(record.changed))}
        return replace(record, attempt=replace(record.attempt, provenance=said))

    return replace(evidence, records=[planted(r) for r in evidence.records])


def one_configuration(evidence: Evidence) -> Evidence:
    resolved = {"epochs": "40", "lr": "0.001", "width": "64", "depth": "2"}
    two = list(dict.fromkeys(r.variant for r in evidence.completed))[:2]
    logged = {
        r.key: {**resolved, "seed": str(r.seed), "output_dir": f"runs/{r.key}"}
        for r in evidence.completed
        if r.variant in two
    }
    return replace(evidence, settings={**evidence.settings, **logged})


def still_gate(evidence: Evidence) -> Evidence:
    flat = {5: 0.797, 10: 0.807, 15: 0.802, 20: 0.804}
    keys = {r.key for r in evidence.completed if r.variant == evidence.completed[-1].variant}
    gates = {key: {**evidence.curves.get(key, {}), ("train", "gate"): flat} for key in keys}
    return replace(evidence, curves={**evidence.curves, **gates})


PLANTS: dict[str, Callable[[Evidence], Evidence | None]] = {
    "W126": one_run,
    "W127": one_logged_seed,
    "W140": never_arrived,
    "W141": never_read,
    "W142": one_configuration,
    "W143": still_gate,
}
