"""Signings, invoices, payments, ageing, finance, and the way there: all tie out."""

from __future__ import annotations

import pandas as pd
import pytest

EDGES = [-10_000, 0, 30, 60, 90, 180, 360, 10_000]


def fen(cells):
    return (cells.astype(float) * 100).round().astype("int64")


def test_signings_are_the_truth_to_the_fen(clean, ledger, summary):
    orders = clean("签约订单.csv")
    amount = fen(orders["小计"])
    assert (amount == orders["数量"].astype(int) * fen(orders["销售单价"])).all()
    assert amount.sum() == summary["signed_fen"]
    day = pd.PeriodIndex(pd.to_datetime(orders["下单日期"]), freq="Q").astype(str)
    assert amount.groupby(day).sum().to_dict() == summary["signed_fen_by_quarter"]
    row = ledger.set_index("合同编号")
    assert (row.loc[orders["合同编号"], "合同金额"].to_numpy() == amount.to_numpy()).all()
    assert set(orders["订单类型"]) == {"新签", "续签", "增购"}
    assert pd.to_datetime(orders["下单日期"]).dt.day_of_week.max() < 5


def test_invoices_add_up_to_their_contracts(clean, ledger):
    bills = clean("开票记录.csv")
    row = ledger.set_index("合同编号")
    one = row[(row["签订日期"] >= "2022-11-15") & (row["起始日期"] <= "2025-09-01")]
    one = one[(one["到期日期"] - one["起始日期"]).dt.days < 370]
    billed = fen(bills["价税合计"]).groupby(bills["合同编号"]).sum()
    assert (billed[one.index] == one["合同金额"]).all()


@pytest.mark.parametrize("when", ["2025-03-31", "2025-06-30", "2025-09-30"])
def test_the_ageing_follows_from_invoices_and_payments(clean, when):
    bills, paid = clean("开票记录.csv").set_index("发票号"), clean("回款单列表.csv")
    on = pd.Timestamp(when)
    came = paid[pd.to_datetime(paid["回款日期"]) <= on]
    settled = fen(came["回款金额"]).groupby(came["发票号"]).sum()
    bills = bills[pd.to_datetime(bills["开票日期"]) <= on]
    left = fen(bills["价税合计"]) - settled.reindex(bills.index).fillna(0).astype("int64")
    overdue = (on - pd.to_datetime(bills["到期日"])).dt.days
    table = clean(f"应收账龄_{when}.xlsx").set_index("客户编号")
    bucket = pd.cut(overdue, EDGES, labels=list(table.columns[4:])).astype(str)
    known = pd.crosstab(bills["客户编号"], bucket, left, aggfunc="sum").fillna(0).astype("int64")
    for header in table.columns[4:]:
        assert (fen(table[header]) == known[header].reindex(table.index)).all()
    assert (fen(table["余额"]) == known.sum(axis=1)[table.index]).all()
    assert (known.sum(axis=1).drop(table.index) <= 0).all()
    assert fen(table["余额"]).sum() > 0


def test_some_pay_late_and_some_in_advance(clean):
    bills, paid = clean("开票记录.csv").set_index("发票号"), clean("回款单列表.csv")
    due = pd.to_datetime(bills["到期日"])[paid["发票号"]].to_numpy()
    late = (pd.to_datetime(paid["回款日期"]).to_numpy() - due) / pd.Timedelta(days=1)
    assert 0.03 < (late > 60).mean() < 0.3
    assert 0.02 < (paid["款项类型"] == "预收款").mean() < 0.12


def test_finance_differs_where_it_was_planted(clean, summary):
    orders, finance = clean("签约订单.csv"), clean("财务月报.xlsx").set_index("月份")
    month = orders["下单日期"].str[:7]
    ours = fen(orders["小计"]).groupby(month).sum().reindex(finance.index)
    difference = fen(finance["金额(元)"]) - ours
    assert difference[difference != 0].to_dict() == summary["finance_difference_fen"]
    assert len(summary["finance_difference_fen"]) >= 3
    assert abs(difference.sum()) < 0.02 * ours.sum()


def test_stages_follow_one_another(clean, raw):
    history = raw("商机阶段记录.csv")
    assert not history.duplicated(["商机编号", "阶段"]).any()
    when = pd.to_datetime(history["进入时间"])
    assert (when.groupby(history["商机编号"]).diff().dropna() >= pd.Timedelta(0)).all()
    deals = clean("商机.xlsx").set_index("商机编号")
    last = history.groupby("商机编号")["阶段"].last()
    assert (last[deals.index] == deals["商机阶段"]).all()
    assert set(deals["商机状态"]) == {"赢单", "输单", "进行中"}
    assert set(deals["商机类型"]) == {"新签", "续签", "增购"}
    assert deals["结单日期"].isna().eq(deals["商机状态"] == "进行中").all()


def test_quotes_are_below_the_list(raw, clean):
    quotes = raw("报价单.csv")
    assert (quotes["报价单价"].astype(float) <= quotes["标准价"].astype(float)).all()
    assert set(quotes["商机编号"]) <= set(clean("商机.xlsx")["商机编号"])


def test_codes_refer_to_what_there_is(clean):
    customers = set(clean("客户.xlsx")["客户编号"])
    people = set(clean("人员.csv")["员工编号"])
    for name, header in (
        ("联系人.csv", "客户编号"),
        ("签约订单.csv", "客户编号"),
        ("跟进记录.csv", "关联客户编号"),
        ("客服工单.xlsx", "客户编号"),
        ("满意度调查.csv", "客户编号"),
        ("外部信号.csv", "客户编号"),
        ("股权与伙伴关系.csv", "关联客户编号"),
        ("任务_2025Q3.csv", "客户编号"),
        ("报价单.csv", "客户编号"),
    ):
        assert set(clean(name)[header]) <= customers, name
    assert set(clean("客户.xlsx")["负责人编码"]) <= people
    assert set(clean("签约订单.csv")["负责人编码"]) <= people
    assert set(clean("人员.csv")["直属上级编号"]) - {""} <= people
