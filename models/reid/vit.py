"""The visual transformer of CLIP (Radford et al. 2021) at any size, with CLIP's names."""

import torch
from torch import Tensor, nn
from torch.nn import functional


class LayerNorm(nn.LayerNorm):
    """Layer norm computed in float32 whatever the type of its input and weights."""

    def forward(self, x: Tensor) -> Tensor:
        """Same shape and type as `x`."""
        weight, bias = self.weight.float(), self.bias.float()
        found = functional.layer_norm(x.float(), self.normalized_shape, weight, bias, self.eps)
        return found.to(x.dtype)


class QuickGELU(nn.Module):
    """CLIP's activation, x * sigmoid(1.702 x)."""

    def forward(self, x: Tensor) -> Tensor:
        """Same shape as `x`."""
        return x * torch.sigmoid(1.702 * x)


class Attention(nn.Module):
    """Multi-head self-attention with CLIP's fused input projection."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.in_proj_weight = nn.Parameter(torch.empty(3 * width, width))
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * width))
        self.out_proj = nn.Linear(width, width)
        nn.init.xavier_uniform_(self.in_proj_weight)
        nn.init.zeros_(self.out_proj.bias)

    def forward(self, x: Tensor) -> Tensor:
        """(B, N, C) -> (B, N, C)."""
        b, n, c = x.shape
        joined = functional.linear(x, self.in_proj_weight, self.in_proj_bias)
        q, k, v = joined.view(b, n, 3, self.heads, c // self.heads).permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(q, k, v)
        return self.out_proj(mixed.transpose(1, 2).reshape(b, n, c))


class MLP(nn.Module):
    """The feed-forward half of a block, four times as wide inside."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.c_fc = nn.Linear(width, 4 * width)
        self.gelu = QuickGELU()
        self.c_proj = nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        """(B, N, C) -> (B, N, C)."""
        return self.c_proj(self.gelu(self.c_fc(x)))


class Block(nn.Module):
    """A pre-norm residual block."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.attn = Attention(width, heads)
        self.ln_1 = LayerNorm(width)
        self.mlp = MLP(width)
        self.ln_2 = LayerNorm(width)

    def forward(self, x: Tensor) -> Tensor:
        """(B, N, C) -> (B, N, C)."""
        x = x + self.attn(self.ln_1(x))
        return x + self.mlp(self.ln_2(x))


class Transformer(nn.Module):
    """The stack of blocks."""

    def __init__(self, width: int, depth: int, heads: int) -> None:
        super().__init__()
        self.resblocks = nn.Sequential(*(Block(width, heads) for _ in range(depth)))

    def forward(self, x: Tensor) -> Tensor:
        """(B, N, C) -> (B, N, C)."""
        return self.resblocks(x)


def patch_grid(height: int, width: int, patch: int, stride: int) -> tuple[int, int]:
    """(rows, columns) that the patch embedding makes of an image: read off the convolution itself.

    A formula is wrong where patches overlap: 256x128 at patch 16 and stride 8 has 31x15 of them.
    """
    image = torch.empty(1, 3, height, width, device="meta")
    kernel = torch.empty(1, 3, patch, patch, device="meta")
    rows, columns = functional.conv2d(image, kernel, stride=stride).shape[-2:]
    return rows, columns


class VisionTransformer(nn.Module):
    """Image -> one class token and a row-major grid of patch tokens, all projected to `embed`.

    `grid` is the (rows, columns) of patches that it is built for; forward refuses any other.
    """

    def __init__(  # noqa: PLR0913 - a network's dimensions, all named at the one call
        self,
        *,
        width: int,
        depth: int,
        heads: int,
        patch: int,
        stride: int,
        grid: tuple[int, int],
        embed: int,
    ) -> None:
        super().__init__()
        scale = width**-0.5
        self.grid = grid
        self.conv1 = nn.Conv2d(3, width, kernel_size=patch, stride=stride, bias=False)
        self.class_embedding = nn.Parameter(scale * torch.randn(width))
        self.positional_embedding = nn.Parameter(scale * torch.randn(1 + grid[0] * grid[1], width))
        self.ln_pre = LayerNorm(width)
        self.transformer = Transformer(width, depth, heads)
        self.ln_post = LayerNorm(width)
        self.proj = nn.Parameter(scale * torch.randn(width, embed))

    def forward(self, images: Tensor, offset: Tensor) -> Tensor:
        """(B, 3, H, W) and what is added to the class token (B, C) -> tokens (B, 1 + N, E)."""
        cells = self.conv1(images)
        if tuple(cells.shape[-2:]) != self.grid:
            found, built = ("x".join(map(str, g)) for g in (cells.shape[-2:], self.grid))
            raise ValueError(f"images give a grid of {found} patches, not the {built} built for")
        patches = cells.flatten(2).transpose(1, 2)
        first = (self.class_embedding + offset).to(patches.dtype).unsqueeze(1)
        tokens = torch.cat([first, patches], dim=1) + self.positional_embedding.to(patches.dtype)
        tokens = self.ln_post(self.transformer(self.ln_pre(tokens)))
        return tokens @ self.proj
