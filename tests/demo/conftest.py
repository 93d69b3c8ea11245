from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest

from analysis import demo

Raw = Callable[[str], pd.DataFrame]
ENCODINGS = {
    "联系人.csv": "gb18030",
    "销售订单_2022-2023.csv": "gb18030",
    "销售订单_2024-2025.csv": "utf-8-sig",
    "销售记录.csv": "utf-8-sig",
    "人员.csv": "utf-8-sig",
    "上季动作.csv": "gb18030",
}


@pytest.fixture(scope="session")
def company(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("company")
    demo.write(folder)
    return folder


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("small")
    demo.write(folder, customers=60)
    return folder


def read_raw(path: Path) -> pd.DataFrame:
    """Cells as they stand in the file; the index is the row number from the top."""
    if path.suffix == ".xlsx":
        book = openpyxl.load_workbook(path, read_only=True)
        rows = [list(row) for row in book.worksheets[0].iter_rows(values_only=True)]
        book.close()
        skipped = 1 if path.name == "客户.xlsx" else 0
    else:
        text = path.read_bytes().decode(ENCODINGS[path.name])
        rows = list(csv.reader(io.StringIO(text, newline="")))
        skipped = 0
    header, body = rows[skipped], rows[skipped + 1 :]
    first = skipped + 2
    return pd.DataFrame(body, columns=header, index=range(first, first + len(body)))


@pytest.fixture(scope="session", name="read_raw")
def _read_raw() -> Callable[[Path], pd.DataFrame]:
    return read_raw


@pytest.fixture(scope="session")
def raw(company: Path) -> Raw:
    cache: dict[str, pd.DataFrame] = {}

    def get(name: str) -> pd.DataFrame:
        if name not in cache:
            cache[name] = read_raw(company / name)
        return cache[name].copy()

    return get


@pytest.fixture(scope="session")
def summary(company: Path) -> dict[str, Any]:
    return dict(json.loads((company / "truth" / "summary.json").read_bytes()))


@pytest.fixture(scope="session")
def dirt(company: Path) -> pd.DataFrame:
    return pd.read_parquet(company / "truth" / "dirt.parquet")


@pytest.fixture(scope="session")
def orders(raw: Raw, dirt: pd.DataFrame) -> pd.DataFrame:
    """Clean order lines: customer, day, amount [CNY], order."""
    parts = []
    for name in ("销售订单_2022-2023.csv", "销售订单_2024-2025.csv"):
        frame = raw(name)
        parts.append(frame.drop(index=dirt.loc[dirt["file"] == name, "row"]))
    both = pd.concat(parts, ignore_index=True)
    return pd.DataFrame(
        {
            "order": both["发货单号"],
            "customer": both["客户编码"],
            "day": pd.to_datetime(both["发货日期"], format="%Y-%m-%d"),
            "fen": both["本币无税金额"].str.replace(".", "", regex=False).astype("int64"),
            "quantity": both["数量"].astype("int64"),
            "price_fen": both["无税单价"].str.replace(".", "", regex=False).astype("int64"),
        }
    )
