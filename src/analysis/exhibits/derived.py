"""Sums and differences that sentences print, as facts of their own.

The report computes nothing; what a title needs beyond the tables' own cells is computed here,
once, for both languages.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace

import pandas as pd

from analysis.exhibits import unmatched
from analysis.exhibits.facts import (
    Fact,
    FactBook,
    Tables,
    fact_id,
    frame_of,
    known_fact,
    plain_value,
    records,
)
from analysis.exhibits.page_facts import page_facts
from analysis.exhibits.walks import cut_below
from analysis.roles import AT_RISK, BEST, Roles, roles_of
from analysis.settings_model import Settings
from analysis.tables import INPUT, MADE_FROM
from analysis.wording import catalogue

GAINS = ("new", "returned", "more")
LOSSES = ("less", "not_bought")


def derive(tables: Tables, book: FactBook, settings: Settings) -> FactBook:
    """The derived facts of a record.

    Parameters
    ----------
    tables
        The record's tables.
    book
        The facts of their cells.
    settings
        The run's settings.
    """
    found = FactBook()
    for part in (
        _kpis(book),
        _bridge(book),
        _movements(frame_of(tables, "movement_matrix")),
        _accounts(frame_of(tables, "accounts")),
        _effects(frame_of(tables, "effects")),
        _plan(frame_of(tables, "plan_summary"), frame_of(tables, "decisions")),
        _tasks(frame_of(tables, "tasks")),
        _rows(frame_of(tables, "reconciliation"), frame_of(tables, "sources")),
        _quality(frame_of(tables, "quality")),
        unmatched.totals(frame_of(tables, "unmatched_keys")),
        _segments(frame_of(tables, "segment_summary")),
        _inputs(settings),
    ):
        for fact in part:
            found.add(fact)
    roles = roles_of(frame_of(tables, "scheme_segments"))
    for fact in _by_role(book.merge(found), roles):
        found.add(fact)
    for fact in page_facts(tables, book.merge(found), settings.period):
        found.add(fact)
    return found


def _number(book: Mapping[str, Fact], id_: str) -> float:
    fact = book.get(id_)
    return float(fact.value) if fact is not None and not isinstance(fact.value, str) else math.nan


def _kpis(book: FactBook) -> Iterator[Fact]:
    # Shares have their difference in points already: the table's own `change`.
    for base, name in ((".previous", "difference"), (".year_ago", "difference_year")):
        for id_, fact in book.items():
            head = id_.removesuffix(base)
            if fact.source == "kpis" and head != id_ and head in book and fact.unit != "share":
                change = _number(book, head) - _number(book, id_)
                yield from known_fact(f"{head}.{name}", change, fact.unit, "kpis")


def _bridge(book: FactBook) -> Iterator[Fact]:
    steps = {
        step: _number(book, f"bridge.{step}.amount")
        for step in ("previous", *GAINS, *LOSSES, "current")
    }
    if math.isnan(steps["current"]):
        return
    known = {k: 0.0 if math.isnan(v) else v for k, v in steps.items()}
    yield from known_fact("bridge.gains.amount", sum(known[s] for s in GAINS), "money", "bridge")
    yield from known_fact("bridge.losses.amount", sum(known[s] for s in LOSSES), "money", "bridge")
    arrivals = known["new"] + known["returned"]
    yield from known_fact("bridge.arrivals.amount", arrivals, "money", "bridge")
    net = known["current"] - known["previous"]
    yield from known_fact("bridge.net.amount", net, "money", "bridge")
    target = _number(book, "kpi.revenue.target")
    if not math.isnan(target):
        gap = known["current"] - target
        yield from known_fact("bridge.gap.amount", gap, "money", "bridge")
    yield from known_fact("bridge.cut.amount", _cut(known, target), "money", "bridge")


def _cut(steps: Mapping[str, float], target: float) -> float:
    """Value below which the bars of totals are cut, so that changes can be seen; 0 for none."""
    level, levels = steps["previous"], [steps["previous"], steps["current"]]
    for step in (*GAINS, *LOSSES):
        level += steps[step]
        levels.append(level)
    if not math.isnan(target):
        levels.append(target)
    return cut_below(levels)


def _movements(matrix: pd.DataFrame) -> Iterator[Fact]:
    if matrix.empty:
        return
    source = "movement_matrix"
    kept = matrix[matrix["segment_before"] != "entered"]
    for before, rows in matrix.groupby("segment_before", sort=True):
        id_ = fact_id("movement", before, "total")
        yield from known_fact(f"{id_}.customers", rows["customers"].sum(), "count", source)
    for after, rows in matrix.groupby("segment_after", sort=True):
        id_ = fact_id("movement", "total", after)
        yield from known_fact(f"{id_}.customers", rows["customers"].sum(), "count", source)
    for direction, rows in matrix.groupby("direction", sort=True):
        id_ = fact_id("movement", "direction", direction)
        yield from known_fact(f"{id_}.customers", rows["customers"].sum(), "count", source)
        yield from known_fact(f"{id_}.amount_before", rows["amount_before"].sum(), "money", source)
    for segment in sorted(set(kept["segment_after"]) - {"left"}):
        into = matrix[(matrix["segment_after"] == segment) & (matrix["segment_before"] != segment)]
        out = kept[(kept["segment_before"] == segment) & (kept["segment_after"] != segment)]
        moved = out[out["segment_after"] != "left"]
        # a scheme may know worse than its segment at risk: who sinks there is not won back
        back = moved[moved["direction"] != "worse"]
        sunk = moved[moved["direction"] == "worse"]
        fallen = into[into["segment_before"] != "entered"]
        head = fact_id("movement", "flow", segment)
        yield from known_fact(f"{head}.in", into["customers"].sum(), "count", source)
        yield from known_fact(f"{head}.moved_in", fallen["customers"].sum(), "count", source)
        yield from known_fact(f"{head}.out", out["customers"].sum(), "count", source)
        yield from known_fact(f"{head}.back", back["customers"].sum(), "count", source)
        yield from known_fact(f"{head}.out_signed", -int(back["customers"].sum()), "count", source)
        yield from known_fact(f"{head}.sunk_signed", -int(sunk["customers"].sum()), "count", source)
        left = int(out.loc[out["segment_after"] == "left", "customers"].sum())
        yield from known_fact(f"{head}.left_signed", -left, "count", source)


def _accounts(accounts: pd.DataFrame) -> Iterator[Fact]:
    if accounts.empty:
        return
    for name, rows in accounts.groupby("list", sort=True):
        yield from known_fact(f"account.{name}.count", len(rows), "count", "accounts")
        total = rows["amount"].astype(float).sum()
        yield from known_fact(f"account.{name}.total", total, "money", "accounts")


def main_effects(effects: pd.DataFrame) -> pd.DataFrame:
    """One row per strategy and arm for all customers: its money outcome, else its first.

    This is the row that page 1 and the review speak of; further outcomes stand below it.
    """
    if effects.empty:
        return effects
    rows = effects[effects["segment"] == "all"].copy()
    rows["place"] = (rows["unit"] != "money").astype(int)
    rows = rows.sort_values(["strategy", "arm", "place", "outcome"], kind="stable")
    return rows.drop_duplicates(["strategy", "arm"]).drop(columns="place").reset_index(drop=True)


def no_conclusion(row: Mapping[str, object]) -> bool:
    """Whether a row has no comparison at all, so that nothing can be concluded."""
    return str(row.get("grade")) == "D" or str(row.get("method")) == "none"


def _effects(effects: pd.DataFrame) -> Iterator[Fact]:
    rows = main_effects(effects)
    if rows.empty:
        return
    yield from known_fact("effects.count", len(rows), "count", "effects")
    verdicts = ["none" if no_conclusion(row) else str(row["verdict"]) for row in records(rows)]
    for verdict in ("worked", "did_not_pay", "cannot_tell", "none"):
        yield from known_fact(
            f"effects.count.{verdict}", verdicts.count(verdict), "count", "effects"
        )
    still = verdicts.count("cannot_tell") + verdicts.count("none")
    yield from known_fact("effects.count.open", still, "count", "effects")
    for row in records(rows):
        cost, n = plain_value(row.get("cost_per_customer")), plain_value(row.get("n_treated"))
        if isinstance(cost, (int, float)) and isinstance(n, (int, float)):
            id_ = fact_id("effect", row["strategy"], row["arm"], "cost")
            yield from known_fact(id_, cost * n, "money", "effects")
    treated = rows.dropna(subset=["done_share"]) if "done_share" in rows else rows.iloc[:0]
    if len(treated):
        done = (treated["done_share"] * treated["n_treated"]).sum()
        yield from known_fact("effects.done", round(done), "count", "effects")
        yield from known_fact("effects.treated", treated["n_treated"].sum(), "count", "effects")
        yield from known_fact(
            "effects.done_share", done / treated["n_treated"].sum(), "share", "effects"
        )
    level = effects["level"].dropna() if "level" in effects else effects.iloc[:, 0][:0]
    if len(level):
        yield from known_fact("effects.level", level.max(), "share", "effects")


def _plan(plan: pd.DataFrame, decisions: pd.DataFrame) -> Iterator[Fact]:
    if len(plan):
        source = "plan_summary"
        yield from known_fact("plans.count", len(plan), "count", source)
        extra = int((plan["basis"] != "mandatory").sum())
        yield from known_fact("plans.extra", extra, "count", source)
        yield from known_fact("plans.cost", plan["cost"].astype(float).sum(), "money", source)
        for column in ("customers", "later", "exempt"):
            yield from known_fact(f"plans.{column}", plan[column].sum(), "count", source)
        value = plan["expected_value"].astype(float)
        if value.notna().any():
            yield from known_fact("plans.expected_value", value.sum(), "money", source)
    if len(decisions):
        yield from known_fact("decisions.count", len(decisions), "count", "decisions")


def _tasks(tasks: pd.DataFrame) -> Iterator[Fact]:
    if len(tasks):
        yield from known_fact("tasks.count", len(tasks), "count", "tasks")
        if "owner_id" in tasks:
            people = tasks["owner_id"].replace("", None).nunique()
            yield from known_fact("tasks.people", people or None, "count", "tasks")


def _rows(reconciliation: pd.DataFrame, sources: pd.DataFrame) -> Iterator[Fact]:
    if len(sources):
        yield from known_fact("sources.count", len(sources), "count", "sources")
        yield from known_fact("sources.rows", sources["rows"].sum(), "count", "sources")
    if reconciliation.empty:
        return
    source = "reconciliation"
    for table, rows in reconciliation.groupby("table", sort=True):
        head = fact_id("reconciliation", table, "all")
        removed = rows[~rows["step"].isin(["read", "kept"])]
        removed = removed[removed["rows"] < 0]
        yield from known_fact(f"{head}.removed_rows", -removed["rows"].sum(), "count", source)
        money = removed["amount"].astype(float)
        if money.notna().any():
            yield from known_fact(f"{head}.removed_amount", -money.sum(), "money", source)
        read = rows.loc[rows["step"] == "read", "rows"].sum()
        if read:
            share = -removed["rows"].sum() / read
            yield from known_fact(f"{head}.removed_share", share, "share", source)


def _quality(quality: pd.DataFrame) -> Iterator[Fact]:
    if quality.empty:
        return
    quality = quality[quality["table"] != "all"]  # that row adds the others up
    yield from known_fact("quality.checks", len(quality), "count", "quality")
    gate = quality["gate"].astype(float)
    below = quality[gate.notna() & (quality["share"] < gate)]
    yield from known_fact("quality.below", len(below), "count", "quality")
    passed, failed = quality["passed"].sum(), quality["failed"].sum()
    if passed + failed:
        yield from known_fact(
            "quality.passed_share", passed / (passed + failed), "share", "quality"
        )


def _segments(summary: pd.DataFrame) -> Iterator[Fact]:
    if summary.empty:
        return
    parts = summary[summary["segment"] != "all"]
    yield from known_fact("segments.count", len(parts), "count", "segment_summary")


def _by_role(book: FactBook, roles: Roles) -> Iterator[Fact]:
    """What is known of the best segment and of the one at risk, under the names of their roles.

    ``segment.best.…``, ``movement.flow.at_risk.…``, ``movement.best.at_risk.…``: sentences need
    not know how the scheme calls them.
    """
    best, risk = roles.one(BEST), roles.one(AT_RISK)
    if not best or not risk:
        return
    heads = {fact_id("movement", best, risk): fact_id("movement", BEST, AT_RISK)}
    for segment, role in ((best, BEST), (risk, AT_RISK)):
        heads[fact_id("segment", segment)] = fact_id("segment", role)
        heads[fact_id("movement", "flow", segment)] = fact_id("movement", "flow", role)
    for id_, fact in book.items():
        for own, general in heads.items():
            if own != general and id_.startswith(f"{own}."):
                yield replace(fact, id=general + id_.removeprefix(own))


def absent_tables(settings: Settings) -> list[str]:
    """Tables that were not given, of which the catalogues say what they would add."""
    given = {*settings.sources, *(MADE_FROM.get(name, name) for name in settings.sources)}
    return [name for name in INPUT if name not in given and catalogue.has(f"adds.{name}")]


def _inputs(settings: Settings) -> Iterator[Fact]:
    absent = absent_tables(settings)
    yield from known_fact("inputs.absent", len(absent), "count", "settings")
