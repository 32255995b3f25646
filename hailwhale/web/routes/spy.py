"""/spy: the last events of a pk or of a visitor, as JSON or live as server-sent events.

Defines how live events are sent. Each viewer occupies a thread of the server, so at most half of
the threads serve viewers, and each viewer has to reconnect after some minutes, which browsers do
automatically.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from threading import BoundedSemaphore

import bottle
import simplejson

from hailwhale.core.query.parameters import MAX_SPY_LIMIT, SpyQuestion, parse_spy
from hailwhale.errors import HailWhaleError, StoreUnavailable
from hailwhale.services.container import Services
from hailwhale.services.ingest.spy_log import RecentEvents, RecentPage
from hailwhale.services.json_shapes import events_json
from hailwhale.web.request import SizeLimits, one_event
from hailwhale.web.responses import json_reply

MAX_VIEWERS = 4  # of one process with 8 threads or more
LOOKS = 600  # per viewer, a second apart
_LOOK_S = 1.0
_QUIET_LOOKS = 15  # then a comment is sent, to detect closed connections
_NUMBER = re.compile(r"[0-9]{1,18}")
_EVENTS = "text/event-stream"
_HEADERS = {
    "Content-Type": f"{_EVENTS}; charset=utf-8",
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",  # keeps nginx from buffering events
}


def add_spy(
    app: bottle.Bottle,
    services: Services,
    sizes: SizeLimits,
    pause: Callable[[float], None] = time.sleep,
) -> None:
    """Mount /spy; `pause` waits between two polls of the store."""
    most = max_viewers(services.settings.threads)
    viewers = BoundedSemaphore(most)
    spying = services.spying

    def spy() -> bottle.HTTPResponse:
        environ = bottle.request.environ
        question = parse_spy(one_event(environ, sizes), services.settings.limits)
        if not question.live and not environ.get("HTTP_ACCEPT", "").startswith(_EVENTS):
            return json_reply({"events": events_json(spying.recent(question))})
        last = environ.get("HTTP_LAST_EVENT_ID", "")
        page = spying.since(question, int(last) if _NUMBER.fullmatch(last) else None)
        if not viewers.acquire(blocking=False):
            raise StoreUnavailable(_too_many(most))
        live = _live(spying, question, page, pause)
        return bottle.HTTPResponse(_released(live, viewers), 200, _HEADERS)

    app.route("/spy", ["GET", "POST"], spy)


def max_viewers(threads: int) -> int:
    """Return how many viewers a process with so many threads serves; the others answer requests.

    >>> [max_viewers(threads) for threads in (1, 2, 4, 16)]
    [0, 1, 2, 4]
    """
    return min(MAX_VIEWERS, threads // 2)


def _too_many(most: int) -> str:
    if not most:
        return "live events need at least two threads: set HAILWHALE_THREADS"
    return f"this process already has {most} live viewers, half of its HAILWHALE_THREADS"


def _released(live: Iterator[str], viewers: BoundedSemaphore) -> Iterator[str]:
    try:
        yield from live
    finally:
        viewers.release()


def _live(
    spying: RecentEvents,
    question: SpyQuestion,
    page: RecentPage,
    pause: Callable[[float], None],
) -> Iterator[str]:
    question = replace(question, limit=MAX_SPY_LIMIT)
    quiet = 0
    yield ": recent events, then new ones\n\n" + _written(page)
    for _ in range(LOOKS):
        pause(_LOOK_S)
        try:
            page = spying.since(question, page.number)
        except HailWhaleError:
            page = RecentPage(page.number, ())
        quiet = 0 if page.events else quiet + 1
        if page.events:
            yield _written(page)
        elif quiet >= _QUIET_LOOKS:
            quiet = 0
            yield ": no new events\n\n"


def _written(page: RecentPage) -> str:
    """Format events as they are sent, oldest first; later events have higher numbers."""
    events = reversed(events_json(page.events))
    lines = [simplejson.dumps(event, use_decimal=True) for event in events]
    return "".join(f"id: {page.number}\ndata: {line}\n\n" for line in lines)
