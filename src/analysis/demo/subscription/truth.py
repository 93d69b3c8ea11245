"""What is true of the software vendor, for tests and curiosity; the pipeline never reads it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from analysis.demo.files import Export
from analysis.demo.outputs import parquet
from analysis.demo.subscription import books
from analysis.demo.subscription.cabinet import funnel_of, leads_of
from analysis.demo.subscription.kinds import AS_OF, DAYS, KINDS, LAST, START, dates, day
from analysis.demo.subscription.ledger import LOST, RENEWED, bridge, recurring
from analysis.demo.subscription.world import World
from analysis.demo.truth import dirt, texts

RED, AMBER = 0.40, 0.18  # risks of not being renewed from which the light changes


def files(world: World, health_of: np.ndarray, exports: Sequence[Export]) -> dict[str, bytes]:
    """The truth files by name."""
    found = pd.concat([dirt(e, e.name, e.first_row) for e in exports], ignore_index=True)
    return {
        "customers.parquet": parquet(customers(world, health_of)),
        "dirt.parquet": parquet(found),
        "effects.parquet": parquet(effects(world)),
        "links.parquet": parquet(links(world)),
        "renewals.parquet": parquet(renewals(world)),
        "texts.parquet": parquet(pd.concat([texts(e) for e in exports if "_pain" in e.frame])),
        "summary.json": summary(world, health_of, found, exports),
    }


def _current(world: World) -> pd.DataFrame:
    """The contract of each customer that counts on the last day, or NaN."""
    until = world.book[~world.book["addition"]][["customer", "number", "until"]]
    terms = world.terms.merge(until, on=["customer", "number"])
    now = terms[(terms["start"] <= DAYS) & (terms["until"] >= DAYS)]
    last = now.drop_duplicates("customer", keep="last").set_index("customer")
    return last.reindex(range(len(world.folk)))


def health(world: World) -> np.ndarray:
    """How each customer fares: green, amber, red, lost or pilot.

    Red is who is likely to leave at its next decision or whose usage is falling for good.
    """
    now = _current(world)
    risk = now["risk"].to_numpy()
    falling = (now["onset"] <= DAYS) & now["saved_on"].isna()
    light = np.where(risk >= AMBER, "amber", "green")
    light = np.where((risk >= RED) | falling.to_numpy(), "red", light)
    light = np.where(now["start"].isna(), "lost", light)
    return np.where(world.folk["on_trial"], "pilot", light)


def customers(world: World, health_of: np.ndarray) -> pd.DataFrame:
    """Latent class of every customer.

    Returns
    -------
    DataFrame
        ``customer_id, tenant_id, kind, health, pain, risk`` (of not renewing the present contract,
        NaN without), ``churned_on`` (missing for those who stay), ``live_days, occupancy, logged,
        arr`` (yearly recurring revenue on the last day [CNY]).
    """
    folk = world.folk
    lost = world.book[world.book["status"] == LOST].groupby("customer")["end"].max()
    ends = lost.reindex(range(len(folk)))
    gone = (health_of == "lost") & ends.notna().to_numpy()
    return pd.DataFrame(
        {
            "customer_id": folk["customer_id"],
            "tenant_id": folk["tenant_id"],
            "kind": folk["kind"],
            "health": health_of,
            "pain": folk["pain"],
            "risk": _current(world)["risk"].round(4).to_numpy(),
            "churned_on": _dates(ends.where(gone)),
            "live_days": world.live_days.astype(np.int64),
            "occupancy": folk["occupancy"].round(4),
            "logged": folk["logged"],
            "arr": recurring(world.book, DAYS, len(folk)) / 100,
        }
    )


def _dates(days: pd.Series) -> pd.Series:
    known = days.fillna(0).to_numpy().astype(np.int64)
    found: list[date | None] = [
        when if ok else None for when, ok in zip(dates(known), days.notna(), strict=True)
    ]
    return pd.Series(found, dtype=object)


def renewals(world: World) -> pd.DataFrame:
    """What truly becomes of every contract that has begun.

    Returns
    -------
    DataFrame
        ``contract, customer_id, ends_on, risk, decision`` (renewed, lost), ``known`` (decided by
        the last day), ``saved`` (care prevented the loss), ``signed_on, starts_on, seats`` of the
        contract that follows, missing where it is lost.
    """
    terms = world.terms.copy()
    grouped = terms.groupby("customer")
    follows = grouped["renews"].shift(-1).eq(True)
    for name in ("signed", "start", "seats"):
        terms[f"next_{name}"] = grouped[name].shift(-1).where(follows)
    main = world.book[~world.book["addition"]]
    found = main[["contract", "customer", "number", "status"]].merge(
        terms, on=["customer", "number"]
    )
    found = found[found["start"] <= DAYS].reset_index(drop=True)
    return pd.DataFrame(
        {
            "contract": found["contract"],
            "customer_id": world.folk["customer_id"].to_numpy()[found["customer"]],
            "ends_on": dates(found["end"].to_numpy()),
            "risk": found["risk"].round(4),
            "decision": np.where(found["lost"], "lost", "renewed"),
            "known": found["status"].isin([RENEWED, LOST]),
            "saved": found["saved_on"].notna(),
            "signed_on": _dates(found["next_signed"]),
            "starts_on": _dates(found["next_start"]),
            "seats": found["next_seats"].astype("Int64"),
        }
    )


def effects(world: World) -> pd.DataFrame:
    """The effect of each measure on each customer.

    Returns
    -------
    DataFrame
        ``period, customer_id, strategy, arm, done, block`` and the columns of
        `measures.effects`.
    """
    found = world.assigned.reset_index(drop=True).round(2)
    found.insert(1, "customer_id", world.folk["customer_id"].to_numpy()[found["customer"]])
    return found.drop(columns=["customer", "start", "cost"])


def links(world: World) -> pd.DataFrame:
    """What belongs to what: ``link, key, other``."""
    book = world.book
    deals = funnel_of(world)
    leads = leads_of(world, deals)
    pairs = {
        "predecessor": (book, "contract", "predecessor"),
        "addition": (book[book["addition"]], "contract", "base"),
        "tenant": (world.folk, "tenant_id", "customer_id"),
        "deal": (deals, "opportunity", "contract"),
        "lead": (leads, "lead", "opportunity"),
    }
    parts = [
        pd.DataFrame({"link": link, "key": frame[key].to_numpy(), "other": frame[other].to_numpy()})
        for link, (frame, key, other) in pairs.items()
    ]
    found = pd.concat(parts, ignore_index=True)
    return found[found["other"] != ""].reset_index(drop=True)


def summary(
    world: World, health_of: np.ndarray, found: pd.DataFrame, exports: Sequence[Export]
) -> bytes:
    """Everything that can be counted, as JSON; money in fen, tax included."""
    book, size = world.book, len(world.folk)
    period = pd.PeriodIndex(pd.to_datetime(dates(book["signed"].to_numpy())), freq="Q")
    by_quarter = book.groupby(period.astype(str))["amount"].sum()
    lights, number = np.unique(health_of, return_counts=True)
    counted = (found["table"] + "." + found["rule"]).value_counts().sort_index()
    _, difference = books.controls(book)
    content = {
        "kind": "subscription",
        "seed": world.seed,
        "customers": size,
        "start": str(START),
        "as_of": str(AS_OF),
        "kinds": {k.key: int((world.folk["kind"] == k.key).sum()) for k in KINDS},
        "health": {str(k): int(n) for k, n in zip(lights, number, strict=True)},
        "arr_bridge_fen": _bridges(world),
        "expiring": _expiring(world),
        "signed_fen": int(book["amount"].sum()),
        "signed_fen_by_quarter": {str(k): int(v) for k, v in by_quarter.items()},
        "finance_difference_fen": difference,
        "dirt": {str(name): int(n) for name, n in counted.items()},
        "measures": _measures(world),
        "rows": {export.name: len(export.frame) for export in exports},
    }
    return (json.dumps(content, ensure_ascii=False, indent=2) + "\n").encode()


def _bridges(world: World) -> dict[str, dict[str, int]]:
    """The bridge of recurring revenue of each quarter since the start of 2023."""
    quarters = pd.period_range("2023Q1", AS_OF, freq="Q")
    return {
        str(q): bridge(
            world.book, day(q.start_time.date()), day(q.end_time.date()), len(world.folk)
        )
        for q in quarters
    }


def _expiring(world: World) -> dict[str, int]:
    """The contracts that ended in the last quarter, additions counted with theirs."""
    book = world.book
    main = book[~book["addition"] & (book["end"] >= LAST.first) & (book["end"] <= LAST.last)]
    arr = book.groupby("base")["arr"].sum()
    renewed = main[main["status"] == RENEWED]
    before = arr.reindex(renewed["contract"]).to_numpy()
    after = arr.reindex(renewed["successor"]).to_numpy()
    return {
        "contracts": len(main),
        "renewed": len(renewed),
        "arr_fen": int(arr.reindex(main["contract"]).sum()),
        "renewed_arr_fen": int(np.minimum(before, after).sum()),
    }


def _measures(world: World) -> dict[str, dict[str, Any]]:
    """Customers and true mean effect of each measure."""
    content: dict[str, dict[str, Any]] = {}
    for (period, strategy), rows in world.assigned.groupby(["period", "strategy"], sort=True):
        treated = rows[rows["arm"] == "treated"]
        content.setdefault(str(period), {})[str(strategy)] = {
            "treated": len(treated),
            "held_out": int((rows["arm"] == "held_out").sum()),
            "done": int(treated["done"].sum()),
            "mean_effect": round(float(treated["effect"].mean()), 4),
            "mean_effect_if_treated": round(float(rows["effect_if_treated"].mean()), 4),
            "mean_arr_effect": round(float(treated["arr_effect"].mean()), 2),
        }
    return content
