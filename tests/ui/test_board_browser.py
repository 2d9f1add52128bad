"""The board in a real browser: wide and narrow, light and dark, with hostile guests and with two people at once."""

from __future__ import annotations

import re
import time
import urllib.request
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from groundswell.index.audit import Audit
from groundswell.index.ids import stable_id
from groundswell.index.records import Case, Decision, Label
from groundswell.ui.board.launch import start
from groundswell.ui.desk import Desk
from tests.ui.seed import World, signal_id, theme_id

pytestmark = [pytest.mark.browser, pytest.mark.slow]
CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WIDTHS = (390, 768, 1024, 2560, 1440)
SIDE_FOLDED = """() => document.querySelector('[data-testid=stSidebar]').dataset.collapsed !== 'true'
    || document.querySelector('[data-testid=stMain]').getBoundingClientRect().left === 0"""
"""Where the sidebar is folded away the page begins at the edge."""
VIEWS = (
    "",
    "today",
    "inbox",
    "themes",
    "theme",
    "search?q=hostileguest",
    "document",
    "explain?q=since:24h until:now",
    "compare?q=since:7d",
    "cases",
    "cases?case=",
    "sources",
    "labels",
    "quality",
    "rules",
    "policies",
    "sql",
)


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory, seeded: World) -> Iterator[tuple[World, str]]:
    """Serve a copy of the seeded world, with one open case; yield it with the board's address."""
    import shutil
    import socket

    from groundswell.configs.schema import Settings

    folder = tmp_path_factory.mktemp("served") / "world"
    shutil.copytree(seeded.settings.data_dir, folder)
    world = World(Settings(data_dir=folder), seeded.now)
    with world.store() as store:
        Desk(store).open_case(signal_id("sneakers"), by="<b>mei</b>", now=world.now)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = start(world.settings, port=port)
    try:
        _wait(f"http://127.0.0.1:{port}/_stcore/health")
        yield world, f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


def _wait(url: str) -> None:
    for _ in range(240):
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310  # our own server on loopback
                assert answer.read() == b"ok"
                return
        except OSError:
            time.sleep(0.25)
    pytest.fail("the board did not answer within a minute")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Open a real browser, or skip where there is none."""
    if not CHROMIUM.exists():
        pytest.skip("no chromium on this machine")
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """Open a person's own window."""
    opened = browser.new_context(viewport={"width": 1440, "height": 1000})
    opened.set_default_timeout(30_000)
    yield opened
    opened.close()


def _ready(page: Page) -> None:
    """Wait until the page is drawn to its end."""
    page.wait_for_selector(".stHtml h1")
    expect(page.locator("[data-testid=stApp]")).to_have_attribute(
        "data-test-script-state",
        "notRunning",
        timeout=90_000,  # the first time that words are taken apart
    )


def _address(base: str, view: str) -> str:
    from groundswell.index.ids import mention_id, stable_id

    if view == "document":
        return f"{base}/document?id={mention_id(source='mastodon_ads', native_id='hostile-0')}"
    if view == "theme":
        return f"{base}/theme?theme={theme_id('hostile')}"
    return f"{base}/{view}{stable_id('case', signal_id('sneakers')) if view.endswith('case=') else ''}"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_view_fits_and_nothing_of_strangers_runs(board: tuple[World, str], browser: Browser, scheme: str) -> None:
    """No error, nothing wider than the screen from phone to wall, no stranger's code, no request to anywhere else.

    Colours and names are such that everybody can read them: axe finds nothing serious.
    """
    _, base = board
    outside, wider = list[str](), list[str]()
    context = browser.new_context(
        color_scheme="dark" if scheme == "dark" else "light", viewport={"width": 1440, "height": 900}
    )
    context.on("request", lambda request: outside.append(request.url))
    page = context.new_page()
    page.set_default_timeout(30_000)
    for view in VIEWS:
        page.set_viewport_size({"width": 1440, "height": 900})
        page.goto(_address(base, view))
        _ready(page)
        assert page.locator("[data-testid=stException]").count() == 0, view
        assert page.evaluate("document.body.dataset.owned") is None, view
        assert page.locator(".stHtml script, .stHtml a[href^=javascript]").count() <= 1, view  # one: our own
        ink = page.evaluate("getComputedStyle(document.querySelector('.stHtml h1')).color")
        assert ink == ("rgb(236, 234, 228)" if scheme == "dark" else "rgb(29, 31, 36)")
        assert _serious(page) == [], view
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            page.wait_for_function("width => window.innerWidth === width", arg=width)
            page.wait_for_function(SIDE_FOLDED)
            wide = page.locator("[data-testid=stMain]").evaluate("main => [main.scrollWidth, main.clientWidth]")
            if wide[0] > wide[1]:
                wider.append(f"{view} at {width}: {wide[0]} on {wide[1]}")
    context.close()
    assert wider == []
    assert [url for url in outside if not url.startswith((base, "data:", "blob:", base.replace("http", "ws")))] == []


def _serious(page: Page) -> list[str]:
    """Return what axe-core finds serious or worse, with the first element of each."""
    found = Axe().run(page).response["violations"]
    return [
        f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in found if one["impact"] in {"serious", "critical"}
    ]


def test_the_board_is_used_by_keyboard_alone(board: tuple[World, str], context: BrowserContext) -> None:
    """From the top of Today to a decision and on to the inbox, by Tab and Enter; what has the focus shows it."""
    world, base = board
    page = context.new_page()
    page.goto(f"{base}/today")
    _ready(page)
    _tab_to(page, "el => el.matches('[class*=st-key-confirm-] button')")
    outline = page.evaluate(
        "(el => getComputedStyle(el).outlineStyle + getComputedStyle(el).boxShadow)(document.activeElement)"
    )
    assert outline != "nonenone"
    page.keyboard.press("Enter")
    expect(page.locator(".said")).to_contain_text("onfirmed")
    _tab_to(page, "el => el.tagName === 'A' && el.textContent.startsWith('Inbox')")
    page.keyboard.press("Enter")
    expect(page.locator(".stHtml h1")).to_have_text("Inbox")
    with world.reader() as reader:
        assert any(decision.what == "confirmed" for decision in reader.recent(Decision))


def _tab_to(page: Page, wanted: str) -> None:
    """Press Tab until an element has the focus."""
    for _ in range(400):
        page.keyboard.press("Tab")
        if page.evaluate(f"({wanted})(document.activeElement)"):
            return
    pytest.fail(f"Tab never comes to {wanted}")


def test_a_person_s_own_language_is_found_and_kept(board: tuple[World, str], browser: Browser) -> None:
    """A browser set to zh-HK is spoken to in Chinese; who chooses another language meets it again the next time."""
    _, base = board
    context = browser.new_context(locale="zh-HK", viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.set_default_timeout(30_000)
    page.goto(f"{base}/today")
    expect(page.locator(".stHtml h1")).to_have_text("今天")
    page.locator(".st-key-tongue").get_by_role("combobox").click()
    page.get_by_role("option", name="Bahasa Indonesia").click()
    expect(page.locator(".stHtml h1")).to_have_text("Hari ini")
    page.wait_for_function("document.cookie.includes('groundswell-language=id')")
    again = context.new_page()
    again.goto(f"{base}/inbox")
    expect(again.locator(".stHtml h1")).to_have_text("Kotak masuk")
    context.close()


def test_an_alert_is_handled_from_the_first_page(board: tuple[World, str], context: BrowserContext) -> None:
    """Open a case, dismiss one for a reason, snooze another, take that back; then links, without losing one's name."""
    world, base = board
    page = context.new_page()
    page.goto(base)
    _ready(page)
    page.locator("input[aria-label='You are']").fill("Noor")
    page.keyboard.press("Enter")
    critical = page.locator("[class*=st-key-card-critical]")
    critical.get_by_role("button", name="Open case").click()
    expect(page.locator(".said")).to_contain_text("due in 4")
    expect(critical.locator(".state")).to_have_text("Case open")
    page.locator("[class*=st-key-card-low]").get_by_role("button", name="Dismiss").click()
    page.get_by_test_id("stPopoverBody").get_by_role("button", name="Dismiss").click()
    expect(page.locator("[class*=st-key-card-low]")).to_have_count(0)
    page.locator("[class*=st-key-card-medium]").get_by_role("button", name="Snooze").click()
    body = page.get_by_test_id("stPopoverBody")
    body.get_by_label("Why").fill("a fix is on its way")
    body.get_by_role("button", name="Snooze").click()
    expect(page.locator("[class*=st-key-card-medium]")).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("[class*=st-key-card-medium]")).to_have_count(1)
    with world.reader() as reader:
        done = {decision.what for decision in reader.recent(Decision) if decision.by == "Noor"}
        assert done == {"case", "dismissed", "snoozed", "reopened"}
        assert any(signal_id("deepfake") in case.signals for case in reader.recent(Case))
    page.evaluate("window.still = true")
    critical.locator("h3 a").click()
    expect(page.locator(".stHtml h1")).to_have_text("Inbox")
    assert page.evaluate("window.still"), "the page was loaded anew"
    page.go_back()
    expect(page.locator(".stHtml h1")).to_have_text("Today")
    expect(page.locator("input[aria-label='You are']")).to_have_value("Noor")


def test_the_inbox_is_handled_by_many_and_its_filters_stand_in_the_address(
    board: tuple[World, str], context: BrowserContext
) -> None:
    """Choose two, give them to somebody; a filter changes the address, and the address alone shows the same."""
    _, base = board
    page = context.new_page()
    page.goto(f"{base}/inbox?show=all")
    _ready(page)
    boxes = page.locator("[class*=st-key-choose-] label")
    boxes.nth(0).click()
    expect(page.locator(".st-key-act-bulk")).to_contain_text("1 chosen")
    boxes.nth(1).click()
    expect(page.locator(".st-key-act-bulk")).to_contain_text("2 chosen")
    page.get_by_label("Give to").fill("Arif")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Give").click()
    expect(page.locator(".said")).to_contain_text("2 alerts given to Arif")
    page.goto(f"{base}/inbox?show=all&severity=high")
    _ready(page)
    assert set(page.locator("article .sev").all_text_contents()) == {"high"}


def test_a_number_leads_to_its_documents(board: tuple[World, str], context: BrowserContext) -> None:
    """The cell of the map that says +x lists exactly the documents it counts."""
    _, base = board
    page = context.new_page()
    page.goto(base)
    _ready(page)
    cell = page.locator(".heat a.hc").first
    title = cell.get_attribute("title") or ""
    count = int(re.search(r"(\d+) text", title)[1])  # type: ignore[index]  # the title says it
    cell.click()
    expect(page.locator(".found")).to_contain_text(f"of {count} text")


def test_the_second_editor_of_a_case_is_told(
    board: tuple[World, str], browser: Browser, context: BrowserContext
) -> None:
    """Two windows, one case: the second one's words are not lost, and nor are the first one's."""
    _, base = board
    other = browser.new_context()
    pages = [context.new_page(), other.new_page()]
    for page in pages:
        page.goto(_address(base, "cases?case="))
        _ready(page)
    for page, words in zip(pages, ("asked the shop", "called the bank"), strict=True):
        page.get_by_label("Note").fill(words)
        page.get_by_role("button", name="Save").click()
        page.wait_for_selector(".said")
    expect(pages[0].locator(".said")).to_have_text("Saved.")
    expect(pages[1].locator(".said")).to_contain_text("somebody changed this case while you were writing")
    expect(pages[1].locator(".history").first).to_contain_text("asked the shop")
    expect(pages[1].get_by_label("Note")).to_have_value("called the bank")
    other.close()


def test_the_board_says_that_it_is_well(board: tuple[World, str]) -> None:
    """A monitor can ask; telemetry is off and only loopback listens."""
    _, base = board
    _wait(f"{base}/_stcore/health")
    from groundswell.ui.board.launch import command

    flags = " ".join(command(port=1, host="127.0.0.1", headless=True))
    assert "--browser.gatherUsageStats=false" in flags
    assert "--server.address=127.0.0.1" in flags


def test_what_is_downloaded_from_the_board_stands_in_the_log(board: tuple[World, str], context: BrowserContext) -> None:
    """A search's file, a case's brief and an answer in SQL are recorded, once each."""
    world, base = board
    log = Audit(world.settings.data_dir)
    begun = len(log.rows())
    page = context.new_page()
    page.goto(f"{base}/search?q=market:SG")
    _ready(page)
    with page.expect_download() as file:
        page.get_by_role("button", name="JSONL").click()
    assert file.value.path().stat().st_size
    page.goto(_address(base, "cases?case="))
    _ready(page)
    with page.expect_download() as file:
        page.locator(".st-key-act-brief-" + stable_id("case", signal_id("sneakers"))).get_by_role(
            "button"
        ).first.click()
    assert file.value.path().stat().st_size
    page.goto(f"{base}/sql")
    _ready(page)
    page.get_by_role("button", name="Ask", exact=True).click()
    with page.expect_download() as file:
        page.get_by_role("button", name="CSV", exact=True).click()
    assert file.value.path().stat().st_size
    found = [(row.who, row.what, row.subject) for row in log.rows()[begun:]]
    assert found == [
        ("somebody", "export search", "jsonl"),
        ("somebody", "brief", stable_id("case", signal_id("sneakers"))),
        ("somebody", "ask in SQL", ""),
        ("somebody", "export table", "answer"),
    ]
    assert not log.verify().wrong


def test_a_time_is_drawn_on_the_chart_of_a_search(board: tuple[World, str], context: BrowserContext) -> None:
    """Days drawn over narrow the search to them; a click on one day still leads to that day."""
    page = context.new_page()
    page.goto(f"{board[1]}/search?q=iklan")
    _ready(page)
    cells = page.locator(".chart[data-brush] .days a")
    begin, end = cells.nth(20).bounding_box(), cells.nth(29).bounding_box()
    assert begin
    assert end
    page.mouse.move(begin["x"] + 1, begin["y"] + 10)
    page.mouse.down()
    page.mouse.move(end["x"] + 1, end["y"] + 10, steps=4)
    page.mouse.up()
    page.wait_for_url("**since**until**")
    words = page.get_by_label("Search", exact=True).first
    expect(words).to_have_value(re.compile(r"^iklan since:\d{4}-\d\d-\d\d until:\d{4}-\d\d-\d\d$"))
    since, until = re.findall(r"\d{4}-\d\d-\d\d", words.input_value())
    assert (date.fromisoformat(until) - date.fromisoformat(since)).days == 10
    expect(page.locator(".chart[data-brush] .days a")).to_have_count(10)
    page.locator(".chart[data-brush] .days a").nth(3).click()
    page.wait_for_url("**on**")


def test_two_periods_are_compared_by_a_click(board: tuple[World, str], context: BrowserContext) -> None:
    """From a search to the time before it, and every number there leads on."""
    page = context.new_page()
    page.goto(f"{board[1]}/search?q=since:3d")
    _ready(page)
    page.get_by_role("link", name="beside another time").click()
    expect(page.get_by_role("heading", name="Two periods")).to_be_visible()
    expect(page.locator("p.lead")).to_contain_text("a day", timeout=60_000)  # the first time words are taken apart
    page.locator(".panel td a.num").first.click()
    expect(page.get_by_role("heading", name="Search", exact=True)).to_be_visible()


def test_the_first_page_is_read_before_its_scripts_run(board: tuple[World, str], browser: Browser) -> None:
    """What waits stands there without a script, at the place where the page then says the same."""
    _, base = board
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.set_default_timeout(30_000)
    page.goto(base)
    _ready(page)
    assert page.locator("#first-words").count() == 0
    said = page.locator("p.lead").inner_text()
    context.route("**/static/js/**", lambda route: route.abort())
    early = context.new_page()
    early.set_viewport_size({"width": 1440, "height": 900})
    early.goto(base)
    expect(early.locator("#first-words p.lead")).to_have_text(said)
    places = [opened.locator("p.lead").bounding_box() for opened in (early, page)]
    assert places[0] == places[1]
    context.close()


def test_a_document_is_read_corrected_and_put_into_a_case(board: tuple[World, str], context: BrowserContext) -> None:
    """All of its text with its labels; a wrong label is corrected beside what the model said, and the case holds it."""
    world, base = board
    page = context.new_page()
    page.goto(f"{base}/search?q=market:MY")
    _ready(page)
    page.locator("article a.out[href^=document]").first.click()
    page.wait_for_url("**/document?**")
    _ready(page)
    document = page.url.partition("id=")[2]
    page.locator(".st-key-correct button").click()
    expect(page.locator(".said")).to_be_visible()
    page.locator(".st-key-to-case button").click()
    expect(page.locator(".said")).to_contain_text("in the case")
    with world.reader() as reader:
        assert any(label.subject == document for label in reader.recent(Label))
        assert any(document in str(case.evidence) for case in reader.recent(Case))


def test_a_search_is_explained_put_right_and_kept(board: tuple[World, str], context: BrowserContext) -> None:
    """A sign of another tool is told with what to write; the search that is meant is kept and asked again."""
    _, base = board
    page = context.new_page()
    page.goto(f"{base}/search?q=market:SG OR MY")
    _ready(page)
    expect(page.get_by_role("alert")).to_contain_text("did you mean market:SG,MY?")
    words = page.get_by_label("Search", exact=True).first
    words.fill("market:SG,MY")
    words.press("Enter")
    expect(page.locator(".found")).to_be_visible()
    found = page.locator(".found").inner_text()
    _save_and_open(page, "Save this search as", "Next door", f"{base}/search")
    expect(page.locator(".found")).to_have_text(found)


def test_a_rise_is_explained_by_a_click_on_the_first_page(board: tuple[World, str], context: BrowserContext) -> None:
    """From below the chart to what made the day, and from a part of it to exactly its documents."""
    _, base = board
    page = context.new_page()
    page.goto(base)
    _ready(page)
    page.locator("p.made a.out").last.click()
    expect(page.get_by_role("heading", name="What made it")).to_be_visible()
    expect(page.locator("p.lead")).to_contain_text("usual")
    part = page.locator(".panel td a.num").first
    count = part.inner_text()
    part.click()
    expect(page.locator(".found")).to_contain_text(f"of {count} document")


def test_a_theme_is_named_by_hand_and_that_is_taken_back(board: tuple[World, str], context: BrowserContext) -> None:
    """The name that a person gives stands on the page, and goes with one click."""
    _, base = board
    page = context.new_page()
    page.goto(f"{base}/theme?theme={theme_id('sneakers')}")
    _ready(page)
    before = page.locator(".stHtml h1").inner_text()
    page.get_by_role("button", name="Rename").click()
    body = page.get_by_test_id("stPopoverBody")
    body.get_by_label("Name").fill("KickVault · stickers instead of shoes")
    body.get_by_role("button", name="Rename").click()
    expect(page.locator(".stHtml h1")).to_have_text("KickVault · stickers instead of shoes")
    page.get_by_role("button", name="Take its name back").click()
    expect(page.locator(".stHtml h1")).to_have_text(before)


def _save_and_open(page: Page, label: str, name: str, address: str) -> None:
    """Save what is shown under a name, go to the page anew, and open it from what is saved."""
    page.get_by_role("button", name="Saved").click()
    page.get_by_label(label).fill(name)
    page.get_by_test_id("stPopoverBody").get_by_role("button", name="Save").click()
    expect(page.locator(".said")).to_have_text(f"Saved: {name}")
    page.goto(address)
    _ready(page)
    page.get_by_role("button", name="Saved").click()
    page.get_by_test_id("stPopoverBody").get_by_role("link", name=name).click()


def test_a_question_in_sql_is_kept_and_asked_by_its_address(board: tuple[World, str], context: BrowserContext) -> None:
    """Written, asked, kept; its link asks the same again."""
    _, base = board
    page = context.new_page()
    page.goto(f"{base}/sql")
    _ready(page)
    statement = page.get_by_label("Statement")
    statement.fill("select market, count(*) as documents from documents group by 1 order by 2 desc")
    statement.press("Control+Enter")
    page.get_by_role("button", name="Ask", exact=True).click()
    expect(page.get_by_role("button", name="CSV", exact=True)).to_be_visible(timeout=60_000)  # asks in its own process
    _save_and_open(page, "Save this question as", "By market", f"{base}/sql")
    expect(page.get_by_label("Statement")).to_have_value(re.compile("group by 1 order by 2"))


def test_a_source_that_fell_silent_is_found_from_the_first_page(
    board: tuple[World, str], context: BrowserContext
) -> None:
    """From the map of what was seen to the source, with its days and what its visits said."""
    _, base = board
    page = context.new_page()
    page.goto(base)
    _ready(page)
    source = page.locator(".cov a").first
    name = source.get_attribute("aria-label") or ""
    source.click()
    expect(page.get_by_role("heading", name=name, level=1)).to_be_visible()
    expect(page.locator(".panel").first).to_contain_text("Coverage")
