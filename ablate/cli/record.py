"""`ablate record`: a score of a trial that was measured elsewhere."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from ablate.record import External
    from ablate.study import Study


def record(
    trial: Annotated[
        str, typer.Argument(help="A trial's key or its beginning, or a configuration.")
    ],
    scores: Annotated[
        list[str], typer.Argument(metavar="METRIC=VALUE...", help="NDS=0.7207, or rank1=78.7%.")
    ],
    *,
    source: Annotated[str, typer.Option("--source", help="Who measured it: Codabench, ...")],
    date: Annotated[str, typer.Option("--date", metavar="DATE", help="When: 2026-01-31.")],
    study: Annotated[str | None, typer.Option("--study", help="Look in this study.")] = None,
    seed: Annotated[int | None, typer.Option("--seed", help="Of this seed.")] = None,
    split: Annotated[str, typer.Option("--split", help="Of which data: test, ...")] = "",
    replace: Annotated[
        bool, typer.Option("--replace", help="Instead of all this source said of the metric.")
    ] = False,
) -> None:
    """Record a score that was measured elsewhere: reports show it apart, no mean has it."""
    from ablate.cli.console import note, out
    from ablate.cli.reading import project_store, trial_of
    from ablate.errors import UsageError

    if not source.strip():
        raise UsageError("--source: say who measured it")
    with project_store() as store:
        found = trial_of(store, trial, study, seed)
        about = store.study(found.study)
        given = [_score(about, text, (source.strip(), _date(date), split)) for text in scores]
        for score in given:
            new = store.record(found.key, score, replace=replace)
            said = "recorded" if new else "known already"
            out().print(
                f"{said}: {found.variant} s{found.seed} {score.metric} = {score.value!r}"
                f" ({score.source}, {score.date})",
                soft_wrap=True,
            )
            if new and score.metric not in about.directions:
                note(_unknown(about, score.metric))


def _score(study: "Study", text: str, where: tuple[str, str, str]) -> "External":
    """`METRIC=VALUE` as an external score; the study's own metrics are matched whatever their case.

    Raises UsageError where the value is no finite number, or is percent of a fraction unsaid.
    """
    from decimal import Decimal, InvalidOperation

    from ablate.errors import UsageError
    from ablate.record import External

    name, given, printed = (part.strip() for part in text.partition("="))
    try:
        number = Decimal(printed.removesuffix("%").strip())
    except InvalidOperation:
        number = Decimal("nan")
    if not name or not given or not number.is_finite():
        raise UsageError(f"{text!r} is not METRIC=VALUE with a finite number")
    known = next((m for m in study.metrics if m.name.lower() == name.lower()), None)
    percent = printed.endswith("%")
    if known and known.display == "percent" and not percent and abs(number) > 1:
        raise UsageError(f"{known.name} is a fraction: write {name}={number / 100} or {number}%")
    source, date, split = where
    value = float(number / 100 if percent else number)
    return External(known.name if known else name, value, source, date, split)


def _date(text: str) -> str:
    from datetime import date

    from ablate.errors import UsageError

    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise UsageError(f"--date: {text!r} is not a date like 2026-01-31") from None


def _unknown(study: "Study", name: str) -> str:
    import difflib

    near = difflib.get_close_matches(name.lower(), [n.lower() for n in study.directions], n=1)
    known = next((n for n in study.directions if n.lower() in near), None)
    hint = f" (did you mean {known!r}? `ablate record` again under that name)" if known else ""
    return f"note: {name!r} is new: no metric of the system {study.system}{hint}"
