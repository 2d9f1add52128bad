"""Source files: those that ship are sound, and a mistake in one is told with file, line and the nearest key."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import get_args

import pytest

from groundswell.configs.schema import CrawlSettings
from groundswell.configs.source import FORMATS, Kind, choose, find_sources, host_of, read_source
from groundswell.configs.yaml_lines import ConfigError
from groundswell.crawlers.child import SPIDERS, by_host
from groundswell.crawlers.dates.zones import market_zone
from groundswell.crawlers.guard import why_not
from groundswell.crawlers.source_report import check_sources
from groundswell.index import records

MARKETS = {"SG", "MY", "ID", "TH", "VN", "PH", "AU", "NZ"}


def test_every_shipped_source_is_sound() -> None:
    """Each can be read, says under which terms, asks only public web addresses; together they cover the markets."""
    sources, problems = find_sources(CrawlSettings())
    assert problems == {}
    on = [source for source in sources if source.enabled]
    assert len(on) >= 40
    for source in sources:
        assert source.licence, source.name
        assert source.title, source.name
        assert [why_not(url, allow_private=False) for url in source.addresses] == [""] * len(source.addresses)
        zone = source.timezone or market_zone(source.market)
        assert zone or source.format not in ("feed", "sitemap") or source.kind not in ("news", "regulator"), source.name
    ready = Counter(source.market for source in on)
    assert {market: ready[market] >= 4 for market in MARKETS} == dict.fromkeys(MARKETS, True)
    assert {source.format for source in sources} == set(FORMATS) - {"file"} == set(SPIDERS) - {"site"}


def test_the_kinds_of_a_source_are_the_kinds_of_a_mention() -> None:
    """Configs may not import index, so the two lists are held together here."""
    assert get_args(Kind) == get_args(records.Kind)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "format: feed\nkind: news\nurl: [https://x.example/]\n",
            "source.yaml:3: there is no setting 'url'; did you mean 'urls'?",
        ),
        ("format: fed\nkind: news\n", "source.yaml:1: there is no format 'fed'; did you mean 'feed'?"),
        ("kind: news\n", "format is missing"),
        ("format: feed\nurls: [https://x.example/]\n", "kind is missing (What its texts are"),
        ("format: feed\nkind: newz\nurls: [https://x.example/]\n", "source.yaml:2: kind = 'newz'"),
        ("format: feed\nkind: news\nurls: [ftp://x.example/]\n", "source.yaml:3: urls.0 = 'ftp://x.example/'"),
        ("format: file\nkind: review\npaths: [a.csv]\ntimezone: Asia/Jakrta\n", "did you mean 'Asia/Jakarta'?"),
        ("format: file\nkind: review\npaths: [a.csv]\nencoding: utf-9\n", "source.yaml:4: encoding"),
        (
            "format: file\nkind: review\npaths: [a.csv]\ncolumns:\n  txt: body\n",
            "source.yaml:5: there is no setting 'columns.txt'; did you mean 'text'",
        ),
        ("format: feed\n  kind: [\n", "source.yaml:2: not valid YAML"),
        ("- format\n", "source.yaml:1: expected"),
    ],
)
def test_a_mistake_is_told_with_file_line_and_nearest_key(tmp_path: Path, text: str, told: str) -> None:
    """Whoever wrote it knows at once what to change."""
    path = tmp_path / "source.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as error:
        read_source(path)
    assert told in str(error.value)


def test_a_source_asked_for_by_name_need_not_be_enabled(tmp_path: Path) -> None:
    """Names choose; without names all that are enabled; a wrong name is told with the nearest."""
    for name, enabled in (("one", "true"), ("two", "false")):
        text = f"format: feed\nkind: news\nurls: [https://{name}.example/]\nenabled: {enabled}\n"
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "three.yaml").write_text(
        "name: one\nformat: feed\nkind: news\nurls: [https://x.example/]\n", encoding="utf-8"
    )
    sources, problems = find_sources(CrawlSettings(sources=(tmp_path,), shipped=False))
    assert "already describes a source called 'one'" not in str(sources)
    assert [path.name for path in problems] == ["three.yaml"] or [path.name for path in problems] == ["one.yaml"]
    assert [source.name for source in choose(sources, ())] == ["one"]
    assert [source.name for source in choose(sources, ("two", "two"))] == ["two"]
    with pytest.raises(ConfigError, match="there is no source 'tow'; did you mean 'two'"):
        choose(sources, ("tow",))


def test_own_sources_add_to_those_that_ship(tmp_path: Path) -> None:
    """One of the same name replaces what ships, whole or broken; `shipped` and `skip` leave some or all out."""
    text = "format: feed\nkind: news\nurls: [https://x.example/]\n"
    (tmp_path / "ours.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "cna-sg.yaml").write_text(text + "title: my own CNA\n", encoding="utf-8")
    (tmp_path / "rnz-nz.yaml").write_text("format: fed\n", encoding="utf-8")
    shipped = {source.name for source in find_sources(CrawlSettings())[0]}
    sources, problems = find_sources(CrawlSettings(sources=(tmp_path,)))
    assert {source.name for source in sources} == (shipped | {"ours"}) - {"rnz-nz"}
    assert [path.name for path in problems] == ["rnz-nz.yaml"]
    assert next(source.title for source in sources if source.name == "cna-sg") == "my own CNA"
    only, _ = find_sources(CrawlSettings(sources=(tmp_path,), shipped=False))
    assert {source.name for source in only} == {"ours", "cna-sg"}
    skipping, _ = find_sources(CrawlSettings(skip=("cna-sg", "hn-ads")))
    assert not {"cna-sg", "hn-ads"} & {source.name for source in choose(skipping, ())}
    assert choose(skipping, ("cna-sg",))
    with pytest.raises(ConfigError, match=r"crawl\.skip: there is no source 'cna-sgg'; did you mean 'cna-sg'"):
        find_sources(CrawlSettings(skip=("cna-sgg",)))


def test_sources_of_one_host_take_turns() -> None:
    """Two sources on one host may not ask it at the same time."""
    sources, _ = find_sources(CrawlSettings())
    groups = by_host(sources)
    assert sorted(source.name for group in groups for source in group) == sorted(source.name for source in sources)
    assert all(len({host_of(source) for source in group}) == 1 for group in groups)
    assert len({host_of(group[0]) for group in groups}) == len(groups)


def test_the_doctor_names_what_is_wrong_with_a_source(tmp_path: Path) -> None:
    """Unreadable, switched off, without its file, not yet visited."""
    (tmp_path / "typo.yaml").write_text("format: feed\nkind: news\nurlz: []\n", encoding="utf-8")
    (tmp_path / "off.yaml").write_text(
        "format: feed\nkind: news\nurls: [https://x.example/]\nenabled: false\n", encoding="utf-8"
    )
    (tmp_path / "new.yaml").write_text("format: feed\nkind: news\nurls: [https://x.example/]\n", encoding="utf-8")
    (tmp_path / "gone.yaml").write_text("format: file\nkind: review\npaths: [gone.csv]\n", encoding="utf-8")
    found = {
        each.source: (each.level, each.message)
        for each in check_sources(CrawlSettings(sources=(tmp_path,), shipped=False))
    }
    assert {name: level for name, (level, _) in found.items()} == {
        "typo": "problem",
        "off": "note",
        "new": "note",
        "gone": "problem",
    }
    assert "typo.yaml:3" in found["typo"][1]
    assert "there is no such file" in found["gone"][1]
