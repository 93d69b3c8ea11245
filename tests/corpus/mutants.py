"""Sound files damaged at random, and an oracle that can tell whether a reader was fooled.

Every line carries a checksum of its other cells. A mutant knows which lines it touched. What is
read of the others must be what stood there; of a touched line, the money must be the number that
stands in the damaged file; a workbook or a checked Parquet file is read as it was or not at all.
"""

from __future__ import annotations

import csv
import io
import unicodedata
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import numpy as np

from analysis.sources import Sources
from tests.corpus import writers
from tests.corpus.sheet import COLUMNS, HEADER, Line, Sheet, base
from tests.corpus.texts import codec

LINED = ("csv", "csv-gb18030", "csv-utf16", "tsv", "html")
WHOLE = ("xlsx", "parquet")  # their checksums tell what was damaged
LOOSE = ("xls",)  # nothing in the format tells a damaged number from a sound one
MAPPED = {**COLUMNS, "product": "校验"}
CUT_NOTES = {"note.cut_file", "note.no_line_end"}
_ELSEWHERE = ("utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le", "big5", "shift_jis")


def original(size: int = 40) -> Sheet:
    """A sound sheet whose last column is each line's checksum."""
    lines = tuple(
        Line((*line.cells[:4], checksum(*line.cells[:4])), line.order, line.customer,
             line.moment, line.money)
        for line in base(size).lines
    )  # fmt: skip
    return Sheet(lines, (*HEADER[:4], "校验"))


def checksum(order: Any, customer: Any, day: Any, money: Any) -> str:
    """Eight hexadecimal digits of what a line says."""
    cents = f"{Decimal(money):.4f}" if money is not None else ""
    moment = f"{day:%Y-%m-%d %H:%M:%S}" if day is not None else ""
    text = "|".join(map(str, (order, customer, moment, cents)))
    return f"{zlib.crc32(text.encode()):08x}"


@dataclass(frozen=True)
class Mutant:
    """A damaged file.

    Attributes
    ----------
    how
        What was done to it.
    content
        Its bytes.
    touched
        Positions of the lines it may have changed, 0 the header; None: perhaps all.
    lost
        Whether lines are gone in a way that must be noted.
    same
        Whether every line says what it said.
    """

    how: str
    content: bytes
    touched: frozenset[int] | None = None
    lost: bool = False
    same: bool = False


def mutants(form: str, count: int, seed: int) -> Iterator[Mutant]:
    """Damaged files of one format."""
    draw = np.random.default_rng([seed, *form.encode()])
    sheet = original()
    content = writers.write(sheet, form)
    kinds = [_flip, _flip, _cut, _drop, _insert]
    if form in LINED and form != "html":
        kinds += [_swap_one, _recode]
    for _ in range(count):
        yield kinds[int(draw.integers(len(kinds)))](content, form, draw)


def _line_of(content: bytes, form: str, at: int) -> frozenset[int]:
    """The line in which a byte stands, and its neighbours at the line's ends."""
    mark = "\n".encode("utf-16-le") if form == "csv-utf16" else b"\n"
    ends = [i + 1 for i in range(len(content)) if content.startswith(mark, i)
            and (form != "csv-utf16" or i % 2 == 0)]  # fmt: skip
    line = sum(end + len(mark) - 2 < at for end in ends)
    near = {line}
    if any(end - 2 <= at <= end + len(mark) for end in ends):
        near |= {line - 1, line + 1}
    if form == "html":
        near = {n - 1 for n in near}  # the page's head stands before the header
    return frozenset(near)


def _flip(content: bytes, form: str, draw: np.random.Generator) -> Mutant:
    at, bit = int(draw.integers(len(content))), int(draw.integers(8))
    changed = bytearray(content)
    changed[at] ^= 1 << bit
    return Mutant(f"bit {bit} of byte {at}", bytes(changed), _line_of(content, form, at))


def _cut(content: bytes, form: str, draw: np.random.Generator) -> Mutant:
    at = int(draw.integers(1, len(content)))
    first = min(_line_of(content, form, at))
    whole = content[:at].decode(codec(form), "ignore").endswith("\n")
    touched = frozenset(range(first, len(original().lines) + 2))
    return Mutant(f"cut at byte {at}", content[:at], touched, lost=not whole)


def _drop(content: bytes, form: str, draw: np.random.Generator) -> Mutant:
    at = int(draw.integers(len(content)))
    touched = _line_of(content, form, at)
    return Mutant(f"without byte {at}", content[:at] + content[at + 1 :],
                  None if form == "csv-utf16" else touched)  # fmt: skip


def _insert(content: bytes, form: str, draw: np.random.Generator) -> Mutant:
    at, byte = int(draw.integers(len(content))), int(draw.integers(1, 256))
    touched = _line_of(content, form, at)
    return Mutant(f"byte {byte} before byte {at}", content[:at] + bytes([byte]) + content[at:],
                  None if form == "csv-utf16" else touched)  # fmt: skip


def _swap_one(content: bytes, form: str, draw: np.random.Generator) -> Mutant:
    """Another separator in one line."""
    old = "\t" if form == "tsv" else ","
    new = str(draw.choice([";", "|", "，", "\t" if old == "," else ","]))
    lines = content.decode(codec(form)).splitlines(keepends=True)
    at = int(draw.integers(1, len(lines)))
    lines[at] = lines[at].replace(old, new)
    return Mutant(f"{new!r} in line {at}", "".join(lines).encode(codec(form)), frozenset({at}))


def _recode(content: bytes, form: str, draw: np.random.Generator) -> Mutant:
    """The whole file in another encoding, or with another separator."""
    text = content.decode(codec(form))
    if draw.integers(3) == 0:
        old = "\t" if form == "tsv" else ","
        new = str(draw.choice([";", "|", "，", "；"]))
        return Mutant(f"{new!r} everywhere", text.replace(old, new).encode(codec(form)),
                      frozenset(), same=True)  # fmt: skip
    other = str(draw.choice(_ELSEWHERE))
    return Mutant(f"written as {other}", text.encode(other, "replace"), None)


def fooled(mutant: Mutant, form: str, read: Sources, notes: set[str]) -> list[str]:
    """In what a reader that accepted a damaged file was wrong; nothing if it was not fooled."""
    lines = original().lines
    truth = {line.order: (line.customer, line.moment, line.money) for line in lines}
    table = read.tables["orders"]
    names = ("order_id", "customer_id", "ordered_at", "amount", "product", "_row")
    kept = list(zip(*(table[name].to_pylist() for name in names), strict=True))
    right = {order for order, *said, _, _ in kept if truth.get(order) == tuple(said)}
    wrong = [one for one in kept if one[0] not in right]
    lied = [one for one in wrong if one[4] == checksum(*one[:4]) and one[3] is not None]
    found = [f"a made-up line with a right checksum: {one[:4]}" for one in lied]
    told = int(read.files["rows"].sum())
    if table.num_rows + read.rejected.num_rows != told:
        found.append(f"{told} lines told, {table.num_rows} + {read.rejected.num_rows} found")
    if form in WHOLE or mutant.same or (mutant.touched is None and "note.encoding" not in notes):
        if len(right) != len(lines) or wrong:
            found.append(f"{len(right)} of {len(lines)} lines as they were, {len(wrong)} others")
    elif form not in LOOSE and mutant.touched is not None:
        due = {line.order for at, line in enumerate(lines, 1) if at not in mutant.touched}
        found += [f"the untouched line {order} is not as it was" for order in due - right]
        most = len(mutant.touched) + 1
        if len(wrong) > most:
            found.append(f"{len(wrong)} lines are wrong, {most} can be")
        if mutant.lost and not notes & CUT_NOTES and form != "html":
            found.append("lines are lost and nobody says so")
        if form != "html":
            found += _other_money(mutant, form, wrong)
    return found


def _other_money(mutant: Mutant, form: str, kept: Sequence[tuple[Any, ...]]) -> list[str]:
    """Money of touched lines that is not the number in the file."""
    if not kept:
        return []
    text = mutant.content.decode(codec(form), "replace").removeprefix("\ufeff")
    separator = "\t" if form == "tsv" else ","
    records = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))
    found = []
    for order, _, moment, money, _, row in kept:
        cells = records[row - 1]
        due = _plain(cells[3]) if len(cells) == 5 else None
        if money is not None and due != money:
            found.append(f"money {money} of {order}, the file says {cells}")
        if moment is not None and _day(cells) not in (None, moment):
            found.append(f"day {moment} of {order}, the file says {cells}")
    return found


def _plain(cell: str) -> Decimal | None:
    try:
        return Decimal(unicodedata.normalize("NFKC", cell).strip())
    except InvalidOperation:
        return None


def _day(cells: Sequence[str]) -> datetime | None:
    try:
        return datetime.fromisoformat(cells[2].strip())
    except (ValueError, IndexError):
        return None
