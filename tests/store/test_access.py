"""What a store keeps of callers, on each engine: see hailwhale.store.protocol.Store."""

from __future__ import annotations

import time

from hailwhale.store.redis.store import RedisStore

PATIENCE_S = 10.0


def test_a_token_is_there_as_it_was_put_until_it_is_dropped(store: RedisStore) -> None:
    assert store.tokens() == {}
    store.put_token("a1", b'{"name": "shop"}')
    store.put_token("b2", b"\x00\xff")
    store.put_token("a1", b'{"name": "blog"}')
    assert store.tokens() == {"a1": b'{"name": "blog"}', "b2": b"\x00\xff"}
    assert store.drop_token("a1")
    assert not store.drop_token("a1")
    assert store.tokens() == {"b2": b"\x00\xff"}


def test_a_window_sums_up_by_name_and_says_when_it_ends(store: RedisStore) -> None:
    first, left_ms = store.rate("a", 1, 60)
    again, left_later_ms = store.rate("a", 5, 60)
    assert (first, again) == (1, 6)
    assert 0 < left_later_ms <= left_ms <= 60_000
    assert store.rate("b", 1, 60)[0] == 1


def test_a_window_ends_and_the_next_begins_with_nothing(store: RedisStore) -> None:
    store.rate("a", 5, 1)
    deadline_s = time.monotonic() + PATIENCE_S
    while (found := store.rate("a", 0, 1)[0]) and time.monotonic() < deadline_s:
        time.sleep(0.05)
    assert found == 0


def test_a_window_does_not_grow_by_who_comes_late_into_it(store: RedisStore) -> None:
    store.rate("a", 1, 2)
    assert store.rate("a", 1, 3600)[1] <= 2_000


def test_refusals_are_summed_up_by_reason(store: RedisStore) -> None:
    assert store.refused() == {}
    store.note_refused({"rate": 3, "seal-expired": 1})
    store.note_refused({"rate": 2})
    assert store.refused() == {"rate": 5, "seal-expired": 1}
