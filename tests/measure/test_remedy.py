"""The setting that would put a module into the output, found by building networks."""

from dataclasses import replace
from pathlib import Path

import pytest
from test_reid import SMALL

from ablate.errors import UsageError
from ablate.measure import ways
from ablate.study import Level, settled
from ablate.system import Job, Probe
from models.reid import system


def source(*modules: str) -> Job:
    levels: dict[str, Level] = {**SMALL, **dict.fromkeys(modules, True), "wiring": "source"}
    return Job(settled(levels, system.factors), 0, Path())


def test_the_source_s_wiring_is_what_keeps_sacr_and_lif_out_of_the_score() -> None:
    live = ("wiring", "live")
    assert ways(system, source("sacr", "lif"), {"sacr", "lif"}) == {"sacr": live, "lif": live}


def test_what_the_study_moves_itself_is_not_proposed_and_nothing_is_made_up() -> None:
    # with the wiring kept, SDTPS would open the path; with neither, nothing does
    assert ways(system, source("sacr"), {"sacr"}, {"wiring"}) == {"sacr": ("sdtps", True)}
    assert ways(system, source("sacr"), {"sacr"}, {"wiring", "sdtps"}) == {}


@pytest.mark.parametrize("raised", [UsageError("not here"), RuntimeError("broken")])
def test_a_setting_at_which_nothing_can_be_built_is_passed_over(raised: Exception) -> None:
    def probe(job: Job) -> Probe:
        if job.choice("wiring") == "live":
            raise raised
        assert system.probe is not None
        return system.probe(job)

    found = ways(replace(system, probe=probe), source("lif"), {"lif"})
    assert found == {"lif": ("sdtps", True)}


def test_so_many_networks_are_built_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    built = []

    def probe(job: Job) -> Probe:
        built.append(job.levels)
        raise RuntimeError("broken")

    monkeypatch.setattr("ablate.measure.remedy.TRIES", 2)
    assert ways(replace(system, probe=probe), source("lif"), {"lif"}) == {}
    assert len({tuple(levels.items()) for levels in built}) == 2
