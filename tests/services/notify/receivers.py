"""Real servers that receive notices: an HTTP server for webhooks, an SMTP server for mail.

Own sockets, threads and what they received. Each can refuse on demand.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller

from tests.browser.serving import serving
from tests.ports import free_port


@dataclass
class Hook:
    """What came to a URL: bodies, and the ids of every try; `answers` are its next statuses."""

    url: str = ""
    bodies: list[dict[str, Any]] = field(default_factory=list)
    tries: list[str] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        sent = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        self.tries.append(environ["HTTP_IDEMPOTENCY_KEY"])
        status = self.answers.pop(0) if self.answers else 204
        if status < 300:
            self.bodies.append(json.loads(sent, parse_float=Decimal))
        start_response(f"{status} Status", [("Location", self.url), ("Content-Length", "0")])
        return []

    @property
    def kinds(self) -> list[str]:
        return [body["kind"] for body in self.bodies]


@dataclass
class Mailbox:
    """What came by e-mail, by address; to those in `refused` it does not."""

    port: int = 0
    mails: list[tuple[str, EmailMessage]] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's own name
        self, server: Any, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        if address in self.refused:
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - aiosmtpd's own name
        self, server: Any, session: Any, envelope: Any
    ) -> str:
        message = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        self.mails += [(address, message) for address in envelope.rcpt_tos]
        return "250 OK"


@contextmanager
def hooked() -> Iterator[Hook]:
    """A webhook's server for a while."""
    hook = Hook()
    with serving(hook) as origin:
        hook.url = f"{origin}/hook?secret=17"
        yield hook


@contextmanager
def mailed() -> Iterator[Mailbox]:
    """A mail server for a while."""
    box = Mailbox()
    controller = Controller(box, hostname="127.0.0.1", port=free_port())
    controller.start()
    try:
        box.port = controller.port
        yield box
    finally:
        controller.stop()
