"""What the keys of a configuration are called as factors, and which of them can be none."""

import re
from collections.abc import Sequence


def _all_of(words: str) -> frozenset[str]:
    return frozenset(words.split())


NAMED = _all_of(
    "exp experiment run project log logger save job study group version file display wandb"
)
"""What a `name` belongs to that only labels a run: `exp_name`, `experiment.name`."""
LABELS = _all_of(
    "name tag tags title desc description notes note comment comments project entity experiment"
    " exp expname"
)
PLACES = _all_of("dir dirs path paths folder root file filename directory outdir workdir")
DEVICES = _all_of(
    "device devices device_id device_ids gpu gpus gpu_id gpu_ids n_gpu n_gpus num_gpus ngpus cuda"
    " use_cuda no_cuda cuda_device local_rank global_rank node_rank rank world_size nproc_per_node"
    " num_nodes nnodes accelerator dist_backend"
)
WORKERS = _all_of("workers worker threads")
ADDRESSES = _all_of("port addr address host hostname url uri")
PEOPLE = _all_of(
    "user username user_name password secret email token access_token auth_token api_key"
)
MOMENTS = _all_of("date timestamp datetime started created commit sha hash uuid pid")
TIMES = _all_of("time start_time end_time")
WHAT = _all_of(
    "log logging print display save saving ckpt checkpoint eval val valid vis summary report"
    " snapshot"
)
HOW_OFTEN = _all_of("period interval freq frequency every")
RESUMED = _all_of("resume resumed autoresume")
SWITCHED = re.compile(r"(?:use|with|enable|has|if)_(.+)")
SWITCHES = _all_of("enabled enable use active on")
_DATE = re.compile(r"\d{4}[-/.]?\d{2}[-/.]?\d{2}([ T_-]?\d{2}[:\-.]?\d{2}.*)?")
_PATH = re.compile(r"(?:[A-Za-z]:\\|~?/|\.{1,2}/).*|[^\s/\\]+(?:[/\\][^\s/\\]+)+/?|\.{1,2}")
_LONG = 120


def is_seed(key: str) -> bool:
    """Whether a key holds the seed."""
    return bool(words(last(key))) and words(last(key))[-1] == "seed"


def unfit(key: str, texts: Sequence[str]) -> str:
    """Why a key whose `texts` differ between runs is no factor; empty where it may be one."""
    said = words(last(key))
    found, name, end = set(said), "_".join(said), (said or [""])[-1]
    reasons = {
        "the seed": is_seed(key),
        "a label of the run": _labels(key, said),
        "a port or an address": end in ADDRESSES,
        "somebody's name or secret": name in PEOPLE,
        "a device": name in DEVICES,
        "a number of workers": bool(found & WORKERS),
        "how often something is logged or saved": bool(found & WHAT and found & HOW_OFTEN),
        "where a run was resumed": bool(found & RESUMED),
        "a moment or a version": end in MOMENTS or name in TIMES or _all(_DATE, texts),
        "a file or a folder": end in PLACES or _all(_PATH, texts),
        "a long text": any(len(t) > _LONG for t in texts),
    }
    return next((reason for reason, holds in reasons.items() if holds), "")


def private(key: str) -> bool:
    """Whether a setting names a host, a person or an address: it is never stored."""
    said = words(last(key))
    return bool(said) and (said[-1] in ADDRESSES or "_".join(said) in PEOPLE)


def parts(key: str) -> list[str]:
    """The segments of a key: `model.lr` and `model/lr` have the same two."""
    return re.split(r"[./]", key)


def last(key: str) -> str:
    """The last segment of a key."""
    return parts(key)[-1]


def words(segment: str) -> list[str]:
    """The words of one segment in lower case: `numWorkers` and `NUM_WORKERS` are the same two."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", segment)
    return [w for w in re.split(r"[^\w]+|_", spaced.lower()) if w]


def plain(segment: str) -> str:
    """A segment as a part of a factor's name: lower case, words joined by `_`."""
    return "_".join(words(segment)) or segment.lower()


def stem(key: str) -> str:
    """What a switch's key switches: `sacr` of `MODEL.USE_SACR`, `sacr` of `model.sacr.enabled`."""
    segments = parts(key)
    name = plain(segments[-1])
    if name in SWITCHES and len(segments) > 1:
        return plain(segments[-2])
    found = SWITCHED.fullmatch(name)
    return found[1] if found else name.removesuffix("_enabled")


def owned(key: str, switches: Sequence[str]) -> tuple[str, str] | None:
    """The switch that a key belongs to and its name there: `lif`, `beta` of `MODEL.LIF_BETA`.

    Of several the longest; None where it belongs to none.
    """
    segments = [plain(s) for s in parts(key)]
    for switch in sorted(switches, key=len, reverse=True):
        if segments[-1].startswith(f"{switch}_"):
            return switch, stem(segments[-1].removeprefix(f"{switch}_"))
        if switch in segments[:-1]:
            return switch, stem(segments[-1])
    return None


def tail(key: str, keys: Sequence[str]) -> str:
    """The shortest dotted tail of a key that no other of `keys` ends in, in lower case."""
    segments = [plain(s) for s in parts(key)]
    others = [[plain(s) for s in parts(k)] for k in keys if k != key]
    for size in range(1, len(segments) + 1):
        end = segments[-size:]
        if not any(o[-size:] == end for o in others):
            return ".".join(end)
    return key


def _labels(key: str, said: Sequence[str]) -> bool:
    if not said or said[-1] not in LABELS:
        return False
    if said[-1] != "name":
        return True
    above = words("_".join(parts(key)[-2:-1]))
    owner = said[:-1] or above
    return not owner or bool(set(owner) & NAMED)


def _all(pattern: re.Pattern[str], texts: Sequence[str]) -> bool:
    said = [t.strip("'\"") for t in texts]
    return any(said) and all(pattern.fullmatch(t) for t in said if t)
