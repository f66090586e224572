"""SDTPS: keeps the telling patch tokens of each spectrum and gathers them into fewer.

After the sparse-then-aggregate designs of LAPS (Fu et al. 2024) and SEPS.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from ablate.system import Job

SQUEEZE = 0.2
TINY = 1e-8
# What a masked logit loses. exp(-100) is nothing in float32, and any larger number only multiplies
# the gradient of the mask: the 1e10 of the source turned it into 8e5 where log-importance has 1e-3,
# and float16 ends at 65,504.
MASKED = 100.0


@dataclass(frozen=True, slots=True)
class Selecting:
    """How many of `patches` tokens are kept and gathered, and what their scores do.

    `beta` weighs the cosines to the spectra's global tokens against the learnt score; `detached`
    cosines pass no gradient. With `ste` a straight-through mask stands for the log-importance of
    kept tokens. `tau` is the temperature of Gumbel noise on the scores, None without noise: the
    source has it in the mask only, and no gradient in a mask without it.
    """

    patches: int
    keep_ratio: float
    aggregate_ratio: float
    beta: float
    detached: bool = False
    ste: bool = False
    tau: float | None = None

    @classmethod
    def of(cls, job: Job, patches: int) -> "Selecting":
        """What a job's levels ask for."""
        return cls(
            patches,
            job.number("sdtps.keep_ratio"),
            job.number("sdtps.aggregate_ratio"),
            job.number("sdtps.beta"),
            detached=job.on("sdtps.detach_scores"),
            ste=job.choice("sdtps.mask") == "ste",
            tau=job.number("sdtps.gumbel_tau") if job.on("sdtps.gumbel") else None,
        )

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
        """Scores of all patches, (B, N), in [0, 1 + 2 beta].

        Detached cosines cut the path through the cosines alone: patches keep the gradients of
        their learnt score and of the tokens gathered from them, global tokens keep none.
        """
        beta, compared = self.plan.beta, patches
        if self.plan.detached:
            compared, own = patches.detach(), own.detach()
            others = (others[0].detach(), others[1].detach())
        guided = 2.0 * _cosine(compared, own) + sum(_cosine(compared, o) for o in others)
        learnt = self.score(patches).squeeze(-1).float()
        return (1.0 - 2.0 * beta) * learnt + beta * guided

    def forward(
        self,
        patches: Tensor,
        own: Tensor,
        others: tuple[Tensor, Tensor],
        noise: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """(B, N, C) patches and (B, C) global tokens -> gathered (B, M + 1, C), kept (B, N) bool.

        The last token is the softmax-weighted mean of the patches that were not kept (absent
        where all are). Noise (B, N) moves what scores weigh, never which patches are kept.
        """
        scores = self.importance(patches, own, others)
        order = torch.sort(scores, dim=1, descending=True, stable=True)[1]
        chosen, left = order.split([self.plan.kept, scores.shape[1] - self.plan.kept], 1)
        kept, dropped = _rows(patches, chosen), _rows(patches, left)
        mask = torch.zeros_like(scores).scatter(1, chosen, 1.0)
        logits = self.gather(kept).transpose(1, 2).float() * self.scale
        logits = logits + self._bias(scores, noise, chosen, mask).unsqueeze(1)
        tokens = torch.softmax(logits, dim=-1).to(kept.dtype) @ kept
        if left.shape[1]:
            shares = torch.softmax(scores.gather(1, left), dim=1).to(dropped.dtype).unsqueeze(-1)
            extra = (shares * dropped).sum(dim=1, keepdim=True)
            tokens = torch.cat([tokens, extra], dim=1)
        return tokens, mask > 0

    def _bias(self, scores: Tensor, noise: Tensor | None, chosen: Tensor, mask: Tensor) -> Tensor:
        """What the kept tokens' scores add to their logits, (B, K) in float32.

        Log-importance, or a straight-through mask: exactly 0 forward, since all of these tokens
        are kept, and backward the gradient of a softmax over all patches.
        """
        tempered = scores if noise is None else scores + noise
        tempered = tempered if self.plan.tau is None else tempered / self.plan.tau
        if not self.plan.ste:
            return torch.log(torch.softmax(tempered.gather(1, chosen), dim=1) + TINY)
        soft = torch.softmax(tempered, dim=1)
        # in this order the bracket is exactly 0; (mask + soft) - soft is off by a rounding error
        through = mask + (soft - soft.detach())
        return (through.gather(1, chosen) - 1.0) * MASKED


def _rows(patches: Tensor, index: Tensor) -> Tensor:
    """(B, N, C) and (B, K) -> (B, K, C)."""
    return torch.gather(patches, 1, index.unsqueeze(-1).expand(-1, -1, patches.shape[-1]))


class SDTPS(nn.Module):
    """One selector per spectrum; their means form the second feature."""

    def __init__(self, channels: int, plan: Selecting) -> None:
        super().__init__()
        self.plan = plan
        self.selectors = nn.ModuleList(Selector(channels, plan) for _ in range(3))

    def forward(
        self, patches: Tensor, tokens: Tensor, noise: Tensor | None = None
    ) -> tuple[Tensor, dict[int, Tensor]]:
        """(B, 3, N, C) patches, (B, 3, C) global tokens, noise (B, 3, N) -> feature (B, 3 C).

        Beside it, which patches each spectrum kept: (B, N) bool.
        """
        found, kept = [], {}
        for m, select in enumerate(self.selectors):
            a, b = (tokens[:, other] for other in range(3) if other != m)
            own = None if noise is None else noise[:, m]
            gathered, kept[m] = select(patches[:, m], tokens[:, m], (a, b), own)
            found.append(gathered.mean(dim=1))
        return torch.cat(found, dim=1), kept
