"""Corporate groups: from parents and relations to the topmost company."""

from __future__ import annotations

from datetime import date
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.cleaning import clean
from analysis.cleaning.groups import topmost
from analysis.settings_model import Settings
from analysis.tables import INPUT

AS_OF = date(2025, 9, 30)


def tops(
    parents: dict[str, str | None],
    relations: list[dict[str, Any]] | None = None,
    rules: dict[str, str] | None = None,
) -> dict[str, str]:
    names = list(parents)
    listed = pa.table(
        {
            "customer_id": pa.array(names, pa.string()),
            "parent_id": pa.array(list(parents.values()), pa.string()),
            "rule": pa.array([(rules or {}).get(n) for n in names], pa.string()),
        }
    )
    links = None if relations is None else pa.Table.from_pylist(relations)
    found = topmost(listed, links).to_pylist()
    return {row["customer_id"]: row["group_id"] for row in found}


def test_the_topmost_company_stands_for_its_group() -> None:
    found = tops({"A": None, "B": "A", "C": "B", "D": None, "E": "F", "G": "F", "H": "H"})
    assert {k: found[k] for k in "ABC"} == {"A": "A", "B": "A", "C": "A"}
    assert (found["E"], found["G"]) == ("F", "F")  # a parent that is no customer, yet one group
    assert "D" not in found
    assert "H" not in found  # its own parent: alone


def test_a_circle_ends() -> None:
    found = tops({"C": "B", "B": "A", "A": "C", "D": "C"})
    assert found == dict.fromkeys("ABCD", "A")


def test_relations_fill_what_the_customer_table_lacks() -> None:
    links = [
        {"customer_id": "B", "other_id": "A", "kind": "parent", "share": 0.6},
        {"customer_id": "B", "other_id": "Z", "kind": "parent", "share": 0.4},
        {"customer_id": "C", "other_id": "A", "kind": "shareholder", "share": 0.1},
        {"customer_id": "D", "other_id": "X", "kind": "母公司", "share": None},
    ]
    found = tops({"A": None, "B": None, "C": None, "D": "A"}, links)
    assert (found["B"], found["D"]) == ("A", "A")
    assert "C" not in found


def test_a_removed_row_still_says_whose_subsidiary_it_is() -> None:
    found = tops({"A": None, "B": "A", "C": "B"}, rules={"B": "out_of_scope"})
    assert found["C"] == "A"


@settings(max_examples=40)
@given(
    st.dictionaries(st.integers(0, 25), st.integers(0, 25), max_size=26),
    st.randoms(use_true_random=False),
)
def test_groups_are_what_climbing_finds(parents: dict[int, int], random: Any) -> None:
    def climb(node: int) -> int:
        seen: list[int] = []
        while node not in seen:
            seen.append(node)
            above = parents.get(node, node)
            if above == node:
                return node
            node = above
        return min(seen[seen.index(node) :])  # a circle

    named = {f"{child:02d}": f"{parent:02d}" for child, parent in parents.items()}
    items = list(named.items())
    random.shuffle(items)
    found = tops(dict(items))
    circles = {g for g in found.values() if parents.get(int(g), int(g)) != int(g)}
    for child, parent in parents.items():
        if child != parent:
            assert found[f"{child:02d}"] == found[f"{parent:02d}"]
    for name, group in found.items():
        if group not in circles:
            assert int(group) == climb(int(name))


@pytest.mark.parametrize("with_relations", [False, True])
def test_cleaning_fills_the_column(with_relations: bool) -> None:
    def table(name: str, rows: list[dict[str, Any]]) -> pa.Table:
        used = [f for f in INPUT[name].schema() if any(f.name in row for row in rows)]
        return pa.table({f.name: pa.array([r.get(f.name) for r in rows], f.type) for f in used})

    tables = {
        "customers": table(
            "customers",
            [{"customer_id": "A"}, {"customer_id": "B", "parent_id": "A"}, {"customer_id": "C"}],
        )
    }
    if with_relations:
        link = {"customer_id": "C", "other_id": "B", "kind": "parent"}
        tables["relations"] = table("relations", [link])
    found = clean(tables, Settings.model_validate({"run": "t", "period": "2025Q3"}), AS_OF)
    rows = found.tables["customers"].to_pylist()
    groups = {row["customer_id"]: row["group_id"] for row in rows}
    assert groups == {"A": "A", "B": "A", "C": "A" if with_relations else "C"}
