"""Some rows of a file only."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analysis.errors import SourceError
from analysis.settings_model import Settings
from analysis.sources import read

Make = Callable[[dict[str, Any]], Settings]
TEXT = (
    "who,day,money,stage\nA,2025-01-03,1,Won\nB,2025-01-04,2, Won \nC,,,Open\nD,2025-01-05,4,Lost\n"
)
COLUMNS = {"customer_id": "who", "ordered_at": "day", "amount": "money"}


def source(only: Any, path: str = "o.csv") -> dict[str, Any]:
    return {"orders": {"path": path, "columns": COLUMNS, "only": only}}


@pytest.mark.parametrize("only", [{"stage": "Won"}, {"stage": ["Won", "Given away"]}])
def test_only_the_rows_that_are_meant(tmp_path: Path, make: Make, only: Any) -> None:
    (tmp_path / "o.csv").write_text(TEXT)
    found = read(make(source(only)), tmp_path)
    assert found.tables["orders"]["customer_id"].to_pylist() == ["A", "B"]
    assert found.tables["orders"]["_row"].to_pylist() == [2, 3]
    assert not found.rejected.num_rows  # an open deal without a day is no order that went wrong
    notes = {n["key"]: n["args"] for n in json.loads(found.files["note"][0])}
    assert notes["note.only_rows"]["rows"] == {"value": 2, "unit": "count"}


def test_a_column_that_nothing_else_reads_is_read_from_parquet(tmp_path: Path, make: Make) -> None:
    table = pa.table({"who": ["A", "B"], "day": ["2025-01-03"] * 2, "money": [1, 2],
                      "kind": [7, 8]})  # fmt: skip
    pq.write_table(table, tmp_path / "o.parquet")
    found = read(make(source({"kind": 8}, "o.parquet")), tmp_path)
    assert found.tables["orders"]["amount"].to_pylist() == [Decimal(2)]


@pytest.mark.parametrize(
    ("only", "problem"),
    [({"phase": "Won"}, "no_selecting_header"), ({"stage": "won"}, "nothing_selected")],
)
def test_what_is_not_there_is_told(tmp_path: Path, make: Make, only: Any, problem: str) -> None:
    (tmp_path / "o.csv").write_text(TEXT)
    with pytest.raises(SourceError, match=problem) as caught:
        read(make(source(only)), tmp_path)
    assert {"Won", "stage"} & set(caught.value.problems[0].args["present"])
