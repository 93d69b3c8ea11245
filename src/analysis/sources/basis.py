"""What the money of a column counts, as far as its header says: event × tax × returns.

Headers are parsed, not listed; a named mapping may state the basis of a header that does not
say it itself (Kingdee's 金额 is without tax).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Literal

Tax = Literal["included", "excluded"]
Returns = Literal["gross", "net"]
Currency = Literal["own", "document"]

_EXCLUDED = re.compile(
    r"无税|不含税|未税|税前|除税|excl(?:uding|\.)?\s*(?:of\s*)?(?:tax|vat)|(?:before|without|ex)\s*"
    r"(?:tax|vat)|\bnet\s*of\s*tax",
    re.IGNORECASE,
)
_INCLUDED = re.compile(
    r"价税合计|含税|税后|incl(?:uding|\.)?\s*(?:of\s*)?(?:tax|vat)|(?:with|after)\s*(?:tax|vat)",
    re.IGNORECASE,
)
_NET = re.compile(r"净额|净销售|扣退货|退货后|net\s*of\s*returns|after\s*returns", re.IGNORECASE)
_GROSS = re.compile(r"退货前|before\s*returns|gross\s*of\s*returns", re.IGNORECASE)
_OWN = re.compile(
    r"本币|本位币|\(converted\)|\((?:base|home|local|company)\s*currency\)|in\s*company\s*currency",
    re.IGNORECASE,
)
_DOCUMENT = re.compile(r"原币|外币|document\s*currency|foreign\s*currency", re.IGNORECASE)
_EVENTS = (
    ("signed", r"签[订约署]|合同日|closed?[\s_]*date|close[\s_]*date|signed|contract[\s_]*date"),
    ("ordered", r"下单|订单|订货|order"),
    ("shipped", r"(?<!预)发货|出库|发运|(?<!计划)交货|shipp?(?:ed|ing|ment)?|deliver|dispatch"),
    ("invoiced", r"开票|发票|invoice|billing"),
    ("paid", r"收款|回款|到账|付款|paid|payment|receipt"),
)
_EVENT = [(event, re.compile(pattern, re.IGNORECASE)) for event, pattern in _EVENTS]


@dataclass(frozen=True)
class Basis:
    """What a money column counts; None where nobody says.

    Attributes
    ----------
    tax
        With or without tax.
    returns
        Before (gross) or after (net) what came back.
    currency
        In the company's own currency or in the document's.
    """

    tax: Tax | None = None
    returns: Returns | None = None
    currency: Currency | None = None


def of_money(header: str) -> Basis:
    """What a money column's header says itself."""
    tax: Tax | None = None
    if _EXCLUDED.search(header):
        tax = "excluded"
    elif _INCLUDED.search(header):
        tax = "included"
    returns: Returns | None = None
    if _NET.search(header):
        returns = "net"
    elif _GROSS.search(header):
        returns = "gross"
    currency: Currency | None = None
    if _OWN.search(header):
        currency = "own"
    elif _DOCUMENT.search(header):
        currency = "document"
    return Basis(tax, returns, currency)


def event_of(header: str) -> str | None:
    """The event that a date's header names; None if it names none, or more than one."""
    found = [event for event, pattern in _EVENT if pattern.search(header)]
    return found[0] if len(found) == 1 else None


def with_stated(header: Basis, own: Basis | None) -> Basis:
    """What a header says, with what a mapping states of it on top."""
    if own is None:
        return header
    said = {f.name: getattr(own, f.name) for f in fields(own)}
    return replace(header, **{name: value for name, value in said.items() if value is not None})


def contradicts(found: Basis, declared: Mapping[str, str | None]) -> bool:
    """Whether a column counts something else than the settings declare."""
    return any(
        declared.get(name) and getattr(found, name) and getattr(found, name) != declared[name]
        for name in ("tax", "returns")
    )


def open_questions(candidates: Sequence[Basis], declared: Mapping[str, str | None]) -> list[str]:
    """In what the candidates differ that the settings do not declare: ``tax``, ``returns``."""
    return [
        name
        for name in ("tax", "returns")
        if not declared.get(name) and len({getattr(c, name) for c in candidates} - {None}) > 1
    ]
