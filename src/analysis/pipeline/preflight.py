"""What can be told before a run: scheme, playbook, rules and decisions that do not fit."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from analysis import effects, segmentation, sources, strategy, wording
from analysis.errors import Problem, SettingsError
from analysis.settings import Config
from analysis.wording import Language

_SHOWN = 5  # unknown customers that a line names


def check(config: Config) -> None:
    """Load the schemes, the playbook and the adjustment rules that the settings name.

    Raises
    ------
    SettingsError
        If a scheme does not place every customer, or the playbook could not be carried out
        with the segments of the primary scheme, or a rule could never be looked at. All
        problems at once.
    """
    settings, root = config.settings, config.root
    problems: list[Problem] = []
    for name in dict.fromkeys([settings.segmentation.scheme, *settings.segmentation.crosswalk]):
        try:
            scheme = segmentation.load_scheme(name, root)
            if name == settings.segmentation.scheme:
                segments = segmentation.scheme_segments(scheme)
                strategy.playbook_for(settings.strategy.playbook, segments, root)
        except SettingsError as error:
            problems += error.problems
    try:
        effects.load_adjustments(settings.effectiveness.adjustments, root)
    except SettingsError as error:
        problems += error.problems
    if problems:
        raise SettingsError(problems)


def header_lines(files: pd.DataFrame, lang: Language) -> Iterator[str]:
    """How files' headers differ from those of the period before, a line each.

    Parameters
    ----------
    files
        RECORD ``sources``.
    lang
        Language of the lines.
    """
    for file, told in zip(files["file"], files["note"], strict=True):
        for note in json.loads(told):
            if note["key"].startswith("note.headers_"):
                yield f"{file}: {wording.text(note['key'], lang, **note['args'])}"


def decided(config: Config) -> pd.DataFrame:
    """The decisions on single customers that a run would apply.

    Returns
    -------
    pandas.DataFrame
        As `analysis.sources.decisions` reads them.

    Raises
    ------
    SourceError
        As a run would: every problem of every file.
    """
    scheme = segmentation.load_scheme(config.settings.segmentation.scheme, config.root)
    own = segmentation.scheme_segments(scheme)
    names = segmentation.segment_names(scheme.segments, own)
    return sources.decisions(config.settings, config.root, names, config.as_of)


def decided_lines(
    config: Config, decisions: pd.DataFrame, customers: Collection[str], lang: Language
) -> Iterator[str]:
    """What the files of decisions hold, a line each; nothing where there is no file.

    Parameters
    ----------
    decisions
        From `decided`.
    customers
        Numbers of the customers that the sources know.
    """
    files = [file.name for file in sources.decision_files(config.settings, config.root)]
    if not files:
        folder = config.settings.segmentation.overrides.folder(config.settings.run)
        yield wording.text("check.no_decisions", lang, folder=folder)
        return
    as_of = pd.Timestamp(config.as_of)
    later, over = decisions["decided_on"] > as_of, decisions["expires_on"] < as_of
    state = pd.Series(np.select([later, over], ["later", "over"], "holds"), index=decisions.index)
    for name in files:
        counts = state[decisions["file"] == name].value_counts()
        numbers = {each: f"{counts.get(each, 0):,}" for each in ("holds", "over", "later")}
        yield wording.text("check.decisions", lang, file=name, count=f"{counts.sum():,}", **numbers)
    unknown = decisions[~decisions["customer_id"].isin(customers)]
    for where, rows in unknown.groupby("file"):
        places = [f"{c} ({r})" for c, r in zip(rows["customer_id"], rows["row"], strict=True)]
        shown = wording.said(places[:_SHOWN], lang)
        yield wording.text(
            "check.unknown_customers",
            lang,
            file=str(where),
            count=f"{len(places):,}",
            customers=shown,
        )


def customers(tables: Mapping[str, pa.Table]) -> set[str]:
    """Numbers of the customers that stand in any source."""
    columns = [t["customer_id"] for t in tables.values() if "customer_id" in t.column_names]
    return {str(one) for column in columns for one in pc.unique(column).to_pylist() if one}
