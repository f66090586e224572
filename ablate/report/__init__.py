"""Words and tables from analysis: numbers first (a document), then their printed form.

Names are imported when they are asked for: a document needs no template engine, a part no other.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ablate.report.comparison import comparison_document as comparison_document
    from ablate.report.document import study_document as study_document
    from ablate.report.markdown import render_comparison as render_comparison
    from ablate.report.markdown import render_study as render_study

_HOMES = {
    "comparison_document": "ablate.report.comparison",
    "study_document": "ablate.report.document",
    "render_comparison": "ablate.report.markdown",
    "render_study": "ablate.report.markdown",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
