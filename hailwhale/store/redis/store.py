"""The store on Redis (7 or newer) or Valkey: its parts, put together over one client."""

from __future__ import annotations

from hailwhale.store.redis.access import RedisRates, RedisTokens
from hailwhale.store.redis.alert_state import RedisAlertState
from hailwhale.store.redis.buffer_stats import RedisStats
from hailwhale.store.redis.buffers import RedisBuffers
from hailwhale.store.redis.cardinality import RedisCardinality
from hailwhale.store.redis.cells import RedisCells
from hailwhale.store.redis.client import Client, close_client, faults_named
from hailwhale.store.redis.commits import RedisCommits
from hailwhale.store.redis.dead_letters import RedisDeadLetters
from hailwhale.store.redis.decisions import RedisAssignments, RedisJournals
from hailwhale.store.redis.imports import RedisImports
from hailwhale.store.redis.keys import Keys
from hailwhale.store.redis.known_labels import RedisLabels
from hailwhale.store.redis.replica_ack import ReplicaAck
from hailwhale.store.redis.request_stats import RedisRequestStats
from hailwhale.store.redis.schema import RedisSchema
from hailwhale.store.redis.spy_log import RedisSpyLog
from hailwhale.store.redis.views import RedisViews
from hailwhale.store.redis.visitor_counts import RedisSecrets, RedisVisitors


class RedisStore:
    """`hailwhale.store.protocol.Store` over a redis-py client.

    `buffer_limit` bounds the hits that one shard buffers. With `copies`, a hit is accepted when so
    many replicas have it as well. `RedisCommits` explains the other options.
    """

    def __init__(
        self,
        client: Client,
        keys: Keys,
        *,
        buffer_limit: int = 250_000,
        max_children: int = 10_000,
        max_series: int = 2_000_000,
        chunk_cells: int = 1_500,
        copies: ReplicaAck | None = None,
    ) -> None:
        self.client = client
        self.keys = keys
        self.schema = RedisSchema(client, keys)
        self.buffers = RedisBuffers(client, keys, buffer_limit, copies)
        self.views = RedisViews(client, keys)
        self.commits = RedisCommits(
            client,
            keys,
            self.views,
            max_children=max_children,
            max_series=max_series,
            chunk_cells=chunk_cells,
            copies=copies,
        )
        self.cells = RedisCells(client, keys)
        self.labels = RedisLabels(client, keys)
        self.cardinality = RedisCardinality(client, keys)
        self.visitors = RedisVisitors(client, keys)
        self.secrets = RedisSecrets(client, keys)
        self.spy_log = RedisSpyLog(client, keys)
        self.assignments = RedisAssignments(client, keys)
        self.journals = RedisJournals(client, keys)
        self.imports = RedisImports(client, keys)
        self.tokens = RedisTokens(client, keys)
        self.rates = RedisRates(client, keys)
        self.alert_state = RedisAlertState(client, keys)
        self.dead_letters = RedisDeadLetters(client, keys)
        self.stats = RedisStats(client, keys, self.schema)
        self.request_stats = RedisRequestStats(client, keys)

    def ping(self) -> None:
        with faults_named():
            self.client.ping()

    def close(self) -> None:
        close_client(self.client)
