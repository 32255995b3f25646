"""Limits on how often somebody may ask, shared by all processes on a store."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import pytest

from hailwhale.errors import StoreUnavailable, TooMany
from hailwhale.services.container import Services
from hailwhale.services.security.rate_limit import RateLimiter
from hailwhale.store.protocol import Store
from tests.conftest import Clock


class Counting:
    """A store that says how often it was asked, and may be away."""

    def __init__(self, store: Store) -> None:
        self.store, self.asked, self.away = store, 0, False

    def rate(self, name: str, amount: int, window_s: int) -> tuple[int, int]:
        self.asked += 1
        if self.away:
            raise StoreUnavailable("away")
        return self.store.rate(name, amount, window_s)


@pytest.fixture
def store(make_services: Callable[..., Services]) -> Counting:
    return Counting(make_services().store)


def passed(ask: Callable[[], None], times: int) -> int:
    done = 0
    for _ in range(times):
        with suppress(TooMany):
            ask()
            done += 1
    return done


def test_a_client_gets_as_far_as_its_limit_whichever_process_it_asks(store: Counting) -> None:
    one, other = (RateLimiter(store, "5/hour", "") for _ in range(2))  # type: ignore[arg-type]
    assert passed(lambda: one.client("10.0.0.1"), 3) == 3
    assert passed(lambda: other.client("10.0.0.1"), 9) == 2
    assert passed(lambda: one.client("10.0.0.2"), 1) == 1
    assert passed(lambda: one.token("a1"), 100) == 100


def test_whoever_is_over_its_limit_is_told_when_the_window_ends(store: Counting) -> None:
    limiter = RateLimiter(store, "1/hour", "")  # type: ignore[arg-type]
    limiter.client("10.0.0.1")
    for _ in range(2):
        with pytest.raises(TooMany) as fault:
            limiter.client("10.0.0.1")
        assert 1 <= fault.value.retry_after_s <= 3600


def test_each_of_several_limits_holds(store: Counting) -> None:
    limiter = RateLimiter(store, "100/hour;3/minute", "4/hour")  # type: ignore[arg-type]
    assert passed(lambda: limiter.client("10.0.0.1"), 9) == 3
    assert passed(lambda: limiter.token("a1"), 9) == 4
    assert passed(lambda: limiter.token("b2"), 1) == 1


def test_a_flood_past_the_limit_costs_the_store_nothing(store: Counting) -> None:
    limiter = RateLimiter(store, "5/hour", "")  # type: ignore[arg-type]
    assert passed(lambda: limiter.client("10.0.0.1"), 6) == 5
    asked = store.asked
    assert passed(lambda: limiter.client("10.0.0.1"), 1_000) == 0
    assert store.asked == asked


def test_when_the_window_has_ended_the_store_is_asked_again(store: Counting, clock: Clock) -> None:
    limiter = RateLimiter(store, "1/hour", "", clock)  # type: ignore[arg-type]
    assert passed(lambda: limiter.client("10.0.0.1"), 2) == 1
    asked = store.asked
    clock.now_s += 3601
    assert passed(lambda: limiter.client("10.0.0.1"), 1) == 0  # the store's window goes on
    assert store.asked > asked


def test_while_the_store_is_away_each_process_limits_for_itself_and_does_not_wait_for_it(
    store: Counting, clock: Clock
) -> None:
    limiter = RateLimiter(store, "5/hour", "", clock)  # type: ignore[arg-type]
    store.away = True
    assert passed(lambda: limiter.client("10.0.0.1"), 9) == 5
    assert store.asked == 1
    store.away = False
    clock.now_s += 10
    assert passed(lambda: limiter.client("10.0.0.2"), 9) == 5
    assert store.asked > 1
