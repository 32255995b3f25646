"""`hailwhale alerts` and `hailwhale report` as processes, telling a real HTTP and SMTP server."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hailwhale.cli import main
from hailwhale.services.container import Services
from hailwhale.store.embedded import EmbeddedValkey
from tests.deploy.running import DEADLINE_S
from tests.services.notify.receivers import Hook, Mailbox, hooked, mailed

MAIL = """
[mail]
host = "127.0.0.1"
port = {port}
from = "hw@example.com"
"""
ALERT = """
every = "1s"
[[alert]]
name = "many"
pk = "Shop"
period = "all"
above = 2
webhook = "{url}"
"""
REPORT = """
[[report]]
name = "daily"
pk = "Shop"
email = "boss@example.com"
"""


@pytest.fixture
def environ(
    valkey: EmbeddedValkey, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> dict[str, str]:
    """The store of the fixture `services`, for commands in this process and in others."""
    monkeypatch.setenv("HAILWHALE_REDIS_URL", valkey.url)
    monkeypatch.setenv("HAILWHALE_NAMESPACE", namespace)
    return dict(os.environ)


@pytest.fixture
def hook() -> Iterator[Hook]:
    with hooked() as found:
        yield found


@pytest.fixture
def box() -> Iterator[Mailbox]:
    with mailed() as found:
        yield found


@contextmanager
def running(environ: dict[str, str], rules: Path) -> Iterator[subprocess.Popen[str]]:
    """A copy of the command, which ends in good order."""
    process = subprocess.Popen(
        [sys.executable, "-m", "hailwhale.cli", "alerts", str(rules)],
        env=environ,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr is not None
        assert "checking every 1 s" in process.stderr.readline()
        yield process
        process.send_signal(signal.SIGTERM)
        _, told = process.communicate(timeout=DEADLINE_S)
        assert process.returncode == 0, told
    finally:
        process.kill()
        process.communicate()


def until(reached: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + DEADLINE_S
    while not reached() and time.monotonic() < deadline_s:
        time.sleep(0.05)
    assert reached()


def count(services: Services, hits: int) -> None:
    services.counting.count_now({"pk": "Shop", "metrics": {"hits": hits}})


def test_two_processes_and_a_restart_send_one_alert_and_one_resolution(
    services: Services, environ: dict[str, str], hook: Hook, tmp_path: Path
) -> None:
    """The note of how the alert stands is another one after each check."""
    rules = tmp_path / "rules.toml"
    rules.write_text(ALERT.format(url=hook.url))
    count(services, 3)
    with running(environ, rules), running(environ, rules):
        until(lambda: hook.kinds == ["firing"])
        stood = services.store.alert_state.read("alert:many")
        until(lambda: services.store.alert_state.read("alert:many") != stood)
    assert hook.kinds == ["firing"]
    with running(environ, rules):
        stood = services.store.alert_state.read("alert:many")
        until(lambda: services.store.alert_state.read("alert:many") != stood)
        assert hook.kinds == ["firing"]
        count(services, -3)
        until(lambda: hook.kinds == ["firing", "resolved"])


@pytest.mark.usefixtures("environ")
def test_once_checks_once_and_says_what_it_found(
    services: Services, hook: Hook, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rules = tmp_path / "rules.toml"
    rules.write_text(ALERT.format(url=hook.url))
    count(services, 3)
    assert main(["alerts", str(rules), "--once"]) == 0
    assert capsys.readouterr().out == "many: fires\n"
    assert hook.kinds == ["firing"]


@pytest.mark.usefixtures("environ")
def test_a_report_can_be_tried_at_once(
    box: Mailbox, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rules = tmp_path / "rules.toml"
    rules.write_text(MAIL.format(port=box.port) + REPORT)
    assert main(["report", str(rules), "--now", "daily"]) == 0
    assert main(["report", str(rules), "--once"]) == 0
    assert capsys.readouterr().out == "daily: sent\ndaily: not due\n"
    [(address, message)] = box.mails
    assert (address, message["From"]) == ("boss@example.com", "hw@example.com")


@pytest.mark.usefixtures("environ")
@pytest.mark.parametrize(
    ("arguments", "text", "says"),
    [
        (("alerts",), ALERT.replace("above", "abov"), "alert many: abov: got 2; expected one of"),
        (("alerts",), "every = ", "rules: got"),
        (("alerts",), "", "alert: got []; expected at least one"),
        (
            ("alerts",),
            REPORT,
            "report daily: email: got 'boss@example.com'; expected a table [mail]",
        ),
        (("report",), ALERT, "report: got []; expected at least one"),
        (
            ("report", "--now", "weekly"),
            MAIL.format(port=9) + REPORT,
            "now: got 'weekly'; expected",
        ),
    ],
)
def test_an_invalid_file_is_reported_in_one_line(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    text: str,
    says: str,
) -> None:
    rules = tmp_path / "rules.toml"
    rules.write_text(text.replace("{url}", "http://127.0.0.1:9/"))
    assert main([arguments[0], str(rules), *arguments[1:]]) == 2
    told = capsys.readouterr().err
    assert told.startswith(f"hailwhale: {says}")
    assert len(told.splitlines()) == 1


@pytest.mark.parametrize("arguments", [["alerts", "--once"], ["report", "--now", "daily"]])
def test_a_missing_password_is_reported_at_startup(
    arguments: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.delenv("A_PASSWORD", raising=False)
    login = 'user = "hw"\npassword_variable = "A_PASSWORD"\n'
    rules = tmp_path / "rules.toml"
    rules.write_text(ALERT.format(url="http://x.example") + MAIL.format(port=9) + login + REPORT)
    assert main([arguments[0], str(rules), *arguments[1:]]) == 2
    error = capsys.readouterr().err
    assert (
        "mail: password_variable: got 'A_PASSWORD'; expected the name of an environment variable"
        in error
    )


@pytest.mark.usefixtures("environ")
def test_a_rule_that_cannot_be_answered_is_no_reason_to_leave_out_the_others(
    services: Services,
    hook: Hook,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    rules = tmp_path / "rules.toml"
    late = '\n[[alert]]\nname = "late"\nperiod = "1s:1m"\nabove = 1\nwebhook = "{url}"\n'
    rules.write_text((late + ALERT.partition('"1s"')[2]).replace("{url}", hook.url))
    count(services, 3)
    assert main(["alerts", str(rules), "--once"]) == 1
    assert capsys.readouterr().out == "many: fires\n"
    assert "late: period: got '1s:1m'" in caplog.text
    assert hook.kinds == ["firing"]
