import sys
from pathlib import Path

import pytest

from ablate.errors import DeclarationError, SpecError
from ablate.project import Project

TOML = '[systems]\nplug = "plugged_in_system:system"\n'
SYSTEM = """
from ablate import Metric, Outcome, System

system = System("{name}", "1", (), (Metric("acc"),), train=lambda job: Outcome(), standin="1")
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("ABLATE_DB", "ABLATE_DATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "plugged_in_system", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "ablate.toml").write_text(TOML)
    (tmp_path / "plugged_in_system.py").write_text(SYSTEM.format(name="plug"))
    return tmp_path


def test_the_nearest_file_upward_is_the_project(folder: Path) -> None:
    deep = folder / "a" / "b"
    deep.mkdir(parents=True)
    project = Project.find(deep)
    assert (project.root, project.file) == (folder, folder / "ablate.toml")
    assert project.store == folder / ".ablate" / "results.db"
    assert project.data == folder / "data"


@pytest.mark.parametrize("kind", ["a/.git", "home"])
def test_the_search_stops_at_a_git_root_and_at_home(kind: str, folder: Path) -> None:
    start = folder / ("home" if kind == "home" else "a")
    (folder / kind).mkdir(parents=True)
    project = Project.find(start)
    assert (project.root, project.file, dict(project.systems)) == (start, None, {})


def test_the_file_says_where_things_are_and_the_environment_wins(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    more = '[store]\npath = "kept/r.db"\n[data]\nroot = "/sets"\n[runner]\nslots = 2\n'
    (folder / "ablate.toml").write_text(TOML + more)
    project = Project.find(folder)
    assert (project.store, project.data) == (folder / "kept" / "r.db", Path("/sets"))
    assert project.slots == 2
    monkeypatch.setenv("ABLATE_DB", "/tmp/other.db")
    monkeypatch.setenv("ABLATE_DATA", "/tmp/others")
    project = Project.find(folder)
    assert (project.store, project.data) == (Path("/tmp/other.db"), Path("/tmp/others"))


def test_a_system_in_the_projects_folder_is_found_by_its_name(folder: Path) -> None:
    project = Project.find(folder)
    assert project.reference("plug") == "plugged_in_system:system"
    assert project.system("plug").name == "plug"
    assert sys.path[0] == str(folder)


def test_an_unknown_system_is_an_error_with_the_nearest_name(folder: Path) -> None:
    with pytest.raises(DeclarationError, match=r"system 'plgu' is not one of plug .*'plug'"):
        Project.find(folder).system("plgu")


def test_without_a_project_the_error_says_how_to_get_one(folder: Path) -> None:
    (folder / "a" / ".git").mkdir(parents=True)
    with pytest.raises(DeclarationError, match="ablate init"):
        Project.find(folder / "a").system("plug")


def test_a_system_that_calls_itself_otherwise_is_refused(folder: Path) -> None:
    (folder / "plugged_in_system.py").write_text(SYSTEM.format(name="other"))
    with pytest.raises(DeclarationError, match="calls itself 'other'"):
        Project.find(folder).system("plug")


def test_a_system_that_cannot_be_imported_says_why(folder: Path) -> None:
    (folder / "plugged_in_system.py").write_text("import nowhere_to_be_found\n")
    with pytest.raises(DeclarationError, match="No module named 'nowhere_to_be_found'"):
        Project.find(folder).system("plug")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[systems\n", r"ablate.toml:1: not TOML"),
        ("[sytems]\n", r"did you mean 'systems'"),
        ('[systems]\nx = "no colon"\n', r"ablate.toml:2: systems.x: 'no colon' is not of the form"),
        ('[systems]\nx = "os; rm:system"\n', r"is not of the form"),
        ("[systems]\nx = 1\n", r"ablate.toml:2: systems.x: 1 is not a text"),
        ("[runner]\nslots = 0\n", r"ablate.toml:2: runner.slots: 0 is below 1"),
        ('[store]\npath = ""\n', r"ablate.toml:2: store.path: is empty"),
    ],
)
def test_a_wrong_project_file_is_one_line(text: str, sentence: str, folder: Path) -> None:
    (folder / "ablate.toml").write_text(text)
    with pytest.raises(SpecError, match=sentence) as wrong:
        Project.find(folder)
    assert str(wrong.value).isprintable()


COMMAND = '[systems.x]\ncommand = "python t.py {overrides}"\n'
SCORED = "[systems.x.metrics.acc]\n"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (COMMAND + SCORED + "", ""),
        (COMMAND + 'stile = "K V"\n' + SCORED, r"toml:3: systems.x.stile: key 'stile' is not one"),
        (COMMAND + "seed = 3\n" + SCORED, r"toml:3: systems.x.seed: 3 is not a text"),
        (COMMAND, r"toml:1: systems.x: 'metrics' is missing"),
        (COMMAND + "[systems.x.metrics]\n", r"systems.x.metrics: is empty"),
        (COMMAND + 'style = "yacs"\n' + SCORED, r"toml:3: systems.x.style: 'yacs' is not one of"),
        (COMMAND + 'style = "K V"\nstyle = "k=v"\n' + SCORED, r"toml:4: not TOML"),
        (COMMAND.replace("overrides", "overides") + SCORED, r"toml:2: .*did you mean '\{overrides"),
        (
            COMMAND.replace("{o", "{{o") + SCORED,
            r"toml:2: systems.x.command: .*of its own is writt",
        ),
        (COMMAND.replace("{o", "'{o") + SCORED, r"toml:2: systems.x.command: cannot be split"),
        (COMMAND.replace("{o", "-c={o") + SCORED, r"\{overrides\} must be a word of its own"),
        (
            COMMAND + SCORED + '[systems.x.factors.b]\nreference = 1\nrequires = "a"\n',
            r"toml:6: systems.x.factors.b.requires: factor 'a' is unknown",
        ),
        (
            COMMAND + SCORED + '[systems.x.factors.b]\nreference = "one"\nkind = "whole"\n',
            r"toml:5: systems.x.factors.b.reference: 'one' is not a whole number",
        ),
        (
            COMMAND + SCORED + "[systems.x.factors.b]\nreference = 1\nchoices = [2, 3]\n",
            r"toml:6: systems.x.factors.b.choices: do not hold the reference 1",
        ),
        (
            COMMAND.replace(" {overrides}", "") + SCORED + "[systems.x.factors.b]\nreference = 1\n",
            r"has neither \{overrides\} nor \{params\}: no factor would reach",
        ),
        (
            COMMAND + SCORED + "[systems.x.factors.b]\nreference = 1\n[systems.x.factors.c]\n"
            'reference = 2\nkey = "b"\n',
            r"systems.x.factors.c: key 'b' is written by b already",
        ),
        (
            COMMAND + 'style = "yaml"\n' + SCORED + "[systems.x.factors.b]\nreference = 1\n"
            '[systems.x.factors."b.c"]\nreference = 2\n',
            r"key 'b' cannot hold a value and 'b.c' both",
        ),
        (
            COMMAND + SCORED + "[systems.x.factors.b]\nreference = 1\nflag = true\n",
            r"toml:6: systems.x.factors.b.flag: is for a switch in the styles",
        ),
        (
            COMMAND.replace("{o", "{seed} {o") + 'seed = "s"\n' + SCORED,
            r"toml:3: systems.x.seed: the command has \{seed\} already",
        ),
        (COMMAND + 'log = "../x"\n' + SCORED, r"toml:3: systems.x.log: '../x' leaves the attempt"),
        (
            COMMAND + 'resume_args = "--from {chekpoint}"\n' + SCORED,
            r"toml:3: systems.x.resume_args: .*did you mean '\{checkpoint\}'",
        ),
        (
            COMMAND + SCORED + '[systems.x.environment]\nABLATE_SEED = "1"\n',
            r"toml:5: systems.x.environment.ABLATE_SEED: is not a variable that may be set",
        ),
    ],
)
def test_a_wrong_table_of_a_program_is_one_line(text: str, sentence: str, folder: Path) -> None:
    (folder / "ablate.toml").write_text(text)
    if not sentence:
        assert Project.find(folder).system("x").metrics[0].name == "acc"
        return
    with pytest.raises(SpecError, match=sentence) as wrong:
        Project.find(folder)
    assert str(wrong.value).isprintable()


def test_an_unknown_reader_of_a_program_is_said_when_the_system_is_used(folder: Path) -> None:
    (folder / "ablate.toml").write_text(COMMAND + 'reader = "dem"\n' + SCORED)
    with pytest.raises(
        DeclarationError, match=r"toml:3: systems.x.reader: reader 'dem' .*did you mean 'demo'"
    ):
        Project.find(folder).system("x")


def test_a_program_has_the_factors_metrics_and_data_that_its_tables_say(folder: Path) -> None:
    table = """
[systems.x]
command = "python t.py {overrides}"
revision = "3"
[systems.x.factors]
lif = { reference = false }
"lif.beta" = { reference = 0.4, requires = "lif" }
epochs = { reference = 50 }
rate = { reference = 1, kind = "number" }
loss = { reference = "ce", choices = ["ce", "focal"] }
[systems.x.metrics]
mAP = {}
error = { direction = "down", display = "number" }
"""
    (folder / "ablate.toml").write_text(table)
    system = Project.find(folder).system("x")
    assert (system.name, system.revision, system.finds_data) == ("x", "3", True)
    assert [(f.name, str(f.kind), f.reference) for f in system.factors] == [
        ("lif", "bool", False),
        ("lif.beta", "float", 0.4),
        ("epochs", "int", 50),
        ("rate", "float", 1.0),
        ("loss", "str", "ce"),
    ]
    assert system.factors[1].requires == "lif"
    assert [(m.name, m.direction, m.digits) for m in system.metrics] == [
        ("mAP", "up", 1),
        ("error", "down", 3),
    ]


def _install(site: Path, package: str, entries: str) -> None:
    info = site / f"{package}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[ablate.systems]\n{entries}\n")


def test_an_installed_package_offers_its_system(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _install(folder / "site", "plugin", "far = far_away:system")
    (folder / "site" / "far_away.py").write_text(SYSTEM.format(name="far"))
    monkeypatch.syspath_prepend(folder / "site")
    project = Project.find(folder)
    assert project.system("far").name == "far"
    assert project.origins() == {"plug": "ablate.toml", "far": "plugin 1.0"}


def test_the_projects_own_system_wins_over_a_packages(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _install(folder / "site", "plugin", "plug = elsewhere:system")
    monkeypatch.syspath_prepend(folder / "site")
    assert Project.find(folder).reference("plug") == "plugged_in_system:system"


def test_two_packages_that_offer_one_name_are_an_error_naming_both(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _install(folder / "site", "plugin", "far = far_away:system")
    _install(folder / "site", "other", "far = nearer:system")
    monkeypatch.syspath_prepend(folder / "site")
    with pytest.raises(DeclarationError, match=r"'far' is offered by (plugin|other) 1.0 and"):
        Project.find(folder).system("far")
