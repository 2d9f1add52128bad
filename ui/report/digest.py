"""The day's news in a calm mail: what changed and why, what moved, and plainly what could not be seen.

Mail clients block scripts, style sheets and SVG, so lines are drawn as table cells, styles stand inline, and there is a
text that says the same. Every number leads to the search behind it.
"""

from __future__ import annotations

import os
import smtplib
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from groundswell.configs.schema import DigestSettings, Settings
from groundswell.index.files import write_whole
from groundswell.index.ids import stable_id
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
TIMEOUT_SECONDS = 30.0


class DigestError(OSError):
    """The mail cannot be sent; the message says what to look at."""


@dataclass(frozen=True, slots=True)
class Digest:
    """One day's mail; `day` is the local date it belongs to."""

    subject: str
    html: str
    text: str
    day: str
    at: datetime


# --- making it -----------------------------------------------------------------------------------------------------


def make_digest(reader: Reader, settings: Settings, *, now: datetime) -> Digest:
    """Return the mail of the day that `now` belongs to."""
    settings = settings.model_copy(
        update={"board": settings.board.model_copy(update={"timezone": settings.digest.timezone})}
    )
    today = look(reader, settings, now=now)
    facts = _facts(reader, today, settings)
    html = templates(html=True).get_template("digest.html.jinja").render(facts)
    text = templates(html=False).get_template("digest.txt.jinja").render(facts)
    first, _ = lead(today)
    subject = f"Groundswell, {wording.weekday(today.now, settings.digest.timezone)}: {first.rstrip('.')}"
    day = today.now.astimezone(ZoneInfo(settings.digest.timezone)).date().isoformat()
    return Digest(_header(subject), _inlined(html), _plain(text), day, today.now)


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
    window = links.window(today.since, today.now)
    return {
        "base": base,
        "day": wording.weekday(today.now, zone),
        "moment": wording.moment(today.now, zone),
        "since": wording.since(today.since, today.now, zone),
        "posts": wording.plural(today.posts, "new post"),
        "posts_url": f"{base}/{links.unfolded(links.search(**window))}",
        "sources": f"{wording.number(today.sources)} of {wording.plural(len(today.coverage.rows), 'source')}",
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
    told = sum(card.entry.standing.status == "waiting" for card in today.cards[:MOST_CARDS])
    left = len(today.inbox.having("waiting")) - told
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
        "what": "mood" if alert.kind == "sour" else "documents",
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
    known = [value for value in series.values if value is not None]
    low = min([*known, 0.0])
    reach = (max([*known, 0.0]) - low) or 1.0
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


def _header(text: str) -> str:
    """Return text fit for a header: one line, no control characters."""
    return wording.shortened("".join(char if char.isprintable() else " " for char in text), 160)


def _plain(text: str) -> str:
    """Return the text alternative without characters that play with a terminal, and without runs of empty lines."""
    lines = [
        "".join(char for char in line if char.isprintable() or char in "\t\N{NO-BREAK SPACE}").rstrip()
        for line in text.split("\n")
    ]
    kept = [line for i, line in enumerate(lines) if line or (i and lines[i - 1])]
    return "\n".join(kept).strip() + "\n"


# --- writing and sending it ----------------------------------------------------------------------------------------


def write_digest(digest: Digest, folder: Path) -> list[Path]:
    """Write the mail as HTML, as text and as a message file; return the files.

    Each is written aside and then renamed, so that nobody reads half of one.
    """
    folder.mkdir(parents=True, exist_ok=True)
    message = message_of(digest, DigestSettings(recipients=()))
    contents = {
        ".html": digest.html.encode("utf-8"),
        ".txt": digest.text.encode("utf-8"),
        ".eml": message.as_bytes(),
    }
    return [write_whole(folder / f"digest-{digest.day}{end}", content) for end, content in contents.items()]


def message_of(digest: Digest, settings: DigestSettings, recipients: Sequence[str] | None = None) -> EmailMessage:
    """Return the mail as a message; the same day's mail has the same Message-ID, so that a repeat can be known.

    Raises:
        DigestError: an address is none.
    """
    message = EmailMessage()
    message["Subject"] = _header(digest.subject)
    message["From"] = _address(settings.sender, "digest.sender")
    if to := [
        _address(one, "digest.recipients") for one in (settings.recipients if recipients is None else recipients)
    ]:
        message["To"] = to
    message["Date"] = format_datetime(digest.at)
    message["Message-ID"] = f"<digest-{digest.day}-{stable_id('digest', *settings.recipients)}@groundswell.invalid>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers, please
    message.set_content(digest.text, cte="base64")
    message.add_alternative(digest.html, subtype="html", cte="base64")
    return message


def _address(text: str, where: str) -> Address:
    """Return a mail address; what is none never reaches a header."""
    try:
        if any(not char.isprintable() for char in text):
            raise ValueError("it holds a control character")
        return Address(addr_spec=text)
    except (ValueError, IndexError, HeaderParseError) as error:
        raise DigestError(f"{where}: {text!r} is no mail address ({error})") from None


def send_digest(digest: Digest, settings: Settings, store: Store, *, now: datetime) -> str:
    """Send the mail to those of the recipients who have not had this day's; return what was done, in a sentence.

    Asked twice, it sends once. Killed between the server's yes and our note of it, it sends again under the same
    Message-ID: a mail twice is better than none.

    Raises:
        DigestError: nobody to send to, no server, or the server's answer was no.
    """
    mail = settings.digest
    if not mail.recipients:
        raise DigestError("nobody to send to: name addresses in digest.recipients")
    if not mail.smtp_host:
        raise DigestError("no mail server: set digest.smtp_host (the digest was written to a file all the same)")
    mark_id = f"digest/{digest.day}"
    mark = store.get(Checkpoint, mark_id)
    had = set(mark.value.get("sent", ())) if mark else set()
    due = [one for one in dict.fromkeys(mail.recipients) if stable_id("recipient", one) not in had]
    if not due:
        return f"the digest of {digest.day} was sent before; nothing to do"
    message = message_of(digest, mail, due)
    refused = _deliver(message, mail)
    went = [one for one in due if one not in refused]
    sent = sorted(had | {stable_id("recipient", one) for one in went})  # hashes: a store keeps no addresses
    store.put([Checkpoint(id=mark_id, value={"sent": sent}, at=now)])
    if refused:
        raise DigestError(
            f"{mail.smtp_host} refused {', '.join(sorted(refused))}; {wording.plural(len(went), 'other')} sent"
        )
    return f"digest of {digest.day} sent to {wording.plural(len(went), 'recipient')}"


def _deliver(message: EmailMessage, mail: DigestSettings) -> set[str]:
    """Hand the mail to the server; return the addresses it refused."""
    where = f"{mail.smtp_host}:{mail.smtp_port}"
    try:
        with _connection(mail) as server:
            if mail.smtp_user:
                server.login(mail.smtp_user, _password(mail))
            return set(server.send_message(message))
    except smtplib.SMTPRecipientsRefused as error:
        return set(error.recipients)
    except smtplib.SMTPAuthenticationError as error:
        raise DigestError(
            f"{where} refused the login of {mail.smtp_user}: look at digest.smtp_user and {mail.smtp_password_env}"
        ) from error
    except smtplib.SMTPNotSupportedError as error:
        raise DigestError(f"{where}: {error}; look at digest.smtp_security") from error
    except ssl.SSLError as error:
        raise DigestError(
            f"no secure connection to {where} ({error.reason or error}); see digest.smtp_security and its certificate"
        ) from error
    except (smtplib.SMTPException, OSError) as error:
        raise DigestError(f"{where} did not take the digest: {error}") from error


def _connection(mail: DigestSettings) -> smtplib.SMTP:
    if mail.smtp_security == "tls":
        return smtplib.SMTP_SSL(
            mail.smtp_host, mail.smtp_port, timeout=TIMEOUT_SECONDS, context=ssl.create_default_context()
        )
    server = smtplib.SMTP(mail.smtp_host, mail.smtp_port, timeout=TIMEOUT_SECONDS)
    if mail.smtp_security == "starttls":
        try:
            server.starttls(context=ssl.create_default_context())
        except BaseException:
            server.close()
            raise
    return server


def _password(mail: DigestSettings) -> str:
    password = os.environ.get(mail.smtp_password_env)
    if not password:
        raise DigestError(
            f"digest.smtp_user is set, but the environment variable {mail.smtp_password_env} holds no password"
        )
    return password
