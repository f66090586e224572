"""A command system: its program is started, heard, resumed and judged."""

import difflib
import json
import shutil
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from ablate.command.code import DIFF, DIFF_LIMIT, identity
from ablate.command.declaration import Declaration, parsed
from ablate.command.environment import Places, environment, places
from ablate.command.overrides import assigned, unheeded, words, written
from ablate.command.past import (
    AFTER,
    CODE,
    COMMAND,
    GRAIN,
    LOG,
    UNFIT,
    Past,
    differing,
    mark,
    read_files,
    resumed,
)
from ablate.command.program import Program
from ablate.command.scores import Output, Scores, Tail
from ablate.errors import DeclarationError, SpecError, UsageError
from ablate.files import write_atomically
from ablate.ingest.run import Run
from ablate.ingest.text import LineSplitter
from ablate.record import State
from ablate.spec import systems
from ablate.system import Job, Outcome, System, TrainingError

_TAIL = 4096
_LINES = 12
_SHOWN = 8


def declared(text: str) -> System:
    """The system that a declaration describes; raises DeclarationError where a reader lacks.

    Its cause is then a SpecError with the keys at fault.
    """
    found = parsed(text)
    try:
        _ = found.reader
    except UsageError as wrong:
        cause = SpecError(str(wrong), ("systems", found.name, "reader"))
        raise DeclarationError(f"system {found.name!r}: {wrong}") from cause
    return System(
        name=found.name,
        revision=found.table.revision,
        factors=found.factors,
        metrics=found.metrics,
        train=lambda job: train(found, job),
        finds_data="{data}" not in found.table.command,
    )


def check(found: Declaration) -> None:
    """Refuse a program that is not there; raises UsageError."""
    folder, table = found.directory, found.table
    where = f"system {found.name!r}: "
    if not folder.is_dir():
        raise UsageError(f"{where}there is no folder {table.directory!r} beside ablate.toml")
    first, *rest = systems.words(table.command)
    if "{" not in first and _program(first, found) is None:
        raise UsageError(f"{where}there is no program {first!r} (command = ...)")
    script = next((w for w in rest if w.endswith(".py")), None)
    if script and "{" not in script and not (folder / script).is_file():
        raise UsageError(f"{where}there is no {script} in {table.directory!r} (command = ...)")


def train(found: Declaration, job: Job) -> Outcome:
    """Run the program of one attempt to its end; raises TrainingError where it has failed."""
    try:
        check(found)
    except UsageError as wrong:
        raise TrainingError("not started", str(wrong)) from None
    at = places(job.workdir)
    at.checkpoints.mkdir(parents=True, exist_ok=True)
    at.params.write_text(json.dumps(dict(job.levels), indent=1))
    scores = Scores(job, found.name, found.table.metrics)
    reader = found.reader
    past = resumed(found, job, scores)
    output = None
    if reader is not None and reader.begin is not None and found.table.log is None:
        output = Output(reader, scores)
        for folder in past.folders:
            output.before(folder / LOG)
    scores.go_on()
    line = _words(found, job, at, past.checkpoint)
    code = {"command": found.table.command, **_say_code(found, job)}
    if past.code and (other := differing(past.code, code)):
        job.note(f"goes on from a checkpoint of another program: other {', '.join(other)}")
    _keep_command(line, found, job, (past, code))
    with Program(line, found.directory, environment(found, job, past.checkpoint)) as program:
        tail = _heard(program, job, scores, output)
    job.recorder.spent(program.cpu, program.memory)
    whole = program.code == 0 and not job.stopping
    try:
        run = output.end(whole=whole) if output else read_files(found, at.work)
    except TrainingError as wrong:
        if whole:
            raise
        job.note(str(wrong))  # what ended the program is said instead
        run = None
    for point in run.scalars if run and not output else ():
        scores.point(point)
    finals = scores.run(run) if run else {}
    given = assigned(found.table, job.levels, job.seed)
    for said in unheeded(given, run.settings if run else {}):
        job.note(
            f"the program's own configuration says that {said}: it has not done as it was told"
        )
    scores.end()
    if not job.stopping:
        _judge(found, (program.code or 0, tail), scores, run)
    return Outcome(scores=finals)


def _heard(program: Program, job: Job, scores: Scores, output: Output | None) -> bytes:
    """The end of the program's output; its scores are passed on while it runs."""
    metrics = Tail(places(job.workdir).metrics)
    tail = b""
    try:
        for data in program.output():
            if data:
                sys.stdout.buffer.write(data)
                sys.stdout.buffer.flush()
                tail = (tail + data)[-_TAIL:]
                if output:
                    output.feed(data)
            for text in metrics.more():
                scores.line(text)
            mark(job.workdir, program.heard)
            if job.stopping or scores.unfit:
                program.ask()
        mark(job.workdir, program.heard + GRAIN)  # it has ended: nothing is left unheard
    finally:
        for text in metrics.rest():
            scores.line(text)
    return tail


def _words(found: Declaration, job: Job, at: Places, checkpoint: Path | None) -> list[str]:
    """The command line, its places filled."""
    table = found.table
    given = assigned(table, job.levels, job.seed)
    values = {"seed": str(job.seed), "workdir": str(at.work), "params": str(at.params)}
    values |= {"data": str(job.data), "checkpoint": str(checkpoint)}
    spread: dict[str, list[str]] = {"{overrides}": words(table, given), "{resume}": []}
    if table.style in systems.WRITTEN:
        file = at.work.parent / f"overrides.{table.style}"
        file.write_text(written(table, given))
        values["overrides"] = str(file)
        del spread["{overrides}"]
    line = systems.words(table.command)
    if checkpoint is not None:
        more = systems.words(table.resume_args, (*systems.PLACES, systems.CHECKPOINT))
        spread["{resume}"] = [word.format_map(values) for word in more]
        line += [] if "{resume}" in line else ["{resume}"]
    filled = [spread.get(word) or [word.format_map(values)] for word in _kept(line, spread)]
    return [word for some in filled for word in some]


def _kept(line: Sequence[str], spread: dict[str, list[str]]) -> list[str]:
    """The words without the places that nothing stands at."""
    return [word for word in line if spread.get(word) != []]


def _program(name: str, found: Declaration) -> str | None:
    """Where the program is: in its folder by a path, else on the path."""
    if "/" in name:
        path = found.directory / Path(name).expanduser()
        return str(path) if path.is_file() else None
    return shutil.which(name, path=found.table.environment.get("PATH"))


def _say_code(found: Declaration, job: Job) -> dict[str, str]:
    """Keep which code it is: the facts of it that tell it from another."""
    copied = found.snapshot
    if copied is not None:
        facts = copied.facts
        beside = copied.folder.with_suffix(".diff")
        if beside.exists():
            shutil.copyfile(beside, job.workdir / DIFF)
    else:
        code = identity(found.origin)
        facts = code.facts if code else {}
        if code and code.diff:
            (job.workdir / DIFF).write_bytes(code.diff[:DIFF_LIMIT])
    for name, text in facts.items():
        job.fact(name, text)
    if found.table.seed is None and "{seed}" not in found.table.command:
        job.fact("seed", "by ABLATE_SEED alone")
    return {name: text for name, text in facts.items() if name in {"commit", "diff"}}


def _keep_command(
    line: list[str], found: Declaration, job: Job, of: tuple[Past, Mapping[str, str]]
) -> None:
    """What was started, for whoever looks into the attempt's folder; no environment's values."""
    past, code = of
    kept = {
        "words": line,
        "directory": str(found.directory),
        "environment": sorted(found.table.environment),
        "checkpoint": str(past.checkpoint) if past.checkpoint else None,
        AFTER: [str(folder) for folder in past.folders],
        CODE: dict(code),
    }
    write_atomically(job.workdir / COMMAND, json.dumps(kept, indent=1).encode(), durable=False)


def _judge(found: Declaration, end: tuple[int, bytes], scores: Scores, run: Run | None) -> None:
    """Say how the program has failed, if it has; raises TrainingError."""
    code, tail = end
    if scores.unfit:
        raise TrainingError(UNFIT, scores.unfit)
    if code < 0:
        name = signal.Signals(-code).name
        raise TrainingError(
            f"signal {-code}",
            f"the program was killed by signal {-code} ({name})\n{_lines(tail)}".rstrip(),
            crashed=True,
        )
    if code:
        text = f"the program ended with exit code {code}\n{_lines(tail)}".rstrip()
        raise TrainingError(f"exit code {code}", text)
    if run is not None and run.state in {State.INCOMPLETE, State.FAILED}:
        text = f"the program ended with exit code 0, but its output is {run.state}: {run.reason}"
        raise TrainingError(str(run.state), text)
    missing = [m.name for m in found.metrics if m.name not in scores.names]
    if missing:
        names = ", ".join(missing)
        raise TrainingError(
            "no metrics",
            f"the program ended with exit code 0 without its metrics {names}"
            f" ({_instead(missing, found, scores)})",
        )


def _instead(missing: Sequence[str], found: Declaration, scores: Scores) -> str:
    """What was logged though no metric is called so, and the missing one it may be."""
    own = {m.name for m in found.metrics}
    curves = sorted(curve for curve in scores.curves if curve[0] not in own)
    some = [f"{name} on {split}" for name, split in curves[:_SHOWN]]
    if not some:
        return "it logged nothing" if not scores.names else "it logged nothing else"
    said = "it logged " + ", ".join(some) + (", ..." if len(curves) > _SHOWN else "")
    others = list(dict.fromkeys(name for name, _ in curves))
    for name in missing:
        for near in difflib.get_close_matches(name, others, n=1):
            said += f'; did you mean key = "{near}" in [systems.{found.name}.metrics.{name}]?'
    return said


def _lines(tail: bytes) -> str:
    """The last lines of an output, as a terminal would show them."""
    splitter = LineSplitter()
    lines = [*splitter.feed(tail), *splitter.close()]
    return "\n".join([line for line in lines if line.strip()][-_LINES:])
