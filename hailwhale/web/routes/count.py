"""The counting routes, the same whether an event is buffered or counted at once."""

from __future__ import annotations

from collections.abc import Callable

import bottle

from hailwhale.core.events.param_names import Fields
from hailwhale.errors import BadInput
from hailwhale.services.ingest.types import BatchReport, CountMany
from hailwhale.store.types import AcceptStatus
from hailwhale.web.plugins.errors import reason_of
from hailwhale.web.plugins.request_log import note_refused
from hailwhale.web.request import SizeLimits, media_type, posted_events, query_fields
from hailwhale.web.responses import (
    RETRY_AFTER_S,
    counted_reply,
    error_body,
    head_refused,
    json_reply,
    message_body,
)


def add_counting(
    app: bottle.Bottle,
    paths: dict[str, bool],
    sizes: SizeLimits,
    count: Callable[[Fields], AcceptStatus],
    count_many: CountMany,
) -> None:
    """Mount counting at `paths`; each maps to whether it always answers with the pixel.

    GET counts one event. POST takes a form, a JSON object, an array or lines of JSON.
    """

    def counting(pixel: bool) -> Callable[[], bottle.HTTPResponse]:
        def counted() -> bottle.HTTPResponse:
            environ = bottle.request.environ
            if environ["REQUEST_METHOD"] == "POST":
                return posted(pixel)
            count(query_fields(environ, sizes))
            return counted_reply(environ, pixel)

        return counted

    def posted(pixel: bool) -> bottle.HTTPResponse:
        environ = bottle.request.environ
        body = posted_events(environ, sizes)
        if body.batch:
            return _batch_reply(count_many(body.events))
        event = body.events[0]
        if isinstance(event, BadInput):
            raise event
        receipt = count(event)
        if media_type(environ) == "application/json":
            return _batch_reply(BatchReport(1, int(receipt is AcceptStatus.DUPLICATE)))
        return counted_reply(environ, pixel)

    for path, pixel in paths.items():
        app.route(path, ["GET", "POST"], counting(pixel))
        app.route(path, "HEAD", head_refused)


def _batch_reply(report: BatchReport) -> bottle.HTTPResponse:
    """Return how many events were accepted and which were not.

    The status is 400 if all were refused, 503 if the buffer was full for some, and 429 if the
    sender was over a rate limit. `unbuffered` names these events: those, and only those, may be
    sent again.
    """
    body: dict[str, object] = {
        "accepted": report.accepted,
        "rejected": [{"index": place, **error_body(fault)} for place, fault in report.rejected],
    }
    if report.duplicates:
        body["duplicates"] = report.duplicates
    environ = bottle.request.environ
    for _, fault in report.rejected:
        note_refused(environ, reason_of(fault))
    if report.over_rate is not None:
        note_refused(environ, "rate", len(report.unbuffered))
        body["unbuffered"] = report.unbuffered
        body |= message_body(str(report.over_rate))
        return json_reply(body, 429, Retry_After=str(report.over_rate.retry_after_s))
    if report.unbuffered:
        note_refused(environ, "full", len(report.unbuffered))
        body["unbuffered"] = report.unbuffered
        return json_reply(body, 503, Retry_After=str(RETRY_AFTER_S))
    return json_reply(body, 400 if report.rejected and not report.accepted else 200)
