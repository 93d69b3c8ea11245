"""The files that go back into the CRM."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis import wording
from analysis.errors import SettingsError
from analysis.report.crm_files import render_crm, risky
from analysis.report.crm_mapping import Crm, load_crm
from tests.report.desk_sample import (
    AS_OF,
    HOSTILE,
    IDS,
    ROOT,
    formulas,
    opened,
    settings,
    table,
    tables,
)

SHIPPED = sorted(path.stem for path in (ROOT / "params" / "crm").glob("*.yml"))


def render(given_tables: Any = None, crm: Crm | None = None, lang: Any = "zh", **more: Any) -> Any:
    return render_crm(
        given_tables or tables(), settings(**more), AS_OF, lang, crm or load_crm("generic_zh", ROOT)
    )


def rows(content: bytes) -> list[list[str]]:
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def sheet(content: bytes, at: int = 0) -> list[list[Any]]:
    book = opened(content)
    return [[cell.value for cell in row] for row in book.worksheets[at].iter_rows()]


@pytest.mark.requirement("001-24")
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_key_first_and_the_new_fields(lang: Any) -> None:
    files = render(lang=lang)
    head, *found = rows(files["crm/customers.csv"])
    assert head == [
        "客户编号", "客户分层（系统）", "分层依据", "分层日期", "下季动作", "责任人", "最迟日期",
    ]  # fmt: skip
    assert "客户级别" not in head
    name = wording.text("segment.potential", lang)
    action = wording.text("task.care_call", lang)
    assert found[0][:2] == ["00000", name]
    assert found[0][3:] == ["2025-09-30", action, "P1", "2025-10-20"]
    assert found[0][2]


def test_numbers_stay_text() -> None:
    files = render()
    for name in ("customers.csv", "customers.xlsx"):
        found = rows(files["crm/" + name]) if name.endswith("csv") else sheet(files["crm/" + name])
        assert {line[0] for line in found[1:]} == set(IDS)
    book = opened(files["crm/tasks.xlsx"])
    cells = [cell for line in book.worksheets[0].iter_rows(min_row=2) for cell in line[:2]]
    assert all(cell.data_type == "s" and cell.number_format == "@" for cell in cells)


def test_a_task_has_the_same_number_each_time_and_no_status() -> None:
    files = render()
    head, *found = rows(files["crm/tasks.csv"])
    assert head[0] == "外部编号"
    assert len({line[0] for line in found}) == len(found) == len(HOSTILE)
    assert "完成情况" not in head  # people fill it in; loading again must not undo it


def test_the_same_bytes_twice() -> None:
    assert render() == render()


def test_the_options_are_listed_first_to_be_created() -> None:
    files = render()
    assert sheet(files["crm/customers.xlsx"], 1) == [
        ["字段", "选项"],
        ["客户分层（系统）", wording.text("segment.potential", "zh")],
    ]
    listed = sheet(files["crm/tasks.xlsx"], 1)[1:]
    assert listed[:4] == [["完成情况", w] for w in ("已完成", "未完成", "改期", "放弃")]
    assert len(listed) == 12


def test_no_more_rows_than_the_crm_takes() -> None:
    crm = load_crm("generic_zh", ROOT).model_copy(update={"rows": 15})
    files = render(crm=crm)
    parts = [rows(files[f"crm/tasks_{n:02d}.csv"]) for n in (1, 2, 3)]
    assert [len(part) - 1 for part in parts] == [15, 15, 10]
    assert len({line[0] for part in parts for line in part[1:]}) == 40
    assert "crm/tasks.csv" not in files
    assert len(opened(files["crm/tasks_02.xlsx"]).worksheets) == 1


def hostile_keys() -> Any:
    """Customers and persons whose very numbers are formulas."""
    made = tables(["甲", "乙"], owners=["=P1", "P2"])
    swapped = {}
    for name, one in made.items():
        frame = one.to_pandas()
        if "customer_id" in frame:
            frame["customer_id"] = frame["customer_id"].replace({IDS[0]: "=1+1"})
        swapped[name] = table(name, frame.to_dict("records"))
    return swapped


def test_no_formula_can_fire() -> None:
    for given_tables in (tables(owners=HOSTILE), hostile_keys()):
        files = render(given_tables)
        for name, content in files.items():
            if name.endswith("xlsx"):
                assert formulas(content) == []
            else:
                assert not [cell for line in rows(content) for cell in line if risky(cell)]


def test_what_the_csv_leaves_out_stands_in_the_workbook() -> None:
    files = render(hostile_keys())
    assert [line[0] for line in rows(files["crm/customers.csv"])[1:]] == [IDS[1]]
    assert [line[0] for line in sheet(files["crm/customers.xlsx"])[1:]] == [IDS[1], "=1+1"]
    left = sheet(files["crm/customers.xlsx"], 2)
    assert left[0] == ["编号", "原因"]
    assert [line[0] for line in left[1:]] == ["=1+1"]


@pytest.mark.parametrize(
    "text", ["=1", "+1", "-1", "@a", "＝1", "－1", " =1", "\u3000=1", "\t1", "\r1"]
)
def test_risky(text: str) -> None:
    assert risky(text)


@given(st.text(alphabet=st.characters(categories=["L", "N"]), max_size=20))
def test_letters_and_digits_are_not_risky(text: str) -> None:
    assert not risky(text)


def test_the_crms_own_numbers() -> None:
    keys = table(
        "customer_keys",
        [
            {"system": "crm", "key": "C-2", "customer_id": IDS[0]},
            {"system": "crm", "key": "C-1", "customer_id": IDS[0]},
            {"system": "erp", "key": "E-1", "customer_id": IDS[1]},
        ],
    )
    made = tables(["甲", "乙"], customer_keys=keys)
    files = render(made, load_crm("fxiaoke", ROOT))
    found = rows(files["crm/customers.csv"])[1:]
    assert [line[0] for line in found] == ["C-1", "C-2", IDS[1]]
    tasks = rows(files["crm/tasks.csv"])[1:]
    assert sorted(line[1] for line in tasks) == [IDS[1], "C-1"]
    assert found[0][5] == "P1="  # Fxiaoke knows persons by name


def test_nothing_planned_gives_headers_only() -> None:
    made = tables(["甲"])
    made["tasks"] = made["tasks"].slice(0, 0)
    files = render(made)
    assert len(rows(files["crm/tasks.csv"])) == 1
    assert rows(files["crm/customers.csv"])[1][4:] == ["", "P1", ""]


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_formats(name: str) -> None:
    crm = load_crm(name, ROOT)
    assert crm.crm == name
    files = render(crm=crm)
    assert rows(files["crm/customers.csv"])[0] == list(crm.customers.values())
    assert rows(files["crm/tasks.csv"])[0] == list(crm.tasks.values())


GOOD = (ROOT / "params" / "crm" / "generic_zh.yml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("segment: 客户分层（系统）", "segment: 客户级别", "own.yml:15: .*客户级别"),
        ("segment: 客户分层（系统）", "segment: Customer_Tier__c", "Customer_Tier__c"),
        (
            "  task_id: 外部编号",
            "  standard: x\n  task_id: 外部编号",
            "first column has to be task_id",
        ),
        ("because: 分层依据", "because: 客户编号", "two columns are called “客户编号”"),
        ("rows: 5000", "rows: 0", "“rows” cannot be 0"),
        ('day: "%Y-%m-%d"', 'day: "%Y"', "“day” cannot be %Y"),
        ("owner: id", "owner: id\nnames: x", "no setting “names”"),
        ("rows: 5000", "", "“rows” is missing"),
    ],
)
def test_what_could_not_be_loaded_is_refused(tmp_path: Path, old: str, new: str, said: str) -> None:
    folder = tmp_path / "params" / "crm"
    folder.mkdir(parents=True)
    assert old in GOOD
    text = GOOD.replace(old, new, 1)
    if "standard: x" in new:
        text = text.replace("  standard: 完成标准\n", "")
    (folder / "own.yml").write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        load_crm("own", tmp_path)
    assert any(
        pytest.importorskip("re").search(said, line) for line in wording.explain(caught.value, "en")
    )


@pytest.mark.parametrize("name", ["none", "../playbooks/rfm5", ""])
def test_an_unknown_format_says_which_there_are(name: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load_crm(name, ROOT)
    assert "fxiaoke" in wording.explain(caught.value, "en")[0]
