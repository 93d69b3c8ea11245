"""Whose desk holds what: the plan's tasks, visits and reminders, person by person.

What a person's files may hold is settled here and nowhere else: the rows that are his own, and of
the customers only those that these rows name.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

import pandas as pd
import pyarrow as pa

from analysis import wording
from analysis.calendars import Period
from analysis.engine import to_frame
from analysis.settings_model import Settings
from analysis.tables import RECORD
from analysis.wording import Language
from analysis.wording.told import told, word

_READ = (
    "tasks", "visits", "reminders", "customers", "people", "segments", "scheme_segments",
    "account_plans", "customer_keys",
)  # fmt: skip
_LONGEST = 60  # characters of a file's name, without its ending
_NUMBERED = re.compile(r"-[0-9a-f]{8}\Z")
_RESERVED = re.compile(r"(?i)\A(con|prn|aux|nul|com\d|lpt\d)\Z")


@dataclass(frozen=True)
class Desks:
    """Everybody's tasks, visits and reminders, with the words for them.

    Attributes
    ----------
    frames
        From `Desks.of`: the record's tables by name, empty where it has none.
    """

    frames: Mapping[str, pd.DataFrame]
    settings: Settings
    as_of: date
    lang: Language

    @classmethod
    def of(
        cls, tables: Mapping[str, pa.Table], settings: Settings, as_of: date, lang: Language
    ) -> Desks:
        """Those of a record.

        Parameters
        ----------
        tables
            RECORD tables by name; of the others nothing is read.
        settings
            Run, period and currency.
        as_of
            Last day that counts.
        """
        frames = {
            name: to_frame(tables[name])
            if name in tables
            else pd.DataFrame(columns=RECORD[name].names)
            for name in _READ
        }
        return cls(frames, settings, as_of, lang)

    @property
    def period(self) -> Period:
        """The period that the plan is for."""
        return Period.parse(self.settings.period).next()

    @cached_property
    def owners(self) -> list[str]:
        """Everybody with a task, a visit or a reminder."""
        columns = (self.frames[name]["owner_id"] for name in ("tasks", "visits", "reminders"))
        return sorted({who for column in columns for who in column if isinstance(who, str) and who})

    @cached_property
    def parts(self) -> dict[str, dict[str, pd.DataFrame]]:
        """Table → person → his rows."""
        order = {
            "tasks": ["due", "customer_id", "task_id"],
            "visits": ["on_day", "customer_id", "visit_id"],
            "reminders": ["remind_on", "kind", "reminder_id"],
        }
        return {
            name: {
                str(who): rows
                for who, rows in self.frames[name].sort_values(by).groupby("owner_id", sort=True)
            }
            for name, by in order.items()
        }

    def mine(self, table: str, owner: str) -> pd.DataFrame:
        """A person's rows, in the order in which they come up."""
        return self.parts[table].get(owner, self.frames[table].head(0))

    @cached_property
    def customer(self) -> dict[str, str]:
        """Customer → name; without one the number."""
        frame = self.frames["customers"]
        named = zip(frame["customer_id"], frame["name"], strict=True)
        return {key: name if isinstance(name, str) and name else key for key, name in named}

    @cached_property
    def person(self) -> dict[str, str]:
        """Person → name; without one the number."""
        frame = self.frames["people"]
        named = zip(frame["person_id"], frame["name"], strict=True)
        return {key: name if isinstance(name, str) and name else key for key, name in named}

    @cached_property
    def segments(self) -> dict[str, str]:
        """The primary scheme's segments in its order, with their names."""
        own = self.frames["scheme_segments"]
        own = own[own["primary"].astype(bool)].sort_values("position")
        found = {
            str(key): str(name) if isinstance(name, str) and name else self._segment(key)
            for key, name in zip(own["segment"], own[f"name_{self.lang}"], strict=True)
        }
        return found or {key: self._segment(key) for key in _known(self.frames["segments"])}

    def _segment(self, key: object) -> str:
        return word(f"segment.{key}", self.lang)

    @cached_property
    def words(self) -> dict[str, str]:
        """Title or standard as the table holds it → as people read it."""
        tasks = self.frames["tasks"]
        return {
            text: self.told(text)
            for column in ("title", "standard")
            for text in tasks[column].unique()
        }

    def told(self, reason: object) -> str:
        """A reason as a sentence; empty for none."""
        known = reason if isinstance(reason, str) else ""
        return told(known, self.lang, self.settings.currency)

    def text(self, key: str, **args: Any) -> str:
        """Words of the desk."""
        return word(f"desk.{key}", self.lang, **args)

    def head(self, column: str) -> str:
        """How a column is headed."""
        return wording.text(f"desk.head.{column}", self.lang)


def _known(segments: pd.DataFrame) -> list[str]:
    return sorted({str(key) for key in segments["segment"].dropna()})


def file_names(owners: Sequence[str]) -> dict[str, str]:
    """A safe file name for each person, without an ending.

    Letters, digits, ``-`` and ``_`` stay; everything else, also what leads to another folder,
    becomes ``_``. Where that says less than the number did, or where a disk that does not tell
    capitals apart would take two names for one, the first digits of the number's hash follow.
    """
    plain = {owner: _safe(owner) for owner in owners}
    folded = [_fold(name) for name in plain.values()]
    return {
        owner: name
        if name == owner and folded.count(_fold(name)) == 1 and not _NUMBERED.search(name)
        else f"{name}-{hashlib.sha256(owner.encode('utf-8', 'replace')).hexdigest()[:8]}"
        for owner, name in plain.items()
    }


def _safe(owner: str) -> str:
    known = unicodedata.normalize("NFC", owner)
    name = "".join(c if c.isalnum() or c in "-_" else "_" for c in known)[:_LONGEST]
    while len(name.encode()) > 4 * _LONGEST // 2:
        name = name[:-1]
    return "_" if not name or _RESERVED.match(name) else name


def _fold(name: str) -> str:
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
