"""Workbooks of tasks come back: what sellers do to them never becomes a wrong number."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl.worksheet.worksheet import Worksheet
from tests.sources.task_books import META, book, row

from analysis import sources, wording
from analysis.cleaning import Cleaned, clean
from analysis.errors import SourceError
from analysis.settings_model import Settings
from analysis.wording.told import told

AS_OF = date(2025, 12, 31)
PLAN = pd.DataFrame(
    {
        "task_id": [f"{n:012x}" for n in range(40)],
        "customer_id": ["KH1"] * 40,
        "owner_id": ["S01"] * 40,
        "due": pd.Timestamp(2025, 10, 17),
        "source": "key_account_care/review",
    }
)
A, B, C, D = PLAN["task_id"][:4]
MAPPING = Path(__file__).parents[2] / "params" / "mappings"
Back = Callable[..., Cleaned]


@pytest.fixture
def back(tmp_path: Path) -> Back:
    """Read and clean the workbooks in the folder, beside an order."""
    shutil.copytree(MAPPING, tmp_path / "params" / "mappings")
    (tmp_path / "orders.csv").write_text(
        "order_id,customer_id,ordered_at,amount\n1,KH1,2025-10-08,5\n", encoding="utf-8"
    )

    def _back(plan: pd.DataFrame | None = PLAN, as_of: date = AS_OF, **more: Any) -> Cleaned:
        given_sources: dict[str, Any] = {"orders": {"path": "orders.csv"}}
        given_sources["tasks"] = {"path": "tasks/*.xlsx", **more.pop("tasks", {})}
        found = Settings.model_validate(
            {"run": "acme", "period": "2025Q4", "sources": {**given_sources, **more}}
        )
        read = sources.read(found, tmp_path)
        return clean(read.tables, found, as_of, read.rejected, plan)

    return _back


def kept(found: Cleaned) -> dict[str, tuple[Any, ...]]:
    columns = ("status", "done_on", "moved_to", "answer", "note")
    rows = found.tables["task_results"].to_pylist()
    return {
        r["task_id"]: tuple(v.date() if isinstance(v := r[c], datetime) else v for c in columns)
        for r in rows
    }


def gone(found: Cleaned) -> list[tuple[str, str, int]]:
    listed = [r for r in found.removed.to_pylist() if r["table"] == "tasks"]
    for line in listed:
        for lang in wording.LANGUAGES:
            assert wording.has(f"rule.{line['rule']}")
            assert "{" not in told(line["reason"], lang, "CNY")
    return sorted((r["rule"], r["file"], r["row"]) for r in listed)


def ties(found: Cleaned, read: int) -> None:
    """As many rows were read as are kept and set aside."""
    steps = found.reconciliation.query("table == 'tasks'").set_index("step")["rows"]
    assert steps["read"] == read
    assert steps["kept"] == read - len(gone(found)) == len(kept(found))


@pytest.mark.requirement("000-24")
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_filled_workbook_in_either_language(tmp_path: Path, back: Back, lang: str) -> None:
    words = {
        "zh": ("已完成", "未完成", "改期", "放弃", "价格谈不拢"),
        "en": ("Done", "Open", "Moved", "Dropped", "Price"),
    }[lang]
    rows = [
        row(A, words[0], datetime(2025, 10, 9)),
        row(B, words[1], note="下周再约"),
        row(C, words[2], moved_to=datetime(2025, 11, 3)),
        row(D, words[3], reason=words[4], note="请打 13812345678"),
        row(PLAN["task_id"][4]),
    ]
    book(tmp_path / "tasks" / "S01.xlsx", rows, lang)
    found = back()
    assert kept(found) == {
        A: ("done", date(2025, 10, 9), None, None, None),
        B: ("open", None, None, None, "下周再约"),
        C: ("moved", None, date(2025, 11, 3), None, None),
        D: ("dropped", None, None, "price", "请打 ***"),
        PLAN["task_id"][4]: (None, None, None, None, None),  # no answer is not "open"
    }
    ties(found, 5)
    first = found.tables["task_results"].to_pylist()[0]
    assert (first["owner_id"], first["source"]) == ("S01", "tasks/S01.xlsx")


def habits(sheet: Worksheet) -> None:
    """What Excel, WPS and hurried people do."""
    sheet.title = "我的任务 (2)"
    sheet["G4"] = " 已完成　"
    sheet["H4"] = "２０２５/１０/９"
    sheet["A4"] = f" {A}"
    sheet["G5"], sheet["H5"] = "已完成", "2025年10月9日"
    sheet["G6"], sheet["H6"] = "已完成", 45939  # Excel's own day number
    sheet["M3"], sheet["M4"] = "我自己加的列", "随手写"
    sheet.row_dimensions[5].hidden = True
    sheet.auto_filter.ref = "A3:K8"
    sheet.freeze_panes = "C4"
    sheet["G7"] = "已完成"
    sheet["H7"] = "2025-10-09"
    sheet.merge_cells("G7:G8")
    sheet["K9"] = "合计请核对"


def test_habits_of_excel_do_not_matter(tmp_path: Path, back: Back) -> None:
    ids = PLAN["task_id"].tolist()
    path = book(tmp_path / "tasks" / "S01.xlsx", [row(i) for i in ids[:5]], spoil=habits)
    found = back()
    nine = date(2025, 10, 9)
    assert [kept(found)[i][:2] for i in ids[:4]] == [("done", nine)] * 4
    # a merged cell says what it says once: the row below has no answer
    assert kept(found)[ids[4]][:2] == (None, None)
    ties(found, 6)  # the line below the table is set aside
    other = openpyxl.load_workbook(path)
    other.create_sheet("说明", 0)["A1"] = "先看这里"
    other.save(path)
    assert kept(back()) == kept(found)


def test_other_sheets_may_hold_what_cannot_be_read(tmp_path: Path, back: Back) -> None:
    path = book(tmp_path / "tasks" / "S01.xlsx", [row(A, "已完成", "2025-10-09")])
    changed = openpyxl.load_workbook(path)
    own = changed.create_sheet("我的小计", 0)
    own.append(["任务编号", "数"])
    own.append([A, "=1+1"])
    changed.save(path)
    assert kept(back())[A][0] == "done"


def test_sorted_filtered_and_shortened_rows_say_the_same(tmp_path: Path, back: Back) -> None:
    ids = PLAN["task_id"].tolist()
    rows = [row(i, "已完成", f"2025.10.{9 + n}") for n, i in enumerate(ids[:6])]
    book(tmp_path / "tasks" / "S01.xlsx", rows)
    whole = kept(back())
    book(tmp_path / "tasks" / "S01.xlsx", list(reversed(rows))[:4])
    found = back()
    assert kept(found) == {i: whole[i] for i in ids[2:6]}
    book(tmp_path / "tasks" / "S01.xlsx", [])
    assert kept(back()) == {}


BAD = {
    "unknown_status": row(A, "差不多了"),
    "unreadable_date": row(A, "已完成", "上周五"),
    "half_answer": row(A, None, "2025-10-09"),
    "done_in_future": row(A, "已完成", "2026-01-05"),
    "done_before_plan": row(A, "已完成", "2025-09-26"),
    "foreign_task": row("ffffffffffff", "已完成", "2025-10-09"),
    "missing_value": row("", "已完成", "2025-10-09"),
}


@pytest.mark.parametrize("rule", BAD)
def test_bad_answers_are_set_aside_with_file_row_and_reason(
    tmp_path: Path, back: Back, rule: str
) -> None:
    book(tmp_path / "tasks" / "S01.xlsx", [row(B, "未完成"), BAD[rule]])
    found = back()
    assert gone(found) == [(rule, "tasks/S01.xlsx", 5)]
    assert set(kept(found)) == {B}
    ties(found, 2)


@pytest.mark.parametrize("status", ["03/04/2025", "2025-13-40", "30.2.2025", "下周", "45", "#N/A"])
def test_no_day_is_guessed(tmp_path: Path, back: Back, status: str) -> None:
    book(tmp_path / "tasks" / "S01.xlsx", [row(A, "改期", moved_to=status)])
    rule = "ambiguous_date" if status in ("03/04/2025", "30.2.2025") else "unreadable_date"
    assert gone(back()) == [(rule, "tasks/S01.xlsx", 4)]


@pytest.mark.parametrize(
    "meta",
    [
        [META[0], ("run", "other"), *META[2:]],
        [*META[:2], ("period", "2025Q3"), META[3]],
        [*META[:2], ("period", "四季度"), META[3]],
        [META[0]],
    ],
)
def test_a_workbook_of_another_plan_is_set_aside(tmp_path: Path, back: Back, meta: Any) -> None:
    book(tmp_path / "tasks" / "S01.xlsx", [row(A, "已完成", "2025-10-09"), row(B)], meta=meta)
    found = back()
    assert kept(found) == {}
    assert [line[0] for line in gone(found)] == ["other_workbook"] * 2
    ties(found, 2)


def test_a_later_form_is_refused_by_name(tmp_path: Path, back: Back) -> None:
    book(tmp_path / "tasks" / "S01.xlsx", [row(A)], meta=[("analysis-tasks", 2), *META[1:]])
    with pytest.raises(SourceError) as caught:
        back()
    assert [p.key for p in caught.value.problems] == ["sources.form_version"]
    assert "S01.xlsx" in str(wording.explain(caught.value, "zh"))


def test_a_workbook_without_its_status_column_is_refused(tmp_path: Path, back: Back) -> None:
    def rename(sheet: Worksheet) -> None:
        sheet["G3"] = "怎么样了"

    book(tmp_path / "tasks" / "S01.xlsx", [row(A, "已完成")], spoil=rename)
    with pytest.raises(SourceError) as caught:
        back()
    assert [p.key for p in caught.value.problems] == ["sources.missing_column"]


SAID = {
    "done": row(A, "已完成", "2025-10-09"),
    "done_later": row(A, "已完成", "2025-10-10"),
    "open": row(A, "未完成"),
    "moved": row(A, "改期", moved_to="2025-11-03"),
    "dropped": row(A, "放弃"),
    "nothing": row(A),
}


@pytest.mark.parametrize(
    ("one", "other", "status", "rules"),
    [
        ("done", "open", "done", ["overruled"]),
        ("open", "done", "done", ["overruled"]),
        ("done", "nothing", "done", ["overruled"]),
        ("moved", "nothing", "moved", ["overruled"]),
        ("done", "done", "done", ["repeated_keys"]),
        ("open", "open", "open", ["repeated_keys"]),
        ("nothing", "nothing", None, ["repeated_keys"]),
        ("done", "done_later", "", ["contradictory_answers"] * 2),
        ("done", "dropped", "", ["contradictory_answers"] * 2),
        ("done", "moved", "", ["contradictory_answers"] * 2),
        ("open", "moved", "", ["contradictory_answers"] * 2),
        ("moved", "dropped", "", ["contradictory_answers"] * 2),
    ],
)
def test_two_files_on_one_task(
    tmp_path: Path, back: Back, one: str, other: str, status: str | None, rules: list[str]
) -> None:
    book(tmp_path / "tasks" / "S01.xlsx", [SAID[one]])
    book(tmp_path / "tasks" / "S02.xlsx", [SAID[other]])
    found = back()
    assert [line[0] for line in gone(found)] == rules
    assert {i: said[0] for i, said in kept(found).items()} == ({} if status == "" else {A: status})
    ties(found, 2)


def test_a_bad_answer_does_not_spoil_a_good_one(tmp_path: Path, back: Back) -> None:
    book(tmp_path / "tasks" / "S01.xlsx", [SAID["done"]])
    book(tmp_path / "tasks" / "S02.xlsx", [row(A, "已完成", "2026-02-01")])
    found = back()
    assert kept(found)[A][:2] == ("done", date(2025, 10, 9))
    assert gone(found) == [("done_in_future", "tasks/S02.xlsx", 4)]


def test_a_crm_export_beside_the_workbooks(tmp_path: Path, back: Back) -> None:
    book(tmp_path / "tasks" / "S01.xlsx", [SAID["open"]])
    (tmp_path / "crm.csv").write_text(
        f"编号,情况,办结,截止\n{A},已办,2025-10-09,2025-10-17\nRW1,没办,,2025-10-20\n"
        "RW2,不清楚,,2025-10-20\nRW3,已办,2025-08-01,2025-08-01\n",
        encoding="utf-8",
    )
    own = {
        "path": ["tasks/*.xlsx", "crm.csv"],
        "columns": {
            "task_id": "编号",
            "status": {"from": "情况", "map": {"已办": "done", "没办": "open"}},
            "done_on": "办结",
            "due_on": "截止",
        },
    }
    found = back(tasks=own)
    # what the CRM has of its own is no part of the plan, and no fault
    assert {i: said[0] for i, said in kept(found).items()} == {
        A: "done", "RW1": "open", "RW3": "done",
    }  # fmt: skip
    assert gone(found) == [
        ("overruled", "tasks/S01.xlsx", 4),
        ("unknown_status", "crm.csv", 4),
    ]
    ties(found, 5)


def test_a_workbook_that_lost_its_hidden_sheet_is_read_by_the_mapping(
    tmp_path: Path, back: Back
) -> None:
    book(tmp_path / "tasks" / "S01.xlsx", [SAID["done"], row("own", "未完成")], meta=None)
    found = back(tasks={"mapping": "tasks_workbook"})
    assert {i: said[0] for i, said in kept(found).items()} == {A: "done", "own": "open"}


def test_nothing_has_come_back_yet(back: Back) -> None:
    found = back(load_failures={"path": "failed/*.csv", "mapping": "tasks_workbook"})
    for name in ("task_results", "load_failures"):
        assert found.tables[name].num_rows == 0
    with pytest.raises(SourceError):
        back(tasks={"path": "tasks/S01.xlsx"})  # a file that is named must be there


def test_without_a_plan_every_task_is_taken(tmp_path: Path, back: Back) -> None:
    book(tmp_path / "tasks" / "S01.xlsx", [BAD["foreign_task"]])
    assert len(kept(back(plan=None))) == 1


@pytest.mark.requirement("000-24")
def test_what_the_crm_refused(tmp_path: Path, back: Back) -> None:
    text = f"任务编号,失败原因\n{A},负责人已离职，电话 13812345678\nXX9,客户不存在\n"
    (tmp_path / "failed.csv").write_bytes(text.encode("gb18030"))
    source = {"path": "failed.csv", "mapping": "tasks_workbook"}
    found = back(load_failures=source).tables["load_failures"].to_pylist()
    assert [tuple(r.values()) for r in found] == [
        ("failed.csv", 2, A, "负责人已离职，电话 ***", True),
        ("failed.csv", 3, "XX9", "客户不存在", False),
    ]
    unknown = back(plan=None, load_failures=source).tables["load_failures"].to_pylist()
    assert {r["known"] for r in unknown} == {None}


_cell = st.one_of(
    st.none(),
    st.sampled_from(["已完成", "Done ", "未完成", "改期", "放弃", "完了", "=1+1", "2025-10-09"]),
    st.datetimes(datetime(2025, 6, 1), datetime(2026, 6, 1)),
    st.integers(-5, 60000),
    st.floats(0, 60000),
    st.booleans(),
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=6),
)
_row = st.tuples(st.integers(0, 5), _cell, _cell, _cell, _cell)


@settings(
    max_examples=20, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(st.lists(st.lists(_row, max_size=6), min_size=1, max_size=3), st.randoms())
def test_whatever_stands_there_every_row_is_kept_or_set_aside_whatever_the_order(
    tmp_path: Path, back: Back, files: list[list[tuple[Any, ...]]], order: Any
) -> None:
    folder = tmp_path / "tasks"
    shutil.rmtree(folder, ignore_errors=True)
    taken = []
    for _ in range(2):
        for number, rows in enumerate(files):
            cells = [[PLAN["task_id"][n], "KH1", "", "", "", "", *rest] for n, *rest in rows]
            book(folder / f"S{number}.xlsx", [row(D, "未完成"), *cells])
        try:
            found = back()
        except SourceError as error:
            keys = {p.key for p in error.problems}
            assert keys <= {"sources.formula_without_value"}
            return
        ties(found, sum(len(rows) + 1 for rows in files))
        taken.append(kept(found))
        for status, done_on, *_ in taken[-1].values():
            assert status in (None, "done", "open", "moved", "dropped")
            assert done_on is None or date(2025, 10, 1) <= done_on <= AS_OF or status != "done"
        for rows in files:
            order.shuffle(rows)
    assert taken[0] == taken[1]
