"""E-mail: builds a message with images and sends it to an SMTP server.

Knows nothing of what the message is about.
"""

from __future__ import annotations

import logging
import os
import smtplib
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime

from hailwhale.core.alerts.rules import MailServer

log = logging.getLogger("hailwhale.alerts")

TIMEOUT_S = 20.0


@dataclass(frozen=True, slots=True)
class MailMessage:
    """The content of an e-mail: text, the same as HTML if there is any, and SVG images by name.

    The HTML refers to an image as ``cid:`` and its file name. `id` makes several tries one message.
    """

    id: str
    subject: str
    text: str
    html: str
    pictures: Sequence[tuple[str, str]]
    at: datetime


def message_of(letter: MailMessage, sender: str, address: str) -> EmailMessage:
    """Return the message to one address."""
    message = EmailMessage()
    message["Subject"] = _header(letter.subject)
    message["From"], message["To"] = sender, address
    message["Date"] = format_datetime(letter.at)
    domain = sender.rpartition("@")[2]
    message["Message-ID"] = f"<{letter.id.encode().hex()}.hailwhale@{domain}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.text, cte="quoted-printable")
    if letter.html:
        message.add_alternative(letter.html, subtype="html")
    for name, svg in letter.pictures:
        message.add_attachment(
            svg.encode(),
            maintype="image",
            subtype="svg+xml",
            filename=name,
            disposition="inline" if letter.html else "attachment",
            cid=f"<{name}>",
        )
    return message


def mail(settings: MailServer, letter: MailMessage, address: str) -> bool:
    """Send a message; return whether the server accepted it."""
    message = message_of(letter, settings.sender, address)
    try:
        with _connected(settings) as server:
            if settings.user:
                server.login(settings.user, os.environ.get(settings.password_variable, ""))
            server.send_message(message)
    # For a non-ASCII password or host Python raises a UnicodeError.
    except (OSError, smtplib.SMTPException, UnicodeError) as fault:
        # Its text would show a character of the password.
        why = fault.reason if isinstance(fault, UnicodeEncodeError) else fault
        log.warning("%s did not accept a message to %s: %s", settings.host, address, why)
        return False
    return True


def _connected(settings: MailServer) -> smtplib.SMTP:
    if settings.tls == "tls":
        context = ssl.create_default_context()
        return smtplib.SMTP_SSL(settings.host, settings.port, timeout=TIMEOUT_S, context=context)
    server = smtplib.SMTP(settings.host, settings.port, timeout=TIMEOUT_S)
    if settings.tls == "starttls":
        try:
            server.starttls(context=ssl.create_default_context())
        except BaseException:
            server.close()
            raise
    return server


def _header(text: str) -> str:
    """Return a text as a valid header: labels have no line breaks, but may have much else."""
    return "".join(char if char.isprintable() else " " for char in text)[:200]
