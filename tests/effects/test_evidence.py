"""Evidence over periods: bounds of the looks, weights, what is put together and what is not."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from bench.published import looks_at_nothing, six_looks
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.effects.estimate import estimate
from analysis.effects.evidence import accumulate, bound, decided, obrien_fleming
from analysis.engine import conform
from analysis.settings_measures import Effectiveness
from analysis.tables import RECORD

PERIODS = ["2024Q1", "2024Q2", "2024Q3", "2024Q4", "2025Q1", "2025Q2"]


def effect(period="2025Q2", estimate=5.0, error=1.0, **more):
    return {
        "strategy": "visit",
        "arm": "treated",
        "outcome": "revenue",
        "period": period,
        "grade": "A",
        "estimate": estimate,
        "std_error": error,
        "unit": "money",
        "n_treated": 100,
        "n_control": 50,
        "cost_per_customer": 0.6,
        "margin_rate": 0.3,
    } | more


def told(*effects, history=None):
    for one in effects:
        history = accumulate(pd.DataFrame([one]), history)
    return history


def last(*effects):
    return told(*effects).iloc[-1]


def test_bounds_as_tabulated():
    """Jennison and Turnbull (2000), Group Sequential Methods, table 2.3, 5 % two-sided."""
    published = {1: 1.960, 2: 1.977, 3: 2.004, 4: 2.024, 5: 2.040, 6: 2.053, 10: 2.087}
    for looks, constant in published.items():
        assert obrien_fleming(looks) == pytest.approx(constant, abs=1e-3)
    assert bound(1) == pytest.approx(2.053 * math.sqrt(6), abs=2e-3)
    assert bound(6) == pytest.approx(2.053, abs=1e-3)
    assert bound(6) < bound(8) < 2.1  # beyond the planned looks: no free ones
    assert obrien_fleming(6, 0.99) > 2.576


def test_together_is_weighted_by_precision():
    found = last(effect("2025Q1", 4.0, 1.0), effect("2025Q2", 10.0, 2.0))
    assert found["together"] == pytest.approx((4 * 1 + 10 * 0.25) / 1.25)
    assert found["together_error"] == pytest.approx(1 / math.sqrt(1.25))
    assert found["look"] == 2
    half = bound(2) * found["together_error"]
    assert found["together_high"] - found["together"] == pytest.approx(half)
    conform(told(effect()), RECORD["evidence"])


def test_small_periods_settle_it_in_the_end():
    """Too little each, enough together: the verdict comes at the fourth look and stays."""
    found = told(*(effect(period, 5.0, 2.0) for period in PERIODS))
    assert list(found["look"]) == [1, 2, 3, 4, 5, 6]
    assert list(found["verdict"]) == ["cannot_tell"] * 3 + ["worked"] * 3
    stopped = told(*(effect(period, -0.5, 1.0) for period in PERIODS))
    assert stopped["verdict"].iloc[-1] == "did_not_pay"


def test_a_changed_cost_keeps_the_effect_and_not_the_return():
    cheap = last(*(effect(p, 5.0, 1.0) for p in PERIODS))
    dear = last(
        *(effect(p, 5.0, 1.0) for p in PERIODS[:-1]), effect("2025Q2", cost_per_customer=1.8)
    )
    assert dear["together"] == cheap["together"]
    assert (cheap["verdict"], dear["verdict"]) == ("worked", "did_not_pay")  # 2 and 6 to reach
    hopeless = last(*(effect(p, 5.0, 0.1, margin_rate=0.0) for p in PERIODS))
    assert hopeless["verdict"] == "did_not_pay"


def test_what_is_no_fair_comparison_is_listed_but_not_put_together():
    rows = [effect("2024Q4"), effect("2025Q1", 50.0, 0.1, grade="C"), effect("2025Q2")]
    found = told(*rows)
    assert len(found) == 3
    assert list(found["look"]) == [1, 1, 2]
    assert found["together"].iloc[-1] == pytest.approx(5.0)
    none = last(effect(grade="D", estimate=math.nan, error=math.nan))
    assert (none["look"], none["verdict"]) == (0, "cannot_tell")
    assert math.isnan(none["together"])
    other = last(effect("2025Q1", 0.2, 0.1, unit="share"), effect("2025Q2"))
    assert other["look"] == 1


def test_a_repeated_period_counts_once():
    history = told(effect("2025Q1", 1.0), effect("2025Q2", 99.0))
    again = accumulate(pd.DataFrame([effect("2025Q2", 3.0)]), history)
    assert len(again) == 2
    assert again["together"].iloc[-1] == pytest.approx(2.0)
    assert accumulate(pd.DataFrame([effect()]).iloc[:0], None).empty
    assert accumulate(pd.DataFrame([effect()]).iloc[:0], history).equals(history)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.floats(-100, 100), st.floats(0.5, 20)), min_size=2, max_size=6),
    st.randoms(),
)
def test_order_and_monotony(cases, random):
    periods = PERIODS[: len(cases)]
    rows = [effect(p, e, s) for p, (e, s) in zip(periods, cases, strict=True)]
    history = told(*rows[:-1])
    shuffled = history.sample(frac=1, random_state=random.randrange(1000))
    found = accumulate(pd.DataFrame(rows[-1:]), history)
    pd.testing.assert_frame_equal(found, accumulate(pd.DataFrame(rows[-1:]), shuffled))
    errors = found["together_error"].to_numpy()
    assert (np.diff(errors) <= 1e-9).all()  # more evidence never knows less
    widths = (found["together_high"] - found["together_low"]).to_numpy()
    assert (np.diff(widths) < 1e-9).all()
    better = accumulate(pd.DataFrame([rows[-1] | {"estimate": cases[-1][0] + 10}]), history)
    assert better["together"].iloc[-1] > found["together"].iloc[-1]


@pytest.mark.slow
def test_six_looks_at_nothing():
    """No effect: six looks at 95 % find one in 15 of 100 measures, by these bounds in 5."""
    rng = np.random.default_rng(6)
    errors = np.array([1.0, 0.7, 1.3, 1.0, 0.8, 1.2])
    for ours, naive in (six_looks(), looks_at_nothing(rng, errors)):
        assert 0.14 <= naive <= 0.17
        assert 0.044 <= ours <= 0.056  # 20,000 runs: ± 0.0015


@pytest.mark.slow
def test_the_table_itself_holds_its_level():
    """The same through `accumulate`: 400 measures without effect or cost, six periods."""
    rng = np.random.default_rng(11)
    history = None
    for period in PERIODS:
        rows = [
            effect(period, rng.normal(), 1.0, strategy=f"s{i}", cost_per_customer=0.0)
            for i in range(400)
        ]
        history = accumulate(pd.DataFrame(rows), history)
    alarm = history["verdict"].ne("cannot_tell").groupby(history["strategy"]).any()
    assert alarm.mean() <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 400)
    assert alarm.any()


def test_a_roll_out_is_not_counted_twice():
    """Each of its estimates contains the starts before; a draw is another comparison."""
    rolled = [effect(PERIODS[at], 5.0, 2.0 - at / 2, grade="B") for at in range(3)]
    found = told(*rolled).iloc[-1]
    assert (found["look"], found["together"], found["together_error"]) == (3, 5.0, 1.0)
    both = told(effect(PERIODS[0], 2.0, 1.0), *rolled[1:]).iloc[-1]
    assert both["together"] == pytest.approx(3.5)
    assert both["together_error"] == pytest.approx(math.sqrt(0.5))


def test_the_decision_is_kept_with_its_period():
    history = told(effect("2025Q1"), effect("2025Q2"))
    rows = pd.DataFrame([effect("2025Q2") | {"segment": "all", "decision": "stop"}])
    found = decided(history, rows, "2025Q2")
    assert found["decision"].tolist()[1] == "stop"
    assert pd.isna(found["decision"].iloc[0])
    later = told(effect("2025Q3"), history=found)
    assert later["decision"].tolist()[1] == "stop"
    assert conform(later, RECORD["evidence"]).num_rows == 3
    # records of before knew no decision
    old = told(effect("2025Q3"), history=history.drop(columns="decision"))
    assert old["decision"].isna().all()


def test_a_period_without_measures_keeps_the_record():
    history = decided(told(effect("2025Q1")), pd.DataFrame(
        [effect("2025Q1") | {"segment": "all", "decision": "stop"}]), "2025Q1")  # fmt: skip
    nothing = pd.DataFrame(columns=["customer_id", "strategy", "arm"])
    found = estimate(nothing, nothing, Effectiveness(), 7, history=history)
    pd.testing.assert_frame_equal(found.evidence, history)
    assert estimate(nothing, nothing, Effectiveness(), 7).evidence.empty
