"""Entropy balancing: a published experiment, known truth, and what must not matter."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from bench import published
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import optimize

from analysis.effects.balancing import balancing_weights, matched
from analysis.effects.sensitivity import placebo_outcome

TRAITS = ["a", "b", "c"]


def draw(rng, n, *, strength=0.7, differs=0.3):
    """Customers chosen by their traits; an effect of 1 that differs by the first trait."""
    x = rng.normal(size=(n, 3))
    chosen = rng.random(n) < 1 / (1 + np.exp(1.2 - strength * x.sum(axis=1) / 3**0.5))
    noise = rng.normal(size=n) * (1 + 0.3 * np.abs(x[:, 0]))
    frame = pd.DataFrame(x, columns=TRAITS)
    frame["value"] = x.sum(axis=1) + noise + chosen * (1 + differs * x[:, 0])
    return frame[chosen], frame[~chosen]


@pytest.fixture(scope="module")
def trainees():
    """The training experiment and the survey, LaLonde (1986), Dehejia and Wahba (1999)."""
    try:
        return published.trainees()
    except published.Missing as missing:
        pytest.skip(f"{missing} is not here")


@pytest.mark.realdata
def test_weighting_a_survey_comes_close_to_the_experiment(trainees):
    found = published.weighted()
    assert found.contrast.estimate == pytest.approx(1466.66, abs=0.01)
    assert found.contrast.low < 1794.34 < found.contrast.high
    assert found.balance["distance_weighted"].abs().max() < 1e-6
    assert found.balance["distance"].abs().max() > 1
    assert found.effective_n == pytest.approx(122.17, abs=0.01)
    assert (found.n_treated, found.n_control, found.trimmed) == (185, 15_992, 0)
    assert found.overlap == pytest.approx(183 / 185)


@pytest.mark.realdata
def test_the_earnings_before_betray_what_the_other_traits_do_not_tell(trainees):
    treated, _, survey = trainees
    others = [name for name in published.LALONDE if name != "none75"]
    found = placebo_outcome(treated, survey, others, "re75")
    assert found.estimate == pytest.approx(-1483.86, abs=0.01)
    assert found.high < 0


def test_one_trait_of_two_kinds_is_weighting_by_hand():
    treated = pd.DataFrame({"kind": ["x"] * 6 + ["y"] * 2, "value": np.arange(8.0)})
    control = pd.DataFrame({"kind": ["x"] * 5 + ["y"] * 15, "value": np.arange(20.0) ** 1.5})
    found = matched(treated, control, ["kind"])
    means = control.groupby("kind")["value"].mean()
    expected = treated["value"].mean() - (0.75 * means["x"] + 0.25 * means["y"])
    assert found.contrast.estimate == pytest.approx(expected, abs=1e-8)
    assert list(found.balance["trait"]) == ["kind=x", "kind=y"]
    assert found.balance["control_weighted"].tolist() == pytest.approx([0.75, 0.25], abs=1e-9)
    weights = np.repeat([0.75 / 5, 0.25 / 15], [5, 15])
    assert found.effective_n == pytest.approx(1 / (weights**2).sum(), rel=1e-8)


def test_weights_are_the_nearest_to_equal_ones():
    """The same minimum of the divergence, found by a general solver under constraints."""
    rng = np.random.default_rng(1)
    away = rng.normal(0.3, 1, (12, 2))
    found = balancing_weights(away)
    reference = optimize.minimize(
        lambda w: float((w * np.log(w)).sum()),
        np.full(12, 1 / 12),
        jac=lambda w: np.log(w) + 1,
        bounds=[(1e-9, 1)] * 12,
        constraints=[
            {"type": "eq", "fun": lambda w: w.sum() - 1},
            {"type": "eq", "fun": lambda w: w @ away},
        ],
        method="SLSQP",
        options={"ftol": 1e-14, "maxiter": 500},
    )
    np.testing.assert_allclose(found, reference.x, atol=1e-5)
    np.testing.assert_allclose(found @ away, 0, atol=1e-14)


def test_where_no_weights_exist_none_are_made_up():
    rng = np.random.default_rng(2)
    assert balancing_weights(1 + rng.random((30, 2))) is None
    assert balancing_weights(np.ones((5, 1))) is None
    # a target outside the hull although inside the range of every trait
    corners = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]) - 0.7
    assert balancing_weights(corners) is None


def test_the_error_is_that_of_all_estimating_equations_together():
    """The stacked sandwich, its derivatives taken by differences."""
    rng = np.random.default_rng(3)
    first, second = draw(rng, 3000)
    both = pd.concat([first, second])
    d = np.arange(len(both)) < len(first)
    x, y = both[TRAITS].to_numpy(), both["value"].to_numpy()
    found = matched(first, second, TRAITS)

    def equations(at):
        centre, slopes, mean_first, mean_second = at[:3], at[3:6], at[6], at[7]
        raised = np.exp((x - centre) @ slopes) * ~d
        return np.column_stack(
            [
                (x - centre) * d[:, None],
                raised[:, None] * (x - centre),
                d * (y - mean_first),
                raised * (y - mean_second),
            ]
        )

    centre = first[TRAITS].mean().to_numpy()
    solved = optimize.root(
        lambda s: (np.exp((x[~d] - centre) @ s)[:, None] * (x[~d] - centre)).mean(axis=0),
        np.zeros(3),
        tol=1e-13,
    ).x
    raised = np.exp((x[~d] - centre) @ solved)
    at = np.array([*centre, *solved, y[d].mean(), (raised @ y[~d]) / raised.sum()])
    step = 1e-5
    bread = np.column_stack(
        [
            (equations(at + step * unit).mean(axis=0) - equations(at - step * unit).mean(axis=0))
            / (2 * step)
            for unit in np.eye(8)
        ]
    )
    meat = equations(at).T @ equations(at) / len(y)
    inverse = np.linalg.inv(bread)
    covariance = inverse @ meat @ inverse.T / len(y)
    reading = np.array([0, 0, 0, 0, 0, 0, 1, -1.0])
    assert found.contrast.estimate == pytest.approx(at[6] - at[7], abs=1e-7)
    # HC2 and n − 1 make it larger by about half a percent here
    ratio = found.contrast.std_error / np.sqrt(reading @ covariance @ reading)
    assert 1 <= ratio < 1.015


def test_the_variance_is_that_of_both_sides():
    found = matched(*draw(np.random.default_rng(4), 200), TRAITS)
    total = (
        found.contrast.variance_treated / found.n_treated
        + found.contrast.variance_control / found.n_control
    )
    assert found.contrast.std_error**2 == pytest.approx(total, rel=1e-6)


def test_treated_beyond_the_comparison_are_left_out_only_where_they_must_be():
    control = pd.DataFrame({"a": np.linspace(0, 1, 50), "value": np.linspace(0, 1, 50) ** 2})
    near = pd.DataFrame({"a": np.linspace(0.2, 0.9, 20), "value": 1.0})
    one = matched(pd.concat([near, pd.DataFrame({"a": [1.5], "value": [1.0]})]), control, ["a"])
    assert (one.trimmed, one.n_treated, one.overlap) == (0, 21, pytest.approx(20 / 21))
    far = pd.DataFrame({"a": np.full(20, 3.0), "value": 9.0})
    many = matched(pd.concat([near, far]), control, ["a"])
    assert (many.trimmed, many.n_treated, many.overlap) == (20, 20, 0.5)
    assert many.contrast == matched(near, control, ["a"]).contrast
    assert matched(far, control, ["a"]) is None


def test_what_all_treated_share_the_comparison_shares():
    rng = np.random.default_rng(5)
    first, second = draw(rng, 200)
    first = first.assign(region="north")
    second = second.assign(region=np.where(rng.random(len(second)) < 0.5, "north", "south"))
    found = matched(first, second, [*TRAITS, "region"])
    north = second[second["region"] == "north"]
    assert found.n_control == len(north)
    assert found.contrast.estimate == matched(first, north, TRAITS).contrast.estimate
    assert matched(first, second[second["region"] == "south"], [*TRAITS, "region"]) is None


def test_a_trait_that_says_the_same_twice_changes_nothing():
    first, second = draw(np.random.default_rng(6), 200)
    twice = [frame.assign(d=2 * frame["a"] - frame["b"]) for frame in (first, second)]
    found, base = matched(*twice, [*TRAITS, "d"]), matched(first, second, TRAITS)
    assert found.contrast.estimate == pytest.approx(base.contrast.estimate, abs=1e-8)
    assert found.contrast.std_error == pytest.approx(base.contrast.std_error, abs=1e-8)


def test_too_few_give_nothing():
    first, second = draw(np.random.default_rng(7), 200)
    assert matched(first.head(1), second, TRAITS) is None
    assert matched(first, second.head(1), TRAITS) is None
    assert matched(first.head(3), second.head(4), TRAITS) is None
    assert matched(first.iloc[:0], second, TRAITS) is None


def test_unknown_traits_and_outcomes_are_counted():
    first, second = draw(np.random.default_rng(8), 200)
    first = first.assign(kind="x")
    second = second.assign(kind=["x", None] + ["x"] * (len(second) - 2))
    second.iloc[5, second.columns.get_loc("a")] = np.nan
    first.iloc[0, first.columns.get_loc("value")] = np.nan
    found = matched(first, second, [*TRAITS, "kind"])
    assert found.dropped == 3
    assert (found.n_treated, found.n_control) == (len(first) - 1, len(second) - 2)


def test_errors_of_a_corporate_group_belong_together():
    first, second = draw(np.random.default_rng(9), 300)
    alone = matched(first, second, TRAITS)
    names = [frame.assign(group_id=None) for frame in (first, second)]
    assert matched(*names, TRAITS, group="group_id").contrast == alone.contrast
    thrice = [
        pd.concat([frame.assign(group_id=frame.index.astype(str))] * 3) for frame in (first, second)
    ]
    together = matched(*thrice, TRAITS, group="group_id")
    counted = matched(*thrice, TRAITS)
    # three copies tell no more than one
    assert together.contrast.estimate == pytest.approx(alone.contrast.estimate, abs=1e-8)
    assert together.contrast.std_error == pytest.approx(alone.contrast.std_error, rel=0.03)
    assert counted.contrast.std_error < 0.6 * alone.contrast.std_error


def test_a_constant_outcome_is_an_exact_statement():
    first, second = (frame.assign(value=7.0) for frame in draw(np.random.default_rng(10), 100))
    found = matched(first, second, TRAITS).contrast
    assert (found.estimate, found.std_error, found.p_value) == (0.0, 0.0, 1.0)


@settings(max_examples=25)
@given(seed=st.integers(0, 2**32 - 1), factor=st.sampled_from([1e-3, 0.7, 40.0, 1e5]))
@example(seed=8379, factor=1e-3)  # the last step gains less than rounding takes
def test_order_and_units_do_not_matter(seed, factor):
    first, second = draw(np.random.default_rng(seed), 120)
    base = matched(first, second, TRAITS)
    shuffled = matched(
        first.sample(frac=1, random_state=seed),
        second.sample(frac=1, random_state=seed),
        TRAITS[::-1],
    )
    scaled = matched(
        *(
            frame.assign(value=frame["value"] * factor, a=frame["a"] * 1e4 + 5, b=-frame["b"])
            for frame in (first, second)
        ),
        TRAITS,
    )
    assert shuffled.effective_n == pytest.approx(base.effective_n, rel=1e-7)
    for found, unit in ((shuffled, 1), (scaled, factor)):
        for name in ("estimate", "std_error", "low", "high"):
            expected = unit * getattr(base.contrast, name)
            assert getattr(found.contrast, name) == pytest.approx(expected, abs=1e-7 * unit)
        assert found.balance["distance_weighted"].abs().max() < 1e-9
        assert found.overlap == base.overlap


@pytest.mark.slow
@pytest.mark.requirement("003-07")
def test_bias_is_gone_and_intervals_cover():
    rng = np.random.default_rng(11)
    first, _ = draw(rng, 1_000_000)
    truth = 1 + 0.3 * first["a"].mean()
    runs = 2000
    estimates, naive, covered = np.empty(runs), np.empty(runs), 0
    for run in range(runs):
        first, second = draw(rng, 300)
        found = matched(first, second, TRAITS).contrast
        estimates[run] = found.estimate
        naive[run] = first["value"].mean() - second["value"].mean()
        covered += found.low <= truth <= found.high
    assert naive.mean() - truth > 0.8
    assert estimates.mean() == pytest.approx(truth, abs=4 * estimates.std() / runs**0.5)
    assert 0.935 <= covered / runs <= 0.965
