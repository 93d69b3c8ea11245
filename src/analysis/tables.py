"""The canonical tables: what goes in, what a period's record holds.

Every table is one `Table`: its grain, its key and its columns with type, unit and meaning.
`python -m analysis.tables` prints the data dictionary.

Types
-----
string, integer, number (float), money (DECIMAL(18,4), plain currency units), share (0-1),
date, timestamp (naive, already in the settings' timezone), boolean, json (text).
"""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from analysis import (
    contract_tables,
    effect_tables,
    input_tables,
    kpi_tables,
    money_tables,
    plan_tables,
    record_tables,
    segment_tables,
    weekly_tables,
)

MONEY = pa.decimal128(18, 4)

ARROW_TYPES: dict[str, pa.DataType] = {
    "string": pa.string(),
    "integer": pa.int64(),
    "number": pa.float64(),
    "money": MONEY,
    "share": pa.float64(),
    "date": pa.timestamp("us"),  # pandas reads date32 as Python objects; timestamps stay vectorised
    "timestamp": pa.timestamp("us"),
    "boolean": pa.bool_(),
    "json": pa.string(),
}


@dataclass(frozen=True)
class Column:
    """A column: its name, type, meaning and, where it has one, its unit."""

    name: str
    type: str
    meaning: str
    unit: str = ""
    required: bool = False


@dataclass(frozen=True)
class Table:
    """A table: one row is `grain`; `key` identifies it."""

    name: str
    grain: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]

    @property
    def names(self) -> list[str]:
        """Column names in order."""
        return [column.name for column in self.columns]

    @property
    def required(self) -> list[str]:
        """Names of the columns that must be there."""
        return [column.name for column in self.columns if column.required]

    def column(self, name: str) -> Column:
        """The column called `name`.

        Raises
        ------
        KeyError
            If the table has no such column.
        """
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)

    def schema(self) -> pa.Schema:
        """The Arrow schema of all columns, in order."""
        return pa.schema([pa.field(c.name, ARROW_TYPES[c.type]) for c in self.columns])


def _table(name: str, grain: str, key: str, *lines: str) -> Table:
    columns = []
    for line in lines:
        head, kind, meaning = line.split(maxsplit=2)
        unit = ""
        if meaning.endswith("]"):
            meaning, unit = meaning[:-1].rsplit(" [", 1)
        columns.append(Column(head.rstrip("!"), kind, meaning, unit, head.endswith("!")))
    return Table(name, grain, tuple(key.split()), tuple(columns))


INPUT: dict[str, Table] = {n: _table(n, *lines) for n, lines in input_tables.TABLES.items()}
_RECORDS = (
    record_tables.TABLES
    | plan_tables.TABLES
    | money_tables.TABLES
    | contract_tables.TABLES
    | segment_tables.TABLES
    | effect_tables.TABLES
    | kpi_tables.TABLES
    | weekly_tables.TABLES
)
RECORD: dict[str, Table] = {n: _table(n, *lines) for n, lines in _RECORDS.items()}


# Tables that go in as documents → the table that cleaning makes of them.
MADE_FROM = {"ticket_events": "tickets", "open_items": "receivables"}


def counts_money(table: Table) -> bool:
    """Whether the rows of a table carry money that has to tie out: a column ``amount``."""
    return any(c.name == "amount" and c.type == "money" for c in table.columns)


def dictionary() -> str:
    """The data dictionary as Markdown."""
    lines = ["# Data dictionary"]
    for title, tables in (("Tables that go in", INPUT), ("Tables of a record", RECORD)):
        lines += ["", f"## {title}"]
        for table in tables.values():
            lines += [
                "",
                f"### {table.name}",
                "",
                f"One row: {table.grain}. Key: {', '.join(table.key)}.",
                "",
                "| column | type | unit | required | meaning |",
                "|---|---|---|---|---|",
            ]
            lines += [
                f"| {c.name} | {c.type} | {c.unit} | {'yes' if c.required else ''} | {c.meaning} |"
                for c in table.columns
            ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(dictionary(), end="")
