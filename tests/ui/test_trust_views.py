"""Quality, Rules and Policies on the board: what a command says, with doors for those who decide."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from groundswell.index.audit import Audit
from groundswell.index.open import open_store
from groundswell.index.permitted import Person
from groundswell.index.records import Case, Document
from groundswell.nlp.model.heads import Head
from groundswell.nlp.model.learned import PROPOSED, Learned, write_learned
from groundswell.nlp.trust.drift import days
from groundswell.ui.board import queries
from groundswell.ui.learning import folder_of, in_effect
from groundswell.ui.views import rules
from tests.index.makers import mention
from tests.ui.seed import World
from tests.ui.test_views import _html, _open

REPORT = {
    "wins": True, "before": 0.61, "after": 0.68,
    "reasons": ["kappa 0.61 before, 0.68 after"], "changed": 1, "looked_at": 9,
    "classes": [{"name": "gambling", "positives": 22, "before": 0.4, "after": 0.6, "learned": True}],
    "examples": [{"document": "d1", "before": "neutral", "after": "<i>negative</i>"}],
}  # fmt: skip


def test_what_was_learnt_is_shown_accepted_and_taken_back_on_the_board(shown: World) -> None:
    """The person's name stands in the audit log beside both."""
    one = Head(np.zeros((1, 3), np.float32), np.zeros(1, np.float32))
    write_learned(folder_of(shown.settings) / PROPOSED, Learned("m 1", ("gambling",), one, None, report=REPORT))
    app = _open("quality")
    assert "kappa 0.61 before" in _html(app)
    assert "<i>negative</i>" not in _html(app)
    app.text_input(key="me").input("Mei")
    app.button(key="accept-heads").click().run()
    assert not app.exception
    assert in_effect(shown.settings) is not None
    app.button(key="back-heads").click().run()
    assert in_effect(shown.settings) is None
    rows = [(row.who, row.what) for row in Audit(shown.settings.data_dir).rows()]
    assert rows[-2:] == [("Mei", "accept heads"), ("Mei", "roll back heads")]


def test_rules_are_tried_before_they_are_kept(shown: World) -> None:
    """What they would find is shown; what is no rule is a sentence."""
    app = _open("rules")
    app.text_area(key="rules-text").set_value(
        "rules:\n  - {id: own, about: ad_experience, any: ['ads?'], match: [ads], reject: [tea]}\n"
    )
    submit = next(button for button in app.button if button.label == "Try on stored documents")
    submit.click().run()
    assert not app.exception
    assert "What they would find" in _html(app)
    app.text_area(key="rules-text").set_value("rules: 7")
    next(button for button in app.button if button.label == "Try on stored documents").click().run()
    assert not app.exception
    assert "said trouble" in _html(app)


def test_a_question_leads_to_its_clause_and_its_precedents(shown: World) -> None:
    """The clause that shares its rare words comes first, with what was decided under it."""
    closed = Case(
        id="c1", title="Slots again", opened_at=shown.now, status="closed", severity="high", policy_area="gambling",
        cause="policy > no clause", decision="Taken down",
    )  # fmt: skip
    with open_store(shown.settings) as store:
        store.put([closed])
    html = _html(_open("policies", ask="is a casino ad allowed"))
    assert "Taken down" in html
    assert "policy" in html.split("Root causes")[1]
    titles = [part.split("</h3>")[0] for part in html.split("<h3>")[1:]]
    assert titles[0] == "Gambling"


def test_a_day_unlike_the_four_weeks_before_it_is_named(shown: World) -> None:
    """Ten posts a day, then sixty: that day, and no other; what moved on it stands behind its link."""
    noon = datetime(2026, 11, 20, 12, tzinfo=UTC)
    posts = [
        mention(f"p{day}-{n}", f"post {n}", hours=0, published_at=noon - timedelta(days=day))
        for day in range(1, 57) for n in range(60 if day == 5 else 10)
    ]  # fmt: skip
    folder = shown.settings.data_dir / "days"
    settings = shown.settings.model_copy(update={"data_dir": folder})
    with open_store(settings) as store:
        store.put(posts)
        found = [one for one in days(store, now=noon) if one.is_abnormal]
    assert [(one.day, one.documents, one.usual) for one in found] == [(date(2026, 11, 15), 60, 10.0)]
    html = _html(_open("quality", day=f"{shown.now - timedelta(days=1):%Y-%m-%d}"))
    assert "beside the four weeks before it" in html
    assert not _open("quality", day="no day").exception


def test_whoever_is_limited_sees_no_proposal_and_no_text_of_other_markets(
    shown: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was learnt is about all markets; rules are tried on texts of one's own."""
    one = Head(np.zeros((1, 3), np.float32), np.zeros(1, np.float32))
    write_learned(folder_of(shown.settings) / PROPOSED, Learned("m 1", ("gambling",), one, None, report=REPORT))
    monkeypatch.setattr(queries, "person", lambda: Person("arif", "analyst", ("SG",)))
    assert "kappa 0.61" not in _html(_open("quality"))
    texts, _ = rules._texts()
    with shown.reader() as reader:
        markets = {one.mention.market for one in reader.many(Document, [text.id for text in texts])}
    assert markets == {"SG"}
    monkeypatch.setattr(queries, "person", lambda: Person("arif", "analyst"))
    assert "accept-heads" not in {button.key for button in _open("quality").button}
