"""CLIP weights (Radford et al. 2021) for the backbone: from OpenAI's archive or a state dict.

Neither form is ever read as plain pickle, which runs whatever code the file's author put in it.
"""

import hashlib
import math
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from ablate.errors import UsageError
from ablate.system import Job
from models.reid.network import Network
from models.reid.vit import VisionTransformer

VISUAL = "visual."
POSITIONS = "positional_embedding"
SHOWN = 3
UNTRAINED = "random initialisation instead of CLIP weights: not comparable with published results"


@dataclass(frozen=True, slots=True)
class Fitted:
    """Weights in float32 under the backbone's names; the visual names it has no place for.

    `grid` is the side of the square of patches that the file's position embedding was made for.
    """

    weights: Mapping[str, Tensor]
    unexpected: tuple[str, ...]
    others: int
    grid: int


def load(network: Network, job: Job) -> None:
    """Give the backbone the weights that `clip_weights` names; keep the file's digest as a fact.

    Without a name weights stay random, which is a doubt on real data. Raises UsageError where the
    file cannot be read or does not fit.
    """
    path = weights_file(job)
    if path is None:
        if job.data is not None:
            job.note(UNTRAINED)
        return
    digest = _digest(path)
    try:
        fitted = fit(read(path), network.backbone)
    except ValueError as wrong:
        raise UsageError(f"clip_weights {job.choice('clip_weights')!r}: {wrong}") from None
    network.backbone.load_state_dict(dict(fitted.weights))
    rows, columns = network.grid
    print(  # noqa: T201 - this is the attempt's own log
        f"clip_weights {path.name} (sha256 {digest}): {len(fitted.weights)} visual tensors loaded,"
        f" positions {fitted.grid}x{fitted.grid} -> {rows}x{columns},"
        f" {fitted.others} other tensors ignored",
        flush=True,
    )
    job.fact("clip_weights", f"{path.name} sha256:{digest}")
    if fitted.unexpected:
        job.note(
            f"clip_weights {path.name}: {len(fitted.unexpected)} visual tensors have no place in"
            f" the backbone ({_named(VISUAL + n for n in fitted.unexpected)})"
        )


def weights_file(job: Job) -> Path | None:
    """The file that `clip_weights` names; None where it names none.

    A relative name is looked up in the folder that holds the data set, on stand-in data in the
    current folder. Raises UsageError where there is no file that can be opened.
    """
    name = job.choice("clip_weights")
    if not name:
        return None
    path = (job.data.parent if job.data else Path()) / name
    try:
        path.open("rb").close()
    except OSError as wrong:
        reason = wrong.strerror or type(wrong).__name__
        raise UsageError(
            f"clip_weights {name!r}: {path} cannot be read: {reason}; put the file there (relative"
            " names are looked up beside the data set's folder), or leave clip_weights out for"
            " random weights"
        ) from None
    return path


def read(path: Path) -> dict[str, Tensor]:
    """The tensors of a file; raises ValueError where it is neither form, OSError without a file."""
    with warnings.catch_warnings():
        # both readers warn that TorchScript, the form in which OpenAI publishes, has had its day
        warnings.simplefilter("ignore")
        try:
            state = torch.load(path, map_location="cpu", weights_only=True)
        except OSError:
            raise
        except Exception:  # noqa: BLE001 - unknown bytes can break an unpickler in any way
            state = _archive(path)
    if not isinstance(state, Mapping):
        raise ValueError(f"holds a {type(state).__name__}, not tensors by name")  # noqa: TRY004 - the file is wrong, not the call
    return {str(name): value for name, value in state.items() if isinstance(value, Tensor)}


def _archive(path: Path) -> Mapping[str, Tensor]:
    try:
        return torch.jit.load(path, map_location="cpu").state_dict()
    except RuntimeError:
        raise ValueError(
            "is neither a state dict of tensors nor a TorchScript archive; it is not read as plain"
            " pickle, which could run code"
        ) from None


def fit(found: Mapping[str, Tensor], backbone: VisionTransformer) -> Fitted:
    """The file's visual tensors in the backbone's shapes; raises ValueError where they cannot be.

    Class row of the position embedding as it is, the others resized bilinearly to the backbone's
    grid.
    """
    wanted = backbone.state_dict()
    own = {n.removeprefix(VISUAL): v.float() for n, v in found.items() if n.startswith(VISUAL)}
    if missing := [n for n in wanted if n not in own]:
        raise ValueError(
            f"{len(missing)} of {len(wanted)} visual tensors are missing"
            f" ({_named(VISUAL + n for n in missing)}): it must be a CLIP ViT of depth"
            f" {len(backbone.transformer.resblocks)}"
        )
    side = _side(own[POSITIONS])
    own[POSITIONS] = _resized(own[POSITIONS], side, backbone.grid)
    wrong = [n for n, value in wanted.items() if own[n].shape != value.shape]
    if wrong:
        shapes = (f"{VISUAL}{n} {_size(own[n])} for {_size(wanted[n])}" for n in wrong)
        raise ValueError(f"{len(wrong)} visual tensors have a wrong shape ({_named(shapes)})")
    unexpected = tuple(sorted(own.keys() - wanted.keys()))
    return Fitted({n: own[n] for n in wanted}, unexpected, len(found) - len(own), side)


def _side(positions: Tensor) -> int:
    """14 for the 1 + 14 x 14 rows of ViT-B/16."""
    rows = positions.shape[0] - 1 if positions.ndim == 2 else -1  # noqa: PLR2004 - rows and columns
    if rows < 1 or math.isqrt(rows) ** 2 != rows:
        raise ValueError(
            f"{VISUAL}{POSITIONS} is {_size(positions)}, not a class row and a square of patches"
        )
    return math.isqrt(rows)


def _resized(positions: Tensor, side: int, grid: tuple[int, int]) -> Tensor:
    """(1 + side^2, C) -> (1 + rows * columns, C)."""
    if grid == (side, side):
        return positions
    square = positions[1:].T.reshape(1, -1, side, side)
    patches = functional.interpolate(square, size=grid, mode="bilinear", align_corners=False)
    return torch.cat([positions[:1], patches[0].flatten(1).T])


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]


def _named(names: Iterable[str]) -> str:
    listed = list(names)
    return ", ".join(listed[:SHOWN]) + (", ..." if len(listed) > SHOWN else "")


def _size(tensor: Tensor) -> str:
    return "x".join(map(str, tensor.shape)) or "a number"
