"""Webhooks: a JSON object handed to a URL, tried again where that may help.

Owns what counts as delivered: an answer of 2xx, and no redirect, which would lose the body. It must
not know what is told.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from email.message import Message
from http.client import HTTPException
from typing import IO
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

import simplejson

from hailwhale import __version__

log = logging.getLogger("hailwhale.alerts")

WAITS_S = (1.0, 3.0)  # before the second try and the third
TIMEOUT_S = 10.0
_PASSING = (408, 429)


class _NoRedirects(HTTPRedirectHandler):
    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: Message, newurl: str
    ) -> None:
        """None: the answer itself is what comes back."""


_opener = build_opener(_NoRedirects)


def post(url: str, id: str, body: Mapping[str, object], wait: Callable[[float], object]) -> bool:
    """Hand a body over; whether it was taken. `wait` sleeps between tries.

    Decimals are written with all their digits. The id goes along as ``Idempotency-Key``, for a
    receiver to know what came before.
    """
    data = simplejson.dumps(body, use_decimal=True, ensure_ascii=False).encode()
    headers = {
        "Content-Type": "application/json",
        "User-Agent": f"hailwhale/{__version__}",
        "Idempotency-Key": id,
    }
    for wait_s in (*WAITS_S, None):
        fault, again = _tried(Request(url, data, headers, method="POST"))  # noqa: S310 - http(s)
        if not fault:
            return True
        log.warning("a notice was not taken by %s: %s", urlsplit(url).hostname, fault)
        if wait_s is None or not again:
            break
        wait(wait_s)
    return False


def _tried(request: Request) -> tuple[str, bool]:
    """What was wrong, "" when nothing was; and whether another try may help."""
    try:
        with _opener.open(request, timeout=TIMEOUT_S):
            return "", False
    except HTTPError as fault:
        with fault:
            return f"it answered {fault.code}", fault.code >= 500 or fault.code in _PASSING
    except (OSError, HTTPException, ValueError) as fault:
        return str(fault) or type(fault).__name__, not isinstance(fault, ValueError)
