"""Which customer a person means: by number, by name, or by its code in another system."""

from __future__ import annotations

import unicodedata
from typing import Any

import pandas as pd

from analysis.errors import Problem, SettingsError
from analysis.settings_checks import nearest
from analysis.store import Record

_MOST = 20


def find_customer(record: Record, wanted: str) -> str:
    """The number of the customer that a person means.

    Parameters
    ----------
    wanted
        Its number; its code in another system (RECORD ``customer_keys``); its name, or a part of
        the name. The first of these that fits any customer counts.

    Raises
    ------
    SettingsError
        If none fits, with the nearest number and, where cleaning left the customer out, why; or
        if several do, with a list of them.
    """
    customers = record.table("customers").sort_values("customer_id", kind="stable")
    names = customers.set_index("customer_id")["name"].fillna("")
    ids = names.index.union(pd.Index(record.table("segments")["customer_id"]))
    word = _plain(wanted)
    plain = pd.Series([_plain(str(name)) for name in names], index=names.index)
    whole = plain[plain == word].index
    part = plain[plain.str.contains(word, regex=False)].index if word else plain.index[:0]
    for found in (ids[ids.map(_plain) == word], _by_key(record, word), whole, part):
        if len(found) == 1:
            return str(found[0])
        if len(found):
            raise _several(wanted, names.reindex(found).fillna(""))
    near = nearest(wanted, ids)
    hint: Any = {"key": "error.why.nearest", "found": near} if near else ""
    problems = [Problem("why.unknown_customer", {"found": wanted, "nearest": hint})]
    raise SettingsError([*problems, *_removed(record, word)])


def _plain(word: str) -> str:
    """A name as it is compared: one form of width and case, without blanks."""
    return "".join(unicodedata.normalize("NFKC", word).casefold().split())


def _by_key(record: Record, word: str) -> list[str]:
    if "customer_keys" not in record.tables:
        return []
    keys = record.table("customer_keys")
    return sorted(set(keys["customer_id"][keys["key"].map(_plain) == word]))


def _several(wanted: str, names: pd.Series) -> SettingsError:
    problems = [Problem("why.several", {"found": wanted, "count": len(names)})]
    for customer, name in names.head(_MOST).items():
        problems.append(Problem("why.one", {"id": customer, "name": name}))
    if len(names) > _MOST:
        problems.append(Problem("why.more", {"count": len(names) - _MOST}))
    return SettingsError(problems)


def _removed(record: Record, word: str) -> list[Problem]:
    """Why cleaning left a customer out."""
    rows = record.table("removed_rows")
    rows = rows[(rows["table"] == "customers") & (rows["key"].fillna("").map(_plain) == word)]
    return [
        Problem(
            "why.removed",
            {"reason": {"key": f"rule.{row['rule']}"}, "file": row["file"], "row": row["row"]},
        )
        for row in rows.to_dict("records")
    ]
