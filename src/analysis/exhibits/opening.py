"""Open the book of a notebook's stage."""

from __future__ import annotations

from typing import Any

import pandas as pd

from analysis.errors import AnalysisError
from analysis.exhibits.book import Book
from analysis.exhibits.collect import collect

# The tables that the report tells of; those of a row an order or visit stay in the record.
TOLD = (
    "kpis",
    "segment_summary",
    "scheme_segments",
    "scheme_thresholds",
    "scheme_rules",
    "worklists",
    "warnings",
    "warning_record",
    "tier_differences",
    "crosswalk_summary",
    "matrix_cells",
    "cluster_choice",
    "clusters",
    "overrides",
    "movement_matrix",
    "bridge",
    "accounts",
    "personas",
    "effects",
    "effect_checks",
    "evidence",
    "adjustments",
    "goals",
    "gaps",
    "arr_bridge",
    "plan_summary",
    "decisions",
    "tasks",
    "strategy_table",
    "limits",
    "budget_curve",
    "touches",
    "capacity",
    "not_planned",
    "designs",
    "people",
    "account_plans",
    "visits",
    "reminders",
    "reconciliation",
    "quality",
    "sources",
    "cuts",
    "segments_before",
    "tie_out",
    "key_bridge",
    "unmatched_keys",
    "kpi_cuts",
    "movements",
    "customers",
)


def open_book(stage: Any) -> Book:
    """The record behind a report notebook as a book.

    Parameters
    ----------
    stage
        What `open_stage` returned: read, settings, lang, period, as_of, provenance, origins,
        and `facts` where the runner has collected them already.
    """
    tables = {name: _read(stage, name) for name in TOLD}
    facts = getattr(stage, "facts", None)
    return Book(
        facts=facts or collect(tables, stage.settings, stage.origins),
        tables=tables,
        settings=stage.settings,
        lang=stage.lang,
        period=stage.period,
        as_of=stage.as_of,
        provenance=stage.provenance,
        origins=stage.origins,
    )


def _read(stage: Any, name: str) -> pd.DataFrame:
    try:
        frame: pd.DataFrame = stage.read(name)
    except AnalysisError:
        return pd.DataFrame()  # by hand, an earlier stage may not have run yet
    return frame
