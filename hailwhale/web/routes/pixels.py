"""/pixel/<token>.gif: counts the event that is sealed in its token, and nothing else."""

from __future__ import annotations

from collections.abc import Callable

import bottle

from hailwhale.core.events.literals import unwrap
from hailwhale.core.events.param_names import Fields
from hailwhale.services.security.sealed_tokens import TokenSealer
from hailwhale.store.types import AcceptStatus
from hailwhale.web.plugins.request_log import note_refused
from hailwhale.web.request import SizeLimits, query_fields
from hailwhale.web.responses import counted_reply, head_refused


def add_pixels(
    app: bottle.Bottle,
    sizes: SizeLimits,
    sealing: TokenSealer,
    count: Callable[[Fields], AcceptStatus],
) -> None:
    """Mount /pixel/. A replayed pixel that counts once is answered as the first time."""

    def pixel(token: str) -> bottle.HTTPResponse:
        environ = bottle.request.environ
        filled = {name: unwrap(value) for name, value in query_fields(environ, sizes).items()}
        if count(sealing.event(token, filled)) is AcceptStatus.DUPLICATE:
            note_refused(environ, "replayed")
        return counted_reply(environ, pixel=True)

    def head(token: str) -> bottle.HTTPResponse:
        return head_refused()

    app.route("/pixel/<token>.gif", "GET", pixel)
    app.route("/pixel/<token>.gif", "HEAD", head)
