"""Questions in SQL and the quality report at set times: into files, and by mail to those who asked for them.

A report is due once a period (a day, a week from Monday, in the zone of the digest) from its hour on. What is written
and who has been served is marked per period, so that asking twice, or a killed run, repeats nothing but, at the worst,
one mail under the same Message-ID.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from groundswell.configs.schema import ReportSettings, Settings
from groundswell.configs.yaml_lines import ConfigError
from groundswell.index.files import write_whole
from groundswell.index.ids import stable_id
from groundswell.index.permitted import AccessError, Person, seen_by
from groundswell.index.records import Checkpoint
from groundswell.index.sql import Table, plain
from groundswell.index.store import Store, StoreError
from groundswell.index.tables import harmless
from groundswell.ui.report.granted import reader_of_report
from groundswell.ui.report.mail import DigestError, address_of, connected, header_text

FOLDER = "reports"
DAYS = {"day": 1.0, "week": 7.0}
QUALITY_DAYS = 90.0
"""Audits drawn in so many days count in the quality report."""


def period(report: ReportSettings, settings: Settings, now: datetime) -> str:
    """Return the name of the period that is due at a moment: its day, or its Monday; the one before until its hour."""
    local = now.astimezone(ZoneInfo(settings.digest.timezone))
    day = (local - timedelta(days=1) if local.hour < report.hour else local).date()
    return str(day if report.every == "day" else day - timedelta(days=day.weekday()))


def run_due(store: Store, settings: Settings, *, now: datetime, force: str = "") -> tuple[list[str], list[str]]:
    """Write and send what is due; return what was done and what went wrong, a sentence each.

    Args:
        store: where marks are kept.
        settings: `reports`, and the mail server of `digest`.
        now: the present moment.
        force: the report of this name is made anew and sent again whatever was before.
    """
    done: list[str] = []
    troubles: list[str] = []
    for report in settings.reports:
        day = period(report, settings, now)
        mark = _mark(store, report)
        value = mark.value if mark is not None and mark.value["period"] == day and force != report.name else {}
        served = [str(one) for one in value.get("served", ())]
        due = [one for one in report.to if _key(one) not in served] if settings.digest.smtp_host else []
        if value and not due:
            continue
        try:
            made = _Made(store, settings, report, day, now)
            if not value:
                files = made.files(report.markets)
                store.put([_marked(report, day, served, now)])
                done.append(f"{report.name} of {day}: {', '.join(str(file) for file in files)}")
            sent = _send(made, due=due, served=served) if due else 0
            done += [f"{report.name} of {day} sent to {sent}"] if sent else []
        except (StoreError, DigestError, ConfigError) as error:
            troubles.append(f"{report.name}: {error}")
    return done, troubles


def _mark(store: Store, report: ReportSettings) -> Checkpoint | None:
    return store.get(Checkpoint, f"report {report.name}")


def _marked(report: ReportSettings, day: str, served: Sequence[str], now: datetime) -> Checkpoint:
    return Checkpoint(id=f"report {report.name}", value={"period": day, "served": list(served)}, at=now)


def _key(recipient: str) -> str:
    return stable_id("reader of a report", recipient)


class _Made:
    """A report of one period, made once for all who see the same markets."""

    def __init__(self, store: Store, settings: Settings, report: ReportSettings, day: str, now: datetime) -> None:
        self.store, self.settings, self.report, self.day, self.now = store, settings, report, day, now
        self._files: dict[tuple[str, ...], list[Path]] = {}

    def files(self, markets: Sequence[str]) -> list[Path]:
        """Return its files, as somebody sees them who is limited to markets; to none: everything."""
        key = tuple(sorted(markets))
        if key not in self._files:
            self._files[key] = self._write(Person("a report", "admin", key))
        return self._files[key]

    def _write(self, person: Person) -> list[Path]:
        """Write a question's answer as CSV, the quality report as page and workbook."""
        only = "".join(f"-{market or 'none'}" for market in person.markets)
        base = self.settings.data_dir / FOLDER / f"{self.report.name}-{self.day}{only}"
        base.parent.mkdir(parents=True, exist_ok=True)
        if not self.report.sql:
            from groundswell.ui.report.quality import look, write

            quality = look(seen_by(person, self.store), self.settings, days=QUALITY_DAYS, now=self.now)
            places = [base.with_name(f"{base.name}{end}") for end in (".html", ".xlsx")]
            for place in places:
                write(quality, place)
            return places
        from groundswell.ui.report.sql_tables import answer

        found = answer(self.settings, self.report.sql, now=self.now, person=person)
        return [write_whole(base.with_name(f"{base.name}.csv"), _csv(found))]


def _csv(found: Table) -> bytes:
    """Return an answer as a file that a spreadsheet shows and never computes."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([harmless(name) for name in found.columns])
    writer.writerows([harmless(plain(cell)) for cell in row] for row in found.rows)
    return out.getvalue().encode("utf-8-sig", "replace")


def _send(made: _Made, *, due: Sequence[str], served: Sequence[str]) -> int:
    """Send to each by themselves what they may see, and mark each at once; one who is refused costs nobody else."""
    mail, report, done = made.settings.digest, made.report, list(served)
    refused: dict[str, str] = {}
    import smtplib

    with connected(mail) as server:
        for recipient in due:
            try:
                address = address_of(recipient, f"reports ({report.name}): to")
                files = made.files(reader_of_report(recipient, report, made.settings).markets)
                message = _message(made.settings, report, made.day, files, now=made.now, recipient=recipient)
                server.send_message(message, address_of(mail.sender, "digest.sender").addr_spec, [address.addr_spec])
            except (smtplib.SMTPResponseException, smtplib.SMTPRecipientsRefused, DigestError, AccessError) as error:
                refused[recipient] = str(error)
                continue
            done.append(_key(recipient))
            made.store.put([_marked(report, made.day, done, made.now)])
    if refused:
        raise DigestError("; ".join(f"{who} was not served: {why}" for who, why in refused.items()))
    return len(done) - len(served)


TYPES: Mapping[str, tuple[str, str]] = {
    ".csv": ("text", "csv"),
    ".html": ("text", "html"),
    ".xlsx": ("application", "vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
}


def _message(
    settings: Settings, report: ReportSettings, day: str, files: Sequence[Path], *, now: datetime, recipient: str
) -> EmailMessage:  # fmt: skip
    message = EmailMessage(policy=SMTP)
    what = "Groundswell, quality" if not report.sql else f"Groundswell, {report.name}"
    message["Subject"] = header_text(f"{what}: {report.every} of {day}")
    message["From"] = address_of(settings.digest.sender, "digest.sender")
    message["To"] = address_of(recipient, f"reports ({report.name}): to")
    message["Date"] = format_datetime(now)
    message["Message-ID"] = f"<report-{stable_id('report', report.name, day, recipient)}@groundswell.invalid>"
    message["Auto-Submitted"] = "auto-generated"
    asked = f"The answer to:\n\n{report.sql}\n" if report.sql else "How right the model is, by random audits.\n"
    message.set_content(f"{asked}\nAsked {now:%Y-%m-%d %H:%M} UTC; attached.\n", cte="base64")
    for file in files:
        kind, subtype = TYPES[file.suffix]
        named = {"charset": "utf-8"} if kind == "text" else None  # bytes are called ASCII otherwise
        message.add_attachment(file.read_bytes(), maintype=kind, subtype=subtype, filename=file.name, params=named)
    return message
