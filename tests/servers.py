"""Real database servers for the tests: private, on a free port, as a user without rights."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

SECRET = "p@ss/w:ör d%20§$&"  # signs that an address would have to escape
_PATH = os.pathsep.join(
    [os.environ.get("PATH", ""), "/usr/sbin", *map(str, Path("/usr/lib/postgresql").glob("*/bin"))]
)
# PostgreSQL refuses to run as root; nobody owns nothing else.
_PLAIN: dict[str, Any] = (
    {"user": "nobody", "group": "nogroup", "extra_groups": []}
    if hasattr(os, "geteuid") and os.geteuid() == 0
    else {}
)


@dataclass(frozen=True)
class Server:
    """A server that runs; `admin` is an address with all rights."""

    kind: str
    port: int
    admin: sa.URL

    def url(self, database: str = "sales", user: str = "reader") -> str:
        """The address as settings state it."""
        return f"{self.kind}://{user}:${{DB_PASSWORD}}@127.0.0.1:{self.port}/{database}"

    def run(self, *statements: str) -> None:
        """Run statements with all rights."""
        engine = sa.create_engine(self.admin, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
        with engine.connect() as connection:
            for statement in statements:
                connection.execution_options(no_parameters=True).exec_driver_sql(statement)
        engine.dispose()

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What a query gives, as the server's driver reads it."""
        engine = sa.create_engine(self.admin, poolclass=sa.NullPool)
        with engine.connect() as connection:
            found = [tuple(row) for row in connection.exec_driver_sql(query)]
        engine.dispose()
        return found


def missing(*programs: str) -> str:
    """Why a server cannot be started here; empty if it can."""
    absent = [name for name in programs if shutil.which(name, path=_PATH) is None]
    return f"not installed here: {', '.join(absent)}" if absent else ""


def _program(name: str) -> str:
    return str(shutil.which(name, path=_PATH))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _folder() -> Iterator[Path]:
    """A folder of the user without rights, with a path short enough for a socket."""
    made = Path(tempfile.mkdtemp(prefix="db-", dir="/tmp"))
    try:
        if _PLAIN:
            shutil.chown(made, _PLAIN["user"], _PLAIN["group"])
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _prepare(folder: Path, command: Sequence[str]) -> None:
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, **_PLAIN
    )
    assert done.returncode == 0, done.stdout + done.stderr


@contextmanager
def _running(folder: Path, command: Sequence[str], stop: int, server: Server) -> Iterator[Server]:
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, **_PLAIN)
        try:
            _wait(process, server, folder / "server.log")
            yield server
        finally:
            process.send_signal(stop)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait(process: subprocess.Popen[bytes], server: Server, log: Path) -> None:
    until = time.monotonic() + 60
    while True:
        try:
            # the driver leaves a socket open where nobody listens yet
            if _listens(server):
                return server.run("SELECT 1")
        except sa.exc.DBAPIError:
            pass
        if process.poll() is not None or time.monotonic() > until:
            raise AssertionError(log.read_text(errors="replace"))
        time.sleep(0.1)


def _listens(server: Server) -> bool:
    path = server.admin.query.get("unix_socket")
    with socket.socket(socket.AF_UNIX if path else socket.AF_INET) as probe:
        return probe.connect_ex(str(path) if path else ("127.0.0.1", server.port)) == 0


@contextmanager
def postgresql() -> Iterator[Server]:
    """PostgreSQL with passwords."""
    with _folder() as folder:
        port = _free_port()
        (folder / "password").write_text("admin")
        data = str(folder / "data")
        _prepare(folder, [
            _program("initdb"), "-D", data, "-U", "postgres", "-A", "scram-sha-256",
            "--pwfile", str(folder / "password"), "-E", "UTF8", "--locale", "C.UTF-8", "-N",
        ])  # fmt: skip
        url = sa.URL.create(
            "postgresql+psycopg", "postgres", "admin", "127.0.0.1", port, "postgres"
        )
        command = [
            _program("postgres"), "-D", data, "-k", str(folder), "-p", str(port),
            "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off",
            "-c", "timezone=America/New_York",
        ]  # fmt: skip
        server = Server("postgresql", port, url)
        with _running(folder, command, signal.SIGINT, server):
            password = SECRET.replace("'", "''")
            server.run("CREATE DATABASE sales", f"CREATE ROLE reader LOGIN PASSWORD '{password}'")
            sales = Server("postgresql", port, url.set(database="sales"))
            sales.run("GRANT USAGE, CREATE ON SCHEMA public TO reader")
            yield sales


@contextmanager
def mariadb() -> Iterator[Server]:
    """MariaDB with passwords."""
    with _folder() as folder:
        port = _free_port()
        data, socket_file = str(folder / "data"), str(folder / "s")
        _prepare(folder, [
            _program("mariadb-install-db"), "--no-defaults", f"--datadir={data}",
            "--auth-root-authentication-method=normal", "--skip-test-db",
        ])  # fmt: skip
        url = sa.URL.create(
            "mysql+pymysql", "root", query={"unix_socket": socket_file, "charset": "utf8mb4"}
        )
        command = [
            _program("mariadbd"), "--no-defaults", f"--datadir={data}", f"--socket={socket_file}",
            f"--port={port}", "--bind-address=127.0.0.1", "--skip-name-resolve",
            f"--pid-file={folder / 'pid'}",
            "--character-set-server=utf8mb4", "--default-time-zone=-05:00",
            "--innodb-flush-log-at-trx-commit=0", "--sql-mode=",
        ]  # fmt: skip
        server = Server("mysql", port, url)
        with _running(folder, command, signal.SIGTERM, server):
            server.run(
                "CREATE DATABASE sales",
                f"CREATE USER reader@'%' IDENTIFIED BY '{SECRET}'",
                "GRANT ALL ON sales.* TO reader@'%'",
            )
            yield Server("mysql", port, url.set(database="sales"))
