"""Charts of an analyst's table: bars, and estimates with their intervals."""

from __future__ import annotations

from typing import Any

import pandas as pd
import seaborn as sns
from IPython.display import display
from matplotlib.figure import Figure

from analysis.exhibits import look
from analysis.exhibits.exhibit import Exhibit
from analysis.exhibits.listing import word
from analysis.wording import Language

_LONGEST = 20


def bars(
    frame: pd.DataFrame, *, label: str, value: str, lang: Language, hue: str | None = None
) -> Figure:
    """Horizontal bars of a table, keys in words, largest on top as given."""
    shown = frame.head(_LONGEST)
    data: dict[str, Any] = {
        "label": [word(label, v, lang) for v in shown[label]],
        "value": shown[value].astype(float),
    }
    if hue:
        data["hue"] = [word(hue, v, lang) for v in shown[hue]]
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
        _finish(figure, axes, word("column", value, lang))
    return figure


def intervals(frame: pd.DataFrame, *, label: str, lang: Language, unit: str) -> Figure:
    """Estimates with their intervals, one a row; zero is marked."""
    with look.styled():
        figure = Figure(figsize=(6.5, 0.7 + 0.3 * len(frame)))
        axes = figure.add_subplot()
        names = [word(label, v, lang) for v in frame[label]]
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
            figure, axes, word("column", "estimate", lang) + (" (%)" if unit == "share" else "")
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
