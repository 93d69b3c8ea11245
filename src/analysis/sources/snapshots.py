"""Histories from archived exports: what a CRM overwrites, seen by comparing one day with the next.

`analysis snapshot` archives opportunities, leads, owners, tiers and receivables by day. Between
two archives a value may have changed more than once, or and back: only what differs from one to
the next is known, and that it happened after the first day and not after the second.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from datetime import date, datetime
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from analysis.engine import query
from analysis.errors import Problem, SourceError
from analysis.sources.files import HISTORY_OF, File, snapshot_files
from analysis.tables import INPUT

TAKEN_ON = "taken_on"
MANIFEST = "manifest.json"

_CHANGES = """
WITH seen AS (  -- a number that stands twice in one export counts once
    SELECT {key} AS key, taken_on, min({column}) AS value FROM series
    WHERE {key} IS NOT NULL GROUP BY ALL
), stepped AS (
    SELECT *, lag(value) OVER earlier AS before, lag(taken_on) OVER earlier AS last_seen
    FROM seen WINDOW earlier AS (PARTITION BY key ORDER BY taken_on)
)
SELECT key AS {key}, before, value AS after, last_seen, taken_on AS first_seen
FROM stepped
WHERE last_seen IS NULL OR value IS DISTINCT FROM before
ORDER BY key, taken_on
"""
_HISTORY = """
SELECT opportunity_id, after AS stage, first_seen AS entered_at
FROM changes
WHERE after IS NOT NULL AND first_seen > (SELECT min(taken_on) FROM series)
ORDER BY opportunity_id, entered_at
"""
# What stood in the first archive of anybody began before it; so did what a customer came with.
_SEEN = """
SELECT customer_id, first_seen AS changed_on, $field AS field, before, after
FROM changes
WHERE last_seen IS NOT NULL
"""
# Open money of each archive's latest day; who is not there any more owes nothing.
_OWED = """
WITH owed AS (
    SELECT taken_on, customer_id, sum(amount) AS amount
    FROM (FROM series QUALIFY as_of = max(as_of) OVER (PARTITION BY taken_on))
    GROUP BY ALL
)
SELECT d.taken_on, c.customer_id,
       CAST(CAST(coalesce(o.amount, 0) AS DECIMAL(18, 2)) AS VARCHAR) AS amount
FROM (SELECT DISTINCT taken_on FROM series) AS d
CROSS JOIN (SELECT DISTINCT customer_id FROM owed WHERE customer_id IS NOT NULL) AS c
LEFT JOIN owed AS o USING (taken_on, customer_id)
"""
_OWN_NUMBERS = """
SELECT h.* REPLACE (
    CASE WHEN field = 'receivables' THEN coalesce(k.customer_id, h.customer_id)
         ELSE h.customer_id END AS customer_id)
FROM history AS h
LEFT JOIN (
    SELECT key, min(customer_id) AS customer_id FROM known WHERE system = $system GROUP BY key
) AS k ON k.key = h.customer_id
ORDER BY _row
"""
_CHANGED = INPUT["customer_changes"].schema()
_NOTHING = pa.table({})


def series(files: Sequence[File]) -> pa.Table:
    """A table's archives below one another.

    Parameters
    ----------
    files
        Of one table, as `snapshot_files` finds them: ``…/<day>/<table>.parquet``.

    Returns
    -------
    pyarrow.Table
        Their rows, with the day in `TAKEN_ON`.

    Raises
    ------
    SourceError
        If a file is not what its archive's manifest says; all of them at once.
    """
    problems, tables = [], []
    for file in files:
        if not _is_whole(file.path):
            problems.append(Problem("sources.snapshot_damaged", {}, file.name))
            continue
        table = pq.read_table(file.path, page_checksum_verification=True)
        day = datetime.fromisoformat(file.path.parent.name)
        taken = pa.repeat(pa.scalar(day, pa.timestamp("us")), len(table))
        tables.append(table.append_column(TAKEN_ON, taken))
    if problems:
        raise SourceError(problems)
    return pa.concat_tables(tables)


def changes(archived: pa.Table, key: str, column: str) -> pa.Table:
    """What changed from one archive to the next.

    Parameters
    ----------
    archived
        From `series`.
    key, column
        Whose value, and which.

    Returns
    -------
    pyarrow.Table
        `key`, ``before``, ``after``, ``last_seen``, ``first_seen``: a row for each change, and
        one where the key is first seen (``last_seen`` is empty). It changed after the day
        ``last_seen``, on which it still was ``before``, and by ``first_seen``. A key that is
        missing in between is compared across the gap.
    """
    return query(_CHANGES.format(key=key, column=column), series=archived)


stage_changes = partial(changes, key="opportunity_id", column="stage")
lead_changes = partial(changes, key="lead_id", column="stage")
owner_changes = partial(changes, key="customer_id", column="owner_id")
tier_changes = partial(changes, key="customer_id", column="own_tier")


def stage_history(archived: pa.Table) -> pa.Table:
    """INPUT ``stage_history`` from the archives of opportunities.

    Returns
    -------
    pyarrow.Table
        ``entered_at`` is the day on which the stage was first seen: the latest on which it can
        have been entered. Stages that stood in the first archive began before it, nobody knows
        when, and have no row.
    """
    found = query(_HISTORY, changes=stage_changes(archived), series=archived)
    return found.cast(INPUT["stage_history"].schema())


def customer_changes(customers: pa.Table, receivables: pa.Table) -> pa.Table:
    """INPUT ``customer_changes`` from the archives of customers and of receivables.

    Parameters
    ----------
    customers, receivables
        From `series`; either may be without rows.

    Returns
    -------
    pyarrow.Table
        A change of the person in charge, of the company's own tier and of the money that is
        open, on the first day that showed it. What stood in the first archive, or with which a
        customer came in, is no change; who is in an archive of receivables no more owes nothing.
    """
    parts = [pa.table({name: [] for name in _CHANGED.names}, schema=_CHANGED)]
    for field, found in (("owner_id", owner_changes), ("own_tier", tier_changes)):
        if len(customers):
            seen = query(_SEEN, {"field": field}, changes=found(customers))
            parts.append(seen.cast(_CHANGED))
    if len(receivables):
        owed = query(_OWED, series=receivables)
        seen = query(
            _SEEN, {"field": "receivables"}, changes=changes(owed, "customer_id", "amount")
        )
        parts.append(seen.cast(_CHANGED))
    every = pa.concat_tables(parts)
    return every.sort_by([(name, "ascending") for name in ("customer_id", "changed_on", "field")])


def by_own_number(history: pa.Table, known: pa.Table, system: str) -> pa.Table:
    """Changes of balances under the company's own customer numbers.

    Parameters
    ----------
    history
        `customer_changes`, with the balances under another system's numbers.
    known
        INPUT ``customer_keys``; a number without a partner stays as it is.
    system
        Of the receivables.
    """
    return query(_OWN_NUMBERS, {"system": system}, history=history, known=known)


def read_history(
    name: str, run: str, root: Path, as_of: date
) -> tuple[pa.Table, list[File], list[int]]:
    """A history of a run's archives up to a day.

    Parameters
    ----------
    name
        ``stage_history`` or ``customer_changes``.

    Returns
    -------
    tuple
        The history with `_file` and `_row`; the archives' files and their numbers of rows.

    Raises
    ------
    SourceError
        If there is no archive by that day, or one is damaged.
    """
    files, problems = snapshot_files(run, name, root)
    known = [file for file in files if date.fromisoformat(file.path.parent.name) <= as_of]
    if not known:
        args = {"run": run, "day": as_of.isoformat()}
        raise SourceError(problems or [Problem("sources.no_snapshot_by", args)])
    of = {table: [f for f in known if f.path.stem == table] for table in HISTORY_OF[name]}
    archived = [series(part) if part else _NOTHING for part in of.values()]
    history = _HISTORIES[name](*archived)
    place = pa.array([f"snapshots/{run}"] * len(history), pa.string())
    history = history.append_column("_file", place)
    history = history.append_column("_row", pa.array(range(1, len(history) + 1), pa.int64()))
    return history, known, [pq.read_metadata(file.path).num_rows for file in known]


_HISTORIES: dict[str, Callable[..., pa.Table]] = {
    "stage_history": stage_history,
    "customer_changes": customer_changes,
}


def _is_whole(path: Path) -> bool:
    """Whether a file is as the manifest beside it says."""
    try:
        manifest = json.loads((path.parent / MANIFEST).read_text(encoding="utf-8"))
        expected = manifest["tables"][path.stem]["sha256"]
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return bool(hashlib.sha256(path.read_bytes()).hexdigest() == expected)
