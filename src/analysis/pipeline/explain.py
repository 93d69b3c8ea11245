"""Why is a customer where it is? Its place, numbers, cuts, orders, move, lists and plan."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pandas as pd

from analysis import store, wording
from analysis.pipeline.explain_numbers import distances, features, orders
from analysis.pipeline.known import Customer, aligned
from analysis.pipeline.lookup import find_customer
from analysis.settings import Config
from analysis.wording import Language
from analysis.wording.numbers import format_day, format_value

_STEP = "  "


def lines(config: Config, customer: str, lang: Language, name: str = "") -> Iterator[str]:
    """The customer's place and how it came about, for a terminal.

    Parameters
    ----------
    customer
        See `analysis.pipeline.lookup.find_customer`.
    name
        Of a what-if record, ``<period>~name``; empty: the period's own record.

    Raises
    ------
    SettingsError
        If no customer or several fit.
    """
    period = config.settings.period + (f"~{name}" if name else "")
    record = store.record(config.settings.run, period, config.root)
    recorded = record.manifest.get("settings", {})
    settings = {**config.flat(), **{key: each["value"] for key, each in recorded.items()}}
    currency = str(settings["currency"])
    known = Customer(find_customer(record, customer), record, settings, lang, currency)
    yield from _who(known, str(record.manifest.get("as_of", config.as_of)))
    for head, found in (
        ("place", _place(known)),
        ("override", _override(known)),
        ("others", _others(known)),
        ("move", _move(known)),
        ("scores", distances(known)),
        ("features", features(known)),
        ("orders", orders(known)),
        ("warning", _warning(known)),
        ("lists", _lists(known)),
        ("plan", _plan(known)),
    ):
        told_ = list(found)
        if told_:
            yield ""
            yield known.text(f"head.{head}")
            yield from (_STEP + line for line in told_)


def _who(known: Customer, as_of: str) -> Iterator[str]:
    who = known.row("customers")
    yield f"{known.id}  {who.get('name') or ''}".rstrip()
    people = known.table("people")
    owner = who.get("owner_id")
    if owner and len(people):
        named = people.loc[people["person_id"] == owner, "name"].dropna()
        owner = named.iloc[0] if len(named) else owner
    parts = [
        known.text("who.owner", owner=owner) if owner else "",
        who.get("region"),
        who.get("industry"),
        known.text("who.tier", tier=who["own_tier"]) if who.get("own_tier") else "",
    ]
    told_ = [str(part) for part in parts if part and not pd.isna(part)]
    if told_:
        yield " · ".join(told_)
    run, period = known.settings["run"], known.settings["period"]
    yield known.text("scope", day=format_day(as_of, known.lang), run=run, period=period)


def _place(known: Customer) -> Iterator[str]:
    place = known.row("segments")
    if not place:
        yield known.text("no_place")
        return
    segment, how = known.segment(place["segment"]), known.word("place", place["place"])
    if place["place"] == "override":  # told below, by whom and why
        yield known.text("place_decided", segment=segment, how=how)
        return
    yield known.text("place", segment=segment, how=how, rule=place["rule"])
    yield known.told(place["reason"])
    rules = known.table("scheme_rules")
    if len(rules):
        for condition in rules.loc[rules["rule"] == place["rule"], "condition"]:
            yield known.text("condition", condition=condition)
    if place.get("tag"):
        yield known.text("tag", tag=known.word("tag", place["tag"]))


def _override(known: Customer) -> Iterator[str]:
    found = known.row("overrides")
    if not found:
        return
    ends = found["expires_on"]
    until = (
        known.text("override.open")
        if pd.isna(ends)
        else known.text("override.until", day=known.day(ends))
    )
    yield known.text(
        f"override.{found['state']}",
        author=found["author"],
        day=known.day(found["decided_on"]),
        segment=known.segment(found["segment"]),
        until=until,
        why=str(found["reason"]).rstrip("。.；; "),
    )
    if found["state"] == "applied":
        args = json.loads(known.row("segments")["reason"])["args"]
        system = known.segment(found["system_segment"])
        yield known.text(
            "override.system", segment=system, reason=known.told(args["system_reason"])
        )
    yield known.text("override.place", file=found["file"], row=found["row"])


def _others(known: Customer) -> Iterator[str]:
    """Its place by the other schemes, the company's own tier, its cluster."""
    primary = known.row("segments").get("scheme")
    rows = [
        (known.word("scheme", row["scheme"]), known.segment(row["segment"]))
        for row in known.rows("crosswalk")
        if row["scheme"] != primary
    ]
    cluster = known.row("clusters")
    if cluster:
        key = "agrees" if cluster["agrees"] else "differs"
        name = known.segment(cluster["cluster"])
        named = cluster["cluster"] != "unnamed"
        shown = known.text(f"cluster.{key}", cluster=name) if named else ""
        rows.append((known.text("cluster.name"), shown or known.text("cluster.unnamed")))
    yield from aligned(rows)


def _move(known: Customer) -> Iterator[str]:
    move = known.row("movements")
    if not move:
        return
    yield known.text(
        "move",
        before=known.segment(move["segment_before"]),
        after=known.segment(move["segment_after"]),
        direction=" · ".join(_kind(known, move)),
        cause=known.told(move["cause"]),
    )
    before, after = (known.money(move[f"amount_{end}"]) for end in ("before", "after"))
    yield known.text("money_move", before=before, after=after)
    if known.row("segments_before").get("origin") == "recomputed":
        yield known.text("recomputed")


def _kind(known: Customer, move: dict[str, Any]) -> Iterator[str]:
    """Up or down, and whose doing it was where the record says so."""
    yield known.word("direction", move["direction"])
    if move.get("cause_kind") not in (None, "same"):
        yield known.word("cause_kind", move["cause_kind"])


def _warning(known: Customer) -> Iterator[str]:
    for row in known.rows("warnings"):
        yield known.told(row["reason"])
        if not pd.isna(row["chance"]):
            shares = {
                name: format_value(row[name], "share", known.lang)
                for name in ("chance", "low", "high")
            }
            yield known.text("chance", **shares)


def _lists(known: Customer) -> Iterator[str]:
    for table, kind in (("accounts", "account_list"), ("worklists", "worklist")):
        for row in known.rows(table):
            yield known.text(
                "listed",
                list=known.word(kind, row["list"]),
                rank=row["rank"],
                amount=known.money(row["amount"]),
                reason=known.told(row["reason"]),
            )
    for row in known.rows("review"):
        yield known.text(
            "listed",
            list=wording.text("review_pack.list", known.lang),
            rank=row["rank"],
            amount=known.money(row["amount"]),
            reason=known.told(row["why"]),
        )


def _plan(known: Customer) -> Iterator[str]:
    for row in known.rows("plan"):
        yield known.text(
            "plan",
            measure=known.word("measure", row["measure"]),
            start=known.day(row["start"]),
            due=known.day(row["due"]),
            role=known.word("role", row["owner_role"]),
            reason=known.told(row["reason"]),
        )
