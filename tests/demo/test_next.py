"""The company lives on: what plans change, what they leave alone, and which are refused."""

from __future__ import annotations

import json
import shutil
from datetime import date
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analysis import demo
from analysis.calendars import Period
from analysis.cli import _guarded, cli
from analysis.demo import blocks, plans, truth
from analysis.demo.kinds import AS_OF, day
from analysis.demo.measures import STRATEGIES
from analysis.demo.world import World, simulate
from analysis.engine import conform
from analysis.errors import SettingsError
from analysis.tables import RECORD

SIZE, SEED = 60, 11
QUARTER = Period.parse("2025Q4")
PLAYBOOK = Path(__file__).parents[2] / "params" / "playbooks" / "rfm5.yml"


def plan_of(rows: list[tuple[int, str, str, int | None]]) -> pd.DataFrame:
    """A plan as `plans.read` gives it, from (number of the customer, strategy, wave, start)."""
    frame = pd.DataFrame(rows, columns=["number", "strategy", "wave", "start"])
    codes = blocks.codes(frame["number"].to_numpy(), SIZE)
    return frame.assign(customer_id=codes, cost=1.0, start=frame["start"].astype("Int64"))[
        plans.COLUMNS
    ]


def lived(plan: pd.DataFrame) -> World:
    return simulate(SIZE, SEED, QUARTER.end, {QUARTER.name: plan})


_row = st.tuples(
    st.integers(1, SIZE),
    st.sampled_from(sorted(STRATEGIES)),
    st.sampled_from(plans.WAVES),
    st.one_of(st.none(), st.integers(day(QUARTER.start), day(QUARTER.end))),
)
_plan = st.lists(_row, max_size=40, unique_by=lambda row: row[:2]).map(plan_of)


def by_customer(lines: pd.DataFrame) -> pd.Series:
    """Fen by customer; every line stands for itself, returns too."""
    return lines.groupby("customer")["amount"].sum()


def orders_of(world: World, customers: set[int]) -> pd.DataFrame:
    found = world.clean
    columns = ["customer", "day", "product", "quantity", "price", "amount", "cost"]
    own = found.loc[found["customer"].isin(customers), columns]
    return own.sort_values(columns).reset_index(drop=True)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_plan, _plan)
def test_two_plans_differ_by_the_effects_of_those_treated_to_the_fen(one, other):
    first, second = lived(one), lived(other)
    treated = {
        int(c)
        for world in (first, second)
        for c in world.assigned.loc[
            (world.assigned["period"] == QUARTER.name) & (world.assigned["arm"] == "treated"),
            "customer",
        ]
    }
    untouched = set(range(len(first.population))) - treated
    pd.testing.assert_frame_equal(orders_of(first, untouched), orders_of(second, untouched))
    planted = [truth.effects(world) for world in (first, second)]
    # what a measure would bring is the same whoever gets it
    pd.testing.assert_series_equal(planted[0]["effect_if_treated"], planted[1]["effect_if_treated"])
    codes = first.population["customer_id"]
    came = [
        (found.loc[found["period"] == QUARTER.name].groupby("customer_id")["effect"].sum() * 100)
        .round()
        .reindex(codes)
        .fillna(0)
        .to_numpy()
        for found in planted
    ]
    rows = range(len(codes))
    money = [by_customer(w.clean).reindex(rows).fillna(0).to_numpy() for w in (first, second)]
    assert np.array_equal(money[0] - money[1], came[0] - came[1])


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_plan)
def test_only_what_was_carried_out_has_an_effect(plan):
    found = truth.effects(lived(plan))
    assert (found.loc[~found["done"], "effect"] == 0).all()
    done = found[found["done"]]
    assert (done["effect"] == done["effect_if_treated"]).all()
    assert set(done["arm"]) <= {"treated"}


@pytest.fixture(scope="module")
def quarters(tmp_path_factory):
    """A company's folder after each of three quarters, plans by record, Parquet and CSV."""
    root = tmp_path_factory.mktemp("quarters")
    folder = root / "0"
    demo.write(folder, customers=SIZE, seed=SEED)
    ids = [f"KH{n:06d}" for n in range(1, SIZE + 1)]
    plan = pd.DataFrame({"customer_id": ids, "strategy": "executive_visit", "measure": "visit"})
    plan["wave"] = np.resize(["first", "later", "exempt"], SIZE)
    plan["cost"] = 7500
    folders = [folder]
    for number, name in enumerate(("2025Q4", "2026Q1", "2026Q2"), start=1):
        plan["start"] = Period.parse(name).start
        given_as = [root / "record", root / "plan.parquet", root / "plan.csv"][number - 1]
        if number == 1:
            (given_as / "tables").mkdir(parents=True)
            plan.to_parquet(given_as / plans.IN_RECORD)
        elif number == 2:
            plan.to_parquet(given_as)
        else:
            plan.to_csv(given_as, index=False)
        folder = root / str(number)
        shutil.copytree(folders[-1], folder)
        demo.next_quarter(folder, given_as)
        folders.append(folder)
    return folders


def test_quarter_follows_quarter(quarters):
    found = [json.loads((f / "truth" / "summary.json").read_bytes()) for f in quarters]
    assert [s["as_of"] for s in found] == ["2025-09-30", "2025-12-31", "2026-03-31", "2026-06-30"]
    for earlier, later in pairwise(found):
        known = earlier["revenue_fen_by_quarter"]
        assert {q: later["revenue_fen_by_quarter"][q] for q in known} == known
        assert len(later["revenue_fen_by_quarter"]) == len(known) + 1
        assert later["kinds"]["new"] > earlier["kinds"]["new"]  # some came
    kept = sorted(p.name for p in (quarters[-1] / "truth" / "plans").iterdir())
    assert kept == ["2025Q4.parquet", "2026Q1.parquet", "2026Q2.parquet"]
    assert not list(quarters[-1].rglob("*.part"))


def test_the_plan_becomes_the_measures_of_the_quarter(quarters, read_raw):
    listed = read_raw(quarters[2] / "上季动作.csv")
    assert len(listed) == SIZE
    waves = np.resize(["已执行", "留到下一批", "已执行"], SIZE)
    own = listed.set_index("客户编号")["分组"].sort_index()
    assert own.tolist() == waves.tolist()
    start = pd.to_datetime(listed["开始日期"], format="%Y.%m.%d")
    assert start.between("2026-01-01", "2026-03-31").all()


def test_earlier_rows_stay_as_they_are(quarters):
    for name in ("发货单_2022-2023.csv", "客户档案_U8.csv", "联系人.csv"):
        before, after = ((f / name).read_text(encoding="gb18030") for f in quarters[:2])
        assert set(before.splitlines()) <= set(after.splitlines()), name
    bills = [(f / "销售发票列表.csv").read_text(encoding="utf-8-sig") for f in quarters[:2]]
    # but for the total, the last line
    assert set(bills[0].splitlines()[:-1]) <= set(bills[1].splitlines())
    orders = [(f / "发货单_2024-2025.csv").read_text(encoding="utf-8-sig") for f in quarters[:2]]
    old = [line for line in orders[0].splitlines() if not line.startswith("合计")]
    assert orders[1].splitlines()[: len(old)] == old
    notes = [(f / "销售记录.csv").read_text(encoding="utf-8-sig").splitlines() for f in quarters]
    for earlier, later in pairwise(notes):
        assert later[: len(earlier)] == earlier


def test_the_truth_of_the_coming_quarter_is_known(quarters):
    found = pd.read_parquet(quarters[0] / "truth" / "effects.parquet")
    coming = found[found["period"] == "2025Q4"]
    assert len(coming) == len(STRATEGIES) * (SIZE + 2)
    assert coming["arm"].isna().all()
    later = pd.read_parquet(quarters[1] / "truth" / "effects.parquet")
    keys = ["customer_id", "strategy"]
    both = coming.merge(later[later["period"] == "2025Q4"], on=keys, validate="1:1")
    assert len(both) == len(coming)
    assert (both["effect_if_treated_x"] == both["effect_if_treated_y"]).all()


def test_the_company_comes_to_an_end(quarters, tmp_path):
    folder = tmp_path / "end"
    shutil.copytree(quarters[-1], folder)
    empty = tmp_path / "empty.csv"
    empty.write_text("customer_id,strategy\n", encoding="utf-8")
    for _ in range(2):
        demo.next_quarter(folder, empty)
    with pytest.raises(SettingsError) as caught:
        demo.next_quarter(folder, empty)
    assert [p.key for p in caught.value.problems] == ["demo.horizon"]


def test_every_strategy_of_the_playbook_can_be_planned():
    def strategies(node):
        if isinstance(node, dict):
            for key, value in node.items():
                if key == "strategy":
                    yield value
                else:
                    yield from strategies(value)

    found = set(strategies(yaml.safe_load(PLAYBOOK.read_text(encoding="utf-8"))))
    assert found <= set(STRATEGIES)


def test_everything_wrong_with_a_plan_is_said_at_once(small, tmp_path):
    bad = tmp_path / "bad.csv"
    bad.write_text(
        "customer_id,strategy,wave,start\n"
        "KH000001,executive_visit,first,2025-10-10\n"
        "KH999999,golf,second,2026-02-30\n"
        "KH1,welcome,first,2025-09-30\n"
        "KH000002,welcome,later,2026-01-04\n",
        encoding="utf-8",
    )
    with pytest.raises(SettingsError) as caught:
        demo.next_quarter(small, bad)
    found = {p.key: p.args for p in caught.value.problems}
    assert set(found) == {f"demo.plan_{n}" for n in ("customers", "strategy", "wave", "start")}
    assert found["demo.plan_customers"]["found"] == "KH999999, KH1"
    assert found["demo.plan_customers"]["last"] == "KH000062"
    assert set(found["demo.plan_strategy"]["allowed"].split(", ")) == set(STRATEGIES)
    assert found["demo.plan_start"] | {} == {
        "rows": "2", "row": "2", "found": "2026-02-30, 2025-09-30",
        "period": "2025Q4", "first": "2025-10-01", "last": "2025-12-31",
    }  # fmt: skip
    assert json.loads((small / "truth" / "summary.json").read_bytes())["as_of"] == str(AS_OF)


@pytest.mark.parametrize(
    ("content", "key"),
    [
        ("customer_id,wave\nKH000001,first\n", "demo.plan_columns"),
        ("", "demo.plan_unreadable"),
        (None, "demo.plan_missing"),
    ],
)
def test_plans_that_cannot_be_read(small, tmp_path, content, key):
    path = tmp_path / "plan.csv"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        demo.next_quarter(small, path)
    assert [p.key for p in caught.value.problems] == [key]


@pytest.mark.parametrize(
    ("summary", "key"),
    [
        (None, "demo.no_company"),
        ("[1", "demo.no_company"),
        ('{"customers": 60}', "demo.other_generation"),
        ('{"customers": 60, "seed": 1, "as_of": "2025-09-30", "generation": 0}',
         "demo.other_generation"),
        ('{"kind": "subscription", "customers": 60}', "demo.only_trade"),
    ],
)  # fmt: skip
def test_a_folder_must_hold_a_company_of_ours(tmp_path, summary, key):
    (tmp_path / "truth").mkdir()
    if summary is not None:
        (tmp_path / "truth" / "summary.json").write_text(summary, encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        demo.next_quarter(tmp_path, tmp_path / "plan.csv")
    assert [p.key for p in caught.value.problems] == [key]


def test_the_command_goes_on_with_the_company_in_the_folder(tmp_path, capsys):
    def run(*words: str) -> int:
        return _guarded(lambda: cli.main(list(words), standalone_mode=False))

    folder, plan = str(tmp_path / "firm"), tmp_path / "plan.csv"
    plan.write_text("customer_id,strategy\nKH000001,welcome\n", encoding="utf-8")
    assert run("demo", folder, "--customers", "50", "--seed", "4") == 0
    assert run("demo", folder, "--next", str(plan), "--seed", "4") == 2
    assert "--seed" in capsys.readouterr().err
    assert run("demo", folder, "--next", str(plan)) == 0
    assert "2025Q4.parquet" in capsys.readouterr().out
    summary = json.loads((tmp_path / "firm" / "truth" / "summary.json").read_bytes())
    assert (summary["customers"], summary["seed"]) == (50, 4)
    assert date.fromisoformat(summary["as_of"]) == QUARTER.end


@pytest.mark.parametrize(
    ("cost", "start"), [("abc", "2025-10-09"), ("-1", "2025-10-09"), ("inf", "2025-10-09")]
)
def test_a_cost_that_is_no_amount_is_refused(tmp_path: Path, cost: str, start: str) -> None:
    path = tmp_path / "plan.csv"
    path.write_text(
        f"customer_id,strategy,cost,start\nKH000001,executive_visit,,{start}\n"
        f"KH000002,executive_visit,{cost},{start}\n",
        encoding="utf-8",
    )
    with pytest.raises(SettingsError) as refused:
        plans.read(path, Period.parse("2025Q4"), 1200, 0)
    assert [p.key for p in refused.value.problems] == ["demo.plan_cost"]
    assert refused.value.problems[0].args["row"] == "2"


def test_a_start_that_can_be_read_in_two_ways_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "plan.csv"
    path.write_text("customer_id,strategy,start\nKH000001,executive_visit,10/11/2025\n")
    with pytest.raises(SettingsError) as refused:
        plans.read(path, Period.parse("2025Q4"), 1200, 0)
    assert [p.key for p in refused.value.problems] == ["demo.plan_start"]


def refused(**columns: list[object]) -> dict[str, dict[str, object]]:
    """Problems of a plan of two customers, the second one waiting, by key."""
    rows = {
        "customer_id": ["KH000001", "KH000002"],
        "strategy": "executive_visit",
        "wave": ["first", "later"],
    }
    with pytest.raises(SettingsError) as caught:
        plans.checked(pd.DataFrame(rows | columns), QUARTER, 1200, 0, "plan.parquet")
    return {p.key: dict(p.args) | {"file": p.file} for p in caught.value.problems}


@pytest.mark.parametrize(
    "start",
    ["2026", "2026-01", "1999-01-01", "-1", 20260105.0, "2026-02-30", "2026-01-05x"],
)
def test_a_start_that_is_no_day_from_the_quarter_on_is_named_with_its_row(start: object) -> None:
    found = refused(start=["2025-10-09", start])
    assert list(found) == ["demo.plan_start"]
    args = found["demo.plan_start"]
    assert (args["rows"], args["row"], args["file"]) == ("1", "2", "plan.parquet")
    assert args["found"] == str(start)[:10]


def test_what_is_no_amount_is_no_cost() -> None:
    for cost in (True, "1,200", "７５００", -1.0, float("inf")):
        found = refused(cost=["7500", cost])
        assert list(found) == ["demo.plan_cost"], cost
        assert found["demo.plan_cost"]["row"] == "2"


@pytest.mark.parametrize(
    "start",
    [
        ["2025-10-09T23:30:00+08:00", "2026-01-05T00:10:00+01:00"],
        ["20251009", "2026-01-05 08:00"],
        [date(2025, 10, 9), date(2026, 1, 5)],
        list(pd.to_datetime(["2025-10-09", "2026-01-05"]).tz_localize("Asia/Shanghai")),
    ],
)
def test_a_start_is_the_day_that_is_written_there(start: list[object]) -> None:
    rows = {"customer_id": ["KH000001", "KH000002"], "strategy": "executive_visit"}
    frame = pd.DataFrame(rows | {"wave": ["first", "later"], "start": start})
    found = plans.checked(frame, QUARTER, 1200, 0, "plan")
    assert found["start"].tolist() == [day(date(2025, 10, 9)), day(date(2026, 1, 5))]


def test_a_plan_of_a_record_is_read_with_all_its_columns(tmp_path: Path) -> None:
    rows = pd.DataFrame(
        {
            "customer_id": ["KH000001", "KH000002"],
            "strategy": "executive_visit",
            "measure": ["visit", "visit"],
            "start": [date(2025, 10, 9), date(2026, 1, 5)],
            "cost": [Decimal("7500.0000"), Decimal(0)],
            "wave": ["first", "later"],
            "visits": [3.0, 0.0],
            "contractual": [False, True],
            "chosen_by": ["value", None],
        }
    )
    words = ["segment", "owner_role", "channel", "kpi", "grade"]
    rows = rows.assign(**dict.fromkeys(words, "some"), due=date(2025, 12, 1), reason="{}")
    path = tmp_path / "plan.parquet"
    pq.write_table(conform(rows, RECORD["plan"]), path)
    found = plans.read(path, QUARTER, 1200, 0)
    assert found["wave"].tolist() == ["first", "later"]
    assert found["cost"].tolist() == [7500.0, 0.0]
    assert found["start"].tolist() == [day(date(2025, 10, 9)), day(date(2026, 1, 5))]
