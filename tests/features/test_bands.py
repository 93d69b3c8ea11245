"""Years as a customer: which day still belongs to which band."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

from analysis import wording
from analysis.features import years_band
from analysis.features.bands import YEARS_BANDS


@pytest.mark.requirement("001-12")
@pytest.mark.parametrize(
    ("since", "as_of", "band"),
    [
        (date(2025, 9, 30), date(2025, 9, 30), "up_to_one"),
        (date(2024, 9, 30), date(2025, 9, 30), "up_to_one"),
        (date(2024, 9, 29), date(2025, 9, 30), "one_to_three"),
        (date(2022, 9, 30), date(2025, 9, 30), "one_to_three"),
        (date(2022, 9, 29), date(2025, 9, 30), "over_three"),
        (date(2023, 9, 30), date(2024, 9, 30), "up_to_one"),  # over a leap day: 366 days
        (date(2021, 9, 30), date(2024, 9, 30), "one_to_three"),
    ],
)
def test_the_upper_end_is_closed(since: date, as_of: date, band: str) -> None:
    days = pd.Series([float((as_of - since).days), float("nan")], index=[7, 3])
    found = years_band(days, as_of)
    assert list(found.index) == [7, 3]
    assert list(found) == [band, None]


def test_every_band_has_words() -> None:
    assert all(wording.has(f"years_band.{band}") for band in YEARS_BANDS)
