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
from groundswell.ui.report.figures import FIGURES, Figure

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


def figures_page() -> str:
    """Return docs/figures.md: every figure that pages, digest and reports show, with its question."""
    head = """# Figures, and the questions that give them again

Beneath every page of the board *How do you know?* leads to these questions, filled with what the page shows; anywhere else they are asked by
`groundswell sql`, with `--with now=2026-12-01T08:00Z` and so on. `tests/ui/test_figures.py` draws every page, the digest and the quality report, finds
each number on them, and looks for it in the answers: a number without a question fails it.

Not figures, and so without a question: moments and lengths of time, the ticks of axes, ids, what people wrote, and numbers of our own sentences ("95 %",
"28 days"). Two figures have none: the likeness of related themes (a cosine of vectors, which SQL has not), and what a click measures there and then
(rules that are tried, a draft). Tables whose estimates no short statement could make (`quality`, `agreement`, `drift`, `abnormal_days`, `performance`,
`policy_gaps`, `rule_measures`, `moderation_months`, `causes`, `coverage`, `episodes`) read what the page reads; every other question counts anew.
"""
    return head + "".join(_figure(one) for one in FIGURES)


def _figure(one: Figure) -> str:
    return f"\n**{one.shows}** ({', '.join(one.pages)})\n\n```sql\n{one.question}\n```\n"


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
    """Write the pages into a folder."""
    (folder / "commands.md").write_text(commands_page(), "utf-8")
    (folder / "settings.md").write_text(settings_page(), "utf-8")
    (folder / "figures.md").write_text(figures_page(), "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
