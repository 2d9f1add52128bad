"""One click ends somebody's digests (RFC 8058): a page of the board that needs no sign-in, only the key in the mail.

To look at the address changes nothing, for programs look at every link of a mail; what is posted does.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from html import escape

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from groundswell.configs.schema import Person, Settings
from groundswell.index.audit import Audit, Entry
from groundswell.index.open import open_store
from groundswell.index.store import StoreError
from groundswell.ui.board import queries
from groundswell.ui.report.editions.ledger import person_for, start_again, stop
from groundswell.ui.report.tongue import speak, tr

LONGEST_BODY = 4096
PAGE = """<!doctype html><html lang="{lang}"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="robots" content="noindex"><meta name="color-scheme" content="light dark"><title>Groundswell</title>
<style>body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 34rem; margin: 15vh auto 0; padding: 0 1.2rem }}
button {{ font: inherit; padding: .5rem 1.1rem }}</style><h1>Groundswell</h1><p>{said}</p>{form}</html>"""
HEADERS = {"cache-control": "no-store"}


async def unsubscribe(request: Request) -> Response:
    """Show what a click would do, or do it."""
    settings = queries.settings()
    who, key = request.query_params.get("who", ""), request.query_params.get("key", "")
    person = await asyncio.to_thread(person_for, settings, who, key)
    if person is None:
        return HTMLResponse(_page("en", "This address is not, or no longer, valid."), 404, HEADERS)
    if request.method != "POST":
        return HTMLResponse(_asking(person), 200, HEADERS)
    again = b"again=1" in await _body(request)
    try:
        await asyncio.to_thread(_change, settings, person, again=again)
    except (StoreError, OSError):
        return HTMLResponse(_page("en", "The store cannot be written now; please try again later."), 503, HEADERS)
    return HTMLResponse(_done(person, again=again), 200, HEADERS)


async def _body(request: Request) -> bytes:
    """Return the beginning of what was posted; nobody fills the memory."""
    found = b""
    async for part in request.stream():
        found += part
        if len(found) > LONGEST_BODY:
            break
    return found[:LONGEST_BODY]


def _change(settings: Settings, person: Person, *, again: bool) -> None:
    Audit(settings.data_dir).note(Entry(who=person.id, what="digest again" if again else "digest ended"))
    with open_store(settings) as store:
        (start_again if again else stop)(store, person, now=datetime.now(UTC))


def _asking(person: Person) -> str:
    speak(person.language)
    return _page(person.language, tr("Stop these mails?"), _form(tr("Stop these mails")))


def _done(person: Person, *, again: bool) -> str:
    speak(person.language)
    if again:
        return _page(person.language, tr("You get the digest again."))
    return _page(person.language, tr("You get no more digests."), _form(tr("Get them again"), again="1"))


def _form(label: str, **fields: str) -> str:
    hidden = "".join(f'<input type="hidden" name="{escape(k)}" value="{escape(v)}">' for k, v in fields.items())
    return f'<form method="post">{hidden}<button>{escape(label)}</button></form>'


def _page(lang: str, said: str, form: str = "") -> str:
    return PAGE.format(lang=lang, said=escape(said), form=form)
