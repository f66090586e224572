"""SDTPS: keeps the telling patch tokens of each spectrum and gathers them into fewer.

After the sparse-then-aggregate designs of LAPS (Fu et al. 2024) and SEPS.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

SQUEEZE = 0.2
TINY = 1e-8


@dataclass(frozen=True, slots=True)
class Selecting:
    """How many of `patches` tokens are kept and gathered, and how much cosines decide.

    `beta` weighs the cosines to the spectra's global tokens against the learnt score.
    """

    patches: int
    keep_ratio: float
    aggregate_ratio: float
    beta: float

    @property
    def kept(self) -> int:
        """Tokens that survive: 90 of 128 at 0.7."""
        return min(self.patches, math.ceil(self.patches * self.keep_ratio))

    @property
    def gathered(self) -> int:
        """Tokens they are gathered into: 44 of 128 at ratios 0.7 and 0.5."""
        return max(1, int(self.patches * self.aggregate_ratio * self.keep_ratio))


def _cosine(patches: Tensor, token: Tensor) -> Tensor:
    """(B, N, C), (B, C) -> cosines (B, N), stretched to [0, 1] over the patches."""
    cosines = functional.cosine_similarity(patches.float(), token.float().unsqueeze(1), dim=-1)
    low, high = cosines.amin(dim=1, keepdim=True), cosines.amax(dim=1, keepdim=True)
    return (cosines - low) / (high - low + TINY)


class Selector(nn.Module):
    """Selection and gathering for one spectrum."""

    def __init__(self, channels: int, plan: Selecting) -> None:
        super().__init__()
        self.plan = plan
        inner = int(channels * SQUEEZE)
        self.score = nn.Sequential(
            nn.Linear(channels, channels // 4), nn.GELU(), nn.Linear(channels // 4, 1), nn.Sigmoid()
        )
        self.gather = nn.Sequential(
            nn.LayerNorm(channels),
            nn.Linear(channels, inner),
            nn.GELU(),
            nn.Linear(inner, plan.gathered),
        )
        self.scale = nn.Parameter(torch.ones(1, 1, 1))

    def importance(self, patches: Tensor, own: Tensor, others: tuple[Tensor, Tensor]) -> Tensor:
        """Scores of all patches, (B, N), in [0, 1 + 2 beta]."""
        beta = self.plan.beta
        guided = 2.0 * _cosine(patches, own) + sum(_cosine(patches, other) for other in others)
        learnt = self.score(patches).squeeze(-1).float()
        return (1.0 - 2.0 * beta) * learnt + beta * guided

    def forward(self, patches: Tensor, own: Tensor, others: tuple[Tensor, Tensor]) -> Tensor:
        """(B, N, C) patches and (B, C) global tokens -> gathered tokens (B, M + 1, C).

        The last token is the softmax-weighted mean of the patches that were not kept (absent
        where all are). Scores enter as log-importance, so they get gradients of finite size.
        """
        scores = self.importance(patches, own, others)
        ranked, order = torch.sort(scores, dim=1, descending=True, stable=True)
        index = order.unsqueeze(-1).expand(-1, -1, patches.shape[-1])
        sorted_patches = torch.gather(patches, 1, index)
        kept, dropped = sorted_patches.split([self.plan.kept, scores.shape[1] - self.plan.kept], 1)
        top, rest = ranked.split([kept.shape[1], dropped.shape[1]], 1)
        logits = self.gather(kept).transpose(1, 2).float() * self.scale
        logits = logits + torch.log(torch.softmax(top, dim=1) + TINY).unsqueeze(1)
        tokens = torch.softmax(logits, dim=-1).to(kept.dtype) @ kept
        if dropped.shape[1] == 0:
            return tokens
        shares = torch.softmax(rest, dim=1).to(dropped.dtype).unsqueeze(-1)
        extra = (shares * dropped).sum(dim=1, keepdim=True)
        return torch.cat([tokens, extra], dim=1)


class SDTPS(nn.Module):
    """One selector per spectrum; their means form the second feature."""

    def __init__(self, channels: int, plan: Selecting) -> None:
        super().__init__()
        self.selectors = nn.ModuleList(Selector(channels, plan) for _ in range(3))

    def forward(self, patches: Tensor, tokens: Tensor) -> Tensor:
        """(B, 3, N, C) patches and (B, 3, C) global tokens -> feature (B, 3 C)."""
        found = []
        for m, select in enumerate(self.selectors):
            a, b = (tokens[:, other] for other in range(3) if other != m)
            found.append(select(patches[:, m], tokens[:, m], (a, b)).mean(dim=1))
        return torch.cat(found, dim=1)
