"""Customers by two dimensions: every cell, its share of customers and money, and what is thin.

A cell with fewer customers than ``max(min_customers, min_share × all)`` is too thin to judge a
measure by. It stays in the table, and `merged_into` names the cell that it is counted with:

1. Within a row the smallest thin cell goes first (of equal ones the left). It joins the larger
   of its two neighbours (of equal ones the left); empty cells are passed over. ``unknown`` is
   next to nobody: it joins the largest cell, and takes others in only where it is alone with
   them. What is still thin joins again.
2. A row that is thin as a whole joins ``other`` where there is such a row, else the larger of
   the rows above and below (of equal ones the one above), again the smallest first: with the
   cell under which its column is counted there, else with the nearest column.

So every cell that remains is large enough, or the only one; customers and money are the same
before and after. An empty cell holds nobody and joins nothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis import stats
from analysis.segmentation.bands import SIZES, UNKNOWN, in_size_order, size_classes
from analysis.segmentation.scores import BANDS, boundaries
from analysis.settings_segmentation import Matrices
from analysis.tables import RECORD

ALL = "all"
OTHER = "other"
NEEDS = ("simple", "complex", "custom")
Counts = NDArray[np.int64]
COLUMNS = RECORD["matrix_cells"].names


class Cell(NamedTuple):
    """A cell's place, row and column counted from 0."""

    row: int
    column: int


def matrix(
    name: str,
    rows: pd.Series,
    columns: pd.Series,
    amounts: pd.Series,
    settings: Matrices,
    *,
    row_order: Sequence[str] | None = None,
    column_order: Sequence[str] | None = None,
) -> pd.DataFrame:
    """Cross two dimensions of the same customers.

    Parameters
    ----------
    name
        Key of the matrix.
    rows, columns
        A key for each customer, in the same order; a missing one becomes ``unknown``.
    amounts
        Their money.
    settings
        When a cell is thin.
    row_order, column_order
        Keys in order, shown even where nobody has them; any further keys follow by name, then
        ``other`` and ``unknown``.

    Returns
    -------
    pandas.DataFrame
        RECORD ``matrix_cells``: every combination of a row and a column, each row's total
        (column ``all``), each column's (row ``all``) and the total of both. ``low`` and
        ``high`` are the Wilson interval of the share.
    """
    down, down_keys = _coded(rows, row_order)
    across, across_keys = _coded(columns, column_order)
    shape = (len(down_keys), len(across_keys))
    place = down * shape[1] + across
    counts = np.bincount(place, minlength=shape[0] * shape[1]).reshape(shape)
    units = (amounts.to_numpy(float) * 1e4).round().astype("int64")
    money = np.zeros(shape, dtype="int64")
    np.add.at(money.reshape(-1), place, units)
    merged = merge(counts, thin_below(len(rows), settings), down_keys, across_keys)
    found = pd.DataFrame(
        {
            "matrix": name,
            "row": np.repeat(np.array([*down_keys, ALL], dtype=object), shape[1] + 1),
            "column": np.tile(np.array([*across_keys, ALL], dtype=object), shape[0] + 1),
            "customers": _with_totals(counts).reshape(-1),
        }
    )
    total = int(units.sum())
    found["share"] = found["customers"] / len(rows) if len(rows) else 0.0
    found["low"], found["high"] = stats.wilson(found["customers"], len(rows))
    summed = _with_totals(money).reshape(-1)
    found["amount"] = summed / 1e4
    found["amount_share"] = summed / total if total > 0 else 0.0
    targets = {
        (down_keys[cell.row], across_keys[cell.column]): cell_key(
            down_keys[into.row], across_keys[into.column]
        )
        for cell, into in merged.items()
    }
    pairs = zip(found["row"], found["column"], strict=True)
    found["merged_into"] = [targets.get(pair, "") for pair in pairs]
    return found[COLUMNS]


def thin_below(customers: int, settings: Matrices) -> int:
    """The fewest customers of a group that is not thin."""
    return max(settings.min_customers, math.ceil(settings.min_share * customers))


def cell_key(row: str, column: str) -> str:
    """How ``merged_into`` names a cell."""
    return f"{row} × {column}"


def value_need(
    features: pd.DataFrame,
    customers: pd.DataFrame,
    segments: pd.DataFrame,
    cuts: pd.DataFrame,
    settings: Matrices,
    ranks: Mapping[str, int] | None = None,
) -> pd.DataFrame:
    """Value (low, mid, high) by need (simple, complex, custom), complete.

    Empty where nobody's need is stated.

    Parameters
    ----------
    features, customers, segments, cuts
        RECORD tables of the same period. Whose need nobody has stated is ``unknown``.
    settings
        ``value``: by the cuts of money, or by the segments' ranks.
    ranks
        Segment → rank (``scheme.segments``), for value by rank: the highest rank is high, the
        lowest low, those between are mid.
    """
    frame = _joined(features, customers, ["need"]).merge(
        segments[["customer_id", "segment"]], on="customer_id", how="left"
    )
    if not _stated(frame["need"]):
        return pd.DataFrame(columns=COLUMNS)
    if settings.value == "rank" and ranks:
        low, high = min(ranks.values()), max(ranks.values())
        bands = {s: "high" if r == high else "low" if r == low else "mid" for s, r in ranks.items()}
        value = frame["segment"].map(bands)
    else:
        value = _money_bands(frame["monetary"], cuts)
    return matrix(
        "value_need",
        value,
        frame["need"],
        frame["monetary"],
        settings,
        row_order=BANDS[::-1],
        column_order=NEEDS,
    )


def _money_bands(money: pd.Series, cuts: pd.DataFrame) -> pd.Series:
    """Low, mid, high by the cuts of money, as the score; without cuts all are low."""
    edges = boundaries(cuts, "monetary")
    place = np.searchsorted(edges, money.to_numpy(float), side="right")
    return pd.Series(np.array(BANDS, dtype=object)[place], index=money.index)


def industry_size(
    features: pd.DataFrame,
    customers: pd.DataFrame,
    settings: Matrices,
    bands: Mapping[str, Sequence[float]] | None = None,
) -> pd.DataFrame:
    """Industry by size of the company; empty where nobody's industry or size is stated.

    Parameters
    ----------
    features, customers
        RECORD tables of the same period.
    settings
        How many industries stand alone (by money; the rest is ``other``), and whether sizes
        are as written or classes by employees.
    bands
        Industry → first employees of small, medium and large; used with classes.
    """
    frame = _joined(features, customers, ["industry", "size_band"])
    industry, sizes = frame["industry"], frame["size_band"]
    if not (_stated(industry) and _stated(sizes)):
        return pd.DataFrame(columns=COLUMNS)
    order: Sequence[str]
    if settings.sizes == "employees":
        sizes, order = size_classes(sizes, industry, settings.employees, bands), SIZES
    else:
        order = in_size_order([str(name) for name in sizes.dropna().unique()])
    units = (frame["monetary"].astype(float) * 1e4).round().astype("int64")
    by_money = units.groupby(industry).sum().reset_index()
    by_money = by_money.sort_values(["monetary", "industry"], ascending=[False, True])
    largest = by_money["industry"].head(settings.industries).tolist()
    shown = industry.where(industry.isna() | industry.isin(largest), OTHER)
    return matrix(
        "industry_size",
        shown,
        sizes,
        frame["monetary"],
        settings,
        row_order=largest,
        column_order=order,
    )


def _stated(keys: pd.Series) -> bool:
    return bool((keys.notna() & (keys != "")).any())


def _joined(
    features: pd.DataFrame, customers: pd.DataFrame, columns: Sequence[str]
) -> pd.DataFrame:
    """Customers of `features` with columns of `customers`, empty where it has none."""
    frame = features[["customer_id", "monetary"]]
    given = [name for name in columns if name in customers.columns]
    found = frame.merge(
        customers[["customer_id", *given]], on="customer_id", how="left", validate="one_to_one"
    )
    empty = [name for name in columns if name not in given]
    return found.assign(**dict.fromkeys(empty))


def _coded(keys: pd.Series, order: Sequence[str] | None) -> tuple[Counts, list[str]]:
    """Each customer's position in the order of keys, and those keys."""
    filled = keys.astype(object).where(keys.notna() & (keys != ""), UNKNOWN).astype(str)
    given = list(order or ())
    present = set(filled)
    aside = [key for key in (OTHER, UNKNOWN) if key in present and key not in given]
    known = [*given, *sorted(present - set(given) - set(aside)), *aside]
    codes = filled.map({key: i for i, key in enumerate(known)})
    return np.asarray(codes, dtype="int64"), known


def _with_totals(table: Counts) -> Counts:
    below = np.vstack([table, table.sum(axis=0)])
    return np.hstack([below, below.sum(axis=1, keepdims=True)])


def merge(
    counts: Counts, least: int, rows: Sequence[str], columns: Sequence[str]
) -> dict[Cell, Cell]:
    """Which cell each thin cell is counted with, by the rule of the module.

    Parameters
    ----------
    counts
        Customers, shape (rows, columns).
    least
        Fewest customers of a cell that is not thin.
    rows, columns
        Keys in order.

    Returns
    -------
    dict of Cell to Cell
        The merged cells only; every target stands for itself.
    """
    # Each group: the cell it is counted under → all its cells.
    table: list[dict[int, list[Cell]]] = []
    for i, row in enumerate(counts):
        groups = {j: [Cell(i, j)] for j in range(len(columns)) if row[j]}
        _merge_row(groups, counts, least, columns)
        table.append(groups)
    _merge_rows(table, counts, least, rows, columns)
    return {
        cell: Cell(i, head)
        for i, groups in enumerate(table)
        for head, cells in groups.items()
        for cell in cells
        if cell != Cell(i, head)
    }


def _size(cells: Sequence[Cell], counts: Counts) -> int:
    return int(sum(counts[cell] for cell in cells))


def _merge_row(
    groups: dict[int, list[Cell]], counts: Counts, least: int, columns: Sequence[str]
) -> None:
    while len(groups) > 1:
        sizes = {head: _size(cells, counts) for head, cells in groups.items()}
        smallest = min(sizes, key=lambda head: (sizes[head], head))
        if sizes[smallest] >= least:
            return
        target = _neighbour(smallest, sizes, columns)
        groups[target] += groups.pop(smallest)


def _merge_rows(
    table: list[dict[int, list[Cell]]],
    counts: Counts,
    least: int,
    rows: Sequence[str],
    columns: Sequence[str],
) -> None:
    """Join rows that are thin as a whole; only their last group is left by then."""
    while True:
        sizes = {
            i: sum(_size(cells, counts) for cells in groups.values())
            for i, groups in enumerate(table)
            if groups
        }
        smallest = min(sizes, key=lambda i: (sizes[i], i), default=-1)
        if len(sizes) < 2 or sizes[smallest] >= least:
            return
        rest = [i for i in sizes if rows[i] == OTHER and i != smallest]
        target = table[rest[0] if rest else _neighbour(smallest, sizes, rows)]
        ((head, cells),) = table[smallest].items()
        target[_counted_under(head, target, columns)] += cells
        table[smallest] = {}


def _neighbour(place: int, sizes: Mapping[int, int], keys: Sequence[str]) -> int:
    """Whom a thin place joins: the larger neighbour, the first of equal ones."""
    known = [other for other in sizes if other != place and keys[other] != UNKNOWN]
    if keys[place] == UNKNOWN:
        near = known
    else:
        before = [other for other in known if other < place]
        after = [other for other in known if other > place]
        near = [*sorted(before)[-1:], *sorted(after)[:1]]
    rest = [other for other in sizes if other != place]
    return min(near or rest, key=lambda other: (-sizes[other], other))


def _counted_under(
    column: int, groups: Mapping[int, Sequence[Cell]], columns: Sequence[str]
) -> int:
    """The group of a row that holds the column, else the nearest."""
    for head, cells in groups.items():
        if any(cell.column == column for cell in cells):
            return head
    return min(groups, key=lambda head: (columns[head] == UNKNOWN, abs(head - column), head))
