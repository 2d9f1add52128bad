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

from groundswell.index.spelling import normalise

MAX_CHARS = 4_000
"""Characters kept. The encoder reads at most 512 tokens, which is at most about 2,500 characters in any script."""
LINK = "http"
HANDLE = "@user"
ADDRESS = "email"

_SCRIPT = re.compile(r"<(script|style)\b[^>]{0,500}>.*?(?:</\1\s*>|\Z)", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(
    r"</?(?:a|abbr|article|b|blockquote|body|br|center|code|dd|div|dl|dt|em|figure|font|footer|form|h[1-6]|head|header"
    r"|hr|html|i|iframe|img|input|label|li|main|meta|nav|object|ol|option|p|pre|s|section|select|small|source|span"
    r"|strong|sub|sup|svg|table|tbody|td|th|thead|title|tr|u|ul|video)(?=[\s/>])[^<>]{0,2000}>|<!--.{0,2000}?-->",
    re.IGNORECASE | re.DOTALL,
)
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff\ud800-\udfff]")
_PILED_MARKS = re.compile(r"([\u0300-\u036f\u0483-\u0489\u20d0-\u20ff]{3})[\u0300-\u036f\u0483-\u0489\u20d0-\u20ff]+")
# Letters of an address are ASCII here: in Chinese and Thai the next sentence follows a link without a space.
_LINK = re.compile(r"(?<![A-Za-z0-9])(?:https?://|www\.(?=\w))[!#-;=?-~]+", re.IGNORECASE)
_ADDRESS = re.compile(r"\b[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{2,63}){1,4}\b")
# A handle in Chinese or Thai letters counts only where something ends it, else it would swallow the sentence behind it.
_HANDLE = re.compile(
    r"(?<![A-Za-z0-9@])@(?!user\b)"
    r"(?:[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,62}[A-Za-z0-9_])?(?:@[A-Za-z0-9.-]{3,80})?|\w{1,30}(?=[\s:：,，]|$))"
)
_REPEATED_PLACEHOLDER = re.compile(r"(@user|\bhttp|\bemail)(?:\s+\1\b)+")
_DRAWN_OUT = re.compile(r"([^\d\s])\1{4,}")
_SPACE = re.compile(r"\s+")


def clean(texts: Sequence[str], *, max_chars: int = MAX_CHARS) -> list[str]:
    """Return each text mended and on one line, at most `max_chars` long; empty where nothing readable is left."""
    return [clean_one(text, max_chars=max_chars) for text in texts]


def clean_one(text: str, *, max_chars: int = MAX_CHARS) -> str:
    """Return one text as `clean` does."""
    bounded = text[: 4 * max_chars]  # what is cut here could only have survived if four fifths before it were markup
    visible = _without_controls(_mended(_without_markup(bounded)))
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


def _without_markup(text: str) -> str:
    if "<" not in text:
        return text
    return _TAG.sub(" ", _SCRIPT.sub(" ", text))


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
