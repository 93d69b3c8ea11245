"""Rows 2.4 and 2.5 of the catalogue: dates and numbers as people and systems write them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from tests.corpus.rows import CELLS, Row, fails, ok, rejects
from tests.corpus.sheet import Sheet, base, every, put


def _number(section: str, text: str, money: str) -> Row:
    return Row(section, f"number {text!r}", put("money", text, Decimal(money)), ok())


def _no_number(section: str, text: str, rule: str = "unreadable_number") -> Row:
    sheet = put("money", text, None, rule)
    return Row(section, f"no number {text!r}", sheet, rejects(**{rule: 1}))


def _date(section: str, text: str, moment: datetime, *notes: str) -> Row:
    return Row(section, f"date {text!r}", put("moment", text, moment), ok(*notes))


def _no_date(
    section: str, text: str, rule: str = "unreadable_date", forms: Sequence[str] = CELLS
) -> Row:
    sheet = put("moment", text, None, rule)
    return Row(section, f"no date {text!r}", sheet, rejects(**{rule: 1}), forms)


def _half(text: str) -> Row:
    """Beside real days such a text is what Excel left of a day that it took for a month."""
    return Row("2.4", f"{text!r} beside real days", put("moment", text, None, "refused"),
               fails("half_converted_dates", header="下单日期"), ["xlsx", "xls"])  # fmt: skip


# Formats in which every day is text.
_TEXTUAL = ("csv", "csv-gb18030", "tsv", "html", "xml", "parquet")
_DAYS = tuple(datetime(2025, 1, n) for n in range(1, 9))
_FIRST = datetime(2025, 1, 3)


def _all_without(what: str, texts: list[str]) -> Sheet:
    sheet = every(what, texts, [None] * len(texts))
    return replace(sheet, lines=tuple(replace(line, fate="refused") for line in sheet.lines))


NUMBERS = [
    _number("2.5", "1,234.5", "1234.5"),
    _number("2.5", "1，234.5", "1234.5"),
    _number("2.5", "￥1,234", "1234"),
    _number("2.5", "¥1234", "1234"),
    _number("2.5", "1.2万", "12000"),
    _number("2.5", "￥1.2万", "12000"),
    _number("2.5", "3亿", "300000000"),
    _number("2.5", "1.5百万", "1500000"),
    _number("2.5", "2千", "2000"),
    _number("2.5", "１２３４", "1234"),
    _number("2.5", "１，２３４．５０", "1234.50"),
    _number("2.5", "(1,234)", "-1234"),
    _number("2.5", "（500）", "-500"),
    _number("2.5", "-500.00", "-500"),
    _number("2.5", "−500", "-500"),
    _number("2.5", "1234元", "1234"),
    _number("2.5", "1 234 567", "1234567"),
    _number("2.5", "1\u00a0234.50", "1234.50"),
    _number("2.5", "壹万贰仟元整", "12000"),
    Row("2.5", "a dash for nothing", put("money", "—", None, "missing_value"),
        rejects("dashes", missing_value=1)),
    _number("2.5", "RMB 1,234.50", "1234.50"),
    _number("2.5", " 1234 ", "1234"),
    _number("2.5", "0.1", "0.1"),
    _number("2.5", "99999999999.99", "99999999999.99"),
    _number("2.5", "1\u200b234", "1234"),
    Row("2.5", "a control character where a digit was",
        put("money", "1\x13234", None, "unreadable_number"), rejects(unreadable_number=1),
        ("csv", "csv-gb18030", "tsv", "parquet")),
    _no_number("2.5", "12%"),
    _no_number("2.5", "USD 100", "other_currency"),
    _no_number("2.5", "$100", "other_currency"),
    _no_number("2.5", "inf"),
    _no_number("2.5", "nan"),
    _no_number("2.5", "1e3"),
    _no_number("2.5", "1_000"),
    _no_number("2.5", "1,2345", "ambiguous_number"),
    _no_number("2.5", "12,5", "ambiguous_number"),
    _no_number("2.5", "1.234.567", "ambiguous_number"),
    _no_number("2.5", "(5"),
    _no_number("2.5", "5 or so"),
    _no_number("2.5", "100000000000000000", "too_large"),
    Row(
        "2.5", "one thousands separator makes the column text",
        every("money", [95, 100, 300, "1,200"], [Decimal(n) for n in (95, 100, 300, 1200)]), ok(),
    ),
    Row(
        "2.5", "an empty amount", put("money", None, None, "missing_value"),
        rejects(missing_value=1),
    ),
    Row(
        "2.5", "another currency in the whole column",
        _all_without("money", [f"USD {n}.50" for n in range(8)]),
        fails("other_currency", header="金额", rows="8", shape="xxx 9.99"),
    ),
    Row(
        "2.5", "a column of words instead of money",
        _all_without("money", ["诸葛不亮"] * 8),
        fails("unreadable_numbers", header="金额", rows="8", shape="xxxx"),
    ),
]  # fmt: skip

DATES = [
    _date("2.4", "2025/1/3", _FIRST),
    _date("2.4", "2025-1-3", _FIRST),
    _date("2.4", "2025.01.03", _FIRST),
    _date("2.4", "2025年1月3日", _FIRST),
    _date("2.4", "２０２５年１月３日", _FIRST),
    _date("2.4", "20250103", _FIRST),
    _date("2.4", "2025-01-03 15:05:09", datetime(2025, 1, 3, 15, 5, 9)),
    _date("2.4", "2025-01-03 下午3:05", datetime(2025, 1, 3, 15, 5)),
    _date("2.4", "2025-01-03T07:05:00Z", datetime(2025, 1, 3, 15, 5)),
    _date("2.4", "2025-03-31T17:00Z", datetime(2025, 4, 1, 1)),
    _date("2.4", "2025-03-31T17:00+00:00", datetime(2025, 4, 1, 1)),
    _date("2.4", "二〇二五年一月三日", _FIRST),
    _no_date("2.4", "45660", "other_date_format", _TEXTUAL),
    Row("2.4", "'45660' beside real days", put("moment", "45660", _FIRST), ok("excel_serials"),
        ["xlsx", "xls"]),
    _no_date("2.4", "24-1-3", "ambiguous_date", _TEXTUAL),
    _half("24-1-3"),
    _no_date("2.4", "03/01/2025", "ambiguous_date", _TEXTUAL),
    _half("03/01/2025"),
    _no_date("2.4", "13/01/2025", "ambiguous_date", _TEXTUAL),
    _half("13/01/2025"),
    _no_date("2.4", "2025-1"),
    _no_date("2.4", "2025Q1"),
    _no_date("2.4", "2025-02-30"),
    _no_date("2.4", "2025-13-01"),
    _no_date("2.4", "soon"),
    _no_date("2.4", "12345"),
    _no_date("2.4", "0000-00-00", "no_day"),
    Row(
        "2.4", "a CRM's 9999-12-31 for never",
        put("moment", "9999-12-31", datetime(9999, 12, 31), "implausible_dates"),
        rejects(implausible_dates=1),
    ),
    Row(
        "2.4", "a day of 1900", put("moment", "1900-01-01", datetime(1900, 1, 1),
                                    "implausible_dates"),
        rejects(implausible_dates=1),
    ),
    Row(
        "2.4", "a day after the last one that counts",
        put("moment", "2026-02-01", datetime(2026, 2, 1), "after_as_of"), rejects(after_as_of=1),
    ),
    Row("2.4", "no date", put("moment", None, None, "missing_value"), rejects(missing_value=1)),
    Row(
        "2.4", "day or month first in the whole column",
        _all_without("moment", [f"03/{n:02d}/2025" for n in range(1, 9)]),
        fails("ambiguous_date", header="下单日期", rows="8", shape="99/99/9999"),
    ),
    Row(
        "2.4", "day first, as the settings say",
        every("moment", [f"{n:02d}/01/2025" for n in range(1, 9)], _DAYS), ok(),
        source={"columns": {
            "order_id": "订单号", "customer_id": "客户编号", "amount": "金额",
            "ordered_at": {"from": "下单日期", "date_format": "%d/%m/%Y"}}},
    ),
    Row(
        "2.4", "Excel's numbers for days in the whole column",
        every("moment", [45658 + n for n in range(8)], _DAYS), ok("excel_serials"),
    ),
    Row(
        "2.4", "days as whole numbers",
        every("moment", [20250101 + n for n in range(8)], _DAYS), ok(),
    ),
    Row(
        "2.4", "times of another zone, as the settings say",
        every("moment", [f"2025-01-{n:02d} 20:00:00" for n in range(1, 9)],
              [datetime(2025, 1, n + 1, 4) for n in range(1, 9)]),
        ok(), source={"timezone": "UTC"},
    ),
    Row(
        "2.4", "days with and without a zone",
        every("moment", ["2025-01-01 10:00", "2025-01-02T02:00Z", "2025-01-03 10:00:00"],
              [datetime(2025, 1, n, 10) for n in (1, 2, 3)]), ok(),
    ),
    Row(
        "2.4", "a column of words instead of days", _all_without("moment", ["司马空城"] * 8),
        fails("unreadable_dates", header="下单日期", rows="8", shape="xxxx"),
    ),
    Row("2.4", "days as the format has them", base(), ok(), (*CELLS, "csv-utf16", "csv-bom")),
]  # fmt: skip
