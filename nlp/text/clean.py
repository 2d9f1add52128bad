"""Texts made readable for the model: mended, bounded, on one line; nothing of the feeling taken away.

Emoji, capitals, hashtags and stretched words stay, because they carry mood. Links become ``http`` and handles
``@user``, the spelling of the sets the model was trained on (TweetEval, UMSAB), which also keeps names of people out
of it. Words get one spelling (`groundswell.index.spelling`): either Chinese script, Thai as it is written by rule. The
same function serves training and reading, so the model never meets a spelling it was not taught.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from functools import cache
from typing import Any

from groundswell.index.markup import without_markup
from groundswell.index.spelling import normalise
from groundswell.nlp.text import addresses

MAX_CHARS = 4_000
"""Characters kept. The encoder reads at most 512 tokens, which is at most about 2,500 characters in any script."""
LINK = "http"
HANDLE = "@user"
ADDRESS = "email"

_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff\ud800-\udfff]")
_PILED_MARKS = re.compile(r"([\u0300-\u036f\u0483-\u0489\u20d0-\u20ff]{3})[\u0300-\u036f\u0483-\u0489\u20d0-\u20ff]+")
_LINK = re.compile(addresses.LINK, re.IGNORECASE)
_ADDRESS = re.compile(addresses.MAIL)
_HANDLE = re.compile(rf"(?<![A-Za-z0-9@])@(?!user\b){addresses.HANDLE_NAME}")
_REPEATED_PLACEHOLDER = re.compile(r"(@user|\bhttp|\bemail)(?:\s+\1\b)+")
_DRAWN_OUT = re.compile(r"([^\d\s])\1{4,}")
_SPACE = re.compile(r"\s+")
_FILLER = re.compile(
    r"(?:&(?:nbsp|ensp|emsp|thinsp|shy|zwj|zwnj|Tab|NewLine|#0*(?:9|10|13|32|160|173|8203)|#x0*(?:9|a|d|20|a0|ad|200b));\s*)+",
    re.IGNORECASE,
)
_INVISIBLE = re.compile(
    "[\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
_BLANKS = re.compile(r"[\s\u115f\u1160\u2800\u3164\uffa0]+")
_REPEATED = re.compile(r"(\S\s|\S{1,3}?)\1{9,}")
"""Pieces of one to three letters said ten times and more (". . . .", "=-=-"); only long texts are squeezed so."""
MOST = 64
"""How many times `max_chars` of a long text are looked through, once its blanks are taken out."""


def clean(texts: Sequence[str], *, max_chars: int = MAX_CHARS) -> list[str]:
    """Return each text mended and on one line, at most `max_chars` long; empty where nothing readable is left."""
    return [clean_one(text, max_chars=max_chars) for text in texts]


def clean_one(text: str, *, max_chars: int = MAX_CHARS) -> str:
    """Return one text as `clean` does."""
    bounded = (_squeezed(text, max_chars) if len(text) > max_chars else text)[: 4 * max_chars]
    visible = _without_controls(_mended(without_markup(bounded)))
    masked = _masked(visible)
    return _SPACE.sub(" ", _DRAWN_OUT.sub(r"\1\1\1\1", masked)).strip()[:max_chars].rstrip()


def joined(title: str, text: str) -> str:
    """Return title and text as one, the title only once where the text begins with it (feeds repeat it)."""
    title, text = title.strip(), text.strip()
    if not title or text.casefold().startswith(title.rstrip("…. ").casefold()):
        return text or title
    if not text:
        return title
    return f"{title}{' ' if title[-1] in '.!?。！？…' else '. '}{text}"


def _squeezed(text: str, max_chars: int) -> str:
    """Return a long text without what only fills it: what somebody put behind 16,000 blanks is read."""
    text = _BLANKS.sub(" ", _INVISIBLE.sub("", _FILLER.sub(" ", text)))[: MOST * max_chars]
    text = _PILED_MARKS.sub(r"\1", _CONTROL.sub(" ", without_markup(text)))
    return _BLANKS.sub(" ", _REPEATED.sub(r"\1\1\1\1", _masked(text)))


def _mended(text: str) -> str:
    """Return the text with mojibake, ligatures, curled quotes, entities and full-width letters put right (ftfy)."""
    if text.isascii():
        return html.unescape(text) if "&" in text else text
    fix, config = _ftfy()
    fixed: str = fix(text, config)
    return fixed


@cache
def _ftfy() -> tuple[Any, Any]:
    import ftfy  # 30 ms that `groundswell --help` need not wait for

    return ftfy.fix_text, ftfy.TextFixerConfig(explain=False, max_decode_length=10_000)


def _without_controls(text: str) -> str:
    if text.isascii() and text.isprintable():
        return text
    return _PILED_MARKS.sub(r"\1", _CONTROL.sub(" ", normalise(text)))


def _masked(text: str) -> str:
    if "@" in text:
        text = _HANDLE.sub(HANDLE, _ADDRESS.sub(ADDRESS, text))
    text = _LINK.sub(LINK, text)
    return _REPEATED_PLACEHOLDER.sub(r"\1", text)
