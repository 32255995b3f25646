"""A service as its clients see it: one POST, and what its answer means.

Owns HTTP: the token, the answers that are faults, and what becomes of each event of a batch. It
knows neither queues nor when to try again.
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

_URL_FORMS = "the address of a service, such as https://hw.example.com"
_BEARER_FORMS = "a token of `hailwhale tokens`: letters, digits and signs without blanks"
_MOST_BYTES = 64 * 1024 * 1024  # of an answer
_NOT_FOR_YOU = (401, 403)
_LONGEST_WAIT_S = 3_600.0  # whatever a Retry-After says: it may come from anything on the way


@dataclass(frozen=True, slots=True)
class BatchVerdict:
    """What a service said of a batch: `refused` tells by their places which events are wrong and
    why, `again` which found no room and may come again, after `wait_s` seconds. The rest counts."""

    refused: Mapping[int, str] = field(default_factory=dict)
    again: Sequence[int] = ()
    wait_s: float = 0


class _AsItCame(HTTPErrorProcessor):
    """Hands every answer on as it is.

    urllib would follow a redirect of a POST with a GET, which counts an event that nobody sent.
    """

    def http_response(self, request: Request, response: Any) -> Any:
        return response

    https_response = http_response


class ServiceConnection:
    """The service at `url`, with the bearer token of who asks."""

    def __init__(self, url: str, token: str | None, timeout_s: float) -> None:
        """Raises `BadInput` for what cannot be an address or a token; asks nothing yet."""
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
        """The answer of a route, its numbers exact; raises what the service would."""
        status, answer, wait_s = self._post(path, text_of(fields))
        if status != 200:
            raise self._fault(status, answer, wait_s)
        return answer

    def send(self, path: str, events: Sequence[str]) -> BatchVerdict:
        """Send events, each the text of a JSON object, as one batch.

        Raises `TooLarge` when it is to be sent in parts; any other `HailWhaleError` says that
        nothing is known: the events may have been counted or not, and may come again by their ids.
        """
        status, answer, wait_s = self._post(path, f"[{','.join(events)}]")
        if status in (200, 400, 503) and isinstance(answer, dict) and "accepted" in answer:
            refused = {each["index"]: _said(each["error"]) for each in answer["rejected"]}
            again = answer.get("unbuffered", [])
            if not {*refused, *again} <= set(range(len(events))):
                raise HailWhaleError(f"{self.url} answered of events that were not sent")
            return BatchVerdict(refused, again, wait_s)
        fault = self._fault(status, answer, wait_s)
        if isinstance(fault, BadInput) and not isinstance(fault, TooLarge | NotYours):
            return BatchVerdict(dict.fromkeys(range(len(events)), str(fault)))
        raise fault

    def _post(self, path: str, body: str) -> tuple[int, Any, float]:
        """The status of an answer, the JSON in it ({} without), and how long it says to wait."""
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
    """What JSON says, with numbers as the library has them; {} for anything else."""
    try:
        return json.loads(body, parse_float=lambda text: as_number(Decimal(text)))
    except ValueError:
        return {}


def _said(error: Mapping[str, object]) -> str:
    return f"{error['parameter']}: {error['message']}"
