"""HailWhale as it is really run, in processes: a Valkey, a hail, some drains, a whale.

Owns starting, stopping in every way and starting again. It does not know what is sent or what
should come of it.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import redis

from hailwhale.services.ingest.spool_directory import SpoolDirectory
from hailwhale.settings import Settings
from hailwhale.store.embedded import EmbeddedValkey
from hailwhale.store.redis.client import connect
from hailwhale.store.redis.keys import Keys, shard_of
from hailwhale.store.redis.store import RedisStore
from tests.deploy.running import DEADLINE_S
from tests.faults.proxy import Proxy
from tests.ports import free_port

_STOPPED_WITHIN_S = 15.0
_POLL_S = 0.005
_LOG_SHOWN_CHARS = 2_000


def wait_for(condition: Callable[[], bool], what: str) -> None:
    """Return as soon as `condition` holds; AssertionError naming `what` when it never does."""
    deadline_s = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline_s, f"waited too long for {what}"
        time.sleep(_POLL_S)


class Command:
    """A `hailwhale` command in a process group of its own, for every way to be stopped.

    Each life of it has a name at the store, by which to see that it has got there.
    """

    def __init__(
        self, words: Sequence[str], name: str, environ: dict[str, str], folder: Path
    ) -> None:
        self._words = [sys.executable, "-m", "hailwhale.cli", *words]
        self._environ = environ
        self._log = folder / f"{name}.log"
        self._name = name
        self._lives = 0
        self._log_start = 0
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def client_name(self) -> str:
        return f"{self._name}.{self._lives}"

    def start(self) -> None:
        self._lives += 1
        url = f"{self._environ['HAILWHALE_REDIS_URL']}?client_name={self.client_name}"
        with self._log.open("ab") as log:
            self._log_start = log.tell()
            self._process = subprocess.Popen(
                self._words,
                env=self._environ | {"HAILWHALE_REDIS_URL": url},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def kill(self) -> None:
        """SIGKILL, for the process and all of its group."""
        process, self._process = self._process, None
        if process is None or process.poll() is not None:
            raise AssertionError(f"gone already: {self.log_tail()}")
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def terminate(self) -> int:
        """SIGTERM, as a service manager does it; its exit code, within seconds."""
        process, self._process = self._process, None
        if process is None:
            raise AssertionError("it was not started")
        process.terminate()
        try:
            return process.wait(_STOPPED_WITHIN_S)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)

    def pids(self) -> list[int]:
        """The processes of its group, which are it and its children."""
        assert self._process is not None
        found = []
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):  # a process that has just ended
                if int(stat.read_text().rpartition(")")[2].split()[2]) == self._process.pid:
                    found.append(int(stat.parent.name))
        return found

    @contextmanager
    def paused(self) -> Iterator[None]:
        """SIGSTOP for the process and all of its group, and SIGCONT at the end."""
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.killpg(self._process.pid, signal.SIGCONT)

    def stop(self) -> None:
        """Have it stopped, if it still runs."""
        if self._process is not None:
            self.terminate()

    @property
    def has_ended(self) -> bool:
        """Whether it does not run, though nobody stopped it."""
        return self._process is None or self._process.poll() is not None

    def has_said(self, words: str) -> bool:
        """Whether it wrote these words in its present life."""
        return words.encode() in self._log.read_bytes()[self._log_start :]

    def log_tail(self) -> str:
        """The end of what it wrote."""
        return self._log.read_text(errors="replace")[-_LOG_SHOWN_CHARS:]


class Deployment:
    """One Valkey behind a proxy, one hail server, `drains` drains and a whale, all in `folder`."""

    def __init__(
        self,
        folder: Path,
        *,
        drains: int,
        fsync: str = Settings().fsync,
        window: int = Settings().drain_window,
        whale: bool = False,
        **settings: str,
    ) -> None:
        self.folder = folder
        self.port, self.whale_port = free_port(), free_port()
        self.keys = Keys("hw")
        self.valkey = EmbeddedValkey(folder / "data", fsync, _survive_a_full_disk)
        self.valkey.start()
        self.client = connect(self.valkey.url, timeout_s=30)
        self.store = RedisStore(self.client, self.keys)
        self.spool = SpoolDirectory(folder / "spool", 0)
        self.proxy = Proxy(self.valkey.url.removeprefix("unix://"))
        self.environ = {k: v for k, v in os.environ.items() if not k.startswith("HAILWHALE_")} | {
            "HAILWHALE_REDIS_URL": self.proxy.url,
            "HAILWHALE_SPOOL_DIR": str(self.spool.folder),
            "HAILWHALE_DRAIN_WINDOW": str(window),
            **settings,
        }
        self.hail = self.command("hail", ["hail", "--port", str(self.port)])
        self.drains = [self.command(f"drain{number}", ["drain"]) for number in range(drains)]
        self.whale = self.command("whale", ["whale", "--port", str(self.whale_port)])
        self.commands = [self.hail, *self.drains, *([self.whale] if whale else [])]

    def command(self, name: str, words: Sequence[str], **settings: str) -> Command:
        """A command of this deployment, not yet started."""
        return Command(words, name, self.environ | settings, self.folder)

    def __enter__(self) -> Deployment:
        for command in self.commands:
            command.start()
        return self

    def __exit__(self, *_: object) -> None:
        for command in self.commands:
            command.stop()
        self.store.close()
        self.proxy.close()
        self.valkey.stop()

    def kill_hail(self) -> None:
        """Kill the hail server with its workers and start it again on the same port."""
        self.hail.kill()
        self.start_again(self.hail)

    def start_again(self, command: Command) -> None:
        """Start a command that has ended, once its port is free."""
        port = {self.hail: self.port, self.whale: self.whale_port}.get(command)
        wait_for(lambda: port is None or not listens(port), "the port to be free")
        command.start()

    def kill_valkey(self) -> None:
        """Kill the store and start it again on its data."""
        self.end_valkey(signal.SIGKILL)
        self.valkey.start()

    def end_valkey(self, number: int) -> None:
        os.kill(self.valkey.pid, number)
        self.valkey.stop()

    def is_up(self, command: Command) -> bool:
        """Whether this life of a command does its work, and knows what to do on a SIGTERM."""
        if command not in self.drains:
            return command.has_said(" on http://")
        # The last command of a look at the buffers, on whichever of its connections that was.
        clients = [(client["name"], client["cmd"]) for client in self.client.client_list()]
        return (command.client_name, "exists") in clients

    def await_up(self, command: Command) -> None:
        """Return when it is up; fails with what it wrote when it ends instead."""

        def up() -> bool:
            assert not command.has_ended, f"ended by itself: {command.log_tail()}"
            return self.is_up(command)

        wait_for(up, "a command to be up")

    def is_answered(self) -> bool:
        """Whether the store takes commands."""
        try:
            self.client.ping()
        except (redis.ResponseError, redis.ConnectionError, redis.TimeoutError):
            return False
        return True

    def is_connected(self, command: Command) -> bool:
        """Whether this life of a command has got as far as the store."""
        names = [client["name"] for client in self.client.client_list()]
        return command.client_name in names

    def drained(self, roots: Sequence[str]) -> int:
        """Hits ever taken off the buffers of some root pks."""
        client: Any = self.client
        shards = {shard_of(root) for root in roots}
        return sum(int(client.hget(self.keys.stats(shard), "drained") or 0) for shard in shards)

    def settle(self) -> None:
        """Return when nothing waits any more; a backlog takes its time, but it must shrink."""
        wait_for(lambda: not self.spool.size_bytes(), "the spool to be replayed")
        while before := self.store.stats.loads():
            wait_for(lambda: self.store.stats.loads() != before, "the drains to go on")

    def logs(self) -> str:
        """The end of what each command wrote."""
        return "\n".join(command.log_tail() for command in self.commands)


def _survive_a_full_disk() -> None:
    """What a write past a limit on the size of files does: fail, as on a full disk, not kill."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
