"""Every view draws itself from any store, and nothing from the web becomes Markdown on the way."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from groundswell.index.open import open_store
from groundswell.index.query import Query
from groundswell.index.records import Case, Checkpoint, Decision, Label, SavedSearch
from groundswell.ui.board import queries
from groundswell.ui.board.launch import SERVER, SETTINGS_VARIABLE, write_settings
from groundswell.ui.desk import Desk
from tests.ui.seed import HOSTILE, World, signal_id, theme_id

VIEWS = (
    "today",
    "inbox",
    "themes",
    "theme",
    "search",
    "document",
    "explain",
    "compare",
    "cases",
    "sources",
    "labels",
    "quality",
    "rules",
    "policies",
    "sql",
)


@pytest.fixture(autouse=True)
def _forget() -> None:
    """Begin each test with nothing cached."""
    queries._answers.clear()
    queries._settings.cache_clear()


def _open(view: str, **query: str) -> AppTest:
    app = AppTest.from_file(SERVER.with_name("main.py"), default_timeout=60)
    app.query_params["view"] = view
    for name, value in query.items():
        app.query_params[name] = value
    return app.run()


def _html(app: AppTest) -> str:
    """Return the HTML of the page, without our style sheet and script."""
    parts = [str(getattr(element, "value", "")) for element in app.get("html")]
    return "\n".join(part for part in parts if not part.startswith(("<style", "<script")))


def test_today_says_what_may_become_an_alert_and_how_likely(shown: World) -> None:
    """Each with its documents behind it, and never as an alert."""
    html = _html(_open("today"))
    assert "Rising, not yet sure" in html
    assert f"of=signal-{signal_id('loans')}" in html
    assert "31\N{NO-BREAK SPACE}%" in html


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_draws_a_full_store(shown: World, view: str) -> None:
    """No view fails, and each has its title."""
    app = _open(view, theme=theme_id("sneakers"))
    assert not app.exception
    assert "<h1>" in _html(app)


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_draws_an_empty_store(empty: World, monkeypatch: pytest.MonkeyPatch, view: str) -> None:
    """Before anything was crawled every view says so, and how to begin."""
    monkeypatch.setenv(SETTINGS_VARIABLE, str(write_settings(empty.settings, 1)))
    app = _open(view)
    assert not app.exception
    assert "<h1>" in _html(app)


@pytest.mark.parametrize(("page", "shown_as"), [("http://10.0.0.5:8787/status", True), ("javascript:alert(1)", False)])
def test_the_workers_of_a_cluster_stand_beside_the_sources(shown: World, page: str, shown_as: bool) -> None:
    """Who they were, and the way to Dask's own dashboard, if it is one of the web's."""
    met = {"token": "t", "workers": ["dask-1", "dask-2"], "scheduler": "tcp://10.0.0.5:8786", "dashboard": page}
    with open_store(shown.settings) as store:
        store.put([Checkpoint(id="cluster:meeting", value=met, at=shown.now)])
    queries._answers.clear()
    html = _html(_open("sources"))
    assert "2 workers of tcp://10.0.0.5:8786" in html
    assert "dask-1, dask-2" in html
    assert (f'href="{page}"' in html) == shown_as


def test_no_store_at_all_is_a_sentence_and_not_a_traceback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A board started in an empty folder says what to do."""
    from groundswell.configs.schema import Settings

    monkeypatch.setenv(SETTINGS_VARIABLE, str(write_settings(Settings(data_dir=tmp_path / "none"), 1)))
    app = _open("today")
    assert not app.exception
    assert "groundswell" in _html(app)


@pytest.mark.parametrize("view", ["today", "themes", "theme", "search", "sources"])
def test_what_strangers_wrote_is_escaped_everywhere(shown: World, view: str) -> None:
    """No view passes a stranger's element on to the page, nor to anything that reads Markdown."""
    app = _open(view, theme=theme_id("hostile"), q="hostileguest", source="")
    html = _html(app)
    assert "&lt;script&gt;" in html or "&lt;img" in html
    for text in HOSTILE[:2]:
        assert text not in html
    assert 'href="javascript:' not in html
    assert "evil.example" not in html
    for element in (*app.markdown, *app.button, *app.caption, *app.text_input):
        said = f"{getattr(element, 'value', '')}{getattr(element, 'label', '')}"
        assert not any(text in said for text in HOSTILE)


def test_a_case_is_opened_from_the_first_page(shown: World) -> None:
    """The button makes the case, the page says so, and the alert shows it."""
    app = _open("today")
    app.text_input(key="me").input("Mei")
    app.button(key=f"open-{signal_id('deepfake')}").click().run()
    assert not app.exception
    assert "due in 4" in _html(app)
    with shown.reader() as reader:
        cases = reader.recent(Case)
    assert [case.history[0].by for case in cases] == ["Mei"]
    assert f"cases?case={cases[0].id}" in _html(app)


def test_a_dismissed_and_a_snoozed_alert_leave_the_first_page_and_come_back(shown: World) -> None:
    """Both are gone at once, with their reasons; the others stay; the last one is taken back with one click."""
    app = _open("today")
    assert f"dismiss-{signal_id('hostile')}" not in {button.key for button in app.button}  # sent once it is open
    app.session_state[f"dismissing-{signal_id('hostile')}"] = True
    app.session_state[f"putting-off-{signal_id('adload')}"] = True
    app.run()
    app.button(key=f"dismiss-{signal_id('hostile')}").click().run()
    app.text_input(key=f"quiet-{signal_id('adload')}").input("a fix is on its way")
    app.button(key=f"snooze-{signal_id('adload')}").click().run()
    assert not app.exception
    assert "silent for 7 days" in _html(app)
    keys = {button.key for button in app.button}
    assert f"open-{signal_id('deepfake')}" in keys
    assert not {f"open-{signal_id('hostile')}", f"open-{signal_id('adload')}"} & keys
    app.button(key="undo").click().run()
    assert f"open-{signal_id('adload')}" in {button.key for button in app.button}


def test_the_inbox_says_who_decided_and_why(shown: World) -> None:
    """The dismissed are listed with name and reason; so is what is held back; other filters show what waits."""
    with shown.store() as store:
        Desk(store).dismiss([signal_id("deepfake")], reason="false alarm", by="mei", now=shown.now)
    assert "Dismissed by mei" in _html(_open("inbox", show="dismissed"))
    assert "weaker than the budget" in _html(_open("inbox", show="held"))
    waiting = _html(_open("inbox", show="nonsense"))
    assert "Minister" not in waiting
    assert "Paid for shoes" in waiting
    one = _html(_open("inbox", alert=signal_id("deepfake")))
    assert "false alarm" in one


def test_alerts_are_handled_together(shown: World) -> None:
    """Two are chosen and confirmed at once."""
    app = _open("inbox")
    both = [signal_id("deepfake"), signal_id("sneakers")]
    for one in both:
        app.checkbox(key=f"choose-{one}").check()
    app.run()
    app.button(key="bulk-confirm").click().run()
    assert not app.exception
    with shown.reader() as reader:
        assert {d.alert for d in reader.recent(Decision) if d.what == "confirmed"} == set(both)


def test_two_people_with_one_case_open(shown: World) -> None:
    """The second one's form is turned down with the first one's words, and what they typed stays."""
    with shown.store() as store:
        case = Desk(store).open_case(signal_id("sneakers"), by="mei", now=shown.now)
    mei, arif = _open("cases", case=case.id), _open("cases", case=case.id)
    mei.text_area(key=f"note-{case.id}").input("asked the shop")
    mei.button(key=f"FormSubmitter:edit-{case.id}-Save").click().run()
    assert "Saved." in _html(mei)
    arif.text_area(key=f"note-{case.id}").input("called the bank")
    arif.button(key=f"FormSubmitter:edit-{case.id}-Save").click().run()
    assert "somebody changed this case while you were writing" in _html(arif)
    assert "asked the shop" in _html(arif)
    assert arif.text_area(key=f"note-{case.id}").value == "called the bank"
    arif.button(key=f"FormSubmitter:edit-{case.id}-Save").click().run()
    assert "Saved." in _html(arif)
    with shown.reader() as reader:
        kept = reader.get(Case, case.id)
    assert kept is not None
    assert [note.text for note in kept.history[1:]] == ["asked the shop", "called the bank"]


def test_a_case_does_not_close_without_a_decision(shown: World) -> None:
    """The page says what is missing."""
    with shown.store() as store:
        case = Desk(store).open_case(signal_id("sneakers"), by="mei", now=shown.now)
    app = _open("cases", case=case.id)
    app.selectbox(key=f"status-{case.id}-0").select("closed")
    app.button(key=f"FormSubmitter:edit-{case.id}-Save").click().run()
    assert "cause and decision still missing" in _html(app)


def test_a_search_that_cannot_be_understood_says_where(shown: World) -> None:
    """The mistake is named, and what was meant."""
    html = _html(_open("search", q="sentiment:negativ"))
    assert "did you mean sentiment:negative" in html


def test_search_turns_pages_without_losing_or_repeating(shown: World) -> None:
    """Going on and back shows the same documents again."""
    app = _open("search", q="iklan")
    first = _html(app)
    app.button(key="next").click().run()
    second = _html(app)
    assert "1–20 of" in first
    assert "21–40 of" in second
    app.button(key="previous").click().run()
    assert _html(app) == first


def test_a_search_is_saved_and_found_again(shown: World) -> None:
    """A saved search stands in its list, as a link."""
    with shown.store() as store:
        Desk(store).save_search("slots in Indonesia", "risk:gambling market:ID", by="mei", now=shown.now)
    html = _html(_open("search"))
    assert "slots in Indonesia" in html
    assert "search?q=risk%3Agambling%20market%3AID" in html
    with shown.reader() as reader:
        assert len(reader.recent(SavedSearch)) == 1


def test_labels_show_precision_with_its_interval(shown: World) -> None:
    """One confirmed alert proves little, and the interval says how little."""
    with shown.store() as store:
        Desk(store).judge(signal_id("deepfake"), "false", by="mei", now=shown.now - timedelta(hours=1))
    html = _html(_open("labels"))
    assert "1.00 (0.21 to 1.00)" in html
    assert "0.00 (0.00 to 0.79)" in html


@pytest.mark.slow
def test_sql_answers_and_refuses_to_write(shown: World) -> None:
    """A statement that reads is answered; one that writes gets a sentence."""
    app = _open("sql")
    app.text_area(key="sql").input("select count(*) as n from themes")
    app.button(key="ask-sql").click().run()
    assert not app.exception
    assert int(app.dataframe[0].value["n"][0]) == 11
    app.text_area(key="sql").input("delete from themes")
    app.button(key="ask-sql").click().run()
    assert "only reading is possible here" in _html(app)


def test_a_hit_says_its_title_once(shown: World) -> None:
    """What was looked for is marked in the title itself, and the title is no first line of the text."""
    page = _html(_open("search", q="minister"))
    for head, body in re.findall(r"<h4[^>]*>(.*?)</h4>(.*?)</article>", page):
        assert "<mark>" in head or "inister" not in head
        assert f"<p>{head}</p>" not in body
    assert "<h4" in page


def _any(world: World, key: str) -> str:
    """Return the id of a document of a theme."""
    with world.reader() as reader:
        return reader.search(Query(where={"theme": (theme_id(key),)}, limit=1)).hits[0].document.id


def test_a_document_can_be_read_and_corrected_and_put_into_a_case(shown: World) -> None:
    """Its whole text, its probabilities and who made them; a correction is kept beside what the model said."""
    one = _any(shown, "slots")
    with shown.store() as store:
        case = Desk(store).open_case(signal_id("sneakers"), by="mei", now=shown.now)
    app = _open("document", id=one)
    html = _html(app)
    assert "seed 1" in html
    assert "0.93" in html
    app.button(key="correct").click().run()
    app.button(key="to-case").click().run()
    assert not app.exception
    with shown.reader() as reader:
        kept = [label for label in reader.recent(Label) if label.subject == one]
        assert [(label.field, label.value) for label in kept] == [("sentiment", "negative")]
        grown = reader.get(Case, case.id)
    assert grown is not None
    assert one in {item["id"] for item in grown.evidence}


def test_a_case_shows_all_that_it_holds_and_proves_it(shown: World) -> None:
    """Every document of it, the first at once and the others folded; one that was changed is called so."""
    with shown.store() as store:
        case = Desk(store).open_case(signal_id("sneakers"), by="mei", now=shown.now)
        html = _html(_open("cases", case=case.id))
        assert html.count("<article>") == len(case.evidence)
        assert "CHANGED" not in html
        forged = ({**case.evidence[0], "text": "nothing happened"}, *case.evidence[1:])
        store.edit(replace(case, evidence=forged), expected_version=case.version)
    assert _html(_open("cases", case=case.id)).count("CHANGED since") == 1


def test_the_queue_of_cases_is_ordered_and_narrowed_by_its_address(shown: World) -> None:
    """By severity, deadline or owner, and one owner's alone: whoever is sent the address sees the same."""
    with shown.store() as store:
        desk = Desk(store)
        grave = desk.open_case(signal_id("deepfake"), by="mei", owner="Zoe", now=shown.now)
        desk.open_case(signal_id("adload"), by="mei", owner="Arif", now=shown.now - timedelta(days=9))
        desk.open_case(signal_id("sneakers"), by="mei", now=shown.now - timedelta(days=1))
    first = {
        sort: re.findall(r"cases\?case=(\w+)", _html(_open("cases", sort=sort)))[0] for sort in ("severity", "due")
    }
    assert first["severity"] == grave.id
    assert first["due"] != grave.id
    assert "Arif" not in _html(_open("cases", owner="Zoe"))
    unowned = _html(_open("cases", owner="-"))
    assert "nobody" in unowned
    assert "Zoe" not in unowned


def test_what_may_disturb_waits_for_a_click(shown: World) -> None:
    """By the risks that it claims; what is denied, or of another risk, stands as it is."""
    from groundswell.ui.board.elements import esc
    from groundswell.ui.views.documents import folded

    words = esc("a knife was sold to a child")
    assert folded(words, ["gambling"]) == folded(words, []) == words
    hidden = folded(words, ["gambling", "dangerous_products"])
    assert hidden.startswith('<details class="disturbing"><summary>May disturb (dangerous products)')
    assert " open" not in hidden.split("<summary>")[0]
