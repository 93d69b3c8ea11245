"""Portraits: what is planted is found, noise is not, small groups are not shown."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from scipy import stats

from analysis.engine import conform
from analysis.personas import profile
from analysis.personas.compare import median_interval
from analysis.settings_model import Personas
from analysis.tables import RECORD

SETTINGS = Personas()


def portrait(tables, settings_=SETTINGS, **texts) -> pd.DataFrame:
    found = profile(tables["segments"], tables["features"], tables["customers"], settings_, **texts)
    conform(found, RECORD["personas"])
    return found.set_index(["segment", "aspect", "trait"])


@pytest.mark.requirement("000-16", "000-17", "001-16")
def test_a_planted_trait_is_found(base) -> None:
    tables = base()
    inside = (tables["segments"]["segment"] == "high_value").to_numpy()
    draw = np.random.default_rng(5)
    tables["customers"]["industry"] = np.where(
        inside & (draw.random(len(inside)) < 0.5),
        "汽车零部件",
        tables["customers"]["industry"],
    )
    found = portrait(tables)
    row = found.loc["high_value", "basic", "industry=汽车零部件"]
    share = (tables["customers"]["industry"] == "汽车零部件")[inside].mean()
    rest = (tables["customers"]["industry"] == "汽车零部件")[~inside].mean()
    assert row["value"] == pytest.approx(share)
    assert row["rest"] == pytest.approx(rest)
    assert row["lift"] == pytest.approx(share / rest)
    assert row["low"] < share < row["high"]
    assert row["n"] == inside.sum()
    assert row["notable"]
    assert found.loc["new", "basic", "industry=汽车零部件"]["notable"]


@pytest.mark.requirement("000-16")
def test_noise_is_not_found(base) -> None:
    """No segment differs: with the false discovery rate held, few runs find anything at all."""
    runs = 40
    with_findings = sum(
        bool(portrait(base(300, seed=seed))["notable"].any()) for seed in range(runs)
    )
    # each family finds something in at most 5 % of runs, and there are two
    assert with_findings <= stats.binom.ppf(0.999, runs, 2 * SETTINGS.false_discovery)


def test_sure_findings_do_not_loosen_the_others(base) -> None:
    """Money differs by construction; that must not change what else is notable."""
    plain = base(300, seed=3)
    made = {name: frame.copy() for name, frame in plain.items()}
    inside = (made["segments"]["segment"] == "high_value").to_numpy()
    for column in ("monetary", "mean_order", "frequency", "recency_days"):
        made["features"][column] = np.where(inside, 10_000, 1) + made["features"][column]
    first, second = portrait(plain)["notable"], portrait(made)["notable"]
    assert second["high_value", "transaction", "monetary"]
    others = [
        key
        for key in first.index
        if key[2] not in ("monetary", "mean_order", "frequency", "recency_days", "tenure_days")
        and key[2] not in ("expected_interval_days", "recency_cycles")
    ]
    assert list(first[others]) == list(second[others])


def test_small_groups_are_left_out_but_the_segment_appears(base) -> None:
    tables = base()
    tables["segments"].loc[:8, "segment"] = "churn_risk"
    tables["customers"].loc[:4, "industry"] = "航天"
    found = portrait(tables)
    assert list(found.loc["churn_risk"].index) == [("basic", "customers")]
    row = found.loc["churn_risk", "basic", "customers"]
    assert (row["n"], row["value"]) == (9, pytest.approx(9 / 600))
    assert not found.index.get_level_values("trait").str.contains("航天").any()
    assert (found["n"].drop(index=[("churn_risk", "basic", "customers")]) >= 10).all()


def test_only_the_most_frequent_levels_are_shown(base) -> None:
    tables = base()
    tables["customers"]["region"] = [f"R{min(i % 13, 9)}" for i in range(600)]
    found = portrait(tables, Personas(top_levels=3))
    traits = set(found.index.get_level_values("trait"))
    assert {t for t in traits if t.startswith("region=")} == {"region=R9", "region=R0", "region=R1"}


def test_numbers_are_means_or_medians(base) -> None:
    tables = base()
    found = portrait(tables)
    inside = tables["segments"]["segment"] == "new"
    money = found.loc["new", "transaction", "monetary"]
    assert money["value"] == tables["features"]["monetary"][inside].median()
    assert (money["unit"], money["statistic"]) == ("money", "median")
    rating = found.loc["new", "service", "satisfaction"]
    assert rating["value"] == pytest.approx(tables["features"]["satisfaction"][inside].mean())
    assert (rating["unit"], rating["statistic"]) == ("number", "mean")


def test_customers_without_orders_have_no_buying(base) -> None:
    tables = base()
    tables["features"].loc[:99, ["orders_ever", "monetary"]] = 0
    found = portrait(tables)
    assert found.loc["new", "transaction", "monetary"]["n"] == 250
    assert found.loc["new", "transaction", "monetary"]["low"] > 0


def test_rows_in_any_order_give_the_same(base) -> None:
    tables = base(200)
    mixed = {
        name: frame.sample(frac=1, random_state=7, ignore_index=True)
        for name, frame in tables.items()
    }
    pd.testing.assert_frame_equal(portrait(tables), portrait(mixed))


def test_missing_columns_and_no_customers(base) -> None:
    tables = base(100)
    tables["customers"] = tables["customers"][["customer_id"]]
    tables["features"][["visits", "tickets", "satisfaction"]] = math.nan
    found = portrait(tables)
    assert set(found.index.get_level_values("aspect")) == {"basic", "transaction"}
    empty = {name: frame.head(0) for name, frame in tables.items()}
    assert portrait(empty).empty


def test_the_median_interval_covers(base) -> None:
    draw = np.random.default_rng(11)
    hits = 0
    for _ in range(400):
        _, low, high = median_interval(draw.exponential(1, 31), 0.95)
        hits += low <= math.log(2) <= high
    assert hits >= stats.binom.ppf(0.001, 400, 0.95)
    assert median_interval(np.array([1.0, 2.0, 3.0]), 0.95) == (2, 1, 3)
    assert median_interval(np.array([4.0]), 0.95) == (4, 4, 4)


def test_kinds_and_answering_times(base, notes) -> None:
    tables = base(100)
    ids = list(tables["customers"]["customer_id"])
    called = [(name, "2025-09-30", "") for name in ids[::2]]
    found = portrait(tables, activities=notes(*called, ("C00001", "2025-10-01", ""), kind="call"))
    row = found.loc["high_value", "behaviour", "contact=call"]
    assert (row["value"], row["rest"]) == (1.0, 0.0)
    assert math.isnan(row["lift"])
    hours = [2 if i % 2 == 0 else 48 for i in range(100)]
    opened = pd.Timestamp(2025, 9, 1)
    tickets = pa.table(
        {
            "customer_id": ids,
            "opened_at": pa.array([opened] * 100, pa.timestamp("us")),
            "first_response_at": pa.array(
                [opened + pd.Timedelta(hours=h) for h in hours], pa.timestamp("us")
            ),
            "kind": ["fault"] * 100,
            "text": [None] * 100,
        }
    )
    found = portrait(tables, tickets=tickets)
    row = found.loc["high_value", "service", "response_days"]
    assert row["value"] == pytest.approx(2 / 24)
    assert row["rest"] == pytest.approx(2)
    assert row["notable"]
