"""A look at a server for `hailwhale doctor`: what it is, and what its store is made of.

Writes nothing.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from hailwhale.store.connection import connect, faults_named
from hailwhale.store.keys import Keys

LEAST_REDIS = (7, 0)


@dataclass(frozen=True, slots=True)
class Server:
    """A Redis or Valkey as it describes itself, and what a store on it was made with.

    `zone` and `rollups` are empty where no store was made yet.
    """

    name: str
    version: str
    is_replica: bool
    appends: bool
    writes_well: bool
    memory_limit_bytes: int
    eviction: str
    zone: str
    rollups: tuple[str, ...]

    @property
    def is_new_enough(self) -> bool:
        """Whether it is a Valkey, or a Redis with all that the scripts need.

        >>> [_server(version).is_new_enough for version in ("6.2.14", "7.0.0", "10.1")]
        [False, True, True]
        """
        numbers = tuple(int(number) for number in re.findall(r"\d+", self.version)[:2])
        return self.name == "Valkey" or numbers >= LEAST_REDIS

    @property
    def may_evict(self) -> bool:
        """Whether it would drop counts when its memory is full."""
        return self.memory_limit_bytes > 0 and self.eviction != "noeviction"


def examine(url: str, namespace: str, timeout_s: float) -> Server:
    """Ask the server at `url`; raises `StoreUnavailable` when it does not answer."""
    client: Any = connect(url, timeout_s)
    try:
        with faults_named():
            info = client.info()
            zone, rollups = client.hmget(Keys(namespace).meta(), ["zone", "rollups"])
    finally:
        client.close()
        client.connection_pool.disconnect()
    is_valkey = info.get("server_name") == "valkey"
    return Server(
        name="Valkey" if is_valkey else "Redis",
        version=str(info["valkey_version" if is_valkey else "redis_version"]),
        is_replica=info.get("role") == "slave",
        appends=bool(info.get("aof_enabled")),
        writes_well=info.get("aof_last_write_status", "ok") == "ok",
        memory_limit_bytes=int(info.get("maxmemory", 0)),
        eviction=str(info.get("maxmemory_policy", "noeviction")),
        zone=(zone or b"").decode(),
        rollups=tuple(json.loads(rollups or b"{}")),
    )


def _server(version: str) -> Server:
    """A Redis of some version, for examples."""
    return Server("Redis", version, False, True, True, 0, "noeviction", "", ())
