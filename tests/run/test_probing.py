"""A probe beside a run: its answers, its death and its deadline are the run's to know."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest
import trainers

import models.reid
from ablate import Job, Probe
from ablate.errors import HostError, UsageError
from ablate.run.probing import Beside, Inquiry, Question, Setting, answers
from ablate.study import Level

HERE = str(Path(__file__).parent)


def _asked(name: str, **levels: Level) -> Inquiry:
    reference = {f.name: f.reference for f in getattr(trainers, name).factors}
    setting = Setting({**reference, **levels}, 0, None)
    return Inquiry(f"trainers:{name}", HERE, (Question("only", setting),))


def test_a_process_beside_gives_the_answers_of_this_one() -> None:
    asked = _asked("learner", extra=True)
    beside = Beside(asked)
    (here,) = answers(asked)
    (there,) = beside.answers()

    assert there.measured == here.measured
    assert here.measured is not None
    # weights and biases of 8 -> 4 -> 4 -> 1
    assert {c.name: c.value for c in here.measured.costs}["params"] == 36 + 20 + 5
    assert here.reasons == ()


def test_one_variant_that_cannot_be_built_is_told_and_the_others_are_measured(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = trainers._probe

    def probe(job: Job) -> Probe:
        if job.on("extra"):
            raise ValueError("no such\nlayer")
        return whole(job)

    system = replace(trainers.learner, probe=probe)
    monkeypatch.setattr(trainers, "learner", system)
    off, on = (_asked("learner", extra=x).questions[0] for x in (False, True))
    first, second = answers(Inquiry("trainers:learner", HERE, (on, off)))

    assert first.reasons == ("on meta: ValueError: no such",)
    assert second.measured is not None
    assert second.measured.costs


def test_a_probe_that_ends_the_program_costs_its_own_answer_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = trainers._probe

    def probe(job: Job) -> Probe:
        if job.on("extra"):
            sys.exit(3)
        return whole(job)

    monkeypatch.setattr(trainers, "learner", replace(trainers.learner, probe=probe))
    on, off = (_asked("learner", extra=x).questions[0] for x in (True, False))
    first, second = answers(Inquiry("trainers:learner", HERE, (on, off)))

    assert first.reasons == ("on meta: SystemExit: 3",)
    assert second.measured is not None
    assert second.measured.costs


def test_a_step_is_made_at_its_own_levels_and_only_switches_that_are_on_are_turned_off() -> None:
    built, trained = (_asked("learner", extra=x).questions[0].built for x in (False, True))
    asked = Inquiry("trainers:learner", HERE, (Question("both", built, trained),))
    (answer,) = answers(asked)

    assert answer.step is not None
    assert list(answer.step.switched) == ["extra"]
    assert [(r.loss, r.tensors, r.of) for r in answer.step.reached] == [("mse", 6, 6)]


def test_variants_for_which_no_time_is_left_are_said() -> None:
    (answer,) = answers(replace(_asked("learner"), seconds=0.0))
    assert (answer.measured, answer.reasons) == (None, ("no time was left after 0 s",))


def test_a_probe_that_kills_its_process_ends_in_one_line() -> None:
    with pytest.raises(HostError, match="the probe's process ended with 7 and no answer"):
        Beside(_asked("dying")).answers()


def test_levels_that_a_system_refuses_are_the_users_to_mend_wherever_they_are_probed() -> None:
    line = "^only: stride 99 skips pixels: lower it$"
    with pytest.raises(UsageError, match=line):
        answers(_asked("refusing"))
    with pytest.raises(UsageError, match=line):
        Beside(_asked("refusing")).answers()


def test_a_probe_that_takes_too_long_is_ended() -> None:
    beside = Beside(_asked("dying"))
    with pytest.raises(HostError, match="longer than 0 s"):
        beside.answers(0.0)
    assert not beside._process.is_alive()


def test_the_first_answer_without_a_module_in_its_output_has_the_way_to_it() -> None:
    factors = models.reid.system.factors
    source: dict[str, Level] = {
        **{f.name: f.reference for f in factors},
        "width": 64,
        "depth": 1,
        "heads": 1,
        "patch": 8,
        "height": 64,
        "image_width": 32,
        "embed": 64,
        "wiring": "source",
        "sacr": True,
    }
    questions = (
        Question("sacr", Setting(source, 0, None)),
        Question("sacr+lif", Setting({**source, "lif": True, "lif.channels": 4}, 0, None)),
    )
    asked = Inquiry("models.reid:system", HERE, questions, ways=True)

    first, second = answers(asked)
    assert first.ways == {"sacr": ("wiring", "live")}
    assert second.ways == {"lif": ("wiring", "live")}
    assert [a.ways for a in answers(replace(asked, ways=False))] == [{}, {}]
    assert [a.ways for a in answers(replace(asked, seconds=0.0))] == [{}, {}]
