"""What exports seem to be: which table, which header goes where, whose numbers they hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from analysis.errors import Problem, SourceError
from analysis.settings_sources import Source
from analysis.sources import basis, dates, mapping, memory, numbers, texts, wide
from analysis.sources.dated import day_in
from analysis.sources.dates import Zones
from analysis.sources.files import File
from analysis.sources.grid import Grid
from analysis.sources.mapping import Resolved, Wanted
from analysis.sources.memory import Changes, Headers
from analysis.sources.named import Accepted, NamedMapping, load
from analysis.sources.reader import read_grid
from analysis.tables import INPUT, Column

# One of these in a file means documents: their customer columns are not a customer list.
_OF_ORDERS = ("order_id", "ordered_at", "amount")
# Fewer headers than this say nothing about a file that lacks required columns.
_LEAST_PARTIAL = 2
_NO_HEADER = "\ue000"  # private use: nobody's header
_GENERAL = ("generic_zh", "generic_en")  # before a system's own where both explain a file alike
_NAMES = (
    "客户名称",
    "关联客户",
    "客户",
    "公司",
    "account name",
    "associated company",
    "company name",
)
_OF_ONE_PERIOD = {"treatments": "started_on"}  # of several files the latest counts
_WORDS = 60  # distinct words beyond which a column is no list of choices
_MOSTLY = 0.5
_UTC = Zones("UTC", "UTC")


@dataclass(frozen=True)
class Proposal:
    """What a file seems to be.

    Attributes
    ----------
    file
        The file, as it was given.
    table
        Canonical table; empty if none fits.
    columns
        Canonical column → header.
    left_over
        Headers that were placed nowhere.
    missing
        Required columns for which the file has no header.
    wide, turned, sums
        How headers become rows: buckets, months or, as in most files, not at all; which do, and
        which only add others up.
    mapping
        The file of ``params/mappings`` that explains it best.
    units, words, values
        Canonical column → the unit its numbers need, the file's words and their keys, and the text
        that every row gets.
    unknown
        Canonical column → distinct words that the mapping does not know.
    shapes
        Header left over → the form of its first value.
    declared
        What the headers say that the money counts: ``event``, ``tax``, ``returns``.
    others
        Money columns of another basis.
    keys
        System whose customer numbers it holds; empty: the customers' own.
    by_name
        Whether customers stand in it by name only.
    header
        Its headers.
    doubtful
        Headers of dates of which day and month cannot be told apart.
    older
        Whether another file of the same table is of a later period.
    """

    file: str
    table: str
    columns: dict[str, str]
    left_over: tuple[str, ...]
    missing: tuple[str, ...] = ()
    wide: str = ""
    turned: tuple[str, ...] = ()
    sums: tuple[str, ...] = ()
    mapping: str = ""
    units: Mapping[str, str] = field(default_factory=dict)
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    values: Mapping[str, str] = field(default_factory=dict)
    unknown: Mapping[str, int] = field(default_factory=dict)
    shapes: Mapping[str, str] = field(default_factory=dict)
    declared: Mapping[str, str] = field(default_factory=dict)
    others: tuple[str, ...] = ()
    keys: str = ""
    by_name: bool = False
    header: tuple[str, ...] = ()
    doubtful: tuple[str, ...] = ()
    older: bool = False

    @property
    def fit(self) -> float:
        """How well the table explains the file, 0 to 1.

        The Dice coefficient of the file's headers and the table's columns, so that neither a
        long table nor a short one wins by its size, less where required columns are missing.
        The customer's number does not count: nearly every table has it.
        """
        if self.missing and len(self.columns) < _LEAST_PARTIAL:
            return 0.0
        placed = len(self.columns.keys() - {"customer_id"}) + len(self.turned)
        own = len(set(INPUT[self.table].names) - {"customer_id"})
        size = placed + len(self.left_over) + own
        required = len(INPUT[self.table].required)
        return 2 * placed / max(size, 1) * (1 - len(self.missing) / max(required, 1)) ** 2


def propose(files: Sequence[Path], root: Path) -> list[Proposal]:
    """Guess table and columns of each file from the headers in ``params/mappings``.

    The table that fits best is taken, also if required columns are missing; a file with order
    numbers, order dates or amounts is never a customer list. A file that holds the customer
    numbers of two systems is the bridge between them, and other files whose customers stand in it
    are read through it. It is a proposal: a person reads it before anything is computed.

    Raises
    ------
    SourceError
        If a file is missing or cannot be read at all.
    """
    missing = [
        Problem("sources.missing_file", {"file": path.as_posix()})
        for path in files
        if not path.is_file()
    ]
    if missing:
        raise SourceError(missing)
    mappings = _mappings(root)
    found: list[tuple[Proposal, Grid]] = []
    for path in files:
        file = File(path.as_posix(), path)
        grid = _grid(file, mappings)
        found += [(one, grid) for one in _propose(file, grid, mappings)]
    return _bridged(_one_period(_one_list(found)))


def headers_of(found: Sequence[Proposal]) -> Headers:
    """The headers of the files that were placed, for `memory.remember`."""
    return memory.by_form([(p.table, p.file, p.header) for p in found if p.table])


def changes_since(
    found: Sequence[Proposal], run: str, period: str, root: Path
) -> dict[str, Changes]:
    """File → how its headers differ from those of the latest period before."""
    then, known = memory.recall(memory.latest_before(root, run, period))
    return {p.file: memory.compare(then, known, p.table, p.file, p.header) for p in found}


def _mappings(root: Path) -> list[tuple[str, NamedMapping]]:
    names = sorted(
        (path.stem for path in (root / "params" / "mappings").glob("*.yml")),
        key=lambda name: (name not in _GENERAL, name != _GENERAL[0], name),
    )
    mappings = []
    for name in names:
        named, problems = load(name, root)
        if named is None:
            raise SourceError(problems)
        mappings.append((name, named))
    return mappings


def _grid(file: File, mappings: Sequence[tuple[str, NamedMapping]]) -> Grid:
    """The file below the row that holds most of the headers that any table knows."""
    source = Source(path=file.name)
    names: dict[Column, dict[str, None]] = {}
    for _, named in mappings:
        for table, part in named.tables.items():
            for column, accepted in part.columns.items():
                kind = INPUT[table].column(column).type
                names.setdefault(Column(column, kind, ""), {}).update(dict.fromkeys(accepted.names))
    known = [Wanted(column, tuple(found)) for column, found in names.items()]
    # no row is complete, so the search goes on below a title that happens to be a known word
    never = Wanted(Column("", "string", ""), (_NO_HEADER,), must=True)
    return read_grid(file, source, [*known, never])


def _propose(
    file: File, grid: Grid, mappings: Sequence[tuple[str, NamedMapping]]
) -> list[Proposal]:
    """What a file is; a customer list that bridges two systems is the list and the bridge."""
    found = [
        _as_table(file, grid, table, name, named)
        for name, named in mappings
        for table in named.tables
    ]
    if any(p.table == "orders" and set(_OF_ORDERS) & set(p.columns) for p in found):
        found = [p for p in found if p.table != "customers"]
    best = max(found, key=lambda p: p.fit, default=None)
    if best is None or best.fit <= 0:
        left = tuple(dict.fromkeys(h for h in grid.header if h))
        return [Proposal(file.name, "", {}, left, shapes=_shapes(grid, left), header=grid.header)]
    bridge = max((p for p in found if _is_bridge(p)), key=lambda p: p.fit, default=None)
    lists = [p for p in found if p.table == "customers" and len(p.columns) >= _LEAST_PARTIAL]
    chosen = [best]
    if bridge is not None and (best.table == "customers" or bridge.fit >= best.fit):
        chosen = [*sorted(lists, key=lambda p: -p.fit)[:1], bridge]
    return [_detailed(one, grid, dict(mappings)[one.mapping]) for one in chosen]


def _one_list(found: list[tuple[Proposal, Grid]]) -> list[tuple[Proposal, Grid]]:
    """Without the bridges as customer lists, where another file is the customer list."""
    bridges = {p.file for p, _ in found if _is_bridge(p)}
    lists = {p.file for p, _ in found if p.table == "customers"}
    if not lists - bridges:
        return found
    return [(p, g) for p, g in found if p.table != "customers" or p.file not in bridges]


def _is_bridge(found: Proposal) -> bool:
    """A list that holds a customer's number in two systems, each under a header of its own."""
    return found.table == "customer_keys" and {"key", "customer_id"} <= found.columns.keys()


def _as_table(file: File, grid: Grid, table: str, name: str, named: NamedMapping) -> Proposal:
    source = _stands_wide(Source(path=file.name, mapping=name), table, grid.header)
    source, found = _resolved(file, grid, table, source, named)
    required = INPUT[table].required
    # a header is placed once, required columns choose first
    placed: dict[str, str] = {}
    for column in sorted(found.origins, key=lambda c: c not in required):
        own = found.origins[column].header
        if own and own not in placed.values():
            placed[column] = own
    turned = tuple(h.header for h in found.wide)
    sums = tuple(h.header for h in found.sums)
    by_name = {"as_of"} if source.wide == wide.BUCKETS and day_in(file.name) else set()
    told = {str(p.args.get("column", "")).partition(".")[2] for p in found.problems}
    used = {*placed.values(), *turned, *sums}
    constants = {
        c: o.wanted.value for c, o in found.origins.items() if o.index is None and o.wanted.value
    }
    return Proposal(
        file.name,
        table,
        {c: placed[c] for c in INPUT[table].names if c in placed},
        tuple(dict.fromkeys(h for h in grid.header if h and h not in used)),
        tuple(c for c in required if c in told and c not in placed and c not in by_name),
        source.wide if isinstance(source.wide, str) else "",
        turned,
        sums,
        name,
        values=constants,
        declared={"tax": source.tax} if source.tax else {},
        header=grid.header,
    )


def _resolved(
    file: File, grid: Grid, table: str, source: Source, named: NamedMapping
) -> tuple[Source, Resolved]:
    """The file's columns; of money with and without tax that without, which finance counts."""
    for tax in (None, "excluded"):
        source = source.model_copy(update={"tax": tax})
        wanted = mapping.wanted_columns(INPUT[table], source, named)
        found = mapping.resolve(grid.header, INPUT[table], source, wanted, file.name, grid.title)
        if not any(p.key == "sources.several_bases" for p in found.problems):
            break
    return source, found


def _stands_wide(source: Source, table: str, header: Sequence[str]) -> Source:
    """The source with its way of turning headers into rows, where the file has several."""
    kind = {"receivables": wide.BUCKETS, "targets": wide.MONTHS}.get(table)
    turned = source.model_copy(update={"wide": kind})
    return turned if kind and wide.hits(header, turned)[0] > 1 else source


def _detailed(found: Proposal, grid: Grid, named: NamedMapping) -> Proposal:
    """With what only the values tell: words, days, and the forms of what is left over.

    An optional column of which most values cannot be read is left over.
    """
    part = named.tables[found.table].columns
    found = _readable(found, grid, part)
    words, unknown, units, doubtful = {}, {}, {}, []
    for column, header in found.columns.items():
        values = grid.columns[grid.header.index(header)]
        accepted = part[column]
        kind = INPUT[found.table].column(column).type
        if accepted.map:
            words[column], unknown[column] = _known_words(values, accepted.map)
        if accepted.unit:
            units[column] = accepted.unit
        if kind in ("date", "timestamp") and _ambiguous(values):
            doubtful.append(header)
    return replace(
        found,
        units=units,
        words={c: w for c, w in words.items() if w},
        unknown={c: n for c, n in unknown.items() if n},
        shapes=_shapes(grid, found.left_over),
        declared=_declared(found),
        others=_other_money(found),
        by_name=found.columns.get("customer_id", "").casefold() in _NAMES,
        doubtful=tuple(doubtful),
    )


def _readable(found: Proposal, grid: Grid, part: Mapping[str, Accepted]) -> Proposal:
    """Without optional columns of numbers or days that mostly hold something else."""
    table = INPUT[found.table]
    wrong = [
        column
        for column, header in found.columns.items()
        if column not in table.required
        and not part[column].map
        and _mostly_bad(grid.columns[grid.header.index(header)], table.column(column).type)
    ]
    if not wrong:
        return found
    return replace(
        found,
        columns={c: h for c, h in found.columns.items() if c not in wrong},
        left_over=(*found.left_over, *(found.columns[c] for c in wrong)),
    )


def _mostly_bad(values: pa.Array, kind: str) -> bool:
    if kind in ("money", "number", "integer", "share"):
        bad = numbers.parse_column(values).bad
    elif kind in ("date", "timestamp"):
        if _ambiguous(values):
            return False
        bad = dates.parse_column(values, _UTC, None).bad
    else:
        return False
    wrong = int(pc.sum(bad).as_py() or 0)
    return wrong * 2 > len(values) - int(values.null_count)


def _known_words(values: pa.Array, known: Mapping[str, str]) -> tuple[dict[str, str], int]:
    """The file's words that the mapping translates, and how many it does not know."""
    plain = {texts.header(word): key for word, key in known.items()}
    present = [texts.header(w) for w in values.cast(pa.string()).unique().to_pylist() if w]
    found = {word: plain[word] for word in sorted(present) if word in plain}
    keys = {*plain, *plain.values()}
    strange = {w for w in present if w and w not in keys and numbers.parse(w) is None}
    return found, len(strange) if len(present) <= _WORDS else 0


def _ambiguous(values: pa.Array) -> bool:
    rules = dates.parse_column(values, _UTC, None).rules
    return bool(pc.any(pc.equal(rules, "ambiguous_date")).as_py())


def _declared(found: Proposal) -> dict[str, str]:
    if found.table != "orders":
        return {}
    said = dict(found.declared)
    event = basis.event_of(found.columns.get("ordered_at", ""))
    tax = basis.of_money(found.columns.get("amount", "")).tax
    return {**({"event": event} if event else {}), **({"tax": tax} if tax else {}), **said}


def _other_money(found: Proposal) -> tuple[str, ...]:
    """Columns that count the same money on another basis."""
    own = basis.of_money(found.columns.get("amount", ""))
    if found.table != "orders" or own.tax is None:
        return ()
    said = [(h, basis.of_money(h).tax) for h in found.left_over]
    return tuple(h for h, tax in said if tax and tax != own.tax and "单价" not in h)


def _shapes(grid: Grid, headers: Sequence[str]) -> dict[str, str]:
    """The form of each column's first value: digits 9, letters x."""
    found = {}
    for header in headers:
        values = grid.columns[grid.header.index(header)].cast(pa.string())
        filled = values.filter(
            pc.fill_null(pc.not_equal(pc.utf8_trim_whitespace(values), ""), False)
        )
        if len(filled):
            found[header] = texts.shape(filled[0].as_py())
    return found


def _one_period(found: list[tuple[Proposal, Grid]]) -> list[tuple[Proposal, Grid]]:
    """Files that hold one period's rows, where there is a file of a later period, marked."""
    told = list(found)
    for table, column in _OF_ONE_PERIOD.items():
        days = {
            i: day
            for i, (own, grid) in enumerate(found)
            if own.table == table and (day := _latest(own, grid, column))
        }
        last = max(days.values(), default=None)
        for i, day in days.items():
            if last is not None and day < last:
                told[i] = (replace(found[i][0], older=True), found[i][1])
    return told


def _latest(found: Proposal, grid: Grid, column: str) -> datetime | None:
    header = found.columns.get(column)
    if header is None:
        return None
    values = grid.columns[grid.header.index(header)]
    latest: datetime | None = pc.max(dates.parse_column(values, _UTC, None).data).as_py()
    return latest


def _bridged(found: list[tuple[Proposal, Grid]]) -> list[Proposal]:
    """Files whose customers stand under the other system's numbers, marked."""
    bridge = next(((p, g) for p, g in found if _is_bridge(p)), None)
    if bridge is None:
        return [p for p, _ in found]
    own, grid = bridge
    keys, ids = (_distinct(grid, own.columns[c]) for c in ("key", "customer_id"))
    system = own.values.get("system", "")
    marked = []
    for one, other in found:
        header = one.columns.get("customer_id")
        if one is own or header is None or not system:
            marked.append(one)
            continue
        values = _distinct(other, header)
        in_keys, in_ids = (_share(values, known) for known in (keys, ids))
        marked.append(replace(one, keys=system) if in_keys > max(in_ids, _MOSTLY) else one)
    return marked


def _distinct(grid: Grid, header: str) -> pa.Array:
    values = grid.columns[grid.header.index(header)].cast(pa.string())
    return pc.drop_null(texts.column(pc.unique(values), key=True))


def _share(values: pa.Array, known: pa.Array) -> float:
    return float(pc.mean(pc.is_in(values, value_set=known)).as_py() or 0.0)
