"""Two drains and a hail on one shard, their commands to the store mixed in any order.

Each drain is controlled by the test. It sends one command at a time (pipelines are split), and can
be killed before or after any of them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import chain
from threading import Semaphore, Thread
from typing import Any

import redis
from hypothesis import given, settings
from hypothesis import strategies as st

from hailwhale.store.redis.keys import Keys, shard_of
from hailwhale.store.redis.store import RedisStore
from tests.conftest import NOW_S
from tests.faults.judge import Fate, judge
from tests.faults.traffic import ROOTS, Sample, Traffic
from tests.parts import drain_of, writer_of

KEYS = Keys("mixed")
ROOT = ROOTS[0]
SHARD = shard_of(ROOT)
STEPS = 4  # of a drain, after which it ends by itself
WINDOW = 5


class Killed(BaseException):
    """The end of a process: nothing catches it."""


class Act(Enum):
    GO = "go on by one command"
    DIE = "die before the next command"
    SEND_AND_DIE = "die before the answer to the next command"


@dataclass(frozen=True, slots=True)
class Move:
    """What happens next: an act of one of the drains, or (None) one more hit is accepted."""

    drain: int | None
    act: Act = Act.GO


class Puppet(Thread):
    """A drain in a thread that waits for the test before each of its commands."""

    def __init__(self, client: redis.Redis) -> None:
        super().__init__(daemon=True)
        self.over = False
        self.fault: Exception | None = None
        self._act = Act.GO
        self._turn = Semaphore(0)
        self._ready = Semaphore(0)
        held: Any = _Held(client, self._command)
        store = RedisStore(held, KEYS, chunk_cells=60)
        self._drain = drain_of(store, lambda: NOW_S, WINDOW)
        self.start()
        self._ready.acquire()

    def play(self, act: Act) -> None:
        """One command of the drain, or its death, and return when it is at the next one."""
        if not self.over:
            self._act = act
            self._turn.release()
            self._ready.acquire()

    def run(self) -> None:
        try:
            for _ in range(STEPS):
                self._drain.step(SHARD)
        except Killed:
            pass
        except Exception as fault:  # noqa: BLE001 - told to the test
            self.fault = fault
        finally:
            self.over = True
            self._ready.release()

    def _command(self, send: Callable[[], object]) -> object:
        self._ready.release()
        self._turn.acquire()
        if self._act is Act.DIE:
            raise Killed
        answer = send()
        if self._act is Act.SEND_AND_DIE:
            raise Killed
        return answer


class _Held:
    """A client whose every command goes through `command`, pipelined ones one by one."""

    def __init__(self, client: Any, command: Callable[[Callable[[], object]], object]) -> None:
        self._client = client
        self._command = command

    @property
    def connection_pool(self) -> _Pool:
        return _Pool()

    def execute_command(self, *command: object) -> object:
        return self._command(lambda: self._client.execute_command(*command))

    def parse_response(self, connection: _OneByOne, _name: str) -> object:
        return self.execute_command(*connection.unanswered.popleft())


class _OneByOne:
    """A connection of a held client: a command is carried out when its answer is read, so that
    others may get between any two that are sent together."""

    def __init__(self) -> None:
        self.unanswered: deque[tuple[object, ...]] = deque()

    def pack_commands(self, commands: Sequence[tuple[object, ...]]) -> Sequence[tuple[object, ...]]:
        return commands

    def send_packed_command(self, commands: Sequence[tuple[object, ...]]) -> None:
        self.unanswered.extend(commands)

    def disconnect(self) -> None:
        self.unanswered.clear()


class _Pool:
    def get_connection(self) -> _OneByOne:
        return _OneByOne()

    def release(self, _connection: _OneByOne) -> None:
        pass


def accepted(store: RedisStore, samples: Iterator[Sample]) -> list[tuple[Sample, Fate]]:
    """Accept the next of the samples."""
    sample = next(samples)
    writer_of(store, lambda: NOW_S).count(sample.fields)
    return [(sample, Fate.ACKNOWLEDGED)]


def samples_of_one_root() -> Iterator[Sample]:
    traffic = chain.from_iterable(Traffic(5, "b", NOW_S).requests())
    return (sample for sample in traffic if sample.pk[0] == ROOT and sample.sound)


MOVES = [
    *[Move(0), Move(1)] * 5,
    *[Move(None)] * 2,
    *[Move(drain, act) for drain in (0, 1) for act in (Act.DIE, Act.SEND_AND_DIE)],
]


@settings(max_examples=60, deadline=None)
@given(moves=st.lists(st.sampled_from(MOVES), min_size=10, max_size=120))
def test_any_order_of_commands_and_deaths_counts_every_hit_once(
    own_client: redis.Redis, moves: Sequence[Move]
) -> None:
    own_client.flushdb()
    store = RedisStore(own_client, KEYS)
    samples = samples_of_one_root()
    fates = [fate for _ in range(12) for fate in accepted(store, samples)]
    puppets = [Puppet(own_client), Puppet(own_client)]
    for move in moves:
        if move.drain is None:
            fates += accepted(store, samples)
            continue
        puppet = puppets[move.drain]
        puppet.play(move.act)
        if puppet.over:
            assert puppet.fault is None
            puppets[move.drain] = Puppet(own_client)
    for puppet in puppets:
        puppet.play(Act.DIE)
    drain_of(store, lambda: NOW_S).flush()
    verdict = judge(own_client, KEYS, fates, NOW_S)
    assert verdict.exact, verdict
    assert verdict.counted == len(fates)
