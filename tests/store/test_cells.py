"""The cells of a store, on each engine: see protocol.CellStore."""

from __future__ import annotations

from decimal import Decimal

import pytest

from hailwhale.core.events.aggregate import Amounts, Increments, SeriesIncrement
from hailwhale.core.time.bucketing import ChunkSet, RollupChunk
from hailwhale.store.redis.store import RedisStore
from hailwhale.store.types import CellQuery, ChunkAddress, CommitStep
from tests.conftest import NOW_S, MakeStore
from tests.store.samples import PK, ROOT, SHARD, US, hit_count, increments, one_hit


@pytest.mark.parametrize(
    ("amounts", "total"),
    [
        (["1", "2"], "3"),
        (["0.1"] * 10, "1"),
        (["19.99", "-19.99"], "0"),
        (["19.99", "-20"], "-0.01"),
        (["0.1", "0.02", "-0.12"], "0"),
        (["9007199254740993", "1"], "9007199254740994"),
        (["12345678901234.567", "0.0004"], "12345678901234.5674"),
        (["999999999999999", "0.000000000000001"], "999999999999999.000000000000001"),
        (["-1", "0.999999999999999999999999999999"], "-0.000000000000000000000000000001"),
        (["100000000000000000000000000000", "-1"], "99999999999999999999999999999"),
        (["0.5", "0.5"], "1"),
        (["-0.5", "-0.5"], "-1"),
    ],
)
def test_sums_are_exact(store: RedisStore, amounts: list[str], total: str) -> None:
    for amount in amounts:
        store.commits.commit(
            CommitStep(shard=SHARD, increments=increments({(0, "hits"): Decimal(amount)})), NOW_S
        )
    found = hit_count(store)
    assert f"{found:f}" == total


def test_a_cell_that_was_never_counted_reads_none(store: RedisStore) -> None:
    store.commits.commit(one_hit(), NOW_S)
    ask = CellQuery(ChunkAddress(PK, (), "all", 0), [(0, "hits"), (0, "dollars"), (1, "hits")])
    assert store.cells.read([ask, ask]) == [[Decimal(1), None, None]] * 2


def test_cells_of_a_chunk_expire_together_and_all_never(
    make_store: MakeStore, namespace: str
) -> None:
    store = make_store()
    for rollup in ("1h", "all"):
        step = CommitStep(shard=SHARD, increments=increments({(0, "hits"): 1}, rollup=rollup))
        store.commits.commit(step, NOW_S)
        store.commits.commit(step, NOW_S)
    keys = store.keys
    assert 3590 <= store.client.execute_command("TTL", keys.cells(PK, (), "1h", 0)) <= 3600
    assert store.client.execute_command("TTL", keys.cells(PK, (), "all", 0)) == -1


def test_chunks_that_are_erased_are_gone_and_others_are_not(store: RedisStore) -> None:
    for dimension in ((), US):
        store.commits.commit(
            CommitStep(shard=SHARD, increments=increments({(0, "hits"): 1}, dimension)), NOW_S
        )
    erased = [ChunkAddress(PK, US, "all", 0), ChunkAddress(PK, US, "1h", 7)]
    assert store.cells.erase(erased) == 1
    assert (hit_count(store, US), hit_count(store)) == (None, Decimal(1))


def test_a_row_of_thousands_of_cells_is_counted_whole(store: RedisStore) -> None:
    metrics = tuple(f"m{number}" for number in range(60))
    frame = ChunkSet((RollupChunk("1h", 0, 3600), RollupChunk("all", 0, None)))
    sums: list[tuple[tuple[int, ...], Amounts]] = [
        ((index, 0), [index + number for number in range(60)]) for index in range(60)
    ]
    many = Increments([SeriesIncrement(PK, (), metrics, frame, sums)], {}, {(): {ROOT: None}})
    for _ in range(2):
        store.commits.commit(CommitStep(shard=SHARD, increments=many), NOW_S)
    wanted = [(index, metric) for index in range(60) for metric in metrics]
    hours = store.cells.read([CellQuery(ChunkAddress(PK, (), "1h", 0), wanted)])[0]
    assert hours == [2 * (index + number) for index in range(60) for number in range(60)]
    ever = store.cells.read(
        [CellQuery(ChunkAddress(PK, (), "all", 0), [(0, name) for name in metrics])]
    )[0]
    assert ever == [2 * (59 * 60 // 2 + 60 * number) for number in range(60)]
