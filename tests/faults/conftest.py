"""A Valkey for the tests of one module here, which they may empty and judge as a whole."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis

from hailwhale.store.embedded import EmbeddedValkey
from hailwhale.store.redis.client import connect


@pytest.fixture(scope="module")
def own_client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[redis.Redis]:
    with EmbeddedValkey(tmp_path_factory.mktemp("own"), fsync="no") as server:
        client = connect(server.url, timeout_s=10)
        yield client
        client.close()
        client.connection_pool.disconnect()
