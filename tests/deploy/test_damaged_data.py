"""`hailwhale serve` on damaged data: it repairs them and says so, or refuses in one line."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.deploy.running import KILL, VALKEY, Server, completed, started, until

LOG = Path("appendonlydir") / "appendonly.aof.1.incr.aof"


@pytest.fixture
def counted(data_dir: Path) -> Path:
    """The data of a serve that counted three hits and was stopped."""
    with started("serve", "--port", "0", "--data-dir", str(data_dir)) as server:
        count(server, 3)
    return data_dir


def count(server: Server, hits: int) -> None:
    before = server.hits()
    for _ in range(hits):
        server.get("/count", pk="Shop")
    until(lambda: server.hits() == before + hits, "the hits")


def append(data_dir: Path, tail: bytes) -> None:
    with (data_dir / LOG).open("ab") as file:
        file.write(tail)


def test_serve_starts_after_a_power_failure_with_all_that_was_acknowledged(counted: Path) -> None:
    append(counted, b"\0" * 4_096)
    with started("serve", "--port", "0", "--data-dir", str(counted)) as server:
        assert server.hits() == 3
        count(server, 2)
    assert [path.read_bytes() for path in (counted / "damaged").iterdir()] == [b"\0" * 4_096]


def test_a_store_that_dies_and_leaves_a_damaged_end_is_repaired_while_serve_goes_on(
    counted: Path,
) -> None:
    with started("serve", "--port", "0", "--data-dir", str(counted)) as server:
        count(server, 1)
        valkey = server.child(VALKEY)
        append(counted, b"\0" * 100)  # it dies before it writes on
        os.kill(valkey, KILL)
        until(lambda: list(counted.glob("damaged/*")), "the copy")
        assert server.get("/count", pk="Shop") == "OK"
        until(lambda: server.child(VALKEY) != valkey, "another store")
        until(lambda: _hits(server) == 5, "all hits")


def _hits(server: Server) -> int:
    try:
        return server.hits()
    except OSError:  # 503
        return -1


@pytest.mark.parametrize("command", ["serve", "doctor"])
def test_damage_beyond_repair_is_one_line_that_names_the_runbook(
    counted: Path, command: str
) -> None:
    (counted / "appendonlydir" / "appendonly.aof.1.base.rdb").unlink()
    arguments = ["--port", "0"] if command == "serve" else []
    found = completed(command, *arguments, "--data-dir", str(counted))
    assert found.returncode != 0
    said = (found.stdout + found.stderr).splitlines()
    [line] = [line for line in said if "is missing" in line]
    assert line.endswith('see "After damage" in docs/operations.rst')
    assert "Traceback" not in found.stderr


def test_serve_goes_on_without_a_store_whose_data_cannot_be_repaired(counted: Path) -> None:
    base = counted / "appendonlydir" / "appendonly.aof.1.base.rdb"
    with started("serve", "--port", "0", "--data-dir", str(counted)) as server:
        count(server, 1)
        kept = base.read_bytes()
        base.unlink()
        os.kill(server.child(VALKEY), KILL)
        until(lambda: server.get("/count", pk="Shop") == "OK" and spooled(counted), "the spool")
        base.write_bytes(kept)
        until(lambda: not spooled(counted), "what was spooled to be sent")
        sent = 4 + 1
        until(lambda: _hits(server) >= sent, "all hits")


def spooled(data_dir: Path) -> list[Path]:
    return list(data_dir.glob("spool/*.spool"))
