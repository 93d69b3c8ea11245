"""The workbook of a record: every table as it is, nothing alive in it, the same bytes."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

import openpyxl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import store, wording
from analysis.pipeline.session import SAMPLE
from analysis.report import render_workbook
from analysis.report.workbook import MOST_ROWS, column_name, plain
from analysis.tables import RECORD

SAMPLE_TABLES = sorted((SAMPLE / "tables").glob("*.parquet"))
HOSTILE = [
    "=1+1", "@SUM(A1)", "+cmd|' /C calc'!A0", "-2+3", '=HYPERLINK("http://a.example","x")',
    "https://a.example/x", "mailto:a@b.example", "internal:'orders'!A1", "file:///etc/passwd",
    "\tTAB", "{=1+1}", "'=1", "007", "1E5", "TRUE", "", " ", "a\x00b\x1fc", "_x0041_",
    "第一行\n第二行", "😀", "<b>&amp;</b>", "]]>",
    "x" * 40_000,
]  # fmt: skip


def opened(content: bytes) -> Any:
    return openpyxl.load_workbook(io.BytesIO(content))


def orders(rows: int, **columns: Any) -> pa.Table:
    """Order lines, filled where the test does not care."""
    days = [datetime(2025, 7, 1)] * rows
    given_columns = {
        "order_id": [f"O{n}" for n in range(rows)],
        "customer_id": ["C1"] * rows,
        "ordered_at": days,
        "amount": [Decimal("1.0000")] * rows,
        **columns,
    }
    schema = RECORD["orders"].schema()
    arrays = [
        pa.array(given_columns[f.name], f.type)
        if f.name in given_columns
        else pa.nulls(rows, f.type)
        for f in schema
    ]
    return pa.Table.from_arrays(arrays, schema=schema)


@pytest.fixture(scope="module")
def tables() -> Mapping[str, pa.Table]:
    return {path.stem: store.read_table(path) for path in SAMPLE_TABLES}


@pytest.fixture(scope="module")
def book(tables: Mapping[str, pa.Table]) -> Any:
    return opened(render_workbook(tables))


def same(kind: str, cell: Any, value: Any) -> bool:
    """Whether a cell says what the table holds."""
    if value is None or value == "":
        return cell is None
    if kind == "money":
        return isinstance(cell, (int, float)) and round(Decimal(repr(cell)), 4) == value
    if kind in ("number", "share"):
        return isinstance(cell, (int, float)) and cell == pytest.approx(value, rel=1e-14, abs=0)
    if kind in ("date", "timestamp"):
        return isinstance(cell, datetime) and abs((cell - value).total_seconds()) < 0.001
    return bool(cell == (plain(value) if isinstance(value, str) else value))


@pytest.mark.parametrize("name", [path.stem for path in SAMPLE_TABLES])
def test_a_table_reads_back_as_it_was(book: Any, tables: Mapping[str, pa.Table], name: str) -> None:
    sheet, table = book[name], tables[name]
    head, *rows = sheet.iter_rows(values_only=True)
    assert list(head) == table.column_names
    assert len(rows) == len(table)
    for column in RECORD[name].columns:
        at = table.column_names.index(column.name)
        for row, value in zip(rows, table.column(column.name).to_pylist(), strict=True):
            assert same(column.type, row[at], value), (column.name, row[at], value)


def test_the_contents_name_every_table(book: Any, tables: Mapping[str, pa.Table]) -> None:
    first = book.worksheets[0]
    assert first.title == "目录 Contents"
    head, *rows = first.iter_rows(values_only=True)
    assert head[:3] == ("表 Table", "名称", "一行是什么")
    found = {row[0]: row for row in rows}
    assert list(found) == [name for name in RECORD if name in tables]
    for name, row in found.items():
        assert row[5:8] == (len(tables[name]), tables[name].num_columns, name)
        assert row[4] == RECORD[name].grain
        assert all(row[1:5])


def test_the_dictionary_names_every_column(book: Any, tables: Mapping[str, pa.Table]) -> None:
    last = book.worksheets[-1]
    assert last.title == "数据字典 Dictionary"
    rows = list(last.iter_rows(values_only=True))[1:]
    known = [(t, c) for t in RECORD if t in tables for c in RECORD[t].columns]
    assert len(rows) == len(known)
    for row, (table, column) in zip(rows, known, strict=True):
        assert row[:2] == (table, column.name)
        assert row[4] == column.type
        assert row[5] == (column.unit or None)
        assert (row[6] is not None) == (column.name in RECORD[table].key)
        assert row[8] == column.meaning


def test_every_table_and_column_has_a_name_in_both_languages() -> None:
    missing = [
        f"{kind}.{name}"
        for kind in ("table", "grain")
        for name in RECORD
        if not wording.has(f"workbook.{kind}.{name}")
    ]
    missing += [
        f"column.{column.name}"
        for table in RECORD.values()
        for column in table.columns
        if not column_name(table.name, column.name, "zh")
    ]
    assert missing == []
    grains = {name: wording.text(f"workbook.grain.{name}", "en") for name in RECORD}
    assert grains == {name: table.grain for name, table in RECORD.items()}


def test_sheets_stay_readable(book: Any, tables: Mapping[str, pa.Table]) -> None:
    assert len(book.sheetnames) == len(tables) + 2
    for sheet in book.worksheets:
        assert sheet.freeze_panes == "A2"
        assert sheet.auto_filter.ref is not None
        assert all(9 <= d.width <= 71 for d in sheet.column_dimensions.values())
    sheet = book["orders"]
    row = {head.value: cell for head, cell in zip(sheet[1], sheet[2], strict=True)}
    assert row["amount"].number_format == "#,##0.00"
    assert row["ordered_at"].number_format == "yyyy-mm-dd hh:mm"
    assert row["order_id"].number_format == "@"
    assert book["quality"]["F2"].number_format == "0.0%"  # share
    assert book["features"]["B2"].number_format == "yyyy-mm-dd"


def test_more_than_the_shown_places_are_kept() -> None:
    texts = ("0.0001", "-0.0050", "9999999999.9999", "12345678901.2345")
    amounts = [Decimal(text) for text in texts]
    sheet = opened(render_workbook({"orders": orders(4, amount=amounts)}))["orders"]
    at = RECORD["orders"].names.index("amount")
    assert [round(Decimal(repr(r[at].value)), 4) for r in list(sheet.rows)[1:]] == amounts


@settings(max_examples=40)
@given(st.decimals(-(10**11), 10**11, places=4, allow_nan=False))
def test_money_to_the_cent(amount: Decimal) -> None:
    sheet = opened(render_workbook({"orders": orders(1, amount=[amount])}))["orders"]
    at = RECORD["orders"].names.index("amount")
    assert round(Decimal(repr(sheet[2][at].value)), 4) == amount


def test_nothing_from_data_is_alive() -> None:
    lines = orders(len(HOSTILE), category=HOSTILE)
    content = render_workbook({"orders": lines})
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        names = package.namelist()
        parts = {n: package.read(n).decode() for n in names if n.endswith((".xml", ".rels"))}
    assert not [n for n in names if "externalLink" in n or "vba" in n or "connections" in n]
    for name, part in parts.items():
        assert "<f>" not in part, name
        assert "<f " not in part, name
        assert "<hyperlink" not in part, name
        assert 'TargetMode="External"' not in part, name
    sheet = opened(content)["orders"]
    at = RECORD["orders"].names.index("category")
    for row, text in zip(list(sheet.rows)[1:], HOSTILE, strict=True):
        assert row[at].data_type in ("s", "n")
        assert row[at].value == (plain(text) or None)


@settings(max_examples=40)
@given(st.text(st.characters(exclude_categories=("Cs",)), max_size=60))
def test_any_text_reads_back(text: str) -> None:
    sheet = opened(render_workbook({"orders": orders(1, product=[text])}))["orders"]
    at = RECORD["orders"].names.index("product")
    assert sheet[2][at].value == (plain(text) or None)


@given(st.text(max_size=80))
def test_plain_text_fits_a_cell(text: str) -> None:
    found = plain(text)
    assert found == plain(found)
    assert not set(found) & {chr(c) for c in range(32) if chr(c) not in "\t\n"}
    found.encode()


def test_long_text_says_that_it_is_cut() -> None:
    assert len(plain("x" * 40_000)) == 32_767
    assert plain("x" * 40_000).endswith("…")


def test_a_large_table_stays_in_its_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analysis.report.workbook.MOST_ROWS", 3)
    book = opened(render_workbook({"orders": orders(4), "bridge": orders(3)}))
    assert "orders" not in book.sheetnames
    assert "bridge" in book.sheetnames
    rows = {row[0]: row for row in book.worksheets[0].iter_rows(values_only=True)}
    assert rows["orders"][5] == 4
    assert "tables/orders.parquet" in rows["orders"][7]
    assert "共 4 行" in rows["orders"][7]
    assert "4 rows" in rows["orders"][7]
    assert MOST_ROWS < 1_048_576


def test_a_companys_own_tables() -> None:
    """Long names, names that differ in case only, columns of any type, no rows."""
    own = pa.table(
        {
            "when": pa.array([datetime(1850, 1, 1), None], pa.timestamp("us")),
            "big": pa.array([2**60, 5]),
            "odd": pa.array([float("nan"), float("inf")]),
            "yes": pa.array([True, None]),
        }
    )
    names = ["a" * 40, "a" * 41, "Thing", "thing", "empty"]
    tables = dict.fromkeys(names, own) | {"empty": own.slice(0, 0)}
    book = opened(render_workbook(tables))
    assert all(len(name) <= 31 for name in book.sheetnames)
    assert len({name.lower() for name in book.sheetnames}) == len(names) + 2
    assert [[c.value for c in row] for row in list(book["thing~2"].rows)[1:]] == [
        ["1850-01-01 00:00:00", str(2**60), None, True],
        [None, 5, "inf", None],
    ]
    assert book["empty"].max_row == 1


def test_no_tables_at_all() -> None:
    assert len(opened(render_workbook({})).sheetnames) == 2


def test_the_same_tables_give_the_same_bytes(tables: Mapping[str, pa.Table]) -> None:
    content = render_workbook(tables)
    assert content == render_workbook(dict(reversed(tables.items())))
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        infos = package.infolist()
        core = package.read("docProps/core.xml").decode()
    assert [i.filename for i in infos] == sorted(i.filename for i in infos)
    assert {(i.date_time, i.create_system) for i in infos} == {((1980, 1, 1, 0, 0, 0), 0)}
    assert core.count("1980-01-01T00:00:00Z") == 2
