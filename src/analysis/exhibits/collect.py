"""From a record's tables to its facts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from pydantic import BaseModel

from analysis.exhibits import light, unmatched
from analysis.exhibits.book import parse_reason
from analysis.exhibits.derived import derive
from analysis.exhibits.effect_facts import effect_facts
from analysis.exhibits.facts import (
    Fact,
    FactBook,
    Tables,
    fact_id,
    facts_from_table,
    frame_of,
    plain_value,
    records,
)
from analysis.exhibits.own_settings import setting_facts
from analysis.exhibits.plan_facts import plan_facts
from analysis.exhibits.segment_facts import segment_facts
from analysis.settings_model import Settings
from analysis.stats import largest_remainder

# Table → (first part of the ids, key columns, column → unit, further columns of a fact).
_PLAIN: dict[str, tuple[str, list[str], dict[str, str], dict[str, str]]] = {
    "movement_matrix": (
        "movement",
        ["segment_before", "segment_after"],
        {
            "customers": "count",
            "share": "share",
            "amount_before": "money",
            "amount_after": "money",
        },
        {},
    ),
    "bridge": ("bridge", ["step"], {"amount": "money", "customers": "count"}, {}),
    "accounts": (
        "account",
        ["list", "customer_id"],
        {
            "rank": "count",
            "amount": "money",
            "recency_days": "days",
            "expected_interval_days": "days",
        },
        {},
    ),
    "effects": (
        "effect",
        ["strategy", "arm", "outcome", "segment"],
        {
            "estimate": "difference",
            "low": "difference",
            "high": "difference",
            "level": "share",
            "n_treated": "count",
            "n_control": "count",
            "std_error": "difference",
            "mean_treated": "row",
            "mean_control": "row",
            "cost_per_customer": "money",
            "break_even": "difference",
            "total_value": "money",
            "extra_margin": "money",
            "before_after": "relative",
            "before_after_control": "relative",
            "n_needed": "count",
            "periods_needed": "count",
            "done_share": "share",
            "cost_total": "money",
            "margin_low": "money",
            "margin_high": "money",
            "return_rate": "ratio",
            "chance_pays": "share",
            "as_done": "difference",
            "as_done_low": "difference",
            "as_done_high": "difference",
        },
        {"unit_column": "unit", "low": "low", "high": "high", "level": "level", "n": "n_treated"},
    ),
    "plan_summary": (
        "plan",
        ["strategy"],
        {
            "rank": "count",
            "customers": "count",
            "later": "count",
            "exempt": "count",
            "cost": "money",
            "expected_value": "money",
            "expected_low": "money",
            "expected_high": "money",
            "detectable": "money",
            "start": "date",
            "due": "date",
        },
        {"n": "customers"},
    ),
    "decisions": (
        "decision",
        ["rank"],
        {
            "rank": "count",
            "customers": "count",
            "customers_before": "count",
            "cost": "money",
            "value": "money",
            "value_low": "money",
            "value_high": "money",
            "due": "date",
        },
        {},
    ),
    "reconciliation": (
        "reconciliation",
        ["table", "step"],
        {"rows": "count", "amount": "money"},
        {},
    ),
    "tie_out": (
        "tie_out",
        ["month"],
        {"ours": "money", "finance": "money", "difference": "money", "share": "share"},
        {},
    ),
    "key_bridge": (
        "key_bridge",
        ["table", "became"],
        {"keys": "count", "rows": "count", "amount": "money"},
        {},
    ),
    "unmatched_keys": (
        "unmatched",
        ["rank"],
        {"rank": "count", "rows": "count", "amount": "money", "share": "share"},
        {},
    ),
    "kpi_cuts": ("of_customer", ["kpi", "member"], {"value": "row"}, {"unit_column": "unit"}),
    "quality": (
        "quality",
        ["table", "field", "check"],
        {"passed": "count", "failed": "count", "share": "share", "gate": "share"},
        {},
    ),
    "sources": ("source", ["table", "file"], {"rows": "count", "header_row": "count"}, {}),
    "cuts": ("cut", ["score", "boundary"], {"value": "row"}, {"unit_column": "unit"}),
    "scheme_thresholds": ("threshold", ["threshold"], {"value": "row"}, {"unit_column": "unit"}),
}
_SEGMENT_UNITS = {
    "customers": "count",
    "share": "share",
    "revenue": "money",
    "revenue_share": "share",
    "customers_before": "count",
    "change": "count",
    "interval_days": "days",
    "mean_order": "money",
    "recency_days": "days",
    "yearly": "money",
    "inferred_share": "share",
}
_KPI_UNITS = {
    "value": "row",
    "target": "row",
    "previous": "row",
    "year_ago": "row",
    "change": "change",
    "change_year": "change",
    "attainment": "share",
    "gap": "difference",
    "n": "count",
}
_CUT_UNITS = {
    "recency": "cycles",
    "frequency": "count",
    "monetary": "money",
    "mean_order": "money",
}
_REASONS = (
    ("accounts", "account", ["list", "customer_id"], "reason"),
    ("effects", "effect", ["strategy", "arm", "outcome", "segment"], "reason"),
    ("decisions", "decision", ["rank"], "reason"),
    ("plan_summary", "plan", ["strategy"], "reason"),
)


def collect(
    tables: Tables, settings: Settings, origins: Mapping[str, str] | None = None
) -> FactBook:
    """All facts of a record.

    Parameters
    ----------
    tables
        The record's tables by name; absent and empty ones give no facts.
    settings
        The run's settings; their numbers and days become ``setting.…``.
    origins
        Dotted setting → file that set it: how many somebody set, and how many did nobody.

    Returns
    -------
    FactBook
        Facts of the tables, of the arguments of their reasons, of the settings, and the sums
        and differences that sentences print (`analysis.exhibits.derived`).
    """
    book = FactBook()
    for name, (prefix, key, units, further) in _PLAIN.items():
        frame = frame_of(tables, name)
        if name == "unmatched_keys" and len(frame):
            frame = unmatched.told(frame)
        if name == "kpi_cuts" and len(frame):
            frame = frame[frame["cut"] == light.CUSTOMER]
        if name == "cuts" and len(frame):
            frame = shared_cuts(frame)
            # Recency is counted in own cycles or in days, as the settings say.
            kinds = dict(_CUT_UNITS)
            if settings.segmentation.recency.mode == "window":
                kinds["recency"] = "days"
            frame = frame.assign(unit=frame["score"].map(kinds).fillna("number"))
        book = book.merge(
            facts_from_table(name, frame, key=key, units=units, prefix=prefix, **further)
        )
    book = book.merge(
        _kpis(frame_of(tables, "kpis"), settings.period),
        _summary(frame_of(tables, "segment_summary")),
        _personas(frame_of(tables, "personas")),
        _reasons(tables),
        _settings(settings),
        FactBook(setting_facts(settings, origins or {})),
        segment_facts(tables, settings),
        effect_facts(tables, settings.period),
        plan_facts(tables),
    )
    return book.merge(derive(tables, book, settings))


def shared_cuts(cuts: pd.DataFrame) -> pd.DataFrame:
    """The cuts of everybody whose industry has none of its own: those that pages show."""
    # a record made before industries had cuts knows no others
    return cuts[cuts["industry"] == ""] if "industry" in cuts.columns else cuts


def _kpis(frame: pd.DataFrame, period: str) -> FactBook:
    if frame.empty:
        return FactBook()
    own = frame.assign(
        part=frame["segment"].where(frame["segment"] != "all", None),
        time=frame["period"].where(frame["period"] != period, None),
    )
    own = own.astype({"part": object, "time": object})
    own = own.where(own.notna(), None)
    book = facts_from_table(
        "kpis",
        own,
        key=["kpi", "part", "time"],
        units=_KPI_UNITS,
        prefix="kpi",
        n="n",
        unit_column="unit",
    )
    # What a share divides is money for rates of money and customers or lines elsewhere.
    for row in records(own):
        parts = [p for p in ("kpi", row["kpi"], row["part"], row["time"]) if p is not None]
        for column in ("numerator", "denominator"):
            value = plain_value(row.get(column))
            if value is not None:
                money = str(row["kpi"]) in MONEY_RATES
                unit = "money" if money else "count"
                book.add(Fact(fact_id(*parts, column), value, unit, source="kpis"))
    return book


MONEY_RATES = frozenset(
    [
        "gross_margin",
        "margin_rate",
        "gross_margin_rate",
        "collection_rate",
        "overdue_share",
        "ytd_attainment",
        "revenue_retention",
        "net_revenue_retention",
        "gross_revenue_retention",
        "renewal_rate_value",
        "win_rate_value",
        "return_rate",
        "top_ten_share",
        "top_customers_share",
        "high_value_share",
        "discount",
        "concentration",
        "revenue_share_high_value",
        "gross_revenue_retention",
        "renewal_rate_value",
        "win_rate_value",
        "return_rate",
        "last_days_share",
    ]
)


def _summary(frame: pd.DataFrame) -> FactBook:
    if frame.empty:
        return FactBook()
    own = frame.copy()
    parts = own["segment"] != "all"
    # Printed shares add to 100.0 (decision D3); shares that already do stay as they are.
    for share, amount in (("share", "customers"), ("revenue_share", "revenue")):
        values = own.loc[parts, amount].astype(float)
        if share in own and len(values) and (values >= 0).all() and values.sum() > 0:
            own.loc[parts, share] = [u / 1000 for u in largest_remainder(values.to_numpy())]
    return facts_from_table(
        "segment_summary", own, key="segment", units=_SEGMENT_UNITS, prefix="segment", n="customers"
    )


def _personas(frame: pd.DataFrame) -> FactBook:
    if frame.empty:
        return FactBook()
    return facts_from_table(
        "personas",
        frame,
        key=["segment", "aspect", "trait"],
        units={"value": "row", "rest": "row", "lift": "ratio", "n": "count"},
        prefix="persona",
        n="n",
        low="low",
        high="high",
        unit_column="unit",
    )


def _reasons(tables: Tables) -> FactBook:
    book = FactBook()
    for name, prefix, keys, column in _REASONS:
        frame = frame_of(tables, name)
        if column not in frame:
            continue
        for row in records(frame):
            told = parse_reason(row[column])
            for arg, value in (told.get("args") or {}).items():
                if not isinstance(value, Mapping) or "value" not in value:
                    continue
                shown = plain_value(value["value"])
                if shown is not None:
                    id_ = fact_id(prefix, *(row[k] for k in keys), column, arg)
                    book.add(Fact(id_, shown, str(value.get("unit", "number")), source=name))
    return book


_SETTING_UNITS = {
    "days": "days",
    "share": "share",
    "currency": "money",
    "cycles": "cycles",
    "intervals": "number",
    "orders": "count",
    "customers": "count",
    "levels": "count",
    "s": "count",
    "MB": "count",
}


def _settings(settings: Settings) -> FactBook:
    book = FactBook()
    _walk(settings, "setting", book)
    return book


def _walk(section: BaseModel, prefix: str, book: FactBook) -> None:
    for name, field in type(section).model_fields.items():
        value: Any = getattr(section, name)
        id_ = f"{prefix}.{name}"
        unit = _unit_of(field.description or "")
        if isinstance(value, BaseModel):
            _walk(value, id_, book)
        elif isinstance(value, bool) or name in ("sources", "labels", "extra_stages"):
            continue
        elif isinstance(value, list) and value and isinstance(value[0], float):
            for place, item in enumerate(value, start=1):
                book.add(Fact(f"{id_}.{place}", plain_value(item) or 0, unit, source=id_))
        elif isinstance(value, (int, float)):
            book.add(Fact(id_, plain_value(value) or 0, unit, source=id_))
        elif hasattr(value, "isoformat"):
            book.add(Fact(id_, value.isoformat(), "date", source=id_))


def _unit_of(description: str) -> str:
    inner = description.rpartition("[")[2].partition("]")[0] if "[" in description else ""
    return _SETTING_UNITS.get(inner, "number")
