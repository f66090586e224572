"""Pictures of the patches that SDTPS keeps: what was dropped is dimmed."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image, ImageDraw

from ablate.system import Job
from models.reid.decode import Float
from models.reid.network import Network, Sizes
from models.reid.triples import Triples

NAME = "tokens.png"
TRIPLES = 6
DIMMED = 0.25
GAP = 4
TITLES = ("RGB", "near IR", "thermal IR")
TOP = 16
"""Pixels above the pictures, for the spectra's titles."""
TALL = 128
"""Small images are enlarged, by a whole number, to about as many pixels."""


def pictured(job: Job, network: Network, query: Triples) -> Path | None:
    """`tokens.png` in the job's folder: one query each of a few people; None without SDTPS.

    One row per triple, its spectra side by side, as the network in evaluation sees them.
    """
    if not job.on("sdtps"):
        return None
    numbers = np.unique(query.ids, return_index=True)[1][:TRIPLES]
    images = np.stack([query.pixels[int(n)] for n in numbers])
    cameras = torch.from_numpy(query.cameras[numbers])
    network.eval()
    with torch.inference_mode():
        kept = network(torch.from_numpy(images).to(job.device), cameras.to(job.device)).kept
    assert kept is not None
    masks = torch.stack([kept[m] for m in sorted(kept)], dim=1).cpu().numpy()
    path = job.workdir / NAME
    sheet(images, covered(masks, Sizes.of(job))).save(path)
    return path


def covered(kept: npt.NDArray[np.bool_], sizes: Sizes) -> npt.NDArray[np.bool_]:
    """Patches (..., N) in row-major order -> pixels (..., H, W) that lie in a kept one."""
    rows, columns = sizes.grid
    pixels = np.zeros((*kept.shape[:-1], sizes.height, sizes.width), dtype=np.bool_)
    for n in range(rows * columns):
        top, left = (n // columns) * sizes.stride, (n % columns) * sizes.stride
        window = pixels[..., top : top + sizes.patch, left : left + sizes.patch]
        window |= kept[..., n, None, None]
    return pixels


def sheet(images: Float, bright: npt.NDArray[np.bool_]) -> Image.Image:
    """Triples (T, 3, 3, H, W) in [-1, 1] and the pixels (T, 3, H, W) that stay bright, as one.

    A triple a row, its spectra under their titles.
    """
    shown = np.where(bright[:, :, None], 1.0, DIMMED) * (images + 1.0) * 127.5
    grey = np.rint(np.clip(shown, 0.0, 255.0)).astype(np.uint8).transpose(0, 1, 3, 4, 2)
    factor = max(1, TALL // grey.shape[2])
    grey = grey.repeat(factor, axis=2).repeat(factor, axis=3)
    triples, spectra, height, width, _ = grey.shape
    size = (spectra * (width + GAP) - GAP, TOP + triples * (height + GAP) - GAP)
    page = Image.new("RGB", size, "white")
    for m, title in enumerate(TITLES):
        left = m * (width + GAP)
        ImageDraw.Draw(page).text((left, 2), title, fill="black")
        for t in range(triples):
            page.paste(Image.fromarray(grey[t, m]), (left, TOP + t * (height + GAP)))
    return page
