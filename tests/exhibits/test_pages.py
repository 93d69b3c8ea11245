"""Every exhibit, from every kind of record, in both languages."""

from __future__ import annotations

import re

import pandas as pd
import pytest

from tests.exhibits import sample, segment_sample
from tests.exhibits.pages import everything

RECORDS = {
    "full": sample.tables,
    "only_orders": sample.only_orders,
    "only_measures": sample.only_measures,
    "empty": lambda: {name: frame.iloc[:0] for name, frame in sample.tables().items()},
    "nothing": dict,
    "segments": segment_sample.tables,
    "segments_empty": segment_sample.empty,
}


@pytest.mark.parametrize("record", RECORDS)
def test_both_languages_point_to_the_same_facts(record: str) -> None:
    ids = {}
    for lang in ("zh", "en"):
        html = "".join(e.html for e in everything(sample.book(lang, RECORDS[record]())))
        ids[lang] = set(re.findall(r'data-fact="([^"]*)"', html))
    assert ids["zh"] == ids["en"]
    assert ids["zh"]


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("record", RECORDS)
def test_three_forms_without_loose_ends(record: str, lang: str) -> None:
    for exhibit in everything(sample.book(lang, RECORDS[record]())):
        bundle = exhibit._repr_mimebundle_()
        assert bundle["text/html"].startswith("<")
        assert not re.search(r"[{}\ue000\ue001]", exhibit.plain), exhibit.id
        assert "nan" not in exhibit.plain.lower().split(), exhibit.id
        for alt in re.findall(r'<img[^>]*alt="([^"]*)"', exhibit.html):
            assert alt.strip(), exhibit.id
        if exhibit.page:
            block = bundle["application/vnd.analysis.block+json"]
            assert block["id"] == exhibit.id


def test_every_exhibit_has_its_own_id() -> None:
    ids = [exhibit.id for exhibit in everything(sample.book())]
    assert len(ids) == len(set(ids))


def test_the_same_record_gives_the_same_bytes() -> None:
    first = [e.html for e in everything(sample.book("zh"))]
    again = [e.html for e in everything(sample.book("zh"))]
    assert first == again


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_hostile_names_reach_no_markup(lang: str) -> None:
    tables = sample.tables(name=sample.HOSTILE)
    tables["accounts"]["owner"] = sample.HOSTILE
    tables["sources"]["file"] = [f"{i}{sample.HOSTILE}" for i in range(len(tables["sources"]))]
    personas = tables["personas"]
    personas["trait"] = personas["trait"].str.replace("装备制造", sample.HOSTILE, regex=False)
    for name in ("effects", "plan_summary", "decisions"):
        tables[name] = tables[name].replace({"strategy": {"product_trial": sample.HOSTILE}})
    html = "".join(e.html for e in everything(sample.book(lang, tables)))
    assert "<script" not in html
    assert "onerror=alert(1)&gt;" in html
    assert not re.search(r"<[^>]*\sonerror=", re.sub(r'"[^"]*"', '""', html))


def test_labels_of_a_company_are_escaped() -> None:
    from analysis import wording

    wording.relabel({"segment.new": {"zh": "<b>新</b>", "en": "<b>new</b>"}})
    try:
        html = "".join(e.html for e in everything(sample.book("zh")))
    finally:
        wording.relabel({})
    assert "&lt;b&gt;新&lt;/b&gt;" in html
    assert "<b>新</b>" not in html


def test_one_customer_and_one_order() -> None:
    tables = sample.only_orders()
    summary = tables["segment_summary"]
    one = summary[summary["segment"].isin(["new", "all"])].assign(
        customers=1, share=1.0, revenue=12.5, revenue_share=1.0, customers_before=0, change=1
    )
    kpis = tables["kpis"][tables["kpis"]["kpi"] == "revenue"].tail(1)
    tables = {
        "segment_summary": one.assign(interval_days=None, mean_order=12.5),
        "kpis": kpis.assign(value=12.5, previous=None, change=None, year_ago=None, n=1),
        "bridge": pd.DataFrame(
            {"step": ["previous", "current"], "amount": [0.0, 12.5], "customers": [0, 1]}
        ),
    }
    for lang in ("zh", "en"):
        assert everything(sample.book(lang, tables))
