"""The truth files agree with what stands in the exports."""

from __future__ import annotations

import re

import pandas as pd
import pytest

from analysis.demo.subscription import texts

TEST = r"KH99000\d"
FAULTS = [
    ("合同台账.xlsx", "voided", lambda r: r["续费状态"] == "作废"),
    (
        "合同台账.xlsx",
        "missing_customer",
        lambda r: r["客户编号"].isna() & (r["合同编号"] != "合计"),
    ),
    ("合同台账.xlsx", "test_accounts", lambda r: r["客户名称"].str.contains("测试|演示").eq(True)),
    ("合同台账.xlsx", "unreadable_date", lambda r: r["到期日期"] == "长期"),
    ("合同台账.xlsx", "total_row", lambda r: r["合同编号"] == "合计"),
    ("应收账龄_2025-09-30.xlsx", "total_row", lambda r: r["客户编号"] == "合计"),
    ("客户.xlsx", "test_accounts", lambda r: r["客户编号"].str.fullmatch(TEST)),
    ("客户.xlsx", "voided", lambda r: r["生命状态"] == "作废"),
    ("联系人.csv", "wrong_contacts", lambda r: (r["邮件"] == "") & (r["手机"].str.len() < 11)),
    ("开通表.csv", "test_accounts", lambda r: r["客户编号"].str.fullmatch(TEST)),
    ("开通表.csv", "missing_customer", lambda r: r["客户编号"] == ""),
    ("使用日志.csv", "test_accounts", lambda r: r["企业ID"].str.startswith("0000000f")),
    ("使用日志.csv", "unknown_customer", lambda r: r["企业ID"].str.startswith("0000000d")),
    ("使用日志.csv", "implausible_dates", lambda r: r["日期"] == "1970-01-01"),
    ("签约订单.csv", "voided", lambda r: r["生命状态"] == "作废"),
    ("签约订单.csv", "missing_customer", lambda r: r["客户编号"] == ""),
    ("签约订单.csv", "test_accounts", lambda r: r["客户编号"].str.fullmatch(TEST)),
    ("签约订单.csv", "after_as_of", lambda r: r["下单日期"] == "2035-03-15"),
    ("跟进记录.csv", "unknown_customer", lambda r: r["关联客户编号"].str.startswith("KH9")),
    ("跟进记录.csv", "after_as_of", lambda r: r["互动时间"].str.startswith("2035")),
    ("客服工单.xlsx", "test_accounts", lambda r: r["客户编号"].str.fullmatch(TEST)),
    ("满意度调查.csv", "missing_customer", lambda r: r["客户编号"] == ""),
    ("商机.xlsx", "voided", lambda r: r["商机状态"] == "无效"),
]
TWICE = {
    "合同台账.xlsx": "合同编号", "客户.xlsx": "客户编号", "开通表.csv": "企业ID",
    "客服工单.xlsx": "工单编号", "满意度调查.csv": "答卷编号", "开票记录.csv": "发票号",
    "回款单列表.csv": "回款编号", "商机.xlsx": "商机编号", "销售线索.xlsx": "线索编号",
}  # fmt: skip


@pytest.mark.parametrize(("name", "rule", "holds"), FAULTS, ids=lambda v: v if v else "")
def test_dirt_is_where_the_truth_says_and_nowhere_else(raw, dirt, name, rule, holds):
    frame = raw(name)
    found = dirt[dirt["file"] == name]
    rows = found.loc[found["rule"] == rule, "row"]
    assert len(rows)
    assert holds(frame.loc[rows]).all()
    assert not holds(frame.drop(index=found["row"])).any()


@pytest.mark.parametrize(("name", "key"), TWICE.items())
def test_repeated_keys_stand_below_their_original(raw, dirt, name, key):
    frame = raw(name)
    again = frame.index[frame[key].duplicated()]
    found = dirt[(dirt["file"] == name) & (dirt["rule"] == "repeated_keys")]
    assert len(found) >= 2
    assert sorted(again) == sorted(found["row"])
    assert list(frame.loc[found["row"], key]) == list(found["key"])


def test_repeated_lines_repeat_everything(raw, dirt):
    frame = raw("签约订单.csv")
    found = dirt[(dirt["file"] == "签约订单.csv") & (dirt["rule"] == "repeated_lines")]
    again = frame.index[frame.duplicated()]
    assert sorted(again) == sorted(found["row"])


def test_every_kind_of_dirt_is_rare(raw, dirt, summary):
    for name, rows in dirt.groupby("file"):
        assert len(rows) / len(raw(str(name))) < 0.05
    assert set(summary["dirt"]) == set(dirt["table"] + "." + dirt["rule"])
    assert sum(summary["dirt"].values()) == len(dirt)


def test_the_total_row_adds_up(raw):
    frame = raw("合同台账.xlsx")
    for header in ("合同金额", "年费(ARR)"):
        fen = (frame[header].astype(float) * 100).round().astype("int64")
        assert fen.iloc[:-1].sum() == fen.iloc[-1]


def test_dates_are_written_in_several_ways(raw):
    cells = raw("合同台账.xlsx")["起始日期"].dropna()
    for form in (
        r"\d{4}-\d\d-\d\d",
        r"\d{4}\.\d\d\.\d\d",
        r"\d{4}/\d\d/\d\d",
        r"\d{4}年\d\d月\d\d日",
    ):
        assert cells.str.fullmatch(form).mean() > 0.01


def test_lost_customers_are_the_lost_contracts(ledger, truth):
    known = truth("customers").set_index("customer_id")
    lost = ledger[ledger["续费状态"] == "流失"].groupby("客户编号")["到期日期"].max()
    gone = known[known["churned_on"].notna()]
    assert (pd.to_datetime(gone["churned_on"]) == lost[gone.index]).all()
    assert set(gone["health"]) == {"lost"}
    assert (known.loc[known["health"] == "lost", "arr"] == 0).all()
    assert (known.loc[known["health"].isin(["red", "amber", "green"]), "arr"] > 0).all()
    pilots = known.index[known["kind"] == "pilot"]
    assert not set(pilots) & set(ledger["客户编号"])


def test_the_lights_tell_who_will_leave(truth):
    lights = truth("customers").set_index("customer_id")["health"]
    ahead = truth("renewals").query("not known").drop_duplicates("customer_id", keep="last")
    leaves = (ahead["decision"] == "lost").groupby(ahead["customer_id"].map(lights)).mean()
    assert leaves["red"] > 0.4
    assert 0.3 > leaves["amber"] > leaves["green"]


def test_decisions_agree_with_the_ledger(ledger, truth):
    status = ledger.set_index("合同编号")["续费状态"]
    known = truth("renewals").set_index("contract")
    told = status[known.index]
    assert (known.loc[told == "已续", "decision"] == "renewed").all()
    assert (known.loc[told == "流失", "decision"] == "lost").all()
    assert set(known.loc[told == "谈判中", "decision"]) == {"renewed", "lost"}
    assert set(told[~known["known"]]) == {"谈判中", "未到期"}
    assert (known["starts_on"].notna() == (known["decision"] == "renewed")).all()


def test_texts_carry_the_planted_pain(truth, clean):
    found = truth("texts")
    cells = pd.concat(
        [
            clean("跟进记录.csv").set_index("记录编号")["跟进内容"],
            clean("客服工单.xlsx").set_index("工单编号")["问题描述"],
        ]
    )
    found = found[found["key"].isin(cells.index)]
    text = cells[found["key"]].reset_index(drop=True)
    found = found.reset_index(drop=True)
    for pain, words in texts.MARKS.items():
        marked = text.str.contains("|".join(map(re.escape, words)))
        assert marked[found["pain"] == pain].mean() == 1, pain
        assert marked[found["pain"] == ""].mean() < 0.01, pain
    private = text.str.contains(r"190\d{8}|@")
    assert (private == found["private"]).all()
    assert 0 < private.mean() < 0.05


def test_customers_complain_most_about_their_own_pain(truth):
    found = truth("texts").query("pain != ''")
    own = truth("customers").set_index("customer_id")["pain"]
    for pain, rows in found.groupby(found["customer_id"].map(own)):
        assert rows["pain"].value_counts().index[0] == pain


def test_tenants_and_leads_link(raw, truth):
    links = truth("links").groupby("link")
    keys = raw("开通表.csv").drop_duplicates("企业ID").set_index("企业ID")["客户编号"]
    tenants = links.get_group("tenant")
    assert list(keys[tenants["key"]]) == list(tenants["other"])
    deals = raw("商机.xlsx").drop_duplicates("商机编号").set_index("商机编号")
    won = links.get_group("deal")
    assert set(deals.loc[won["key"], "商机状态"]) == {"赢单"}
    ledger = raw("合同台账.xlsx").drop_duplicates("合同编号").set_index("合同编号")["客户编号"]
    assert list(ledger[won["other"]]) == list(deals.loc[won["key"], "客户编号"])
    leads = raw("销售线索.xlsx").drop_duplicates("线索编号").set_index("线索编号")
    came = links.get_group("lead")
    assert list(leads.loc[came["key"], "转换商机编号"]) == list(came["other"])
    assert set(came["other"]) <= set(deals.index)
