"""Who has had which digest: written down before it is sent, so that nobody gets one twice in silence, or none.

Each reader's edition is a `Delivery` in the ledger of alerts, about ``digest:DAY``; a server that says no costs that
reader alone. People have a message each. The addresses of ``digest.recipients`` all get the same: where no board can be
reached, so that no mail holds an address of one's own to end them, they have one message together, in which nobody sees
the others. Killed between the server's yes and our note of it, the same mail goes again under the same Message-ID and
says that it may be a repeat.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Self
from urllib.parse import urlencode

from groundswell.configs.schema import Person, Settings
from groundswell.index.files import held_alone, write_whole
from groundswell.index.ids import stable_id
from groundswell.index.permitted import Person as Limited
from groundswell.index.permitted import seen_by
from groundswell.index.records import Checkpoint, Delivery
from groundswell.index.store import Reader, Store
from groundswell.ui.report.delivery.ledger import OPEN, PERHAPS, Told, after_failure
from groundswell.ui.report.delivery.news import delivery_id
from groundswell.ui.report.delivery.send import NotDeliveredError
from groundswell.ui.report.discretion import Cleaner, secrets_of
from groundswell.ui.report.editions.changes import Morning
from groundswell.ui.report.editions.page import make_digest
from groundswell.ui.report.editions.people import Edition, edition_due, people_of
from groundswell.ui.report.granted import markets_of_reader
from groundswell.ui.report.mail import (
    DigestError,
    Envelope,
    RefusedError,
    UnknownError,
    address_of,
    hand_over,
    message_of,
)

LOCK_SECONDS = 120.0
"""How long to wait for another process that sends digests."""
STATE, AGAIN = "edition", "edition, after one by a clock that was ahead"
LIST_KEY = stable_id("readers", "list")
"""What names the readers of a plain list together in the headers of their mail."""
KEY_FILE = "unsubscribe.key"
MOST = 5_000
REMEMBERED = 60
"""Editions of a reader whose order is kept."""


@dataclass(frozen=True, slots=True)
class Had:
    """The editions that a reader has had, in the order in which they went out, which no clock can falsify."""

    editions: tuple[Edition, ...] = ()

    @classmethod
    def of(cls, mark: Checkpoint | None) -> Self:
        """Return what a mark says; one of an earlier version knows the last edition only."""
        if mark is None:
            return cls()
        rows = mark.value.get("editions") or [[mark.value["day"], mark.value["since"], mark.value["upto"]]]
        times = [(day, datetime.fromisoformat(since), datetime.fromisoformat(upto)) for day, since, upto in rows]
        return cls(tuple(Edition(day, since, upto) for day, since, upto in times))

    def by_wrong_clock(self, edition: Edition) -> bool:
        """Return whether an edition went out by a clock that was ahead: one that ended earlier followed it."""
        places = [k for k, each in enumerate(self.editions) if each.day == edition.day]
        return bool(places) and any(each.upto < edition.upto for each in self.editions[places[-1] + 1 :])

    def told(self, now: datetime) -> datetime | None:
        """Return up to when a reader has been told; editions of the future and those by a wrong clock do not count."""
        ends = [each.upto for each in self.editions if each.upto <= now and not self.by_wrong_clock(each)]
        return max(ends, default=None)

    def sent_as(self, edition: Edition) -> Edition | None:
        """Return an edition as it was sent, or ``None``."""
        same = [each for each in self.editions if each.day == edition.day and not self.by_wrong_clock(each)]
        return same[-1] if same else None

    def and_now(self, edition: Edition) -> list[list[str]]:
        """Return what a mark says once this edition has gone out."""
        every = [*self.editions, edition][-REMEMBERED:]
        return [[each.day, each.since.isoformat(), each.upto.isoformat()] for each in every]


def send_editions(
    store: Store, settings: Settings, *, now: datetime, only: Collection[str] = (), eager: bool = False
) -> Told:
    """Send everybody the edition that is due to them and that they have not had; return what became of it.

    Args:
        store: the ledger, and what is told of.
        settings: who, and by which server.
        now: the moment.
        only: ids of people; left out: everybody.
        eager: whether what failed is tried again before its pause is over, because somebody asks for it.

    Raises:
        DigestError: nobody to send to, no server, or another process has been sending for two minutes.
    """
    if not people_of(settings.digest):
        raise DigestError("nobody to send to: name people in digest.people, or addresses in digest.recipients")
    if not settings.digest.smtp_host:
        raise DigestError("no mail server: set digest.smtp_host (the digest was written to a file all the same)")
    try:
        with held_alone(settings.data_dir / "digest.lock", seconds=LOCK_SECONDS):
            return _Round(store, settings, now, eager=eager).go(only)
    except BlockingIOError:
        raise DigestError("another process is sending the digest; wait for it to end") from None


def due_now(reader: Reader, settings: Settings, *, now: datetime) -> list[tuple[Person, Edition]]:
    """Return who is to get which edition, without asking what stands in it."""
    stopped = stopped_people(reader, settings)
    found = []
    for person in people_of(settings.digest):
        edition = edition_of(reader, person, settings, now=now)
        row = reader.get(Delivery, _id(person, edition, _state(reader, person, edition)))
        if person.id not in stopped and (row is None or row.status in OPEN):
            found.append((person, edition))
    return found


def edition_of(reader: Reader, person: Person, settings: Settings, *, now: datetime) -> Edition:
    """Return the edition that is due to a person; it goes on where the last one that went out ended."""
    had = Had.of(reader.get(Checkpoint, _mark(person)))
    edition = edition_due(person, settings.digest, now=now, told=had.told(now))
    sent = had.sent_as(edition)
    return Edition(edition.day, sent.since, edition.upto) if sent else edition


def _mark(person: Person) -> str:
    return f"digest/told/{person.id}"


def _state(reader: Reader, person: Person, edition: Edition) -> str:
    """Return what tells an edition from one of the same day that a clock which was ahead sent out too early."""
    return AGAIN if Had.of(reader.get(Checkpoint, _mark(person))).by_wrong_clock(edition) else STATE


def _id(person: Person, edition: Edition, state: str) -> str:
    return delivery_id(person.id, f"digest:{edition.day}", state)


class _Round:
    """One look at who is to get a digest, and sending it."""

    def __init__(self, store: Store, settings: Settings, now: datetime, *, eager: bool) -> None:
        self.store, self.settings, self.now, self.eager = store, settings, now, eager
        self.clean = Cleaner(list(secrets_of(settings)))
        self.told = Told()
        self._mornings: dict[tuple[str, ...], Morning] = {}

    def _morning(self, person: Person) -> Morning:
        """Return what all share who see the same markets on the board."""
        markets = self._markets(person)
        if markets not in self._mornings:
            seen = seen_by(Limited(person.id, markets=markets), self.store)
            self._mornings[markets] = Morning(seen, self.settings)
        return self._mornings[markets]

    def _markets(self, person: Person) -> tuple[str, ...]:
        return markets_of_reader(person.address, self.settings)

    def go(self, only: Collection[str]) -> Told:
        """Send what is due, to one reader after the other; those of a plain list get one message together."""
        due = [
            (person, edition, row)
            for person, edition in due_now(self.store, self.settings, now=self.now)
            if not only or person.id in only
            if (row := self._open_row(person, edition)) is not None
        ]
        lists: dict[tuple[Edition, tuple[str, ...]], list[tuple[Person, Edition, Delivery]]] = {}
        for each in due:
            if self._listed(each[0], each[2]):
                lists.setdefault((each[1], self._markets(each[0])), []).append(each)
            else:
                self._one(*each)
        for (edition, _), listed in lists.items():
            if len(listed) > 1:
                self._list(edition, listed)
            else:
                self._one(*listed[0])
        return self.told

    def _open_row(self, person: Person, edition: Edition) -> Delivery | None:
        """Return what is known of a reader's edition; ``None`` where it is not its time yet."""
        state = _state(self.store, person, edition)
        row = self.store.get(Delivery, _id(person, edition, state)) or self._row(person, edition, state)
        waits = row.status == "failed" and not self.eager and row.next_at is not None and row.next_at > self.now
        return None if waits else row

    def _listed(self, person: Person, row: Delivery) -> bool:
        """Return whether a reader is one of a plain list, has an address, and surely has not had this edition."""
        digest = self.settings.digest
        alike = (
            person.address in digest.recipients and not digest.board_url
        )  # else each mail ends by a click of its own
        return alike and not _repeated(row) and not _no_address(person)

    def _one(self, person: Person, edition: Edition, row: Delivery) -> None:
        stop = stop_address(self.settings, person)
        digest = make_digest(
            self._morning(person), self.settings, now=self.now, person=person, edition=edition, stop=stop
        )  # fmt: skip
        (trying,) = self._begun([(person, edition, row)], digest.subject)
        envelope = Envelope(person.address, reader_key(person), stop, _repeated(row))
        try:
            message = message_of(digest, self.settings.digest, envelope)
            hand_over(self.settings.digest, message, [address_of(person.address, f"digest, {person.id}")])
        except DigestError as error:
            self._failed(person, trying, error)
        else:
            self._sent(person, edition, trying)

    def _list(self, edition: Edition, listed: Sequence[tuple[Person, Edition, Delivery]]) -> None:
        """Send those of a plain list one message, in which nobody sees the others; an answer counts for each alone."""
        first = listed[0][0]
        digest = make_digest(self._morning(first), self.settings, now=self.now, person=first, edition=edition)
        trying = self._begun(listed, digest.subject)
        addresses = [address_of(person.address, f"digest, {person.id}") for person, _, _ in listed]
        refused: Mapping[str, RefusedError] = {}
        failed: DigestError | None = None
        try:
            message = message_of(digest, self.settings.digest, Envelope("", LIST_KEY))
            refused = hand_over(self.settings.digest, message, addresses)
        except DigestError as error:
            failed = error
        for (person, _, _), address, row in zip(listed, addresses, trying, strict=True):
            fault = failed or refused.get(address.addr_spec)
            if fault is None:
                self._sent(person, edition, row)
            else:
                self._failed(person, row, fault)

    def _begun(self, whom: Sequence[tuple[Person, Edition, Delivery]], subject: str) -> list[Delivery]:
        """Note that mails are about to be sent; return their rows."""
        trying = [
            replace(row, status="sending", attempts=row.attempts + 1, next_at=None, title=subject[:200])
            for _, _, row in whom
        ]
        older = [old for person, edition, _ in whom for old in self._overtaken(person, edition)]
        self.store.put([*older, *trying])
        return trying

    def _sent(self, person: Person, edition: Edition, row: Delivery) -> None:
        had = Had.of(self.store.get(Checkpoint, _mark(person)))
        value = {"editions": had.and_now(edition)}
        sent = replace(row, status="sent", sent_at=self.now, said="accepted by the mail server")
        self.store.put([sent, Checkpoint(id=_mark(person), value=value, at=self.now)])
        self.told.sent += 1

    def _row(self, person: Person, edition: Edition, state: str) -> Delivery:
        return Delivery(
            id=_id(person, edition, state), receiver=person.id, about=f"digest:{edition.day}", state=state,
            at=self.now, severity="low",
        )  # fmt: skip

    def _overtaken(self, person: Person, edition: Edition) -> list[Delivery]:
        """Return this reader's older editions that never went out: the new one tells of their time."""
        rows = self.store.recent(Delivery, limit=MOST)
        return [
            replace(row, status="dead", said=f"overtaken by the digest of {edition.day}, which tells of its time too")
            for row in rows
            if row.receiver == person.id and row.about.startswith("digest:") and row.status in OPEN
            if row.about < f"digest:{edition.day}"
        ]

    def _failed(self, person: Person, row: Delivery, error: DigestError) -> None:
        why = self.clean(str(error))[:280]
        wrong_address = not isinstance(error, RefusedError) and _no_address(person)
        for_good = wrong_address or (isinstance(error, RefusedError) and error.for_good)
        fault = NotDeliveredError(why, for_good=for_good, perhaps=isinstance(error, UnknownError))
        after = after_failure(row, fault, why, self.settings.alerts.attempts, now=self.now)
        self.store.put([after])
        self.told.count_failed([after])
        self.told.troubles.append(f"{person.id}: {why}")


def _repeated(row: Delivery) -> bool:
    """Return whether a mail may have arrived before."""
    return row.status == "sending" or row.said.startswith(PERHAPS) or row.state == AGAIN


def _no_address(person: Person) -> bool:
    try:
        address_of(person.address, person.id)
    except DigestError:
        return True
    return False


# --- ending it -------------------------------------------------------------------------------------------------------


def reader_key(person: Person) -> str:
    """Return what names a reader in the headers of a mail and tells nothing of them; another address is another one."""
    return stable_id("reader", person.id, person.address)


def stop_address(settings: Settings, person: Person) -> str:
    """Return where one click ends a person's digests; empty where nobody said under which address the board is."""
    if not settings.digest.board_url:
        return ""
    asked = {"who": person.id, "key": stop_key(settings.data_dir, person)}
    return f"{settings.digest.board_url.rstrip('/')}/unsubscribe?{urlencode(asked)}"


def stop_key(folder: Path, person: Person) -> str:
    """Return what only whoever has a person's mail can know: an HMAC under a secret that the data folder keeps."""
    return hmac.new(_secret(folder), reader_key(person).encode(), hashlib.sha256).hexdigest()[:40]


def _secret(folder: Path) -> bytes:
    file = folder / KEY_FILE
    if not file.exists():
        with held_alone(folder / f"{KEY_FILE}.lock", seconds=10):
            if not file.exists():
                write_whole(file, secrets.token_hex(32).encode())
    return file.read_bytes()


def person_for(settings: Settings, who: str, key: str) -> Person | None:
    """Return the person whose mail holds an address with this key; ``None`` where it is not theirs."""
    person = next((one for one in people_of(settings.digest) if one.id == who), None)
    if person is None or not hmac.compare_digest(stop_key(settings.data_dir, person).encode(), key.encode()):
        return None
    return person


def stop(store: Store, person: Person, *, now: datetime) -> None:
    """End a person's digests."""
    store.put([Checkpoint(id=_stopped(person), value={"stopped": True}, at=now)])


def start_again(store: Store, person: Person, *, now: datetime) -> None:
    """Take the end of a person's digests back."""
    store.put([Checkpoint(id=_stopped(person), value={"stopped": False}, at=now)])


def stopped_people(reader: Reader, settings: Settings) -> set[str]:
    """Return the ids of those who have ended their digests."""
    by_mark = {_stopped(person): person.id for person in people_of(settings.digest)}
    return {by_mark[mark.id] for mark in reader.many(Checkpoint, sorted(by_mark)) if mark.value.get("stopped")}


def _stopped(person: Person) -> str:
    return f"digest/stopped/{reader_key(person)}"
