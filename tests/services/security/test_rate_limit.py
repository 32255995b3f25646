"""Limits on how often somebody may ask, shared by all processes on a rates."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import pytest

from hailwhale.errors import StoreUnavailable, TooMany
from hailwhale.services.container import Services
from hailwhale.services.security.rate_limit import RateLimiter
from hailwhale.store.protocol import RateStore
from hailwhale.store.types import RateWindow
from tests.conftest import Clock


class Counting:
    """Windows that say how often they were asked, and may be away."""

    def __init__(self, rates: RateStore) -> None:
        self._rates, self.asked, self.away = rates, 0, False

    def add(self, name: str, amount: int, window_s: int) -> RateWindow:
        self.asked += 1
        if self.away:
            raise StoreUnavailable("away")
        return self._rates.add(name, amount, window_s)


@pytest.fixture
def rates(make_services: Callable[..., Services]) -> Counting:
    return Counting(make_services().store.rates)


def passed(ask: Callable[[], None], times: int) -> int:
    done = 0
    for _ in range(times):
        with suppress(TooMany):
            ask()
            done += 1
    return done


def test_a_limit_holds_across_processes(rates: Counting) -> None:
    one, other = (RateLimiter(rates, "5/hour", "") for _ in range(2))
    assert passed(lambda: one.client("10.0.0.1"), 3) == 3
    assert passed(lambda: other.client("10.0.0.1"), 9) == 2
    assert passed(lambda: one.client("10.0.0.2"), 1) == 1
    assert passed(lambda: one.token("a1"), 100) == 100


def test_a_refusal_says_when_the_window_ends(rates: Counting) -> None:
    limiter = RateLimiter(rates, "1/hour", "")
    limiter.client("10.0.0.1")
    for _ in range(2):
        with pytest.raises(TooMany) as fault:
            limiter.client("10.0.0.1")
        assert 1 <= fault.value.retry_after_s <= 3600


def test_a_refusal_names_the_setting(rates: Counting) -> None:
    limiter = RateLimiter(rates, "1/hour", "1/hour")
    limiter.client("10.0.0.1")
    limiter.token("a1")
    with pytest.raises(TooMany, match="HAILWHALE_RATE_LIMIT"):
        limiter.client("10.0.0.1")
    with pytest.raises(TooMany, match="HAILWHALE_TOKEN_RATE_LIMIT"):
        limiter.token("a1")


def test_each_of_several_limits_holds(rates: Counting) -> None:
    limiter = RateLimiter(rates, "100/hour;3/minute", "4/hour")
    assert passed(lambda: limiter.client("10.0.0.1"), 9) == 3
    assert passed(lambda: limiter.token("a1"), 9) == 4
    assert passed(lambda: limiter.token("b2"), 1) == 1


def test_a_flood_past_the_limit_costs_the_store_nothing(rates: Counting) -> None:
    limiter = RateLimiter(rates, "5/hour", "")
    assert passed(lambda: limiter.client("10.0.0.1"), 6) == 5
    asked = rates.asked
    assert passed(lambda: limiter.client("10.0.0.1"), 1_000) == 0
    assert rates.asked == asked


def test_when_the_window_has_ended_the_store_is_asked_again(rates: Counting, clock: Clock) -> None:
    limiter = RateLimiter(rates, "1/hour", "", clock)
    assert passed(lambda: limiter.client("10.0.0.1"), 2) == 1
    asked = rates.asked
    clock.now_s += 3601
    assert passed(lambda: limiter.client("10.0.0.1"), 1) == 0  # the store's window goes on
    assert rates.asked > asked


def test_while_the_store_is_unavailable_each_process_limits_by_itself(
    rates: Counting, clock: Clock
) -> None:
    limiter = RateLimiter(rates, "5/hour", "", clock)
    rates.away = True
    assert passed(lambda: limiter.client("10.0.0.1"), 9) == 5
    assert rates.asked == 1
    rates.away = False
    clock.now_s += 10
    assert passed(lambda: limiter.client("10.0.0.2"), 9) == 5
    assert rates.asked > 1


# What is counted


def test_of_some_events_those_are_counted_that_fit(rates: Counting) -> None:
    one, other = (RateLimiter(rates, "", "", events="5/hour") for _ in range(2))
    assert one.charge("client", "10.0.0.1", [0] * 3) == (3, None)
    fitting, fault = other.charge("client", "10.0.0.1", [0] * 4)
    assert fitting == 2
    assert fault is not None
    assert "HAILWHALE_EVENT_RATE_LIMIT" in str(fault)
    assert 1 <= fault.retry_after_s <= 3600
    assert one.charge("client", "10.0.0.1", [0]).fitting == 0
    assert one.charge("client", "10.0.0.2", [0]).fitting == 1
    assert one.charge("token", "10.0.0.1", [0]).fitting == 1


def test_cells_are_limited_by_their_sum(rates: Counting) -> None:
    limiter = RateLimiter(rates, "", "", events="100/hour", cells="1000/hour")
    fitting, fault = limiter.charge("client", "10.0.0.1", [400, 400, 400, 1])
    assert fitting == 2
    assert "HAILWHALE_CELL_RATE_LIMIT" in str(fault)
    assert limiter.charge("client", "10.0.0.1", [200, 1]).fitting == 1


def test_the_first_of_a_window_fits_however_large(rates: Counting) -> None:
    limiter = RateLimiter(rates, "", "", cells="1000/hour")
    assert limiter.charge("client", "10.0.0.1", [5_000, 1]).fitting == 1
    assert limiter.charge("client", "10.0.0.1", [1]).fitting == 0


def test_while_the_store_is_unavailable_each_process_counts_by_itself(
    rates: Counting, clock: Clock
) -> None:
    limiter = RateLimiter(rates, "", "", clock, events="5/hour")
    rates.away = True
    assert limiter.charge("client", "10.0.0.1", [0] * 9).fitting == 5
    assert limiter.charge("client", "10.0.0.1", [0] * 9).fitting == 0
