"""Six lines at the end of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from analysis import store, wording
from analysis.settings import Config
from analysis.wording import Language
from analysis.wording.numbers import format_value, money_scale


def lines(config: Config, record: Path, lang: Language) -> list[str]:
    """Where the report is, and what it says in five lines."""
    known = store.Record(record)
    removed = len(known.arrow("removed_rows"))
    kpis = known.table("kpis")
    segments = known.table("segment_summary")
    effects = known.table("effects")
    plan = known.table("plan")
    now = kpis[(kpis["period"] == config.settings.period) & (kpis["segment"] == "all")]
    revenue = now.loc[now["kpi"] == "revenue", "value"].dropna()
    scale = money_scale(revenue, lang, config.settings.currency)
    money = "–"
    if len(revenue):
        number = format_value(revenue.iloc[0], "money", lang, scale=scale)
        word, _, letter = scale.label.partition(" ")
        money = f"{number} {word}" if lang == "zh" else f"{word} {number} {letter}".rstrip()
    placed = (segments["segment"] != "all") & (segments["customers"] > 0)
    rows: Any = segments[placed].itertuples()
    shown = [f"{wording.text(f'segment.{r.segment}', lang)} {r.customers:,}" for r in rows]
    every = effects[effects["segment"] == "all"].drop_duplicates(["strategy", "arm", "outcome"])
    verdicts = every["verdict"].value_counts()
    reports = sorted(record.glob(f"report.{config.settings.languages[0]}.html"))
    text = wording.text
    return [
        text("run.summary.report", lang, path=_path(reports[0] if reports else record, config)),
        text(
            "run.summary.customers",
            lang,
            customers=f"{len(known.arrow('customers')):,}",
            removed=f"{removed:,}",
        ),
        text("run.summary.money", lang, revenue=money),
        text(
            "run.summary.segments", lang, segments=text("error.list_comma", lang).join(shown) or "–"
        ),
        text(
            "run.summary.effects",
            lang,
            **{k: int(verdicts.get(k, 0)) for k in ("worked", "did_not_pay", "cannot_tell")},
        ),
        text(
            "run.summary.plan",
            lang,
            measures=f"{len(plan):,}",
            customers=f"{plan['customer_id'].nunique():,}",
            tasks=f"{len(known.arrow('tasks')):,}",
        ),
    ]


def _path(path: Path, config: Config) -> str:
    return path.relative_to(config.root).as_posix()
