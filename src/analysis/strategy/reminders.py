"""What people are reminded of: contracts that end, first calls, overdue money, reviews."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import pandas as pd

from analysis.calendars import Period, WorkingCalendar
from analysis.roles import BEST, roles_of
from analysis.settings_desk import Desk
from analysis.settings_measures import Strategy
from analysis.strategy.planning import LATER
from analysis.strategy.playbook import Playbook
from analysis.strategy.tasks import number, task_ids
from analysis.tables import RECORD

_IN_CHARGE = "sales_operations_director"  # of schemes and playbooks
_GAP_DAYS = 60  # a contract that begins so long after another's end renews it


def reminders(
    tasks: pd.DataFrame,
    plan: pd.DataFrame,
    playbook: Playbook,
    customers: pd.DataFrame,
    segments: pd.DataFrame,
    people: pd.DataFrame | None,
    settings: Strategy,
    as_of: date,
    period_next: Period,
    *,
    subscriptions: pd.DataFrame | None = None,
    arrears: pd.DataFrame | None = None,
    scheme_segments: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Every reminder of the period planned for.

    Parameters
    ----------
    tasks, plan, playbook
        Of the period; a task whose latest day is a clock in hours is recalled as it starts.
    customers, segments, people, scheme_segments
        RECORD tables: who looks after whom, and who after the best segment.
    settings
        Section ``strategy``: calendar and ``desk``.
    as_of
        Last day that counts: contracts and receivables are known up to it.
    period_next
        The period planned for.
    subscriptions, arrears
        RECORD tables; None or empty: nothing to recall.

    Returns
    -------
    DataFrame
        RECORD ``reminders``, by day. Every ``remind_on`` is a working day of the period; a
        reminder whose own day has passed before it stands on its first one.
    """
    calendar = WorkingCalendar(settings.holidays)
    owners = customers.set_index("customer_id")["owner_id"]
    rows = [
        *_contracts(subscriptions, owners, settings.desk, as_of, period_next, calendar),
        *_first_calls(tasks, plan, playbook, period_next),
        *_overdue(arrears, owners, settings.desk, period_next, calendar),
        *_cadence(people, settings.desk, period_next, calendar),
        *_strategic(segments, owners, scheme_segments, settings.desk, period_next, calendar),
    ]
    found = pd.DataFrame(rows, columns=RECORD["reminders"].names)
    for column in ("remind_on", "event_on"):
        found[column] = pd.to_datetime(found[column])
    return found.sort_values(["remind_on", "reminder_id"], ignore_index=True)


def before(event: date, days: int, calendar: WorkingCalendar) -> date:
    """The working day on or before the day `days` days before an event."""
    return calendar.last_working_on_or_before(event - timedelta(days=days))


def open_ends(subscriptions: pd.DataFrame, as_of: date) -> pd.DataFrame:
    """Ends of contracts that nothing follows yet.

    Parameters
    ----------
    subscriptions
        RECORD ``subscriptions``.
    as_of
        Ends after it count.

    Returns
    -------
    DataFrame
        ``customer_id``, ``ends_on``, ``left``: whether the customer has said that he leaves. A
        row a customer and day. A contract is followed by one that names it as its predecessor,
        and by one of the same customer that begins between its end and `_GAP_DAYS` later.
    """
    day = pd.Timestamp(as_of)
    status = subscriptions["status"].fillna("").astype(str)
    named = set(subscriptions["predecessor"].dropna())
    running = subscriptions[
        (subscriptions["ends_on"] > day)
        & (subscriptions["starts_on"] <= day)
        & (status != "renewed")
        & ~subscriptions["subscription_id"].isin(named)
    ]
    pairs = running[["subscription_id", "customer_id", "ends_on"]].merge(
        subscriptions[["customer_id", "starts_on"]], on="customer_id"
    )
    wait = pairs["starts_on"] - pairs["ends_on"]
    follows = wait.between(pd.Timedelta(0), pd.Timedelta(days=_GAP_DAYS))
    kept = running[~running["subscription_id"].isin(pairs.loc[follows, "subscription_id"])]
    kept = kept.assign(left=kept["status"].fillna("").astype(str) == "churned")
    ends = kept.groupby(["customer_id", "ends_on"], as_index=False, sort=True)
    return ends.agg(left=("left", "all"))


def _contracts(
    subscriptions: pd.DataFrame | None,
    owners: pd.Series,
    desk: Desk,
    as_of: date,
    period: Period,
    calendar: WorkingCalendar,
) -> list[dict[str, Any]]:
    if subscriptions is None or subscriptions.empty:
        return []
    rows = []
    for customer, end, left in open_ends(subscriptions, as_of).itertuples(index=False):
        event = end.date()
        remind = before(event, desk.renewal_days, calendar)
        if remind > period.end:
            continue
        kind = "contract_end" if left else "renewal"
        rows.append(
            _row(
                kind,
                kind,
                max(remind, calendar.next_working(period.start)),
                event,
                {"day": _day(event)},
                customer,
                owners.get(customer),
            )
        )
    return rows


def _first_calls(
    tasks: pd.DataFrame, plan: pd.DataFrame, playbook: Playbook, period: Period
) -> list[dict[str, Any]]:
    known = tasks.set_index("task_id")
    rows = []
    for key, chosen in plan[plan["wave"] != LATER].groupby("measure", sort=True):
        segment, measure = playbook.find(str(key))
        for name, task in measure.tasks.items():
            if not isinstance(task.due, str) or segment.promises[task.due].unit != "hours":
                continue
            hours = {"hours": _count(segment.promises[task.due].value, "number")}
            ids = task_ids(period.name, chosen["customer_id"], str(key), name)
            mine = known.reindex(ids)
            for customer, start, due, owner in zip(
                chosen["customer_id"], chosen["start"], mine["due"], mine["owner_id"], strict=True
            ):
                if not pd.isna(due):
                    said = {**hours, "day": _day(due.date())}
                    rows.append(
                        _row(
                            "first_call",
                            "first_call",
                            start.date(),
                            due.date(),
                            said,
                            customer,
                            owner,
                        )
                    )
    return rows


def _overdue(
    arrears: pd.DataFrame | None,
    owners: pd.Series,
    desk: Desk,
    period: Period,
    calendar: WorkingCalendar,
) -> list[dict[str, Any]]:
    if arrears is None or arrears.empty:
        return []
    money = arrears["overdue"].astype(float)
    late = arrears[
        (money > 0) & (money >= desk.overdue_money) & (arrears["days"] >= desk.overdue_days)
    ]
    first = calendar.next_working(period.start)
    return [
        _row(
            "overdue_payment",
            "overdue_payment",
            first,
            as_of.date(),
            {
                "amount": _count(float(overdue), "money"),
                "days": _count(int(days), "days"),
                "day": _day(as_of.date()),
            },
            customer,
            owners.get(customer),
        )
        for customer, as_of, overdue, days in late[
            ["customer_id", "as_of", "overdue", "days"]
        ].itertuples(index=False)
    ]


def _cadence(
    people: pd.DataFrame | None, desk: Desk, period: Period, calendar: WorkingCalendar
) -> list[dict[str, Any]]:
    """The full review, or where none is due the tuning, at the end of each month that has one."""
    rows = []
    who = None
    if people is not None and len(people):
        holders = people.loc[people["role"] == _IN_CHARGE, "person_id"].sort_values()
        who = holders.iloc[0] if len(holders) else None
    for end in month_ends(period):
        day = calendar.last_working_on_or_before(end)
        if end.month % desk.full_review_months == 0:
            rows.append(_row("review", "full_review", day, end, {}, None, who))
        elif end.month % desk.fine_tune_months == 0:
            rows.append(_row("re_segment", "fine_tune", day, end, {}, None, who))
    return rows


def _strategic(
    segments: pd.DataFrame,
    owners: pd.Series,
    scheme_segments: pd.DataFrame | None,
    desk: Desk,
    period: Period,
    calendar: WorkingCalendar,
) -> list[dict[str, Any]]:
    """Whoever looks after customers of the best segment looks through them at a month's end."""
    roles = roles_of(scheme_segments)
    best = [str(segment) for segment in roles.segments if roles.of(segment) == BEST]
    chosen = segments.loc[segments["segment"].isin(best), "customer_id"]
    counts = owners.reindex(chosen).dropna().value_counts().sort_index()
    return [
        _row(
            "re_segment",
            "strategic",
            calendar.last_working_on_or_before(end),
            end,
            {"customers": _count(int(count), "count")},
            None,
            who,
        )
        for end in month_ends(period)
        if end.month % desk.strategic_months == 0
        for who, count in counts.items()
    ]


def month_ends(period: Period) -> list[date]:
    """The last days of months inside a period."""
    days = pd.date_range(period.start, period.end, freq="ME")
    return [day.date() for day in days]


def _row(
    kind: str,
    text: str,
    remind: date,
    event: date,
    said: Mapping[str, Any],
    customer: object,
    owner: object,
) -> dict[str, Any]:
    whom, who = (value if isinstance(value, str) and value else None for value in (customer, owner))
    told = json.dumps(
        {"key": f"reminder.{text}", "args": dict(said)}, ensure_ascii=False, sort_keys=True
    )
    return {
        "reminder_id": number(text, event.isoformat(), whom or "", who or ""),
        "kind": kind,
        "customer_id": whom,
        "owner_id": who,
        "remind_on": remind,
        "event_on": event,
        "text": told,
    }


def _day(day: date) -> dict[str, Any]:
    return {"value": day.isoformat(), "unit": "date"}


def _count(value: float, unit: str) -> dict[str, Any]:
    known = int(value) if float(value).is_integer() else value
    return {"value": known, "unit": unit}
