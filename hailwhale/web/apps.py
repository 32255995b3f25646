"""The two WSGI applications: hail accepts events, whale counts at once and answers questions."""

from __future__ import annotations

import bottle

from hailwhale.services.assembly import Services
from hailwhale.web.answers import add_answers
from hailwhale.web.count import add_counting
from hailwhale.web.health import add_health
from hailwhale.web.operate import add_operating
from hailwhale.web.pages import add_pages
from hailwhale.web.params import Sizes
from hailwhale.web.replies import Faults, plain_errors

_BUFFERING_PATHS = {"/count": False, "/count.gif": True}
_AT_ONCE_PATHS = {"/count_now": False, "/count_now.gif": True}


def hail_app(services: Services) -> bottle.Bottle:
    """Hail: /count into the buffer, to be drained by `hailwhale drain`."""
    app = _app()
    add_counting(
        app, _BUFFERING_PATHS, _sizes(services), services.hail.count, services.hail.count_many
    )
    add_health(app, services)
    return app


def whale_app(services: Services, *, buffered: bool = False) -> bottle.Bottle:
    """Whale, with hail's routes beside its own.

    `buffered` says that a drain is running: then /count goes into the buffer as on hail. Without
    one, whale runs alone and /count counts at once.
    """
    app = _app()
    counting, sizes = services.counting, _sizes(services)
    at_once = (counting.count_now, counting.count_many_now)
    hail = (services.hail.count, services.hail.count_many) if buffered else at_once
    add_counting(app, _BUFFERING_PATHS, sizes, *hail)
    add_counting(app, _AT_ONCE_PATHS, sizes, *at_once)
    add_answers(app, services, sizes)
    add_operating(app, services, sizes)
    add_health(app, services)
    add_pages(app)
    return app


def _app() -> bottle.Bottle:
    app = bottle.Bottle(catchall=True)
    app.install(Faults())
    app.default_error_handler = plain_errors
    return app


def _sizes(services: Services) -> Sizes:
    settings = services.settings
    return Sizes(settings.max_event_bytes, settings.max_batch_bytes, settings.max_batch_events)
