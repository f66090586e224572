"""Nine networks with the multiply-accumulates of one forward pass counted by hand."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

HEADS, WIDTH, DEPTH, PATCHES = 12, 768, 12, 128
TOKENS = PATCHES + 1


def split(x: Tensor) -> Tensor:
    """(B, N, C) -> (B, heads, N, C / heads)."""
    return x.unflatten(-1, (HEADS, -1)).transpose(1, 2)


def by_matmul(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Attention by two `@`."""
    return torch.softmax(q @ k.transpose(-1, -2) * q.shape[-1] ** -0.5, dim=-1) @ v


def by_einsum(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Attention by two einsums."""
    logits = torch.einsum("bhnc,bhmc->bhnm", q, k) * q.shape[-1] ** -0.5
    return torch.einsum("bhnm,bhmc->bhnc", torch.softmax(logits, dim=-1), v)


def by_bmm(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Attention by two batched products."""
    a, b, c = (x.flatten(0, 1) for x in (q, k, v))
    shares = torch.softmax(torch.bmm(a, b.transpose(1, 2)) * a.shape[-1] ** -0.5, dim=-1)
    return torch.bmm(shares, c).unflatten(0, q.shape[:2])


ATTENTIONS: dict[str, Callable[[Tensor, Tensor, Tensor], Tensor]] = {
    "matmul": by_matmul,
    "SDPA": functional.scaled_dot_product_attention,
    "einsum": by_einsum,
    "bmm": by_bmm,
}


class Attention(nn.Module):
    """Self-attention with one joint projection, in one of several spellings."""

    def __init__(self, spelling: str) -> None:
        super().__init__()
        self.mix = ATTENTIONS[spelling]
        self.qkv, self.out = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        """(B, N, C) -> (B, N, C)."""
        q, k, v = (split(part) for part in self.qkv(x).chunk(3, dim=-1))
        return self.out(self.mix(q, k, v).transpose(1, 2).flatten(2))


class Packed(nn.Module):
    """Self-attention by torch's own module."""

    def __init__(self) -> None:
        super().__init__()
        self.attend = nn.MultiheadAttention(WIDTH, HEADS, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        """(B, N, C) -> (B, N, C)."""
        return self.attend(x, x, x, need_weights=False)[0]


class Block(nn.Module):
    """A pre-norm transformer block."""

    def __init__(self, spelling: str) -> None:
        super().__init__()
        self.first, self.second = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.attention = Packed() if spelling == "MHA" else Attention(spelling)
        self.mlp = nn.Sequential(
            nn.Linear(WIDTH, 4 * WIDTH), nn.GELU(), nn.Linear(4 * WIDTH, WIDTH)
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, N, C) -> (B, N, C)."""
        x = x + self.attention(self.first(x))
        return x + self.mlp(self.second(x))


class ViT(nn.Module):
    """ViT-B/16 without a head: a class token and the patches of a 256x128 image."""

    def __init__(self, spelling: str) -> None:
        super().__init__()
        self.embed = nn.Conv2d(3, WIDTH, 16, stride=16, bias=False)
        self.token = nn.Parameter(torch.zeros(1, 1, WIDTH))
        self.place = nn.Parameter(torch.zeros(1, TOKENS, WIDTH))
        self.blocks = nn.Sequential(*(Block(spelling) for _ in range(DEPTH)))

    def forward(self, x: Tensor) -> Tensor:
        """(B, 3, 256, 128) -> (B, 129, C)."""
        patches = self.embed(x).flatten(2).transpose(1, 2)
        tokens = torch.cat([self.token.expand(len(x), -1, -1), patches], dim=1)
        return self.blocks(tokens + self.place)


VIT = PATCHES * (3 * 16 * 16) * WIDTH + DEPTH * (
    TOKENS * WIDTH * 3 * WIDTH  # q, k, v
    + 2 * TOKENS * TOKENS * WIDTH  # logits and mixing, all heads together
    + TOKENS * WIDTH * WIDTH  # output projection
    + 2 * TOKENS * WIDTH * 4 * WIDTH  # MLP
)


class Dilated(nn.Module):
    """Parallel dilated convolutions at rates 2, 3, 4, fused and gated by a bottleneck of 1/8."""

    def __init__(self, c: int = 512) -> None:
        super().__init__()
        self.point = nn.Conv2d(c, c, 1, bias=False)
        self.wide = nn.ModuleList(
            nn.Conv2d(c, c, 3, padding=r, dilation=r, bias=False) for r in (2, 3, 4)
        )
        self.fuse = nn.Sequential(nn.Conv2d(4 * c, c, 1, bias=False), nn.BatchNorm2d(c), nn.ReLU())
        self.gate = nn.Sequential(nn.Linear(c, c // 8), nn.ReLU(), nn.Linear(c // 8, c))

    def forward(self, x: Tensor) -> Tensor:
        """(B, 512, 16, 8) -> the same."""
        x = self.fuse(torch.cat([self.point(x), *(conv(x) for conv in self.wide)], dim=1))
        return x * torch.sigmoid(self.gate(x.mean((2, 3))))[:, :, None, None]


DILATED = 16 * 8 * 512 * 512 * (1 + 3 * 9 + 4) + 2 * 512 * 64


class Functional(nn.Module):
    """A token selector written with functions and bare parameters."""

    def __init__(self, c: int = 256, slots: int = 32) -> None:
        super().__init__()
        self.score = nn.Parameter(torch.randn(1, c) / 16)
        self.key = nn.Parameter(torch.randn(c, c) / 16)
        self.slot = nn.Parameter(torch.randn(slots, c) / 16)

    def forward(self, x: Tensor) -> Tensor:
        """(B, 128, 256) -> (B, 32, 256)."""
        best = functional.linear(x, self.score).squeeze(-1).topk(64, dim=1).indices
        kept = torch.gather(x, 1, best[..., None].expand(-1, -1, x.shape[-1]))
        keys = kept @ self.key
        shares = torch.softmax(torch.einsum("sc,bnc->bsn", self.slot, keys), dim=-1)
        found = torch.bmm(shares, kept)
        found, keys, kept = (x.unflatten(-1, (4, -1)).transpose(1, 2) for x in (found, keys, kept))
        return functional.scaled_dot_product_attention(found, keys, kept).transpose(1, 2).flatten(2)


FUNCTIONAL = (
    128 * 256  # scores
    + 64 * 256 * 256  # keys
    + 32 * 64 * 256  # einsum
    + 32 * 64 * 256  # bmm
    + 2 * 32 * 64 * 256  # attention of 32 slots on 64 tokens
)


class Reduced(nn.Module):
    """A SegFormer stage: patches of a feature map, attention on keys reduced in space, Mix-FFN."""

    def __init__(self, before: int, c: int, stride: int, ratio: int) -> None:
        super().__init__()
        size = 2 * stride - 1
        self.embed = nn.Conv2d(before, c, size, stride=stride, padding=size // 2)
        self.q, self.kv, self.out = nn.Linear(c, c), nn.Linear(c, 2 * c), nn.Linear(c, c)
        self.reduce = nn.Conv2d(c, c, ratio, stride=ratio)
        self.norm = nn.LayerNorm(c)
        self.up, self.down = nn.Linear(c, 4 * c), nn.Linear(4 * c, c)
        self.deep = nn.Conv2d(4 * c, 4 * c, 3, padding=1, groups=4 * c)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C0, H, W) -> (B, C, H / stride, W / stride)."""
        x = self.embed(x)
        tokens = x.flatten(2).transpose(1, 2)
        few = self.norm(self.reduce(x).flatten(2).transpose(1, 2))
        k, v = self.kv(few).chunk(2, dim=-1)
        q, k, v = (x.unsqueeze(1) for x in (self.q(tokens), k, v))  # one head
        tokens = tokens + self.out(functional.scaled_dot_product_attention(q, k, v).squeeze(1))
        inner = self.up(tokens).transpose(1, 2).unflatten(2, x.shape[2:])
        inner = functional.gelu(self.deep(inner)).flatten(2).transpose(1, 2)
        return (tokens + self.down(inner)).transpose(1, 2).unflatten(2, x.shape[2:])


class SegFormerLike(nn.Module):
    """Two stages, projected, brought to one size, joined and classified."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = Reduced(3, 32, 4, 8), Reduced(32, 64, 2, 4)
        self.flat = nn.ModuleList((nn.Conv2d(32, 128, 1), nn.Conv2d(64, 128, 1)))
        self.head = nn.Conv2d(256, 19, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, 3, 256, 256) -> (B, 19, 64, 64)."""
        a = self.one(x)
        b = self.two(a)
        b = functional.interpolate(self.flat[1](b), scale_factor=2, mode="bilinear")
        return self.head(torch.cat([self.flat[0](a), b], dim=1))


def stage(before: int, c: int, size: int, tokens: int, ratio: int) -> int:
    """Hand count of one stage: `tokens` queries on 8 * 8 keys."""
    few = 8 * 8
    return (
        tokens * before * size * size * c  # overlapping patches
        + few * c * ratio * ratio * c  # reduction
        + 2 * tokens * c * c  # q and output projection
        + few * c * 2 * c  # k and v
        + 2 * tokens * few * c  # logits and mixing
        + 2 * tokens * c * 4 * c  # up and down
        + tokens * 9 * 4 * c  # depthwise
    )


SEGFORMER = (
    stage(3, 32, 7, 64 * 64, 8)
    + stage(32, 64, 3, 32 * 32, 4)
    + 64 * 64 * 32 * 128
    + 32 * 32 * 64 * 128
    + 64 * 64 * 256 * 19
)


class Shared(nn.Module):
    """One linear layer used three times, and a convolution by its function."""

    def __init__(self, c: int = 256) -> None:
        super().__init__()
        self.layer = nn.Linear(c, c)
        self.kernel = nn.Parameter(torch.randn(8, 1, 3, 3))

    def forward(self, x: Tensor) -> Tensor:
        """(B, 64, 256) -> (B, 8, 64, 256)."""
        for _ in range(3):
            x = torch.relu(self.layer(x))
        return functional.conv2d(x[:, None], self.kernel, padding=1)


SHARED = 3 * 64 * 256 * 256 + 64 * 256 * 9 * 8


@dataclass(frozen=True, slots=True)
class Network:
    """A network, the shape of one input, and the multiply-accumulates counted by hand."""

    name: str
    build: Callable[[], nn.Module]
    shape: tuple[int, ...]
    macs: int


NETWORKS = (
    *(
        Network(f"ViT {how}", lambda how=how: ViT(how), (1, 3, 256, 128), VIT)
        for how in ("matmul", "SDPA", "MHA", "einsum", "bmm")
    ),
    Network("dilated", Dilated, (1, 512, 16, 8), DILATED),
    Network("functional", Functional, (1, 128, 256), FUNCTIONAL),
    Network("SegFormer", SegFormerLike, (1, 3, 256, 256), SEGFORMER),
    Network("shared", Shared, (1, 64, 256), SHARED),
)
