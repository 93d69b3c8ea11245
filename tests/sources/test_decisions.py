"""Decisions of people: read in either language, refused with every problem at once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest
from pydantic import ValidationError

from analysis import wording
from analysis.errors import SourceError
from analysis.settings_model import Settings
from analysis.settings_segmentation import Overrides
from analysis.sources import decisions

NAMES = {
    "high_value": ("高价值客户", "High-value"),
    "potential": ("潜力客户", "Growth potential"),
    "churn_risk": ("流失风险客户", "At risk"),
}
AS_OF = date(2025, 9, 30)
HEAD = "customer_id,segment,author,reason,decided_on,expires_on\n"
Read = Callable[[], pd.DataFrame]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tmp_path / "decisions" / "acme"
    found.mkdir(parents=True)
    return found


@pytest.fixture
def read(tmp_path: Path) -> Read:
    given: dict[str, Any] = {
        "run": "acme",
        "period": "2025Q3",
        "sources": {"orders": {"path": "orders.csv", "columns": {}}},
    }
    settings = Settings.model_validate(given)
    return lambda: decisions(settings, tmp_path, NAMES, AS_OF)


def refused(read: Read) -> list[tuple[str, int, str, dict[str, Any]]]:
    with pytest.raises(SourceError) as caught:
        read()
    assert caught.value.exit_code == 3
    for lang in wording.LANGUAGES:
        assert wording.explain(caught.value, lang)
    return [(p.key, p.line, Path(p.file).name, dict(p.args)) for p in caught.value.problems]


def test_no_folder_no_decision(read: Read) -> None:
    found = read()
    assert found.empty
    assert list(found.columns)[:2] == ["customer_id", "segment"]


@pytest.mark.requirement("004-26")
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_a_chinese_list_in_any_encoding(folder: Path, read: Read, encoding: str) -> None:
    text = (
        "客户编号,客户类型,作者,理由,决定日期,有效期\n"
        'ＫＨ01,高价值客户,销售总监,"集团框架协议，长期",2025.9.1,2026年3月31日\n'
        "KH02,流失风险客户,销售总监,转向对手,2025-08-01,\n"
    )
    (folder / "overrides.csv").write_bytes(text.encode(encoding))
    found = read()
    assert found["customer_id"].tolist() == ["KH01", "KH02"]
    assert found["segment"].tolist() == ["high_value", "churn_risk"]
    assert found["reason"][0] == "集团框架协议，长期"
    assert found["decided_on"].tolist() == [pd.Timestamp(2025, 9, 1), pd.Timestamp(2025, 8, 1)]
    assert found["expires_on"][0] == pd.Timestamp(2026, 3, 31)
    assert pd.isna(found["expires_on"][1])
    assert found[["file", "row"]].to_numpy().tolist() == [
        ["decisions/acme/overrides.csv", 2],
        ["decisions/acme/overrides.csv", 3],
    ]


@pytest.mark.parametrize("name", ["high_value", "HIGH-VALUE", "High value", "高价值客户 "])
def test_a_segment_by_any_of_its_names(folder: Path, read: Read, name: str) -> None:
    (folder / "overrides.csv").write_text(HEAD + f"A,{name},x,y,2025-01-01,\n")
    assert read()["segment"].tolist() == ["high_value"]


def test_all_problems_at_once(folder: Path, read: Read) -> None:
    (folder / "overrides.csv").write_text(
        HEAD
        + "A,high valu,boss,why,2025-01-01,\n"
        + "B,potential,,why,2025-01-01,\n"
        + "C,potential,boss,,2025-13-01,\n"
        + "D,potential,boss,why,03/04/2025,\n"
        + "E,potential,boss,why,2025-05-01,2025-04-30\n"
        + ",potential,boss,why,,\n"
        + "F,potential,boss\n"
    )
    (folder / "overrides_2.csv").write_text("customer_id,segment\nA,potential\n")
    found = refused(read)
    keys = [(key, line, args.get("column")) for key, line, file, args in found if "_2" not in file]
    assert sorted(keys, key=str) == sorted(
        [
            ("decided.unknown_segment", 2, "segment"),
            ("decided.empty", 3, "author"),
            ("decided.empty", 4, "reason"),
            ("decided.bad_day", 4, "decided_on"),
            ("decided.bad_day", 5, "decided_on"),
            ("decided.ends_before", 6, "expires_on"),
            ("decided.empty", 7, "customer_id"),
            ("decided.empty", 7, "decided_on"),
            ("decided.fields", 8, None),
        ],
        key=str,
    )
    wrong = next(args for key, _, _, args in found if key == "decided.unknown_segment")
    assert wrong["found"] == "high valu"
    assert wrong["nearest"]["found"] in ("High-value", "high_value")
    assert wrong["allowed"] == ["高价值客户", "潜力客户", "流失风险客户"]
    missing = {args["column"] for key, _, file, args in found if "_2" in file}
    assert missing == {"author / 签字", "reason / 调整理由", "decided_on / 生效日"}


def test_two_decisions_of_one_day_contradict(folder: Path, read: Read) -> None:
    (folder / "overrides.csv").write_text(HEAD + "A,potential,a,b,2025-01-01,\n")
    (folder / "overrides2.csv").write_text(HEAD + "A,potential,c,d,2025-01-01,\n")
    assert len(read()) == 2  # the same twice is no contradiction
    (folder / "overrides3.csv").write_text(HEAD + "A,high_value,a,b,2025-01-01,\n")
    ((key, line, file, args),) = refused(read)
    assert (key, line, file) == ("decided.contradicts", 2, "overrides3.csv")
    assert args["other"] == "decisions/acme/overrides.csv:2"


def test_an_expired_decision_may_name_a_segment_of_the_past(folder: Path, read: Read) -> None:
    (folder / "overrides.csv").write_text(HEAD + "A,gold,a,b,2024-01-01,2024-12-31\n")
    assert read()["segment"].tolist() == ["gold"]
    (folder / "overrides.csv").write_text(HEAD + "A,gold,a,b,2024-01-01,2025-09-30\n")
    assert [key for key, *_ in refused(read)] == ["decided.unknown_segment"]


def test_only_files_of_decisions_are_read(folder: Path, read: Read) -> None:
    (folder / "2025Q2").mkdir()
    for name in (
        "notes.csv",
        "review.docx",
        "~$review.xlsx",
        "overrides.md",
        "2025Q2/overrides.csv",
    ):
        (folder / name).write_text("nothing of ours")
    assert read().empty


def test_a_reviewed_workbook(folder: Path, read: Read) -> None:
    book = openpyxl.Workbook()
    book.active.append(["怎么填"])
    sheet = book.create_sheet("清单")
    sheet.append(["分级复核会"])
    sheet.append(["客户编号", "判断依据", "业务意见", "调整理由", "生效日", "有效期至", "签字"])
    sheet.append(
        ["A", "…", "潜力客户", "一次性大单", datetime(2025, 9, 30), "2026年6月30日", "总监"]
    )
    sheet.append(["B", "…", None, None, datetime(2025, 9, 30), None, None])
    sheet.append(["C", "…", "at risk", "转向对手", "2025/10/8", datetime(2026, 1, 31), "总监"])
    book.save(folder / "分级复核_2025Q3.xlsx")
    found = read()
    assert found["customer_id"].tolist() == ["A", "C"]  # no opinion, no decision
    assert found["segment"].tolist() == ["potential", "churn_risk"]
    assert found["decided_on"].tolist() == [pd.Timestamp(2025, 9, 30), pd.Timestamp(2025, 10, 8)]
    assert found["expires_on"].tolist() == [pd.Timestamp(2026, 6, 30), pd.Timestamp(2026, 1, 31)]
    assert found["row"].tolist() == [3, 5]
    sheet["G5"] = None
    book.save(folder / "分级复核_2025Q3.xlsx")
    ((key, line, _, args),) = refused(read)
    assert (key, line, args["column"]) == ("decided.empty", 5, "签字")


@pytest.mark.parametrize(
    ("made", "name", "key"),
    [
        ("orders.xls", "overrides.xls", "decided.missing_column"),  # read, and no decisions
        ("locked.xlsx", "overrides.xlsx", "sources.locked"),
    ],
)
def test_old_and_locked_workbooks(folder: Path, read: Read, made: str, name: str, key: str) -> None:
    source = Path(__file__).parent / "files" / made
    (folder / name).write_bytes(source.read_bytes())
    assert {found for found, *_ in refused(read)} == {key}


@pytest.mark.parametrize("path", ["/etc", "../other", "a/*", "a//b", "{run}/{period}", ""])
def test_the_folder_of_decisions_lies_below_the_root(path: str) -> None:
    with pytest.raises(ValidationError, match="below_root"):
        Overrides(path=path)
    assert Overrides(path="decisions/group").folder("acme") == "decisions/group"
    assert Overrides().folder("acme") == "decisions/acme"
