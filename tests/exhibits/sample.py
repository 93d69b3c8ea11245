"""A small made-up record: the tables of the record as frames, with plausible figures."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pandas as pd

from analysis.calendars import Period
from analysis.exhibits.book import Book
from analysis.exhibits.collect import collect
from analysis.settings_model import Settings
from tests.schemes import scheme_segments

SEGMENTS = ["high_value", "potential", "churn_risk", "low_frequency_essential", "new"]
PERIOD = "2025Q3"
HOSTILE = '<script>alert(1)</script>"><img src=x onerror=alert(1)>'


ORIGINS = {
    "segmentation.new_customer_days": "params/base.yml:12",
    "segmentation.monetary_days": "params/sample.yml:7",
    "report.company": "params/sample.yml:9",
}


def settings(**changes: Any) -> Settings:
    """Settings of the made-up run."""
    base: dict[str, Any] = {
        "run": "sample",
        "period": PERIOD,
        "sources": {"orders": {"path": "orders.csv", "event": "shipped", "tax": "excluded"}},
    }
    return Settings.model_validate({**base, **changes})


def _reason(key: str, **args: Any) -> str:
    return json.dumps({"key": key, "args": args}, ensure_ascii=False)


def kpis() -> pd.DataFrame:
    """KPIs of eight quarters."""
    series = {
        "revenue": (
            "money",
            [118.2e6, 103.4e6, 112.9e6, 121.4e6, 137.0e6, 112.5e6, 131.2e6, 128.6e6],
            135.0e6,
        ),
        "ytd_attainment": ("share", [0.98, 0.84, 0.9, 0.728, 0.96, 0.26, 0.48, 0.705], 0.75),
        "gross_margin_rate": (
            "share",
            [0.286, 0.284, 0.283, 0.282, 0.283, 0.282, 0.281, 0.274],
            0.28,
        ),
        "retention": (
            "share",
            [0.931, 0.929, 0.927, 0.926, 0.925, 0.921, 0.919, 0.915],
            0.92,
        ),
        "average_order": (
            "money",
            [81e3, 83e3, 82e3, 84e3, 85e3, 86e3, 87e3, 88.2e3],
            None,
        ),
        "high_value_customers": ("count", [201, 203, 208, 211, 217, 222, 224, 218], None),
        "active_customers": ("count", [1650, 1680, 1702, 1713, 1749, 1780, 1806, 1862], None),
    }
    periods = [Period.parse(PERIOD).back(k).name for k in range(7, -1, -1)]
    rows = []
    for kpi, (unit, values, target) in series.items():
        for place, (period, value) in enumerate(zip(periods, values, strict=True)):
            previous = values[place - 1] if place else None
            year = values[place - 4] if place >= 4 else None
            last = period == PERIOD
            goal = target if last else None
            status = "none"
            if goal is not None:
                ratio = value / goal
                status = "on_target" if ratio >= 1 else "watch" if ratio >= 0.97 else "below"

            def change(old: float | None, new: float = value, kind: str = unit) -> float | None:
                if old is None:
                    return None
                return new - old if kind == "share" else new / old - 1

            rows.append(
                {
                    "kpi": kpi,
                    "segment": "all",
                    "period": period,
                    "value": value,
                    "unit": unit,
                    "n": 1862,
                    "target": goal,
                    "previous": previous,
                    "year_ago": year,
                    "change": change(previous),
                    "change_year": change(year),
                    "attainment": value / goal if goal else None,
                    "gap": value - goal if goal else None,
                    "status": status,
                    "numerator": 1594 if kpi == "retention" else None,
                    "denominator": 1742 if kpi == "retention" else None,
                }
            )
    return pd.DataFrame(rows)


def segment_summary() -> pd.DataFrame:
    """Segments and their total."""
    rows = [
        ("high_value", 218, 0.117, 78.96e6, 0.614, 224, 41, 210e3, 20, 1.32e6),
        ("potential", 642, 0.345, 26.11e6, 0.203, 621, 55, 76e3, 34, 0.31e6),
        ("churn_risk", 487, 0.261, 11.06e6, 0.086, 453, 88, 61e3, 140, 0.12e6),
        ("low_frequency_essential", 203, 0.109, 8.36e6, 0.065, 205, 210, 190e3, 120, 0.22e6),
        ("new", 312, 0.168, 4.11e6, 0.032, 303, 90, 32e3, 60, 0.03e6),
        ("all", 1862, 1.0, 128.6e6, 1.0, 1806, 60, 88e3, 55, 0.35e6),
    ]
    frame = pd.DataFrame(
        rows,
        columns=[
            "segment",
            "customers",
            "share",
            "revenue",
            "revenue_share",
            "customers_before",
            "interval_days",
            "mean_order",
            "recency_days",
            "yearly",
        ],
    )
    return frame.assign(change=frame["customers"] - frame["customers_before"], inferred_share=0.21)


def movement_matrix() -> pd.DataFrame:
    """Who went where; margins tie to the summary."""
    cells = {
        "high_value": {
            "high_value": 199,
            "potential": 12,
            "churn_risk": 9,
            "low_frequency_essential": 4,
        },
        "potential": {
            "high_value": 14,
            "potential": 498,
            "churn_risk": 96,
            "low_frequency_essential": 11,
            "left": 2,
        },
        "churn_risk": {
            "high_value": 2,
            "potential": 47,
            "churn_risk": 312,
            "low_frequency_essential": 6,
            "left": 86,
        },
        "low_frequency_essential": {
            "high_value": 1,
            "potential": 6,
            "churn_risk": 15,
            "low_frequency_essential": 177,
            "left": 6,
        },
        "new": {
            "high_value": 2,
            "potential": 76,
            "churn_risk": 55,
            "low_frequency_essential": 5,
            "new": 161,
            "left": 4,
        },
        "entered": {"potential": 3, "new": 151},
    }
    rows = []
    for before, row in cells.items():
        total = sum(row.values())
        for after, n in row.items():
            rows.append(
                {
                    "segment_before": before,
                    "segment_after": after,
                    "customers": n,
                    "share": None if before == "entered" else n / total,
                    "amount_before": n * 40e3,
                    "amount_after": n * 38e3,
                    "direction": _direction(before, after),
                }
            )
    return pd.DataFrame(rows)


def _direction(before: str, after: str) -> str:
    if before == "entered":
        return "entered"
    if after == "left":
        return "left"
    if before == after:
        return "same"
    if after in ("churn_risk",) or before == "high_value":
        return "worse"
    if after == "high_value" or before == "churn_risk":
        return "better"
    return "other"


def bridge() -> pd.DataFrame:
    """From the previous quarter's money to this one's."""
    rows = [
        ("previous", 131.2e6, 1500),
        ("new", 4.1e6, 151),
        ("returned", 2.0e6, 60),
        ("more", 7.05e6, 510),
        ("less", -10.3e6, 640),
        ("not_bought", -5.45e6, 210),
        ("current", 128.6e6, 1490),
    ]
    return pd.DataFrame(rows, columns=["step", "amount", "customers"])


_WHY = {
    "hold": "hold",
    "grow": "grow_more",
    "rescue": "rescue_moved_down",
    "reorder": "reorder",
}


def accounts(length: int = 8, name: str = "华东精密机械有限公司") -> pd.DataFrame:
    """The four lists."""
    rows = []
    for place, (list_, segment, base) in enumerate(
        (
            ("hold", "high_value", 3.2e6),
            ("grow", "potential", 0.9e6),
            ("rescue", "churn_risk", 1.4e6),
            ("reorder", "high_value", 1.1e6),
        )
    ):
        for rank in range(1, length + 1):
            days = 30 + 7 * rank
            rows.append(
                {
                    "list": list_,
                    "rank": rank,
                    "customer_id": f"C{place}{rank:04d}",
                    "name": f"{name}{'甲乙丙丁戊己庚辛壬癸'[rank % 10]}",
                    "segment": segment,
                    "owner": "王磊",
                    "region": "华东",
                    "amount": base / rank**0.5,
                    "recency_days": float(days),
                    "expected_interval_days": 41.0,
                    "reason": _reason(
                        f"account.{_WHY[list_]}",
                        before={"key": "segment.high_value"},
                        segment={"key": f"segment.{segment}"},
                        over={"value": days - 41, "unit": "days"},
                        days={"value": days, "unit": "days"},
                        interval={"value": 41, "unit": "days"},
                        cycles={"value": days / 41, "unit": "cycles"},
                        period={"value": 3.2e5, "unit": "money"},
                        previous={"value": 2.4e5, "unit": "money"},
                        amount={"value": base, "unit": "money"},
                    ),
                }
            )
    return pd.DataFrame(rows)


def personas() -> pd.DataFrame:
    """Traits of each segment."""
    traits = [
        ("basic", "industry=装备制造", "share", 0.42, 0.23),
        ("basic", "size_band=500人以上", "share", 0.31, 0.12),
        ("basic", "region=华东", "share", 0.38, 0.33),
        ("transaction", "mean_order", "money", 210e3, 64e3),
        ("transaction", "expected_interval_days", "days", 41.0, 83.0),
        ("behaviour", "visits", "count", 3.1, 1.4),
        ("need", "need=custom", "share", 0.36, 0.18),
        ("pain", "kind=交期", "share", 0.44, 0.25),
        ("pain", "kind=质量", "share", 0.22, 0.25),
        ("value", "products", "count", 6.4, 2.9),
        ("service", "satisfaction", "points", 4.1, 3.9),
    ]
    rows = []
    for place, segment in enumerate(SEGMENTS):
        for aspect, trait, unit, value, rest in traits:
            own = value * (1 - 0.16 * place) if unit != "points" else value
            rows.append(
                {
                    "segment": segment,
                    "aspect": aspect,
                    "trait": trait,
                    "value": own,
                    "unit": "number" if unit == "points" else unit,
                    "lift": own / rest,
                    "low": own * 0.9,
                    "high": own * 1.1,
                    "n": 218,
                    "rest": rest,
                    "notable": abs(own / rest - 1) > 0.25,
                }
            )
    return pd.DataFrame(rows)


def effects() -> pd.DataFrame:
    """What last quarter's measures did."""
    base = {
        "arm": "treated",
        "control": "held_out",
        "outcome": "revenue",
        "segment": "all",
        "level": 0.95,
        "unit": "money",
        "method": "regression_adjusted",
    }
    rows = [
        {
            **base,
            "strategy": "executive_visit",
            "grade": "A",
            "estimate": 68e3,
            "low": 21e3,
            "high": 115e3,
            "n_treated": 84,
            "n_control": 42,
            "verdict": "worked",
            "cost_per_customer": 7500.0,
            "break_even": 27e3,
            "total_value": 1.57e6,
            "extra_margin": 2.2e6,
            "before_after": 0.22,
            "before_after_control": 0.14,
            "done_share": 0.97,
        },
        {
            **base,
            "strategy": "win_back_offer",
            "grade": "A",
            "estimate": 1e3,
            "low": -7e3,
            "high": 9e3,
            "n_treated": 160,
            "n_control": 80,
            "verdict": "did_not_pay",
            "cost_per_customer": 3000.0,
            "break_even": 11e3,
            "total_value": -0.43e6,
            "before_after": 0.12,
            "before_after_control": 0.11,
            "done_share": 0.99,
        },
        {
            **base,
            "strategy": "product_trial",
            "grade": "A",
            "estimate": 12e3,
            "low": -8e3,
            "high": 32e3,
            "n_treated": 90,
            "n_control": 45,
            "verdict": "cannot_tell",
            "cost_per_customer": 2000.0,
            "break_even": 7e3,
            "total_value": None,
            "before_after": 0.17,
            "before_after_control": 0.11,
            "n_needed": 260,
            "periods_needed": 2,
            "done_share": 0.93,
        },
        {
            **base,
            "strategy": "onboarding",
            "grade": "D",
            "method": "none",
            "estimate": None,
            "low": None,
            "high": None,
            "n_treated": 151,
            "n_control": 0,
            "verdict": "cannot_tell",
            "cost_per_customer": 1200.0,
            "break_even": None,
            "total_value": None,
            "before_after": 0.31,
            "before_after_control": None,
            "done_share": 0.9,
        },
    ]
    return pd.DataFrame(rows).assign(reason=_reason("none"))


def plan_summary() -> pd.DataFrame:
    """Next quarter's measures."""
    rows = [
        ("executive_visit", "high_value", 150, 68, 10, 1.125e6, 2.24e6, 0.69e6, 3.78e6, "A"),
        ("win_back_offer", "churn_risk", 9, 0, 0, 0.48e6, None, None, None, "none"),
        ("product_trial", "potential", 85, 40, 0, 0.17e6, 0.28e6, -0.2e6, 0.8e6, "A"),
        ("scheduled_reorder", "low_frequency_essential", 120, 52, 2, 0.06e6, None, None, None, ""),
        ("onboarding", "new", 150, 150, 0, 0.0, None, None, None, "D"),
    ]
    names = "strategy segment customers later exempt cost expected_value expected_low expected_high"
    frame = pd.DataFrame(rows, columns=[*names.split(), "grade"])
    roles = ["sales_director", "sales_director", "sales_manager", "sales_rep", "customer_success"]
    return frame.assign(
        rank=range(1, 6),
        detectable=30e3,
        owner_role=roles,
        channel=["visit", "phone", "visit", "phone", "mail"],
        kpi="revenue",
        start=pd.Timestamp("2025-10-09"),
        due=pd.Timestamp("2025-12-20"),
        basis=["proven", "mandatory", "measured", "untested", "untested"],
    )


def decisions() -> pd.DataFrame:
    """Three decisions."""
    rows = [
        (1, "expand", "executive_visit", "high_value", 150, 84, 1.125e6, 2.24e6, 0.69e6, 3.78e6),
        (2, "stop", "win_back_offer", "churn_risk", 160, 160, 0.48e6, None, None, None),
        (3, "rescue", "win_back_offer", "high_value", 9, None, 0.0, 23.1e6, None, None),
    ]
    names = "rank decision strategy segment customers customers_before cost value value_low"
    frame = pd.DataFrame(rows, columns=[*names.split(), "value_high"])
    return frame.assign(owner_role="sales_director", due=pd.Timestamp("2025-10-15"))


def reconciliation() -> pd.DataFrame:
    """Rows in, removed, kept."""
    rows = [
        ("orders", "read", 41200, 486.2e6),
        ("orders", "repeated_lines", -212, -3.1e6),
        ("orders", "voided", -96, -1.9e6),
        ("orders", "missing_customer", -31, -0.4e6),
        ("orders", "kept", 40861, 480.8e6),
        ("customers", "read", 1905, None),
        ("customers", "test_accounts", -12, None),
        ("customers", "repeated_keys", -31, None),
        ("customers", "kept", 1862, None),
    ]
    return pd.DataFrame(rows, columns=["table", "step", "rows", "amount"])


def quality() -> pd.DataFrame:
    """Checks."""
    rows = [
        ("customers", "industry", "completeness", 1508, 354),
        ("customers", "region", "completeness", 1850, 12),
        ("orders", "amount", "validity", 40861, 0),
        ("orders", "customer_id", "consistency", 40830, 31),
        ("contacts", "phone", "validity", 2500, 90),
        ("tickets", "satisfaction", "completeness", 480, 41),
    ]
    frame = pd.DataFrame(rows, columns=["table", "field", "check", "passed", "failed"])
    total = frame["passed"] + frame["failed"]
    return frame.assign(share=frame["passed"] / total, gate=0.95)


def sources() -> pd.DataFrame:
    """Files read."""
    rows = [
        ("customers", "data/demo/客户.csv", "csv", "gb18030", 1, 1905),
        ("orders", "data/demo/订单_2025.xlsx", "xlsx", "utf-8", 3, 41200),
        ("tickets", "data/demo/工单.csv", "csv", "utf-8", 1, 530),
        ("treatments", "data/demo/上季动作.csv", "csv", "utf-8", 1, 485),
        ("targets", "data/demo/目标.xlsx", "xlsx", "utf-8", 1, 8),
    ]
    return pd.DataFrame(rows, columns=["table", "file", "format", "encoding", "header_row", "rows"])


def tables(name: str = "华东精密机械有限公司") -> dict[str, pd.DataFrame]:
    """All tables of the made-up record."""
    return {
        "kpis": kpis(),
        "segment_summary": segment_summary(),
        "scheme_segments": scheme_segments(),
        "movement_matrix": movement_matrix(),
        "bridge": bridge(),
        "accounts": accounts(name=name),
        "personas": personas(),
        "effects": effects(),
        "plan_summary": plan_summary(),
        "decisions": decisions(),
        "reconciliation": reconciliation(),
        "quality": quality(),
        "sources": sources(),
    }


def book(lang: str = "zh", frames: dict[str, pd.DataFrame] | None = None, **changes: Any) -> Book:
    """The made-up record as a book."""
    known = tables() if frames is None else frames
    chosen = settings(**changes)
    return Book(
        facts=collect(known, chosen, ORIGINS),
        tables=known,
        settings=chosen,
        lang=lang,  # type: ignore[arg-type]
        period=Period.parse(chosen.period),
        as_of=date(2025, 9, 30),
        provenance={
            "run": chosen.run,
            "period": chosen.period,
            "report_id": "sample-2025Q3-7f3a",
            "package_version": "0.1.0",
            "inputs": [
                {"path": f, "sha256": "ab" * 32, "rows": int(r)}
                for f, r in sources()[["file", "rows"]].itertuples(index=False)
            ],
        },
        origins=ORIGINS,
    )


def only_orders() -> dict[str, pd.DataFrame]:
    """What a file of orders alone gives: no targets, no measures, no owners."""
    found = tables()
    bare = found["kpis"].assign(target=None, attainment=None, gap=None, status="none")
    keep = ["revenue", "retention", "average_order", "active_customers"]
    found["kpis"] = bare[bare["kpi"].isin(keep)].reset_index(drop=True)
    found["accounts"] = found["accounts"].assign(owner=None, region=None)
    found["effects"] = found["effects"].iloc[:0]
    found["sources"] = found["sources"].iloc[[1]].reset_index(drop=True)
    return found


def only_measures() -> dict[str, pd.DataFrame]:
    """What a table of measures with outcomes gives: no orders at all."""
    rows = [
        ("mens_email", "visit", "share", 0.07659, 0.0699, 0.0833, 21307, 21306),
        ("womens_email", "visit", "share", 0.04523, 0.0389, 0.0516, 21387, 21306),
        ("mens_email", "spend", "money", 0.76983, 0.485, 1.054, 21307, 21306),
        ("womens_email", "spend", "money", 0.42441, 0.169, 0.68, 21387, 21306),
    ]
    names = "arm outcome unit estimate low high n_treated n_control"
    frame = pd.DataFrame(rows, columns=names.split()).assign(
        strategy="email",
        control="held_out",
        segment="all",
        method="difference_in_means",
        grade="A",
        level=0.95,
        verdict="worked",
        reason=_reason("none"),
        cost_per_customer=None,
        break_even=None,
        total_value=None,
        before_after=None,
        before_after_control=None,
        done_share=None,
        n_needed=None,
        periods_needed=None,
    )
    full = tables()
    return {
        "effects": frame,
        "sources": full["sources"].iloc[[3]].reset_index(drop=True),
        "quality": full["quality"].iloc[:0],
        "reconciliation": full["reconciliation"].iloc[:0],
    }


def kpi(kpi: str, unit: str, value: float, **more: Any) -> dict[str, Any]:
    """One KPI of this quarter, with whatever else is known of it."""
    row = {"kpi": kpi, "segment": "all", "period": PERIOD, "value": value, "unit": unit}
    target, previous, year = (more.get(name) for name in ("target", "previous", "year_ago"))
    share = unit == "share"
    return {
        **row,
        "status": more.pop("status", "none"),
        **more,
        "gap": None if target is None else value - target,
        "attainment": None if not target else value / target,
        "change": _moved(value, previous, share),
        "change_year": _moved(value, year, share),
    }


def _moved(value: float, base: float | None, share: bool) -> float | None:
    if base is None:
        return None
    return value - base if share else value / base - 1


def with_kpis(tables: dict[str, pd.DataFrame], *rows: dict[str, Any]) -> dict[str, pd.DataFrame]:
    """The tables with these KPIs of this quarter in place of their own."""
    kpis = tables["kpis"]
    new = {row["kpi"] for row in rows}
    kept = kpis[~(kpis["kpi"].isin(new) & (kpis["period"] == PERIOD))]
    frame = pd.DataFrame([*kept.to_dict("records"), *rows])
    return tables | {"kpis": frame.astype({"value": float})}


def with_money(push: float = 0.23) -> dict[str, pd.DataFrame]:
    """The made-up record with what finance knows: the year, payments, receivables, tie-out."""
    found = with_kpis(
        tables(),
        kpi("revenue_ytd", "money", 380.5e6, target=540e6),
        kpi("time_elapsed", "share", 0.75),
        kpi("collected", "money", 139.4e6, target=152e6),
        kpi("collection_rate", "share", 139.4 / 152, previous=0.94, status="below"),
        kpi("receivables", "money", 186e6),
        kpi("overdue", "money", 40.92e6),
        kpi("overdue_share", "share", 0.22, target=0.18, previous=0.193, status="below"),
        kpi("quarter_end_push", "share", push, previous=0.16, year_ago=0.15),
        kpi("new_customers", "count", 151, target=160.0, previous=140.0),
    )
    rows = [("2025-07", 42e6, 42.1e6), ("2025-08", 43e6, 43.2e6), ("2025-09", 43.6e6, 43.68e6)]
    frame = pd.DataFrame([*rows, ("all", 128.6e6, 128.98e6)], columns=["month", "ours", "finance"])
    found["tie_out"] = frame.assign(
        basis="shipped/excluded",
        difference=frame["ours"] - frame["finance"],
        share=frame["ours"] / frame["finance"] - 1,
    )
    asked = found["decisions"].iloc[[0, 1]].to_dict("records")
    asked.append(
        {
            **asked[0],
            "rank": 3,
            "decision": "collect",
            "strategy": "collect",
            "customers": 12,
            "customers_before": None,
            "cost": 0.0,
            "value": 13.8e6,
            "value_low": None,
            "value_high": None,
            "owner_role": "sales_director",
        }
    )
    found["decisions"] = pd.DataFrame(asked)
    found["key_bridge"] = pd.DataFrame(
        [
            ("orders", "translated", 1840, 40_000, 127e6),
            ("orders", "unmatched", 14, 64, 0.9e6),
            ("receivables", "unmatched", 20, 20, 2e6),
        ],
        columns=["table", "became", "keys", "rows", "amount"],
    ).assign(system="erp")
    return found
