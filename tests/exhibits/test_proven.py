"""Which warnings the report names: planted pasts in which a rule proves itself, or does not."""

from __future__ import annotations

import re
from typing import Any

import pandas as pd
import pytest

from analysis.exhibits import worklists
from analysis.exhibits.book import Book
from analysis.exhibits.proven import leading, proof
from tests.exhibits import sample, segment_sample

Line = tuple[str, int, int, float | None, float | None]  # rule, customers, lost, low, high

PROVEN: Line = ("cycle_exceeded", 400, 120, 0.25, 0.34)
UNPROVEN: Line = ("activity_down", 800, 32, 0.03, 0.06)
NOT_CLEAR: Line = ("activity_down", 100, 7, 0.03, 0.14)
RARE: Line = ("both", 9, 5, None, None)
OTHERS: Line = ("none", 2000, 100, 0.04, 0.06)
FEW_OTHERS: Line = ("none", 9, 0, None, None)


def past(*lines: Line) -> pd.DataFrame:
    """A warning record with these rules over all periods."""
    rows: list[dict[str, Any]] = [
        {
            "rule": rule, "period": "all", "customers": n, "lost": lost,
            "rate": None if low is None else lost / n, "low": low, "high": high, "lift": None,
            "lead_days": 34.0,
        }
        for rule, n, lost, low, high in lines
    ]  # fmt: skip
    return segment_sample._frame("warning_record", rows)


def book(record: pd.DataFrame, lang: str = "zh") -> Book:
    return sample.book(lang, segment_sample.tables() | {"warning_record": record})


def named(one: Book) -> list[str]:
    """The customers on the page, in their order."""
    html = worklists.worklist(one, "warning").html
    return re.findall(r'data-fact="warning\.(C\d+)\.amount"', html)


def of_rule(rule: str) -> set[str]:
    rows = segment_sample.warnings()
    return set(rows.loc[rows["rule"] == rule, "customer_id"])


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ((PROVEN, UNPROVEN, RARE, OTHERS), ("unknown", "proven", "unproven")),
        ((PROVEN, NOT_CLEAR, OTHERS), ("unknown", "proven", "unproven")),
        ((PROVEN, UNPROVEN, FEW_OTHERS), ("unknown", "unknown", "unknown")),
        ((), ("unknown", "unknown", "unknown")),
    ],
)
def test_a_rule_is_proven_above_those_not_warned(lines: Any, expected: Any) -> None:
    of_contracts = "unknown"  # nobody here has one
    assert tuple(proof(past(*lines)).values()) == (*expected, of_contracts)


def test_a_bound_at_the_rate_of_the_others_proves_nothing() -> None:
    assert proof(past(("both", 50, 5, 0.05, 0.2), OTHERS))["both"] == "unproven"


def test_only_customers_of_proven_rules_are_named() -> None:
    one = book(past(PROVEN, UNPROVEN, RARE, OTHERS))
    assert set(named(one)) == of_rule("cycle_exceeded")
    assert one.value("warning.leading.count") == len(of_rule("cycle_exceeded"))
    assert one.value("warning.count") == len(segment_sample.warnings())  # the tables keep all


def test_the_largest_expected_loss_comes_first_and_equal_ones_by_customer() -> None:
    warned = segment_sample.warnings().assign(rule="both", amount=100.0, chance=0.2)
    warned.loc[5, "chance"] = 0.3
    warned.loc[7, "amount"] = 120.0
    first = leading(
        warned.sample(frac=1.0, random_state=1), past(("both", 90, 40, 0.3, 0.5), OTHERS)
    )
    names = list(segment_sample.NAMES)
    rest = [name for place, name in enumerate(names) if place not in (5, 7)]
    assert list(first["customer_id"]) == [names[5], names[7], *rest]


@pytest.mark.parametrize(
    ("lines", "zh", "en"),
    [
        (
            (PROVEN, OTHERS),
            "只是超过自身采购周期的有 30.0%（大概率 25.0%～34.0%，通常提前 34 天）。",
            "An exceeded cycle alone: 30.0% (likely 25.0%",
        ),
        (
            (UNPROVEN, PROVEN, OTHERS),
            "只是业务活动减少的有 4.0%（大概率 3.0%～6.0%），并不比没被预警的更易流失，"
            "这 4 家不列入，见工作簿“健康预警名单”。",
            "no likelier to be lost than without a warning; the 4 customers stand in the workbook",
        ),
        (
            (NOT_CLEAR, PROVEN, OTHERS),
            "只是业务活动减少的有 7.0%（大概率 3.0%～14.0%），看不出比没被预警的更易流失",
            "not clearly likelier to be lost than without a warning",
        ),
        (
            (PROVEN, RARE, OTHERS),
            "两项都有的以往家数太少，还说不清，这 4 家不列入",
            "Both together: too few so far to tell; the 4 customers stand",
        ),
        ((), "以往数据太短，预警准不准还说不清，先全部列入。", "The history is too short to say"),
        (
            (UNPROVEN, OTHERS),
            "本季没有客户触发已证明有效的预警。",
            "Nobody has triggered a warning",
        ),
    ],
)
def test_each_rule_is_told_as_its_past_is(lines: Any, zh: str, en: str) -> None:
    assert zh in worklists.worklist(book(past(*lines)), "warning").plain
    assert en in worklists.worklist(book(past(*lines), "en"), "warning").plain.replace("\xa0", " ")


def test_without_a_record_all_are_listed_by_money() -> None:
    one = book(past())
    assert named(one) == segment_sample.NAMES[: one.settings.report.list_length]
    assert "按采购金额排" in worklists.worklist(one, "warning").plain
    proven = worklists.worklist(book(past(PROVEN, OTHERS)), "warning").plain
    assert "按预计流失金额" in proven


def test_nobody_is_named_where_no_rule_has_proven_itself() -> None:
    one = book(past(UNPROVEN, ("cycle_exceeded", 90, 5, 0.02, 0.1), OTHERS))
    assert named(one) == []
