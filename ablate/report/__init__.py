"""Words and tables from analysis: numbers first (a document), then their printed form."""

from ablate.report.comparison import comparison_document as comparison_document
from ablate.report.document import study_document as study_document
from ablate.report.markdown import render_comparison as render_comparison
from ablate.report.markdown import render_study as render_study
