"""Reasons of the tables, catalogue keys with arguments, as plain sentences."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from analysis.wording.catalogue import Language, has, text
from analysis.wording.numbers import format_value, money_scale


def told(reason: str, lang: Language, currency: str) -> str:
    """A reason as a table holds it, as a sentence.

    Parameters
    ----------
    reason
        JSON of ``{"key": …, "args": {…}}`` or of a list of such; empty text stays empty.
    currency
        Of its amounts.
    """
    if not reason:
        return ""
    found = json.loads(reason)
    if isinstance(found, Mapping):
        return _sentence(found, lang, currency)
    return text("decided.between", lang).join(_sentence(one, lang, currency) for one in found)


def _sentence(found: Mapping[str, Any], lang: Language, currency: str) -> str:
    if "text" in found:  # a company's own words, in each language
        return str(found["text"].get(lang, ""))
    args = {name: _argument(v, lang, currency) for name, v in (found.get("args") or {}).items()}
    return word(str(found["key"]), lang, **args)


def _argument(value: Any, lang: Language, currency: str) -> str:
    if not isinstance(value, Mapping):
        return str(value)
    if "list" in value:  # clauses of a sentence
        parts = [_sentence(one, lang, currency) for one in value["list"]]
        return text("condition.between", lang).join(parts)
    if "key" in value:
        return _sentence(value, lang, currency)
    if value.get("unit") == "money":
        return money(value["value"], lang, currency)
    return format_value(value["value"], str(value.get("unit", "number")), lang)


def word(key: str, lang: Language, **args: str) -> str:
    """The words behind a key; a key that no catalogue knows stands for itself, without its area.

    A company's own segment or tier is such a key.
    """
    return text(key, lang, **args) if has(key) else key.rpartition(".")[2]


def money(value: float | None, lang: Language, currency: str) -> str:
    """An amount with its unit: ``12.3 万元``, ``RMB 12.3 k``; a missing one is a dash."""
    if value is None:
        return format_value(None, "money", lang)
    scale = money_scale([value], lang, currency)
    number = format_value(value, "money", lang, scale=scale)
    if lang == "zh":
        return f"{number} {scale.label}"
    unit, _, letter = scale.label.partition(" ")
    return f"{unit} {number} {letter}".rstrip()
