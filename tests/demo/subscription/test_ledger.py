"""The ledger of contracts: what a reader of the file can compute is what is true."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.demo.subscription.kinds import KINDS, START, anniversary, counts, dates
from analysis.demo.subscription.ledger import bridge

AS_OF = pd.Timestamp("2025-09-30")


@pytest.fixture(scope="session")
def linked(ledger, truth):
    """The ledger with its lost links mended, and the last day on which a contract counts."""
    links = truth("links")
    before = links[links["link"] == "predecessor"].set_index("key")["other"]
    frame = ledger.assign(before=ledger["合同编号"].map(before).fillna(""))
    after = frame[frame["before"] != ""].set_index("before")
    takes_over = frame["合同编号"].map(after["起始日期"])
    added = frame["主合同号"] != ""
    takes_over = takes_over.where(~added, frame["主合同号"].map(after["起始日期"]))
    open_end = (frame["续费状态"] == "谈判中") & (frame["到期日期"] <= AS_OF)
    until = takes_over - pd.Timedelta(days=1)
    until = until.where(takes_over.notna(), frame["到期日期"].where(~open_end, AS_OF))
    return frame.assign(until=until)


def arr(frame, on):
    runs = frame[(frame["起始日期"] <= on) & (frame["until"] >= on)]
    return runs.groupby("客户编号")["年费(ARR)"].sum()


@pytest.mark.parametrize("quarter", ["2023Q3", "2024Q4", "2025Q2", "2025Q3"])
def test_the_bridge_follows_from_the_clean_rows_to_the_fen(linked, summary, quarter):
    period = pd.Period(quarter, "Q")
    first, last = (arr(linked, on) for on in (period.start_time - pd.Timedelta(days=1),
                                              period.end_time.normalize()))  # fmt: skip
    both = pd.concat([first, last], axis=1, keys=["before", "after"]).fillna(0).astype("int64")
    change = (both["after"] - both["before"])[(both > 0).all(axis=1)]
    known = summary["arr_bridge_fen"][quarter]
    assert known == {
        "opening": both["before"].sum(),
        "new": both.loc[both["before"] == 0, "after"].sum(),
        "expansion": change[change > 0].sum(),
        "contraction": -change[change < 0].sum(),
        "churn": both.loc[both["after"] == 0, "before"].sum(),
        "closing": both["after"].sum(),
    }
    assert all(part > 0 for part in known.values())


def test_the_bridges_of_all_quarters_join(summary):
    bridges = list(summary["arr_bridge_fen"].values())
    assert len(bridges) == 11
    for one in bridges:
        added = one["opening"] + one["new"] + one["expansion"]
        assert added - one["contraction"] - one["churn"] == one["closing"]
    for earlier, later in pairwise(bridges):
        assert earlier["closing"] == later["opening"]


@given(
    st.lists(
        st.tuples(
            st.integers(0, 4), st.integers(-50, 250), st.integers(0, 250), st.integers(1, 10**9)
        ),
        max_size=30,
    ),
    st.integers(0, 200),
    st.integers(0, 90),
)
def test_any_bridge_adds_up(rows, first, days):
    book = pd.DataFrame(rows, columns=["customer", "start", "length", "arr"], dtype="int64")
    book["until"] = book["start"] + book["length"]
    found = bridge(book, first, first + days, 5)
    added = found["opening"] + found["new"] + found["expansion"]
    assert added - found["contraction"] - found["churn"] == found["closing"]
    assert min(found.values()) >= 0


def test_renewals_link_to_their_predecessors(ledger, truth, dirt):
    links = truth("links")
    before = links[links["link"] == "predecessor"].set_index("key")["other"]
    row = ledger.set_index("合同编号")
    renewal = row[row["合同类型"] == "续签"]
    old = row.loc[before[renewal.index]]
    assert (old["客户编号"].to_numpy() == renewal["客户编号"].to_numpy()).all()
    assert (old["续费状态"] == "已续").all()
    gap = (renewal["起始日期"].to_numpy() - old["到期日期"].to_numpy()) / np.timedelta64(1, "D")
    assert gap.max() <= 60
    assert (gap > 1).mean() > 0.05  # late renewals
    assert (gap < 1).mean() > 0.02  # early ones
    unlinked = set(dirt.loc[dirt["rule"] == "missing_predecessor", "key"])
    told = renewal["原合同号"] != ""
    assert set(renewal.index[~told]) == unlinked
    assert (renewal.loc[told, "原合同号"] == before[renewal.index[told]]).all()
    # the old contract names the new one wherever the new one names the old
    named = old["续费合同号"].to_numpy()
    assert (named[told] == renewal.index[told]).all()
    assert (named[~told] == "").all()


def test_recurring_revenue_is_the_amount_over_the_years(ledger):
    main = ledger[ledger["合同类型"] != "增购"]
    days = (main["到期日期"] - main["起始日期"]).dt.days
    years = (days / 365).round().astype(int)
    assert set(years) == {1, 2, 3}
    assert (main["合同金额"] == years * main["年费(ARR)"]).all()


def test_additions_end_with_their_contract(ledger):
    row = ledger.set_index("合同编号")
    more = row[row["合同类型"] == "增购"]
    base = row.loc[more["主合同号"]]
    assert (base["到期日期"].to_numpy() == more["到期日期"].to_numpy()).all()
    assert (base["起始日期"].to_numpy() < more["起始日期"].to_numpy()).all()
    assert (more["合同金额"] <= more["年费(ARR)"] * 3).all()
    extra = more.groupby("主合同号")["合同金额"].sum()
    told = row["增购金额"]
    assert told[told > 0].sort_index().equals(extra.sort_index().rename("增购金额"))


def test_the_vendor_is_lifelike(ledger, summary):
    expiring = summary["expiring"]
    assert 0.7 < expiring["renewed"] / expiring["contracts"] < 0.92
    assert 0.75 < expiring["renewed_arr_fen"] / expiring["arr_fen"] < 0.97
    assert (ledger["签订日期"] <= AS_OF).all()
    assert (ledger["起始日期"] > AS_OF).any()  # renewed ahead of time
    lost = ledger[ledger["续费状态"] == "流失"]
    assert (lost["流失原因"] != "").all()
    assert lost["流失原因"].nunique() >= 6


def test_small_firms_and_slow_starters_leave_more(raw, clean, truth):
    known = truth("customers").set_index("customer_id")
    listed = clean("客户.xlsx").set_index("客户编号")
    known = known[~known["health"].isin(["pilot"])]
    lost = known["health"] == "lost"
    staff = listed["员工人数"].reindex(known.index).astype(int)
    assert lost[staff < 50].mean() > lost[staff >= 50].mean() + 0.05
    first = pd.to_datetime(
        raw("开通表.csv").drop_duplicates("客户编号").set_index("客户编号")["开通日期"]
    ).reindex(known.index)
    due = (first >= pd.Timestamp("2022-10-01")) & (first <= pd.Timestamp("2024-06-30"))
    slow = known["live_days"] > 90
    assert lost[due & slow].mean() > lost[due & ~slow].mean() + 0.1


def test_every_kind_has_a_customer():
    for size in (50, 61, 1200, 99_999):
        found = counts(size)
        assert found.sum() == size
        assert found.min() >= 1
        assert len(found) == len(KINDS)


@given(st.integers(-1500, 1500), st.integers(1, 36))
def test_anniversaries_keep_the_day_of_the_month(on, months):
    before, after = dates(np.array([on]))[0], dates(anniversary(np.array([on]), months))[0]
    ahead = (after.year - before.year) * 12 + after.month - before.month
    assert ahead == months
    assert after.day == min(before.day, pd.Timestamp(after).days_in_month)
    assert dates(np.array([0])) == [START]
