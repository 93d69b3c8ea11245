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

from analysis.demo import subscription

Raw = Callable[[str], pd.DataFrame]
GB = (
    "联系人.csv", "股权与伙伴关系.csv", "开通表.csv", "签约订单.csv", "回款单列表.csv",
    "报价单.csv", "上季动作.csv", "动作_2025Q2.csv",
)  # fmt: skip
TITLED = ("客户.xlsx", "合同台账.xlsx", "财务月报.xlsx", "应收账龄")


@pytest.fixture(scope="session")
def vendor(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("vendor")
    subscription.write(folder)
    return folder


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("small vendor")
    subscription.write(folder, customers=60)
    return folder


def read_raw(path: Path) -> pd.DataFrame:
    """Cells as they stand in the file; the index is the row number from the top."""
    if path.suffix == ".xlsx":
        book = openpyxl.load_workbook(path, read_only=True)
        rows = [list(row) for row in book.worksheets[0].iter_rows(values_only=True)]
        book.close()
    else:
        encoding = "gb18030" if path.name in GB else "utf-8-sig"
        text = path.read_bytes().decode(encoding)
        rows = list(csv.reader(io.StringIO(text, newline="")))
    skipped = int(path.name.startswith(TITLED))
    header, body = rows[skipped], rows[skipped + 1 :]
    first = skipped + 2
    return pd.DataFrame(body, columns=header, index=range(first, first + len(body)))


@pytest.fixture(scope="session")
def raw(vendor: Path) -> Raw:
    cache: dict[str, pd.DataFrame] = {}

    def get(name: str) -> pd.DataFrame:
        if name not in cache:
            cache[name] = read_raw(vendor / name)
        return cache[name].copy()

    return get


@pytest.fixture(scope="session")
def truth(vendor: Path) -> Callable[[str], pd.DataFrame]:
    return lambda name: pd.read_parquet(vendor / "truth" / f"{name}.parquet")


@pytest.fixture(scope="session")
def dirt(truth: Callable[[str], pd.DataFrame]) -> pd.DataFrame:
    return truth("dirt")


@pytest.fixture(scope="session")
def summary(vendor: Path) -> dict[str, Any]:
    return dict(json.loads((vendor / "truth" / "summary.json").read_bytes()))


@pytest.fixture(scope="session")
def clean(raw: Raw, dirt: pd.DataFrame) -> Raw:
    """An export without the rows that some rule should remove."""

    def get(name: str) -> pd.DataFrame:
        wrong = dirt[(dirt["file"] == name) & (dirt["rule"] != "missing_predecessor")]
        return raw(name).drop(index=wrong["row"])

    return get


@pytest.fixture(scope="session")
def ledger(clean: Raw) -> pd.DataFrame:
    """The contracts as a reader of the file sees them; money in fen, days as timestamps."""
    frame = clean("合同台账.xlsx")
    for header in ("签订日期", "起始日期", "到期日期"):
        plain = frame[header].str.replace(r"[./年月]", "-", regex=True).str.rstrip("日")
        frame[header] = pd.to_datetime(plain, format="%Y-%m-%d")
    for header in ("年费(ARR)", "合同金额", "增购金额"):
        frame[header] = (frame[header].astype(float) * 100).round().astype("int64")
    return frame.fillna({"续费合同号": "", "原合同号": "", "主合同号": "", "流失原因": ""})
