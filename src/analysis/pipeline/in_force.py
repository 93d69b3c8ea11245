"""What a week stands on: the last quarter's segments, and the plans in force.

A week segments nobody anew and plans nothing: it reads what was approved. The segments are those
of the latest approved record of a longer period that had ended by the week's last day; where none
was approved, of the latest published one. A plan is in force in the period after that of its
record, once approved.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd

from analysis import store
from analysis.calendars import Period
from analysis.engine import to_frame
from analysis.pipeline import sealing
from analysis.settings import Config

WEEK = timedelta(days=7)
Source = dict[str, Any]  # a row of RECORD weekly_basis


@dataclass(frozen=True)
class Kept:
    """An approved or published record of a longer period.

    Attributes
    ----------
    period
        Its period.
    path
        The approval, or the published record's manifest.
    sealed
        Whether it was approved.
    """

    period: Period
    path: Path
    sealed: bool

    def read(self, table: str) -> pd.DataFrame | None:
        """One of its tables; None where it has none of that name."""
        if self.sealed:
            known = sealing.keeps(self.path, table)
            return to_frame(sealing.read(self.path, table)) if known else None
        record = store.Record(self.path.parent)
        return record.table(table) if table in record.tables else None


@dataclass(frozen=True)
class Standing:
    """What stands in a week.

    Attributes
    ----------
    segments_from
        The record whose segments are in force; None without one.
    plans
        Approved records whose plan is in force in the week or the next.
    """

    segments_from: Kept | None
    plans: tuple[Kept, ...]

    @property
    def files(self) -> list[Path]:
        """What it rests on: a change of one of them is a change of the week."""
        found = [kept.path for kept in (self.segments_from, *self.plans) if kept is not None]
        return sorted(set(found))

    def read(self, table: str) -> pd.DataFrame | None:
        """A table of the record whose segments are in force; None without one."""
        return None if self.segments_from is None else self.segments_from.read(table)

    def tasks(self) -> pd.DataFrame | None:
        """The tasks of the plans in force; None where no approved plan has any."""
        found = [kept.read("tasks") for kept in self.plans]
        known = [tasks for tasks in found if tasks is not None]
        return pd.concat(known).drop_duplicates("task_id") if known else None

    def basis(self, last_quarter: Period) -> Source:
        """Where the segments come from, as a row of ``weekly_basis``."""
        kept = self.segments_from
        period = last_quarter if kept is None else kept.period
        source = "recomputed" if kept is None else "sealed" if kept.sealed else "published"
        return {
            "item": "segments",
            "source": source,
            "period": period.name,
            "as_of": pd.Timestamp(period.end),
        }


def standing(config: Config) -> Standing:
    """What stands in the week of a run; see the module."""
    root, run, week = config.root, config.settings.run, config.period
    sealed = sorted(_sealed(root, run), key=lambda kept: kept.period)
    over = [kept for kept in sealed if kept.period.end <= config.as_of]
    if not over:
        published = (kept for kept in _published(root, run) if kept.period.end <= config.as_of)
        over = sorted(published, key=lambda kept: kept.period)
    plans = tuple(k for k in sealed if _in_force(k.period.next(), week.start, week.end + WEEK))
    return Standing(over[-1] if over else None, plans)


def plan_basis(stands: Standing, states: pd.DataFrame) -> Source:
    """Where the tasks come from, as a row of ``weekly_basis``."""
    plans = [kept for kept in stands.plans if kept.read("tasks") is not None]
    if plans and (states.empty or states["strategy"].ne("").any()):
        period, day = plans[-1].period.next(), pd.Timestamp(plans[-1].period.end)
        return {"item": "plan", "source": "sealed", "period": period.name, "as_of": day}
    source = "reported" if len(states) else "none"
    return {"item": "plan", "source": source, "period": None, "as_of": pd.NaT}


def last_quarter(as_of: date) -> Period:
    """The last quarter that had ended by `as_of`."""
    quarter = Period.parse(f"{as_of.year:04d}Q{(as_of.month + 2) // 3}")
    return quarter if quarter.end <= as_of else quarter.previous()


def files(config: Config) -> list[Path]:
    """The approvals and records that a run reads besides its own stages."""
    if config.period.kind == "week":
        return standing(config).files
    seal = sealing.sealed(config.root, config.settings.run, config.previous.name)
    return [] if seal is None else [seal]


def _in_force(period: Period, start: date, end: date) -> bool:
    return period.start <= end and period.end >= start


def _sealed(root: Path, run: str) -> Iterator[Kept]:
    names = {path.parent.name for path in (root / "decisions" / run).glob("*/approved.json")}
    for period in _periods({name.partition(".r")[0] for name in names}):
        seal = sealing.sealed(root, run, period.name)
        if seal is not None:
            yield Kept(period, seal, sealed=True)


def _published(root: Path, run: str) -> Iterator[Kept]:
    folder = root / "reports" / run
    for period in _periods({path.parent.name for path in folder.glob(f"*/{store.MANIFEST}")}):
        yield Kept(period, folder / period.name / store.MANIFEST, sealed=False)


def _periods(names: set[str]) -> Iterator[Period]:
    """The periods longer than a week among names of folders; what-if records are none."""
    for name in sorted(names):
        try:
            period = Period.parse(name)
        except ValueError:
            continue
        if period.kind != "week":
            yield period
