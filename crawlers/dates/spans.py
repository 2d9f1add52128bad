"""Where in a short line of a page a date stands: "By Mei Tan | Nov 29, 2026, 10:30 AM" holds one among other things."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime

from groundswell.crawlers.dates.grammar import understand
from groundswell.crawlers.dates.locale import DateLocale
from groundswell.crawlers.dates.relative import ago
from groundswell.crawlers.dates.tokens import scan
from groundswell.crawlers.dates.words import normalise

SEAM = re.compile(
    r"\s*(?:\n|\||•|·|—|–|\s-{1,2}\s|/\s|\s/|(?:来源|來源|source|sumber|nguồn|ที่มา)\s?[:：])\s*|\s{2,}", re.IGNORECASE
)
MOST_PIECES = 8
LAST = date(2200, 1, 1)


def date_spans(line: str) -> Iterator[tuple[str, str]]:
    """Yield the longest parts of a line, between separators, that are a date and nothing else, and as they stand there.

    Words before a date (a name, a place) are dropped; what follows it is not, for it may be its zone.
    """
    pieces = [piece for piece in SEAM.split(line) if piece][:MOST_PIECES]
    spans = [(i, j) for i in range(len(pieces)) for j in range(i + 1, len(pieces) + 1)]
    taken: set[int] = set()
    for i, j in sorted(spans, key=lambda span: span[0] - span[1]):
        stands = " ".join(pieces[i:j])
        text = _without_words_before(stands)
        if not taken & set(range(i, j)) and _is_date(text):
            taken |= set(range(i, j))
            yield text, stands


def _is_date(text: str) -> bool:
    if not any(letter.isdigit() for letter in text):
        return False
    if ago(text) is not None:
        return True
    stated = understand(scan(text), DateLocale(order="dmy"), today=datetime.now(UTC).date())
    return stated.day is not None and not stated.doubt and not stated.yearless


def _without_words_before(text: str) -> str:
    text = normalise(text)[:200]
    tokens = scan(text)
    first = next((k for k, token in enumerate(tokens) if token.kind in "dytMWn68ceJA"), len(tokens))
    return "".join((" " if token.gap else "") + token.text for token in tokens[first:]).strip()
