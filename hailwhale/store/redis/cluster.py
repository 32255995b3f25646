"""Sends commands to a cluster: each to the node of its key, those of a node in one round trip.

Groups commands by node, follows redirections and learns where slots have moved. redis-py's cluster
client knows which node has which slot. Its pipelines are not used, because they repeat a command
whose answer was lost. Only a command that a node reports as not executed (MOVED, ASK, TRYAGAIN) is
sent again here. Knows nothing of what the commands mean.

A command is a sequence of words. Its key is the second, for a script the fourth. While a slot
moves, a node that has only some of a script's keys answers TRYAGAIN. That ends when the slot has
moved; until then such a command fails like any that the store cannot execute now.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from threading import Lock
from typing import Any, NamedTuple, TypeAlias

import redis
from redis.backoff import NoBackoff
from redis.cluster import ClusterNode, RedisCluster
from redis.exceptions import (
    AskError,
    ClusterDownError,
    MovedError,
    RedisClusterException,
    SlotNotCoveredError,
    TryAgainError,
)
from redis.retry import Retry

from hailwhale.store.redis.replica_ack import ReplicaAck

RedisCommand: TypeAlias = Sequence[Any]

_MOST_HOPS = 5  # how often one command is redirected before its last answer counts
_TRY_AGAIN_S = 0.01
_OUTDATED = (redis.ConnectionError, redis.TimeoutError, ClusterDownError, MovedError)


@dataclass(frozen=True, slots=True)
class _Hop:
    """A command on its way to a node; `asking` if the node has the key but not yet the slot."""

    place: int
    node: ClusterNode
    asking: bool = False


class PrimaryServer(NamedTuple):
    """The name of a primary of a cluster, and a client for it alone."""

    name: str
    client: redis.Redis


class ClusterClient:
    """A client of a Redis or Valkey Cluster; connects at its first command. Thread-safe.

    `nodes` are some nodes of the cluster, from which the others are discovered. `options` are
    redis-py's for each connection.
    """

    def __init__(self, nodes: Sequence[tuple[str, int]], options: Mapping[str, Any]) -> None:
        self._seeds = list(nodes)
        self._options = dict(options)
        self._lock = Lock()
        self._cluster: RedisCluster | None = None
        self._outdated = False
        self._strangers: dict[str, ClusterNode] = {}  # nodes that get their first slot, by name

    def execute_command(self, *command: Any) -> Any:
        """Return the answer of one command; raise its error."""
        (answer,) = self.exchange([command])
        if isinstance(answer, Exception):
            raise answer
        return answer

    def exchange(
        self, commands: Sequence[RedisCommand], copies: ReplicaAck | None = None
    ) -> list[Any]:
        """Return the answers in order, with an exception in place of each that failed.

        Commands of one node keep their order, unless one of them is redirected to another node.
        With `copies`, the answer to a write that too few replicas have is a `StoreUnavailable`.
        """
        answers: list[Any] = [None] * len(commands)
        hops: list[_Hop] = []
        cluster = self._topology()
        for place, command in enumerate(commands):
            try:
                hops.append(_Hop(place, cluster.get_node_from_key(_key(command))))
            except SlotNotCoveredError as fault:
                self._outdated = True
                answers[place] = redis.ConnectionError(str(fault))
        for _ in range(_MOST_HOPS):
            onward: list[_Hop] = []
            for hop, answer in self._told(cluster, hops, commands, copies):
                answers[hop.place] = answer
                onward += self._next(cluster, hop, answer)
            if not onward:
                break
            if any(isinstance(answers[hop.place], TryAgainError) for hop in onward):
                time.sleep(_TRY_AGAIN_S)
            hops = onward
        return answers

    def servers(self) -> list[PrimaryServer]:
        """Return the primaries."""
        cluster = self._topology()
        return [
            PrimaryServer(node.name, cluster.get_redis_connection(node))
            for node in cluster.get_primaries()
        ]

    def ping(self) -> None:
        """Return if every primary answers."""
        try:
            for _, server in self.servers():
                server.ping()
        except _OUTDATED:
            self._outdated = True
            raise

    def close(self) -> None:
        """Close all connections; a later command reopens them."""
        with self._lock:
            cluster, self._cluster = self._cluster, None
            strangers, self._strangers = self._strangers, {}
        if cluster is not None:
            cluster.close()
        for node in strangers.values():
            if node.redis_connection is not None:
                node.redis_connection.close()

    def _topology(self) -> RedisCluster:
        """Return the known cluster, refreshed if an answer showed it to be outdated."""
        try:
            with self._lock:
                if self._cluster is None:
                    self._cluster = self._look()
                    self._outdated = False
                cluster = self._cluster
            if self._outdated:
                self._outdated = False  # one thread refreshes; the others use what is known
                cluster.nodes_manager.initialize()
        except (RedisClusterException, IndexError) as fault:  # IndexError: no slots are assigned
            self.close()  # no known node answers: start again with those of the URL
            raise redis.ConnectionError(f"cannot read the state of the cluster: {fault}") from fault
        return cluster

    def _look(self) -> RedisCluster:
        return RedisCluster(
            startup_nodes=[ClusterNode(*seed) for seed in self._seeds],
            require_full_coverage=False,
            retry=Retry(NoBackoff(), 0),
            **self._options,
        )

    def _told(
        self,
        cluster: RedisCluster,
        hops: Sequence[_Hop],
        commands: Sequence[RedisCommand],
        copies: ReplicaAck | None,
    ) -> list[tuple[_Hop, Any]]:
        """Return the answers of the nodes; writes to all nodes before it reads from any."""
        by_node: dict[str, list[_Hop]] = {}
        for hop in hops:
            by_node.setdefault(hop.node.name, []).append(hop)
        talks = [
            (some, _Talk(cluster.get_redis_connection(some[0].node), some, commands, copies))
            for some in by_node.values()
        ]
        try:
            for _, talk in talks:
                talk.write()
            return [told for some, talk in talks for told in zip(some, talk.read(), strict=True)]
        finally:
            for _, talk in talks:
                talk.end()

    def _next(self, cluster: RedisCluster, hop: _Hop, answer: object) -> Iterable[_Hop]:
        """Return where to send a command that was not executed."""
        self._outdated = self._outdated or isinstance(answer, _OUTDATED)
        if isinstance(answer, AskError):  # a MovedError is one
            node = self._node(cluster, answer.host or hop.node.host, answer.port)
            return [_Hop(hop.place, node, asking=not isinstance(answer, MovedError))]
        return [hop] if isinstance(answer, TryAgainError) else []

    def _node(self, cluster: RedisCluster, host: str, port: int) -> ClusterNode:
        """Return the node at an address, which may be one that has no slots yet."""
        known: ClusterNode | None = cluster.get_node(host, port)
        if known is not None:
            return known
        stranger = ClusterNode(host, port)
        with self._lock:
            return self._strangers.setdefault(stranger.name, stranger)


class _Talk:
    """Commands for one node on one connection: written at once, their answers read in order."""

    def __init__(
        self,
        server: redis.Redis,
        hops: Sequence[_Hop],
        commands: Sequence[RedisCommand],
        copies: ReplicaAck | None,
    ) -> None:
        self._server: Any = server
        self._copies = copies
        self._words: list[RedisCommand] = []
        self._wanted: list[int] = []  # indices of the words whose answers are returned
        for hop in hops:
            if hop.asking:
                self._words.append(("ASKING",))
            self._wanted.append(len(self._words))
            self._words.append(commands[hop.place])
        if copies is not None:
            self._words.append(copies.command)
        self._connection: Any = None
        self._unread = 0
        self._fault: Exception | None = None

    def write(self) -> None:
        """Send all commands; `read` returns an error of it."""
        try:
            self._connection = self._server.connection_pool.get_connection()
            self._unread = len(self._words)
            self._connection.send_packed_command(self._connection.pack_commands(self._words))
        except (redis.ConnectionError, redis.TimeoutError) as fault:
            self._fault = fault

    def read(self) -> list[Any]:
        """Return one answer for each command, or its error."""
        answers = [self._answer(words[0]) for words in self._words]
        wanted = [answers[place] for place in self._wanted]
        return wanted if self._copies is None else self._copies.checked(wanted, answers[-1])

    def _answer(self, name: str) -> Any:
        if self._fault is None:
            try:
                answer = self._server.parse_response(self._connection, name)
            except redis.ResponseError as fault:
                answer = fault
            except (redis.ConnectionError, redis.TimeoutError) as fault:
                self._fault = fault
                return fault
            self._unread -= 1
            return answer
        return self._fault

    def end(self) -> None:
        """Return the connection to the pool, closed if answers on it are unread."""
        connection, self._connection = self._connection, None
        if connection is not None:
            if self._unread:
                with suppress(redis.RedisError, OSError):
                    connection.disconnect()
            self._server.connection_pool.release(connection)


def _key(command: RedisCommand) -> str:
    key: str = command[3] if command[0] in ("EVALSHA", "EVAL") else command[1]
    return key
