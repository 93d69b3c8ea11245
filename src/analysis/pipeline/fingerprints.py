"""What a stage's result depends on, and why it must run again."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from analysis import store
from analysis.pipeline.imports import closure
from analysis.pipeline.stages import Stage
from analysis.settings import Config
from analysis.store import digest, digest_json

LIBRARIES = (
    "babel", "duckdb", "matplotlib", "nbconvert", "numpy", "pandas", "pyarrow", "scikit-learn",
    "scipy", "seaborn", "statsmodels", "typst",
)  # fmt: skip

Parts = dict[str, dict[str, Any]]
Reason = tuple[str, dict[str, Any]]

_LONGEST = 40  # characters of a value on a line


def versions() -> dict[str, str]:
    """Python and the libraries whose release can change a result."""
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    return {"python": python} | {name: version(name) for name in LIBRARIES}


def parts(
    stage: Stage, config: Config, upstream: Mapping[str, str], inputs: Mapping[str, str]
) -> Parts:
    """Everything a stage depends on.

    Parameters
    ----------
    upstream
        Needed stage → sha256 of what it gave.
    inputs
        File → sha256, of the sources (cleaning) and of sealed records.
    """
    cells = code_cells(config.root / stage.notebook)
    files = {path: digest(config.root / path) for path in _files(stage, config)}
    return {
        "code": {stage.notebook: digest_json(cells)},
        "settings": _settings(stage, config),
        "origins": {key: config.origin(key) for key in _settings(stage, config)},
        "inputs": {**inputs, **files},
        "upstream": {need: upstream[need] for need in stage.needs},
        "source": {name: digest(path) for name, path in closure(cells).items()},
        "versions": versions(),
    }


def fingerprint(found: Parts) -> str:
    """The parts as one sha256."""
    return digest_json(found)


def reasons(before: Parts | None, after: Parts) -> list[Reason]:
    """Why a stage must run: catalogue keys below ``run.reason`` with arguments."""
    if before is None:
        return [("first", {})]
    found: list[Reason] = []
    for part, values in after.items():
        old = before.get(part, {})
        for name in sorted({*values, *old}):
            was, now = old.get(name), values.get(name)
            if was != now:
                told = {"name": name, "before": _short(was, now), "after": _short(now, was)}
                found.append((part, told))
    return found


def code_cells(notebook: Path) -> list[str]:
    """The sources of a notebook's code cells: outputs and prose do not count.

    Read as plain JSON, because importing nbformat takes longer than an unchanged run.
    """
    cells = store.read_json(notebook)["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]


def _short(value: Any, other: Any) -> str:
    """A value on one line: of a long list what the other one does not have, item by item."""
    if value is None:
        return "–"
    if isinstance(value, str) and len(value) == 64:
        return value[:7]
    if not isinstance(value, list):
        text = str(value)
        return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
    items = [str(item) for item in value]
    if sum(map(len, items)) > _LONGEST and isinstance(other, list):
        items = [str(item) for item in value if item not in other] or items
    shown: list[str] = []
    for item in items:
        if shown and sum(map(len, shown)) + len(item) > _LONGEST:
            break
        shown.append(item)
    return f"[{', '.join([*shown, *(['…'] if len(shown) < len(value) else [])])}]"


def _settings(stage: Stage, config: Config) -> dict[str, Any]:
    wanted = {key: value for key, value in config.flat().items() if stage.depends_on(key)}
    return {"language": config.settings.languages[0], **wanted}


def _files(stage: Stage, config: Config) -> Iterator[str]:
    flat = config.flat()
    for pattern in stage.files:
        while "{" in pattern:  # a setting may itself name another one
            name = pattern[pattern.index("{") + 1 : pattern.index("}")]
            pattern = pattern.replace("{" + name + "}", str(flat[name]))  # noqa: PLW2901
        for path in sorted(config.root.glob(pattern)):
            if path.is_file():
                yield path.relative_to(config.root).as_posix()
