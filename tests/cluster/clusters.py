"""A real cluster of three primaries and three replicas, made by the commands that any client has.

Owns making it, finding who serves a slot, and moving slots in both of the engine's ways.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from redis.cluster import ClusterNode, RedisCluster
from redis.crc import key_slot

from tests.cluster.nodes import Node, wait_for
from tests.ports import free_port

_SLOTS = 16_384
_PRIMARIES = 3
_MIGRATE_MS = 5_000


def slot_of(shard: int) -> int:
    """The slot of all keys of a shard."""
    return key_slot(f"{{{shard}}}".encode())


class Cluster:
    """Six nodes below `folder`. A silence of `node_timeout_ms` makes the others give a node up."""

    def __init__(self, folder: Path, node_timeout_ms: int) -> None:
        self._folder = folder
        self._node_timeout_ms = node_timeout_ms
        self.nodes: list[Node] = []

    @property
    def url(self) -> str:
        """The store's URL, naming two nodes of the first primaries'."""
        return f"redis+cluster://{self.nodes[0].name},{self.nodes[1].name}"

    def __enter__(self) -> Cluster:
        try:
            self._make()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        for node in self.nodes:
            node.kill()

    def _make(self) -> None:
        for _ in range(2 * _PRIMARIES):
            self._new_node()
        primaries, replicas = self.nodes[:_PRIMARIES], self.nodes[_PRIMARIES:]
        for number, node in enumerate(primaries):
            first, end = (_SLOTS * part // _PRIMARIES for part in (number, number + 1))
            node.client.cluster("ADDSLOTSRANGE", first, end - 1)
        for number, node in enumerate(self.nodes):
            node.client.cluster("SET-CONFIG-EPOCH", number + 1)
        self._meet()
        for primary, replica in zip(primaries, replicas, strict=True):
            replica.client.cluster("REPLICATE", self.id_of(primary))
        for replica in replicas:
            wait_for(replica.linked, "the replicas to follow")
        self.await_health()

    def _new_node(self) -> Node:
        node = Node(
            self._folder / f"node{len(self.nodes)}",
            appendonly="no",
            cluster_enabled="yes",
            cluster_port=free_port(),
            cluster_node_timeout=self._node_timeout_ms,
            cluster_replica_validity_factor=0,
        )
        self.nodes.append(node)
        node.start()
        node.await_answer()
        return node

    def _meet(self) -> None:
        for node in self.nodes:
            for other in self.nodes:
                bus = int(other.client.config_get("cluster-port")["cluster-port"])
                node.client.cluster("MEET", "127.0.0.1", other.port, bus)
        for node in self.nodes:
            wait_for(partial(self._knows_all, node), "the nodes to have met")

    def _knows_all(self, node: Node) -> bool:
        known = node.client.cluster("NODES")
        return len(known) == len(self.nodes) and all(
            "handshake" not in each["flags"] for each in known.values()
        )

    def add_primary(self) -> Node:
        """A new node that serves no slot yet."""
        node = self._new_node()
        self._meet()
        self.await_health()
        return node

    def await_health(self) -> None:
        """Return when every node that runs sees every slot served."""
        for node in self.nodes:
            wait_for(node.is_well, "the cluster to be well")

    def id_of(self, node: Node) -> str:
        found: str = node.client.cluster("MYID")
        return found

    def primaries(self) -> list[Node]:
        """The nodes that are primaries now."""
        return [node for node in self.nodes if node.role() == "master"]

    def home_of(self, slot: int) -> Node:
        """The primary that serves a slot."""
        return next(node for node in self.primaries() if _serves(node, slot))

    def replica_of(self, primary: Node) -> Node:
        return next(
            node
            for node in self.nodes
            if node.client.info("replication").get("master_port") == primary.port
        )

    def raw_client(self) -> RedisCluster:
        """redis-py's own client, to look at a cluster that is at rest."""
        return RedisCluster(
            startup_nodes=[ClusterNode("127.0.0.1", node.port) for node in self.nodes], protocol=2
        )

    def move_slot_at_once(self, slot: int, to: Node) -> None:
        """Valkey's way since 9.0: the slot changes hands with all its keys in one moment."""
        home = self.home_of(slot)
        home.client.execute_command(
            "CLUSTER", "MIGRATESLOTS", "SLOTSRANGE", slot, slot, "NODE", self.id_of(to)
        )
        wait_for(lambda: _serves(to, slot), "the slot to have moved")

    def begin_move(self, slot: int, to: Node) -> Node:
        """The way of old, its first step: keys may now be in either place. Returns where from."""
        home = self.home_of(slot)
        to.client.cluster("SETSLOT", slot, "IMPORTING", self.id_of(home))
        home.client.cluster("SETSLOT", slot, "MIGRATING", self.id_of(to))
        return home

    def move_keys(self, slot: int, home: Node, to: Node, most: int) -> int:
        """Move some keys of a slot whose move has begun; how many there were."""
        names: Sequence[Any] = home.client.cluster("GETKEYSINSLOT", slot, most)
        if names:
            home.client.execute_command(
                "MIGRATE", "127.0.0.1", to.port, "", 0, _MIGRATE_MS, "KEYS", *names
            )
        return len(names)

    def end_move(self, slot: int, home: Node, to: Node) -> None:
        """Give the slot to its new home for good, the new one first."""
        for node in (to, home, *self.primaries()):
            node.client.cluster("SETSLOT", slot, "NODE", self.id_of(to))


def _serves(node: Node, slot: int) -> bool:
    """Whether a node serves a slot, in its own view."""
    mine = node.client.cluster("MYID")
    return any(
        first <= slot <= last and primary[2] == mine
        for first, last, primary, *_ in node.client.execute_command("CLUSTER SLOTS")
    )
