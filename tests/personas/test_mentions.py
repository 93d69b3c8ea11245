"""The customers' own words: found by clause, counted by customer, never from the future."""

from __future__ import annotations

import pandas as pd
import pytest

from analysis import wording
from analysis.personas import headline, profile
from analysis.personas.mentions import find, taxonomy
from analysis.settings_model import Personas

AS_OF = pd.Timestamp(2025, 9, 30)


def heard_of(notes, text: str) -> set[str]:
    found = find(AS_OF, (notes(("A", "2025-09-01", text)), "happened_at"))
    return {f"{aspect}={key}" for (aspect, key), said in found.said.items() if said}


@pytest.mark.requirement("001-16")
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("对方抱怨交期不稳，上一批延期十二天", {"pain=delivery"}),
        ("态度不错，但是响应慢", {"pain=response"}),
        ("质量不稳定，两批不一样", {"pain=quality"}),
        ("质量很好，就是价格偏高", {"pain=price"}),
        ("交期没有问题", set()),
        ("数据对接一直没做通", {"pain=integration"}),
        ("换了人也没交接", {"pain=coordination"}),
        ("希望提供安全库存和培训", {"value=supply", "value=training"}),
        ("The delivery was late again, support is fine", {"pain=delivery"}),
        ("no issues, quality is good", set()),
        ("SLOW RESPONSE from service", {"pain=response"}),
        ("例行拜访，了解下季度用量", set()),
    ],
)
def test_clauses_say_what_hurts(notes, text: str, expected: set[str]) -> None:
    assert heard_of(notes, text) == expected


def test_only_the_year_up_to_the_day_is_heard(notes) -> None:
    table = notes(
        ("today", "2025-09-30", "交期慢"),
        ("later", "2025-10-01", "交期慢"),
        ("first", "2024-10-01", "交期慢"),
        ("older", "2024-09-30", "交期慢"),
        ("silent", "2025-09-30", "  "),
    )
    found = find(AS_OF, (table, "happened_at"), (None, "opened_at"))
    assert found.heard == {"today", "first"}
    assert found.said["pain", "delivery"] == {"today", "first"}
    assert find(AS_OF, (None, "happened_at")).heard == frozenset()


def test_every_key_has_words_in_both_languages() -> None:
    for aspect, key in taxonomy().patterns:
        assert wording.has(f"trait_level.{aspect}.{key}")


@pytest.mark.requirement("000-16", "001-16")
def test_a_planted_pain_becomes_the_headline(base, notes) -> None:
    tables = base(400)
    inside = (tables["segments"]["segment"] == "high_value").to_numpy()
    rows = []
    for i, name in enumerate(tables["customers"]["customer_id"]):
        planted = inside[i] and i % 3 == 0
        rows.append((name, "2025-08-01", "这批货交期又拖了" if planted else "例行拜访"))
        if i % 5 == 0:
            rows.append((name, "2025-08-02", "嫌价格高"))
            rows.append((name, "2025-08-03", "还是嫌价格高"))
    tables["customers"].loc[inside, "industry"] = "汽车零部件"
    found = profile(
        tables["segments"],
        tables["features"],
        tables["customers"],
        Personas(),
        activities=notes(*rows),
    )
    pains = found[found["aspect"] == "pain"].set_index(["segment", "trait"])
    assert pains.loc[("high_value", "pain=delivery"), "notable"]
    assert pains.loc[("high_value", "pain=delivery"), "value"] == pytest.approx(67 / 200, abs=0.01)
    assert not pains.loc[("new", "pain=price"), "notable"]
    assert pains.loc[("new", "pain=price"), "value"] == pytest.approx(0.2, abs=0.01)

    lines = headline(found).set_index("segment")
    assert '"trait_level.pain.delivery"' in lines.loc["high_value", "pain"]
    assert '"trait_level.pain.price"' in lines.loc["new", "pain"]
    assert "汽车零部件" in lines.loc["high_value", "trait"]
    assert '"persona.high_value.transaction.monetary"' in lines.loc["high_value", "feature"]
    assert '"persona.headline.new"' in lines.loc["new", "feature"]


def test_a_headline_says_nothing_where_nothing_is_known(base) -> None:
    tables = base(30, segments=("high_value",))
    found = profile(tables["segments"], tables["features"], tables["customers"], Personas())
    (line,) = headline(found).to_dict("records")
    assert line == {"segment": "high_value", "feature": "", "trait": "", "pain": ""}
