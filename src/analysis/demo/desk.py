"""The desk on which the exports and the truth files grow, block after block of customers."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from analysis.demo import truth
from analysis.demo.files import Filed
from analysis.demo.outputs import Note, Output
from analysis.demo.tally import Tally
from analysis.demo.world import World

NOTES = (
    "controls", "customers", "dirt", "effects", "links", "opportunities", "payments",
    "receivables", "texts",
)  # fmt: skip
TASKS = "tasks.parquet"  # there only where a plan's tasks are known
TOTAL = "total_row"


class Desk:
    """All files of a company in the making.

    Parameters
    ----------
    folder
        Where they belong.
    tally
        What is counted on the way.
    large
        Whether lists of customers are too long for workbooks.
    """

    def __init__(self, folder: Path, tally: Tally, large: bool) -> None:
        self._folder, self._large = folder, large
        self._tally = tally
        self._outputs: list[Output] = []
        self._notes = {f"{n}.parquet": Note(folder / truth.FOLDER, f"{n}.parquet") for n in NOTES}

    def add(self, world: World, filed: Filed) -> None:
        """Append a block: what happened, and how the firm wrote it down."""
        exports = filed.exports
        if not self._outputs:
            self._outputs = [Output(self._folder, export, self._large) for export in exports]
        for output, export in zip(self._outputs, exports, strict=True):
            if export.whole and not world.block.last:
                continue
            self._dirt(truth.dirt(export, output.name, output.next_row))
            if "_pain" in export.frame:
                self._note("texts", truth.texts(export))
            output.add(export)
        if "tasks" in filed.planted and TASKS not in self._notes:
            self._notes[TASKS] = Note(self._folder / truth.FOLDER, TASKS)
        found = truth.frames(world)
        planted = {f"{name}.parquet": frame for name, frame in filed.planted.items()}
        for name, frame in (found | planted).items():
            self._notes[name].add(frame)
        self._tally.add(world, found["effects.parquet"], found["links.parquet"])

    def publish(self) -> list[Path]:
        """Finish every file and put it in its place, the exports first."""
        for output in self._outputs:
            last = output.next_row
            if output.close():
                key = [output.total_key]
                total = {"table": output.table, "file": output.name, "row": last, "key": key}
                self._dirt(pd.DataFrame({**total, "rule": TOTAL, "stays": False}))
        for note in self._notes.values():
            note.close()
        return [file.publish() for file in self._files()]

    def discard(self) -> None:
        """Leave nothing half-written behind."""
        for file in self._files():
            file.discard()

    def summary(self) -> bytes:
        """``summary.json``."""
        return self._tally.content({output.name: output.rows for output in self._outputs})

    def _files(self) -> list[Output | Note]:
        return [*self._outputs, *self._notes.values()]

    def _dirt(self, found: pd.DataFrame) -> None:
        self._note("dirt", found)
        self._tally.add_dirt(found)

    def _note(self, name: str, frame: pd.DataFrame) -> None:
        self._notes[f"{name}.parquet"].add(frame)
