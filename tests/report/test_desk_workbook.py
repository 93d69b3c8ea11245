"""Everybody's workbook: filled in as people do, read back, and nothing alive in it."""

from __future__ import annotations

import io
import unicodedata
import zipfile
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as cases
from hypothesis import strategies as st

from analysis import wording
from analysis.report.crm_files import ANSWERS
from analysis.report.desk_data import file_names
from analysis.report.desk_workbook import ASKED, GIVEN, render_desks
from analysis.report.workbook import plain
from tests.report.desk_sample import AS_OF, HOSTILE, IDS, formulas, opened, settings, table, tables


def render(given_tables: Any = None, lang: Any = "zh") -> dict[str, bytes]:
    return render_desks(given_tables or tables(), settings(), AS_OF, lang)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_form_reads_back(lang: Any) -> None:
    book = opened(render(lang=lang)["desk/P1.xlsx"])
    sheet = book[wording.text("desk.sheet.tasks", lang)]
    heads = [wording.text(f"desk.head.{name}", lang) for name in (*GIVEN, *ASKED)]
    assert [cell.value for cell in sheet[3]] == heads
    found = [[cell.value for cell in row] for row in sheet.iter_rows(min_row=4)]
    assert len(found) == 20
    names = dict(zip(IDS, HOSTILE, strict=True))
    for task, customer, name, title, standard, due, *answers in found:
        assert isinstance(task, str)
        assert task.startswith("0e")  # would be a number in a careless reader's hands
        assert name == plain(names[customer])
        assert title == wording.text("task.care_call", lang)
        assert standard == wording.text("standard.care_call", lang)
        assert due == datetime(2025, 10, 20)
        assert answers == [None] * 5
    assert {line[1] for line in found} == {IDS[n] for n in range(0, 40, 2)}
    meta = book["_meta"]
    assert meta.sheet_state == "hidden"
    assert [[meta.cell(r, c).value for c in (1, 2)] for r in (1, 2, 3, 4)] == [
        ["analysis-tasks", "1"], ["run", "acme"], ["period", "2025Q4"], ["owner_id", "P1"],
    ]  # fmt: skip


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_drop_downs_and_days(lang: Any) -> None:
    book = opened(render(lang=lang)["desk/P1.xlsx"])
    sheet = book[wording.text("desk.sheet.tasks", lang)]
    rules = {str(rule.sqref): rule for rule in sheet.data_validations.dataValidation}
    assert {where: rule.type for where, rule in rules.items()} == {
        "G4:G23": "list", "J4:J23": "list", "H4:H23": "date", "I4:I23": "date",
    }  # fmt: skip
    for where, name in (("G4:G23", "status"), ("J4:J23", "reason")):
        first, last = rules[where].formula1.replace("$", "").partition("!")[2].split(":")
        options = [cell.value for row in book["_meta"][first:last] for cell in row]
        assert options == [wording.text(f"desk.{name}.{key}", lang) for key in ANSWERS[name]]


def test_numbers_are_locked_and_answers_are_not() -> None:
    book = opened(render()["desk/P1.xlsx"])
    assert all(sheet.protection.sheet for sheet in book)
    for row in book["任务"].iter_rows(min_row=4):
        assert [cell.protection.locked for cell in row] == [True] * 6 + [False] * 5


def test_nothing_of_another_person() -> None:
    content = render()["desk/P1.xlsx"]
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        text = "".join(archive.read(name).decode("utf-8", "replace") for name in archive.namelist())
    others = [IDS[n] for n in range(1, 40, 2) if len(IDS[n]) > 5 or IDS[n].startswith("0003")]
    assert others
    assert not [number for number in others if f">{number}<" in text]
    assert "P2" not in text


def test_no_formula_no_link_same_bytes() -> None:
    made = tables(owners=HOSTILE)
    files = render(made)
    assert len(files) == len(set(HOSTILE))
    assert files == render(made)
    assert [found for content in files.values() for found in formulas(content)] == []


def test_what_does_not_fit_is_said() -> None:
    book = opened(render()["desk/P1.xlsx"])
    cover = [cell.value for row in book["封面"].iter_rows() for cell in row if cell.value]
    assert any("1 次拜访在最迟日期前排不下" in str(text) for text in cover)
    marks = [row[-1].value for row in book["拜访安排"].iter_rows(min_row=4)]
    assert [mark for mark in marks if mark] == ["晚于最迟日期 1 个工作日"]
    other = opened(render()["desk/P2.xlsx"])
    assert not any("排不下" in str(c.value) for row in other["封面"].iter_rows() for c in row)


def test_the_cover_says_what_comes_first() -> None:
    made = tables(["甲", "乙"], owners=["P1"])
    book = opened(render(made)["desk/P1.xlsx"])
    lines = [[cell.value for cell in row][:4] for row in book["封面"].iter_rows()]
    day = datetime(2025, 10, 20)
    assert [day, "拜访", "甲", "关怀电话一次"] in lines
    assert [day, "任务到期", None, "关怀电话一次（2 家）"] in lines
    assert ["2025-W43", "10月20日～10月26日", "拜访 1 次，到期任务 2 项，提醒 1 条", None] in lines


def test_a_person_without_tasks_or_customers_known() -> None:
    made = tables(["甲"])
    made["tasks"], made["visits"] = made["tasks"].slice(0, 0), made["visits"].slice(0, 0)
    alone = {"reminder_id": "r", "kind": "review", "owner_id": "Q", "remind_on": "2025-12-31",
             "event_on": "2025-12-31", "text": '{"key": "reminder.full_review"}'}  # fmt: skip
    made["reminders"] = table("reminders", [alone])
    files = render(made)
    assert list(files) == ["desk/Q.xlsx"]
    assert opened(files["desk/Q.xlsx"])["提醒"]["E4"].value.startswith("年度全面复核")
    assert render({name: t.slice(0, 0) for name, t in made.items()}) == {}


# Names of files


def folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


@given(st.lists(st.text(max_size=12), max_size=12, unique=True))
@cases(deadline=None)
def test_file_names_are_safe_and_differ_on_every_disk(owners: list[str]) -> None:
    names = file_names(owners)
    assert list(names) == owners
    assert len({folded(name) for name in names.values()}) == len(owners)
    for name in names.values():
        assert name
        assert len(f"{name}.xlsx".encode()) < 255
        assert not set(name) & set('/\\:*?"<>|.\0\n\r\t ')
        assert name.upper() not in {"CON", "PRN", "AUX", "NUL", "COM1", "LPT9"}


def test_file_names_of_hostile_numbers() -> None:
    owners = [
        "P1",
        "p2",
        "P2",
        "../../etc/passwd",
        "CON",
        "",
        "é",
        "e\u0301",
        "a/b",
        "a_b",
        "x" * 999,
    ]
    names = file_names([*owners, "王五", "P3-0123abcd"])
    assert names["P1"] == "P1"
    assert names["王五"] == "王五"
    assert len({folded(name) for name in names.values()}) == len(names)
    assert names["P3-0123abcd"] != "P3-0123abcd"  # could be somebody else's
    assert not [name for name in names.values() if "/" in name or "." in name]
