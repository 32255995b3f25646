"""/healthz: liveness, and what is pending. /readyz: readiness."""

from __future__ import annotations

import bottle

from hailwhale.errors import StoreUnavailable
from hailwhale.services.container import Services
from hailwhale.web.plugins.auth import sees_details
from hailwhale.web.responses import RETRY_AFTER_S, json_reply


def add_health(app: bottle.Bottle, services: Services) -> None:
    """Mount /healthz and /readyz."""

    def healthz() -> bottle.HTTPResponse:
        """Return 200 while the process serves; `store` says whether its store answers.

        With a spool, `spooled_bytes` is what is pending on this machine's disk. Callers who may not
        see details get the first two only.
        """
        details = sees_details(bottle.request.environ)
        spool = services.spool
        spooled = {"spooled_bytes": spool.size_bytes()} if spool is not None else {}
        try:
            vitals = services.store.stats.vitals()
        except StoreUnavailable as fault:
            told = {"reason": str(fault), **spooled} if details else {}
            return json_reply({"status": "ok", "store": "away", **told})
        waiting = {"buffered": vitals.buffered, "planned": vitals.planned}
        told = {**waiting, **spooled, **vitals.counts} if details else {}
        return json_reply({"status": "ok", "store": "ok", **told})

    def readyz() -> bottle.HTTPResponse:
        """Return 200 while the store answers and the drain lag is within its limit, else 503.

        Only callers who may see details get the lag.
        """
        details = sees_details(bottle.request.environ)
        most_s = services.settings.ready_lag_s
        try:
            lag_s = services.store.stats.vitals().lag_s
        except StoreUnavailable:
            return _not_ready("the store does not answer")
        if most_s and lag_s > most_s:
            exact = f"hits have waited {lag_s:.0f} s for the drain; the limit is {most_s} s"
            return _not_ready(exact if details else "hits have waited too long for the drain")
        lag = {"lag_s": round(lag_s, 1)} if details else {}
        return json_reply({"status": "ready", **lag})

    app.route("/healthz", "GET", healthz)
    app.route("/readyz", "GET", readyz)


def _not_ready(reason: str) -> bottle.HTTPResponse:
    body = {"status": "not ready", "reason": reason}
    return json_reply(body, 503, Retry_After=str(RETRY_AFTER_S))
