"""`ablate explain`: what a finding's code means."""

from typing import TYPE_CHECKING, Annotated, Literal

import typer

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
        str | None, typer.Argument(help="A code, as in W204; lists all without.")
    ] = None,
    lang: Annotated[Literal["en", "zh"], typer.Option("--lang", help="Of what is printed.")] = "en",
) -> None:
    """Say what a finding means, by which rule it is made, and what settles it."""
    from ablate.audit.catalogue import CHECKS, check_of
    from ablate.cli.console import Column, out, print_table

    zh = lang == "zh"
    if code is None:
        heads = [Column(head) for head in HEADS[lang]]
        rows = [[c.code, *kind(c, zh=zh), title(c, zh=zh)] for c in sorted(CHECKS, key=rank)]
        print_table(heads, rows)
        return
    check = check_of(code)
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
