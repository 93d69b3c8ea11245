"""Settings: every problem at once, with file, line and nearest key; origins of every value."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from analysis import settings, wording
from analysis.errors import SettingsError
from analysis.settings_model import Settings

GOOD = """\
extends: base.yml
run: acme
period: 2025Q3
sources:
  orders: {path: orders.csv, columns: {customer_id: 客户, ordered_at: 日期, amount: 金额}}
"""


def load(project: Path, text: str, overrides: dict[str, object] | None = None) -> settings.Config:
    (project / "params" / "acme.yml").write_text(text, encoding="utf-8")
    return settings.load("params/acme.yml", project, overrides)


def problems(project: Path, text: str, overrides: dict[str, object] | None = None) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load(project, text, overrides)
    assert caught.value.exit_code == 2
    return wording.explain(caught.value, "en")


def flat(model: type, prefix: str = "") -> dict[str, object]:
    found: dict[str, object] = {}
    for name, field in model.model_fields.items():
        default = field.get_default(call_default_factory=True)
        if hasattr(default, "model_dump"):
            found |= flat(type(default), f"{prefix}{name}.")
        else:
            found[prefix + name] = default
    return found


def test_base_states_every_setting_with_its_default(root: Path) -> None:
    stated = yaml.safe_load((root / "params" / "base.yml").read_text(encoding="utf-8"))

    def walk(node: dict[str, object], prefix: str = "") -> dict[str, object]:
        out: dict[str, object] = {}
        for key, value in node.items():
            nested = isinstance(value, dict) and value
            out |= walk(value, f"{prefix}{key}.") if nested else {prefix + key: value}
        return out

    expected = flat(Settings)
    required = {"run", "period"}
    assert set(walk(stated)) == set(expected) - required
    for key, value in walk(stated).items():
        default = expected[key]
        assert (default.isoformat() if isinstance(default, date) else default) == (
            value.isoformat() if isinstance(value, date) else value
        ), key


def test_every_setting_has_a_meaning() -> None:
    def walk(model: type) -> None:
        for name, field in model.model_fields.items():
            assert field.description, name
            if hasattr(field.get_default(call_default_factory=True), "model_dump"):
                walk(type(field.get_default(call_default_factory=True)))

    walk(Settings)


def test_origin_names_file_and_line(project: Path) -> None:
    config = load(project, GOOD + "segmentation: {lapsed_cycles: 3}\n", {"seed": 7})
    assert config.place("run") == "params/acme.yml:2"
    assert config.place("segmentation.lapsed_cycles") == "params/acme.yml:6"
    assert config.place("segmentation.new_customer_days").startswith("params/base.yml:")
    assert config.origin("segmentation.lapsed_cycles") == "params/acme.yml"
    assert config.origin("seed") == "--set"
    assert config.settings.seed == 7


def test_as_of_defaults_to_the_periods_end(project: Path) -> None:
    config = load(project, GOOD)
    assert config.as_of == date(2025, 9, 30)
    assert config.previous.name == "2025Q2"


def test_later_layers_win_maps_merge_lists_replace(project: Path) -> None:
    (project / "params" / "group.yml").write_text(
        "extends: base.yml\nlanguages: [en]\ncleaning: {test_words: [x], gate: 0.9}\n"
    )
    config = load(project, GOOD.replace("base.yml", "[base.yml, group.yml]"))
    assert config.settings.languages == ["en"]
    assert config.settings.cleaning.test_words == ["x"]
    assert config.settings.cleaning.gate == 0.9
    assert config.settings.cleaning.rules.repeated_lines is True


def test_all_problems_at_once_with_line_and_nearest_key(project: Path) -> None:
    lines = problems(
        project,
        GOOD
        + "as_of: 2025-02-30\n"
        + "segmentaton: {}\n"
        + "segmentation: {lapsed_cycles: abc, recency: {mode: own}}\n"
        + "report: {company: 0012}\n"
        + "seed: 1\nseed: 2\n"
        + "strategy: {trust: 3, holidays: XX}\n"
        + "timezone: Asia/Shanghia\n",
    )
    text = "\n".join(lines)
    for expected in (
        "params/acme.yml:6: “as_of” must be a day",
        "params/acme.yml:7: There is no setting “segmentaton”. Did you mean “segmentation”?",
        "params/acme.yml:8: “segmentation.lapsed_cycles” must be a number; found abc.",
        "params/acme.yml:8: “segmentation.recency.mode” must be own_cycle, window; found own.",
        "params/acme.yml:9: “0012” at “report.company” starts with a zero",
        "params/acme.yml:11: “seed” stands twice",
        "params/acme.yml:12: “strategy.trust” must be ≤ 1",
        "“XX” is no country",
        "“Asia/Shanghia” is no time zone",
    ):
        assert expected in text, f"{expected!r} not in:\n{text}"


def test_unknown_tables_and_columns_are_told_with_the_nearest(project: Path) -> None:
    lines = problems(
        project,
        "extends: base.yml\nrun: acme\nperiod: 2025Q3\nsources:\n"
        "  ordrs: {path: a.csv}\n"
        "  orders: {path: a.csv, columns: {custmer_id: a}}\n",
    )
    assert lines == [
        "params/acme.yml:5: There is no table “ordrs” to read. Did you mean “sources.orders”?",
        "params/acme.yml:6: Table “orders” has no column “custmer_id”. Did you mean “customer_id”?",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (GOOD.replace("2025Q3", "2025Q5"), "must be written YYYYQn"),
        (GOOD.replace("2025Q3", "２０２５Q3"), "must be written YYYYQn"),
        (GOOD.replace("2025Q3", "../../etc"), "must be written YYYYQn"),
        (GOOD.replace("run: acme", "run: ../x"), "must be letters"),
        (GOOD + "as_of: 2025-10-01\n", "must lie inside the period 2025Q3"),
        (GOOD + "previous: 2025Q4\n", "must end before 2025Q3 begins"),
        (GOOD + "cleaning: {rules: {repeated_lines: yes}}\n", "true, false, on or off"),
        (GOOD + "seed: [1\n", "bracket is not closed"),
        (GOOD + "languages: []\n", "must be a list of at least 1"),
        (GOOD + "languages: [zh, zh]\n", "names something twice"),
        (GOOD + "segmentation: {monetary_cuts: [5, 1]}\n", "the smaller first"),
        ("- a\n- b\n", "must hold “key: value” lines"),
        (GOOD.replace("base.yml", "bas.yml"), "neither beside this file nor in params/"),
        (GOOD + "segmentation: {scheme: rfm9}\n", "there is no “rfm9.yml” in params/schemes"),
        ("extends: base.yml\nrun: a\nperiod: 2025Q3\n", "No table to work on"),
        (GOOD.replace("amount: 金额", "amount: {from: 金额, value: x}"), "exactly one of"),
    ],
)
def test_refusals(project: Path, text: str, expected: str) -> None:
    assert expected in "\n".join(problems(project, text))


def test_set_reads_values_as_a_file_would() -> None:
    assert settings.parse_sets(["a.b=1", "c=on", "d=[1, x]", "e=2025-09-30", "f="]) == {
        "a.b": 1,
        "c": "on",
        "d": [1, "x"],
        "e": "2025-09-30",
        "f": None,
    }
    with pytest.raises(SettingsError):
        settings.parse_sets(["a"])
    with pytest.raises(SettingsError):
        settings.parse_sets(["a=0012"])


def test_yaml_guesses_nothing(project: Path) -> None:
    config = load(project, GOOD + "report: {company: no, title: {zh: 12:30:45}}\n")
    assert config.settings.report.company == "no"
    assert config.settings.report.title == {"zh": "12:30:45"}


def test_a_year_may_stand_as_a_number(project: Path) -> None:
    assert load(project, GOOD.replace("2025Q3", "2024")).period.name == "2024"


def test_names_are_checked_even_where_values_are_wrong(project: Path) -> None:
    text = GOOD + "segmentation: {scheme: rfm9}\nstrategy: {trust: 3}\n"
    assert "rfm9" in "\n".join(problems(project, text))


def test_a_file_in_another_encoding_is_told_and_nothing_else(project: Path) -> None:
    (project / "params" / "gb.yml").write_bytes((GOOD + "# 客户\n").encode("gb18030"))
    with pytest.raises(SettingsError) as caught:
        settings.load("params/gb.yml", project)
    assert [p.key for p in caught.value.problems] == ["settings.in_gb18030"]


def test_a_secret_that_is_not_set_is_told(project: Path) -> None:
    text = GOOD.replace("path: orders.csv", "url: 'postgresql://u:${NO_SUCH_SECRET}@h/d'")
    assert "NO_SUCH_SECRET is not set" in "\n".join(problems(project, text))


@given(st.text(min_size=1, max_size=40))
def test_no_text_crashes_the_reader(text: str) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.yml"
        path.write_text(text, encoding="utf-8", errors="surrogatepass")
        try:
            settings.load(path, Path(folder))
        except SettingsError as error:
            assert wording.explain(error, "zh")
        except UnicodeEncodeError:
            pass


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("orders: {path: o.csv, keys: erp}", "sources.orders.keys” says"),
        ("people: {path: p.csv, keys: erp}", "the table people holds no customer numbers"),
        ("customer_keys: {path: k.csv, keys: erp}", "customer_keys holds no customer numbers"),
        ("targets: {path: t.xlsx, wide: months}", "months need their year"),
        ("targets: {path: t.xlsx, wide: buckets}", "“buckets” is for the table receivables only"),
        ("receivables: {path: r.xlsx, wide: months, year: 2025}", "“months” is for the table"),
        ("receivables: {path: r.xlsx, columns: {as_of: {file_name: day}}}", "file_name"),
        (
            "receivables: {path: r.xlsx, columns: {as_of: {file_name: date, value: x}}}",
            "exactly one",
        ),
    ],
)
def test_ways_of_reading_that_do_not_fit_are_told(project: Path, source: str, told: str) -> None:
    name = source.partition(":")[0]
    own = GOOD if name != "orders" else GOOD.partition("  orders")[0]
    found = problems(project, f"{own}  {source}\n")
    assert any(told in line for line in found), found


def test_keys_and_wide_tables_are_accepted_where_they_belong(project: Path) -> None:
    own = GOOD.partition("  orders")[0]
    loaded = load(
        project,
        f"{own}  orders: {{path: o.csv, keys: erp}}\n"
        "  customer_keys: {path: k.csv, columns: {system: {value: erp}}}\n"
        "  receivables:\n"
        "    {path: r.xlsx, wide: buckets, keys: erp, columns: {as_of: {value: 2025-09-30}}}\n"
        "  targets: {path: t.xlsx, wide: months, year: 2025}\n",
    )
    found = loaded.settings.sources["receivables"]
    assert (found.wide, found.keys) == ("buckets", "erp")
    assert found.columns["as_of"].value == "2025-09-30"


@pytest.mark.parametrize(
    ("stated", "scheme"),
    [
        ("", "rfm5"),
        ("business_model: project\n", "rfm5"),
        ("business_model: subscription\n", "subscription5"),
        ("business_model: subscription\nsegmentation: {scheme: grade4}\n", "grade4"),
        ("business_model: subscription\nsegmentation: {lapsed_cycles: 9}\n", "subscription5"),
    ],
)
def test_the_business_model_chooses_the_scheme_that_nobody_names(
    project: Path, stated: str, scheme: str
) -> None:
    config = load(project, GOOD + stated)
    assert config.settings.segmentation.scheme == config.flat()["segmentation.scheme"] == scheme


def test_a_business_model_that_is_none_is_told(project: Path) -> None:
    told = "\n".join(
        problems(project, GOOD + "business_model: barter\nsegmentation: {scheme: 7}\n")
    )
    assert "business_model" in told
    assert "segmentation.scheme" in told


def test_a_crm_format_that_is_not_there_is_told_before_anything_runs(project: Path) -> None:
    found = problems(project, GOOD + "strategy: {desk: {crm: nosuch}}\n")
    assert len(found) == 1
    for part in ("params/acme.yml:", "strategy.desk.crm", "nosuch", "generic_zh"):
        assert part in found[0]
    load(project, GOOD + "strategy: {desk: {crm: generic_zh}}\n")
