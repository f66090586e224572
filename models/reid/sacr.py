"""SACR, scale-adaptive contextual refinement: parallel dilated convolutions over the patch grid."""

import math
import re

import torch
from torch import Tensor, nn

from ablate.errors import UsageError

LARGEST = 99
_DILATIONS = re.compile(r"[1-9]\d?(,[1-9]\d?){0,7}")


def dilations(text: str) -> tuple[int, ...]:
    """The dilations that a level like `2,3,4` names, one branch for each; raises UsageError."""
    if not _DILATIONS.fullmatch(text):
        raise UsageError(
            f"sacr.dilations {text!r:.60} is not a list of one to eight whole numbers from 1 to"
            f" {LARGEST} with commas between them: write '2,3,4'"
        )
    return tuple(int(number) for number in text.split(","))


def gate_kernel(channels: int) -> int:
    """The odd kernel size of the channel gate (ECA-Net, Wang et al. 2020): 5 at 512 channels."""
    size = int((math.log2(channels) + 1) / 2)
    return max(3, size if size % 2 else size + 1)


def convolution(before: int, after: int, size: int, dilation: int = 1) -> nn.Sequential:
    """Convolution without bias, batch norm, ReLU; the grid keeps its size."""
    padding = dilation * (size // 2)
    return nn.Sequential(
        nn.Conv2d(before, after, size, padding=padding, dilation=dilation, bias=False),
        nn.BatchNorm2d(after),
        nn.ReLU(inplace=True),
    )


class SACR(nn.Module):
    """Refines patch tokens with context at several scales; its output replaces the tokens.

    One set of weights serves the three spectra, which pass together so that batch statistics are
    the same mixture in training and in evaluation.
    """

    def __init__(self, channels: int, rates: tuple[int, ...] = (2, 3, 4)) -> None:
        super().__init__()
        self.point = convolution(channels, channels, 1)
        self.dilated = nn.ModuleList(convolution(channels, channels, 3, rate) for rate in rates)
        self.fuse = convolution((1 + len(rates)) * channels, channels, 1)
        size = gate_kernel(channels)
        self.gate = nn.Conv1d(1, 1, size, padding=size // 2, bias=False)

    def forward(self, tokens: Tensor, grid: tuple[int, int]) -> Tensor:
        """(B, N, C) patch tokens on a grid of N = rows * columns -> (B, N, C)."""
        b, n, c = tokens.shape
        if n != grid[0] * grid[1]:
            raise ValueError(f"{n} patch tokens do not fill a grid of {grid[0]}x{grid[1]}")
        x = tokens.transpose(1, 2).reshape(b, c, *grid)
        x = self.fuse(torch.cat([self.point(x), *(conv(x) for conv in self.dilated)], dim=1))
        weights = torch.sigmoid(self.gate(x.mean(dim=(2, 3)).unsqueeze(1))).view(b, c, 1, 1)
        return (x * weights).flatten(2).transpose(1, 2)
