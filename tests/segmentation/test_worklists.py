"""Full lists by money, with the numbers a salesperson asks for."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from analysis import wording
from analysis.engine import conform
from analysis.segmentation import (
    accounts,
    as_before,
    estimate_cuts,
    load_scheme,
    movements,
    rulebook,
    warning_record,
    warnings,
    worklists,
)
from analysis.settings_segmentation import HealthWarning, Segmentation
from analysis.tables import RECORD
from analysis.wording.told import told

SETTINGS = Segmentation(
    frequency_cuts=[3.0, 6.0], monetary_cuts=[100.0, 1000.0], mean_order_cuts=[50.0, 500.0]
)
BEST = {"frequency": 6, "monetary": 1000.0, "recency_cycles": 0.9, "recency_days": 54.0}
LATE = {**BEST, "recency_cycles": 1.3, "recency_days": 78.0, "last_order_on": "2025-07-14"}
GONE = {**BEST, "recency_cycles": 3.0, "recency_days": 180.0}
STATES = {
    "fine": (BEST, BEST),
    "late b": (BEST, LATE),
    "late a": (BEST, LATE),
    "late, large": (BEST, {**LATE, "monetary": 9000.0}),
    "no own cycle": (BEST, {**LATE, "intervals": 0}),
    "down": (BEST, {**BEST, "recency_cycles": 1.8, "recency_days": 108.0}),
    "gone": (GONE, GONE),
    "gone, small": ({**GONE, "monetary": 150.0, "frequency": 3},) * 2,
}


@pytest.fixture(scope="module")
def lists(rows, rfm5) -> dict[str, pd.DataFrame]:
    was = rows(*(state[0] for state in STATES.values()), ids=list(STATES))
    now = rows(*(state[1] for state in STATES.values()), ids=list(STATES))
    now["last_order_on"] = pd.to_datetime(now["last_order_on"])
    customers = pd.DataFrame(
        {"customer_id": list(STATES), "name": "客户", "owner_id": "p1", "region": "华东"}
    )
    people = pd.DataFrame({"person_id": ["p1"], "name": ["王强"]})
    rules = rulebook(rfm5, customers, estimate_cuts(now, SETTINGS), SETTINGS)
    segments = rules.place(now)
    moves = movements(as_before(rules.place(was)), segments, was, now, rules)
    health = HealthWarning()
    found = warnings(now, warning_record({}, {}, health), health)
    common = (segments, moves, now, customers, people)
    return {
        "lists": worklists(*common, found, scheme=rfm5),
        "top": accounts(*common, 2, scheme=rfm5),
        "moves": moves,
        "warnings": found,
    }


def names(found: pd.DataFrame, which: str) -> list[str]:
    return list(found.loc[found["list"] == which, "customer_id"])


def test_each_list_is_whole_and_stands_by_money(lists) -> None:
    found = lists["lists"]
    assert names(found, "reorder") == ["late, large", "late a", "late b"]
    assert names(found, "win_back") == ["down", "gone"]
    assert names(found, "moved_down") == ["down"]
    assert names(found, "warning") == ["late, large", "down", "late a", "late b"]
    assert list(dict.fromkeys(found["list"])) == ["reorder", "win_back", "moved_down", "warning"]
    ranks = found.groupby("list")["rank"].apply(list)
    assert all(ranks[name] == list(range(1, len(ranks[name]) + 1)) for name in ranks.index)
    conform(found, RECORD["worklists"])


def test_who_left_long_ago_is_not_overdue(rows, root) -> None:
    """A scheme may keep the lost in a segment that is not at risk, as grade4 does."""
    scheme = load_scheme("grade4", root)
    states = {"late": LATE, "lost": {**LATE, "recency_cycles": 2.6, "recency_days": 156.0}}
    now = rows(*states.values(), ids=list(states))
    customers = pd.DataFrame({"customer_id": list(states)})
    placed = pd.DataFrame(
        {"customer_id": list(states), "segment": "grade_low", "tag": None, "reason": "{}"}
    )
    moves = pd.DataFrame({c: [] for c in ("customer_id", "segment_before", "direction", "cause")})
    none = pd.DataFrame({"customer_id": [], "reason": []}, dtype=object)
    given = (placed, moves.astype(object), now, customers, None)
    found = worklists(*given, none, scheme=scheme, lapsed_cycles=2.5)
    assert names(found, "reorder") == ["late"]
    assert names(accounts(*given, 5, scheme=scheme, lapsed_cycles=2.5), "reorder") == ["late"]
    assert names(worklists(*given, none, scheme=scheme), "reorder") == ["late", "lost"]


def test_overdue_to_reorder_says_since_when_and_whose(lists) -> None:
    row = lists["lists"].set_index(["list", "customer_id"]).loc["reorder", "late a"]
    assert (row["days_over"], row["owner"], row["owner_id"]) == (18.0, "王强", "p1")
    assert row["expected_on"] == pd.Timestamp(2025, 9, 12)
    assert json.loads(row["reason"])["args"]["over"] == {"unit": "days", "value": 18}


def test_who_moved_down_carries_the_cause(lists) -> None:
    reason = lists["lists"].set_index(["list", "customer_id"]).loc["moved_down", "down"]["reason"]
    assert reason == lists["moves"].set_index("customer_id").loc["down", "cause"]


def test_the_account_list_is_the_top_of_the_worklists(lists) -> None:
    assert names(lists["top"], "reorder") == names(lists["lists"], "reorder")[:2]
    assert names(lists["top"], "rescue") == ["down", "gone"]


@pytest.mark.parametrize("lang", wording.LANGUAGES)
def test_reasons_read_as_sentences(lists, lang: wording.Language) -> None:
    for reason in lists["lists"]["reason"]:
        words = told(reason, lang, "CNY")
        assert "{" not in words
        assert "worklist" not in words
        assert "warning." not in words


def test_nobody_anywhere_gives_valid_empty_lists(lists, rows, rfm5) -> None:
    nobody = rows(BEST).head(0)
    customers = pd.DataFrame({"customer_id": pd.Series([], dtype=object)})
    rules = rulebook(rfm5, customers, estimate_cuts(nobody, SETTINGS), SETTINGS)
    none = rules.place(nobody)
    moves = movements(as_before(none), none, nobody, nobody, rules)
    found = worklists(none, moves, nobody, customers, None, lists["warnings"].head(0), scheme=rfm5)
    assert found.empty
    conform(found, RECORD["worklists"])


def test_who_has_a_contract_is_overdue_from_its_end_and_never_to_reorder(rows, rfm5) -> None:
    now = rows(LATE, LATE, {**GONE, "recency_days": 10.0}, ids=["runs", "ended", "at risk"])
    now["last_order_on"] = pd.to_datetime(now["last_order_on"])
    now["days_to_renewal"] = [0.0, -1.0, -1.0]
    customers = pd.DataFrame({"customer_id": now["customer_id"]})
    placed = rulebook(rfm5, customers, estimate_cuts(now, SETTINGS), SETTINGS).place(now)
    moves = pd.DataFrame(columns=RECORD["movements"].names)
    none = warnings(now, warning_record({}, {}, HealthWarning()), HealthWarning()).head(0)
    found = worklists(placed, moves, now, customers, None, none, scheme=rfm5)
    assert names(found, "reorder") == []  # a contract that ended is renewed, or lost
    kept = found[found["list"] == "win_back"].set_index("customer_id")
    assert kept.loc["at risk", "days_over"] == 1  # since the contract's end
    assert kept.loc["at risk", "expected_on"] == pd.Timestamp(2025, 9, 29)
    # at risk by its rule, so that is what it is told, not a silence of less than a cycle
    assert kept.loc["at risk", "reason"] == placed.set_index("customer_id").loc["at risk", "reason"]
