"""/spy: the last events of a pk or of a visitor, as JSON or live as server-sent events.

Owns how events are sent while they come. A viewer takes a thread of the server, so there are few at
once, and each has to come again after some minutes, which browsers do by themselves.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from threading import BoundedSemaphore

import bottle
import simplejson

from hailwhale.errors import HailWhaleError, StoreUnavailable
from hailwhale.services.container import Services
from hailwhale.services.ingest.spy_log import MAX_LIMIT, RecentEvents, SpyQuestion, parse_spy
from hailwhale.types import SpyEvent
from hailwhale.web.request import SizeLimits, one_event
from hailwhale.web.responses import json_reply

MAX_VIEWERS = 4  # of one process
LOOKS = 600  # of one viewer, a second apart
_LOOK_S = 1.0
_QUIET_LOOKS = 15  # after which something is sent, so that who has gone is found out
_NUMBER = re.compile(r"[0-9]{1,18}")
_EVENTS = "text/event-stream"
_HEADERS = {
    "Content-Type": f"{_EVENTS}; charset=utf-8",
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",  # nginx would keep events until it has many
}


def add_spy(
    app: bottle.Bottle,
    services: Services,
    sizes: SizeLimits,
    pause: Callable[[float], None] = time.sleep,
) -> None:
    """Mount /spy; `pause` waits between two looks at the store."""
    viewers = BoundedSemaphore(MAX_VIEWERS)
    spying = services.spying

    def spy() -> bottle.HTTPResponse:
        environ = bottle.request.environ
        question = parse_spy(one_event(environ, sizes), services.settings.limits)
        if not question.live and not environ.get("HTTP_ACCEPT", "").startswith(_EVENTS):
            return json_reply({"events": spying.recent(question)})
        last = environ.get("HTTP_LAST_EVENT_ID", "")
        number, events = spying.since(question, int(last) if _NUMBER.fullmatch(last) else None)
        if not viewers.acquire(blocking=False):
            raise StoreUnavailable(f"{MAX_VIEWERS} viewers are looking at this process already")
        live = _live(spying, question, number, events, pause)
        return bottle.HTTPResponse(_released(live, viewers), 200, _HEADERS)

    app.route("/spy", ["GET", "POST"], spy)


def _released(live: Iterator[str], viewers: BoundedSemaphore) -> Iterator[str]:
    try:
        yield from live
    finally:
        viewers.release()


def _live(
    spying: RecentEvents,
    question: SpyQuestion,
    number: int,
    events: Sequence[SpyEvent],
    pause: Callable[[float], None],
) -> Iterator[str]:
    question = replace(question, limit=MAX_LIMIT)
    quiet = 0
    yield ": the last events, and those to come\n\n" + _written(number, events)
    for _ in range(LOOKS):
        pause(_LOOK_S)
        try:
            number, events = spying.since(question, number)
        except HailWhaleError:
            events = ()
        quiet = 0 if events else quiet + 1
        if events:
            yield _written(number, events)
        elif quiet >= _QUIET_LOOKS:
            quiet = 0
            yield ": nothing new\n\n"


def _written(number: int, events: Sequence[SpyEvent]) -> str:
    """Events as they are sent, the oldest first; what follows the last one has a higher number."""
    lines = [simplejson.dumps(event, use_decimal=True) for event in reversed(events)]
    return "".join(f"id: {number}\ndata: {line}\n\n" for line in lines)
