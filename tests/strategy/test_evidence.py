"""What is known of each measure: this period, and every period on record."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from analysis.strategy.evidence import Evidence, read
from analysis.tables import RECORD

from .conftest import effect


def looked(strategy, period, **more):
    """A row of RECORD evidence."""
    row = {
        "strategy": strategy, "arm": "treated", "outcome": "revenue", "period": period,
        "grade": "A", "estimate": 1_000.0, "std_error": 500.0, "unit": "money", "n_treated": 40,
        "n_control": 20, "look": 1, "together": 1_000.0, "together_error": 500.0,
        "together_low": -1_500.0, "together_high": 3_500.0, "cost_per_customer": 3_000.0,
        "verdict": "cannot_tell", "decision": "keep_testing",
    }  # fmt: skip
    return row | more


def record(*rows):
    return pd.DataFrame(rows, columns=RECORD["evidence"].names)


def test_what_was_stopped_earlier_stays_stopped():
    past = record(looked("win_back_offer", "2025Q3", decision="stop"))
    now = pd.DataFrame([effect("executive_visit")])
    found = read(now, past)["win_back_offer"]
    assert found.stopped
    assert not found.current
    assert found.cost == 40 * 3_000
    assert found.estimate == 1_000  # and it is no "no evidence yet"
    assert found.treated == 40
    # nobody had it since: a period without a comparison changes nothing
    idle = record(
        looked("win_back_offer", "2025Q3", decision="stop"),
        looked("win_back_offer", "2025Q4", grade="D", decision="none", std_error=np.nan),
    )
    assert read(now, idle)["win_back_offer"].stopped
    weak = effect("win_back_offer", "cannot_tell", decision="keep_testing")
    assert read(pd.DataFrame([weak]), past)["win_back_offer"].stopped


def test_it_comes_back_when_it_worked_or_somebody_says_so():
    past = record(looked("win_back_offer", "2025Q3", decision="stop"))
    worked = pd.DataFrame([effect("win_back_offer", "worked")])
    assert not read(worked, past)["win_back_offer"].stopped
    later = record(
        looked("win_back_offer", "2025Q3", decision="stop"),
        looked("win_back_offer", "2025Q4", verdict="worked", decision="expand"),
    )
    assert not read(None, later)["win_back_offer"].stopped
    assert read(None, later)["win_back_offer"].proven
    resumed = read(None, past, resume=["win_back_offer"])["win_back_offer"]
    assert not resumed.stopped
    assert resumed.unsettled


def test_records_without_decisions_speak_by_their_verdict():
    past = record(looked("a", "2025Q3", verdict="did_not_pay"), looked("b", "2025Q3"))
    found = read(None, past.drop(columns="decision"))
    assert found["a"].stopped
    assert not found["b"].stopped
    assert found["b"].decision == "keep_testing"


def test_all_periods_together_count():
    past = record(
        looked("s", "2025Q2"),
        looked("s", "2025Q3", look=2, estimate=3_000.0, together=2_000.0, together_error=353.6),
    )
    now = pd.DataFrame([effect("s", "worked", value=3_000.0, std_error=500.0)])
    found = read(now, past)["s"]
    assert (found.estimate, found.error) == (2_000.0, 353.6)
    assert found.low == pytest.approx(2_000 - 1.96 * 353.6, abs=0.1)
    assert read(now, past.iloc[:1])["s"].estimate == 3_000  # one look: the period's own
    # a period that says nothing leaves what was known
    silent = pd.DataFrame([effect("s", "cannot_tell", value=np.nan, std_error=np.nan)])
    assert read(silent, past)["s"].estimate == 2_000


def test_the_segment_it_is_planned_for_counts():
    rows = [effect("s"), effect("s", segment="potential", pooled=20_000.0, pooled_low=10_000.0,
                                pooled_high=30_000.0)]  # fmt: skip
    found = read(pd.DataFrame(rows), homes={"s": "potential"})["s"]
    assert (found.estimate, found.low) == (20_000, 10_000)
    assert found.error == pytest.approx(10_000 / 1.959964)
    assert found.by_segment
    assert read(pd.DataFrame(rows), homes={"s": "new"})["s"].estimate == 60_000
    alone = [rows[0], effect("s", segment="potential", pooled=math.nan)]
    assert read(pd.DataFrame(alone), homes={"s": "potential"})["s"].estimate == 60_000


def test_the_order_of_rows_does_not_matter():
    past = record(
        looked("a", "2025Q2", decision="stop"), looked("a", "2025Q3", decision="none", grade="D"),
        looked("b", "2025Q2"), looked("b", "2025Q3", look=2, together=500.0),
    )  # fmt: skip
    now = pd.DataFrame([effect("b"), effect("c", "did_not_pay"), effect("c", arm="other")])
    first = read(now, past)
    assert repr(read(now.iloc[::-1], past.iloc[::-1])) == repr(first)
    assert list(first) == ["a", "b", "c"]
    assert not first["c"].stopped  # one arm is left


def test_what_worked_stays_proven_until_it_is_stopped():
    worked = looked("visit", "2025Q2", decision="expand")
    unsure = looked("visit", "2025Q3", grade="D", decision="none", estimate=np.nan,
                    std_error=np.nan)  # fmt: skip
    found = read(None, record(worked, unsure))["visit"]
    assert found.proven
    assert (found.judged_in, found.estimate, found.error) == ("2025Q2", 1_000.0, 500.0)
    stopped = looked("visit", "2025Q3", verdict="did_not_pay", decision="stop")
    assert not read(None, record(worked, stopped))["visit"].proven
    assert not read(None, record(looked("visit", "2025Q2")))["visit"].proven


def test_a_draw_on_record_outweighs_a_later_look_without_one():
    past = record(looked("visit", "2025Q2"), looked("visit", "2025Q3", grade="C", estimate=9_000.0))
    now = pd.DataFrame([effect("visit", grade="C", value=9_000.0)])
    found = read(now, past)["visit"]
    assert (found.grade, found.estimate) == ("A", 1_000.0)


def test_the_chance_that_it_pays():
    one = Evidence(estimate=300.0, error=50.0, planned=300.0)
    assert one.chance(300.0) == 0.5
    assert one.chance(202.0) == pytest.approx(0.975, abs=1e-3)
    assert math.isnan(Evidence().chance(0.0))
