"""The catalogues: look up a key, explain an error."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from typing import Any, Literal, get_args

import yaml

from analysis.errors import AnalysisError, Problem

Language = Literal["zh", "en"]
LANGUAGES: tuple[Language, ...] = get_args(Language)

_MOST_PROBLEMS = 40
_own_words: dict[tuple[str, str], str] = {}


class _Loader(yaml.SafeLoader):
    """Safe YAML in which every value is text: ``no`` and ``on`` stay words."""


_Loader.yaml_implicit_resolvers = {}


@cache
def _catalogue(lang: Language) -> dict[str, str]:
    found: dict[str, str] = {}
    folder = resources.files(__package__) / lang
    for file in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if file.name.endswith(".yml"):
            loaded = _Loader(file.read_text(encoding="utf-8")).get_single_data()
            for key, value in _flatten(loaded or {}):
                if key in found:
                    raise ValueError(f"catalogue key {key!r} stands twice in {lang}")
                found[key] = value
    return found


def _flatten(node: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in node.items():
        if isinstance(value, Mapping):
            yield from _flatten(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", str(value)


def keys(lang: Language) -> list[str]:
    """All keys of a language, sorted."""
    return sorted(_catalogue(lang))


def has(key: str) -> bool:
    """Whether the key is in the catalogues."""
    return key in _catalogue("en") or (key, "en") in _own_words


def relabel(labels: Mapping[str, Mapping[Language, str]]) -> None:
    """Replace words by the company's own (setting ``labels``); an empty map restores all."""
    _own_words.clear()
    for key, words in labels.items():
        for lang, word in words.items():
            _own_words[key, lang] = word


def text(key: str, lang: Language, **args: Any) -> str:
    """The words behind a key.

    Parameters
    ----------
    key
        Dotted catalogue key.
    lang
        ``zh`` or ``en``.
    args
        Values of the placeholders, already formatted for the language.

    Raises
    ------
    KeyError
        If the key or a placeholder's value is missing.
    """
    words = _own_words.get((key, lang)) or _catalogue(lang)[key]
    return words.format(**args) if args or "{" in words else words


def reader_language(environ: Mapping[str, str] | None = None) -> Language:
    """The language a person at this terminal reads.

    ``ANALYSIS_LANG`` first, then the locale: ``zh…`` means Chinese, anything else English.
    """
    environ = os.environ if environ is None else environ
    for name in ("ANALYSIS_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        value = environ.get(name, "").lower()
        if value:
            return "zh" if value.startswith("zh") else "en"
    return "en"


def explain(error: AnalysisError, lang: Language) -> list[str]:
    """An error in the reader's language, one line a problem.

    Problems come in the order of file and line; beyond forty only their number is said.
    """
    # what to do next has no place in a file and comes last
    ordered = sorted(error.problems, key=lambda p: (not p.file, p.file, p.line))
    lines = [_line(problem, lang) for problem in ordered[:_MOST_PROBLEMS]]
    more = len(ordered) - _MOST_PROBLEMS
    if more > 0:
        lines.append(text("error.and_more", lang, count=more))
    return lines


def _line(problem: Problem, lang: Language) -> str:
    args = {name: said(value, lang) for name, value in problem.args.items()}
    place = problem.file + (f":{problem.line}" if problem.line else "")
    sentence = text(f"error.{problem.key}", lang, **args)
    return f"{place}: {sentence}" if place else sentence


def said(value: Any, lang: Language) -> str:
    """An argument of a problem in the reader's language.

    Parameters
    ----------
    value
        A list of values; a map with ``key`` and the arguments of its sentence; a map of language
        and words; else a value that stands for itself.
    lang
        ``zh`` or ``en``.
    """
    if isinstance(value, (list, tuple)):
        return text("error.list_comma", lang).join(said(item, lang) for item in value)
    if isinstance(value, Mapping) and "key" in value:  # words chosen by key, with their own args
        args = {name: said(arg, lang) for name, arg in value.items() if name != "key"}
        return text(value["key"], lang, **args)
    if isinstance(value, Mapping) and lang in value:  # words that are no catalogue's
        return said(value[lang], lang)
    return str(value)
