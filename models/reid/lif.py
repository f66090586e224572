"""LIF: weighs the three spectra of every patch by a quality map predicted from the raw images."""

import torch
from torch import Tensor, nn
from torch.nn import functional

WINDOW = 15
SHARPNESS = 10.0
LUMINANCE = (0.299, 0.587, 0.114)
LAPLACIAN = ((0.0, 1.0, 0.0), (1.0, -4.0, 1.0), (0.0, 1.0, 0.0))


def stage(before: int, after: int) -> nn.Sequential:
    """3x3 convolution, batch norm, SiLU, and half the size."""
    return nn.Sequential(
        nn.Conv2d(before, after, 3, padding=1, bias=False),
        nn.BatchNorm2d(after),
        nn.SiLU(inplace=True),
        nn.AvgPool2d(2),
    )


class QualityPredictor(nn.Sequential):
    """One spectrum (B, 3, H, W) -> a non-negative quality map (B, 1, H/8, W/8)."""

    def __init__(self, channels: int) -> None:
        super().__init__(
            stage(3, channels),
            stage(channels, 2 * channels),
            stage(2 * channels, 2 * channels),
            nn.Conv2d(2 * channels, 1, 1),
            nn.ReLU(),
        )


class LIF(nn.Module):
    """Multiplies each spectrum's patch tokens by its share of quality; the three shares sum to 1.

    `beta` sharpens the softmax over spectra: 0 makes every share one third.
    """

    def __init__(self, channels: int, beta: float) -> None:
        super().__init__()
        self.beta = beta
        self.predictors = nn.ModuleList(QualityPredictor(channels) for _ in range(3))

    def maps(self, images: Tensor) -> Tensor:
        """(B, 3 spectra, 3, H, W) -> quality maps (B, 3, h, w)."""
        found = [predict(images[:, m]) for m, predict in enumerate(self.predictors)]
        return torch.cat(found, dim=1)

    def forward(
        self, tokens: Tensor, images: Tensor, grid: tuple[int, int]
    ) -> tuple[Tensor, Tensor]:
        """(B, 3, N, C) patch tokens and the raw images -> (B, 3, N, C) and maps (B, 3, h, w)."""
        maps = self.maps(images)
        quality = functional.interpolate(maps, size=grid, mode="bilinear", align_corners=False)
        shares = torch.softmax(quality * (self.beta * SHARPNESS), dim=1)
        return tokens * shares.flatten(2).unsqueeze(-1).to(tokens.dtype), maps


def _local_mean(x: Tensor) -> Tensor:
    """Mean over a window that is cut off at the border, one axis after the other."""
    rows = functional.avg_pool2d(x, (WINDOW, 1), 1, (WINDOW // 2, 0), count_include_pad=False)
    return functional.avg_pool2d(rows, (1, WINDOW), 1, (0, WINDOW // 2), count_include_pad=False)


def _spread(x: Tensor) -> Tensor:
    mean, square = _local_mean(torch.cat([x, x * x], dim=1)).split(1, dim=1)
    return (square - mean * mean).clamp_min(0.0)


def _to_unit(x: Tensor) -> Tensor:
    return x / x.amax(dim=(1, 2, 3), keepdim=True).clamp_min(1e-6)


def targets(images: Tensor) -> Tensor:
    """What each spectrum's quality should look like: (B, 3, 3, H, W) in [-1, 1] -> (B, 3, H, W).

    RGB: luminance in [0, 1]. Near infrared: local variance of the Laplacian. Thermal: local
    standard deviation. The last two are divided by each image's own maximum. No gradient. The
    source computes them on normalised images, whose luminance its non-negative head cannot reach.
    """
    with torch.no_grad():
        pixels = images.float() * 0.5 + 0.5
        weights = pixels.new_tensor(LUMINANCE).view(1, 3, 1, 1)
        luminance = (pixels[:, 0] * weights).sum(dim=1, keepdim=True)
        near, thermal = (pixels[:, m].mean(dim=1, keepdim=True) for m in (1, 2))
        kernel = pixels.new_tensor(LAPLACIAN).view(1, 1, 3, 3)
        edges = functional.conv2d(functional.pad(near, (1, 1, 1, 1), mode="replicate"), kernel)
        wanted = [luminance, _to_unit(_spread(edges)), _to_unit(_spread(thermal).sqrt())]
        return torch.cat(wanted, dim=1)


def quality_loss(maps: Tensor, images: Tensor) -> Tensor:
    """Sum over spectra of the mean squared error to the self-supervised targets."""
    wanted = functional.interpolate(
        targets(images), size=maps.shape[-2:], mode="bilinear", align_corners=False, antialias=True
    )
    return (maps.float() - wanted).square().mean(dim=(0, 2, 3)).sum()
