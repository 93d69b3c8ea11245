"""What the waves of the next period will be able to show, said before they start."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.calendars import Period
from analysis.effects import design, verdicts
from analysis.effects.waves import EXEMPT, FIRST, LATER, as_planned, later_share, salt_of
from analysis.settings_measures import Effectiveness
from analysis.stats import steady
from analysis.tables import RECORD

Floats = NDArray[np.float64]

OUTCOME = "revenue"
SLOW = 8  # more periods than this: waiting is no plan
HOPELESS = 40  # more than this: nobody will see it in this outcome
_SMALLEST_ADJUSTED_ARM = 5  # as the estimate: with fewer it does not look at the period before
_SHARE = "share"


def designs(
    candidates: pd.DataFrame,
    waves: pd.DataFrame,
    plan: pd.DataFrame,
    panel: pd.DataFrame,
    settings: Effectiveness,
    period_next: Period,
    seed: int,
    *,
    margin_rate: float,
    kpis: pd.DataFrame | None = None,
    evidence: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Each extra measure's draw, and the smallest effect that it will show.

    Parameters
    ----------
    candidates, waves
        As given to and drawn by `analysis.effects.assign`.
    plan
        RECORD ``plan``: its customers count, its costs give the break-even.
    panel
        customer_id, value, before: the outcome in the last two windows that compare as the next
        two will (`analysis.effects.outcomes_from_orders`) [currency]. What the one leaves
        unexplained of the other is what the next estimate will have to live with (CUPED: Deng,
        Xu, Kohavi and Walker 2013, WSDM).
    settings
        Section ``effectiveness``: power, level, min_arm.
    period_next, seed
        As given to `assign`.
    margin_rate
        Margin in extra revenue, 0-1.
    kpis
        RECORD table: where the measure is to move a share with a target, the statement says
        whether so few customers can tell the target from today's value.
    evidence
        RECORD table, all periods so far: what is on record already counts towards the periods
        that are needed.

    Returns
    -------
    DataFrame
        RECORD ``designs``, in the order of the plan's strategies by name.
    """
    extra = candidates[candidates["extra"].astype(bool)].drop_duplicates("strategy")
    drawn = as_planned(waves, plan).merge(
        panel[["customer_id", "value", "before"]], on="customer_id", how="left"
    )
    drawn["value"] = drawn["value"].astype(float).fillna(0.0)
    on_record = _errors(evidence)
    rows = []
    for chosen in extra.sort_values("strategy").to_dict("records"):
        strategy = str(chosen["strategy"])
        own = drawn[drawn["strategy"] == strategy].sort_values("customer_id", kind="stable")
        if own.empty:
            continue
        salt = salt_of(period_next, strategy)
        groups = waves.loc[
            (waves["strategy"] == strategy) & waves["chance"].notna(), "group_id"
        ].nunique()
        share = later_share(
            float(chosen["later_share"]), groups, settings.min_arm, bool(chosen["proven"])
        )
        measures = plan[plan["strategy"] == strategy]
        known = on_record.get(strategy, math.inf)
        found = _figures(own, _line(measures, margin_rate), settings, known)
        rows.append(
            {
                "strategy": strategy,
                "outcome": OUTCOME,
                "later_share": share if groups else 0.0,
                "power": settings.power,
                "level": settings.level,
                "seed": seed,
                "fingerprint": fingerprint(own, seed, salt),
                **found.columns(),
                "statement": _statement(found, chosen, settings, _rate(measures, kpis)),
            }
        )
    frame = pd.DataFrame(rows, columns=RECORD["designs"].names)
    for column in ("n_needed", "periods_needed"):
        frame[column] = frame[column].astype(float)
    return frame


def fingerprint(waves: pd.DataFrame, seed: int, salt: str) -> str:
    """sha256 of seed, salt, and the customers with their waves: the draw cannot change unseen."""
    rows = sorted(zip(waves["customer_id"], waves["wave"], strict=True))
    text = "\n".join([f"{seed}|{salt}", *(f"{customer}|{wave}" for customer, wave in rows)])
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class _Figures:
    """The numbers of one design; NaN where too few say anything."""

    n_first: int
    n_later: int
    n_exempt: int
    n_groups: int
    sd: float
    detectable: float
    usual: float
    break_even: float
    n_needed: float
    periods_needed: float
    balance_p: float

    def columns(self) -> dict[str, float]:
        found = {name: value for name, value in vars(self).items() if name != "usual"}
        return found | {"detectable_share": self.share}

    @property
    def share(self) -> float:
        """The smallest effect relative to what they usually buy."""
        return steady(self.detectable / self.usual, 1.0) if self.usual > 0 else math.nan


def _errors(evidence: pd.DataFrame | None) -> dict[str, float]:
    """Standard error of each strategy's effect over all periods so far, of its surest arm."""
    if evidence is None or evidence.empty:
        return {}
    rows = evidence[(evidence["outcome"] == OUTCOME) & evidence["together_error"].notna()]
    last = rows.sort_values("period", kind="stable").drop_duplicates(
        ["strategy", "arm"], keep="last"
    )
    return {str(k): float(v) for k, v in last.groupby("strategy")["together_error"].min().items()}


def _figures(own: pd.DataFrame, line: float, settings: Effectiveness, error: float) -> _Figures:
    arms = [own[own["wave"] == wave] for wave in (FIRST, LATER)]
    sizes = (len(arms[0]), len(arms[1]))
    units = (arms[0]["group_id"].nunique(), arms[1]["group_id"].nunique())
    both = own[own["wave"] != EXEMPT]
    adjusted = min(units) >= _SMALLEST_ADJUSTED_ARM and both["before"].notna().all()
    fitted = 2 if adjusted else 1
    sd = _spread(both, fitted)
    least = design.detectable(
        *sizes,
        sd,
        settings.power,
        settings.level,
        units=units,
        fitted=fitted,
    )
    needed, periods = _missing(sizes, sd, least, line, settings, error)
    known = both[["value", "before"]].to_numpy(float).ravel()
    known = known[~np.isnan(known)]
    fair = design.balance(arms[0], arms[1], ["value", "before"], block="band", group="group_id")[
        "p"
    ]
    return _Figures(
        *sizes,
        n_exempt=int((own["wave"] == EXEMPT).sum()),
        n_groups=int(both["group_id"].nunique()),
        sd=sd,
        detectable=steady(least, least),
        usual=math.fsum(known) / len(known) if len(known) else math.nan,
        break_even=line,
        n_needed=needed,
        periods_needed=periods,
        balance_p=float(fair.min()),
    )


def _spread(rows: pd.DataFrame, fitted: int) -> float:
    """Standard deviation of the outcome that the window before does not explain.

    It counts that whole groups are drawn (`design.design_effect`).
    """
    n = len(rows)
    if n <= fitted:
        return math.nan
    value = rows["value"].to_numpy(float)
    rest = value - value.mean()
    before = rows["before"].to_numpy(float)
    if fitted > 1 and np.ptp(before) > 0:
        x = before - before.mean()
        rest = rest - (x @ rest) / (x @ x) * x
    variance = float((rest**2).sum()) / (n - fitted)
    found = math.sqrt(variance * design.design_effect(rest, rows["group_id"]))
    scale = float(np.abs(value).max())
    return steady(found, scale) or math.nan  # nobody bought anything: no spread to judge by


def _missing(
    sizes: tuple[int, int],
    sd: float,
    least: float,
    line: float,
    settings: Effectiveness,
    error: float,
) -> tuple[float, float]:
    """Customers an arm needs to show the break-even, and periods of these waves until then.

    `error` is that of all periods so far (infinite: none): they are worth as many customers.
    """
    if math.isnan(least) or not 0 < line < math.inf:
        return math.nan, math.nan
    needed = design.customers_for_means(line, sd**2, sd**2, settings.power, settings.level)
    if least <= line:
        return math.ceil(needed), 1.0
    arm = 2 / sum(1 / n for n in sizes)  # equal arms that tell as much
    told = 2 * (sd / error) ** 2  # likewise, of the periods before
    fewest = 2.0 if told == 0 else 1.0
    return math.ceil(needed), max(fewest, math.ceil((needed - told) / arm))


def _line(measures: pd.DataFrame, margin_rate: float) -> float:
    """Break-even of the customers who get it now; NaN where nobody does or no margin pays."""
    now = measures[measures["wave"] != LATER]
    if now.empty:
        return math.nan
    cost = math.fsum(now["cost"].astype(float)) / now["customer_id"].nunique()
    line = verdicts.break_even(cost, margin_rate, "money")
    return line if math.isfinite(line) else math.nan


def _rate(measures: pd.DataFrame, kpis: pd.DataFrame | None) -> tuple[float, float] | None:
    """Target and value of the share that the measure is to move; None where there is none."""
    if kpis is None or kpis.empty:
        return None
    first = measures.iloc[0]
    rows = kpis[
        (kpis["kpi"] == first["kpi"])
        & (kpis["unit"] == _SHARE)
        & kpis["segment"].isin([first["segment"], "all"])
        & kpis["target"].notna()
        & kpis["value"].notna()
    ]
    if rows.empty:
        return None
    rows = rows.assign(wide=rows["segment"] == "all")
    row = rows.sort_values(["period", "wide"], ascending=[False, True], kind="stable").iloc[0]
    return float(row["target"]), float(row["value"])


def _statement(
    found: _Figures,
    chosen: dict[Any, Any],
    settings: Effectiveness,
    rate: tuple[float, float] | None,
) -> str:
    """What the comparison will be able to show: a list of sentences as JSON."""
    least = (settings.min_arm, "count")
    if found.n_first + found.n_later == 0:
        key = "no_draw" if bool(chosen["proven"]) else "all_exempt"
        return _said([_sentence(key, customers=(found.n_exempt, "count"), least=least)])
    if found.n_later == 0:
        return _said([_sentence("no_later", customers=(found.n_first, "count"))])
    sizes = {"first": (found.n_first, "count"), "later": (found.n_later, "count")}
    told = [_main(found, sizes)]
    if min(found.n_first, found.n_later) < settings.min_arm:
        told.append(_sentence("small_arm", least=least))
    if rate is not None:
        told += share_sentences(found.n_first, *rate, settings.power, settings.level)
    return _said(told)


def _main(found: _Figures, sizes: Mapping[str, tuple[float, str]]) -> dict[str, Any]:
    if math.isnan(found.detectable):
        return _sentence("too_few", **sizes)
    shown = {**sizes, "detectable": (found.detectable, "money")}
    if math.isnan(found.periods_needed):
        return _sentence("no_cost", **shown)
    shown |= {"break_even": (found.break_even, "money")}
    if found.periods_needed == 1:
        alone = found.detectable <= found.break_even
        return _sentence("shows" if alone else "together", **shown)
    if found.periods_needed > HOPELESS:
        return _sentence("hopeless", **shown)
    shown |= {"periods": (found.periods_needed, "count")}
    return _sentence("slow" if found.periods_needed > SLOW else "pool", **shown)


def share_sentences(
    n: int, target: float, other: float, power: float, level: float
) -> list[dict[str, Any]]:
    """What `n` customers say about a share: nothing to add where they can tell the two apart.

    Returns
    -------
    list of dict
        Catalogue key and arguments: at most one sentence.
    """
    tier = design.small_tier(n, target, other, power, level)
    if n == 0 or tier.needed <= n:
        return []
    numbers = {"count": (n, "count"), "target": (target, "share"), "other": (other, "share")}
    if math.isinf(tier.needed):
        return []
    chances = {"at_target": (tier.at_target, "share"), "at_other": (tier.at_other, "share")}
    needed = (math.ceil(tier.needed), "count")
    return [_sentence("share", **numbers, **chances, low=(tier.low, "share"), needed=needed)]


def _sentence(key: str, **args: tuple[float, str]) -> dict[str, Any]:
    said = {
        name: {"value": int(value) if float(value).is_integer() else value, "unit": unit}
        for name, (value, unit) in args.items()
    }
    return {"key": f"wave_statement.{key}", "args": said}


def _said(sentences: Sequence[dict[str, Any]]) -> str:
    return json.dumps(list(sentences), ensure_ascii=False, sort_keys=True)
