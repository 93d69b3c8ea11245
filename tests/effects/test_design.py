"""What the waves will be able to show, and whether two arms were alike."""

from __future__ import annotations

import json
import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from analysis import wording
from analysis.calendars import Period
from analysis.effects import assign, design, designs
from analysis.effects.detection import share_sentences
from analysis.effects.estimators import contrast
from analysis.engine import conform
from analysis.settings_measures import Effectiveness, Strategy
from analysis.tables import RECORD
from analysis.wording.told import told

Q4 = Period.parse("2025Q4")
MARGIN = 0.3
RHO = 0.7


def case(n: int, cost: float = 3_000.0, **more: object) -> dict[str, pd.DataFrame]:
    """Candidates, waves, plan and panel of one measure."""
    rng = np.random.default_rng(5)
    ids = [f"C{i:04d}" for i in range(n)]
    before = rng.normal(100_000, 30_000, n)
    value = 100_000 + RHO * (before - 100_000) + rng.normal(0, 30_000 * math.sqrt(1 - RHO**2), n)
    fields = {"segment": "high_value", "extra": True, "later_share": 0.3, "proven": False}
    candidates = pd.DataFrame({"customer_id": ids, "strategy": "visit", **fields, **more})
    customers = pd.DataFrame({"customer_id": ids, "group_id": ids})
    features = pd.DataFrame({"customer_id": ids, "monetary": before * 4})
    waves = assign(candidates, customers, features, Strategy(exempt_top=0), Q4, 7, min_arm=20)
    plan = waves[["customer_id", "strategy", "segment", "wave"]].assign(
        measure="m", kpi="retention", cost=np.where(waves["wave"] == "later", 0.0, cost)
    )
    panel = pd.DataFrame({"customer_id": ids, "value": value, "before": before})
    return {"candidates": candidates, "waves": waves, "plan": plan, "panel": panel}


def designed(given: dict[str, pd.DataFrame], **more: object) -> pd.DataFrame:
    found = designs(
        given["candidates"], given["waves"], given["plan"], given["panel"], Effectiveness(), Q4, 7,
        margin_rate=MARGIN, **more,
    )  # fmt: skip
    assert conform(found, RECORD["designs"]).num_rows == len(found)
    return found


def keys(row: pd.Series) -> list[str]:
    return [s["key"].removeprefix("wave_statement.") for s in json.loads(row["statement"])]


@pytest.mark.requirement("004-17")
def test_a_design_by_hand() -> None:
    given = case(200)
    row = designed(given).iloc[0]
    assert (row["n_first"], row["n_later"], row["n_exempt"], row["n_groups"]) == (140, 60, 0, 200)
    assert (row["later_share"], row["power"], row["level"], row["seed"]) == (0.3, 0.8, 0.95, 7)
    panel = given["panel"]
    fit = stats.linregress(panel["before"], panel["value"])
    rest = panel["value"] - fit.intercept - fit.slope * panel["before"]
    sd = math.sqrt((rest**2).sum() / 198)
    assert row["sd"] == pytest.approx(sd)
    assert sd**2 / panel["value"].var() == pytest.approx(1 - RHO**2, abs=0.12)  # CUPED
    assert row["detectable"] == pytest.approx(2.82 * sd * math.sqrt(1 / 140 + 1 / 60), rel=0.02)
    usual = panel[["value", "before"]].to_numpy().mean()
    assert row["detectable_share"] == pytest.approx(row["detectable"] / usual)
    assert row["break_even"] == pytest.approx(3_000 / MARGIN)
    per_arm = 2 * 2.8016**2 * sd**2 / 10_000**2
    assert row["n_needed"] == pytest.approx(per_arm, abs=1.1)
    assert row["detectable"] < 10_000
    assert row["periods_needed"] == 1
    assert keys(row) == ["shows"]
    assert 0 <= row["balance_p"] <= 1


def test_more_periods_where_one_is_not_enough() -> None:
    row = designed(case(200, cost=1_500.0)).iloc[0]
    harmonic = 2 / (1 / 140 + 1 / 60)
    assert row["periods_needed"] == math.ceil(row["n_needed"] / harmonic) > 1
    assert keys(row) == ["pool"]
    assert keys(designed(case(200, cost=500.0)).iloc[0]) == ["slow"]
    assert keys(designed(case(200, cost=150.0)).iloc[0]) == ["hopeless"]
    assert keys(designed(case(200, cost=0.0)).iloc[0]) == ["no_cost"]
    few = designed(case(21, cost=1_500.0)).iloc[0]
    assert keys(few) == ["slow", "small_arm"]
    assert keys(designed(case(3)).iloc[0]) == ["too_few", "small_arm"]


def test_statements_where_nothing_can_be_compared() -> None:
    held = designed(case(30, proven=True, later_share=0.1)).iloc[0]
    assert keys(held) == ["no_draw"]
    assert (held["n_exempt"], held["later_share"]) == (30, 0.0)
    assert math.isnan(held["detectable"])
    alone = designed(case(30, later_share=0.0)).iloc[0]
    assert keys(alone) == ["no_later"]
    silent = case(60)
    silent["panel"] = silent["panel"].assign(value=0.0, before=0.0)
    assert keys(designed(silent).iloc[0]) == ["too_few"]
    none = case(30)
    assert designed({**none, "plan": none["plan"].iloc[:0]}).empty


def test_the_statement_in_words() -> None:
    row = designed(case(200, cost=1_500.0)).iloc[0]
    said = told(row["statement"], "zh", "CNY")
    assert said.startswith("先做的 140 家、对照 60 家，最小能看出每家多买 ")
    assert "够本线 5,000 元" in said
    assert f"要 {row['periods_needed']:.0f} 期" in said
    english = told(row["statement"], "en", "CNY")
    assert english.startswith("With 140 starting and 60 waiting, the smallest effect that shows")
    for given in (case(21), case(3), case(30, proven=True), case(30, later_share=0.0)):
        for lang in wording.LANGUAGES:
            assert "{" not in told(designed(given).iloc[0]["statement"], lang, "CNY")


def test_what_the_budget_leaves_out_does_not_count() -> None:
    given = case(200)
    kept = given["plan"].iloc[:120]
    row = designed({**given, "plan": kept}).iloc[0]
    assert row["n_first"] + row["n_later"] == 120
    assert row["fingerprint"] != designed(given).iloc[0]["fingerprint"]


def test_the_fingerprint_sees_every_change() -> None:
    given = case(40)
    first = designed(given).iloc[0]["fingerprint"]
    assert len(first) == 64
    shuffled = {name: frame.sample(frac=1, random_state=1) for name, frame in given.items()}
    pd.testing.assert_frame_equal(designed(shuffled), designed(given))
    waves = given["waves"].copy()
    waves.loc[0, "wave"] = "later" if waves.loc[0, "wave"] == "first" else "first"
    assert designed({**given, "waves": waves}).iloc[0]["fingerprint"] != first


def test_groups_drawn_as_one_tell_less() -> None:
    pairs = np.repeat(np.arange(50), 2)
    rest = np.random.default_rng(1).normal(size=50)[pairs]
    rest -= rest.mean()
    assert design.design_effect(rest, np.arange(100)) == pytest.approx(1.0)
    # alike inside the pair: two customers say what one would
    assert design.design_effect(rest, pairs) == pytest.approx(2.0, rel=0.03)
    assert math.isnan(design.design_effect(rest, np.zeros(100)))
    given = case(200)
    panel = given["panel"]
    twins = np.repeat(np.arange(100), 2)
    value = panel["value"].to_numpy()[twins]
    before = panel["before"].to_numpy()[twins]
    given["panel"] = panel.assign(value=value, before=before)
    apart = designed(given).iloc[0]
    given["waves"] = given["waves"].assign(group_id=[f"G{t:03d}" for t in twins])
    together = designed(given).iloc[0]
    assert together["n_groups"] == 100
    assert together["sd"] == pytest.approx(apart["sd"] * math.sqrt(2), rel=0.03)


def test_small_tiers_as_published() -> None:
    """15 platinum customers, 98 % or 95 % kept: nobody lost proves little."""
    tier = design.small_tier(15, 0.98, 0.95)
    assert tier.at_target == pytest.approx(0.74, abs=0.005)
    assert tier.at_other == pytest.approx(0.46, abs=0.005)
    assert tier.low == pytest.approx(0.796, abs=0.0005)
    assert tier.needed > 500
    assert tier.at_target == pytest.approx(stats.binom.pmf(0, 15, 0.02))


@pytest.mark.requirement("001-32")
def test_a_share_that_so_few_cannot_tell() -> None:
    (said,) = share_sentences(15, 0.98, 0.95, 0.8, 0.95)
    words = told(json.dumps(said), "zh", "CNY")
    assert words.startswith("15 家看不出 95.0% 和 98.0% 的差别")
    assert "73.9%" in words
    assert "46.3%" in words
    assert "79.6%" in words
    english = told(json.dumps(said), "en", "CNY")
    assert english.startswith("15 cannot show 95.0% against 98.0%")
    assert english.endswith("pool several periods, or use a money outcome")
    assert share_sentences(5_000, 0.98, 0.95, 0.8, 0.95) == []
    assert share_sentences(15, 0.98, 0.98, 0.8, 0.95) == []


def test_the_statement_speaks_of_the_share_that_the_measure_is_to_move() -> None:
    kpis = pd.DataFrame(
        [
            ("retention", "all", "2025Q3", "share", 0.90, 0.91),
            ("retention", "high_value", "2025Q3", "share", 0.95, 0.98),
            ("retention", "high_value", "2025Q2", "share", 0.90, 0.98),
            ("revenue", "all", "2025Q3", "money", 1.0, 2.0),
        ],
        columns=["kpi", "segment", "period", "unit", "value", "target"],
    )
    given = case(60)
    row = designed(given, kpis=kpis).iloc[0]
    assert keys(row)[-1] == "share"
    args = json.loads(row["statement"])[-1]["args"]
    assert (args["target"]["value"], args["other"]["value"]) == (0.98, 0.95)
    assert "share" not in keys(designed(given, kpis=kpis[kpis["kpi"] == "revenue"]).iloc[0])


@pytest.mark.slow
@pytest.mark.parametrize(("first", "later"), [(15, 6), (40, 20), (140, 60)])
def test_the_stated_effect_is_shown_with_the_stated_power(first: int, later: int) -> None:
    sd = math.sqrt(1 - RHO**2)
    least = design.detectable(first, later, sd, fitted=2)
    rng = np.random.default_rng(3)
    n, runs = first + later, 1200
    before = rng.normal(size=(runs, n))
    value = RHO * before + sd * rng.normal(size=(runs, n))
    value[:, :first] += least
    shown = [
        contrast(y[:first], y[first:], x[:first], x[first:]).low > 0
        for x, y in zip(before, value, strict=True)
    ]
    assert np.mean(shown) == pytest.approx(0.80, abs=0.03)


def test_power_without_the_period_before() -> None:
    assert design.detectable(20, 20, 1.0) == pytest.approx(0.909, abs=0.005)  # power.t.test: .909
    assert design.multiplier(0.8, 0.95) == pytest.approx(2.8016, abs=1e-4)
    assert math.isnan(design.detectable(3, 50, 1.0, fitted=2))


@pytest.mark.slow
@pytest.mark.requirement("004-17")
def test_balance_over_many_seeds_is_uniform() -> None:
    """The smallest p of a fair draw is no smaller than chance makes it."""
    rng = np.random.default_rng(2)
    n, found = 60, []
    ids = [f"C{i}" for i in range(n)]
    traits = pd.DataFrame({"customer_id": ids, "a": rng.normal(size=n), "b": rng.lognormal(size=n)})
    blocks = np.arange(n) * 3 // n
    for _ in range(300):
        waits = np.concatenate([rng.permutation(20) < 6 for _ in range(3)])
        rows = traits.assign(band=blocks)
        one = design.balance(rows[~waits], rows[waits], ["a"], block="band")
        found.append(one["p"].iloc[0])
    both = design.balance(rows[~waits], rows[waits], ["a", "b"], block="band")["p"].to_numpy()
    alone = [
        design.balance(rows[~waits], rows[waits], [x], block="band")["p"][0] for x in ("a", "b")
    ]
    assert both == pytest.approx(multipletests(alone, method="holm")[1])
    assert stats.kstest(found, "uniform").pvalue > 0.001
    assert np.mean(np.array(found) < 0.05) < 0.09


def test_balance_finds_what_is_not_alike() -> None:
    rng = np.random.default_rng(4)
    treated = pd.DataFrame({"money": rng.normal(2, 1, 80), "visits": rng.normal(0, 1, 80)})
    control = pd.DataFrame({"money": rng.normal(0, 1, 60), "visits": rng.normal(0, 1, 60)})
    found = design.balance(treated, control, ["money", "visits"]).set_index("trait")
    assert list(found.columns) == ["treated", "control", "distance", "p"]
    assert found.loc["money", "p"] < 1e-6
    assert found.loc["visits", "p"] > 0.01
    assert found.loc["money", "distance"] == pytest.approx(2, abs=0.4)
    plain = stats.ttest_ind(treated["visits"], control["visits"]).pvalue
    # Holm: the larger of two stays as it is
    assert found.loc["visits", "p"] == pytest.approx(plain, abs=0.02)


def test_balance_within_blocks_forgives_what_the_blocks_explain() -> None:
    rng = np.random.default_rng(6)
    band = np.repeat([0, 1], 100)
    money = band * 10 + rng.normal(size=200)
    treated = np.r_[np.arange(80), np.arange(100, 120)]  # blocks wait in other shares
    rows = pd.DataFrame({"money": money, "band": band})
    one, other = rows.iloc[treated], rows.drop(index=treated)
    assert design.balance(one, other, ["money"])["p"].iloc[0] < 1e-6
    assert design.balance(one, other, ["money"], block="band")["p"].iloc[0] > 0.01


def test_balance_counts_groups_and_gaps() -> None:
    rng = np.random.default_rng(8)
    value = np.repeat(rng.normal(size=30), 10)
    group = np.repeat(np.arange(30), 10)
    rows = pd.DataFrame({"x": value, "group_id": group, "same": 1.0, "gone": np.nan})
    one, other = rows[group < 15], rows[group >= 15]
    naive = design.balance(one, other, ["x"])["p"].iloc[0]
    fair = design.balance(one, other, ["x"], group="group_id")["p"].iloc[0]
    means = stats.ttest_ind(value[::10][:15], value[::10][15:]).pvalue
    assert naive < fair == pytest.approx(means, abs=0.02)
    found = design.balance(one, other, ["same", "gone"]).set_index("trait")
    assert found.loc["same", "p"] == 1.0
    assert math.isnan(found.loc["gone", "p"])


def test_what_is_on_record_shortens_the_design_too() -> None:
    given = case(40)
    alone = designed(given).iloc[0]
    assert alone["periods_needed"] > 2
    waves = 1 / math.sqrt(1 / alone["n_first"] + 1 / alone["n_later"])
    error = alone["sd"] / waves  # as precise as one period of these waves
    row = {
        "strategy": alone["strategy"], "arm": "treated", "outcome": "revenue", "period": "2025Q3",
        "together_error": error,
    }  # fmt: skip
    one = designed(given, evidence=pd.DataFrame([row])).iloc[0]
    assert one["periods_needed"] == alone["periods_needed"] - 1
    assert one["n_needed"] == alone["n_needed"]
    sure = designed(given, evidence=pd.DataFrame([row | {"together_error": error / 100}])).iloc[0]
    assert sure["periods_needed"] == 1
    assert keys(sure)[0] == "together"
    assert keys(alone)[0] != "together"
    other = designed(given, evidence=pd.DataFrame([row | {"strategy": "other"}])).iloc[0]
    assert other["periods_needed"] == alone["periods_needed"]
