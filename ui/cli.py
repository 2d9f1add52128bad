"""The one command, `groundswell`. Each subcommand is loaded only when it is called, so that help answers at once.

Exit codes: 0 all well · 1 something failed and was said · 2 wrong usage · 3 the configuration cannot be used ·
4 the store cannot answer · 130 interrupted.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import click

COMMANDS = {
    "init": "Write a commented configuration to begin with.",
    "doctor": "Check models, store, mail, sources and disk, and say what to do.",
    "demo": "Crawl a replica web on loopback, run every stage, open the board.",
    "run": "Crawl, enrich, find themes and signals, export and write the digest.",
    "watch": "Do all of it by itself, each source at its own cadence, until stopped.",
    "sources": "List sources, try one, find what a site offers, see what is watched for.",
    "crawl": "Fetch what is new from the sources.",
    "enrich": "Read what was crawled: language, copies, sentiment, risks, targets, rules.",
    "themes": "Give each document its theme; list themes.",
    "signals": "Find which theme is growing into a risk; list alerts.",
    "search": "Ask the index: words, phrases, field:value, since:7d.",
    "sql": "Ask in SQL, read-only.",
    "board": "Serve the trend board.",
    "notify": "Tell people at once what is due: alerts, escalations, dying sources.",
    "deliveries": "Who was told what, and what became of it.",
    "digest": "Write or send the daily mail.",
    "reports": "Questions in SQL and the quality report at set times, to files and by mail.",
    "case": "Open, list, edit and close cases.",
    "export": "Write everything, or a search result, to files.",
    "import": "Read back what export wrote.",
    "backup": "Copy the embedded store while everything goes on, and put a copy back.",
    "forget": "Take a person, an address or a text out of everything that is kept.",
    "audit": "Who changed or took away what, when; whether that log is whole.",
    "migrate": "Bring the store to this version's schema.",
    "annotate": "Label the texts of a JSONL file (for other programs).",
    "backtest": "Replay dated documents as if live and write what would have fired.",
    "train": "Learn from your labels, accept it, go back; or reproduce the shipped weights.",
    "label": "Draw documents to be labelled, label them, measure agreement.",
    "quality": "Measure the model by random audits; what has moved.",
    "policies": "Set complaints beside the clauses of your policies.",
    "rules": "Check, try and measure rules; find terms they lack.",
    "evaluate": "Measure a model per class and language, against its rivals.",
}
CONFIG_ERROR, STORE_ERROR, INTERRUPTED = 3, 4, 130
OWNER_ALONE = 0o077
"""Store, exports and mails hold what people wrote: what this program writes is its owner's alone."""


class LazyGroup(click.Group):
    """A group whose commands live in ``groundswell.ui.commands.<name>`` and are imported on first use."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's signature
        """Return the commands in the order a newcomer meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  click's signature
        """Import and return one command."""
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"groundswell.ui.commands.{cmd_name.replace('import', 'import_')}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  click's signature
        """List the commands without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Name the nearest command where there is none of that name."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from groundswell.configs.yaml_lines import nearest

            ctx.fail(f"there is no command {args[0]!r}{nearest(args[0], list(COMMANDS))}")
        return super().resolve_command(ctx, args)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="groundswell", prog_name="groundswell")
@click.option(
    "-c", "--config", type=click.Path(path_type=Path), help="Configuration file [default: ./groundswell.yaml]."
)
@click.option(
    "--set", "settings", multiple=True, metavar="KEY=VALUE", help="Set one setting, e.g. --set crawl.delay_seconds=2."
)
@click.pass_context
def cli(ctx: click.Context, config: Path | None, settings: Sequence[str]) -> None:
    """Hear what people say about ads and monetisation, and learn early which complaint grows into a risk."""
    ctx.obj = {"config": config, "overrides": dict(_pair(item) for item in settings)}


def _pair(item: str) -> tuple[str, Any]:
    key, equals, value = item.partition("=")
    if not equals:
        raise click.BadParameter(f"{item!r}: say KEY=VALUE, e.g. crawl.delay_seconds=2", param_hint="--set")
    from ruamel.yaml import YAML

    return key.strip(), YAML(typ="safe", pure=True).load(value)


def main(args: Sequence[str] | None = None) -> None:
    """Run the command line; a user's mistake ends in one sentence and an exit code, never in a traceback."""
    os.umask(OWNER_ALONE)
    try:
        code = cli.main(args=args, standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted; nothing is lost, run the same command again to go on", err=True)
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        sys.exit(0)  # `groundswell search … | head`: whoever reads has enough
    except Exception as error:
        exit_code = _exit_code(error)
        if exit_code is None:
            raise
        click.echo(f"groundswell: {_sentence(error)}", err=True)
        sys.exit(exit_code)
    sys.exit(code if isinstance(code, int) else 0)


ADVICE = {
    errno.EROFS: "the disk is mounted read-only; mount it for writing, or set data_dir elsewhere",
    errno.EACCES: "give the user who runs groundswell the right to it, or set data_dir elsewhere",
    errno.EPERM: "give the user who runs groundswell the right to it, or set data_dir elsewhere",
    errno.ENOSPC: "the disk is full; make room",
    errno.EDQUOT: "the quota of this user is used up; make room",
    errno.EFBIG: "a file may not grow that large here (ulimit -f)",
    errno.EIO: "the disk answers with errors; look at the system's log",
    errno.EMFILE: "too many files are open (ulimit -n)",
}
"""What to do about what a disk answers."""


def _sentence(error: Exception) -> str:
    """Return an error in words: of what a disk answers, where and what to do as well."""
    advice = ADVICE.get(error.errno or 0) if isinstance(error, OSError) else None
    if advice is None or not isinstance(error, OSError):
        return str(error)
    place = f"{error.filename}: " if error.filename else ""
    return f"{place}{error.strerror}: {advice}, then run the same command again; nothing acknowledged is lost"


def _exit_code(error: Exception) -> int | None:
    """Return the exit code of an error that is a person's business, or ``None`` for a defect of ours."""
    from groundswell.configs.yaml_lines import ConfigError
    from groundswell.index.store import StoreError
    from groundswell.ui.desk import DeskError

    if isinstance(error, ConfigError):
        return CONFIG_ERROR
    if isinstance(error, DeskError):
        return 2  # what was asked for is not there, or not possible: wrong usage
    if isinstance(error, StoreError):
        return STORE_ERROR
    ours = type(error).__module__.startswith("groundswell.")  # an error class of ours always speaks to a person
    return 1 if ours or isinstance(error, OSError) else None
