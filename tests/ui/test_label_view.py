"""The page Label: blind, by keys, one document after another."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from groundswell.configs.taxonomy import load_taxonomy
from groundswell.index.open import open_store
from groundswell.index.records import Document, Label
from groundswell.nlp.trust.sampling import task_of
from groundswell.ui.labelling import Labelling, guidelines, waiting
from tests.ui.seed import World
from tests.ui.test_views import _html, _open


def _page(world: World) -> AppTest:
    with open_store(world.settings) as store:
        documents = [document for document in store.recent(Document, limit=40) if document.enriched][:2]
        tasks = [task_of(document, "uncertain", now=world.now, why="x") for document in documents]
        Labelling(store, load_taxonomy().risk_ids).add(tasks)
    app = _open("label")
    app.text_input(key="me").set_value("mei").run()
    return app


def test_a_document_is_labelled_with_a_few_keys(shown: World) -> None:
    """Feeling, risks, save: both labels are kept under the name, and the next document comes."""
    app = _page(shown)
    first = _html(app)
    assert "2 documents waiting" in first
    app.button(key="save-label").click().run()
    assert "Say the feeling first" in _html(app)
    app.button(key="feel-negative").click().run()
    app.button(key="risk-gambling").click().run()
    app.button(key="save-label").click().run()
    assert not app.exception
    assert "1 document waiting" in _html(app)
    with shown.reader() as reader:
        labels = {label.field: label for label in reader.recent(Label) if label.queue == "uncertain"}
        assert len(waiting(reader)) == 1
    assert (labels["sentiment"].value, labels["risks"].value) == ("negative", "gambling")
    assert labels["risks"].annotator == "mei"
    assert labels["risks"].predicted


def test_nobody_labels_without_a_name(shown: World) -> None:
    """And an empty queue says how to fill it."""
    assert "Say who you are" in _html(_open("label"))
    app = _open("label")
    app.text_input(key="me").set_value("mei").run()
    assert "groundswell label draw audit" in _html(app)


def test_a_dispute_is_ruled_on_at_the_board_and_becomes_a_guideline(shown: World) -> None:
    """What both said stands there; the ruling counts from then on, and its note is shown to whoever labels."""
    with open_store(shown.settings) as store:
        document = store.recent(Document, limit=1)[0]
        store.put([
            Label(id=who, subject=document.id, field="gambling", value=value, annotator=who, at=shown.now)
            for who, value in (("mei", "yes"), ("tan", "no"))
        ])  # fmt: skip
    app = _open("label", part="disputes")
    app.text_input(key="me").set_value("lee").run()
    assert "mei: yes; tan: no" in _html(app)
    app.radio(key=f"ruled-{document.id}-gambling").set_value("yes")
    app.text_input(key=f"learn-{document.id}").set_value("a bonus is a bet")
    app.button(key=f"rule-on-{document.id}").click().run()
    assert not app.exception
    assert "People agree on everything" in _html(app)
    with shown.reader() as reader:
        assert [one.note for one in guidelines(reader)] == ["a bonus is a bet"]


def test_an_audit_is_drawn_at_the_board(shown: World) -> None:
    """With its share for a second person; what waits is told by queue."""
    app = _open("label", part="draw")
    app.text_input(key="me").set_value("lee").run()
    app.number_input(key="draw-size").set_value(10)
    app.number_input(key="draw-second").set_value(50)
    app.button(key="draw-now").click().run()
    assert not app.exception
    with shown.reader() as reader:
        tasks = waiting(reader)
    assert f"{len(tasks)} documents drawn" in _html(app)
    assert len(tasks) // 2 <= [task.wanted for task in tasks].count(2) <= len(tasks) // 2 + 1
