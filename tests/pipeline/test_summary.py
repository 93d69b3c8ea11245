"""The last lines of a run."""

import pandas as pd
import pytest

from analysis.pipeline.summary import _measures
from analysis.wording import Language

COLUMNS = ["strategy", "arm", "outcome", "segment", "verdict"]


@pytest.mark.parametrize(("lang", "said"), [("en", "none of last period"), ("zh", "没有登记")])
def test_without_measures_none_are_counted(lang: Language, said: str) -> None:
    line = _measures(pd.DataFrame(columns=COLUMNS), lang)
    assert said in line
    assert "0" not in line


def test_measures_are_counted_once_whatever_their_segments() -> None:
    rows = [
        ("visit", "treated", "revenue", "all", "worked"),
        ("visit", "treated", "revenue", "high_value", "cannot_tell"),
        ("offer", "treated", "revenue", "all", "cannot_tell"),
    ]
    line = _measures(pd.DataFrame(rows, columns=COLUMNS), "en")
    assert line.endswith("1 worked, 0 did not pay, 1 too early to tell")
