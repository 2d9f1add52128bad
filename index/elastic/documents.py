"""A document as Elasticsearch holds it, and back."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import Any

import numpy as np

from groundswell.index.codec import from_json, to_json
from groundswell.index.fields import COLUMNS, UNDATED, cluster_of, columns, moment, tags
from groundswell.index.groups import state_of, subject_of
from groundswell.index.records import Document, Enriched, Membership, Mention, Record, Vector
from groundswell.index.refusals import OWN_TIME
from groundswell.index.segment import for_index

FLAGS = ("enriched", "membership")


def to_source(document: Document) -> dict[str, Any]:
    """Return what is indexed: fields to filter and count by, words, the vector, and the records themselves."""
    fields = dict(zip(COLUMNS, columns(document), strict=True))
    vector = document.enriched.vector if document.enriched else None
    source = {
        **{name: value for name, value in fields.items() if name != "vector"},
        **{name: bool(fields[name]) for name in FLAGS},
        **_tags(document),
        "has_vector": vector is not None,
        "cluster": cluster_of(str(fields["duplicate"])),
        "url": document.mention.canonical_url or document.mention.url,
        "title_words": for_index(document.mention.title),
        "text_words": for_index(document.mention.text),
        "body": body(document),
    }
    if fields["at"] != UNDATED:
        source["published"] = int(str(fields["at"])) // 1000
    if document.enriched:
        source["targets"] = [{"who": each.who, "label": each.label} for each in document.enriched.targets]
        source["risks"] = {risk: f"{probability:.4f}" for risk, probability in document.enriched.risks.items()}
    if vector is not None and vector.any():  # a vector of zeros has no direction, and cosine refuses it
        source["vector"] = direction(vector)
    return source


def record_source(record: Record) -> dict[str, Any]:
    """Return a record that is no document as it is indexed: its own time, little else to find it by, and all of it."""
    at = getattr(record, OWN_TIME[type(record)])
    return {
        "id": record.id,
        "at": moment(at),
        "state": state_of(record),
        "theme": subject_of(record),  # of a visit its source: the field is older than the name
        "body": to_json(record),
    }


def direction(vector: Vector) -> list[float]:
    """Return a vector at length 1 as short numbers: the direction is all that counts, and long ones cost time."""
    numbers: list[float] = np.round(vector / np.linalg.norm(vector.astype(np.float64)), 6).tolist()
    return numbers


def body(document: Document) -> dict[str, Any]:
    """Return the records as JSON, each under its name."""
    parts = {"mention": document.mention, "enriched": document.enriched, "membership": document.membership}
    return {name: to_json(part) for name, part in parts.items() if part is not None}


def from_source(source: dict[str, Any], *, vectors: bool) -> Document:
    """Return the document."""
    found = source["body"]
    enriched = from_json(Enriched, found["enriched"]) if "enriched" in found else None
    if enriched is not None and not vectors:
        enriched = replace(enriched, vector=None)
    return Document(
        mention=from_json(Mention, found["mention"]),
        enriched=enriched,
        membership=from_json(Membership, found["membership"]) if "membership" in found else None,
    )


def _tags(document: Document) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for field, value in tags(document):
        found[field].append(value)
    return found
