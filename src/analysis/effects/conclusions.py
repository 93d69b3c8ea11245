"""The last step of the effects: what each is worth, corrected verdicts, decisions."""

from __future__ import annotations

import math
from collections.abc import Hashable
from typing import Any

import pandas as pd

from analysis.effects.decide import decide
from analysis.effects.estimators import Contrast
from analysis.effects.returns import Returns, returns
from analysis.effects.verdicts import (
    CANNOT_TELL,
    WORKED,
    Verdict,
    corrected,
    counting,
    indicative,
    key_of,
    reworded,
)
from analysis.pooling import holm, pool
from analysis.settings_measures import Effectiveness
from analysis.tables import RECORD

ALL = "all"
_SETTLES = ("A", "B")
_SAYS_NOTHING = ("not_carried_out", "outcomes_missing")  # of the measure
_MEASURE = ["strategy", "arm", "outcome"]
_POOLED = {
    "pooled": "pooled",
    "low": "pooled_low",
    "high": "pooled_high",
    "chance": "pooled_chance",
}
Row = dict[Hashable, Any]


def conclude(
    effects: pd.DataFrame, settings: Effectiveness, evidence: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Fill in what an effect is worth, correct its verdict and decide.

    Parameters
    ----------
    effects
        RECORD ``effects`` with estimates and the verdicts of rules 1 to 5 of
        `analysis.effects.verdicts`.
    settings
        Section ``effectiveness``.
    evidence
        RECORD ``evidence``, up to this period, from `accumulate`; None: nothing from before.

    Returns
    -------
    DataFrame
        The same rows in the same order, with ``margin_*``, ``return_*``, ``chance_pays``,
        ``pooled*``, ``p_adjusted``, ``decision`` and ``what_would_change`` filled, and
        ``verdict`` and ``reason`` after rules 6 to 8. ``p_adjusted`` is Holm's p of an effect
        that lies on the line (the break-even, else 0), over the strategies and arms of an outcome;
        segments have none.
    """
    out = effects.reset_index(drop=True).reindex(columns=RECORD["effects"].names)
    rows = out.to_dict("records")
    worth = [_worth(row) for row in rows]
    p_adjusted, judged = _judged_together(rows, worth)
    pooled = _pooled(out)
    pooled_low = pooled["pooled_low"].astype(float).tolist()
    together = _together(evidence)
    found: list[Row] = []
    for place, (row, value) in enumerate(zip(rows, worth, strict=True)):
        verdict = Verdict(
            str(row["verdict"]), str(row["reason"]), row["n_needed"], row["periods_needed"]
        )
        if row["grade"] not in _SETTLES:
            verdict = indicative(verdict)
        verdict = corrected(verdict, p_adjusted[place], judged[place], settings.level)
        verdict = _among_segments(verdict, pooled_low[place], value)
        if row["segment"] == ALL and row["grade"] in _SETTLES:
            earlier = together.get(tuple(row[name] for name in _MEASURE))
            verdict = _with_earlier(verdict, value, earlier)
            verdict = _sooner(verdict, row, earlier)
        decision, would_change = decide(verdict, value, str(row["grade"]), settings)
        found.append(
            {
                "verdict": verdict.verdict,
                "reason": verdict.reason,
                "n_needed": verdict.n_needed,
                "periods_needed": verdict.periods_needed,
                "margin_low": value.low,
                "margin_high": value.high,
                "return_rate": value.rate,
                "return_low": value.rate_low,
                "return_high": value.rate_high,
                "chance_pays": value.chance,
                "p_adjusted": p_adjusted[place],
                "decision": decision,
                "what_would_change": would_change,
            }
        )
    if found:
        filled = pd.DataFrame(found)
        out[filled.columns] = filled
        out[pooled.columns] = pooled
    return out


def _worth(row: Row) -> Returns:
    effect = None
    if not math.isnan(row["estimate"]):
        numbers = {
            name: float(row[name]) for name in ("estimate", "std_error", "low", "high", "p_value")
        }
        effect = Contrast(
            **numbers,
            method=str(row["method"]),
            variance_treated=math.nan,
            variance_control=math.nan,
        )
    return returns(
        effect,
        int(row["n_treated"]),
        float(row["cost_per_customer"]),
        float(row["margin_rate"]),
        str(row["unit"]),
        float(row["level"]),
    )


def _judged_together(rows: list[Row], worth: list[Returns]) -> tuple[list[float], list[int]]:
    """Holm's p of each row, and how many were judged with it."""
    p_adjusted, judged = [math.nan] * len(rows), [0] * len(rows)
    families: dict[str, list[int]] = {}
    for place, row in enumerate(rows):
        if row["segment"] == ALL and row["grade"] in _SETTLES and worth[place].effect is not None:
            families.setdefault(str(row["outcome"]), []).append(place)
    for places in families.values():
        adjusted = holm([worth[place].p_value for place in places])
        for place, p in zip(places, adjusted, strict=True):
            p_adjusted[place], judged[place] = float(p), len(places)
    return p_adjusted, judged


def _pooled(effects: pd.DataFrame) -> pd.DataFrame:
    """The segments of each measure, drawn towards one another."""
    out = pd.DataFrame(math.nan, index=effects.index, columns=list(_POOLED.values()))
    segments = effects[(effects["segment"] != ALL) & effects["grade"].isin(_SETTLES)]
    for _, group in segments.groupby(_MEASURE, sort=True):
        level = float(group["level"].iloc[0])
        found = pool(group["estimate"].astype(float), group["std_error"].astype(float), level)
        out.loc[group.index] = found[list(_POOLED)].to_numpy()
    return out


def _among_segments(found: Verdict, pooled_low: float, worth: Returns) -> Verdict:
    """Rule 7 for a segment: what is drawn towards the others counts."""
    if found.verdict != WORKED or math.isnan(pooled_low) or pooled_low > worth.line:
        return found
    return Verdict(CANNOT_TELL, reworded(found.reason, "not_after_pooling"))


def _together(evidence: pd.DataFrame | None) -> dict[tuple[Any, ...], Row]:
    """The latest evidence of each measure that was looked at more than once."""
    if evidence is None or evidence.empty:
        return {}
    latest = evidence.sort_values([*_MEASURE, "period"], kind="stable").groupby(_MEASURE).tail(1)
    rows = latest[latest["look"] > 1].to_dict("records")
    return {tuple(row[name] for name in _MEASURE): row for row in rows}


def _sooner(found: Verdict, row: Row, earlier: Row | None) -> Verdict:
    """What is missing, counting what the periods before have told."""
    if earlier is None or found.verdict != CANNOT_TELL or not earlier["together_error"] > 0:
        return found
    told = round((float(row["std_error"]) / float(earlier["together_error"])) ** 2, 4)
    return counting(found, told, min(int(row["n_treated"]), int(row["n_control"])))


def _with_earlier(found: Verdict, worth: Returns, earlier: Row | None) -> Verdict:
    """Rule 8: what all periods together say."""
    if earlier is None or worth.effect is None or key_of(found.reason) in _SAYS_NOTHING:
        return found
    shown = "points" if worth.unit == "share" else worth.unit
    args = {
        "estimate": (float(earlier["together"]), shown),
        "low": (float(earlier["together_low"]), shown),
        "high": (float(earlier["together_high"]), shown),
        "looks": (float(earlier["look"]), "count"),
        "line": (worth.line, shown),
    }
    whole = {f"together_{end}": args[end] for end in ("low", "high")}
    whole |= {"together": args["estimate"], "looks": args["looks"]}
    if found.verdict == CANNOT_TELL:
        if earlier["verdict"] == CANNOT_TELL:
            return found
        text = reworded(found.reason, f"together_{earlier['verdict']}", **args)
        return Verdict(str(earlier["verdict"]), text)
    above = float(earlier["together"]) > worth.line
    if above != (found.verdict == WORKED):
        return Verdict(CANNOT_TELL, reworded(found.reason, "periods_disagree", **whole))
    if earlier["verdict"] != CANNOT_TELL:
        return found
    text = reworded(found.reason, f"{found.verdict}_alone", line=args["line"], **whole)
    return Verdict(found.verdict, text)
