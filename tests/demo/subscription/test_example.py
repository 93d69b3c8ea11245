"""The example for subscribers: its settings read the vendor's files, its playbook is whole."""

from __future__ import annotations

import pandas as pd
import pytest

from analysis import cleaning, settings, sources
from analysis.demo import subscription
from analysis.segmentation.scheme import load_scheme
from analysis.strategy import load_playbook

PARAMS = "params/examples/subscription.yml"
READ = ("customers", "contacts", "people", "activities", "tickets", "orders", "treatments")


@pytest.fixture
def config(project):
    subscription.write(project / "data" / "saas", customers=120)
    return settings.load(PARAMS, project, {})


def test_cleaning_finds_the_dirt_and_nothing_else(config, project):
    read = sources.read(config.settings, config.root)
    found = cleaning.clean(read.tables, config.settings, config.settings.as_of, read.rejected)
    removed = found.removed.to_pandas()
    dirt = pd.read_parquet(project / "data" / "saas" / "truth" / "dirt.parquet")
    for table in READ:
        ours = removed[removed["table"] == table]
        planted = dirt[dirt["table"] == table]
        assert sorted(zip(ours["row"], ours["rule"], strict=True)) == sorted(
            zip(planted["row"], planted["rule"], strict=True)
        ), table
    assert read.tables["subscriptions"].num_rows > 200
    assert config.settings.business_model == "subscription"


def test_the_playbook_covers_every_segment(config):
    scheme = load_scheme("rfm5", config.root)
    found = load_playbook("subscription", config.root, segments=list(scheme.segments))
    assert {m.strategy for _, _, m in found.measures()} >= {
        "proactive_care",
        "onboarding",
        "expansion",
    }
