"""A first period file from what exports seem to be, with everything doubtful as comments."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from analysis import wording
from analysis.sources import wide
from analysis.sources.memory import Changes
from analysis.sources.propose import Proposal
from analysis.wording import Language

_PLAIN = "abcdefghijklmnopqrstuvwxyz_"


def period_file(
    proposals: Sequence[Proposal],
    run: str,
    period: str,
    lang: Language = "en",
    changes: Mapping[str, Changes] | None = None,
) -> str:
    """The proposals as a period file, with what was not placed as comments.

    Files of one table under the same headers become one source. Of several kinds of files of one
    table that which fills most columns is taken, the others are named.

    Parameters
    ----------
    proposals
        What `analysis.sources.propose` found.
    run, period
        As the settings have them.
    lang
        Language of the comments.
    changes
        File → how its headers differ from those of the period before.
    """
    groups, others = _grouped(proposals, lang)
    lines = [
        _comment("first", lang).strip(),
        *_changed(changes or {}, lang),
        "extends: base.yml",
        "",
        f"run: {_quoted(run)}",
        f"period: {_quoted(period)}",
        "",
        "sources:" if groups else "sources: {}",
    ]
    for table, group in groups.items():
        lines += _source(table, group, period, lang)
    return "\n".join([*lines, *others]) + "\n"


def _grouped(
    proposals: Sequence[Proposal], lang: Language
) -> tuple[dict[str, list[Proposal]], list[str]]:
    """Table → its files, and comments on the files that are left out."""
    kinds: dict[str, list[list[Proposal]]] = {}
    others: list[str] = []
    for found in proposals:
        if not found.table:
            others.append(_comment("not_placed", lang, file=found.file))
            others += [f"  #   {_line(_masked(header, found))}" for header in found.left_over]
            continue
        if found.older:
            others.append(_comment("older", lang, file=found.file, table=found.table))
            continue
        same = kinds.setdefault(found.table, [])
        kind = next((k for k in same if _alike(k[0], found)), None)
        if kind is None:
            same.append([found])
        else:
            kind.append(found)
    groups = {}
    for table, same in kinds.items():
        best = max(same, key=lambda k: (not k[0].missing, len(k[0].columns)))
        groups[table] = best
        for kind in same:
            others += [
                _comment("second", lang, file=found.file, table=table)
                for found in kind
                if kind is not best
            ]
    return groups, others


def _alike(one: Proposal, other: Proposal) -> bool:
    return one.columns == other.columns and one.keys == other.keys and one.wide == other.wide


def _changed(changes: Mapping[str, Changes], lang: Language) -> list[str]:
    return [
        "# " + _line(f"{file}: {wording.text(key, lang, **args)}")
        for file, found in changes.items()
        for key, args in found.notes()
    ]


def _source(table: str, group: Sequence[Proposal], period: str, lang: Language) -> list[str]:
    first = group[0]
    files = [_quoted(found.file) for found in group]
    if len(files) == 1:
        lines = [f"  {table}:", f"    path: {files[0]}"]
    else:
        lines = [f"  {table}:", "    path:", *(f"      - {file}" for file in files)]
    lines.append("  " + _comment("mapping", lang, mapping=first.mapping))
    if first.keys:
        lines.append(f"    keys: {_quoted(first.keys)}")
    lines += _basis(first, lang)
    if first.wide:
        lines.append(f"    wide: {first.wide}")
    if first.wide == wide.MONTHS:
        lines.append(f"    year: {period[:4]}")
    lines.append("    columns:")
    lines += [f"      {c}: {_column(c, header, group)}" for c, header in first.columns.items()]
    lines += [f"      {c}: {{value: {_quoted(v)}}}" for c, v in first.values.items()]
    if first.wide == wide.BUCKETS and not {"as_of"} & {*first.columns, *first.missing}:
        lines.append("      as_of: {file_name: date}")
    return lines + ["  " + told for told in _doubts(group, lang)]


def _basis(found: Proposal, lang: Language) -> list[str]:
    """What the money counts, or the question what it does."""
    if found.table != "orders":
        return []
    lines = []
    for name in ("event", "tax"):
        said = found.declared.get(name)
        lines.append(f"    {name}: {said}" if said else "  " + _comment(f"state_{name}", lang))
    if found.others:
        headers = ", ".join(found.others)
        lines.append("  " + _comment("other_basis", lang, headers=headers))
    return lines


def _column(column: str, header: str, group: Sequence[Proposal]) -> str:
    words: dict[str, str] = {}
    for found in group:
        words |= found.words.get(column, {})
    unit = group[0].units.get(column)
    if not words and not unit:
        return _quoted(header)
    parts = [f"from: {_quoted(header)}"]
    if unit:
        parts.append(f"unit: {unit}")
    if words:
        pairs = ", ".join(f"{_quoted(w)}: {_key(k)}" for w, k in sorted(words.items()))
        parts.append(f"map: {{{pairs}}}")
    return "{" + ", ".join(parts) + "}"


def _doubts(group: Sequence[Proposal], lang: Language) -> list[str]:
    """Comments on what a person has to look at."""
    first = group[0]
    told = []
    if first.missing:
        told.append(_comment("missing", lang, columns=", ".join(first.missing)))
    if first.by_name:
        told.append(_comment("by_name", lang, header=first.columns["customer_id"]))
    doubtful = list(dict.fromkeys(h for found in group for h in found.doubtful))
    if doubtful:
        told.append(_comment("doubtful", lang, headers=", ".join(doubtful)))
    strange: dict[str, int] = {}
    for found in group:
        for column, number in found.unknown.items():
            strange[column] = max(strange.get(column, 0), number)
    told += [_comment("unknown_words", lang, column=c, words=str(n)) for c, n in strange.items()]
    if first.sums:
        told.append(_comment("sums", lang, headers=", ".join(first.sums)))
    left: dict[str, str] = {}
    for found in group:
        for header in found.left_over:
            left.setdefault(header, _masked(header, found))
    if left:
        told.append(_comment("left_over", lang, headers=", ".join(left.values())))
    return told


def _masked(header: str, found: Proposal) -> str:
    """A header with the form of its first value: what stands there is nobody else's business."""
    form = found.shapes.get(header)
    return f"{header} <{form}>" if form else header


def _comment(key: str, lang: Language, **args: str) -> str:
    return "  # " + _line(wording.text(f"propose.{key}", lang, **args))


def _line(text: str) -> str:
    """Text on one line: a line break in a name must not leave the comment."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _key(text: str) -> str:
    """A key of ours as it stands, whatever else quoted."""
    plain = text and all(c in _PLAIN for c in text) and text not in _WORDS_OF_YAML
    return text if plain else _quoted(text)


_WORDS_OF_YAML = ("true", "false", "yes", "no", "on", "off", "null", "y", "n")


def _quoted(text: str) -> str:
    """A YAML scalar that is read back as the same text, whatever it holds."""
    if text.isprintable():
        return "'" + text.replace("'", "''") + "'"
    return json.dumps(text)
