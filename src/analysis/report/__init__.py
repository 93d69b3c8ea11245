"""An executed report notebook → the report that people read."""

from analysis.report.checks import check_html, check_twins
from analysis.report.checks_pdf import check_pdf
from analysis.report.crm_mapping import load_crm
from analysis.report.desk_files import render_desk_files
from analysis.report.desk_workbook import render_desks
from analysis.report.formats import (
    EDITIONS,
    FORMATS,
    PUBLISHED,
    Edition,
    Rendered,
    check_all,
    render_all,
)
from analysis.report.html import render_html
from analysis.report.pdf import render_pdf
from analysis.report.review_pack import render_review
from analysis.report.workbook import render_workbook

__all__ = [
    "EDITIONS",
    "FORMATS",
    "PUBLISHED",
    "Edition",
    "Rendered",
    "check_all",
    "check_html",
    "check_pdf",
    "check_twins",
    "load_crm",
    "render_all",
    "render_desk_files",
    "render_desks",
    "render_html",
    "render_pdf",
    "render_review",
    "render_workbook",
]
