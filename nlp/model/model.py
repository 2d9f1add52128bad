"""The model: a pass of the encoder over a batch of texts, then its heads.

`load_model` opens what the configuration names; `Model.read` gives all that is known of the texts at once. Heads come
with a bundle, or are fitted on the spot from texts of our own where the user names another encoder or adds classes.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from groundswell.index.records import SENTIMENTS, SentimentLabel, Stance, Target, TargetKind
from groundswell.nlp.model.bundle import Bundle, find_bundle, read_bundle
from groundswell.nlp.model.encoder.tokens import LONGEST_TEXT, Batch, Tokenizer
from groundswell.nlp.model.heads import Head, Heads, risk_stretch, sigmoid, softmax
from groundswell.nlp.model.learned import LEARNED_MARK, Learned, read_learned
from groundswell.nlp.model.lexicon import Wording
from groundswell.nlp.model.passages import Passage, passage
from groundswell.nlp.model.stance import CLAIMING, STANCES, stance_features
from groundswell.nlp.model.surface import NOTHING, Surface
from groundswell.nlp.model.targets import KINDS, by_target, clauses
from groundswell.nlp.model.valence import plainly

if TYPE_CHECKING:
    from groundswell.configs.schema import ModelSettings
    from groundswell.configs.taxonomy import Taxonomy
    from groundswell.nlp.model.encoder.runtime import Runtime

log = logging.getLogger(__name__)
Array = NDArray[np.float32]
Numbers = NDArray[np.int64]
SURE = 0.5
"""Probability from which the head's target is named beside those that words name."""
SPOKEN = 0.1
"""Probability of a risk from which it is asked how the text stands to it."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What was understood of ``n`` texts.

    `vectors` ``(n, dimensions)`` of unit length; `sentiment` ``(n, 3)`` calibrated probabilities of negative, neutral,
    positive; `risks` ``(n, classes)`` calibrated, a class is claimed at .5; `targets` whom a text's feelings are about.
    `spoken` ``(n, classes)`` are the risks that a text speaks of, claimed or not; `stances` how it stands to them.
    `unread` are the characters of each text that were not read, as it is too long.
    """

    vectors: Array
    sentiment: Array
    risks: Array
    targets: tuple[tuple[Target, ...], ...]
    spoken: Array
    stances: tuple[Stance, ...]
    unread: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Encoded:
    """One pass over ``n`` texts: unit `vectors` and `pooled` states of the tuned branch."""

    vectors: Array
    pooled: Array


@dataclass(frozen=True, slots=True)
class Looked:
    """What heads read of ``n`` texts: passages, encoded; as feelings are read, `plain`, and its states, `pooled`."""

    passages: tuple[Passage, ...]
    encoded: Encoded
    plain: tuple[str, ...]
    pooled: Array


class Model:
    """Reads texts: each is encoded once, and once more what a text says of one of several targets.

    Made by `load_model`; not for use by several threads at a time.
    """

    def __init__(
        self,
        runtime: Runtime,
        tokenizer: Tokenizer,
        heads: Heads,
        settings: ModelSettings,
        *,
        wording: Wording | None = None,
        surface: Surface = NOTHING,
        made_by: str,
        embedding_version: str,
    ) -> None:
        self._runtime, self._tokenizer, self._heads = runtime, tokenizer, heads
        self._wording, self._surface = wording or Wording([]), surface
        self._batch_tokens = settings.batch_tokens
        self.risk_ids, self.dimensions = heads.risk_ids, heads.dimensions
        self.made_by, self.embedding_version = made_by, embedding_version

    def vectors(self, texts: Sequence[str]) -> Array:
        """Return embeddings only: ``(n, dimensions)`` float32, unit length."""
        return self._run([each.text for each in self.passages(texts)], pieces=False).vectors

    def read(self, texts: Sequence[str]) -> Reading:
        """Return all that is known of the texts, in their order; of a long one, of what is read of it."""
        return self.judge(self.look(texts))

    def passages(self, texts: Sequence[str]) -> list[Passage]:
        """Return what is read of each text: the lead of a long one and its sentences with words of a risk."""
        fits = self._tokenizer.fits(texts)
        return [passage(text, each, self._marked) for text, each in zip(texts, fits, strict=True)]

    def _marked(self, sentences: Sequence[str]) -> list[bool]:
        return [bool(each.any()) for each in self._wording(sentences)]

    def look(self, texts: Sequence[str]) -> Looked:
        """Return what heads read of texts: encoded once, and once more where feelings are read otherwise."""
        passages = tuple(self.passages(texts))
        read = [each.text for each in passages]
        encoded, plain = self.encode(read), plainly(read)
        return Looked(passages, encoded, tuple(plain), self._plainly_pooled(read, plain, encoded))

    def judge(self, looked: Looked) -> Reading:
        """Return what the heads make of texts that were looked at."""
        encoded, heads = looked.encoded, self._heads
        texts = [each.text for each in looked.passages]
        correction = heads.correction(encoded.vectors)
        own = heads.language.logits(encoded.vectors).argmax(axis=1)
        sentiment = softmax(self._feeling(looked.plain, looked.pooled, correction, own))
        spoken = sigmoid(heads.risks.logits(self.risk_features(texts, encoded)))
        stances, claimed = self._stances(texts, spoken)
        return Reading(
            vectors=encoded.vectors,
            sentiment=sentiment,
            risks=np.where(claimed[:, None] >= SURE, spoken, np.minimum(spoken, claimed[:, None])),
            targets=self._targets(texts, softmax(heads.target.logits(encoded.vectors)), sentiment, (*correction, own)),
            spoken=spoken,
            stances=stances,
            unread=tuple(each.unread for each in looked.passages),
        )

    @property
    def heads(self) -> Heads:
        """Return the heads that judge."""
        return self._heads

    def having(self, learned: Learned) -> Model:
        """Return the same model, encoder shared, with what labels taught."""
        other = copy(self)
        other._heads = learned.applied(self._heads)
        other.made_by = f"{learned.base}{LEARNED_MARK}{learned.name}"
        return other

    def _plainly_pooled(self, texts: Sequence[str], plain: Sequence[str], encoded: Encoded) -> Array:
        """Return pooled states of texts as feelings are read; what differs from what was written is read once more."""
        rows = [n for n, (text, read) in enumerate(zip(texts, plain, strict=True)) if text != read]
        if not rows:
            return encoded.pooled
        pooled = encoded.pooled.copy()
        pooled[rows] = self.encode([plain[n] for n in rows]).pooled
        return pooled

    def _feeling(self, texts: Sequence[str], pooled: Array, correction: tuple[Array, Array], own: Numbers) -> Array:
        """Return sentiment logits ``(n, 3)``: the branch's, corrected, and what the letters of each language say."""
        scale, shift = correction
        logits = scale * self._heads.sentiment.logits(pooled) + shift
        if self._heads.mixes is not None:
            for number in np.unique(own).tolist():
                rows = np.flatnonzero(own == number).tolist()
                surface = self._surface.logits([texts[row] for row in rows], self._heads.languages[number])
                logits[rows] += self._heads.mixes[number] * surface
        return logits if self._heads.learned is None else logits + self._heads.learned.logits(pooled)

    def _stances(self, texts: Sequence[str], spoken: Array) -> tuple[tuple[Stance, ...], Array]:
        """Return how each text stands to what it speaks of, and how likely it claims it, ``(n,)``."""
        stances: list[Stance] = [STANCES[0]] * len(texts)
        claimed = np.ones(len(texts), np.float32)
        rows = np.flatnonzero(spoken.max(axis=1) >= SPOKEN).tolist() if spoken.size else []
        if self._heads.stance is not None and rows:
            chances = softmax(self._heads.stance.logits(stance_features([texts[row] for row in rows])))
            claimed[rows] = chances[:, list(CLAIMING)].sum(axis=1)
            for row, each in zip(rows, chances, strict=True):
                stances[row] = stance_of(each)
        return tuple(stances), claimed

    def plain_sentiment(self, reading: Reading) -> Array:
        """Return sentiment logits ``(n, 3)`` before any language's correction, up to a constant for each text."""
        scale, shift = self._heads.correction(reading.vectors)
        return np.asarray((np.log(np.maximum(reading.sentiment, 1e-30)) - shift) / scale, dtype=np.float32)

    def risk_features(self, texts: Sequence[str], encoded: Encoded) -> Array:
        """Return what the risk heads read of texts."""
        found = self._wording([text[:LONGEST_TEXT] for text in texts])
        return self._heads.risk_features(encoded.vectors, encoded.pooled, found)

    def encode(self, texts: Sequence[str]) -> Encoded:
        """Run the encoder once over each text."""
        return self._run(texts, pieces=True)

    def _run(self, texts: Sequence[str], *, pieces: bool) -> Encoded:
        """Return what the encoder makes of texts; a text that stands several times among them is read once."""
        place = {text: n for n, text in enumerate(dict.fromkeys(texts))}
        vectors = np.zeros((len(place), self.dimensions), dtype=np.float32)
        pooled = np.zeros((len(place), self._heads.width if pieces else 0), dtype=np.float32)

        def run(batch: Batch) -> None:
            vectors[batch.rows], states = self._runtime.run(batch, pieces=pieces)
            if pieces:
                pooled[batch.rows] = vectors[batch.rows] if states is None else _mean(states, batch)

        tokens = self._tokenizer(list(place))
        batches = self._tokenizer.batches(tokens, self._batch_tokens, even=self._runtime.even)
        with ThreadPoolExecutor(self._runtime.at_once) as pool:
            list(pool.map(run, batches))  # as a list, so that a failure is heard
        if len(place) == len(texts):
            return Encoded(vectors, pooled)
        rows = [place[text] for text in texts]
        return Encoded(vectors[rows], pooled[rows])

    def _targets(
        self, texts: Sequence[str], usual: Array, sentiment: Array, correction: tuple[Array, Array, Numbers]
    ) -> tuple[tuple[Target, ...], ...]:
        """Return whom each text's feelings are about; what it says of one of several is read once more by itself."""
        named = [_named(text, chances) for text, chances in zip(texts, usual, strict=True)]
        asides = [(row, who) for row, whom in enumerate(named) if len(whom) > 1 for who in whom if whom[who]]
        felt: dict[tuple[int, TargetKind], Array] = {}
        if asides:
            places = [row for row, _ in asides]
            scale, shift, own = correction[0][places], correction[1][places], correction[2][places]
            whom = plainly([named[row][who] for row, who in asides])
            once = dict(zip(dict.fromkeys(whom), self.encode(list(dict.fromkeys(whom))).pooled, strict=True))
            pooled = np.stack([once[text] for text in whom])
            felt = dict(zip(asides, softmax(self._feeling(whom, pooled, (scale, shift), own)), strict=True))
        return tuple(
            tuple(Target(who=who, label=_label(felt.get((row, who), sentiment[row]))) for who in whom)
            for row, whom in enumerate(named)
        )


def _named(text: str, usual: Array) -> dict[TargetKind, str]:
    """Return the targets of a text with what it says of each, "" where that is all of it."""
    parts = clauses(text)
    about = by_target(parts, KINDS[int(usual.argmax())], sure=bool(usual.max() >= SURE))
    return {
        who: "" if len(mine) == len(parts) else " ".join(text[parts[n].start : parts[n].end].strip() for n in mine)
        for who, mine in about.items()
    }


def stance_of(chances: Array) -> Stance:
    """Return the likeliest stance, among those that claim where these are likelier together."""
    among = CLAIMING if chances[list(CLAIMING)].sum() >= SURE else [n for n in range(len(STANCES)) if n not in CLAIMING]
    return STANCES[max(among, key=lambda n: float(chances[n]))]


def _label(chances: Array) -> SentimentLabel:
    return SENTIMENTS[int(chances.argmax())]


def _mean(states: Array, batch: Batch) -> Array:
    real = batch.mask[:, :, None].astype(np.float32)
    return np.asarray((states * real).sum(axis=1) / real.sum(axis=1), dtype=np.float32)


def load_model(settings: ModelSettings, *, taxonomy: Taxonomy | None = None) -> Model:
    """Open the model that the configuration names.

    A taxonomy may know classes that the model was not trained on: they get heads from their examples.

    Raises:
        ModelError: There is no such model, or it is damaged.
    """
    folder = find_bundle(settings.name)
    if folder is None:
        return _hub_model(settings, taxonomy)
    bundle = read_bundle(folder)
    tokenizer = Tokenizer.read(
        bundle.path("tokenizer.json"), prefix=bundle["prefix"], max_tokens=settings.max_tokens, pad=bundle["pad"]
    )
    heads, made_by = _learned(Heads.read(bundle.arrays("heads.npz"), tuple(bundle["risk_ids"])), bundle, settings)
    model = Model(
        _runtime(bundle, settings),
        tokenizer,
        heads,
        settings,
        wording=Wording(bundle.manifest.get("wording", ())),
        surface=Surface.read(bundle.arrays("surface.npz")) if bundle.path("surface.npz").is_file() else NOTHING,
        made_by=made_by,
        embedding_version=bundle["embedding_version"],
    )
    return _with_taxonomy(model, heads, taxonomy) if taxonomy else model


def _learned(heads: Heads, bundle: Bundle, settings: ModelSettings) -> tuple[Heads, str]:
    """Return heads with what labels taught, and what scores say they were made by.

    What was learnt for another version of the model would be noise on this one: it is left out, and that is logged.
    """
    if settings.learned is None:
        return heads, bundle.made_by
    learned = read_learned(settings.learned)
    if learned.base != bundle.made_by:
        log.warning(
            "%s was learnt for %s, this is %s: not used; train again", settings.learned, learned.base, bundle.made_by
        )
        return heads, bundle.made_by
    return learned.applied(heads), f"{bundle.made_by}{LEARNED_MARK}{learned.name}"


def _runtime(bundle: Bundle, settings: ModelSettings) -> Runtime:
    if settings.runtime == "torch":
        from groundswell.nlp.model.encoder.torch import TorchRuntime

        return TorchRuntime(bundle, threads=settings.threads)
    from groundswell.nlp.model.encoder.runtime import OnnxRuntime

    return OnnxRuntime(bundle.path("encoder.onnx"), threads=settings.threads)


def _with_taxonomy(model: Model, heads: Heads, taxonomy: Taxonomy) -> Model:
    """Return the model with heads for just the taxonomy's classes, new ones from their examples."""
    from groundswell.nlp.model.few_shot import fit_risk, stack

    columns = dict(zip(heads.risk_ids, range(len(heads.risk_ids)), strict=True))
    if taxonomy.risk_ids == heads.risk_ids:
        return model
    width = heads.risks.weight.shape[1]
    stretch = risk_stretch(width, len(heads.risk_ids)) if width > heads.dimensions else np.ones(width, np.float32)
    made = []
    for risk in taxonomy.risks:
        if risk.id in columns:
            row = columns[risk.id]
            made.append(Head(heads.risks.weight[row : row + 1], heads.risks.bias[row : row + 1]))
            continue
        others = np.concatenate([heads.background, _features(model, risk.counterexamples)])
        head = fit_risk(_features(model, risk.examples) * stretch, others * stretch)
        made.append(Head(head.weight * stretch, head.bias))
    model._heads = heads.with_risks(stack(made), taxonomy.risk_ids)
    model.risk_ids = taxonomy.risk_ids
    model.made_by += f" + taxonomy {taxonomy.version}"
    return model


def _features(model: Model, texts: Sequence[str]) -> Array:
    return model.risk_features(texts, model.encode(texts))


def _hub_model(settings: ModelSettings, taxonomy: Taxonomy | None) -> Model:
    """Open an encoder of the user's choice; its heads are fitted on texts of our own, which takes some seconds."""
    from groundswell.configs.taxonomy import load_taxonomy
    from groundswell.nlp.model.encoder.torch import HubRuntime, hub_tokenizer
    from groundswell.nlp.model.few_shot import heads_from_examples

    prefix = "query: " if "e5" in settings.name.lower() else ""
    runtime = HubRuntime(settings.name, threads=settings.threads)
    tokenizer = hub_tokenizer(settings.name, prefix=prefix, max_tokens=settings.max_tokens, pad=runtime.pad)

    def with_heads(heads: Heads) -> Model:
        made_by = f"{settings.name} with heads from examples"
        return Model(runtime, tokenizer, heads, settings, made_by=made_by, embedding_version=settings.name)

    bare = with_heads(Heads.blank(runtime.dimensions))
    taxonomy = taxonomy or load_taxonomy()
    return with_heads(heads_from_examples(bare.vectors, taxonomy))
