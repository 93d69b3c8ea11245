"""A calendar of visits for each person: working days, spread over the weeks, regions together."""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np
import pandas as pd

from analysis.calendars import WorkingCalendar
from analysis.settings_measures import Strategy
from analysis.strategy.planning import LATER
from analysis.strategy.playbook import Measure, Playbook
from analysis.strategy.tasks import number
from analysis.tables import RECORD

CHANNELS = ("visit", "meeting")  # a task through one of these is carried out by going there


def visits(
    tasks: pd.DataFrame,
    plan: pd.DataFrame,
    customers: pd.DataFrame,
    features: pd.DataFrame,
    playbook: Playbook,
    settings: Strategy,
) -> pd.DataFrame:
    """Place every visit that the tasks take on a working day.

    Parameters
    ----------
    tasks, plan, playbook
        Of the period. A measure takes the visits that it states; one through `CHANNELS` that
        states none takes one a task. Tasks without a person have no visit.
    customers
        ``region``: visits of one region go together.
    features
        ``monetary``: the largest customers choose first.
    settings
        Section ``strategy``: calendar and ``desk.visits_a_day``.

    Returns
    -------
    DataFrame
        RECORD ``visits``: every visit once, and never more than ``visits_a_day`` of a person in
        a day. It lies after the day by which the task before it is due, and by its own latest
        day wherever that is possible: a smaller customer's visit moves to make room, and
        gives way only where there is none. What finds no room stands on the next free day, with
        a negative ``moved_days``.

    Notes
    -----
    Of visits with a first and a last day the sets that fit are those of a transversal matroid
    (Edmonds and Fulkerson, 1965), so serving the largest first and moving the others along
    alternating paths leaves the most valuable set in time.
    """
    needed = _needed(tasks, plan, playbook)
    if needed.empty:
        return pd.DataFrame(columns=RECORD["visits"].names)
    base = customers[["customer_id", "region"]].merge(
        features[["customer_id", "monetary"]], on="customer_id", how="left"
    )
    needed = needed.merge(base, on="customer_id", how="left")
    needed["money"] = needed["monetary"].astype(float).fillna(0.0)
    needed = needed.sort_values(
        ["owner_id", "money", "customer_id", "due", "visit_id"],
        ascending=[True, False, True, True, True],
        ignore_index=True,
    )
    a_day = settings.desk.visits_a_day
    most = int(needed.groupby("owner_id").size().max())
    days = _working(needed, math.ceil(most / a_day), WorkingCalendar(settings.holidays))
    at = pd.DatetimeIndex(days)
    first, last = _windows(needed, at)
    region = needed["region"].to_numpy(dtype=object)
    place = np.zeros(len(needed), dtype=int)
    for rows in needed.groupby("owner_id", sort=True).groups.values():
        mine = rows.to_numpy()
        desk = _Diary(days, a_day)
        place[mine] = desk.place(first[mine], last[mine], [_name(r) for r in region[mine]])
    needed["on_day"] = at[place]
    needed["week"] = [_week(days[i]) for i in place]
    needed["moved_days"] = last - place
    order = ["owner_id", "on_day", "customer_id", "visit_id"]
    return needed.sort_values(order, ignore_index=True)[RECORD["visits"].names]


def _needed(tasks: pd.DataFrame, plan: pd.DataFrame, playbook: Playbook) -> pd.DataFrame:
    """A row a visit: who, whom, for which task, after which day, as which part of how many."""
    own = tasks[tasks["owner_id"].fillna("").astype(str) != ""].copy()
    own["measure"] = own["source"].astype(str).str.split("/").str[-1]
    starts = plan.loc[plan["wave"] != LATER, ["customer_id", "measure", "start"]]
    own = own.merge(starts, on=["customer_id", "measure"], how="inner")
    own = own.sort_values(["customer_id", "measure", "due", "task_id"], ignore_index=True)
    steps = own.groupby(["customer_id", "measure"], sort=False)
    own["step"] = steps.cumcount()
    own["after"] = steps["due"].shift()
    parts = []
    for key, rows in own.groupby("measure", sort=True):
        _, measure = playbook.find(str(key))
        for step, count in enumerate(visits_of(measure)):
            for part in range(count):
                found = rows[rows["step"] == step]
                parts.append(found.assign(channel=_channel(measure), part=part, parts=count))
    if not parts:
        return pd.DataFrame()
    needed = pd.concat(parts, ignore_index=True)
    needed["visit_id"] = [
        number(task, str(part))
        for task, part in zip(needed["task_id"], needed["part"], strict=True)
    ]
    return needed


def visits_of(measure: Measure) -> list[int]:
    """Visits that each task of a measure takes, in the order of their latest days.

    Fewer visits than tasks fall on the later ones: what is prepared first is done on the spot
    last.
    """
    tasks = len(measure.tasks)
    wanted = math.ceil(measure.visits)
    if not wanted:
        return [int(measure.channel in CHANNELS)] * tasks
    found = Counter(math.ceil((n + 1) * tasks / wanted) - 1 for n in range(wanted))
    return [found[step] for step in range(tasks)]


def _channel(measure: Measure) -> str:
    return measure.channel if measure.channel in CHANNELS else CHANNELS[0]


def _working(needed: pd.DataFrame, spare: int, calendar: WorkingCalendar) -> list[date]:
    """Working days from the first start to the last latest day, and `spare` more."""
    day, end = needed["start"].min().date(), needed["due"].max().date()
    days: list[date] = []
    while day <= end or spare:
        if calendar.is_working(day):
            days.append(day)
            spare -= day > end
        day += timedelta(days=1)
    return days


def _windows(needed: pd.DataFrame, at: pd.DatetimeIndex) -> tuple[np.ndarray, np.ndarray]:
    """First and last place of each visit among the days; several of a task share its time."""
    last = at.searchsorted(needed["due"], side="right") - 1
    start = at.searchsorted(needed["start"], side="left")
    after = at.searchsorted(needed["after"].fillna(needed["start"]), side="right")
    first = np.minimum(np.where(needed["after"].notna(), after, start), last)
    part, parts = needed["part"].to_numpy(int), needed["parts"].to_numpy(int)
    width = last - first + 1
    begin = first + part * width // parts
    end = first + (part + 1) * width // parts - 1
    return begin, np.maximum(end, begin)


def _name(region: object) -> str:
    return region if isinstance(region, str) else ""


def _week(day: date) -> str:
    year, week, _ = day.isocalendar()
    return f"{year:04d}-W{week:02d}"


@dataclass
class _Diary:
    """One person's working days and what stands on them."""

    days: Sequence[date]
    a_day: int
    on: list[list[int]] = field(init=False)

    def __post_init__(self) -> None:
        self.on = [[] for _ in self.days]
        weeks = [_week(day) for day in self.days]
        names = {name: i for i, name in enumerate(dict.fromkeys(weeks))}
        self.week = [names[name] for name in weeks]
        self.room = Counter(self.week)
        self.load: Counter[int] = Counter()

    def place(self, first: np.ndarray, last: np.ndarray, region: Sequence[str]) -> list[int]:
        """The day of each visit, by its place among the days; the visits come largest first."""
        self.first, self.last, self.region = first.tolist(), last.tolist(), region
        self.at = [-1] * len(region)
        late = []
        for visit in range(len(region)):
            day = self._best(visit)
            if day is None:
                day = self._make_room(visit)
            if day is None:
                late.append(visit)
            else:
                self._put(visit, day)
        for visit in late:
            self._put(visit, self._next_free(visit))
        return self.at

    def _put(self, visit: int, day: int) -> None:
        if self.at[visit] >= 0:
            self.on[self.at[visit]].remove(visit)
            self.load[self.week[self.at[visit]]] -= 1
        self.at[visit] = day
        self.on[day].append(visit)
        self.load[self.week[day]] += 1

    def _best(self, visit: int) -> int | None:
        """The free day in the least busy week; a day in the same region counts like an empty one.

        Weeks are compared by the share of their working days that is taken, so that a week cut
        short by a holiday gets less.
        """
        region = self.region[visit]

        def busy(day: int) -> tuple[float, bool, int, int]:
            near = bool(region) and any(self.region[v] == region for v in self.on[day])
            week = self.week[day]
            taken = self.load[week] + 1 - near * self.a_day
            return taken / self.room[week], not near, len(self.on[day]), day

        free = (
            day
            for day in range(self.first[visit], self.last[visit] + 1)
            if len(self.on[day]) < self.a_day
        )
        return min(free, key=busy, default=None)

    def _make_room(self, visit: int) -> int | None:
        """Move others along the shortest chain that ends on a free day; the day that comes free."""
        window = range(self.first[visit], self.last[visit] + 1)
        came: dict[int, tuple[int, int] | None] = dict.fromkeys(window)  # day → (from day, who)
        queue = deque(window)
        while queue:
            day = queue.popleft()
            if len(self.on[day]) < self.a_day:
                return self._shift(day, came)
            for other in sorted(self.on[day]):
                for to in range(self.first[other], self.last[other] + 1):
                    if to not in came:
                        came[to] = (day, other)
                        queue.append(to)
        return None

    def _shift(self, free: int, came: dict[int, tuple[int, int] | None]) -> int:
        step = came[free]
        while step is not None:
            day, other = step
            self._put(other, free)
            free, step = day, came[day]
        return free

    def _next_free(self, visit: int) -> int:
        return next(
            day
            for day in range(self.last[visit] + 1, len(self.days))
            if len(self.on[day]) < self.a_day
        )
