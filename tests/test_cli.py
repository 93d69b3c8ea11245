"""The command line end to end: what a person types, sees and gets as an exit code."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from analysis import record, store
from analysis.pipeline.stages import STAGES

ROOT = Path(__file__).resolve().parents[1]
pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Said:
    """What a command said."""

    code: int
    out: str
    err: str


def analysis(project: Path, *args: str, lang: str = "en") -> Said:
    environ = {**os.environ, "ANALYSIS_LANG": lang, "PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(
        [sys.executable, "-m", "analysis.cli", *args],
        cwd=project,
        env=environ,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        timeout=600,
    )
    assert "Traceback" not in done.stderr
    return Said(done.returncode, done.stdout, done.stderr)


def make_project(folder: Path) -> Path:
    ignore = shutil.ignore_patterns(".ipynb_checkpoints")
    for name in ("params", "notebooks", "reports/templates"):
        shutil.copytree(ROOT / name, folder / name, ignore=ignore)
    return folder


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A project whose made-up company (150 customers) has been run once."""
    folder = make_project(tmp_path_factory.mktemp("cli") / "project")
    assert analysis(folder, "demo", "data/demo", "--customers", "150").code == 0
    said = analysis(folder, "run", "params/demo.yml")
    assert said.code == 0, said.err
    assert len(said.out.splitlines()) == 7  # the path and six lines
    assert "reports/demo/2025Q3/report.en.html" in said.out
    yield folder


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A project without data."""
    return make_project(tmp_path / "project")


# Of the small demo: outcomes are revenue, from its orders; every month is compared; it has no
# contracts, no weighted scores and no decisions; no CRM has sent a row of it back; it keeps no
# earlier customer list to see changes from; so few customers may give no stable clusters.
MAY_BE_EMPTY = {
    "outcomes", "tie_out_left_out", "subscriptions", "usage", "scheme_thresholds", "segment_scores",
    "customer_changes", "overrides", "clusters", "cluster_profiles", "event_study", "arr_bridge",
    "load_failures", "effect_scaling",  # too few customers to tell how an effect grows
}  # fmt: skip


def test_every_contracted_table_is_in_the_record_and_none_is_empty(project: Path) -> None:
    known = record("demo", "2025Q3", project)
    given = [table for stage in STAGES for table in stage.gives]
    assert {table for table in given if not len(known.table(table))} <= MAY_BE_EMPTY
    assert known.facts["kpi.revenue"]["unit"] == "money"


def test_a_second_run_recomputes_nothing(project: Path) -> None:
    before = store.files_of(project / "reports" / "demo" / "2025Q3", without=("log.txt",))
    said = analysis(project, "run", "params/demo.yml")
    assert said.code == 0
    assert said.err.count("unchanged, kept") == len(STAGES)
    assert "nothing was recomputed" in said.out
    assert before == store.files_of(project / "reports" / "demo" / "2025Q3", without=("log.txt",))


def test_explain_says_what_would_run(project: Path) -> None:
    said = analysis(project, "run", "params/demo.yml", "--explain", "--set", "strategy.trust=0.5")
    assert said.code == 0
    assert "cleaning: would be kept" in said.err
    assert "strategy: would run – setting strategy.trust changed from 0.8 to 0.5" in said.err
    assert "report: would run" in said.err


def test_the_report_is_made_again_from_the_record_alone(project: Path) -> None:
    said = analysis(project, "report", "params/demo.yml")
    assert said.code == 0, said.err
    pages = [f"reports/demo/2025Q3/{e}.{lang}" for e in ("report", "full") for lang in ("zh", "en")]
    html = [f"{page}.html" for page in pages]
    assert said.out.split() == html
    said = analysis(project, "report", "params/demo.yml", "--to", "html,pdf")
    assert said.code == 0, said.err
    pdf = [f"{page}.pdf" for page in pages]
    assert sorted(said.out.split()) == sorted([*html, *pdf])
    said = analysis(project, "report", "params/demo.yml", "--to", "html,odt")
    assert said.code == 2
    assert "“odt” is not available. Available: html, pdf." in said.err
    assert analysis(project, "report", "params/demo.yml", "--renderer", "quarto").code == 2
    assert analysis(project, "report", "params/demo.yml", "--lang", "fr").code == 2


def test_why_explains_a_customer(project: Path) -> None:
    customer = record("demo", "2025Q3", project).table("segments")["customer_id"].iloc[0]
    for lang, word in (("en", "Segment\n"), ("zh", "客户类型\n")):
        said = analysis(project, "why", customer, "params/demo.yml", lang=lang)
        assert said.code == 0, said.err
        assert word in said.out
        assert "recency_days" not in said.out  # in words, not in names of columns
        assert "{" not in said.out
    said = analysis(project, "why", customer + "9", "params/demo.yml")
    assert said.code == 2
    assert customer in said.err


def test_a_what_if_record_and_the_difference(project: Path) -> None:
    said = analysis(
        project, "run", "params/demo.yml", "--as", "trial", "--set", "strategy.later_share=0.5"
    )
    assert said.code == 0, said.err
    assert "reports/demo/2025Q3~trial/" in said.out
    customer = record("demo", "2025Q3~trial", project).table("customers")["customer_id"].iloc[0]
    said = analysis(project, "why", customer, "params/demo.yml", "--as", "trial")
    assert said.code == 0, said.err
    said = analysis(project, "why", customer, "params/demo.yml", "--as", "absent")
    assert said.code == 3
    assert "2025Q3~absent" in said.err
    said = analysis(project, "diff", "reports/demo/2025Q3", "reports/demo/2025Q3~trial")
    assert "setting strategy.later_share: 0.3 → 0.5" in said.out
    assert "table plan:" in said.out
    assert "table orders:" not in said.out
    said = analysis(project, "diff", "reports/demo/2025Q3", "reports/demo/2025Q3")
    assert said.out == "No difference.\n"


def test_approve_seals_the_record(project: Path) -> None:
    said = analysis(project, "approve", "params/demo.yml")
    assert said.out == "decisions/demo/2025Q3/approved.json\n"
    seal = project / "decisions" / "demo" / "2025Q3" / "approved.json"
    known = project / "reports" / "demo" / "2025Q3" / "manifest.json"
    assert json.loads(seal.read_text())["manifest"] == store.digest(known)
    shutil.rmtree(seal.parent)


def test_check_reads_and_computes_nothing(project: Path) -> None:
    said = analysis(project, "check", "params/demo.yml")
    assert said.code == 0
    assert "gb18030" in said.out.lower()


def test_params_show_names_file_and_line(project: Path) -> None:
    said = analysis(project, "params", "show", "params/demo.yml", "--set", "seed=3")
    lines = dict(line.split(maxsplit=1) for line in said.out.splitlines())
    assert lines["seed"] == "3  (--set)"
    assert lines["period"].startswith('"2025Q3"  (params/demo.yml:')
    assert lines["strategy.trust"].startswith("0.8  (params/base.yml:")


def test_the_schema_in_the_repository_is_the_models(project: Path) -> None:
    said = analysis(project, "params", "schema")
    assert said.out == (ROOT / "params" / "schema.json").read_text(encoding="utf-8")


def test_several_periods(project: Path) -> None:
    span = ("--periods", "2025Q1..2025Q2")
    said = analysis(project, "run", "params/demo.yml", *span, "--only", "cleaning")
    assert said.code == 0, said.err
    last = json.loads((project / "reports" / "demo" / ".stages" / "last.json").read_text())
    found = {}
    for period in ("2025Q1", "2025Q2", "2025Q3"):
        folder = project / "reports" / "demo" / ".stages" / last[period]["cleaning"]
        orders = store.read_table(folder / "tables" / "orders.parquet")
        found[period] = max(orders["ordered_at"].to_pylist()).date().isoformat()
    assert found["2025Q1"] <= "2025-03-31" < found["2025Q2"] <= "2025-06-30" < found["2025Q3"]
    assert analysis(project, "run", "params/demo.yml", "--periods", "2025Q2..2025Q1").code == 2


def test_init_proposes_from_headers(project: Path) -> None:
    said = analysis(project, "init", "data/demo/联系人.csv", "data/demo/客户.xlsx", "--run", "acme")
    assert said.code == 0, said.err
    assert "  contacts:\n    path: 'data/demo/联系人.csv'\n" in said.out
    assert "      customer_id: '客户编号'\n" in said.out


def test_new_makes_a_project_that_runs(project: Path, tmp_path: Path) -> None:
    said = analysis(project, "new", str(tmp_path / "acme"))
    assert said.code == 0, said.err
    shutil.copytree(project / "data", tmp_path / "acme" / "data", dirs_exist_ok=True)
    said = analysis(tmp_path / "acme", "run", "params/demo.yml", "--only", "cleaning")
    assert said.code == 0, said.err
    assert analysis(project, "new", str(tmp_path / "acme")).code == 2


@pytest.mark.requirement("001-30")
def test_the_collection_list_ships_and_its_sample_rows_parse(project: Path) -> None:
    from openpyxl import load_workbook

    assert analysis(project, "template", "filled").code == 0
    sheet = load_workbook(project / "filled" / "customers.zh.xlsx").active
    rows = [[cell.value for cell in row] for row in sheet.rows]
    assert rows[1][0] == "C001"
    assert rows[2][5] == 15
    assert len(rows[0]) == 10


MAPPED = "extends: base.yml\nrun: x\nperiod: 2025Q3\nsources:\n  orders:\n    path: data/o.csv\n"
MAPPED += "    columns: {customer_id: 客户, ordered_at: 日期, amount: 金额}\n"


@pytest.mark.parametrize(
    ("lang", "content", "code", "told"),
    [
        ("zh", None, 3, "data/o.csv"),
        ("en", b"", 3, "data/o.csv"),
        ("zh", "客户,日期,金额\n".encode(), 3, "data/o.csv"),
        ("en", "客户,日期,钱\nA,2025-07-01,5\n".encode(), 3, "“金额”"),
        ("zh", b"\xff\xfe\xfa\x00\x81", 3, "data/o.csv"),
        ("en", "客户,日期,金额\nA,2031-07-01,5\n".encode(), 4, "1"),
    ],
    ids=["missing", "empty", "header only", "wrong mapping", "wrong encoding", "nothing in scope"],
)
def test_bad_input_ends_with_its_code_and_leaves_no_report(
    bare: Path, lang: str, content: bytes | None, code: int, told: str
) -> None:
    (bare / "params" / "x.yml").write_text(MAPPED, encoding="utf-8")
    (bare / "data").mkdir()
    if content is not None:
        (bare / "data" / "o.csv").write_bytes(content)
    said = analysis(bare, "run", "params/x.yml", lang=lang)
    assert said.code == code, said.err
    assert told in said.err
    assert len(said.err.splitlines()) <= 12
    assert not list((bare / "reports").rglob("report.*.html"))
    assert not (bare / "reports" / "x" / "2025Q3").exists()


def test_settings_are_told_before_any_source_is_opened(bare: Path) -> None:
    (bare / "params" / "x.yml").write_text(MAPPED + "segmentaton: {}\n", encoding="utf-8")
    said = analysis(bare, "run", "params/x.yml", lang="zh")
    assert said.code == 2
    assert "params/x.yml:8: 没有“segmentaton”这个设置。是不是“segmentation”？" in said.err
    assert analysis(bare, "run", "params/none.yml").code == 2
    assert analysis(bare, "run").code == 2
    assert analysis(bare, "nonsense").code == 2
    assert analysis(bare, "--help").code == 0


@pytest.mark.requirement("001-30")
def test_the_collection_list_is_read_back_proposed_and_run(bare: Path) -> None:
    assert analysis(bare, "template", "data/filled").code == 0
    files = ["data/filled/customers.zh.xlsx", "data/filled/orders.zh.xlsx"]
    said = analysis(bare, "init", *files, "--run", "filled")
    assert said.code == 0, said.err
    (bare / "params" / "filled.yml").write_text(said.out, encoding="utf-8")
    assert (bare / "params" / "headers" / "filled" / "2025Q3.yml").is_file()
    said = analysis(bare, "run", "params/filled.yml", "--only", "cleaning")
    assert said.code == 0, said.err
    last = json.loads((bare / "reports" / "filled" / ".stages" / "last.json").read_text())
    folder = bare / "reports" / "filled" / ".stages" / last["2025Q3"]["cleaning"] / "tables"
    customers = store.read_table(folder / "customers.parquet").to_pylist()
    assert [(c["customer_id"], c["size_band"]) for c in customers] == [
        ("C001", "500-1000人"), ("C002", "100-300人"),
    ]  # fmt: skip
    money: dict[str, float] = {}
    for line in store.read_table(folder / "orders.parquet").to_pylist():
        money[line["customer_id"]] = money.get(line["customer_id"], 0.0) + float(line["amount"])
    assert money == {"C001": 1_200_000, "C002": 150_000}  # ten thousand yuan, as the list says
    other = analysis(bare, "init", *files, "--run", "filled", "--period", "2025Q4")
    assert "2025Q3" not in other.out  # nothing has changed since
