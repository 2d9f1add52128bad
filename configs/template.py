"""The configuration file that `groundswell init` writes: made from the schema, so that it can never be stale."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel
from pydantic_core import to_jsonable_python
from ruamel.yaml import YAML
from ruamel.yaml.compat import StringIO

from groundswell.configs.schema import Settings

HEAD = """\
# Groundswell's configuration. Every line is optional; those commented out show the default.
# The environment wins over this file (GROUNDSWELL_BOARD__PORT=8600), and --set wins over both (--set board.port=8600).
# Paths are relative to this file. Secrets never stand here: settings that end in _env name the variable that holds one.
"""


def commented(model: BaseModel | None = None) -> str:
    """Return a YAML file with every setting commented out, its meaning above it."""
    return HEAD + "".join(_section(model or Settings(), 0))


def _section(model: BaseModel, depth: int) -> Iterator[str]:
    pad = "  " * depth
    for name, field in type(model).model_fields.items():
        value = getattr(model, name)
        if isinstance(value, BaseModel):
            yield f"\n{pad}{name}:" + (f"  # {_first_line(type(value))}\n" if type(value).__doc__ else "\n")
            yield from _section(value, depth + 1)
        else:
            yield from (f"{pad}# {line}\n" for line in textwrap.wrap(field.description or "", 100))
            yield f"{pad}# {name}: {_scalar(value)}\n"


def _first_line(kind: type[BaseModel]) -> str:
    return (kind.__doc__ or "").strip().splitlines()[0]


def _scalar(value: Any) -> str:
    stream = StringIO()
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = True
    yaml.width = 10_000
    yaml.dump(to_jsonable_python(value), stream)
    text: str = stream.getvalue()
    return text.removesuffix("...\n").strip()
