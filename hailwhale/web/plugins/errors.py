"""Turns exceptions into HTTP errors: the status of each, and its JSON body."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any

import bottle
import simplejson

from hailwhale.errors import (
    BadInput,
    BufferFull,
    HailWhaleError,
    NotAllowed,
    NotYours,
    StoreMismatch,
    StoreUnavailable,
    TooLarge,
    TooMany,
)
from hailwhale.web.plugins.request_log import note_refused
from hailwhale.web.responses import RETRY_AFTER_S, error_body, json_reply, message_body

log = logging.getLogger("hailwhale.web")

_COMPARED_CHARS = 64  # of an unknown path
_CLOSE = 0.75  # how similar a suggested path is; 1 is equal
_PLAIN = {403: "forbidden", 404: "not found", 405: "method not allowed"}


def fault_reply(fault: HailWhaleError) -> bottle.HTTPResponse:
    """Return the response to an error, with the status that fits it."""
    if isinstance(fault, NotYours):
        return json_reply(error_body(fault), 403)
    if isinstance(fault, BadInput):
        return json_reply(error_body(fault), 413 if isinstance(fault, TooLarge) else 400)
    if isinstance(fault, NotAllowed):
        status = 403 if fault.token_shown else 401
        headers = {} if fault.token_shown else {"WWW_Authenticate": 'Bearer realm="hailwhale"'}
        return json_reply(message_body(str(fault)), status, **headers)
    if isinstance(fault, TooMany):
        return json_reply(message_body(str(fault)), 429, Retry_After=str(fault.retry_after_s))
    if isinstance(fault, StoreUnavailable):
        return json_reply(message_body(str(fault)), 503, Retry_After=str(RETRY_AFTER_S))
    if isinstance(fault, StoreMismatch):  # an operator has to act; then a repetition succeeds
        log.error("%s", fault)
        return json_reply(message_body(str(fault)), 503, Retry_After=str(RETRY_AFTER_S))
    log.error("unexpected error: %s", fault)
    return json_reply(message_body(str(fault)), 500)


def reason_of(fault: HailWhaleError) -> str:
    """Return an error in one word, for the metrics of refused requests."""
    reasons: list[tuple[type[HailWhaleError], str]] = [
        (TooLarge, "large"),
        (NotYours, "token"),
        (BadInput, "wrong"),
        (BufferFull, "full"),
        (StoreUnavailable, "away"),
        (StoreMismatch, "mismatch"),
        (TooMany, "rate"),
    ]
    if isinstance(fault, NotAllowed):
        return fault.reason
    return next((word for kind, word in reasons if isinstance(fault, kind)), "fault")


class ErrorHandler:
    """A Bottle plugin that turns exceptions of HailWhale into responses, never a stack trace.

    `told` maps the rules of routes that render errors in their own way to the function that does.
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
    """Return Bottle's own errors (an unknown path, a wrong method) as JSON like all others."""
    if error.exception is not None:
        log.error("internal error", exc_info=error.exception)
    bottle.response.content_type = "application/json"
    text = _PLAIN.get(error.status_code, "internal error (see the log)")
    return str(simplejson.dumps(message_body(text + _hint(error))))


def _hint(error: bottle.HTTPError) -> str:
    """Suggest the route with the closest path (404), or name the methods of the route (405)."""
    if error.status_code == 405:
        methods = [each for each in error.headers.get("Allow", "").split(",") if each != "HEAD"]
        return f": use {', '.join(methods)}" if any(methods) else ""
    if error.status_code == 404:
        close = _closest_path(bottle.request.path)
        return f": did you mean {close}?" if close else ""
    return ""


def _closest_path(path: str) -> str | None:
    """Return the path of a route that a wrong path resembles, as a whole or in its last part."""
    rules: set[str] = {r.rule for r in bottle.request.app.routes if "<" not in r.rule}
    if path in rules:  # the route was found; what it serves was not
        return None
    last = path[-_COMPARED_CHARS:].rstrip("/").rpartition("/")[2]
    for wanted in (path[-_COMPARED_CHARS:], f"/{last}", f"/{last.partition('.')[0]}"):
        if close := get_close_matches(wanted, rules, n=1, cutoff=_CLOSE):
            return close[0]
    return None
