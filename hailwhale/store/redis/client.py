"""Connections to Redis or Valkey: opened from a URL, their faults named, the scripts called.

Commands are never retried behind the caller's back: a step whose answer got lost may have happened,
and only the fences and ids in the scripts may decide whether doing it again is right.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib.resources import files
from itertools import islice
from typing import Any, TypeAlias

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from redis.sentinel import MasterNotFoundError, Sentinel

from hailwhale.errors import BadSetting, StoreUnavailable
from hailwhale.store.redis.cluster import ClusterClient, RedisCommand
from hailwhale.store.redis.replica_ack import ReplicaAck
from hailwhale.store.redis.url import StoreUrl, Topology, masked, parse_address

RedisClient: TypeAlias = "redis.Redis | ClusterClient"

CONNECT_TIMEOUT_S = 2.0
_ASKED_AT_ONCE = 1_000  # commands in one round trip
_INCLUDES = {
    "accept": (),
    "admit": (),
    "forget": (),
    "position": ("fence",),
    "know": ("fence", "children"),
    "commit": ("fence", "children", "decimal", "rows", "views"),
    "apply": ("decimal", "rows", "views", "visits"),
    "build_view": ("views",),
    "renew_view": (),
    "keep": (),
    "letters": (),
    "spied": (),
    "swap": (),
}

# What the server says when it cannot now: out of memory, a replica, no majority, a slot moving.
# Faults that redis-py has a class for have lost their word; the others begin with it.
_NOT_NOW = (
    redis.exceptions.OutOfMemoryError,
    redis.exceptions.ReadOnlyError,
    redis.exceptions.ClusterDownError,
    redis.exceptions.TryAgainError,
    redis.exceptions.AskError,
)
_NOT_NOW_WORDS = ("BUSY ", "MISCONF ", "NOREPLICAS ")


def open_client(url: str, timeout_s: float, max_connections: int = 512) -> RedisClient:
    """A client for any URL that HAILWHALE_REDIS_URL may be; connects at its first command.

    `max_connections` bounds the connections to each server. Raises `BadSetting` for a URL that
    cannot be one.
    """
    address = parse_address(url)
    options = {
        "socket_timeout": timeout_s,
        "socket_connect_timeout": min(timeout_s, CONNECT_TIMEOUT_S),
        "max_connections": max_connections,
        "protocol": 2,
        **address.options,
    }
    if address.kind is Topology.CLUSTER:
        return ClusterClient(address.nodes, options)
    options["retry"] = Retry(NoBackoff(), 0)
    if address.kind is Topology.SENTINEL:
        return _by_sentinel(address, options)
    return redis.Redis(connection_pool=redis.ConnectionPool(**options))


def connect(url: str, timeout_s: float, max_connections: int = 512) -> redis.Redis:
    """A client of one server: that of the URL, or the primary that Sentinels name.

    Raises `BadSetting` for any other URL.
    """
    client = open_client(url, timeout_s, max_connections)
    if isinstance(client, ClusterClient):
        raise BadSetting(f"HAILWHALE_REDIS_URL: got {masked(url)!r}; expected one server")
    return client


def _by_sentinel(address: StoreUrl, options: dict[str, Any]) -> redis.Redis:
    to_sentinels = {
        name: options[name] for name in ("socket_timeout", "socket_connect_timeout", "retry")
    }
    sentinel = Sentinel(
        address.nodes, sentinel_kwargs=to_sentinels | dict(address.sentinel_options), **options
    )
    client: redis.Redis = sentinel.master_for(address.service)
    return client


def close_client(client: RedisClient) -> None:
    """Let go of all of a client's connections."""
    client.close()
    if not isinstance(client, ClusterClient):
        pool: Any = client.connection_pool
        pool.disconnect()
        for sentinel in getattr(getattr(pool, "sentinel_manager", None), "sentinels", ()):
            sentinel.close()


@contextmanager
def faults_named() -> Iterator[None]:
    """Turn the client's exceptions into `StoreUnavailable`; programming errors pass as they are."""
    try:
        yield
    except MasterNotFoundError as fault:
        reason = str(fault).partition(" : ")[0]  # the rest describes every Sentinel's client
        raise StoreUnavailable(f"no Sentinel says where the store is: {reason}") from fault
    except (redis.ConnectionError, redis.TimeoutError, OSError) as fault:
        raise StoreUnavailable(f"the store does not answer: {fault}") from fault
    except redis.ResponseError as fault:
        if isinstance(fault, _NOT_NOW) or any(word in str(fault) for word in _NOT_NOW_WORDS):
            raise StoreUnavailable(f"the store cannot take this now: {fault}") from fault
        raise


def exchange(
    client: RedisClient, commands: Sequence[RedisCommand], copies: ReplicaAck | None = None
) -> list[Any]:
    """Several commands in one round trip to each server; their answers in order.

    They are carried out one by one, not together, and an exception stands in place of an answer
    where one failed. The first word of a command is its name, the second its key; see `cluster`.
    With `copies`, what too few replicas have is a `StoreUnavailable`.
    """
    if isinstance(client, ClusterClient):
        return client.exchange(commands, copies)
    if copies is None:
        return _talk(client, commands)
    answers = _talk(client, [*commands, copies.command])
    return copies.checked(answers[:-1], answers[-1])


def _talk(client: redis.Redis, commands: Sequence[RedisCommand]) -> list[Any]:
    """Send commands, and read their answers.

    As the client's pipelines do, less what those do besides (they try again, they keep figures of
    themselves): that takes the processor longer than the round trip itself.
    """
    pool: Any = client.connection_pool
    connection = pool.get_connection()
    try:
        connection.send_packed_command(connection.pack_commands(commands))
        return [_answer(client, connection, str(command[0])) for command in commands]
    except BaseException:
        connection.disconnect()  # answers that nobody read may still come
        raise
    finally:
        pool.release(connection)


def _answer(client: redis.Redis, connection: Any, name: str) -> Any:
    try:
        return client.parse_response(connection, name)
    except redis.ResponseError as fault:
        return fault


def ask(client: RedisClient, commands: Sequence[RedisCommand]) -> list[Any]:
    """As `exchange`, but the first fault is raised."""
    return _sound(exchange(client, commands))


def ask_in_slices(client: RedisClient, commands: Iterable[RedisCommand]) -> list[Any]:
    """Send any number of commands, some in each round trip; return their answers in order.

    Raises `StoreUnavailable`.
    """
    answers: list[Any] = []
    rest = iter(commands)
    while some := list(islice(rest, _ASKED_AT_ONCE)):
        with faults_named():
            answers += ask(client, some)
    return answers


class Script:
    """One Lua file of ``scripts/``, with what it includes put in front, called by its digest."""

    def __init__(self, client: RedisClient, name: str) -> None:
        folder = files("hailwhale.store.redis") / "scripts"
        parts = [*_INCLUDES[name], name]
        self._text = "\n".join((folder / f"{part}.lua").read_text("utf-8") for part in parts)
        self._digest = hashlib.sha1(self._text.encode(), usedforsecurity=False).hexdigest()
        self._client = client

    def __call__(self, keys: list[str], args: list[Any], copies: ReplicaAck | None = None) -> Any:
        return self.many([(keys, args)], copies)[0]

    def many(
        self, calls: list[tuple[list[str], list[Any]]], copies: ReplicaAck | None = None
    ) -> list[Any]:
        """Several calls in one round trip, each on its own keys; their answers in order.

        Calls are atomic one by one, not together. The first fault among them is raised. With
        `copies`, `StoreUnavailable` when too few replicas have what they wrote.
        """
        answers = exchange(self._client, self._commands("EVALSHA", self._digest, calls), copies)
        missing = [place for place, answer in enumerate(answers) if _unknown_script(answer)]
        if missing:  # a server that has just started does not know the script yet
            some = self._commands("EVAL", self._text, [calls[place] for place in missing])
            for place, answer in zip(missing, exchange(self._client, some, copies), strict=True):
                answers[place] = answer
        return _sound(answers)

    def _commands(
        self, word: str, script: str, calls: list[tuple[list[str], list[Any]]]
    ) -> list[RedisCommand]:
        return [(word, script, len(keys), *keys, *args) for keys, args in calls]


def _sound(answers: list[Any]) -> list[Any]:
    for answer in answers:
        if isinstance(answer, Exception):
            raise answer
    return answers


def _unknown_script(answer: object) -> bool:
    return isinstance(answer, redis.exceptions.NoScriptError)
