"""Charts of an analyst's table: bars, and estimates with their intervals."""

from __future__ import annotations

from typing import Any

import pandas as pd
import seaborn as sns
from IPython.display import display
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from analysis.exhibits import look, waterfall
from analysis.exhibits.exhibit import Exhibit
from analysis.exhibits.listing import word
from analysis.wording import Language
from analysis.wording.numbers import format_value, money_scale

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
    """Estimates with their intervals, one a row; zero is marked, and the break-even if known."""
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
        if "break_even" in frame:
            even = frame["break_even"].astype(float) * scale
            axes.plot(even, range(len(frame)), "|", color=look.INK, ms=14, mew=1.2, ls="none")
        axes.set_yticks(range(len(frame)), names)
        axes.invert_yaxis()
        _finish(
            figure, axes, word("column", "estimate", lang) + (" (%)" if unit == "share" else "")
        )
    return figure


def course(frame: pd.DataFrame, *, at: str, lang: Language) -> Figure:
    """Estimates with their intervals along a line of periods; the start lies before 0."""
    with look.styled():
        figure = Figure(figsize=(6.5, 2.6))
        axes = figure.add_subplot()
        middle, low, high = (frame[c].astype(float) for c in ("estimate", "low", "high"))
        axes.errorbar(
            frame[at], middle, yerr=[middle - low, high - middle],
            fmt="o", color=look.BLUE, capsize=3,
        )  # fmt: skip
        axes.axhline(0, color=look.INK3, linewidth=0.8)
        axes.axvline(-0.5, color=look.INK, linewidth=0.9, linestyle=(0, (3, 2)))
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        _finish(figure, axes, word("column", at, lang))
    return figure


def walk(frame: pd.DataFrame, *, lang: Language, currency: str) -> bytes:
    """A split of the table ``gaps`` as a waterfall, from its base over the parts to the actual."""
    scale = money_scale(frame["amount"].astype(float), lang, currency)
    against = str(frame["against"].iloc[0])
    base: waterfall.Kind = "target" if against == "target" else "previous"
    kinds: dict[str, waterfall.Kind] = {"base": base, "actual": "actual"}
    steps = []
    for row in frame.to_dict("records"):
        step, amount = str(row["step"]), float(row["amount"])
        change = step not in kinds
        key = ("gap_against", against) if step == "base" else ("gap_step", step)
        steps.append(
            waterfall.Step(
                word(*key, lang),
                kinds.get(step, "plus" if amount > 0 else "minus"),
                amount,
                format_value(amount, "money", lang, scale=scale, signed=change),
                scale.label if step == "actual" else "",
            )
        )
    return waterfall.draw(steps, width=165.0)


def draw(figure: Figure | bytes, alt: str) -> None:
    """Show a chart, or a drawing that is SVG already, with its alternative text."""
    html = look.image(figure if isinstance(figure, bytes) else look.to_svg(figure), alt)
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
