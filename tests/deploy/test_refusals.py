"""What cannot be served is one line on stderr and exit code 2, at once."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from hailwhale.store.embedded import EmbeddedValkey
from tests.deploy.running import completed

ALL = "0.0.0.0"  # noqa: S104
TO_OTHERS = (
    "can be reached from other machines: set HAILWHALE_ADMIN_TOKEN or HAILWHALE_READING=token, or "
    "HAILWHALE_OPEN=1 (--open) to let everyone count, read and erase"
)
SHARED = (
    "needs a store that several processes share: set the URL of a Valkey or Redis, or run "
    "`hailwhale serve`, which starts one"
)


NO_URL = (
    "HAILWHALE_REDIS_URL: got 'http://127.0.0.1': expected redis://host:6379/0, rediss:// or "
    "unix://, redis+cluster://host:port,host:port or "
    "redis+sentinel://host:26379,host:26379/service[/db]"
)
WRONG_URL = ("--redis-url", "http://127.0.0.1")
BUSY = "127.0.0.1:BUSY"  # the address that something listens on, by TCP and by UDP


@pytest.fixture(scope="module")
def busy_port() -> Iterator[int]:
    """A port of 127.0.0.1 that another program listens on, by TCP and by UDP."""
    with ExitStack() as stack:
        tcp = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        udp = stack.enter_context(socket.socket(type=socket.SOCK_DGRAM))
        udp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        udp.bind(tcp.getsockname())
        yield int(tcp.getsockname()[1])


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
        *(([command, *WRONG_URL], {}, NO_URL) for command in ("serve", "hail", "whale")),
        (["statsd", "--udp", BUSY, *WRONG_URL], {}, NO_URL),
        (
            ["statsd", "--udp", BUSY, "--tcp", "8125"],
            {},
            "tcp: got '8125'; expected HOST:PORT, such as 127.0.0.1:8125",
        ),
        (
            ["serve"],
            {"HAILWHALE_REPLICAS": "1"},
            "HAILWHALE_REPLICAS: got 1, but the embedded Valkey has no replicas: set "
            "HAILWHALE_REDIS_URL, too",
        ),
    ],
)
def test_a_wrong_setting_is_refused_with_what_to_do_even_when_the_port_is_in_use(
    tmp_path: Path, busy_port: int, arguments: list[str], variables: dict[str, str], message: str
) -> None:
    given = [text.replace("BUSY", str(busy_port)) for text in arguments]
    variables = {"HAILWHALE_PORT": str(busy_port), **variables}
    found = completed(*given, HAILWHALE_DATA_DIR=str(tmp_path / "data"), **variables)
    assert (found.returncode, found.stdout) == (2, "")
    assert found.stderr.splitlines() == [f"hailwhale: {message}"]
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("command", [["serve", "--port", "BUSY"], ["statsd", "--udp", BUSY]])
@pytest.mark.parametrize("below", ["", "data"])
def test_a_data_directory_that_cannot_be_one_is_refused_even_when_the_port_is_in_use(
    tmp_path: Path, busy_port: int, command: list[str], below: str
) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("not a directory")
    data_dir = in_the_way / below
    given = [text.replace("BUSY", str(busy_port)) for text in command]
    found = completed(*given, "--data-dir", str(data_dir))
    assert (found.returncode, found.stdout) == (2, "")
    assert found.stderr == (
        f"hailwhale: cannot use the data directory {data_dir}: {in_the_way} is not a writable "
        "directory\n"
    )


@pytest.mark.parametrize("command", ["hail", "whale"])
def test_a_shared_store_of_another_time_zone_is_refused_even_when_the_port_is_in_use(
    valkey: EmbeddedValkey, namespace: str, busy_port: int, command: str
) -> None:
    shared = {"HAILWHALE_REDIS_URL": valkey.url, "HAILWHALE_NAMESPACE": namespace}
    assert completed("count", "Shop", HAILWHALE_TIMEZONE="Europe/Berlin", **shared).returncode == 0
    found = completed(command, "--port", str(busy_port), **shared)
    assert (found.returncode, found.stdout) == (2, "")
    assert "set HAILWHALE_TIMEZONE=Europe/Berlin" in found.stderr
    assert len(found.stderr.splitlines()) == 1


def test_a_store_with_another_schema_is_refused(tmp_path: Path) -> None:
    there = ("--data-dir", str(tmp_path / "data"))
    assert completed("count", "Shop", *there, HAILWHALE_TIMEZONE="Europe/Berlin").returncode == 0
    found = completed("serve", "--port", "0", *there)
    assert (found.returncode, found.stdout) == (2, "")
    assert "set HAILWHALE_TIMEZONE=Europe/Berlin" in found.stderr
    assert len(found.stderr.splitlines()) == 1
