"""Decoded once, own words only: what the author wrote, all of it and nothing else, and nobody's name."""

# ruff: noqa: E501  an item of a feed is one line

from __future__ import annotations

import html
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from groundswell.configs.schema import CrawlSettings
from groundswell.configs.source import FeedSource
from groundswell.crawlers.mention import Builder, Raw
from groundswell.crawlers.own_words import is_cluster
from groundswell.crawlers.spiders.mastodon import raw_post
from groundswell.crawlers.titles import without_publisher
from groundswell.index.records import Mention

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.fixture
def answer(request: pytest.FixtureRequest) -> Any:
    """The scripted server's `Answer`."""
    return request.config.pluginmanager.getplugin(str(Path(__file__).with_name("conftest.py"))).Answer


def builder(kind: str = "post") -> Builder:
    """Return what makes mentions of a source of posts."""
    source = FeedSource.model_validate({"name": "s", "format": "feed", "kind": kind, "urls": ["https://x.example/"]})
    return Builder(source, CrawlSettings(), salt="s", now=NOW)


def mention(kind: str = "post", **raw: Any) -> Mention:
    """Return what a raw item becomes."""
    made = builder(kind).build(Raw(where="w", **raw))
    assert isinstance(made, Mention), made
    return made


@pytest.mark.parametrize(
    ("markup", "words"),
    [
        ("How do I block &lt;script&gt; and &lt;iframe&gt; ads?", "How do I block <script> and <iframe> ads?"),
        ("<p>Paste &lt;script&gt;x()&lt;/script&gt; here</p>", "Paste <script>x()</script> here"),
        ("<p>AT&amp;amp;T</p>", "AT&amp;T"),
        ("Our <script> tag is blocked, so no ads are shown", "Our <script> tag is blocked, so no ads are shown"),
        ("<p>if a<b then c, I <3 it</p>", "if a<b then c, I <3 it"),
        ("write to <your name> at <support@x.example>", "write to <your name> at <support@x.example>"),
        ("<p>real<script>alert(1)</script> code goes</p>", "real code goes"),
        (
            "<p>Ads <img class='emoji' alt='😡'> again</p><img alt='A fake minister' src='x'>",
            "Ads 😡 again\n\nA fake minister",
        ),
        ("<aside class='quote'><blockquote>They said so</blockquote></aside><p>I do not</p>", "I do not"),
        ("<blockquote class='uncited'><cite>Ann wrote:</cite>They said so</blockquote>I do not", "I do not"),
        ("<div class='bbcode_quote'>Originally Posted by Ann: so</div>I do not", "I do not"),
        ("<p>&gt; They said so</p><p>I do not</p>", "I do not"),
        ("<p class='quote-inline'>RE: <a href='x'>https://m.example/1</a></p><p>I do not</p>", "I do not"),
        ("<blockquote>All that a bridge gives</blockquote>", "All that a bridge gives"),
        (
            "I do not &#32; submitted by &#32; <a href='x'> /u/ann </a> <br/> <span><a href='x'>[link]</a></span> <span><a href='x'>[comments]</a></span>",
            "I do not",
        ),
        (
            "submitted by <a href='x'>ann</a> to <a href='x'>ads</a><br>12 points | <a href='x'>3 comments</a><br>I do not",
            "I do not",
        ),
        (
            "<p>I do not</p><p><small>3 posts - 2 participants</small></p><p><a href='x'>Read full topic</a></p>",
            "I do not",
        ),
        (
            "<p>Article URL: <a href='x'>https://x.example</a></p><p>Points: 24</p><p># Comments: 10</p><p>I do not</p>",
            "I do not",
        ),
        ("<p>I do not</p><p>The post <a href='x'>Ads</a> appeared first on <a href='x'>Blog</a>.</p>", "I do not"),
    ],
)
def test_a_post_is_its_authors_words(markup: str, words: str) -> None:
    """HTML is decoded once; quotes, counts and lines of the site's template are not what the author wrote."""
    assert mention(text=markup, is_html=True).text == words


def test_what_is_quoted_is_kept_apart_and_news_may_quote() -> None:
    """Whose words they are differs: in a forum another member's, in a report a witness's."""
    quoting = "<blockquote>The ads are fake</blockquote><p>I do not think so</p>"
    assert mention(text=quoting, is_html=True).extra["quoted"] == "The ads are fake"
    assert mention("news", text=quoting, is_html=True).text == "The ads are fake\n\nI do not think so"
    named = "<p>Ann Lee wrote:</p><blockquote><cite>Ann Lee said:</cite>The ads are fake</blockquote><p>I do not think so</p>"
    made = mention(text=named, is_html=True)
    assert (made.text, made.extra["quoted"]) == ("I do not think so", "The ads are fake")
    plain = mention(text='[quote="ann, post:1"]The ads are fake[/quote]\nI do not think so')
    assert (plain.text, plain.extra["quoted"]) == ("I do not think so", "The ads are fake")
    assert mention(text="a<b> and <script> stay in plain text").text == "a<b> and <script> stay in plain text"


def test_a_list_of_others_headlines_is_no_text() -> None:
    """Google News puts a cluster of headlines where a text should be; a list in a post is the author's."""
    link = "<li><a href='https://news.google.com/rss/articles/{0}'>Headline {0}</a>&nbsp;&nbsp;<font color='#6f6f6f'>Paper</font></li>"
    assert is_cluster(f"<ol>{''.join(link.format(n) for n in range(4))}</ol>")
    assert is_cluster(
        "<a href='https://news.google.com/rss/articles/1'>Headline</a>&nbsp;&nbsp;<font color='#6f6f6f'>Paper</font>"
    )
    assert not is_cluster(
        "<p>I tried these:</p><ol><li>Refunds, which take weeks <a href='/a'>here</a></li><li>Calling</li></ol>"
    )


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("hi @ann, see @ann@m.example", "hi @user_X, see @user_X"),
        ("thanks /u/ann and u/bob_99!", "thanks @user_X and @user_X!"),
        ("感谢@张三 的分享", "感谢@user_X 的分享"),
        ("ขอบคุณ@somchai99 มาก", "ขอบคุณ@user_X มาก"),
        ("see https://m.example/@ann/115", "see https://m.example/@user_X/115"),
        ("refund please @ShopeeCare_ID @TikTok", "refund please @ShopeeCare_ID @TikTok"),
        ("ask @leo, @zara_official or @chang88", "ask @user_X, @user_X or @user_X"),  # brands, and people
        ("mail info@x.example, meet @5pm, @media print, @here", "mail info@x.example, meet @5pm, @media print, @here"),
    ],
)
def test_names_of_accounts_are_tokens_as_authors_are_keys(text: str, masked: str) -> None:
    """The same account is the same token in its source; organisations of the watch lists keep their names."""
    found = mention(text=text, title=f"Re: {text}")
    assert re.sub(r"@user_[0-9a-f]{6}", "@user_X", found.text) == masked
    assert re.sub(r"@user_[0-9a-f]{6}", "@user_X", found.title) == f"Re: {masked}"
    assert found.text == mention(text=text).text
    twice = mention(text="@ann and @Ann and /u/ann").text.split(" and ")
    assert len(set(twice)) == 1


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("write to ann.lee@gmail.com now", "write to [email] now"),
        ("mailto:ann_lee+ads@mail.example.sg", "mailto:[email]"),
        ("refund@meta-support.example and support@shopee.sg", "refund@meta-support.example and support@shopee.sg"),
        ("https://x.com/ann_lee/status/17", "https://x.com/user_X/status/17"),
        ("https://www.facebook.com/ann.lee.9?ref=1", "https://www.facebook.com/user_X?ref=1"),
        ("facebook.com/groups/1234 facebook.com/watch?v=1", "facebook.com/groups/1234 facebook.com/watch?v=1"),
        ("instagram.com/p/Cxyz/ by instagram.com/ann.lee/", "instagram.com/p/Cxyz/ by instagram.com/user_X/"),
        ("https://www.tiktok.com/@ann.lee", "https://www.tiktok.com/user_X"),
        ("https://youtube.com/watch?v=abc", "https://youtube.com/watch?v=abc"),
        ("t.me/ann_lee and t.me/joinchat/AbC", "t.me/user_X and t.me/joinchat/AbC"),
        ("https://bsky.app/profile/ann.bsky.social/post/3k", "https://bsky.app/profile/user_X/post/3k"),
        ("linkedin.com/in/ann-lee-12", "linkedin.com/in/user_X"),
        ("facebook.com/shopee_sg", "facebook.com/shopee_sg"),
    ],
)
def test_addresses_that_are_a_persons_name_are_masked(text: str, masked: str) -> None:
    """Mail of people and pages of accounts are names; offices, groups, videos and brands are evidence."""
    found = mention(text=text, kind="post").text
    assert re.sub(r"user_[0-9a-f]{6}", "user_X", found) == masked
    assert mention(text=found, kind="post").text == found, "twice is once"
    both = mention(text="@ann_lee is x.com/ann_lee", kind="post").text
    assert both.split("@user_")[1][:6] == both.split("x.com/user_")[1][:6], "one account, one token"


def test_a_title_names_no_author_and_no_publisher() -> None:
    """What a site's template puts around a heading is taken off where it says itself what that is."""
    assert mention(title="Comment on Fake ads by Ann Lee", author="Ann Lee", text="No").title == "Comment on Fake ads"
    assert mention(title="/u/ann on Fake ads", author="/u/ann", text="No").title == "Fake ads"
    assert without_publisher("Fake ads - The Star", ["The Star"]) == "Fake ads"
    assert (
        without_publisher("Fake ads are back | thestar.com.my", [], ["https://www.thestar.com.my/x"])
        == "Fake ads are back"
    )
    assert without_publisher("假广告又来了，很多人上当 - 联合早报", ["联合早报 - 新加坡"]) == "假广告又来了，很多人上当"
    assert without_publisher("Fake ads - what to do", ["The Star"]) == "Fake ads - what to do"


def test_a_mastodon_post_has_all_that_its_author_wrote() -> None:
    """Poll, pictures and warning are the author's; what is quoted is somebody else's."""
    post = {
        "id": "1",
        "content": '<p class="quote-inline">RE: <a>https://m.example/2</a></p><p>Which ad is worse?</p>',
        "spoiler_text": "scam <ads>",
        "poll": {"options": [{"title": "The <fake> one"}, {"title": "The loud one"}]},
        "media_attachments": [{"description": "A fake minister"}, {"description": None}],
        "quote": {"state": "accepted", "quoted_status": {"content": "<p>Ads are fine</p>"}},
    }
    made = builder().build(raw_post(post, "w"))
    assert isinstance(made, Mention)
    assert made.title == "scam <ads>"
    assert " ".join(made.text.split()) == "Which ad is worse? The <fake> one The loud one A fake minister"
    assert made.extra["quoted"] == "Ads are fine"


FEED = """<?xml version="1.0"?><rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"
 xmlns:media="http://search.yahoo.com/mrss/" xmlns:atom="http://www.w3.org/2005/Atom">
<channel><title>Talk of the Town</title><link>https://talk.example/</link><language>en</language>{}</channel></rss>"""
ITEM = "<item><link>https://talk.example/{0}</link><guid>https://talk.example/{0}</guid>{1}</item>"
KINDS = {
    "most-words": (
        "<title>A</title><description>Two words</description><content:encoded><![CDATA[<div class='a very long class'><img src='x.jpg' width='1'>One</div>]]></content:encoded>",
        "A", "Two words",
    ),
    "caption": ("<title>B</title><description>Short text</description><media:content><media:description>A much longer caption of a picture</media:description></media:content>", "B", "Short text"),
    "caption-only": ("<title>C</title><media:group><media:description>A video about ads</media:description></media:group>", "C", "A video about ads"),
    "image-title": ("<image><title>No</title></image><media:title>Nor</media:title><title>D</title><description>Text</description>", "D", "Text"),
    "html-title": ("<title type='html'>Ads &amp;amp; &lt;b&gt;scams&lt;/b&gt;</title><description>x y</description>", "Ads & scams", "x y"),
    "title-of-tags": ("<title>Is it &lt;b&gt; or &lt;strong&gt;?</title><description>x y</description>", "Is it <b> or <strong>?", "x y"),
    "publisher": ("<title>Fake ads are back - Talk of the Town</title><description>x y</description>", "Fake ads are back", "x y"),
    "script": (f"<title>E</title><description>{html.escape(html.escape('use <script> or <iframe>, then'))} wait</description>", "E", "use <script> or <iframe>, then wait"),
    "inline": ("<title>F</title><description>Ads <b>are</b> back</description>", "F", "Ads are back"),
    "atom-in-rss": ("<title>G</title><atom:title>No</atom:title><atom:link href='https://else.example/'/><description>x y</description>", "G", "x y"),
    "error": ("<title>Bridge returned error 500! (20412)</title><description>stack trace</description>", "", ""),
}  # fmt: skip


def test_a_feed_gives_the_words_of_each_item_whatever_its_kind(house: Any, web: Any, answer: Any) -> None:
    """Over HTTP: the body with the most words, own titles, markup by its rules; a bridge's error is remarked."""
    items = [ITEM.format(name, inner) for name, (inner, _, _) in KINDS.items()]
    web.play("/feed", answer(FEED.format("".join(items)), type="text/xml"))
    house.source("talk", f"format: feed\nkind: post\nurls: [{web.url}/feed]\n")
    run = house.crawl("talk")["talk"]
    found = {each.url.rpartition("/")[2]: (each.title, each.text) for each in house.mentions()}
    assert found == {name: (title, text) for name, (_, title, text) in KINDS.items() if name != "error"}
    assert "the bridge that makes this feed failed" in run.error
    assert [each.reason[:22] for each in house.refusals()] == ["the bridge's own error"]


def test_atom_says_what_its_texts_are(house: Any, web: Any, answer: Any) -> None:
    """Text is literal, html is decoded once, xhtml is markup; the language of an entry is its own."""
    entries = [
        '<content type="text">a &lt;b&gt; c</content>',
        '<content type="html">a &amp;lt;b&amp;gt; c</content>',
        '<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">a &lt;b&gt; <i>c</i></div></content>',
        '<summary type="text">a &lt;b&gt; c</summary><content type="image/png">iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ</content>',
    ]
    body = "".join(
        f'<entry xml:lang="ms"><id>urn:{n}</id><title type="text">T &lt;i&gt;</title>{each}</entry>'
        for n, each in enumerate(entries)
    )
    web.play("/feed", answer(f'<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en">{body}</feed>', type="text/xml"))
    house.source("atom", f"format: feed\nkind: post\nurls: [{web.url}/feed]\n")
    house.crawl("atom")
    assert [(each.title, each.text, each.lang) for each in house.mentions()] == [("T <i>", "a <b> c", "ms")] * 4


def test_a_hacker_news_post_is_decoded_by_its_fields(house: Any, web: Any, answer: Any) -> None:
    """Titles are plain text in that API, texts are HTML; a quoted line is somebody else's."""
    hits = [
        {
            "objectID": "1",
            "created_at_i": 1795075200,
            "title": "Is &amp; or <script> valid?",
            "story_text": "<p>It is &lt;script&gt; &amp;amp;</p>",
        },
        {
            "objectID": "2",
            "created_at_i": 1795075201,
            "comment_text": "<p>&gt; ads are fine</p><p>They are not, @ann</p>",
        },
    ]
    body = json.dumps({"hits": hits, "nbHits": 2, "nbPages": 1})
    web.play("/hn/api/v1/search_by_date", answer(body, type="application/json"))
    house.source("hn", f"format: hackernews\nkind: comment\nurl: {web.url}/hn\nqueries: [ads]\n")
    house.crawl("hn")
    story, comment = sorted(house.mentions(), key=lambda each: each.url)
    assert (story.title, story.text) == ("Is &amp; or <script> valid?", "It is <script> &amp;")
    assert comment.text.startswith("They are not, @user_")
    assert comment.extra["quoted"] == "ads are fine"
