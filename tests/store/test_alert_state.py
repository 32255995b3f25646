"""What a store keeps of alerts and reports, on each engine: see hailwhale.store.protocol.Store."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from hailwhale.store.redis.store import RedisStore


def test_a_notice_is_changed_by_who_knows_the_one_before_alone(store: RedisStore) -> None:
    assert store.alert_state.read("alert:a") == b""
    assert store.alert_state.swap("alert:a", b"", b"one")
    assert not store.alert_state.swap("alert:a", b"", b"two")
    assert not store.alert_state.swap("alert:a", b"other", b"two")
    assert store.alert_state.read("alert:a") == b"one"
    assert store.alert_state.swap("alert:a", b"one", b'\x00\xff{"two"}')
    assert store.alert_state.read("alert:a") == b'\x00\xff{"two"}'
    assert store.alert_state.read("alert:b") == b""


def test_of_many_at_once_one_wins(store: RedisStore) -> None:
    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(lambda n: store.alert_state.swap("x", b"", b"%d" % n), range(1, 25)))
    assert won.count(True) == 1
    assert store.alert_state.read("x") == b"%d" % (won.index(True) + 1)
