"""A theme's title: a short phrase that many of its documents really hold, and whether they praise or complain.

One person's sentence is not true of a whole theme. So a phrase of one to four words is looked for that many of its
documents hold and few of others; a person's clause stands in only where no phrase is shared. Where the documents hold a
feeling and nothing else ("good", "bagus"), the title says just that. A title stays while its phrase is still held.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache, reduce
from itertools import combinations
from math import log, sqrt

from groundswell.index.records import ThemeFeeling
from groundswell.nlp.text import addresses, keywords
from groundswell.nlp.themes.evidence import Floats, plain_code
from groundswell.nlp.themes.framing import BETWEEN, COMPLAINED, ENGLISH, FRAMES, PRAISED, Frame, capital, phrases_of

WORDS, SHORT_WORDS = 4, 6
"""Words of a phrase at most; more where one is written as several ("quảng cáo")."""
IN_SHORT_WORDS = frozenset({"vi"})
"""Languages of such words."""
WHOLE = 0.8
"""A longer phrase takes a shorter one's place if it stands in so much of the documents that hold the shorter."""
WORTH = (0.0, 1.0, 1.6, 1.9, 2.0)
"""What a phrase of so many words tells, against a single one as frequent."""
SHARED = 0.15
"""Share of the documents that must hold a phrase for it to become the title."""
HELD = 0.3
"""Share of the documents that must hold a single word for it to say what a theme of several topics is about."""
KEPT = 0.1
"""Share of the documents by which a title that stands already may stay."""
HALF, THIRD = 0.5, 0.33
"""A title stays while the best phrase tells at most twice as much; a second phrase tells a third of the first."""
NAMED = 2.5
"""How much more a name tells that several languages share: it is what the reader of any of them searches for."""
POINTED = 1.5
"""How much more a phrase tells that holds a word of the theme's risk or topic."""
ELSEWHERE = 0.5
"""A word that other themes hold to more than this part of its share here is no name, it travels ("video")."""
MERE, PARTLY = 0.6, 0.35
"""Share of documents without a subject that makes a theme one without; less will do where no phrase is shared."""
CLEAR, STAYS = 0.35, 0.25
"""Mean mood from which a theme complains or praises, and by which one that is said to stays so."""
SLIGHT = 0.05
"""Mean mood that mere praise and mere displeasure need."""
DISSENT = 0.25
"""Share of documents that may feel the other way in a theme that is said to complain or to praise."""
READ = 2000
"""Characters of a document that a title is made of."""
CAPITALISED = 0.7
"""Share of the times it stands within a sentence that a name is written with a capital."""
SHORTEST, LONGEST_TITLE = 12, 60
"""Characters of a clause; scripts without spaces say three times as much in one."""
LONGEST_PHRASE, MOST_PHRASES, CLAUSE_WORDS = 44, 3, 2
SHARES = 400
"""Phrases of a theme at most that others are set apart from."""
ENDS = frozenset('.!?…。！？:：|"“”「」•-–—')
"""After one of these a capital says nothing."""
STEM = 5
"""Letters by which two words are taken for one, in telling whether a title repeats itself."""
FEWEST = 3
"""Documents that must hold a phrase; two where there are fewer than ten."""
# A point ends a clause only after a real word and before a blank: "fall 0.4 %" and "Mt. Gox" are one clause each.
_CLAUSE = re.compile(r"(?<=\w{3})[.!?…]+(?=\s|$)|[。！？；;\n\r]+|\s[-–—|]\s|(?<=[\u0e00-\u0e7f])\s{2,}")
_COUNTED = re.compile(
    r"\d+\w{0,3}|第?[0-9一二三四五六七八九十百千万两几半]+[年月日天周次度个块元岁分秒届斤点]*[内后前多]?"
)
_HEAD = re.compile(r"[^()]{1,60} \((?P<inner>.+)\)$|[^:()]{1,40}: (?P<behind>.+)$")
_EXAMPLE = re.compile(r"“(?P<phrases>[^”]+)”")
_HASHTAG = re.compile(r"[#＃]\w+")
_WITHOUT_SPACES = re.compile(rf"[{keywords.UNSPACED}]+")
_LATIN_WORD = re.compile(r"[A-Za-zÀ-ɏḀ-ỿ]+")
_HANDLE = re.compile(
    rf"{addresses.ANY}|^\s*RT\b:?|[*_#<>`\[\]{{}}\u2600-\u27bf\ufe0f\U0001f000-\U0001faff]+",
    re.IGNORECASE,
)


Shares = Mapping[str, float]
"""Phrase → the share of a theme's documents that hold it."""


@dataclass(frozen=True, slots=True)
class ThemeText:
    """A document of a theme; `mood` is from −1 to 1, `brands` are the watched names it speaks of."""

    id: str
    text: str
    lang: str
    vector: Floats
    mood: float = 0.0
    brands: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Heard:
    """A document read into words: `pieces` in order ("" where something cuts), `phrases` that could be titles."""

    said: ThemeText
    pieces: tuple[str, ...]
    phrases: frozenset[str]
    feeling: ThemeFeeling | None = field(default=None)
    """Set where it says nothing but a feeling."""


# --- reading -------------------------------------------------------------------------------------------------------


def hear(text: ThemeText) -> Heard:
    """Return a document read into words, once for keywords and title."""
    pieces = tuple(keywords.pieces(_HASHTAG.sub(" , ", text.text[:READ])))
    return Heard(text, pieces, frozenset(phrases(pieces, text.lang)), feeling(pieces, text))


def phrases(pieces: Sequence[str], lang: str) -> Iterator[str]:
    """Yield runs of one to four neighbouring words that could stand as a title.

    They begin and end with words that mean something, or with a negation or an amount ("too many ads", "can't log in"),
    and hold more than feelings and words that every review holds.
    """
    stop, longest = keywords.stop_words(lang), SHORT_WORDS if plain_code(lang) in IN_SHORT_WORDS else WORDS
    for run in _runs(pieces):
        telling = [keywords.means(word, stop) and not is_amount(word) and not _is_torn(word) for word in run]
        subject = [tells and not _empty(word) for word, tells in zip(run, telling, strict=True)]
        for i in range(len(run)):
            if not (telling[i] or run[i] in title_words("opens")) or (i and run[i - 1].isdecimal()):
                continue  # "kg in a week" is no phrase where "5" stands before it
            for j in range(i + 1, min(i + longest, len(run)) + 1):
                if any(subject[i:j]) and _closes(run[i:j], telling[i:j]):
                    yield reduce(keywords.join, run[i:j])


@lru_cache(maxsize=100_000)
def is_amount(word: str) -> bool:
    """Return whether a word counts, measures or dates: how much or when, never who or what.

    >>> [word for word in ("week", "kg", "三天", "ads") if is_amount(word)]
    ['week', 'kg', '三天']
    """
    return word in title_words("amount") or _COUNTED.fullmatch(word) is not None


def _is_torn(word: str) -> bool:
    """Return whether a word begins with a mark that belongs onto a letter before it, as a bad cut in Thai leaves it."""
    return unicodedata.category(word[0]).startswith("M")


def _closes(words: Sequence[str], telling: Sequence[bool]) -> bool:
    """Return whether a run may end here: "log in", but not "an ad here in"."""
    return telling[-1] or (words[-1] in title_words("closes") and any(telling[-2:]))


def _runs(pieces: Sequence[str]) -> Iterator[list[str]]:
    run: list[str] = []
    for piece in (*pieces, ""):
        if piece and piece not in title_words("cuts"):
            run.append(piece)
        elif run:
            yield run
            run = []


def feeling(pieces: Sequence[str], text: ThemeText) -> ThemeFeeling | None:
    """Return the feeling of a document that says nothing else, "" where it is unclear, ``None`` where it has a subject.

    One word beside praise is no subject yet ("bagus lagunya"); beside displeasure it is ("bad sound").
    """
    stop = keywords.stop_words(text.lang)
    telling = [plain(word) for word in pieces if keywords.means(word, stop) or plain(word) in _felt()]
    praise, blame = (sum(word in _squeezed(kind) for word in telling) for kind in ("praise", "displeasure"))
    rest = sum(not _empty(word) for word in telling)
    if rest > (1 if praise and not blame and text.mood > 0 else 0) or len(telling) > 2 * WORDS:
        return None
    if praise and blame:
        return ""
    return (
        "displeasure"
        if blame or (not praise and text.mood < -CLEAR)
        else "praise"
        if text.mood > (-CLEAR if praise else 0)
        else ""
    )


@cache
def _felt() -> frozenset[str]:
    return _squeezed("praise") | _squeezed("displeasure")


@lru_cache(maxsize=100_000)
def _empty(word: str) -> bool:
    """Return whether a word names no subject."""
    return plain(word) in _felt() | _squeezed("generic") or word in title_words("opens")


@lru_cache(maxsize=100_000)
def plain(word: str) -> str:
    """Return a word without doubled letters, as people stretch the words of feeling ("mantaap", "baguss")."""
    return re.sub(r"(.)\1+", r"\1", word)


@cache
def title_words(kind: str) -> frozenset[str]:
    """Return the words of a kind in `titlewords.txt`, all languages together."""
    lists = keywords.word_lists("titlewords.txt")
    return frozenset().union(*(words for name, words in lists.items() if name.partition(".")[0] == kind))


@cache
def _squeezed(kind: str) -> frozenset[str]:
    """Return the words of a kind, all languages together: the language of a text of two words is a guess."""
    more = title_words("insult") if kind == "displeasure" else frozenset()
    return frozenset(plain(word) for word in title_words(kind) | more)


# --- choosing ------------------------------------------------------------------------------------------------------


def shares_of(documents: Sequence[Heard]) -> dict[str, float]:
    """Return the share of a theme's documents that hold each phrase; one that a single document holds says nothing."""
    counts = _counted(documents)
    best = sorted(counts, key=lambda phrase: (-counts[phrase], phrase))[:SHARES]
    return {phrase: counts[phrase] / len(documents) for phrase in best}


def sum_of_shares(themes: Iterable[Shares]) -> Counter[str]:
    """Return for each phrase the sum of its shares over all themes, which class-based TF-IDF sets a theme's against."""
    across: Counter[str] = Counter()
    for own in themes:
        for phrase, share in own.items():
            across[phrase] += share  # type: ignore[assignment]  # shares, not counts
    return across


def _counted(documents: Sequence[Heard]) -> dict[str, int]:
    counts = Counter(phrase for heard in documents for phrase in heard.phrases)
    return {phrase: count for phrase, count in counts.items() if count > 1}


@dataclass(frozen=True, slots=True)
class Title:
    """A title before it is put into a language: phrases or a clause, and the feeling that goes with it."""

    words: tuple[str, ...]
    mood: ThemeFeeling = ""
    mere: bool = False
    clause: bool = False
    is_listed: bool = False
    """Telling words in a row, since no phrase is shared."""
    held: float = 0.0
    """Share of the documents that hold the phrase, of several the one that fewest hold."""
    word: int = 1
    """Written words that make one: two in Vietnamese ("quảng cáo" is one word)."""

    @property
    def is_common(self) -> bool:
        """Return whether at least half of the documents hold what it says; else it is an example."""
        return self.held >= HALF

    @property
    def is_scattered(self) -> bool:
        """Return whether it is weak, and of words that few of the documents hold."""
        return self.is_weak and self.held < HELD

    @property
    def is_weak(self) -> bool:
        """Return whether it is of single words or one person's clause: true, and no telling subject by itself."""
        return self.clause or all(len(keywords.tokens(phrase)) <= self.word for phrase in self.words)

    def said(self, frame: Frame, wrong: str = "", topic: str = "", brand: str = "", mixture: str = "") -> str:
        """Return it in a language.

        Args:
            frame: words of that language for what people feel.
            wrong: what is wrong, in that language, where more is known than displeasure.
            topic: what it is about, in that language; it leads where the phrases are weak.
            brand: whom it is about; leads unless it is named already.
            mixture: what it mixes, in that language; stands for weak phrases of which nothing else is known.
        """
        words = ", ".join(self.words)
        if self.mere:
            named = {"praise": frame.praise, "displeasure": frame.displeasure, "": frame.mixed}[self.mood]
            return ": ".join(filter(None, (named, words)))
        if mixture and self.is_scattered and not (topic or wrong or brand):
            return self.mixed(frame, mixture)
        if not self.is_common:
            return BETWEEN.join((self._with_example(frame, words, topic, brand), self.tail(frame, "", wrong)))
        if wrong and self.mood != "praise" and self.is_weak and repeats(words, wrong):
            words = wrong  # it says all that the word says, and more
        head = capital(words)
        if brand and brand.casefold() not in words.casefold():
            head = f"{brand}: {words}"
        elif topic and self.is_weak and not brand and not overlap(topic, words):
            head = f"{capital(topic)} ({words})"
        return BETWEEN.join((head, self.tail(frame, words, wrong)))

    def _with_example(self, frame: Frame, words: str, topic: str, brand: str) -> str:
        """Return what a theme is about, and what some of its documents say, as an example of it."""
        about = ": ".join(filter(None, (brand, topic if not brand or not overlap(brand, topic) else "")))
        if not about:
            return frame.remarks.format(words)
        more = [phrase for phrase in self.words if phrase.casefold() != brand.casefold()]
        return frame.example.format(capital(about), ", ".join(more)) if more else capital(about)

    def mixed(self, frame: Frame, mixture: str) -> str:
        """Return what stands for a theme of several topics and no phrase: these, and what is felt about them."""
        tail = self.tail(frame, "", "") if self.mood else ""
        return BETWEEN.join(filter(None, (f"{frame.mixed} ({mixture})", tail)))

    def tail(self, frame: Frame, words: str, wrong: str) -> str:
        """Return what stands behind the subject: what is wrong, unless that was said before, or the feeling."""
        if wrong and self.mood != "praise" and not repeats(words, wrong):
            return wrong
        return {"praise": frame.praised, "displeasure": frame.complained, "": frame.neither}[self.mood]


def make_title(
    documents: Sequence[Heard], across: Mapping[str, float], weights: Mapping[str, float], before: str = "", *,
    taken: Collection[frozenset[str]] = (), names: Collection[str] = (), points: Callable[[str], bool] | None = None,
    of: int = 0,
) -> Title:  # fmt: skip
    """Return the title of documents of one theme in one language.

    Args:
        documents: at least one, the most typical first.
        across: sums of shares over all themes (`sum_of_shares`).
        weights: the theme's telling words, for where neither a phrase nor a clause is fit.
        before: the title that stood till now; it stays while it holds.
        taken: phrases of titles that other themes bear (`key_of`): two themes should not have the same.
        names: phrases that several languages of the theme share (`names_of`).
        points: whether a phrase holds a word of the theme's risk or topic.
        of: documents of the theme in all its languages; those given where it has one.
    """
    if _without_subject(documents) >= MERE:
        return _mere(documents, before, taken)
    mood = mood_of([heard.said.mood for heard in documents], before)
    if chosen := _phrases(documents, across, before, taken=taken, names=names, points=points):
        word = 2 if plain_code(documents[0].said.lang) in IN_SHORT_WORDS else 1
        held = min(sum(each in heard.phrases for heard in documents) for each in chosen) / max(len(documents), of)
        return Title(tuple(written(phrase, documents) for phrase in chosen), mood, held=held, word=word)
    if clause := _clause(documents, across, mood, before):
        return Title((clause,), mood, clause=True)
    words = [word for word in weights if word in across and not all(map(_empty, word.split()))][:3]
    if _without_subject(documents) >= PARTLY or not words:
        return _mere(documents, before, taken)
    return Title(tuple(words), mood, is_listed=True)


def key_of(words: Iterable[str]) -> frozenset[str]:
    """Return phrases as they are compared."""
    return frozenset(word.casefold() for word in words)


def _without_subject(documents: Sequence[Heard]) -> float:
    return sum(heard.feeling is not None for heard in documents) / len(documents)


def mere_feeling(documents: Sequence[Heard]) -> ThemeFeeling:
    """Return which feeling most documents without a subject hold, or "" where they differ or the whole feels otherwise.

    Praise that is read as none ("sok asik", acting cool) must not be put last.
    """
    counts = Counter(heard.feeling for heard in documents if heard.feeling is not None)
    mean = sum(heard.said.mood for heard in documents) / len(documents)
    for mood, count in counts.most_common(1):
        agreed = count >= (1 - DISSENT) * counts.total() and (mean > SLIGHT if mood == "praise" else mean < -SLIGHT)
        return (mood or "") if agreed else ""
    return ""


def mere_of(documents: Sequence[Heard]) -> ThemeFeeling:
    """Return the feeling of a theme that holds one and no subject, else ""."""
    return mere_feeling(documents) if _without_subject(documents) >= MERE else ""


def _mere(documents: Sequence[Heard], before: str, taken: Collection[frozenset[str]]) -> Title:
    mood = mere_feeling(documents)
    return Title(_felt_words(documents, mood, before, taken) if mood else (), mood, mere=True)


def mood_of(moods: Sequence[float], before: str = "") -> ThemeFeeling:
    """Return whether a theme complains or praises on the whole; what was said before needs less to stay."""
    mean = sum(moods) / len(moods)
    last = before.rpartition(BETWEEN)[2]
    for feeling, sign, words in (("praise", 1, PRAISED), ("displeasure", -1, COMPLAINED)):
        against = sum(sign * mood < -STAYS for mood in moods) / len(moods)
        if sign * mean >= (STAYS if last in words else CLEAR) and against <= DISSENT:
            return "praise" if feeling == "praise" else "displeasure"
    return ""


def overlap(words: str, wrong: str) -> bool:
    """Return whether one says a word that the other says, too ("Too many ads", "too many or intrusive ads")."""
    stop = keywords.stop_words()
    first, second = ({w for w in keywords.tokens(text) if keywords.means(w, stop)} for text in (words, wrong))
    return any(a[:STEM] == b[:STEM] for a in first for b in second)


def repeats(words: str, wrong: str) -> bool:
    """Return whether all that the words say is said by what is wrong: "Too many ads" by "too many or intrusive ads".

    A word in common is no repetition: "Vape ad" says more than "unsuitable ads".
    """
    stop = keywords.stop_words()
    if not any(map(keywords.is_unspaced, words)):
        wrong = _WITHOUT_SPACES.sub(" ", wrong)  # nothing there is said by it: no dictionary of Chinese or Thai is read
    first, second = ({w[:STEM] for w in keywords.tokens(text) if keywords.means(w, stop)} for text in (words, wrong))
    return bool(first) and first <= second


def names_of(documents: Sequence[Heard], across: Mapping[str, float]) -> frozenset[str]:
    """Return the phrases that name somebody or something, and that hardly any other theme holds.

    They are held in two languages or more, or written with a capital within sentences.
    """
    capitals = capitalised([heard.said.text[:READ] for heard in documents])
    spoken: dict[str, set[str]] = {}
    counts = Counter(phrase for heard in documents for phrase in heard.phrases)
    for heard in documents:
        for phrase in heard.phrases:
            spoken.setdefault(phrase, set()).add(plain_code(heard.said.lang))
    return frozenset(
        phrase
        for phrase, count in counts.items()
        if (len(spoken[phrase] - {""}) > 1 or capitals.issuperset(phrase.split()))
        and across.get(phrase, 0.0) <= (1 + ELSEWHERE) * count / len(documents)
    )


def capitalised(texts: Iterable[str]) -> frozenset[str]:
    """Return the words, in small letters, that are mostly written with a capital where no sentence begins."""
    within, capital_within = Counter[str](), Counter[str]()
    for text in texts:
        for match in _LATIN_WORD.finditer(text):
            before = text[: match.start()].rstrip()
            if before and before[-1] not in ENDS:
                within[match.group().lower()] += 1
                capital_within[match.group().lower()] += match.group()[0].isupper()
    return frozenset(
        word for word, count in capital_within.items() if count > 1 and count >= CAPITALISED * within[word]
    )


def _phrases(
    documents: Sequence[Heard], across: Mapping[str, float], before: str, *, taken: Collection[frozenset[str]],
    names: Collection[str], points: Callable[[str], bool] | None,
) -> tuple[str, ...]:  # fmt: skip
    counts, total = _counted(documents), len(documents)
    fewest = max(2 if total < 3 * FEWEST else FEWEST, SHARED * total)
    weights = {
        phrase: _telling(phrase, count / total, across, names)
        * (POINTED if " " in phrase and points and points(phrase) else 1)
        for phrase, count in counts.items()
        if count >= fewest and len(phrase) <= LONGEST_PHRASE
    }
    best = sorted(weights, key=lambda phrase: (-weights[phrase], -len(phrase), phrase))
    if not best:
        return ()
    old = tuple(old for phrase in words_of(before) if counts.get(old := phrase.casefold(), 0) >= KEPT * total)
    if old and len(old) == len(words_of(before)):
        worth = max(_telling(phrase, counts[phrase] / total, across, names) for phrase in old)
        if worth >= HALF * weights[best[0]]:
            return old
    first = _whole(best[0], counts)
    chosen = [first] if len(keywords.tokens(first)) > 1 else _with_next([first], best, weights, THIRD)
    return tuple(_apart(chosen, counts, total, across, taken))


def _whole(phrase: str, counts: Mapping[str, int]) -> str:
    """Return the longest phrase around one that nearly all who hold it hold: no title is cut out of a longer term."""
    around = [
        longer
        for longer, count in counts.items()
        if phrase in longer and len(longer) <= LONGEST_PHRASE and count >= WHOLE * counts[phrase]
    ]
    return max(around, key=lambda longer: (len(longer), counts[longer], longer), default=phrase)


def _apart(
    chosen: list[str], counts: Mapping[str, int], total: int, across: Mapping[str, float],
    taken: Collection[frozenset[str]],
) -> list[str]:  # fmt: skip
    """Return phrases with others behind them, held by fewer, until no other theme bears the same."""
    if key_of(chosen) not in taken:
        return chosen
    weights = {
        phrase: _telling(phrase, count / total, across)
        for phrase, count in counts.items()
        if count >= KEPT * total and len(phrase) <= LONGEST_PHRASE
    }
    best = sorted(weights, key=lambda phrase: (-weights[phrase], phrase))
    while key_of(chosen) in taken and len(chosen) < MOST_PHRASES:
        longer = _with_next(chosen, best, weights, 0.0)
        if longer == chosen:
            break
        chosen = longer
    return chosen


def _with_next(chosen: list[str], best: Sequence[str], weights: Mapping[str, float], least: float) -> list[str]:
    """Return phrases and the next one that does not repeat them, if it tells at least a share of the first."""
    used = {word for phrase in chosen for word in keywords.tokens(phrase)}
    for phrase in best:
        words = keywords.tokens(phrase)
        if weights[phrase] < least * weights[best[0]]:
            break
        if not any(word in other or other in word for word in words for other in used):
            return [*chosen, phrase]
    return chosen


def _telling(phrase: str, share: float, across: Mapping[str, float], names: Collection[str] = ()) -> float:
    words = min(WORDS, len(keywords.tokens(phrase)))
    weight = NAMED if names and not {phrase, *phrase.split()}.isdisjoint(names) else 1.0
    return weight * WORTH[words] * share * log(1 + 1 / max(share, across.get(phrase, 0.0)))


def words_of(title: str) -> tuple[str, ...]:
    """Return the phrases of a title made before."""
    if example := _EXAMPLE.search(title):
        return tuple(example["phrases"].split(", "))
    subject, _, _ = title.rpartition(BETWEEN)  # behind it stands a feeling, or what is wrong
    phrases = phrases_of(subject or title)
    led = _HEAD.fullmatch(phrases)  # a topic or a brand of ours may stand before them
    return tuple(((led["inner"] or led["behind"]) if led else phrases).split(", "))


def written(phrase: str, documents: Sequence[Heard]) -> str:
    """Return a phrase as it is written most often."""
    words = r"[\W_]{1,3}".join(map(re.escape, phrase.split()))
    before, after = _edge(phrase[0], "<"), _edge(phrase[-1], "")
    pattern = re.compile(before + words + after, re.IGNORECASE)
    found = Counter(
        " ".join(match.group().split()) for heard in documents for match in [pattern.search(heard.said.text)] if match
    )
    return max(found, key=lambda form: (found[form], form == phrase, form), default=phrase)


def _edge(letter: str, side: str) -> str:
    """Return what must not stand beside a letter at the edge of a word; Thai and Chinese write no edges."""
    if letter.isascii():
        return f"(?{side}![A-Za-z0-9])"
    return "" if keywords.is_unspaced(letter) else rf"(?{side}!\w)"


def _felt_words(
    documents: Sequence[Heard], mood: ThemeFeeling, before: str, taken: Collection[frozenset[str]]
) -> tuple[str, ...]:
    """Return up to two words in which the feeling is said most; others where another theme bears those."""
    counts = Counter(form for heard in documents for form in {plain(word) for word in heard.pieces})
    spelt = Counter(word for heard in documents for word in heard.pieces)
    listed = sorted(word for word in title_words(mood) if counts[plain(word)] >= max(2, KEPT * len(documents)))
    old = tuple(word for word in before.partition(": ")[2].split(", ") if word in listed)
    if old:
        return old
    listed.sort(key=lambda word: (-counts[plain(word)], -spelt[word], word))
    spellings = list({plain(word): word for word in reversed(listed)}.values())[::-1]
    pairs = [tuple(spellings[:2]), *combinations(spellings, 2), *combinations(spellings, 1)]
    return next((pair for pair in pairs if key_of(pair) not in taken), pairs[0])


# --- a clause where no phrase is shared ----------------------------------------------------------------------------


def _clause(documents: Sequence[Heard], across: Mapping[str, float], mood: ThemeFeeling, before: str) -> str:
    """Return the clause that holds most of what documents share, of a document that feels as the theme does."""
    sign = {"praise": 1, "displeasure": -1, "": 0}[mood]
    counts = Counter(word for heard in documents for word in set(heard.pieces))
    found = [
        (worth / (1 + 0.02 * n), -n, clause)
        for n, heard in enumerate(documents[:40])
        if not sign or sign * heard.said.mood > 0
        for clause in clauses(heard.said.text)
        if (worth := _worth(clause, heard.said.lang, counts, across)) > 0
    ]
    best = max(found, default=(0.0, 0, ""))
    if any(capital(clause) == before and value >= HALF * best[0] for value, _, clause in found):
        return before
    return best[2]


def _worth(clause: str, lang: str, counts: Mapping[str, int], across: Mapping[str, float]) -> float:
    """Return how much of what documents share is in a clause, for its length; 0 where it has no subject to be read.

    Words that no two documents of any theme share are misspelt or no words at all.
    """
    words = {word for word in keywords.words(clause, lang) if not _empty(word) and len(word) > 1}
    shared = sum(word in across for word in words)
    if len(words) < CLAUSE_WORDS or shared < MERE * len(words):
        return 0.0
    return sum(counts[word] for word in words) / sqrt(2 + len(words))


def clauses(text: str) -> list[str]:
    """Return the pieces of a text that could stand as a title, handles, links and markup taken out."""
    pieces = (" ".join(_HANDLE.sub(" ", piece).split()).strip(" ,:'\"“”()-–—") for piece in _CLAUSE.split(text[:2000]))
    return [piece for piece in pieces if fits(piece)]


def fits(piece: str) -> bool:
    """Return whether a piece has the length of a title; wide scripts need fewer characters."""
    wide = sum(ord(c) > 0x0E00 for c in piece)
    return len(piece) + 2 * wide >= SHORTEST and len(piece) + wide <= LONGEST_TITLE


def frame_of(lang: str) -> Frame:
    """Return how a language frames titles; English where we do not speak it."""
    return FRAMES.get(plain_code(lang), ENGLISH)
