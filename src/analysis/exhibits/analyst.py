"""What an analyst sees in a notebook: a table with words for keys, a chart of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import seaborn as sns
from IPython.display import display
from matplotlib.figure import Figure

from analysis import wording
from analysis.exhibits import look
from analysis.exhibits.exhibit import Exhibit
from analysis.exhibits.markup import tag
from analysis.wording import Language
from analysis.wording.numbers import format_value, money_scale

_LONGEST = 20


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
        scale each, named in their header.
    """
    units = units or {}
    heads, columns = [], []
    for name in frame.columns:
        values = frame[name].head(_LONGEST)
        unit = units.get(str(name))
        head = _word("column", str(name), lang)
        if unit == "money":
            scale = money_scale(values, lang, currency)
            head = f"{head} ({scale.label})"
            cells = [format_value(v, unit, lang, scale=scale) for v in values]
        elif unit:
            cells = [format_value(v, unit, lang) for v in values]
        else:
            cells = [_word(str(name), v, lang) for v in values]
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
    return Exhibit("tbl-analyst", str(html) + tail, plain + "\n" + tail, plain + "\n" + tail)


def bars(
    frame: pd.DataFrame, *, label: str, value: str, lang: Language, hue: str | None = None
) -> Figure:
    """Horizontal bars of a table, keys in words, largest on top as given."""
    shown = frame.head(_LONGEST)
    data: dict[str, Any] = {
        "label": [_word(label, v, lang) for v in shown[label]],
        "value": shown[value].astype(float),
    }
    if hue:
        data["hue"] = [_word(hue, v, lang) for v in shown[hue]]
    with look.styled():
        figure = Figure(figsize=(6.5, 0.5 + 0.27 * len(pd.unique(pd.Series(data["label"])))))
        axes = figure.add_subplot()
        sns.barplot(
            pd.DataFrame(data),
            y="label",
            x="value",
            hue="hue" if hue else None,
            color=None if hue else look.INK,
            palette=[look.PREV_FILL, look.INK] if hue else None,
            ax=axes,
            errorbar=None,
        )
        _finish(figure, axes, _word("column", value, lang))
    return figure


def intervals(frame: pd.DataFrame, *, label: str, lang: Language, unit: str) -> Figure:
    """Estimates with their intervals, one a row; zero is marked."""
    with look.styled():
        figure = Figure(figsize=(6.5, 0.7 + 0.3 * len(frame)))
        axes = figure.add_subplot()
        names = [_word(label, v, lang) for v in frame[label]]
        scale = 100.0 if unit == "share" else 1.0
        middle, low, high = (frame[c].astype(float) * scale for c in ("estimate", "low", "high"))
        axes.errorbar(
            middle,
            range(len(frame)),
            xerr=[middle - low, high - middle],
            fmt="o",
            color=look.BLUE,
            capsize=3,
        )
        axes.axvline(0, color=look.INK3, linewidth=0.8)
        axes.set_yticks(range(len(frame)), names)
        axes.invert_yaxis()
        _finish(
            figure, axes, _word("column", "estimate", lang) + (" (%)" if unit == "share" else "")
        )
    return figure


def draw(figure: Figure, alt: str) -> None:
    """Show a chart with its alternative text."""
    html = look.image(look.to_svg(figure), alt)
    display(Exhibit("fig-analyst", str(html), f"*{alt}*", alt, alt=alt))  # type: ignore[no-untyped-call]


def _finish(figure: Figure, axes: Any, title: str) -> None:
    axes.set_xlabel(title)
    axes.set_ylabel("")
    axes.spines[["top", "right"]].set_visible(False)
    axes.xaxis.grid(visible=True, color=look.TINT2)
    axes.set_axisbelow(True)
    if axes.get_legend() is not None:
        axes.get_legend().set_title("")
        axes.get_legend().set_frame_on(False)
    figure.tight_layout()


def _word(column: str, value: Any, lang: Language) -> str:
    """A key in words where the catalogues know it, else the value itself."""
    if value is None or (isinstance(value, float) and pd.isna(value)):
        return "–"
    stem = "segment" if column.startswith("segment") else column
    for key in (f"{stem}.{value}", f"analyst.{column}.{value}", f"analyst.word.{value}"):
        if wording.has(key):
            return wording.text(key, lang)
    return str(value)
