"""Tables and figures as blocks: HTML with roles, Markdown and plain text of the same cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from analysis.exhibits.exhibit import Exhibit
from analysis.exhibits.markup import EMPTY, Rich, tag

NOTHING = Markup()


@dataclass(frozen=True)
class Column:
    """A column: its head and how its cells stand.

    Attributes
    ----------
    head
        Words above it; on a phone they stand before each cell.
    class_
        ``n`` for numbers (right-aligned), or a name of the style sheet.
    row_head
        Whether the cells name their rows.
    """

    head: Rich = EMPTY
    class_: str = ""
    row_head: bool = False


@dataclass(frozen=True)
class Cell:
    """A cell: its text, what is drawn beside it (a bar, an interval), and what lies behind."""

    text: Rich
    drawing: Markup = NOTHING
    class_: str = ""
    style: str | None = None


Row = Sequence[Rich | Cell]


@dataclass(frozen=True)
class Block:
    """A piece of an exhibit in three forms."""

    html: Markup
    markdown: str
    plain: str


def cell(content: Rich | Cell) -> Cell:
    """The content as a cell."""
    return content if isinstance(content, Cell) else Cell(content)


def table(
    columns: Sequence[Column],
    rows: Sequence[Row],
    *,
    class_: str = "",
    total: Row | None = None,
    groups: Markup | None = None,
) -> Block:
    """A table.

    Parameters
    ----------
    columns, rows
        Heads and cells.
    class_
        Further class of the table.
    total
        A last row, set off by a rule.
    groups
        A further head row above the heads.
    """
    heads = tag(
        "tr",
        *(
            tag("th", column.head, scope="col", class_=column.class_ or None)
            if column.head
            else tag("td", class_=column.class_ or None)
            for column in columns
        ),
    )
    body = [_row(columns, row, "") for row in rows]
    if total is not None:
        body.append(_row(columns, total, "tot"))
    html = tag(
        "table",
        tag("thead", groups, heads),
        tag("tbody", *body),
        class_=f"t {class_}".strip(),
    )
    every = [*rows, *([total] if total is not None else [])]
    return Block(html, _markdown(columns, every), _plain(columns, every))


def _row(columns: Sequence[Column], row: Row, class_: str) -> Markup:
    made = []
    for column, content in zip(columns, row, strict=True):
        one = cell(content)
        names = " ".join(filter(None, (column.class_, one.class_))) or None
        if column.row_head:
            made.append(tag("th", one.text, one.drawing, scope="row", class_=names))
        else:
            label = column.head.plain or None
            named = "" if 'class="name"' in column.head.html else None  # a label from the data
            made.append(
                tag(
                    "td", one.text, one.drawing,
                    class_=names, data_l=label, data_named=named, style=one.style,
                )
            )  # fmt: skip
    return tag("tr", *made, class_=class_ or None)


def _markdown(columns: Sequence[Column], rows: Sequence[Row]) -> str:
    heads = [column.head.markdown or " " for column in columns]
    rules = ["--:" if "n" in column.class_.split() else "---" for column in columns]
    lines = [heads, rules, *([cell(c).text.markdown for c in row] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _plain(columns: Sequence[Column], rows: Sequence[Row]) -> str:
    lines = [[column.head.plain for column in columns]]
    lines += [[cell(c).text.plain for c in row] for row in rows]
    return "\n".join("\t".join(line) for line in lines)


def stacked(*blocks: Block) -> Block:
    """Blocks below one another."""
    return Block(
        Markup().join(block.html for block in blocks),
        "\n\n".join(block.markdown for block in blocks if block.markdown),
        "\n\n".join(block.plain for block in blocks if block.plain),
    )


def note(piece: Rich, class_: str = "leg") -> Block:
    """A line of notes."""
    return Block(tag("p", piece, class_=class_), piece.markdown, piece.plain)


def ordered(pieces: Sequence[Rich]) -> Block:
    """A numbered list (the numbers are drawn by the style sheet)."""
    return Block(
        tag("ol", *(tag("li", tag("span", piece)) for piece in pieces)),
        "\n".join(f"1. {piece.markdown}" for piece in pieces),
        "\n".join(f"- {piece.plain}" for piece in pieces),
    )


def figure(
    id_: str,
    title: Rich,
    body: Block,
    *,
    subtitle: Rich = EMPTY,
    page: str,
    heading: str = "",
    alt: str = "",
    class_: str = "",
    height: float = 0.0,
) -> Exhibit:
    """An exhibit with a finding as its title.

    Parameters
    ----------
    id_
        Name of the block.
    title, subtitle
        The finding with its number; measure, unit, period, comparison.
    body
        Table or drawing with its notes.
    page, heading
        Page it stands on; chapter that begins with it.
    alt
        What a reader who cannot see a drawing is told.
    class_
        Further class of the figure.
    height
        About how tall it prints [mm], heading not counted.
    """
    html = tag(
        "figure",
        tag("h3", title) if title else None,
        tag("p", subtitle, class_="fs") if subtitle else None,
        body.html,
        class_=f"fig {class_}".strip(),
        id=id_,
    )
    head = [f"### {title.markdown}"] if title else []
    markdown = [*head, *([subtitle.markdown] if subtitle else []), body.markdown]
    return Exhibit(
        id_,
        str(html),
        "\n\n".join(markdown),
        "\n".join(filter(None, (title.plain, subtitle.plain, body.plain))),
        caption=title.plain,
        alt=alt or title.plain,
        page=page,
        heading=heading,
        height=height,
    )


def stack(id_: str, *exhibits: Exhibit) -> Exhibit:
    """Exhibits below one another as one, for a column of `beside`."""
    inner = (Markup(one.html) for one in exhibits)  # noqa: S704 - exhibits are made of markup alone
    return Exhibit(
        id_,
        str(tag("div", *inner, class_="stack", id=id_)),
        "\n\n".join(one.markdown for one in exhibits),
        "\n".join(one.plain for one in exhibits),
        caption=exhibits[0].caption,
        alt=exhibits[0].alt,
        page=exhibits[0].page,
        heading=exhibits[0].heading,
        height=sum(one.height for one in exhibits),
    )


def beside(id_: str, left: Exhibit, right: Exhibit, *, class_: str = "") -> Exhibit:
    """Two exhibits side by side (below one another on a phone)."""
    html = tag(
        "div",
        Markup(left.html),  # noqa: S704 - exhibits are made of markup alone
        Markup(right.html),  # noqa: S704
        class_=f"cols {class_}".strip(),
        id=id_,
    )
    return Exhibit(
        id_,
        str(html),
        f"{left.markdown}\n\n{right.markdown}",
        f"{left.plain}\n{right.plain}",
        caption=left.caption or right.caption,
        alt=right.alt or left.alt,
        page=left.page or right.page,
        heading=left.heading or right.heading,
        height=max(left.height, right.height),
    )
