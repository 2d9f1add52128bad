"""Two periods side by side: what there is more of, what less, and whether chance alone would do that.

Counts of unequal periods are compared by their rates: given n documents in both together, as many of them fall into the
later one as a binomial with its share of the time would have (Przyborowski & Wilenski 1940). Many rows are tested at
once, so that a row counts as more than chance by Benjamini & Hochberg (1995): at most one in twenty of those marked is
expected to be chance.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from math import sqrt

from groundswell.index.query import AllOf, Bucket, By, Field, Phrase, Query, Word
from groundswell.index.records import Document
from groundswell.index.store import Reader
from groundswell.nlp.signals.alerts.explanation import distinguishing
from groundswell.nlp.text import keywords
from groundswell.nlp.text.document_text import document_text
from groundswell.ui.report import links
from groundswell.ui.report.series import mean_mood

DAY = timedelta(days=1)
FIELDS: tuple[Field, ...] = ("theme", "risk", "source", "market", "lang", "sentiment", "target", "kind")
FALSE_SHARE = 0.05
"""Share of chance among the rows that are marked."""
LONGEST_TEXT, MOST_TEXTS, WORDS = 2000, 400, 10
"""Characters of a text and texts of a period whose words are compared, and words that are told."""


@dataclass(frozen=True, slots=True)
class Period:
    """A stretch of time, from `since` up to but without `until`."""

    since: datetime
    until: datetime

    @property
    def days(self) -> float:
        """Return its length in days."""
        return (self.until - self.since) / DAY

    def terms(self) -> dict[str, str]:
        """Return it as terms of a search."""
        return links.window(self.since, self.until)

    def written(self) -> str:
        """Return it as an address writes it: whole days by their dates, the last one included."""
        if all(at == _midnight(at) for at in (self.since, self.until)):
            return f"{links.day(self.since)}..{links.day(self.until - DAY)}"
        return f"{links.instant(self.since)}..{links.instant(self.until)}"

    def before(self) -> Period:
        """Return the period of the same length that ends where this one begins."""
        return Period(self.since - (self.until - self.since), self.since)


@dataclass(frozen=True, slots=True)
class Row:
    """Documents that have a value (of the field ``""``: all; of ``word``: that say it), earlier and later.

    `beyond` is whether the rates differ by more than chance would; `moods` are the mean moods where they were measured.
    """

    field: str
    value: str
    earlier: int
    later: int
    beyond: bool = False
    moods: tuple[float | None, float | None] = (None, None)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two periods of one search; `rows` of each field, those that differ most clearly first."""

    earlier: Period
    later: Period
    whole: Row
    rows: Mapping[Field, tuple[Row, ...]]
    words: tuple[Row, ...]

    def rate(self, row: Row) -> tuple[float, float]:
        """Return documents a day, earlier and later."""
        return row.earlier / self.earlier.days, row.later / self.later.days


def period_of(text: str) -> Period | None:
    """Return the period that an address writes, or nothing where it writes none.

    >>> period_of("2026-11-01..2026-11-07").days
    7.0
    """
    begin, dots, end = text.partition("..")
    try:
        since, until = (datetime.fromisoformat(one) for one in (begin, end))
        since, until = (at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC) for at in (since, until))
        if len(end) <= len("2026-11-01"):
            until += DAY
    except (ValueError, OverflowError):
        return None
    return Period(since, until) if dots and since < until else None


def asked_periods(query: Query, given: Mapping[str, str], *, now: datetime) -> tuple[Period, Period]:
    """Return the earlier and the later period: as the address says; else the search's own time and as long before it.

    A search without a time is compared over the last seven days.
    """
    until = min(query.until or now, now)
    since = query.since if query.since and query.since < until else until - 7 * DAY
    later = period_of(given.get("later", "")) or Period(since, until)
    return period_of(given.get("earlier", "")) or later.before(), later


def compare(reader: Reader, query: Query, earlier: Period, later: Period) -> Comparison:
    """Return what two periods of a search differ in; each document counts, copies too."""
    then, now = _within(query, earlier), _within(query, later)
    share = later.days / (earlier.days + later.days)
    fields = {field: _rows(reader, field, then, now) for field in FIELDS}
    words = _words(reader, then, now)
    whole = _whole(reader.count(then, By()), reader.count(now, By()))
    every = [whole, *words, *(row for rows in fields.values() for row in rows)]
    beyond = {(row.field, row.value): sure for row, sure in zip(every, _beyond(every, share), strict=True)}

    def marked(rows: Sequence[Row]) -> tuple[Row, ...]:
        known = [replace(row, beyond=beyond[row.field, row.value]) for row in rows]
        return tuple(sorted(known, key=lambda row: (-_apart(row, share), row.value)))

    rows = {field: marked(found) for field, found in fields.items() if found}
    return Comparison(earlier, later, marked([whole])[0], rows, marked(words))


def _midnight(at: datetime) -> datetime:
    return at.replace(hour=0, minute=0, second=0, microsecond=0)


def _within(query: Query, period: Period) -> Query:
    return replace(
        query,
        since=period.since,
        until=period.until,
        collapse=False,
        vector=None,
        highlight=False,
        facets=(),
        cursor="",
    )


def _whole(then: Sequence[Bucket], now: Sequence[Bucket]) -> Row:
    counts = (sum(bucket.copies for bucket in then), sum(bucket.copies for bucket in now))
    return Row("", "", *counts, moods=(mean_mood(then), mean_mood(now)))


def _rows(reader: Reader, field: Field, then: Query, now: Query) -> list[Row]:
    """Return each value of a field with its documents in both periods."""
    by = By(fields=(field,))
    before, after = ({bucket.values[0]: bucket for bucket in reader.count(query, by)} for query in (then, now))
    return [
        Row(
            field, value, before[value].copies if value in before else 0, after[value].copies if value in after else 0,
            moods=(before[value].mood if value in before else None, after[value].mood if value in after else None),
        )
        for value in sorted({*before, *after} - {""})
    ]  # fmt: skip


def _words(reader: Reader, then: Query, now: Query) -> list[Row]:
    """Return the words that set the two periods apart, each with the documents that a search for it finds."""
    before, after = (_terms(reader, query) for query in (then, now))
    terms = dict.fromkeys([*distinguishing(after, before, WORDS), *distinguishing(before, after, WORDS)])
    return [Row("word", term, _saying(reader, then, term), _saying(reader, now, term)) for term in terms]


def _terms(reader: Reader, query: Query) -> list[Sequence[str]]:
    """Return the words and pairs of words of the newest texts, copies folded."""
    hits = reader.search(replace(query, collapse=True, limit=MOST_TEXTS, sort="newest")).hits
    return [keywords.terms(document_text(hit.document.mention)[:LONGEST_TEXT], _lang(hit.document)) for hit in hits]


def _lang(document: Document) -> str:
    return document.enriched.lang if document.enriched else document.mention.lang


def _saying(reader: Reader, query: Query, term: str) -> int:
    wanted = Phrase(term) if " " in term else Word(term)
    match = AllOf((query.match, wanted)) if query.match else wanted
    return sum(bucket.copies for bucket in reader.count(replace(query, match=match), By()))


def _beyond(rows: Sequence[Row], share: float) -> list[bool]:
    """Return which rows differ by more than chance, all of them looked at together."""
    from scipy.stats import binomtest, false_discovery_control

    tested = [
        binomtest(row.later, row.earlier + row.later, share).pvalue if row.earlier + row.later else 1.0 for row in rows
    ]
    return [bool(p <= FALSE_SHARE) for p in false_discovery_control(tested)] if tested else []


def _apart(row: Row, share: float) -> float:
    """Return by how many standard deviations a row departs from its share of the time; those beyond chance lead."""
    n = row.earlier + row.later
    deviation = max(1.0, sqrt(n * share * (1 - share)))
    return abs(row.later - n * share) / deviation + (1000.0 if row.beyond else 0.0)
