"""The books tie: invoices, payments, aged receivables, finance's months, targets."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.demo import chance
from analysis.demo.accounts import STRANGE_CODES
from analysis.demo.documents import with_tax
from analysis.demo.kinds import Chapter
from analysis.demo.ledger import BUCKETS, EDGES, keep

SNAPSHOTS = ("2025-03-31", "2025-06-30", "2025-09-30")


def fen(cells):
    return (cells.str.replace(",", "").astype(float) * 100).round().astype("int64")


def clean(raw, dirt, name, gone=("repeated_keys", "total_row")):
    rows = dirt[(dirt["file"] == name) & dirt["rule"].isin(gone)]["row"]
    return raw(name).drop(index=rows)


@pytest.fixture(scope="module")
def invoices(raw, dirt):
    frame = clean(raw, dirt, "销售发票列表.csv")
    return frame.assign(
        fen=fen(frame["本币价税合计"]),
        day=pd.to_datetime(frame["开票日期"]),
        due=pd.to_datetime(frame["到期日"]),
    )


@pytest.fixture(scope="module")
def payments(raw, dirt):
    frame = clean(raw, dirt, "收款单列表.csv")
    return frame.assign(fen=fen(frame["本币金额"]), day=pd.to_datetime(frame["单据日期"]))


@pytest.mark.parametrize("when", SNAPSHOTS)
def test_receivables_are_invoices_minus_payments(raw, invoices, payments, when):
    aged = raw(f"应收账龄_{when}.xlsx")
    body, total = aged.iloc[:-1], aged.iloc[-1]
    issued = invoices[invoices["day"] <= when].groupby("客户编码")["fen"].sum()
    came = payments[payments["day"] <= when].groupby("客户编码")["fen"].sum()
    owed = issued.sub(came, fill_value=0).astype("int64")
    found = (body.set_index("客户编码")["余额"].astype(float) * 100).round().astype("int64")
    assert not found.index.duplicated().any()
    assert owed[owed != 0].sort_index().to_dict() == found[found != 0].sort_index().to_dict()
    for name in ("余额", *BUCKETS):
        in_fen = (body[name].astype(float) * 100).round().astype("int64")
        assert in_fen.sum() == round(total[name] * 100), name
    across = (body[list(BUCKETS)].astype(float) * 100).round().astype("int64").sum(axis=1)
    assert (across == (body["余额"].astype(float) * 100).round().astype("int64")).all()
    assert (body[list(BUCKETS[1:])].astype(float) >= 0).all().all()


def test_nothing_is_older_than_its_bucket_says(raw, invoices):
    """Who has an amount in a bucket has an invoice that old."""
    when = SNAPSHOTS[-1]
    aged = raw(f"应收账龄_{when}.xlsx").iloc[:-1].set_index("客户编码")
    late = (pd.Timestamp(when) - invoices["due"]).dt.days
    for low, name in zip(EDGES, BUCKETS[1:], strict=True):
        high = 10**6 if name == BUCKETS[-1] else EDGES[EDGES.index(low) + 1]
        able = set(invoices.loc[(late > low) & (late <= high) & (invoices["fen"] > 0), "客户编码"])
        assert set(aged.index[aged[name].astype(float) > 0]) <= able, name


def test_invoices_are_the_deliveries_with_tax(raw, dirt, invoices):
    notes = []
    for name in ("发货单_2022-2023.csv", "发货单_2024-2025.csv"):
        rows = dirt[(dirt["file"] == name) & ~dirt["rule"].isin(["zero_amount"])]["row"]
        notes.append(raw(name).drop(index=rows))
    shipped = pd.concat(notes)
    gross = fen(shipped["本币价税合计"]).groupby(shipped["发货单号"]).sum()
    net, tax = fen(shipped["本币无税金额"]), fen(shipped["本币税额"])
    assert (net + tax == fen(shipped["本币价税合计"])).all()
    assert ((tax - 0.13 * net).abs() <= 0.5 + 1e-6).all()
    own = invoices[~invoices["客户编码"].isin(STRANGE_CODES)].set_index("发货单号")["fen"]
    assert (own == gross[own.index]).all()
    day = pd.to_datetime(shipped.groupby("发货单号")["发货日期"].first())
    issued = invoices.set_index("发货单号")["day"]
    gap = (issued - day.reindex(issued.index)).dropna().dt.days
    # the longest holiday with its weekends lies between at most
    assert gap.between(0, 6 + 11).all()
    assert gap.mean() < 3
    assert invoices["发票号"].str.fullmatch(r"0\d{7}|2[45]992\d{15}").all()
    assert not invoices["发票号"].duplicated().any()
    assert ((invoices["due"] - invoices["day"]).dt.days.isin([30, 60, 90])).all()


def test_payments_come_in_many_ways(payments):
    assert set(payments["款项类型"]) == {"应收款", "预收款"}
    share = payments["结算方式"].value_counts(normalize=True)
    assert 0.1 < share["银行承兑汇票"] < 0.5
    back = payments["fen"] < 0
    assert 0 < back.mean() < 0.02
    assert (payments.loc[back, "单据类型"] == "付款单（退款）").all()
    assert payments["day"].max() <= pd.Timestamp("2025-09-30")


def test_some_pay_late(raw):
    total = raw("应收账龄_2025-09-30.xlsx").iloc[-1]
    overdue = 1 - total["账期内"] / total["余额"]
    assert 0.1 < overdue < 0.4
    assert all(total[name] > 0 for name in BUCKETS)


def test_the_bridge_between_the_systems(raw, invoices, payments):
    bridge = raw("客户档案_U8.csv")
    assert bridge["客户编码"].str.fullmatch(r"0\d{9}").all()
    assert not bridge["客户编码"].duplicated().any()
    numbers = bridge["CRM客户编号"][bridge["CRM客户编号"] != ""]
    assert not numbers.duplicated().any()
    assert set(bridge.loc[bridge["CRM客户编号"] == "", "客户编码"]) == set(STRANGE_CODES)
    assert set(numbers) <= set(raw("客户.xlsx")["客户编号"])
    assert set(invoices["客户编码"]) | set(payments["客户编码"]) <= set(bridge["客户编码"])
    assert set(bridge["客户总公司"]) - {""} <= set(bridge["客户编码"])
    assert (bridge["客户总公司"] != bridge["客户编码"]).sum() > 5


def test_finance_differs_for_planted_reasons_only(company, raw, orders):
    truth = pd.read_parquet(company / "truth" / "controls.parquet")
    ours = orders[orders["day"] >= "2025-01-01"]
    ours = ours.groupby(ours["day"].dt.strftime("%Y-%m"))["fen"].sum()
    months = truth.drop_duplicates("month").set_index("month")
    assert months["ours_fen"].to_dict() == ours.to_dict()
    book = raw("财务月报.xlsx")
    told = (book["金额(元)"].astype(float) * 100).round().astype("int64")
    assert told.iloc[:-1].tolist() == months["finance_fen"].tolist()
    assert told.iloc[-1] == told.iloc[:-1].sum()
    gap = truth.groupby("month")["fen"].sum()
    assert (months["finance_fen"] - months["ours_fen"]).to_dict() == gap.to_dict()
    reasons = truth.groupby("reason")["fen"]
    assert set(truth["reason"]) - {""} == {"late_document", "rounded", "cut_off", "no_crm_number"}
    assert reasons.sum()["late_document"] == 0
    assert months.loc["2025-04", "finance_fen"] % 1_000_000 == 0
    assert (gap != 0).all()
    assert (gap.abs() / months["ours_fen"]).max() < 0.03
    assert set(book["口径"].iloc[:-1]) == {"发货·不含税"}


def test_the_breakdown_adds_up_to_the_target(raw):
    wide = raw("目标分解.xlsx")
    body, total = wide.iloc[:-1], wide.iloc[-1]
    months = [f"{n}月" for n in range(1, 13)]
    assert (body[months].astype(int).sum(axis=1) == body["年度目标"].astype(int)).all()
    for name in ["年度目标", *months]:
        assert body[name].astype(int).sum() == total[name]
    targets = raw("目标.xlsx")
    year = targets[(targets["指标"] == "发货收入") & (targets["期间"] == "2025")]["目标值"].iloc[0]
    assert int(year.removesuffix("万").replace(",", "")) == total["年度目标"]
    assert set(targets["指标"]) >= {"发货收入", "回款", "毛利率"}
    assert body["业务员"].str.endswith("（已离职）").sum() == 1


def test_parents_and_terms_say_the_same_everywhere(raw):
    bridge = raw("客户档案_U8.csv")
    number = bridge.set_index("客户编码")["CRM客户编号"]
    child = bridge[bridge["客户总公司"] != bridge["客户编码"]]
    child = child[child["客户总公司"] != ""]
    crm = raw("客户.xlsx").drop_duplicates("客户编号").set_index("客户编号")["上级客户"]
    for row in child.itertuples():
        assert crm[row.CRM客户编号] == number[row.客户总公司]
    links = raw("股权与伙伴关系.csv")
    assert set(links["关系"]) == {"母公司", "股东", "合作伙伴"}
    assert set(links["客户编号"]) | set(links["关联客户编号"]) <= set(crm.index)


def test_what_comes_later_changes_nothing_in_the_books(cells_of):
    cells, known = cells_of
    books = Chapter(0, 900, ""), Chapter(901, 1095, "later")
    late = keep(cells, known, 1, books)
    early = keep(cells[cells["_day"] <= 900], known, 1, books[:1])
    columns = ["note", "day", "due", "fen"]
    seen = late.invoices[late.invoices["day"] <= 900]
    known_early = early.invoices[early.invoices["day"] <= 900]
    assert known_early[columns].equals(seen[columns].reset_index(drop=True))
    for today in (700, 900):
        assert early.open(today)["fen"].tolist() == late.open(today)["fen"].tolist()


@pytest.fixture(scope="module")
def cells_of():
    """Delivery notes of one customer that sends something back now and then."""
    days = np.arange(20, 1080, 9)
    fen = np.where(np.arange(len(days)) % 7 == 5, -40_000, 900_000)
    cells = pd.DataFrame(
        {
            "_why": "",
            "发货单号": [f"FH{n:06d}" for n in range(len(days))],
            "_account": 0,
            "_order": np.arange(len(days)),
            "_back": fen < 0,
            "_day": days,
            "_fen": fen,
            "_gross": with_tax(fen),
        }
    )
    known = pd.DataFrame({"code": ["01"], "terms": [30], "pays_after": [10], "kind": ["steady"]})
    return cells, known


@given(keys=st.lists(st.text(max_size=12), min_size=1), seed=st.integers(0, 2**40))
def test_chance_hangs_on_the_key_alone(keys, seed):
    drawn = chance.uniform(pd.Series(keys, dtype=object), seed, "x")
    assert ((drawn > 0) & (drawn < 1)).all()
    again = chance.uniform(pd.Series(keys[::-1], dtype=object), seed, "x")
    assert (again[::-1] == drawn).all()
    assert chance.whole(pd.Series(keys, dtype=object), seed, "x", 2, 5).max() <= 4
