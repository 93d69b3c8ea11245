"""What a person at the terminal sees while a run is at work, and ``log.txt``."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from types import TracebackType
from typing import TextIO

from analysis import wording
from analysis.pipeline.fingerprints import Reason
from analysis.wording import Language

_MOST_REASONS = 3


class Log:
    """One line a stage; on a terminal the line moves with the cells.

    Times stand here and nowhere else: ``log.txt`` is outside the promise of same bytes.
    """

    def __init__(self, path: Path, lang: Language, stream: TextIO | None = None) -> None:
        self.path = path
        self.lang = lang
        self.stream = stream or sys.stderr
        self.lines: list[str] = []
        self.args: dict[str, object] = {}
        self.begun = time.monotonic()

    def __enter__(self) -> Log:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        if error is not None:
            self.note(f"{type(error).__name__}: {error}")
        with self.path.open("a", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in self.lines)
        self.path.chmod(0o600)

    def at(self, index: int, count: int, stage: str) -> None:
        """Begin a stage."""
        self.args = {"index": index, "count": count, "stage": stage}
        self.begun = time.monotonic()

    def skipped(self) -> None:
        """Say that the stage is kept."""
        self._say("stage_skipped")

    def runs(self, reasons: list[Reason]) -> None:
        """Say that the stage runs, and why."""
        self._say("stage_runs", reason=self._reasons(reasons))

    def would_skip(self) -> None:
        """Say that the stage would be kept."""
        self._say("would_skip")

    def would_run(self, reasons: list[Reason]) -> None:
        """Say that the stage would run, and why."""
        self._say("would_run", reason=self._reasons(reasons))

    def cell(self, cell: int, cells: int, heading: str) -> None:
        """Show which cell is at work, on a terminal only."""
        if self.stream.isatty():
            line = self._text("stage_cell", cell=cell, cells=cells, heading=heading)
            self.stream.write(f"\r\x1b[2K{line}")
            self.stream.flush()

    def done(self) -> None:
        """Say that the stage is done."""
        if self.stream.isatty():
            self.stream.write("\r\x1b[2K")
        self._say("stage_done", seconds=f"{time.monotonic() - self.begun:.1f}")

    def note(self, line: str) -> None:
        """Write to ``log.txt`` only."""
        self.lines.append(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {line}")

    def _say(self, key: str, **args: object) -> None:
        line = self._text(key, **args)
        self.note(line)
        self.stream.write(line + "\n")
        self.stream.flush()

    def _text(self, key: str, **args: object) -> str:
        return wording.text(f"run.{key}", self.lang, **self.args, **args)

    def _reasons(self, reasons: list[Reason]) -> str:
        shown = [
            wording.text(f"run.reason.{key}", self.lang, **args)
            for key, args in reasons[:_MOST_REASONS]
        ]
        line = wording.text("error.list_comma", self.lang).join(shown)
        more = len(reasons) - len(shown)
        return line + wording.text("run.more_reasons", self.lang, count=more) if more else line
