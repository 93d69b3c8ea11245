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
    "客户档案_U8.csv": "gb18030",
    "联系人.csv": "gb18030",
    "发货单_2022-2023.csv": "gb18030",
    "发货单_2024-2025.csv": "utf-8-sig",
    "销售发票列表.csv": "utf-8-sig",
    "收款单列表.csv": "gb18030",
    "商机阶段记录.csv": "utf-16",
    "报价单.csv": "utf-8-sig",
    "销售记录.csv": "utf-8-sig",
    "满意度调查.csv": "gb18030",
    "动作_2025Q2.csv": "gb18030",
    "上季动作.csv": "gb18030",
    "任务_2025Q2.csv": "utf-8-sig",
    "任务_2025Q3.csv": "utf-8-sig",
    "试用结果.csv": "utf-8-sig",
    "人员.csv": "utf-8-sig",
    "市场活动.csv": "utf-8-sig",
    "外部信号.csv": "gb18030",
    "股权与伙伴关系.csv": "utf-8-sig",
}
# lines above the header of a workbook
TITLES = {"客户.xlsx": 1, "目标分解.xlsx": 1, "财务月报.xlsx": 2} | {
    f"应收账龄_{day}.xlsx": 3 for day in ("2025-03-31", "2025-06-30", "2025-09-30")
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
        skipped = TITLES.get(path.name, 0)
    else:
        text = path.read_bytes().decode(ENCODINGS[path.name])
        tabs = "\t" if ENCODINGS[path.name] == "utf-16" else ","
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=tabs))
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
def numbers(raw: Raw) -> dict[str, str]:
    """The CRM's number of every customer, whatever the delivery lists call it."""
    bridge = raw("客户档案_U8.csv")
    own = bridge["CRM客户编号"]
    return dict(zip(own, own, strict=True)) | dict(zip(bridge["客户编码"], own, strict=True))


@pytest.fixture(scope="session")
def orders(raw: Raw, dirt: pd.DataFrame, numbers: dict[str, str]) -> pd.DataFrame:
    """Clean order lines: customer, day, amount [CNY], order."""
    parts = []
    for name in ("发货单_2022-2023.csv", "发货单_2024-2025.csv"):
        frame = raw(name)
        parts.append(frame.drop(index=dirt.loc[dirt["file"] == name, "row"]))
    both = pd.concat(parts, ignore_index=True)
    return pd.DataFrame(
        {
            "order": both["发货单号"],
            "customer": both["客户编码"].map(numbers),
            "day": pd.to_datetime(both["发货日期"], format="%Y-%m-%d"),
            "fen": both["本币无税金额"].str.replace(".", "", regex=False).astype("int64"),
            "quantity": both["数量"].astype("int64"),
            "price_fen": both["无税单价"].str.replace(".", "", regex=False).astype("int64"),
        }
    )
