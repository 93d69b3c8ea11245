"""Every shipped scheme as the primary one, from exports to reports, in its own words."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
import yaml

from analysis import record, wording
from analysis.store import Record
from tests.schemes import SCHEMES
from tests.test_cli import ROOT, analysis, make_project

pytestmark = pytest.mark.slow

# 新客户 and 重点客户, new and key customers, are what everybody calls them
GENERAL = {"new", "maturity_key"}
LANGUAGES: tuple[wording.Language, ...] = ("zh", "en")
TRADE = ("rfm5", "platinum4", "grade4", "saas3")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with both made-up companies, 150 customers each."""
    folder = make_project(tmp_path_factory.mktemp("schemes") / "project")
    for path, kind in (("data/demo", "trade"), ("data/saas", "subscription")):
        said = analysis(folder, "demo", path, "--kind", kind, "--customers", "150")
        assert said.code == 0, said.err
    return folder


@pytest.fixture(scope="module", params=[*TRADE, "subscription5"])
def made(request: pytest.FixtureRequest, project: Path) -> tuple[str, Record]:
    """A scheme and the record of a run with it through all stages."""
    scheme = str(request.param)
    html = "--set=report.formats=[html]"
    if scheme in TRADE:
        chosen = f"--set=segmentation.scheme={scheme}"
        said = analysis(project, "run", "params/demo.yml", chosen, html, "--as", scheme)
        where = ("demo", f"2025Q3~{scheme}")
    else:  # the business model chooses it
        said = analysis(project, "run", "params/examples/subscription.yml", html)
        where = ("saas", "2025Q3")
    assert said.code == 0, said.err
    return scheme, record(*where, project)


class _Reader(HTMLParser):
    """Collects what stands between the tags, but for scripts and styles."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.tag = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tag = tag

    def handle_data(self, data: str) -> None:
        if self.tag not in ("script", "style"):
            self.texts.append(data)


def seen(known: Record, lang: wording.Language) -> str:
    """What a reader of the report sees, without its mark-up."""
    reader = _Reader()
    reader.feed((known.folder / f"report.{lang}.html").read_text(encoding="utf-8"))
    return " ".join(reader.texts)


def names(scheme: str, lang: wording.Language) -> dict[str, str]:
    """What a scheme calls its segments."""
    found = {}
    for segment in SCHEMES[scheme]:
        own = f"segment.{scheme}.{segment}"
        found[segment] = wording.text(own if wording.has(own) else f"segment.{segment}", lang)
    return found


@pytest.mark.parametrize("lang", LANGUAGES)
def test_segments_stand_in_the_report_by_their_own_names_only(
    made: tuple[str, Record], lang: wording.Language
) -> None:
    scheme, known = made
    text = seen(known, lang)
    own = names(scheme, lang)
    assert [name for name in own.values() if name not in text] == []
    foreign = {
        name
        for other in SCHEMES
        for segment, name in names(other, lang).items()
        if segment not in GENERAL and not any(name in mine for mine in own.values())
    }
    shown = [
        n for n in foreign if re.search(rf"(?<![\w-]){n}(?![\w-])" if lang == "en" else n, text)
    ]
    assert shown == []
    keys = {key for other in SCHEMES for key in SCHEMES[other] if "_" in key}
    rules = set(known.table("scheme_rules")["rule"])
    assert [key for key in keys - rules if re.search(rf"\b{key}\b", text)] == []


def test_segments_are_all_placed_and_reconcile(made: tuple[str, Record]) -> None:
    scheme, known = made
    segments = known.table("segments")
    assert set(segments["scheme"]) == {scheme}
    assert set(segments["segment"]) <= set(SCHEMES[scheme])
    assert segments["customer_id"].is_unique
    summary = known.table("segment_summary").set_index("segment")["customers"]
    assert summary.drop("all").sum() == summary["all"] == len(segments)


def test_the_plan_speaks_of_the_scheme(made: tuple[str, Record]) -> None:
    scheme, known = made
    plan = known.table("plan")
    assert set(plan["segment"]) <= set(SCHEMES[scheme])
    filled = set(known.table("segments")["segment"])
    assert set(plan["segment"]) == filled  # a shipped playbook has a duty for everybody


def test_who_is_to_be_won_back_is_silent_or_tagged(made: tuple[str, Record]) -> None:
    _, known = made
    lists = known.table("worklists").merge(
        known.table("segments")[["customer_id", "tag"]], on="customer_id"
    )
    rows = lists[lists["list"] == "win_back"]
    assert ((rows["days_over"] > 0) | (rows["tag"] == "must_win_back")).all()
    assert (lists.loc[lists["list"] == "reorder", "days_over"] > 0).all()


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_playbook_knows_every_segment_of_its_scheme(scheme: str) -> None:
    playbook = yaml.safe_load((ROOT / "params" / "playbooks" / f"{scheme}.yml").read_text("utf-8"))
    assert list(playbook["segments"]) == list(SCHEMES[scheme])
