"""An approval keeps what the next period reads, as far as the record has it."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from analysis import store
from analysis.pipeline import sealing
from analysis.tables import RECORD


def record_of(folder: Path, tables: tuple[str, ...]) -> Path:
    record = folder / "reports" / "acme" / "2025Q3"
    record.mkdir(parents=True)
    store.write_json(record / store.MANIFEST, {"format": 1})
    for name in tables:
        store.write_table(record, RECORD[name], pd.DataFrame(columns=RECORD[name].names))
    return record


def test_the_draw_is_frozen_with_the_plan(tmp_path: Path) -> None:
    record = record_of(tmp_path, (*sealing.TABLES, *sealing.IF_THERE))
    seal = sealing.approve(tmp_path, record)
    for name in ("plan", "tasks", "waves", "designs", "evidence"):
        assert sealing.keeps(seal, name)
        assert sealing.read(seal, name).column_names == RECORD[name].names


@pytest.mark.parametrize("missing", sealing.IF_THERE)
def test_records_of_older_versions_are_approved_without(tmp_path: Path, missing: str) -> None:
    kept = tuple(name for name in sealing.IF_THERE if name != missing)
    seal = sealing.approve(tmp_path, record_of(tmp_path, (*sealing.TABLES, *kept)))
    assert not sealing.keeps(seal, missing)
    assert sealing.keeps(seal, "plan")
