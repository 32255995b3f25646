"""Connects to Redis or Valkey: opens clients from a URL, translates errors, calls scripts.

Commands are never retried implicitly: a step whose answer was lost may have succeeded. Only the
fences and ids in the scripts can decide whether repeating it is right.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib.resources import files
from itertools import islice
from typing import Any, TypeAlias

import redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisClusterException
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
    "declare": (),
    "spied": (),
    "swap": (),
    "waited": (),
}

# Errors that a request of ours causes, whatever the state of the server: a mistake in a script or
# in a command. The client strips a leading "ERR ".
_OURS = re.compile(
    r"(?:ERR )?(?:user_script:|Error (?:compiling|running) script|WRONGTYPE |[Ww]rong number of arg"
    r"|syntax error|value is not|hash value is not|invalid expire|CROSSSLOT )"
)


_NO_MEMORY = re.compile(r"\AOOM |used memory > 'maxmemory'")
_OUT_OF_MEMORY = (
    "the store's memory is full: raise its limit (HAILWHALE_STORE_MEMORY, or maxmemory)"
)
_SENTINEL_ERROR = re.compile(r"> - (?:\w+:)?([A-Z]\w+)")


def open_client(url: str, timeout_s: float, max_connections: int = 512) -> RedisClient:
    """Return a client for any URL of HAILWHALE_REDIS_URL; it connects at its first command.

    `max_connections` bounds the connections to each server. Raises `BadSetting` for an invalid URL.
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
    """Return a client of one server: that of the URL, or the primary that Sentinels name.

    Raises `BadSetting` for any other URL.
    """
    client = open_client(url, timeout_s, max_connections)
    if isinstance(client, ClusterClient):
        raise BadSetting(f"HAILWHALE_REDIS_URL: got {masked(url)!r}; expected a single server")
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
    """Close all connections of a client."""
    client.close()
    if not isinstance(client, ClusterClient):
        pool: Any = client.connection_pool
        pool.disconnect()
        for sentinel in getattr(getattr(pool, "sentinel_manager", None), "sentinels", ()):
            sentinel.close()


@contextmanager
def faults_named() -> Iterator[None]:
    """Turn the client's exceptions into `StoreUnavailable`.

    That includes every answer that our commands did not cause: a server has more reasons to refuse
    a command (memory, permissions, a provider's limits, a failover) than a list could name. Only
    errors of a script or command of ours pass unchanged, and exceptions of other libraries.
    """
    try:
        yield
    except MasterNotFoundError as fault:
        reason = _sentinel_reason(fault)
        raise StoreUnavailable("no Sentinel knows the address of the store", reason) from fault
    except (redis.ConnectionError, redis.TimeoutError, OSError) as fault:
        raise StoreUnavailable("the store does not answer", str(fault)) from fault
    except redis.DataError:  # of a command that was never sent
        raise
    except (redis.RedisError, RedisClusterException) as fault:
        if _OURS.match(str(fault)):
            raise
        if _NO_MEMORY.search(str(fault)):
            raise StoreUnavailable(_OUT_OF_MEMORY, str(fault)) from fault
        raise StoreUnavailable("the store cannot accept this now", str(fault)) from fault


def _sentinel_reason(fault: MasterNotFoundError) -> str:
    """Return what was not found, and each kind of error of the Sentinels, without their clients.

    >>> said = "No master found for 'a' : <Redis(…)> - network:TimeoutError"
    >>> _sentinel_reason(MasterNotFoundError(said))
    "No master found for 'a' (TimeoutError)"
    """
    what, _, errors = str(fault).partition(" : ")
    kinds = dict.fromkeys(_SENTINEL_ERROR.findall(errors))
    if redis.AuthenticationError.__name__ in kinds:
        return f"{what}: they refuse the login; set sentinel_username and sentinel_password"
    return f"{what} ({', '.join(kinds)})" if kinds else what


def exchange(
    client: RedisClient, commands: Sequence[RedisCommand], copies: ReplicaAck | None = None
) -> list[Any]:
    """Send several commands in one round trip to each server; return their answers in order.

    The commands are executed one by one, not atomically. An exception takes the place of the answer
    of a command that failed. The first word of a command is its name, the second its key; see
    `cluster`. With `copies`, the answer to a write that too few replicas have is a
    `StoreUnavailable`.
    """
    if isinstance(client, ClusterClient):
        return client.exchange(commands, copies)
    if copies is None:
        return _talk(client, commands)
    answers = _talk(client, [*commands, copies.command])
    return copies.checked(answers[:-1], answers[-1])


def _talk(client: redis.Redis, commands: Sequence[RedisCommand]) -> list[Any]:
    """Send commands and read their answers.

    Works like the client's pipelines, without their retries and statistics, which take more CPU
    time than the round trip itself.
    """
    pool: Any = client.connection_pool
    connection = pool.get_connection()
    try:
        connection.send_packed_command(connection.pack_commands(commands))
        return [_answer(client, connection, str(command[0])) for command in commands]
    except BaseException:
        connection.disconnect()  # unread answers may still arrive
        raise
    finally:
        pool.release(connection)


def _answer(client: redis.Redis, connection: Any, name: str) -> Any:
    try:
        return client.parse_response(connection, name)
    except redis.ResponseError as fault:
        return fault


def ask(client: RedisClient, commands: Sequence[RedisCommand]) -> list[Any]:
    """Send commands as `exchange` does, but raise the first error."""
    return _sound(exchange(client, commands))


def ask_in_slices(client: RedisClient, commands: Iterable[RedisCommand]) -> list[Any]:
    """Send any number of commands, some per round trip; return their answers in order.

    Raises `StoreUnavailable`.
    """
    answers: list[Any] = []
    rest = iter(commands)
    while some := list(islice(rest, _ASKED_AT_ONCE)):
        with faults_named():
            answers += ask(client, some)
    return answers


class Script:
    """One Lua file of ``scripts/``, preceded by its includes and called by its digest."""

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
        """Make several calls in one round trip; return their answers in order.

        Each call has its own keys and is atomic by itself, not all together. Raises the first error
        among them. With `copies`, raises `StoreUnavailable` if too few replicas have what the calls
        wrote.
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
