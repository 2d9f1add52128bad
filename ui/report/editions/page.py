"""An edition in words, in a person's language: the news in a line, and a page and a text that say the same."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import copy_context
from datetime import datetime
from typing import Any

from groundswell.configs.schema import Person, Settings
from groundswell.index.records import SEVERITIES, Case, Delivery
from groundswell.index.store import Reader
from groundswell.ui.report import links, wording
from groundswell.ui.report.cards import reason, subject_in
from groundswell.ui.report.digest import Digest, bars, blocks, board_address, inlined, plain, templates
from groundswell.ui.report.disturbing import first_of
from groundswell.ui.report.editions.changes import CHANGES, LONGEST_QUOTE, Change, Changes, Item, Morning, find_changes
from groundswell.ui.report.editions.people import Edition, Scope, everybody, length_of, scope_of, zone_of
from groundswell.ui.report.editions.picture import mood_picture, reach_of
from groundswell.ui.report.inbox import subject_said
from groundswell.ui.report.reasons import reason_said
from groundswell.ui.report.rising import heading, note, rising_rows
from groundswell.ui.report.tongue import speak, spoken, tr
from groundswell.ui.report.topics import know_topics

LONGEST_NEWS = 80
"""Characters of a title in the subject; phones show some forty."""
MOST_PLACES = 3
MOST_CASES = 8
MOST_GAPS = 5
MOST_HELD = 8
FEWER = (8, 7, 6, 5, 4, 3, 2, 1)
"""Items of a kind, until the whole is small enough."""
LEAST: Mapping[Change, int] = {"new": 4_500, "grew": 4_500, "calmed": 2_000, "over": 2_000}
"""Bytes of a mail that an item of each kind takes at least: its line of four weeks is two thirds of it."""
FRAME = 15_000
"""Bytes of a mail without any item, at least."""
LARGEST = 100_000
"""Bytes of a whole mail; beyond about that Gmail cuts it."""
OVERHEAD = 4_000
"""Bytes of a mail's headers and boundaries."""


def make_digest(
    reader: Reader | Morning,
    settings: Settings,
    *,
    now: datetime,
    person: Person | None = None,
    edition: Edition | None = None,
    stop: str = "",
) -> Digest:
    """Return a person's digest, or that of everything.

    Args:
        reader: the store, or what several digests of one moment share.
        settings: where the board is.
        now: where there is no edition, the last day up to now is told: the clock decides, not the newest document.
        person: whose it is.
        edition: of what time.
        stop: where one click ends these mails; empty where none does.
    """
    morning = reader if isinstance(reader, Morning) else Morning(reader, settings)
    person = person or everybody()
    if edition is None:
        zone = zone_of(person, settings.digest)
        edition = Edition(wording.local_day(now, zone), now - length_of(person), now)

    def make() -> Digest:
        speak(person.language)
        know_topics(settings)
        return _fitting(morning, scope_of(person, settings), edition, stop)

    return copy_context().run(make)


def _fitting(morning: Morning, scope: Scope, edition: Edition, stop: str) -> Digest:
    """Return a digest small enough for every mail program, by leaving out the least grave items where it must."""
    changes = find_changes(morning, scope, edition, most=_may_fit)
    picture = mood_picture(changes.mood)
    digest, items = None, 0
    for most in FEWER:
        fewer = changes.fewer(most)
        if digest is not None and most != FEWER[-1]:
            likely = FRAME + (size_of(digest) - FRAME) * len(fewer.items) / max(items, 1)
            if likely > LARGEST or len(fewer.items) == items:
                continue  # these would still be too many
        digest, items = _Page(morning, scope, fewer, stop).digest(picture), len(fewer.items)
        if size_of(digest) <= LARGEST:
            break
    assert digest is not None  # noqa: S101  for the type checker: there is a last one
    return digest


def _may_fit(counts: Mapping[Change, int]) -> int:
    """Return how many items of each kind may be small enough together: what cannot be shown is not asked for."""
    return next((most for most in FEWER if _least(counts, most) <= LARGEST), FEWER[-1])


def _least(counts: Mapping[Change, int], most: int) -> int:
    return FRAME + sum(min(count, most) * LEAST[kind] for kind, count in counts.items())


def size_of(digest: Digest) -> int:
    """Return the bytes of the mail that a digest becomes: all of it travels as base64, in lines of 76."""
    parts = (digest.html.encode(), digest.text.encode(), digest.picture)
    return OVERHEAD + sum(len(part) * 4 // 3 * 78 // 76 for part in parts)


class _Page:
    """An edition being put into words."""

    def __init__(self, morning: Morning, scope: Scope, changes: Changes, stop: str) -> None:
        settings, self.folded = morning.settings, morning.folded
        self.scope, self.changes, self.stop = scope, changes, stop
        self.zone, self.base = zone_of(scope.person, settings.digest), board_address(settings)
        self.edition = changes.edition

    def digest(self, picture: bytes) -> Digest:
        """Return it, as a subject, a page and a text, with a picture that was drawn."""
        facts = self._facts()
        html = templates(html=True).get_template("digest.html.jinja").render(facts)
        text = templates(html=False).get_template("digest.txt.jinja").render(facts)
        picture = picture if facts["chart"] else b""
        subject = self._subject(facts["first"])
        return Digest(
            subject, inlined(html), plain(text), self.edition.day, self.edition.upto, picture, self.edition.since
        )

    # The news

    def _gravest(self) -> Item | None:
        """Return what leads: what is new or grew before what calmed down, the gravest of it."""
        rising = [*self.changes.of("new"), *self.changes.of("grew")]
        falling = [*self.changes.of("over"), *self.changes.of("calmed")]
        for items in (rising, falling):
            if items:
                return max(items, key=lambda item: (SEVERITIES.index(item.entry.episode.severity), item.now))
        return None

    def _first(self) -> str:
        """Return the headline."""
        if not self.changes.total:
            return tr("Nothing has been crawled yet")
        if self.changes.nothing_seen:
            newest = self.changes.newest
            since = wording.date(newest, self.zone) if newest else ""
            return tr("Nothing was seen since {day}").format(day=since) if since else tr("Nothing was seen")
        item = self._gravest()
        if item is not None:
            return self._news(item)
        if self.changes.not_looked:
            return self._not_looked()
        return tr("Nothing new")

    def _subject(self, first: str) -> str:
        """Return the headline with how much more there is."""
        items = sum(map(len, map(self.changes.of, CHANGES))) + sum(self.changes.more.values())
        if self.changes.total and not self.changes.nothing_seen and items > 1:
            return tr("{news}; {count} more").format(news=first, count=wording.number(items - 1))
        still = len(self.changes.still)
        if items == 0 and still and not self.changes.nothing_seen:
            return tr("{news}; {alerts} open").format(news=first, alerts=wording.plural(still, "earlier alert"))
        return first

    def _news(self, item: Item) -> str:
        forms: dict[Change, str] = {
            "new": tr("New: {what}{where}"), "grew": tr("{what} grows{where}"),
            "calmed": tr("{what} calms down{where}"), "over": tr("{what} is over{where}"),
        }  # fmt: skip
        form = tr("{what} has become {severity}{where}") if item.was else forms[item.change]
        codes = self._places(item)
        where = tr(" in {places}").format(places=codes) if codes else ""
        what = wording.shortened(_title(item), LONGEST_NEWS).replace("{", "(").replace("}", ")")
        return form.format(what=what, where=where, severity=tr(item.entry.episode.severity))

    def _places(self, item: Item) -> str:
        """Return the codes of the markets where it is, those the person follows first; how many more there are."""
        own = self.scope.person.markets
        codes = [code for code, _ in item.markets]
        codes = [code for code in codes if code in own] + [code for code in codes if code not in own]
        if len(codes) > MOST_PLACES + 1:
            more = tr("{count} more").format(count=wording.number(len(codes) - MOST_PLACES))
            return wording.listed([*codes[:MOST_PLACES], more])
        return ", ".join(codes)

    def _not_looked(self) -> str:
        if self.changes.looked is None:
            return tr("Signals have not been looked for yet")
        return tr("Signals were not looked for since {time}").format(time=self._moment(self.changes.looked))

    # All that there is to say

    def _facts(self) -> dict[str, Any]:
        changes, edition = self.changes, self.edition
        quiet = not changes.items
        return {
            "base": self.base, "lang": {"zh": "zh-Hans"}.get(spoken(), spoken()), "first": self._first(),
            "period": self._period(), "posts": self._posts(), "posts_url": self._posts_url(),
            "warnings": self._warnings(),
            "tally": self._tally(), "sections": [self._section(kind) for kind in CHANGES if changes.of(kind)],
            "still": self._still(), "held": self._held(), "cases": self._cases(), "gaps": self._gaps(),
            "rising": self._rising(),
            "chart": self._chart() if not quiet or self._mood_is_news() else None,
            "footer": self._footer(), "stop": self.stop, "stop_said": tr("Stop these mails"),
            "board_said": tr("Open the board"), "day": wording.date(edition.upto, self.zone),
        }  # fmt: skip

    def _moment(self, at: datetime) -> str:
        """Return a moment with its year: a digest may be read long after, and may tell of long before."""
        return f"{wording.stamp(at, self.zone)} {wording.zone_name(self.zone, at)}"

    def _period(self) -> str:
        since, upto = self.edition.since, self.edition.upto
        return tr("{since} to {upto}").format(since=wording.stamp(since, self.zone), upto=self._moment(upto))

    def _posts(self) -> str:
        where = ", ".join([*self.scope.person.markets, *self.scope.person.brands])
        posts = wording.plural(self.changes.posts, "new post")
        return posts + (tr(" in {places}").format(places=where) if where else "")

    def _posts_url(self) -> str:
        person = self.scope.person
        either = " OR ".join(f"market:{market}" for market in person.markets)
        named = " OR ".join(f'"{brand}"' for brand in self.scope.brands)
        text = " ".join(
            [*(f"({part})" for part in (either, named) if part),
             links.query_text(**links.window(self.edition.since, self.edition.upto))]
        )  # fmt: skip
        return f"{self.base}/{links.unfolded(links.search_text(text))}"

    def _warnings(self) -> list[dict[str, str]]:
        """Return what must be known before the rest: what was not seen, not looked for, or told late."""
        changes, said = self.changes, []
        if changes.nothing_seen:
            said.append(
                (tr("A quiet day is not known to be calm: look at the sources (groundswell doctor)."), "sources")
            )
            if changes.visited is not None and changes.visited < self.edition.since:
                text = tr("No source has been visited since {time}.").format(time=self._moment(changes.visited))
                said.insert(0, (text, "sources"))
        if not changes.total:
            said.append((tr("Run groundswell run, and come back in a few minutes."), "sources"))
        elif changes.not_looked:
            after = tr("what came after is not judged.")
            rest = tr("{subject}: {what}").format(subject=self._not_looked(), what=after)
            said.append((rest if changes.looked else self._not_looked() + tr("."), "inbox"))
        if self.edition.late:
            text = tr("No digest went out for some time: this one tells of all since {time}.")
            said.append((text.format(time=self._moment(self.edition.since)), "sources"))
        return [{"said": text, "url": f"{self.base}/{page}"} for text, page in said]

    def _tally(self) -> str:
        """Return how many of each kind of change there are."""
        names: dict[Change, str] = {
            "new": tr("{count} new"), "grew": tr("{count} grew"), "calmed": tr("{count} calmed down"),
            "over": tr("{count} over"),
        }  # fmt: skip
        counts = {kind: len(self.changes.of(kind)) + self.changes.more.get(kind, 0) for kind in CHANGES}
        return " · ".join(names[k].format(count=wording.number(count)) for k, count in counts.items() if count)

    def _section(self, kind: Change) -> dict[str, Any]:
        names: dict[Change, str] = {
            "new": tr("New"), "grew": tr("Grew"), "calmed": tr("Calmed down"), "over": tr("Over"),
        }  # fmt: skip
        left = self.changes.more.get(kind, 0)
        more = tr("and {count} more").format(count=wording.number(left)) if left else ""
        return {
            "name": names[kind], "items": [self._item(item) for item in self.changes.of(kind)], "more": more,
            "more_url": f"{self.base}/{links.inbox(show='all')}",
        }  # fmt: skip

    def _item(self, item: Item) -> dict[str, Any]:
        entry, episode = item.entry, item.entry.episode
        rising = item.change in {"new", "grew"}
        subject = subject_in(episode.gravest, entry.theme)
        why = reason_said(reason(episode.gravest.why, entry.title, subject), bare=True) if rising else ""
        was = tr("was {severity}").format(severity=tr(item.was)) if item.was else ""
        return {
            "severity": episode.severity, "severity_said": tr(episode.severity), "was": was,
            "title": _title(item), "url": f"{self.base}/{links.alert(entry.id)}",
            "goes": self._goes(item), "goes_url": f"{self.base}/{self._goes_url(item)}", "why": why,
            "quotation": self._quotation(item),
            "bars": bars(item.series, episode.alert.start) if rising and item.series else [],
            "bars_said": tr("texts a day over four weeks"),
            "blocks": blocks(item.series) if rising and item.series else "",
            "facts": self._about(item), "all": wording.plural(entry.documents, "document"),
            "all_url": f"{self.base}/{links.grown(episode, self.edition.upto)}",
            "owner": self._owner(item),
            "held": tr("held in your quiet hours") if item.held else "",
        }  # fmt: skip

    def _goes(self, item: Item) -> str:
        """Return the counts of the edition's time and of as long before it."""
        now, before = wording.plural(item.now, "document"), wording.number(item.before)
        days = (self.edition.upto - self.edition.since).total_seconds() / 86400
        if days < 1.5:
            return tr("{now} in 24 h, {before} in the 24 h before").format(now=now, before=before)
        text = tr("{now} in {days}, {before} in as many before")
        return text.format(now=now, before=before, days=wording.plural(round(days), "day"))

    def _goes_url(self, item: Item) -> str:
        episode, since = item.entry.episode, self.edition.since
        begin = max(since, episode.alert.start) if episode.theme else since
        return links.about(episode, **links.window(begin, self.edition.upto))

    def _about(self, item: Item) -> str:
        """Return risk and places, each place with its count."""
        places = [f"{code} {wording.number(count)}" for code, count in item.markets[:MOST_PLACES]]
        rest = item.entry.documents - sum(count for _, count in item.markets[:MOST_PLACES])
        if places and rest:
            places.append(tr("elsewhere {count}").format(count=wording.number(rest)))
        risk = item.entry.episode.risk
        return " · ".join([wording.risk(risk) if risk else tr("no risk named"), *places])

    def _owner(self, item: Item) -> str:
        standing = item.entry.standing
        return tr("owner: {name}").format(name=standing.assignee) if standing.assignee else tr("no owner yet")

    def _quotation(self, item: Item) -> dict[str, str] | None:
        said = item.quotation
        if said is None:
            return None
        when = wording.stamp(said.at, self.zone) if said.at else ""
        name = first_of(self.folded, [*said.risks, item.entry.episode.risk])
        folded = tr("May disturb ({risk}): open it on the board").format(risk=name) if name else ""
        text = wording.shortened(plain(" ".join(said.text.split())), LONGEST_QUOTE)
        return {
            "text": folded or f"“{text}”",
            "plain": folded or f'"{text}"',
            "lang": spoken() if folded else said.lang or "und",
            "source": " · ".join(filter(None, (said.source, said.market, when))),
            "url": f"{self.base}/{links.document(said.document)}",
        }

    # What goes on

    def _still(self) -> list[dict[str, str]]:
        changes, lines = self.changes, []
        if changes.still:
            count = wording.plural(len(changes.still), "earlier alert" if not changes.items else "other alert")
            lines.append((tr("Open and not changed: {count}").format(count=count), links.inbox(show="all")))
        if changes.waiting_over:
            count = wording.plural(len(changes.waiting_over), "alert")
            lines.append(
                (tr("Over and still to be decided: {count}.").format(count=count).rstrip(".。"), links.inbox())
            )
        if changes.ignored:
            count = wording.plural(changes.ignored, "alert")
            lines.append((tr("Left out because somebody dismissed or snoozed it: {count}").format(count=count),
                          links.inbox(show="all")))  # fmt: skip
        return [{"said": text, "url": f"{self.base}/{page}"} for text, page in lines]

    def _held(self) -> dict[str, Any] | None:
        rows = self.changes.held
        if not rows:
            return None
        return {
            "name": tr("Held in your quiet hours"),
            "rows": [self._held_row(row) for row in rows[:MOST_HELD]],
            "more": tr("and {count} more").format(count=len(rows) - MOST_HELD) if len(rows) > MOST_HELD else "",
        }

    def _held_row(self, row: Delivery) -> dict[str, str]:
        return {
            "title": f"{tr(row.severity)} · {row.title}", "at": wording.clock(row.at, self.zone),
            "url": f"{self.base}/{links.told(row.about)}",
        }  # fmt: skip

    def _cases(self) -> dict[str, Any] | None:
        cases = self.changes.cases
        if not cases:
            return None
        left = len(cases) - MOST_CASES
        return {
            "name": tr("Open cases"), "rows": [self._case(case) for case in cases[:MOST_CASES]],
            "more": tr("and {count} more").format(count=wording.number(left)) if left > 0 else "",
            "more_url": f"{self.base}/cases",
        }  # fmt: skip

    def _case(self, case: Case) -> dict[str, Any]:
        upto, late = self.edition.upto, case.due is not None and case.due < self.edition.upto
        due = tr("no deadline")
        if case.due:
            length = wording.span(abs(upto - case.due))
            due = (tr("{span} late") if late else tr("due in {span}")).format(span=length)
            due = f"{due} ({wording.stamp(case.due, self.zone)})"
        return {
            "title": case.title, "url": f"{self.base}/{links.case(case.id)}", "owner": case.owner or tr("nobody"),
            "due": due, "late": late,
        }  # fmt: skip

    def _rising(self) -> dict[str, Any] | None:
        rows = list(rising_rows(self.changes.rising))
        return {"name": heading(), "note": note(), "rows": rows} if rows else None

    # What could not be seen, and the mood

    def _gaps(self) -> dict[str, Any] | None:
        """Return which sources were not seen on a day of the edition's time."""
        begin, end = self.edition.since, self.edition.upto
        days = [k for k, day in enumerate(self.changes.coverage.days) if begin.date() <= day.date() <= end.date()]
        bad = [
            (row.source, next((row.cells[k].why for k in reversed(days) if row.cells[k].state == "bad"), ""))
            for row in self.changes.coverage.rows
            if any(row.cells[k].state == "bad" for k in days)
        ]
        if not bad or self.changes.nothing_seen:
            return None
        rows = [{"name": name, "url": f"{self.base}/{links.source(name)}", "why": why} for name, why in bad[:MOST_GAPS]]
        return {
            "name": tr("Not seen"), "rows": rows,
            "note": tr("Where a source was not seen, a quiet line is not calm."),
            "more": tr("and {count} more").format(count=len(bad) - MOST_GAPS) if len(bad) > MOST_GAPS else "",
            "more_url": f"{self.base}/sources",
        }  # fmt: skip

    def _mood_is_news(self) -> bool:
        """Return whether the mood of the last whole day lies outside of what was usual."""
        value, band = self.changes.mood.values[-2], self.changes.mood.bands[-2]
        return value is not None and band is not None and not band.low <= value <= band.high

    def _chart(self) -> dict[str, str] | None:
        """Return the picture of the mood in words."""
        mood = self.changes.mood
        known = [(value, day) for value, day in zip(mood.values, mood.days, strict=True) if value is not None]
        if len(known) < 2:
            return None
        (low, low_day), (high, high_day), (last, last_day) = min(known), max(known), known[-1]
        date = _utc_day
        text = tr("Mean mood a day, {begin} to {end}: lowest {low} on {low_day}, highest {high} on {high_day}, "
                  "last {last} on {last_day}.")  # fmt: skip
        alt = text.format(
            begin=date(mood.days[0]), end=date(mood.days[-1]), low=wording.mood(low), low_day=date(low_day),
            high=wording.mood(high), high_day=date(high_day), last=wording.mood(last), last_day=date(last_day),
        )  # fmt: skip
        floor, top = reach_of(mood)
        where = ", ".join([*self.scope.person.markets, *self.scope.person.brands])
        name = tr("Mood in {places}, four weeks").format(places=where) if where else tr("Mood, four weeks")
        note = tr("from {low} to {high}; shaded: usual; dots: outside of it")
        return {
            "name": name, "alt": alt, "begin": date(mood.days[0]), "end": date(mood.days[-1]),
            "note": note.format(low=wording.mood(floor), high=wording.mood(top)), "url": f"{self.base}/today",
        }  # fmt: skip

    def _footer(self) -> str:
        return tr("You get this because your address stands in the settings of Groundswell.")


def _utc_day(at: datetime) -> str:
    return wording.date(at, "UTC")


def _title(item: Item) -> str:
    """Return what an item is about; a standing topic by its name, without how loud it was."""
    return subject_said(item.entry)
