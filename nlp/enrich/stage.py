"""From `Mention` to meaning: clean ▸ language ▸ copies ▸ encode once ▸ heads ▸ rules, in batches, into the store.

Killed at any instant and run again, it goes on where the store ends. A document that cannot be read is set aside with
its reason (`Refusal`) and the rest of its batch goes on.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from groundswell.configs.taxonomy import load_taxonomy
from groundswell.configs.watch import read_watch
from groundswell.index.batches import batched
from groundswell.index.cluster import ClusterError
from groundswell.index.ids import stable_id
from groundswell.index.progress import Progress
from groundswell.index.query import Query
from groundswell.index.records import (
    SENTIMENTS,
    Document,
    Enriched,
    Mention,
    Record,
    Refusal,
    Sentiment,
    Stance,
    Target,
)
from groundswell.index.store import Store, StoreError
from groundswell.nlp.enrich.names import IMPERSONATION, Names
from groundswell.nlp.enrich.rules import SHADOW, Rules, read_rules
from groundswell.nlp.model.bundle import ModelError
from groundswell.nlp.text.clean import MAX_CHARS, clean_one, joined
from groundswell.nlp.text.document_text import document_texts
from groundswell.nlp.text.duplicates import Duplicates, Told
from groundswell.nlp.text.language import UNKNOWN, Language, detect

if TYPE_CHECKING:
    from groundswell.configs.schema import Settings

T = TypeVar("T")
R = TypeVar("R")

BATCH = 512
"""Documents read, judged and written at a time: what is lost when the process is killed."""
SLACK = timedelta(days=1)
"""How much older than the batch before a batch may be, without everything that it may repeat being read again."""
KEPT_RISK = 0.02
"""Probabilities below this are not stored: fifteen zeros a document say nothing."""
NOBODY = Names([])
SPOKEN_OF = 0.5
"""Probability from which a text speaks of a risk, so that its stance is kept."""
LONGEST_BLANK = 8
"""Characters by which a text that was cut may be shorter than all that is kept: it does not end in a blank."""
NOT_THE_TEXT = 8
"""When a whole batch of at least so many fails, the fault is not in the texts, and the run stops with the error."""


class Reading(Protocol):
    """What a model gives back: see `groundswell.nlp.model.Reading`."""

    @property
    def vectors(self) -> NDArray[np.float32]:
        """Return embeddings, ``(n, dimensions)``, unit length."""

    @property
    def sentiment(self) -> NDArray[np.float32]:
        """Return probabilities of negative, neutral, positive: ``(n, 3)``."""

    @property
    def risks(self) -> NDArray[np.float32]:
        """Return a probability for each risk: ``(n, risks)``."""

    @property
    def targets(self) -> Sequence[Sequence[Target]]:
        """Return whom each text is about."""

    @property
    def spoken(self) -> NDArray[np.float32]:
        """Return a probability for each risk that the text speaks of it, claimed or not: ``(n, risks)``."""

    @property
    def stances(self) -> Sequence[Stance]:
        """Return how each text stands to what it speaks of."""

    @property
    def unread(self) -> Sequence[int]:
        """Return how many characters of each text were not read."""


class Model(Protocol):
    """What `enrich` asks of a model."""

    risk_ids: tuple[str, ...]
    made_by: str

    def read(self, texts: Sequence[str]) -> Reading:
        """Return all that is known of the texts, in their order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InputText:
    """What of a document is read."""

    id: str
    text: str
    title: str = ""
    lang: str = ""
    market: str = ""


@dataclass(slots=True)
class EnrichReport:
    """What became of the documents: pending = enriched + refused + set_aside (refused in an earlier run)."""

    pending: int = 0
    enriched: int = 0
    refused: int = 0
    set_aside: int = 0
    copies: int = 0
    unsure: int = 0
    languages: Counter[str] = field(default_factory=Counter)
    risks: Counter[str] = field(default_factory=Counter)
    rules: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        """Return the counts as a sentence."""
        if not self.pending:
            return "nothing new to read"
        aside = f" + {self.set_aside:,} set aside before" if self.set_aside else ""
        languages = ", ".join(f"{code} {count:,}" for code, count in self.languages.most_common(6))
        share = 100 * self.unsure / max(self.enriched, 1)
        return (
            f"{self.pending:,} read = {self.enriched:,} enriched + {self.refused:,} refused{aside}; "
            f"{self.copies:,} copies; {share:.0f} % unsure; {languages}"
        )


def enrich(
    store: Store,
    model: Model,
    settings: Settings,
    *,
    now: datetime,
    progress: Progress | None = None,
    rules: Rules | None = None,
    ahead: int = 0,
    window: CopyWindow | None = None,
) -> EnrichReport:
    """Read every document that has not been read by this model, oldest first, and put what was understood.

    A document read by another model is read anew; which text it repeats stays as it was. With `ahead`, so many batches
    more are being read elsewhere while one is stored: the same batches, so that the same is stored. Whoever comes again
    and again gives the same `window`, so that what may be repeated is read from the store once.

    Raises:
        StoreError: the store refuses whole batches.
        Exception: the model fails on whole batches: then the fault is its own, and nothing is set aside.
    """
    rules = rules if rules is not None else shipped_rules(settings)
    window = window or CopyWindow(settings)
    report = EnrichReport()
    total = store.search(Query(lacks="enriched", limit=1)).total
    batches = (
        _without_set_aside(store, some, model.made_by) for some in batched(_pending(store, model.made_by), BATCH)
    )
    for (read, aside), (found, failed) in _understood(
        batches, lambda read: understand(read, model, rules, settings), ahead
    ):
        enriched = _with_copies(store, found, read, window)
        refusals = failed + _put(store, enriched)
        store.put([_refusal(document, reason, model.made_by, now) for document, reason in _paired(read, refusals)])
        _count(report, len(read) + aside, enriched, refusals, aside)
        if progress:
            progress(report.pending, max(total, report.pending), "enrich")
    return report


Batch = tuple[list[Document], int]
"""Documents to read, and how many were set aside before."""
Understood = tuple[list[Enriched], list[tuple[str, str]]]


def _understood(
    batches: Iterator[Batch], ask: Callable[[list[Document]], Understood], ahead: int
) -> Iterator[tuple[Batch, Understood]]:
    """Yield each batch with what was understood of it, in order, while so many more are being read."""
    if not ahead:
        yield from ((batch, ask(batch[0])) for batch in batches)
        return
    waiting: deque[tuple[Batch, Future[Understood]]] = deque()
    pool = ThreadPoolExecutor(ahead, thread_name_prefix="reading")
    try:
        for batch in batches:
            waiting.append((batch, pool.submit(ask, batch[0])))
            if len(waiting) > ahead:
                first, future = waiting.popleft()
                yield first, future.result()
        yield from ((batch, future.result()) for batch, future in waiting)
    finally:
        pool.shutdown(cancel_futures=True)


def shipped_rules(settings: Settings) -> Rules:
    """Return the rules that come with Groundswell and the user's own; none that fails its own examples."""
    return proven_rules(settings)[0]


def proven_rules(settings: Settings, now: datetime | None = None) -> tuple[Rules, tuple[str, ...]]:
    """Return the rules that keep their promises and have not expired, and why each of the others is left out."""
    return all_rules(settings).proven(now)


def all_rules(settings: Settings) -> Rules:
    """Return shipped and own rules, whether or not they keep their promises.

    Raises:
        ConfigError: a file cannot be used; every problem with file and line.
    """
    taxonomy = load_taxonomy(settings.taxonomy)
    return read_rules(settings.rules, risks=[*taxonomy.risk_ids, *(tag.id for tag in taxonomy.tags)])


@lru_cache(maxsize=4)
def _names(paths: tuple[Path, ...]) -> Names:
    return Names.of(read_watch(paths).values())


def watched_names(settings: Settings) -> Names:
    """Return the brands and people of the watch lists that ship and the user's own, compiled once.

    Raises:
        ConfigError: a list cannot be used.
    """
    return _names(tuple(settings.crawl.watch))


def understand(
    documents: Sequence[Document], model: Model, rules: Rules, settings: Settings
) -> tuple[list[Enriched], list[tuple[str, str]]]:
    """Return what was understood of each document, and (id, reason) of those that could not be read."""
    names = watched_names(settings)
    inputs = [
        InputText(id=m.id, text=m.text, title=m.title, lang=m.lang, market=m.market)
        for m in (document.mention for document in documents)
    ]
    return one_by_one_where_needed(
        inputs,
        lambda part: read_texts(part, model, rules, unsure_below=settings.model.unsure_below, names=names),
        lambda one: one.id,
    )


def read_texts(
    inputs: Sequence[InputText], model: Model, rules: Rules, *, unsure_below: float, names: Names = NOBODY
) -> list[Enriched]:
    """Return what each text means; a text without anything readable is ``unsure`` and has no vector."""
    texts = document_texts(inputs)
    languages = detect(texts, hints=[one.lang for one in inputs], markets=[one.market for one in inputs])
    hits = rules.hits(texts, [language.code for language in languages])
    rows = [row for row, text in enumerate(texts) if text]
    reading = model.read([texts[row] for row in rows]) if rows else None
    found = [_nothing(one, language, model.made_by) for one, language in zip(inputs, languages, strict=True)]
    for place, row in enumerate(rows):
        assert reading is not None  # noqa: S101  there are rows, so the model was asked
        found[row] = replace(
            found[row],
            sentiment=sentiment_of(reading.sentiment[place], unsure_below),
            risks=_by_id(model.risk_ids, reading.risks[place]),
            stances=dict.fromkeys(
                _spoken_of(model.risk_ids, reading.spoken[place], rules.about(hits[row])), reading.stances[place]
            ),
            targets=names.name(
                texts[row],
                languages[row].code,
                reading.targets[place],
                impersonated=_holds(model.risk_ids, reading.spoken[place], IMPERSONATION),
            ),
            rules=hits[row],
            unread=reading.unread[place] + _cut(inputs[row], texts[row]),
            vector=np.asarray(reading.vectors[place], np.float32),
        )
    return found


def _cut(one: InputText, text: str) -> int:
    """Return how many characters of a document stand behind its cleaned text, which neither model nor rules see."""
    whole = joined(one.title, one.text)
    if len(whole) <= MAX_CHARS or len(text) < MAX_CHARS - LONGEST_BLANK:
        return 0
    return max(0, len(clean_one(whole, max_chars=len(whole))) - len(text))


def sentiment_of(probabilities: NDArray[np.float32], unsure_below: float) -> Sentiment:
    """Return the likeliest feeling, or ``unsure`` where it is not likely enough.

    Raises:
        ValueError: the probabilities are not three finite numbers.
    """
    if probabilities.shape != (3,) or not np.isfinite(probabilities).all():
        raise ValueError(f"the model gave no sentiment but {probabilities!r:.80}")
    negative, neutral, positive = (round(float(value), 4) for value in probabilities)
    best = int(probabilities.argmax())
    label = SENTIMENTS[best] if probabilities[best] >= unsure_below else "unsure"
    return Sentiment(label=label, negative=negative, neutral=neutral, positive=positive)


def one_by_one_where_needed(
    items: Sequence[T], step: Callable[[Sequence[T]], list[R]], name: Callable[[T], str]
) -> tuple[list[R], list[tuple[str, str]]]:
    """Return what a step makes of a batch, and (name, reason) of the items on which it fails, found by halving.

    Raises:
        Exception: the step's own, where every one of `NOT_THE_TEXT` or more items fails: then none of them is to blame.
    """
    first: list[Exception] = []
    done, failed = _halved(items, step, name, first)
    if failed and not done and len(items) >= NOT_THE_TEXT:
        raise first[0]
    return done, failed


def _halved(
    items: Sequence[T], step: Callable[[Sequence[T]], list[R]], name: Callable[[T], str], errors: list[Exception]
) -> tuple[list[R], list[tuple[str, str]]]:
    if not items:
        return [], []
    try:
        return step(items), []
    except (ModelError, ClusterError):
        raise  # no text is to blame where the model itself is gone
    except Exception as error:  # noqa: BLE001  whatever a hostile text provokes, the others go on
        errors.append(error)
        if len(items) == 1:
            return [], [(name(items[0]), f"{type(error).__name__}: {error}"[:500])]
    half = len(items) // 2
    done, failed = _halved(items[:half], step, name, errors)
    more, other = _halved(items[half:], step, name, errors)
    return done + more, failed + other


class CopyWindow:
    """The firsts of the days around the batch at hand, read from the store as the batches move through time.

    Batches may go back by `SLACK`; for what is older still, everything is read again.
    """

    def __init__(self, settings: Settings) -> None:
        self._days = timedelta(days=settings.themes.duplicate_days)
        self._similarity, self._length = settings.themes.duplicate_similarity, settings.themes.duplicate_days
        self._forget()

    def _forget(self) -> None:
        self._known = Duplicates(similarity=self._similarity, days=self._length)
        self._since: datetime | None = None
        self._until: datetime | None = None

    def copies(self, store: Store, mentions: Sequence[Mention]) -> list[str]:
        """Return for each mention the id of the first it repeats, or its own."""
        posts = [_told(mention) for mention in mentions]
        if posts:
            self._move_to(store, min(one.at for one in posts), max(one.at for one in posts))
        return self._known.add(posts)

    def _move_to(self, store: Store, begin: datetime, end: datetime) -> None:
        earliest, latest = _shifted(begin, -self._days), _shifted(end, self._days)
        if self._since is not None and earliest < self._since:
            self._forget()
        if self._until is None:
            self._load(store, Query(where={"date_confidence": ("none",)}))
        since = _shifted(earliest, -SLACK)
        if self._until is None or self._until < latest:
            self._load(store, Query(since=max(self._until or since, since), until=latest))
            self._until = latest
        self._known.forget_before(since)
        self._since = max(since, self._since or since)

    def _load(self, store: Store, query: Query) -> None:
        for documents in batched(store.scan(query), 4 * BATCH):
            self._known.remember([_told(document.mention) for document in documents if _is_first(document)])


def _told(mention: Mention) -> Told:
    body = mention.text if len(mention.text) > 200 else joined(mention.title, mention.text)
    dated = mention.published_at if mention.date_confidence != "none" else None
    return Told(id=mention.id, text=body, at=dated or mention.fetched_at, author=mention.author_key)


def _is_first(document: Document) -> bool:
    return document.enriched is not None and document.enriched.duplicate_of in {"", document.id}


def _shifted(moment: datetime, by: timedelta) -> datetime:
    """Return a moment some days away; at the ends of the calendar, where hostile dates stand, the moment itself."""
    try:
        return moment + by
    except OverflowError:
        return moment


def _pending(store: Store, made_by: str) -> Iterator[Document]:
    """Yield what no model has read, then what another model has read."""
    yield from store.scan(Query(lacks="enriched"))
    yield from (document for document in store.scan(Query(made_by_not=made_by)) if document.enriched is not None)


def _with_copies(
    store: Store, enriched: Sequence[Enriched], documents: Sequence[Document], window: CopyWindow
) -> list[Enriched]:
    before = {document.id: document.enriched.duplicate_of for document in documents if document.enriched}
    mentions = {document.id: document.mention for document in documents}
    fresh = [one.id for one in enriched if not before.get(one.id)]
    first = before | dict(zip(fresh, window.copies(store, [mentions[each] for each in fresh]), strict=True))
    return [replace(one, duplicate_of=first[one.id], risks=_worth_keeping(one.risks)) for one in enriched]


def _worth_keeping(risks: Mapping[str, float]) -> dict[str, float]:
    return {risk: chance for risk, chance in risks.items() if chance >= KEPT_RISK}


def _without_set_aside(store: Store, documents: Sequence[Document], made_by: str) -> tuple[list[Document], int]:
    """Return the documents that this model has not failed on before, and how many it has."""
    names = {_refusal_id(document.id, made_by): document.id for document in documents}
    failed = {names[refusal.id] for refusal in store.many(Refusal, list(names))}
    return [document for document in documents if document.id not in failed], len(failed)


def _put(store: Store, enriched: Sequence[Enriched]) -> list[tuple[str, str]]:
    report = store.put(list[Record](enriched))
    if enriched and len(report.refused) == len(enriched) >= NOT_THE_TEXT:
        raise StoreError(f"the store refuses every document of a batch: {report.refused[0].reason}")
    return [(refused.id, refused.reason) for refused in report.refused]


def _paired(documents: Sequence[Document], refusals: Sequence[tuple[str, str]]) -> Iterator[tuple[Document, str]]:
    by_id = {document.id: document for document in documents}
    yield from ((by_id[each], reason) for each, reason in refusals)


def _refusal(document: Document, reason: str, made_by: str, now: datetime) -> Refusal:
    mention = document.mention
    return Refusal(
        id=_refusal_id(mention.id, made_by),
        source=mention.source,
        where=f"enrich {mention.id}",
        reason=f"{made_by} could not read it: {reason}",
        at=now,
        sample=mention.text[:200],
    )


def _refusal_id(mention_id: str, made_by: str) -> str:
    return stable_id("enrich", mention_id, made_by)


def _nothing(given: InputText, language: Language, made_by: str) -> Enriched:
    third = round(1 / 3, 4)
    return Enriched(
        id=given.id,
        lang=language.code or UNKNOWN,
        lang_confidence=round(language.confidence, 3),
        sentiment=Sentiment(label="unsure", negative=third, neutral=third, positive=third),
        made_by=made_by,
        duplicate_of=given.id,
    )


def _by_id(ids: Sequence[str], probabilities: NDArray[np.float32]) -> dict[str, float]:
    return {risk: round(float(value), 4) for risk, value in zip(ids, probabilities, strict=True)}


def _holds(ids: Sequence[str], chances: NDArray[np.float32], risk: str) -> bool:
    """Return whether a text speaks of a risk."""
    return risk in ids and bool(chances[ids.index(risk)] >= SPOKEN_OF)


def _spoken_of(ids: Sequence[str], chances: NDArray[np.float32], ruled: Sequence[str]) -> list[str]:
    """Return the risks that a text speaks of, by the model or by a rule."""
    return [risk for risk, chance in zip(ids, chances, strict=True) if chance >= SPOKEN_OF or risk in ruled]


def _count(
    report: EnrichReport, read: int, enriched: Sequence[Enriched], refusals: Sequence[tuple[str, str]], aside: int
) -> None:
    refused = {each for each, _ in refusals}
    accepted = [one for one in enriched if one.id not in refused]
    report.pending += read
    report.enriched += len(accepted)
    report.refused += len(refused)
    report.set_aside += aside
    report.copies += sum(one.duplicate_of != one.id for one in accepted)
    report.unsure += sum(one.sentiment.label == "unsure" for one in accepted)
    report.languages.update(one.lang for one in accepted)
    report.risks.update(risk for one in accepted for risk, chance in one.risks.items() if chance >= 0.5)
    report.rules.update(rule for one in accepted for rule in one.rules)


__all__ = ["SHADOW", "EnrichReport", "InputText", "Model", "enrich", "read_texts", "shipped_rules", "understand"]
