"""Watch lists: what ships is sound, a mistake is told with its line, and each service is asked what it understands."""

from __future__ import annotations

from pathlib import Path

import pytest

from groundswell.configs.schema import CrawlSettings, Settings
from groundswell.configs.searches import SYNTAX, queries
from groundswell.configs.source import GdeltSource, HackernewsSource, find_sources
from groundswell.configs.watch import load_watch, pick, read_watch
from groundswell.configs.yaml_lines import ConfigError

LIST = """\
brands:
  - {id: acme, title: Acme, words: {any: [acme], zh: [艾克米]}, about: advertiser}
topics:
  - {id: refund, words: {en: [refund*, money back], ms: [bayar balik], zh: [退款]}}
rules:
  - id: money
    all: ['@brands', '@refund']
    none: [tax refund]
"""
SEARCH = "format: hackernews\nkind: post\nlang: en\n"


def _list(folder: Path, text: str = LIST, name: str = "acme") -> CrawlSettings:
    (folder / "watch").mkdir(exist_ok=True)
    (folder / "watch" / f"{name}.yaml").write_text(text, encoding="utf-8")
    return CrawlSettings(watch=(folder / "watch",), sources=(folder / "sources",), shipped=False)


def test_the_list_that_ships_speaks_the_languages_of_the_markets() -> None:
    """Six languages and four scripts, brands with aliases, every rule asks something of every service."""
    ads = load_watch(Settings())["ads"]
    langs = {lang for terms in ads.terms.values() for term in terms for lang in term.words}
    assert langs >= {"any", "en", "ms", "th", "vi", "zh"}
    assert {brand.name for brand in ads.brands} >= {"TikTok", "YouTube", "Shopee"}
    assert all(len({each.word for each in brand.spoken}) == len(brand.spoken) for brand in ads.brands)
    for service in SYNTAX:
        assert all(queries(pick({"ads": ads}, [rule.id]), service, lang="en") for rule in ads.conditions)


def test_no_name_of_the_list_of_brands_is_another_brands_too() -> None:
    """A name leads to one brand, also across the lists that ship."""
    found = [
        (spoken.word, spoken.lang, brand.name)
        for each in read_watch().values()
        for brand in each.brands
        for spoken in brand.spoken
    ]
    assert len(found) > 500
    assert len({(word, lang) for word, lang, _ in found}) == len(found)


def test_own_lists_stand_beside_those_that_ship_and_may_build_on_them(tmp_path: Path) -> None:
    """One of the same name takes the place; another may name its terms."""
    settings = _list(tmp_path, "uses: [ads]\nrules:\n  - {id: tiktok, all: ['@tiktok', payout]}\n")
    assert set(read_watch(settings.watch)) == {"acme", "ads", "brands"}
    (condition,) = pick(read_watch(settings.watch), ["acme"])
    assert {"tiktok", "抖音"} <= {each.word for each in condition.clauses[0]}
    (tmp_path / "watch" / "acme.yaml").unlink()
    settings = _list(tmp_path, name="ads")
    assert [brand.id for brand in read_watch(settings.watch)["ads"].brands] == ["acme"]


def test_each_service_is_asked_what_it_understands(tmp_path: Path) -> None:
    """Where OR and AND are known the rule itself, else each word of its smallest clause; tags have no blanks."""
    conditions = pick(read_watch(_list(tmp_path).watch), ["acme"])
    assert queries(conditions, "google_news", lang="en") == ['acme (refund OR "money back") -"tax refund"']
    assert queries(conditions, "google_news", lang="zh-TW") == ['(acme OR 艾克米) 退款 -"tax refund"']
    assert queries(conditions, "google_news", lang="id-ID") == ['acme "bayar balik" -"tax refund"']
    assert queries(conditions, "hackernews", lang="en") == ["acme"]
    assert queries(conditions, "bluesky") == ["acme", "艾克米"]
    assert queries(conditions, "hackernews", lang="th") == []
    tags = "topics:\n  - {id: bans, words: {en: [ad account, x.com, banned*]}}\n"
    conditions = pick(read_watch(_list(tmp_path, tags).watch), ["acme"])
    assert queries(conditions, "mastodon") == ["adaccount", "xcom", "banned"]


def test_what_gdelt_would_refuse_is_never_asked(tmp_path: Path) -> None:
    """Over about 250 letters, OR outside (), words of two letters or of other scripts: told or cut, nothing lost."""
    words = [f"quite a long phrase {number}" for number in range(40)]
    text = f"topics:\n  - {{id: many, words: {{any: [{', '.join(words)}, ok, 诈骗]}}}}\n"
    asked = queries(pick(read_watch(_list(tmp_path, text).watch), ["acme"]), "gdelt")
    assert len(asked) > 1
    assert all(len(query) <= 250 for query in asked)
    assert all(any(f'"{word}"' in query for query in asked) for word in words)
    assert not any("ok" in query or "诈" in query for query in asked)
    base = {"name": "g", "format": "gdelt", "kind": "news"}
    for query, told in (("x" * 251, "GDELT refuses more than 250"), ("ads OR scam", "OR only within")):
        with pytest.raises(ValueError, match=told):
            GdeltSource.model_validate({**base, "queries": [query]})


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("topics:\n  - {id: a, words: {any: ['*']}}\n", "acme.yaml:2: topics.0.words"),
        ("topics:\n  - {id: a, words: {english: [b]}}\n", "'english' is no language"),
        ("topics:\n  - {id: a, word: {any: [b]}}\n", "there is no setting 'topics.0.word'; did you mean 'words'"),
        ("rules:\n  - {id: a, all: ['@brandz']}\n", "acme.yaml:2: there is no term or group '@brandz'"),
        ("rules:\n  - {id: a, none: [b]}\n", "a rule needs words under 'any' or 'all'"),
        ("uses: [adz]\n", "acme.yaml:1: there is no watch list 'adz'; did you mean 'ads'"),
        ("topics:\n  - {id: a, words: {any: [b]}}\n  - {id: a, words: {any: [c]}}\n", "given twice: a"),
    ],
)
def test_a_mistake_in_a_list_is_told_with_its_line(tmp_path: Path, text: str, told: str) -> None:
    """Whoever wrote it knows at once what to change."""
    with pytest.raises(ConfigError) as error:
        read_watch(_list(tmp_path, text).watch)
    assert told in str(error.value)


def test_a_source_that_watches_asks_for_the_words_of_its_list(tmp_path: Path) -> None:
    """Its own queries come first; a wrong list, too many searches and a broken list are its file's problem."""
    settings = _list(tmp_path)
    (tmp_path / "sources").mkdir()
    for name, more in {
        "asks": "watch: [acme]\n",
        "own": "watch: [acme]\nqueries: [something else]\n",
        "typo": "watch: [acmee]\n",
        "rule": "watch: [acme.mony]\n",
        "many": "watch: [ads]\nmost_queries: 3\n",
        "nothing": "",
    }.items():
        (tmp_path / "sources" / f"{name}.yaml").write_text(SEARCH + more, encoding="utf-8")
    sources, problems = find_sources(settings)
    asked = {source.name: source.queries for source in sources if isinstance(source, HackernewsSource)}
    assert asked == {"asks": ("acme",), "own": ("something else",)}
    told = {path.stem: message for path, message in problems.items()}
    assert "there is no list 'acmee'; did you mean 'acme'" in told["typo"]
    assert "has no rule 'mony'; did you mean 'money'" in told["rule"]
    assert "at most 3 (most_queries)" in told["many"]
    assert "give queries or watch" in told["nothing"]
    (tmp_path / "watch" / "acme.yaml").write_text("brands: [", encoding="utf-8")
    sources, problems = find_sources(settings)
    assert not sources
    assert "acme.yaml:1" in problems[tmp_path / "sources" / "asks.yaml"]
