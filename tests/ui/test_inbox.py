"""Every alert stays until somebody has decided; every decision has a name, a reason and a way back."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from groundswell.index.records import Case, Decision, Label, Severity, Signal, Snooze
from groundswell.nlp.signals.alerts.episodes import Pace, episodes, phase
from groundswell.nlp.signals.stage import MARK
from groundswell.ui.desk import Desk, DeskError
from groundswell.ui.report import inbox
from groundswell.ui.report.inbox import Inbox, find_inbox
from tests.ui.seed import World, signal_id, theme_id

DAY = timedelta(days=1)
FAKE = signal_id("deepfake")


def _inbox(world: World, now: datetime | None = None) -> Inbox:
    with world.reader() as reader:
        return find_inbox(reader, now=now or world.now)


def _status(world: World, alert: str = FAKE, now: datetime | None = None) -> str:
    entry = _inbox(world, now)[alert]
    assert entry is not None
    return entry.standing.status


def test_an_alert_waits_however_old_it_is(world: World) -> None:
    """One of 60 days ago that nobody dealt with is still there, although newer candidates are many."""
    with world.store() as store:
        alert = store.get(Signal, FAKE)
        assert alert is not None
        begun = alert.at - 60 * DAY
        store.put([replace(alert, id="old", theme="", at=begun, start=begun - DAY, end=begun)])
        store.put(replace(alert, id=f"weak{k}", fired=False, held_by="budget") for k in range(1100))
    assert {"old", FAKE} <= {entry.id for entry in _inbox(world).having("waiting")}
    assert signal_id("loans") not in {entry.id for entry in _inbox(world).entries}


def test_the_mark_is_the_stage_s() -> None:
    """Spelt out in the report only because the stage is dear to import."""
    assert inbox.UPTO == MARK


@pytest.mark.parametrize("reason", ["false alarm", "duplicate", "the seller was removed on Monday"])
def test_a_dismissal_has_a_reason_and_a_way_back(world: World, reason: str) -> None:
    """Who, when and why stand on record; taken back, the alert waits again and what it taught is forgotten."""
    with world.store() as store:
        desk = Desk(store)
        desk.dismiss([FAKE], reason=reason, by="mei", now=world.now)
        assert _status(world) == "dismissed"
        desk.reopen([FAKE], by="arif", now=world.now + DAY)
        assert _status(world, now=world.now + DAY) == "waiting"
        kept = [(d.what, d.by, d.reason) for d in reversed(store.recent(Decision))]
        assert kept == [("dismissed", "mei", reason), ("reopened", "arif", "")]
        assert not [label for label in store.recent(Label) if label.subject == FAKE]


def test_a_decision_without_its_reason_is_refused(world: World) -> None:
    """And nothing is written of the others it was made with."""
    with world.store() as store:
        desk = Desk(store)
        with pytest.raises(DeskError, match="a dismissal needs a reason, such as: false alarm"):
            desk.dismiss([FAKE], reason=" ", by="mei", now=world.now)
        with pytest.raises(DeskError, match="a snooze needs a reason"):
            desk.put_off([FAKE], days=3, reason="", by="mei", now=world.now)
        with pytest.raises(DeskError, match="up to 90 days"):
            desk.put_off([FAKE], days=900, reason="known", by="mei", now=world.now)
        with pytest.raises(DeskError, match="no alert 'x'"):
            desk.assign([FAKE, "x"], to="mei", by="mei", now=world.now)
        assert not store.recent(Decision)


def test_many_alerts_are_decided_at_once(world: World) -> None:
    """Bulk actions, an assignee, and a filter by who has it."""
    both = [FAKE, signal_id("sneakers")]
    with world.store() as store:
        desk = Desk(store)
        desk.assign(both, to="noor", by="mei", now=world.now)
        desk.confirm(both, by="mei", now=world.now)
    entries = [entry for entry in _inbox(world).having("confirmed") if entry.standing.assignee == "noor"]
    assert {entry.id for entry in entries} == set(both)


def test_a_snooze_ends_by_itself(world: World) -> None:
    """Silent for three days with its reason, then the alert waits again and says why."""
    with world.store() as store:
        Desk(store).put_off([FAKE], days=3, reason="a fix is on its way", by="mei", now=world.now)
    assert _status(world) == "snoozed"
    entry = _inbox(world, world.now + 3 * DAY)[FAKE]
    assert entry is not None
    assert entry.standing.status == "waiting"
    assert "mei snoozed it" in entry.standing.note


def _worse(world: World, severity: Severity, at: datetime) -> None:
    """Put a follow-up of the sneakers' alert into the store."""
    with world.store() as store:
        alert = store.get(Signal, signal_id("sneakers"))
        assert alert is not None
        follow = replace(alert, id=f"f{severity}", at=at, severity=severity, fired=False, held_by="follow-up")
        store.put([replace(follow, follows=alert.id)])


def test_a_dismissed_alert_is_told_again_only_when_it_gets_worse(world: World) -> None:
    """More of the same leaves it dismissed; graver than at the time brings it back, with the reason."""
    shoes = signal_id("sneakers")
    with world.store() as store:
        Desk(store).dismiss([shoes], reason="known and handled elsewhere", by="mei", now=world.now)
    _worse(world, "high", world.now + timedelta(hours=1))
    assert _status(world, shoes, world.now + timedelta(hours=2)) == "dismissed"
    _worse(world, "critical", world.now + timedelta(hours=3))
    entry = _inbox(world, world.now + timedelta(hours=4))[shoes]
    assert entry is not None
    assert entry.standing.status == "waiting"
    assert entry.standing.note == "mei dismissed it as high: it has become critical"
    assert entry.episode.severity == "critical"


def test_an_alert_in_a_case_leaves_with_the_case(world: World) -> None:
    """In a case it waits for nobody; closed with the case it is closed."""
    with world.store() as store:
        desk = Desk(store)
        case = desk.open_case(FAKE, by="mei", now=world.now)
        assert _status(world) == "case"
        desk.edit_case(case.id, by="mei", now=world.now, status="closed", cause="one seller", decision="removed")
    assert _status(world) == "closed"


def test_twins_are_merged_and_parted_by_hand(world: World) -> None:
    """One event, one card; taken back there are two again, and they are not offered a second time."""
    with world.store() as store:
        alert = store.get(Signal, FAKE)
        assert alert is not None
        twin = replace(alert, id="twin", theme="", at=alert.at + timedelta(hours=2), start=alert.start)
        store.put([twin])
        offered = {entry.id: entry.twins for entry in _inbox(world).entries}
        assert offered["twin"] == (FAKE,)
        Desk(store).merge("twin", FAKE, by="mei", now=world.now)
        found = _inbox(world)
        assert found["twin"] == found[FAKE]
        later = world.now + timedelta(minutes=1)
        Desk(store).part("twin", FAKE, by="mei", now=later)
        parted = _inbox(world, later)
        assert parted["twin"] != parted[FAKE]
        assert [entry.twins for entry in parted.entries if entry.id == "twin"] == [()]
        with pytest.raises(DeskError, match="not with itself"):
            Desk(store).merge(FAKE, FAKE, by="mei", now=later)


def test_a_circle_of_merges_ends() -> None:
    """Two alerts merged into each other are one episode, not an endless walk."""
    at = datetime.fromisoformat("2026-11-20T00:00Z")
    one = Signal(
        id="a", theme="t1", kind="new", at=at, start=at - DAY, end=at, observed=9, expected=1, strength=2,
        severity="low", evidence=("m1",), why="", fired=True,
    )  # fmt: skip
    other = replace(one, id="b", theme="t2")
    found = episodes([one, other], until=at, merged={"a": "b", "b": "a"})
    assert sorted(signal.id for episode in found for signal in episode.signals) == ["a", "b"]


@pytest.mark.parametrize(
    ("now", "before", "usual", "hours", "goes"),
    [
        (43, 13, 1, 20, "growing"),
        (9, 8, 1, 20, "active"),
        (3, 20, 1, 60, "recovering"),
        (0, 0, 1, 60, "over"),
        (0, 0, 1, 12, "active"),
        (3, 2, 4, 60, "over"),
        (40, 38, 4, 600, "active"),
    ],
)
def test_how_an_episode_goes_is_told_by_two_days(now: int, before: int, usual: float, hours: int, goes: str) -> None:
    """Growing and recovering beyond chance; over when two days are as usual, but not on the first day."""
    assert phase(Pace(now, before, usual), timedelta(hours=hours)) == goes


def test_all_evidence_goes_into_the_case_and_can_be_proved(world: World) -> None:
    """Every document of the theme since the alert began, whole and hashed; what came later is marked."""
    from groundswell.index.query import Query
    from groundswell.ui.desk import fingerprint

    with world.store() as store:
        desk = Desk(store)
        case = desk.open_case(FAKE, by="mei", now=world.now)
        alert = store.get(Signal, FAKE)
        assert alert is not None
        window = Query(since=alert.start, until=world.now, where={"theme": (theme_id("deepfake"),)}, trusted_dates=True)
        whole = {document.id for document in store.scan(window)} | set(alert.evidence)
        assert {item["id"] for item in case.evidence} == whole
        others = [document.id for document in store.scan(Query(where={"theme": (theme_id("slots"),)}))][:3]
        grown = desk.add_documents(case.id, others, because="search: judi", by="arif", now=world.now)
        again = desk.add_documents(case.id, others, because="search: judi", by="arif", now=world.now)
        assert len(grown.evidence) == len(again.evidence) == len(whole) + 3
        assert [item["added_by"] for item in grown.evidence if "added_at" in item] == ["arif"] * 3
        assert "added 3 documents (search: judi)" in grown.history[-1].text
        assert all(fingerprint(item) == item["sha256"] for item in grown.evidence)
        assert fingerprint({**grown.evidence[0], "text": "other words"}) != grown.evidence[0]["sha256"]
        assert desk.catch_up(case.id, by="mei", now=world.now) == store.get(Case, case.id)


def test_a_snooze_whose_cause_is_gone_is_lifted(world: World) -> None:
    """Over, the theme wakes before signals are looked for again: what comes next is news; what goes on stays silent."""
    later = world.now + 20 * DAY
    with world.store() as store:
        desk = Desk(store)
        desk.put_off([FAKE], days=60, reason="a fix is on its way", by="mei", now=world.now)
        assert desk.lift_snoozes(now=world.now) == []
        assert desk.lift_snoozes(now=later) == [FAKE]
        snooze = store.get(Snooze, theme_id("deepfake"))
        assert snooze is not None
        assert not snooze.holds(later)
        assert desk.lift_snoozes(now=later) == []
    assert _status(world, now=later) == "waiting"
