"""What can be refused before any source is opened: scheme, playbook and rules that do not fit."""

from __future__ import annotations

from analysis import effects, segmentation, strategy
from analysis.errors import Problem, SettingsError
from analysis.settings import Config


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
