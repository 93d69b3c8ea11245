"""Rows of the customer list that are one company become one customer, in every table."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import partial

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from analysis import engine
from analysis.cleaning import companies, credit_codes, phones
from analysis.engine import Rows
from analysis.settings_sources import Cleaning
from analysis.tables import RECORD

RULE = "same_company"

# Where a customer's number stands.
_NUMBERS = ("customer_id", "parent_id", "other_id")
# Mail of everybody: it says nothing of a company.
_PUBLIC = re.compile(
    r"\A(?:qq|163|126|139|189|sina|sohu|foxmail|aliyun|yeah|gmail|hotmail|outlook|yahoo|icloud)\."
)


def listed(judged: pa.Table, contacts: pa.Table | None) -> pd.DataFrame:
    """What `companies.matches` compares, one row a customer that no rule removed.

    Parameters
    ----------
    judged
        Rows of the customer table with `rule`.
    contacts
        Rows of the contacts, for the domain of their mail; None: not known.
    """
    columns = ["customer_id", "name", "province", "city", "credit_code", "phone"]
    kept = judged.filter(pc.is_null(judged["rule"])).select(columns)
    for column, valid in (("credit_code", credit_codes.valid), ("phone", phones.valid)):
        right = pc.if_else(valid(kept[column]), kept[column], pa.scalar(None, pa.string()))
        kept = kept.set_column(columns.index(column), column, right)
    frame = engine.to_frame(kept).drop_duplicates("customer_id", ignore_index=True)
    domains = _domains(contacts)
    return frame.assign(
        credit_code=frame["credit_code"].str.strip().str.upper(),
        phone=frame["phone"].str.replace(r"\D", "", regex=True),
        domain=frame["customer_id"].map(domains.get),
    )


def _domains(contacts: pa.Table | None) -> dict[str, str]:
    """The commonest domain of the mail of each customer's contacts."""
    if contacts is None or "email" not in contacts.column_names:
        return {}
    mail = engine.to_frame(contacts.select(["customer_id", "email"])).dropna()
    domain = mail["email"].astype(str).str.strip().str.lower().str.split("@").str[-1]
    mail = mail.assign(domain=domain)[
        ~domain.str.match(_PUBLIC) & domain.str.contains(".", regex=False)
    ]
    counted = mail.groupby(["customer_id", "domain"]).size().reset_index(name="n")
    counted = counted.sort_values(["customer_id", "n", "domain"], ascending=[True, False, True])
    first = counted.drop_duplicates("customer_id")
    return dict(zip(first["customer_id"], first["domain"], strict=True))


def as_table(found: pd.DataFrame, names: pd.DataFrame, merging: bool) -> pa.Table:
    """The pairs as RECORD ``company_matches``; `merging` off: what would merge is proposed."""
    name = names.set_index("customer_id")["name"]
    outcome = found["outcome"] if merging else found["outcome"].replace("merged", "proposed")
    frame = found.assign(
        outcome=outcome,
        left_name=found["left_id"].map(name),
        right_name=found["right_id"].map(name),
    )
    return engine.conform(frame, RECORD["company_matches"])


def one_row_each(judged: pa.Table, one: pd.DataFrame) -> pa.Table:
    """The customer table with one row a company: the others carry the rule ``same_company``.

    What the row that stays does not say is filled in from the others, the latest first known
    before the rest.

    Parameters
    ----------
    judged
        Rows of the customer table with `rule`.
    one
        As `companies.groups` gives it.
    """
    if one.empty:
        return judged
    names = [n for n in judged.column_names if n not in ("customer_id", "rule", "_file", "_row")]
    told = ", ".join(
        f'first("{n}" ORDER BY joined_on DESC NULLS LAST, customer_id) '
        f'FILTER (rule IS NULL AND "{n}" IS NOT NULL) AS "{n}"'
        for n in names
    )
    filled = ", ".join(f'coalesce(t."{n}", told."{n}") AS "{n}"' for n in names)
    # the names are columns of this package's tables
    return engine.query(
        "WITH t AS (SELECT j.*, o.company FROM j LEFT JOIN o USING (customer_id)), "  # noqa: S608
        f"told AS (SELECT company, {told} FROM t WHERE company IS NOT NULL GROUP BY company) "
        f"SELECT t.* REPLACE ({filled}, CASE WHEN t.rule IS NULL "
        f"AND t.company <> t.customer_id THEN '{RULE}' ELSE t.rule END AS rule) "
        "FROM t LEFT JOIN told ON told.company = t.company",
        j=judged,
        o=_table(one),
    )


def renumbered(tables: Mapping[str, Rows], one: pd.DataFrame) -> dict[str, Rows]:
    """Every table with the number of the row that stays, wherever a customer is named."""
    if one.empty:
        return dict(tables)
    old = pa.array(one["customer_id"], pa.string())
    new = pa.array(one["company"], pa.string())

    def told(table: pa.Table, names: Sequence[str]) -> pa.Table:
        columns = {n: table[n] for n in table.column_names}
        for name in names:
            at = pc.index_in(columns[name], value_set=old)
            columns[name] = pc.coalesce(pc.take(new, at), columns[name])
        return pa.table(columns)

    found = {}
    for name, table in tables.items():
        kept = ("customer_id",) if name == "customers" else ()  # the list itself tells who is who
        names = [n for n in _NUMBERS if n in table.column_names and n not in kept]
        found[name] = engine.each(table, partial(told, names=names))
    return found


def _table(one: pd.DataFrame) -> pa.Table:
    return pa.table({n: pa.array(one[n], pa.string()) for n in ("customer_id", "company")})


def unify(
    judged: pa.Table, given: Mapping[str, Rows], settings: Cleaning
) -> tuple[pa.Table, Mapping[str, Rows], pa.Table]:
    """Find the companies that are listed twice and, if the rule is on, make them one customer.

    Parameters
    ----------
    judged
        Rows of the customer table with `rule`.
    given
        All tables; those with a customer follow.
    settings
        Uses ``rules.same_company`` and `alike`.

    Returns
    -------
    tuple
        The customer table, all tables, and RECORD ``company_matches``.
    """
    frame = listed(judged, given.get("contacts"))
    found = companies.matches(frame, settings.alike)
    pairs = as_table(found, frame, settings.rules.same_company)
    if not settings.rules.same_company:
        return judged, given, pairs
    one = companies.groups(found)
    single = renumbered({"customers": one_row_each(judged, one)}, one)["customers"]
    return single, renumbered(given, one), pairs


def relations_of(judged: pa.Table, relations: pa.Table | None) -> pa.Table | None:
    """The relations between companies, with the numbers of the rows that stay."""
    if relations is None or "company" not in judged.column_names:
        return relations
    gone = engine.to_frame(judged.select(["customer_id", "company", "rule"]))
    return renumbered({"relations": relations}, gone[gone["rule"] == RULE])["relations"]
