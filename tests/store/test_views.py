"""The views of a store, on each engine: see protocol.ViewStore.

Built from cells, kept up to date by every step, and None where they are of no use.
"""

from __future__ import annotations

import struct
from decimal import Decimal
from typing import Any

import pytest

from hailwhale.core.events.aggregate import Increments, SeriesIncrement
from hailwhale.core.time.bucketing import ChunkSet, RollupChunk
from hailwhale.store.redis.keys import shard_of
from hailwhale.store.redis.store import RedisStore
from hailwhale.store.redis.views import RedisViews
from hailwhale.store.types import ChildrenView, ChunkAddress, CommitOutcome, CommitStep, ViewData
from tests.conftest import MakeStore

NOW_S = 1_773_576_630
SHARD = shard_of("Shop")
FRAME = ChunkSet((RollupChunk("1d", 0, 9_999), RollupChunk("all", 0, None)))
DAYS = ChildrenView(
    pk=("Shop",),
    dimension=("town",),
    of_pks=False,
    rollup="1d",
    chunk_start_s=0,
    metric="hits",
    width=31,
    expires_s=NOW_S + 9_999,
)
EVER = ChildrenView(
    pk=("Shop",),
    dimension=("town",),
    of_pks=False,
    rollup="all",
    chunk_start_s=0,
    metric="dollars",
    width=1,
    expires_s=None,
)
DAYS_OF_A = ChunkAddress(("Shop",), ("town", "a"), "1d", 0)
PKS = ChildrenView(
    pk=("Shop",),
    dimension=("town",),
    of_pks=True,
    rollup="1d",
    chunk_start_s=0,
    metric="hits",
    width=31,
    expires_s=NOW_S + 9_999,
)


def add(store: RedisStore, label: str, day: int, dollars: str, pk: tuple[str, ...] = ()) -> None:
    dimension = ("town",) if pk else ("town", label)
    amounts: list[Decimal | int] = [1, Decimal(dollars)]
    row = SeriesIncrement(
        ("Shop", *pk), dimension, ("hits", "dollars"), FRAME, [((day, 0), amounts)]
    )
    step = CommitStep(shard=SHARD, increments=Increments([row]))
    if pk:
        step.increments.sublabels["Shop",] = {pk[0]: None}
    else:
        step.increments.labels[("Shop",), ("town",)] = {label: None}
    assert store.commits.commit(step, NOW_S).outcome is CommitOutcome.COMMITTED


def held(sheet: ViewData | None, width: int) -> dict[str, list[int]]:
    """The rows of a sheet by label, zeros added at their ends."""
    assert sheet is not None
    units = list(struct.unpack(f">{len(sheet.units) // 8}q", sheet.units))
    names = sheet.names.decode().split("\n")[:-1]
    units += [0] * (width * len(names) - len(units))
    return {name: units[width * at : width * (at + 1)] for at, name in enumerate(names)}


def month(**days: int) -> list[int]:
    return [10_000 * days.get(f"d{day}", 0) for day in range(31)]


def test_a_view_holds_what_was_counted_before_and_after_it_was_built(store: RedisStore) -> None:
    add(store, "b", 3, "0.25")
    add(store, "a", 3, "-7")
    days, ever = store.views.read([DAYS, EVER], NOW_S)
    assert held(days, 31) == {"a": month(d3=1), "b": month(d3=1)}
    assert held(ever, 1) == {"a": [-70_000], "b": [2_500]}
    add(store, "b", 3, "0.5")
    add(store, "c", 30, "1")
    days, ever = store.views.read([DAYS, EVER], NOW_S)
    assert held(days, 31) == {"a": month(d3=1), "b": month(d3=2), "c": month(d30=1)}
    assert held(ever, 1) == {"a": [-70_000], "b": [7_500], "c": [10_000]}


def test_pks_below_a_pk_are_siblings_as_well(store: RedisStore) -> None:
    add(store, "", 3, "1", pk=("p1",))
    [sheet] = store.views.read([PKS], NOW_S)
    assert held(sheet, 31) == {"p1": month(d3=1)}
    add(store, "", 4, "1", pk=("p2",))
    [sheet] = store.views.read([PKS], NOW_S)
    assert held(sheet, 31) == {"p1": month(d3=1), "p2": month(d4=1)}


def test_a_store_that_has_not_heard_of_a_view_keeps_it_all_the_same(make_store: MakeStore) -> None:
    reader, writer = make_store(), make_store()
    add(writer, "a", 3, "1")
    reader.views.read([DAYS], NOW_S)
    add(writer, "a", 3, "1")
    [sheet] = reader.views.read([DAYS], NOW_S)
    assert held(sheet, 31) == {"a": month(d3=2)}


def test_a_label_counted_just_before_a_view_is_begun_is_in_it(make_store: MakeStore) -> None:
    reader, writer = make_store(), make_store()
    add(writer, "a", 3, "1")
    views = reader.views
    assert isinstance(views, RedisViews)
    begun = views._build

    def slow(keys: list[str], args: list[Any]) -> Any:
        if args[5] == "begin":
            add(writer, "late", 3, "1")  # before the view is known to anybody
        answer = begun(keys, args)
        add(writer, "late", 3, "1")
        return answer

    views._build = slow  # type: ignore[assignment]
    reader.views.read([DAYS], NOW_S)
    views._build = begun
    add(writer, "late", 3, "1")
    [sheet] = reader.views.read([DAYS], NOW_S)
    assert held(sheet, 31) == {"a": month(d3=1), "late": month(d3=5)}


def test_a_builder_whose_view_was_dropped_cannot_finish_another_ones(
    make_store: MakeStore,
) -> None:
    slow, quick = make_store(), make_store()
    add(quick, "a", 3, "1")
    views, others = slow.views, quick.views
    assert isinstance(views, RedisViews)
    assert isinstance(others, RedisViews)
    build = views._build

    def interrupted(keys: list[str], args: list[Any]) -> Any:
        if args[5] == "end":
            others.drop(SHARD)
            others._build(keys, [*args[:5], "begin", "another"])
        return build(keys, args)

    views._build = interrupted  # type: ignore[assignment]
    assert slow.views.read([DAYS], NOW_S) == [None]
    views._build = build
    [sheet] = slow.views.read([DAYS], NOW_S)
    assert held(sheet, 31) == {"a": month(d3=1)}


@pytest.mark.parametrize("amount", ["0.00001", "123456789012", "-123456789012.5"])
def test_an_amount_that_does_not_fit_makes_the_view_useless(store: RedisStore, amount: str) -> None:
    add(store, "a", 3, "1")
    assert store.views.read([EVER], NOW_S) != [None]
    add(store, "a", 3, amount)
    assert store.views.read([EVER], NOW_S) == [None]
    store.views.drop(SHARD)
    assert store.views.read([EVER], NOW_S) == [None]


@pytest.mark.parametrize("amount", ["99999999999.9999", "-99999999999.9999", "0.0001", "0.57"])
def test_an_amount_that_just_fits_is_exact(store: RedisStore, amount: str) -> None:
    add(store, "a", 3, amount)
    [before] = store.views.read([EVER], NOW_S)
    add(store, "a", 3, amount)
    [after] = store.views.read([EVER], NOW_S)
    units = int(Decimal(amount) * 10_000)
    assert (held(before, 1), held(after, 1)) == ({"a": [units]}, {"a": [2 * units]})


def test_views_that_were_dropped_are_built_from_the_cells_there_are(store: RedisStore) -> None:
    add(store, "a", 3, "1")
    store.views.read([DAYS], NOW_S)
    store.cells.erase([DAYS_OF_A])
    store.views.drop(SHARD)
    [sheet] = store.views.read([DAYS], NOW_S)
    assert held(sheet, 31) == {"a": month()}
    add(store, "a", 3, "1")
    [sheet] = store.views.read([DAYS], NOW_S)
    assert held(sheet, 31) == {"a": month(d3=1)}


def test_rows_of_several_moments_reach_a_view_whole(store: RedisStore) -> None:
    add(store, "a", 3, "1")
    store.views.read([DAYS, EVER], NOW_S)
    sums = [((day, 0), [day, Decimal("0.1")]) for day in (3, 4, 30)]
    row = SeriesIncrement(("Shop",), ("town", "a"), ("hits", "dollars"), FRAME, [*sums])
    store.commits.commit(CommitStep(shard=SHARD, increments=Increments([row])), NOW_S)
    days, ever = store.views.read([DAYS, EVER], NOW_S)
    assert held(days, 31) == {"a": month(d3=4, d4=4, d30=30)}
    assert held(ever, 1) == {"a": [13_000]}
