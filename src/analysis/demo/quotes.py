"""Quotes: what was asked for in an opportunity, at list price less a discount."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.demo.cells import money
from analysis.demo.documents import listed
from analysis.demo.funnel import QUOTED, TALKS, Funnel
from analysis.demo.kinds import START
from analysis.demo.population import PORTFOLIO


def quotes(
    funnel: Funnel,
    sold: pd.DataFrame,
    population: pd.DataFrame,
    products: pd.DataFrame,
    known: pd.DataFrame,
    today: int,
    mark: str,
    stream: np.random.Generator,
) -> pd.DataFrame:
    """Quotes of the opportunities that came so far: at list price less a discount.

    Parameters
    ----------
    funnel
        As it runs up to the horizon.
    sold
        Order lines, also of orders that will only be placed.
    population
        All customers up to the horizon.
    """
    asked = _asked(funnel)
    lines = pd.concat(
        [
            _ordered(asked, sold),
            _imagined(asked[asked["order"] < 0], population, products, stream),
        ],
        ignore_index=True,
    )
    lines = lines.sort_values(["when", "quote", "line"], kind="stable", ignore_index=True)
    size = len(lines)
    days = (lines["when"].dt.normalize() - pd.Timestamp(START)).dt.days.to_numpy()
    full = listed(days, lines["product"].to_numpy(), products).to_numpy()
    dearer = np.where(lines["last"], 0.03 * (stream.random(size) < 0.3), 0.03)
    price = lines["price"].to_numpy() * (1 + dearer * stream.random(size))
    price = np.where(lines["order"] >= 0, price, full * (1 - lines["price"].to_numpy()))
    price = np.minimum(np.maximum(np.round(price), 1), full).astype(np.int64)
    order = pd.factorize(lines["quote"])[0]
    number = [f"BJ{d:%y%m}{mark}{n + 1:06d}" for d, n in zip(lines["when"], order, strict=True)]
    lines = lines.assign(number=number, full=full, price=price)
    lines = lines[days <= today].reset_index(drop=True)
    number, full, price = (lines[c].to_numpy() for c in ("number", "full", "price"))
    who = known.iloc[lines["customer"].to_numpy()].reset_index(drop=True)
    ended = lines["deal"].map(funnel.until(today).deals["status"])
    replaced = lines["quote"] < lines.groupby("deal")["quote"].transform("max")
    status = np.where(
        replaced, "已失效", ended.map({"won": "已成交", "open": "待确认"}).fillna("未成交")
    )
    return pd.DataFrame(
        {
            "报价单号": number,
            "行号": lines["line"],
            "报价日期": lines["when"].dt.strftime("%Y-%m-%d"),
            "客户编号": who["number"],
            "客户名称": who["name"],
            "商机编号": lines["opportunity_id"],
            "存货编码": products["code"].to_numpy()[lines["product"]],
            "存货名称": products["name"].to_numpy()[lines["product"]],
            "数量": lines["quantity"],
            "价目表价": money(full),
            "报价单价": money(price),
            "折扣率(%)": np.round(price / full * 100, 1),
            "报价金额": money(price * lines["quantity"].to_numpy()),
            "有效期至": (lines["when"] + pd.Timedelta(days=30)).dt.strftime("%Y-%m-%d"),
            "报价状态": status,
            "报价人编码": who["owner_id"],
            "_why": "",
            "_key": lines["number"] + "/" + lines["line"].astype(str),
        }
    )


def _asked(funnel: Funnel) -> pd.DataFrame:
    """One row a quote: at the stage of the offer, and once more when it is negotiated."""
    steps = funnel.steps[funnel.steps["place"].isin([QUOTED, TALKS])]
    deals = funnel.deals
    found = steps.merge(deals, left_on="deal", right_index=True).reset_index(drop=True)
    found = found[(found["place"] == QUOTED) | (found["deal"] % 3 == 0)].reset_index(drop=True)
    found["last"] = ~found["deal"].duplicated(keep="last")
    return found.assign(quote=np.arange(len(found)))


def _ordered(asked: pd.DataFrame, sold: pd.DataFrame) -> pd.DataFrame:
    """The lines that were ordered later."""
    wanted = sold.loc[
        sold["order"].isin(asked["order"]), ["order", "line", "product", "quantity", "price"]
    ]
    return asked[asked["order"] >= 0].merge(wanted, on="order", how="inner")


def _imagined(
    asked: pd.DataFrame,
    population: pd.DataFrame,
    products: pd.DataFrame,
    stream: np.random.Generator,
) -> pd.DataFrame:
    """Lines of what was never ordered: goods of the customer's kind; ``price`` is the discount."""
    number = stream.integers(1, 4, len(asked))
    found = asked.loc[asked.index.repeat(number)].reset_index(drop=True)
    found["line"] = found.groupby("quote").cumcount() + 1
    portfolio = population[[f"portfolio_{n}" for n in range(PORTFOLIO)]].to_numpy()
    # the same goods in every quote of an opportunity
    found["product"] = portfolio[found["customer"], (found["deal"] + found["line"]) % PORTFOLIO]
    price = products["list_price"].to_numpy()[found["product"]]
    pieces = found.groupby("quote")["line"].transform("max").to_numpy()
    found["quantity"] = np.maximum(np.round(found["fen"] / 113 / pieces / price), 1).astype(
        np.int64
    )
    usual = population["discount"].to_numpy()[found["customer"]]
    found["price"] = usual * np.where(found["last"], 1.15, 0.7)
    return found
