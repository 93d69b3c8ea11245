"""Where the report is, and what it says in six lines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from analysis import store, wording
from analysis.settings import Config
from analysis.wording import Language
from analysis.wording.numbers import format_value, money_scale


def lines(config: Config, record: Path, lang: Language) -> list[str]:
    """The report's path and six lines: customers, money, segments, moves, measures, plan.

    Of a week: the sheet's path, the money and who is overdue to reorder.
    """
    known = store.Record(record)
    languages = config.settings.languages
    week = config.period.kind == "week"
    shown = record / f"{_EDITION[week]}.{lang if lang in languages else languages[0]}.html"
    if week:
        path = shown.relative_to(config.root).as_posix()
        return [_say("report", lang, path=path), *_week(known, config, lang)]
    return [
        _say("report", lang, path=shown.relative_to(config.root).as_posix()),
        _say(
            "customers",
            lang,
            customers=f"{len(known.arrow('customers')):,}",
            removed=f"{len(known.arrow('removed_rows')):,}",
        ),
        _money(known.table("kpis"), config, lang),
        _segments(known.table("segment_summary"), lang),
        _moves(known.table("movements"), lang),
        _measures(known.table("effects"), lang),
        _plan(known, lang),
    ]


_EDITION = {True: "weekly", False: "report"}


def _week(known: store.Record, config: Config, lang: Language) -> list[str]:
    rows = {str(row["span"]): row for row in known.table("weekly_target").to_dict("records")}
    lists = known.table("weekly_lists")
    said = []
    for span in ("week", "quarter"):
        row = rows[span]
        numbers = {key: _amount(row[key], config, lang) for key in ("actual", "target", "gap")}
        said.append(_say(f"week_{span}", lang, **numbers))
    late = lists[lists["list"] == "reorder"]
    count, fresh = f"{len(late):,}", f"{int(late['fresh'].astype(bool).sum()):,}"
    return [*said, _say("week_reorder", lang, customers=count, fresh=fresh)]


def _amount(value: float, config: Config, lang: Language) -> str:
    scale = money_scale([value], lang, config.settings.currency)
    number = format_value(value, "money", lang, scale=scale)
    word, _, letter = scale.label.partition(" ")
    return f"{number} {word}" if lang == "zh" else f"{word} {number} {letter}".rstrip()


def _say(key: str, lang: Language, **args: str) -> str:
    return wording.text(f"run.summary.{key}", lang, **args)


def _money(kpis: pd.DataFrame, config: Config, lang: Language) -> str:
    now = (kpis["kpi"] == "revenue") & (kpis["segment"] == "all")
    found: Any = kpis[now & (kpis["period"] == config.settings.period)].dropna(subset=["value"])
    if found.empty:
        return _say("no_money", lang)
    row = found.iloc[0]
    return _say(
        "money" if pd.notna(row["attainment"]) else "money_untargeted",
        lang,
        revenue=_amount(row["value"], config, lang),
        attainment=format_value(row["attainment"], "share", lang),
        change=format_value(row["change"], "relative", lang, signed=True),
    )


def _segments(summary: pd.DataFrame, lang: Language) -> str:
    placed = (summary["segment"] != "all") & (summary["customers"] > 0)
    ordered = summary[placed].sort_values("customers", ascending=False, kind="stable")
    rows: Any = ordered.itertuples()
    shown = [f"{wording.text(f'segment.{r.segment}', lang)} {r.customers:,}" for r in rows]
    return _say("segments", lang, segments=wording.text("run.semicolon", lang).join(shown) or "–")


def _moves(movements: pd.DataFrame, lang: Language) -> str:
    counts = movements["direction"].value_counts()
    kinds = ("better", "worse", "entered", "left")
    return _say("moves", lang, **{kind: f"{int(counts.get(kind, 0)):,}" for kind in kinds})


def _measures(effects: pd.DataFrame, lang: Language) -> str:
    every = effects[effects["segment"] == "all"].drop_duplicates(["strategy", "arm", "outcome"])
    if every.empty:
        return _say("no_effects", lang)
    counts = every["verdict"].value_counts()
    kinds = ("worked", "did_not_pay", "cannot_tell")
    return _say("effects", lang, **{kind: str(int(counts.get(kind, 0))) for kind in kinds})


def _plan(known: store.Record, lang: Language) -> str:
    plan = known.table("plan")
    return _say(
        "plan",
        lang,
        measures=f"{len(plan):,}",
        customers=f"{plan['customer_id'].nunique():,}",
        tasks=f"{len(known.arrow('tasks')):,}",
    )
