"""From the first talk to the contract: opportunities, their stages, orders of the CRM.

Part of the orders come out of an opportunity; more are lost; some stand open, and of these some
have stalled: nothing has moved for months and the expected day has passed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from analysis.demo.kinds import KINDS, START, day
from analysis.demo.ledger import Ledger
from analysis.demo.ordering import workdays

STAGES = ("初步接洽", "需求确认", "方案报价", "样品验证", "商务谈判", "合同签订")
QUOTED, SAMPLE, TALKS = 2, 3, 4  # places in `STAGES`
ENDS = {"won": "赢单", "lost": "输单", "void": "无效", "open": "进行中"}
FIRST = day(date(2023, 7, 1))  # since then opportunities have been kept in the CRM
CRM_ORDERS = day(date(2025, 1, 1))
# share of the orders that come out of an opportunity; how often an opportunity is lost
WON = {"project": 0.75, "annual": 0.5, "new": 0.22, "growing": 0.12, "key": 0.04, "turned": 0.04}
TRIED = {"project": 5.0, "key": 2.0, "growing": 2.5, "annual": 1.5, "new": 1.5, "trial": 2.0}
LOST, VOID, OPEN, STALLED = 1.3, 0.08, 0.22, 0.22
LEAST = 2_000_000  # fen: smaller orders need no opportunity
QUIET = 120  # days without a step after which an opportunity has stalled
REASONS = {
    "price": "价格高",
    "delivery": "交期满足不了",
    "response": "服务响应跟不上",
    "quality": "质量有顾虑",
    "coordination": "关系没做到位",
}
OTHER_REASONS = ("客户项目取消", "沿用原供应商", "预算被砍", "技术方案不符", "价格高")
RIVALS = ("外资品牌", "本地贸易商", "同行低价", "客户自制", "", "")
SOURCES = ("老客户新需求", "老客户介绍", "展会", "官网", "招投标", "自主开发")


@dataclass(frozen=True)
class Funnel:
    """What is in the pipeline, and what became of it.

    Attributes
    ----------
    deals
        ``opportunity_id, customer, status`` (key of `ENDS`), ``stalled, created, closed`` (day
        numbers; -1 while open), ``expected, reached`` (place in `STAGES`), ``order`` (of the lines
        sold, else -1), ``fen`` with tax, ``reason``.
    steps
        ``deal`` (row of `deals`), ``place`` (in `STAGES`; its length for the end), ``when``.
    orders
        Every order sold: ``order, customer, note, shipped, placed`` (day numbers), ``fen`` with
        tax.
    """

    deals: pd.DataFrame
    steps: pd.DataFrame
    orders: pd.DataFrame


def follow(
    cells: pd.DataFrame,
    population: pd.DataFrame,
    today: int,
    mark: str,
    stream: np.random.Generator,
) -> Funnel:
    """Everything that went through the funnel since `FIRST`.

    Parameters
    ----------
    cells
        As `documents.documents` gives them.
    mark
        Of the block of customers, within the numbers.
    """
    orders = _orders(cells, stream)
    won = _won(orders, population, stream)
    other = _other(len(won), population, today, stream)
    deals = pd.concat([won, other], ignore_index=True)
    deals = deals.sort_values(["created", "customer"], kind="stable", ignore_index=True)
    deals.insert(0, "opportunity_id", [f"SJ{mark}{n:06d}" for n in range(1, len(deals) + 1)])
    return Funnel(deals, _steps(deals, today, stream), orders)


def _orders(cells: pd.DataFrame, stream: np.random.Generator) -> pd.DataFrame:
    """Orders as the customer placed them, some weeks before the goods left."""
    real = cells[(cells["_why"] == "") & ~cells["_back"]]
    found = real.groupby("_order", sort=True).agg(
        customer=("_account", "first"),
        note=("发货单号", "first"),
        shipped=("_day", "first"),
        fen=("_gross", "sum"),
    )
    found = found.rename_axis("order").reset_index()
    found["placed"] = workdays(found["shipped"].to_numpy() - stream.integers(3, 26, len(found)))
    return found


def _won(
    orders: pd.DataFrame, population: pd.DataFrame, stream: np.random.Generator
) -> pd.DataFrame:
    kind = population["kind"].to_numpy()[orders["customer"]]
    share = np.array([WON.get(k, 0.015) for k in kind])
    joined = _joined(population)[orders["customer"]]
    drawn = stream.random(len(orders)) < share
    taken = drawn & (orders["fen"] >= LEAST) & (orders["placed"] >= np.maximum(joined + 4, FIRST))
    found = orders[taken].reset_index(drop=True)
    closed = found["placed"].to_numpy()
    length = 8 + stream.gamma(2.2, 26.0, len(found))
    guess = found["fen"].to_numpy() * np.exp(stream.normal(0.04, 0.12, len(found)))
    return pd.DataFrame(
        {
            "customer": found["customer"],
            "status": "won",
            "stalled": False,
            "created": np.maximum(closed - np.ceil(length), joined[taken] + 1).astype(np.int64),
            "closed": closed,
            "expected": closed + np.round(stream.normal(-4, 14, len(found))).astype(np.int64),
            "reached": len(STAGES) - 1,
            "order": found["order"],
            "fen": _typed(guess),
            "reason": "",
        }
    )


def _other(
    won: int, population: pd.DataFrame, today: int, stream: np.random.Generator
) -> pd.DataFrame:
    """Lost, void and open ones."""
    number = {"lost": round(LOST * won), "void": round(VOID * won)}
    number["open"] = max(10, round(OPEN * (won + sum(number.values()))))
    status = np.repeat(list(number), list(number.values()))
    size = len(status)
    kind = population["kind"].to_numpy()
    weight = np.array([TRIED.get(k, 0.5) for k in kind])
    customer = stream.choice(len(population), size=size, p=weight / weight.sum())
    low = np.maximum(_joined(population)[customer], FIRST)
    still = status == "open"
    stalled = still & (stream.random(size) < STALLED) & (low < today - 2 * QUIET)
    closed = workdays(np.minimum(low + 3 + np.floor(stream.random(size) * (today - low)), today))
    length = 6 + stream.gamma(2.0, 30.0, size)
    age = 4 + np.floor(110 * stream.random(size) ** 1.3)
    slept = QUIET + 40 + np.floor(220 * stream.random(size))
    created = np.where(stalled, today - slept - 60, np.where(still, today - age, closed - length))
    created = np.minimum(np.maximum(np.floor(created), low), closed - 1)
    created = np.where(
        still, np.maximum(np.where(stalled, today - slept - 60, today - age), low), created
    )
    late = np.round(stream.normal(5, 20, size))
    ahead = np.where(stalled, -stream.integers(20, 160, size), stream.integers(5, 120, size))
    yearly = np.maximum(population["yearly"].to_numpy()[customer], 60_000)
    guess = yearly * np.exp(stream.normal(-1.6, 0.7, size)) * 113
    pain = {k.key: k.pain for k in KINDS}
    main = np.array([REASONS[pain[k]] for k in kind[customer]])
    second = np.array(OTHER_REASONS)[stream.integers(len(OTHER_REASONS), size=size)]
    reason = np.where(stream.random(size) < 0.55, main, second)
    most = np.where(still, np.clip(age // 18, 0, TALKS), TALKS)
    reached = np.floor(stream.random(size) * (most + 1))
    return pd.DataFrame(
        {
            "customer": customer,
            "status": status,
            "stalled": stalled,
            "created": created.astype(np.int64),
            "closed": np.where(still, -1, closed).astype(np.int64),
            "expected": np.where(still, today + ahead, closed + late).astype(np.int64),
            "reached": np.where(stalled, np.clip(reached, 1, SAMPLE), reached).astype(np.int64),
            "order": -1,
            "fen": _typed(guess),
            "reason": np.where(status == "lost", reason, ""),
        }
    )


def _joined(population: pd.DataFrame) -> np.ndarray:
    return np.array([(d - START).days for d in population["joined"]])


def _typed(fen: np.ndarray) -> np.ndarray:
    """Amounts as salespeople type them: thousands of CNY, at least one."""
    return np.maximum(np.round(fen / 100_000), 1).astype(np.int64) * 100_000


def _steps(deals: pd.DataFrame, today: int, stream: np.random.Generator) -> pd.DataFrame:
    """When each stage was entered; sometimes no sample is asked for."""
    size, width = len(deals), len(STAGES)
    reached = deals["reached"].to_numpy()[:, None]
    created = deals["created"].to_numpy()[:, None].astype(float)
    closed = deals["closed"].to_numpy()[:, None].astype(float)
    place = np.arange(width)[None, :]
    moved = place <= reached
    moved &= ~((place == SAMPLE) & (stream.random((size, 1)) < 0.35) & (reached > SAMPLE))
    portion = stream.gamma(1.2, size=(size, width + 1)) + 0.05
    portion[:, :width] *= place <= reached
    gone = np.cumsum(portion[:, :width], axis=1) - portion[:, :1]
    share = gone / (portion.sum(axis=1, keepdims=True) + 1e-9)
    stalled = deals["stalled"].to_numpy()[:, None]
    end = np.where(closed >= 0, closed, np.where(stalled, created + 55, today + 0.9))
    when = created + (end - created) * share
    row, column = np.nonzero(moved)
    when[:, 0] += 0.45 * stream.random(size)  # not everybody starts at nine
    when[:, 1:] = np.maximum(when[:, 1:], when[:, :1])
    found = pd.DataFrame({"deal": row, "place": column, "when": _clock(when[row, column], column)})
    over = np.nonzero(closed[:, 0] >= 0)[0]
    evening = closed[over, 0] + 0.6 + 0.38 * stream.random(len(over))
    ended = pd.DataFrame(
        {"deal": over, "place": width, "when": _clock(evening, np.full(len(over), width))}
    )
    both = pd.concat([found, ended], ignore_index=True)
    return both.sort_values(["deal", "place"], kind="stable", ignore_index=True)


def _clock(when: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Office hours of a day with a fraction; a later place is at least a minute later."""
    minute = np.floor(540 + 500 * (when - np.floor(when))) + place
    days = np.floor(when)
    # a Saturday's or Sunday's step was entered on Friday evening, in the order of the stages
    friday = workdays(days)
    minute = np.where(friday < days, 1060 + 3 * place + (days - friday), minute)
    start = np.datetime64(START, "m")
    moved = friday.astype("timedelta64[D]").astype("timedelta64[m]")
    return np.asarray(start + moved + minute.astype("timedelta64[m]"))


def opportunities(
    funnel: Funnel,
    population: pd.DataFrame,
    known: pd.DataFrame,
    today: int,
    stream: np.random.Generator,
) -> pd.DataFrame:
    """The list of opportunities of the CRM."""
    deals = funnel.deals
    who = known.iloc[deals["customer"].to_numpy()].reset_index(drop=True)
    last = funnel.steps.groupby("deal")["when"].max().to_numpy()
    place = np.clip(deals["reached"].to_numpy(), 0, len(STAGES) - 1)
    status = deals["status"].map(ENDS).to_numpy()
    still = (deals["status"] == "open").to_numpy()
    size = len(deals)
    hope = np.clip(15 + 14 * place + stream.integers(-2, 3, size) * 5, 5, 95)
    chance = np.where(status == "赢单", 100, np.where(still, hope, 0))
    rival = np.array(RIVALS)[stream.integers(len(RIVALS), size=size)]
    first = ~deals["customer"].duplicated() & (
        population["kind"].to_numpy()[deals["customer"]] == "new"
    )
    source = np.array(SOURCES)[stream.integers(len(SOURCES), size=size)]
    heard = last + stream.integers(0, 12, size).astype("timedelta64[D]")
    heard = np.minimum(heard, np.datetime64(START, "m") + np.timedelta64(today * 1440 + 1080, "m"))
    return pd.DataFrame(
        {
            "商机编号": deals["opportunity_id"],
            "商机名称": who["name"].str.removesuffix("有限公司") + "-" + source,
            "客户编号": who["number"],
            "客户名称": who["name"],
            "商机金额(元)": deals["fen"] // 100,
            "商机类型": np.where(first, "新客户首单", "老客户增购"),
            "商机来源": source,
            "商机阶段": np.where(still, np.array(STAGES)[place], status),
            "商机状态": status,
            "赢率(%)": chance,
            "预计成交日期": _days(deals["expected"]),
            "竞争对手": np.where(deals["status"] == "won", "", rival),
            "丢单原因": deals["reason"],
            "创建时间": _moments(funnel.steps.groupby("deal")["when"].min()),
            "阶段变更时间": _moments(pd.Series(last)),
            "最后跟进时间": _moments(pd.Series(heard)),
            "结单日期": _days(deals["closed"].where(~still)),
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
            "停留天数": ["" if pd.isna(d) else int(d) for d in stayed],
            "变更人编码": known["owner_id"].to_numpy()[funnel.deals["customer"].to_numpy()[deal]],
            "_why": "",
            "_when": steps["when"],
        }
    )
    frame["_key"] = frame["商机编号"] + "/" + frame["阶段"]
    return frame.sort_values(["_when", "商机编号"], kind="stable", ignore_index=True)


def crm_orders(funnel: Funnel, ledger: Ledger, known: pd.DataFrame, mark: str) -> pd.DataFrame:
    """Orders of the year as the CRM has them: on the day they were placed, with tax."""
    found = funnel.orders[funnel.orders["placed"] >= CRM_ORDERS].copy()
    found = found.sort_values(["placed", "order"], kind="stable", ignore_index=True)
    of_order = ledger.invoices["order"].to_numpy()[ledger.settled["invoice"]]
    paid = ledger.settled["fen"][of_order >= 0].groupby(of_order[of_order >= 0]).sum()
    came = found["order"].map(paid).fillna(0).astype("int64")
    deal = funnel.deals[funnel.deals["order"] >= 0].set_index("order")["opportunity_id"]
    who = known.iloc[found["customer"].to_numpy()].reset_index(drop=True)
    dates = _days(found["placed"])
    running = found.groupby("placed").cumcount() + 1
    number = [f"DD{d:%Y%m%d}{mark}{n:04d}" for d, n in zip(dates, running, strict=True)]
    return pd.DataFrame(
        {
            "销售订单编号": number,
            "客户编号": who["number"],
            "客户名称": who["name"],
            "商机编号": found["order"].map(deal).fillna(""),
            "下单日期": dates,
            "销售订单金额(元)": found["fen"] / 100,
            "产品合计": found["fen"] / 100,
            "已回款金额(元)": came / 100,
            "待回款金额(元)": (found["fen"] - came) / 100,
            "发货单号": found["note"],
            "生命状态": "正常",
            "负责人编码": who["owner_id"],
            "_why": "",
            "_key": number,
        }
    )


def _days(days: pd.Series) -> list[object]:
    """Dates; an empty cell where there is none."""
    origin = START.toordinal()
    return ["" if pd.isna(d) else date.fromordinal(origin + int(d)) for d in days]


def _moments(when: pd.Series) -> list[object]:
    return [w.to_pydatetime() for w in pd.to_datetime(when)]
