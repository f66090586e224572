"""Which code a program is: its commit, what differs from it, and a copy that no edit reaches."""

import hashlib
import json
import os
import secrets
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath, PurePosixPath

from ablate.command.declaration import PREFIX, declaration
from ablate.errors import UsageError
from ablate.project import FILE

DIFF = "code.diff"
DIFF_LIMIT = 2**20
"""Bytes of a difference that are kept; its digest is of the whole."""

CODES = ".ablate/code"

_PROSE = {".md", ".rst", ".tex", ".bib", ".pdf", ".svg"}
_BESIDE = {"docs", "reports", "studies", "tests", ".github"}
_SHOWN = 3
_LARGEST = 2**20
_MOST = 32 * 2**20
_NEVER = {".ablate", ".git", "__pycache__"}
_EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
_ENVIRONMENT = {"GIT_OPTIONAL_LOCKS": "0", "GIT_LITERAL_PATHSPECS": "1"}


@dataclass(frozen=True, slots=True)
class Code:
    """The state of a repository: its commit, and the whole difference from it if git said it."""

    commit: str
    diff: bytes | None
    without: tuple[str, ...] = ()
    """New files that are too large to be code, and repositories: the difference has them not."""
    sources: str = ""
    """What `sources` makes of the files that git tracks."""

    @property
    def facts(self) -> dict[str, str]:
        """As provenance holds it."""
        dirty = "unknown" if self.diff is None else "yes" if self.diff else "no"
        facts = {"commit": self.commit or "none yet", "dirty": dirty}
        if self.diff:
            facts["diff"] = hashlib.sha256(self.diff).hexdigest()
        if self.sources:
            facts["sources"] = self.sources
        if self.without:
            more = ", ..." if len(self.without) > _SHOWN else ""
            names = ", ".join(self.without[:_SHOWN]) + more
            facts["unrecorded"] = f"{len(self.without)} new, too large or a repository: {names}"
        return facts


def sources(folder: Path) -> dict[str, str]:
    """The commit around `folder`, and its `sources`; empty where there is no repository.

    `sources` is a digest of the tracked files as they are now, `dirty` tells whether the commit
    has them otherwise. Not counted is what no training reads: prose and `ablate.toml`, and the
    folders for documents, reports, studies and tests at the top of the repository or of `folder`.
    """
    top = _top(folder)
    commit = _git(top, "rev-parse", "--verify", "-q", "HEAD").decode().strip() if top else ""
    if top is None or not commit:
        return {}
    own = folder.resolve().relative_to(top)
    blobs = {}
    for entry in _git(top, "ls-files", "--stage", "-z").split(b"\0"):
        about, _, name = entry.partition(b"\t")
        if name and _read(path := PurePosixPath(os.fsdecode(name)), own):
            blobs[path] = about.split()[1]
    differ = _paths(_git(top, "diff", "--name-only", "--no-renames", "-z", "HEAD"))
    changed = [path for path in differ if _read(path, own)]
    for path in changed:
        blobs.pop(path, None)
        if (top / path).is_file():
            blobs[path] = _git(top, "hash-object", "--", str(path)).strip()
    digest = hashlib.sha256(repr(sorted(blobs.items())).encode()).hexdigest()[:16]
    return {"commit": commit, "dirty": "yes" if changed else "no", "sources": digest}


def _read(path: PurePosixPath, own: PurePath) -> bool:
    """Whether a training whose project is at `own` may read a file of the repository."""
    if path.suffix.lower() in _PROSE or path.name == FILE:
        return False
    inner = path.relative_to(own) if path.is_relative_to(own) else path
    return not any(len(p.parts) > 1 and p.parts[0] in _BESIDE for p in (path, inner))


def identity(folder: Path) -> Code | None:
    """The code of the repository around `folder`; None where there is none.

    New files that git does not ignore are part of the difference, up to 1 MiB each and 32 MiB in
    all; what is larger is named.
    """
    top = _top(folder)
    if top is None:
        return None
    commit = _git(top, "rev-parse", "--verify", "-q", "HEAD").decode().strip()
    found = _listed(top, "--others", "--exclude-standard")
    small = [*_small(top, found)]
    new = [str(path) for path in small]
    with tempfile.TemporaryDirectory() as beside:
        index = Path(beside, "index")
        own = top / _git(top, "rev-parse", "--git-path", "index").decode().strip()
        if own.exists():
            shutil.copy2(own, index)  # git tells by its time which entries to look at again
        names = "\0".join(new).encode(errors="surrogateescape")
        told = ("--intent-to-add", "--pathspec-from-file=-", "--pathspec-file-nul")
        added = not new or _answer(top, "add", *told, given=names, index=index) is not None
        how = ("--full-index", "--no-color", "--no-ext-diff", "--no-textconv", "--submodule=diff")
        diff = _answer(top, "diff", *how, commit or _EMPTY_TREE, index=index) if added else None
    without = tuple(_shown(path) for path in sorted({*found} - {*small}))
    return Code(commit, diff, without, sources(folder).get("sources", ""))


def frozen(reference: str) -> str:
    """The reference with a copy of its code where its system wants one; else as it is.

    The same code is copied once. Raises UsageError where there is no git repository to copy.
    """
    declared = declaration(reference)
    if declared is None or not declared.table.snapshot:
        return reference
    folder = declared.origin
    top, code = _top(folder), identity(folder)
    if top is None or code is None:
        raise UsageError(
            f"system {declared.name!r}: snapshot = true copies what git knows, and"
            f" {declared.table.directory!r} is in no git repository (git init, or snapshot = false)"
        )
    copied = _copy(top, declared.root / CODES)
    beside = copied.with_suffix(".diff")
    if code.diff and not beside.exists():
        beside.write_bytes(code.diff[:DIFF_LIMIT])
    read = json.loads(reference.removeprefix(PREFIX).removesuffix(")"))
    facts = {**code.facts, "snapshot": copied.name}
    read["snapshot"] = {"folder": str(copied), "origin": str(top), "facts": facts}
    return f"{PREFIX}{json.dumps(read, ensure_ascii=False)})"


def _copy(top: Path, into: Path) -> Path:
    """The copy of the repository's files in a folder named by their digest."""
    into.mkdir(parents=True, exist_ok=True)
    made = into / f".{secrets.token_hex(4)}"
    made.mkdir()
    try:
        found = into / _filled(top, made)
        if found.exists():
            shutil.rmtree(made)
        else:
            made.rename(found)
    except BaseException:
        shutil.rmtree(made, ignore_errors=True)
        raise
    return found


def _filled(top: Path, made: Path) -> str:
    """Copy what git tracks and new small files, link the rest; the digest of what was copied."""
    total = hashlib.sha256()
    files = {*_listed(top, "--cached")}
    new = {*_listed(top, "--others", "--exclude-standard")}
    files |= {*_small(top, new)}
    for path in sorted(files):
        source, goal = top / path, made / path
        if source.is_dir() and not source.is_symlink():
            goal.mkdir(parents=True, exist_ok=True)
            if (source / ".git").exists():  # a submodule that is there
                total.update(f"{path}\0{_filled(source, goal)}\0".encode(errors="surrogateescape"))
        elif source.is_symlink() or source.exists():
            goal.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, goal, follow_symlinks=False)
            data = os.fsencode(source.readlink()) if source.is_symlink() else goal.read_bytes()
            mode = source.lstat().st_mode
            total.update(f"{path}\0{mode:o}\0".encode(errors="surrogateescape"))
            total.update(hashlib.sha256(data).digest())
    ignored = _listed(top, "--others", "--ignored", "--exclude-standard", "--directory")
    for path in sorted({*ignored, *(new - files)}):
        if path.suffix != ".pyc":
            _link(top / path, made / path)
    return total.hexdigest()[:16]


def _link(source: Path, goal: Path) -> None:
    goal.parent.mkdir(parents=True, exist_ok=True)
    if not os.path.lexists(goal):
        goal.symlink_to(source)


def _small(top: Path, paths: Iterable[PurePosixPath]) -> Iterator[PurePosixPath]:
    """The files that may be code: up to 1 MiB each, 32 MiB in all."""
    room = _MOST
    for path in sorted(paths):
        try:
            found = (top / path).lstat()
        except OSError:
            continue
        if found.st_size <= min(_LARGEST, room) and not stat.S_ISDIR(found.st_mode):
            room -= found.st_size
            yield path


def _shown(path: PurePosixPath) -> str:
    return str(path).encode(errors="backslashreplace").decode()


def _listed(top: Path, *which: str) -> list[PurePosixPath]:
    paths = _paths(_git(top, "ls-files", "-z", *which))
    return [path for path in paths if not _NEVER & set(path.parts)]


def _paths(names: bytes) -> list[PurePosixPath]:
    return [PurePosixPath(os.fsdecode(name)) for name in names.split(b"\0") if name]


def _top(folder: Path) -> Path | None:
    said = _git(folder, "rev-parse", "--show-toplevel").decode(errors="surrogateescape")
    return Path(said.removesuffix("\n")).resolve() if said else None


def _git(folder: Path, *words: str) -> bytes:
    """What git says; nothing where there is no git, no repository, or no answer."""
    return _answer(folder, *words) or b""


def _answer(
    folder: Path, *words: str, given: bytes = b"", index: Path | None = None
) -> bytes | None:
    """What git says, with an index of its own where one is given; None where it fails."""
    own = {"GIT_INDEX_FILE": str(index)} if index else {}
    command = ["git", "-c", "core.fsmonitor=false", "-c", "core.quotePath=false", *words]
    try:
        asked = subprocess.run(
            command,
            cwd=folder,
            input=given,
            capture_output=True,
            env={**os.environ, **_ENVIRONMENT, **own},
            timeout=60,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return asked.stdout if asked.returncode == 0 else None
