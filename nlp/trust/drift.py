"""What has moved: languages, sources, risks, feelings and words of the last days beside those before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from statistics import median

from groundswell.index.query import By, Field, Query
from groundswell.index.records import Document
from groundswell.index.store import Reader
from groundswell.nlp.text.keywords import words
from groundswell.nlp.trust.sampling import divergence

LATELY, BEFORE = timedelta(days=7), timedelta(days=28)
FIELDS: dict[str, Field] = {"input: languages": "lang", "input: sources": "source", "scores: risks": "risk",
                            "scores: feelings": "sentiment"}  # fmt: skip
TEXTS = 400
"""Texts whose words are compared, from each side."""
MAD = 1.4826
"""Makes a median absolute deviation the standard deviation of what is normally distributed."""
ODD = 4.0
"""Robust standard deviations from which a day is called abnormal."""
NOTABLE = 0.1
"""Bits from which a move is worth a look: a class that goes from a third of all to two thirds moves by .08."""


@dataclass(frozen=True, slots=True)
class Move:
    """How far something has moved: Jensen-Shannon divergence in bits (0 alike, 1 nothing in common), and by what."""

    what: str
    bits: float
    most: tuple[str, ...]

    @property
    def is_notable(self) -> bool:
        """Return whether it is worth a look."""
        return self.bits >= NOTABLE


def moves(reader: Reader, *, now: datetime, lately: timedelta = LATELY) -> list[Move]:
    """Return how far each has moved in the last seven days, or another time, against the four weeks before."""
    since, begin = now - lately, now - lately - BEFORE
    found = [
        _move(what, _counts(reader, field, begin, since), _counts(reader, field, since, now))
        for what, field in FIELDS.items()
    ]
    return [*found, _move("vocabulary", _words(reader, begin, since), _words(reader, since, now))]


def _counts(reader: Reader, field: Field, since: datetime, until: datetime) -> Counter[str]:
    buckets = reader.count(Query(since=since, until=until, trusted_dates=True), By(fields=(field,)))
    return Counter({bucket.values[0]: bucket.count for bucket in buckets})


def _words(reader: Reader, since: datetime, until: datetime) -> Counter[str]:
    page = reader.search(Query(since=since, until=until, trusted_dates=True, collapse=True, limit=TEXTS))
    return Counter(word for hit in page.hits for word in _said(hit.document))


def _said(document: Document) -> Sequence[str]:
    lang = document.enriched.lang if document.enriched else document.mention.lang
    return sorted(set(words(f"{document.mention.title} {document.mention.text}"[:2000], lang)))


def _move(what: str, before: Counter[str], after: Counter[str]) -> Move:
    if not before or not after:
        return Move(what, 0.0, ())
    one, other = before.total(), after.total()
    change = {name: after[name] / other - before[name] / one for name in {*before, *after}}
    most = sorted(change, key=lambda name: (-abs(change[name]), name))[:5]
    changes = tuple(f"{name or 'none'} {change[name]:+.1%}" for name in most if change[name])
    return Move(what, divergence(before, after), changes)


@dataclass(frozen=True, slots=True)
class Day:
    """A day beside the four weeks before it.

    Attributes:
        documents: how many; `usual` the median of the days before.
        odd: how many robust standard deviations it lies from that (Iglewicz and Hoaglin 1993), by the median absolute
            deviation, at least that of chance (the root of the median).
        negative: share of negative feelings; `usual_negative` that of all days before together.
    """

    day: date
    documents: int
    usual: float
    odd: float
    negative: float | None
    usual_negative: float | None

    @property
    def is_abnormal(self) -> bool:
        """Return whether it is worth to be looked into."""
        return abs(self.odd) >= ODD or abs(self.feels_other) >= ODD

    @property
    def feels_other(self) -> float:
        """Return how many standard errors its share of negative feelings lies from the usual."""
        if self.negative is None or self.usual_negative is None or not 0 < self.usual_negative < 1:
            return 0.0
        error = (self.usual_negative * (1 - self.usual_negative) / max(1, self.documents)) ** 0.5
        return float((self.negative - self.usual_negative) / error)


def days(reader: Reader, *, now: datetime) -> list[Day]:
    """Return the last four weeks, day by day, newest first; today, which is not over, is left out."""
    until = datetime.combine(now.astimezone(UTC).date(), time(), UTC)
    query = Query(since=until - 2 * BEFORE, until=until, trusted_dates=True)
    counts: dict[date, Counter[str]] = {}
    for bucket in reader.count(query, By(fields=("sentiment",), period="day")):
        if bucket.start is not None:
            counts.setdefault(bucket.start.date(), Counter())[bucket.values[0]] += bucket.count
    last = until.date()
    return [_day(counts, last - timedelta(days=n)) for n in range(1, BEFORE.days + 1)]


def _day(counts: Mapping[date, Counter[str]], day: date) -> Day:
    before = [counts.get(day - timedelta(days=n), Counter[str]()) for n in range(1, BEFORE.days + 1)]
    own, totals = counts.get(day, Counter[str]()), [one.total() for one in before]
    usual = float(median(totals))
    spread = max(MAD * median(abs(one - usual) for one in totals), usual**0.5, 1.0)
    felt = sum(totals)
    return Day(
        day=day,
        documents=own.total(),
        usual=usual,
        odd=(own.total() - usual) / spread,
        negative=own["negative"] / own.total() if own.total() else None,
        usual_negative=sum(one["negative"] for one in before) / felt if felt else None,
    )


def day_moves(reader: Reader, day: date) -> list[Move]:
    """Return what moved on a day against the four weeks before it: input, scores and vocabulary."""
    end = datetime.combine(day, time(), UTC) + timedelta(days=1)
    return moves(reader, now=end, lately=timedelta(days=1))
