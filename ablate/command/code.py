"""Which code a program is: its commit, what differs from it, and a copy that no edit reaches."""

import hashlib
import json
import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ablate.command.declaration import PREFIX, declaration
from ablate.errors import UsageError

DIFF = "code.diff"
DIFF_LIMIT = 2**20
"""Bytes of a difference that are kept; its digest is of the whole."""

CODES = ".ablate/code"

_LARGEST = 2**20
_MOST = 32 * 2**20
_NEVER = {".ablate", ".git", "__pycache__"}
_EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
_ENVIRONMENT = {"GIT_OPTIONAL_LOCKS": "0", "GIT_LITERAL_PATHSPECS": "1"}


@dataclass(frozen=True, slots=True)
class Code:
    """The state of a repository: its commit, and the whole difference from it."""

    commit: str
    diff: bytes

    @property
    def facts(self) -> dict[str, str]:
        """As provenance holds it."""
        facts = {"commit": self.commit or "none yet", "dirty": "yes" if self.diff else "no"}
        if self.diff:
            facts["diff"] = hashlib.sha256(self.diff).hexdigest()
        return facts


def identity(folder: Path) -> Code | None:
    """The code of the repository around `folder`; None where there is none.

    New files that git does not ignore are part of the difference, up to 1 MiB each.
    """
    top = _top(folder)
    if top is None:
        return None
    commit = _git(top, "rev-parse", "--verify", "-q", "HEAD").decode().strip()
    new = [str(path) for path in _small(top, _listed(top, "--others", "--exclude-standard"))]
    with tempfile.TemporaryDirectory() as beside:
        index = Path(beside, "index")
        own = top / _git(top, "rev-parse", "--git-path", "index").decode().strip()
        if own.exists():
            shutil.copy2(own, index)  # git tells by its time which entries to look at again
        names = "\0".join(new).encode(errors="surrogateescape")
        if new:
            told = ("--intent-to-add", "--pathspec-from-file=-", "--pathspec-file-nul")
            _git(top, "add", *told, given=names, index=index)
        how = ("--full-index", "--no-color", "--no-ext-diff", "--no-textconv")
        diff = _git(top, "diff", *how, commit or _EMPTY_TREE, index=index)
    return Code(commit, diff)


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
            _link(source, goal)  # a submodule
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
            size = (top / path).lstat().st_size
        except OSError:
            continue
        if size <= min(_LARGEST, room):
            room -= size
            yield path


def _listed(top: Path, *which: str) -> list[PurePosixPath]:
    names = _git(top, "ls-files", "-z", *which).decode(errors="surrogateescape").split("\0")
    paths = [PurePosixPath(name) for name in names if name]
    return [path for path in paths if not _NEVER & set(path.parts)]


def _top(folder: Path) -> Path | None:
    said = _git(folder, "rev-parse", "--show-toplevel").decode(errors="surrogateescape")
    return Path(said.removesuffix("\n")).resolve() if said else None


def _git(folder: Path, *words: str, given: bytes = b"", index: Path | None = None) -> bytes:
    """What git says; nothing where there is no git, no repository, or no answer."""
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
        return b""
    return asked.stdout if asked.returncode == 0 else b""
