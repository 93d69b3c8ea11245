"""Planted differences are found, and named by their place."""

from __future__ import annotations

import io
import json
import shutil
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from openpyxl import load_workbook

from analysis import store
from analysis.engine import conform
from analysis.report import render_workbook
from analysis.tables import RECORD
from tests.determinism.compare import Tolerance, differences

HISTORY = RECORD["segment_history"]
ROWS = [("2025Q2", "new", 3), ("2025Q2", "high_value", 5), ("2025Q3", "new", 4)]
FACTS = {"kpi.revenue": {"value": 1.5, "n": 3}, "kpi/odd": [1, 2]}
PAGE = "<html>\n<p>one</p>\n<p>revenue 12.3</p>\n</html>\n"


def frame(rows: list[tuple[str, str, int]]) -> pd.DataFrame:
    found = pd.DataFrame(rows, columns=HISTORY.names)
    return found.astype({"period": object, "segment": object})


def write(folder: Path, rows: list[tuple[str, str, int]]) -> None:
    store.write_table(folder, HISTORY, frame(rows))
    tables = {HISTORY.name: conform(frame(rows), HISTORY)}
    store.write_bytes(folder / "exports" / "tables.xlsx", render_workbook(tables))


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    one, other = tmp_path / "one", tmp_path / "other"
    write(one, ROWS)
    store.write_json(one / "facts.json", FACTS)
    store.write_bytes(one / "report.en.html", PAGE.encode())
    store.write_bytes(one / "log.txt", b"12:00")
    shutil.copytree(one, other)
    store.write_bytes(other / "log.txt", b"13:00")
    return one, other


def found(pair: tuple[Path, Path], allowed: Tolerance | None = None) -> dict[str, tuple[str, ...]]:
    return {d.file: (d.place, d.one, d.other) for d in differences(*pair, allowed)}


def test_nothing_differs(pair: tuple[Path, Path]) -> None:
    assert differences(*pair) == []


def test_a_file_of_one_side_only(pair: tuple[Path, Path]) -> None:
    (pair[1] / "facts.json").unlink()
    store.write_bytes(pair[1] / "more.txt", b"")
    assert found(pair) == {
        "facts.json": ("file", "there", "(nothing)"),
        "more.txt": ("file", "(nothing)", "there"),
    }


def test_a_cell_of_a_table(pair: tuple[Path, Path]) -> None:
    write(pair[1], [*ROWS[:2], ("2025Q3", "new", 6)])
    assert found(pair) == {
        "tables/segment_history.parquet": (
            "column customers, row period=2025Q3, segment=new", "4", "6"
        ),
        "exports/tables.xlsx": ("cell segment_history!C4", "4", "6"),
    }  # fmt: skip


def test_a_row_of_one_side_only(pair: tuple[Path, Path]) -> None:
    write(pair[1], ROWS[1:])
    place = found(pair)["tables/segment_history.parquet"]
    assert place == ("row 2", "period=2025Q2, segment=new", "period=2025Q3, segment=new")
    assert found(pair)["exports/tables.xlsx"][0].startswith("cell 目录 Contents!F2")


def test_a_table_with_the_same_values_in_other_bytes(pair: tuple[Path, Path]) -> None:
    import pyarrow.parquet as pq

    path = pair[1] / "tables" / "segment_history.parquet"
    pq.write_table(pq.read_table(path), path, compression="none")
    assert found(pair)["tables/segment_history.parquet"][0].startswith("same content, other bytes")


def test_a_table_of_another_schema(pair: tuple[Path, Path]) -> None:
    import pyarrow.parquet as pq

    path = pair[1] / "tables" / "segment_history.parquet"
    pq.write_table(pq.read_table(path).rename_columns(["period", "segment", "n"]), path)
    place, one, other = found(pair)["tables/segment_history.parquet"]
    assert place == "schema"
    assert "customers" in one
    assert "n" in other


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({**FACTS, "kpi.revenue": {"value": 1.25, "n": 3}}, "/kpi.revenue/value"),
        ({**FACTS, "kpi.revenue": {"value": 1.5}}, "/kpi.revenue/n"),
        ({**FACTS, "kpi/odd": [1, 3]}, "/kpi~1odd/1"),
        ({**FACTS, "kpi/odd": [1]}, "/kpi~1odd/1"),
        ({**FACTS, "kpi/odd": [1, "2"]}, "/kpi~1odd/1"),
        ({**FACTS, "new": None}, "/new"),
    ],
)
def test_a_value_of_a_json_file(
    pair: tuple[Path, Path], changed: dict[str, object], pointer: str
) -> None:
    store.write_json(pair[1] / "facts.json", changed)
    assert found(pair)["facts.json"][0] == pointer
    allowed = Tolerance(pointers={"facts.json": frozenset({pointer})})
    assert found(pair, allowed) == {}


def test_json_in_another_order(pair: tuple[Path, Path]) -> None:
    text = json.dumps(dict(reversed(FACTS.items())))
    store.write_bytes(pair[1] / "facts.json", text.encode())
    assert found(pair)["facts.json"][0].startswith("same content, other bytes from byte")


def test_a_line_of_a_page(pair: tuple[Path, Path]) -> None:
    store.write_bytes(pair[1] / "report.en.html", PAGE.replace("12.3", "12.4").encode())
    place, one, other = found(pair)["report.en.html"]
    assert place == "line 3, character 15"
    assert "12.3" in one
    assert "12.4" in other
    allowed = Tolerance(words=lambda side: {"12.3": "x", "12.4": "x"})
    assert found(pair, allowed) == {}


def test_a_workbook_with_the_same_cells_and_another_clock(pair: tuple[Path, Path]) -> None:
    path = pair[1] / "exports" / "tables.xlsx"
    content = io.BytesIO()
    with zipfile.ZipFile(path) as made, zipfile.ZipFile(content, "w") as archive:
        for info in made.infolist():
            part = made.read(info).replace(b"1980-01-01T00", b"2025-01-01T00")
            archive.writestr(info, part)
    path.write_bytes(content.getvalue())
    place, one, other = found(pair)["exports/tables.xlsx"]
    assert place.startswith("docProps/core.xml, line")
    assert "1980" in one
    assert "2025" in other


def test_a_workbook_with_members_of_another_day(pair: tuple[Path, Path]) -> None:
    path = pair[1] / "exports" / "tables.xlsx"
    content = io.BytesIO()
    with zipfile.ZipFile(path) as made, zipfile.ZipFile(content, "w") as archive:
        for info in made.infolist():
            later = zipfile.ZipInfo(info.filename, (2025, 1, 1, 0, 0, 0))
            archive.writestr(later, made.read(info))
    path.write_bytes(content.getvalue())
    assert found(pair)["exports/tables.xlsx"][0] == "[Content_Types].xml, date_time"


def test_a_column_that_may_differ(pair: tuple[Path, Path]) -> None:
    write(pair[1], [("2025Q2", "new", 30), ("2025Q2", "high_value", 50), ("2025Q3", "new", 40)])
    allowed = Tolerance(columns={"segment_history": frozenset({"customers"})})
    assert set(found(pair)) == {"tables/segment_history.parquet", "exports/tables.xlsx"}
    assert found(pair, allowed) == {}
    write(pair[1], [("2025Q2", "lost", 30), ("2025Q2", "high_value", 50), ("2025Q3", "new", 40)])
    assert set(found(pair, allowed)) == {"tables/segment_history.parquet", "exports/tables.xlsx"}


def test_a_sheet_more(pair: tuple[Path, Path]) -> None:
    path = pair[1] / "exports" / "tables.xlsx"
    book = load_workbook(path)
    book.create_sheet("more")
    book.save(path)
    assert found(pair)["exports/tables.xlsx"][0] == "sheets"
