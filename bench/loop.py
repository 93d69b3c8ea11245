"""The loop, proven: quarter after quarter on made-up companies whose truth is known.

    make bench-loop [SEEDS=100]

A company's last quarter is judged, the next one is planned on what was learnt, the company lives
on under that plan, is judged again and planned again. Beside it lives the same company under two
other rules: a plain ranking of the customers by money, and the measures of the last quarter
carried on with the same customers. All three may spend what the last quarter cost. What
customers do anyway, and what each measure would bring each of them, is the same under every rule.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa

from analysis import effects, features, segmentation, settings, strategy
from analysis.calendars import Period
from analysis.demo import blocks, plans, truth
from analysis.demo.campaigns import EXEMPT, LATER
from analysis.demo.kinds import AS_OF, HANDED_OVER, START, rng
from analysis.demo.world import World, anyway, live
from analysis.effects.pooling import pool, weighted_mean
from analysis.engine import conform
from analysis.settings_model import Settings
from analysis.strategy import Playbook
from analysis.tables import RECORD

ROOT = Path(__file__).resolve().parents[1]
PARAMS = "params/demo.yml"
CUSTOMERS = 1200
FIRST_SEED = 1000
KEYS = ["customer_id", "strategy"]
QUARTERS = (Period.parse(HANDED_OVER).next(), Period.parse(HANDED_OVER).next().next())


class Planned(NamedTuple):
    """A rule's measures for a quarter.

    Attributes
    ----------
    plan
        At least customer_id, strategy, wave, start, cost and expected_value (extra margin
        promised [currency]; empty where nothing is).
    waves
        RECORD ``waves``; None where nobody was drawn.
    """

    plan: pd.DataFrame
    waves: pd.DataFrame | None


@dataclass(frozen=True)
class Firm:
    """What the firm knows at the end of a quarter.

    Attributes
    ----------
    world
        The company; only `told` of it is known.
    config
        The settings of the demo.
    playbook, scheme
        The measures, and the scheme of the segments.
    budget
        Money for the next quarter's measures [currency].
    cuts
        RECORD ``cuts`` of the quarter before; None at first.
    study
        Effects of the quarter's measures; None where they were not looked at.
    grows
        RECORD ``effect_scaling`` of the quarters judged so far, one below the other.
    """

    world: World
    config: Settings
    playbook: Playbook
    scheme: segmentation.Scheme
    budget: float
    frozen: pd.DataFrame | None = None
    study: effects.Estimates | None = None
    grows: pd.DataFrame | None = None

    @property
    def period(self) -> Period:
        """The quarter that ended."""
        return self.world.period

    @cached_property
    def customers(self) -> pd.DataFrame:
        """RECORD ``customers``, companies that stand in the list twice once."""
        folk = self.world.population
        codes = folk["customer_id"].to_numpy(object)
        above = folk["parent"].to_numpy()
        root = np.arange(len(folk))
        for _ in range(3):
            root = np.where(above[root] >= 0, above[root], root)
        joined = pd.to_datetime(folk["joined"])
        frame = pd.DataFrame(
            {
                "customer_id": codes,
                "industry": folk["industry"].replace("", None),
                "owner_id": folk["owner_id"],
                "team_id": folk["team_id"],
                "joined_on": joined,
                "on_trial": folk["on_trial"],
                "group_id": codes[root],
            }
        )
        return frame[(folk["same_as"] < 0).to_numpy()].reset_index(drop=True)

    @cached_property
    def orders(self) -> pa.Table:
        """RECORD ``orders``."""
        folk, sold, returned = self.world.population, self.world.sold, self.world.returned
        lines = self.world.clean
        row = np.where(folk["same_as"] >= 0, folk["same_as"], np.arange(len(folk)))
        names = pa.array(folk["customer_id"].to_numpy(object)[row], pa.string())
        back = len(sold) + np.arange(len(returned))  # a number of its own for what came back
        money = pa.decimal128(18, 4)
        found = pa.table(
            {
                "order_id": np.concatenate([sold["order"], 10**9 + back]).astype(str),
                "line_id": np.arange(len(lines)).astype(str),
                "customer_id": names.take(pa.array(lines["customer"].to_numpy())),
                "ordered_at": np.datetime64(START, "us")
                + lines["day"].to_numpy() * np.timedelta64(86_400_000_000, "us"),
                "quantity": lines["quantity"].to_numpy(float),
                "amount": pa.array(lines["amount"].to_numpy() / 100).cast(money, safe=False),
                "cost": pa.array(lines["cost"].to_numpy() / 100).cast(money, safe=False),
            }
        )
        return conform(found, RECORD["orders"])

    @cached_property
    def features(self) -> pd.DataFrame:
        """RECORD ``features``."""
        return features.build(
            self.orders,
            self.customers,
            as_of=self.world.as_of,
            period=self.period,
            settings=self.config.segmentation,
        )

    @cached_property
    def cuts(self) -> pd.DataFrame:
        """RECORD ``cuts``."""
        return segmentation.estimate_cuts(self.features, self.config.segmentation, self.frozen)

    @cached_property
    def segments(self) -> pd.DataFrame:
        """RECORD ``segments``."""
        return segmentation.segment(
            self.features,
            self.customers,
            self.scheme,
            self.cuts,
            self.config.segmentation,
            reasons=False,
        )

    @cached_property
    def margin(self) -> float:
        """Margin in extra revenue."""
        return effects.margin_rate(
            self.orders, self.world.as_of, self.config.effectiveness.margin_rate
        )

    @cached_property
    def treatments(self) -> pd.DataFrame:
        """All measures so far, as the company lists them."""
        found = self.world.assigned
        arm = np.where(found["wave"] == EXEMPT, "exempt", found["arm"])
        started = pd.Timestamp(START) + pd.to_timedelta(found["start"], unit="D")
        codes = self.world.population["customer_id"].to_numpy(object)
        return pd.DataFrame(
            {
                "customer_id": codes[found["customer"]],
                "strategy": found["strategy"],
                "arm": arm,
                "started_on": started,
                "cost": found["cost"].astype(float),
                "done": found["done"].astype(object),
            }
        )

    @cached_property
    def brings(self) -> pd.DataFrame:
        """What each measure adds to each customer, in this quarter and the next.

        period, strategy, customer_id, adds: what it will bring as it will be carried out, to whom
        ever it is given [currency]. The firm does not know it.
        """
        found = truth.effects(self.world)
        carried = self.world.potential[["period", "strategy", "customer", "done"]]
        codes = self.world.population["customer_id"].to_numpy(object)
        carried = carried.assign(customer_id=codes[carried["customer"]])
        both = found[["period", *KEYS, "effect_if_treated"]].merge(carried, on=["period", *KEYS])
        both["adds"] = both["effect_if_treated"] * both["done"]
        return both[["period", *KEYS, "adds"]]

    def judge(
        self,
        plan: pd.DataFrame | None = None,
        waves: pd.DataFrame | None = None,
        history: pd.DataFrame | None = None,
    ) -> Firm:
        """The same firm with the effects of its quarter."""
        own = effects.of_period(self.treatments, self.period)
        chosen = self.config.effectiveness.model_copy(update={"margin_rate": self.margin})
        outcomes = effects.outcomes_from_orders(self.orders, own, self.period, self.customers)
        traits = effects.traits_from_orders(self.orders, own, self.period, self.customers)
        study = effects.estimate(
            own,
            outcomes,
            chosen,
            self.world.seed,
            period=self.period,
            listed=self.treatments,
            plan=plan,
            customers=self.customers,
            traits=traits,
            waves=waves,
            history=history,
        )
        grows = effects.scaling(
            study.effects, own, outcomes, traits, chosen, customers=self.customers
        )
        known = [frame for frame in (self.grows, grows) if frame is not None]
        return replace(self, study=study, grows=pd.concat(known, ignore_index=True))


Rule = Callable[[Firm], Planned]


def ours(firm: Firm) -> Planned:
    """The plan of notebook 05."""
    assert firm.study is not None
    own = firm.config.strategy.model_copy(update={"budget": firm.budget})
    following, seed = firm.period.next(), firm.world.seed
    found, least = firm.study.effects, firm.config.effectiveness.min_arm
    candidates = strategy.candidates(
        firm.segments, firm.features, found, firm.playbook, own, firm.margin, following, seed,
        min_arm=least,
    )  # fmt: skip
    drawn = effects.assign(
        candidates, firm.customers, firm.features, own, following, seed, min_arm=least
    )
    plan = strategy.plan(
        candidates, drawn, firm.segments, firm.features, firm.customers, firm.world.staff, found,
        firm.playbook, own, firm.margin, following,
    )  # fmt: skip
    return Planned(plan, effects.as_planned(drawn, plan))


def scaled(firm: Firm) -> Planned:
    """The plan of notebook 05, promising each customer what follows from its size.

    The effect as a share of the usual money, over all quarters, drawn towards that of the other
    strategies; where it was not drawn nothing is promised.
    """
    planned = ours(firm)
    assert firm.grows is not None
    by_strategy = [(str(name), rows) for name, rows in firm.grows.groupby("strategy")]
    means = [weighted_mean(g["effect_share"], g["effect_share_error"]) for _, g in by_strategy]
    drawn = pool(*zip(*means, strict=True))["pooled"].fillna(pd.Series([m for m, _ in means]))
    share = {name: value for (name, _), value in zip(by_strategy, drawn, strict=True)}
    last = firm.grows.drop_duplicates("strategy", keep="last").set_index("strategy")
    plan = planned.plan
    money = plan["customer_id"].map(firm.features.set_index("customer_id")["monetary"])
    usual = money.astype(float) * firm.period.days / firm.config.segmentation.monetary_days
    grows = plan["strategy"].map(last["elasticity"])
    size = (1 - grows) * plan["strategy"].map(last["mean_money"]) + grows * usual
    worth = plan["strategy"].map(share) * size * firm.margin
    return planned._replace(plan=plan.assign(expected_value=worth.mask(plan["wave"] == LATER)))


def ranking(firm: Firm) -> Planned:
    """The customers with the most money first, each the extra measures of its segment."""
    named = [
        (segment, measure.strategy, measure.cost)
        for segment, _, measure in firm.playbook.measures()
        if measure.extra
    ]
    measures = pd.DataFrame(named, columns=["segment", "strategy", "cost"])
    money = firm.features[["customer_id", "monetary"]]
    rows = firm.segments[["customer_id", "segment"]].merge(measures, on="segment").merge(money)
    rows = rows.sort_values(["monetary", *KEYS], ascending=[False, True, True], kind="stable")
    return _everybody(rows[rows["cost"].cumsum() <= firm.budget], firm.period.next())


def habit(firm: Firm) -> Planned:
    """The measures of the last quarter, with the same customers."""
    found = firm.world.assigned
    own = found[(found["period"] == firm.period.name) & (found["arm"] == "treated")]
    codes = firm.world.population["customer_id"].to_numpy(object)
    rows = own.assign(customer_id=codes[own["customer"]])
    return _everybody(rows, firm.period.next())


def _everybody(rows: pd.DataFrame, period: Period) -> Planned:
    """A plan under which nobody waits, and which promises nothing."""
    plan = rows[[*KEYS, "cost"]].assign(wave=EXEMPT, start=period.start, expected_value=math.nan)
    return Planned(plan.reset_index(drop=True), None)


class Run(NamedTuple):
    """A company under three rules.

    Attributes
    ----------
    intervals
        A row a strategy with an interval and quarter judged: seed, period, strategy, grade,
        estimate, std_error, low, high, truth, truth_treated, n_treated, n_control.
    money
        A row a rule and quarter planned: seed, rule, period, cost, extra (margin that the
        measures really add), net, forgone (net that those who wait would have brought), claimed
        and realised (of the rows that promise something).
    plans
        A row a rule, quarter and strategy planned: the same.
    """

    intervals: pd.DataFrame
    money: pd.DataFrame
    plans: pd.DataFrame


def run(seed: int, rule: Rule = ours, customers: int = CUSTOMERS) -> Run:
    """Two quarters of a company under a rule, beside the plain ranking and the habit."""
    (block,) = blocks.blocks(customers, seed)
    lives = anyway(block, rng(seed, "products"))
    world = live(lives, AS_OF, {})
    now = world.assigned["period"] == world.period.name
    budget = float(world.assigned.loc[now, "cost"].sum())
    start = Firm(world, _config(), *_rules(), budget).judge()
    intervals, parts = [_intervals(start, seed)], []
    for name, chosen in (("ours", rule), ("ranking", ranking), ("habit", habit)):
        firm = start
        for quarter in QUARTERS:
            planned = chosen(firm)
            parts.append(_realised(planned.plan, firm).assign(rule=name, period=quarter.name))
            if quarter == QUARTERS[-1]:
                break
            given = plans.checked(planned.plan, quarter, customers, 0, "plan")
            lived = live(lives, quarter.end, {quarter.name: given})
            firm = replace(firm, world=lived, frozen=firm.cuts, study=None)
            if name == "ours":
                assert start.study is not None
                firm = firm.judge(planned.plan, planned.waves, start.study.evidence)
                intervals.append(_intervals(firm, seed))
    promised = pd.concat(parts, ignore_index=True).assign(seed=seed)
    sums = [name for name in promised.columns if promised[name].dtype.kind == "f"]
    money = promised.groupby(["seed", "rule", "period"], as_index=False, sort=False)[sums].sum()
    return Run(pd.concat(intervals, ignore_index=True), money, promised)


@cache
def _config() -> Settings:
    return settings.load(PARAMS, ROOT).settings


@cache
def _rules() -> tuple[Playbook, segmentation.Scheme]:
    scheme = segmentation.load_schemes(ROOT, _config().segmentation)[0]
    segments = segmentation.scheme_segments(scheme)
    return strategy.playbook_for(_config().strategy.playbook, segments, ROOT), scheme


def _intervals(firm: Firm, seed: int) -> pd.DataFrame:
    """Every interval of the quarter beside its truth."""
    assert firm.study is not None
    brings = firm.brings[firm.brings["period"] == firm.period.name]
    drawn = effects.of_period(firm.treatments, firm.period)[[*KEYS, "arm"]]
    both = drawn.merge(brings[[*KEYS, "adds"]], on=KEYS)
    everybody = both.groupby("strategy")["adds"].mean()
    treated = both[both["arm"] == "treated"].groupby("strategy")["adds"].mean()
    found = firm.study.effects
    found = found[(found["segment"] == "all") & found["estimate"].notna()]
    columns = ["strategy", "grade", "estimate", "std_error", "low", "high", "n_treated",
               "n_control", "verdict", "decision"]  # fmt: skip
    return found[columns].assign(
        seed=seed,
        period=firm.period.name,
        truth=found["strategy"].map(everybody),
        truth_treated=found["strategy"].map(treated),
    )


def _realised(plan: pd.DataFrame, firm: Firm) -> pd.DataFrame:
    """What the extra measures of a plan cost, promised and will bring, by strategy."""
    extra = {m.strategy: m.cost for _, _, m in firm.playbook.measures() if m.extra}
    rows = plan[plan["strategy"].isin(extra)]
    brings = firm.brings[firm.brings["period"] == firm.period.next().name]
    both = rows.merge(brings[[*KEYS, "adds"]], on=KEYS, how="left", validate="1:1")
    margin = both["adds"].fillna(0.0) * firm.margin
    claimed, waits = both["expected_value"].astype(float), both["wave"] == LATER
    net = margin - both["strategy"].map(extra)
    found = pd.DataFrame(
        {
            "strategy": both["strategy"],
            "customers": (~waits).astype(int),
            "waiting": waits.astype(int),
            "cost": both["cost"].astype(float),
            "extra": margin.mask(waits, 0.0),
            "net": net.mask(waits, 0.0),
            "forgone": net.where(waits, 0.0),
            "claimed": claimed.fillna(0.0),
            "realised": margin.where(claimed.notna(), 0.0),
        }
    )
    return found.groupby("strategy", as_index=False).sum()


def several(seeds: Sequence[int], rule: Rule = ours) -> Run:
    """`run` of several seeds."""
    runs = [run(seed, rule) for seed in seeds]
    return Run(*(pd.concat(parts, ignore_index=True) for parts in zip(*runs, strict=True)))
