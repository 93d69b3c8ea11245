"""``analysis …``: the command line.

Every error that a person can meet ends here as a sentence in their language and an exit
code of the contract; tracebacks go to the log.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from analysis import __version__, errors, wording
from analysis import settings as settings_module
from analysis.cli_rules import ROOT as _ROOT
from analysis.cli_rules import playbook, scheme
from analysis.errors import AnalysisError, Problem, SettingsError

# Heavy rooms are imported inside the commands that need them: `analysis --help` stays quick.

_SET = click.option("--set", "sets", multiple=True, metavar="KEY=VALUE", help="Replace a setting.")
_FILE = click.argument("file", metavar="FILE")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="analysis")
def cli() -> None:
    """Customer segmentation and sales strategy: a quarter's report from a company's exports."""


@cli.command()
@_FILE
@click.option("--only", default="", metavar="STAGE", help="Run this stage alone; publish nothing.")
@click.option("--from", "start", default="", metavar="STAGE", help="Run from this stage on again.")
@click.option("--force", is_flag=True, help="Run every stage again.")
@click.option("--as", "name", default="", metavar="NAME", help="Make a what-if record.")
@click.option("--explain", is_flag=True, help="Say what would run and why; run nothing.")
@click.option("--periods", default="", metavar="A..B", help="Run every period from A to B.")
@_SET
@_ROOT
def run(
    file: str,
    only: str,
    start: str,
    force: bool,
    name: str,
    explain: bool,
    periods: str,
    sets: tuple[str, ...],
    root: Path | None,
) -> None:
    """Run a period file: exports in, record and report out."""
    from analysis.pipeline import runner

    overrides = settings_module.parse_sets(sets)
    if name and not name.replace("-", "").replace("_", "").isalnum():
        raise SettingsError(Problem("settings.bad_name", {"found": name}, "--as"))
    options = runner.Options(only, start, force, name, explain)
    spans: list[str | None] = [*_periods(periods)] or [None]
    for each in spans:
        given = (
            {**overrides, "period": each, "as_of": None, "previous": None} if each else overrides
        )
        config = settings_module.load(file, root, given)
        _run_one(config, options, given)


def _run_one(config: settings_module.Config, options: Any, overrides: dict[str, Any]) -> None:
    from analysis.pipeline import runner, summary
    from analysis.pipeline.failures import cause_of
    from analysis.pipeline.locking import stoppable
    from analysis.pipeline.log import Log, silence
    from analysis.pipeline.naming import use_words_of

    lang = wording.reader_language()
    use_words_of(config)
    with stoppable():
        outcome = runner.run(
            config, options, lambda folder: Log(folder / "log.txt", lang), overrides, lang
        )
    if options.explain:
        return
    if outcome.record is None:
        click.echo(wording.text("run.only_done", lang, stage=options.only))
        return
    if not outcome.ran and not outcome.republished:
        click.echo(wording.text("run.up_to_date", lang))
    told = list(summary.lines(config, outcome.record, lang))
    try:
        click.echo("\n".join(told))
    except OSError as error:
        silence(sys.stdout)
        if isinstance(error, BrokenPipeError):
            return  # nobody reads on; the record stands
        folder = outcome.record.relative_to(config.root).as_posix()
        args = {"cause": cause_of(error), "folder": folder}
        raise errors.ResourceError(Problem("run.not_told", args)) from None


def _periods(span: str) -> list[str]:
    from analysis.calendars import Period

    if not span:
        return []
    first, _, last = span.partition("..")
    try:
        period, end = Period.parse(first), Period.parse(last)
        if period.kind != end.kind or end < period:
            raise ValueError(span)
    except ValueError:
        args = {"setting": "--periods", "found": span}
        raise SettingsError(Problem("settings.bad_span", args)) from None
    found = []
    while period <= end:
        found.append(period.name)
        period = period.next()
    return found


@cli.command()
@_FILE
@click.option("--lang", default="all", help="zh, en or all.")
@click.option("--to", "formats", default="html", help="Formats, separated by commas.")
@click.option("--renderer", default="builtin", help="builtin or quarto.")
@_SET
@_ROOT
def report(
    file: str, lang: str, formats: str, renderer: str, sets: tuple[str, ...], root: Path | None
) -> None:
    """Make the report again from the executed notebooks of a record; nothing is recomputed."""
    from analysis.pipeline import republish

    config = settings_module.load(file, root, settings_module.parse_sets(sets))
    for path in republish.report(config, lang, formats.split(","), renderer):
        click.echo(path.relative_to(config.root).as_posix())


@cli.command()
@_FILE
@_SET
@_ROOT
def check(file: str, sets: tuple[str, ...], root: Path | None) -> None:
    """Check settings, sources and decisions, and say what was found; nothing is computed."""
    from analysis import sources
    from analysis.pipeline import intake, preflight

    config = settings_module.load(file, root, settings_module.parse_sets(sets))
    preflight.check(config)
    problems: list[Problem] = []
    read, decided = None, None
    try:
        decided = preflight.decided(config)
    except errors.SourceError as error:
        problems += error.problems
    try:
        read = sources.read(config.settings, config.root)
    except errors.SourceError as error:
        problems += error.problems
    if read is None or decided is None:
        raise errors.SourceError(problems)
    lang = wording.reader_language()
    gone = read.rejected.to_pandas()
    for line in intake.lines(read.files, gone, lang, config.settings.currency):
        click.echo(line)
    click.echo()
    known = preflight.customers(read.tables)
    for line in preflight.header_lines(read.files, lang):
        click.echo(line)
    with suppress(OSError):  # a project that refuses files can still be checked
        sources.remember(config.root, config.settings.run, config.settings.period, read.headers)
    for line in preflight.decided_lines(config, decided, known, lang):
        click.echo(line)


@cli.group()
def params() -> None:
    """Settings: show what is in force, print the schema for editors."""


@params.command("show")
@_FILE
@_SET
@_ROOT
def params_show(file: str, sets: tuple[str, ...], root: Path | None) -> None:
    """Print every setting in force and which file and line set it."""
    config = settings_module.load(file, root, settings_module.parse_sets(sets))
    rows = [
        (key, json.dumps(value, ensure_ascii=False), config.place(key))
        for key, value in config.flat().items()
    ]
    wide = max(len(key) for key, _, _ in rows)
    for key, value, origin in rows:
        click.echo(f"{key:<{wide}}  {value}  ({origin})")


@params.command("schema")
def params_schema() -> None:
    """Print the JSON schema of a period file."""
    from analysis.settings_schema import schema

    click.echo(json.dumps(schema(), ensure_ascii=False, indent=1, sort_keys=True))


@cli.command()
@_FILE
@_SET
@_ROOT
def approve(file: str, sets: tuple[str, ...], root: Path | None) -> None:
    """Seal a record: its plan and cuts are what the next period reads."""
    from analysis.pipeline import republish

    config = settings_module.load(file, root, settings_module.parse_sets(sets))
    path = republish.approve(config)
    click.echo(path.relative_to(config.root).as_posix())


@cli.command()
@_FILE
@_SET
@_ROOT
def snapshot(file: str, sets: tuple[str, ...], root: Path | None) -> None:
    """Archive what CRM exports overwrite: stages, owners, tiers, receivables of a day."""
    from analysis.pipeline import snapshot as archives

    config = settings_module.load(file, root, settings_module.parse_sets(sets))
    for line in archives.lines(config, wording.reader_language()):
        click.echo(line)


@cli.command()
@click.argument("a", type=click.Path(path_type=Path))
@click.argument("b", type=click.Path(path_type=Path))
def diff(a: Path, b: Path) -> None:
    """Say what differs between two records (folders, or RUN/PERIOD below reports/)."""
    from analysis.pipeline import compare

    lang = wording.reader_language()
    reports = settings_module.find_root() / "reports"
    one, two = (path if path.exists() else reports / path for path in (a, b))
    for line in compare.lines(one, two, lang):
        click.echo(line)


@cli.command()
@click.argument("customer")
@_FILE
@click.option("--as", "name", default="", metavar="NAME", help="Ask a what-if record.")
@_SET
@_ROOT
def why(customer: str, file: str, name: str, sets: tuple[str, ...], root: Path | None) -> None:
    """Say why a customer is where it is: its orders, features, rule and move."""
    from analysis.pipeline import explain, naming

    config = settings_module.load(file, root, settings_module.parse_sets(sets))
    naming.use_words_of(config)
    for line in explain.lines(config, customer, wording.reader_language(), name):
        click.echo(line)


@cli.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--kind",
    type=click.Choice(["trade", "subscription"]),
    help="A maker of parts, or a software vendor.  [default: trade]",
)
@click.option("--customers", type=int, help="Real customers.  [default: 1200]")
@click.option("--seed", type=int, help="Of every draw.  [default: 20250101]")
@click.option(
    "--next",
    "plan",
    type=click.Path(path_type=Path),
    metavar="PLAN",
    help="Let the company in FOLDER live through the next quarter under this plan: "
    "a record's folder, a Parquet or a CSV file.",
)
def demo(
    folder: Path, kind: str | None, customers: int | None, seed: int | None, plan: Path | None
) -> None:
    """Write the exports of a made-up company into a folder."""
    from analysis import demo as demo_room
    from analysis.demo import subscription

    size = {"customers": customers, "seed": seed}
    given = {name: value for name, value in size.items() if value is not None}
    if plan is None and kind == "subscription":
        written = subscription.write(folder, **given)
    elif plan is None:
        written = demo_room.write(folder, **given, progress=_progress())
    elif kind or given:
        names = [*(["kind"] if kind else []), *given]
        args = {"options": ", ".join(f"--{name}" for name in names)}
        raise SettingsError(Problem("demo.next_alone", args))
    else:
        written = demo_room.next_quarter(folder, plan, progress=_progress())
    for path in written:
        click.echo(path.as_posix())


cli.add_command(scheme)
cli.add_command(playbook)


def _progress() -> Callable[[int, int], None] | None:
    """Says on a terminal how far a large company has come; nothing elsewhere."""
    if not sys.stderr.isatty():
        return None
    lang = wording.reader_language()

    def say(done: int, total: int) -> None:
        if done < total:
            click.echo(wording.text("demo.progress", lang, done=done, total=total), err=True)

    return say


@cli.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--run", "run_name", default="mine", show_default=True, help="Name of the run.")
@click.option("--period", default="2025Q3", show_default=True, help="Period of the report.")
@_ROOT
def init(files: tuple[Path, ...], run_name: str, period: str, root: Path | None) -> None:
    """Propose a period file from exports: which table each file is, which header goes where."""
    from analysis import sources

    lang = wording.reader_language()
    home = root or settings_module.find_root()
    found = sources.propose(files, home)
    changes = sources.changes_since(found, run_name, period, home)
    click.echo(sources.period_file(found, run_name, period, lang, changes), nl=False)
    with suppress(OSError):  # a project that refuses files can still be proposed for
        sources.remember(home, run_name, period, sources.headers_of(found))


@cli.command()
@click.argument("folder", type=click.Path(path_type=Path))
@_ROOT
def new(folder: Path, root: Path | None) -> None:
    """Make a company's own project: params and data, notebooks by reference."""
    from analysis.pipeline import new_project

    for name in new_project.create(folder, root or settings_module.find_root()):
        click.echo((folder / name).as_posix())


@cli.command()
@click.argument("folder", type=click.Path(path_type=Path))
def template(folder: Path) -> None:
    """Write the collection list as a workbook to fill in, in Chinese and English."""
    from analysis.sources import template as template_module

    for path in template_module.write(folder):
        click.echo(path.as_posix())


def _guarded(command: Callable[[], Any]) -> int:
    """Run a command; say in the reader's language what went wrong, and give the exit code."""
    lang = wording.reader_language()
    try:
        code = command()
    except click.exceptions.Exit as done:
        return int(done.exit_code)
    except click.ClickException as usage:
        usage.show()
        return SettingsError.exit_code
    except AnalysisError as error:
        return _say(error, lang)
    except (KeyboardInterrupt, click.Abort):
        click.echo(wording.text("error.run.interrupted", lang), err=True)
        return errors.Interrupted.exit_code
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except MemoryError:
        return _say(errors.ResourceError(Problem("run.no_memory")), lang)
    except OSError as failure:
        args = {"cause": failure.strerror or type(failure).__name__}
        return _say(errors.ResourceError(Problem("run.disk_error", args)), lang)
    except Exception as fault:  # the last line of defence writes the log
        with tempfile.NamedTemporaryFile(
            "w", prefix="analysis-", suffix=".log", delete=False, encoding="utf-8"
        ) as log:
            traceback.print_exc(file=log)
        args = {"kind": type(fault).__name__, "log": log.name}
        click.echo(wording.text("error.internal", lang, **args), err=True)
        return errors.StageError.exit_code
    return code if isinstance(code, int) else 0


def _say(error: AnalysisError, lang: wording.Language) -> int:
    try:
        for line in wording.explain(error, lang):
            click.echo(line, err=True)
    except OSError:  # nobody reads: the exit code still speaks
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    return error.exit_code


def main() -> None:
    """Entry point of the ``analysis`` command."""
    sys.exit(_guarded(lambda: cli.main(standalone_mode=False)))


if __name__ == "__main__":
    main()
