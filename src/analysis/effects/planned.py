"""The measures of a period: as listed, or as the approved plan says."""

from __future__ import annotations

import pandas as pd

from analysis.calendars import Period

_ARMS = {"first": "treated", "later": "held_out"}
_EXEMPT = "exempt"


def of_period(treatments: pd.DataFrame, period: Period) -> pd.DataFrame:
    """Measures that began in the period, or whose beginning is not known.

    What began earlier was judged by an earlier report; its outcome lies in another period.
    Customers in the arm ``exempt`` got the measure outside the draw, often because they are the
    largest: they would make the drawn ones look better or worse than they are, and are left out.
    """
    started = pd.to_datetime(treatments["started_on"])
    inside = started.between(pd.Timestamp(period.start), pd.Timestamp(period.end))
    drawn = treatments["arm"] != _EXEMPT
    return treatments[(started.isna() | inside) & drawn].reset_index(drop=True)


def treatments_from_plan(plan: pd.DataFrame | None) -> pd.DataFrame:
    """The drawn waves of a plan as treatments.

    Parameters
    ----------
    plan
        RECORD ``plan`` of the previous period's approved record; None if there is none.

    Returns
    -------
    pandas.DataFrame
        RECORD ``treatments``: the first wave is treated, the later wave is its comparison.
        Exempt customers were not drawn and are left out. ``done`` is unknown: tasks tell it.
    """
    columns = ["customer_id", "strategy", "arm", "started_on", "cost", "done"]
    if plan is None or plan.empty:
        return pd.DataFrame(columns=columns)
    drawn = plan[plan["wave"].isin(_ARMS)]
    found = drawn.groupby(["customer_id", "strategy"], as_index=False).agg(
        wave=("wave", "min"), started_on=("start", "min"), cost=("cost", "sum")
    )
    # The later wave starts later; its customers are compared from the first wave's start on.
    starts = found[found["wave"] == "first"].groupby("strategy")["started_on"].min()
    late = found["wave"] == "later"
    found.loc[late, "started_on"] = found.loc[late, "strategy"].map(starts)
    return found.assign(arm=found["wave"].map(_ARMS), done=None)[columns]


def done_from_tasks(treatments: pd.DataFrame, task_progress: pd.DataFrame) -> pd.DataFrame:
    """Treatments with what their tasks say of whether they were carried out.

    Parameters
    ----------
    treatments
        Where ``done`` is known already, it stays.
    task_progress
        RECORD ``task_progress``: the tasks of the plan.

    Returns
    -------
    DataFrame
        A measure of a customer was carried out if at least half of its tasks that were not
        dropped are done; not if that can no longer be, or if all were dropped. Between the two
        nobody can say: a task that nobody answered or that is not due yet is not taken for
        failure, it lowers the share of answers instead.
    """
    if treatments.empty or task_progress.empty:
        return treatments
    status = task_progress["status"]
    not_due = status.isin(("open", "moved")) & task_progress["in_time"].isna()
    counts = pd.DataFrame(
        {
            "customer_id": task_progress["customer_id"],
            "strategy": task_progress["strategy"],
            "wanted": status != "dropped",
            "done": status == "done",
            "unclear": (status == "no_answer") | not_due,
        }
    )
    told = counts.groupby(["customer_id", "strategy"]).sum()
    carried = ((told["done"] > 0) & (2 * told["done"] >= told["wanted"])).astype("boolean")
    open_yet = (told["unclear"] > 0) & (2 * (told["done"] + told["unclear"]) >= told["wanted"])
    carried = carried.mask(open_yet & ~carried)
    keys = pd.MultiIndex.from_frame(treatments[["customer_id", "strategy"]])
    said = carried.reindex(keys).astype(object)
    found = said.where(said.notna(), None).set_axis(treatments.index)
    known = treatments["done"].astype(object)
    return treatments.assign(done=known.where(known.notna(), found))
