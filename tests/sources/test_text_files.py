from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis import wording
from analysis.errors import Problem, SourceError
from analysis.settings_model import Settings
from analysis.sources import Sources, fingerprints, read, text_files
from analysis.sources.headers import Header

HEADER = "订单号,客户编号,下单日期,金额"
LINES = 'D1,客户甲,2025-01-03,100.10\nD2,客户乙,2025/1/4,"1,200.00"\n'
Orders = Callable[..., Sources]


def problems(caught: pytest.ExceptionInfo[SourceError]) -> list[Problem]:
    return list(caught.value.problems)


def keys(caught: pytest.ExceptionInfo[SourceError]) -> list[str]:
    return [p.key for p in problems(caught)]


def notes(found: Sources) -> list[str]:
    return [n["key"] for n in json.loads(found.files["note"].iloc[0])]


def rows(found: Sources) -> list[tuple[object, ...]]:
    table = found.tables["orders"]
    return [tuple(r.values())[:4] for r in table.to_pylist()]


@pytest.mark.parametrize(
    ("encoding", "bom", "named"),
    [
        ("utf-8", b"", "utf-8"),
        ("utf-8", b"\xef\xbb\xbf", "utf-8"),
        ("gb18030", b"", "gb18030"),
        ("utf-16-le", b"\xff\xfe", "utf-16"),
        ("utf-16-be", b"\xfe\xff", "utf-16"),
    ],
)
@pytest.mark.parametrize("separator", [",", ";", "\t", "，"])
@pytest.mark.parametrize("quoted", [True, False])
def test_encodings_and_separators(
    orders: Orders, encoding: str, bom: bytes, named: str, separator: str, quoted: bool
) -> None:
    lines = [HEADER, "D1,䶮𠮷公司,2025-01-03,100.10", "D2,客户乙,2025/1/4,1200"]
    text = "\n".join(line.replace(",", separator) for line in lines) + "\n"
    if quoted:
        text = text.replace("客户乙", '"客户乙"')
    found = orders(bom + text.encode(encoding))
    assert [r[1] for r in rows(found)] == ["䶮𠮷公司", "客户乙"]
    assert found.tables["orders"]["amount"].to_pylist() == [Decimal("100.10"), Decimal(1200)]
    assert found.tables["orders"]["_row"].to_pylist() == [2, 3]
    assert found.files["encoding"].tolist() == [named]
    assert ("note.encoding" in notes(found)) == (named != "utf-8")


def test_title_rows_total_rows_and_blank_rows(orders: Orders) -> None:
    text = (
        "某公司销售明细,,,\n制表：张三,,,\n\n"
        + f"{HEADER}\nD1,A,2025-01-03,10\n,,,\nD2,B,2025-01-04,5\n"
        + "合 计,,,15\n,华东小计,,15\nTotal,,,15\n"
    )
    found = orders(text)
    assert found.tables["orders"]["_row"].to_pylist() == [5, 7]
    assert found.rejected["rule"].to_pylist() == ["total_row"] * 3
    assert found.rejected["row"].to_pylist() == [8, 9, 10]
    assert "note.blank_rows" in notes(found)
    assert found.files[["header_row", "rows"]].to_numpy().tolist() == [[4, 5]]


def test_a_customer_called_total_is_no_total_row(orders: Orders) -> None:
    found = orders(f"{HEADER}\nD1,Total,2025-01-03,10\n")
    assert found.tables["orders"].num_rows == 1


def test_rows_that_do_not_fit_are_rejected_with_their_number(orders: Orders) -> None:
    text = (
        f"{HEADER}\nD1,A,2025-01-03,10\nD2,B,2025-01-03\nD3,C,D,2025-01-03,7\nD4,E,2025-01-05,1\n"
    )
    found = orders(text)
    assert found.tables["orders"]["order_id"].to_pylist() == ["D1", "D4"]
    assert found.tables["orders"]["_row"].to_pylist() == [2, 5]
    assert list(
        zip(found.rejected["row"].to_pylist(), found.rejected["rule"].to_pylist(), strict=True)
    ) == [
        (3, "short_row"),
        (4, "long_row"),
    ]
    assert found.files["rows"].tolist() == [4]


def test_a_file_cut_inside_a_line_is_noted(orders: Orders) -> None:
    whole = f"{HEADER}\nD1,A,2025-01-03,10\nD2,B,2025-01-03,9990.55\n"
    assert notes(orders(whole)) == []
    assert notes(orders(whole[:-4])) == ["note.no_line_end"]
    cut = orders(whole[: whole.index("9990") - 1])
    assert notes(cut) == ["note.cut_file"]
    assert cut.rejected["rule"].to_pylist() == ["short_row"]


def test_a_file_cut_inside_a_character(orders: Orders) -> None:
    with pytest.raises(SourceError) as caught:
        orders(f"{HEADER}\nD1,客户".encode()[:-1])
    assert keys(caught) == ["sources.cut_character"]


@pytest.mark.parametrize(
    ("content", "name", "key"),
    [
        (b"", "o.csv", "empty_file"),
        (b"\n\n", "o.csv", "empty_file"),
        (HEADER.encode() + b"\n", "o.csv", "no_rows"),
        (b"PK\x03\x04 a workbook", "o.csv", "wrong_kind"),
        (HEADER.encode(), "o.xlsx", "wrong_kind"),
        (b"<html><table><tr><td>1", "o.csv", "wrong_kind"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "o.xls", "damaged"),
        (b"PK\x03\x04 cut off", "o.xlsx", "damaged"),
        (b"PAR1 cut off", "o.parquet", "damaged"),
        (b"\x81\xff\xfe\x00\x01", "o.csv", "undecodable"),
        (f'{HEADER}\nD1,"A,2025-01-03,1\n'.encode(), "o.csv", "unclosed_quote"),
        (
            b"a,b\n1,2\n".replace(b"a,b", "订单号,订单号,客户编号,下单日期,金额".encode()),
            "o.csv",
            "field_count",
        ),
        (
            "订单号,客户编号,客户编号,下单日期,金额\n1,2,3,2025-01-03,5\n".encode(),
            "o.csv",
            "duplicate_header",
        ),
        (b"one header\n1\n", "o.csv", "one_column"),
        ("订单号,客户,下单日期,金额\nD1,A,2025-01-03,1\n".encode(), "o.csv", "missing_column"),
        (f"{HEADER}\nD1,A,03/04/2025,1\n".encode(), "o.csv", "ambiguous_date"),
        (f"{HEADER}\nD1,A,soon,1\n".encode(), "o.csv", "unreadable_dates"),
        (f"{HEADER}\nD1,A,2025-01-03,$5\n".encode(), "o.csv", "other_currency"),
        (f"{HEADER}\nD1,A,2025-01-03,1e5\n".encode(), "o.csv", "unreadable_numbers"),
        (f'{HEADER}\nD1,A,2025-01-03,"1,5"\n'.encode(), "o.csv", "ambiguous_numbers"),
        (f"{HEADER}\nD1,1.23457E+16,2025-01-03,5\n".encode(), "o.csv", "scientific_key"),
    ],
)
def test_bad_files_say_what_is_wrong(orders: Orders, content: bytes, name: str, key: str) -> None:
    with pytest.raises(SourceError) as caught:
        orders(content, name)
    assert f"sources.{key}" in keys(caught)
    for lang in wording.LANGUAGES:
        for line in wording.explain(caught.value, lang):
            assert name in line


def test_a_missing_header_names_the_nearest_and_those_present(orders: Orders) -> None:
    with pytest.raises(SourceError) as caught:
        orders("订单号,客户编码,下单日期,金额\nD1,A,2025-01-03,1\n")
    (problem,) = problems(caught)
    assert problem.args["column"] == "orders.customer_id"
    assert problem.args["nearest"] == "客户编码"
    assert "下单日期" in problem.args["present"]


def test_all_problems_of_all_files_come_at_once(
    tmp_path: Path, make: Callable[..., Settings]
) -> None:
    (tmp_path / "a.csv").write_text("x,y\n1,2\n")
    (tmp_path / "b.csv").write_bytes(b"")
    columns = {"customer_id": "客户编号", "ordered_at": "下单日期", "amount": "金额"}
    settings = make(
        {
            "orders": {"path": ["a.csv", "b.csv", "c.csv"], "columns": columns},
            "customers": {"path": "d_*.csv", "columns": {"customer_id": "客户编号"}},
        }
    )
    with pytest.raises(SourceError) as caught:
        read(settings, tmp_path)
    assert sorted(keys(caught)) == [
        "sources.empty_file",
        *["sources.missing_column"] * 3,
        "sources.missing_file",
        "sources.no_match",
    ]


def test_unreadable_cells_reject_the_row_or_are_noted(orders: Orders) -> None:
    lines = [f"D{i},A,2025-01-0{i},{i}" for i in range(1, 8)]
    lines[1] = "D2,A,2025-02-30,2"
    lines[4] = "D5,A,2025-01-05,5 or so"
    found = orders("\n".join([HEADER, *lines]) + "\n")
    assert found.tables["orders"].num_rows == 5
    assert found.rejected.select(["row", "key", "rule", "amount"]).to_pylist() == [
        {"row": 3, "key": "D2", "rule": "unreadable_date", "amount": Decimal(2)},
        {"row": 6, "key": "D5", "rule": "unreadable_number", "amount": None},
    ]
    reason = json.loads(found.rejected["reason"][0].as_py())
    assert reason == {"key": "removed.unreadable_date", "args": {"header": "下单日期"}}


@pytest.mark.parametrize("count", [2_000, 10_000, 50_000])
def test_a_round_number_of_rows_smells_of_an_export_limit(orders: Orders, count: int) -> None:
    body = "".join(f"D{i},A,2025-01-03,1\n" for i in range(count))
    assert notes(orders(f"{HEADER}\n{body}")) == ["note.export_limit"]
    assert notes(orders(f"{HEADER}\n{body}D,A,2025-01-03,1\n")) == []


def test_text_is_made_safe_and_keys_are_unified(orders: Orders) -> None:
    found = orders(f"{HEADER}\nD1, Ａ０\u200b１\u202e ,2025-01-03,1\n０００２,NA,2025-01-03,1\n")
    table = found.tables["orders"]
    assert table["customer_id"].to_pylist() == ["A01", "NA"]
    assert table["order_id"].to_pylist() == ["D1", "0002"]


def test_headers_are_compared_without_invisible_differences(orders: Orders) -> None:
    found = orders("\u200b订单号,　客户编号 ,下单日期,金额（万元）\nD1,A,2025-01-03,1.5\n")
    assert found.tables["orders"]["amount"].to_pylist() == [Decimal(15000)]


def test_a_unit_that_contradicts_the_header_is_an_error(orders: Orders) -> None:
    columns = {"customer_id": "客户编号", "ordered_at": "下单日期"}
    columns["amount"] = {"from": "金额(万元)", "unit": "元"}  # type: ignore[assignment]
    with pytest.raises(SourceError) as caught:
        orders("客户编号,下单日期,金额(万元)\nA,2025-01-03,1\n", columns=columns)
    assert keys(caught) == ["sources.unit_conflict"]


def test_files_folders_globs_and_fingerprints(
    tmp_path: Path, make: Callable[..., Settings]
) -> None:
    folder = tmp_path / "data" / "m"
    folder.mkdir(parents=True)
    for month in (2, 1):
        text = f"{HEADER}\nD{month},A,2025-0{month}-03,{month}\n"
        (folder / f"o_{month}.csv").write_text(text, encoding="utf-8")
    columns = {"order_id": "订单号", "customer_id": "客户编号", "ordered_at": "下单日期"}
    columns["amount"] = "金额"
    names = ["data/m/o_1.csv", "data/m/o_2.csv"]
    for path in ("data/m", "data/m/o_*.csv", ["data/m/o_1.csv", "data/m/o_2.csv"], str(folder)):
        settings = make({"orders": {"path": path, "columns": columns}})
        found = read(settings, tmp_path)
        assert found.files["file"].tolist() == names
        assert found.tables["orders"]["_file"].to_pylist() == names
        assert list(fingerprints(settings, tmp_path)) == names
    before = fingerprints(settings, tmp_path)
    (folder / "o_1.csv").write_text("changed", encoding="utf-8")
    after = fingerprints(settings, tmp_path)
    assert before[names[0]] != after[names[0]] and before[names[1]] == after[names[1]]
    (folder / "o_1.csv").write_bytes(b"")
    with pytest.raises(SourceError):
        fingerprints(settings, tmp_path)
    with pytest.raises(SourceError):
        fingerprints(make({"orders": {"path": "no.csv", "columns": columns}}), tmp_path)


@given(
    st.lists(
        st.lists(st.text(alphabet='ab甲,"\n ;', max_size=5), min_size=3, max_size=3),
        min_size=1,
        max_size=6,
    ),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    st.sampled_from(["\n", "\r\n"]),
)
def test_both_parsers_agree(cells: list[list[str]], quoting: Literal[0, 1], line_end: str) -> None:
    written = io.StringIO(newline="")
    csv.writer(written, quoting=quoting, lineterminator=line_end).writerows(
        [["a", "b", "c"], *cells]
    )
    layout = (written.getvalue().encode(), ",", Header(0, 1, ("a", "b", "c")), "utf-8")
    fast = text_files._fast(*layout)
    careful = text_files._careful(*layout, "o.csv")
    given = [c for c in cells if any(c)]
    assert [list(r) for r in zip(*(c.to_pylist() for c in careful.columns), strict=True)] == given
    if fast is not None:
        assert fast.columns == careful.columns
        assert fast.rows.equals(careful.rows) and fast.order.equals(careful.order)


@pytest.mark.parametrize("body", ['"a"b,1\n', 'a,"b\n', '""a"",1\n', 'a"b,1\n', ' "a",1\n'])
def test_odd_quotes_are_left_to_the_careful_parser(body: str) -> None:
    header = Header(0, 1, ("x", "y"))
    fast = text_files._fast(b"x,y\n" + body.encode(), ",", header, "utf-8")
    if fast is not None:
        careful = text_files._careful(b"x,y\n" + body.encode(), ",", header, "utf-8", "o")
        assert fast.columns == careful.columns


def test_line_breaks_inside_quotes_belong_to_the_field(orders: Orders) -> None:
    found = orders(f'{HEADER}\nD1,"A\nB",2025-01-03,1\nD2,C,2025-01-03,1\n')
    assert found.tables["orders"]["customer_id"].to_pylist() == ["A B", "C"]
    assert found.tables["orders"]["_row"].to_pylist() == [2, 3]


def test_nul_bytes_are_dropped_and_said(orders: Orders) -> None:
    found = orders(f"{HEADER}\nD1,A\x00B,2025-01-03,1\x000\n")
    assert found.tables["orders"]["customer_id"].to_pylist() == ["AB"]
    assert found.tables["orders"]["amount"].to_pylist() == [Decimal(10)]
    assert notes(found) == ["note.nul_bytes"]


def test_utf_16_without_a_mark_is_no_guess(orders: Orders) -> None:
    data = f"{HEADER}\nD1,A,2025-01-03,1\n".encode("utf-16-le")
    with pytest.raises(SourceError, match=r"sources\.undecodable"):
        orders(data)
    assert orders(data, encoding="utf-16-le").tables["orders"].num_rows == 1


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "utf-16"])
def test_a_file_cut_inside_its_last_character(orders: Orders, encoding: str) -> None:
    data = f"{HEADER}\nD1,客户甲,2025-01-03,1\nD2,客户乙".encode(encoding)
    with pytest.raises(SourceError, match=r"sources\.cut_character"):
        orders(data[:-1])


def test_separators_behind_the_last_field(orders: Orders) -> None:
    plain = f"{HEADER}\nD1,A,2025-01-03,10\nD2,B,2025-01-03,5\n"
    for text in (
        plain.replace("10\n", "10,\n").replace("5\n", "5,\n"),  # on every row
        plain.replace("10\n", "10,,,\n"),  # on the first row only
        plain.replace("金额\n", "金额,,\n"),  # on the header only
    ):
        found = orders(text)
        assert rows(found) == rows(orders(plain))
    assert notes(orders(plain.replace("10\n", "10,\n"))) == ["note.trailing_separators"]


def test_an_extra_field_in_the_first_row_rejects_that_row(orders: Orders) -> None:
    found = orders(f"{HEADER}\nD1,A,x,2025-01-03,10\nD2,B,2025-01-03,5\nD3,B,2025-01-04,6\n")
    assert found.rejected.select(["row", "rule"]).to_pylist() == [{"row": 2, "rule": "long_row"}]


def test_an_unclosed_quote_names_its_row(orders: Orders) -> None:
    lines = [f"D{i},A,2025-01-03,1" for i in range(1, 9)]
    lines[4] = 'D5,"A,2025-01-03,1'
    with pytest.raises(SourceError) as caught:
        orders("\n".join([HEADER, *lines]) + "\n")
    (problem,) = problems(caught)
    assert (problem.key, problem.args["row"]) == ("sources.unclosed_quote", "6")


def test_a_header_that_stands_twice_is_asked_only_if_it_is_read(orders: Orders) -> None:
    twice = "订单号,客户编号,下单日期,金额,备注,备注\nD1,A,2025-01-03,10,x,y\n"
    assert notes(orders(twice)) == ["note.duplicate_header"]
    with pytest.raises(SourceError) as caught:
        orders(twice.replace("备注,备注", "备注,金额"))
    (problem,) = problems(caught)
    assert problem.key == "sources.duplicate_header" and problem.args["count"] == "2"


@pytest.mark.slow
def test_five_million_empty_rows_are_counted_and_cost_little(orders: Orders) -> None:
    found = orders(f"{HEADER}\nD1,A,2025-01-03,10\n" + ",,,\n" * 5_000_000)
    assert found.tables["orders"].num_rows == 1
    (note,) = [n for n in json.loads(found.files["note"][0]) if n["key"] == "note.blank_rows"]
    assert note["args"]["rows"]["value"] == 5_000_000
