"""Two editions: leadership's has ten pages at most, the full one has everything."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest

from analysis.exhibits import page_one
from analysis.exhibits.exhibit import FULL_ONLY, Exhibit
from analysis.exhibits.markup import words
from analysis.exhibits.tables import figure, note, stacked
from analysis.report import Rendered, check_all, render_all
from analysis.report.checks_pdf import MOST_PAGES, count_pages
from analysis.report.html import Cut, read_pages
from tests.exhibits import sample


def _exhibit(place: str, spare: int, lines: int, heading: str = "") -> Exhibit:
    """A block of so many lines; about 45 fill a page."""
    body = stacked(*(note(words(f"{place}-{'x' * 20}")) for _ in range(lines)))
    made = figure(
        f"txt-{place}", words(place), body, page=place, heading=heading, height=5.5 * lines
    )
    return Exhibit(**{**made.__dict__, "spare": spare})


def _notebook(path: Path, exhibits: list[Exhibit]) -> Path:
    cell = nbformat.v4.new_code_cell("show(...)", id="a")
    cell.outputs = [
        nbformat.v4.new_output("display_data", data=one._repr_mimebundle_()) for one in exhibits
    ]
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), path)
    return path


def _made(
    tmp_path: Path, root: Path, exhibits: list[Exhibit], formats: tuple[str, ...] = ("html", "pdf")
) -> dict[str, dict[str, Rendered]]:
    executed = {
        lang: _notebook(tmp_path / f"{lang}.ipynb", [page_one.header(sample.book(lang)), *exhibits])
        for lang in ("zh", "en")
    }
    made = render_all(executed, tmp_path, formats=formats, root=root)  # type: ignore[arg-type]
    assert list(check_all(made, sample.book("zh").facts)) == []
    found: dict[str, dict[str, Rendered]] = {"leadership": {}, "full": {}}
    for one in made:
        found[one.edition][one.lang] = one
    return found


def _pages(count: int, spare: int = 0, name: str = "p") -> list[Exhibit]:
    return [
        _exhibit(f"{name}{chr(97 + i)}", spare, 44, heading=f"Chapter {name}{chr(97 + i)}")
        for i in range(count)
    ]


def test_what_fits_into_ten_pages_loses_nothing(tmp_path: Path, root: Path) -> None:
    made = _made(tmp_path, root, [*_pages(6), *_pages(2, 5, "q")])
    for lang in ("zh", "en"):
        short, full = (made[edition][lang].files["pdf"] for edition in ("leadership", "full"))
        assert count_pages(short) == count_pages(full) <= MOST_PAGES


def test_the_most_dispensable_goes_first_and_only_as_much_as_it_must(
    tmp_path: Path, root: Path
) -> None:
    exhibits = [*_pages(7), *_pages(2, 2, "q"), *_pages(3, 5, "r"), *_pages(1, FULL_ONLY, "s")]
    made = _made(tmp_path, root, exhibits)
    for lang in ("zh", "en"):
        short = made["leadership"][lang].files
        text = short["html"].read_text(encoding="utf-8")
        assert 'id="txt-pa"' in text
        assert 'id="txt-qa"' in text
        assert 'id="txt-ra"' not in text
        assert 'id="txt-sa"' not in text
        assert count_pages(short["pdf"]) == MOST_PAGES
        full = made["full"][lang].files["html"].read_text(encoding="utf-8")
        assert all(f'id="{exhibit.id}"' in full for exhibit in exhibits)
        assert made["full"][lang].files["pdf"].name == f"full.{lang}.pdf"


def test_without_a_pdf_the_sheets_are_counted(tmp_path: Path, root: Path) -> None:
    made = _made(tmp_path, root, [*_pages(8), *_pages(4, 3, "q")], ("html",))
    text = made["leadership"]["zh"].files["html"].read_text(encoding="utf-8")
    assert text.count("<article") == 9
    assert not (tmp_path / "report.zh.pdf").exists()


def test_a_chapter_without_its_first_block_keeps_its_heading(tmp_path: Path) -> None:
    first = _exhibit("pa", 3, 4, heading="Chapter")
    second = Exhibit(**{**_exhibit("pb", 0, 4).__dict__, "page": "pa"})
    other = _exhibit("pc", 0, 4)
    path = _notebook(tmp_path / "a.ipynb", [_exhibit("cover", 0, 4), first, second, other])
    notebook = nbformat.read(path, as_version=4)
    pages = read_pages(notebook, path.name, Cut("leadership", 2))
    blocks = [block for page in pages for block in page.blocks]
    assert [block["id"] for block in blocks] == ["txt-cover", "txt-pb", "txt-pc"]
    assert [block["heading"] for block in blocks] == ["", "Chapter", ""]


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_full_edition_says_that_it_is(tmp_path: Path, root: Path, lang: str) -> None:
    made = _made(tmp_path, root, _pages(1))
    titles = [
        made[edition][lang].files["html"].read_text("utf-8").split("<title>")[1].split("<")[0]
        for edition in ("leadership", "full")
    ]
    assert titles[1].startswith(titles[0])
    assert titles[1] != titles[0]
