"""A table as an analyst reads it in a notebook: words for keys, numbers as the language writes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from analysis import wording
from analysis.exhibits.exhibit import NOTEBOOK, Exhibit
from analysis.exhibits.markup import tag
from analysis.wording import Language
from analysis.wording.numbers import format_value, money_scale
from analysis.wording.told import told

_LONGEST = 20
_STEMS = {"step": ("rule", "bridge", "arr_bridge"), "column": ("column", "workbook.column")}


def listing(
    frame: pd.DataFrame,
    lang: Language,
    units: Mapping[str, str] | None = None,
    currency: str = "CNY",
) -> Exhibit:
    """A table for reading: keys in words, numbers as the language writes them.

    Parameters
    ----------
    frame
        At most its first twenty rows are shown; the rest is counted.
    units
        Column → unit of `analysis.wording.numbers.format_value`; money columns share one
        scale each, named in their header. ``by_row``: the unit stands in the column ``unit``.
    """
    units = units or {}
    heads, columns = [], []
    for name in frame.columns:
        values = frame[name].head(_LONGEST)
        unit = units.get(str(name))
        head = word("column", str(name), lang)
        if unit == "money":
            scale = money_scale(values, lang, currency)
            head = f"{head} ({scale.label})"
            cells = [format_value(v, unit, lang, scale=scale) for v in values]
        elif unit == "by_row":
            pairs = zip(values, frame["unit"].head(_LONGEST), strict=True)
            cells = [_with_unit(v, str(u), lang, currency) for v, u in pairs]
        elif unit:
            cells = [format_value(v, unit, lang) for v in values]
        else:
            cells = [_cell(str(name), v, lang, currency) for v in values]
        heads.append((head, bool(unit)))
        columns.append(cells)
    rows = list(zip(*columns, strict=True))
    side = [
        {"style": "text-align:right"} if number else {"style": "text-align:left"}
        for _, number in heads
    ]
    html = tag(
        "table",
        tag(
            "thead", tag("tr", *(tag("th", h, **s) for (h, _), s in zip(heads, side, strict=True)))
        ),
        tag(
            "tbody",
            *(
                tag("tr", *(tag("td", c, **s) for c, s in zip(row, side, strict=True)))
                for row in rows
            ),
        ),
    )
    more = len(frame) - len(rows)
    tail = wording.text("analyst.more_rows", lang, count=f"{more:,}") if more > 0 else ""
    plain = pd.DataFrame(rows, columns=[h for h, _ in heads]).to_string(index=False)
    text = plain + "\n" + tail
    return Exhibit("tbl-analyst", str(html) + tail, text, text, page=NOTEBOOK)


def _cell(column: str, value: Any, lang: Language, currency: str) -> str:
    # A reason, JSON of a key with its arguments, is read out.
    is_reason = isinstance(value, str) and value.startswith(('{"', '[{"'))
    if is_reason and ('"key"' in value or '"text"' in value):
        return told(value, lang, currency)
    return "" if is_reason or value == "{}" else word(column, value, lang)


def _with_unit(value: Any, unit: str, lang: Language, currency: str) -> str:
    if unit != "money":
        return format_value(value, unit, lang)
    scale = money_scale([value], lang, currency)
    return f"{format_value(value, unit, lang, scale=scale)} {scale.label}"


def word(column: str, value: Any, lang: Language) -> str:
    """A key in words where the catalogues know it, else the value itself."""
    if value is None or (isinstance(value, float) and pd.isna(value)):
        return "–"
    stems = _STEMS.get(column, (column.partition("_")[0], column))
    for key in (*(f"{stem}.{value}" for stem in stems), f"analyst.word.{value}"):
        if wording.has(key):
            return wording.text(key, lang)
    return str(value)
