"""Which modules of the package a notebook depends on, found without running it."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import analysis

PACKAGE = Path(analysis.__file__).parent


def closure(sources: Iterable[str]) -> dict[str, Path]:
    """Every file of the package that code reaches through its imports.

    Parameters
    ----------
    sources
        Python code, for example a notebook's code cells.

    Returns
    -------
    dict
        Path relative to the package → path: modules, and the data files beside them.
    """
    waiting = [name for source in sources for name in _imports(source)]
    seen: set[Path] = set()
    while waiting:
        for path in _files(waiting.pop()):
            if path not in seen:
                seen.add(path)
                waiting += _imports_of(path)
    for folder in {path.parent for path in seen if path.name == "__init__.py"} - {PACKAGE}:
        seen |= {p for p in folder.rglob("*") if p.is_file() and p.suffix in _DATA}
    return {path.relative_to(PACKAGE).as_posix(): path for path in sorted(seen)}


_DATA = {".yml", ".json", ".css", ".j2"}


def _files(module: str) -> list[Path]:
    """The file of a module and the packages above it; nothing if it is a mere name."""
    parts = module.split(".")
    if parts[0] != "analysis":
        return []
    found, folder = [PACKAGE / "__init__.py"], PACKAGE
    for part in parts[1:]:
        if (folder / part / "__init__.py").is_file():
            folder /= part
            found.append(folder / "__init__.py")
        elif (folder / f"{part}.py").is_file():
            found.append(folder / f"{part}.py")
            break
        else:
            break
    return found


@cache
def _imports_of(path: Path) -> tuple[str, ...]:
    package = ("analysis", *path.relative_to(PACKAGE).parent.parts)
    return tuple(_imports(path.read_text(encoding="utf-8"), package))


def _imports(source: str, package: tuple[str, ...] = ()) -> list[str]:
    found: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join([*above, node.module] if node.module else above)
            found += [f"{module}.{alias.name}" for alias in node.names]
    return found
