"""Real data through the whole chain: published totals, published effects."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pyarrow.compute as pc
import pytest

from analysis import record
from analysis.engine import query
from analysis.exhibits.facts import FactBook
from analysis.report import check_html
from analysis.store import Record
from tests.test_cli import ROOT, analysis

pytestmark = [pytest.mark.slow, pytest.mark.realdata]


def make_project(folder: Path) -> Path:
    for name in ("params", "notebooks", "reports/templates"):
        shutil.copytree(ROOT / name, folder / name)
    return folder


@pytest.fixture(scope="module")
def retail(real_data: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Record:
    """Two years of a wholesaler's orders, a million lines."""
    source = real_data("online_retail_2yr_combined.parquet")
    project = make_project(tmp_path_factory.mktemp("retail") / "project")
    (project / "data").mkdir()
    (project / "data" / "online_retail.parquet").symlink_to(source)
    said = analysis(project, "run", "params/examples/online_retail.yml")
    assert said.code == 0, said.err
    return record("online_retail", "2011Q4", project)


@pytest.fixture(scope="module")
def campaign(real_data: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Record:
    """A randomised e-mail experiment with 64,000 customers."""
    source = real_data("hillstrom.csv")
    project = make_project(tmp_path_factory.mktemp("campaign") / "project")
    paths = [f"--set=sources.{t}.path={source}" for t in ("treatments", "outcomes")]
    said = analysis(project, "run", "params/examples/campaign.yml", *paths)
    assert said.code == 0, said.err
    return record("campaign", "2008Q1", project)


@pytest.fixture(scope="module")
def superstore(
    real_data: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory
) -> Record:
    """A dealer's old Excel workbook with Chinese headers."""
    source = real_data("superstore_zh.xls")
    project = make_project(tmp_path_factory.mktemp("superstore") / "project")
    paths = [
        f"--set=sources.{t}.path={source}" for t in ("orders", "customers", "returns", "people")
    ]
    said = analysis(project, "run", "params/examples/superstore.yml", *paths)
    assert said.code == 0, said.err
    return record("superstore", "2017Q4", project)


def test_an_old_chinese_workbook(superstore: Record) -> None:
    orders = superstore.arrow("orders")
    assert len(orders) == 10_000 - 1_163  # what came back does not count
    assert pc.count_distinct(orders["order_id"]).as_py() == 2_773 - 296
    assert pc.count_distinct(orders["customer_id"]).as_py() == 790
    segments = superstore.table("segments")
    assert len(segments) == segments["customer_id"].nunique() == 790
    summary = superstore.table("segment_summary").set_index("segment")
    assert summary["customers"].drop("all").sum() == summary.loc["all", "customers"] == 790
    # who is called valuable buys for more, and who is called at risk has been silent for longer
    assert summary["yearly"].idxmax() == "high_value"
    assert summary["recency_days"].idxmax() == "churn_risk"


def sensible_lists(known: Record) -> None:
    """Each list holds whom its name says, once, by money; customers of the record only."""
    segments = known.table("segments").set_index("customer_id")["segment"]
    lists = known.table("worklists")
    assert set(lists["list"]) == {"reorder", "win_back", "moved_down", "warning"}
    assert set(lists["customer_id"]) <= set(segments.index)
    for _, rows in lists.groupby("list"):
        assert rows["customer_id"].is_unique
        ranked = rows.sort_values("rank")
        assert list(ranked["rank"]) == list(range(1, len(rows) + 1))
        assert ranked["amount"].is_monotonic_decreasing
    by_list = dict(iter(lists.groupby("list")))
    assert set(by_list["win_back"]["customer_id"].map(segments)) == {"churn_risk"}
    assert "churn_risk" not in set(by_list["reorder"]["customer_id"].map(segments))
    assert (by_list["reorder"]["days_over"] > 0).all()
    assert (by_list["win_back"]["days_over"] > 0).all()


def sensible_warnings(known: Record) -> None:
    """Shares lost lie within their intervals, and come from at least twenty judged."""
    rows = known.table("warning_record")
    assert (rows["lost"] <= rows["customers"]).all()
    told = rows.dropna(subset=["rate"])
    assert (told["customers"] >= 20).all()
    assert ((told["low"] <= told["rate"]) & (told["rate"] <= told["high"])).all()
    warned = known.table("warnings")
    assert warned["customer_id"].is_unique
    assert (warned["recency_cycles"] <= 2.5).all()  # who is lost already is not warned of


def test_lists_and_warnings_of_a_dealer(superstore: Record) -> None:
    sensible_lists(superstore)
    sensible_warnings(superstore)


def test_a_dealer_without_stable_clusters_keeps_the_rules(superstore: Record) -> None:
    choice = superstore.table("cluster_choice")
    assert list(choice["k"]) == [3, 4, 5]
    assert not choice["chosen"].any()
    assert len(superstore.table("clusters")) == 0


def test_lists_and_warnings_of_a_wholesaler(retail: Record) -> None:
    sensible_lists(retail)
    sensible_warnings(retail)


def test_a_wholesaler_has_four_stable_clusters(retail: Record) -> None:
    choice, clusters = retail.table("cluster_choice"), retail.table("clusters")
    assert list(choice["k"]) == [3, 4, 5]
    assert (choice["chosen"] <= choice["passed"]).all()
    assert list(choice.loc[choice["chosen"], "k"]) == [4]
    assert clusters["cluster"].nunique() == 4
    assert set(clusters["customer_id"]) <= set(retail.table("segments")["customer_id"])


def test_what_is_kept_is_exact(retail: Record) -> None:
    orders = retail.arrow("orders")
    assert pc.count_distinct(orders["customer_id"]).as_py() == 5878
    assert pc.count_distinct(orders["order_id"]).as_py() == 36969
    assert pc.sum(orders["amount"]).as_py().quantize(Decimal("0.01")) == Decimal("17431533.18")


def test_every_other_row_has_a_rule(retail: Record) -> None:
    removed = retail.arrow("removed_rows")
    kept = len(retail.arrow("orders"))
    assert kept + len(removed) == 1_044_847
    assert set(removed["rule"].to_pylist()) == {
        "missing_customer",
        "returns_removed",
        "zero_amount",
    }
    steps = query(
        "select step, sum(rows) as n from r group by step", r=retail.arrow("reconciliation")
    ).to_pylist()
    by_step = {row["step"]: row["n"] for row in steps}
    assert by_step["read"] == 1_044_847
    gone = sum(rows for step, rows in by_step.items() if step not in ("read", "kept"))
    assert by_step["read"] + gone == by_step["kept"] == kept


def test_customers_of_orders_are_all_placed(retail: Record) -> None:
    segments = retail.table("segments")
    assert len(segments) == segments["customer_id"].nunique() == 5878
    summary = retail.table("segment_summary").set_index("segment")["customers"]
    assert summary["all"] == 5878 == summary.drop("all").sum()


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_report_says_what_further_tables_would_add(retail: Record, lang: str) -> None:
    from analysis import wording

    html = (retail.folder / f"full.{lang}.html").read_text(encoding="utf-8")
    for table in ("customers", "treatments", "tickets", "receivables"):
        assert wording.text(f"adds.{table}", lang) in html  # type: ignore[arg-type]
    facts = FactBook.from_json(retail.facts)
    for edition in ("report", "full"):
        page = retail.folder / f"{edition}.{lang}.html"
        assert check_html(page, facts, lang) == []  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("arm", "outcome", "estimate", "error"),
    [
        ("Mens E-Mail", "visit", 0.076590, 0.003386),
        ("Womens E-Mail", "visit", 0.045233, 0.003234),
        ("Mens E-Mail", "spend", 0.76983, 0.14525),
        ("Womens E-Mail", "spend", 0.42441, 0.13033),
    ],
)
def test_published_effects(
    campaign: Record, arm: str, outcome: str, estimate: float, error: float
) -> None:
    effects = campaign.table("effects").query("segment == 'all'")
    row = effects[(effects["arm"] == arm) & (effects["outcome"] == outcome)].iloc[0]
    assert row["estimate"] == pytest.approx(estimate, abs=5e-6)
    assert row["std_error"] == pytest.approx(error, abs=5e-6)
    assert (row["grade"], row["verdict"]) == ("A", "worked")
    assert row["low"] < row["estimate"] < row["high"]
    assert row["n_control"] == 21_306


def test_a_campaign_needs_no_orders(campaign: Record) -> None:
    assert len(campaign.arrow("orders")) == 0
    assert len(campaign.arrow("treatments")) == 64_000
    for lang in ("zh", "en"):
        assert (campaign.folder / f"report.{lang}.html").is_file()
