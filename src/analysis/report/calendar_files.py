"""One calendar file for each person: visits, latest days of tasks, reminders (RFC 5545).

Every entry has a UID made of the plan's own numbers, so that a calendar that loads the file twice
has it once. Visits and latest days are whole days, the same day wherever the calendar is opened;
reminders ring at nine in the company's timezone. Contact persons do not occur.

Calendars for the office show events but no to-dos. A day on which tasks are due is therefore an
event as well, which lists them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pyarrow as pa

from analysis.report.desk_data import Desks, file_names
from analysis.report.desk_rows import Desk, Row, day_of, every_desk
from analysis.report.workbook import plain
from analysis.settings_model import Settings
from analysis.wording import Language

if TYPE_CHECKING:
    from icalendar import Component

FOLDER = "desk"
_PRODUCT = "-//analysis//plan//EN"
_RINGS = time(9, 0)
_LASTS = timedelta(minutes=15)


def render_calendars(
    tables: Mapping[str, pa.Table], settings: Settings, as_of: date, lang: Language
) -> dict[str, bytes]:
    """Write everybody's calendar.

    Parameters
    ----------
    tables
        RECORD ``tasks``, ``visits``, ``reminders``, ``customers`` and ``people``.
    settings
        Run, period, currency and timezone.
    as_of
        Last day that counts; the time at which the entries were made.
    lang
        Of every entry.

    Returns
    -------
    dict
        Path below the exports → content, ``desk/<person>.ics``.
    """
    from icalendar import Calendar, vText  # their import takes a third of a second

    desks = Desks.of(tables, settings, as_of, lang)
    names = file_names(desks.owners)
    zone = ZoneInfo(settings.timezone)
    found = {}
    for desk in every_desk(desks):
        calendar = Calendar()
        for name, value in (
            ("prodid", _PRODUCT),
            ("version", "2.0"),
            ("calscale", "GREGORIAN"),
            ("method", "PUBLISH"),
            ("x-wr-calname", vText(plain(desk.title))),
            ("x-wr-timezone", settings.timezone),
        ):
            calendar.add(name, value)
        for entry in _entries(desk, zone):
            calendar.add_component(entry)
        found[f"{FOLDER}/{names[desk.owner]}.ics"] = calendar.to_ical()
    return found


def _entries(desk: Desk, zone: ZoneInfo) -> Iterator[Component]:
    from icalendar import Event, Todo

    made = datetime.combine(desk.desks.as_of, time(), UTC)
    run = desk.desks.settings.run
    text = desk.desks.text

    def entry(kind: type[Component], uid: str, summary: str, **more: Any) -> Component:
        found = kind()
        found.add("uid", f"{uid}@{run}.analysis")
        found.add("dtstamp", made)
        found.add("summary", plain(summary))
        for name, value in more.items():
            found.add(name, value)
        return found

    for row in desk.visits:
        yield entry(
            Event,
            f"visit-{row['visit_id']}",
            text("event", what=f"{row['channel']} · {row['title']}", customer=row["customer"]),
            **_whole_day(row["on_day"]),
            transp="OPAQUE",
        )
    for row in desk.tasks:
        yield entry(
            Todo,
            f"task-{row['task_id']}",
            text("event", what=row["title"], customer=row["customer"]),
            due=day_of(row["due"]),
            description=plain(row["standard"]),
        )
    for due, rows in groupby(desk.tasks, key=lambda row: day_of(row["due"])):
        listed = list(rows)
        yield entry(
            Event,
            f"due-{due.isoformat()}-{desk.key}",
            text("due_day", count=f"{len(listed):,}"),
            **_whole_day(due),
            description=plain("\n".join(_line(desk, row, row["title"]) for row in listed)),
            transp="TRANSPARENT",
        )
    yield from _reminders(desk, zone, entry)


def _reminders(desk: Desk, zone: ZoneInfo, entry: Any) -> Iterator[Component]:
    """One event for all reminders of a kind and day: a list is read, fifty bells are not."""
    from icalendar import Alarm, Event

    for (day, kind), rows in groupby(
        desk.reminders, key=lambda r: (day_of(r["remind_on"]), r["kind"])
    ):
        listed = list(rows)
        start = datetime.combine(day, _RINGS, zone).astimezone(UTC)
        whom = sum(1 for row in listed if row["customer_id"])
        alone = listed[0].get("customer")
        summary = kind
        if len(listed) == 1 and alone:
            summary = desk.desks.text("event", what=kind, customer=alone)
        elif whom > 1:
            summary = desk.desks.text("summed", what=kind, count=f"{whom:,}")
        found = entry(
            Event,
            f"reminder-{listed[0]['kind_key']}-{day.isoformat()}-{desk.key}",
            summary,
            dtstart=start,
            dtend=start + _LASTS,
            description=plain("\n".join(_line(desk, row, row["text"]) for row in listed)),
            transp="TRANSPARENT",
        )
        bell = Alarm()
        bell.add("action", "DISPLAY")
        bell.add("description", plain(summary))
        bell.add("trigger", timedelta(0))
        found.add_component(bell)
        yield found


def _line(desk: Desk, row: Row, said: str) -> str:
    customer = row.get("customer")
    return desk.desks.text("line", customer=customer, what=said) if customer else said


def _whole_day(day: object) -> dict[str, Any]:
    start = day_of(day)
    return {"dtstart": start, "dtend": start + timedelta(days=1)}
