"""The sheet of a week: one A4 page in both languages, every number a fact, names stay text."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd
import pytest
from pypdf import PdfReader

from analysis.exhibits import weekly, weekly_room
from analysis.exhibits.book import Book
from analysis.exhibits.listing import listing
from analysis.report import PUBLISHED, Rendered, check_all, render_all
from tests.exhibits import week_sample as sample


def rendered(
    books: list[Book], folder: Path, root: Path, formats: tuple[str, ...] = ("pdf",)
) -> list[Rendered]:
    """The sheet in the books' languages; the notebooks hold a listing for analysts as well."""
    executed = {book.lang: _notebook(book, folder) for book in books}
    editions = PUBLISHED["weekly"]
    return render_all(executed, folder, formats=formats, root=root, editions=editions)


def _notebook(book: Book, folder: Path) -> Path:
    cell = nbformat.v4.new_code_cell("show(...)", id="a")
    shown = [listing(book.frame("weekly_target"), book.lang), *weekly.sheet(book)]
    for exhibit in shown:
        data = exhibit._repr_mimebundle_()
        cell.outputs.append(nbformat.v4.new_output("display_data", data=data))
    path = folder / f"{book.lang}.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), path)
    return path


LONG = "深圳市示例自动化精密机械设备制造与进出口贸易股份有限公司"
CASES = {
    "full": sample.week,
    "quiet": sample.quiet,
    "long_names": lambda: sample.week(weekly_lists=sample.lists(name=LONG)),
    "few": lambda: sample.week(weekly_lists=sample.lists(3, 2)),
    "ahead": lambda: sample.week(
        weekly_target=sample.target(3e6), weekly_gaps=sample.gaps(3e6),
        weekly_basis=sample.basis("published", "reported", "ageing"),
    ),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.requirement("000-27")
@pytest.mark.parametrize("case", CASES)
def test_it_is_one_page_in_both_languages(case: str, tmp_path: Path, root: Path) -> None:
    books = [sample.book(lang, CASES[case]()) for lang in ("zh", "en")]
    made = rendered(books, tmp_path, root)
    assert [path.name for one in made for path in one.files.values()] == [
        f"weekly.{lang}.{form}" for lang in ("zh", "en") for form in ("html", "pdf")
    ]
    assert list(check_all(made, books[0].facts)) == []
    for one in made:
        assert len(PdfReader(one.files["pdf"]).pages) == 1


@pytest.mark.slow
def test_a_second_page_is_refused(tmp_path: Path, root: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(weekly_room, "ABOVE", -200.0)
    book = sample.book("zh", weekly={"list_length": 40, "people_length": 40})
    made = rendered([book], tmp_path, root)
    keys = [problem.key for problem in check_all(made, book.facts)]
    assert keys == ["report.week_pages"]


def test_names_stay_text_and_nothing_of_the_analysts_is_printed(tmp_path: Path, root: Path) -> None:
    (made,) = rendered([sample.book("en")], tmp_path, root, ())
    html = made.files["html"].read_text(encoding="utf-8")
    assert "<script>alert" not in html
    assert "tbl-analyst" not in html
    assert html.count('<article class="page') == 1


@pytest.mark.requirement("000-27")
def test_the_reasons_and_the_rest_add_up_to_the_gap() -> None:
    book = sample.book("zh")
    split, told = weekly.reasons(book.frame("weekly_gaps"))
    assert len(told) == 3
    parts = [
        book.value(f"week_gap.week.{split}.{step}".replace(" ", "_"), "amount") for step in told[:1]
    ]
    amounts = book.frame("weekly_gaps").set_index(["span", "step"])["amount"]
    whole = sum(amounts["week"][step] for step in told) + book.value("week_gap.week.region.rest")
    assert whole == pytest.approx(book.value("week.week.gap"))
    assert parts == [-1.5e6]


def test_the_lists_share_the_room_and_say_what_is_left_out() -> None:
    book = sample.book("en")
    shown = weekly_room.rows(book.tables, book.settings)
    assert shown["reorder"] == 20
    assert min(shown.values()) >= 1
    assert book.value("weekly.reorder.more") == 25
    assert book.value("weekly_tasks.people.more") == 30 - shown["people"]
    fewer = sample.book("en", sample.week(weekly_lists=sample.lists(3, 30)))
    more = weekly_room.rows(fewer.tables, fewer.settings)
    assert more["renewal"] > shown["renewal"]


def test_without_lists_and_tasks_a_sentence_stands_there() -> None:
    for lang, word in (("zh", "没有应购未购"), ("en", "Nobody is overdue to reorder")):
        book = sample.book(lang, sample.quiet())
        text = "\n".join(one.plain for one in weekly.sheet(book))
        assert word in text
        assert "analysis approve" in text
        assert not re.search(r"\{|\}|None|nan", text)


def test_a_week_without_a_working_day_is_said(tmp_path: Path) -> None:
    rows = sample.target().assign(working_days=0)
    rows.loc[rows["span"] == "week", ["target", "attainment"]] = [0.0, float("nan")]
    book = sample.book("en", sample.week(weekly_target=pd.DataFrame(rows)))
    assert "No working day this week" in weekly.answer(book).plain
