"""Tables that stand wide: headers that become rows.

Listed headers (outcomes), the age buckets of receivables, the months of targets.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from analysis.errors import Problem
from analysis.settings_sources import Source
from analysis.sources import buckets, months, texts
from analysis.tables import Table

BUCKETS, MONTHS = "buckets", "months"


@dataclass(frozen=True)
class WideHeader:
    """A header that becomes rows: where it stands, and what its rows say."""

    index: int
    header: str
    label: str


def targets(table: Table, source: Source) -> tuple[str, str]:
    """The two columns that wide headers fill: what the header says, and the value."""
    if source.wide == BUCKETS:
        return ("bucket", "amount")
    if source.wide == MONTHS:
        return ("period", "value")
    if table.name == "targets":
        return ("kpi" if "period" in source.columns else "period", "value")
    return ("outcome", "value")


def hits(cells: Sequence[str], source: Source) -> tuple[int, bool]:
    """How many of the wanted headers a row holds, and whether that is all that is needed."""
    if isinstance(source.wide, list):
        found = sum(texts.header(name) in cells for name in source.wide)
        return found, found == len(source.wide)
    found = len(_parsed(cells, source, ()))
    return found, found > 0


def find(
    cells: Sequence[str], table: Table, source: Source, taken: Collection[int], file: str
) -> tuple[list[WideHeader], list[Problem]]:
    """The headers of one file that become rows, and what is wrong with them.

    Parameters
    ----------
    cells
        Headers as `texts.header` returns them.
    table, source
        The canonical table and its settings.
    taken
        Positions that other columns use.
    file
        The file's name for messages.

    Returns
    -------
    tuple
        Headers in the file's order, and problems. A listed header that is missing is not
        among them: the caller knows its neighbours.
    """
    if isinstance(source.wide, list):
        counts = Counter(cells)
        plain = [texts.header(name) for name in source.wide]
        return [WideHeader(list(cells).index(p), p, p) for p in plain if counts[p] == 1], []
    found = _parsed(cells, source, taken)
    place = {"column": f"{table.name}.{targets(table, source)[0]}"}
    if not found:
        shown = " | ".join([c for c in cells if c][:10]) or "-"
        return [], [Problem(f"sources.no_{source.wide}", {**place, "present": shown}, file)]
    twice = [label for label, n in Counter(f.label for f in found).items() if n > 1]
    problems = []
    for label in twice:
        same = " | ".join(f.header for f in found if f.label == label)
        args = {**place, "headers": same, "found": label}
        problems.append(Problem("sources.wide_twice", args, file))
    return found, problems


def _parsed(cells: Sequence[str], source: Source, taken: Collection[int]) -> list[WideHeader]:
    free = [(i, cell) for i, cell in enumerate(cells) if cell and i not in taken]
    if source.wide == MONTHS:
        named = [(i, cell, months.parse(cell, source.year or 0)) for i, cell in free]
        return [WideHeader(i, cell, month) for i, cell, month in named if month]
    aged = [(i, cell, buckets.parse(cell)) for i, cell in free]
    spans = [WideHeader(i, cell, bucket.key) for i, cell, bucket in aged if bucket]
    # 逾期金额 beside 1-30, 31-60 … is their sum
    overdue = [s for s in spans if buckets.first_day(s.label)]
    return [s for s in spans if s.label != "1+" or len(overdue) == 1]
