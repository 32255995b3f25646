"""What keys of the HailWhale of 2011 say, and what their numbers come to."""

from __future__ import annotations

from decimal import Decimal
from io import BytesIO

import pytest

from hailwhale.core.events.aggregate import RolledUpBatch
from hailwhale.core.events.overflow import OverflowMap
from hailwhale.core.imports.hailwhale1 import DAY_S, HOUR_S, Buckets, path_of, read_key, rows_of
from hailwhale.core.time.bucketing import BucketPlanner
from hailwhale.core.time.calendar_grid import UTC
from hailwhale.core.time.rollups import DEFAULT_ROLLUPS
from hailwhale.errors import BadInput
from hailwhale.services.imports.hailwhale1 import HailWhale1Format

DAY = 1_362_096_000  # Fri Mar 01 00:00:00 2013
NOON = "2013-03-01T12:00:00Z"


@pytest.mark.parametrize(
    ("interval", "interval_s", "with_length"),
    [
        ("1d", DAY_S, False),
        ("1h", HOUR_S, False),
        ("6h", 6 * HOUR_S, False),
        ("1m", 60, False),
        ("1mo", 31 * DAY_S, False),
        ("10s", 10, False),
        ("86400", DAY_S, False),
        ("1d:3y", DAY_S, True),
        ("86400x2592000", DAY_S, True),
        ("all", 0, True),
    ],
)
def test_an_interval_is_read_however_a_version_wrote_it(
    interval: str, interval_s: int, with_length: bool
) -> None:
    key = read_key(f"Shop||_||{interval}||hits")
    assert key is not None
    assert (key.interval_s, key.with_length) == (interval_s, with_length)


@pytest.mark.parametrize(
    "name",
    [
        "Shop||_||1d",
        "Shop||_||x||1d||hits",
        "Shop||_||day||hits",
        "Shop||_||0d||hits",
        "Shop||_||1fortnight||hits",
        "Shop||_||-1||hits",
        "rank||Shop||_||1d||Fri Mar 01 00:00:00 2013||hits",
    ],
)
def test_an_unknown_key_is_none(name: str) -> None:
    assert read_key(name) is None


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("_", []),
        ('["_"]', []),
        ("", []),
        ("Shop", ["Shop"]),
        ("Zürich", ["Zürich"]),
        ('["Z\\u00fcrich"]', ["Zürich"]),
        ('["country", "US"]', ["country", "US"]),
        ('["sales", 12]', ["sales", 12]),
        ('"sales"', ["sales"]),
        ("123", ["123"]),
        ("[draft", ["[draft"]),
    ],
)
def test_a_part_of_a_key_is_a_path(text: str, path: list[object]) -> None:
    assert path_of(text) == path


@pytest.mark.parametrize(
    ("buckets", "rows"),
    [
        ({"1d": {DAY: 5}}, {NOON: 5}),
        ({"1d": {DAY: 5}, "1h": {DAY: 5}}, {"2013-03-01T00:00:00Z": 5}),
        ({"1d": {DAY: -5}, "1h": {DAY: -2}}, {"2013-03-01T00:00:00Z": -2, NOON: -3}),
        ({"1d": {DAY: 0}}, {}),
        ({"1h": {DAY: 2}}, {"2013-03-01T00:00:00Z": 2}),
        ({"1d": {DAY: 5}, "1h": {DAY + DAY_S: 1}}, {NOON: 5, "2013-03-02T00:00:00Z": 1}),
        ({"all": {0: 9}, "1d": {DAY: 5}}, {"1970-01-01T00:00:00Z": 4, NOON: 5}),
        ({"all": {0: 3}, "1d": {DAY: 5}}, {NOON: 5}),  # it stood still when versions changed
        ({"86400": {DAY: 5}, "86400x2592000": {DAY: 2}, "1d:1y": {DAY: 1}}, {NOON: 7}),
        ({"1d:3y": {DAY: 5}, "1d:1y": {DAY: 5}, "1d:1mo": {DAY: 4}}, {NOON: 5}),
    ],
    ids=str,
)
def test_each_amount_counts_once(buckets: dict[str, Buckets], rows: dict[str, int]) -> None:
    found = [(read_key(f"Shop||_||{name}||sales"), some) for name, some in buckets.items()]
    made = rows_of("Shop", "_", [(key, some) for key, some in found if key is not None])
    assert {row["at"]: row["metrics"] for row in made} == {
        at: {"hits": 0, "sales": amount} for at, amount in rows.items()
    }


def test_many_metrics_of_one_instant_are_several_events_that_any_store_takes() -> None:
    keys = [read_key(f"Shop||_||1d||m{number:02}") for number in range(40)]
    rows = list(rows_of("Shop", "_", [(key, {DAY: 1}) for key in keys if key is not None]))
    assert [len(row["metrics"]) for row in rows] == [17, 17, 9]  # type: ignore[arg-type]


def test_a_row_that_says_it_could_not_be_read_is_refused_with_its_word() -> None:
    [row] = HailWhale1Format().rows(BytesIO(b'{"unread": ["key", "got x; expected y"]}\n'), 0)
    assert isinstance(row.fields, BadInput)
    assert str(row.fields) == "key: got x; expected y"


def test_sums_past_max_children_come_together_under_other_and_nothing_above_grows() -> None:
    batch = RolledUpBatch(BucketPlanner(UTC, DEFAULT_ROLLUPS, now_s=DAY))
    for label in "abc":
        batch.add(("Shop",), (("sku", label),), DAY, {"hits": Decimal(2)})
    batch.add(("Shop",), (), DAY, {"hits": Decimal(6)})
    redirects = OverflowMap().merged({(("Shop",), ("sku",)): ["b", "c"]}, {})
    made = batch.increments(redirects)
    sums = {row.dimension: row.sums[0][1] for row in made.rows}
    assert sums == {("sku", "a"): [2], ("sku", "_other"): [4], (): [6]}
    assert made.labels == {
        (("Shop",), ()): {"sku": None},
        (("Shop",), ("sku",)): {"a": None, "_other": None},
    }
    assert made.sublabels == {(): {"Shop": None}}
