"""What the detector promises: it hears the new and the growing, once, and not what only looks so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from groundswell.configs.schema import Settings
from groundswell.index.open import open_store
from groundswell.index.records import Checkpoint, Enriched, Label, Membership, Mention, Sentiment, Signal
from groundswell.nlp.signals.alerts import crawl_gaps, explanation, feedback
from groundswell.nlp.signals.detect import groups, neighbours, rank, scan, terms
from groundswell.nlp.signals.detect.detect import Detection, Stream, detect
from groundswell.nlp.signals.detect.drift import drifts
from groundswell.nlp.signals.detect.features import NAMES
from groundswell.nlp.signals.detect.memory import SCALE, Memory
from groundswell.nlp.signals.stage import find_signals

BEGIN = datetime(2026, 1, 5, tzinfo=UTC)
DAYS, DAILY, WIDE = 40, 30, 48
SUBJECTS = (
    "login password code never arrives", "song stops when screen locks", "premium price too high again",
    "great app love daily mix", "offline download missing songs", "lyrics gone since update",
)  # fmt: skip
FILLERS = [
    "please",
    "really",
    "today",
    "again",
    "phone",
    "since",
    "week",
    "still",
    "always",
    "why",
    "maybe",
    "family",
    "work",
    "bus",
    "home",
]
SCAM = "fake minister video promotes tradenova deposit"
SCAM_FILLERS = [
    "mother",
    "lost",
    "savings",
    "withdraw",
    "blocked",
    "deepfake",
    "voice",
    "clip",
    "sponsored",
    "report",
    "bank",
    "sent",
    "form",
]
Story = list[tuple[float, str, int]]
"""(hour, text, subject number)"""


def told(rng: np.random.Generator, subject: str, extra: Sequence[str]) -> str:
    """Return one of many ways to say something."""
    said = [str(word) for word in rng.permutation(subject.split())[:3]]
    return " ".join([*said, *(str(word) for word in rng.choice(list(extra), 4, replace=False))])


def usual(rng: np.random.Generator, *, days: int = DAYS, daily: int = DAILY) -> Story:
    """Return a stream in which nothing happens."""
    start = BEGIN.timestamp() / 3600
    hours = np.sort(start + rng.uniform(0, days * 24, days * daily))
    numbers = rng.integers(0, len(SUBJECTS), len(hours))
    return [(float(hour), told(rng, SUBJECTS[k], FILLERS), int(k)) for hour, k in zip(hours, numbers, strict=True)]


def planted(rng: np.random.Generator, *, day: int = 30, daily: int = 8, days: int = 3) -> Story:
    """Return a new subject that many people bring up."""
    start = BEGIN.timestamp() / 3600 + day * 24
    return [
        (float(hour), told(rng, SCAM, SCAM_FILLERS), len(SUBJECTS))
        for hour in np.sort(start + rng.uniform(0, days * 24, days * daily))
    ]


def stream_of(story: Story, rng: np.random.Generator) -> Stream:
    """Return a story as a stream, with vectors that know the subject and waver as an encoder's do."""
    story = sorted(story)
    axes = np.linalg.qr(np.random.default_rng(5).normal(size=(WIDE, WIDE)))[0]
    vectors = np.stack([axes[k] + rng.normal(0, 0.16, WIDE) for _, _, k in story]).astype(np.float32)
    vectors += 2.0 * axes[-1].astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return Stream(
        ids=[f"d{k}" for k in range(len(story))],
        texts=[text for _, text, _ in story],
        hours=np.array([hour for hour, _, _ in story]),
        vectors=vectors,
        counts=np.ones(len(story), bool),
    )


def strengths(detection: Detection) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return how strong each candidate is."""
    return rank.load_ranking().strengths(detection.numbers, rank.kind_of(detection.numbers))


def subjects_of(story: Story) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return each document's subject, in the stream's order."""
    return np.array([k for _, _, k in sorted(story)])


@pytest.fixture(scope="module")
def planted_story() -> Story:
    """A stream with one new subject on day 30."""
    rng = np.random.default_rng(1)
    return usual(rng) + planted(rng)


@pytest.fixture(scope="module")
def planted_found(planted_story: Story) -> Detection:
    """What the detector finds in it."""
    return detect(stream_of(planted_story, np.random.default_rng(2)))


def test_a_new_subject_is_the_strongest_and_found_within_a_day(planted_story: Story, planted_found: Detection) -> None:
    """Eight texts a day among thirty, and the first day is not over before it is heard."""
    about = subjects_of(planted_story)
    strong = [
        (candidate, strength)
        for candidate, strength in zip(planted_found.found, strengths(planted_found), strict=True)
        if strength >= 0
    ]
    assert strong, "nothing found"
    first = strong[0][0]
    assert (about[first.documents] == len(SUBJECTS)).mean() >= 0.5
    assert first.at - (BEGIN.timestamp() / 3600 + 30 * 24) <= 24


def test_a_living_subject_is_one_subject(planted_story: Story, planted_found: Detection) -> None:
    """Whatever is heard of the new subject while it lasts goes on under one number."""
    about = subjects_of(planted_story)
    numbers = {
        candidate.subject
        for candidate, strength in zip(planted_found.found, strengths(planted_found), strict=True)
        if strength >= 0 and (about[candidate.documents] == len(SUBJECTS)).mean() >= 0.5
    }
    assert len(numbers) == 1


def test_nothing_of_the_future_changes_the_past(planted_story: Story, planted_found: Detection) -> None:
    """Cut off after the second day of the new subject, the same candidates are found up to then, to the last digit."""
    whole = stream_of(planted_story, np.random.default_rng(2))
    cut = int(np.searchsorted(whole.hours, BEGIN.timestamp() / 3600 + 32 * 24))
    part = Stream(whole.ids[:cut], whole.texts[:cut], whole.hours[:cut], whole.vectors[:cut], whole.counts[:cut])
    early = detect(part)
    last = float(np.floor(part.hours[-1]))
    before = [k for k, candidate in enumerate(planted_found.found) if candidate.at <= last]
    after = [k for k, candidate in enumerate(early.found) if candidate.at <= last]
    said = [(planted_found.found[k].at, tuple(planted_found.found[k].documents)) for k in before]
    assert said == [(early.found[k].at, tuple(early.found[k].documents)) for k in after]
    np.testing.assert_allclose(planted_found.numbers[before], early.numbers[after], rtol=1e-5, atol=1e-5)


def test_more_of_everything_is_no_subject() -> None:
    """Three times the volume for five days, the same mixture: nothing is strong enough for an alert."""
    rng = np.random.default_rng(3)
    start = BEGIN.timestamp() / 3600 + 30 * 24
    jump = [(hour, text, k) for hour, text, k in usual(rng, daily=3 * DAILY) if start <= hour < start + 120]
    found = detect(stream_of(usual(rng) + jump, rng))
    assert (strengths(found) < 0).all()


def test_a_retold_story_counts_once() -> None:
    """Fifty copies of one text, word for word or nearly so, are one document."""
    rng = np.random.default_rng(4)
    text = "fake minister video promotes tradenova, my mother lost all her savings to it last week"
    start = BEGIN.timestamp() / 3600 + 30 * 24
    copies: Story = [(start + k, text + ("!" if k % 2 else ""), len(SUBJECTS)) for k in range(50)]
    found = detect(stream_of(usual(rng) + copies, rng))
    memory = Memory()
    memory.add(stream_of(usual(np.random.default_rng(4)) + copies, np.random.default_rng(4)).batch())
    assert (~memory.use).sum() >= 49
    about = subjects_of(usual(np.random.default_rng(4)) + copies)
    assert not [c for c in found.found if (about[c.documents] == len(SUBJECTS)).sum() >= 3]


def test_undated_and_late_documents_never_make_a_spike() -> None:
    """The new subject, found by a crawl a week after it was published, does not count."""
    rng = np.random.default_rng(1)
    story = usual(rng) + planted(rng)
    stream = stream_of(story, np.random.default_rng(2))
    late = replace(stream, counts=subjects_of(story) != len(SUBJECTS))
    assert (strengths(detect(late)) < 0).all()


def test_a_stream_without_documents_or_with_one_is_quiet() -> None:
    """Nothing is no error."""
    rng = np.random.default_rng(1)
    assert detect(stream_of(usual(rng)[:1], rng)).found == []


def test_the_tail_is_that_of_a_negative_binomial() -> None:
    """Against scipy's own distribution."""
    from scipy import stats

    observed, mean, size = np.array([3.0, 9.0, 30.0]), np.array([1.0, 2.0, 12.0]), np.array([2.0, 5.0, 8.0])
    expected = -np.log10(stats.nbinom.sf(observed - 1, size, size / (size + mean)))
    np.testing.assert_allclose(scan.tail(observed, mean, size), expected, rtol=1e-9)


def test_a_stem_gathers_words_that_contain_it() -> None:
    """Di-tipu and pe-nipu-an are about being cheated; only what people use by itself is a stem."""
    words = ["saya", "ditipu", "kena", "tipu", "tipuan", "seller"]
    assert groups.stems(words, ["ditipu"], frozenset({"tipu"})) == {"tipu": [1, 3, 4]}
    assert groups.stems(words, ["seller"], frozenset({"tipu"})) == {}


def test_words_of_unspaced_scripts_are_pairs() -> None:
    """Chinese and Thai are read without spaces; addresses are not read at all."""
    assert terms.pieces("广告太多 https://x.example/太多") == ["广告", "告太", "太多"]
    assert terms.pieces("看 https://x.example/a退款") == ["看", "退款"]
    assert "โฆ" in terms.pieces("โฆษณา")


def test_weights_know_only_earlier_days() -> None:
    """A word that becomes common tomorrow is still rare today."""
    rng = np.random.default_rng(3)
    whole = stream_of(usual(rng, days=6, daily=10), rng).batch()
    early, late = Memory(), Memory()
    early.add(whole.part(0, 20))
    late.add(whole)
    assert early.weights.tolist() == late.weights[: len(early.weights)].tolist()
    assert early.vectors.tolist() == late.vectors[:20].tolist()


# --- what else could explain it


def mention(id: str, at: datetime, *, source: str = "a", fetched: datetime | None = None) -> Mention:
    """Return a mention published at `at`."""
    return Mention(
        id=id, source=source, kind="post", text=f"text {id}", published_at=at, date_confidence="exact",
        fetched_at=fetched or at + timedelta(minutes=5),
    )  # fmt: skip


def test_history_that_a_first_visit_brings_counts_and_late_finds_do_not() -> None:
    """Sixty days of history at the first visit are history; a text found a week late at the tenth is not news."""
    first = BEGIN + timedelta(days=60)
    history = mention("h", BEGIN, fetched=first)
    live = mention("l", first + timedelta(days=3))
    late = mention("s", first + timedelta(days=1), fetched=first + timedelta(days=9))
    undated = replace(live, id="u", date_confidence="none")
    known = [crawl_gaps.known_at(each, first) for each in (history, live, late, undated)]
    assert known == [BEGIN, live.fetched_at, None, None]


def test_a_source_that_is_new_or_comes_back_is_said_so() -> None:
    """A jump made of a source added yesterday, or back after days of silence, is explained."""
    old = [24.0 * k / 6 for k in range(180)]
    gap = [hour for hour in old if not 480 <= hour < 600]
    hours = np.array(sorted([*old, *gap, 700.0, 701.0]))
    sources = ["old" if k % 2 else "gappy" for k in range(len(hours))]
    rows = sorted([(hour, "old") for hour in old] + [(hour, "gappy") for hour in gap] + [(700.0, "young")])
    sources, hours = [source for _, source in rows], np.array([hour for hour, _ in rows])
    seen = crawl_gaps.silences(sources, hours)
    assert "source added" in seen.explanation(["young"] * 4, 705.0)
    assert "crawl gap" in seen.explanation(["gappy"] * 4, 603.0)
    assert seen.explanation(["old"] * 4, 603.0) == ""


# --- mood and reach


def test_a_theme_that_sours_is_heard_and_one_that_wavers_is_not() -> None:
    """Mood falls from +.4 to −.4 in the last three days of one theme; the other stays as it was."""
    rng = np.random.default_rng(6)
    hours = np.sort(rng.uniform(0, 40 * 24, 800))
    themes = ["turns" if k % 2 else "stays" for k in range(800)]
    falls = (hours > 37 * 24) & (np.array(themes) == "turns")
    moods = np.clip(np.where(falls, -0.4, 0.4) + rng.normal(0, 0.3, 800), -1, 1)
    places = [["source:a", "lang:en"]] * 800
    told = drifts(np.array(themes), hours, moods.astype(np.float32), places.__getitem__, since=0.0, until=40 * 24.0)
    found = [d for d in told if d.strength >= 0]
    assert {(d.theme, d.kind) for d in found} == {("turns", "sour")}
    assert all(d.at > 37 * 24 for d in found)


def test_a_theme_that_reaches_new_places_is_heard() -> None:
    """Four markets that the theme never had, within three days."""
    hours = np.sort(np.random.default_rng(7).uniform(0, 40 * 24, 400))
    places = [[f"market:{'SG' if hour < 38 * 24 else ('TH', 'VN', 'ID', 'MY')[k % 4]}"] for k, hour in enumerate(hours)]
    moods = np.zeros(400, np.float32)
    found = list(drifts(np.array(["t"] * 400), hours, moods, places.__getitem__, since=0.0, until=40 * 24.0))
    assert any(d.kind == "spread" and d.strength >= 0 and len(d.places) == 4 for d in found)


# --- why


def test_terms_that_set_apart_are_those_of_the_new_subject(planted_story: Story) -> None:
    """Not the words that everybody always uses."""
    about = subjects_of(planted_story)
    mine = np.flatnonzero(about == len(SUBJECTS))
    texts = [text.split() for _, text, _ in sorted(planted_story)]
    terms = explanation.distinguishing([texts[k] for k in mine], texts[: int(mine[0])])
    assert terms
    known = {*SCAM.split(), *SCAM_FILLERS}
    assert all(part in known for term in terms for part in term.split())


def test_no_word_that_says_nothing_by_itself_sets_an_alert_apart() -> None:
    """The word "never" is told only with what never happened."""
    here = [["never", "never arrived", "already", "parcel", "ไม่", "ไม่ ส่ง", f"w{k}"] for k in range(6)]
    before = [["never", "song", f"v{k}"] for k in range(40)]
    terms = explanation.distinguishing(here, before)
    assert {"never arrived", "parcel", "ไม่ ส่ง"} == set(terms)


SURGE: dict[str, Any] = {
    "kind": "surge", "title": "couriers", "observed": 42, "expected": 13.2, "hours": 24, "terms": (),
    "voices": explanation.Voices(42, 42, 40), "places": [("ID", 42)], "carries": None,
}  # fmt: skip


def test_the_sentence_says_what_a_manager_needs() -> None:
    """How many, about what, by how many people, where, in how long, what would be usual, and what was counted."""
    said = explanation.sentence(
        kind="new", title="TradeNova", observed=9, expected=0.2, hours=13, terms=["deepfake"],
        voices=explanation.Voices(9, 8, 7), places=[("SG", 4), ("MY", 2)],
        carries=explanation.RiskCount("scam_investment", 3, 9, 0.41),
    )  # fmt: skip
    assert said == (
        "TradeNova: new, 9 documents by at least 7 authors in 13 hours, where one in 3 days would be usual; by market: "
        "SG 4, MY 2, not named 3; what sets them apart: deepfake; 3 of 9 labelled scam investment (mean weight 0.41)."
    )


def test_the_sentence_about_a_standing_topic_or_a_titled_theme_reads_well() -> None:
    """The subject first, as a name, without what a list adds to it; a multiple is that of the two counts."""
    assert explanation.sentence(**SURGE) == (
        "Couriers: 3.2 times the usual, 42 documents by 40 authors in 24 hours in ID, where about 13.2 would be usual."
    )
    sour = explanation.sentence(**{**SURGE, "kind": "sour", "title": "Too many ads · complaints"}, mood=(0.1, -0.4))
    assert sour == "Too many ads: the mood fell from +0.10 to -0.40 over 24 hours, 42 documents in ID."


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"places": [("A", 20), ("B", 9), ("C", 5), ("D", 4), ("E", 3), ("F", 1)]},
         "by market: A 20, B 9, C 5, D 4, 2 more markets 4."),
        ({"expected": 0.3}, "Couriers: more than usual, 42 documents by 40 authors in 24 hours in ID, where one in"),
        ({"voices": explanation.Voices(42, 42, 1)}, "42 documents by one author in"),
        ({"voices": explanation.Voices(42)}, "42 documents in 24 hours"),
        ({"carries": explanation.RiskCount("scam_jobs", 0, 42, 0.3)},
         "; none of 42 labelled scam jobs, together they point to it (mean weight 0.30)."),
        ({"kind": "spread", "observed": 3, "expected": 0.42, "terms": ["kind:comment", "lang:zh", "market:SG"]},
         "spreading, 3 new sources, languages, markets or kinds of source in 24 hours, where 0.4 would be usual: "
         "kind comment, language zh, market SG."),
    ],
)  # fmt: skip
def test_a_sentence_is_no_stronger_than_its_counts(change: dict[str, Any], said: str) -> None:
    """No place is left out unsaid, no multiple of hardly anything, no "most" for a few, a kind is called a kind."""
    assert said in explanation.sentence(**{**SURGE, **change})


# --- the ranking


def test_the_ranking_reads_without_pickle_and_knows_its_features() -> None:
    """The file that ships fits the features that are computed."""
    ranking = rank.load_ranking()
    assert tuple(ranking.card["features"]) == NAMES
    assert set(ranking.trees) == {*rank.KINDS, rank.STANDING}


def test_strength_grows_with_score() -> None:
    """Calibration never turns an order round."""
    ranking = rank.load_ranking()
    for kind in rank.KINDS:
        placed = ranking.place(kind, np.linspace(-10, 10, 200))
        assert (np.diff(placed) >= 0).all()


def test_a_damaged_ranking_is_named(tmp_path: Path) -> None:
    """The message says which file, and what to do."""
    broken = tmp_path / "ranking.npz"
    broken.write_bytes(b"nonsense")
    with pytest.raises(rank.RankingError, match=r"ranking\.npz.*install Groundswell again"):
        rank.load_ranking(broken)


def test_near_is_symmetric_and_bounded_in_time() -> None:
    """A pair is a pair from both sides while both may be centres; what lies further back than needed is left out."""
    rng = np.random.default_rng(8)
    batch = stream_of(usual(rng, days=60, daily=6), rng).batch()
    memory = Memory()
    memory.add(batch)
    centres, near = memory.balls(-np.inf, neighbours.FRESH, 0, 0.0)
    for row in range(0, len(centres), 37):
        apart = memory.hours[near.of(row)] - memory.hours[centres[row]]
        assert (apart <= neighbours.FRESH).all()
        assert (apart >= -neighbours.REACH).all()
        assert centres[row] in near.of(row)
        for other in near.of(row):
            if abs(memory.hours[other] - memory.hours[centres[row]]) <= neighbours.FRESH:
                assert centres[row] in near.of(int(other))


# --- the stage, on a real store


def fill(settings: Settings, story: Story) -> None:
    """Put a story into the store as a crawl and the earlier stages would have."""
    rng = np.random.default_rng(9)
    stream = stream_of(story, rng)
    about = subjects_of(story)
    fetched = BEGIN + timedelta(days=DAYS)
    calm = Sentiment(label="neutral", negative=0.2, neutral=0.6, positive=0.2)
    records: list[Mention | Enriched | Membership] = []
    for k, one in enumerate(stream.ids):
        published = datetime.fromtimestamp(stream.hours[k] * 3600, UTC)
        records.append(
            Mention(
                id=one,
                source="reviews",
                kind="review",
                text=stream.texts[k],
                published_at=published,
                market="SG",
                fetched_at=fetched,
                date_confidence="exact",
                author_key=f"author{k}",
                lang="en",
            )
        )
        risks = {"scam_investment": 0.9} if about[k] == len(SUBJECTS) else {}
        records.append(
            Enriched(
                id=one,
                lang="en",
                sentiment=calm,
                made_by="test",
                risks=risks,
                vector=stream.vectors[k],
                duplicate_of=one,
            )
        )
        records.append(Membership(id=one, theme=f"theme{about[k]}", confidence=1.0, at=published))
    with open_store(settings) as store:
        mentions = [record for record in records if isinstance(record, Mention)]
        store.put(mentions)
        store.put([record for record in records if not isinstance(record, Mention)])


def test_a_first_run_over_old_documents_alerts_as_if_live_and_a_second_adds_nothing(
    tmp_path: Path, planted_story: Story
) -> None:
    """The alert carries the hour at which it would have come; run again, the store stays as it is."""
    settings = Settings(data_dir=tmp_path)
    fill(settings, planted_story)
    now = BEGIN + timedelta(days=DAYS)
    with open_store(settings) as store:
        found = find_signals(store, settings, now=now)
        again = find_signals(store, settings, now=now)
        kept = store.recent(Signal, limit=10_000)
    alerts = [signal for signal in found if signal.fired]
    assert [alert.theme for alert in alerts] == [f"theme{len(SUBJECTS)}"]
    alert = alerts[0]
    assert timedelta() < alert.at - (BEGIN + timedelta(days=30)) <= timedelta(hours=36)
    assert alert.risk == "scam_investment"
    assert alert.severity in {"medium", "high", "critical"}
    assert alert.authors == len(alert.evidence)
    assert alert.terms
    assert alert.tell_at == alert.at
    assert again == []
    assert len(kept) == len(found)


def test_judgements_move_strengths_only_once_accepted(tmp_path: Path) -> None:
    """Ten surges called false: the proposal shows what would change; accepted, a surge weighs less than before."""
    settings = Settings(data_dir=tmp_path)
    signals = [
        Signal(
            id=f"s{k}",
            theme="",
            kind="surge" if k % 2 else "new",
            at=BEGIN + timedelta(days=k),
            start=BEGIN,
            end=BEGIN,
            observed=9,
            expected=1,
            strength=0.3,
            severity="low",
            evidence=("a", "b", "c", "d"),
            why="",
            fired=True,
        )
        for k in range(20)
    ]
    labels = [
        Label(id=f"l{k}", subject=f"s{k}", field="disposition", value="false" if k % 2 else "confirmed", annotator="me",
              at=BEGIN)
        for k in range(20)
    ]  # fmt: skip
    with open_store(settings) as store:
        store.put([*signals, *labels])
        proposal = feedback.propose(store, threshold=0.0)
        assert proposal is not None
        assert feedback.adjust(signals[1], feedback.current(store)).strength == 0.3
        assert {change.signal for change in proposal.changes} <= {f"s{k}" for k in range(1, 20, 2)}
        assert proposal.right_then * proposal.judged >= proposal.right * proposal.kept
        feedback.accept(store, proposal.taught, by="me", now=BEGIN)
        assert feedback.adjust(signals[1], feedback.current(store)).strength < 0.3
        assert feedback.adjust(signals[0], feedback.current(store)).strength > 0.3
        feedback.forget(store)
        assert store.get(Checkpoint, feedback.MARK) is None


def test_words_for_one_thing_swell_together() -> None:
    """Words that keep the same company form a family; of too few documents none is drawn."""
    rng = np.random.default_rng(4)
    said = ["refund", "rebate", "lyrics", "offline", "battery", "premium", "screen", "voice", "radio", "volume"]
    meaning = rng.normal(size=(len(said), WIDE)).astype(np.float32)
    about = rng.integers(0, len(said), 900)
    texts = [f"{said[k]} item{n}" for n, k in enumerate(about)]
    home = np.where(about == 1, 0, about)
    vectors = meaning[home] + 0.3 * rng.normal(size=(900, WIDE)).astype(np.float32)
    has, vocabulary = terms.index_terms(texts)
    whole = np.rint(vectors / np.linalg.norm(vectors, axis=1, keepdims=True) * SCALE)
    words = np.array([k for k, term in enumerate(vocabulary) if " " not in term])
    families = groups.families_of(has[:, words], whole.astype(np.float32), SCALE)
    assert {"refund", "rebate"} in [{vocabulary[words[k]] for k in family} for family in families]
    assert groups.families_of(has[:299, words], whole[:299].astype(np.float32), SCALE) == []


def test_a_fading_subject_swells_against_what_it_is_now() -> None:
    """Two weeks of quiet after three busy ones: the short past sees the swelling that the long one explains away."""
    busy, quiet, now = np.arange(0, 500, 2.0), np.arange(500, 840, 24.0), np.arange(850, 872, 2.0)
    own = np.concatenate([busy, quiet, now])
    hours = np.sort(np.concatenate([own, np.arange(0.5, 872, 0.5)]))
    members = np.flatnonzero(np.isin(hours, own)).astype(np.int32)
    rows = neighbours.Rows(np.array([0, len(members)]), members, np.ones(len(members), np.float32))
    use, first, last = np.ones(len(hours), bool), np.array([-np.inf]), np.array([np.inf])

    def best(*baselines: scan.Baseline) -> float:
        clock = scan.GroupCounts(scan.Places(rows, hours), use, np.ones(len(hours), np.float32))
        found = scan.look(clock, first, last, least=0.0, windows=(24.0,), baselines=baselines)
        return float(found.score[found.at > 850].max())

    assert best(scan.SHORT) > best(scan.LONG) + 1
    assert best(scan.LONG, scan.SHORT) == best(scan.SHORT)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("sampled", [False, True])
def test_what_is_left_out_as_usual_would_not_have_stood_out(seed: int, *, sampled: bool) -> None:
    """Of groups that their whole days show to be as usual, no test is lost, of samples neither."""
    chance = np.random.default_rng(seed)
    hours = np.sort(chance.uniform(24 * 400, 24 * 445, 3000))
    stands = np.where(hours < 24 * 430, 3.0, 1.0).astype(np.float32) if sampled else np.ones(3000, np.float32)
    swells = np.where(np.arange(60) < 15, np.where(hours[:, None] > 24 * 443, 1.0, 0.05), 1.0)
    rates = chance.uniform(0.02, 0.3, 60) * swells
    members = [np.flatnonzero(chance.random(3000) < rate) for rate in rates.T]
    use, since = chance.random(3000) < 0.9, 24.0 * 444
    first, last = np.full(60, since), np.full(60, since + 23)
    counts = [np.histogram(hours[m][use[m]], np.arange(400, 446) * 24.0, weights=stands[m][use[m]])[0] for m in members]
    daily = scan.Daily(np.array(counts, np.float32), 400, certain=not sampled)
    whole, lately = (
        scan.GroupCounts(scan.Places(groups.from_members(each), hours), use, stands)
        for each in (members, [m[hours[m] >= since - 72] for m in members])
    )
    for least in (1.5, 3.0):
        may = scan.hopeful(lately, daily, first, last, least, (scan.LONG, scan.SHORT))
        found = scan.look(whole, first, last, least=least, baselines=(scan.LONG, scan.SHORT))
        assert len(found)
        assert may[found.group].all()
        assert not may.all()
