"""Log lines for machines or people, without personal data or secrets, whoever wrote them.

Our own modules and every library log through the standard ``logging``; here each line is bounded, cleaned and, if asked
for, made into one JSON object. No traceback is written: local variables hold what people said.
"""

from __future__ import annotations

import json
import logging
import os
import re
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel

from groundswell.configs.schema import Settings

LONGEST = 2000
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
        text = "".join(char if char.isprintable() else " " for char in text[:LONGEST])
        text = QUERY.sub(f"?{MASKED}", USERINFO.sub(f"{MASKED}@", text))
        return LONG_NUMBER.sub(MASKED, MAIL.sub(MASKED, text))


class Lines(logging.Formatter):
    """One line a record: for people, or a JSON object with time (UTC), level, where, message and given facts."""

    def __init__(self, form: Literal["text", "json"], clean: Cleaner) -> None:
        super().__init__()
        self._form, self._clean = form, clean

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        said = self._clean(f"{record.getMessage()}{_fault(record)}")
        more = {key: self._value(value) for key, value in getattr(record, "facts", {}).items()}
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        if self._form == "json":
            line = {"time": at, "level": record.levelname.lower(), "logger": record.name, "message": said, **more}
            return json.dumps(line, ensure_ascii=False)
        return f"{at} {record.levelname.lower():7} {said}"

    def _value(self, value: Any) -> Any:
        return self._clean(value) if isinstance(value, str) else value


def _fault(record: logging.LogRecord) -> str:
    """Return an error as its kind, words and place; nothing of what its frames held."""
    error = record.exc_info[1] if record.exc_info else None
    if error is None:
        return ""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f" ({Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno})" if trace else ""
    return f": {type(error).__name__}: {error}{place}"


def log_to(settings: Settings, stream: Any = None) -> logging.Handler:
    """Send the lines of all loggers to standard error (or a stream), cleaned; return the handler."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(Lines(settings.watch.log, Cleaner(list(secrets_of(settings)))))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    logging.captureWarnings(capture=True)
    for chatty in ("elastic_transport", "fontTools", "numba", "scrapy", "urllib3"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    return handler
