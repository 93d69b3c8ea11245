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


@dataclass
class Layer:
    """One file's values and the line of each."""

    name: str
    values: dict[str, Any] = field(default_factory=dict)
    lines: dict[Key, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def read_layer(path: Path, name: str) -> Layer:
    """Read a file; what is wrong with its form goes to ``problems``."""
    layer = Layer(name)
    try:
        content = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        layer.problems.append(Problem("settings.unreadable", {"found": str(error.reason)}, name))
        return layer
    _parse(content, layer)
    return layer


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
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        found = error.problem or "?"
        layer.problems.append(Problem("settings.unreadable", {"found": found}, layer.name, line))
        return
    except yaml.YAMLError as error:
        layer.problems.append(
            Problem("settings.unreadable", {"found": str(error).splitlines()[0]}, layer.name)
        )
        return
    if node is None:
        return
    if not isinstance(node, yaml.MappingNode):
        found = "a list" if isinstance(node, yaml.SequenceNode) else "one value"
        layer.problems.append(Problem("settings.not_a_map", {"found": found}, layer.name, 1))
        return
    layer.values = _Builder(layer).build(node, ())


class _Builder:
    def __init__(self, layer: Layer) -> None:
        self.layer = layer
        self.nodes = 0

    def build(self, node: yaml.Node, key: Key) -> Any:
        self.nodes += 1
        line = node.start_mark.line + 1
        if self.nodes > _MOST_NODES:  # aliases can blow a small file up
            if self.nodes == _MOST_NODES + 1:
                self._problem("settings.unreadable", line, found="too many values")
            return None
        if isinstance(node, yaml.MappingNode):
            return self._map(node, key)
        if isinstance(node, yaml.SequenceNode):
            return [self.build(item, (*key, str(i))) for i, item in enumerate(node.value)]
        return self._scalar(node, key)

    def _map(self, node: yaml.MappingNode, key: Key) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name_node, value_node in node.value:
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
