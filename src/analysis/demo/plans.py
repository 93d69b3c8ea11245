"""The plan of a quarter, as a record, a Parquet file or a CSV file holds it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.calendars import Period
from analysis.demo import blocks
from analysis.demo.campaigns import EXEMPT, FIRST, LATER
from analysis.demo.kinds import START, day
from analysis.demo.measures import STRATEGIES
from analysis.errors import Problem, SettingsError

IN_RECORD = Path("tables") / "plan.parquet"
WAVES = (FIRST, LATER, EXEMPT)
COLUMNS = ["customer_id", "strategy", "wave", "start", "cost"]
SHOWN = 5  # values named in a message
_NUMBER = r"[+-]?[0-9]+(?:\.[0-9]+)?"


def read(path: Path, period: Period, customers: int, gone: int) -> pd.DataFrame:
    """Read a plan and hold it against the company.

    Parameters
    ----------
    path
        A record's folder, a Parquet file or a CSV file (UTF-8, with a header).
    period
        The quarter that the plan is for.
    customers, gone
        The company's customers at the hand-over, and the quarters since.

    Returns
    -------
    DataFrame
        One row a customer and strategy: ``customer_id, strategy, wave`` (first, later, exempt),
        ``start`` (day number, NA where the plan does not say), ``cost`` [CNY].

    Raises
    ------
    SettingsError
        If the plan cannot be read, or does not fit: everything that is wrong at once.
    """
    return checked(_table(path), period, customers, gone, str(path))


def checked(
    frame: pd.DataFrame, period: Period, customers: int, gone: int, file: str
) -> pd.DataFrame:
    """Hold a plan against the company.

    Parameters
    ----------
    frame
        The plan as it stands in the file.
    period, customers, gone
        As of `read`.
    file
        What messages call it.

    Returns
    -------
    DataFrame
        As of `read`.

    Raises
    ------
    SettingsError
        If the plan does not fit: everything that is wrong at once.
    """
    lacking = [name for name in ("customer_id", "strategy") if name not in frame.columns]
    if lacking:
        args = {"found": ", ".join(map(str, frame.columns)), "lacking": ", ".join(lacking)}
        raise SettingsError(Problem("demo.plan_columns", args, file))
    plan = pd.DataFrame(
        {
            "customer_id": frame["customer_id"].astype(str).str.strip(),
            "strategy": frame["strategy"].astype(str).str.strip(),
            "wave": frame["wave"].astype(str) if "wave" in frame else FIRST,
            "start": _days(frame["start"]) if "start" in frame else pd.NA,
            "cost": _costs(frame["cost"]) if "cost" in frame else None,
        }
    )
    problems = _problems(plan, frame, period, customers, gone, file)
    if problems:
        raise SettingsError(problems)
    usual = plan["strategy"].map({name: float(m.cost) for name, m in STRATEGIES.items()})
    plan["cost"] = plan["cost"].astype(float).combine_first(usual)
    # a strategy may be carried out by several measures; who is treated by one is not waiting
    plan["wave"] = pd.Categorical(plan["wave"], categories=[FIRST, EXEMPT, LATER], ordered=True)
    found = plan.groupby(["customer_id", "strategy"], as_index=False).agg(
        wave=("wave", "min"), start=("start", "min"), cost=("cost", "sum")
    )
    return found.astype({"wave": str, "start": "Int64", "cost": float})[COLUMNS]


def _table(path: Path) -> pd.DataFrame:
    """The plan as it stands there."""
    source = path / IN_RECORD if path.is_dir() else path
    if not source.is_file():
        raise SettingsError(Problem("demo.plan_missing", {"found": source.as_posix()}))
    try:
        if source.suffix == ".parquet":
            return pd.read_parquet(source)
        return pd.read_csv(source, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        args = {"found": source.as_posix()}
        raise SettingsError(Problem("demo.plan_unreadable", args)) from error


def _days(values: pd.Series) -> pd.Series:
    """Day numbers of dates as they are written there; NA where there is none, or no date.

    A year or a month alone is no date, and neither is a number that is not text; the time of day
    and its offset say nothing of the day.
    """
    written = values.map(lambda value: "" if pd.isna(value) else str(value).strip())
    parts = written.str.extract(r"^(\d{4}-\d{2}-\d{2}|\d{8}(?=$|[T ]))(?:[T ].*)?$", expand=False)
    if pd.api.types.is_numeric_dtype(values):
        parts = pd.Series("", index=values.index)
    days = {part: _day_number(part) for part in set(parts.dropna())}
    return parts.map(days).astype("Int64")


def _day_number(text: str) -> int | None:
    """Day number of an ISO date; None where no calendar has such a day."""
    try:
        return (date.fromisoformat(text) - START).days
    except ValueError:
        return None


def _costs(values: pd.Series) -> pd.Series:
    """Costs [CNY]; NA where there is none, or no number."""
    known = values.where(~values.map(lambda value: isinstance(value, bool | np.bool_)))
    if pd.api.types.is_numeric_dtype(values):
        return known.astype(float)
    text = known.map(lambda value: "" if pd.isna(value) else str(value).strip())
    return text.where(text.str.fullmatch(_NUMBER)).astype(float)


def _problems(
    plan: pd.DataFrame, frame: pd.DataFrame, period: Period, customers: int, gone: int, file: str
) -> list[Problem]:
    """Everything in the plan that the company cannot carry out."""
    problems = []
    codes = plan["customer_id"]
    number = codes.str.extract(r"^KH([0-9]{6,7})$", expand=False).astype(float)
    known = blocks.known(customers, gone)
    last = blocks.codes(np.array([known]), customers)[0]
    unknown = codes[~(number.between(1, known) & (codes.str.len() == len(last)))]
    if len(unknown):
        args = _few(unknown) | {"last": last}
        problems.append(Problem("demo.plan_customers", args, file))
    for name, allowed in (("strategy", tuple(STRATEGIES)), ("wave", WAVES)):
        strange = plan.loc[~plan[name].isin(allowed), name]
        if len(strange):
            args = _few(strange) | {"allowed": ", ".join(allowed)}
            problems.append(Problem(f"demo.plan_{name}", args, file))
    problems += _starts(plan, frame, period, file)
    if "cost" in frame:
        given = frame["cost"].astype("string").fillna("")
        unread = plan["cost"].isna() & (given.str.strip() != "")
        wrong = given[unread | (plan["cost"] < 0) | np.isinf(plan["cost"])]
        if len(wrong):
            problems.append(Problem("demo.plan_cost", _few(wrong), file))
    return problems


def _starts(plan: pd.DataFrame, frame: pd.DataFrame, period: Period, file: str) -> list[Problem]:
    """Measures that do not begin in the quarter; the later wave begins after the first."""
    if "start" not in frame:
        return []
    text = frame["start"].astype("string").fillna("")
    unread = plan["start"].isna() & (text.str.strip() != "")
    inside = plan["start"].between(day(period.start), day(period.end))
    inside |= (plan["wave"] == LATER) & (plan["start"] > day(period.end))
    other = ~inside & plan["start"].notna()
    wrong = text[unread | other.fillna(False)].str.slice(0, 10)
    if wrong.empty:
        return []
    args = {"period": period.name, "first": str(period.start), "last": str(period.end)}
    return [Problem("demo.plan_start", _few(wrong) | args, file)]


def _few(values: pd.Series) -> dict[str, str]:
    """How many rows, which one is the first (from 1, below the header), and what stands there."""
    some = list(dict.fromkeys(values.tolist()))[:SHOWN]
    found = ", ".join(str(v)[:20] for v in some)
    return {"rows": str(len(values)), "row": str(int(values.index[0]) + 1), "found": found}


def as_dates(plan: pd.DataFrame) -> pd.DataFrame:
    """A plan as it is kept in the truth folder: dates instead of day numbers."""
    moments = pd.Timestamp(START) + pd.to_timedelta(plan["start"].astype("Float64"), unit="D")
    dates: list[date | None] = [None if pd.isna(m) else m.date() for m in moments]
    return plan.assign(start=pd.Series(dates, dtype=object, index=plan.index))
