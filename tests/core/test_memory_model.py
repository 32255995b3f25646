"""Estimates from a sample: how many keys and cells, and what decides their bytes."""

from __future__ import annotations

import pytest

from hailwhale.core.memory_model import (
    KeyEstimate,
    LabelsSample,
    MetricSample,
    SeriesSample,
    Workload,
    WorkloadSample,
    estimate,
    total,
)
from hailwhale.core.time.calendar_grid import DAY_S, UTC
from hailwhale.core.time.rollups import parse_rollups
from tests.core.instants import at

NOW_S = at("2026-03-15 12:00")
HITS = MetricSample(name_bytes=4, events=1, mean=1.0, decimals=0)
ONE = WorkloadSample(1, [SeriesSample(20, 1, (HITS,))], (), 0, 0)


def lines_of(
    workload: Workload, rollups: str = "1h:35d", packed_fields: int = 512
) -> list[KeyEstimate]:
    return estimate(workload, parse_rollups(rollups), UTC, NOW_S, packed_fields)


def rounded(line: KeyEstimate) -> tuple[str, int, int]:
    return line.kind, round(line.keys), round(line.cells)


@pytest.mark.parametrize(
    ("rollups", "days", "found"),
    [
        # A busy series fills every bucket; hours lie in a chunk a day, days in one a month.
        ("1h:35d", None, ("1h", 36, 35 * 24 + 12)),
        ("1h:35d", 10, ("1h", 11, 240)),
        ("1d:35d", None, ("1d", 2, 28 + 14)),
        ("1d:3y", 60, ("1d", 3, 60)),
        ("1m:2h", None, ("1m", 2, 120)),
        ("1m:2h", 35, ("1m", 2, 120)),
        ("all", 35, ("all", 1, 1)),
    ],
)
def test_a_busy_series_fills_each_bucket_that_is_kept(
    rollups: str, days: int | None, found: tuple[str, int, int]
) -> None:
    counted_s = days * DAY_S if days else None
    first, *_ = lines_of(Workload(ONE, 1e9, counted_s=counted_s), rollups)
    assert rounded(first) == found


@pytest.mark.parametrize(
    ("per_day", "cells", "keys"),
    [(24_000, 240, 11), (24, 152, 11), (2.4, 23, 10), (0.1, 1, 1), (0.001, 0, 0)],
)
def test_a_seldom_series_fills_as_many_as_chance_has_it(
    per_day: float, cells: int, keys: int
) -> None:
    line, _ = lines_of(Workload(ONE, per_day, counted_s=10 * DAY_S))
    assert rounded(line) == ("1h", keys, cells)


def test_events_are_shared_among_the_series_as_in_the_sample() -> None:
    busy = MetricSample(4, events=999, mean=1.0, decimals=0)
    sample = WorkloadSample(
        1_000, [SeriesSample(20, 999, (busy,)), SeriesSample(20, 1, (HITS,))], (), 0, 0
    )
    line, _ = lines_of(Workload(sample, 24_000, counted_s=10 * DAY_S))
    assert rounded(line) == ("1h", 22, 240 + 152)


def test_more_series_than_the_sample_shows_share_the_same_events() -> None:
    shown, _ = lines_of(Workload(ONE, 24, counted_s=10 * DAY_S))
    spread, _ = lines_of(Workload(ONE, 2_400, series=100, counted_s=10 * DAY_S))
    assert rounded(spread) == ("1h", round(100 * shown.keys), round(100 * shown.cells))
    assert spread.bytes == pytest.approx(100 * shown.bytes)


def test_fewer_series_than_the_sample_shows_change_nothing() -> None:
    assert lines_of(Workload(ONE, 24, series=0)) == lines_of(Workload(ONE, 24))


@pytest.mark.parametrize(
    ("name_bytes", "mean", "decimals", "more"),
    [
        (4, 1.0, 0, 0),
        (14, 1.0, 0, 10),  # a longer name
        (4, 127.0, 0, 0),
        (4, 128.0, 0, 1),  # a whole number takes as many bytes as it needs
        (4, 4_096.0, 0, 2),
        (4, 40_000.0, 0, 3),
        (4, 1e7, 0, 4),
        (4, 1e10, 0, 8),
        (4, 1.25, 2, 4),  # "1.25" with its length before it
        (4, 1000.5, 1, 6),
    ],
)
def test_a_cell_takes_its_name_and_its_number(
    name_bytes: int, mean: float, decimals: int, more: int
) -> None:
    def cell_bytes(metric: MetricSample) -> float:
        sample = WorkloadSample(1, [SeriesSample(20, 1, (metric,))], (), 0, 0)
        # One event in all the time there was: the bucket holds its amount and no sum.
        *_, ever = lines_of(Workload(sample, 1e-9))
        return ever.bytes / ever.cells

    other = MetricSample(name_bytes, 1, mean, decimals)
    assert round(cell_bytes(other) - cell_bytes(HITS)) == more


def test_hashes_that_are_not_packed_take_more() -> None:
    packed, _ = lines_of(Workload(ONE, 1e9), packed_fields=24)
    loose, _ = lines_of(Workload(ONE, 1e9), packed_fields=23)
    assert packed.cells == loose.cells
    assert loose.bytes > 2 * packed.bytes


def test_labels_take_more_in_a_large_set() -> None:
    small = WorkloadSample(1, ONE.series, [LabelsSample(30, 128, 128 * 6)], 0, 0)
    large = WorkloadSample(1, ONE.series, [LabelsSample(30, 129, 129 * 6)], 0, 0)
    *_, few = lines_of(Workload(small, 1))
    *_, many = lines_of(Workload(large, 1))
    assert (rounded(few), rounded(many)) == (("labels", 1, 128), ("labels", 1, 129))
    assert (few.bytes / few.cells, many.bytes / many.cells) == pytest.approx((8.7, 39.7), abs=0.1)


def test_ids_are_those_of_the_last_day() -> None:
    sample = WorkloadSample(2, ONE.series, (), ids=1, ids_text_bytes=16)
    *_, ids = lines_of(Workload(sample, 1_000))
    *_, of_an_hour = lines_of(Workload(sample, 1_000, counted_s=3_600))
    assert (rounded(ids), ids.bytes) == (("ids", 1, 500), 500 * (62 + 16))
    assert rounded(of_an_hour) == ("ids", 1, 21)


def test_all_lines_add_up() -> None:
    lines = [KeyEstimate("1h", 1, 2, 30), KeyEstimate("labels", 4, 5, 60)]
    assert total(lines) == KeyEstimate("all together", 5, 7, 90)
