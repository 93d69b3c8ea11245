"""A company's name taken apart: who it is, where it is registered, what form it has.

``苏州新科精密机械（集团）股份有限公司`` is the core ``新科精密机械`` in ``苏州`` with the form
``股份 集团``. Two names are compared core with core; the place, the form and the numbers in a
name (一局, 二局) say whether they may be one company at all.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import cleanco
import opencc
import pandas as pd
import yaml
from pypinyin import lazy_pinyin

COLUMNS = ("name", "core", "place", "form", "numbers", "sound")

_CHINESE = re.compile(r"[\u3400-\u9fff]")
_BRACKETS = re.compile(r"\(([^()]*)\)")
_NOISE = re.compile(r"[^\w&]+|_")
# What a limited company, a factory's head office or a partnership is called; longest first.
_LEGAL = re.compile(
    r"(?:有限责任公司|有限公司|无限公司|总公司|公司|\(?(?:有限|普通|特殊普通)合伙\)?|合伙企业)\Z"
)
# What a name says of the company's form beyond that. A stock company and a limited one of the
# same name may be two companies.
_FORMS = {"股份": "股份", "集团": "集团", "控股": "控股", "group": "集团", "holdings": "控股",
          "holding": "控股"}  # fmt: skip
_FORM_AT_END = re.compile(r"(股份|集团|控股)\Z")
_FORM_WORD = re.compile(r"\b(group|holdings?)\b")
_FILLERS = re.compile(r"\b(the|and|of)\b|&")
_NUMBERS = re.compile(r"[0-9]+|[一二三四五六七八九十]+")
_COUNTRY = ("中国", "china", "prc", "p r c")
# Cities whose name in Latin letters is not their pinyin.
_OWN_SPELLING = {"harbin": "哈尔滨", "hohhot": "呼和浩特", "urumqi": "乌鲁木齐", "lhasa": "拉萨",
                 "ordos": "鄂尔多斯", "hongkong": "香港", "macau": "澳门", "macao": "澳门",
                 "taipei": "台北"}  # fmt: skip
_BRAND = 2  # characters that make most brands
_LEAST_CORE = 2  # characters that must remain where a place is taken off
_TAILS = ("省", "市", "自治区", "特别行政区")


@dataclass(frozen=True)
class _Places:
    """Place → province, and the places a name may begin with, longest first."""

    province: dict[str, str]
    first: re.Pattern[str]
    by_sound: dict[str, str]


@cache
def _places() -> _Places:
    text = files("analysis.cleaning").joinpath("places.yml").read_text(encoding="utf-8")
    listed: dict[str, list[str]] = yaml.safe_load(text)
    province = {city: name for name, cities in listed.items() for city in cities}
    province |= {name: name for name in listed}
    longest = "|".join(sorted(province, key=lambda p: (-len(p), p)))
    sounds = pd.Series({place: _sound(place) for place in sorted(province)})
    alone = sounds[~sounds.duplicated(keep=False)]  # 苏州 and 宿州 are both Suzhou
    return _Places(
        province,
        re.compile(rf"(?:中国)?({longest})(?:{'|'.join(_TAILS)})?"),
        {sound: str(place) for place, sound in alone.items()}
        | dict.fromkeys(sounds[sounds.duplicated()], "")
        | _OWN_SPELLING,
    )


@cache
def _simplified() -> opencc.OpenCC:
    return opencc.OpenCC("t2s")


@cache
def _sound(text: str) -> str:
    """How a Chinese name is written in Latin letters: 新科 is xinke."""
    return "".join(lazy_pinyin(text))


def province_of(place: str) -> str:
    """The province of a city or province by its short name; empty if it is not known."""
    return _places().province.get(place, "")


def short_place(text: str | None) -> str:
    """A place as names write it: 苏州市 is 苏州; empty for what is no known place."""
    found = _places().first.fullmatch(text.strip()) if text else None
    return found[1] if found else ""


def parts(names: Sequence[str]) -> pd.DataFrame:
    """Take names apart.

    Parameters
    ----------
    names
        As the files have them, Chinese or English, simplified or traditional.

    Returns
    -------
    DataFrame
        `COLUMNS`, one row a name, all text: `core` without blanks and punctuation (empty where
        nothing is left), `place` a city or province or empty, `form` and `numbers` as words in
        a fixed order, `sound` the first word in Latin letters (of a Chinese name its first two
        characters), by which a Chinese and an English name can be held side by side.
    """
    known: dict[str, tuple[str, str, str, str, str]] = {}
    for name in names:
        if name not in known:
            known[name] = _parts(name)
    rows = [(name, *known[name]) for name in names]
    return pd.DataFrame(rows, columns=list(COLUMNS), dtype=object)


def _parts(name: str) -> tuple[str, str, str, str, str]:
    plain = unicodedata.normalize("NFKC", name).casefold().strip()
    if _CHINESE.search(plain):
        core, place, forms = _chinese(_simplified().convert(plain))
        sound = _sound(core[:_BRAND])
    else:
        core, place, forms, sound = _latin(plain)
    return core, place, " ".join(sorted(forms)), " ".join(_NUMBERS.findall(core)), sound


def _chinese(text: str) -> tuple[str, str, set[str]]:
    place, forms = "", set()
    for inside in _BRACKETS.findall(text):
        found = _places().first.fullmatch(inside.strip())
        if found:
            place = found[1]
        elif inside.strip() in _FORMS:
            forms.add(_FORMS[inside.strip()])
    text = _BRACKETS.sub(lambda m: "" if _says_nothing(m[1].strip()) else m[1], text)
    text = _NOISE.sub("", text)
    text = _LEGAL.sub("", text) or text
    while found := _FORM_AT_END.search(text):
        if found.start() < _LEAST_CORE:
            break
        forms.add(found[1])
        text = text[: found.start()]
    while found := _places().first.match(text):
        if len(text) - found.end() < _LEAST_CORE:
            break
        place, text = place or found[1], text[found.end() :]
        narrower = _places().first.match(text)
        if narrower and province_of(narrower[1]) == place:
            place = ""  # 江苏苏州: the city says more
    return text, place, forms


def _says_nothing(inside: str) -> bool:
    """Brackets that hold a place, a form or the country are not part of a company's own name."""
    return bool(
        _places().first.fullmatch(inside) or inside in _FORMS or inside in _COUNTRY
        or _LEGAL.fullmatch(inside)
    )  # fmt: skip


def _latin(text: str) -> tuple[str, str, set[str], str]:
    forms = {_FORMS[word] for word in _FORM_WORD.findall(text)}
    text = _BRACKETS.sub(lambda m: "" if m[1].strip() in _COUNTRY else f" {m[1]}", text)
    while (shorter := cleanco.basename(text)) and shorter != text:
        text = shorter  # Co., Ltd. are two endings
    words = _NOISE.sub(" ", _FORM_WORD.sub(" ", _FILLERS.sub(" ", text))).split()
    place = ""
    if len(words) > 1 and words[0] in _places().by_sound:
        place, words = _places().by_sound[words[0]], words[1:]
    return "".join(words), place, forms, words[0] if words else ""
