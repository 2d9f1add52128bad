"""Names in the store: what is new or has grown is named, set apart from the other themes by what is remembered of them.

Only the documents of the themes that need a name are read again. What others hold is remembered by their phrases.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from groundswell.configs.schema import Settings
from groundswell.index.ids import stable_id
from groundswell.index.records import Checkpoint, Document, Lineage, Record, Theme
from groundswell.index.store import Reader
from groundswell.nlp.enrich.consensus import common_risk, share_with
from groundswell.nlp.text.document_text import document_text
from groundswell.nlp.themes.by_hand import decided
from groundswell.nlp.themes.cluster import Cluster
from groundswell.nlp.themes.label import Name, name_themes
from groundswell.nlp.themes.space import ThemeSpace
from groundswell.nlp.themes.subjects import ComplaintFinder, Subject, TopicFinder, main_topic, mixture_of
from groundswell.nlp.themes.title import HALF, ThemeText, frame_of

LANGUAGES = ("en", "zh", "id", "th", "vi")
"""Languages that titles are framed in."""
PHRASES = "themes/phrases/"
"""Checkpoints: what share of a theme's documents holds each phrase."""
LATEST_DOCUMENTS = 48
"""Latest documents a theme's name is made of."""
OTHERS = 150
"""Themes at most that the named ones are set apart from, those that were spoken of last."""


def name_stale(reader: Reader, space: ThemeSpace, stale: Collection[str], settings: Settings) -> list[Record]:
    """Return what to write so that themes with an outdated name have a new one."""
    asked = sorted(one for one in stale if one in space.themes)
    documents = {one: read for one in asked if (read := latest(reader, space.themes[one]))}
    if not documents:
        return []
    others = others_of(space, documents)
    before = {t.id: t for t in reader.many(Theme, [*documents, *others])}
    marks = reader.many(Checkpoint, [PHRASES + one for one in others])
    texts = {one: [text_of_theme(d) for d in read] for one, read in documents.items()}
    risks = {one: common_risk([d.enriched for d in read if d.enriched])[0] for one, read in documents.items()}
    carried = {one: share_with([d.enriched for d in read if d.enriched], risks[one]) for one, read in documents.items()}
    partly = {one for one, share in carried.items() if share < HALF}
    subjects = subjects_of(texts, risks, partly, [mark.value.get("topics", {}) for mark in marks], settings)
    named = name_themes(
        texts,
        {one: name_of(t) for one, t in before.items()},
        others={mark.id.removeprefix(PHRASES): mark.value["shares"] for mark in marks},
        subjects=subjects,
    )
    records, hand = list[Record](), decided(reader)
    for one in [one for one in named if one in before and one not in hand.merged]:
        name = named[one]
        if one in hand.titles:  # what a person called a theme stays
            name = replace(name, label=hand.titles[one], titles=hand.titled(before[one]).titles)
        records += renamed(before[one], name, risks[one], subjects[one])
    return records


def subjects_of(
    texts: Mapping[str, Sequence[ThemeText]], risks: Mapping[str, str], partly: Collection[str],
    others: Sequence[Mapping[str, float]], settings: Settings,
) -> dict[str, Subject]:  # fmt: skip
    """Return what themes are about by the taxonomy, the common complaints and the standing topics.

    Args:
        texts: documents of each theme.
        risks: what each carries as a whole, by id.
        partly: themes of which fewer than half of the documents carry it by themselves.
        others: shares of topics in other themes.
        settings: what names taxonomy, complaints and topics of one's own.
    """
    from groundswell.configs.complaints import load_complaints
    from groundswell.configs.taxonomy import load_taxonomy  # with YAML, only where something needs a name
    from groundswell.configs.topics import load_topics

    complaints = ComplaintFinder(load_complaints(settings.themes.complaints))
    finder = TopicFinder(load_topics(settings.signals.topics))
    names = {risk.id: risk for risk in load_taxonomy(settings.taxonomy).risks}
    shares = {one: finder.shares([(each.text, each.lang) for each in read]) for one, read in texts.items()}
    found: dict[str, Subject] = {}
    for one, own in shares.items():
        risk = names.get(risks[one])
        said = {topic for topic in own if risk and finder.speaks_of(topic, risk.title.casefold(), "en")}
        unsaid = {topic: share for topic, share in own.items() if topic not in said}  # what is wrong says the others
        rest = [*others, *(shares[each] for each in shares if each != one)]
        topic = main_topic(unsaid, rest) or main_topic(own, rest)
        wrong = complaints.main([(each.text, each.lang) for each in texts[one]])
        if not topic and wrong and wrong.about in finder.topics:
            topic = wrong.about
        mixed = () if topic else mixture_of(own)
        found[one] = Subject(
            {
                lang: partly_said(lowered(title), lang) if one in partly else lowered(title)
                for lang in LANGUAGES
                if risk and (title := risk.titled(lang))
            },
            {lang: title for lang in LANGUAGES if topic and (title := finder.topics[topic].titled(lang))},
            own,
            {lang: "; ".join(filter(None, (finder.topics[each].titled(lang) for each in mixed))) for lang in LANGUAGES},
            (*(risk.words if risk else ()), *(finder.topics[topic].all_words if topic else ())),
            {lang: title for lang in LANGUAGES if wrong and (title := wrong.titled(lang))},
        )
    return found


def partly_said(title: str, lang: str) -> str:
    """Return what fewer than half carry, and says so."""
    return frame_of(lang).partly.format(title)


def lowered(title: str) -> str:
    """Return a title as it stands behind another: with a small letter, unless its first word has a case of its own."""
    first = title.split(" ", maxsplit=1)[0]
    return title[:1].lower() + title[1:] if first.istitle() else title


def latest(reader: Reader, cluster: Cluster) -> list[Document]:
    """Return the latest documents of a theme that can be read, copies left out."""
    documents = reader.many(Document, list(cluster.members)[-LATEST_DOCUMENTS:])
    return [
        d
        for d in documents
        if d.enriched is not None and d.enriched.vector is not None and d.enriched.duplicate_of in {"", d.id}
    ]


def others_of(space: ThemeSpace, asked: Mapping[str, object]) -> list[str]:
    """Return the themes that a name must set apart from, those spoken of last."""
    rest = [cluster for one, cluster in space.themes.items() if one not in asked and cluster.state == "living"]
    return [c.theme for c in sorted(rest, key=lambda c: (c.last_seen, c.theme), reverse=True)[:OTHERS]]


def text_of_theme(document: Document) -> ThemeText:
    """Return a document as titles are made of it."""
    enriched, mention = document.enriched, document.mention
    assert enriched is not None  # noqa: S101  `latest` gives no others
    assert enriched.vector is not None  # noqa: S101
    text = document_text(mention)
    brands = tuple(dict.fromkeys(target.name for target in enriched.targets if target.name))
    return ThemeText(document.id, text, enriched.lang, enriched.vector, enriched.sentiment.mood, brands)


def name_of(theme: Theme) -> Name:
    """Return what a theme is called."""
    return Name(theme.label, theme.keywords, theme.titles, theme.exemplars, theme.feeling)


def renamed(theme: Theme, name: Name, risk: str, subject: Subject) -> Iterator[Record]:
    """Yield a theme under a name, the phrases behind it, and the renaming if it was called otherwise."""
    yield replace(
        theme, label=name.label, keywords=name.keywords, titles=name.titles, exemplars=name.exemplars, risk=risk,
        feeling=name.feeling,
    )  # fmt: skip
    yield Checkpoint(
        id=PHRASES + theme.id, value={"shares": dict(name.shares), "topics": dict(subject.topics)}, at=theme.last_seen
    )
    if theme.label and theme.label != name.label:
        key = stable_id("lineage", theme.id, "renamed", theme.last_seen.isoformat(), name.label)
        why = f"was “{theme.label}”"
        yield Lineage(id=key, theme=theme.id, what="renamed", at=theme.last_seen, why=why)
