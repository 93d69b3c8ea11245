"""Who is compared with whom: the customers of each strategy, arm and outcome.

Customers count by the arm they were drawn into, whether or not the measure reached them:
whoever drops those it did not reach compares willing customers with average ones.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd
from scipy import stats

from analysis.calendars import Period
from analysis.effects.estimators import Floats, Labels

HELD_OUT, EXEMPT, ALL = "held_out", "exempt", "all"
MONEY_OUTCOMES = frozenset({"revenue", "spend", "amount", "margin"})
_BEFORE = "before"


@dataclass(frozen=True)
class Case:
    """One comparison; each customer once in a frame, sorted by customer.

    Attributes
    ----------
    treated, control
        Customers of the arm, and those held out of the strategy: customer_id, value, before,
        segment, group (corporate), cost, done, block (of the draw).
    free, apart
        Customers in scope whom no measure reached; those of them who are exempt from the
        strategy or were reached by it before.
    started
        Customers whom the arm reached in this period or before: customer_id, started_on, cost,
        done.
    drawn
        Customers of the strategy in all its arms, and held out.
    listed
        Customers of the arm, and held out, whether or not their outcome is known.
    missing_p
        Probability of outcomes missing so differently in the two, under a draw.
    others
        Those of the treated and the held out whom another strategy reached in the period.
    """

    strategy: str
    arm: str
    outcome: str
    segment: str
    unit: str
    treated: pd.DataFrame
    control: pd.DataFrame
    free: pd.DataFrame
    apart: frozenset[str]
    started: pd.DataFrame
    drawn: tuple[int, int]
    listed: tuple[int, int]
    missing_p: float
    others: frozenset[str]

    @property
    def key(self) -> dict[str, str]:
        """Strategy, arm and outcome."""
        return {"strategy": self.strategy, "arm": self.arm, "outcome": self.outcome}

    def within(self, segment: str) -> Case:
        """The same comparison among the customers of a segment."""
        treated, control, started = (
            frame[frame["segment"] == segment]
            for frame in (self.treated, self.control, self.started)
        )
        return replace(self, segment=segment, treated=treated, control=control, started=started)

    @cached_property
    def pool(self) -> pd.DataFrame:
        """Who may be compared with below a draw: free, not apart, of the treated's segments."""
        alike = self.free["segment"].isin(set(self.treated["segment"]))
        rows = self.free[alike & ~self.free["customer_id"].isin(self.apart)]
        return rows.reset_index(drop=True)

    def seed(self, seed: int) -> list[int]:
        """A seed for this comparison alone, so that other rows do not move its permutations."""
        name = "|".join((self.strategy, self.arm, self.outcome, self.segment))
        return [seed, int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")]


def cases(
    treatments: pd.DataFrame,
    outcomes: pd.DataFrame,
    *,
    segments: pd.DataFrame | None,
    customers: pd.DataFrame | None,
    waves: pd.DataFrame | None,
    listed: pd.DataFrame | None,
    period: Period | None,
) -> Iterator[Case]:
    """Every arm of every strategy on every outcome, for all its customers.

    Parameters
    ----------
    treatments, outcomes, segments, customers, waves, listed, period
        As of `analysis.effects.estimate.estimate`.
    """
    drawn = dict(iter(_with_blocks(treatments, waves).groupby("strategy", sort=True)))
    every = _every(treatments, listed, period)
    begun = dict(iter(every.groupby("strategy")))
    reached = treatments[~treatments["arm"].isin((HELD_OUT, EXEMPT))]
    busy = set(reached["customer_id"])
    pairs = reached[["customer_id", "strategy"]].drop_duplicates()
    reached_by = pairs["customer_id"].value_counts().to_dict()
    reached_of = {name: set(rows["customer_id"]) for name, rows in pairs.groupby("strategy")}
    scope = set(customers["customer_id"]) if customers is not None and len(customers) else None
    spared = _exempt(listed if listed is not None else treatments, waves)
    segment_of = _looked_up(segments, "segment")
    groups_of = [_looked_up(table, "group_id") for table in (customers, waves)]
    for outcome, rows in outcomes.groupby("outcome", sort=True):
        measured = _measured(rows, segment_of, groups_of)
        unit = unit_of(str(outcome), measured["value"].to_numpy(float))
        free = measured[~measured["customer_id"].isin(busy)]
        if scope is not None:
            free = free[free["customer_id"].isin(scope)]
        known = pd.Index(measured["customer_id"])
        for strategy, own in drawn.items():
            joined = _beside(measured, known, own)
            control = joined[joined["arm"] == HELD_OUT]
            mine = reached_of.get(strategy, set())
            others = frozenset(
                who for who in joined["customer_id"] if reached_by.get(who, 0) > (who in mine)
            )
            known_of = measured[["customer_id", "segment", "group"]]
            taken = _beside(known_of, known, begun.get(strategy, every[:0]))
            apart = spared.get(str(strategy), set()) | set(taken["customer_id"])
            for arm in sorted(set(own["arm"]) - {HELD_OUT, EXEMPT}):
                one = joined[joined["arm"] == arm]
                listed_here = (int((own["arm"] == arm).sum()), int((own["arm"] == HELD_OUT).sum()))
                yield Case(
                    str(strategy), str(arm), str(outcome), ALL, unit,
                    treated=one.reset_index(drop=True),
                    control=control.reset_index(drop=True),
                    free=free,
                    apart=frozenset(apart),
                    started=taken[taken["arm"] == arm].reset_index(drop=True),
                    drawn=(int((joined["arm"] != HELD_OUT).sum()), len(control)),
                    listed=listed_here,
                    missing_p=_missing_p((len(one), len(control)), listed_here),
                    others=others,
                )  # fmt: skip


def _beside(measured: pd.DataFrame, known: pd.Index, rows: pd.DataFrame) -> pd.DataFrame:
    """The measured customers that have a row, each with it; in the order of `measured`.

    The same as an inner merge, which sorts the customers of all strategies for each of them.
    """
    place = known.get_indexer(pd.Index(rows["customer_id"]))
    order = np.argsort(place, kind="stable")[(place < 0).sum() :]
    own = rows.drop(columns="customer_id").take(order).reset_index(drop=True)
    return pd.concat([measured.take(place[order]).reset_index(drop=True), own], axis=1)


def unit_of(outcome: str, values: Floats) -> str:
    """Unit of an outcome: money by its name, share if only 0 and 1 occur, else count or number."""
    if outcome in MONEY_OUTCOMES:
        return "money"
    known = values[~np.isnan(values)]
    if len(known) and np.isin(known, (0.0, 1.0)).all():
        return "share"
    return "count" if len(known) and (known == np.round(known)).all() else "number"


def before(case: Case) -> tuple[Floats, Floats] | None:
    """The outcome before in both arms, where it is known for every customer."""
    if case.treated.empty or case.control.empty:
        return None
    first = case.treated[_BEFORE].to_numpy(float)
    second = case.control[_BEFORE].to_numpy(float)
    return None if np.isnan(first).any() or np.isnan(second).any() else (first, second)


def labels(first: pd.DataFrame, second: pd.DataFrame, name: str) -> tuple[Labels, Labels]:
    """A column of two frames, e.g. the blocks of both arms."""
    return first[name].to_numpy(object), second[name].to_numpy(object)


def mean(rows: pd.DataFrame, column: str) -> float:
    """Mean of the known values, exactly summed; NaN where none is known."""
    if column not in rows:
        return math.nan
    known = rows[column].dropna()
    return math.fsum(known.astype(float)) / len(known) if len(known) else math.nan


def before_after(rows: pd.DataFrame) -> float:
    """Relative change of the mean since before; NaN where that is not known for everyone."""
    if rows.empty or rows[_BEFORE].isna().any():
        return math.nan
    earlier = mean(rows, _BEFORE)
    return mean(rows, "value") / earlier - 1 if earlier > 0 else math.nan


def _missing_p(known: tuple[int, int], listed: tuple[int, int]) -> float:
    """Probability of so different shares without an outcome in both arms, under a draw."""
    table = [[here, total - here] for here, total in zip(known, listed, strict=True)]
    return float(stats.fisher_exact(table).pvalue) if all(listed) else 1.0


def split_groups(case: Case) -> tuple[int, int]:
    """Corporate groups with customers in both arms, and all groups with several customers."""
    both = pd.concat([case.treated["group"], case.control["group"]])
    sizes = both.value_counts()
    split = set(case.treated["group"]) & set(case.control["group"])
    return len(split), int((sizes > 1).sum())


def _measured(
    rows: pd.DataFrame,
    segment_of: dict[str, str],
    groups_of: list[dict[str, str]],
) -> pd.DataFrame:
    """customer_id, value, before, segment (empty: unknown), group (the first known); sorted."""
    known = rows[rows["value"].notna()].sort_values("customer_id", kind="stable")
    ids = known["customer_id"]
    found = pd.DataFrame({"customer_id": ids, "value": known["value"].astype(float)})
    found[_BEFORE] = known[_BEFORE].astype(float) if _BEFORE in known else math.nan
    names = ids.tolist()
    found["segment"] = np.array([segment_of.get(name, "") for name in names], dtype=object)
    group = dict(zip(names, names, strict=True))
    for known_groups in reversed(groups_of):
        group |= {name: known_groups[name] for name in names if name in known_groups}
    found["group"] = np.array([group[name] for name in names], dtype=object)
    return found.reset_index(drop=True)


def _looked_up(table: pd.DataFrame | None, column: str) -> dict[str, str]:
    """The column by customer, the first row counting; unknown values left out."""
    if table is None or column not in table or table.empty:
        return {}
    once = table.drop_duplicates("customer_id")
    once = once[once[column].notna()]
    return dict(zip(once["customer_id"].tolist(), once[column].tolist(), strict=True))


def _with_blocks(treatments: pd.DataFrame, waves: pd.DataFrame | None) -> pd.DataFrame:
    """customer_id, strategy, arm, cost, done, block: the column of that name, or the waves'."""
    columns = ["customer_id", "strategy", "arm"]
    found = treatments[columns].copy()
    for name in ("cost", "done"):
        found[name] = treatments.get(name)
    found["done"] = found["done"].astype(object).map({True: 1.0, False: 0.0})
    found["cost"] = found["cost"].astype(float)
    if "block" in treatments:
        found["block"] = treatments["block"].astype(str)
    elif waves is not None and not waves.empty:
        band = waves["band"].map(lambda value: "" if pd.isna(value) else f"{value:.0f}")
        cell = waves[["customer_id", "strategy"]].assign(block=waves["segment"] + "|" + band)
        found = found.merge(cell, on=["customer_id", "strategy"], how="left")
        found["block"] = found["block"].fillna("")
    else:
        found["block"] = ""
    return found


def _every(
    treatments: pd.DataFrame, listed: pd.DataFrame | None, period: Period | None
) -> pd.DataFrame:
    """Who was reached by the period's end: customer_id, strategy, arm, started_on, cost, done."""
    rows = treatments if listed is None or period is None else listed
    rows = rows[~rows["arm"].isin((HELD_OUT, EXEMPT))]
    found = rows[["customer_id", "strategy", "arm"]].copy()
    found["started_on"] = pd.to_datetime(rows["started_on"]) if "started_on" in rows else pd.NaT
    found["cost"] = rows["cost"].astype(float) if "cost" in rows else math.nan
    done = rows["done"].astype(object) if "done" in rows else pd.Series(None, index=rows.index)
    found["done"] = done.map({True: 1.0, False: 0.0})
    if period is not None:
        found = found[~(found["started_on"] > pd.Timestamp(period.end))]
    order = ["customer_id", "strategy", "started_on", "arm"]
    found = found.sort_values(order, kind="stable")
    return found.drop_duplicates(["customer_id", "strategy"]).reset_index(drop=True)


def _exempt(listed: pd.DataFrame, waves: pd.DataFrame | None) -> dict[str, set[str]]:
    """Customers outside the draw of each strategy."""
    parts = [listed.loc[listed["arm"] == EXEMPT, ["strategy", "customer_id"]]]
    if waves is not None and not waves.empty:
        parts.append(waves.loc[waves["wave"] == EXEMPT, ["strategy", "customer_id"]])
    both = pd.concat(parts)
    return {str(name): set(rows["customer_id"]) for name, rows in both.groupby("strategy")}
