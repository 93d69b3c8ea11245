"""Leads, opportunities, stages, quotes: in order, and tied to the orders."""

from __future__ import annotations

import pandas as pd
import pytest

from analysis.demo.crm import ENDS
from analysis.demo.funnel import QUIET, STAGES
from analysis.demo.market import SOURCES

TODAY = pd.Timestamp("2025-09-30")


@pytest.fixture(scope="module")
def deals(raw):
    return raw("商机.xlsx").set_index("商机编号")


@pytest.fixture(scope="module")
def steps(raw):
    frame = raw("商机阶段记录.csv")
    return frame.assign(when=pd.to_datetime(frame["进入时间"]))


def test_stages_follow_one_another(deals, steps):
    order = {name: n for n, name in enumerate(STAGES)} | dict.fromkeys(ENDS.values(), len(STAGES))
    steps = steps.assign(place=steps["阶段"].map(order))
    assert steps["place"].notna().all()
    by_time = steps.sort_values(["商机编号", "when"], kind="stable")
    same = by_time["商机编号"].eq(by_time["商机编号"].shift())
    assert (by_time["place"].diff()[same] > 0).all()
    assert (by_time["when"].diff()[same] > pd.Timedelta(0)).all()
    assert by_time["when"].dt.day_of_week.max() <= 4
    last = by_time.drop_duplicates("商机编号", keep="last").set_index("商机编号")
    assert (last["阶段"].reindex(deals.index) == deals["商机阶段"]).all()
    assert (last["when"].reindex(deals.index) == pd.to_datetime(deals["阶段变更时间"])).all()
    first = by_time.drop_duplicates("商机编号").set_index("商机编号")
    assert (first["阶段"] == STAGES[0]).all()


def test_won_lost_open_and_stalled(company, deals):
    truth = pd.read_parquet(company / "truth" / "opportunities.parquet").set_index("opportunity_id")
    assert (truth["status"].map(ENDS) == deals["商机状态"].reindex(truth.index)).all()
    counts = truth["status"].value_counts()
    assert 0.3 < counts["won"] / (counts["won"] + counts["lost"]) < 0.6
    assert 0.1 < counts["open"] / len(truth) < 0.3
    still = truth["status"] == "open"
    quiet = (TODAY - pd.to_datetime(deals["阶段变更时间"])).dt.days
    stalled = truth.index[truth["stalled"]]
    assert 0.08 < len(stalled) / still.sum() < 0.35
    assert (quiet[stalled] >= QUIET).all()
    assert (pd.to_datetime(deals.loc[stalled, "预计成交日期"]) < TODAY).all()
    lively = truth.index[still & ~truth["stalled"]]
    assert (quiet[lively] < QUIET).all()
    lost = deals["商机状态"] == "输单"
    assert (deals.loc[lost, "丢单原因"].notna()).all()
    assert deals.loc[lost, "丢单原因"].value_counts(normalize=True).max() < 0.5


def test_won_ones_became_orders(company, raw, deals):
    truth = pd.read_parquet(company / "truth" / "opportunities.parquet").set_index("opportunity_id")
    orders = raw("CRM销售订单.xlsx")
    linked = orders[orders["商机编号"].notna()].set_index("商机编号")
    assert len(linked) > 100
    assert (truth.loc[linked.index, "note"] == linked["发货单号"].fillna("")).all()
    closed = pd.to_datetime(deals.loc[linked.index, "结单日期"])
    assert (closed == pd.to_datetime(linked["下单日期"])).all()
    ratio = deals.loc[linked.index, "商机金额(元)"].astype(float) / linked["销售订单金额(元)"]
    assert 0.9 < ratio.median() < 1.15


def test_orders_of_the_crm_carry_tax_and_come_before_the_delivery(raw, dirt):
    orders = raw("CRM销售订单.xlsx")
    out = orders["发货单号"].notna()
    coming = orders[~out]
    assert 0 < len(coming) < 0.1 * len(orders)  # not gone out yet
    assert (coming["已回款金额(元)"] == 0).all()
    orders = orders[out].set_index("发货单号")
    name = "发货单_2024-2025.csv"
    notes = raw(name).drop(index=dirt.loc[dirt["file"] == name, "row"])
    gross = notes["本币价税合计"].astype(float).groupby(notes["发货单号"]).sum()
    assert (orders["销售订单金额(元)"] - gross[orders.index]).abs().max() < 0.005
    shipped = pd.to_datetime(notes.groupby("发货单号")["发货日期"].first())[orders.index]
    lead = (shipped - pd.to_datetime(orders["下单日期"])).dt.days
    # whoever has only just come waits less, a holiday makes it longer
    assert lead.between(0, 26 + 11).all()
    assert 10 < lead.mean() < 18
    assert lead.quantile(0.02) >= 3
    left = orders["销售订单金额(元)"] - orders["已回款金额(元)"] - orders["待回款金额(元)"]
    assert left.abs().max() < 0.005


def test_quotes_come_before_orders(raw, deals):
    quotes = raw("报价单.csv")
    asked = pd.to_datetime(quotes["报价日期"])
    created = pd.to_datetime(deals["创建时间"]).dt.normalize()[quotes["商机编号"]]
    assert (asked.to_numpy() >= created.to_numpy()).all()
    closed = pd.to_datetime(deals["结单日期"])[quotes["商机编号"]].to_numpy()
    ended = ~pd.isna(closed)
    assert (asked.to_numpy()[ended] <= closed[ended]).all()
    signed = quotes["报价状态"] == "已成交"
    assert (deals.loc[quotes.loc[signed, "商机编号"], "商机状态"] == "赢单").all()
    listed, offered = quotes["价目表价"].astype(float), quotes["报价单价"].astype(float)
    assert (listed > 0).all()
    assert 0.85 < (offered / listed).median() < 1
    total = offered * quotes["数量"].astype(int)
    assert (total - quotes["报价金额"].astype(float)).abs().max() < 0.01
    assert not quotes[["报价单号", "行号"]].duplicated().any()


def test_leads_convert_as_their_source_says(raw):
    leads = raw("销售线索.xlsx")
    won = leads["线索阶段"] == "已转换"
    assert 0.1 < won.mean() < 0.17
    rate = won.groupby(leads["来源"]).mean()
    assert rate.idxmax() == "转介绍"
    assert set(rate.index) == set(SOURCES)
    customers = raw("客户.xlsx").drop_duplicates("客户编号").set_index("客户编号")["创建时间"]
    became = leads.loc[won].set_index("转换客户编号")
    joined = pd.to_datetime(customers[became.index])
    assert (joined == pd.to_datetime(became["转换时间"])).all()
    assert (pd.to_datetime(became["创建时间"]) <= joined + pd.Timedelta(days=1)).all()
    shows = set(raw("市场活动.csv")["活动名称"])
    assert set(leads["市场活动名称"].dropna()) <= shows
    assert leads["手机"].str.fullmatch(r"1900\d{7}").all()
