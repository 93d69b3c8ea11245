"""What differs between two records."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from analysis import store, wording
from analysis.errors import Problem, SourceError
from analysis.wording import Language


def lines(a: Path, b: Path, lang: Language) -> Iterator[str]:
    """Settings, inputs, code and tables that differ between records `a` and `b`.

    Raises
    ------
    SourceError
        If one of them is no record.
    """
    for folder in (a, b):
        if not (folder / store.MANIFEST).is_file():
            raise SourceError(Problem("store.no_record_at", {"folder": folder.as_posix()}))
    one, two = store.Record(a), store.Record(b)
    found = False
    for part in ("settings", "inputs", "versions"):
        for name, was, now in _changes(one.manifest[part], two.manifest[part]):
            found = True
            args = {"name": name, "before": _plain(was), "after": _plain(now)}
            yield wording.text(f"diff.{part}", lang, **args)
    for table in sorted({*one.tables, *two.tables}):
        name = f"tables/{table}.parquet"
        if one.manifest["files"].get(name) == two.manifest["files"].get(name):
            continue
        found = True
        rows = [len(r.arrow(table)) if table in r.tables else 0 for r in (one, two)]
        yield wording.text(
            "diff.table", lang, table=table, before=f"{rows[0]:,}", after=f"{rows[1]:,}"
        )
    if not found:
        yield wording.text("diff.nothing", lang)


def _changes(a: dict[str, Any], b: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    for name in sorted({*a, *b}):
        if _value(a.get(name)) != _value(b.get(name)):
            yield name, _value(a.get(name)), _value(b.get(name))


def _value(entry: Any) -> Any:
    return entry["value"] if isinstance(entry, dict) and "origin" in entry else entry


def _plain(value: Any) -> str:
    if value is None:
        return "–"
    text = str(value)
    return text[:7] if len(text) == 64 else text[:60]
