"""Industry templates: starting values below what a period file states itself."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from analysis import settings, wording
from analysis.errors import SettingsError
from analysis.settings_model import Settings

ROOT = Path(__file__).parents[1]
FILES = sorted((ROOT / "params" / "industries").glob("*.yml"))
NAMES = [file.stem for file in FILES]
LIGHT = """\
extends: base.yml
run: acme
period: 2025Q3
sources:
  orders: {path: orders.csv, columns: {customer_id: 客户, ordered_at: 日期, amount: 金额}}
segmentation:
  industry_template: %s
  lapsed_cycles: 9
"""


def load(project: Path, text: str, overrides: dict[str, object] | None = None) -> settings.Config:
    (project / "params" / "acme.yml").write_text(text, encoding="utf-8")
    return settings.load("params/acme.yml", project, overrides)


@pytest.mark.requirement("004-25")
def test_the_industries_named_are_there() -> None:
    assert NAMES == ["manufacturing", "medical_devices", "saas", "services", "wholesale_retail"]


@pytest.mark.requirement("004-25")
@pytest.mark.parametrize("name", NAMES)
def test_a_template_states_what_the_light_version_needs(project: Path, name: str) -> None:
    config = load(project, LIGHT % name)
    found = config.settings.segmentation
    stated = [
        "recency.default_cycle_days", "recency.far_cycles", "recency.window_days",
        "frequency_days", "monetary_days", "new_customer_days", "activity.days", "industry_needs",
    ]  # fmt: skip
    for key in stated:
        assert config.origin(f"segmentation.{key}") == f"params/industries/{name}.yml", key
    # often and seldom can only be told apart over two usual cycles
    assert found.frequency_days >= 2 * found.recency.default_cycle_days
    assert found.lapsed_cycles == 9
    assert config.origin("segmentation.lapsed_cycles") == "params/acme.yml"
    assert len(config.settings.cleaning.size_people) == 3
    assert all(wording.has(f"industry.need.{need}") for need in found.industry_needs)
    assert wording.has(f"industry.name.{name}")


@pytest.mark.parametrize("file", FILES, ids=NAMES)
def test_every_number_says_why(file: Path) -> None:
    lines = file.read_text(encoding="utf-8").splitlines()
    for at, line in enumerate(lines):
        if any(sign.isdigit() for sign in line.partition("#")[0]):
            assert "#" in line or lines[at - 1].lstrip().startswith("#"), line
    assert set(yaml.safe_load(file.read_text(encoding="utf-8"))) <= set(Settings.model_fields)


def test_a_company_layer_and_set_go_before_the_template(project: Path) -> None:
    (project / "params" / "group.yml").write_text(
        "extends: base.yml\nsegmentation: {industry_template: saas, monetary_days: 500}\n"
    )
    text = LIGHT.replace("base.yml", "group.yml").replace("  industry_template: %s\n", "")
    config = load(project, text)
    assert config.settings.segmentation.monetary_days == 500
    assert config.settings.segmentation.recency.default_cycle_days == 365
    changed = load(project, text, {"segmentation.industry_template": "services"})
    assert changed.settings.segmentation.recency.default_cycle_days == 120
    assert changed.settings.segmentation.monetary_days == 500
    none = load(project, text, {"segmentation.industry_template": ""})
    assert none.settings.segmentation.recency.default_cycle_days == 90


def test_an_unknown_template_is_told_with_those_there(project: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        load(project, LIGHT % "mining")
    (line,) = wording.explain(caught.value, "en")
    assert "params/acme.yml:7" in line and "mining" in line and "saas" in line


def test_a_wrong_value_in_a_template_is_told_with_its_place(project: Path) -> None:
    own = project / "params" / "industries" / "own.yml"
    own.write_text("segmentation:\n  recency: {far_cycles: -1}\n")
    with pytest.raises(SettingsError) as caught:
        load(project, LIGHT % "own")
    (line,) = wording.explain(caught.value, "en")
    assert line.startswith("params/industries/own.yml:2") and "far_cycles" in line


def test_thresholds_without_numbers_are_refused_before_any_source_opens(project: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        load(project, LIGHT % "saas" + "  cuts: {monetary: threshold}\n")
    (line,) = wording.explain(caught.value, "en")
    assert "segmentation.monetary_cuts" in line and caught.value.exit_code == 2
