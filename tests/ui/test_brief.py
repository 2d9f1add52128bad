"""A brief says what the case holds, and nothing in it does anything."""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest
from click.testing import CliRunner
from markdown_it import MarkdownIt

from groundswell.configs import taxonomy
from groundswell.index.records import Case
from groundswell.ui.cli import cli
from groundswell.ui.desk import Desk
from groundswell.ui.report.brief import make_brief, markdown
from groundswell.ui.report.editions.page import make_digest
from tests.ui.seed import HOSTILE, World, signal_id
from tests.ui.truth import false_links, numbers_with_links


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.addresses: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.addresses |= {value or "" for name, value in attrs if name in {"href", "src"} or name.startswith("on")}


def _case(world: World) -> Case:
    """Return a case of the hostile guests, with a hostile note."""
    with world.store() as store:
        desk = Desk(store)
        case = desk.open_case(signal_id("hostile"), by=HOSTILE[0], now=world.now)
        return desk.edit_case(case.id, by="mei", now=world.now, note=" ".join(HOSTILE))


def test_every_number_of_a_brief_leads_to_a_search_that_finds_it(world: World) -> None:
    """Counts of markets, languages and feelings add up to the documents; links find what they say."""
    with world.store() as store:
        case = Desk(store).open_case(signal_id("deepfake"), by="mei", now=world.now)
        html = make_brief(store, case, world.settings, kind="html", now=world.now)
        assert len(numbers_with_links(html)) >= 2
        assert list(false_links(store, html, world.now)) == []
    assert f"Evidence: {len(case.evidence)} documents" in html
    for counts in re.findall(r"By (?:market|language|feeling): ([^.]+)\.", html):
        assert sum(int(count) for count in re.findall(r" (\d+)(?:,|$)", counts)) == len(case.evidence)
    assert html.count("<article>") == len(case.evidence)


def test_hostile_posts_have_no_effect_in_a_brief(world: World) -> None:
    """No element, no address of theirs, in the printed form nor in what Markdown makes of the other."""
    case = _case(world)
    with world.reader() as reader:
        printed, written = (
            make_brief(reader, case, world.settings, kind=kind, now=world.now) for kind in ("html", "md")
        )
    seen = _Tags()
    seen.feed(printed)
    seen.feed(MarkdownIt("commonmark", {"html": True}).render(written))
    assert not seen.tags & {"script", "img", "iframe", "form"}
    assert all(address.startswith("http://127.0.0.1:8501/") for address in seen.addresses)


@pytest.mark.parametrize("text", [*HOSTILE, "# head", "a\n\n- b", "| a | b |", "**x** _y_ ~~z~~", "&lt;b&gt; \\"])
def test_markdown_shows_any_text_as_it_is(text: str) -> None:
    """Rendered, it is one paragraph with exactly this text."""
    shown = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(markdown(text))
    from html import unescape

    plain = unescape(re.sub(r"^<p>|</p>$", "", shown.strip()))
    assert plain == " ".join("".join(c if c.isprintable() else " " for c in text).split())


def test_a_brief_is_written_in_the_terminal(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both kinds; a case that is not there is wrong usage."""
    monkeypatch.setenv("GROUNDSWELL_NOW", world.now.isoformat())
    case, own = _case(world), ["--set", f"data_dir={world.settings.data_dir}"]
    assert CliRunner().invoke(cli, [*own, "case", "brief", case.id]).output.startswith("# ")
    assert "<!doctype html>" in CliRunner().invoke(cli, [*own, "case", "brief", case.id, "--format", "html"]).output
    assert CliRunner().invoke(cli, [*own, "case", "brief", "x"]).exit_code == 2


def test_a_brief_is_printed_as_pdf_with_its_text_beside(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that begins as PDFs do and one of text, which also travels inside; hostile posts fetch nothing."""
    pytest.importorskip("weasyprint")
    case = _case(world)
    monkeypatch.setenv("GROUNDSWELL_DATA_DIR", str(world.settings.data_dir))
    done = CliRunner().invoke(
        cli, ["case", "brief", case.id, "--format", "pdf", "--output", str(tmp_path / "case.pdf")]
    )
    assert done.exit_code == 0, done.output
    made = (tmp_path / "case.pdf").read_bytes()
    assert made.startswith(b"%PDF-")
    assert b"/EmbeddedFile" in made
    assert b"/JavaScript" not in made
    assert "gnp" in (tmp_path / "case.md").read_text("utf-8")
    assert CliRunner().invoke(cli, ["case", "brief", case.id, "--format", "pdf"]).exit_code == 2


def test_texts_of_a_risk_that_may_disturb_are_folded_wherever_they_are_read(world: World, tmp_path: Path) -> None:
    """Mail, brief and terminal show who said it and where, and the words only to those who open them; own risks too."""
    shipped = Path(taxonomy.__file__).with_name("taxonomy.yaml").read_text("utf-8")
    own = tmp_path / "taxonomy.yaml"
    own.write_text(
        shipped.replace("- id: impersonation_deepfake\n", "- id: impersonation_deepfake\n    disturbing: true\n")
    )
    settings = world.settings.model_copy(update={"taxonomy": own})
    with world.store() as store:
        case = Desk(store).open_case(signal_id("deepfake"), by="mei", now=world.now)
        mails = [make_digest(store, some, now=world.now) for some in (world.settings, settings)]
        printed, written = (make_brief(store, case, settings, kind=kind, now=world.now) for kind in ("html", "md"))
        words = [
            f"{item['title']} {item['text']}".strip()[:40]
            for item in case.evidence
            if "impersonation_deepfake" in item["risks"]
        ]
    assert len(words) > 3
    assert "May disturb (impersonation)" not in mails[0].text
    assert "May disturb (impersonation): open it on the board" in mails[1].text
    assert "May disturb (impersonation): open it on the board" in unescape(mails[1].html)
    assert len(mails[1].text) < len(mails[0].text)
    folded = re.sub(r"<details>.*?</details>", "", printed, flags=re.DOTALL)
    assert printed.count("<details>") >= len(words)
    for text in words:
        assert markdown(text) not in written
        assert text not in unescape(folded)
        assert text in unescape(printed)
    call = [
        "--set",
        f"data_dir={settings.data_dir}",
        "--set",
        f"taxonomy={own}",
        "search",
        "risk:impersonation_deepfake",
        "--limit",
        "5",
    ]
    shown = [CliRunner().invoke(cli, [*call, *more]) for more in ([], ["--disturbing"])]
    assert [one.exit_code for one in shown] == [0, 0]
    assert shown[0].output.count("[may disturb (impersonation): --disturbing shows it]") == 5
    assert "may disturb" not in shown[1].output
