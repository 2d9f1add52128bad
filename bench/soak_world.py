"""The world of `soak.py`: a web that publishes, servers that take mails and webhooks; all with faults."""

from __future__ import annotations

import email
import json
import random
import socket
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.policy import default
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast
from xml.sax.saxutils import escape

from aiosmtpd.controller import Controller

SOURCES = {"harbour": "SG", "bondi": "AU", "kiwi": "NZ", "warung": "ID"}
"""Feeds and their markets."""
LISTED = 300
"""Items that a feed lists: more than come in a week, so that no fault can make one of them fall out unseen."""
CORRECTED = 0.03
"""Part of the items whose text is corrected a day after."""
SUBJECTS = (
    ("the refund for order {n}", "did not come although {who} promised it {m} days ago", "of the {thing}"),
    ("a courier left parcel {n}", "at the wrong door and {who} says it was delivered", "with the {thing}"),
    (
        "the advertisement before video {n}",
        "cannot be skipped for {m} seconds since {who} changed it",
        "about a {thing}",
    ),
    ("my channel number {n}", "lost its income after {m} months and {who} gives no reason", "where I show a {thing}"),
    ("the application closes itself", "whenever I open page {n}, {who} knows it since {m} weeks", "with the {thing}"),
    ("ticket {n}", "was answered by a robot {m} times, nobody at {who} reads it", "about the {thing}"),
    ("the price", "rose by {n} cents overnight and {who} calls it an improvement", "of the {thing}"),
    ("login code {n}", "never arrives on my telephone, {who} sends me in a circle {m} times", "for the {thing}"),
)
THINGS = (
    "blue kettle",
    "garden chair",
    "running shoe",
    "rice cooker",
    "school bag",
    "desk lamp",
    "fishing rod",
    "yoga mat",
)
WHO = ("the shop", "the platform", "their support", "the seller", "the help desk")
SCANDALS = ("Velmora", "Quintab", "Zorafin", "Halvex", "Brunodi", "Tamirex", "Oskalin", "Dravano", "Pelluri", "Mokanza")
CRIES = (
    "{name} advertisement with a fake video of the minister stole {n} dollars from me, it is a scam",
    "do not trust the {name} ad, the famous face in it is a deepfake and my deposit of {n} is gone",
    "reported the {name} scam advertisement {m} times, the platform keeps showing it, I lost {n}",
    "{name} is a fraud: the investment advert with the fake celebrity took {n} from my mother",
)


@dataclass(frozen=True, slots=True)
class Item:
    """What is published once: where, when (UTC), under which name, saying what; `event` names a scandal, or nothing."""

    name: str
    source: str
    at: datetime
    text: str
    event: str = ""
    corrected: str = ""


def written(rng: random.Random, start: datetime, days: int, daily: int, every: int) -> list[Item]:
    """Return what is published in so many days, in order of time, with a scandal every so often."""
    items: list[Item] = []
    for day in range(days):
        for _ in range(rng.randint(daily - daily // 3, daily + daily // 3)):
            at = start + timedelta(days=day, seconds=rng.uniform(0, 86400))
            text = " ".join(rng.choice(SUBJECTS)).format(
                n=rng.randrange(1000, 99999), m=rng.randrange(2, 60), who=rng.choice(WHO), thing=rng.choice(THINGS)
            )
            items.append(_item(rng, len(items), at, text))
        if day % every == every - 1:
            name = SCANDALS[(day // every) % len(SCANDALS)]
            for _ in range(30):
                at = start + timedelta(days=day, hours=6 + rng.expovariate(1 / 5))
                text = rng.choice(CRIES).format(name=name, n=rng.randrange(100, 9999), m=rng.randrange(2, 9))
                items.append(_item(rng, len(items), at, text, f"{name} {day}"))
    return sorted(items, key=lambda item: item.at)


def _item(rng: random.Random, number: int, at: datetime, text: str, event: str = "") -> Item:
    corrected = f"{text} (corrected by the author)" if rng.random() < CORRECTED else ""
    return Item(f"post/{number}", rng.choice(list(SOURCES)), at.replace(microsecond=0), text, event, corrected)


class Web:
    """Feeds on loopback that list what has been published by now, and a webhook; either may be down."""

    def __init__(self, items: Sequence[Item]) -> None:
        self.items, self.now, self.down, self.hook_answer = items, items[0].at, False, 200
        self.visits: Counter[str] = Counter()
        self.seen: set[str] = set()
        self.posted: list[dict[str, Any]] = []
        self.lock = threading.Lock()
        web = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = web.feed(self.path.strip("/").removesuffix(".xml"))
                self._answer(503 if web.down else 200 if body else 404, b"" if web.down else body)

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if web.hook_answer == 200:
                    with web.lock:
                        web.posted.append(json.loads(body))
                self._answer(web.hook_answer, b"{}")

            def _answer(self, code: int, body: bytes) -> None:
                self.send_response(code)
                self.send_header("Content-Type", "application/rss+xml; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def published(self, source: str = "") -> list[Item]:
        """Return what has been published by now."""
        return [item for item in self.items if item.at <= self.now and source in ("", item.source)]

    def feed(self, source: str) -> bytes:
        """Return a feed as it stands."""
        if source not in SOURCES:
            return b""
        with self.lock:
            latest = self.published(source)[-LISTED:][::-1]
            self.visits[source] += 1
            if not self.down:
                self.seen.update(item.name for item in latest)
        listed = "".join(map(self._listed, latest))
        return f'<rss version="2.0"><channel><title>{source}</title>{listed}</channel></rss>'.encode()

    def _listed(self, item: Item) -> str:
        late = item.corrected and self.now - item.at > timedelta(days=1)
        link = f"{self.url}/{item.name}"
        return (
            f"<item><link>{link}</link><guid>{link}</guid><pubDate>{format_datetime(item.at)}</pubDate>"
            f"<author>who{hash(item.name) % 997}@example.org</author>"
            f"<description>{escape(item.corrected if late else item.text)}</description></item>"
        )


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail that the server took: the told time, how far that was from the true one, the envelope, the message."""

    told: datetime
    skew: timedelta
    to: tuple[str, ...]
    message: EmailMessage

    @property
    def name(self) -> str:
        """Return its Message-ID."""
        return str(self.message["Message-ID"]).strip()

    @property
    def text(self) -> str:
        """Return its plain text."""
        body = self.message.get_body(("plain",))
        return str(body.get_content()) if body else ""

    @property
    def repeat(self) -> bool:
        """Return whether it says that it may be a repeat."""
        return "(Perhaps sent before" in self.text


@dataclass
class Post:
    """A mail server; `mode` is ok, later (451), never (550 for `refuses`), drop (takes, then breaks off), or down."""

    clock: Any
    mails: list[Mail] = field(default_factory=list)
    mode: str = "ok"
    refuses: str = ""

    def __post_init__(self) -> None:
        """Find a port and listen."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        self._controller: Controller | None = None
        self.set("ok")

    def set(self, mode: str) -> None:
        """Change how it behaves."""
        self.mode = mode
        if mode == "down" and self._controller is not None:
            self._controller.stop()
            self._controller = None
        elif mode != "down" and self._controller is None:
            self._controller = Controller(self, hostname="127.0.0.1", port=self.port)
            self._controller.start()

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802, ARG002  aiosmtpd's
        """Take or refuse a recipient."""
        if self.mode == "never" and address == self.refuses:
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802, ARG002  aiosmtpd's
        """Take a mail, or do not."""
        if self.mode == "later":
            return "451 greylisted, try again later"
        message = cast(EmailMessage, email.message_from_bytes(envelope.content, policy=default))
        told, skew = self.clock()
        self.mails.append(Mail(told, skew, tuple(envelope.rcpt_tos), message))
        if self.mode == "drop":
            server.transport.abort()
        return "250 OK"


def spread(rng: random.Random, names: Sequence[str], days: int) -> Iterator[str]:
    """Yield a fault, or nothing, for each day: each about equally often, none at both ends of a long run."""
    pool: list[str] = []
    for day in range(days):
        if not pool:
            pool = [*names]
            rng.shuffle(pool)
        yield "" if days > 3 and day in {0, days - 1} else pool.pop()
