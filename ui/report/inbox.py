"""Every alert until somebody has decided: what waits, what was decided by whom and why, and how each goes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from groundswell.index.groups import EPISODE
from groundswell.index.query import Extent, Field, Query
from groundswell.index.records import (
    SEVERITIES,
    Case,
    Checkpoint,
    Decision,
    Deed,
    Label,
    Severity,
    Signal,
    Snooze,
    Theme,
)
from groundswell.index.store import Reader
from groundswell.nlp.signals.alerts.episodes import Episode, Pace, Phase, episodes, likely_twins, phase, usual_a_day
from groundswell.nlp.signals.alerts.rising import rising
from groundswell.nlp.themes.framing import LEAST_USUAL, capital, times
from groundswell.ui.report import wording
from groundswell.ui.report.rising import likely
from groundswell.ui.report.tongue import spoken, tr
from groundswell.ui.report.topics import topic_title

Status = Literal["waiting", "confirmed", "case", "snoozed", "dismissed", "closed"]
DAY = timedelta(days=1)
HELD_DAYS = 7
UPTO = "signals"
"""Checkpoint: how far signals were looked for; `groundswell.nlp.signals.stage.MARK`, which is dear to import."""
MOST = 100_000
"""Records of one kind that are looked through; a year of a large stream has fewer signals."""
JUDGED: Mapping[str, tuple[Deed, str]] = {
    "confirmed": ("confirmed", ""),
    "false": ("dismissed", "false alarm"),
    "duplicate": ("dismissed", "duplicate"),
}
"""What a judgement without a decision beside it (imported, or of an older version) amounts to."""
ENDS: Mapping[str, Status] = {"confirmed": "confirmed", "dismissed": "dismissed", "snoozed": "snoozed", "case": "case"}


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an alert stands with people.

    Attributes:
        status: ``waiting`` until somebody decided.
        decision: the one that made it so, or ``None``.
        assignee: whose it is.
        case: the newest case it is in.
        note: why it waits again although somebody had decided.
    """

    status: Status = "waiting"
    decision: Decision | None = None
    assignee: str = ""
    case: Case | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """An episode as the inbox shows it.

    Attributes:
        documents: copies included, of its theme since it began; of itself where it has no theme.
        twins: episodes that may be the same event, by id.
        related: an open case about the same theme.
    """

    episode: Episode
    title: str
    standing: Standing
    pace: Pace
    phase: Phase
    documents: int
    theme: Theme | None = None
    twins: tuple[str, ...] = ()
    related: Case | None = None

    @property
    def id(self) -> str:
        """Return the id that decisions about it name."""
        return self.episode.id


@dataclass(frozen=True, slots=True)
class Inbox:
    """All episodes, gravest first within what waits; up to when signals were looked for; weaker ones of the last week.

    `upto` is ``None`` where signals were never looked for; `rising` are candidates that may become alerts, likeliest
    first.
    """

    entries: tuple[Entry, ...]
    held: tuple[Signal, ...]
    upto: datetime | None
    rising: tuple[Signal, ...] = ()

    def having(self, *statuses: Status) -> list[Entry]:
        """Return the entries with one of these statuses."""
        return [entry for entry in self.entries if entry.standing.status in statuses]

    def __getitem__(self, alert: str) -> Entry | None:
        """Return the entry that an alert or a follow-up belongs to."""
        return next((e for e in self.entries if any(signal.id == alert for signal in e.episode.signals)), None)


def find_inbox(reader: Reader, *, now: datetime, whole: bool = True) -> Inbox:
    """Return every alert as it stood at a moment, whatever was found or decided later.

    Args:
        reader: the store.
        now: the moment.
        whole: also with the weaker signals of the last week, and with alerts that may be the same event; a mail names
            neither.
    """
    until = now + timedelta(microseconds=1)
    signals = reader.select(Signal, states=EPISODE, until=until)
    decisions = _decisions(reader, now)
    found = episodes(signals, until=now, merged=_merged(decisions))
    themes = {theme.id: theme for theme in reader.many(Theme, sorted({e.theme for e in found if e.theme}))}
    titles = {e.id: title_of(e.alert, themes.get(e.theme)) for e in found}
    cases = [case for case in reader.recent(Case, limit=MOST) if case.opened_at <= now]
    grown = _grown(reader, found, now)
    paces = _paces(reader, found, now, grown)
    related = _related(found, cases)
    by_alert = defaultdict(list)
    for decision in [*decisions, *_silenced(reader, found, now)]:
        by_alert[decision.alert].append(decision)
    entries = [
        Entry(
            episode=episode,
            title=titles[episode.id],
            standing=standing(episode, _of(episode, by_alert), cases, goes, now=now),
            pace=paces[episode.id],
            phase=goes,
            documents=grown[episode.id].count,
            theme=themes.get(episode.theme),
            related=related.get(episode.theme),
        )
        for episode in found
        for goes in [phase(paces[episode.id], now - episode.alert.at)]
    ]
    weaker = reader.select(
        Signal, states=("held", "rising") if whole else ("rising",), since=now - HELD_DAYS * DAY, until=until
    )
    ordered = tuple(sorted(_with_twins(entries, decisions) if whole else entries, key=_place))
    early = tuple(likely(rising([*signals, *weaker], now=now)))
    return Inbox(ordered, _held([*signals, *weaker], now) if whole else (), looked_up_to(reader), early)


def looked_up_to(reader: Reader) -> datetime | None:
    """Return up to when signals were looked for, or ``None`` where they never were."""
    mark = reader.get(Checkpoint, UPTO)
    return datetime.fromisoformat(str(mark.value["upto"])) if mark else None


def _held(signals: Sequence[Signal], now: datetime) -> tuple[Signal, ...]:
    """Return what was found in the last week and held back, follow-ups apart, strongest first."""
    since = now - HELD_DAYS * DAY
    weak = [s for s in signals if not s.fired and s.held_by != "follow-up" and s.at > since]
    return tuple(sorted(weak, key=lambda s: (-s.strength, s.id)))


def _place(entry: Entry) -> tuple[bool, bool, int, float]:
    """Return where an entry stands: what goes on before what is over, mere praise last, gravest, newest first."""
    grave = -SEVERITIES.index(entry.episode.severity)
    return entry.phase == "over", praised(entry), grave, -entry.episode.alert.at.timestamp()


def praised(entry: Entry) -> bool:
    """Return whether an episode is mere praise, louder than usual."""
    alert = entry.episode.alert
    return entry.theme is not None and entry.theme.feeling == "praise" and alert.kind != "sour" and not alert.standing


def _related(found: Sequence[Episode], cases: Sequence[Case]) -> dict[str, Case]:
    """Return the newest open case about each theme."""
    theme_of = {signal.id: theme for e in found if (theme := e.theme) for signal in e.signals}
    related: dict[str, Case] = {}
    for case in cases:  # newest first
        if case.status != "closed":
            for theme in {theme_of[signal] for signal in case.signals if signal in theme_of}:
                related.setdefault(theme, case)
    return related


# --- what people decided ---------------------------------------------------------------------------------------------


def _decisions(reader: Reader, now: datetime) -> list[Decision]:
    """Return decisions up to a moment, oldest first; a judgement alone counts as one."""
    made = [decision for decision in reader.recent(Decision, limit=MOST) if decision.at <= now]
    judged = [
        Decision(id=label.id, alert=label.subject, what=what, by=label.annotator, at=label.at, reason=reason)
        for label in reader.select(Label, states=("disposition",))
        if label.at <= now and label.value in JUDGED
        for what, reason in [JUDGED[label.value]]
    ]
    return sorted([*judged, *made], key=lambda decision: decision.at)


def _silenced(reader: Reader, found: Sequence[Episode], now: datetime) -> list[Decision]:
    """Return the snoozes of themes as decisions about their episodes; one that was woken is none."""
    snoozes = {s.id: s for s in reader.recent(Snooze, limit=MOST) if s.at <= now and s.until > s.at}
    return [
        Decision(id=s.id, alert=e.id, what="snoozed", by=s.by, at=s.at, reason=s.reason, until=s.until)
        for e in found
        if (s := snoozes.get(e.theme)) is not None and s.at >= e.alert.at
    ]


def _merged(decisions: Iterable[Decision]) -> dict[str, str]:
    """Return which alerts were put to which others, and not parted since."""
    merged: dict[str, str] = {}
    for decision in decisions:
        if decision.what == "merged":
            merged[decision.alert] = decision.to
        elif decision.what == "parted":
            merged.pop(decision.alert, None)
    return merged


def _of(episode: Episode, by_alert: Mapping[str, Sequence[Decision]]) -> list[Decision]:
    """Return the decisions about an episode, whichever of its alerts they named, oldest first."""
    about = [decision for signal in episode.signals for decision in by_alert.get(signal.id, ())]
    return sorted(about, key=lambda decision: decision.at)


def standing(
    episode: Episode, decisions: Sequence[Decision], cases: Sequence[Case], goes: Phase, *, now: datetime
) -> Standing:
    """Return where an episode stands: an open case first, then the newest decision that still holds."""
    assigned = next((d.to for d in reversed(decisions) if d.what == "assigned"), "")
    own = {signal.id for signal in episode.signals}
    case = next((case for case in cases if own & set(case.signals)), None)  # newest first
    if case is not None:
        status: Status = "closed" if case.status == "closed" else "case"
        return Standing(status, _newest(decisions), case.owner or assigned, case)
    decision = _newest(decisions)
    if decision is None or decision.what not in ENDS:
        return Standing("waiting", decision, assigned)
    note = _lapsed(episode, decision, goes, now)
    return Standing("waiting" if note else ENDS[decision.what], decision, assigned, note=note)


def _newest(decisions: Sequence[Decision]) -> Decision | None:
    """Return the newest decision that says where an alert stands."""
    return next((d for d in reversed(decisions) if d.what in {*ENDS, "reopened", "woken"}), None)


def _lapsed(episode: Episode, decision: Decision, goes: Phase, now: datetime) -> str:
    """Return why a decision no longer holds, or nothing: a snooze ended or has no cause any more, or it got worse."""
    who = f"{decision.by} {'snoozed' if decision.what == 'snoozed' else 'dismissed'} it"
    if decision.what == "snoozed":
        if decision.until is not None and decision.until <= now:
            return f"{who} until {decision.until:%d %b}: that is past"
        if goes == "over":
            return f"{who}; it is over, which ends the snooze"
    was = severity_at(episode, decision.at) if decision.what in {"snoozed", "dismissed"} else None
    if was and SEVERITIES.index(episode.severity) > SEVERITIES.index(was):
        return f"{who} as {was}: it has become {episode.severity}"
    return ""


def severity_at(episode: Episode, moment: datetime) -> Severity | None:
    """Return how grave an episode was at a moment; ``None`` before it began."""
    by_then = tuple(signal for signal in episode.signals if signal.at <= moment)
    return Episode(by_then).severity if by_then else None


# --- how they go -----------------------------------------------------------------------------------------------------


def about(episode: Episode) -> Mapping[Field, tuple[str, ...]]:
    """Return the documents of an episode as a condition: those of its theme, or its own where it has none."""
    return {"theme": (episode.theme,)} if episode.theme else {"id": episode.evidence}


def _paces(
    reader: Reader, found: Sequence[Episode], now: datetime, grown: Mapping[str, Extent] | None = None
) -> dict[str, Pace]:
    """Return for each episode its last two days, copies included; where its documents are given, when it was seen."""
    latest = [_own(episode, now - DAY, now) for episode in found]
    before = [_own(episode, now - 2 * DAY, now - DAY) for episode in found]
    quiet = [episode for episode in found if grown is not None and not grown[episode.id].count]
    ever = [Query(until=now, trusted_dates=True, where=about(episode)) for episode in quiet]
    counts = reader.extents([*latest, *before, *ever])
    seen = {one: extent.last for one, extent in (grown or {}).items()}
    seen.update(zip((e.id for e in quiet), (each.last for each in counts[2 * len(found) :]), strict=True))
    return {
        e.id: Pace(counts[i].count, counts[i + len(found)].count, usual_a_day(e.alert), seen.get(e.id))
        for i, e in enumerate(found)
    }


def over_at(reader: Reader, inbox: Inbox, *, then: datetime) -> tuple[Entry, ...]:
    """Return what is over now and was not at a moment before."""
    since = then - 2 * DAY  # one that was silent for two days by then was over already
    ended = [
        entry
        for entry in inbox.entries
        if entry.phase == "over" and entry.episode.alert.at <= then
        if (entry.pace.seen is not None and entry.pace.seen >= since) or entry.episode.alert.at > since
    ]
    paces = _paces(reader, [entry.episode for entry in ended], then)
    return tuple(e for e in ended if phase(paces[e.id], then - e.episode.alert.at) != "over")


def _own(episode: Episode, since: datetime | None, until: datetime) -> Query:
    """Return a query for an episode's documents in a window; of its theme's, those since it began."""
    begun = episode.alert.start if episode.theme else None
    begin = max(filter(None, (begun, since)), default=None)
    return Query(since=begin, until=until, trusted_dates=True, where=about(episode))


def _grown(reader: Reader, found: Sequence[Episode], now: datetime) -> dict[str, Extent]:
    """Return how many documents each episode has by now, and when the last came."""
    counts = reader.extents([_own(episode, None, now) for episode in found])
    return {e.id: each for e, each in zip(found, counts, strict=True)}


# --- in words --------------------------------------------------------------------------------------------------------


def title_of(signal: Signal, theme: Theme | None) -> str:
    """Return what an alert is about, in the words of its theme: in English, as the board, where there are such.

    A standing topic is no news by itself, so that its title says how loud it is: "Couriers: 3.2 times the usual".
    """
    if signal.standing and signal.title:
        return f"{capital(signal.title)}: {times(signal.observed, signal.expected)}"
    return name_of(signal, theme)


def shown_title(entry: Entry) -> str:
    """Return what an alert is about in the language that is spoken, where its theme has a title in it."""
    alert = entry.episode.alert
    if spoken() != "en" and alert.standing and alert.title:
        return f"{topic_said(alert)}: {louder(alert)}"
    own = entry.theme.titles.get(spoken()) if entry.theme and not alert.standing else None
    return own or entry.title


def subject_said(entry: Entry) -> str:
    """Return what an alert is about as a sentence about it begins: of a standing topic its name alone."""
    alert = entry.episode.alert
    return topic_said(alert) if alert.standing and alert.title else shown_title(entry)


def topic_said(alert: Signal) -> str:
    """Return the name of a standing topic in the language that is spoken."""
    return capital(topic_title(alert.title))


def louder(signal: Signal) -> str:
    """Return by how much a standing topic exceeds its usual, in the language that is spoken."""
    if signal.expected < LEAST_USUAL:
        return tr("more than usual")
    return tr("{count} times the usual").format(count=f"{signal.observed / signal.expected:.1f}")


def name_of(signal: Signal, theme: Theme | None) -> str:
    """Return the name of what a signal is about."""
    if theme and (theme.titles.get("en") or not signal.title):
        return wording.theme(theme)
    return signal.title or wording.risk(signal.risk) or "Unnamed theme"


def how_it_goes(entry: Entry, zone: str) -> str:
    """Return how an episode goes, in words from its counts: "growing, 43 documents in 24 h, 13 in the 24 h before"."""
    pace = entry.pace
    if entry.phase == "over":
        return _over(pace, zone)
    now, before = wording.plural(pace.now, "document"), wording.number(pace.before)
    text = tr("{phase}, {now} in 24 h, {before} in the 24 h before")
    return text.format(phase=tr(entry.phase), now=now, before=before)


def _over(pace: Pace, zone: str) -> str:
    if pace.seen is not None and pace.now == pace.before == 0:
        return tr("over, seen no more since {time}").format(time=wording.stamp(pace.seen, zone))
    usual, count = wording.number(round(pace.usual, 1)), wording.plural(pace.now + pace.before, "document")
    return tr("over, {count} in 48 h, where {usual} a day are usual").format(count=count, usual=usual)


def _with_twins(entries: Sequence[Entry], decisions: Sequence[Decision]) -> list[Entry]:
    """Return the entries with those that may be the same event; what was parted by hand is not offered again."""
    parted = {(d.alert, d.to) for d in decisions if d.what == "parted"}
    going = [entry for entry in entries if entry.phase != "over" or entry.standing.status == "waiting"]
    pairs = likely_twins([entry.episode for entry in going], {entry.id: entry.title for entry in going})
    twins: dict[str, list[str]] = defaultdict(list)
    for later, earlier in pairs:
        if (later, earlier) not in parted:
            twins[later].append(earlier)
    return [replace(entry, twins=tuple(twins.get(entry.id, ()))) for entry in entries]
