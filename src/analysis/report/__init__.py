"""An executed report notebook → the report that people read."""

from analysis.report.checks import check_html, check_twins
from analysis.report.formats import FORMATS
from analysis.report.html import render_html
from analysis.report.workbook import render_workbook

__all__ = ["FORMATS", "check_html", "check_twins", "render_html", "render_workbook"]
