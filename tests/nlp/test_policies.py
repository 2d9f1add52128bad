"""Policies: clauses with markets and days, what they do not cover, how they change, why cases happened."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner

from groundswell.configs.policies import changes, load_policies
from groundswell.configs.schema import Settings
from groundswell.configs.taxonomy import load_taxonomy
from groundswell.configs.yaml_lines import ConfigError
from groundswell.index.open import open_store
from groundswell.index.records import Label, Record, Theme
from groundswell.nlp.trust.policies import answers, causes, draft, gaps, match, page
from groundswell.ui.cli import cli
from tests.index.makers import NOON, case, enriched, mention

POLICY = """policy: Ours
clauses:
  - {id: bets, title: Bets, text: No betting ads., covers: [gambling], markets: [SG], words: [casino], ends: 2026-11-01}
  - {id: bets, title: Bets, text: No betting ads at all., covers: [gambling], markets: [SG], effective: 2026-11-01}
  - {id: jobs, title: Jobs, text: No deposits for jobs., covers: [scam_jobs], effective: 2026-11-01}
"""


def _file(tmp_path: Path, text: str = POLICY) -> Path:
    path = tmp_path / "policy.yaml"
    path.write_text(text, "utf-8")
    return path


def test_the_example_that_ships_is_a_policy() -> None:
    """It follows its own schema and covers every risk somewhere but those about ads as such."""
    taxonomy = load_taxonomy()
    clauses = load_policies(risks=[*taxonomy.risk_ids, *(tag.id for tag in taxonomy.tags)])
    covered = {risk for clause in clauses for risk in clause.covers}
    assert set(taxonomy.risk_ids) - covered == {"privacy_targeting", "brand_adjacency", "ad_experience"}
    assert all(clause.examples and clause.counterexamples for clause in clauses)


def test_a_clause_holds_in_its_markets_from_its_day_to_its_end(tmp_path: Path) -> None:
    """And what changed between two days is told, field by field."""
    clauses = load_policies([_file(tmp_path)])
    before, after = date(2026, 10, 31), date(2026, 11, 1)
    assert [one.id for one in clauses if one.holds(before, "SG")] == ["bets"]
    assert [one.id for one in clauses if one.holds(after, "MY")] == ["jobs"]
    assert [(one.clause, one.what, one.fields) for one in changes(clauses, before, after, "SG")] == [
        ("bets", "changed", ("text", "words")),
        ("jobs", "new", ()),
    ]
    assert [(one.clause, one.what) for one in changes(clauses, after, before)][1] == ("jobs", "gone")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (", ends: 2026-11-01", "", "two versions of bets hold"),
        ("[scam_jobs]", "[scam_job]", "nothing is called 'scam_job'.*scam_jobs"),
        ("[SG], effective: 2026-11-01}", "[SG], effective: 2026-11-01, ends: 2026-10-01}", "before it begins"),
        ("title: Jobs", "titel: Jobs", "titel"),
    ],
)  # fmt: skip
def test_a_policy_that_cannot_be_meant_is_refused_with_its_line(tmp_path: Path, old: str, new: str, says: str) -> None:
    """Two versions at once, a risk that is none, an end before the beginning, a mistyped key."""
    with pytest.raises(ConfigError, match=rf"policy\.yaml:\d+: .*{says}"):
        load_policies([_file(tmp_path, POLICY.replace(old, new))], risks=["gambling", "scam_jobs"])


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Return a store in which gambling swells in Malaysia and Singapore, and jobs are spoken of as ever."""
    records: list[Record] = []
    for market, hours, risk, count in (
        ("MY", -24, "gambling", 12), ("MY", -24 * 40, "gambling", 1), ("SG", -24, "gambling", 14),
        ("SG", -24 * 40, "gambling", 2), ("TH", -24, "gambling", 2), ("SG", -24, "scam_jobs", 9),
        ("SG", -24 * 40, "scam_jobs", 8),
    ):  # fmt: skip
        for n in range(count):
            name = f"{market}{hours}{risk}{n}"
            records += [
                mention(name, f"jackpot {n}", hours=hours, market=market),
                enriched(name, risks={risk: 0.9}, duplicate_of=name),
            ]
    made = Settings(data_dir=tmp_path / "data", policies=(_file(tmp_path),))
    with open_store(made) as store:
        assert not store.put(records).refused
    return made


def test_gaps_are_what_grows_and_is_not_covered_here(settings: Settings) -> None:
    """With evidence; what is covered and grows all the same, and what only other markets cover, come after."""
    clauses = load_policies(settings.policies)
    with open_store(settings) as store:
        found = gaps(store, clauses, risks=("gambling", "scam_jobs"), markets=("SG", "MY", "TH"), now=NOON)
    assert [(one.kind, one.market, one.risk) for one in found] == [
        ("not covered", "MY", "gambling"), ("growing", "SG", "gambling"), ("differs", "TH", "gambling"),
    ]  # fmt: skip
    assert (found[0].now, found[0].before, found[0].clauses) == (12, 1, ())
    assert len(found[0].evidence) == 5
    note = draft(found[0], clauses, ["they lure\nus"])
    assert "# A clause is missing: gambling in MY" in note
    assert "> they lure us" in note
    assert "- bets (SG): No betting ads at all." in note


def test_themes_are_matched_by_risk_and_by_words(tmp_path: Path) -> None:
    """Only by clauses that hold today."""
    clauses = load_policies([_file(tmp_path)])
    themes = [
        Theme(id="a", label="jobs", first_seen=NOON, last_seen=NOON, risk="scam_jobs"),
        Theme(id="b", label="Casino night", first_seen=NOON, last_seen=NOON, keywords=("casino",)),
    ]
    assert [one.clauses for one in match(themes, clauses, NOON)] == [("jobs",), ()]
    assert match(themes, clauses, NOON.replace(month=10))[1].clauses == ("bets",)


def test_causes_of_closed_cases_are_counted_by_month() -> None:
    """As far down the path as is asked for, with the share so far."""
    closed = [
        case(f"c{n}", status="closed", cause=cause, decision="x")
        for n, cause in enumerate(["Policy > no clause", "policy > unclear", "review > late"])
    ]
    found = causes([*closed, case("open", cause="policy")])
    assert [(one.month, one.cause, one.cases) for one in found] == [("2026-11", "policy", 2), ("2026-11", "review", 1)]
    assert found[-1].cumulative == 1.0
    assert {one.cause for one in causes(closed, depth=2)} == {"policy > no clause", "policy > unclear", "review > late"}


def test_a_question_finds_the_clause_and_what_was_decided_under_it() -> None:
    """By words, in any of our languages; a page has clause, examples, counter-examples and rulings."""
    clauses = load_policies()
    decided = case("c1", status="closed", policy_area="gambling", decision="rejected")
    found = answers("may a casino show betting ads? 赌博广告可以吗", clauses, [decided, case("c2")], now=NOON)
    assert found[0].clause.covers == ("gambling",)
    assert [one.id for one in found[0].precedents] == ["c1"]
    assert answers("zzzz", clauses, [], now=NOON) == []
    ruling = Label(id="r", subject="m", field="gambling", value="yes", annotator="lee", at=NOON, round=3, note="a bet")
    said = page(found[0].clause, [ruling])
    assert "- gambling is yes: a bet" in said
    assert "## It allows" in said


def test_the_commands_of_policies(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Listed, compared, matched, gaps with a draft, causes."""
    monkeypatch.setenv("GROUNDSWELL_NOW", NOON.isoformat())
    base = ["--set", f"data_dir={settings.data_dir}", "--set", f"policies=[{settings.policies[0]}]", "policies"]

    def run(*words: str) -> tuple[int, str]:
        result = CliRunner().invoke(cli, [*base, *words], standalone_mode=False)
        assert result.exception is None, result.exception
        return result.return_value, result.output

    assert "No betting" not in run("list", "--market", "MY")[1]
    assert "changed" in run("diff", "2026-10-31", "2026-11-01", "--market", "SG")[1]
    assert "not covered  MY" in run("gaps")[1]
    assert "A clause is missing" in run("draft", "my", "gambling")[1]
    assert run("draft", "th", "scam_jobs")[0] == 1
    assert run("match")[0] == run("causes")[0] == 0
    assert run("ask", "betting")[1].startswith("bets (SG)")
    assert "# Bets" in run("page", "bets")[1]
