"""What is to be told at once, and to whom: alerts as they begin and worsen, escalations, sources that fall silent."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from groundswell.configs.schema import AlertSettings, Receiver, Settings
from groundswell.index.groups import NOT_WHOLE, WHOLE
from groundswell.index.ids import stable_id
from groundswell.index.records import SEVERITIES, CrawlRun, Delivery, Severity
from groundswell.index.store import Reader
from groundswell.nlp.signals.alerts.policy import quiet_until
from groundswell.ui.report import links, wording
from groundswell.ui.report.digest import board_address
from groundswell.ui.report.inbox import Entry, Inbox, shown_title, subject_said
from groundswell.ui.report.reasons import reason_said
from groundswell.ui.report.tongue import in_tongue, tr

FEWEST_VISITS = 3
"""Visits in a row that must have failed before a source is called dying: one or two may be the network's."""
RUNS = 20_000


@dataclass(frozen=True, slots=True)
class News:
    """Something to tell; `about` and `state` name it for ever, so that nobody is told twice.

    `place` is the page of the board that shows it, `more` what to say of it beside the title, in sentences.
    """

    about: str
    state: str
    severity: Severity
    title: str
    more: tuple[str, ...]
    place: str
    at: datetime
    markets: tuple[str, ...] = ()
    risk: str = ""
    documents: int = 0
    owner: str = ""

    @property
    def kind(self) -> str:
        """Return what it is, in a word for programs: ``alert.new``, ``alert.graver``, ``source.dying``."""
        first = self.state.split(":")[0].split(" ")[0]
        if self.about.startswith("search:"):
            return f"search.{first}"
        return f"{'source' if first == 'dying' else 'alert'}.{first}"


def delivery_id(receiver: str, about: str, state: str) -> str:
    """Return the id of a delivery: the same for the same person, thing and state."""
    return stable_id("delivery", receiver, about, state)


def alert_news(entry: Entry, state: str, settings: Settings) -> News:
    """Return what is told of an alert."""
    alert, severity = entry.episode.gravest, entry.episode.severity
    markets = tuple(sorted({s.market for s in entry.episode.signals if s.market}))
    more = [reason_said(alert.why, subject_said(entry))]
    if entry.standing.assignee:
        more.append(tr("It is {name}'s.").format(name=entry.standing.assignee))
    if state == "escalated":
        waited = tr("Nobody has decided about it for {span}.")
        more.insert(0, waited.format(span=wording.span(_wait(settings.alerts))))
    return News(
        about=entry.id, state=state, severity=severity, title=shown_title(entry), more=tuple(more),
        place=f"{board_address(settings)}/{links.alert(entry.id)}", at=alert.at, markets=markets,
        risk=entry.episode.risk, documents=entry.documents, owner=entry.standing.assignee,
    )  # fmt: skip


def _wait(settings: AlertSettings) -> timedelta:
    return timedelta(minutes=settings.escalate_minutes)


def of_alerts(inbox: Inbox, settings: Settings, deliveries: Sequence[Delivery], since: datetime) -> Iterator[News]:
    """Yield what began or became graver after a moment, of alerts that wait for a decision.

    What was told as grave as it is now is told no more; which receivers are concerned, `concerns` says.
    """
    as_grave: dict[str, int] = {}
    for one in deliveries:
        if one.state == "new" or one.state.startswith("graver"):
            as_grave[one.about] = max(as_grave.get(one.about, -1), SEVERITIES.index(one.severity))
    for entry in inbox.having("waiting"):
        episode = entry.episode
        if entry.phase == "over" or max(episode.alert.at, episode.gravest.at) <= since:
            continue
        before = as_grave.get(entry.id)
        if before is None:
            yield alert_news(entry, "new", settings)
        elif SEVERITIES.index(episode.severity) > before:
            yield alert_news(entry, f"graver: {episode.severity}", settings)


def concerns(receiver: Receiver, news: News) -> bool:
    """Return whether a receiver wants to hear of it."""
    if news.kind.startswith("source"):
        return receiver.sources
    grave = SEVERITIES.index(news.severity) >= SEVERITIES.index(receiver.severity)
    here = not receiver.markets or not news.markets or bool({*receiver.markets} & {*news.markets})
    return grave and here and (not receiver.risks or news.risk in receiver.risks)


def escalations(
    inbox_of: Callable[[Receiver], Inbox], settings: Settings, deliveries: Sequence[Delivery], now: datetime
) -> Iterator[tuple[Receiver, News]]:
    """Yield whom to tell of alerts that nobody has decided about for too long, since somebody was told of them.

    What was told in the future was told by a clock that was wrong: then the alert's own time counts.
    """
    if not settings.alerts.escalate_minutes:
        return
    receivers = {one.id: one for one in settings.alerts.receivers}
    for one in deliveries:
        if one.status != "sent" or one.sent_at is None or one.state == "escalated" or one.receiver not in receivers:
            continue
        entry = inbox_of(receivers[one.receiver])[one.about]
        if entry is None or entry.standing.status != "waiting" or entry.phase == "over":
            continue
        told_at = one.sent_at if one.sent_at <= now else entry.episode.alert.at
        if now - told_at >= _wait(settings.alerts) and (lead := _lead(entry.standing.assignee, one, receivers)):
            seen = inbox_of(receivers[lead])[one.about]  # nothing of markets that the lead does not see
            if seen is not None:
                told = partial(alert_news, seen, "escalated", settings)
                yield receivers[lead], in_tongue(receivers[lead].language, told)


def _lead(assignee: str, delivery: Delivery, receivers: dict[str, Receiver]) -> str:
    """Return the lead of the alert's owner, where the owner is known, else of whoever was told."""
    name = assignee.casefold()
    owner = next((r for r in receivers.values() if name and name in map(str.casefold, (r.id, *r.names))), None)
    return owner.lead if owner is not None else receivers[delivery.receiver].lead


def visits_of(reader: Reader, now: datetime) -> dict[str, list[CrawlRun]]:
    """Return the visits to each source that were not whole, and the last that was, newest first.

    What is noted of the future was noted by a clock that was wrong: it says nothing of now.
    """
    visits: dict[str, list[CrawlRun]] = defaultdict(list)
    until = now + timedelta(seconds=1)
    bad = reader.select(CrawlRun, states=NOT_WHOLE, until=until, limit=RUNS)
    found = [*bad, *reader.latest(CrawlRun, states=WHOLE, until=until)]
    for run in sorted(found, key=lambda run: run.started_at, reverse=True):
        visits[run.source].append(run)
    return visits


def of_sources(
    visits: Mapping[str, Sequence[CrawlRun]], settings: Settings, sent: Sequence[Delivery], now: datetime
) -> Iterator[News]:
    """Yield the sources that have failed, or been silent, at each of their last visits for too long; once, until one of
    them goes well. Also that no source has been visited at all.
    """  # noqa: D205  one sentence
    for source, own in sorted(visits.items()):
        bad = _streak(own)
        last_good = own[len(bad)].started_at if len(bad) < len(own) else None
        before = [row for row in sent if row.about == f"source:{source}" and _since(row, last_good, now)]
        long = bad and now - bad[-1].started_at >= timedelta(hours=settings.alerts.source_hours)
        if before or len(bad) < FEWEST_VISITS or not long:
            continue
        since, why = bad[-1].started_at, bad[0].error or bad[0].complaint
        failed = tr("Since {time} none of {count} visits went well: {why}")
        yield News(
            about=f"source:{source}", state=f"dying since {since.isoformat(timespec='seconds')}", severity="high",
            title=tr("{source} brings nothing").format(source=source), at=since,
            place=f"{board_address(settings)}/{links.source(source)}",
            more=(failed.format(time=wording.moment(since, "UTC"), count=len(bad), why=why[:300]),),
        )  # fmt: skip
    newest = max((own[0].started_at for own in visits.values()), default=None)
    if newest and now - newest >= timedelta(days=1):
        last = tr("The last visit was at {time}. Nothing can be seen meanwhile.")
        yield News(
            about="source:*", state=f"dying since {newest.isoformat(timespec='seconds')}", severity="critical",
            title=tr("No source has been visited for a day"), at=newest, place=f"{board_address(settings)}/sources",
            more=(last.format(time=wording.moment(newest, "UTC")),),
        )  # fmt: skip


def _since(row: Delivery, moment: datetime | None, now: datetime) -> bool:
    return row.at <= now and (moment is None or row.at > moment)


def _streak(visits: Sequence[CrawlRun]) -> list[CrawlRun]:
    """Return the newest visits, newest first, up to the last that went well."""
    end = next((k for k, run in enumerate(visits) if not (run.error or run.complaint)), len(visits))
    return list(visits[:end])


def held_until(receiver: Receiver, severity: Severity, settings: Settings, now: datetime) -> datetime | None:
    """Return until when quiet hours, the receiver's own or everybody's, hold something back; ``None``: they do not."""
    return quiet_until(now, severity, receiver.quiet_hours or settings.signals.quiet_hours)
