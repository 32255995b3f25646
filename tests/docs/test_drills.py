"""The drills of docs/operations.rst, done under load: backup and restore, and upgrade."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread

import pytest

from hailwhale.client import Client, Stats
from hailwhale.hail import Hail
from hailwhale.settings import Settings
from hailwhale.store.redis.client import connect
from hailwhale.whale import Whale
from tests.deploy.running import DEADLINE_S, Server, environ, started, until
from tests.docs.blocks import Command, as_shown, blocks, commands, page

SALES = (30, 19.99, 40.01)
[SNAPSHOT, RESTORE, LOOK] = [
    list(commands(block)) for block in blocks(page("operations.rst").split("Upgrades\n----")[0])
]


class Load:
    """A program that counts a pk again and again until it is stopped."""

    def __init__(self, url: str, pk: str) -> None:
        self._pk = pk
        self._client = Client(url, linger_s=0.05)
        self._told = Event()
        self._thread = Thread(target=self._count, daemon=True)
        self._thread.start()
        until(lambda: self.stats.counted, "the first to be counted")

    def _count(self) -> None:
        while not self._told.wait(0.002):
            self._client.count(self._pk)

    @property
    def stats(self) -> Stats:
        return self._client.stats

    def ended(self) -> Stats:
        """What became of it all, once everything that was counted has an answer."""
        self._told.set()
        self._thread.join()
        assert self._client.flush(DEADLINE_S)
        self._client.close()
        return self.stats


def typed(command: Command, folder: Path) -> None:
    """Type a command of the page, which has to answer as that shows."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    found = subprocess.run(
        ["bash", "-c", command.words],
        cwd=folder,
        env=environ(PATH=path),
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=True,
    )
    assert as_shown(command.shown, found.stdout), found.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("drills")


@pytest.fixture(scope="module")
def serve(folder: Path) -> Iterator[Server]:
    """`hailwhale serve` with the sales of start.rst: for the backup, and last for the restart."""
    with started("serve", "--port", "0", cwd=folder) as server:
        events = [{"pk": "Shop", "metrics": {"dollars": dollars}} for dollars in SALES]
        assert server.post("/count_now", events)["accepted"] == len(SALES)
        yield server


def test_a_backup_taken_under_load_is_restored_elsewhere_with_the_same_totals(
    serve: Server, folder: Path
) -> None:
    if shutil.which("redis-cli") is None:
        pytest.skip("needs redis-cli: apt-get install redis-tools")
    # The seconds that the store waits for more replicas would be the test's longest.
    store = connect(f"unix://{folder}/hailwhale-data/valkey.sock", DEADLINE_S)
    store.config_set("repl-diskless-sync-delay", 0)
    store.close()
    load = Load(serve.url, "Load")
    before = load.stats.counted
    for command in SNAPSHOT:
        typed(command, folder)
    after = load.stats.counted + load.stats.queued
    load.ended()
    for command in (*RESTORE, *LOOK):
        typed(command, folder)
    settings = Settings.from_env({}, data_dir=folder / "restored")
    hail, whale = Hail(settings=settings), Whale(settings=settings)
    try:
        hail.flush()
        assert before <= int(whale.total("Load")) <= after
    finally:
        whale.close()
        hail.close()


def test_a_restart_under_load_loses_nothing_and_doubles_nothing(
    serve: Server, folder: Path
) -> None:
    load = Load(serve.url, "More")
    serve.process.terminate()
    assert serve.ended() == 0
    until(lambda: load.stats.failures, "a try in vain")
    before = load.stats.counted
    with started("serve", "--port", str(serve.address[1]), cwd=folder) as new:
        until(lambda: load.stats.counted > before, "the new one to count")
        stats = load.ended()
        new.get("/flush_hail")
        assert (new.hits("Shop"), new.hits("More")) == (len(SALES), stats.counted)
    assert (stats.dropped, stats.refused, stats.queued) == (0, 0, 0)
