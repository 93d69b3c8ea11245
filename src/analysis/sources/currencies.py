"""Money of several currencies: converted by what the file or the settings say, or refused.

Columns in the company's own currency (本币) stay as they are. The others are converted row by row:
by the settings' `rates`, else by the file's own exchange rates (units of the run's currency for
one of the document's, as ERP systems keep them); without either the file is refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc

from analysis.errors import Problem, SourceError
from analysis.sources import numbers
from analysis.sources.convert import Converted
from analysis.sources.grid import Grid, Note, count
from analysis.sources.mapping import Origin, Resolved
from analysis.sources.stated import code, fold
from analysis.tables import Table

_HEADERS = (
    "币种", "币别", "币种名称", "币种编码", "结算币别", "结算币种", "交易币种", "原币币种", "货币",
    "currency", "currency code", "currency iso code", "currencyisocode", "amount currency",
    "deal currency", "document currency", "transaction currency",
)  # fmt: skip
_RATES = ("汇率", "记账汇率", "本位币汇率", "exchange rate", "fx rate")
_KNOWN = {fold(h) for h in _HEADERS}
_KNOWN_RATES = {fold(h) for h in _RATES}
_SHOWN = 6
_RATE = pa.decimal128(17, 8)
_SIX = pa.decimal128(20, 6)


@dataclass(frozen=True)
class Money:
    """A file's columns in the run's currency.

    Attributes
    ----------
    columns
        Canonical column → its values, money converted.
    unknown
        Mask of rows of which nobody says the currency, in a file that holds several.
    notes
        What was converted, and by which rates.
    """

    columns: dict[str, Converted]
    unknown: pa.Array
    notes: tuple[Note, ...] = ()


def in_own(
    table: Table,
    grid: Grid,
    resolved: Resolved,
    columns: Mapping[str, Converted],
    total: pa.Array,
    own: str,
    rates: Mapping[str, float],
    file: str,
) -> Money:
    """Every money column in the run's currency.

    Parameters
    ----------
    table, grid, resolved, columns
        The canonical table, the file, where its columns come from, and their values.
    total
        Mask of total rows: they have no currency and no money of their own.
    own, rates
        The run's currency, and currency → units of it for one of the other [ratio].
    file
        Its name for messages.

    Raises
    ------
    SourceError
        If a row's money is in another currency and nobody says what that is worth.
    """
    plain = Money(dict(columns), pa.repeat(pa.scalar(False), len(total)))
    foreign = [name for name in columns if _foreign(table, name, resolved.origins.get(name), own)]
    if not foreign:
        return plain
    at = _position(grid, _KNOWN)
    found, notes, unknown = dict(columns), list[Note](), plain.unknown
    problems: list[Problem] = []
    for name in foreign:
        origin = resolved.origins[name]
        if origin.currency and origin.currency != own:
            words = pa.repeat(pa.scalar(origin.currency), len(total))
        elif at is None:
            continue
        else:
            words = _codes(grid.columns[at])
        needs = pc.and_not(pc.fill_null(pc.not_equal(words, own), False), total)
        if not pc.any(needs).as_py():
            continue
        factor, by = _factor(grid, words, needs, rates, file)
        lacking = pc.and_(needs, pc.is_null(factor))
        if pc.any(lacking).as_py():
            problems.append(_refused(table, name, origin, words, lacking, own, file))
            continue
        blank = pc.and_not(pc.is_null(words), total)
        unknown = pc.or_(unknown, pc.and_(blank, pc.is_valid(found[name].data)))
        found[name] = _times(found[name], factor, needs)
        args = {"header": origin.header, "rows": count(_count(needs))}
        args |= {"currencies": ", ".join(_present(words, needs)), "currency": own}
        notes.append((f"note.converted_by_{by}", args))
    if problems:
        raise SourceError(problems)
    return Money(found, unknown, tuple(notes))


def _foreign(table: Table, name: str, origin: Origin | None, own: str) -> bool:
    """Whether a column may hold money of another currency than the run's."""
    if origin is None or origin.index is None or table.column(name).type != "money":
        return False
    if origin.currency is not None:
        return origin.currency != own
    said = origin.wanted.basis(origin.header).currency
    # costs are kept in the books, whatever the invoice's currency
    return said != "own" and not (name == "cost" and said is None)


def _position(grid: Grid, names: set[str]) -> int | None:
    """The one column under such a header."""
    hits = [i for i, h in enumerate(grid.header) if fold(h) in names]
    return hits[0] if hits else None


def _codes(values: pa.Array) -> pa.Array:
    encoded = values.cast(pa.string()).dictionary_encode()
    words = [code(w.strip()) if w and w.strip() else None for w in encoded.dictionary.to_pylist()]
    return pa.array(words, pa.string()).take(encoded.indices)


def _factor(
    grid: Grid, words: pa.Array, needs: pa.Array, rates: Mapping[str, float], file: str
) -> tuple[pa.Array, str]:
    """Units of the run's currency for one of each row's, and where they come from."""
    encoded = words.dictionary_encode()
    known = [
        Decimal(repr(float(rates[w]))) if w in rates else None
        for w in encoded.dictionary.to_pylist()
    ]
    by_settings = pa.array(known, _RATE).take(encoded.indices)
    at = _position(grid, _KNOWN_RATES)
    if at is None:
        return by_settings, "rates"
    exact = numbers.parse_column(grid.columns[at]).data
    fits = pc.and_(pc.greater(exact, Decimal(0)), pc.less(exact, Decimal(10**8)))
    stated_rates = pc.if_else(fits, exact, pa.scalar(None, exact.type)).cast(_RATE, safe=False)
    # a rate of exactly one for foreign money was never filled in
    stated_rates = pc.if_else(
        pc.equal(stated_rates, pa.scalar(Decimal(1), _RATE)), pa.scalar(None, _RATE), stated_rates
    )
    factor = pc.coalesce(by_settings, stated_rates)
    from_file = pc.and_(needs, pc.and_(pc.is_null(by_settings), pc.is_valid(stated_rates)))
    return factor, "file" if pc.any(from_file).as_py() else "rates"


def _times(given: Converted, factor: pa.Array, needs: pa.Array) -> Converted:
    """Money times its rate, half away from zero at the fourth decimal place."""
    ratio = pc.if_else(needs, factor, pa.scalar(Decimal(1), _RATE))
    exact = given.exact if given.exact is not None else given.data
    wide = pc.multiply(exact.cast(_SIX, safe=False), ratio)
    limit = pa.scalar(numbers.LARGEST, wide.type)
    fits = pc.less(pc.abs(wide), limit)
    wide = pc.if_else(fits, wide, pa.scalar(None, wide.type))
    rounded = pc.round(wide, ndigits=10, round_mode="half_towards_infinity").cast(numbers.EXACT)
    lost = pc.and_(pc.is_valid(exact), pc.is_null(wide))
    rules = pc.if_else(lost, "too_large", given.rules)
    return replace(given, data=numbers.money(rounded), exact=rounded, rules=rules)


def _refused(
    table: Table,
    name: str,
    origin: Origin,
    words: pa.Array,
    lacking: pa.Array,
    own: str,
    file: str,
) -> Problem:
    args = {
        "column": f"{table.name}.{name}",
        "header": origin.header,
        "rows": str(_count(lacking)),
        "found": ", ".join(_present(words, lacking)),
        "currency": own,
    }
    return Problem("sources.mixed_currencies", args, file)


def _present(words: pa.Array, rows: pa.Array) -> Sequence[str]:
    """The currencies of some rows, most frequent first."""
    counted = pc.value_counts(words.filter(rows)).to_pylist()
    ordered = sorted(counted, key=lambda c: (-c["counts"], c["values"] or ""))
    shown = [str(c["values"]) for c in ordered if c["values"] is not None]
    return [*shown[:_SHOWN], *(["…"] if len(shown) > _SHOWN else [])]


def _count(mask: pa.Array) -> int:
    return int(pc.sum(mask).as_py() or 0)
