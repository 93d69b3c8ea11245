"""Facts: the only numbers that a sentence, a title, a tile or a table cell may print.

A fact carries its value with unit, the number of rows it rests on, its interval and the table
it came from. Its id names it in every language and format: ``kpi.revenue``,
``segment.high_value.share``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

import pandas as pd

from analysis.errors import Problem, StageError

UNITS = frozenset(
    ["money", "share", "points", "relative", "ratio", "count", "days", "cycles", "number", "date"]
)

Value = float | int | str
Tables = Mapping[str, pd.DataFrame]
_SPLITTING = re.compile(r"[.\s]")


@dataclass(frozen=True)
class Fact:
    """One printable value.

    Attributes
    ----------
    id
        Dotted name, unique in a record.
    value
        Number in `unit`, or an ISO day where the unit is ``date``.
    unit
        money, share (0-1), points (difference of shares), relative (relative change), ratio,
        count, days, cycles, number or date.
    n
        Rows or customers it rests on.
    low, high, level
        Interval and its level.
    source
        Table or settings key it comes from.
    """

    id: str
    value: Value
    unit: str
    n: int | None = None
    low: float | None = None
    high: float | None = None
    level: float | None = None
    source: str = ""


class FactBook(Mapping[str, Fact]):
    """Facts by id. The same id with another value is refused."""

    def __init__(self, facts: Iterable[Fact] = ()) -> None:
        self._facts: dict[str, Fact] = {}
        for fact in facts:
            self.add(fact)

    def add(self, fact: Fact) -> None:
        """Take one fact in.

        Raises
        ------
        StageError
            If the unit is unknown, or the id stands there with another value.
        """
        if fact.unit not in UNITS:
            raise StageError(Problem("exhibits.unknown_unit", {"fact": fact.id, "unit": fact.unit}))
        known = self._facts.setdefault(fact.id, fact)
        if (known.value, known.unit) != (fact.value, fact.unit):
            raise StageError(
                Problem(
                    "exhibits.fact_twice",
                    {"fact": fact.id, "first": str(known.value), "second": str(fact.value)},
                )
            )

    def merge(self, *others: Mapping[str, Fact]) -> FactBook:
        """A new book with the facts of all."""
        return FactBook([*self.values(), *(f for other in others for f in other.values())])

    def __getitem__(self, key: str) -> Fact:
        return self._facts[key]

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._facts))

    def __len__(self) -> int:
        return len(self._facts)

    def __contains__(self, key: object) -> bool:
        return key in self._facts

    def to_json(self) -> dict[str, dict[str, Any]]:
        """JSON-ready: id → what is known of it, sorted by id."""
        return {
            key: {k: v for k, v in asdict(self._facts[key]).items() if k != "id" and v is not None}
            for key in self
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Mapping[str, Any]]) -> FactBook:
        """The book that `to_json` wrote."""
        return cls(Fact(id=key, **entry) for key, entry in data.items())


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a table as maps, column → cell."""
    return [{str(k): v for k, v in row.items()} for row in frame.to_dict("records")]


def frame_of(tables: Tables, name: str) -> pd.DataFrame:
    """A table of a record; empty where the record does not have it."""
    found = tables.get(name)
    return pd.DataFrame() if found is None else found


def known_fact(id_: str, value: object, unit: str, source: str) -> Iterator[Fact]:
    """The fact, if its value is known."""
    known = plain_value(value)
    if known is not None:
        yield Fact(id_, known, unit, source=source)


def plain_value(value: Any) -> Value | None:
    """A table cell as JSON-ready value; None where it is missing.

    Days become ISO text; whole numbers stay whole.
    """
    if isinstance(value, (datetime, date, pd.Timestamp)):
        return None if pd.isna(value) else value.isoformat()[:10]
    if value is None or value is pd.NaT or value is pd.NA:
        return None
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return int(value)
    number = float(value)
    if not math.isfinite(number):
        return None
    # Sums of doubles may differ in the last bit between machines; nobody prints 12 places.
    number = float(f"{number:.12g}")
    return int(number) if number.is_integer() and abs(number) < 2**53 else number


def fact_id(*parts: object) -> str:
    """Join parts to an id without blanks; only the first part may hold dots."""
    head, *rest = (str(part) for part in parts)
    return ".".join([head, *(_SPLITTING.sub("_", part) for part in rest if part != "")])


def facts_from_table(
    name: str,
    frame: pd.DataFrame,
    *,
    key: str | Sequence[str],
    units: Mapping[str, str],
    prefix: str | None = None,
    n: str | None = None,
    low: str | None = None,
    high: str | None = None,
    unit_column: str | None = None,
    level: str | None = None,
) -> FactBook:
    """One fact per cell of the columns in `units`.

    Parameters
    ----------
    name
        Name of the table: the facts' source.
    frame
        The table, one row per key.
    key
        Key column(s); their values stand between prefix and column name.
    units
        Column → unit. ``row`` takes the unit from `unit_column`; ``change`` is points where
        that unit is a share and relative elsewhere.
    prefix
        First part of the ids; the table's name by default.
    n, low, high, level
        Columns with the number of rows, the interval and its level; the interval belongs to
        the columns ``value`` and ``estimate``.
    unit_column
        Column that holds each row's own unit.

    Returns
    -------
    FactBook
        Ids ``<prefix>.<key parts>.<column>``, and ``<prefix>.<key parts>`` for the column
        ``value``. Missing cells give no fact.
    """
    book = FactBook()
    keys = [key] if isinstance(key, str) else list(key)
    head = name if prefix is None else prefix
    for row in records(frame):
        parts = [head, *(row[k] for k in keys if row[k] is not None)]
        for column, unit in units.items():
            value = plain_value(row.get(column))
            if value is None:
                continue
            own = _unit(unit, str(row[unit_column]) if unit_column else "")
            main = column in ("value", "estimate")
            book.add(
                Fact(
                    fact_id(*parts, "" if column == "value" else column),
                    value,
                    own,
                    n=_whole(row, n),
                    low=_number(row, low if main else None),
                    high=_number(row, high if main else None),
                    level=_number(row, level if main else None),
                    source=name,
                )
            )
    return book


def _unit(kind: str, own: str) -> str:
    """A column's unit, where it follows from the row's own."""
    match kind:
        case "row":
            return own
        case "change":
            return "points" if own == "share" else "relative"
        case "difference":
            return "points" if own == "share" else own
    return kind


def _number(row: Mapping[Any, Any], column: str | None) -> float | None:
    value = plain_value(row.get(column)) if column else None
    return None if value is None or isinstance(value, str) else float(value)


def _whole(row: Mapping[Any, Any], column: str | None) -> int | None:
    number = _number(row, column)
    return None if number is None else int(number)
