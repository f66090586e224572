import itertools
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from ablate.errors import UsageError
from ablate.measure import Measured, measure, step
from ablate.study import Level
from ablate.system import Job, Probe
from models.reid import system
from models.reid.facts import Population
from models.reid.network import Network, Sizes
from models.reid.probe import probe
from models.reid.sacr import SACR, dilations, gate_kernel
from models.reid.vit import patch_grid

MODULES = ("sacr", "sdtps", "lif")
CELLS = list(itertools.product([False, True], repeat=3))
# sum of trainable parameters printed by the sixteen training logs, in millions; SACR, SDTPS, LIF
LOGGED = (87.988224, 88.157859, 88.623444, 88.793079, 96.381957, 96.551592, 97.017177, 97.186812)
# executed multiply-accumulates of one triple, in units of 10^9, counted by hand in the same order
EXECUTED = (34.1701, 34.9346, 34.2167, 34.9813, 37.3914, 38.1559, 37.4380, 38.2025)
# those that the score depends on in the source's wiring, by hand, and with an operation for every
# element that the source's counter adds, as its logs print them
LIVE = (34.170132, 34.170132, 34.216742, 34.981252, 34.170132, 34.170132, 37.437975, 38.202486)
PRINTED = (34.28, 34.28, 34.33, 35.11, 34.28, 34.28, 37.55, 38.33)
INERT = ((), ("lif",), (), (), ("sacr",), ("sacr", "lif"), (), ())
MakeNetwork: TypeAlias = Callable[..., Network]


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


@pytest.mark.parametrize("wiring", ["live", "source"])
@pytest.mark.parametrize(("on", "millions"), list(zip(CELLS, LOGGED, strict=True)))
def test_parameters_at_paper_scale_are_those_of_the_logs(
    on: tuple[bool, bool, bool], millions: float, wiring: str
) -> None:
    assert trainable(paper_probe(**cell(on), wiring=wiring)) == round(millions * 1e6)


@pytest.mark.parametrize(("ratio", "count"), [(0.5, 97_183_104), (0.8, 97_188_975)])
def test_the_keep_ratio_changes_parameters_as_the_logs_say(ratio: float, count: int) -> None:
    assert trainable(paper_probe(**cell((True, True, True)), sdtps__keep_ratio=ratio)) == count


@pytest.mark.parametrize("wiring", ["live", "source"])
@pytest.mark.parametrize(("on", "expected"), list(zip(CELLS, EXECUTED, strict=True)))
def test_executed_operations_at_paper_scale_are_those_counted_by_hand(
    on: tuple[bool, bool, bool], expected: float, wiring: str
) -> None:
    found = paper_probe(**cell(on), wiring=wiring)
    with torch.device("meta"), FlopCounterMode(display=False) as counter:
        found.forward()
    assert counter.get_total_flops() / 2e9 == pytest.approx(expected, abs=6e-5)


def measured(**levels: Level) -> Measured:
    return measure(system, job(data=Path("RGBNT201"), **levels), ops="seed")


def costs(found: Measured, factor: str = "") -> dict[str, float]:
    return {c.name: c.value for c in found.costs if c.factor == factor}


@pytest.mark.parametrize(
    ("on", "live", "printed", "inert"), list(zip(CELLS, LIVE, PRINTED, INERT, strict=True))
)
def test_in_the_source_wiring_the_score_depends_on_what_the_logs_counted(
    on: tuple[bool, bool, bool], live: float, printed: float, inert: tuple[str, ...]
) -> None:
    found = measured(**cell(on), wiring="source")
    assert costs(found)["live_macs"] / 1e9 == pytest.approx(live, abs=5e-7)
    assert costs(found)["ops"] / 1e9 == pytest.approx(printed, abs=5e-3)
    assert found.inert == inert
    assert (costs(found)["macs"] > costs(found)["live_macs"]) == bool(inert)


@pytest.mark.parametrize("on", CELLS)
def test_in_the_live_wiring_the_score_depends_on_every_module(
    on: tuple[bool, bool, bool],
) -> None:
    found = measured(**cell(on))
    assert found.inert == ()
    assert costs(found)["macs"] == costs(found)["live_macs"]


def test_each_module_has_the_parameters_and_operations_of_its_own() -> None:
    found = measured(**cell((True, True, True)))
    # SDTPS with its own head; convolutions of SACR at 128 patches, of LIF by hand
    lif = 27 * 32 * 32768 + 288 * 64 * 8192 + 576 * 64 * 2048 + 64 * 512
    parameters = {"sacr": 8_393_733, "sdtps": 635_220, "lif": 169_635}
    assert {name: costs(found, name)["params"] for name in MODULES} == parameters
    assert costs(found, "lif")["macs"] == 3 * lif
    # the channel gate: a window of five over 512 channels
    assert costs(found, "sacr")["macs"] == 3 * (8_388_608 * 128 + 5 * 512)


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


@pytest.fixture
def small(small_levels: dict[str, Level]) -> MakeNetwork:
    """Makes small networks with the modules that are on."""

    def make(on: tuple[bool, bool, bool], seed: int = 0, **levels: Level) -> Network:
        torch.set_num_threads(1)
        every = small_levels | cell(on) | levels
        return Network(job(seed, **every), Population(identities=4, cameras=2))

    return make


def example() -> tuple[torch.Tensor, torch.Tensor]:
    images = torch.rand(4, 3, 3, 64, 32, generator=torch.Generator().manual_seed(1)) * 2 - 1
    return images, torch.tensor([0, 1, 0, 1])


@pytest.mark.parametrize("module", ["sacr", "lif", "sdtps"])
def test_each_module_alone_changes_the_scored_feature(module: str, small: MakeNetwork) -> None:
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
    on: tuple[bool, bool, bool], small: MakeNetwork, small_levels: dict[str, Level]
) -> None:
    torch.set_num_threads(1)
    made = probe(job(**small_levels | cell(on)))
    assert set(made.losses()) == {"ori"} | {n for n in ("sdtps", "lif") if cell(on)[n]}
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


def test_sdtps_runs_where_nothing_is_dropped(small_levels: dict[str, Level]) -> None:
    made = probe(job(**small_levels | cell((False, True, False)), sdtps__keep_ratio=1.0))
    assert made.forward().isfinite().all()


def test_the_channel_gate_is_five_wide_at_512_channels() -> None:
    assert [gate_kernel(c) for c in (64, 512)] == [3, 5]


def test_sacr_refuses_tokens_that_do_not_fill_the_grid() -> None:
    with pytest.raises(ValueError, match="31 patch tokens do not fill a grid of 8x4"):
        SACR(8)(torch.zeros(1, 31, 8), (8, 4))


@pytest.mark.parametrize(
    ("levels", "words"),
    [
        ({"heads": 5}, "multiple of heads"),
        ({"height": 4}, "holds no patch"),
        ({"stride": 9}, "stride 9 skips pixels between patches of 8"),
    ],
)
def test_levels_that_do_not_fit_each_other_are_refused(
    levels: dict[str, Level], words: str, small_levels: dict[str, Level]
) -> None:
    with pytest.raises(UsageError, match=words):
        Sizes.of(job(**small_levels | levels))


def test_patches_are_counted_from_the_image_where_it_is_no_multiple_of_the_patch(
    small_levels: dict[str, Level],
) -> None:
    made = probe(job(**small_levels | cell((True, True, True)) | {"height": 60, "image_width": 30}))
    assert made.forward().shape == (1, 2 * 3 * 16)


def test_at_one_seed_baseline_and_full_share_every_weight_of_the_baseline(
    small: MakeNetwork,
) -> None:
    bare, full = small((False, False, False)), small((True, True, True))
    theirs = full.state_dict()
    for name, value in bare.state_dict().items():
        assert torch.equal(value, theirs[name]), name


def test_another_seed_begins_with_other_weights(small: MakeNetwork) -> None:
    one, other = small((True, True, True)).state_dict(), small((True, True, True), 1).state_dict()
    drawn = {n for n, v in one.items() if v.is_floating_point() and v.numel() > 1 and v.std() > 0}
    assert len(drawn) > 40
    assert [n for n in drawn if torch.equal(one[n], other[n])] == []


NONE, SACR_ONLY, LIF_ONLY = (False, False, False), (True, False, False), (False, False, True)
ALL = (True, True, True)


def scored(network: Network) -> torch.Tensor:
    with torch.inference_mode():
        return network.eval()(*example()).scored()


@pytest.mark.parametrize("on", [SACR_ONLY, LIF_ONLY, (True, False, True)])
def test_in_the_source_wiring_sacr_and_lif_without_sdtps_leave_the_score_bit_for_bit(
    on: tuple[bool, bool, bool], small: MakeNetwork
) -> None:
    bare = scored(small(NONE, wiring="source"))
    assert torch.equal(scored(small(on, wiring="source")), bare)
    assert torch.equal(scored(small(NONE, wiring="live")), bare)
    assert not torch.equal(scored(small(on, wiring="live")), bare)


@pytest.mark.parametrize("on", [(True, True, False), (False, True, True)])
def test_in_the_source_wiring_sdtps_alone_reads_what_sacr_and_lif_did(
    on: tuple[bool, bool, bool], small: MakeNetwork
) -> None:
    images, cameras = example()
    alone = small((False, True, False), wiring="source").eval()(images, cameras).branches
    found = small(on, wiring="source").eval()(images, cameras).branches
    assert torch.equal(found["ori"], alone["ori"])
    assert not torch.allclose(found["sdtps"], alone["sdtps"])


@pytest.mark.parametrize(
    ("wiring", "teachers", "output"),
    [("source", {"lif"}, False), ("live", {"lif", "ori"}, True)],
)
def test_lif_alone_learns_in_the_source_wiring_from_its_own_loss_only(
    wiring: str,
    teachers: set[str],
    output: bool,  # noqa: FBT001 - a column of the table above
    small_levels: dict[str, Level],
) -> None:
    torch.set_num_threads(1)
    on = job(**small_levels | cell(LIF_ONLY), wiring=wiring)
    off = job(**small_levels | cell(NONE), wiring=wiring)
    found = step(system, on, {"lif": off})
    assert {r.loss for r in found.reached if r.factor == "lif" and r.tensors} == teachers
    assert found.switched["lif"].output == output
    assert found.switched["lif"].gradients == output


def test_each_part_is_a_module_that_holds_its_parameters(small: MakeNetwork) -> None:
    network = small(ALL)
    for name, part in network.parts().items():
        assert part.module is getattr(network, name)
        held = {id(p) for p in part.module.parameters()}
        assert {id(p) for p in part.parameters.values()} <= held


@pytest.mark.parametrize(
    ("patch", "stride", "grid"),
    # by hand at 256x128: (256 - 16) / 8 + 1 = 31, where 256 / 8 would say 32
    [(16, 16, (16, 8)), (16, 12, (21, 10)), (16, 8, (31, 15)), (14, 14, (18, 9))],
)
def test_overlapping_patches_are_counted_as_the_convolution_makes_them(
    patch: int, stride: int, grid: tuple[int, int]
) -> None:
    assert patch_grid(256, 128, patch, stride) == grid
    assert torch.nn.Conv2d(3, 1, patch, stride)(torch.zeros(1, 3, 256, 128)).shape[2:] == grid


def test_a_stride_below_the_patch_gives_every_module_more_patches(small: MakeNetwork) -> None:
    network = small(ALL, stride=4)
    assert network.grid == (15, 7)
    features = network.eval()(*example())
    assert features.kept is not None
    assert [tuple(mask.shape) for mask in features.kept.values()] == [(4, 105)] * 3


def test_images_of_another_size_than_the_network_was_built_for_are_refused(
    small: MakeNetwork,
) -> None:
    with pytest.raises(ValueError, match="grid of 7x4 patches, not the 8x4 built for"):
        small(NONE)(torch.zeros(1, 3, 3, 56, 32), torch.tensor([0]))


def test_each_dilation_is_a_branch_of_sacr(small: MakeNetwork) -> None:
    network = small(SACR_ONLY, **{"sacr.dilations": "1,5"})
    rates = [stage[0].dilation[0] for stage in network.sacr.dilated]
    assert rates == [1, 5]
    assert network.sacr.fuse[0].in_channels == 3 * 16
    assert not torch.equal(scored(network), scored(small(SACR_ONLY, **{"sacr.dilations": "1,2"})))


@pytest.mark.parametrize("text", ["", "2,", "2;3", "0", "2, 3", "-1", "100", "1,1,1,1,1,1,1,1,1"])
def test_dilations_that_are_no_list_of_whole_numbers_get_one_line(text: str) -> None:
    with pytest.raises(UsageError, match=r"^sacr\.dilations .*write '2,3,4'$"):
        dilations(text)


def test_the_score_is_one_branch_or_both_in_one_row(small: MakeNetwork) -> None:
    on = (False, True, False)
    rows = {score: scored(small(on, score=score)) for score in ("both", "ori", "sdtps")}
    assert [row.shape[1] for row in rows.values()] == [96, 48, 48]
    for row in rows.values():
        torch.testing.assert_close(row.norm(dim=1), torch.ones(4))
    for name, part in (("ori", rows["both"][:, :48]), ("sdtps", rows["both"][:, 48:])):
        torch.testing.assert_close(torch.nn.functional.normalize(part, dim=1), rows[name])


def test_lif_at_beta_zero_weighs_the_three_spectra_alike(small: MakeNetwork) -> None:
    network = small(LIF_ONLY, **{"lif.beta": 0.0}).eval()
    tokens = torch.rand(4, 3, 32, 16, generator=torch.Generator().manual_seed(2))
    changed, maps = network.lif(tokens, example()[0], network.grid)
    torch.testing.assert_close(changed, tokens / 3)
    assert maps.shape == (4, 3, 8, 4)
    sharp = small(LIF_ONLY, **{"lif.beta": 0.6}).eval().lif(tokens, example()[0], network.grid)[0]
    assert not torch.allclose(sharp, changed)


def test_lif_is_as_wide_as_its_channels_say(small: MakeNetwork) -> None:
    widths = [
        small(LIF_ONLY, **{"lif.channels": n}).lif.predictors[0][0][0].out_channels for n in (4, 6)
    ]
    assert widths == [4, 6]


def test_the_probe_is_the_same_twice_and_draws_nothing_from_the_global_generator(
    small_levels: dict[str, Level],
) -> None:
    torch.set_num_threads(1)
    levels = small_levels | cell(ALL) | {"sdtps.gumbel": True}
    before = torch.random.get_rng_state()
    one, other = probe(job(**levels)), probe(job(**levels))
    losses = [{n: loss.item() for n, loss in made.losses().items()} for made in (one, other)]
    assert losses[0] == losses[1]
    assert all(torch.tensor(list(losses[0].values())).isfinite())
    assert torch.equal(one.forward(), other.forward())
    assert torch.equal(torch.random.get_rng_state(), before)


def test_on_the_meta_device_the_probe_allocates_nothing_and_still_steps() -> None:
    with torch.device("meta"):
        made = probe(job(data=Path("RGBNT201"), **cell(ALL), sdtps__gumbel=True))
        losses = made.losses()
    assert {loss.device.type for loss in losses.values()} == {"meta"}
    assert {p.device.type for part in made.parts.values() for p in part.parameters.values()} == {
        "meta"
    }
