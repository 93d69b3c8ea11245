"""Addresses of databases and queries in settings: no password in sight, nothing that writes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis import settings, wording
from analysis.errors import SettingsError
from analysis.settings_databases import address, not_a_select, problems, shown

KNOWN = {"PW": "s3cret/@:%", "URL": "mysql://u:s3cret%2F@h:1/d?charset=utf8mb4", "H": "db"}


def keys(url: str | None, table: str | None = "t", query: str | None = None) -> list[str]:
    found = list(problems(url, table, query, KNOWN))
    assert "s3cret" not in json.dumps([args for _, _, args in found])
    return [key for key, _, _ in found]


@pytest.mark.parametrize(
    ("url", "masked"),
    [
        ("postgresql://u:${PW}@h/d", "postgresql://u:***@h/d"),
        ("postgres://u:${PW}@h:5433/d?sslmode=require", "postgres://u:***@h:5433/d"),
        ("mysql://u:${PW}@${H}/d", "mysql://u:***@${H}/d"),
        ("mariadb+pymysql://u@h/d", "mariadb+pymysql://u@h/d"),
        ("mssql://u:${PW}@[::1]:1433/d", "mssql://u:***@[::1]:1433/d"),
        ("sqlite:///data/crm.db", "sqlite:///data/crm.db"),
        ("sqlite:////abs/crm.db", "sqlite:////abs/crm.db"),
        ("postgresql:///d?host=/run/postgresql", "postgresql:///d"),
        ("${URL}", "${URL}"),
    ],
)
def test_addresses_that_are_taken(url: str, masked: str) -> None:
    assert keys(url) == []
    assert shown(url) == masked
    assert shown(shown(url)) == masked


@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("postgresql://u:s3cret@h/d", "literal_password"),
        ("postgresql://u:s3cret${PW}@h/d", "literal_password"),
        ("postgresql://u:s3cr/et@h/d", "literal_password"),
        ("postgresql://u:s3@cret@h/d", "literal_password"),
        ("postgresql://u@h/d?password=s3cret", "literal_password"),
        ("oracle://u:s3cret@h/d", "literal_password"),
        ("oracle://u:${PW}@h/d", "bad_url"),
        ("postgresql+asyncpg://h/d", "bad_url"),
        ("postgresql://u:${PW}@h", "bad_url"),
        ("postgresql://u:${PW}@h/", "bad_url"),
        ("sqlite:///", "bad_url"),
        ("data/crm.db", "bad_url"),
        ("${H}", "bad_url"),
        ("postgresql://u:${NONE}@h/d", "missing_secret"),
    ],
)
def test_addresses_that_are_refused(url: str, key: str) -> None:
    assert keys(url) == [key]
    assert "s3cret" not in shown(url)


def test_what_the_environment_holds_is_taken_as_it_is() -> None:
    found = address("postgresql://a%40b:${PW}@${H}:5/d?sslmode=require", KNOWN)
    assert (found.user, found.password, found.host, found.port) == ("a@b", "s3cret/@:%", "db", 5)
    assert (found.database, found.options) == ("d", {"sslmode": "require"})
    assert "s3cret" not in repr(found)
    assert address("${URL}", KNOWN).password == "s3cret/"


def test_table_or_query_and_only_with_a_database() -> None:
    assert keys("sqlite:///a.db", None) == ["one_of"]
    assert keys("sqlite:///a.db", "t", "SELECT 1") == ["one_of"]
    assert keys(None, "t", "SELECT 1") == ["without_url", "without_url"]
    assert keys(None, None) == []


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("SELECT * FROM a", ""),
        (" (select 1) union (select 2); ", ""),
        ("WITH x AS (SELECT 1) SELECT * FROM x", ""),
        ("SELECT 'a; DELETE it''s', \"update\", `drop` FROM a -- insert\n/* merge; */", ""),
        ("SELECT is_deleted, t.update, replace(a, 'x', '') FROM t", ""),
        ("SELECT 1; SELECT 2", ";"),
        ("DELETE FROM a", "DELETE"),
        ("WITH x AS (DELETE FROM a RETURNING *) SELECT * FROM x", "DELETE"),
        ("SELECT * INTO b FROM a", "INTO"),
        ("SELECT * FROM a FOR UPDATE", "UPDATE"),
        ("SELECT 1 EXEC sp_who", "EXEC"),
        ("SELECT 1 /*! INTO OUTFILE 'x' */", "/*!"),
        ("SET a = 1", "SET"),
        ("", "–"),
        ("-- SELECT", "–"),
    ],
)
def test_a_query_is_one_select(query: str, found: str) -> None:
    assert not_a_select(query) == found


@given(st.text(alphabet="aA1:/@?#${}[]%&= .+'\";-*", max_size=40))
def test_no_text_crashes_the_checks(text: str) -> None:
    assert isinstance(list(problems(text, None, text, {})), list)
    assert isinstance(shown(text), str)


@pytest.fixture
def told(tmp_path: Path) -> Any:
    (tmp_path / "params").mkdir()
    (tmp_path / "notebooks").mkdir()
    columns = "columns: {order_id: a, customer_id: b, ordered_at: c, amount: d}"

    def tell(source: str) -> str:
        text = f"run: t\nperiod: 2025Q3\nsources:\n  orders: {{{source}, {columns}}}\n"
        (tmp_path / "params" / "a.yml").write_text(text, encoding="utf-8")
        with pytest.raises(SettingsError) as caught:
            settings.load("params/a.yml", tmp_path)
        assert caught.value.exit_code == 2
        both = [wording.explain(caught.value, lang) for lang in ("zh", "en")]
        assert len(both[0]) == len(both[1])
        return "\n".join(both[0] + both[1])

    return tell


def test_settings_tell_place_and_remedy_and_no_password(told: Any) -> None:
    words = told("url: 'postgresql://u:s3cret@h/d', table: t")
    assert "params/a.yml:4" in words
    assert "${DB_PASSWORD}" in words
    assert "s3cret" not in words
    assert "sqlite:///" in told("url: 'oracle://h/d', table: t")
    assert "DELETE" in told("url: 'sqlite:///a.db', query: DELETE FROM a")
    assert "path" in told("url: 'sqlite:///a.db', path: a.csv, table: t")
    assert "NO_SUCH_NAME" in told("url: 'postgresql://u:${NO_SUCH_NAME}@h/d', table: t")
