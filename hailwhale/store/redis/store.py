"""The store on Redis (7 or newer) or Valkey: combines its parts over one client."""

from __future__ import annotations

from hailwhale.store.protocol import (
    AlertStateStore,
    AssignmentStore,
    BufferStore,
    CardinalityStore,
    CellStore,
    CommitStore,
    DeadLetterStore,
    ImportStore,
    JournalStore,
    LabelStore,
    RateStore,
    RequestStatsStore,
    SchemaStore,
    SecretStore,
    SpyStore,
    StatsStore,
    TokenStore,
    ViewStore,
    VisitorStore,
)
from hailwhale.store.redis.access import RedisRates, RedisTokens
from hailwhale.store.redis.alert_state import RedisAlertState
from hailwhale.store.redis.buffer_stats import RedisStats
from hailwhale.store.redis.buffers import RedisBuffers
from hailwhale.store.redis.cardinality import RedisCardinality
from hailwhale.store.redis.cells import RedisCells
from hailwhale.store.redis.client import RedisClient, close_client, faults_named
from hailwhale.store.redis.commits import RedisCommits
from hailwhale.store.redis.dead_letters import RedisDeadLetters
from hailwhale.store.redis.decisions import RedisAssignments, RedisJournals
from hailwhale.store.redis.import_progress import RedisImports
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

    `buffer_limit` bounds the hits that one shard buffers, and `buffer_bytes` their bytes. With
    `copies`, a hit is accepted once so many replicas have it as well. See `RedisCommits` for the
    other options.
    """

    def __init__(
        self,
        client: RedisClient,
        keys: Keys,
        *,
        buffer_limit: int = 250_000,
        buffer_bytes: int = 128 * 1024 * 1024,
        max_children: int = 10_000,
        max_series: int = 2_000_000,
        chunk_cells: int = 1_500,
        copies: ReplicaAck | None = None,
    ) -> None:
        self.client = client
        self.keys = keys
        schema, views = RedisSchema(client, keys), RedisViews(client, keys)
        self.schema: SchemaStore = schema
        self.buffers: BufferStore = RedisBuffers(client, keys, buffer_limit, buffer_bytes, copies)
        self.views: ViewStore = views
        self.commits: CommitStore = RedisCommits(
            client,
            keys,
            schema,
            views,
            max_children=max_children,
            max_series=max_series,
            chunk_cells=chunk_cells,
            copies=copies,
        )
        self.cells: CellStore = RedisCells(client, keys)
        self.labels: LabelStore = RedisLabels(client, keys)
        self.cardinality: CardinalityStore = RedisCardinality(client, keys)
        self.visitors: VisitorStore = RedisVisitors(client, keys)
        self.secrets: SecretStore = RedisSecrets(client, keys)
        self.spy_log: SpyStore = RedisSpyLog(client, keys)
        self.assignments: AssignmentStore = RedisAssignments(client, keys)
        self.journals: JournalStore = RedisJournals(client, keys)
        self.imports: ImportStore = RedisImports(client, keys)
        self.tokens: TokenStore = RedisTokens(client, keys)
        self.rates: RateStore = RedisRates(client, keys)
        self.alert_state: AlertStateStore = RedisAlertState(client, keys)
        self.dead_letters: DeadLetterStore = RedisDeadLetters(client, keys)
        self.stats: StatsStore = RedisStats(client, keys, schema)
        self.request_stats: RequestStatsStore = RedisRequestStats(client, keys)

    def ping(self) -> None:
        with faults_named():
            self.client.ping()

    def close(self) -> None:
        close_client(self.client)
