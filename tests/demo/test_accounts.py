"""Numbers, codes and names of one company in two systems."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.demo import words
from analysis.demo.accounts import credit_codes, erp_codes, variant


@pytest.fixture
def population():
    return pd.DataFrame(
        {
            "customer_id": ["KH000001", "KH000002", "KH000003"],
            "region": ["华东", "东北", "华东"],
            "need": ["标准件", "定制件", "组合方案"],
            "joined": pd.to_datetime(["2024-01-05", "2016-03-01", "2025-02-01"]),
            "same_as": [-1, -1, 0],
        }
    )


def test_codes_run_in_the_order_in_which_customers_came(population):
    assert erp_codes(population, 0).tolist() == ["0101000002", "0603000001", "0102000003"]


def test_a_customer_that_comes_later_changes_no_code(population):
    assert erp_codes(population.iloc[:2], 0).tolist() == erp_codes(population, 0)[:2].tolist()


def test_credit_codes_hold_their_check_letter(population):
    letters = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    found = credit_codes(population)
    assert found[2] == found[0] != found[1]
    for code in found:
        assert len(code) == 18
        weights = [3**n % 31 for n in range(17)]
        total = sum(letters.index(c) * w for c, w in zip(code, weights, strict=False))
        assert (total + letters.index(code[17])) % 31 == 0


def test_a_name_is_written_in_four_ways():
    city = "苏州"
    found = [variant("苏州岱铎电子有限公司", city, "电子制造", n) for n in range(4)]
    assert found == [
        "苏州岱铎电子",
        "岱铎电子（苏州）有限公司",
        "岱铎电子",
        "Suzhou Daiduo Electronics Co., Ltd.",
    ]


def test_every_city_and_syllable_can_be_written_in_letters():
    cities = {c for _, provinces in words.REGIONS.values() for p in provinces.values() for c in p}
    assert cities == set(words.LATIN_CITIES)
    assert set(words.BRAND_FIRST + words.BRAND_SECOND) == set(words.LATIN)
    assert np.all([latin.isascii() for latin in words.LATIN.values()])
