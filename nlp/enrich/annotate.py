"""The contract for other programs: a file of JSON lines in, one line out for each, in the same order.

A line that cannot be read becomes ``{"id", "error"}`` and the rest goes on. Memory stays bounded whatever the file
holds; the target appears whole or not at all. ``configs/contracts/annotate.*.schema.json`` and ``docs/contracts.md``
say the same in JSON Schema and in prose.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from groundswell.index.batches import batched
from groundswell.index.files import written_aside
from groundswell.index.progress import Progress
from groundswell.index.records import Enriched
from groundswell.nlp.enrich.names import Names
from groundswell.nlp.enrich.rules import SHADOW, Rules
from groundswell.nlp.enrich.stage import (
    InputText,
    Model,
    one_by_one_where_needed,
    read_texts,
    shipped_rules,
    watched_names,
)
from groundswell.nlp.text.clean import MAX_CHARS, clean_one

if TYPE_CHECKING:
    from groundswell.configs.schema import Settings


BATCH = 512
"""Lines judged at a time."""
LONGEST_LINE = 16 << 20
"""Bytes of a line; a longer one is skipped and reported."""
LONGEST_ID = 512
"""Characters of an id."""
KEPT_CHARS = 4 * MAX_CHARS
"""Characters of a text that are kept until it is read; the model sees fewer."""

_ID = re.compile(rb'"id"\s*:\s*("(?:[^"\\]|\\.){1,512}"|-?\d{1,18})')


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of the lines: lines = annotated + failed (blank lines are passed over)."""

    lines: int
    annotated: int
    failed: int

    def __str__(self) -> str:
        """Return the counts as a sentence."""
        return f"{self.lines:,} lines = {self.annotated:,} annotated + {self.failed:,} with an error"


@dataclass(frozen=True, slots=True)
class _Line:
    """A line read: its id as it was given, and either what was said or why it cannot be read."""

    id: str | int | None
    said: InputText | None = None
    error: str = ""


class _BadLineError(ValueError):
    """Why a line cannot be annotated, and its id where it has one."""

    def __init__(self, reason: str, id: str | int | None = None) -> None:
        super().__init__(reason)
        self.id = id


def annotate(
    source: Path,
    target: Path,
    model: Model,
    settings: Settings,
    *,
    progress: Progress | None = None,
    rules: Rules | None = None,
) -> Counts:
    """Annotate every line of `source` into `target`.

    Raises:
        OSError: a file cannot be read or written; `target` is then left as it was.
        Exception: the model fails on whole batches: then the fault is its own.
    """
    rules = rules if rules is not None else shipped_rules(settings)
    names = watched_names(settings)
    lines = failed = 0
    with written_aside(target) as part, source.open("rb") as incoming, part.open("wb") as outgoing:
        for batch in batched(_lines(incoming), BATCH):
            answers = _answers(batch, model, rules, names, settings.model.unsure_below)
            outgoing.writelines(_encoded(answer) for answer in answers)
            lines += len(batch)
            failed += sum("error" in answer for answer in answers)
            if progress:
                progress(lines, None, "annotate")
        outgoing.flush()
        os.fsync(outgoing.fileno())
    return Counts(lines, lines - failed, failed)


def _answers(
    batch: Sequence[_Line], model: Model, rules: Rules, names: Names, unsure_below: float
) -> list[dict[str, Any]]:
    # Ids are the caller's and may repeat; inside a batch a line goes by its place.
    said = [replace(line.said, id=str(place)) for place, line in enumerate(batch) if line.said]
    done, failed = one_by_one_where_needed(
        said, lambda part: read_texts(part, model, rules, unsure_below=unsure_below, names=names), lambda one: one.id
    )
    understood = {int(one.id): one for one in done}
    reasons = {int(place): reason for place, reason in failed}
    return [
        _answer(line.id, understood[place], model)
        if place in understood
        else {"id": line.id, "error": line.error or f"could not be read: {reasons[place]}"}
        for place, line in enumerate(batch)
    ]


def _answer(id: str | int | None, one: Enriched, model: Model) -> dict[str, Any]:
    feeling = one.sentiment
    chances = {"negative": feeling.negative, "neutral": feeling.neutral, "positive": feeling.positive}
    return {
        "id": id,
        "lang": one.lang,
        # Whoever counts labels gets one of three; whoever wants to abstain is told when.
        "sentiment": {"label": max(chances, key=chances.__getitem__), "unsure": feeling.label == "unsure", **chances},
        "risks": {risk: one.risks.get(risk, 0.0) for risk in model.risk_ids},
        "stances": dict(one.stances),
        "targets": [
            {"who": target.who, "label": target.label, "name": target.name, "role": target.role}
            for target in one.targets
        ],
        "rules": [rule for rule in one.rules if not rule.startswith(SHADOW)],
        # Only where there is some, so that whoever reads posts need not know of it.
        **({"unread": one.unread} if one.unread else {}),
        "made_by": one.made_by,
    }


def _encoded(answer: dict[str, Any]) -> bytes:
    # An id may hold half a surrogate pair ("\ud800"); written back as the escape it came as, it stays valid JSON.
    return json.dumps(answer, ensure_ascii=False, allow_nan=False).encode("utf-8", "backslashreplace") + b"\n"


def _lines(file: IO[bytes]) -> Iterator[_Line]:
    number = 0
    while raw := file.readline(LONGEST_LINE + 1):
        number += 1
        if len(raw) > LONGEST_LINE and not raw.endswith(b"\n"):
            _skip_line(file)
            yield _Line(_id_in(raw), error=f"line {number}: longer than {LONGEST_LINE >> 20} MB")
        elif raw.strip(b"\xef\xbb\xbf \t\r\n"):
            yield _read(raw, number)


def _skip_line(file: IO[bytes]) -> None:
    while (rest := file.readline(LONGEST_LINE)) and not rest.endswith(b"\n"):
        pass


def _read(raw: bytes, number: int) -> _Line:
    try:
        return _said(_parsed(raw))
    except _BadLineError as error:
        return _Line(error.id, error=f"line {number}: {error}")


def _parsed(raw: bytes) -> dict[str, Any]:
    try:
        fields = json.loads(raw.decode("utf-8-sig"), parse_constant=_no_constant)
    except UnicodeDecodeError as error:
        raise _BadLineError(f"not UTF-8 at byte {error.start}", _id_in(raw)) from None
    except RecursionError:
        raise _BadLineError("nested too deeply", _id_in(raw)) from None
    except ValueError as error:  # JSONDecodeError, or a number of thousands of digits
        raise _BadLineError(f"not JSON: {error}"[:300], _id_in(raw)) from None
    if not isinstance(fields, dict):
        raise _BadLineError(f"expected an object with id and text, not {type(fields).__name__}")
    return fields


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _said(fields: dict[str, Any]) -> _Line:
    name_given = _checked_id(fields.get("id"))
    given = {}
    for name in ("text", "title", "lang"):
        value = fields.get(name)
        if value is not None and not isinstance(value, str):
            raise _BadLineError(f"{name} must be text, not {type(value).__name__}", name_given)
        given[name] = (value or "")[:KEPT_CHARS]
    if fields.get("text") is None:
        raise _BadLineError("text is missing", name_given)
    if not clean_one(given["text"]) and not clean_one(given["title"]):
        raise _BadLineError("text is empty or holds nothing readable", name_given)
    return _Line(name_given, InputText(id="", text=given["text"], title=given["title"], lang=given["lang"]))


def _checked_id(id: object) -> str | int:
    if id is None:
        raise _BadLineError("id is missing")
    if isinstance(id, bool) or not isinstance(id, str | int):
        raise _BadLineError(f"id must be text or a whole number, not {type(id).__name__}")
    if id == "" or len(str(id)) > LONGEST_ID:
        raise _BadLineError(f"id must have 1 to {LONGEST_ID} characters")
    return id


def _id_in(raw: bytes) -> str | int | None:
    """Return the id of a line that is no JSON, as far as it can be told."""
    if found := _ID.search(raw[:4096]):
        try:
            given: str | int = json.loads(found.group(1).decode("utf-8"))
        except ValueError:
            return None
        return given
    return None
