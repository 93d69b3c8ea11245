"""KPIs by region, team and person: they add up, and row order changes nothing."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.effects.test_kpi_values import SETTINGS, TERMS, activity, lines, numbered, table

from analysis.calendars import Period
from analysis.effects import kpi_cuts, kpis
from analysis.effects.kpi_dictionary import BY_KEY
from analysis.engine import conform
from analysis.tables import RECORD

Q3 = Period.parse("2025Q3")
PEOPLE = table(
    "people",
    {"person_id": "P1", "team_id": "T1"},
    {"person_id": "P2", "team_id": "T1"},
    {"person_id": "P3", "team_id": "T2"},
)
CUSTOMERS = table(
    "customers",
    {"customer_id": "A", "region": "east", "owner_id": "P1"},
    {"customer_id": "B", "region": "east", "owner_id": "P2"},
    {"customer_id": "C", "region": "west", "owner_id": "P3", "team_id": "T9"},
    {"customer_id": "D", "team_id": "T9"},
)
FIRST = [(c, "2024-01-05", 1) for c in "ABCD"]


def cut(orders: pa.Table, targets: pd.DataFrame | None = None, **tables: Any) -> pd.DataFrame:
    given_tables = {"customers": CUSTOMERS, "people": PEOPLE, **tables}
    frame = kpi_cuts(orders, targets, Q3, SETTINGS, tables=given_tables)
    assert conform(frame, RECORD["kpi_cuts"]).num_rows == len(frame)
    return frame


def values(frame: pd.DataFrame, by: str, kpi: str) -> dict[str, float]:
    rows = frame.query("cut == @by and kpi == @kpi")
    return dict(zip(rows["member"], rows["value"], strict=True))


def test_whom_a_customer_counts_for() -> None:
    orders = lines(*FIRST, ("A", "2025-07-05", 10), ("B", "2025-07-06", 20),
                   ("C", "2025-07-06", 40), ("D", "2025-07-06", 80), ("X", "2025-07-06", 160),
                   ("A", "2025-04-06", 5))  # fmt: skip
    frame = cut(orders)
    assert values(frame, "region", "revenue") == {"east": 30, "west": 40, "": 240}
    # the person's team comes before the one that stands at the customer
    assert values(frame, "team", "revenue") == {"T1": 30, "T2": 40, "T9": 80, "": 160}
    assert values(frame, "owner", "revenue") == {"P1": 10, "P2": 20, "P3": 40, "": 240}
    row = frame.query("cut == 'owner' and member == 'P1' and kpi == 'revenue'").iloc[0]
    assert row["previous"] == 5
    assert not set(frame["kpi"]) & {"time_elapsed", "ytd_attainment", "high_value_customers"}


def test_what_a_person_did_counts_for_that_person() -> None:
    activities = numbered(
        "activities", "activity_id",
        activity("A", "2025-07-01", "visit", owner_id="P1"),
        activity("A", "2025-07-02", "visit", owner_id="P3"),  # lends a hand
        activity("C", "2025-07-03", "visit"),
        activity("D", "2025-07-03", "visit", owner_id="gone"),
    )  # fmt: skip
    deals = table(
        "opportunities",
        {"opportunity_id": "1", "owner_id": "P1", "status": "won", "closed_at": "2025-07-01"},
        {"opportunity_id": "2", "owner_id": "P2", "status": "lost", "closed_at": "2025-07-01"},
    )
    frame = cut(lines(*FIRST), activities=activities, opportunities=deals)
    assert values(frame, "owner", "visits") == {"P1": 1, "P2": 0, "P3": 2, "gone": 1}
    assert values(frame, "team", "visits") == {"T1": 1, "T2": 2, "T9": 1}
    assert values(frame, "region", "visits") == {"east": 2, "west": 1, "": 1}
    assert values(frame, "team", "win_rate") == {"T1": 0.5}
    assert values(frame, "owner", "win_rate") == {"P1": 1, "P2": 0}


def test_targets_of_people_and_teams() -> None:
    orders = lines(*FIRST, ("A", "2025-07-05", 10), ("B", "2025-07-06", 20))
    targets = pd.DataFrame(
        [("revenue", "2025Q3", "P1", 8.0),
         *(("revenue", f"2025-0{m}", "P2", 7.0) for m in (7, 8, 9)),
         ("retention", "2025Q3", "P1", 0.9), ("revenue", "2025Q3", None, 1000.0)],
        columns=["kpi", "period", "owner_id", "value"],
    )  # fmt: skip
    rows = cut(orders, targets).query("kpi == 'revenue'").set_index(["cut", "member"])
    assert rows.loc[("owner", "P1"), ["target", "attainment", "status"]].tolist() == [
        8, 1.25, "on_target",
    ]  # fmt: skip
    assert rows.loc[("owner", "P2"), "target"] == 21
    assert rows.loc[("owner", "P2"), "status"] == "below"
    assert rows.loc["region", "target"].isna().all()
    whole = pd.concat([targets, targets.iloc[[0]].assign(owner_id="P2", value=15.0)])
    rows = cut(orders, whole).query("kpi == 'revenue'").set_index(["cut", "member"])
    assert rows.loc[("team", "T1"), "target"] == 23
    # a share's targets do not add up
    shares = cut(orders, targets).query("kpi == 'retention' and cut == 'team'")
    assert shares["target"].isna().all()


cents = st.integers(-(10**8), 10**10).map(lambda n: Decimal(n) / 100)
sales = st.lists(st.tuples(st.sampled_from("ABCDEX"), st.integers(1, 9), cents), max_size=12)


@pytest.mark.slow
@given(sold=sales, paid=sales, seed=st.integers(0, 9))
@settings(max_examples=4, deadline=None)
def test_cuts_add_up_to_the_cent_and_row_order_changes_nothing(
    sold: list[tuple[str, int, Decimal]], paid: list[tuple[str, int, Decimal]], seed: int
) -> None:
    orders = lines(*FIRST, *((c, f"2025-0{m}-15", a) for c, m, a in sold))
    payments = numbered(
        "payments", "payment_id",
        *({"customer_id": c, "paid_on": f"2025-0{m}-15", "amount": a} for c, m, a in paid),
    )  # fmt: skip
    activities = numbered(
        "activities", "activity_id",
        *(activity(c, f"2025-0{m}-01", "visit", owner_id="P2" if m % 2 else None)
          for c, m, _ in paid),
    )  # fmt: skip
    given_tables = {"customers": CUSTOMERS, "people": PEOPLE, "payments": payments,
                    "activities": activities, "subscriptions": TERMS}  # fmt: skip
    company = kpis(orders, None, Q3, SETTINGS, tables=given_tables, periods=1)
    company = company.query("segment == 'all'").set_index("kpi")
    frame = kpi_cuts(orders, None, Q3, SETTINGS, tables=given_tables)
    for (_, kpi), rows in frame.groupby(["cut", "kpi"]):
        if BY_KEY[kpi].additive:
            parts = sum(
                (Decimal(str(v)).quantize(Decimal("0.0001")) for v in rows["value"]), Decimal(0)
            )
            whole = Decimal(str(company.loc[kpi, "value"])).quantize(Decimal("0.0001"))
            assert parts == whole, kpi
    drawn = np.random.default_rng(seed)
    shuffled = {n: t.take(drawn.permutation(len(t))) for n, t in given_tables.items()}
    again = kpi_cuts(
        orders.take(drawn.permutation(len(orders))), None, Q3, SETTINGS, tables=shuffled
    )
    pd.testing.assert_frame_equal(frame, again)


@pytest.mark.parametrize("by", ["region", "team", "owner"])
def test_a_cut_that_nobody_wrote_down_has_no_rows(by: str) -> None:
    bare = kpi_cuts(lines(*FIRST), None, Q3, SETTINGS, tables={})
    assert bare.query("cut == @by").empty
