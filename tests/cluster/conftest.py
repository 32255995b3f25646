"""Servers that may be killed: a cluster, which each test leaves well, and a watched pair."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.clusters import Cluster
from tests.cluster.nodes import Node, SentinelNode, Watched, wait_for


@pytest.fixture(scope="package")
def frail_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with Cluster(tmp_path_factory.mktemp("frail"), node_timeout_ms=1_500) as nodes:
        yield nodes


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    primary, replica = Node(tmp_path / "primary"), Node(tmp_path / "replica")
    sentinel = SentinelNode(tmp_path / "sentinel", primary)
    for node in (primary, replica):
        node.start()
        node.await_answer()
    replica.replicate(primary)
    sentinel.start()
    wait_for(
        lambda: sentinel.client.sentinel_master("main")["num-slaves"] == 1,
        "the Sentinel to have found the replica",
    )
    yield Watched(primary, replica, sentinel)
    for node in (sentinel, primary, replica):
        node.kill()
