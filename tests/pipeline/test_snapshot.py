"""Archives: one a day, whole, private, and never overwritten."""

from __future__ import annotations

import stat
from datetime import date
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from analysis import settings, sources, store
from analysis.cleaning import clean
from analysis.errors import AnalysisError, SettingsError, SourceError
from analysis.pipeline import snapshot
from analysis.settings import Config

PARAMS = """\
extends: base.yml
run: acme
period: 2025-W39
as_of: 2025-09-26
sources:
  orders: {path: data/orders.csv, columns: {customer_id: id, ordered_at: day, amount: money}}
  opportunities: {path: data/deals.csv, columns: {opportunity_id: no, stage: stage}}
  customers: {path: data/customers.csv, columns: {customer_id: id, owner_id: who, phone: tel}}
"""
ORDERS = "".join(line for line in PARAMS.splitlines(keepends=True) if "  orders" in line)
DEALS = (
    "no,id,stage\nO1,C1,lead\nO2,C2,offer\n",
    "no,id,stage\nO1,C1,offer\nO2,C2,offer\nO3,C1,lead\n",
)


@pytest.fixture
def project(tmp_path: Path, root: Path) -> Path:
    for name in ("params", "notebooks", "data"):
        (tmp_path / name).mkdir()
    base = (root / "params" / "base.yml").read_text(encoding="utf-8")
    (tmp_path / "params" / "base.yml").write_text(base, encoding="utf-8")
    for folder in ("schemes", "adjustments"):
        (tmp_path / "params" / folder).symlink_to(root / "params" / folder)
    (tmp_path / "params" / "acme.yml").write_text(PARAMS)
    (tmp_path / "data" / "deals.csv").write_text(DEALS[0])
    (tmp_path / "data" / "customers.csv").write_text("id,name,who,tel\nC1,n,P1,021\nC2,m,P2,022\n")
    return tmp_path


def config(project: Path, **given: object) -> Config:
    return settings.load("params/acme.yml", project, given)


def test_it_stands_by_run_and_day_and_is_private(project: Path) -> None:
    done = snapshot.archive(config(project))
    assert done.made
    assert done.folder == project / "snapshots" / "acme" / "2025-09-26"
    assert done.rows == {"opportunities": 2, "customers": 2}
    manifest = store.read_json(done.folder / "manifest.json")
    assert manifest["as_of"] == "2025-09-26"
    assert set(manifest["sources"]) == {"data/deals.csv", "data/customers.csv"}
    for path in done.folder.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        if path.suffix == ".parquet":
            assert manifest["tables"][path.stem]["sha256"] == store.digest(path)
    kept = pq.read_table(done.folder / "customers.parquet").column_names
    assert kept == ["customer_id", "owner_id", "team_id", "own_tier", "status"]


def test_the_same_content_is_there_already_whatever_the_order_of_its_rows(project: Path) -> None:
    first = snapshot.archive(config(project))
    before = store.files_of(first.folder, without=())
    (project / "data" / "deals.csv").write_text("no,stage\nO2,offer\nO1,lead\n")
    again = snapshot.archive(config(project))
    assert not again.made
    assert store.files_of(first.folder, without=()) == before


def test_another_content_of_the_same_day_is_refused(project: Path) -> None:
    first = snapshot.archive(config(project))
    before = store.files_of(first.folder, without=())
    (project / "data" / "deals.csv").write_text(DEALS[1])
    with pytest.raises(SettingsError) as refused:
        snapshot.archive(config(project))
    assert refused.value.problems[0].key == "snapshot.differs"
    assert refused.value.problems[0].args["folder"] == "snapshots/acme/2025-09-26"
    assert store.files_of(first.folder, without=()) == before
    assert not list(first.folder.parent.glob(".tmp-*"))
    assert snapshot.archive(config(project, as_of="2025-09-28")).made


def test_the_day_must_be_stated(project: Path) -> None:
    with pytest.raises(SettingsError) as refused:
        snapshot.archive(config(project, as_of=None))
    assert [problem.key for problem in refused.value.problems] == ["snapshot.no_day"]
    assert not (project / "snapshots").exists()


def test_there_must_be_something_to_archive(project: Path) -> None:
    lines = [line for line in PARAMS.splitlines() if "deals" not in line and "tel" not in line]
    (project / "params" / "acme.yml").write_text("\n".join(lines) + "\n")
    with pytest.raises(SettingsError) as refused:
        snapshot.archive(config(project))
    assert [problem.key for problem in refused.value.problems] == ["snapshot.nothing"]


def test_a_damaged_archive_is_told(project: Path) -> None:
    done = snapshot.archive(config(project))
    (done.folder / "customers.parquet").write_bytes(b"PAR1")
    with pytest.raises(SourceError) as refused:
        snapshot.archive(config(project))
    assert refused.value.problems[0].key == "sources.snapshot_damaged"


def test_the_stage_history_is_read_from_the_archives(project: Path) -> None:
    snapshot.archive(config(project, as_of="2025-09-22"))
    (project / "data" / "deals.csv").write_text(DEALS[1])
    snapshot.archive(config(project, as_of="2025-09-26"))
    own = "  stage_history: {snapshots: true}\n"
    (project / "params" / "acme.yml").write_text(
        PARAMS.split("  orders", maxsplit=1)[0] + ORDERS + own
    )
    (project / "data" / "orders.csv").write_text("id,day,money\nC1,2025-09-23,5\n")
    known = config(project)
    rows = sources.read(known.settings, project).tables["stage_history"]
    found = [(r["opportunity_id"], r["stage"], r["entered_at"].date()) for r in rows.to_pylist()]
    assert found == [("O1", "offer", date(2025, 9, 26)), ("O3", "lead", date(2025, 9, 26))]
    files = sources.fingerprints(known.settings, project)
    assert "snapshots/acme/2025-09-22/opportunities.parquet" in files
    early = config(project, as_of="2025-09-22")
    assert (
        len(sources.read(early.settings, project).tables["stage_history"]) == 0
    )  # nothing later is seen
    (project / "snapshots" / "acme" / "2025-09-26" / "opportunities.parquet").write_bytes(b"x")
    with pytest.raises(SourceError) as refused:
        sources.read(known.settings, project)
    assert refused.value.problems[0].key == "sources.snapshot_damaged"


def test_who_changed_hands_is_read_from_the_archives_and_cleaned(project: Path) -> None:
    snapshot.archive(config(project, as_of="2025-09-22"))
    (project / "data" / "customers.csv").write_text("id,name,who,tel\nC1,n,P7,021\nC2,m,P2,022\n")
    snapshot.archive(config(project, as_of="2025-09-26"))
    (project / "params" / "acme.yml").write_text(PARAMS + "  customer_changes: {snapshots: true}\n")
    (project / "data" / "orders.csv").write_text("id,day,money\nC1,2025-09-23,5\nC2,2025-09-23,5\n")
    known = config(project)
    read = sources.read(known.settings, project)
    kept = clean(read.tables, known.settings, known.as_of, read.rejected)
    rows = kept.tables["customer_changes"].to_pylist()
    assert [(r["customer_id"], r["field"], r["before"], r["after"]) for r in rows] == [
        ("C1", "owner_id", "P1", "P7")
    ]


def test_archives_give_a_history_and_no_other_table(project: Path) -> None:
    text = PARAMS.replace("{path: data/deals.csv,", "{snapshots: true,")
    (project / "params" / "acme.yml").write_text(text)
    with pytest.raises(AnalysisError) as refused:
        config(project)
    assert "settings.snapshots_elsewhere" in [p.key for p in refused.value.problems]
