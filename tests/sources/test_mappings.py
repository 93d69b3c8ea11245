"""Shipped mappings: which header of which system fills which canonical column, and as what."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from openpyxl import Workbook

from analysis.errors import SourceError
from analysis.settings_model import Settings
from analysis.settings_sources import Source
from analysis.sources import Sources, mapping, read, texts
from analysis.sources.named import NamedMapping, load
from analysis.tables import INPUT

ROOT = Path(__file__).parents[2]
CATALOGUE: dict[str, list[dict[str, Any]]] = yaml.safe_load(
    (Path(__file__).parent / "system_headers.yml").read_text(encoding="utf-8")
)
FILES = [
    pytest.param(system, file, id=f"{system}-{file['table']}-{number}")
    for system, files in CATALOGUE.items()
    for number, file in enumerate(files)
]
Make = Callable[..., Settings]


def columns_of(file: dict[str, Any]) -> dict[str, str]:
    unlike = {h for h, c in file["headers"].items() if c in file.get("unlike", ())}
    return {h: c for h, c in file["headers"].items() if c != "-" and h not in unlike}


@lru_cache
def shipped(system: str) -> NamedMapping:
    named, problems = load(system, ROOT)
    assert named is not None and not problems
    return named


def test_the_catalogue_holds_every_shipped_mapping() -> None:
    names = {p.stem for p in (ROOT / "params" / "mappings").glob("*.yml")}
    assert names == {*CATALOGUE, "tasks_workbook"}
    assert sum(len(f["headers"]) for files in CATALOGUE.values() for f in files) > 400


@pytest.mark.requirement("000-05")
@pytest.mark.requirement("004-16")
@pytest.mark.parametrize(("system", "file"), FILES)
def test_every_header_fills_its_column(system: str, file: dict[str, Any]) -> None:
    named = shipped(system)
    source = Source.model_validate(
        {"path": "f.xlsx", "mapping": system, **file.get("settings", {})}
    )
    table = INPUT[file["table"]]
    cells = [texts.header(h) for h in (*file["headers"], *file.get("turned", ()))]
    wanted = mapping.wanted_columns(table, source, named)
    found = mapping.resolve(cells, table, source, wanted, "f.xlsx")
    assert [p.key for p in found.problems] == []
    placed = {o.header: c for c, o in found.origins.items() if o.index is not None}
    for header, column in columns_of(file).items():
        origin = found.origins.get(column)
        assert origin is not None, column
        assert origin.header == texts.header(header), column
    for header, column in file["headers"].items():
        if column == "-":
            assert placed.get(texts.header(header)) not in set(columns_of(file).values())
    assert {h.header: h.label for h in found.wide} == {
        texts.header(h): label for h, label in file.get("turned", {}).items()
    }


_KNOWN = {"币种": "人民币", "结算币别": "人民币", "汇率": 1}


def cell(system: str, table: str, column: str, row: int) -> Any:
    """A value as the list has it: a word that the mapping translates, else by type."""
    words = shipped(system).tables[table].columns[column].map if column != "-" else {}
    if words:
        return list(words)[row % len(words)]
    kind = INPUT[table].column(column).type if column != "-" else "string"
    return {
        "string": f"A{row}", "money": 100.25 * (row + 1), "number": row + 1, "integer": row + 1,
        "share": 0.5, "boolean": "是", "date": date(2025, 7, row + 1),
        "timestamp": datetime(2025, 7, row + 1, 9, 30),
    }[kind]  # fmt: skip


@pytest.mark.requirement("000-04")
@pytest.mark.parametrize(("system", "file"), FILES)
def test_a_workbook_of_the_system_is_read(
    tmp_path: Path, make: Make, system: str, file: dict[str, Any]
) -> None:
    table, turned = file["table"], file.get("turned", {})
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.append(["导出 2025-09-30"])
    sheet.append([*file["headers"], *turned])
    for row in range(3):
        cells = [
            60.0 * len(turned) if c == "balance" and turned else cell(system, table, c, row)
            for c in file["headers"].values()
        ]
        cells = [_KNOWN.get(h, v) for h, v in zip(file["headers"], cells, strict=True)]
        sheet.append([*cells, *([60.0] * len(turned))])
    book.save(tmp_path / "f.xlsx")
    (tmp_path / "params").symlink_to(ROOT / "params")
    source = {"path": "f.xlsx", "mapping": system, **file.get("settings", {})}
    found = read(make({table: source}), tmp_path).tables[table]
    assert len(found) == (3 * len(turned) if turned else 3)
    for column in columns_of(file).values():
        if column == "balance":
            continue  # it is checked against the buckets, then left behind
        values = found[column].to_pylist()
        assert None not in values, column
        if turned or INPUT[table].column(column).type not in ("money", "date", "string"):
            continue
        expected = cell(system, table, column, 0)
        expected = shipped(system).tables[table].columns[column].map.get(str(expected), expected)
        assert str(values[0]).startswith(str(expected)), column


def small(tmp_path: Path, **files: str) -> Path:
    folder = tmp_path / "params" / "mappings"
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / f"{name}.yml").write_text(content, encoding="utf-8")
    return tmp_path


BASE = """
tables:
  orders:
    columns:
      customer_id: [客户]
      ordered_at: [日期]
      amount: {from: [金额], unit: 万元}
      status: {from: [状态], map: {作废: voided, 正常: valid}}
"""


def test_a_mapping_inherits_headers_units_and_words(tmp_path: Path) -> None:
    own = (
        "extends: base\ntables:\n  orders:\n    columns:\n      customer_id: [编码]\n"
        "      status: {from: 单据状态, map: {正常: ok}}\n"
    )
    found, problems = load("own", small(tmp_path, base=BASE, own=own))
    assert found is not None and not problems
    columns = found.tables["orders"].columns
    assert columns["customer_id"].names == ["编码", "客户"]
    assert columns["status"].map == {"作废": "voided", "正常": "ok"}
    assert columns["amount"].unit == "万元"
    assert columns["ordered_at"].names == ["日期"]


@pytest.mark.parametrize(
    ("own", "key", "said"),
    [
        ("extends: own\n", "sources.bad_mapping", "own → own"),
        ("extends: absent\n", "sources.unknown_mapping", "absent"),
        ("extends: base\ntables: {orders: {columns: {colour: [x]}}}\n",
         "sources.bad_mapping", "colour"),
        ("tables: {orders: {columns: {amount: {from: [x], basis: {x: {tax: some}}}}}}\n",
         "sources.bad_mapping", "basis"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_mapping_is_said(
    tmp_path: Path, own: str, key: str, said: str
) -> None:
    found, problems = load("own", small(tmp_path, base=BASE, own=own))
    assert found is None
    assert [p.key for p in problems] == [key]
    assert said in str(problems[0].args)


def test_a_column_of_the_settings_keeps_the_words_of_the_mapping(
    tmp_path: Path, make: Make
) -> None:
    small(tmp_path, base=BASE)
    (tmp_path / "o.csv").write_text(
        "客户,日期,金额,状态\nA,2025-01-02,1.5,作废\n", encoding="utf-8"
    )
    source = {"path": "o.csv", "mapping": "base", "columns": {"status": "状态", "amount": "金额"}}
    found = read(make({"orders": source}), tmp_path).tables["orders"]
    assert found["status"].to_pylist() == ["voided"]
    assert float(found["amount"][0].as_py()) == 15_000


@pytest.fixture
def u8(tmp_path: Path, make: Make) -> Callable[..., Sources]:
    """Orders as U8 lists them, read with its mapping."""
    (tmp_path / "params").symlink_to(ROOT / "params")

    def _read(content: str, rates: dict[str, float] | None = None, **more: Any) -> Sources:
        (tmp_path / "o.csv").write_text(content, encoding="utf-8")
        source = {"path": "o.csv", "mapping": "yonyou_u8", **more}
        return read(make({"orders": source}, rates=rates or {}), tmp_path)

    return _read


FOUR = (
    "发货单号,客户编码,订单日期,发货日期,原币无税金额,原币价税合计,本币无税金额,本币价税合计\n"
    "F1,01,2025-06-30,2025-07-02,10,11.3,70,79.1\n"
)


def amounts(found: Sources) -> list[float]:
    return [float(v) for v in found.tables["orders"]["amount"].to_pylist()]


def test_the_declared_basis_chooses_the_money_and_the_day(u8: Callable[..., Sources]) -> None:
    assert amounts(u8(FOUR, tax="excluded")) == [70]
    assert amounts(u8(FOUR, tax="included")) == [79.1]
    for event, day in (("ordered", 30), ("shipped", 2)):
        found = u8(FOUR, tax="excluded", event=event)
        assert found.tables["orders"]["ordered_at"][0].as_py().day == day


def test_several_bases_without_a_declaration_are_asked_about(u8: Callable[..., Sources]) -> None:
    with pytest.raises(SourceError) as caught:
        u8(FOUR)
    (problem,) = caught.value.problems
    assert problem.key == "sources.several_bases"
    assert "本币价税合计" in problem.args["headers"] and "本币无税金额" in problem.args["headers"]


def test_money_of_another_basis_than_declared_is_refused(u8: Callable[..., Sources]) -> None:
    content = "发货单号,客户编码,发货日期,本币价税合计\nF1,01,2025-07-02,79.1\n"
    with pytest.raises(SourceError, match=r"sources\.other_basis"):
        u8(content, tax="excluded")
    notes = u8(content).files["note"][0]
    assert "note.tax_included" in notes


def test_kingdees_amount_is_without_tax(tmp_path: Path, make: Make) -> None:
    (tmp_path / "params").symlink_to(ROOT / "params")
    (tmp_path / "o.csv").write_text(
        "单据编号,客户编码,日期,金额,价税合计\nA,1,2025-07-01,100,113\n", encoding="utf-8"
    )
    for tax, money in (("excluded", 100), ("included", 113)):
        source = {"path": "o.csv", "mapping": "kingdee", "tax": tax}
        assert amounts(read(make({"orders": source}), tmp_path)) == [money]


def test_files_of_one_source_on_different_bases_are_refused(tmp_path: Path, make: Make) -> None:
    (tmp_path / "params").symlink_to(ROOT / "params")
    for name, header in (("a", "本币价税合计"), ("b", "本币无税金额")):
        content = f"发货单号,客户编码,发货日期,{header}\n{name},01,2025-07-02,79.1\n"
        (tmp_path / f"{name}.csv").write_text(content, encoding="utf-8")
    source = {"path": ["a.csv", "b.csv"], "mapping": "yonyou_u8"}
    with pytest.raises(SourceError, match=r"sources\.several_bases"):
        read(make({"orders": source}), tmp_path)


FOREIGN = (
    "发货单号,客户编码,发货日期,原币价税合计,币种{}\n"
    "F1,01,2025-07-02,100,人民币{}\nF2,01,2025-07-02,10,美元{}\nF3,02,2025-07-03,7,{}\n合计,,,117,{}\n"
)


def test_several_currencies_are_refused_without_rates(u8: Callable[..., Sources]) -> None:
    plain = FOREIGN.format(*[""] * 5).replace("7,\n", "7,RMB\n")
    with pytest.raises(SourceError) as caught:
        u8(plain)
    (problem,) = caught.value.problems
    assert problem.key == "sources.mixed_currencies"
    assert problem.args["found"] == "USD" and problem.args["rows"] == "1"
    found = u8(plain, rates={"USD": 7.1234})
    assert sorted(amounts(found)) == [7, 71.234, 100]
    assert "note.converted_by_rates" in found.files["note"][0]


def test_the_files_own_rates_convert_and_a_row_without_currency_is_rejected(
    u8: Callable[..., Sources],
) -> None:
    content = FOREIGN.format(",汇率", ",1", ",7.2", ",", ",")
    found = u8(content)
    assert sorted(amounts(found)) == [72, 100]
    assert sorted(found.rejected["rule"].to_pylist()) == ["no_currency", "total_row"]
    assert "note.converted_by_file" in found.files["note"][0]


def test_own_currency_columns_stay_as_they_are(u8: Callable[..., Sources]) -> None:
    found = u8("发货单号,客户编码,发货日期,本币价税合计,币种\nF,01,2025-07-02,71,美元\n")
    assert amounts(found) == [71]
    with pytest.raises(SourceError, match=r"sources\.mixed_currencies"):
        u8("发货单号,客户编码,发货日期,金额(美元)\nF,01,2025-07-02,71\n")


def test_units_stand_in_headers_titles_and_mappings(tmp_path: Path, make: Make) -> None:
    (tmp_path / "params").symlink_to(ROOT / "params")
    head = "订单号,客户编号,下单日期"
    for title, header in (
        ("", "金额（万元）"), ("", "金额/万元"), ("", "金额(单位:万元)"), ("", "金额(人民币万元)"),
        ("2025年订单明细（单位：万元）\n", "金额"),
    ):  # fmt: skip
        content = f"{title}{head},{header}\nA,1,2025-07-01,1.5\n"
        (tmp_path / "o.csv").write_text(content, encoding="utf-8")
        source = {"path": "o.csv", "mapping": "generic_zh"}
        assert amounts(read(make({"orders": source}), tmp_path)) == [15_000], header


def test_a_column_may_have_a_zone_of_its_own(tmp_path: Path, make: Make) -> None:
    (tmp_path / "o.csv").write_text("c,d,a\n1,2025-07-01 20:00:00,1\n", encoding="utf-8")
    columns = {"customer_id": "c", "amount": "a", "ordered_at": {"from": "d", "timezone": "UTC"}}
    found = read(make({"orders": {"path": "o.csv", "columns": columns}}), tmp_path)
    assert found.tables["orders"]["ordered_at"][0].as_py() == datetime(2025, 7, 2, 4)


def test_a_header_that_several_columns_would_take_counts_once() -> None:
    wanted = [
        mapping.Wanted(INPUT["orders"].column(column), ("日期", own))
        for column, own in (("ordered_at", "下单日期"), ("shipped_on", "发货日期"))
    ]
    source = Source(path="orders.csv")
    assert mapping.score(["日期", "备注"], wanted, source) == (True, 1)
    assert mapping.score(["下单日期", "发货日期"], wanted, source) == (True, 2)
