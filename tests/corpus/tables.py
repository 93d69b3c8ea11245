"""Rows 2.2 and users' traps that concern the table itself: headers, titles, totals, keys."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from tests.corpus import writers
from tests.corpus.rows import CELLS, EVERY, RAGGED, TEXT, Row, fails, ok, rejects
from tests.corpus.sheet import COLUMNS, HEADER, Line, Sheet, adding, base, every, odd, put, sound

_LINED = ("csv", "csv-gb18030", "tsv", "xlsx", "xls", "html", "xml")


def titled(sheet: Sheet, *titles: str) -> Sheet:
    """The sheet below title rows of one filled cell each."""
    rest = (None,) * (len(sheet.header) - 1)
    return replace(sheet, above=tuple((title or None, *rest) for title in titles))


def named(sheet: Sheet, **headers: str) -> Sheet:
    """The sheet with other headers: order, customer, moment, money, person, phone."""
    places = ("order", "customer", "moment", "money", "person", "phone")
    return replace(
        sheet, header=tuple(headers.get(p, h) for p, h in zip(places, HEADER, strict=True))
    )


def total(word: str, at: int = 0, money: Any = Decimal("999999.99")) -> Line:
    """A total row: a word, and the money of other rows."""
    cells: list[Any] = [None] * len(HEADER)
    cells[at], cells[3] = word, money
    return odd(cells, "total_row")


def scaled(header: str, factor: int) -> Sheet:
    """Money in another unit, which the header states."""
    sheet = named(base(), money=header)
    lines = [replace(line, money=line.money * factor) for line in sheet.lines if line.money]
    return replace(sheet, lines=tuple(lines))


def with_column(sheet: Sheet, header: str, values: list[Any]) -> Sheet:
    """One more column at the end."""
    lines = [replace(line, cells=(*line.cells, value))
             for line, value in zip(sheet.lines, values, strict=True)]  # fmt: skip
    return replace(sheet, header=(*sheet.header, header), lines=tuple(lines))


def _statuses(*words: str) -> Sheet:
    sheet = with_column(base(len(words)), "单据状态", list(words))
    void = {"作废", "未审核", "已取消"}
    return replace(sheet, lines=tuple(
        replace(line, fate="voided" if word in void else line.fate)
        for line, word in zip(sheet.lines, words, strict=True)))  # fmt: skip


def _shifted(*lines: Line) -> Sheet:
    return adding(base(), *lines)


def _like_above(sheet: Sheet) -> Sheet:
    """The customer stands in the first of his lines only: a blank for "as above"."""
    lines = list(sheet.lines)
    for at in (3, 4):
        lines[at] = replace(lines[at].having(1, None), customer=None, fate="missing_customer")
    return replace(sheet, lines=tuple(lines))


def _bare(sheet: Sheet, form: str) -> bytes:
    first, *rest = sheet.lines
    return writers.write(Sheet(tuple(rest), tuple(map(writers.text_of, first.cells))), form)


def _blank(sheet: Sheet, form: str) -> bytes:
    separator = "\t" if form == "tsv" else ","
    rows = [*sheet.rows, (None,) * len(sheet.header)]
    text = writers.delimited(rows, separator)
    return text.encode("gb18030" if form == "csv-gb18030" else "utf-8")


_LONG = [f"62220212345678900{n:02d}" for n in range(8)]
_HEX = [f"64e1f2a9b3c4d5e6f7a8b9{n:02d}" for n in range(8)]
_WORDS = ["NA", "null", "None", "nan", "N/A", "NULL", "TRUE", "-"]
_TWICE = replace(base(), header=(*HEADER[:4], "金额", "手机"))
_WITH_STATUS = {"columns": {**COLUMNS, "status": "单据状态"}}
_REPEATED = replace(sound(3), fate="repeated_lines")
_OTHER_CURRENCY = put("money", "USD 100", None, "other_currency")

TABLES = [
    Row("2.2", "an empty file", base(0), fails("empty_file"), EVERY, lambda sheet, form: b""),
    Row("2.2", "blank lines alone", base(0), fails("empty_file"), ("csv", "csv-bom", "tsv"),
        lambda sheet, form: b"\n\r\n\n"),
    Row("2.2", "a header alone", base(0), fails("no_rows"), (*TEXT, "xlsx", "xls", "html", "xml",
        "parquet")),
    Row("2.2", "no header: the first line is data", base(),
        fails("no_header"), EVERY,
        _bare),
    Row("2.2", "a header that is not the one in the settings", named(base(), customer="客户代号"),
        fails("missing_column", column="orders.customer_id", header="客户编号",
              nearest="客户代号"), EVERY),
    Row("2.2", "the same header twice", _TWICE,
        fails("duplicate_header", header="金额", count="2"), (*TEXT, "xlsx", "xls", "html", "xml")),
    Row("2.2", "the same header twice, not used", named(base(), person="备注", phone="备注"),
        ok("duplicate_header"), (*TEXT, "xlsx", "xls", "html", "xml")),
    Row("2.2", "zero-width and ideographic blanks in headers",
        named(base(), order="\u200b订单号", customer="　客户编号 ", money="金 额".replace(" ", "")),
        ok(), EVERY),
    Row("2.2", "full-width letters in a header", named(base(), customer="客户ＩＤ"), ok(), CELLS,
        source={"columns": {**COLUMNS, "customer_id": "客户ID"}}),
    Row("2.2", "a line of nothing but blanks", _shifted(), ok("blank_rows"),
        ("csv", "csv-gb18030", "tsv"), _blank),
    Row("2.2", "a title above the header", titled(base(), "某公司销售明细"), ok(), RAGGED),
    Row("6", "the header in row 3", titled(base(), "某公司销售明细", "二〇二五年"), ok(), RAGGED),
    Row("6", "the header in row 5",
        titled(base(), "某公司", "销售明细", "制表人：诸葛不亮", "币种：人民币"), ok(), RAGGED),
    Row("6", "a total row at the end", _shifted(total("合计")), rejects(total_row=1), RAGGED),
    Row("6", "a total row with blanks", _shifted(total(" 合　计：")), rejects(total_row=1), RAGGED),
    Row("6", "subtotals of customers",
        replace(base(), lines=(*base().lines[:3], total("甲公司小计", 1), *base().lines[3:],
                               total("总计"))), rejects(total_row=2), RAGGED),
    Row("6", "running totals", _shifted(total("本月合计"), total("本年累计")),
        rejects(total_row=2), RAGGED),
    Row("6", "an English total", _shifted(total("Grand Total")), rejects(total_row=1), RAGGED),
    Row("6", "a customer called Total", put("customer", "Total", "Total"), ok(), CELLS),
    Row("6", "a total row in a file of types",
        _shifted(replace(total("合计"), money=Decimal("999999.99"), fate="missing_customer")),
        rejects(missing_customer=1), ("parquet",)),
    Row("6", "the unit behind the header", scaled("金额（万元）", 10_000), ok(), CELLS),
    Row("6", "the unit behind the header, half-width", scaled("金额(亿元)", 10**8), ok(), CELLS),
    Row("6", "yuan behind the header", scaled("金额(元)", 1), ok(), CELLS),
    Row("6", "the unit above the header",
        titled(replace(scaled("金额", 10_000), above=()), "某公司销售明细", "单位：万元"), ok(),
        RAGGED),
    Row("6", "two units above the header", titled(base(), "单位：万元", "金额单位：元"),
        fails("units_above", units="万元 | 元"), RAGGED),
    Row("6", "the header says 万元, the settings 元", named(base(), money="金额(万元)"),
        fails("unit_conflict", header="金额(万元)", unit="元", found="万元"), CELLS,
        source={"columns": {**COLUMNS, "amount": {"from": "金额(万元)", "unit": "元"}}}),
    Row("6", "red lines: negative money", put("money", Decimal("-500.25"), Decimal("-500.25")),
        ok(), CELLS),
    Row("6", "2025.09.30", put("moment", "2025.09.30", datetime(2025, 9, 30)), ok(), CELLS),
    Row("6", "leading zeros", every("customer", [f"{n:04d}" for n in range(8)],
                                    [f"{n:04d}" for n in range(8)]), ok(), CELLS),
    Row("6", "numbers of 24 characters", every("customer", _HEX, _HEX), ok(), CELLS),
    Row("6", "a blank for the customer above", _like_above(base()), rejects(missing_customer=2),
        CELLS),
    Row("6", "void and unaudited documents",
        _statuses("已审核", "作废", "未审核", "已审核", "已取消"), rejects(voided=3), CELLS,
        source=_WITH_STATUS),
    Row("6", "exactly 2,000 lines", base(2_000), ok("export_limit"),
        ("csv", "xlsx", "xls", "html", "parquet")),
    Row("6", "exactly 10,000 lines", base(10_000), ok("export_limit"), ("csv", "parquet")),
    Row("6", "exactly 50,000 lines", base(50_000), ok("export_limit"), ("parquet",)),
    Row("6", "2,001 lines", base(2_001), ok(), ("csv",)),
    Row("2.2", "words that look like nothing are customers", every("customer", _WORDS, _WORDS),
        ok(), CELLS),
    Row("2.2", "a number of 19 digits as text", every("customer", _LONG, _LONG), ok(), CELLS),
    Row("2.2", "a number with a blank at its end", put("customer", "C003 ", "C003"), ok(), CELLS),
    Row("2.2", "full-width numbers are the same number", put("customer", "Ｃ００３", "C003"), ok(),
        CELLS),
    Row("2.2", "zero-width marks in a number", put("customer", "C0\u200b03\ufeff", "C003"), ok(),
        CELLS),
    Row("2.2", "numbers that Excel wrote as 1.23457E+16",
        every("customer", ["1.23457E+16"] * 8, [None] * 8),
        fails("scientific_key", header="客户编号", rows="8", column="orders.customer_id"), CELLS),
    Row("2.2", "a single number that Excel wrote as 1.23E+16", put("customer", "1.23E+16", None),
        fails("scientific_key", header="客户编号", rows="1"), CELLS),
    Row("2.2", "12E5 is a number of a customer", put("customer", "12E5", "12E5"), ok(), CELLS),
    Row("2.2", "numbers as 13085.0", every("customer", [f"1308{n}.0" for n in range(8)],
                                           [f"1308{n}" for n in range(8)]),
        ok("float_keys"), ("csv", "csv-gb18030", "tsv")),
    Row("2.6", "no customer in a line", put("customer", None, None, "missing_customer"),
        rejects(missing_customer=1), CELLS),
    Row("2.6", "a line twice", _shifted(_REPEATED), rejects(repeated_lines=1), CELLS),
    Row("6", "money of zero", put("money", Decimal("0.00"), Decimal(0), "zero_amount"),
        rejects(zero_amount=1), CELLS),
    Row("2.5", "one line in another currency", _OTHER_CURRENCY, rejects(other_currency=1),
        CELLS),
    Row("2.2", "an unreadable number after 30,000 lines",
        replace(base(30_100), lines=(*base(30_050).lines,
                replace(sound(30_051).having(3, "abc"), money=None, fate="unreadable_number"),
                *base(30_100).lines[30_051:])),
        rejects(unreadable_number=1), ("csv",)),
]  # fmt: skip
