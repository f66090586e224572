"""`ablate status`: how far each study is."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from ablate.record import Record

LAST_FAILURES = 5


def status(
    study: Annotated[str | None, typer.Argument(help="One study; all of them without.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """How many trials of each study are done, running, failed or waiting."""
    from ablate.cli.console import Column, note, out, print_json, print_table
    from ablate.cli.reading import latest_or, project_store
    from ablate.record import State

    with project_store() as store:
        names = store.studies() if study is None else [latest_or(store, study).name]
        records = {name: store.records(name) for name in names}
    rows = {name: _counts(of) for name, of in records.items()}
    failures = [r for of in records.values() for r in of if r.state in _BAD]
    failures = sorted(failures, key=lambda r: r.attempt.ended if r.attempt else "", reverse=True)
    running = [r for of in records.values() for r in of if r.state is State.RUNNING]
    if json:
        print_json(
            {
                "schema": "ablate.status/1",
                "studies": [{"name": n, **counts} for n, counts in rows.items()],
                "running": [_trial(r) for r in running],
                "failures": [_trial(r) for r in failures[:LAST_FAILURES]],
            }
        )
        return
    if not names:
        note("the store holds no study yet (ablate run, ablate import)")
        return
    shown = _SHOWN if any(c["beside"] for c in rows.values()) else _SHOWN[:-1]
    columns = [Column("Study"), *(Column(s.capitalize(), right=True) for s in shown)]
    print_table(columns, [[n, *(str(c[s]) for s in shown)] for n, c in rows.items()])
    for record in running:
        out().print(f"running  {record.variant} s{record.seed}  {record.key}", soft_wrap=True)
    for record in failures[:LAST_FAILURES]:
        trial = _trial(record)
        line = f"{record.state}  {record.variant} s{record.seed}  {trial['error']}"
        out().print(f"{line}  (ablate logs {record.key[:8]})", soft_wrap=True)


_SHOWN = ("done", "running", "failed", "waiting", "trials", "beside")
_BAD = ("failed", "crashed", "timeout")


def _counts(records: "list[Record]") -> dict[str, int]:
    """What the study asks for, as `ablate plan` counts it; what stands beside it is apart."""
    asked = {r.key: str(r.state) for r in records if not r.extra}
    states = list(asked.values())
    done, running = states.count("completed"), states.count("running")
    failed = sum(states.count(s) for s in _BAD)
    return {
        "done": done,
        "running": running,
        "failed": failed,
        "waiting": len(states) - done - running - failed,
        "trials": len(states),
        "beside": len({r.key for r in records} - asked.keys()),
    }


def _trial(record: "Record") -> dict[str, object]:
    attempt = record.attempt
    lines = (attempt.error or attempt.error_type).strip().splitlines() if attempt else []
    return {
        "study": record.study,
        "variant": record.variant,
        "seed": record.seed,
        "key": record.key,
        "state": str(record.state),
        "error": lines[-1] if lines else "",
    }
