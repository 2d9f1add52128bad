"""What the themes stage promises: once each, the same after a kill, names that can be read."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from groundswell.configs.schema import Settings
from groundswell.index.open import open_store
from groundswell.index.query import Query
from groundswell.index.records import Checkpoint, Enriched, Lineage, Membership, Mention, Record, Sentiment, Theme
from groundswell.index.store import Store
from groundswell.nlp.themes import stage, state
from groundswell.nlp.themes.evidence import prior_means
from groundswell.nlp.themes.label import name_themes
from groundswell.nlp.themes.second_opinion import find_groups
from groundswell.nlp.themes.stage import update_themes
from groundswell.nlp.themes.title import ThemeText, clauses

START = datetime(2026, 3, 1, tzinfo=UTC)
SAYINGS = {
    "payout": (
        "Creator payout is two weeks late again",
        "my monetisation payout never arrived this month",
        "Payout still pending, creators are waiting for the money",
        "late creator payout and support does not answer",
    ),
    "deepfake": (
        "Deepfake of a minister promises a crypto investment in an advert",
        "Saw a fake investment advert with a deepfake celebrity",
        "the crypto advert with the deepfake took my savings",
        "reported the fake crypto investment advert, nothing happened",
    ),
    "skip": (
        "The skip button is gone from video adverts",
        "cannot skip adverts any more, the button is missing",
        "advert without a skip button froze the video",
        "where did the skip button go on adverts",
    ),
}
CHILD = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from groundswell.configs.schema import Settings
from groundswell.index.open import open_store
from groundswell.nlp.themes import stage, state
stage.BLOCKS_A_WRITE = 1
settings = Settings(data_dir=Path(sys.argv[1]))
with open_store(settings) as store:
    stage.update_themes(store, settings, now=datetime(2026, 4, 1, tzinfo=UTC), progress=lambda *a: print(a, flush=True))
"""


def records(days: int = 6, each: int = 4) -> list[Record]:
    """Return mentions and what was understood of them: three subjects, a little every day."""
    rng, fixed = np.random.default_rng(0), np.random.default_rng(7)
    directions = {subject: fixed.normal(size=384) for subject in SAYINGS}
    out: list[Record] = []
    for n, (day, k, subject) in enumerate((d, k, s) for d in range(days) for k in range(each) for s in SAYINGS):
        at = START + timedelta(days=day, minutes=n)
        direction, noise = directions[subject], rng.normal(size=384)
        vector = (
            prior_means()["en"] + 0.35 * direction / np.linalg.norm(direction) + 0.35 * noise / np.linalg.norm(noise)
        )
        text = f"{SAYINGS[subject][k % 4]} {subject[0]}{n}"
        out.append(
            Mention(id=f"d{n:04}", source="s", kind="post", text=text, fetched_at=at, published_at=at,
                    date_confidence="exact", author_key=f"a{n % 11}")
        )  # fmt: skip
        out.append(
            Enriched(id=f"d{n:04}", lang="en", made_by="test", risks={"fraud": 0.9} if subject == "deepfake" else {},
                     sentiment=Sentiment(label="negative", negative=0.8, neutral=0.1, positive=0.1),
                     vector=(vector / np.linalg.norm(vector)).astype(np.float32))
        )  # fmt: skip
    return out


def filled(folder: Path, given: Iterable[Record]) -> Settings:
    """Return settings of a store in a folder that holds the records."""
    settings = Settings(data_dir=folder)
    folder.mkdir(exist_ok=True)
    with open_store(settings) as store:
        store.put(given)
    return settings


def told(store: Store) -> tuple[Sequence[object], ...]:
    """Return all that a run wrote, in order."""
    documents = list(store.scan(Query()))
    members = [(d.id, d.membership.theme, d.membership.confidence) for d in documents if d.membership]
    themes = sorted((t.id, t.label, t.size, t.state, t.keywords, t.exemplars) for t in store.recent(Theme))
    return members, themes, sorted((e.id, e.theme, e.what) for e in store.recent(Lineage))


def test_documents_get_themes_with_names_once(tmp_path: Path) -> None:
    """Three subjects become three named themes; a second run has nothing to do and changes nothing."""
    settings = filled(tmp_path / "one", records())
    with open_store(settings) as store:
        report = update_themes(store, settings, now=START + timedelta(days=9))
        assert report.pending == report.placed + report.waiting + report.unreadable == 72
        before = told(store)
        assert len(before[1]) == 3
        named = {subject: t for t in store.recent(Theme) for subject in SAYINGS if subject in " ".join(t.keywords)}
        assert set(named) == set(SAYINGS)
        assert all(any(word in t.label.lower() for word in t.keywords) for t in named.values())
        assert {subject: t.risk for subject, t in named.items()} == {"deepfake": "fraud", "payout": "", "skip": ""}
        again = update_themes(store, settings, now=START + timedelta(days=10))
        assert (again.pending, told(store)) == (0, before)


def test_a_new_day_joins_the_old_themes(tmp_path: Path) -> None:
    """Documents of a later run get the ids of the earlier one."""
    first, later = records(days=5), records(days=7)[2 * len(SAYINGS) * 4 * 5 :]
    settings = filled(tmp_path / "two", first)
    with open_store(settings) as store:
        update_themes(store, settings, now=START + timedelta(days=6))
        ids = {t.id for t in store.recent(Theme)}
        store.put(later)
        update_themes(store, settings, now=START + timedelta(days=8))
        assert {t.id for t in store.recent(Theme)} == ids
        assert {m.theme for m in store.many(Membership, [f"d{n:04}" for n in range(60, 84)])} == ids


@pytest.mark.parametrize("torn", [False, True])
def test_themes_outlive_the_version_that_founded_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, torn: bool
) -> None:
    """Where the saved space is of another version or torn, what the store knows is told anew: the same themes go on."""
    first, later = records(days=5), records(days=7)[2 * len(SAYINGS) * 4 * 5 :]
    settings = filled(tmp_path / "upgraded", first)
    with open_store(settings) as store:
        update_themes(store, settings, now=START + timedelta(days=6))
        sizes = {t.id: t.size for t in store.recent(Theme)}
        if torn:
            mark = store.get(Checkpoint, stage.MARK)
            assert mark is not None
            store.put([replace(mark, value={**mark.value, "means": {"en": "eJw="}})])
        else:
            monkeypatch.setattr(state, "VERSION", state.VERSION + 1)
        store.put(later)
        update_themes(store, settings, now=START + timedelta(days=8))
        assert {t.id: t.size for t in store.recent(Theme)} == {one: size + 8 for one, size in sizes.items()}
        assert {m.theme for m in store.many(Membership, [f"d{n:04}" for n in range(60, 84)])} == set(sizes)
        assert [e.what for e in store.recent(Lineage)].count("born") == len(sizes)


def test_what_cannot_be_read_is_counted_and_waits_for_nobody(tmp_path: Path) -> None:
    """A document without a vector is told apart, and is not pending for ever; one not yet enriched stays pending."""
    empty = Mention(id="e", source="s", kind="post", text="…", fetched_at=START)
    raw = Mention(id="r", source="s", kind="post", text="not read yet", fetched_at=START)
    unsure = Sentiment(label="unsure", negative=0.3, neutral=0.4, positive=0.3)
    settings = filled(tmp_path / "three", [empty, raw, Enriched(id="e", lang="", sentiment=unsure, made_by="test")])
    with open_store(settings) as store:
        report = update_themes(store, settings, now=START)
        assert (report.pending, report.unreadable) == (1, 1)
        assert store.search(Query(lacks="membership")).total == 1


def test_an_interrupted_run_ends_where_an_undisturbed_one_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopped after any write and run again, the store is the same."""
    monkeypatch.setattr(stage, "BLOCKS_A_WRITE", 1)
    settings = filled(tmp_path / "whole", records())
    with open_store(settings) as store:
        update_themes(store, settings, now=START)
        whole = told(store)
    for stop in range(1, 6):
        settings = filled(tmp_path / f"cut{stop}", records())
        with open_store(settings) as store:
            _stop_after(store, stop, settings)
        with open_store(settings) as store:
            update_themes(store, settings, now=START)
            assert told(store) == whole, f"stopped after write {stop}"


def _stop_after(store: Store, writes: int, settings: Settings) -> None:
    put, count = store.put, 0

    def counted(given: Iterable[Record]) -> object:
        nonlocal count
        count += 1
        if count > writes:
            raise KeyboardInterrupt
        return put(given)

    store.put = counted  # type: ignore[method-assign, assignment]  # the power goes off after so many writes
    with pytest.raises(KeyboardInterrupt):
        update_themes(store, settings, now=START)


@pytest.mark.slow
def test_a_killed_run_ends_where_an_undisturbed_one_does(tmp_path: Path) -> None:
    """SIGKILL in the middle of a run loses nothing and doubles nothing."""
    results = []
    for kill in (False, True):
        settings = filled(tmp_path / f"kill{kill}", records(days=20))
        command = [sys.executable, "-c", CHILD, str(settings.data_dir)]
        if kill:
            child = subprocess.Popen(command, stdout=subprocess.PIPE)
            assert child.stdout is not None
            child.stdout.readline()
            time.sleep(0.05)
            os.kill(child.pid, signal.SIGKILL)
            child.wait()
            child.stdout.close()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        with open_store(settings) as store:
            results.append(told(store))
    assert results[0] == results[1]


def test_a_theme_is_titled_in_each_language_it_is_told_in() -> None:
    """Readers of Chinese and of Indonesian each get words out of their own documents."""
    rng = np.random.default_rng(0)

    def said(n: int, text: str, lang: str) -> ThemeText:
        return ThemeText(f"{lang}{n}", text, lang, rng.normal(size=384).astype(np.float32))

    scam = [said(n, f"假冒名人投资广告骗走积蓄，平台不处理。第{n}次", "zh") for n in range(4)]
    scam += [said(n, f"Iklan investasi palsu menipu tabungan saya. Nomor {n}", "id") for n in range(4)]
    other = [said(n, f"Video macet setelah iklan, layar hitam. {n}", "id") for n in range(4)]
    names = name_themes({"scam": scam, "other": other})
    assert "投资广告" in names["scam"].titles["zh"]
    assert "palsu" in names["scam"].titles["id"]
    assert "macet" in names["other"].label


def test_titles_carry_no_handles_links_or_markup() -> None:
    """What is put into a title was written by strangers: names and addresses stay out."""
    found = clauses("RT @somebody: see https://evil.example/x <b>the skip button is gone</b> from adverts")
    assert found == ["see b the skip button is gone /b from adverts"] or "@" not in " ".join(found)
    assert "evil.example" not in " ".join(found)
    assert "<" not in " ".join(found)


def test_a_point_inside_a_number_or_after_mr_ends_no_clause() -> None:
    """Titles are not cut at "0.4" or "Mt."."""
    assert clauses("Sales of adverts fall 0.4% at Mt. Gox. A second sentence here") == [
        "Sales of adverts fall 0.4% at Mt. Gox",
        "A second sentence here",
    ]


def test_bertopic_sees_what_waits_together() -> None:
    """Three dense groups among scattered documents are found, the scattered are left alone."""
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(3, 50))
    vectors = np.vstack([c + 0.2 * rng.normal(size=(15, 50)) for c in centres]).astype(np.float32)
    groups = find_groups([f"text {n // 15} word{n // 15}" for n in range(45)], vectors, smallest=5)
    assert sorted(sorted({i // 15 for i in group}) for group in groups) == [[0], [1], [2]]
    assert find_groups(["a"] * 5, vectors[:5], smallest=5) == []
