"""Load on a store while something happens to its servers, and the verdict on what came of it.

Senders take hits through hail, drains count them, each with connections of its own as if it were a
process. Nothing is restarted: everything recovers by itself.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Event as Flag
from threading import Thread
from typing import Any

from hailwhale.errors import StoreUnavailable
from hailwhale.services.container import Services, assemble
from hailwhale.settings import Settings
from hailwhale.store.open import open_store
from hailwhale.store.redis.keys import Keys
from tests.cluster.nodes import wait_for
from tests.faults.judge import Fate, Verdict, judge
from tests.faults.traffic import Sample, Traffic

_TIMEOUT_S = 1.0
_PACE_S = 0.004
_RETRY_S = 0.02
_IDLE_S = 0.01
_SENDERS = 2
_DRAINS = 2
_WINDOW = 200  # small, so that drains take many steps


class _Sender(Thread):
    """Sends traffic until `stop` is set; events with an id until they are acknowledged."""

    def __init__(self, services: Services, traffic: Traffic, stop: Flag) -> None:
        super().__init__(daemon=True)
        self.fates: list[tuple[Sample, Fate]] = []
        self.acknowledged = 0
        self.failures = 0
        self._services = services
        self._traffic = traffic
        self._stopped = stop

    def run(self) -> None:
        for samples in self._traffic.requests():
            waiting = samples
            while waiting := self._send(waiting):
                time.sleep(_RETRY_S)
            if self._stopped.wait(_PACE_S):
                return

    def _send(self, samples: Sequence[Sample]) -> list[Sample]:
        """Send samples and note what became of them; those to send again."""
        try:
            report = self._services.hail.count_many(sample.fields for sample in samples)
        except StoreUnavailable:
            self.failures += 1
            again = [sample for sample in samples if sample.id is not None and sample.sound]
            self.fates += [(sample, Fate.UNKNOWN) for sample in samples if sample not in again]
            return again
        refused = {place for place, _ in report.rejected}
        for place, sample in enumerate(samples):
            self.fates.append((sample, Fate.REFUSED if place in refused else Fate.ACKNOWLEDGED))
        self.acknowledged += report.accepted
        return []


class _Drain(Thread):
    """Drains until `stop` is set. An exception of its services ends it and is kept in `fault`."""

    def __init__(self, services: Services, stop: Flag) -> None:
        super().__init__(daemon=True)
        self.fault: Exception | None = None
        self._services = services
        self._stopped = stop

    def run(self) -> None:
        try:
            self._services.drain.run(self._stopped, _IDLE_S)
        except Exception as fault:  # noqa: BLE001 - told to the test
            self.fault = fault


class Load:
    """Senders and drains at work on the store at `url`, in a namespace of their own."""

    def __init__(self, url: str, namespace: str, replicas: int = 0) -> None:
        self.keys = Keys(namespace)
        self.now_s = int(time.time())
        self._settings = Settings.from_env(
            {},
            redis_url=url,
            namespace=namespace,
            replicas=replicas,
            store_timeout_s=_TIMEOUT_S,
            drain_window=_WINDOW,
        )
        self._stop = Flag()
        self._opened = [self._open() for _ in range(_SENDERS + _DRAINS)]
        self._senders = [
            _Sender(services, Traffic(1, str(number), self.now_s), self._stop)
            for number, services in enumerate(self._opened[:_SENDERS])
        ]
        self._drains = [_Drain(services, self._stop) for services in self._opened[_SENDERS:]]

    def _open(self) -> Services:
        opened = open_store(self._settings)
        return assemble(self._settings, opened.store, close=opened.close)

    def start(self) -> None:
        for thread in (*self._senders, *self._drains):
            thread.start()

    @property
    def failures(self) -> int:
        """How many requests were refused because the store cannot take them."""
        return sum(sender.failures for sender in self._senders)

    def await_work(self, hits: int = 200) -> None:
        """Return when so many more hits were acknowledged and some more were counted."""
        acknowledged, drained = self._acknowledged(), self._drained()

        def worked() -> bool:
            faults = [drain.fault for drain in self._drains if drain.fault]
            assert not faults, faults
            return self._acknowledged() >= acknowledged + hits and self._drained() > drained

        wait_for(worked, "hits to be acknowledged and counted")

    def _acknowledged(self) -> int:
        return sum(sender.acknowledged for sender in self._senders)

    def _drained(self) -> int:
        try:
            return self._opened[0].store.stats.counts()["drained"]
        except StoreUnavailable:
            return -1

    def stop(self) -> None:
        """Stop the senders, and count what is buffered once they have ended."""
        self._stop.set()
        for thread in (*self._senders, *self._drains):
            thread.join(30)
            assert not thread.is_alive()
        self._opened[0].drain.flush()

    def verdict(self, client: Any, *, trusted: bool = True) -> Verdict:
        """What is in the store against what was acknowledged.

        Unless acknowledgements are `trusted`, any event may be counted or not: then the verdict is
        on what was counted twice, and on whether all sums agree.
        """
        fates = [fate for sender in self._senders for fate in sender.fates]
        if not trusted:
            fates = [
                (sample, Fate.UNKNOWN if fate is Fate.ACKNOWLEDGED else fate)
                for sample, fate in fates
            ]
        return judge(client, self.keys, fates, self.now_s)

    def close(self) -> None:
        for services in self._opened:
            services.close()


@contextmanager
def under_load(url: str, namespace: str, replicas: int = 0) -> Iterator[Load]:
    """A load that has done some work; when the block ends it does some more, and is stopped."""
    load = Load(url, namespace, replicas)
    try:
        load.start()
        load.await_work()
        yield load
        load.await_work()
        load.stop()
    finally:
        load._stop.set()
        load.close()
