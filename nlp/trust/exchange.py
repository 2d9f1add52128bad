"""Labels to files and back: CSV, JSON lines, and the shapes of Label Studio and Argilla.

Shapes: Label Studio's JSON export (``annotations`` with ``choices``), Argilla 2's records (``fields``, ``suggestions``,
``responses``). What cannot be read is said with its place, and the rest goes on.
"""

from __future__ import annotations

import csv
import io
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from groundswell.index.codec import to_json
from groundswell.index.ids import stable_id
from groundswell.index.records import Document, Label
from groundswell.index.tables import harmless
from groundswell.nlp.trust.truth import NONE, RISKS

Shape = Literal["csv", "jsonl", "label-studio", "argilla"]
COLUMNS = ("document", "field", "value", "annotator", "at", "round", "team", "note", "text")

CARRIED = (
    "team", "note", "lang", "market", "predicted", "made_by", "queue", "sample", "stratum", "expected",
)  # fmt: skip
"""Fields of a label that travel as they are."""


@dataclass(frozen=True, slots=True)
class Read:
    """What a file holds: labels, and where and why others could not be read."""

    labels: tuple[Label, ...]
    refused: tuple[str, ...]


def written(labels: Sequence[Label], documents: Mapping[str, Document], shape: Shape) -> str:
    """Return labels with the texts they are about, in a shape."""
    if shape == "csv":
        return _csv(labels, documents)
    if shape == "jsonl":
        lines = (
            json.dumps(to_json(one) | {"text": _text(documents, one.subject)}, ensure_ascii=False) for one in labels
        )
        return "".join(f"{line}\n" for line in lines)
    by_document: dict[str, list[Label]] = defaultdict(list)
    for label in labels:
        by_document[label.subject].append(label)
    make = _label_studio if shape == "label-studio" else _argilla
    return json.dumps(
        [make(one, _text(documents, one), given) for one, given in by_document.items()], ensure_ascii=False
    )


def _text(documents: Mapping[str, Document], document: str) -> str:
    found = documents.get(document)
    return f"{found.mention.title}\n{found.mention.text}".strip() if found else ""


def _csv(labels: Iterable[Label], documents: Mapping[str, Document]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for one in labels:
        row = (one.subject, one.field, one.value, one.annotator, one.at.isoformat(), one.round, one.team, one.note)
        writer.writerow([harmless(cell) for cell in (*row, _text(documents, one.subject))])
    return out.getvalue()


def _label_studio(document: str, text: str, labels: Sequence[Label]) -> dict[str, Any]:
    by_person: dict[str, list[Label]] = defaultdict(list)
    for label in labels:
        by_person[label.annotator].append(label)
    return {
        "data": {"document": document, "text": text},
        "annotations": [
            {
                "completed_by": {"email": who},
                "created_at": min(one.at for one in given).isoformat(),
                "result": [
                    {
                        "from_name": one.field,
                        "to_name": "text",
                        "type": "choices",
                        "value": {"choices": one.value.split()},
                    }
                    for one in given
                ],
            }
            for who, given in by_person.items()
        ],
    }


def _argilla(document: str, text: str, labels: Sequence[Label]) -> dict[str, Any]:
    responses: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for one in labels:
        value = one.value.split() if one.field == RISKS else one.value
        responses[one.field].append({"value": value, "user_id": one.annotator})
    predicted = {one.field: one for one in labels if one.predicted}
    return {
        "id": document,
        "fields": {"text": text},
        "metadata": {"document": document},
        "suggestions": {name: {"value": one.predicted, "agent": one.made_by} for name, one in predicted.items()},
        "responses": responses,
    }


# --- back ------------------------------------------------------------------------------------------------------------


def read(
    content: str, *, checked: Callable[[str, str], str], now: datetime, annotator: str = "", name: str = "file"
) -> Read:
    """Read labels in any of the shapes.

    Args:
        content: the file.
        checked: returns a field's value as it is kept, or raises ValueError or an error of ours with a sentence.
        now: when labels were given that do not say so.
        annotator: who gave those that name nobody.
        name: the file's name, for what is said of it.
    """
    labels, refused = [], []
    for place, row in _rows(content):
        try:
            labels += [_label(one, checked, now, annotator) for one in row()]
        except Exception as error:  # noqa: BLE001  a hostile line must not stop the others; it is said
            refused.append(f"{name}:{place}: {' '.join(str(error).split())[:300]}")
    return Read(tuple(labels), tuple(refused))


Row = Callable[[], list[dict[str, Any]]]


def _rows(content: str) -> Iterator[tuple[str, Row]]:
    """Yield the place of each row and how it is taken apart."""
    head = content.lstrip("\ufeff \n")
    if head.startswith("["):
        try:
            items = json.loads(head)
        except ValueError as error:
            broken = str(error)
            yield "1", lambda: _raised(f"this is no JSON: {broken}")
            return
        for number, item in enumerate(items, 1):
            yield f"item {number}", lambda item=item: _taken(item)  # type: ignore[misc]
    elif head.startswith("{"):
        for number, line in enumerate(content.splitlines(), 1):
            if line.strip():
                yield str(number), lambda line=line: _taken(json.loads(line))  # type: ignore[misc]
    else:
        reader = csv.DictReader(io.StringIO(content.lstrip("\ufeff")))
        for row in reader:
            yield str(reader.line_num), lambda row=row: [_unmarked(row)]  # type: ignore[misc]


def _raised(severity: str) -> list[dict[str, Any]]:
    raise ValueError(severity)


def _unmarked(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row of CSV without the quote that keeps a spreadsheet from computing a cell."""
    return {key: value[1:] if isinstance(value, str) and value[:1] == "'" else value for key, value in row.items()}


def _taken(item: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the labels of an item of JSON, whichever shape it has."""
    if "annotations" in item:
        return _from_label_studio(item)
    if "responses" in item:
        return _from_argilla(item)
    return [dict(item)]


def _from_label_studio(item: Mapping[str, Any]) -> list[dict[str, Any]]:
    document = item["data"].get("document") or _raised("data.document is missing: which document is it about?")
    found = []
    for annotation in item["annotations"]:
        who = annotation.get("completed_by")
        name = who.get("email") if isinstance(who, Mapping) else who
        for result in annotation.get("result", ()):
            choices = result["value"].get("choices")
            if choices is not None:
                row = {
                    "document": document,
                    "field": result["from_name"],
                    "value": " ".join(choices),
                    "annotator": name,
                }
                found.append(row | {"at": annotation.get("created_at")})
    return found


def _from_argilla(item: Mapping[str, Any]) -> list[dict[str, Any]]:
    document = item.get("metadata", {}).get("document") or item.get("id")
    return [
        {
            "document": document,
            "field": field,
            "value": " ".join(one["value"]) if isinstance(one["value"], list) else one["value"],
            "annotator": one.get("user_id"),
        }
        for field, given in item["responses"].items()
        for one in given
    ]


def _label(row: Mapping[str, Any], checked: Callable[[str, str], str], now: datetime, annotator: str) -> Label:
    document = row.get("document") or row.get("subject")
    if not document:
        raise ValueError("it names no document")
    field, who = str(row.get("field") or ""), str(row.get("annotator") or annotator).strip()[:80]
    if not who:
        raise ValueError("it names nobody who said so: give an annotator")
    value = checked(field, str(row.get("value") if row.get("value") is not None else NONE))
    given = datetime.fromisoformat(str(row["at"]).replace("Z", "+00:00")) if row.get("at") else now
    at = given if given.tzinfo else given.replace(tzinfo=now.tzinfo)
    round_ = int(row.get("round") or 1)
    text: dict[str, Any] = {name: str(row.get(name) or "") for name in CARRIED}
    own = str(row.get("id") or stable_id("import", str(document), field, who, str(round_)))
    return Label(
        id=own, subject=str(document), field=field, value=value, annotator=who, at=at, round=round_, **text
    )  # fmt: skip
