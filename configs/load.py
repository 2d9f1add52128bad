"""From a file, the environment and flags to `Settings`; the later wins."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from groundswell.configs.schema import Settings
from groundswell.configs.yaml_lines import ConfigError, LinedYaml, nearest, read_yaml, sentence

PLACES = (Path("groundswell.yaml"), Path(".groundswell/config.yaml"))
"""Where a configuration is looked for, in this order; the second is what the demo leaves behind."""
PREFIX = "GROUNDSWELL_"
LEARNED = Path("learned/current.npz")
"""Where in the data folder heads lie that were learnt from labels and accepted."""
PATHS = frozenset(
    {
        ("data_dir",),
        ("taxonomy",),
        ("rules",),
        ("policies",),
        ("model", "learned"),
        ("signals", "topics"),
        ("themes", "complaints"),
        ("store", "path"),
        ("store", "ca_certs"),
        ("crawl", "sources"),
        ("crawl", "watch"),
        ("access", "people"),
    }
)
MUST_EXIST = PATHS - {("data_dir",), ("store", "path")}


@dataclass(slots=True)
class _Origin:
    """Where each value came from, so that an error points there."""

    file: LinedYaml | None = None
    others: dict[tuple[str, ...], str] = field(default_factory=dict)

    def of(self, loc: tuple[str | int, ...]) -> str:
        for end in range(len(loc), 0, -1):
            if name := self.others.get(tuple(map(str, loc[:end]))):
                return name
        return self.file.where(loc) if self.file else "default"


def find_config(folder: Path | None = None) -> Path | None:
    """Return the configuration that stands in a folder (by default the current one), or ``None``."""
    root = folder or Path()
    return next((root / place for place in PLACES if (root / place).is_file()), None)


def load_settings(
    path: Path | None = None,
    overrides: Mapping[str, object] | None = None,
    environ: Mapping[str, str] | None = None,
) -> Settings:
    """Return the settings: file, then environment (``GROUNDSWELL_CRAWL__DELAY_SECONDS=2``), then overrides.

    Args:
        path: a YAML file; by default the one that `find_config` finds, else only defaults.
        overrides: dotted names to values, as given by flags: ``{"board.port": 8600}``.
        environ: the environment; by default the process's own.

    Raises:
        ConfigError: a key, value or file cannot be used; with file and line, variable or flag, and the nearest key.
    """
    path = path or find_config()
    origin = _Origin(file=read_yaml(path) if path else None)
    data = _mapping(origin.file)
    _absolute(data, path.parent if path else Path())
    for loc, value, name in _environment(os.environ if environ is None else environ):
        _place(data, loc, value, name)
        origin.others[loc] = name
    for dotted, value in (overrides or {}).items():
        loc = tuple(dotted.split("."))
        _place(data, loc, value, f"--{loc[-1].replace('_', '-')}")
        origin.others[loc] = f"--{loc[-1].replace('_', '-')}"
    return _checked(data, origin)


def _checked(data: dict[str, Any], origin: _Origin) -> Settings:
    if isinstance(store := data.get("store"), dict):
        store.setdefault("backend", "sqlite")
    try:
        settings = Settings.model_validate(data)
    except ValidationError as error:
        problems = [f"{origin.of(item['loc'])}: {sentence(dict(item), Settings)}" for item in error.errors()]
        raise ConfigError("\n".join(problems)) from None
    for loc in sorted(MUST_EXIST):
        for file in _files(settings, loc):
            if not file.exists():
                raise ConfigError(f"{origin.of(loc)}: {'.'.join(loc)}: there is no file or folder {file}")
    return _with_learned(settings)


def _with_learned(settings: Settings) -> Settings:
    """Return settings that name what labels taught, where that is in effect and no other file is asked for."""
    file = settings.data_dir / LEARNED
    if settings.model.learned is not None or not file.is_file():
        return settings
    return settings.model_copy(update={"model": settings.model.model_copy(update={"learned": file})})


def _mapping(file: LinedYaml | None) -> dict[str, Any]:
    if file is None or file.data is None:
        return {}
    if not isinstance(file.data, dict):
        raise ConfigError(f"{file.path}:1: expected settings such as 'board:' with keys below, not {file.data!r:.60}")
    return {key: value for key, value in file.data.items() if value is not None}


def _environment(environ: Mapping[str, str]) -> Iterator[tuple[tuple[str, ...], Any, str]]:
    """Yield (location, value, variable) for each variable that is a setting; a section that is unknown is an error."""
    for name, value in sorted(environ.items()):
        loc = tuple(name.removeprefix(PREFIX).lower().split("__"))
        if not name.startswith(PREFIX) or (len(loc) == 1 and loc[0] not in Settings.model_fields):
            continue  # GROUNDSWELL_ELASTIC_API_KEY and the like are secrets that settings refer to by name
        if loc[0] not in Settings.model_fields:
            raise ConfigError(f"{name}: there is no section {loc[0]!r}{nearest(loc[0], list(Settings.model_fields))}")
        yield loc, _scalar(value, name), name


def _scalar(value: str, name: str) -> Any:
    try:
        return YAML(typ="safe", pure=True).load(value)
    except YAMLError:
        raise ConfigError(f"{name}: {value!r:.60} is not a value; quote it as in YAML") from None


def _place(data: dict[str, Any], loc: tuple[str, ...], value: object, name: str) -> None:
    for key in loc[:-1]:
        data = data.setdefault(key, {})
        if not isinstance(data, dict):
            raise ConfigError(f"{name}: {key} is not a section")
    data[loc[-1]] = value


def _absolute(data: dict[str, Any], base: Path) -> None:
    """Make paths of a file relative to that file, so that it means the same from any folder."""
    for loc in PATHS:
        inner: Any = data
        for key in loc[:-1]:
            inner = inner.get(key) if isinstance(inner, dict) else None
        if isinstance(inner, dict) and loc[-1] in inner:
            inner[loc[-1]] = _joined(base, inner[loc[-1]])
    data.setdefault("data_dir", str(base / ".groundswell") if base != Path() else ".groundswell")


def _joined(base: Path, value: Any) -> Any:
    if isinstance(value, list):
        return [_joined(base, item) for item in value]
    return str(base / Path(value).expanduser()) if isinstance(value, str) else value


def _files(settings: Settings, loc: tuple[str, ...]) -> Iterator[Path]:
    value: Any = settings
    for key in loc:
        value = getattr(value, key, None)
    yield from (value,) if isinstance(value, Path) else (value or ())
