"""What happens inside one stage: its notebook, and for the report its pages."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from analysis import store
from analysis.engine import to_frame
from analysis.errors import Problem, PublishError, StageError
from analysis.exhibits.collect import collect
from analysis.exhibits.facts import FactBook
from analysis.exhibits.weekly_facts import collect_week
from analysis.pipeline.execute import CellHook, run_notebook
from analysis.pipeline.session import ENVIRONMENT, ERROR_FILE
from analysis.pipeline.stages import Stage
from analysis.report import (
    PUBLISHED,
    check_all,
    load_crm,
    render_all,
    render_desk_files,
    render_desks,
    render_review,
    render_workbook,
)
from analysis.settings import Config
from analysis.sources import DRAWN
from analysis.wording import Language

FACTS = "facts.json"
WORKBOOK = "exports/tables.xlsx"
REVIEW = "exports/review.xlsx"


@dataclass(frozen=True)
class Job:
    """One stage to be run.

    Attributes
    ----------
    built
        Folder for its result.
    upstream
        Earlier stage → folder of its result.
    overrides
        What ``--set`` replaced.
    mark
        Name of the run in its processes' environment.
    on_cell
        Called as each cell begins.
    drawn
        Folder with what the run has drawn from databases; None without one.
    """

    stage: Stage
    config: Config
    built: Path
    upstream: Mapping[str, Path]
    overrides: Mapping[str, Any]
    mark: str
    on_cell: CellHook
    drawn: Path | None = None


def execute(job: Job) -> None:
    """Run a stage into its folder.

    Raises
    ------
    StageError
        If a cell failed or a table that the stage owes was not saved.
    PublishError
        If a check refused the report.
    """
    if job.stage.edition == "report":
        _report(job)
        return
    languages = job.config.settings.languages
    executed = {languages[0]: _notebook(job, languages[0], _suffix(job, languages[0]))}
    _owes_nothing(job)
    if job.stage.edition:
        executed |= {lang: _notebook(job, lang, _suffix(job, lang)) for lang in languages[1:]}
        _sheet(job, executed)


def _suffix(job: Job, lang: Language) -> str:
    """What tells the executed copies of the languages apart, where each has one."""
    return f".{lang}" if job.stage.edition else ""


def _owes_nothing(job: Job) -> None:
    saved = {path.stem for path in job.built.glob("tables/*.parquet")}
    missing = [table for table in job.stage.gives if table not in saved]
    if missing:
        args = {"notebook": Path(job.stage.notebook).name, "tables": missing}
        raise StageError(Problem("run.table_not_saved", args))


def _notebook(job: Job, lang: str, suffix: str = "") -> Path:
    given = {
        "stage": job.stage.name,
        "out": str(job.built),
        "root": str(job.config.root),
        "lang": lang,
        "upstream": {name: str(folder) for name, folder in job.upstream.items()},
    }
    drawn = {DRAWN: str(job.drawn)} if job.drawn else {}
    notebook = job.config.root / job.stage.notebook
    output = job.built / "notebooks" / f"{notebook.stem}{suffix}.ipynb"
    output.parent.mkdir(exist_ok=True, mode=store.PRIVATE_FOLDER)
    run_notebook(
        notebook,
        output,
        parameters={"params": job.config.file, "overrides": _relevant(job)},
        env={ENVIRONMENT: json.dumps(given)} | drawn,
        root=job.config.root,
        cell_timeout=job.config.settings.runner.cell_timeout,
        mark=job.mark,
        on_cell=job.on_cell,
    )
    (job.built / ERROR_FILE).unlink(missing_ok=True)
    return output


def _relevant(job: Job) -> dict[str, Any]:
    """The overrides that this stage depends on: others must not show in its executed copy."""
    return {k: v for k, v in sorted(job.overrides.items()) if job.stage.depends_on(k)}


def _report(job: Job) -> None:
    tables = _upstream(job)
    store.write_bytes(job.built / WORKBOOK, render_workbook(tables))
    if "review" in tables:
        config = job.config
        pack = render_review(tables, config.settings, config.as_of, config.settings.languages[0])
        store.write_bytes(job.built / REVIEW, pack)
    own = job.config.settings
    crm = load_crm(own.strategy.desk.crm, job.config.root)
    desks = render_desk_files(tables, own, job.config.as_of, own.languages[0], crm)
    for name, content in desks.items():
        store.write_bytes(job.built / "exports" / name, content)
    frames = {name: to_frame(table) for name, table in tables.items()}
    facts = collect(frames, job.config.settings, job.config.files())
    store.write_json(job.built / FACTS, facts.to_json())
    _publish(job, {lang: _notebook(job, lang, f".{lang}") for lang in _languages(job)}, facts)


def _upstream(job: Job) -> dict[str, pa.Table]:
    """The tables of the stages before."""
    return {
        path.stem: store.read_table(path)
        for folder in job.upstream.values()
        for path in sorted(folder.glob("tables/*.parquet"))
    }


def _sheet(job: Job, executed: Mapping[Language, Path]) -> None:
    """The sheet of a week: its notebook has computed the tables that it shows."""
    tables = {
        path.stem: store.read_table(path) for path in sorted(job.built.glob("tables/*.parquet"))
    }
    store.write_bytes(job.built / WORKBOOK, render_workbook(tables))
    frames = {name: to_frame(table) for name, table in tables.items()}
    desks = render_desks(
        {**_upstream(job), **tables}, job.config.settings, job.config.as_of, _languages(job)[0]
    )
    for name, content in desks.items():
        store.write_bytes(job.built / "exports" / name, content)
    facts = collect_week(frames, job.config.settings, job.config.files())
    store.write_json(job.built / FACTS, facts.to_json())
    _publish(job, executed, facts)


def _languages(job: Job) -> list[Language]:
    return list(job.config.settings.languages)


def _publish(job: Job, executed: Mapping[Language, Path], facts: FactBook) -> None:
    """Write every edition of the stage in every language and check them.

    Raises
    ------
    PublishError
        If a check refuses one of them.
    """
    made = render_all(
        executed,
        job.built,
        formats=job.config.settings.report.formats,
        root=job.config.root,
        editions=PUBLISHED[job.stage.edition],
    )
    if problems := list(check_all(made, facts)):
        raise PublishError(problems)
