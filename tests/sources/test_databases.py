"""Databases: real servers, exact values, one order, and nothing said that is secret."""

from __future__ import annotations

import io
import json
import os
import sqlite3
import sys
import types
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from tests import servers
from tests.pipeline import chain
from tests.servers import SECRET, Server

from analysis import cli, errors, wording
from analysis.pipeline import stages
from analysis.settings_model import Settings
from analysis.settings_sources import Source
from analysis.sources import connections, databases, draw_databases, read

COLUMNS = {name: name for name in ("order_id", "customer_id", "ordered_at", "amount")}
NO_POSTGRESQL = servers.missing("initdb", "postgres")
NO_MARIADB = servers.missing("mariadbd", "mariadb-install-db")


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    if NO_POSTGRESQL:
        pytest.skip(f"PostgreSQL is {NO_POSTGRESQL}")
    with servers.postgresql() as server:
        yield server


@pytest.fixture(scope="session")
def mariadb() -> Iterator[Server]:
    if NO_MARIADB:
        pytest.skip(f"MariaDB is {NO_MARIADB}")
    with servers.mariadb() as server:
        yield server


@pytest.fixture(params=["postgresql", "mariadb"])
def server(request: pytest.FixtureRequest) -> Server:
    found: Server = request.getfixturevalue(request.param)
    return found


@pytest.fixture(autouse=True)
def secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DB_PASSWORD", SECRET)


@pytest.fixture
def drawn(tmp_path: Path) -> Callable[..., pa.Table]:
    """What is drawn from a source, as Arrow; the file also says its name."""

    def draw(url: str, **more: Any) -> pa.Table:
        folder = tmp_path / f"drawn{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        found, problems = databases.files("orders", Source(url=url, **more), tmp_path, folder)
        assert problems == []
        return pq.read_table(found[0].path)

    return draw


def told(url: str, root: Path, **more: Any) -> errors.Problem:
    """The one problem that a source has, after its words were looked at in both languages."""
    settings = Settings.model_validate(
        {"run": "t", "period": "2025Q3", "sources": {"orders": {"url": url, **more}}}
    )
    with pytest.raises(errors.SourceError) as caught:
        read(settings, root)
    assert caught.value.exit_code == 3
    assert caught.value.__cause__ is caught.value.__context__ is None
    (problem,) = caught.value.problems
    for lang in ("zh", "en"):
        words = "\n".join(wording.explain(caught.value, lang))
        assert SECRET not in words
        assert "{" not in words
    return problem


POSTGRESQL_TYPES = """
CREATE TABLE kinds (
  order_id char(8), customer_id varchar(20), big bigint, amount numeric(18,2), loose numeric,
  ratio double precision, day date, plain timestamp, zoned timestamptz, yes boolean, doc jsonb,
  tags text[], code uuid, small smallint, empty text, whole numeric(20,0)
)"""
POSTGRESQL_ROWS = (
    "('A1', '007', 9007199254740993, 12345678901234.56, 1.10, 0.1, '2024-02-29',"
    " '2025-07-01 08:30:00.123456', '2025-07-01 08:30:00+08', true, '{\"b\": 1, \"a\": \"张\"}',"
    " '{x,y}', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 1, NULL, 12345678901234567890)",
    "('A2', '00123', -1, -0.01, 22.2222222222, 1e300, '2025-12-31', '2025-01-01',"
    " '2025-11-02 01:30:00-04', false, NULL, NULL, NULL, NULL, NULL, NULL)",
    "('A3', NULL, NULL, 0.10, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 3, NULL, 1)",
)


def test_types_of_postgresql(postgresql: Server, drawn: Callable[..., pa.Table]) -> None:
    postgresql.run(
        "DROP TABLE IF EXISTS kinds", POSTGRESQL_TYPES, "GRANT SELECT ON kinds TO reader",
        f"INSERT INTO kinds VALUES {', '.join(POSTGRESQL_ROWS)}",
    )  # fmt: skip
    table = drawn(postgresql.url(), table="kinds")
    found = table.to_pydict()
    assert [text.strip() for text in found["order_id"]] == ["A1", "A2", "A3"]
    assert found["customer_id"] == ["007", "00123", None]
    assert found["big"] == [9007199254740993, -1, None]
    assert found["amount"] == [Decimal("12345678901234.56"), Decimal("-0.01"), Decimal("0.10")]
    assert found["loose"] == [Decimal("1.1000000000"), Decimal("22.2222222222"), None]
    assert found["ratio"] == [0.1, 1e300, None]
    assert found["day"] == [date(2024, 2, 29), date(2025, 12, 31), None]
    assert found["plain"][0] == datetime(2025, 7, 1, 8, 30, 0, 123456)
    assert table["zoned"].type == pa.timestamp("us", "UTC")
    assert found["zoned"][0] == datetime(2025, 7, 1, 0, 30, tzinfo=UTC)
    assert found["zoned"][1] == datetime(2025, 11, 2, 5, 30, tzinfo=UTC)
    assert found["yes"] == [True, False, None]
    assert found["doc"] == ['{"a": "张", "b": 1}', None, None]
    assert found["tags"] == ['["x", "y"]', None, None]
    assert found["code"][0] == "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"
    assert table["empty"].type == pa.null()
    assert found["whole"] == [Decimal(12345678901234567890), None, Decimal(1)]


def test_types_of_mariadb(mariadb: Server, drawn: Callable[..., pa.Table]) -> None:
    mariadb.run(
        "DROP TABLE IF EXISTS kinds",
        "CREATE TABLE kinds (order_id char(8), customer_id varchar(20), big bigint unsigned,"
        " amount decimal(18,2), day date, plain datetime(6), zoned timestamp(6) NULL, yes bit(1),"
        " flag tinyint(1), doc json, spent time)",
        "SET time_zone = '+08:00'",
    )
    row = "'A1', '007', 18446744073709551615, 12345678901234.56, '2024-02-29',"
    mariadb.run(
        f"INSERT INTO kinds VALUES ({row} '2025-07-01 08:30:00.123456',"
        " '2025-07-01 08:30:00', b'1', 1, '{\"a\": 1}', '25:00:01'),"
        " ('A2', '张三', NULL, -0.01, NULL, NULL, NULL, b'0', 0, NULL, NULL)"
    )
    table = drawn(mariadb.url(), table="kinds")
    found = table.to_pydict()
    assert found["customer_id"] == ["007", "张三"]
    assert found["big"] == [Decimal(18446744073709551615), None]
    assert found["amount"] == [Decimal("12345678901234.56"), Decimal("-0.01")]
    assert found["day"] == [date(2024, 2, 29), None]
    assert table["plain"].type == pa.timestamp("us")
    assert found["plain"][0] == datetime(2025, 7, 1, 8, 30, 0, 123456)
    # written in the server's zone, five hours behind
    assert found["zoned"][0] == datetime(2025, 7, 1, 13, 30, tzinfo=UTC)
    assert found["yes"] == [1, 0]
    assert found["doc"] == ['{"a": 1}', None]
    assert found["spent"] == ["1 day, 1:00:01", None]


def test_a_day_without_a_calendar_is_left_to_the_reader(
    mariadb: Server, drawn: Callable[..., pa.Table], tmp_path: Path
) -> None:
    mariadb.run(
        "DROP TABLE IF EXISTS zero",
        "CREATE TABLE zero (order_id int, customer_id text, ordered_at date, amount decimal(9,2))",
        "INSERT INTO zero VALUES (1, 'a', '0000-00-00', 1), (2, 'a', '2025-07-01', 2),"
        " (3, 'a', '2025-07-02', 3)",
    )
    settings = Settings.model_validate(
        {"run": "t", "period": "2025Q3",
         "sources": {"orders": {"url": mariadb.url(), "table": "zero"}}}
    )  # fmt: skip
    found = read(settings, tmp_path)
    assert found.tables["orders"].num_rows == 2
    (row,) = found.rejected.to_pylist()
    assert (row["rule"], row["row"]) == ("no_day", 1)
    assert row["amount"] == Decimal("1.0000")


@pytest.fixture
def orders(server: Server) -> Server:
    server.run(
        "DROP TABLE IF EXISTS orders",
        "CREATE TABLE orders (order_id varchar(9), customer_id varchar(9), ordered_at date,"
        " amount numeric(12,2), note varchar(20))",
        "INSERT INTO orders VALUES ('3','a','2025-07-03',0.30,'100%'), ('1','b','2025-07-01',0.10,"
        " NULL), ('2','a','2025-07-02',0.20,'50% off; x'), ('2','a','2025-07-02',0.20,NULL)",
    )
    if server.kind == "postgresql":
        server.run("GRANT SELECT ON orders TO reader")
    return server


def _settings(server: Server, **more: Any) -> Settings:
    source = {"url": server.url(), "columns": COLUMNS, **more}
    return Settings.model_validate({"run": "t", "period": "2025Q3", "sources": {"orders": source}})


@pytest.mark.requirement("001-05")
def test_a_table_is_read_like_a_file(orders: Server, tmp_path: Path) -> None:
    found = read(_settings(orders, table="orders"), tmp_path)
    assert found.tables["orders"].to_pydict()["amount"] == [
        Decimal("0.1000"), Decimal("0.2000"), Decimal("0.2000"), Decimal("0.3000"),
    ]  # fmt: skip
    assert found.tables["orders"].to_pydict()["_row"] == [1, 2, 3, 4]
    (file,) = found.files.to_dict("records")
    assert file["format"] == orders.kind
    name = f"{orders.kind}://reader:***@127.0.0.1:{orders.port}/sales#orders"
    assert (file["file"], file["rows"]) == (name, 4)


def test_a_query_is_read_as_it_stands(orders: Server, tmp_path: Path) -> None:
    query = "SELECT * FROM orders WHERE note LIKE '%; x' OR note LIKE '1%' -- 100%; of it\n;"
    found = read(_settings(orders, query=query), tmp_path)
    assert found.tables["orders"]["order_id"].to_pylist() == ["2", "3"]
    assert found.files["file"][0].endswith("/sales#query(orders)")


@pytest.mark.parametrize("batch", [1, 3, 20_000])
def test_the_same_content_gives_the_same_bytes(
    orders: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    monkeypatch.setattr(connections, "BATCH", batch)
    prints = []
    for order in ("ORDER BY order_id", "ORDER BY amount DESC", "WHERE order_id <> '3'"):
        folder = tmp_path / order.replace(" ", "")
        folder.mkdir()
        settings = _settings(orders, query=f"SELECT * FROM orders {order}")
        prints += draw_databases(settings, tmp_path, folder).values()
    assert prints[0] == prints[1] != prints[2]
    whole = tmp_path / "whole"
    whole.mkdir()
    assert list(draw_databases(_settings(orders, table="orders"), tmp_path, whole).values()) == [
        prints[0]
    ]
    orders.run("UPDATE orders SET amount = 0.31 WHERE order_id = '3'")
    after = tmp_path / "after"
    after.mkdir()
    changed = draw_databases(_settings(orders, table="orders"), tmp_path, after)
    assert list(changed.values()) != [prints[0]]


def test_rows_come_from_a_cursor_on_the_server(
    postgresql: Server, drawn: Callable[..., pa.Table]
) -> None:
    query = "SELECT count(*) AS cursors FROM pg_cursors"
    assert drawn(postgresql.url(), query=query)["cursors"].to_pylist() == [1]


def test_a_query_that_writes_behind_a_select_is_stopped(orders: Server, tmp_path: Path) -> None:
    body = {
        "postgresql": "CREATE OR REPLACE FUNCTION sly() RETURNS int SECURITY DEFINER LANGUAGE sql"
        " AS $$ DELETE FROM orders; SELECT 1 $$",
        "mysql": "CREATE OR REPLACE FUNCTION sly() RETURNS int MODIFIES SQL DATA"
        " BEGIN DELETE FROM orders; RETURN 1; END",
    }
    orders.run(body[orders.kind])
    problem = told(orders.url(), tmp_path, query="SELECT sly() AS order_id")
    assert problem.key == "databases.not_read_only"
    assert orders.rows("SELECT count(*) FROM orders") == [(4,)]


SLEEP = {"postgresql": "SELECT pg_sleep(9)", "mysql": "SELECT sleep(9)"}


def test_what_goes_wrong_is_told(
    orders: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = orders.url()
    assert told(url, tmp_path, table="oders").args == {"table": "oders", "nearest": "orders"}
    wrong = told(url, tmp_path, query="SELECT amonut FROM orders")
    assert wrong.key == "databases.bad_query"
    assert "amonut" in wrong.args["found"]
    assert told(url, tmp_path, query="SELECT FROM WHERE").key == "databases.bad_query"
    assert told(url, tmp_path, query=SLEEP[orders.kind], timeout=1).key == "databases.timeout"
    twice = told(url, tmp_path, query="SELECT order_id, order_id FROM orders")
    assert twice.args == {"columns": "order_id"}
    absent = told(orders.url("nowhere"), tmp_path, table="orders").key
    assert absent in ("databases.no_database", "databases.denied")  # MySQL does not say which
    assert told(orders.url(user="nobody"), tmp_path, table="orders").key == "databases.denied"
    closed = f"{orders.kind}://reader:${{DB_PASSWORD}}@127.0.0.1:1/sales"
    assert told(closed, tmp_path, table="orders").key == "databases.unreachable"
    unknown = f"{orders.kind}://reader:${{DB_PASSWORD}}@no-such-host.invalid/sales"
    assert told(unknown, tmp_path, table="orders").key == "databases.unreachable"
    monkeypatch.setenv("DB_PASSWORD", SECRET + "x")
    denied = told(url, tmp_path, table="orders")
    assert denied.key == "databases.denied"
    assert denied.args == {"database": "127.0.0.1/sales"}


def test_columns_of_bytes_are_refused(server: Server, tmp_path: Path) -> None:
    kind = {"postgresql": "bytea", "mysql": "blob"}[server.kind]
    server.run("DROP TABLE IF EXISTS files", f"CREATE TABLE files (order_id int, photo {kind})")
    server.run("INSERT INTO files VALUES (1, 'x')")
    if server.kind == "postgresql":
        server.run("GRANT SELECT ON files TO reader")
    problem = told(server.url(), tmp_path, table="files")
    assert (problem.key, problem.args) == ("databases.binary_column", {"columns": "photo"})


def test_no_right_to_read_and_a_day_without_end(postgresql: Server, tmp_path: Path) -> None:
    postgresql.run("DROP TABLE IF EXISTS hidden", "CREATE TABLE hidden (order_id int)")
    problem = told(postgresql.url(), tmp_path, query="SELECT * FROM hidden")
    assert problem.key == "databases.no_permission"
    endless = told(postgresql.url(), tmp_path, query="SELECT date 'infinity' AS ordered_at")
    assert endless.key == "databases.failed"


def test_a_whole_address_may_come_from_the_environment(
    postgresql: Server, drawn: Callable[..., pa.Table], monkeypatch: pytest.MonkeyPatch
) -> None:
    url = postgresql.admin.set(drivername="postgresql", query={"application_name": "x"})
    monkeypatch.setenv("DATABASE_URL", url.render_as_string(hide_password=False))
    query = "SELECT current_setting('application_name') AS name"
    assert drawn("${DATABASE_URL}", query=query)["name"].to_pylist() == ["x"]
    assert databases.label("orders", Source(url="${DATABASE_URL}", table="o")) == (
        "${DATABASE_URL}#o"
    )


# SQLite


@pytest.fixture
def lite(tmp_path: Path) -> Callable[..., Path]:
    def make(create: str, rows: Sequence[Sequence[Any]] = (), name: str = "crm.db") -> Path:
        path = tmp_path / name
        with sqlite3.connect(path) as connection:
            connection.execute(f"CREATE TABLE orders ({create})")
            marks = ", ".join("?" * len(rows[0])) if rows else "0"
            connection.executemany(f"INSERT INTO orders VALUES ({marks})", rows)
        connection.close()
        return path

    return make


def test_sqlite_keeps_cents_that_it_stores_as_floats(
    lite: Callable[..., Path], drawn: Callable[..., pa.Table]
) -> None:
    rows = [(1, "007", 100, 4.35), (2, "008", 9999999999.99, 1e30), (3, "x", 0.1, None)]
    lite("order_id integer, customer_id text, amount numeric(12,2), ratio real", rows)
    table = drawn("sqlite:///crm.db", table="orders")
    assert table["amount"].to_pylist() == [Decimal("100"), Decimal("9999999999.99"), Decimal("0.1")]
    assert table["customer_id"].to_pylist() == ["007", "008", "x"]
    assert table["ratio"].to_pylist() == [4.35, 1e30, None]


def test_sqlite_columns_of_several_types_are_text(
    lite: Callable[..., Path], drawn: Callable[..., pa.Table]
) -> None:
    lite("order_id, amount", [(1, 5), ("A", 2.5), ("007", "缺")])
    table = drawn("sqlite:///crm.db", table="orders")
    assert sorted(table["order_id"].to_pylist()) == ["007", "1", "A"]
    assert sorted(table["amount"].to_pylist()) == ["2.5", "5", "缺"]


def test_what_goes_wrong_with_sqlite(lite: Callable[..., Path], tmp_path: Path) -> None:
    lite("order_id integer", [(1,)])
    url = "sqlite:///crm.db"
    assert told(url, tmp_path, table="Oders").args["nearest"] == "orders"
    assert told(url, tmp_path, query="SELECT nothing FROM orders").key == "databases.bad_query"
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT * FROM n"
    count = f"SELECT count(*) AS order_id FROM ({endless})"
    assert told(url, tmp_path, query=count, timeout=1).key == "databases.timeout"
    assert told("sqlite:///none.db", tmp_path, table="orders").key == "sources.missing_file"
    assert not (tmp_path / "none.db").exists()
    (tmp_path / "text.db").write_text("order_id\n" * 1000)
    assert told("sqlite:///text.db", tmp_path, table="orders").key == "sources.damaged"


def test_an_empty_table_is_told_but_not_where_nothing_came_back_yet(
    lite: Callable[..., Path], tmp_path: Path
) -> None:
    lite("order_id integer")
    assert told("sqlite:///crm.db", tmp_path, table="orders").key == "sources.no_rows"
    source = Source(url="sqlite:///crm.db", table="orders")
    assert databases.files("tasks", source, tmp_path, tmp_path) == ([], [])


_VALUES = {
    "exact": st.decimals(-10**12, 10**12, places=2) | st.integers(-(10**15), 10**15),
    "text": st.text(st.characters(codec="utf-8", exclude_characters="\0")),
    "truth": st.booleans(),
    "day": st.dates(),
    "time": st.datetimes(),
    "moment": st.datetimes(
        datetime(1900, 1, 1), datetime(2200, 1, 1),
        timezones=st.sampled_from([UTC, timezone(timedelta(hours=8)), ZoneInfo("Asia/Kolkata")]),
    ),
    "float": st.floats(allow_nan=False, allow_infinity=False),
}  # fmt: skip


@pytest.mark.parametrize("kind", _VALUES)
@hypothesis_settings(max_examples=40)
@given(data=st.data())
def test_values_come_through_exactly(kind: str, data: st.DataObject) -> None:
    values = data.draw(st.lists(st.none() | _VALUES[kind], min_size=1))
    text, kinds = databases.as_text(values)
    assert kinds <= {kind}
    if kind in ("truth", "day", "time", "moment", "float"):
        back = text.cast(databases._ARROW[kind]).to_pylist()
    elif kind == "exact":
        back = [None if v is None else Decimal(v) for v in text.to_pylist()]
    else:
        back = text.to_pylist()
    assert back == values


# Another driver, without its server


def test_sql_server_goes_through_the_same_seam(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = "mssql://reader:${DB_PASSWORD}@erp.example:1433/sales"
    monkeypatch.setitem(sys.modules, "pymssql", None)
    assert told(url, tmp_path, table="dbo.orders").args == {"driver": "pymssql", "extra": "mssql"}

    asked: dict[str, Any] = {}
    stand_in = types.ModuleType("pymssql")
    error = type("Error", (Exception,), {})
    for name in ("InterfaceError", "DatabaseError", "OperationalError", "ProgrammingError"):
        setattr(stand_in, name, type(name, (error,), {}))
    stand_in.Error, stand_in.__version__ = error, "2.3.0"  # type: ignore[attr-defined]
    stand_in.paramstyle = "pyformat"  # type: ignore[attr-defined]

    def connect(**given: Any) -> Any:
        asked.update(given)
        raise stand_in.OperationalError((18456, b"Login failed for user 'reader'"))

    stand_in.connect = connect  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "pymssql", stand_in)
    assert told(url, tmp_path, table="dbo.orders").key == "databases.denied"
    assert asked["password"] == SECRET
    assert (asked["login_timeout"], asked["timeout"]) == (connections.CONNECT_SECONDS, 600)


# A run


PARAMS = """\
extends: base.yml
run: tiny
period: 2025Q3
sources:
  orders:
    url: {url}
    table: orders
"""
CELL = [
    "from analysis import sources\nfrom analysis.pipeline.session import open_stage\n"
    'stage = open_stage("first", params, overrides)\nstage.show_settings()',
    "read = sources.read(stage.settings, stage.data_root)\nread.files",
    'stage.save(one=read.tables["orders"], sources=read.files)',
]


@pytest.fixture
def project_on(orders: Server, project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    first = stages.Stage("first", "notebooks/1.ipynb", sections=("sources",), gives=("one",))
    monkeypatch.setattr(stages, "STAGES", (first,))
    monkeypatch.setattr(chain, "STAGES", (first,))
    (project / "params" / "tiny.yml").write_text(PARAMS.format(url=orders.url()))
    chain.write_notebook(project / "notebooks" / "1.ipynb", CELL)
    return project


def _holding(folder: Path, words: Sequence[str]) -> list[Path]:
    wanted = [word.encode() for word in words]
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [path for path in files if any(word in path.read_bytes() for word in wanted)]


@pytest.mark.slow
@pytest.mark.parametrize("server", ["postgresql"], indirect=True)
def test_a_run_draws_once_skips_what_did_not_change_and_keeps_the_secret(
    orders: Server, project_on: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = io.StringIO()
    assert chain.run(project_on, said).ran == ["first"]
    assert chain.run(project_on, said).kept == ["first"]
    orders.run("UPDATE orders SET amount = 7 WHERE order_id = '1'")
    assert chain.run(project_on, said, explain=True).ran == []
    assert f"{orders.port}/sales#orders changed" in said.getvalue()
    assert chain.run(project_on, said).ran == ["first"]

    shown = f"{orders.kind}://reader:***@127.0.0.1:{orders.port}/sales"
    record = project_on / "reports" / "tiny" / "2025Q3"
    manifest = json.loads((record / "manifest.json").read_text())
    assert list(manifest["inputs"]) == [f"{shown}#orders"]
    assert manifest["settings"]["sources.orders.url"]["value"] == shown
    assert not list((project_on / "reports" / "tiny" / ".stages").glob("*drawn*"))

    folder = ["--root", str(project_on)]
    for command in (["params", "show", "params/tiny.yml"], ["check", "params/tiny.yml"]):
        assert cli.cli.main([*command, *folder], standalone_mode=False) in (0, None)
    out, err = capsys.readouterr()
    assert f'"{shown}"' in out
    escaped = json.dumps(SECRET)[1:-1]
    assert SECRET not in said.getvalue() + out + err
    assert _holding(project_on, [shown])  # the search does find what stands there
    assert _holding(project_on, [SECRET, escaped]) == []


@pytest.mark.slow
@pytest.mark.parametrize("server", ["postgresql"], indirect=True)
def test_a_failing_run_says_what_to_do_and_keeps_the_secret(
    project_on: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    wrong = SECRET + "wrong"
    monkeypatch.setenv("DB_PASSWORD", wrong)
    arguments = ["analysis", "run", "params/tiny.yml", "--root", str(project_on)]
    monkeypatch.setattr(sys, "argv", arguments)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == errors.SourceError.exit_code
    monkeypatch.delenv("DB_PASSWORD")
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == errors.SettingsError.exit_code
    out, err = capfd.readouterr()
    assert "DB_PASSWORD" in err
    assert "Traceback" not in out + err
    assert SECRET not in out + err
    assert _holding(project_on, [SECRET]) == []
    assert os.environ.get("DB_PASSWORD") is None
