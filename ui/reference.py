"""The reference pages of docs/: made from the commands and the settings themselves, so that they cannot be stale.

Run ``python -m groundswell.ui.reference docs`` after a change; a test compares.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click
from pydantic import BaseModel

from groundswell.configs.schema import ElasticSettings, QuietHours, Receiver, ReportSettings, Settings
from groundswell.ui.cli import COMMANDS, cli

WIDTH = 100


def commands_page() -> str:
    """Return docs/commands.md: the help of every command."""
    names = ["-h", "--help"]  # said here too: a context that is made by hand does not ask the command for them
    with click.Context(
        cli, info_name="groundswell", terminal_width=WIDTH, max_content_width=WIDTH, help_option_names=names
    ) as root:
        return "# Commands\n\n" + "\n".join(_command(root, name) for name in COMMANDS)


def settings_page() -> str:
    """Return docs/settings.md: every setting with its default and meaning."""
    head = "# Settings\n\nFile, then environment (`GROUNDSWELL_BOARD__PORT=8600`), then `--set board.port=8600`.\n"
    parts = [
        (Settings(), ""),
        (ElasticSettings(), "store (Elasticsearch)"),
        (QuietHours(), "signals.quiet_hours"),
        (Receiver(id="mei", address="mei@example.org"), "alerts.receivers (each)"),
        (ReportSettings(name="name"), "reports (each)"),
    ]
    return head + "".join(part for model, name in parts for part in _section(model, name))


def _command(root: click.Context, name: str) -> str:
    command = cli.get_command(root, name)
    if command is None:
        raise LookupError(name)
    with click.Context(command, parent=root, info_name=name, terminal_width=WIDTH, max_content_width=WIDTH) as ctx:
        page = f"## {name}\n\n```text\n{command.get_help(ctx)}\n```\n"
        if isinstance(command, click.Group):
            page += "".join(f"\n{_sub(ctx, command, each)}" for each in command.list_commands(ctx))
        return page


def _sub(parent: click.Context, group: click.Group, name: str) -> str:
    command = group.get_command(parent, name)
    if command is None:
        raise LookupError(name)
    with click.Context(command, parent=parent, info_name=name, terminal_width=WIDTH, max_content_width=WIDTH) as ctx:
        return f"```text\n{command.get_help(ctx)}\n```\n"


def _section(model: BaseModel, name: str) -> Iterator[str]:
    doc = (type(model).__doc__ or "").strip().splitlines()[0]
    yield f"\n## {name or 'top level'}\n\n{doc}\n\n| setting | default | meaning |\n|---|---|---|\n"
    inner = []
    for key, field in type(model).model_fields.items():
        value = getattr(model, key)
        if isinstance(value, BaseModel):
            inner.append((value, key))
        else:
            yield f"| `{key}` | `{value!s}` | {field.description or ''} |\n"
    for value, key in inner:
        yield from _section(value, f"{name}.{key}".strip("."))


def main(folder: Path) -> None:
    """Write both pages into a folder."""
    (folder / "commands.md").write_text(commands_page(), "utf-8")
    (folder / "settings.md").write_text(settings_page(), "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
