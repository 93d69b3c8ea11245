"""What finance and the board hand out: monthly totals, the year's targets."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
import pandas as pd

from analysis.calendars import Period
from analysis.demo import words
from analysis.demo.accounts import STRANGER
from analysis.demo.company import person_name
from analysis.demo.kinds import HANDED_OVER, START, day

AMBITION = 1.128  # the year's target against the year before
STRETCH = (1.02, 0.985, 1.04, 1.01)  # target against what came in, by quarter
COLLECTED = 0.93  # of the target for money received came in
BASIS = "发货·不含税"
LATE_MONTH, ROUNDED_MONTH = 6, 4
OURS = "ours"
LATE_NOTE = 18_000_000  # fen: the note that finance books a month later is about as large
CUT_OFF = 4  # delivery notes of the last day that finance counts in the next month
# share of a year's target that falls into each month
SEASON = (38, 78, 94, 82, 84, 94, 82, 84, 96, 84, 86, 98)
MONTHS = ("年度目标", *(f"{n}月" for n in range(1, 13)))  # columns of the breakdown
LEAVER = 3  # months that the representative who left has a target for


def booked(cells: pd.DataFrame, as_of: date) -> pd.DataFrame:
    """What a block's customers bought in each month of the year, and what finance books otherwise.

    Returns
    -------
    DataFrame
        ``number`` (of the month), ``reason`` (`OURS` for what we count), ``fen``.
    """
    year = as_of.year
    real = cells[cells["_why"].isin(["", STRANGER])]
    when = np.datetime64(START, "D") + real["_day"].to_numpy().astype("timedelta64[D]")
    month = when.astype("datetime64[M]").astype(np.int64) - (year - 1970) * 12 + 1
    real = real.assign(month=month)
    before = real[real["month"] == 0]
    real = real[real["month"] >= 1]
    ours = real[real["_why"] == ""].groupby("month")["_fen"].sum()
    strange = real[real["_why"] != ""].groupby("month")["_fen"].sum()
    rows: list[tuple[int, str, int]] = [
        (m, "no_crm_number", f)
        for m, f in zip(strange.index.tolist(), strange.tolist(), strict=True)
    ]
    notes = _notes(real[real["_why"] == ""])
    late = notes[(notes["month"] == LATE_MONTH) & (notes["_fen"] > 0)].tail(60)
    if len(late):
        one = late.iloc[int((late["_fen"] - LATE_NOTE).abs().to_numpy().argmin())]
        rows += [(LATE_MONTH, "late_document", -int(one["_fen"]))]
        rows += [(LATE_MONTH + 1, "late_document", int(one["_fen"]))]
    for quarter in cut_offs(as_of):
        own = notes if quarter.end.year == year else _notes(before[before["_why"] == ""])
        number = quarter.end.month if quarter.end.year == year else 0
        last = own[(own["month"] == number) & (own["_fen"] > 0)].tail(CUT_OFF)
        moved = int(last["_fen"].sum())
        rows += [(number, "cut_off", -moved), (number + 1, "cut_off", moved)]
    rows = [row for row in rows if 1 <= row[0] <= as_of.month]
    rows += [(m, OURS, f) for m, f in zip(ours.index.tolist(), ours.tolist(), strict=True)]
    return pd.DataFrame(rows, columns=["number", "reason", "fen"])


def _notes(lines: pd.DataFrame) -> pd.DataFrame:
    """Money of each delivery note, in the order of the days."""
    found = lines.groupby(["month", "_day", "发货单号"], as_index=False)["_fen"].sum()
    return pd.DataFrame(found)


def cut_offs(as_of: date) -> list[Period]:
    """Quarters whose last notes finance counts in the next month, as far as the year's list goes.

    Since the hand-over: the books of the quarters before were made to agree.
    """
    first = Period.parse(HANDED_OVER)
    quarters = [first]
    while quarters[-1].end < as_of:
        quarters.append(quarters[-1].next())
    return [q for q in quarters if q.next().end.year == as_of.year or q.end.year == as_of.year]


def differences(blocks: Sequence[pd.DataFrame], as_of: date) -> pd.DataFrame:
    """Why finance's months are not ours: ``month, ours_fen, finance_fen, reason, fen``.

    One row a month and reason (``""`` where a month agrees); the differences of a month add up to
    finance_fen − ours_fen.

    Parameters
    ----------
    blocks
        As `booked` gives them.
    """
    found = pd.concat(blocks).groupby(["number", "reason"])["fen"].sum().reset_index()
    mine = found["reason"] == OURS
    ours = found[mine].set_index("number")["fen"]
    rows = [(int(m), str(r), int(f)) for m, r, f in found[~mine].itertuples(index=False)]
    if ROUNDED_MONTH in ours.index:
        exact = int(ours[ROUNDED_MONTH]) + sum(f for m, _, f in rows if m == ROUNDED_MONTH)
        rows.append((ROUNDED_MONTH, "rounded", round(exact / 1e6) * 1_000_000 - exact))
    rows += [(int(m), "", 0) for m in ours.index if m not in {r[0] for r in rows}]
    frame = pd.DataFrame(sorted(rows), columns=["number", "reason", "fen"])
    frame["ours_fen"] = frame["number"].map(ours).astype("int64")
    total = frame.groupby("number")["fen"].transform("sum")
    frame["finance_fen"] = frame["ours_fen"] + total
    frame["month"] = [f"{as_of.year}-{m:02d}" for m in frame["number"]]
    return frame[["month", "ours_fen", "finance_fen", "reason", "fen"]]


def controls(found: pd.DataFrame) -> pd.DataFrame:
    """Finance's months.

    Parameters
    ----------
    found
        As `differences` gives them.
    """
    months = found.drop_duplicates("month").reset_index(drop=True)
    fen = months["finance_fen"].to_numpy()
    return pd.DataFrame(
        {
            "月份": months["month"],
            "口径": BASIS,
            "金额(元)": fen / 100,
            "本年累计(元)": np.cumsum(fen) / 100,
            "编制": "总账会计",
            "_why": "",
            "_key": months["month"],
        }
    )


def controls_title(as_of: date) -> str:
    """The lines above finance's months."""
    return f"{words.COMPANY}有限公司\n主营业务收入月报　{as_of.year}年　（财务部）"


def targets(quarters: dict[str, int], goal: int, collected: int, customers: int) -> pd.DataFrame:
    """The year's targets: money in 万元, set a little above what came in.

    Parameters
    ----------
    quarters
        Revenue of the quarters of the last year [fen], by name.
    goal
        Target of that year [万元].
    collected
        Money received in the last quarter [fen].
    customers
        How many the customer list holds.
    """
    rows: list[tuple[str, str, object, str]] = [
        ("发货收入", name, f"{goal:,}万", "元") for name, goal in goals(quarters).items()
    ]
    last = max(quarters)
    rows += [
        ("发货收入", last[:4], f"{goal:,}万", "元"),
        ("回款", last, f"{_round(collected / 1e6 / COLLECTED, 50):,}万", "元"),
        ("毛利率", last, 0.29, "比率"),
        ("老客户留存率", last, 0.88, "比率"),
        ("高价值客户数", last, round(0.14 * customers), "家"),
        ("新客户数", last, round(0.055 * customers), "家"),
        ("客户覆盖率", last, 0.55, "比率"),
        ("满意度", last, 3.8, "分"),
    ]
    frame = pd.DataFrame(rows, columns=["指标", "期间", "目标值", "单位"])
    # how many of them there should be was set for this segment, not for the best of any scheme
    valuable = frame["指标"] == "高价值客户数"
    frame.insert(2, "客户类型", np.where(valuable, "高价值客户", "全部"))
    return frame.assign(_why="", _key=frame["指标"] + "/" + frame["期间"])


def goals(quarters: dict[str, int]) -> dict[str, int]:
    """Revenue targets of the quarters [万元]."""
    stretched = zip(STRETCH, sorted(quarters.items()), strict=False)
    return {name: _round(fen / 1e6 * factor, 50) for factor, (name, fen) in stretched}


def goal(before: int) -> int:
    """Revenue target of a year [万元], set when the year began: from that of the year `before`."""
    return _round(before / 1e6 * AMBITION, 100)


def breakdown(goal: int, books: pd.DataFrame, staff: pd.DataFrame, as_of: date) -> pd.DataFrame:
    """The year's target by representative and month [万元].

    Parameters
    ----------
    goal
        Target of the year [万元].
    books
        As `World.books`.
    """
    selling = staff[staff["role"].isin(["销售代表", "大客户经理"])].reset_index(drop=True)
    # what was sold in the year before: this year's targets were set on it
    before = books[books["month"].str.startswith(f"{as_of.year - 1}-")]
    sold = before.groupby("owner_id")["amount"].sum()
    weight = sold.reindex(selling["person_id"]).fillna(0).clip(lower=0).to_numpy().astype(float)
    own = _split(goal, weight + weight.mean() * 0.1)
    season = np.array(SEASON, dtype=float)
    months = np.array([_split(total, season) for total in own.tolist()])
    region = selling["team"].str.removesuffix("大区").where(selling["team_id"] != "T00", "总部")
    name = selling["name"].to_numpy().astype(object)
    frame = pd.DataFrame({"大区": region, "部门": selling["team"], "业务员": name})
    # somebody left in spring: the customers and the rest of the year went to a colleague
    successor = int(np.nonzero((selling["role"] == "销售代表").to_numpy())[0][0])
    gone = frame.iloc[[successor]].assign(业务员=f"{person_name(len(staff) * 7 + 14)}（已离职）")
    early = np.where(np.arange(12) < LEAVER, months[successor], 0)
    months[successor] -= early
    frame = pd.concat([frame, gone], ignore_index=True)
    months = np.vstack([months, early])
    frame["年度目标"] = months.sum(axis=1)
    for number, header in enumerate(MONTHS[1:]):
        frame[header] = months[:, number]
    place = np.argsort([*range(len(selling)), successor + 0.5], kind="stable")
    frame = frame.iloc[place].reset_index(drop=True)
    return frame.assign(_why="", _key=frame["业务员"])


def breakdown_title(as_of: date) -> str:
    """The line above the breakdown."""
    return f"{as_of.year}年销售目标分解表（发货收入，不含税，单位：万元）"


def received(settled: pd.DataFrame, as_of: date) -> int:
    """Money that came in during the last quarter [fen]."""
    first = date(as_of.year, as_of.month - 2, 1)
    return int(settled.loc[settled["day"].between(day(first), day(as_of)), "fen"].sum())


def _split(total: int, weight: np.ndarray) -> np.ndarray:
    """Whole shares that add up to `total`: the largest remainders are rounded up."""
    exact = total * weight / weight.sum()
    found: np.ndarray = np.floor(exact).astype(np.int64)
    rest = total - int(found.sum())
    found[np.argsort(-(exact - found), kind="stable")[:rest]] += 1
    return found


def _round(value: float, step: int) -> int:
    return round(value / step) * step
