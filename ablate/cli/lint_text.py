"""What lint found in a report, as the terminal shows it."""

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Literal, TypeAlias

from ablate.lint.result import VERDICTS, Group, counts, groups, unchecked, untraced

if TYPE_CHECKING:
    from rich.console import Console

    from ablate.lint.document import Document
    from ablate.lint.ledger import Ledger

Lang: TypeAlias = Literal["en", "zh"]
INDENT = 4
HEADS = {
    "wrong": ("Wrong by the records", "与记录不符"),
    "partly": ("True of some metrics, false of others", "只对部分指标成立"),
    "mislabelled": (
        "Right numbers under a wrong unit or name",
        "数值正确，单位或名称有误",
    ),
    "unmeasured": ("Expected, and never measured", "仅为预期，从未测量"),
}
VAGUE = (
    "Superlatives whose metric or scope is not certain: not checked",
    "指标或范围不明的最高级：未核对",
)
NOT_TRACED = ("Could not be traced to a record", "无法追溯到记录")
UNRELATED = (
    "Fewer than one in ten of its numbers is in the records: too few to judge it by them",
    "其中不到十分之一的数字在记录里：不足以据此评判",
)
COLON = (": ", "：")
MOST_LINES, MOST_UNTRACED, MOST_NUMBERS = 40, 20, 20


def show(report: str, studies: Sequence[str], found: "tuple[Document, Ledger]", lang: Lang) -> None:
    """Print the findings by their weight, then what could not be traced."""
    from ablate.cli.console import out

    document, ledger = found
    console, chinese = out(), lang == "zh"
    console.print(_head(report, studies, counts(ledger), lang), soft_wrap=True)
    if ledger.unrelated:
        console.print(UNRELATED[chinese])
    told = groups(document, ledger)
    for verdict in VERDICTS:
        of = [g for g in told if g.verdict == verdict]
        if of:
            console.print(f"\n{HEADS[verdict][chinese]}")
        for group in of:
            _print(console, group, lang)
    vague = unchecked(ledger)
    if vague:
        console.print(f"\n{VAGUE[chinese]}")
        for text in _folded(console, _lines(vague, lang)):
            console.print(f"  {text}", soft_wrap=True)
    _untraced(console, untraced(ledger), lang)


def _untraced(console: "Console", rest: Mapping[int, Sequence[str]], lang: Lang) -> None:
    chinese = lang == "zh"
    if rest:
        console.print(f"\n{NOT_TRACED[chinese]}")
    for line, numbers in islice(rest.items(), MOST_UNTRACED):
        shown = f"{_lines((line,), lang)}{COLON[chinese]}{_some(numbers, lang)}"
        for text in _folded(console, shown):
            console.print(f"  {text}", soft_wrap=True)
    left = [len(n) for n in islice(rest.values(), MOST_UNTRACED, None)]
    if left:
        console.print(f"  {_left(left, lang)}", soft_wrap=True)


def _some(numbers: Sequence[str], lang: Lang) -> str:
    """The first numbers of a line, and how many more it has."""
    shown, more = ", ".join(numbers[:MOST_NUMBERS]), len(numbers) - MOST_NUMBERS
    if more <= 0:
        return shown
    return f"{shown} 等 {len(numbers)} 个" if lang == "zh" else f"{shown} and {more} more"


def _left(counts: Sequence[int], lang: Lang) -> str:
    """How many numbers on how many lines are not shown."""
    numbers, lines = sum(counts), len(counts)
    if lang == "zh":
        return f"另有 {lines} 行的 {numbers} 个数字：--json"
    of = f"{numbers} more number{'s' if numbers > 1 else ''}"
    return f"{of} on {lines} more line{'s' if lines > 1 else ''}: --json"


def _head(report: str, studies: Sequence[str], of: dict[str, int], lang: Lang) -> str:
    if lang == "zh":
        return (
            f"{report}（{'、'.join(studies)}）：{of['numbers']} 个数字，已追溯 {of['traced']} 个，"
            f"未追溯 {of['untraced']} 个；错误 {of['wrong']} 处，部分成立 {of['partly']} 处，"
            f"单位或名称有误 {of['mislabelled']} 处，未测量 {of['unmeasured']} 处；"
            f"核对最高级 {of['superlatives']} 处"
        )
    return (
        f"{report} against {', '.join(studies)}: {of['numbers']} numbers, {of['traced']} traced,"
        f" {of['untraced']} not; {of['wrong']} wrong, {of['partly']} true in part,"
        f" {of['mislabelled']} mislabelled, {of['unmeasured']} not measured;"
        f" {of['superlatives']} superlatives checked"
    )


def _print(console: "Console", group: Group, lang: Lang) -> None:
    chinese = lang == "zh"
    said = group.said.zh if chinese else group.said.en
    first, *others = _folded(console, f"{_lines(group.lines, lang)}{COLON[chinese]}{said}")
    console.print(f"  {first}", soft_wrap=True)
    for line in others:
        console.print(f"{'':{INDENT}}{line}", soft_wrap=True)
    console.print(f"{'':{INDENT}}> {_cut(console, group.quote)}", soft_wrap=True)


def _lines(lines: Sequence[int], lang: Lang) -> str:
    shown = ", ".join(map(str, lines[:MOST_LINES]))
    more = len(lines) - MOST_LINES
    if lang == "zh":
        return f"第 {shown} 行" + (f"等 {len(lines)} 行" if more > 0 else "")
    return f"line{'s' if len(lines) > 1 else ''} {shown}" + (
        f" and {more} more" if more > 0 else ""
    )


def _cut(console: "Console", text: str) -> str:
    from rich.text import Text

    one = Text(text)
    one.truncate(max(20, console.width - INDENT - 3), overflow="ellipsis")
    return one.plain


def _folded(console: "Console", text: str) -> list[str]:
    """A text as lines that fit the terminal beside the indent; Chinese takes two cells a sign."""
    from rich.text import Text

    wrapped = Text(text).wrap(console, max(20, console.width - INDENT))
    return [line.plain.rstrip() for line in wrapped] or [text]
