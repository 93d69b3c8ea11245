"""Real data through the example files: the figures known of each, found again.

Reading, cleaning and the KPIs run in-process; two of them go on to a report.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pyarrow.compute as pc
import pytest

from analysis import cleaning, effects, record, settings, sources, wording
from analysis.calendars import Period
from analysis.cleaning import Cleaned
from analysis.engine import query
from analysis.exhibits.facts import FactBook
from analysis.report import check_html
from analysis.settings_model import Settings
from analysis.sources.reader import Sources
from tests.test_cli import ROOT, analysis
from tests.test_real_data import make_project

pytestmark = pytest.mark.realdata


class Read(NamedTuple):
    settings: Settings
    given: Sources
    clean: Cleaned

    def kpis(self) -> pd.Series[Any]:
        """Value by KPI, of the whole company in the period."""
        tables = self.clean.tables
        period = Period.parse(self.settings.period)
        found = effects.kpis(
            tables["orders"], None, period, self.settings.effectiveness, tables=tables, periods=1
        )
        return found[found["segment"] == "all"].set_index("kpi")["value"]


@pytest.fixture(scope="module")
def example(
    real_data: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str, str], Read]:
    """An example file over the real file that it names, read and cleaned."""
    known: dict[str, Read] = {}

    def run(name: str, needs: str) -> Read:
        path = real_data(needs)
        if name not in known:
            root = tmp_path_factory.mktemp(name)
            for folder in ("params", "notebooks"):
                (root / folder).symlink_to(ROOT / folder)
            (root / "data").symlink_to(path.parents[len(Path(needs).parts) - 1])
            chosen = settings.load(f"params/examples/{name}.yml", root).settings
            given = sources.read(chosen, root)
            as_of = chosen.as_of or Period.parse(chosen.period).end
            known[name] = Read(
                chosen, given, cleaning.clean(given.tables, chosen, as_of, given.rejected)
            )
        return known[name]

    return run


Example = Callable[[str, str], Read]


def test_a_dealer_with_returns_and_managers(example: Example) -> None:
    found = example("superstore", "superstore_zh.xls")
    steps = found.clean.reconciliation.set_index(["table", "step"])
    assert steps.loc[("orders", "read"), "rows"] == 10_000
    assert steps.loc[("orders", "returned_lines"), "rows"] == -1_163
    assert steps.loc[("orders", "kept"), "rows"] == 8_837
    read = found.given.tables["orders"]
    assert pc.count_distinct(read["order_id"]).as_py() == 2_773
    assert pc.count_distinct(read["customer_id"]).as_py() == 790
    assert found.clean.tables["customers"].num_rows == 790
    assert found.given.tables["returns"].num_rows == 296
    assert not found.clean.unmatched_keys.num_rows  # every return is of an order that is there
    kept = pc.count_distinct(found.clean.tables["orders"]["order_id"]).as_py()
    assert kept == 2_773 - 296
    # each customer's person in charge is one of the six managers
    people = found.clean.tables["people"].to_pylist()
    assert len(people) == len({p["name"] for p in people}) == 6
    owners = found.clean.tables["customers"]["owner_id"]
    assert set(owners.to_pylist()) - {None} == {p["person_id"] for p in people}
    # the number of an order is not one customer's alone: the report says so
    quality = found.clean.quality.set_index(["table", "field", "check"])
    assert tuple(quality.loc[("returns", "order_id", "consistency"), ["passed", "failed"]]) == (
        143,
        153,
    )


def test_a_crm_without_orders_of_its_own(example: Example) -> None:
    found = example("maven_crm", "maven_crm/sales_pipeline.csv")
    orders, deals = found.clean.tables["orders"], found.clean.tables["opportunities"]
    assert orders.num_rows == 4_238
    assert pc.sum(orders["amount"]).as_py() == Decimal(10_005_534)
    status = {r["status"]: r["n"] for r in query(
        "SELECT status, count(*) AS n FROM d GROUP BY status", d=deals).to_pylist()}  # fmt: skip
    assert status == {"won": 4_238, "lost": 2_473, "open": 1_589 + 500}
    assert round(100 * status["won"] / (status["won"] + status["lost"]), 2) == 63.15
    assert deals["customer_id"].null_count == 1_425  # no account yet, and none is made up
    notes = json.loads(found.given.files.set_index("table").loc["orders", "note"])
    left_out = {n["key"]: n["args"] for n in notes}["note.only_rows"]
    assert left_out["rows"]["value"] == 8_800 - 4_238
    products = set(orders["product"].to_pylist())
    assert "GTX Pro" in products and "GTXPro" not in products
    industries = set(found.clean.tables["customers"]["industry"].to_pylist())
    assert "technology" in industries and "technolgy" not in industries
    assert not found.clean.unmatched_keys.num_rows
    assert found.kpis()["win_rate"] == pytest.approx(1_196 / 1_985)


def test_a_service_desk_alone(example: Example) -> None:
    found = example("helpdesk", "helpdesk.csv")
    events = found.given.tables["ticket_events"]
    assert events.num_rows == 21_348
    everything = cleaning.clean(found.given.tables, found.settings, date(2014, 12, 31))
    tickets = everything.tables["tickets"]
    assert tickets.num_rows == 4_580
    assert pc.count_distinct(events["customer_id"]).as_py() == 397
    # seven tickets name a second customer on the way; three customers stand nowhere else
    assert pc.count_distinct(tickets["customer_id"]).as_py() == 394
    # the log's own mean is to a ticket's last event
    (mean,) = query(
        "SELECT avg(days) AS days FROM (SELECT date_diff('second', min(happened_at), "
        "max(happened_at)) / 86400.0 AS days FROM e GROUP BY ticket_id)",
        e=events,
    ).to_pylist()
    assert mean["days"] == pytest.approx(40.858, abs=0.001)
    assert found.kpis().loc[["tickets", "tickets_open"]].to_dict() == {
        "tickets": 487.0,
        "tickets_open": 227.0,
    }


def test_unpaid_invoices_alone(example: Example) -> None:
    found = example("invoices", "highradius_open_invoices.csv")
    open_money = found.clean.tables["receivables"]
    assert open_money.num_rows == 9_681
    total = pc.sum(open_money["amount"]).as_py()
    assert total == Decimal("310427858.9740")
    assert found.clean.tables["customers"].num_rows == 553
    steps = found.clean.reconciliation.query("table == 'receivables'").set_index("step")
    assert steps.loc["read", "amount"] == steps.loc["kept", "amount"] == float(total)
    values = found.kpis()
    assert values["receivables"] == pytest.approx(float(total))
    assert values["overdue"] == pytest.approx(float(pc.sum(open_money["overdue"]).as_py()))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "needs", "period", "says"),
    [("invoices", "highradius_open_invoices.csv", "2020Q2", "553")],
)
def test_a_report_without_orders(
    real_data: Callable[[str], Path], tmp_path: Path, name: str, needs: str, period: str, says: str
) -> None:
    data = real_data(needs).parent
    project = make_project(tmp_path / "project")
    (project / "data").symlink_to(data)
    said = analysis(project, "run", f"params/examples/{name}.yml", "--set=report.formats=[html]")
    assert said.code == 0, said.err
    folder = project / "reports" / name / period
    facts = FactBook.from_json(record(name, period, project).facts)
    for lang in wording.LANGUAGES:
        page = folder / f"report.{lang}.html"
        html = page.read_text(encoding="utf-8")
        assert wording.text("exhibits.light.no_orders", lang) in html
        assert says in html
        assert check_html(page, facts, lang) == []
