"""What the board says is so: every number leads to a search that finds it, on every page of the seeded world."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from groundswell.ui.board import queries
from groundswell.ui.cli import cli
from groundswell.ui.report.editions.page import make_digest
from groundswell.ui.report.inbox import find_inbox, how_it_goes
from groundswell.ui.report.today import look
from tests.ui.seed import World, signal_id, theme_id
from tests.ui.test_views import _html, _open
from tests.ui.truth import false_goes, false_lead, false_links, numbers_with_links

PAGES: tuple[tuple[str, dict[str, str]], ...] = (
    ("today", {}),
    ("inbox", {}),
    ("inbox", {"show": "held"}),
    ("inbox", {"alert": signal_id("deepfake")}),
    ("themes", {}),
    ("theme", {"theme": theme_id("sneakers")}),
    ("search", {"q": "iklan"}),
    ("search", {"q": "iklan", "copies": "1"}),
    ("search", {"q": "", "of": f"alert-{signal_id('deepfake')}"}),
    ("explain", {"q": "since:24h until:now"}),
    ("compare", {"q": "since:3d"}),
    ("sources", {}),
)


@pytest.mark.parametrize(("view", "asked"), PAGES, ids=str)
def test_every_number_leads_to_a_search_that_finds_it(shown: World, view: str, asked: dict[str, str]) -> None:
    """Each link of the page is followed, and what it finds is counted."""
    queries._answers.clear()
    queries._settings.cache_clear()
    html = _html(_open(view, **asked))
    with shown.reader() as reader:
        assert list(false_links(reader, html, queries.now())) == []


def test_the_mail_s_numbers_lead_to_searches_that_find_them(shown: World) -> None:
    """The same of the daily mail, and there is something to follow."""
    with shown.reader() as reader:
        html = make_digest(reader, shown.settings, now=shown.now).html
        assert numbers_with_links(html)
        assert list(false_links(reader, html, shown.now)) == []


def test_the_sentence_on_top_and_how_alerts_go_are_recounted(shown: World) -> None:
    """Every count of them from the documents themselves, one by one; there is something to recount."""
    with shown.reader() as reader:
        today = look(reader, shown.settings, now=shown.now)
        assert len(today.inbox.entries) >= 4
        assert list(false_goes(reader, today.inbox.entries, today.now)) == []
        assert list(false_lead(reader, today)) == []


def test_the_terminal_says_what_the_board_says(shown: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The list of alerts has each one's documents and how it goes as the inbox has them."""
    monkeypatch.setenv("GROUNDSWELL_NOW", shown.now.isoformat())
    said = CliRunner().invoke(cli, ["--set", f"data_dir={shown.settings.data_dir}", "signals", "--list"]).output
    with shown.reader() as reader:
        waiting = find_inbox(reader, now=shown.now).having("waiting")
        assert list(false_goes(reader, waiting, shown.now)) == []
    assert len(waiting) >= 3
    for entry in waiting:
        goes = how_it_goes(entry, "UTC").replace("\N{NO-BREAK SPACE}", " ")
        assert f"{entry.documents:,} document{'' if entry.documents == 1 else 's'}; {goes}" in said
