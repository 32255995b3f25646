"""Webhooks: posts a JSON object to a URL, and retries if that may help.

Decides what counts as delivered: a 2xx answer. Redirects are not followed, because they would lose
the body. Knows nothing of what the object says.
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
        """Return None, so that the redirect itself is the answer."""


_opener = build_opener(_NoRedirects)


def post(url: str, id: str, body: Mapping[str, object], wait: Callable[[float], object]) -> bool:
    """Post a body; return whether it was accepted. `wait` sleeps between tries.

    Decimals are written with all their digits. The id is sent as ``Idempotency-Key``, so that a
    receiver recognizes repetitions.
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
        log.warning("notification not delivered to %s: %s", urlsplit(url).hostname, fault)
        if wait_s is None or not again:
            break
        wait(wait_s)
    return False


def _tried(request: Request) -> tuple[str, bool]:
    """Return the error, "" if there was none, and whether another try may help."""
    try:
        with _opener.open(request, timeout=TIMEOUT_S):
            return "", False
    except HTTPError as fault:
        with fault:
            return f"it answered {fault.code}", fault.code >= 500 or fault.code in _PASSING
    except (OSError, HTTPException, ValueError) as fault:
        return str(fault) or type(fault).__name__, not isinstance(fault, ValueError)
