"""A data directory as a power failure or a mishap leaves it: repaired with a copy, or refused."""

from __future__ import annotations

import logging
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import redis

from hailwhale.errors import DamagedData
from hailwhale.store.embedded import EmbeddedValkey

Damage = Callable[[Path], None]

MANIFEST, BASE, LOG = (
    "appendonly.aof.manifest",
    "appendonly.aof.1.base.rdb",
    "appendonly.aof.1.incr.aof",
)
MANY_BYTES = bytes(range(256)) * 20
OPEN_TRANSACTION = b"*1\r\n$5\r\nMULTI\r\n*3\r\n$3\r\nSET\r\n$1\r\nz\r\n$1\r\n1\r\n"


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data of a Valkey that was killed; its keys are a, b and c."""
    data_dir = tmp_path_factory.mktemp("hw")
    server = EmbeddedValkey(data_dir, fsync="always")
    server.start()
    client: Any = redis.Redis.from_url(server.url)
    client.set("a", 1)
    client.eval("redis.call('SET', 'b', 2) redis.call('SET', 'c', 3)", 0)
    os.kill(server.pid, signal.SIGKILL)
    server.stop()
    client.close()
    return data_dir


@pytest.fixture
def damaged(sound: Path, data_dir: Path) -> Path:
    """A copy of them to be damaged: the folder of its files."""
    shutil.copytree(sound, data_dir, dirs_exist_ok=True, ignore=lambda *_: ["valkey.sock"])
    return data_dir / "appendonlydir"


def keys_after_a_start(data_dir: Path) -> set[str]:
    with EmbeddedValkey(data_dir, fsync="always") as server:
        client: Any = redis.Redis.from_url(server.url, decode_responses=True)
        client.set("d", 4)
        found = set(client.keys())
        client.close()
    return found - {"d"}


def copies(data_dir: Path) -> list[bytes]:
    return [path.read_bytes() for path in (data_dir / "damaged").glob("*")]


def appended(tail: bytes) -> Damage:
    def damage(folder: Path) -> None:
        with (folder / LOG).open("ab") as file:
            file.write(tail)

    return damage


def replaced(name: str, content: bytes) -> Damage:
    def damage(folder: Path) -> None:
        (folder / name).write_bytes(content)

    return damage


def removed(*names: str) -> Damage:
    def damage(folder: Path) -> None:
        for name in names:
            (folder / name).unlink()

    return damage


def cut_short(name: str, by: int) -> Damage:
    return lambda folder: os.truncate(folder / name, (folder / name).stat().st_size - by)


def both(*damages: Damage) -> Damage:
    def damage(folder: Path) -> None:
        for each in damages:
            each(folder)

    return damage


@pytest.mark.parametrize(
    "tail",
    [b"\0", b"\0" * 4_096, MANY_BYTES, b"*3\r\n$3\r\nSET\r\n$1\r\nz", OPEN_TRANSACTION],
    ids=["a_zero", "zeros", "garbage", "half_a_record", "an_open_transaction"],
)
def test_a_damaged_end_is_cut_off_after_it_was_copied(
    damaged: Path, tail: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    appended(tail)(damaged)
    assert keys_after_a_start(damaged.parent) == {"a", "b", "c"}
    assert copies(damaged.parent) == [tail]
    [said] = [each.getMessage() for each in caplog.records if each.levelno >= logging.ERROR]
    assert f"last {len(tail):,} bytes" in said
    assert "damaged/" in said
    caplog.clear()
    assert keys_after_a_start(damaged.parent) == {"a", "b", "c"}
    assert not caplog.records


def test_a_record_that_was_cut_short_takes_its_whole_transaction_along(damaged: Path) -> None:
    cut_short(LOG, 3)(damaged)
    assert keys_after_a_start(damaged.parent) == {"a"}
    [copy] = copies(damaged.parent)
    assert copy.startswith(b"*1\r\n$5\r\nMULTI")


@pytest.mark.parametrize(
    "damage",
    [
        removed(MANIFEST),
        replaced(MANIFEST, b""),
        replaced(MANIFEST, b"\0" * 80),
        replaced(MANIFEST, MANY_BYTES),
        replaced(MANIFEST, f"file {BASE} seq 1 type b\n".encode()),
        replaced(MANIFEST, f"file {BASE} seq 1 type b\nfile appendonly.aof.1.in".encode()),
        replaced(MANIFEST, f"file {LOG} seq 1 type i\n".encode()),
    ],
    ids=["none", "empty", "zeros", "garbage", "a_line_missing", "a_line_cut", "no_base"],
)
def test_a_manifest_is_written_again_if_the_files_leave_no_doubt(
    damaged: Path, damage: Damage, caplog: pytest.LogCaptureFixture
) -> None:
    before = (damaged / MANIFEST).read_bytes()
    damage(damaged)
    lost = [(damaged / MANIFEST).read_bytes()] if (damaged / MANIFEST).exists() else []
    assert keys_after_a_start(damaged.parent) == {"a", "b", "c"}
    assert (damaged / MANIFEST).read_bytes() == before
    assert copies(damaged.parent) == lost
    assert "wrote it again" in caplog.text


REFUSED: dict[str, tuple[Damage, str]] = {
    "no_base": (removed(BASE), f"{BASE} is missing"),
    "no_log": (removed(LOG), f"{LOG} is missing"),
    "neither_manifest_nor_base": (removed(MANIFEST, BASE), "do not tell what it contained"),
    "no_manifest_and_two_logs": (
        both(removed(MANIFEST), replaced("appendonly.aof.2.incr.aof", b"")),
        "do not tell what it contained",
    ),
    "no_manifest_and_two_bases": (
        both(removed(MANIFEST), replaced("appendonly.aof.2.base.rdb", b"VALKEY080")),
        "do not tell what it contained",
    ),
    "zeros_for_a_base": (replaced(BASE, b"\0" * 100), "does not begin as a snapshot does"),
    "an_empty_base": (replaced(BASE, b""), "does not begin as a snapshot does"),
    "neither_manifest_nor_a_sound_base": (
        both(removed(MANIFEST), replaced(BASE, b"")),
        "does not begin as a snapshot does",
    ),
    "a_base_cut_short": (cut_short(BASE, 12), "cannot load its data"),
    "damage_before_other_records": (
        appended(b"\0\0*1\r\n$4\r\nPING\r\n"),
        "complete records follow",
    ),
    "records_of_no_command": (appended(b"*1\r\n$4\r\nNONE\r\n"), "cannot load its data"),
    "damage_in_an_earlier_log": (
        both(
            cut_short(LOG, 3),
            replaced("appendonly.aof.2.incr.aof", b""),
            replaced(
                MANIFEST,
                f"file {BASE} seq 1 type b\nfile {LOG} seq 1 type i\n"
                "file appendonly.aof.2.incr.aof seq 2 type i\n".encode(),
            ),
        ),
        "a later file was written after it",
    ),
}


@pytest.mark.parametrize(("damage", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_repaired_is_refused_and_left_as_it_is(
    damaged: Path, damage: Damage, said: str
) -> None:
    damage(damaged)
    before = {path.name: path.read_bytes() for path in damaged.iterdir()}
    with pytest.raises(DamagedData) as raised:
        keys_after_a_start(damaged.parent)
    text = str(raised.value)
    assert said in text
    assert text.endswith('see "After damage" in docs/operations.rst')
    assert "\n" not in text
    assert "check-aof" not in text
    assert {path.name: path.read_bytes() for path in damaged.iterdir()} == before


def test_a_first_start_that_was_cut_off_is_repeated(data_dir: Path) -> None:
    with EmbeddedValkey(data_dir, fsync="always"):
        pass
    removed(MANIFEST, LOG)(data_dir / "appendonlydir")
    assert keys_after_a_start(data_dir) == set()


def test_an_empty_start_where_a_store_ran_is_logged(
    damaged: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shutil.rmtree(damaged)
    assert keys_after_a_start(damaged.parent) == set()
    assert "it starts empty" in caplog.text


def test_a_first_start_logs_nothing(data_dir: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert keys_after_a_start(data_dir) == set()
    assert not caplog.records
