"""Posts that mean harm: in every view, brief, mail, search result and export they are text and nothing else."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from groundswell.index.export import export_search
from groundswell.index.query import Query
from groundswell.index.records import Case
from groundswell.ui.board import queries
from groundswell.ui.board.launch import SETTINGS_VARIABLE, write_settings
from groundswell.ui.desk import Desk
from groundswell.ui.report.brief import make_brief
from groundswell.ui.report.editions.page import make_digest
from tests.index import makers
from tests.ui.seed import World, signal_id, theme_id
from tests.ui.test_views import _html, _open

MARK = "wolfpost"
ZALGO = "z" + "\u0300\u0489\u0335\u0353" * 400
POSTS = {
    "script": f"{MARK} <script>parent.owned=1</script><svg onload=owned()><img src=x onerror=owned()>",
    "attribute": f'{MARK} " onmouseover="owned()" x=\'y\' --><b>',
    "markdown": f"{MARK} [pay](javascript:owned()) ![x](http://127.0.0.1:9/p.png) <http://127.0.0.1:9>",
    "directives": f"{MARK} :red[red] :material/home: :blue-badge[x] $$\\href{{javascript:owned()}}{{x}}$$ `code`",
    "bidi": f"{MARK} \u202egnp.exe\u202c \u2066x\u2069 \u200f\u200e\u061c",
    "zalgo": f"{MARK} {ZALGO}",
    "long": f"{MARK} " + "w" * 100_000,
    "formula": f'=HYPERLINK("http://127.0.0.1:9","{MARK}")',
    "marks": f"{MARK} [[[[x]] ]] [[<i>{MARK}</i>]]",
    "entities": f"{MARK} &lt;script&gt; &#x3c;b&#x3e; \x1b[2J \x07 \x00",
}
VIEWS: tuple[tuple[str, dict[str, str]], ...] = (
    ("today", {}),
    ("inbox", {}),
    ("themes", {}),
    ("theme", {"theme": theme_id("hostile")}),
    ("search", {"q": MARK}),
    ("search", {"q": POSTS["script"][:300]}),
    ("explain", {"q": f"{MARK} since:3d until:now"}),
    ("compare", {"q": MARK, "later": "<script>", "earlier": '"><b>'}),
    ("cases", {}),
    ("sources", {"source": "<script>alert(1)</script>"}),
    ("labels", {}),
    ("sql", {"sql": "select '<script>owned()</script>' as \"<img src=x onerror=owned()>\""}),
)


@pytest.fixture
def haunted(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Yield a world in which each of the posts stands in a theme, an alert's case, and under a title like itself."""
    queries._answers.clear()
    queries._settings.cache_clear()
    theme = theme_id("hostile")
    with world.store() as store:
        for name, text in POSTS.items():
            at = world.now - timedelta(hours=2)
            store.put(
                [
                    makers.mention(
                        name, text, title=text[:5000], published_at=at, fetched_at=at, source="mastodon_ads"
                    ),
                    makers.enriched(name, lang="th"),
                    makers.member(name, theme, at=at),
                ]
            )
        desk = Desk(store)
        case = desk.open_case(signal_id("hostile"), by=POSTS["script"], now=world.now)
        desk.add_documents(case.id, list(POSTS), because=POSTS["markdown"], by=POSTS["directives"], now=world.now)
    monkeypatch.setenv(SETTINGS_VARIABLE, str(write_settings(world.settings, 1)))
    yield world
    queries._settings.cache_clear()


class _Faults(HTMLParser):
    """Collects elements and attributes that no page of ours has."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag in {"script", "iframe", "form", "svg", "object", "meta", "base"}:
            self.found.append(f"<{tag}>")
        self.found += [f"{tag} {name}" for name in values if name.startswith("on")]
        for name in ("href", "src"):
            address = values.get(name, "")
            if re.match(r"\s*(?:javascript|vbscript|data:text)", address, re.IGNORECASE) or "127.0.0.1:9" in address:
                self.found.append(f"{tag} {name}={address[:60]}")


def _faults(html: str) -> list[str]:
    parser = _Faults()
    parser.feed(html)
    hidden = [f"U+{ord(char):04X}" for char in set(html) if char in "\u202d\u202e\u2066\x1b\x07\x00"]
    return parser.found + hidden


def _spoken(app: AppTest) -> str:
    """Return all that Streamlit would read as Markdown."""
    elements = (*app.markdown, *app.button, *app.caption, *app.text_input, *app.selectbox, *app.toggle)
    return "".join(f"{getattr(e, 'label', '')}{e.value if e in app.markdown else ''}" for e in elements)


def test_hostile_posts_are_text_in_every_view(haunted: World) -> None:
    """No element, no attribute, no address, no direction of theirs; nothing of them is read as Markdown."""
    for view, asked in VIEWS:
        app = _open(view, **asked)
        assert not app.exception, view
        html = _html(app)
        assert _faults(html) == [], view
        assert len(html) < 1_000_000, view
        assert not re.search(r":red\[red\]|javascript:|:material/home:", _spoken(app)), view


@pytest.mark.parametrize("name", POSTS)
def test_a_hostile_post_is_text_on_its_own_page(haunted: World, name: str) -> None:
    """All of it can be read there, and does nothing."""
    app = _open("document", id=name)
    assert not app.exception
    html = _html(app)
    assert _faults(html) == []
    assert MARK in html
    assert not re.search(r":red\[red\]|javascript:", _spoken(app))


def test_hostile_posts_are_text_in_brief_mail_and_files(haunted: World, tmp_path: Path) -> None:
    """The brief as HTML and Markdown, the mail, and the sheet, in which no cell is a formula."""
    with haunted.store() as store:
        case = next(one for one in store.recent(Case) if any(item["id"] == "script" for item in one.evidence))
        html = make_brief(store, case, haunted.settings, kind="html", now=haunted.now)
        written = make_brief(store, case, haunted.settings, kind="md", now=haunted.now)
        mail = make_digest(store, haunted.settings, now=haunted.now)
        export_search(store, Query(), tmp_path / "found.csv")
    assert [fault for fault in _faults(html) if fault != "<meta>"] == []
    assert [fault for fault in _faults(mail.html) if fault != "<meta>"] == []
    assert MARK in html
    assert not re.search(r"(?<!\\)<script|(?<!\\)\]\(\s*javascript", written)
    csv.field_size_limit(10_000_000)
    with (tmp_path / "found.csv").open(encoding="utf-8-sig", newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert any(MARK in cell for cell in cells)
    assert not [cell[:40] for cell in cells if re.match(r"\s*[=+@\t\r]|-\D", cell)]
