"""What people do is kept: whole, in order, and never overwritten by somebody quicker or slower."""

from __future__ import annotations

from datetime import timedelta

import pytest

from groundswell.index.records import Case, Label, SavedSearch, Signal, Snooze
from groundswell.index.store import Conflict
from groundswell.ui.desk import DUE, Desk, DeskError
from tests.ui.seed import World, signal_id, theme_id


def test_a_case_keeps_the_evidence_as_it_stood(world: World) -> None:
    """The words of the documents stay with the case when the documents are gone."""
    with world.store() as store:
        case = Desk(store).open_case(signal_id("sneakers"), by="mei", now=world.now)
        signal = store.get(Signal, signal_id("sneakers"))
        assert signal is not None
        assert [item["id"] for item in case.evidence][: len(signal.evidence)] == list(signal.evidence)
        assert all(item["text"] and item["url"].startswith("https://") and item["made_by"] for item in case.evidence)
        assert case.due == world.now + DUE["high"]
        assert case.policy_area == "scam_shopping"


def test_the_same_alert_opens_one_case(world: World) -> None:
    """Two people press the button; there is one case, and the first one's words stand."""
    with world.store() as store:
        first = Desk(store).open_case(signal_id("sneakers"), by="mei", now=world.now)
        again = Desk(store).open_case(signal_id("sneakers"), by="arif", now=world.now + timedelta(minutes=1))
        assert again == first
        assert len(store.recent(Case)) == 1


def test_the_second_of_two_editors_is_told(world: World) -> None:
    """Both saw version nought; the second learns who changed what, and nothing is lost."""
    with world.store() as store:
        desk = Desk(store)
        case = desk.open_case(signal_id("sneakers"), by="mei", now=world.now)
        desk.edit_case(case.id, by="mei", now=world.now, note="asked the shop", expected_version=case.version)
        with pytest.raises(Conflict, match="mei: asked the shop"):
            desk.edit_case(case.id, by="arif", now=world.now, owner="arif", expected_version=case.version)
        kept = store.get(Case, case.id)
        assert kept is not None
        assert kept.owner == ""
        assert kept.history[-1].text == "asked the shop"


def test_history_tells_what_changed(world: World) -> None:
    """Every change stands in the history, in words, beside the note."""
    with world.store() as store:
        desk = Desk(store)
        case = desk.open_case(signal_id("sneakers"), by="mei", now=world.now)
        edited = desk.edit_case(case.id, by="arif", now=world.now, owner="arif", status="investigating", note="on it")
        assert [note.text for note in edited.history[1:]] == ["owner: arif; status: open → investigating", "on it"]
        assert {note.by for note in edited.history[1:]} == {"arif"}
        freed = desk.edit_case(case.id, by="arif", now=world.now, owner="")
        assert freed.owner == ""
        assert freed.history[-1].text == "owner: arif → nobody"


def test_saying_nothing_changes_nothing(world: World) -> None:
    """An edit without a change makes no version and no line."""
    with world.store() as store:
        desk = Desk(store)
        case = desk.open_case(signal_id("sneakers"), by="mei", now=world.now)
        assert desk.edit_case(case.id, by="arif", now=world.now, status="open", note="  ") == case


def test_a_case_closes_with_cause_and_decision(world: World) -> None:
    """Without them it stays open, and the message names what is missing."""
    with world.store() as store:
        desk = Desk(store)
        case = desk.open_case(signal_id("sneakers"), by="mei", now=world.now)
        with pytest.raises(DeskError, match="decision still missing"):
            desk.edit_case(case.id, by="mei", now=world.now, status="closed", cause="one seller")
        closed = desk.edit_case(
            case.id, by="mei", now=world.now, status="closed", cause="one seller", decision="account removed"
        )
        assert closed.status == "closed"


@pytest.mark.parametrize("status", ["done", "OPEN", "open; drop table"])
def test_an_unknown_status_is_refused(world: World, status: str) -> None:
    """The message lists those there are."""
    with world.store() as store:
        desk = Desk(store)
        case = desk.open_case(signal_id("sneakers"), by="mei", now=world.now)
        with pytest.raises(DeskError, match="investigating"):
            desk.edit_case(case.id, by="mei", now=world.now, status=status)


def test_what_does_not_exist_is_named(world: World) -> None:
    """A case from no alert, an edit of no case, a judgement of nothing."""
    with world.store() as store:
        desk = Desk(store)
        with pytest.raises(DeskError, match="no alert 'x'"):
            desk.open_case("x", by="mei", now=world.now)
        with pytest.raises(DeskError, match="no case 'x'"):
            desk.edit_case("x", by="mei", now=world.now, note="?")
        with pytest.raises(DeskError, match="no alert 'x'"):
            desk.judge("x", "false", by="mei", now=world.now)
        with pytest.raises(DeskError, match="not 'maybe'"):
            desk.judge(signal_id("sneakers"), "maybe", by="mei", now=world.now)  # type: ignore[arg-type]  # what is tested


def test_judging_again_changes_one_s_own_judgement_only(world: World) -> None:
    """One label for each person and alert; two people may disagree."""
    with world.store() as store:
        desk = Desk(store)
        desk.judge(signal_id("deepfake"), "false", by="mei", now=world.now)
        desk.judge(signal_id("deepfake"), "confirmed", by="mei", now=world.now + timedelta(minutes=1))
        desk.judge(signal_id("deepfake"), "false", by="arif", now=world.now)
        found = {
            label.annotator: label.value for label in store.recent(Label) if label.subject == signal_id("deepfake")
        }
        assert found == {"mei": "confirmed", "arif": "false"}


def test_a_snooze_is_written_where_the_policy_reads_it(world: World) -> None:
    """It is named by the theme and says until when, and who wants it."""
    with world.store() as store:
        until = Desk(store).snooze(theme_id("slots"), days=7, by="mei", now=world.now)
        snooze = store.get(Snooze, theme_id("slots"))
        assert snooze is not None
        assert (snooze.until, snooze.by) == (until, "mei")
        assert until == world.now + timedelta(days=7)


def test_a_saved_search_is_kept_replaced_and_forgotten(world: World) -> None:
    """The same name of the same person is one search."""
    with world.store() as store:
        desk = Desk(store)
        desk.save_search("mine", "risk:gambling", by="mei", now=world.now)
        saved = desk.save_search("mine", "risk:gambling market:SG", by="mei", now=world.now)
        assert [search.text for search in store.recent(SavedSearch)] == ["risk:gambling market:SG"]
        assert desk.forget_search(saved.id, by="mei")
        with pytest.raises(DeskError, match="needs a name"):
            desk.save_search(" ", "x", by="mei", now=world.now)


def test_control_characters_and_endless_texts_are_bounded(world: World) -> None:
    """What people type is kept as text of bounded length; Chinese spaces become plain ones."""
    with world.store() as store:
        desk = Desk(store)
        case = desk.open_case(signal_id("sneakers"), by="m\x1b[31mei\u202e", now=world.now)
        assert case.history[0].by == "m[31mei"
        edited = desk.edit_case(case.id, by="mei", now=world.now, note="好\u3000吗\x00" + "x" * 9000)
        assert edited.history[-1].text.startswith("好 吗xxx")
        assert len(edited.history[-1].text) <= 5000
