"""Populations that have no spread, or nobody in them, from the file to the segments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.calendars import Period
from analysis.cleaning.pipeline import Cleaned, clean
from analysis.errors import ScopeError
from analysis.features import build
from analysis.personas import headline, profile
from analysis.segmentation import as_before, estimate_cuts, load_scheme, scores, segment, summary
from analysis.settings_model import Personas
from analysis.settings_segmentation import Segmentation
from tests.corpus import writers
from tests.corpus.judge import AS_OF, message_faults, read_one, settings
from tests.corpus.sheet import COLUMNS, Sheet, odd

ROOT = Path(__file__).parents[2]
PERIOD = Period.parse("2025Q4")


@dataclass(frozen=True)
class Base:
    """A base of customers from its orders."""

    features: pd.DataFrame
    scores: pd.DataFrame
    segments: pd.DataFrame
    summary: pd.DataFrame
    personas: pd.DataFrame


def _sheet(orders: Sequence[tuple[str, str, str]]) -> Sheet:
    lines = [odd((f"D{n:03d}", *one, None, None), "") for n, one in enumerate(orders)]
    return Sheet(tuple(lines))


def _cleaned(orders: Sequence[tuple[str, str, str]], folder: Path) -> Cleaned:
    (folder / "o.csv").write_bytes(writers.write(_sheet(orders), "csv"))
    chosen = settings({"orders": {"path": "o.csv", "columns": COLUMNS}})
    found = read_one(chosen, folder)
    assert found.read is not None, found.error or found.fault
    return clean(found.read.tables, chosen, AS_OF, found.read.rejected)


def _base(orders: Sequence[tuple[str, str, str]], folder: Path) -> Base:
    cleaned = _cleaned(orders, folder)
    customers, chosen = cleaned.tables["customers"].to_pandas(), Segmentation()
    now = build(cleaned.tables["orders"], customers, as_of=AS_OF, period=PERIOD, settings=chosen)
    cuts = estimate_cuts(now, chosen)
    segments = segment(now, customers, load_scheme("rfm5", ROOT), cuts, chosen)
    told = summary(segments, as_before(segments), now)
    return Base(now, scores(now, cuts), segments, told, profile(segments, now, customers,
                                                                Personas()))  # fmt: skip


ONE = [("C01", f"2025-{month:02d}-03", "10.50") for month in range(8, 12)]
EQUAL = [(f"C{n:02d}", "2025-10-03", "10.50") for n in range(30)]
NEGATIVE = [(f"C{n:02d}", f"2025-{10 + n % 3}-03", f"-{n + 1}.50") for n in range(30)]
ONCE = [(f"C{n:02d}", f"2025-{1 + n % 12:02d}-03", f"{n + 1}.50") for n in range(24)]
ONCE += [(f"C{n:02d}", f"2025-{1 + m:02d}-04", "7.00") for n in range(24, 30) for m in range(9, 12)]
POPULATIONS = {"one": ONE, "equal": EQUAL, "negative": NEGATIVE, "once": ONCE}


@pytest.mark.parametrize("name", POPULATIONS)
def test_every_population_has_finite_scores_and_shares_that_add_up(
    name: str, tmp_path: Path
) -> None:
    orders = POPULATIONS[name]
    base = _base(orders, tmp_path)
    customers = len({customer for customer, _, _ in orders})
    assert len(base.segments) == len(base.scores) == customers
    assert base.segments["segment"].notna().all()
    parts = base.summary[base.summary["segment"] != "all"]
    assert parts["customers"].sum() == customers
    assert parts["share"].sum() == pytest.approx(1)
    assert parts["revenue_share"].between(0, 1).all()
    assert parts["revenue_share"].sum() == pytest.approx(0 if name == "negative" else 1)
    money = sum(Decimal(amount) for _, day, amount in orders if day >= "2025-10-01")
    told = base.summary.loc[base.summary["segment"] == "all", "revenue"].iloc[0]
    assert Decimal(str(told)) == money
    for frame in (base.features, base.summary, base.personas):
        numbers = frame.select_dtypes("number").to_numpy(dtype=float)
        assert not np.isinf(numbers).any()


@pytest.mark.parametrize("name", POPULATIONS)
def test_who_is_alike_is_scored_alike_in_any_order_of_rows(name: str, tmp_path: Path) -> None:
    orders = POPULATIONS[name]
    one = _base(orders, tmp_path)
    other = _base(orders[::-1], tmp_path)
    pd.testing.assert_frame_equal(one.scores, other.scores)
    pd.testing.assert_frame_equal(one.segments, other.segments)
    keys = ["recency_days", "frequency", "monetary"]
    joined = one.features.merge(one.scores, on="customer_id", suffixes=("_is", ""))
    names = [f"{key}_is" if f"{key}_is" in joined else key for key in keys]
    apart = joined.groupby(names, dropna=False)[["recency", "frequency", "monetary"]].nunique()
    assert (apart.iloc[:, :] == 1).all().all()


def test_of_customers_without_any_difference_none_is_ranked_above_another(tmp_path: Path) -> None:
    base = _base(EQUAL, tmp_path)
    assert len(set(base.segments["segment"])) == 1
    assert base.scores.drop(columns="customer_id").drop_duplicates().shape[0] == 1


def test_one_customer_has_no_persona_to_speak_of(tmp_path: Path) -> None:
    personas = _base(ONE, tmp_path).personas
    assert not personas["notable"].any()
    assert (headline(personas)[["feature", "trait", "pain"]] == "").all().all()


@pytest.mark.parametrize(
    "orders",
    [
        [("", "2025-10-03", "5.00"), ("", "2025-10-04", "6.00")],
        [("C01", "2031-01-01", "5.00")],
        [("测试账号", "2025-10-03", "5.00")],
    ],
    ids=["no number", "all in the future", "test accounts"],
)
def test_nobody_is_exit_code_4(orders: list[tuple[str, str, str]], tmp_path: Path) -> None:
    with pytest.raises(ScopeError) as caught:
        _cleaned(orders, tmp_path)
    assert caught.value.exit_code == 4
    assert not message_faults(caught.value, "")
