"""HTML made by us from text that is not: everything that enters is escaped, every address looked at.

`Html` is a string that is already safe; `tag` and `joined` make it, `esc` turns any text into it. Nothing else may be
given to ``st.html``.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import NewType
from urllib.parse import quote, urlsplit

from groundswell.ui.report.wording import visible

Html = NewType("Html", str)
MARK_OPEN, MARK_CLOSE = "[[", "]]"
NOTHING = Html("")
SPOKEN = frozenset({"title", "alt", "aria-label"})


def esc(text: object) -> Html:
    """Return any text as HTML that shows exactly this text.

    Bidirectional overrides and control characters are dropped: a hostile text may not reorder what stands around it.
    """
    return Html(escape(visible(str(text)), quote=True))


def tag(name: str, content: Html | Iterable[Html] = NOTHING, /, cls: str = "", **attributes: str | None) -> Html:
    """Return one element; attributes are escaped, ``None`` leaves one out, ``_`` in a name becomes ``-``."""
    named = {"class": cls or None, **{key.strip("_").replace("_", "-"): value for key, value in attributes.items()}}
    spoken = {key: _told(value) if value and key in SPOKEN else value for key, value in named.items()}
    given = "".join(f' {key}="{esc(value)}"' for key, value in spoken.items() if value is not None)
    return Html(f"<{name}{given}>{joined(content)}</{name}>")


def _told(text: str) -> str:
    """Return text for an attribute that is read out: DOMPurify drops one that holds the end of an element whole."""
    return text.replace("<", "‹").replace(">", "›")


def joined(parts: Html | Iterable[Html]) -> Html:
    """Return pieces of HTML one after the other."""
    return parts if isinstance(parts, str) else Html("".join(parts))


def bold(text: object) -> Html:
    """Return text in bold."""
    return tag("b", esc(text))


def highlighted(fragment: str) -> Html:
    """Return a fragment of a hit with its ``[[ ]]`` marks as ``<mark>``; unpaired marks stay text."""
    head, *rest = fragment.split(MARK_OPEN)
    done = [esc(head)]
    for piece in rest:
        inside, close, after = piece.partition(MARK_CLOSE)
        done.append(Html(f"<mark>{esc(inside)}</mark>{esc(after)}") if close else esc(MARK_OPEN + piece))
    return joined(done)


def plain(fragment: str) -> str:
    """Return a fragment of a hit without its marks."""
    return fragment.replace(MARK_OPEN, "").replace(MARK_CLOSE, "")


def web_address(url: str) -> tuple[str, str] | None:
    """Return an address fit to be clicked and its domain, or ``None`` for anything but http and https."""
    try:
        parts = urlsplit(url.strip())
        host = parts.hostname
    except ValueError:
        return None
    if parts.scheme.lower() not in {"http", "https"} or not host or parts.username is not None:
        return None  # user:password@host is how a link pretends to be another site's
    return quote(url.strip(), safe=":/?#[]@!$&'()*+,;=%-._~"), host.removeprefix("www.")


def web_link(url: str, label: str = "") -> Html:
    """Return a link that leaves the board, named by its domain; an unfit address becomes nothing."""
    found = web_address(url)
    if found is None:
        return NOTHING
    address, domain = found
    return tag("a", esc(label or domain), cls="out", href=address, target="_blank", rel="noopener noreferrer nofollow")


def link(
    href: str, content: Html, cls: str = "", title: str | None = None, style: str | None = None, *, reached: bool = True
) -> Html:
    """Return a link inside the board; `reached` tells whether Tab stops at it, as it should at one of many alike."""
    stop = None if reached else "-1"
    return tag("a", content, cls=cls, href=href, title=title, style=style, tabindex=stop)


def table(head: Iterable[str], rows: Iterable[Iterable[Html]], cls: str = "") -> Html:
    """Return a table; the cells are HTML already. Each cell knows its column's name, for narrow screens."""
    names = list(head)
    body = (tag("tr", (tag("td", cell, data_label=names[i]) for i, cell in enumerate(row))) for row in rows)
    return tag(
        "table", [tag("thead", tag("tr", (tag("th", esc(name)) for name in names))), tag("tbody", body)], cls=cls
    )


def facts(pairs: Iterable[tuple[str, Html]], cls: str = "") -> Html:
    """Return small named facts, two to a line where there is room."""
    return tag("dl", (tag("div", [tag("dt", esc(name)), tag("dd", value)]) for name, value in pairs if value), cls=cls)


def panel(title: str, note: str, body: Html, cls: str = "") -> Html:
    """Return a framed part of a page, with its title and what the title leaves unsaid."""
    suffix = tag("em", esc(f" · {note}")) if note else NOTHING
    return tag("section", [tag("h2", [esc(title), suffix]), body], cls=f"panel {cls}".strip())
