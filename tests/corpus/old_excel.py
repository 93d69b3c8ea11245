"""A workbook of Excel 97-2003, written record by record ([MS-XLS], [MS-CFB]).

No library that is still kept writes this format, and companies still export it.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

_SECTOR = 512
_FREE, _END, _FAT = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
_EPOCH = datetime(1899, 12, 30)
_ERRORS = {"#NULL!": 0, "#DIV/0!": 7, "#VALUE!": 15, "#REF!": 23, "#NAME?": 29, "#NUM!": 36,
           "#N/A": 42}  # fmt: skip
_GENERAL, _DAY, _MOMENT = 0, 1, 2  # positions of the cell formats written below


def workbook(
    sheets: Sequence[tuple[str, Sequence[Sequence[Any]]]],
    hidden: Sequence[str] = (),
    merged: Sequence[tuple[int, int, int, int]] = (),
) -> bytes:
    """A file with these sheets.

    Parameters
    ----------
    sheets
        Name and rows; a cell is text, a number, a day or None, and ``#N/A`` is an error value.
    hidden
        Names of hidden sheets.
    merged
        Ranges of the first sheet: first and last row, first and last column, counted from 0.
    """
    names = [name for name, _ in sheets]
    bodies = [_sheet(rows, merged if not i else ()) for i, (_, rows) in enumerate(sheets)]
    start = len(_globals(names, [0] * len(names), hidden))
    offsets = [start + sum(map(len, bodies[:i])) for i in range(len(bodies))]
    return _container(_globals(names, offsets, hidden) + b"".join(bodies))


def _record(kind: int, data: bytes = b"") -> bytes:
    return struct.pack("<HH", kind, len(data)) + data


def _begin(kind: int) -> bytes:
    return _record(0x0809, struct.pack("<HHHHII", 0x0600, kind, 0x0DBB, 0x07CC, 0, 6))


def _globals(names: Sequence[str], offsets: Sequence[int], hidden: Sequence[str]) -> bytes:
    formats = b"".join(
        _record(0x00E0, struct.pack("<HH", 0, number) + bytes(16)) for number in (0, 14, 22)
    )
    listed = b"".join(
        _record(
            0x0085,
            struct.pack("<IBBBB", offset, name in hidden, 0, len(name), 1)
            + name.encode("utf-16-le"),
        )
        for name, offset in zip(names, offsets, strict=True)
    )
    page = _record(0x0042, struct.pack("<H", 1200))
    return _begin(0x0005) + page + formats + listed + _record(0x000A)


def _sheet(rows: Sequence[Sequence[Any]], merged: Sequence[tuple[int, int, int, int]]) -> bytes:
    width = max((len(row) for row in rows), default=0)
    parts = [_begin(0x0010), _record(0x0200, struct.pack("<IIHHH", 0, len(rows), 0, width, 0))]
    for r, row in enumerate(rows):
        parts += [_cell(r, c, value) for c, value in enumerate(row) if value is not None]
    if merged:
        ranges = b"".join(struct.pack("<HHHH", *one) for one in merged)
        parts.append(_record(0x00E5, struct.pack("<H", len(merged)) + ranges))
    return b"".join([*parts, _record(0x000A)])


def _cell(row: int, column: int, value: Any) -> bytes:
    if isinstance(value, str) and value in _ERRORS:
        return _record(0x0205, struct.pack("<HHHBB", row, column, _GENERAL, _ERRORS[value], 1))
    if isinstance(value, str):
        head = struct.pack("<HHHHB", row, column, _GENERAL, len(value.encode("utf-16-le")) // 2, 1)
        return _record(0x0204, head + value.encode("utf-16-le"))
    if isinstance(value, (date, datetime)):
        moment = value if isinstance(value, datetime) else datetime(*value.timetuple()[:3])
        kind = _MOMENT if isinstance(value, datetime) else _DAY
        return _number(row, column, kind, (moment - _EPOCH).total_seconds() / 86400)
    if isinstance(value, (int, float, Decimal)):
        return _number(row, column, _GENERAL, float(value))
    raise TypeError(type(value).__name__)


def _number(row: int, column: int, kind: int, value: float) -> bytes:
    return _record(0x0203, struct.pack("<HHHd", row, column, kind, value))


def _container(stream: bytes) -> bytes:
    """A compound file that holds one stream."""
    size = max(len(stream), 4096)  # shorter ones would stand in the file's small sectors
    stream = stream.ljust(-(-size // _SECTOR) * _SECTOR, b"\0")
    count = len(stream) // _SECTOR
    tables = 1
    while count + 1 + tables > tables * (_SECTOR // 4):
        tables += 1
    chain = [*range(1, count), _END, _END, *[_FAT] * tables]
    chain += [_FREE] * (tables * (_SECTOR // 4) - len(chain))
    first = count + 1
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16)
    head += struct.pack("<HHHHH6x", 0x3E, 3, 0xFFFE, 9, 6)
    head += struct.pack("<IIIIIIIII", 0, tables, count, 0, 4096, _END, 0, _END, 0)
    places = [first + i for i in range(tables)]
    head += struct.pack("<109I", *places, *[_FREE] * (109 - tables))
    folder = _entry("Root Entry", 5, 1, _END, 0) + _entry("Workbook", 2, _FREE, 0, size)
    folder = folder.ljust(_SECTOR, b"\0")
    return head + stream + folder + struct.pack(f"<{len(chain)}I", *chain)


def _entry(name: str, kind: int, child: int, start: int, size: int) -> bytes:
    text = name.encode("utf-16-le") + b"\0\0"
    head = text.ljust(64, b"\0") + struct.pack("<HBBIII", len(text), kind, 1, _FREE, _FREE, child)
    return head + bytes(36) + struct.pack("<IQ", start, size)
