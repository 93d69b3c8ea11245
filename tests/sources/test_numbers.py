"""Numbers: what is read, what is refused and why, against a reader of its own."""

from __future__ import annotations

import random
from decimal import ROUND_HALF_UP, Decimal
from functools import cache

import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from analysis.sources import capitals, numbers
from analysis.sources.numbers import Style

READABLE = {
    "1234.5": "1234.5", "1,234.5": "1234.5", "1，234.5": "1234.5", "￥1,234": "1234",
    "¥1234": "1234", "1.2万": "12000", "￥1.2万": "12000", "3亿": "300000000", "１２３４": "1234",
    "(1,234)": "-1234", "（1,234.50）": "-1234.5", "(500)": "-500", "1234元": "1234", "-5": "-5",
    "-¥5": "-5", "¥-5": "-5", "−5": "-5", "－5": "-5", "+5": "5", "5千万": "50000000",
    "12,300万": "123000000", ".5": "0.5", "007": "7", "1 234": "1234", "1\u00a0234.50": "1234.5",
    "1\u202f234\u202f567": "1234567", "\u200b12": "12", "RMB 5": "5", "5 CNY": "5",
    "1.2万元": "12000", "壹万贰仟": "12000", "壹万零贰元整": "10002",
    "0.123456789012": "0.123456789", "人民币5元": "5",
}  # fmt: skip
REFUSED = {
    "unreadable_number": (
        "1,23,456", "1,234,56", "1e5", "1E+05", "12%", "inf", "nan", "-inf", "NaN", "12 34",
        "1_000", "(-5)", "(5", "5)", "--5", "5-", "1.2.3", "五", "0x10", "12.", "¥", "壹万贰",
        "1 23", "1 234,567 890", "5个", "1'234", "1/2", "待定",
    ),
    "ambiguous_number": ("12,5", "1,23", "1.234,56", "1.234.567", "¥1.234,50"),
    "other_currency": ("USD 100", "$5", "€5", "5 usd", "¥5 USD", "100美元", "HK$1,000"),
    "too_large": ("100000000000000", "9999999亿", "1" * 40),
}  # fmt: skip
EMPTY = ("", " ", "\u3000", "-", "—", "——", "－", "–")


def rule(text: str, style: Style = numbers.PLAIN) -> str | None:
    found: str | None = numbers.parse_column(pa.array([text]), style).rules[0].as_py()
    return found


@pytest.mark.parametrize(("text", "value"), READABLE.items())
def test_reads_what_people_write(text: str, value: str) -> None:
    assert numbers.parse(text) == Decimal(value)
    assert rule(text) is None


@pytest.mark.parametrize(("why", "text"), [(w, t) for w, many in REFUSED.items() for t in many])
def test_refuses_what_is_not_clearly_a_number(why: str, text: str) -> None:
    assert numbers.parse(text) is None
    assert rule(text) == why


def test_a_dash_is_nothing_given_and_counted() -> None:
    found = numbers.parse_column(pa.array([*EMPTY, None, "0"]))
    assert found.data.to_pylist() == [None] * len(EMPTY) + [None, 0]
    assert found.rules.null_count == len(EMPTY) + 2
    assert found.dashes == 5


def test_only_the_runs_own_currency_is_accepted() -> None:
    assert numbers.parse("$5", Style(currency="USD")) == 5
    assert numbers.parse("£5", Style(currency="GBP")) == 5
    assert numbers.parse("CLP 5", Style(currency="CLP")) == 5
    assert rule("¥5", Style(currency="USD")) == "other_currency"
    assert numbers.parse("¥5", Style(currency="JPY")) == 5


def test_the_decimal_mark_is_the_settings() -> None:
    style = Style(decimal=",")
    given = ["1.234,50", "1.234", "1,5", "-3", "1 234,5", "1,234.50", "1.5"]
    found = numbers.parse_column(pa.array(given), style)
    assert found.data.to_pylist()[:5] == [
        Decimal(x) for x in ("1234.5", "1234", "1.5", "-3", "1234.5")
    ]
    assert found.rules.to_pylist()[5:] == ["ambiguous_number"] * 2


def test_what_reads_both_ways_is_refused_where_the_column_is_written_the_other_way() -> None:
    found = numbers.parse_column(pa.array(["1.234", "1.234,50", "12.5", "7"]))
    assert found.rules.to_pylist() == ["ambiguous_number", "ambiguous_number", None, None]
    # one slip of the pen among hundreds says nothing of the others
    found = numbers.parse_column(pa.array(["1.234"] * 400 + ["1,5"]))
    assert found.rules.to_pylist() == [None] * 400 + ["ambiguous_number"]


def test_units_are_exact_and_do_not_stack() -> None:
    found = numbers.parse_column(pa.array(["1.23456789", "1.2万", "12元", None]), Style("万元"))
    assert found.data.to_pylist() == [Decimal("12345.6789"), None, None, None]
    assert found.rules.to_pylist() == [None, "unit_twice", "unit_twice", None]
    precise = numbers.parse_column(pa.array(["1.23456789012", "¥9"]), Style("亿元"))
    assert precise.data.to_pylist() == [Decimal("123456789.012"), 900_000_000]


def test_shares() -> None:
    given = pa.array(["12%", "0.5", "51", "100%", "-1%", "１２．５％"])
    found = numbers.parse_column(given, Style(share=True))
    assert found.data.to_pylist() == [
        Decimal("0.12"),
        Decimal("0.5"),
        None,
        1,
        None,
        Decimal("0.125"),
    ]
    assert found.rules.to_pylist() == [None, None, "not_a_share", None, "not_a_share", None]
    found = numbers.parse_column(pa.array(["51", "12%"]), Style("%", share=True))
    assert found.data.to_pylist() == [Decimal("0.51"), Decimal("0.12")]


def test_words_of_the_columns_own_unit() -> None:
    minutes = Style(words=(("分钟", 1), ("小时", 60)))
    found = numbers.parse_column(pa.array(["90分钟", "1.5小时", "2天"]), minutes)
    assert found.data.to_pylist() == [90, 90, None]
    assert rule("5分") == "unreadable_number"
    assert numbers.parse("5分", Style(words=(("分", 1),))) == 5


def test_floats_and_integers() -> None:
    found = numbers.parse_column(pa.array([6.95, float("nan"), float("inf"), None, -0.1]))
    assert [None if v is None else round(v, 4) for v in found.data.to_pylist()] == [
        Decimal("6.95"), None, None, None, Decimal("-0.1"),
    ]  # fmt: skip
    assert found.rules.to_pylist() == [None, None, "unreadable_number", None, None]
    found = numbers.parse_column(pa.array([5, 10**15, -(10**15)]))
    assert found.data.to_pylist() == [5, None, None]
    assert found.rules.to_pylist() == [None, "too_large", "too_large"]


def test_decimals_of_any_scale() -> None:
    values = [Decimal("1.000000000000000001"), Decimal("99999999999999999999"), None]
    found = numbers.parse_column(pa.array(values, pa.decimal128(38, 18)))
    assert found.data.to_pylist() == [1, None, None]
    assert found.rules.to_pylist() == [None, "too_large", None] and found.rounded == 1


def test_more_decimals_than_are_kept_are_counted() -> None:
    found = numbers.parse_column(pa.array(["0.12345678905", "1.5", "0.00000000001"]))
    assert found.data.to_pylist() == [Decimal("0.1234567891"), Decimal("1.5"), 0]
    assert found.rounded == 2


def test_product_is_rounded_once() -> None:
    quantity = numbers.parse_column(pa.array(["3", "0.333", "9999999999", "0.1234567"])).data
    price = numbers.parse_column(pa.array(["0.1", "3", "999999999", "10000"])).data
    assert numbers.product(quantity, price).to_pylist() == [
        Decimal("0.3000"), Decimal("0.9990"), None, Decimal("1234.5670"),
    ]  # fmt: skip


AMOUNTS = st.decimals(-(10**13), 10**13, places=4, allow_nan=False, allow_infinity=False)


@given(AMOUNTS)
def test_round_trip(value: Decimal) -> None:
    size = abs(value)
    wide = {ord(str(d)): 0xFF10 + d for d in range(10)}
    forms = {
        f"{value:f}": value, f"{value:,f}": value, f"¥{size:,f}": size, f"{size:f}元": size,
        f"{size:f}".translate(wide): size, f"({size:,f})": -size,
        f"{value:,f}".replace(",", " "): value, f"{value:,f}".replace(",", "\u00a0"): value,
    }  # fmt: skip
    for text, expected in forms.items():
        assert numbers.parse(text) == expected, text
    european = f"{value:,f}".translate({ord(","): ".", ord("."): ","})
    assert numbers.parse(european, Style(decimal=",")) == value


@given(st.decimals(0, 10**5, places=6), st.sampled_from(sorted(numbers.UNITS)))
def test_scaling_is_exact(value: Decimal, unit: str) -> None:
    found = numbers.parse_column(pa.array([f"{value:f}", f"{-value:f}"]), Style(unit))
    assert found.data.to_pylist() == [value * numbers.UNITS[unit], -value * numbers.UNITS[unit]]


@given(st.integers(0, 99_999_999))
def test_capital_numerals_round_trip(value: int) -> None:
    text = capital(value)
    assert capitals.looks(text)
    assert numbers.parse(text + "元整") == value
    assert numbers.parse(f"{text}元伍角") == value + Decimal("0.5")


@example("零万")
@given(st.text("零壹贰叁拾佰仟万亿元角分整", min_size=1, max_size=9))
def test_capital_numerals_are_no_guess(text: str) -> None:
    """Whatever is read is written back as it stood, but for 零, 元 and 整 that may be left out."""
    value = capitals.parse(text)
    if value is None or value >= 10**8:
        return
    whole = int(value)
    plain = text.split("元", maxsplit=1)[0].rstrip("整零") or "零"
    assert capital(whole).replace("零", "") == plain.replace("零", "")


def capital(value: int) -> str:
    """A whole number below 10^8 in capital numerals, by the textbook."""
    digits = "零壹贰叁肆伍陆柒捌玖"
    places = ("仟", "佰", "拾", "万", "仟", "佰", "拾", "")
    text, gap = "", False
    for digit, place in zip(f"{value:08d}", places, strict=True):
        if digit != "0":
            text += ("零" if gap and text else "") + digits[int(digit)] + place
            gap = False
        else:
            gap = True
            if place == "万" and text:
                text += "万"
    return text or "零"


MESSY = "0123456789.,-+()¥￥元万亿千%eE 　$年_'\u00a0壹拾"


@given(st.text(alphabet=MESSY, max_size=12))
def test_number_or_rule_never_a_guess(text: str) -> None:
    found = numbers.parse_column(pa.array([text]))
    value, why = found.data[0].as_py(), found.rules[0].as_py()
    assert value is None or why is None
    if value is None:
        assert (why is not None) or not text.strip() or found.dashes == 1
        return
    if any(c in text for c in "壹拾"):
        return
    # Every digit of the text is in the number: nothing was skipped.
    digits = "".join(c for c in text if c.isdigit()).lstrip("0")
    kept = "".join(c for c in f"{abs(value):f}" if c.isdigit()).lstrip("0")
    assert kept.startswith(digits.rstrip("0")) or len(digits) > 24


@cache
def alone(cell: str) -> tuple[Decimal | None, str | None]:
    return numbers.parse(cell), rule(cell)


CELLS = [*READABLE, *(t for many in REFUSED.values() for t in many), *EMPTY]


@given(st.lists(st.one_of(st.none(), st.sampled_from(CELLS)), max_size=30), st.randoms())
def test_columns_agree_with_single_values_in_any_order(
    cells: list[str | None], chance: random.Random
) -> None:
    found = numbers.parse_column(pa.array(cells, pa.string()))
    single = [alone(c) if c else (None, None) for c in cells]
    both = list(zip(found.data.to_pylist(), found.rules.to_pylist(), strict=True))
    for cell, got, expected in zip(cells, both, single, strict=True):
        # the column may refuse more than the cell alone would, never another number
        assert got in (expected, (None, "ambiguous_number")), cell
    order = list(range(len(cells)))
    chance.shuffle(order)
    mixed = numbers.parse_column(pa.array([cells[i] for i in order], pa.string()))
    assert mixed.data.to_pylist() == [both[i][0] for i in order]
    assert mixed.rules.to_pylist() == [both[i][1] for i in order]
    assert (mixed.dashes, mixed.rounded) == (found.dashes, found.rounded)


@given(st.text(alphabet="0123456789.,-+() ", max_size=14))
def test_agrees_with_a_plain_reader(text: str) -> None:
    """Without words and signs of currency, a reader of a dozen lines says the same."""
    assert numbers.parse(text) == plainly(text)


def plainly(text: str) -> Decimal | None:
    word = text.strip()
    minus = word.startswith("(") and word.endswith(")")
    word = word[1:-1].strip() if minus else word
    if word[:1] in ("-", "+") and word[:1]:
        if minus:
            return None
        minus, word = word[0] == "-", word[1:].lstrip()
    whole, point, part = word.partition(".")
    whole = whole if point else whole.rstrip()
    for mark in (",", " "):
        groups = whole.split(mark)
        if len(groups) > 1 and 1 <= len(groups[0]) <= 3 and all(len(g) == 3 for g in groups[1:]):
            whole = "".join(groups)
    if not all(p.isdigit() for p in (whole, part) if p) or not whole + part:
        return None
    if (point and not part) or any(c in part for c in " "):
        return None
    value = Decimal(f"{whole or 0}.{part or 0}")
    if value >= numbers.LARGEST:
        return None
    return (-value if minus else value).quantize(Decimal("1e-10"), ROUND_HALF_UP)
