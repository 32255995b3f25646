"""Mistakes of a newcomer before the service runs: settings, commands, files and addresses."""

from __future__ import annotations

from pathlib import Path

import pytest

from hailwhale import Client
from hailwhale.cli import main
from hailwhale.errors import BadInput, BadSetting
from hailwhale.settings import Settings

SETTINGS = [
    ("HAILWHALE_PROT", "9000", ["did you mean HAILWHALE_PORT"]),
    ("HAILWHALE_CORS_ORIGIN", "*", ["did you mean HAILWHALE_CORS_ORIGINS"]),
    ("HAILWHALE_PORT", "http", ["'http'", "whole number", "65535"]),
    ("HAILWHALE_WORKERS", "0", ["'0'", "from 1"]),
    ("HAILWHALE_ROLLUPS", "1m", ["'1m'", "1h:35d"]),
    ("HAILWHALE_TIMEZONE", "Berlin", ["'Berlin'", "Europe/Berlin"]),
    ("HAILWHALE_CORS_ORIGINS", "localhost:8000", ["localhost:8000", "https://"]),
    ("HAILWHALE_RATE_LIMIT", "fast", ["'fast'", "100/second"]),
    ("HAILWHALE_TRUSTED_PROXIES", "nginx", ["'nginx'", "127.0.0.1"]),
    ("HAILWHALE_FSYNC", "often", ["'often'", "always, everysec"]),
    ("HAILWHALE_SKIP_BOTS", "maybe", ["'maybe'", "1 or 0"]),
]


@pytest.mark.parametrize(("variable", "text", "words"), SETTINGS)
def test_a_wrong_setting_is_named_with_its_value_and_an_example(
    variable: str, text: str, words: list[str]
) -> None:
    with pytest.raises(BadSetting) as raised:
        Settings.from_env({variable: text})
    message = str(raised.value)
    assert message.startswith(f"{variable}: ")
    assert [word for word in words if word not in message] == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["totals", "Shop", "--redis-url", "localhost:6379"], ["HAILWHALE_REDIS_URL", "redis://"]),
        (
            ["totals", "Shop", "--redis-url", "redis://127.0.0.1:1"],
            ["store does not answer", "127.0.0.1:1", "refused"],
        ),
        (["serve", "--host", "0.0.0.0"], ["HAILWHALE_HOST", "HAILWHALE_ADMIN_TOKEN"]),  # noqa: S104
        (["hail"], ["HAILWHALE_REDIS_URL", "hailwhale serve"]),
    ],
    ids=["no scheme", "no Redis", "open to others", "no shared store"],
)
def test_a_command_that_cannot_run_names_the_setting_to_change(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    arguments: list[str],
    words: list[str],
) -> None:
    monkeypatch.setenv("HAILWHALE_DATA_DIR", str(tmp_path / "data"))
    assert main(arguments) == 2
    err = capsys.readouterr().err
    assert [word for word in words if word not in err] == []


@pytest.mark.parametrize("url", ["localhost:8085", "redis://localhost:6379", ""])
def test_a_client_with_a_wrong_url_names_it_at_once(url: str) -> None:
    with pytest.raises(BadInput, match=r"^url: .*http"):
        Client(url)


def test_a_client_that_is_used_after_close_says_that_the_event_was_not_queued(
    caplog: pytest.LogCaptureFixture,
) -> None:
    client = Client("http://127.0.0.1:1")
    client.close()
    assert client.count("Shop") is False
    assert "the client is closed" in caplog.text
