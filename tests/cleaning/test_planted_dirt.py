"""Dirt of which it is known where it was planted: all of it is found, and nothing else goes."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pandas as pd
import pytest

from analysis import demo
from analysis.cleaning import clean
from analysis.settings import load
from analysis.sources import read

ROOT = Path(__file__).parents[2]
# A day after as_of is implausible to whoever planted it; here it has a rule of its own.
ALSO = {"implausible_dates": "after_as_of"}


@pytest.mark.requirement("000-06")
def test_recall_and_precision_of_planted_dirt(tmp_path: Path) -> None:
    demo.write(tmp_path / "data" / "demo", customers=300, seed=7)
    config = load(ROOT / "params" / "demo.yml", ROOT)
    sources = read(config.settings, tmp_path)
    found = clean(sources.tables, config.settings, config.as_of, sources.rejected)
    planted = pd.read_parquet(tmp_path / "data" / "demo" / "truth" / "dirt.parquet")
    names = [Path(file).name for file in sources.files["file"]]
    planted = planted[planted["file"].isin(names) & ~planted["stays"]]
    truth = {
        (row.table, Path(str(row.file)).name, int(row.row)): str(row.rule)
        for row in planted.itertuples()
    }
    gone = {
        (r["table"], Path(r["file"]).name, r["row"]): r["rule"] for r in found.removed.to_pylist()
    }
    assert len(gone) == found.removed.num_rows
    missed = Counter(rule for place, rule in truth.items() if place not in gone)
    surplus = Counter(rule for place, rule in gone.items() if place not in truth)
    assert not missed and not surplus
    wrong = {
        place: (truth[place], rule)
        for place, rule in gone.items()
        if rule not in (truth[place], ALSO.get(truth[place]))
    }
    assert not wrong
    kinds = set(truth.values())
    assert {"test_accounts", "repeated_keys", "repeated_lines", "wrong_contacts"} <= kinds
