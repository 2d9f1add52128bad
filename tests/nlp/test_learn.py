"""The learning loop: labels improve the heads on labels that they have not seen, or are refused; and back it goes."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from groundswell.configs.load import load_settings
from groundswell.configs.schema import ModelSettings, Settings
from groundswell.index.audit import Audit
from groundswell.index.open import open_reader, open_store
from groundswell.index.records import Document, Label, Mention
from groundswell.nlp.model.bundle import ModelError
from groundswell.nlp.model.learned import PROPOSED, Learned, put_in_effect, read_learned, write_learned
from groundswell.nlp.model.model import load_model
from groundswell.nlp.trust.labels import known_documents
from groundswell.nlp.trust.learn import HELD_OUT, learn, lessons
from groundswell.ui.cli import cli
from groundswell.ui.learning import folder_of, in_effect, roll_back
from tests.index.makers import NOON, mention

PLACES = ("the mall", "our town", "the station", "the market", "the school", "the park", "the office", "the harbour")
TIMES = ("this morning", "on Monday", "again today", "last week", "since June", "every evening")
WHEEL = "They let everybody spin the lucky wheel at {place} {time}."
OTHER = ("The bus to {place} was late {time}.", "A new cafe opened at {place} {time}.", "Rain at {place} {time}.")
UNSEEN = "We saw them let people spin the lucky wheel near the cinema yesterday."


def _labelled(folder: Path, said: Callable[[str], str]) -> Settings:
    """Return a store of two hundred posts, each labelled by a team that calls a lucky wheel gambling, or by chance."""
    settings = Settings(data_dir=folder)
    texts = [
        form.format(place=place, time=time) for form in (WHEEL, WHEEL.replace("They", "Shops"), *OTHER[:2])
        for place in PLACES for time in TIMES
    ]  # fmt: skip
    mentions = [mention(f"d{n}", text) for n, text in enumerate(texts)]
    labels = [
        Label(id=f"l{one.id}", subject=one.id, field="risks", value=said(one.text), annotator="mei", at=NOON)
        for one in mentions
    ]
    with open_store(settings) as store:
        store.put([*mentions, *labels])
    return settings


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A team that knows what it wants."""
    return _labelled(tmp_path_factory.mktemp("team"), lambda text: "gambling" if "wheel" in text else "none")


def test_what_labels_teach_is_shown_first_then_accepted_then_taken_back(team: Settings) -> None:
    """Nothing changes before it is accepted; both steps are in the audit log."""
    call = ["--set", f"data_dir={team.data_dir}", "--set", "model.threads=1"]
    shown = CliRunner().invoke(cli, [*call, "train"], standalone_mode=False)
    assert shown.return_value == 0, shown.output
    assert "would be read otherwise" in shown.output
    assert _reads(team) < 0.5
    accepted = CliRunner().invoke(cli, [*call, "train", "--accept"], standalone_mode=False)
    assert accepted.return_value == 0, accepted.output
    assert _reads(team) >= 0.5
    there = in_effect(team)
    assert there is not None
    assert there.name in accepted.output
    back = CliRunner().invoke(cli, [*call, "train", "--roll-back"], standalone_mode=False)
    assert "the model as it ships is in effect again" in back.output
    assert _reads(team) < 0.5
    steps = [(row.what, row.before.get("heads"), row.after.get("heads")) for row in Audit(team.data_dir).rows()]
    assert steps[-2:] == [("accept heads", "", there.name), ("roll back heads", there.name, "")]
    with pytest.raises(ModelError, match="reads as it ships"):
        roll_back(team, by="mei")


def _reads(settings: Settings) -> float:
    """Return how likely what is in effect takes an unseen text for gambling; each score says what made it."""
    given = load_settings(overrides={"data_dir": settings.data_dir, "model.threads": 1}, environ={})
    model = load_model(given.model)
    assert ("learned" in model.made_by) == (given.model.learned is not None)
    return float(model.read([UNSEEN]).risks[0, model.risk_ids.index("gambling")])


def test_labels_by_chance_are_refused(tmp_path: Path) -> None:
    """What somebody rolled dice for is no better on unseen labels, whatever it looks like on those it learnt from."""
    dice = random.Random(5)
    settings = _labelled(tmp_path, lambda _: "gambling" if dice.random() < 0.5 else "none")
    call = ["--set", f"data_dir={tmp_path}", "--set", "model.threads=1", "train"]
    found = CliRunner().invoke(cli, call, standalone_mode=False)
    assert found.return_value == 1
    assert "refused" in found.output
    assert not (folder_of(settings) / PROPOSED).exists()


def test_what_judges_never_teaches_and_copies_stand_on_one_side(team: Settings) -> None:
    """Held out are about three of ten; a text and its copy are never parted."""
    model = load_model(ModelSettings(threads=1))
    with open_reader(team) as reader:
        known = known_documents(reader, team)
        documents = reader.many(Document, sorted(known))
    twice = [*documents, *(_copy(one) for one in documents)]
    given = lessons(twice, {one.id: known[one.id.removesuffix("copy")] for one in twice}, model.risk_ids)
    given = replace(given, groups=tuple(group.removesuffix("copy") for group in given.groups))
    _, trial = learn(model, given)
    assert trial.held_out % 2 == 0
    assert trial.held_out + trial.taught == len(twice)
    assert trial.held_out / len(twice) == pytest.approx(HELD_OUT, abs=0.1)


def _copy(document: Document) -> Document:
    own: Mention = replace(document.mention, id=f"{document.id}copy")
    return replace(document, mention=own)


def test_what_was_learnt_for_another_model_is_left_out_and_said(
    team: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """On another version's features it would be noise."""
    model = load_model(ModelSettings(threads=1))
    with open_reader(team) as reader:
        known = known_documents(reader, team)
        learned, _ = learn(model, lessons(reader.many(Document, sorted(known)), known, model.risk_ids))
    assert learned is not None
    write_learned(tmp_path / "old.npz", replace(learned, base="groundswell-small 0.0.1"))
    other = load_model(ModelSettings(threads=1, learned=tmp_path / "old.npz"))
    assert other.made_by == model.made_by
    assert "train again" in caplog.text
    _what_did_not_win_or_is_stale(tmp_path / "folder", replace(learned, report={"wins": False}))


def _what_did_not_win_or_is_stale(folder: Path, learned: Learned) -> None:
    """Check that what lost, what was learnt beside another one, and what is damaged cannot be accepted."""
    write_learned(folder / PROPOSED, learned)
    with pytest.raises(ModelError, match="did not win"):
        put_in_effect(folder)
    write_learned(folder / PROPOSED, replace(learned, report={"wins": True}, before="cafe"))
    with pytest.raises(ModelError, match="train again"):
        put_in_effect(folder)
    (folder / PROPOSED).write_bytes(b"torn")
    with pytest.raises(ModelError, match="cannot read"):
        read_learned(folder / PROPOSED)
