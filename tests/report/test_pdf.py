"""The PDF: tagged, A4, the same facts and pictures as the HTML, text that stays text."""

from __future__ import annotations

import time
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import nbformat
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pypdf import PdfReader, PdfWriter

from analysis.errors import PublishError, StageError
from analysis.exhibits import fonts
from analysis.exhibits.exhibit import BLOCK
from analysis.report import check_pdf, render_html, render_pdf, tree
from analysis.report.pdf import missing_characters, read_document
from tests.exhibits import sample
from tests.report.test_html import executed

HOSTILE = [
    '#read("secret.txt")',
    "*张_三",
    "[x] <y> $z$ @w",
    "= 一级标题",
    "- 甲--乙...",
    "`c` \\ /* d */ // e",
    "#panic() #set page(paper: 1)",
    '"q" {{ r }} &amp; ~',
    "https://example.com/a",
]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, root: Path) -> dict[str, dict[str, Path]]:
    """The made-up record's notebook, HTML and PDF in both languages."""
    folder = tmp_path_factory.mktemp("pdf")
    files: dict[str, dict[str, Path]] = {}
    for lang in ("zh", "en"):
        notebook = executed(sample.book(lang), folder / f"{lang}.ipynb")
        files[lang] = {
            "notebook": notebook,
            "html": render_html(notebook, folder / f"{lang}.html", root=root, lang=lang),
            "pdf": render_pdf(notebook, folder / f"{lang}.pdf", root=root, lang=lang),
        }
    return files


def squeezed(text: str) -> str:
    return "".join(text.split())


def text_of(path: Path) -> str:
    text = "\n".join(page.extract_text() for page in PdfReader(path).pages)
    return text.replace("\u00a0", " ")


def keys(problems: list[Any]) -> set[str]:
    return {problem.key for problem in problems}


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_it_may_be_published(made: dict[str, dict[str, Path]], lang: Any) -> None:
    assert check_pdf(made[lang]["pdf"], made[lang]["html"], lang) == []


@pytest.mark.parametrize("record", [sample.only_orders, sample.only_measures, dict])
def test_small_records_may_be_published(record: Any, tmp_path: Path, root: Path) -> None:
    notebook = executed(sample.book("zh", record()), tmp_path / "a.ipynb")
    html = render_html(notebook, tmp_path / "a.html", root=root, lang="zh")
    assert (
        check_pdf(render_pdf(notebook, tmp_path / "a.pdf", root=root, lang="zh"), html, "zh") == []
    )


@pytest.mark.parametrize(("lang", "spoken"), [("zh", "zh-CN"), ("en", "en-US")])
def test_it_is_tagged_titled_and_spoken_in_its_language(
    made: dict[str, dict[str, Path]], lang: str, spoken: str
) -> None:
    reader = PdfReader(made[lang]["pdf"])
    root = reader.root_object
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == spoken
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert b"<pdfuaid:part>1</pdfuaid:part>" in root["/Metadata"].get_data()
    assert reader.metadata is not None
    assert "2025" in (reader.metadata.title or "")
    assert "/CreationDate" not in reader.metadata


def test_sheets_are_a4_with_bookmarks_and_numbered_feet(made: dict[str, dict[str, Path]]) -> None:
    reader = PdfReader(made["en"]["pdf"])
    count = len(reader.pages)
    assert 3 <= count <= 10
    for place, page in enumerate(reader.pages, start=1):
        assert [round(float(side)) for side in page.mediabox[2:]] == [595, 842]
        text = page.extract_text().replace("\u00a0", " ")
        assert f"{place} / {count}" in text
        assert "Report sample-2025Q3" in text
    titles = [item.title for item in reader.outline]
    assert "Customer Review" in titles[0]
    pages = [reader.get_destination_page_number(item) for item in reader.outline]
    assert pages == sorted(pages)
    assert pages[:2] == [0, 1]  # the cover fills its sheet and no more


def test_tables_have_heads_and_captions_are_counted(made: dict[str, dict[str, Path]]) -> None:
    text = text_of(made["zh"]["pdf"])
    assert "图 1" in text
    assert "表 1" in text
    assert "表 2" in text
    assert "Table 1" in text_of(made["en"]["pdf"])


def test_every_font_is_ours_and_inside(made: dict[str, dict[str, Path]]) -> None:
    for page in PdfReader(made["zh"]["pdf"]).pages:
        for font in page["/Resources"].get("/Font", {}).values():
            inner = font.get_object()["/DescendantFonts"][0].get_object()
            assert "NotoSansSC" in inner["/BaseFont"]
            assert "/FontFile3" in inner["/FontDescriptor"]


def test_the_same_notebook_gives_the_same_bytes(
    made: dict[str, dict[str, Path]],
    tmp_path: Path,
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for zone in ("Asia/Shanghai", "America/New_York"):
        monkeypatch.setenv("TZ", zone)
        time.tzset()
        again = render_pdf(made["zh"]["notebook"], tmp_path / "b.pdf", root=root, lang="zh")
        assert again.read_bytes() == made["zh"]["pdf"].read_bytes()
    monkeypatch.undo()
    time.tzset()


def test_hostile_names_stay_text(tmp_path: Path, root: Path) -> None:
    tables = sample.tables()
    tables["accounts"]["name"] = list(islice(cycle(HOSTILE), len(tables["accounts"])))
    notebook = executed(sample.book("zh", tables), tmp_path / "a.ipynb")
    html = render_html(notebook, tmp_path / "a.html", root=root, lang="zh")
    pdf = render_pdf(notebook, tmp_path / "a.pdf", root=root, lang="zh")
    assert check_pdf(pdf, html, "zh") == []
    text = squeezed(text_of(pdf))
    for name in HOSTILE:
        assert squeezed(name) in text
    # The contents' links stay within the document; no name has become one.
    notes = [note.get_object() for page in PdfReader(pdf).pages for note in page.get("/Annots", [])]
    assert not [note for note in notes if "/URI" in str(note.get("/A", ""))]


@given(text=st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=40))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_tree_keeps_text_and_words_of_pictures(text: str) -> None:
    from analysis.exhibits.markup import tag

    html = str(
        tag("p", text, tag("b", text), tag("img", src="data:image/svg+xml;base64,", alt=text))
    )
    pictures: dict[str, bytes] = {}
    kids = tree.parse(html, pictures)
    assert "".join(tree.texts(kids)) == text * 2
    assert list(tree.alts(kids)) == [text]
    assert list(pictures) == ["pictures/1.svg"]


def test_a_picture_from_elsewhere_is_refused() -> None:
    with pytest.raises(StageError) as error:
        tree.parse('<img src="https://example.com/a.png" alt="a">', {})
    assert error.value.problems[0].key == "report.no_picture"


def test_every_character_can_be_drawn(made: dict[str, dict[str, Path]]) -> None:
    for lang in ("zh", "en"):
        document = read_document(made[lang]["notebook"], lang)
        assert document.data["title"] in document.texts
        assert missing_characters(document.texts, "report.pdf") == []


def test_a_character_that_the_font_lacks_is_named(tmp_path: Path, root: Path) -> None:
    lacking = next(c for c in map(chr, range(0x20000, 0x2A6DF)) if fonts.missing(c))
    book = sample.book("zh", sample.tables(name=f"华东{lacking}机械"))
    notebook = executed(book, tmp_path / "a.ipynb")
    with pytest.raises(PublishError) as error:
        render_pdf(notebook, tmp_path / "a.pdf", root=root, lang="zh")
    (problem,) = error.value.problems
    assert problem.key == "report.no_glyph"
    assert (problem.args["found"], problem.args["code"]) == (lacking, f"U+{ord(lacking):04X}")
    assert "机械" in problem.args["context"]
    assert not (tmp_path / "a.pdf").exists()


def test_a_picture_without_words_stops_the_pages(
    made: dict[str, dict[str, Path]], tmp_path: Path, root: Path
) -> None:
    notebook = nbformat.read(made["en"]["notebook"], as_version=4)
    for output in notebook.cells[1].outputs:
        html = output.data["text/html"]
        output.data["text/html"] = html.replace("alt=", "data-was=")
    nbformat.write(notebook, tmp_path / "a.ipynb")
    with pytest.raises(StageError) as error:
        render_pdf(tmp_path / "a.ipynb", tmp_path / "a.pdf", root=root, lang="en")
    assert error.value.problems[0].key == "report.not_set"


def test_a_picture_too_few_or_too_many_is_found(
    made: dict[str, dict[str, Path]], tmp_path: Path
) -> None:
    text = made["zh"]["html"].read_text("utf-8")
    start = text.index("<img ", text.index('class="fig bridge"'))
    picture = text[start : text.index(">", start) + 1]
    altered = tmp_path / "a.html"
    altered.write_text(text.replace(picture, "", 1), encoding="utf-8")
    assert keys(check_pdf(made["zh"]["pdf"], altered, "zh")) == {"report.pdf_more_pictures"}
    altered.write_text(text.replace(picture, picture * 2, 1), encoding="utf-8")
    assert keys(check_pdf(made["zh"]["pdf"], altered, "zh")) == {"report.pdf_no_picture"}


def test_a_number_that_differs_from_the_html_is_found(
    made: dict[str, dict[str, Path]], tmp_path: Path
) -> None:
    text = made["en"]["html"].read_text("utf-8")
    start = text.index(">", text.index('data-fact="kpi.revenue"')) + 1
    number = text[start : text.index("<", start)]
    altered = tmp_path / "a.html"
    altered.write_text(f"{text[:start]}987.6{text[start + len(number) :]}", encoding="utf-8")
    (problem,) = check_pdf(made["en"]["pdf"], altered, "en")
    assert problem.key == "report.pdf_numbers"
    assert problem.args == {"missing": ["987.6"], "extra": [number]}


def test_a_bare_pdf_is_refused_for_every_reason(
    made: dict[str, dict[str, Path]], tmp_path: Path
) -> None:
    writer = PdfWriter()
    for _ in range(11):
        writer.add_blank_page(width=612, height=792)
    with (tmp_path / "a.pdf").open("wb") as file:
        writer.write(file)
    found = keys(check_pdf(tmp_path / "a.pdf", made["zh"]["html"], "zh"))
    assert found == {
        "report.pdf_untagged", "report.language", "report.pdf_title", "report.pdf_bookmarks",
        "report.pdf_paper", "report.pdf_pages", "report.pdf_no_picture", "report.pdf_numbers",
    }  # fmt: skip


def test_a_broken_template_says_what_is_wrong(
    made: dict[str, dict[str, Path]], tmp_path: Path
) -> None:
    template = tmp_path / "reports/templates/pdf"
    template.mkdir(parents=True)
    (template / "report.typ").write_text("#nonsense")
    with pytest.raises(StageError) as error:
        render_pdf(made["zh"]["notebook"], tmp_path / "a.pdf", root=tmp_path, lang="zh")
    assert "nonsense" in error.value.problems[0].args["cause"]


def test_the_template_reads_no_file_beside_it(
    made: dict[str, dict[str, Path]], tmp_path: Path
) -> None:
    template = tmp_path / "reports/templates/pdf"
    template.mkdir(parents=True)
    (template / "secret.txt").write_text("TOPSECRET")
    (template / "report.typ").write_text('#read("secret.txt")')
    with pytest.raises(StageError):
        render_pdf(made["zh"]["notebook"], tmp_path / "a.pdf", root=tmp_path, lang="zh")


def test_blocks_of_a_company_are_laid_out_too(tmp_path: Path, root: Path) -> None:
    notebook = executed(sample.book("en"), tmp_path / "a.ipynb")
    cells = nbformat.read(notebook, as_version=4)
    html = (
        '<div class="own"><h3>Ours</h3><p>Own words.</p><ol><li><span>One thing</span></li></ol>'
        '<table class="t"><thead><tr><th>Name</th><th class="n">Count</th></tr></thead><tbody>'
        '<tr><th>A</th><td class="n">5</td></tr></tbody></table></div>'
    )
    block = {"id": "txt-own", "page": "own", "heading": "A chapter of our own"}
    cells.cells[1].outputs.append(
        nbformat.v4.new_output("display_data", data={"text/html": html, BLOCK: block})
    )
    nbformat.write(cells, notebook)
    text = text_of(render_pdf(notebook, tmp_path / "a.pdf", root=root, lang="en"))
    for piece in ("A chapter of our own", "Ours", "Own words.", "One thing", "Count"):
        assert piece in text
