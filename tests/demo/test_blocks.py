"""Large companies are made up in blocks of customers that fit together."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from analysis import demo
from analysis.demo import blocks, population, writing
from analysis.demo.kinds import MOST_CUSTOMERS
from analysis.demo.population import SYLLABLES

# lists whose first column is a running number; the workbooks of a large company are CSV files
LISTS = {
    "CRM销售订单.csv": "utf-8-sig",
    "任务_2025Q3.csv": "utf-8-sig",
    "商机.csv": "utf-8-sig",
    "外部信号.csv": "gb18030",
    "客户档案_U8.csv": "gb18030",
    "应收账龄_2025-09-30.csv": "utf-8-sig",
    "收款单列表.csv": "gb18030",
    "满意度调查.csv": "gb18030",
    "联系人.csv": "gb18030",
    "销售发票列表.csv": "utf-8-sig",
    "销售线索.csv": "utf-8-sig",
}


@pytest.mark.parametrize("customers", [50, 1200, 20_000, 20_001, 123_457, MOST_CUSTOMERS])
def test_blocks_hold_everybody_once(customers):
    found = blocks.blocks(customers, 1)
    sizes = [block.size for block in found]
    assert sum(sizes) == customers
    assert max(sizes) <= blocks.BLOCK
    assert max(sizes) - min(sizes) <= 1
    assert [block.last for block in found] == [False] * (len(found) - 1) + [True]
    assert len({block.seed for block in found}) == len(found)
    assert len({block.mark for block in found}) == len(found)
    assert len({population._third(block.index) for block in found}) == len(found)


def test_numbers_are_given_out_in_the_order_in_which_customers_come(monkeypatch):
    monkeypatch.setattr(blocks, "BLOCK", 70)
    found = blocks.blocks(200, 1)
    assert len(found) == 3
    for gone in range(blocks.quarters() + 1):
        known = sorted(n for b in found for n in b.numbers()[: b.known(gone)].tolist())
        assert known == list(range(1, blocks.known(200, gone) + 1))


def test_numbers_of_the_largest_company_stay_away_from_those_nobody_knows():
    last = blocks.ever(MOST_CUSTOMERS)
    code = blocks.codes(pd.Series([last]).to_numpy(), MOST_CUSTOMERS)[0]
    assert len(code) == 9
    assert not code.startswith("KH9")
    assert len(set(SYLLABLES)) == len(SYLLABLES)


@pytest.fixture(scope="module")
def in_blocks(tmp_path_factory):
    """A company of three blocks, and the same number of customers in one."""
    folder = tmp_path_factory.mktemp("blocks")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "BLOCK", 70)
        patch.setattr(writing, "LARGE", 100)
        demo.write(folder, customers=200, seed=5)
    return folder


def test_a_company_of_several_blocks_is_one_company(in_blocks):
    summary = json.loads((in_blocks / "truth" / "summary.json").read_bytes())
    listed = pd.read_csv(in_blocks / "客户.csv", encoding="utf-8-sig", dtype=str)
    truth = pd.read_parquet(in_blocks / "truth" / "customers.parquet")
    assert sum(summary["kinds"].values()) == 200
    assert len(listed) == summary["rows"]["客户.csv"]
    real = truth["customer_id"]
    assert not real.duplicated().any()
    assert set(real) <= set(listed["客户编号"])
    links = pd.read_parquet(in_blocks / "truth" / "links.parquet")
    twice = links.loc[links["kind"] == "same", "customer_id"]
    names = listed.drop_duplicates("客户编号").set_index("客户编号").loc[real, "客户名称"]
    assert not names.drop(twice).duplicated().any()


def test_running_numbers_do_not_meet(in_blocks):
    orders = pd.concat(
        [
            pd.read_csv(path, encoding=encoding, dtype=str, keep_default_na=False)
            for path, encoding in zip(
                sorted(in_blocks.glob("发货单_*.csv")), ("gb18030", "utf-8-sig"), strict=True
            )
        ]
    )
    documents = orders.loc[orders["发货单号"] != "合计"]
    assert documents.groupby("发货单号")["发货日期"].nunique().le(2).all()
    notes = pd.read_csv(in_blocks / "销售记录.csv", encoding="utf-8-sig", dtype=str)
    assert not notes["记录编号"].duplicated().any()
    dirt = pd.read_parquet(in_blocks / "truth" / "dirt.parquet")
    for name, encoding in LISTS.items():
        found = pd.read_csv(in_blocks / name, encoding=encoding, dtype=str, keep_default_na=False)
        twice = dirt[(dirt["file"] == name) & (dirt["rule"] == "repeated_keys")]
        assert found.iloc[:, 0].duplicated().sum() == len(twice), name


def test_dirt_of_every_block_stands_where_the_truth_says(in_blocks):
    dirt = pd.read_parquet(in_blocks / "truth" / "dirt.parquet")
    name = "发货单_2024-2025.csv"
    orders = pd.read_csv(in_blocks / name, encoding="utf-8-sig", dtype=str, keep_default_na=False)
    orders.index += 2
    own = dirt[dirt["file"] == name]
    voided = own.loc[own["rule"] == "voided", "row"]
    assert set(orders.index[orders["单据状态"].isin(["作废", "未审核"])]) == set(voided)
    total = own.loc[own["rule"] == "total_row", "row"].tolist()
    assert total == [orders.index[-1]]
    assert int(orders["数量"].iloc[-1]) == orders["数量"].iloc[:-1].astype(int).sum()


def test_the_company_as_a_whole_has_one_target(in_blocks):
    summary = json.loads((in_blocks / "truth" / "summary.json").read_bytes())
    assert summary["rows"]["目标.xlsx"] == 11
    assert summary["rows"]["人员.csv"] == 41


def test_finance_books_the_whole_company(in_blocks):
    summary = json.loads((in_blocks / "truth" / "summary.json").read_bytes())
    months = pd.read_parquet(in_blocks / "truth" / "controls.parquet")
    ours = months.drop_duplicates("month")["ours_fen"].sum()
    quarters = summary["revenue_fen_by_quarter"]
    assert ours == sum(fen for name, fen in quarters.items() if name.startswith("2025"))
