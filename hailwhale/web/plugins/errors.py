"""Turns exceptions into HTTP errors: the status of each, and its JSON body."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, MutableMapping
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
from hailwhale.web.plugins.request_log import note_detail, note_refused
from hailwhale.web.responses import (
    RETRY_AFTER_S,
    error_body,
    forbid_sniffing,
    json_reply,
    message_body,
)

log = logging.getLogger("hailwhale.web")

_COMPARED_CHARS = 64  # of an unknown path
_CLOSE = 0.75  # how similar a suggested path is; 1 is equal
_IN_THE_LOG = "internal error (see the log)"
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
        return json_reply(message_body(public_text(fault)), 503, Retry_After=str(RETRY_AFTER_S))
    if isinstance(fault, StoreMismatch):  # an operator has to act; then a repetition succeeds
        log.error("%s", fault)
        return json_reply(message_body(public_text(fault)), 503, Retry_After=str(RETRY_AFTER_S))
    log.error("unexpected error: %s", fault)
    return json_reply(message_body(public_text(fault)), 500)


def public_text(fault: HailWhaleError) -> str:
    """Return what any caller may read of an error: no path, address or errno of this machine.

    The operator finds the rest in the log, and in /healthz with a token.

    >>> public_text(StoreUnavailable("the store does not answer", "Error 2 connecting to /run/v"))
    'the store does not answer'
    """
    if isinstance(fault, StoreUnavailable):
        return fault.summary
    if isinstance(fault, BadInput | NotAllowed | TooMany | StoreMismatch):
        return str(fault)
    return _IN_THE_LOG


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


def note_fault(environ: MutableMapping[str, Any], fault: HailWhaleError) -> None:
    """Note an error for the operator: its reason in the metrics, its details in the log."""
    note_refused(environ, reason_of(fault))
    if isinstance(fault, StoreUnavailable) and fault.detail:
        note_detail(environ, str(fault))


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
                note_fault(bottle.request.environ, fault)
                return told(fault)

        return answered


class ErrorPages:
    """Bottle's own errors (an unknown path, a wrong method) in the same JSON as ours.

    `limit` counts the request for the rate limit of its client, or raises `TooMany`.
    """

    def __init__(self, limit: Callable[[dict[str, Any]], None]) -> None:
        self._limit = limit

    def __call__(self, error: bottle.HTTPError) -> str:
        if error.exception is not None:
            log.error("internal error", exc_info=error.exception)
        bottle.response.content_type = "application/json"
        forbid_sniffing()  # after an exception Bottle calls no hook
        text = _PLAIN.get(error.status_code, _IN_THE_LOG) + _hint(error)
        environ = bottle.request.environ
        try:
            if "bottle.route" not in environ:  # else it was counted before its route ran
                self._limit(environ)
        except TooMany as fault:
            bottle.response.status = 429
            bottle.response.set_header("Retry-After", str(fault.retry_after_s))
            text = str(fault)
        return str(simplejson.dumps(message_body(text)))


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
