"""A run under fire: traffic on a real deployment, a victim killed again and again, the verdict."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from random import Random
from threading import Event as Flag
from threading import Semaphore

from tests.faults.judge import Verdict, judge
from tests.faults.processes import Command, Deployment, wait_for
from tests.faults.sender import Sender
from tests.faults.traffic import ROOTS, Traffic

_REQUESTS_A_KILL = 60
_LONGEST_PAUSE_S = 0.25  # between the first work of a victim and its death


class Victim(Enum):
    """Whom to kill: a drain, the hail server with all its workers, or the store itself."""

    DRAIN = "drain"
    HAIL = "hail"
    VALKEY = "valkey"


@dataclass(frozen=True, slots=True)
class Assault:
    """One run: `kills` of a victim at moments drawn from `seed`.

    `fsync` is the store's; `window` is small so that a drain takes many steps, `senders` are the
    clients at a time.
    """

    victim: Victim
    kills: int
    seed: int = 1
    drains: int = 2
    fsync: str = "always"
    window: int = 500
    senders: int = 3


@dataclass(frozen=True, slots=True)
class Report:
    """What came of a run. `sent_again` counts events that were sent once more by their id.

    `cut_plans` counts the kills that left increments half applied, seen where every drain was
    killed at once.
    """

    assault: Assault
    verdict: Verdict
    kills: int
    sent_again: int
    cut_plans: int
    duration_s: float


def run(assault: Assault, tell: Callable[[int], None] = lambda _kills: None) -> Report:
    """Carry out an assault and judge what is in the store when everything is drained.

    `tell` hears the number of kills after each.
    """
    began_s = time.monotonic()
    now_s = int(time.time())
    with (
        tempfile.TemporaryDirectory(prefix="hw") as folder,
        Deployment(
            Path(folder), drains=assault.drains, fsync=assault.fsync, window=assault.window
        ) as deployment,
    ):
        permits = Semaphore(0)
        striker = _Striker(deployment, assault, permits)
        try:
            with traffic(deployment.port, assault.seed, assault.senders, permits, now_s) as senders:
                for _ in range(assault.kills):
                    striker.strike(senders)
                    tell(striker.kills)
                striker.await_work(senders, deployment.drains)
            deployment.settle()
        except AssertionError as fault:
            raise AssertionError(f"{fault}\n{deployment.logs()}") from fault
        fates = [fate for sender in senders for fate in sender.fates]
        verdict = judge(deployment.client, deployment.keys, fates, now_s)
    return Report(
        assault,
        verdict,
        kills=striker.kills,
        sent_again=sum(sender.sent_again for sender in senders),
        cut_plans=striker.cut_plans,
        duration_s=time.monotonic() - began_s,
    )


@contextmanager
def traffic(
    port: int, seed: int, senders: int, permits: Semaphore, now_s: int
) -> Iterator[list[Sender]]:
    """Senders at work; at the end each has an answer to all it must have an answer to."""
    stop = Flag()
    threads = [
        Sender(port, Traffic(seed, str(number), now_s), permits, stop) for number in range(senders)
    ]
    for sender in threads:
        sender.start()
    try:
        yield threads
    finally:
        stop.set()
        permits.release(len(threads))
        for sender in threads:
            sender.join()
    refuse_complaints(threads)


class _Striker:
    """Kills the victim of an assault, each time after it has done some work.

    It also permits the requests, so many a kill, which a slow machine can bear as a fast one does.
    """

    def __init__(self, deployment: Deployment, assault: Assault, permits: Semaphore) -> None:
        self._deployment = deployment
        self._victim = assault.victim
        self._permits = permits
        self._random = Random(assault.seed)
        self.kills = 0
        self.cut_plans = 0

    def strike(self, senders: Sequence[Sender]) -> None:
        """Kill the victim at a random moment of its work and start it again."""
        drains = self._deployment.drains
        struck = self._random.sample(drains, self._random.randint(1, len(drains)))
        self.await_work(senders, struck)
        # A drain has most of its work first, that which has piled up in its absence.
        haste = 3 if self._victim is Victim.DRAIN else 1
        time.sleep(self._random.random() ** haste * _LONGEST_PAUSE_S)
        if self._victim is Victim.DRAIN:
            self._strike(struck)
        elif self._victim is Victim.HAIL:
            self._deployment.kill_hail()
        else:
            self._deployment.kill_valkey()
        self.kills += 1

    def await_work(self, senders: Sequence[Sender], drains: Sequence[Command]) -> None:
        """Return when hits were acknowledged and counted since now, and these drains are up.

        A kill before that would prove little.
        """
        deployment = self._deployment
        self._permits.release(_REQUESTS_A_KILL)
        before = deployment.drained(ROOTS)
        told = acknowledged(senders)

        def worked() -> bool:
            refuse_complaints(senders)
            return (
                acknowledged(senders) > told
                and deployment.drained(ROOTS) > before
                and all(map(deployment.is_connected, drains))
            )

        wait_for(worked, "hits to be acknowledged and counted")

    def _strike(self, drains: Sequence[Command]) -> None:
        for drain in drains:
            drain.kill()
        if len(drains) == len(self._deployment.drains):
            self.cut_plans += any(load.planned for load in self._deployment.store.stats.loads())
        for drain in drains:
            drain.start()


def acknowledged(senders: Sequence[Sender]) -> int:
    """How many events were acknowledged to these senders."""
    return sum(sender.acknowledged for sender in senders)


def refuse_complaints(senders: Sequence[Sender]) -> None:
    """Fail on what no server should ever have answered."""
    complaints = [complaint for sender in senders for complaint in sender.complaints]
    assert not complaints, complaints[:3]
