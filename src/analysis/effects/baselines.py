"""Where the segments' KPIs stood before: what goals by segment start from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
import pyarrow as pa

from analysis.calendars import Period
from analysis.effects.kpi_groups import ALL
from analysis.effects.kpis import kpis
from analysis.engine import Frame
from analysis.settings_goals import Goal
from analysis.settings_measures import Effectiveness
from analysis.tables import RECORD


def baselines(
    chosen: Sequence[Goal],
    orders: pa.Table,
    segments_before: pd.DataFrame,
    before: Period,
    settings: Effectiveness,
    *,
    tables: Mapping[str, Frame | None],
    holidays: str = "CN",
) -> pd.DataFrame:
    """The KPIs of the segments in the period before, each of the customers it had at its end.

    Parameters
    ----------
    chosen
        The goals of the settings; where none of a segment is set `since` that period, there is
        nothing to add.
    orders, settings, tables, holidays
        As in `analysis.effects.kpis`.
    segments_before
        customer_id, segment at the end of `before`. Who was in which segment earlier is not
        kept, so that a goal since an earlier period stays without a baseline.
    before
        The period before that of the report.

    Returns
    -------
    DataFrame
        RECORD ``kpis``, rows by segment only; empty but valid where nobody asks for them.
    """
    asked = any(goal.segment != ALL and goal.since == before.name for goal in chosen)
    if not asked or segments_before.empty:
        return pd.DataFrame(columns=RECORD["kpis"].names)
    known = {**tables, "segments": segments_before[["customer_id", "segment"]]}
    found = kpis(orders, None, before, settings, tables=known, holidays=holidays, periods=1)
    return found[found["segment"] != ALL].reset_index(drop=True)
