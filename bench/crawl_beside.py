"""Another crawler on the site of ``bench/crawl_site.py``, run by that crawler's own Python (``bench/crawl.py beside``).

``python bench/crawl_beside.py news-please|fundus FOLDER``: reads ``site.json``, visits feed and sitemap twice, writes
what was found to ``found.json``. news-please by its own command with its default pipeline, one crawler for the sitemap
and one for the feed; fundus by a publisher with a parser as its manual writes them.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

VISITS = 2


def news_please(folder: Path, url: str) -> list[dict[str, Any]]:
    """Return what news-please stored. Its dates are clocks whose zone it has dropped: no moments."""
    import newsplease  # type: ignore[import-not-found]  # in an environment of its own

    config, data = folder / "config", folder / "data"
    config.mkdir()
    stock = (Path(newsplease.__file__).parent / "config" / "config.cfg").read_text("utf-8")
    stock = stock.replace("working_path = ~/news-please-repo/", f"working_path = {data}")
    # allowed domains have no port: on loopback everything would be off the site
    stock += "\nDOWNLOADER_MIDDLEWARES = {'scrapy.downloadermiddlewares.offsite.OffsiteMiddleware': None}\n"
    stock = stock.replace('[Pandas]\nfile_name = "PandasStorage"', "")  # the last section, after Scrapy's
    (config / "config.cfg").write_text(stock, "utf-8")
    sites = [{"url": f"{url}/", "crawler": name} for name in ("SitemapCrawler", "RssCrawler")]
    (config / "sitelist.hjson").write_text(json.dumps({"base_urls": sites}), "utf-8")
    program = Path(sys.executable).with_name("news-please")
    for _ in range(VISITS):
        try:
            subprocess.run([program, "-c", config, "-no-confirm"], timeout=600, check=False)
        except subprocess.TimeoutExpired:
            print("news-please did not end within 600 s", file=sys.stderr)
    found = [json.loads(path.read_text("utf-8")) for path in data.rglob("*.json")]
    return [
        {"url": each["url"], "title": each["title"], "text": each["maintext"], "at": None}
        for each in found
        if "maintext" in each
    ]


def fundus(folder: Path, url: str) -> list[dict[str, Any]]:  # noqa: ARG001  as its sibling
    """Return what fundus yields, at each visit anew: it keeps nothing."""
    import datetime

    from fundus import Crawler, NewsMap, RSSFeed  # type: ignore[import-not-found]  # as above
    from fundus.parser import ArticleBody, BaseParser, ParserProxy, attribute  # type: ignore[import-not-found]
    from fundus.parser.utility import (  # type: ignore[import-not-found]
        extract_article_body_with_selector,
        generic_author_parsing,
        generic_date_parsing,
    )
    from fundus.publishers.base_objects import Publisher  # type: ignore[import-not-found]
    from lxml.cssselect import CSSSelector
    from lxml.etree import XPath

    class Parser(ParserProxy):  # type: ignore[misc]
        class V1(BaseParser):  # type: ignore[misc]
            VALID_UNTIL = datetime.date(2099, 1, 1)
            _paragraphs = CSSSelector("div.story-body > p")
            _nothing = XPath("//nothing")

            @attribute  # type: ignore[untyped-decorator]
            def body(self) -> ArticleBody | None:
                return extract_article_body_with_selector(self.precomputed.doc, paragraph_selector=self._paragraphs)

            @attribute  # type: ignore[untyped-decorator]
            def authors(self) -> list[str]:
                return generic_author_parsing(self.precomputed.ld.bf_search("author"))  # type: ignore[no-any-return]

            @attribute  # type: ignore[untyped-decorator]
            def publishing_date(self) -> datetime.datetime | None:
                return generic_date_parsing(self.precomputed.ld.bf_search("datePublished"))  # type: ignore[no-any-return]

            @attribute  # type: ignore[untyped-decorator]
            def title(self) -> str | None:
                return self.precomputed.meta.get("og:title")  # type: ignore[no-any-return]

    sources = [RSSFeed(f"{url}/rss.xml"), NewsMap(f"{url}/sitemap.xml")]
    publisher = Publisher(name="Loopback Times", domain=f"{url}/", parser=Parser, sources=sources)
    found = []
    for _ in range(VISITS):
        for article in Crawler(publisher, delay=0.0).crawl(only_complete=False):
            at = article.publishing_date
            stated = at.isoformat() if at else None
            address = article.html.requested_url
            found.append({"url": address, "title": article.title, "text": str(article.body or ""), "at": stated})
    return found


def main() -> None:
    """Run one of them."""
    name, folder = sys.argv[1], Path(sys.argv[2])
    url = json.loads((folder / "site.json").read_text("utf-8"))["url"]
    found = {"news-please": news_please, "fundus": fundus}[name](folder, url)
    (folder / "found.json").write_text(json.dumps(found), "utf-8")


if __name__ == "__main__":
    main()
