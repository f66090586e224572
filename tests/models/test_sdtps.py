"""SDTPS: which patches it keeps, what their scores do, and which paths its gradients take."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pytest
import torch
from torch import Tensor

from ablate.measure import step
from ablate.study import Level, settled
from ablate.system import Job
from models.reid import system
from models.reid.facts import Population
from models.reid.network import Network
from models.reid.sdtps import MASKED, Selecting, Selector

MakeJob: TypeAlias = Callable[..., Job]
MakeNetwork: TypeAlias = Callable[..., Network]


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture
def job(small_levels: dict[str, Level]) -> MakeJob:
    """Makes jobs of a small network with SDTPS, from levels of SDTPS's own factors."""
    reference = {f.name: f.reference for f in system.factors}

    def make(**levels: Level) -> Job:
        named = {f"sdtps.{name}": level for name, level in levels.items()}
        every = reference | small_levels | {"sdtps": True} | named
        return Job(settled(every, system.factors), 0, Path())

    return make


@pytest.fixture
def network(job: MakeJob) -> MakeNetwork:
    """Makes the networks of such jobs."""

    def make(**levels: Level) -> Network:
        return Network(job(**levels), Population(identities=4, cameras=2))

    return make


def example() -> tuple[Tensor, Tensor]:
    images = torch.rand(4, 3, 3, 64, 32, generator=torch.Generator().manual_seed(1)) * 2 - 1
    return images, torch.tensor([0, 1, 0, 1])


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def tokens(patches: int = 8, channels: int = 16) -> tuple[Tensor, Tensor, tuple[Tensor, Tensor]]:
    """Patches of two images, and the global tokens of three spectra."""
    drawn = torch.randn(2, patches + 3, channels, generator=torch.Generator().manual_seed(3))
    own, a, b = drawn[:, patches:].unbind(1)
    return drawn[:, :patches].contiguous(), own, (a, b)


def test_it_keeps_and_gathers_as_many_tokens_as_the_source() -> None:
    plan = Selecting(patches=128, keep_ratio=0.7, aggregate_ratio=0.5, beta=0.25)
    assert (plan.kept, plan.gathered) == (90, 44)
    assert Selecting(128, 0.5, 0.4, 0.25).gathered == 25
    everything = Selecting(patches=32, keep_ratio=1.0, aggregate_ratio=0.5, beta=0.25)
    assert (everything.kept, everything.gathered) == (32, 16)


def test_scores_are_the_learnt_ones_at_beta_zero_and_cosines_alone_at_a_half() -> None:
    patches, own, others = tokens()
    learnt = Selector(16, Selecting(8, 0.5, 0.5, 0.0))
    expected = learnt.score(patches).squeeze(-1)
    torch.testing.assert_close(learnt.importance(patches, own, others), expected)
    guided = Selector(16, Selecting(8, 0.5, 0.5, 0.5)).importance(patches, own, others)
    by_hand = torch.zeros(2, 8)
    for token, weight in ((own, 2.0), (others[0], 1.0), (others[1], 1.0)):
        cosine = torch.einsum("bnc,bc->bn", patches, token)
        cosine = cosine / (patches.norm(dim=-1) * token.norm(dim=-1, keepdim=True))
        low, high = cosine.amin(1, keepdim=True), cosine.amax(1, keepdim=True)
        by_hand += 0.5 * weight * (cosine - low) / (high - low)
    torch.testing.assert_close(guided, by_hand)


def test_the_kept_patches_are_those_with_the_highest_scores() -> None:
    patches, own, others = tokens()
    select = Selector(16, Selecting(8, 0.3, 0.5, 0.25))
    kept = select(patches, own, others)[1]
    scores = select.importance(patches, own, others)
    assert kept.sum(dim=1).tolist() == [3, 3]
    for row, mask in zip(scores, kept, strict=True):
        assert row[mask].min() > row[~mask].max()


@pytest.mark.parametrize("ratio", [0.25, 0.5, 1.0])
def test_the_network_says_which_patches_each_spectrum_kept(
    ratio: float, network: MakeNetwork
) -> None:
    features = network(keep_ratio=ratio).eval()(*example())
    assert features.kept is not None
    assert sorted(features.kept) == [0, 1, 2]
    for mask in features.kept.values():
        assert mask.dtype == torch.bool
        assert mask.sum(dim=1).tolist() == [32 * ratio] * 4


def test_without_sdtps_nothing_is_said_to_be_kept(job: MakeJob) -> None:
    bare = Network(
        Job(dict(job().levels) | {"sdtps": False}, 0, Path()), Population(identities=4, cameras=2)
    )
    assert bare.eval()(*example()).kept is None


def test_gumbel_noise_moves_a_training_step_by_its_draw_and_never_which_patches_are_kept(
    network: MakeNetwork,
) -> None:
    net = network(gumbel=True).train()
    images, cameras = example()
    one, same, other = (net(images, cameras, rng(seed)) for seed in (0, 0, 1))
    assert torch.equal(one.branches["sdtps"], same.branches["sdtps"])
    assert not torch.allclose(one.branches["sdtps"], other.branches["sdtps"])
    assert all(torch.equal(one.kept[m], other.kept[m]) for m in range(3))
    assert torch.equal(one.branches["ori"], other.branches["ori"])


def test_gumbel_noise_is_drawn_in_training_only_and_must_be_drawn_there(
    network: MakeNetwork,
) -> None:
    net = network(gumbel=True)
    images, cameras = example()
    net.eval()
    calm, plain = net(images, cameras, rng()), network().eval()(images, cameras)
    assert torch.equal(calm.scored(), net(images, cameras).scored())
    assert torch.equal(calm.scored(), plain.scored())
    with pytest.raises(ValueError, match=r"sdtps\.gumbel draws noise: pass a generator"):
        net.train()(images, cameras)


@pytest.mark.parametrize("mask", ["importance", "ste"])
def test_the_temperature_of_gumbel_noise_decides_what_scores_weigh(
    mask: str, network: MakeNetwork, job: MakeJob
) -> None:
    def gradient(tau: float) -> Tensor:
        net = network(gumbel=True, gumbel_tau=tau, mask=mask).train()
        net(*example(), rng()).branches["sdtps"].square().sum().backward()
        return net.sdtps.selectors[0].score[0].weight.grad

    assert not torch.allclose(gradient(1.0), gradient(0.3))
    without = Selecting.of(job(gumbel_tau=0.3), 32)
    assert without.tau is None


def test_the_straight_through_mask_is_exactly_nothing_forward() -> None:
    patches, own, others = tokens()
    ste = Selector(16, Selecting(8, 0.5, 0.5, 0.25, ste=True))
    scores = ste.importance(patches, own, others)
    chosen = scores.argsort(dim=1, descending=True)[:, :4]
    mask = torch.zeros_like(scores).scatter(1, chosen, 1.0)
    assert torch.equal(ste._bias(scores, None, chosen, mask), torch.zeros(2, 4))


def test_the_straight_through_gradient_is_that_of_a_softmax_over_all_patches() -> None:
    scores = torch.tensor([[0.9, 0.1, 0.6, 0.3]], requires_grad=True)
    chosen = torch.tensor([[0, 2]])
    mask = torch.zeros(1, 4).scatter(1, chosen, 1.0)
    ste = Selector(16, Selecting(4, 0.5, 0.5, 0.25, ste=True))
    ste._bias(scores, None, chosen, mask)[0, 0].backward()
    p = np.exp([0.9, 0.1, 0.6, 0.3]) / np.exp([0.9, 0.1, 0.6, 0.3]).sum()
    by_hand = MASKED * p[0] * (np.array([1.0, 0.0, 0.0, 0.0]) - p)
    np.testing.assert_allclose(scores.grad[0].numpy(), by_hand, rtol=1e-5)


def test_log_importance_reaches_the_forward_pass_and_the_mask_does_not() -> None:
    patches, own, others = tokens()
    torch.manual_seed(0)
    log, ste = (Selector(16, Selecting(8, 0.5, 0.5, 0.25, ste=s)) for s in (False, True))
    ste.load_state_dict(log.state_dict())
    assert not torch.allclose(log(patches, own, others)[0], ste(patches, own, others)[0])
    with torch.no_grad():
        kept = patches[0][log(patches, own, others)[1][0]]
        order = log.importance(patches, own, others)[0].argsort(descending=True)[:4]
        assert torch.equal(kept, patches[0][order.sort()[0]])
        weights = ste.gather(patches[0][order]).T.softmax(dim=-1)
        torch.testing.assert_close(ste(patches, own, others)[0][0, :2], weights @ patches[0][order])


@pytest.mark.parametrize("wiring", ["live", "source"])
def test_detached_scores_cut_the_path_to_the_global_features_and_no_other(
    wiring: str, job: MakeJob
) -> None:
    def norms(*, detached: bool) -> dict[str, float]:
        levels = dict(job(detach_scores=detached).levels) | {"wiring": wiring}
        found = step(system, Job(levels, 0, Path()), {}).reached
        return {r.part: r.norm for r in found if r.loss == "sdtps" and r.tensors}

    joined, cut = norms(detached=False), norms(detached=True)
    assert set(joined) == {"backbone", "camera", "reduce", "sdtps", "sdtps_head"}
    assert set(cut) == {"backbone", "camera", "sdtps", "sdtps_head"}
    assert joined["reduce"] > 0
    assert cut["backbone"] > 0
    assert cut["backbone"] != joined["backbone"]


def test_detached_scores_change_gradients_and_nothing_forward(network: MakeNetwork) -> None:
    images, cameras = example()
    joined, cut = (network(detach_scores=d).train()(images, cameras) for d in (False, True))
    assert torch.equal(joined.branches["sdtps"], cut.branches["sdtps"])


@pytest.mark.parametrize("name", ["keep_ratio", "aggregate_ratio", "beta"])
def test_each_ratio_changes_the_feature(name: str, network: MakeNetwork) -> None:
    images, cameras = example()
    found = [network(**{name: at}).eval()(images, cameras).scored() for at in (0.2, 0.45)]
    assert not torch.allclose(*found)


def test_the_mask_is_finite_in_sixteen_bits() -> None:
    assert torch.tensor(-MASKED, dtype=torch.float16).isfinite()
    assert torch.exp(torch.tensor(-MASKED)) < torch.finfo(torch.float32).tiny


@pytest.mark.parametrize("mask", ["importance", "ste"])
@pytest.mark.parametrize("kind", ["autocast", "bfloat16", "float16"])
def test_features_and_gradients_are_finite_in_sixteen_bits(
    mask: str, kind: str, job: MakeJob
) -> None:
    levels = dict(job(gumbel=True, mask=mask).levels) | {"sacr": True, "lif": True}
    net = Network(Job(levels | {"lif.channels": 4}, 0, Path()), Population(4, 2)).train()
    images, cameras = example()
    if kind != "autocast":
        net, images = net.to(getattr(torch, kind)), images.to(getattr(torch, kind))
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=kind == "autocast"):
        features = net(images, cameras, rng())
        logits = net.logits(features)
        labels = torch.tensor([0, 0, 1, 1])
        losses = [net.branch_loss(x, logits[n], labels) for n, x in features.branches.items()]
    sum(losses).backward()
    assert all(loss.isfinite() for loss in losses)
    assert features.scored().isfinite().all()
    for name, parameter in net.named_parameters():
        if parameter.grad is not None:
            assert parameter.grad.isfinite().all(), name
