"""A service as its clients see it: events are sent in batches, and what fails is tried again.

Owns the HTTP of `hailwhale demo`. It knows neither what is sent nor why.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from hailwhale.errors import BadInput, HailWhaleError, StoreUnavailable

_TIMEOUT_S = 30
_AWAY_S = 2.0
_BUSY = 503


@dataclass(frozen=True, slots=True)
class Service:
    """The service at `url`. `pause` waits; `patience` is how often what failed is tried again.

    `told` gets what a person who waits wants to know.
    """

    url: str
    token: str = ""
    pause: Callable[[float], None] = time.sleep
    patience: int = 30
    told: Callable[[str], None] = lambda _text: None

    def __post_init__(self) -> None:
        if not self.url.startswith(("http://", "https://")):
            expected = "the address of a service, such as http://localhost:8085"
            raise BadInput("url", self.url, expected)

    def send(self, events: Sequence[Mapping[str, object]], path: str = "/count") -> int:
        """Send events as one POST, those that found the buffer full again; how many were accepted.

        Raises `HailWhaleError` for events that are refused, `StoreUnavailable` when it stays away.
        """
        accepted, left = 0, list(events)
        for _ in range(self.patience):
            if not left:
                break
            answer = self._patiently(path, json.dumps(left).encode())
            accepted += answer["accepted"]
            if answer["rejected"]:
                raise HailWhaleError(f"{self.url} refused {answer['rejected'][0]['error']}")
            left = [left[place] for place in answer.get("unbuffered", ())]
            if left:
                self.pause(_AWAY_S)
        if left:
            raise StoreUnavailable(f"{self.url} has no room for {len(left)} events")
        return accepted

    def ask(self, path: str, fields: Mapping[str, object]) -> Any:
        """The answer of a route."""
        texts = {
            name: value if isinstance(value, str) else json.dumps(value)
            for name, value in fields.items()
        }
        return self._patiently(f"{path}?{urlencode(texts)}", None)

    def _patiently(self, path: str, body: bytes | None) -> Any:
        """Ask until there is an answer: a service may start a moment after its demo."""
        for left in range(self.patience, 0, -1):
            try:
                return self._asked(path, body)
            except StoreUnavailable as fault:
                if left == 1:
                    raise
                if left == self.patience:
                    self.told(f"{fault}; it is tried again for {left * _AWAY_S:g} seconds")
                self.pause(_AWAY_S)
        raise StoreUnavailable(f"{self.url} was not asked")

    def _asked(self, path: str, body: bytes | None) -> Any:
        headers = {"Content-Type": "application/json", "User-Agent": "hailwhale-demo"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        url = self.url.rstrip("/") + path
        try:
            with urlopen(Request(url, body, headers), timeout=_TIMEOUT_S) as answer:  # noqa: S310
                return json.load(answer)
        except HTTPError as fault:
            return _answer_of(fault, self.url)
        except (URLError, OSError) as fault:
            reason = getattr(fault, "reason", fault)
            raise StoreUnavailable(f"{self.url} does not answer: {reason}") from fault


def _answer_of(fault: HTTPError, url: str) -> Any:
    """What a batch answers though some of it must wait; anything else is a fault."""
    try:
        answer = json.loads(fault.read())
    except ValueError:
        answer = {}
    if fault.code == _BUSY and "unbuffered" in answer:
        return answer
    message = answer.get("error", {}).get("message", fault.reason)
    if fault.code >= 500 or fault.code == 429:
        raise StoreUnavailable(f"{url}: {message}") from fault
    raise HailWhaleError(f"{url} answered {fault.code}: {message}") from fault
