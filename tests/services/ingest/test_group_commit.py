"""Group commit: threads' hits travel together, and each learns what became of its own."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Thread, main_thread

import pytest

from hailwhale.errors import StoreUnavailable
from hailwhale.services.ingest.group_commit import GroupCommit
from hailwhale.store.types import AcceptStatus, EncodedHit

NOW_S = 1_773_576_630


def hit(name: str) -> EncodedHit:
    return EncodedHit("Shop", name.encode())


class Gate:
    """A store's accept that stays away until it is opened, and remembers what it was handed."""

    def __init__(self, fault: Exception | None = None) -> None:
        self.entered, self.opened = Event(), Event()
        self.groups: list[list[str]] = []
        self._fault = fault

    def accept(self, hits: Sequence[EncodedHit], now_s: int) -> list[AcceptStatus]:
        self.groups.append([each.hit.decode() for each in hits])
        self.entered.set()
        assert self.opened.wait(10)
        if self._fault is not None:
            raise self._fault
        return [
            AcceptStatus.FULL if each.hit == b"full" else AcceptStatus.ACCEPTED for each in hits
        ]


def gather(gate: Gate, first: str, rest: Sequence[str], most: int = 5_000) -> list[object]:
    """Offer `first`, and while it is at the store all the rest; what each call came to."""
    commit = GroupCommit(gate.accept, most)

    def offer(name: str) -> object:
        try:
            return commit.accept([hit(name)], NOW_S)
        except StoreUnavailable as fault:
            return str(fault)

    with ThreadPoolExecutor(16) as pool:
        calls = [pool.submit(offer, first)]
        assert gate.entered.wait(10)
        calls += [pool.submit(offer, name) for name in rest]
        while len(commit._waiting) < len(rest):
            assert not calls[-1].done()
        gate.opened.set()
        return [call.result(10) for call in calls]


def test_a_lone_request_goes_at_once() -> None:
    gate = Gate()
    gate.opened.set()
    commit = GroupCommit(gate.accept)
    assert commit.accept([hit("a"), hit("b")], NOW_S) == [
        AcceptStatus.ACCEPTED,
        AcceptStatus.ACCEPTED,
    ]
    assert commit.accept([], NOW_S) == []
    assert gate.groups[0] == ["a", "b"]


def test_hits_that_come_meanwhile_go_together_in_the_next_round_trip() -> None:
    gate = Gate()
    outcomes = gather(gate, "a", ["b", "c", "d"])
    assert gate.groups[0] == ["a"]
    assert len(gate.groups) == 2
    assert sorted(gate.groups[1]) == ["b", "c", "d"]
    assert outcomes == [[AcceptStatus.ACCEPTED]] * 4


def test_each_thread_learns_what_became_of_its_own_hit() -> None:
    outcomes = gather(Gate(), "a", ["b", "full", "c"])
    accepted, full = [AcceptStatus.ACCEPTED], [AcceptStatus.FULL]
    assert outcomes == [accepted, accepted, full, accepted]


def test_a_store_error_is_raised_in_every_waiting_thread() -> None:
    gate = Gate(StoreUnavailable("away"))
    assert gather(gate, "a", ["b", "c"]) == ["away"] * 3


def test_a_group_is_no_larger_than_the_limit() -> None:
    gate = Gate()
    outcomes = gather(gate, "a", ["b", "c", "d", "e"], most=2)
    assert [len(group) for group in gate.groups] == [1, 2, 2]
    assert outcomes == [[AcceptStatus.ACCEPTED]] * 5


def test_an_interrupted_thread_does_not_leave_the_others_waiting() -> None:
    gate = Gate()
    gate.opened.set()
    commit = GroupCommit(gate.accept)

    def cut_short(_hits: Sequence[EncodedHit], _now_s: int) -> list[AcceptStatus]:
        raise KeyboardInterrupt

    commit._accept = cut_short
    with pytest.raises(KeyboardInterrupt):
        commit.accept([hit("a")], NOW_S)
    commit._accept = gate.accept
    assert commit.accept([hit("b")], NOW_S) == [AcceptStatus.ACCEPTED]


def test_an_interrupted_waiting_thread_is_not_waited_for() -> None:
    gate = Gate()
    commit = GroupCommit(gate.accept)

    def press_ctrl_c() -> None:
        while not commit._waiting:
            assert leader.is_alive()
        later.start()
        while len(commit._waiting) < 2:
            assert later.is_alive()
        signal.pthread_kill(main_thread().ident or 0, signal.SIGINT)

    leader = Thread(target=commit.accept, args=([hit("a")], NOW_S))
    later = Thread(target=commit.accept, args=([hit("c")], NOW_S))
    presser = Thread(target=press_ctrl_c)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        leader.start()
        assert gate.entered.wait(10)
        presser.start()
        with pytest.raises(KeyboardInterrupt):
            commit.accept([hit("b")], NOW_S)
    finally:
        signal.signal(signal.SIGINT, before)
    gate.opened.set()
    for thread in (leader, later, presser):
        thread.join(10)
        assert not thread.is_alive()
    assert gate.groups == [["a"], ["c"]]
    assert commit.accept([hit("d")], NOW_S) == [AcceptStatus.ACCEPTED]


def test_a_thousand_hits_of_many_threads_each_learn_their_own_fate() -> None:
    def accept(hits: Sequence[EncodedHit], _now_s: int) -> list[AcceptStatus]:
        return [
            AcceptStatus.FULL if each.hit[-1:] == b"7" else AcceptStatus.ACCEPTED for each in hits
        ]

    commit = GroupCommit(accept, most=3)

    def offer(number: int) -> bool:
        full = number % 10 == 7
        return commit.accept([hit(str(number))], NOW_S) == [
            AcceptStatus.FULL if full else AcceptStatus.ACCEPTED
        ]

    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(offer, range(1_000)))
    assert not commit._waiting
