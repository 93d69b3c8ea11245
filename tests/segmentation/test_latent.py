"""The made-up company's latent kinds of customers, which no rule sees, against the segments."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from sklearn.metrics import adjusted_rand_score

from analysis import demo, features, segmentation, settings, sources
from analysis.cleaning import clean
from analysis.engine import to_frame

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def placed(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """Every real customer's kind, as drawn, and its segment and cluster, as found."""
    project = tmp_path_factory.mktemp("latent")
    demo.write(project / "data" / "demo")
    config = settings.load("params/demo.yml", ROOT)
    options = config.settings.segmentation
    read = sources.read(config.settings, project)
    kept = clean(read.tables, config.settings, config.as_of, read.rejected).tables
    customers = to_frame(kept["customers"])
    known = features.build(
        kept["orders"], customers, as_of=config.as_of, period=config.period, settings=options
    )
    cuts = segmentation.estimate_cuts(known, options)
    scheme = segmentation.load_scheme("rfm5", ROOT)
    segments = segmentation.segment(known, customers, scheme, cuts, options)
    clusters = segmentation.challenge(known, segments, options.clusters, config.settings.seed)
    truth = pd.read_parquet(project / "data" / "demo" / "truth" / "customers.parquet")
    found = truth[["customer_id", "kind"]].merge(segments[["customer_id", "segment", "tag"]])
    return found.merge(clusters.clusters[["customer_id", "cluster"]], how="left")


@pytest.mark.slow
@pytest.mark.requirement("000-10")
def test_segments_recover_the_latent_kinds(placed: pd.DataFrame) -> None:
    """A kind says how a customer buys; type and size of its orders blur it, so not all agree."""
    share = pd.crosstab(placed["kind"], placed["segment"], normalize="index")
    print(share.round(2))
    assert share.loc["key", "high_value"] > 0.8
    assert share.loc["lapsed", "churn_risk"] > 0.85
    assert share.loc["annual", "low_frequency_essential"] > 0.85
    assert share.loc["steady", "potential"] > 0.85
    assert share.loc["new", "new"] > 0.7
    assert share.loc["trial", "new"] == 1
    index = adjusted_rand_score(placed["kind"], placed["segment"])
    grouped = placed.dropna(subset="cluster")
    challenger = adjusted_rand_score(grouped["kind"], grouped["cluster"])
    print(f"adjusted Rand index: rules {index:.3f}, clusters {challenger:.3f}")
    assert index > 0.4
