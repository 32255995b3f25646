"""`hailwhale doctor`: what it prints of settings, and what it finds in stores of all kinds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import redis

from hailwhale.cli import main
from hailwhale.commands.doctor.checks import engine_findings, schema_finding, spool_findings
from hailwhale.services.container import Services
from hailwhale.services.ingest.spool_directory import SpoolDirectory
from hailwhale.services.ingest.uid_seal import UidSeal
from hailwhale.settings import Settings
from hailwhale.store.embedded import EmbeddedValkey
from hailwhale.store.redis.keys import Keys, shard_of
from hailwhale.store.redis.server_info import ServerInfo

Doctor = Callable[..., list[str]]
GOOD = ServerInfo(
    name="Valkey",
    version="9.1.2",
    is_replica=False,
    appends=True,
    writes_well=True,
    memory_limit_bytes=0,
    memory_used_bytes=1_000_000,
    eviction="noeviction",
    zone="UTC",
    rollups=("1h:35d", "1d:3y", "all"),
)


@pytest.fixture
def doctor(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    valkey: EmbeddedValkey,
    namespace: str,
) -> Doctor:
    """Runs the doctor on a namespace of the shared server; gives the lines that it printed."""
    monkeypatch.setenv("HAILWHALE_REDIS_URL", valkey.url)
    monkeypatch.setenv("HAILWHALE_NAMESPACE", namespace)

    def doctor(*arguments: str, code: int = 0) -> list[str]:
        assert main(["doctor", *arguments]) == code
        return capsys.readouterr().out.splitlines()

    return doctor


def test_every_setting_is_shown_with_its_value_and_source(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HAILWHALE_ADMIN_TOKEN", "hunter2")
    monkeypatch.setenv("HAILWHALE_REDIS_URL", "redis://app:hunter2@127.0.0.1:1/0")
    lines = doctor("--port", "9000", code=1)
    rows = {line.split()[0]: line.split() for line in lines[1 : lines.index("")]}
    assert rows["HAILWHALE_PORT"][1:3] == ["9000", "option"]
    assert rows["HAILWHALE_ADMIN_TOKEN"][1:3] == ["***", "environment"]
    assert rows["HAILWHALE_REDIS_URL"][1:3] == ["redis://app:***@127.0.0.1:1/0", "environment"]
    assert rows["HAILWHALE_TIMEZONE"][1:3] == ["UTC", "default"]
    assert "hunter2" not in "".join(lines)


def test_a_healthy_store_passes_every_check(
    doctor: Doctor, services: Services, valkey: EmbeddedValkey
) -> None:
    services.counting.count_now({"pk": "Shop"})
    lines = doctor()
    assert lines[lines.index("") + 1 :] == [
        "ok    settings: all are valid",
        "ok    binding: 127.0.0.1 port 8085, reachable from this machine only",
        f"ok    store: {valkey.url}",
        next(line for line in lines if line.startswith("ok    engine: Valkey 9.")),
        "ok    persistence: append-only file",
        "ok    memory: no limit, no eviction",
        f"ok    schema: UTC, {','.join(rollup.spec for rollup in services.settings.rollups)}",
        "ok    buffers: no hits wait to be counted",
        "ok    dead letters: none",
    ]


def test_hits_that_nobody_counts_are_a_warning(doctor: Doctor, services: Services) -> None:
    services.hail.count({"pk": "Shop"})
    assert (
        "warn  buffers: 1 hits wait and no drain runs: run `hailwhale serve` or `hailwhale drain`"
        in doctor()
    )


def test_a_full_buffer_fails(
    doctor: Doctor, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HAILWHALE_BUFFER_LIMIT", "1")
    services.hail.count({"pk": "Shop"})
    assert (
        "FAIL  buffers: 1 hits wait and a buffer is full, so /count answers 503: run more "
        "`hailwhale drain` processes" in doctor(code=1)
    )


def test_dead_letters_are_a_warning_with_a_reason(
    doctor: Doctor, services: Services, client: redis.Redis, namespace: str
) -> None:
    services.hail.count({"pk": "Shop"})
    client.rpush(Keys(namespace).buffer(shard_of("Shop")), b"junk")
    services.drain.flush()
    assert (
        "warn  dead letters: 1 hits were not counted, such as: hit: got b'junk'; expected a time, "
        "a head and amounts, separated by tabs; see `hailwhale dead-letters list`" in doctor()
    )


def test_settings_that_cannot_be_read_fail(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HAILWHALE_WORKERS", "none")
    lines = doctor(code=1)
    assert lines[lines.index("") + 1 :] == [
        "FAIL  settings: HAILWHALE_WORKERS: got 'none'; expected a whole number from 1 to 256"
    ]


def test_seconds_that_are_no_number_fail(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HAILWHALE_STORE_TIMEOUT", "5s")
    assert doctor(code=1)[-1] == (
        "FAIL  settings: HAILWHALE_STORE_TIMEOUT: got '5s'; expected seconds from 0.01 to 3600"
    )


def test_a_store_that_does_not_answer_fails(doctor: Doctor) -> None:
    assert doctor("--redis-url", "redis://127.0.0.1:1", code=1)[-1] == (
        "FAIL  store: the store does not answer: Error 111 connecting to 127.0.0.1:1. Connection "
        "refused."
    )


@pytest.mark.parametrize(
    ("variables", "line", "code"),
    [
        (
            {"HAILWHALE_ADMIN_TOKEN": "t"},
            "ok    binding: 0.0.0.0 port 8085; reading and administration require a token",
            0,
        ),
        (
            {"HAILWHALE_READING": "token"},
            "ok    binding: 0.0.0.0 port 8085; reading and administration require a token",
            0,
        ),
        (
            {"HAILWHALE_ADMIN_TOKEN": "t", "HAILWHALE_READING": "open"},
            "ok    binding: 0.0.0.0 port 8085; administration requires a token",
            0,
        ),
        (
            {"HAILWHALE_OPEN": "1"},
            "warn  binding: 0.0.0.0 port 8085 is open to everyone, because HAILWHALE_OPEN is set",
            0,
        ),
        (
            {},
            "FAIL  binding: HAILWHALE_HOST: '0.0.0.0' can be reached from other machines: set "
            "HAILWHALE_ADMIN_TOKEN or HAILWHALE_READING=token, or HAILWHALE_OPEN=1 (--open) to let "
            "everyone count, read and erase",
            1,
        ),
    ],
)
def test_the_bind_address_is_reported(
    doctor: Doctor,
    monkeypatch: pytest.MonkeyPatch,
    variables: dict[str, str],
    line: str,
    code: int,
) -> None:
    for variable, value in variables.items():
        monkeypatch.setenv(variable, value)
    assert line in doctor("--host", "0.0.0.0", code=code)  # noqa: S104


def test_where_nothing_runs_it_starts_a_valkey_and_leaves_no_trace(
    doctor: Doctor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HAILWHALE_REDIS_URL")
    data = tmp_path / "data"
    looked_at = (
        f"ok    store: {data} does not exist yet; checked a Valkey in a temporary directory instead"
    )
    assert looked_at in doctor("--data-dir", str(data))
    assert not data.exists()
    data.mkdir()
    started = (
        f"ok    store: {data}; no service runs on it, so its Valkey was started for this check"
    )
    lines = doctor("--data-dir", str(data))
    assert started in lines
    text = "nothing is counted yet, so the time zone and the rollups can still be changed"
    assert f"ok    schema: {text}" in lines


def test_a_data_directory_that_cannot_be_made_fails(
    doctor: Doctor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HAILWHALE_REDIS_URL")
    (tmp_path / "file").write_text("in the way")
    assert doctor("--data-dir", str(tmp_path / "file" / "data"), code=1)[-1] == (
        f"FAIL  store: cannot use the data directory {tmp_path / 'file' / 'data'}: "
        f"{tmp_path / 'file'} is not a writable directory"
    )


@pytest.mark.parametrize(
    ("server", "lines"),
    [
        (
            replace(GOOD, name="Redis", version="6.2.14"),
            ["FAIL  engine: Redis 6.2.14 is too old: use Redis 7 or later, or Valkey"],
        ),
        (replace(GOOD, name="Redis", version="7.0.0"), []),
        (
            replace(GOOD, is_replica=True),
            ["FAIL  engine: Valkey 9.1.2 is a replica: set HAILWHALE_REDIS_URL to its primary"],
        ),
        (
            replace(GOOD, appends=False),
            [
                "warn  persistence: no append-only file, so a crash loses counts: run CONFIG "
                "SET appendonly yes"
            ],
        ),
        (
            replace(GOOD, writes_well=False),
            [
                "FAIL  persistence: the append-only file cannot be written: check the disk and "
                "the server's log"
            ],
        ),
        (replace(GOOD, memory_limit_bytes=1 << 30), []),
        (
            replace(GOOD, memory_limit_bytes=1_100_000),
            [
                "warn  memory: 1,000,000 of 1,100,000 bytes are used; when they are full nothing "
                "is counted: raise HAILWHALE_STORE_MEMORY, or maxmemory"
            ],
        ),
        (replace(GOOD, eviction="allkeys-lru"), []),
        (
            replace(GOOD, memory_limit_bytes=1 << 30, eviction="allkeys-lru"),
            [
                "FAIL  memory: maxmemory-policy is allkeys-lru, which deletes counts: set it to "
                "noeviction"
            ],
        ),
    ],
)
def test_an_engine_that_may_lose_counts_is_reported(server: ServerInfo, lines: list[str]) -> None:
    assert [str(found) for found in engine_findings(server) if found.level.value != "ok"] == lines


@pytest.mark.parametrize(
    ("variables", "line"),
    [
        ({}, "ok    schema: UTC, 1h:35d,1d:3y,all"),
        (
            {"HAILWHALE_TIMEZONE": "Europe/Berlin"},
            "FAIL  schema: days are in UTC, but HAILWHALE_TIMEZONE is Europe/Berlin: set it to UTC",
        ),
        (
            {"HAILWHALE_ROLLUPS": "1d:3y,all"},
            "FAIL  schema: HAILWHALE_ROLLUPS lacks 1h:35d, which the store has: set it to "
            "1h:35d,1d:3y,all",
        ),
        (
            {"HAILWHALE_ROLLUPS": "1m:2h,1h:35d,1d:3y,all"},
            "warn  schema: 1m:2h will be added at the next start and filled from then on",
        ),
    ],
)
def test_a_store_with_another_schema_is_reported(variables: dict[str, str], line: str) -> None:
    rollups = {"HAILWHALE_ROLLUPS": "1h:35d,1d:3y,all"}
    assert str(schema_finding(Settings.from_env(rollups | variables), GOOD)) == line


def test_spooled_hits_are_reported(tmp_path: Path) -> None:
    variables = {"HAILWHALE_SPOOL_DIR": str(tmp_path)}
    settings = Settings.from_env(variables)
    spool = SpoolDirectory(settings.spool_folder, settings.spool_bytes)
    assert list(spool_findings(spool)) == []
    spool.new_file(UidSeal("")).append(b"x" * 1234)
    (tmp_path / "0123.unreadable").touch()
    assert [str(found) for found in spool_findings(spool)] == [
        f"warn  spool: 1,234 bytes of hits wait in {tmp_path}: run `hailwhale serve` or `hail` on "
        "this machine, which counts them once the store answers",
        f"warn  spool: 1 files are incomplete, such as {tmp_path}/0123.unreadable: "
        "most likely the machine crashed during a write",
    ]
