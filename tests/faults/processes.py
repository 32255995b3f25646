"""HailWhale as it is really run, in processes that can be killed: a Valkey, a hail, some drains.

Owns starting, SIGKILL and starting again. It does not know what is sent or what should come of it.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from hailwhale.store.connection import connect
from hailwhale.store.embedded import EmbeddedValkey
from hailwhale.store.keys import Keys, shard_of
from hailwhale.store.redis_store import RedisStore

_PATIENCE_S = 60.0
_POLL_S = 0.005
_LOG_SHOWN_CHARS = 2_000


def wait_for(condition: Callable[[], bool], what: str) -> None:
    """Return as soon as `condition` holds; AssertionError naming `what` when it takes a minute."""
    deadline_s = time.monotonic() + _PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline_s, f"waited too long for {what}"
        time.sleep(_POLL_S)


class Command:
    """A `hailwhale` command in a process group of its own, that can be killed and started again.

    Each life of it has a name at the store, by which to see that it has got there.
    """

    def __init__(self, word: str, name: str, environ: dict[str, str], folder: Path) -> None:
        self._words = [sys.executable, "-m", "hailwhale.cli", word]
        self._environ = environ
        self._log = folder / f"{name}.log"
        self._name = name
        self._lives = 0
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def client_name(self) -> str:
        return f"{self._name}.{self._lives}"

    def start(self) -> None:
        self._lives += 1
        url = f"{self._environ['HAILWHALE_REDIS_URL']}?client_name={self.client_name}"
        with self._log.open("ab") as log:
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

    def stop(self) -> None:
        """SIGTERM, as a service manager does it, and SIGKILL for what is left of it."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(_PATIENCE_S)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)

    def log_tail(self) -> str:
        """The end of what it wrote."""
        return self._log.read_text(errors="replace")[-_LOG_SHOWN_CHARS:]


class Deployment:
    """One Valkey, one hail server and `drains` drains on the data of `folder`."""

    def __init__(self, folder: Path, *, drains: int, fsync: str, window: int) -> None:
        self.port = _free_port()
        self.keys = Keys("hw")
        self.valkey = EmbeddedValkey(folder / "data", fsync)
        self.valkey.start()
        self.client = connect(self.valkey.url, timeout_s=30)
        self.store = RedisStore(self.client, self.keys)
        environ = {k: v for k, v in os.environ.items() if not k.startswith("HAILWHALE_")} | {
            "HAILWHALE_REDIS_URL": self.valkey.url,
            "HAILWHALE_PORT": str(self.port),
            "HAILWHALE_WORKERS": "2",
            "HAILWHALE_DRAIN_WINDOW": str(window),
            "HAILWHALE_DRAIN_IDLE": "0.01",
        }
        self.hail = Command("hail", "hail", environ, folder)
        self.drains = [
            Command("drain", f"drain{number}", environ, folder) for number in range(drains)
        ]

    def __enter__(self) -> Deployment:
        for command in (self.hail, *self.drains):
            command.start()
        return self

    def __exit__(self, *_: object) -> None:
        for command in (self.hail, *self.drains):
            command.stop()
        self.store.close()
        self.valkey.stop()

    def kill_hail(self) -> None:
        """Kill the hail server with its workers and start it again on the same port."""
        self.hail.kill()
        wait_for(lambda: not _listens(self.port), "the port to be free")
        self.hail.start()

    def kill_valkey(self) -> None:
        """Kill the store and start it again on its data."""
        os.kill(self.valkey.pid, signal.SIGKILL)
        self.valkey.stop()
        self.valkey.start()

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
        while before := self.store.loads():
            wait_for(lambda: self.store.loads() != before, "the drains to go on")

    def logs(self) -> str:
        """The end of what each command wrote."""
        return "\n".join(command.log_tail() for command in (self.hail, *self.drains))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
