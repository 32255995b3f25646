"""Clocks that jump hours ahead and back, each process its own: nothing is lost, nothing doubled.

A clock decides only where an event counts. An event without a time counts in the buckets of its
hail's clock. Buckets past their retention by the drain's clock are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pytest
import redis

from hailwhale.errors import StoreUnavailable
from hailwhale.services.container import Services, assemble
from hailwhale.settings import Settings
from hailwhale.store.redis.buffers import RedisBuffers
from hailwhale.store.redis.keys import Keys
from hailwhale.store.redis.store import RedisStore
from hailwhale.store.types import AcceptStatus, EncodedHit, ProducerSequence
from tests.conftest import NOW_S, Clock
from tests.faults.processes import wait_for
from tests.parts import with_parts

HOUR_S = 3600
KEYS = Keys("clocks")
JUMPS_H = (0, 0, 1, -1, 5, -3, 23, -23, 30, -30)


class Absent(RedisBuffers):
    """Buffers that are unavailable on demand, sometimes after they have accepted."""

    away = False

    def accept(
        self, hits: Sequence[EncodedHit], now_s: int, stamp: ProducerSequence | None = None
    ) -> list[AcceptStatus]:
        if self.away and len(hits) % 2:
            raise StoreUnavailable("away")
        receipts = super().accept(hits, now_s, stamp)
        if self.away:
            raise StoreUnavailable("no answer came")
        return receipts


Start = Callable[[str], tuple[Services, Absent, Clock]]


@pytest.fixture
def start(own_client: redis.Redis, tmp_path: Path) -> Iterator[Start]:
    """Starts services as a process with a clock of its own."""
    own_client.flushdb()
    started: list[Services] = []

    def process(name: str) -> tuple[Services, Absent, Clock]:
        clock, buffers = Clock(), Absent(own_client, KEYS, 250_000, 2**30, None)
        store = with_parts(RedisStore(own_client, KEYS), buffers=buffers)
        settings = Settings.from_env({}, spool_dir=str(tmp_path / name), namespace=KEYS.namespace)
        services = assemble(settings, store, clock, close=lambda: None, spooled=True)
        started.append(services)
        return services, buffers, clock

    yield process
    for each in started:
        each.close()


def sums(client: Any, rollup: str) -> Decimal:
    """The hits of the pk in all buckets of a rollup."""
    name = f"{KEYS.namespace}:*:{rollup}:*:Shop\x1e"
    cells = [client.hgetall(key) for key in client.scan_iter(name)]
    return sum(
        (Decimal(value.decode()) for held in cells for value in held.values()), start=Decimal(0)
    )


@pytest.mark.parametrize("seed", range(5))
def test_every_hit_is_counted_once_in_every_rollup_that_keeps_it(
    start: Start, own_client: redis.Redis, seed: int
) -> None:
    random = Random(seed)
    hails, drains = [start("a"), start("b")], [start("c"), start("d")]
    counted = 0
    for _ in range(40):
        services, buffers, clock = random.choice(hails)
        buffers.away = random.random() < 0.3
        for _ in range(random.randint(1, 4)):
            clock.now_s = NOW_S + HOUR_S * random.choice(JUMPS_H)
            report = services.hail.count_many([{"pk": "Shop"}] * random.randint(1, 3))
            counted += report.accepted
            assert (report.rejected, report.unbuffered) == ([], [])
        draining, _, clock = random.choice(drains)
        clock.now_s = NOW_S + HOUR_S * random.choice(JUMPS_H)
        draining.drain.flush()
    for _, buffers, _ in hails:
        buffers.away = False
    spools = [services.spool for services, _, _ in hails if services.spool]
    assert len(spools) == 2
    wait_for(lambda: not any(spool.size_bytes() for spool in spools), "the spools to be replayed")
    drains[0][0].drain.flush()
    assert counted > 100
    assert [sums(own_client, rollup) for rollup in ("all", "1d", "1h")] == [counted] * 3
    assert sums(own_client, "1m") <= counted  # kept for two hours, by the drain's clock


@pytest.mark.parametrize("jump_h", [-23, -5, -1, 0, 1, 5, 23])
def test_an_id_counts_once_though_the_clock_was_set_by_less_than_a_day(
    start: Start, own_client: redis.Redis, jump_h: int
) -> None:
    services, _, clock = start("a")
    for jumped_h in (0, jump_h, 0):
        clock.now_s = NOW_S + HOUR_S * jumped_h
        services.hail.count({"pk": "Shop", "id": "order-1"})
    services.drain.flush()
    assert sums(own_client, "all") == 1
