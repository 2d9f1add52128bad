"""What the watch promises: however a stream comes, the same is found; what is lost is made again."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from groundswell.configs.schema import Settings
from groundswell.configs.topics import load_topics
from groundswell.index.open import open_store
from groundswell.index.query import Query
from groundswell.index.records import Checkpoint, Enriched, Membership, Mention, Record, Sentiment, Signal
from groundswell.index.store import Store
from groundswell.nlp.signals import state
from groundswell.nlp.signals.detect import detect, groups, memory
from groundswell.nlp.signals.detect.candidates import Candidate
from groundswell.nlp.signals.detect.detect import Watch
from groundswell.nlp.signals.detect.memory import Batch
from groundswell.nlp.signals.detect.neighbours import DAY, NEAREST
from groundswell.nlp.signals.detect.scopes import Scope
from groundswell.nlp.signals.detect.topics import TopicSurge
from groundswell.nlp.signals.stage import FOLDER, MARK, find_signals, look_within_hour
from tests.nlp.test_signals import BEGIN, SUBJECTS, Story, planted, stream_of, usual

pytestmark = pytest.mark.slow
DAYS = 33
END = BEGIN + timedelta(days=DAYS)
PLACES = (("SG", "post"), ("MY", "post"), ("SG", "review"))
TOPICS = load_topics()
Told = list[tuple[str, Scope, float, list[str], list[float]]]


@pytest.fixture(scope="module")
def story() -> Story:
    """A stream in two markets with one new subject on day 30."""
    rng = np.random.default_rng(1)
    return usual(rng, days=DAYS, daily=24) + planted(rng)


@pytest.fixture(scope="module")
def batch(story: Story) -> Batch:
    """The stream as a watch hears it."""
    heard = stream_of(story, np.random.default_rng(2)).batch()
    return replace(heard, places=[PLACES[k % 3] for k in range(len(heard))])


def told(watch: Watch, batch: Batch, until: float) -> Told:
    """Let a watch hear what it has not heard yet; return all that it says, to the last digit."""
    low, high = np.searchsorted(batch.hours, [watch.upto, until])
    said: Told = []
    for found in watch.go_on(batch.part(int(low), int(high)), until):
        both: list[tuple[Candidate | TopicSurge, np.ndarray[tuple[int], np.dtype[np.float64]]]] = [
            *zip(found.found, found.numbers, strict=True),
            *zip(found.swells, found.swell_numbers, strict=True),
        ]
        said += [
            (type(thing).__name__, found.scope, thing.at, watch.memory.ids[thing.documents].tolist(), row.tolist())
            for thing, row in both
        ]
    return said


@pytest.mark.parametrize("seed", [0, 1])
def test_however_a_stream_is_cut_the_same_is_found(batch: Batch, seed: int, tmp_path: Path) -> None:
    """At once, or in pieces at random hours with the state written and read between: scopes, evidence and numbers."""
    end = float(np.floor(batch.hours[-1])) + 1
    at_once = told(Watch(topics=TOPICS), batch, end)
    assert {said[0] for said in at_once} == {"Candidate", "TopicSurge"}
    assert len({said[1] for said in at_once}) > 1
    rng = np.random.default_rng(seed)
    watch, pieces = Watch(topics=TOPICS), []
    for cut in [*np.unique(np.floor(rng.uniform(batch.hours[0] + 1, end - 1, 6))).tolist(), end]:
        pieces += told(watch, batch, cut)
        name = state.save(tmp_path, watch, {})
        watch = Watch(topics=TOPICS)
        assert state.load(tmp_path, name, watch) == {}
    assert sorted(map(repr, pieces)) == sorted(map(repr, at_once))


@pytest.fixture
def dense(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let what is an ordinary stream count as one of very many documents a day, with very many pairs."""
    for where in (memory, detect):
        monkeypatch.setattr(where, "MOST_A_DAY", 12)
    monkeypatch.setattr(memory, "MOST_NEAR", 400)


@pytest.mark.usefixtures("dense")
def test_of_a_dense_past_a_sample_stays_however_the_stream_is_cut(batch: Batch, tmp_path: Path) -> None:
    """What is remembered of settled days is bounded, stands for all, and gives the same whatever the turns."""
    end = float(np.floor(batch.hours[-1])) + 1
    whole = Watch(topics=TOPICS)
    at_once = told(whole, batch, end)
    days, counts = np.unique(whole.memory.hours // DAY, return_counts=True)
    settled = days * DAY < end - memory.SETTLED - 2 * DAY
    assert counts[settled].max() <= 12 < counts[~settled].max()
    begun = batch.hours // DAY
    assert whole.memory.stands.sum() == pytest.approx(len(batch), rel=0.01)
    assert (np.unique(begun) == days).all()
    assert whole.memory.least > NEAREST
    watch, pieces = Watch(topics=TOPICS), []
    for cut in [*np.floor(np.linspace(batch.hours[0] + 50, end - 5, 9)).tolist(), end]:
        pieces += told(watch, batch, cut)
        name = state.save(tmp_path, watch, {})
        watch = Watch(topics=TOPICS)
        state.load(tmp_path, name, watch)
    assert sorted(map(repr, pieces)) == sorted(map(repr, at_once))
    assert any(said[4][0] > 0 for said in at_once)


def test_the_broadest_families_go_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """While all together hold too many documents; the others stay in their order."""
    families, counts = [np.array([0, 1]), np.array([2, 3]), np.array([1, 2])], np.array([50, 1, 2, 3])
    assert len(groups.narrow(families, counts, groups.MANY)) == 3
    monkeypatch.setattr(groups, "MOST_HELD", 8)
    assert len(groups.narrow(families, counts, groups.MANY - 1)) == 3
    assert [family.tolist() for family in groups.narrow(families, counts, groups.MANY)] == [[2, 3], [1, 2]]


def test_a_sample_keeps_what_is_small_whole() -> None:
    """Of a market with few documents all stay; of the others those with the lowest keys, each standing for several."""
    kinds, keys = np.array([0] * 50 + [1] * 3 + [2] * 20), np.arange(73, dtype=np.uint64)[::-1]
    stays, stands = memory.sample(keys, kinds, 23)
    assert [int(stays[kinds == k].sum()) for k in range(3)] == [10, 3, 10]
    assert stays[40:50].all()
    assert [float(stands[stays & (kinds == k)].sum()) for k in range(3)] == [50, 3, 20]


def test_turned_back_the_watch_says_what_it_would_have_said(batch: Batch) -> None:
    """As if what came later had never been heard; further back than it remembers, it begins anew."""
    end = float(np.floor(batch.hours[-1])) + 1
    watch = Watch(topics=TOPICS)
    whole = told(watch, batch, end)
    back = watch.back_to(end - 30)
    assert end - 30 - 24 < back <= end - 30
    again = told(watch, batch, end)
    assert again
    assert sorted(map(repr, again)) == sorted(repr(said) for said in whole if said[2] > back)
    assert watch.back_to(end - 200) == -np.inf
    assert len(told(watch, batch, end)) == len(whole)


# --- the stage, on a real store

Parts = tuple[Mention, Enriched, Membership]


def records(story: Story) -> list[Parts]:
    """Return the story's documents as a crawl and the earlier stages would have left them, in order of time."""
    stream, about = stream_of(story, np.random.default_rng(9)), [k for _, _, k in sorted(story)]
    made: list[Parts] = []
    for k, one in enumerate(stream.ids):
        at = datetime.fromtimestamp(stream.hours[k] * 3600, UTC)
        risks = {"scam_investment": 0.9} if about[k] == len(SUBJECTS) else {}
        mention = Mention(
            id=one, source="reviews", kind="review", text=stream.texts[k], published_at=at, fetched_at=at,
            market="SG", date_confidence="exact", author_key=f"author{k}", lang="en",
        )  # fmt: skip
        enriched = Enriched(
            id=one, lang="en", sentiment=state_of(k), made_by="test", risks=risks, vector=stream.vectors[k],
            duplicate_of=one,
        )  # fmt: skip
        made.append((mention, enriched, Membership(id=one, theme=f"theme{about[k]}", confidence=1.0, at=at)))
    return made


def state_of(k: int) -> Sentiment:
    """Return a feeling that differs from document to document."""
    negative = 0.2 + 0.001 * (k % 97)
    return Sentiment(label="neutral", negative=negative, neutral=0.8 - negative, positive=0.2)


def published(document: Parts) -> datetime:
    """Return when a document was published."""
    at = document[0].published_at
    assert at is not None
    return at


def put(store: Store, documents: list[Parts]) -> None:
    """Write documents."""
    everything: list[Record] = [part for document in documents for part in document]
    store.put(everything)


def said(store: Store) -> list[tuple[object, ...]]:
    """Return all signals: what, when, by what evidence, how strong, and what became of them."""
    found = store.recent(Signal, limit=10_000)
    return sorted((s.id, s.at, s.evidence, s.strength, s.fired, s.held_by, s.follows, s.title) for s in found)


@pytest.fixture(scope="module")
def at_once(story: Story, tmp_path_factory: pytest.TempPathFactory) -> list[tuple[object, ...]]:
    """What one run over the whole story says."""
    settings = Settings(data_dir=tmp_path_factory.mktemp("once"))
    with open_store(settings) as store:
        put(store, records(story))
        find_signals(store, settings, now=END)
        found = said(store)
    assert any(signal[4] for signal in found)
    return found


def test_found_day_by_day_or_at_once_signals_are_the_same(
    story: Story, at_once: list[tuple[object, ...]], tmp_path: Path
) -> None:
    """Ids, times, evidence, strengths and what the policy decided; killed at random and without its state, too."""
    settings = Settings(data_dir=tmp_path)
    documents, done = records(story), 0
    with open_store(settings) as store:
        for day in range(1, DAYS + 1):
            until = BEGIN + timedelta(days=day)
            now = sum(published(document) < until for document in documents)
            put(store, documents[done:now])
            done = now
            if day > 26 or day == 9:
                before = store.get(Checkpoint, MARK)
                find_signals(store, settings, now=until)
                if day == 30 and before is not None:  # killed after its file was written, before the store was
                    store.put([before])
                    find_signals(store, settings, now=until)
        assert said(store) == at_once


def test_an_alert_is_told_before_its_hour_is_over_and_once(story: Story, tmp_path: Path) -> None:
    """By the documents of an hour so far; what the whole hour says then follows it, and the state knows nothing of it.

    Another look tells nothing more, and none is made before the hours that are over have been looked at.
    """
    settings = Settings(data_dir=tmp_path)
    documents = records(story)
    with open_store(settings) as store:
        told, last = list[Signal](), END - timedelta(days=4)
        put(store, [each for each in documents if published(each) < last])
        assert look_within_hour(store, settings, now=last) == []
        find_signals(store, settings, now=last)
        while not told:
            assert last < END
            put(store, [each for each in documents if last <= published(each) < last + timedelta(minutes=59)])
            now = last + timedelta(minutes=59)
            mark = store.get(Checkpoint, MARK)
            told = look_within_hour(store, settings, now=now)
            assert look_within_hour(store, settings, now=now + timedelta(seconds=30)) == []
            assert store.get(Checkpoint, MARK) == mark
            put(store, [each for each in documents if now <= published(each) < last + timedelta(hours=1)])
            last += timedelta(hours=1)
            found = find_signals(store, settings, now=last)
            assert told or not any(each.fired for each in found)
        (alert,) = told
        put(store, documents)
        assert (alert.fired, alert.at, alert.end) == (True, now, now)
        after = [each for each in find_signals(store, settings, now=END) if each.fired]
        assert not [each for each in (*found, *after) if each.fired and each.subject == alert.subject]
        rest = {each.id for each in store.recent(Signal, limit=10_000)} - {alert.id}
    with open_store(Settings(data_dir=tmp_path / "whole")) as store:
        put(store, documents)
        find_signals(store, Settings(data_dir=tmp_path / "whole"), now=END)
        whole = {each.id for each in store.recent(Signal, limit=10_000)}
    assert whole - {alert.id} == rest


@pytest.mark.parametrize("harm", ["missing", "torn", "version", "past"])
def test_a_state_that_cannot_be_used_is_made_again(  # noqa: PLR0917  fixtures
    story: Story,
    at_once: list[tuple[object, ...]],
    tmp_path: Path,
    harm: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Nothing is told twice, nothing is lost, and a sentence says what was wrong and what is done."""
    settings = Settings(data_dir=tmp_path)
    documents = records(story)
    with open_store(settings) as store:
        put(store, documents[:-60])
        find_signals(store, settings, now=published(documents[-60]))
        (file,) = (tmp_path / FOLDER).glob("state-*.state")
        if harm == "missing":
            file.unlink()
        elif harm == "torn":
            file.write_bytes(file.read_bytes()[:-5000])
        elif harm == "past":
            next((tmp_path / FOLDER).glob("past-*.state")).unlink()
        else:
            monkeypatch.setattr(state, "VERSION", state.VERSION + 1)
        put(store, documents[-60:])
        find_signals(store, settings, now=END)
        assert said(store) == at_once
        assert {"missing": "is missing", "past": "is missing", "torn": "cannot be read", "version": "is of version"}[
            harm
        ] in caplog.text
        assert "made again from the documents of the last" in caplog.text
        assert [len(list((tmp_path / FOLDER).glob(f"{each}-*.state"))) for each in ("state", "past")] == [1, 1]


def test_what_comes_late_lands_on_its_own_hour_and_what_goes_is_taken_out(
    story: Story, at_once: list[tuple[object, ...]], tmp_path: Path
) -> None:
    """Documents heard a day late are found by; documents that are gone are in no later evidence."""
    settings = Settings(data_dir=tmp_path)
    documents = records(story)
    new = [d for d in documents if "tradenova" in d[0].text or "fake" in d[0].text]
    late = new[len(new) // 3 : 2 * len(new) // 3]
    with open_store(settings) as store:
        put(store, [d for d in documents if d not in late])
        find_signals(store, settings, now=END)
        without = {one for signal in store.recent(Signal, limit=10_000) for one in signal.evidence}
        put(store, late)
        found = find_signals(store, settings, now=END)
        ids = {d[0].id for d in late}
        assert not ids & without
        assert ids & {one for signal in found for one in signal.evidence}
        gone = [d[0].id for d in documents[-40:]]
        store.delete(Mention, gone)
        find_signals(store, settings, now=END + timedelta(hours=1))
        watch = Watch()
        mark = store.get(Checkpoint, MARK)
        assert mark is not None
        state.load(tmp_path / FOLDER, mark.value["state"], watch)
        assert not set(gone) & set(watch.memory.ids.tolist())
        assert len(watch.memory) == store.search(Query(limit=1)).total


def test_a_clock_that_was_wrong_silences_nothing(
    story: Story, at_once: list[tuple[object, ...]], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A run with the clock a month ahead; then the right time again: everything is found, and it is said why."""
    settings = Settings(data_dir=tmp_path)
    documents = records(story)
    with open_store(settings) as store:
        put(store, documents[:-60])
        find_signals(store, settings, now=END + timedelta(days=30))
        put(store, documents[-60:])
        find_signals(store, settings, now=END)
        assert "clock was wrong" in caplog.text
        assert {signal[0] for signal in at_once} <= {signal[0] for signal in said(store)}
        caplog.clear()
        find_signals(store, settings, now=END + timedelta(hours=1))
        assert not caplog.text


def test_what_another_model_reads_is_not_compared_with_what_is_remembered(
    story: Story, at_once: list[tuple[object, ...]], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """All is read anew by a model that feels the same and has other vectors: the watch is made again, and says why."""
    settings = Settings(data_dir=tmp_path)
    old, new = records(story), records(story)
    with open_store(settings) as store:
        turned = [
            (mention, replace(enriched, vector=enriched.vector[::-1].copy(), made_by="old"), member)
            for mention, enriched, member in old[:-60]
            if enriched.vector is not None
        ]
        put(store, turned)
        find_signals(store, settings, now=published(old[-60]) + timedelta(hours=1))
        put(store, new)
        find_signals(store, settings, now=END)
        assert "are read by test now, and were by old" in caplog.text
        watch, mark = Watch(), store.get(Checkpoint, MARK)
        assert mark is not None
        assert state.load(tmp_path / FOLDER, mark.value["state"], watch)["made_by"] == "test"
        fresh = Settings(data_dir=tmp_path / "fresh")
        with open_store(fresh) as other:
            put(other, new)
            find_signals(other, fresh, now=END)
            again, mark = Watch(), other.get(Checkpoint, MARK)
            assert mark is not None
            state.load(tmp_path / "fresh" / FOLDER, mark.value["state"], again)
        assert np.array_equal(watch.memory.raw, again.memory.raw)
        caplog.clear()
        find_signals(store, settings, now=END + timedelta(hours=1))
        assert not caplog.text


def test_two_writers_of_one_state_tell_nothing_twice(
    story: Story, at_once: list[tuple[object, ...]], tmp_path: Path
) -> None:
    """A second process that woke before the first one wrote, and writes after it: the same signals, one state."""
    settings = Settings(data_dir=tmp_path)
    documents = records(story)
    with open_store(settings) as store, open_store(settings) as second:
        put(store, documents[:-60])
        find_signals(store, settings, now=published(documents[-60]))
        put(store, documents[-60:])
        before = store.get(Checkpoint, MARK)
        assert before is not None
        find_signals(store, settings, now=END)
        find_signals(AsOf(second, before), settings, now=END)  # type: ignore[arg-type]  # a store but for one answer
        find_signals(store, settings, now=END)
        assert said(store) == at_once


class AsOf:
    """A store that answers with a mark of before, as one does that was asked then."""

    def __init__(self, store: Store, mark: Checkpoint) -> None:
        self.store, self.mark = store, mark

    def __getattr__(self, name: str) -> object:
        """Pass everything else on."""
        return getattr(self.store, name)

    def get(self, kind: type[Record], one: str) -> object:
        """Return the mark of before, or what there is."""
        return self.mark if one == MARK else self.store.get(kind, one)
