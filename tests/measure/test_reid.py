"""Seed 000's re-identification variants, against their logs and against arithmetic."""

from pathlib import Path

import pytest
from toys import costs, liveness

from ablate.audit import measured
from ablate.measure import Reached, Switched, measure, step
from ablate.study import Level, settled
from ablate.system import Job
from models.reid import system

# SACR, SDTPS, LIF -> live multiply-accumulates of the wiring as the seeds ran it, in 10^9
LIVE = {
    "000": 34.170132,
    "100": 34.170132,
    "001": 34.170132,
    "010": 34.216742,
    "101": 34.170132,
    "110": 37.437975,
    "011": 34.981252,
    "111": 38.202486,
}
# what the training logs print, in 10^9: with one operation per element
LOGGED = {
    "000": 34.277168,
    "100": 34.277168,
    "001": 34.277168,
    "010": 34.327748,
    "101": 34.277168,
    "110": 37.551342,
    "011": 35.107794,
    "111": 38.331388,
}
INERT = {"100": ("sacr",), "001": ("lif",), "101": ("sacr", "lif")}
MODULES = ("sacr", "sdtps", "lif")
SMALL: dict[str, Level] = {
    "width": 64,
    "depth": 2,
    "heads": 1,
    "patch": 8,
    "height": 64,
    "image_width": 32,
    "embed": 64,
    "lif.channels": 4,
}


def job(cell: str, data: Path | None = Path("RGBNT201"), **levels: Level) -> Job:
    named = {name.replace("__", "."): level for name, level in levels.items()}
    reference = {f.name: f.reference for f in system.factors}
    on = {name: digit == "1" for name, digit in zip(MODULES, cell, strict=True)}
    return Job(settled(reference | on | named, system.factors), 0, Path(), data)


@pytest.mark.parametrize("cell", LIVE)
def test_counts_of_the_source_wiring_are_those_of_the_seeds(cell: str) -> None:
    found = measure(system, job(cell, wiring="source"), ops="seed")
    counts = costs(found)
    assert counts["live_macs"] == pytest.approx(LIVE[cell] * 1e9, rel=1e-6)
    assert f"{counts['ops'] / 1e9:.2f}" == f"{LOGGED[cell]:.2f}"
    assert counts["ops"] == pytest.approx(LOGGED[cell] * 1e9, rel=2e-6)
    assert found.inert == INERT.get(cell, ())
    assert (counts["macs"] > counts["live_macs"]) == (cell in INERT)
    assert (found.reason, found.uncounted, found.off_meta) == ("", (), "")


@pytest.mark.parametrize("cell", LIVE)
def test_in_the_live_wiring_no_module_is_without_effect(cell: str) -> None:
    found = measure(system, job(cell, wiring="live"))
    assert found.inert == ()
    assert costs(found)["macs"] == costs(found)["live_macs"]
    assert costs(found)["params"] == costs(found)["trained_params"]


def test_each_module_is_charged_with_its_own_operations() -> None:
    found = measure(system, job("111", wiring="source"))
    # three spectra of 128 patches: one 1x1, three 3x3 and a 4-to-1 convolution, and a gate of 5
    sacr = 3 * (128 * 512 * 512 * (1 + 27 + 4) + 512 * 5)
    # three convolutions with halvings between them, and one of 64 channels to one
    lif = 3 * (27 * 32 * 32768 + 288 * 64 * 8192 + 576 * 64 * 2048 + 64 * 512)
    assert (costs(found, "sacr")["macs"], costs(found, "lif")["macs"]) == (sacr, lif)
    rest = costs(found)["macs"] - sacr - lif - costs(found, "sdtps")["macs"]
    assert rest == costs(measure(system, job("000")))["macs"]
    assert costs(found, "sacr")["params"] == 8_393_733
    assert costs(found, "lif")["params"] == 169_635
    assert costs(found, "sdtps")["params"] == 635_220


def small(cell: str, **levels: Level) -> Job:
    return job(cell, None, **SMALL | levels)


def reached(cell: str, **levels: Level) -> dict[tuple[str, str], Reached]:
    found = step(system, small(cell, **levels), {}).reached
    return {(r.part, r.loss): r for r in found}


def test_in_the_source_wiring_lif_learns_from_its_own_loss_only() -> None:
    found = reached("001", wiring="source")
    assert found["lif", "ori"].tensors == 0
    assert found["lif", "lif"].tensors == found["lif", "lif"].of == 33
    assert found["lif", "lif"].norm > 0


def test_detached_scores_cut_the_path_through_the_global_features_and_no_other() -> None:
    attached = reached("010", wiring="source")
    detached = reached("010", wiring="source", sdtps__detach_scores=True)
    # the global features are what the reduce makes; the patches lead straight to the backbone
    assert attached["reduce", "sdtps"].tensors == attached["reduce", "sdtps"].of == 12
    assert detached["reduce", "sdtps"].tensors == 0
    assert detached["backbone", "sdtps"].tensors == detached["backbone", "sdtps"].of
    assert detached["backbone", "sdtps"].norm > 0
    moved = {key for key in attached if attached[key].tensors != detached[key].tensors}
    assert moved == {("reduce", "sdtps")}


def test_the_probe_names_the_path_that_detached_scores_cut() -> None:
    detached = small("010", wiring="source", sdtps__detach_scores=True)
    found = step(system, detached, {"sdtps.detach_scores": small("010", wiring="source")})
    cut = found.switched["sdtps.detach_scores"].cut
    assert [(r.part, r.loss, r.tensors) for r in cut] == [("reduce", "sdtps", 12)]


@pytest.mark.parametrize("cell", INERT)
def test_a_switch_that_the_audit_warns_of_changes_nothing_when_turned_off(cell: str) -> None:
    whole = small(cell, wiring="source")
    found = liveness(measured({cell: measure(system, whole).costs}))
    assert [(f.code, f.sentence.split(":")[0]) for f in found] == [
        ("W204", name) for name in sorted(INERT[cell])
    ]
    off = {
        name: Job(settled(whole.levels | {name: False}, system.factors), 0, Path())
        for name in INERT[cell]
    }
    nothing = Switched(output=False, losses=False, gradients=False)
    assert step(system, whole, off).switched == dict.fromkeys(INERT[cell], nothing)


@pytest.mark.parametrize("wiring", ["source", "live"])
def test_in_the_full_model_every_switch_changes_the_output(wiring: str) -> None:
    whole = small("111", wiring=wiring)
    off = {
        name: Job(settled(whole.levels | {name: False}, system.factors), 0, Path())
        for name in MODULES
    }
    found = step(system, whole, off)
    assert [found.switched[name].output for name in MODULES] == [True] * 3
