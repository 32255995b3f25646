"""Composition root: builds the services over a store opened from the settings."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from hailwhale.core.time.calendar_grid import DAY_S
from hailwhale.errors import StoreUnavailable
from hailwhale.services.decisions.decide import Decider
from hailwhale.services.decisions.evidence import EvidenceReader
from hailwhale.services.decisions.exposure_counter import ExposureCounter
from hailwhale.services.decisions.journal import DecisionJournal
from hailwhale.services.decisions.model_cache import PosteriorCache
from hailwhale.services.ingest.buffer_writer import BufferWriter
from hailwhale.services.ingest.cardinality import CardinalityLimiter
from hailwhale.services.ingest.count_now import ImmediateCounter
from hailwhale.services.ingest.disk_queue import DiskQueue
from hailwhale.services.ingest.drain import Drain
from hailwhale.services.ingest.erase import Eraser
from hailwhale.services.ingest.spool_directory import SpoolDirectory
from hailwhale.services.ingest.spy_log import RecentEvents, SpyRule
from hailwhale.services.ingest.visitor_ids import VisitorHasher
from hailwhale.services.ops.request_stats import RequestStats
from hailwhale.services.query.children import ChildrenReader
from hailwhale.services.query.graph_data import GraphQueries
from hailwhale.services.query.graphite import Graphite
from hailwhale.services.query.quantiles import QuantileQueries
from hailwhale.services.query.ranges import RangeReader
from hailwhale.services.query.ranking import RankingQueries
from hailwhale.services.query.series import SeriesQueries
from hailwhale.services.query.view_sums import ViewSums
from hailwhale.services.security.bearer_tokens import Tokens
from hailwhale.services.security.sealed_tokens import TokenSealer, sealing_of
from hailwhale.services.security.signed_cookie import CookieSigner
from hailwhale.settings import Settings
from hailwhale.store.declared import DeclaredRollups, declared
from hailwhale.store.open import open_store
from hailwhale.store.protocol import Store

if TYPE_CHECKING:
    from hailwhale.services.security.rate_limit import RateLimiter

log = logging.getLogger("hailwhale.services")


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """All use cases over one store; `close` closes the store, and stops an embedded server.

    `spool` stores hits while the store is unavailable, if there is one.
    """

    settings: Settings
    store: Store
    hail: BufferWriter
    drain: Drain
    counting: ImmediateCounter
    erasing: Eraser
    reporting: SeriesQueries
    graphing: GraphQueries
    graphite: Graphite
    quantiles: QuantileQueries
    ranking: RankingQueries
    deciding: Decider
    exposing: ExposureCounter  # into the buffer
    exposing_now: ExposureCounter
    sealing: TokenSealer
    tokens: Tokens
    limiter: RateLimiter | None
    spool: DiskQueue | None
    tallies: RequestStats
    visitors: VisitorHasher
    cookies: CookieSigner
    spying: RecentEvents
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
    """Build the services over an open store, and check its schema.

    Declares the time zone and rollups to the store; raises `StoreMismatch` if the store was created
    with others. `chance` draws decisions. With `spooled`, as in a serving process, hits go into the
    settings' spool while the store is unavailable, and a store that is unavailable from the start
    is not an error.
    """
    grid, rollups, limits = settings.zone, settings.rollups, settings.limits
    close = close or store.close
    since = DeclaredRollups(store.schema, grid.name, [rollup.spec for rollup in rollups], clock)
    spooled = spooled and settings.spool_bytes > 0
    try:
        since.declare()
        answers = True
    except StoreUnavailable as fault:
        if not spooled:
            raise
        log.warning("%s; hits are written to the spool", fault)
        store, answers = declared(store, since), False
    folder = SpoolDirectory(settings.spool_folder, settings.spool_bytes, settings.uid_key)
    visitors = VisitorHasher(
        store.secrets,
        settings.uid_key,
        settings.uid_salt_days,
        clock,
        is_away=lambda: spool is not None and spool.is_away(),
    )
    spool = DiskQueue(store.buffers.accept, folder, visitors.looked_up) if spooled else None
    cookies = CookieSigner(partial(visitors.lasting_key, "cookies"))
    if spooled and answers:
        with suppress(StoreUnavailable):  # an outage is to find the keys of visitor ids cached
            visitors.prepare()
            cookies.prepare()
    spy = SpyRule(settings.spy_entries, settings.spy_days * DAY_S)
    spying = RecentEvents(store.spy_log, visitors, settings.spy_private, settings.spy_entries)
    drain = Drain(
        buffers=store.buffers,
        commits=store.commits,
        stats=store.stats,
        grid=grid,
        rollups=rollups,
        clock=clock,
        window=settings.drain_window,
        spy=spy,
    )
    spans = RangeReader(
        cells=store.cells,
        visitors=store.visitors,
        grid=grid,
        rollups=rollups,
        since=since,
        clock=clock,
        max_points=settings.max_points,
    )
    siblings = ChildrenReader(store.labels, spans, ViewSums(store.views, grid, rollups, clock))
    reporting = SeriesQueries(store.labels, spans, siblings, settings.max_query_cells)
    settle = CardinalityLimiter(
        admitted=store.cardinality,
        most_roots=settings.max_roots,
        most_names=settings.max_names,
        clock=time.monotonic,
        is_away=spool.is_away if spool else lambda: False,
    ).settle
    accept = spool.accept if spool else store.buffers.accept
    hail = BufferWriter(accept, limits, clock, visitors.name, settle, defers_uids=spool is not None)
    counting = ImmediateCounter(
        commits=store.commits,
        cells=store.cells,
        grid=grid,
        rollups=rollups,
        limits=limits,
        clock=clock,
        drain=drain,
        name_of=visitors.name,
        spy=spy,
        settle=settle,
    )
    journal = DecisionJournal(store.journals, settings.journal_entries, clock)
    evidence = EvidenceReader(store.labels, store.cells, spans, clock, settings.max_decision_cells)
    models = PosteriorCache(evidence, time.monotonic)
    tallies = RequestStats(store.request_stats)
    return Services(
        settings=settings,
        store=store,
        hail=hail,
        drain=drain,
        counting=counting,
        erasing=Eraser(
            store=store,
            grid=grid,
            rollups=rollups,
            clock=clock,
            drain=drain,
            spying=spying,
            name_of=visitors.lasting_name,
        ),
        reporting=reporting,
        graphing=GraphQueries(reporting, spans),
        graphite=Graphite(reporting, siblings, spans, limits, clock, settings.max_points),
        quantiles=QuantileQueries(store.labels, reporting),
        ranking=RankingQueries(store.labels, spans, siblings, settings.max_query_cells),
        deciding=Decider(
            assignments=store.assignments,
            evidence=evidence,
            models=models,
            journal=journal,
            clock=clock,
            term_days=settings.sticky_days,
            chance=chance or random.SystemRandom(),
            name_of=visitors.lasting_name,
        ),
        exposing=ExposureCounter(hail.take, hail.count_many, journal, limits, clock),
        exposing_now=ExposureCounter(
            counting.take, counting.count_many_now, journal, limits, clock
        ),
        sealing=sealing_of(settings, clock),
        tokens=Tokens(store.tokens, time.monotonic),
        limiter=_limiter(settings, store),
        spool=spool,
        tallies=tallies,
        visitors=visitors,
        cookies=cookies,
        spying=spying,
        clock=clock,
        close=partial(_close, spool, tallies, close),
    )


def _limiter(settings: Settings, store: Store) -> RateLimiter | None:
    requests = (settings.rate_limit, settings.token_rate_limit)
    events, cells = settings.event_rate_limit, settings.cell_rate_limit
    if not any((*requests, events, cells)):
        return None
    from hailwhale.services.security.rate_limit import (
        RateLimiter,  # takes half a second; needed only with a limit
    )

    return RateLimiter(store.rates, *requests, events=events, cells=cells)


def _close(spool: DiskQueue | None, tallies: RequestStats, close_store: Callable[[], None]) -> None:
    tallies.close()
    if spool is not None:
        spool.close()
    close_store()


def open_services(settings: Settings, *, spooled: bool = False) -> Services:
    """Build the services over the store of the settings: Redis, Valkey or embedded.

    See `assemble` for `spooled`.
    """
    opened = open_store(settings)
    try:
        return assemble(settings, opened.store, close=opened.close, spooled=spooled)
    except BaseException:
        opened.close()
        raise
