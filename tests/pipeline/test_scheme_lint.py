"""`analysis scheme lint` and `diff`: words, exit codes, a record's customers."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from analysis import cli as cli_module
from analysis.pipeline import scheme_record
from analysis.pipeline.scheme_lint import diff_lines, lint_lines
from analysis.pipeline.scheme_record import Known
from analysis.segmentation import estimate_cuts, load_scheme, segment
from analysis.settings_segmentation import Segmentation

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "src" / "analysis" / "sample" / "tables"


@pytest.fixture(scope="module")
def known() -> Known:
    """The packaged sample as a record, placed by rfm5."""
    features, customers = (
        pd.read_parquet(SAMPLE / f"{name}.parquet") for name in ("features", "customers")
    )
    settings = Segmentation()
    cuts = estimate_cuts(features, settings)
    placed = segment(features, customers, load_scheme("rfm5", ROOT), cuts, settings)
    segments = placed.set_index("customer_id")["segment"]
    return Known("sample/2025Q3", "rfm5", features, customers, cuts, segments, settings, "CNY")


@pytest.mark.requirement("001-15")
@pytest.mark.parametrize(
    ("file", "errors", "told"),
    [
        ("rfm5", 0, "没有归属的 0 种"),
        ("saas3_printed", 7, "正好等于分界的客户"),
        ("tests/segmentation/published/rfm_r_readme.yml", 24,
         "没有归属的 10 种，被不止一条规则管到的 58 种"),
        ("tests/segmentation/published/pymc_default.yml", 5, "全部组合 64 种：没有归属的 18 种"),
    ],
)  # fmt: skip
def test_rules_alone(file: str, errors: int, told: str) -> None:
    name = file if "/" not in file else str(ROOT / file)
    said, found = lint_lines(name, ROOT, None, "zh")
    assert told in "\n".join(said)
    assert (found > 0) == (errors > 0)
    english, again = lint_lines(name, ROOT, None, "en")
    assert again == found
    assert not any("{" in line for line in [*said, *english])


def test_on_a_records_customers(known: Known) -> None:
    said, errors = lint_lines("rfm5", ROOT, known, "en")
    text = "\n".join(said)
    assert errors == 0
    assert f"On sample/2025Q3: {len(known.features):,} customers" in text
    assert "nobody would move" in text
    assert "within 5% of a cut" in text
    older = replace(known, features=known.features.drop(columns="relationship_days"))
    said, errors = lint_lines("platinum4", ROOT, older, "zh")
    beside = next(line for line in said if line.startswith("该期用的是另一套方案"))
    beside_all = int(re.findall(r"（([0-9]+) 家", beside)[0])
    assert 0 < beside_all < len(known.features)  # those lapsed by both are lapsed by name
    assert any(
        line.endswith("合作天数（relationship_days）") for line in said
    )  # the record lacks it
    assert sum(line.count("（") > 0 and " → " in line for line in said) >= 10


@pytest.mark.requirement("003-06")
def test_who_moves_between_two_schemes(known: Known, tmp_path: Path) -> None:
    text = (ROOT / "params" / "schemes" / "platinum4.yml").read_text(encoding="utf-8")
    laxer = tmp_path / "laxer.yml"
    laxer.write_text(text.replace("value: 500000,", "value: 110000,"), encoding="utf-8")
    said = diff_lines("platinum4", str(laxer), ROOT, known, "zh")
    flows = [line for line in said if line.startswith("  ") and "家，" in line]
    assert flows
    assert all(
        line.startswith("  platinum4 的“铁杆基础客户” → laxer 的“黄金潜力客户”：") for line in flows
    )
    across = diff_lines("rfm5", "platinum4", ROOT, known, "zh")
    assert any("  rfm5 的“高价值客户” → platinum4 的“" in line for line in across)
    # churn_risk of the one and at_risk of the other bear one name: nobody moves
    assert not any("rfm5 的“流失风险客户” → platinum4 的“流失风险客户”" in line for line in across)
    assert diff_lines("rfm5", "rfm5", ROOT, known, "zh") == ["与该期分类一致，没有客户变动。"]


SHARES = """
scheme: own
thresholds:
  falling: {value: %s, unit: share}
  large: {value: %s, unit: money}
segments:
  top: {rank: 2, role: best, names: {zh: 大客户, en: Large}}
  rest: {rank: 1, role: at_risk, names: {zh: 其余, en: Others}}
rules:
  - {rule: falls, segment: rest, when: {activity_change: "<= falling"}}
  - {rule: large, segment: top, when: {monetary: ">= large"}}
fallback: {rule: others, segment: rest}
"""


@pytest.mark.parametrize(
    ("falling", "large", "zh", "en"),
    [
        (-0.3, 100_000, "", ""),
        (-30, 100_000, "百分数除以一百，即 -0.3", "fraction: -0.3"),
        (-0.3, 10, "若指万元，请写 100,000", "not in ten thousands: 100,000"),
    ],
)
def test_a_threshold_in_the_wrong_unit_is_told(
    known: Known, tmp_path: Path, falling: float, large: float, zh: str, en: str
) -> None:
    file = tmp_path / "own.yml"
    file.write_text(SHARES % (falling, large), encoding="utf-8")
    for lang, expected in (("zh", zh), ("en", en)):
        said, errors = lint_lines(str(file), ROOT, known, lang)  # type: ignore[arg-type]
        warned = [
            line
            for line in said
            if line.startswith(("注意", "Warning"))
            and ("activity_change" in line or "monetary" in line)
        ]
        assert errors == 0
        assert [expected in line for line in warned] == ([True] if expected else [])


def test_chinese_has_no_english_levels() -> None:
    for name in ("rfm5", "saas3_printed", "platinum4", "subscription5"):
        said, _ = lint_lines(name, ROOT, None, "zh")
        text = re.sub(r"“[^”]*”|（[a-z_]+）|→.*|fallback|when", "", "\n".join(said))
        levels = {"near", "far", "none", "low", "mid", "high", "missing", "known", "yes", "no"}
        assert levels & set(re.findall(r"[a-z_]+", text)) == set()


def test_the_command_says_so_by_its_exit_code(capsys, monkeypatch) -> None:
    monkeypatch.chdir(ROOT)
    for words, expected in (
        (["rfm5"], 0), (["saas3_printed", "--lang", "zh"], 2), (["nothing"], 2),
        (["rfm5", "--record", "nobody/2025Q3"], 3),
    ):  # fmt: skip
        monkeypatch.setattr("sys.argv", ["analysis", "scheme", "lint", *words])
        with pytest.raises(SystemExit) as done:
            cli_module.main()
        assert done.value.code == expected
    assert "铂金客户" in capsys.readouterr().out


def test_settings_of_a_record_are_read_back() -> None:
    flat = {
        "segmentation.scheme": "rfm5", "segmentation.recency.mode": "window", "run": "x",
        "segmentation.monetary_cuts": [1.0, 2.0],
    }  # fmt: skip
    found = scheme_record._section(flat, "segmentation")
    assert Segmentation.model_validate(found).recency.mode == "window"
