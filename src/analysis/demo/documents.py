"""The order export: clean documents, and the dirt that such exports carry.

Every dirty row is an addition: the clean rows are the truth, to the fen.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import numpy as np
import pandas as pd

from analysis.demo import cells
from analysis.demo.kinds import HORIZON, START, day

# rule that should remove the row → rows per order line; at least `LEAST` of each
RATES: dict[str, float] = {
    "voided": 0.006,
    "unknown_customer": 0.003,
    "missing_customer": 0.002,
    "implausible_dates": 0.001,
    "after_as_of": 0.001,
    "unreadable_number": 0.0005,
    "unreadable_date": 0.0005,
    "test_accounts": 0.0003,
}
REPEATED = 0.004
GIFTS = 0.005
LEAST = 3
TEST_IDS = ("KH990001", "KH990002", "KH990003", "KH990004")


def documents(
    sold: pd.DataFrame,
    returned: pd.DataFrame,
    population: pd.DataFrame,
    products: pd.DataFrame,
    mark: str,
    stream: np.random.Generator,
) -> pd.DataFrame:
    """All order lines as they stand in the export, dirty ones among them.

    Parameters
    ----------
    sold, returned
        As `ordering.lines` and `ordering.returns` give them.
    mark
        Of the block of customers, within the document numbers.

    Returns
    -------
    DataFrame
        Cells under the export's headers, ``_day`` (day number under which it is filed), ``_why``
        and ``_key``.
    """
    clean = pd.concat(
        [sold.assign(sort=0, back=False), returned.assign(sort=1, back=True)], ignore_index=True
    )
    clean["why"] = ""
    dirty = [_dirty(rule, rate, sold, stream) for rule, rate in RATES.items()]
    frame = pd.concat([clean, _gifts(sold, stream), *dirty], ignore_index=True)
    frame = frame.sort_values(["day", "sort", "order", "line"], kind="stable", ignore_index=True)
    frame["number"] = _numbers(frame, mark)
    frame = _repeat(frame, stream)
    return _cells(frame, population, products, stream)


def _dirty(rule: str, rate: float, sold: pd.DataFrame, stream: np.random.Generator) -> pd.DataFrame:
    """Documents of one line that `rule` should remove, like real ones but for their fault."""
    number = min(max(LEAST, round(rate * len(sold))), len(sold))
    some = sold.iloc[np.sort(stream.choice(len(sold), size=number, replace=False))].copy()
    unit = some["cost"].to_numpy() // some["quantity"].to_numpy()
    quantity = some["quantity"].to_numpy() + stream.integers(1, 9, number)
    some["quantity"] = quantity
    some["amount"] = quantity * some["price"].to_numpy()
    some["cost"] = quantity * unit
    some["order"] = np.arange(number)
    some["line"] = 1
    return some.assign(sort=2 + list(RATES).index(rule), back=False, why=rule)


def _gifts(sold: pd.DataFrame, stream: np.random.Generator) -> pd.DataFrame:
    """Free samples as one more line of a real order."""
    last = sold[~sold["order"].duplicated(keep="last")]
    number = max(LEAST, round(GIFTS * len(sold)))
    number = min(number, len(last))
    gift = last.iloc[np.sort(stream.choice(len(last), size=number, replace=False))].copy()
    gift["line"] += 1
    gift["cost"] = gift["cost"].to_numpy() // gift["quantity"].to_numpy()
    gift["quantity"] = 1
    gift[["price", "amount"]] = 0
    return gift.assign(sort=0, back=False, why="zero_amount")


def _numbers(frame: pd.DataFrame, mark: str) -> np.ndarray:
    """Document numbers: kind, day, running number of the day."""
    document = pd.Series(frame["sort"].to_numpy() * 10**10 + frame["order"].to_numpy())
    first = ~document.duplicated().to_numpy()
    running = pd.Series(first).groupby(frame["day"].to_numpy()).cumsum().to_numpy()
    own = pd.Series(running[first], index=document[first])
    kind = np.where(frame["back"], "TH", "FH").astype(object)
    return cells.numbered(kind, frame["day"], mark, document.map(own).to_numpy())


def _repeat(frame: pd.DataFrame, stream: np.random.Generator) -> pd.DataFrame:
    """Some clean lines stand twice, one below the other."""
    clean = np.nonzero((frame["why"] == "").to_numpy())[0]
    number = max(LEAST, round(REPEATED * len(clean)))
    again = np.sort(stream.choice(clean, size=number, replace=False))
    copies = frame.iloc[again].assign(why="repeated_lines")
    copies.index = pd.Index(again)
    both = pd.concat([frame, copies])
    return both.sort_index(kind="stable").reset_index(drop=True)


def _cells(
    frame: pd.DataFrame,
    population: pd.DataFrame,
    products: pd.DataFrame,
    stream: np.random.Generator,
) -> pd.DataFrame:
    """The words and figures of the export."""
    why = frame["why"].to_numpy()
    customer = frame["customer"].to_numpy()
    code = population["customer_id"].to_numpy().astype(object)[customer]
    name = population["name"].to_numpy().astype(object)[customer]
    size = len(frame)
    drawn = stream.random(size)
    unknown = why == "unknown_customer"
    code[unknown] = [f"KH9{int(u * 80000):05d}" for u in drawn[unknown]]
    name[unknown] = ""
    code[why == "missing_customer"] = ""
    test = why == "test_accounts"
    code[test] = np.array(TEST_IDS, dtype=object)[np.arange(int(test.sum())) % len(TEST_IDS)]
    name[test] = "测试客户"
    dates = cells.dates(frame["day"])
    dates[why == "implausible_dates"] = "1900-01-01"
    dates[why == "after_as_of"] = "2035-03-15"
    dates[why == "unreadable_date"] = "待确认"
    amount = cells.money(frame["amount"])
    amount[why == "unreadable_number"] = "待定"
    product = frame["product"].to_numpy()
    found = pd.DataFrame(
        {
            "发货单号": frame["number"].to_numpy(),
            "行号": frame["line"].to_numpy(),
            "发货日期": dates,
            "客户编码": code,
            "客户名称": name,
            "存货编码": products["code"].to_numpy()[product],
            "存货名称": products["name"].to_numpy()[product],
            "存货分类": products["category"].to_numpy()[product],
            "数量": frame["quantity"].to_numpy(),
            "无税单价": cells.money(frame["price"]),
            "本币无税金额": amount,
            "成本金额": cells.money(frame["cost"]),
            "业务员编码": population["owner_id"].to_numpy()[customer],
            "单据状态": np.where(why == "voided", "作废", "已审核"),
            "退货标志": np.where(frame["back"], "是", "否"),
        }
    )
    found["_day"] = frame["day"].to_numpy()
    found["_why"] = why
    found["_key"] = found["发货单号"] + "/" + found["行号"].astype(str)
    found["_fen"] = frame["amount"].to_numpy()
    return found


def files(found: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """One export for two years each, by the years in its name."""
    parts = []
    for year in range(START.year, HORIZON.year + 1, 2):
        first, end = (max(day(date(y, 1, 1)), 0) for y in (year, year + 2))
        here = found[found["_day"].between(first, end - 1)].reset_index(drop=True)
        if len(here):
            parts.append((f"{year}-{year + 1}", here))
    return parts


def total(found: pd.DataFrame) -> dict[str, object]:
    """The last row of an export."""
    revenue = Decimal(int(found["_fen"].sum())).scaleb(-2)
    return {"发货单号": "合计", "数量": int(found["数量"].sum()), "本币无税金额": revenue}
