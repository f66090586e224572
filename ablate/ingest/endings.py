"""What one run left behind, ready to be stored: no path, host name or person in it."""

from collections.abc import Mapping, Sequence

from ablate.ingest.run import Run
from ablate.ingest.text import without_places
from ablate.record import LEFT_OUT, Ending, State
from ablate.spec.keys import private

_NAMED = 20


def ending(
    run: Run,
    reader: str,
    notes: Sequence[str] = (),
    left_out: Mapping[str, str] | None = None,
    *,
    assumed: bool = False,
) -> Ending:
    """The ending of a run; `notes` are doubts beside its own, `assumed` says that its data are.

    `left_out` are the runs, by name, that its import left out, with the reason.
    """
    doubts = [*run.remarks, *_unread(run), *notes]
    provenance = {
        **{name: without_places(text) for name, text in run.facts.items() if not private(name)},
        "reader": reader,
        "file": ", ".join(run.files),
        **({} if any(run.name in file for file in run.files) else {"run": run.name}),
        "sha256": " ".join(run.files.values()),
        **({"started": run.started} if run.started else {}),
        **({"uncalled": ", ".join(run.uncalled)} if run.uncalled else {}),
        **({"data": _assumed(run)} if assumed else {}),
        **({LEFT_OUT: _left_out(left_out)} if left_out else {}),
        **({"notes": "\n".join(dict.fromkeys(map(_one_line, doubts)))} if doubts else {}),
    }
    failed = run.state is State.FAILED
    return Ending(
        run.state,
        seconds=next((c.value for c in run.costs if c.name == "seconds"), 0.0),
        ended="",
        error_type="failed" if failed else "",
        error="" if run.state is State.COMPLETED else without_places(run.reason),
        provenance=provenance,
        scalars=run.scalars,
        items=run.items,
        costs=run.costs,
        scores=run.scores,
        settings={
            key: without_places(text) for key, text in run.settings.items() if not private(key)
        },
    )


def _assumed(run: Run) -> str:
    said = run.facts.get("data", "")
    return f"assumed (the log says {without_places(said)})" if said else "assumed"


def _left_out(runs: Mapping[str, str]) -> str:
    lines = [_one_line(f"{name}: {why}") for name, why in runs.items()]
    more = len(lines) - _NAMED
    return "\n".join([*lines[:_NAMED], *([f"and {more} more"] if more > 0 else [])])


def _one_line(text: str) -> str:
    return " ".join(without_places(text).split())


def _unread(run: Run) -> Sequence[str]:
    if not run.unread:
        return ()
    lines = "line looks" if len(run.unread) == 1 else "lines look"
    return (f"{len(run.unread)} {lines} like a measurement and could not be read",)
