"""The re-identification network: one backbone over three spectra, and the modules under study.

Live wiring: backbone, SACR on the patches, LIF on the patches, global-local reduce, the `ori`
feature, SDTPS. SACR and LIF stand before the reduce, so that each alone changes the feature.

Source wiring, as the published code runs: the reduce comes first, on the backbone's own patches.
SACR and LIF then change patches that nothing but SDTPS reads: without it neither has any effect on
the score, and LIF learns from its own loss only.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from ablate.errors import UsageError
from ablate.system import Job, Part
from ablate.train import init_stream
from models.reid.facts import Population
from models.reid.lif import LIF
from models.reid.losses import BranchLoss
from models.reid.sacr import SACR, dilations
from models.reid.sdtps import SDTPS, Selecting
from models.reid.vit import LayerNorm, QuickGELU, VisionTransformer, patch_grid

SPECTRA = 3


@dataclass(frozen=True, slots=True)
class Features:
    """One forward pass: each branch's feature before its neck (B, 3 E), and LIF's maps.

    `kept` has, for each spectrum's index, the patches that SDTPS kept, (B, N) bool in row-major
    order; None without it. `score` names the branches that are compared.
    """

    branches: Mapping[str, Tensor]
    maps: Tensor | None = None
    kept: Mapping[int, Tensor] | None = None
    score: str = "both"

    def scored(self) -> Tensor:
        """What the benchmark compares: one branch, or all in one row, of length 1."""
        chosen = self.branches if self.score == "both" else [self.score]
        row = torch.cat([self.branches[name] for name in chosen], dim=1)
        return functional.normalize(row.float(), dim=1)


class CameraEmbedding(nn.Module):
    """Side information: one learnt vector per camera, added to the class token."""

    def __init__(self, cameras: int, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(cameras, 1, width))
        nn.init.trunc_normal_(self.weight, std=0.02)

    def forward(self, cameras: Tensor) -> Tensor:
        """(B,) camera numbers -> (B, C)."""
        return functional.embedding(cameras, self.weight.squeeze(1))


class Reduce(nn.Module):
    """Global-local reduce: joins each spectrum's class token with the mean of its patches."""

    def __init__(self, embed: int) -> None:
        super().__init__()
        self.spectra = nn.ModuleList(
            nn.Sequential(LayerNorm(2 * embed), nn.Linear(2 * embed, embed), QuickGELU())
            for _ in range(SPECTRA)
        )

    def forward(self, first: Tensor, patches: Tensor) -> Tensor:
        """(B, 3, E) class tokens and (B, 3, N, E) patches -> (B, 3, E)."""
        joined = torch.cat([first, patches.mean(dim=2)], dim=-1)
        return torch.stack([f(joined[:, m]) for m, f in enumerate(self.spectra)], dim=1)


class Head(nn.Module):
    """BNNeck (Luo et al. 2019): batch norm whose bias stays zero, then a classifier without one."""

    def __init__(self, width: int, identities: int) -> None:
        super().__init__()
        self.neck = nn.BatchNorm1d(width)
        self.neck.bias.requires_grad_(requires_grad=False)
        self.classifier = nn.Linear(width, identities, bias=False)
        nn.init.normal_(self.classifier.weight, std=0.001)

    def forward(self, features: Tensor) -> Tensor:
        """(B, D) -> logits (B, identities)."""
        return self.classifier(self.neck(features))


@dataclass(frozen=True, slots=True)
class Sizes:
    """A network's dimensions; raises UsageError where they do not fit each other."""

    height: int
    width: int
    patch: int
    stride: int
    channels: int
    heads: int
    depth: int
    embed: int
    grid: tuple[int, int] = field(init=False)

    def __post_init__(self) -> None:
        if self.channels % self.heads:
            raise UsageError(f"width {self.channels} is not a multiple of heads {self.heads}")
        if self.height < self.patch or self.width < self.patch:
            raise UsageError(
                f"a {self.height}x{self.width} image holds no patch of {self.patch} pixels:"
                " lower patch, or raise height and image_width"
            )
        if self.stride > self.patch:
            raise UsageError(
                f"stride {self.stride} skips pixels between patches of {self.patch}: set stride to"
                f" {self.patch} or less (0: the patch's size)"
            )
        stride = self.stride or self.patch
        object.__setattr__(self, "stride", stride)
        grid = patch_grid(self.height, self.width, self.patch, stride)
        object.__setattr__(self, "grid", grid)

    @classmethod
    def of(cls, job: Job) -> "Sizes":
        """The dimensions that a job's levels ask for."""
        names = ("height", "image_width", "patch", "stride", "width", "heads", "depth", "embed")
        return cls(*(job.whole(name) for name in names))


class Network(nn.Module):
    """Three spectra and a camera number -> features; build it with `build`, under named streams."""

    def __init__(self, job: Job, population: Population) -> None:
        super().__init__()
        size = Sizes.of(job)
        self.grid = size.grid
        self.early = job.choice("wiring") == "source"
        self.score = job.choice("score")
        self.branch_loss = BranchLoss.of(job)
        with init_stream(job, "init.backbone"):
            self.backbone = VisionTransformer(
                width=size.channels,
                depth=size.depth,
                heads=size.heads,
                patch=size.patch,
                stride=size.stride,
                grid=size.grid,
                embed=size.embed,
            )
        with init_stream(job, "init.camera"):
            self.camera = CameraEmbedding(population.cameras, size.channels)
        with init_stream(job, "init.reduce"):
            self.reduce = Reduce(size.embed)
        with init_stream(job, "init.head"):
            self.head = Head(SPECTRA * size.embed, population.identities)
        self.sacr, self.lif, self.sdtps, self.sdtps_head = _modules(job, size, population)

    def forward(
        self, images: Tensor, cameras: Tensor, draw: np.random.Generator | None = None
    ) -> Features:
        """(B, 3 spectra, 3, H, W) in [-1, 1] and (B,) camera numbers -> Features.

        `draw` makes the Gumbel noise of a training step; raises ValueError where it is missing.
        """
        b = images.shape[0]
        offset = self.camera(cameras).repeat_interleave(SPECTRA, dim=0)
        tokens = self.backbone(images.flatten(0, 1), offset).unflatten(0, (b, SPECTRA))
        first, patches = tokens[:, :, 0], tokens[:, :, 1:]
        changed, maps = self._refined(patches, images)
        reduced = self.reduce(first, patches if self.early else changed)
        branches, kept = {"ori": reduced.flatten(1)}, None
        if self.sdtps is not None:
            noise = self._noise(changed, draw)
            branches["sdtps"], kept = self.sdtps(changed, reduced, noise)
        return Features(branches, maps, kept, self.score)

    def _refined(self, patches: Tensor, images: Tensor) -> tuple[Tensor, Tensor | None]:
        """Patches (B, 3, N, E) after SACR and LIF, and LIF's maps."""
        maps = None
        if self.sacr is not None:
            together = self.sacr(patches.flatten(0, 1), self.grid)
            patches = together.unflatten(0, patches.shape[:2])
        if self.lif is not None:
            patches, maps = self.lif(patches, images, self.grid)
        return patches, maps

    def _noise(self, patches: Tensor, draw: np.random.Generator | None) -> Tensor | None:
        """Gumbel noise (B, 3, N) in float32 for training where it is asked for."""
        if not (self.training and self.sdtps.plan.tau is not None):
            return None
        if draw is None:
            raise ValueError("training with sdtps.gumbel draws noise: pass a generator as `draw`")
        drawn = draw.gumbel(size=tuple(patches.shape[:3])).astype(np.float32)
        return torch.from_numpy(drawn).to(patches.device)

    def logits(self, features: Features) -> dict[str, Tensor]:
        """Identity logits (B, identities) of every branch."""
        heads = {"ori": self.head, "sdtps": self.sdtps_head}
        return {name: heads[name](x) for name, x in features.branches.items()}

    def parts(self) -> dict[str, Part]:
        """The trainable parameters of each part, and the factor that owns it."""
        owners = {"sacr": "sacr", "lif": "lif", "sdtps": "sdtps", "sdtps_head": "sdtps"}
        return {
            name: Part(
                {f"{name}.{n}": p for n, p in part.named_parameters() if p.requires_grad},
                owners.get(name),
                part,
            )
            for name, part in self.named_children()
        }


def _modules(
    job: Job, size: Sizes, population: Population
) -> tuple[SACR | None, LIF | None, SDTPS | None, Head | None]:
    sacr = lif = sdtps = head = None
    if job.on("sacr"):
        with init_stream(job, "init.sacr"):
            sacr = SACR(size.embed, dilations(job.choice("sacr.dilations")))
    if job.on("lif"):
        with init_stream(job, "init.lif"):
            lif = LIF(job.whole("lif.channels"), job.number("lif.beta"))
    if job.on("sdtps"):
        plan = Selecting.of(job, size.grid[0] * size.grid[1])
        with init_stream(job, "init.sdtps"):
            sdtps = SDTPS(size.embed, plan)
        with init_stream(job, "init.sdtps_head"):
            head = Head(SPECTRA * size.embed, population.identities)
    return sacr, lif, sdtps, head
