"""How an effect grows with the customer: a known truth, the prior, and what stays empty."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import effects
from analysis.effects.scaling import interaction, shape
from analysis.settings_measures import Effectiveness
from analysis.tables import RECORD

WINDOWS = ["money_1", "money_2", "money_3", "money_4"]
SETTINGS = Effectiveness()


def draw(seed: int, elasticity: float, n: int = 400, effect: float = 0.5) -> dict[str, np.ndarray]:
    """A firm's customers, half of them treated; the effect is a share of the mean usual money."""
    rng = np.random.default_rng(seed)
    usual = rng.lognormal(10, 0.9, n)
    before, after = usual * rng.lognormal(-0.045, 0.3, (2, n))
    treated = rng.permutation(np.arange(n) % 2).astype(float)
    adds = effect * usual.mean() * ((1 - elasticity) + elasticity * usual / usual.mean())
    return {"value": after + adds * treated, "before": before, "usual": usual, "treated": treated}


def found(seed: int, elasticity: float, proportional: float = 0.5, **more: float):
    rows = draw(seed, elasticity, **more)
    fitted = interaction(**rows, groups=np.arange(len(rows["usual"])).astype(str))
    assert fitted is not None
    return shape(fitted, proportional), rows["usual"].mean()


@pytest.mark.parametrize("elasticity", [0.0, 0.5, 1.0])
def test_the_planted_elasticity_and_effect_are_found(elasticity):
    runs = [found(seed, elasticity) for seed in range(60)]
    inside = [s.elasticity_low <= elasticity <= s.elasticity_high for s, _ in runs]
    assert np.mean(inside) >= 0.9
    assert np.mean([s.elasticity for s, _ in runs]) == pytest.approx(elasticity, abs=0.12)
    assert np.mean([s.estimate / size for s, size in runs]) == pytest.approx(0.5, abs=0.03)


def test_over_what_is_usual_the_intervals_hold():
    """As often as they say where elasticities come as the prior says (Cook et al. 2006)."""
    rng = np.random.default_rng(4)
    truths = [1.0 if rng.random() < 0.5 else rng.random() for _ in range(150)]
    runs = [found(seed, e) for seed, e in enumerate(truths)]
    inside = [
        s.elasticity_low <= e <= s.elasticity_high for (s, _), e in zip(runs, truths, strict=True)
    ]
    covered = [s.low <= 0.5 * size <= s.high for s, size in runs]
    assert np.mean(inside) >= 0.9
    assert np.mean(covered) >= 0.9


def test_without_an_effect_the_prior_stays():
    runs = [found(seed, 1.0, proportional=0.5, n=60, effect=0.0)[0] for seed in range(40)]
    assert np.mean([s.elasticity for s in runs]) == pytest.approx(0.75, abs=0.1)
    assert np.mean([s.elasticity_low for s in runs]) < 0.3


def test_a_sure_prior_says_in_proportion():
    one, _ = found(1, 0.0, proportional=1.0)
    assert (one.elasticity, one.elasticity_low, one.chance) == (1.0, 1.0, pytest.approx(1.0))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.floats(0, 1), st.floats(0.001, 1000))
def test_the_unit_of_money_does_not_matter(seed, proportional, unit):
    rows = draw(seed, 0.7, n=80)
    groups = np.arange(80).astype(str)
    scaled = {k: v if k == "treated" else v * unit for k, v in rows.items()}
    one = shape(interaction(**rows, groups=groups), proportional)
    other = shape(interaction(**scaled, groups=groups), proportional)
    assert other.elasticity == pytest.approx(one.elasticity, rel=1e-6, abs=1e-9)
    assert other.estimate == pytest.approx(one.estimate * unit, rel=1e-6)
    assert other.std_error == pytest.approx(one.std_error * unit, rel=1e-6)
    assert one.low <= one.estimate <= one.high
    assert 0 <= one.elasticity_low <= one.elasticity_high <= 1


def tables(rows: dict[str, np.ndarray]):
    ids = [f"C{i:04d}" for i in range(len(rows["usual"]))]
    arm = np.where(rows["treated"] == 1, "treated", "held_out")
    treatments = pd.DataFrame({"customer_id": ids, "strategy": "visit", "arm": arm, "cost": 10.0})
    outcomes = pd.DataFrame(
        {"customer_id": ids, "outcome": "revenue", "value": rows["value"], "before": rows["before"]}
    )
    traits = pd.DataFrame({"customer_id": ids} | dict.fromkeys(WINDOWS, rows["usual"]))
    judged = effects.estimate(treatments, outcomes, SETTINGS, 1).effects
    return judged, treatments, outcomes, traits


def test_the_table_of_a_draw():
    judged, treatments, outcomes, traits = tables(draw(3, 1.0))
    got = effects.scaling(judged, treatments, outcomes, traits, SETTINGS)
    assert list(got.columns) == RECORD["effect_scaling"].names
    row = got.iloc[0]
    assert (row["strategy"], row["arm"], row["form"]) == ("visit", "treated", "proportional")
    assert row["effect_share"] == pytest.approx(0.5, abs=0.1)
    assert row["effect_share"] == pytest.approx(row["estimate"] / row["mean_money"])
    assert (row["n_treated"], row["n_control"]) == (200, 200)
    # the promise to those who were drawn adds up to what was measured on them
    u = traits["money_1"] / row["mean_money"]
    promised = row["estimate"] * ((1 - row["elasticity"]) + row["elasticity"] * u)
    assert promised.mean() == pytest.approx(row["estimate"])
    # order and names of the rows do not matter
    mixed = [frame.sample(frac=1, random_state=1) for frame in (treatments, outcomes, traits)]
    again = effects.scaling(judged, *mixed, SETTINGS)
    pd.testing.assert_frame_equal(again, got)


def test_a_fixed_amount_is_called_constant():
    got = effects.scaling(*tables(draw(5, 0.0, n=2000)), SETTINGS)
    assert got["form"].tolist() == ["constant"]


@pytest.mark.parametrize("why", ["no draw", "no traits", "no before", "too few", "no money"])
def test_without_a_draw_or_the_money_before_it_is_empty_but_valid(why):
    judged, treatments, outcomes, traits = tables(draw(3, 1.0, n=30 if why == "too few" else 60))
    if why == "no draw":
        judged = judged.assign(grade="C")
    elif why == "no traits":
        traits = None
    elif why == "no before":
        outcomes = outcomes.drop(columns="before")
    elif why == "no money":
        traits[WINDOWS] = 0.0
    got = effects.scaling(judged, treatments, outcomes, traits, SETTINGS)
    assert list(got.columns) == RECORD["effect_scaling"].names
    assert got.empty


def test_draws_of_several_periods_are_put_together():
    first = effects.scaling(*tables(draw(3, 1.0)), SETTINGS)
    both = effects.scaling(*tables(draw(4, 1.0)), SETTINGS, history=first)
    alone = effects.scaling(*tables(draw(4, 1.0)), SETTINGS)
    assert list(both.columns) == RECORD["effect_scaling"].names
    one, other, row = first.iloc[0], alone.iloc[0], both.iloc[0]
    assert row["effect_share_error"] < min(one["effect_share_error"], other["effect_share_error"])
    shares = sorted([one["effect_share"], other["effect_share"]])
    assert shares[0] < row["effect_share"] < shares[1]
    assert row["estimate"] == pytest.approx(row["effect_share"] * row["mean_money"])
    assert row["low"] < row["estimate"] < row["high"]
    assert row["n_treated"] == one["n_treated"] + other["n_treated"]
    # what was not drawn this time stands as it was
    judged, *rest = tables(draw(4, 1.0))
    kept = effects.scaling(judged.assign(grade="C"), *rest, SETTINGS, history=first)
    pd.testing.assert_frame_equal(kept, first)
