"""YAML that remembers where each key stood, so that an error can name file and line."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from groundswell.configs.kept import once

Loc = tuple[str | int, ...]

Model = TypeVar("Model", bound=BaseModel)


class ConfigError(Exception):
    """Something the user wrote cannot be used; the message says what, where and what to do next."""


class LinedYaml:
    """The data of a YAML file, and the line (from 1) on which each key or item begins."""

    def __init__(self, path: Path, data: Any) -> None:
        self.path = path
        self.data = plain(data)
        self.lines: dict[Loc, int] = dict(_lines(data, ()))

    def where(self, loc: Sequence[str | int]) -> str:
        """Return ``file:line`` of the key, or of its nearest parent that stands in the file."""
        for end in range(len(loc), 0, -1):
            if line := self.lines.get(tuple(loc[:end])):
                return f"{self.path}:{line}"
        return str(self.path)


def read_yaml(path: Path) -> LinedYaml:
    """Read one YAML document (YAML 1.2, safe types only).

    Raises:
        ConfigError: the file is missing, unreadable, not UTF-8, or not YAML; with file and line.
    """
    text = _text(path)
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    try:
        return LinedYaml(path, YAML(typ="rt", pure=True).load(text))
    except MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        raise ConfigError(f"{path}{line}: not valid YAML: {error.problem or error.context}") from None
    except YAMLError as error:
        raise ConfigError(f"{path}: not valid YAML: {error}") from None


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except FileNotFoundError:
        raise ConfigError(f"{path}: there is no such file{_sibling(path)}") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 (byte {error.start}); save it as UTF-8") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None


def read_as(path: Path, model: type[Model]) -> Model:
    """Read one YAML document that follows a model.

    Raises:
        ConfigError: as `read_yaml`, or the document does not follow the model; named with its line.
    """
    data = once(_text(path).encode(), lambda: read_yaml(path).data)
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise ConfigError(explain(error, model, read_yaml(path))) from None


def shipped(name: str) -> Path:
    """Return the file or folder of that name that comes with Groundswell."""
    return Path(str(files("groundswell.configs").joinpath(name)))


def plain(data: Any) -> Any:
    """Return the same data as ordinary dicts, lists and scalars."""
    if isinstance(data, Mapping):
        return {key: plain(value) for key, value in data.items()}
    return [plain(item) for item in data] if isinstance(data, list) else data


def explain(error: ValidationError, model: type[BaseModel], source: LinedYaml) -> str:
    """Return a sentence a person can act on for each problem, with file and line and the nearest valid key."""
    return "\n".join(f"{source.where(item['loc'])}: {sentence(dict(item), model)}" for item in error.errors())


def sentence(item: dict[str, Any], model: type[BaseModel]) -> str:
    """Return what is wrong with one setting, and what it should be."""
    loc = tuple(part for part in item["loc"] if part not in TAGS)
    if not loc:  # two settings that do not go together
        return str(item["msg"]).removeprefix("Value error, ")
    name = ".".join(map(str, loc))
    if item["type"] == "extra_forbidden":
        return f"there is no setting {name!r}{nearest(str(loc[-1]), keys_of(model, loc[:-1]))}"
    if item["type"] == "missing":
        return f"{name} is missing{meaning(model, loc)}"
    return f"{name} = {item.get('input')!r}: {item['msg']}{meaning(model, loc)}"


TAGS = frozenset({"sqlite", "elastic"})
"""Discriminator values that pydantic puts into an error's location although no key is called so."""


def nearest(word: str, keys: Sequence[str]) -> str:
    """Return "; did you mean x?" or the list of what there is."""
    prefixed = [key for key in keys if key.startswith(word) or word.startswith(key)]
    if close := prefixed or difflib.get_close_matches(word, keys, n=1, cutoff=0.5):
        return f"; did you mean {close[0]!r}?"
    return f"; there are: {', '.join(keys)}" if keys else ""


def keys_of(model: type[BaseModel], loc: Sequence[str | int]) -> list[str]:
    """Return the keys a section has, following `loc` from the whole configuration."""
    found = list(_models_at(model, loc))
    return sorted({key for each in found for key in each.model_fields})


def meaning(model: type[BaseModel], loc: Sequence[str | int]) -> str:
    """Return " (what the setting means)" from its docstring, or nothing."""
    for each in _models_at(model, loc[:-1]):
        if (field := each.model_fields.get(str(loc[-1]))) and field.description:
            return f" ({field.description.strip()})"
    return ""


def _models_at(model: type[BaseModel], loc: Sequence[str | int]) -> Iterator[type[BaseModel]]:
    if not loc:
        yield model
        return
    field = model.model_fields.get(str(loc[0]))
    for inner in _models_in(field.annotation) if field else ():
        rest = loc[1:]
        yield from _models_at(inner, rest[1:] if rest and isinstance(rest[0], int) else rest)


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in getattr(annotation, "__args__", ()):
        yield from _models_in(argument)


def _lines(node: Any, loc: Loc) -> Iterator[tuple[Loc, int]]:
    from ruamel.yaml.comments import CommentedMap, CommentedSeq

    pairs: Iterator[tuple[Any, Any]] = iter(())
    if isinstance(node, CommentedMap):
        pairs = iter(node.items())
    elif isinstance(node, CommentedSeq):
        pairs = enumerate(node)
    for key, value in pairs:
        line = node.lc.key(key)[0] if isinstance(node, CommentedMap) else node.lc.item(key)[0]
        yield (*loc, key), line + 1
        yield from _lines(value, (*loc, key))


def _sibling(path: Path) -> str:
    names = [each.name for each in path.parent.glob("*.y*ml")] if path.parent.is_dir() else []
    close = difflib.get_close_matches(path.name, names, n=1)
    return f"; did you mean {close[0]}?" if close else ""
