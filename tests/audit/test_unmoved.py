"""Settings that changed nothing, and variants that are one configuration."""

from collections.abc import Mapping
from dataclasses import replace

from ablate.audit.check import ask
from ablate.audit.evidence import Evidence
from ablate.audit.execution import CHECKS
from ablate.metric import Metric
from ablate.record import Attempt, Cost, Finding, Record, State
from ablate.selection import Curves, Score
from ablate.study import Level, Study, choice, real, switch

STUDY = Study(
    name="s",
    title="S",
    system="x",
    revision="1",
    factors=(switch("lif"), real("lif.beta", 0.4, requires="lif"), choice("loss", "ce", "focal")),
    metrics=(Metric("mAP"),),
    primary="mAP",
)
LEARNT: Curves = {("train", "loss"): {1: 0.9, 2: 0.8}, ("test", "mAP"): {1: 0.5, 2: 0.6}}
OTHER: Curves = {("train", "loss"): {1: 0.9, 2: 0.7}, ("test", "mAP"): {1: 0.5, 2: 0.6}}
ON: Mapping[str, Level] = {"lif": True}


def record(
    key: str, variant: str, changed: Mapping[str, Level], seed: int = 0, **others: object
) -> Record:
    levels = {f.name: changed.get(f.name, f.reference) for f in STUDY.factors}
    score = {"mAP": Score("mAP", 0.6, 2, "test", "last")}
    made = Record("s", variant, "grid", None, 0, levels, changed, seed, key, State.COMPLETED, score)
    return replace(made, **others)  # type: ignore[arg-type]


def found(
    code: str,
    *records: Record,
    curves: Mapping[str, Curves] | None = None,
    settings: Mapping[str, Mapping[str, str]] | None = None,
) -> list[Finding]:
    of = {r.key: LEARNT for r in records} if curves is None else curves
    return [f for f in ask(CHECKS, Evidence(STUDY, records, of, settings or {})) if f.code == code]


LIF = record("a", "lif", ON)
BETA = record("b", "lif lif.beta=0.2", {**ON, "lif.beta": 0.2})


def test_two_levels_that_give_one_run_are_said_never_to_have_arrived() -> None:
    (said,) = found("W140", LIF, BETA)
    assert said.name == "W140:lif.beta"
    assert said.sentence == (
        "lif lif.beta=0.2 and lif are identical to the last digit at seed 0, though lif.beta is 0.2"
        " in one and 0.4 in the other: it may never have arrived"
    )
    assert said.chinese == (
        "lif lif.beta=0.2 与 lif 在种子 0 下逐位相同，"
        "而 lif.beta 分别为 0.2 与 0.4：该设置可能从未传到训练"
    )
    assert set(said.keys) == {"a", "b"}
    assert said.command == "ablate show b"


def test_two_levels_off_the_reference_are_compared_with_each_other() -> None:
    six = record("c", "lif lif.beta=0.6", {**ON, "lif.beta": 0.6})
    (said,) = found("W140", BETA, six)
    assert "though lif.beta is 0.6 in one and 0.2 in the other" in said.sentence
    (both,) = found("W140", LIF, BETA, six)
    assert " more pair" in both.sentence
    assert set(both.keys) == {"a", "b", "c"}


def test_runs_that_differ_in_a_digit_in_two_factors_or_in_their_seed_say_nothing() -> None:
    assert found("W140", LIF, BETA, curves={"a": LEARNT, "b": OTHER}) == []
    two = record("c", "x", {**ON, "lif.beta": 0.2, "loss": "focal"})
    assert found("W140", LIF, two) == []
    assert found("W140", LIF, replace(BETA, seed=1)) == []
    assert found("W140", LIF, BETA, curves={}) == []
    assert found("W140", LIF, replace(BETA, state=State.INCOMPLETE)) == []


def test_a_setting_that_the_training_never_read_is_said_once() -> None:
    unread = replace(BETA, attempt=attempted(unread="lif.beta"))
    assert found("W140", LIF, unread) == []
    assert found("W140", LIF, replace(BETA, attempt=attempted(unread="lif.gamma"))) != []


def test_a_module_whose_parameters_are_there_has_arrived() -> None:
    base = record("c", "baseline", {}, costs={"params": Cost("params", 10, "", "torch")})
    more = replace(LIF, costs={"params": Cost("params", 14, "", "torch")})
    assert found("W140", base, more) == []
    same = replace(LIF, costs={"params": Cost("params", 10, "", "torch")})
    assert [f.subject for f in found("W140", base, same)] == ["lif"]


def test_two_names_of_one_trial_are_one_configuration_before_training_too() -> None:
    pending = [
        replace(r, state=State.PENDING, scores={}) for r in (LIF, replace(LIF, variant="ours"))
    ]
    evidence = Evidence(STUDY, pending)
    (said,) = [f for f in ask(CHECKS, evidence, planned=True) if f.code == "W142"]
    assert said.sentence == "lif and ours are one configuration: same levels, same runs"
    assert said.command == "ablate plan studies/s.toml"


RESOLVED = {"lr": "0.1", "epochs": "40", "model.name": "vit", "output_dir": "runs/1", "seed": "0"}


def test_configurations_that_are_equal_but_for_labels_and_folders_are_one() -> None:
    labels = {**RESOLVED, "output_dir": "runs/2", "seed": "1", "name": "second"}
    (said,) = found("W142", LIF, BETA, settings={"a": {**RESOLVED, "name": "first"}, "b": labels})
    assert said.sentence == (
        "lif and lif lif.beta=0.2 resolved one configuration (3 keys, labels, paths and seeds"
        " apart): what is said to tell them apart is not in it"
    )


def test_one_key_that_decides_tells_configurations_apart() -> None:
    for key in ("lr", "model.name", "beta"):
        other = {**RESOLVED, key: "1e-3"}
        assert found("W142", LIF, BETA, settings={"a": RESOLVED, "b": other}) == []
    # a level that stands in a folder's name is one: the study moves `beta`
    moved = {**RESOLVED, "lif.beta": "0.2"}, {**RESOLVED, "lif.beta": "0.4"}
    assert found("W142", LIF, BETA, settings=dict(zip("ba", moved, strict=True))) == []
    few = {"lr": "0.1", "seed": "0"}
    assert found("W142", LIF, BETA, settings={"a": few, "b": few}) == []


def attempted(**provenance: str) -> Attempt:
    return Attempt("b", 1, State.COMPLETED, "o", "b/1", provenance=provenance)


def test_a_level_that_no_training_read_is_named() -> None:
    unread = replace(BETA, attempt=attempted(unread="lif.beta"))
    (said,) = found("W141", LIF, unread)
    assert said.name == "W141:lif.beta"
    assert said.sentence == (
        "the training never read lif.beta, which is set in lif lif.beta=0.2 (1 run): no difference"
        " can come from it"
    )
    assert said.keys == ("b",)
    assert found("W141", LIF, replace(BETA, attempt=attempted())) == []


def test_a_program_that_resolved_another_value_did_not_get_its_setting() -> None:
    note = (
        "a doubt\nthe program's own configuration says that MODEL.LIF_BETA is 0.4 and not 0.2: it"
        " has not done as it was told"
    )
    (said,) = found("W141", LIF, replace(BETA, attempt=attempted(notes=note)))
    assert said.sentence == (
        "MODEL.LIF_BETA was set to 0.2 in lif lif.beta=0.2 (1 run), and the program's own"
        " configuration says 0.4: it did not arrive"
    )
