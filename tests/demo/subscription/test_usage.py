"""The usage log: what falls before a customer leaves, what is missing and what is zero."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import mannwhitneyu


@pytest.fixture(scope="session")
def weekly(clean, truth):
    """Active users of the most used function, by customer and week."""
    log = clean("使用日志.csv")
    tenant = truth("customers").set_index("tenant_id")["customer_id"]
    frame = pd.DataFrame(
        {
            "customer": log["企业ID"].map(tenant),
            "week": pd.to_datetime(log["日期"]),
            "users": log["活跃账号数"].astype(int),
        }
    )
    assert frame["customer"].notna().all()
    return frame.groupby(["customer", "week"], as_index=False)["users"].max()


def changes(weekly, ends):
    """Share of the users of three months before that work in the last four weeks."""
    frame = weekly.merge(ends.rename("end"), left_on="customer", right_index=True)
    before = (frame["end"] - frame["week"]).dt.days
    late = frame[before.between(0, 27)].groupby("customer")["users"].mean()
    early = frame[before.between(150, 210)].groupby("customer")["users"].mean()
    return (late / early[early > 0]).dropna()


def test_usage_falls_before_customers_leave(weekly, truth):
    known = truth("customers").set_index("customer_id")
    decided = truth("renewals")
    decided["ends_on"] = pd.to_datetime(decided["ends_on"])
    seen = decided["ends_on"].between("2025-03-01", "2025-09-30") & decided["known"]
    last = decided[seen].drop_duplicates("customer_id", keep="last").set_index("customer_id")
    kind = known["kind"].reindex(last.index)
    left = last["decision"] == "lost"
    warned = changes(weekly, last.loc[left & (kind != "closing"), "ends_on"])
    stayed = changes(weekly, last.loc[~left & ~last["saved"], "ends_on"])
    assert len(warned) > 30
    assert mannwhitneyu(warned, stayed, alternative="less").pvalue < 1e-9
    assert warned.median() < 0.5
    assert 0.8 < stayed.median() < 1.3
    # who closes down does not warn, and some who stay have a slump
    sudden = changes(weekly, last.loc[left & (kind == "closing"), "ends_on"])
    assert sudden.median() > warned.median()
    assert (stayed < 0.65).mean() > 0.01


def test_seats_are_full_before_more_are_bought(weekly, ledger):
    more = ledger[(ledger["合同类型"] == "增购") & (ledger["起始日期"] > "2025-01-01")]
    more = more.drop_duplicates("客户编号", keep="last").set_index("客户编号")
    rose = changes(weekly, more["起始日期"])
    assert len(rose) > 20
    assert rose.median() > 1.05


def test_missing_usage_is_not_zero(weekly, truth, clean):
    known = truth("customers").set_index("customer_id")
    own = known[~known["logged"]]
    assert len(own) > 20
    assert not set(own.index) & set(weekly["customer"])
    deployed = clean("开通表.csv").set_index("客户编号")["部署方式"]
    assert set(deployed.index[deployed == "本地部署"]) == set(own.index)
    assert (weekly["users"] == 0).any()
    # in two weeks about half of the tenants are missing
    size = weekly.groupby("week")["customer"].nunique()
    around = size.rolling(5, center=True).median()
    assert (size < 0.7 * around).sum() == 2


def test_nobody_works_at_spring_festival(weekly):
    by_week = weekly.groupby("week")["users"].sum()
    assert by_week[pd.Timestamp("2025-02-02")] < 0.4 * by_week[pd.Timestamp("2025-03-16")]


def test_weeks_end_on_sundays(weekly):
    assert (weekly["week"].dt.day_of_week == 6).all()
    gaps = np.diff(np.sort(weekly["week"].unique())) / np.timedelta64(1, "D")
    assert set(gaps) == {7.0}


def test_tenants_only_work_while_they_may(weekly, truth):
    pilots = truth("customers").query("health == 'pilot'")["customer_id"]
    assert set(pilots) & set(weekly["customer"])
    lost = truth("customers").dropna(subset="churned_on").set_index("customer_id")["churned_on"]
    frame = weekly.merge(pd.to_datetime(lost).rename("end"), left_on="customer", right_index=True)
    assert (frame["week"] <= frame["end"]).all()
