"""The challenger: the same answer for the same customers, and none where there is none."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import wording
from analysis.engine import conform
from analysis.segmentation import agreement, challenge, cluster_word, crosstab, disputed
from analysis.segmentation.clusters import FEATURES, Challenger, fit_scale, standardise
from analysis.settings_segmentation import Clusters
from analysis.tables import RECORD

QUICK = Clusters(splits=5, resamples=5)
KINDS = {  # segment → log orders, log money in orders, log cycles
    "high_value": (3.2, 3.5, -1.2),
    "new": (0.7, 0.0, -1.2),
    "churn_risk": (1.8, 0.3, 1.6),
}


def base(n: int = 200, seed: int = 3, unit: float = 1.0) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Customers of three kinds, far apart, and what the rules say of them."""
    rng = np.random.default_rng(seed)
    kind = rng.integers(len(KINDS), size=n)
    at = np.array(list(KINDS.values()))[kind] + 0.25 * rng.normal(size=(n, 3))
    ids = [f"C{i:05d}" for i in range(n)]
    features = pd.DataFrame(
        {
            "customer_id": ids,
            "frequency": np.exp(at[:, 0]),  # not whole: each small count would be a group
            "monetary": np.round(unit * 1000 * np.exp(at[:, 1]), 4),
            "mean_order": np.round(unit * 1000 * np.exp(0.3 * rng.normal(size=n)), 4),
            "recency_cycles": np.exp(at[:, 2]),
        }
    )
    segments = pd.DataFrame({"customer_id": ids, "segment": np.array(list(KINDS))[kind]})
    return features, segments


@pytest.fixture(scope="module")
def found() -> Challenger:
    return challenge(*base(), QUICK, 20250101)


def same(one: Challenger, two: Challenger) -> None:
    for name in ("choice", "clusters", "profiles"):
        pd.testing.assert_frame_equal(getattr(one, name), getattr(two, name), check_exact=True)
    assert (one.left_out, one.finding) == (two.left_out, two.finding)


def test_three_kinds_are_found_named_and_agree(found: Challenger) -> None:
    assert found.choice.set_index("k")["chosen"].to_dict() == {3: True, 4: False, 5: False}
    assert found.clusters["agrees"].mean() > 0.98
    assert set(found.clusters["cluster"]) == set(KINDS)
    for name in ("cluster_choice", "clusters", "cluster_profiles"):
        part = {"cluster_choice": "choice", "cluster_profiles": "profiles"}.get(name, name)
        conform(getattr(found, part), RECORD[name])
    assert json.loads(found.finding)["key"] == "cluster.found"


@pytest.mark.requirement("001-13", "001-14")
def test_the_choice_reports_stability_and_silhouette_for_each_k(found: Challenger) -> None:
    assert list(found.choice["k"]) == [3, 4, 5]
    columns = ["strength", "stability", "agreement", "spread", "silhouette"]
    assert found.choice[columns].notna().all(axis=None)
    assert (found.choice["smallest_share"] * 200).round().astype(int).tolist() == list(
        found.choice["smallest"]
    )
    for bad in ({"fewest": 2}, {"most": 6}, {"fewest": 5, "most": 4}):
        with pytest.raises(ValueError, match=r"fewest|most|increasing"):
            Clusters(**bad)


def test_profiles_are_those_of_their_customers(found: Challenger) -> None:
    features, _ = base()
    joined = found.clusters.merge(features, on="customer_id")
    for row in found.profiles.itertuples():
        inside = joined[joined["cluster"] == row.cluster]
        assert row.customers == len(inside)
        assert row.median == inside[row.feature].median()
    z = found.profiles.pivot_table(index="cluster", columns="feature", values="z")
    assert z.loc["high_value", "monetary"] > 1
    assert z.loc["churn_risk", "recency_cycles"] < -1  # high is good


@pytest.mark.slow
@settings(max_examples=5, deadline=None)
@given(st.randoms(use_true_random=False))
def test_neither_order_nor_ids_matter(found: Challenger, random) -> None:
    features, segments = base()
    order = list(range(len(features)))
    random.shuffle(order)
    names = [f"K{i}" for i in random.sample(range(10_000), len(features))]
    rename = dict(zip(features["customer_id"], names, strict=True))
    other = challenge(
        features.iloc[order].assign(customer_id=lambda f: f["customer_id"].map(rename)),
        segments.sample(frac=1, random_state=1).assign(
            customer_id=lambda f: f["customer_id"].map(rename)
        ),
        QUICK,
        20250101,
    )
    back = {new: old for old, new in rename.items()}
    clusters = other.clusters.assign(customer_id=other.clusters["customer_id"].map(back))
    clusters = clusters.sort_values("customer_id", ignore_index=True)
    same(found, Challenger(other.choice, clusters, other.profiles, other.left_out, other.finding))


@pytest.mark.slow
def test_another_seed_finds_the_same_clusters(found: Challenger) -> None:
    for seed in (1, 2, 2**40):
        other = challenge(*base(), QUICK, seed)
        pd.testing.assert_frame_equal(found.clusters, other.clusters, check_exact=True)


def test_another_currency_finds_the_same_clusters(found: Challenger) -> None:
    cents = challenge(*base(unit=100), QUICK, 20250101)
    columns = ["customer_id", "cluster"]
    pd.testing.assert_frame_equal(found.clusters[columns], cents.clusters[columns])


@pytest.mark.slow
def test_neither_threads_nor_the_hash_seed_matter(tmp_path: Path) -> None:
    code = (
        "from tests.segmentation.test_clusters import base, QUICK; import sys;"
        "from analysis.segmentation import challenge; found = challenge(*base(), QUICK, 1);"
        "sys.stdout.write(found.choice.to_json(double_precision=15)"
        " + found.clusters.to_json() + found.profiles.to_json(double_precision=15))"
    )
    root = Path(__file__).parents[2]
    said = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={
                **os.environ,
                "PYTHONPATH": f"{root / 'src'}{os.pathsep}{root}",
                "OMP_NUM_THREADS": threads,
                "PYTHONHASHSEED": seed,
            },
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for threads, seed in (("1", "0"), ("2", "1"), ("4", "99"))
    }
    assert len(said) == 1


def test_equal_customers_are_in_one_cluster() -> None:
    features, segments = base(150)
    twins = features.assign(customer_id="T" + features["customer_id"])
    also = segments.assign(customer_id="T" + segments["customer_id"])
    both = challenge(pd.concat([features, twins]), pd.concat([segments, also]), QUICK, 1)
    named = both.clusters.set_index("customer_id")["cluster"]
    assert len(named) == 300
    ids = features["customer_id"]
    assert (named[ids].to_numpy() == named["T" + ids].to_numpy()).all()


def test_many_customers_are_assigned_from_a_draw() -> None:
    features, segments = base(3000)
    drawn = challenge(features, segments, Clusters(splits=5, resamples=5, sample=1000), 1)
    every = challenge(features, segments, QUICK, 1)
    assert len(drawn.clusters) == 3000
    assert drawn.choice.loc[0, "smallest"] > 900
    pair = drawn.clusters.merge(every.clusters, on="customer_id")
    assert (pair["cluster_x"] == pair["cluster_y"]).mean() > 0.99


def test_customers_without_an_order_are_left_out_and_counted(found: Challenger, no_order) -> None:
    features, segments = base()
    some = [f"N{i}" for i in range(7)]
    trying = pd.DataFrame([{"customer_id": name, **no_order} for name in some])
    more = challenge(
        pd.concat([features, trying[features.columns]]),
        pd.concat([segments, pd.DataFrame({"customer_id": some, "segment": "new"})]),
        QUICK,
        20250101,
    )
    assert more.left_out == 7
    pd.testing.assert_frame_equal(more.clusters, found.clusters)


def degenerate() -> dict[str, pd.DataFrame]:
    features, _ = base(200)
    identical = features.assign(**features.iloc[0][[*FEATURES, "mean_order"]].to_dict())
    return {
        "identical": identical,
        "five": features.head(5),
        "nobody": features.head(0),
        "missing": features.assign(recency_cycles=np.nan),
        "infinite": features.assign(recency_cycles=np.inf),
        "dust": identical.assign(monetary=1000 * (1 + 1e-15 * np.arange(200))),
    }


@pytest.mark.parametrize("case", degenerate())
def test_nothing_to_part_keeps_the_rules(case: str) -> None:
    features = degenerate()[case]
    segments = features[["customer_id"]].assign(segment="new")
    found = challenge(features, segments, QUICK, 1)
    assert list(found.choice["k"]) == [3, 4, 5]
    assert not found.choice[["passed", "chosen"]].any(axis=None)
    assert found.clusters.empty
    assert found.profiles.empty
    for name, part in zip(
        ("cluster_choice", "clusters", "cluster_profiles"),
        (found.choice, found.clusters, found.profiles),
        strict=True,
    ):
        conform(part, RECORD[name])
    assert json.loads(found.finding)["key"] == "cluster.too_few"
    assert agreement(found.clusters).empty
    assert crosstab(found.clusters).empty
    assert disputed(found.clusters).empty


def test_one_order_each_is_read_on_money_and_time() -> None:
    features, segments = base(300)
    found = challenge(features.assign(frequency=1), segments, QUICK, 1)
    assert found.choice["strength"].notna().all()
    assert (found.profiles["z"][found.profiles["feature"] == "frequency"] == 0).all()


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_a_gradient_keeps_the_rules(seed: int) -> None:
    """Small to large without groups, and with enough customers to slice it stably."""
    rng = np.random.default_rng(seed)
    size = rng.normal(size=4000)
    features, segments = base(4000)
    found = challenge(
        features.assign(
            frequency=np.exp(3 + 0.8 * size + 0.3 * rng.normal(size=4000)),
            monetary=1000 * np.exp(3 + size + 0.3 * rng.normal(size=4000)),
            recency_cycles=np.exp(1 - 0.8 * size + 0.3 * rng.normal(size=4000)),
        ),
        segments,
        QUICK,
        1,
    )
    assert found.choice["strength"].max() > 0.8
    assert found.clusters.empty
    assert json.loads(found.finding)["key"] == "cluster.none"


def test_a_small_group_is_no_cluster() -> None:
    features, segments = base(400)
    few = segments["segment"] == "high_value"
    kept = ~few | (few.cumsum() <= 12)
    found = challenge(features[kept], segments[kept], QUICK, 1)
    assert found.choice.loc[0, "smallest"] == 12
    assert not found.choice.loc[0, "passed"]


@pytest.mark.requirement("001-12")
def test_the_scale_is_learned_once_and_reads_another_period() -> None:
    features, _ = base()
    scale = fit_scale(features, 0.01)
    values = standardise(features, scale)
    assert np.allclose(values.mean(axis=0), 0)
    assert np.allclose(values.std(axis=0), 1)
    later = features.assign(monetary=features["monetary"] * 1.2)
    assert standardise(later, scale)[:, 1].mean() > 0.05  # growth is seen, not scaled away
    shuffled = fit_scale(features.sample(frac=1, random_state=2), 0.01)
    assert all(
        np.array_equal(getattr(scale, name), getattr(shuffled, name))
        for name in ("order", "low", "high", "mean", "deviation")
    )


def test_returns_beyond_purchases_count_as_nothing() -> None:
    features, _ = base(100)
    scale = fit_scale(features, 0.0)
    below, zero = (
        standardise(features.head(1).assign(monetary=money), scale)[0, 1] for money in (-5.0, 0.0)
    )
    assert below == zero


@pytest.mark.requirement("001-14")
def test_a_cluster_like_no_segment_is_named_by_its_features(found: Challenger) -> None:
    features, segments = base()
    unlike = challenge(features, segments.assign(segment="new"), QUICK, 1)
    names = list(unlike.profiles["cluster"].unique())
    assert len(set(names)) == 3
    assert "unnamed.frequency_high.monetary_high" in names
    assert not any(any(c.isdigit() for c in name) for name in names)
    assert cluster_word("unnamed.frequency_high.monetary_high", "zh") == "买得勤、金额高"
    assert cluster_word("unnamed.frequency_low.monetary_low.b", "zh") == "买得少、金额低 B"
    assert cluster_word("high_value", "zh") == wording.text("segment.high_value", "zh")
    assert cluster_word("gold_plus", "en") == "gold_plus"
    for feature in FEATURES:
        for level in ("high", "mid", "low"):
            assert wording.has(f"cluster.feature.{feature}_{level}")


def test_ari_as_published() -> None:
    """scikit-learn's documentation: ARI([0, 0, 1, 2], [0, 0, 1, 1]) = .571."""
    clusters = pd.DataFrame(
        {
            "customer_id": list("abcd"),
            "cluster": ["x", "x", "y", "z"],
            "segment": ["x", "x", "y", "y"],
            "agrees": [True, True, True, False],
            "amount": [1.0, 2.0, 3.0, 4.0],
        }
    )
    found = agreement(clusters).set_index("agreement")
    assert found.loc["adjusted_rand", "value"] == pytest.approx(0.5714, abs=1e-4)
    assert found.loc["share", "value"] == 0.75
    assert found.loc["share", "low"] == pytest.approx(0.3006, abs=1e-4)  # Wilson, 3 of 4
    assert found.loc["share", "n"] == 4
    table = crosstab(clusters)
    assert table["customers"].sum() == 4
    assert len(table) == 6
    assert table["amount"].sum() == 10.0
    assert table.groupby("segment")["share"].sum().tolist() == [1.0, 1.0]
    assert list(disputed(clusters)["customer_id"]) == ["d"]


@pytest.mark.requirement("004-26")
def test_the_disputed_come_by_money(found: Challenger) -> None:
    table = found.clusters.assign(agrees=found.clusters["segment"] != "new")
    listed = disputed(table)
    assert set(listed["segment"]) == {"new"}
    assert listed["amount"].is_monotonic_decreasing
