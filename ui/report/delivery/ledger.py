"""Who has been told what: each delivery is written down before it is made, so that a crash shows and nothing is doubled
in silence.

A delivery that was begun and not ended by a process that is gone may or may not have arrived. It is made again, under
the same name, and says that it may be a repeat.
"""  # noqa: D205  one sentence

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial

from groundswell.configs.schema import Receiver, Settings
from groundswell.index.files import held_alone
from groundswell.index.ids import stable_id
from groundswell.index.open import OpenReader
from groundswell.index.permitted import Person, seen_by
from groundswell.index.records import SEVERITIES, Checkpoint, CrawlRun, Delivery
from groundswell.index.store import Store
from groundswell.ui.report import wording
from groundswell.ui.report.delivery import news as telling
from groundswell.ui.report.delivery.news import News
from groundswell.ui.report.delivery.searches import turns
from groundswell.ui.report.delivery.send import Message, NotDeliveredError, deliver
from groundswell.ui.report.discretion import Cleaner, secrets_of
from groundswell.ui.report.granted import markets_of_reader
from groundswell.ui.report.inbox import Inbox, find_inbox
from groundswell.ui.report.tongue import in_tongue, tr
from groundswell.ui.report.topics import know_topics

MARK = "notify"
"""Checkpoint: since when each receiver is told; what was before is old news to it."""
NEWCOMER = timedelta(days=1)
"""How far back the first news of a new receiver goes."""
MOST = 20_000
FIRST_PAUSE, LONGEST_PAUSE = 30.0, 7200.0
LOCK_SECONDS = 60.0
FARTHEST = timedelta(hours=26)
"""No quiet hours and no pause are longer: what is planned for later was planned while the clock was wrong."""
PERHAPS = "perhaps it arrived: "
"""Begins what is noted of a delivery that broke off after it was begun: the next try says so."""
OPEN = frozenset({"due", "held", "sending", "failed"})
log = logging.getLogger(__name__)
Hand = Callable[[Message, Receiver, Settings, datetime], str]


def _hand(message: Message, receiver: Receiver, settings: Settings, now: datetime) -> str:
    return deliver(message, receiver, settings, now=now)


@dataclass(slots=True)
class Told:
    """What became of one round."""

    sent: int = 0
    failed: int = 0
    dead: int = 0
    held: int = 0
    troubles: list[str] = field(default_factory=list)

    def count_failed(self, rows: Sequence[Delivery]) -> None:
        """Count what did not go through."""
        self.dead += sum(row.status == "dead" for row in rows)
        self.failed += sum(row.status != "dead" for row in rows)

    def __str__(self) -> str:
        """Return the counts as a sentence; nothing where there was nothing to do."""
        parts = [f"{self.sent:,} delivered"] if self.sent else []
        parts += [f"{self.held:,} held in quiet hours"] if self.held else []
        parts += [f"{self.failed:,} to be tried again"] if self.failed else []
        parts += [f"{self.dead:,} given up"] if self.dead else []
        return ", ".join(parts)


def notify(store: Store, settings: Settings, *, now: datetime, hand: Hand = _hand) -> Told:
    """Tell every receiver what is due; return what became of it. Two processes at once tell once.

    Raises:
        BlockingIOError: another process has been telling for a minute.
    """
    if not settings.alerts.receivers:
        return Told()
    with held_alone(settings.data_dir / "notify.lock", seconds=LOCK_SECONDS):
        return _Round(store, settings, now, hand).go()


class _Round:
    """One look at what is to be told, and telling it."""

    def __init__(self, store: Store, settings: Settings, now: datetime, hand: Hand) -> None:
        self.store, self.settings, self.now, self.hand = store, settings, now, hand
        self.receivers = {one.id: one for one in settings.alerts.receivers}
        self.rows = {row.id: row for row in store.recent(Delivery, limit=MOST)}
        self.clean = Cleaner(list(secrets_of(settings)))
        self.news: dict[str, News] = {}
        self.marks: list[Checkpoint] = []
        know_topics(settings)
        self._inboxes: dict[tuple[str, ...], Inbox] = {}
        self.told = Told()

    def go(self) -> Told:
        """Note what is new, then hand over all that is due, to one receiver after the other."""
        self._note_new()
        for receiver, rows in self._due().items():
            for together in self._together(self.receivers[receiver], rows):
                self._tell(self.receivers[receiver], together)
        return self.told

    # What each may hear of

    def _markets(self, receiver: Receiver) -> tuple[str, ...]:
        """Return the markets that a person sees on the board alone; none: all, or it is no person."""
        return markets_of_reader(receiver.address, self.settings) if receiver.address else ()

    def _seen(self, receiver: Receiver) -> OpenReader:
        return seen_by(Person(receiver.id, markets=self._markets(receiver)), self.store)

    def _inbox(self, receiver: Receiver) -> Inbox:
        """Return the alerts that a receiver sees; one look for all who see the same markets."""
        markets = self._markets(receiver)
        if markets not in self._inboxes:
            self._inboxes[markets] = find_inbox(self._seen(receiver), now=self.now, whole=False)
        return self._inboxes[markets]

    # What is to be told

    def _note_new(self) -> None:
        fresh = [row for receiver, news in self._wanted() if (row := self._row(receiver, news)) is not None]
        self.told.held = sum(row.status == "held" for row in fresh)
        self.store.put([*fresh, *self.marks])
        self.rows |= {row.id: row for row in fresh}

    def _wanted(self) -> Iterator[tuple[Receiver, News]]:
        since = self._since()
        earlier = sorted(self.rows.values(), key=lambda row: row.at)
        for receiver in self.receivers.values():
            own = [row for row in earlier if row.receiver == receiver.id]
            alerts = telling.of_alerts(self._inbox(receiver), self.settings, own, since[receiver.id])
            for news in _told(receiver, alerts):
                if telling.concerns(receiver, news):
                    yield receiver, news
            if receiver.sources:
                sources = telling.of_sources(self._visits(receiver), self.settings, own, self.now)
                yield from ((receiver, news) for news in _told(receiver, sources))
        for turn in turns(self.store, self.settings, now=self.now):
            self.marks.append(turn.mark)
            named = [self.receivers[one] for one in turn.search.tell if one in self.receivers] if turn.change else []
            tell = [one for one in named if not self._markets(one)]  # its counts are of all markets
            yield from ((one, in_tongue(one.language, turn.change)) for one in tell if turn.change)
        yield from telling.escalations(self._inbox, self.settings, earlier, self.now)

    def _visits(self, receiver: Receiver) -> dict[str, list[CrawlRun]]:
        return telling.visits_of(self._seen(receiver), self.now)

    def _since(self) -> dict[str, datetime]:
        """Return since when each receiver is told; a new one hears of the last day, once and for all."""
        mark = self.store.get(Checkpoint, MARK)
        begun = {name: datetime.fromisoformat(at) for name, at in (mark.value if mark else {}).items()}
        begun = {name: at for name, at in begun.items() if at <= self.now}  # of the future: the clock was wrong then
        fresh = {name: self.now - NEWCOMER for name in self.receivers if name not in begun}
        if fresh:
            value = {name: at.isoformat() for name, at in {**begun, **fresh}.items()}
            self.store.put([Checkpoint(id=MARK, value=value, at=self.now)])
        return {**begun, **fresh}

    def _row(self, receiver: Receiver, news: News) -> Delivery | None:
        """Return the delivery of news to a receiver, unless it is there already."""
        own = telling.delivery_id(receiver.id, news.about, news.state)
        self.news[own] = news
        if own in self.rows or self.store.get(Delivery, own) is not None:
            return None
        until = telling.held_until(receiver, news.severity, self.settings, self.now)
        return Delivery(
            id=own, receiver=receiver.id, about=news.about, state=news.state, at=self.now, severity=news.severity,
            title=news.title[:200], status="held" if until else "due", next_at=until,
        )  # fmt: skip

    # Telling it

    def _due(self) -> dict[str, list[Delivery]]:
        """Return what is due by receiver, gravest first; one who is no receiver any more is told nothing."""
        due: dict[str, list[Delivery]] = defaultdict(list)
        for row in self.rows.values():
            wait = row.next_at - self.now if row.next_at else timedelta()
            ready = row.status == "sending" or not timedelta() < wait < FARTHEST
            ours = not row.about.startswith("digest:")  # those have a ledger of their own
            if row.status in OPEN and ready and ours and row.receiver in self.receivers:
                due[row.receiver].append(row)
        grave = SEVERITIES.index
        return {
            name: sorted(rows, key=lambda row: (-grave(row.severity), row.at, row.id)) for name, rows in due.items()
        }

    def _together(self, receiver: Receiver, rows: Sequence[Delivery]) -> Iterator[list[Delivery]]:
        """Yield what goes in one message: to people all that is fresh, what was tried before each as it was tried."""
        again = [row for row in rows if row.attempts or row.status == "sending"]
        fresh = [row for row in rows if row not in again]
        yield from ([row] for row in again)
        if receiver.kind == "webhook":
            yield from ([row] for row in fresh)
        elif fresh:
            yield fresh

    def _tell(self, receiver: Receiver, rows: Sequence[Delivery]) -> None:
        begun = any(row.status == "sending" or row.said.startswith(PERHAPS) for row in rows)
        trying = [replace(row, status="sending", attempts=row.attempts + 1, next_at=None) for row in rows]
        items = [
            self.news.get(row.id) or in_tongue(receiver.language, partial(self._again, receiver, row)) for row in rows
        ]
        name = rows[0].id if len(rows) == 1 else stable_id("message", *(row.id for row in rows))
        self.store.put(trying)
        try:
            answer = self.hand(Message(name, items, repeat=begun), receiver, self.settings, self.now)
        except NotDeliveredError as error:
            self._failed(receiver, trying, error)
        else:
            done = [replace(row, status="sent", sent_at=self.now, said=self.clean(answer)[:300]) for row in trying]
            self.store.put(done)
            self.told.sent += len(done)

    def _again(self, receiver: Receiver, row: Delivery) -> News:
        """Return what a delivery is about as it is by now; as it was written down where there is no such alert."""
        entry = self._inbox(receiver)[row.about]
        if entry is not None:
            news = telling.alert_news(entry, row.state, self.settings)
            by = entry.standing.decision
            since = ""
            if by and entry.standing.status != "waiting":
                since = tr("Meanwhile {name} has {what} it.").format(name=by.by, what=tr(by.what))
            return replace(news, more=(*filter(None, (since,)), *news.more))
        from groundswell.ui.report import links
        from groundswell.ui.report.digest import board_address

        return News(
            about=row.about, state=row.state, severity=row.severity, title=row.title, at=row.at,
            more=(tr("Found at {time}.").format(time=wording.moment(row.at, "UTC")),),
            place=f"{board_address(self.settings)}/{links.told(row.about)}",
        )  # fmt: skip

    def _failed(self, receiver: Receiver, rows: Sequence[Delivery], error: NotDeliveredError) -> None:
        why = self.clean(str(error))[:300]
        after = [after_failure(row, error, why, self.settings.alerts.attempts, now=self.now) for row in rows]
        self.store.put(after)
        self.told.count_failed(after)
        self.told.troubles.append(f"{receiver.id}: {why}")


def _told(receiver: Receiver, news: Iterator[News]) -> list[News]:
    """Return news in a receiver's language: they are put into words as they are yielded."""
    return in_tongue(receiver.language, lambda: list(news))


def after_failure(row: Delivery, error: NotDeliveredError, why: str, attempts: int, *, now: datetime) -> Delivery:
    """Return a delivery that did not go through: given up, or to be tried again after ever longer pauses."""
    dead = error.for_good or row.attempts >= attempts
    pause = max(min(FIRST_PAUSE * 4 ** (row.attempts - 1), LONGEST_PAUSE), error.wait)
    next_at = None if dead else now + timedelta(seconds=pause)
    text = f"{PERHAPS}{why}" if error.perhaps else why
    return replace(row, status="dead" if dead else "failed", said=text[:300], next_at=next_at)


def try_again(store: Store, ids: Sequence[str], *, now: datetime) -> int:
    """Let deliveries that were given up be tried again; return how many there were."""
    rows = [row for row in store.recent(Delivery, limit=MOST) if row.status == "dead" and (not ids or row.id in ids)]
    store.put([replace(row, status="due", attempts=0, next_at=now) for row in rows])
    return len(rows)


def send_test(settings: Settings, receiver: Receiver, *, now: datetime) -> str:
    """Send one message that says it is a test; return what the other side said.

    Raises:
        NotDeliveredError: it did not take it.
    """
    from groundswell.ui.report.digest import board_address

    title, text = "Groundswell reaches you", "This is a test that somebody asked for; nothing has happened."
    said = in_tongue(receiver.language, lambda: (tr(title), tr(text)))
    news = News(
        about="test", state="test", severity="low", title=said[0], at=now, place=board_address(settings), more=said[1:]
    )
    return deliver(Message(stable_id("test", receiver.id, now.isoformat()), [news]), receiver, settings, now=now)


__all__ = ["Told", "notify", "send_test", "try_again"]
