"""Runs read from many files: what is known of all at once, and the rest set aside."""

import glob
import hashlib
import os
import pickle
import tempfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Self

from ablate.errors import UsageError
from ablate.ingest.configurations import Configurations
from ablate.ingest.folders import walk
from ablate.ingest.run import Reader, Run
from ablate.record import Item, Scalar, State

IN_MEMORY = 64 * 2**20
"""Bytes of packed runs that are held before they go to a temporary file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """A run without its configuration and its curves, which may be large."""

    run: Run
    steps: int
    """Points of its longest curve."""
    measured: frozenset[str]
    """Scores that it has under any split or as a final value."""
    scored: tuple[str, ...]
    """The splits that it has curves of."""
    curves: frozenset[tuple[str, str]]
    """Split and name of each of its curves."""
    digest: str
    """What tells whether the same run was read twice; empty where nothing does."""


@dataclass(slots=True)
class Gathered:
    """Runs in the order of reading; close it when they are stored."""

    reader: str
    outlines: list[Outline] = field(default_factory=list)
    settings: Configurations = field(default_factory=Configurations)
    consumed: dict[str, None] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    """One line per file that could not be read."""
    passed: list[str] = field(default_factory=list)
    """Base names of files in the folders given that no run was read from."""
    expected: Mapping[str, str] = field(default_factory=dict)
    """What the reader looked for: what no run's `consumed` names was found nowhere."""
    order: list[str] = field(default_factory=list)
    """Keys that command lines set, in their order."""
    _file: tempfile.SpooledTemporaryFile[bytes] = field(
        default_factory=lambda: tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - `close` closes it
    )
    _places: list[tuple[int, int]] = field(default_factory=list)

    def add(self, run: Run) -> None:
        """Take one run."""
        self.settings.add(run.settings or run.options)
        self.consumed.update(dict.fromkeys(run.consumed))
        self.order.extend(k for k in run.options if k not in self.order)
        self.outlines.append(_outline(run))
        packed = _pack(run)
        self._places.append((self._file.tell(), len(packed)))
        self._file.write(packed)

    def whole(self, i: int) -> Run:
        """The i-th run with all that was read."""
        start, size = self._places[i]
        self._file.seek(start)
        run = _unpack(self._file.read(size))
        self._file.seek(0, 2)
        return replace(run, name=self.outlines[i].run.name)

    def rename(self, folders: Sequence[str]) -> None:
        """Tell runs of one name, such as `train_log`, apart by the names of their folders."""
        places: dict[str, set[str]] = {}
        for outline, folder in zip(self.outlines, folders, strict=True):
            places.setdefault(outline.run.name, set()).add(folder)
        for i, (outline, folder) in enumerate(zip(self.outlines, folders, strict=True)):
            if len(places[outline.run.name]) > 1 and folder:
                run = replace(outline.run, name=f"{folder} {outline.run.name}")
                self.outlines[i] = replace(outline, run=run)

    def close(self) -> None:
        """Give back what was set aside."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.close()


def holding(runs: Iterable[Run], reader: str) -> Gathered:
    """These runs, gathered."""
    gathered = Gathered(reader)
    for run in runs:
        gathered.add(run)
    return gathered


def existing(paths: Sequence[Path]) -> list[Path]:
    """The paths, each pattern such as `logs/*.log` that the shell left alone followed.

    Raises UsageError where one is not there.
    """
    found: list[Path] = []
    for path in paths:
        there = [path] if path.exists() else [Path(p) for p in sorted(glob.glob(str(path)))]  # noqa: PTH207 - the pattern may be absolute
        if not there:
            raise UsageError(f"{path}: there is no such file or folder")
        found += there
    return found


def sources(paths: Sequence[Path], reader: Reader) -> list[Path]:
    """The files and folders that hold runs, each once: as named, or as `reader` finds them below.

    Raises UsageError where there is none.
    """
    found: dict[Path, Path] = {}
    for path in existing(paths):
        inside = [path] if path.is_file() else [*reader.find(path)]
        found.update({p.resolve(): p for p in inside})
    if not found:
        looked = ", ".join(map(str, paths))
        raise UsageError(f"{looked}: the reader {reader.name} finds no run there")
    return list(found.values())


def passed_over(paths: Sequence[Path], files: Sequence[Path], gathered: Gathered) -> list[str]:
    """Base names of the files under the folders given that no run was read from, in their order.

    What lies in a folder that is a run, or beside a run's own files under the name of one of them,
    belongs to it; hidden files and folders are not looked at.
    """
    own = {file.resolve() for file in files}
    read = {name for outline in gathered.outlines for name in outline.run.files}
    found: list[str] = []
    for path in existing(paths):
        for folder, names in walk(path) if path.is_dir() else ():
            inside = folder.resolve()
            if own & {inside, *inside.parents}:
                continue
            found += [
                f"{name} (no permission)" if _is_shut(folder / name) else name
                for name in sorted(names)
                if not name.startswith(".") and name not in read and inside / name not in own
                if _is_shut(folder / name) or not (folder / name).is_dir()
            ]
    return found


def _is_shut(path: Path) -> bool:
    """Whether a file cannot be read, or a folder not be looked into."""
    needed = os.R_OK | os.X_OK if path.is_dir() else os.R_OK
    return path.exists() and not os.access(path, needed)


def gather(files: Sequence[Path], reader: Reader, heard: Callable[[], None]) -> Gathered:
    """The runs of all files; `heard` is called after each. One that cannot be read is a problem.

    Raises UsageError where there is no run in any of them.
    """
    gathered = Gathered(reader.name, expected=reader.expected)
    folders: list[str] = []
    for file in files:
        try:
            for run in reader.read(file):
                gathered.add(run)
                folders.append(file.resolve().parent.name)
        except (UsageError, OSError) as wrong:
            gathered.problems.append(_line(str(wrong), file))
        except Exception as wrong:  # noqa: BLE001 - a defect met in one file of thousands is said, and loses no other
            gathered.problems.append(_line(f"{type(wrong).__name__}: {wrong}", file))
        heard()
    if not gathered.outlines:
        gathered.close()
        first = gathered.problems[0] if gathered.problems else f"{files[0]}: there is no run in it"
        more = f" (and {len(files) - 1} more)" if len(files) > 1 else ""
        raise UsageError(f"nothing could be read: {first}{more}")
    gathered.rename(folders)
    return gathered


def _line(text: str, file: Path) -> str:
    said = " ".join(text.split())
    return said if f"{file.name}:" in said else f"{file.name}: {said}"


def _outline(run: Run) -> Outline:
    lengths: dict[tuple[str, str], int] = {}
    for s in run.scalars:
        lengths[s.split, s.name] = lengths.get((s.split, s.name), 0) + 1
    scored = dict.fromkeys(split for split, _ in lengths)
    counted = [size for (split, _), size in lengths.items() if split != "train"]
    return Outline(
        run=replace(run, settings={}, options={}, scalars=(), items=(), consumed=()),
        steps=max(counted or lengths.values(), default=0),
        measured=frozenset(name for _, name in lengths) | frozenset(run.scores),
        scored=tuple(scored),
        curves=frozenset(lengths),
        digest=_digest(run),
    )


def _digest(run: Run) -> str:
    """Of what was measured and when, or from which bytes: names may be others."""
    if not (run.scalars and (run.started or run.files)):
        return ""
    when = run.started or sorted(run.files.values())
    curves = [(s.step, s.split, s.name, s.value) for s in run.scalars]
    measured = (when, run.seed, sorted(run.settings.items()), curves)
    return hashlib.blake2b(repr(measured).encode("utf-8", "backslashreplace")).hexdigest()


def _pack(run: Run) -> bytes:
    scalars = [(s.step, s.split, s.name, s.value) for s in run.scalars]
    items = [(i.split, i.item, i.name, i.value) for i in run.items]
    bare = replace(run, scalars=(), items=(), state=State(run.state))
    return zlib.compress(pickle.dumps((bare, scalars, items), pickle.HIGHEST_PROTOCOL), 1)


def _unpack(packed: bytes) -> Run:
    run: Run
    run, scalars, items = pickle.loads(zlib.decompress(packed))  # noqa: S301 - written above, by this process
    return replace(
        run,
        scalars=tuple(Scalar(*row) for row in scalars),
        items=tuple(Item(*row) for row in items),
    )


def trained(gathered: Gathered) -> Iterator[int]:
    """The runs that trained at all."""
    for i, outline in enumerate(gathered.outlines):
        if outline.run.state is not State.PENDING:
            yield i
