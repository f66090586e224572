"""TensorBoard event files: a folder of them, with what lies below it, is one run."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from ablate.errors import UsageError
from ablate.ingest.folders import configuration, configure, digest, take, walk
from ablate.ingest.names import known_metric
from ablate.ingest.planned import UNSAID, Plan
from ablate.ingest.run import Draft, Reader, Run
from ablate.ingest.series import STAGES, Series, place, stored
from ablate.record import State

_FILE = re.compile(
    r"events\.out\.tfevents\.\d+"
    r"(?:\.(?P<host>.+?)\.(?P<process>\d+)\.\d+(?:\.[^.]*[^.\d][^.]*)*|\.(?P<old>.+))?"
)
_BESIDE = re.compile(r"\d{9,}\.\d+")
"""The folder that `add_hparams` makes, called after the moment."""
_FAILURE = 2
_HIDDEN = frozenset({"hp_metric", "epoch"})


@dataclass(slots=True)
class _File:
    """What one event file holds, as far as it is whole."""

    path: Path
    scalars: list[tuple[str, int, float]] = field(default_factory=list)
    settings: dict[str, str] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)
    """Hyper-parameters as they were declared: where their values stand, they have no order."""
    first: float = 0.0
    last: float = 0.0
    failed: bool = False
    torn: str = ""


def find(path: Path) -> Iterator[Path]:
    """The folders that hold runs; one below another's event files, or called `train`, is a part."""
    held = {f: _processes(names) for f, names in walk(path) if any(map(_FILE.fullmatch, names))}
    yield from sorted({_whole(folder, held, path) for folder in held})


def _places(folder: Path) -> Iterator[Path]:
    """The event files of the run in a folder, those of its parts too."""
    inside = {f: names for f, names in walk(folder) if any(map(_FILE.fullmatch, names))}
    held = {f: _processes(names) for f, names in inside.items()}
    for inner, names in inside.items():
        if _whole(inner, held, folder) == folder:
            yield from (inner / n for n in sorted(names) if _FILE.fullmatch(n))


def _processes(names: Iterable[str]) -> frozenset[str]:
    """The processes that wrote a folder's event files, by host and number."""
    found = map(_FILE.fullmatch, names)
    return frozenset(f"{m['host']} {m['process']}" for m in found if m and m["process"])


def read(path: Path) -> Iterator[Run]:
    """The run of one folder; raises UsageError where it holds no event file."""
    folder = path if path.is_dir() else path.parent
    places = [p for p in _places(folder) if path in {folder, p}]
    if not places:
        raise UsageError(f"{folder}: holds no event file of TensorBoard (events.out.tfevents.*)")
    files = sorted(map(_events, places), key=lambda f: f.first)
    draft = Draft()
    draft.name = _name(folder, places)
    found = configuration(folder)
    if found is not None:
        configure(draft, found)
    series, epochs = Series(draft), 0.0
    for file in files:
        take(draft, file.settings)
        epochs = max([epochs, *(v for tag, _, v in file.scalars if tag == "epoch")])
        _curves(draft, series, file, folder)
    _clock(draft, [f for f in files if f.path.parent == folder] or files)
    _settle(draft, files, int(epochs))
    metrics = series.settle()
    named = {f"events.out.tfevents.{i}": digest(f.path) for i, f in enumerate(files)}
    yield draft.done(metrics, "last", named)


def _whole(folder: Path, held: Mapping[Path, frozenset[str]], top: Path) -> Path:
    """The run's folder: what the process of a parent's events wrote below it is a part of it."""
    while folder != top and (folder.name.lower() in STAGES or _is_part(folder, held)):
        folder = folder.parent
    return folder


def _is_part(folder: Path, held: Mapping[Path, frozenset[str]]) -> bool:
    above, own = held.get(folder.parent), held.get(folder, frozenset())
    return above is not None and (bool(above & own) or _BESIDE.fullmatch(folder.name) is not None)


def _name(folder: Path, places: Sequence[Path]) -> str:
    """The folder's name, without the host that TensorBoard writes into it by default."""
    name = folder.resolve().name
    for found in (_FILE.fullmatch(p.name) for p in places):
        host = found and (found["host"] or found["old"])
        name = name.replace(f"_{host}", "") if host else name
    return name


def _events(path: Path) -> _File:
    """Read one file up to its end or to the first record that is not whole."""
    try:
        from tensorboard.compat.proto.event_pb2 import Event  # noqa: PLC0415 - optional
        from tensorboard.compat.tensorflow_stub import errors  # noqa: PLC0415 - optional
        from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import (  # noqa: PLC0415 - optional
            PyRecordReader_New,
        )
    except ImportError:
        raise UsageError(
            "event files are read by the package tensorboard: pip install 'ablate-lab[tensorboard]'"
        ) from None
    file, records = _File(path), PyRecordReader_New(str(path))
    while True:
        try:
            records.GetNext()
            event = Event.FromString(records.record())
        except errors.OutOfRangeError:
            return file
        except Exception as wrong:  # noqa: BLE001 - a damaged record fails in any way protobuf knows
            said = "cut short" if "truncated" in str(wrong) else "damaged"
            file.torn = f"an event file is {said} after {len(file.scalars)} scalars"
            return file
        file.first = file.first or event.wall_time
        file.last = max(file.last, event.wall_time)
        for value in event.summary.value:
            _value(file, value, event.step)


def _value(file: _File, value: Any, step: int) -> None:  # noqa: ANN401 - a protobuf message
    plugin = value.metadata.plugin_data
    if plugin.plugin_name == "hparams":
        _hparams(file, plugin.content)
    elif value.HasField("simple_value"):
        file.scalars.append((value.tag, step, _shortest(value.simple_value)))
    elif value.HasField("tensor") and plugin.plugin_name in {"", "scalars"}:
        from tensorboard.util.tensor_util import make_ndarray  # noqa: PLC0415 - optional

        array = make_ndarray(value.tensor)
        if array.size == 1 and array.dtype.kind == "f":
            single = array.dtype.itemsize <= np.dtype(np.float32).itemsize
            number = array.item()
            file.scalars.append((value.tag, step, _shortest(number) if single else number))


def _shortest(value: float) -> float:
    """The shortest decimal that is this single-precision number: 0.763, not 0.76300001."""
    return float(str(np.float32(value)))


def _hparams(file: _File, content: bytes) -> None:
    from tensorboard.plugins.hparams.plugin_data_pb2 import (  # noqa: PLC0415 - optional
        HParamsPluginData,
    )

    data = HParamsPluginData.FromString(content)
    file.order.extend(info.name for info in data.experiment.hparam_infos)
    order = {name: i for i, name in enumerate(file.order)}
    given = data.session_start_info.hparams.items()
    for name, value in sorted(given, key=lambda pair: (order.get(pair[0], len(order)), pair[0])):
        kind = value.WhichOneof("kind")
        file.settings[name] = _text(getattr(value, kind)) if kind else ""
    if data.HasField("session_end_info"):
        file.failed = data.session_end_info.status == _FAILURE


def _text(value: float | str | bool) -> str:  # noqa: FBT001 - a value as the file holds it
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)
    return str(value)


def _curves(draft: Draft, series: Series, file: _File, folder: Path) -> None:
    below = file.path.parent.relative_to(folder).as_posix()
    given = {tag for tag, _, _ in file.scalars} if file.settings else set()
    for tag, step, value in file.scalars:
        if tag in _HIDDEN:
            draft.consume(tag)
        elif tag in given and below != ".":
            _final(draft, series, tag.removeprefix("hparam/").removeprefix("hp/"), value)
        elif below.lower() in STAGES:
            series.add(tag, step, value, below)
        else:
            series.add(_joined(tag, below), step, value)


def _joined(tag: str, below: str) -> str:
    """`add_scalars` writes the tag `acc` below `acc_val`: it is `acc/val`."""
    part = below.removeprefix(tag.replace("/", "_")).strip("_")
    return tag if below == "." else f"{tag}/{part}"


def _final(draft: Draft, series: Series, tag: str, value: float) -> None:
    """A metric given with the hyper-parameters counts where it has no curve."""
    split, name = place(tag)
    draft.consume(tag)
    if not series.curve(split, name):
        metric = known_metric(name)
        shown = metric is not None and metric.display == "percent"
        draft.scores[name] = stored(value) if shown else value
        if draft.scores[name] != value:
            draft.percent[name] = None


def _clock(draft: Draft, files: Sequence[_File]) -> None:
    if not files[0].first:
        return
    draft.started = datetime.fromtimestamp(files[0].first, UTC).isoformat(timespec="seconds")
    seconds = sum(f.last - f.first for f in files)
    draft.cost("seconds", seconds, "s", "wall time of its events")
    if len(files) > 1:
        draft.facts["event files"] = str(len(files))


def _settle(draft: Draft, files: Sequence[_File], epochs: int) -> None:
    """No event says that a training ended: what the configuration plans may."""
    torn = next((f.torn for f in files if f.torn), "")
    plan = Plan.of(draft.settings)
    short = epochs > 0 and plan.epochs is not None and epochs + 1 < plan.epochs
    if any(f.failed for f in files):
        draft.state, draft.reason = State.FAILED, "its hyper-parameter session ended as failed"
    elif torn or not any(f.scalars for f in files):
        draft.state, draft.reason = State.INCOMPLETE, torn or "its events hold no scalar"
    elif short and plan.patience is None:
        draft.state = State.INCOMPLETE
        draft.reason = f"its events end in epoch {epochs + 1} of {plan.epochs}"
    else:
        draft.state = State.COMPLETED
        if not epochs or plan.epochs is None or short:
            draft.remark(UNSAID)


READER = Reader(
    name="tensorboard",
    about="TensorBoard event files: a folder of them, with what lies below it, is one run",
    find=find,
    read=read,
)
