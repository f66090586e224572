"""Modules to count, with the shape of one input."""

import torch
from torch import Tensor, nn
from torch.nn import functional
from toys import SIZE


class Nested(nn.Module):
    """Its own product, a child's, and one in a method that is not its forward."""

    def __init__(self) -> None:
        super().__init__()
        self.child = nn.Linear(SIZE, SIZE)

    def forward(self, x: Tensor) -> Tensor:
        """(B, N, C) -> (B, N, N)."""
        return torch.einsum("bnc,bmc->bnm", x, self.child(x))

    def aside(self, x: Tensor) -> Tensor:
        """(B, N, C) -> (B, N, C)."""
        return self.child(x)


class Attending(nn.Module):
    """Self-attention by torch's own module."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.MultiheadAttention(SIZE, 2, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        """(B, N, C) -> the same or by heads."""
        return self.inner(x, x, x, need_weights=False)[0]


class Sdpa(nn.Module):
    """Self-attention by the function, two heads."""

    def forward(self, x: Tensor) -> Tensor:
        """(B, N, C) -> the same or by heads."""
        q = x.unflatten(-1, (2, -1)).transpose(1, 2)
        return functional.scaled_dot_product_attention(q, q, q)


class Recurrent(nn.Module):
    """A recurrent layer's outputs."""

    def __init__(self, kind: type[nn.RNNBase]) -> None:
        super().__init__()
        self.inner = kind(SIZE, SIZE, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        """(B, N, C) -> the same or by heads."""
        return self.inner(x)[0]


MODULES = {
    "linear": (lambda: nn.Linear(SIZE, 5), (2, 7, SIZE)),
    "conv1d": (lambda: nn.Conv1d(4, 6, 3), (2, 4, 9)),
    "depthwise": (lambda: nn.Conv2d(4, 8, 3, groups=4, dilation=2), (1, 4, 9, 9)),
    "transposed": (lambda: nn.ConvTranspose2d(4, 6, 3, stride=2), (1, 4, 5, 5)),
    "resized": (lambda: nn.Sequential(nn.Upsample(None, 2), nn.Conv2d(3, 3, 1)), (1, 3, 4, 4)),
    "batch norm": (lambda: nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4)), (1, 3, 4, 4)),
    "attention": (Attending, (1, 7, SIZE)),
    "fused attention": (Sdpa, (1, 7, SIZE)),
    "encoder": (lambda: nn.TransformerEncoderLayer(SIZE, 2, 32, batch_first=True), (1, 7, SIZE)),
    "LSTM": (lambda: Recurrent(nn.LSTM), (1, 5, SIZE)),
    "GRU": (lambda: Recurrent(nn.GRU), (1, 5, SIZE)),
}


class Projection(nn.Module):
    """A norm, a look-up, and a product with a bare vector."""

    def __init__(self) -> None:
        super().__init__()
        self.direction = nn.Parameter(torch.ones(SIZE))
        self.norm = nn.LayerNorm(SIZE)
        self.table = nn.Embedding(3, SIZE)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C) -> (B,)."""
        index = torch.zeros(1, dtype=torch.long, device=x.device)
        return (self.norm(x) + self.table(index)) @ self.direction
