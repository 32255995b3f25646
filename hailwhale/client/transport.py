"""HTTP transport of the clients: one POST for each request, and the meaning of its response.

Handles the token, the responses that are errors, and the outcome of each event of a batch. Knows
nothing of queues or of when to retry.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from http.client import HTTPException, HTTPResponse
from typing import Any
from urllib.request import HTTPErrorProcessor, Request, build_opener

from hailwhale import __version__
from hailwhale.client.encoding import text_of
from hailwhale.core.numbers import as_number
from hailwhale.errors import (
    BadInput,
    HailWhaleError,
    NotAllowed,
    NotYours,
    StoreUnavailable,
    TooLarge,
    TooMany,
)

_URL_FORMS = "the URL of a service, such as https://hw.example.com"
_BEARER_FORMS = "a token from `hailwhale tokens add`, without spaces"
_MOST_BYTES = 64 * 1024 * 1024  # of an answer
_NOT_FOR_YOU = (401, 403)
_LONGEST_WAIT_S = 3_600.0  # whatever a Retry-After says: it may come from anything on the way


@dataclass(frozen=True, slots=True)
class BatchVerdict:
    """Outcome of a batch: `refused` maps indexes of invalid events to the reason.

    `again` has the indexes of events that met a full buffer and may be sent again after `wait_s`
    seconds. All others are counted.
    """

    refused: Mapping[int, str] = field(default_factory=dict)
    again: Sequence[int] = ()
    wait_s: float = 0


class _AsItCame(HTTPErrorProcessor):
    """Returns every response unchanged.

    urllib would follow a redirect of a POST with a GET, which counts an event that nobody sent.
    """

    def http_response(self, request: Request, response: Any) -> Any:
        return response

    https_response = http_response


class ServiceConnection:
    """The service at `url`, and the bearer token to send."""

    def __init__(self, url: str, token: str | None, timeout_s: float) -> None:
        """Check the address and the token; raise `BadInput`. Does not connect."""
        if not url.startswith(("http://", "https://")):
            raise BadInput("url", url, _URL_FORMS)
        if token and not all("!" <= sign <= "~" for sign in token):
            raise BadInput("token", "…", _BEARER_FORMS)
        self.url = url.rstrip("/")
        self._timeout_s = timeout_s
        self._opener = build_opener(_AsItCame)
        self._headers = {
            "Content-Type": "application/json",
            "User-Agent": f"hailwhale-client/{__version__}",
            **({"Authorization": f"Bearer {token}"} if token else {}),
        }

    def ask(self, path: str, fields: Mapping[str, object]) -> Any:
        """Return the response of a route with exact numbers; raise the service's error."""
        status, answer, wait_s = self._post(path, text_of(fields))
        if status != 200:
            raise self._fault(status, answer, wait_s)
        return answer

    def send(self, path: str, events: Sequence[str]) -> BatchVerdict:
        """Send events, each the text of a JSON object, as one batch.

        Raises `TooLarge` when the batch must be split. After any other `HailWhaleError` the outcome
        is unknown: the events may or may not have been counted, and can be sent again with their
        ids.
        """
        status, answer, wait_s = self._post(path, f"[{','.join(events)}]")
        if status in (200, 400, 429, 503) and isinstance(answer, dict) and "accepted" in answer:
            refused = {each["index"]: _said(each["error"]) for each in answer["rejected"]}
            again = answer.get("unbuffered", [])
            if not {*refused, *again} <= set(range(len(events))):
                raise HailWhaleError(f"{self.url} answered for events that were not sent")
            return BatchVerdict(refused, again, wait_s)
        fault = self._fault(status, answer, wait_s)
        if isinstance(fault, BadInput) and not isinstance(fault, TooLarge | NotYours):
            return BatchVerdict(dict.fromkeys(range(len(events)), str(fault)))
        raise fault

    def _post(self, path: str, body: str) -> tuple[int, Any, float]:
        """Return the status, the JSON of the response ({} without) and its Retry-After."""
        request = Request(f"{self.url}{path}", body.encode(), self._headers)  # noqa: S310
        try:
            response: HTTPResponse
            with self._opener.open(request, timeout=self._timeout_s) as response:
                read = response.read(_MOST_BYTES)
                wait = response.headers.get("Retry-After", "")
                wait_s = min(float(wait), _LONGEST_WAIT_S) if wait.isdecimal() else 0
                return response.status, _json(read), wait_s
        except (OSError, HTTPException) as fault:
            reason = getattr(fault, "reason", None) or fault or type(fault).__name__
            raise StoreUnavailable(f"{self.url} does not answer: {reason}") from fault

    def _fault(self, status: int, answer: Any, wait_s: float) -> HailWhaleError:
        error = answer.get("error") if isinstance(answer, dict) else None
        parameter, message = None, f"{self.url} answered {status}"
        if isinstance(error, dict):
            parameter, message = error.get("parameter"), str(error.get("message"))
        if status == 413:
            return TooLarge.from_message(parameter or "body", message)
        if parameter is not None and status in (400, 403):
            return (NotYours if status == 403 else BadInput).from_message(parameter, message)
        if status in _NOT_FOR_YOU:
            return NotAllowed(message, token_shown=status == 403)
        if status == 429:
            return TooMany(message, round(wait_s))
        if status >= 500:
            return StoreUnavailable(message)
        return HailWhaleError(message)


def _json(body: bytes) -> Any:
    """Parse JSON with numbers as the library returns them; return {} for anything else."""
    try:
        return json.loads(body, parse_float=lambda text: as_number(Decimal(text)))
    except ValueError:
        return {}


def _said(error: Mapping[str, object]) -> str:
    return f"{error['parameter']}: {error['message']}"
