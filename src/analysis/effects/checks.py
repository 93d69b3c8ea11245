"""What an estimate must stand up to, and how much hidden difference would undo it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

import pandas as pd
from scipy import stats

from analysis.effects.design import balance
from analysis.effects.estimators import Contrast, contrast
from analysis.effects.outcomes import REVENUE
from analysis.effects.rungs import BEFORE, Material, Rung, roll_out_panel, with_traits
from analysis.effects.sensitivity import e_value_of, placebo_outcome, robustness_value
from analysis.effects.staggered import placebo_date
from analysis.effects.study import labels, split_groups
from analysis.stats import steady
from analysis.tables import RECORD

# Traits that contain the last window before the measure: a placebo on that window, or on the
# one before, must not know them.
_LATEST = frozenset({BEFORE, "money_1", "recency_days", "order_days", "cycle_days", "segment"})
_SHOWN_AS = {"share": "points"}  # a difference of shares is one of percentage points


def checks(rung: Rung, material: Material) -> pd.DataFrame:
    """RECORD ``effect_checks`` of one estimate.

    Parameters
    ----------
    rung
        For all customers.

    Returns
    -------
    DataFrame
        What could be checked:

        - balance: p of the outcome before, treated against held out; sample_ratio: p of the arm
          sizes under the planned share (A, or why it is not A)
        - measured: share of the arm whose outcome is known, where it is not known of everyone;
          doubtful where the shares of both arms differ more than a draw would have it (p below
          ``balance_alarm``): who is missing then differs, too
        - other_measures: share of the treated whom another strategy reached, too, where it reached
          anybody; doubtful where it is more or less common among those compared with than a draw
          would have it (p below ``balance_alarm``): the two cannot be told apart then
        - carried_out: share of the treated whom the measure reached
        - spill_over: corporate groups with customers in both arms (A)
        - pre_trend: p of the differences before the start; dip: how far the treated had slipped
          at the baseline (B, or why it is not B)
        - overlap: share of the treated that have customers like them (C, or why it is not C)
        - placebo_outcome: the same comparison on the money before the measure, when there was
          nothing to find; placebo_date: as if it had begun earlier
        - e_value: how strongly a hidden trait would have to go with both the measure and the
          outcome, as a ratio of shares, to explain the effect away (B, C; VanderWeele and Ding
          2017, Annals of Internal Medicine 167, 268-274); robustness: the same as a share of
          what is left unexplained of both (Cinelli and Hazlett 2020, JRSS B 82, 39-67)
    """
    rows = [
        {**rung.case.key, **row}
        for part in (_draw, _known, _others, _delivery, _roll_out, _alike, _placebos, _hidden)
        for row in part(rung, material)
    ]
    return pd.DataFrame(rows, columns=RECORD["effect_checks"].names)


def balance_table(rung: Rung, traits: pd.DataFrame | None) -> pd.DataFrame:
    """RECORD ``balance``: what was known of both sides before the measure.

    The comparison is weighted where it was made like the treated (C). The standard deviation of
    a distance is the root of the mean of both variances.
    """
    names = RECORD["balance"].names
    key = {"strategy": rung.case.strategy, "arm": rung.case.arm}
    if rung.alike is not None:
        return rung.alike.balance.assign(**key)[list(names)]
    both = with_traits(rung.case, rung.comparison, traits)
    if both is None or both[0].empty or both[1].empty:
        return pd.DataFrame(columns=names)
    treated, control, known = both
    drawn = {"block": "block", "group": "group"} if rung.grade == "A" else {}
    found = balance(treated, control, [name for name in known if name != "segment"], **drawn)
    return found.assign(**key, n=len(treated) + len(control)).reindex(columns=names)


def event_table(rung: Rung) -> pd.DataFrame:
    """RECORD ``event_study``: the roll-out period by period, where there was one."""
    names = RECORD["event_study"].names
    if rung.staged is None:
        return pd.DataFrame(columns=names)
    case = rung.case
    own = {"strategy": case.strategy, "outcome": case.outcome, "unit": case.unit}
    return rung.staged.events.assign(**own)[list(names)]


def _draw(rung: Rung, material: Material) -> Iterator[dict[str, Any]]:
    alarm = material.settings.balance_alarm
    if material.settings.assignment != "randomised":
        return
    for check, p in (("balance", rung.balance_p), ("sample_ratio", rung.ratio_p)):
        if not math.isnan(p):
            yield _chance(check, p, alarm)
    split, several = split_groups(rung.case)
    if several:
        yield _row("spill_over", split, "count", 1, split == 0, groups=(several, "count"))


def _known(rung: Rung, material: Material) -> Iterator[dict[str, Any]]:
    case = rung.case
    sides = zip((case.treated, case.control), case.listed, strict=True)
    (found, listed), (held, held_listed) = ((len(rows), total) for rows, total in sides)
    if found == listed and held == held_listed:
        return
    yield _row(
        "measured", found / listed, "share", held / held_listed if held_listed else math.nan,
        case.missing_p >= material.settings.balance_alarm,
        n=(found, "count"), of=(listed, "count"),
        n_held=(held, "count"), of_held=(held_listed, "count"),
    )  # fmt: skip


def _others(rung: Rung, material: Material) -> Iterator[dict[str, Any]]:
    case = rung.case
    sides = [side["customer_id"] for side in (case.treated, rung.comparison)]
    sizes = [len(ids) for ids in sides]
    also = [sum(who in case.others for who in ids) for ids in sides]
    if rung.found is None or not any(also):
        return
    table = [[both, size - both] for both, size in zip(also, sizes, strict=True)]
    yield _row(
        "other_measures", also[0] / sizes[0], "share", also[1] / sizes[1],
        float(stats.fisher_exact(table).pvalue) >= material.settings.balance_alarm,
        n=(also[0], "count"), of=(sizes[0], "count"),
        n_control=(also[1], "count"), of_control=(sizes[1], "count"),
    )  # fmt: skip


def _delivery(rung: Rung, material: Material) -> Iterator[dict[str, Any]]:
    done = rung.case.treated["done"]
    if done.notna().any():
        share, least = float(done.mean()), material.settings.min_done
        yield _row("carried_out", share, "share", least, share >= least)


def _roll_out(rung: Rung, material: Material) -> Iterator[dict[str, Any]]:
    if rung.staged is None:
        return
    p, alarm = rung.staged.pre_trend_p, material.settings.ladder.pre_trend_alarm
    if not math.isnan(p):
        yield _chance("pre_trend", p, alarm)
    dip = rung.staged.dip_by
    if dip is not None:
        unit = _unit(rung)
        yield _row("dip", dip.estimate, unit, -_half(dip), not rung.staged.dip)


def _alike(rung: Rung, material: Material) -> Iterator[dict[str, Any]]:
    if rung.alike is None:
        return
    share, least = rung.alike.overlap, material.settings.ladder.least_overlap
    yield _row(
        "overlap", share, "share", least, share >= least,
        effective_n=(round(rung.alike.effective_n), "count"),
    )  # fmt: skip


def _placebos(rung: Rung, material: Material) -> Iterator[dict[str, Any]]:
    if rung.case.outcome != REVENUE or rung.found is None:
        return
    unit = _unit(rung)
    if rung.grade == "B":
        panel = roll_out_panel(rung.case, material)
        found = None
        if panel is not None:
            found = placebo_date(
                panel,
                level=material.settings.level,
                anticipation=material.settings.ladder.trigger_periods,
                group="group",
            )
        if found is not None:
            yield _placebo("placebo_date", found, unit)
        return
    for check, window in (("placebo_outcome", 1), ("placebo_date", 2)):
        found = _earlier(rung, material, window)
        if found is not None:
            yield _placebo(check, found, unit)


def _earlier(rung: Rung, material: Material, window: int) -> Contrast | None:
    """The same comparison with the money of an earlier window as the outcome.

    Arms that were drawn differ by chance alone; what is asked of them is what is asked of their
    balance, else one draw in twenty would be doubted at each look.
    """
    if material.traits is None or f"money_{window + 1}" not in material.traits:
        return None
    both = with_traits(rung.case, rung.comparison, material.traits)
    if both is None:
        return None
    treated, control, names = both
    money = material.traits.set_index("customer_id")[f"money_{window}"].astype(float)
    treated, control = (
        side.assign(value=side["customer_id"].map(money)) for side in (treated, control)
    )
    newer = {f"money_{k}" for k in range(1, window + 1)}
    known = [name for name in names if name not in _LATEST | newer]
    last = f"money_{window + 1}"
    if rung.grade == "C":
        level = material.settings.level
        return placebo_outcome(treated, control, known, "value", level=level, group="group")
    values = [side["value"].to_numpy(float) for side in (treated, control)]
    earlier = [side[last].to_numpy(float) if last in known else None for side in (treated, control)]
    blocks, groups = (labels(treated, control, name) for name in ("block", "group"))
    return contrast(
        values[0], values[1], earlier[0], earlier[1],
        level=1 - material.settings.balance_alarm, blocks=blocks, groups=groups,
    )  # fmt: skip


def _hidden(rung: Rung, material: Material) -> Iterator[dict[str, Any]]:
    """How strong a hidden difference would have to be; a draw has none."""
    found = rung.found
    if found is None or rung.grade not in ("B", "C") or found.std_error == 0:
        return
    if rung.case.unit == "share":
        without = float(rung.case.treated["value"].mean()) - found.estimate
        if without > 0:
            strength = e_value_of(found, share=without)
            more = {"limit": (strength.limit, "number")}
            yield _row("e_value", strength.estimate, "number", math.nan, None, **more)
    if rung.case.unit == "money":
        t, freedom = found.estimate / found.std_error, sum(rung.sizes) - 2
        least = robustness_value(t, freedom, material.settings.level)
        value, more = robustness_value(t, freedom), {"limit": (least, "share")}
        yield _row("robustness", value, "share", math.nan, None, **more)


def _placebo(check: str, found: Contrast, unit: str) -> dict[str, Any]:
    passed = found.low <= 0 <= found.high
    return _row(check, found.estimate, unit, _half(found), passed)


def _chance(check: str, p: float, alarm: float) -> dict[str, Any]:
    """A probability against its alarm, which the sentence tells as one in a hundred."""
    row = _row(check, p, "number", alarm, p >= alarm)
    state = "passed" if p >= alarm else "doubtful"
    return row | {"text": sentence(f"effect_check.{check}.{state}", bound=(alarm, "share"))}


def _half(found: Contrast) -> float:
    """Half the interval: an estimate this far from zero leaves it outside."""
    return steady((found.high - found.low) / 2, max(abs(found.low), abs(found.high)))


def _unit(rung: Rung) -> str:
    return _SHOWN_AS.get(rung.case.unit, rung.case.unit)


def _row(
    check: str,
    value: float,
    unit: str,
    bound: float,
    passed: bool | None,
    **more: tuple[float, str],
) -> dict[str, Any]:
    state = "read" if passed is None else "passed" if passed else "doubtful"
    args = {"value": (value, unit), "bound": (bound, unit), **more}
    return {
        "check": check,
        "value": value,
        "unit": unit,
        "bound": bound,
        "passed": passed if passed is None else bool(passed),
        "text": sentence(f"effect_check.{check}.{state}", **args),
    }


def sentence(key: str, **args: tuple[float, str]) -> str:
    """A sentence as JSON: catalogue key, and numbers with their units; unknown ones left out."""
    known = {
        name: {"value": int(value) if float(value).is_integer() else float(value), "unit": unit}
        for name, (value, unit) in sorted(args.items())
        if math.isfinite(value)
    }
    return json.dumps({"key": key, "args": known}, ensure_ascii=False, sort_keys=True)
