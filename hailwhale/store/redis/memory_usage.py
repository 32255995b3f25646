"""Estimates the memory of a store's keys from a sample: `hailwhale doctor --memory`.

Reads a bounded number of keys, so it is as fast on a large store as on a small one and blocks
nothing. SCAN returns keys in no order, so the first ones represent all. Writes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import redis

from hailwhale.store.redis.client import close_client, faults_named, open_client
from hailwhale.store.redis.cluster import ClusterClient
from hailwhale.store.redis.keys import Keys

DEFAULT_PACKED_FIELDS = 512  # of Redis, Valkey and the embedded server

_SCANNED = 20_000  # keys that are scanned, of all servers together
_WEIGHED = 2_000  # those of them whose memory is measured
_AT_ONCE = 500
_PACKED_FIELDS = "hash-max-listpack-entries"


@dataclass(frozen=True, slots=True)
class KeyGroup:
    """Keys of one kind: their number and their memory, estimated from the sample."""

    name: str
    keys: int
    bytes: int


@dataclass(frozen=True, slots=True)
class MemoryUsage:
    """Kinds, largest first; numbers of keys seen and existing; memory that the servers use."""

    kinds: Sequence[KeyGroup]
    seen: int
    keys: int
    used_bytes: int


@dataclass(slots=True)
class _KeySample:
    """Keys of one kind on one server: how many were seen, and the sizes of some."""

    seen: int = 0
    weights: list[int] = field(default_factory=list)


def measure(url: str, namespace: str, timeout_s: float) -> MemoryUsage:
    """Sample the store at `url`; raise `StoreUnavailable` if a server does not answer."""
    client: Any = open_client(url, timeout_s)
    try:
        with faults_named():
            servers = _servers(client)
            parts = [_measure(server, Keys(namespace), len(servers)) for server in servers]
    finally:
        close_client(client)
    kinds: dict[str, KeyGroup] = {}
    for kind in (kind for part in parts for kind in part.kinds):
        known = kinds.get(kind.name, KeyGroup(kind.name, 0, 0))
        kinds[kind.name] = KeyGroup(kind.name, known.keys + kind.keys, known.bytes + kind.bytes)
    return MemoryUsage(
        sorted(kinds.values(), key=lambda kind: -kind.bytes),
        sum(part.seen for part in parts),
        sum(part.keys for part in parts),
        sum(part.used_bytes for part in parts),
    )


def packed_fields(url: str, timeout_s: float) -> int:
    """Return the maximum number of fields of a listpack hash in the store at `url`.

    Assumes the default for a server that does not show its configuration. Raises `StoreUnavailable`
    if a server does not answer.
    """
    client: Any = open_client(url, timeout_s)
    try:
        with faults_named():
            return min(map(_packed_fields, _servers(client)))
    finally:
        close_client(client)


def _servers(client: Any) -> list[Any]:
    if isinstance(client, ClusterClient):
        return [server for _, server in client.servers()]
    return [client]


def _packed_fields(server: Any) -> int:
    with suppress(redis.ResponseError):
        found = server.config_get(_PACKED_FIELDS)
        return int(found.get(_PACKED_FIELDS, DEFAULT_PACKED_FIELDS))
    return DEFAULT_PACKED_FIELDS


def _measure(server: Any, keys: Keys, servers: int) -> MemoryUsage:
    there = int(server.dbsize())
    most = _SCANNED // servers
    every = max(1, min(there, most) * servers // _WEIGHED)  # of each kind, including the first key
    tallies: dict[str, _KeySample] = {}
    seen = 0
    for page in _pages(server, most):
        seen += len(page)
        weighed: list[tuple[_KeySample, bytes]] = []
        for key in page:
            tally = tallies.setdefault(keys.kind(key.decode()), _KeySample())
            if tally.seen % every == 0:
                weighed.append((tally, key))
            tally.seen += 1
        for (tally, _), weight in zip(weighed, _weights(server, weighed), strict=True):
            tally.weights.append(weight)
    tallies.pop("", None)  # foreign keys
    kinds = [_kind(name, tally, max(there, seen) / seen) for name, tally in tallies.items()]
    used_bytes = int(server.info("memory")["used_memory"])
    return MemoryUsage(kinds, seen, max(there, seen), used_bytes)


def _pages(server: Any, most: int) -> Iterator[list[bytes]]:
    """Yield keys from SCAN until there are no more or `most` were returned."""
    cursor, given = 0, 0
    while given < most:
        cursor, page = server.scan(cursor, count=_AT_ONCE)
        if page:
            yield page
        given += len(page)
        if not cursor:
            return


def _weights(server: Any, weighed: Sequence[tuple[_KeySample, bytes]]) -> list[int]:
    """Return the memory of these keys in bytes; 0 for one that has expired meanwhile."""
    pipeline = server.pipeline(transaction=False)
    for _, key in weighed:
        pipeline.memory_usage(key)
    return [weight or 0 for weight in pipeline.execute()]


def _kind(name: str, tally: _KeySample, times: float) -> KeyGroup:
    mean_bytes = sum(tally.weights) / len(tally.weights)
    return KeyGroup(name, round(tally.seen * times), round(tally.seen * times * mean_bytes))
