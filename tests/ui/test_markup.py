"""Whatever strangers wrote is shown as they wrote it, and does nothing."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as some

from groundswell.ui.board.elements import esc, highlighted, table, tag, web_address, web_link
from groundswell.ui.report import links


class _Seen(HTMLParser):
    """Collects what a browser would see."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.attributes: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element and its attributes."""
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]

    def handle_data(self, data: str) -> None:
        """Note text."""
        self.text += data


def _seen(html: str) -> _Seen:
    parser = _Seen()
    parser.feed(html)
    parser.close()
    return parser


@given(some.text())
def test_no_text_ever_makes_an_element_or_an_attribute(text: str) -> None:
    """Any text at all, in content and in an attribute, leaves exactly the one element that we made."""
    seen = _seen(tag("p", esc(text), title=text, data_x=text))
    assert seen.tags == ["p"]
    assert seen.attributes == ["title", "data-x"]


@given(some.text(alphabet="[]<>ab&\"'"))
def test_marks_of_a_hit_become_marks_and_nothing_else(fragment: str) -> None:
    """Whatever stands between the marks of a highlight, only ``mark`` elements come of it."""
    assert set(_seen(highlighted(fragment)).tags) <= {"mark"}


def test_unpaired_marks_stay_text() -> None:
    """A text may hold our marks by chance."""
    assert _seen(highlighted("a [[b]] c [[ d")).text == "a b c [[ d"


def test_direction_overrides_are_dropped() -> None:
    """A text may not turn around what stands beside it."""
    assert esc("photo\u202egnp.exe\u2066") == "photognp.exe"


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        " JaVaScRiPt:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "vbscript:x",
        "file:///etc/passwd",
        "//evil.example/x",
        "https://bank.example@evil.example/",
        "https://[::1",
        "",
        "no address",
    ],
)
def test_only_plain_web_addresses_become_links(url: str) -> None:
    """Anything but http and https with a host, and no user in it, is no link."""
    assert web_address(url) is None
    assert web_link(url) == ""


def test_a_link_shows_where_it_leads() -> None:
    """People see the domain, and the page they go to learns nothing of us."""
    html = web_link('https://www.forum.example/t/1?q="><script>')
    assert ">forum.example<" in html
    assert 'rel="noopener noreferrer nofollow"' in html
    assert _seen(html).tags == ["a"]


def test_cells_know_their_column() -> None:
    """On a phone the table's head is hidden and each cell names its column."""
    assert 'data-label="mood"' in table(("mood",), [[esc("−0.71")]])


def test_queries_that_lead_from_a_number_are_quoted() -> None:
    """A value with spaces stays one value, and OR stays within its brackets."""
    assert links.query_text(source="my feed", market="") == 'source:"my feed"'
    assert links.narrowed("a OR b", risk="gambling") == "search?q=%28a%20OR%20b%29%20risk%3Agambling"
    assert links.narrowed("risk:gambling", risk="gambling") == "search?q=risk%3Agambling"
