"""The little language in which people search: words, "phrases", OR, -not, brackets, field:value, since:7d.

`parse` turns what somebody typed into a `Query`, or says where it went wrong; the same in terminal, board and every
store. Nothing typed ever reaches a store but as a value.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, cast, get_args

from groundswell.index.codes import language_code, market_code
from groundswell.index.foreign_signs import NO_FIELD, foreign, foreign_phrase, lower_operator, plain, single_quotes
from groundswell.index.query import AllOf, AnyOf, Expression, Field, Is, Not, Phrase, Query, Sort, Word
from groundswell.index.records import DateConfidence, Kind, SentimentLabel, TargetKind
from groundswell.index.segment import for_query

HELP = """\
refund ads            both words, anywhere in title or text
"no refund"           these words one after another; 退款 or โฆษณา are found inside longer runs too
scam*                 every word that begins so: scam, scams, scammer
refund OR 退款         either of them (OR in capitals, or |)
deepfake OR "AI video" market:SG      a field holds for all of it, unless it touches OR itself
-crypto               not this word; also -"a phrase", -(a OR b), -market:SG
(a OR b) c            brackets
e-mail AT&T           words joined by a sign: these one after another
#ads @mei             the words ads and mei: signs themselves are not searched
market:SG OR risk:gambling            a field that touches OR is one of the two
market:SG             a field has a value; market:SG,MY any of them; market:none no value at all
since:7d              published in the last 7 days; also 24h, 2w, 2026-11-01, today, yesterday; after: is the same
until:2026-11-01      published before that day begins (UTC); before: is the same
on:yesterday          published on that day; also on:2026-11-01 or a whole month, on:2026-11
sort:relevance        best first; also sort:newest (the usual order), sort:oldest

Fields: id, source, kind (news, post, review, comment, regulator), lang, market, sentiment (negative, neutral,
positive, unsure), risk, theme, target (platform, ad_product, advertiser, creator, regulator, other), rule, author,
thread, duplicate, date_confidence (exact, day, inferred, none).
Times are UTC. Documents without a trustworthy date are found only without since:, until: and on:.
"""

LONGEST_QUERY = 4000
"""Characters of a query."""
DEEPEST = 20
"""Brackets within brackets."""
MOST_NAMED = 30
"""Values that a message lists."""
FIELDS: dict[str, Field] = {
    **{name: name for name in get_args(Field)},
    "language": "lang",
    "country": "market",
    "site": "source",
    "from": "source",
    "type": "kind",
    "mood": "sentiment",
    "risks": "risk",
    "topic": "theme",
    "about": "target",
    "who": "target",
    "by": "author",
    "cluster": "duplicate",
}
TIMES = {"since": "since", "until": "until", "on": "on", "after": "since", "before": "until", "date": "on"}
"""Names of times, and what each stands for; they hold for the whole search."""
CHOICES: dict[Field, tuple[str, ...]] = {
    "kind": get_args(Kind),
    "sentiment": get_args(SentimentLabel),
    "target": get_args(TargetKind),
    "date_confidence": get_args(DateConfidence),
}
_FREE_CONFIDENCE = "date_confidence"
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_TOKEN = re.compile(
    r"""\s*(?:
        (?P<open>\() | (?P<close>\)) | (?P<minus>-(?=\S)) | (?P<or>\|+)
        | (?P<name>[^\W\d]\w*):(?!//)(?P<value>"[^"]*"?|[^\s()"|]*)
        | (?P<phrase>"[^"]*"?)
        | (?P<word>[^\s()"|]+)
    )""",
    re.VERBOSE,
)


class QueryError(ValueError):
    """What somebody typed cannot be understood; `position` is where, counted from 0, and the message is for them."""

    def __init__(self, message: str, position: int) -> None:
        super().__init__(f"{message} (at character {position + 1})")
        self.position = position


class Token(NamedTuple):
    """A piece of what was typed."""

    kind: str
    text: str
    at: int
    name: str = ""
    end: int = 0


@dataclass(slots=True)
class _Times:
    """Bounds and order, which hold for the whole search."""

    since: datetime | None = None
    until: datetime | None = None
    sort: Sort = "newest"


def parse(text: str, *, now: datetime, values: Mapping[Field, Collection[str]] | None = None) -> Query:
    """Return the query that somebody typed; nothing typed matches everything.

    Args:
        text: what was typed.
        now: what ``since:7d`` counts back from.
        values: all values that some fields can have (`closed_values`); another one is refused with what is near.

    Raises:
        QueryError: it cannot be understood; the message says where and, if it can, what was meant.
    """
    if len(text) > LONGEST_QUERY:
        raise QueryError(f"a search may have {LONGEST_QUERY} characters, this has {len(text)}", LONGEST_QUERY)
    typed = plain(text)
    if typed.strip() and not for_query(typed)[0] and "*" not in typed:
        raise QueryError("nothing here can be looked for: write a word, or leave the search empty for everything", 0)
    parser = _Parser(list(_tokens(typed)), now.astimezone(UTC), values or {})
    parser.need_double_quotes()
    match = parser.whole()
    if match is None and not parser.asks and text.strip():
        raise QueryError("nothing here can be looked for: write a word, or leave the search empty for everything", 0)
    where, without, rest = _apart(match)
    return Query(
        match=_joined(AllOf, rest),
        where=where,
        without=without,
        since=parser.times.since,
        until=parser.times.until,
        sort=parser.times.sort,
    )


def _tokens(text: str) -> Iterator[Token]:
    """Yield the pieces of what was typed."""
    at = 0
    while (found := _TOKEN.match(text, at)) is not None:
        at = found.end()
        kind = str(found.lastgroup)
        if kind == "value":
            yield Token("field", found["value"], found.start("name"), found["name"], at)
        else:
            yield Token(kind, found[kind], found.start(kind), end=at)


def timeless(text: str) -> str:
    """Return a search without its times, to ask the same of other days.

    >>> timeless('scam since:7d "on:call" until:today')
    'scam "on:call"'
    """
    typed, parts, at = plain(text), list[str](), 0
    while (found := _TOKEN.match(typed, at)) is not None:
        if (found["name"] or "").lower() not in TIMES:
            parts.append(typed[at : found.end()])
        at = found.end()
    return "".join(parts).strip()


@dataclass(slots=True)
class _Parser:
    """Goes through the pieces once, from left to right."""

    tokens: list[Token]
    now: datetime
    values: Mapping[Field, Collection[str]] = field(default_factory=dict)
    asks: bool = False
    times: _Times = field(default_factory=_Times)
    at: int = 0
    depth: int = 0

    def whole(self) -> Expression | None:
        """Return everything that was typed."""
        expression = self.either()
        if token := self.peek():
            raise QueryError("this bracket closes nothing", token.at)
        return expression

    def peek(self) -> Token | None:
        """Return the next piece."""
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def either(self) -> Expression | None:
        """Return what is joined by OR; fields that touch no OR hold for all of it."""
        branches = [self.every()]
        while (token := self.peek()) and _is_or(token):
            self.at += 1
            branches.append(self.every())
            _need_both(branches[-2:], token, self.values)
        if len(branches) == 1:
            return _joined(AllOf, [part.item for part in branches[0]])
        common = [part for part in _shared(branches) if part.item]
        alone = [[part.item for part in branch if part not in common] for branch in branches]
        return _joined(AllOf, [_joined(AnyOf, [_joined(AllOf, one) for one in alone]), *(part.item for part in common)])

    def every(self) -> list[_Part]:
        """Return what must hold together."""
        parts = []
        while (token := self.peek()) and token.kind != "close" and not _is_or(token):
            self.at += 1
            item = self.one(token)
            name = self.tokens[self.at - 1].name.lower() if _names_field(item) or token.kind == "field" else ""
            if item is not None or token.kind == "field":
                parts.append(_Part(item, name, token))
        return parts

    def one(self, token: Token) -> Expression | None:
        """Return one thing to look for; ``None`` for a time, and for signs without a letter."""
        match token.kind:
            case "open":
                return self.bracket(token)
            case "minus":
                return self.negated(token)
            case "field":
                return self.named(token)
            case "phrase":
                return self.phrase(token)
            case _:
                return self.word(token)

    def word(self, token: Token) -> Expression | None:
        """Return a word; AND says nothing new, NOT is a long minus."""
        if token.text == "NOT":
            return self.negated(token)
        if token.text.lower() == "and":
            self.need_two(token)
            return None
        self.need_ours(token)
        return Word(token.text) if for_query(token.text)[0] else None

    def need_two(self, token: Token) -> None:
        """Refuse AND beside OR, or at an end: something is missing there."""
        around = (self.tokens[self.at - 2] if self.at > 1 else None, self.peek())
        if token.text == "AND" and any(each is None or _is_or(each) or _is_and(each) for each in around):
            raise QueryError("AND stands between two things to look for", token.at)

    def need_ours(self, token: Token) -> None:
        """Refuse signs of other tools, and OR or NOT in small letters, which would mean something else here."""
        following, before = self.peek(), self.tokens[self.at - 2] if self.at > 1 else None
        follows = following is not None and following.kind != "close"
        says = foreign(token.text) or lower_operator(
            token.text, follows=follows, first=before is None or before.kind == "open"
        )
        if says:
            raise QueryError(f"{token.text}: {says}", token.at)
        if before is not None and before.kind == "close" and before.end == token.at and token.text[0].isalnum():
            raise QueryError(f"{token.text}: between a bracket and a word stands a space", token.at)

    def need_double_quotes(self) -> None:
        """Refuse words between single quotation marks, which hold nothing together."""
        if told := single_quotes([(token.text, token.at) for token in self.tokens if token.kind == "word"]):
            raise QueryError(*told)

    def phrase(self, token: Token) -> Expression | None:
        """Return words that follow one another."""
        if len(token.text) < 2 or not token.text.endswith('"'):
            raise QueryError('this quotation mark is never closed: add another "', token.at)
        if says := foreign_phrase(token.text[1:-1]):
            raise QueryError(f"{token.text}: {says}", token.at)
        return Phrase(token.text[1:-1])

    def bracket(self, token: Token) -> Expression | None:
        """Return what is within brackets."""
        before = self.tokens[self.at - 2] if self.at > 1 else None
        if before and before.kind == "word" and before.end == token.at and before.text not in ("AND", "NOT", "+", "&"):
            raise QueryError(
                "between a word and a bracket stands a space (for beginnings of words write scam*)", token.at
            )
        self.depth += 1
        if self.depth > DEEPEST:
            raise QueryError(f"more than {DEEPEST} brackets within brackets", token.at)
        inner = self.either()
        if self.peek() is None:
            raise QueryError("this bracket is never closed: add a )", token.at)
        self.at += 1
        self.depth -= 1
        return inner

    def negated(self, token: Token) -> Expression | None:
        """Return what must not hold."""
        following = self.peek()
        if following is None or following.kind == "close" or _is_or(following):
            raise QueryError("there is nothing after this to leave out", token.at)
        if following.kind == "minus" or following.text == "NOT":
            raise QueryError("two signs that leave out follow each other: write one", token.at)
        before = self.at
        self.at += 1
        self.depth += 1
        if self.depth > DEEPEST:
            raise QueryError(f"more than {DEEPEST} negations within negations", token.at)
        item = self.one(following)
        self.depth -= 1
        for inner in self.tokens[before : self.at]:
            if inner.kind == "field" and inner.name in (*TIMES, "sort"):
                raise QueryError(f"{inner.name}: cannot be turned around; use since: or until:", inner.at)
        return None if item is None else Not(item)

    def named(self, token: Token) -> Expression | None:
        """Return a field with its values; a time or an order is kept apart."""
        name = token.name.lower()
        value = token.text.strip('"').strip()
        if token.text.startswith('"') and (len(token.text) < 2 or not token.text.endswith('"')):
            raise QueryError('this quotation mark is never closed: add another "', token.at)
        if name in (*TIMES, "sort") or name in FIELDS:
            self.need_value(name, value, token)
        else:
            raise QueryError(_unknown(name), token.at)
        self.asks = True
        if name in TIMES:
            self.time(name, value, token)
            return None
        if name == "sort":
            self.times.sort = cast("Sort", _chosen("sort", value, get_args(Sort), token))
            return None
        given = [value] if token.text.startswith('"') else value.split(",")
        return _joined(AnyOf, [Is(FIELDS[name], self.value(FIELDS[name], one, token)) for one in given])

    def need_value(self, name: str, value: str, token: Token) -> None:
        """Refuse a field without a value, and several values written otherwise than with commas alone."""
        following = self.peek()
        beside = following is not None and following.end and following.at == token.end
        if not value and beside and following and following.kind == "open":
            raise QueryError(f"{name}: several values are joined by commas: market:SG,MY", token.at)
        if not value:
            raise QueryError(f"{name}: needs a value, such as {_example(name)}", token.at)
        if beside and following and following.kind != "close":
            raise QueryError(f"{name}: several values are joined by commas, without spaces: market:SG,MY", token.at)
        if not token.text.startswith('"') and not all(value.split(",")):
            raise QueryError(f"{name}: between values stands one comma and no space: market:SG,MY", token.at)

    def value(self, name: Field, value: str, token: Token) -> str:
        """Return a value as the store keeps it; one that the field never has is refused."""
        found = _value(name, value, token)
        values = self.values.get(name)
        if found and values and found not in values:
            raise QueryError(never(name, value, values), token.at)
        return found

    def time(self, name: str, value: str, token: Token) -> None:
        """Narrow the time of the whole search."""
        begin, end = _span(value.lower(), self.now, token)
        name = TIMES[name]
        if name in ("since", "on"):
            self.times.since = max(filter(None, (self.times.since, begin)))
        if name in ("until", "on"):
            limit = end if name == "on" else begin
            self.times.until = min(filter(None, (self.times.until, limit)))


class _Part(NamedTuple):
    """One thing that must hold: `name` where it is a field or a time, `item` is ``None`` for a time."""

    item: Expression | None
    name: str
    token: Token


def _is_or(token: Token) -> bool:
    return token.kind == "or" or (token.kind == "word" and token.text == "OR")


def _is_and(token: Token) -> bool:
    return token.kind == "word" and token.text == "AND"


def _names_field(item: Expression | None) -> bool:
    """Return whether an expression is a field with its values, or one left out."""
    return item is not None and _values(item.item if isinstance(item, Not) else item)[0] is not None


def _need_both(sides: Sequence[Sequence[_Part]], token: Token, values: Mapping[Field, Collection[str]]) -> None:
    """Refuse an OR without something on both sides, with a time, which holds for the whole search, or with a value.

    ``market:SG OR MY`` would look for the word "my".
    """
    if not sides[0] or not sides[1]:
        raise QueryError("OR stands between two things to look for", token.at)
    for part in (sides[0][-1], sides[1][0]):
        if part.item is None:
            raise QueryError(
                f"{part.name}: holds for the whole search, so it cannot be one side of OR; "
                "put it at the end, or brackets around the words with OR",
                part.token.at,
            )
    for field_side, other in (sides[0][-1], sides[1][0]), (sides[1][0], sides[0][-1]):
        name = FIELDS.get(field_side.name)
        if name and field_side.token.kind == "field" and _is_value(name, other, values):
            raise QueryError(
                f"{other.token.text}: did you mean {field_side.name}:{field_side.token.text},{other.token.text}? "
                f'(for the word itself write "{other.token.text}" in quotes)',
                other.token.at,
            )


def _is_value(name: Field, part: _Part, values: Mapping[Field, Collection[str]]) -> bool:
    """Tell whether a word beside OR reads like one more value of the field on the other side."""
    word = part.token.text
    if part.token.kind != "word" or word.upper() == word.lower():
        return False
    try:
        if name == "market":
            return word.isupper() and bool(market_code(word))
        if name == "lang":
            return word.islower() and bool(language_code(word))
    except ValueError:
        return False
    return word.lower() in CHOICES.get(name, ()) or (name in values and word in values[name])


def _shared(branches: Sequence[Sequence[_Part]]) -> list[_Part]:
    """Return the fields that hold for all branches: those that touch no OR and are named in one branch only.

    ``a OR b market:SG`` asks for either in Singapore; ``a market:SG OR b market:MY`` for each in its own market.
    """
    found = []
    for k, branch in enumerate(branches):
        elsewhere = {part.name for j, other in enumerate(branches) if j != k for part in other}
        inside = branch[0 if k == 0 else 1 : len(branch) if k == len(branches) - 1 else -1]
        found += [part for part in inside if part.name and (part.item is None or part.name not in elsewhere)]
    return found


def _joined(kind: type[AllOf] | type[AnyOf], items: Iterable[Expression | None]) -> Expression | None:
    """Return the items as one."""
    there = tuple(item for item in items if item is not None)
    return kind(there) if len(there) > 1 else next(iter(there), None)


def never(name: Field, value: str, values: Collection[str]) -> str:
    """Return that a field never has a value, and which one was meant."""
    low = value.lower().replace(" ", "_").replace("-", "_")
    near = [one for one in sorted(values) if low in one.lower()] or difflib.get_close_matches(low, sorted(values), 3)
    meant = "did you mean " + " or ".join(f"{name}:{one}" for one in near[:4]) + "?" if near else _list(values)
    return f"{name}: is never {value} ({meant})"


def _list(values: Collection[str]) -> str:
    return f"it is one of {', '.join(sorted(values)[:MOST_NAMED])}" + (" …" if len(values) > MOST_NAMED else "")


def _unknown(name: str) -> str:
    """Return that there is no such field, and which one was meant."""
    if name in NO_FIELD:
        return f"there is no field {name}: ({NO_FIELD[name]})"
    near = difflib.get_close_matches(name, [*FIELDS, *TIMES, "sort"], 1)
    meant = f"did you mean {near[0]}:?" if near else f"there are {', '.join((*get_args(Field), *TIMES, 'sort'))}"
    return f'there is no field {name}: ({meant}) To search for the words themselves, write "{name} …" in quotes'


def _example(name: str) -> str:
    """Return a value that a field may have."""
    examples = {"since": "since:7d", "until": "until:2026-11-01", "on": "on:yesterday"}
    plain: dict[Field, str] = {"market": "market:SG", "lang": "lang:zh", "risk": "risk:gambling"}
    target = FIELDS.get(name)
    if target is None:
        return examples.get(TIMES.get(name, ""), "sort:relevance")
    return f"{name}:{CHOICES[target][0]}" if target in CHOICES else plain.get(target, f'{name}:"some value"')


def _value(name: Field, value: str, token: Token) -> str:
    """Return a value as the store keeps it."""
    if value.lower() == "none" and name != _FREE_CONFIDENCE:
        return ""
    if name in ("market", "lang"):
        try:
            return market_code(value) if name == "market" else language_code(value)
        except ValueError as error:
            raise QueryError(str(error), token.at) from None
    return _chosen(name, value, CHOICES[name], token) if name in CHOICES else value


def _chosen(name: str, value: str, choices: tuple[str, ...], token: Token) -> str:
    """Return one of the choices, whatever its case."""
    if value.lower() in choices:
        return value.lower()
    near = difflib.get_close_matches(value.lower(), choices, 1)
    meant = f"did you mean {name}:{near[0]}?" if near else f"it is one of {', '.join(choices)}"
    raise QueryError(f"{name}: is never {value} ({meant})", token.at)


def _span(value: str, now: datetime, token: Token) -> tuple[datetime, datetime]:
    """Return begin and end of what a time names; the end of a moment is the moment itself."""
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    day = timedelta(days=1)
    named = {"now": (now, now), "today": (today, today + day), "yesterday": (today - day, today)}
    if value in named:
        return named[value]
    try:
        if relative := re.fullmatch(r"(\d{1,6})([hdw])", value, re.ASCII):
            begin = now - int(relative[1]) * _UNITS[relative[2]]
            return begin, now
        if month := re.fullmatch(r"(\d{4})-(\d{2})", value, re.ASCII):
            begin = datetime(int(month[1]), int(month[2]), 1, tzinfo=UTC)
            return begin, (begin + 31 * day).replace(day=1)
        begin = datetime.fromisoformat(value.upper())
    except (ValueError, OverflowError):
        raise QueryError(
            f"{value} is no time: write 7d, 24h, 2w, today, yesterday, or a day such as 2026-11-01", token.at
        ) from None
    return _aware(begin, whole_day=len(value) <= len("2026-11-01"), token=token)


def _aware(begin: datetime, *, whole_day: bool, token: Token) -> tuple[datetime, datetime]:
    """Return begin and end of a day or moment in UTC."""
    try:
        start = begin.replace(tzinfo=UTC) if begin.tzinfo is None else begin.astimezone(UTC)
        return start, start + timedelta(days=1) if whole_day else start
    except OverflowError:
        raise QueryError("this day is out of the calendar", token.at) from None


def _apart(
    match: Expression | None,
) -> tuple[dict[Field, tuple[str, ...]], dict[Field, tuple[str, ...]], list[Expression]]:
    """Return fields that must, and must not have a value, which stores answer from their columns, and the rest."""
    where: dict[Field, tuple[str, ...]] = {}
    without: dict[Field, tuple[str, ...]] = {}
    rest: list[Expression] = []
    for item in match.items if isinstance(match, AllOf) else () if match is None else (match,):
        name, values = _values(item.item if isinstance(item, Not) else item)
        if name is None or (not isinstance(item, Not) and name in where):
            rest.append(item)
        elif isinstance(item, Not):
            without[name] = (*without.get(name, ()), *values)
        else:
            where[name] = values
    return where, without, rest


def _values(item: Expression) -> tuple[Field | None, tuple[str, ...]]:
    """Return a field and its values, where an expression is no more than that."""
    items = item.items if isinstance(item, AnyOf) else (item,)
    fields = {one.field for one in items if isinstance(one, Is)}
    if len(fields) != 1 or not all(isinstance(one, Is) for one in items):
        return None, ()
    return fields.pop(), tuple(one.value for one in items if isinstance(one, Is))
