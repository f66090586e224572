"""What each loss counts, and at which rate each parameter follows it."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pytest
import torch

from ablate.study import Level, settled
from ablate.system import Job
from models.reid import system
from models.reid.facts import Population
from models.reid.losses import BranchLoss, triplet_loss
from models.reid.network import Network
from models.reid.objective import losses, weighted, weights
from models.reid.optimizer import optimizer, set_rates
from models.reid.schedule import Schedule

MakeJob: TypeAlias = Callable[..., Job]

LABELS = torch.tensor([0, 0, 1, 1])


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture
def job(small_levels: dict[str, Level]) -> MakeJob:
    """Makes jobs of a small network with SDTPS and LIF."""
    reference = {f.name: f.reference for f in system.factors}
    small = reference | small_levels | {"sdtps": True, "lif": True}

    def make(**levels: Level) -> Job:
        named = {name.replace("__", "."): level for name, level in levels.items()}
        return Job(settled(small | named, system.factors), 0, Path())

    return make


def network(made: Job) -> Network:
    return Network(made, Population(identities=4, cameras=2))


def example() -> tuple[torch.Tensor, torch.Tensor]:
    images = torch.rand(4, 3, 3, 64, 32, generator=torch.Generator().manual_seed(1)) * 2 - 1
    return images, torch.tensor([0, 1, 0, 1])


def step(made: Job, net: Network, adam: torch.optim.Adam, epoch: int) -> None:
    images, cameras = example()
    found = losses(net.train(), net(images, cameras), images, LABELS)
    adam.zero_grad(set_to_none=True)
    weighted(found, weights(made, epoch)).backward()
    adam.step()


def test_the_identity_loss_is_smoothed_and_both_losses_weighted_as_asked() -> None:
    features = torch.tensor([[0.0, 0.0], [3.0, 4.0], [0.0, 1.0], [6.0, 8.0]])
    logits = torch.tensor([[1.0, 0.0], [0.0, 0.0], [0.0, 2.0], [0.0, 0.0]])
    # farthest of the same identity and nearest of the other, by hand
    far = [5.0, 5.0, math.sqrt(36 + 49), math.sqrt(36 + 49)]
    near = [1.0, math.sqrt(9 + 9), 1.0, 5.0]
    triplet = np.mean([math.log1p(math.exp(f - n)) for f, n in zip(far, near, strict=True)])
    assert triplet_loss(features, LABELS).item() == pytest.approx(triplet, rel=1e-6)
    log2, log_e1, log_e2 = math.log(2), math.log(1 + math.e), math.log(1 + math.e**2)
    right = np.mean([log_e1 - 1, log2, log_e2 - 2, log2])
    spread = np.mean([log_e1 - 0.5, log2, log_e2 - 1, log2])
    for smoothing, identity, weight in ((0.0, 0.25, 1.0), (0.1, 0.25, 1.0), (0.3, 1.0, 0.5)):
        found = BranchLoss(smoothing, identity, weight)(features, logits, LABELS)
        expected = identity * ((1 - smoothing) * right + smoothing * spread) + weight * triplet
        assert found.item() == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("half", [torch.bfloat16, torch.float16])
def test_the_triplet_loss_under_autocast_is_that_of_float32(half: torch.dtype) -> None:
    features = torch.randn(8, 64, generator=torch.Generator().manual_seed(4)) * 10
    labels = torch.arange(8) // 2
    with torch.autocast("cpu", dtype=half):
        assert (features @ features.T).dtype == half
        under = triplet_loss(features, labels)
    assert under.item() == triplet_loss(features, labels).item() > 0.0


def test_the_levels_of_the_losses_are_the_ones_that_a_network_trains_with(job: MakeJob) -> None:
    made = job(label_smoothing=0.2, id_weight=0.5, triplet_weight=0.75)
    assert network(made).branch_loss == BranchLoss(smoothing=0.2, identity=0.5, triplet=0.75)
    assert network(job()).branch_loss == BranchLoss(smoothing=0.1, identity=0.25, triplet=1.0)


def test_each_loss_counts_what_its_level_says(job: MakeJob) -> None:
    made = job(sdtps__loss_weight=3.0, lif__loss_weight=0.3)
    assert weights(made, 1) == {"ori": 1.0, "sdtps": 3.0, "lif": 0.3}
    parts = {"ori": torch.tensor(1.0), "sdtps": torch.tensor(10.0), "lif": torch.tensor(100.0)}
    assert weighted(parts, weights(made, 1)).item() == pytest.approx(61.0)


def test_a_loss_that_counts_nothing_has_no_part_in_the_sum_even_where_it_is_broken() -> None:
    parts = {"ori": torch.tensor(1.0), "lif": torch.tensor(torch.nan)}
    assert weighted(parts, {"ori": 1.0, "lif": 0.0}).item() == 1.0


def test_before_its_first_epoch_the_loss_of_sdtps_moves_nothing_that_it_alone_reaches(
    job: MakeJob,
) -> None:
    made = job(sdtps__start_epoch=3)
    assert [weights(made, epoch)["sdtps"] for epoch in (1, 2, 3, 4)] == [0.0, 0.0, 2.0, 2.0]
    net = network(made)
    adam = optimizer(net, made)

    def moved(epoch: int) -> set[str]:
        before = {n: p.detach().clone() for n, p in net.named_parameters()}
        step(made, net, adam, epoch)
        return {n.split(".")[0] for n, p in net.named_parameters() if not torch.equal(p, before[n])}

    early = moved(2)
    assert {"backbone", "reduce", "head", "lif"} <= early
    assert not early & {"sdtps", "sdtps_head"}
    assert {"sdtps", "sdtps_head"} <= moved(3)


def rates(net: Network, adam: torch.optim.Adam) -> dict[str, float]:
    of = {id(p): group["lr"] for group in adam.param_groups for p in group["params"]}
    return {n: of[id(p)] for n, p in net.named_parameters() if p.requires_grad}


@pytest.mark.parametrize(("scale", "gain"), [(1.0, 2.0), (10.0, 2.0), (1.0, 1.0), (0.5, 3.0)])
def test_rates_follow_the_part_and_whether_it_is_a_bias(
    scale: float, gain: float, job: MakeJob
) -> None:
    made = job(sdtps__lr_scale=scale, bias_lr_gain=gain)
    net = network(made)
    found = rates(net, optimizer(net, made))
    lr = 3.5e-4
    assert found["backbone.proj"] == found["backbone.ln_pre.bias"] == 5e-6
    assert found["head.classifier.weight"] == lr
    assert found["reduce.spectra.0.1.bias"] == pytest.approx(lr * gain)
    assert found["sdtps.selectors.0.score.0.weight"] == pytest.approx(lr * scale)
    assert found["sdtps.selectors.0.score.0.bias"] == pytest.approx(lr * scale * gain)
    assert found["sdtps_head.classifier.weight"] == pytest.approx(lr * scale)


@pytest.mark.parametrize("scale", [0.0, 0.1, 1.0])
def test_the_scale_of_sdtps_multiplies_its_rates_in_every_epoch(scale: float, job: MakeJob) -> None:
    of_all, of_scaled = job(), job(sdtps__lr_scale=scale)
    net = network(of_all)
    plain, scaled = optimizer(net, of_all), optimizer(net, of_scaled)
    for epoch in range(1, 51):
        for adam in (plain, scaled):
            set_rates(adam, Schedule.of(of_all), epoch)
        before, after = rates(net, plain), rates(net, scaled)
        for name, rate in before.items():
            assert after[name] == (scale * rate if name.startswith("sdtps") else rate), name


def test_sdtps_at_a_scale_of_0_does_not_move_and_all_else_does(job: MakeJob) -> None:
    made = job(sdtps__lr_scale=0.0, warmup=2, epochs=4)
    net = network(made)
    adam = optimizer(net, made)
    before = {n: p.detach().clone() for n, p in net.named_parameters() if p.requires_grad}
    for epoch in range(1, 5):
        set_rates(adam, Schedule.of(made), epoch)
        step(made, net, adam, epoch)
    still = {n for n, p in net.named_parameters() if n in before and torch.equal(p, before[n])}
    assert still == {n for n in before if n.startswith("sdtps")}
    assert len(still) > 2


def test_the_schedule_of_the_paper_is_that_of_its_source(job: MakeJob) -> None:
    schedule = Schedule.of(job())
    # epoch 1 prints 6.65e-5 in the logs; every group starts at 3.5e-5, the backbone's too
    assert schedule.rate(3.5e-4, 1) == pytest.approx(6.65e-5)
    assert schedule.rate(5e-6, 1) == pytest.approx(3.5e-5 - 3e-6)
    assert schedule.rate(3.5e-4, 50) == pytest.approx(3.5e-7)


def test_warm_up_and_floor_are_fractions_of_the_main_rate(job: MakeJob) -> None:
    schedule = Schedule.of(job(lr=1e-3, warmup=4, warmup_from=0.5, lr_floor=0.2, epochs=8))
    assert schedule.rate(1e-3, 1) == pytest.approx(0.5e-3 + 0.5e-3 / 4)
    assert schedule.rate(1e-3, 4) == pytest.approx(0.2e-3 + 0.5 * 0.8e-3)
    assert schedule.rate(1e-3, 8) == pytest.approx(0.2e-3)


def test_noise_multiplies_all_rates_of_an_epoch_alike_and_within_its_limit(job: MakeJob) -> None:
    plain, noisy = Schedule.of(job()), Schedule.of(job(lr_noise=0.67))
    gains = {}
    for epoch in range(1, 50):
        of_groups = [noisy.rate(b, epoch) / plain.rate(b, epoch) for b in (3.5e-4, 7e-4, 5e-6)]
        assert of_groups == pytest.approx([of_groups[0]] * 3)
        gains[epoch] = of_groups[0] - 1.0
    assert max(abs(g) for g in gains.values()) < 0.67
    assert len({round(g, 9) for g in gains.values()}) == 49
    assert max(gains.values()) > 0.3
    assert min(gains.values()) < -0.3
    # the source leaves the last epoch alone
    assert noisy.rate(3.5e-4, 50) == plain.rate(3.5e-4, 50)


def test_noise_is_the_first_small_enough_draw_of_the_epoch_s_own_generator() -> None:
    schedule = Schedule(main=1.0, epochs=50, warmup=0, noise=0.67)
    plain = Schedule(main=1.0, epochs=50, warmup=0)
    for epoch in (1, 7, 33):
        one_by_one = torch.Generator().manual_seed(42 + epoch)
        single = [torch.randn(1, generator=one_by_one).item() for _ in range(64)]
        expected = next(n for n in single if abs(n) < 0.67)
        gain = schedule.rate(1.0, epoch) / plain.rate(1.0, epoch) - 1.0
        assert gain == pytest.approx(expected, rel=1e-6)


def test_all_groups_get_the_rate_of_their_epoch(job: MakeJob) -> None:
    made = job(lr_noise=0.5, epochs=8, warmup=0)
    net = network(made)
    adam, schedule = optimizer(net, made), Schedule.of(made)
    set_rates(adam, schedule, 3)
    assert rates(net, adam)["backbone.proj"] == schedule.rate(5e-6, 3)
    assert rates(net, adam)["head.classifier.weight"] == schedule.rate(3.5e-4, 3)
