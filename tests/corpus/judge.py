"""Reads the cases of the corpus and says in what they differ from what must come of them."""

from __future__ import annotations

import json
import re
import traceback
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from analysis import wording
from analysis.cleaning.pipeline import clean
from analysis.errors import AnalysisError
from analysis.settings_model import Settings
from analysis.sources import Sources, read
from tests.corpus.rows import Case
from tests.corpus.sheet import KEPT, PERSONS, PHONES

AS_OF = date(2025, 12, 31)
MOST_LINES = 8
_ADVICE = {
    "zh": re.compile("请|现有|可用"),
    "en": re.compile(
        r"\b(check|export|save|send|use|write|state|correct|rename|keep|remove|map|split|set|"
        r"name|give|open|close|make|look|spread|allowed|available)\b",
        re.IGNORECASE,
    ),
}


@dataclass
class Found:
    """What became of a case."""

    read: Sources | None = None
    error: AnalysisError | None = None
    fault: str = ""
    lines: list[tuple[Any, ...]] = field(default_factory=list)  # row, fate, money, …


def settings(sources: Mapping[str, Any]) -> Settings:
    """Settings with these sources."""
    return Settings.model_validate({"run": "corpus", "period": "2025Q4", "sources": sources})


def read_all(cases: Sequence[Case], folder: Path) -> dict[str, Found]:
    """Read every case by itself, then clean what could be read."""
    found: dict[str, Found] = {}
    for case in cases:
        (folder / case.file).write_bytes(case.content())
        found[case.file] = read_one(settings({"orders": case.source()}), folder)
    _clean({file: one for file, one in found.items() if one.read is not None})
    return found


def read_one(chosen: Settings, folder: Path) -> Found:
    """What the reader makes of the sources: tables, an error, or a fault of the program."""
    try:
        return Found(read=read(chosen, folder))
    except AnalysisError as error:
        return Found(error=error)
    except Exception:
        return Found(fault=traceback.format_exc())


def _clean(found: Mapping[str, Found]) -> None:
    """Clean all files in one go: their orders are kept apart by the file's name."""
    tables, rejected = [], []
    for file, one in found.items():
        assert one.read is not None
        table = one.read.tables["orders"]
        at = table.column_names.index("order_id")
        apart = pc.binary_join_element_wise(file, pc.fill_null(table["order_id"], ""), "/")
        tables.append(table.set_column(at, "order_id", apart))
        rejected.append(one.read.rejected)
    every = pa.concat_tables(tables, promote_options="default").combine_chunks()
    gone = pa.concat_tables(rejected)
    cleaned = clean({"orders": every}, settings({"orders": {"path": "x"}}), AS_OF, gone)
    removed = _tuples(cleaned.removed, "file", "row", "rule", "amount")
    for file, row, rule, money in removed:
        found[_of(file)].lines.append((row, rule, money))
    away = {(file, row) for file, row, _, _ in removed}
    stays = {
        order: (file, row)
        for order, file, row in _tuples(every, "order_id", "_file", "_row")
        if (file, row) not in away
    }
    names = ("order_id", "customer_id", "ordered_at", "amount")
    for order, customer, moment, money in _tuples(cleaned.tables["orders"], *names):
        file, row = stays[order]
        said = (row, KEPT, money, order.split("/", 1)[1], customer, moment)
        found[_of(file)].lines.append(said)


def _of(place: str) -> str:
    """The file, without the sheet that records name where several were read."""
    return place.split(" › ", maxsplit=1)[0]


def _tuples(table: pa.Table, *names: str) -> list[tuple[Any, ...]]:
    return list(zip(*(table[name].to_pylist() for name in names), strict=True))


def differences(case: Case, found: Found) -> list[str]:
    """In what a case is not as it must be; nothing if all is well."""
    if found.fault:
        return [f"a fault of the program:\n{found.fault}"]
    outcome = case.row.outcome
    if found.error is not None:
        keys = [problem.key for problem in found.error.problems]
        if not outcome.error:
            return [f"refused: {found.error}"]
        return _error_differs(case, found.error, keys)
    if outcome.error:
        return [f"read, where {outcome.error} was due: {_told(found)}"]
    return [*_notes_differ(case, found), *_lines_differ(case, found), *_does_not_tie(case, found)]


def _told(found: Found) -> list[dict[str, Any]]:
    assert found.read is not None
    return [note for told in found.read.files["note"] for note in json.loads(told)]


def _error_differs(case: Case, error: AnalysisError, keys: list[str]) -> list[str]:
    outcome = case.row.outcome
    wanted = f"sources.{outcome.error}"
    if wanted not in keys:
        return [f"told {keys} instead of {wanted}"]
    problem = next(p for p in error.problems if p.key == wanted)
    wrong = [
        f"{name} is {problem.args.get(name)!r}, not {value!r}"
        for name, value in outcome.says.items()
        if str(problem.args.get(name)) != value
    ]
    if error.exit_code != outcome.code:
        wrong.append(f"exit code {error.exit_code}")
    return wrong + message_faults(error, case.file)


def message_faults(error: AnalysisError, file: str) -> list[str]:
    """What is wrong with an error's words, in both languages."""
    wrong = []
    for lang in wording.LANGUAGES:
        lines = wording.explain(error, lang)
        text = "\n".join(lines)
        if len(text.splitlines()) > MOST_LINES:
            wrong.append(f"{len(text.splitlines())} lines in {lang}")
        if file and any(file not in line for line in lines):
            wrong.append(f"the file is not named in {lang}: {text}")
        if any(not _ADVICE[lang].search(line) for line in lines):
            wrong.append(f"no word of what to do in {lang}: {text}")
        if len(text) > 2000 or "\x00" in text:
            wrong.append(f"no message for people in {lang}")
        wrong += [f"personal data in {lang}: {text}" for p in (*PERSONS, *PHONES) if p in text]
        if "Traceback" in text:
            wrong.append("a traceback")
    return wrong


def _notes_differ(case: Case, found: Found) -> list[str]:
    told = _told(found)
    keys = {note["key"] for note in told}
    wrong = []
    if keys != case.notes:
        wrong.append(f"notes {sorted(keys)} instead of {sorted(case.notes)}")
    for note in told:
        for lang in wording.LANGUAGES:
            text = wording.text(note["key"], lang, **note["args"])
            wrong += [f"personal data: {text}" for p in (*PERSONS, *PHONES) if p in text]
    return wrong


def _lines_differ(case: Case, found: Found) -> list[str]:
    """Every line: its row, its fate, its money; and of those that stay, all they say."""
    sheet = case.row.sheet
    due: list[tuple[Any, ...]] = []
    for number, line in zip(sheet.numbers(case.form), sheet.lines, strict=True):
        if line.fate == KEPT:
            due.append((number, KEPT, line.money, line.order, line.customer, line.moment))
        else:
            due.append((number, line.fate, line.money))
    read = sorted(found.lines, key=_order)
    due.sort(key=_order)
    wrong = [f"due {a}, found {b}" for a, b in zip(due, read, strict=False) if a != b]
    if len(due) != len(read):
        wrong.append(f"{len(due)} lines were due, {len(read)} found")
    gone = Counter(one[1] for one in read if one[1] != KEPT)
    if gone != Counter(case.row.outcome.rules):
        wrong.append(f"taken away: {dict(gone)} instead of {dict(case.row.outcome.rules)}")
    return wrong[:5]


def _order(one: tuple[Any, ...]) -> tuple[Any, ...]:
    return one[0], one[1], one[3] if len(one) > 3 else ""


def _does_not_tie(case: Case, found: Found) -> list[str]:
    """In = kept + removed + rejected: rows, and money to the fourth decimal place."""
    assert found.read is not None
    sheet, wrong = case.row.sheet, []
    rows = int(found.read.files["rows"].sum())
    if not rows == len(found.lines) == len(sheet.lines):
        wrong.append(f"rows: {len(sheet.lines)} in, {rows} told, {len(found.lines)} out")
    out = sum((one[2] for one in found.lines if one[2] is not None), Decimal(0))
    if out != sheet.money:
        wrong.append(f"money: {sheet.money} in, {out} out")
    return wrong
