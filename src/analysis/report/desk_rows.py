"""One person's tasks, visits, reminders and customers as they are shown."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property
from typing import Any

import pandas as pd

from analysis.report.desk_data import Desks
from analysis.wording.numbers import format_period
from analysis.wording.told import word

Row = Mapping[str, Any]
_KINDS = {"visit": "on_day", "task": "due", "reminder": "remind_on"}


@dataclass(frozen=True)
class Entry:
    """A visit, a task or a reminder on its day."""

    day: date
    kind: str
    customer: str
    said: str
    group: str = ""  # what reminders have in common


def every_desk(desks: Desks) -> Iterator[Desk]:
    """Everybody's desk, in the order of their numbers."""
    about = _customers(desks)
    for owner in desks.owners:
        yield Desk(desks, owner, about)


def day_of(day: Any) -> date:
    """A day of a table as a date."""
    return pd.Timestamp(day).date()


def monday_of(day: date) -> date:
    """The Monday of a day's week."""
    return day - timedelta(days=day.weekday())


def _customers(desks: Desks) -> dict[str, Row]:
    """What a sheet says of each customer."""
    goals = desks.frames["account_plans"]
    goal = dict(zip(goals["customer_id"], goals["goal"], strict=True))
    rows = desks.frames["segments"][["customer_id", "segment", "reason"]].merge(
        desks.frames["customers"][["customer_id", "region"]], on="customer_id", how="outer"
    )
    names = desks.segments
    return {
        customer: {
            "customer_id": customer,
            "customer": desks.customer.get(customer, customer),
            "segment": names.get(segment, ""),
            "region": region if isinstance(region, str) else "",
            "because": reason,
            "goal": goal.get(customer),
        }
        for customer, segment, reason, region in rows.itertuples(index=False)
    }


@dataclass(frozen=True)
class Desk:
    """One person's share.

    Attributes
    ----------
    about
        What is said of each customer, of all desks; only the own ones are read.
    """

    desks: Desks
    owner: str
    about: Mapping[str, Row]

    @cached_property
    def tasks(self) -> list[Row]:
        """Its tasks as they are shown."""
        words = self.desks.words
        return [
            {
                **self._customer(row["customer_id"]),
                "task_id": row["task_id"],
                "title": words[row["title"]],
                "standard": words[row["standard"]],
                "due": row["due"],
            }
            for row in self.desks.mine("tasks", self.owner).to_dict("records")
        ]

    @cached_property
    def visits(self) -> list[Row]:
        """Its visits as they are shown."""
        tasks = {row["task_id"]: row for row in self.tasks}
        return [
            {
                **self._customer(row["customer_id"]),
                "visit_id": row["visit_id"],
                "on_day": row["on_day"],
                "week": row["week"],
                "channel": word(f"channel.{row['channel']}", self.desks.lang),
                "title": tasks.get(row["task_id"], {}).get("title", ""),
                "due": tasks.get(row["task_id"], {}).get("due"),
                "late": self._late(int(row["moved_days"])),
            }
            for row in self.desks.mine("visits", self.owner).to_dict("records")
        ]

    @cached_property
    def reminders(self) -> list[Row]:
        """Its reminders as they are shown."""
        return [
            {
                **self._customer(row["customer_id"]),
                "remind_on": row["remind_on"],
                "kind_key": row["kind"],
                "kind": self.desks.text(f"reminder_kind.{row['kind']}"),
                "text": self.desks.told(row["text"]),
                "event_on": row["event_on"],
            }
            for row in self.desks.mine("reminders", self.owner).to_dict("records")
        ]

    @cached_property
    def customers(self) -> list[Row]:
        """The customers that its rows name, the first to act on first."""
        first: dict[str, Any] = {}
        for row in self.tasks:
            first.setdefault(row["customer_id"], row["due"])
        count = Counter(row["customer_id"] for row in self.tasks)
        named = (row["customer_id"] for row in (*self.visits, *self.reminders))
        return [
            {
                **self._customer(key),
                "because": self.desks.told(self.about.get(key, {}).get("because")),
                "goal": self.desks.told(self.about.get(key, {}).get("goal")),
                "tasks": count[key],
                "due": first.get(key),
            }
            for key in dict.fromkeys((*first, *named))
            if key
        ]

    def _customer(self, key: object) -> Row:
        if not isinstance(key, str):
            return {"customer_id": ""}
        known = self.about.get(key, {"customer_id": key, "customer": key})
        return {k: v for k, v in known.items() if k not in ("because", "goal")}

    def _late(self, moved: int) -> str:
        return self.desks.text("late_mark", days=str(-moved)) if moved < 0 else ""

    @property
    def name(self) -> str:
        """The person's name; without one the number."""
        return self.desks.person.get(self.owner, self.owner)

    @property
    def title(self) -> str:
        """The workbook's title."""
        period = format_period(self.desks.period, self.desks.lang)
        return self.desks.text("title", name=self.name, period=period)

    @cached_property
    def agenda(self) -> list[Entry]:
        """Everything that comes up, in order: visits first, then tasks, then reminders."""
        lists = (self.visits, self.tasks, self.reminders)
        found = [
            Entry(
                day_of(row[day]),
                kind,
                str(row.get("customer", "")),
                str(row["text"] if kind == "reminder" else row["title"]),
                str(row.get("kind", "")),
            )
            for (kind, day), rows in zip(_KINDS.items(), lists, strict=True)
            for row in rows
        ]
        order = list(_KINDS)
        return sorted(found, key=lambda e: (e.day, order.index(e.kind), e.customer, e.said))

    def first(self, days: int) -> list[Entry]:
        """What comes up in the first `days` days, from the first one's Monday on.

        The same thing with several customers on one day is one line.
        """
        if not self.agenda:
            return []
        end = monday_of(self.agenda[0].day) + timedelta(days=days)
        found: dict[tuple[date, str, str], list[Entry]] = {}
        for entry in self.agenda:
            if entry.day < end:
                same = entry.group or entry.said
                found.setdefault((entry.day, entry.kind, same), []).append(entry)
        return [
            entries[0]
            if len(entries) == 1
            else replace(
                entries[0],
                customer="",
                said=self.desks.text("summed", what=same, count=f"{len(entries):,}"),
            )
            for (_, _, same), entries in found.items()
        ]

    @property
    def key(self) -> str:
        """Stands for the person where the number itself may hold anything."""
        return hashlib.sha256(self.owner.encode("utf-8", "replace")).hexdigest()[:12]

    @property
    def fingerprint(self) -> str:
        """Depends on the tasks and their days: a copy from another plan shows."""
        told = "|".join(
            f"{row['task_id']}:{day_of(row['due'])}"
            for row in sorted(self.tasks, key=lambda row: str(row["task_id"]))
        )
        return hashlib.sha256(f"{self.desks.settings.period}|{told}".encode()).hexdigest()[:16]
