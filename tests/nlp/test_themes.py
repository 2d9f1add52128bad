"""What the theme space promises: new subjects at once, ids that keep their meaning, nothing swept in."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from numpy.typing import NDArray

from groundswell.nlp.themes import lifecycle
from groundswell.nlp.themes.agglomerate import agglomerate
from groundswell.nlp.themes.arrival import Arrival
from groundswell.nlp.themes.evidence import Evidence, Weights, prior_means
from groundswell.nlp.themes.space import Rules, ThemeSpace, Thresholds
from groundswell.nlp.themes.state import Piece, SpaceState, TornStateError

START = datetime(2026, 3, 1, tzinfo=UTC)
SUBJECTS = {
    "refund": "advert refund refused charged twice card billing support silent",
    "scam": "fake celebrity investment advert scam lost savings deepfake video",
    "playback": "video advert freezes playback black screen skip button missing",
    "creator": "creator payout late monetisation strike demonetised channel appeal",
    "privacy": "advert listens microphone privacy tracking consent banner location",
}


class World:
    """Makes documents about subjects: vectors around a direction in the encoder's cone, words drawn from a list."""

    def __init__(self, seed: int = 0) -> None:
        self.rng = np.random.default_rng(seed)
        fixed = np.random.default_rng(1234)
        self.directions = {name: unit(fixed.normal(size=384)) for name in SUBJECTS}
        self.made = 0

    def about(self, subject: str, count: int, *, words: bool = True) -> list[tuple[str, NDArray[np.float32], str]]:
        """Return (id, vector, text) of documents about a subject; with `words` False they share none."""
        return [self._one(self.directions[subject], SUBJECTS[subject].split() if words else []) for _ in range(count)]

    def noise(self, count: int) -> list[tuple[str, NDArray[np.float32], str]]:
        """Return documents that are about nothing anybody else speaks of."""
        return [self._one(unit(self.rng.normal(size=384)), []) for _ in range(count)]

    def _one(self, direction: NDArray[np.float64], words: list[str]) -> tuple[str, NDArray[np.float32], str]:
        self.made += 1
        vector = unit(prior_means()["en"] + 0.35 * direction + 0.35 * unit(self.rng.normal(size=384)))
        said = list(self.rng.permutation(words)[:5]) + [f"only{self.made}x{k}" for k in range(3)]
        return f"d{self.made}", vector.astype(np.float32), " ".join(said)


def unit(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the vector in unit length."""
    out: NDArray[np.float64] = x / np.linalg.norm(x)
    return out


def add(
    space: ThemeSpace,
    documents: Sequence[tuple[str, NDArray[np.float32], str]],
    *,
    day: float = 0,
    days: Sequence[float] | None = None,
    authors: Sequence[str] | None = None,
    copy_of: Sequence[str] | None = None,
    lang: str = "en",
) -> list[str]:
    """Put documents into a space, all at one moment unless `days` tells one for each."""
    ids, vectors, texts = zip(*documents, strict=True)
    n = len(ids)
    times = [START + timedelta(days=each) for each in days or [day] * n]
    return space.add(ids, np.stack(vectors), texts, [lang] * n, times, authors or [f"a{i}" for i in range(n)], copy_of)


def saved(state: SpaceState) -> dict[str, Piece]:
    """Return a state as JSON gives it back, whatever of it had been saved before."""
    state.space.clusters.changed.update(state.space.clusters.alive)
    state.chunks = 0
    pieces: dict[str, Piece] = json.loads(json.dumps(state.save()))
    return pieces


def restored(pieces: dict[str, Piece]) -> SpaceState:
    """Return the state that was saved, around a new space."""
    return SpaceState.restore(ThemeSpace(), pieces[""], lambda names: {name: pieces[name] for name in names})


def test_a_new_theme_appears_with_its_fifth_document() -> None:
    """The document that makes a subject large enough makes the theme, and those that waited are told."""
    world, space = World(), ThemeSpace(Rules(smallest=5))
    first = [add(space, [d]) for d in world.about("scam", 4)]
    assert first == [[""]] * 4
    (theme,) = add(space, world.about("scam", 1), authors=["other"])
    assert theme
    assert space.drain() == dict.fromkeys(["d1", "d2", "d3", "d4"], theme)
    assert [e.what for e in space.events] == ["born"]


def test_one_author_alone_founds_no_theme() -> None:
    """Somebody who writes the same complaint ten times is one voice."""
    world, space = World(), ThemeSpace(Rules(fewest_authors=2))
    assert set(add(space, world.about("scam", 10), authors=["same"] * 10)) == {""}
    assert set(add(space, world.about("scam", 1), authors=["another"])) != {""}


def test_copies_count_once_and_follow_their_first() -> None:
    """Ten copies of one text are one document of a theme, and get its theme when it gets one."""
    world, space = World(), ThemeSpace(Rules(smallest=5))
    first, *others = world.about("scam", 5)
    copies = [(f"copy{k}", first[1], first[2]) for k in range(10)]
    assert set(add(space, [first, *copies], copy_of=["", *["d1"] * 10])) == {""}
    (theme,) = set(add(space, others))
    assert theme
    assert space.theme_of("copy3") == theme
    assert (space.themes[theme].size, space.themes[theme].copies) == (5, 15)


def test_subjects_are_told_apart_and_noise_is_left_out() -> None:
    """Five subjects in one stream are five themes; documents about nothing shared stay outside."""
    world, space = World(), ThemeSpace()
    truth = {d[0]: name for name in SUBJECTS for d in world.about(name, 12)}
    world = World()
    documents = [d for name in SUBJECTS for d in world.about(name, 12)]
    noise = world.noise(30)
    mixed = [(documents + noise)[i] for i in np.random.default_rng(0).permutation(90)]
    themes = dict(zip([d[0] for d in mixed], add(space, mixed), strict=True))
    themes |= space.drain()
    found = {name: {themes[d] for d in truth if truth[d] == name} for name in SUBJECTS}
    assert all(len(f) == 1 for f in found.values()), found
    assert len(set.union(*found.values())) == 5
    assert {themes[d[0]] for d in noise} == {""}


def test_a_theme_keeps_its_id_over_thirty_days() -> None:
    """Documents told a theme on their day are still of that theme a month later, and the subject has one id."""
    world, space = World(), ThemeSpace()
    told: dict[str, str] = {}
    now: dict[str, str] = {}
    for day in range(30):
        documents = [d for name in SUBJECTS for d in world.about(name, 4)]
        answers = dict(zip([d[0] for d in documents], add(space, documents, day=day), strict=True))
        told |= {i: t for i, t in answers.items() if t}
        now |= answers | space.drain()
        told |= {i: t for i, t in now.items() if t and i not in told}
    kept = np.mean([now[i] == theme for i, theme in told.items()])
    assert kept >= 0.98
    assert len(set(now.values()) - {""}) == 5


def test_the_same_documents_give_the_same_ids() -> None:
    """Ids come from the founding documents, not from the machine, the day or chance."""
    runs = []
    for _ in range(2):
        world, space = World(), ThemeSpace()
        runs.append([t for name in SUBJECTS for t in add(space, world.about(name, 8))])
    assert runs[0] == runs[1]


def test_two_languages_without_a_common_word_meet_in_one_theme() -> None:
    """The same scam in Chinese and in Indonesian is one theme: where words cannot agree, meaning is enough."""
    rng = np.random.default_rng(5)
    subject = unit(rng.normal(size=384))
    space = ThemeSpace()
    answers = []
    for lang, text in (("zh", "假冒 名人 投资 广告 骗走 积蓄"), ("id", "iklan investasi palsu artis menipu tabungan")):
        corner = prior_means()[lang]
        vectors = [unit(corner + 0.35 * subject + 0.3 * unit(rng.normal(size=384))) for _ in range(6)]
        documents = [(f"{lang}{k}", v.astype(np.float32), text) for k, v in enumerate(vectors)]
        answers.append(set(add(space, documents, lang=lang)))
    space.drain()
    assert answers[0] == answers[1] != {""}


def test_a_theme_fades_and_comes_back_as_itself() -> None:
    """After a month of silence a theme has faded; when its subject returns it is the same theme, revived."""
    world, space = World(), ThemeSpace(Rules(fade=timedelta(days=30)))
    (theme,) = set(add(space, world.about("refund", 12)))
    add(space, world.about("scam", 6), day=40)
    assert space.themes[theme].state == "faded"
    assert set(add(space, world.about("refund", 3), day=41)) == {theme}
    assert space.themes[theme].state == "living"
    assert [e.what for e in space.events if e.theme == theme] == ["born", "faded", "revived"]


def test_a_theme_that_becomes_two_splits_and_the_old_id_stays_with_the_old_subject() -> None:
    """Two subjects that were one by mistake part; what is like the past keeps the id, the rest names its parent."""
    world, space = World(), ThemeSpace(thresholds=Thresholds(join=-20, keep=-30))
    (theme,) = set(add(space, world.about("refund", 40)))
    add(space, world.about("creator", 20), day=0.1)
    assert list(space.themes) == [theme]
    space.grouping.thresholds = Thresholds()
    add(space, [d for _ in range(10) for d in (*world.about("refund", 2), *world.about("creator", 2))], day=0.2)
    assert space.theme_of("d1") == theme
    assert space.themes[space.theme_of("d50")].parents == (theme,)
    assert [(e.theme, e.others) for e in space.events if e.what == "split"] == [(theme, (space.theme_of("d50"),))]


def test_no_two_themes_share_an_id_though_the_same_documents_founded_both() -> None:
    """All founders may leave a theme while they are loose, and found another: that one has an id of its own."""
    world, space = World(), ThemeSpace()
    founders, late = world.about("refund", 5), world.about("refund", 3)
    days = [0.0] * 5 + [-1.0] * 3  # what was written a day ago settles at once, and holds the theme
    (theme,) = set(add(space, [*founders, *late], days=days))
    space.grouping.thresholds = Thresholds(join=99)  # nothing is like anything any more
    add(space, world.noise(1), day=0.01)
    space.themes[theme].state = "faded"  # what groups now founds a theme of its own
    space.grouping.thresholds = Thresholds(revive=99)
    add(space, world.noise(1), day=0.02)
    again = space.theme_of("d1")
    assert {space.theme_of(document[0]) for document in founders} == {again}
    assert again not in {"", theme}
    assert [space.themes[one].theme for one in (theme, again)] == [theme, again]


def test_a_place_told_yesterday_holds_whatever_comes() -> None:
    """A document that has been in a theme for a while has settled: only the theme as a whole may still change."""
    world, space = World(), ThemeSpace()
    (theme,) = set(add(space, world.about("refund", 12)))
    space.grouping.thresholds = Thresholds(join=99)  # nothing is like anything any more
    add(space, world.about("creator", 20), day=1)
    add(space, world.about("creator", 20), day=2)
    assert {space.theme_of(f"d{k}") for k in range(1, 13)} == {theme}


def test_two_themes_that_tell_of_the_same_become_one() -> None:
    """A double is swallowed by the larger theme, its documents are told, and it says where it went."""
    world, space = World(), ThemeSpace()
    (theme,) = set(add(space, world.about("refund", 12)))
    space.grouping.thresholds = Thresholds(stay=99, merge=99, revive=99)
    space.themes[theme].state = "faded"  # what comes now founds a theme of its own
    again = world.about("refund", 6)
    (double,) = set(add(space, again, day=1))
    assert double not in {"", theme}
    space.themes[theme].state = "living"
    space.drain()
    space.grouping.thresholds = Thresholds()
    add(space, world.about("refund", 1), day=2)
    assert list(space.themes) == [theme]
    assert [(e.theme, e.others) for e in space.events if e.what == "merged"] == [(double, (theme,))]
    assert space.drain() == dict.fromkeys((d[0] for d in again), theme)


def test_copies_go_where_their_first_goes() -> None:
    """When a loose document moves to another theme its copies move with it, and are told."""
    world, space = World(), ThemeSpace(thresholds=Thresholds(join=-20, keep=-30))
    (theme,) = set(add(space, world.about("refund", 40)))
    firsts = world.about("creator", 20)
    add(space, [*firsts, ("copy", firsts[0][1], firsts[0][2])], day=0.1, copy_of=[*[""] * 20, firsts[0][0]])
    space.drain()
    space.grouping.thresholds = Thresholds()
    add(space, world.about("creator", 3), day=0.2)
    moved = space.drain()
    assert moved["copy"] == moved[firsts[0][0]] not in {"", theme}


def test_a_pool_that_waits_too_long_is_let_go() -> None:
    """What found no company in two weeks is an outlier; later company founds a theme without it."""
    world, space = World(), ThemeSpace(Rules(wait=timedelta(days=14)))
    add(space, world.about("scam", 2))
    add(space, world.about("refund", 1), day=20)
    add(space, world.about("scam", 5), day=21)
    assert space.theme_of("d1") == ""
    assert space.theme_of("d8")


def test_what_waits_is_bounded_whatever_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A flood of documents about nothing costs the oldest of the pool, not ever more time and memory."""
    monkeypatch.setattr(lifecycle, "MOST_WAITING", 20)
    world, space = World(), ThemeSpace()
    for day in range(4):
        add(space, world.noise(30), day=day)
    assert len(space.waiting()) == 20
    assert {cluster.last_seen for cluster in space.waiting()} == {START + timedelta(days=3)}


def test_a_saved_space_goes_on_as_if_nothing_had_been() -> None:
    """State goes through bytes bit for bit: the next documents get the same answers, the next state is the same."""
    one = ThemeSpace()
    days = [
        [*World(day).about("scam", 6), *World(day).about("refund", 4), *World(day + 99).noise(9)] for day in range(4)
    ]
    days = [[(f"{day}/{k}", d[1], d[2]) for k, d in enumerate(docs)] for day, docs in enumerate(days)]
    for day in range(2):
        add(one, days[day], day=day)
        one.drain()
    pieces = saved(SpaceState(one))
    mine, theirs = SpaceState(one, written=dict.fromkeys(one.clusters.alive, 1), saves=1), restored(pieces)
    other = theirs.space
    for day in (2, 3):
        assert add(one, days[day], day=day) == add(other, days[day], day=day)
        assert one.drain() == other.drain()
    assert saved(mine) == saved(theirs)


@pytest.mark.parametrize("seed", range(3))
def test_what_was_told_is_what_is_whatever_comes(seed: int) -> None:
    """Subjects, noise, late comers and copies in batches of any size, saved in between: every place told holds."""
    rng, world, space = np.random.default_rng(seed), World(seed), ThemeSpace()
    told: dict[str, str] = {}
    alive: set[str] = set()
    for day in range(12):
        documents = [
            d for name in rng.choice(list(SUBJECTS), 3) for d in world.about(str(name), int(rng.integers(1, 9)))
        ]
        documents = [*documents, *world.noise(int(rng.integers(0, 9)))]
        ids = [d[0] for d in documents]
        copy_of = [str(rng.choice([*told, *ids[:k]])) if k and rng.random() < 0.2 else "" for k in range(len(ids))]
        late = [float(day - rng.exponential(0.5)) for _ in ids]
        told |= dict(zip(ids, add(space, documents, days=late, copy_of=copy_of), strict=True)) | space.drain()
        events = space.take_events()
        alive = (alive | {e.theme for e in events if e.what == "born"}) - {
            e.theme for e in events if e.what == "merged"
        }
        assert {one: space.theme_of(one) for one in told} == told
        assert set(space.themes) == alive >= set(told.values()) - {""}
        assert {t: c.copies for t, c in space.themes.items()} == {t: list(told.values()).count(t) for t in space.themes}
        if day % 4 == 3:
            space = restored(saved(SpaceState(space))).space
            space.remember({one: theme for one, theme in told.items() if theme})


@pytest.mark.parametrize("how", ["another version", "a piece is missing", "a piece of another save", "no JSON of ours"])
def test_a_state_that_is_none_is_refused(how: str) -> None:
    """Another version's, or one whose pieces do not belong together, is named, not guessed at."""
    world, space = World(), ThemeSpace()
    add(space, world.about("scam", 6))
    pieces = saved(SpaceState(space))
    name = next(name for name in pieces if name.startswith("cluster/"))
    match how:
        case "another version":
            pieces[""] = {**pieces[""], "version": -1}
        case "a piece is missing":
            del pieces[name]
        case "a piece of another save":
            pieces[name] = {**pieces[name], "saves": 7}
        case _:
            pieces[name] = {**pieces[name], "sums": "????"}
    with pytest.raises(TornStateError):
        restored(pieces)


def test_time_says_nothing_where_it_tells_nothing_apart() -> None:
    """In a shuffled stream a near time is like any other; in a stream of bursts it means much, and a far one little."""
    rng = np.random.default_rng(0)
    times = 60.0 * np.arange(400)
    earlier = np.tril(np.ones((400, 400), bool), -1)
    gaps = np.abs(np.subtract.outer(times, times))
    for kinds, near, far in ((rng.integers(0, 8, 400), (-0.3, 0.3), (-0.3, 0.3)), (times // 3600, (1, 4), (-5, -2))):
        arrival = Arrival(alike_at=0.5)
        arrival.learn((kinds[:, None] == kinds[None]).astype(np.float32), gaps, earlier)
        lifts = arrival.lift(np.array([120.0, 20000.0]))
        assert near[0] <= lifts[0] <= near[1]
        assert far[0] <= lifts[1] <= far[1]


def test_the_order_of_rows_alone_says_nothing() -> None:
    """Documents of one moment get no lift from standing beside one another in the file."""
    arrival, alike = Arrival(alike_at=0.5), np.kron(np.eye(8), np.ones((50, 50))).astype(np.float32)
    arrival.learn(alike, np.zeros((400, 400)), np.tril(np.ones((400, 400), bool), -1))
    assert float(arrival.lift(np.zeros(1))[0]) == pytest.approx(0, abs=1e-6)


def test_what_weighs_more_counts_for_more() -> None:
    """A settled theme of many documents and a newcomer are linked as their documents are, on average."""
    links = np.array([[0, 5, 1], [5, 0, 4], [1, 4, 0]], np.float32)
    assert len(set(agglomerate(links, 2.0))) == 1  # (1 + 4) / 2 joins
    assert len(set(agglomerate(links, 2.0, np.array([9, 1, 1], np.float32)))) == 2  # (9 · 1 + 4) / 10 does not


def test_nothing_comes_from_the_future() -> None:
    """The evidence of a document is the same whether or not later documents exist."""
    world = World()
    documents = [d for name in SUBJECTS for d in world.about(name, 6)]
    ids, vectors, texts = zip(*documents, strict=True)
    whole, cut = (Evidence(Weights(), lambda text, lang: text.split()) for _ in range(2))
    early = cut.read(np.stack(vectors[:10]), texts[:10], ["en"] * 10)
    assert np.array_equal(whole.read(np.stack(vectors[:10]), texts[:10], ["en"] * 10), early)
    assert len(ids) == 30


def test_a_long_article_does_not_resemble_everything() -> None:
    """Only its rarest words count, so a text with all words of the world stays bounded."""
    evidence = Evidence(Weights(), lambda text, lang: text.split())
    vectors = np.stack([unit(np.random.default_rng(k).normal(size=384)) for k in range(2)]).astype(np.float32)
    lines = evidence.read(vectors, [" ".join(f"w{k}" for k in range(5000)), "w1 w2"], ["en", "en"])
    assert float((lines[0, 384:] ** 2).sum()) <= Weights().words * Weights().telling * np.log(1e4)
