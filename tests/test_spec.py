import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from ablate import Metric, Outcome, System, choice, real, switch, whole
from ablate.design import variants
from ablate.errors import SpecError
from ablate.spec import Options, bind, read
from ablate.spec.overrides import axes
from ablate.study import (
    Arm,
    Axis,
    Check,
    Claims,
    Factor,
    Kind,
    Modules,
    Resources,
    Start,
    Study,
    Sweep,
)

GOOD = (Path(__file__).parent / "hostile" / "good.toml").read_text()
SYSTEM = System(
    name="fake",
    revision="7",
    factors=(
        switch("sacr"),
        switch("sdtps"),
        switch("lif"),
        real("lif.beta", 0.4, requires="lif", low=0.0),
        real("lr", 1e-3),
        whole("epochs", 10, low=1),
        choice("loss", "ce", "dice", "focal"),
    ),
    metrics=(Metric("rank1"), Metric("mAP")),
    train=lambda _job: Outcome(),
    standin="fake-1",
)


def bound(
    folder: Path, text: str = GOOD, options: Options | None = None, system: System = SYSTEM
) -> Study:
    path = folder / "x.toml"
    path.write_text(text)
    return bind(read(path), system, options or Options(data_root=folder))


def test_every_table_of_a_study_file_arrives_in_the_study(tmp_path: Path) -> None:
    study = bound(tmp_path)
    assert (study.name, study.system, study.revision) == ("rgbnt201", "fake", "7")
    assert (study.seeds, study.primary, str(study.selection)) == ((0, 1, 2), "rank1", "last")
    assert study.fixed == {"epochs": 2, "lr": 3.5e-4}
    assert study.modules == Modules(("sacr", "sdtps", "lif"), "full")
    assert study.sweeps == (Sweep("full", "lif.beta", (0.2, 0.4, 0.6)),)
    assert study.arms == (
        Arm("lmsa", {"loss": "dice"}, "full"),
        Arm("focal", {"loss": "focal", "lr": 5e-4}, "lmsa", Start("lmsa", 0)),
    )
    assert study.checks == (Check("train.acc", 5, min=0.2, stop=True),)
    assert study.groups == {"classes": {"small": ("pedestrian", "motorcycle")}}
    assert study.tiers == {"clear": 3.0, "severe": 5.0}
    assert study.limits == {"params": 1.82e6}
    assert study.claims == Claims(0.05, 0.5, paired=False)
    assert study.resources == Resources(1, 0.5, 7200.0)
    assert study.text == GOOD


def test_margins_are_of_metrics_by_name_in_display_units(tmp_path: Path) -> None:
    number = Metric("loss", direction="down", display="number")
    system = replace(SYSTEM, metrics=(*SYSTEM.metrics, number))
    text = GOOD.replace("margin = 0.5\n", "margin = 0.4\nmargins = { MAP = 1.5, loss = 0.02 }\n")
    claims = bound(tmp_path, text, system=system).claims
    assert claims == Claims(0.05, 0.4, margins={"mAP": 1.5, "loss": 0.02})
    assert claims.margin_of(Metric("rank1")) == pytest.approx(0.004)
    assert claims.margin_of(Metric("mAP")) == pytest.approx(0.015)
    assert claims.margin_of(number) == 0.02
    assert bound(tmp_path, system=system).claims.margin_of(number) is None


def test_margins_may_be_a_table_of_their_own(tmp_path: Path) -> None:
    claims = bound(tmp_path, GOOD + "\n[claims.margins]\nrank1 = 0\n").claims
    assert claims.margins == {"rank1": 0.0}
    assert claims.margin_of(Metric("rank1")) == 0


def test_a_title_that_is_missing_is_the_name(tmp_path: Path) -> None:
    line = 'title   = "SACR, SDTPS and LIF on RGBNT201"\n'
    assert bound(tmp_path, GOOD.replace(line, "")).title == "rgbnt201"


def test_metrics_are_matched_without_regard_to_case(tmp_path: Path) -> None:
    text = GOOD.replace('"rank1"', '"MAP"').replace('"last"', '"best:RANK1@val"')
    study = bound(tmp_path, text)
    assert (study.primary, str(study.selection)) == ("mAP", "best:rank1@val")


def test_nested_tables_and_quoted_keys_are_dotted_factors(tmp_path: Path) -> None:
    for line in ("lif.beta = 0.3", '"lif.beta" = 0.3', "lif = { beta = 0.3 }"):
        text = GOOD.replace("lr     = 3.5e-4", line)
        assert bound(tmp_path, text).fixed["lif.beta"] == 0.3


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ('"2h"', 7200),
        ('"30m"', 1800),
        ('"90s"', 90),
        ("45", 45),
        ('"1.5 h"', 5400),
        ('"1d"', 86400),
    ],
)
def test_a_timeout_is_a_duration_or_seconds(written: str, seconds: float, tmp_path: Path) -> None:
    assert bound(tmp_path, GOOD.replace('"2h"', written)).resources.timeout == seconds


# Scale and data


def test_without_a_data_root_the_scale_is_small_and_the_data_are_the_stand_in(
    tmp_path: Path,
) -> None:
    study = bound(tmp_path)
    assert (study.scale, study.standin, study.data) == ("small", True, "standin:fake-1")
    assert study.data_root is None


def test_a_study_without_a_small_scale_keeps_its_own_values(tmp_path: Path) -> None:
    study = bound(tmp_path, GOOD.split("[scale.small]", maxsplit=1)[0])
    assert (study.scale, study.fixed["epochs"], study.standin) == ("paper", 50, True)


def test_paper_scale_without_data_means_the_real_data_which_are_then_missing(
    tmp_path: Path,
) -> None:
    study = bound(tmp_path, options=Options(scale="paper"))
    assert (study.scale, study.fixed["epochs"], study.standin) == ("paper", 50, False)
    assert (study.data, study.data_root) == ("missing", None)


def test_paper_scale_of_a_system_without_real_data_is_on_its_stand_in(tmp_path: Path) -> None:
    system = replace(SYSTEM, real_data=False)
    study = bound(tmp_path, options=Options(scale="paper"), system=system)
    assert (study.scale, study.standin, study.data) == ("paper", True, "standin:fake-1")


def test_a_data_root_means_paper_scale_and_its_identity_is_names_and_sizes(tmp_path: Path) -> None:
    folder = tmp_path / "sets" / "RGBNT201"
    (folder / "b").mkdir(parents=True)
    (folder / "b" / "2.jpg").write_bytes(b"xyz")
    (folder / "a.txt").write_bytes(b"hello")
    expected = hashlib.sha256(b"a.txt\x005\nb/2.jpg\x003\n").hexdigest()
    text = GOOD + '[data]\nroot = "RGBNT201"\n'
    study = bound(tmp_path, text, Options(data_root=tmp_path / "sets"))
    assert (study.scale, study.fixed["epochs"], study.standin) == ("paper", 50, False)
    assert (study.data, study.data_root) == (f"files:{expected}", "RGBNT201")
    elsewhere = bound(tmp_path, GOOD, Options(data=folder))
    assert elsewhere.data == study.data


def test_a_data_root_that_is_not_there_is_missing(tmp_path: Path) -> None:
    study = bound(tmp_path, GOOD + '[data]\nroot = "RGBNT201"\n')
    assert (study.data, study.scale, study.standin) == ("missing", "paper", False)


def test_a_system_without_stand_in_needs_a_data_root(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"x.toml:4: study.system: system 'fake' has no stand-in"):
        bound(tmp_path, system=replace(SYSTEM, standin=None))


def test_a_system_that_knows_only_its_stand_in_takes_no_data_root(tmp_path: Path) -> None:
    text = GOOD + '[data]\nroot = "RGBNT201"\n'
    with pytest.raises(SpecError, match="knows only its stand-in data"):
        bound(tmp_path, text, system=replace(SYSTEM, real_data=False))


# The command line


@pytest.mark.parametrize(
    ("given", "axis"),
    [
        ("lr=1e-3", Axis("lr", (1e-3,))),
        ("lr=1", Axis("lr", (1.0,))),
        ("lif.beta=0.2,0.4", Axis("lif.beta", (0.2, 0.4))),
        ("loss=focal", Axis("loss", ("focal",))),
        ("loss='focal',\"ce\"", Axis("loss", ("focal", "ce"))),
        ("sacr=true,false", Axis("sacr", (True, False))),
    ],
)
def test_an_override_is_written_as_toml_with_bare_words(
    given: str, axis: Axis, tmp_path: Path
) -> None:
    assert bound(tmp_path, options=Options(overrides=[given])).axes == (axis,)


def test_nothing_after_the_equals_sign_is_the_empty_text_of_a_text_factor() -> None:
    weights = Factor("weights", Kind.STR, "vit.pt")
    assert axes(["weights="], [weights]) == (Axis("weights", ("",)),)


@pytest.mark.parametrize(
    ("given", "seeds"),
    [("0-4", (0, 1, 2, 3, 4)), ("0,1,2", (0, 1, 2)), ("7, 9-10", (7, 9, 10)), ("5", (5,))],
)
def test_seeds_are_ranges_and_lists(given: str, seeds: tuple[int, ...], tmp_path: Path) -> None:
    assert bound(tmp_path, options=Options(seeds=given)).seeds == seeds


def test_an_override_changes_names_only_where_it_changes_levels(tmp_path: Path) -> None:
    study = bound(tmp_path, options=Options(overrides=["lr=5e-4"]))
    found = [v.name for v in variants(study)]
    assert "focal" in found
    assert "baseline lr=0.0005" in found


# Errors


def test_the_line_of_an_error_is_looked_for_in_its_own_table(tmp_path: Path) -> None:
    text = GOOD.replace("[0.2, 0.4, 0.6]", "[0.2, 0.4, 0.6]\n\n[[sweep]]\naround = 'full'\n"
                        "factor = 'lr'\nlevels = [1.0, 1.0]")  # fmt: skip
    with pytest.raises(SpecError, match=r"x.toml:25: sweep 2.levels: 1 is there twice"):
        bound(tmp_path, text)


def test_a_key_that_is_missing_is_said_with_the_line_of_its_table(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"x.toml:1: study: 'seeds' is missing"):
        bound(tmp_path, GOOD.replace("seeds   = [0, 1, 2]\n", ""))
