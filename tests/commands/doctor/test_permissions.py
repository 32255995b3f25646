"""A store whose user may not do everything: the doctor says what is missing, and never fails."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

import hailwhale.store.redis
from hailwhale.cli import main
from hailwhale.store.embedded import EmbeddedValkey
from hailwhale.store.redis.server_info import COMMANDS

NOT_DESCRIBED = (
    "warn  engine: the server does not describe itself (User app has no permissions to run the "
    "'info' command): check its version, persistence and eviction yourself"
)


@pytest.fixture
def admin(valkey: EmbeddedValkey) -> Iterator[Any]:
    client = redis.Redis.from_url(valkey.url)
    yield client
    client.execute_command("ACL", "DELUSER", "app")
    client.close()


def forbid(commands: str) -> str:
    names = commands.replace(" -", ", ").upper().removeprefix("-")
    return (
        f"FAIL  permissions: the store's user may not run {names}: nothing is counted until it may"
    )


@pytest.mark.parametrize(
    ("permissions", "code", "expected"),
    [
        ("", 0, "ok    engine: Valkey"),
        ("-info", 0, NOT_DESCRIBED),
        ("-@scripting", 1, forbid("-eval -evalsha")),
        ("-evalsha", 1, forbid("-eval -evalsha")),
        ("-time -zadd", 1, forbid("-time -zadd")),
        ("-@write", 1, "FAIL  permissions: the store's user may not run APPEND, "),
        ("-hmget", 1, "FAIL  store: the store cannot accept this now: User app has no permissions"),
        ("-llen", 1, "FAIL  store: the store cannot accept this now: User app has no permissions"),
        ("-@all", 1, "FAIL  store: the store cannot accept this now: User app has no permissions"),
    ],
)
def test_a_user_with_too_few_permissions_is_reported(
    valkey: EmbeddedValkey,
    admin: Any,
    namespace: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    permissions: str,
    code: int,
    expected: str,
) -> None:
    admin.execute_command(
        "ACL", "SETUSER", "app", "reset", "on", ">pw", "~*", "+@all", *permissions.split()
    )
    monkeypatch.setenv("HAILWHALE_REDIS_URL", f"{valkey.url}?username=app&password=pw")
    monkeypatch.setenv("HAILWHALE_NAMESPACE", namespace)
    assert main(["doctor"]) == code
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith(expected) for line in lines), lines


def test_every_command_of_the_store_is_checked() -> None:
    [folder] = hailwhale.store.redis.__path__
    scripts = "".join(path.read_text() for path in Path(folder, "scripts").glob("*.lua"))
    modules = "".join(path.read_text() for path in Path(folder).glob("*.py"))
    used = set(re.findall(r"redis\.call\('([A-Z]+)'", scripts))
    used |= set(re.findall(r'\("([A-Z]{3,})",', modules))
    used |= set(re.findall(r'_one\("([A-Z]+)"', modules))
    apart = {"ASKING", "EVAL", "EVALSHA", "SCAN", "TYPE", "WAIT"}  # the rest needs no right to keys
    assert used - apart - set(COMMANDS) == set()


@pytest.mark.parametrize("database", ["redis_99", "99"])
def test_a_database_that_does_not_exist_is_a_line_and_no_traceback(
    valkey: EmbeddedValkey,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    database: str,
) -> None:
    monkeypatch.setenv("HAILWHALE_REDIS_URL", f"{valkey.url}?db={database}")
    assert main(["doctor"]) == 1
    assert main(["totals", "Shop"]) == 2
    found = capsys.readouterr()
    expected = "DB index is out of range" if database == "99" else "Invalid value for 'db'"
    assert expected in found.out
    assert expected in found.err
