"""The two WSGI applications: hail accepts events, whale counts at once and answers queries."""

from __future__ import annotations

from functools import partial

import bottle

from hailwhale.services.container import Services
from hailwhale.web.client_address import client_address
from hailwhale.web.count_limits import limited
from hailwhale.web.plugins.auth import Auth
from hailwhale.web.plugins.cors import Cors
from hailwhale.web.plugins.errors import ErrorHandler, ErrorPages
from hailwhale.web.plugins.request_log import RequestLog
from hailwhale.web.request import SizeLimits
from hailwhale.web.responses import forbid_sniffing
from hailwhale.web.routes.admin import add_operating
from hailwhale.web.routes.beacon import add_beacon
from hailwhale.web.routes.count import add_counting
from hailwhale.web.routes.decisions import add_deciding, add_exposing
from hailwhale.web.routes.graphite import add_graphite
from hailwhale.web.routes.graphs import add_graphs, refused_graph
from hailwhale.web.routes.health import add_health
from hailwhale.web.routes.metrics import add_metrics
from hailwhale.web.routes.openapi import add_openapi
from hailwhale.web.routes.pages import add_pages
from hailwhale.web.routes.pixels import add_pixels
from hailwhale.web.routes.prometheus import add_prometheus
from hailwhale.web.routes.query import add_answers
from hailwhale.web.routes.spy import add_spy
from hailwhale.web.routes.tracker import add_tracker

_BUFFERING_PATHS = {"/count": False, "/count.gif": True}
_AT_ONCE_PATHS = {"/count_now": False, "/count_now.gif": True}


def hail_app(services: Services) -> bottle.Bottle:
    """Create the hail app: /count writes to the buffer, and `hailwhale drain` drains it."""
    cors = Cors(services.settings.cors_origins)
    app = _app(services, cors)
    hail = limited(services, services.hail.count, services.hail.count_many)
    add_counting(app, _BUFFERING_PATHS, _sizes(services), *hail)
    add_exposing(app, services, _sizes(services), services.exposing)
    add_pixels(app, _sizes(services), services.sealing, hail[0])
    add_tracker(app, services, _sizes(services), hail[0])
    add_beacon(app)
    add_health(app, services)
    add_metrics(app, services)
    add_openapi(app, services)
    cors.add_preflights(app)
    return app


def whale_app(services: Services, *, buffered: bool = False) -> bottle.Bottle:
    """Create the whale app, which includes hail's routes.

    `buffered` means that a drain is running: then /count writes to the buffer, as in hail. Without
    a drain, whale runs alone and /count counts at once.
    """
    cors = Cors(services.settings.cors_origins)
    app = _app(services, cors)
    counting, sizes = services.counting, _sizes(services)
    at_once = limited(services, counting.count_now, counting.count_many_now)
    buffer = limited(services, services.hail.count, services.hail.count_many)
    hail = buffer if buffered else at_once
    add_counting(app, _BUFFERING_PATHS, sizes, *hail)
    add_counting(app, _AT_ONCE_PATHS, sizes, *at_once)
    add_exposing(app, services, sizes, services.exposing if buffered else services.exposing_now)
    add_pixels(app, sizes, services.sealing, hail[0])
    add_tracker(app, services, sizes, hail[0])
    add_beacon(app)
    add_spy(app, services, sizes)
    add_answers(app, services, sizes)
    add_graphs(app, services, sizes)
    add_graphite(app, services, sizes)
    add_prometheus(app, services, sizes)
    add_deciding(app, services, sizes, services.hail.take if buffered else counting.take)
    add_operating(app, services, sizes)
    add_health(app, services)
    add_metrics(app, services)
    add_pages(app, services.settings.frame_origins)
    add_openapi(app, services)
    cors.add_preflights(app)
    return app


def _app(services: Services, cors: Cors) -> bottle.Bottle:
    app = bottle.Bottle(catchall=True)
    settings = services.settings
    client_of = partial(client_address, trusted=settings.trusted_proxies)
    app.install(RequestLog(services.tallies, settings.log_requests, client_of))
    app.install(cors)
    app.install(ErrorHandler({"/graph.js": refused_graph}))
    auth = Auth(services, _sizes(services))
    app.install(auth)
    app.default_error_handler = ErrorPages(auth.limit_stranger)
    # Every response, whatever route or error it is of: browsers take it for what it says it is.
    app.add_hook("after_request", forbid_sniffing)
    return app


def _sizes(services: Services) -> SizeLimits:
    settings = services.settings
    return SizeLimits(settings.max_event_bytes, settings.max_batch_bytes, settings.max_batch_events)
