"""What a replay promises: the past only, every line accounted for, and files that keep to the contract."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from jsonschema import Draft202012Validator

from groundswell.configs.events import load_events
from groundswell.configs.schema import Settings
from groundswell.configs.yaml_lines import ConfigError
from groundswell.index.open import open_store
from groundswell.index.records import Label, Signal
from groundswell.nlp.model.model import Model
from groundswell.nlp.model.vector_cache import VARIABLE
from groundswell.nlp.replay.backtest import BacktestError, backtest
from groundswell.nlp.replay.budgets import confirmed

BEGIN = datetime(2026, 1, 5, tzinfo=UTC)
CONTRACTS = Path(__file__).parents[2] / "configs" / "contracts"
USUAL = ("login code never arrives", "song stops screen locks", "premium price high again", "offline songs missing")
NEW = "fake minister video tradenova"
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
    "never",
]


class Reading:
    """What a model says of texts."""

    def __init__(self, count: int) -> None:
        self.risks = np.full((count, 1), 0.9, np.float32)


class Hashing:
    """An encoder of words, so that the test needs no weights: each word a fixed direction, a text their sum."""

    embedding_version, made_by, dimensions, risk_ids = "words-1", "words", 384, ("scam_investment",)

    def __init__(self) -> None:
        self.seen = 0

    def vectors(self, texts: Sequence[str]) -> np.ndarray[Any, np.dtype[np.float32]]:
        """Return a vector for each text."""
        self.seen += len(texts)
        rows = [sum((self._word(word) for word in text.split()), np.ones(384)) for text in texts]
        return np.stack([row / np.linalg.norm(row) for row in rows]).astype(np.float32)

    def read(self, texts: Sequence[str]) -> Reading:
        """Return a risk for each text."""
        return Reading(len(texts))

    def _word(self, word: str) -> np.ndarray[Any, np.dtype[np.float64]]:
        return np.random.default_rng(list(word.encode())).normal(size=384)


def model() -> Model:
    """Return the stand-in as what the replay expects."""
    return cast(Model, Hashing())


def rows(*, days: int = 36, planted_on: int = 30) -> list[dict[str, Any]]:
    """Return a stream of reviews with one new subject."""
    rng = np.random.default_rng(0)
    usual = np.sort(rng.uniform(0, 24 * days, 30 * days))
    said = [(float(h), f"{rng.choice(USUAL)} {' '.join(rng.choice(FILLERS, 3))} {rng.integers(1000)}x") for h in usual]
    new = rng.uniform(24 * planted_on, 24 * (planted_on + 3), 30)
    said += [(float(h), f"{NEW} {' '.join(rng.choice(FILLERS, 2))} {rng.integers(1000)}x") for h in new]
    return [
        {"id": f"d{k}", "text": text, "published_at": (BEGIN + timedelta(hours=hour)).isoformat(), "shop": k % 3}
        for k, (hour, text) in enumerate(sorted(said))
    ]


def write(path: Path, lines: Sequence[Any]) -> Path:
    """Write lines as JSON, or as they are where they are text."""
    path.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines), "utf-8")
    return path


def lines_of(path: Path) -> list[dict[str, Any]]:
    """Return the objects of a file of JSON lines."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


@pytest.fixture(scope="module")
def replayed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A replay of the stream."""
    folder = tmp_path_factory.mktemp("replay")
    backtest(write(folder / "in.jsonl", rows()), folder / "out", Settings(data_dir=folder), model=model())
    return folder


def test_what_is_written_keeps_to_the_contract(replayed: Path) -> None:
    """Each line fits its schema; every document has its line in themes.jsonl; evidence is known ids."""
    for name in ("alerts", "themes"):
        schema = Draft202012Validator(json.loads((CONTRACTS / f"backtest.{name}.schema.json").read_text("utf-8")))
        written = lines_of(replayed / "out" / f"{name}.jsonl")
        assert written
        assert not [error for line in written for error in schema.iter_errors(line)]
    ids = [line["id"] for line in lines_of(replayed / "in.jsonl")]
    assert [line["id"] for line in lines_of(replayed / "out" / "themes.jsonl")] == ids
    assert all(set(alert["documents"]) <= set(ids) for alert in lines_of(replayed / "out" / "alerts.jsonl"))


def test_the_planted_subject_fires_once_within_a_day(replayed: Path) -> None:
    """With what else the lines carried kept beside the evidence."""
    texts = {line["id"]: line["text"] for line in lines_of(replayed / "in.jsonl")}
    fired = [alert for alert in lines_of(replayed / "out" / "alerts.jsonl") if alert["fired"]]
    about = [
        alert for alert in fired if sum(NEW in texts[d] for d in alert["documents"]) * 2 >= len(alert["documents"])
    ]
    assert len(about) == 1
    assert datetime.fromisoformat(about[0]["at"]) <= BEGIN + timedelta(days=31)
    assert about[0]["risk"] == "scam_investment"
    assert set(about[0]["evidence"]) == set(about[0]["documents"])
    assert all("shop" in extra for extra in about[0]["evidence"].values())


def test_every_budget_says_what_it_found_missed_and_cost(replayed: Path, tmp_path: Path) -> None:
    """The planted subject is found where anything fires, what never came is missed, and looser budgets cost more."""
    (tmp_path / "events.yaml").write_text(
        f"""events:
  - {{name: minister, start: {BEGIN + timedelta(days=30):%Y-%m-%dT%H:%M:%SZ}, words: [tradeno*, "fake minister"]}}
  - {{name: never, start: {BEGIN + timedelta(days=20):%Y-%m-%d}, words: [nowhere]}}
""",
        "utf-8",
    )
    summary = backtest(
        replayed / "in.jsonl", tmp_path / "out", Settings(data_dir=tmp_path), model=model(), themes=False,
        events=load_events(tmp_path / "events.yaml"),
    )  # fmt: skip
    as_set = next(worth for worth in summary.budgets if worth.budget == 1)
    assert (as_set.found, as_set.missed, as_set.fired) == (("minister",), ("never",), summary.alerts)
    assert as_set.hours is not None
    assert 0 < as_set.hours < 24
    fired = [worth.fired for worth in summary.budgets]
    assert fired == sorted(fired)
    said = str(summary)
    assert "known events missed" in said
    assert "missed at every budget: never" in said


@pytest.mark.parametrize(
    ("event", "said"),
    [
        ("{name: when, start: soon, words: [a]}", "valid datetime"),
        ("{name: which, start: 2026-01-02}", "give words or ids"),
        ("{name: order, start: 2026-01-02, until: 2026-01-01, words: [a]}", "until must come after start"),
    ],
)
def test_an_event_that_cannot_be_used_is_refused_with_its_line(tmp_path: Path, event: str, said: str) -> None:
    """Nothing is replayed against a list with a mistake in it."""
    (tmp_path / "events.yaml").write_text(f"events:\n  - {event}\n", "utf-8")
    with pytest.raises(ConfigError, match=rf"events\.yaml:2.*{said}"):
        load_events(tmp_path / "events.yaml")


def test_events_of_one_name_are_refused(tmp_path: Path) -> None:
    """They could not be told apart in the table."""
    event = "{name: twice, start: 2026-01-02, words: [a]}"
    (tmp_path / "events.yaml").write_text(f"events:\n  - {event}\n  - {event}\n", "utf-8")
    with pytest.raises(ConfigError, match=r"events\.yaml:1.*given twice: twice"):
        load_events(tmp_path / "events.yaml")


def test_what_analysts_confirmed_is_known(tmp_path: Path) -> None:
    """The evidence of a confirmed alert tells of it; one called false is no event."""
    at = BEGIN + timedelta(days=3)
    settings = Settings(data_dir=tmp_path)
    told = [
        Signal(id=one, theme="", kind="new", at=at, start=at - timedelta(hours=9), end=at, observed=4, expected=0.1,
               strength=1.0, severity="high", evidence=(f"{one}1", f"{one}2"), why="", title=one, fired=True)
        for one in ("right", "wrong")
    ]  # fmt: skip
    labels = [
        Label(id=one, subject=one, field="disposition", value=value, annotator="mei", at=at)
        for one, value in (("right", "confirmed"), ("wrong", "false"))
    ]
    with open_store(settings) as store:
        store.put([*told, *labels])
        (event,) = confirmed(store)
    assert event.ids == {"right1", "right2"}
    assert event.start == at - timedelta(hours=9)


def test_evidence_is_never_younger_than_its_alert(replayed: Path) -> None:
    """Not by a second."""
    when = {line["id"]: datetime.fromisoformat(line["published_at"]) for line in lines_of(replayed / "in.jsonl")}
    for alert in lines_of(replayed / "out" / "alerts.jsonl"):
        assert max(when[d] for d in alert["documents"]) <= datetime.fromisoformat(alert["at"])


def test_half_a_file_gives_the_same_past(replayed: Path, tmp_path: Path) -> None:
    """Without the last days, everything up to the last whole day is as it was, strengths too."""
    given = rows()
    cut = given[: int(len(given) * 0.93)]
    backtest(
        write(tmp_path / "in.jsonl", cut), tmp_path / "out", Settings(data_dir=tmp_path), model=model(), themes=False
    )
    until = cut[-1]["published_at"][:10]
    keys = [
        [
            (a["at"], a["documents"], a["strength"])
            for a in lines_of(folder / "out" / "alerts.jsonl")
            if a["at"][:10] < until
        ]
        for folder in (replayed, tmp_path)
    ]
    assert keys[0] == keys[1]


def test_order_in_the_file_does_not_matter(replayed: Path, tmp_path: Path) -> None:
    """Documents are taken by their time."""
    backtest(write(tmp_path / "in.jsonl", rows()[::-1]), tmp_path / "out", Settings(), model=model(), themes=False)
    told = [[(a["at"], a["documents"]) for a in lines_of(f / "out" / "alerts.jsonl")] for f in (replayed, tmp_path)]
    assert told[0] == told[1]


def test_bad_lines_are_refused_with_their_reason_and_counts_add_up(tmp_path: Path) -> None:
    """One poisoned line never stops the rest; what has an id has a line in themes.jsonl."""
    good = rows()[:40]
    bad: list[Any] = [
        "{not json", "[1, 2]", {"text": "no id", "published_at": "2026-01-05"},
        {"id": "e", "text": " ", "published_at": "2026-01-05"},
        {"id": "u", "text": "undated"}, {"id": "f", "text": "far", "published_at": "9999-12-31T23:59:59+00:00"},
        {**good[0]}, {"id": True, "text": "x", "published_at": "2026-01-05"},
    ]  # fmt: skip
    summary = backtest(
        write(tmp_path / "in.jsonl", [*bad[:4], *good, *bad[4:]]), tmp_path / "out", Settings(), model=model()
    )
    assert (summary.lines, summary.documents, summary.refused) == (48, 40, 8)
    assert sum(summary.reasons.values()) == 8
    refused = lines_of(tmp_path / "out" / "refused.jsonl")
    assert {item["reason"] for item in refused} >= {
        "not JSON in UTF-8",
        "not a JSON object",
        "no id",
        "no text",
        "the id came before",
    }
    themes = {line["id"]: line["theme"] for line in lines_of(tmp_path / "out" / "themes.jsonl")}
    assert themes["u"] is None
    assert "8 refused" in str(summary)


def test_a_file_without_a_usable_line_says_why(tmp_path: Path) -> None:
    """And where to read what a line should be."""
    with pytest.raises(BacktestError, match=r"no line that can be replayed: no date .*docs/contracts\.md"):
        backtest(write(tmp_path / "in.jsonl", [{"id": "a", "text": "b"}]), tmp_path / "out", Settings(), model=model())


def test_a_vector_cache_is_used_and_a_torn_one_mended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second replay encodes nothing; a row cut off by a kill is encoded again, and the results are the same."""
    monkeypatch.setenv(VARIABLE, str(tmp_path / "cache"))
    source = write(tmp_path / "in.jsonl", rows()[:300])
    told = []
    for torn in (False, False, True):
        if torn:
            file = tmp_path / "cache" / "words-1" / "vectors.f32"
            file.write_bytes(file.read_bytes()[:-10])
        encoder = Hashing()
        backtest(source, tmp_path / "out", Settings(), model=cast(Model, encoder), themes=False)
        told.append((encoder.seen, (tmp_path / "out" / "alerts.jsonl").read_bytes()))
    distinct = len({row["text"] for row in rows()[:300]})
    assert [seen for seen, _ in told] == [distinct, 0, 1]
    assert len({alerts for _, alerts in told}) == 1
