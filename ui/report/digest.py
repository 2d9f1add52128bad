"""The day's news in a calm mail: what changed and why, what moved, and plainly what could not be seen.

Mail clients block scripts, style sheets and SVG, so lines are drawn as table cells, styles stand inline, and there is a
text that says the same. Every number leads to the search behind it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from groundswell.configs.schema import DigestSettings, Settings
from groundswell.index.query import Query
from groundswell.index.records import Case, Checkpoint
from groundswell.index.store import Reader, Store
from groundswell.ui.report import links, wording
from groundswell.ui.report.cards import Card
from groundswell.ui.report.inbox import how_it_goes
from groundswell.ui.report.series import Series
from groundswell.ui.report.today import Mover, Today, held, lead, look
from groundswell.ui.report.trends import Band

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parent / "templates"
SPARK_DAYS = 28
TALLEST = 34
"""Pixels of the tallest bar of a small chart."""
BLOCKS = " ▁▂▃▄▅▆▇█"
MOST_CARDS = 8
MOST_CASES = 8
LONGEST_NEWS = 80
"""Characters of a title in the subject; phones show some forty."""
MARK = "digest"
"""Checkpoint: the newest edition and up to when it tells."""
LONGEST_EDITION = timedelta(days=7)
"""An edition goes on where the one before ended, but tells of no more than that."""


@dataclass(frozen=True, slots=True)
class Edition:
    """One mail a day: `day` names it (the local date of the hour at which it ends), it tells of `since` to `upto`."""

    day: str
    since: datetime
    upto: datetime


@dataclass(frozen=True, slots=True)
class Digest:
    """One day's mail; `day` names its edition."""

    subject: str
    html: str
    text: str
    day: str
    at: datetime


# --- making it -----------------------------------------------------------------------------------------------------


def edition_of(reader: Reader, settings: DigestSettings, *, now: datetime) -> Edition:
    """Return the edition that is due at `now`: it ended at the last `digest.hour` o'clock, whatever was crawled.

    It begins where the edition before ended, so that no hour is in no mail. The very first tells up to the moment.
    """
    local = now.astimezone(ZoneInfo(settings.timezone))
    end = local.replace(hour=settings.hour, minute=0, second=0, microsecond=0)
    end = (end if end <= local else end - timedelta(days=1)).astimezone(UTC)
    day = end.astimezone(ZoneInfo(settings.timezone)).date().isoformat()
    mark = reader.get(Checkpoint, MARK)
    if mark is None:
        return Edition(day, now - timedelta(days=1), now)
    upto = datetime.fromisoformat(str(mark.value["upto"]))
    if mark.value["day"] == day:
        return Edition(day, datetime.fromisoformat(str(mark.value["since"])), upto)
    return Edition(day, min(max(upto, end - LONGEST_EDITION), end - timedelta(days=1)), end)


def note_edition(store: Store, edition: Edition, *, now: datetime) -> None:
    """Note that an edition has been made."""
    value = {"day": edition.day, "since": edition.since.isoformat(), "upto": edition.upto.isoformat()}
    store.put([Checkpoint(id=MARK, value=value, at=now)])


def make_digest(reader: Reader, settings: Settings, *, now: datetime, edition: Edition | None = None) -> Digest:
    """Return the mail of an edition, or of the day that ends `now`: the clock decides, not the newest document."""
    now = edition.upto if edition else now
    settings = settings.model_copy(
        update={"board": settings.board.model_copy(update={"timezone": settings.digest.timezone})}
    )
    today = look(reader, settings, now=now, since=edition.since if edition else None, by_clock=True)
    facts = _facts(reader, today, settings)
    html = templates(html=True).get_template("digest.html.jinja").render(facts)
    text = templates(html=False).get_template("digest.txt.jinja").render(facts)
    day = edition.day if edition else today.now.astimezone(ZoneInfo(settings.digest.timezone)).date().isoformat()
    return Digest(subject_of(today, facts["unseen"]), _inlined(html), _plain(text), day, today.now)


def subject_of(today: Today, unseen: str) -> str:
    """Return the news in one line: the gravest that is new, where, and how many more; or that nothing was seen."""
    if unseen:
        return f"Groundswell: {unseen.rstrip('.')}"
    new = [card for card in today.cards if card.signal.at > today.since]
    if not new:
        open_ones = wording.plural(len(today.cards), "earlier alert")
        return "Groundswell: nothing new" + (f"; {open_ones}" if today.cards else "")
    places = ", ".join(code for code, _ in new[0].markets[:2] if code)
    news = wording.shortened(new[0].title, LONGEST_NEWS) + (f" in {places}" if places else "")
    return f"Groundswell: {news}" + (f"; {len(new) - 1:,} more" if len(new) > 1 else "")


def _unseen(reader: Reader, today: Today, zone: str) -> str:
    """Return that nothing at all was seen in the time that is told of, and since when; nothing where something was."""
    if today.posts or not today.total:
        return ""
    newest = reader.search(Query(until=today.now, trusted_dates=True, sort="newest", limit=1)).hits
    last = newest[0].document.mention.published_at if newest else None
    since = f" since {wording.moment(last, zone)} {last.astimezone(ZoneInfo(zone)).year}" if last else ""
    return f"Nothing was seen{since}."


def templates(*, html: bool) -> Environment:
    """Return the templates of mails and briefs; those of HTML escape everything."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=html,  # noqa: S701  the text alternative is no HTML; the HTML one escapes everything
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(number=wording.number, mood=wording.mood, risk=wording.risk, short=wording.shortened)
    return environment


def _inlined(html: str) -> str:
    """Return the mail with its styles inside its elements; the rules for dark screens stay a sheet."""
    import css_inline

    inliner = css_inline.CSSInliner(load_remote_stylesheets=False, keep_style_tags=False, keep_at_rules=True)
    return str(inliner.inline(html))


def _facts(reader: Reader, today: Today, settings: Settings) -> dict[str, Any]:
    zone, base = settings.digest.timezone, board_address(settings)
    first, rest = lead(today)
    if unseen := _unseen(reader, today, zone):
        first, rest = unseen, "A quiet day is not known to be calm: look at the sources (groundswell doctor)."
    window = links.window(today.since, today.now)
    return {
        "base": base,
        "day": wording.weekday(today.now, zone),
        "moment": wording.moment(today.now, zone),
        "since": wording.since(today.since, today.now, zone),
        "posts": wording.plural(today.posts, "new post"),
        "posts_url": f"{base}/{links.unfolded(links.search(**window))}",
        "sources": f"{wording.number(today.sources)} of {wording.plural(len(today.coverage.rows), 'source')}",
        "unseen": unseen,
        "first": first,
        "rest": rest,
        "held": held(today),
        "held_url": f"{base}/{links.inbox(show='held')}",
        "ended": [{"title": entry.title, "url": f"{base}/{links.alert(entry.id)}"} for entry in today.ended],
        "cards": [_card(card, today, base) for card in today.cards[:MOST_CARDS]],
        "more": _more(today),
        "more_url": f"{base}/{links.inbox()}",
        "movers": [_mover(mover, base, today.now) for mover in today.movers],
        "gaps": _gaps(today, base),
        "undated": wording.percent(today.undated, today.total),
        "cases": _cases(reader, today.now, base),
        "total": today.total,
    }


def _more(today: Today) -> str:
    """Return how many alerts wait that are not told here."""
    shown = sum(card.entry.standing.status == "waiting" for card in today.cards[:MOST_CARDS])
    left = len(today.inbox.having("waiting")) - shown
    return f"{wording.plural(left, 'more alert')} waiting" if left else ""


def board_address(settings: Settings) -> str:
    """Return where the board is reached, without a slash at the end."""
    given = settings.digest.board_url or f"http://{settings.board.host}:{settings.board.port}"
    return given.rstrip("/")


def _card(card: Card, today: Today, base: str) -> dict[str, Any]:
    alert = card.signal
    whole = sum(count for _, count in card.languages)
    series = card.series.last(SPARK_DAYS)
    return {
        "severity": card.severity,
        "goes": how_it_goes(card.entry, today.zone),
        "title": card.title,
        "why": card.why,
        "age": wording.span(today.now - card.episode.alert.at),
        "kind": wording.KINDS[alert.kind],
        "grown": f"{wording.number(card.grown)} by now" if card.by_now else "",
        "grown_url": f"{base}/{links.grown(card.episode, today.now)}",
        "url": f"{base}/{links.alert(card.entry.id)}",
        "evidence_url": f"{base}/{links.evidence(alert)}",
        "evidence": wording.plural(len(alert.evidence), "document"),
        "risk": wording.risk(card.episode.risk),
        "markets": " · ".join([f"{code} {count}" for code, count in card.markets[:3]] + _further(card.markets[3:])),
        "languages": " · ".join(f"{code} {wording.percent(count, whole)}" for code, count in card.languages[:2]),
        "mood": wording.mood(card.mood),
        "bars": bars(series, card.episode.alert.start),
        "blocks": blocks(series),
        "what": "mood" if alert.kind == "sour" else "texts",
        "case": card.case,
    }


def _further(markets: Sequence[tuple[str, int]]) -> list[str]:
    """Return that there are more markets, so that none is left out unsaid."""
    return [f"{len(markets)} more"] if markets else []


def bars(series: Series, begin: datetime) -> list[dict[str, Any]]:
    """Return a small chart as heights in pixels; `high` says that a day lies outside what was usual.

    Where nothing is usual yet, the days of the alert, from `begin` on, stand out.
    """
    heights = _heights(series)
    return [
        {
            "height": max(1, round(height * TALLEST)),
            "high": _stands_out(day, value, band, begin),
            "said": f"{day.day} {day:%b}: {wording.number(round(value, 2)) if value is not None else 'none'}",
        }
        for day, value, band, height in zip(series.days, series.values, series.bands, heights, strict=True)
    ]


def _stands_out(day: datetime, value: float | None, band: Band | None, begin: datetime) -> bool:
    if value is None or band is None:
        return bool(value) and day > begin - timedelta(days=1)
    return value > band.high or value < band.low


def blocks(series: Series) -> str:
    """Return a small chart as text: ▁▁▂▁▁▃█."""
    return "".join(BLOCKS[max(1, round(height * 8))] for height in _heights(series))


def _heights(series: Series) -> list[float]:
    """Return the values between 0 and 1; counts stand on nought, moods on their own lowest."""
    values = [value for value in series.values if value is not None]
    low = min([*values, 0.0])
    reach = (max([*values, 0.0]) - low) or 1.0
    return [0.0 if value is None else (value - low) / reach for value in series.values]


def _mover(mover: Mover, base: str, now: datetime) -> dict[str, Any]:
    was, is_ = (links.window(now - timedelta(days=days), now - timedelta(days=days - 2)) for days in (4, 2))
    return {
        "title": wording.theme(mover.theme),
        "url": f"{base}/{links.theme(mover.theme.id)}",
        "risk": wording.risk(mover.theme.risk) or "–",
        "was": wording.number(mover.was),
        "was_url": f"{base}/{links.search(theme=mover.theme.id, **was)}",
        "now": wording.number(mover.now),
        "now_url": f"{base}/{links.search(theme=mover.theme.id, **is_)}",
        "mood": wording.mood(mover.mood),
    }


def _gaps(today: Today, base: str) -> list[dict[str, str]]:
    """Return in plain words which sources were not seen in the last week."""
    week = today.coverage.last(7)
    return [
        {
            "source": row.source,
            "url": f"{base}/{links.source(row.source)}",
            "said": f"not seen on {wording.plural(row.bad_days, 'day')} of the last seven"
            + (", today among them" if row.cells[-1].state == "bad" else "")
            + f": {next(cell.why for cell in reversed(row.cells) if cell.state == 'bad')}",
        }
        for row in sorted(week.rows, key=lambda row: -row.bad_days)
        if row.bad_days
    ]


def _cases(reader: Reader, now: datetime, base: str) -> list[dict[str, str]]:
    """Return the open cases that are late or due within a day."""
    soon = [
        case
        for case in reader.recent(Case, limit=5000)
        if case.status != "closed" and case.due and case.due < now + timedelta(days=1)
    ]
    return [
        {
            "title": case.title,
            "url": f"{base}/{links.case(case.id)}",
            "owner": case.owner or "nobody",
            "due": f"{wording.span(now - case.due)} late"
            if case.due < now
            else f"due in {wording.span(case.due - now)}",
        }
        for case in sorted(soon, key=lambda case: case.due or now)[:MOST_CASES]
        if case.due
    ]


def _plain(text: str) -> str:
    """Return the text alternative without characters that play with a terminal, and without runs of empty lines."""
    lines = [
        "".join(char for char in line if char.isprintable() or char in "\t\N{NO-BREAK SPACE}").rstrip()
        for line in text.split("\n")
    ]
    lines_left = [line for i, line in enumerate(lines) if line or (i and lines[i - 1])]
    return "\n".join(lines_left).strip() + "\n"
