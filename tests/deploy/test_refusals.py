"""What cannot be served is one line on stderr and exit code 2, at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.deploy.running import completed

ALL = "0.0.0.0"  # noqa: S104
TO_OTHERS = (
    "can be reached from other machines: set HAILWHALE_ADMIN_TOKEN or HAILWHALE_READING=token, or "
    "HAILWHALE_OPEN=1 (--open) to let everyone count, read and erase"
)
SHARED = (
    "is for a store that several processes share, so it needs one; `hailwhale serve` brings its own"
)


@pytest.mark.parametrize(
    ("arguments", "variables", "message"),
    [
        (["serve", "--host", ALL], {}, f"HAILWHALE_HOST: '0.0.0.0' {TO_OTHERS}"),
        (["hail", "--host", "::"], {}, f"HAILWHALE_HOST: '::' {TO_OTHERS}"),
        (["whale"], {"HAILWHALE_HOST": "10.0.0.1"}, f"HAILWHALE_HOST: '10.0.0.1' {TO_OTHERS}"),
        (["hail"], {}, f"HAILWHALE_REDIS_URL: `hailwhale hail` {SHARED}"),
        (["whale"], {}, f"HAILWHALE_REDIS_URL: `hailwhale whale` {SHARED}"),
        (
            ["serve", "--port", "99999"],
            {},
            "HAILWHALE_PORT: got '99999'; expected a whole number from 0 to 65535",
        ),
        (
            ["serve", "--server", "apache"],
            {},
            "HAILWHALE_SERVER: got 'apache'; expected one of auto, gunicorn, granian",
        ),
        (
            ["drain", "--once", "--redis-url", "redis://127.0.0.1:1"],
            {},
            "the store does not answer: Error 111 connecting to 127.0.0.1:1. Connection refused.",
        ),
        (
            ["serve", "--redis-url", "http://127.0.0.1"],
            {},
            "HAILWHALE_REDIS_URL: got 'http://127.0.0.1': expected redis://host:6379/0, rediss:// "
            "or unix://, redis+cluster://host:port,host:port or "
            "redis+sentinel://host:26379,host:26379/service[/db]",
        ),
        (
            ["serve"],
            {"HAILWHALE_REPLICAS": "1"},
            "HAILWHALE_REPLICAS: got 1, but an embedded Valkey has none: set HAILWHALE_REDIS_URL, "
            "too",
        ),
    ],
)
def test_a_wrong_setting_is_refused_with_what_to_do(
    tmp_path: Path, arguments: list[str], variables: dict[str, str], message: str
) -> None:
    found = completed(*arguments, HAILWHALE_DATA_DIR=str(tmp_path / "data"), **variables)
    assert (found.returncode, found.stdout) == (2, "")
    assert found.stderr.splitlines() == [f"hailwhale: {message}"]
    assert not (tmp_path / "data").exists()


def test_a_data_directory_that_cannot_be_one_is_refused(tmp_path: Path) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("not a directory")
    found = completed("serve", "--port", "0", "--data-dir", str(in_the_way))
    assert (found.returncode, found.stdout) == (2, "")
    assert found.stderr.startswith("hailwhale: cannot use the data directory: ")
    assert len(found.stderr.splitlines()) == 1


def test_a_store_made_of_something_else_is_refused(tmp_path: Path) -> None:
    there = ("--data-dir", str(tmp_path / "data"))
    assert completed("count", "Shop", *there, HAILWHALE_TIMEZONE="Europe/Berlin").returncode == 0
    found = completed("serve", "--port", "0", *there)
    assert (found.returncode, found.stdout) == (2, "")
    assert "set HAILWHALE_TIMEZONE=Europe/Berlin" in found.stderr
    assert len(found.stderr.splitlines()) == 1
