"""One self-contained file: no script, no outside address, the same bytes, nothing but exhibits."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import nbformat
import pytest

from analysis.errors import StageError
from analysis.exhibits.book import Book
from analysis.report import FORMATS, check_html, check_twins, render_html
from tests.exhibits import plan_sample, sample
from tests.exhibits.pages import everything


def executed(book: Book, path: Path, *, extra: list[nbformat.NotebookNode] | None = None) -> Path:
    """A notebook as the runner leaves it, with the book's exhibits as outputs."""
    cell = nbformat.v4.new_code_cell("show(...)", id="a")
    for exhibit in everything(book):
        cell.outputs.append(
            nbformat.v4.new_output("display_data", data=exhibit._repr_mimebundle_())
        )
    cell.outputs += extra or []
    text = nbformat.v4.new_markdown_cell("# For analysts only", id="b")
    nbformat.write(nbformat.v4.new_notebook(cells=[text, cell]), path)
    return path


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory, root: Path) -> dict[str, Path]:
    """The made-up record's report in both languages."""
    folder = tmp_path_factory.mktemp("report")
    return {
        lang: render_html(
            executed(sample.book(lang), folder / f"{lang}.ipynb"),
            folder / f"report.{lang}.html",
            root=root,
            lang=lang,
        )
        for lang in ("zh", "en")
    }


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_it_may_be_published(reports: dict[str, Path], lang: str) -> None:
    book = sample.book(lang)
    assert check_html(reports[lang], book.facts, book.lang) == []


def test_both_languages_hold_the_same_facts(reports: dict[str, Path]) -> None:
    assert check_twins(reports["zh"], reports["en"]) == []


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_plan_fitted_to_its_limits_may_be_published(
    tmp_path: Path, root: Path, lang: str
) -> None:
    book = plan_sample.book(lang)
    notebook = executed(book, tmp_path / "a.ipynb")
    path = render_html(notebook, tmp_path / "a.html", root=root, lang=book.lang)
    assert check_html(path, book.facts, book.lang) == []
    assert 'id="tbl-budget"' in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("record", [sample.only_orders, sample.only_measures, dict])
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_small_records_may_be_published(
    record: object, lang: str, tmp_path: Path, root: Path
) -> None:
    book = sample.book(lang, record())  # type: ignore[operator]
    path = render_html(
        executed(book, tmp_path / "a.ipynb"), tmp_path / "a.html", root=root, lang=lang
    )
    assert check_html(path, book.facts, book.lang) == []


def test_it_is_one_file_without_script_or_address(reports: dict[str, Path]) -> None:
    text = reports["zh"].read_text(encoding="utf-8")
    assert "<script" not in text
    assert not re.search(r"(?:src|href)=\"(?!data:image/)", text)
    assert "http://" not in text
    assert "https://" not in text
    assert "default-src &#39;none&#39;" in text
    assert '<html lang="zh-CN">' in text
    assert text.count('<article class="page') == text.count('<footer class="foot">')
    assert reports["zh"].stat().st_size < 1_000_000


def test_analysts_text_and_code_stay_out(reports: dict[str, Path]) -> None:
    text = reports["en"].read_text(encoding="utf-8")
    assert "For analysts only" not in text
    assert "show(...)" not in text


def test_streams_and_foreign_outputs_stay_out(tmp_path: Path, root: Path) -> None:
    extra = [
        nbformat.v4.new_output("stream", name="stderr", text="a warning"),
        nbformat.v4.new_output("display_data", data={"text/html": "<script>alert(1)</script>"}),
        nbformat.v4.new_output("display_data", data={"application/javascript": "alert(1)"}),
        nbformat.v4.new_output("display_data", data={"text/vnd.mermaid": "graph TD; A[<img>]"}),
    ]
    path = executed(sample.book("en"), tmp_path / "a.ipynb", extra=extra)
    text = render_html(path, tmp_path / "a.html", root=root, lang="en").read_text("utf-8")
    for leak in ("a warning", "alert(1)", "graph TD"):
        assert leak not in text


def test_the_same_notebook_gives_the_same_bytes(tmp_path: Path, root: Path) -> None:
    path = executed(sample.book("zh"), tmp_path / "a.ipynb")
    first = render_html(path, tmp_path / "1.html", root=root, lang="zh").read_bytes()
    assert first == render_html(path, tmp_path / "2.html", root=root, lang="zh").read_bytes()


def test_a_failed_cell_is_never_published(tmp_path: Path, root: Path) -> None:
    failed = nbformat.v4.new_output("error", ename="KeyError", evalue="x", traceback=[])
    path = executed(sample.book("en"), tmp_path / "a.ipynb", extra=[failed])
    with pytest.raises(StageError) as error:
        render_html(path, tmp_path / "a.html", root=root, lang="en")
    assert error.value.problems[0].key == "report.cell_failed"
    assert not (tmp_path / "a.html").exists()


def test_a_notebook_without_blocks_is_refused(tmp_path: Path, root: Path) -> None:
    nbformat.write(nbformat.v4.new_notebook(), tmp_path / "a.ipynb")
    with pytest.raises(StageError) as error:
        render_html(tmp_path / "a.ipynb", tmp_path / "a.html", root=root, lang="en")
    assert error.value.problems[0].key == "report.no_blocks"


def test_formats_are_a_seam(tmp_path: Path, root: Path) -> None:
    path = executed(sample.book("en"), tmp_path / "a.ipynb")
    for name, form in FORMATS.items():
        made = form.render(path, tmp_path / f"a{form.ending}", root=root, lang="en")
        assert made.suffix == f".{name}"


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_hostile_names_stay_text(lang: str, tmp_path: Path, root: Path) -> None:
    book = sample.book(lang, sample.tables(name=sample.HOSTILE))
    path = render_html(
        executed(book, tmp_path / "a.ipynb"), tmp_path / "a.html", root=root, lang=lang
    )
    assert check_html(path, book.facts, book.lang) == []
    assert "<script" not in path.read_text("utf-8")


def _chromium() -> str:
    found = shutil.which("chromium") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("no Chromium here: the printed pages are not counted")
    return found


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_it_prints_on_ten_pages_of_paper_at_most(
    lang: str, reports: dict[str, Path], tmp_path: Path
) -> None:
    browser = _chromium()
    pdf = tmp_path / "a.pdf"
    switches = ["--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer"]
    subprocess.run(
        [browser, *switches, f"--print-to-pdf={pdf}", reports[lang].as_uri()],
        check=True,
        capture_output=True,
        timeout=120,
    )
    sheets = len(re.findall(rb"/Type\s*/Page\b", pdf.read_bytes()))
    pages = reports[lang].read_text("utf-8").count('<article class="page')
    assert sheets == pages  # no page runs over its sheet
    assert pages <= 10
