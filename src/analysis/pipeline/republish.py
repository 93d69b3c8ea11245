"""Work on a finished record: make its report again, approve it."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from analysis import store
from analysis.errors import Problem, PublishError, SettingsError, SourceError
from analysis.exhibits.facts import FactBook
from analysis.pipeline import sealing
from analysis.pipeline.locking import run_lock
from analysis.pipeline.stage_body import FACTS
from analysis.pipeline.stages import chain
from analysis.report import EDITIONS, FORMATS, PUBLISHED, check_all, render_all
from analysis.settings import Config
from analysis.wording import Language

RENDERERS = ("builtin",)


def report(config: Config, lang: str, formats: list[str], renderer: str) -> list[Path]:
    """Make a record's report again from its executed notebooks.

    A record is what its manifest says: a page that comes out the same is left alone; one that
    differs (the template changed) is refused, because the stage must then run again.

    Raises
    ------
    SettingsError
        If the language, format or renderer does not exist.
    SourceError
        If there is no record, it is damaged, or the pages would differ.
    PublishError
        If a check refuses a page.
    """
    languages = _languages(config, lang)
    problems = [
        Problem("settings.unknown_format", {"found": name, "allowed": sorted(FORMATS)}, "--to")
        for name in formats
        if name not in FORMATS
    ]
    if renderer not in RENDERERS:
        args = {"found": renderer, "allowed": list(RENDERERS)}
        problems.append(Problem("settings.unknown_renderer", args, "--renderer"))
    if problems:
        raise SettingsError(problems)
    folder = config.root / "reports" / config.settings.run
    record = _record(config)
    with run_lock(folder, config.settings.run), TemporaryDirectory() as scratch:
        if not store.is_whole(record):
            raise SourceError(Problem("store.damaged", {"file": record.name}))
        facts = FactBook.from_json(store.read_json(record / FACTS))
        stage = next(one for one in chain(config) if one.edition)
        editions = PUBLISHED[stage.edition]
        first = EDITIONS[editions[0]]
        written = [name for name in FORMATS if first.file(record, languages[0], name).is_file()]
        for name in formats:
            if name not in written:
                file = first.file(record, languages[0], name).name
                args = {"found": file, "format": name, "file": config.file}
                raise SourceError(Problem("store.no_format", args))
        executed: dict[Language, Path] = {
            language: record / "notebooks" / f"{Path(stage.notebook).stem}.{language}.ipynb"
            for language in config.settings.languages
        }
        rendered = render_all(
            executed, Path(scratch), formats=written, root=config.root, editions=editions
        )
        asked = [one for one in rendered if one.lang in languages]
        command = f"analysis run {config.file} --from {stage.name}"
        made = [_same(record, one.files[name], command) for one in asked for name in formats]
        found = list(check_all(asked, facts))
    if found:
        raise PublishError(found)
    return made


def _same(record: Path, page: Path, command: str) -> Path:
    """The record's page, which must be what was made again."""
    path = record / page.name
    if not path.is_file() or path.read_bytes() != page.read_bytes():
        raise SourceError(Problem("store.report_differs", {"command": command}))
    return path


def approve(config: Config) -> Path:
    """Seal the record of a period; see `sealing.approve`.

    Raises
    ------
    SettingsError
        If the period is a week: it plans nothing that could be approved.
    SourceError
        If there is no record, or it is damaged.
    """
    if config.period.kind == "week":
        place = config.origin("period")
        raise SettingsError(Problem("settings.week_approved", {"found": config.period.name}, place))
    record = _record(config)
    with run_lock(record.parent, config.settings.run):
        if not store.is_whole(record):
            raise SourceError(Problem("store.damaged", {"file": record.name}))
        return sealing.approve(config.root, record)


def _record(config: Config) -> Path:
    """The latest revision of the period's record."""
    parent = config.root / "reports" / config.settings.run
    name = config.settings.period
    found = [p.parent for p in parent.glob(f"{name}.r*/{store.MANIFEST}")]
    found.sort(key=lambda folder: int(folder.name.rpartition(".r")[2]))
    latest = found[-1] if found else parent / name
    return store.record(config.settings.run, latest.name, config.root).folder


def _languages(config: Config, lang: str) -> list[Language]:
    known = list(config.settings.languages)
    if lang == "all":
        return known
    if lang not in known:
        args = {"found": lang, "allowed": [*known, "all"]}
        raise SettingsError(Problem("settings.unknown_language", args, "--lang"))
    return [language for language in known if language == lang]
