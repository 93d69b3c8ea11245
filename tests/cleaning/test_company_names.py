"""Names of companies taken apart."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.cleaning.company_names import parts, province_of, short_place

ROOT = Path(__file__).parents[2]
SHORT_NAMES = ROOT.parent / "shared" / "data" / "company_names_zh.txt"

brands = st.text("新科泓衡昶榛岱骁峤翊舸砺筑稷", min_size=2, max_size=4)
cities = st.sampled_from(["苏州", "无锡", "石家庄", "呼和浩特", "上海"])
trades = st.sampled_from(["精密机械", "电子科技", "工业品贸易"])


def taken(name: str) -> tuple[str, str, str]:
    row = parts([name]).iloc[0]
    return row["core"], row["place"], row["form"]


@pytest.mark.parametrize(
    ("name", "core", "place", "form"),
    [
        ("苏州新科精密机械（集团）股份有限公司", "新科精密机械", "苏州", "股份 集团"),
        ("江苏省苏州市新科精密机械有限责任公司", "新科精密机械", "苏州", ""),
        ("新科精密机械(苏州)有限公司", "新科精密机械", "苏州", ""),
        ("ＡＢＣ（中国）有限公司", "abc", "", ""),
        ("臺灣積體電路製造股份有限公司", "积体电路制造", "台湾", "股份"),
        ("上海远见投资合伙企业（有限合伙）", "远见投资", "上海", ""),
        ("阿里巴巴集团控股有限公司", "阿里巴巴", "", "控股 集团"),
        ("上海银行", "银行", "上海", ""),
        ("中国银行", "中国银行", "", ""),
        ("Suzhou Xinke Precision Co., Ltd.", "xinkeprecision", "", ""),
        ("Harbin Daili Machinery Group", "dailimachinery", "哈尔滨", "集团"),
        ("Procter & Gamble Company", "proctergamble", "", ""),
        ("有限公司", "有限公司", "", ""),
        ("", "", "", ""),
    ],
)
def test_a_name_is_its_core_its_place_and_its_form(
    name: str, core: str, place: str, form: str
) -> None:
    assert taken(name) == (core, place, form)


def test_two_cities_of_one_spelling_are_no_place() -> None:
    assert taken("Suzhou Hongyi Foods Co., Ltd.")[1] == ""  # 苏州 or 宿州
    assert taken("Wuxi Hongyi Foods Co., Ltd.")[1] == "无锡"


def test_numbers_and_sound_stand_apart() -> None:
    row = parts(["中建三局集团有限公司", "无锡泓沅汽车部件有限公司", "Wuxi Hongyuan Auto Parts"])
    assert row["numbers"].tolist() == ["三", "", ""]
    assert row["sound"].tolist()[1:] == ["hongyuan", "hongyuan"]


@given(brands, cities, trades)
def test_every_way_to_write_a_name_has_one_core_and_place(
    brand: str, city: str, trade: str
) -> None:
    ways = [
        f"{city}{brand}{trade}有限公司",
        f"{city}市{brand}{trade}有限责任公司",
        f"{brand}{trade}（{city}）有限公司",
        f" {brand} {trade}({city})",
        f"{province_of(city)}{city}{brand}{trade}有限公司",
    ]
    found = parts(ways)
    assert set(found["core"]) == {f"{brand}{trade}"}
    assert set(found["place"]) == {city}


@given(st.lists(st.text(max_size=12), max_size=5))
def test_any_text_has_parts(names: list[str]) -> None:
    found = parts(names)
    assert found["name"].tolist() == names
    assert found.map(lambda v: isinstance(v, str)).all(axis=None)


def test_places_by_any_of_their_names() -> None:
    assert [short_place(p) for p in ("苏州市", "江苏省", "上海", "某地", None)] == [
        "苏州", "江苏", "上海", "", "",
    ]  # fmt: skip
    assert province_of("苏州") == "江苏"


@pytest.mark.skipif(not SHORT_NAMES.is_file(), reason="needs company_names_zh.txt")
def test_sixty_thousand_real_short_names_keep_a_core() -> None:
    names = [n.strip() for n in SHORT_NAMES.read_text(encoding="utf-8-sig").splitlines()[2:]]
    found = parts([n for n in names if n])
    assert len(found) > 59_900
    assert (found["core"].str.len() >= 1).mean() > 0.9999
