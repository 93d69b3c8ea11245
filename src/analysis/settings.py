"""Layered YAML in, one validated object out.

A period file extends `params/base.yml`; ``--set`` comes last. An industry's starting values
(``segmentation.industry_template``) lie between the defaults and the period file. All problems
are found before any source is opened and told together, each with file, line and the nearest
valid key.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from analysis import settings_yaml
from analysis.calendars import Period
from analysis.errors import Problem, SettingsError
from analysis.settings_checks import cross_checks, name_checks, validation_problems
from analysis.settings_model import Settings
from analysis.settings_yaml import Key, Layer

_BASE = "params/base.yml"


@dataclass(frozen=True)
class Config:
    """Validated settings, what follows from them, and where each value came from.

    Attributes
    ----------
    settings
        The validated settings.
    origins
        Dotted key → ``params/demo.yml:12``, ``--set`` or ``default``.
    file
        The period file, relative to the root where it lies below it.
    """

    settings: Settings
    origins: Mapping[str, str]
    values: Mapping[str, Any]
    file: str
    root: Path

    @property
    def period(self) -> Period:
        """The period of the run."""
        return Period.parse(self.settings.period)

    @property
    def as_of(self) -> date:
        """The last day that counts."""
        return self.settings.as_of or self.period.end

    @property
    def previous(self) -> Period:
        """The period compared with."""
        named = self.settings.previous
        return Period.parse(named) if named else self.period.previous()

    def flat(self) -> dict[str, Any]:
        """Every value in force, by dotted key, JSON-ready."""
        dumped = self.settings.model_dump(mode="json", by_alias=True)
        return {".".join(key): value for key, value in settings_yaml.leaves(dumped)}

    def place(self, key: str) -> str:
        """File and line where a dotted key's value was set."""
        parts = key.split(".")
        for cut in range(len(parts), 0, -1):
            found = self.origins.get(".".join(parts[:cut]))
            if found:
                return found
        return "default"

    def origin(self, key: str) -> str:
        """Return the file that set a dotted key's value.

        Without the line: a comment more in a file must not change a record.
        """
        return self.place(key).partition(":")[0]

    def files(self) -> dict[str, str]:
        """Dotted key → file that set it, for every value in force."""
        return {key: self.origin(key) for key in self.flat()}


def find_root(start: Path | None = None) -> Path:
    """The nearest folder, from `start` upwards, that holds ``notebooks/``.

    Raises
    ------
    SettingsError
        If there is none.
    """
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if (folder / "notebooks").is_dir():
            return folder
    raise SettingsError(Problem("settings.no_root"))


def load(
    file: Path | str,
    root: Path | None = None,
    overrides: Mapping[str, Any] | None = None,
) -> Config:
    """Read, merge and validate a period file.

    Parameters
    ----------
    file
        The period file; a relative path counts from the root if that is given, else from the
        current folder, else from the root found.
    root
        Project folder; default: `find_root`.
    overrides
        Dotted key → value, as ``--set`` gives them.

    Raises
    ------
    SettingsError
        With every problem of all layers.
    """
    path = Path(file)
    if root is not None and (root / path).is_file():
        path = root / path
    root = (root or _root_for(path)).resolve()
    if not path.is_file() and (root / path).is_file():
        path = root / path
    if not path.is_file():
        raise SettingsError(Problem("settings.missing_file", {}, str(file)))
    layers = _with_template(_layers(path, root, ()), root, overrides or {})
    problems = [problem for layer in layers for problem in layer.problems]
    values: dict[str, Any] = {}
    places: dict[Key, tuple[str, int]] = {}
    for layer in layers:
        _leave_days_behind(values, places, layer.values.get("period"))
        values = settings_yaml.merge(values, layer.values)
        places |= {key: (layer.name, line) for key, line in layer.lines.items()}
    values.pop("extends", None)
    if any(layer.broken for layer in layers):
        raise SettingsError(problems)  # what is missing then is not missing in truth
    _leave_days_behind(values, places, (overrides or {}).get("period"))
    for name, value in (overrides or {}).items():
        key = tuple(name.split("."))
        values = settings_yaml.merge(values, _nest(key, value))
        places |= {key[: cut + 1]: ("--set", 0) for cut in range(len(key))}
    problems += name_checks(values, root, places)
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        problems += validation_problems(error, values, places)
        raise SettingsError(_unique(problems)) from None
    problems += cross_checks(settings, root, places)
    if problems:
        raise SettingsError(_unique(problems))
    origins = {
        ".".join(key): f"{file}:{line}" if line else file for key, (file, line) in places.items()
    }
    return Config(settings, origins, values, _relative(path, root), root)


def _root_for(path: Path) -> Path:
    """The project of a file, else that of the current folder."""
    if path.is_file():
        with suppress(SettingsError):
            return find_root(path.parent)
    return find_root()


def parse_sets(pairs: Iterable[str]) -> dict[str, Any]:
    """Read ``a.b=1`` pairs of the command line.

    Raises
    ------
    SettingsError
        If a pair has no ``=`` or its value is not YAML.
    """
    found: dict[str, Any] = {}
    problems = []
    for pair in pairs:
        name, sign, content = pair.partition("=")
        try:
            if not sign or not name.strip():
                raise ValueError(pair)
            found[name.strip()] = settings_yaml.read_value(content)
        except ValueError:
            problems.append(Problem("settings.bad_set", {"found": pair}, "--set"))
    if problems:
        raise SettingsError(problems)
    return found


def _relative(path: Path, root: Path) -> str:
    path = path.resolve()
    return (path.relative_to(root) if path.is_relative_to(root) else path).as_posix()


def _layers(path: Path, root: Path, seen: tuple[Path, ...]) -> list[Layer]:
    path = path.resolve()
    name = _relative(path, root)
    layer = settings_yaml.read_layer(path, name)
    extends = layer.values.get("extends", [])
    below: list[Layer] = []
    for parent in [extends] if isinstance(extends, str) else extends or []:
        place = (name, layer.lines.get(("extends",), 0))
        candidates = [path.parent / str(parent), root / "params" / str(parent)]
        target = next((c.resolve() for c in candidates if c.is_file()), None)
        if target is None:
            layer.problems.append(Problem("settings.extends_missing", {"found": parent}, *place))
        elif target == path or target in seen:
            layer.problems.append(Problem("settings.extends_loop", {"found": parent}, *place))
        else:
            below += _layers(target, root, (*seen, path))
    return [*below, layer]


def _with_template(layers: list[Layer], root: Path, overrides: Mapping[str, Any]) -> list[Layer]:
    """The layers with the named industry's starting values: above the defaults, below the rest.

    A name without a file is told by `settings_checks`.
    """
    key = ("segmentation", "industry_template")
    stated = [*(_at(layer.values, key) for layer in layers), overrides.get(".".join(key))]
    name = next((name for name in reversed(stated) if name is not None), "")
    path = root / "params" / "industries" / f"{name}.yml"
    if not name or not path.is_file():
        return layers
    template = settings_yaml.read_layer(path, _relative(path, root))
    names = [layer.name for layer in layers]
    base = len(names) - names[::-1].index(_BASE) if _BASE in names else 0
    return [*layers[:base], template, *layers[base:]]


def _at(values: Any, key: Key) -> Any:
    for part in key:
        values = values.get(part) if isinstance(values, Mapping) else None
    return values


_OF_THE_PERIOD = ("as_of", "previous")


def _leave_days_behind(
    values: dict[str, Any], places: dict[Key, tuple[str, int]], period: Any
) -> None:
    """Another period has other days: those that a layer below stated for its own do not count."""
    if period is None or values.get("period") in (None, period):
        return
    for name in _OF_THE_PERIOD:
        values.pop(name, None)
        places.pop((name,), None)


def _nest(key: Key, value: Any) -> dict[str, Any]:
    nested: Any = value
    for part in reversed(key):
        nested = {part: nested}
    return dict(nested)


def _unique(problems: Iterable[Problem]) -> list[Problem]:
    kept: dict[tuple[str, str, str, int], Problem] = {}
    for problem in problems:
        where = str(problem.args.get("setting") or problem.args)
        kept.setdefault((problem.key, where, problem.file, problem.line), problem)
    return list(kept.values())
