"""`analysis scheme lint` and `analysis scheme diff`: what rules cover, and whom they move."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from analysis import wording
from analysis.conditions import plain
from analysis.errors import Problem, SettingsError
from analysis.pipeline.scheme_record import Known
from analysis.segmentation.axes import Axis, features
from analysis.segmentation.checks import static_problems
from analysis.segmentation.compiled import compiled, target
from analysis.segmentation.findings import Finding, feature_word, level_word
from analysis.segmentation.lint import lint
from analysis.segmentation.place import Placed, place, segment
from analysis.segmentation.rules import Scheme
from analysis.segmentation.scheme import read_scheme, scheme_path
from analysis.segmentation.scheme_tables import NEAR, near_cut, scheme_rules
from analysis.segmentation.space import coverage
from analysis.segmentation.units import seen_findings
from analysis.settings_segmentation import Segmentation
from analysis.wording import Language
from analysis.wording.told import money, told

_MOST = 10  # lines of one kind, customers of one list
Say = Callable[..., str]


@dataclass(frozen=True)
class _Names:
    """What the segments of a scheme are called; empty `label`: the scheme need not be named."""

    label: str
    names: Mapping[str, Mapping[Language, str]]

    def of(self, segment: str) -> Mapping[Language, str]:
        """Its name in every language; without one of its scheme, that of the catalogues."""
        common = {lang: _segment(segment, (), lang) for lang in wording.LANGUAGES}
        return self.names.get(segment, common)

    def told(self, segment: str, lang: Language) -> str:
        """Its name, with the scheme's where two schemes stand side by side."""
        name = self.of(segment)[lang]
        return (
            wording.text("lint.of", lang, scheme=self.label, segment=name) if self.label else name
        )


def read(file: str, root: Path, settings: Segmentation) -> Scheme:
    """A scheme by its file or by the name of one in ``params/schemes``.

    Raises
    ------
    SettingsError
        If there is none, or its file names what does not exist. All problems at once.
    """
    path = Path(file) if file.endswith((".yml", ".yaml")) else scheme_path(file, root)
    if not path.is_file():
        path = scheme_path(path.stem, root)
    shown = path.relative_to(root).as_posix() if path.is_relative_to(root) else path.as_posix()
    scheme, layer = read_scheme(path, shown)
    if problems := static_problems(scheme, settings, layer.lines, shown):
        raise SettingsError(problems)
    return scheme


def lint_lines(file: str, root: Path, known: Known | None, lang: Language) -> tuple[list[str], int]:
    """What is to be said of a scheme, and the number of its errors.

    Parameters
    ----------
    file
        A ``.yml`` file, or the name of a scheme of ``params/schemes``.
    known
        A record to try it on; None: the rules alone.

    Raises
    ------
    SettingsError
        If the scheme cannot be read.
    """
    settings = known.settings if known else Segmentation()
    scheme = read(file, root, settings.model_copy(update={"thresholds": {}, "scheme": ""}))
    own = settings.model_copy(
        update={"thresholds": _own(settings.thresholds, scheme), "scheme": scheme.scheme}
    )
    cuts = known.cuts if known is not None and not scheme.grid else None
    findings = lint(scheme, own, cuts)
    said = [*_space(scheme, own, lang), *_findings(findings, lang)]
    errors = sum(finding.severity == "error" for finding in findings)
    if errors:
        said.append(wording.text("lint.refused", lang, errors=errors))
    elif known is not None:
        said += _on_record(scheme, own, known, lang)
    return said, errors


def diff_lines(one: str, two: str, root: Path, known: Known, lang: Language) -> list[str]:
    """Who gets a different segment under another scheme, on a record's customers.

    Raises
    ------
    SettingsError
        If a scheme cannot be read or leaves customers without a place.
    """
    schemes = [
        read(f, root, known.settings.model_copy(update={"thresholds": {}})) for f in (one, two)
    ]
    before, after = (
        segment(
            known.features,
            known.customers,
            scheme,
            known.cuts,
            known.settings.model_copy(
                update={"thresholds": _own(known.settings.thresholds, scheme)}
            ),
        ).set_index("customer_id")
        for scheme in schemes
    )
    labels = _labels(one, two, schemes)
    head = {"before": labels[0], "after": labels[1]}
    names = [_names_in(scheme, label) for scheme, label in zip(schemes, labels, strict=True)]
    return list(_moves(before["segment"], after, known, names, lang, "lint.moves_diff", head))


def _labels(one: str, two: str, schemes: Sequence[Scheme]) -> tuple[str, str]:
    """What to call two schemes in a line: by name, by file where both bear the same."""
    first, second = (scheme.scheme for scheme in schemes)
    return (first, second) if first != second else (Path(one).stem, Path(two).stem)


def _names_in(scheme: Scheme, label: str = "") -> _Names:
    """The names of a scheme's segments in every language."""
    keys = scheme.segments
    return _Names(
        label, {k: {lang: _segment(k, (scheme,), lang) for lang in wording.LANGUAGES} for k in keys}
    )


def _own(thresholds: Mapping[str, float], scheme: Scheme) -> dict[str, float]:
    return {name: value for name, value in thresholds.items() if name in scheme.thresholds}


def _space(scheme: Scheme, settings: Segmentation, lang: Language) -> Iterator[str]:
    """Axes, coverage and what each rule gets."""
    made, found = compiled(scheme, settings), coverage(scheme, settings)
    yield wording.text(
        "lint.title",
        lang,
        scheme=_name(scheme, lang),
        rules=len(made.rules),
        segments=len(scheme.segments),
    )
    yield wording.text("lint.axes", lang)
    for axis in made.axes:
        yield _axis(axis, lang)
    if found is None:
        return  # the findings say that nothing could be counted
    yield wording.text(
        "lint.coverage",
        lang,
        cells=f"{found.cells:,}",
        uncovered=f"{found.uncovered:,}",
        overlapping=f"{found.overlapping:,}",
    )
    for rule in made.rules:
        cells = found.taken[rule.rule]
        yield wording.text(
            "lint.taken",
            lang,
            rule=rule.rule,
            segment=_segment(target(rule, settings), (scheme,), lang),
            cells=f"{cells:,}",
            share=f"{cells / found.cells:.1%}",
        )


def _axis(axis: Axis, lang: Language) -> str:
    name = wording.said(_feature(axis.name.removeprefix("score.")), lang)
    if axis.unit == "word":
        words = " / ".join(wording.said(level_word(cell.example), lang) for cell in axis.cells)
        return wording.text("lint.axis_words", lang, feature=name, words=words)
    cuts = [plain(cut) for cut in axis.cuts]
    if any(cell.example is None for cell in axis.cells):
        cuts.append(wording.text("lint.axis_missing", lang))
    return wording.text("lint.axis", lang, feature=name, cuts=" | ".join(cuts) or "–")


def _feature(column: str) -> Any:
    """A feature's name, and what the file calls it."""
    called = feature_word(column)
    if called == column:
        return column
    return {"key": "lint.called", "feature": called, "column": column}


def _findings(findings: Iterable[Finding], lang: Language) -> Iterator[str]:
    none = True
    for _, group in groupby(findings, key=lambda f: (f.severity, f.kind)):
        none, found = False, list(group)
        for finding in found[:_MOST]:
            problem = SettingsError(Problem(f"schemes.{finding.kind}", finding.args))
            yield wording.text(
                "lint.finding",
                lang,
                severity=wording.text(f"severity.{finding.severity}", lang),
                text=wording.explain(problem, lang)[0],
            )
        if len(found) > _MOST:
            yield wording.text("lint.more", lang, count=len(found) - _MOST)
    if none:
        yield wording.text("lint.clean", lang)


def _on_record(
    scheme: Scheme, settings: Segmentation, known: Known, lang: Language
) -> Iterator[str]:
    """Customers and money of every rule, who is close to a cut, who would move."""
    rules = scheme_rules(known.features, known.customers, scheme, known.cuts, settings)
    total = money(float(rules["amount"].sum()), lang, known.currency)
    yield wording.text(
        "lint.record",
        lang,
        record=known.name,
        customers=f"{len(known.features):,}",
        days=settings.monetary_days,
        amount=total,
    )
    asked = [axis.name for axis in compiled(scheme, settings).axes]
    empty = [n for n in asked if n in features() and not _filled(known.features, n)]
    if empty:
        words = wording.said([_feature(name) for name in empty], lang)
        yield wording.text("lint.no_data", lang, features=words)
    for row in rules.to_dict("records"):
        yield wording.text(
            "lint.rule",
            lang,
            rule=row["rule"],
            segment=_segment(row["segment"], (scheme,), lang),
            customers=f"{row['customers']:,}",
            amount=money(row["amount"], lang, known.currency),
            near=f"{row['near_cut']:,}",
            margin=f"{NEAR:.0%}",
        )
    placed = place(known.features, known.customers, scheme, known.cuts, settings)
    if seen := list(seen_findings(placed, settings)):
        yield from _findings(seen, lang)
    yield from _boundary(placed, settings, known, lang)
    after = segment(known.features, known.customers, scheme, known.cuts, settings)
    other = scheme.scheme != known.scheme
    head = {"scheme": _word("scheme", known.scheme, lang)} if other else {}
    names = [
        _Names(known.scheme if other else "", {}),
        _names_in(scheme, scheme.scheme if other else ""),
    ]
    key = "lint.moves_other" if other else "lint.moves"
    yield from _moves(known.segments, after.set_index("customer_id"), known, names, lang, key, head)


def _boundary(
    placed: Placed, settings: Segmentation, known: Known, lang: Language
) -> Iterator[str]:
    rules = [rule.rule for rule in placed.made.rules]
    ids = placed.frame["customer_id"]
    close = near_cut(placed, known.cuts, settings)
    found = pd.DataFrame({"customer": ids, "rule": [rules[i] for i in placed.rule]})[close]
    found = found.assign(units=found["customer"].map(known.amounts))
    found = found.sort_values(["units", "customer"], ascending=[False, True]).head(_MOST)
    if len(found):
        yield wording.text("lint.boundary", lang)
    names = _names(known)
    for row in found.to_dict("records"):
        yield wording.text(
            "lint.boundary_row",
            lang,
            customer=row["customer"],
            name=names.get(row["customer"], ""),
            rule=row["rule"],
            amount=money(row["units"] / 1e4, lang, known.currency),
        )


def _moves(
    before: pd.Series,
    after: pd.DataFrame,
    known: Known,
    names: Sequence[_Names],
    lang: Language,
    key: str,
    head: Mapping[str, str],
) -> Iterator[str]:
    """Customers whose segment changes, counted by from and to, the largest by name.

    A segment that bears the same name before and after is the same to whoever reads it.
    """
    frame = pd.DataFrame(
        {
            "before": before.reindex(after.index),
            "after": after["segment"],
            "reason": after["reason"],
            "units": known.amounts.reindex(after.index),
        }
    ).dropna(subset=["before"])
    pairs = frame[["before", "after"]].drop_duplicates().itertuples(index=False)
    same = {tuple(pair) for pair in pairs if _same(names, *pair)}
    stays = [pair in same for pair in zip(frame["before"], frame["after"], strict=True)]
    moved = frame[~np.array(stays, dtype=bool)].rename_axis("customer").reset_index()
    if moved.empty:
        yield wording.text("lint.moves_none", lang)
        return

    def amount(units: float) -> str:
        return money(units / 1e4, lang, known.currency)

    shown = [
        {name: each.told(name, lang) for name in moved[side].unique()}
        for each, side in zip(names, ("before", "after"), strict=True)
    ]
    total = amount(moved["units"].sum())
    yield wording.text(key, lang, customers=f"{len(moved):,}", amount=total, **head)
    flows = moved.groupby(["before", "after"], as_index=False).agg(
        customers=("customer", "size"), units=("units", "sum")
    )
    flows = flows.sort_values(["units", "before", "after"], ascending=[False, True, True])
    for row in flows.to_dict("records"):
        yield wording.text(
            "lint.moves_row",
            lang,
            before=shown[0][row["before"]],
            after=shown[1][row["after"]],
            customers=f"{row['customers']:,}",
            amount=amount(row["units"]),
        )
    yield wording.text("lint.largest", lang)
    called = _names(known)
    largest = moved.sort_values(["units", "customer"], ascending=[False, True]).head(_MOST)
    for row in largest.to_dict("records"):
        yield wording.text(
            "lint.largest_row",
            lang,
            customer=row["customer"],
            name=called.get(row["customer"], ""),
            before=shown[0][row["before"]],
            after=shown[1][row["after"]],
            amount=amount(row["units"]),
            reason=told(row["reason"], lang, known.currency),
        )


def _same(names: Sequence[_Names], before: str, after: str) -> bool:
    """Whether two segments are one to a reader: one key of one scheme, or one name."""
    if names[0].label == names[1].label and before == after:
        return True
    first, second = (each.of(key) for each, key in zip(names, (before, after), strict=True))
    return any(first[lang] == second[lang] for lang in wording.LANGUAGES)


def _names(known: Known) -> dict[str, str]:
    named = known.customers.dropna(subset=["name"])
    return dict(zip(named["customer_id"], named["name"], strict=True))


def _filled(known: pd.DataFrame, feature: str) -> bool:
    return feature in known.columns and bool(known[feature].notna().any())


def _segment(key: str, schemes: Iterable[Scheme], lang: Language) -> str:
    """What a segment is called: by its scheme, by the catalogues, else its key."""
    for scheme in schemes:
        if key in scheme.segments and lang in scheme.segments[key].names:
            return scheme.segments[key].names[lang]
    return _word("segment", key, lang)


def _name(scheme: Scheme, lang: Language) -> str:
    if lang in scheme.names:
        return scheme.names[lang]
    return _word("scheme", scheme.scheme, lang)


def _word(kind: str, key: str, lang: Language) -> str:
    return wording.text(f"{kind}.{key}", lang) if wording.has(f"{kind}.{key}") else key
