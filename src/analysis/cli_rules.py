"""``analysis scheme …`` and ``analysis playbook …``: rules and measures looked at before a run."""

from __future__ import annotations

from pathlib import Path

import click

from analysis import settings as settings_module
from analysis import wording
from analysis.errors import SettingsError

# Heavy rooms are imported inside the commands that need them: `analysis --help` stays quick.

ROOT = click.option(
    "--root",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Project folder. Default: the nearest parent that holds notebooks/.",
)
FILE = click.argument("file", metavar="FILE")
LANG = click.option("--lang", type=click.Choice(wording.LANGUAGES), help="zh or en.")
RECORD = "A record, RUN/PERIOD or its period file."


@click.group()
def scheme() -> None:
    """Segment schemes: what their rules cover, whom they move."""


@scheme.command("lint")
@FILE
@click.option("--record", metavar="RECORD", help=f"{RECORD}  [default: the rules alone]")
@LANG
@ROOT
def scheme_lint(
    file: str, record: str | None, lang: wording.Language | None, root: Path | None
) -> None:
    """Check a scheme: gaps, overlaps, rules that never apply; with a record, whom it moves."""
    from analysis.pipeline import scheme_lint, scheme_record

    root = root or settings_module.find_root()
    known = scheme_record.open_record(record, root) if record else None
    said, faults = scheme_lint.lint_lines(file, root, known, lang or wording.reader_language())
    click.echo("\n".join(said))
    if faults:
        raise click.exceptions.Exit(SettingsError.exit_code)


@scheme.command("diff")
@click.argument("a")
@click.argument("b")
@click.option("--record", metavar="RECORD", required=True, help=RECORD)
@LANG
@ROOT
def scheme_diff(
    a: str, b: str, record: str, lang: wording.Language | None, root: Path | None
) -> None:
    """Say which customers of a record get another segment if scheme B takes the place of A."""
    from analysis.pipeline import scheme_lint, scheme_record

    root = root or settings_module.find_root()
    known = scheme_record.open_record(record, root)
    click.echo(
        "\n".join(scheme_lint.diff_lines(a, b, root, known, lang or wording.reader_language()))
    )


@click.group()
def playbook() -> None:
    """Playbooks: who does what until when, on which conditions, and whether it can be done."""


@playbook.command("lint")
@FILE
@click.option("--record", metavar="RECORD", help=f"{RECORD}  [default: the playbook alone]")
@LANG
@ROOT
def playbook_lint(
    file: str, record: str | None, lang: wording.Language | None, root: Path | None
) -> None:
    """Check a playbook: owners, dates, KPIs, conditions; with a record, what it can ask."""
    from analysis.pipeline import playbook_lint, scheme_record

    root = root or settings_module.find_root()
    known = scheme_record.open_record(record, root) if record else None
    said, faults = playbook_lint.lint_lines(file, root, known, lang or wording.reader_language())
    click.echo("\n".join(said))
    if faults:
        raise click.exceptions.Exit(SettingsError.exit_code)
