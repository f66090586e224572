import itertools
from pathlib import Path

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from ablate.errors import UsageError
from ablate.study import Level
from ablate.system import Job, Probe
from models.reid import system
from models.reid.facts import Population
from models.reid.network import Network, Sizes
from models.reid.probe import probe
from models.reid.sacr import SACR, gate_kernel
from models.reid.sdtps import Selecting

MODULES = ("sacr", "sdtps", "lif")
CELLS = list(itertools.product([False, True], repeat=3))
# sum of trainable parameters printed by the sixteen training logs, in millions; SACR, SDTPS, LIF
LOGGED = (87.988224, 88.157859, 88.623444, 88.793079, 96.381957, 96.551592, 97.017177, 97.186812)
# executed multiply-accumulates of one triple, in units of 10^9, counted by hand in the same order
EXECUTED = (34.1701, 34.9346, 34.2167, 34.9813, 37.3914, 38.1559, 37.4380, 38.2025)
SMALL: dict[str, Level] = {
    "width": 32,
    "depth": 1,
    "heads": 2,
    "patch": 8,
    "height": 64,
    "image_width": 32,
    "embed": 16,
    "lif.channels": 4,
}


def job(seed: int = 0, data: Path | None = None, **levels: Level) -> Job:
    reference = {f.name: f.reference for f in system.factors}
    named = {name.replace("__", "."): level for name, level in levels.items()}
    return Job(reference | named, seed, Path(), data=data)


def cell(on: tuple[bool, bool, bool], **levels: Level) -> dict[str, Level]:
    return dict(zip(MODULES, on, strict=True)) | levels


def paper_probe(**levels: Level) -> Probe:
    with torch.device("meta"):
        return probe(job(data=Path("RGBNT201"), **levels))


def trainable(found: Probe) -> int:
    return sum(p.numel() for part in found.parts.values() for p in part.parameters.values())


@pytest.mark.parametrize(("on", "millions"), list(zip(CELLS, LOGGED, strict=True)))
def test_parameters_at_paper_scale_are_those_of_the_logs(
    on: tuple[bool, bool, bool], millions: float
) -> None:
    assert trainable(paper_probe(**cell(on))) == round(millions * 1e6)


@pytest.mark.parametrize(("ratio", "count"), [(0.5, 97_183_104), (0.8, 97_188_975)])
def test_the_keep_ratio_changes_parameters_as_the_logs_say(ratio: float, count: int) -> None:
    assert trainable(paper_probe(**cell((True, True, True)), sdtps__keep_ratio=ratio)) == count


@pytest.mark.parametrize(("on", "expected"), list(zip(CELLS, EXECUTED, strict=True)))
def test_executed_operations_at_paper_scale_are_those_of_the_logs(
    on: tuple[bool, bool, bool], expected: float
) -> None:
    found = paper_probe(**cell(on))
    with torch.device("meta"), FlopCounterMode(display=False) as counter:
        found.forward()
    assert counter.get_total_flops() / 2e9 == pytest.approx(expected, abs=6e-5)


def test_each_part_belongs_to_its_factor() -> None:
    parts = paper_probe(**cell((True, True, True))).parts
    owners = {name: part.factor for name, part in parts.items()}
    assert owners == {
        "backbone": None,
        "camera": None,
        "reduce": None,
        "head": None,
        "sacr": "sacr",
        "lif": "lif",
        "sdtps": "sdtps",
        "sdtps_head": "sdtps",
    }


def small(on: tuple[bool, bool, bool], seed: int = 0) -> Network:
    torch.set_num_threads(1)
    return Network(job(seed, **SMALL | cell(on)), Population(identities=4, cameras=2))


def example() -> tuple[torch.Tensor, torch.Tensor]:
    images = torch.rand(4, 3, 3, 64, 32, generator=torch.Generator().manual_seed(1)) * 2 - 1
    return images, torch.tensor([0, 1, 0, 1])


@pytest.mark.parametrize("module", ["sacr", "lif", "sdtps"])
def test_each_module_alone_changes_the_scored_feature(module: str) -> None:
    on = tuple(module == name for name in MODULES)
    with_module, without = small(on).eval(), small((False, False, False)).eval()
    images, cameras = example()
    with torch.inference_mode():
        bare = without(images, cameras).scored()
        before = with_module(images, cameras).scored()
        for parameter in getattr(with_module, module).parameters():
            parameter.mul_(1.5)
        after = with_module(images, cameras).scored()
    assert not torch.allclose(before[:, : bare.shape[1]], bare) or before.shape != bare.shape
    assert not torch.allclose(after, before)


@pytest.mark.parametrize("on", CELLS)
def test_every_parameter_learns_from_the_loss_that_trains_the_score(
    on: tuple[bool, bool, bool],
) -> None:
    torch.set_num_threads(1)
    made = probe(job(**SMALL | cell(on)))
    network_losses = made.losses()
    assert set(network_losses) == {"ori"} | {n for n in ("sdtps", "lif") if cell(on)[n]}
    # the probe's own images are flat; the task losses alone, on textured ones, are what counts
    network = small(on).train()
    images, cameras = example()
    features = network(images, cameras)
    logits = network.logits(features)
    task = sum((logits[n].square().sum() + f.cos().sum()) for n, f in features.branches.items())
    task.backward()
    silent = {
        name
        for part in network.parts().values()
        for name, p in part.parameters.items()
        if p.grad is None or not p.grad.abs().sum() > 0
    }
    # a constant added to every kept token's logit leaves a softmax over kept tokens as it was, so
    # rounding alone decides what the last bias of a gathering network gets
    silent = {n for n in silent if not n.endswith("gather.3.bias")}
    # a camera that an image does not come from learns nothing from it: both occur here
    assert silent == set()


def test_sdtps_keeps_and_gathers_as_many_tokens_as_the_source() -> None:
    plan = Selecting(patches=128, keep_ratio=0.7, aggregate_ratio=0.5, beta=0.25)
    assert (plan.kept, plan.gathered) == (90, 44)
    assert Selecting(128, 0.5, 0.4, 0.25).gathered == 25
    everything = Selecting(patches=32, keep_ratio=1.0, aggregate_ratio=0.5, beta=0.25)
    assert (everything.kept, everything.gathered) == (32, 16)


def test_sdtps_runs_where_nothing_is_dropped() -> None:
    made = probe(job(**SMALL | cell((False, True, False)), sdtps__keep_ratio=1.0))
    assert made.forward().isfinite().all()


def test_the_channel_gate_is_five_wide_at_512_channels() -> None:
    assert [gate_kernel(c) for c in (64, 512)] == [3, 5]


def test_sacr_refuses_tokens_that_do_not_fill_the_grid() -> None:
    with pytest.raises(ValueError, match="31 patch tokens do not fill a grid of 8x4"):
        SACR(8)(torch.zeros(1, 31, 8), (8, 4))


@pytest.mark.parametrize(
    ("levels", "words"),
    [({"heads": 5}, "multiple of heads"), ({"height": 4}, "holds no patch")],
)
def test_levels_that_do_not_fit_each_other_are_refused(
    levels: dict[str, Level], words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        Sizes.of(job(**SMALL | levels))


def test_patches_are_counted_from_the_image_where_it_is_no_multiple_of_the_patch() -> None:
    made = probe(job(**SMALL | cell((True, True, True)) | {"height": 60, "image_width": 30}))
    assert made.forward().shape == (1, 2 * 3 * 16)


def test_at_one_seed_baseline_and_full_share_every_weight_of_the_baseline() -> None:
    bare, full = small((False, False, False)), small((True, True, True))
    theirs = full.state_dict()
    for name, value in bare.state_dict().items():
        assert torch.equal(value, theirs[name]), name


def test_another_seed_begins_with_other_weights() -> None:
    one, other = small((True, True, True)).state_dict(), small((True, True, True), 1).state_dict()
    drawn = {n for n, v in one.items() if v.is_floating_point() and v.numel() > 1 and v.std() > 0}
    assert len(drawn) > 40
    assert [n for n in drawn if torch.equal(one[n], other[n])] == []
