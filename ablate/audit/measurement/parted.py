"""Runs that have something which others have not, and the factor that says which."""

from collections.abc import Collection, Mapping, Sequence

from ablate.audit.check import Text
from ablate.audit.evidence import Evidence
from ablate.record import Record
from ablate.study import Level, Study


def in_effect(study: Study, record: Record) -> dict[str, Level]:
    """The levels of a run that mean something: those whose switch is on."""
    needs = {f.name: f.requires for f in study.factors}
    return {
        name: level
        for name, level in record.levels.items()
        if name in needs and (needs[name] is None or record.levels.get(needs[name] or "") is True)
    }


def parting(evidence: Evidence, runs: Sequence[Record], having: Collection[str]) -> Text | None:
    """How one level tells the runs of the keys `having` from all others; None where none does.

    It is what comes after "runs": `with sdtps`, `without sdtps`, `with head = wide`.
    """
    levels = {r.key: in_effect(evidence.study, r) for r in runs}
    for factor in evidence.study.factors:
        found = _level(levels, having, factor.name)
        if found is True:
            return Text(f"with {factor.name}", f"开启 {factor.name}")
        if found is False:
            return Text(f"without {factor.name}", f"关闭 {factor.name}")
        if found is not None:
            return Text(f"with {factor.name} = {found}", f"{factor.name} = {found}")
    return None


def _level(
    levels: Mapping[str, Mapping[str, Level]], having: Collection[str], factor: str
) -> Level | None:
    inside = {levels[key].get(factor) for key in levels if key in having}
    outside = {levels[key].get(factor) for key in levels if key not in having}
    return next(iter(inside)) if len(inside) == 1 and not inside & outside else None
