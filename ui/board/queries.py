"""What the views read, cached until the store changes: a rerun of a page asks the store nothing twice."""

from __future__ import annotations

import csv
import os
import threading
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast
from urllib.parse import urlsplit

import streamlit as st

from groundswell.configs.people import load_people
from groundswell.configs.schema import Settings, SqliteSettings
from groundswell.configs.yaml_lines import ConfigError
from groundswell.index.audit import Audit, Entry
from groundswell.index.closed_fields import closed_values
from groundswell.index.cluster import Meeting, last_meeting
from groundswell.index.open import OpenReader, database, open_reader, open_store
from groundswell.index.permitted import EVERYBODY, PermittedStore, Person, seen_by
from groundswell.index.query import Bucket, By, Page, Query
from groundswell.index.records import Theme, Vector
from groundswell.index.store import Reader, StoreError
from groundswell.index.tables import harmless
from groundswell.nlp.enrich.stage import Model
from groundswell.nlp.signals.alerts.feedback import Proposal, current
from groundswell.ui.board.elements import esc, tag
from groundswell.ui.board.identity import SignInError, person_of
from groundswell.ui.board.kept import Kept, Stamp
from groundswell.ui.board.launch import SETTINGS_VARIABLE, own_address
from groundswell.ui.desk import Desk
from groundswell.ui.report import wording
from groundswell.ui.report.asked import Asked
from groundswell.ui.report.coverage import Coverage, coverage
from groundswell.ui.report.disturbing import disturbing as report_disturbing
from groundswell.ui.report.explain import Explanation, explain
from groundswell.ui.report.gloss import Glossary
from groundswell.ui.report.inbox import Inbox, find_inbox
from groundswell.ui.report.today import Today, look, moment_of
from groundswell.ui.report.tongue import in_english, tr

if TYPE_CHECKING:
    from groundswell.nlp.text.translation import ArgosPackage, Translator

R = TypeVar("R")
MINUTES = 5
"""How long a page may call itself "now" before it is made anew although nothing changed."""


@cache
def _settings(path: str) -> Settings:
    return Settings.model_validate_json(Path(path).read_text(encoding="utf-8"))


def settings() -> Settings:
    """Return the settings that the board was started with; on its own, those found in the current folder."""
    path = os.environ.get(SETTINGS_VARIABLE)
    if path:
        return _settings(path)
    from groundswell.configs.load import load_settings

    return load_settings()


def stamp() -> Stamp:
    """Return something that differs once the store has changed."""
    return Stamp(_changes[0], _state_of_store())


def _state_of_store() -> str:
    given = settings()
    if not isinstance(given.store, SqliteSettings):
        return str(int(datetime.now(UTC).timestamp()) // given.board.refresh_seconds)
    file = database(given)
    return "|".join(_touched(Path(f"{file}{end}")) for end in ("", "-wal"))


def _touched(file: Path) -> str:
    try:
        state = file.stat()
    except OSError:
        return "-"
    return f"{state.st_ino}.{state.st_mtime_ns}.{state.st_size}"


def zone() -> str:
    """Return the time zone in which every time on the board is said."""
    return settings().board.timezone


def clock() -> datetime:
    """Return the present moment, in steps: what was made in the same step may be shown again."""
    now = datetime.now(UTC)
    return now.replace(minute=now.minute - now.minute % MINUTES, second=0, microsecond=0)


@contextmanager
def reader() -> Iterator[Reader]:
    """Give the store for reading, as the person sees it; it stays open, with what it holds in memory, for everybody."""
    yield _opened()


def _opened() -> OpenReader:
    """Return the store as the person sees it: the one way by which pages read."""
    return seen_by(person(), _whole())


def _whole() -> OpenReader:
    """Return the reader that is open; another one where the store's file has become another."""
    given = settings()
    file = database(given)
    place = (
        (str(file), _touched(file).partition(".")[0]) if isinstance(given.store, SqliteSettings) else ("cluster", "")
    )
    with _opening:
        old = _readers.get(place)
        if old is None:
            old = open_reader(given)
            for stale in [each for each in _readers if each[0] == place[0]]:
                _readers.pop(stale).close()
            _readers[place] = old
    return old


_opening = threading.Lock()
_readers: dict[tuple[str, str], OpenReader] = {}
_changes = [0]
_answers = Kept()


@contextmanager
def desk() -> Iterator[Desk]:
    """Open the store for a person's change, as far as it is theirs to make; what they see next is made anew."""
    try:
        with open_store(settings()) as store:
            yield Desk(PermittedStore(store, person()), Audit(settings().data_dir))
    finally:
        _changes[0] += 1


def _kept(key: tuple[Hashable, ...], ask: Callable[[Reader], R]) -> R:
    """Return what is kept for a key as long as the store does not change, or ask the store.

    People who see the same markets share answers; who sees some of them alone sees their own saved searches.
    """
    return _answers.ask((*_view(), *key), stamp(), lambda: in_english(lambda: ask(_opened())))


def _view() -> tuple[Hashable, ...]:
    """Return what people share whose answers are the same."""
    who = person()
    return str(database(settings())), who.markets, who.name if who.markets else ""


def behind() -> bool:
    """Return whether something on this page is shown as it was before the store's latest change."""
    return _answers.behind()


def now() -> datetime:
    """Return the moment that pages look at: the clock, or the end of an archive."""
    return _kept(("now", clock()), lambda store: moment_of(store, datetime.now(UTC)))


def today() -> Today:
    """Return the first page."""
    at, found = now(), inbox()  # the same as beside it and behind its links
    return _kept(("today", at), lambda store: look(store, settings(), now=at, by_clock=True, inbox=found))


def today_if_made() -> Today | None:
    """Return the first page as all who see all markets are shown it, where it is made already; nothing is asked."""
    with _acting_as(EVERYBODY):
        at = _answers.peek((*_view(), "now", clock()), stamp())
        return cast("Today | None", _answers.peek((*_view(), "today", at), stamp())) if at else None


def read_ahead() -> None:
    """Read what the first page needs before anybody asks for it; what is wrong with the store, the page will say.

    All who may see all markets, signed in or not, are shown it.
    """
    with suppress(StoreError), _acting_as(EVERYBODY):
        today()


def inbox() -> Inbox:
    """Return every alert with where it stands, up to the moment that pages look at."""
    at = now()
    return _kept(("inbox", at), lambda store: find_inbox(store, now=at))


def proposal() -> tuple[Proposal | None, bool]:
    """Return what judgements would teach, and whether something they taught is in effect."""
    return _kept(("proposal",), lambda store: (Desk.proposal(store, settings()), bool(current(store).weights)))


def seen(days: int) -> Coverage:
    """Return what was seen of each source."""
    at = now()
    return _kept(("seen", at, days), lambda store: coverage(store, now=at, days=days))


def records(kind: type[R], limit: int = 1000) -> list[R]:
    """Return the newest records of one kind."""
    return _kept(("records", kind.__name__, limit), lambda store: store.recent(kind, limit=limit))


def meeting() -> Meeting | None:
    """Return which workers were last at work for this store."""
    return _kept(("meeting",), last_meeting)


def record(kind: type[R], id: str) -> R | None:
    """Return one record."""
    return next(iter(many(kind, (id,))), None)


def many(kind: type[R], ids: tuple[str, ...]) -> list[R]:
    """Return those records that there are."""
    return _kept(("many", kind.__name__, ids), lambda store: store.many(kind, ids)) if ids else []


def search(query: Query) -> Page:
    """Return a page of documents."""
    return _kept(("search", repr(query)), lambda store: store.search(query))


def asked(this: Asked) -> Query:
    """Return what an address asks.

    Raises:
        QueryError: its text cannot be understood.
    """
    at = now()
    return _kept(("asked", at, this), lambda store: this.query(store, now=at, values=closed_values(settings(), store)))


def explanation(this: Asked) -> Explanation | None:
    """Return what made the documents of a search more or fewer than usual; ``None`` where it has no bounded time.

    Raises:
        QueryError: its text cannot be understood.
    """
    query = asked(this)
    return _kept(("explanation", repr(query)), lambda store: explain(store, query))


def count(query: Query, by: By) -> list[Bucket]:
    """Return counts."""
    return _kept(("count", repr(query), repr(by)), lambda store: store.count(query, by))


def kept(name: str, *key: Hashable, ask: Callable[[Reader], R]) -> R:
    """Return what a view makes of the store, made again when that changes; `key` says which of its kind it is."""
    return _kept((name, *key), ask)


def disturbing(risks: Iterable[str]) -> str:
    """Return the name of the first of these risks whose texts may disturb, or nothing."""
    return report_disturbing(settings(), risks)


def theme_names(ids: tuple[str, ...]) -> dict[str, str]:
    """Return the labels of themes."""
    return {theme.id: wording.theme(theme) for theme in many(Theme, ids)}


@cache
def _glossary(file: Path | None, rules: tuple[Path, ...]) -> Glossary:
    from groundswell.configs.rules import load_rules
    from groundswell.configs.topics import load_topics

    return Glossary(load_topics(file), load_rules(rules))


def glossary() -> Glossary:
    """Return what words mean: those of topics and rules, shipped and own.

    Raises:
        ConfigError: a file of topics or rules cannot be used.
    """
    given = settings()
    return _glossary(given.signals.topics, tuple(given.rules))


@cache
def _package(folder: Path) -> ArgosPackage:
    from groundswell.nlp.text.translation import ArgosPackage

    return ArgosPackage(folder)


def translator(lang: str) -> Translator | None:
    """Return what turns a language into English on this machine, or nothing where none is set.

    Raises:
        TranslationError: the folder that is set for it is no translation package.
    """
    folder = settings().board.translations.get(lang)
    return _package(folder) if folder else None


@st.cache_resource(show_spinner=False)
def _model(made: str) -> Model:  # noqa: ARG001  another model is another answer
    from groundswell.nlp.model.model import load_model

    return load_model(settings().model)


def model() -> Model:
    """Return the model, loaded when it is first asked for."""
    return _model(settings().model.model_dump_json())


def meaning(text: str) -> Vector:
    """Return the vector of a text, to find what is near it."""
    loaded: Any = model()
    vector: Vector = loaded.vectors([text])[0]
    return vector


# --- the person at the board ---------------------------------------------------------------------------------------


def person() -> Person:
    """Return who is at the board and what they may; without a sign-in, who they said they are.

    Raises:
        SignInError: somebody has to sign in, or is not known here.
    """
    if (acting := getattr(_acting, "person", None)) is not None:
        return cast("Person", acting)
    access = settings().access
    if not access.issuer:
        return replace(EVERYBODY, name=str(st.session_state.get("me") or "").strip() or EVERYBODY.name)
    try:
        people = load_people(access.people)
    except ConfigError as error:
        raise SignInError(f"nobody can be let in: {error}") from None
    claims = st.user.to_dict() if st.user.is_logged_in else {}
    return person_of(claims, access, people, now=datetime.now(UTC))


_acting = threading.local()


@contextmanager
def _acting_as(who: Person) -> Iterator[None]:
    """Let a thread that has no browser read for somebody."""
    _acting.person = who
    try:
        yield
    finally:
        _acting.person = None


def at_own_address() -> bool:
    """Return whether this browser is at that address: cookies of another one do not reach it."""
    own, here = urlsplit(own_address(settings())), urlsplit(str(st.context.url or ""))
    return not here.netloc or (own.scheme, own.netloc) == (here.scheme, here.netloc)


def me() -> str:
    """Return the name of whoever is at the board."""
    return person().name


def may_export() -> bool:
    """Return whether whoever is at the board may take something away as a file."""
    return person().may(settings().access.export)


def later(make: Callable[[], bytes]) -> Callable[[], bytes]:
    """Return what makes a file once its button is clicked, for the person to whom the button was shown.

    It is made in a thread of its own, which knows nobody.

    Raises:
        AccessError: (when it is made) taking things away is not for them.
    """
    who, least = person(), settings().access.export

    def made() -> bytes:
        who.need(least, "taking something away as a file")
        with _acting_as(who):
            return make()

    return made


def say(text: str, *, trouble: bool = False, undo: Sequence[str] = ()) -> None:
    """Have something said on top of the page that comes next; `undo` are alerts whose decision may be taken back."""
    st.session_state["said"] = (text, trouble, tuple(undo))


def draw_all() -> None:
    """Have the whole page drawn after something was done in a part of it (``st.fragment``)."""
    st.session_state["draw all"] = True


def drawing_part() -> None:
    """Draw the whole page instead of the part that is about to be drawn, where that was asked for."""
    if st.session_state.pop("draw all", False):
        st.rerun()


def drawing_all() -> None:
    """Note that the whole page is being drawn."""
    st.session_state.pop("draw all", None)


def said() -> None:
    """Show what there is to say, once. Never Markdown: a title from the web may stand in it."""
    text, trouble, undo = st.session_state.pop("said", ("", False, ()))
    if not text:
        return
    with st.container(horizontal=True, key="said", vertical_alignment="center"):
        st.html(tag("p", esc(text), cls=f"said{' trouble' if trouble else ''}", role="status"))
        if undo:
            st.button(tr("Undo"), key="undo", on_click=reopen, args=(undo,))


def reopen(alerts: Sequence[str]) -> None:
    """Take back what was decided about alerts."""
    with told(), desk() as opened:
        opened.reopen(list(alerts), by=me(), now=datetime.now(UTC))
        say(f"Taken back: {wording.plural(len(alerts), 'alert')} again as before anybody decided.")


def took(who: str, what: str, subject: str, after: Mapping[str, str]) -> None:
    """Note that somebody takes something away, before they have it.

    Raises:
        StoreError: the audit log cannot be written.
    """
    Audit(settings().data_dir).note(Entry(who=who, what=what, subject=subject, after=after))


def download(name: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Offer a table as a CSV file that a spreadsheet shows and never computes."""
    if not may_export():
        return
    table, who = list(rows), me()

    def file() -> bytes:
        took(who, "export table", name, {"rows": str(len(table)), "columns": str(len(head))})
        written = StringIO()
        csv.writer(written).writerows([head, *([harmless(cell) for cell in row] for row in table)])
        return written.getvalue().encode("utf-8-sig", "replace")

    stem = f"groundswell-{name}-{datetime.now(UTC):%Y%m%d-%H%M}.csv"
    st.download_button(tr("CSV"), later(file), stem, "text/csv", on_click="ignore", key=f"csv-{name}")


# --- what a person chose, kept in the address, so that a page can be sent to somebody ---------------------------------


def addressed_choice(
    name: str, choices: Sequence[str], none: str, *, names: Mapping[str, str] | None = None, width: int = 160
) -> str:
    """Draw a choice that stands in the address; return what is chosen, "" being called `none`."""
    shown = {"": none, **(names or {})}
    asked_for = st.query_params.get(name, choices[0])
    chosen = st.selectbox(
        name.capitalize(), choices, index=choices.index(asked_for) if asked_for in choices else 0,
        format_func=lambda value: shown.get(value, value), key=f"at-{name}-{asked_for}", label_visibility="collapsed",
        width=width,
    )  # fmt: skip
    return _address(name, chosen, choices[0])


def addressed_text(name: str, hint: str, *, width: int = 260) -> str:
    """Draw a field whose text stands in the address; return it."""
    asked_for = st.query_params.get(name, "")
    text = st.text_input(
        name.capitalize(),
        value=asked_for,
        key=f"at-{name}",
        placeholder=hint,
        label_visibility="collapsed",
        width=width,
    )
    return _address(name, text, "")


def addressed_switch(name: str, label: str, *, usual: bool = False, hint: str | None = None) -> bool:
    """Draw a switch that stands in the address where it is not as usual; return it."""
    asked_for = st.query_params.get(name, "")
    on = st.toggle(label, value=asked_for == "1" if asked_for else usual, key=f"at-{name}-{asked_for}", help=hint)
    _address(name, "1" if on else "0", "1" if usual else "0")
    return on


def _address(name: str, chosen: str, usual: str) -> str:
    if chosen != usual:
        st.query_params[name] = chosen
    elif name in st.query_params:
        del st.query_params[name]
    return chosen


@contextmanager
def told() -> Iterator[None]:
    """Turn what a store refuses into a sentence on the page."""
    try:
        yield
    except StoreError as error:
        say(str(error), trouble=True)
