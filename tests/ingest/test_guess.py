import tomllib
from pathlib import Path

import pytest

from ablate import design, spec
from ablate.errors import UsageError
from ablate.ingest.assemble import Assembled, assemble
from ablate.ingest.bind import Bound, bind
from ablate.ingest.gather import Gathered, holding
from ablate.ingest.guess import Guess, guess
from ablate.ingest.propose import Proposal
from ablate.ingest.run import Run
from ablate.ingest.seats import Wishes
from ablate.project import Project
from ablate.record import State
from ablate.spec import written
from ablate.study import Study
from tests.ingest.made import grid, run

HOSTILE = ('a"b', "a.b", "ü ÿ", "tab\there", "back\\slash", "'quoted'", "new\nline", "\x1b[0m", "#")


def guessed(*runs: Run, name: str = "s", reader: str = "demo") -> tuple[Guess, Assembled]:
    with holding(runs, reader) as gathered:
        found = assemble(gathered, name, Wishes())
        return guess(gathered, found, "trainer"), found


def written_and_bound(folder: Path, *runs: Run) -> tuple[Study, Assembled]:
    """The proposal written into a project, read back, and the runs bound to it."""
    with holding(runs, "demo") as gathered:
        made = guess(gathered, assemble(gathered, "s", Wishes()), "trainer")
        Proposal.of(made, Project.find(folder)).write()
        return bound_to(folder, gathered)


def bound_to(folder: Path, gathered: Gathered) -> tuple[Study, Assembled]:
    project = Project.find(folder)
    document = spec.read(folder / "studies" / "s.toml")
    study = spec.bind(document, project.system("trainer"), spec.Options(data_root=project.data))
    bound = Bound.of(study, project.reference("trainer"), Wishes().wanted)
    return study, bind(gathered, bound, Wishes())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "ablate.toml").write_text('[systems]\nother = "package.module:name"\n')
    return tmp_path


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_names_come_back_from_toml_as_they_were(text: str) -> None:
    lines = written.table(f"[{written.key('systems', text)}]", {text: [text, True, 1, 0.5, -2e-9]})
    read = tomllib.loads(written.document([lines]))
    assert read == {"systems": {text: {text: [text, True, 1, 0.5, -2e-9]}}}


def test_what_has_no_form_in_toml_is_refused() -> None:
    with pytest.raises(TypeError, match="NoneType has no form"):
        written.value(None)


def test_the_proposed_study_asks_for_the_grid_the_sweeps_and_the_arms_that_were_run(
    folder: Path,
) -> None:
    runs = [
        run("full", grid()),
        run("a", grid(b="False")),
        run("none", grid(a="False", b="False")),
        run("half", grid(ratio="0.5")),
        run("slow", grid(lr="1e-4")),
        run("slow half", grid(ratio="0.5", lr="1e-4")),
    ]
    study, bound = written_and_bound(folder, *runs)
    asked = [p.variant.name for p in design.placements(study)]
    sweeps = ["full b.ratio=0.5", "full lr=0.0001"]
    assert asked == ["baseline", "a", "b", "full", "slow-half", *sweeps]
    placed = [p for p in bound.placements if p is not None]
    assert not [p.variant.name for p in placed if p.extra]
    ran = {p.trial.key for p in placed}
    assert [p.variant.name for p in design.placements(study) if p.trial.key not in ran] == ["b"]


def test_the_stanza_names_the_programs_own_keys_and_the_seed(folder: Path) -> None:
    runs = [
        run("x", {**grid(), "SOLVER.SEED": "3"}, seed=3, command="--config_file c.yml --tag x"),
        run("y", {**grid(a="False"), "SOLVER.SEED": "3"}, seed=3, command="--config_file c.yml"),
    ]
    made, _ = guessed(*runs)
    table = tomllib.loads(made.stanza)["systems"]["trainer"]
    assert table["command"] == "python train_net.py --config_file c.yml {overrides}"
    assert (table["style"], table["seed"], table["reader"]) == ("K V", "SOLVER.SEED", "demo")
    assert table["factors"]["a"] == {
        "key": "MODEL.USE_A",
        "kind": "switch",
        "reference": False,
    }
    assert "check" in made.stanza.splitlines()[0]
    written_and_bound(folder, *runs)
    assert Project.find(folder).systems.keys() == {"other", "trainer"}


def test_a_program_that_is_told_where_to_write_gets_a_folder_of_its_own() -> None:
    runs = [run(n, {"lr": n, "OUTPUT_DIR": f"out/{n}"}, command="--config c.yml") for n in "12"]
    made, _ = guessed(*runs)
    assert made.command == "python train_net.py --config c.yml {overrides} OUTPUT_DIR {workdir}"


def test_switches_that_write_other_words_keep_them(folder: Path) -> None:
    runs = [run("x", {"TEST.RE_RANKING": "yes"}), run("y", {"TEST.RE_RANKING": "no"})]
    made, _ = guessed(*runs)
    table = tomllib.loads(made.stanza)["systems"]["trainer"]["factors"]["re_ranking"]
    assert (table["kind"], table["on"], table["off"]) == ("switch", "yes", "no")
    _, bound = written_and_bound(folder, *runs)
    assert [p.variant.name for p in bound.placements if p] == ["full", "baseline"]


def test_keys_and_levels_of_any_language_survive_the_proposal(folder: Path) -> None:
    runs = [run("x", {"モデル.種類": 'a"b\\'}), run("y", {"モデル.種類": "ÿ, {z}"})]
    study, bound = written_and_bound(folder, *runs)
    assert {p.variant.name for p in bound.placements if p} <= {
        p.variant.name for p in design.placements(study)
    }


def test_no_grid_is_proposed_that_nobody_began(folder: Path) -> None:
    runs = [
        run("v1", {"use_a": "false", "lr": "1", "wd": "0"}),
        run("v2", {"use_a": "true", "lr": "2", "wd": "0"}),
        run("v3", {"use_a": "true", "lr": "3", "wd": "1"}),
    ]
    study, bound = written_and_bound(folder, *runs)
    assert study.modules is None
    assert [p.variant.name for p in design.placements(study)] == ["baseline", "v2", "v3"]
    assert not [p for p in bound.placements if p is None or p.extra]


def test_many_switches_propose_no_grid_that_nobody_can_run(folder: Path) -> None:
    keys = [f"use_m{i}" for i in range(12)]
    base = dict.fromkeys(keys, "false")
    runs = [
        run("none", base),
        *(run(k, base | {k: "true"}) for k in keys),
        run("two", base | {"use_m1": "true", "use_m2": "true"}),
    ]
    study, bound = written_and_bound(folder, *runs)
    assert len(list(design.placements(study))) == 14
    assert not [p for p in bound.placements if p is None or p.extra]


def test_nothing_is_overwritten(folder: Path) -> None:
    runs = [run("x", {"lr": "1"}), run("y", {"lr": "2"})]
    written_and_bound(folder, *runs)
    before = (folder / "ablate.toml").read_bytes(), (folder / "studies/s.toml").read_bytes()
    changed, _ = guessed(run("x", {"lr": "1"}), run("y", {"lr": "3"}))
    with pytest.raises(UsageError, match=r"s\.toml: there is a study of this name"):
        Proposal.of(changed, Project.find(folder))
    other, _ = guessed(*runs, name="t")
    with pytest.raises(UsageError, match="there is a system 'trainer' already"):
        Proposal.of(other, Project.find(folder))
    after = (folder / "ablate.toml").read_bytes(), (folder / "studies/s.toml").read_bytes()
    assert after == before


def test_a_proposal_that_was_written_before_is_there_already(folder: Path) -> None:
    runs = [run("x", {"lr": "1"}), run("y", {"lr": "2"})]
    written_and_bound(folder, *runs)
    before = (folder / "ablate.toml").read_bytes()
    proposal = Proposal.of(guessed(*runs)[0], Project.find(folder))
    assert proposal.there
    proposal.write()
    assert (folder / "ablate.toml").read_bytes() == before


def test_a_project_file_that_cannot_take_the_system_is_left_as_it_was(folder: Path) -> None:
    (folder / "ablate.toml").write_text('systems = { other = "package.module:name" }\n')
    made, _ = guessed(run("x", {"lr": "1"}), run("y", {"lr": "2"}))
    with pytest.raises(UsageError, match=r"ablate\.toml: the system cannot be added to it"):
        Proposal.of(made, Project.find(folder))


def test_what_no_study_file_can_say_is_refused_before_anything_is_written(folder: Path) -> None:
    long = "k" * 300
    made, _ = guessed(run("x", {long: "1"}), run("y", {long: "2"}))
    with pytest.raises(UsageError, match=r"no study file can say .*--map"):
        Proposal.of(made, Project.find(folder))
    assert not (folder / "studies").exists()


def test_runs_without_a_difference_propose_nothing() -> None:
    with pytest.raises(UsageError, match="no setting differs between these runs"):
        guessed(run("baseline"), run("aqr"))


def stanza(made: Guess) -> dict[str, object]:
    found: dict[str, object] = tomllib.loads(made.stanza)["systems"]["trainer"]
    return found


def seeded(key: str, **more: str) -> list[Run]:
    return [
        run(f"{lr} {seed}", {"lr": lr, **({key: str(seed)} if key else {}), **more}, seed=seed)
        for lr in ("1", "2")
        for seed in (3, 4)
    ]


def test_the_only_key_that_equals_every_seed_is_proposed_to_pass_it() -> None:
    made, _ = guessed(*seeded("rng", depth="3"), reader="mine")
    assert (stanza(made)["seed"], made.notes) == ("rng", ())


@pytest.mark.parametrize("more", [{}, {"other": "3"}])
def test_where_no_key_is_the_seed_the_stanza_and_a_note_say_that_it_must_be_passed(
    more: dict[str, str],
) -> None:
    made, _ = guessed(*seeded("", **more), reader="mine")
    assert "seed" not in stanza(made)
    assert "# How the program is told its seed is not in the logs" in made.stanza
    assert ['seed = "KEY"' in note and "{seed}" in note for note in made.notes] == [True]


def test_a_switch_that_may_be_a_flag_is_said_to_be_where_options_are_written() -> None:
    runs = [run("x", {"use_a": "True"}), run("y", {"use_a": "False"})]
    assert (
        "--use_a without a value (a flag), write flag = true"
        in guessed(*runs, reader="mine")[0].stanza
    )
    assert "flag = true" not in guessed(*runs, reader="demo")[0].stanza


@pytest.mark.parametrize(
    ("settings", "facts", "gpu"),
    [
        ({}, {}, None),
        ({"MODEL.DEVICE": "cuda"}, {}, 1),
        ({"device": "cpu"}, {}, None),
        ({"device": "cuda:1"}, {}, 1),
        ({"gpu_id": "0"}, {}, 1),
        ({"gpus": "0"}, {}, None),
        ({"gpus": "2"}, {}, 1),
        ({"no_cuda": "True"}, {}, None),
        ({"use_cuda": "False"}, {}, None),
        ({}, {"GPU 0": "Tesla"}, 1),
        ({}, {"CUDA available": "False"}, None),
    ],
)
def test_a_gpu_is_proposed_only_where_a_record_names_one(
    settings: dict[str, str], facts: dict[str, str], gpu: int | None
) -> None:
    runs = [run(lr, {"lr": lr, **settings}, facts=facts) for lr in ("1", "2")]
    asked = tomllib.loads(guessed(*runs)[0].study)["resources"]
    assert (asked["cpus"], asked.get("gpus")) == (1, gpu)


def test_the_seed_of_a_run_that_was_cut_short_is_not_asked_of_all_cells() -> None:
    runs = [*seeded("seed"), run("cut", {"lr": "1", "seed": "9"}, seed=9, state=State.INCOMPLETE)]
    assert tomllib.loads(guessed(*runs)[0].study)["study"]["seeds"] == [3, 4]
    cut = [run(lr, {"lr": lr}, seed=9, state=State.INCOMPLETE) for lr in ("1", "2")]
    assert tomllib.loads(guessed(*cut)[0].study)["study"]["seeds"] == [9]
