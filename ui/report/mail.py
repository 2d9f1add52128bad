"""The digest as a mail that shows no reader the others, handed to the server once, whoever else is refused.

A mark in the store tells who has had an edition; it holds hashes, no addresses. Two runs at once hold one lock.
"""

from __future__ import annotations

import os
import re
import smtplib
import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from email.errors import HeaderParseError
from email.headerregistry import Address, Group
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime
from pathlib import Path

from groundswell.configs.schema import DigestSettings, Settings
from groundswell.index.files import held_alone, write_whole
from groundswell.index.ids import stable_id
from groundswell.index.records import Checkpoint
from groundswell.index.store import Store
from groundswell.ui.report import wording
from groundswell.ui.report.digest import Digest

TIMEOUT_SECONDS = 30.0
LOCK_SECONDS = 120.0
"""How long to wait for another process that sends the same digest."""
LONGEST_SUBJECT = 160
NAMED = re.compile(r'"?(?P<name>[^"<>]*)"?\s*<(?P<spec>[^<>\s]+)>|(?P<bare>[^<>"]+)')
"""An address as mail programs write it; `email.utils.parseaddr` tells what is none from one only since Python 3.13."""


class DigestError(OSError):
    """The mail cannot be sent; the message says what to look at."""


def message_of(digest: Digest, settings: DigestSettings) -> EmailMessage:
    """Return the mail as a message; the same edition has the same Message-ID, so that a repeat can be known.

    Its readers stand in the envelope alone: ``To`` is an empty group (RFC 5322, 3.4), so that none sees the others.

    Raises:
        DigestError: the sender is no address.
    """
    sender = address_of(settings.sender, "digest.sender")
    message = EmailMessage(policy=SMTP if sender.addr_spec.isascii() else SMTPUTF8)
    message["Subject"] = header_text(digest.subject)
    message["From"] = sender
    message["To"] = Group("Readers of the digest", ())
    message["Date"] = format_datetime(digest.at)
    message["Message-ID"] = f"<digest-{digest.day}-{stable_id('digest', *settings.recipients)}@groundswell.invalid>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers, please
    message.set_content(digest.text, cte="base64")
    message.add_alternative(digest.html, subtype="html", cte="base64")
    return message


def write_digest(digest: Digest, folder: Path, *, name: str = "") -> list[Path]:
    """Write the mail as HTML, as text and as a message file, named by its day or as said; return the files.

    Each is written aside and then renamed, so that nobody reads half of one.
    """
    contents = {
        ".html": digest.html.encode("utf-8"),
        ".txt": digest.text.encode("utf-8"),
        ".eml": message_of(digest, DigestSettings()).as_bytes(),
    }
    return [write_whole(folder / f"digest-{name or digest.day}{end}", content) for end, content in contents.items()]


def header_text(text: str) -> str:
    """Return text fit for a header: one line, and nothing that reads as an encoded word (RFC 2047), which would be
    decoded again, line breaks and all.
    """  # noqa: D205  one sentence
    line = "".join(char if char.isprintable() else " " for char in text).replace("=?", "= ?")
    return wording.shortened(line, LONGEST_SUBJECT)


def address_of(text: str, where: str) -> Address:
    """Return a mail address as people write it: ``mei@example.org`` or ``Mei Tan <mei@example.org>``.

    Raises:
        DigestError: it is none; what is none never reaches a header.
    """
    try:
        if any(not char.isprintable() for char in text):
            raise ValueError("it holds a control character")
        if not (parts := NAMED.fullmatch(text.strip())):
            raise ValueError("it is neither name@place nor Name <name@place>")
        name, spec = (parts["name"] or "").strip(), parts["spec"] or parts["bare"]
        local, _, domain = spec.rpartition("@")
        if not local or not domain:
            raise ValueError("it has no name@place")
        return Address(header_text(name), addr_spec=f"{local}@{_ascii_domain(domain)}")
    except (ValueError, IndexError, HeaderParseError) as error:
        raise DigestError(f"{where}: {text!r} is no mail address ({error})") from None


def _ascii_domain(domain: str) -> str:
    """Return a domain as mail servers know it (RFC 5891)."""
    return domain if domain.isascii() else domain.encode("idna").decode("ascii")


def pending(digest_day: str, settings: DigestSettings, store: Store) -> list[str]:
    """Return the recipients who have not had an edition."""
    mark = store.get(Checkpoint, f"digest/{digest_day}")
    had = set(mark.value.get("sent", ())) if mark else set()
    return [one for one in dict.fromkeys(settings.recipients) if _key(one) not in had]


def _key(recipient: str) -> str:
    return stable_id("recipient", recipient)


def send_digest(digest: Digest, settings: Settings, store: Store, *, now: datetime) -> str:
    """Send the mail to those of the recipients who have not had this edition; return what was done, in a sentence.

    Asked twice, also by two processes at once, it sends once. Killed between the server's yes and our note of it, it
    sends that one reader's again under the same Message-ID: a mail twice is better than none.

    Raises:
        DigestError: nobody to send to, no server, or the server's answer was no; who was served stays served.
    """
    mail = settings.digest
    if not mail.recipients:
        raise DigestError("nobody to send to: name addresses in digest.recipients")
    if not mail.smtp_host:
        raise DigestError("no mail server: set digest.smtp_host (the digest was written to a file all the same)")
    try:
        with held_alone(settings.data_dir / "digest.lock", seconds=LOCK_SECONDS):
            return _send(digest, mail, store, now)
    except BlockingIOError:
        raise DigestError("another process is sending the digest; wait for it to end") from None


def _send(digest: Digest, mail: DigestSettings, store: Store, now: datetime) -> str:
    due = pending(digest.day, mail, store)
    if not due:
        return f"the digest of {digest.day} was sent before; nothing to do"
    message = message_of(digest, mail)
    specs, refused = _envelope(due)
    went: list[str] = []
    with connected(mail) as server:
        for some in filter(None, _together(specs)):
            answers = _hand_over(server, message, mail, some)
            refused |= {recipient: answers[spec] for recipient, spec in some.items() if spec in answers}
            served = [recipient for recipient in some if recipient not in refused]
            _note(digest.day, served, store, now)
            went += served
    if refused:
        refusals = ", ".join(f"{recipient} ({why})" for recipient, why in sorted(refused.items()))
        raise DigestError(f"refused: {refusals}; {wording.plural(len(went), 'other')} sent")
    return f"digest of {digest.day} sent to {wording.plural(len(went), 'recipient')}"


def _envelope(due: Sequence[str]) -> tuple[dict[str, str], dict[str, str]]:
    """Return the bare address of each recipient, and why there is none: one bad address does not cost the others."""
    specs, refused = {}, {}
    for recipient in due:
        try:
            specs[recipient] = address_of(recipient, "digest.recipients").addr_spec
        except DigestError as error:
            refused[recipient] = str(error)
    return specs, refused


def _together(specs: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Yield recipients that can share an envelope: all in ASCII, then each other one by itself (RFC 6531)."""
    yield {recipient: spec for recipient, spec in specs.items() if spec.isascii()}
    yield from ({recipient: spec} for recipient, spec in specs.items() if not spec.isascii())


def _hand_over(
    server: smtplib.SMTP, message: EmailMessage, mail: DigestSettings, some: Mapping[str, str]
) -> dict[str, str]:
    """Give the message to the server for some readers; return whose it did not take, and why."""
    specs = list(dict.fromkeys(some.values()))
    try:
        sender = address_of(mail.sender, "digest.sender").addr_spec
        answers = server.send_message(message, sender, specs)
    except smtplib.SMTPRecipientsRefused as error:
        answers = error.recipients
    except smtplib.SMTPNotSupportedError:
        return dict.fromkeys(specs, "the server takes no address outside ASCII (SMTPUTF8)")
    except smtplib.SMTPResponseException as error:
        return dict.fromkeys(specs, _answer(error.smtp_code, error.smtp_error))
    return {spec: _answer(*answer) for spec, answer in answers.items()}


def _answer(code: int, text: bytes | str) -> str:
    return f"{code} {text.decode('utf-8', 'replace') if isinstance(text, bytes) else text}"


def _note(day: str, served: Sequence[str], store: Store, now: datetime) -> None:
    """Note who has had an edition, before the next are served."""
    mark = store.get(Checkpoint, f"digest/{day}")
    had = set(mark.value.get("sent", ())) if mark else set()
    sent = sorted(had.union(map(_key, served)))  # hashes: a store keeps no addresses
    store.put([Checkpoint(id=f"digest/{day}", value={"sent": sent}, at=now)])


@contextmanager
def connected(mail: DigestSettings) -> Iterator[smtplib.SMTP]:
    """Give a connection on which one is logged in; its troubles become sentences."""
    where = f"{mail.smtp_host}:{mail.smtp_port}"
    try:
        with _connection(mail) as server:
            if mail.smtp_user:
                server.login(mail.smtp_user, _password(mail))
            yield server
    except smtplib.SMTPAuthenticationError as error:
        raise DigestError(
            f"{where} refused the login of {mail.smtp_user}: look at digest.smtp_user and {mail.smtp_password_env}"
        ) from error
    except smtplib.SMTPNotSupportedError as error:
        raise DigestError(f"{where}: {error}; look at digest.smtp_security") from error
    except ssl.SSLError as error:
        raise DigestError(
            f"no secure connection to {where} ({error.reason or error}); see digest.smtp_security and its certificate"
        ) from error
    except DigestError:
        raise
    except (smtplib.SMTPException, OSError) as error:
        raise DigestError(f"{where} did not take the mail: {error}") from error


def check_server(mail: DigestSettings) -> str:
    """Go as far as a mail would, without sending one: connect, secure, log in, name the sender; return what was said.

    Raises:
        DigestError: it would not be sent; the message says why and what to look at.
    """
    sender = address_of(mail.sender, "digest.sender")
    for recipient in mail.recipients:
        address_of(recipient, "digest.recipients")
    with connected(mail) as server:
        server.ehlo_or_helo_if_needed()
        code, text = server.mail(sender.addr_spec)
        if code != 250:  # RFC 5321, 4.2.3: requested action completed
            raise DigestError(f"{mail.smtp_host} refuses the sender {sender.addr_spec}: {code} {text.decode()}")
        server.rset()
    return f"{mail.smtp_host}:{mail.smtp_port} takes mail from {sender.addr_spec}"


def _connection(mail: DigestSettings) -> smtplib.SMTP:
    if mail.smtp_security == "tls":
        return smtplib.SMTP_SSL(
            mail.smtp_host, mail.smtp_port, timeout=TIMEOUT_SECONDS, context=ssl.create_default_context()
        )
    server = smtplib.SMTP(mail.smtp_host, mail.smtp_port, timeout=TIMEOUT_SECONDS)
    if mail.smtp_security == "starttls":
        try:
            server.starttls(context=ssl.create_default_context())
        except BaseException:
            server.close()
            raise
    return server


def _password(mail: DigestSettings) -> str:
    password = os.environ.get(mail.smtp_password_env)
    if not password:
        raise DigestError(
            f"digest.smtp_user is set, but the environment variable {mail.smtp_password_env} holds no password"
        )
    return password
