"""What came back from the sales force: which answers count, and which are set aside.

An answer that cannot be relied on is no answer: the task stays as nobody had said anything, and
the row stands among the removed ones with its file, row and reason. Rules that only a workbook
of tasks can break look at `plan_start`, the first day of its plan's period; a CRM's own tasks
have none.
"""

from __future__ import annotations

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from analysis import engine
from analysis.cleaning.rules import Rule

PLAN_START = "_plan_start"  # column of the reader: the file is a workbook of tasks
STATUSES = ("done", "open", "moved", "dropped")

_SAME = "OVER (PARTITION BY task_id)"
_ALLOWED = ", ".join(f"'{status}'" for status in STATUSES)
# Two answers to one task agree if they say the same state: on whichever day.
_DIFFER = f"""
    count(DISTINCT CASE WHEN rule IS NULL AND status <> 'open' THEN status END) {_SAME} > 1
    OR (bool_or(rule IS NULL AND status = 'open') {_SAME}
        AND bool_or(rule IS NULL AND status IN ('moved', 'dropped')) {_SAME})
"""
# Of two days for one state the earlier counts: nothing is done twice, and no one gains time.
_LATER = f"""
    status = 'done'
        AND done_on > min(CASE WHEN rule IS NULL AND status = 'done' THEN done_on END) {_SAME}
    OR status = 'moved'
        AND moved_to > min(CASE WHEN rule IS NULL AND status = 'moved' THEN moved_to END) {_SAME}
"""
# A row of a workbook in which nobody wrote anything says nothing where somebody else did.
_BLANK = """
    plan_start IS NOT NULL AND coalesce(status, answer, note) IS NULL
    AND coalesce(done_on, moved_to) IS NULL
"""
RULES = (
    Rule("unknown_status", f"status IS NOT NULL AND status NOT IN ({_ALLOWED})"),
    Rule(
        "half_answer",
        "plan_start IS NOT NULL AND ("
        "done_on IS NOT NULL AND coalesce(status, 'open') = 'open' "
        "OR moved_to IS NOT NULL AND status IS NULL)",
    ),
    Rule("done_in_future", "plan_start IS NOT NULL AND status = 'done' AND done_on >= $tomorrow"),
    Rule("done_before_plan", "status = 'done' AND done_on < plan_start"),
    Rule("foreign_task", "plan_start IS NOT NULL AND NOT in_plan"),
    Rule("contradictory_answers", f"status IS NOT NULL AND ({_DIFFER})"),
    Rule("later_day", _LATER),
    # who says that it is done knows more than who has not heard of it yet
    Rule(
        "overruled",
        f"status IS NULL AND bool_or(rule IS NULL AND status IS NOT NULL) {_SAME} "
        f"OR status = 'open' AND bool_or(rule IS NULL AND status = 'done') {_SAME}",
    ),
)
# What a reason shows of the row.
SHOWN = {
    "unknown_status": "status",
    "done_in_future": "done_on",
    "done_before_plan": "done_on",
    "foreign_task": "task_id",
    "contradictory_answers": "told_by",
    "later_day": "told_by",
    "overruled": "told_by",
}


def with_plan(tasks: pa.Table, planned: pd.DataFrame | None) -> pa.Table:
    """Answers beside what the rules hold them against.

    Parameters
    ----------
    tasks
        INPUT ``tasks`` with `_file`, `_row` and, of workbooks of tasks, `PLAN_START`.
    planned
        RECORD ``tasks`` of the plan; None or empty: not known.

    Returns
    -------
    pyarrow.Table
        With `plan_start` (null: not a workbook of tasks), `in_plan` (null: not known) and
        `told_by`, the files that say something about the task. Rows of workbooks that were left
        blank are gone where another row has their task: a blank answer is no answer.
    """
    if PLAN_START in tasks.column_names:
        names = [{PLAN_START: "plan_start"}.get(n, n) for n in tasks.column_names]
        tasks = tasks.rename_columns(names)
    else:
        tasks = tasks.append_column("plan_start", pa.nulls(len(tasks), pa.timestamp("us")))
    known = pa.nulls(len(tasks), pa.bool_())
    if planned is not None and len(planned):
        ids = pa.array(planned["task_id"].tolist(), pa.string())
        known = pc.is_in(tasks["task_id"], value_set=ids)
    return engine.query(
        f"SELECT *, min(_file) {_SAME} || CASE WHEN min(_file) {_SAME} < max(_file) {_SAME} "  # noqa: S608
        f"THEN ', ' || max(_file) {_SAME} ELSE '' END AS told_by FROM (FROM t QUALIFY "
        f"NOT ({_BLANK}) OR task_id IS NULL OR row_number() OVER ("
        f"PARTITION BY task_id ORDER BY ({_BLANK}), _file, _row) = 1)",
        t=tasks.append_column("in_plan", known),
    )


def known(failures: pa.Table, planned: pd.DataFrame | None) -> pa.Table:
    """Rows that a CRM refused, with whether the plan has their task or customer."""
    found = pa.nulls(len(failures), pa.bool_())
    if planned is not None and len(planned):
        ids = [*planned["task_id"], *planned["customer_id"]]
        found = pc.is_in(failures["key"], value_set=pa.array(ids, pa.string()))
    return failures.set_column(failures.column_names.index("known"), "known", found)
