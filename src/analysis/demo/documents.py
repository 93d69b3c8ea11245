"""The delivery lists of the ERP: clean documents, and the dirt that such exports carry.

Every dirty row is an addition: the clean rows are the truth, to the fen.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import numpy as np
import pandas as pd

from analysis.demo.accounts import ORDERS_BY, STRANGER
from analysis.demo.cells import TOTAL, money, numbered
from analysis.demo.cells import dates as dates_of
from analysis.demo.kinds import DAYS, HORIZON, KINDS, START, day

# rule that should remove the row → rows per order line; at least `LEAST` of each
RATES: dict[str, float] = {
    "voided": 0.006,
    STRANGER: 0.003,
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
TAX = 13  # per cent
LATE = {"delivery": 0.34}  # share of the documents that leave after the promised day, by pain
SELDOM_LATE = 0.09
UNAUDITED = 0.4  # of the documents that do not count


def documents(
    sold: pd.DataFrame,
    returned: pd.DataFrame,
    known: pd.DataFrame,
    products: pd.DataFrame,
    mark: str,
    stream: np.random.Generator,
) -> pd.DataFrame:
    """All order lines as they stand in the export, dirty ones among them.

    Parameters
    ----------
    sold, returned
        As `ordering.lines` and `ordering.returns` give them.
    known
        As `accounts.accounts` gives them.
    mark
        Of the block of customers, within the document numbers.

    Returns
    -------
    DataFrame
        Cells under the export's headers; ``_day`` (day number under which it is filed), ``_why``,
        ``_key``; ``_account`` (row of `known`), ``_back``, ``_order`` and ``_line`` (of `sold` or
        `returned`), ``_fen`` and ``_gross`` (without and with tax).
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
    return _cells(frame, known, products, stream)


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
    return numbered(kind, frame["day"], mark, document.map(own).to_numpy())


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
    known: pd.DataFrame,
    products: pd.DataFrame,
    stream: np.random.Generator,
) -> pd.DataFrame:
    """The words and figures of the export."""
    why = frame["why"].to_numpy()
    account = _accounts(frame, known)
    code = known[ORDERS_BY].to_numpy().astype(object)[account]
    code[why == "missing_customer"] = ""
    dates = dates_of(frame["day"])
    dates[why == "implausible_dates"] = "1900-01-01"
    dates[why == "after_as_of"] = "2035-03-15"
    dates[why == "unreadable_date"] = "待确认"
    fen = frame["amount"].to_numpy()
    gross = with_tax(fen)
    net, total = money(frame["amount"]), money(pd.Series(gross))
    for typed in (net, total):
        typed[why == "unreadable_number"] = "待定"
    product = frame["product"].to_numpy()
    status = np.where(stream.random(len(frame)) < UNAUDITED, "未审核", "作废")
    cells = pd.DataFrame(
        {
            "发货单号": frame["number"].to_numpy(),
            "行号": frame["line"].to_numpy(),
            "发货日期": dates,
            "预发货日期": _promised(frame, known["kind"].to_numpy()[account], stream),
            "客户编码": code,
            "客户名称": known["name"].to_numpy()[account],
            "存货编码": products["code"].to_numpy()[product],
            "存货名称": products["name"].to_numpy()[product],
            "存货分类": products["category"].to_numpy()[product],
            "数量": frame["quantity"].to_numpy(),
            "价目表价": money(listed(frame["day"].to_numpy(), product, products)),
            "无税单价": money(frame["price"]),
            "含税单价": money(pd.Series(with_tax(frame["price"].to_numpy()))),
            "本币无税金额": net,
            "本币税额": money(pd.Series(gross - fen)),
            "本币价税合计": total,
            "成本金额": money(frame["cost"]),
            "业务员编码": known["owner_id"].to_numpy()[account],
            "单据状态": np.where(why == "voided", status, "已审核"),
            "退货标志": np.where(frame["back"], "是", "否"),
        }
    )
    notes = {"day": "day", "back": "back", "order": "order", "line": "line", "fen": "amount"}
    for name, column in notes.items():
        cells[f"_{name}"] = frame[column].to_numpy()
    cells["_why"] = why
    cells["_key"] = cells["发货单号"] + "/" + cells["行号"].astype(str)
    cells["_account"], cells["_gross"] = account, gross
    return cells


def _accounts(frame: pd.DataFrame, known: pd.DataFrame) -> np.ndarray:
    """Row of `known` of each document line; documents of strangers and tests go to theirs."""
    why = frame["why"].to_numpy()
    account = frame["customer"].to_numpy().copy()
    for rule, kind in ((STRANGER, "stranger"), ("test_accounts", "test")):
        rows = np.nonzero((known["kind"] == kind).to_numpy())[0]
        here = why == rule
        account[here] = rows[np.arange(int(here.sum())) % len(rows)]
    return account


def _promised(frame: pd.DataFrame, kind: np.ndarray, stream: np.random.Generator) -> np.ndarray:
    """The day each document was promised for: some leave late, those who complain of it more."""
    number, first = np.unique(frame["number"].to_numpy(), return_index=True)
    pain = {k.key: k.pain for k in KINDS}
    share = np.array([LATE.get(pain.get(k, ""), SELDOM_LATE) for k in kind[first]])
    late = stream.random(len(number)) < share
    days = np.where(late, -stream.integers(1, 13, len(number)), stream.integers(0, 4, len(number)))
    of = np.searchsorted(number, frame["number"].to_numpy())
    shift = np.where(frame["back"], 0, days[of])
    return dates_of(frame["day"] + shift)


def listed(days: np.ndarray, product: np.ndarray, products: pd.DataFrame) -> pd.Series:
    """The price list of the year [fen]: revised once a year, valid from January."""
    year = (np.datetime64(START, "D") + days.astype("timedelta64[D]")).astype("datetime64[Y]")
    middle = (year.astype("datetime64[D]") + 181 - np.datetime64(START, "D")).astype(np.int64)
    price = products["list_price"].to_numpy()[product] * 1.012 ** ((middle - DAYS) / 365.0)
    return pd.Series(np.round(price * 100).astype(np.int64))


def with_tax(fen: np.ndarray) -> np.ndarray:
    """Money with tax; the tax of each line is rounded by itself, half away from zero."""
    tax = np.sign(fen) * ((np.abs(fen) * TAX + 50) // 100)
    return np.asarray(fen + tax)


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
    sums = {"本币无税金额": "_fen", "本币价税合计": "_gross"}
    return {
        "发货单号": TOTAL,
        "数量": int(found["数量"].sum()),
        **{name: Decimal(int(found[fen].sum())).scaleb(-2) for name, fen in sums.items()},
    }
