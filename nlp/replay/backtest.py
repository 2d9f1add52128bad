"""Replaying history: what would have fired, when, and why, had Groundswell been listening.

Documents are taken strictly in the order of ``published_at``; every number at an hour is made from documents up to that
hour. The stages are those of the live pipeline, on a store that is thrown away: what is measured is what runs.
"""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from groundswell.configs.events import Event
from groundswell.configs.schema import Settings, SqliteSettings
from groundswell.index.files import written_aside
from groundswell.index.ids import author_key
from groundswell.index.open import open_store
from groundswell.index.progress import Progress
from groundswell.index.records import Document, Kind, Mention, Signal, Stance
from groundswell.nlp.enrich.stage import enrich
from groundswell.nlp.model.model import Model, Reading, load_model
from groundswell.nlp.model.vector_cache import encode
from groundswell.nlp.replay.budgets import BudgetResult, known_events, weigh
from groundswell.nlp.signals.alerts import feedback
from groundswell.nlp.signals.alerts.feedback import Taught
from groundswell.nlp.signals.compose import Label
from groundswell.nlp.signals.stage import find_signals
from groundswell.nlp.text.document_text import document_texts
from groundswell.nlp.themes.stage import update_themes

BATCH = 2000
MOST_SIGNALS = 1_000_000
LONGEST_LINE = 16 << 20
LONGEST_TEXT = 20_000
FIELDS = frozenset({"id", "text", "title", "lang", "published_at", "source", "market", "kind", "author", "reach"})
KINDS = ("news", "post", "review", "comment", "regulator")


class BacktestError(Exception):
    """Nothing could be replayed; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """A line that could not be replayed, and why."""

    line: int
    id: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BacktestSummary:
    """What a replay did. lines = documents + refused; `settings` shows what other budgets would have fired."""

    lines: int
    documents: int
    refused: int
    reasons: Mapping[str, int]
    first: str
    last: str
    themes: int
    in_themes: int
    alerts: int
    candidates: int
    by_kind: Mapping[str, int] = field(default_factory=dict)
    held: Mapping[str, int] = field(default_factory=dict)
    budgets: Sequence[BudgetResult] = ()
    seconds: float = 0.0

    def __str__(self) -> str:
        """Return it for people."""
        reasons = "".join(f"\n  refused: {count} × {reason}" for reason, count in self.reasons.items())
        held = ", ".join(f"{rule} {count}" for rule, count in self.held.items())
        return (
            f"{self.lines:,} lines = {self.documents:,} documents + {self.refused:,} refused{reasons}\n"
            f"{self.first[:10]} to {self.last[:10]}; {self.themes:,} themes hold {self.in_themes:,} documents\n"
            f"{self.alerts:,} alerts out of {self.candidates:,} candidates; held back by {held or 'nothing'}\n"
            + "\n".join(_table(self.budgets))
        )


@dataclass(frozen=True, slots=True)
class _Line:
    """A line that can be replayed."""

    given: str | int
    mention: Mention


def backtest(
    source: Path, target: Path, settings: Settings, *, model: Model | None = None, progress: Progress | None = None,
    themes: bool = True, events: Sequence[Event] = (), taught: Taught | None = None, whole: bool = False,
) -> BacktestSummary:  # fmt: skip
    """Replay `source` (JSON lines) and write alerts.jsonl, themes.jsonl, refused.jsonl and summary.json into `target`.

    Args:
        source: a line a document: id, text, published_at, and whatever else.
        target: folder, made where missing; its files are replaced whole.
        settings: budget, cooldown and the rest of the policy.
        model: what reads the texts; by default the configured one.
        progress: told how far it is.
        themes: whether documents are also grouped into themes.
        events: what is known to have happened, for the summary; ids are those of the file.
        taught: the accepted correction of strengths, if there is one.
        whole: whether every text is read whole, as live, so that falls in mood are found too: some 40 texts a second.

    Raises:
        BacktestError: the file has no usable line.
    """
    began = datetime.now(UTC)
    lines, refused, ids = read(source)
    if not lines:
        reason = refused[0].reason if refused else "it is empty"
        raise BacktestError(f"{source.name} has no line that can be replayed: {reason}; see docs/contracts.md")
    lines.sort(key=lambda line: (line.mention.published_at or began, str(line.given)))
    mentions = [line.mention for line in lines]
    model = model or load_model(settings.model)
    with tempfile.TemporaryDirectory(prefix="groundswell-backtest-") as home:
        own = settings.model_copy(update={"data_dir": Path(home), "store": SqliteSettings()})
        signals, placed, langs = replay(
            mentions, own, model, taught=taught, themes=themes, whole=whole, progress=progress
        )
    target.mkdir(parents=True, exist_ok=True)
    given = {line.mention.id: line.given for line in lines}
    by_id = {mention.id: mention for mention in mentions}
    theme_of = dict(zip(by_id, placed, strict=True))
    _write(target / "alerts.jsonl", (_alert(signal, given, theme_of, by_id) for signal in signals))
    theme_of_given = {line.given: theme for line, theme in zip(lines, placed, strict=True)}
    _write(target / "themes.jsonl", ({"id": one, "theme": theme_of_given.get(one) or None} for one in ids))
    _write(target / "refused.jsonl", (asdict(item) for item in refused))
    events_found = known_events(events, list(by_id), document_texts(mentions), langs) if events else []
    first, last = (mentions[k].fetched_at for k in (0, -1))
    budgets = weigh(signals, settings.signals, events_found, began=first, ended=last)
    seconds = (datetime.now(UTC) - began).total_seconds()
    summary = _summary(lines, refused, placed, signals, budgets=budgets, seconds=seconds)
    _write(target / "summary.json", [asdict(summary)])
    return summary


def read(source: Path) -> tuple[list[_Line], list[Rejected], list[str | int]]:
    """Return usable lines, refused ones with their reasons, and every id there is, in order."""
    lines: list[_Line] = []
    refused: list[Rejected] = []
    ids: dict[str | int, None] = {}
    seen: set[str] = set()
    with source.open("rb") as file:
        for number, raw in enumerate(file, 1):
            if not raw.strip():
                continue
            one, line, reason = _parse(raw, seen)
            if one is not None:
                ids[one] = None
            if line is None:
                refused.append(Rejected(number, "" if one is None else str(one), reason))
            else:
                seen.add(str(line.given))
                lines.append(line)
    return lines, refused, list(ids)


def _parse(raw: bytes, seen: set[str]) -> tuple[str | int | None, _Line | None, str]:
    """Return a line's id, the line if it can be used, and else the reason."""
    data, reason = _object(raw)
    one = data.get("id")
    if reason or isinstance(one, bool) or not isinstance(one, str | int) or one == "":
        return None, None, reason or "no id"
    text, moment = data.get("text"), _moment(data.get("published_at"))
    if not isinstance(text, str) or not text.strip():
        reason = "no text"
    elif moment is None:
        reason = "no date that can be read in published_at: it cannot take its place in time"
    elif str(one) in seen:
        reason = "the id came before"
    if reason or moment is None:
        return one, None, reason
    return one, _Line(one, _mention(str(one), data, moment)), ""


def _object(raw: bytes) -> tuple[dict[str, Any], str]:
    """Return the object on a line, or why there is none."""
    if len(raw) > LONGEST_LINE:
        return {}, "longer than 16 MB"
    try:
        data = json.loads(raw)
    except (ValueError, RecursionError):
        return {}, "not JSON in UTF-8"
    return (data, "") if isinstance(data, dict) else ({}, "not a JSON object")


def _moment(value: object) -> datetime | None:
    """Return an instant (without an offset: UTC), or nothing for what is none or out of all bounds."""
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value.strip().replace("Z", "+00:00"))
    except ValueError:
        return None
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    return moment.astimezone(UTC) if 1990 <= moment.year <= 2200 else None


def _mention(id: str, data: Mapping[str, Any], moment: datetime) -> Mention:
    def text(name: str) -> str:
        value = data.get(name)
        return value[:LONGEST_TEXT] if isinstance(value, str) else ""

    kind: Kind = data["kind"] if data.get("kind") in KINDS else "post"
    reach = data.get("reach")
    return Mention(
        id=id, source=text("source") or "file", kind=kind, text=text("text"), title=text("title"), lang=text("lang"),
        market=text("market"), published_at=moment, fetched_at=moment, date_confidence="exact",
        author_key=author_key(text("author"), source=text("source"), salt="backtest"),
        reach=reach if isinstance(reach, int) and reach >= 0 else None,
        extra={name: value for name, value in data.items() if name not in FIELDS},
    )  # fmt: skip


def replay(
    mentions: Sequence[Mention], settings: Settings, model: Model, *, taught: Taught | None = None,
    themes: bool = True, whole: bool = False, progress: Progress | None = None,
) -> tuple[list[Signal], list[str], list[str]]:  # fmt: skip
    """Run the live stages over mentions, in the store that `settings` name, as if the last had just been published.

    Args:
        mentions: in order of time.
        settings: of a store that holds nothing else.
        model: reads the texts.
        taught: the accepted correction of strengths.
        themes: whether documents are grouped into themes.
        whole: whether every text is read whole; else only its vector is made, and the risks of documents that may
            be told of, so that no fall in mood can be found.
        progress: told how far it is.

    Returns:
        Signals in order of time, and for each mention its theme ("" for none) and its language.
    """
    now = (mentions[-1].published_at or mentions[-1].fetched_at) + timedelta(hours=1)
    reader = model if whole else _Vectors(model, mentions, progress)
    with open_store(settings) as store:
        for start in range(0, len(mentions), BATCH):
            store.put(mentions[start : start + BATCH])
        if taught is not None and taught.weights:
            feedback.accept(store, taught, by="backtest", now=now)
        enrich(store, reader, settings, now=now, progress=progress)
        if themes:
            update_themes(store, settings, now=now, progress=progress)
        find_signals(store, settings, now=now, progress=progress, label=None if whole else _labels(model))
        ids = [mention.id for mention in mentions]
        documents = {d.id: d for start in range(0, len(ids), BATCH) for d in store.many(Document, ids[start:][:BATCH])}
        signals = sorted(store.recent(Signal, limit=MOST_SIGNALS), key=lambda signal: (signal.at, -signal.strength))
    found = [documents[one] for one in ids]
    return (
        signals,
        [d.membership.theme if d.membership else "" for d in found],
        [d.enriched.lang if d.enriched else "" for d in found],
    )


CLAIMS: Stance = "claims"


class _Vectors:
    """A model that gives vectors, made before or at hand, and says nothing else of a text."""

    def __init__(self, model: Model, mentions: Sequence[Mention], progress: Progress | None) -> None:
        texts = [text for text in dict.fromkeys(document_texts(mentions)) if text]
        self.table = encode(model, texts, progress=progress)
        self.place = {text: k for k, text in enumerate(texts)}
        self.risk_ids, self.made_by = tuple(model.risk_ids), model.made_by

    def read(self, texts: Sequence[str]) -> Reading:
        """Return the vectors of texts."""
        count = len(texts)
        nothing = np.zeros((count, len(self.risk_ids)), np.float32)
        return Reading(
            vectors=self.table[[self.place[text] for text in texts]],
            sentiment=np.full((count, 3), 1 / 3, np.float32),
            risks=nothing,
            targets=((),) * count,
            spoken=nothing,
            stances=(CLAIMS,) * count,
            unread=(0,) * count,
        )


def _labels(model: Model) -> Label:
    """Return what reads the risks of documents, each once."""
    labels: dict[str, dict[str, float]] = {}

    def label(documents: Sequence[Document]) -> list[Document]:
        fresh = [d for d in documents if d.id not in labels and d.enriched is not None]
        if fresh:
            reading = model.read(document_texts([d.mention for d in fresh]))
            for document, row in zip(fresh, reading.risks, strict=True):
                labels[document.id] = dict(zip(model.risk_ids, (round(float(p), 4) for p in row), strict=True))
        return [
            replace(d, enriched=replace(d.enriched, risks=labels[d.id])) if d.enriched is not None else d
            for d in documents
        ]

    return label


def _alert(
    signal: Signal, given: Mapping[str, str | int], theme_of: Mapping[str, str], mentions: Mapping[str, Mention]
) -> dict[str, Any]:
    """Return a line of alerts.jsonl; `theme` is the subject, `documents_theme` what themes.jsonl says."""
    most = Counter(theme_of[one] for one in signal.evidence if theme_of[one]).most_common(1)
    alert = {
        "at": signal.at.isoformat().replace("+00:00", "Z"),
        "theme": signal.subject,
        "kind": signal.kind,
        "strength": signal.strength,
        "severity": signal.severity,
        "documents": [given[one] for one in signal.evidence],
        "why": signal.why,
        "fired": signal.fired,
        "held_by": signal.held_by,
        "alert_chance": signal.alert_chance,
        "follows": signal.follows,
        "title": signal.title,
        "risk": signal.risk,
        "observed": signal.observed,
        "expected": round(signal.expected, 3),
        "onset": signal.start.isoformat().replace("+00:00", "Z"),
        "documents_theme": most[0][0] if most else None,
    }
    extra = {given[one]: mentions[one].extra for one in signal.evidence if mentions[one].extra} if signal.fired else {}
    return {**alert, "evidence": extra} if extra else alert


def _summary(
    lines: Sequence[_Line], refused: Sequence[Rejected], placed: Sequence[str], signals: Sequence[Signal], *,
    budgets: Sequence[BudgetResult], seconds: float,
) -> BacktestSummary:  # fmt: skip
    moments = [line.mention.fetched_at.isoformat() for line in (lines[0], lines[-1])]
    fired = [signal for signal in signals if signal.fired]
    return BacktestSummary(
        lines=len(lines) + len(refused), documents=len(lines), refused=len(refused),
        reasons=dict(Counter(item.reason for item in refused).most_common()), first=moments[0], last=moments[1],
        themes=len(set(placed) - {""}), in_themes=sum(bool(theme) for theme in placed), alerts=len(fired),
        candidates=len(signals), by_kind=dict(Counter(signal.kind for signal in fired)),
        held=dict(Counter(signal.held_by for signal in signals if signal.held_by).most_common()),
        budgets=budgets,
        seconds=round(seconds, 1),
    )  # fmt: skip


def _table(budgets: Sequence[BudgetResult]) -> Iterator[str]:
    """Yield lines that compare budgets: what each would have fired, found, missed and cost."""
    has_events = any(worth.found or worth.missed for worth in budgets)
    yield "false alerts a week allowed" + "".join(f"{worth.budget:>8g}" for worth in budgets)
    yield "alerts                     " + "".join(f"{worth.fired:>8,}" for worth in budgets)
    if has_events:
        yield "known events found         " + "".join(f"{len(worth.found):>8,}" for worth in budgets)
        yield "known events missed        " + "".join(f"{len(worth.missed):>8,}" for worth in budgets)
        yield "hours until told, median   " + "".join(
            f"{'–' if worth.hours is None else f'{worth.hours:.0f}':>8}" for worth in budgets
        )
        yield "other alerts a week        " + "".join(f"{worth.others:>8.2f}" for worth in budgets)
        for name in budgets[-1].missed:
            yield f"missed at every budget: {name}"


def _write(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write JSON lines; the file appears whole or not at all."""
    with written_aside(path) as part, part.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(row, ensure_ascii=False, default=str) + "\n" for row in rows)
