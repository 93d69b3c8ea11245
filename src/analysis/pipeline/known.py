"""One customer of a record, as a person at a terminal reads of it."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from analysis import store, wording
from analysis.wording import Language
from analysis.wording.numbers import currency_word, format_value
from analysis.wording.told import money, told, word


@dataclass(frozen=True)
class Customer:
    """One customer of a record, and how its reader wants it said."""

    id: str
    record: store.Record
    settings: Mapping[str, Any]
    lang: Language
    currency: str
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)

    def table(self, name: str) -> pd.DataFrame:
        """A table of the record; empty where an older record does not have it."""
        if name not in self.tables:
            has = name in self.record.tables
            self.tables[name] = self.record.table(name) if has else pd.DataFrame()
        return self.tables[name]

    def rows(self, name: str) -> list[dict[str, Any]]:
        """The customer's rows of a table."""
        found = self.table(name)
        if found.empty or "customer_id" not in found:
            return []
        return [
            {str(k): v for k, v in row.items()}
            for row in found[found["customer_id"] == self.id].to_dict("records")
        ]

    def row(self, name: str) -> dict[str, Any]:
        """The customer's row of a table with one a customer; empty without."""
        return next(iter(self.rows(name)), {})

    def text(self, key: str, **args: Any) -> str:
        """A text of this command's catalogue."""
        return wording.text(f"why.{key}", self.lang, **args)

    def word(self, kind: str, key: Any) -> str:
        """What a key is called; an unknown one stands for itself."""
        return word(f"{kind}.{key}", self.lang)

    def segment(self, key: Any) -> str:
        """A segment's name, also one that the company's own scheme brings."""
        own = self.table("scheme_segments")
        if len(own) and not wording.has(f"segment.{key}"):
            named = own.loc[own["segment"] == key, f"name_{self.lang}"].dropna()
            if len(named) and named.iloc[0]:
                return str(named.iloc[0])
        return self.word("segment", key)

    def told(self, reason: Any) -> str:
        """A reason of a table as a sentence."""
        return told(str(reason), self.lang, self.currency)

    def money(self, value: Any) -> str:
        """An amount with its unit."""
        return money(value, self.lang, self.currency)

    def exact(self, value: float) -> str:
        """An amount to the cent, as a person can add it up."""
        number = format_value(value, "number", self.lang, decimals=2)
        unit = currency_word(self.currency, self.lang)
        return f"{number} {unit}" if self.lang == "zh" else f"{unit} {number}"

    def day(self, value: Any) -> str:
        """A day, a dash where there is none."""
        return format_value(value, "date", self.lang)


def aligned(rows: Sequence[tuple[str, str]]) -> Iterator[str]:
    """Two columns, one below the other; a Chinese character takes two places."""
    wide = max((_places(label) for label, _ in rows), default=0)
    for label, value in rows:
        yield f"{label}{' ' * (wide - _places(label) + 2)}{value}"


def _places(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
