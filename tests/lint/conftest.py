"""A project whose database holds the printed numbers of three reports."""

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ablate.cli import app
from ablate.ingest import read
from ablate.ingest.bring import Target, bring_table
from ablate.lint.check import lint
from ablate.lint.document import parse
from ablate.lint.ledger import Finding, Ledger
from ablate.lint.world import World
from ablate.store import open_store

SEEDS = Path(__file__).resolve().parents[2] / "studies" / "seeds"
MODULES, FACES, AQR = "000-rgbnt201", "003-ce7454", "004-aqr"

Lint = Callable[..., Ledger]
Said = tuple[str, str, str, str, str]
"""Study, text, and of its one finding the verdict, the kind, and words that say what is right."""


def refuted(check: Lint, said: Said) -> Finding:
    """The one accusation that the text earns, in both languages."""
    study, text, verdict, kind, says = said
    found = check(text, study).findings
    assert [(f.verdict, f.kind) for f in found] == [(verdict, kind)]
    assert says in found[0].said.en
    assert found[0].said.zh != found[0].said.en
    return found[0]


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lint")
    (folder / "ablate.toml").write_text("")
    with open_store(folder / ".ablate" / "results.db", create=True) as store:
        for name in (MODULES, FACES, AQR):
            target = Target(store, f"import {name}.csv", joins=False, replace=False)
            bring_table(target, read(SEEDS / f"{name}.csv"))
    return folder


@pytest.fixture(scope="session")
def worlds(project: Path) -> dict[str, World]:
    found = {}
    with open_store(project / ".ablate" / "results.db") as store:
        for name in (MODULES, FACES, AQR):
            records = store.records(name)
            items = {r.key: store.items(r.key) for r in records}
            found[name] = World(store.study(name), records, {}, items.__getitem__)
    return found


@pytest.fixture
def check(worlds: dict[str, World]) -> Lint:
    def against(text: str, *studies: str) -> Ledger:
        return lint(parse(text), [worlds[s] for s in studies])

    return against


@pytest.fixture
def rendered(project: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Runs a command that writes Markdown, and gives what it wrote."""
    monkeypatch.chdir(project)
    monkeypatch.delenv("ABLATE_DB", raising=False)

    def write(*arguments: str) -> str:
        file = project / "written.md"
        result = CliRunner().invoke(app, [*arguments, "-o", str(file)])
        assert result.exit_code == 0, result.output
        return file.read_text()

    return write
