"""The services put together over one store, and the store opened as the settings say."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import cast

from hailwhale.errors import StoreUnavailable
from hailwhale.services.counting import Counting
from hailwhale.services.declaring import Declaration, DeclaredStore
from hailwhale.services.drain import Drain
from hailwhale.services.erasing import Erasing
from hailwhale.services.hail import Hailing
from hailwhale.services.ranking import Ranking
from hailwhale.services.reporting import Reporting
from hailwhale.services.sheets import Sheets
from hailwhale.services.siblings import Siblings
from hailwhale.services.spans import SpanReader
from hailwhale.services.spool import Spool
from hailwhale.services.spooling import Spooling
from hailwhale.settings import Settings
from hailwhale.store.base import Store
from hailwhale.store.opening import open_store

log = logging.getLogger("hailwhale.services")


@dataclass(frozen=True, slots=True)
class Services:
    """Every use case over one store. `close` lets go of the store, and of an embedded server.

    `spool` is where hits go while the store is away, if there is one.
    """

    settings: Settings
    store: Store
    hail: Hailing
    drain: Drain
    counting: Counting
    erasing: Erasing
    reporting: Reporting
    ranking: Ranking
    spool: Spooling | None
    close: Callable[[], None]


def assemble(
    settings: Settings,
    store: Store,
    clock: Callable[[], float] = time.time,
    close: Callable[[], None] | None = None,
    *,
    spooled: bool = False,
) -> Services:
    """Services over an open store; the store is told what it is made of, or refuses it.

    With `spooled`, as for a process that serves, hits go into the settings' spool while the store
    is away, and that it is away already is no fault. Raises `StoreMismatch` when the store was made
    with another time zone or other rollups.
    """
    grid, rollups, limits = settings.zone, settings.rollups, settings.limits
    close = close or store.close
    since = Declaration(store, grid.name, [rollup.spec for rollup in rollups], clock)
    spooled = spooled and settings.spool_bytes > 0
    try:
        since.declare()
    except StoreUnavailable as fault:
        if not spooled:
            raise
        log.warning("%s; what is counted goes into the spool", fault)
        store = cast(Store, DeclaredStore(store, since))
    folder = Spool(settings.spool_folder, settings.spool_bytes)
    spool = Spooling(store.accept, folder) if spooled else None
    drain = Drain(store, grid, rollups, clock, settings.drain_window)
    spans = SpanReader(store, grid, rollups, since, clock, settings.max_points)
    siblings = Siblings(store, spans, Sheets(store, grid, rollups, clock))
    return Services(
        settings=settings,
        store=store,
        hail=Hailing(spool.accept if spool else store.accept, limits, clock),
        drain=drain,
        counting=Counting(store, grid, rollups, limits, clock, drain),
        erasing=Erasing(store, grid, rollups, clock, drain),
        reporting=Reporting(store, spans, siblings),
        ranking=Ranking(spans, siblings),
        spool=spool,
        close=partial(_close, spool, close),
    )


def _close(spool: Spooling | None, close_store: Callable[[], None]) -> None:
    if spool is not None:
        spool.close()
    close_store()


def open_services(settings: Settings, *, spooled: bool = False) -> Services:
    """Services over the store that the settings name: a Redis or Valkey, or the embedded one.

    `spooled` as for `assemble`.
    """
    opened = open_store(settings)
    try:
        return assemble(settings, opened.store, close=opened.close, spooled=spooled)
    except BaseException:
        opened.close()
        raise
