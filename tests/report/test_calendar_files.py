"""Everybody's calendar: read back with the library that wrote it, and line by line."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from icalendar import Calendar

from analysis.report.calendar_files import render_calendars
from analysis.report.workbook import plain
from tests.report.desk_sample import AS_OF, HOSTILE, IDS, settings, tables


def render(given_tables: Any = None, lang: Any = "zh", **more: Any) -> dict[str, bytes]:
    return render_calendars(given_tables or tables(), settings(**more), AS_OF, lang)


def uids(content: bytes) -> list[str]:
    return [str(part["uid"]) for part in Calendar.from_ical(content).subcomponents]


def kinds(content: bytes) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {"VEVENT": [], "VTODO": []}
    for part in Calendar.from_ical(content).subcomponents:
        found[part.name].append(part)
    return found


@pytest.mark.requirement("000-23")
def test_every_task_visit_and_reminder_once() -> None:
    found = kinds(render(tables(["甲公司", "乙公司"], owners=["P1"]))["desk/P1.ics"])
    assert len(found["VTODO"]) == 2
    (task, _) = found["VTODO"]
    assert task["summary"] == "关怀电话一次：甲公司"
    assert task.decoded("due") == date(2025, 10, 20)
    visit, due, reminder = found["VEVENT"]
    assert visit["summary"] == "上门拜访 · 关怀电话一次：甲公司"
    assert (visit.decoded("dtstart"), visit.decoded("dtend")) == (
        date(2025, 10, 20), date(2025, 10, 21),
    )  # fmt: skip
    assert due["summary"] == "到期任务 2 项"
    assert due["description"].split("\n") == ["甲公司：关怀电话一次", "乙公司：关怀电话一次"]
    assert reminder["summary"] == "续约：甲公司"
    assert reminder.decoded("dtstart") == datetime(2025, 10, 20, 1, tzinfo=UTC)  # nine in Shanghai
    assert [part.name for part in reminder.subcomponents] == ["VALARM"]


def test_loading_twice_makes_no_second_entry() -> None:
    first, again = render(), render(lang="en")
    assert first == render()
    assert {name: uids(c) for name, c in first.items()} == {n: uids(c) for n, c in again.items()}
    every = [uid for content in first.values() for uid in uids(content)]
    assert len(set(every)) == len(every)


def test_hostile_names_stay_text() -> None:
    found = kinds(render(tables(owners=["P1"]))["desk/P1.ics"])
    assert len(found["VTODO"]) == len(HOSTILE)
    summaries = {task["summary"] for task in found["VTODO"]}
    clean = {plain(name) for name in HOSTILE}
    assert len(found["VEVENT"]) == 20 + 1 + 1
    assert sum(any(name in text for text in summaries) for name in clean) >= len(clean) - 1


def test_lines_are_folded_and_end_as_the_standard_says() -> None:
    for content in render().values():
        assert content.endswith(b"END:VCALENDAR\r\n")
        lines = content.split(b"\r\n")
        assert max(len(line) for line in lines) <= 75
        assert not any(b"\n" in line or b"\r" in line for line in lines)
        for line in lines:
            line.decode("utf-8")  # no character is cut in two


def test_many_reminders_of_a_day_are_one() -> None:
    found = kinds(render(tables(["甲"] * 40, owners=["P1"]))["desk/P1.ics"])
    (reminder,) = [part for part in found["VEVENT"] if part.subcomponents]
    assert reminder["summary"] == "续约（14 家）"
    assert len(reminder["description"].split("\n")) == 14


def test_the_companys_timezone() -> None:
    made = tables(["甲"], owners=["P1"])
    content = render(made, timezone="Europe/Berlin")["desk/P1.ics"]
    assert b"X-WR-TIMEZONE:Europe/Berlin" in content
    reminder = kinds(content)["VEVENT"][-1]
    assert reminder.decoded("dtstart") == datetime(2025, 10, 20, 7, tzinfo=UTC)


def test_no_number_of_a_person_in_a_uid() -> None:
    made = tables(["甲"], owners=["=P\r\nX:1"])
    (content,) = render(made).values()
    assert b"\r\nX:1" not in content
    assert IDS[0] == "0007"
