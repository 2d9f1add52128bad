"""Titles without their publisher's name, where feed or site says what that name is."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

PARTS = re.compile(r"\s+[-–—|·•:»/]+\s+|:\s+")


def without_publisher(title: str, names: Iterable[str], addresses: Iterable[str] = ()) -> str:
    """Return a title without " - Publisher" at its end, where the publisher is one of `names` or hosts of `addresses`.

    A name of a section ("The Star - Nation") counts by its parts; a title that would be too short stays.
    """
    publishers = {_plain(part) for name in names for part in [name, *PARTS.split(name)]} - {""}
    publishers |= {_plain(host) for address in addresses for host in _hosts(address)}
    for separator in sorted(_separators(title), reverse=True):
        head, tail = title[:separator].rstrip(), title[separator:].strip(" -–—|·•:»/")
        if len(head) >= 8 and _plain(tail) in publishers:
            return head
    return title


def _separators(title: str) -> list[int]:
    return [found.start() for found in re.finditer(r"\s[-–—|·•:»/]+\s|[|｜]", title)]


def _hosts(address: str) -> list[str]:
    try:
        host = (urlsplit(address).hostname or "").removeprefix("www.")
    except ValueError:
        return []
    return [host, host.split(".", maxsplit=1)[0]] if host else []


def _plain(name: str) -> str:
    """Return a name for comparing: letters and digits in one case, without "the"."""
    letters = re.sub(r"[\W_]+", "", name.casefold())
    return letters.removeprefix("the") if len(letters) > 5 else letters
