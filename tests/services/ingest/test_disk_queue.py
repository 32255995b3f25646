"""Accepting through a spool: nothing is lost and nothing doubled while the store comes and goes."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from random import Random
from threading import Lock

import pytest

from hailwhale.errors import StoreMismatch, StoreUnavailable
from hailwhale.services.ingest.disk_queue import DiskQueue
from hailwhale.services.ingest.spool_directory import SpoolDirectory
from hailwhale.store.redis.keys import shard_of
from hailwhale.store.redis.store import RedisStore
from hailwhale.store.types import AcceptStatus, EncodedHit, ProducerSequence

NOW_S = 1_773_576_630
SHARD = shard_of("Shop")
SPOOLED, ACCEPTED = [AcceptStatus.SPOOLED], [AcceptStatus.ACCEPTED]


class Flaky:
    """A store's accept that fails on demand: before it was carried out, or after."""

    def __init__(self, store: RedisStore) -> None:
        self._store = store
        self._lock = Lock()
        self.away = False
        self.deaf = False  # carries the call out, and the answer is lost
        self.slow = False  # carries the call out when `catch_up` is called, and gives no answer
        self.mismatch = False
        self.calls: list[tuple[str, ...]] = []
        self._behind: list[tuple[Sequence[EncodedHit], int, ProducerSequence]] = []

    def __call__(
        self, hits: Sequence[EncodedHit], now_s: int, stamp: ProducerSequence
    ) -> list[AcceptStatus]:
        with self._lock:
            self.calls.append(tuple(hit.hit.decode() for hit in hits))
            if self.mismatch:
                raise StoreMismatch("made of something else")
            if self.away:
                raise StoreUnavailable("away")
            if self.slow:
                self._behind.append((hits, now_s, stamp))
                raise StoreUnavailable("no answer came yet")
            receipts = self._store.buffers.accept(hits, now_s, stamp)
            if self.deaf:
                raise StoreUnavailable("no answer came")
            return receipts

    def catch_up(self, random: Random) -> None:
        """Carry out some of the calls that were given up long ago, in any order."""
        with self._lock:
            random.shuffle(self._behind)
            for _ in range(random.randint(0, len(self._behind))):
                self._store.buffers.accept(*self._behind.pop())


@pytest.fixture
def flaky(store: RedisStore) -> Flaky:
    return Flaky(store)


@pytest.fixture
def spool(tmp_path: Path) -> SpoolDirectory:
    return SpoolDirectory(tmp_path / "spool", 1_000_000)


Make = Callable[..., DiskQueue]


def named(uid: str) -> str:
    return f"hash-of-{uid}"


@pytest.fixture
def make(flaky: Flaky, spool: SpoolDirectory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """Makes spoolings over one flaky store and one folder, as processes of one machine would."""
    for wait in ("_RETRY_S", "_LOOK_S"):
        monkeypatch.setattr(f"hailwhale.services.ingest.disk_queue.{wait}", 0.005)
    made: list[DiskQueue] = []

    def spooling(most_bytes: int = 1_000_000) -> DiskQueue:
        made.append(DiskQueue(flaky, SpoolDirectory(spool.folder, most_bytes), named))
        return made[-1]

    yield spooling
    flaky.away = flaky.deaf = flaky.slow = False
    for each in made:
        each.close()


def hit(name: str, id: str | None = None) -> EncodedHit:
    return EncodedHit("Shop", name.encode(), id)


def until(condition: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline_s
        time.sleep(0.002)


def held(store: RedisStore) -> list[str]:
    return [found.decode() for found in store.buffers.window(SHARD, 10_000).hits]


def settled(spool: SpoolDirectory) -> bool:
    return spool.size_bytes() == 0


def test_nothing_is_spooled_while_the_store_is_available(
    make: Make, store: RedisStore, spool: SpoolDirectory
) -> None:
    spooling = make()
    assert spooling.accept([hit("a")], NOW_S) == ACCEPTED
    assert spooling.accept([hit("b", "id"), hit("b", "id")], NOW_S)[1] is AcceptStatus.DUPLICATE
    assert spooling.accept([], NOW_S) == []
    assert not spool.folder.exists()
    assert held(store) == ["a", "b"]


@pytest.mark.parametrize("deaf", [False, True])
def test_hits_spooled_during_an_outage_count_once_after_it(
    make: Make, flaky: Flaky, store: RedisStore, spool: SpoolDirectory, deaf: bool
) -> None:
    spooling = make()
    spooling.accept([hit("a")], NOW_S)
    flaky.away, flaky.deaf = not deaf, deaf
    for name in "bcd":
        assert spooling.accept([hit(name)], NOW_S) == SPOOLED
    assert spooling.size_bytes() > 0
    flaky.away = flaky.deaf = False
    until(lambda: settled(spool))
    assert spooling.accept([hit("e")], NOW_S) == ACCEPTED
    assert sorted(held(store)) == ["a", "b", "c", "d", "e"]


def test_only_the_first_request_waits_for_an_unavailable_store(
    make: Make, flaky: Flaky, spool: SpoolDirectory
) -> None:
    spooling = make()
    flaky.away = True
    for name in ("first", "second", "third"):
        spooling.accept([hit(name)], NOW_S)
    # The thread asks again and again, always with what came first.
    until(lambda: len(flaky.calls) > 3)
    assert set(flaky.calls) <= {("first",)}


@pytest.mark.parametrize("seed", range(4))
def test_a_store_that_comes_and_goes_has_each_hit_once(
    make: Make, flaky: Flaky, store: RedisStore, spool: SpoolDirectory, seed: int
) -> None:
    random = Random(seed)
    spooling = make()
    for number in range(200):
        if random.random() < 0.2:
            mood = random.randrange(6)
            flaky.away, flaky.deaf, flaky.slow = mood == 0, mood == 1, mood == 2
        if random.random() < 0.1:
            flaky.catch_up(random)
        if random.random() < 0.02:  # the process dies, and another takes its place
            spooling.close()
            spooling = make()
        spooling.accept([hit(f"{number:03}"), EncodedHit("Blog", b"x")], NOW_S)
    flaky.away = flaky.deaf = flaky.slow = False
    until(lambda: settled(spool))
    flaky.catch_up(random)
    assert sorted(held(store)) == [f"{number:03}" for number in range(200)]
    assert len(store.buffers.window(shard_of("Blog"), 1_000).hits) == 200


@pytest.mark.parametrize("deaf", [False, True])
def test_what_a_process_left_that_died_is_offered_by_the_next_one(
    make: Make, flaky: Flaky, store: RedisStore, spool: SpoolDirectory, deaf: bool
) -> None:
    flaky.away, flaky.deaf = not deaf, deaf
    dead = make()
    dead.accept([hit("a")], NOW_S)
    dead.accept([hit("b")], NOW_S)
    dead.close()
    flaky.away = flaky.deaf = False
    make()
    until(lambda: settled(spool))
    assert held(store) == ["a", "b"]


def test_a_partly_replayed_file_adds_only_the_rest(
    make: Make, flaky: Flaky, store: RedisStore, spool: SpoolDirectory
) -> None:
    flaky.away = True
    dead = make()
    for name in "abc":
        dead.accept([hit(name)], NOW_S)
    dead.close()
    (path,) = spool.folder.iterdir()
    kept = path.read_bytes()
    flaky.away = False
    make().accept([hit("d")], NOW_S)
    until(lambda: settled(spool))
    path.write_bytes(kept)  # as if the machine had lost that it was removed
    make()
    until(lambda: settled(spool))
    assert sorted(held(store)) == ["a", "b", "c", "d"]


def test_hits_past_the_bound_are_refused_and_those_before_it_kept(
    make: Make, flaky: Flaky, store: RedisStore, spool: SpoolDirectory
) -> None:
    spooling = make(most_bytes=150)
    flaky.away = True
    for name in "ab":
        assert spooling.accept([hit(name)], NOW_S) == SPOOLED
    size = spool.size_bytes()
    for name in "cd":
        with pytest.raises(StoreUnavailable, match=r"the spool is full \(150 bytes\)"):
            spooling.accept([hit(name)], NOW_S)
    assert spool.size_bytes() == size <= 150
    flaky.away = False
    until(lambda: settled(spool))
    assert held(store) == ["a", "b"]
    assert spooling.accept([hit("later")], NOW_S) == ACCEPTED


def test_an_unwritable_spool_is_an_unavailable_store(
    flaky: Flaky, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("in the way")
    spooling = DiskQueue(flaky, SpoolDirectory(tmp_path / "file" / "spool", 1_000), named)
    assert "spool is not writable: hits are refused while the store is unavailable" in caplog.text
    flaky.away = True
    for _ in range(2):
        with pytest.raises(StoreUnavailable, match="; cannot write to the spool"):
            spooling.accept([hit("a")], NOW_S)
    flaky.away = False
    assert spooling.accept([hit("b")], NOW_S) == ACCEPTED
    spooling.close()


def test_a_full_buffer_is_not_an_unavailable_store(
    make: Make, flaky: Flaky, make_store: Callable[..., RedisStore], spool: SpoolDirectory
) -> None:
    flaky._store = make_store(buffer_limit=1)
    spooling = make()
    receipts = spooling.accept([hit("a"), hit("b")], NOW_S)
    assert receipts == [AcceptStatus.ACCEPTED, AcceptStatus.FULL]
    assert not spool.folder.exists()


def test_spooled_hits_wait_for_room_in_the_buffer_and_new_ones_are_not_held_up(
    make: Make, flaky: Flaky, make_store: Callable[..., RedisStore], spool: SpoolDirectory
) -> None:
    flaky._store = make_store(buffer_limit=2)
    spooling = make()
    flaky.away = True
    for name in "abc":
        spooling.accept([hit(name)], NOW_S)
    flaky.away = False
    until(lambda: len(held(flaky._store)) == 2)
    assert spooling.accept([EncodedHit("Blog", b"d")], NOW_S) == ACCEPTED
    assert spooling.accept([hit("e")], NOW_S) == [AcceptStatus.FULL]
    flaky._store = make_store()  # there is room now
    until(lambda: settled(spool))
    assert sorted(held(flaky._store)) == ["a", "b", "c"]


def test_what_is_in_doubt_behind_what_waits_for_room_is_not_overtaken(
    make: Make, flaky: Flaky, make_store: Callable[..., RedisStore], spool: SpoolDirectory
) -> None:
    flaky._store = make_store(buffer_limit=1)
    spooling = make()
    flaky.away = True
    for name in "ab":
        spooling.accept([hit(name)], NOW_S)
    flaky.away = False
    until(lambda: not spooling._away)
    flaky.away = True
    assert spooling.accept([EncodedHit("Blog", b"c")], NOW_S) == SPOOLED
    flaky.away = False
    until(lambda: not spooling._away)
    assert spooling.accept([EncodedHit("Blog", b"d")], NOW_S) == ACCEPTED
    flaky._store = make_store()
    until(lambda: settled(spool))
    assert sorted(held(flaky._store)) == ["a", "b"]
    assert sorted(flaky._store.buffers.window(shard_of("Blog"), 9).hits) == [b"c", b"d"]


def test_a_store_with_another_schema_is_refused_and_spooled_hits_wait(
    make: Make, flaky: Flaky, store: RedisStore, spool: SpoolDirectory
) -> None:
    spooling = make()
    flaky.away = True
    assert spooling.accept([hit("a")], NOW_S) == SPOOLED
    flaky.mismatch = True
    until(lambda: not spooling._away)
    with pytest.raises(StoreMismatch):
        spooling.accept([hit("b")], NOW_S)
    assert spool.size_bytes() > 0
    flaky.mismatch = flaky.away = False
    until(lambda: settled(spool))
    assert held(store) == ["a"]


def test_what_a_process_leaves_when_it_dies_is_found_by_one_that_runs_already(
    make: Make, flaky: Flaky, store: RedisStore, spool: SpoolDirectory
) -> None:
    flaky.away = True
    running, dying = make(), make()
    dying.accept([hit("a")], NOW_S)
    dying.close()
    flaky.away = False
    until(lambda: settled(spool))
    assert held(store) == ["a"]
    assert running.accept([hit("b")], NOW_S) == ACCEPTED


def test_an_error_that_is_not_an_outage_ends_nothing(
    make: Make,
    flaky: Flaky,
    store: RedisStore,
    spool: SpoolDirectory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spooling = make()
    flaky.away = True
    spooling.accept([hit("a")], NOW_S)
    with monkeypatch.context() as patched:
        patched.setattr(store.buffers, "accept", lambda *_: 1 / 0)
        flaky.away = False
        until(lambda: not spooling._away)
        with pytest.raises(ZeroDivisionError):
            spooling.accept([hit("b")], NOW_S)
    until(lambda: settled(spool))
    assert spooling.accept([hit("c")], NOW_S) == ACCEPTED
    assert held(store) == ["a", "c"]


def test_ids_of_spooled_hits_are_checked_by_their_time_of_arrival(
    make: Make, flaky: Flaky, store: RedisStore, spool: SpoolDirectory
) -> None:
    spooling = make()
    flaky.away = True
    for _ in range(2):
        assert spooling.accept([hit("a", "order-1")], NOW_S) == SPOOLED
    store.buffers.accept(
        [hit("a", "order-1")], NOW_S + 23 * 3600
    )  # by another hail that has a way to it
    flaky.away = False
    until(lambda: settled(spool))
    assert held(store) == ["a"]


def test_a_hit_whose_uid_cannot_be_hashed_yet_is_spooled_and_sent_with_the_hash(
    make: Make, store: RedisStore, spool: SpoolDirectory
) -> None:
    spooling = make()
    unnamed = EncodedHit("Shop", b"a", None, "ann@example.com")
    assert spooling.accept([unnamed, hit("b")], NOW_S) == [AcceptStatus.SPOOLED] * 2
    until(lambda: settled(spool))
    assert held(store) == ["a\thash-of-ann@example.com", "b"]
    assert list(spool.folder.iterdir()) == []


def test_a_uid_that_waits_is_not_readable_on_disk_and_outlives_its_process(
    make: Make, flaky: Flaky, store: RedisStore, spool: SpoolDirectory
) -> None:
    flaky.away = True
    dead = make()
    dead.accept([EncodedHit("Shop", b"a", None, "ann@example.com")], NOW_S)
    dead.accept([hit("b")], NOW_S)
    dead.close()
    files = list(spool.folder.iterdir())
    assert sorted(path.suffix for path in files) == [".key", ".spool"]
    assert all(path.stat().st_mode & 0o077 == 0 for path in files)
    assert not any(b"ann" in path.read_bytes() for path in files)
    flaky.away = False
    make()
    until(lambda: settled(spool))
    assert held(store) == ["a\thash-of-ann@example.com", "b"]


def test_a_hit_whose_key_is_lost_counts_without_its_visitor(
    make: Make,
    flaky: Flaky,
    store: RedisStore,
    spool: SpoolDirectory,
    caplog: pytest.LogCaptureFixture,
) -> None:
    flaky.away = True
    dead = make()
    dead.accept([EncodedHit("Shop", b"a", None, "ann")], NOW_S)
    dead.close()
    next(spool.folder.glob("*.key")).unlink()
    flaky.away = False
    make()
    until(lambda: settled(spool))
    assert held(store) == ["a"]
    assert "the uids of 1 hits are lost" in caplog.text


def test_a_forked_process_counts_under_a_name_of_its_own(
    make: Make, flaky: Flaky, store: RedisStore
) -> None:
    spooling = make()
    spooling.accept([hit("a")], NOW_S)
    before = spooling._direct
    spooling._pid = os.getpid() + 1  # what a child of a fork finds
    assert spooling.accept([hit("b")], NOW_S) == ACCEPTED
    assert spooling._direct is not before
    assert held(store) == ["a", "b"]
