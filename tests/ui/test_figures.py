"""Every figure that a page shows comes out of its question in SQL again; a figure without a question is found."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from html.parser import HTMLParser
from typing import Literal

import pytest

from groundswell.index.open import database
from groundswell.index.permitted import EVERYBODY
from groundswell.index.query import Query
from groundswell.index.records import Label, Moderation, Record, Sample
from groundswell.index.sql_child import Asked, _answer
from groundswell.index.sql_parameters import filled, parameters, searches
from groundswell.index.tables import DERIVED, NEEDS
from groundswell.ui.board import queries
from groundswell.ui.board.known import shown_values
from groundswell.ui.report.editions.page import make_digest
from groundswell.ui.report.figures import Figure, figures_of
from groundswell.ui.report.quality import as_html, look
from groundswell.ui.report.sql_tables import _rows, found_by
from groundswell.ui.report.wording import spelled
from tests.ui.seed import HOSTILE, World, signal_id, theme_id
from tests.ui.test_views import _html, _open

VOID = {"br", "img", "input", "meta", "link", "hr", "path", "circle", "line", "rect"}
UNITS = ("tr", "a.bar", "article", "li", "dl>div", "p", "section", "span")
"""Elements whose numbers belong together, the narrowest kinds first."""
NUMBER = re.compile(r"[−+-]?\d[\d,]*(?:\.\d+)?(?: ?%)?")
TIMES = re.compile(
    r"\d{1,2}:\d\d(?::\d\d)?"
    r"|\d{4}-\d\d(?:-\d\d)?\b|\b\d{1,2} (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*(?: \d{4})?"
    r"|\b[0-9a-f]{20}\b|\d+ (?:h|d|min|s|months?)(?: \d+ (?:h|min|s))?\b(?! of)|\bUTC[+-]\d+"
)
"""Moments and lengths of time: what a page says of its clock, no figure of what people said."""
FIXED = re.compile(
    r"(?:last|newest|over|×|first|of) \d+ days?|\d+ days(?= \(UTC\))|last 7 days|mood, 7 days|^30 days$"
    r"|^28 days$|95 %|the 28 before"
    r"|from [−+]?[\d.]+ to [−+]?[\d.]+; shaded"  # the ends of a picture's axis
    r"|from \.1 worth|At least 8|most \d+|\.1 worth|1–20 of"
)
NO_FIGURE = re.compile(
    r"head>|pre|code|h[1-4]|axis|span\.nowrap|p\.text|article>p|div\.dates|p\.note\.made|th$|div\.meta|p\.words>a\.tagged$"
)


@dataclass
class Unit:
    """The numbers that stand together on a page, and all the text around them."""

    place: str
    text: str


class _Units(HTMLParser):
    """Takes a page apart into units; what is no figure by its place is left out."""

    def __init__(self) -> None:
        super().__init__()
        self.stack: list[tuple[str, int]] = []
        self.units: dict[int, Unit] = {}
        self.made = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.made += 1
            self.stack.append((".".join([tag, *(dict(attrs).get("class") or "").split()]), self.made))

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID and self.stack:
            self.stack.pop()

    def handle_data(self, data: str) -> None:
        place = ">".join(name for name, _ in self.stack)
        if re.search(NO_FIGURE, place) or "details.known" in place:
            return
        key = next(
            (n for kind in UNITS for name, n in reversed(self.stack) if name == kind or name.split(".")[0] == kind),
            self.made,
        )
        unit = self.units.setdefault(key, Unit(place, ""))
        unit.text += f" {data}"


def units(html: str, quoted: Iterable[str] = HOSTILE) -> list[Unit]:
    """Return what a page says, taken apart; what people wrote, word by word as `quoted`, is no figure of ours."""
    parser = _Units()
    parser.feed(html)
    found = list(parser.units.values())
    for unit in found:
        for text in quoted:
            unit.text = unit.text.replace(text, "")
    return found


def numbers(text: str) -> list[str]:
    """Return the figures of a text: times, and what our own sentences fix, left out."""
    plain = re.sub("[\u00a0\u202f\u2009]", " ", text)
    return [found.replace(" ", "").replace("-", "−") for found in NUMBER.findall(FIXED.sub(" ", TIMES.sub(" ", plain)))]


def written(value: object) -> set[str]:
    """Return every way in which a page may write a value."""
    if isinstance(value, bool) or value is None:
        return set()
    if isinstance(value, str):
        return set(numbers(value)) | ({spelled(int(value)).lower()} if value.isdigit() else set())
    if isinstance(value, list | tuple):
        return set().union(*map(written, value), {str(len(value))})
    if isinstance(value, int):
        return {f"{value:,}", f"+{value:,}"}
    if not isinstance(value, float | Decimal):
        return set()
    return {way for nudge in (-1e-9, 0, 1e-9) for way in _written(float(value) + nudge)}


def _written(number: float) -> set[str]:
    """Return every way in which a page may round a number; what lies between two is written as either."""
    ways = {f"{number:{form}}" for form in (",.0f", "+,.0f", ".1f", "+.1f", ".2f", "+.2f", ".3f", "+.0f")}
    ways |= {
        f"{100 * number:.0f}%",
        f"{100 * number:+.1f}%",
        f"{round(number, 1):,g}",
        "1%" if 0 < number < 0.005 else "",
    }
    return {sign for way in ways for sign in (way.replace("-", "−"), way.replace("-", ""))}


Answers = Mapping[str, Sequence[tuple[object, ...]]]


def unexplained(found: Iterable[Unit], answers: Answers) -> Iterator[str]:
    """Yield what has a number that no answer gives: of a row of a table those of one row, else of one answer each."""
    rows = [set().union(*map(written, row)) for answer in answers.values() for row in answer]
    whole = [set().union(*(written(cell) for row in answer for cell in row)) for answer in answers.values()]
    every = set().union(*whole) if whole else set()
    for unit in found:
        told = numbers(unit.text)
        if not told:
            continue
        in_row = any(set(told) <= row for row in rows)
        tight = re.search(r"table\.(right|stack)|a\.bar|body>table>tr", unit.place)
        if not (in_row or (not tight and set(told) <= every)):
            yield f"{unit.place}: {told} of {unit.text!r}"


def ask(world: World, figure: Figure, values: Mapping[str, str]) -> Sequence[tuple[object, ...]]:
    """Ask a figure's question as a page would, in this process: the child takes most of its time to start."""
    needed = parameters(figure.question)
    given = {name: value for name, value in values.items() if value and name in needed}
    question = filled(figure.question, given)
    if question not in _asked:
        _asked[question] = _answered(world, question)
    return _asked[question]


def _answered(world: World, question: str) -> Sequence[tuple[object, ...]]:
    statement, named = searches(question)
    moment = queries.now()
    derived = {
        name: _rows(world.settings, moment, EVERYBODY, name)
        for name in DERIVED
        if name in statement or any(view in statement and name in NEEDS[view] for view in NEEDS)
    }
    _, rows, trouble = _answer(
        Asked(
            folder=world.settings.data_dir, statement=statement, seconds=60, rows=10_000, memory=1024, beside=1024,
            database=database(world.settings), derived=derived,
            found=[found_by(world.settings, one, now=moment, person=EVERYBODY) for one in named],
        )
    )  # fmt: skip
    assert not trouble, f"{trouble}\n{question}"
    return rows


_asked: dict[str, Sequence[tuple[object, ...]]] = {}
"""Answers that several pages need: the world of each test is a copy of one."""


PAGES: tuple[tuple[str, dict[str, str]], ...] = (
    ("today", {}),
    ("inbox", {}),
    ("inbox", {"alert": signal_id("deepfake")}),
    ("inbox", {"show": "held"}),
    ("themes", {}),
    ("theme", {"theme": theme_id("sneakers")}),
    ("search", {"q": "iklan"}),
    ("search", {"q": "", "of": f"alert-{signal_id('deepfake')}"}),
    ("explain", {"q": "since:24h until:now"}),
    ("explain", {"q": "iklan since:3d until:now"}),
    ("compare", {"q": "since:3d"}),
    ("sources", {}),
    ("cases", {}),
    ("labels", {}),
    ("label", {}),
    ("quality", {}),
    ("rules", {}),
    ("policies", {}),
)


@pytest.mark.parametrize(("view", "address"), PAGES, ids=str)
def test_every_figure_of_a_page_comes_out_of_sql(shown: World, view: str, address: dict[str, str]) -> None:
    """Each number that the page shows is in the answer of one of its questions; those of a row in one row."""
    queries._answers.clear()
    queries._settings.cache_clear()
    html = _html(_open(view, **address))
    values = shown_values(view, address)
    asked = [one for one in figures_of(view) if one.can_be_asked(values)]
    assert asked
    answers = {one.shows: ask(shown, one, values) for one in asked}
    for word in re.findall(r"<tr><td[^>]*>(?:● )?([^<]+)</td>", html) if view == "compare" else ():
        spoken = f'"{word}"' if " " in word else word
        answers[word] = [
            row for one in asked if "$word" in one.sql for row in ask(shown, one, values | {"word": spoken})
        ]
    assert list(unexplained(units(html), answers)) == []


def test_every_figure_of_the_digest_comes_out_of_sql(shown: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The daily mail says nothing that no question gives."""
    queries._answers.clear()
    monkeypatch.setattr(queries, "now", lambda: shown.now)
    with shown.reader() as reader:
        digest = make_digest(reader, shown.settings, now=shown.now)
        people_wrote = [document.mention.text for document in reader.scan(Query(since=digest.since))]
    assert digest.since is not None
    values = {"now": digest.at.isoformat(), "since": digest.since.isoformat()}
    answers = {one.shows: ask(shown, one, values) for one in figures_of("digest")}
    assert list(unexplained(units(digest.html, [*HOSTILE, *people_wrote]), answers)) == []


def test_every_figure_of_the_quality_report_comes_out_of_sql(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """With audits, agreement and moderation to report on."""
    monkeypatch.setattr(queries, "now", lambda: world.now)
    monkeypatch.setitem(globals(), "_asked", {})  # this world is no copy of the others
    with world.store() as store:
        store.put(list(_labelled(world)))
    with world.reader() as reader:
        html = as_html(look(reader, world.settings, days=90, now=world.now))
    assert html.count("<tr>") > 12
    answers = {one.shows: ask(world, one, {"now": world.now.isoformat()}) for one in figures_of("quality report")}
    assert list(unexplained(units(html), answers)) == []


def _labelled(world: World) -> Iterator[Record]:
    """Yield an audit of thirty documents, each labelled by two people, and decisions of moderators."""
    with world.reader() as reader:
        documents = [hit.document for hit in reader.search(Query(limit=30, trusted_dates=True)).hits]
    begun = world.now - timedelta(days=7)
    strata = {"all": {"": 900, "sentiment:negative": 600, "sentiment:positive": 100, "scam_shopping": 200}}
    yield Sample(id="audit", at=begun, by="mei", since=begun, until=world.now, drawn={"all": 30}, population=strata)
    for number, document in enumerate(documents):
        for who in ("mei", "tan"):
            yield Label(
                id=f"{who} {number}", subject=document.id, field="sentiment", annotator=who, at=world.now,
                value="neutral" if number % 7 == (who == "tan") else "negative", queue="audit", sample="audit",
                stratum="all", predicted=document.enriched.sentiment.label if document.enriched else "",
                made_by="model 1", lang="en", market="SG",
            )  # fmt: skip
        appeals: Sequence[Literal["", "kept", "overturned"]] = ("", "kept", "overturned")
        yield Moderation(
            id=f"decision {number}", item=str(number), decision="rejected", at=world.now, seconds=12.0,
            appeal=appeals[number % 3],
        )  # fmt: skip


def test_a_figure_without_a_question_is_found() -> None:
    """A number that no answer holds is told, and so is one of a row that lies in another row only."""
    page = "<p>7 alerts wait</p><table class='right'><tr><td>SG</td><td>3</td><td>5</td></tr></table>"
    assert list(unexplained(units(page), {"alerts": [(7,)], "rows": [("SG", 3, 5)]})) == []
    assert len(list(unexplained(units(page), {"alerts": [(8,)], "rows": [("SG", 3, 4), ("MY", 5, 1)]}))) == 2


def test_a_page_leads_to_its_questions(shown: World) -> None:
    """Beneath it, filled with its own moment and theme, for those who may ask in SQL."""
    html = _html(_open("theme", theme=theme_id("sneakers")))
    (begin,) = re.findall(r'<details class="known">.*', html)
    assert f"p_theme={theme_id('sneakers')}" in begin
    assert begin.count("<li>") >= 5
