"""The windows of rate limits, on each engine: see protocol.RateStore."""

from __future__ import annotations

import time

from hailwhale.store.protocol import RateStore

PATIENCE_S = 10.0


def test_a_window_sums_up_by_name_and_says_when_it_ends(rates: RateStore) -> None:
    first, left_ms = rates.add("a", 1, 60)
    again, left_later_ms = rates.add("a", 5, 60)
    assert (first, again) == (1, 6)
    assert 0 < left_later_ms <= left_ms <= 60_000
    assert rates.add("b", 1, 60)[0] == 1


def test_a_window_ends_and_the_next_begins_with_nothing(rates: RateStore) -> None:
    rates.add("a", 5, 1)
    deadline_s = time.monotonic() + PATIENCE_S
    while (found := rates.add("a", 0, 1)[0]) and time.monotonic() < deadline_s:
        time.sleep(0.05)
    assert found == 0


def test_a_window_does_not_grow_by_who_comes_late_into_it(rates: RateStore) -> None:
    rates.add("a", 1, 2)
    assert rates.add("a", 1, 3600)[1] <= 2_000
