"""A real mail server on loopback, for the tests of what is sent."""

from __future__ import annotations

import email
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.controller import Controller


class MailHandler:
    """A mail server's inside: takes everything but what is addressed to `refuses`."""

    def __init__(self) -> None:
        self.mails: list[tuple[list[str], EmailMessage]] = []
        self.refuses: set[str] = set()
        self.answers: list[str] = []
        self.drops = 0

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802  # aiosmtpd's name
        """Take or refuse a recipient."""
        if address in self.refuses:
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802  # aiosmtpd's name
        """Keep a mail."""
        if self.answers and (answer := self.answers.pop(0)) != "250 OK":
            return answer
        message = email.message_from_bytes(envelope.content, policy=default)
        assert isinstance(message, EmailMessage)
        self.mails.append((envelope.rcpt_tos, message))
        if self.drops:
            self.drops -= 1
            server.transport.abort()
        return "250 OK"


@dataclass
class MailServer:
    """A mail server that runs."""

    handler: MailHandler
    port: int


def free_port() -> int:
    """Return a port of loopback on which nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextmanager
def mail_server(handler: MailHandler | None = None, **more: Any) -> Iterator[MailServer]:
    """Run a mail server; without login, unless `more` tells aiosmtpd of one."""
    handler, port = handler or MailHandler(), free_port()
    controller = Controller(handler, hostname="127.0.0.1", port=port, **more)
    controller.start()
    try:
        yield MailServer(handler, port)
    finally:
        controller.stop()
