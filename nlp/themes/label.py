"""Names for themes: the words that set each apart (BERTopic's class-based TF-IDF), and titles made of them.

BERTopic is fitted on documents that have their themes already (its "manual topic modelling"): it embeds and clusters
nothing here, it says which words and which documents stand for each theme.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from groundswell.index.records import ThemeFeeling
from groundswell.nlp.text import keywords
from groundswell.nlp.themes.evidence import plain_code
from groundswell.nlp.themes.framing import ENGLISH
from groundswell.nlp.themes.title import (
    Heard,
    ThemeText,
    frame_of,
    hear,
    key_of,
    make_title,
    mere_of,
    names_of,
    spread_of,
    words_of,
)

KEYWORDS = 8
"""Words kept of a theme."""
CANDIDATES = 30
"""Words BERTopic is asked for, of which those that only repeat a longer one are dropped."""
EXEMPLARS = 5
"""Documents that stand for a theme."""
OWN_TITLE, OWN_SHARE = 3, 0.15
"""Documents of a language, and their share of the theme, that earn it a title of its own."""


@dataclass(frozen=True, slots=True)
class Name:
    """What a theme is called; `titles` by language, `label` in the words that most of it is in, framed in English.

    `feeling` is set where its documents hold a feeling and no subject.
    """

    label: str
    keywords: tuple[str, ...]
    titles: Mapping[str, str]
    exemplars: tuple[str, ...]
    feeling: ThemeFeeling = ""


def name_themes(
    themes: Mapping[str, Sequence[ThemeText]], before: Mapping[str, Name] | None = None, *, wanted: Sequence[str] = ()
) -> dict[str, Name]:
    """Return names for themes: id → its latest documents, which must not be empty.

    Args:
        themes: the themes to name and those that they are set apart from.
        before: what they were called till now; a title stays while it is still true.
        wanted: the themes to name; by default all.
    """
    heard = {theme: [hear(said) for said in documents] for theme, documents in themes.items()}
    weights, across = telling_words(heard), spread_of(heard.values())
    known = before or {}
    asked = list(wanted) or list(themes)
    taken = {key_of(words_of(known[theme].label)) for theme in known if theme not in asked}
    named: dict[str, Name] = {}
    for theme in sorted(asked, key=lambda one: -len(heard[one])):
        named[theme] = name(heard[theme], weights[theme], across, known.get(theme), taken)
        taken.add(key_of(words_of(named[theme].label)))
    return {theme: named[theme] for theme in asked}


def telling_words(themes: Mapping[str, Sequence[Heard]]) -> dict[str, dict[str, float]]:
    """Return for each theme its words and word pairs by class-based TF-IDF, the strongest first."""
    rows = [(k, heard) for k, documents in enumerate(themes.values()) for heard in documents]
    if len(themes) < 2:  # nothing to be set apart from: what is said most is what there is
        counts = Counter(term for _, heard in rows for term in set(_terms(heard)))
        return {theme: {w: float(c) for w, c in counts.most_common(CANDIDATES)} for theme in themes}
    model = fitted([heard for _, heard in rows], [k for k, _ in rows])
    topic_of = {k: topic for (k, _), topic in zip(rows, model.topics_, strict=True)}
    return {
        theme: {word: float(weight) for word, weight in model.get_topic(topic_of[k]) or [] if word and weight > 0}
        for k, theme in enumerate(themes)
    }


def _terms(heard: Heard) -> list[str]:
    return keywords.terms_of(heard.pieces, heard.said.lang)


def fitted(documents: Sequence[Heard], themes: Sequence[int]) -> Any:
    """Return a BERTopic that knows the themes of its documents."""
    from bertopic import BERTopic
    from bertopic.backend import BaseEmbedder
    from bertopic.cluster import BaseCluster
    from bertopic.dimensionality import BaseDimensionalityReduction
    from bertopic.vectorizers import ClassTfidfTransformer
    from sklearn.feature_extraction.text import CountVectorizer

    terms = {str(n): _terms(heard) for n, heard in enumerate(documents)}
    model = BERTopic(
        embedding_model=BaseEmbedder(),
        umap_model=BaseDimensionalityReduction(),
        hdbscan_model=BaseCluster(),
        # BERTopic joins the documents of a theme with blanks before counting: numbers stand for them till then.
        vectorizer_model=CountVectorizer(analyzer=lambda joined: [t for n in joined.split() for t in terms[n]]),
        ctfidf_model=ClassTfidfTransformer(reduce_frequent_words=True),
        top_n_words=CANDIDATES,
        verbose=False,
    )
    model.fit(
        [str(n) for n in range(len(documents))], embeddings=np.stack([d.said.vector for d in documents]), y=themes
    )
    return model


def name(
    documents: Sequence[Heard], weights: Mapping[str, float], across: Mapping[str, float], before: Name | None = None,
    taken: Collection[frozenset[str]] = (),
) -> Name:  # fmt: skip
    """Return a theme's name out of its documents, its telling words and how far phrases are spread over themes."""
    vectors = np.stack([heard.said.vector for heard in documents])
    best = [documents[i] for i in np.argsort(-(vectors @ vectors.mean(0)), kind="stable")]
    by_lang = _by_language(best)
    old = dict(before.titles) if before else {}
    spoken = next(iter(by_lang), "")
    names = names_of(best, across)
    main = make_title(
        by_lang.get(spoken, best), across, weights, before.label if before else "", taken=taken, names=names
    )
    made = {
        lang: main if lang == spoken else make_title(own, across, weights, old.get(lang, ""), names=names)
        for lang, own in by_lang.items()
    }
    exemplars = tuple(dict.fromkeys(heard.said.id for heard in best))[:EXEMPLARS]
    titles = {lang: title.said(frame_of(lang)) for lang, title in made.items()}
    words = tuple(distinct(weights)[:KEYWORDS])
    return Name(main.said(ENGLISH), words, titles, exemplars, mere_of(by_lang.get(spoken, best)))


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
    kept: list[str] = []
    for word in sorted(weights, key=lambda w: (-weights[w], w)):
        parts = set(word.split())
        if not any(parts & set(k.split()) or word in k or k in word for k in kept):
            kept.append(word)
    return kept
