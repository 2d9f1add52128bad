"""Enriching: from mention to meaning, whole, once, whatever the texts hold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from groundswell.configs.schema import ModelSettings, Settings
from groundswell.index.open import open_store
from groundswell.index.query import Query
from groundswell.index.records import Document, Enriched, Mention, Refusal
from groundswell.index.store import Store
from groundswell.nlp.enrich.rules import Rules
from groundswell.nlp.enrich.stage import CopyWindow, enrich
from tests.nlp.fakes import FakeModel

NOW = datetime(2026, 3, 1, tzinfo=UTC)
NO_RULES = Rules(())


def _mention(name: str, text: str, hours: float = 0, **more: Any) -> Mention:
    at = NOW - timedelta(days=3) + timedelta(hours=hours)
    fields: dict[str, Any] = {"published_at": at, "date_confidence": "exact", **more}
    return Mention(id=name, source="test", kind="post", text=text, fetched_at=NOW, **fields)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A data folder of its own."""
    return Settings(data_dir=tmp_path)


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    """An empty embedded store."""
    with open_store(settings) as opened:
        yield opened


def _enriched(store: Store) -> dict[str, Enriched]:
    return {found.id: found.enriched for found in store.scan(Query(with_vectors=True)) if found.enriched}


def test_every_mention_is_read_once_and_counts_add_up(store: Store, settings: Settings) -> None:
    """What was pending is enriched, and a second run finds nothing to do."""
    store.put([_mention(f"m{i}", f"I hate these ads so much, number {i} today") for i in range(30)])
    report = enrich(store, FakeModel(), settings, now=NOW, rules=NO_RULES)
    again = enrich(store, FakeModel(), settings, now=NOW, rules=NO_RULES)
    assert (report.pending, report.enriched, report.refused) == (30, 30, 0)
    assert again.pending == 0
    assert str(again) == "nothing new to read"
    one = _enriched(store)["m7"]
    assert (one.lang, one.sentiment.label, one.made_by) == ("en", "negative", "fake 1")
    assert one.vector is not None
    assert one.risks == {"ad_experience": 0.9}, "probabilities that say nothing are not stored"


def test_a_poisoned_document_never_stops_its_batch(store: Store, settings: Settings) -> None:
    """It is set aside with its reason, once, and is not tried again by the same model."""
    store.put([_mention(f"m{i}", "plague" if i == 5 else f"I love this app, day {i} of using it") for i in range(20)])
    model = FakeModel(poison="plague")
    report = enrich(store, model, settings, now=NOW, rules=NO_RULES)
    assert (report.pending, report.enriched, report.refused) == (20, 19, 1)
    refusals = store.recent(Refusal)
    assert [refusal.where for refusal in refusals] == ["enrich m5"]
    assert "the encoder choked" in refusals[0].reason
    later = enrich(store, model, settings, now=NOW, rules=NO_RULES)
    assert (later.pending, later.enriched, later.set_aside) == (1, 0, 1)
    assert len(store.recent(Refusal)) == 1
    healed = enrich(store, FakeModel(made_by="fake 2"), settings, now=NOW, rules=NO_RULES)
    assert healed.enriched == 20, "a better model tries all of them again"


def test_a_broken_model_blames_no_document(store: Store, settings: Settings) -> None:
    """When every text fails the run stops with the model's own error, and nothing is set aside."""
    store.put([_mention(f"m{i}", f"plain text number {i}") for i in range(12)])
    with pytest.raises(RuntimeError, match="choked"):
        enrich(store, FakeModel(poison="plain"), settings, now=NOW, rules=NO_RULES)
    assert not store.recent(Refusal)


def test_a_new_model_reads_anew_and_keeps_who_repeats_whom(store: Store, settings: Settings) -> None:
    """Re-scoring changes made_by everywhere and no cluster."""
    text = "Every two songs there is an ad and I really cannot stand it any more, please fix it"
    store.put([_mention("first", text), _mention("copy", f"RT @someone: {text} https://t.co/x", hours=5)])
    enrich(store, FakeModel(), settings, now=NOW, rules=NO_RULES)
    enrich(store, FakeModel(made_by="fake 2"), settings, now=NOW, rules=NO_RULES)
    found = _enriched(store)
    assert {one.made_by for one in found.values()} == {"fake 2"}
    assert found["copy"].duplicate_of == "first"
    assert found["first"].duplicate_of == "first"


def test_whoever_keeps_the_window_finds_the_same_copies_and_reads_the_past_once(
    store: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Turn after turn, through a text that comes weeks late, for which the past is read again, and what follows it."""
    text = "They charged my card twice this month and support has not answered one of my mails"
    told = "The courier left my parcel with a neighbour whom nobody in our street has ever heard of"
    turns = (
        [_mention("first", text, hours=-24 * 20), _mention("early", told, hours=-24 * 60)],
        [_mention("copy", text + "!!")],
        [_mention("again", f"RT @someone: {text}", hours=-3)],
        [_mention("late", told + "!!", hours=-24 * 50)],
        [_mention("last", text + " !", hours=2)],
    )
    window, read = CopyWindow(settings), list[Query]()
    load = window._load

    def noted(place: Store, query: Query) -> None:
        read.append(query)
        load(place, query)

    monkeypatch.setattr(window, "_load", noted)
    loads = []
    for turn in turns:
        store.put(turn)
        enrich(store, FakeModel(), settings, now=NOW, rules=NO_RULES, window=window)
        loads.append(len(read))
    found = {name: one.duplicate_of for name, one in _enriched(store).items()}
    assert found == {
        "first": "first", "copy": "first", "again": "first", "last": "first", "early": "early", "late": "early",
    }  # fmt: skip
    assert loads[2] == loads[1], "nothing is read for a text that is no later than what was read for"
    assert any(one.since and one.since < NOW - timedelta(days=80) for one in read[loads[2] : loads[3]])


def test_a_copy_that_comes_in_a_later_run_finds_its_first_in_the_store(store: Store, settings: Settings) -> None:
    """Copies are told across runs; beyond the window the same text is new again."""
    text = "They charged my card twice this month and support has not answered one of my mails"
    store.put([_mention("first", text, hours=-24 * 20)])
    enrich(store, FakeModel(), settings, now=NOW, rules=NO_RULES)
    store.put([_mention("copy", text + "!!"), _mention("old", text, hours=-24 * 80)])
    enrich(store, FakeModel(), settings, now=NOW, rules=NO_RULES)
    found = _enriched(store)
    assert found["copy"].duplicate_of == "first"
    assert found["old"].duplicate_of == "old"


def test_a_run_that_is_cut_off_ends_as_an_undisturbed_one(tmp_path: Path) -> None:
    """Half the batches written, then death: the next run makes the same store."""
    texts = [f"The app was down again on day {i // 2}, nothing loads and nobody answers" for i in range(700)]
    mentions = [_mention(f"m{i:04}", text, hours=i / 60) for i, text in enumerate(texts)]
    ends = []
    for name, dies in (("whole", False), ("cut", True)):
        settings = Settings(data_dir=tmp_path / name)
        with open_store(settings) as store:
            store.put(mentions)
            if dies:
                with pytest.raises(KeyboardInterrupt):
                    enrich(store, FakeModel(), settings, now=NOW, rules=NO_RULES, progress=_die_after_one)
            enrich(store, FakeModel(), settings, now=NOW, rules=NO_RULES)
            ends.append({name: replace(one, vector=None) for name, one in _enriched(store).items()})
    assert len(ends[0]) == 700
    assert ends[0] == ends[1]


def _die_after_one(done: int, total: int | None, what: str) -> None:
    raise KeyboardInterrupt


def test_nothing_readable_is_unsure_and_has_no_vector(store: Store, settings: Settings) -> None:
    """Control characters, an empty text, a hostile date: read without harm, and no theme is made of them."""
    store.put(
        [
            _mention("blank", "\u200b\u200b \x00"),
            _mention("year9999", "I love it a lot, thank you", published_at=datetime(9999, 12, 31, 23, tzinfo=UTC)),
            _mention("undated", "I love it very much, thanks", published_at=None, date_confidence="none"),
        ]
    )
    report = enrich(store, FakeModel(), settings, now=NOW, rules=NO_RULES)
    assert report.enriched == 3
    blank = store.get(Document, "blank")
    assert blank
    assert blank.enriched
    assert blank.enriched.sentiment.label == "unsure"
    assert _enriched(store)["blank"].vector is None


def test_unsure_follows_the_setting(store: Store, tmp_path: Path) -> None:
    """A feeling less likely than `model.unsure_below` is called unsure."""
    store.put([_mention("m", "The price is what it is, we will see tomorrow")])
    lenient = Settings(data_dir=tmp_path, model=ModelSettings(unsure_below=0.3))
    enrich(store, FakeModel(), lenient, now=NOW, rules=NO_RULES)
    assert _enriched(store)["m"].sentiment.label == "negative"


@pytest.mark.slow
def test_the_shipped_model_and_rules_read_six_languages(store: Store, settings: Settings) -> None:
    """The real model, the real rules: languages told, hits found, vectors of unit length."""
    from groundswell.nlp.model.model import load_model

    texts = {
        "en": "Way too many ads, every two songs an ad. I hate it.",
        "zh": "广告太多了，开会员还有广告，垃圾",
        "id": "Kebanyakan iklan, nggak bisa diskip, kesel banget",
        "ms": "Iklan banyak sangat, menyampah betul, korang tolonglah kurangkan",
        "th": "โฆษณาเยอะมาก น่ารำคาญสุดๆ",
        "vi": "Quảng cáo nhiều quá, nghe bài nào cũng bị chen, bực mình",
    }
    store.put([_mention(lang, text) for lang, text in texts.items()])
    report = enrich(store, load_model(settings.model), settings, now=NOW)
    found = _enriched(store)
    assert {one.id: one.lang for one in found.values()} == {lang: lang for lang in texts}
    assert report.enriched == 6
    assert all(any(rule.startswith("ad_experience") for rule in one.rules) for one in found.values())
    for one in found.values():
        assert one.vector is not None
        assert abs(float((one.vector**2).sum()) - 1) < 1e-3
