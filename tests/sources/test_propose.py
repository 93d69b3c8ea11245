"""The period file proposed from exports: every file placed, valid YAML, readable settings."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
import yaml

from analysis import cleaning, demo, engine, sources
from analysis import settings as settings_module
from analysis.settings_model import Settings
from analysis.sources import period_file, propose, template

TOTAL = """
SELECT round(sum(amount), 2) AS money, count(*) AS lines FROM orders
"""
DEMO = {
    "上季动作.csv": "treatments",
    "人员.csv": "people",
    "售后工单.xlsx": "tickets",
    "客户.xlsx": "customers",
    "目标.xlsx": "targets",
    "联系人.csv": "contacts",
    "发货单_2022-2023.csv": "orders",
    "发货单_2024-2025.csv": "orders",
    "销售记录.csv": "activities",
}


def proposed(project: Path, content: str, name: str = "f.csv") -> dict[str, object]:
    (project / name).write_text(content, encoding="utf-8")
    text = period_file(propose([project / name], project), "mine", "2025Q3")
    return dict(yaml.safe_load(text)["sources"])


def test_the_demo_files_are_all_placed_and_the_proposal_loads(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    demo.write(project / "data" / "demo", customers=60)
    monkeypatch.chdir(project)
    found = propose([Path("data/demo") / name for name in DEMO], project)
    assert {Path(p.file).name: p.table for p in found} == DEMO
    assert not any(p.missing for p in found)
    (project / "params" / "mine.yml").write_text(
        period_file(found, "mine", "2025Q3", "zh"), encoding="utf-8"
    )
    config = settings_module.load("params/mine.yml", project)
    orders = config.settings.sources["orders"]
    assert orders.path == [f"data/demo/{n}" for n in DEMO if n.startswith("发货单")]
    headers = {c: s.from_ for c, s in orders.columns.items()}
    assert headers["order_id"] == "发货单号"
    assert headers["ordered_at"] == "发货日期"
    assert headers["amount"] == "本币无税金额"
    assert (orders.event, orders.tax) == ("shipped", "excluded")
    assert headers["promised_on"] == "预发货日期"
    assert headers["customer_id"] == "客户编码"
    assert "shipped_on" not in headers  # a header is placed once


def test_the_collection_list_is_read_from_its_sheet_to_fill_not_from_its_notes(
    project: Path,
) -> None:
    written = {path.name: path for path in template.write(project / "filled")}
    for lang in ("zh", "en"):
        one = propose([written[f"orders.{lang}.xlsx"]], project)[0]
        assert (one.table, one.missing) == ("orders", ())
        assert {"order_id", "customer_id", "ordered_at", "amount"} <= one.columns.keys()


def test_a_superstore_file_is_orders(project: Path) -> None:
    header = "行 ID,订单 ID,订单日期,客户 ID,客户名称,地区,产品名称,销售额,数量"
    found = proposed(project, f"{header}\n1,A,2024-01-02,C,甲,华东,笔,10,1\n")
    assert list(found) == ["orders"]
    columns = found["orders"]["columns"]  # type: ignore[index]
    assert columns["line_id"] == "行 ID"
    assert columns["amount"] == "销售额"


@pytest.mark.parametrize(
    "header", ["客户编号,客户名称,地区,下单日期", "客户编号,客户名称,行业,金额"]
)
def test_a_file_with_dates_or_amounts_of_orders_is_no_customer_list(
    project: Path, header: str
) -> None:
    found = proposed(project, f"{header}\nA,甲,华东,2024-01-02\n")
    assert list(found) == ["orders"]


@pytest.mark.parametrize(
    ("lang", "said"), [("en", "required columns for which no header"), ("zh", "缺少必需的列")]
)
def test_missing_columns_are_named_in_the_readers_language(
    project: Path, lang: str, said: str
) -> None:
    path = project / "o.csv"
    path.write_text("订单号,下单日期,产品名称,备用\nA,2024-01-02,笔,x\n", encoding="utf-8")
    found = propose([path], project)
    assert found[0].missing == ("customer_id", "amount")
    text = period_file(found, "mine", "2025Q3", lang)  # type: ignore[arg-type]
    line = next(line for line in text.splitlines() if said in line)
    assert line.lstrip().startswith("#")
    assert "customer_id, amount" in line
    assert "备用" in text


def test_names_that_yaml_would_misread_come_back_as_they_are(project: Path) -> None:
    text = period_file((), "a: b", "2025", "en")
    assert yaml.safe_load(text) == {
        "extends": "base.yml",
        "run": "a: b",
        "period": "2025",
        "sources": {},
    }
    for run in ("it's # one", "a\nb", "[x", ""):
        assert yaml.safe_load(period_file((), run, "2025Q3"))["run"] == run
    (project / "o.csv").write_text("订单号,客户编号,下单日期,金额: '元' #\n1,A,2024-01-02,3\n")
    text = period_file(propose([project / "o.csv"], project), "mine", "2025Q3")
    assert yaml.safe_load(text)["sources"]["orders"]["path"] == (project / "o.csv").as_posix()


def test_a_second_file_under_other_headers_is_named_not_merged(project: Path) -> None:
    (project / "a.csv").write_text("订单号,客户编号,下单日期,金额\n1,A,2024-01-02,3\n")
    (project / "b.csv").write_text("订单编号,客户编号,下单日期,金额\n1,A,2024-01-02,3\n")
    found = propose([project / "a.csv", project / "b.csv"], project)
    text = period_file(found, "mine", "2025Q3")
    assert yaml.safe_load(text)["sources"]["orders"]["path"] == (project / "a.csv").as_posix()
    assert any("b.csv looks like orders" in line for line in text.splitlines())


def test_a_file_of_unknown_headers_is_listed_as_not_placed(project: Path) -> None:
    (project / "x.csv").write_text("甲甲,乙乙\n1,2\n")
    text = period_file(propose([project / "x.csv"], project), "mine", "2025Q3")
    assert yaml.safe_load(text)["sources"] == {}
    assert "#   甲甲" in text


@pytest.mark.slow
@pytest.mark.requirement("002-33")
def test_a_proposed_file_gives_the_revenue_of_the_written_one(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    demo.write(project / "data" / "demo", customers=60)
    monkeypatch.chdir(project)
    files = sorted(p for p in Path("data/demo").glob("*.*"))
    found = propose(files, project)
    assert [p.file for p in found if not p.table] == []
    text = period_file(found, "demo", "2025Q3", "zh")
    (project / "params" / "mine.yml").write_text(text, encoding="utf-8")
    money = []
    for name in ("params/mine.yml", "params/demo.yml"):
        config = settings_module.load(name, project)
        given = sources.read(config.settings, project)
        clean = cleaning.clean(given.tables, config.settings, date(2025, 9, 30), given.rejected)
        orders = engine.query(TOTAL, orders=clean.tables["orders"])
        money.append(orders.to_pylist())
    assert money[0] == money[1]
    assert money[0][0]["lines"] > 0
    # what stands in the files is shown by its form only
    assert "有限公司" not in text.replace(str(project), "")
    assert "客户名称 <x" in text


def headers_noted(found: sources.Sources) -> list[str]:
    told = [note for line in found.files["note"] for note in json.loads(line)]
    return [n["key"] for n in told if n["key"].startswith("note.headers")]


def test_the_next_quarter_says_what_changed(project: Path) -> None:
    def quarter(period: str, header: str) -> sources.Sources:
        cells = {"下单日期": "2025-01-02", "金额": "5"}
        row = ",".join(cells.get(h, "A") for h in header.split(","))
        content = f"{header}\n{row}\n"
        (project / "o.csv").write_text(content, encoding="utf-8")
        columns = {"customer_id": "客户编号", "ordered_at": "下单日期", "amount": "金额"}
        given = {"run": "r", "period": period, "sources": {"orders": {"path": "o.csv"}}}
        given["sources"]["orders"]["columns"] = columns  # type: ignore[index]
        return sources.read(Settings.model_validate(given), project)

    first = quarter("2025Q2", "订单号,客户编号,下单日期,金额,客户级别,地区")
    assert headers_noted(first) == []
    path = sources.remember(project, "r", "2025Q2", first.headers)
    assert sources.remembered(project, "r", "2025Q2") == {}
    known = sources.remembered(project, "r", "2025Q3")
    assert list(known) == [path.relative_to(project).as_posix()]
    same = quarter("2025Q3", "地区,客户编号,下单日期,金额,订单号,客户级别")
    assert headers_noted(same) == []  # the order of columns does not matter
    later = quarter("2025Q3", "订单号,客户编号,下单日期,金额,客户等级,来源")
    assert sorted(headers_noted(later)) == [
        "note.headers_missing", "note.headers_new", "note.headers_renamed",
    ]  # fmt: skip
    told = later.files["note"][0]
    assert "客户级别 → 客户等级" in told
    assert '"headers": "地区", "period": "2025Q2"' in told
    assert headers_noted(quarter("2025Q1", "客户编号,下单日期,金额,甲,乙,丙")) == []


def test_a_customer_list_with_erp_codes_is_list_and_bridge(project: Path) -> None:
    (project / "c.csv").write_text("客户编号,ERP客户编码,客户名称,行业\nK1,001,甲,机械\n")
    (project / "o.csv").write_text("发货单号,客户编码,发货日期,本币无税金额\nF,001,2025-07-01,1\n")
    found = propose([project / "c.csv", project / "o.csv"], project)
    assert [p.table for p in found] == ["customers", "customer_keys", "orders"]
    assert [p.keys for p in found] == ["", "", "erp"]


def test_names_for_customers_and_doubtful_days_are_pointed_at(project: Path) -> None:
    path = project / "商机.csv"
    path.write_text("商机编号,客户名称,商机金额,商机阶段,预计成交日期\nS1,甲,1,谈判,03/04/2025\n")
    text = period_file(propose([path], project), "mine", "2025Q3", "en")
    assert "by name only" in text
    assert "day and month cannot be told apart: 预计成交日期" in text
