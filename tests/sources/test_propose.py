"""The period file proposed from exports: every file placed, valid YAML, readable settings."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from analysis import demo
from analysis import settings as settings_module
from analysis.sources import period_file, propose

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
    assert headers["amount"] == "本币价税合计"
    assert headers["promised_on"] == "预发货日期"
    assert headers["customer_id"] == "客户编码"
    assert "shipped_on" not in headers  # a header is placed once


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
