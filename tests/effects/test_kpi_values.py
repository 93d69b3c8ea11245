"""Process and outcome KPIs by hand: activities, funnel, delivery, surveys, contracts, goals."""

from __future__ import annotations

import json
import math
from datetime import date
from decimal import Decimal
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from tests.schemes import scheme_segments

from analysis import wording
from analysis.calendars import Period, spring_festival
from analysis.effects import KPI_TABLES, dictionary, kpi_cuts, kpis
from analysis.effects.kpi_compare import both_months, status
from analysis.effects.kpi_dictionary import BY_KEY, KPIS
from analysis.engine import conform
from analysis.settings_measures import Effectiveness
from analysis.stats import wilson
from analysis.tables import RECORD

Q3 = Period.parse("2025Q3")
SETTINGS = Effectiveness()


def table(name: str, *rows: dict[str, Any]) -> pa.Table:
    """Record rows with days and money as they are typed."""
    kinds = {c.name: c.type for c in RECORD[name].columns}

    def cell(column: str, value: Any) -> Any:
        if value is None:
            return None
        if kinds[column] in ("date", "timestamp"):
            return pd.Timestamp(value)
        return Decimal(str(value)) if kinds[column] == "money" else value

    made = [{k: cell(k, v) for k, v in row.items()} for row in rows]
    return pa.Table.from_pylist(made, schema=RECORD[name].schema())


def numbered(name: str, key: str, *rows: dict[str, Any]) -> pa.Table:
    return table(name, *({key: f"{i}", **row} for i, row in enumerate(rows)))


def lines(*rows: tuple[str, str, float], **more: Any) -> pa.Table:
    made = [
        {
            "order_id": f"O{i}",
            "line_id": "1",
            "customer_id": c,
            "ordered_at": d,
            "amount": a,
            **more,
        }
        for i, (c, d, a) in enumerate(rows)
    ]
    return table("orders", *made)


STEADY = lines(*(("A", f"{y}-{m:02d}-10", 100) for y in (2023, 2024) for m in range(1, 13)),
               *(("A", f"2025-{m:02d}-10", 100) for m in range(1, 10)))  # fmt: skip


def found(orders: pa.Table = STEADY, period: Period = Q3, **tables: Any) -> pd.DataFrame:
    frame = kpis(orders, tables.pop("targets", None), period, SETTINGS, tables=tables)
    assert conform(frame, RECORD["kpis"]).num_rows == len(frame)
    return frame


def one(frame: pd.DataFrame, kpi: str, period: str = "2025Q3", segment: str = "all") -> pd.Series:
    rows = frame.query("kpi == @kpi and period == @period and segment == @segment")
    assert len(rows) == 1, kpi
    return rows.iloc[0]


def ratio(frame: pd.DataFrame, kpi: str, **more: Any) -> tuple[float, float]:
    row = one(frame, kpi, **more)
    assert row["value"] == pytest.approx(row["numerator"] / row["denominator"])
    return row["numerator"], row["denominator"]


def activity(customer: str, day: str, kind: str, **more: Any) -> dict[str, Any]:
    return {"customer_id": customer, "happened_at": day, "kind": kind, **more}


@pytest.mark.requirement("000-25")
def test_what_was_done() -> None:
    activities = numbered(
        "activities", "activity_id",
        activity("A", "2025-03-01", "visit"),
        activity("A", "2025-07-01", "visit"),
        activity("A", "2025-09-30 20:00", "visit"),
        activity("A", "2025-08-01", "call", connected=True),
        activity("B", "2025-08-02", "call", connected=True),
        activity("A", "2025-08-03", "call", connected=False),
        activity("A", "2025-08-04", "call"),
        activity("A", "2025-08-05", "material"),
        activity("A", "2025-10-01", "mail"),
    )  # fmt: skip
    frame = found(activities=activities)
    value = {k: one(frame, k)["value"] for k in ("visits", "calls", "materials", "mails")}
    assert value == {"visits": 2, "calls": 4, "materials": 1, "mails": 0}
    assert one(frame, "visits")["previous"] == 0
    assert ratio(frame, "connect_rate") == (2, 3)
    assert one(frame, "connect_rate")["low"] == pytest.approx(float(wilson(2, 3)[0]))
    assert frame.query("kpi == 'webinars'").empty  # never written down: not nought


@pytest.mark.requirement("001-21")
def test_visits_kept_to_plan() -> None:
    """The best: a visit a month. Others: a call or a visit a quarter. One counts once a slot."""
    activities = numbered(
        "activities", "activity_id",
        activity("Z", "2025-06-20", "visit"),
        activity("A", "2025-07-01", "visit"),
        activity("A", "2025-07-31", "visit"),  # the same month again
        activity("A", "2025-09-30", "visit"),
        activity("A", "2025-08-10", "call"),  # a call is no deep visit
        activity("B", "2025-09-01", "call"),
        activity("B", "2025-09-02", "visit"),
    )  # fmt: skip
    orders = lines(*((c, "2025-01-05", 10) for c in "ABCZ"))
    segments = pd.DataFrame(
        {"customer_id": list("ABC"), "segment": ["high_value", "potential", "potential"]}
    )
    given = {"segments_before": segments, "scheme_segments": scheme_segments()}
    frame = found(orders, activities=activities, **given)
    frame = found(orders, activities=activities, segments=segments, **given)
    assert ratio(frame, "visit_compliance") == (2 + 1 + 0, 3 + 1 + 1)
    assert ratio(frame, "visit_compliance", segment="high_value") == (2, 3)
    month = found(
        orders, Period.parse("2025-09"), activities=activities, segments=segments, **given
    )
    # in September A is due one visit, B and C one contact since July
    assert ratio(month, "visit_compliance", period="2025-09") == (1 + 1 + 0, 3)


def test_tasks_and_trials() -> None:
    tasks = table(
        "task_results",
        {
            "task_id": "1",
            "customer_id": "A",
            "status": "done",
            "due_on": "2025-07-01",
            "done_on": "2025-07-01",
        },
        {"task_id": "2", "customer_id": "A", "status": "open", "due_on": "2025-09-30"},
        {"task_id": "3", "customer_id": "A", "status": "moved", "due_on": "2025-08-30"},
        {"task_id": "4", "customer_id": "A", "status": "done", "due_on": "2025-10-30"},
        {"task_id": "5", "status": "done", "due_on": "2025-08-30", "done_on": "2025-09-01"},
    )
    customers = table(
        "customers",
        {"customer_id": "A"},
        {"customer_id": "T1", "on_trial": True, "joined_on": "2025-05-01"},
        {"customer_id": "T2", "on_trial": True, "joined_on": "2025-05-01"},
        {"customer_id": "T3", "on_trial": True, "joined_on": "2025-10-01"},
    )
    usage = table(
        "usage",
        {"customer_id": "T1", "used_on": "2025-09-30", "users": 1},
        {"customer_id": "T2", "used_on": "2025-06-30", "users": 1},
        {"customer_id": "A", "used_on": "2025-09-30", "users": 1},
    )
    frame = found(task_results=tasks, customers=customers, usage=usage)
    assert ratio(frame, "task_completion") == (2, 4)
    assert ratio(frame, "tasks_in_time") == (1, 4)
    assert ratio(frame, "trial_activation") == (1, 2)


@pytest.mark.requirement("002-31")
def test_leads_and_deals() -> None:
    def lead(created: str, converted: str | None = None) -> dict[str, Any]:
        return {"created_at": created, "converted_at": converted}

    # 90 days after 2 April is 1 July, after 2 July 30 September
    leads = numbered(
        "leads", "lead_id",
        lead("2025-01-01"),
        lead("2025-04-01", "2025-04-02"),  # judged in June
        lead("2025-04-02", "2025-07-01"),  # on the ninetieth day
        lead("2025-05-02", "2025-09-01"),  # too late for the count
        lead("2025-06-02"),
        lead("2025-07-02", "2025-07-03"),
        lead("2025-07-03", "2025-07-04"),  # not judged yet
    )  # fmt: skip

    def deal(status: str, closed: str, amount: float | None, created: str) -> dict[str, Any]:
        return {"status": status, "closed_at": closed, "amount": amount, "created_at": created}

    deals = numbered(
        "opportunities", "opportunity_id",
        deal("won", "2025-01-05", 1, "2025-01-01"),
        deal("won", "2025-07-11", 100, "2025-07-01"),
        deal("won", "2025-09-30 18:00", 300, "2025-08-01"),
        deal("won", "2025-08-03", None, "2025-07-04"),
        deal("lost", "2025-08-01", 600, "2025-06-01"),
        deal("void", "2025-08-01", 9999, "2025-06-01"),
        deal("lost", "2025-10-01", 9999, "2025-06-01"),
    )  # fmt: skip
    frame = found(leads=leads, opportunities=deals)
    assert ratio(frame, "lead_conversion") == (2, 4)
    assert ratio(frame, "win_rate") == (3, 4)
    row = one(frame, "win_rate")
    assert (row["low"], row["high"], row["n"]) == (
        *(pytest.approx(float(x)) for x in wilson(3, 4)), 4,
    )  # fmt: skip
    assert ratio(frame, "win_rate_value") == (400, 1000)
    cycle = one(frame, "sales_cycle_days")
    assert (cycle["value"], cycle["n"], cycle["unit"]) == (30, 3, "days")  # of 10, 60 and 30
    assert frame.query("kpi == 'win_rate' and period == '2025Q2'").empty  # nothing was closed


def test_delivery_returns_and_discount() -> None:
    def line(number: int, amount: float, **more: Any) -> dict[str, Any]:
        return {"order_id": f"O{number}", "line_id": "1", "customer_id": "A",
                "ordered_at": "2025-08-01", "amount": amount, **more}  # fmt: skip

    orders = table(
        "orders",
        line(1, 90, quantity=10, list_price=10, promised_on="2025-08-10", shipped_on="2025-08-10"),
        line(2, 60, quantity=5, list_price=20, promised_on="2025-08-10", shipped_on="2025-08-11"),
        line(3, 50, quantity=5, promised_on="2025-09-30"),  # has not left: late
        line(4, -20, quantity=-2, list_price=10),
        line(5, 1, promised_on="2025-10-01", shipped_on="2025-09-01"),
    )
    frame = found(orders)
    assert ratio(frame, "on_time_delivery") == (1, 3)
    assert ratio(frame, "return_rate") == (20, 201)
    assert ratio(frame, "discount") == (50, 200)
    plain = found(STEADY)
    assert not set(plain["kpi"]) & {"on_time_delivery", "return_rate", "discount"}


@pytest.mark.requirement("000-26", "003-10")
def test_nps_of_a_known_distribution() -> None:
    """50 promoters, 30 passives, 20 detractors: 30 points."""
    scores = [10] * 30 + [9] * 20 + [8] * 10 + [7] * 20 + [6] * 15 + [0] * 5
    answers = [
        {"customer_id": "A", "answered_on": "2025-08-01", "question": " NPS", "score": s}
        for s in scores
    ]
    other = {"customer_id": "A", "answered_on": "2025-09-01", "question": "satisfaction"}
    surveys = numbered(
        "surveys", "survey_id", *answers, {**other, "score": 4}, {**other, "score": 5},
        {**other, "answered_on": "2025-10-01", "score": 1}, {**other, "question": "x", "score": 1},
    )  # fmt: skip
    frame = found(surveys=surveys)
    nps = one(frame, "nps")
    assert (nps["value"], nps["n"], nps["unit"]) == (30, 100, "number")
    assert math.isnan(nps["change"])
    own = one(frame, "survey_satisfaction")
    assert (own["value"], own["n"]) == (4.5, 2)


@pytest.mark.requirement("000-26", "004-29")
def test_conversion_and_the_best_customers() -> None:
    customers = table(
        "customers",
        *({"customer_id": c, "joined_on": d} for c, d in (
            ("A", "2023-01-01"), ("B", "2025-01-05"), ("C", "2025-02-05"), ("D", "2024-10-01"),
            ("E", "2024-09-30"), ("F", "2025-10-05"))),
    )  # fmt: skip
    orders = lines(("A", "2023-01-02", 1), ("B", "2025-09-30", 1), ("C", "2025-10-02", 1))
    # since October 2024: B, C and D; only B has ordered by the end
    frame = found(orders, customers=customers)
    assert ratio(frame, "new_customer_conversion") == (1, 3)
    buyers = found(orders, customers=customers.slice(0, 2))
    assert buyers.query("kpi == 'new_customer_conversion' and period == '2025Q3'").empty
    history = pd.DataFrame(
        [("2025Q3", "high_value", 20), ("2025Q3", "new", 80), ("2025Q2", "high_value", 30),
         ("2025Q2", "new", 70)],
        columns=["period", "segment", "customers"],
    )  # fmt: skip
    best = one(found(segment_history=history, scheme_segments=scheme_segments()),
               "high_value_customer_share")  # fmt: skip
    assert (best["value"], best["previous"], best["change"]) == (0.2, 0.3, pytest.approx(-0.1))


@pytest.mark.requirement("002-25")
def test_lifetime_value_by_hand() -> None:
    """Two buyers before, one of them stays: margin a buyer of 40, half are lost: 80."""
    orders = lines(("A", "2023-09-01", 1), ("A", "2024-05-01", 100), ("B", "2024-05-01", 100),
                   ("A", "2025-05-01", 100), cost=60)  # fmt: skip
    assert one(found(orders), "lifetime_value")["value"] == 80


def term(
    number: int, customer: str, start: str, end: str, arr: float, **more: Any
) -> dict[str, Any]:
    return {"subscription_id": f"S{number}", "customer_id": customer, "starts_on": start,
            "ends_on": end, "arr": arr, "seats": 10, **more}  # fmt: skip


TERMS = table(
    "subscriptions",
    term(1, "stays", "2024-01-01", "2025-12-31", 100),
    term(2, "grows", "2024-08-01", "2025-07-31", 100, status="renewed"),
    term(3, "grows", "2025-08-01", "2026-07-31", 150, predecessor="S2"),
    term(4, "shrinks", "2024-08-16", "2025-08-15", 100, status="renewed"),
    term(5, "shrinks", "2025-09-01", "2026-08-31", 60, predecessor="S4"),  # a gap is no loss
    term(6, "leaves", "2024-09-01", "2025-08-31", 200, status="churned"),
    term(7, "new", "2025-09-01", "2026-08-31", 70),
    term(8, "early", "2024-10-01", "2025-09-30", 40, status="renewed"),
    term(9, "early", "2025-09-15", "2026-09-14", 40, predecessor="S8"),  # not counted twice
)


def test_recurring_revenue_by_hand() -> None:
    frame = found(subscriptions=TERMS)
    assert one(frame, "arr")["value"] == 100 + 150 + 60 + 70 + 40
    assert one(frame, "arr")["previous"] == 100 + 100 + 100 + 200 + 40
    assert ratio(frame, "net_revenue_retention") == (100 + 150 + 60 + 40, 540)
    assert ratio(frame, "gross_revenue_retention") == (100 + 100 + 60 + 40, 540)
    assert ratio(frame, "renewal_rate_value") == (100 + 60 + 40, 440)
    assert ratio(frame, "renewal_rate") == (3, 4)
    lost = one(frame, "lost_arr")
    assert (lost["value"], lost["n"]) == (200, 1)
    # 218 of 268
    ended = [term(i, f"C{i}", "2024-07-01", "2025-07-31", 1) for i in range(218)]
    gone = [
        term(i, f"C{i}", "2024-07-01", "2025-07-31", 1, status="churned") for i in range(218, 268)
    ]
    after = [term(1000 + i, f"C{i}", "2025-08-01", "2026-07-31", 1) for i in range(218)]
    reference = table("subscriptions", *ended, *gone, *after)
    assert one(found(subscriptions=reference), "renewal_rate")["value"] == pytest.approx(218 / 268)


def test_live_and_red() -> None:
    terms = table(
        "subscriptions",
        term(1, "L1", "2025-05-01", "2026-04-30", 10),
        term(2, "L2", "2025-05-01", "2026-04-30", 20),
        term(3, "L3", "2025-05-01", "2026-04-30", 30),  # nobody logs its use
        term(4, "L4", "2025-07-15", "2026-07-14", 40),  # has until October
    )
    usage = table(
        "usage",
        {"customer_id": "L1", "used_on": "2025-07-30", "users": 5},  # the ninetieth day
        {"customer_id": "L2", "used_on": "2025-07-31", "users": 9},
        {"customer_id": "L2", "used_on": "2025-05-01", "users": 4},
        {"customer_id": "L4", "used_on": "2025-08-01", "users": 9},
    )
    segments = pd.DataFrame(
        {"customer_id": ["L1", "L2", "L4"], "segment": ["renewal_risk", "steady", "renewal_risk"]}
    )
    before = segments.assign(segment=["steady", "renewal_risk", "renewal_risk"])
    given = {"segments": segments, "scheme_segments": scheme_segments("subscription5")}
    frame = found(subscriptions=terms, usage=usage, segments_before=before, **given)
    assert ratio(frame, "live_rate") == (1, 2)
    accounts, revenue = one(frame, "red_accounts"), one(frame, "red_arr")
    assert (accounts["value"], accounts["previous"]) == (2, 1)  # L4 had no contract in June
    assert (revenue["value"], revenue["previous"], revenue["n"]) == (50, 20, 2)
    # without contracts there are no red accounts
    assert found(**given).query("kpi == 'red_accounts'").empty


@pytest.mark.parametrize(
    ("scheme", "segment", "target"),
    [("rfm5", "high_value", 20), ("rfm5", "platinum", math.nan), ("platinum4", "platinum", 20),
     ("platinum4", "high_value", math.nan), ("grade4", None, 20), ("grade4", "all", 20)],
)  # fmt: skip
def test_a_target_of_the_best_is_of_the_scheme_in_use(
    scheme: str, segment: str | None, target: float
) -> None:
    targets = pd.DataFrame(
        {"kpi": ["high_value_customers"], "period": ["2025Q3"], "segment": [segment],
         "owner_id": [None], "value": [20.0]}
    )  # fmt: skip
    frame = found(targets=targets, scheme_segments=scheme_segments(scheme))
    assert one(frame, "high_value_customers")["target"] == pytest.approx(target, nan_ok=True)


def test_spring_festival_moves() -> None:
    days = [spring_festival(year, "CN") for year in (2024, 2025, 2026)]
    assert days == [date(2024, 2, 10), date(2025, 1, 29), date(2026, 2, 17)]
    assert spring_festival(2025, "DE") is None
    leap = both_months(Period.parse("2024-01"), "CN")
    assert leap is not None
    assert (leap.start, leap.end) == (date(2024, 1, 1), date(2024, 2, 29))
    for name in ("2025-03", "2025Q1", "2025-W05"):
        assert both_months(Period.parse(name), "CN") is None
    assert both_months(Period.parse("2025-02"), "DE") is None


def test_january_and_february_are_compared_together() -> None:
    """2024: 100 + 20 (festival in February); 2025: 30 + 120; 2026: 130 + 26."""
    amounts = {"2024-01": 100, "2024-02": 20, "2025-01": 30, "2025-02": 120, "2026-01": 130,
               "2026-02": 26, "2026-03": 90}  # fmt: skip
    orders = lines(("A", "2023-12-28", 1), *(("A", f"{m}-05", a) for m, a in amounts.items()))
    frame = found(orders, Period.parse("2026-02"))
    row = one(frame, "revenue", "2026-02")
    assert (row["value"], row["change_year"]) == (26, pytest.approx(156 / 150 - 1))
    assert math.isnan(row["year_ago"])
    note = json.loads(row["note"])
    assert {k: v["value"] for k, v in note["args"].items()} == {"value": 156, "year_ago": 150}
    assert wording.has(note["key"])
    # the month alone would have said −78 %; the month before in the same report says the same
    assert one(frame, "revenue", "2026-01")["change_year"] == pytest.approx(156 / 150 - 1)
    before = found(orders, Period.parse("2025-02"))
    assert one(before, "revenue", "2025-02")["change_year"] == pytest.approx(150 / 120 - 1)
    # in January nothing can be said yet
    early = one(found(orders, Period.parse("2026-01")), "revenue", "2026-01")
    assert math.isnan(early["change_year"])
    assert json.loads(early["note"])["key"] == "kpi_note.february_to_come"
    # a quarter holds both months, another month neither; a year to date is no month
    quarter = one(found(orders, Period.parse("2025Q1")), "revenue", "2025Q1")
    assert quarter["year_ago"] == 120
    assert pd.isna(quarter["note"])
    march = found(orders, Period.parse("2026-03"))
    assert pd.isna(one(march, "revenue", "2026-03")["note"])
    year = one(frame, "revenue_ytd", "2026-02")
    assert (year["year_ago"], year["change_year"]) == (150, pytest.approx(0.04))
    abroad = kpis(orders, None, Period.parse("2026-02"), SETTINGS, holidays="DE")
    assert one(abroad, "revenue", "2026-02")["year_ago"] == 120


def test_the_dictionary_says_what_is_missing() -> None:
    rows = dictionary({"orders": STEADY}).set_index("kpi")
    assert list(rows.index) == [kpi.key for kpi in KPIS]
    assert conform(rows.reset_index(), RECORD["kpi_dictionary"]).num_rows == len(KPIS)
    assert rows.loc["revenue", "available"]
    assert rows.loc["gross_margin_rate", "missing"] == "orders.cost"
    assert rows.loc["renewal_rate", "missing"] == "subscriptions.arr"
    calls = numbered("activities", "activity_id", activity("A", "2025-08-01", "call"))
    rows = dictionary({"orders": STEADY, "activities": calls}).set_index("kpi")
    assert (rows.loc["calls", "missing"], rows.loc["visits", "missing"]) == (
        "", "activities.kind=visit",
    )  # fmt: skip
    assert set(rows["kind"]) == {"process", "outcome"}


@pytest.mark.requirement("000-25", "000-26")
def test_every_kpi_is_written_down() -> None:
    for kpi in KPIS:
        assert wording.has(f"kpi.{kpi.key}"), kpi.key
        assert wording.has(f"kpi_definition.{kpi.key}"), kpi.key
        base = kpi.bottom or (f"target_{kpi.of_target}" if kpi.of_target else "")
        assert not base or wording.has(f"kpi_base.{base}"), kpi.key
        for need in kpi.needs:
            name, _, column = need.partition(".")
            assert not column or column.partition("=")[0] in RECORD[name].names, need
    assert set(KPI_TABLES) <= set(RECORD)


def test_nothing_gives_empty_tables() -> None:
    empty = RECORD["orders"].schema().empty_table()
    none = {name: RECORD[name].schema().empty_table() for name in KPI_TABLES}
    frame = kpis(empty, None, Q3, SETTINGS, tables=none)
    assert frame["value"].isna().all()
    assert conform(frame, RECORD["kpis"]).num_rows == len(frame)
    cut = kpi_cuts(empty, None, Q3, SETTINGS, tables=none)
    assert conform(cut, RECORD["kpi_cuts"]).num_rows == 0
    assert not dictionary({"orders": empty, **none})["available"].any()


def test_a_bound_is_kept_from_below() -> None:
    assert status(BY_KEY["return_rate"], 0.01, 0.02, 0.02) == "on_target"
