"""From the first talk to the contract: opportunities and the stages they went through.

Part of the orders come out of an opportunity; more are lost; some fall asleep: nothing has moved
for months and the expected day has passed. All of it is drawn up to the horizon, and then only
what happened until a day is looked at: an opportunity that is open today is won or lost later, and
what was entered yesterday stays as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from analysis.demo import chance
from analysis.demo.documents import with_tax
from analysis.demo.kinds import KINDS, LAST, START, day, rng
from analysis.demo.workdays import workdays, workdays_before

STAGES = ("初步接洽", "需求确认", "方案报价", "样品验证", "商务谈判", "合同签订")
QUOTED, SAMPLE, TALKS = 2, 3, 4  # places in `STAGES`
FIRST = day(date(2023, 7, 1))  # since then opportunities have been kept in the CRM
# share of the orders that come out of an opportunity; how often an opportunity is lost
WON = {"project": 0.75, "annual": 0.5, "new": 0.22, "growing": 0.12, "key": 0.04, "turned": 0.04}
TRIED = {"project": 5.0, "key": 2.0, "growing": 2.5, "annual": 1.5, "new": 1.5, "trial": 2.0}
LOST, VOID = 1.7, 0.14  # per opportunity that is won
ASLEEP = 0.14  # of those that are not won are left lying, and crossed off at last
LEAST = 2_000_000  # fen: smaller orders need no opportunity
QUIET = 120  # days without a step after which an opportunity has stalled
LULL = 100  # days without a step at most, unless it falls asleep
LEADS = (3, 26)  # days between an order and the delivery
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
    """What went into the pipeline, and what became of it.

    Attributes
    ----------
    deals
        ``opportunity_id, customer, status`` (won, lost, void, open), ``stalled, created, closed``
        (day numbers; -1 while open), ``expected, reached`` (place in `STAGES`), ``order`` (of the
        lines sold, else -1), ``fen`` with tax, ``reason, source, rival``; ``hope`` and ``heard``
        (how the chance is guessed, and days until the next talk). In the order in which they began.
    steps
        ``deal`` (row of `deals`), ``place`` (in `STAGES`; its length for the end), ``when``.
    """

    deals: pd.DataFrame
    steps: pd.DataFrame

    def until(self, today: int) -> Funnel:
        """What the CRM holds on the evening of a day."""
        deals = self.deals[self.deals["created"] <= today].copy()
        morning = np.datetime64(START, "m") + np.timedelta64(today * 1440, "m")
        steps = self.steps[self.steps["when"] < morning + np.timedelta64(1440, "m")]
        last = steps[steps["place"] < len(STAGES)].groupby("deal")[["place", "when"]].max()
        still = (deals["closed"] > today).to_numpy()
        quiet = (morning - last["when"].to_numpy()) >= np.timedelta64(QUIET, "D")
        deals["reached"] = last["place"].to_numpy()
        deals["stalled"] &= still & quiet
        deals["status"] = np.where(still, "open", deals["status"])
        deals["closed"] = np.where(still, -1, deals["closed"])
        return Funnel(deals, steps.reset_index(drop=True))


def placed(
    sold: pd.DataFrame,
    coming: pd.DataFrame,
    prompted: pd.Series,
    population: pd.DataFrame,
    seed: int,
) -> pd.DataFrame:
    """Every order as the customer placed it, some weeks before the goods left.

    Parameters
    ----------
    sold, coming, prompted
        As `World` has them.
    population
        All customers up to the horizon.

    Returns
    -------
    DataFrame
        ``order, customer, shipped, placed`` (day numbers), ``fen`` with tax, ``prompted`` (by a
        measure); sorted by order.
    """
    lines = pd.concat([sold, coming], ignore_index=True)[["order", "customer", "day", "amount"]]
    gross = np.zeros(int(lines["order"].max()) + 1, dtype=np.int64)
    np.add.at(gross, lines["order"].to_numpy(), with_tax(lines["amount"].to_numpy()))
    found = lines.drop_duplicates("order").sort_values("order", ignore_index=True)
    shipped = found["day"].to_numpy()
    number = found["order"]
    usual = workdays_before(shipped - chance.whole(number, seed, "placed", *LEADS))
    started = number.map(prompted)
    joined = workdays(_joined(population)[found["customer"]])
    # nobody orders before somebody knows him, or because of a measure that has not begun
    earliest = np.maximum(joined, started.fillna(-np.inf)).astype(np.int64)
    return pd.DataFrame(
        {
            "order": number,
            "customer": found["customer"],
            "shipped": shipped,
            "placed": np.maximum(usual, np.minimum(earliest, shipped)),
            "fen": gross[number],
            "prompted": started.notna(),
        }
    )


def follow(orders: pd.DataFrame, population: pd.DataFrame, seed: int, mark: str) -> Funnel:
    """Everything that goes through the funnel from `FIRST` to the horizon.

    What a measure adds needs no opportunity, so that the funnel is the same under every plan.

    Parameters
    ----------
    orders
        As `placed` gives them.
    population
        All customers up to the horizon.
    mark
        Of the block of customers, within the numbers.
    """
    stream = rng(seed, "deals")
    won = _won(orders[~orders["prompted"]], population, seed, stream)
    other = _other(len(won), population, stream)
    drawn = pd.concat([won, other], ignore_index=True)
    deals, steps = _begun(drawn, _steps(drawn, stream))
    size = len(deals)
    deals.insert(0, "opportunity_id", [f"SJ{mark}{n:06d}" for n in range(1, size + 1)])
    deals["source"] = np.array(SOURCES)[stream.integers(len(SOURCES), size=size)]
    deals["rival"] = np.array(RIVALS)[stream.integers(len(RIVALS), size=size)]
    deals["hope"] = stream.integers(-2, 3, size)
    deals["heard"] = stream.integers(0, 12, size)
    return Funnel(deals, steps)


def _won(
    orders: pd.DataFrame, population: pd.DataFrame, seed: int, stream: np.random.Generator
) -> pd.DataFrame:
    kind = population["kind"].to_numpy()[orders["customer"]]
    share = pd.Series(kind).map(WON).fillna(0.015).to_numpy()
    joined = _joined(population)[orders["customer"]]
    drawn = chance.uniform(orders["order"], seed, "out of a deal") < share
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
            "active": closed,
            "closed": closed,
            "expected": closed + np.round(stream.normal(-4, 14, len(found))).astype(np.int64),
            "reached": len(STAGES) - 1,
            "order": found["order"],
            "fen": _typed(guess),
            "reason": "",
        }
    )


def _other(won: int, population: pd.DataFrame, stream: np.random.Generator) -> pd.DataFrame:
    """Lost and void ones, and among them those that fell asleep before."""
    status = np.repeat(["lost", "void"], [max(round(share * won), 12) for share in (LOST, VOID)])
    size = len(status)
    kind = population["kind"].to_numpy()
    weight = pd.Series(kind).map(TRIED).fillna(0.5).to_numpy()
    customer = stream.choice(len(population), size=size, p=weight / weight.sum())
    low = np.maximum(_joined(population)[customer], FIRST)
    asleep = stream.random(size) < ASLEEP
    length = 6 + stream.gamma(2.0, 30.0, size)
    # some begin before the horizon and end behind it
    active = low + 3 + np.floor(stream.random(size) * (LAST + 90 - low))
    created = np.maximum(np.floor(active - length), low)
    active = workdays(np.maximum(np.where(asleep, created + 55, active), created + 1))
    created = np.minimum(created, active)
    slept = QUIET + 40 + np.floor(260 * stream.random(size))
    closed = np.where(asleep, workdays(active + slept), active)
    yearly = np.maximum(population["yearly"].to_numpy()[customer], 60_000)
    guess = yearly * np.exp(stream.normal(-1.6, 0.7, size)) * 113
    pain = {k.key: k.pain for k in KINDS}
    main = pd.Series(kind[customer]).map(pain).map(REASONS).to_numpy()
    second = np.array(OTHER_REASONS)[stream.integers(len(OTHER_REASONS), size=size)]
    reason = np.where(stream.random(size) < 0.55, main, second)
    reached = np.floor(stream.random(size) * (TALKS + 1))
    late = np.round(stream.normal(5, 20, size))
    soon = active + stream.integers(10, 90, size)  # of those who fall asleep, before they stall
    return pd.DataFrame(
        {
            "customer": customer,
            "status": status,
            "stalled": asleep,
            "created": created.astype(np.int64),
            "active": active,
            "closed": closed,
            "expected": np.where(asleep, soon, closed + late).astype(np.int64),
            "reached": np.where(asleep, np.clip(reached, 1, SAMPLE), reached).astype(np.int64),
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


def _steps(deals: pd.DataFrame, stream: np.random.Generator) -> pd.DataFrame:
    """When each stage was entered; sometimes no sample is asked for."""
    size, width = len(deals), len(STAGES)
    reached = deals["reached"].to_numpy()[:, None]
    created = deals["created"].to_numpy()[:, None].astype(float)
    end = deals["active"].to_numpy()[:, None].astype(float)
    place = np.arange(width)[None, :]
    moved = place <= reached
    moved &= ~((place == SAMPLE) & (stream.random((size, 1)) < 0.35) & (reached > SAMPLE))
    portion = stream.gamma(1.2, size=(size, width + 1)) + 0.05
    portion[:, :width] *= place <= reached
    gone = np.cumsum(portion[:, :width], axis=1) - portion[:, :1]
    share = gone / (portion.sum(axis=1, keepdims=True) + 1e-9)
    when = created + (end - created) * share
    when[:, 0] += 0.45 * stream.random(size)  # not everybody starts at nine
    when[:, 1:] = np.maximum(when[:, 1:], when[:, :1])
    after = end[:, 0]
    for column in reversed(range(width)):  # nobody lets it lie for longer
        late = np.maximum(when[:, column], after - LULL)
        when[:, column] = late
        after = np.where(moved[:, column], late, after)
    deal, stage = np.nonzero(moved)
    found = pd.DataFrame({"deal": deal, "place": stage, "when": _clock(when[deal, stage], stage)})
    evening = deals["closed"].to_numpy() + 0.6 + 0.38 * stream.random(size)
    ended = pd.DataFrame(
        {
            "deal": np.arange(size),
            "place": width,
            "when": _clock(evening, np.full(size, width)),
        }
    )
    both = pd.concat([found, ended], ignore_index=True)
    return both.sort_values(["deal", "place"], kind="stable", ignore_index=True)


def _begun(deals: pd.DataFrame, steps: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The opportunities in the order in which they began, those before the horizon."""
    began = steps.groupby("deal")["when"].min().to_numpy()
    number = (began - np.datetime64(START, "m")).astype("timedelta64[D]").astype(np.int64)
    order = np.lexsort((deals["customer"].to_numpy(), began))
    order = order[number[order] <= LAST]
    place = np.full(len(deals), -1)
    place[order] = np.arange(len(order))
    steps = steps.assign(deal=place[steps["deal"]])
    steps = steps[steps["deal"] >= 0]
    steps = steps.sort_values(["deal", "place"], kind="stable", ignore_index=True)
    return deals.assign(created=number).iloc[order].reset_index(drop=True), steps


def _clock(when: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Office hours of a day with a fraction; a later place is at least a minute later."""
    days = np.floor(when).astype(np.int64)
    worked = workdays(days)
    minute = np.floor(540 + 500 * (when - days)) + place
    # a weekend's step was entered on Friday evening, a holiday's on the first morning after it,
    # in the order of the stages
    minute = np.where(worked < days, 1060 + 3 * place, minute)
    minute = np.where(worked > days, 480 + 3 * place, minute)
    start = np.datetime64(START, "m")
    moved = worked.astype("timedelta64[D]").astype("timedelta64[m]")
    return np.asarray(start + moved + minute.astype("timedelta64[m]"))
