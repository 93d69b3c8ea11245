"""How many rows of each list a week's sheet holds: one A4 page, the same in both languages.

The list of accounts overdue to reorder comes first; what it leaves is shared: on the left the
lists of what ends and what is owed, on the right the persons with their tasks.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import pandas as pd

from analysis.exhibits import look
from analysis.exhibits.facts import Tables, frame_of
from analysis.settings_model import Settings

LEFT = ("renewal", "falling_due", "overdue_payment")
REORDER, PEOPLE = "reorder", "people"
EVERYBODY = "all"
# Measured on the printed page [mm]: the page, what stands above the lists, a table's title and
# heads (of half the width they break), a row, a further line of a row, a line of notes.
PAGE, ABOVE, HEADS, HALF_HEADS, ROW, LINE, NOTE = 268.0, 86.0, 15.5, 21.0, 3.8, 3.8, 6.5
SIZE = 8.0  # of the names [pt]
WIDE, NARROW = 50.0, 42.0  # columns of names of the whole width and of half of it [mm]
MOST_NOTES = 2  # below the tasks


def rows(tables: Tables, settings: Settings) -> dict[str, int]:
    """Rows that are shown: list (or ``people``) → number.

    Parameters
    ----------
    tables
        The week's tables by name.
    settings
        Uses section ``weekly``: the most of each.
    """
    lists, own = frame_of(tables, "weekly_lists"), settings.weekly
    called = {
        str(name): [str(n) for n in part.sort_values("rank")["name"].fillna("")]
        for name, part in (lists.groupby("list") if len(lists) else ())
    }
    left = [name for name in LEFT if name in called]
    least = sum(HALF_HEADS + _height(called[name][:1], NARROW) for name in left)
    first = called.get(REORDER, [])[: own.reorder_length]
    room = PAGE - ABOVE - HEADS - NOTE
    while len(first) > 1 and room - _height(first, WIDE) < least:
        first = first[:-1]  # names that take several lines
    free = room - _height(first, WIDE)
    shown = {REORDER: len(first)}
    shown |= _shared({name: called[name][: own.list_length] for name in left}, free)
    tasks = frame_of(tables, "weekly_tasks")
    people = int((tasks["owner_id"] != EVERYBODY).sum()) if len(tasks) else 0
    fits = math.floor((free - HALF_HEADS - MOST_NOTES * NOTE) / ROW) - 1  # one for everybody
    shown[PEOPLE] = min(people, own.people_length, max(1, fits))
    return shown


def by_urgency(tasks: pd.DataFrame) -> pd.DataFrame:
    """The persons of ``weekly_tasks``: most overdue first, then most to do."""
    each = tasks[tasks["owner_id"] != EVERYBODY] if len(tasks) else tasks
    if each.empty:
        return each
    order = ["overdue", "next_due", "owner_id"]
    return each.sort_values(order, ascending=[False, False, True], kind="stable")


def _shared(names: Mapping[str, list[str]], free: float) -> dict[str, int]:
    """Row after row in turn, as long as there is room; each list has at least one."""
    shown = {name: min(1, len(rows_)) for name, rows_ in names.items()}
    used = sum(HALF_HEADS + _height(rows_[:1], NARROW) for rows_ in names.values())
    going = True
    while going:
        going = False
        for name, rows_ in names.items():
            if shown[name] == len(rows_):
                continue
            more = _height([rows_[shown[name]]], NARROW)
            if used + more <= free:
                shown[name] += 1
                used += more
                going = True
    return shown


def _height(names: list[str], width: float) -> float:
    lines = [max(1, math.ceil(look.width_of(name, SIZE) / width)) for name in names]
    return sum(ROW + LINE * (n - 1) for n in lines)
