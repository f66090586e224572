"""`ablate explain`: what a finding's code means."""

from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from ablate.cli.options import Json

if TYPE_CHECKING:
    from ablate.audit.check import Check

FAMILIES = {
    "design": "设计",
    "execution": "执行",
    "measurement": "测量",
    "provenance": "来源",
    "interpretation": "解读",
}
SEVERITIES = {"error": "错误", "warning": "警告", "note": "提示"}
HEADS = {
    "en": ("Code", "Severity", "Family", "What it finds"),
    "zh": ("代码", "级别", "类别", "检查内容"),
}
PLANNED = {
    "en": "Asked of a plan, too, before anything is trained (ablate plan).",
    "zh": "训练之前也会检查（ablate plan）。",
}
SETTLED = {"en": "What settles it: {}", "zh": "如何查明：{}"}


def explain(
    code: Annotated[
        str | None,
        typer.Argument(
            metavar="[CODE]", help="A finding, as in W204 or W204:sacr; lists all codes without."
        ),
    ] = None,
    lang: Annotated[Literal["en", "zh"], typer.Option("--lang", help="Of what is printed.")] = "en",
    json: Json = False,
) -> None:
    """Say what a finding means, by which rule it is made, and what settles it."""
    from ablate.audit.catalogue import CHECKS, check_of
    from ablate.cli.console import Column, print_json, print_table

    named = None if code is None else check_of(code.partition(":")[0])
    checks = sorted(CHECKS, key=rank) if named is None else [named]
    if json:
        print_json({"schema": "ablate.explain/1", "checks": list(map(_document, checks))})
    elif named is not None:
        _show(named, lang)
    else:
        zh = lang == "zh"
        rows = [[c.code, *kind(c, zh=zh), title(c, zh=zh)] for c in checks]
        print_table(list(map(Column, HEADS[lang])), rows)


def _document(check: "Check") -> dict[str, Any]:
    texts = {"title": check.title, "why": check.why, "settle": check.settle}
    return {
        "code": check.code,
        "severity": check.severity,
        "family": check.family,
        "planned": check.planned,
        **{name: text._asdict() for name, text in texts.items()},
    }


def _show(check: "Check", lang: Literal["en", "zh"]) -> None:
    from ablate.cli.console import out

    zh = lang == "zh"
    console = out()
    severity, family = kind(check, zh=zh)
    console.print(
        f"{check.code}  {title(check, zh=zh)}" + (f"（{severity}，{family}）" if zh else "")
    )
    if not zh:
        console.print(f"{severity}, {family}")
    console.print(f"\n{check.why.zh if zh else check.why.en}")
    console.print("\n" + SETTLED[lang].format(check.settle.zh if zh else check.settle.en))
    if check.planned:
        console.print(PLANNED[lang])


def rank(check: "Check") -> tuple[int, str]:
    """Where a check is listed: by family, then by number."""
    return list(FAMILIES).index(check.family), check.code[1:]


def title(check: "Check", *, zh: bool = False) -> str:
    """What it finds, as a head."""
    text = check.title.zh if zh else check.title.en
    return text[:1].upper() + text[1:]


def kind(check: "Check", *, zh: bool) -> tuple[str, str]:
    """Severity and family in words."""
    if zh:
        return SEVERITIES[check.severity], FAMILIES[check.family]
    return check.severity, check.family
