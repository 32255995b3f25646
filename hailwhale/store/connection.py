"""Connections to Redis or Valkey: opened from a URL, their faults named, the scripts loaded.

Commands are never retried behind the caller's back: a step whose answer got lost may have happened,
and only the fences and ids in the scripts may decide whether doing it again is right.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from hailwhale.errors import BadSetting, StoreUnavailable

CONNECT_TIMEOUT_S = 2.0
_INCLUDES = {"accept": (), "commit": ("decimal", "rows"), "apply": ("decimal", "rows")}

# The server's words for "not now": out of memory, replica, loading, no majority, slot on the move.
_NOT_NOW = ("OOM", "READONLY", "LOADING", "MISCONF", "NOREPLICAS", "CLUSTERDOWN", "MASTERDOWN")


def connect(url: str, timeout_s: float, max_connections: int = 512) -> redis.Redis:
    """A client for `redis://`, `rediss://` or `unix://` URLs; connects at its first command.

    Raises `BadSetting` for a URL that cannot be one.
    """
    try:
        pool = redis.ConnectionPool.from_url(
            url.replace("valkey", "redis", 1) if url.startswith("valkey") else url,
            socket_timeout=timeout_s,
            socket_connect_timeout=min(timeout_s, CONNECT_TIMEOUT_S),
            max_connections=max_connections,
            retry=Retry(NoBackoff(), 0),
            protocol=2,
        )
    except (ValueError, redis.RedisError) as fault:
        raise BadSetting(f"HAILWHALE_REDIS_URL: got {url!r}: {fault}") from fault
    return redis.Redis(connection_pool=pool)


@contextmanager
def faults_named() -> Iterator[None]:
    """Turn the client's exceptions into `StoreUnavailable`; programming errors pass as they are."""
    try:
        yield
    except (redis.ConnectionError, redis.TimeoutError, OSError) as fault:
        raise StoreUnavailable(f"the store does not answer: {fault}") from fault
    except redis.ResponseError as fault:
        if any(word in str(fault) for word in _NOT_NOW):
            raise StoreUnavailable(f"the store cannot take this now: {fault}") from fault
        raise


class Script:
    """One Lua file of ``scripts/``, with what it includes put in front, called by its digest."""

    def __init__(self, client: redis.Redis, name: str) -> None:
        folder = files("hailwhale.store") / "scripts"
        parts = [*_INCLUDES[name], name]
        text = "\n".join((folder / f"{part}.lua").read_text("utf-8") for part in parts)
        self._script = client.register_script(text)

    def __call__(self, keys: list[str], args: list[Any]) -> Any:
        return self._script(keys=keys, args=args)
