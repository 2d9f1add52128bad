"""Replaying history: what would have fired, when, and why, had Groundswell been listening.

Documents are taken strictly in the order of ``published_at``; every number at an hour is made from documents up to that
hour. Themes never influence alerts, so that reading the same file twice, or half of it, gives the same past.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundswell.configs.events import Event
from groundswell.configs.schema import Settings
from groundswell.index.files import written_aside
from groundswell.index.ids import author_key
from groundswell.index.progress import Progress
from groundswell.index.records import Document, Enriched, Kind, Mention, Sentiment, Signal
from groundswell.nlp.enrich.consensus import common_risk
from groundswell.nlp.model.model import Model, load_model
from groundswell.nlp.model.vector_cache import encode
from groundswell.nlp.replay.budgets import BudgetResult, known_events, weigh
from groundswell.nlp.signals.alerts.policy import Policy, SeverityInputs, severity
from groundswell.nlp.signals.stage import Scope, SignalBuilder, risk_weights
from groundswell.nlp.text.language import primary
from groundswell.nlp.themes.space import known_langs
from groundswell.nlp.themes.stage import space_of

KEPT = -1.5
"""Strength (thirty false ones a week) from which a candidate is written, so that a whole curve can be drawn."""
GROWS = 0.1
READ_FROM = -0.5
"""Strength from which the risk of the evidence is read, to say how severe it is."""
READ_MOST = 12
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
    themes: bool = True, events: Sequence[Event] = (),
) -> BacktestSummary:  # fmt: skip
    """Replay `source` (JSON lines) and write alerts.jsonl, themes.jsonl, refused.jsonl and summary.json into `target`.

    Args:
        source: a line a document: id, text, published_at, and whatever else.
        target: folder, made where missing; its files are replaced whole.
        settings: budget, cooldown and the rest of the policy.
        model: what reads the texts; by default the configured one.
        progress: told how far it is.
        themes: whether documents are also grouped into themes; alerts do not depend on it.
        events: what is known to have happened, for the summary; ids are those of the file.

    Raises:
        BacktestError: the file has no usable line.
    """
    began = datetime.now(UTC)
    lines, refused, ids = read(source)
    if not lines:
        reason = refused[0].reason if refused else "it is empty"
        raise BacktestError(f"{source.name} has no line that can be replayed: {reason}; see docs/contracts.md")
    lines.sort(key=lambda line: (line.mention.published_at or began, str(line.given)))
    model = model or load_model(settings.model)
    texts = [text_of(line.mention) for line in lines]
    vectors = encode(model, texts, progress=progress)
    langs = known_langs(texts, [line.mention.lang for line in lines])
    documents = _documents(lines, langs, vectors, model.made_by)
    _tell(progress, "replaying")
    signals = replay(documents, settings, model)
    placed = place(lines, texts, langs, vectors, settings, progress) if themes else [""] * len(lines)
    target.mkdir(parents=True, exist_ok=True)
    given = {line.mention.id: line.given for line in lines}
    by_id = {line.mention.id: line.mention for line in lines}
    theme_of = {line.mention.id: theme for line, theme in zip(lines, placed, strict=True)}
    _write(target / "alerts.jsonl", (_alert(signal, given, theme_of, by_id) for signal in signals))
    theme_of_given = {line.given: theme for line, theme in zip(lines, placed, strict=True)}
    _write(target / "themes.jsonl", ({"id": one, "theme": theme_of_given.get(one) or None} for one in ids))
    _write(target / "refused.jsonl", (asdict(item) for item in refused))
    known = known_events(events, [line.mention.id for line in lines], texts, langs) if events else []
    first, last = (lines[k].mention.fetched_at for k in (0, -1))
    budgets = weigh(signals, settings.signals, known, began=first, ended=last)
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


def text_of(mention: Mention) -> str:
    """Return what is read of a document."""
    return f"{mention.title}\n{mention.text}" if mention.title else mention.text


def _documents(
    lines: Sequence[_Line], langs: Sequence[str], vectors: NDArray[np.float32], made_by: str
) -> list[Document]:
    unknown = Sentiment(label="unsure", negative=0.0, neutral=1.0, positive=0.0)
    return [
        Document(
            mention=line.mention,
            enriched=Enriched(
                id=line.mention.id, lang=primary(lang), sentiment=unknown, made_by=made_by, vector=vector
            ),
        )
        for line, lang, vector in zip(lines, langs, vectors, strict=True)
    ]


def replay(documents: Sequence[Document], settings: Settings, model: Model | None = None) -> list[Signal]:
    """Return every candidate of the documents (in order of time), fired or held, in order of time.

    Args:
        documents: with vectors.
        settings: the policy.
        model: reads the risk of strong candidates, so that their severity is known; without it all are low.
    """
    maker = SignalBuilder(documents, settings)
    signals = list(maker.jumps(np.arange(len(documents)), Scope(), kept=KEPT, grows=GROWS))
    if model is not None:
        signals = _with_risk(signals, documents, settings, model)
    policy = Policy(settings.signals, began=documents[0].mention.published_at)
    return policy.decide(signals)


def _with_risk(signals: list[Signal], documents: Sequence[Document], settings: Settings, model: Model) -> list[Signal]:
    """Return the signals with risk and severity, read from some of the evidence of those strong enough."""
    by_id = {document.id: document for document in documents}
    chosen = {one: None for s in signals if s.strength >= READ_FROM for one in s.evidence[-READ_MOST:]}
    if not chosen:
        return signals
    reading = model.read([text_of(by_id[one].mention) for one in chosen])
    risks = {
        one: dict(zip(model.risk_ids, row.tolist(), strict=True))
        for one, row in zip(chosen, reading.risks, strict=True)
    }
    weights = risk_weights(settings)
    return [_severe(s, by_id, risks, weights, settings) if s.strength >= READ_FROM else s for s in signals]


def _severe(
    signal: Signal, by_id: Mapping[str, Document], risks: Mapping[str, Mapping[str, float]],
    weights: Mapping[str, float],
    settings: Settings,
) -> Signal:  # fmt: skip
    judged = [e for one in signal.evidence if one in risks and (e := by_id[one].enriched)]
    risk, claimed = common_risk([replace(each, risks=risks[each.id]) for each in judged], weights)
    facts = SeverityInputs(
        weight=weights.get(risk, 0.0), claimed=claimed, documents=len(signal.evidence),
        ratio=signal.growth, market=signal.market,
    )  # fmt: skip
    about = f" Most carry the risk {risk.replace('_', ' ')}." if risk else ""
    return replace(signal, risk=risk, severity=severity(facts, settings.signals.markets), why=signal.why + about)


def place(  # noqa: PLR0917  columns of one table
    lines: Sequence[_Line],
    texts: Sequence[str],
    langs: Sequence[str],
    vectors: NDArray[np.float32],
    settings: Settings,
    progress: Progress | None = None,
) -> list[str]:
    """Return the theme of each document after the last day, grouped online, a day at a time; "" where it waits."""
    space = space_of(settings)
    themes: dict[str, str] = {}
    for start, stop in _days(lines):
        part = [line.mention for line in lines[start:stop]]
        ids = [mention.id for mention in part]
        given = space.add(
            ids, vectors[start:stop], texts[start:stop], langs[start:stop],
            [m.published_at or m.fetched_at for m in part], [m.author_key for m in part],
        )  # fmt: skip
        themes |= dict(zip(ids, given, strict=True)) | space.drain()
        _tell(progress, "grouping", stop, len(lines))
    return [themes.get(line.mention.id, "") for line in lines]


def _days(lines: Sequence[_Line]) -> Iterator[tuple[int, int]]:
    """Yield (start, stop) of each day's documents."""
    days = np.array([line.mention.fetched_at.toordinal() for line in lines])
    starts = np.flatnonzero(np.r_[True, np.diff(days) > 0])
    yield from zip(starts.tolist(), [*starts[1:].tolist(), len(lines)], strict=True)


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
    known = any(worth.found or worth.missed for worth in budgets)
    yield "false alerts a week allowed" + "".join(f"{worth.budget:>8g}" for worth in budgets)
    yield "alerts                     " + "".join(f"{worth.fired:>8,}" for worth in budgets)
    if known:
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


def _tell(progress: Progress | None, what: str, done: int = 0, total: int | None = None) -> None:
    if progress:
        progress(done, total, what)
