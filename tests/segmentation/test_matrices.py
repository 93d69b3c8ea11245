"""Every cell is there, thin ones are merged by the rule, and nobody is lost."""

from __future__ import annotations

import json
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis import wording
from analysis.engine import conform
from analysis.segmentation import fragmentation, grid, industry_size, matrix, value_need
from analysis.segmentation.bands import (
    TENURES,
    YEARS,
    employees,
    from_on,
    in_size_order,
    size_classes,
    up_to,
)
from analysis.segmentation.matrices import ALL, cell_key, merge, thin_below
from analysis.settings_segmentation import Matrices
from analysis.tables import RECORD

ANY = Matrices(min_customers=1, min_share=0)


def inner(cells: pd.DataFrame) -> pd.DataFrame:
    return cells[(cells["row"] != ALL) & (cells["column"] != ALL)]


def of(counts: list[list[int]]) -> tuple[pd.Series, pd.Series, pd.Series]:
    """Customers that fill a table: rows a, b, …, columns x, y, …; 1 yuan each."""
    pairs = [
        ("abcdef"[i], "xyzuvw"[j])
        for i, row in enumerate(counts)
        for j, n in enumerate(row)
        for _ in range(n)
    ]
    rows, columns = ([p[k] for p in pairs] for k in (0, 1))
    return (
        pd.Series(rows, dtype=object),
        pd.Series(columns, dtype=object),
        pd.Series(np.ones(len(pairs))),
    )


def merged(counts: list[list[int]], least: int) -> dict[str, str]:
    table = np.array(counts)
    rows, columns = "abcdef"[: len(table)], "xyzuvw"[: table.shape[1]]
    return {
        rows[cell.row] + columns[cell.column]: rows[into.row] + columns[into.column]
        for cell, into in merge(table, least, rows, columns).items()
    }


def test_counts_shares_money_and_totals() -> None:
    rows, columns, amounts = of([[3, 1], [0, 4]])
    cells = matrix("m", rows, columns, amounts * 2.5, ANY)
    conform(cells, RECORD["matrix_cells"])
    assert len(cells) == 9
    found = cells.set_index(["row", "column"])
    assert found.loc[("a", "x"), "customers"] == 3
    assert found.loc[("b", "x"), "customers"] == 0
    assert found.loc[("a", ALL), "customers"] == 4
    assert found.loc[(ALL, "y"), "customers"] == 5
    assert found.loc[(ALL, ALL), "amount"] == 20.0
    assert found.loc[("a", "x"), "amount_share"] == 0.375
    # Wilson's interval of 3 in 8, as statsmodels gives it
    assert found.loc[("a", "x"), "low"] == pytest.approx(0.1368, abs=1e-4)
    assert found.loc[("a", "x"), "high"] == pytest.approx(0.6943, abs=1e-4)


def test_further_keys_follow_and_missing_ones_are_unknown() -> None:
    rows = pd.Series(["z", None, "other", "b", ""])
    cells = matrix("m", rows, rows, pd.Series(np.ones(5)), ANY, row_order=["q", "b"])
    assert list(cells["row"].unique()) == ["q", "b", "z", "other", "unknown", ALL]
    assert cells.set_index(["row", "column"]).loc[("unknown", "unknown"), "customers"] == 2


def test_nobody() -> None:
    nothing = pd.Series([], dtype=object)
    cells = matrix("m", nothing, nothing, nothing, Matrices(), row_order=["a"], column_order=["x"])
    conform(cells, RECORD["matrix_cells"])
    assert cells[["customers", "share", "amount", "amount_share"]].sum().sum() == 0


def test_money_below_zero_has_no_shares() -> None:
    rows, columns, amounts = of([[2, 1]])
    cells = matrix("m", rows, columns, -amounts, ANY)
    assert (cells["amount_share"] == 0).all()
    assert cells["amount"].min() == -3.0


@pytest.mark.parametrize(
    ("counts", "least", "said"),
    [
        ([[40, 10, 50]], 30, {"ay": "az"}),  # into the larger neighbour
        ([[40, 10, 40]], 30, {"ay": "ax"}),  # of equal ones the left
        ([[10, 0, 50]], 30, {"ax": "az"}),  # an empty cell is passed over
        ([[10, 15, 90]], 30, {"ax": "az", "ay": "az"}),  # what is still thin joins again
        ([[10, 20, 90]], 30, {"ax": "ay"}),  # together they are enough
        ([[40, 40], [5, 10]], 30, {"bx": "ay", "by": "ay"}),  # a thin row: same column above
        ([[0, 0, 9], [60, 60, 0]], 30, {"az": "by"}),  # nobody in that column: the nearest
        ([[5, 5], [5, 5]], 30, {"ax": "by", "ay": "by", "bx": "by"}),  # all of it is thin
        ([[30, 30], [30, 30]], 30, {}),
        ([[0, 0]], 30, {}),
        ([[60], [7], [90]], 30, {"bx": "cx"}),
    ],
)
def test_the_rule_of_merging(counts: list[list[int]], least: int, said: dict[str, str]) -> None:
    assert merged(counts, least) == said


def test_unknown_is_next_to_nobody_and_other_takes_thin_rows() -> None:
    found = merge(np.array([[90, 40, 9]]), 30, "a", ["x", "y", "unknown"])
    assert [(c.column, i.column) for c, i in found.items()] == [(2, 0)]
    found = merge(np.array([[40, 10, 90]]), 30, "a", ["x", "y", "unknown"])
    assert [(c.column, i.column) for c, i in found.items()] == [(1, 0)]
    found = merge(np.array([[10, 90]]), 30, "a", ["x", "unknown"])
    assert [(c.column, i.column) for c, i in found.items()] == [(0, 1)]
    found = merge(np.array([[90], [9], [40]]), 30, ["a", "b", "other"], "x")
    assert [(c.row, i.row) for c, i in found.items()] == [(1, 2)]
    found = merge(np.array([[90], [9]]), 30, ["a", "other"], "x")
    assert [(c.row, i.row) for c, i in found.items()] == [(1, 0)]


tables = st.integers(1, 5).flatmap(
    lambda width: st.lists(
        st.lists(st.integers(0, 50), min_size=width, max_size=width), min_size=1, max_size=5
    )
)


@given(tables, st.integers(1, 60))
def test_merging_keeps_everybody_and_leaves_no_thin_cell(
    counts: list[list[int]], least: int
) -> None:
    rows, columns, amounts = of(counts)
    cells = matrix("m", rows, columns, amounts, Matrices(min_customers=least, min_share=0))
    into = inner(cells)
    own = pd.Series(map(cell_key, into["row"], into["column"]), index=into.index)
    target = into["merged_into"].where(into["merged_into"] != "", own)
    judged = into.groupby(target)["customers"].sum()
    assert judged.sum() == len(rows)
    standing = set(own[into["merged_into"] == ""])
    assert set(into["merged_into"]) - {""} <= standing
    left = judged[judged > 0]
    assert (left >= least).all() or len(left) == 1
    # only thin cells move, or those of a thin row; empty ones never do
    assert (into.loc[into["merged_into"] != "", "customers"] > 0).all()


@given(tables, st.randoms(use_true_random=False))
def test_totals_add_up_in_any_order_of_rows(counts: list[list[int]], random) -> None:
    rows, columns, amounts = of(counts)
    amounts = amounts + 0.1 * np.arange(len(amounts))
    cells = matrix("m", rows, columns, amounts, Matrices())
    order = random.sample(range(len(rows)), len(rows))
    again = matrix("m", rows.iloc[order], columns.iloc[order], amounts.iloc[order], Matrices())
    pd.testing.assert_frame_equal(cells, again, check_exact=True)
    inside = inner(cells)
    assert inside["customers"].sum() == len(rows)
    assert round(inside["amount"].sum(), 4) == round(amounts.sum(), 4)
    across = cells[(cells["column"] == ALL) & (cells["row"] != ALL)].set_index("row")["customers"]
    assert across.to_dict() == inside.groupby("row")["customers"].sum().to_dict()


def customers_of(n: int, **columns: object) -> tuple[pd.DataFrame, pd.DataFrame]:
    ids = [f"C{i:03d}" for i in range(n)]
    features = pd.DataFrame({"customer_id": ids, "monetary": np.arange(n) * 10.0})
    return features, pd.DataFrame({"customer_id": ids, **columns})


CUTS = pd.DataFrame(
    {"score": "monetary", "boundary": [1, 2], "value": [100.0, 200.0], "unit": "money"}
)


@pytest.mark.requirement("001-09")
def test_value_by_need_is_complete_and_reads_the_cuts() -> None:
    features, customers = customers_of(30, need=["simple"] * 29 + ["custom"])
    segments = customers[["customer_id"]].assign(segment="new")
    cells = value_need(features, customers, segments, CUTS, ANY)
    grid = inner(cells)
    assert list(grid["row"].unique()) == ["high", "mid", "low"]
    assert list(grid["column"].unique()) == ["simple", "complex", "custom"]
    assert len(grid) == 9
    found = cells.set_index(["row", "column"])["customers"]
    assert found["low", "simple"] == 10  # 0 to 90; 100 itself is mid, 200 is high
    assert found["mid", "simple"] == 10
    assert found["high", "simple"] == 9
    assert found["high", "custom"] == 1
    assert found["mid", "complex"] == 0


def test_a_matrix_is_read_in_words() -> None:
    features, customers = customers_of(3, need=["simple", "simple", "custom"])
    segments = customers[["customer_id"]].assign(segment="new")
    cells = value_need(features, customers, segments, CUTS, ANY)
    wide = grid(cells, "value_need", "zh")
    assert list(wide.index) == ["价值高", "价值居中", "价值低", "合计"]
    assert list(wide.columns) == ["简单需求", "复杂需求", "定制需求", "合计"]
    assert wide.loc["价值低", "简单需求"] == 2
    assert wide.loc["合计", "合计"] == 3


def test_value_by_the_segments_ranks() -> None:
    features, customers = customers_of(4, need=["simple", None, "custom", "complex"])
    segments = customers[["customer_id"]].assign(segment=["best", "middling", "worst", "gone"])
    ranks = {"best": 3, "middling": 2, "worst": 1}
    cells = value_need(
        features, customers, segments, CUTS, Matrices(value="rank", min_customers=1), ranks
    )
    held = inner(cells)[inner(cells)["customers"] > 0]
    assert sorted(zip(held["row"], held["column"], strict=True)) == [
        ("high", "simple"),
        ("low", "custom"),
        ("mid", "unknown"),
        ("unknown", "complex"),
    ]


def test_a_dimension_that_nobody_states_gives_no_matrix() -> None:
    features, customers = customers_of(5)
    segments = customers[["customer_id"]].assign(segment="new")
    industries = customers.assign(industry="机械", size_band="")
    for cells in (
        value_need(features, customers, segments, CUTS, ANY),
        industry_size(features, customers, ANY),
        industry_size(features, industries, ANY),
    ):
        assert cells.empty
        conform(cells, RECORD["matrix_cells"])


@pytest.mark.requirement("001-10")
def test_industry_by_size_as_written_or_by_employees() -> None:
    industry = ["机械"] * 10 + ["软件"] * 10 + ["食品", None]
    size = ["2000人以上", "50人以下"] * 10 + ["200-499人", None]
    features, customers = customers_of(22, industry=industry, size_band=size)
    written = industry_size(features, customers, Matrices(industries=2))
    # the largest by money: 软件 1450, 机械 450; 食品 200 stands in other
    assert list(written["row"].unique()) == ["软件", "机械", "other", "unknown", ALL]
    assert list(written["column"].unique()) == [
        "50人以下",
        "200-499人",
        "2000人以上",
        "unknown",
        ALL,
    ]
    classes = industry_size(features, customers, Matrices(industries=2, sizes="employees"))
    found = classes.set_index(["row", "column"])["customers"]
    assert found["软件", "small"] == 5
    assert found["机械", "large"] == 5
    assert found["other", "medium"] == 1
    assert found["unknown", "unknown"] == 1
    own = industry_size(
        features,
        customers,
        Matrices(industries=2, sizes="employees"),
        {"软件": [10, 100, 300], "机械": [100, 5000, 9000]},
    ).set_index(["row", "column"])["customers"]
    assert own["机械", "small"] == 5
    assert own["软件", "large"] == 5


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("100-300人", (100, 300)),
        ("50人以下", (0, 50)),
        ("少于50人", (0, 50)),
        ("2000人以上", (2000, np.inf)),
        ("1,000+", (1000, np.inf)),
        ("1000～2000", (1000, 2000)),
        ("120", (120, 120)),
        ("1万人以上", (10_000, np.inf)),
        ("500以上，不足1000", (500, 1000)),
        ("大型", None),
        ("", None),
    ],
)
def test_written_ranges(text: str, said: tuple[float, float] | None) -> None:
    assert employees(text) == said


def test_size_edges_belong_above() -> None:
    written = pd.Series(["19", "20", "299", "300", "999", "1000", "大型", None])
    classes = size_classes(written, pd.Series([None] * 8), [20, 300, 1000])
    assert classes.tolist() == [
        "micro", "small", "small", "medium", "medium", "large", "unknown", "unknown",
    ]  # fmt: skip
    assert in_size_order(["大型", "2000人以上", "50人以下", "50-199人"]) == [
        "50人以下",
        "50-199人",
        "2000人以上",
        "大型",
    ]


@pytest.mark.requirement("001-12")
def test_years_up_to_one_up_to_three_and_more() -> None:
    days = pd.Series([0.0, 365.0, 365.5, 1095.0, 1096.0, np.nan])
    first, second, third = TENURES
    assert up_to(days, YEARS, TENURES).tolist() == [
        first, first, second, second, third, "unknown",
    ]  # fmt: skip


@pytest.mark.requirement("001-11")
def test_four_orders_in_three_months_and_500_an_order_by_need() -> None:
    """The example: high-value active from 4 orders and 500 on; crossed with what they buy."""
    features = pd.DataFrame(
        {
            "frequency": [4, 4, 3, 5, 9],  # orders in the last three months
            "mean_order": [500.0, 499.99, 500.0, 800.0, 500.0],
            "monetary": [2000.0, 1996.0, 1500.0, 4000.0, 4500.0],
        }
    )
    often = from_on(features["frequency"], [4], ["rarely", "often"])
    large = from_on(features["mean_order"], [500], ["small", "large"])
    active = pd.Series(np.where((often == "often") & (large == "large"), "active", "rest"))
    goods = pd.Series(["daily", "daily", "luxury", "luxury", "daily"])
    cells = matrix(
        "rfm_need",
        active,
        goods,
        features["monetary"],
        ANY,
        row_order=["active", "rest"],
        column_order=["daily", "luxury"],
    ).set_index(["row", "column"])
    assert cells.loc[("active", "daily"), "customers"] == 2  # 高频刚需型
    assert cells.loc[("active", "luxury"), "customers"] == 1  # 高价值体验型
    assert cells.loc[("rest", ALL), "customers"] == 2
    assert cells.loc[("active", "daily"), "amount"] == 6500.0


@pytest.mark.requirement("001-07")
def test_too_many_and_too_small_groups_are_warned_of() -> None:
    names = ["a"] * 50 + ["b"] * 50 + ["c"] * 50 + ["d"] * 50 + ["e"] * 50 + ["f"] * 12
    segments = pd.DataFrame({"segment": names})
    rows, columns, amounts = of([[100, 29], [103, 30]])
    cells = matrix("value_need", rows, columns, amounts, Matrices())
    found = [json.loads(one) for one in fragmentation(segments, cells, Matrices())]
    assert [one["key"] for one in found] == [
        "fragmentation.segments",
        "fragmentation.segment",
        "fragmentation.cells",
    ]
    assert found[0]["args"]["segments"]["value"] == 6
    assert found[1]["args"]["customers"]["value"] == 12
    args = found[2]["args"]
    assert (args["thin"]["value"], args["cells"]["value"], args["customers"]["value"]) == (1, 4, 29)
    for one in found:
        for lang in wording.LANGUAGES:
            given_args = dict.fromkeys(one["args"], "…")
            assert "…" in wording.text(one["key"], lang, **given_args)


def test_nothing_is_warned_of_where_groups_are_few_and_large() -> None:
    segments = pd.DataFrame({"segment": [name for name in "abcde" for _ in range(40)]})
    rows, columns, amounts = of([[50, 50], [50, 50]])
    cells = matrix("value_need", rows, columns, amounts, Matrices())
    assert fragmentation(segments, cells, Matrices()) == []
    assert fragmentation(segments.head(0), cells.head(0), Matrices()) == []


def test_thin_is_the_larger_of_both_limits() -> None:
    assert [thin_below(n, Matrices()) for n in (0, 1000, 1001, 5000)] == [30, 30, 31, 150]


def test_every_row_of_every_shipped_matrix_has_words() -> None:
    counted = Counter(key.split(".")[1] for key in wording.keys("zh") if key.startswith("matrix."))
    assert set(counted) == {"value_need", "industry_size"}
    for matrix_name in counted:
        for key in ("name", "row.all", "row.unknown", "column.all", "column.unknown"):
            assert wording.has(f"matrix.{matrix_name}.{key}")
