"""The cells of an event: counted as they are made, and refused past the limit."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hailwhale.core.decisions.exposure import parse_exposure
from hailwhale.core.events.aggregate import EventBatch
from hailwhale.core.events.event import parse_event
from hailwhale.core.events.event_cost import cells_of
from hailwhale.core.events.limits import Limits
from hailwhale.core.time.bucketing import BucketPlanner
from hailwhale.core.time.calendar_grid import UTC
from hailwhale.core.time.rollups import DEFAULT_ROLLUPS
from hailwhale.errors import TooLarge
from tests.conftest import NOW_S

LABELS = st.sampled_from("abc")
PATHS = st.lists(LABELS, min_size=1, max_size=4)
HUGE: dict[str, Any] = {
    "pk": list("abcdefgh"),
    "dimensions": [[str(path), *"bcdefgh"] for path in range(32)],
    "metrics": [f"m{number}" for number in range(32)],
}


@given(PATHS, st.lists(PATHS, max_size=4), st.sets(LABELS, max_size=3))
def test_the_cells_are_as_many_as_are_made(
    pk: list[str], dimensions: list[list[str]], metrics: set[str]
) -> None:
    event = parse_event({"pk": pk, "dimensions": dimensions, "metrics": sorted(metrics)}, NOW_S)
    batch = EventBatch(BucketPlanner(UTC, DEFAULT_ROLLUPS, NOW_S))
    batch.add(event.pk, event.dimensions, event.at_s, event.metrics)
    made = sum(each.size for each in batch.increments().rows)
    assert made == cells_of(event.pk, event.dimensions, event.numbers, len(DEFAULT_ROLLUPS))


def test_a_small_event_of_many_cells_is_refused_with_the_setting() -> None:
    with pytest.raises(TooLarge, match=r"271392 cells.*20000 \(HAILWHALE_MAX_CELLS"):
        parse_event(HUGE, NOW_S)


@pytest.mark.parametrize("most", [23, 24])
def test_the_limit_is_the_last_that_is_let_in(most: int) -> None:
    fields = {"pk": ["Shop", "7"], "dimensions": {"country": "US"}}
    limits = Limits(cells=most, rollups=4)
    if most >= 24:
        assert parse_event(fields, NOW_S, limits).pk == ("Shop", "7")
        return
    with pytest.raises(TooLarge):
        parse_event(fields, NOW_S, limits)


def test_shared_paths_and_a_visitor_count_once() -> None:
    fields = {"pk": "Shop", "dimensions": [["a", "b"], ["a", "c"], ["a"]], "uid": "u"}
    assert parse_event(fields, NOW_S, Limits(cells=32, rollups=4)).uid == "u"
    with pytest.raises(TooLarge):
        parse_event(fields, NOW_S, Limits(cells=31, rollups=4))


def test_an_exposure_is_bounded_with_its_pairs_and_products() -> None:
    fields = {"pk": "Page", "option": "b", "dimensions": {str(n): "x" for n in range(6)}}
    limits = Limits(cells=500)
    assert parse_event({"pk": "Page", "dimensions": fields["dimensions"]}, NOW_S, limits)
    with pytest.raises(TooLarge, match="HAILWHALE_MAX_CELLS"):
        parse_exposure({**fields, "metrics": ["a", "b", "c"]}, NOW_S, limits)
