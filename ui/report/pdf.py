"""A brief as a PDF, with its text beside: Thai cannot be copied out of any PDF that was tried."""

from __future__ import annotations

from datetime import datetime
from importlib.metadata import PackageNotFoundError, version

from groundswell.configs.schema import Settings
from groundswell.index.records import Case
from groundswell.index.store import Reader, StoreError
from groundswell.ui.report.brief import make_brief


def pdf_possible() -> bool:
    """Return whether WeasyPrint is installed."""
    try:
        return bool(version("weasyprint"))
    except PackageNotFoundError:
        return False


def make_pdf(reader: Reader, case: Case, settings: Settings, *, now: datetime) -> bytes:
    """Return the brief of a case to print, with the same in Markdown attached; nothing is fetched for it.

    Raises:
        StoreError: WeasyPrint, or a library of the system that it needs, is not installed; the message says how.
    """
    try:
        from weasyprint import HTML, Attachment
        from weasyprint.urls import URLFetcher
    except (ImportError, OSError) as error:  # OSError: Pango is missing
        raise StoreError(
            f"a PDF needs WeasyPrint and Pango ({str(error).splitlines()[0]}): pip install 'groundswell[pdf]', or take "
            "the brief as HTML and print it from a browser"
        ) from None
    html, text = (make_brief(reader, case, settings, kind=kind, now=now) for kind in ("html", "md"))
    beside = Attachment(string=text, name=f"case-{case.id}.md", description="the same as text, to copy from")
    nothing = URLFetcher(allowed_protocols=(), allow_redirects=False)
    made: bytes = HTML(string=html, url_fetcher=nothing).write_pdf(attachments=[beside])
    return made
