"""Hits through the buffer into cells: exactly once, whatever they are and whenever a drain dies."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from threading import Event as Flag
from threading import Thread
from typing import Any

import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hailwhale.core.events.paths import Path
from hailwhale.errors import BadInput, BufferFull, StoreUnavailable
from hailwhale.services.container import Services, assemble
from hailwhale.services.ingest.drain import Drain
from hailwhale.settings import Settings
from hailwhale.store.protocol import Store
from hailwhale.store.redis.keys import Keys, shard_of
from hailwhale.store.redis.store import RedisStore
from hailwhale.store.types import AcceptStatus, EncodedHit
from tests.conftest import NOW_S, Clock
from tests.parts import FailsOnce, drain_of, watched
from tests.services.reading import Sent, brute_force, every_total, keys_of, total

METRICS = ("hits", "dollars", "sales")
MakeServices = Callable[..., Services]
_streams = (f"stream{number}" for number in itertools.count())


def small_steps(
    client: redis.Redis, namespace: str, window: int = 7, chunk_cells: int = 10
) -> Services:
    """Services that drain a few hits at a time and apply a few cells at a time."""
    chosen = Settings.from_env({}, namespace=namespace, drain_window=window)
    return assemble(chosen, RedisStore(client, Keys(namespace), chunk_cells=chunk_cells), Clock())


# Any events


def paths(most: int) -> st.SearchStrategy[Path]:
    return st.lists(st.sampled_from("abc"), min_size=1, max_size=most).map(tuple)


ages_s = st.sampled_from(
    [-80_000, -3_600, 0, 29, 31, 59, 3_570, 3_571, 7_300, 83_430, 83_431, 10**6, 3 * 10**6, 10**8]
)
amounts = st.decimals(-(10**9), 10**9, places=2) | st.sampled_from([Decimal("1e-20"), Decimal(0)])
events = st.builds(
    Sent,
    pk=paths(2),
    leaves=st.lists(paths(3), max_size=3, unique=True).map(tuple),
    at_s=ages_s.map(lambda age_s: NOW_S - age_s),
    metrics=st.dictionaries(st.sampled_from(METRICS), amounts, max_size=2),
    id=st.none() | st.sampled_from("xyz"),
)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.lists(st.tuples(events, st.sampled_from(["hail", "now", "many"])), max_size=12),
    st.integers(1, 9),
)
def test_any_stream_of_events_adds_up_to_what_counting_by_hand_gives(
    client: redis.Redis, stream: list[tuple[Sent, str]], window: int
) -> None:
    services = small_steps(client, next(_streams), window)
    for event, way in stream:
        if way == "hail":
            services.hail.count(event.fields)
        elif way == "now":
            services.counting.count_now(event.fields)
        else:
            services.counting.count_many_now([event.fields])
    services.drain.flush()
    assert every_total(services, METRICS) == brute_force(event for event, _ in stream)
    assert services.store.stats.loads() == []


# The buffer


def test_a_wrong_event_is_refused_and_nothing_is_buffered(services: Services) -> None:
    with pytest.raises(BadInput, match="metrics"):
        services.hail.count({"pk": "Shop", "metrics": {"a": "x"}})
    assert services.store.stats.loads() == []


def test_a_full_buffer_raises_and_keeps_what_it_has(make_services: MakeServices) -> None:
    services = make_services(buffer_limit=2)
    for _ in range(2):
        assert services.hail.count({"pk": "Shop"}) is AcceptStatus.ACCEPTED
    with pytest.raises(BufferFull):
        services.hail.count({"pk": "Shop"})
    assert services.hail.count({"pk": "Blog"}) is AcceptStatus.ACCEPTED
    assert services.drain.flush() == 3


def test_a_batch_reports_each_of_its_events_by_place(make_services: MakeServices) -> None:
    services = make_services(buffer_limit=2)
    fault = BadInput("event", "{", "valid JSON")
    shop: dict[str, object] = {"pk": "Shop"}
    named = shop | {"id": "a"}
    report = services.hail.count_many(
        [named, fault, named, {"at": "x"}, shop, shop, {"pk": "Blog"}]
    )
    assert (report.accepted, report.duplicates, report.unbuffered) == (4, 1, [5])
    assert [(place, each.parameter) for place, each in report.rejected] == [(1, "event"), (3, "at")]


def test_a_hit_is_counted_when_it_happened_not_when_it_was_drained(
    services: Services, clock: Clock
) -> None:
    services.hail.count({"pk": "Shop"})
    clock.now_s += 30 * 60
    services.drain.flush()
    assert total(services, "Shop", period="1m:20m") == 0
    assert total(services, "Shop", period="1m:1h") == 1


def test_a_hit_drained_late_counts_in_what_still_retains_it(
    services: Services, clock: Clock, client: redis.Redis, namespace: str
) -> None:
    services.hail.count({"pk": "Shop"})
    clock.now_s += 3 * 3_600
    services.drain.flush()
    assert total(services, "Shop", period="day") == 1
    assert [key for key in keys_of(client, namespace) if ":1m:" in key] == []


# The drain


def test_a_window_takes_some_hits_and_flush_takes_all(client: redis.Redis, namespace: str) -> None:
    services = small_steps(client, namespace, window=7)
    services.hail.count_many([{"pk": "Shop"}] * 20)
    shard = shard_of("Shop")
    assert [services.drain.step(shard) for _ in range(4)] == [7, 7, 6, 0]
    services.hail.count_many([{"pk": "Shop"}] * 20 + [{"pk": "Blog"}] * 3)
    assert services.drain.flush([shard]) == 20
    assert services.drain.flush() == 3
    assert (total(services, "Shop"), total(services, "Blog")) == (40, 3)


@pytest.mark.parametrize(
    "bad",
    [
        b"",
        b"not a hit",
        b"\xff\xfe",
        b"1773576630\t{}\t{}",
        b'x\t[["Shop"],[]]\t{"hits":1}',
        b'1773576630\t[["Shop"],[]]\t{"hits":NaN}',
        b'1773576630\t[["Shop"],[]]\t{"hits":"1"}',
        b'1773576630\t[[],[]]\t{"hits":1}',
        b'1773576630\t[["Shop"],["a"]]\t{"hits":1}',
        b'1773576630\t[["Shop"],[["a\x1e"]]]\t{"hits":1}',
        b'1773576630\t[["Shop"],[]]\t{"a:b":1}',
        b'99999999999999\t[["Shop"],[]]\t{"hits":1}',
        b'1773576630\t[["Shop"],[]]\t{"hits":1e400}',
    ],
)
def test_a_hit_that_cannot_be_read_becomes_a_dead_letter_and_blocks_nothing(
    services: Services, bad: bytes
) -> None:
    services.hail.count({"pk": "Shop"})
    services.store.buffers.accept([EncodedHit("Shop", bad)], NOW_S)
    services.hail.count({"pk": "Shop"})
    assert services.drain.flush() == 3
    assert total(services, "Shop") == 2
    [letter] = services.store.dead_letters.read(shard_of("Shop"))
    assert letter.hit == bad
    assert letter.reason.startswith("hit: got ")
    assert services.store.stats.counts()["dead"] == 1
    assert services.store.stats.loads() == []


# Several drains


def test_drains_in_threads_count_each_hit_once(client: redis.Redis, namespace: str) -> None:
    services = small_steps(client, namespace, window=40)
    for number in range(30):
        services.hail.count_many(
            [{"pk": ["Shop", str(number % 3)], "metrics": {"dollars": "0.1"}}] * 40
            + [{"pk": "Blog", "dimensions": {"n": number}}] * 10
        )
    counted: list[int] = []
    threads = [Thread(target=lambda: counted.append(services.drain.flush())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(counted) == 1_500
    assert total(services, "Shop") == 1_200
    assert total(services, "Shop", metric="dollars") == 120
    assert total(services, "Blog", "n") == 300
    assert services.store.stats.counts()["drained"] == 1_500


def test_a_running_drain_counts_what_comes_until_it_is_stopped(services: Services) -> None:
    stop = Flag()
    thread = Thread(target=services.drain.run, args=(stop, 0.01))
    thread.start()
    for _ in range(20):
        services.hail.count_many([{"pk": "Shop"}] * 5)
    deadline_s = time.monotonic() + 10
    while services.store.stats.loads():
        assert time.monotonic() < deadline_s
    stop.set()
    thread.join(10)
    assert not thread.is_alive()
    assert total(services, "Shop") == 100


# Drains that die


STREAM = [
    Sent(
        pk=("Shop", "shoes hats"[number % 2 :: 5]),
        leaves=(("country", ["US", "CA", "DE"][number % 3]), ("n", str(number % 4))),
        at_s=NOW_S - 4_000 * (number % 5),
        metrics={"dollars": Decimal("0.1") * number},
    )
    for number in range(20)
]
EXPECTED = brute_force(STREAM)
STEPS = 28  # that a drain of STREAM makes, undisturbed


def drain_on(store: Store, chosen: Settings) -> Drain:
    return drain_of(store, Clock(), chosen.drain_window, chosen.zone, chosen.rollups)


def dying(services: Services, steps: FailsOnce) -> Drain:
    """A drain that dies at a step, before the step or just after it, when its answer is lost."""
    return drain_on(watched(services.store, steps, "buffers", "commits"), services.settings)


def at_step(number: int, *, after: bool = False) -> FailsOnce:
    return FailsOnce(number, ("window", "commit", "apply_next"), after)


@pytest.fixture
def buffered(client: redis.Redis, namespace: str) -> Services:
    services = small_steps(client, namespace, window=7, chunk_cells=40)
    services.hail.count_many([event.fields for event in STREAM])
    return services


def test_a_drain_makes_as_many_steps_as_it_is_killed_at(buffered: Services) -> None:
    steps = at_step(0)
    dying(buffered, steps).flush()
    assert steps.calls == STEPS


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("dies_at", range(1, STEPS + 1))
def test_a_drain_killed_at_any_step_is_resumed_exactly(
    buffered: Services, dies_at: int, after: bool
) -> None:
    with pytest.raises(StoreUnavailable, match="killed"):
        dying(buffered, at_step(dies_at, after=after)).flush()
    buffered.drain.flush()
    assert every_total(buffered, METRICS) == EXPECTED
    assert buffered.store.stats.counts()["drained"] == len(STREAM)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("dies_at", [4, 5, 11, STEPS // 2])
def test_drains_killed_again_and_again_get_there_exactly(
    buffered: Services, dies_at: int, after: bool
) -> None:
    deaths = 0
    while buffered.store.stats.loads():
        with suppress(StoreUnavailable):
            dying(buffered, at_step(dies_at, after=after)).flush()
        deaths += 1
        assert deaths < 200
    assert deaths > 1
    assert every_total(buffered, METRICS) == EXPECTED


def test_a_drain_that_was_paused_after_its_look_cannot_count_what_another_counted(
    buffered: Services,
) -> None:
    def around(method: Callable[..., Any], *args: Any) -> Any:
        if method.__name__ == "commit":
            buffered.drain.flush()
        return method(*args)

    paused = drain_on(watched(buffered.store, around, "commits"), buffered.settings)
    assert paused.step(shard_of("Shop")) == 0
    assert every_total(buffered, METRICS) == EXPECTED
