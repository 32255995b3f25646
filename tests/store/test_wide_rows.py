"""Rows wider than one call of the engine takes, of moments that share buckets and of some that do
not: every cell gets its sum, in every engine."""

from __future__ import annotations

from decimal import Decimal

import pytest

from hailwhale.core.events.aggregate import Increments, SeriesIncrement
from hailwhale.core.time.bucketing import ChunkSet, RollupChunk
from hailwhale.store.redis.keys import shard_of
from hailwhale.store.redis.store import RedisStore
from hailwhale.store.types import CellQuery, ChunkAddress, CommitOutcome, CommitStep

NOW_S = 1_773_576_630
FRAME = ChunkSet(
    (RollupChunk("1m", 0, 9_999), RollupChunk("1h", 0, 9_999), RollupChunk("all", 0, None))
)


@pytest.mark.parametrize("metrics", [1, 33, 400])
@pytest.mark.parametrize(
    ("moments", "minutes", "hours"),
    [
        ([(7, 1, 0)], {7: 1}, {1: 1}),
        ([(7, 1, 0), (8, 1, 0), (9, 2, 0)], {7: 1, 8: 2, 9: 4}, {1: 3, 2: 4}),
        ([(7, 1, 0), (8, 2, 0), (7, 1, 0)], {7: 5, 8: 2}, {1: 5, 2: 2}),
    ],
    ids=["one moment", "an hour shared", "a minute twice"],
)
def test_every_cell_of_a_wide_row_gets_its_sum(
    store: RedisStore,
    metrics: int,
    moments: list[tuple[int, ...]],
    minutes: dict[int, int],
    hours: dict[int, int],
) -> None:
    names = tuple(f"m{number}" for number in range(metrics))
    sums = [
        (indices, [Decimal(f"{2**place}.{2**place}") + number for number in range(metrics)])
        for place, indices in enumerate(moments)
    ]
    for _ in range(2):  # into new hashes, and into hashes that are there
        step = CommitStep(
            shard=shard_of("Shop"),
            increments=Increments([SeriesIncrement(("Shop",), (), names, FRAME, [*sums])]),
        )
        assert store.commits.commit(step, NOW_S).outcome is CommitOutcome.COMMITTED
    wanted = {"1m": minutes, "1h": hours, "all": {0: sum(minutes.values())}}
    for rollup, by_index in wanted.items():
        chunk = ChunkAddress(("Shop",), (), rollup, 0)
        for index, bits in by_index.items():
            [found] = store.cells.read([CellQuery(chunk, [(index, name) for name in names])])
            assert found == [
                2 * (bits * Decimal("1.1") + bits.bit_count() * number) for number in range(metrics)
            ]
