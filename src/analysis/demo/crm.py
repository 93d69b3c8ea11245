"""Lists of the CRM: opportunities, their stages, the orders of the year."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd

from analysis.demo.cells import numbered
from analysis.demo.funnel import STAGES, Funnel
from analysis.demo.kinds import START, day
from analysis.demo.ledger import Ledger

ENDS = {"won": "赢单", "lost": "输单", "void": "无效", "open": "进行中"}
ORDERS_SINCE = day(date(2025, 1, 1))


def opportunities(
    funnel: Funnel, population: pd.DataFrame, known: pd.DataFrame, today: int
) -> pd.DataFrame:
    """The list of opportunities.

    Parameters
    ----------
    funnel
        As it stands on the evening of `today`.
    known
        As `accounts.accounts` gives them.
    """
    deals = funnel.deals
    who = known.iloc[deals["customer"].to_numpy()].reset_index(drop=True)
    moments = funnel.steps.groupby("deal")["when"]
    last = moments.max().to_numpy()
    place = deals["reached"].to_numpy()
    status = deals["status"].map(ENDS).to_numpy()
    still = (deals["status"] == "open").to_numpy()
    hope = np.clip(15 + 14 * place + deals["hope"].to_numpy() * 5, 5, 95)
    first = ~deals["customer"].duplicated() & (
        population["kind"].to_numpy()[deals["customer"]] == "new"
    )
    evening = np.datetime64(START, "m") + np.timedelta64(today * 1440 + 1080, "m")
    later = deals["heard"].to_numpy().astype("timedelta64[D]")
    # whoever has won or lost has no more to talk about
    heard = np.where(still, np.minimum(last + later, np.maximum(evening, last)), last)
    return pd.DataFrame(
        {
            "商机编号": deals["opportunity_id"],
            "商机名称": who["name"].str.removesuffix("有限公司") + "-" + deals["source"],
            "客户编号": who["number"],
            "客户名称": who["name"],
            "商机金额(元)": deals["fen"] // 100,
            "商机类型": np.where(first, "新客户首单", "老客户增购"),
            "商机来源": deals["source"],
            "商机阶段": np.where(still, np.array(STAGES)[place], status),
            "商机状态": status,
            "赢率(%)": np.where(status == "赢单", 100, np.where(still, hope, 0)),
            "预计成交日期": _days(deals["expected"]),
            "竞争对手": np.where(deals["status"] == "won", "", deals["rival"]),
            "丢单原因": np.where(still, "", deals["reason"]),
            "创建时间": _moments(moments.min().to_numpy()),
            "阶段变更时间": _moments(last),
            "最后跟进时间": _moments(heard),
            "结单日期": np.where(still, "", _days(deals["closed"])),
            "负责人编码": who["owner_id"],
            "_why": "",
            "_key": deals["opportunity_id"],
        }
    )


def stage_history(funnel: Funnel, known: pd.DataFrame) -> pd.DataFrame:
    """Every step of every opportunity, in the order in which they were taken."""
    steps = funnel.steps
    deal = steps["deal"].to_numpy()
    names = np.array([*STAGES, ""], dtype=object)[steps["place"]]
    ended = steps["place"] == len(STAGES)
    names = np.where(ended, funnel.deals["status"].map(ENDS).to_numpy()[deal], names)
    stayed = steps.groupby("deal")["when"].diff(-1).abs().dt.days
    frame = pd.DataFrame(
        {
            "商机编号": funnel.deals["opportunity_id"].to_numpy()[deal],
            "阶段": names,
            "进入时间": steps["when"].dt.strftime("%Y-%m-%d %H:%M").to_numpy(),
            "停留天数": stayed.astype("Int64").astype("string").fillna("").to_numpy(dtype=object),
            "变更人编码": known["owner_id"].to_numpy()[funnel.deals["customer"].to_numpy()[deal]],
            "_why": "",
            "_when": steps["when"],
        }
    )
    frame["_key"] = frame["商机编号"] + "/" + frame["阶段"]
    return frame.sort_values(["_when", "商机编号"], kind="stable", ignore_index=True)


def orders(
    placed: pd.DataFrame,
    funnel: Funnel,
    ledger: Ledger,
    notes: pd.Series,
    known: pd.DataFrame,
    today: int,
    mark: str,
) -> pd.DataFrame:
    """Orders of the year as the CRM has them: on the day they were placed, with tax.

    Parameters
    ----------
    placed
        As `funnel.placed` gives them.
    funnel
        As it stands on the evening of `today`.
    notes
        Number of the delivery note by order, of those that have gone out.
    """
    found = placed[placed["placed"].between(ORDERS_SINCE, today)]
    found = found.sort_values(["placed", "order"], kind="stable", ignore_index=True)
    of_order = ledger.invoices["order"].to_numpy()[ledger.settled["invoice"]]
    paid = ledger.settled["fen"][of_order >= 0].groupby(of_order[of_order >= 0]).sum()
    came = found["order"].map(paid).fillna(0).astype("int64")
    deals = funnel.deals[funnel.deals["order"] >= 0].set_index("order")["opportunity_id"]
    who = known.iloc[found["customer"].to_numpy()].reset_index(drop=True)
    running = (found.groupby("placed").cumcount() + 1).to_numpy()
    number = numbered(np.full(len(found), "DD", dtype=object), found["placed"], mark, running)
    return pd.DataFrame(
        {
            "销售订单编号": number,
            "客户编号": who["number"],
            "客户名称": who["name"],
            "商机编号": found["order"].map(deals).fillna(""),
            "下单日期": _days(found["placed"]),
            "销售订单金额(元)": found["fen"] / 100,
            "产品合计": found["fen"] / 100,
            "已回款金额(元)": came / 100,
            "待回款金额(元)": (found["fen"] - came) / 100,
            "发货单号": found["order"].map(notes).fillna(""),
            "生命状态": "正常",
            "负责人编码": who["owner_id"],
            "_why": "",
            "_key": number,
        }
    )


def notes(cells: pd.DataFrame) -> pd.Series:
    """Number of the delivery note by order.

    Parameters
    ----------
    cells
        As `documents.documents` gives them.
    """
    real = cells.loc[(cells["_why"] == "") & ~cells["_back"], ["_order", "发货单号"]]
    return real.drop_duplicates("_order").set_index("_order")["发货单号"]


def _days(days: pd.Series) -> np.ndarray:
    """Dates."""
    when = np.datetime64(START, "D") + days.to_numpy().astype("timedelta64[D]")
    return np.asarray(when.astype(object))


def _moments(when: np.ndarray) -> np.ndarray:
    """Moments as Python has them."""
    return np.asarray(when.astype("datetime64[s]").astype(object))
