"""What commands share: settings from the context, a progress bar, plain tables."""

from __future__ import annotations

import getpass
import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from groundswell.configs.schema import Settings
    from groundswell.index.audit import Audit
    from groundswell.index.progress import Progress

QUIET_SECONDS = 2.0
"""What is over sooner needs no bar."""
LINE_SECONDS = 15.0
"""How often a line is written where standard error is no terminal."""


CLUSTER = click.option(
    "--cluster", metavar="ADDRESS", default="",
    help="Let the workers of this Dask scheduler help [default: scale.scheduler].",
)  # fmt: skip


def on_cluster(settings: Settings, address: str) -> Settings:
    """Return settings with whose work the workers of a scheduler help, where one was given."""
    scale = settings.scale.model_copy(update={"scheduler": address})
    return settings.model_copy(update={"scale": scale}) if address else settings


def settings_of(ctx: click.Context) -> Settings:
    """Return the settings of this call: file, then environment, then ``--set``.

    Raises:
        ConfigError: they cannot be used.
    """
    from groundswell.configs.load import load_settings

    given = ctx.find_root().obj or {}
    return load_settings(given.get("config"), given.get("overrides"))


def audit_of(settings: Settings) -> Audit:
    """Return the log into which whatever a person changes or takes away is written first."""
    from groundswell.index.audit import Audit

    return Audit(settings.data_dir)


def took(settings: Settings, what: str, subject: str = "", **after: object) -> None:
    """Note that whoever is at this terminal takes something away, or changes something.

    Raises:
        StoreError: the audit log cannot be written.
    """
    from groundswell.index.audit import Entry

    entry = Entry(who=at_terminal(), what=what, subject=subject, after={k: str(v) for k, v in after.items() if v})
    audit_of(settings).note(entry)


def at_terminal() -> str:
    """Return who is at this terminal, as the operating system knows them."""
    try:
        return f"terminal ({getpass.getuser()})"
    except (OSError, KeyError, ImportError):  # a container's user without a name
        return "terminal"


def now() -> datetime:
    """Return the present moment, in UTC: the only clock of the command line.

    ``GROUNDSWELL_NOW`` (ISO 8601 with an offset) stops it, so that a run can be repeated exactly.
    """
    fixed = os.environ.get("GROUNDSWELL_NOW")
    return datetime.fromisoformat(fixed).astimezone(UTC) if fixed else datetime.now(UTC)


@contextmanager
def progress_bar(title: str) -> Iterator[Progress]:
    """Show documents, rate and time left on standard error for whatever takes longer than two seconds."""
    bar = _Terminal(title) if sys.stderr.isatty() else _Lines(title)
    try:
        yield bar
    finally:
        bar.close()


class _Lines:
    """A line now and then: for logs."""

    def __init__(self, title: str) -> None:
        self.title, self.begun = title, time.monotonic()
        self.said = self.begun - LINE_SECONDS + QUIET_SECONDS

    def __call__(self, done: int, total: int | None, what: str) -> None:
        seconds = time.monotonic() - self.begun
        if time.monotonic() - self.said < LINE_SECONDS:
            return
        self.said = time.monotonic()
        rate = done / seconds if seconds else 0.0
        left = f", {max(0, total - done) / rate:.0f} s left" if total and rate else ""
        many = f"{done:,}{f' of {total:,}' if total else ''}"
        click.echo(f"{self.title}: {many}{_named(what, self.title)}, {rate:,.0f}/s{left}", err=True)

    def close(self) -> None:
        return


class _Terminal:
    """A bar that appears after two seconds."""

    def __init__(self, title: str) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self.title, self.begun, self.shown, self.task = title, time.monotonic(), False, None
        self.bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )

    def __call__(self, done: int, total: int | None, what: str) -> None:
        seconds = time.monotonic() - self.begun
        if seconds < QUIET_SECONDS:
            return
        rate = f"{_named(what, self.title)}, {done / seconds:,.0f}/s".lstrip(" ,")
        if not self.shown:
            self.shown = True
            self.bar.start()
            self.id = self.bar.add_task(self.title, total=total, rate=rate)
        self.bar.update(self.id, completed=done, total=total, rate=rate)

    def close(self) -> None:
        if self.shown:
            self.bar.stop()


def _named(what: str, title: str) -> str:
    """Return what is counted, unless the title has said it."""
    return "" if what == title else f" {what}"


def table(columns: Sequence[str], rows: Sequence[Sequence[object]], *, right: Sequence[int] = ()) -> None:
    """Print a plain table; numbers in the columns named by `right` stand flush right.

    Control characters of public text never reach the terminal.
    """
    cells = [[printable(str(cell)) for cell in row] for row in [columns, *rows]]
    widths = [min(60, max(_width(row[i]) for row in cells)) for i in range(len(columns))]
    for row in cells:
        click.echo("  ".join(_padded(cell, widths[i], i in right) for i, cell in enumerate(row)).rstrip())


def json_line(value: object) -> str:
    """Return a value as JSON on one line that a terminal shows as it is: what would play with it is escaped.

    Direction marks, line separators and C1 controls are valid in JSON strings as they are (RFC 8259), and harm there.
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    return "".join(
        char if char.isprintable() else f"\\u{ord(char):04x}" if char <= "\uffff" else _pair(char) for char in text
    )


def _pair(char: str) -> str:
    return json.dumps(char)[1:-1]


def printable(text: str) -> str:
    """Return text on one line, without control or bidirectional characters that would play with a terminal."""
    return "".join(char if char.isprintable() else " " for char in text)


def _width(text: str) -> int:
    from unicodedata import combining, east_asian_width

    return sum(0 if combining(char) else 2 if east_asian_width(char) in "WF" else 1 for char in text)


def _padded(text: str, width: int, right: bool) -> str:
    while _width(text) > width:
        text = text[:-2] + "…"
    space = " " * (width - _width(text))
    return space + text if right else text + space
