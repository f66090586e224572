"""The stand-in data: three spectra of invented identities, with known truth.

Each identity has a code per spectrum. A few patches at random places carry it as a mixture of
textures; every other patch carries a random code (finding the telling ones rewards token
selection). Two marker textures tell them apart: they have the same sign on a telling patch and
opposite signs elsewhere, so that no linear reading of a patch, a plain attention's for one, finds
it. Some identities tell themselves apart in one spectrum only, and spectra are spoilt at random:
dark and flat (knowing which are rewards weighing spectra by quality). Nothing is planted for SACR.
"""

from dataclasses import dataclass
from functools import cache
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Float: TypeAlias = npt.NDArray[np.float32]
Int: TypeAlias = npt.NDArray[np.int64]

VERSION = 1
HEIGHT, WIDTH, PATCH = 64, 32, 8
PATCHES = (HEIGHT // PATCH) * (WIDTH // PATCH)
SPECTRA = 3
CODE = 8
CAMERAS = 4
DECODED = 0.1
"""Standard deviation that the oracle expects of a decoded code."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How hard the stand-in is.

    `cues` patches carry the code; the others a random code `distract` times as strong. A share
    `single` of identities differs in one spectrum only; a share `spoil` of spectra is spoilt.
    """

    cues: int = 6
    distract: float = 1.5
    single: float = 0.3
    spoil: float = 0.2
    noise: float = 0.5
    camera: float = 0.2


@dataclass(frozen=True, slots=True)
class Split:
    """Triples of images (N, 3 spectra, 3, H, W) uint8, and what the generator knows of them.

    `cues` (N, 3, patches) marks the patches with the code; `spoilt` (N, 3) the ruined spectra;
    `codes` (identities, 3, CODE) are the identities' own.
    """

    images: npt.NDArray[np.uint8]
    ids: Int
    cameras: Int
    cues: npt.NDArray[np.bool_]
    spoilt: npt.NDArray[np.bool_]
    codes: Float


@dataclass(frozen=True, slots=True)
class Standin:
    """Training triples, and test triples of unseen identities (query = gallery)."""

    train: Split
    test: Split
    textures: Float


@cache
def standin(recipe: Recipe = Recipe()) -> Standin:
    """The data; the same for every trial and seed."""
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence([VERSION, 7])))
    textures = _textures(rng)
    views = _views(rng, recipe)
    train = _split(rng, recipe, textures, views, identities=64, each=16, cameras=4)
    test = _split(rng, recipe, textures, views, identities=30, each=8, cameras=2)
    return Standin(train, test, textures)


def _textures(rng: np.random.Generator) -> Float:
    """(CODE + 2, 64) orthogonal textures of root mean square 1; the last two are markers.

    Each is its own mirror image, so that flipping an image leaves its codes as they are.
    """
    half = rng.standard_normal((PATCH * PATCH // 2, CODE + 2))
    basis = np.linalg.qr(half)[0].T.reshape(CODE + 2, PATCH, PATCH // 2)
    whole = np.concatenate([basis, basis[:, :, ::-1]], axis=2).reshape(CODE + 2, -1)
    return (whole * (PATCH / np.sqrt(2.0))).astype(np.float32)


def _views(rng: np.random.Generator, recipe: Recipe) -> Float:
    """(CAMERAS, 3, 2): each camera's gain and offset in each spectrum."""
    views = rng.standard_normal((CAMERAS, SPECTRA, 2)) * recipe.camera
    return (views + np.array([1.0, 0.0])).astype(np.float32)


def _codes(rng: np.random.Generator, recipe: Recipe, identities: int) -> Float:
    """(identities, 3, CODE), of length 1; where an identity does not tell, all share one code."""
    codes = rng.standard_normal((identities, SPECTRA, CODE))
    common = rng.standard_normal((SPECTRA, CODE))
    single = rng.permutation(identities) < round(recipe.single * identities)
    telling = rng.integers(SPECTRA, size=identities)
    silent = single[:, None] & (np.arange(SPECTRA)[None] != telling[:, None])
    codes = np.where(silent[:, :, None], common[None], codes)
    return (codes / np.linalg.norm(codes, axis=-1, keepdims=True)).astype(np.float32)


def _split(  # noqa: PLR0913 - the generator's state, passed once
    rng: np.random.Generator,
    recipe: Recipe,
    textures: Float,
    views: Float,
    *,
    identities: int,
    each: int,
    cameras: int,
) -> Split:
    ids = np.repeat(np.arange(identities), each)
    seen_by = np.tile(np.arange(each) % cameras, identities)
    n = len(ids)
    codes = _codes(rng, recipe, identities)
    cues = rng.random((n, SPECTRA, PATCHES)).argsort(axis=2) < recipe.cues
    other = rng.standard_normal((n, SPECTRA, PATCHES, CODE), dtype=np.float32)
    other *= recipe.distract / np.linalg.norm(other, axis=-1, keepdims=True)
    mixed = np.where(cues[..., None], codes[ids][:, :, None], other)
    first = rng.choice([np.float32(-1.0), np.float32(1.0)], cues.shape)
    marks = np.stack([first, np.where(cues, first, -first)], axis=-1)
    weights = np.concatenate([mixed, marks], axis=-1)
    spoilt = rng.random((n, SPECTRA)) < recipe.spoil
    pixels = weights @ textures
    pixels *= np.where(spoilt, np.float32(0.1), views[seen_by, :, 0])[:, :, None, None]
    pixels += np.where(spoilt, np.float32(-1.5), views[seen_by, :, 1])[:, :, None, None]
    pixels += recipe.noise * rng.standard_normal(pixels.shape, dtype=np.float32)
    grey = np.clip(pixels * 40.0 + 128.0, 0.0, 255.0).astype(np.uint8)
    images = grey.reshape(n, SPECTRA, HEIGHT // PATCH, WIDTH // PATCH, PATCH, PATCH)
    images = images.transpose(0, 1, 2, 4, 3, 5).reshape(n, SPECTRA, 1, HEIGHT, WIDTH)
    return Split(np.repeat(images, 3, axis=2), ids, seen_by, cues, spoilt, codes)


def decoded(split: Split, textures: Float) -> Float:
    """The code read back from every patch, (N, 3, patches, CODE), by projecting on the textures."""
    grey = (split.images[:, :, 0].astype(np.float32) - 128.0) / 40.0
    n, rows, columns = len(grey), HEIGHT // PATCH, WIDTH // PATCH
    cells = grey.reshape(n, SPECTRA, rows, PATCH, columns, PATCH).transpose(0, 1, 2, 4, 3, 5)
    flat = cells.reshape(n, SPECTRA, PATCHES, PATCH * PATCH)
    return flat @ textures[:CODE].T / np.float32(PATCH * PATCH)


def oracle(data: Standin) -> Float:
    """Distances (N, N) of test triples to one who knows all but the answer.

    It knows where the marks are, which spectra are spoilt, the textures, and every identity's
    codes. The distance is minus the log probability that both images show one person: no
    network can rank better than by that, but for luck where identities cannot be told apart.
    """
    test = data.test
    found = decoded(test, data.textures)
    marks = test.cues[..., None]
    found = (found * marks).sum(axis=2)
    found /= np.linalg.norm(found, axis=-1, keepdims=True)
    apart = np.square(found[:, None] - test.codes[None]).sum(axis=-1)
    likelihood = -(apart * ~test.spoilt[:, None]).sum(axis=-1) / (2.0 * DECODED**2)
    likelihood -= likelihood.max(axis=1, keepdims=True)
    posterior = np.exp(likelihood)
    posterior /= posterior.sum(axis=1, keepdims=True)
    return -np.log(posterior @ posterior.T + np.float32(1e-30))


def floor(data: Standin) -> Float:
    """Distances (N, N) of test triples to one who averages the codes of all patches alike."""
    mean = decoded(data.test, data.textures).mean(axis=2).reshape(len(data.test.ids), -1)
    return np.square(mean[:, None] - mean[None]).sum(axis=-1).astype(np.float32)
