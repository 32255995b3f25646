"""E-mail handed in over TLS, and with a name and a password, to a real SMTP server."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from hailwhale.core.alerts.rules import MailServer
from hailwhale.services.notify.mailer import MailMessage, mail
from tests.deploy.stack import write_certificate
from tests.ports import free_port
from tests.services.notify.receivers import Mailbox

LETTER = MailMessage("one", "Revenue is low", "It is 3.", "", (), datetime(2026, 3, 15, tzinfo=UTC))


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a key and a certificate for 127.0.0.1, signed by nobody else."""
    folder = tmp_path_factory.mktemp("certificate")
    write_certificate(folder)
    return folder


def _authenticated(
    server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object
) -> AuthResult:
    right = isinstance(data, LoginPassword) and data == LoginPassword(b"ops", b"s3cret")
    return AuthResult(success=right, handled=False)  # the server says so itself


@contextmanager
def mailed(tls: str, folder: Path) -> Iterator[Mailbox]:
    """A mail server that talks TLS, from the start or once it is asked to."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "fullchain.pem", folder / "privkey.pem")
    box = Mailbox()
    controller = Controller(
        box,
        hostname="127.0.0.1",
        port=free_port(),
        ssl_context=context if tls == "tls" else None,
        tls_context=context if tls == "starttls" else None,
        require_starttls=tls == "starttls",
        auth_required=tls == "starttls",
        auth_require_tls=tls == "starttls",
        authenticator=_authenticated,
    )
    controller.start()
    try:
        box.port = controller.port
        yield box
    finally:
        controller.stop()


@pytest.mark.parametrize("tls", ["starttls", "tls"])
def test_a_letter_is_handed_in_over_tls_with_a_password(
    certificate: Path, monkeypatch: pytest.MonkeyPatch, tls: str
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate / "fullchain.pem"))
    monkeypatch.setenv("MAIL_PASSWORD", "s3cret")
    with mailed(tls, certificate) as box:
        settings = MailServer("127.0.0.1", box.port, "hw@example.com", tls, "ops", "MAIL_PASSWORD")
        assert mail(settings, LETTER, "boss@example.com")
        [(address, message)] = box.mails
        assert (address, message["Subject"]) == ("boss@example.com", "Revenue is low")

        monkeypatch.setenv("MAIL_PASSWORD", "wrong")
        assert not mail(settings, LETTER, "boss@example.com")
        assert len(box.mails) == 1


@pytest.mark.parametrize("tls", ["starttls", "tls"])
def test_a_server_with_an_untrusted_certificate_gets_nothing(
    certificate: Path, monkeypatch: pytest.MonkeyPatch, tls: str
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.setenv("MAIL_PASSWORD", "s3cret")
    with mailed(tls, certificate) as box:
        settings = MailServer("127.0.0.1", box.port, "hw@example.com", tls, "ops", "MAIL_PASSWORD")
        assert not mail(settings, LETTER, "boss@example.com")
        assert box.mails == []


def test_a_password_or_a_host_that_cannot_be_sent_is_a_letter_not_taken(
    certificate: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate / "fullchain.pem"))
    monkeypatch.setenv("MAIL_PASSWORD", "gehe\u00efm")
    with mailed("starttls", certificate) as box:
        settings = MailServer(
            "127.0.0.1", box.port, "hw@example.com", "starttls", "ops", "MAIL_PASSWORD"
        )
        assert not mail(settings, LETTER, "boss@example.com")
        assert box.mails == []
    nowhere = MailServer("a" * 64 + ".example", 25, "hw@example.com", "none", "", "")
    assert not mail(nowhere, LETTER, "boss@example.com")
    assert "xef" not in caplog.text
    assert "\u00ef" not in caplog.text
