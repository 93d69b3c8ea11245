"""Clusters where there are some, none where there are none: published checks and simulations."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.metrics import adjusted_rand_score

from analysis.segmentation.kmeans import Floats, by_value, centres, distinct, nearest
from analysis.segmentation.stability import (
    against_cloud,
    overlap,
    prediction_strength,
    resampled,
    silhouette,
)

KS = (3, 4, 5)


def standard(values: Floats) -> Floats:
    scaled = (values - values.mean(axis=0)) / values.std(axis=0)
    return scaled[by_value(scaled)]


def blobs(n: int, middles: list[list[float]], seed: int) -> Floats:
    rng = np.random.default_rng(seed)
    at = np.array(middles, dtype=float)[rng.integers(len(middles), size=n)]
    return standard(at + rng.normal(size=at.shape))


def corners(apart: float) -> list[list[float]]:
    """Three centres, each this far from the others."""
    return (np.eye(3) * apart / np.sqrt(2)).tolist()


def test_four_gaussians_are_four() -> None:
    values = blobs(1000, [[0, 0], [8, 0], [0, 8], [8, 8]], 5)
    strength = {k: prediction_strength(values, k, 10, 1) for k in (3, 4, 5)}
    assert strength[4] > 0.95
    assert strength[3] < 0.8
    assert strength[5] < 0.8


@pytest.mark.parametrize("n", [200, 1000])
def test_a_uniform_cube_has_no_clusters(n: int) -> None:
    values = standard(np.random.default_rng(5).uniform(size=(n, 3)))
    assert max(prediction_strength(values, k, 10, 1) for k in KS) < 0.8


@pytest.mark.slow
@pytest.mark.parametrize("n", [200, 1000, 10_000])
def test_a_correlated_cloud_is_a_gradient(n: int) -> None:
    """With many customers strength alone would call its slices clusters; they are no tighter."""
    rng = np.random.default_rng(7)
    values = standard(rng.normal(size=(n, 1)) + 0.5 * rng.normal(size=(n, 3)))
    for k in KS:
        middles = centres(values, k, 1)
        assert middles is not None
        assert against_cloud(values, middles, 0, 1) > 0.85
    if n == 10_000:
        assert prediction_strength(values, 3, 5, 1) > 0.8


def test_a_skewed_cloud_is_a_gradient() -> None:
    rng = np.random.default_rng(7)
    values = standard(rng.gamma(2, size=(5000, 1)) + 0.5 * rng.normal(size=(5000, 3)))
    middles = centres(values, 3, 1)
    assert middles is not None
    assert against_cloud(values, middles, 0, 1) > 0.9


@pytest.mark.slow
def test_power_with_200_customers() -> None:
    """Found where centres are 4.4 deviations apart; where they overlap, better none."""

    def found(apart: float) -> int:
        return sum(_passes(blobs(200, corners(apart), seed)) for seed in range(10))

    assert found(4.4) >= 9
    assert found(2.7) == 0


def _passes(values: Floats) -> bool:
    middles = centres(values, 3, 1)
    assert middles is not None
    strength = prediction_strength(values, 3, 10, 1)
    return strength >= 0.8 and against_cloud(values, middles, 0, 1) <= 0.8


def test_iris_as_published() -> None:
    """k-means finds Fisher's three species of iris with an adjusted Rand index of .730."""
    iris = load_iris()
    order = by_value(iris.data)
    values = iris.data[order]
    middles = centres(values, 3, 1)
    assert middles is not None
    index = adjusted_rand_score(iris.target[order], nearest(values, middles))
    assert index == pytest.approx(0.730, abs=5e-4)


def test_true_clusters_come_back_and_are_tight() -> None:
    values = blobs(400, corners(6), 3)
    middles = centres(values, 3, 1)
    assert middles is not None
    again = resampled(values, middles, 10, 1)
    assert again.jaccard > 0.97
    assert again.agreement > 0.97
    assert against_cloud(values, middles, 0, 1) < 0.6
    assert silhouette(values, nearest(values, middles), 1) > 0.5


def test_a_cluster_too_many_is_weaker_on_every_count() -> None:
    values = blobs(400, corners(6), 3)
    three, four = centres(values, 3, 1), centres(values, 4, 1)
    assert three is not None
    assert four is not None
    assert resampled(values, four, 10, 1).jaccard < resampled(values, three, 10, 1).jaccard
    assert against_cloud(values, four, 0, 1) > against_cloud(values, three, 0, 1)
    assert prediction_strength(values, 4, 10, 1) < 0.8


def test_few_or_equal_rows_say_nothing() -> None:
    same = np.zeros((50, 3))
    assert distinct(same) == 1
    assert distinct(same[:0]) == 0
    assert centres(same, 3, 1) is None
    assert np.isnan(prediction_strength(same, 3, 5, 1))
    five = np.arange(15.0).reshape(5, 3)
    assert np.isnan(prediction_strength(five, 3, 5, 1))
    assert np.isnan(against_cloud(same, same[:3], 0, 1))
    assert np.isnan(silhouette(same, np.zeros(50, dtype=int), 1))


def test_halves_without_enough_distinct_rows_confirm_nothing() -> None:
    values = np.repeat([[0.0], [1.0], [2.0]], [40, 1, 1], axis=0)
    assert prediction_strength(values, 3, 5, 1) == 0


def test_a_pair_is_confirmed_by_hand() -> None:
    """Overlap table and strength of a case small enough to count."""
    labels = np.array([0, 0, 0, 1, 1]), np.array([0, 0, 1, 1, 1])
    assert overlap(*labels, 2).tolist() == [[2, 1], [0, 2]]


def test_equally_near_takes_the_first_and_order_is_by_profile() -> None:
    middles = np.array([[1.0], [-1.0]])
    assert nearest(np.array([[0.0], [-0.1], [3.0]]), middles).tolist() == [0, 1, 0]
    found = centres(np.array([[-5.0], [-4.0], [0.0], [0.5], [9.0], [9.5]]), 3, 1)
    assert found is not None
    assert found[:, 0].tolist() == [9.25, 0.25, -4.5]
