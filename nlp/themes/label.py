"""Names for themes: the words that set each apart (BERTopic's class-based TF-IDF), and a title out of people's mouths.

BERTopic is fitted on documents that have their themes already (its "manual topic modelling"): it embeds and clusters
nothing here, it says which words and which documents stand for each theme.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from groundswell.nlp import keywords
from groundswell.nlp.themes.evidence import Floats, plain_code

KEYWORDS = 8
"""Words kept of a theme."""
CANDIDATES = 30
"""Words BERTopic is asked for, of which those that only repeat a longer one are dropped."""
EXEMPLARS = 5
"""Documents that stand for a theme."""
SHORTEST, LONGEST = 12, 72
"""Characters of a title; scripts without spaces say three times as much in one."""
OWN_TITLE = 3
"""Documents of a language that earn it a title of its own."""
# A point ends a clause only after a real word and before a blank: "fall 0.4 %" and "Mt. Gox" are one clause each.
_CLAUSE = re.compile(r"(?<=\w{3})[.!?…]+(?=\s|$)|[。！？；;\n\r]+|\s[-–—|]\s|(?<=[\u0e00-\u0e7f])\s{2,}")
_HANDLE = re.compile(r"(?:https?://|www\.)\S+|@\w+|\S+@\S+|^\s*RT\b:?|[*_#<>`\[\]{}]+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Said:
    """A document of a theme."""

    id: str
    text: str
    lang: str
    vector: Floats


@dataclass(frozen=True, slots=True)
class Name:
    """What a theme is called; `titles` by language, `label` the title in the language most of it is in."""

    label: str
    keywords: tuple[str, ...]
    titles: Mapping[str, str]
    exemplars: tuple[str, ...]


def name_themes(themes: Mapping[str, Sequence[Said]]) -> dict[str, Name]:
    """Return a name for each theme: id → its latest documents, which must not be empty."""
    weights = telling_words(themes)
    return {theme: name(documents, weights[theme]) for theme, documents in themes.items()}


def telling_words(themes: Mapping[str, Sequence[Said]]) -> dict[str, dict[str, float]]:
    """Return for each theme its words and word pairs by class-based TF-IDF, the strongest first."""
    rows = [(k, said) for k, documents in enumerate(themes.values()) for said in documents]
    if len(themes) < 2:  # nothing to be set apart from: what is said most is what there is
        counts = Counter(term for _, said in rows for term in set(keywords.terms(said.text, said.lang)))
        return {theme: {w: float(c) for w, c in counts.most_common(CANDIDATES)} for theme in themes}
    model = fitted([said for _, said in rows], [k for k, _ in rows])
    topic_of = {k: topic for (k, _), topic in zip(rows, model.topics_, strict=True)}
    return {
        theme: {word: float(weight) for word, weight in model.get_topic(topic_of[k]) or [] if word and weight > 0}
        for k, theme in enumerate(themes)
    }


def fitted(documents: Sequence[Said], themes: Sequence[int]) -> Any:
    """Return a BERTopic that knows the themes of its documents."""
    from bertopic import BERTopic
    from bertopic.backend import BaseEmbedder
    from bertopic.cluster import BaseCluster
    from bertopic.dimensionality import BaseDimensionalityReduction
    from bertopic.vectorizers import ClassTfidfTransformer
    from sklearn.feature_extraction.text import CountVectorizer

    terms = {str(n): keywords.terms(said.text, said.lang) for n, said in enumerate(documents)}
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
    model.fit([str(n) for n in range(len(documents))], embeddings=np.stack([d.vector for d in documents]), y=themes)
    return model


def name(documents: Sequence[Said], weights: Mapping[str, float]) -> Name:
    """Return a theme's name out of its documents and telling words."""
    vectors = np.stack([d.vector for d in documents])
    nearness = vectors @ vectors.mean(0)
    best = [documents[i] for i in np.argsort(-nearness, kind="stable")]
    words = distinct(weights)[:KEYWORDS]
    langs = Counter(plain_code(d.lang) for d in documents)
    titles = {
        lang: title([d for d in best if plain_code(d.lang) == lang], weights, words)
        for lang, count in langs.most_common()
        if lang and (count >= OWN_TITLE or count == max(langs.values()))
    }
    main = titles.get(langs.most_common(1)[0][0]) or title(best, weights, words)
    exemplars = dict.fromkeys(d.id for d in best)
    return Name(main, tuple(words), titles, tuple(exemplars)[:EXEMPLARS])


def distinct(weights: Mapping[str, float]) -> list[str]:
    """Return words strongest first, without those that only repeat a part of a stronger one, or the other way round."""
    kept: list[str] = []
    for word in sorted(weights, key=lambda w: (-weights[w], w)):
        parts = set(word.split())
        if not any(parts & set(k.split()) or word in k or k in word for k in kept):
            kept.append(word)
    return kept


def title(documents: Sequence[Said], weights: Mapping[str, float], words: Sequence[str]) -> str:
    """Return the clause that says most of what the theme is about, or its words where no clause is fit to be read."""
    found = [(worth(clause, d.lang, weights) / (1 + 0.02 * n), -n, clause)
             for n, d in enumerate(documents[:40]) for clause in clauses(d.text)]  # fmt: skip
    best = max(found, default=(0.0, 0, ""))
    return best[2] if best[0] > 0 else " · ".join(words[:4])


def worth(clause: str, lang: str, weights: Mapping[str, float]) -> float:
    """Return how much of what sets a theme apart is in a clause, for its length."""
    said = keywords.terms(clause, lang)
    total: float = sum(weights.get(term, 0.0) for term in set(said))
    return total / float(np.sqrt(2 + len(said)))


def clauses(text: str) -> list[str]:
    """Return the pieces of a text that could stand as a title, handles, links and markup taken out."""
    pieces = (" ".join(_HANDLE.sub(" ", piece).split()).strip(" ,:'\"“”()-–—") for piece in _CLAUSE.split(text[:2000]))
    return [piece for piece in pieces if fits(piece)]


def fits(piece: str) -> bool:
    """Return whether a piece has the length of a title; wide scripts need fewer characters."""
    wide = sum(ord(c) > 0x0E00 for c in piece)
    return len(piece) + 2 * wide >= SHORTEST and len(piece) + wide <= LONGEST
