"""Handing a message over: by HTTP to an address that is really out there, or to the mail server."""

from __future__ import annotations

import ipaddress
import json
import os
import socket
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime
from urllib.parse import urlsplit

from groundswell.configs.schema import Receiver, Settings
from groundswell.ui.report.delivery import shapes
from groundswell.ui.report.delivery.news import News
from groundswell.ui.report.mail import DigestError, RefusedError, UnknownError, address_of, hand_over, header_text
from groundswell.ui.report.tongue import in_tongue

TIMEOUT_SECONDS = 15.0
LONGEST_ANSWER = 2000
"""Bytes of an answer that are read: enough to say why."""
LONGEST_WAIT = 6 * 3600.0
"""Seconds that a server may ask us to wait (Retry-After)."""
TOO_MANY, TIMED_OUT, TOO_EARLY = 429, 408, 425


class NotDeliveredError(OSError):
    """The other side did not take it.

    `for_good` says that trying again is of no use; `wait` seconds it asked for; `perhaps` that it may have arrived.
    """

    def __init__(self, reason: str, *, for_good: bool = False, wait: float = 0.0, perhaps: bool = False) -> None:
        super().__init__(reason)
        self.for_good, self.wait, self.perhaps = for_good, wait, perhaps


@dataclass(frozen=True, slots=True)
class Message:
    """What one receiver is told at once; `id` is the same however often it is tried."""

    id: str
    items: Sequence[News]
    repeat: bool = False


def deliver(message: Message, receiver: Receiver, settings: Settings, *, now: datetime) -> str:
    """Hand a message over; return what the other side said.

    Raises:
        NotDeliveredError: it did not take it.
    """
    return in_tongue(receiver.language, lambda: _deliver(message, receiver, settings, now))


def _deliver(message: Message, receiver: Receiver, settings: Settings, now: datetime) -> str:
    if receiver.kind == "mail":
        return _mail(message, receiver, settings, now)
    build = {"slack": shapes.slack, "teams": shapes.teams}.get(receiver.kind)
    if build is not None:
        content = build(message.items, repeat=message.repeat)
    else:
        content = shapes.webhook(message.items, id=message.id, repeat=message.repeat)
    body = json.dumps(content, ensure_ascii=receiver.kind == "teams", allow_nan=False).encode("utf-8", "replace")
    headers = {"content-type": "application/json", "user-agent": "Groundswell"}
    if receiver.kind == "webhook":
        headers |= _signed(message, receiver, body, now)
    return post(address(receiver), body, headers, allow_private=settings.alerts.allow_private_addresses)


def address(receiver: Receiver) -> str:
    """Return where a receiver listens.

    Raises:
        NotDeliveredError: the variable that should hold it is empty, or holds none.
    """
    url = receiver.url or os.environ.get(receiver.url_env, "")
    if not url.startswith(("http://", "https://")):
        raise NotDeliveredError(f"the environment variable {receiver.url_env} holds no address (https://…)")
    return url.strip()


def _signed(message: Message, receiver: Receiver, body: bytes, now: datetime) -> Mapping[str, str]:
    stamp = int(now.timestamp())
    headers = {"webhook-id": message.id, "webhook-timestamp": str(stamp)}
    if receiver.secret_env:
        secret = os.environ.get(receiver.secret_env, "")
        if not secret:
            raise NotDeliveredError(f"the environment variable {receiver.secret_env} holds no key to sign with")
        try:
            headers["webhook-signature"] = shapes.signature(secret, message.id, stamp, body)
        except ValueError:
            raise NotDeliveredError(f"{receiver.secret_env} begins with whsec_, but the rest is no base64") from None
    return headers


def post(url: str, body: bytes, headers: Mapping[str, str], *, allow_private: bool) -> str:
    """Post to an address and return the answer's status; redirects are not followed.

    The name is looked up once, and the connection goes to the very address that was found fit: a name that changes
    its mind in between gains nothing.

    Raises:
        NotDeliveredError: it leads into a private network, cannot be reached, or the answer is not 2xx.
    """
    import urllib3

    parts = urlsplit(url)
    host, secure = parts.hostname or "", parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    ip = _public(host, port, allow_private=allow_private)
    timeout = urllib3.Timeout(connect=TIMEOUT_SECONDS, read=TIMEOUT_SECONDS)
    pool = (
        urllib3.HTTPSConnectionPool(
            ip, port, timeout=timeout, retries=False, ssl_context=ssl.create_default_context(), server_hostname=host,
            assert_hostname=host,
        )
        if secure
        else urllib3.HTTPConnectionPool(ip, port, timeout=timeout, retries=False)
    )  # fmt: skip
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        with pool:
            answer = pool.urlopen(
                "POST", target, body=body, headers={**headers, "host": parts.netloc.rpartition("@")[2]},
                redirect=False, preload_content=False,
            )  # fmt: skip
            reply = answer.read(LONGEST_ANSWER).decode("utf-8", "replace")
            answer.close()
    except urllib3.exceptions.SSLError as error:
        raise NotDeliveredError(f"{host} has no certificate that can be trusted: {error}") from error
    except urllib3.exceptions.HTTPError as error:
        raise NotDeliveredError(f"{host}:{port} cannot be reached: {type(error).__name__}") from error
    return _judged(answer.status, reply, answer.headers.get("retry-after", ""), host)


def _judged(status: int, body: str, retry_after: str, host: str) -> str:
    if 200 <= status < 300:
        return str(status)
    wait = float(retry_after) if retry_after.isascii() and retry_after.isdigit() else 0.0
    passing = status >= 500 or status in {TOO_MANY, TIMED_OUT, TOO_EARLY}
    raise NotDeliveredError(
        f"{host} answered {status} {body[:200]}".strip(), for_good=not passing, wait=min(wait, LONGEST_WAIT)
    )


def _public(host: str, port: int, *, allow_private: bool) -> str:
    from groundswell.crawlers.guard import is_allowed

    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise NotDeliveredError(f"{host} is not known to any name server: {error}") from error
    every = [str(each[4][0]) for each in found]
    fit = [ip for ip in every if is_allowed(ipaddress.ip_address(ip.partition("%")[0]), allow_private=allow_private)]
    if not fit or len(fit) < len(every):
        raise NotDeliveredError(
            f"{host} leads into a private network; alerts.allow_private_addresses allows it", for_good=True
        )
    return fit[0]


def _mail(message: Message, receiver: Receiver, settings: Settings, now: datetime) -> str:
    """Hand a mail to the server."""
    mail = settings.digest
    if not mail.smtp_host:
        raise NotDeliveredError("there is no mail server: set digest.smtp_host")
    try:
        sender = address_of(mail.sender, "digest.sender")
        reader = address_of(receiver.address, f"alerts.receivers, {receiver.id}")
    except DigestError as error:
        raise NotDeliveredError(str(error), for_good=True) from None
    ascii_only = sender.addr_spec.isascii() and reader.addr_spec.isascii()
    content = EmailMessage(policy=SMTP if ascii_only else SMTPUTF8)
    content["Subject"] = header_text(shapes.subject(message.items))
    content["From"], content["To"] = sender, reader
    content["Date"] = format_datetime(now)
    content["Message-ID"] = f"<alert-{message.id}@groundswell.invalid>"
    content["References"] = f"<about-{thread_of(message)}@groundswell.invalid>"
    content["Auto-Submitted"] = "auto-generated"
    if any(news.severity == "critical" for news in message.items):
        content["Importance"] = "high"
    content.set_content(shapes.text_of(message.items, repeat=message.repeat), cte="base64")
    try:
        hand_over(mail, content, [reader])
    except RefusedError as error:
        raise NotDeliveredError(f"{mail.smtp_host} refused it: {error}", for_good=error.for_good) from error
    except DigestError as error:
        raise NotDeliveredError(str(error), perhaps=isinstance(error, UnknownError)) from error
    return "accepted by the mail server"


def thread_of(message: Message) -> str:
    """Return what a mail program ties to one conversation: all about one alert."""
    from groundswell.index.ids import stable_id

    return stable_id("about", *sorted({news.about for news in message.items}))


__all__ = ["Message", "NotDeliveredError", "address", "deliver", "post"]
