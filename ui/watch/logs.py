"""Log lines for machines or people, without personal data or secrets, whoever wrote them.

Our own modules and every library log through the standard ``logging``; here each line is bounded, cleaned and, if asked
for, made into one JSON object. No traceback is written: local variables hold what people said.
"""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from groundswell.configs.schema import Settings
from groundswell.ui.report.discretion import Cleaner, secrets_of


class Lines(logging.Formatter):
    """One line a record: for people, or a JSON object with time (UTC), level, where, message and given facts."""

    def __init__(self, form: Literal["text", "json"], clean: Cleaner) -> None:
        super().__init__()
        self._form, self._clean = form, clean

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        message = self._clean(f"{record.getMessage()}{_fault(record)}")
        more = {key: self._value(value) for key, value in getattr(record, "facts", {}).items()}
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        if self._form == "json":
            line = {"time": at, "level": record.levelname.lower(), "logger": record.name, "message": message, **more}
            return json.dumps(line, ensure_ascii=False)
        return f"{at} {record.levelname.lower():7} {message}"

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
