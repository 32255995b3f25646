"""/healthz: alive, and what waits."""

from __future__ import annotations

import bottle

from hailwhale.errors import StoreUnavailable
from hailwhale.services.assembly import Services
from hailwhale.web.replies import json_reply


def add_health(app: bottle.Bottle, services: Services) -> None:
    """Mount /healthz."""

    def healthz() -> bottle.HTTPResponse:
        """200 while the process serves; `store` says whether its store answers.

        With a spool, `spooled_bytes` is what waits on this machine's disk for the store.
        """
        spool = services.spool
        spooled = {"spooled_bytes": spool.size_bytes()} if spool is not None else {}
        try:
            loads, stats = services.store.loads(), services.store.stats()
        except StoreUnavailable as fault:
            return json_reply({"status": "ok", "store": "away", "reason": str(fault), **spooled})
        waiting = {
            "buffered": sum(load.buffered for load in loads),
            "planned": sum(load.planned for load in loads),
        }
        return json_reply({"status": "ok", "store": "ok", **waiting, **spooled, **stats})

    app.route("/healthz", "GET", healthz)
