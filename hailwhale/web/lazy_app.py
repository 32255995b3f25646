"""A WSGI app that opens its store at the first request: nothing happens at import or fork.

While the store cannot be opened, every request is answered with 503 or 500 and the log has the
reason. The next request tries again. So a server may start before its store does.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from threading import Lock
from typing import Any

from hailwhale.errors import HailWhaleError
from hailwhale.services.container import Services, open_services
from hailwhale.settings import Settings
from hailwhale.web.plugins.errors import fault_reply

log = logging.getLogger("hailwhale.web")

WSGIApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class LazyApp:
    """The app that `make_app` creates from the services of `settings` (default: the environment's).

    `make_app` is `hail_app` or `whale_app`. With `spooled`, as for hail, an unavailable store does
    not keep the app from starting: hits go to the spool.
    """

    def __init__(
        self,
        make_app: Callable[[Services], WSGIApp],
        settings: Settings | None = None,
        *,
        spooled: bool = False,
    ) -> None:
        self._make_app = make_app
        self._settings = settings
        self._spooled = spooled
        self._app: WSGIApp | None = None
        self._lock = Lock()

    def open(self) -> WSGIApp:
        """Return the app, opening its store first; raise what opening a store may raise."""
        with self._lock:
            if self._app is None:
                settings = self._settings or Settings.from_env()
                self._app = self._make_app(open_services(settings, spooled=self._spooled))
            return self._app

    def prepare(self) -> None:
        """Open the store now if possible; otherwise the first request tries again."""
        try:
            self.open()
        except HailWhaleError as fault:
            log.warning("%s; trying again on the next request", fault)

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        try:
            app = self._app or self.open()
        except HailWhaleError as fault:
            log.warning("%s; trying again at the next request", fault)
            reply = fault_reply(fault)
            start_response(reply.status_line, reply.headerlist)
            return [reply.body.encode()]
        return app(environ, start_response)
