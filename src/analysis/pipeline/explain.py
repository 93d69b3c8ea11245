"""Why is a customer where it is? Its orders, numbers, rule, move and measures."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from analysis import store, wording
from analysis.errors import Problem, SettingsError
from analysis.settings import Config
from analysis.settings_checks import nearest
from analysis.wording import Language
from analysis.wording.numbers import format_day, format_value, money_scale

_LATEST_ORDERS = 5


def lines(config: Config, customer: str, lang: Language) -> Iterator[str]:
    """The customer's place and how it came about.

    Raises
    ------
    SettingsError
        If the record has no such customer; the nearest number is named.
    """
    record = store.record(config.settings.run, config.settings.period, config.root)
    segments = record.table("segments").set_index("customer_id")
    if customer not in segments.index:
        near = nearest(customer, segments.index)
        hint: Any = {"key": "error.why.nearest", "found": near} if near else ""
        raise SettingsError(Problem("why.unknown_customer", {"found": customer, "nearest": hint}))
    currency = config.settings.currency
    place: Any = segments.loc[customer]
    known: Any = record.table("customers").set_index("customer_id").loc[customer]
    yield f"{customer}  {known['name'] or ''}".rstrip()
    yield wording.text(
        "why.place",
        lang,
        segment=wording.text(f"segment.{place['segment']}", lang),
        rule=place["rule"],
        reason=told(place["reason"], lang, currency),
    )
    features: Any = record.table("features").set_index("customer_id").loc[customer]
    yield wording.text("why.features", lang)
    for name, value in features.items():
        if name != "as_of" and not pd.isna(value):
            yield f"  {name}: {_number(name, value, lang, currency)}"
    moves = record.table("movements").set_index("customer_id")
    if customer in moves.index:
        move: Any = moves.loc[customer]
        yield wording.text(
            "why.move",
            lang,
            before=_segment(move["segment_before"], lang),
            after=_segment(move["segment_after"], lang),
            cause=told(move["cause"], lang, currency),
        )
    orders = record.table("orders").query("customer_id == @customer")
    orders = orders.sort_values(["ordered_at", "order_id", "line_id"], ascending=False)
    yield wording.text("why.orders", lang, count=f"{len(orders):,}")
    latest: Any = orders.head(_LATEST_ORDERS).itertuples()
    for row in latest:
        money = _money(row.amount, lang, currency)
        yield f"  {format_day(row.ordered_at, lang)}  {row.order_id}  {money}"
    plan = record.table("plan").query("customer_id == @customer")
    planned: Any = plan.itertuples()
    for row in planned:
        yield wording.text(
            "why.plan",
            lang,
            measure=_word("measure", row.measure, lang),
            start=format_day(row.start, lang),
            due=format_day(row.due, lang),
            reason=told(row.reason, lang, currency),
        )


def told(reason: str, lang: Language, currency: str) -> str:
    """A reason of a table, catalogue key with arguments, as a sentence."""
    found = json.loads(reason)
    args = {name: _argument(v, lang, currency) for name, v in (found.get("args") or {}).items()}
    key = str(found["key"])
    return wording.text(key, lang, **args) if wording.has(key) else key


def _argument(value: Any, lang: Language, currency: str) -> str:
    if not isinstance(value, Mapping):
        return str(value)
    if "key" in value:
        key = str(value["key"])
        return wording.text(key, lang) if wording.has(key) else key
    if value.get("unit") == "money":
        return _money(value["value"], lang, currency)
    return format_value(value["value"], str(value.get("unit", "number")), lang)


def _money(value: float, lang: Language, currency: str) -> str:
    scale = money_scale([value], lang, currency)
    number = format_value(value, "money", lang, scale=scale)
    if lang == "zh":
        return f"{number} {scale.label}"
    word, _, letter = scale.label.partition(" ")
    return f"{word} {number} {letter}".rstrip()


def _number(name: str, value: Any, lang: Language, currency: str) -> str:
    if isinstance(value, pd.Timestamp):
        return format_day(value, lang)
    if name in ("monetary", "mean_order") or name.startswith("revenue"):
        return _money(value, lang, currency)
    return f"{value:,.1f}".removesuffix(".0") if isinstance(value, float) else f"{value:,}"


def _segment(key: str, lang: Language) -> str:
    return _word("segment", key, lang)


def _word(kind: str, key: str, lang: Language) -> str:
    for dotted in (f"{kind}.{key}", f"analyst.word.{key}"):
        if wording.has(dotted):
            return wording.text(dotted, lang)
    return key
