"""The made-up record with goals, gaps, evidence of two periods, checks and fired rules."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd

from tests.exhibits import sample

GOALS = [
    {
        "goal": "fewer_leave",
        "kpi": "churn_rate",
        "segment": "all",
        "direction": "at_most",
        "target": 0.10,
        "due": "2025Q4",
    },
    {
        "goal": "best_stay",
        "kpi": "repurchase_rate",
        "segment": "high_value",
        "direction": "at_least",
        "target": 0.98,
        "due": "2025Q3",
    },
]
SPLITS = {
    "price": ("target", {"ambition": -3.8e6, "volume": 6.1e6, "mix": -9.4e6, "price": 0.7e6}),
    "region": (
        "target",
        {
            "ambition": -3.8e6,
            **{
                f"区域{n}": amount
                for n, amount in enumerate([2e6, 1e6, 5e5, 2e5, -1e5, -2e5, -9e5])
            },
            "华东": -5e6,
            "西北": -1e5,
        },
    ),
    "collection": ("previous", {"newly_overdue": 17e6, "collected": -15e6}),
}
BASES = {"price": 135e6, "region": 135e6, "collection": 22e6}


def _told(key: str, **args: tuple[float, str]) -> str:
    shown = {name: {"value": value, "unit": unit} for name, (value, unit) in args.items()}
    return json.dumps({"key": key, "args": shown}, ensure_ascii=False)


def gaps() -> pd.DataFrame:
    """Splits as a record keeps them: sorted by their key, not in the order of the walk."""
    rows: list[dict[str, Any]] = []
    for split, (against, parts) in SPLITS.items():
        base = BASES[split]
        walk = {"base": base, **parts, "actual": base + sum(parts.values())}
        rows += [
            {"split": split, "step": step, "against": against, "amount": amount, "n": 9}
            for step, amount in walk.items()
        ]
    return pd.DataFrame(rows).sort_values(["split", "step"], ignore_index=True)


def goals() -> pd.DataFrame:
    """Two goals: one missed, one that so few customers cannot show."""
    few = _told(
        "goal_note.too_few",
        target=(0.98, "share"),
        n=(15, "count"),
        n_needed=(189, "count"),
        one=(1 / 15, "points"),
    )
    rows = [
        {"value": 0.116, "n": 1200, "attainment": 1.16, "status": "watch", "note": None},
        {"value": 1.0, "n": 15, "attainment": 1.02, "status": "on_target", "note": few},
    ]
    kept = ["goal", "kpi", "segment", "direction", "target", "due"]
    own = [{key: goal[key] for key in kept} for goal in GOALS]
    both = [
        {**one, **row, "baseline": None, "unit": "share"}
        for one, row in zip(own, rows, strict=True)
    ]
    return pd.DataFrame(both)


def effects() -> pd.DataFrame:
    """The measures with what they are worth and what would change the decision."""
    found = sample.effects()
    found["cost_total"] = found["cost_per_customer"] * found["n_treated"]
    decisions = ["expand", "stop", "keep_testing", "none"]
    chances = [0.9992, 0.001, 0.42, None]
    changes = [
        _told("effect_change.expand", low=(21e3, "money"), break_even=(27e3, "money")),
        _told("effect_change.stop_below_zero", high=(9e3, "money")),
        _told("effect_change.confirm"),
        _told("effect_change.waves"),
    ]
    return found.assign(
        decision=decisions,
        chance_pays=chances,
        what_would_change=changes,
        p_adjusted=[0.004, 0.6, 0.6, None],
        margin_low=found["extra_margin"] * 0.4,
        margin_high=found["extra_margin"] * 1.6,
        as_done=found["estimate"] / found["done_share"],
    )


def evidence() -> pd.DataFrame:
    """Two looks at the visits, the first at the trial."""
    base = {"arm": "treated", "outcome": "revenue", "unit": "money", "grade": "A"}
    rows = [
        ("executive_visit", "2025Q2", 1, 40e3, -9e3, 89e3),
        ("executive_visit", "2025Q3", 2, 55e3, 24e3, 86e3),
        ("product_trial", "2025Q3", 1, 12e3, -30e3, 54e3),
    ]
    names = ["strategy", "period", "look", "together", "together_low", "together_high"]
    return pd.DataFrame(
        [
            {**base, **dict(zip(names, row, strict=True)), "n_treated": 84, "n_control": 42}
            for row in rows
        ]
    )


def checks() -> pd.DataFrame:
    """One check that holds, one that does not."""
    base = {"strategy": "executive_visit", "arm": "treated", "outcome": "revenue"}
    split = _told("effect_check.spill_over.doubtful", value=(2, "count"))
    held = _told("effect_check.balance.passed")
    return pd.DataFrame(
        [
            {**base, "check": "spill_over", "value": 2, "passed": False, "text": split},
            {**base, "check": "balance", "value": 0.4, "passed": True, "text": held},
        ]
    )


def adjustments() -> pd.DataFrame:
    """A rule of the catalogue and one in a company's own words; one that stays silent."""
    why = json.dumps(
        {
            "key": "adjustment_evidence.fired",
            "args": {
                "kpi": {"key": "adjustment_measure.webinar_participation"},
                "value": {"value": 0.096, "unit": "share"},
                "bound": {"value": 0.2, "unit": "share"},
                "operator": {"key": "adjustment_operator.below"},
                "n": {"value": 1218, "unit": "count"},
            },
        }
    )
    own = json.dumps({"text": {"zh": "改用自己的办法。", "en": "Do it our own way."}, "args": {}})
    base = {"strategy": "all", "segment": "all", "kpi": "webinar_participation", "unit": "share"}
    numbers = {"value": 0.096, "bound": 0.2, "n": 1218, "evidence": why}
    known = _told("adjustment.small_offline_sessions")
    return pd.DataFrame(
        [
            {**base, **numbers, "rule": "webinar_low", "fired": True, "suggestion": known},
            {**base, **numbers, "rule": "own", "fired": True, "suggestion": own},
            {**base, **numbers, "rule": "silent", "fired": False, "suggestion": known},
        ]
    )


def tables() -> dict[str, pd.DataFrame]:
    """The made-up record with all of them."""
    return {
        **sample.tables(),
        "goals": goals(),
        "gaps": gaps(),
        "effects": effects(),
        "evidence": evidence(),
        "effect_checks": checks(),
        "adjustments": adjustments(),
    }


def book(lang: str = "zh", **frames: pd.DataFrame) -> Any:
    """The record as a book."""
    return sample.book(lang, {**tables(), **frames}, goals=GOALS)


def contracts(lang: str = "zh") -> Any:
    """A company of contracts."""
    steps = {
        "opening": (96e6, 1150),
        "new": (5.2e6, 60),
        "expansion": (3.1e6, 88),
        "contraction": (-1.4e6, 30),
        "lost": (-3.9e6, 50),
        "closing": (99e6, 1160),
    }
    bridge = pd.DataFrame(
        [{"step": s, "amount": a, "customers": n} for s, (a, n) in sorted(steps.items())]
    )
    frames = sample.with_kpis(
        sample.tables(),
        sample.kpi("arr", "money", 99e6, previous=96e6),
        sample.kpi("red_accounts", "count", 57),
        sample.kpi("red_arr", "money", 4.3e6),
        sample.kpi(
            "renewal_rate_value", "share", 0.833,
            target=0.88, gap=-0.047, numerator=19.5e6, denominator=23.4e6,
        ),
    )  # fmt: skip
    return sample.book(lang, {**frames, "arr_bridge": bridge}, business_model="subscription")
