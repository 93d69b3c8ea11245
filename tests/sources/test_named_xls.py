"""Files that systems save as .xls and that are something else: pages, XML, text, xlsx."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from analysis.errors import SourceError
from analysis.sources import Sources

from .test_workbooks import HEADER as HEADS
from .test_workbooks import book, line

HEADER = "<tr><th>订单号</th><th>客户编号</th><th>下单日期</th><th>金额</th></tr>"
ROWS = "<tr><td>D1</td><td>䶮公司</td><td>2025-01-03</td><td>1,200.50</td></tr>"
MORE = "<tr><td>D2</td><td>B&amp;C</td><td>2025-01-04</td><td>&nbsp;30</td></tr>"
Orders = Callable[..., Sources]


def page(body: str, charset: str = "gb2312") -> str:
    meta = f'<meta http-equiv="Content-Type" content="text/html; charset={charset}">'
    return f"<html><head>{meta}<style>td {{mso-number-format:'@'}}</style></head>{body}</html>"


def notes(found: Sources) -> dict[str, dict[str, Any]]:
    return {n["key"].removeprefix("note."): n["args"] for n in json.loads(found.files["note"][0])}


def amounts(found: Sources) -> list[Any]:
    return list(found.tables["orders"]["amount"].to_pylist())


@pytest.mark.parametrize(
    ("encoding", "charset", "named"),
    [
        ("gb18030", "gb2312", "gb18030"),
        ("utf-8", "utf-8", "utf-8"),
        ("utf-8", "gb2312", "utf-8"),  # what the page says of itself is wrong
        ("gb18030", "utf-8", "gb18030"),
        ("utf-16", "utf-16", "utf-16"),
        ("utf-8-sig", "x-none", "utf-8"),
    ],
)
def test_a_page_named_xls(orders: Orders, encoding: str, charset: str, named: str) -> None:
    text = page(f"<body><table>{HEADER}{ROWS}{MORE}</table></body>", charset)
    found = orders(text.encode(encoding), "o.xls")
    assert amounts(found) == [Decimal("1200.5"), Decimal(30)]
    assert found.tables["orders"]["customer_id"].to_pylist() == ["䶮公司", "B&C"]
    assert found.files[["format", "encoding", "rows"]].to_numpy().tolist() == [["html", named, 2]]
    assert "html" in notes(found)


def test_another_encoding_that_the_page_names(orders: Orders) -> None:
    text = page(f"<table>{HEADER}{ROWS}</table>".replace("䶮公司", "繁體客戶"), "big5")
    simple = text.replace("订单号", "訂單號").replace("客户编号", "客戶編號")
    columns = {"order_id": "訂單號", "customer_id": "客戶編號", "ordered_at": "下單日期",
               "amount": "金額"}  # fmt: skip
    big5 = simple.replace("下单日期", "下單日期").replace("金额", "金額").encode("big5")
    found = orders(big5, "o.xls", columns=columns)
    assert found.tables["orders"]["customer_id"].to_pylist() == ["繁體客戶"]
    assert found.files["encoding"].tolist() == ["big5"]


def test_the_table_whose_header_fits_is_taken(orders: Orders) -> None:
    menu = "<table><tr><td>菜单<td>帮助</tr><tr><td>1<td>2</tr></table>"
    inner = f"<table>{HEADER}{ROWS}</table>"
    layout = f"<table><tr><td>{menu}</td></tr><tr><td>{inner}</td></tr></table>"
    assert amounts(orders(page(layout).encode("gb18030"), "o.xls")) == [Decimal("1200.5")]


def test_ends_that_are_missing_and_spans(orders: Orders) -> None:
    body = (
        "<TABLE><TR><TH colspan=4>销售明细<TR><TH>订单号<TH>客户编号<TH>下单日期<TH>金额"
        "<TR><TD>D1<TD rowspan=2>A<TD>2025-01-03<TD>1<TR><TD>D2<TD>2025-01-04<TD>2"
        "<TR><TD>D3<TD><TD>2025-01-05<TD>3<TR><TD colspan=3>合计<TD>6</TABLE>"
    )
    found = orders(body, "o.xls")
    assert found.tables["orders"]["customer_id"].to_pylist() == ["A", "A", None]
    assert amounts(found) == [1, 2, 3]
    assert found.tables["orders"]["_row"].to_pylist() == [3, 4, 5]
    assert found.rejected["rule"].to_pylist() == ["total_row"]
    assert notes(found)["merged_filled"]["rows"]["value"] == 1


def test_two_rows_of_header_in_a_page(orders: Orders) -> None:
    body = (
        "<table><tr><th rowspan=2>客户编号<th rowspan=2>下单日期"
        "<th colspan=2>原币<th colspan=2>本币"
        "<tr><th>金额<th>税额<th>金额<th>税额<tr><td>A<td>2025-01-03<td>1<td>2<td>7<td>14</table>"
    )
    columns = {"customer_id": "客户编号", "ordered_at": "下单日期", "amount": "本币金额"}
    assert amounts(orders(body, "o.xls", columns=columns)) == [7]


def test_a_page_cut_off_is_noted_and_a_login_page_is_refused(orders: Orders) -> None:
    cut = orders(page(f"<table>{HEADER}{ROWS}{MORE[:-12]}")[: -len("</html>")], "o.xls")
    assert "cut_file" in notes(cut)
    for name, key in (("o.xls", "no_table"), ("o.csv", "wrong_kind")):
        with pytest.raises(SourceError, match=rf"sources\.{key}"):
            orders("<!DOCTYPE html><html><form>login</form></html>", name)


SPREADSHEET = """<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?>
<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"
 xmlns:x="urn:schemas-microsoft-com:office:excel"
 xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet">
<Worksheet ss:Name="旧"><Table><Row><Cell><Data ss:Type="String">x</Data></Cell></Row></Table>
<x:WorksheetOptions><x:Visible>SheetHidden</x:Visible></x:WorksheetOptions></Worksheet>
<Worksheet ss:Name="订单"><Table>
<Row><Cell ss:MergeAcross="3"><Data ss:Type="String">销售明细</Data></Cell></Row>
<Row ss:Index="3">{header}</Row>
<Row><Cell><Data ss:Type="String">D1</Data></Cell>
 <Cell ss:MergeDown="1"><Data ss:Type="String">甲公司</Data></Cell>
 <Cell><Data ss:Type="DateTime">2025-01-03T00:00:00.000</Data></Cell>
 <Cell><Data ss:Type="Number">0.3</Data></Cell></Row>
<Row ss:Hidden="1"><Cell><Data ss:Type="String">D2</Data></Cell>
 <Cell ss:Index="3"><Data ss:Type="DateTime">2025-01-04T00:00:00.000</Data></Cell>
 <Cell><Data ss:Type="Number">1200</Data></Cell></Row>
</Table></Worksheet></Workbook>"""


def spreadsheet() -> str:
    cells = "".join(f'<Cell><Data ss:Type="String">{h}</Data></Cell>' for h in HEADS)
    return SPREADSHEET.format(header=cells)


@pytest.mark.parametrize("name", ["o.xls", "o.xml"])
def test_an_xml_spreadsheet(orders: Orders, name: str) -> None:
    found = orders(spreadsheet(), name)
    assert amounts(found) == [Decimal("0.3"), 1200]
    assert found.tables["orders"]["customer_id"].to_pylist() == ["甲公司", "甲公司"]
    assert found.tables["orders"]["_row"].to_pylist() == [4, 5]
    told = notes(found)
    assert told["hidden_rows_read"]["rows"]["value"] == 1
    assert told["hidden_sheets"] == {"sheets": "旧"}
    assert found.files["header_row"].tolist() == [3]


def test_an_xml_spreadsheet_spoilt_or_hostile(orders: Orders) -> None:
    text = spreadsheet()
    with pytest.raises(SourceError, match=r"sources\.damaged"):
        orders(text[: len(text) // 2], "o.xls")
    entity = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]><Workbook'
    with pytest.raises(SourceError, match=r"sources\.document_type"):
        orders(text.replace("<Workbook", entity, 1), "o.xls")
    far = text.replace('ss:Index="3"><Data', 'ss:Index="90000"><Data')
    with pytest.raises(SourceError, match=r"sources\.too_wide"):
        orders(far, "o.xls")


def test_text_and_new_workbooks_under_the_old_name(orders: Orders) -> None:
    text = "\t".join(HEADS) + "\nD1\tA\t2025-01-03\t5\n"
    found = orders(text.encode("gb18030"), "o.xls")
    assert amounts(found) == [5] and {"text_xls", "encoding"} <= set(notes(found))
    found = orders(book([HEADS, line(1)]), "o.xls")
    assert amounts(found) == [10] and found.files["format"].tolist() == ["xlsx"]
    old = (Path(__file__).parent / "files" / "orders.xls").read_bytes()
    assert orders(old, "o.xlsx").files["format"].tolist() == ["xls"]


def test_old_workbooks_do_not_say_what_is_hidden(orders: Orders) -> None:
    old = (Path(__file__).parent / "files" / "orders.xls").read_bytes()
    with pytest.raises(SourceError, match=r"sources\.hidden_rows_unknown"):
        orders(old, "o.xls", hidden_rows="leave_out")
