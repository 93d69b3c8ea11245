"""What was read from each file, told to the person who exported it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pandas as pd

from analysis import wording
from analysis.wording import Language
from analysis.wording.told import told, word

_SHOWN = 3  # rows that are told with their reason
_SAID = ("note.encoding",)  # stands on the file's own line
_SHEET = " › "


def lines(files: pd.DataFrame, rejected: pd.DataFrame, lang: Language, money: str) -> Iterator[str]:
    """A summary, then by table each file with what is notable and the rows it lost.

    Parameters
    ----------
    files
        In the layout of ``sources``.
    rejected
        In the layout of ``removed_rows``.
    money
        Currency of the settings, for amounts in reasons.
    """
    rows = int(files["rows"].sum())
    args: dict[str, Any] = {"rows": f"{rows:,}", "gone": f"{len(rejected):,}"}
    args |= {"tables": f"{files['table'].nunique():,}", "files": f"{files['file'].nunique():,}"}
    yield word("reading.summary" if len(rejected) else "reading.summary_all", lang, **args)
    for table, group in files.groupby("table", sort=False):
        name = word(f"table.{table}", lang)
        yield ""
        yield wording.text("reading.table", lang, name=name, table=table)
        lost = rejected[rejected["table"] == table]
        owner = lost["file"].astype(str).str.split(_SHEET, n=1, regex=False).str[0]
        for _, file in group.iterrows():
            yield f"  {_file(file, lang)}"
            for note in json.loads(file["note"] or "[]"):
                if note["key"] not in _SAID:
                    yield f"    · {told(json.dumps(note), lang, money)}"
            yield from _lost(lost[owner == file["file"]], lang, money)


def _file(file: pd.Series, lang: Language) -> str:
    """A file's line: its name, its kind, where its header stands, how many rows it has."""
    kind = f"reading.format.{file['format']}"
    facts = [wording.text(kind, lang) if wording.has(kind) else str(file["format"])]
    if isinstance(file["encoding"], str):
        facts.append(file["encoding"].upper())
    if pd.notna(file["header_row"]):
        facts.append(wording.text("reading.header", lang, row=f"{int(file['header_row']):,}"))
    facts.append(word("reading.rows", lang, rows=f"{int(file['rows']):,}"))
    said = wording.text("error.list_comma", lang).join(facts)
    return wording.text("reading.file", lang, file=file["file"], facts=said)


def _lost(rows: pd.DataFrame, lang: Language, money: str) -> Iterator[str]:
    """Rows that are not used: counted by reason, the first ones with their place."""
    if rows.empty:
        return
    counts = rows["rule"].value_counts(sort=False).sort_index().sort_values(
        ascending=False, kind="stable"
    )  # fmt: skip
    each = [f"{word(f'rule.{rule}', lang)} {count:,}" for rule, count in counts.items()]
    reasons = wording.text("error.list_comma", lang).join(each)
    yield "    " + word("reading.lost", lang, rows=f"{len(rows):,}", reasons=reasons)
    # totals are no loss: their number is enough, unless there is nothing else
    worth = rows[rows["rule"] != "total_row"] if (rows["rule"] != "total_row").any() else rows
    for _, row in worth.head(_SHOWN).iterrows():
        _, _, sheet = row["file"].partition(_SHEET)
        place = f"{sheet}{_SHEET}" if sheet else ""
        reason = told(row["reason"], lang, money)
        yield "      " + wording.text(
            "reading.row", lang, row=f"{int(row['row']):,}", place=place, reason=reason
        )
    if len(worth) > _SHOWN:
        yield "      " + word("reading.more", lang, rows=f"{len(worth) - _SHOWN:,}")
