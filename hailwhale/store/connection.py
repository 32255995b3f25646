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
_INCLUDES = {
    "accept": (),
    "position": ("fence",),
    "commit": ("fence", "decimal", "rows"),
    "apply": ("decimal", "rows"),
}

# What the server says when it cannot now: out of memory, a replica, no majority, a slot moving.
# Faults that redis-py has a class for have lost their word; the others begin with it.
_NOT_NOW = (
    redis.exceptions.OutOfMemoryError,
    redis.exceptions.ReadOnlyError,
    redis.exceptions.ClusterDownError,
    redis.exceptions.TryAgainError,
)
_NOT_NOW_WORDS = ("BUSY ", "MISCONF ", "NOREPLICAS ")


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
        if isinstance(fault, _NOT_NOW) or any(word in str(fault) for word in _NOT_NOW_WORDS):
            raise StoreUnavailable(f"the store cannot take this now: {fault}") from fault
        raise


class Script:
    """One Lua file of ``scripts/``, with what it includes put in front, called by its digest."""

    def __init__(self, client: redis.Redis, name: str) -> None:
        folder = files("hailwhale.store") / "scripts"
        parts = [*_INCLUDES[name], name]
        text = "\n".join((folder / f"{part}.lua").read_text("utf-8") for part in parts)
        self._client: Any = client
        self._script = client.register_script(text)

    def __call__(self, keys: list[str], args: list[Any]) -> Any:
        return self._script(keys=keys, args=args)

    def many(self, calls: list[tuple[list[str], list[Any]]]) -> list[Any]:
        """Several calls in one round trip, each on its own keys; their answers in order.

        Calls are atomic one by one, not together. The first fault among them is raised.
        """
        if len(calls) == 1:
            return [self(*calls[0])]
        answers = self._pipelined(calls)
        missing = [place for place, answer in enumerate(answers) if _unknown_script(answer)]
        if missing:  # a server that has just started does not know the script yet
            self._client.script_load(self._script.script)
            again = self._pipelined([calls[place] for place in missing])
            for place, answer in zip(missing, again, strict=True):
                answers[place] = answer
        for answer in answers:
            if isinstance(answer, Exception):
                raise answer
        return answers

    def _pipelined(self, calls: list[tuple[list[str], list[Any]]]) -> list[Any]:
        pipeline = self._client.pipeline(transaction=False)
        for keys, args in calls:
            pipeline.evalsha(self._script.sha, len(keys), *keys, *args)
        answers: list[Any] = pipeline.execute(raise_on_error=False)
        return answers


def _unknown_script(answer: object) -> bool:
    return isinstance(answer, redis.exceptions.NoScriptError)
