"""Circumstances of a run that must leave no trace in its record."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DRIVER = Path(__file__).with_name("driver.py")
CLOCK = Path(__file__).with_name("clock.c")
SHARED = ("params", "notebooks", "reports/templates")
PARAMS = "params/demo.yml"
CUSTOMERS = 400  # enough that effects are estimated


@dataclass(frozen=True)
class Variant:
    """One set of circumstances.

    Attributes
    ----------
    environ
        Environment of the run and of every process it starts.
    kernel
        What replaces the runner's own environment for kernels: it fixes hash seed and threads,
        and what is promised should not hang on that.
    threads
        Of DuckDB.
    folder
        Name of the project's folder.
    umask
        Of the run.
    later
        Days by which the clock is ahead.
    locale
        Locale to make, ``zh_CN`` or nothing.
    home
        Whether another person runs it, with a style of figures and start-up files of their own.
    change
        Applied to the folder of exports before the run.
    """

    name: str
    environ: Mapping[str, str] = field(default_factory=dict)
    kernel: Mapping[str, str] = field(default_factory=dict)
    threads: int = 2
    folder: str = "project"
    umask: int = 0o022
    later: int = 0
    locale: str = ""
    home: bool = False
    change: Callable[[Path], None] | None = None


def run(variant: Variant, place: Path, exports: Path | None = None) -> Path:
    """Make the demo's record under the given circumstances.

    Parameters
    ----------
    place
        An empty folder; the project is made below it.
    exports
        Exports to copy; by default the run writes them itself, under the same circumstances.

    Returns
    -------
    Path
        The project's folder.
    """
    project = place / variant.folder
    for name in SHARED:
        shutil.copytree(
            ROOT / name, project / name, ignore=shutil.ignore_patterns(".ipynb_checkpoints")
        )
    environ = environment(variant, place)
    data = project / "data" / "demo"
    if exports is None:
        call(variant, project, environ, "demo", "data/demo", "--customers", str(CUSTOMERS))
    else:
        shutil.copytree(exports, data)
    if variant.change is not None:
        variant.change(data)
    call(variant, project, environ, "run", PARAMS)
    return project


def record(project: Path) -> Path:
    """The record that `run` made."""
    return project / "reports" / "demo" / "2025Q3"


def environment(variant: Variant, place: Path) -> dict[str, str]:
    """The environment of a variant's processes."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("LC_", "LANG", "ANALYSIS_"))}
    environ = {
        **kept,
        "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}",
        "LANG": "C.UTF-8",
        **variant.environ,
    }
    if variant.locale:
        environ |= make_locale(variant.locale, place)
    if variant.home:
        environ |= make_home(place)
    if variant.later:
        environ |= {"LD_PRELOAD": str(make_clock(place)), "LATER": str(variant.later * 86_400)}
    return environ


def call(variant: Variant, project: Path, environ: Mapping[str, str], *words: str) -> None:
    """Call ``analysis`` in the project under a variant's circumstances; it must succeed."""
    kernel = [f"{k}={v}" for k, v in variant.kernel.items()]
    done = subprocess.run(
        [sys.executable, str(DRIVER), str(variant.threads), *kernel, "--", *words],
        cwd=project,
        env=dict(environ),
        umask=variant.umask,
        capture_output=True,
        check=False,
    )
    if done.returncode:
        said = (done.stdout + done.stderr).decode("utf-8", "replace")
        raise AssertionError(f"{variant.name}: exit {done.returncode}\n{said}")


def why_not(variant: Variant) -> str:
    """What this machine lacks for a variant; empty if nothing."""
    if variant.later and (sys.platform != "linux" or shutil.which("cc") is None):
        return "a clock that is ahead needs Linux and a C compiler (cc)"
    if variant.locale and shutil.which("localedef") is None:
        return f"making the locale {variant.locale} needs localedef"
    if os.name == "nt" and variant.umask != Variant.umask:
        return "Windows has no umask"
    return ""


def make_locale(name: str, place: Path) -> dict[str, str]:
    """Make a locale with UTF-8 and return the environment that switches it on."""
    folder = place / "locales"
    folder.mkdir()
    made = folder / f"{name}.UTF-8"
    subprocess.run(
        ["localedef", "-i", name, "-f", "UTF-8", str(made)], check=True, capture_output=True
    )
    return {"LOCPATH": str(folder), "LC_ALL": made.name, "LANG": made.name}


def make_home(place: Path) -> dict[str, str]:
    """Another person's home: thick lines in figures, few columns in printed tables."""
    home = place / "home"
    style = home / ".config" / "matplotlib" / "matplotlibrc"
    startup = home / ".ipython" / "profile_default" / "startup" / "00.py"
    for path, lines in (
        (style, ["lines.linewidth: 9", "patch.linewidth: 5", "axes.facecolor: red"]),
        (startup, ["import pandas as pd", 'pd.set_option("display.max_columns", 2)']),
        (home / "shell.py", ["import pandas as pd", 'pd.set_option("display.max_rows", 2)']),
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join([*lines, ""]), encoding="utf-8")
    config = str(home / ".config")
    return {"HOME": str(home), "XDG_CONFIG_HOME": config, "PYTHONSTARTUP": str(home / "shell.py")}


def make_clock(place: Path) -> Path:
    """A library that, loaded before all others, puts the clock ahead by $LATER seconds."""
    made = place / "clock.so"
    subprocess.run(
        ["cc", "-shared", "-fPIC", "-O1", "-o", str(made), str(CLOCK), "-ldl"], check=True
    )
    return made
