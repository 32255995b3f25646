"""The contract every store keeps, on each engine: see hailwhale.store.protocol.Store."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import pytest

from hailwhale.core.events.aggregate import Amounts, Increments, SeriesIncrement
from hailwhale.core.time.bucketing import ChunkSet, RollupChunk
from hailwhale.errors import StoreMismatch
from hailwhale.store.redis import label_sets as labels_module
from hailwhale.store.redis.commit_args import ID_REMEMBERED_S
from hailwhale.store.redis.keys import shard_of
from hailwhale.store.redis.store import RedisStore
from hailwhale.store.types import (
    AcceptStatus,
    CellQuery,
    ChunkAddress,
    CommitCondition,
    CommitOutcome,
    CommitStep,
    DeadLetter,
    EncodedHit,
    ImportBlock,
    ShardLoad,
)

NOW_S = 1_773_576_630
ROOT = "Shop"
SHARD = shard_of(ROOT)
PK = (ROOT,)
US = ("country", "US")
MakeStore = Callable[..., RedisStore]


def hits(*names: str, id: str | None = None) -> list[EncodedHit]:
    return [EncodedHit(ROOT, name.encode(), id) for name in names]


def increments(
    amounts: dict[tuple[int, str], Decimal | int],
    dimension: tuple[str, ...] = (),
    rollup: str = "all",
    labels: Mapping[Any, Sequence[str]] | None = None,
) -> Increments:
    frame = ChunkSet((RollupChunk(rollup, 0, None if rollup == "all" else 3600),))
    rows = [
        SeriesIncrement(PK, dimension, (metric,), frame, [((index,), [amount])])
        for (index, metric), amount in amounts.items()
    ]
    known = {node: dict.fromkeys(names) for node, names in (labels or {}).items()}
    return Increments(rows, known, {(): {ROOT: None}})


def hit_count(
    store: RedisStore, dimension: tuple[str, ...] = (), rollup: str = "all"
) -> Decimal | None:
    return store.cells.read([CellQuery(ChunkAddress(PK, dimension, rollup, 0), [(0, "hits")])])[0][
        0
    ]


def one_hit(**step: object) -> CommitStep:
    return CommitStep(SHARD, increments({(0, "hits"): 1}), **step)  # type: ignore[arg-type]


# The buffer


def test_hits_wait_in_the_order_they_were_accepted(store: RedisStore) -> None:
    assert store.buffers.accept(hits("a", "b"), NOW_S) == [
        AcceptStatus.ACCEPTED,
        AcceptStatus.ACCEPTED,
    ]
    assert store.buffers.accept(hits("c"), NOW_S) == [AcceptStatus.ACCEPTED]
    assert list(store.buffers.window(SHARD, 10).hits) == [b"a", b"b", b"c"]
    assert list(store.buffers.window(SHARD, 2).hits) == [b"a", b"b"]


def test_equal_hits_are_all_kept(store: RedisStore) -> None:
    store.buffers.accept(hits(*["same"] * 1_500), NOW_S)
    assert len(store.buffers.window(SHARD, 5_000).hits) == 1_500


def test_hits_of_different_roots_wait_in_their_own_shards(store: RedisStore) -> None:
    roots = ["Shop", "Blog", "Mail"]
    store.buffers.accept([EncodedHit(root, root.encode()) for root in roots], NOW_S)
    waiting = {load.shard: load.buffered for load in store.stats.loads()}
    assert waiting == {shard_of(root): 1 for root in roots}
    for root in roots:
        assert list(store.buffers.window(shard_of(root), 10).hits) == [root.encode()]


def test_a_full_buffer_refuses_and_keeps_what_it_has(make_store: MakeStore) -> None:
    store = make_store(buffer_limit=2)
    receipts = store.buffers.accept(hits("a", "b", "c"), NOW_S)
    assert receipts == [AcceptStatus.ACCEPTED, AcceptStatus.ACCEPTED, AcceptStatus.FULL]
    assert list(store.buffers.window(SHARD, 10).hits) == [b"a", b"b"]


def test_a_refused_hit_may_come_again_with_its_id(make_store: MakeStore) -> None:
    store = make_store(buffer_limit=1)
    store.buffers.accept(hits("a"), NOW_S)
    assert store.buffers.accept(hits("b", id="order-1"), NOW_S) == [AcceptStatus.FULL]
    window = store.buffers.window(SHARD, 10)
    store.commits.commit(one_hit(position=window.position, taken=1), NOW_S)
    assert store.buffers.accept(hits("b", id="order-1"), NOW_S) == [AcceptStatus.ACCEPTED]


@pytest.mark.parametrize(
    ("later_s", "receipt"),
    [
        (0, AcceptStatus.DUPLICATE),
        (ID_REMEMBERED_S - 1, AcceptStatus.DUPLICATE),
        (ID_REMEMBERED_S, AcceptStatus.ACCEPTED),
    ],
)
def test_an_id_is_accepted_once_in_24_hours(
    store: RedisStore, later_s: int, receipt: AcceptStatus
) -> None:
    assert store.buffers.accept(hits("a", id="order-1"), NOW_S) == [AcceptStatus.ACCEPTED]
    assert store.buffers.accept(hits("a", id="order-1"), NOW_S + later_s) == [receipt]


def test_an_id_repeated_within_one_call_is_accepted_once(store: RedisStore) -> None:
    receipts = store.buffers.accept(hits("a", "a", id="order-1"), NOW_S)
    assert receipts == [AcceptStatus.ACCEPTED, AcceptStatus.DUPLICATE]


def test_the_same_id_under_another_root_is_another_id(store: RedisStore) -> None:
    store.buffers.accept(hits("a", id="order-1"), NOW_S)
    assert store.buffers.accept([EncodedHit("Blog", b"a", "order-1")], NOW_S) == [
        AcceptStatus.ACCEPTED
    ]


# Committing


def test_a_commit_takes_hits_off_and_counts(store: RedisStore) -> None:
    store.buffers.accept(hits("a", "b", "c"), NOW_S)
    position = store.buffers.window(SHARD, 2).position
    step = CommitStep(SHARD, increments({(0, "hits"): 2}), position=position, taken=2)
    assert store.commits.commit(step, NOW_S).outcome is CommitOutcome.COMMITTED
    assert list(store.buffers.window(SHARD, 10).hits) == [b"c"]
    assert hit_count(store) == 2


def test_of_two_drains_that_read_the_same_hits_one_wins(store: RedisStore) -> None:
    store.buffers.accept(hits("a", "b"), NOW_S)
    first, second = store.buffers.window(SHARD, 10), store.buffers.window(SHARD, 10)
    assert (
        store.commits.commit(one_hit(position=first.position, taken=2), NOW_S).outcome
        is CommitOutcome.COMMITTED
    )
    assert (
        store.commits.commit(one_hit(position=second.position, taken=2), NOW_S).outcome
        is CommitOutcome.STALE
    )
    assert hit_count(store) == 1


def test_hits_pushed_by_another_hand_can_be_taken_off(store: RedisStore) -> None:
    store.client.execute_command("RPUSH", store.keys.buffer(SHARD), b"foreign")
    window = store.buffers.window(SHARD, 10)
    step = one_hit(position=window.position, taken=1)
    assert store.commits.commit(step, NOW_S).outcome is CommitOutcome.COMMITTED
    assert store.stats.loads() == []


def test_a_position_never_comes_back_when_the_data_was_lost(store: RedisStore) -> None:
    keys = store.keys
    store.buffers.accept(hits("a"), NOW_S)
    stale = store.buffers.window(SHARD, 10).position
    for key in (keys.buffer(SHARD), keys.position(SHARD), keys.stats(SHARD)):
        store.client.execute_command("DEL", key)
    store.buffers.accept(hits("b"), NOW_S)
    assert (
        store.commits.commit(one_hit(position=stale, taken=1), NOW_S).outcome is CommitOutcome.STALE
    )
    assert list(store.buffers.window(SHARD, 10).hits) == [b"b"]


def test_an_id_commits_once_and_is_shared_with_the_buffer(store: RedisStore) -> None:
    assert store.commits.commit(one_hit(id="order-1"), NOW_S).outcome is CommitOutcome.COMMITTED
    assert store.commits.commit(one_hit(id="order-1"), NOW_S).outcome is CommitOutcome.DUPLICATE
    assert store.buffers.accept(hits("a", id="order-1"), NOW_S) == [AcceptStatus.DUPLICATE]
    assert hit_count(store) == 1


def test_a_block_of_an_import_commits_once_and_in_order(store: RedisStore) -> None:
    outcomes = [
        store.commits.commit(one_hit(block=ImportBlock(name, number)), NOW_S).outcome.value
        for name, number in [("a", 1), ("a", 1), ("b", 1), ("a", 3), ("a", 2), ("a", 4)]
    ]
    assert outcomes == [
        "committed", "duplicate", "committed", "committed", "duplicate", "committed"
    ]  # fmt: skip
    assert hit_count(store) == 4


def test_the_last_block_counted_whole_is_remembered(store: RedisStore) -> None:
    assert store.imports.last_block("a") == 0
    store.imports.note_block(ImportBlock("a", 7))
    assert (store.imports.last_block("a"), store.imports.last_block("b")) == (7, 0)


def test_a_guarded_commit_needs_the_total_it_expects(store: RedisStore) -> None:
    guard = CommitCondition(PK, (), "hits", Decimal(0))
    assert store.commits.commit(one_hit(guard=guard), NOW_S).outcome is CommitOutcome.COMMITTED
    assert store.commits.commit(one_hit(guard=guard), NOW_S).outcome is CommitOutcome.CHANGED
    assert hit_count(store) == 1


def test_dead_letters_are_kept_with_their_reason(store: RedisStore) -> None:
    store.buffers.accept(hits("\x00broken"), NOW_S)
    letter = DeadLetter(b"\x00broken\xff", "hit: got '\\x00broken'; expected three parts")
    position = store.buffers.window(SHARD, 10).position
    store.commits.commit(
        CommitStep(SHARD, Increments(), position=position, taken=1, dead=[letter]), NOW_S
    )
    assert store.dead_letters.read(SHARD) == [letter]
    assert store.stats.loads() == []


def test_a_large_step_becomes_a_plan_that_is_applied_chunk_by_chunk(
    make_store: MakeStore,
) -> None:
    store = make_store(chunk_cells=2)
    many = increments({(0, "hits"): 1})
    many.rows += increments({(0, "hits"): 5}, US).rows
    many.rows += increments({(0, "hits"): 7}, ("device",)).rows
    store.commits.commit(CommitStep(SHARD, many), NOW_S)
    assert store.stats.loads() == [ShardLoad(SHARD, 0, 2)]
    another = make_store()
    assert another.apply_next(SHARD)
    assert store.stats.loads() == [ShardLoad(SHARD, 0, 1)]
    while store.commits.apply_next(SHARD):
        pass
    found = [hit_count(store), hit_count(store, US), hit_count(store, ("device",))]
    assert found == [Decimal(1), Decimal(5), Decimal(7)]
    assert store.stats.loads() == []


# Cells


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
        store.commits.commit(CommitStep(SHARD, increments({(0, "hits"): Decimal(amount)})), NOW_S)
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
        step = CommitStep(SHARD, increments({(0, "hits"): 1}, rollup=rollup))
        store.commits.commit(step, NOW_S)
        store.commits.commit(step, NOW_S)
    keys = store.keys
    assert 3590 <= store.client.execute_command("TTL", keys.cells(PK, (), "1h", 0)) <= 3600
    assert store.client.execute_command("TTL", keys.cells(PK, (), "all", 0)) == -1


# Known labels


def test_committed_labels_are_known(store: RedisStore) -> None:
    labels = {(PK, ()): ["country"], (PK, ("country",)): ["US", "CA", "L'Aquila||x"]}
    store.commits.commit(CommitStep(SHARD, increments({(0, "hits"): 1}, US, labels=labels)), NOW_S)
    assert store.labels.children([(PK, ()), (PK, ("country",)), (PK, US)]) == [
        {"country"},
        {"US", "CA", "L'Aquila||x"},
        set(),
    ]
    assert store.labels.subpks(()) == {ROOT}


def test_metrics_ever_counted_under_a_pk_are_known(store: RedisStore) -> None:
    sums: dict[tuple[int, str], Decimal | int] = {
        (0, "hits"): 1,
        (0, "dollars"): Decimal("2.5"),
        (0, "a b"): 1,
    }
    store.commits.commit(CommitStep(SHARD, increments(sums)), NOW_S)
    while store.commits.apply_next(SHARD):
        pass
    store.commits.commit(CommitStep(SHARD, increments({(0, "of the US"): 1}, US)), NOW_S)
    while store.commits.apply_next(SHARD):
        pass
    assert store.labels.metrics(PK) == {"hits", "dollars", "a b"}
    assert store.labels.metrics(("Nothing",)) == set()


def test_labels_past_the_most_are_refused_by_name_and_nothing_is_counted(
    make_store: MakeStore,
) -> None:
    store = make_store(max_children=2)
    country = (PK, ("country",))
    first = {country: ["US"]}
    store.commits.commit(CommitStep(SHARD, increments({(0, "hits"): 1}, labels=first)), NOW_S)
    more = {country: ["US", "CA", "DE", "FR", "_other"]}
    answer = store.commits.commit(
        CommitStep(SHARD, increments({(0, "hits"): 1}, labels=more)), NOW_S
    )
    assert answer.outcome is CommitOutcome.OVERFLOW
    assert answer.labels == {country: ["DE", "FR"]}
    assert hit_count(store) == 1
    fitting = {country: ["US", "CA", "_other"]}
    answer = store.commits.commit(
        CommitStep(SHARD, increments({(0, "hits"): 1}, labels=fitting)), NOW_S
    )
    assert answer.outcome is CommitOutcome.COMMITTED


def test_labels_of_a_large_step_keep_to_the_most_as_well(
    make_store: MakeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(labels_module, "AT_ONCE", 2)
    store = make_store(max_children=2)
    country = (PK, ("country",))
    wanted = {"US", "CA", "DE", "FR"}
    while True:
        labels = {country: [*sorted(wanted), "_other"]}
        answer = store.commits.commit(
            CommitStep(SHARD, increments({(0, "hits"): 1}, labels=labels)), NOW_S
        )
        if answer.outcome is CommitOutcome.COMMITTED:
            break
        assert hit_count(store) is None
        assert set(answer.labels[country]) <= wanted
        wanted -= set(answer.labels[country])
    assert store.labels.children([country]) == [{*wanted, "_other"}]
    assert len(wanted) == 2
    assert hit_count(store) == 1


def test_a_large_step_that_is_stale_makes_nothing_known(
    store: RedisStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(labels_module, "AT_ONCE", 2)
    store.buffers.accept(hits("a"), NOW_S)
    stale = store.buffers.window(SHARD, 10)
    assert store.commits.commit(one_hit(position=stale.position, taken=1), NOW_S).outcome.value == (
        "committed"
    )
    late = increments({(0, "hits"): 1}, labels={(PK, ()): ["a", "b", "c"]})
    step = CommitStep(SHARD, late, position=stale.position, taken=1)
    assert store.commits.commit(step, NOW_S).outcome is CommitOutcome.STALE
    assert store.labels.children([(PK, ())]) == [set()]


# Erasure and the record of what the store is


def test_erased_cells_and_labels_are_gone(store: RedisStore) -> None:
    labels = {(PK, ("country",)): ["US"]}
    store.commits.commit(CommitStep(SHARD, increments({(0, "hits"): 1}, US, labels=labels)), NOW_S)
    assert store.cells.erase([ChunkAddress(PK, US, "all", 0), ChunkAddress(PK, US, "1h", 7)]) == 1
    store.labels.erase_children([(PK, ("country",))])
    store.labels.forget(PK, ())
    assert hit_count(store, US) is None
    assert store.labels.children([(PK, ("country",))]) == [set()]
    assert store.labels.subpks(()) == set()


def test_a_forgotten_root_forgets_its_ids(store: RedisStore) -> None:
    store.commits.commit(one_hit(id="order-1"), NOW_S)
    store.forget_pk(PK)
    assert store.commits.commit(one_hit(id="order-1"), NOW_S).outcome is CommitOutcome.COMMITTED


def test_a_store_remembers_what_it_was_made_of(store: RedisStore) -> None:
    assert store.schema.declare("UTC", ["1h:35d", "all"], NOW_S) == {}
    assert store.schema.declare("UTC", ["1h:35d", "all"], NOW_S + 5) == {}
    with pytest.raises(StoreMismatch, match="HAILWHALE_TIMEZONE=UTC"):
        store.schema.declare("Europe/Berlin", ["1h:35d", "all"], NOW_S)
    with pytest.raises(StoreMismatch, match="HAILWHALE_ROLLUPS=1h:35d,all"):
        store.schema.declare("UTC", ["1d:3y", "all"], NOW_S)


def test_an_added_rollup_is_filled_from_then_on(store: RedisStore) -> None:
    store.schema.declare("UTC", ["1h:35d", "all"], NOW_S)
    added = ["1h:35d", "1d:3y", "all"]
    assert store.schema.declare("UTC", added, NOW_S + 60) == {"1d": NOW_S + 60}
    assert store.schema.declare("UTC", added, NOW_S + 99) == {"1d": NOW_S + 60}


def test_what_happened_is_told_in_numbers(store: RedisStore) -> None:
    store.buffers.accept(hits("a", "b"), NOW_S)
    store.buffers.accept(hits("c", "c", id="order-1"), NOW_S)
    position = store.buffers.window(SHARD, 10).position
    letter = DeadLetter(b"b", "not a hit")
    store.commits.commit(one_hit(position=position, taken=3, dead=[letter], folded=4), NOW_S)
    assert store.stats.counts() == {
        "accepted": 3,
        "duplicate": 1,
        "drained": 3,
        "dead": 1,
        "folded": 4,
    }


def test_a_row_of_thousands_of_cells_is_counted_whole(store: RedisStore) -> None:
    metrics = tuple(f"m{number}" for number in range(60))
    frame = ChunkSet((RollupChunk("1h", 0, 3600), RollupChunk("all", 0, None)))
    sums: list[tuple[tuple[int, ...], Amounts]] = [
        ((index, 0), [index + number for number in range(60)]) for index in range(60)
    ]
    many = Increments([SeriesIncrement(PK, (), metrics, frame, sums)], {}, {(): {ROOT: None}})
    for _ in range(2):
        store.commits.commit(CommitStep(SHARD, many), NOW_S)
    wanted = [(index, metric) for index in range(60) for metric in metrics]
    hours = store.cells.read([CellQuery(ChunkAddress(PK, (), "1h", 0), wanted)])[0]
    assert hours == [2 * (index + number) for index in range(60) for number in range(60)]
    ever = store.cells.read(
        [CellQuery(ChunkAddress(PK, (), "all", 0), [(0, name) for name in metrics])]
    )[0]
    assert ever == [2 * (59 * 60 // 2 + 60 * number) for number in range(60)]
