"""What a source says of a database: its address, and a query that only reads.

An address may hold ``${NAME}`` wherever a name or a password stands, or be one ``${NAME}`` as a
whole. A password is never written into the settings: it comes from the environment.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote

SECRET = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
# How an address may begin, and which kind of database that is.
KINDS = {
    "sqlite": "sqlite",
    "postgresql": "postgresql", "postgresql+psycopg": "postgresql", "postgres": "postgresql",
    "mysql": "mysql", "mysql+pymysql": "mysql", "mariadb": "mysql", "mariadb+pymysql": "mysql",
    "mssql": "mssql", "mssql+pymssql": "mssql",
}  # fmt: skip
_ADDRESS = re.compile(
    r"\A(?P<kind>[a-z0-9+]+)://(?:(?P<user>[^:@/?#]*)(?::(?P<password>[^@/?#]*))?@)?"
    r"(?P<host>[^:@/?#\[\]]*|\[[0-9a-fA-F:.]+\])(?::(?P<port>[0-9]{1,5}|\$\{\w+\}))?"
    r"/(?P<database>[^?#@]*)(?:\?(?P<options>[^#@]*))?\Z"
)
_SECRET_OPTION = re.compile(r"pass|pwd|secret|token|key\Z", re.IGNORECASE)

Found = tuple[str, str, dict[str, Any]]


@dataclass(frozen=True)
class Address:
    """Where a database is and who asks; as text it never shows the password."""

    kind: str
    user: str | None
    password: str | None = field(repr=False)
    host: str
    port: int | None
    database: str
    options: Mapping[str, str] = field(repr=False)


def address(url: str, environ: Mapping[str, str]) -> Address:
    """An address of the settings with what the environment holds.

    Parameters
    ----------
    url
        As `problems` lets it pass.
    environ
        The environment; its values are taken as they are and need no percent signs, unless the
        address as a whole comes from it.

    Raises
    ------
    ValueError
        If it is none (without its text, which may be secret).
    """
    whole = SECRET.fullmatch(url)
    found = _ADDRESS.match(environ[whole[1]] if whole else url)
    if found is None or found["kind"] not in KINDS:
        raise ValueError("address")

    def filled(text: str) -> str:
        return SECRET.sub(lambda name: environ[name[1]], unquote(text))

    part = {name: filled(text) for name, text in found.groupdict().items() if text is not None}
    options = {k: filled(v) for k, v in parse_qsl(found["options"] or "")}
    return Address(
        KINDS[found["kind"]], part.get("user"), part.get("password"), part["host"].strip("[]"),
        int(part["port"]) if "port" in part else None, part["database"], options,
    )  # fmt: skip


def shown(url: str) -> str:
    """An address as records and messages name it: ``***`` for the password, no options."""
    found = _ADDRESS.match(url)
    if found is None:
        return url if SECRET.fullmatch(url) else "***"
    user = found["user"] or ""
    user += ":***" if found["password"] else ""
    port = f":{found['port']}" if found["port"] else ""
    at = "@" if user else ""
    return f"{found['kind']}://{user}{at}{found['host']}{port}/{found['database']}"


def variables(url: str) -> list[str]:
    """Names of the environment's variables that an address asks for."""
    return list(dict.fromkeys(SECRET.findall(url)))


def problems(
    url: str | None, table: str | None, query: str | None, environ: Mapping[str, str]
) -> Iterator[Found]:
    """What is wrong with a source's database: a catalogue key, the setting's name, arguments.

    No argument holds anything of the address: it may contain a password.
    """
    asked = {"table": table, "query": query}
    if url is None:
        yield from (("without_url", n, {}) for n, value in asked.items() if value is not None)
        return
    if (table is None) == (query is None):
        yield "one_of", "url", {"allowed": list(asked)}
    if query is not None and (found := not_a_select(query)):
        yield "not_one_select", "query", {"found": found}
    missing = [name for name in variables(url) if name not in environ]
    yield from (("missing_secret", "url", {"found": name}) for name in missing)
    if _literal_secret(url):
        yield "literal_password", "url", {}
    elif not missing and not _is_address(url, environ):
        yield "bad_url", "url", {"allowed": [f"{kind}://" for kind in KINDS if "+" not in kind]}


def _literal_secret(url: str) -> bool:
    """Whether a password stands in the address, also in one that is otherwise wrong."""
    found = _ADDRESS.match(url)
    if found is None:
        return re.search(r"://[^/]*:.+@", SECRET.sub("", url)) is not None
    options = parse_qsl(SECRET.sub("", found["options"] or ""))
    literal = any(_SECRET_OPTION.search(name) for name, value in options if value)
    return literal or bool(SECRET.sub("", found["password"] or ""))


def _is_address(url: str, environ: Mapping[str, str]) -> bool:
    try:
        found = address(url, environ)
    except ValueError:
        return False
    return bool(found.database)


_QUOTED = re.compile(
    r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`[^`]*`|--[^\n]*|/\*(?!!).*?\*/|\$(\w*)\$.*?\$\1\$",
    re.DOTALL,
)
_WRITES = re.compile(
    r"(?<![\w.@])(insert|update|delete|merge|into|drop|truncate|alter|create|grant|revoke|exec"
    r"|execute)(?!\w)|/\*!",
    re.IGNORECASE,
)


def not_a_select(query: str) -> str:
    """The word or sign that makes a query more than one reading statement; empty if none does.

    This finds mistakes early. What holds a database safe is the transaction, which only reads.
    """
    plain = _QUOTED.sub(" ", query).strip()
    plain = plain.removesuffix(";").rstrip()
    first = re.match(r"[(\s]*(\w+)", plain)
    if first is None or first[1].lower() not in ("select", "with"):
        return first[1] if first else "–"
    if ";" in plain:
        return ";"
    writes = _WRITES.search(plain)
    return writes[0] if writes else ""
