"""The company lives as such companies do; every claim is held against what was planted."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.demo.kinds import DAYS, KINDS, START, day
from analysis.demo.ordering import SEASONS
from analysis.demo.world import World, simulate


@pytest.fixture(scope="module")
def world() -> World:
    return simulate(1200, 20250101)


@pytest.fixture(scope="module")
def sold(world: World) -> pd.DataFrame:
    """Lines with the date and the latent kind."""
    when = pd.Timestamp(START) + pd.to_timedelta(world.sold["day"], unit="D")
    kind = world.population["kind"].to_numpy()[world.sold["customer"]]
    return world.sold.assign(when=when, kind=kind)


def of_kind(world: World, name: str) -> np.ndarray:
    folk = world.population
    return np.nonzero(((folk["kind"] == name) & (folk["same_as"] < 0)).to_numpy())[0]


def test_annual_buyers_order_about_once_or_twice_a_year(sold, world):
    orders = sold.groupby("customer")["order"].nunique()
    per_year = orders[orders.index.isin(of_kind(world, "annual"))] / (DAYS / 365)
    assert per_year.between(0.3, 2.6).all()
    assert per_year.median() < 2
    steady = orders[orders.index.isin(of_kind(world, "steady"))] / (DAYS / 365)
    assert steady.median() > 4


def test_spring_festival_empties_the_weeks_around_it(sold):
    by_day = sold.groupby("when")["amount"].sum()
    for festival in ("2023-01-22", "2024-02-10", "2025-01-29"):
        middle = pd.Timestamp(festival)
        inside = by_day[middle - pd.Timedelta(days=9) : middle + pd.Timedelta(days=12)].sum() / 22
        year = by_day[middle - pd.Timedelta(days=182) : middle + pd.Timedelta(days=182)].sum() / 365
        assert inside < 0.5 * year


def test_seasons_show(sold):
    """Without festivals and pushes: the mean order of a month follows the planted season."""
    steady = sold[sold["kind"].isin(["steady", "key", "wholesaler"])]
    orders = steady.groupby(["order", "customer", "when"], as_index=False)["amount"].sum()
    usual = orders.groupby("customer")["amount"].transform("mean")
    season = (orders["amount"] / usual).groupby(orders["when"].dt.month).mean()
    assert np.corrcoef(season.to_numpy(), SEASONS)[0, 1] > 0.7


def test_the_push_at_the_quarters_end_has_grown(sold):
    def share(start: str, last_days: str, end: str) -> float:
        inside = sold[sold["when"].between(start, end)]
        return float(
            inside.loc[inside["when"] >= last_days, "amount"].sum() / inside["amount"].sum()
        )

    now, then = (
        share("2025-07-01", "2025-09-24", "2025-09-30"),
        share("2024-07-01", "2024-09-24", "2024-09-30"),
    )
    assert now > then > 0.09


def test_wholesalers_move_much_at_a_thin_margin(sold, world):
    money = sold.groupby("customer")[["amount", "cost", "quantity"]].sum()
    margin = 1 - money["cost"] / money["amount"]
    trade, steady = of_kind(world, "wholesaler"), of_kind(world, "steady")
    assert (
        margin[margin.index.isin(trade)].median()
        < margin[margin.index.isin(steady)].median() - 0.08
    )
    volume = money["quantity"]
    assert (
        volume[volume.index.isin(trade)].median() > 2 * volume[volume.index.isin(steady)].median()
    )


def test_subsidiaries_buy_as_their_parents_do(world):
    folk = world.population
    below = np.nonzero((folk["parent"] >= 0).to_numpy())[0]
    assert 0.03 < len(below) / 1200 < 0.05
    above = folk["parent"].to_numpy()[below]
    assert (folk["parent"].to_numpy()[above] == -1).all()
    assert (folk["kind"].to_numpy()[below] == folk["kind"].to_numpy()[above]).all()
    bought = world.sold.groupby("customer")["product"].agg(set)
    shared = [
        len(bought[b] & bought[a]) / len(bought[b])
        for b, a in zip(below, above, strict=True)
        if b in bought.index and a in bought.index
    ]
    assert np.mean(shared) > 0.95
    brand = folk["name"].str.replace("有限公司", "")
    cities = folk["city"]
    same = [
        brand[b].removeprefix(cities[b])[:2] == brand[a].removeprefix(cities[a])[:2]
        for b, a in zip(below, above, strict=True)
    ]
    assert np.mean(same) > 0.9


def test_companies_that_stand_twice_order_on_both_numbers(world):
    folk = world.population
    copies = np.nonzero((folk["same_as"] >= 0).to_numpy())[0]
    assert len(copies) == round(0.015 * 1200)
    assert len(folk) == 1200 + len(copies)
    real = folk["same_as"].to_numpy()[copies]
    assert (folk["same_as"].to_numpy()[real] == -1).all()
    assert not folk["customer_id"].duplicated().any()
    ordered = set(world.sold["customer"])
    assert len(ordered & set(copies.tolist())) > len(copies) / 2
    first = world.sold.groupby("customer")["day"].min()
    joined = folk["joined"].map(day)
    assert all(first[c] >= joined[c] - 2 for c in copies if c in first.index)


def test_growing_customers_grow_and_declining_ones_fade(sold, world):
    last, before = sold["when"] > "2024-09-30", sold["when"].between("2023-10-01", "2024-09-30")

    def change(kind: str) -> float:
        rows = sold["kind"] == kind
        return float(
            sold.loc[rows & last, "amount"].sum() / sold.loc[rows & before, "amount"].sum()
        )

    growth = {kind.key: kind.growth for kind in KINDS}
    assert growth["growing"] > 0.2
    assert change("growing") > 1.2
    assert change("declining") < 0.6
    assert 0.9 < change("key") < 1.2
    lapsed = of_kind(world, "lapsed")
    until = world.population["until"].to_numpy()[lapsed]
    assert (until < DAYS - 60).all()


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("size", [50, 200])
def test_amounts_have_a_heavy_tail_but_nobody_is_a_tenth(size, seed):
    sold = simulate(size, seed).sold
    year = sold[sold["day"] > DAYS - 365].groupby("customer")["amount"].sum()
    assert year.max() / year.sum() < 0.1
    assert year.mean() > 1.5 * year.median()


def test_late_payers_are_few_and_partly_large(world):
    folk = world.population
    assert set(folk["terms"]) == {30, 60, 90}
    late = folk["pays_after"] >= 30
    assert 0.07 < late.mean() < 0.16
    assert late[folk["kind"] == "key"].mean() > late[folk["kind"] == "steady"].mean()
    assert folk.loc[~late, "pays_after"].median() == pytest.approx(0, abs=1)
    assert folk.loc[~late, "pays_after"].between(-12, 20).all()


def test_a_few_lines_come_back(world):
    assert 0.01 < len(world.returned) / len(world.sold) < 0.02
    assert (world.returned["amount"] < 0).all()
    assert world.returned["day"].max() <= DAYS


def test_those_left_waiting_get_it_a_quarter_later(world):
    both = world.assigned
    waited = both[(both["period"] == "2025Q2") & (both["wave"] == "later")]
    now = both[(both["period"] == "2025Q3") & (both["wave"] == "exempt")]
    for strategy in ("executive_visit", "product_trial"):
        mine = set(waited.loc[waited["strategy"] == strategy, "customer"])
        assert mine
        assert mine == set(now.loc[now["strategy"] == strategy, "customer"])
    assert (now["arm"] == "treated").all()
    assert not (now["strategy"] == "win_back_offer").any()
    assert not both.duplicated(["period", "customer"]).any()
