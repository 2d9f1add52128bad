"""The digest as a mail of one reader, and the connection to the server that takes it.

Who has had which edition is kept by `groundswell.ui.report.editions.ledger`.
"""

from __future__ import annotations

import os
import re
import smtplib
import ssl
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from email.errors import HeaderParseError
from email.headerregistry import Address, Group
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from groundswell.configs.schema import DigestSettings
from groundswell.index.files import write_whole
from groundswell.ui.report import wording
from groundswell.ui.report.digest import Digest

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer as Buffer

TIMEOUT_SECONDS = 30.0
LONGEST_SUBJECT = 160
NO_UTF8 = 553
"""Mailbox name not allowed (RFC 5321), as a server would say to an address that it cannot take."""
NOBODY_NAMED = Group("undisclosed-recipients")
"""What stands where a mail names none of its readers (RFC 5322, 3.4: an empty group)."""
REPEATED = "(Perhaps sent before: it is not known whether the first try arrived.)"
NAMED = re.compile(r'"?(?P<name>[^"<>]*)"?\s*<(?P<spec>[^<>\s]+)>|(?P<bare>[^<>"]+)')
"""An address as mail programs write it; `email.utils.parseaddr` tells what is none from one only since Python 3.13."""


class DigestError(OSError):
    """The mail cannot be sent; the message says what to look at."""


class RefusedError(DigestError):
    """The server said no, with a code of SMTP: 4xx may pass, 5xx is for good."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code

    @property
    def for_good(self) -> bool:
        """Return whether trying again is of no use."""
        return 500 <= self.code < 600


class UnknownError(DigestError):
    """The connection broke after the message was begun: nobody knows whether it arrived."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """Whose mail it is, and how it may be ended.

    Attributes:
        to: the reader's address, as people write it; empty where several get the same and none is to see the others.
        key: what is the same for all of one reader's digests and tells nothing of them.
        stop: where one click ends these mails; empty where there is no such page, and a mail to the sender asks for it.
        repeat: whether it may have arrived before.
    """

    to: str
    key: str
    stop: str = ""
    repeat: bool = False


def message_of(digest: Digest, settings: DigestSettings, envelope: Envelope) -> EmailMessage:
    """Return the mail as a message; the same edition has the same Message-ID, so that a repeat can be known.

    All digests of one reader are one conversation. One click ends them (RFC 8058) where the board can be reached;
    else a mail to the sender asks for it (RFC 2369).

    Raises:
        DigestError: the sender or the reader is no address.
    """
    sender = address_of(settings.sender, "digest.sender")
    named = [address_of(envelope.to, "digest.recipients or digest.people")] if envelope.to else []
    ascii_only = all(one.addr_spec.isascii() for one in (sender, *named))
    message = EmailMessage(policy=SMTP if ascii_only else SMTPUTF8)
    domain = sender.domain if sender.domain.isascii() else "groundswell.invalid"
    message["Subject"] = header_text(digest.subject)
    message["From"] = sender if sender.display_name else Address("Groundswell", addr_spec=sender.addr_spec)
    message["To"] = named or NOBODY_NAMED
    message["Date"] = format_datetime(digest.at)
    message["Message-ID"] = f"<digest-{digest.day}-{envelope.key}@{domain}>"
    message["In-Reply-To"] = message["References"] = f"<digest-{envelope.key}@{domain}>"
    message["List-Id"] = f"Groundswell digest <digest.{domain}>"
    if envelope.stop:
        message["List-Unsubscribe"] = f"<{envelope.stop}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    elif sender.addr_spec.isascii():
        message["List-Unsubscribe"] = f"<mailto:{quote(sender.addr_spec, safe='@+')}?subject=unsubscribe%20digest>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers, please
    text = f"{REPEATED}\n\n{digest.text}" if envelope.repeat else digest.text
    html = digest.html.replace("<h1", f"<p>{REPEATED}</p><h1", 1) if envelope.repeat else digest.html
    message.set_content(text, cte="base64")
    message.add_alternative(html, subtype="html", cte="base64")
    _with_picture(message, digest)
    return message


def _with_picture(message: EmailMessage, digest: Digest) -> None:
    """Put the picture beside the page that shows it (RFC 2387): nothing is loaded from anywhere."""
    page = message.get_body(("html",))
    if digest.picture and isinstance(page, EmailMessage):
        page.add_related(
            digest.picture, "image", "png", cid="<mood>", disposition="inline", filename="mood.png"
        )  # fmt: skip


def write_digest(digest: Digest, folder: Path, *, name: str = "", to: str = "") -> list[Path]:
    """Write the mail as HTML, as text and as a message file, named by its day or as said; return the files.

    Each is written aside and then renamed, so that nobody reads half of one. The page holds its picture.
    """
    picture = f"data:image/png;base64,{b64encode(digest.picture).decode()}"
    envelope = Envelope(to or "preview@groundswell.invalid", "preview")
    contents = {
        ".html": digest.html.replace("cid:mood", picture).encode("utf-8"),
        ".txt": digest.text.encode("utf-8"),
        ".eml": message_of(digest, DigestSettings(), envelope).as_bytes(),
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


def hand_over(mail: DigestSettings, message: EmailMessage, to: Sequence[Address]) -> dict[str, RefusedError]:
    """Give a message to the server; return the readers it refused, by address, where it took others.

    Raises:
        RefusedError: the server said no to all; the code tells whether trying again is of use.
        UnknownError: the connection broke after the message was begun: perhaps it arrived.
        DigestError: it was certainly not sent.
    """
    sender = address_of(mail.sender, "digest.sender").addr_spec
    begun = False
    try:
        with connected(mail) as server:
            try:
                refused = server.send_message(message, sender, [one.addr_spec for one in to])
            except smtplib.SMTPRecipientsRefused as error:
                raise _all_refused(error.recipients) from error
            except smtplib.SMTPNotSupportedError:
                raise RefusedError(NO_UTF8, "the server takes no address outside ASCII (SMTPUTF8)") from None
            except smtplib.SMTPResponseException as error:
                raise RefusedError(error.smtp_code, _answer(error.smtp_code, error.smtp_error)) from error
            except (smtplib.SMTPServerDisconnected, OSError):
                begun = getattr(server, "begun", False)
                raise
    except DigestError as error:
        if begun:
            raise UnknownError(str(error)) from error
        raise
    return {spec: RefusedError(code, _answer(code, text)) for spec, (code, text) in refused.items()}


def _all_refused(answers: Mapping[str, tuple[int, bytes | str]]) -> RefusedError:
    """Return the answer to all readers: one that may pass, where there is one."""
    code, text = min(answers.values(), key=lambda answer: answer[0])
    return RefusedError(code, _answer(code, text))


def _answer(code: int, text: bytes | str) -> str:
    return f"{code} {text.decode('utf-8', 'replace') if isinstance(text, bytes) else text}"


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
    for recipient in (*mail.recipients, *(person.address for person in mail.people)):
        address_of(recipient, "digest.recipients or digest.people")
    with connected(mail) as server:
        server.ehlo_or_helo_if_needed()
        code, text = server.mail(sender.addr_spec)
        if code != 250:  # RFC 5321, 4.2.3: requested action completed
            raise DigestError(f"{mail.smtp_host} refuses the sender {sender.addr_spec}: {code} {text.decode()}")
        server.rset()
    return f"{mail.smtp_host}:{mail.smtp_port} takes mail from {sender.addr_spec}"


class _Plain(smtplib.SMTP):
    """Notes that a message was begun, which a lost connection afterwards leaves in doubt."""

    begun = False

    def data(self, msg: Buffer | str) -> tuple[int, bytes]:
        """Send a message (smtplib calls it)."""
        self.begun = True
        return super().data(msg)


class _Secure(_Plain, smtplib.SMTP_SSL):
    """The same over TLS from the beginning."""


def _connection(mail: DigestSettings) -> smtplib.SMTP:
    if mail.smtp_security == "tls":
        return _Secure(mail.smtp_host, mail.smtp_port, timeout=TIMEOUT_SECONDS, context=ssl.create_default_context())
    server = _Plain(mail.smtp_host, mail.smtp_port, timeout=TIMEOUT_SECONDS)
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
