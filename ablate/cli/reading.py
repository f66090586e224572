"""What reading commands share: the project's store, and what a name on the command line means."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from ablate.record import Finding, Record
    from ablate.selection import Selection
    from ablate.store import Store
    from ablate.study import Study


def project_store() -> "Store":
    """The store of the project around the current folder; raises StoreError where there is none."""
    from ablate.project import Project
    from ablate.store import open_store

    return open_store(Project.find().store)


def latest_or(store: "Store", name: str | None) -> "Study":
    """The study called `name`, or the most recently active one; raises UsageError."""
    from ablate.errors import UsageError

    if name is not None:
        return store.study(name)
    names = store.studies()
    if not names:
        raise UsageError("the store holds no study yet (ablate run, ablate import)")
    return store.study(names[0])


def holding(store: "Store", variants: Sequence[str], study: str | None) -> "Study":
    """The most recently active study that holds all `variants`, or `study` if it does.

    Raises UsageError with the nearest names when there is none.
    """
    from ablate.errors import UsageError, not_one_of

    held: dict[str, dict[str, None]] = {}
    for name in [study] if study is not None else store.studies():
        held[name] = dict.fromkeys(r.variant for r in store.records(name))
        if all(v in held[name] for v in variants):
            return store.study(name)
    known = {v: None for names in held.values() for v in names}
    unknown = next((v for v in variants if v not in known), None)
    if unknown is not None:
        where = f" in study {study!r}" if study is not None else ""
        raise UsageError(not_one_of("configuration", unknown, known) + where)
    places = "; ".join(
        f"{v} is in {_few([s for s, names in held.items() if v in names])}" for v in variants
    )
    raise UsageError(f"no study holds {' and '.join(variants)} together: {places}")


def _few(names: Sequence[str], most: int = 4) -> str:
    shown = ", ".join(names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown


def record_of(store: "Store", ref: str, study: str | None) -> "tuple[Study, Record]":
    """The study and record that a trial's key or its beginning means.

    Raises UsageError when no trial or more than one begins so.
    """
    from ablate.errors import UsageError

    keys = store.find_trial(ref)
    if len(keys) > 1:
        raise UsageError(f"{ref!r} begins {len(keys)} trials: {', '.join(keys[:6])}")
    for name in [study] if study is not None else store.studies():
        for record in store.records(name) if keys else ():
            if record.key == keys[0]:
                return store.study(name), record
    raise UsageError(f"{ref!r} is no trial, configuration or study in the store (ablate ls)")


def trial_of(store: "Store", ref: str, study: str | None, seed: int | None) -> "Record":
    """The one trial that a key, its beginning, or a configuration's name means.

    Raises UsageError where there is none, or several that a seed would tell apart.
    """
    from ablate.errors import UsageError

    if looks_like_key(ref) and store.find_trial(ref):
        return record_of(store, ref, study)[1]
    found = [r for r in store.records(holding(store, [ref], study).name) if r.variant == ref]
    if seed is not None:
        found = [r for r in found if r.seed == seed]
    if not found:
        raise UsageError(f"{ref!r} has no trial at seed {seed}")
    if len(found) > 1:
        trials = ", ".join(f"{r.key[:8]} (seed {r.seed})" for r in found[:6])
        raise UsageError(f"{ref!r} is {len(found)} trials: {trials}; choose one with --seed")
    return found[0]


def rule_of(store: "Store", study: "Study", text: str | None) -> "Selection | None":
    """The selection rule that `--select` gives, None without.

    Raises UsageError where it is none, or where no completed trial has a curve that it could be
    of: scores that came as numbers are made anew by no rule.
    """
    from ablate.errors import UsageError
    from ablate.selection import Selection

    if text is None:
        return None
    try:
        rule = Selection.parse(text, study.directions)
    except ValueError as wrong:
        raise UsageError(f"--select: {wrong}") from None
    there = store.splits(study.name, rule.metric) if rule.metric else []
    none = f"--select {text}: no completed trial of study {study.name} has a curve"
    if not there and not any(store.splits(study.name, m) for m in study.directions):
        raise UsageError(
            f"{none}: no rule can make anew scores that were imported or reported as numbers"
        )
    if rule.metric and not there:
        raise UsageError(f"{none} of {rule.metric} to choose a step by")
    if rule.split and rule.split not in there:
        raise UsageError(f"{none} of {rule.metric} on {rule.split!r}, only on {', '.join(there)}")
    return rule


def tell_rule(study: "Study", selection: "Selection | None") -> None:
    """Say on stderr that the scores shown are not those of the study's own rule."""
    from ablate.cli.console import note

    if selection is not None and selection != study.selection:
        note(f"scores by {selection}; the own rule of study {study.name} is {study.selection}")


def looks_like_key(ref: str) -> bool:
    """Whether a reference could be the beginning of a trial's key: four hex digits or more."""
    return 4 <= len(ref) <= 16 and all(c in "0123456789abcdef" for c in ref.lower())  # noqa: PLR2004 - a key has 16


def findings_of(store: "Store", study: "Study", selection: "Selection | None") -> "list[Finding]":
    """What the audit finds of a study under a rule: as it is kept, else asked anew and not kept."""
    from ablate.audit.kept import kept

    found = kept(store, study, selection)
    if found is not None:
        return found
    from ablate.audit.gather import audited  # loads every check

    return audited(store, study, selection, file_of(study.name))


def file_of(study: str) -> str:
    """The project's file of a study, as it is typed in the current folder; else nothing."""
    import os
    from shlex import quote

    from ablate.project import Project

    root = Project.find().root
    usual = root / "studies" / f"{study}.toml"
    files = [usual, *sorted(root.glob("*.toml")), *sorted(root.glob("studies/**/*.toml"))]
    return next((quote(os.path.relpath(f)) for f in files if _study_in(f) == study), "")


def _study_in(file: "Path") -> str | None:
    """What the study of a file is called; None where it is no study file."""
    import tomllib

    try:
        name = tomllib.loads(file.read_text("utf-8"))["study"]["name"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return name if isinstance(name, str) else None


def banner(study: "Study") -> None:
    """Say on stderr that a study's data are the stand-in."""
    from ablate.cli.console import note

    if study.standin:
        note(f"stand-in data: {study.name} is not about the real data set")
