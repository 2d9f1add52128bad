"""`annotate`: a contract with other programs, whatever they send."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from groundswell.configs.schema import Settings
from groundswell.nlp.enrich import annotate as module
from groundswell.nlp.enrich.annotate import annotate
from groundswell.nlp.enrich.rules import Rules
from groundswell.nlp.text.clean import clean_one
from tests.nlp.fakes import FakeModel


def _schema(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(files("groundswell.configs").joinpath("contracts", name).read_text("utf-8"))
    return found


def _run(tmp_path: Path, raw: bytes, **more: Any) -> tuple[list[dict[str, Any]], module.Counts]:
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_bytes(raw)
    model = more.pop("model", None) or FakeModel()
    counts = annotate(source, target, model, Settings(), rules=more.pop("rules", Rules(())), **more)
    return [json.loads(line) for line in target.read_bytes().split(b"\n") if line], counts


def _line(**fields: Any) -> bytes:
    return json.dumps(fields).encode() + b"\n"


BAD: list[tuple[bytes, object, str]] = [
    (b"not json\n", None, "not JSON"),
    (b'["a list"]\n', None, "expected an object"),
    (b'"a string"\n', None, "expected an object"),
    (b'{"id": "b1", "text": "\xff\xfe"}\n', "b1", "not UTF-8"),
    (b"\x00\x01\x02\x7f\x80binary\xff\n", None, "not UTF-8"),
    (b'{"text": "no id"}\n', None, "id is missing"),
    (b'{"id": "b2"}\n', "b2", "text is missing"),
    (b'{"id": "b3", "text": null}\n', "b3", "text is missing"),
    (b'{"id": "b4", "text": 5}\n', "b4", "text must be text, not int"),
    (b'{"id": "b5", "text": ["a"]}\n', "b5", "text must be text"),
    (b'{"id": "b6", "text": "x", "title": {}}\n', "b6", "title must be text"),
    (b'{"id": "b7", "text": ""}\n', "b7", "nothing readable"),
    (b'{"id": "b8", "text": " \\u200b\\u0000 "}\n', "b8", "nothing readable"),
    (b'{"id": "", "text": "x"}\n', None, "id must have"),
    (b'{"id": true, "text": "x"}\n', None, "id must be text"),
    (b'{"id": {"a": 1}, "text": "x"}\n', None, "id must be text"),
    (b'{"id": "b9", "text": "x", "n": NaN}\n', "b9", "NaN"),
    (b'{"id": "b10", "text": "x", "n": ' + b"[" * 100_000 + b"\n", "b10", "nested too deeply"),
    (b'{"id": "b11", "text": "x", "n": ' + b"9" * 5000 + b"}\n", "b11", "not JSON"),
    (b'{"id": "b12", "text": "cut off\n', "b12", "not JSON"),
]


def test_a_bad_line_is_answered_and_the_rest_goes_on(tmp_path: Path) -> None:
    """Order kept, one answer a line, every answer after the schema, counts that add up."""
    good = _line(id="good", text="I love it")
    answers, counts = _run(tmp_path, good + b"".join(raw for raw, _, _ in BAD) + good)
    assert len(answers) == len(BAD) + 2
    assert (counts.lines, counts.annotated, counts.failed) == (len(BAD) + 2, 2, len(BAD))
    for number, (answer, (_, id_, reason)) in enumerate(zip(answers[1:-1], BAD, strict=True), 2):
        assert answer["id"] == id_
        assert answer["error"].startswith(f"line {number}: ")
        assert reason in answer["error"]
    assert answers[0]["sentiment"]["label"] == answers[-1]["sentiment"]["label"] == "positive"
    for answer in answers:
        jsonschema.validate(answer, _schema("annotate.out.schema.json"))


def test_an_answer_says_all_that_the_contract_promises(tmp_path: Path) -> None:
    """Exactly the agreed fields; every risk with its probability; ids as they came."""
    given = [
        {"id": "é", "text": "I hate ads"},
        {"id": 7, "text": "โฆษณาเยอะมาก", "title": None, "published_at": "not looked at", "more": {"any": [1]}},
        {"id": "é", "text": "the same id again"},
        {"id": "\ud800", "text": "half a surrogate \udfff pair"},
    ]
    for line in given:
        jsonschema.validate(line, _schema("annotate.in.schema.json"))
    answers, _ = _run(tmp_path, b"\xef\xbb\xbf" + b"\r\n\n".join(json.dumps(line).encode() for line in given))
    assert [answer["id"] for answer in answers] == ["é", 7, "é", "\ud800"]
    assert set(answers[0]) == {"id", "lang", "sentiment", "risks", "stances", "targets", "rules", "made_by"}
    assert answers[0]["risks"] == {"ad_experience": 0.9, "gambling": 0.01}
    assert answers[0]["targets"] == [{"who": "ad_product", "label": "negative", "name": "", "role": "subject"}]
    assert [answer["lang"] for answer in answers][:2] == ["en", "th"]
    assert set(answers[0]["sentiment"]) == {"label", "unsure", "negative", "neutral", "positive"}
    assert [answer["sentiment"]["unsure"] for answer in answers][:3] == [False, True, True]
    assert all(answer["sentiment"]["label"] in {"negative", "neutral", "positive"} for answer in answers)


def test_what_lies_behind_the_last_character_kept_is_told(tmp_path: Path) -> None:
    """A text of 5,000 letters says how many of them nobody read, a post says nothing; blanks behind it do not count."""
    words = " ".join(f"word{n}" for n in range(1_000))
    answers, _ = _run(
        tmp_path, b"".join(_line(id=n, text=text) for n, text in enumerate((words, "short", "short" + 9_000 * " ")))
    )
    read = len(clean_one(words))
    assert [answer.get("unread") for answer in answers] == [len(words) - read, None, None]
    jsonschema.validate(answers[0], _schema("annotate.out.schema.json"))


def test_a_text_the_model_chokes_on_costs_only_its_own_line(tmp_path: Path) -> None:
    """Found by halving; its neighbours are annotated."""
    raw = b"".join(_line(id=i, text="plague" if i == 33 else f"text {i}") for i in range(100))
    answers, counts = _run(tmp_path, raw, model=FakeModel(poison="plague"))
    assert counts.failed == 1
    assert answers[33] == {"id": 33, "error": "could not be read: RuntimeError: the encoder choked"}
    assert [answer["id"] for answer in answers] == list(range(100))


def test_a_line_beyond_all_bounds_is_skipped_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its id is told where its head shows one; the next line is read as if nothing had been."""
    monkeypatch.setattr(module, "LONGEST_LINE", 1 << 20)
    raw = _line(id="huge", text="a" * (5 << 20)) + _line(id="next", text="I love it")
    answers, _ = _run(tmp_path, raw)
    assert answers[0] == {"id": "huge", "error": "line 1: longer than 1 MB"}
    assert answers[1]["sentiment"]["label"] == "positive"


def test_a_long_text_is_read_at_its_beginning(tmp_path: Path) -> None:
    """Ten megabytes are cut, not refused, and never reach the model whole."""
    answers, counts = _run(tmp_path, _line(id="long", text="I love it. " + "so it goes " * 900_000))
    assert counts.failed == 0
    assert answers[0]["sentiment"]["label"] == "positive"


def test_the_target_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    """A model that breaks leaves the old answers and no litter; an empty file makes an empty file."""
    (tmp_path / "out.jsonl").write_text("old\n")
    with pytest.raises(RuntimeError):
        _run(tmp_path, b"".join(_line(id=i, text=f"text {i}") for i in range(20)), model=FakeModel(poison="text"))
    assert (tmp_path / "out.jsonl").read_text() == "old\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.jsonl", "out.jsonl"]
    assert _run(tmp_path, b"") == ([], module.Counts(0, 0, 0))


def test_batches_keep_order_and_report_progress(tmp_path: Path) -> None:
    """More lines than a batch holds, in order."""
    seen: list[int] = []
    raw = b"".join(_line(id=i, text=f"text {i}") for i in range(1300))
    answers, _ = _run(tmp_path, raw, progress=lambda done, total, what: seen.append(done))
    assert [answer["id"] for answer in answers] == list(range(1300))
    assert seen == [512, 1024, 1300]
