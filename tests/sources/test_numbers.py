from __future__ import annotations

from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.sources import numbers

READABLE = {
    "1234.5": "1234.5", "1,234.5": "1234.5", "1，234.5": "1234.5", "￥1,234": "1234",
    "¥1234": "1234", "1.2万": "12000", "3亿": "300000000", "１２３４": "1234",
    "(1,234)": "-1234", "（1,234.50）": "-1234.5", "1234元": "1234", "-5": "-5", "-¥5": "-5",
    "¥-5": "-5", "−5": "-5", "5千万": "50000000", "12,300万": "123000000", ".5": "0.5", "007": "7",
}  # fmt: skip
REFUSED = (
    "", "-", "—", "12,5", "1.234,56", "1,23,456", "1e5", "1E+05", "12%", "USD 100", "$5", "inf",
    "nan", "1 234", "1_000", "(-5)", "(5", "5)", "--5", "5-", "1.2.3", "五", "0x10", "12.", "¥",
    "100000000000000",
)  # fmt: skip


@pytest.mark.parametrize(("text", "value"), READABLE.items())
def test_reads_what_people_write(text: str, value: str) -> None:
    assert numbers.parse(text) == Decimal(value)


@pytest.mark.parametrize("text", REFUSED)
def test_refuses_what_is_not_clearly_a_number(text: str) -> None:
    assert numbers.parse(text) is None


def test_only_the_runs_own_currency_is_accepted() -> None:
    assert numbers.parse("$5", "USD") == 5
    assert numbers.parse("£5", "GBP") == 5
    assert numbers.parse("¥5", "USD") is None


@given(st.decimals(-(10**13), 10**13, places=4, allow_nan=False, allow_infinity=False))
def test_round_trip(value: Decimal) -> None:
    for text in (f"{value:f}", f"{value:,f}", f"¥{abs(value):,f}"):
        expected = abs(value) if text.startswith("¥") else value
        assert numbers.parse(text) == expected
    fullwidth = f"{abs(value):f}".translate({ord(str(d)): 0xFF10 + d for d in range(10)})
    assert numbers.parse(fullwidth) == abs(value)
    brackets = numbers.parse(f"({abs(value):,f})")
    assert brackets == -abs(value)


@given(st.text(alphabet="0123456789.,-+()¥￥元万亿千%eE 　$年", max_size=12))
def test_number_or_error_never_a_guess(text: str) -> None:
    parsed = numbers.parse(text)
    column, bad = numbers.parse_column(pa.array([text]))
    if parsed is None:
        assert column[0].as_py() is None
        assert bad[0].as_py() == bool(text.strip())
        return
    assert column[0].as_py() == parsed and not bad[0].as_py()
    # Every digit of the text is in the number: nothing was skipped.
    digits = "".join(c for c in text if c.isdigit()).lstrip("0")
    kept = "".join(c for c in f"{abs(parsed):f}" if c.isdigit()).lstrip("0")
    assert kept.startswith(digits.rstrip("0")) or len(digits) > 24


@given(st.lists(st.one_of(st.none(), st.sampled_from([*READABLE, *REFUSED])), max_size=20))
def test_columns_agree_with_single_values(texts: list[str | None]) -> None:
    column, bad = numbers.parse_column(pa.array(texts, pa.string()))
    for text, value, wrong in zip(texts, column.to_pylist(), bad.to_pylist(), strict=True):
        parsed = numbers.parse(text) if text else None
        assert value == parsed
        assert wrong == (bool(text) and parsed is None)


def test_units_are_exact_and_do_not_stack() -> None:
    column, bad = numbers.parse_column(pa.array(["1.23456789", "1.2万", None]), "万元")
    assert column.to_pylist() == [Decimal("12345.6789"), None, None]
    assert bad.to_pylist() == [False, True, False]


def test_floats_and_integers() -> None:
    column, bad = numbers.parse_column(pa.array([6.95, float("nan"), float("inf"), None, -0.1]))
    assert [None if v is None else round(v, 4) for v in column.to_pylist()] == [
        Decimal("6.95"), None, None, None, Decimal("-0.1"),
    ]  # fmt: skip
    assert bad.to_pylist() == [False, False, True, False, False]
    column, bad = numbers.parse_column(pa.array([5, 10**15]))
    assert column.to_pylist() == [5, None] and bad.to_pylist() == [False, True]


def test_product_is_exact() -> None:
    quantity, _ = numbers.parse_column(pa.array(["3", "0.333", "9999999999"]))
    price, _ = numbers.parse_column(pa.array(["0.1", "3", "999999999"]))
    assert numbers.product(quantity, price).to_pylist() == [
        Decimal("0.3000"), Decimal("0.9990"), None,
    ]  # fmt: skip
