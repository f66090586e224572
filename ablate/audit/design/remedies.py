"""Study files whose runs would settle a finding: arms of the study's own factors."""

import re
from collections.abc import Container, Mapping, Sequence
from shlex import quote

from ablate.audit.check import Text
from ablate.audit.design.seeds import brought, replayable
from ablate.audit.evidence import Evidence
from ablate.spec import written
from ablate.study import Claims, Level, Study, meaning

LONGEST = 64
REPLICATES = 3
UNDECLARED = (
    "# Before it can run, ablate.toml must declare the system: of logs, `ablate import --guess`"
    " proposes it."
)


def slug(text: str) -> str:
    """`text` as a name that a study file takes."""
    return re.sub(r"[^a-z0-9._-]+", "-", text.lower()).strip("-._")[:LONGEST].rstrip("-._") or "arm"


def free(text: str, taken: Container[str]) -> str:
    """A name made of `text` that is not taken."""
    name = slug(text)
    numbered = (f"{name[: LONGEST - 6]}-{n}" for n in range(2, 10_000))
    return name if name not in taken else next(n for n in numbered if n not in taken)


def study_of(
    evidence: Evidence, name: str, arms: Mapping[str, Mapping[str, Level]], why: str
) -> str:
    """The text of a study of these arms, each given by all its levels; the first is the parent."""
    study = evidence.study
    lines = [f"# {why}", *([] if replayable(evidence) else [UNDECLARED])]
    head: dict[str, object] = {
        "name": slug(name),
        "system": study.system,
        "seeds": list(_seeds(study)),
        "primary": study.primary,
        "select": str(study.selection),
    }
    tables: list[Sequence[str]] = [[*lines, *written.table("[study]", head)]]
    if study.fixed:
        tables.append(written.table("[fixed]", study.fixed))
    tables += _arms(study, arms)
    tables += _claims(study.claims)
    tables.append(written.table("[resources]", _resources(study)))
    if study.data_root and not study.data_root.startswith("/"):
        tables.append(written.table("[data]", {"root": study.data_root}))
    if study.scale != "paper":
        tables.append([f"[{written.key('scale', study.scale)}]", "set = {}"])
    return written.document(tables)


def command(evidence: Evidence, code: str, subject: str, name: str) -> str:
    """The command that writes such a study to its place."""
    of = quote(f"{code}:{subject}" if subject else code)
    study = quote(evidence.study.name)
    return f"ablate audit {study} --remedy {of} -o studies/{slug(name)}.toml"


def settled_by(evidence: Evidence, of: tuple[str, str, str], runs: Text) -> str | Text:
    """The command that writes the study of a finding (code, subject, name).

    Of results from elsewhere, whose system cannot be run here, what runs are missing, in words.
    """
    return command(evidence, *of) if replayable(evidence) else brought(evidence, runs)


def _seeds(study: Study) -> Sequence[int]:
    if len(study.seeds) >= REPLICATES:
        return study.seeds
    return range(study.seeds[0], study.seeds[0] + REPLICATES)


def _arms(study: Study, arms: Mapping[str, Mapping[str, Level]]) -> list[list[str]]:
    base = {f.name: f.reference for f in study.factors} | dict(study.fixed)
    parent: str | None = None
    found = []
    for name, levels in arms.items():
        meant = {f.name for f in meaning(levels, study.factors)}
        own = {n: v for n, v in levels.items() if n in meant and v != base[n]}
        lines = written.table("[[arm]]", {"name": name, **({"parent": parent} if parent else {})})
        found.append([*lines, *written.table("[arm.set]", own)])
        if parent is None:
            parent, base = name, dict(levels)
    return found


def _claims(own: Claims) -> list[list[str]]:
    """What the study says of its claims, where it is not what is so anyway."""
    usual = Claims()
    given = {
        name: value
        for name in ("alpha", "margin", "paired")
        if (value := getattr(own, name)) != getattr(usual, name)
    }
    tables = [written.table("[claims]", given)] if given else []
    return tables + ([written.table("[claims.margins]", own.margins)] if own.margins else [])


def _resources(study: Study) -> dict[str, object]:
    own = study.resources
    table: dict[str, object] = {"cpus": own.cpus, **({"gpus": own.gpus} if own.gpus else {})}
    return table | ({"timeout": own.timeout} if own.timeout is not None else {})
