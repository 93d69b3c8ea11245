"""Reasons of the tables, catalogue keys with arguments, as plain sentences."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from analysis.wording.catalogue import Language, has, text
from analysis.wording.numbers import format_value, money_scale

_CHOICE = re.compile(r"\[([^|\[\]]*)\|([^|\[\]]*)\]")
_AFTER_UNIT = re.compile(r"(?<=[元镑]) (?=[\u4e00-\u9fff])")  # 1.2 万元之间, but 35% 之间
_NUMBER = re.compile(r"\d[\d,.]*%?")


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
    args = {name: _argument(v, lang, currency) for name, v in (found.get("args") or {}).items()}
    if "text" in found:  # a company's own words, in each language
        own = str(found["text"].get(lang, ""))
        return own.format(**args) if args else own
    sentence = word(str(found["key"]), lang, **args)
    return _AFTER_UNIT.sub("", sentence) if lang == "zh" else sentence


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
    return _agreeing(text(key, lang, **args)) if has(key) else key.rpartition(".")[2]


def _agreeing(sentence: str) -> str:
    """Choices like ``[customer|customers]`` settled by the last whole number before them."""

    def settled(choice: re.Match[str]) -> str:
        numbers = _NUMBER.findall(sentence, 0, choice.start())
        counts = [number for number in numbers if number.rstrip(",.").replace(",", "").isdigit()]
        return choice[1] if counts and counts[-1].rstrip(",.") == "1" else choice[2]

    return _CHOICE.sub(settled, sentence)


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
