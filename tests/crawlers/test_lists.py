"""Lists from the newest item down: what a visit leaves comes with the next, whatever has come meanwhile."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from groundswell.configs.schema import CrawlSettings, Settings
from groundswell.crawlers.spiders.stretches import Walk, dumped, loaded
from groundswell.index.open import open_store
from groundswell.index.records import CrawlRun
from tests.crawlers.conftest import NOW, Answer, House, Web
from tests.crawlers.services import SERVICES, Post, Service, hourly, lemmy_v3_of_1_0, said, service

HOUR = timedelta(hours=1)


def _set_up(web: Web, house: House, name: str, posts: list[Post], more: str = "", *, at: str = "list") -> Service:
    """Serve posts below a path of their own, and write the source that reads them."""
    served = service(name, posts)
    web.play(f"/{at}{served.path}", served)
    base = f"{web.url}/{at}"
    yaml = served.yaml.replace("{url}", base)
    url = "" if "urls:" in yaml else f"url: '{base}'\n"
    house.source(at, f"{yaml}{url}kind: post\n{more}")
    return served


def _numbers(house: House, source: str = "list") -> list[int]:
    found = [re.findall(r"Post (\d+)", f"{mention.title} {mention.text}") for mention in house.mentions(source)]
    return sorted(int(numbers[0]) for numbers in found)


@dataclass
class Story:
    """What became of every service at every visit, all of them visited in one run."""

    services: dict[str, Service]
    runs: list[dict[str, CrawlRun]]
    numbers: list[dict[str, list[int]]]
    asked: list[dict[str, int]]


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """Two hundred posts, eighty a visit, three new ones twice; then a visit without news, a broken one, a good one."""
    web, root = Web(), tmp_path_factory.mktemp("lists")
    (root / "sources").mkdir()
    polite = CrawlSettings(
        sources=(root / "sources",), shipped=False, delay_seconds=0, allow_private_addresses=True, concurrent_per_host=4
    )
    settings = Settings(data_dir=root / "data", crawl=polite)
    with open_store(settings) as store:
        house = House(root, store, settings)
        served = {
            name: _set_up(web, house, name, hourly(200, now=NOW), "max_items: 80\n", at=name.replace(".", "-"))
            for name in SERVICES
        }
        told = Story({name.replace(".", "-"): each for name, each in served.items()}, [], [], [])
        for visit in range(7):
            now = NOW + visit * HOUR
            _before(visit, now, web, told)
            asked = {name: len(each.asked) for name, each in told.services.items()}
            told.runs.append(house.crawl(now=now))
            told.asked.append({name: len(each.asked) - asked[name] for name, each in told.services.items()})
            told.numbers.append({name: _numbers(house, name) for name in told.services})
        yield told
    web.close()


def _before(visit: int, now: datetime, web: Web, told: Story) -> None:
    """Let something happen before a visit: news before the second, third and sixth, which meets no answer."""
    for name, each in told.services.items():
        if visit in {1, 2, 5}:
            each.posts += hourly(3, now=now, minutes=15, first=2000 + 10 * visit)
        web.play(f"/{name}{each.path}", Answer("<html>Just a moment...</html>") if visit == 5 else each)


EVERYWHERE = [name.replace(".", "-") for name in SERVICES]


@pytest.mark.parametrize("name", EVERYWHERE)
def test_the_rest_of_a_full_visit_comes_with_the_next_ones(story: Story, name: str) -> None:
    """Nothing is lost, nothing is stored twice, no visit takes more than it may."""
    runs = [visit[name] for visit in story.runs[:4]]
    assert [run.error for run in runs] == [""] * 4
    assert [run.stored for run in runs] == [80, 80, 46, 0]
    assert story.numbers[3][name] == sorted([*range(1000, 1200), 2010, 2011, 2012, 2020, 2021, 2022])


@pytest.mark.parametrize("name", EVERYWHERE)
def test_a_visit_without_news_asks_little_and_stores_nothing(story: Story, name: str) -> None:
    """Three requests at most; an old Discourse, which looks at fifty ids at a time, some more."""
    assert (story.runs[4][name].stored, story.runs[4][name].error) == (0, "")
    assert story.asked[4][name] <= (8 if name == "discourse-old" else 3)


@pytest.mark.parametrize("name", EVERYWHERE)
def test_an_answer_that_is_none_moves_no_mark(story: Story, name: str) -> None:
    """A page of words under HTTP 200: told, and what came meanwhile is there after the next good visit."""
    assert story.runs[5][name].error
    assert story.runs[6][name].error == ""
    assert {2050, 2051, 2052} <= set(story.numbers[6][name])


def test_lemmy_before_1_0_is_asked_in_its_own_way(web: Web, house: House) -> None:
    """v4 first; a server that does not know it is asked for v3, and 1.0's own v3 is found out."""
    served = _set_up(web, house, "lemmy", hourly(60, now=NOW))
    assert house.crawl("list")["list"].stored == 60
    assert [path.split("/api/")[1][:9] for path in web.paths()] == ["v4/search", "v3/search", "v3/search"]
    served.answer = lemmy_v3_of_1_0
    served.posts = hourly(60, now=NOW + HOUR, first=3000)
    house.source("list", f"{served.yaml}url: '{web.url}/list'\nkind: post\napi: v3\n")
    assert "say api: v4" in house.crawl("list", now=NOW + HOUR)["list"].error


@pytest.mark.parametrize("name", ["lemmy-1.0", "bluesky"])
def test_a_service_that_gives_one_page_whatever_is_asked_is_not_asked_for_ever(
    web: Web, house: House, name: str
) -> None:
    """Nor where a post of that page cannot be read, which is refused once; what lies below is told and tried again."""
    served = _set_up(web, house, name, hourly(120, now=NOW))
    page = json.loads(served.answer(served, {"limit": "50", "q": "x"}).content)
    posts = page.get("posts") or page["search"]
    posts[3].clear()
    posts[3] |= {"comment": 7, "post": 7, "record": 7}
    served.answer = lambda _service, _asked: said(page)
    run = house.crawl("list")["list"]
    assert run.stored == len(posts) - 1
    assert run.refused == 1
    assert "gave the same items 4 times, whatever page was asked for" in f"{run.remark} {run.error}"
    assert len(served.asked) <= 6


def test_gdelt_says_errors_under_http_200(web: Web, house: House) -> None:
    """They are told in its own words."""
    _set_up(web, house, "gdelt", [])
    web.play("/list/api/v2/doc/doc", Answer("The specified phrase is too short.\n", type="text/html"))
    assert "GDELT answers: The specified phrase is too short." in house.crawl("list")["list"].error


def test_more_than_an_answer_holds_is_asked_for_further_down(web: Web, house: House) -> None:
    """GDELT gives 250 at most, however many there are."""
    served = _set_up(web, house, "gdelt", hourly(600, now=NOW, minutes=1))
    assert house.crawl("list")["list"].stored == 600
    assert len(served.asked) == 3


def test_stack_exchange_gets_the_pause_it_asks_for(web: Web, house: House) -> None:
    """A short one is kept, a used-up quota ends the visit, and the rest comes next time."""
    served = _set_up(web, house, "stackexchange", hourly(200, now=NOW))
    whole = served.answer

    def tired(service: Service, asked: object) -> Answer:
        answer = whole(service, asked)  # type: ignore[arg-type]
        return Answer(str(answer.body).replace("200}", "0}"), type=answer.type)

    served.answer = tired
    assert house.crawl("list")["list"].stored == 100
    served.answer = whole
    assert house.crawl("list", now=NOW + HOUR)["list"].stored == 100


def test_a_throttled_search_is_told_and_asked_again(web: Web, house: House) -> None:
    """Stack Exchange says so in JSON under HTTP 400."""
    served = _set_up(web, house, "stackexchange", hourly(5, now=NOW))
    refusal = {"error_id": 502, "error_message": "too many requests from this IP, more in 81234 seconds"}
    web.play(f"/list{served.path}", said(refusal, 400))
    assert "more in 81234 seconds" in house.crawl("list")["list"].error
    web.play(f"/list{served.path}", served)
    assert house.crawl("list", now=NOW + HOUR)["list"].stored == 5


def test_a_refusal_that_looks_like_an_empty_list_is_found_out(web: Web, house: House) -> None:
    """Google Play: where there were reviews, none at all is no answer."""
    path = "/_/PlayStoreUi/data/batchexecute"
    review = '[\\"gp:1\\",[\\"A\\"],1,null,\\"Too many ads\\",[1795168800,0],0]'
    good = f""")]}}'\n\n[["wrb.fr","UsvDTd","[[{review}],null]",null]]\n"""
    none = """)]}'\n\n[["wrb.fr","UsvDTd","[]",null]]\n"""
    web.play(path, [Answer(good), Answer(none), Answer(""")]}'\n\n[["wrb.fr","UsvDTd",null,null,null,[5]]]\n""")])
    apps = "apps: {Clipper: com.example.clipper}\nmarkets: [ID]\nlangs: [id]\n"
    house.source("list", f"format: google_play\nkind: review\nurl: '{web.url}'\n{apps}")
    assert house.crawl("list")["list"].stored == 1
    assert "it refuses without saying so" in house.crawl("list", now=NOW + HOUR)["list"].error
    assert "no list of reviews" in house.crawl("list", now=NOW + 2 * HOUR)["list"].error


def test_without_a_key_youtube_is_not_asked(web: Web, house: House) -> None:
    """The run says which variable wants it."""
    house.source(
        "list", f"format: youtube\nkind: comment\nurl: '{web.url}'\nvideos: [dQw4w9WgXcQ]\nkey_env: NO_SUCH_KEY\n"
    )
    assert "there is no key in NO_SUCH_KEY" in house.crawl("list")["list"].error
    assert web.paths() == []


def test_json_in_a_page_is_cut_out(web: Web, house: House) -> None:
    """Some regulators put their list into a script."""
    web.play(
        "/list",
        Answer('<script>$X.PMD = [{"n": "Potential clone entity – ACME", "d": "2026-11-20"}];$X.PPG = 1</script>'),
    )
    fields = "fields: {id: n, text: n, published_at: d}\nbetween: ['$X.PMD = ', ';$X.PPG']\n"
    house.source("list", f"format: json\nkind: regulator\nmarket: MY\nurls: ['{web.url}/list']\n{fields}")
    assert house.crawl("list")["list"].stored == 1
    web.play("/list", Answer("<script>new page</script>"))
    assert "nothing stands between" in house.crawl("list", now=NOW + HOUR)["list"].error


@given(
    some.lists(some.integers(0, 60), min_size=1, max_size=40),
    some.integers(1, 7),
    some.lists(some.integers(0, 9), max_size=4),
)
def test_whatever_comes_and_however_little_a_visit_takes_nothing_is_lost(
    positions: list[int], most: int, arriving: list[int]
) -> None:
    """Any positions, many of them the same, any limit: after enough visits every item has been had, once."""
    posts = {f"p{number}": at for number, at in enumerate(positions)}
    had: list[str] = []
    mark = None
    for visit in range(60):
        for number in range(arriving[visit] if visit < len(arriving) else 0):
            posts[f"n{visit}-{number}"] = 61 + visit
        walk = Walk(loaded(mark, since=0))
        taken = 0
        walk.ended = True
        for id, at in sorted(posts.items(), key=lambda each: (-each[1], each[0])):  # noqa: A001
            if walk.wants(id, at):
                if taken == most:
                    walk.ended = False
                    break
                taken += 1
                had.append(id)
            walk.note(id, at)
        mark = {"stretches": dumped(walk.rest())}
    assert sorted(had) == sorted(posts)


@pytest.mark.parametrize("name", ["bluesky", "lemmy", "lemmy-1.0"])
def test_what_its_author_took_back_is_forgotten(web: Web, house: House, name: str) -> None:
    """A post that has left the search is asked for: deleted, it goes; only not found any more, it stays."""
    served = _set_up(web, house, name, hourly(6, now=NOW, minutes=10))
    assert house.crawl("list")["list"].stored == 6
    deleted, hidden = served.posts.pop(-2), served.posts.pop(-3)
    uri = f"at://did:plc:a/app.bsky.feed.post/{hidden.number}"
    web.play("/list/xrpc/app.bsky.feed.getPosts", said({"posts": [{"uri": uri}]}))
    for api in ("v3", "v4"):
        web.play(f"/list/api/{api}/post?id={deleted.number}", said({"error": "couldnt_find_post"}, 404))
        web.play(f"/list/api/{api}/post?id={hidden.number}", said({"post_view": {"post": {"id": hidden.number}}}))
    run = house.crawl("list", now=NOW + HOUR / 6)["list"]
    assert (run.deleted, run.error, run.remark) == (1, "", "")
    assert deleted.number not in _numbers(house)
    assert hidden.number in _numbers(house)
    asked = len(web.log)
    house.crawl("list", now=NOW + HOUR / 3)
    assert not [one for one in web.log[asked:] if "getPosts" in one.path or "/post?" in one.path], "asked once"


def test_a_deleted_or_edited_post_of_hacker_news_is_seen(web: Web, house: House) -> None:
    """Two hours are read again: authors may edit and delete so long."""
    stamp = int(NOW.timestamp()) - 1800
    hits = [{"objectID": str(n), "created_at_i": stamp + n, "title": f"Post {n} about ads"} for n in (1, 2, 3)]
    web.play("/api/v1/search_by_date", said({"hits": hits, "nbHits": 3, "nbPages": 1}))
    house.source("list", f"format: hackernews\nkind: post\nurl: '{web.url}'\nqueries: [ads]\n")
    assert house.crawl("list")["list"].stored == 3
    edited = [{**hits[0], "title": "Post 1 about worse ads"}, hits[2]]
    web.play("/api/v1/search_by_date", said({"hits": edited, "nbHits": 2, "nbPages": 1}))
    web.play("/api/v1/items/2", said({"status": 404, "error": "Not Found"}, 404))
    run = house.crawl("list", now=NOW + HOUR / 4)["list"]
    assert (run.deleted, run.stored, run.error) == (1, 1, "")
    assert sorted(mention.title for mention in house.mentions()) == ["Post 1 about worse ads", "Post 3 about ads"]
