"""Files: names, formats, encodings, the same bytes, what is refused."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

import analysis
from analysis import demo
from analysis.errors import ResourceError, SettingsError

NAMES = [
    "客户.xlsx",
    "客户档案_U8.csv",
    "联系人.csv",
    "人员.csv",
    "发货单_2022-2023.csv",
    "发货单_2024-2025.csv",
    "销售发票列表.csv",
    "收款单列表.csv",
    "应收账龄_2025-03-31.xlsx",
    "应收账龄_2025-06-30.xlsx",
    "应收账龄_2025-09-30.xlsx",
    "财务月报.xlsx",
    "目标.xlsx",
    "目标分解.xlsx",
    "CRM销售订单.xlsx",
    "商机.xlsx",
    "商机阶段记录.csv",
    "报价单.csv",
    "销售记录.csv",
    "售后工单.xlsx",
    "满意度调查.csv",
    "动作_2025Q2.csv",
    "上季动作.csv",
    "任务_2025Q2.csv",
    "任务_2025Q3.csv",
    "试用结果.csv",
    "销售线索.xlsx",
    "市场活动.csv",
    "外部信号.csv",
    "股权与伙伴关系.csv",
]
TRUTH = [
    "controls.parquet",
    "customers.parquet",
    "dirt.parquet",
    "effects.parquet",
    "links.parquet",
    "opportunities.parquet",
    "payments.parquet",
    "receivables.parquet",
    "texts.parquet",
    "summary.json",
]


def digest(folder: Path) -> dict[str, str]:
    return {
        p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(folder.rglob("*"))
        if p.is_file()
    }


def test_returns_what_it_wrote(tmp_path):
    written = demo.write(tmp_path / "new" / "folder", customers=50, seed=3)
    folder = tmp_path / "new" / "folder"
    assert [p.relative_to(folder).as_posix() for p in written] == NAMES + [
        f"truth/{name}" for name in TRUTH
    ]
    assert sorted(digest(folder)) == sorted(NAMES + [f"truth/{name}" for name in TRUTH])


def test_same_seed_same_bytes(company, tmp_path):
    demo.write(tmp_path)
    assert digest(tmp_path) == digest(company)


@pytest.mark.parametrize(("hash_seed", "zone"), [("1", "Asia/Shanghai"), ("77", "America/Lima")])
def test_same_bytes_in_another_process(small, tmp_path, hash_seed, zone):
    source = Path(analysis.__path__[0]).parent
    code = (
        "import sys, pathlib; from analysis import demo; "
        "demo.write(pathlib.Path(sys.argv[1]), customers=60)"
    )
    environment = {
        **os.environ,
        "PYTHONHASHSEED": hash_seed,
        "TZ": zone,
        "LC_ALL": "C",
        "PYTHONPATH": str(source),
    }
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], env=environment, check=True)
    assert digest(tmp_path) == digest(small)


def test_another_seed_another_company(small, tmp_path):
    demo.write(tmp_path, customers=60, seed=1)
    ours, theirs = digest(small), digest(tmp_path)
    assert [name for name in ours if ours[name] == theirs[name]] == ["人员.csv"]


def test_encodings(company):
    for name in ("联系人.csv", "发货单_2022-2023.csv", "上季动作.csv", "收款单列表.csv"):
        content = (company / name).read_bytes()
        content.decode("gb18030")
        with pytest.raises(UnicodeDecodeError):
            content.decode("utf-8")
    for name in ("发货单_2024-2025.csv", "销售记录.csv", "人员.csv"):
        assert (company / name).read_bytes().startswith(b"\xef\xbb\xbf")
    unicode_text = (company / "商机阶段记录.csv").read_bytes()
    assert unicode_text.startswith(b"\xff\xfe")
    assert unicode_text.decode("utf-16").splitlines()[0].count("\t") == 4


def test_workbooks_open_and_carry_no_clock(company):
    for name in ("客户.xlsx", "售后工单.xlsx", "目标.xlsx", "应收账龄_2025-09-30.xlsx"):
        with zipfile.ZipFile(company / name) as archive:
            assert archive.testzip() is None
            assert {member.date_time for member in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
            assert archive.namelist() == sorted(archive.namelist())
        book = openpyxl.load_workbook(company / name)
        assert book.properties.modified.year == 1980
    sheet = openpyxl.load_workbook(company / "客户.xlsx").active
    assert "客户资料导出" in sheet["A1"].value
    assert sheet["A2"].value == "客户编号"
    joined = next(cell for cell in sheet[2] if cell.value == "创建时间")
    assert sheet.cell(3, joined.column).is_date


def test_rows(company, raw, summary):
    for name in NAMES:
        assert len(raw(name)) == summary["rows"][name], name
    assert len(raw("客户.xlsx")) == 1200 + 18 + 10 + 4
    assert summary["rows"]["上季动作.csv"] > 600


def test_tickets_hold_real_times(raw):
    tickets = raw("售后工单.xlsx")
    opened = pd.to_datetime(tickets["受理时间"])
    assert opened.min() >= pd.Timestamp("2022-10-01")
    assert opened.max() < pd.Timestamp("2025-10-01")
    later = tickets["完成时间"].notna()
    assert (pd.to_datetime(tickets.loc[later, "完成时间"]) >= opened[later]).all()
    assert set(tickets["满意度"].dropna()) == {1, 2, 3, 4, 5}


def test_files_of_others_stay(tmp_path):
    (tmp_path / "mine.csv").write_text("a\n", encoding="utf-8")
    demo.write(tmp_path, customers=50)
    assert (tmp_path / "mine.csv").read_text(encoding="utf-8") == "a\n"
    assert not [p for p in tmp_path.iterdir() if p.name.startswith(".")]


def test_three_hundred_customers_take_little_time(tmp_path):
    begun = time.process_time()
    demo.write(tmp_path, customers=300)
    assert time.process_time() - begun < 10


@pytest.mark.parametrize("customers", [0, 49, -5, 1_000_001])
def test_refuses_numbers_out_of_range(tmp_path, customers):
    with pytest.raises(SettingsError) as caught:
        demo.write(tmp_path, customers=customers)
    assert [p.key for p in caught.value.problems] == ["demo.customers_range"]
    assert list(tmp_path.iterdir()) == []


def test_refuses_a_negative_seed_and_a_folder_that_is_a_file(tmp_path):
    with pytest.raises(SettingsError):
        demo.write(tmp_path, seed=-1)
    blocked = tmp_path / "file"
    blocked.write_text("", encoding="utf-8")
    with pytest.raises(ResourceError) as caught:
        demo.write(blocked, customers=50)
    assert caught.value.problems[0].key == "demo.cannot_write"
