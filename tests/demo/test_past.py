"""What a later quarter may not change: every row of the past, in every export.

Exceptions stand in `KNOWN_LATER`, each with its reason; nothing else may differ.
"""

from __future__ import annotations

import csv
import io
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest

from analysis import demo
from analysis.calendars import Period
from analysis.demo import blocks
from analysis.demo.measures import STRATEGIES

SIZE, SEED = 150, 7
QUARTERS = ("2025Q3", "2025Q4", "2026Q1")
TOTAL = "合计"


def everything(frame: pd.DataFrame, last: pd.Timestamp) -> pd.Series:
    return pd.Series(True, index=frame.index)


def where(column: str, *values: str) -> Callable[[pd.DataFrame, pd.Timestamp], pd.Series]:
    return lambda frame, last: frame[column].isin(values)


@dataclass(frozen=True)
class Later:
    """Cells that are known later.

    Parameters
    ----------
    key
        Columns that name a row.
    columns
        What may change.
    of
        The rows, as they stood before, in which it may.
    """

    key: tuple[str, ...]
    columns: frozenset[str]
    of: Callable[[pd.DataFrame, pd.Timestamp], pd.Series] = field(default=everything)


KNOWN_LATER = {
    # the list of customers shows each one's last deal
    "客户.xlsx": Later(
        ("客户编号",), frozenset({"成交状态", "最后一次成交时间", "最后一次成交金额"})
    ),
    # goods go out and money comes in after the order was placed
    "CRM销售订单.xlsx": Later(
        ("销售订单编号",), frozenset({"已回款金额(元)", "待回款金额(元)", "发货单号"})
    ),
    # an opportunity that is open goes on
    "商机.xlsx": Later(
        ("商机编号",),
        frozenset({"商机阶段", "商机状态", "赢率(%)", "竞争对手", "丢单原因", "阶段变更时间",
                   "最后跟进时间", "结单日期"}),
        where("商机状态", "进行中"),
    ),
    # how long it stayed in its last stage
    "商机阶段记录.csv": Later(
        ("商机编号", "阶段"), frozenset({"停留天数"}), where("停留天数", "")
    ),
    # what became of an offer
    "报价单.csv": Later(
        ("报价单号", "行号"), frozenset({"报价状态"}), where("报价状态", "待确认")
    ),
    # a lead that is looked after goes on
    "销售线索.xlsx": Later(
        ("线索编号",),
        frozenset({"线索阶段", "转MQL时间", "转换时间", "转换客户编号", "线索无效原因",
                   "销售人员退回原因", "转手次数", "是否超时", "负责人编码"}),
        where("线索阶段", "跟进中"),
    ),
    # a ticket that is open is answered, closed and rated
    "售后工单.xlsx": Later(
        ("工单编号",),
        frozenset({"首次响应时间", "完成时间", "处理结果", "满意度"}),
        where("处理结果", "处理中"),
    ),
    # the last show goes on bringing leads until the next one
    "市场活动.csv": Later(
        ("活动编号",),
        frozenset({"参加人数", "线索数"}),
        lambda frame, last: pd.to_datetime(frame["开始日期"]) > last - pd.Timedelta(days=91),
    ),
}  # fmt: skip
# lists of one year: the next year has its own
OF_THE_YEAR = ("财务月报.xlsx", "目标.xlsx", "目标分解.xlsx")
# column that dates a row; the others are lists of what there is
DATES = {
    "CRM销售订单.xlsx": "下单日期",
    "任务": "最迟",
    "动作": "开始日期",
    "发货单": "发货单号",
    "售后工单.xlsx": "受理时间",
    "商机.xlsx": "创建时间",
    "商机阶段记录.csv": "进入时间",
    "外部信号.csv": "日期",
    "客户.xlsx": "创建时间",
    "客户档案_U8.csv": "发展日期",
    "市场活动.csv": "开始日期",
    "报价单.csv": "报价日期",
    "收款单列表.csv": "单据日期",
    "满意度调查.csv": "日期",
    "财务月报.xlsx": "月份",
    "销售发票列表.csv": "开票日期",
    "销售线索.xlsx": "创建时间",
    "销售记录.csv": "互动时间",
}


def read(path: Path) -> pd.DataFrame:
    """Cells as text under their headers, without title and total."""
    if path.suffix == ".xlsx":
        book = openpyxl.load_workbook(path, read_only=True)
        sheet = book.worksheets[0].iter_rows(values_only=True)
        rows = [["" if c is None else str(c) for c in r] for r in sheet]
        book.close()
    else:
        raw = path.read_bytes()
        unicode = raw.startswith(b"\xff\xfe")
        codes = ("utf-16",) if unicode else ("utf-8-sig", "gb18030")
        for code in codes:
            try:
                text = raw.decode(code)
                break
            except UnicodeDecodeError:
                continue
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter="\t" if unicode else ","))
    head = next(n for n, row in enumerate(rows) if sum(map(bool, row)) == max(len(row), 2))
    frame = pd.DataFrame(rows[head + 1 :], columns=rows[head])
    return frame[~frame.isin([TOTAL]).any(axis=1)].reset_index(drop=True)


def dated(name: str, frame: pd.DataFrame) -> pd.Series:
    """The day of each row; nothing where it is dirt or the list has none."""
    column = next((c for start, c in DATES.items() if name.startswith(start)), None)
    if column is None:
        return pd.Series(pd.NaT, index=frame.index)
    text = frame[column].str.slice(2, 10) if column == "发货单号" else frame[column]
    when = pd.to_datetime(text.str.replace(r"[./]", "-", regex=True), errors="coerce",
                          format="mixed")  # fmt: skip
    return when.where(when.between("2005-01-01", "2030-01-01"))


def blanked(frame: pd.DataFrame, later: Later, open_keys: set[tuple[str, ...]]) -> pd.DataFrame:
    """Without the cells that may change, in the rows in which they may."""
    keys = frame[list(later.key)].apply(tuple, axis=1)
    found = frame.copy()
    found.loc[keys.isin(open_keys), sorted(later.columns)] = "?"
    return found


@pytest.fixture(scope="module")
def quarters(tmp_path_factory):
    """The folder after each quarter, under plans that treat everybody somehow."""
    root = tmp_path_factory.mktemp("past")
    folders = [root / QUARTERS[0]]
    demo.write(folders[0], customers=SIZE, seed=SEED)
    codes = blocks.codes(np.arange(1, SIZE + 1), SIZE)
    for name in QUARTERS[1:]:
        plan = pd.DataFrame({"customer_id": codes})
        plan["strategy"] = np.resize(sorted(STRATEGIES), SIZE)
        plan["wave"] = np.resize(["first", "first", "later"], SIZE)
        plan.to_csv(root / f"{name}.csv", index=False)
        shutil.copytree(folders[-1], root / name)
        demo.next_quarter(root / name, root / f"{name}.csv")
        folders.append(root / name)
    return folders


def exports(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.is_file())


@pytest.mark.parametrize("step", [0, 1])
def test_rows_of_the_past_stay_as_they_are(quarters, step):
    before, after = quarters[step : step + 2]
    period = Period.parse(QUARTERS[step])
    last = pd.Timestamp(period.end)
    compared = 0
    for name in exports(before):
        now = f"动作_{period.name}.csv" if name == "上季动作.csv" else name
        if name in OF_THE_YEAR and period.next().end.year != period.end.year:
            continue
        if name.startswith("应收账龄") and not (after / now).exists():
            continue  # the oldest of three
        old, new = read(before / name), read(after / now)
        if name == "目标.xlsx":  # all but revenue has a target for the last quarter only
            old, new = (f[f["指标"] == "发货收入"] for f in (old, new))
        if name in KNOWN_LATER:
            later = KNOWN_LATER[name]
            rows = old[later.of(old, last)]
            keys = set(rows[list(later.key)].itertuples(index=False, name=None))
            old, new = (blanked(frame, later, keys) for frame in (old, new))
        gone = Counter(old.itertuples(index=False, name=None))
        gone.subtract(Counter(new.itertuples(index=False, name=None)))
        lost = [row for row, count in gone.items() if count > 0]
        assert not lost, f"{name}: {len(lost)} rows changed, first {lost[0]}"
        came = {row for row, count in gone.items() if count < 0}
        fresh = new[[row in came for row in new.itertuples(index=False, name=None)]]
        when = dated(now, fresh)
        early = fresh[when.le(last)]
        assert early.empty, f"{name}: {len(early)} rows of the past are new\n{early.head(2)}"
        compared += len(old)
    assert compared > 5000


def test_the_past_is_dated(quarters):
    """The dates by which rows are held apart are really read."""
    for name in exports(quarters[0]):
        if any(name.startswith(start) for start in DATES):
            frame = read(quarters[0] / name)
            assert dated(name, frame).notna().mean() > 0.95, name
