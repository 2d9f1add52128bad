"""Small records for tests: everything has a default, so that a test says only what it is about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from groundswell.index.codec import to_json
from groundswell.index.query import Page
from groundswell.index.records import (
    Case,
    Checkpoint,
    CrawlRun,
    Decision,
    Delivery,
    Enriched,
    Label,
    Lease,
    Lineage,
    Membership,
    Mention,
    Moderation,
    Note,
    Record,
    Refusal,
    Revision,
    Sample,
    SavedSearch,
    Sentiment,
    SentimentLabel,
    Signal,
    Snooze,
    Task,
    Theme,
    Vector,
)

NOON = datetime(2026, 11, 18, 12, tzinfo=UTC)
LATER = NOON + timedelta(days=1)
"""A Wednesday."""
DIMENSIONS = 8


def mention(id: str = "m1", text: str = "too many ads", *, hours: float = 0, **changes: Any) -> Mention:
    """Return a mention published so many hours after `NOON`."""
    made = Mention(
        id=id,
        source="forum",
        kind="post",
        text=text,
        fetched_at=NOON + timedelta(days=1),
        published_at=NOON + timedelta(hours=hours),
        date_confidence="exact",
    )
    return replace(made, **changes)


def undated(id: str, text: str = "too many ads", **changes: Any) -> Mention:
    """Return a mention without a date."""
    return replace(mention(id, text), published_at=None, date_confidence="none", **changes)


def feeling(label: SentimentLabel = "negative") -> Sentiment:
    """Return a sentiment with mood -.5, 0 or .5."""
    numbers = {"negative": (0.625, 0.25, 0.125), "neutral": (0.25, 0.5, 0.25), "positive": (0.125, 0.25, 0.625)}
    negative, neutral, positive = numbers.get(label, (0.375, 0.25, 0.375))
    return Sentiment(label=label, negative=negative, neutral=neutral, positive=positive)


def enriched(id: str = "m1", label: SentimentLabel = "negative", **changes: Any) -> Enriched:
    """Return what was understood of a mention."""
    return replace(Enriched(id=id, lang="en", sentiment=feeling(label), made_by="tester 1"), **changes)


def member(id: str = "m1", theme: str = "t1", **changes: Any) -> Membership:
    """Return which theme a mention belongs to."""
    return replace(Membership(id=id, theme=theme, confidence=0.5, at=NOON), **changes)


def vector(*numbers: float) -> Vector:
    """Return a unit vector of `DIMENSIONS` numbers that points towards the given ones."""
    out = np.zeros(DIMENSIONS, np.float32)
    out[: len(numbers)] = numbers
    return out / np.float32(np.linalg.norm(out))


def signal(id: str = "s1", **changes: Any) -> Signal:
    """Return a signal."""
    made = Signal(
        id=id, theme="t1", kind="surge", at=NOON, start=NOON - timedelta(days=1), end=NOON, observed=12.0,
        expected=3.5, strength=4.25, severity="high", evidence=("m1", "m2"), why="three times its usual volume",
        growth=3.4,
        terms=("refund", "退款"),
    )  # fmt: skip
    return replace(made, **changes)


def visit(id: str, source: str, at: datetime, **changes: Any) -> CrawlRun:
    """Return a visit to a source."""
    return replace(CrawlRun(id=id, source=source, started_at=at, finished_at=at + timedelta(minutes=1)), **changes)


def case(id: str = "c1", **changes: Any) -> Case:
    """Return a case."""
    made = Case(
        id=id, title="Refund scam", opened_at=NOON, signals=("s1",), owner="Mei",
        evidence=({"id": "m1", "text": "they took my money"},), history=(Note(at=NOON, by="Mei", text="opened"),),
    )  # fmt: skip
    return replace(made, **changes)


def one_of_each() -> list[Record]:
    """Return a record of every kind, mention first."""
    return [
        mention(extra={"stars": [1, 2, {"a": None}], "ok": True}, reach=12, rating=1.5, lang="en", market="SG"),
        enriched(vector=vector(1, 2), risks={"scam": 0.75, "spam": 0.25}, rules=("r1",), duplicate_of="m1"),
        member(),
        Theme(
            id="t1", label="refunds", first_seen=NOON, last_seen=NOON, keywords=("refund",), titles={"en": "Refunds"},
            centroid=vector(1, 1),
        ),
        Lineage(id="l1", theme="t1", what="born", at=NOON, others=("t0",), why="first five"),
        signal(),
        case(),
        Label(id="la1", subject="m1", field="risk", value="scam", annotator="Mei", at=NOON),
        Task(
            id="k1", subject="m1", queue="audit", at=NOON, wanted=2, given=("Mei",), sample="p1", stratum="scam",
            predicted={"risks": "scam"}, made_by="tester 1", lang="en", market="SG",
        ),
        Sample(
            id="p1", at=NOON, by="Mei", since=NOON, until=LATER, drawn={"scam": 1},
            population={"scam": {"": 4, "scam": 4, "sentiment:negative": 3}},
        ),
        Moderation(
            id="mo1", item="ad-7", decision="rejected", at=NOON, reviewer="r1", seconds=12.5, appeal="kept", market="TH"
        ),
        Snooze(id="t1", at=NOON, until=NOON + timedelta(days=7), by="Mei", reason="the vendor knows"),
        Decision(id="d1", alert="s1", what="snoozed", by="Mei", at=NOON, reason="known", until=LATER),
        CrawlRun(id="r1", source="forum", started_at=NOON, finished_at=NOON + timedelta(minutes=1), found=1, stored=1),
        Refusal(id="x1", source="forum", where="line 3", reason="no text", at=NOON, sample="<b>"),
        Checkpoint(id="feed", value={"etag": "abc"}, at=NOON),
        Revision(id="v1", mention="m1", source="forum", what="edited", at=NOON, title="Ads", text="as it was"),
        Delivery(id="y1", receiver="mei", about="s1", state="new", at=NOON, status="sent", sent_at=LATER, said="250"),
        Lease(id="host:a.example", holder="w1:/data", at=NOON, until=NOON + timedelta(minutes=1), free_at=LATER),
        SavedSearch(id="q1", name="Refunds", text="refund OR 退款", owner="Mei", at=NOON),
    ]  # fmt: skip


def old_signal() -> dict[str, Any]:
    """Return the JSON of a signal as schema 4 and before had it."""
    since = {
        "subject", "standing", "statistic", "terms", "authors", "growth", "explained", "nearest_case", "untaught",
        "tell_at", "alert_chance",
    }  # fmt: skip
    rest = {name: value for name, value in to_json(signal()).items() if name not in since}
    details = {
        "subject": "couriers", "terms": ["late", "parcel"], "authors": 5, "growth": 3.4, "explained": "",
        "tests": {"topic": 4.5, "term": 3.0}, "copies": 2, "onset": NOON.isoformat(), "first": [], "numbers": [],
        "affected": {}, "nearest_case": {"id": "c1", "title": "x"}, "strength_before_learning": 1.5,
        "tell_at": NOON.isoformat(),
    }  # fmt: skip
    return {**rest, "details": details}


def new_signal() -> Signal:
    """Return the signal that `old_signal` has become."""
    return signal(
        subject="couriers", terms=("late", "parcel"), authors=5, growth=3.4, explained="", standing=True,
        statistic=4.5, nearest_case="c1", untaught=1.5, tell_at=NOON,
    )  # fmt: skip


def old_snooze() -> dict[str, Any]:
    """Return the JSON of the checkpoint that a snooze was."""
    value = {"until": (NOON + timedelta(days=7)).isoformat(), "by": "Mei"}
    return to_json(Checkpoint(id="snooze/t1", value=value, at=NOON))


def new_snooze() -> Snooze:
    """Return the snooze that `old_snooze` has become."""
    return Snooze(id="t1", at=NOON, until=NOON + timedelta(days=7), by="Mei")


def ids(page: Page) -> list[str]:
    """Return the ids on a page."""
    return [hit.document.id for hit in page.hits]


def numbered(count: int, text: Sequence[str] = ("too many ads",), *, step: float = 1) -> list[Mention]:
    """Return mentions m000, m001 …, each so many hours after the one before, taking texts in turn."""
    return [mention(f"m{n:03}", text[n % len(text)], hours=n * step) for n in range(count)]
