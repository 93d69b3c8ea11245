"""What lands on people's desks and goes back into the CRM, all of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import pyarrow as pa

from analysis.report.calendar_files import render_calendars
from analysis.report.crm_files import render_crm
from analysis.report.crm_mapping import Crm
from analysis.report.desk_workbook import render_desks
from analysis.settings_model import Settings
from analysis.wording import Language


def render_desk_files(
    tables: Mapping[str, pa.Table], settings: Settings, as_of: date, lang: Language, crm: Crm
) -> dict[str, bytes]:
    """Workbooks and calendars of every person, and the import files of the CRM.

    Parameters
    ----------
    tables
        RECORD tables by name; without ``tasks`` there is nothing to write.
    settings, as_of, lang, crm
        As `render_desks`, `render_calendars` and `render_crm` take them.

    Returns
    -------
    dict
        Path below the exports → content.
    """
    if "tasks" not in tables:
        return {}
    return {
        **render_desks(tables, settings, as_of, lang),
        **render_calendars(tables, settings, as_of, lang),
        **render_crm(tables, settings, as_of, lang, crm),
    }
