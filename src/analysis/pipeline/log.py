"""What a person at the terminal sees while a run is at work, and ``log.txt``."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import TextIO

from analysis import wording
from analysis.pipeline.fingerprints import Reason
from analysis.wording import Language

_MOST_REASONS = 3


def append(path: Path, lines: Iterable[str]) -> None:
    """Add lines to a private text file."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.writelines(lines)


def silence(stream: TextIO) -> None:
    """Send a stream that refuses text to nowhere, so that Python can end without a complaint."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        stream.flush()


class Log:
    """One line a stage; on a terminal the line moves with the cells.

    Times stand here and nowhere else: ``log.txt`` is outside the promise of same bytes. It is
    written line by line, so that a killed run leaves its trace. That nobody reads the terminal
    any more, or that the disk is full, is no reason to stop a run.

    Attributes
    ----------
    lines
        What this run wrote to ``log.txt``.
    place
        Heading and number of the cell at work.
    """

    def __init__(self, path: Path, lang: Language, stream: TextIO | None = None) -> None:
        self.path = path
        self.lang = lang
        self.stream: TextIO | None = stream or sys.stderr  # none if it was closed at the start
        self.lines: list[str] = []
        self.place: dict[str, object] = {}
        self.args: dict[str, object] = {}
        self.begun = time.monotonic()

    def __enter__(self) -> Log:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        if error is not None:
            self.note(f"{type(error).__name__}: {error}")

    def at(self, index: int, count: int, stage: str) -> None:
        """Begin a stage."""
        self.args = {"index": index, "count": count, "stage": stage}
        self.place = {"heading": "–", "cell": 0}
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
        self.place = {"heading": heading, "cell": cell}
        if self._on_terminal():
            self._show(
                "\r\x1b[2K" + self._text("stage_cell", cell=cell, cells=cells, heading=heading)
            )

    def done(self) -> None:
        """Say that the stage is done."""
        if self._on_terminal():
            self._show("\r\x1b[2K")
        self._say("stage_done", seconds=f"{time.monotonic() - self.begun:.1f}")

    def note(self, line: str) -> None:
        """Write to ``log.txt`` only."""
        self.lines.append(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {line}\n")
        with suppress(OSError):
            append(self.path, self.lines[-1:])

    def _say(self, key: str, **args: object) -> None:
        line = self._text(key, **args)
        self.note(line)
        self._show(line + "\n")

    def _on_terminal(self) -> bool:
        return self.stream is not None and self.stream.isatty()

    def _show(self, text: str) -> None:
        if self.stream is None:
            return
        try:
            self.stream.write(text)
            self.stream.flush()
        except OSError:
            silence(self.stream)
            self.stream = None

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
