"""Which customers belong to one corporate group: its topmost company stands for it."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from analysis import engine
from analysis.tables import INPUT

_PARENTS = """
    WITH listed AS (
        SELECT customer_id, arg_min(parent_id, (rule IS NOT NULL, parent_id)) AS parent
        FROM customers WHERE parent_id IS NOT NULL AND parent_id <> customer_id
        GROUP BY customer_id),
    related AS (
        SELECT customer_id, arg_min(other_id, (-coalesce(share, 0), other_id)) AS parent
        FROM relations
        WHERE lower(trim(kind)) IN ('parent', '母公司', '上级公司') AND other_id <> customer_id
        GROUP BY customer_id)
    SELECT coalesce(l.customer_id, r.customer_id) AS customer_id,
           coalesce(l.parent, r.parent) AS parent
    FROM listed l FULL JOIN related r ON r.customer_id = l.customer_id
"""


def topmost(customers: pa.Table, relations: pa.Table | None = None) -> pa.Table:
    """The topmost company of every customer that has a parent or is one.

    Parameters
    ----------
    customers
        customer_id, parent_id, rule: judged rows of the customer table. A row that was removed
        still says whose subsidiary it is; one that was kept says it better.
    relations
        INPUT ``relations``: kind ``parent`` (or 母公司, 上级公司, as exports say) means that
        `other_id` is the parent of `customer_id`. The customer table goes first; of several
        parents, the one with the largest share.

    Returns
    -------
    pyarrow.Table
        customer_id, group_id. A parent that is no customer is the top of its group all the same.
        Where companies name each other in a circle, the smallest number stands for them.
    """
    columns = ["customer_id", "other_id", "kind", "share"]
    schema = INPUT["relations"].schema()
    links = pa.table(
        {
            name: relations[name].cast(schema.field(name).type)
            if relations is not None and name in relations.column_names
            else pa.nulls(0 if relations is None else relations.num_rows, schema.field(name).type)
            for name in columns
        }
    )
    found = engine.query(
        _PARENTS, customers=customers.select(["customer_id", "parent_id", "rule"]), relations=links
    )
    own = found["customer_id"].to_numpy(zero_copy_only=False).astype(str)
    parent = found["parent"].to_numpy(zero_copy_only=False).astype(str)
    names, places = np.unique(np.concatenate([own, parent]), return_inverse=True)
    child, above = places[: len(own)], places[len(own) :]
    edges = coo_array((np.ones(len(own)), (child, above)), shape=(len(names), len(names)))
    count, group = connected_components(edges, directed=False) if len(own) else (0, child)
    # Each company has one parent at most: a group has one company without, or a circle.
    without = np.ones(len(names), dtype=bool)
    without[child] = False
    order = np.lexsort((np.arange(len(names)), ~without))
    top = np.zeros(count, dtype=int)
    top[group[order][::-1]] = order[::-1]  # the first of the order is written last
    return pa.table(
        {
            "customer_id": pa.array(names, pa.string()),
            "group_id": pa.array(names[top[group]] if count else names, pa.string()),
        }
    )
