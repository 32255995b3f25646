"""`hailwhale doctor` on a cluster, at Sentinels, and with replicas to wait for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from hailwhale.cli import main
from hailwhale.commands.doctor.checks import layout_findings, replica_findings, server_findings
from hailwhale.store.redis.server_info import ClusterState, SentinelState, ServerInfo, ServersInfo
from tests.cluster.clusters import Cluster
from tests.cluster.nodes import Watched

Doctor = Callable[..., list[str]]
FIRST = ServerInfo(
    name="Valkey",
    version="9.1.2",
    is_replica=False,
    appends=True,
    writes_well=True,
    memory_limit_bytes=0,
    memory_used_bytes=0,
    eviction="noeviction",
    zone="UTC",
    rollups=(),
    replicas=1,
    where="a:1",
)
SECOND = replace(FIRST, where="b:2")
WELL = ClusterState(slots_served=16_384, needs_every_slot=True)


@pytest.fixture
def doctor(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], namespace: str
) -> Doctor:
    """Runs the doctor on a namespace of a store; gives what it found."""
    monkeypatch.setenv("HAILWHALE_NAMESPACE", namespace)

    def doctor(url: str, code: int = 0) -> list[str]:
        assert main(["doctor", "--redis-url", url]) == code
        lines = capsys.readouterr().out.splitlines()
        return lines[lines.index("") + 1 :]

    return doctor


def test_a_cluster_is_described_and_common_facts_are_reported_once(
    doctor: Doctor, cluster: Cluster
) -> None:
    odd = cluster.primaries()[1]
    odd.client.config_set("maxmemory", 1 << 30)
    odd.client.config_set("maxmemory-policy", "allkeys-lru")
    home = cluster.begin_move(7, cluster.primaries()[2])
    try:
        lines = doctor(cluster.url, code=1)
    finally:
        for node in (home, cluster.primaries()[2]):
            node.client.cluster("SETSLOT", 7, "STABLE")
        odd.client.config_set("maxmemory-policy", "noeviction")
        odd.client.config_set("maxmemory", 0)
    assert f"ok    store: {cluster.url}" in lines
    assert (
        "ok    cluster: 3 primaries, 3 replicas; if one slot is not served, no slot is "
        "(cluster-require-full-coverage)" in lines
    )
    assert "warn  slots: 1 are moving: hits in them are counted after the move" in lines
    assert sum("engine: Valkey 9." in line for line in lines) == 1
    assert sum("persistence: no append-only file" in line for line in lines) == 1
    assert (
        f"FAIL  memory: {odd.name}: maxmemory-policy is allkeys-lru, which deletes counts: set it "
        "to noeviction" in lines
    )
    assert "ok    buffers: no hits wait to be counted" in lines


def test_sentinels_are_described(doctor: Doctor, watched: Watched) -> None:
    lines = doctor(watched.url)
    name = watched.primary.name
    assert f"ok    sentinel: main is {name}, monitored by 1 Sentinels, quorum 1" in lines
    assert any("engine: Valkey 9." in line for line in lines)


@pytest.mark.parametrize("option", ["", "?sentinel_password=wrong"])
def test_a_password_that_sentinels_refuse_is_named(
    doctor: Doctor, watched: Watched, option: str
) -> None:
    admin: Any = watched.sentinel.client
    admin.execute_command("ACL", "SETUSER", "default", "resetpass", ">right")
    url = watched.url.replace("127.0.0.1:1,", "")
    lines = doctor(url + option, code=1)
    assert lines[-1].endswith("they refuse the login; set sentinel_username and sentinel_password")
    doctor(f"{url}?sentinel_password=right")
    admin.execute_command("ACL", "SETUSER", "default", "nopass")


def test_too_few_replicas_for_the_setting_fail(
    doctor: Doctor, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HAILWHALE_REPLICAS", "2")
    home = cluster.home_of(0)
    assert (
        f"FAIL  replicas: {home.name} has 1 replicas, HAILWHALE_REPLICAS requires 2: /count "
        "answers 503 until it has" in doctor(cluster.url, code=1)
    )


@pytest.mark.parametrize(
    ("state", "lines"),
    [
        (
            WELL,
            [
                "ok    cluster: 2 primaries, 2 replicas; if one slot is not served, no slot is "
                "(cluster-require-full-coverage)"
            ],
        ),
        (
            replace(WELL, needs_every_slot=False, slots_moving=3),
            [
                "ok    cluster: 2 primaries, 2 replicas; if one slot is not served, the others "
                "are (cluster-require-full-coverage)",
                "warn  slots: 3 are moving: hits in them are counted after the move",
            ],
        ),
        (
            replace(WELL, slots_served=16_000),
            [
                "FAIL  cluster: 2 primaries, 2 replicas, but 384 of 16384 slots are not served: "
                "see CLUSTER NODES"
            ],
        ),
    ],
)
def test_the_nodes_of_a_cluster_are_reported(state: ClusterState, lines: list[str]) -> None:
    found = layout_findings(ServersInfo((FIRST, SECOND), cluster=state))
    assert [str(finding) for finding in found] == lines


def test_what_differs_between_servers_is_said_of_each() -> None:
    found = [str(each) for each in server_findings([FIRST, replace(SECOND, appends=False)])]
    assert found == [
        "ok    engine: Valkey 9.1.2",
        "ok    persistence: a:1: append-only file",
        "ok    memory: no limit, no eviction",
        "warn  persistence: b:2: no append-only file, so a crash loses counts: run CONFIG SET "
        "appendonly yes",
    ]


@pytest.mark.parametrize(
    ("examined", "wanted", "lines"),
    [
        (ServersInfo((replace(FIRST, replicas=0, where=""),)), 0, []),
        (
            ServersInfo((replace(FIRST, replicas=0, where=""),)),
            1,
            [
                "FAIL  replicas: the server has 0 replicas, HAILWHALE_REPLICAS requires 1: /count "
                "answers 503 until it has"
            ],
        ),
        (ServersInfo((FIRST, SECOND), cluster=WELL), 1, []),
        (
            ServersInfo((FIRST, replace(SECOND, replicas=0)), cluster=WELL),
            0,
            ["warn  replicas: b:2 has 0 replicas: add one, which can take over after a failure"],
        ),
        (
            ServersInfo((replace(FIRST, replicas=0),), watch=SentinelState("main", 3, 2)),
            0,
            ["warn  replicas: a:1 has 0 replicas: add one, which can take over after a failure"],
        ),
    ],
)
def test_missing_replicas_are_reported(
    examined: ServersInfo, wanted: int, lines: list[str]
) -> None:
    assert [str(finding) for finding in replica_findings(examined, wanted)] == lines
