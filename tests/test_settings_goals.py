"""Goals in a period file: what can be measured loads, the rest is told at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis import settings
from analysis.errors import SettingsError

ROOT = Path(__file__).resolve().parents[1]
HEAD = """extends: [base.yml{more}]
run: acme
period: {period}
{extra}
sources: {{orders: {{path: o.csv, columns: {{customer_id: a, ordered_at: b, amount: c}}}}}}
"""


def load(folder: Path, goals: str = "", period: str = "2025Q3", **head: str):
    file = folder / "acme.yml"
    filled = HEAD.format(period=period, more=head.get("more", ""), extra=head.get("extra", ""))
    file.write_text(filled + goals, encoding="utf-8")
    return settings.load(file, ROOT)


def told(folder: Path, goals: str, **head: str) -> dict[str, str]:
    """Setting → error."""
    with pytest.raises(SettingsError) as caught:
        load(folder, goals, **head)
    return {str(p.args.get("setting")): p.key for p in caught.value.problems}


GOOD = "{goal: g, kpi: revenue, segment: all, direction: at_least, target: 1, due: 2025Q4}"


def changed(**values: str) -> str:
    """A file whose one goal has other values; an empty one is left out."""
    pairs = dict(part.split(": ") for part in GOOD.strip("{}").split(", ")) | values
    kept = ", ".join(f"{k}: {v}" for k, v in pairs.items() if v)
    return f"goals:\n  - {{{kept}}}\n"


@pytest.mark.requirement("000-03")
@pytest.mark.parametrize(
    ("goals", "where", "error"),
    [
        (changed(kpi=""), "goals.0.kpi", "missing_key"),
        (changed(segment=""), "goals.0.segment", "missing_key"),
        (changed(direction=""), "goals.0.direction", "missing_key"),
        (changed(due=""), "goals.0.due", "missing_key"),
        (changed(target=""), "goals.0.direction", "goal_without_target"),
        (changed(direction="up"), "goals.0.direction", "goal_without_baseline"),
        (changed(direction="up", target="", since="2025Q2"), "goals.0.direction",
         "goal_target_or_change"),
        (changed(direction="up", change="0.1", since="2025Q2"), "goals.0.direction",
         "goal_target_or_change"),
        (changed(change="0.1"), "goals.0.change", "goal_change_of_bound"),
        (changed(direction="up", since="2025Q2", baseline="0"), "goals.0.since",
         "goal_two_baselines"),
        (changed(direction="down", baseline="0.5"), "goals.0.target", "goal_wrong_way"),
        (changed(kpi="loyalty"), "goals.0.kpi", "goal_unknown_kpi"),
        (changed(segment="platin"), "goals.0.segment", "goal_unknown_segment"),
        (changed(kpi="reached_share"), "goals.0.reach", "goal_without_reach"),
        (changed(due="2025Q2"), "goals.0.due", "goal_due_before"),
        (changed(due="soon"), "goals.0.due", "bad_period"),
        (changed(since="2025Q4"), "goals.0.since", "goal_since_after"),
        ("goals: [客户更满意]\n", "goals.0", "goal_in_words"),
        (f"goals: [{GOOD}, {GOOD}]\n", "goals.1.goal", "goal_repeated"),
    ],
)  # fmt: skip
def test_a_goal_that_cannot_be_measured_is_refused(tmp_path, goals, where, error):
    assert told(tmp_path, goals)[where] == f"settings.{error}"


def test_a_trial_with_another_scheme_keeps_the_goals(tmp_path):
    goals = changed(segment="platinum")
    (kept,) = load(tmp_path, goals).settings.goals
    assert kept.segment == "platinum"


def test_all_problems_at_once_with_line_and_the_allowed_kpis(tmp_path):
    goals = "goals:\n  - 客户更满意\n  - {goal: g, kpi: loyalty, segment: vip, direction: up}\n"
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, goals)
    found = {p.key.removeprefix("settings."): p for p in caught.value.problems}
    assert set(found) == {
        "goal_in_words", "goal_unknown_kpi", "goal_unknown_segment", "goal_without_baseline",
        "goal_target_or_change", "missing_key",
    }  # fmt: skip
    assert {"revenue", "retention", "churn_rate"} <= set(found["goal_unknown_kpi"].args["allowed"])
    assert "high_value" in found["goal_unknown_segment"].args["allowed"]
    assert (found["goal_unknown_kpi"].file, found["goal_unknown_kpi"].line) == (
        str(tmp_path / "acme.yml"), 8,
    )  # fmt: skip


def test_a_good_goal_loads(tmp_path):
    (goal,) = load(tmp_path, f"goals: [{GOOD}]\n").settings.goals
    assert (goal.kpi, goal.target, goal.due) == ("revenue", 1, "2025Q4")


@pytest.mark.requirement("000-03")
def test_the_three_goals_load_as_they_stand(tmp_path):
    found = load(tmp_path, more=", goals/three_goals.yml").settings.goals
    assert [(g.kpi, g.segment, g.direction, g.change or g.target) for g in found] == [
        ("new_customer_conversion", "all", "up", 0.15),
        ("churn_rate", "all", "at_most", 0.10),
        ("repurchase_rate", "high_value", "up", 0.20),
    ]


@pytest.mark.requirement("001-32")
def test_the_targets_by_tier_load_as_they_stand(tmp_path):
    scheme = "segmentation: {scheme: platinum4}"
    found = load(tmp_path, more=", goals/platinum4.yml", extra=scheme).settings.goals
    assert [(g.kpi, g.segment, g.direction, g.change or g.target) for g in found] == [
        ("renewal_rate", "platinum", "at_least", 0.98),
        ("upsell_rate", "platinum", "at_least", 0.15),
        ("reached_share", "gold", "at_least", 0.30),
        ("annual_purchase", "gold", "up", 0.20),
        ("win_back_rate", "at_risk", "at_least", 0.30),
        ("won_back", "at_risk", "at_least", 15),
        ("satisfaction", "at_risk", "at_least", 4),
    ]
    assert found[2].reach == 800_000
    won = found[4]
    assert won.target * won.customers == found[5].target == 15


def test_a_week_may_inherit_the_goals_of_a_quarter_that_is_over(tmp_path):
    assert load(tmp_path, changed(due="2025Q2"), period="2025-W40")
    with pytest.raises(SettingsError):
        load(tmp_path, changed(due="2025Q2"), period="2025Q4")
