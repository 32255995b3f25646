"""What a store keeps of callers, on each engine: see hailwhale.store.protocol.Store."""

from __future__ import annotations

import time

from hailwhale.store.redis.store import RedisStore

PATIENCE_S = 10.0


def test_a_token_is_there_as_it_was_put_until_it_is_dropped(store: RedisStore) -> None:
    assert store.tokens.all() == {}
    store.tokens.put("a1", b'{"name": "shop"}')
    store.tokens.put("b2", b"\x00\xff")
    store.tokens.put("a1", b'{"name": "blog"}')
    assert store.tokens.all() == {"a1": b'{"name": "blog"}', "b2": b"\x00\xff"}
    assert store.tokens.drop("a1")
    assert not store.tokens.drop("a1")
    assert store.tokens.all() == {"b2": b"\x00\xff"}


def test_a_window_sums_up_by_name_and_says_when_it_ends(store: RedisStore) -> None:
    first, left_ms = store.rates.add("a", 1, 60)
    again, left_later_ms = store.rates.add("a", 5, 60)
    assert (first, again) == (1, 6)
    assert 0 < left_later_ms <= left_ms <= 60_000
    assert store.rates.add("b", 1, 60)[0] == 1


def test_a_window_ends_and_the_next_begins_with_nothing(store: RedisStore) -> None:
    store.rates.add("a", 5, 1)
    deadline_s = time.monotonic() + PATIENCE_S
    while (found := store.rates.add("a", 0, 1)[0]) and time.monotonic() < deadline_s:
        time.sleep(0.05)
    assert found == 0


def test_a_window_does_not_grow_by_who_comes_late_into_it(store: RedisStore) -> None:
    store.rates.add("a", 1, 2)
    assert store.rates.add("a", 1, 3600)[1] <= 2_000


def test_refusals_are_summed_up_by_reason(store: RedisStore) -> None:
    assert store.request_stats.refused() == {}
    store.request_stats.add_refused({"rate": 3, "seal-expired": 1})
    store.request_stats.add_refused({"rate": 2})
    assert store.request_stats.refused() == {"rate": 5, "seal-expired": 1}
