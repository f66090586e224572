"""Pages as Markdown; whatever the user wrote is escaped, in tables and outside."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from ablate.report.comparison_page import comparison_page
from ablate.report.layout import Page
from ablate.report.study_page import study_page

_SPECIAL = re.compile(r"[\\`*|~]|\](?=[(\[:])|(?<!\w)_|_(?!\w)")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def render_study(document: Mapping[str, Any]) -> str:
    """A study's document as Markdown."""
    return render(study_page(document))


def render_comparison(document: Mapping[str, Any]) -> str:
    """A comparison's document as Markdown."""
    return render(comparison_page(document))


def render(page: Page) -> str:
    """A page as Markdown with pipe tables."""
    return _environment().get_template("page.md.j2").render(page=page)


def escaped(text: str) -> str:
    """`text` so that Markdown shows it as it is: on one line, no markup, no HTML, no new cell."""
    line = " ".join(text.split())
    safe = "".join(_ENTITIES.get(c, c) for c in line)
    return _SPECIAL.sub(lambda match: "\\" + match[0], safe)


def _fence(lines: Sequence[str]) -> str:
    runs = [len(run) for line in lines for run in re.findall("`+", line)]
    return "`" * max(3, *(run + 1 for run in runs), 3)


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("ablate.report"),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - Markdown; the `text` filter escapes it
    )
    environment.filters.update(text=escaped, fence=_fence)
    return environment
