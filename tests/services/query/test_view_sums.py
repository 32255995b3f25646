"""Sheets: what many children come to, kept side by side, is at any moment what their cells say."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from hailwhale.core.query.cost import QueryCost
from hailwhale.core.time.period import Period
from hailwhale.services.container import Services
from hailwhale.services.query import children
from hailwhale.services.query.children import ChildrenReader, SiblingAxis
from hailwhale.store.redis.keys import shard_of
from hailwhale.store.redis.store import RedisStore
from tests.conftest import NOW_S, Clock

SHARD = shard_of("Shop")
TOWNS = SiblingAxis(("Shop",))
PRODUCTS = SiblingAxis((), ("town",), of_pks=True)


@pytest.fixture(autouse=True)
def few_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(children, "_MANY", 2)


def count(services: Services, chance: random.Random, events: int, dollars: str = "cents") -> None:
    """Events of any day of the last weeks, through the buffer and at once."""
    for number in range(events):
        amounts = {"cents": chance.randrange(-500, 5_000) / 100, "fine": "0.00001", "large": 10**17}
        fields = {
            "pk": ["Shop", f"p{chance.randrange(5)}"],
            "dimensions": {"town": f"t{chance.randrange(6)}"},
            "metrics": {"dollars": amounts[dollars], "sales": 1},
            "at": NOW_S - chance.randrange(40 * 86_400),
        }
        if number % 3:
            services.hail.count(fields)
        else:
            services.counting.count_now(fields)
    services.drain.flush()


def read(services: Services, line: SiblingAxis, period: str) -> tuple[object, object]:
    """What sheets say of a family, and what its cells say."""
    kept: ChildrenReader = services.reporting._siblings
    parent = ("Shop",) if line.of_pks else ("town",)
    span = kept._spans.span(Period.parse(period), None)
    [labels] = kept.labels(line, [parent], QueryCost(10_000_000))
    terms = ["dollars", "sales", "never"]
    from_sheets = kept._from_sheets(line, parent, labels, terms, span)
    rows = list(kept.known(line, ((*parent, label) for label in labels), terms, span))
    return from_sheets, {term: [row[term] for row in rows] for term in terms}


@pytest.mark.parametrize("period", ["1d:30d", "1h:2d", "today", "all", "1mo:1mo"])
@pytest.mark.parametrize("line", [TOWNS, PRODUCTS], ids=["dimensions", "pks"])
def test_a_sheet_is_kept_up_to_every_event_after_it_was_built(
    services: Services, line: SiblingAxis, period: str
) -> None:
    chance = random.Random(period)
    count(services, chance, 40)
    for _ in range(3):
        from_sheets, from_cells = read(services, line, period)
        assert from_sheets is not None
        assert from_sheets == from_cells
        count(services, chance, 15)


def test_a_drain_that_knows_nothing_of_a_new_view_keeps_it_all_the_same(
    make_services: Callable[..., Services],
) -> None:
    reader, drain = make_services(), make_services()
    count(drain, random.Random(1), 20)
    assert read(reader, TOWNS, "1d:30d")[0] is not None
    count(drain, random.Random(2), 20)
    from_sheets, from_cells = read(reader, TOWNS, "1d:30d")
    assert from_sheets == from_cells


def test_a_plan_made_before_a_view_reaches_it_when_it_is_applied(services: Services) -> None:
    count(services, random.Random(1), 20)
    store = services.store
    commit, applied = store.commits.commit, store.commits.apply_next
    store.commits._chunk_cells = 10  # type: ignore[attr-defined]
    services.hail.count({"pk": ["Shop", "p1"], "dimensions": {"town": "t1"}, "metric": "sales"})
    store.commits.apply_next = lambda shard: False  # type: ignore[method-assign]
    services.drain.flush()
    assert any(load.planned for load in store.stats.loads())
    assert read(services, TOWNS, "1d:30d")[0] is not None
    store.commits.apply_next = applied  # type: ignore[method-assign]
    services.drain.flush()
    from_sheets, from_cells = read(services, TOWNS, "1d:30d")
    assert from_sheets == from_cells
    assert store.commits.commit == commit


@pytest.mark.parametrize("dollars", ["fine", "large"])
def test_where_amounts_do_not_fit_a_sheet_the_cells_are_read(
    services: Services, dollars: str
) -> None:
    count(services, random.Random(1), 20)
    assert read(services, TOWNS, "1d:30d")[0] is not None
    count(services, random.Random(2), 5, dollars)
    assert read(services, TOWNS, "1d:30d")[0] is None
    services.store.views.drop(SHARD)
    [labels] = services.reporting._siblings.labels(TOWNS, [("town",)], QueryCost(10_000_000))
    span = services.reporting._spans.span(Period.parse("1d:30d"), None)
    [sums] = services.reporting._siblings.sums(
        TOWNS, [("town",)], [labels], ["dollars"], span, QueryCost(10_000_000)
    )
    rows = services.reporting._siblings.known(
        TOWNS, (("town", label) for label in labels), ["dollars"], span
    )
    assert sums["dollars"] == [row["dollars"] for row in rows]


def test_what_was_erased_is_in_no_sheet(services: Services) -> None:
    count(services, random.Random(1), 60)
    assert read(services, TOWNS, "1d:30d")[0] is not None
    services.erasing.reset(("Shop",), ("town", "t1"))
    from_sheets, from_cells = read(services, TOWNS, "1d:30d")
    assert from_sheets == from_cells
    count(services, random.Random(2), 20)
    from_sheets, from_cells = read(services, TOWNS, "1d:30d")
    assert from_sheets == from_cells


def test_a_view_of_the_days_goes_on_into_the_next_month(services: Services, clock: Clock) -> None:
    count(services, random.Random(1), 20)
    assert read(services, TOWNS, "1d:30d")[0] is not None
    clock.now_s = datetime(2026, 4, 2, 12, tzinfo=UTC).timestamp()
    services.hail.count({"pk": ["Shop", "p1"], "dimensions": {"town": "t1"}, "metric": "sales"})
    services.drain.flush()
    from_sheets, from_cells = read(services, TOWNS, "1d:30d")
    assert from_sheets is not None
    assert from_sheets == from_cells


def test_a_view_that_nobody_asks_for_is_forgotten(services: Services, clock: Clock) -> None:
    count(services, random.Random(1), 20)
    assert read(services, TOWNS, "all")[0] is not None
    store = services.store
    assert isinstance(store, RedisStore)
    views = store.keys.views(SHARD)
    names = [name for name in store.client.execute_command("HKEYS", views) if name[:4] == b"all:"]
    assert len(names) == 3
    clock.now_s += 8 * 86_400
    assert read(services, PRODUCTS, "all")[0] is not None
    left = store.client.execute_command("HKEYS", views)
    assert not set(names) & set(left)
