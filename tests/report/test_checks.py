"""Faults planted in a good report are found, one by one."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis import wording
from analysis.errors import PublishError
from analysis.exhibits.facts import Fact, FactBook
from analysis.report import check_html, check_twins

FACTS = FactBook([Fact("kpi.revenue", 128_600_000, "money"), Fact("kpi.retention", 0.915, "share")])
GOOD = """<!doctype html><html lang="en"><head>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:">
<style>.a{background:url(data:font/woff;base64,AAAA)}</style><title>Q3 2025</title></head><body>
<p>Revenue was RMB <data data-fact="kpi.revenue" data-form="money/1000000,dp=1"
 value="128600000">128.6</data> m in <time datetime="2025Q3">Q3 2025</time>,
retention <data data-fact="kpi.retention" value="0.915">91.5%</data>.
<span class="name">华东精密 3</span></p>
<img src="data:image/svg+xml;base64,AAAA" alt="Trend 3" data-facts="kpi.revenue">
</body></html>"""

FAULTS = {
    "report.script": ("</body>", "<script>alert(1)</script></body>"),
    "report.external": ("</style>", "@import url(x.css)</style>"),
    "report.handler": ("<p>", '<p onclick="x()">'),
    "report.no_policy": ("default-src 'none'", "default-src *"),
    "report.loose_number": ("retention", "retention of 5 customers,"),
    "report.unknown_fact": ('data-fact="kpi.retention"', 'data-fact="kpi.nothing"'),
    "report.wrong_number": (">91.5%<", ">92.5%<"),
    "report.bad_form": ("dp=1", "dp=1,louder"),
    "report.placeholder": ("Revenue", "{event}"),
    "report.raw_key": ("Revenue", "segment.high_value"),
    "report.no_alt": ('alt="Trend 3"', 'alt=""'),
    "report.foreign_text": ("Revenue", "收入"),
    "report.language": ('lang="en"', 'lang="de"'),
}


def _keys(path: Path) -> set[str]:
    return {problem.key for problem in check_html(path, FACTS, "en")}


def test_a_good_report_passes(tmp_path: Path) -> None:
    path = tmp_path / "a.html"
    path.write_text(GOOD, encoding="utf-8")
    assert check_html(path, FACTS, "en") == []


@pytest.mark.parametrize("key", FAULTS)
def test_a_planted_fault_is_found(key: str, tmp_path: Path) -> None:
    old, new = FAULTS[key]
    assert old in GOOD
    path = tmp_path / "a.html"
    path.write_text(GOOD.replace(old, new, 1), encoding="utf-8")
    assert key in _keys(path)


@pytest.mark.parametrize(
    "markup",
    [
        '<img src="https://evil.example/p.gif" alt="x">',
        '<a href="javascript:alert(1)">x</a>',
        '<link rel="stylesheet" href="x.css">',
        '<p style="background:url(//evil.example/p.gif)">x</p>',
        '<iframe srcdoc="x"></iframe>',
    ],
)
def test_nothing_points_outside(markup: str, tmp_path: Path) -> None:
    path = tmp_path / "a.html"
    path.write_text(GOOD.replace("</body>", f"{markup}</body>"), encoding="utf-8")
    assert _keys(path) & {"report.external", "report.script"}


def test_a_drawing_of_an_unknown_fact_is_found(tmp_path: Path) -> None:
    path = tmp_path / "a.html"
    path.write_text(GOOD.replace('data-facts="kpi.revenue"', 'data-facts="kpi.x"'), "utf-8")
    assert _keys(path) == {"report.unknown_fact"}


def test_a_large_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.html"
    path.write_text(GOOD, encoding="utf-8")
    found = check_html(path, FACTS, "en", most_bytes=100)
    assert [problem.key for problem in found] == ["report.too_large"]


def test_twins_that_differ_are_refused(tmp_path: Path) -> None:
    zh, en = tmp_path / "zh.html", tmp_path / "en.html"
    zh.write_text(GOOD, encoding="utf-8")
    en.write_text(GOOD.replace("kpi.retention", "kpi.revenue"), encoding="utf-8")
    assert [problem.key for problem in check_twins(zh, en)] == ["report.facts_differ"]


@pytest.mark.parametrize("lang", wording.LANGUAGES)
def test_every_refusal_has_words(lang: wording.Language, tmp_path: Path) -> None:
    path = tmp_path / "a.html"
    for old, new in FAULTS.values():
        path.write_text(GOOD.replace(old, new, 1), encoding="utf-8")
        problems = check_html(path, FACTS, "en")
        assert all("{" not in line[:2] for line in wording.explain(PublishError(problems), lang))
