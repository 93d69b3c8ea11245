"""``analysis why``: one customer's answer, from the tables of its record."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pandas as pd
import pytest
from click.testing import CliRunner

from analysis import settings, store, wording
from analysis.cli import cli
from analysis.errors import SettingsError
from analysis.pipeline import explain
from analysis.pipeline.explain_numbers import features
from analysis.pipeline.fingerprints import parts
from analysis.pipeline.known import Customer
from analysis.pipeline.session import SAMPLE
from analysis.pipeline.stages import chain, find
from analysis.segmentation import apply_overrides
from analysis.settings import Config
from analysis.tables import RECORD

Say = Callable[..., list[str]]
CUSTOMER = "KH000015"


def sample(name: str) -> pd.DataFrame:
    return pd.DataFrame(store.read_table(SAMPLE / "tables" / f"{name}.parquet").to_pandas())


@pytest.fixture
def config(project: Path) -> Config:
    return settings.load("params/demo.yml", project)


@pytest.fixture
def say(config: Config) -> Say:
    """Put a record together from the packaged tables and others, and ask it."""

    def ask(wanted: str, lang: wording.Language = "zh", **tables: pd.DataFrame) -> list[str]:
        folder = store.temporary_folder(config.root / "reports" / "demo", "record")
        for path in sorted((SAMPLE / "tables").glob("*.parquet")):
            store.write_table(folder, RECORD[path.stem], store.read_table(path))
        for name, frame in tables.items():
            store.write_table(folder, RECORD[name], frame)
        target = config.root / "reports" / "demo" / "2025Q3"
        store.publish(folder, target, {"as_of": "2025-09-30"})
        return list(explain.lines(config, wanted, lang))

    return ask


def test_an_older_record_without_the_new_tables(say: Say) -> None:
    found = say(CUSTOMER)
    heads = [line for line in found if line and not line.startswith(" ")][3:]
    assert heads[0] == "客户类型"
    assert "离分界还有多远" in heads
    assert "数字怎么来的" in heads
    assert "人工指定" not in heads
    assert "预警" not in heads


def test_a_feature_in_words_is_told_as_it_stands() -> None:
    known = SimpleNamespace(lang="zh", row=lambda _: {"peer_industry": "船舶配套"})
    (line,) = features(cast(Customer, known))
    assert line.endswith("船舶配套")


@pytest.mark.parametrize("lang", wording.LANGUAGES)
def test_no_raw_names_and_no_open_placeholders(say: Say, lang: wording.Language) -> None:
    rules = set(sample("segments")["rule"])
    for line in say(CUSTOMER, lang):
        assert "{" not in line
        assert "nan" not in line.split()
        words = set(re.findall(r"[a-z]+(?:_[a-z]+)+", line)) - rules
        assert words == set(), line


def test_the_orders_add_up_to_the_features(say: Say) -> None:
    for customer in sample("segments")["customer_id"].head(8):
        found = "\n".join(say(customer))
        assert wording.text("why.orders.differs", "zh") not in found
        row = sample("features").set_index("customer_id").loc[customer]
        if row["monetary"]:
            assert f"{float(row['monetary']):,.2f} 元" in found
    changed = sample("orders")
    changed.loc[changed["customer_id"] == CUSTOMER, "amount"] *= 2
    told = "\n".join(say(CUSTOMER, orders=changed))
    assert wording.text("why.orders.differs", "zh") in told


def test_how_far_from_each_cut(say: Say) -> None:
    frame = sample("features")
    cuts = sample("cuts").set_index(["score", "boundary"])
    high = float(cuts.loc[("monetary", 2), "value"])
    mine = frame["customer_id"] == CUSTOMER
    frame["monetary"] = frame["monetary"].astype(object)
    frame.loc[mine, "monetary"] = high - 12_000
    told = "\n".join(say(CUSTOMER, features=frame.assign(monetary=frame["monetary"].astype(float))))
    assert "再多 12,000 元即为高" in told


@pytest.mark.requirement("001-29")
def test_who_decided_until_when_and_what_the_rules_say(say: Say) -> None:
    decided = pd.DataFrame(
        {
            "customer_id": [CUSTOMER], "segment": ["high_value"], "author": ["销售总监"],
            "reason": ["集团框架协议"], "decided_on": pd.to_datetime(["2025-09-01"]),
            "expires_on": pd.to_datetime(["2026-03-31"]), "file": ["decisions/demo/overrides.csv"],
            "row": [2],
        }
    )  # fmt: skip
    now, overrides = apply_overrides(sample("segments"), decided, pd.Timestamp(2025, 9, 30).date())
    told = say(CUSTOMER, segments=now, overrides=overrides)
    assert "  高价值客户（人工指定）" in told
    text = "\n".join(told)
    assert (
        "由销售总监于 2025-09-01 起指定为高价值客户，到 2026-03-31 为止。理由：集团框架协议。"
        in text
    )
    assert "按规则应为潜力客户：末单在" in text
    assert "写在 decisions/demo/overrides.csv 第 2 行。" in text
    expired = overrides.assign(state="expired")
    assert "已经过期" in "\n".join(say(CUSTOMER, overrides=expired))


def test_other_schemes_cluster_warning_and_lists(say: Say) -> None:
    reason = '{"args": {}, "key": "reason.no_order"}'
    one = {"customer_id": [CUSTOMER], "amount": [1.0]}
    told = "\n".join(
        say(
            CUSTOMER,
            clusters=pd.DataFrame(
                {**one, "cluster": ["new"], "segment": ["potential"], "agrees": [False]}
            ),
            warnings=pd.DataFrame(
                {
                    **one,
                    "rule": ["both"],
                    "reason": [reason],
                    "chance": [0.4],
                    "low": [0.3],
                    "high": [0.5],
                }
            ),
            worklists=pd.DataFrame(
                {
                    **one,
                    "list": ["reorder"],
                    "rank": [3],
                    "segment": ["potential"],
                    "reason": [reason],
                }
            ),
        )
    )
    assert "新客户，与规则不同" in told
    assert "有 40.0% 流失（大概率在 30.0%～50.0% 之间）" in told
    assert "（第 3 位，1.00 元）：已建档，还没有下过单。" in told


def test_by_name_by_part_of_the_name_and_by_another_systems_code(say: Say) -> None:
    customers, keys = sample("customers"), sample("customer_keys")
    name = str(customers.set_index("customer_id").loc[CUSTOMER, "name"])
    code = str(keys.loc[keys["customer_id"] == CUSTOMER, "key"].iloc[0])
    for wanted in (CUSTOMER.lower(), name, name[:6], code):
        assert say(wanted)[0].startswith(f"{CUSTOMER}  {name}")


def test_several_or_none(say: Say) -> None:
    with pytest.raises(SettingsError) as several:
        say("有限公司")
    lines = wording.explain(several.value, "zh")
    assert several.value.exit_code == 2
    assert lines[0].startswith("“有限公司”对得上")
    assert len(lines) == 22
    with pytest.raises(SettingsError) as none:
        say("KH00015")
    assert "是不是 KH" in wording.explain(none.value, "zh")[0]
    with pytest.raises(SettingsError):
        say("")
    gone: dict[str, Any] = {
        "table": "customers", "file": "客户.xlsx", "row": 7, "key": "KH777777",
        "rule": "test_accounts", "reason": "{}",
    }  # fmt: skip
    with pytest.raises(SettingsError) as removed:
        say("KH777777", removed_rows=pd.DataFrame([gone]))
    assert "清洗时剔除了：测试账号（客户.xlsx 第 7 行）" in wording.explain(removed.value, "zh")[-1]


def test_the_command_answers(say: Say, config: Config) -> None:
    say(CUSTOMER)
    done = CliRunner().invoke(
        cli, ["why", CUSTOMER, "params/demo.yml", "--root", str(config.root)],
        env={"ANALYSIS_LANG": "en"},
    )  # fmt: skip
    assert done.exit_code == 0
    assert "How far from the boundaries" in done.output


def test_decisions_are_an_input_of_segmentation(config: Config) -> None:
    stage = find(chain(config), "segmentation")

    def inputs() -> dict[str, Any]:
        return parts(stage, config, dict.fromkeys(stage.needs, ""), {})["inputs"]

    before = inputs()
    folder = config.root / "decisions" / "demo"
    folder.mkdir(parents=True)
    names = ["overrides.csv", "review 2025Q3.xlsx", "分级复核_2025Q3.xlsx"]
    for name in names:
        (folder / name).write_text("x")
    (folder / "notes.txt").write_text("x")
    after = inputs()
    assert set(after) - set(before) == {f"decisions/demo/{name}" for name in names}
    (folder / "overrides.csv").write_text("y")
    assert inputs() != after
