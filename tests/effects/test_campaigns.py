"""Any campaign, from its files to its verdicts, without the rest of the chain."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis import cleaning, effects, sources
from analysis.calendars import Period
from analysis.engine import to_frame
from analysis.settings_model import Settings
from analysis.wording.told import told

PERIOD = Period.parse("2025Q3")
TREATED = {"path": "who.csv", "held_out": "none"}
MEASURED = {"path": "what.csv"}


def mails(n=240, arms=("none", "letter", "call"), seed=1):
    """A campaign with several arms: who got what, and what came of it."""
    rng = np.random.default_rng(seed)
    ids = [f"K{i:04d}" for i in range(n)]
    arm = np.array(arms)[rng.permutation(n) % len(arms)]
    who = pd.DataFrame({"customer_id": ids, "strategy": "campaign", "arm": arm, "cost": 2.0})
    what = pd.DataFrame(
        {
            "customer_id": ids,
            "visit": (rng.random(n) < 0.2 + 0.4 * (arm == "call")).astype(int),
            "spend": np.round(rng.gamma(2, 50, n) + 60 * (arm == "call"), 2),
        }
    )
    return who, what


def judged(folder: Path, who, what=None, orders=None, effectiveness=None, **outcomes):
    """The files as they were given, read, cleaned and judged as the notebooks do it."""
    given = {"treatments": TREATED}
    who.to_csv(folder / "who.csv", index=False)
    if what is not None:
        what.to_csv(folder / "what.csv", index=False)
        given["outcomes"] = {**MEASURED, **outcomes}
    if orders is not None:
        orders.to_csv(folder / "orders.csv", index=False)
        given["orders"] = {"path": "orders.csv"}
    settings = Settings.model_validate(
        {
            "run": "c",
            "period": PERIOD.name,
            "sources": given,
            "effectiveness": effectiveness or {},
        }
    )
    read = sources.read(settings, folder)
    clean = cleaning.clean(read.tables, settings, PERIOD.end, read.rejected)
    tables = {name: to_frame(table) for name, table in clean.tables.items()}
    treatments = effects.of_period(tables["treatments"], PERIOD)
    measured = tables["outcomes"]
    if measured.empty:
        measured = effects.outcomes_from_orders(
            clean.tables["orders"], treatments, PERIOD, tables["customers"]
        )
    found = effects.estimate(
        treatments,
        measured,
        settings.effectiveness,
        settings.seed,
        period=PERIOD,
        customers=tables["customers"],
        traits=effects.traits_from_orders(clean.tables["orders"], treatments, PERIOD),
    )
    return found, clean, read


def wide(folder, who, what, **more):
    return judged(folder, who, what, wide=["visit", "spend"], **more)


def of(found, arm, outcome):
    rows = found.effects.set_index(["arm", "outcome"])
    return rows.loc[(arm, outcome)]


def notes(read, table):
    text = read.files.set_index("table").loc[table, "note"]
    return {note["key"]: note["args"] for note in json.loads(text)}


@pytest.mark.requirement("003-07")
def test_several_arms_and_outcomes_each_against_those_held_out(tmp_path):
    who, what = mails()
    found, _, _ = wide(tmp_path, who, what)
    assert set(found.effects["arm"]) == {"letter", "call"}
    assert set(found.effects["outcome"]) == {"visit", "spend"}
    assert (found.effects["grade"] == "A").all()
    assert (found.effects["n_control"] == 80).all()
    joined = who.merge(what)
    means = joined.groupby("arm")["spend"].mean()
    assert of(found, "call", "spend")["estimate"] == pytest.approx(means["call"] - means["none"])
    assert of(found, "call", "visit")["verdict"] == "worked"
    assert of(found, "letter", "visit")["verdict"] == "cannot_tell"
    assert "measured" not in set(found.checks["check"])


def test_money_from_orders_where_no_outcome_was_measured(tmp_path):
    who, what = mails()
    who["started_on"] = "2025-07-05"
    orders = pd.concat(
        [
            what.assign(ordered_at="2025-05-20", amount=100.0),
            what.assign(ordered_at="2025-08-20", amount=what["spend"]),
        ]
    )[["customer_id", "ordered_at", "amount"]]
    orders["order_id"] = [f"D{i}" for i in range(len(orders))]
    silent = who["customer_id"].iloc[:5]
    found, _, _ = judged(tmp_path, who, orders=orders[~orders["customer_id"].isin(silent)])
    row = of(found, "call", "revenue")
    assert (row["grade"], row["unit"]) == ("A", "money")
    value = what["spend"].where(~what["customer_id"].isin(silent), 0.0)
    means = value.groupby(who["arm"].to_numpy()).mean()
    assert row["mean_treated"] == pytest.approx(means["call"])  # who bought nothing counts as 0
    assert row["mean_control"] == pytest.approx(means["none"])
    assert set(found.effects["n_treated"]) == {80}


def test_codes_for_not_known_are_never_numbers(tmp_path):
    who, what = mails()
    first = of(wide(tmp_path, who, what)[0], "call", "spend")
    lost = what.index[who["arm"] == "letter"][:3]
    coded = what.astype({"spend": object})
    coded.loc[lost, "spend"] = [-99, "-99.00", "n/a"]
    found, clean, read = wide(tmp_path, who, coded, missing=[-99, "N/A"])
    assert of(found, "call", "spend")["estimate"] == first["estimate"]
    row = of(found, "letter", "spend")
    kept = what.drop(lost)["spend"][who["arm"] == "letter"]
    assert (row["n_treated"], row["mean_treated"]) == (77, pytest.approx(kept.mean()))
    assert of(found, "letter", "visit")["n_treated"] == 80
    assert notes(read, "outcomes")["note.missing_codes"]["rows"]["value"] == 3
    values = clean.tables["outcomes"].to_pandas()["value"].dropna()
    assert (values >= 0).all()


def test_codes_that_nobody_declared_are_what_they_say(tmp_path):
    who, what = mails()
    what.loc[0, "spend"] = -99
    _, clean, read = wide(tmp_path, who, what)
    assert clean.tables["outcomes"].to_pandas()["value"].min() == -99
    assert notes(read, "outcomes") == {}


def test_a_customer_that_stands_twice_counts_once(tmp_path):
    who, what = mails()
    twice = [0, 1, 2]
    found, clean, _ = wide(
        tmp_path, pd.concat([who, who.loc[twice]]), pd.concat([what, what.loc[twice]])
    )
    first, _, _ = wide(tmp_path, who, what)
    pd.testing.assert_frame_equal(found.effects, first.effects)
    removed = clean.removed.to_pandas().groupby(["table", "rule"]).size()
    assert removed["treatments", "repeated_keys"] == 3
    assert removed["outcomes", "repeated_keys"] == 6


def test_outcomes_that_do_not_cover_everyone_are_counted(tmp_path):
    who, what = mails()
    some = what.drop(what.index[who["arm"] == "call"][:4])
    found, _, _ = wide(tmp_path, who, some)
    assert of(found, "call", "spend")["n_treated"] == 76
    rows = found.checks.query("check == 'measured' and outcome == 'spend'").set_index("arm")
    assert list(rows.index) == ["call"]
    assert rows.loc["call", "value"] == pytest.approx(76 / 80)
    assert rows.loc["call", "passed"]
    words = told(rows.loc["call", "text"], "en", "CNY")
    assert words.startswith("76 of 80 customers with the measure have an outcome, and 80 of 80")
    assert "80 家里有 76 家" in told(rows.loc["call", "text"], "zh", "CNY")


def test_outcomes_missing_in_one_arm_are_doubted(tmp_path):
    """Buyers only, of those who got the letter: the others' orders were never looked up."""
    who, what = mails()
    found, _, _ = wide(tmp_path, who, what[(who["arm"] != "letter") | (what["visit"] == 1)])
    rows = found.checks.query("check == 'measured' and outcome == 'visit'").set_index("arm")
    assert not rows.loc["letter", "passed"]


def test_an_arm_of_a_handful_has_no_estimate(tmp_path):
    who, what = mails(arms=("none", "call"))
    who.loc[who.index[who["arm"] == "call"][:5], "arm"] = "visit by the boss"
    found, _, _ = wide(tmp_path, who, what)
    row = of(found, "visit by the boss", "spend")
    assert (row["n_treated"], row["verdict"]) == (5, "cannot_tell")
    assert np.isnan(row["estimate"])
    assert json.loads(row["reason"])["key"] == "effect_reason.too_few"
    assert of(found, "call", "spend")["grade"] == "A"
