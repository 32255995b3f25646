"""The state of alerts and reports, on each engine: see protocol.AlertStateStore."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from hailwhale.store.protocol import AlertStateStore


def test_a_notice_is_changed_by_who_knows_the_one_before_alone(
    alert_state: AlertStateStore,
) -> None:
    assert alert_state.read("alert:a") == b""
    assert alert_state.swap("alert:a", b"", b"one")
    assert not alert_state.swap("alert:a", b"", b"two")
    assert not alert_state.swap("alert:a", b"other", b"two")
    assert alert_state.read("alert:a") == b"one"
    assert alert_state.swap("alert:a", b"one", b'\x00\xff{"two"}')
    assert alert_state.read("alert:a") == b'\x00\xff{"two"}'
    assert alert_state.read("alert:b") == b""


def test_one_of_many_concurrent_writers_wins(alert_state: AlertStateStore) -> None:
    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(lambda n: alert_state.swap("x", b"", b"%d" % n), range(1, 25)))
    assert won.count(True) == 1
    assert alert_state.read("x") == b"%d" % (won.index(True) + 1)
