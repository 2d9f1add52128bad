"""The board in English, Chinese and Indonesian: every word of it, and for everybody their own."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from groundswell.configs.taxonomy import load_taxonomy
from groundswell.index.records import SEVERITIES, SignalKind
from groundswell.nlp.signals.alerts.explanation import RiskCount, Voices, sentence
from groundswell.ui.board import queries
from groundswell.ui.desk import DISMISSALS
from groundswell.ui.report import tongue, wording
from groundswell.ui.report.delivery.searches import TITLES
from groundswell.ui.report.reasons import reason_said
from groundswell.ui.report.tongue import counted, preferred, speak, tongue_of, tr
from groundswell.ui.views import cases, compare, inbox, search, sql, theme, themes
from tests.ui.seed import World
from tests.ui.test_views import _html, _open

UI = Path(tongue.__file__).parents[1]


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    """Begin and end in English."""
    queries._answers.clear()
    queries._settings.cache_clear()
    yield
    speak("en")


def _asked() -> Iterator[str]:
    """Yield every text that the code looks up: those it names, and those it finds in its tables."""
    for path in UI.rglob("*.py"):
        for call in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "tr":
                yield from (str(arg.value) for arg in call.args if isinstance(arg, ast.Constant))
    yield from wording.RISKS.values()
    yield from wording.MARKETS.values()
    yield from ({*wording.KINDS.values()} - {"more than usual"})
    yield from (*SEVERITIES, "growing", "active", "recovering", "over", "living", "faded", "merged", *DISMISSALS)
    yield from (inbox.NAMES.get(name, name) for name in (*inbox.SHOWN, "held"))
    yield from (*inbox.WHOSE, *search.SORTS.values(), *themes.ORDERS.values(), *cases.ORDERS.values())
    yield from (search._FACET_NAMES.get(field, field) for field in search.FACETS)
    yield from (title for title, _ in theme.BREAKDOWNS)
    yield from TITLES.values()
    yield from ("Groundswell reaches you", "This is a test that somebody asked for; nothing has happened.")
    yield from (*sql.SHOWN.values(), *compare.NAMES.values())
    for begin in ("It", "The gravest", "One of the gravest"):
        yield from (f"{begin} is over: {{what}}, {{where}}.", f"{begin} is {{phase}}: {{what}}, {{where}}.")


@pytest.mark.parametrize("language", ["zh", "id"])
def test_every_word_of_the_board_is_translated(language: str) -> None:
    """No text that the code looks up is missing from a catalogue, and each keeps what is put into it."""
    with (tongue.CATALOGUES / f"{language}.po").open("rb") as file:
        catalogue = read_po(file, locale=language)
    known = {str(message.id): str(message.string) for message in catalogue if message.id and not message.context}
    assert sorted(set(_asked()) - known.keys() - {""}) == []
    for text, said in known.items():
        assert said.strip(), text
        assert set(re.findall(r"{\w+}", text)) == set(re.findall(r"{\w+}", said)), text


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (["zh-CN"], "zh"), (["zh-SG"], "zh"), (["zh-HK"], "zh"), (["zh-Hant-TW"], "zh"), (["ZH_cn"], "zh"),
        (["id-ID"], "id"), (["in"], "id"), (["en-SG", "zh"], "en"), (["th", "id"], "id"), (["fr"], "en"), ([], "en"),
    ],
)  # fmt: skip
def test_everybody_finds_their_language(asked: list[str], found: str) -> None:
    """Whatever form its name has, in a person's own order."""
    assert tongue_of(asked) == found


def test_a_browser_s_order_is_kept() -> None:
    """By weight, then by place; what is excluded or cannot be read does not count."""
    assert preferred("th;q=0.5, zh-HK, en;q=0.8, id;q=0, *;q=0.1, x;q=y") == ["zh-HK", "en", "th"]
    assert preferred("") == []


def test_counts_and_dates_are_said_as_people_say_them() -> None:
    """Measure words in Chinese, no plural in Indonesian, dates in each language's order; what is unknown is English."""
    speak("zh")
    assert wording.plural(3, "document") == "3 篇文档"
    assert counted("never heard of") == "never heard of"
    assert tr("never heard of") == "never heard of"
    speak("id")
    assert wording.plural(3, "document") == "3 dokumen"
    speak("klingon")
    assert tongue.spoken() == "en"


@pytest.mark.parametrize("view", ["today", "inbox", "themes", "theme", "search", "cases", "sources", "labels", "sql"])
def test_every_view_speaks_chinese(shown: World, view: str) -> None:
    """Nothing breaks, the title is Chinese, and what the next person sees is in their language, not in this one's."""
    app = _open(view)
    app.selectbox(key="tongue").select("zh").run()
    assert not app.exception
    title = _html(app).partition("<h1>")[2].partition("</h1>")[0]
    assert any("\u4e00" <= letter <= "\u9fff" for letter in title), title
    english = _html(_open("today"))
    assert "<h1>Today</h1>" in english
    assert not any("\u4e00" <= letter <= "\u9fff" for letter in english.partition("Volume")[0].partition("card")[0])


def test_risks_of_the_taxonomy_have_names() -> None:
    """Those that ship have a name in each language, or their own."""
    speak("zh")
    names = {risk: wording.risk(risk) for risk in load_taxonomy(None).risk_ids}
    assert [risk for risk, name in names.items() if name.isascii()] == []


_KINDS: tuple[tuple[SignalKind, float, float, tuple[str, ...], tuple[float, float] | None], ...] = (
    ("surge", 12, 3.2, ("ban", "akun: x"), None),
    ("surge", 12, 0.1, ("ban",), None),
    ("new", 5, 0.001, (), None),
    ("new", 5, 1.0, (), None),
    ("sour", -0.8, -0.1, ("x",), (-0.1, -0.8)),
    ("spread", 4, 0.2, ("kind:review", "lang:th", "market:TH", "source:a b", "e", "f", "g"), None),
)


def _sentences() -> Iterator[str]:
    """Yield a sentence of every form that there is."""
    yield from (
        sentence(
            kind=kind, title=title, observed=observed, expected=expected, hours=hours, terms=terms, voices=voices,
            places=places, carries=carries, mood=mood,
        )
        for kind, observed, expected, terms, mood in _KINDS
        for hours in (1, 24, 72)
        for title in ("KickVault, sticker · shopping scam", "TradeNova: Halim Seng · new: deepfakes")
        for voices in (Voices(5), Voices(5, 5, 4), Voices(5, 3, 1))
        for places in ([], [("SG", 5)], [("SG", 2), ("MY", 1)], [(name, 1) for name in ("SG", "MY", "TH", "VN", "ID")])
        for carries in (None, RiskCount("scam_shopping", 3, 5, 0.41), RiskCount("gambling", 0, 5, 0.4))
    )  # fmt: skip


@pytest.mark.parametrize("language", ["zh", "id"])
def test_every_reason_is_said_in_the_reader_s_language_with_the_same_numbers(language: str) -> None:
    """All that the grammar of reasons can say; none is left in English, no number is lost, added or changed."""
    english = re.compile(r"\b(documents?|authors?|where|would|usual|usually|labelled|times|hours|days|market|apart)\b")
    sentences = list(_sentences())
    assert len(sentences) > 400
    bare = re.compile(r"^.*?: (?:more than usual|[\d.]+ times the usual), ")  # as a card says it below such a title
    sentences += [bare.sub("", why) for why in sentences if bare.match(why)]
    speak(language)
    for why in sentences:
        said = reason_said(why)
        assert said != why, why
        assert not english.search(said), said
        numbers, kept = (Counter(re.findall(r"\d+(?:\.\d+)?", text)) for text in (why, said))
        loose = {"0": why.count("none of"), "1": why.count("one author")}
        assert kept - numbers == +Counter({name: n for name, n in loose.items() if n}), said
        assert not numbers - kept, said


def test_what_is_no_such_sentence_stays_as_it_is() -> None:
    """Nothing is half translated."""
    speak("zh")
    for text in (
        "",
        "something else",
        "A: new, many documents",
        "A: new, 5 documents in 2 hours, where x would be usual.",
    ):
        assert reason_said(text) == text
