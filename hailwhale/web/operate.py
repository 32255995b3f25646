"""The routes that change what is there: set a counter, drain now, erase. They need an admin."""

from __future__ import annotations

import hmac

import bottle

from hailwhale.core.dimensions import parse_pk
from hailwhale.core.fields import settle_names
from hailwhale.core.question import parse_asked
from hailwhale.errors import BadInput, NotAllowed
from hailwhale.services.assembly import Services
from hailwhale.web.params import Sizes, one_event
from hailwhale.web.replies import head_refused, json_reply


def add_operating(app: bottle.Bottle, services: Services, sizes: Sizes) -> None:
    """Mount /update_count_to, /flush_hail and /reset."""
    limits = services.settings.limits

    def update_count_to() -> bottle.HTTPResponse:
        _require_admin(services.settings.admin_token)
        services.counting.update_count_to(one_event(bottle.request.environ, sizes))
        return json_reply({"updated": True})

    def flush_hail() -> bottle.HTTPResponse:
        _require_admin(services.settings.admin_token)
        settle_names(one_event(bottle.request.environ, sizes), ("pk",))
        return json_reply({"counted": services.drain.flush()})

    def reset() -> bottle.HTTPResponse:
        _require_admin(services.settings.admin_token)
        fields = settle_names(one_event(bottle.request.environ, sizes), ("pk", "dimensions"))
        if fields.get("pk") in (None, ""):
            raise BadInput("pk", fields.get("pk"), "the pk to erase (pk=_ for the unnamed one)")
        paths = parse_asked(fields.get("dimensions"), limits)
        if len(paths) != 1:
            raise BadInput("dimensions", fields["dimensions"], "one dimension to erase")
        erased = services.erasing.reset(parse_pk(fields["pk"], limits), paths[0])
        return json_reply({"erased": erased})

    for path, operation in (
        ("/update_count_to", update_count_to),
        ("/flush_hail", flush_hail),
        ("/reset", reset),
    ):
        app.route(path, ["GET", "POST"], operation)
        app.route(path, "HEAD", head_refused)


def _require_admin(token: str) -> None:
    """Refuse whoever has not shown the admin token; with none set, other sites' pages.

    Without a token the service listens on loopback (or was opened on purpose), where any page in
    the operator's browser could point an image at /reset: browsers say so in Sec-Fetch-Site.
    """
    environ = bottle.request.environ
    if not token:
        if environ.get("HTTP_SEC_FETCH_SITE", "none") not in ("none", "same-origin"):
            raise NotAllowed("not from another site's page", token_shown=True)
        return
    scheme, _, shown = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    shown_bytes = shown.strip().encode("latin-1", "replace") if scheme.lower() == "bearer" else b""
    if not hmac.compare_digest(shown_bytes, token.encode()):
        raise NotAllowed(
            "this needs the header 'Authorization: Bearer <admin token>'",
            token_shown=bool(shown_bytes),
        )
