"""An author's own words: quotes of others, lines that a site adds, counts and clusters of headlines are taken off.

Sources are the sites' own templates: Reddit, Lemmy, Lobsters, Hacker News (hnrss), Discourse, WordPress, Mastodon,
phpBB, vBulletin, XenForo, Invision, SMF, Google News.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import lxml.html

from groundswell.crawlers.plain_text import Words, tidy, tree_of, words_of

CONVERSATION = frozenset({"post", "comment"})
"""Kinds of texts in which a ``<blockquote>`` is somebody else's post; in news it is what a witness said."""
QUOTE = re.compile(
    r"(^|\s)(quote-inline|gmail_quote|moz-cite-prefix|yahoo_quoted|protonmail_quote|bbcode_quote|bbc_(alternate|standard)_quote"
    r"|quoteheader|quotefooter|ipsQuote\S*|bbCodeBlock--quote|bbCodeQuote|quotetitle|quotecontent|postquote|replyquote)(\s|$)",
    re.IGNORECASE,
)
BBCODE = re.compile(r"\[quote\b[^\]]{0,300}\](.*?)\[/quote\]", re.DOTALL | re.IGNORECASE)
QUOTED_LINE = re.compile(r"^[ \t]{0,3}>(?![._<]{1,3}<?\s*$)\s*\S")  # ">.<" and ">_<" are faces
WROTE = re.compile(r"^(On .{5,100}|\S.{0,60}) (wrote|said|escribió|menulis|tulis|viết|เขียนว่า):$", re.IGNORECASE)
ADDED = re.compile(
    r"^("
    r"submitted by\s.{1,200}"
    r"|(\[link\]|\[comments?\])(\s+\[comments?\])?"
    r"|-?\d[\d,.]*\s+points?\s*\|\s*\d[\d,.]*\s+comments?"
    r"|Comments?"
    r"|(Article|Comments) URL:\s*\S+"
    r"|(Points|# Comments):\s*\d+"
    r"|\d+ posts? - \d+ participants?"
    r"|(Read|View) full (topic|post|discussion)"
    r"|(The post|Artikel|The article) .{1,300} (first appeared|appeared first|pertama kali muncul|muncul pertama kali)"
    r" (on|di|pada) .{1,100}"
    r")\.?$",
    re.IGNORECASE,
)
"""Lines that a site's template adds to a post; only the first and the last lines are looked at."""
SUBMITTED = re.compile(r"\s+submitted by\s+/?u/[\w-]{1,30}\s*$")
"""The same behind a text that ends without a line break."""
EDGE = 6
BRIDGE_ERROR = re.compile(
    r"^\s*(Bridge returned error\b|RSS-?Bridge( has| tried|:)? .{0,40}(error|exception|fail)"
    r"|(Error|Exception) (while|when) (loading|fetching|updating) (the )?feed\b)",
    re.IGNORECASE,
)
# A text is a list of links when they make this share of its letters.
LIST_OF_LINKS = 0.8
"""What bridges put into a feed where they failed: titles of RSS-Bridge and its like."""


def own_words(markup: str, *, kind: str) -> Words:
    """Return the words of a piece of HTML that are its author's, and those it quotes.

    A text that would be nothing but a quote is kept whole: some bridges put every post into a ``<blockquote>``.
    """
    is_talk = kind in CONVERSATION
    words = words_of(markup, is_others=_is_talk_quote if is_talk else _is_quote)
    own = without_added(words.own)
    if is_talk:
        own, more = _without_quoted_lines(own)
        words = Words(own, tidy(f"{words.quoted}\n\n{more}"))
        own = _without_naming(own) if words.quoted else own
    return Words(own, words.quoted) if own or not words.quoted else Words(without_added(words.quoted))


def own_plain(text: str, *, kind: str) -> Words:
    """Return a plain text's own words: quotes in BBCode and lines that begin with ``>`` are others'."""
    if kind not in CONVERSATION:
        return Words(tidy(text))
    quoted = [found[1] for found in BBCODE.finditer(text)] if "[/" in text else []
    own, more = _without_quoted_lines(tidy(BBCODE.sub("\n\n", text) if quoted else text))
    own = _without_naming(own) if quoted or more else own
    return Words(own, tidy("\n\n".join([*quoted, more]))) if own else Words(tidy(text))


def without_added(text: str) -> str:
    """Return a text without the lines that its site's template put at its beginning and its end."""
    lines = text.split("\n")
    shown = [number for number, line in enumerate(lines) if line.strip()]
    near = {*shown[:EDGE], *shown[-EDGE:]}
    own = (line for number, line in enumerate(lines) if number not in near or not ADDED.match(line.strip()))
    return tidy(SUBMITTED.sub("", "\n".join(own)))


def is_cluster(markup: str) -> bool:
    """Return whether a text is only a list of links to other pages: others' headlines, as Google News has them."""
    if "<a" not in markup or (tree := tree_of(markup)) is None:
        return False
    links = [node for node in tree.iter("a") if node.get("href")]
    hosts = {urlsplit(node.get("href")).netloc for node in links}
    if not links or not (all(host.endswith("news.google.com") for host in hosts) or _in_list(links)):
        return False
    linked = sum(len(node.text_content()) for node in [*links, *tree.iter("font")])
    return linked >= LIST_OF_LINKS * len("".join(tree.text_content().split(" ")))


def is_bridge_error(title: str) -> bool:
    """Return whether a title is a bridge's own complaint."""
    return bool(BRIDGE_ERROR.match(title))


def _without_naming(text: str) -> str:
    """Return a text without lines that only say who said what stood behind them ("Ann wrote:")."""
    return tidy("\n".join(line for line in text.split("\n") if not WROTE.match(line.strip())))


def _in_list(links: list[lxml.html.HtmlElement]) -> bool:
    return len(links) > 1 and all(any(True for _ in node.iterancestors("li")) for node in links)


def _is_quote(node: lxml.html.HtmlElement) -> bool:
    marked = node.get("class") or ""
    if node.tag == "aside" and "quote" in marked.split():
        return True
    return bool(marked and QUOTE.search(marked))


def _is_talk_quote(node: lxml.html.HtmlElement) -> bool:
    marked = (node.get("class") or "").split()
    return node.tag == "blockquote" or (node.tag == "div" and "quote" in marked) or _is_quote(node)


def _without_quoted_lines(text: str) -> tuple[str, str]:
    """Return a text without quoted lines, and those."""
    own: list[str] = []
    quoted: list[str] = []
    for line in text.split("\n"):
        if QUOTED_LINE.match(line):
            quoted.append(line.lstrip(" \t>"))
        else:
            own.append(line)
    return (tidy("\n".join(own)), tidy("\n".join(quoted))) if quoted else (text, "")
