"""How a document looks in a list: where, when, what, and whom it concerns. Every text here comes from strangers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from groundswell.index.query import Hit
from groundswell.index.records import Document
from groundswell.nlp.text.clean import joined as joined_text
from groundswell.ui.board import queries
from groundswell.ui.board.elements import NOTHING, Html, esc, highlighted, joined, link, plain, tag, web_link
from groundswell.ui.report import links, wording
from groundswell.ui.report.disturbing import claimed
from groundswell.ui.report.tongue import spoken, tr

EXCERPT = 320
CLAIMED = 0.5


def document_list(
    hits: Iterable[Hit],
    zone: str,
    themes: Mapping[str, str] | None = None,
    hide: str = "",
    reasons: Mapping[str, Sequence[str]] | None = None,
) -> Html:
    """Return documents one below the other; `reasons` says of each why it is there."""
    why = reasons or {}
    return joined(
        article(
            hit.document, zone, fragments=hit.highlights, copies=hit.copies, themes=themes, hide=hide,
            reasons=why.get(hit.document.id, ()),
        )
        for hit in hits
    )  # fmt: skip


def article(
    document: Document,
    zone: str,
    *,
    fragments: Sequence[str] = (),
    copies: int = 1,
    themes: Mapping[str, str] | None = None,
    hide: str = "",
    reasons: Sequence[str] = (),
) -> Html:
    """Return one document; `themes` names those worth a link, `hide` is a risk that goes without saying here."""
    by = tag("div", _by(document, zone, copies), cls="by")
    words = folded(joined([*_words(document, fragments), gloss(document)]), claimed(document))
    return tag("article", [by, words, _tags(document, themes or {}, hide), _why(reasons)])


def folded(words: Html, risks: Iterable[str]) -> Html:
    """Return what somebody wrote, behind a click where one of its risks may disturb (`disturbing` in the taxonomy)."""
    name = queries.disturbing(risks)
    if not name:
        return words
    summary = tag("summary", esc(tr("May disturb ({risk}): click to read").format(risk=name)))
    return tag("details", [summary, words], cls="disturbing")


def gloss(document: Document) -> Html:
    """Return the words that matter of a text in another language than the reader's, with what each means."""
    lang, mention = _lang(document), document.mention
    if lang in {"", "en", "und", spoken()} or (lang == "ms" and spoken() == "id"):
        return NOTHING
    met = document.enriched.rules if document.enriched else ()
    found = queries.glossary().of(joined_text(mention.title, mention.text), lang, met)
    if not found:
        return NOTHING
    words = [joined([tag("b", esc(one.word), lang=lang), esc(f" {one.meaning}")]) for one in found]
    head = esc(tr("words that matter: "))
    body = [head, *(joined([esc(" · "), word]) if i else word for i, word in enumerate(words))]
    return tag("p", body, cls="gloss", title=tr("words of topics and rules with what these mean; no translation"))


def _why(reasons: Sequence[str]) -> Html:
    """Return why a document is among these, folded away until somebody asks."""
    if not reasons:
        return NOTHING
    summary = tag("summary", esc(tr("why is this here")))
    return tag("details", [summary, tag("ul", (tag("li", esc(reason)) for reason in reasons))], cls="why-here")


def _words(document: Document, fragments: Sequence[str]) -> list[Html]:
    """Return title and text, each said once: a title is marked where it stands, and is no text a second time."""
    title, text = (" ".join(words.split()) for words in (document.mention.title, document.mention.text))
    of_title = [fragment for fragment in fragments if plain(fragment).removesuffix(" …") in title]
    of_text = [fragment for fragment in fragments if fragment not in of_title]
    marked = next((fragment for fragment in of_title if plain(fragment) == title), "")
    head = highlighted(marked) if marked else esc(wording.shortened(title, 160))
    body = joined(tag("p", highlighted(fragment)) for fragment in of_text[:2])
    if not body and text != title:
        body = tag("p", esc(wording.shortened(text, EXCERPT)), lang=_lang(document))
    return [tag("h4", head, lang=_lang(document)) if title else NOTHING, body]


def _by(document: Document, zone: str, copies: int) -> list[Html]:
    mention, enriched = document.mention, document.enriched
    when = wording.stamp(mention.published_at, zone) if mention.published_at else tr("no date")
    doubt = {"none": tr(" (date not to be trusted)"), "inferred": tr(" (date guessed)")}.get(
        mention.date_confidence, ""
    )
    parts = [
        link(links.search(source=mention.source), esc(mention.source)),
        tag("span", esc(when + doubt), cls="nowrap"),
        tag("span", esc(" · ".join(filter(None, (mention.market, _lang(document)))))),
        _feeling(document) if enriched else tag("span", esc(tr("not read yet"))),
        web_link(mention.url),
    ]
    parts.append(link(links.document(mention.id), esc(tr("open")), cls="out", title=tr("the whole document")))
    if copies > 1 and enriched:
        same = links.unfolded(links.search(duplicate=enriched.duplicate_of or mention.id))
        parts.append(link(same, esc(wording.plural(copies, "copy", "copies"))))
    return [part for part in parts if part]


def _feeling(document: Document) -> Html:
    sentiment = document.enriched.sentiment if document.enriched else None
    return (
        tag("span", esc(f"{tr(sentiment.label)} {wording.signed(sentiment.mood)}"), cls=sentiment.label)
        if sentiment
        else NOTHING
    )


def _lang(document: Document) -> str:
    return (document.enriched.lang if document.enriched else "") or document.mention.lang


def _tags(document: Document, themes: Mapping[str, str], hide: str) -> Html:
    enriched, theme = document.enriched, document.membership.theme if document.membership else ""
    claimed = sorted(
        (risk for risk, chance in (enriched.risks if enriched else {}).items() if chance >= CLAIMED and risk != hide)
    )
    tags = [link(links.search(risk=risk), esc(wording.risk(risk)), cls="tagged") for risk in claimed]
    if theme in themes:
        tags.append(
            link(links.theme(theme), esc(f"{tr('theme')}: {wording.shortened(themes[theme], 60)}"), cls="tagged")
        )
    return tag("div", tags, style="margin-top:5px") if tags else NOTHING
