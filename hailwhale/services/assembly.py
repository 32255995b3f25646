"""The services put together over one store, and the store opened as the settings say."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from hailwhale.services.counting import Counting
from hailwhale.services.drain import Drain
from hailwhale.services.erasing import Erasing
from hailwhale.services.hail import Hailing
from hailwhale.services.reporting import Reporting
from hailwhale.services.spans import SpanReader
from hailwhale.settings import Settings
from hailwhale.store.base import Store
from hailwhale.store.opening import open_store


@dataclass(frozen=True, slots=True)
class Services:
    """Every use case over one store. `close` lets go of the store, and of an embedded server."""

    settings: Settings
    store: Store
    hail: Hailing
    drain: Drain
    counting: Counting
    erasing: Erasing
    reporting: Reporting
    close: Callable[[], None]


def assemble(
    settings: Settings,
    store: Store,
    clock: Callable[[], float] = time.time,
    close: Callable[[], None] | None = None,
) -> Services:
    """Services over an open store; the store is told what it is made of, or refuses it.

    Raises `StoreMismatch` when the store was made with another time zone or other rollups.
    """
    grid, rollups, limits = settings.zone, settings.rollups, settings.limits
    since = store.declare(grid.name, [rollup.spec for rollup in rollups], int(clock()))
    drain = Drain(store, grid, rollups, clock, settings.drain_window)
    spans = SpanReader(store, grid, rollups, since, clock, settings.max_points)
    return Services(
        settings=settings,
        store=store,
        hail=Hailing(store, limits, clock),
        drain=drain,
        counting=Counting(store, grid, rollups, limits, clock, drain),
        erasing=Erasing(store, grid, rollups, clock, drain),
        reporting=Reporting(store, spans),
        close=close or store.close,
    )


def open_services(settings: Settings) -> Services:
    """Services over the store that the settings name: a Redis or Valkey, or the embedded one."""
    opened = open_store(settings)
    try:
        return assemble(settings, opened.store, close=opened.close)
    except BaseException:
        opened.close()
        raise
