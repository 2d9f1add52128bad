"""The quality of the model over time: intervals that hold, figures from audits alone, drift, moderators' decisions."""

from __future__ import annotations

import random
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from groundswell.configs.schema import Settings
from groundswell.index.open import open_store
from groundswell.index.records import Label, Moderation, Record, Sample
from groundswell.nlp.trust import sampling
from groundswell.nlp.trust.drift import moves
from groundswell.nlp.trust.moderation import months, read_csv
from groundswell.nlp.trust.quality import Audited, audited, figures
from groundswell.nlp.trust.truth import NONE, RISKS
from groundswell.ui.cli import cli
from groundswell.ui.report.quality import as_html, look, write
from tests.index.makers import NOON, enriched, mention

NAMES = ("gambling", "scam_jobs")


def _world(seed: int = 3, count: int = 4000) -> tuple[list[sampling.Member], dict[str, set[str]]]:
    """Return a population and the truth: some of what is called so is not, and some of the rest is."""
    dice = random.Random(seed)
    members, true = [], {}
    for n in range(count):
        called = tuple(risk for risk, share in zip(NAMES, (0.06, 0.02), strict=True) if dice.random() < share)
        has = {risk for risk in NAMES if dice.random() < (0.8 if risk in called else 0.01)}
        members.append(sampling.Member(f"d{n}", dice.choice(("en", "th")), "SG", "neutral", called, "m 1"))
        true[f"d{n}"] = has
    return members, true


def _labelled(
    members: list[sampling.Member], true: dict[str, set[str]], size: int, turn: int
) -> tuple[list[Label], list[Sample]]:
    sample, tasks = sampling.draw_audit(
        members, size=size, second=0, since=NOON - timedelta(days=7), until=NOON, by=f"turn {turn}", now=NOON
    )
    labels = [
        Label(
            id=task.id, subject=task.subject, field=RISKS, value=" ".join(sorted(true[task.subject])) or NONE,
            annotator="mei", at=NOON, queue="audit", sample=sample.id, stratum=task.stratum,
            predicted=task.predicted[RISKS], made_by="m 1", lang=task.lang, market="SG",
        )
        for task in tasks
    ]  # fmt: skip
    return labels, [sample]


def test_intervals_cover_the_truth_as_often_as_they_say() -> None:
    """Of audits drawn again and again from one population, about 95 in 100 (1,000 in bench/audits.py)."""
    members, true = _world()
    for risk in NAMES:
        called = [one for one in members if risk in one.risks]
        right = sum(risk in true[one.id] for one in called)
        truth = {
            "precision": right / len(called),
            "recall": right / sum(risk in has for has in true.values()),
        }
        hits = dict.fromkeys(truth, 0)
        for turn in range(60):
            labels, samples = _labelled(members, true, 300, turn)
            (figure,) = figures(audited(labels, NAMES), samples, [risk])
            for name, value in truth.items():
                estimate = getattr(figure, name)
                hits[name] += estimate.low <= value <= estimate.high
        assert all(count >= 52 for count in hits.values()), (risk, hits)


def test_an_audit_of_everybody_is_the_truth_itself() -> None:
    """Nothing is left to chance, so the interval is a point."""
    members, true = _world(count=300)
    labels, samples = _labelled(members, true, 300, 0)
    (figure,) = figures(audited(labels, NAMES), samples, ["gambling"])
    called = [one for one in members if "gambling" in one.risks]
    right = sum("gambling" in true[one.id] for one in called)
    assert figure.precision.value == pytest.approx(right / len(called))
    assert figure.precision.low == pytest.approx(figure.precision.high)
    assert figure.recall.value == pytest.approx(right / sum("gambling" in has for has in true.values()))


def test_only_random_audits_are_figures_about_all() -> None:
    """What was chosen because it is hard says nothing about the rest; a dispute is not judged, a ruling is."""
    from dataclasses import replace

    members, true = _world(count=400)
    labels, samples = _labelled(members, true, 100, 0)
    hard = [replace(label, queue="uncertain") for label in labels]
    assert audited(hard, NAMES) == []
    other = replace(labels[0], id="x", annotator="tan", value="gambling scam_jobs" if labels[0].value == NONE else NONE)
    judged = {one.judged for one in audited([labels[0], other], NAMES)}
    assert judged == {frozenset()} or frozenset(NAMES) not in judged
    ruling = replace(labels[0], id="y", annotator="lee", round=3, queue="", sample="")
    assert frozenset(NAMES) <= next(iter(audited([labels[0], other, ruling], NAMES))).judged
    by_language = figures(audited(labels, NAMES), samples, ["gambling"], by=lambda one: one.lang)
    assert {one.of for one in by_language} == {"en", "th"}
    whole = figures(audited(labels, NAMES), samples, ["gambling"])[0]
    assert sum(one.called for one in by_language) == pytest.approx(whole.called)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Return a store with an audit, new words, and a moderator."""
    made = Settings(data_dir=tmp_path / "data")
    members, true = _world(count=300)
    labels, samples = _labelled(members, true, 120, 0)
    records: list[Record] = [*labels, *samples]
    for n in range(30):
        old = n < 20
        text = "the parcel is late" if old else "<b>jackpot</b> bonus jackpot"
        records += [mention(f"x{n}", text, hours=-24 * (12 if old else 1)), enriched(f"x{n}", lang="en")]
    with open_store(made) as store:
        assert not store.put(records).refused
    return made


def test_what_moved_is_told_with_by_what(settings: Settings) -> None:
    """Words that came and went; languages that did not."""
    with open_store(settings) as store:
        found = {move.what: move for move in moves(store, now=NOON)}
    assert found["vocabulary"].is_notable
    assert any("jackpot" in one for one in found["vocabulary"].most)
    assert found["input: languages"].bits == 0.0
    assert not found["input: languages"].is_notable


CSV = """id,decision,reviewer,seconds,appeal,at,market
a1,rejected,r1,10,overturned,2026-11-02T10:00:00Z,TH
a2,REJECT,r1,20,denied,2026-11-03T10:00:00Z,th
a3,approved,r2,,,2026-11-03T10:00:00Z,SG
a4,rejected,r2,5,upheld,2026-11-03T10:00:00Z,SG
,rejected,r2,5,,,
"""


def test_wrong_rejections_stand_beside_what_users_say(settings: Settings) -> None:
    """By appeals that were decided; what is ambiguous is refused with its line."""
    found, refused = read_csv(CSV, now=NOON, name="m.csv")
    assert [said.split(": ")[0] for said in refused] == ["m.csv:5", "m.csv:6"]
    assert "not 'upheld'" in refused[0]
    with open_store(settings) as store:
        store.put([mention("c", "banned for nothing"), enriched("c", risks={"enforcement_payout": 0.9})])
        (month,) = months(store, found)
    assert (month.month, month.decisions, month.rejected, month.appealed, month.overturned) == ("2026-11", 3, 2, 2, 1)
    assert month.wrong.value == 0.5
    assert (month.seconds, month.complaints) == (15.0, 1)


def test_the_report_is_a_page_and_a_workbook(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same figures; what people wrote is text in both; a file of another kind is refused."""
    from python_calamine import CalamineWorkbook

    with open_store(settings) as store:
        quality = look(store, settings, days=30, now=NOON)
    assert quality.labelled == 120
    page = as_html(quality)
    assert "<b>jackpot" not in page
    assert str(quality.figures["class"][0].precision) in page
    write(quality, tmp_path / "quality.xlsx")
    sheet = CalamineWorkbook.from_path(str(tmp_path / "quality.xlsx")).get_sheet_by_name("by class").to_python()
    assert sheet[1][0] == quality.figures["class"][0].name
    with pytest.raises(OSError, match=r"\.html or \.xlsx"):
        write(quality, tmp_path / "quality.doc")
    monkeypatch.setenv("GROUNDSWELL_NOW", NOON.isoformat())
    (tmp_path / "m.csv").write_text(CSV, "utf-8")
    base = ["--set", f"data_dir={settings.data_dir}", "quality"]
    result = CliRunner().invoke(cli, [*base, "import", str(tmp_path / "m.csv")], standalone_mode=False)
    assert result.return_value == 1
    assert "3 new decisions" in result.output
    with open_store(settings) as store:
        assert len(store.recent(Moderation)) == 3
    result = CliRunner().invoke(cli, [*base, "--write", str(tmp_path / "q.html")], standalone_mode=False)
    assert "1 audits, 120 documents labelled" in result.output
    assert "moved: vocabulary" in result.output
    assert "Moderation" in (tmp_path / "q.html").read_text("utf-8")


def test_what_is_drawn_often_never_speaks_for_what_is_drawn_seldom() -> None:
    """One of two documents of a small stratum hits: that is one or two more, not as many as in the largest stratum."""
    population = {
        NONE: {"": 10_000},
        "gambling": {"": 300, "gambling": 300},
        "scam_jobs": {"": 100, "scam_jobs": 100, "gambling": 2},
    }
    sample = Sample(id="s", at=NOON, by="x", since=NOON - timedelta(days=7), until=NOON, population=population)
    called, nothing, both = frozenset({"gambling"}), frozenset[str](), frozenset({"gambling", "scam_jobs"})
    judged = frozenset(NAMES)
    drawn = (
        [(NONE, nothing, nothing)] * 300 + [("gambling", called, called)] * 80 + [("gambling", called, nothing)] * 20
    )
    drawn += [("scam_jobs", both, called)] + [("scam_jobs", frozenset({"scam_jobs"}), nothing)] * 97
    found = [Audited("s", stratum, "en", "SG", "m", said, true, judged) for stratum, said, true in drawn]
    (figure,) = figures(found, [sample], ["gambling"])
    assert figure.prevalence.value == pytest.approx((figure.precision.value or 0) * 302 / 10_400)
    assert figure.prevalence.high < 0.035
