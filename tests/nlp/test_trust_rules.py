"""The rules' workbench: measured by labels, terms with their gain, spellings that hide a word."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from groundswell.configs.schema import Settings
from groundswell.index.open import open_reader, open_store
from groundswell.index.records import Document, Label, Record
from groundswell.nlp.enrich.rules import Rules, read_rules
from groundswell.nlp.trust import rules as measuring
from groundswell.nlp.trust.spellings import hidden
from groundswell.nlp.trust.truth import by_document, judgements, truths
from groundswell.ui.cli import cli
from tests.index.makers import NOON, enriched, mention

OWN = (
    "rules:\n"
    "  - {id: bet.own, about: gambling, any: ['\\bpoker\\b'], match: [poker], reject: [cards], version: 3}\n"
    "  - {id: bet.twin, about: gambling, any: ['poker (?:night|room)'], match: [poker night], reject: [cards],"
    " shadow: true}\n"
)


def _own(tmp_path: Path, text: str = OWN) -> Rules:
    path = tmp_path / "own.yaml"
    path.write_text(text, "utf-8")
    return Rules([each for each in read_rules([path]).compiled if each.where.startswith(str(path))])


def _label(subject: str, value: str, annotator: str = "mei", *, field: str = "gambling", round: int = 1) -> Label:
    name = f"{subject}-{field}-{annotator}-{round}"
    return Label(id=name, subject=subject, field=field, value=value, annotator=annotator, at=NOON, round=round)


def _world() -> list[Record]:
    """Sixty posts: poker nights (gambling), jackpots (gambling that no rule knows), recipes."""
    records: list[Record] = []
    for n in range(60):
        text = ("poker night tonight", "a jackpot link again", "a recipe for soup")[n % 3] + f" number {n}"
        value = "no" if n % 3 == 2 or n == 0 else "yes"
        records += [mention(f"m{n:02}", text), enriched(f"m{n:02}"), _label(f"m{n:02}", value)]
    return records


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Return a store with labelled posts."""
    made = Settings(data_dir=tmp_path / "data")
    with open_store(made) as store:
        assert not store.put(_world()).refused
    return made


@pytest.mark.parametrize(
    ("text", "word", "raw"),
    [
        ("main sl0t g4cor yuk", "slot gacor", "sl0t g4cor"), ("兼职刷.单返利", "刷单", "刷.单"),
        ("刷 单", "刷单", "刷 单"),
        ("s l o t here", "slot", "s l o t"), ("ca$ino!", "casino", "ca$ino"), ("ѕlоt", "slot", "ѕlоt"),
        ("J.u.d.i online", "judi online", "j.u.d.i online"), ("网*赌", "网赌", "网*赌"), ("c4s1n0", "casino", "c4s1n0"),
        ("สล.็อต", "สล็อต", "สล.็อต"), ("s\u200blot jud1", "judi", "jud1"), ("ＳＬ０Ｔ", "slot", "sl0t"),
    ],
)  # fmt: skip
def test_a_spelling_that_hides_a_word_is_found(text: str, word: str, raw: str) -> None:
    """Look-alikes, gaps, signs between letters, other alphabets, full width; in Latin, Chinese and Thai."""
    assert [(one.raw, one.word) for one in hidden(text, [word])] == [(raw, word)]


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("slot gacor", "slot gacor"), ("SLOT  GACOR", "slot gacor"), ("slotgacor", "slot gacor"),
        ("e-mail me", "email"),
        ("刷单", "刷单"), ("this lot", "slot"), ("room 1057", "ios7"), ("a slot. gacor", "slot gacor"), ("", "slot"),
        ("best lots of it", "slots"), ("it is a bet", "isab"), ("call 105 now", "ios"),
    ],
)  # fmt: skip
def test_a_word_as_it_stands_hides_nothing(text: str, word: str) -> None:
    """Neither case nor spaces nor a hyphen hides, nor do neighbouring words that happen to spell another."""
    assert hidden(text, [word]) == []


def test_a_rule_is_measured_by_what_people_say(settings: Settings, tmp_path: Path) -> None:
    """Hits, precision with its interval, recall, and what only this rule finds."""
    with open_reader(settings) as reader:
        known = by_document(truths(judgements(reader.recent(Label), ["gambling"])))
        texts = measuring.read(reader.recent(Document))
    own, twin = measuring.measure(_own(tmp_path), texts, known)
    assert (own.id, own.version, own.hits, own.judged, own.right) == ("bet.own", 3, 20, 20, 19)
    assert own.precision.value == 0.95
    assert 0.7 < own.precision.low < 0.95 < own.precision.high < 1
    assert own.recall.value == 19 / 39
    assert twin.shadow
    assert [(pair.one, pair.other, pair.both) for pair in measuring.overlaps(_own(tmp_path), texts)] == [
        ("bet.own", "bet.twin", 20)
    ]


def test_a_term_is_suggested_with_what_it_gains_on_other_texts(settings: Settings, tmp_path: Path) -> None:
    """The posts that no rule knows give the term; those it was not taken from say what it is worth."""
    with open_reader(settings) as reader:
        known = by_document(truths(judgements(reader.recent(Label), ["gambling"])))
        texts = measuring.read(reader.recent(Document))
    found = measuring.suggest(_own(tmp_path), texts, known, "gambling")
    jackpot = next(one for one in found if one.term == "jackpot")
    assert jackpot.wrong == 0
    assert 0 < jackpot.found < 20 == jackpot.everywhere
    assert not {"poker", "soup", "recipe"} & {one.term for one in found}


def test_two_who_differ_count_for_nothing_until_somebody_rules() -> None:
    """A machine is never the truth; a majority of three is; a ruling is in any case."""
    given = [_label("a", "yes", "mei"), _label("a", "no", "tan"), _label("b", "no", "llm:x"), _label("c", "yes", "mei")]
    found = truths(judgements(given, ["gambling"]))
    assert found["a", "gambling"].state == "disputed"
    assert ("b", "gambling") not in found
    assert found["c", "gambling"].state == "single"
    assert truths([*given, _label("a", "no", "lee")])["a", "gambling"].value == "no"
    assert truths([*given, _label("a", "yes", "lee", round=3)])["a", "gambling"].state == "ruled"


def test_a_label_of_all_risks_is_a_judgement_of_each() -> None:
    """Named is yes, not named is no, unsure is unsure for all."""
    given = [_label("a", "gambling scam_jobs", field="risks"), _label("b", "unsure", field="risks")]
    found = {
        (one.subject, one.field): one.value for one in judgements(given, ["gambling", "scam_jobs", "ad_experience"])
    }
    assert found["a", "gambling"] == "yes"
    assert found["a", "ad_experience"] == "no"
    assert {value for (subject, _), value in found.items() if subject == "b"} == {"unsure"}


def test_the_commands_of_the_workbench(settings: Settings, tmp_path: Path) -> None:
    """Checked, tried, measured, suggested, from the terminal; what is broken is said and the exit code is one."""
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text(OWN, "utf-8")
    bad.write_text("rules:\n  - {id: a.own, about: gambling, any: [x], match: [y], reject: [x]}\n", "utf-8")
    base = ["--set", f"data_dir={settings.data_dir}", "rules"]

    def run(*words: str) -> tuple[int, str]:
        result = CliRunner().invoke(cli, [*base, *words], standalone_mode=False)
        return result.return_value, result.output

    assert run("check", str(good)) == (0, "2 of 2 rules keep their promises\n")
    code, said = run("check", str(bad))
    assert code == 1
    assert "rule a.own does not hit its example 'y'" in said
    assert "rule a.own hits its example 'x'" in said
    code, said = run("try", str(good))
    assert code == 0
    assert "bet.own     20" in said
    assert "0.95 (0." in said
    assert run("precision")[0] == 0
    assert "gambling.en" in run("list")[1]
    assert "jackpot" in run("suggest", "gambling")[1]
