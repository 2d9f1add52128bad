"""Every format has stored pages and the records they must become; ``GOLDENS=write`` writes them anew, to be read."""

from __future__ import annotations

import gzip
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from groundswell.configs.schema import CrawlSettings, Settings
from groundswell.configs.source import FORMATS
from groundswell.configs.yaml_lines import read_yaml
from groundswell.crawlers.run import crawl
from groundswell.index.codec import to_json
from groundswell.index.open import open_store
from groundswell.index.query import Query
from groundswell.index.records import CrawlRun, Refusal

FOLDER = Path(__file__).parent / "goldens"
CASES = sorted(path.name for path in FOLDER.iterdir() if path.is_dir())
PLACEHOLDER = "http://web.test"
NEWER = ("off_topic", "remark", "left", "cut", "deleted")
"""Fields of a run that goldens hold only where they say something."""


@pytest.fixture(scope="module")
def crawled(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[dict[str, Any]]:
    """All cases, crawled together in one run, as JSON."""
    conftest = request.config.pluginmanager.getplugin(str(Path(__file__).with_name("conftest.py")))
    web, root = conftest.Web(), tmp_path_factory.mktemp("goldens")
    for case in CASES:
        shutil.copytree(FOLDER / case, root / case)
        source = (FOLDER / case / "source.yaml").read_text("utf-8").replace(PLACEHOLDER, web.url)
        (root / case / f"{case}.yaml").write_text(source, encoding="utf-8")
        for path, page in read_yaml(FOLDER / case / "pages.yaml").data.items():
            web.play(
                path, [_answer(conftest, case, name, page, web.url) for name in page.get("files") or [page["file"]]]
            )
    polite = CrawlSettings(
        sources=tuple(root / case / f"{case}.yaml" for case in CASES),
        shipped=False,
        delay_seconds=0,
        allow_private_addresses=True,
    )
    settings = Settings(data_dir=root / "data", crawl=polite)
    os.environ["GROUNDSWELL_AUTHOR_SALT"] = "golden"
    with open_store(settings) as store:
        crawl(store, settings, now=conftest.NOW)
        yield {case: _found(store, case, web.url) for case in CASES}
    del os.environ["GROUNDSWELL_AUTHOR_SALT"]
    web.close()


@pytest.mark.parametrize("case", CASES)
def test_a_stored_page_becomes_its_golden(case: str, crawled: dict[str, Any]) -> None:
    """What each format's stored pages become is exactly what was read and found right once."""
    golden = FOLDER / case / "golden.json"
    if os.environ.get("GOLDENS") == "write":
        golden.write_text(json.dumps(crawled[case], indent=1, ensure_ascii=False, sort_keys=True) + "\n", "utf-8")
    assert crawled[case] == json.loads(golden.read_text("utf-8"))


def test_every_format_has_a_golden() -> None:
    """A format without stored pages would break unseen."""
    formats = {read_yaml(FOLDER / case / "source.yaml").data["format"] for case in CASES}
    assert formats == set(FORMATS)


def _answer(conftest: Any, case: str, name: str, page: dict[str, Any], url: str) -> Any:
    """Return what a page of a case answers; several files are answered one after another."""
    body = (FOLDER / case / name).read_bytes().replace(PLACEHOLDER.encode(), url.encode())
    headers = {header: value.replace(PLACEHOLDER, url) for header, value in page.get("headers", {}).items()}
    body = gzip.compress(body) if page.get("gzip") else body
    return conftest.Answer(body, page.get("status", 200), page.get("type", "text/html"), headers)


def _found(store: Any, case: str, url: str) -> dict[str, Any]:
    """Return what a case became; ids hang on the server's port and are left out where they do."""
    mentions = [_plain(document.mention) for document in store.scan(Query(where={"source": (case,)}))]
    undated = sorted((each for each in mentions if not each.get("published_at")), key=lambda each: str(each["text"]))
    dated = [each for each in mentions if each.get("published_at")]
    refusals = [_plain(each) for each in store.recent(Refusal) if each.source == case]
    runs = [_plain(each) for each in store.recent(CrawlRun) if each.source == case]
    found = {
        "mentions": dated + undated,
        "refusals": sorted(refusals, key=lambda each: (each["where"], each["reason"])),
        "runs": [
            {key: value for key, value in run.items() if "_at" not in key and (value or key not in NEWER)}
            for run in runs
        ],
    }
    return json.loads(json.dumps(found).replace(url, PLACEHOLDER))  # type: ignore[no-any-return]  # it is a dict


def _plain(record: Any) -> dict[str, Any]:
    return {key: value for key, value in to_json(record).items() if key not in ("id", "at")}
