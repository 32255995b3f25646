"""Answers: JSON with exact numbers, the pixel, CSV, and errors that name their parameter.

Owns how an answer looks on the wire and which status a fault has. It does not know the routes.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import bottle
import simplejson

from hailwhale.errors import (
    BadInput,
    BufferFull,
    HailWhaleError,
    NotAllowed,
    NotYours,
    StoreUnavailable,
    TooLarge,
    TooMany,
)
from hailwhale.web.observing import note_refused

log = logging.getLogger("hailwhale.web")

# A transparent GIF of one pixel, the smallest that every browser draws.
PIXEL = bytes.fromhex(
    "47494638396101000100800000000000ffffff21f90401000000002c0000000001000100000202440100 3b"
)
RETRY_AFTER_S = 2
_PLAIN = {403: "not for you", 404: "no such path", 405: "not with this method"}
_NEVER_CACHED = {
    "Cache-Control": "no-store, no-cache, must-revalidate, max-age=0",
    "Pragma": "no-cache",
    "Expires": "0",
}


def json_reply(value: object, status: int = 200, **headers: str) -> bottle.HTTPResponse:
    """A JSON answer; decimals are written with all their digits."""
    body = simplejson.dumps(
        value, use_decimal=True, ensure_ascii=True, separators=(",", ":"), allow_nan=False
    )
    return bottle.HTTPResponse(
        body,
        status,
        {
            "Content-Type": "application/json",
            "X-Content-Type-Options": "nosniff",
            **_NEVER_CACHED,
            **{name.replace("_", "-"): value for name, value in headers.items()},
        },
    )


def _counted(body: bytes, kind: str) -> bottle.HTTPResponse:
    headers = {
        "Content-Type": kind,
        "Content-Length": str(len(body)),
        "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Resource-Policy": "cross-origin",
        **_NEVER_CACHED,
    }
    return bottle.HTTPResponse(body, 200, headers)


_OK = _counted(b"OK", "text/plain; charset=utf-8")
_PIXEL = _counted(PIXEL, "image/gif")


def counted_reply(environ: Mapping[str, Any], pixel: bool = False) -> bottle.HTTPResponse:
    """What a counting GET gets: the pixel where an image is wanted first, else `OK`."""
    wants_image = pixel or first_wanted(environ.get("HTTP_ACCEPT", "")).startswith("image/")
    made = _PIXEL if wants_image else _OK
    # As new, and quicker than making one; the headers are its own, for an app may add to them.
    reply = bottle.HTTPResponse.__new__(bottle.HTTPResponse)
    vars(reply).update(vars(made))
    reply._headers = {name: [*values] for name, values in made._headers.items()}
    return reply


def left_out_reply(environ: Mapping[str, Any], pixel: bool) -> bottle.HTTPResponse:
    """What a bot gets whose hits are left out of the counts."""
    if pixel or first_wanted(environ.get("HTTP_ACCEPT", "")).startswith("image/"):
        return counted_reply(environ, pixel=True)
    return text_reply("left out of the counts: a bot")


def head_refused() -> bottle.HTTPResponse:
    """The answer to HEAD where a GET changes something: what only looks must not."""
    return bottle.HTTPResponse("", 405, {"Allow": "GET, POST"})


def text_reply(text: str) -> bottle.HTTPResponse:
    """A plain text."""
    headers = {
        "Content-Type": "text/plain; charset=utf-8",
        "X-Content-Type-Options": "nosniff",
        **_NEVER_CACHED,
    }
    return bottle.HTTPResponse(text, 200, headers)


def csv_reply(text: str) -> bottle.HTTPResponse:
    """A CSV answer."""
    headers = {
        "Content-Type": "text/csv; charset=utf-8",
        "X-Content-Type-Options": "nosniff",
        **_NEVER_CACHED,
    }
    return bottle.HTTPResponse(text, 200, headers)


def fault_reply(fault: HailWhaleError) -> bottle.HTTPResponse:
    """The answer to a fault, with the status that fits it."""
    if isinstance(fault, NotYours):
        return json_reply(error_body(fault), 403)
    if isinstance(fault, BadInput):
        return json_reply(error_body(fault), 413 if isinstance(fault, TooLarge) else 400)
    if isinstance(fault, NotAllowed):
        status = 403 if fault.token_shown else 401
        headers = {} if fault.token_shown else {"WWW_Authenticate": 'Bearer realm="hailwhale"'}
        return json_reply(_message(str(fault)), status, **headers)
    if isinstance(fault, TooMany):
        return json_reply(_message(str(fault)), 429, Retry_After=str(fault.retry_after_s))
    if isinstance(fault, StoreUnavailable):
        return json_reply(_message(str(fault)), 503, Retry_After=str(RETRY_AFTER_S))
    log.error("unexpected fault: %s", fault)
    return json_reply(_message(str(fault)), 500)


def reason_of(fault: HailWhaleError) -> str:
    """A fault in a word, for the operator's tallies of what was refused."""
    reasons: list[tuple[type[HailWhaleError], str]] = [
        (TooLarge, "large"),
        (NotYours, "token"),
        (BadInput, "wrong"),
        (BufferFull, "full"),
        (StoreUnavailable, "away"),
        (TooMany, "rate"),
    ]
    if isinstance(fault, NotAllowed):
        return fault.reason
    return next((word for kind, word in reasons if isinstance(fault, kind)), "fault")


def error_body(fault: BadInput) -> dict[str, object]:
    """`{"error": {"parameter": …, "message": …}}`."""
    return {"error": {"parameter": fault.parameter, "message": fault.message}}


def _message(text: str) -> dict[str, object]:
    return {"error": {"parameter": None, "message": text}}


class Faults:
    """A Bottle plugin: what HailWhale raises becomes an answer, never a stack trace.

    `told` has, by their rules, the routes that tell a fault in a way of their own.
    """

    name = "faults"
    api = 2

    def __init__(self, told: Mapping[str, Callable[[HailWhaleError], bottle.HTTPResponse]]) -> None:
        self._told = told

    def apply(self, callback: Callable[..., Any], route: bottle.Route) -> Callable[..., Any]:
        told = self._told.get(route.rule, fault_reply)

        def answered(*args: Any, **kwargs: Any) -> Any:
            try:
                return callback(*args, **kwargs)
            except HailWhaleError as fault:
                note_refused(bottle.request.environ, reason_of(fault))
                return told(fault)

        return answered


def plain_errors(error: bottle.HTTPError) -> str:
    """Bottle's own errors (an unknown path, a wrong method) in the same JSON as ours."""
    if error.exception is not None:
        log.error("a fault of ours", exc_info=error.exception)
    bottle.response.content_type = "application/json"
    text = _PLAIN.get(error.status_code, "a fault of ours, which is in the log")
    return str(simplejson.dumps(_message(text)))


@lru_cache(256)
def first_wanted(accept: str) -> str:
    """The media type that an Accept header wants most; the first of equals."""
    best, best_quality = "", 0.0
    for part in accept.split(","):
        kind, *parameters = (piece.strip() for piece in part.split(";"))
        quality = 1.0
        for parameter in parameters:
            if parameter.startswith("q="):
                try:
                    quality = float(parameter[2:])
                except ValueError:
                    quality = 0.0
        if quality > best_quality:
            best, best_quality = kind, quality
    return best
