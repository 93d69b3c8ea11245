"""From the lead to the contract: leads, opportunities, the stages they went through, quotes."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.demo import words as places
from analysis.demo.subscription import words
from analysis.demo.subscription.kinds import DAYS
from analysis.demo.subscription.ledger import LOST
from analysis.demo.subscription.population import names
from analysis.demo.workdays import workdays

STAGES: dict[str, tuple[str, ...]] = {
    "新签": ("初步接洽", "需求确认", "方案演示", "报价谈判", "合同审批"),
    "续签": ("到期提醒", "续费沟通", "报价谈判", "合同审批"),
    "增购": ("需求确认", "报价谈判", "合同审批"),
}
WON, GONE, OPEN = "赢单", "输单", "进行中"
MISSED = 0.9  # opportunities that came to nothing, per contract won
STALE = 120  # days after which a lead is given up
LEADS = 3.0  # leads that came to nothing, per new customer
LOSS = ("价格高", "选了其他产品", "项目取消", "联系不上", "功能不满足")
INVALID = ("号码错误", "非目标行业", "重复", "无需求")


def opportunities(
    book: pd.DataFrame, terms: pd.DataFrame, folk: pd.DataFrame, stream: np.random.Generator
) -> pd.DataFrame:
    """Every opportunity of the history.

    Returns
    -------
    DataFrame
        Sorted by day: ``opportunity, customer`` (-1 for a firm that never became one), ``name``
        of the firm, ``kind, opened, closed`` (NaN while open), ``expected, amount`` [fen],
        ``status, stage, reached`` (stages entered), ``reason, owner, contract`` (what it led to),
        ``seats, price, edition``.
    """
    parts = [_won(book, stream), _lapsed(book, stream), _missed(book, folk, stream)]
    frame = pd.concat(parts, ignore_index=True)
    frame["opened"] = workdays(frame["opened"].to_numpy())
    ended = frame["closed"].notna()
    frame.loc[ended, "closed"] = workdays(frame.loc[ended, "closed"].to_numpy())
    frame = frame[(frame["opened"] >= 0) & (frame["opened"] <= DAYS)]
    frame = frame.sort_values(["opened", "kind", "customer", "amount"], ignore_index=True)
    frame["opportunity"] = [f"SJ{n:06d}" for n in range(1, len(frame) + 1)]
    known = frame["customer"] >= 0
    at = frame["customer"].clip(lower=0).to_numpy()
    strangers = names(
        pd.Series(folk["city"].to_numpy()[stream.integers(len(folk), size=len(frame))]),
        pd.Series(np.array(list(places.INDUSTRIES))[stream.integers(8, size=len(frame))]),
        stream,
    )
    frame["name"] = np.where(known, folk["name"].to_numpy()[at], strangers)
    frame["edition"] = folk["edition"].to_numpy()[at]
    sells = np.where(frame["kind"] == "新签", folk["rep_id"].to_numpy()[at], folk["csm_id"][at])
    some = folk["rep_id"].to_numpy()[stream.integers(len(folk), size=len(frame))]
    frame["owner"] = np.where(known, sells, some)
    stages = frame["kind"].map({kind: len(s) for kind, s in STAGES.items()}).to_numpy()
    reached = 1 + np.floor(stream.random(len(frame)) * stages).astype(np.int64)
    frame["reached"] = np.where(frame["status"] == WON, stages, reached)
    last = [STAGES[k][n - 1] for k, n in zip(frame["kind"], frame["reached"], strict=True)]
    frame["stage"] = np.where(frame["status"] == OPEN, last, frame["status"])
    return frame


def _won(book: pd.DataFrame, stream: np.random.Generator) -> pd.DataFrame:
    """Every contract was an opportunity."""
    size = len(book)
    renewal = (book["kind"] == "续签").to_numpy()
    before = np.where(renewal, 45 + 60 * stream.random(size), 15 + 100 * stream.random(size))
    signed = book["signed"].to_numpy()
    return pd.DataFrame(
        {
            "customer": book["customer"], "kind": book["kind"],
            "opened": signed - np.floor(before).astype(np.int64), "closed": signed.astype(float),
            "expected": signed + np.floor(stream.normal(0, 12, size)).astype(np.int64),
            "amount": book["amount"], "status": WON, "reason": "", "contract": book["contract"],
            "seats": book["seats"], "price": book["price"],
        }
    )  # fmt: skip


def _lapsed(book: pd.DataFrame, stream: np.random.Generator) -> pd.DataFrame:
    """Renewals that were lost, or are still being talked about."""
    open_to = ~book["addition"] & (book["successor"] == "") & (book["end"] <= DAYS + 90)
    some = book[open_to]
    lost = (some["status"] == LOST).to_numpy()
    ahead = 60 + np.floor(30 * stream.random(len(some))).astype(np.int64)
    return pd.DataFrame(
        {
            "customer": some["customer"], "kind": "续签", "opened": some["end"] - ahead,
            "closed": np.where(lost, some["confirmed"], np.nan), "expected": some["end"],
            "amount": some["arr"], "status": np.where(lost, GONE, OPEN),
            "reason": some["reason"], "contract": "", "seats": some["seats"],
            "price": some["price"],
        }
    )  # fmt: skip


def _missed(book: pd.DataFrame, folk: pd.DataFrame, stream: np.random.Generator) -> pd.DataFrame:
    """New business that came to nothing or is still open, and additions that were not sold."""
    tried = book[book["kind"] != "续签"]
    size = round(MISSED * len(tried))
    some = tried.iloc[stream.integers(len(tried), size=size)]
    opened = np.floor(DAYS * stream.random(size)).astype(np.int64)
    closed = opened + np.floor(20 + 130 * stream.random(size))
    still = closed > DAYS
    new = (some["kind"] == "新签").to_numpy()
    pilots = np.nonzero(folk["on_trial"].to_numpy())[0]
    customer = np.where(new, -1, some["customer"].to_numpy())
    # whoever is trying the product is an open opportunity
    free = np.nonzero(new & still)[0][: len(pilots)]
    customer[free] = pilots[: len(free)]
    seats, price, amount = (some[name].to_numpy().copy() for name in ("seats", "price", "amount"))
    price[free] = folk["price"].to_numpy()[customer[free]]
    amount[free] = seats[free] * price[free]
    return pd.DataFrame(
        {
            "customer": customer, "kind": some["kind"].to_numpy(), "opened": opened,
            "closed": np.where(still, np.nan, closed),
            "expected": opened + 30 + np.floor(90 * stream.random(size)).astype(np.int64),
            "amount": amount, "status": np.where(still, OPEN, GONE),
            "reason": np.where(still, "", np.array(LOSS)[stream.integers(len(LOSS), size=size)]),
            "contract": "", "seats": seats, "price": price,
        }
    )  # fmt: skip


def stages(chances: pd.DataFrame, stream: np.random.Generator) -> pd.DataFrame:
    """When each opportunity entered each stage: ``opportunity, stage, minute`` (since `START`)."""
    reached = chances["reached"].to_numpy()
    row = np.repeat(np.arange(len(chances)), reached)
    nth = np.arange(len(row)) - np.repeat(np.cumsum(reached) - reached, reached)
    opened = chances["opened"].to_numpy()
    until = np.where(np.isnan(chances["closed"]), DAYS, chances["closed"].to_numpy())
    # the stages in between at random, in their order
    share = np.sort(np.where(nth == 0, 0, stream.random(len(row))) + row, kind="stable") - row
    begin = opened[row] + share * np.maximum(until - opened, 0)[row]
    minute = workdays(np.floor(begin)) * 1440 + 540 + np.floor(begin % 1 * 500)
    minute = pd.Series(minute).groupby(row).cummax().to_numpy() + nth
    name = [STAGES[kind][n] for kind, n in zip(chances["kind"].to_numpy()[row], nth, strict=True)]
    number = chances["opportunity"].to_numpy()
    inside = pd.DataFrame({"opportunity": number[row], "stage": name, "minute": minute, "row": row})
    over = np.nonzero((chances["status"] != OPEN).to_numpy())[0]
    ended = pd.DataFrame(
        {
            "opportunity": number[over],
            "stage": chances["status"].to_numpy()[over],
            "minute": until[over] * 1440 + 1050,
            "row": over,
        }
    )
    both = pd.concat([inside, ended]).sort_values(["row", "minute"], ignore_index=True)
    return both.astype({"minute": "int64"}).drop(columns="row")


def quotes(chances: pd.DataFrame, folk: pd.DataFrame, history: pd.DataFrame) -> pd.DataFrame:
    """A quote for every customer's opportunity that came to talking about the price.

    Returns
    -------
    DataFrame
        ``quote, opportunity, customer, minute, edition, seats, price, listed`` [fen].
    """
    talked = history[history["stage"] == "报价谈判"].set_index("opportunity")["minute"]
    some = chances[chances["opportunity"].isin(talked.index) & (chances["customer"] >= 0)].copy()
    some["minute"] = talked[some["opportunity"]].to_numpy()
    some["listed"] = some["edition"].map({e: price for e, (price, _) in words.EDITIONS.items()})
    some = some.sort_values(["minute", "opportunity"], ignore_index=True)
    some["quote"] = [f"BJ{n:06d}" for n in range(1, len(some) + 1)]
    columns = ["quote", "opportunity", "customer", "minute", "edition", "seats", "price", "listed"]
    return some[columns]


def leads(chances: pd.DataFrame, folk: pd.DataFrame, stream: np.random.Generator) -> pd.DataFrame:
    """Leads: those that became an opportunity for new business, and many that did not.

    Returns
    -------
    DataFrame
        Sorted by day: ``lead, customer`` (-1 for nobody), ``opportunity`` (or empty), ``name,
        source, created, stage, converted`` (day, NaN without), ``owner, reason``.
    """
    came = chances[chances["kind"] == "新签"]
    came = came[stream.random(len(came)) < 0.8]
    size = len(came)
    none = round(LEADS * int((came["status"] == WON).sum()))
    owner = folk["rep_id"].to_numpy()[stream.integers(len(folk), size=none)]
    created = np.floor(DAYS * stream.random(none)).astype(np.int64)
    # nobody looks after a lead for longer than a few months
    kept = (created > DAYS - STALE) & (stream.random(none) < 0.5)
    pick = stream.integers(len(folk), size=none)
    frame = pd.concat(
        [
            pd.DataFrame(
                {
                    "customer": came["customer"], "opportunity": came["opportunity"],
                    "name": came["name"],
                    "created": came["opened"] - stream.integers(1, 40, size),
                    "stage": "已转换", "converted": came["opened"].astype(float),
                    "owner": came["owner"], "reason": "",
                }
            ),
            pd.DataFrame(
                {
                    "customer": -1, "opportunity": "",
                    "name": names(
                        folk["city"].iloc[pick],
                        pd.Series(np.array(list(places.INDUSTRIES))[pick % 8]),
                        stream,
                    ),
                    "created": created,
                    "stage": np.where(kept, "跟进中", "无效"), "converted": np.nan,
                    "owner": owner,
                    "reason": np.where(kept, "", np.array(INVALID)[pick % len(INVALID)]),
                }
            ),
        ]
    )  # fmt: skip
    source = np.array(words.SOURCES)[stream.integers(len(words.SOURCES), size=len(frame))]
    own = folk["source"].to_numpy()[frame["customer"].clip(lower=0)]
    frame["source"] = np.where(frame["customer"] >= 0, own, source)
    frame = frame[frame["created"] >= 0]
    frame = frame.sort_values(["created", "name", "opportunity"], ignore_index=True)
    frame["lead"] = [f"XS{n:06d}" for n in range(1, len(frame) + 1)]
    return frame
