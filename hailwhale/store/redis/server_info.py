"""Describes the servers of a store for `hailwhale doctor`: what they are and what is stored there.

Writes nothing. Reports what the servers say and leaves the judgement to the checks.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import redis

from hailwhale.errors import StoreMismatch
from hailwhale.store.redis.client import RedisClient, close_client, faults_named, open_client
from hailwhale.store.redis.cluster import ClusterClient
from hailwhale.store.redis.keys import Keys

LEAST_REDIS = (7, 0)
# Every command that the scripts and the modules of the store use on keys.
COMMANDS = (
    *("APPEND", "BITFIELD", "EXISTS", "EXPIRE", "GET", "HDEL", "HEXISTS", "HGET", "HGETALL"),
    *("HINCRBY", "HKEYS", "HMGET", "HSET", "HSETNX", "HVALS", "INCRBY", "LINDEX", "LLEN", "LRANGE"),
    *("LREM", "LTRIM", "PFADD", "PFCOUNT", "PTTL", "RPUSH", "SADD", "SCARD", "SET", "SISMEMBER"),
    *("SMEMBERS", "SREM", "TIME", "UNLINK", "ZADD", "ZRANGEBYSCORE", "ZREM", "ZSCORE"),
)
_CHECK_COMMANDS = """
local forbidden = {}
for _, name in ipairs(redis.acl_check_cmd and ARGV or {}) do
  if not redis.acl_check_cmd(name, KEYS[1]) then forbidden[#forbidden + 1] = name end
end
return forbidden
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerInfo:
    """A Redis or Valkey as it describes itself, and the schema of a store on it.

    `zone` and `rollups` are empty if there is no store yet. `replicas` is the number of connected
    ones, `name` that of the engine and `where` the server's address. All but these three is unknown
    if the server does not describe itself: `refusal` says why.
    """

    name: str
    version: str
    is_replica: bool
    appends: bool
    writes_well: bool
    memory_limit_bytes: int
    memory_used_bytes: int
    eviction: str
    zone: str
    rollups: tuple[str, ...]
    replicas: int = 0
    where: str = ""
    refusal: str = ""

    @property
    def is_new_enough(self) -> bool:
        """Return whether it is a Valkey, or a Redis with all that the scripts need.

        >>> [_server(version).is_new_enough for version in ("6.2.14", "7.0.0", "10.1")]
        [False, True, True]
        """
        numbers = tuple(int(number) for number in re.findall(r"\d+", self.version)[:2])
        return self.name == "Valkey" or numbers >= LEAST_REDIS

    @property
    def may_evict(self) -> bool:
        """Return whether it would evict counts when its memory is full."""
        return self.memory_limit_bytes > 0 and self.eviction != "noeviction"


@dataclass(frozen=True, slots=True)
class ClusterState:
    """The state of a cluster: served slots, and whether all are needed to serve any.

    `slots_moving` is the number of slots being migrated.
    """

    slots_served: int
    needs_every_slot: bool
    slots_moving: int = 0


@dataclass(frozen=True, slots=True)
class SentinelState:
    """The state of Sentinels: the service, how many watch it, and their quorum."""

    service: str
    sentinels: int
    quorum: int


@dataclass(frozen=True, slots=True)
class ServersInfo:
    """The servers that accept counts (several in a cluster), and how they are related.

    `forbidden` are commands that the store's user may not run.
    """

    servers: tuple[ServerInfo, ...]
    cluster: ClusterState | None = None
    watch: SentinelState | None = None
    forbidden: tuple[str, ...] = ()


def examine(url: str, namespace: str, timeout_s: float) -> ServersInfo:
    """Describe the servers at `url`; raise `StoreUnavailable` if one does not answer."""
    with _opened(url, timeout_s) as client, faults_named():
        zone, rollups = client.execute_command("HMGET", Keys(namespace).meta(), "zone", "rollups")
        made = ((zone or b"").decode(), tuple(json.loads(rollups or b"{}")))
        forbidden = _forbidden(client, Keys(namespace))
        if isinstance(client, ClusterClient):
            named = client.servers()
            servers = tuple(_asked(server, *made, name) for name, server in named)
            state = _cluster_state([server for _, server in named])
            return ServersInfo(servers, cluster=state, forbidden=forbidden)
        server = _asked(client, *made, _address(client))
        return ServersInfo((server,), watch=_watch(client), forbidden=forbidden)


def refuse_unfit(client: RedisClient) -> None:
    """Raise `StoreMismatch` for a server that would acknowledge hits and lose counts.

    A server that does not describe itself passes.
    """
    servers: Sequence[Any] = [client]
    if isinstance(client, ClusterClient):
        servers = [server for _, server in client.servers()]
    for server in servers:
        found = _asked(server, "", ())
        named = f"{found.name} {found.version}"
        if not found.refusal and not found.is_new_enough:
            raise StoreMismatch(f"{named} is too old: use Redis 7 or later, or Valkey")
        if not found.refusal and found.may_evict:
            raise StoreMismatch(
                f"{named} has the maxmemory-policy {found.eviction}, which deletes counts: "
                "set it to noeviction"
            )


def _forbidden(client: Any, keys: Keys) -> tuple[str, ...]:
    """Return which commands of the store the user may not run, as the server itself judges."""
    words = (_CHECK_COMMANDS, 1, keys.meta(), *COMMANDS)
    try:
        found = client.execute_command("EVAL", *words)
        client.execute_command("EVALSHA", "0" * 40, 1, keys.meta())
    except redis.exceptions.NoPermissionError:
        return ("EVAL", "EVALSHA")
    except redis.exceptions.NoScriptError:  # as expected: it was not executed
        return tuple(name.decode() for name in found)
    return ()


def _asked(server: Any, zone: str, rollups: tuple[str, ...], where: str = "") -> ServerInfo:
    try:
        return _described(server.info(), zone, rollups, where)
    except redis.ResponseError as fault:  # a user without the permission, or a hosted server
        return replace(_server("0"), zone=zone, rollups=rollups, where=where, refusal=str(fault))


@contextmanager
def _opened(url: str, timeout_s: float) -> Iterator[Any]:
    client: RedisClient = open_client(url, timeout_s)
    try:
        yield client
    finally:
        close_client(client)


def _described(
    info: dict[str, Any], zone: str, rollups: tuple[str, ...], where: str = ""
) -> ServerInfo:
    is_valkey = info.get("server_name") == "valkey"
    return ServerInfo(
        name="Valkey" if is_valkey else "Redis",
        version=str(info["valkey_version" if is_valkey else "redis_version"]),
        is_replica=info.get("role") == "slave",
        appends=bool(info.get("aof_enabled")),
        writes_well=info.get("aof_last_write_status", "ok") == "ok",
        memory_limit_bytes=int(info.get("maxmemory", 0)),
        memory_used_bytes=int(info.get("used_memory", 0)),
        eviction=str(info.get("maxmemory_policy", "noeviction")),
        zone=zone,
        rollups=rollups,
        replicas=int(info.get("connected_slaves", 0)),
        where=where,
    )


def _cluster_state(primaries: Sequence[Any]) -> ClusterState:
    """Return a cluster as its first primary sees it, with all slot migrations.

    Only the two nodes of a migration know of it, so every primary is asked.
    """
    told = primaries[0].execute_command("CLUSTER INFO")
    views = [primary.execute_command("CLUSTER NODES") for primary in primaries]
    moving = {
        move["slot"] for view in views for node in view.values() for move in node["migrations"]
    }
    try:
        needs = primaries[0].config_get("cluster-require-full-coverage")
    except redis.ResponseError:  # a hosted cluster may not show its configuration
        needs = {}
    return ClusterState(
        slots_served=int(told["cluster_slots_ok"]),
        needs_every_slot=needs.get("cluster-require-full-coverage", "yes") == "yes",
        slots_moving=len(moving),
    )


def _watch(client: Any) -> SentinelState | None:
    """Return the state that the first Sentinel reports; None without Sentinels."""
    pool = client.connection_pool
    if not hasattr(pool, "sentinel_manager"):
        return None
    # The one that named the primary comes first.
    state = pool.sentinel_manager.sentinels[0].sentinel_master(pool.service_name)
    return SentinelState(pool.service_name, state["num-other-sentinels"] + 1, state["quorum"])


def _address(client: Any) -> str:
    """Return the primary's address that Sentinels gave; "" if the URL has it."""
    found = getattr(client.connection_pool, "master_address", None)
    return f"{found[0]}:{found[1]}" if found else ""


def _server(version: str) -> ServerInfo:
    """Return a Redis of some version, for examples."""
    return ServerInfo(
        name="Redis",
        version=version,
        is_replica=False,
        appends=True,
        writes_well=True,
        memory_limit_bytes=0,
        memory_used_bytes=0,
        eviction="noeviction",
        zone="",
        rollups=(),
    )
