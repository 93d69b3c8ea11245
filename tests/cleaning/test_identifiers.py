"""Phones, mail addresses and registry numbers: what can be somebody's."""

from __future__ import annotations

import random
from datetime import date

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import uscc
from stdnum.iso7064 import mod_11_10

from analysis.cleaning import credit_codes, emails, phones, quality
from analysis.settings_sources import Cleaning
from analysis.tables import INPUT

PHONES = (
    "13912345679", "+86 139 1234 5679", "86-13912345679", "0086 13912345679", "(86)13912345679",
    "013912345679", "139-1234-5679", "１３９１２３４５６７９", "010-62551234", "(010)62551234",
    "021 6255 1234", "029-8123456", "0571-87051234转801", "0571-87051234-801",
    "0571-87051234 ext 801", "01062551234-8", "400-820-8820", "4008208820转1", "800-810-1234",
    "+86 10 6255 1234", "+8601062551234", "+1 415 555 2671", "6255123",
    "13912345679/010-62551234", "13912345679、待定",
)  # fmt: skip
NO_PHONES = (
    "13800000000", "12345678901", "13888888888", "010-87654321", "+86 123", "+861234567890",
    "139123456", "1391234567", "139123456789", "电话", "", "0000-0000000", "11111111", "110",
    "1.39123E+10", "无",
)  # fmt: skip
MAILS = ("a@b.cn", "a.b@c-d.com.cn", " sales@firm.com ", "Ａ@b.cn")
NO_MAILS = ("a..b@c.com", "test@x.com", "x@example.com", "张@x.com", "a@b", "a b@c.cn", "", "无",
            "a" * 65 + "@b.cn", "a@-b.cn", "@b.cn")  # fmt: skip
# GB 32100-2015 codes in public registers; the organisation code of GB 11714-1997's annex.
CODES = ("91110000600037341L", "91440300708461136T", "91110000 600037341l", "D2143569-X",
         "９１１１００００６０００３７３４１Ｌ")  # fmt: skip
NO_CODES = ("91110000600037341K", "9111000060003734L", "91110000600037341I", "D2143569-1", "",
            "123456789012346", "00110000600037341L", "待办")  # fmt: skip


@pytest.mark.parametrize(
    ("valid", "good", "wrong"),
    [
        (phones.valid, PHONES, NO_PHONES),
        (emails.valid, MAILS, NO_MAILS),
        (credit_codes.valid, CODES, NO_CODES),
    ],
    ids=["phones", "mails", "codes"],
)
def test_form_and_check_digit(valid, good, wrong) -> None:
    values = pa.array([*good, *wrong, None])
    found = dict(zip(values.to_pylist(), valid(values).to_pylist(), strict=True))
    assert found == dict.fromkeys(good, True) | dict.fromkeys(wrong, False) | {None: None}
    chunks = pa.chunked_array([values.slice(0, 3), values.slice(3)])
    assert valid(chunks).to_pylist() == list(found.values())
    assert len(valid(pa.array([], pa.string()))) == 0


_UNIFIED = "0123456789ABCDEFGHJKLMNPQRTUWXY"


@given(st.lists(st.text(_UNIFIED, min_size=10, max_size=10), min_size=1, max_size=20))
def test_codes_agree_with_another_library(endings: list[str]) -> None:
    codes = ["91110000" + ending for ending in endings]
    codes += [code[:-1] + uscc.calc_check_digit(code) for code in codes]
    found = credit_codes.valid(pa.array(codes)).to_pylist()
    assert found == [uscc.is_valid(code) for code in codes]
    assert all(found[len(endings) :])


@given(st.lists(st.text("0123456789", min_size=14, max_size=14), min_size=1, max_size=20))
def test_old_registration_numbers_agree_with_another_library(bases: list[str]) -> None:
    numbers = [f"{base}{digit}" for base in bases for digit in range(10)]
    found = credit_codes.valid(pa.array(numbers)).to_pylist()
    assert found == [mod_11_10.is_valid(number) for number in numbers]


@given(st.text(_UNIFIED, min_size=9, max_size=9), st.integers(0, 17), st.sampled_from(_UNIFIED))
def test_one_wrong_character_is_found(ending: str, place: int, letter: str) -> None:
    code = "91110000" + ending
    code += uscc.calc_check_digit(code + "0")
    wrong = code[:place] + letter + code[place + 1 :]
    assert credit_codes.valid(pa.array([wrong]))[0].as_py() == (wrong == code)


@given(st.text("0123456789+-() 转/", max_size=18))
def test_spacing_does_not_decide_of_a_phone(text: str) -> None:
    spaced = text.replace("", " ") if "/" not in text and "转" not in text else text
    if "-" in text:
        return
    both = phones.valid(pa.array([text, spaced])).to_pylist()
    assert both[0] == both[1]


def test_quality_counts_them_in_any_order() -> None:
    cells = [*zip(PHONES, ("91110000600037341L",) * len(PHONES), strict=True)]
    cells += [*zip(NO_PHONES[:8], NO_CODES, strict=True)]
    random.Random(1).shuffle(cells)
    names = INPUT["customers"].schema()
    table = pa.table(
        {
            f.name: pa.nulls(len(cells), f.type)
            if f.name not in ("phone", "credit_code", "customer_id")
            else pa.array([c[f.name == "credit_code"] or None for c in cells])
            if f.name != "customer_id"
            else pa.array([f"C{i}" for i in range(len(cells))])
            for f in names
        }
    )
    found = quality.assess({"customers": table}, Cleaning(), date(2025, 9, 30))
    rows = found[found["check"] == "validity"].set_index("field")[["passed", "failed"]]
    assert rows.loc["phone"].tolist() == [len(PHONES), 8]
    assert rows.loc["credit_code"].tolist() == [len(PHONES), 7]
