"""Portraits: what each segment is like, what it wants, what hurts."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.colors import LinearSegmentedColormap, TwoSlopeNorm
from matplotlib.figure import Figure

from analysis.exhibits import fonts, look
from analysis.exhibits.book import Book
from analysis.exhibits.exhibit import Exhibit
from analysis.exhibits.facts import fact_id, records
from analysis.exhibits.markup import EMPTY, Rich, join, tag, words
from analysis.exhibits.segments import segment_names
from analysis.exhibits.tables import Block, Cell, Column, Row, figure, note, stacked, table
from analysis.exhibits.traits import level_of, rows_of, strongest, told, trait_name

PAGE = "portraits"
ASPECTS = ("basic", "transaction", "behaviour", "need", "pain", "value", "service")
MOST_ROWS = 13
NOTHING = "–"
PER_CELL = 2
# The company's own view of the same, the size itself, and what made the segment what it is.
UNTOLD = ("own_tier", "customers", "recency_days", "recency_cycles", "monetary", "tenure_days")
LEVELS_ONLY = ("basic", "pain", "service")
COLUMNS = (
    ("who", ("basic",)),
    ("buys", ("transaction", "behaviour")),
    ("wants", ("need", "value")),
    ("hurts", ("pain", "service")),
)


def portraits(book: Book) -> Exhibit | None:
    """A row per segment with its most telling traits; None without portraits."""
    rows = book.frame("personas")
    if rows.empty:
        return None
    present = set(rows["aspect"].astype(str))
    known = set(rows["segment"].astype(str))
    order = [s for s in segment_names(book) if s in known] or sorted(known)
    groups = [(key, [a for a in aspects if a in present]) for key, aspects in COLUMNS]
    shown = [
        (key, aspects)
        for key, aspects in groups
        if any(_cell(book, segment, aspects).plain != NOTHING for segment in order)
    ]
    columns = [
        Column(book.words("exhibits.portraits.head.segment"), row_head=True),
        *(Column(book.words(f"exhibits.portraits.head.{key}"), "gap") for key, _ in shown),
    ]
    made: list[Row] = [
        [
            book.label("segment", segment),
            *(Cell(_cell(book, segment, aspects)) for _, aspects in shown),
        ]
        for segment in order
    ]
    return figure(
        "tbl-portraits",
        _title(book, order),
        stacked(
            table(columns, made, class_=f"por k{len(shown)}"),
            note(book.words("exhibits.portraits.note")),
        ),
        subtitle=book.words("exhibits.portraits.subtitle"),
        page=PAGE,
        height=24 + 13 * len(made),
        heading=book.text("exhibits.chapter.portraits"),
    )


def _title(book: Book, segments: list[str]) -> Rich:
    found = [(s, row) for s in segments if (row := strongest(book, s, "pain")) and _clear(row)]
    if not found:
        found = [(s, row) for s in segments if (row := strongest(book, s, "basic")) and _clear(row)]
    if not found:
        return _title_of_means(book, segments)
    segment, row = max(found, key=lambda pair: (float(pair[1]["lift"]), pair[0]))
    id_ = ("persona", row["segment"], row["aspect"], row["trait"])
    key = "pain" if row["aspect"] == "pain" else "basic"
    return book.say(
        f"exhibits.portraits.title.{key}",
        segment=book.label("segment", segment),
        trait=level_of(book, row),
        share=book.num(*id_),
        lift=book.num(*id_, "lift"),
    )


def _title_of_means(book: Book, segments: list[str]) -> Rich:
    """Without a clear level: the mean that is most above that of the other customers."""
    rows = book.frame("personas")
    means = ~rows["trait"].str.contains("=", regex=False) & ~rows["trait"].isin(UNTOLD)
    rows = rows[means & rows["notable"].astype(bool) & rows["segment"].isin(segments)]
    rows = rows.assign(times=rows["lift"].astype(float))
    rows = rows[np.isfinite(rows["times"]) & (rows["times"] > 1)]
    if rows.empty:
        return book.words("exhibits.portraits.title.neutral")
    ordered = rows.sort_values(["times", "segment", "trait"], ascending=[False, True, True])
    row = records(ordered.head(1))[0]
    return book.say(
        "exhibits.portraits.title.mean",
        segment=book.label("segment", row["segment"]),
        trait=trait_name(book, str(row["trait"])),
        lift=book.num("persona", row["segment"], row["aspect"], row["trait"], "lift"),
    )


def _clear(row: dict[str, Any]) -> bool:
    lift = float(row["lift"]) if row.get("lift") is not None else math.nan
    return bool(row["notable"]) and lift > 1 and row["unit"] == "share"


def _cell(book: Book, segment: str, aspects: list[str]) -> Rich:
    pieces: list[Rich] = []
    for aspect in aspects:
        rows = rows_of(book, segment, aspect)
        if rows.empty:
            continue
        rows = rows[~rows["trait"].str.partition("=")[0].isin(UNTOLD)]
        levels = rows["trait"].str.contains("=", regex=False)
        lift = rows["lift_"].clip(lower=0.01)
        # A level tells where it is more common than elsewhere, a mean where it differs at all.
        clear = rows["notable"].astype(bool) & ((lift > 1.1) | (~levels & (lift < 0.9)))
        if aspect in LEVELS_ONLY:
            clear &= levels
        found = rows[clear].assign(far=np.abs(np.log(lift[clear])))
        chosen = found.sort_values(["far", "trait"], ascending=[False, True])
        if chosen.empty:  # nothing stands out: the most common level says who they are
            chosen = rows[levels].sort_values(["value", "trait"], ascending=[False, True]).head(1)
        room = PER_CELL if len(aspects) == 1 else 1
        pieces += [
            told(book, {str(k): v for k, v in row.items()}) for row in records(chosen.head(room))
        ]
    return _lines(pieces) if pieces else words(NOTHING)


def _lines(pieces: list[Rich]) -> Rich:
    html = join([Rich(tag("span", p, class_="ln"), p.markdown, p.plain) for p in pieces]).html
    return Rich(html, "; ".join(p.markdown for p in pieces), "; ".join(p.plain for p in pieces))


def heat_map(book: Book) -> Exhibit | None:
    """How many times the rest each segment's traits are; None without comparable shares."""
    frame = _grid(book)
    if frame is None:
        return None
    labels = [_row_label(book, str(key)) for key in frame.index]
    heads = [book.short_label(str(s)).plain for s in frame.columns]
    title = _heat_title(book, frame)
    alt = title.plain + book.text("exhibits.list.colon") + _alt(frame, labels, heads)
    svg = _draw(frame, labels, heads)
    ids = " ".join(
        _id(segment, str(key))
        for (key, row) in frame.iterrows()
        for segment, value in row.items()
        if not math.isnan(value)
    )
    return figure(
        "fig-portraits",
        title,
        Block(look.image(svg, alt, "plot wide", ids), alt, alt),
        subtitle=book.words("exhibits.portraits.heat.subtitle"),
        page=PAGE,
        alt=alt,
        height=26 + 6.6 * len(frame),
    )


def _heat_title(book: Book, frame: pd.DataFrame) -> Rich:
    """What stands out upwards in the two segments where most does."""
    rows = book.frame("personas")
    rows = rows.assign(key=rows["aspect"] + "\n" + rows["trait"], times=rows["lift"].astype(float))
    clear = rows["notable"].astype(bool) & (rows["times"] > 1) & np.isfinite(rows["times"])
    clear &= rows["key"].isin(frame.index) & rows["segment"].isin(frame.columns)
    found = rows[clear].sort_values(["times", "segment", "key"], ascending=[False, True, True])
    first = records(found.drop_duplicates("segment").head(2))
    if not first:
        return book.words("exhibits.portraits.heat.title.rarer")
    said = {}
    for place, row in zip("ab", first, strict=False):
        said[f"segment_{place}"] = book.label("segment", str(row["segment"]))
        said[f"trait_{place}"] = level_of(book, row)
        said[f"lift_{place}"] = book.num(_id(row["segment"], str(row["key"])))
    key = "two" if len(first) > 1 else "one"
    return book.say(f"exhibits.portraits.heat.title.{key}", **said)


def _id(segment: object, key: str) -> str:
    aspect, _, trait = key.partition("\n")
    return fact_id("persona", segment, aspect, trait, "lift")


def _grid(book: Book) -> pd.DataFrame | None:
    rows = book.frame("personas")
    if rows.empty:
        return None
    shares = rows[(rows["unit"] == "share") & rows["lift"].notna()].copy()
    shares = shares[np.isfinite(shares["lift"].astype(float))]
    names = [s for s in segment_names(book) if s in set(shares["segment"])]
    if len(names) < 2 or shares.empty:
        return None
    shares = shares[~shares["trait"].str.partition("=")[0].isin(UNTOLD)]
    shares["key"] = shares["aspect"] + "\n" + shares["trait"]
    # A trait whose every difference may be chance is no row: three customers make a lift of ten.
    telling = set(shares.loc[shares["notable"].astype(bool), "key"])
    shares = shares[shares["key"].isin(telling)]
    if shares.empty:
        return None
    distance = np.abs(np.log(shares["lift"].astype(float).clip(0.05, 20).to_numpy()))
    shares["far"] = distance * (1 + shares["notable"].astype(int).to_numpy())
    rank = shares.groupby("key")["far"].max().sort_index()
    chosen = rank.sort_values(ascending=False, kind="stable").index[:MOST_ROWS]
    cells = shares[shares["key"].isin(chosen)].set_index(["key", "segment"])["lift"]
    grid = cells.unstack("segment")  # noqa: PD010 - one value a cell, nothing to sum up
    order = {aspect: place for place, aspect in enumerate(ASPECTS)}
    keys = sorted(grid.index, key=lambda k: (order.get(k.split("\n")[0], 99), k))
    return grid.loc[keys, names].astype(float)


def _row_label(book: Book, key: str) -> str:
    head, _, level = key.partition("\n")[2].partition("=")
    called = trait_name(book, head).plain
    shown = level_of(book, {"trait": key.partition("\n")[2]}).plain
    return f"{called} · {shown}" if level else called


def _alt(frame: pd.DataFrame, labels: list[str], heads: list[str]) -> str:
    told_ = []
    for label, (_, row) in zip(labels, frame.iterrows(), strict=True):
        best = int(np.nanargmax(row.to_numpy(float)))
        told_.append(f"{label} {heads[best]} {row.iloc[best]:.1f}")
    return ", ".join(told_)


def _draw(frame: pd.DataFrame, labels: list[str], heads: list[str]) -> bytes:
    # Blue where a trait is more common than in the rest, orange where it is rarer; the number
    # stands in every cell, so that grey print loses nothing.
    tones = LinearSegmentedColormap.from_list(
        "lift", [look.ORANGE2, look.ORANGE1, look.TINT, look.BLUE1, look.BLUE2]
    )
    width, pitch = 184.0, 6.6
    height = pitch * len(frame) + 7
    with look.styled():
        figure_ = Figure(figsize=(width * look.MM, height * look.MM))
        left = min(max(look.width_of(fonts.drawable(label)) for label in labels) + 4, 62)
        axes = figure_.add_axes((left / width, 0, 1 - left / width, 1 - 7 / height))
        values = frame.to_numpy(float)
        text = np.array([["–" if math.isnan(v) else f"{v:.1f}" for v in row] for row in values])
        sns.heatmap(
            frame,
            ax=axes,
            cmap=tones,
            norm=TwoSlopeNorm(1.0, 0.3, 2.5),
            annot=text,
            fmt="",
            annot_kws={"color": look.INK, "size": look.BODY},
            cbar=False,
            linewidths=1.4,
            linecolor="white",
            xticklabels=[fonts.drawable(h) for h in heads],
            yticklabels=[fonts.drawable(label) for label in labels],
        )
        axes.xaxis.tick_top()
        axes.tick_params(length=0, labelsize=look.BODY, colors=look.INK)
        axes.tick_params(axis="y", rotation=0)
        axes.set_xlabel("")
        axes.set_ylabel("")
    return look.to_svg(figure_)


def absent(book: Book) -> Exhibit | None:
    """A sentence where portraits could not be drawn; None where they are there."""
    if len(book.frame("personas")) or not segment_names(book):
        return None
    sentence = book.words("exhibits.portraits.none")
    return figure(
        "txt-portraits-none",
        EMPTY,
        note(sentence, "quiet"),
        height=10,
        page=PAGE,
        heading=book.text("exhibits.chapter.portraits"),
    )
