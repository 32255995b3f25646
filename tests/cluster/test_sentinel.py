"""A primary that a Sentinel watches is killed under load: counting goes on at its heir."""

from __future__ import annotations

import pytest

from hailwhale.errors import StoreUnavailable
from hailwhale.store.redis.client import connect
from hailwhale.store.redis.keys import Keys
from hailwhale.store.redis.store import RedisStore
from tests.cluster.load import under_load
from tests.cluster.nodes import Watched, wait_for


def test_every_acknowledged_hit_is_counted_once_when_the_primary_dies(
    watched: Watched, namespace: str
) -> None:
    with under_load(watched.url, namespace, replicas=1) as load:
        watched.primary.kill()
        wait_for(lambda: watched.replica.role() == "master", "the replica to take over")
        watched.primary.start()
        watched.primary.await_answer()
        watched.primary.replicate(watched.replica)  # the Sentinel would take its time
    client = connect(f"redis://{watched.replica.name}", timeout_s=5)
    verdict = load.verdict(client)
    client.close()
    assert load.failures > 0
    assert verdict.exact, verdict


def test_a_service_unknown_to_the_sentinels_is_unavailable(watched: Watched) -> None:
    store = RedisStore(connect(watched.url.replace("main", "other"), timeout_s=5), Keys())
    with pytest.raises(StoreUnavailable, match=r"No master found for 'other'"):
        store.ping()
    store.close()
