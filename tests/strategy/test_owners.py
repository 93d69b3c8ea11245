"""Who is in charge, by the role that a person has."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import yaml

from analysis import wording
from analysis.strategy.owners import People, roles

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("lang", wording.LANGUAGES)
def test_every_role_word_is_matched_to_its_own_key(lang):
    keys = [key for key in wording.keys("en") if key.startswith("role.")]
    words = [wording.text(key, lang) for key in keys]
    table = pd.DataFrame({"person_id": keys, "role": words, "team_id": "T", "manager_id": None})
    assert People(table, {}).role == {key: key.removeprefix("role.") for key in keys}


def test_who_stands_in_keeps_the_own_role():
    table = pd.DataFrame(
        {"person_id": ["P1"], "role": ["客户成功经理"], "team_id": ["T"], "manager_id": [None]}
    )
    people = People(table, {"cs_specialist": ["cs_manager"]})
    assert people.candidates("cs_specialist", "P9", "T") == ["P1"]
    assert roles(["P1", None, "P9"], "cs_specialist", people) == [
        "cs_manager", "cs_specialist", "cs_specialist",
    ]  # fmt: skip


@pytest.mark.parametrize("path", ["mappings/generic_zh.yml", "examples/subscription.yml"])
def test_mappings_name_customer_success_by_its_own_roles(path):
    text = (ROOT / "params" / path).read_text(encoding="utf-8")
    found = {}

    def walk(node):
        if isinstance(node, dict):
            found.update({k: v for k, v in node.items() if str(k).startswith("客户成功")})
            for value in node.values():
                walk(value)

    walk(yaml.safe_load(text))
    assert found
    for word, key in found.items():
        assert wording.text(f"role.{key}", "zh") == word
