"""What the risk heads learn from: our own texts, documents labelled by hand, and documents that a pattern labels.

Documents of others are never in the repository: `labels/*.csv` hold the set, a hash of the text, and our labels. Two
rounds were made; where they disagree about a class, that document says nothing about that class.
"""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from groundswell.configs.taxonomy import Taxonomy
from groundswell.nlp.model.seeds import seeds
from groundswell.nlp.text.clean import clean_one
from groundswell.nlp.train.sources import Split

Array = NDArray[np.float32]
Key = tuple[str, str]
"""A labelled document: its set and the hash of its text."""

FOLDER = Path(__file__).parent / "labels"
ROUNDS = ("first", "second")
TEXT_COLUMNS = ("content", "review", "text", "title", "CONTENT", "Consumer complaint narrative", "tweet")
HELD_OUT = 3
"""One labelled document in so many is kept for validation."""
OWN_HELD_OUT = 6
"""The same for texts of ours."""
UNKNOWN = -1.0
"""Nothing is known of this class for this text."""


@dataclass(frozen=True, slots=True)
class RiskText:
    """A text with ``(classes,)`` labels: 1 holds, 0 does not, -1 unknown."""

    text: str
    lang: str
    labels: Array
    weight: float
    origin: Literal["ours", "labelled", "pattern"]
    split: Split = "train"
    sentiment: int = -1


@dataclass(frozen=True, slots=True)
class Pattern:
    """Low-rated reviews that say a thing in plain words: right far more often than not, so half a label."""

    path: str
    lang: str
    risk: str
    says: str
    unless: str = r"(?!)"
    most: int = 60
    stars: str = "123"


NO_ADS = (
    r"\b(?:no|without|zero|free of|any) ads?\b|\bad.?free\b|"
    r"(?:tanpa|tidak ada|ga+k? ada|nggak ada|ngga ada|tdk ada|bebas) iklan"
)
HOTSTAR, NETFLIX = "corpora/streaming_en_2024/disney_hotstar.csv", "corpora/streaming_en_2024/netflix.csv"
SPOTIFY, X_ID = "corpora/spotify_id_2024/reviews.csv", "corpora/x_id_2018_25/dev.csv"
TOKOPEDIA, SHOPEE = "corpora/marketplaces_id_2026/tokopedia.csv", "corpora/marketplaces_id_2026/shopee.csv"
THREADS, VIETNAM = "corpora/threads_en_2023/reviews_part1.csv", "corpora/ecommerce_vi_2019_26/dev.csv"

PATTERNS: tuple[Pattern, ...] = (
    Pattern(HOTSTAR, "en", "ad_experience", r"\b(?:ads?|adverts?|advertisements?|commercials?)\b", NO_ADS),
    Pattern(NETFLIX, "en", "ad_experience", r"\b(?:ads?|adverts?|advertisements?|commercials?)\b", NO_ADS, most=40),
    Pattern(SPOTIFY, "id", "ad_experience", r"\biklan", NO_ADS, most=80),
    Pattern(NETFLIX, "en", "billing_charges", r"charged (?:me )?twice|refund|still (?:being )?charg|took my money"),
    Pattern(HOTSTAR, "en", "billing_charges", r"refund|deducted|not activated|money cut"),
    Pattern(X_ID, "id", "enforcement_payout", r"\b(?:di)?suspend|ditangguhkan|\bbanding\b|ke ?lock|terkunci"),
    Pattern(TOKOPEDIA, "id", "enforcement_payout", r"dibekukan|diblokir|\bbanding\b|dinonaktif"),
    Pattern(SHOPEE, "id", "enforcement_payout", r"dibekukan|diblokir|\bbanding\b|dinonaktif", most=40),
    Pattern(TOKOPEDIA, "id", "scam_shopping", r"penipu|\bnipu|ditipu|ketipu|kena tipu|paket kosong"),
    Pattern(SHOPEE, "id", "scam_shopping", r"penipu|\bnipu|ditipu|ketipu|kena tipu|paket kosong", most=40),
    Pattern(VIETNAM, "vi", "scam_shopping", r"lừa đảo|không giao|giao thiếu|lừa dối"),
    Pattern(TOKOPEDIA, "id", "ip_counterfeit", r"barang.{0,12}palsu|produk.{0,12}palsu|\bkw\b|tiruan|bajakan"),
    Pattern(SHOPEE, "id", "ip_counterfeit", r"barang.{0,12}palsu|produk.{0,12}palsu|\bkw\b|tiruan|bajakan"),
    Pattern(VIETNAM, "vi", "ip_counterfeit", r"hàng giả|hàng nhái|hàng fake|không chính hãng|ko chính hãng"),
    Pattern(TOKOPEDIA, "id", "misleading_claims", r"tidak sesuai|gak sesuai|ga sesuai|promo.{0,12}bohong|menyesatkan"),
    Pattern(SHOPEE, "id", "misleading_claims", r"tidak sesuai|gak sesuai|ga sesuai|promo.{0,12}bohong|menyesatkan"),
    Pattern(
        VIETNAM, "vi", "misleading_claims", r"không đúng|ko đúng|không giống|khác hình|như quảng cáo", r"đúng như quảng"
    ),
    Pattern(
        THREADS,
        "en",
        "privacy_targeting",
        r"privacy|personal (?:data|info)|data collect|collects? (?:so |too )?(?:much|all)",
    ),
    Pattern(X_ID, "id", "privacy_targeting", r"di ?hack|dibajak|\bbocor\b|data pribadi", most=30),
    Pattern(X_ID, "id", "adult_dating", r"bokep|porno|pornografi|vulgar", most=40),
    Pattern(
        TOKOPEDIA, "id", "financial_services", r"paylater.{0,40}(?:bunga|denda)|(?:bunga|denda).{0,40}paylater", most=30
    ),
    Pattern("corpora/cfpb_2023/dev.csv", "en", "financial_services", r"loan|interest|payment", most=60, stars=""),
)


def hand_labelled(data: Path, taxonomy: Taxonomy) -> Iterator[RiskText]:
    """Yield the labelled documents whose sets are in the data folder."""
    risk_ids = set(taxonomy.risk_ids)
    rounds = [_round(name) for name in ROUNDS]
    for key, text in find_texts(data, rounds[0]):
        lang, first = rounds[0][key]
        second = rounds[1].get(key, (lang, first))[1]
        labels = _labels(taxonomy.risk_ids, first & risk_ids)
        labels[labels != _labels(taxonomy.risk_ids, second & risk_ids)] = UNKNOWN
        yield RiskText(clean_one(text), lang, labels, 1.0, "labelled", split_of(key))


def find_texts(data: Path, keys: Iterable[Key]) -> Iterator[tuple[Key, str]]:
    """Yield the documents that label files speak of, by (set, hash of the text), from the sets that are there."""
    wanted = dict.fromkeys(keys)
    for place in dict.fromkeys(key[0] for key in wanted):
        if (data / "corpora" / place).is_file():
            for text in dict.fromkeys(_texts(data / "corpora" / place)):
                if (key := (place, text_id(text))) in wanted:
                    yield key, text


def split_of(key: Key) -> Split:
    """Return whether a labelled document is for training or held out."""
    return "validation" if int(key[1][:8], 16) % HELD_OUT == 0 else "train"


def text_id(text: str) -> str:
    """Return the hash by which the label files know a text."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:12]


def agreement(taxonomy: Taxonomy) -> dict[str, float]:
    """Return Cohen's kappa of the two rounds for each risk; nan for one that neither found."""
    first, second = (_round(name) for name in ROUNDS)
    both = [key for key in first if key in second]
    found = {risk: [(risk in first[key][1], risk in second[key][1]) for key in both] for risk in taxonomy.risk_ids}
    return {risk: kappa(np.array(pairs).reshape(-1, 2)) for risk, pairs in found.items()}


def kappa(pairs: NDArray[np.bool_]) -> float:
    """Return Cohen's kappa (1960) of two yes-or-no columns: agreement beyond what chance would give."""
    agreed, (one, other) = float((pairs[:, 0] == pairs[:, 1]).mean()), pairs.mean(axis=0)
    chance = float(one * other + (1 - one) * (1 - other))
    return (agreed - chance) / (1 - chance) if chance < 1 else float("nan")


def _round(name: str) -> dict[tuple[str, str], tuple[str, set[str]]]:
    with (FOLDER / f"{name}.csv").open(encoding="utf-8", newline="") as stream:
        return {(row["set"], row["id"]): (row["lang"], set(row["risks"].split())) for row in csv.DictReader(stream)}


def _rows(path: Path) -> Iterator[Mapping[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        yield from csv.DictReader(stream)


def _text(row: Mapping[str, str]) -> str:
    return next((row[name] or "" for name in TEXT_COLUMNS if name in row), "").strip()


def _texts(path: Path) -> Iterator[str]:
    return (_text(row) for row in _rows(path))


def _labels(ids: Sequence[str], held: set[str]) -> Array:
    return np.array([name in held for name in ids], dtype=np.float32)


def ours(taxonomy: Taxonomy) -> Iterator[RiskText]:
    """Yield the texts written for training, and the examples and counterexamples of the taxonomy."""
    ids = taxonomy.risk_ids
    for seed in seeds():
        split: Split = "validation" if int(text_id(seed.text)[:8], 16) % OWN_HELD_OUT == 0 else "train"
        labels = _labels(ids, set(seed.risks))
        yield RiskText(clean_one(seed.text), seed.lang, labels, 1.0, "ours", split, sentiment=seed.sentiment)
    for risk in taxonomy.risks:
        for text in risk.examples:
            labels = np.where(_labels(ids, {risk.id}) == 1, 1.0, UNKNOWN).astype(np.float32)
            yield RiskText(clean_one(text), "", labels, 1.0, "ours")
        for text in risk.counterexamples:
            yield RiskText(clean_one(text), "", _labels(ids, set()), 1.0, "ours")


def by_pattern(data: Path, taxonomy: Taxonomy, used: set[str]) -> Iterator[RiskText]:
    """Yield documents that a pattern labels for one class, but for those in `known`; other classes are unknown."""
    for pattern in PATTERNS:
        path = data / pattern.path
        if not path.is_file() or pattern.risk not in taxonomy.risk_ids:
            continue
        says, unless = re.compile(pattern.says, re.IGNORECASE), re.compile(pattern.unless, re.IGNORECASE)
        found = {
            text: text_id(text)
            for row in _rows(path)
            if not pattern.stars or (row.get("score") or "") in pattern.stars
            if 12 <= len(text := _text(row)) <= 400 and says.search(text) and not unless.search(text)
        }
        labels = np.where(_labels(taxonomy.risk_ids, {pattern.risk}) == 1, 1.0, UNKNOWN).astype(np.float32)
        for text in sorted(found, key=found.__getitem__)[: pattern.most]:
            if (cleaned := clean_one(text)) not in used:
                yield RiskText(cleaned, pattern.lang, labels, 0.5, "pattern")


def all_risk_texts(data: Path, taxonomy: Taxonomy) -> list[RiskText]:
    """Return everything the risk heads learn from and are validated on."""
    labelled = list(hand_labelled(data, taxonomy))
    used = {text.text for text in labelled}
    return [*ours(taxonomy), *labelled, *by_pattern(data, taxonomy, used)]
