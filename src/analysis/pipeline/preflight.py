"""What can be refused before a source is opened: scheme, playbook, decisions that do not fit."""

from __future__ import annotations

from analysis import segmentation, sources, strategy
from analysis.errors import Problem, SettingsError
from analysis.settings import Config


def check(config: Config) -> None:
    """Load the schemes, the playbook and the decisions that the settings name.

    Raises
    ------
    SettingsError
        If a scheme does not place every customer, or the playbook could not be carried out
        with the segments of the primary scheme. All problems at once.
    SourceError
        If a file of decisions cannot be used.
    """
    settings, root = config.settings, config.root
    problems: list[Problem] = []
    names: dict[str, tuple[str, ...]] = {}
    for name in dict.fromkeys([settings.segmentation.scheme, *settings.segmentation.crosswalk]):
        try:
            scheme = segmentation.load_scheme(name, root)
            if name == settings.segmentation.scheme:
                segments = segmentation.scheme_segments(scheme)
                names = segmentation.segment_names(scheme.segments, segments)
                strategy.playbook_for(settings.strategy.playbook, segments, root)
        except SettingsError as error:
            problems += error.problems
    if problems:
        raise SettingsError(problems)
    sources.decisions(settings, root, names, config.as_of)
