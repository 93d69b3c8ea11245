"""What a notebook holds in its hands: settings, tables to read, a place to save.

Under the runner a notebook reads the stages before it and saves into its own. By hand it
reads the last record (or, in a fresh checkout, a small sample that ships with the package),
and what it saves is a draft that is compared with the record and never touches it.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

import analysis
from analysis import engine, store, wording
from analysis import settings as settings_module
from analysis.calendars import Period
from analysis.engine import Frame, Rows, conform, to_frame
from analysis.errors import AnalysisError, Problem, SourceError
from analysis.pipeline import sealing
from analysis.pipeline.naming import use_words_of
from analysis.pipeline.stages import STAGES, WEEKLY, Stage, giver
from analysis.settings import Config
from analysis.settings_model import Settings
from analysis.stored import Stored
from analysis.tables import RECORD, Table

ENVIRONMENT = "ANALYSIS_STAGE"
ERROR_FILE = "error.json"
SAMPLE = Path(analysis.__file__).parent / "sample"


@dataclass(frozen=True)
class StageSession:
    """One stage as its notebook sees it.

    Attributes
    ----------
    name
        The stage.
    config
        Validated settings with their origins.
    lang
        Language of its exhibits.
    out
        Folder of the stage's result; None by hand.
    upstream
        Stage → folder with its tables.
    """

    name: str
    config: Config
    lang: wording.Language
    params: str
    out: Path | None
    upstream: Mapping[str, Path]

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        return self.config.settings

    @property
    def period(self) -> Period:
        """The period of the run."""
        return self.config.period

    @property
    def previous(self) -> Period:
        """The period compared with."""
        return self.config.previous

    @property
    def as_of(self) -> date:
        """The last day that counts."""
        return self.config.as_of

    @property
    def root(self) -> Path:
        """The project folder."""
        return self.config.root

    @property
    def origins(self) -> Mapping[str, str]:
        """Dotted setting → file that set it."""
        return self.config.files()

    @cached_property
    def data_root(self) -> Path:
        """Folder that source paths count from: the project, or the packaged sample."""
        return SAMPLE if self._on_sample else self.root

    @property
    def _record(self) -> Path:
        return self.root / "reports" / self.settings.run / self.settings.period

    @property
    def _on_sample(self) -> bool:
        """By hand, with no record yet and no source in place."""
        if self.out is not None or (self._record / store.MANIFEST).is_file():
            return False
        if any(s.url is not None for s in self.settings.sources.values()):
            return False
        paths = [s.path for s in self.settings.sources.values() if s.path is not None]
        first = [paths[0]] if paths and isinstance(paths[0], str) else (paths or [[]])[0]
        return not any(list(self.root.glob(path)) for path in first if not Path(path).is_absolute())

    def _table_file(self, table: str) -> Path:
        stage = giver(table)
        if stage in self.upstream:
            return self.upstream[stage] / "tables" / f"{table}.parquet"
        for folder in (*self.upstream.values(), self._record, SAMPLE):
            path = folder / "tables" / f"{table}.parquet"
            if path.is_file():
                return path
        args = {"table": table, "stage": stage or "?", "params": self.params}
        raise SourceError(Problem("store.no_stage", args))

    def read_arrow(self, table: str) -> pa.Table:
        """Read a table of an earlier stage as Arrow: money is DECIMAL(18,4)."""
        return store.read_table(self._table_file(table))

    def open(self, table: str) -> Rows:
        """`read_arrow`, but on disk where that is more than memory is meant to hold."""
        return store.open_table(self._table_file(table))

    def read(self, table: str) -> pd.DataFrame:
        """Read a table of an earlier stage as pandas: money as float64, days as datetime64."""
        return to_frame(self.read_arrow(table))

    def sealed(self, table: str) -> pd.DataFrame | None:
        """A table of the previous period's approved record; None if none was approved or kept."""
        seal = sealing.sealed(self.root, self.settings.run, self.previous.name)
        if seal is None or not sealing.keeps(seal, table):
            return None
        return to_frame(sealing.read(seal, table))

    def save(self, **tables: Frame | Stored) -> None:
        """Check tables against their contracts and save them.

        Under the runner they become the stage's result. By hand they become a draft under
        ``reports/<run>/.drafts``, and what differs from the record is printed.
        """
        folder = self.out or self.root / "reports" / self.settings.run / ".drafts" / self.name
        for name, frame in tables.items():
            contract = RECORD.get(name) or _free_contract(name, frame)
            path = store.write_table(folder, contract, frame)
            if self.out is None:
                self._show_difference(contract, path)

    def _show_difference(self, contract: Table, written: Path) -> None:
        path = self._record / "tables" / f"{contract.name}.parquet"
        draft = store.read_table(written)
        args: dict[str, Any] = {"table": contract.name, "rows": f"{len(draft):,}"}
        if not path.is_file():
            print(wording.text("session.draft_new", self.lang, **args))  # noqa: T201
            return
        recorded = conform(store.read_table(path), contract)
        if draft.equals(recorded):
            print(wording.text("session.draft_same", self.lang, **args))  # noqa: T201
            return
        args["before"] = f"{len(recorded):,}"
        changed = [n for n in draft.column_names if _differs(draft[n], recorded[n])]
        args["columns"] = ", ".join(changed)
        print(wording.text("session.draft_differs", self.lang, **args))  # noqa: T201

    def show_settings(self) -> pd.DataFrame:
        """Show the settings this stage reads, and which file set each."""
        stage = next(
            (s for s in (*STAGES, WEEKLY) if s.name == self.name),
            Stage(self.name, "", sections=("*",)),
        )
        rows = [
            (key, value, self.config.origin(key))
            for key, value in self.config.flat().items()
            if stage.depends_on(key)
        ]
        return pd.DataFrame(rows, columns=["setting", "value", "set in"]).set_index("setting")

    @cached_property
    def provenance(self) -> dict[str, Any]:
        """Where the record comes from: run, period, report id, version, inputs."""
        stages = {name: folder.name.rpartition("-")[2] for name, folder in self.upstream.items()}
        known = stages or {"draft": "0" * 16}
        identity = store.digest_json(known)[:6]
        inputs: list[dict[str, Any]] = []
        if "cleaning" in self.upstream:
            manifest = store.read_json(self.upstream["cleaning"] / store.MANIFEST)
            found = manifest["parts"]["inputs"]
            inputs = [{"path": path, "sha256": sha} for path, sha in sorted(found.items())]
        return {
            "run": self.settings.run,
            "period": self.settings.period,
            "report_id": f"{self.settings.run}-{self.settings.period}-{identity}",
            "package_version": analysis.__version__,
            "params": self.params,
            "inputs": inputs,
        }


def open_stage(name: str, params: str, overrides: Mapping[str, Any] | None = None) -> StageSession:
    """Begin a notebook.

    Parameters
    ----------
    name
        The stage.
    params
        Period file, relative to the project.
    overrides
        Dotted settings that replace the file's.
    """
    given = json.loads(os.environ.get(ENVIRONMENT, "{}"))
    if given and given["stage"] != name:
        given = {}
    out = Path(given["out"]) if given else None
    _explain_errors(out, given.get("lang") or wording.reader_language())
    root = Path(given["root"]) if given else settings_module.find_root()
    config = settings_module.load(_params_file(params, root), root, overrides)
    use_words_of(config)
    engine.resources.memory_mb = config.settings.runner.memory_mb
    engine.resources.block_rows = config.settings.runner.block_rows
    engine.resources.folder = out
    lang = given.get("lang") or config.settings.languages[0]
    upstream = {stage: Path(folder) for stage, folder in given.get("upstream", {}).items()}
    _explain_errors(out, lang)  # now in the language that the settings ask for
    return StageSession(name, config, lang, params, out, upstream)


def _params_file(params: str, root: Path) -> Path:
    path = Path(params)
    return path if path.is_absolute() else root / path


def _explain_errors(out: Path | None, lang: wording.Language) -> None:
    """Let errors meant for people appear as sentences, and leave them to the runner as data."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    if shell is None:
        return

    def handler(
        shell: Any, kind: type, error: AnalysisError, trace: Any, tb_offset: Any = None
    ) -> Any:
        if out is not None:
            store.write_json(out / ERROR_FILE, error.as_json())
        lines = wording.explain(error, lang)
        shell._showtraceback(kind, error, lines)
        return lines

    shell.set_custom_exc((AnalysisError,), handler)


def _differs(a: pa.ChunkedArray, b: pa.ChunkedArray) -> bool:
    return not a.equals(b)


def _free_contract(name: str, frame: Frame | Stored) -> Table:
    """A contract for a company's own table: its columns as they are."""
    from analysis.tables import ARROW_TYPES, Column

    table = (
        pa.Table.from_pandas(frame, preserve_index=False)
        if isinstance(frame, pd.DataFrame)
        else frame
    )
    kinds = {kind: word for word, kind in reversed(ARROW_TYPES.items())}
    columns = tuple(Column(f.name, kinds.get(f.type, "string"), "") for f in table.schema)
    return Table(name, "row", (), columns)
