"""Builds HTTP responses: JSON with exact numbers, the pixel, plain text and CSV.

Knows nothing of the routes.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import bottle
import simplejson

from hailwhale.errors import (
    BadInput,
)

# A transparent GIF of one pixel, the smallest that every browser renders.
PIXEL = bytes.fromhex(
    "47494638396101000100800000000000ffffff21f90401000000002c0000000001000100000202440100 3b"
)
RETRY_AFTER_S = 2
_NEVER_CACHED = {
    "Cache-Control": "no-store, no-cache, must-revalidate, max-age=0",
    "Pragma": "no-cache",
    "Expires": "0",
}


def json_reply(value: object, status: int = 200, **headers: str) -> bottle.HTTPResponse:
    """Return a JSON response; decimals keep all their digits."""
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
    """Return the response to a counting GET: the pixel if an image is preferred, else `OK`."""
    wants_image = pixel or first_wanted(environ.get("HTTP_ACCEPT", "")).startswith("image/")
    made = _PIXEL if wants_image else _OK
    # Copying is faster than constructing; the headers are copied because an app may add to them.
    reply = bottle.HTTPResponse.__new__(bottle.HTTPResponse)
    vars(reply).update(vars(made))
    reply._headers = {name: [*values] for name, values in made._headers.items()}
    return reply


def left_out_reply(environ: Mapping[str, Any], pixel: bool) -> bottle.HTTPResponse:
    """Return the response to a bot whose hits are left out of the counts."""
    if pixel or first_wanted(environ.get("HTTP_ACCEPT", "")).startswith("image/"):
        return counted_reply(environ, pixel=True)
    return text_reply("not counted: the client is a bot")


def forbid_sniffing() -> None:
    """Have browsers take the response at hand for the type that it names, and for no other."""
    bottle.response.set_header("X-Content-Type-Options", "nosniff")


def head_refused() -> bottle.HTTPResponse:
    """Refuse HEAD on a route whose GET changes something: HEAD must not change anything."""
    return bottle.HTTPResponse("", 405, {"Allow": "GET, POST"})


def text_reply(text: str) -> bottle.HTTPResponse:
    """Return a plain-text response."""
    headers = {
        "Content-Type": "text/plain; charset=utf-8",
        "X-Content-Type-Options": "nosniff",
        **_NEVER_CACHED,
    }
    return bottle.HTTPResponse(text, 200, headers)


def csv_reply(text: str) -> bottle.HTTPResponse:
    """Return a CSV response."""
    headers = {
        "Content-Type": "text/csv; charset=utf-8",
        "X-Content-Type-Options": "nosniff",
        **_NEVER_CACHED,
    }
    return bottle.HTTPResponse(text, 200, headers)


def error_body(fault: BadInput) -> dict[str, object]:
    """Return the JSON body of an error: `{"error": {"parameter": …, "message": …}}`."""
    return {"error": {"parameter": fault.parameter, "message": fault.message}}


def message_body(text: str) -> dict[str, object]:
    return {"error": {"parameter": None, "message": text}}


@lru_cache(256)
def first_wanted(accept: str) -> str:
    """Return the preferred media type of an Accept header; the first of equals."""
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
