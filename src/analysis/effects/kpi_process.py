"""What was done and what customers said of it, by period and group.

visits, calls, …   activities of a kind in the period
connect_rate       calls that were answered / calls of which that is known
visit_coverage     customers visited or called in the period / customers known by its end
visit_compliance   contacts made / contacts due. A customer of the best segment is due a visit
                   every `visit_months`, every other a call or a visit every `call_months`; one
                   contact counts once a slot, so that three visits in March do not stand for
                   January. Judged on whole slots that end with the period.
trial_activation   customers on trial who used the product in the period / customers on trial
task_completion    tasks done / tasks due in the period
tasks_in_time      tasks done by their latest day / tasks due in the period
tickets            service tickets opened in the period
tickets_open       tickets opened by the period's end and not closed by it
resolution_days    median days from opening to closing, of the tickets closed in the period
satisfaction       mean rating of the tickets opened in the period
survey_…           mean rating of the surveys answered in the period
nps                share of promoters (9, 10) − share of detractors (0 … 6), in points
                   (Reichheld 2003, Harvard Business Review 81(12), 46-54)
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import pyarrow as pa

from analysis.calendars import Period
from analysis.effects.kpi_groups import Grouping, picked, placed
from analysis.effects.kpi_values import MOST_UNRECORDED
from analysis.engine import Frame, query

_DONE = """
WITH days AS (
    SELECT segment, CAST(happened_at AS DATE) AS day, kind, count(*) AS done,
           count(CASE WHEN connected THEN 1 END) AS answered, count(connected) AS dialled
    FROM activities GROUP BY ALL
), kinds AS (SELECT DISTINCT kind FROM days)
SELECT w.period, d.segment,
       {kinds},
       sum(CASE WHEN kind = 'call' THEN answered ELSE 0 END) AS answered,
       sum(CASE WHEN kind = 'call' THEN dialled ELSE 0 END) AS dialled
FROM days AS d JOIN windows AS w ON d.day BETWEEN w.start AND w.stop
GROUP BY w.period, d.segment
"""
# A kind that nobody ever wrote down was not done nought times: it was not recorded.
_KINDS = ", ".join(
    f"CASE WHEN '{kind}' IN (SELECT kind FROM kinds) THEN "  # noqa: S608
    f"sum(CASE WHEN kind = '{kind}' THEN done ELSE 0 END) END AS {kind}s"
    for kind in ("visit", "call", "mail", "webinar", "material")
)
_CONTACTS = """
SELECT DISTINCT customer_id, CAST(happened_at AS DATE) AS day, kind = 'visit' AS visited
FROM activities WHERE kind IN ('visit', 'call')
"""
_COVERAGE = """
WITH seen AS (
    SELECT DISTINCT w.period, c.customer_id
    FROM contacts AS c JOIN windows AS w ON c.day BETWEEN w.start AND w.stop
)
SELECT w.period, m.segment, count(*) AS known, count(s.customer_id) AS visited
FROM members AS m JOIN windows AS w ON m.since <= w.stop
LEFT JOIN seen AS s ON s.customer_id = m.customer_id AND s.period = w.period
GROUP BY w.period, m.segment
"""
_COMPLIANCE = """
WITH due AS (
    SELECT m.customer_id, m.segment, b.customer_id IS NOT NULL AS best
    FROM members AS m JOIN judged AS j ON j.customer_id = m.customer_id
    LEFT JOIN best AS b ON b.customer_id = m.customer_id
    WHERE m.since <= CASE WHEN b.customer_id IS NOT NULL THEN $visit_start ELSE $call_start END
), kept AS (
    SELECT d.customer_id,
           count(DISTINCT date_diff('month', CASE WHEN best THEN $visit_start ELSE $call_start END,
                                    date_trunc('month', c.day))
                 // CASE WHEN best THEN $visit_months ELSE $call_months END) AS slots
    FROM due AS d JOIN contacts AS c ON c.customer_id = d.customer_id
    WHERE c.day <= $stop AND (NOT best OR c.visited)
      AND c.day >= CASE WHEN best THEN $visit_start ELSE $call_start END
    GROUP BY d.customer_id
)
SELECT $period AS period, d.segment,
       sum(CASE WHEN best THEN $visit_slots ELSE $call_slots END) AS contacts_planned,
       sum(coalesce(k.slots, 0)) AS contacts_kept
FROM due AS d LEFT JOIN kept AS k ON k.customer_id = d.customer_id
GROUP BY d.segment
"""
_TRIALS = """
WITH used AS (
    SELECT DISTINCT customer_id FROM usage
    WHERE CAST(used_on AS DATE) BETWEEN $start AND $stop
)
SELECT $period AS period, m.segment, count(*) AS on_trial, count(u.customer_id) AS activated
FROM members AS m LEFT JOIN used AS u ON u.customer_id = m.customer_id
WHERE m.on_trial AND m.since <= $stop
GROUP BY m.segment
"""
_TASKS = """
SELECT w.period, t.segment, count(*) AS tasks_due,
       count(CASE WHEN t.status = 'done' THEN 1 END) AS tasks_done,
       count(CASE WHEN t.status = 'done' AND CAST(t.done_on AS DATE) <= CAST(t.due_on AS DATE)
             THEN 1 END) AS tasks_kept
FROM tasks AS t JOIN windows AS w ON CAST(t.due_on AS DATE) BETWEEN w.start AND w.stop
GROUP BY w.period, t.segment
"""
_TICKETS = """
SELECT w.period, t.segment, sum(CAST(t.satisfaction AS DECIMAL(18, 4))) AS ratings,
       count(*) AS rated
FROM tickets AS t JOIN windows AS w ON CAST(t.opened_at AS DATE) BETWEEN w.start AND w.stop
WHERE t.satisfaction IS NOT NULL
GROUP BY w.period, t.segment
"""
_DESK = """
SELECT w.period, t.segment,
       count(CASE WHEN opened_at >= w.start THEN 1 END) AS tickets_opened,
       count(CASE WHEN closed_at IS NULL OR CAST(closed_at AS DATE) > w.stop THEN 1 END)
           AS tickets_open,
       median(CASE WHEN CAST(closed_at AS DATE) BETWEEN w.start AND w.stop
              THEN date_diff('second', opened_at, closed_at) / 86400.0 END) AS resolved_days,
       count(CASE WHEN CAST(closed_at AS DATE) BETWEEN w.start AND w.stop THEN 1 END)
           AS tickets_resolved
FROM tickets AS t JOIN windows AS w ON CAST(t.opened_at AS DATE) <= w.stop
GROUP BY w.period, t.segment
"""
_SURVEYS = """
WITH answers AS (
    SELECT segment, CAST(answered_on AS DATE) AS day, lower(trim(question)) AS question, score
    FROM surveys WHERE score IS NOT NULL
)
SELECT w.period, a.segment,
       sum(CASE WHEN question <> 'nps' THEN 0 WHEN score >= 9 THEN 1 WHEN score <= 6 THEN -1
           ELSE 0 END) AS nps_points,
       count(CASE WHEN question = 'nps' THEN 1 END) AS nps_answers,
       sum(CASE WHEN question = 'satisfaction' THEN CAST(score AS DECIMAL(18, 4)) ELSE 0 END)
           AS survey_ratings,
       count(CASE WHEN question = 'satisfaction' THEN 1 END) AS survey_rated
FROM answers AS a JOIN windows AS w ON a.day BETWEEN w.start AND w.stop
GROUP BY w.period, a.segment
"""
_MONTHS = {"year": 12, "half": 6, "quarter": 3, "month": 1}


def process_sums(
    tables: Mapping[str, Frame], groups: Grouping, windows: pa.Table, reported: Period
) -> list[pa.Table]:
    """The sums of activities, tasks, tickets, surveys and trials.

    Parameters
    ----------
    tables
        RECORD tables by name; those that are missing or empty have no sums.
    groups, windows
        As in `kpi_values.order_sums`.
    reported
        Trials are counted in it alone: nobody wrote down who was on trial before.
    """
    found = []
    if _has(tables, "activities"):
        columns = ["happened_at", "kind", "connected"]
        rows = placed(tables["activities"], "activities", columns, groups)
        found.append(query(_DONE.format(kinds=_KINDS), activities=rows, windows=windows))
        contacts = contacts_of(tables["activities"])
        found.append(query(_COVERAGE, contacts=contacts, members=groups.members, windows=windows))
    if _has(tables, "task_results"):
        rows = placed(
            tables["task_results"], "task_results", ["status", "due_on", "done_on"], groups
        )
        found.append(query(_TASKS, tasks=rows, windows=windows))
    if _has(tables, "tickets"):
        columns = ["opened_at", "closed_at", "satisfaction"]
        rows = placed(tables["tickets"], "tickets", columns, groups)
        found += [query(sql, tickets=rows, windows=windows) for sql in (_TICKETS, _DESK)]
    if _has(tables, "surveys"):
        rows = placed(tables["surveys"], "surveys", ["answered_on", "question", "score"], groups)
        found.append(query(_SURVEYS, surveys=rows, windows=windows))
    if _has(tables, "usage"):
        span = {"period": reported.name, "start": reported.start, "stop": reported.end}
        used = picked(tables["usage"], "usage", ["customer_id", "used_on"])
        found.append(query(_TRIALS, span, usage=used, members=groups.members))
    return found


def contacts_of(activities: Frame) -> pa.Table:
    """Days on which a customer was visited or called: customer_id, day, visited."""
    columns = ["customer_id", "happened_at", "kind"]
    return query(_CONTACTS, activities=picked(activities, "activities", columns))


def compliance(
    contacts: pa.Table,
    groups: Grouping,
    placed_in: Frame,
    best: str,
    period: Period,
    visit_months: int,
    call_months: int,
) -> pa.Table | None:
    """Contacts made and contacts due, by group (requirement 001-21).

    Parameters
    ----------
    contacts
        As `contacts_of` gives them.
    placed_in
        customer_id, segment: where the customers stood when the period began. Customers that
        are not among them are due nothing.
    best
        The best segment's key.
    period
        A week has none: it is shorter than any slot.
    visit_months, call_months
        Length of a slot for customers of the best segment, and for the others.

    Returns
    -------
    pyarrow.Table or None
        period, segment (the group), contacts_planned, contacts_kept; None where the slots reach
        back beyond the first record.
    """
    if period.kind == "week" or not len(contacts):
        return None
    visit_slots, visit_start = _slots(period, visit_months)
    call_slots, call_start = _slots(period, call_months)
    days = query("SELECT min(day) AS day FROM contacts", contacts=contacts)
    first = days.column("day")[0].as_py().date()
    length = (period.end - min(visit_start, call_start)).days + 1
    if (first - min(visit_start, call_start)).days > MOST_UNRECORDED * length:
        return None
    segments = picked(placed_in, "segments", ["customer_id", "segment"])
    return query(
        _COMPLIANCE,
        {
            "period": period.name,
            "stop": period.end,
            "visit_start": visit_start,
            "call_start": call_start,
            "visit_months": visit_months,
            "call_months": call_months,
            "visit_slots": visit_slots,
            "call_slots": call_slots,
        },
        contacts=contacts,
        members=groups.members,
        judged=segments,
        best=query("SELECT customer_id FROM s WHERE segment = $best", {"best": best}, s=segments),
    )


def _slots(period: Period, months: int) -> tuple[int, date]:
    """How many slots end with the period, at least one, and the first day of the first."""
    number = max(1, _MONTHS[period.kind] // months)
    month = period.end.year * 12 + period.end.month - number * months
    return number, date(month // 12, month % 12 + 1, 1)


def _has(tables: Mapping[str, Frame], name: str) -> bool:
    return name in tables and len(tables[name]) > 0
