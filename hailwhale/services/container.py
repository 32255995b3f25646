"""The services put together over one store, and the store opened as the settings say."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, cast

from hailwhale.core.time.calendar_grid import DAY_S
from hailwhale.errors import StoreUnavailable
from hailwhale.services.decisions.decide import Deciding
from hailwhale.services.decisions.evidence import EvidenceReader
from hailwhale.services.decisions.exposures import Exposing
from hailwhale.services.decisions.journal import Journal
from hailwhale.services.decisions.model_cache import Models
from hailwhale.services.ingest.buffer import Hailing
from hailwhale.services.ingest.cardinality import Admission
from hailwhale.services.ingest.count_now import Counting
from hailwhale.services.ingest.disk_queue import Spooling
from hailwhale.services.ingest.drain import Drain
from hailwhale.services.ingest.erase import Erasing
from hailwhale.services.ingest.spool_directory import Spool
from hailwhale.services.ingest.spy_log import Spying, SpyRule
from hailwhale.services.ingest.visitor_ids import Visitors
from hailwhale.services.ops.request_stats import Tallies
from hailwhale.services.query.children import Siblings
from hailwhale.services.query.graph_data import Graphing
from hailwhale.services.query.graphite import Graphite
from hailwhale.services.query.quantiles import Quantiles
from hailwhale.services.query.ranges import SpanReader
from hailwhale.services.query.ranking import Ranking
from hailwhale.services.query.series import Reporting
from hailwhale.services.query.view_sums import Sheets
from hailwhale.services.security.bearer_tokens import Tokens
from hailwhale.services.security.sealed_tokens import Sealing, sealing_of
from hailwhale.settings import Settings
from hailwhale.store.declared import Declaration, DeclaredStore
from hailwhale.store.open import open_store
from hailwhale.store.protocol import Store

if TYPE_CHECKING:
    from hailwhale.services.security.rate_limit import Limiter

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
    graphing: Graphing
    graphite: Graphite
    quantiles: Quantiles
    ranking: Ranking
    deciding: Deciding
    exposing: Exposing  # into the buffer
    exposing_now: Exposing
    sealing: Sealing
    tokens: Tokens
    limiter: Limiter | None
    spool: Spooling | None
    tallies: Tallies
    visitors: Visitors
    spying: Spying
    clock: Callable[[], float]
    close: Callable[[], None]


def assemble(
    settings: Settings,
    store: Store,
    clock: Callable[[], float] = time.time,
    close: Callable[[], None] | None = None,
    *,
    spooled: bool = False,
    chance: random.Random | None = None,
) -> Services:
    """Services over an open store; the store is told what it is made of, or refuses it.

    Decisions are drawn by `chance`. With `spooled`, as for a process that serves, hits go into the
    settings' spool while the store is away, and that it is away already is no fault. Raises
    `StoreMismatch` when the store was made with another time zone or other rollups.
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
    visitors = Visitors(store, settings.uid_key, settings.uid_salt_days, clock)
    spy = SpyRule(settings.spy_entries, settings.spy_days * DAY_S)
    spying = Spying(store, visitors, settings.spy_private, settings.spy_entries)
    drain = Drain(store, grid, rollups, clock, settings.drain_window, spy)
    spans = SpanReader(store, grid, rollups, since, clock, settings.max_points)
    siblings = Siblings(store, spans, Sheets(store, grid, rollups, clock))
    reporting = Reporting(store, spans, siblings)
    settle = Admission(
        store,
        settings.max_roots,
        settings.max_names,
        time.monotonic,
        spool.is_away if spool else lambda: False,
    ).settle
    accept = spool.accept if spool else store.accept
    hail = Hailing(accept, limits, clock, visitors.name, settle)
    counting = Counting(store, grid, rollups, limits, clock, drain, visitors.name, spy, settle)
    journal = Journal(store, settings.journal_entries, clock)
    evidence = EvidenceReader(store, spans, clock)
    models = Models(evidence, time.monotonic)
    days = settings.sticky_days
    tallies = Tallies(store)
    return Services(
        settings=settings,
        store=store,
        hail=hail,
        drain=drain,
        counting=counting,
        erasing=Erasing(store, grid, rollups, clock, drain, spying, visitors.lasting_name),
        reporting=reporting,
        graphing=Graphing(reporting, spans),
        graphite=Graphite(reporting, siblings, spans, limits, clock, settings.max_points),
        quantiles=Quantiles(store, reporting),
        ranking=Ranking(spans, siblings),
        deciding=Deciding(
            store,
            evidence,
            models,
            journal,
            clock,
            days,
            chance or random.SystemRandom(),
            visitors.lasting_name,
        ),
        exposing=Exposing(hail.take, hail.count_many, journal, limits, clock),
        exposing_now=Exposing(counting.take, counting.count_many_now, journal, limits, clock),
        sealing=sealing_of(settings, clock),
        tokens=Tokens(store, time.monotonic),
        limiter=_limiter(settings, store),
        spool=spool,
        tallies=tallies,
        visitors=visitors,
        spying=spying,
        clock=clock,
        close=partial(_close, spool, tallies, close),
    )


def _limiter(settings: Settings, store: Store) -> Limiter | None:
    if not settings.rate_limit and not settings.token_rate_limit:
        return None
    from hailwhale.services.security.rate_limit import (
        Limiter,  # half a second, for those alone who limit
    )

    return Limiter(store, settings.rate_limit, settings.token_rate_limit)


def _close(spool: Spooling | None, tallies: Tallies, close_store: Callable[[], None]) -> None:
    tallies.close()
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
