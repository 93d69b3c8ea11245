"""YAML as settings need it: nothing is guessed, every value knows its line.

The core schema of YAML 1.2 (``no``, ``on`` and ``12:30`` are words), without tags, without
dates, with an error for repeated keys and for numbers that would lose a leading zero.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from analysis.errors import Problem

Key = tuple[str, ...]

_INTEGER = re.compile(r"\A[-+]?[0-9]+\Z", re.ASCII)
_FLOAT = re.compile(r"\A[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z", re.ASCII)
_OCTAL_LOOKING = re.compile(r"\A[-+]?0[0-9]+\Z", re.ASCII)
_WORDS: dict[str, Any] = {
    "": None, "~": None, "null": None, "true": True, "True": True, "false": False, "False": False
}  # fmt: skip
_MOST_NODES = 50_000
_WIDE_COLON = "："
# sentences of the YAML library → what to tell a person
_FAULTS = (
    ("quoted scalar", "unclosed_quote"),
    ("undefined alias", "unknown_alias"),
    ("duplicate anchor", "repeated_anchor"),
    ("cannot start any token", "needs_quotes"),
    ("did not find expected alphabetic", "needs_quotes"),
    ("expected alphabetic or numeric", "needs_quotes"),
    ("mapping values are not allowed", "needs_quotes"),
    ("expected ',' or", "unclosed_bracket"),
    ("flow", "unclosed_bracket"),
    ("could not find expected ':'", "no_colon"),
    ("expected <block end>", "indent"),
    ("single document", "several_documents"),
)


@dataclass
class Layer:
    """One file's values and the line of each; of a broken file nothing is known."""

    name: str
    values: dict[str, Any] = field(default_factory=dict)
    lines: dict[Key, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    broken: bool = False

    def give_up(self, key: str, line: int, **args: Any) -> None:
        """Note why the file cannot be read at all."""
        self.broken = True
        self.problems.append(Problem(f"settings.{key}", args, self.name, line))


def read_layer(path: Path, name: str) -> Layer:
    """Read a file; what is wrong with its form goes to ``problems``."""
    layer = Layer(name)
    raw = path.read_bytes()
    try:
        content = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        layer.give_up(_encoded(raw), line)
        return layer
    _parse(content, layer)
    return layer


def _encoded(raw: bytes) -> str:
    """What a file that is not UTF-8 seems to be."""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "in_utf16"
    try:
        raw.decode("gb18030")
    except UnicodeDecodeError:
        return "not_utf8"
    return "in_gb18030"


def read_value(content: str) -> Any:
    """Read one value as a settings file would, for ``--set``.

    Raises
    ------
    ValueError
        If it is not YAML, or looks octal.
    """
    layer = Layer("--set")
    _parse("value: " + content, layer)
    if layer.problems:
        raise ValueError(layer.problems[0].key)
    return layer.values["value"]


def _parse(content: str, layer: Layer) -> None:
    try:
        node = yaml.compose(content, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, RecursionError) as error:
        key, line = _fault(error, content)
        layer.give_up(key, line)
        return
    if node is None:
        return
    if not isinstance(node, yaml.MappingNode):
        found = "list" if isinstance(node, yaml.SequenceNode) else "value"
        wide = _WIDE_COLON in content and found == "value"
        args = {} if wide else {"found": {"key": f"error.settings.a_{found}"}}
        key = "wide_colon" if wide else "not_a_map"
        layer.give_up(key, _line_with(content, _WIDE_COLON) if wide else 1, **args)
        return
    layer.values = _Builder(layer).build(node, ())


def _fault(error: yaml.YAMLError | RecursionError, content: str) -> tuple[str, int]:
    """What is wrong with the form of a file, and its line.

    The library says it in English and for programmers; `_FAULTS` knows its sentences.
    """
    if isinstance(error, RecursionError):
        return "too_deep", 0
    if isinstance(error, yaml.reader.ReaderError):
        return "odd_character", content.count("\n", 0, int(error.position)) + 1
    if not isinstance(error, yaml.MarkedYAMLError):
        return "unreadable", 0
    mark = error.problem_mark or error.context_mark
    line = mark.line + 1 if mark else 0
    rows = content.splitlines()
    if 0 < line <= len(rows) and "\t" in rows[line - 1].partition("#")[0]:
        return "tab", line
    said = f"{error.context or ''} {error.problem or ''}"
    key = next((key for part, key in _FAULTS if part in said), "unreadable")
    if key in ("unclosed_quote", "no_colon") and error.context_mark:
        line = error.context_mark.line + 1  # where it began
    if key in ("unreadable", "no_colon", "indent"):
        for near in (line, line - 1):
            if 0 < near <= len(rows) and _WIDE_COLON in rows[near - 1]:
                return "wide_colon", near
    return key, line


def _line_with(content: str, part: str) -> int:
    return content.count("\n", 0, content.index(part)) + 1


class _Builder:
    def __init__(self, layer: Layer) -> None:
        self.layer = layer
        self.nodes = 0
        self.above: list[yaml.Node] = []  # the nodes that the present one stands in

    def build(self, node: yaml.Node, key: Key) -> Any:
        self.nodes += 1
        line = node.start_mark.line + 1
        if self.nodes > _MOST_NODES:  # aliases can blow a small file up
            if self.nodes == _MOST_NODES + 1:
                self._problem("settings.too_many_values", line)
            return None
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, key)
        if any(node is one for one in self.above):
            self._problem("settings.alias_in_itself", line, setting=".".join(key))
            return None
        self.above.append(node)
        try:
            if isinstance(node, yaml.MappingNode):
                return self._map(node, key)
            return [self.build(item, (*key, str(i))) for i, item in enumerate(node.value)]
        finally:
            self.above.pop()

    def _map(self, node: yaml.MappingNode, key: Key) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name_node, value_node in node.value:
            if not isinstance(name_node, yaml.ScalarNode):
                self._problem("settings.odd_key", name_node.start_mark.line + 1)
                continue
            name = str(name_node.value)
            here, line = (*key, name), name_node.start_mark.line + 1
            if name in found:
                self._problem("settings.repeated_key", line, setting=".".join(here))
                continue
            self.layer.lines[here] = line
            found[name] = self.build(value_node, here)
        return found

    def _scalar(self, node: yaml.Node, key: Key) -> Any:
        word = str(node.value)
        if getattr(node, "style", None) is not None:  # quoted or block: always text
            return word
        if word in _WORDS:
            return _WORDS[word]
        if _OCTAL_LOOKING.match(word):
            line = node.start_mark.line + 1
            self._problem("settings.octal_looking", line, setting=".".join(key) or "?", found=word)
            return word
        if _INTEGER.match(word):
            return int(word)
        if _FLOAT.match(word):
            return float(word)
        return word

    def _problem(self, key: str, line: int, **args: Any) -> None:
        self.layer.problems.append(Problem(key, args, self.layer.name, line))


def line_of(lines: Mapping[Key, int], place: Sequence[int | str]) -> int:
    """The line of a key, or of the nearest key above it that has one; 0 if none has."""
    key = tuple(str(part) for part in place)
    known = (lines.get(key[:length]) for length in range(len(key), 0, -1))
    return next((line for line in known if line), 0)


def merge(low: Mapping[str, Any], high: Mapping[str, Any]) -> dict[str, Any]:
    """Two layers as one: maps merge, everything else is replaced by `high`."""
    merged = dict(low)
    for name, value in high.items():
        below = merged.get(name)
        both_maps = isinstance(value, Mapping) and isinstance(below, Mapping)
        merged[name] = merge(below, value) if both_maps else value  # type: ignore[arg-type]
    return merged


def leaves(values: Mapping[str, Any], prefix: Key = ()) -> Iterator[tuple[Key, Any]]:
    """Every value that is not a non-empty map, with its key."""
    for name, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from leaves(value, (*prefix, name))
        else:
            yield (*prefix, name), value
