"""The counts of visitors, on each engine: see protocol.VisitorStore."""

from __future__ import annotations

from decimal import Decimal

import pytest

from hailwhale.core.events.aggregate import EventBatch
from hailwhale.core.time.bucketing import DAY, VISITORS_EVER, VISITORS_OF_DAY, BucketPlanner
from hailwhale.core.time.calendar_grid import DAY_S, UTC
from hailwhale.core.time.rollups import DEFAULT_ROLLUPS
from hailwhale.store.protocol import Store
from hailwhale.store.redis.keys import shard_of
from hailwhale.store.types import ChunkAddress, CommitOutcome, CommitStep
from tests.conftest import NOW_S, MakeStore

SHARD = shard_of("Shop")
TODAY_S = UTC.floor(NOW_S, DAY)
ANN, BOB = "Annnnnnnnnnn", "Bobbbbbbbbbb"


def step(*visitors: tuple[str, int], **more: object) -> CommitStep:
    batch = EventBatch(BucketPlanner(UTC, DEFAULT_ROLLUPS, NOW_S))
    for visitor, days_ago in visitors:
        at_s = NOW_S - days_ago * DAY_S
        batch.add(("Shop", "7"), (("country", "US"),), at_s, {"hits": Decimal(1)}, visitor)
    return CommitStep(shard=SHARD, increments=batch.increments(), **more)  # type: ignore[arg-type]


def commit(store: Store, made: CommitStep) -> None:
    assert store.commits.commit(made, NOW_S).outcome is CommitOutcome.COMMITTED
    while store.commits.apply_next(SHARD):
        pass


def union(*chunks: tuple[str, int], dimension: tuple[str, ...] = ()) -> list[ChunkAddress]:
    return [ChunkAddress(("Shop",), dimension, name, start_s) for name, start_s in chunks]


EVER = (VISITORS_EVER, 0)
TODAY, YESTERDAY = (VISITORS_OF_DAY, TODAY_S), (VISITORS_OF_DAY, TODAY_S - DAY_S)


def test_unions_of_days_count_each_visitor_once(store: Store) -> None:
    commit(store, step((ANN, 0), (ANN, 1), (BOB, 1)))
    commit(store, step((ANN, 0)))
    unions = [
        union(TODAY),
        union(YESTERDAY),
        union(TODAY, YESTERDAY),
        union(EVER),
        union(EVER, dimension=("country", "US")),
        union(EVER, dimension=("country", "CA")),
        union((VISITORS_OF_DAY, 0)),
    ]
    assert store.visitors.uniques(unions) == [1, 2, 2, 2, 2, 0, 0]
    assert store.visitors.uniques([]) == []


@pytest.mark.parametrize("chunk_cells", [1, 7, 5_000])
def test_many_visitors_are_added_in_chunks_of_any_size(
    make_store: MakeStore, chunk_cells: int
) -> None:
    store = make_store(chunk_cells=chunk_cells)
    visitors = [(f"{n:012}", n % 2) for n in range(25)]
    commit(store, step(*visitors))
    assert store.visitors.uniques([union(EVER), union(TODAY), union(YESTERDAY)]) == [25, 13, 12]


def test_visitors_of_a_day_expire_and_those_of_all_time_do_not(store: Store) -> None:
    late = step((ANN, 399), (BOB, 401))
    assert [[c.ttl_s for c in visit.frame.chunks] for visit in late.increments.visits[:1]] == [
        [2 * DAY_S - (NOW_S - TODAY_S), None]
    ]
    commit(store, late)
    assert store.visitors.uniques([union(EVER)]) == [2]
    assert store.cells.erase(union((VISITORS_OF_DAY, TODAY_S - 401 * DAY_S))) == 0
    assert store.cells.erase(union((VISITORS_OF_DAY, TODAY_S - 399 * DAY_S), EVER)) == 2
