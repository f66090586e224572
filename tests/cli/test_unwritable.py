"""The commands in a colleague's folder, which may be read and not written."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from ablate.errors import StoreError

Call = Callable[..., Result]


@pytest.fixture
def shut(imported: Call, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Call:
    """A project with one study whose database may not be written, not even by root."""
    asked = os.access

    def access(path: str | Path, mode: int) -> bool:
        forbidden = folder / ".ablate" in (Path(path), Path(path).parent)
        return not (forbidden and mode & os.W_OK) and asked(path, mode)

    monkeypatch.setattr(os, "access", access)
    return imported


@pytest.mark.parametrize(
    "words",
    [
        ("ls",),
        ("status",),
        ("show", "full"),
        ("report", "--stdout"),
        ("compare", "baseline", "full"),
        ("export",),
        ("db", "check"),
        ("rm", "seed000", "-n"),
        ("audit", "."),
    ],
)
def test_reading_commands_read_and_leave_every_file_as_it_is(
    shut: Call, folder: Path, words: tuple[str, ...]
) -> None:
    before = {f: f.read_bytes() for f in folder.rglob("*") if f.is_file()}
    assert shut(*words).exit_code == 0
    assert {f: f.read_bytes() for f in folder.rglob("*") if f.is_file()} == before


@pytest.mark.parametrize(
    "words",
    [
        ("note", "seed000", "a word", "--author", "Ada"),
        ("record", "full", "mAP=0.5", "--source", "me", "--date", "2026-01-02"),
        ("rm", "seed000", "--yes"),
        ("rm", "seed000"),  # before anybody is asked
        ("import", "seed000.csv", "--study", "again"),
        ("db", "backup"),
        ("db", "rebuild"),
    ],
)
def test_writing_commands_say_that_they_cannot(
    shut: Call, folder: Path, words: tuple[str, ...]
) -> None:
    before = {f: f.read_bytes() for f in folder.rglob("*") if f.is_file()}
    wrong = shut(*words).exception
    assert isinstance(wrong, StoreError)
    assert "cannot be written; copy the project's folder and work in the copy" in str(wrong)
    assert {f: f.read_bytes() for f in folder.rglob("*") if f.is_file()} == before


def test_an_audit_and_the_doctor_say_that_nothing_can_be_kept(shut: Call, folder: Path) -> None:
    said = shut("audit", "seed000")
    assert said.stdout.startswith("seed000: ")
    assert said.stderr == f"not kept: {folder / '.ablate' / 'results.db'} cannot be written\n"
    facts = json.loads(shut("doctor", "--json").stdout)
    (store,) = (f for f in facts["checks"] if f["name"] == "store")
    assert store["state"] == "warning"
    assert store["detail"].endswith("results.db: 1 study; it cannot be written, only read")
