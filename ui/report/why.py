"""Why a document is among what a search found: each condition of the search, and what of the document fulfils it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC

from groundswell.index.query import AllOf, AnyOf, Expression, Field, Hit, Is, Not, Phrase, Query, Word
from groundswell.index.records import Document
from groundswell.index.spelling import normalise
from groundswell.nlp.text import keywords
from groundswell.nlp.text.clean import clean_one
from groundswell.ui.report import wording
from groundswell.ui.report.asked import Asked
from groundswell.ui.report.tongue import tr

FOUND_ABOUT = 24
"""Letters told on each side of a word that was found."""
_UNSPACED = re.compile(f"[{keywords.HAN}{keywords.THAI}{keywords.PAIRS}]")


def why_here(query: Query, hit: Hit, this: Asked) -> tuple[str, ...]:
    """Return the reasons for which a hit is there, one a condition; of the newest of everything there are none."""
    document = hit.document
    reasons = [
        *_of_fields(query, document),
        *_of(query.match, document),
        *_of_time(query, document),
        *([tr("it is of the evidence that was asked for")] if this.of else []),
        *_of_meaning(query, document),
    ]
    if not reasons:
        return ()
    if hit.copies > 1 and query.collapse:
        reasons.append(tr("it stands for {count} copies of one text").format(count=wording.number(hit.copies)))
    return tuple(dict.fromkeys(reasons))


def _of_fields(query: Query, document: Document) -> Iterator[str]:
    """Yield what the fields asked for are in a document."""
    for field, values in query.where.items():
        if field != "id":
            yield from (_has(field, value, document) for value in values if value in values_of(document, field))
    for field, values in query.without.items():
        yield tr("{field} is not {value}").format(field=field, value=", ".join(values))


def _has(field: Field, value: str, document: Document) -> str:
    """Return that a document has a value, and how sure that is."""
    enriched, membership = document.enriched, document.membership
    if not value:
        return tr("no {field} is known of it").format(field=field)
    if field == "risk" and enriched:
        said = tr("the model gives {risk} a probability of {chance}; from 0.50 on it counts")
        return said.format(risk=wording.risk(value), chance=f"{enriched.risks.get(value, 0.0):.2f}")
    if field == "sentiment" and enriched:
        said = tr("the model reads it as {feeling} (mood {mood})")
        return said.format(feeling=value, mood=wording.mood(enriched.sentiment.mood))
    if field == "theme" and membership:
        return tr("it was placed in this theme with a confidence of {chance}").format(
            chance=f"{membership.confidence:.2f}"
        )
    if field == "lang" and enriched:
        return tr("its language is {value} ({chance})").format(value=value, chance=f"{enriched.lang_confidence:.2f}")
    return tr("{field} is {value}").format(field=field, value=wording.risk(value) if field == "target" else value)


def values_of(document: Document, field: Field) -> tuple[str, ...]:
    """Return the values of a field of a document as a search sees them; ``""`` where it has none."""
    mention, enriched, membership = document.mention, document.enriched, document.membership
    read: dict[Field, Iterable[str]] = {
        "id": (mention.id,), "source": (mention.source,), "kind": (mention.kind,), "market": (mention.market,),
        "author": (mention.author_key,), "thread": (mention.thread,), "date_confidence": (mention.date_confidence,),
        "theme": (membership.theme,) if membership else (),
        "lang": (enriched.lang if enriched else mention.lang,),
    }  # fmt: skip
    if enriched:
        read |= {
            "sentiment": (enriched.sentiment.label,),
            "risk": (risk for risk, chance in enriched.risks.items() if chance >= 0.5),
            "target": (target.who for target in enriched.targets),
            "rule": enriched.rules,
            "duplicate": (enriched.duplicate_of or mention.id,),
        }
    return tuple(value for value in read.get(field, ()) if value) or ("",)


def _of(match: Expression | None, document: Document) -> Iterator[str]:
    """Yield which words of a search stand in a document, and beside what; of several offered those that do."""
    match match:
        case Word(text) | Phrase(text):
            yield from _standing(text, document)
        case Is(field, value) if value in values_of(document, field):
            yield _has(field, value, document)
        case AllOf(items) | AnyOf(items):
            for item in items:
                yield from _of(item, document)
        case Not(Word(text) | Phrase(text)):
            yield tr("it does not say “{word}”").format(word=text)
        case Not(Is(field, value)):
            yield tr("{field} is not {value}").format(field=field, value=value)


def _standing(text: str, document: Document) -> Iterator[str]:
    """Yield where words stand: whole ones, beginnings with a star, and anywhere in scripts without spaces."""
    wanted = normalise(text).casefold().rstrip("*")
    spaced = wanted and not _UNSPACED.search(wanted)
    pattern = (r"(?<![^\W_])" if spaced else "") + r"\W+".join(map(re.escape, wanted.split()))
    pattern += r"(?![^\W_])" if spaced and not text.endswith("*") else ""
    for place, given in ((tr("title"), document.mention.title), (tr("text"), document.mention.text)):
        read = normalise(clean_one(given))
        found = re.search(pattern, read, re.IGNORECASE) if wanted else None
        if found:
            begin, end = max(0, found.start() - FOUND_ABOUT), found.end() + FOUND_ABOUT
            about = ("…" if begin else "") + read[begin:end].strip() + ("…" if end < len(read) else "")
            yield tr("“{word}” stands in its {place}: {about}").format(word=text, place=place, about=about)


def _of_time(query: Query, document: Document) -> Iterator[str]:
    at = document.mention.published_at
    if at is not None and (query.since or query.until):
        yield tr("published {time} UTC, within the time asked for").format(time=f"{at.astimezone(UTC):%Y-%m-%d %H:%M}")


def _of_meaning(query: Query, document: Document) -> Iterator[str]:
    """Yield that a document is near in meaning, where this was asked and none of the words stand in it."""
    if query.vector is not None and not list(_of(query.match, document)):
        yield tr("it says none of the words; its meaning is near them, as the model reads it")
