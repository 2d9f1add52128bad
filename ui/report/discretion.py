"""What nobody may read in a log, a ledger or an answer that is kept: secrets, credentials, addresses, long numbers."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence

from pydantic import BaseModel

LONGEST_LINE = 2000
"""Characters of one line's message."""
SHORTEST_SECRET = 6
"""What is shorter is not looked for: it would blacken half of every line."""
MASKED = "[…]"
USERINFO = re.compile(r"(?<=://)[^/\s@]{1,200}@")
QUERY = re.compile(r"(?<=[^\s?])\?[^\s\"'<>]{1,2000}(?=[\s\"'<>]|$)")
MAIL = re.compile(r"[^\s@<>()\[\]\",;:]{1,64}@[^\s@<>()\[\]\",;:]{1,255}")
LONG_NUMBER = re.compile(r"(?<![\d.:-])\+?\d(?:[ ().-]{0,2}\d){8,18}(?![\d:-])")
"""Nine digits and more, however they are grouped: phones, cards, identity numbers; times have colons."""


def secrets_of(settings: BaseModel) -> Iterator[str]:
    """Yield the values of all environment variables that settings name, and passwords inside their addresses."""
    for name, value in settings:
        if isinstance(value, BaseModel):
            yield from secrets_of(value)
        elif isinstance(value, tuple):
            yield from (secret for each in value if isinstance(each, BaseModel) for secret in secrets_of(each))
        elif name.endswith("_env") and (secret := os.environ.get(str(value), "")):
            yield secret


class Cleaner:
    """Takes out of a line what nobody may read in a log."""

    def __init__(self, secrets: Sequence[str]) -> None:
        self._secrets = sorted({each for each in secrets if len(each) >= SHORTEST_SECRET}, key=len, reverse=True)

    def __call__(self, text: str) -> str:
        """Return a line on one line, bounded, with secrets, credentials, queries, mail addresses and numbers masked."""
        for secret in self._secrets:
            text = text.replace(secret, MASKED)
        text = "".join(char if char.isprintable() else " " for char in text[:LONGEST_LINE])
        text = QUERY.sub(f"?{MASKED}", USERINFO.sub(f"{MASKED}@", text))
        return LONG_NUMBER.sub(MASKED, MAIL.sub(MASKED, text))
