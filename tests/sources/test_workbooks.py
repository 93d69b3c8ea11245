"""What companies do in Excel: two-row headers, merged cells, hidden rows, a sheet a month."""

from __future__ import annotations

import io
import json
import re
import time
import tracemalloc
import zipfile
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl.styles import Font

from analysis import wording
from analysis.errors import SourceError
from analysis.pipeline import intake
from analysis.settings_sources import Source
from analysis.sources import Sources, packages, sheets, workbooks
from analysis.sources.files import File
from analysis.sources.grid import Grid

HEADER = ["订单号", "客户编号", "下单日期", "金额"]
Orders = Callable[..., Sources]
Rows = list[list[Any]]


def book(rows: Rows | dict[str, Rows], spoil: Callable[[Any], None] | None = None) -> bytes:
    """A workbook with a sheet a key; `spoil` does to it what people do."""
    made = openpyxl.Workbook()
    made.remove(made.worksheets[0])
    for title, content in (rows if isinstance(rows, dict) else {"明细": rows}).items():
        sheet = made.create_sheet(title)
        for row in content:
            sheet.append(row)
    if spoil is not None:
        spoil(made)
    kept = io.BytesIO()
    made.save(kept)
    return kept.getvalue()


def repacked(data: bytes, change: Callable[[str, bytes], bytes]) -> bytes:
    """The package with its parts changed."""
    made = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as before,
        zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as after,
    ):
        for name in before.namelist():
            after.writestr(name, change(name, before.read(name)))
    return made.getvalue()


def notes(found: Sources) -> dict[str, dict[str, Any]]:
    return {n["key"].removeprefix("note."): n["args"] for n in json.loads(found.files["note"][0])}


def column(found: Sources, name: str) -> list[Any]:
    return list(found.tables["orders"][name].to_pylist())


def total(found: Sources) -> Decimal:
    return sum((a for a in column(found, "amount") if a is not None), Decimal(0))


def line(number: int, customer: str = "A", amount: Any = 10, month: int = 1) -> list[Any]:
    return [f"D{month}-{number}", customer, datetime(2025, month, number), amount]


def grid(tmp_path: Path, data: bytes, wanted: tuple[str, ...] = (), **more: Any) -> Grid:
    path = tmp_path / "g.xlsx"
    path.write_bytes(data)

    def score(cells: Any) -> tuple[bool, int]:
        hits = sum(w in cells for w in wanted)
        return hits == len(wanted) and bool(wanted), hits

    return workbooks.read(File("g.xlsx", path), Source(path="g.xlsx", **more), score)


# --- headers of two rows


@pytest.mark.requirement("000-04")
def test_a_header_of_two_rows_is_joined(orders: Orders) -> None:
    def merge(made: Any) -> None:
        sheet = made.worksheets[0]
        for cells in ("A1:F1", "A2:A3", "B2:B3", "C2:D2", "E2:F2"):
            sheet.merge_cells(cells)

    rows: Rows = [
        ["销售明细表"],
        ["客户编号", "下单日期", "原币", None, "本币", None],
        [None, None, "金额", "税额", "金额", "税额"],
        ["A", datetime(2025, 1, 3), 100, 13, 700, 91],
        ["B", datetime(2025, 1, 4), 200, 26, 1400, 182],
        ["合计", None, 300, 39, 2100, 273],
    ]
    columns = {"customer_id": "客户编号", "ordered_at": "下单日期", "amount": "本币金额"}
    found = orders(book(rows, merge), "o.xlsx", columns=columns)
    assert column(found, "amount") == [Decimal(700), Decimal(1400)]
    assert column(found, "_row") == [4, 5]
    assert notes(found)["two_row_header"] == {"rows": "2–3"}
    assert found.rejected["rule"].to_pylist() == ["total_row"]
    with pytest.raises(SourceError) as caught:  # 金额 alone is of two currencies: asked, not taken
        orders(book(rows, merge), "o.xlsx", columns={**columns, "amount": "金额"})
    assert "本币金额" in caught.value.problems[0].args["present"]


def test_a_band_that_only_names_a_part_of_the_form_is_left_out(orders: Orders) -> None:
    def merge(made: Any) -> None:
        sheet = made.worksheets[0]
        sheet.merge_cells("A1:B1")
        sheet.merge_cells("C1:D1")

    rows: Rows = [["基本信息", None, "交易信息", None], HEADER, line(3), line(4)]
    found = orders(book(rows, merge), "o.xlsx")
    assert total(found) == 20 and found.tables["orders"].num_rows == 2


def test_two_rows_in_a_text_file(orders: Orders) -> None:
    text = "客户编号,下单日期,原币,,本币,\n,,金额,税额,金额,税额\nA,2025-01-03,1,2,7,14\n"
    columns = {"customer_id": "客户编号", "ordered_at": "下单日期", "amount": "本币金额"}
    found = orders(text, columns=columns)
    assert column(found, "amount") == [Decimal(7)]
    assert column(found, "_row") == [3]


def test_a_column_without_a_header_makes_no_second_row(orders: Orders) -> None:
    text = "订单号,客户编号,,下单日期,金额\nD1,甲,备,2025-01-03,一\nD2,乙,注,2025-01-04,5\n"
    found = orders(text + "D3,丙,,2025-01-05,6\n")
    assert column(found, "_row") == [3, 4]
    assert found.rejected["row"].to_pylist() == [2]


# --- merged cells


def test_merged_text_is_carried_down_and_merged_money_is_not(orders: Orders) -> None:
    def merge(made: Any) -> None:
        sheet = made.worksheets[0]
        for cells in ("A2:A4", "B2:B4", "C2:C4", "D2:D4"):
            sheet.merge_cells(cells)

    names = ("order_id", "customer_id", "ordered_at", "amount", "product")
    columns = dict(zip(names, [*HEADER, "产品"], strict=True))
    rows: Rows = [
        [*HEADER, "产品"],
        ["D1", 13085, datetime(2025, 1, 3), 300, "p1"],
        [None, None, None, None, "p2"],
        [None, None, None, None, "p3"],
        ["D2", None, datetime(2025, 1, 4), 5, "p4"],
        ["D3", "B", datetime(2025, 1, 5), 6, "p5"],
    ]
    found = orders(book(rows, merge), "o.xlsx", columns=columns)
    assert column(found, "customer_id") == ["13085", "13085", "13085", None, "B"]
    assert column(found, "order_id") == ["D1", "D1", "D1", "D2", "D3"]
    assert total(found) == 311
    assert column(found, "amount")[1:3] == [None, None]
    told = notes(found)
    assert told["merged_filled"]["rows"]["value"] == 2
    assert told["merged_numbers"] == {"header": "金额", "rows": {"value": 2, "unit": "count"}}


# --- hidden rows and sheets


def hide(*rows: int) -> Callable[[Any], None]:
    def spoil(made: Any) -> None:
        for row in rows:
            made.worksheets[0].row_dimensions[row].hidden = True

    return spoil


def test_hidden_rows_are_read_and_said_or_left_out_and_counted(orders: Orders) -> None:
    data = book([HEADER, *(line(n) for n in range(1, 7))], hide(3, 4))
    found = orders(data, "o.xlsx")
    assert total(found) == 60 and notes(found)["hidden_rows_read"]["rows"]["value"] == 2
    less = orders(data, "o.xlsx", hidden_rows="leave_out")
    assert column(less, "_row") == [2, 5, 6, 7] and total(less) == 40
    assert less.rejected.select(["row", "rule"]).to_pylist() == [
        {"row": 3, "rule": "hidden_row"}, {"row": 4, "rule": "hidden_row"},
    ]  # fmt: skip
    assert less.files["rows"].tolist() == [6]


def test_hidden_sheets_are_not_read_and_are_named(orders: Orders) -> None:
    def spoil(made: Any) -> None:
        made.worksheets[0].sheet_state = "hidden"
        made.worksheets[1].sheet_state = "veryHidden"

    old: Rows = [HEADER, line(1, amount=999)]
    found = orders(book({"旧": old, "更旧": old, "新": [HEADER, line(2)]}, spoil), "o.xlsx")
    assert total(found) == 10
    assert notes(found)["hidden_sheets"] == {"sheets": "旧 | 更旧"}


# --- a sheet a month


MONTHS = {f"{m}月": [HEADER, *(line(n, month=m) for n in range(1, m + 2))] for m in (1, 2, 3)}


@pytest.mark.parametrize("sheet", ["*", "?月", ["1月", "2月", "3月"], ["1月", "[23]月"]])
def test_a_sheet_a_month_is_one_table(orders: Orders, sheet: Any) -> None:
    found = orders(book(MONTHS), "o.xlsx", sheet=sheet)
    assert total(found) == 90
    assert set(column(found, "_file")) == {f"o.xlsx › {m}月" for m in (1, 2, 3)}
    assert column(found, "_row") == [2, 3, 2, 3, 4, 2, 3, 4, 5]
    assert notes(found)["sheets_joined"]["count"]["value"] == 3
    assert found.files["rows"].tolist() == [9]


def test_other_months_with_the_same_header_are_said(orders: Orders) -> None:
    found = orders(book(MONTHS), "o.xlsx")
    assert total(found) == 20
    assert notes(found)["sheets_alike"]["sheets"] == "2月 | 3月"


def test_joined_sheets_are_matched_by_header_not_by_place(orders: Orders) -> None:
    turned = [[row[i] for i in (3, 0, 2, 1)] + ["x"] for row in [HEADER, line(1, amount=7)]]
    turned[0][4] = "备注"
    book_ = {**MONTHS, "4月": turned, "说明": [["填写说明"], ["每月一张"]], "空": [],
             "年度汇总": [HEADER, line(1, amount=9999)]}  # fmt: skip
    found = orders(book(book_), "o.xlsx", sheet="*")
    assert total(found) == 97
    assert notes(found)["sheets_foreign"] == {"sheets": "说明 | 空"}
    assert notes(found)["sheets_summary"] == {"sheets": "年度汇总"}
    with pytest.raises(SourceError) as caught:
        orders(book(book_), "o.xlsx", sheet=["1月", "说明"])
    assert [p.key for p in caught.value.problems] == ["sources.sheet_header"]


def test_rejected_rows_of_joined_sheets_name_their_sheet(orders: Orders) -> None:
    two = {"1月": [HEADER, line(1), ["合计", None, None, 10]], "2月": [HEADER, line(1, month=2)]}
    found = orders(book(two, hide(2)), "o.xlsx", sheet="*", hidden_rows="leave_out")
    assert sorted(zip(found.rejected["file"].to_pylist(), found.rejected["row"].to_pylist(),
                      strict=True)) == [("o.xlsx › 1月", 2), ("o.xlsx › 1月", 3)]  # fmt: skip


def test_a_cover_sheet_is_passed_over(orders: Orders) -> None:
    cover: Rows = [["销售数据"], ["制表人", "张三"]]
    found = orders(book({"封面": cover, "明细": [HEADER, line(1)]}), "o.xlsx")
    assert total(found) == 10 and notes(found)["sheet"] == {"sheet": "明细", "others": "封面"}


# --- cells


def test_formulas_without_a_result_stop_only_where_they_are_read(orders: Orders) -> None:
    rows: Rows = [[*HEADER, "折后"], [*line(1), "=D2*0.9"], [*line(2), "=D3*0.9"]]
    assert total(orders(book(rows), "o.xlsx")) == 20
    rows[1][3] = "=1+1"
    with pytest.raises(SourceError) as caught:
        orders(book(rows), "o.xlsx")
    (problem,) = caught.value.problems
    assert problem.key == "sources.formula_without_value" and problem.args["cell"] == "明细!D2"


def test_a_formula_that_gives_empty_text_has_a_result(orders: Orders) -> None:
    def cached(name: str, part: bytes) -> bytes:
        if not name.endswith("sheet1.xml"):
            return part
        part = re.sub(rb'<c r="E2"[^>]*>.*?</c>', b'<c r="E2" t="str"><f>""</f><v></v></c>', part)
        return re.sub(rb'<c r="D2"[^>]*>.*?</c>', b'<c r="D2"><f>5+6</f><v>11</v></c>', part)

    columns = {"order_id": "订单号", "customer_id": "客户编号", "ordered_at": "下单日期",
               "amount": "金额", "product": "品名"}  # fmt: skip
    rows: Rows = [[*HEADER, "品名"], [*line(1, amount="=5+6"), '=""'], [*line(2), "p"]]
    found = orders(repacked(book(rows), cached), "o.xlsx", columns=columns)
    assert total(found) == 21 and column(found, "product") == [None, "p"]


def test_error_values_are_counted(orders: Orders) -> None:
    def spoil(made: Any) -> None:
        for cell, text in (("E2", "#N/A"), ("E3", "#DIV/0!")):
            made.worksheets[0][cell] = text
            made.worksheets[0][cell].data_type = "e"

    columns = {"order_id": "订单号", "customer_id": "客户编号", "ordered_at": "下单日期",
               "amount": "金额", "product": "品名"}  # fmt: skip
    rows: Rows = [[*HEADER, "品名"], [*line(1), "x"], [*line(2), "x"], [*line(3), "p"]]
    found = orders(book(rows, spoil), "o.xlsx", columns=columns)
    assert column(found, "product") == [None, None, "p"]
    assert notes(found)["cell_errors"] == {"header": "品名", "rows": {"value": 2, "unit": "count"}}


CELLS = st.one_of(
    st.none(),
    st.text("甲乙ab 0\n<&>'\"é", min_size=1, max_size=6).filter(str.strip),
    st.integers(-(10**14), 10**14),
    st.decimals(-(10**9), 10**9, places=4).map(float),
    st.floats(1e-9, 1e15),
    st.booleans(),
    st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1)).map(
        lambda t: t.replace(microsecond=0)
    ),
    st.dates(date(1990, 1, 1), date(2100, 1, 1)),
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(CELLS, min_size=3, max_size=3), min_size=1, max_size=8))
def test_both_readers_of_cells_agree(tmp_path: Path, cells: Rows) -> None:
    path = tmp_path / "g.xlsx"
    path.write_bytes(book([["a", "b", "c"], *cells]))
    file = File("g.xlsx", path)
    score = lambda row: (row[:3] == ["a", "b", "c"], 3)  # noqa: E731
    fast = workbooks.read(file, Source(path="g.xlsx"), score)
    slow = sheets.read(
        [sheets.Sheet("s", True, lambda: sheets.Cells(workbooks._streamed(file, "明细")))],
        file, Source(path="g.xlsx"), score, "xlsx",
    )  # fmt: skip
    assert fast.rows.equals(slow.rows)
    assert [c.to_pylist() for c in fast.columns] == [c.to_pylist() for c in slow.columns]


# --- bounds


def test_a_styled_cell_far_down_costs_nothing(orders: Orders) -> None:
    def far(made: Any) -> None:
        made.worksheets[0].cell(1_048_000, 3).font = Font(bold=True)

    data = book([HEADER, line(1)], far)
    tracemalloc.start()
    begun = time.perf_counter()
    found = orders(data, "o.xlsx")
    assert time.perf_counter() - begun < 5
    assert tracemalloc.get_traced_memory()[1] < 50 * 1024**2
    tracemalloc.stop()
    assert total(found) == 10


def test_a_value_far_off_is_streamed(tmp_path: Path) -> None:
    def far(made: Any) -> None:
        made.worksheets[0].cell(1_000_000, 30).value = "x"

    data = book([HEADER, line(1)], far)
    (tmp_path / "f.xlsx").write_bytes(data)
    facts = packages.scan(File("f.xlsx", tmp_path / "f.xlsx"), "xl/worksheets/sheet1.xml")
    assert (facts.last_row, facts.last_column, facts.sparse) == (1_000_000, 29, True)
    read = grid(tmp_path, data, tuple(HEADER))
    assert read.rows.to_pylist() == [2] and read.notes[0][0] == "note.cells_outside"


def test_ten_thousand_columns_are_refused(orders: Orders) -> None:
    for data, name in (
        (book([[f"c{i}" for i in range(10_000)]]), "o.xlsx"),
        (",".join(f"c{i}" for i in range(10_000)).encode() + b"\n1\n", "o.csv"),
        (b"<table><tr>" + b"<td>1" * 10_000 + b"</table>", "o.xls"),
    ):
        with pytest.raises(SourceError) as caught:
            orders(data, name)
        (problem,) = caught.value.problems
        assert problem.key == "sources.too_wide", name
        assert problem.args["columns"] == "10,000" and problem.args["most"] == "1,000"


def claiming(data: bytes, size: int) -> bytes:
    """The package with another unpacked size for its sheet in the central directory."""
    changed = bytearray(data)
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        before = package.getinfo("xl/worksheets/sheet1.xml").file_size
    at = data.rfind(b"xl/worksheets/sheet1.xml") - 46 + 24
    assert int.from_bytes(data[at : at + 4], "little") == before
    changed[at : at + 4] = size.to_bytes(4, "little")
    return bytes(changed)


def test_a_bomb_is_not_unpacked(orders: Orders) -> None:
    def swell(name: str, part: bytes) -> bytes:
        return part + b" " * 210 * 1024**2 if name.endswith("sheet1.xml") else part

    data = repacked(book([HEADER, line(1)]), swell)
    assert len(data) < 1024**2
    for bomb in (data, claiming(data, 3 * 1024**3)):
        with pytest.raises(SourceError, match=r"sources\.too_large"):
            orders(bomb, "o.xlsx")


def test_a_package_that_lies_about_its_size_is_damaged(orders: Orders) -> None:
    with pytest.raises(SourceError, match=r"sources\.damaged"):
        orders(claiming(book([HEADER, line(1)]), 100), "o.xlsx")


@pytest.mark.parametrize("part", ["sheet1.xml", "workbook.xml", "styles.xml"])
def test_entities_are_refused(orders: Orders, part: str) -> None:
    laughs = b'<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'

    def laugh(name: str, content: bytes) -> bytes:
        return laughs + content.partition(b"?>")[2] if name.endswith(part) else content

    with pytest.raises(SourceError, match=r"sources\.document_type"):
        orders(repacked(book([HEADER, line(1)]), laugh), "o.xlsx")


def test_spoilt_bytes_never_end_in_a_traceback(orders: Orders) -> None:
    whole = {"o.xlsx": book([HEADER, *(line(n) for n in range(1, 20))]),
             "o.xls": (Path(__file__).parent / "files" / "orders.xls").read_bytes()}  # fmt: skip
    for name, data in whole.items():
        for step in range(40):
            spoilt = bytearray(data)
            at = (step * 7919 + 13) % len(data)
            spoilt[at : at + 8] = b"\xff\x00\x13\xff\x7f\x80\x01\xfe"
            try:
                orders(bytes(spoilt if step % 2 else spoilt[:at]), name)
            except SourceError:
                continue


# --- what is told


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_what_was_read_is_told_in_plain_words(orders: Orders, lang: wording.Language) -> None:
    rows = [HEADER, *(line(1 + n % 28, amount=n) for n in range(1, 2_000))]
    rows[9][2] = "很快"
    rows.append(["合计", None, None, 1])
    found = orders(book({**MONTHS, "订单": rows}, hide(1)), "o.xlsx", sheet="订单")
    gone = found.rejected.to_pandas()
    told = list(intake.lines(found.files, gone, lang, "CNY"))
    text = "\n".join(told)
    assert "2,000" in told[0] and "o.xlsx" in text
    if lang == "zh":
        assert told[0] == "读到 1 类数据、1 个文件，共 2,000 行；其中 2 行没有采用。"
        assert "  o.xlsx：Excel 工作簿、表头在第 1 行、2,000 行数据" in told
        assert "    · 恰好 2,000 行，可能碰到导出上限、没有导全" in told
        assert "    没有采用 2 行：合计行 1、日期读不出 1" in told
        assert "      第 10 行：“下单日期”里的日期无法确定" in told
    else:
        assert told[0] == "Read 1 kind of data from 1 file: 2,000 rows, 2 of them not used."
        assert "      row 10: The date in “下单日期” cannot be read for certain" in told
    assert "{" not in text and "note." not in text
    kept = io.BytesIO()  # as a record keeps them, for the log of a run
    found.files.to_parquet(kept)
    assert list(intake.lines(pd.read_parquet(kept), gone, lang, "CNY")) == told


def test_nothing_lost_is_told_too(orders: Orders) -> None:
    found = orders(book([HEADER, line(1)]), "o.xlsx")
    told = list(intake.lines(found.files, found.rejected.to_pandas(), "zh", "CNY"))
    assert told == [
        "读到 1 类数据、1 个文件，共 1 行，全部采用。",
        "",
        "订单（orders）",
        "  o.xlsx：Excel 工作簿、表头在第 1 行、1 行数据",
    ]
