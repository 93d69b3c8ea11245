"""A read-only conversation with a database, and what can go wrong in it.

SQLAlchemy and the drivers take a while to import: this module is imported where one is used.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from rapidfuzz import process
from sqlalchemy.exc import DBAPIError, NoSuchModuleError, SQLAlchemyError

from analysis.errors import Problem, SourceError
from analysis.settings_databases import Address

BATCH = 20_000  # rows that are held as Python values at once
CONNECT_SECONDS = 10
DRIVERS = {
    "sqlite": "sqlite+pysqlite",
    "postgresql": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mssql": "mssql+pymssql",
}
_NOTHING_READ = 50_000  # steps of SQLite's machine between two looks at the clock

# What a driver's code means: SQLSTATE, the number of a MySQL or SQL Server error, SQLite's name.
_MEANING = {
    "denied": ("28P01", "28000", 1044, 1045, 1698, 18456, "SQLITE_AUTH"),
    "no_database": ("3D000", 1049, 4060),
    "unreachable": (2002, 2003, 2005, 20009),
    "timeout": ("57014", 1969, 3024, 2013, 20003, "SQLITE_INTERRUPT", "SQLITE_BUSY"),
    "no_permission": ("42501", 1142, 1143, 229, 230),
    "not_read_only": ("25006", 1792, 3906, "SQLITE_READONLY"),
    "bad_query": (
        "42P01", "42703", "42601", "42883", "42702", "42803", "42P10", 1054, 1064, 1146, 1305,
        102, 156, 207, 208, "SQLITE_ERROR",
    ),
    "not_a_database": ("SQLITE_NOTADB", "SQLITE_CORRUPT", "SQLITE_CANTOPEN"),
}  # fmt: skip
_CODES = {code: key for key, codes in _MEANING.items() for code in codes}
# PostgreSQL's driver gives no code where a connection fails: its server's words, in English.
_WORDS = {
    "authentication failed": "denied",
    "no pg_hba.conf entry": "denied",
    "no password supplied": "denied",
    "role \"": "denied",
    "database \"": "no_database",
    "connection refused": "unreachable",
    "timeout expired": "unreachable",
    "resolve host": "unreachable",
    "no such file": "unreachable",
}  # fmt: skip


@contextmanager
def rows_of(
    address: Address, root: Path, table: str | None, query: str | None, seconds: int, name: str
) -> Iterator[tuple[list[str], Iterator[Sequence[Sequence[Any]]]]]:
    """The columns' names and the rows of a table or a query, in batches of `BATCH`.

    Parameters
    ----------
    address
        With its password.
    root
        Folder from which a relative path of SQLite counts.
    table, query
        One of them.
    seconds
        Time the database may take to answer.
    name
        How messages call the source.

    Raises
    ------
    SourceError
        Whatever goes wrong, without the driver's traceback and without a secret.
    """
    if address.kind == "sqlite" and not (root / address.database).is_file():
        raise SourceError(Problem("sources.missing_file", {"file": name}))
    try:
        engine = _engine(address, root, seconds)
    except (ModuleNotFoundError, NoSuchModuleError):
        args = {"driver": DRIVERS[address.kind].partition("+")[2], "extra": address.kind}
        raise SourceError(Problem("databases.no_driver", args, name)) from None
    try:
        with engine.connect() as connection:
            _only_read(connection, address.kind, seconds)
            stream = connection.execution_options(stream_results=True, yield_per=BATCH)
            if query is None:
                answer = stream.execute(_whole(connection, table or "", name))
            else:  # a percent sign in it is one: there are no parameters
                stream = stream.execution_options(no_parameters=True)
                answer = stream.exec_driver_sql(query.strip().removesuffix(";"))
            with closing(answer):
                yield list(answer.keys()), iter(answer.partitions(BATCH))
    except SQLAlchemyError as error:
        raise SourceError(_problem(error, address, seconds, name)) from None
    finally:
        engine.dispose()


def _engine(address: Address, root: Path, seconds: int) -> sa.Engine:
    """An engine that knows the ways of its database; nothing is opened yet."""
    driver = DRIVERS[address.kind]
    query = dict(address.options)
    given: dict[str, Any] = {}
    database = address.database
    if address.kind == "sqlite":
        # SQLite would make a database that is not there; read-only, it says so
        database = f"file:{quote(str(root / database))}"
        query = {"mode": "ro", "uri": "true"}
        given = {"timeout": CONNECT_SECONDS}
    elif address.kind == "postgresql":
        given = {"connect_timeout": CONNECT_SECONDS, "client_encoding": "utf8"}
    elif address.kind == "mysql":
        given = {
            "connect_timeout": CONNECT_SECONDS, "read_timeout": seconds, "charset": "utf8mb4",
            "conv": _mysql_values(),
        }  # fmt: skip
        if address.password is not None:  # as text the driver would send it in Latin-1
            given["password"] = address.password.encode()
    elif address.kind == "mssql":
        given = {"login_timeout": CONNECT_SECONDS, "timeout": seconds, "charset": "UTF-8"}
    url = sa.URL.create(
        driver, address.user, address.password, address.host or None, address.port, database, query
    )
    return sa.create_engine(url, connect_args=given, poolclass=sa.NullPool)


def _mysql_values() -> dict[Any, Any]:
    """How MySQL's values become Python's, where the driver leaves something open."""
    converters = import_module("pymysql.converters")
    kinds = import_module("pymysql.constants.FIELD_TYPE")

    def moment(text: str) -> datetime | str:
        # TIMESTAMP is a point in time, told in the session's zone; DATETIME has none
        found = converters.convert_datetime(text)
        return found.replace(tzinfo=UTC) if isinstance(found, datetime) else text

    def bits(data: bytes) -> int:
        return int.from_bytes(data, "big")

    return {**converters.conversions, kinds.TIMESTAMP: moment, kinds.BIT: bits}


def _only_read(connection: sa.Connection, kind: str, seconds: int) -> None:
    """Begin what cannot write, in UTC, and with an end."""
    if kind == "sqlite":
        connection.exec_driver_sql("PRAGMA query_only = ON")
        until = time.monotonic() + seconds
        driver: Any = connection.connection.driver_connection
        driver.set_progress_handler(lambda: time.monotonic() > until, _NOTHING_READ)
    elif kind == "postgresql":
        connection.exec_driver_sql("SET TRANSACTION READ ONLY")
        connection.exec_driver_sql(f"SET LOCAL statement_timeout = {seconds * 1000}")
        connection.exec_driver_sql("SET LOCAL TIME ZONE 'UTC'")
    elif kind == "mysql":
        connection.exec_driver_sql("SET SESSION time_zone = '+00:00'")
        connection.exec_driver_sql("SET SESSION TRANSACTION READ ONLY")
        connection.commit()  # what has begun may write; what begins now may not
    # SQL Server has no transaction that only reads: the account must not be allowed to write


def _whole(connection: sa.Connection, table: str, name: str) -> sa.Select[Any]:
    """The statement that reads a whole table or view, ``schema.table`` allowed."""
    schema, _, bare = table.rpartition(".")
    inspector = sa.inspect(connection)
    if not inspector.has_table(bare, schema or None):
        known = [*inspector.get_table_names(schema or None)]
        known += inspector.get_view_names(schema or None)
        best = process.extractOne(bare, sorted(known), score_cutoff=40)
        args = {"table": table, "nearest": best[0] if best else "–"}
        raise SourceError(Problem("databases.no_table", args, name))
    return sa.select(sa.text("*")).select_from(sa.table(bare, schema=schema or None))


def _problem(error: SQLAlchemyError, address: Address, seconds: int, name: str) -> Problem:
    origin: Any = error.orig if isinstance(error, DBAPIError) else error
    code = _code(origin)
    text = " ".join(str(origin).split())
    key = _CODES.get(code or "")
    if not _reached(error):
        low = text.lower()
        key = key or next((key for words, key in _WORDS.items() if words in low), "no_connection")
        key = "unreachable" if key == "timeout" else key
    args: dict[str, Any] = {"database": f"{address.host}/{address.database}".lstrip("/")}
    if key == "not_a_database":
        return Problem("sources.damaged", {"file": name})
    if key == "bad_query":
        return Problem(f"databases.{key}", {"found": _hidden(text, address)}, name)
    if key in ("timeout", "unreachable"):
        args["seconds"] = seconds if key == "timeout" else CONNECT_SECONDS
    if key is None:
        key, args = "failed", {"code": str(code or type(origin).__name__)}
    return Problem(f"databases.{key}", args, name)


def _reached(error: SQLAlchemyError) -> bool:
    """Whether the database had been reached: a statement was under way."""
    return isinstance(error, DBAPIError) and error.statement is not None


def _code(origin: Any) -> str | int | None:
    """A number, SQLSTATE, or SQLite's name of an error; None where the driver gives none."""
    first = origin.args[0] if getattr(origin, "args", ()) else None
    while isinstance(first, tuple) and first:
        first = first[0]
    if isinstance(first, int):
        return first
    return getattr(origin, "sqlite_errorname", None) or getattr(origin, "sqlstate", None)


def _hidden(text: str, address: Address) -> str:
    """A driver's words on a query, short and without the password."""
    shown = text.replace(address.password, "***") if address.password else text
    return shown[:200]
