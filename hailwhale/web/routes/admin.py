"""The routes that change data: set a counter, drain now, erase.

They need an admin, which `auth` checks.
"""

from __future__ import annotations

import bottle

from hailwhale.core.events.param_names import normalize_names
from hailwhale.core.events.paths import parse_pk
from hailwhale.core.query.parameters import (
    BELOW_PARAMETERS,
    RESET_PARAMETERS,
    parse_requested_dimensions,
)
from hailwhale.core.value_parsers import is_absent
from hailwhale.errors import BadInput
from hailwhale.services.container import Services
from hailwhale.web.request import SizeLimits, one_event
from hailwhale.web.responses import head_refused, json_reply


def add_operating(app: bottle.Bottle, services: Services, sizes: SizeLimits) -> None:
    """Mount /update_count_to, /flush_hail and /reset."""
    limits = services.settings.limits

    def update_count_to() -> bottle.HTTPResponse:
        services.counting.update_count_to(one_event(bottle.request.environ, sizes))
        return json_reply({"updated": True})

    def flush_hail() -> bottle.HTTPResponse:
        normalize_names(one_event(bottle.request.environ, sizes), BELOW_PARAMETERS)
        return json_reply({"counted": services.drain.flush()})

    def reset() -> bottle.HTTPResponse:
        fields = normalize_names(one_event(bottle.request.environ, sizes), RESET_PARAMETERS)
        if is_absent(fields.get("pk")):
            raise BadInput("pk", fields.get("pk"), "the pk to erase (pk=_ for the unnamed one)")
        paths = parse_requested_dimensions(fields.get("dimensions"), limits)
        if len(paths) != 1:
            raise BadInput("dimensions", fields["dimensions"], "one dimension to erase")
        erased = services.erasing.reset(parse_pk(fields["pk"], limits), paths[0])
        return json_reply({"erased": erased.chunks, "pks": erased.pks})

    for path, operation in (
        ("/update_count_to", update_count_to),
        ("/flush_hail", flush_hail),
        ("/reset", reset),
    ):
        app.route(path, ["GET", "POST"], operation)
        app.route(path, "HEAD", head_refused)
