"""Labels: drawn at random, given blind, settled; how far people agree; what a sample says of all."""

from __future__ import annotations

import json
import random
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import krippendorff
import pytest
from sklearn.metrics import cohen_kappa_score

from groundswell.configs.schema import LabellingSettings, Settings
from groundswell.index.codec import decode
from groundswell.index.open import open_store
from groundswell.index.records import Document, Label, Sentiment, Task
from groundswell.nlp.trust import sampling
from groundswell.nlp.trust.agreement import agreement, by_annotator, cohen_kappa, krippendorff_alpha
from groundswell.nlp.trust.estimate import Estimate, Stratum, share_of, total
from groundswell.nlp.trust.exchange import Shape, read, written
from groundswell.nlp.trust.labels import all_judgements, population
from groundswell.nlp.trust.pack import calibration, gold
from groundswell.nlp.trust.people import performance
from groundswell.ui.desk import DeskError
from groundswell.ui.labelling import Labelling, guidelines, next_task, onboarding_of, waiting, weekly_calibration
from tests.index.makers import NOON, enriched, mention

RISKS = ("gambling", "scam_jobs")
ORDER = ("negative", "neutral", "positive")


def _votes(seed: int, values: tuple[str, ...], people: int, documents: int) -> list[dict[str, str]]:
    """Return what several say of documents, with gaps, and more alike than by chance."""
    dice = random.Random(seed)
    units = []
    for _ in range(documents):
        meant = dice.choice(values)
        who = dice.sample(range(people), dice.randint(1, people))
        units.append({f"p{n}": meant if dice.random() < 0.6 else dice.choice(values) for n in who})
    return units


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("level", ["nominal", "ordinal"])
def test_alpha_is_krippendorff_s_own(seed: int, level: Literal["nominal", "ordinal"]) -> None:
    """Equal to the reference package, with any number of annotators and gaps."""
    units = _votes(seed, ORDER, people=2 + seed % 4, documents=30)
    people = sorted({who for unit in units for who in unit})
    numbers = [[ORDER.index(unit[who]) if who in unit else float("nan") for unit in units] for who in people]
    expected = krippendorff.alpha(reliability_data=numbers, level_of_measurement=level, value_domain=[0, 1, 2])
    assert krippendorff_alpha(units, order=ORDER if level == "ordinal" else ()) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_kappa_is_cohen_s(seed: int) -> None:
    """Equal to scikit-learn's over the documents that both judged."""
    units = [unit for unit in _votes(seed, ORDER, people=2, documents=40) if len(unit) == 2]
    expected = cohen_kappa_score([unit["p0"] for unit in units], [unit["p1"] for unit in units])
    assert cohen_kappa(units, "p0", "p1") == pytest.approx(expected)


A = "1 2 3 3 2 1 4 1 2 . . ."
B = "1 2 3 3 2 2 4 1 2 5 . 3"
C = ". 3 3 3 2 3 4 2 2 5 1 ."
D = "1 2 3 3 2 4 4 1 2 5 1 ."


@pytest.mark.parametrize(
    ("rows", "order", "alpha"),
    [
        (("0 1 0 0 0 0 0 0 1 0", "1 1 1 0 0 1 0 0 0 0"), "", 0.095),
        (("a a b b d c c c e d d a", "b a b b b c c c e d d d"), "", 0.692),
        ((A, B, C, D), "", 0.743),
        ((A, B, C, D), "12345", 0.815),
    ],
)
def test_alpha_is_as_published(rows: tuple[str, ...], order: str, alpha: float) -> None:
    """Krippendorff (2011), "Computing Krippendorff's Alpha-Reliability", examples A to C: two and four observers, gaps.

    Of the two ordinal distances that packages take it is his: by the values' frequencies, each end counted half.
    """
    given = [row.split() for row in rows]
    units = [{str(who): row[n] for who, row in enumerate(given) if row[n] != "."} for n in range(len(given[0]))]
    assert krippendorff_alpha(units, order=tuple(order)) == pytest.approx(alpha, abs=0.0005)


def test_kappa_is_as_published() -> None:
    """Cohen (1960), table 1: two judges, 200 subjects, three categories."""
    table = ((88, 14, 18), (10, 40, 10), (2, 6, 12))
    units = [
        {"one": str(i), "other": str(j)}
        for i, row in enumerate(table)
        for j, count in enumerate(row)
        for _ in range(count)
    ]
    assert cohen_kappa(units, "one", "other") == pytest.approx(0.492, abs=0.0005)


def test_one_who_labelled_alone_and_many_who_labelled_all_change_nothing() -> None:
    """Documents that one person saw count in no figure; twelve annotators are as the package says."""
    units = _votes(3, ORDER, people=12, documents=60)
    alone: list[dict[str, str]] = [{"p1": "negative"}, {"p2": "positive"}]
    people = sorted({who for unit in units for who in unit})
    numbers = [[ORDER.index(unit[who]) if who in unit else float("nan") for unit in units] for who in people]
    expected = krippendorff.alpha(reliability_data=numbers, level_of_measurement="ordinal", value_domain=[0, 1, 2])
    assert krippendorff_alpha([*units, *alone], order=ORDER) == pytest.approx(expected, abs=1e-9)


def test_where_no_disagreement_was_possible_there_is_no_figure() -> None:
    """All say the same, or nothing is said twice: neither 1 nor 0 would be true."""
    assert krippendorff_alpha([{"a": "yes", "b": "yes"}] * 5) is None
    assert krippendorff_alpha([{"a": "yes"}, {"b": "no"}]) is None
    assert cohen_kappa([{"a": "yes", "b": "yes"}], "a", "b") is None


def test_agreement_is_told_by_field_slice_and_annotator() -> None:
    """Rulings are no votes; labels of two languages do not meet."""
    given = [
        _label("d1", "mei", "yes", lang="en"), _label("d1", "tan", "yes", lang="en"),
        _label("d2", "mei", "no", lang="th"),
        _label("d2", "tan", "yes", lang="th"), _label("d2", "lee", "no", lang="th", round=3),
    ]  # fmt: skip
    (whole,) = agreement(given)
    assert (whole.units, whole.observed) == (2, 0.5)
    assert {one.of: one.observed for one in agreement(given, by=lambda one: one.lang)} == {"en": 1.0, "th": 0.0}
    assert {one.of for one in by_annotator(given)} == {"mei", "tan"}


def _label(subject: str, who: str, value: str, *, field: str = "gambling", round: int = 1, **more: Any) -> Label:
    name = "-".join((subject, field, who, str(round)))
    made = Label(id=name, subject=subject, field=field, value=value, annotator=who, at=NOON, round=round)
    return replace(made, **more)


# --- estimates --------------------------------------------------------------------------------------------------------


def test_a_whole_stratum_that_was_looked_at_is_certain() -> None:
    """Nothing is left to guess; of nothing nothing is known; what was not drawn from is unknown."""
    assert Stratum(population=20, sample=20, hits=5).share == Estimate(0.25, 0.25, 0.25)
    assert Stratum(population=20, sample=0, hits=0).share.value is None
    assert total([Stratum(population=20, sample=20, hits=5), Stratum(population=10, sample=0, hits=0)]).value is None
    assert share_of(Estimate(None, 0, 1), Estimate(1, 1, 1)).value is None


def test_a_share_is_the_same_seen_from_the_other_side() -> None:
    """Part and rest exchanged is one minus it; no part at all has an upper limit only."""
    part, rest = (total([Stratum(population=1000, sample=100, hits=hits)]) for hits in (30, 5))
    one, other = share_of(part, rest), share_of(rest, part)
    assert one.value == pytest.approx(1 - (other.value or 0))
    assert one.low < (one.value or 0) < one.high
    nothing = share_of(total([Stratum(population=1000, sample=100, hits=0)]), rest)
    assert nothing.value == 0.0
    assert nothing.low == pytest.approx(0.0)
    assert 0 < nothing.high < 1


def test_what_differs_by_rounding_alone_is_nothing() -> None:
    """Sums of a third and a seventh do not come out even; a share of nothing is unknown."""
    assert share_of(Estimate(1e-13, 0, 1), Estimate(-1e-13, 0, 1)).value is None
    assert share_of(Estimate(-1e-13, 0, 5), Estimate(10, 8, 12)).value == pytest.approx(0.0)


# --- draws ------------------------------------------------------------------------------------------------------------


def _members(count: int = 3000) -> list[sampling.Member]:
    dice = random.Random(1)
    pools = [("gambling",), ("scam_jobs",), ("gambling", "scam_jobs"), *[()] * 12]
    return [
        sampling.Member(f"d{n}", dice.choice(("en", "th")), "SG", dice.choice(ORDER), dice.choice(pools), "tester 1")
        for n in range(count)
    ]


def _audit(members: list[sampling.Member], size: int = 200) -> tuple[object, list[Task]]:
    return sampling.draw_audit(
        members, size=size, second=0.2, since=NOON - timedelta(days=7), until=NOON, by="mei", now=NOON
    )


def test_an_audit_is_a_stratified_random_draw_that_can_be_repeated() -> None:
    """Half of it where no risk is claimed, the risks alike, a fifth twice; the population is counted to the last."""
    members = _members()
    sample, tasks = sampling.draw_audit(
        members, size=200, second=0.2, since=NOON - timedelta(days=7), until=NOON, by="mei", now=NOON
    )
    assert len(tasks) == len({task.subject for task in tasks}) == 200 == sum(sample.drawn.values())
    assert sample.drawn["none"] == 100
    assert abs(sample.drawn["gambling"] - sample.drawn["scam_jobs"]) <= 1
    assert sum(task.wanted == 2 for task in tasks) == 40
    assert sum(counts[""] for counts in sample.population.values()) == len(members)
    claimed = Counter(risk for member in members for risk in member.risks)
    assert {risk: sum(c.get(risk, 0) for c in sample.population.values()) for risk in RISKS} == dict(claimed)
    assert _audit(list(reversed(members)))[1] == tasks
    few = _audit(members[:30], size=200)[1]
    assert len(few) == 30


def test_what_teaches_comes_first() -> None:
    """Unsure texts, texts on which rule and model differ, sources that speak otherwise; copies once."""

    def document(name: str, **changes: Any) -> Document:
        said = replace(enriched(name, duplicate_of=name), **changes)
        return Document(mention=mention(name), enriched=said)

    half = Sentiment(label="unsure", negative=0.5, neutral=0.49, positive=0.01)
    sure = Sentiment(label="negative", negative=0.98, neutral=0.01, positive=0.01)
    documents = [
        document("a", sentiment=sure), document("b", sentiment=half), document("c", sentiment=half, duplicate_of="b"),
        document("d", sentiment=sure, rules=("r1", "shadow:r2")),
    ]  # fmt: skip
    assert [task.subject for task in sampling.draw_uncertain(documents, size=2, now=NOON)] == ["b", "a"]
    about = {"r1": "gambling", "r2": "gambling"}
    (differs,) = sampling.draw_disagreement(documents, {}, about, size=9, now=NOON)
    assert (differs.subject, differs.why) == ("d", "a rule says gambling")
    known = {"a": {"sentiment": "positive"}}
    assert sampling.draw_disagreement(documents, known, about, size=9, now=NOON)[0].subject == "a"
    old = [Document(mention=mention(f"o{n}", hours=-99), enriched=enriched(f"o{n}")) for n in range(9)]
    new = [Document(mention=mention(f"n{n}", hours=1), enriched=enriched(f"n{n}", "positive")) for n in range(3)]
    drifted = sampling.draw_drift([*old, *new], since=NOON, size=9, now=NOON)
    assert {task.subject for task in drifted} == {"n0", "n1", "n2"}
    assert drifted[0].priority == 1.0


# --- labelling --------------------------------------------------------------------------------------------------------


@pytest.fixture
def desk(settings: Settings) -> Labelling:
    """Return the labelling of a small store."""
    store = open_store(settings)
    store.put([record for n in range(12) for record in (mention(f"d{n}"), enriched(f"d{n}", lang="en"))])
    return Labelling(store, RISKS)


@pytest.fixture
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Return settings of an empty place."""
    return Settings(data_dir=tmp_path_factory.mktemp("labels"))


def _task(name: str, wanted: int = 1, **more: Any) -> Task:
    made = Task(
        id=f"t-{name}", subject=name, queue="audit", at=NOON, wanted=wanted, sample="s", stratum="none",
        predicted={"sentiment": "neutral", "risks": "none"}, made_by="tester 1", lang="en", market="SG",
    )  # fmt: skip
    return replace(made, **more)


def test_a_second_label_is_somebody_else_s_and_blind(desk: Labelling) -> None:
    """A task goes to each once; when it has its labels it is gone, and the labels say all there is."""
    assert desk.add([_task("d1", wanted=2)]) == 1
    assert desk.add([_task("d1", wanted=2)]) == 0
    task = next_task(desk.store, "mei")
    assert task is not None
    desk.answer(task.id, {"sentiment": "negative", "risks": "scam_jobs, gambling"}, by="mei", now=NOON, seconds=4)
    assert next_task(desk.store, "mei") is None
    with pytest.raises(DeskError, match="somebody else's"):
        desk.answer(task.id, {"sentiment": "positive"}, by="mei", now=NOON)
    assert next_task(desk.store, "tan") is not None
    desk.answer(task.id, {"sentiment": "neutral", "risks": "none"}, by="tan", now=NOON)
    assert waiting(desk.store) == []
    with pytest.raises(DeskError, match="has all its labels"):
        desk.answer(task.id, {"sentiment": "neutral"}, by="lee", now=NOON)
    labels = {(one.annotator, one.field): one for one in desk.store.recent(Label)}
    assert labels["mei", "risks"].value == "gambling scam_jobs"
    assert (labels["mei", "risks"].round, labels["tan", "risks"].round) == (1, 2)
    assert (labels["tan", "risks"].predicted, labels["tan", "risks"].sample, labels["mei", "risks"].seconds) == (
        "none", "s", 4,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"sentiment": "angry"}, "negative, neutral"), ({"risks": "gambing"}, "no risk is called 'gambing'"),
        ({"mood": "x"}, "no field 'mood'"), ({}, "at least"), ({"disposition": "false"}, "no field"),
    ],
)  # fmt: skip
def test_a_value_that_is_none_is_refused(desk: Labelling, values: dict[str, str], says: str) -> None:
    """With those that there are; nothing is kept."""
    desk.add([_task("d1")])
    with pytest.raises(DeskError, match=says):
        desk.answer("t-d1", values, by="mei", now=NOON)
    assert desk.store.recent(Label) == []


def test_a_dispute_is_voted_on_again_ruled_and_becomes_gold(desk: Labelling, settings: Settings) -> None:
    """The pack of the most disagreed, the ruling with its guideline, a gold task, and who has what to learn."""
    desk.add([_task("d1", wanted=2), _task("d2", wanted=2)])
    for who, value in (("mei", "gambling"), ("tan", "none")):
        desk.answer("t-d1", {"sentiment": "negative", "risks": value}, by=who, now=NOON)
        desk.answer("t-d2", {"sentiment": "negative", "risks": "none"}, by=who, now=NOON)
    given = all_judgements(desk.store, settings)
    (task,) = calibration(desk.store, given, size=20, people=3, now=NOON)
    assert (task.subject, task.wanted, task.why) == ("d1", 3, "disagreed on: gambling")
    desk.rule("d1", "risks", "gambling", by="lee", now=NOON, note="a jackpot is a bet")
    assert [one.note for one in guidelines(desk.store)] == ["a jackpot is a bet"]
    given = all_judgements(desk.store, settings)
    assert calibration(desk.store, given, size=20, people=3, now=NOON) == []
    found = {(one.who, one.field): one for one in performance(given)}
    assert found["mei", "gambling"].right == found["mei", "gambling"].labels == 2
    assert found["tan", "gambling"].wrong == ("d1",)
    (test,) = gold(desk.store, given, size=5, now=NOON)
    assert test.expected == {"risks": "gambling"}
    desk.add([test])
    desk.answer(test.id, {"sentiment": "negative", "risks": "scam_jobs"}, by="new", now=NOON)
    newcomer = {one.field: one for one in performance(all_judgements(desk.store, settings)) if one.who == "new"}
    assert newcomer["gambling"].right == newcomer["scam_jobs"].right == 0


def test_a_population_is_what_was_read_and_published_copies_once(desk: Labelling, settings: Settings) -> None:
    """In the days that are asked for."""
    desk.store.put(
        [mention("x", hours=-999), enriched("x"), mention("y"), enriched("y", duplicate_of="d1"), mention("z")]
    )
    found = population(settings, since=NOON - timedelta(days=1), until=NOON + timedelta(days=1))
    assert {one.id for one in found} == {f"d{n}" for n in range(12)}
    assert found[0].made_by == "tester 1"


@pytest.mark.parametrize("shape", ["csv", "jsonl", "label-studio", "argilla"])
def test_labels_travel_in_every_shape(desk: Labelling, shape: Shape) -> None:
    """Out and in again: the same judgements of the same people, a language model's too; formulas stay texts."""
    desk.store.put([mention("d1", "=1+1 ads")])
    given = [_label("d1", "mei", "yes"), _label("d1", "llm:x", "no"), _label("d1", "mei", "gambling", field="risks")]
    documents = {one.id: one for one in desk.store.many(Document, ["d1"])}
    file = written(given, documents, shape)
    found = read(file, checked=desk.checked, now=NOON)
    assert found.refused == ()
    assert {(one.subject, one.field, one.value, one.annotator) for one in found.labels} == {
        (one.subject, one.field, one.value, one.annotator) for one in given
    }
    if shape == "csv":
        assert "'=1+1 ads" in file


def test_what_cannot_be_read_is_said_with_its_place(desk: Labelling) -> None:
    """And the rest goes on."""
    rows = [
        {"document": "d1", "field": "gambling", "value": "yes"},
        {"field": "gambling"},
        {"document": "d2", "field": "x"},
    ]
    found = read("\n".join(map(json.dumps, rows)), checked=desk.checked, now=NOON, annotator="llm:y", name="a.jsonl")
    assert [one.annotator for one in found.labels] == ["llm:y"]
    assert found.refused[0] == "a.jsonl:2: it names no document"
    assert found.refused[1].startswith("a.jsonl:3: there is no field 'x'")
    assert read("[{]", checked=desk.checked, now=NOON, name="b").refused[0].startswith("b:1: this is no JSON")
    assert "names nobody" in read('{"document": "d1", "field": "gambling"}', checked=desk.checked, now=NOON).refused[0]


def test_a_store_of_the_last_version_reads_labels_without_the_new_fields() -> None:
    """What was kept before is read as it was meant."""
    old = (
        '{"id":"a","subject":"m","field":"sentiment","value":"negative","annotator":"mei","at":"2026-11-18T12:00:00Z"}'
    )
    assert decode(Label, old) == Label(
        id="a", subject="m", field="sentiment", value="negative", annotator="mei", at=NOON
    )


# --- whoever is new, and the weekly calibration -----------------------------------------------------------------------


def _gold(store: Any, count: int) -> list[str]:
    """Let so many documents be ruled about, and drawn as gold tasks."""
    names = [f"g{n}" for n in range(count)]
    store.put([mention(name) for name in names])
    ids = [mention(name).id for name in names]
    store.put([enriched(one) for one in ids])
    desk = Labelling(store, RISKS)
    for one in ids:
        desk.rule(one, "sentiment", "negative", by="lee", now=NOON, note="as the guideline says")
    desk.add(gold(store, store.recent(Label), size=count, now=NOON))
    return ids


def test_whoever_is_new_passes_a_test_before_their_labels_count(tmp_path: Path) -> None:
    """Gold tasks alone are served and taken until enough of the newest are right; who learns gets through."""
    rules = LabellingSettings(onboarding=3, pass_mark=0.6)
    with open_store(Settings(data_dir=tmp_path)) as store:
        _gold(store, 5)
        store.put([mention("live"), enriched(mention("live").id)])
        desk = Labelling(store, RISKS, rules=rules)
        (live,) = [sampling.task_of(one, "uncertain", now=NOON) for one in store.many(Document, [mention("live").id])]
        desk.add([live])
        with pytest.raises(DeskError, match="gold tasks first: 0 of the last 0"):
            desk.answer(live.id, {"sentiment": "negative"}, by="new", now=NOON)
        for number, value in enumerate(("positive", "positive", "negative", "negative")):
            task = next_task(store, "new", rules=rules)
            assert task is not None
            assert task.queue == "gold"
            assert not onboarding_of(store, "new", rules).passed
            desk.answer(task.id, {"sentiment": value}, by="new", now=NOON + timedelta(minutes=number))
        assert onboarding_of(store, "new", rules).passed  # two of the last three
        assert desk.answer(live.id, {"sentiment": "negative"}, by="new", now=NOON)


def test_the_calibration_of_a_week_makes_itself_once(tmp_path: Path) -> None:
    """From its day on, of what people disagree on; the next week again, and never where it is switched off."""
    settings = Settings.model_validate({
        "data_dir": tmp_path, "labelling": {"calibration": "wednesday", "calibration_people": 2},
        "digest": {"timezone": "Asia/Singapore"},
    })  # fmt: skip
    tuesday = datetime(2026, 12, 1, 15, 59, tzinfo=UTC)  # still Tuesday in Singapore, for a minute
    with open_store(settings) as store:
        store.put([mention("a"), enriched(mention("a").id)])
        subject = mention("a").id
        store.put([_label(subject, "mei", "yes"), _label(subject, "tan", "no")])
        assert weekly_calibration(store, settings, now=tuesday) == ""
        assert "1 documents" in weekly_calibration(store, settings, now=tuesday + timedelta(minutes=1))
        assert weekly_calibration(store, settings, now=tuesday + timedelta(days=1)) == ""
        (task,) = waiting(store)
        assert (task.queue, task.wanted) == ("calibration", 2)
        assert weekly_calibration(store, settings, now=tuesday + timedelta(days=8)) == ""  # nobody has voted yet
        store.delete(Task, [task.id])
        assert weekly_calibration(store, settings, now=tuesday + timedelta(days=15))
        off = settings.model_copy(update={"labelling": LabellingSettings(calibration="")})
        assert weekly_calibration(store, off, now=tuesday + timedelta(days=22)) == ""
