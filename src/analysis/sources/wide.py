"""Tables that stand wide: headers that become rows.

Listed headers (outcomes), the age buckets of receivables, the months of targets.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from analysis.errors import Problem
from analysis.settings_sources import Source
from analysis.sources import buckets, months, texts
from analysis.sources.grid import Note
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


@dataclass(frozen=True)
class Found:
    """The headers of one file that become rows.

    Attributes
    ----------
    rows
        In the file's order.
    sums
        Headers that add others up: checked against them, then left out.
    problems, notes
        What is wrong, and what was made of it.
    """

    rows: tuple[WideHeader, ...] = ()
    sums: tuple[WideHeader, ...] = ()
    problems: tuple[Problem, ...] = ()
    notes: tuple[Note, ...] = ()


def find(
    cells: Sequence[str], table: Table, source: Source, taken: Collection[int], file: str
) -> Found:
    """The headers of one file that become rows, and what is wrong with them.

    A listed header that is missing is not among the problems: the caller knows its neighbours.

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
    """
    if isinstance(source.wide, list):
        counts = Counter(cells)
        plain = [texts.header(name) for name in source.wide]
        rows = [WideHeader(list(cells).index(p), p, p) for p in plain if counts[p] == 1]
        return Found(tuple(rows))
    found = _parsed(cells, source, taken)
    place = {"column": f"{table.name}.{targets(table, source)[0]}"}
    if not found:
        shown = " | ".join([c for c in cells if c][:10]) or "-"
        args = {**place, "present": shown}
        return Found(problems=(Problem(f"sources.no_{source.wide}", args, file),))
    problems = []
    for label in [label for label, n in Counter(f.label for f in found).items() if n > 1]:
        same = " | ".join(f.header for f in found if f.label == label)
        args = {**place, "headers": same, "found": label}
        problems.append(Problem("sources.wide_twice", args, file))
    if problems:
        return Found(tuple(found), problems=tuple(problems))
    if source.wide == MONTHS:
        return _over_time(cells, source, taken, found)
    return _aged(found, place, file)


def _over_time(
    cells: Sequence[str], source: Source, taken: Collection[int], found: Sequence[WideHeader]
) -> Found:
    """Months; quarters only where no month stands; sums apart."""
    months_ = [h for h in found if "Q" not in h.label]
    rows = months_ or list(found)
    sums = [h for h in found if h not in rows]
    used = {h.index for h in found} | set(taken)
    for i, cell in enumerate(cells):
        span = months.sum_of(cell, source.year or 0) if cell and i not in used else None
        if span and any(months.within(h.label, span) for h in rows):
            sums.append(WideHeader(i, cell, span))
    return Found(tuple(rows), tuple(sums))


def _aged(found: Sequence[WideHeader], place: Mapping[str, str], file: str) -> Found:
    """Age buckets without those that others make up, and what lies between them."""
    seen = buckets.coverage([h.label for h in found])
    header = {h.label: h.header for h in found}
    overdue = [h for h in found if buckets.first_day(h.label)]
    # 逾期金额 beside 1-30, 31-60 … is their sum, whatever is missing between them
    sums = {*seen.sums, *(["1+"] if len(overdue) > 1 else [])}
    problems = [
        Problem("sources.buckets_overlap", {**place, "headers": f"{header[a]} | {header[b]}"}, file)
        for a, b in seen.overlaps
        if not {a, b} & sums
    ]
    gaps = () if "1+" in sums else seen.gaps
    notes: list[Note] = [("note.bucket_gap", {"days": d.removeprefix("not_due_")}) for d in gaps]
    notes += [
        ("note.bucket_shared", {"headers": f"{header[a]} | {header[b]}"}) for a, b in seen.shared
    ]
    left = [h for h in found if h.label in sums]
    if left:
        names = " | ".join(h.header for h in left)
        notes.append(("note.bucket_sum", {"headers": names}))
    rows = [h for h in found if h.label not in sums]
    return Found(tuple(rows), (), tuple(problems), tuple(notes))


def _parsed(cells: Sequence[str], source: Source, taken: Collection[int]) -> list[WideHeader]:
    free = [(i, cell) for i, cell in enumerate(cells) if cell and i not in taken]
    if source.wide == MONTHS:
        named = [(i, cell, months.parse(cell, source.year or 0)) for i, cell in free]
        return [WideHeader(i, cell, month) for i, cell, month in named if month]
    aged = [(i, cell, buckets.parse(cell)) for i, cell in free]
    return [WideHeader(i, cell, bucket.key) for i, cell, bucket in aged if bucket]
