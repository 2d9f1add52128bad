"""What the board says is so: every number leads to a search that finds it, on every page of the seeded world."""

from __future__ import annotations

import pytest

from groundswell.ui.board import queries
from groundswell.ui.report.digest import make_digest
from tests.ui.seed import World, signal_id, theme_id
from tests.ui.test_views import _html, _open
from tests.ui.truth import false_links, numbers_with_links

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
        assert len(numbers_with_links(html)) > 5
        assert list(false_links(reader, html, shown.now)) == []
