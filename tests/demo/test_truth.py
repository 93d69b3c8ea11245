"""The truth files agree with what stands in the exports."""

from __future__ import annotations

import re

import pandas as pd
import pytest

from analysis.demo import texts
from analysis.demo.accounts import STRANGE_CODES, STRANGE_IDS, STRANGER, TEST_CODES, TEST_IDS

ORDER_FILES = ("发货单_2022-2023.csv", "发货单_2024-2025.csv")


def rows_of(raw, dirt, table, rule):
    """The dirty rows of a rule as they stand in the files."""
    found = dirt[(dirt["table"] == table) & (dirt["rule"] == rule)]
    assert len(found), (table, rule)
    parts = [raw(name).loc[rows["row"]] for name, rows in found.groupby("file")]
    return pd.concat(parts)


FAULTS = [
    ("orders", "voided", lambda r: r["单据状态"].isin(["作废", "未审核"])),
    ("orders", "missing_customer", lambda r: r["客户编码"] == ""),
    ("orders", STRANGER, lambda r: r["客户编码"].isin([*STRANGE_CODES, *STRANGE_IDS])),
    ("orders", "implausible_dates", lambda r: r["发货日期"] == "1900-01-01"),
    ("orders", "after_as_of", lambda r: r["发货日期"] == "2035-03-15"),
    ("orders", "unreadable_number", lambda r: r["本币无税金额"] == "待定"),
    ("orders", "unreadable_date", lambda r: r["发货日期"] == "待确认"),
    ("orders", "zero_amount", lambda r: r["本币无税金额"] == "0.00"),
    ("orders", "test_accounts", lambda r: r["客户编码"].isin([*TEST_CODES, *TEST_IDS])),
    ("orders", "total_row", lambda r: r["发货单号"] == "合计"),
    ("invoices", "total_row", lambda r: r["发票号"] == "合计"),
    ("payments", "total_row", lambda r: r["单据编号"] == "合计"),
    ("receivables", "total_row", lambda r: r["客户编码"] == "合计"),
    ("controls", "total_row", lambda r: r["月份"] == "合计"),
    ("targets", "total_row", lambda r: r["大区"] == "合计"),
    ("customer_keys", "missing_customer", lambda r: r["CRM客户编号"] == ""),
    ("surveys", "worded_score", lambda r: ~r["打分"].str.isdigit()),
    ("activities", "padded_key", lambda r: r["关联客户编号"].str.startswith("　")),
    ("customers", "wrong_credit_code", lambda r: r["统一社会信用代码"].str.len() == 17),
    ("customers", "test_accounts", lambda r: r["客户名称"].str.contains("测试|演示")),
    ("contacts", "wrong_contacts", lambda r: (r["邮件"] == "") & (r["手机"].str.len() < 11)),
    ("activities", "after_as_of", lambda r: r["互动时间"].str.startswith("2035")),
    ("activities", "unknown_customer", lambda r: r["关联客户编号"].str.startswith("KH9")),
    ("tickets", "test_accounts", lambda r: r["客户编号"] == "KH990001"),
]


@pytest.mark.parametrize(("table", "rule", "holds"), FAULTS, ids=lambda v: v if v else "")
def test_dirt_is_where_the_truth_says(raw, dirt, table, rule, holds):
    assert holds(rows_of(raw, dirt, table, rule)).all()


@pytest.mark.parametrize(("table", "rule", "holds"), FAULTS, ids=lambda v: v if v else "")
def test_and_nowhere_else(raw, dirt, table, rule, holds):
    for name in dirt.loc[dirt["table"] == table, "file"].unique():
        frame = raw(name)
        clean = frame.drop(index=dirt.loc[dirt["file"] == name, "row"])
        assert not holds(clean).any()


def test_rows_that_stay_are_told_from_those_that_go(dirt):
    stays = dirt.groupby("rule")["stays"]
    assert (stays.min() == stays.max()).all()
    assert set(dirt.loc[dirt["stays"], "rule"]) == {
        "name_variant",
        "padded_key",
        "same_company",
        "worded_score",
        "wrong_credit_code",
    }


def test_repeated_order_lines_follow_their_original(raw, dirt):
    found = dirt[(dirt["table"] == "orders") & (dirt["rule"] == "repeated_lines")]
    for name, rows in found.groupby("file"):
        frame = raw(name)
        copies, originals = frame.loc[rows["row"]], frame.loc[rows["row"] - 1]
        assert (copies.to_numpy() == originals.to_numpy()).all()
    keys = pd.concat([raw(name) for name in ORDER_FILES])[["发货单号", "行号"]]
    assert keys.duplicated().sum() == len(found)


@pytest.mark.parametrize(
    ("name", "key", "rule"),
    [
        ("客户.xlsx", "客户编号", "repeated_keys"),
        ("售后工单.xlsx", "工单编号", "repeated_keys"),
        ("销售发票列表.csv", "发票号", "repeated_keys"),
        ("收款单列表.csv", "单据编号", "repeated_keys"),
    ],
)
def test_repeated_keys_stand_below_their_original(raw, dirt, name, key, rule):
    frame = raw(name)
    again = frame.index[frame[key].duplicated()]
    found = dirt[(dirt["file"] == name) & (dirt["rule"] == rule)]
    assert sorted(again) == sorted(found["row"])
    assert list(frame.loc[found["row"], key]) == list(found["key"])


def test_the_total_row_adds_up(raw, dirt):
    frame = raw(ORDER_FILES[1])
    total = frame.iloc[-1]
    assert total["发货单号"] == "合计"
    assert int(total["数量"]) == frame["数量"].iloc[:-1].astype("int64").sum()
    net, tax = frame["本币无税金额"], frame["本币价税合计"]
    assert 1.12 < float(tax.iloc[-1]) / float(net.iloc[-1]) < 1.14


def test_every_kind_of_dirt_is_rare(raw, dirt):
    going = dirt[~dirt["stays"] & (dirt["rule"] != "total_row")]
    for name, rows in going.groupby("file"):
        assert len(rows) / len(raw(str(name))) < 0.04
    counts = dirt[dirt["table"] == "orders"].groupby("rule").size()
    assert counts.drop("total_row").min() >= 3


def test_clean_lines_are_the_truth_to_the_fen(orders, summary):
    assert len(orders) == summary["order_lines"]
    assert int(orders["fen"].sum()) == summary["revenue_fen"]
    quarter = orders["day"].dt.year.astype(str) + "Q" + orders["day"].dt.quarter.astype(str)
    assert orders.groupby(quarter)["fen"].sum().to_dict() == summary["revenue_fen_by_quarter"]
    assert (orders["fen"] == orders["quantity"] * orders["price_fen"]).all()


def test_latent_classes_agree_with_the_orders(company, orders):
    truth = pd.read_parquet(company / "truth" / "customers.parquet").set_index("customer_id")
    sold = orders[orders["fen"] > 0].groupby("customer")["day"]
    last, first = sold.max(), sold.min()
    gone = truth[truth["churned_on"].notna()].index
    assert (pd.to_datetime(truth.loc[gone, "churned_on"]) == last[gone]).all()
    assert set(truth.loc[gone, "kind"]) == {"lapsed", "turned"}
    new = truth.index[truth["kind"] == "new"]
    assert (first[new] > pd.Timestamp("2025-09-30") - pd.Timedelta(days=180)).all()
    trial = truth.index[truth["kind"] == "trial"]
    assert not set(trial) & set(orders["customer"])
    assert set(truth.index) - set(trial) >= set(orders["customer"])


def test_texts_carry_the_planted_pain(company, raw):
    truth = pd.read_parquet(company / "truth" / "texts.parquet")
    cells = pd.concat(
        [
            raw("销售记录.csv").set_index("记录编号")["跟进内容"],
            raw("售后工单.xlsx").drop_duplicates("工单编号").set_index("工单编号")["问题描述"],
        ]
    )
    text = cells[truth["key"]].reset_index(drop=True)
    for pain, words in texts.MARKS.items():
        marked = text.str.contains("|".join(map(re.escape, words)))
        assert marked[truth["pain"] == pain].mean() == 1, pain
        assert marked[truth["pain"] == ""].mean() < 0.01, pain
    private = text.str.contains(r"190\d{8}|@")
    assert (private == truth["private"]).all()
    assert 0 < truth["private"].mean() < 0.05


def test_each_kind_complains_most_about_its_own_pain(company):
    texts_found = pd.read_parquet(company / "truth" / "texts.parquet")
    kinds = pd.read_parquet(company / "truth" / "customers.parquet").set_index("customer_id")
    some = texts_found[texts_found["pain"] != ""]
    some = some.assign(kind=some["customer_id"].map(kinds["kind"]))
    for kind, rows in some.groupby("kind"):
        if len(rows) >= 50:
            assert (
                rows["pain"].value_counts().index[0]
                == kinds.loc[kinds["kind"] == kind, "pain"].iloc[0]
            )
