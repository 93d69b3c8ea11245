"""The workbook of the review meeting: filled in as people do, and read back."""

from __future__ import annotations

import io
import zipfile
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pyarrow as pa
import pytest

from analysis import wording
from analysis.engine import conform
from analysis.report import render_review
from analysis.segmentation import apply_overrides, segment_names
from analysis.settings_model import Settings
from analysis.sources import decisions
from analysis.tables import RECORD

AS_OF = date(2025, 9, 30)
KEYS = ["high_value", "potential", "churn_risk", "low_frequency_essential", "new"]
HOSTILE = ["=1+1", "+cmd|' /C calc'!A0", "https://a.example/x", "-2", "@SUM(A1)"]


def table(name: str, rows: list[dict[str, Any]]) -> pa.Table:
    return conform(pd.DataFrame(rows, columns=RECORD[name].names), RECORD[name])


def tables(names: list[str] | None = None) -> dict[str, pa.Table]:
    names = names or ["甲公司", "乙公司", "丙公司"]
    ids = [f"00{i}" for i in range(1, len(names) + 1)]
    reason = '{"args": {}, "key": "reason.no_order"}'
    why = '[{"args": {"cluster": {"key": "segment.new"}}, "key": "review.why.cluster"}]'
    return {
        "review": table(
            "review",
            [
                {
                    "rank": i, "customer_id": id_, "name": name, "owner": name, "amount": 1e6 / i,
                    "system_segment": "potential", "present_tier": "A", "segment": "potential",
                    "cluster": "unnamed", "proposal": "new", "why": why,
                }
                for i, (id_, name) in enumerate(zip(ids, names, strict=True), start=1)
            ],
        ),
        "segments": table(
            "segments",
            [
                {
                    "customer_id": id_, "scheme": "rfm5", "segment": "potential", "place": "exact",
                    "rule": "near_mid_mid", "reason": reason,
                }
                for id_ in ids
            ],
        ),
        "segment_summary": table(
            "segment_summary",
            [
                {
                    "segment": key, "customers": 1, "share": 0.2, "revenue": 1,
                    "revenue_share": 0.2, "customers_before": 1, "change": 0,
                }
                for key in [*KEYS, "all"]
            ],
        ),
    }  # fmt: skip


@pytest.fixture
def settings() -> Settings:
    return Settings.model_validate(
        {
            "run": "acme",
            "period": "2025Q3",
            "sources": {"orders": {"path": "o.csv", "columns": {}}},
            "report": {"company": "=某公司"},
        }
    )


def opened(content: bytes) -> Any:
    return openpyxl.load_workbook(io.BytesIO(content))


def heads(sheet: Any) -> list[str]:
    return [cell.value for cell in sheet[3]]


@pytest.mark.requirement("004-26")
def test_the_sheet_of_the_meeting(settings: Settings) -> None:
    book = opened(render_review(tables(), settings, AS_OF, "zh"))
    assert book.sheetnames == ["怎么填", "复核清单"]
    sheet = book["复核清单"]
    assert heads(sheet) == [
        "序号", "客户编号", "客户名称", "负责人", "近12个月金额（元）", "系统分层", "判断依据",
        "现有级别", "聚类", "上会原因", "建议", "业务意见", "调整理由", "生效日", "有效期至",
        "签字",
    ]  # fmt: skip
    assert sheet.freeze_panes == "D4"
    assert sheet.print_title_rows == "$1:$3"
    assert (sheet.page_setup.orientation, sheet.page_setup.paperSize) == ("landscape", 9)
    assert [cell.value for cell in sheet[4]][:8] == [
        1, "001", "甲公司", "甲公司", 1_000_000, "潜力客户", "已建档，还没有下过单。", "A",
    ]  # fmt: skip
    row = dict(zip(heads(sheet), [cell.value for cell in sheet[4]], strict=True))
    assert (row["上会原因"], row["建议"], row["生效日"]) == (
        "看购买行为更像新客户", "新客户", datetime(2025, 9, 30),
    )  # fmt: skip
    assert row["业务意见"] is row["调整理由"] is row["签字"] is row["有效期至"] is None
    choice = sheet.data_validations.dataValidation[0]
    assert (choice.type, str(choice.sqref)) == ("list", "L4:L6")
    first, last = choice.formula1.split("!")[1].replace("$", "").split(":")
    offered = [cell.value for (cell,) in book["怎么填"][f"{first}:{last}"]]
    assert sorted(offered) == sorted(wording.text(f"segment.{key}", "zh") for key in KEYS)


def test_in_english_and_with_a_decision_in_force(settings: Settings) -> None:
    found = tables()
    frame = found["review"].to_pandas()
    frame.loc[0, "segment"] = "high_value"
    found["review"] = conform(frame, RECORD["review"])
    sheet = opened(render_review(found, settings, AS_OF, "en"))["Review list"]
    row = dict(zip(heads(sheet), [cell.value for cell in sheet[4]], strict=True))
    assert (row["Rules say"], row["In force"]) == ("Growth potential", "High-value")


@pytest.mark.parametrize("lang", wording.LANGUAGES)
def test_filled_in_by_people_it_reads_back(
    tmp_path: Path, settings: Settings, lang: wording.Language
) -> None:
    book = opened(render_review(tables(), settings, AS_OF, lang))
    sheet = book.worksheets[1]
    place = {head: at for at, head in enumerate(heads(sheet), start=1)}
    business = [
        next(h for h in place if h in wording.text(f"decided.head.{field}", lang).split("|"))
        for field in ("opinion", "reason", "expires_on", "author")
    ]
    for row, values in {
        4: ("高价值客户", "集团客户", datetime(2026, 6, 30), "销售总监"),
        6: ("at risk", "转向对手", "2025年12月31日", "大区总监"),
    }.items():
        for head, value in zip(business, values, strict=True):
            sheet.cell(row, place[head]).value = value
    folder = tmp_path / "decisions" / "acme"
    folder.mkdir(parents=True)
    book.save(folder / "review 2025Q3.xlsx")
    decided = decisions(settings, tmp_path, segment_names(KEYS), AS_OF)
    assert decided["customer_id"].tolist() == ["001", "003"]
    assert decided["segment"].tolist() == ["high_value", "churn_risk"]
    assert decided["expires_on"].tolist() == [pd.Timestamp(2026, 6, 30), pd.Timestamp(2025, 12, 31)]
    now, overrides = apply_overrides(tables()["segments"].to_pandas(), decided, AS_OF)
    assert now["segment"].tolist() == ["high_value", "potential", "churn_risk"]
    assert overrides["state"].tolist() == ["applied", "applied"]  # in force from this period on


def test_an_untouched_copy_decides_nothing(tmp_path: Path, settings: Settings) -> None:
    folder = tmp_path / "decisions" / "acme"
    folder.mkdir(parents=True)
    (folder / "review.xlsx").write_bytes(render_review(tables(), settings, AS_OF, "zh"))
    assert decisions(settings, tmp_path, segment_names(KEYS), AS_OF).empty


def test_nothing_from_data_is_alive(settings: Settings) -> None:
    content = render_review(tables(HOSTILE), settings, AS_OF, "zh")
    book = opened(content)
    shown = [cell.value for cell in book["复核清单"]["C"]][3:]
    assert shown == HOSTILE
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for name in archive.namelist():
            text = archive.read(name).decode("utf-8", "replace")
            assert "<f>" not in text
            assert "<hyperlink" not in text


def test_the_same_tables_give_the_same_bytes(settings: Settings) -> None:
    one, two = (render_review(tables(), settings, AS_OF, "zh") for _ in range(2))
    assert one == two


def test_an_empty_list_is_a_valid_workbook(settings: Settings) -> None:
    empty = {**tables(), "review": RECORD["review"].schema().empty_table()}
    sheet = opened(render_review(empty, settings, AS_OF, "zh"))["复核清单"]
    assert sheet.max_row == 3


def test_meanings_stand_there_and_rows_are_as_high_as_their_text(settings: Settings) -> None:
    book = openpyxl.load_workbook(io.BytesIO(render_review(tables(), settings, AS_OF, "zh")))
    guide = book.worksheets[0]
    texts = [c for row in guide.iter_rows(values_only=True) for c in row if isinstance(c, str)]
    assert "一年一两单，但单额大" in texts
    long = tables(["甲" * 20, "乙公司"])
    book = openpyxl.load_workbook(io.BytesIO(render_review(long, settings, AS_OF, "zh")))
    heights = [book.worksheets[1].row_dimensions[row].height for row in (4, 5)]
    assert heights[0] == 5 * 15  # the owner, in a narrow column
    assert heights[1] is None  # one line: as high as any row
