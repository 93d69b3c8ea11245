"""The loop, proven: quarter after quarter on made-up companies whose truth is known.

    make bench-loop [SEEDS=20]

A company's last quarter is judged, the next one is planned on what was learnt, the company lives
on under that plan, is judged again and planned again. Beside it live the same company

- under a plain ranking: the customers with the most money first, each what its playbook has for
  it, within the same limits, until the money is gone; once with the whole budget, which ours has,
  too, and once with only what our plan chose to spend of it, as if the ranking knew when to stop;
- under a ranking that was told the truth: only the measure that pays, with what ours spends;
- under the habit: the measures of the last quarter with the same customers.

The budget is what the last quarter cost. What customers do anyway, and what each measure would
bring each of them, is the same under every rule.

The truth of an interval is what being drawn into the first wave adds, on the mean of all that
were drawn, waiting or not: the planted effect where the measure would be carried out, else none.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from functools import cache, cached_property, partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
from scipy import stats

from analysis import effects, features, segmentation, settings, strategy
from analysis.calendars import Period
from analysis.demo import blocks, plans, truth
from analysis.demo.campaigns import EXEMPT, LATER
from analysis.demo.kinds import AS_OF, HANDED_OVER, START, rng
from analysis.demo.world import World, anyway, live
from analysis.engine import conform
from analysis.settings_measures import Strategy
from analysis.settings_model import Settings
from analysis.stats import wilson
from analysis.strategy import Playbook, choosing, units
from analysis.strategy.evidence import Evidence
from analysis.tables import RECORD

ROOT = Path(__file__).resolve().parents[1]
PARAMS = "params/demo.yml"
CUSTOMERS = 1200
FIRST_SEED = 1000
KEYS = ["customer_id", "strategy"]
OURS, SAME_MONEY, WHOLE_BUDGET, ORACLE, HABIT = (
    "ours", "ranking", "ranking_budget", "oracle", "habit",
)  # fmt: skip
PAYS = "executive_visit"  # the only extra measure that brings more than it costs
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
    plan
        The quarter's plan, RECORD ``plan``; None where there was none.
    study
        Effects of the quarter's measures; None where they were not looked at.
    grows
        RECORD ``effect_scaling`` of the quarter's measures; None likewise.
    """

    world: World
    config: Settings
    playbook: Playbook
    scheme: segmentation.Scheme
    budget: float
    frozen: pd.DataFrame | None = None
    plan: pd.DataFrame | None = None
    study: effects.Estimates | None = None
    grows: pd.DataFrame | None = None

    def given(self, budget: float) -> Firm:
        """The same firm, all that it knows, with this budget."""
        same = copy(self)
        object.__setattr__(same, "budget", budget)
        return same

    @property
    def period(self) -> Period:
        """The quarter that ended."""
        return self.world.period

    @property
    def within(self) -> Strategy:
        """The settings of the next plan: this budget, and no other beside it."""
        own = self.config.strategy
        limits = own.limits.model_copy(update={"curve": [1.0]})
        return own.model_copy(update={"budget": self.budget, "limits": limits})

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
    def facts(self) -> pd.DataFrame:
        """What a playbook's conditions may ask, as far as orders tell it."""
        return strategy.facts(
            self.segments, self.features, self.customers, as_of=self.world.as_of, orders=self.orders
        )

    @cached_property
    def people(self) -> pd.DataFrame:
        """RECORD ``people``."""
        words = self.config.sources["people"].columns["role"].map
        return self.world.staff.assign(role=self.world.staff["role"].replace(words))

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
            study.effects, own, outcomes, traits, chosen, customers=self.customers,
            history=self.grows,
        )  # fmt: skip
        return replace(self, plan=plan, study=study, grows=grows)

    def options(self, known: Mapping[str, Evidence], own: Strategy) -> pd.DataFrame:
        """What each customer could get in the next quarter, on what is known."""
        candidates = strategy.candidates(
            self.segments, self.features, self.customers, known, self.playbook, own, self.margin,
            self.period.next(), self.world.seed, min_arm=self.config.effectiveness.min_arm,
            facts=self.facts, treatments=self.treatments,
        )  # fmt: skip
        return strategy.options(
            candidates, self.customers, self.people, self.features, self.playbook, known, own,
            self.margin, self.treatments,
        )  # fmt: skip


Rule = Callable[[Firm], Planned]


def ours(firm: Firm) -> Planned:
    """The plan of notebook 05: the same functions in the same order, within the budget."""
    assert firm.study is not None
    own = firm.within
    following, seed = firm.period.next(), firm.world.seed
    chosen = firm.config.effectiveness
    known = strategy.learnt(
        firm.study.effects, firm.study.evidence, firm.segments, firm.features, firm.playbook, own,
        chosen.level, scaling=firm.grows,
        windows=firm.config.segmentation.monetary_days / firm.period.days,
    )  # fmt: skip
    options = firm.options(known, own)
    draw = partial(
        effects.assign, customers=firm.customers, features=firm.features, settings=own,
        period_next=following, seed=seed, min_arm=chosen.min_arm,
    )  # fmt: skip
    means = strategy.allocate(
        options, firm.people, firm.segments, firm.features, firm.playbook, own, draw=draw,
        previous=firm.plan, period_next=following, seed=seed,
    )  # fmt: skip
    plan = strategy.plan(
        means.chosen, firm.segments, firm.features, firm.playbook, own, following, facts=firm.facts
    )
    return Planned(plan, effects.as_planned(means.waves, plan))


def ranking(firm: Firm) -> Planned:
    """The customers with the most money first, each what applies to it, while the means last.

    As `strategy.budget_curve` has its ranking: within the same limits, in the playbook's order,
    what does not fit is skipped. Nobody waits. Without evaluation no measure is known to fail,
    so none is left out for what it brought.
    """
    return _by_size(firm)


def oracle(firm: Firm) -> Planned:
    """The same with the one measure that truly pays: a firm that was told the truth."""
    return _by_size(firm, [PAYS])


def _by_size(firm: Firm, only: Sequence[str] | None = None) -> Planned:
    own = firm.within
    options = firm.options({}, own)
    found = units.units_of(options, firm.people, firm.playbook, own, 1.0)
    wanted = found.extra
    if only is not None:
        wanted &= found.table["strategy"].isin(only).to_numpy()
    order = np.argsort(choosing.by_money(found))
    places = np.full(int(found.customer.max()) + 1, own.limits.most_measures, dtype=np.int64)
    taken = choosing.in_turn(
        order[wanted[order]], found.use, found.allowed.copy(), found.customer, places
    )
    rows = found.table[KEYS].assign(cost=found.cost)
    return _everybody(rows[taken], firm.period.next())


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
    spent: dict[Period, float] = {}
    for name, chosen in _chosen(rule):
        firm = start
        for quarter in QUARTERS:
            firm = firm.given(spent[quarter] if name in (SAME_MONEY, ORACLE) else budget)
            planned = chosen(firm)
            rows = _realised(planned.plan, firm)
            parts.append(rows.assign(rule=name, period=quarter.name))
            if name == OURS:
                spent[quarter] = float(rows["cost"].sum())
            if quarter == QUARTERS[-1]:
                break
            given = plans.checked(planned.plan, quarter, customers, 0, "plan")
            lived = live(lives, quarter.end, {quarter.name: given})
            firm = replace(firm, world=lived, frozen=firm.cuts, study=None)
            if name == OURS:
                assert start.study is not None
                firm = firm.judge(planned.plan, planned.waves, start.study.evidence)
                intervals.append(_intervals(firm, seed))
    promised = pd.concat(parts, ignore_index=True).assign(seed=seed)
    sums = [name for name in promised.columns if promised[name].dtype.kind == "f"]
    money = promised.groupby(["seed", "rule", "period"], as_index=False, sort=False)[sums].sum()
    return Run(pd.concat(intervals, ignore_index=True), money, promised)


def _chosen(rule: Rule) -> list[tuple[str, Rule]]:
    """The rules side by side, ours first: the money that it spends is the others' measure."""
    return [
        (OURS, rule),
        (SAME_MONEY, ranking),
        (WHOLE_BUDGET, ranking),
        (ORACLE, oracle),
        (HABIT, habit),
    ]


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
    net = margin - both["strategy"].map(extra).astype(float)
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


class Figure(NamedTuple):
    """A line of the table: what, the number with its 95 % interval, and of how many."""

    what: str
    value: float
    low: float
    high: float
    n: int


def figures(found: Run) -> list[Figure]:
    """What the loop does, over seeds."""
    inside = found.intervals["truth"].between(found.intervals["low"], found.intervals["high"])
    held, known = int(inside.sum()), len(inside)
    low, high = wilson(held, known)
    seeds = found.money.groupby(["seed", "rule"])
    promised = seeds[["claimed", "realised"]].sum().xs(OURS, level="rule")
    net = {str(rule): one.droplevel("rule") for rule, one in seeds["net"].sum().groupby("rule")}
    right = found.plans.assign(right=found.plans["cost"].where(found.plans["net"] > 0, 0.0))
    right = right.groupby(["rule", "period", "seed"])[["right", "cost"]].sum()
    return [
        Figure("planted effect inside its interval", held / known, float(low), float(high), known),
        _ratio("claimed / realised", promised["claimed"], promised["realised"]),
        *(_ratio(f"net value, ours / {name}", net[OURS], net[name])
          for name in (SAME_MONEY, WHOLE_BUDGET, ORACLE, HABIT)),
        *(_ratio(f"money on what pays, {rule} {period.name}", one["right"], one["cost"])
          for rule, period in ((HABIT, QUARTERS[0]), (OURS, QUARTERS[0]), (OURS, QUARTERS[1]))
          for one in [right.loc[rule, period.name]]),
    ]  # fmt: skip


def _ratio(what: str, above: pd.Series, below: pd.Series) -> Figure:
    """Ratio of two sums over seeds with its jackknife interval."""
    one, other, n = above.to_numpy(float), below.to_numpy(float), len(above)
    value = float(one.sum() / other.sum())
    left_out = (one.sum() - one) / (other.sum() - other)
    error = math.sqrt((n - 1) / n * float(((left_out - left_out.mean()) ** 2).sum()))
    half = float(stats.t.ppf(0.975, n - 1)) * error
    return Figure(what, value, value - half, value + half, n)


def main(seeds: int) -> None:
    """Print the table."""
    found = several(range(FIRST_SEED, FIRST_SEED + seeds))
    print("| figure | value | 95 % interval | n |\n|---|---|---|---|")
    for line in figures(found):
        print(f"| {line.what} | {line.value:.3f} | {line.low:.3f} to {line.high:.3f} | {line.n} |")
    last = found.plans.groupby(["rule", "period", "strategy"])
    print(last[["customers", "waiting", "cost", "net", "forgone"]].sum().div(seeds).round(0))


if __name__ == "__main__":
    main(int(os.environ.get("SEEDS", "20")))
