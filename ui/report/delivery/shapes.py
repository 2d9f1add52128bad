"""News in the shapes that mail, webhooks, Slack and Teams take, within the limits that they document.

What strangers wrote is never markup: Slack gets it as ``plain_text``, Teams as runs of text, mail as text. Limits count
UTF-16 units, which is never less than what the services count.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import unicodedata
from collections.abc import Sequence
from typing import Any

from groundswell.ui.report import wording
from groundswell.ui.report.delivery.news import News
from groundswell.ui.report.tongue import tr

SLACK_HEADER, SLACK_TEXT, SLACK_URL, SLACK_BLOCKS, SLACK_FALLBACK = 150, 3000, 3000, 50, 3000
"""Block Kit's limits: letters of a header, a text, an address; blocks of a message. The fallback's is our own."""
TEAMS_BYTES = 28_000
"""A message to Teams may have 28 KB."""
TEAMS_TEXT = 4000
WEBHOOK_TEXT = 8000
MOST = 15
"""Items of one message; how many more there are is said."""
PLACES = 3
JOINS = {"Mn", "Mc", "Me"}


def cut(text: str, most: int) -> str:
    """Return text of at most so many UTF-16 units, ended with … where it was cut, never between letter and mark."""
    text = "".join(char if char.isprintable() else " " for char in text).strip()
    if _units(text) <= most:
        return text
    beginning = text[: most - 1]
    while _units(beginning) > most - 1:
        beginning = beginning[:-1]
    if unicodedata.category(text[len(beginning)]) in JOINS:  # its letter goes with the mark
        beginning = beginning.rstrip("".join({char for char in beginning if unicodedata.category(char) in JOINS}))[:-1]
    return beginning.rstrip() + "…"


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def headline(news: News) -> str:
    """Return the news in a line: how grave, what, where."""
    codes = [*news.markets[:PLACES], *(["…"] if len(news.markets) > PLACES else [])]
    places = tr(" in {places}").format(places=", ".join(codes)) if codes else ""
    prefix = {"graver": tr("has become graver: "), "escalated": tr("waits for a decision: ")}
    return f"{tr(news.severity).upper()} · {prefix.get(news.kind.split('.')[1], '')}{news.title}{places}"


def subject(items: Sequence[News]) -> str:
    """Return the subject of a message about several: the first, gravest, and how many more."""
    first = headline(items[0])
    return first if len(items) < 2 else tr("{news}; {count} more").format(news=first, count=f"{len(items) - 1:,}")


def facts(news: News) -> list[str]:
    """Return what there is to say beside the title: why, risk, documents."""
    risk = tr("Risk: {risk}").format(risk=wording.risk(news.risk)) if news.risk else ""
    count = wording.plural(news.documents, "document") if news.documents else ""
    return [*news.more, *([" · ".join(filter(None, (risk, count)))] if risk or count else [])]


def text_of(items: Sequence[News], *, repeat: bool) -> str:
    """Return a message as plain text."""
    parts = [f"({_repeated()})"] if repeat else []
    parts += [
        "\n".join([cut(headline(news), 300), *(cut(fact, 1500) for fact in facts(news)), news.place])
        for news in items[:MOST]
    ]
    return "\n\n".join([*parts, *_left(items)]) + "\n"


def _left(items: Sequence[News]) -> list[str]:
    return [_beyond(len(items) - MOST)] if len(items) > MOST else []


def _beyond(count: int) -> str:
    return tr("{count} more: see the board.").format(count=f"{count:,}")


def _repeated() -> str:
    return tr("Perhaps sent before: it is not known whether the first try arrived.")


def slack(items: Sequence[News], *, repeat: bool) -> dict[str, Any]:
    """Return a message for an incoming webhook of Slack."""
    blocks: list[dict[str, Any]] = []
    if repeat:
        blocks.append(_slack_section(_repeated()))
    for news in items[:MOST]:
        blocks.append({"type": "header", "text": _plain(headline(news), SLACK_HEADER)})
        blocks.append(_slack_section("\n".join(facts(news)) or news.kind))
        button = {"type": "button", "text": _plain(tr("Open on the board"), 75), "url": news.place[:SLACK_URL]}
        blocks.append({"type": "actions", "elements": [button]})
    blocks += [_slack_section(line) for line in _left(items)]
    return {"text": _escaped(cut(subject(items), SLACK_FALLBACK // 5)), "blocks": blocks[:SLACK_BLOCKS]}


def _slack_section(item: str) -> dict[str, Any]:
    lines = "\n".join(cut(line, SLACK_TEXT) for line in item.split("\n"))
    return {"type": "section", "text": {**_plain("", 1), "text": _within(lines, SLACK_TEXT) or "–"}}


def _within(lines: str, most: int) -> str:
    """Return lines of at most so many units together."""
    return lines if _units(lines) <= most else cut(lines.replace("\n", " "), most)


def _plain(line: str, most: int) -> dict[str, Any]:
    return {"type": "plain_text", "text": cut(line, most) or "–", "emoji": False}


def _escaped(text: str) -> str:
    """Return text in which Slack finds no mention, channel or link."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def teams(items: Sequence[News], *, repeat: bool) -> dict[str, Any]:
    """Return a message for a Teams workflow: an Adaptive Card, of fewer items where it would be too long."""
    for count in range(min(len(items), MOST), 0, -1):
        message = _card(items, count, repeat=repeat, most=TEAMS_TEXT if count > 1 else TEAMS_TEXT // 2)
        if len(json.dumps(message).encode()) <= TEAMS_BYTES:
            return message
    return _card(items, 1, repeat=repeat, most=500)


def _card(items: Sequence[News], count: int, *, repeat: bool, most: int) -> dict[str, Any]:
    body: list[dict[str, Any]] = []
    if repeat:
        body.append(_run(_repeated(), 200))
    for news in items[:count]:
        body.append(_run(headline(news), 300, weight="Bolder"))
        body += [_run(fact, most) for fact in facts(news)]
        opens = {"type": "Action.OpenUrl", "title": tr("Open on the board"), "url": news.place}
        body.append({"type": "ActionSet", "actions": [opens]})
    if len(items) > count:
        body.append(_run(_beyond(len(items) - count), 100))
    content = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard", "version": "1.4",
        "body": body,
    }  # fmt: skip
    card = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": content}
    return {"type": "message", "attachments": [card]}


def _run(line: str, most: int, **looks: str) -> dict[str, Any]:
    """Return a paragraph whose text is no Markdown: a TextBlock would make links of what strangers wrote."""
    return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": cut(line, most) or "–", **looks}]}


def webhook(items: Sequence[News], *, id: str, repeat: bool) -> dict[str, Any]:
    """Return a message for programs: ``type``, ``timestamp`` and ``data`` as the Standard Webhooks say."""
    return {
        "type": items[0].kind if len(items) == 1 else "news",
        "timestamp": max(news.at for news in items).isoformat(),
        "data": {"id": id, "repeat": repeat, "items": [_item(news) for news in items]},
    }


def _item(news: News) -> dict[str, Any]:
    return {
        "type": news.kind, "about": news.about, "state": news.state, "severity": news.severity,
        "title": cut(news.title, WEBHOOK_TEXT), "said": [cut(fact, WEBHOOK_TEXT) for fact in news.more],
        "markets": list(news.markets), "risk": news.risk, "documents": news.documents, "owner": news.owner,
        "at": news.at.isoformat(), "url": news.place,
    }  # fmt: skip


def signature(secret: str, id: str, timestamp: int, body: bytes) -> str:
    """Return the ``webhook-signature`` of a message: ``v1,`` and the HMAC-SHA256 of id, time and body, base64.

    Source: the Standard Webhooks specification. A secret that begins with ``whsec_`` is base64, any other is its text.
    """
    key = base64.b64decode(secret.removeprefix("whsec_")) if secret.startswith("whsec_") else secret.encode()
    signed = hmac.new(key, f"{id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(signed).decode()}"
