"""From events to increments, against a count made with nothing but loops and dates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC as UTC_ZONE
from datetime import datetime
from decimal import Decimal, Inexact, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hailwhale.core.events.aggregate import EXACT, EventBatch, Increments
from hailwhale.core.events.overflow import OverflowMap
from hailwhale.core.events.paths import Path
from hailwhale.core.time.bucketing import BucketPlanner, RollupChunk
from hailwhale.core.time.calendar_grid import UTC
from hailwhale.core.time.rollups import DEFAULT_ROLLUPS, parse_rollups

NOW_S = 1_773_576_630  # Sunday 2026-03-15 12:10:30 UTC
HOUR_S, DAY_S = 3_600, 86_400

Event = tuple[Path, tuple[Path, ...], int, dict[str, Decimal]]
Cell = tuple[Path, Path, str, str, str]  # pk, dimension, rollup, bucket as a date, metric


def batch_of(*events: Event, now_s: int = NOW_S) -> EventBatch:
    batch = EventBatch(BucketPlanner(UTC, DEFAULT_ROLLUPS, now_s))
    for event in events:
        batch.add(*event)
    return batch


def cells_of(
    increments: Increments,
) -> Iterator[tuple[Path, Path, RollupChunk, int, str, Decimal | int]]:
    """Every addition to a cell: pk, dimension, chunk, index of the bucket, metric, amount."""
    for row in increments.rows:
        for indices, amounts in row.sums:
            for chunk, index in zip(row.frame.chunks, indices, strict=True):
                for metric, amount in zip(row.metrics, amounts, strict=True):
                    yield row.pk, row.dimension, chunk, index, metric, amount


def amounts_of(increments: Increments) -> Counter[tuple[Path, Path, str, int, int, str]]:
    found: Counter[tuple[Path, Path, str, int, int, str]] = Counter()
    for pk, dimension, chunk, index, metric, amount in cells_of(increments):
        found[pk, dimension, chunk.rollup, chunk.start_s, index, metric] += amount  # type: ignore[assignment]
    return found


def chunks_of(increments: Increments) -> dict[str, RollupChunk]:
    return {chunk.rollup: chunk for row in increments.rows for chunk in row.frame.chunks}


def test_one_event_counts_under_every_prefix_and_rollup() -> None:
    pk = ("Product", "123")
    dimensions = (("country", "US"), ("device", "Mac OS X"))
    metrics = {"revenue": Decimal("19.99"), "hits": Decimal(1)}
    increments = batch_of((pk, dimensions, NOW_S, metrics)).increments()
    assert {row.pk for row in increments.rows} == {("Product",), ("Product", "123")}
    assert {row.dimension for row in increments.rows} == {
        (),
        ("country",),
        ("country", "US"),
        ("device",),
        ("device", "Mac OS X"),
    }
    assert set(chunks_of(increments)) == {"1m", "1h", "1d", "all"}
    amounts = amounts_of(increments)
    assert len(amounts) == 2 * 5 * 4 * 2
    assert {amount for key, amount in amounts.items() if key[-1] == "revenue"} == {Decimal("19.99")}


def test_a_prefix_shared_by_paths_counts_once() -> None:
    increments = batch_of(
        (("a",), (("b", "x"), ("b", "y")), NOW_S, {"hits": Decimal(1)})
    ).increments()
    found = {key[1]: amount for key, amount in amounts_of(increments).items() if key[2] == "all"}
    assert found == {(): 1, ("b",): 1, ("b", "x"): 1, ("b", "y"): 1}


@pytest.mark.parametrize(
    ("age_s", "rollups"),
    [
        (-DAY_S, {"1m", "1h", "1d", "all"}),
        (0, {"1m", "1h", "1d", "all"}),
        (2 * HOUR_S, {"1m", "1h", "1d", "all"}),
        (2 * HOUR_S + 60, {"1h", "1d", "all"}),
        (37 * DAY_S, {"1d", "all"}),
        (4 * 366 * DAY_S, {"all"}),
    ],
)
def test_a_late_event_counts_in_each_rollup_that_still_keeps_its_time(
    age_s: int, rollups: set[str]
) -> None:
    increments = batch_of((("a",), (), NOW_S - age_s, {"hits": Decimal(1)})).increments()
    assert set(chunks_of(increments)) == rollups


def test_chunks_live_as_long_as_their_last_bucket_is_kept() -> None:
    increments = batch_of((("a",), (), NOW_S, {"hits": Decimal(1)})).increments()
    ttls = {rollup: chunk.ttl_s for rollup, chunk in chunks_of(increments).items()}
    hour_end_s, midnight_s = 1_773_579_600, 1_773_619_200
    assert ttls["1m"] == hour_end_s + 2 * HOUR_S - NOW_S
    assert ttls["1h"] == midnight_s + 35 * DAY_S + 2 * HOUR_S - NOW_S
    assert ttls["all"] is None


def test_the_size_counts_distinct_nodes_and_moments() -> None:
    us, ca = (("country", "US"),), (("country", "CA"),)
    hits = {"hits": Decimal(1)}
    batch = batch_of((("a",), us, NOW_S, hits), (("a",), us, NOW_S + 1, hits))
    assert batch.size == 3
    batch.add(("a",), ca, NOW_S, hits)
    assert batch.size == 4
    batch.add(("a",), us, NOW_S + 60, hits)
    assert batch.size == 7


def test_redirected_labels_count_under_other_and_so_do_those_below_them() -> None:
    redirects = OverflowMap(
        labels={(("Shop", "_other"), ("page",)): frozenset({"/x"})},
        sublabels={("Shop",): frozenset({"p9"})},
    )
    batch = batch_of((("Shop", "p9"), (("page", "/x", "mobile"),), NOW_S, {"hits": Decimal(1)}))
    increments = batch.increments(redirects)
    assert {row.pk for row in increments.rows} == {("Shop",), ("Shop", "_other")}
    assert {row.dimension for row in increments.rows if row.pk == ("Shop", "_other")} == {
        (),
        ("page",),
        ("page", "_other"),
        ("page", "_other", "mobile"),
    }
    assert {row.dimension for row in increments.rows if row.pk == ("Shop",)} == {
        (),
        ("page",),
        ("page", "/x"),
        ("page", "/x", "mobile"),
    }
    assert increments.labels[("Shop", "_other"), ("page",)] == {"_other": None}
    assert increments.sublabels[("Shop",)] == {"_other": None}


def test_redirects_add_up() -> None:
    first = OverflowMap().merged({(("a",), ()): ["x"]}, {("a",): ["1"]})
    both = first.merged({(("a",), ()): ["y"]}, {})
    assert both.labels == {(("a",), ()): frozenset({"x", "y"})}
    assert both.count == 3


def test_the_exact_context_refuses_to_round() -> None:
    with localcontext(EXACT):
        assert Decimal(10) ** 29 + Decimal(10) ** -30 > 10**29
        with pytest.raises(Inexact):
            _ = Decimal(1) / 3


def brute_force(events: list[Event]) -> Counter[Cell]:
    """Every cell by the book, in UTC: prefixes by slicing, buckets by cutting dates."""
    cells: Counter[Cell] = Counter()
    for pk, dimensions, at_s, metrics in events:
        seen = {()} | {path[:n] for path in dimensions for n in range(1, len(path) + 1)}
        moment = datetime.fromtimestamp(at_s, UTC_ZONE)
        for rollup, form in (("1m", "%F %H:%M"), ("1h", "%F %H"), ("1d", "%F"), ("all", "ever")):
            for length in range(1, len(pk) + 1):
                for dimension in seen:
                    for metric, amount in metrics.items():
                        cell = (pk[:length], dimension, rollup, f"{moment:{form}}", metric)
                        cells[cell] += amount  # type: ignore[assignment]
    return cells


def by_date(increments: Increments) -> Iterator[tuple[Cell, Decimal | int]]:
    widths = {
        "1m": (60, "%F %H:%M"),
        "1h": (3600, "%F %H"),
        "1d": (86400, "%F"),
        "all": (0, "ever"),
    }
    for pk, dimension, chunk, index, metric, amount in cells_of(increments):
        width_s, form = widths[chunk.rollup]
        start = datetime.fromtimestamp(chunk.start_s + index * width_s, UTC_ZONE)
        yield (pk, dimension, chunk.rollup, f"{start:{form}}", metric), amount


labels = st.sampled_from(["a", "b", "c"])
paths = st.lists(labels, min_size=1, max_size=3).map(tuple)
numbers = st.decimals(-1000, 1000, places=3)
events = st.tuples(
    paths,
    st.lists(paths, max_size=3, unique=True).map(tuple),
    st.integers(NOW_S - 2 * HOUR_S + 60, NOW_S + DAY_S),
    st.dictionaries(st.sampled_from(["hits", "dollars"]), numbers, min_size=1),
)


@given(st.lists(events, min_size=1, max_size=12))
def test_any_stream_adds_up_to_a_brute_force_count(stream: list[Event]) -> None:
    found: Counter[Cell] = Counter()
    for cell, amount in by_date(batch_of(*stream).increments()):
        found[cell] += amount  # type: ignore[assignment]
    assert dict(found) == dict(brute_force(stream))


@given(st.lists(events, min_size=1, max_size=12))
def test_every_label_counted_becomes_known(stream: list[Event]) -> None:
    increments = batch_of(*stream).increments()
    for row in increments.rows:
        if row.dimension:
            assert row.dimension[-1] in increments.labels[row.pk, row.dimension[:-1]]
        assert row.pk[-1] in increments.sublabels[row.pk[:-1]]


@given(st.lists(events, min_size=1, max_size=12))
def test_rollups_that_do_not_nest_are_still_exact(stream: list[Event]) -> None:
    rollups = parse_rollups("7m:2h 1w:1y 1mo:1y")
    batch = EventBatch(BucketPlanner(UTC, rollups, NOW_S))
    for event in stream:
        batch.add(*event)
    totals: Counter[tuple[str, Path, Path, str]] = Counter()
    for pk, dimension, chunk, _, metric, amount in cells_of(batch.increments()):
        totals[chunk.rollup, pk, dimension, metric] += amount  # type: ignore[assignment]
    for (rollup, *series), total in totals.items():
        if rollup != "7m":  # the ends of its buckets may be past already
            assert total == totals["all", *series]  # type: ignore[index]
