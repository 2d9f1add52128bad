"""Stable ids: the same thing found twice has the same id, on any machine, in any run."""

from __future__ import annotations

import hashlib

LENGTH = 20
"""Hex digits of an id: 80 bits, so that ten million records meet by chance with probability under 1e-10."""


def stable_id(*parts: str) -> str:
    """Return a hash of the parts; ("ab", "c") and ("a", "bc") differ."""
    return hashlib.sha256("\x1f".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:LENGTH]


def mention_id(*, canonical_url: str = "", source: str = "", native_id: str = "", text: str = "") -> str:
    """Return a mention's id: from its address where it has one, else its source's own id, else its text."""
    if canonical_url:
        return stable_id("url", canonical_url)
    return stable_id("native", source, native_id) if native_id else stable_id("text", source, text)


def author_key(name: str, *, source: str, salt: str) -> str:
    """Return a salted hash of an author's name (empty for an empty name), so that no name is ever stored."""
    return stable_id("author", salt, source, name) if name else ""
