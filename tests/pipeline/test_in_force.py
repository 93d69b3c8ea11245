"""What a week stands on: approved before published, never what was not yet over."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from analysis import settings, store
from analysis.calendars import Period
from analysis.errors import SettingsError
from analysis.pipeline import in_force, republish, sealing, stages
from analysis.settings import Config
from analysis.tables import RECORD


def config(root: Path, tmp_path: Path, **given: object) -> Config:
    found = settings.load("params/examples/weekly.yml", root, given)
    return Config(found.settings, found.origins, found.values, found.file, tmp_path)


def record_of(folder: Path, name: str, *, approved: bool) -> None:
    record = folder / "reports" / "demo" / name
    record.mkdir(parents=True)
    for table in (*sealing.TABLES, "tasks"):
        store.write_table(record, RECORD[table], pd.DataFrame(columns=RECORD[table].names))
    files = store.files_of(record)
    store.write_json(record / store.MANIFEST, {"format": 1, "files": files})
    if approved:
        sealing.approve(folder, record)


def test_nothing_stands_without_a_record(root: Path, tmp_path: Path) -> None:
    found = in_force.standing(config(root, tmp_path))
    assert found == in_force.Standing(None, ())
    assert found.tasks() is None
    assert found.basis(Period.parse("2025Q2"))["source"] == "recomputed"


def test_the_latest_approved_record_comes_before_a_later_published_one(
    root: Path, tmp_path: Path
) -> None:
    record_of(tmp_path, "2024Q4", approved=True)
    record_of(tmp_path, "2025Q1", approved=False)
    record_of(tmp_path, "2025Q2~what-if", approved=False)
    found = in_force.standing(config(root, tmp_path))
    assert found.segments_from is not None
    assert (found.segments_from.period.name, found.segments_from.sealed) == ("2024Q4", True)
    assert found.plans == ()  # its plan was for 2025Q1
    assert found.read("segments") is not None
    assert found.read("kpis") is None


def test_a_published_record_stands_where_none_was_approved(root: Path, tmp_path: Path) -> None:
    record_of(tmp_path, "2025Q1", approved=False)
    found = in_force.standing(config(root, tmp_path))
    assert found.basis(Period.parse("2025Q2"))["source"] == "published"
    assert found.read("segments") is not None


def test_what_was_not_over_by_then_is_not_seen(root: Path, tmp_path: Path) -> None:
    record_of(tmp_path, "2025Q3", approved=True)
    assert in_force.standing(config(root, tmp_path)).segments_from is None
    later = config(root, tmp_path, period="2025-W41")
    found = in_force.standing(later)
    assert found.segments_from is not None
    assert [kept.period.name for kept in found.plans] == ["2025Q3"]
    assert found.files == [tmp_path / "decisions" / "demo" / "2025Q3" / "approved.json"]
    assert found.tasks() is not None


def test_the_week_between_two_plans_stands_on_both(root: Path, tmp_path: Path) -> None:
    record_of(tmp_path, "2025Q2", approved=True)
    record_of(tmp_path, "2025Q3", approved=True)
    found = in_force.standing(config(root, tmp_path))
    assert [kept.period.name for kept in found.plans] == ["2025Q2", "2025Q3"]


@pytest.mark.requirement("004-27")
def test_a_week_has_a_chain_of_its_own(root: Path) -> None:
    weekly = settings.load("params/examples/weekly.yml", root)
    assert weekly.as_of == Period.parse("2025-W39").end  # not the quarter's, which it extends
    assert [stage.name for stage in stages.chain(weekly)] == ["cleaning", "weekly"]
    week = settings.load("params/demo.yml", root, {"period": "2025-W41"})
    assert [stage.name for stage in stages.chain(week)] == ["cleaning", "weekly"]
    assert week.as_of == Period.parse("2025-W41").end
    quarter = settings.load("params/demo.yml", root)
    assert [stage.name for stage in stages.chain(quarter)] == [s.name for s in stages.STAGES]
    own = {"period": "2025-W41", "notebooks.strategy": "notebooks/05_strategy.ipynb"}
    own["extra_stages.more"] = {"path": "notebooks/05_strategy.ipynb", "after": "strategy"}
    kept = settings.load("params/demo.yml", root, own)
    assert [stage.name for stage in stages.chain(kept)] == ["cleaning", "weekly"]


def test_a_week_is_not_approved(root: Path) -> None:
    with pytest.raises(SettingsError) as refused:
        republish.approve(settings.load("params/examples/weekly.yml", root))
    assert refused.value.problems[0].key == "settings.week_approved"
