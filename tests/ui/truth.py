"""Whether what is said is so: sentences recounted from their documents, links followed and what they find counted."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from urllib.parse import parse_qsl, urlsplit

from groundswell.index.open import OpenReader as Store
from groundswell.index.query import Field, Query
from groundswell.index.records import Document, Signal
from groundswell.index.store import Reader
from groundswell.ui.report.asked import asked
from groundswell.ui.report.inbox import DAY, Entry, how_it_goes
from groundswell.ui.report.today import Today, lead
from groundswell.ui.report.wording import MARKETS, spelled

COUNT = re.compile(r"(?<![\w.−+-])(\d[\d,]*)(?![\d.]*\d|\w| ?%|\N{NO-BREAK SPACE}%)")


class _Links(HTMLParser):
    """Collects the links of a page with the number that each shows or tells."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, int]] = []
        self._href, self._title, self._text, self._bold = "", "", "", ""
        self._in_bold = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            values = dict(attrs)
            self._href, self._title = values.get("href") or "", values.get("title") or ""
            self._text = self._bold = ""
        self._in_bold = tag == "b"
        if tag == "code":  # an example of a search, no number
            self._href = ""

    def handle_data(self, data: str) -> None:
        self._text += data
        self._bold += data if self._in_bold else ""

    def handle_endtag(self, tag: str) -> None:
        self._in_bold = False
        if tag == "a" and self._href:
            number = _number(self._title, self._bold or self._text)
            if number is not None and "search?" in self._href:
                self.found.append((self._href, number))
            self._href = ""


def _number(title: str, text: str) -> int | None:
    """Return the number of documents that a link tells: in its title, else the first in its text."""
    told = re.search(r"([\d,]+) (?:document|text)", title)
    shown = told or COUNT.search(text)
    return int(shown[1].replace(",", "")) if shown else None


def numbers_with_links(html: str) -> list[tuple[str, int]]:
    """Return the address of each search that a number leads to, and the number."""
    parser = _Links()
    parser.feed(html)
    return parser.found


def false_links(reader: Reader, html: str, now: datetime) -> Iterator[str]:
    """Yield every number whose search finds another."""
    for address, number in numbers_with_links(html):
        query = asked(dict(parse_qsl(urlsplit(address).query))).query(reader, now=now)
        found = reader.search(replace(query, limit=1)).total
        if found != number:
            yield f"{number} leads to {found}: {address}"


def false_sentences(reader: Reader, signals: Sequence[Signal]) -> Iterator[str]:
    """Yield every sentence about a signal with a number or a word that its documents deny."""
    for signal in signals:
        documents = reader.many(Document, signal.evidence)
        for fault in _faults(signal, documents):
            yield f"{fault}: {signal.why}"


def _faults(signal: Signal, documents: Sequence[Document]) -> Iterator[str]:
    why, whole = signal.why, len(documents)
    if re.search(r"\bmost\b|\bnormal\b|\beverything\b", why):
        yield "stronger than a count"
    if (told := re.search(r"(?:^|, | )(\d+) documents?\b", why)) and int(told[1]) != whole:
        yield f"{whole} documents"
    yield from _authors(why, documents)
    yield from _markets(why, documents)
    yield from _risk(signal, documents)
    told = re.search(r"([\d.]+) times the usual", why)
    if told and f"{signal.observed / signal.expected:.1f}" != told[1]:
        yield f"{signal.observed / signal.expected:.2f} times"
    usual = re.search(r"where about ([\d.]+) would", why)
    if usual and abs(float(usual[1]) - signal.expected) > 0.005 * signal.expected + 1e-9:
        yield f"{signal.expected} usual"
    counted = re.search(r"(\d+) documents?\b", why)
    if (
        told
        and usual
        and counted
        and abs(int(counted[1]) / float(usual[1]) - float(told[1])) > 0.01 * float(told[1]) + 0.05
    ):
        yield f"{counted[1]} / {usual[1]} are not {told[1]}"


def _authors(why: str, documents: Sequence[Document]) -> Iterator[str]:
    keys = [d.mention.author_key for d in documents if d.mention.author_key]
    if told := re.search(r" by (at least )?(one author|(\d+) authors)", why):
        count = int(told[3] or 1)
        if count != len(set(keys)) or (told[1] is None) != (len(keys) == len(documents)):
            yield f"{len(set(keys))} authors, {len(keys)} documents name one"


def _markets(why: str, documents: Sequence[Document]) -> Iterator[str]:
    counts = Counter(d.mention.market for d in documents)
    if told := re.search(r"; by market: ([^;.]+)", why):
        said = {name: int(count) for name, count in re.findall(r"([A-Z]{2}) (\d+)", told[1])}
        rest = re.search(r"(\d+) more markets (\d+)", told[1])
        silent = re.search(r"not named (\d+)", told[1])
        if any(counts[name] != count for name, count in said.items()):
            yield f"markets {dict(counts)}"
        if sum(said.values()) + int(rest[2] if rest else 0) + int(silent[1] if silent else 0) != len(documents):
            yield f"a market left out of {dict(counts)}"
    elif (told := re.search(r" in ([A-Z]{2})[,.;]", why)) and counts[told[1]] != len(documents):
        yield f"not all in {told[1]}"


def _risk(signal: Signal, documents: Sequence[Document]) -> Iterator[str]:
    told = re.search(r"(\d+|none) of (\d+) labelled ([a-z ]+?)(?:, together they point to it)? \(mean", signal.why)
    if bool(told) != bool(signal.risk):
        yield f"risk {signal.risk}"
    if told:
        carry = sum((d.enriched.risks.get(signal.risk, 0) if d.enriched else 0) >= 0.5 for d in documents)
        if (int(told[1]) if told[1] != "none" else 0, int(told[2])) != (carry, len(documents)):
            yield f"{carry} of {len(documents)} carry {signal.risk}"


# --- how it goes, and the sentence on top ----------------------------------------------------------------------------


def false_goes(reader: Store, entries: Sequence[Entry], now: datetime) -> Iterator[str]:
    """Yield every sentence on how an alert goes whose counts its documents, gone through one by one, deny."""
    for entry in entries:
        episode, said = entry.episode, how_it_goes(entry, "UTC")
        where: Mapping[Field, tuple[str, ...]] = (
            {"theme": (episode.theme,)} if episode.theme else {"id": episode.evidence}
        )
        begun = episode.alert.start if episode.theme else datetime.min.replace(tzinfo=UTC)
        times = [at for d in reader.scan(Query(where=where)) if (at := _dated(d)) is not None and at < now]
        days = [sum(max(begun, now - (k + 1) * DAY) <= at < now - k * DAY for at in times) for k in (0, 1)]
        own = sum(at >= begun for at in times)
        told = [int(number.replace(",", "")) for number in COUNT.findall(said.replace("24 h", "").replace("48 h", ""))]
        expected = days if entry.phase != "over" else [sum(days)]
        if "seen no more since" in said:
            latest = max(times).strftime("%Y, %H:%M")
            if any(days) or not said.endswith(latest):
                yield f"{days}, last {latest}: {said}"
        elif told[: len(expected)] != expected:
            yield f"{expected}: {said}"
        if entry.documents != own:
            yield f"{own} documents, not {entry.documents}: {entry.title}"


def _dated(document: Document) -> datetime | None:
    mention = document.mention
    return mention.published_at if mention.date_confidence != "none" else None


def false_lead(reader: Store, today: Today) -> Iterator[str]:
    """Yield what the sentence on top says otherwise than the inbox and the documents of its alert do."""
    first, rest = lead(today)
    waiting = today.inbox.having("waiting")
    if first.split()[0] != spelled(len(waiting)):
        yield f"{len(waiting)} wait: {first}"
    card = next((card for card in today.cards if card.entry.standing.status == "waiting"), None)
    if card is not None:
        where: Mapping[Field, tuple[str, ...]] = (
            {"theme": (card.episode.theme,)} if card.episode.theme else {"id": card.episode.evidence}
        )
        begun = card.episode.alert.start if card.episode.theme else datetime.min.replace(tzinfo=UTC)
        own = [d for d in reader.scan(Query(where=where)) if (at := _dated(d)) is not None and begun <= at < today.now]
        told = rest.replace("e.g. ", "e.g., ").partition(". ")[0]
        places = Counter(MARKETS.get(d.mention.market, d.mention.market) for d in own)
        if f"{len(own)} document" not in told:
            yield f"{len(own)} documents: {told}"
        for count, place in re.findall(r"(\d+) in ([A-Z][a-z]+)", told):
            if places[place] != int(count):
                yield f"{places}: {told}"
    over = sum(entry.phase == "over" for entry in waiting)
    if over and len(waiting) > 1 and f"{spelled(over)} of them" not in rest:
        yield f"{over} over: {rest}"
