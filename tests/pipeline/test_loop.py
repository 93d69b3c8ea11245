"""One quarter leads into the next: report, approval, the plan carried out, and its judgement."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

from analysis import record
from analysis.store import Record
from tests.test_cli import analysis, make_project

PARAMS = "params/demo.yml"
NEXT = ("--set", "period=2025Q4", "--set", "as_of=2025-12-31")
QUICK = ("--set", "languages=[en]", "--set", "report.formats=[html]")
LAST_DAY = pd.Timestamp("2025-09-30 23:59:59")
pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Loop:
    """Two quarters of a company: both records, and what was approved between."""

    first: Record
    second: Record
    sealed: Path

    def approved(self, table: str) -> pd.DataFrame:
        return pd.read_parquet(self.sealed / f"{table}.parquet")


@pytest.fixture(scope="module")
def loop(tmp_path_factory: pytest.TempPathFactory) -> Loop:
    """A company of 300 customers, taken by the command line from one quarter to the next."""
    project = make_project(tmp_path_factory.mktemp("loop") / "project")
    steps = (
        ("demo", "data/demo", "--customers", "300"),
        ("run", PARAMS, *QUICK),
        ("approve", PARAMS),
        ("demo", "data/demo", "--next", "reports/demo/2025Q3"),
        ("run", PARAMS, *NEXT, *QUICK),
    )
    for step in steps:
        said = analysis(project, *step)
        assert said.code == 0, (step, said.err)
    return Loop(
        first=record("demo", "2025Q3", project),
        second=record("demo", "2025Q4", project),
        sealed=project / "decisions" / "demo" / "2025Q3",
    )


def drawn(plan: pd.DataFrame) -> pd.DataFrame:
    """Who was drawn, once a customer and strategy: ``customer_id, strategy, wave``."""
    waves = plan.groupby(["customer_id", "strategy"])["wave"].agg(set).reset_index()
    assert (waves["wave"].map(len) == 1).all()
    waves["wave"] = waves["wave"].map(min)
    return waves[waves["wave"] != "exempt"]


def test_the_orders_of_earlier_quarters_stay_as_they_were(loop: Loop) -> None:
    earlier, later = (r.table("orders") for r in (loop.first, loop.second))
    kept = later[later["ordered_at"] <= LAST_DAY]
    assert len(kept) < len(later)
    key = ["order_id", "line_id"]
    one, other = (f.sort_values(key).reset_index(drop=True) for f in (earlier, kept))
    pd.testing.assert_frame_equal(one, other)


def test_customers_move_from_where_the_approved_record_had_them(loop: Loop) -> None:
    before = loop.second.table("segments_before").set_index("customer_id")
    assert set(before["origin"]) == {"sealed"}
    approved = loop.approved("segments").set_index("customer_id")["segment"]
    assert before["segment"].sort_index().to_dict() == approved.sort_index().to_dict()
    cuts, kept = loop.approved("cuts"), loop.second.table("cuts")
    same = ["score", "boundary", "value", "unit"]
    assert kept[same].to_dict("list") == cuts[same].to_dict("list")
    estimated = cuts["source"] == "estimated"
    assert estimated.any()
    assert set(kept.loc[estimated, "source"]) == {"previous"}


def test_what_is_judged_are_the_waves_of_the_approved_plan(loop: Loop) -> None:
    plan = drawn(loop.approved("plan"))
    still = plan[plan["customer_id"].isin(loop.second.table("customers")["customer_id"])]
    assert len(still) >= 0.95 * len(plan)
    sizes = pd.crosstab(still["strategy"], still["wave"])
    effects = loop.second.table("effects")
    everybody = effects[effects["segment"] == "all"].set_index("strategy").sort_index()
    assert everybody.index.tolist() == sizes.index.tolist()
    assert everybody["n_treated"].tolist() == sizes["first"].tolist()
    assert everybody["n_control"].tolist() == sizes["later"].tolist()
