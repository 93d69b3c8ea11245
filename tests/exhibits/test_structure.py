"""Lists that ask for action, the crosswalk, rules, matrices, clusters; any scheme as primary."""

from __future__ import annotations

import re
from typing import Any

import pandas as pd
import pytest

from analysis import wording
from analysis.exhibits import (
    accounts,
    appendix,
    crosswalk,
    movement,
    portraits,
    provenance,
    reasons,
    segments,
    structure,
    worklists,
)
from analysis.exhibits.book import Book
from analysis.exhibits.own_settings import own_settings, set_in
from tests.exhibits import sample, segment_sample
from tests.exhibits.pages import everything
from tests.schemes import SCHEMES, scheme_segments


def book(lang: str = "zh", **changed: Any) -> Book:
    return sample.book(lang, segment_sample.tables() | changed)


def test_last_times_hits_and_misses_are_one_sentence() -> None:
    zh, en = (worklists.worklist(book(lang), "warning").plain for lang in ("zh", "en"))
    assert "上季预警 40 家，确实流失 22 家，漏报 6 家。" in zh
    assert "以往没被预警的客户有 1.0% 流失。" in zh
    assert "Last quarter 40 were warned of: 22 were lost; 6 more were lost without a warning." in en


def test_an_older_record_of_warnings_names_its_period() -> None:
    record = segment_sample.warning_record().replace("2025Q2", "2025Q1")
    assert "一季度预警 40 家" in worklists.worklist(book(warning_record=record), "warning").plain


@pytest.mark.parametrize("one", ["win_back", "reorder", "warning"])
def test_a_list_shows_its_first_and_counts_all(one: str) -> None:
    found = worklists.worklist(book(), one)
    assert "12 家" in found.caption
    shown = set(re.findall(r'data-fact="[a-z_.]+\.(C\d+)\.amount"', found.html))
    assert shown == set(segment_sample.NAMES[:8])  # report.list_length


def test_worklists_take_the_place_of_the_shorter_lists() -> None:
    ids = [exhibit.id for exhibit in accounts.account_lists(book())]
    assert ids[:3] == ["tbl-worklist-win_back", "tbl-worklist-reorder", "tbl-worklist-warning"]
    assert not {"tbl-accounts-rescue", "tbl-accounts-reorder"} & set(ids)
    old = [exhibit.id for exhibit in accounts.account_lists(sample.book())]
    assert "tbl-accounts-rescue" in old


def test_nothing_to_show_is_one_sentence_and_an_older_record_says_nothing() -> None:
    empty, older = sample.book("zh", segment_sample.empty()), sample.book()
    assert "没有应购未购" in worklists.worklist(empty, "reorder").plain
    assert worklists.worklist(older, "reorder") is None
    assert len(crosswalk.own_tiers(empty)) == 1
    assert crosswalk.own_tiers(older) == []
    assert "从略" in structure.rules(empty).plain
    assert structure.rules(older) is None
    assert structure.matrices(older) == []


def test_the_crosswalk_adds_up() -> None:
    one = book()
    rows = segment_sample.crosswalk_summary().query("scheme == 'own_tier'")
    found = crosswalk.own_tiers(one)[0]
    assert one.value("crosswalk.own_tier.all.all.customers") == rows["customers"].sum()
    assert one.value("crosswalk.own_tier.A.all.amount") == 60e6
    assert f"{rows['customers'].sum():,} 家有客户级别的客户里，12 家" in found.caption
    assert "grade_high" not in found.plain


def test_thin_cells_are_marked_and_long_matrices_cut() -> None:
    made = {e.id: e for e in structure.matrices(book(matrix_cells=segment_sample.matrix_cells(14)))}
    assert made["tbl-matrix-value_need"].plain.count("*") == 2  # one cell and the note
    assert "其余的行" in made["tbl-matrix-industry_size"].plain
    assert "行业13" in made["tbl-matrix-industry_size"].plain  # the largest stay
    assert "行业0\t" not in made["tbl-matrix-industry_size"].plain


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, "稳定地分成 4 群，与规则一致的客户占 75.0%。不一致的 3 家"),
        (
            {
                "cluster_choice": segment_sample.cluster_choice(0),
                "clusters": segment_sample.clusters().iloc[:0],
            },
            "从 3 群试到 5 群都不稳定",
        ),
        (
            {
                "cluster_choice": segment_sample.cluster_choice(0).assign(strength=float("nan")),
                "clusters": segment_sample.clusters().iloc[:0],
            },
            "不做聚类对照",
        ),
    ],
)
def test_what_the_clusters_say(changed: dict[str, pd.DataFrame], expected: str) -> None:
    assert expected in structure.challenge(book(**changed)).plain


def test_decided_places_are_counted() -> None:
    assert structure.decided(book()).plain == (
        "3 家的类型由人工指定，另有 1 家的指定已到期，恢复按规则。"
    )


def test_a_decision_on_a_customer_number_that_does_not_exist_is_told() -> None:
    rows = segment_sample.tables()["overrides"].assign(state="unknown_customer").head(2)
    zh, en = (structure.decided(book(lang, overrides=rows)).plain for lang in ("zh", "en"))
    assert "另有 2 条指定的客户编号对不上，没有生效" in zh
    assert "2 name customer numbers that do not exist and have no effect" in en


def test_rules_are_one_sentence_without_their_keys() -> None:
    zh, en = (structure.rules(book(lang)).plain for lang in ("zh", "en"))
    assert "共 24 条规则，23 条归入了客户；276 家离分界很近" in zh
    assert "24 rules, 23 of them with customers. 276 customers stand" in en
    assert "rule_1" not in zh + en


def _heads(one: Book, matrix: str) -> tuple[list[str], list[str]]:
    lines = next(e for e in structure.matrices(one) if e.id == f"tbl-matrix-{matrix}").markdown
    rows = [line.split(" | ") for line in lines.splitlines() if line.startswith("| ")]
    heads = [cell.strip(" |").replace("\\", "") for cell in rows[0]]
    return [row[0].strip("| *") for row in rows[2:]], heads


def test_matrices_stand_in_the_order_people_read_them() -> None:
    cells = segment_sample.matrix_cells().sort_values(["matrix", "row", "column"])
    rows, columns = _heads(book(matrix_cells=cells), "value_need")
    assert rows == ["价值高", "价值居中", "价值低", "合计"]
    assert columns[1:4] == ["简单需求", "复杂需求", "定制需求"]


def test_industries_by_money_and_sizes_by_number_others_and_unknown_last() -> None:
    names = {"行业0": "other", "行业1": "unknown", "large": "2000人以上", "small": "50-199人"}
    cells = segment_sample.matrix_cells().replace({"row": names, "column": names})
    one = book(matrix_cells=cells.sort_values(["matrix", "row", "column"]))
    rows, columns = _heads(one, "industry_size")
    assert rows == ["行业3", "行业2", "其他行业", "行业未填", "合计"]  # most money in the third
    assert columns[1:3] == ["50-199人", "2000人以上"]


def test_the_title_of_a_matrix_says_who_holds_the_money() -> None:
    made = {e.id: e for e in structure.matrices(book())}
    assert made["tbl-matrix-value_need"].caption.startswith("价值低的客户占家数的 ")
    assert "行业3采购最多" in made["tbl-matrix-industry_size"].caption


# -- settings ----------------------------------------------------------------------------------


def test_only_what_somebody_set_is_listed_and_the_others_are_counted() -> None:
    one = book()
    shown = provenance.settings(one)
    assert shown.caption == "这份报告自己设了 2 项参数"
    assert "monetary_days" in shown.plain
    assert "new_customer_days" not in shown.plain  # set in base.yml
    others = f"其余 {one.num('settings.default').plain} 项都是默认值"
    assert others in shown.plain.replace("\xa0", " ")


def test_of_a_map_the_first_entry_that_somebody_set_counts() -> None:
    origins = {"segmentation.thresholds.a": "params/base.yml", "report.company": "--set"}
    chosen = sample.settings()
    assert own_settings(chosen, origins) == ["report.company"]
    origins["segmentation.thresholds.b"] = "params/q3.yml:4"
    assert own_settings(chosen, origins) == ["segmentation.thresholds", "report.company"]
    assert set_in("segmentation.thresholds", origins) == "params/q3.yml:4"


# -- any scheme --------------------------------------------------------------------------------


def _renamed(scheme: str) -> dict[str, pd.DataFrame]:
    """The made-up record with the segments of another scheme, role by role."""
    roles = {role: segment for segment, (_, role) in reversed(SCHEMES[scheme].items())}
    rest = roles.get("steady", roles["growing"])
    by_role = dict(
        zip(sample.SEGMENTS, ("best", "growing", "at_risk", "steady", "new"), strict=True)
    )
    names = {segment: roles.get(role, rest) for segment, role in by_role.items()}
    tables = {name: frame.copy() for name, frame in segment_sample.tables().items()}
    for frame in tables.values():
        for column in ("segment", "segment_before", "segment_after", "primary_segment"):
            if column in frame:
                frame[column] = frame[column].replace(names)
    keys = {
        "segment_summary": ["segment"],
        "movement_matrix": ["segment_before", "segment_after"],
        "personas": ["segment", "aspect", "trait"],
        "crosswalk_summary": ["scheme", "segment", "primary_segment"],
    }
    for name, key in keys.items():
        tables[name] = tables[name].drop_duplicates(key)
    return tables | {"scheme_segments": scheme_segments(scheme)}


@pytest.fixture
def words_of_platinum():
    wording.relabel(
        {
            f"{kind}.{key}": {"zh": zh, "en": en}
            for kind in ("segment", "segment_short")
            for key, zh, en in (
                ("platinum", "铂金战略客户", "Platinum"), ("gold", "黄金潜力客户", "Gold"),
                ("loyal_base", "铁杆基础客户", "Loyal"), ("at_risk", "流失风险客户", "At risk"),
            )
        }
    )  # fmt: skip
    yield
    wording.relabel({})


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("scheme", [s for s in SCHEMES if s != "rfm5"])
def test_any_scheme_fills_every_page(scheme: str, lang: str) -> None:
    one = sample.book(lang, _renamed(scheme))
    shown = everything(one)
    named = re.findall(r'data-facts?="([^"]*)"', "".join(exhibit.html for exhibit in shown))
    assert {id_ for ids in named for id_ in ids.split()} <= set(one.facts)
    plain = "\n".join(exhibit.plain for exhibit in shown)
    assert not re.search(r"[{}\ue000\ue001]", plain)
    foreign = {wording.text(f"segment.{s}", lang) for s in sample.SEGMENTS}
    own = {
        wording.text(f"segment.{s}", lang) for s in SCHEMES[scheme] if wording.has(f"segment.{s}")
    }
    for word in foreign - own - {"新客户", "New"}:
        # the KPI is renamed when a run opens; at risk and new are plain words as well
        told = "\n".join(e.plain for e in shown if e.id not in ("txt-tiles", "txt-kpis"))
        for name in sorted(own, key=len, reverse=True):  # 黄金潜力客户 holds 潜力客户
            told = told.replace(name, "")
        assert word not in told or word in ("At risk",), word


def test_sentences_call_the_segments_by_their_own_names(words_of_platinum: None) -> None:
    zh, en = (sample.book(lang, _renamed("platinum4")) for lang in ("zh", "en"))
    assert segments.segment_table(zh).caption.startswith("218 家铂金战略客户撑起 63.4% 的收入")
    assert segments.segment_table(en).caption.startswith("218 Platinum customers bring 63.4%")
    told = {reason.rule: reason.text.plain for reason in reasons.ranked(zh)}
    assert "9 家铂金战略客户转为流失风险" in told["risk"]
    assert "由高到低为铂金战略客户、黄金潜力客户" in segments.notes(zh).plain
    assert zh.value("movement.best.at_risk.customers") == 9
    assert zh.value("movement.best.at_risk.customers") == zh.value(
        "movement.platinum.at_risk.customers"
    )
    assert "流失风险客户从 453 家增到 487 家" in movement.risk_and_next(zh).plain


def test_without_roles_sentences_that_need_them_are_left_out() -> None:
    tables = sample.tables()
    del tables["scheme_segments"]
    one = sample.book("zh", tables)
    assert segments.segment_table(one).caption == "客户分为 5 类"
    assert movement.movement_matrix(one) is not None
    assert "risk" not in {reason.rule for reason in reasons.ranked(one)}
    assert all(exhibit.plain for exhibit in everything(one))


@pytest.mark.parametrize(
    ("lang", "amount", "time"),
    [("zh", "100 万元", "1,095 天"), ("en", "RMB 1.0 m", "1,095 days")],
)
def test_the_numbers_of_the_scheme_stand_beside_its_segments(
    lang: str, amount: str, time: str
) -> None:
    limits = pd.DataFrame(
        {
            "position": [2, 1],
            "threshold": ["platinum_days", "platinum_amount"],
            "value": [1095.0, 1e6],
            "unit": ["days", "money"],
            "source": "scheme",
        }
    )
    cuts = sample.tables().get("cuts", pd.DataFrame())
    points = {"score": "value.margin", "industry": "", "boundary": 3, "value": 1.0}
    cuts = pd.concat([cuts, pd.DataFrame([points])]).assign(industry="", source="estimated")
    tables = _renamed("platinum4") | {"scheme_thresholds": limits, "cuts": cuts}
    chosen = {"segmentation": {"scheme": "platinum4"}}
    one = sample.book(lang, tables, **chosen)
    told = next(e.plain for e in appendix.definitions(one) if e.id == "tbl-cuts")
    assert "value.margin" not in told  # a percentile, no bound of a segment
    assert time in told
    assert told.index(wording.text("threshold.platinum_amount", lang)) < told.index(time)
    assert amount in told, told


def test_where_nobody_is_placed_no_list_says_that_nobody_is_on_it() -> None:
    tables = segment_sample.tables()
    empty = {name: tables[name].head(0) for name in ("segment_summary", "worklists", "warnings")}
    one = sample.book("zh", tables | empty)
    assert accounts.account_lists(one) == []
    assert structure.matrices(one) == []
    assert crosswalk.own_tiers(one) == []
    assert structure.rules(one) is None


def test_the_heat_map_says_what_stands_out() -> None:
    one = sample.book("zh")
    assert portraits.heat_map(one).caption == (
        "最突出的差别：高价值客户里500人以上是其他客户的 2.6 倍，潜力客户里500人以上是 2.2 倍"
    )
    chance = sample.personas().assign(notable=False)
    assert portraits.heat_map(sample.book("zh", sample.tables() | {"personas": chance})) is None


def test_without_customers_in_segments_there_are_no_chapters_about_them() -> None:
    """A campaign that is judged by itself: its report speaks of nothing else."""
    full = book()
    summary = full.frame("segment_summary")
    nobody = {name: full.frame(name).iloc[:0] for name in ("worklists", "accounts", "matrix_cells")}
    alone = book(segment_summary=summary.assign(customers=0), **nobody)
    assert full.places_customers
    assert not alone.places_customers
    assert accounts.account_lists(alone) == []
    assert structure.matrices(alone) == []
    assert crosswalk.own_tiers(alone) == []
    assert structure.rules(alone) is None
