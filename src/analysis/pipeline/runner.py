"""One period, from settings to record.

Stages run one after another; a stage whose fingerprint stands already is kept. When all
stand, the record is assembled beside the old one, verified and swapped in. A failure leaves
the old record as it was and names the command to go on.
"""

from __future__ import annotations

import json
import shlex
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from analysis import store
from analysis.engine import SCRATCH
from analysis.errors import AnalysisError, Problem, ResourceError, StageError
from analysis.pipeline import assemble, fingerprints, in_force, intake, preflight, processes
from analysis.pipeline.failures import of_system
from analysis.pipeline.locking import Stop, not_writable, run_lock
from analysis.pipeline.log import Log
from analysis.pipeline.stages import Stage, chain, find
from analysis.settings import Config
from analysis.sources import draw_databases, remembered
from analysis.sources import fingerprints as source_fingerprints
from analysis.wording import Language

Reasons = list[fingerprints.Reason]


@dataclass(frozen=True)
class Options:
    """How to run.

    Attributes
    ----------
    only
        Run this stage alone; the record is not touched.
    start
        Run this stage and those after it again, whatever their fingerprints.
    force
        Run every stage again.
    name
        Make a what-if record ``<period>~name``.
    explain
        Say what would run and why; run nothing.
    """

    only: str = ""
    start: str = ""
    force: bool = False
    name: str = ""
    explain: bool = False


@dataclass
class Outcome:
    """What a run did.

    Attributes
    ----------
    ran, kept
        Stages that were executed and those that stood already.
    record
        The record, or None after ``--only`` or ``--explain``.
    republished
        Whether the record's folder was replaced.
    """

    ran: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    record: Path | None = None
    republished: bool = False


def run(
    config: Config,
    options: Options,
    log_to: Callable[[Path], Log],
    overrides: Mapping[str, Any],
    lang: Language,
) -> Outcome:
    """Run a period.

    Parameters
    ----------
    config
        Validated settings.
    log_to
        Makes the log, given the run's folder.
    overrides
        What ``--set`` replaced, handed on to the notebooks.

    Raises
    ------
    AnalysisError
        With the exit code of what went wrong. The record is then as it was before.
    """
    stages = chain(config)
    if options.only:
        find(stages, options.only)
    if options.start:
        find(stages, options.start)
    preflight.check(config)
    preflight.decided(config)  # refused now rather than after cleaning
    inputs = source_fingerprints(config.settings, config.root)
    inputs |= remembered(config.root, config.settings.run, config.settings.period)
    folder = config.root / "reports" / config.settings.run
    record_name = config.settings.period + (f"~{options.name}" if options.name else "")
    with run_lock(folder, config.settings.run):
        work = folder / ".stages"
        mark = processes.mark_of(folder)
        processes.reap(mark)  # what a killed run left at work
        try:
            work.mkdir(parents=True, exist_ok=True, mode=store.PRIVATE_FOLDER)
            for place in (folder, work):
                store.clear_temporary(place)
                store.recover(place)
        except OSError as error:
            raise not_writable(config.settings.run, error) from None
        runner = _Runner(config, options, stages, inputs, work, record_name, mark, overrides)
        with log_to(folder) as log:
            try:
                return runner.run(log)
            except (OSError, MemoryError) as error:
                raise runner.with_way_on(of_system(error)) from None


@dataclass
class _Runner:
    config: Config
    options: Options
    stages: tuple[Stage, ...]
    inputs: Mapping[str, str]
    work: Path
    record_name: str
    mark: str
    overrides: Mapping[str, Any]
    drawn: Path | None = None

    def run(self, log: Log) -> Outcome:
        with self._databases():
            return self._run(log)

    @contextmanager
    def _databases(self) -> Iterator[None]:
        """Databases are drawn once, and what was drawn stands as long as the run lasts."""
        if all(source.url is None for source in self.config.settings.sources.values()):
            yield
            return
        self.drawn = store.temporary_folder(self.work, "drawn")
        try:
            found = draw_databases(self.config.settings, self.config.root, self.drawn)
            self.inputs = {**self.inputs, **found}
            yield
        finally:
            shutil.rmtree(self.drawn, ignore_errors=True)

    def _run(self, log: Log) -> Outcome:
        outcome = Outcome()
        last = self._last()
        folders: dict[str, Path] = {}
        given: dict[str, str] = {}
        would_run: list[str] = []
        for index, stage in enumerate(self.stages, start=1):
            log.at(index, len(self.stages), stage.name)
            if self.options.only and stage.name != self.options.only:
                self._reuse(stage, last, folders, given)
                continue
            blockers = [need for need in stage.needs if need in would_run]
            if blockers:  # only with --explain: what it would get is not known
                would_run.append(stage.name)
                log.would_run([("upstream_runs", {"name": blockers[0]})])
                continue
            self._need(stage, given)
            found = fingerprints.parts(stage, self.config, given, self._inputs(stage))
            target = self.work / f"{stage.name}-{fingerprints.fingerprint(found)[:16]}"
            why = self._why(stage, target, last.get(stage.name), found)
            if self.options.explain:
                log.would_run(why) if why else log.would_skip()
                if why:
                    would_run.append(stage.name)
                    continue
            elif why:
                log.runs(why)
                self._execute(stage, target, found, folders, log)
                outcome.ran.append(stage.name)
            else:
                log.skipped()
            if not why:
                outcome.kept.append(stage.name)
            folders[stage.name] = target
            given[stage.name] = given_by(target)
            if not self.options.explain:
                last[stage.name] = target.name
                self._remember(last)
        if self.options.explain or self.options.only:
            return outcome
        try:
            outcome.record, outcome.republished = assemble.assemble(
                self.config, self.record_name, self.stages, folders, log.lines
            )
        except StageError as error:
            raise self.with_way_on(error) from None
        assemble.prune(self.work, outcome.record.parent)
        return outcome

    def _inputs(self, stage: Stage) -> Mapping[str, str]:
        found = {} if stage.needs else dict(self.inputs)
        read = in_force.files(self.config) if stage.reads_sealed else []
        root = self.config.root
        return found | {path.relative_to(root).as_posix(): store.digest(path) for path in read}

    def _reuse(
        self, stage: Stage, last: Mapping[str, str], folders: dict[str, Path], given: dict[str, str]
    ) -> None:
        """With --only, other stages are taken as they last stood."""
        known = last.get(stage.name)
        if known and store.is_whole(self.work / known):
            folders[stage.name] = self.work / known
            given[stage.name] = given_by(self.work / known)

    def _need(self, stage: Stage, given: Mapping[str, str]) -> None:
        for need in stage.needs:
            if need not in given:
                args = {"stage": stage.name, "needs": need}
                args["params"] = f"{self.config.file}{self._named()}"
                raise StageError(Problem("run.upstream_missing", args))

    def _why(
        self, stage: Stage, target: Path, known: str | None, found: fingerprints.Parts
    ) -> Reasons:
        names = [s.name for s in self.stages]
        after_start = self.options.start and names.index(stage.name) >= names.index(
            self.options.start
        )
        if self.options.force or after_start:
            return [("forced", {})]
        if target.is_dir():
            return [] if store.is_whole(target) else [("damaged", {})]
        before = None
        if known:
            before = store.manifest_of(self.work / known).get("parts")
        return fingerprints.reasons(before, found)

    def _execute(
        self,
        stage: Stage,
        target: Path,
        found: fingerprints.Parts,
        folders: Mapping[str, Path],
        log: Log,
    ) -> None:
        self._enough_room()
        built = store.temporary_folder(self.work, stage.name)
        try:
            from analysis.pipeline import stage_body  # Papermill and the figures take seconds

            job = stage_body.Job(
                stage, self.config, built, dict(folders), self.overrides, self.mark, log.cell,
                self.drawn,
            )  # fmt: skip
            stage_body.execute(job)
            self._tell_read(built, log)
            for leftover in built.glob(f"{SCRATCH}*"):  # of a kernel that could not tidy up
                store.remove(leftover)
            manifest = {"stage": stage.name, "parts": found, "gave": gave(built)}
            store.publish(built, target, manifest)
        except AnalysisError as error:
            raise self.with_way_on(error, stage, built) from None
        except (OSError, MemoryError) as error:
            failure = of_system(error, self._place(stage, log))
            raise self.with_way_on(failure, stage, built) from None
        except Stop as stopped:
            stopped.place.append(Problem("run.interrupted_at", self._place(stage, log)))
            raise
        finally:
            shutil.rmtree(built, ignore_errors=True)
        log.done()

    def _tell_read(self, built: Path, log: Log) -> None:
        """What the stage read from files, into the log."""
        paths = [built / "tables" / f"{name}.parquet" for name in ("sources", "removed_rows")]
        if not all(path.is_file() for path in paths):
            return
        files, gone = (store.read_table(path).to_pandas() for path in paths)
        for line in intake.lines(files, gone, log.lang, self.config.settings.currency):
            log.note(line)

    def _place(self, stage: Stage, log: Log) -> dict[str, object]:
        return {"notebook": Path(stage.notebook).name, **log.place}

    def with_way_on(
        self, error: AnalysisError, stage: Stage | None = None, built: Path | None = None
    ) -> AnalysisError:
        """The error with where the executed copy is and the command to go on."""
        problems = list(error.problems)
        kept = self._keep_copy(built) if built else None
        if kept:
            path = kept.relative_to(self.config.root).as_posix()
            problems.append(Problem("run.output", {"path": path}))
        start = f" --from {stage.name}" if stage else ""
        if self.options.only:
            start = f" --only {self.options.only}"
        command = f"analysis run {self.config.file}{start}{self._named()}"
        problems.append(Problem("run.go_on", {"command": command}))
        return type(error)(problems)

    def _named(self) -> str:
        """What else the command said that must be said again: the record's name, and settings."""
        name = f" --as {shlex.quote(self.options.name)}" if self.options.name else ""
        sets = (f"{key}={_written(value)}" for key, value in self.overrides.items())
        return name + "".join(f" --set {shlex.quote(pair)}" for pair in sets)

    def _keep_copy(self, built: Path) -> Path | None:
        """The last executed copy, kept for reading; None if there is none or no room for it."""
        try:
            copies = sorted(built.glob("notebooks/*.ipynb"))
            if not copies:
                return None
            kept = self.work.parent / ".failed" / copies[-1].name
            kept.parent.mkdir(exist_ok=True, mode=store.PRIVATE_FOLDER)
            store.write_bytes(kept, copies[-1].read_bytes())
        except OSError:
            return None
        return kept

    def _enough_room(self) -> None:
        needed = self.config.settings.runner.min_free_mb
        free = shutil.disk_usage(self.work).free // 2**20
        if free < needed:
            raise ResourceError(Problem("run.disk_full", {"found": free, "needed": needed}))

    def _last(self) -> dict[str, str]:
        return dict(assemble.last_runs(self.work).get(self.record_name, {}))

    def _remember(self, last: Mapping[str, str]) -> None:
        known = assemble.last_runs(self.work)
        if known.get(self.record_name) != last:
            store.write_json(self.work / assemble.LAST, {**known, self.record_name: dict(last)})


def _written(value: Any) -> str:
    """A setting's value as `--set` reads it."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def gave(built: Path) -> str:
    """What a stage gives to later ones, as one sha256: its tables, not its notebook."""
    tables = store.files_of(built / "tables") if (built / "tables").is_dir() else {}
    return store.digest_json(tables)


def given_by(folder: Path) -> str:
    """What a finished stage gave."""
    return str(store.read_json(folder / store.MANIFEST)["gave"])
