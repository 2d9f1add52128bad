"""Standing topics by name in the language that is spoken: alerts about one keep its English name.

Names come from `configs/topics.yaml` and from the file that the setting `signals.topics` names; a brand has one name
for everybody.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from functools import cache
from pathlib import Path

from groundswell.configs.schema import Settings
from groundswell.ui.report.tongue import spoken

_file: ContextVar[Path | None] = ContextVar("topics", default=None)


def know_topics(settings: Settings) -> None:
    """Let everything that follows in this context also know the user's own topics."""
    _file.set(settings.signals.topics)


def topic_title(title: str) -> str:
    """Return the name of a standing topic in the language that is spoken, where it has one."""
    if spoken() == "en" or not title:
        return title
    return _titles(_file.get()).get(title.casefold(), {}).get(spoken(), title)


@cache
def _titles(path: Path | None) -> Mapping[str, Mapping[str, str]]:
    """Return the names of every topic in other languages, by its English name; of none where a file is broken."""
    from groundswell.configs.topics import load_topics
    from groundswell.configs.yaml_lines import ConfigError

    try:
        found = load_topics(path)
    except ConfigError:  # the stages say what is wrong with it
        found = load_topics()
    return {one.title.casefold(): one.titles for one in found}
