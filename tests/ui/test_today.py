"""The first page says what changed, and no more than is known."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from groundswell.configs.schema import Settings
from groundswell.index.open import open_reader, open_store
from groundswell.index.query import Query
from groundswell.index.records import Mention, Signal, Theme
from groundswell.ui.desk import Desk
from groundswell.ui.report.today import Today, held, lead, look, period_begin
from groundswell.ui.report.trends import concern
from tests.ui.seed import World, signal_id, theme_id


def _look(world: World) -> Today:
    with world.reader() as reader:
        return look(reader, world.settings, now=world.now)


@pytest.fixture(scope="module")
def today(seeded: World) -> Today:
    """Return the first page of the seeded world."""
    return _look(seeded)


def test_alerts_wait_gravest_first(today: Today) -> None:
    """Held signals are not among them."""
    assert [card.severity for card in today.cards if card.entry.phase != "over"] == [
        "critical",
        "high",
        "medium",
        "low",
    ]
    assert today.cards[0].title == "Minister's face in trading-app ads"
    assert {code for code, _ in today.cards[0].markets} == {"SG", "MY"}


def test_the_numbers_are_those_of_the_documents_behind_them(today: Today, seeded: World) -> None:
    """What stands on top is what the search behind it finds."""
    with seeded.reader() as reader:
        found = reader.search(Query(since=today.since, until=today.now, trusted_dates=True))
        cell = ("impersonation_deepfake", "SG")
        behind = Query(
            since=today.now - timedelta(days=1), until=today.now, trusted_dates=True, collapse=True,
            where={"risk": (cell[0],), "market": (cell[1],)},
        )  # fmt: skip
        grown = [(card, Query(since=card.episode.alert.start, until=today.now, where={"theme": (card.episode.theme,)}))
                 for card in today.cards if card.episode.theme]  # fmt: skip
        assert [card.grown for card, _ in grown] == [reader.search(query).total for _, query in grown]
        assert today.posts == found.total
        assert today.heat.counts[cell] == reader.search(behind).total > 0


def test_the_lead_says_the_gravest(today: Today) -> None:
    """One sentence stands out, the next says what, how many and where, and no place is left out without its count."""
    first, rest = lead(today)
    assert first == "Four alerts wait."
    card = today.cards[0]
    said = re.match(r"The gravest is (\w+): Minister's face in trading-app ads, (\d+) documents: ([^.]+)\.", rest)
    assert said, rest
    assert said[1] == card.entry.phase
    counts = [int(count) for count in re.findall(r"\d+(?= in | elsewhere)", said[3])]
    assert sum(counts) == int(said[2]) == card.grown


def test_calm_is_said_only_of_what_was_looked_at(today: Today, world: World) -> None:
    """Never looked: that is said; looked at an hour ago or long ago: up to when; nobody says "normal"."""
    nothing = replace(today.inbox, entries=())
    for upto, said in (
        (None, "Signals have not been looked for yet"),
        (today.now - timedelta(hours=1), "Signals were looked for up to"),
        (today.now - timedelta(hours=5), "5\N{NO-BREAK SPACE}h ago; nothing newer is judged yet"),
    ):
        first, rest = lead(replace(today, cards=(), inbox=replace(nothing, upto=upto)))
        assert first == "No alert waits."
        assert said in rest
        assert "normal" not in rest


def test_what_was_held_back_is_counted(today: Today) -> None:
    """The one held signal of the last week; an older one does not count."""
    assert held(today) == "1 weaker signal of the last 7 days was held back"
    assert held(replace(today, inbox=replace(today.inbox, held=()))) == ""


def test_an_older_hour_is_told_as_it_was(world: World) -> None:
    """Asked afterwards of an hour with a critical alert, the page still has it, whatever was decided since."""
    with world.store() as store:
        Desk(store).dismiss([signal_id("deepfake")], reason="false alarm", by="mei", now=world.now)
    assert theme_id("deepfake") not in _waiting(_look(world))
    with world.reader() as reader:
        before = look(reader, world.settings, now=world.now - timedelta(hours=4))
    assert before.cards[0].severity == "critical"
    assert theme_id("deepfake") in _waiting(before)


def test_the_blind_days_are_known(today: Today) -> None:
    """Five sources failed together for three days; the chart hatches these days."""
    blind = [i for i, names in enumerate(today.unseen) if names]
    assert len(blind) in {2, 3, 4}
    assert {"app_reviews_id", "mastodon_ads", "zh_weekly"} <= set(today.unseen[blind[1]])


def test_the_risk_that_grew_tops_the_map(today: Today) -> None:
    """It departs by several deviations where it grew, and nowhere else."""
    assert today.heat.risks[0] == "impersonation_deepfake"
    assert today.heat.departures["impersonation_deepfake", "SG"] > 2
    assert today.heat.markets[:2] == ("SG", "MY")


def test_the_theme_that_grew_moves_most(today: Today) -> None:
    """Movers begin with what changed most, either way."""
    assert "Minister's face in trading-app ads" in [mover.theme.label for mover in today.movers[:2]]


def test_mere_praise_comes_last_and_stays_reachable(world: World) -> None:
    """A praise theme that grew a lot stands behind every other; on the page and among the alerts."""
    with world.store() as store:
        theme = store.get(Theme, theme_id("sneakers"))
        assert theme is not None
        store.put([replace(theme, feeling="praise", risk="")])
    shown = _look(world)
    going = [card.severity for card in shown.cards if card.entry.phase != "over"]
    assert going == ["critical", "medium", "low", "high"]
    assert [mover.theme.id for mover in shown.movers if mover.theme.feeling] in ([], [shown.movers[-1].theme.id])


def test_risk_and_bad_mood_go_before_mere_change() -> None:
    """Of two themes that grew alike, the one with a risk and a bad mood comes first; a decline counts for less."""
    grown = concern(10, 30, 0.0)
    assert concern(10, 30, -0.7, risky=True) > concern(10, 30, -0.7) > grown > concern(10, 30, 0.8)
    assert grown > concern(30, 10, 0.0)


def _topic(world: World, name: str, observed: float, hours: int) -> Signal:
    """Return an alert about a standing topic: no theme, a title that is a topic's name."""
    at = world.now - timedelta(hours=hours)
    with world.reader() as reader:
        found = reader.search(Query(since=at - timedelta(days=2), until=at, where={"market": ("ID",)}, limit=30)).hits
    return Signal(
        id=f"{name}{hours}", theme="", kind="surge", at=at, start=at - timedelta(days=2), end=at, observed=observed,
        expected=13.2, strength=9.0, severity="high", evidence=tuple(hit.document.id for hit in found),
        why="Couriers: 3.2 times the usual, 42 documents by 40 people in 24 hours.", title=name, fired=True,
        standing=True, statistic=5.2, subject="topic-couriers",
    )  # fmt: skip


def test_a_standing_topic_reads_well_on_its_card(world: World) -> None:
    """One card for a topic, which says how loud it is; its facts are those of its own documents."""
    alert = _topic(world, "couriers", 42, 2)
    with world.store() as store:
        store.put(
            [alert, replace(_topic(world, "couriers", 20, 1), fired=False, held_by="follow-up", follows=alert.id)]
        )
    shown = _look(world)
    cards = [card for card in shown.cards if not card.signal.theme]
    assert [card.title for card in cards] == ["Couriers: 3.2 times the usual"]
    assert cards[0].why == "42 documents by 40 people in 24 hours."
    assert [code for code, _ in cards[0].markets] == ["ID"]
    assert sum(value or 0 for value in cards[0].series.values) == cards[0].grown >= len(set(alert.evidence))
    with world.store() as store:
        assert Desk(store).open_case(alert.id, by="mei", now=world.now).title == "Couriers: 3.2 times the usual"


@pytest.mark.parametrize("judgement", ["false", "duplicate"])
def test_a_judged_alert_waits_no_longer(world: World, judgement: str) -> None:
    """A false alarm and a duplicate leave the page."""
    with world.store() as store:
        Desk(store).judge(signal_id("deepfake"), judgement, by="mei", now=world.now)  # type: ignore[arg-type]  # one of them
    assert theme_id("deepfake") not in {card.episode.theme for card in _look(world).cards}


def test_a_confirmed_alert_stays_and_says_by_whom(world: World) -> None:
    """Confirming is no reason to look away."""
    with world.store() as store:
        Desk(store).judge(signal_id("deepfake"), "confirmed", by="mei", now=world.now)
    card = next(card for card in _look(world).cards if card.episode.theme == theme_id("deepfake"))
    assert card.confirmed_by == "mei"


def _waiting(today: Today) -> set[str]:
    return {entry.episode.theme for entry in today.inbox.having("waiting")}


def test_an_alert_of_the_same_theme_joins_its_episode(world: World) -> None:
    """One event, one card: what follows makes it graver and larger, and stands in the case that it has."""
    with world.store() as store:
        case = Desk(store).open_case(signal_id("sneakers"), by="mei", now=world.now)
        alert = store.get(Signal, signal_id("sneakers"))
        assert alert is not None
        later = world.now - timedelta(hours=1)
        store.put([replace(alert, id="next", at=later, follows=alert.id, severity="critical")])
    cards = [card for card in _look(world).cards if card.episode.theme == theme_id("sneakers")]
    assert [card.entry.id for card in cards] == [alert.id]
    assert cards[0].severity == "critical"
    assert cards[0].case is not None
    assert cards[0].case.id == case.id


def test_an_empty_store_says_how_to_begin(empty: World) -> None:
    """Nothing crawled is said as such, not as calm."""
    assert lead(_look(empty)) == (
        "Nothing has been crawled yet.",
        "Run groundswell run, and come back in a few minutes.",
    )


def test_a_short_history_is_not_called_normal(tmp_path: Path) -> None:
    """With five days of posts nobody knows what is usual."""
    now = datetime(2026, 11, 22, 12, tzinfo=UTC)
    settings = Settings(data_dir=tmp_path)
    posts = [
        Mention(
            id=f"m{day}", source="s", kind="post", text=f"text {day}", fetched_at=now,
            published_at=now - timedelta(days=day, hours=1), date_confidence="exact",
        )
        for day in range(5)
    ]  # fmt: skip
    with open_store(settings) as store:
        store.put(posts)
    with open_reader(settings) as reader:
        _, rest = lead(look(reader, settings, now=now))
    assert "too few to know what is usual" in rest


def test_an_archive_is_shown_as_of_its_last_day(tmp_path: Path) -> None:
    """Reviews of 2024 are looked at from the end of 2024."""
    last = datetime(2024, 12, 31, 9, tzinfo=UTC)
    settings = Settings(data_dir=tmp_path)
    post = Mention(
        id="m", source="s", kind="review", text="text", fetched_at=last, published_at=last, date_confidence="exact"
    )
    with open_store(settings) as store:
        store.put([post])
    with open_reader(settings) as reader:
        assert look(reader, settings, now=datetime(2026, 11, 22, tzinfo=UTC)).now == last + timedelta(minutes=1)


def test_the_day_being_told_has_at_least_six_hours() -> None:
    """At 08:40 the day began yesterday; at 15:00 it began this morning."""
    morning = datetime(2026, 11, 22, 0, 40, tzinfo=UTC)
    assert period_begin(morning, "Asia/Singapore", 8) == datetime(2026, 11, 21, tzinfo=UTC)
    assert period_begin(morning + timedelta(hours=7), "Asia/Singapore", 8) == datetime(2026, 11, 22, tzinfo=UTC)
