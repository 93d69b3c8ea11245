"""The company looks like one: sizes, seasons, segments, names."""

from __future__ import annotations

import pandas as pd
import pytest

from analysis.demo import company as firm
from analysis.demo import words
from analysis.demo.accounts import UNMATCHED
from analysis.demo.kinds import KEYS, KINDS, counts

WELL_KNOWN = (
    "华为", "中兴", "比亚迪", "宁德时代", "格力", "美的", "海尔", "三一", "徐工", "中联重科",
    "吉利", "长城", "奇瑞", "联想", "小米", "京东方", "立讯", "富士康", "蓝思", "隆基",
    "迈瑞", "联影", "农夫山泉", "娃哈哈", "伊利", "蒙牛", "茅台", "青岛啤酒", "潍柴", "玉柴",
    "人本", "瓦轴", "洛轴", "恒立", "亚德客", "正泰", "德力西", "汇川", "大疆", "博世",
)  # fmt: skip


def test_shares_of_kinds_add_to_one():
    assert sum(kind.share for kind in KINDS) == pytest.approx(1)


@pytest.mark.parametrize("customers", [50, 51, 60, 300, 1199, 1200, 123_457])
def test_every_kind_is_there(customers):
    found = counts(customers)
    assert found.sum() == customers
    assert found.min() >= 1


def test_small_company_has_all_kinds(small, dirt):
    truth = pd.read_parquet(small / "truth" / "customers.parquet")
    assert len(truth) == 60 + 2  # two stand in the list twice
    assert set(truth["kind"]) == set(KEYS)
    effects = pd.read_parquet(small / "truth" / "effects.parquet")
    taken = effects[effects["arm"].notna()]
    assert taken.groupby("period")["strategy"].nunique().to_dict() == {"2025Q2": 4, "2025Q3": 5}
    both = [set(zip(d["table"], d["rule"], strict=True)) for d in (dirt, _dirt(small))]
    # whether they owe anything on a given day is chance
    assert both[0] - {("receivables", UNMATCHED)} == both[1] - {("receivables", UNMATCHED)}


def _dirt(folder):
    return pd.read_parquet(folder / "truth" / "dirt.parquet")


def test_revenue_of_a_quarter(summary):
    quarters = pd.Series(summary["revenue_fen_by_quarter"]) / 1e8
    assert len(quarters) == 12
    assert 100 < quarters["2025Q3"] < 150
    assert 1.02 < quarters["2025Q3"] / quarters["2024Q3"] < 1.25
    # Spring Festival: the first quarter is the weakest of its year
    for year in (2023, 2024, 2025):
        assert quarters[f"{year}Q1"] < 0.95 * quarters[f"{year}Q2"]
        assert quarters[f"{year}Q1"] < 0.95 * quarters[f"{year - 1}Q4"]


def test_margin_and_returns(summary, orders):
    assert 0.25 < 1 - summary["cost_fen"] / summary["revenue_fen"] < 0.32
    assert 0.01 < (orders["fen"] < 0).mean() < 0.02


def test_quarter_end_push(orders):
    inside = orders[orders["day"].between("2025-07-01", "2025-09-30")]
    last_week = inside[inside["day"] >= "2025-09-24"]["fen"].sum() / inside["fen"].sum()
    assert last_week > 1.3 * 5 / 66  # five working days of the quarter's sixty-six


def test_goods_leave_on_working_days(orders):
    assert orders["day"].dt.day_of_week.max() <= 4
    assert orders["day"].max() <= pd.Timestamp("2025-09-30")
    assert orders["day"].min() >= pd.Timestamp("2022-10-01")


def test_money_is_concentrated(orders):
    year = orders[orders["day"] > "2024-09-30"].groupby("customer")["fen"].sum()
    largest = year.sort_values(ascending=False)
    share = largest.head(150).sum() / largest.sum()
    assert 0.55 < share < 0.75
    assert largest.iloc[0] / largest.sum() < 0.05


def test_targets_lie_a_little_above(raw, summary):
    targets = raw("目标.xlsx")
    goal = targets[(targets["指标"] == "发货收入") & (targets["期间"] == "2025Q3")]["目标值"].iloc[
        0
    ]
    assert goal.endswith("万")
    money = int(goal[:-1].replace(",", "")) * 10_000
    assert 0.94 < summary["revenue_fen_by_quarter"]["2025Q3"] / 100 / money < 0.98


def test_names_are_made_up(raw, dirt):
    listed = raw("客户.xlsx")
    same = dirt.loc[(dirt["file"] == "客户.xlsx") & (dirt["rule"] == "same_company"), "row"]
    names = listed.drop_duplicates("客户编号")["客户名称"]
    assert not names.duplicated().any()
    assert not names.str.contains("|".join(WELL_KNOWN)).any()
    assert not any(name in words.COMPANY for name in WELL_KNOWN)
    real = names.drop(index=same, errors="ignore")
    real = real[~real.str.contains("测试|演示")]
    assert real.str.endswith("有限公司").all()


def test_people_form_a_company(raw):
    people = raw("人员.csv")
    assert not people["姓名"].duplicated().any()
    assert people["岗位"].value_counts().to_dict() == {
        "销售代表": 6 * firm.REPS_PER_TEAM,
        "大区总监": 6,
        "大客户经理": 2,
        "客户成功专员": 2,
        "销售运营总监": 1,
    }
    known = set(people["员工编号"])
    assert set(people["直属上级编号"]) - {""} <= known
    assert set(raw("客户.xlsx")["负责人编码"]) <= known
    assert set(raw("客户.xlsx")["归属部门编码"]) <= set(people["部门编码"])


def test_private_data_leads_nowhere(raw):
    contacts = raw("联系人.csv")
    mails = contacts.loc[contacts["邮件"] != "", "邮件"]
    assert mails.str.endswith(".example").all()
    phones = contacts.loc[contacts["手机"].str.len() == 11, "手机"]
    assert phones.str.startswith("1900").all()
