"""Names for themes: the words that set each apart (class-based TF-IDF), and titles made of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import log

import numpy as np

from groundswell.index.records import ThemeFeeling
from groundswell.nlp.text import keywords
from groundswell.nlp.themes.evidence import plain_code
from groundswell.nlp.themes.framing import BETWEEN, ENGLISH, capital
from groundswell.nlp.themes.subjects import Subject
from groundswell.nlp.themes.title import (
    READ,
    WORTH,
    Heard,
    Shares,
    ThemeText,
    Title,
    capitalised,
    frame_of,
    hear,
    key_of,
    make_title,
    mere_of,
    names_of,
    overlap,
    shares_of,
    sum_of_shares,
    words_of,
    written,
)

KEYWORDS = 8
"""Words kept of a theme."""
CANDIDATES = 30
"""Words looked at, of which those that only repeat a longer one are dropped."""
LONGEST_KEYWORD = 2
"""Words of a keyword at most."""
EXEMPLARS = 5
"""Documents that stand for a theme."""
BRAND_SHARE = 0.5
"""Share of a theme's documents that must speak of a watched name for it to lead the title."""
NAME_SHARE, MOST_NAMES = 0.5, 2
"""Share of a theme's documents that must hold a name for it to stand in a title in another language; how many may."""
READERS = ("en", "zh", "id")
"""Languages of the interface: every theme has a title in each."""
NOTHING_KNOWN = Subject()
OWN_TITLE, OWN_SHARE = 3, 0.15
"""Documents of a language, and their share of the theme, that earn it a title of its own."""


@dataclass(frozen=True, slots=True)
class Name:
    """What a theme is called; `titles` by language, `label` in the words that most of it is in, framed in English.

    `feeling` is set where its documents hold a feeling and no subject. `shares` are kept to set other themes apart.
    """

    label: str
    keywords: tuple[str, ...]
    titles: Mapping[str, str]
    exemplars: tuple[str, ...]
    feeling: ThemeFeeling = ""
    shares: Mapping[str, float] = field(default_factory=dict)


def name_themes(
    themes: Mapping[str, Sequence[ThemeText]],
    before: Mapping[str, Name] | None = None,
    *,
    others: Mapping[str, Shares] | None = None,
    subjects: Mapping[str, Subject] | None = None,
) -> dict[str, Name]:
    """Return names for themes: id → its latest documents, which must not be empty.

    Args:
        themes: the themes to name.
        before: what they, and others that have names, were called till now; a title stays while it is still true.
        others: the phrase shares of themes that they are set apart from beside one another.
        subjects: what is known of them in words of our own.
    """
    heard = {theme: [hear(document) for document in documents] for theme, documents in themes.items()}
    shares = {theme: shares_of(documents) for theme, documents in heard.items()}
    classes = [*shares.values(), *(own for theme, own in (others or {}).items() if theme not in shares)]
    across = sum_of_shares(classes)
    mean = sum(across.values()) / max(len(classes), 1)
    earlier = before or {}
    taken = {key_of(words_of(earlier[theme].label)) for theme in earlier if theme not in themes}
    named: dict[str, Name] = {}
    for theme in sorted(themes, key=lambda one: -len(heard[one])):
        weights = telling_words(shares[theme], across, mean)
        about = (subjects or {}).get(theme, Subject())
        given = name(heard[theme], weights, across, earlier.get(theme), taken=taken, about=about)
        named[theme] = replace(given, shares=shares[theme])
        taken.add(key_of(words_of(named[theme].label)))
    return {theme: named[theme] for theme in themes}


def telling_words(own: Shares, across: Mapping[str, float], mean: float) -> dict[str, float]:
    """Return a theme's words and word pairs by class-based TF-IDF, the strongest first.

    Grootendorst 2022 (arXiv 2203.05794), equation 2, on shares of documents instead of counts of words, so that one
    long document says no more than a short one: share · log(1 + A / f), with A the mean sum of shares of a theme and f
    the sum of the word's shares over all themes.
    """
    weights = {
        phrase: share * log(1 + mean / across[phrase])
        for phrase, share in own.items()
        if len(keywords.tokens(phrase)) <= LONGEST_KEYWORD
    }
    best = sorted(weights, key=lambda phrase: (-weights[phrase], phrase))[:CANDIDATES]
    return {phrase: weights[phrase] for phrase in best}


def name(
    documents: Sequence[Heard], weights: Mapping[str, float], across: Mapping[str, float], before: Name | None = None,
    *, taken: Collection[frozenset[str]] = (), about: Subject = NOTHING_KNOWN,
) -> Name:  # fmt: skip
    """Return a theme's name out of its documents, its telling words and how far phrases are spread over themes."""
    vectors = np.stack([heard.said.vector for heard in documents])
    best = [documents[i] for i in np.argsort(-(vectors @ vectors.mean(0)), kind="stable")]
    by_lang = _by_language(best)
    old = dict(before.titles) if before else {}
    spoken = next(iter(by_lang), "")
    names = names_of(best, across)
    main = make_title(
        by_lang.get(spoken, best),
        across,
        weights,
        before.label if before else "",
        taken=taken,
        names=names,
        points=about.holds,
        of=len(best),
    )
    made = {
        lang: main
        if lang == spoken
        else make_title(own, across, weights, old.get(lang, ""), names=names, points=about.holds, of=len(best))
        for lang, own in by_lang.items()
    }
    exemplars = tuple(dict.fromkeys(heard.said.id for heard in best))[:EXEMPLARS]
    brand = main_brand(best)
    titles = {
        lang: title.said(frame_of(lang), brand=brand, **about.told(lang))
        for lang, title in made.items()
        if lang == spoken or not (title.clause or title.is_listed)
    }
    named = main_names(best, names)
    if brand and brand.casefold() not in " ".join(named).casefold():
        named = (brand, *named)[:MOST_NAMES]
    titles |= {lang: title_for_reader(lang, main, named, about) for lang in READERS if lang not in titles}
    words = tuple(distinct(weights)[:KEYWORDS])
    return Name(
        main.said(ENGLISH, brand=brand, **about.told("en")),
        words, titles, exemplars, mere_of(by_lang.get(spoken, best)),
    )  # fmt: skip


def main_names(documents: Sequence[Heard], names: Collection[str]) -> tuple[str, ...]:
    """Return up to two of the names, as they are written, that many documents hold; the longer of two that overlap."""
    counts = Counter(phrase for heard in documents for phrase in heard.phrases & frozenset(names))
    chosen: list[str] = []
    for phrase in sorted(counts, key=lambda one: (-counts[one] * WORTH[len(one.split())], one)):
        apart = set(phrase.split()).isdisjoint(word for other in chosen for word in other.split())
        if apart and counts[phrase] >= NAME_SHARE * len(documents) and len(chosen) < MOST_NAMES:
            chosen.append(phrase)
    return tuple(written(phrase, documents) for phrase in chosen)


def main_brand(documents: Sequence[Heard]) -> str:
    """Return the name that most documents speak of, if a good part does, or "".

    Watched names count, and words written with a capital within sentences: a theme of one shop is named after it, even
    if many other themes speak of the shop, too.
    """
    counts = Counter(brand for heard in documents for brand in heard.said.brands)
    if not any(count >= BRAND_SHARE * len(documents) for count in counts.values()):
        capitals = capitalised([heard.said.text[:READ] for heard in documents])
        counts = Counter(word for heard in documents for word in heard.phrases & capitals)
    best = max(counts, key=lambda brand: (counts[brand], brand), default="")
    return written(best, documents) if best and counts[best] >= BRAND_SHARE * len(documents) else ""


def title_for_reader(lang: str, main: Title, named: tuple[str, ...], about: Subject) -> str:
    """Return a title in a language that the theme is not told in: names, else its topic, else its phrase as it stands.

    Args:
        lang: the reader's, one of `READERS`.
        main: the title in the language that is spoken most.
        named: names that it holds.
        about: what is known of the theme in words of our own.
    """
    frame, told = frame_of(lang), about.told(lang)
    topic, wrong, mixture = told["topic"], told["wrong"], told["mixture"]
    if main.mere:
        return main.said(frame)
    words = ", ".join(main.words)
    if named:
        spoken_of = ", ".join(named)
        if topic and not wrong and not overlap(spoken_of, topic):
            spoken_of = f"{spoken_of}: {topic}"
        return replace(main, words=(spoken_of,), clause=False, is_listed=False, held=1.0).said(frame, wrong or mixture)
    if topic:
        head = f"{capital(topic)} ({words})" if main.is_common else capital(topic)
    elif not main.is_common and not wrong and mixture:
        return main.mixed(frame, mixture)
    else:
        head = f"“{words}”" if main.is_common else frame.remarks.format(words)
    return BETWEEN.join(filter(None, (head, replace(main, clause=False).tail(frame, "", wrong))))


def _by_language(documents: Sequence[Heard]) -> dict[str, list[Heard]]:
    """Return the documents of each language that earns a title, the language that is spoken most first."""
    found: dict[str, list[Heard]] = {}
    for heard in documents:
        if lang := plain_code(heard.said.lang):
            found.setdefault(lang, []).append(heard)
    most = max(map(len, found.values()), default=0)
    fewest = max(OWN_TITLE, OWN_SHARE * len(documents))
    earned = {lang: own for lang, own in found.items() if len(own) in {most, max(len(own), fewest)}}
    return dict(sorted(earned.items(), key=lambda item: -len(item[1])))


def distinct(weights: Mapping[str, float]) -> list[str]:
    """Return words strongest first, without those that only repeat a part of a stronger one, or the other way round."""
    different: list[str] = []
    for word in sorted(weights, key=lambda w: (-weights[w], w)):
        parts = set(word.split())
        if not any(parts & set(k.split()) or word in k or k in word for k in different):
            different.append(word)
    return different
