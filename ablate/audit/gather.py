"""The evidence of a study as the database has it, and what was found of it, once or anew."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Generic, TypeVar

from ablate.audit.catalogue import CHECKS
from ablate.audit.check import ask
from ablate.audit.evidence import Evidence
from ablate.audit.kept import stamp
from ablate.record import Finding, Record, State
from ablate.selection import Selection
from ablate.store import Store
from ablate.study import Placement, Study

Value = TypeVar("Value")


class _Late(Mapping[str, Value], Generic[Value]):
    """A mapping that is read whole when it is first looked into."""

    def __init__(self, read: Callable[[], Mapping[str, Value]]) -> None:
        self._read = read
        self._known: Mapping[str, Value] | None = None

    @property
    def _all(self) -> Mapping[str, Value]:
        if self._known is None:
            self._known = self._read()
        return self._known

    def __getitem__(self, key: str) -> Value:
        return self._all[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)


class _Shelf:
    """The evidence of the studies of one database, each read once; `paths` are their files."""

    def __init__(self, store: Store, paths: Mapping[str, str]) -> None:
        self.store = store
        self.paths = paths
        self._known: dict[str, Evidence] = {}

    def of(self, name: str) -> Evidence:
        if name not in self._known:
            self._known[name] = self.under(self.store.study(name), None)
        return self._known[name]

    def under(self, study: Study, selection: Selection | None) -> Evidence:
        name, store = study.name, self.store
        return Evidence(
            study if selection is None else replace(study, selection=selection),
            _by_seed(store.records(name, selection)),
            _Late(lambda: store.all_curves(name)),
            _Late(lambda: store.all_settings(name)),
            store.items,
            lambda: [self.of(other) for other in store.studies() if other != name],
            path=self.paths.get(name, ""),
        )


def gather(
    store: Store, study: Study, selection: Selection | None = None, path: str = ""
) -> Evidence:
    """What the store holds of a study, its scores under its own rule or under `selection`.

    `path` is the study's file as commands name it, where it is not at its usual place.
    Curves, settings, items and the other studies are read when a check asks for them, so the store
    must still be open then.
    """
    return _Shelf(store, {study.name: path}).under(study, selection)


def audited(
    store: Store, study: Study, selection: Selection | None = None, path: str = ""
) -> list[Finding]:
    """What the checks find of a study, asked anew; nothing is written (`kept` tells what is)."""
    return ask(CHECKS, gather(store, study, selection, path))


def audit(
    store: Store, names: Iterable[str], paths: Mapping[str, str] | None = None
) -> Iterator[tuple[Evidence, list[Finding]]]:
    """Ask all checks of these studies anew and store what they find, one study after another.

    `paths` are files of studies as commands name them, where they are not at their usual places.
    Of a store that cannot be written nothing is stored.
    """
    # Stamped before anything is read, also as another's other study: what comes later makes it old.
    stamps = {name: stamp(store, name) for name in names}
    shelf = _Shelf(store, paths or {})
    for name, now in stamps.items():
        evidence = shelf.of(name)
        found = ask(CHECKS, evidence)
        if store.is_writable and (store.stamp(name) != now or store.findings(name) != found):
            store.put_findings(name, found, now)
        yield evidence, found


def planned(study: Study, placements: Sequence[Placement], path: str = "") -> Evidence:
    """A study before anything of it has run; `path` is its file as it was named."""
    records = [
        Record(
            study=study.name,
            variant=p.variant.name,
            role=p.variant.role,
            parent=p.variant.parent,
            position=position,
            levels=p.trial.levels,
            changed=p.trial.changed,
            seed=p.trial.seed,
            key=p.trial.key,
            state=State.PENDING,
            extra=p.extra,
        )
        for position, p in enumerate(placements)
    ]
    return Evidence(study, records, path=path)


def _by_seed(records: Sequence[Record]) -> list[Record]:
    """The records by configuration, in the study's order, and by seed, whenever each was added."""
    first: dict[str, int] = {}
    for record in records:
        first.setdefault(record.variant, record.position)
    return sorted(records, key=lambda r: (first[r.variant], r.seed))
