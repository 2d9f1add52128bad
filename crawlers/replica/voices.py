"""How a text comes out: neat in a newspaper, careless on a phone, in six languages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random

from groundswell.crawlers.replica.grammar import Speaker, Talk

UNSPACED = {"zh", "th"}
CASUAL = {"post": 0.75, "review": 0.65, "thread": 0.45, "comment": 0.15}
"""How often a text of a form is careless."""


@dataclass(frozen=True, slots=True)
class Manner:
    """What is talked of, in which language, form and mood (``cross`` or ``glad``)."""

    subject: str
    lang: str
    form: str
    mood: str = "cross"


def compose(speaker: Speaker, talk: Talk, manner: Manner) -> tuple[str, str]:
    """Return title and text of one document, paragraphs separated by an empty line."""
    if manner.form == "article":
        return _article(speaker, talk, manner.subject, manner.lang)
    return _title(speaker, talk, manner), _chat(speaker, talk, manner)


def _article(speaker: Speaker, talk: Talk, subject: str, lang: str) -> tuple[str, str]:
    title = speaker.fill(speaker.draw(talk.headline, subject, lang, "headline"), lang)
    count = speaker.rng.randint(2, min(5, len(talk.report)))
    drawn = {speaker.draw(talk.report, subject, lang, "report") for _ in range(count)}
    # A report is written from the lead down: what stands first in the grammar stands first on the page.
    body = [speaker.fill(line, lang) for line in sorted(drawn, key=talk.report.index)]
    for part in ("say", "tell", "say")[: speaker.rng.randint(1, 3)]:
        body.insert(speaker.rng.randint(1, len(body)), _reader_quote(speaker, talk, subject, lang, part))
    body.append(speaker.fill(speaker.draw(speaker.words[lang]["colour"], lang, "colour"), lang))
    return title, "\n\n".join(dict.fromkeys(body))


def _reader_quote(speaker: Speaker, talk: Talk, subject: str, lang: str, part: str) -> str:
    quote = speaker.fill(speaker.draw(getattr(talk, part), subject, lang, part), lang)
    return speaker.word(lang, "quote").replace("@", quote.rstrip(".。!！"))


def _title(speaker: Speaker, talk: Talk, manner: Manner) -> str:
    if manner.form == "post" or (manner.form == "comment" and speaker.rng.random() < 0.55):
        return ""
    return speaker.fill(speaker.draw(talk.head, manner.subject, manner.lang, "head"), manner.lang)


SHAPES: dict[str, tuple[tuple[str, ...], ...]] = {
    "post": (("say",), ("say", "feel"), ("say", "tell"), ("feel", "say"), ("tell", "say"), ("say", "tell", "feel")),
    "review": (("say",), ("say", "feel"), ("tell", "say"), ("say", "tell"), ("say", "say"), ("tell", "feel")),
    "thread": (("say", "tell"), ("say", "tell", "feel"), ("tell", "say", "tell", "feel"), ("say", "say", "feel")),
    "comment": (("say", "tell"), ("say", "feel"), ("say", "tell", "tell"), ("tell", "say")),
}


def _chat(speaker: Speaker, talk: Talk, manner: Manner) -> str:
    rng, subject, lang, form = speaker.rng, manner.subject, manner.lang, manner.form
    parts = [getattr(talk, part) and (part, getattr(talk, part)) for part in rng.choice(SHAPES[form])]
    drawn = dict.fromkeys(speaker.draw(found[1], subject, lang, found[0]) for found in parts if found)
    messages = [speaker.fill(line, lang) for line in drawn]
    if form == "thread" and rng.random() < 0.5:
        messages.insert(0, speaker.word(lang, "opener"))
    if form == "thread" and rng.random() < 0.45:
        messages.append(speaker.word(lang, "ask"))
    careless = rng.random() < CASUAL[form]
    if careless:
        messages = [_careless(sentence, lang, speaker) for sentence in messages]
    text = _join(messages, lang, rng)
    return _decorate(text, lang, manner.mood, speaker) if careless and form != "comment" else text


def _join(messages: list[str], lang: str, rng: Random) -> str:
    if lang == "zh":
        return "".join(part if part[-1:] in "，。！？～…?!" else part + "。" for part in messages)
    if lang == "th":
        return " ".join(messages)
    broken = rng.random() < 0.15
    return ("\n" if broken else " ").join(part if part[-1:] in ".,!?…)" else part + "." for part in messages)


def _careless(text: str, lang: str, speaker: Speaker) -> str:
    for habit in HABITS.get(lang, HABITS["en"]):
        text = habit(text, lang, speaker)
    return text


def _shorten(text: str, lang: str, speaker: Speaker) -> str:
    """Write words the way phones do: "tidak" → "gak", "you" → "u"."""
    pairs: Mapping[str, str] = dict(pair.split("=", 1) for pair in speaker.words.get(lang, {}).get("short", ()))
    if not pairs or speaker.rng.random() < 0.35:
        return text
    words = text.split(" ")
    return " ".join(
        speaker.rng.choice(pairs[word.lower()].split("/"))
        if word.lower() in pairs and speaker.rng.random() < 0.7
        else word
        for word in words
    )


def _lower(text: str, _: str, speaker: Speaker) -> str:
    return text.lower() if speaker.rng.random() < 0.45 else text


def _slip(text: str, _: str, speaker: Speaker) -> str:
    """Swap or drop a letter now and then."""
    rng, words = speaker.rng, text.split(" ")
    long = [place for place, word in enumerate(words) if len(word) > 5 and word.isalpha() and word.isascii()]
    if not long or rng.random() > 0.22:
        return text
    place = rng.choice(long)
    word, cut = words[place], rng.randint(1, len(words[place]) - 3)
    words[place] = (
        word[:cut] + word[cut + 1] + word[cut] + word[cut + 2 :] if rng.random() < 0.6 else word[:cut] + word[cut + 1 :]
    )
    return " ".join(words)


def _stop(text: str, _: str, speaker: Speaker) -> str:
    roll = speaker.rng.random()
    bare = text.rstrip(".。")
    return (
        bare + ("!!" if roll < 0.12 else "..." if roll < 0.24 else "!" if roll < 0.32 else "") if roll < 0.7 else text
    )


def _loose(text: str, _: str, speaker: Speaker) -> str:
    """Loosen Chinese punctuation the way people type it."""
    roll = speaker.rng.random()
    if roll < 0.25:
        return text.replace("，", " ").rstrip("。")
    return text.rstrip("。") + speaker.rng.choice("！～…，") if roll < 0.45 else text


Habit = Callable[[str, str, Speaker], str]
HABITS: dict[str, tuple[Habit, ...]] = {
    "zh": (_loose,),
    "th": (),
    "en": (_shorten, _lower, _slip, _stop),
    "id": (_shorten, _lower, _slip, _stop),
    "ms": (_shorten, _lower, _slip, _stop),
    "vi": (_shorten, _lower, _stop),
}


def _decorate(text: str, lang: str, mood: str, speaker: Speaker) -> str:
    """Add what a phone adds: a particle, a groan or a cheer, emoji."""
    gap = "" if lang == "zh" else " "
    for what in ("close", "emoji"):
        if speaker.rng.random() < 0.3:
            text += gap + speaker.word(lang, f"{mood}_{what}")
    return text
