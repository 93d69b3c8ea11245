"""Every error a person can meet.

An error carries *problems*: a catalogue key with arguments and, where known, a place.
It holds no sentence of its own; `analysis.wording.explain` writes the message in the
reader's language. All problems of a file travel together in one error.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong.

    Parameters
    ----------
    key
        Catalogue key below ``error.``, for example ``settings.unknown_key``.
    args
        JSON-ready values for the sentence (never raw personal data).
    file, line
        Where it stands, if it stands in a file.
    """

    key: str
    args: Mapping[str, Any] = field(default_factory=dict)
    file: str = ""
    line: int = 0


class AnalysisError(Exception):
    """Base of all errors that are explained to a person rather than shown as a traceback."""

    exit_code: ClassVar[int] = 1

    def __init__(self, problems: Problem | Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = (
            (problems,) if isinstance(problems, Problem) else tuple(problems)
        )
        super().__init__(
            "; ".join(f"{p.key} {dict(p.args)}" for p in self.problems[:3]) or "unknown"
        )

    def as_json(self) -> dict[str, Any]:
        """Plain data, so that an error can cross the border between two processes."""
        return {
            "error": type(self).__name__,
            "problems": [asdict(p) for p in self.problems],
        }


class SettingsError(AnalysisError):
    """Usage or settings are wrong; no source was opened."""

    exit_code = 2


class SourceError(AnalysisError):
    """A source is missing, empty, undecodable, lacks a mapped column or breaks its contract."""

    exit_code = 3


class ScopeError(AnalysisError):
    """Nothing is left in scope."""

    exit_code = 4


class StageError(AnalysisError):
    """A stage failed."""

    exit_code = 5


class StageTimeout(AnalysisError):
    """A stage took longer than its settings allow."""

    exit_code = 6


class ResourceError(AnalysisError):
    """Disk or memory ran out, or a folder cannot be written."""

    exit_code = 7


class PublishError(AnalysisError):
    """A publishing check refused the report."""

    exit_code = 8


class LockedError(AnalysisError):
    """Another run holds the lock."""

    exit_code = 75


class Interrupted(AnalysisError):
    """Stopped by the user or the system; the run can be resumed."""

    exit_code = 130

    def __init__(self, problems: Problem | Iterable[Problem], signal: int = 2) -> None:
        super().__init__(problems)
        self.exit_code = 128 + signal  # type: ignore[misc]


class KernelDied(AnalysisError):
    """The kernel of a stage was killed, mostly by lack of memory."""

    exit_code = 138


def from_json(data: Mapping[str, Any]) -> AnalysisError:
    """Rebuild an error from `AnalysisError.as_json`; an unknown name becomes `StageError`."""
    kinds = {kind.__name__: kind for kind in _kinds(AnalysisError)}
    kind = kinds.get(str(data.get("error")), StageError)
    return kind([Problem(**problem) for problem in data["problems"]])


def _kinds(kind: type[AnalysisError]) -> list[type[AnalysisError]]:
    return [kind, *(found for sub in kind.__subclasses__() for found in _kinds(sub))]
