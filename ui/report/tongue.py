"""The language in which the board speaks to a person: English, Chinese or Indonesian, from gettext catalogues.

The text in the code is English and is also the key (GNU gettext). What has no translation is shown in English.
"""

from __future__ import annotations

import gettext
from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import TypeVar

R = TypeVar("R")
CATALOGUES = Path(__file__).parent / "catalogues"
TONGUES: Mapping[str, str] = {"en": "English", "zh": "中文", "id": "Bahasa Indonesia"}
"""Languages of the interface, each by its own name."""
OLDER = {"in": "id"}
"""ISO 639's first code of Indonesian, which old Android and Java still send."""
_current: ContextVar[str] = ContextVar("tongue", default="en")


def speak(tongue: str) -> None:
    """Let everything that follows in this context be said in a language; English where there is no such."""
    _current.set(tongue if tongue in TONGUES else "en")


def spoken() -> str:
    """Return the language that is spoken."""
    return _current.get()


def in_english(make: Callable[[], R]) -> R:
    """Return what is made while English is spoken: what several people are shown is in nobody's own language."""
    return in_tongue("en", make)


def in_tongue(tongue: str, make: Callable[[], R]) -> R:
    """Return what is made while a language is spoken; before and after it is another."""
    before = _current.set(tongue if tongue in TONGUES else "en")
    try:
        return make()
    finally:
        _current.reset(before)


def tr(text: str) -> str:
    """Return a text of the interface in the language that is spoken."""
    tongue = _current.get()
    return text if tongue == "en" or not text else _catalogue(tongue).gettext(text)


def counted(noun: str) -> str:
    """Return what stands behind a number, in the language that is spoken: with its measure word in Chinese."""
    tongue = _current.get()
    return noun if tongue == "en" else _catalogue(tongue).pgettext("counted", noun)


@cache
def _catalogue(tongue: str) -> gettext.GNUTranslations:
    """Return a catalogue, made from its text: no file has to be compiled beside it."""
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    with (CATALOGUES / f"{tongue}.po").open("rb") as file:
        catalogue = read_po(file, locale=tongue)
    made = BytesIO()
    write_mo(made, catalogue)
    made.seek(0)
    return gettext.GNUTranslations(made)


def tongue_of(asked: Iterable[str]) -> str:
    """Return the first language of a person's own order that the interface has; English where it has none.

    Args:
        asked: language tags (BCP 47), most wanted first; zh-SG, zh-HK, zh-Hant-TW are all Chinese.
    """
    for tag in asked:
        main = tag.strip().replace("_", "-").split("-")[0].lower()
        if (main := OLDER.get(main, main)) in TONGUES:
            return main
    return "en"


def preferred(header: str) -> list[str]:
    """Return the tags of an Accept-Language header, most wanted first (RFC 9110); what cannot be read comes last."""
    wanted: list[tuple[float, int, str]] = []
    for place, part in enumerate(header[:1000].split(",")):
        tag, _, weight = part.partition(";")
        try:
            quality = float(weight.strip().removeprefix("q=")) if weight else 1.0
        except ValueError:
            quality = 0.0
        if quality > 0 and tag.strip() not in {"", "*"}:
            wanted.append((-quality, place, tag.strip()))
    return [tag for _, _, tag in sorted(wanted)]
