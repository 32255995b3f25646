"""Logs and measures every request: its id, its duration, why it was refused.

Implements the plugin that wraps each request. A log line never contains a query or a body, which
are other people's data. Knows nothing of what a route does.
"""

from __future__ import annotations

import itertools
import logging
import os
import re
import secrets
from collections import Counter
from collections.abc import Callable, Mapping, MutableMapping
from contextvars import ContextVar
from functools import cache
from time import perf_counter
from typing import Any

import bottle

from hailwhale.services.ops.request_stats import RequestStats

log = logging.getLogger("hailwhale.request")

request_id: ContextVar[str] = ContextVar("request_id", default="")

_REFUSED = "hailwhale.refused"
_DETAIL = "hailwhale.detail"
_GIVEN = re.compile(r"[A-Za-z0-9._\-]{1,64}", re.ASCII)
_FROM_STATUS = {"none": 1000, "errors": 500, "refused": 400, "all": 0}
_numbers = itertools.count(1)


def note_refused(environ: MutableMapping[str, Any], reason: str, events: int = 1) -> None:
    """Note that a request, or some events of it, were refused, for the operator's metrics."""
    environ.setdefault(_REFUSED, Counter())[reason] += events


def note_detail(environ: MutableMapping[str, Any], detail: str) -> None:
    """Note why a request failed, for its line in the log; the caller does not see it."""
    environ[_DETAIL] = detail


class RequestLog:
    """A Bottle plugin that logs and measures requests.

    Install it before all others, so that it sees their responses. `lines` selects the requests to
    log: none, errors (5xx), refused (4xx too), all.
    """

    name = "observed"
    api = 2

    def __init__(
        self, tallies: RequestStats, lines: str, client_of: Callable[[Mapping[str, Any]], str]
    ) -> None:
        self._tallies = tallies
        self._client_of = client_of
        self._from_status = _FROM_STATUS[lines]

    def apply(self, callback: Callable[..., Any], route: bottle.Route) -> Callable[..., Any]:
        rule = route.rule

        def observed(*args: Any, **kwargs: Any) -> Any:
            start_s = perf_counter()
            environ = bottle.request.environ
            id = _settled_id(environ.get("HTTP_X_REQUEST_ID", ""))
            request_id.set(id)
            try:
                reply = callback(*args, **kwargs)
            except Exception:
                self._told(environ, rule, 500, start_s)
                raise
            reply.set_header("X-Request-ID", id)
            self._told(environ, rule, reply.status_code, start_s)
            return reply

        return observed

    def _told(self, environ: Any, rule: str, status: int, start_s: float) -> None:
        elapsed_s = perf_counter() - start_s
        self._tallies.answered(rule, status, elapsed_s)
        reasons = environ.get(_REFUSED)
        if reasons is not None:
            for reason, events in reasons.items():
                self._tallies.refused(reason, events)
        if status >= self._from_status:
            shown: dict[str, object] = {
                "method": environ["REQUEST_METHOD"],
                "route": rule,
                "status": status,
                "ms": round(elapsed_s * 1000, 2),
                "client": self._client_of(environ),
            }
            if reasons:
                shown["refused"] = ",".join(reasons)
            if _DETAIL in environ:
                shown["detail"] = environ[_DETAIL]
            log.log(
                logging.ERROR if status >= 500 else logging.INFO,
                "%s %s %d",
                shown["method"],
                rule,
                status,
                extra={"shown": shown},
            )


def _settled_id(given: str) -> str:
    """Return the request id that a proxy sent if it is valid; else a generated one."""
    if given and _GIVEN.fullmatch(given):
        return given
    return f"{_prefix(os.getpid())}-{next(_numbers):x}"


@cache
def _prefix(_pid: int) -> str:
    """Return a prefix of its own for each process."""
    return secrets.token_hex(4)
