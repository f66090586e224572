"""Image files: what their headers say, and their pixels; every failure names its file."""

import os
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from ablate.errors import UsageError

try:
    from PIL import Image, UnidentifiedImageError
except ImportError as missing:
    raise UsageError(
        "the re-identification system reads images with Pillow, which is not installed:"
        " pip install pillow"
    ) from missing

Float: TypeAlias = npt.NDArray[np.float32]

SUFFIXES = frozenset({".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})
Filter: TypeAlias = Image.Resampling

TRAIN_FILTER = Image.Resampling.BICUBIC
TEST_FILTER = Image.Resampling.BILINEAR
_END = b"\xff\xd9"
_TAIL = 1024
_DEEP = ("I", "F")


def measured(path: Path) -> tuple[int, int]:
    """Width and height in pixels, from the header; raises UsageError for a file that is broken.

    A JPEG is only asked for an end marker in its last bytes: one without, cut short most likely, is
    decoded to the end; damage before the marker is not looked for here. Of other kinds, Pillow
    checks what it can without decoding.
    """
    try:
        if path.stat().st_size == 0:
            raise UsageError(f"{path} is empty: replace the file, or remove it in every spectrum")
        with Image.open(path) as image:
            size, mode, kind = image.size, image.mode, image.format
            if kind != "JPEG":
                image.verify()
        if kind == "JPEG" and not _ended(path):
            _pixels(path)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as wrong:
        raise UsageError(_unreadable(path, wrong)) from wrong
    if mode.startswith(_DEEP):
        raise UsageError(f"{path} has more than 8 bits a channel ({mode}): convert it to 8 bits")
    return size


def decoded(path: Path) -> Image.Image:
    """The picture in RGB, decoded to the end; raises UsageError that names the file."""
    try:
        return _pixels(path)
    except (OSError, SyntaxError, ValueError) as wrong:
        raise UsageError(_unreadable(path, wrong)) from wrong


def fitted(picture: Image.Image, height: int, width: int, how: Filter) -> Float:
    """The picture as (3, height, width) in [-1, 1]: mean and deviation 0.5, resized if need be."""
    if picture.size != (width, height):
        picture = picture.resize((width, height), how)
    pixels = np.array(picture, dtype=np.float32)
    pixels /= np.float32(127.5)
    pixels -= np.float32(1.0)
    return pixels.transpose(2, 0, 1)


def _pixels(path: Path) -> Image.Image:
    with Image.open(path) as image:
        return image.convert("RGB")


def _ended(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-min(_TAIL, path.stat().st_size), os.SEEK_END)
        return _END in file.read()


def _unreadable(path: Path, wrong: Exception) -> str:
    why = "no image that Pillow knows" if isinstance(wrong, UnidentifiedImageError) else str(wrong)
    return (
        f"{path} cannot be read as an image ({why}): replace the file, or remove it in every"
        " spectrum"
    )
