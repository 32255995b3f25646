"""Opens the store of the settings."""

from __future__ import annotations

import atexit
from collections.abc import Callable
from dataclasses import dataclass

from hailwhale.errors import DataDirInUse
from hailwhale.settings import Settings
from hailwhale.store.embedded import EmbeddedValkey, address, check_directory
from hailwhale.store.protocol import Store
from hailwhale.store.redis.client import open_client
from hailwhale.store.redis.keys import Keys
from hailwhale.store.redis.replica_ack import ReplicaAck
from hailwhale.store.redis.store import RedisStore
from hailwhale.store.redis.url import parse_address

_WAIT_SHARE = 0.5  # share of the timeout that replicas have to confirm


@dataclass(frozen=True, slots=True)
class OpenedStore:
    """A store, and a function that closes it and everything started for it."""

    store: Store
    close: Callable[[], None]


def check_store_settings(settings: Settings) -> None:
    """Raise an error for settings of an impossible store; open and create nothing.

    Raises `BadSetting` for the URL, and `HailWhaleError` for the data directory.
    """
    if settings.redis_url:
        parse_address(settings.redis_url)
    else:
        check_directory(settings.data_dir)


def open_store(settings: Settings) -> OpenedStore:
    """Open the store at HAILWHALE_REDIS_URL, or the embedded Valkey of the data directory.

    An embedded Valkey that another process, such as a service, runs there is shared. Otherwise this
    process starts it and owns it until `close` or until it exits.
    """
    if settings.redis_url:
        return _at(settings.redis_url, settings)
    running = address(settings.data_dir)
    if running is not None:
        return _at(running, settings)
    server = EmbeddedValkey(settings.data_dir, settings.fsync, memory_bytes=settings.store_memory)
    try:
        server.start()
    except DataDirInUse:
        # Another process was faster, and its server may answer by now.
        running = address(settings.data_dir)
        if running is None:
            raise
        return _at(running, settings)
    atexit.register(server.stop)
    opened = _at(server.url, settings)

    def close() -> None:
        opened.close()
        server.stop()
        atexit.unregister(server.stop)

    return OpenedStore(opened.store, close)


def _at(url: str, settings: Settings) -> OpenedStore:
    within_ms = max(1, int(settings.store_timeout_s * 1000 * _WAIT_SHARE))
    store = RedisStore(
        open_client(url, settings.store_timeout_s),
        Keys(settings.namespace),
        buffer_limit=settings.buffer_limit,
        buffer_bytes=settings.buffer_bytes,
        max_children=settings.max_children,
        max_series=settings.max_series,
        copies=ReplicaAck(settings.replicas, within_ms) if settings.replicas else None,
    )
    return OpenedStore(store, store.close)
